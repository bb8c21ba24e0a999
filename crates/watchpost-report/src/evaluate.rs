//! Judging: answers against rules.

use std::collections::BTreeMap;

use watchpost_model::evidence::{EvidenceAnswer, EvidenceAsk, EvidenceQuery, ROWS_MAX, Sample};
use watchpost_model::register::Proof;

use crate::document::{
    ChartData, CheckResult, ControlResult, FrameworkRef, Gap, Parameter, ReportDocument, ReportKind, Scope,
    Standing, State, Summary,
};
use crate::framework::{Check, Control, Empty, Framework, Rule};
use crate::mask::{mask_proof, mask_rows, shown_scope};
use crate::verify::FORMAT;
use crate::wording::{LACKING_FAILS, LACKING_WARNS, NOTHING, counted, thousands};

/// The reason of a control that only people can show.
pub(crate) const ALONE: &str = "Data alone cannot show this.";
/// What stands between the reason of a pass and the doubts about its inputs, which a full stop ends.
pub(crate) const INPUTS_DOUBTED: &str = " It would pass, but its inputs are in doubt: ";

/// Judges every control of `framework` by `answers`; `proofs` is what people gave for its controls.
///
/// Shape: one result a control, in the order of the framework. An empty population never passes; a question without
/// an answer is no data; a control is as good as the worst of its checks; one whose inputs are not clean is capped at
/// warn and says so.
#[must_use]
pub fn evaluate(
    framework: &Framework,
    scope: Scope,
    answers: &BTreeMap<EvidenceAsk, EvidenceAnswer>,
    proofs: &[Proof],
    charts: Option<ChartData>,
) -> ReportDocument {
    let judged = |control| judge(control, answers, proofs, &scope, &[]);
    let mut controls: Vec<ControlResult> = framework.controls.iter().map(judged).collect();
    // Whether what failed is followed up is judged once all else is.
    let failed: Vec<String> = framework
        .controls
        .iter()
        .zip(&controls)
        .filter(|(known, found)| found.state == State::Fail && !asks_for_followed(known))
        .map(|(known, _)| known.id.clone())
        .collect();
    for (known, found) in framework.controls.iter().zip(&mut controls) {
        if asks_for_followed(known) {
            *found = judge(known, answers, proofs, &scope, &failed);
        }
    }
    let mut summary = Summary::default();
    for control in &controls {
        summary.count(control.state);
    }
    let gaps =
        framework.controls.iter().zip(&controls).filter_map(|(known, found)| gap(known, found)).collect();
    ReportDocument {
        format: FORMAT,
        kind: ReportKind::Framework,
        title: heading(framework),
        framework: FrameworkRef {
            id: framework.id.clone(),
            name: framework.name.clone(),
            version: framework.version.clone(),
            note: framework.note.clone(),
        },
        scope: shown_scope(scope),
        parameters: Vec::new(),
        summary,
        controls,
        gaps,
        sections: Vec::new(),
        standing: Standing::default(),
        charts,
    }
}

/// The heading of a report about a framework.
pub(crate) fn heading(framework: &Framework) -> String {
    format!("{} evidence report", framework.name)
}

/// Does it ask whether other controls that failed are followed up?
fn asks_for_followed(control: &Control) -> bool {
    control.checks.iter().any(|check| check.ask.query == EvidenceQuery::ControlsFollowed)
}

/// What is in force, and with it the controls that failed and that no entry is about: each of these is an exception. One that
/// is followed up counts as its entry. The rows are the exceptions; nothing is drawn, they are all there.
fn with_failed(answer: &EvidenceAnswer, failed: &[String]) -> EvidenceAnswer {
    let column = answer.columns.iter().position(|name| name == "subject").unwrap_or(0);
    let is_about = |row: &Vec<String>, subject: &str| {
        row.get(column).is_some_and(|cell| cell.trim().eq_ignore_ascii_case(subject))
    };
    let subjects = failed.iter().map(|id| format!("control/{id}"));
    let alone: Vec<String> =
        subjects.filter(|subject| !answer.rows.iter().any(|row| is_about(row, subject))).collect();
    let marked = answer.exceptions.saturating_add(answer.warnings);
    let mut rows: Vec<Vec<String>> =
        answer.rows.iter().take(usize::try_from(marked).unwrap_or(usize::MAX)).cloned().collect();
    let n_alone = alone.len() as u64;
    for subject in alone {
        let mut row = vec![String::new(); answer.columns.len().max(column + 1)];
        row[column] = subject;
        rows.push(row);
    }
    rows.truncate(ROWS_MAX);
    EvidenceAnswer {
        population: answer.population.saturating_add(n_alone),
        exceptions: answer.exceptions.saturating_add(n_alone),
        rows,
        sample: Sample::default(),
        ..answer.clone()
    }
}

