//! The leaves of the log on PostgreSQL, which are in partitions by their numbers: each is made before it is needed.

use crate::engine::{Dialect, args};
use crate::error::StoreError;
use crate::store::Store;

impl Store {
    /// Makes the partition that the next record of the log belongs into, and the one after it, where they are missing; returns
    /// how many. None with SQLite. What no partition was made for is kept all the same, in one for the rest.
    ///
    /// # Errors
    /// `Denied` for a login of a role where `deploy/postgres-roles.sql` was not run again after an update; what the database
    /// says.
    pub async fn audit_make_room(&self) -> Result<u64, StoreError> {
        if self.inner.db.dialect() == Dialect::Sqlite {
            return Ok(0);
        }
        let mut tx = self.inner.db.begin_write().await?;
        let made = tx.fetch_one("SELECT watchpost_audit_partitions()", args![]).await?.u64(0)?;
        tx.commit().await?;
        Ok(made)
    }
}
