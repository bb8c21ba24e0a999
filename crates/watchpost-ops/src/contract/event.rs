//! Looking: the overview, events, health, the audit trail.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use watchpost_model::audit::{AuditFilter, AuditRecord, Checkpoint};
use watchpost_model::event::{Category, Entity, Event, Outcome, Quarantined, Severity};
use watchpost_model::health::HealthSample;
use watchpost_model::period::Period;

/// A period to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct OverviewRequest {
    /// Which period; absent means all the data there is.
    pub period: Option<Period>,
    /// Number of buckets in the charts, 1 to 200.
    pub buckets: u32,
}

/// Which events.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct EventPageRequest {
    /// In this period; absent means any time.
    pub period: Option<Period>,
    /// One of these categories; empty means any.
    pub category: Vec<Category>,
    /// One of these severities; empty means any.
    pub severity: Vec<Severity>,
    /// Ended like this.
    pub outcome: Option<Outcome>,
    /// About this entity.
    pub entity: Option<Entity>,
    /// Words in type, actor, address, resource or request, case-insensitive.
    pub text: Option<String>,
    /// Cursor of the page before.
    pub after: Option<String>,
    /// Rows, 1 to 500.
    pub limit: u32,
}

/// One page of events, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct EventPage {
    /// The rows.
    pub rows: Vec<Event>,
    /// Cursor of the next page, if there is one.
    pub next: Option<String>,
}

/// Samples of a period, thinned to at most `points`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct HealthHistoryRequest {
    /// Which period.
    pub period: Period,
    /// 1 to 1,000.
    pub points: u32,
}

/// Stored samples, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct HealthHistory {
    /// The samples.
    pub samples: Vec<HealthSample>,
}

/// One page of the trail.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct AuditPageRequest {
    /// Which.
    pub filter: AuditFilter,
    /// Older than this number.
    pub before: Option<i64>,
    /// Rows, 1 to 500.
    pub limit: u32,
}

/// One page of the trail, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct AuditPage {
    /// The rows.
    pub rows: Vec<AuditRecord>,
    /// `before` of the next page, if there is one.
    pub next: Option<i64>,
    /// Leaves in the log.
    pub size: i64,
    /// The newest signed checkpoint.
    pub checkpoint: Option<Checkpoint>,
}

/// Keys that could not be read as events, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct QuarantineList {
    /// The rows, at most 200.
    pub rows: Vec<Quarantined>,
}
