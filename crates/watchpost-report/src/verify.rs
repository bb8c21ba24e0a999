//! Checking a report file without the database: is it what was hashed, do its numbers agree with each other, is its sample
//! the one that its seed draws? And comparing two reports.

mod reason;
mod shape;

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use ts_rs::TS;
use watchpost_model::evidence::{EvidenceAsk, EvidenceQuery, MEMBERS_MAX, ROWS_MAX};
use watchpost_model::sample;
use watchpost_model::text::visible;

use crate::document::{
    CheckResult, ControlResult, Parameter, ReportDocument, ReportKind, Scope, State, Summary,
};
use crate::evaluate::{by_rule, found, gap, heading, is_gap};
use crate::framework::{Check, Framework, Rule};
use crate::wording::{is_same_reason, of_now};

/// The version of this shape of a report; a verifier reads no other.
pub(crate) const FORMAT: u32 = 2;

/// The parameter that tells what is held against the audit trail.
pub(crate) const IN_DOUBT: &str = "the audit trail is in doubt";

/// What checking a report file found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(rename = "ReportVerified")]
pub struct Verified {
    /// SHA-256 of the file, hexadecimal.
    pub sha256: String,
    /// Its heading.
    pub title: String,
    /// How many figures and samples were checked.
    pub checked: u64,
    /// What does not hold, for people; empty if everything does.
    pub problems: Vec<String>,
    /// Why its words and rules could not be compared with those of its framework, which ships in another edition.
    pub other_edition: Option<String>,
}

/// What tells the version of a report that has another shape.
#[derive(Deserialize)]
struct Shape {
    format: u64,
}

/// The seed of the sample of a question in a report: SHA-256 over root of the log, framework, question, parameters and
/// bounds of the period, a line each ([`sample::seed`]).
#[must_use]
pub fn sample_seed(scope: &Scope, framework: &str, ask: &EvidenceAsk) -> [u8; 32] {
    seed_of(scope, framework, ask.query.as_str(), &ask_parameters(ask))
}

fn seed_of(scope: &Scope, framework: &str, query: &str, parameters: &[Parameter]) -> [u8; 32] {
    let given: Vec<String> = parameters.iter().map(|one| format!("{}={}", one.name, one.value)).collect();
    let time = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let (from, to) = (time(scope.period.from), time(scope.period.to));
    sample::seed(&[&scope.log.root, framework, query, &given.join(" "), &from, &to])
}

