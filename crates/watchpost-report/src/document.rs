//! The report as data. What the window previews, what is hashed, and what every format is drawn from.
//!
//! The fields of everything in it are declared in the order of their names: the JSON of a struct is then canonical as it
//! is written, and neither sorting nor a copy of the whole is needed. A test holds this for every type that takes part.

use std::io::{BufWriter, Write};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use ts_rs::TS;
use watchpost_model::event::Severity;
use watchpost_model::evidence::{EvidenceQuery, Sample};
use watchpost_model::ids::ReportId;
use watchpost_model::overview::Histogram;
use watchpost_model::period::Period;
use watchpost_model::register::Proof;
use watchpost_model::report::{Approval, ControlComment, ReportStatus};
use watchpost_model::words;

use crate::ReportError;
use crate::csv::safe_cell;
use crate::digest::Digesting;
use crate::evaluate::trail_doubted;
use crate::mask::{mask_section, mask_text, shown_scope};
use crate::verify::{FORMAT, IN_DOUBT};

/// How a control came out. Ordered by how much attention it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Looked at, and within the rule.
    Pass,
    /// Only a person can attest it.
    Manual,
    /// Nothing, or too little, to judge. Never a pass.
    NoData,
    /// Outside of what passes but within what is tolerated, or its inputs are incomplete.
    Warn,
    /// Outside the rule.
    Fail,
}

words!(State { Pass = "pass", Manual = "manual", NoData = "no_data", Warn = "warn", Fail = "fail" });

impl State {
    /// The order in which people read them.
    pub const READING_ORDER: [Self; 5] = [Self::Fail, Self::Warn, Self::NoData, Self::Manual, Self::Pass];

    /// For people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Pass => "Pass",
            Self::Manual => "Manual",
            Self::NoData => "No data",
            Self::Warn => "Warn",
            Self::Fail => "Fail",
        }
    }

    /// What it means, in one sentence.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Pass => "The evidence was looked at and lies within the rule of the control.",
            Self::Manual => "Data cannot show it; a person attests it and signs.",
            Self::NoData => {
                "Nothing, or too little, happened in the period to judge the control. Never a pass."
            }
            Self::Warn => "Within what is tolerated, or the evidence itself is not shown to be complete.",
            Self::Fail => "The exceptions go beyond what the rule tolerates.",
        }
    }
}

/// The head of the audit log when the report was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct LogHead {
    /// Which log.
    pub id: String,
    /// Root of its tree, SHA-256, hexadecimal.
    pub root: String,
    /// Number of records in its tree.
    pub size: u64,
}

/// How far a report is. No part of its content: approving it changes no hash.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Draft, final or superseded.
    pub status: ReportStatus,
    /// The approval of a final one.
    pub approval: Option<Approval>,
    /// What stands in the place of a superseded one.
    pub successor: Option<ReportId>,
}

impl Standing {
    /// Name and words, line by line, for the head of every format; `prepared_by` made the report.
    pub(crate) fn facts(&self, prepared_by: &str) -> Vec<(&'static str, String)> {
        let status = match self.status {
            ReportStatus::Draft => "draft: not approved when this file was made".to_owned(),
            ReportStatus::Final => "final".to_owned(),
            ReportStatus::Superseded => {
                let by =
                    self.successor.map_or_else(|| "another report".to_owned(), |id| format!("report {id}"));
                format!("superseded: {by} stands in its place")
            }
        };
        let mut facts = vec![("status", status), ("prepared by", prepared_by.to_owned())];
        if let Some(approval) = &self.approval {
            let at = approval.at.to_rfc3339_opts(SecondsFormat::Secs, true);
            // The note is kept as it was given; what is signed does not hold it.
            let mut note = approval.note.clone();
            mask_text("", &mut note);
            facts.push(("approved by", format!("{} at {at}: {note}", approval.by)));
            let signed = approval.signed_note.as_deref().and_then(|note| note.lines().last());
            let none = "none: the console had no key that is kept";
            facts.push(("signature", signed.map_or_else(|| none.to_owned(), str::to_owned)));
        }
        facts
    }
}

