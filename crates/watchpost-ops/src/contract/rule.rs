//! Rules: what can fire, where it comes from, and what a change of it would do.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use watchpost_detect as detect;
use watchpost_model::event::Severity;
use watchpost_model::finding::{AttackFamily, Finding, MatchedField};
use watchpost_model::period::Period;
use watchpost_model::words;

/// How a rule works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RuleKind {
    /// Looks at the decoded values of one event.
    Signature,
    /// Counts events over a window.
    Behaviour,
    /// A Sigma detection.
    Sigma,
    /// A Sigma correlation.
    Correlation,
    /// A Sigma filter: takes away from other rules.
    Filter,
}

words!(RuleKind {
    Signature = "signature",
    Behaviour = "behaviour",
    Sigma = "sigma",
    Correlation = "correlation",
    Filter = "filter",
});

/// One rule in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct RuleRow {
    /// Identity.
    pub id: String,
    /// Raised whenever what fires changes.
    pub version: u32,
    /// What it looks for.
    pub title: String,
    /// How it works.
    pub kind: RuleKind,
    /// The family of its findings.
    pub family: AttackFamily,
    /// The severity of its findings.
    pub severity: Severity,
    /// How sure, 0 to 100.
    pub confidence: u8,
    /// Does it run?
    pub enabled: bool,
    /// The file it comes from: below the rules directory, or among those that ship.
    pub file: String,
    /// The line in that file, from 1.
    pub line: u64,
    /// It ships with the program.
    pub embedded: bool,
    /// It stands in the rules directory in place of one that ships.
    pub overrides: bool,
    /// How many a behaviour takes.
    pub threshold: Option<u32>,
    /// In how many seconds.
    pub window_s: Option<u32>,
    /// An administrator switched it or changed its threshold or window.
    pub adjusted: bool,
    /// Does it run, by its file?
    pub file_enabled: bool,
    /// How many a behaviour takes, by its file.
    pub file_threshold: Option<u32>,
    /// In how many seconds, by its file.
    pub file_window_s: Option<u32>,
}

/// What sort of thing is wrong with a document of the rules directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RuleProblemKind {
    /// The file cannot be read, or is no text.
    File,
    /// The text is no YAML.
    Yaml,
    /// The document is no rule, or a part of one is missing or unknown.
    Form,
    /// The condition cannot be read, or names what is not there.
    Condition,
    /// A field, a modifier or a value of a selection.
    Selection,
    /// A regular expression.
    Expression,
    /// An aggregation in the condition, which Sigma has taken out.
    Aggregation,
    /// It refers to rules that are not there.
    Reference,
    /// Another document has its id.
    Taken,
    /// It is for logs that Watchpost does not read by itself.
    OtherLogs,
    /// Its condition can never hold.
    NeverFires,
    /// Fewer samples than prove it.
    Samples,
}

words!(RuleProblemKind {
    File = "file",
    Yaml = "yaml",
    Form = "form",
    Condition = "condition",
    Selection = "selection",
    Expression = "expression",
    Aggregation = "aggregation",
    Reference = "reference",
    Taken = "taken",
    OtherLogs = "other_logs",
    NeverFires = "never_fires",
    Samples = "samples",
});

impl From<detect::ProblemKind> for RuleProblemKind {
    fn from(kind: detect::ProblemKind) -> Self {
        use detect::ProblemKind as Kind;
        match kind {
            Kind::File => Self::File,
            Kind::Yaml => Self::Yaml,
            Kind::Form => Self::Form,
            Kind::Condition => Self::Condition,
            Kind::Selection => Self::Selection,
            Kind::Expression => Self::Expression,
            Kind::Aggregation => Self::Aggregation,
            Kind::Reference => Self::Reference,
            Kind::Taken => Self::Taken,
            Kind::OtherLogs => Self::OtherLogs,
            Kind::NeverFires => Self::NeverFires,
            Kind::Samples => Self::Samples,
        }
    }
}

