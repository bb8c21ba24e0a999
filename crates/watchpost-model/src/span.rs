//! Lengths of time as people write them in files: `15min`, `72h`, `31d`.

use std::fmt;
use std::str::FromStr;

use chrono::Duration;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A whole number of seconds, minutes, hours or days, not negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(try_from = "String", into = "String")]
#[ts(type = "string")]
pub struct Span {
    seconds: i64,
}

/// A text that is no length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no length of time; write 90s, 15min, 72h or 31d")]
pub struct NoSpan(String);

impl Span {
    /// Whole hours.
    #[must_use]
    pub const fn hours(hours: u32) -> Self {
        Self { seconds: hours as i64 * 3_600 }
    }

    /// Whole days.
    #[must_use]
    pub const fn days(days: u32) -> Self {
        Self { seconds: days as i64 * 86_400 }
    }

    /// As a duration.
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::seconds(self.seconds)
    }

    /// In microseconds, as the database counts.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.seconds.saturating_mul(1_000_000)
    }

    /// For people: `31 days`.
    #[must_use]
    pub fn words(self) -> String {
        let (n, unit) = match self.seconds {
            s if s % 86_400 == 0 => (s / 86_400, "day"),
            s if s % 3_600 == 0 => (s / 3_600, "hour"),
            s if s % 60 == 0 => (s / 60, "minute"),
            s => (s, "second"),
        };
        if n == 1 { format!("1 {unit}") } else { format!("{n} {unit}s") }
    }
}

impl FromStr for Span {
    type Err = NoSpan;

    fn from_str(text: &str) -> Result<Self, NoSpan> {
        let bad = || NoSpan(text.to_owned());
        let trimmed = text.trim();
        let digits = trimmed.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = trimmed.split_at(digits);
        let number: i64 = number.parse().map_err(|_| bad())?;
        let factor = match unit.trim() {
            "s" => 1,
            "min" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return Err(bad()),
        };
        // Twenty years are the longest period of a report; ten times that is a mistake of typing.
        match number.checked_mul(factor) {
            Some(seconds) if seconds <= 200 * 366 * 86_400 => Ok(Self { seconds }),
            _ => Err(bad()),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.seconds {
            s if s % 86_400 == 0 => write!(f, "{}d", s / 86_400),
            s if s % 3_600 == 0 => write!(f, "{}h", s / 3_600),
            s if s % 60 == 0 => write!(f, "{}min", s / 60),
            s => write!(f, "{s}s"),
        }
    }
}

impl TryFrom<String> for Span {
    type Error = NoSpan;

    fn try_from(text: String) -> Result<Self, NoSpan> {
        text.parse()
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        span.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::Span;

    #[test]
    fn spans_are_read_and_written() {
        for (text, back, words) in [
            ("90s", "90s", "90 seconds"),
            ("15min", "15min", "15 minutes"),
            ("72h", "3d", "3 days"),
            (" 1 d ", "1d", "1 day"),
            ("36h", "36h", "36 hours"),
            ("0d", "0d", "0 days"),
        ] {
            let span: Span = text.parse().unwrap_or_else(|error| panic!("{text:?}: {error}"));
            assert_eq!((span.to_string().as_str(), span.words().as_str()), (back, words), "{text:?}");
        }
        for bad in ["", "d", "5", "-1d", "1w", "5 days", "99999999999999999999d", "9999999999d", "1.5h"] {
            assert!(bad.parse::<Span>().is_err(), "{bad:?} is none");
        }
    }
}
