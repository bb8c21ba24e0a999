//! The archive of events on PostgreSQL, which is in partitions by the months of events: each is made before it is needed.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Datelike, Utc};
use watchpost_model::event::Event;

use crate::engine::{Dialect, args};
use crate::error::StoreError;
use crate::store::Store;

/// How many days ago something happened that may have a partition of its own; the function in the database says it exactly.
const WINDOW: RangeInclusive<i64> = -62..=775;

/// The months, by year and number, whose partitions this process has asked for.
#[derive(Debug, Default)]
pub(crate) struct Months(Mutex<BTreeSet<(i32, u32)>>);

impl Months {
    /// A time in each month of `events` that was not asked for yet, in microseconds; from now on it was.
    fn fresh(&self, events: &[(Event, String)], now: DateTime<Utc>) -> Vec<String> {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let times = events.iter().map(|(event, _)| event.at);
        times
            .filter(|at| WINDOW.contains(&(now - *at).num_days()))
            .filter(|at| asked.insert((at.year(), at.month())))
            .map(|at| at.timestamp_micros().to_string())
            .collect()
    }

    fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Store {
    /// Makes the partitions of the archive for this month and the next one where they are missing, and has
    /// [`Store::event_room`] ask for every other month again; returns how many months have none all the same. None with SQLite.
    ///
    /// # Errors
    /// `Denied` for a login that writes no events, and where `deploy/postgres-roles.sql` was not run again after an update;
    /// what the database says.
    pub async fn event_make_room(&self) -> Result<u64, StoreError> {
        if self.inner.db.dialect() == Dialect::Sqlite {
            return Ok(0);
        }
        let missing = self.event_partitions(String::new()).await?;
        self.inner.months.forget();
        Ok(missing)
    }

    /// Makes the partitions that events belong into which are about to be written, where they are missing: by a transaction
    /// of its own, so it comes before that of the events. Whatever becomes of it, they can be written: what no partition was
    /// made for is kept in one for the rest.
    pub async fn event_room(&self, events: &[(Event, String)]) {
        if self.inner.db.dialect() == Dialect::Sqlite {
            return;
        }
        let fresh = self.inner.months.fresh(events, self.inner.clock.now());
        if fresh.is_empty() {
            return;
        }
        match self.event_partitions(fresh.join(",")).await {
            Ok(0) => {}
            Ok(missing) => tracing::debug!(missing, "months of events have no partition yet"),
            // The writing fails too, and its next try asks again.
            Err(StoreError::Unavailable(_) | StoreError::Unconfirmed(_) | StoreError::ReadOnly(_)) => {
                self.inner.months.forget();
            }
            Err(problem) => tracing::warn!(%problem, "no partition of the archive of events was made"),
        }
    }

    /// `times`: in microseconds, with commas.
    async fn event_partitions(&self, times: String) -> Result<u64, StoreError> {
        let mut tx = self.inner.db.begin_write().await?;
        let missing = tx.fetch_one("SELECT watchpost_event_partitions($1)", args![times]).await?.u64(0)?;
        tx.commit().await?;
        Ok(missing)
    }
}