impl RuleProblemKind {
    /// In a few words, for a table of how many there are of each.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::File => "the file cannot be read as text",
            Self::Yaml => "no YAML",
            Self::Form => "no rule, or a part of one is missing or unknown",
            Self::Condition => "the condition cannot be read or names what is not there",
            Self::Selection => "a field, a modifier or a value of a selection",
            Self::Expression => "a regular expression",
            Self::Aggregation => "an aggregation in the condition: write a correlation",
            Self::Reference => "refers to rules that are not there",
            Self::Taken => "its id is taken",
            Self::OtherLogs => "for other logs: fires only on events whose details have its fields",
            Self::NeverFires => "its condition can never hold",
            Self::Samples => "fewer than three samples",
        }
    }
}

/// What is wrong with a document of the rules directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RuleProblem {
    /// The file, below the rules directory.
    pub file: String,
    /// The line, from 1; 0 for the file as a whole.
    pub line: u64,
    /// The rule, where the document says which.
    pub rule_id: Option<String>,
    /// What sort of thing it is.
    pub kind: RuleProblemKind,
    /// One sentence.
    pub reason: String,
    /// The rule runs all the same.
    pub is_warning: bool,
}

/// Every rule of the workspace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct RuleList {
    /// The rules directory.
    pub directory: String,
    /// When they were loaded.
    pub loaded_at: DateTime<Utc>,
    /// In a fixed order: as shipped, then by file.
    pub rules: Vec<RuleRow>,
    /// What could not be used, then what is worth knowing; of thousands the first 200.
    pub problems: Vec<RuleProblem>,
    /// How many there are.
    pub problems_total: u64,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct RuleRef {
    /// Its id.
    pub id: String,
}

/// One rule with all that it says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct RuleDetail {
    /// As in the list.
    pub row: RuleRow,
    /// More about it; may be empty.
    pub description: String,
    /// ATT&CK techniques.
    pub attack: Vec<String>,
    /// OWASP Top 10 category.
    pub owasp: Option<String>,
    /// Compliance controls.
    pub controls: Vec<String>,
    /// What else looks like it.
    pub falsepositives: Vec<String>,
    /// Its document as it stands in the file; empty where the file is gone.
    pub text: String,
    /// Samples that must fire.
    #[ts(type = "unknown[]")]
    pub fires: Vec<serde_json::Value>,
    /// Samples that must not.
    #[ts(type = "unknown[]")]
    pub near_misses: Vec<serde_json::Value>,
}

/// Which rules to test.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct RuleTest {
    /// Only this one; absent means all that run.
    pub id: Option<String>,
}

/// A sample that a rule does not keep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct RuleTestFailure {
    /// The rule.
    pub rule_id: String,
    /// The sample.
    #[ts(type = "unknown")]
    pub sample: serde_json::Value,
    /// It should have fired.
    pub should_fire: bool,
    /// What it fired on, if it should not have.
    pub summary: Option<String>,
}

/// What testing the samples came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct RuleTestReport {
    /// Rules tested.
    pub rules: u64,
    /// Samples run.
    pub samples: u64,
    /// Rules without any sample.
    pub untested: u64,
    /// Those that did not hold.
    pub failures: Vec<RuleTestFailure>,
    /// Those that hold with every rule on and as its file has it, but not as rules are switched and adjusted now.
    pub by_setting: Vec<RuleTestFailure>,
    /// What could not even be loaded.
    pub problems: Vec<RuleProblem>,
}

/// What to replay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct RuleBacktest {
    /// Events of this period of event time; absent means all that are archived.
    #[serde(default)]
    pub period: Option<Period>,
    /// Rules of this directory instead of the present ones.
    #[serde(default)]
    pub directory: Option<String>,
    /// One rule otherwise than it is set: what a change would do before it is made.
    #[serde(default)]
    pub change: Option<RuleTrial>,
    /// A word by which to ask how far it is, and to stop it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub ticket: Option<String>,
}

/// A change of one rule to try. What is absent is as the file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct RuleTrial {
    /// The rule.
    pub id: String,
    /// On or off.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// How many a behaviour takes.
    #[serde(default)]
    pub threshold: Option<u32>,
    /// In how many seconds.
    #[serde(default)]
    pub window_s: Option<u32>,
}

/// Something to look at with the rules as they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct RuleTry {
    /// A request as it goes over the wire, its first line or target alone, an event in JSON, or a bare value; at most
    /// 1 MiB.
    pub text: String,
}

