//! Half-open spans of time.

use chrono::{DateTime, Duration, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _, Utc};
pub use chrono_tz::Tz as Zone;
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
    match Written::read(text)? {
        Written::Fixed(at, width) => Some((at, width)),
        Written::Local(at, width) => Some((at.and_utc(), width)),
    }
}

/// The period that a time as written stands for, when times without an offset are those of a zone. A day is as long as it
/// is there; a time that the clocks show twice stands for both, one that they leave out for the moment at which they go on.
#[must_use]
pub fn written_period(text: &str, zone: Zone) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    match Written::read(text)? {
        Written::Fixed(at, width) => Some((at, at.checked_add_signed(width)?)),
        Written::Local(at, width) => {
            let (from, _) = moments(at, zone)?;
            // The last moment of it, so that an hour that comes twice is in it twice and the next one is not in it.
            let (_, last) = moments(at.checked_add_signed(width - Duration::milliseconds(1))?, zone)?;
            Some((from, last.checked_add_signed(Duration::milliseconds(1))?))
        }
    }
}

/// The first and the last moment at which the clocks of a zone show this.
fn moments(local: NaiveDateTime, zone: Zone) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) => return Some((at.to_utc(), at.to_utc())),
        LocalResult::Ambiguous(first, last) => return Some((first.to_utc(), last.to_utc())),
        LocalResult::None => {}
    }
    // Clocks are put forward by minutes that are whole quarters of an hour, by a day at most.
    let next = local.and_utc().timestamp().div_euclid(900) + 1;
    let on = (next..next + 96).find_map(|quarter| {
        let local = DateTime::from_timestamp(quarter * 900, 0)?.naive_utc();
        zone.from_local_datetime(&local).earliest()
    })?;
    Some((on.to_utc(), on.to_utc()))
}

/// What was written.
enum Written {
    /// With an offset.
    Fixed(DateTime<Utc>, Duration),
    /// Without one.
    Local(NaiveDateTime, Duration),
}

impl Written {
    fn read(text: &str) -> Option<Self> {
        if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            return Some(Self::Local(day.and_time(NaiveTime::MIN), Duration::days(1)));
        }
        let second = if text.contains('.') { Duration::milliseconds(1) } else { Duration::seconds(1) };
        if let Ok(at) = DateTime::parse_from_rfc3339(text) {
            return Some(Self::Fixed(at.to_utc(), second));
        }
        if let Ok(at) = DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M%:z") {
            return Some(Self::Fixed(at.to_utc(), Duration::minutes(1)));
        }
        let (text, utc) = text.strip_suffix('Z').map_or((text, false), |text| (text, true));
        let forms = [("%Y-%m-%dT%H:%M", Duration::minutes(1)), ("%Y-%m-%dT%H:%M:%S%.f", second)];
        forms.into_iter().find_map(|(form, width)| {
            let at = NaiveDateTime::parse_from_str(text, form).ok()?;
            Some(if utc { Self::Fixed(at.and_utc(), width) } else { Self::Local(at, width) })
        })
    }
}

#[cfg(test)]
mod tests {
    use chrono::Duration;

    use super::{Zone, written_period, written_time};

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

    #[test]
    fn times_without_an_offset_are_those_of_a_zone() {
        for (zone, text, from, to) in [
            ("Asia/Tokyo", "2026-11-22T21:00", "2026-11-22T12:00:00+00:00", "2026-11-22T12:01:00+00:00"),
            ("Asia/Tokyo", "2026-11-22", "2026-11-21T15:00:00+00:00", "2026-11-22T15:00:00+00:00"),
            ("Asia/Tokyo", "2026-11-22T21:00Z", "2026-11-22T21:00:00+00:00", "2026-11-22T21:01:00+00:00"),
            (
                "Asia/Tokyo",
                "2026-11-22T21:00-01:00",
                "2026-11-22T22:00:00+00:00",
                "2026-11-22T22:01:00+00:00",
            ),
            (
                "Europe/Berlin",
                "2026-07-01T08:30:15",
                "2026-07-01T06:30:15+00:00",
                "2026-07-01T06:30:16+00:00",
            ),
            (
                "UTC",
                "2026-11-22T21:00:00.25",
                "2026-11-22T21:00:00.250+00:00",
                "2026-11-22T21:00:00.251+00:00",
            ),
            // Days with 25 and 23 hours.
            ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00+00:00", "2026-10-25T23:00:00+00:00"),
            ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00+00:00", "2026-03-29T22:00:00+00:00"),
            // Half past two comes twice in one of them, and not at all in the other.
            ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30:00+00:00", "2026-10-25T01:31:00+00:00"),
            (
                "Europe/Berlin",
                "2026-03-29T02:30",
                "2026-03-29T01:00:00+00:00",
                "2026-03-29T01:00:00.001+00:00",
            ),
            // Midnight does not come on this day in Beirut.
            ("Asia/Beirut", "2026-03-29", "2026-03-28T22:00:00+00:00", "2026-03-29T21:00:00+00:00"),
        ] {
            let zone = zone.parse().unwrap_or_else(|_| panic!("{zone} is a zone"));
            let (begin, end) = written_period(text, zone).unwrap_or_else(|| panic!("{text} is a time"));
            assert_eq!(
                (begin.to_rfc3339().as_str(), end.to_rfc3339().as_str()),
                (from, to),
                "{text} in {zone}"
            );
        }
        assert_eq!(written_period("2026-02-30", Zone::UTC), None);
    }
}
