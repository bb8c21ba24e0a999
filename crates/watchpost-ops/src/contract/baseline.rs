//! Baselines: what is usual for users and endpoints.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use watchpost_model::baseline::{Baseline, Drift};
use watchpost_model::period::Period;

/// Learn a baseline from the archived events of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct BaselineRequest {
    /// Event time.
    pub period: Period,
}

/// Compare a baseline with that of a period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct BaselineCompare {
    /// How it was.
    pub before: Baseline,
    /// How it is: learned from the archived events of this period.
    pub period: Period,
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct BaselineDrift {
    /// First and last event of the earlier baseline.
    pub before: (DateTime<Utc>, DateTime<Utc>),
    /// First and last event of the later one.
    pub after: (DateTime<Utc>, DateTime<Utc>),
    /// Events of the earlier and of the later one.
    pub events: (u64, u64),
    /// Users first, then endpoints, by name.
    pub drifts: Vec<Drift>,
}