impl Standing {
    /// The same in one line, for a cover.
    pub(crate) fn line(&self) -> String {
        let facts = self.facts("");
        let said = facts.iter().filter(|(name, _)| matches!(*name, "status" | "approved by" | "signature"));
        let words: Vec<String> = said
            .map(|(name, value)| if *name == "status" { value.clone() } else { format!("{name} {value}") })
            .collect();
        words.join("; ")
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
const fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// What the report covers, and how it came to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Scope {
    /// Reports of the same kind, subject and period that were made before: each drew its own samples.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[ts(as = "Option<u32>", optional)]
    pub earlier: u32,
    /// When it was made.
    pub generated_at: DateTime<Utc>,
    /// By whom.
    pub generated_by: String,
    /// By which program and version.
    pub generator: String,
    /// The audit log at that moment.
    pub log: LogHead,
    /// Whose report it is.
    pub organisation: String,
    /// The half-open period, UTC.
    pub period: Period,
    /// Where the evidence comes from: event store, database, hosts.
    pub sources: Vec<String>,
    /// The workspace or connection that was looked at.
    pub workspace: String,
}

/// Which framework, in which edition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FrameworkRef {
    /// Short stable name.
    pub id: String,
    /// For people.
    pub name: String,
    /// What the report can and cannot show.
    pub note: String,
    /// Edition.
    pub version: String,
}

/// How many controls came out how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Summary {
    /// Failed.
    pub fail: u32,
    /// Left to a person.
    pub manual: u32,
    /// Not judged for want of data.
    pub no_data: u32,
    /// Passed.
    pub pass: u32,
    /// Warned.
    pub warn: u32,
}

impl Summary {
    /// The count of one state.
    #[must_use]
    pub const fn of(self, state: State) -> u32 {
        match state {
            State::Pass => self.pass,
            State::Manual => self.manual,
            State::NoData => self.no_data,
            State::Warn => self.warn,
            State::Fail => self.fail,
        }
    }

    /// The state that needs the most attention; `NoData` if there is no control at all.
    #[must_use]
    pub fn worst(self) -> State {
        State::ALL.iter().copied().filter(|state| self.of(*state) > 0).max().unwrap_or(State::NoData)
    }

    /// All counts in one line: `1 fail, 3 warn, 0 no data, 4 manual, 11 pass`.
    #[must_use]
    pub fn line(self) -> String {
        State::READING_ORDER
            .map(|state| format!("{} {}", self.of(state), state.title().to_lowercase()))
            .join(", ")
    }

    pub(crate) const fn count(&mut self, state: State) {
        match state {
            State::Pass => self.pass += 1,
            State::Manual => self.manual += 1,
            State::NoData => self.no_data += 1,
            State::Warn => self.warn += 1,
            State::Fail => self.fail += 1,
        }
    }
}

/// A name and a value, both for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl Parameter {
    /// A parameter.
    #[must_use]
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

/// One question of a control with its answer and what the rule made of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CheckResult {
    /// What exactly was counted.
    pub basis: String,
    /// Column names of `rows`.
    pub columns: Vec<String>,
    /// How many of them are exceptions.
    pub exceptions: u64,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// How many things were looked at.
    pub population: u64,
    /// The question asked.
    pub query: EvidenceQuery,
    /// Why, in one or two sentences.
    pub reason: String,
    /// The evidence, each row as long as `columns`. Cells are as stored: attacker-written text included.
    pub rows: Vec<Vec<String>>,
    /// The rule in words.
    pub rule: String,
    /// Members drawn by chance that anybody can draw again.
    pub sample: Sample,
    /// How it came out; `None` if nothing of the kind happened and that is no lack of evidence.
    pub state: Option<State>,
    /// The question as the database was asked it.
    pub text: String,
    /// How many of them are within what is tolerated only.
    pub warnings: u64,
    /// What it looks at, in our words.
    pub what: String,
}

/// One control with its state and everything that led to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ControlResult {
    /// What a person has to attest; set exactly for manual controls.
    pub attest: Option<String>,
    /// The questions; empty for a manual control.
    pub checks: Vec<CheckResult>,
    /// What people say about its exceptions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<ControlComment>>", optional)]
    pub comments: Vec<ControlComment>,
    /// How many of them are exceptions.
    pub exceptions: u64,
    /// The framework's own id.
    pub id: String,
    /// How many things were looked at, over all checks.
    pub population: u64,
    /// What people gave for it and still counts at the end of the period.
    pub proofs: Vec<Proof>,
    /// Why, in one or two sentences.
    pub reason: String,
    /// What to do; empty when it passed or is manual.
    pub remedy: String,
    /// How it came out.
    pub state: State,
    /// What the control wants.
    pub text: String,
    /// In our words.
    pub title: String,
    /// How many of them are within what is tolerated only.
    pub warnings: u64,
}

impl CheckResult {
    /// The cell by which a row is known: its id where it has one, else its first.
    fn key<'r>(&self, row: &'r [String]) -> Option<&'r String> {
        row.get(self.columns.iter().position(|name| name == "id").unwrap_or(0))
    }
}

