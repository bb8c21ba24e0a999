//! Adding up what is packed of a period, and the events of the rest of it.

use std::collections::BTreeSet;

use watchpost_model::period::Period;

use super::{DAY, HOUR, Kind, Names, PACKED_MAX, start_of};
use crate::engine::{Tx, args};
use crate::error::StoreError;

/// Names that are added up here; where there are more, the database does it, which need not hold all of them at once.
const NAMES_MAX: usize = 500_000;
/// Hours or days that are fetched at once.
const FETCHED: i64 = 32;

/// A piece of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    /// Of what is packed; 0 where the events are asked.
    width: i64,
    from: i64,
    to: i64,
}

/// Where the names of a period are read.
#[derive(Debug, Default)]
pub(crate) struct Plan(Vec<Part>);

/// Hours and days between two times whose packed rows say nothing.
struct Missing {
    hours: BTreeSet<i64>,
    days: BTreeSet<i64>,
}

impl Missing {
    async fn between(tx: &mut Tx, from: i64, to: i64) -> Result<Self, StoreError> {
        let mut missing = Self { hours: BTreeSet::new(), days: BTreeSet::new() };
        let most = i64::try_from(PACKED_MAX).unwrap_or(i64::MAX);
        for (width, starts) in [(HOUR, &mut missing.hours), (DAY, &mut missing.days)] {
            let sql = "SELECT start FROM busy_due WHERE width = $1 AND start >= $2 AND start < $3 \
                UNION ALL SELECT start FROM busy_name WHERE width = $1 AND start >= $2 AND start < $3 AND n > $4";
            for row in tx.fetch(sql, args![width, start_of(width, from), to, most]).await? {
                starts.insert(row.i64(0)?);
            }
        }
        Ok(missing)
    }

    /// The longest piece from `at` on, no later than `to`, that is of one width: which, and its end.
    fn piece(&self, at: i64, to: i64) -> (i64, i64) {
        let is_whole = |width: i64| at == start_of(width, at) && at.saturating_add(width) <= to;
        let end = at.saturating_add(DAY);
        if is_whole(DAY) && !self.days.contains(&at) && self.hours.range(at..end).next().is_none() {
            return (DAY, end);
        }
        if is_whole(HOUR) && !self.hours.contains(&at) {
            return (HOUR, at.saturating_add(HOUR));
        }
        (0, start_of(HOUR, at).saturating_add(HOUR).min(to))
    }
}

impl Plan {
    pub(crate) async fn of(tx: &mut Tx, period: Period) -> Result<Self, StoreError> {
        let sql = "SELECT (SELECT MIN(at) FROM event), (SELECT MAX(at) FROM event)";
        let row = tx.fetch_one(sql, args![]).await?;
        let (Some(oldest), Some(newest)) = (row.opt_i64(0)?, row.opt_i64(1)?) else {
            return Ok(Self::default());
        };
        // No further than there are events, in whole days: a period may reach over thousands of years.
        let from = period.from.timestamp_micros().max(start_of(DAY, oldest));
        let to = period.to.timestamp_micros().min(start_of(DAY, newest).saturating_add(DAY));
        let missing = Missing::between(tx, from, to).await?;
        let mut parts: Vec<Part> = Vec::new();
        let mut at = from;
        while at < to {
            let (width, end) = missing.piece(at, to);
            match parts.last_mut() {
                Some(last) if last.width == width && (width == 0 || end - last.from <= FETCHED * width) => {
                    last.to = end;
                }
                _ => parts.push(Part { width, from: at, to: end }),
            }
            at = end;
        }
        Ok(Self(parts))
    }

    /// The names of the period; `None` where nothing of it is packed, or there are too many to hold.
    pub(crate) async fn names(&self, tx: &mut Tx, kind: Kind) -> Result<Option<Names>, StoreError> {
        if self.0.iter().all(|part| part.width == 0) {
            return Ok(None);
        }
        let mut names = Names::default();
        for part in &self.0 {
            if part.width == 0 {
                names.add_events(tx, kind, (part.from, part.to), NAMES_MAX).await?;
            } else {
                let sql = "SELECT names FROM busy_name WHERE width = $1 AND start >= $2 AND start < $3 AND kind = $4";
                for row in tx.fetch(sql, args![part.width, part.from, part.to, kind.word()]).await? {
                    names.unpack(kind, &row.text(0)?)?;
                }
            }
            if names.0.len() > NAMES_MAX {
                return Ok(None);
            }
        }
        Ok(Some(names))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{DAY, HOUR, Missing};

    #[test]
    fn a_period_is_cut_into_whole_days_hours_and_the_rest() {
        let cut = |missing: &Missing, from: i64, to: i64| {
            let (mut at, mut pieces) = (from, Vec::new());
            while at < to {
                let (width, end) = missing.piece(at, to);
                assert!(at < end && end <= to);
                pieces.push(width);
                at = end;
            }
            pieces
        };
        let none = Missing { hours: BTreeSet::new(), days: BTreeSet::new() };
        assert_eq!(cut(&none, -DAY, DAY), [DAY, DAY]);
        assert_eq!(cut(&none, DAY - 2 * HOUR - 1, 2 * DAY + HOUR + 1), [0, HOUR, HOUR, DAY, HOUR, 0]);
        assert_eq!(cut(&none, 5, HOUR - 5), [0]);
        let due = Missing { hours: [3 * HOUR].into(), days: [DAY].into() };
        let hours = cut(&due, 0, 3 * DAY);
        assert_eq!(hours.iter().filter(|width| **width == HOUR).count(), 23 + 24);
        assert_eq!((hours[3], hours.last()), (0, Some(&DAY)));
    }
}