/// The result of one control; `failed` are the others that failed.
fn judge(
    control: &Control,
    answers: &BTreeMap<EvidenceAsk, EvidenceAnswer>,
    proofs: &[Proof],
    scope: &Scope,
    failed: &[String],
) -> ControlResult {
    let judged = |check: &Check| match answers.get(&check.ask) {
        Some(answer) if check.ask.query == EvidenceQuery::ControlsFollowed => {
            judge_check(check, Some(&with_failed(answer, failed)))
        }
        answer => judge_check(check, answer),
    };
    let checks: Vec<CheckResult> = control.checks.iter().map(judged).collect();
    let (state, reason) = if control.checks.is_empty() {
        (State::Manual, ALONE.to_owned())
    } else {
        capped(worst(&checks), control, answers)
    };
    let sum = |count: fn(&CheckResult) -> u64| checks.iter().map(count).fold(0, u64::saturating_add);
    let last_moment = scope.period.to.min(scope.generated_at);
    ControlResult {
        id: control.id.clone(),
        title: control.title.clone(),
        text: control.text.clone(),
        state,
        reason,
        population: sum(|check| check.population),
        warnings: sum(|check| check.warnings),
        exceptions: sum(|check| check.exceptions),
        remedy: match state {
            State::Pass | State::Manual => String::new(),
            State::NoData | State::Warn | State::Fail => control.remedy.clone(),
        },
        checks,
        attest: control.attest.clone(),
        proofs: proofs
            .iter()
            .filter(|proof| proof.control == control.id && proof.expires_at > last_moment)
            .filter(|proof| proof.period.from < scope.period.to && proof.period.to > scope.period.from)
            .cloned()
            .map(|mut proof| {
                mask_proof(&mut proof);
                proof
            })
            .collect(),
        comments: Vec::new(),
    }
}

fn judge_check(check: &Check, answer: Option<&EvidenceAnswer>) -> CheckResult {
    let Check { what, ask, rule } = check;
    let (state, reason) = match answer {
        Some(answer) => by_rule(rule, (answer.population, answer.warnings, answer.exceptions)),
        None => (Some(State::NoData), format!("The question {} was not answered.", ask.query)),
    };
    let mut result = CheckResult {
        what: what.clone(),
        query: ask.query,
        parameters: parameters(ask),
        state,
        reason,
        rule: rule.words(ask),
        population: 0,
        warnings: 0,
        exceptions: 0,
        basis: String::new(),
        text: String::new(),
        columns: Vec::new(),
        rows: Vec::new(),
        sample: Sample::default(),
    };
    if let Some(answer) = answer {
        let width = answer.columns.len();
        result.population = answer.population;
        result.warnings = answer.warnings;
        result.exceptions = answer.exceptions;
        result.basis.clone_from(&answer.basis);
        result.text.clone_from(&answer.text);
        result.columns.clone_from(&answer.columns);
        result.rows = answer.rows.iter().map(|row| of_width(row, width)).collect();
        mask_rows(&result.columns, &mut result.rows);
        result.sample = answer.sample.clone();
        let width = result.sample.columns.len();
        result.sample.rows.iter_mut().for_each(|row| *row = of_width(row, width));
        mask_rows(&result.sample.columns, &mut result.sample.rows);
    }
    result
}

fn parameters(ask: &EvidenceAsk) -> Vec<Parameter> {
    ask.parameters().into_iter().map(|(name, value)| Parameter::new(name, value)).collect()
}

/// The state of one answer under its rule; `None` where nothing happened and nothing had to. Also what a verifier
/// repeats.
pub(crate) fn by_rule(
    rule: &Rule,
    (population, warnings, exceptions): (u64, u64, u64),
) -> (Option<State>, String) {
    if exceptions.saturating_add(warnings) > population {
        let reason = format!(
            "The answer contradicts itself: {exceptions} exceptions and {warnings} warnings among {population}."
        );
        return (Some(State::NoData), reason);
    }
    if population == 0 {
        return match rule.empty {
            Empty::NoData if rule.if_any => (None, NOTHING.to_owned()),
            Empty::NoData => (Some(State::NoData), NOTHING.to_owned()),
            Empty::Warn => (Some(State::Warn), LACKING_WARNS.to_owned()),
            Empty::Fail => (Some(State::Fail), LACKING_FAILS.to_owned()),
        };
    }
    let found = found(population, warnings, exceptions);
    if rule.warnings_max.is_some_and(|most| warnings > most) {
        let most = rule.warnings_max.unwrap_or_default();
        return (Some(State::Fail), format!("{found}; more than {most} warnings fail."));
    }
    if !rule.warn.holds(population, exceptions) {
        return (Some(State::Fail), format!("{found}; tolerated is {}.", rule.warn.words()));
    }
    if !rule.pass.holds(population, exceptions) {
        return (Some(State::Warn), format!("{found}; a pass allows {}.", rule.pass.words()));
    }
    if u128::from(warnings) * 100 > u128::from(rule.warnings_percent_max) * u128::from(population) {
        return (Some(State::Warn), format!("{found}."));
    }
    if population < rule.population_min {
        let least = rule.population_min;
        return (
            Some(State::NoData),
            format!("{found}, but {population} are too few to judge; it takes {least}."),
        );
    }
    if exceptions == 0 {
        return (Some(State::Pass), format!("{found}."));
    }
    (Some(State::Pass), format!("{found}; allowed is {}.", rule.pass.words()))
}