impl ControlResult {
    /// The row of evidence that is meant by `cells`, each as stored or as the CSV shows it: the whole row, or the one cell by
    /// which it is known. With it the key that tells it from the other rows of its question, where one does.
    #[must_use]
    pub fn row_meant(&self, cells: &[String]) -> Option<(Vec<String>, Option<String>)> {
        let same = |cell: &String, said: &String| cell == said || safe_cell(cell) == said.as_str();
        let whole = |row: &Vec<String>| {
            row.len() == cells.len() && row.iter().zip(cells).all(|(cell, said)| same(cell, said))
        };
        let rows = || self.checks.iter().flat_map(|check| check.rows.iter().map(move |row| (check, row)));
        if let Some((check, row)) = rows().find(|(_, row)| whole(row)) {
            let key = check.key(row);
            let alone = check.rows.iter().filter(|other| check.key(other) == key).count() == 1;
            return Some((row.clone(), key.filter(|_| alone).cloned()));
        }
        let [said] = cells else { return None };
        let (check, row) = rows().find(|(check, row)| check.key(row).is_some_and(|cell| same(cell, said)))?;
        Some((row.clone(), check.key(row).cloned()))
    }

    /// The comment with its row as it is now; `None` if there is no such row.
    fn with_row_now(&self, comment: &ControlComment) -> Option<ControlComment> {
        let mut rows = self.checks.iter().flat_map(|check| check.rows.iter().map(move |row| (check, row)));
        let row = match &comment.key {
            _ if comment.row.is_empty() => return Some(comment.clone()),
            None => rows.find(|(_, row)| **row == comment.row)?.1,
            Some(key) => rows.find(|(check, row)| check.key(row) == Some(key))?.1,
        };
        Some(ControlComment { row: row.clone(), ..comment.clone() })
    }
}

/// A control for which nothing shows how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Gap {
    /// The control.
    pub control: String,
    /// What is lacking.
    pub lacks: String,
    /// What to do about it.
    pub remedy: String,
}

/// What kind of report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ReportKind {
    /// A framework with its controls.
    Framework,
    /// What happened in a period.
    Summary,
    /// One incident, complete.
    Incident,
    /// One page for those who decide.
    Executive,
    /// How fast and how well incidents were handled.
    Kpi,
    /// The health of Redis and the jobs that kept it.
    Redis,
    /// The draft of a notification to the authority and to people.
    Breach,
    /// Who may do what, and who did.
    AccessReview,
    /// Everything that is kept about one person or address.
    SubjectAccess,
}

words!(ReportKind {
    Framework = "framework",
    Summary = "summary",
    Incident = "incident",
    Executive = "executive",
    Kpi = "kpi",
    Redis = "redis",
    Breach = "breach",
    AccessReview = "access_review",
    SubjectAccess = "subject_access",
});

/// A part of a report that is no control: figures, sentences, a table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(rename = "ReportSection")]
pub struct Section {
    /// What the table holds, in a few words; empty without a table.
    pub caption: String,
    /// Column names of `rows`.
    pub columns: Vec<String>,
    /// Figures, each ready to print.
    pub figures: Vec<Parameter>,
    /// The table. Cells are as stored.
    pub rows: Vec<Vec<String>>,
    /// Sentences.
    pub text: Vec<String>,
    /// Its heading.
    pub title: String,
}

/// A bar of the incidents chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(rename = "ReportSeverityCount")]
pub struct SeverityCount {
    /// Incidents with evidence in the period.
    pub incidents: u64,
    /// The severity.
    pub severity: Severity,
}

/// Active incidents by how long they have been open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(rename = "ReportAgeCount")]
pub struct AgeCount {
    /// `under 1 day`.
    pub age: String,
    /// Incidents.
    pub incidents: u64,
}

/// The numbers behind the charts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ChartData {
    /// Authentication events by outcome.
    pub authentication: Histogram,
    /// Events by category.
    pub by_category: Histogram,
    /// Events by day of the week (Monday first) and hour of the day (UTC): 7 rows of 24.
    pub by_hour: Vec<Vec<u64>>,
    /// Incidents active at the end of the period, by age.
    pub incidents_by_age: Vec<AgeCount>,
    /// Incidents with evidence in the period, by severity.
    pub incidents_by_severity: Vec<SeverityCount>,
}

