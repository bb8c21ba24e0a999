//! Where the memory of Redis and the expiry of its keys are going. Says nothing where it cannot know.

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::health::HealthSample;

/// How far back the course of memory is looked at.
pub const DAYS: i64 = 7;
/// History that it takes to tell where memory is going.
const SPAN_LEAST: Duration = Duration::hours(6);
/// Samples that it takes, of memory and of expiry.
const SAMPLES_LEAST: usize = 24;
/// Memory that takes longer than this to be full does not become full at this rate.
const DAYS_MOST: f64 = 365.0;
const DAY_S: f64 = 86_400.0;

/// How much memory there is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
pub struct MemoryLimit {
    /// Bytes.
    pub bytes: f64,
    /// Of the machine, because the server has no limit of its own.
    pub of_machine: bool,
}

/// What becomes of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum MemoryOutlook {
    /// There is too little history, or no limit is known.
    Unknown,
    /// It is flat, falls, or rises so slowly that it takes more than a year.
    NotAtThisRate,
    /// It is full at a time that can be told.
    Full,
}

/// When memory is full, if it goes on as it does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct MemoryForecast {
    /// In a word.
    pub outlook: MemoryOutlook,
    /// When it is full.
    pub full_at: Option<DateTime<Utc>>,
    /// Bytes a day that it grows by, by a straight line through its history; below zero it falls.
    pub bytes_per_day: Option<f64>,
    /// In a sentence: `at this rate memory is full in 9 days`.
    pub text: String,
}

/// How many keys expire, and how that changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ExpiryTrend {
    /// A second, over the last 24 hours.
    pub per_s: Option<f64>,
    /// A second, over the 24 hours before.
    pub before_per_s: Option<f64>,
    /// In a sentence.
    pub text: String,
}

/// Where things are going.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct HealthForecast {
    /// Memory.
    pub memory: MemoryForecast,
    /// Keys that expire.
    pub expiry: ExpiryTrend,
}

/// What samples of the last [`DAYS`], evenly spread, say about the time after `now`.
#[must_use]
pub fn forecast(samples: &[HealthSample], limit: Option<MemoryLimit>, now: DateTime<Utc>) -> HealthForecast {
    HealthForecast { memory: memory(samples, limit, now), expiry: expiry(samples, now) }
}

fn memory(samples: &[HealthSample], limit: Option<MemoryLimit>, now: DateTime<Utc>) -> MemoryForecast {
    let told =
        |outlook, bytes_per_day, text: String| MemoryForecast { outlook, full_at: None, bytes_per_day, text };
    let points: Vec<(DateTime<Utc>, f64)> =
        samples.iter().filter_map(|sample| Some((sample.at, sample.memory_bytes?))).collect();
    let span = match (points.first(), points.last()) {
        (Some(first), Some(last)) => last.0 - first.0,
        _ => Duration::zero(),
    };
    if span < SPAN_LEAST || points.len() < SAMPLES_LEAST {
        let (needs, has) = (SPAN_LEAST.num_hours(), length(span));
        let text = format!("not known yet: it takes {needs} h of history, and there are {has}");
        return told(MemoryOutlook::Unknown, None, text);
    }
    // Seconds from now, so that the line says at zero what memory is now.
    let seconds: Vec<(f64, f64)> = points.iter().map(|(at, bytes)| (span_s(*at - now), *bytes)).collect();
    let Some(line) = Line::through(&seconds) else {
        return told(MemoryOutlook::Unknown, None, "not known: the samples are all of one moment".to_owned());
    };
    let per_day = Some(line.slope * DAY_S);
    let limit = limit.filter(|limit| limit.bytes > 0.0);
    let is_full = limit.is_some_and(|limit| line.at_zero >= limit.bytes);
    // Going up and down by more than it rose, it may as well not have risen.
    if !is_full && line.slope * span_s(span) <= 2.0 * line.deviation {
        let fell = line.slope < 0.0 && -line.slope * span_s(span) > 2.0 * line.deviation;
        let how = if fell { "falls" } else { "does not rise" };
        return told(MemoryOutlook::NotAtThisRate, per_day, format!("not at this rate: memory {how}"));
    }
    let Some(limit) = limit else {
        let text = "not known: the server tells neither its limit nor the machine's memory".to_owned();
        return told(MemoryOutlook::Unknown, per_day, text);
    };
    let what = if limit.of_machine { "the machine's memory (no maxmemory is set)" } else { "memory" };
    let days = if is_full { 0.0 } else { (limit.bytes - line.at_zero) / line.slope / DAY_S };
    if days > DAYS_MOST {
        return told(
            MemoryOutlook::NotAtThisRate,
            per_day,
            format!("not at this rate: {what} lasts for more than a year"),
        );
    }
    #[expect(clippy::cast_possible_truncation, reason = "at most a year")]
    let left = Duration::seconds((days * DAY_S) as i64);
    let text = if left < Duration::minutes(1) {
        format!("{what} is full")
    } else {
        format!("at this rate {what} is full in {}", length(left))
    };
    MemoryForecast { outlook: MemoryOutlook::Full, full_at: Some(now + left), bytes_per_day: per_day, text }
}

