//! Jobs and what they are asked.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use watchpost_model::ids::JobId;
use watchpost_model::job::JobRun;

/// Retention: preview or run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionRequest {
    /// Remove from Redis what is older than this many days, instead of the policy's days. 0 means everything that has
    /// been processed.
    pub days: Option<u32>,
}

/// Bring in a log file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ImportRequest {
    /// Path of the file; `.gz` is unpacked.
    pub path: String,
    /// `combined`, `common`, `sshd`, `jsonl` or `ecs`.
    pub format: String,
    /// Begin anew instead of where an interrupted import of the same file stopped.
    #[serde(default)]
    pub restart: bool,
}

/// Make synthetic traffic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct SimulateRequest {
    /// With the same end, the same seed makes the same events.
    pub seed: u64,
    /// Days of traffic; 1 to 90.
    pub days: u32,
    /// End of the traffic; now if absent. The same seed and the same end make the same events.
    pub until: Option<DateTime<Utc>>,
    /// Ordinary events per day, 10 to 1,000,000.
    pub events_per_day: u32,
    /// Users of the simulated application, 1 to 100,000.
    pub users: u32,
    /// File for the ground truth (JSON).
    pub truth_path: Option<String>,
}

impl Default for SimulateRequest {
    fn default() -> Self {
        Self { seed: 7, days: 7, until: None, events_per_day: 3_000, users: 120, truth_path: None }
    }
}

/// A job run by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct JobRef {
    /// Which.
    pub id: JobId,
}

/// Job runs, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct JobList {
    /// The rows, at most 100.
    pub runs: Vec<JobRun>,
}
