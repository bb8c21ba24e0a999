//! Frameworks as data: a TOML file names the controls, the question each one asks and the rule that judges the answer.
//!
//! Control ids are the framework's; titles and texts are our own words, because the originals are copyrighted.

mod written;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::Spanned;
use ts_rs::TS;
use watchpost_model::evidence::{EvidenceAsk, EvidenceParams, EvidenceQuery};
use watchpost_model::sensitive::Sensitive;

use crate::mask::mask_text;

/// The files that come with the program, newest edition of each framework.
const BUILTIN: &[&str] = &[
    include_str!("../frameworks/gdpr.toml"),
    include_str!("../frameworks/iso27001.toml"),
    include_str!("../frameworks/nist-800-53.toml"),
    include_str!("../frameworks/owasp-top10.toml"),
    include_str!("../frameworks/pci-dss.toml"),
    include_str!("../frameworks/soc2.toml"),
];

/// A framework file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct FrameworkError {
    /// Where, counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub reason: String,
}

/// A framework file of a folder that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}, {error}", file.display())]
pub struct FileError {
    /// Which file.
    pub file: PathBuf,
    /// Where and why.
    pub error: FrameworkError,
}

/// A set of controls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct Framework {
    /// Short stable name: lower case letters, digits and dashes.
    pub id: String,
    /// For people.
    pub name: String,
    /// Edition of the framework and of this file.
    pub version: String,
    /// What a report on it can and cannot show.
    pub note: String,
    /// In the order of the file.
    pub controls: Vec<Control>,
}

/// A question of a control and how its answer is judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct Check {
    /// What it looks at, in our words; may be empty where the control has one check only.
    pub what: String,
    /// The question.
    pub ask: EvidenceAsk,
    /// How the answer is judged.
    pub rule: Rule,
}

/// One control: either questions with rules, or something that only a person can attest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct Control {
    /// The framework's own id, unique in the file.
    pub id: String,
    /// In our words.
    pub title: String,
    /// What the control wants, in our words.
    pub text: String,
    /// The questions with their rules; empty for a manual control. The control is as good as the worst of them.
    pub checks: Vec<Check>,
    /// Questions whose answers must be clean for this control to pass: a control is never better than its inputs.
    pub relies_on: Vec<EvidenceQuery>,
    /// What to do when it does not pass.
    pub remedy: String,
    /// What a person has to attest; set exactly for manual controls.
    pub attest: Option<String>,
}

/// How an answer becomes a state: within `pass`, else within `warn`, else fail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What still passes; no exception, when nothing else is said.
    #[serde(default = "Limit::none")]
    pub pass: Limit,
    /// What still only warns; as `pass`, when nothing else is said.
    #[serde(default = "Limit::none")]
    pub warn: Limit,
    /// Up to this share of the population may be warnings and it still passes, in percent.
    #[serde(default, deserialize_with = "written::percent")]
    pub warnings_percent_max: u8,
    /// More warnings than this fail; any number only warns, when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub warnings_max: Option<u64>,
    /// A smaller population can warn or fail but not pass.
    #[serde(default = "one")]
    pub population_min: u64,
    /// What a population of zero means.
    #[serde(default)]
    pub empty: Empty,
    /// A population of zero says nothing for or against the control, as long as another check of it has one.
    #[serde(default)]
    pub if_any: bool,
}

impl Default for Rule {
    fn default() -> Self {
        Self {
            pass: Limit::none(),
            warn: Limit::none(),
            warnings_percent_max: 0,
            warnings_max: None,
            population_min: 1,
            empty: Empty::NoData,
            if_any: false,
        }
    }
}

const fn one() -> u64 {
    1
}

/// What may deviate. All bounds hold that are given; at least one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// At most this many exceptions.
    #[serde(default)]
    pub exceptions_max: Option<u64>,
    /// At most this share of the population, in percent from 0 to 100.
    #[serde(default, deserialize_with = "written::opt_percent")]
    pub percent_max: Option<u8>,
    /// At most this share of the population, in thousandths from 0 to 1000.
    #[serde(default, deserialize_with = "written::opt_permille")]
    pub permille_max: Option<u16>,
}

/// What a population of zero means. There is deliberately no "pass".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Empty {
    /// Nothing happened that could be judged.
    #[default]
    NoData,
    /// Something should have happened.
    Warn,
    /// Something had to happen.
    Fail,
}