fn expiry(samples: &[HealthSample], now: DateTime<Utc>) -> ExpiryTrend {
    let day = Duration::days(1);
    let mean = |from: DateTime<Utc>, to: DateTime<Utc>| {
        let of_day = samples.iter().filter(|sample| sample.at >= from && sample.at < to);
        let rates: Vec<f64> = of_day.filter_map(|sample| sample.expired_per_s).collect();
        (rates.len() >= SAMPLES_LEAST).then(|| mean(rates.iter().copied(), rates.len()))
    };
    let (per_s, before_per_s) = (mean(now - day, now), mean(now - day - day, now - day));
    let text = match (per_s, before_per_s) {
        (None, _) => "not known yet: there is too little history".to_owned(),
        (Some(rate), None) => format!("{rate:.2} keys/s expire; what it was a day before is not known"),
        (Some(rate), Some(before)) if before > 0.0 => {
            let change = (rate / before - 1.0) * 100.0;
            match change {
                change if change >= 0.5 => {
                    format!("{rate:.2} keys/s expire, {change:.0} % more than a day before")
                }
                change if change <= -0.5 => {
                    format!("{rate:.2} keys/s expire, {:.0} % fewer than a day before", -change)
                }
                _ => format!("{rate:.2} keys/s expire, as many as a day before"),
            }
        }
        (Some(rate), Some(_)) => format!("{rate:.2} keys/s expire, a day before none did"),
    };
    ExpiryTrend { per_s, before_per_s, text }
}

/// A straight line by least squares.
struct Line {
    slope: f64,
    at_zero: f64,
    /// Standard deviation of the points from it.
    deviation: f64,
}

impl Line {
    fn through(points: &[(f64, f64)]) -> Option<Self> {
        let n = points.len();
        let (middle_x, middle_y) =
            (mean(points.iter().map(|point| point.0), n), mean(points.iter().map(|point| point.1), n));
        let (mut xx, mut xy) = (0.0, 0.0);
        for (x, y) in points {
            xx += (x - middle_x).powi(2);
            xy += (x - middle_x) * (y - middle_y);
        }
        if xx <= 0.0 {
            return None;
        }
        let slope = xy / xx;
        let at_zero = middle_y - slope * middle_x;
        let squares = points.iter().map(|(x, y)| (y - at_zero - slope * x).powi(2));
        Some(Self { slope, at_zero, deviation: mean(squares, n).sqrt() })
    }
}

