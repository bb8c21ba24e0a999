//! Lengths, instants and periods as people type them.

use chrono::{DateTime, Duration, Utc};
use watchpost_model::period::{Period, PeriodError, written_time};

/// A period that ends now, or all there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LastPeriod {
    /// Everything.
    All,
    /// This long.
    Last(Duration),
}

impl LastPeriod {
    pub(crate) fn ending(self, now: DateTime<Utc>) -> Option<Period> {
        match self {
            Self::All => None,
            Self::Last(length) => Some(Period::ending(now, length)),
        }
    }
}

/// Since when, until now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Since {
    /// Since this instant.
    Instant(DateTime<Utc>),
    /// Since so long ago.
    Ago(Duration),
}

impl Since {
    /// The period from then until `now`; an error if that has not come yet.
    pub(crate) fn until(self, now: DateTime<Utc>) -> Result<Period, PeriodError> {
        match self {
            Self::Instant(from) => Period::new(from, now),
            Self::Ago(length) => Ok(Period::ending(now, length)),
        }
    }
}

/// A length, a day or an instant.
pub(crate) fn parse_since(text: &str) -> Result<Since, String> {
    let instant = || parse_instant(text).map(Since::Instant);
    parse_length(text).map(Since::Ago).or_else(|_| instant()).map_err(|_| {
        format!("{text:?} is no length (24h), no day (2026-01-31) and no instant (2026-01-31T12:00:00Z)")
    })
}

/// `all`, or a length.
pub(crate) fn parse_last(text: &str) -> Result<LastPeriod, String> {
    if text == "all" { Ok(LastPeriod::All) } else { parse_length(text).map(LastPeriod::Last) }
}

/// `90s`, `30m`, `24h`, `7d`.
pub(crate) fn parse_length(text: &str) -> Result<Duration, String> {
    let advice = || format!("{text:?} is not a length: write it like 30m, 24h or 7d");
    let (digits, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(advice)?;
    let number: u32 = digits.parse().map_err(|_| advice())?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(advice()),
    };
    if number == 0 {
        return Err("a length is at least one second".to_owned());
    }
    Ok(Duration::seconds(i64::from(number) * seconds))
}

/// A day (its first instant), a minute or an instant; UTC unless it says otherwise, as in queries (docs/search.md).
pub(crate) fn parse_instant(text: &str) -> Result<DateTime<Utc>, String> {
    written_time(text).map(|(at, _)| at).ok_or_else(|| {
        format!("{text:?} is not a day (2026-01-31) or an instant (2026-01-31T12:00, 2026-01-31T12:00:00+01:00; UTC unless it says otherwise)")
    })
}

#[cfg(test)]
mod tests {
    use chrono::Duration;

    use super::{Since, parse_instant, parse_length, parse_since};

    #[test]
    fn lengths() {
        for (text, expect) in [("90s", 90), ("30m", 1_800), ("24h", 86_400), ("7d", 604_800)] {
            assert_eq!(parse_length(text), Ok(Duration::seconds(expect)), "{text}");
        }
        for text in ["", "h", "0d", "1w", "-1h", "1.5h", "ü", "99999999999d"] {
            assert!(parse_length(text).is_err(), "{text:?} is not a length");
        }
    }

    #[test]
    fn instants() {
        assert_eq!(parse_instant("2026-01-31").unwrap().to_rfc3339(), "2026-01-31T00:00:00+00:00");
        assert_eq!(
            parse_instant("2026-01-31T01:00:00+01:00").unwrap().to_rfc3339(),
            "2026-01-31T00:00:00+00:00"
        );
        assert_eq!(parse_instant("2026-11-22T13:51:00").unwrap().to_rfc3339(), "2026-11-22T13:51:00+00:00");
        assert_eq!(
            parse_instant("2026-11-21T08:00+05:45").unwrap().to_rfc3339(),
            "2026-11-21T02:15:00+00:00"
        );
        assert!(parse_instant("2026-02-30").is_err(), "there is no such day");
    }

    #[test]
    fn since_when() {
        let day = parse_instant("2026-01-31").unwrap();
        let now = day + Duration::hours(5);
        for (text, from) in [
            ("2026-01-31", day),
            ("2h", now - Duration::hours(2)),
            ("2026-01-31T04:00:00Z", now - Duration::hours(1)),
        ] {
            let period = parse_since(text).unwrap().until(now).unwrap();
            assert_eq!((period.from, period.to), (from, now), "{text}");
        }
        assert_eq!(parse_since("7d"), Ok(Since::Ago(Duration::days(7))));
        assert!(parse_since("2026-02-01").unwrap().until(now).is_err(), "that is tomorrow");
        assert!(parse_since("yesterday").unwrap_err().contains("no length"));
    }
}