impl Limit {
    /// No exception at all.
    const fn none() -> Self {
        Self { exceptions_max: Some(0), percent_max: None, permille_max: None }
    }

    /// The tighter of the two shares, in thousandths.
    fn permille(self) -> Option<u64> {
        let percent = self.percent_max.map(|percent| u64::from(percent) * 10);
        percent.into_iter().chain(self.permille_max.map(u64::from)).min()
    }

    /// Are `exceptions` of `population` still within it?
    #[must_use]
    pub fn holds(self, population: u64, exceptions: u64) -> bool {
        let count = self.exceptions_max.is_none_or(|most| exceptions <= most);
        let share = self
            .permille()
            .is_none_or(|most| u128::from(exceptions) * 1_000 <= u128::from(most) * u128::from(population));
        count && share
    }

    /// The limit in words: `at most 5 % exceptions`.
    #[must_use]
    pub fn words(self) -> String {
        let share = self.permille().map(|permille| match permille % 10 {
            0 => format!("{} %", permille / 10),
            rest => format!("{}.{rest} %", permille / 10),
        });
        match (self.exceptions_max, share) {
            (Some(0), _) => "no exception".to_owned(),
            (None, Some(share)) if share == "0 %" => "no exception".to_owned(),
            (Some(1), None) => "at most 1 exception".to_owned(),
            (Some(count), None) => format!("at most {count} exceptions"),
            (None, Some(share)) => format!("at most {share} exceptions"),
            (Some(count), Some(share)) => format!("at most {count} exceptions and {share}"),
            (None, None) => "any number of exceptions".to_owned(),
        }
    }

    fn forbids_all(self) -> bool {
        self.exceptions_max == Some(0) || self.permille() == Some(0)
    }

    /// Does everything that holds `other` hold `self`? A limit of no exception at all is within every other.
    fn wider_than(self, other: Self) -> bool {
        fn covers(outer: Option<u64>, inner: Option<u64>) -> bool {
            match (outer, inner) {
                (None, _) => true,
                (Some(outer), Some(inner)) => outer >= inner,
                (Some(_), None) => false,
            }
        }
        other.forbids_all()
            || (covers(self.exceptions_max, other.exceptions_max)
                && covers(self.permille(), other.permille()))
    }
}

impl Rule {
    /// The rule about the answers of a question in a few sentences.
    #[must_use]
    pub fn words(&self, ask: &EvidenceAsk) -> String {
        let mut words = format!("Pass with {}; ", self.pass.words());
        if self.warn != self.pass {
            let _ = write!(words, "warn with {}; ", self.warn.words()); // Cannot fail.
        }
        words.push_str("else fail.");
        if ask.query.warns() {
            words.push_str(&self.warning_words(ask));
        }
        if self.population_min > 1 {
            let _ = write!(words, " Fewer than {} cannot pass.", self.population_min); // Cannot fail.
        }
        words.push_str(match self.empty {
            Empty::NoData if self.if_any => " None at all is left out.",
            Empty::NoData => " None at all is no data.",
            Empty::Warn => " None at all warns.",
            Empty::Fail => " None at all fails.",
        });
        words
    }
}

impl Rule {
    /// What a warning is, and what becomes of it.
    fn warning_words(&self, ask: &EvidenceAsk) -> String {
        let within = match (ask.params.good_within, ask.params.warn_within) {
            (Some(good), Some(warn)) if good < warn => {
                format!(" Beyond {good} is a warning, beyond {warn} an exception.")
            }
            // No time lies between: there are no warnings.
            (Some(good), Some(_)) => return format!(" Beyond {good} is an exception."),
            (Some(good), None)
                if matches!(
                    ask.query,
                    EvidenceQuery::BreachDecided | EvidenceQuery::BreachTold | EvidenceQuery::BreachReasoned
                ) =>
            {
                format!(" Up to {good} is a warning, beyond it an exception.")
            }
            _ => String::new(),
        };
        let many = match (self.warnings_percent_max, self.warnings_max) {
            (0, None) => " Any warning warns.".to_owned(),
            (0, Some(most)) => format!(" Any warning warns, and more than {most} fail."),
            (share, None) => format!(" Warnings of up to {share} % still pass, more warn."),
            (share, Some(most)) => {
                format!(" Warnings of up to {share} % still pass, more warn, and more than {most} fail.")
            }
        };
        within + &many
    }
}

