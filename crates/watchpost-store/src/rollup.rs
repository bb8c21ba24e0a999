//! Counts of events by five minutes, category, severity and outcome. Triggers keep the same by the hour (`rollup_hour`),
//! whoever writes these.

use std::collections::BTreeMap;

use watchpost_model::event::{Category, Event};
use watchpost_model::period::Period;

use crate::engine::{Tx, Value, args};
use crate::error::StoreError;
use crate::event::rank;
use crate::store::{Store, Tag};

/// Width of a bucket in microseconds.
pub(crate) const BUCKET: i64 = 300 * 1_000_000;

/// Width of a bucket of `rollup_hour`.
pub(crate) const HOUR: i64 = 12 * BUCKET;

/// The start of the bucket of a time.
pub(crate) const fn bucket_of(micros: i64) -> i64 {
    micros.div_euclid(BUCKET) * BUCKET
}

/// Is each hour in one bucket of a chart with this start and width?
pub(crate) const fn are_hours(start: i64, width: i64) -> bool {
    start.rem_euclid(HOUR) == 0 && width % HOUR == 0
}

/// Where counts are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counts {
    Events,
    FiveMinutes,
    Hours,
}

impl Counts {
    /// The table, and its column of the time.
    pub(crate) const fn table(self) -> (&'static str, &'static str) {
        match self {
            Self::Events => ("event", "at"),
            Self::FiveMinutes => ("rollup", "bucket"),
            Self::Hours => ("rollup_hour", "bucket"),
        }
    }
}

/// A part of a time that one table answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) of: Counts,
    pub(crate) from: i64,
    pub(crate) to: i64,
}

/// Cuts a time into the whole hours in it, if these are wanted, the whole five minutes before and after them, and the rests
/// at both ends, of which only the events know.
pub(crate) fn parts(from: i64, to: i64, by_hours: bool) -> impl Iterator<Item = Part> {
    let (first, last) = whole(BUCKET, from, to);
    let (first_hour, last_hour) = if by_hours { whole(HOUR, first, last) } else { (last, last) };
    [
        Part { of: Counts::Events, from, to: first },
        Part { of: Counts::FiveMinutes, from: first, to: first_hour },
        Part { of: Counts::Hours, from: first_hour, to: last_hour },
        Part { of: Counts::FiveMinutes, from: last_hour, to: last },
        Part { of: Counts::Events, from: last, to },
    ]
    .into_iter()
    .filter(|part| part.from < part.to)
}

/// The whole buckets of a width within a time; nothing at its end where there are none.
const fn whole(width: i64, from: i64, to: i64) -> (i64, i64) {
    let first = from.saturating_add(width - 1).div_euclid(width) * width;
    let last = to.div_euclid(width) * width;
    if first < last { (first, last) } else { (to, to) }
}

/// Changes of counts, summed before they are written.
#[derive(Default)]
pub(crate) struct Tally(BTreeMap<(i64, &'static str, i64, &'static str), i64>);

impl Tally {
    pub(crate) fn add(&mut self, event: &Event, n: i64) {
        let bucket = bucket_of(event.at.timestamp_micros());
        let key = (bucket, event.category.as_str(), rank(event.severity), event.outcome.as_str());
        *self.0.entry(key).or_default() += n;
    }

    /// Writes the changes, in sorted order so that two writers cannot wait for each other.
    pub(crate) async fn write(self, tx: &mut Tx) -> Result<(), StoreError> {
        let rows: Vec<Vec<Value>> = self
            .0
            .into_iter()
            .filter(|(_, n)| *n != 0)
            .map(|((bucket, category, severity, outcome), n)| args![bucket, category, severity, outcome, n])
            .collect();
        tx.insert_rows(
            "INSERT INTO rollup (bucket, category, severity, outcome, n) VALUES ",
            &rows,
            " ON CONFLICT (bucket, category, severity, outcome) DO UPDATE SET n = rollup.n + excluded.n",
        )
        .await
        .map(drop)
    }
}

/// The counts of a period, and how far they were behind the archive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RollupCheck {
    /// Events counted, by category; afterwards, where the counts were brought up to date.
    pub events: BTreeMap<Category, u64>,
    /// Five-minute buckets with events.
    pub buckets: u64,
    /// Archived events that no bucket had counted.
    pub behind: u64,
}

