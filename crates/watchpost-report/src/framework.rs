//! Frameworks as data: a TOML file names the controls, the question each one asks and the rule that judges the answer.
//!
//! Control ids are the framework's; titles and texts are our own words, because the originals are copyrighted.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde::{Deserialize, Serialize};
use toml::Spanned;
use ts_rs::TS;
use watchpost_model::evidence::EvidenceQuery;

/// The files that come with the program, newest edition of each framework.
const BUILTIN: &[&str] =
    &[include_str!("../frameworks/soc2.toml"), include_str!("../frameworks/pci-dss.toml")];

/// A framework file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct FrameworkError {
    /// Where, counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub reason: String,
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

/// One control: either a question with a rule, or something that only a person can attest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct Control {
    /// The framework's own id, unique in the file.
    pub id: String,
    /// In our words.
    pub title: String,
    /// What the control wants, in our words.
    pub text: String,
    /// The question to the store; `None` for a manual control.
    pub query: Option<EvidenceQuery>,
    /// How the answer is judged; `None` exactly when `query` is.
    pub rule: Option<Rule>,
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
    /// What still passes.
    pub pass: Limit,
    /// What still only warns.
    pub warn: Limit,
    /// A smaller population can warn or fail but not pass.
    #[serde(default = "one")]
    pub population_min: u64,
    /// What a population of zero means.
    #[serde(default)]
    pub empty: Empty,
}

const fn one() -> u64 {
    1
}

/// What may deviate. Both bounds hold when both are given; at least one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// At most this many exceptions.
    #[serde(default)]
    pub exceptions_max: Option<u64>,
    /// At most this share of the population, in percent from 0 to 100.
    #[serde(default)]
    pub percent_max: Option<u8>,
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
    /// Are `exceptions` of `population` still within it?
    #[must_use]
    pub fn holds(self, population: u64, exceptions: u64) -> bool {
        let count = self.exceptions_max.is_none_or(|most| exceptions <= most);
        let share = self
            .percent_max
            .is_none_or(|most| u128::from(exceptions) * 100 <= u128::from(most) * u128::from(population));
        count && share
    }

    /// The limit in words: `at most 5 % exceptions`.
    #[must_use]
    pub fn words(self) -> String {
        match (self.exceptions_max, self.percent_max) {
            (Some(0), _) | (_, Some(0)) => "no exception".to_owned(),
            (Some(1), None) => "at most 1 exception".to_owned(),
            (Some(count), None) => format!("at most {count} exceptions"),
            (None, Some(percent)) => format!("at most {percent} % exceptions"),
            (Some(count), Some(percent)) => format!("at most {count} exceptions and {percent} %"),
            (None, None) => "any number of exceptions".to_owned(),
        }
    }

    /// Does everything that holds `other` hold `self`? A limit of no exception at all is within every other.
    fn wider_than(self, other: Self) -> bool {
        fn covers<N: PartialOrd>(outer: Option<N>, inner: Option<N>) -> bool {
            match (outer, inner) {
                (None, _) => true,
                (Some(outer), Some(inner)) => outer >= inner,
                (Some(_), None) => false,
            }
        }
        other.exceptions_max == Some(0)
            || other.percent_max == Some(0)
            || (covers(self.exceptions_max, other.exceptions_max)
                && covers(self.percent_max, other.percent_max))
    }
}

impl Rule {
    /// The rule in one sentence.
    #[must_use]
    pub fn words(&self) -> String {
        let mut words = format!("Pass with {}; ", self.pass.words());
        if self.warn != self.pass {
            let _ = write!(words, "warn with {}; ", self.warn.words()); // Cannot fail.
        }
        words.push_str("else fail.");
        if self.population_min > 1 {
            let _ = write!(words, " Fewer than {} cannot pass.", self.population_min); // Cannot fail.
        }
        words.push_str(match self.empty {
            Empty::NoData => " None at all is no data.",
            Empty::Warn => " None at all warns.",
            Empty::Fail => " None at all fails.",
        });
        words
    }
}

impl Framework {
    /// Reads a framework file.
    ///
    /// # Errors
    /// Not TOML, an unknown key, an unknown question, a repeated control id, a control that is neither asked nor
    /// attested (or both), or a warn limit tighter than the pass limit; each with its line.
    pub fn parse(text: &str) -> Result<Self, FrameworkError> {
        let raw: RawFramework = toml::from_str(text).map_err(|error| FrameworkError {
            line: line_of(text, error.span().map_or(0, |span| span.start)),
            reason: error.message().trim().to_owned(),
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
        Ok(Self {
            id: raw.id.into_inner(),
            name: raw.name,
            version: raw.version,
            note: one_line(&raw.note),
            controls,
        })
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

    /// The questions that must be answered before [`crate::evaluate()`] can judge every control.
    #[must_use]
    pub fn queries(&self) -> BTreeSet<EvidenceQuery> {
        self.controls
            .iter()
            .flat_map(|control| control.query.into_iter().chain(control.relies_on.iter().copied()))
            .collect()
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
    query: Option<EvidenceQuery>,
    rule: Option<Rule>,
    #[serde(default)]
    relies_on: Vec<EvidenceQuery>,
    #[serde(default)]
    remedy: String,
    manual: Option<String>,
}

impl RawControl {
    fn checked(self) -> Result<Control, String> {
        let id = self.id.into_inner();
        if id.trim().is_empty() || self.title.trim().is_empty() || self.text.trim().is_empty() {
            return Err(format!("the control {id:?} needs an id, a title and a text"));
        }
        match (&self.query, &self.rule, &self.manual) {
            (Some(_), Some(rule), None) => check_rule(&id, rule)?,
            (None, None, Some(_)) if self.relies_on.is_empty() => {}
            _ => return Err(format!("the control {id} needs a query and a rule, or manual and neither")),
        }
        if self.query.is_some() && self.remedy.trim().is_empty() {
            return Err(format!("the control {id} has no remedy"));
        }
        Ok(Control {
            id,
            title: one_line(&self.title),
            text: one_line(&self.text),
            query: self.query,
            rule: self.rule,
            relies_on: self.relies_on,
            remedy: one_line(&self.remedy),
            attest: self.manual.as_deref().map(one_line),
        })
    }
}

fn check_rule(id: &str, rule: &Rule) -> Result<(), String> {
    for (name, limit) in [("pass", rule.pass), ("warn", rule.warn)] {
        if limit.exceptions_max.is_none() && limit.percent_max.is_none() {
            return Err(format!("the {name} limit of {id} is empty: give exceptions_max or percent_max"));
        }
        if limit.percent_max.is_some_and(|percent| percent > 100) {
            return Err(format!("the {name} limit of {id} is over 100 percent"));
        }
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
