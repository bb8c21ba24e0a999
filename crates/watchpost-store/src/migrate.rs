//! The schema: migration files are only ever added, with the same numbers for both engines.
//!
//! All missing migrations are applied in one transaction under a lock, so two processes that start at once are safe:
//! the second finds the work done.

use chrono::{DateTime, Utc};

use crate::canonical::sha256;
use crate::engine::{Db, Dialect, Tx, args};
use crate::error::StoreError;

struct Migration {
    version: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! migration {
    ($version:literal, $name:literal) => {
        Migration {
            version: $version,
            name: $name,
            sqlite: include_str!(concat!("../migrations/sqlite/", $version, "_", $name, ".sql")),
            postgres: include_str!(concat!("../migrations/postgres/", $version, "_", $name, ".sql")),
        }
    };
}

const MIGRATIONS: &[Migration] = &[
    migration!(20261120000000, "base"),
    migration!(20261121000002, "engine_state"),
    migration!(20261121000003, "enrichment"),
    migration!(20261121000004, "incidents"),
    migration!(20261121000005, "response"),
    migration!(20261121000006, "register"),
    migration!(20261121000007, "report_schedule"),
    migration!(20261121000009, "ingest"),
    migration!(20261121000010, "prolong"),
    migration!(20261121000011, "evidence"),
    migration!(20261121000012, "open_span"),
    migration!(20261121000013, "cosignature"),
    migration!(20261121000014, "audit_role"),
    migration!(20261121000015, "job_position"),
    migration!(20261121000016, "privacy"),
    migration!(20261121000020, "source_place"),
    migration!(20261121000021, "approval"),
    migration!(20261121000022, "audit_functions"),
    migration!(20261122000023, "source_gap"),
    migration!(20261122000024, "approval_trail"),
    migration!(20261122000026, "sealed_field"),
    migration!(20261122000027, "lost_event"),
    migration!(20261122000028, "audit_timestamp"),
    migration!(20261122000029, "one_source_index"),
    migration!(20261122000030, "event_text"),
    migration!(20261122000031, "log_partitions"),
    migration!(20261122000032, "login"),
];

/// `WPST`, so that tools such as `file` know the file.
const APPLICATION_ID: &str = "PRAGMA application_id = 1465926484";

/// The newest migration that this version knows.
pub(crate) fn newest_known() -> i64 {
    MIGRATIONS.last().map_or(0, |migration| migration.version)
}

/// The newest migration in the database; `None` in an empty one.
pub(crate) async fn newest_applied(tx: &mut Tx) -> Result<Option<i64>, StoreError> {
    let exists = tx.fetch_optional(tx.dialect().table_exists(), args!["schema_version"]).await?.is_some();
    if !exists {
        return Ok(None);
    }
    tx.fetch_one("SELECT MAX(version) FROM schema_version", args![]).await?.opt_i64(0)
}

/// Brings the schema up to this version.
///
/// # Errors
/// `SchemaTooNew` if the database is ahead; `SchemaAltered` if an applied file differs; `NotADatabase` for foreign files.
pub(crate) async fn migrate(db: &Db, now: DateTime<Utc>) -> Result<(), StoreError> {
    let mut tx = db.begin_write().await?;
    let dialect = tx.dialect();
    if dialect == Dialect::Postgres {
        // "watchpos" as a number; held to the end of the transaction.
        tx.fetch_one("SELECT CAST(pg_advisory_xact_lock(8602550943262236531) AS TEXT)", args![]).await?;
    }
    refuse_foreign(&mut tx).await?;
    // Who may not make tables may still use those that are there.
    if tx.fetch_optional(dialect.table_exists(), args!["schema_version"]).await?.is_none() {
        tx.execute(
            match dialect {
                Dialect::Sqlite => {
                    "CREATE TABLE schema_version \
                     (version INTEGER PRIMARY KEY, name TEXT NOT NULL, digest BLOB NOT NULL, applied_at INTEGER NOT NULL)"
                }
                Dialect::Postgres => {
                    "CREATE TABLE schema_version \
                     (version BIGINT PRIMARY KEY, name TEXT NOT NULL, digest BYTEA NOT NULL, applied_at BIGINT NOT NULL)"
                }
            },
            args![],
        )
        .await?;
    }
    let rows = tx.fetch("SELECT version, digest FROM schema_version ORDER BY version", args![]).await?;
    let mut applied = std::collections::BTreeMap::new();
    for row in rows {
        applied.insert(row.i64(0)?, row.blob(1)?);
    }
    if let Some((&found, _)) = applied.last_key_value()
        && found > newest_known()
    {
        return Err(StoreError::SchemaTooNew { found, known: newest_known() });
    }
    let mut changed = false;
    for migration in MIGRATIONS {
        let text = match dialect {
            Dialect::Sqlite => migration.sqlite,
            Dialect::Postgres => migration.postgres,
        };
        let digest = sha256(text.as_bytes());
        match applied.get(&migration.version) {
            Some(known) if known.as_slice() == digest => {}
            Some(_) => return Err(StoreError::SchemaAltered { version: migration.version }),
            None => {
                tx.script(text).await?;
                tx.execute(
                    "INSERT INTO schema_version (version, name, digest, applied_at) VALUES ($1, $2, $3, $4)",
                    args![migration.version, migration.name, digest.to_vec(), now],
                )
                .await?;
                changed = true;
            }
        }
    }
    if changed && dialect == Dialect::Sqlite {
        tx.execute(APPLICATION_ID, args![]).await?;
    }
    tx.commit().await
}

/// A SQLite file with tables that are not ours is somebody else's.
async fn refuse_foreign(tx: &mut Tx) -> Result<(), StoreError> {
    if tx.dialect() == Dialect::Postgres || newest_applied(tx).await?.is_some() {
        return Ok(());
    }
    let foreign = tx
        .fetch_optional(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' LIMIT 1",
            args![],
        )
        .await?;
    match foreign {
        None => Ok(()),
        Some(row) => {
            Err(StoreError::NotADatabase(format!("it holds a table {:?} of another program", row.text(0)?)))
        }
    }
}