/// Checks a JSON report file by itself.
///
/// # Errors
/// In words, if it is no report that this version reads.
pub fn verify_json(bytes: &[u8]) -> Result<(ReportDocument, Verified), String> {
    let document: ReportDocument =
        serde_json::from_slice(bytes).map_err(|error| match serde_json::from_slice(bytes) {
            Ok(Shape { format }) if format != u64::from(FORMAT) => other_format(format),
            Ok(_) | Err(_) => format!("this is no JSON report of this version: {error}"),
        })?;
    let mut problems = Vec::new();
    let mut checked = 1;
    if document.format != FORMAT {
        problems.push(other_format(u64::from(document.format)));
    }
    match document.canonical_json() {
        Ok(text) if text.as_bytes() == bytes => {}
        Ok(_) => problems.push(
            "the file is not in canonical form: it was written or changed by another program".to_owned(),
        ),
        Err(error) => problems.push(format!("the report has no canonical form: {error}")),
    }
    let shipped = Framework::by_id(&document.framework.id);
    let (other_edition, framework) = match shipped {
        Some(shipped) if shipped.version != document.framework.version => {
            (Some(differs_in_edition(&shipped, &document)), None)
        }
        shipped => (None, shipped),
    };
    let mut summary = Summary::default();
    for control in &document.controls {
        let known = framework.as_ref().and_then(|own| own.controls.iter().find(|one| one.id == control.id));

        summary.count(control.state);
        checked += 1;
        let worst = control.checks.iter().filter_map(|check| check.state).max();
        // An input in doubt turns a pass into a warning; nothing else may differ from the worst check.
        let expected = worst.unwrap_or(if control.checks.is_empty() { State::Manual } else { State::NoData });
        if control.state != expected && !(expected == State::Pass && control.state == State::Warn) {
            problems
                .push(format!("{}: the state {} does not follow from its checks", control.id, control.state));
        }
        let sums: [u64; 3] = control.checks.iter().fold([0; 3], |sums, check| {
            [
                sums[0].saturating_add(check.population),
                sums[1].saturating_add(check.warnings),
                sums[2].saturating_add(check.exceptions),
            ]
        });
        if sums != [control.population, control.warnings, control.exceptions] {
            problems.push(format!("{}: its counts are not the sums of its checks", control.id));
        }
        for (index, check) in control.checks.iter().enumerate() {
            checked += 1;
            let name = format!("{}, check {}", control.id, index + 1);
            problems.extend(misjudged(&name, check, known.and_then(|known| known.checks.get(index))));
            if repeats(&check.columns, &check.rows) || repeats(&check.sample.columns, &check.sample.rows) {
                problems.push(format!("{name}: a row of evidence stands there twice"));
            }
            if check.state == Some(State::Pass) && check.population == 0 {
                problems.push(format!("{name}: passes on nothing"));
            }
            if check.exceptions.saturating_add(check.warnings) > check.population
                && check.state != Some(State::NoData)
            {
                problems.push(format!("{name}: more exceptions than things looked at"));
            }
            if check.sample.seed.is_empty() {
                continue;
            }
            let seed =
                seed_of(&document.scope, &document.framework.id, check.query.as_str(), &check.parameters);
            if hex::encode(seed) != check.sample.seed {
                problems.push(format!(
                    "{name}: the seed of the sample does not follow from the log and the question"
                ));
            }
            if sample::draw(&seed, check.population) != check.sample.positions {
                problems.push(format!("{name}: the sample is not the one that its seed draws"));
            }
            if check.sample.rows.len() != check.sample.positions.len() {
                problems.push(format!("{name}: the sample lacks members"));
            }
        }
    }
    problems.extend(misshapen(&document));
    problems.extend(reason::misfits(&document, framework.as_ref()));
    problems.extend(shape::misfits(&document));
    if summary != document.summary {
        problems.push("the summary does not count the controls".to_owned());
    }
    if let Some(framework) = &framework {
        problems.extend(reworded(&document, framework));
    }
    let sha256 = hex::encode(Sha256::digest(bytes));
    let title = document.title.clone();
    Ok((document, Verified { sha256, title, checked, problems, other_edition }))
}

fn other_format(format: u64) -> String {
    format!("this is a report of format {format}; this version reads format {FORMAT} only")
}

fn differs_in_edition(shipped: &Framework, document: &ReportDocument) -> String {
    format!(
        "the framework {} stands there as \"{}\"; this version comes with \"{}\", so its words and rules were not compared",
        shipped.id,
        visible(&document.framework.version, 120),
        shipped.version
    )
}

/// Does a row stand there twice? Only where a row says what it is about; two entries of the register may look the same, and
/// so may two rows without what was masked in them.
fn repeats(columns: &[String], rows: &[Vec<String>]) -> bool {
    const TELLING: [&str; 10] =
        ["id", "seq", "number", "event", "user", "account", "day", "category", "family", "table"];
    let mut seen = HashSet::new();
    columns.iter().any(|name| TELLING.contains(&name.as_str()))
        && rows.iter().any(|row| row.iter().all(|cell| is_whole(cell)) && !seen.insert(row))
}

fn is_whole(cell: &str) -> bool {
    cell != "[unreadable]" && !cell.contains("[not shown: ") && !cell.contains("**")
}

