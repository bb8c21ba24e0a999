//! A file of rules taken apart into its YAML documents, each with its place in the file.

use serde::de::DeserializeOwned;

use super::format::Probe;
use super::near::nearest;
use super::reason::of_yaml;
use super::{Problem, ProblemKind, RuleFile};

/// One YAML document.
pub(super) struct Part<'a> {
    pub(super) file: &'a str,
    /// Line of its first line with anything in it, from 1.
    pub(super) line: u64,
    /// The document behind as many empty lines as there are lines before it, so that every parser counts right.
    pub(super) text: String,
    pub(super) kind: Kind,
    /// The id that it gives itself.
    pub(super) id: Option<String>,
}

/// What a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Has `watchpost.match` or `watchpost.counts`.
    Native,
    /// Only says of another rule whether it is on.
    Switch(bool),
    /// Plain Sigma: detection, correlation or filter. `false`: loaded but off.
    Sigma(bool),
}

/// The documents of `file` that can be read at all; the others become problems.
pub(super) fn parts<'a>(file: &'a RuleFile, problems: &mut Vec<Problem>) -> Vec<Part<'a>> {
    let mut all = Vec::new();
    let mut start = 0_usize;
    // Editors of some systems begin a file with a byte order mark.
    let lines: Vec<&str> = file.text.trim_start_matches('\u{feff}').lines().collect();
    // `action: global` and its kin make documents depend on each other: such a file is one part.
    let is_collection = lines.iter().any(|line| line.starts_with("action:"));
    while start <= lines.len() {
        let end = if is_collection {
            lines.len()
        } else {
            (start..lines.len()).find(|&at| is_separator(lines[at])).unwrap_or(lines.len())
        };
        let body = &lines[start..end];
        if let Some(first) = body.iter().position(|line| has_content(line)) {
            let text = format!("{}{}\n", "\n".repeat(start), body.join("\n"));
            let part = Part {
                file: &file.name,
                line: (start + first + 1) as u64,
                text,
                kind: Kind::Sigma(true),
                id: None,
            };
            let probed = if is_collection { Ok(part) } else { probe(part) };
            match probed.and_then(|part| spelled(&part, problems).map(|()| part)) {
                Ok(part) => all.push(part),
                Err(problem) => problems.push(problem),
            }
        }
        start = end + 1;
    }
    all
}

/// The keys of a document, what Sigma knows and what Watchpost adds.
const KEYS: &[&str] = &[
    "watchpost",
    "title",
    "id",
    "name",
    "status",
    "description",
    "references",
    "author",
    "license",
    "date",
    "modified",
    "related",
    "fields",
    "logsource",
    "level",
    "tags",
    "falsepositives",
    "taxonomy",
    "scope",
    "action",
    "generate",
    "enabled",
    "detection",
    "correlation",
    "filter",
    "custom_attributes",
];

/// Keys that were misspelt and ids that are no text: Sigma lets a document have keys of its own, and takes neither.
fn spelled(part: &Part<'_>, problems: &mut Vec<Problem>) -> Result<(), Problem> {
    let mut lines = part.text.lines().zip(1_u64..);
    lines.try_for_each(|(line, at)| {
        // What belongs to a key is indented.
        let Some((key, value)) = line.split_once(':') else { return Ok(()) };
        if !key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')) {
            return Ok(());
        }
        if key == "id" && is_no_text(value) {
            let reason = format!("the id `{}` is no text: put it in quotes", short(value.trim()));
            return Err(part.problem(ProblemKind::Form, at, reason));
        }
        if KEYS.contains(&key) {
            return Ok(());
        }
        let Some(near) = nearest(key, KEYS.iter().copied()) else { return Ok(()) };
        let reason = format!("`{}` is no key of a rule; is `{near}` meant?", short(key));
        let told = part.problem(ProblemKind::Form, at, reason);
        if near == "watchpost" {
            return Err(told);
        }
        // What has a shape of its own says of each key that it does not know.
        if matches!(part.kind, Kind::Sigma(_)) {
            problems.push(Problem { is_warning: true, ..told });
        }
        Ok(())
    })
}

/// A number or a truth value, which the parser of Sigma does not take for an id.
fn is_no_text(value: &str) -> bool {
    let value = value.split(" #").next().unwrap_or("").trim();
    let digits = value.trim_start_matches(['+', '-']);
    let is_hex = digits
        .strip_prefix("0x")
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let is_number =
        digits.starts_with(|ch: char| ch.is_ascii_digit() || ch == '.') && digits.parse::<f64>().is_ok();
    is_hex || is_number || matches!(value.to_ascii_lowercase().as_str(), "true" | "false")
}

fn short(text: &str) -> String {
    text.chars().take(60).collect()
}

fn is_separator(line: &str) -> bool {
    line.strip_prefix("---").is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
}

fn has_content(line: &str) -> bool {
    let line = line.trim_start();
    !line.is_empty() && !line.starts_with('#') && line != "..."
}

fn probe(mut part: Part<'_>) -> Result<Part<'_>, Problem> {
    let probe: Probe = part.read()?;
    let extension = probe.watchpost.as_ref();
    let is_native =
        extension.is_some_and(|extension| extension.r#match.is_some() || extension.counts.is_some());
    let has_body = probe.detection.is_some()
        || probe.correlation.is_some()
        || probe.filter.is_some()
        || probe.watchpost.is_some()
        || probe.title.is_some()
        || probe.action.is_some();
    part.kind = match probe.enabled {
        _ if is_native => Kind::Native,
        Some(enabled) if !has_body => Kind::Switch(enabled),
        enabled => Kind::Sigma(enabled.unwrap_or(true)),
    };
    part.id = probe.id.map(|id| id.value);
    Ok(part)
}

impl Part<'_> {
    /// The document as a `T`.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let options = serde_saphyr::options! { with_snippet: false };
        serde_saphyr::from_str_with_options(&self.text, options).map_err(|error| {
            let line = error.location().map_or(self.line, |at| at.line());
            let (kind, reason) = of_yaml(&error.to_string());
            self.problem(kind, line, reason)
        })
    }

    /// An error at `line`; 0 stands for the document's first line.
    pub(super) fn problem(&self, kind: ProblemKind, line: u64, reason: impl Into<String>) -> Problem {
        Problem {
            file: self.file.to_owned(),
            line: if line == 0 { self.line } else { line },
            rule_id: self.id.clone(),
            kind,
            reason: reason.into(),
            is_warning: false,
        }
    }

    /// The first line that holds `word`, or else the first line of the document.
    pub(super) fn line_of(&self, word: &str) -> u64 {
        self.find(|line| !word.is_empty() && line.contains(word)).unwrap_or(self.line)
    }

    /// The first line from `start` on of which `fits` holds.
    pub(super) fn find_from(&self, start: u64, mut fits: impl FnMut(&str) -> bool) -> Option<u64> {
        let mut at = 0;
        self.find(|line| {
            at += 1;
            at >= start && fits(line)
        })
    }

    /// The first line of which `fits` holds.
    pub(super) fn find(&self, fits: impl FnMut(&str) -> bool) -> Option<u64> {
        self.text.lines().position(fits).map(|at| at as u64 + 1)
    }
}
