//! What the Overview shows. All numbers are computed by the store; the window only draws them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::event::{Category, Entity, Severity};
use crate::incident::Incident;
use crate::period::Period;
use crate::words;

/// The state of things in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ThreatLevel {
    /// No active incident above low.
    Calm,
    /// A medium incident is active.
    Guarded,
    /// A high incident is active.
    Elevated,
    /// A critical incident is active.
    Severe,
}

words!(ThreatLevel { Calm = "calm", Guarded = "guarded", Elevated = "elevated", Severe = "severe" });

/// A number, the one of the period before, and its course.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Kpi {
    /// Stable name: `events`, `auth_failures`, `incidents_opened`, `incidents_active`, `blocks_active`, `mtta_s`.
    pub name: String,
    /// For people.
    pub title: String,
    /// Of this period; `None` where there is nothing to measure.
    pub value: Option<f64>,
    /// Of the period before.
    pub previous: Option<f64>,
    /// Its unit.
    pub unit: crate::health::Unit,
    /// Its course over the period, oldest first, one value a bucket.
    pub series: Vec<f64>,
}

/// Equal buckets over a period and the counts in them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Histogram {
    /// Width of a bucket in seconds.
    pub bucket_s: u64,
    /// One series each, all of the same length.
    pub series: Vec<Series>,
    /// Start of the first bucket.
    pub start: DateTime<Utc>,
}

/// A named row of counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Series {
    /// One count a bucket.
    pub counts: Vec<u64>,
    /// Its name: a category, a severity, an outcome.
    pub name: String,
}

/// A value of a field and how often it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FacetCount {
    /// The value, as the query language takes it.
    pub value: String,
    /// How often.
    pub n: u64,
}

/// The most frequent values of a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct EventFacet {
    /// The field, as the query language names it.
    pub field: String,
    /// At most ten, the most frequent first.
    pub values: Vec<FacetCount>,
}

/// What a search found, in figures. An event that says that it happened n times counts n times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct EventFigures {
    /// Of which period: the one that was asked for, or from the first to the last stored event.
    pub period: Period,
    /// How many in the period.
    pub total: u64,
    /// When, by severity.
    pub histogram: Histogram,
    /// The most frequent values of some fields.
    pub facets: Vec<EventFacet>,
    /// How many of the newest rows the facets count.
    pub facet_rows: u64,
    /// Do the facets count every row that was found?
    pub facets_complete: bool,
}

/// An entity with its numbers in the period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct TopEntity {
    /// The entity.
    pub entity: Entity,
    /// Events.
    pub events: u64,
    /// Events that failed.
    pub failures: u64,
    /// Active incidents about it.
    pub incidents: u64,
    /// Is it blocked now?
    pub blocked: bool,
}

/// A count by category and severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CategoryCount {
    /// The category.
    pub category: Category,
    /// The severity.
    pub severity: Severity,
    /// Events.
    pub events: u64,
}

/// The Overview of a period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Overview {
    /// Of which period.
    pub period: Period,
    /// The state in one word.
    pub threat: ThreatLevel,
    /// Why that word.
    pub threat_reason: String,
    /// The tiles.
    pub kpis: Vec<Kpi>,
    /// Authentication by outcome.
    pub authentication: Histogram,
    /// Events by category.
    pub by_category: Histogram,
    /// Events by severity.
    pub by_severity: Histogram,
    /// The table behind both.
    pub counts: Vec<CategoryCount>,
    /// Incidents with evidence in the period, oldest first, at most 200.
    pub incidents: Vec<Incident>,
    /// Sources with the most events, at most 10.
    pub top_sources: Vec<TopEntity>,
    /// Targets with the most events, at most 10.
    pub top_targets: Vec<TopEntity>,
}
