//! What the detection engine remembers between two runs: its saved state, and the events that came after it.

use chrono::{DateTime, Utc};
use watchpost_model::event::Event;

use crate::engine::{Sql, Tx, args};
use crate::error::StoreError;
use crate::event::EventCursor;
use crate::sealed::Opened;
use crate::store::Store;

/// The name under which the alerts on the health of Redis are saved. They name nobody, and stay when somebody is erased.
pub const HEALTH_STATE: &str = "redis_health";

/// A saved state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedState {
    /// Storing time of the last batch that is in it.
    pub until: DateTime<Utc>,
    /// The state, opaque to the store.
    pub body: Vec<u8>,
}

/// Where a page of stored events ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoringCursor {
    /// Storing time of its last row.
    pub stored_at: DateTime<Utc>,
    /// Time and id of its last row.
    pub event: EventCursor,
}

/// Writes the state in the transaction of the batch that it holds.
pub(crate) async fn put(
    tx: &mut Tx,
    name: &str,
    body: &[u8],
    until: DateTime<Utc>,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO engine_state (name, until, body) VALUES ($1, $2, $3) \
         ON CONFLICT (name) DO UPDATE SET until = excluded.until, body = excluded.body",
        args![name, until, body],
    )
    .await
    .map(drop)
}

impl Store {
    /// The state that was saved last under `name`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn engine_state(&self, name: &str) -> Result<Option<SavedState>, StoreError> {
        let mut tx = self.read().await?;
        let row =
            tx.fetch_optional("SELECT until, body FROM engine_state WHERE name = $1", args![name]).await?;
        row.map(|row| Ok(SavedState { until: row.time(0)?, body: row.blob(1)? })).transpose()
    }

    /// Saves a state by itself, without a batch.
    ///
    /// # Errors
    /// What the database says.
    pub async fn engine_state_save(&self, name: &str, body: &[u8]) -> Result<(), StoreError> {
        let now = self.inner.clock.now();
        let mut write = self.write().await?;
        put(&mut write, name, body, now).await?;
        self.commit(write).await.map(drop)
    }

    /// Forgets every saved state of detectors but `name`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn engine_state_only(&self, name: &str) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        write
            .execute("DELETE FROM engine_state WHERE name <> $1 AND name <> $2", args![name, HEALTH_STATE])
            .await?;
        self.commit(write).await.map(drop)
    }

    /// Events that were stored after `until`, each with its storing time, in the order in which they were stored.
    ///
    /// Shape: at most `limit` (1..=5,000), strictly after `after`. What a retention run wrote anew is left out: the
    /// engine has seen those events before. They are as the engine saw them: what is sealed in the archive is opened.
    ///
    /// # Errors
    /// `Validation` if `limit` is out of range; what the database says.
    pub async fn events_stored_after(
        &self,
        until: DateTime<Utc>,
        after: Option<StoringCursor>,
        limit: u32,
    ) -> Result<Vec<(Event, DateTime<Utc>)>, StoreError> {
        if !(1..=5000).contains(&limit) {
            return Err(StoreError::Validation(format!("a page has 1 to 5000 events, not {limit}")));
        }
        let mut sql = Sql::new("SELECT stored_at, body, id FROM event WHERE stored_at > ");
        sql.bind(until).push(" AND (archived_at IS NULL OR archived_at <> stored_at)");
        if let Some(cursor) = after {
            let id = cursor.event.id.to_string();
            sql.push(" AND (stored_at, at, id) > ").tuple(args![cursor.stored_at, cursor.event.at, id]);
        }
        sql.push(" ORDER BY stored_at, at, id LIMIT ").bind(i64::from(limit));
        let mut tx = self.read().await?;
        let rows = tx.fetch_sql(sql).await?;
        let opened = Opened::of(&mut tx, &rows, 1, 2).await?;
        rows.iter().map(|row| Ok((opened.event(row, 1, 2)?, row.time(0)?))).collect()
    }
}
