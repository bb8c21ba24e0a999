//! What the engine could not look at as it should have, counted by day: evidence that outlives the process.

use chrono::{DateTime, Utc};

use crate::engine::{Tx, args};
use crate::error::StoreError;
use crate::ingest::Ingesting;
use crate::store::Store;

const DAY: i64 = 86_400 * 1_000_000;

/// Why something was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// Keys that could not be read, or were gone before they were: no event came of them.
    Quarantined,
    /// Groups that a full detection table dropped: their events are archived, and what they counted is forgotten.
    Evicted,
}

impl Lost {
    /// How it is called in the database.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Quarantined => "quarantined",
            Self::Evicted => "evicted",
        }
    }
}

async fn add(tx: &mut Tx, lost: Lost, n: u64, now: DateTime<Utc>) -> Result<(), StoreError> {
    if n == 0 {
        return Ok(());
    }
    let n = i64::try_from(n).unwrap_or(i64::MAX);
    tx.execute(
        "INSERT INTO lost_event (day, kind, n) VALUES ($1, $2, $3) \
         ON CONFLICT (day, kind) DO UPDATE SET n = lost_event.n + excluded.n",
        args![now.timestamp_micros().div_euclid(DAY), lost.as_str(), n],
    )
    .await
    .map(drop)
}

impl Store {
    /// Counts what was lost outside of a batch.
    ///
    /// # Errors
    /// What the database says.
    pub async fn lost_add(&self, lost: Lost, n: u64, now: DateTime<Utc>) -> Result<(), StoreError> {
        if n == 0 {
            return Ok(());
        }
        let mut write = self.write().await?;
        add(&mut write, lost, n, now).await?;
        self.commit(write).await.map(drop)
    }
}

impl Ingesting<'_> {
    /// Counts what was lost with these batches, in their transaction.
    ///
    /// # Errors
    /// What the database says; then this must be dropped.
    pub async fn lost_add(&mut self, lost: Lost, n: u64, now: DateTime<Utc>) -> Result<(), StoreError> {
        add(self.write_mut(), lost, n, now).await
    }
}