#[expect(clippy::cast_precision_loss, reason = "a number of samples")]
fn mean(values: impl Iterator<Item = f64>, n: usize) -> f64 {
    values.sum::<f64>() / n as f64
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a few days")]
fn span_s(span: Duration) -> f64 {
    span.num_milliseconds() as f64 / 1_000.0
}

/// For people, to two places of what is largest: `9 days`, `31 h`, `20 min`.
fn length(span: Duration) -> String {
    match span {
        span if span >= Duration::days(2) => format!("{} days", span.num_days()),
        span if span >= Duration::hours(2) => format!("{} h", span.num_hours()),
        span => format!("{} min", span.num_minutes()),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Duration, TimeZone, Utc};

    use super::{MemoryLimit, MemoryOutlook, forecast};
    use crate::health::HealthSample;

    const MIB: f64 = 1_048_576.0;

    fn now() -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 11, 22, 10, 0, 0).unwrap()
    }

    fn limit(mib: f64) -> Option<MemoryLimit> {
        Some(MemoryLimit { bytes: mib * MIB, of_machine: false })
    }

    /// A sample every half an hour of the last days, oldest first; what it holds by hours before now.
    fn course(days: i32, memory_mib: impl Fn(f64) -> f64, expired: impl Fn(f64) -> f64) -> Vec<HealthSample> {
        let half_hours = (1..=days * 48).rev();
        half_hours
            .map(|n| {
                let ago = f64::from(n) / 2.0;
                HealthSample {
                    at: now() - Duration::minutes(30 * i64::from(n)),
                    memory_bytes: Some(memory_mib(ago) * MIB),
                    ops_per_s: None,
                    latency_ms: None,
                    expired_per_s: Some(expired(ago)),
                    events_per_min: None,
                    backlog: None,
                }
            })
            .collect()
    }

    #[test]
    fn memory_that_rises_by_ten_a_day_is_full_in_nine_days() {
        // 10 MiB a day, 10 MiB now, with a little up and down.
        let rising = course(7, |ago| 10.0 - ago / 2.4 + (ago * 7.0).sin() + 90.0, |_| 1.0);
        let told = forecast(&rising, limit(191.0), now()).memory;
        assert_eq!(told.outlook, MemoryOutlook::Full, "{told:?}");
        assert_eq!(told.text, "at this rate memory is full in 9 days");
        let per_day = told.bytes_per_day.unwrap() / MIB;
        assert!((9.5..10.5).contains(&per_day), "{per_day}");
        let machine = MemoryLimit { bytes: 191.0 * MIB, of_machine: true };
        let told = forecast(&rising, Some(machine), now()).memory;
        assert!(told.text.contains("the machine's memory"), "{}", told.text);
        let told = forecast(&rising, limit(90_000.0), now()).memory;
        assert_eq!((told.outlook, told.full_at), (MemoryOutlook::NotAtThisRate, None), "{told:?}");
        let told = forecast(&rising, limit(50.0), now()).memory;
        assert_eq!((told.text.as_str(), told.full_at), ("memory is full", Some(now())));
    }

    #[test]
    fn what_is_flat_falls_or_is_not_known_is_not_forecast() {
        let flat = course(7, |ago| 100.0 + (ago * 7.0).sin(), |_| 1.0);
        let told = forecast(&flat, limit(200.0), now()).memory;
        assert_eq!(told.text, "not at this rate: memory does not rise");
        assert_eq!(forecast(&flat, limit(90.0), now()).memory.text, "memory is full");
        let falling = course(7, |ago| 100.0 + ago, |_| 1.0);
        let told = forecast(&falling, limit(200.0), now()).memory;
        assert_eq!(told.text, "not at this rate: memory falls");
        let rising = course(7, |ago| 400.0 - ago, |_| 1.0);
        assert_eq!(forecast(&rising, None, now()).memory.outlook, MemoryOutlook::Unknown);
        let short: Vec<HealthSample> = rising.iter().rev().take(5).rev().copied().collect();
        let told = forecast(&short, limit(500.0), now()).memory;
        assert_eq!(told.text, "not known yet: it takes 6 h of history, and there are 2 h");
        assert_eq!(forecast(&[], limit(500.0), now()).memory.outlook, MemoryOutlook::Unknown);
    }

    #[test]
    fn expiry_is_compared_with_the_day_before() {
        let more = course(2, |_| 1.0, |ago| if ago <= 24.0 { 3.0 } else { 2.0 });
        let told = forecast(&more, None, now()).expiry;
        assert_eq!((told.per_s, told.before_per_s), (Some(3.0), Some(2.0)));
        assert_eq!(told.text, "3.00 keys/s expire, 50 % more than a day before");
        let told = forecast(&more[48..], None, now()).expiry;
        assert_eq!(told.before_per_s, None, "{told:?}");
        assert!(forecast(&[], None, now()).expiry.text.starts_with("not known yet"));
    }
}