/// A report: everything that any format of it shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ReportDocument {
    /// The numbers behind the charts; `None` where none is drawn.
    pub charts: Option<ChartData>,
    /// The controls, in the order of the framework.
    pub controls: Vec<ControlResult>,
    /// Version of this shape.
    pub format: u32,
    /// Which framework; for other kinds their own name.
    pub framework: FrameworkRef,
    /// Controls that nothing shows.
    pub gaps: Vec<Gap>,
    /// What kind of report.
    pub kind: ReportKind,
    /// What it was asked, by name.
    pub parameters: Vec<Parameter>,
    /// What it covers.
    pub scope: Scope,
    /// Parts that are no controls.
    pub sections: Vec<Section>,
    /// How far it is; not a part of the content.
    #[serde(skip)]
    #[ts(skip)]
    pub standing: Standing,
    /// How many controls came out how.
    pub summary: Summary,
    /// Its heading: `SOC 2 evidence report`.
    pub title: String,
}

impl ReportDocument {
    /// The same report over an audit trail that the console holds something against: nothing passes on the word of that
    /// trail, and the report says what is held against it.
    #[must_use]
    pub fn in_doubt(mut self, problem: &str) -> Self {
        let words = trail_doubted(problem);
        self.summary = Summary::default();
        for control in &mut self.controls {
            if control.state == State::Pass {
                control.state = State::Warn;
                control.reason.push_str(&words);
            }
            self.summary.count(control.state);
        }
        self.parameters.push(Parameter::new(IN_DOUBT, problem));
        self
    }

    /// The state of the control that a gap is about.
    #[must_use]
    pub fn state_of(&self, gap: &Gap) -> State {
        let control = self.controls.iter().find(|control| control.id == gap.control);
        control.map_or(State::NoData, |control| control.state)
    }

    /// A report that has no controls. Card numbers and secrets in its parts are masked, but in what a person gets about
    /// themselves.
    #[must_use]
    pub fn of_sections(
        kind: ReportKind,
        title: impl Into<String>,
        note: impl Into<String>,
        scope: Scope,
        mut parameters: Vec<Parameter>,
        mut sections: Vec<Section>,
        charts: Option<ChartData>,
    ) -> Self {
        let mut title = title.into();
        // A person gets what is kept about them as it is kept: masked, it would not be that.
        if kind != ReportKind::SubjectAccess {
            sections.iter_mut().for_each(mask_section);
            parameters.iter_mut().for_each(|parameter| mask_text("", &mut parameter.value));
            mask_text("", &mut title);
        }
        Self {
            format: FORMAT,
            kind,
            framework: FrameworkRef {
                id: kind.as_str().replace('_', "-"),
                name: title.clone(),
                version: String::new(),
                note: note.into(),
            },
            title,
            scope: shown_scope(scope),
            parameters,
            summary: Summary::default(),
            controls: Vec::new(),
            gaps: Vec::new(),
            sections,
            standing: Standing::default(),
            charts,
        }
    }

    /// The same report with what people said about its controls. A comment about a row is left out where the row is not
    /// among the evidence any more; where the row is known by its key, it is told as it is now.
    #[must_use]
    pub fn with_comments(mut self, comments: &[ControlComment]) -> Self {
        for control in &mut self.controls {
            let of_control = comments.iter().filter(|comment| comment.control == control.id);
            control.comments = of_control.filter_map(|comment| control.with_row_now(comment)).collect();
            control.comments.iter_mut().for_each(|comment| mask_text("", &mut comment.text));
        }
        self
    }

    /// The canonical JSON: UTF-8, no white space, object keys sorted by code point, integers only.
    ///
    /// # Errors
    /// `Json` if a value has no JSON form; none of today's fields can cause it.
    pub fn canonical_json(&self) -> Result<String, ReportError> {
        Ok(serde_json::to_string(self)?)
    }

    /// SHA-256 of the canonical JSON, hexadecimal; printed in every other format. Hashed while it is made, held nowhere.
    ///
    /// # Errors
    /// As [`Self::canonical_json`].
    pub fn sha256(&self) -> Result<String, ReportError> {
        let mut out = BufWriter::with_capacity(1 << 16, Digesting(Sha256::new()));
        serde_json::to_writer(&mut out, self)?;
        let hashing = out.into_inner().map_err(|error| ReportError::Place(error.into_error()))?;
        Ok(hex::encode(hashing.0.finalize()))
    }
}

/// The report as a JSON file: the canonical JSON itself, so that `sha256sum` of the file is the printed hash.
///
/// # Errors
/// As [`ReportDocument::canonical_json`].
pub fn render_json(document: &ReportDocument) -> Result<String, ReportError> {
    document.canonical_json()
}

/// As [`render_json`], piece by piece into `out`.
///
/// # Errors
/// `Place` if `out` cannot take it, else as [`render_json`].
pub fn write_json(document: &ReportDocument, out: impl Write) -> Result<(), ReportError> {
    let mut out = BufWriter::with_capacity(1 << 16, out);
    serde_json::to_writer(&mut out, document)?;
    out.flush().map_err(ReportError::Place)
}
