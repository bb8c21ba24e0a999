//! Half-open spans of time.

use chrono::{DateTime, Duration, Utc};
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
