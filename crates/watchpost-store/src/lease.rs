//! Leases: so that of several processes only one does a thing.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::engine::args;
use crate::error::StoreError;
use crate::store::Store;

impl Store {
    /// Takes or renews the lease `name` for `holder`; `false` if somebody else has it and it has not run out at `now`, or if
    /// the login at the database has no right to leases: then that is left to those who have.
    ///
    /// # Errors
    /// `Validation` if `ttl` is over a year; what the database says.
    pub async fn lease_acquire(
        &self,
        name: &str,
        holder: &str,
        ttl: Duration,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let ttl = chrono::Duration::from_std(ttl)
            .ok()
            .filter(|ttl| *ttl <= chrono::Duration::days(366))
            .ok_or_else(|| StoreError::Validation("a lease is for at most a year".to_owned()))?;
        let mut write = self.write().await?;
        let taken = write
            .execute(
                "INSERT INTO lease (name, holder, expires_at) VALUES ($1, $2, $3) \
                 ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at \
                 WHERE lease.holder = excluded.holder OR lease.expires_at <= $4",
                args![name, holder, now + ttl, now],
            )
            .await;
        let changed = match taken {
            Err(StoreError::Denied(_)) => return Ok(false),
            taken => taken?,
        };
        self.commit(write).await?;
        Ok(changed > 0)
    }

    /// Until when somebody has the lease `name`, or had it: one that ran out and was not given back is still told.
    ///
    /// # Errors
    /// What the database says.
    pub async fn lease_until(&self, name: &str) -> Result<Option<DateTime<Utc>>, StoreError> {
        let mut tx = self.read().await?;
        let row = tx.fetch_optional("SELECT expires_at FROM lease WHERE name = $1", args![name]).await?;
        row.map(|row| row.time(0)).transpose()
    }

    /// Gives the lease back if `holder` has it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn lease_release(&self, name: &str, holder: &str) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        write.execute("DELETE FROM lease WHERE name = $1 AND holder = $2", args![name, holder]).await?;
        self.commit(write).await.map(drop)
    }
}