impl Framework {
    /// Reads a framework file.
    ///
    /// # Errors
    /// Not TOML, an unknown key, an unknown question, a repeated control id, a control that is neither asked nor
    /// attested (or both), a share over the whole, or a warn limit tighter than the pass limit; each with its line.
    pub fn parse(text: &str) -> Result<Self, FrameworkError> {
        let raw: RawFramework = toml::from_str(text).map_err(|error| FrameworkError {
            line: line_of(text, error.span().map_or(0, |span| span.start)),
            reason: written::for_people(error.message().trim()),
        })?;
        let at = |spanned: &Spanned<String>, reason: String| FrameworkError {
            line: line_of(text, spanned.span().start),
            reason,
        };
        let id = raw.id.get_ref();
        if id.is_empty() || !id.chars().all(|ch| ch.is_ascii_lowercase() || ch.is_ascii_digit() || ch == '-')
        {
            return Err(at(&raw.id, format!("the id {id:?} is not lower case letters, digits and dashes")));
        }
        if raw.control.is_empty() {
            return Err(at(&raw.id, "the framework has no control".to_owned()));
        }
        let mut seen = BTreeSet::new();
        let mut controls = Vec::with_capacity(raw.control.len());
        for control in raw.control {
            let mark = control.id.clone();
            if !seen.insert(mark.get_ref().clone()) {
                return Err(at(&mark, format!("the control {} is there twice", mark.get_ref())));
            }
            controls.push(control.checked().map_err(|reason| at(&mark, reason))?);
        }
        let (name, version, note) = (shown(raw.name), shown(raw.version), shown(one_line(&raw.note)));
        Ok(Self { id: raw.id.into_inner(), name, version, note, controls })
    }

    /// The frameworks that come with the program.
    #[must_use]
    pub fn builtin() -> Vec<Self> {
        BUILTIN.iter().map(|text| Self::parse(text).expect("a test parses every built-in file")).collect()
    }

    /// A built-in framework by its id.
    #[must_use]
    pub fn by_id(id: &str) -> Option<Self> {
        Self::builtin().into_iter().find(|framework| framework.id == id)
    }

    /// Reads the framework files (`*.toml`) of a folder, by name; a folder that is not there has none. What has an id of
    /// `taken` could not be asked for.
    ///
    /// # Errors
    /// Each file that cannot be used, with the reason; the others are read nevertheless.
    #[must_use]
    pub fn read_folder(folder: &Path, taken: &[&str]) -> (Vec<Self>, Vec<FileError>) {
        let (mut frameworks, mut errors) = (Vec::new(), Vec::new());
        let Ok(entries) = std::fs::read_dir(folder) else { return (frameworks, errors) };
        let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        files.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
        files.sort();
        for file in files {
            let read = read_limited(&file).and_then(|text| Self::parse(&text));
            match read {
                Ok(framework)
                    if taken.contains(&framework.id.as_str())
                        || Self::by_id(&framework.id).is_some()
                        || frameworks.iter().any(|known: &Self| known.id == framework.id) =>
                {
                    let reason =
                        format!("the id {:?} is taken by another framework or kind of report", framework.id);
                    errors.push(FileError { file, error: FrameworkError { line: 1, reason } });
                }
                Ok(framework) => frameworks.push(framework),
                Err(error) => errors.push(FileError { file, error }),
            }
        }
        (frameworks, errors)
    }

