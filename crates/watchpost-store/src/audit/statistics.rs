//! The trail in figures.

use watchpost_model::audit::{AuditCount, AuditStatistics};
use watchpost_model::period::Period;

use crate::engine::{Tx, Value, args};
use crate::error::StoreError;
use crate::store::Store;

/// Names told of each kind at most; the rest is counted.
const NAMES_MAX: i64 = 20;

impl Store {
    /// Counts the records of a period, or of all time.
    ///
    /// Shape: of actors and actions the 20 most frequent ones, most frequent first, ties by name.
    ///
    /// # Errors
    /// What the database says.
    pub async fn audit_statistics(&self, period: Option<Period>) -> Result<AuditStatistics, StoreError> {
        let (from, to) = period.map_or((i64::MIN, i64::MAX), |period| {
            (period.from.timestamp_micros(), period.to.timestamp_micros())
        });
        let bounds = || args![from, to];
        let mut tx = self.read().await?;
        let row = tx
            .fetch_one(
                "SELECT COUNT(*), MIN(at), MAX(at), COUNT(DISTINCT actor), COUNT(DISTINCT action) FROM audit_record \
                 WHERE at >= $1 AND at < $2",
                bounds(),
            )
            .await?;
        let payloads = tx
            .fetch_one(
                "SELECT COALESCE(SUM(LENGTH(p.sealed)), 0), COUNT(*) FROM audit_record r \
                 JOIN audit_payload p ON p.seq = r.seq JOIN subject_key k ON k.id = p.key_id \
                 WHERE r.at >= $1 AND r.at < $2",
                bounds(),
            )
            .await?;
        Ok(AuditStatistics {
            records: row.i64(0)?,
            first_at: row.opt_time(1)?,
            last_at: row.opt_time(2)?,
            actors: row.i64(3)?,
            actions: row.i64(4)?,
            sealed_bytes: payloads.i64(0)?,
            erased: row.i64(0)? - payloads.i64(1)?,
            by_actor: counts(&mut tx, "actor", bounds()).await?,
            by_login: counts(&mut tx, "login", bounds()).await?,
            by_action: counts(&mut tx, "action", bounds()).await?,
            by_outcome: counts(&mut tx, "outcome", bounds()).await?,
            by_permission: counts(&mut tx, "permission", bounds()).await?,
        })
    }
}

async fn counts(tx: &mut Tx, column: &str, mut bounds: Vec<Value>) -> Result<Vec<AuditCount>, StoreError> {
    bounds.extend(args![NAMES_MAX]);
    let sql = format!(
        "SELECT {column}, COUNT(*) AS n FROM audit_record WHERE at >= $1 AND at < $2 AND {column} IS NOT NULL \
         GROUP BY {column} ORDER BY n DESC, {column} LIMIT $3"
    );
    let rows = tx.fetch(sql, bounds).await?;
    rows.iter().map(|row| Ok(AuditCount { name: row.text(0)?, n: row.i64(1)? })).collect()
}