/// What of the words of a report is not as the framework has it, of the edition that the report names.
fn reworded(document: &ReportDocument, framework: &Framework) -> Vec<String> {
    let mut problems = Vec::new();
    let head = &document.framework;
    if (&head.name, &head.note, &document.title) != (&framework.name, &framework.note, &heading(framework)) {
        problems.push(
            "its heading, or the name or the note of its framework, is not the one of the framework"
                .to_owned(),
        );
    }
    let own: Vec<&str> = framework.controls.iter().map(|control| control.id.as_str()).collect();
    if document.controls.iter().map(|control| control.id.as_str()).ne(own.iter().copied()) {
        problems.push("controls of the framework are missing, or stand in another order or twice".to_owned());
    }
    let doubted = document.parameters.iter().any(|one| one.name == IN_DOUBT);
    for control in &document.controls {
        let id = &control.id;
        let Some(known) = framework.controls.iter().find(|known| known.id == *id) else {
            problems.push(format!("{id}: the framework has no such control"));
            continue;
        };
        if (&control.title, &control.text, &control.attest) != (&known.title, &known.text, &known.attest) {
            problems.push(format!("{id}: its title or its words are not those of the framework"));
        }
        // One that passed has none; nor has one whose pass was taken by a doubt that the report tells of.
        let holds = match control.state {
            State::Pass | State::Manual => control.remedy.is_empty(),
            State::Warn if control.remedy.is_empty() => doubted,
            State::Warn | State::NoData | State::Fail => control.remedy == known.remedy,
        };
        if !holds {
            problems.push(format!("{id}: its remedy is not the one of the framework"));
        }
        let asked = control.checks.iter().map(|check| &check.what);
        if asked.ne(known.checks.iter().map(|check| &check.what)) {
            problems.push(format!("{id}: its questions are not those of the framework"));
        }
        let told = document.gaps.iter().find(|gap| gap.control == *id);
        if told.is_some() && told != gap(known, control).as_ref() {
            problems.push(format!("{id}: the words of its gap are not those of the framework"));
        }
    }
    problems
}

/// What of a check does not follow from what it counted; `known` is the check as the built-in framework has it.
fn misjudged(name: &str, check: &CheckResult, known: Option<&Check>) -> Vec<String> {
    let mut problems = Vec::new();
    let counts = (check.population, check.warnings, check.exceptions);
    let marked = check.exceptions.saturating_add(check.warnings);
    // What was not answered has nothing to be held against.
    if check.basis.is_empty() {
        return problems;
    }
    if let Some(known) = known {
        let parameters = ask_parameters(&known.ask);
        if known.ask.query != check.query
            || parameters != check.parameters
            || known.rule.words(&known.ask) != check.rule
        {
            problems.push(format!("{name}: the question or the rule is not the one of the framework"));
        } else if !follows_rule(&known.rule, counts, check) {
            problems.push(format!(
                "{name}: the state or its reason does not follow from the rule and the counts"
            ));
        }
    } else if check.population > 0
        && marked <= check.population
        && !of_now(&check.reason).starts_with(&of_now(&found(
            check.population,
            check.warnings,
            check.exceptions,
        )))
    {
        problems.push(format!("{name}: the reason does not tell what was counted"));
    }
    let n_rows = check.rows.len();
    let fits = match check.query {
        // Those have a line a user.
        EvidenceQuery::AuthenticationEvents => true,
        _ if marked > 0 => n_rows as u64 == marked.min(ROWS_MAX as u64),
        _ => n_rows <= MEMBERS_MAX,
    };
    if !fits && marked <= check.population {
        problems.push(format!("{name}: {n_rows} rows of evidence do not fit its exceptions and warnings"));
    }
    problems
}

/// Are the state and its reason those of the rule and the counts?
fn follows_rule(rule: &Rule, counts: (u64, u64, u64), check: &CheckResult) -> bool {
    let (state, reason) = by_rule(rule, counts);
    state == check.state && is_same_reason(&reason, &check.reason)
}

/// What of the document does not follow from its controls: the gaps, what is followed up, its kind.
fn misshapen(document: &ReportDocument) -> Vec<String> {
    let mut problems = Vec::new();
    let listed: Vec<&str> = document.gaps.iter().map(|gap| gap.control.as_str()).collect();
    let lacking =
        document.controls.iter().filter(|control| is_gap(control)).map(|control| control.id.as_str());
    if lacking.collect::<Vec<_>>() != listed {
        problems.push("the gaps are not those of the controls".to_owned());
    }
    let failed = document.controls.iter().filter(|one| one.state == State::Fail && !asks_for_followed(one));
    let failed: Vec<String> = failed.map(|control| format!("control/{}", control.id)).collect();
    for control in document.controls.iter().filter(|control| asks_for_followed(control)) {
        for (index, check) in control.checks.iter().enumerate() {
            let name = format!("{}, check {}", control.id, index + 1);
            problems.extend(unfollowed(&name, check, &failed));
        }
    }
    if !document.controls.is_empty() && document.kind != ReportKind::Framework {
        problems.push("a report of this kind has no controls".to_owned());
    }
    problems
}

/// Does it ask whether other controls that failed are followed up?
fn asks_for_followed(control: &ControlResult) -> bool {
    control.checks.iter().any(|check| check.query == EvidenceQuery::ControlsFollowed)
}

