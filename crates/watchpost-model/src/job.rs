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
}

words!(JobKind {
    Retention = "retention",
    Optimize = "optimize",
    Import = "import",
    Simulate = "simulate",
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
}

/// What a run did, or what it would do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct JobReport {
    /// The figures, in the order to show them.
    pub figures: Vec<Figure>,
    /// Sentences for people: reasons, skipped things, warnings.
    pub notes: Vec<String>,
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
