//! Redis health: metrics with thresholds and a verdict (DESIGN section 6, research on what each must be computed from).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::health_forecast::{HealthForecast, MemoryLimit};
use crate::words;

/// What a metric's value means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "HealthVerdict")]
pub enum Verdict {
    /// Within limits.
    Ok,
    /// Over the warning threshold.
    Warning,
    /// Over the critical threshold.
    Critical,
    /// Not known: the server does not say, or one sample is not enough. Never shown as zero.
    Unknown,
}

words!(Verdict { Ok = "ok", Warning = "warning", Critical = "critical", Unknown = "unknown" });

/// How a metric's value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// 0 to 1.
    Ratio,
    /// Bytes.
    Bytes,
    /// Milliseconds.
    Milliseconds,
    /// Per second.
    PerSecond,
    /// Per minute.
    PerMinute,
    /// A number of things.
    Count,
    /// Seconds.
    Seconds,
}

/// One metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Metric {
    /// Stable name: `memory_used_ratio`.
    pub name: String,
    /// For people: `Memory use`.
    pub title: String,
    /// The value; `None` is "n/a".
    pub value: Option<f64>,
    /// Its unit.
    pub unit: Unit,
    /// Warning above this.
    pub warning: Option<f64>,
    /// Critical above this.
    pub critical: Option<f64>,
    /// What it means.
    pub verdict: Verdict,
    /// What it was computed from, or why it is not known.
    pub basis: String,
}

impl Metric {
    /// A metric judged against its thresholds: critical if above `critical`, warning if above `warning`.
    #[must_use]
    pub fn judged(
        name: &str,
        title: &str,
        unit: Unit,
        value: Option<f64>,
        thresholds: Option<(f64, f64)>,
        basis: impl Into<String>,
    ) -> Self {
        let value = value.filter(|v| v.is_finite());
        let verdict = verdict_of(value, thresholds.map(|t| t.0), thresholds.map(|t| t.1));
        Self {
            name: name.to_owned(),
            title: title.to_owned(),
            value,
            unit,
            warning: thresholds.map(|t| t.0),
            critical: thresholds.map(|t| t.1),
            verdict,
            basis: basis.into(),
        }
    }
}

/// What a value means by its lines; a line that is not there is never crossed.
#[must_use]
pub fn verdict_of(value: Option<f64>, warning: Option<f64>, critical: Option<f64>) -> Verdict {
    match value {
        None => Verdict::Unknown,
        Some(v) if critical.is_some_and(|line| v > line) => Verdict::Critical,
        Some(v) if warning.is_some_and(|line| v > line) => Verdict::Warning,
        Some(_) => Verdict::Ok,
    }
}

/// One primary of a cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct NodeHealth {
    /// Where it is.
    pub node: String,
    /// `Redis 7.0.15`; empty if it does not answer.
    pub server: String,
    /// How many slots it serves.
    pub slots: u32,
    /// Does it hold our events?
    pub own: bool,
    /// The worst verdict of `metrics`; critical if it does not answer.
    pub verdict: Verdict,
    /// Its own metrics.
    pub metrics: Vec<Metric>,
    /// Why it does not answer.
    pub problem: Option<String>,
}

/// The state of the event store at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct RedisHealth {
    /// When it was read.
    pub at: DateTime<Utc>,
    /// `Redis 7.0.15`, `Valkey 8.0.1`.
    pub server: String,
    /// Which server it is of, and how that was found: `10.0.0.7:6379, master of shop by Sentinel`.
    pub node: String,
    /// `master` or `replica`.
    pub role: String,
    /// Seconds since the server started.
    pub uptime_s: Option<u64>,
    /// The worst verdict of `metrics`.
    pub verdict: Verdict,
    /// All metrics, those with thresholds first; of a cluster over all primaries: sums of counts and sizes, the highest of
    /// ratios and times.
    pub metrics: Vec<Metric>,
    /// The primaries of a cluster, each by itself; empty elsewhere.
    pub nodes: Vec<NodeHealth>,
    /// Number of keys and of keys with a TTL in the logical database.
    pub keys: Option<u64>,
    /// Keys with a TTL.
    pub keys_with_ttl: Option<u64>,
    /// Share of the keys with a TTL, 0 to 1; `None` where there are no keys or neither is known.
    #[serde(default)]
    pub ttl_share: Option<f64>,
    /// How much memory there is for it; absent where the server does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub memory_limit: Option<MemoryLimit>,
    /// Where memory and expiry are going, by the stored history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub forecast: Option<HealthForecast>,
    /// Newest slow commands, newest first, arguments redacted.
    pub slowlog: Vec<SlowCommand>,
}

/// One entry of the slow log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct SlowCommand {
    /// When.
    pub at: DateTime<Utc>,
    /// How long, in milliseconds.
    pub duration_ms: f64,
    /// Command and key; values are redacted.
    pub command: String,
    /// Issued by Watchpost itself?
    pub own: bool,
}

/// One stored sample for the charts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
pub struct HealthSample {
    /// When.
    pub at: DateTime<Utc>,
    /// Bytes in use.
    pub memory_bytes: Option<f64>,
    /// Commands per second.
    pub ops_per_s: Option<f64>,
    /// Own round trip, milliseconds, median.
    pub latency_ms: Option<f64>,
    /// Keys expired per second.
    pub expired_per_s: Option<f64>,
    /// Events processed per minute.
    pub events_per_min: Option<f64>,
    /// Events waiting.
    pub backlog: Option<f64>,
}