/// What of a check whether failed controls are followed up does not agree with those that failed, `control/ID` each. Entries
/// with an owner are counted there and not listed: there have to be enough of them, and what they are about is not known.
fn unfollowed(name: &str, check: &CheckResult, failed: &[String]) -> Vec<String> {
    let mut problems = Vec::new();
    if check.query != EvidenceQuery::ControlsFollowed || check.basis.is_empty() {
        return problems;
    }
    if check.population < failed.len() as u64 {
        problems.push(format!("{name}: counts fewer things than controls failed"));
        return problems;
    }
    let column = check.columns.iter().position(|column| column == "subject").unwrap_or(0);
    let mut alone = HashSet::new();
    let mut listed = Vec::new();
    for row in &check.rows {
        let Some(subject) = row.get(column) else { continue };
        let is_bare = row.iter().enumerate().all(|(at, cell)| at == column || cell.is_empty());
        // Of a control that no entry is about nothing else is known.
        if !(is_bare && subject.starts_with("control/")) {
            listed.push(subject.trim());
        } else if !failed.contains(subject) || !alone.insert(subject) {
            problems.push(format!("{name}: names {} which did not fail, or twice", visible(subject, 120)));
        }
    }
    if check.rows.len() >= ROWS_MAX {
        return problems;
    }
    let is_listed = |subject: &str| listed.iter().any(|one| one.eq_ignore_ascii_case(subject));
    let rest = failed.iter().filter(|subject| !alone.contains(*subject) && !is_listed(subject)).count();
    let entries = check.population.saturating_sub(alone.len() as u64);
    if (listed.len() as u64).saturating_add(rest as u64) > entries {
        problems.push(format!("{name}: has too few entries for the failed controls that it does not name"));
    }
    problems
}

fn ask_parameters(ask: &EvidenceAsk) -> Vec<Parameter> {
    ask.parameters().into_iter().map(|(name, value)| Parameter::new(name, value)).collect()
}

/// What changed from an earlier report to a later one of the same kind that judges nothing: a line a figure that differs,
/// `[section, figure, before, now]`; `-` where there was or is none.
#[must_use]
pub fn compare_figures(before: &ReportDocument, now: &ReportDocument) -> Vec<Vec<String>> {
    let figures = |document: &ReportDocument| -> Vec<(String, String, String)> {
        let parts = document.sections.iter();
        let named = parts.flat_map(|part| {
            part.figures.iter().map(|one| (part.title.clone(), one.name.clone(), one.value.clone()))
        });
        named.collect()
    };
    let (old, new) = (figures(before), figures(now));
    let value = |all: &[(String, String, String)], section: &str, name: &str| {
        let found = all.iter().find(|(in_section, named, _)| in_section == section && named == name);
        found.map_or_else(|| "-".to_owned(), |(.., value)| value.clone())
    };
    let gone = old.iter().filter(|(section, name, _)| {
        new.iter().all(|(in_section, named, _)| in_section != section || named != name)
    });
    let names = new.iter().chain(gone).map(|(section, name, _)| (section, name));
    names
        .map(|(section, name)| {
            vec![section.clone(), name.clone(), value(&old, section, name), value(&new, section, name)]
        })
        .filter(|row| row[2] != row[3])
        .collect()
}

/// What changed from an earlier report to a later one of the same framework: a line a control whose state or number of
/// exceptions differs, `[control, title, state before, state now, exceptions before, exceptions now]`.
#[must_use]
pub fn compare(before: &ReportDocument, now: &ReportDocument) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for control in &now.controls {
        let old = before.controls.iter().find(|old| old.id == control.id);
        let same = old.is_some_and(|old| old.state == control.state && old.exceptions == control.exceptions);
        if !same {
            rows.push(vec![
                control.id.clone(),
                control.title.clone(),
                old.map_or("-", |old| old.state.as_str()).to_owned(),
                control.state.as_str().to_owned(),
                old.map_or("-".to_owned(), |old| old.exceptions.to_string()),
                control.exceptions.to_string(),
            ]);
        }
    }
    for control in before.controls.iter().filter(|old| now.controls.iter().all(|new| new.id != old.id)) {
        let gone =
            [&control.id, &control.title, control.state.as_str(), "-", &control.exceptions.to_string(), "-"];
        rows.push(gone.map(str::to_owned).to_vec());
    }
    rows
}