    /// The questions that must be answered before [`crate::evaluate()`] can judge every control; those that several
    /// controls ask are named once.
    #[must_use]
    pub fn asks(&self) -> BTreeSet<EvidenceAsk> {
        let checks = self.controls.iter().flat_map(|control| &control.checks).map(|check| check.ask.clone());
        let inputs = self.controls.iter().flat_map(|control| &control.relies_on).map(|query| (*query).into());
        checks.chain(inputs).collect()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFramework {
    id: Spanned<String>,
    name: String,
    version: String,
    note: String,
    #[serde(default)]
    control: Vec<RawControl>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawControl {
    id: Spanned<String>,
    title: String,
    text: String,
    #[serde(default)]
    check: Vec<RawCheck>,
    #[serde(default)]
    relies_on: Vec<EvidenceQuery>,
    #[serde(default)]
    remedy: String,
    manual: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCheck {
    #[serde(default)]
    what: String,
    query: EvidenceQuery,
    #[serde(default)]
    with: EvidenceParams,
    #[serde(default)]
    rule: Rule,
}

impl RawControl {
    fn checked(self) -> Result<Control, String> {
        let id = self.id.into_inner();
        if id.trim().is_empty() || self.title.trim().is_empty() || self.text.trim().is_empty() {
            return Err(format!("the control {id:?} needs an id, a title and a text"));
        }
        match (self.check.is_empty(), &self.manual) {
            (false, None) => {}
            (true, Some(_)) if self.relies_on.is_empty() => {}
            _ => return Err(format!("the control {id} needs a check, or manual and none")),
        }
        if self.remedy.trim().is_empty() && self.manual.is_none() {
            return Err(format!("the control {id} has no remedy"));
        }
        let mut checks = Vec::with_capacity(self.check.len());
        for check in self.check {
            let ask = EvidenceAsk { query: check.query, params: check.with };
            ask.check().map_err(|name| format!("the question {} of {id} needs {name}", ask.query))?;
            if let (EvidenceQuery::SensitiveData, Some(kind)) = (ask.query, &ask.params.field) {
                kind.parse::<Sensitive>().map_err(|error| format!("field of {id}: {error}"))?;
            }
            if let Some(query) =
                self.relies_on.iter().find(|query| EvidenceAsk::from(**query).check().is_err())
            {
                return Err(format!("{id} cannot rely on {query}: that question needs parameters"));
            }
            let mut rule = check.rule;
            if !rule.warn.wider_than(rule.pass) && rule.warn == Limit::none() {
                rule.warn = rule.pass;
            }
            check_rule(&id, &rule)?;
            if let (Some(good), Some(warn)) = (ask.params.good_within, ask.params.warn_within)
                && good > warn
            {
                return Err(format!("{id}: good_within ({good}) is longer than warn_within ({warn})"));
            }
            checks.push(Check { what: shown(one_line(&check.what)), ask, rule });
        }
        Ok(Control {
            id,
            title: shown(one_line(&self.title)),
            text: shown(one_line(&self.text)),
            checks,
            relies_on: self.relies_on,
            remedy: shown(one_line(&self.remedy)),
            attest: self.manual.as_deref().map(|text| shown(one_line(text))),
        })
    }
}

/// What people wrote into a file as every report prints it: without card numbers and secrets, so that a report can be held
/// against its framework.
fn shown(mut text: String) -> String {
    mask_text("", &mut text);
    text
}

/// A framework file is a few pages; more is a mistake.
const FILE_BYTES_MAX: u64 = 4 << 20;

fn read_limited(file: &Path) -> Result<String, FrameworkError> {
    let unreadable = |reason: String| FrameworkError { line: 1, reason };
    match std::fs::metadata(file) {
        // A pipe would be waited for, a device would have no end.
        Ok(data) if !data.is_file() => Err(unreadable("this is no file".to_owned())),
        Ok(data) if data.len() > FILE_BYTES_MAX => {
            Err(unreadable("the file is larger than 4 MiB".to_owned()))
        }
        Ok(_) => {
            std::fs::read_to_string(file).map_err(|error| unreadable(format!("cannot be read: {error}")))
        }
        Err(error) => Err(unreadable(format!("cannot be read: {error}"))),
    }
}

fn check_rule(id: &str, rule: &Rule) -> Result<(), String> {
    for (name, limit) in [("pass", rule.pass), ("warn", rule.warn)] {
        if limit.exceptions_max.is_none() && limit.percent_max.is_none() && limit.permille_max.is_none() {
            return Err(format!(
                "the {name} limit of {id} is empty: give exceptions_max, percent_max or permille_max"
            ));
        }
        if limit.percent_max.is_some_and(|percent| percent > 100)
            || limit.permille_max.is_some_and(|permille| permille > 1_000)
        {
            return Err(format!("the {name} limit of {id} is over 100 percent"));
        }
    }
    if rule.warnings_percent_max > 100 {
        return Err(format!("warnings_percent_max of {id} is over 100 percent"));
    }
    if !rule.warn.wider_than(rule.pass) {
        return Err(format!("the warn limit of {id} is tighter than its pass limit"));
    }
    if rule.population_min == 0 {
        return Err(format!("population_min of {id} is 0: an empty population never passes"));
    }
    Ok(())
}

/// Files wrap their texts; a report wraps them again.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}