/// What the text of a trial was taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum TriedAs {
    /// An HTTP request.
    Request,
    /// An event in JSON.
    Event,
    /// A bare value: the value of a query parameter.
    Value,
}

words!(TriedAs { Request = "request", Event = "event", Value = "value" });

/// What the rules say of a text. Nothing that counts over several events: that takes a replay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct RuleTried {
    /// What the text was taken for.
    pub tried_as: TriedAs,
    /// Every value that was looked at, in every decoded form.
    pub fields: Vec<MatchedField>,
    /// One a rule that fires.
    pub findings: Vec<Finding>,
}

/// What a backtest compares with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum BacktestAgainst {
    /// The findings that stand in the database.
    Recorded,
    /// A replay with the present rules.
    Present,
}

words!(BacktestAgainst { Recorded = "recorded", Present = "present" });

/// One rule before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct BacktestRow {
    /// The rule.
    pub rule_id: String,
    /// Findings with what is compared with.
    pub findings_before: u64,
    /// Findings with the rules under test.
    pub findings_after: u64,
    /// Incidents (entity and family) it is part of, before.
    pub incidents_before: u64,
    /// And after.
    pub incidents_after: u64,
}

/// What other rules would have said of a period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct BacktestReport {
    /// Events replayed.
    pub events: u64,
    /// It was stopped: these are the first events of the period.
    pub truncated: bool,
    /// What `before` means.
    pub against: BacktestAgainst,
    /// Findings before.
    pub findings_before: u64,
    /// Findings after.
    pub findings_after: u64,
    /// Incidents before.
    pub incidents_before: u64,
    /// Incidents after.
    pub incidents_after: u64,
    /// Findings after that suppressions hide; they are in none of the other figures.
    pub findings_hidden: u64,
    /// By rule; those without any finding are left out.
    pub rules: Vec<BacktestRow>,
    /// What could not be loaded.
    pub problems: Vec<RuleProblem>,
}

/// Where Sigma rules are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct RuleImportSigma {
    /// A file, or a directory that is looked through.
    pub path: String,
}

/// What became of a file as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RuleImportOutcome {
    /// Copied; its rules look at what Watchpost reads.
    Imported,
    /// Copied, and its log source is another one: its rules fire only on events whose details have their fields.
    NotApplicable,
    /// Not copied: it brings no rule that can be used.
    NotSupported,
}

words!(RuleImportOutcome {
    Imported = "imported",
    NotApplicable = "not_applicable",
    NotSupported = "not_supported",
});

impl RuleImportOutcome {
    /// What became of a file that brings `rules`, of which `problems` are told.
    #[must_use]
    pub fn of(rules: u64, problems: &[RuleProblem]) -> Self {
        let of_other_logs: BTreeSet<Option<&str>> = problems
            .iter()
            .filter(|told| told.kind == RuleProblemKind::OtherLogs)
            .map(|told| told.rule_id.as_deref())
            .collect();
        match rules {
            0 => Self::NotSupported,
            rules if of_other_logs.len() as u64 >= rules => Self::NotApplicable,
            _ => Self::Imported,
        }
    }
}

/// What became of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RuleImportFile {
    /// Its path below the one that was named.
    pub file: String,
    /// What became of it; `problems` say why.
    pub outcome: RuleImportOutcome,
    /// Rules that it brings; with none it was not copied.
    pub rules: u64,
    /// What could not be used and why.
    pub problems: Vec<RuleProblem>,
}

/// What an import brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RuleImportReport {
    /// The folder that the files were copied to.
    pub directory: String,
    /// Rules that are there now.
    pub rules: u64,
    /// Files copied.
    pub copied: u64,
    /// File by file.
    pub files: Vec<RuleImportFile>,
}

/// A change of one rule without editing a file. What is absent goes back to what the file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct RuleChange {
    /// The rule.
    pub id: String,
    /// On or off.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// How many a behaviour takes.
    #[serde(default)]
    pub threshold: Option<u32>,
    /// In how many seconds.
    #[serde(default)]
    pub window_s: Option<u32>,
    /// Why; stands in the audit trail.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Where the rules of the team are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct RuleDirectorySet {
    /// A directory of this machine; absent means `rules` in the data folder.
    pub directory: Option<String>,
}