/// What an answer counted, in words: how the reason of every judged check begins.
pub(crate) fn found(population: u64, warnings: u64, exceptions: u64) -> String {
    let population = thousands(population);
    let found = match exceptions {
        0 => format!("No exception among {population}"),
        1 => format!("1 of {population} is an exception"),
        _ => format!("{} of {population} are exceptions", thousands(exceptions)),
    };
    match warnings {
        0 => found,
        _ => format!("{found}, {}", counted(warnings, "warning")),
    }
}

/// The worst state of the checks and why; a pass names nothing that failed.
pub(crate) fn worst(checks: &[CheckResult]) -> (State, String) {
    let Some(state) = checks.iter().filter_map(|check| check.state).max() else {
        return (State::NoData, NOTHING.to_owned());
    };
    let reasons: Vec<String> = checks
        .iter()
        .filter(|check| check.state == Some(state))
        .map(|check| match check.what.as_str() {
            "" => check.reason.clone(),
            what => format!("{what}: {}", check.reason),
        })
        .collect();
    (state, reasons.join(" "))
}

/// A control is never better than its inputs.
fn capped(
    (state, reason): (State, String),
    control: &Control,
    answers: &BTreeMap<EvidenceAsk, EvidenceAnswer>,
) -> (State, String) {
    if state != State::Pass {
        return (state, reason);
    }
    let doubts: Vec<String> = control
        .relies_on
        .iter()
        .filter_map(|query| {
            let answer = answers.get(&EvidenceAsk::from(*query));
            doubt(*query, answer.map(|answer| (answer.population, answer.exceptions)))
        })
        .collect();
    if doubts.is_empty() {
        return (state, reason);
    }
    (State::Warn, format!("{reason}{INPUTS_DOUBTED}{}.", doubts.join("; ")))
}

/// What is in doubt about an input, by its population and exceptions where it was answered; `None` if nothing is.
pub(crate) fn doubt(query: EvidenceQuery, counted: Option<(u64, u64)>) -> Option<String> {
    let words = words_of(query);
    match counted {
        None => Some(format!("the question about {words} was not answered")),
        Some((0, _)) => Some(format!("the question about {words} found nothing to look at")),
        Some((_, 0)) => None,
        Some((population, exceptions)) => {
            Some(format!("the question about {words} has {exceptions} exceptions among {population}"))
        }
    }
}

/// What a trail in doubt adds to the reason of a pass.
pub(crate) fn trail_doubted(problem: &str) -> String {
    format!(" It would pass, but the audit trail is in doubt: {problem}.")
}

/// A question's name for people.
fn words_of(query: EvidenceQuery) -> String {
    query.as_str().replace('_', " ")
}

/// Does nothing show how a control stands? It may be judged all the same: nothing happened, and that is what is held
/// against it.
pub(crate) fn is_gap(result: &ControlResult) -> bool {
    let mut worst = result.checks.iter().filter(|check| check.state == Some(result.state)).peekable();
    match result.state {
        State::Manual => result.proofs.is_empty(),
        State::NoData => true,
        State::Warn | State::Fail => worst.peek().is_some() && worst.all(|check| check.population == 0),
        State::Pass => false,
    }
}

/// What is lacking for a control that nothing shows.
pub(crate) fn gap(control: &Control, result: &ControlResult) -> Option<Gap> {
    if !is_gap(result) {
        return None;
    }
    let lacks = match result.state {
        State::Manual => "No file and no statement of a person that counts in the period.".to_owned(),
        State::NoData | State::Warn | State::Fail | State::Pass => result.reason.clone(),
    };
    let remedy = control.attest.clone().unwrap_or_else(|| control.remedy.clone());
    Some(Gap { control: control.id.clone(), lacks, remedy })
}

fn of_width(row: &[String], width: usize) -> Vec<String> {
    let mut row = row.to_vec();
    row.resize(width.max(row.len()), String::new());
    row
}
