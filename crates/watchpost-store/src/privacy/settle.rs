//! What an erasure leaves behind in the files of a database, where no row shows it.

use watchpost_model::privacy::ErasedCount;

use super::places::{CHANGED, REMOVED};
use crate::engine::{Dialect, Settled};
use crate::error::StoreError;
use crate::store::Store;

/// Where else an erasure removes or changes rows.
const OTHERS: &[&str] = &[
    "audit_name",
    "audit_payload",
    "audit_record",
    "busy_name",
    "engine_state",
    "event",
    "evidence",
    "incident_event",
    "register_entry",
    "sealed_field",
    "subject_key",
    "suppression",
];
/// Tables of the trail, which is counted as one.
const TRAIL: &[&str] = &["audit_name", "audit_payload", "audit_record"];

impl Store {
    /// Folds what was written into the file, so that nothing is left in the log beside it (SQLite), or takes removed rows out
    /// of the tables of PostgreSQL, as far as this login may.
    ///
    /// # Errors
    /// What the database says.
    pub async fn privacy_settle(&self) -> Result<Settled, StoreError> {
        self.settle(&[]).await
    }

    /// The same after an erasure: on PostgreSQL the indexes of words on the tables that it counted are written anew, because
    /// an index goes on to hold parts of what was removed. That takes as long as making them, and nobody waits for it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn privacy_settle_erased(&self, counts: &[ErasedCount]) -> Result<Settled, StoreError> {
        let counted = counts.iter().map(|count| count.what.as_str());
        let anew: Vec<&str> = counted.chain(TRAIL.iter().copied()).collect();
        self.settle(&anew).await
    }

    async fn settle(&self, anew: &[&str]) -> Result<Settled, StoreError> {
        let mut tables: Vec<&str> = REMOVED.iter().chain(CHANGED).map(|(table, _)| *table).collect();
        tables.extend(OTHERS);
        if self.inner.db.dialect() == Dialect::Postgres {
            tables.push("event_id");
        }
        tables.sort_unstable();
        tables.dedup();
        self.inner.db.settle(&tables, anew).await
    }

    /// Writes the whole file anew, without what lay in free space. SQLite only.
    ///
    /// # Errors
    /// What the database says.
    pub async fn privacy_rewrite(&self) -> Result<(), StoreError> {
        self.inner.db.rewrite().await?;
        self.privacy_settle().await.map(drop)
    }
}
