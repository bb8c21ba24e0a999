//! Maintenance that runs by itself.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use watchpost_model::job::{JobKind, JobRun};
use watchpost_model::period::Period;
use watchpost_model::plan::Plan;

/// Change when maintenance runs by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct JobPlanPut {
    /// The plan.
    pub plan: Plan,
    /// Why; it stands in the audit trail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reason: Option<String>,
}

/// When maintenance runs by itself, and how it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct JobPlanState {
    /// The plan.
    pub plan: Plan,
    /// The off-peak hours that it is now, if it is.
    pub open: Option<Period>,
    /// Its jobs, in the same order.
    pub jobs: Vec<PlannedState>,
}

/// How one job of the plan stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct PlannedState {
    /// Which.
    pub kind: JobKind,
    /// The next hours in which it is to run; absent while it is off.
    pub next: Option<Period>,
    /// Since when it is to have run and has not: in its hours nothing ran the engine, or it failed. It runs in the next
    /// off-peak hours, whatever its rhythm.
    pub missed_since: Option<DateTime<Utc>>,
    /// Its newest run by the plan.
    pub last: Option<JobRun>,
    /// Why it was not started the last time it was tried; absent once it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub not_started: Option<NotStarted>,
    /// It is due, and this job runs, in whichever console: it is started soon after that has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub waits_for: Option<JobKind>,
}

/// A job of the plan that could not be started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct NotStarted {
    /// When that was.
    pub at: DateTime<Utc>,
    /// Why, in words.
    pub why: String,
    /// When it is tried again; absent if nobody knows when it is off-peak again.
    pub again: Option<DateTime<Utc>>,
}
