//! Counts of events by five minutes, category, severity and outcome.

use std::collections::BTreeMap;

use watchpost_model::event::Event;

use crate::engine::{Tx, Value, args};
use crate::error::StoreError;
use crate::event::rank;

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
