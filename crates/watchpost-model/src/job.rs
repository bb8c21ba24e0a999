//! Maintenance jobs: what they are asked, how far they are, what they did.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::JobId;
use crate::words;

/// The jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// Archive and remove events that are past their days in Redis.
    Retention,
    /// Compress large payloads, give missing TTLs, trim indexes.
    Optimize,
    /// Bring in a log file.
    Import,
    /// Make synthetic traffic.
    Simulate,
    /// Write what is in Redis to a file that people and programs read.
    Export,
    /// Write the keys as they are to a file that a restore takes.
    Backup,
    /// Rehearse a backup, and put its keys back.
    Restore,
    /// Measure how fast the server answers.
    Benchmark,
    /// Remove what is past its days, what is left over in indexes, and old entries of the quarantine.
    Cleanup,
    /// Bring the counts of the archive up to date.
    Aggregate,
    /// Copy the audit database, check the copy, and remove copies that are no longer kept.
    DatabaseBackup,
    /// Rehearse a copy of the audit database: open it in a scratch place, check all of it, and touch nothing else.
    DatabaseRehearsal,
}

impl JobKind {
    /// Does it work on the audit database, and not on Redis?
    #[must_use]
    pub const fn is_of_database(self) -> bool {
        matches!(self, Self::DatabaseBackup | Self::DatabaseRehearsal)
    }
}

words!(JobKind {
    Retention = "retention",
    Optimize = "optimize",
    Import = "import",
    Simulate = "simulate",
    Export = "export",
    Backup = "backup",
    Restore = "restore",
    Benchmark = "benchmark",
    Cleanup = "cleanup",
    Aggregate = "aggregate",
    DatabaseBackup = "database_backup",
    DatabaseRehearsal = "database_rehearsal",
});

/// How a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// At work.
    Running,
    /// Finished.
    Done,
    /// Stopped by a person; what it had done stays done.
    Cancelled,
    /// Stopped by an error.
    Failed,
}

words!(JobState { Running = "running", Done = "done", Cancelled = "cancelled", Failed = "failed" });

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct JobProgress {
    /// Units done.
    pub done: u64,
    /// Units in all, if known.
    pub total: Option<u64>,
    /// What a unit is: `keys`, `bytes`, `events`.
    pub unit: String,
    /// What it is doing, for people.
    pub step: String,
}

/// One figure of a job's result or preview.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Figure {
    /// Stable name: `removed`, `archived`, `memory_before_bytes`.
    pub name: String,
    /// For people.
    pub title: String,
    /// The value.
    pub value: f64,
    /// Its unit.
    pub unit: crate::health::Unit,
}

impl Figure {
    /// A figure.
    #[must_use]
    pub fn new(name: &str, title: &str, value: f64, unit: crate::health::Unit) -> Self {
        Self { name: name.to_owned(), title: title.to_owned(), value, unit }
    }

    /// A number of things.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of keys stay far below 2^53")]
    pub fn count(name: &str, title: &str, value: u64) -> Self {
        Self::new(name, title, value as f64, crate::health::Unit::Count)
    }

    /// A size.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "sizes stay far below 2^53")]
    pub fn bytes(name: &str, title: &str, value: u64) -> Self {
        Self::new(name, title, value as f64, crate::health::Unit::Bytes)
    }
}

/// One thing that a job found out or made and that is no number: a file, its digest, a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Fact {
    /// Stable name: `file`, `sha256`.
    pub name: String,
    /// For people.
    pub title: String,
    /// What it is.
    pub text: String,
}

impl Fact {
    /// A fact.
    #[must_use]
    pub fn new(name: &str, title: &str, text: impl Into<String>) -> Self {
        Self { name: name.to_owned(), title: title.to_owned(), text: text.into() }
    }
}

/// What a run did, or what it would do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct JobReport {
    /// The figures, in the order to show them.
    pub figures: Vec<Figure>,
    /// What is no number, in the order to show it. They stand in the audit trail too.
    #[serde(default)]
    pub facts: Vec<Fact>,
    /// Sentences for people: reasons, skipped things, warnings.
    pub notes: Vec<String>,
}

/// Where the walk of a run is: everything before it is done. Kept until a run comes to its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobPosition {
    /// The run.
    pub job: JobId,
    /// Which job.
    pub kind: JobKind,
    /// With what parameters; another run goes on here only with the same.
    pub parameters: String,
    /// Which server, logical database and prefix.
    pub node: String,
    /// Which process of that server; in another one the cursor is worth nothing.
    pub run_id: String,
    /// Cursor of the `SCAN`, as text: it has 64 bits.
    pub cursor: String,
    /// What this run and those that it continues have done so far, as the figures of their report.
    pub done: Vec<Figure>,
    /// How far the run was, for its record if its process dies; absent in positions that older versions kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<JobProgress>,
}

/// One run, as it stands in the history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct JobRun {
    /// Identity.
    pub id: JobId,
    /// Which job.
    pub kind: JobKind,
    /// How it stands.
    pub state: JobState,
    /// With what parameters, for people: `days 7`, `access.log`.
    pub parameters: String,
    /// Who started it.
    pub started_by: String,
    /// When.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// How far it is or was.
    pub progress: JobProgress,
    /// What it did.
    pub report: Option<JobReport>,
    /// Why it failed.
    pub error: Option<String>,
}