impl Store {
    /// Compares the counts of whole five-minute buckets with the archive and, with `repair`, adds what they lack. A count
    /// above the archive is right: archived events go after their days, their counts stay.
    ///
    /// Cost: one pass over the archived events of the period; take a day at a time.
    ///
    /// # Errors
    /// What the database says; then nothing was changed.
    pub async fn rollups_check(&self, period: Period, repair: bool) -> Result<RollupCheck, StoreError> {
        let (from, to) = (bucket_of(period.from.timestamp_micros()), period.to.timestamp_micros());
        let mut write = self.write().await?;
        let lacking = format!(
            "SELECT a.bucket, a.category, a.severity, a.outcome, a.n - COALESCE(r.n, 0) FROM \
             (SELECT (at / {BUCKET}) * {BUCKET} AS bucket, category, severity, outcome, CAST(SUM(n) AS BIGINT) AS n FROM event \
             WHERE at >= $1 AND at < $2 GROUP BY 1, category, severity, outcome) a LEFT JOIN rollup r ON r.bucket = a.bucket \
             AND r.category = a.category AND r.severity = a.severity AND r.outcome = a.outcome WHERE a.n > COALESCE(r.n, 0)"
        );
        let mut check = RollupCheck::default();
        let mut rows = Vec::new();
        for row in write.fetch(lacking, args![from, to]).await? {
            check.behind += row.u64(4)?;
            rows.push(args![row.i64(0)?, row.text(1)?, row.i64(2)?, row.text(3)?, row.i64(4)?]);
        }
        if repair && !rows.is_empty() {
            write
                .insert_rows(
                    "INSERT INTO rollup (bucket, category, severity, outcome, n) VALUES ",
                    &rows,
                    " ON CONFLICT (bucket, category, severity, outcome) DO UPDATE SET n = rollup.n + excluded.n",
                )
                .await?;
            write.touch(Tag::Events);
        }
        let sums = "SELECT category, CAST(SUM(n) AS BIGINT) FROM rollup WHERE bucket >= $1 AND bucket < $2 GROUP BY category";
        for row in write.fetch(sums, args![from, to]).await? {
            check.events.insert(row.parse(0)?, row.u64(1)?);
        }
        let buckets =
            "SELECT COUNT(DISTINCT bucket) FROM rollup WHERE bucket >= $1 AND bucket < $2 AND n > 0";
        check.buckets = write.fetch_one(buckets, args![from, to]).await?.u64(0)?;
        if repair && check.behind > 0 {
            self.commit(write).await?;
        }
        Ok(check)
    }
}

#[cfg(test)]
mod tests {
    use super::{BUCKET, Counts, HOUR, parts};

    #[test]
    fn a_time_is_cut_into_hours_five_minutes_and_events() {
        let ends = [-HOUR, -BUCKET, -1, 0, 1, BUCKET - 1, BUCKET, BUCKET + 1, HOUR - 1, HOUR, HOUR + 1];
        for from in ends {
            for length in [0, 1, BUCKET, 2 * BUCKET + 7, HOUR, HOUR + 1, 2 * HOUR + BUCKET, 50 * HOUR] {
                let to = from + length;
                for by_hours in [false, true] {
                    let mut at = from;
                    for part in parts(from, to, by_hours) {
                        assert_eq!(part.from, at, "nothing is left out or read twice");
                        assert!(part.to > at, "{part:?}");
                        at = part.to;
                        let (width, most) = match part.of {
                            Counts::Hours => (HOUR, i64::MAX),
                            Counts::FiveMinutes => (BUCKET, if by_hours { 2 * HOUR } else { i64::MAX }),
                            Counts::Events => (1, 2 * BUCKET),
                        };
                        let is_round = part.from.rem_euclid(width) == 0 && part.to.rem_euclid(width) == 0;
                        assert!(is_round && part.to - part.from < most, "{part:?} of {from} to {to}");
                        assert!(by_hours || part.of != Counts::Hours, "{part:?}");
                    }
                    assert_eq!(at, to, "all of it");
                }
            }
        }
    }
}
