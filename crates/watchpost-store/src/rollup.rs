//! Counts of events by five minutes, category, severity and outcome.

use std::collections::BTreeMap;

use watchpost_model::event::{Category, Event};
use watchpost_model::period::Period;

use crate::engine::{Tx, Value, args};
use crate::error::StoreError;
use crate::event::rank;
use crate::store::{Store, Tag};

/// Width of a bucket in microseconds.
pub(crate) const BUCKET: i64 = 300 * 1_000_000;

/// The start of the bucket of a time.
pub(crate) const fn bucket_of(micros: i64) -> i64 {
    micros.div_euclid(BUCKET) * BUCKET
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
