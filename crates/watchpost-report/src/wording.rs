//! What the formats for people say in the same words.

use chrono::{DateTime, Utc};
use watchpost_model::evidence::EvidenceQuery;

use crate::document::{CheckResult, Scope, Summary};

/// The reason of a check, or of a control, to which nothing in the period belongs.
pub(crate) const NOTHING: &str = "There was nothing to judge in the period.";
/// The reason of a check that warns, because nothing of what it looks at is there.
pub(crate) const LACKING_WARNS: &str = "None was found in the period, and there should be some.";
/// The same of one that fails.
pub(crate) const LACKING_FAILS: &str = "None was found in the period, and there has to be at least one.";
/// How reports of earlier builds say it.
const EARLIER: [(&str, &str); 3] = [
    ("Nothing of the kind happened in the period.", NOTHING),
    ("Nothing of the kind happened, though it should have.", LACKING_WARNS),
    ("Nothing of the kind happened, though it had to.", LACKING_FAILS),
];

/// Do two reasons say the same? Reports of earlier builds stay good: they had other words, and wrote 3068 for 3,068.
pub(crate) fn is_same_reason(one: &str, other: &str) -> bool {
    of_now(one) == of_now(other)
}

/// A reason in the words of now, and without the commas within its numbers.
pub(crate) fn of_now(reason: &str) -> String {
    let reason = EARLIER.iter().fold(reason.to_owned(), |text, (old, new)| text.replace(old, new));
    let mut told = String::with_capacity(reason.len());
    let mut chars = reason.chars().peekable();
    while let Some(ch) = chars.next() {
        let is_in_number = ch == ','
            && told.ends_with(|before: char| before.is_ascii_digit())
            && chars.peek().is_some_and(char::is_ascii_digit);
        if !is_in_number {
            told.push(ch);
        }
    }
    told
}

/// A number with its thousands apart: `12,345`.
pub(crate) fn thousands(number: impl std::fmt::Display) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, ch) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(ch);
    }
    out
}

/// A number of things: `1 record`, `12,345 records`.
pub(crate) fn counted(n: impl std::fmt::Display, one: &str) -> String {
    let n = n.to_string();
    let plural = if n == "1" { "" } else { "s" };
    format!("{} {one}{plural}", thousands(n))
}

/// An instant for people, to the second.
pub(crate) fn instant(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// A figure that is an instant, as its day and its time of day; others as they are.
pub(crate) fn day_and_time(value: &str) -> (String, Option<String>) {
    match DateTime::parse_from_rfc3339(value) {
        Ok(at) => {
            let at = at.to_utc();
            (at.format("%Y-%m-%d").to_string(), Some(at.format("%H:%M:%S UTC").to_string()))
        }
        Err(_) => (value.to_owned(), None),
    }
}

/// That the period had not ended when the report was made, and up to when it reaches; nothing if it had.
pub(crate) fn unfinished(scope: &Scope) -> Option<String> {
    (scope.period.to > scope.generated_at)
        .then(|| format!("up to {}, period not over", instant(scope.generated_at)))
}

/// How the controls came out, in a sentence.
pub(crate) fn outcome(summary: Summary, n_controls: usize) -> String {
    let judged = summary.pass + summary.warn + summary.fail;
    format!(
        "Of {n_controls} controls, {judged} could be judged by data: {} passed, {} warned and {} failed. {} had too \
         little data and {} are for a person to attest.",
        summary.pass, summary.warn, summary.fail, summary.no_data, summary.manual,
    )
}

/// Rows of a check in what people read; the JSON and the CSV have all that the report holds.
const ROWS_READ_MAX: usize = 500;

/// The rows of a check that a format for people shows.
pub(crate) fn rows_read(check: &CheckResult) -> &[Vec<String>] {
    check.rows.get(..ROWS_READ_MAX).unwrap_or(&check.rows)
}

/// What the rows of a check are, and how many of all there are.
pub(crate) fn rows_shown(check: &CheckResult) -> String {
    let shown = shown(check, rows_read(check));
    match check.rows.len() > ROWS_READ_MAX {
        true => format!("{shown}; the JSON and the CSV have {}", thousands(check.rows.len())),
        false => shown,
    }
}

fn shown(check: &CheckResult, rows: &[Vec<String>]) -> String {
    let n = thousands(rows.len());
    let found = check.exceptions + check.warnings;
    let what = match (check.exceptions, check.warnings) {
        (0, 0) => {
            let all = thousands(check.population);
            return match by_user(check, rows) {
                Some(_) => format!("No exceptions; the users seen last: {n} shown, of {all} looked at"),
                None => {
                    format!("No exceptions; the newest of what was looked at: {n} of {all} shown")
                }
            };
        }
        (_, 0) => "Exceptions",
        (0, _) => "Warnings",
        (_, _) => "Exceptions first, then warnings",
    };
    match by_user(check, rows) {
        // A row stands for all failures of a user.
        Some(failures) if failures == found => {
            format!("{what} by user: {n} users, all {} failures", thousands(found))
        }
        Some(failures) => format!(
            "{what} by user: {n} users with {} of {} failures shown",
            thousands(failures),
            thousands(found)
        ),
        None if rows.len() as u64 == found => format!("{what}: all {n} shown"),
        None => format!("{what}: {n} of {} shown", thousands(found)),
    }
}

/// The failures of the rows, where a row stands for a user and not for one of what was counted.
fn by_user(check: &CheckResult, rows: &[Vec<String>]) -> Option<u64> {
    if check.query != EvidenceQuery::AuthenticationEvents || check.columns.first()? != "user" {
        return None;
    }
    let column = check.columns.iter().position(|name| name == "failures")?;
    rows.iter().map(|row| row.get(column)?.parse::<u64>().ok()).sum()
}

/// What the drawn sample is, and how much of all.
pub(crate) fn sample_shown(check: &CheckResult) -> String {
    format!("The drawn sample: {} of {}", thousands(check.sample.rows.len()), thousands(check.population))
}

/// The drawn sample as a table: the place of each member, then its cells.
pub(crate) fn sample_table(check: &CheckResult) -> (Vec<String>, Vec<Vec<String>>) {
    let sample = &check.sample;
    let columns = std::iter::once("place".to_owned()).chain(sample.columns.clone()).collect();
    let rows = sample
        .positions
        .iter()
        .zip(&sample.rows)
        .map(|(place, row)| std::iter::once(place.to_string()).chain(row.clone()).collect())
        .collect();
    (columns, rows)
}
