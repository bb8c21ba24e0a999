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
    /// How it changed; `None` where there was nothing to compare with.
    pub change: Option<KpiChange>,
    /// Its unit.
    pub unit: crate::health::Unit,
    /// Its course over the period, oldest first, one value a bucket.
    pub series: Vec<f64>,
}

/// In which measure a change is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ChangeUnit {
    /// Percent, with one digit behind the point.
    Percent,
    /// So many times as much: from tenfold on that says more than a percentage.
    Times,
}

words!(ChangeUnit { Percent = "percent", Times = "times" });

/// How a number changed, rounded once for the window and for reports.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
pub struct KpiChange {
    /// How much.
    pub by: f64,
    /// Of what.
    pub unit: ChangeUnit,
}

impl KpiChange {
    /// From `previous` to `value`; `None` unless there was something before.
    #[must_use]
    pub fn between(value: Option<f64>, previous: Option<f64>) -> Option<Self> {
        let (value, previous) = (value?, previous.filter(|previous| *previous > 0.0)?);
        let (times, percent) = (value / previous, (value - previous) / previous * 100.0);
        Some(if times >= 10.0 {
            Self { by: rounded(times, 0), unit: ChangeUnit::Times }
        } else {
            Self { by: rounded(percent, 1), unit: ChangeUnit::Percent }
        })
    }
}

/// As it is printed with so many digits: what lies in the middle goes to the even one.
fn rounded(number: f64, digits: usize) -> f64 {
    let printed = format!("{number:.digits$}").parse().unwrap_or(number);
    // No minus before nothing.
    if printed == 0.0 { 0.0 } else { printed }
}

impl std::fmt::Display for KpiChange {
    /// `+12.0 %`, `20 times`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.unit {
            ChangeUnit::Percent => write!(f, "{:+.1} %", self.by),
            ChangeUnit::Times => write!(f, "{:.0} times", self.by),
        }
    }
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
    /// All its counts together; absent in the charts of reports, whose content is hashed as it always was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub total: Option<u64>,
}

impl Series {
    /// A series without its total.
    #[must_use]
    pub fn new(name: impl Into<String>, counts: Vec<u64>) -> Self {
        Self { name: name.into(), total: None, counts }
    }

    /// The same with its total.
    #[must_use]
    pub fn summed(self) -> Self {
        Self { total: Some(self.counts.iter().sum()), ..self }
    }
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

/// Events by the country that their sources are in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CountryCount {
    /// Two letters in upper case, or what the location file says instead; `None` where no place is known.
    pub country: Option<String>,
    /// Events.
    pub events: u64,
    /// Events that failed.
    pub failures: u64,
    /// Different sources.
    pub sources: u64,
}

/// How the interfaces of applications were used: events of the category `api_usage`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ApiUsage {
    /// Calls in the period; alerts on Redis, which have their category, are none.
    pub calls: u64,
    /// How they changed since the period before; `None` where there was nothing to compare with.
    pub change: Option<KpiChange>,
    /// Calls that failed.
    pub failures: u64,
    /// Share of the calls that failed, from 0 to 1 with three digits behind the point; `None` without calls.
    pub failure_ratio: Option<f64>,
    /// Calls by outcome.
    pub over_time: Histogram,
    /// Endpoints with the most calls, at most 10; their events and failures are calls.
    pub endpoints: Vec<TopEntity>,
}

impl ApiUsage {
    /// Share of `calls` that failed, rounded once for all who print it.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of events stay far below 2^53")]
    pub fn ratio(failures: u64, calls: u64) -> Option<f64> {
        (calls > 0).then(|| rounded(failures as f64 / calls as f64, 3))
    }
}

/// The Overview of a period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Overview {
    /// Of which period.
    pub period: Period,
    /// When what is active was counted: at the end of the period, or now where that has not come yet.
    pub counted_at: DateTime<Utc>,
    /// The state in one word.
    pub threat: ThreatLevel,
    /// Why that word.
    pub threat_reason: String,
    /// The severity of the active incidents that make the level; none without any.
    pub threat_severity: Option<Severity>,
    /// How many of that severity are active.
    pub threat_incidents: u64,
    /// Number of the oldest of them.
    pub threat_oldest: Option<i64>,
    /// The tiles.
    pub kpis: Vec<Kpi>,
    /// Authentication by outcome.
    pub authentication: Histogram,
    /// Use of interfaces.
    pub api: ApiUsage,
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
    /// Events with a source by its country, most events first, at most 300.
    pub by_country: Vec<CountryCount>,
    /// Is there a location file that says where sources are?
    pub has_location_data: bool,
}

#[cfg(test)]
mod tests {
    use super::{ApiUsage, KpiChange};

    #[test]
    fn a_change_is_rounded_as_it_is_printed() {
        for (value, previous, expected) in [
            (112.0, 100.0, "+12.0 %"),
            (50.0, 100.0, "-50.0 %"),
            (100.0, 100.0, "+0.0 %"),
            (0.9999, 1.0, "+0.0 %"),
            (1.0, 3.0, "-66.7 %"),
            (999.0, 100.0, "+899.0 %"),
            (1_000.0, 100.0, "10 times"),
            (2_050.0, 100.0, "20 times"),
        ] {
            let change = KpiChange::between(Some(value), Some(previous)).expect("there was something before");
            assert_eq!(change.to_string(), expected, "{previous} to {value}");
        }
        assert_eq!(KpiChange::between(Some(3.0), Some(0.0)), None);
        assert_eq!(KpiChange::between(None, Some(1.0)), None);
    }

    #[test]
    fn the_share_of_failed_calls_has_three_digits() {
        for (failures, calls, expected) in [
            (0, 0, None),
            (0, 7, Some(0.0)),
            (7, 7, Some(1.0)),
            (1, 3, Some(0.333)),
            (2, 3, Some(0.667)),
            (1, 1_000_000, Some(0.0)),
        ] {
            assert_eq!(ApiUsage::ratio(failures, calls), expected, "{failures} of {calls}");
        }
    }
}
