//! Judging: answers against rules.

use std::collections::BTreeMap;

use watchpost_model::evidence::{EvidenceAnswer, EvidenceQuery};

use crate::document::{ChartData, ControlResult, FrameworkRef, ReportDocument, Scope, State, Summary};
use crate::framework::{Control, Empty, Framework, Rule};

/// Judges every control of `framework` by `answers`.
///
/// Shape: one result a control, in the order of the framework. An empty population never passes; a question without
/// an answer is no data; a control whose inputs are not clean is capped at warn and says so.
#[must_use]
pub fn evaluate(
    framework: &Framework,
    scope: Scope,
    answers: &BTreeMap<EvidenceQuery, EvidenceAnswer>,
    charts: ChartData,
) -> ReportDocument {
    let controls: Vec<ControlResult> =
        framework.controls.iter().map(|control| judge(control, answers)).collect();
    let mut summary = Summary::default();
    for control in &controls {
        summary.count(control.state);
    }
    ReportDocument {
        format: 1,
        framework: FrameworkRef {
            id: framework.id.clone(),
            name: framework.name.clone(),
            version: framework.version.clone(),
            note: framework.note.clone(),
        },
        scope,
        summary,
        controls,
        charts,
    }
}

fn judge(control: &Control, answers: &BTreeMap<EvidenceQuery, EvidenceAnswer>) -> ControlResult {
    let answer = control.query.and_then(|query| answers.get(&query));
    let (state, reason) = match (control.query, &control.rule, answer) {
        (Some(_), Some(rule), Some(answer)) => capped(by_rule(rule, answer), control, answers),
        (Some(query), _, None) => (State::NoData, format!("The question {query} was not answered.")),
        (_, None, _) | (None, _, _) => (State::Manual, "Data alone cannot show this.".to_owned()),
    };
    let width = answer.map_or(0, |answer| answer.columns.len());
    ControlResult {
        id: control.id.clone(),
        title: control.title.clone(),
        text: control.text.clone(),
        state,
        reason,
        query: control.query,
        rule: control.rule.as_ref().map(Rule::words).unwrap_or_default(),
        population: answer.map_or(0, |answer| answer.population),
        exceptions: answer.map_or(0, |answer| answer.exceptions),
        basis: answer.map(|answer| answer.basis.clone()).unwrap_or_default(),
        columns: answer.map(|answer| answer.columns.clone()).unwrap_or_default(),
        rows: answer
            .map(|answer| answer.rows.iter().map(|row| of_width(row, width)).collect())
            .unwrap_or_default(),
        remedy: match state {
            State::Pass | State::Manual => String::new(),
            State::NoData | State::Warn | State::Fail => control.remedy.clone(),
        },
        attest: control.attest.clone(),
    }
}

fn by_rule(rule: &Rule, answer: &EvidenceAnswer) -> (State, String) {
    let (population, exceptions) = (answer.population, answer.exceptions);
    if exceptions > population {
        let reason = format!("The answer contradicts itself: {exceptions} exceptions among {population}.");
        return (State::NoData, reason);
    }
    if population == 0 {
        return match rule.empty {
            Empty::NoData => (State::NoData, "Nothing of the kind happened in the period.".to_owned()),
            Empty::Warn => (State::Warn, "Nothing of the kind happened, though it should have.".to_owned()),
            Empty::Fail => (State::Fail, "Nothing of the kind happened, though it had to.".to_owned()),
        };
    }
    let found = match exceptions {
        0 => format!("No exception among {population}"),
        1 => format!("1 of {population} is an exception"),
        _ => format!("{exceptions} of {population} are exceptions"),
    };
    if !rule.warn.holds(population, exceptions) {
        return (State::Fail, format!("{found}; tolerated is {}.", rule.warn.words()));
    }
    if !rule.pass.holds(population, exceptions) {
        return (State::Warn, format!("{found}; a pass allows {}.", rule.pass.words()));
    }
    if population < rule.population_min {
        let least = rule.population_min;
        return (State::NoData, format!("{found}, but {population} are too few to judge; it takes {least}."));
    }
    if exceptions == 0 {
        return (State::Pass, format!("{found}."));
    }
    (State::Pass, format!("{found}; allowed is {}.", rule.pass.words()))
}

/// A control is never better than its inputs.
fn capped(
    (state, reason): (State, String),
    control: &Control,
    answers: &BTreeMap<EvidenceQuery, EvidenceAnswer>,
) -> (State, String) {
    if state != State::Pass {
        return (state, reason);
    }
    let doubts: Vec<String> = control
        .relies_on
        .iter()
        .filter_map(|query| match answers.get(query) {
            None => Some(format!("{query} was not answered")),
            Some(answer) if answer.population == 0 => Some(format!("{query} found nothing to look at")),
            Some(answer) if answer.exceptions > 0 => {
                Some(format!("{query} has {} of {} exceptions", answer.exceptions, answer.population))
            }
            Some(_) => None,
        })
        .collect();
    if doubts.is_empty() {
        return (state, reason);
    }
    (State::Warn, format!("{reason} It would pass, but its inputs are in doubt: {}.", doubts.join("; ")))
}

fn of_width(row: &[String], width: usize) -> Vec<String> {
    let mut row = row.to_vec();
    row.resize(width.max(row.len()), String::new());
    row
}
