//! Half-open spans of time.

use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// From `from` (included) to `to` (excluded), UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Period {
    /// First instant inside.
    pub from: DateTime<Utc>,
    /// First instant after.
    pub to: DateTime<Utc>,
}

/// A period that ends before it begins, or is absurdly long.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// `to` is not after `from`.
    #[error(
        "the period has to end ({to}) after it begins ({from}); its end is the first moment that is not in it"
    )]
    Reversed {
        /// Given start.
        from: DateTime<Utc>,
        /// Given end.
        to: DateTime<Utc>,
    },
    /// More than 20 years.
    #[error("the period is longer than 20 years")]
    TooLong,
}

impl Period {
    /// Checks and makes a period.
    ///
    /// # Errors
    /// `Reversed` if `to <= from`; `TooLong` over 20 years.
    pub fn new(from: DateTime<Utc>, to: DateTime<Utc>) -> Result<Self, PeriodError> {
        if to <= from {
            return Err(PeriodError::Reversed { from, to });
        }
        if to - from > Duration::days(366 * 20) {
            return Err(PeriodError::TooLong);
        }
        Ok(Self { from, to })
    }

    /// The `length` that ends at `end`.
    #[must_use]
    pub fn ending(end: DateTime<Utc>, length: Duration) -> Self {
        Self { from: end - length, to: end }
    }

    /// The period of equal length just before this one.
    #[must_use]
    pub fn previous(self) -> Self {
        Self { from: self.from - (self.to - self.from), to: self.from }
    }

    /// Is `at` inside?
    #[must_use]
    pub fn contains(self, at: DateTime<Utc>) -> bool {
        self.from <= at && at < self.to
    }

    /// The length in seconds.
    #[must_use]
    pub fn seconds(self) -> i64 {
        (self.to - self.from).num_seconds()
    }
}

/// A time as people write it, and how long what they wrote lasts: a day, a minute, a second or a millisecond. It is UTC unless
/// it says otherwise (`Z`, `+05:45`). Queries and the command line read times by this.
#[must_use]
pub fn written_time(text: &str) -> Option<(DateTime<Utc>, Duration)> {
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Some((day.and_time(NaiveTime::MIN).and_utc(), Duration::days(1)));
    }
    let second = if text.contains('.') { Duration::milliseconds(1) } else { Duration::seconds(1) };
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some((at.with_timezone(&Utc), second));
    }
    if let Ok(at) = DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M%:z") {
        return Some((at.with_timezone(&Utc), Duration::minutes(1)));
    }
    let text = text.strip_suffix('Z').unwrap_or(text);
    [("%Y-%m-%dT%H:%M", Duration::minutes(1)), ("%Y-%m-%dT%H:%M:%S%.f", second)]
        .into_iter()
        .find_map(|(form, width)| Some((NaiveDateTime::parse_from_str(text, form).ok()?.and_utc(), width)))
}

#[cfg(test)]
mod tests {
    use chrono::Duration;

    use super::written_time;

    #[test]
    fn times_are_utc_unless_they_say_otherwise() {
        let (day, minute, second) = (Duration::days(1), Duration::minutes(1), Duration::seconds(1));
        for (text, expect, lasts) in [
            ("2026-11-21", "2026-11-21T00:00:00+00:00", day),
            ("2026-11-21T08:00", "2026-11-21T08:00:00+00:00", minute),
            ("2026-11-21T08:00Z", "2026-11-21T08:00:00+00:00", minute),
            ("2026-11-21T08:00+05:45", "2026-11-21T02:15:00+00:00", minute),
            ("2026-11-21T08:00-03:30", "2026-11-21T11:30:00+00:00", minute),
            ("2026-11-22T13:51:00", "2026-11-22T13:51:00+00:00", second),
            ("2026-11-22T13:51:00Z", "2026-11-22T13:51:00+00:00", second),
            ("2026-11-22T13:51:00+05:45", "2026-11-22T08:06:00+00:00", second),
            ("2026-11-22T13:51:00.25", "2026-11-22T13:51:00.250+00:00", Duration::milliseconds(1)),
            ("2026-11-22T13:51:00.25+01:00", "2026-11-22T12:51:00.250+00:00", Duration::milliseconds(1)),
        ] {
            let (at, width) = written_time(text).unwrap_or_else(|| panic!("{text} is a time"));
            assert_eq!((at.to_rfc3339().as_str(), width), (expect, lasts), "{text}");
        }
        for text in
            ["", "yesterday", "2026-02-30", "2026-11-21T25:00", "2026-11-21T08", "2026-11-21T08:00+99:00"]
        {
            assert_eq!(written_time(text), None, "{text:?} is no time");
        }
    }
}
