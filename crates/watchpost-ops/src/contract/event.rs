//! Looking: the overview, events, health, the audit trail.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use watchpost_model::audit::{AuditFilter, AuditRecord, Checkpoint};
use watchpost_model::event::{Category, Entity, Event, Outcome, Quarantined, Severity};
use watchpost_model::health::{HealthSample, RedisHealth};
use watchpost_model::period::Period;
use watchpost_model::query::QueryFault;

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
    /// About this entity; a range stands for its addresses.
    pub entity: Option<Entity>,
    /// Words in type, actor, address, resource or request, case-insensitive.
    pub text: Option<String>,
    /// What must hold besides, in the query language (docs/search.md).
    pub query: Option<String>,
    /// Of times without an offset in the query: an IANA name such as Europe/Berlin; absent means UTC.
    #[ts(optional)]
    pub zone: Option<String>,
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

/// A search of events in figures.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct EventFiguresRequest {
    /// In this period; absent means from the first to the last stored event.
    pub period: Option<Period>,
    /// What must hold, in the query language.
    pub query: Option<String>,
    /// Of times without an offset in the query: an IANA name such as Europe/Berlin; absent means UTC.
    #[ts(optional)]
    pub zone: Option<String>,
    /// Bars of the histogram, 1 to 120.
    pub buckets: u32,
    /// Fields of which to count the values; empty means those that a search is narrowed by.
    #[ts(as = "Option<Vec<String>>", optional)]
    pub facets: Vec<String>,
}

/// A query as it is being typed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct EventQueryRequest {
    /// The text.
    pub query: String,
    /// Of times without an offset in the query: an IANA name such as Europe/Berlin; absent means UTC.
    #[serde(default)]
    #[ts(optional)]
    pub zone: Option<String>,
}

/// A field of the query language.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct EventField {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub about: String,
    /// All values there are, where they are few.
    pub values: Vec<String>,
    /// Takes `>`, `<` and ranges.
    pub ordered: bool,
}

/// How a query is understood.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct EventQueryReply {
    /// The query as it is understood; empty if it is not.
    pub canonical: String,
    /// Why it is none.
    pub fault: Option<QueryFault>,
    /// The fields that can be asked for; `header.NAME` and `details.NAME` come on top.
    pub fields: Vec<EventField>,
}

/// How an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum EventFormat {
    /// The chosen columns as a table.
    Csv,
    /// Whole events, one JSON object a line: what an import takes.
    Jsonl,
}

/// Which events to write to a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct EventExport {
    /// In this period; absent means any time.
    pub period: Option<Period>,
    /// What must hold, in the query language.
    pub query: Option<String>,
    /// Of times without an offset in the query, and of the times in the file, each with its offset: an IANA name; absent
    /// means UTC.
    #[serde(default)]
    #[ts(optional)]
    pub zone: Option<String>,
    /// How.
    pub format: EventFormat,
    /// Fields of the query language, for CSV.
    pub columns: Vec<String>,
    /// Where to; a file there is replaced.
    pub path: String,
}

/// A file of events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct EventExported {
    /// Where it is.
    pub path: String,
    /// Events in it, newest first.
    pub rows: u64,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of it, hexadecimal.
    pub sha256: String,
    /// Is every event that was found in it? An export ends after a million.
    pub complete: bool,
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
    /// While Redis is down, what this console measured last, in full; absent if it has not since it was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub last: Option<RedisHealth>,
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
    /// Leaves that no checkpoint covers yet.
    pub uncovered: i64,
    /// The newest signed checkpoint.
    pub checkpoint: Option<Checkpoint>,
}

/// Keys that could not be read as events, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct QuarantineList {
    /// The rows, at most 200.
    pub rows: Vec<Quarantined>,
}
