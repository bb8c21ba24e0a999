//! The schema: migration files are only ever added, with the same numbers for both engines.
//!
//! All missing migrations are applied in one transaction under a lock, so two processes that start at once are safe:
//! the second finds the work done. A SQLite file is copied first, while that lock is held: the copy is the database as it
//! was. Nobody but its server copies a PostgreSQL database.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::backup;
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

/// A database of an older schema that was brought up to this version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// The newest migration that it had.
    pub from: i64,
    /// The newest one that it has.
    pub to: i64,
    /// The checked copy of it as it was: beside a SQLite file, unless none was wanted.
    pub copy: Option<PathBuf>,
}

impl Migration {
    const fn text(&self, dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::Sqlite => self.sqlite,
            Dialect::Postgres => self.postgres,
        }
    }
}

/// Brings the schema up to this version; `None` if there was none, or nothing to do. `copied` is the file that is copied
/// before it is changed.
///
/// # Errors
/// `SchemaTooNew` if the database is ahead; `SchemaAltered` if an applied file differs; `NotADatabase` for foreign files;
/// `NoCopy`, and nothing was changed.
pub(crate) async fn migrate(
    db: &Db,
    now: DateTime<Utc>,
    copied: Option<&Path>,
) -> Result<Option<Migrated>, StoreError> {
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
    let missing = missing(&mut tx).await?;
    let Some(migrated) = missing.from.filter(|_| !missing.migrations.is_empty()) else {
        apply(&mut tx, &missing.migrations, now).await?;
        return tx.commit().await.map(|()| None);
    };
    let mut migrated = Migrated { from: migrated, to: newest_known(), copy: None };
    migrated.copy = keep_copy(&mut tx, &migrated, now, copied).await?;
    if let Err(error) = apply(&mut tx, &missing.migrations, now).await {
        // The database stays what it was: the copy of it is one too many.
        drop(tx);
        if let Some(copy) = &migrated.copy {
            drop(std::fs::remove_file(copy));
        }
        return Err(error);
    }
    tx.commit().await?;
    Ok(Some(migrated))
}

/// What a database lacks.
struct Missing {
    /// The newest migration that it has.
    from: Option<i64>,
    migrations: Vec<&'static Migration>,
}

async fn missing(tx: &mut Tx) -> Result<Missing, StoreError> {
    let rows = tx.fetch("SELECT version, digest FROM schema_version ORDER BY version", args![]).await?;
    let mut applied = std::collections::BTreeMap::new();
    for row in rows {
        applied.insert(row.i64(0)?, row.blob(1)?);
    }
    let from = applied.last_key_value().map(|(version, _)| *version);
    if let Some(found) = from.filter(|found| *found > newest_known()) {
        return Err(StoreError::SchemaTooNew { found, known: newest_known() });
    }
    let mut migrations = Vec::new();
    for migration in MIGRATIONS {
        match applied.get(&migration.version) {
            Some(known) if known.as_slice() == sha256(migration.text(tx.dialect()).as_bytes()) => {}
            Some(_) => return Err(StoreError::SchemaAltered { version: migration.version }),
            None => migrations.push(migration),
        }
    }
    Ok(Missing { from, migrations })
}

async fn apply(tx: &mut Tx, migrations: &[&'static Migration], now: DateTime<Utc>) -> Result<(), StoreError> {
    let dialect = tx.dialect();
    for migration in migrations {
        let text = migration.text(dialect);
        tx.script(text).await?;
        tx.execute(
            "INSERT INTO schema_version (version, name, digest, applied_at) VALUES ($1, $2, $3, $4)",
            args![migration.version, migration.name, sha256(text.as_bytes()).to_vec(), now],
        )
        .await?;
    }
    if !migrations.is_empty() && dialect == Dialect::Sqlite {
        tx.execute(APPLICATION_ID, args![]).await?;
    }
    Ok(())
}

/// Copies a database that is about to be changed, and checks the copy. Nothing was written in `tx` yet, so whoever looks
/// from another connection sees the database as it was, and nobody else changes it.
async fn keep_copy(
    tx: &mut Tx,
    migrated: &Migrated,
    now: DateTime<Utc>,
    copied: Option<&Path>,
) -> Result<Option<PathBuf>, StoreError> {
    let Migrated { from, to, .. } = *migrated;
    let Some(file) = copied else {
        match tx.dialect() {
            Dialect::Sqlite => {
                tracing::warn!(from, to, "the schema is brought up to date, and no copy is made before")
            }
            Dialect::Postgres => tracing::warn!(
                from,
                to,
                "the schema is brought up to date; the copy from before it is one of pg_dump, not of Watchpost"
            ),
        }
        return Ok(None);
    };
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let copy = file.with_file_name(format!("{stem}-{}-schema-{from}.db", now.format("%Y%m%dT%H%M%SZ")));
    tracing::info!(from, to, copy = %copy.display(), "the schema is brought up to date; the database is copied first");
    match backup::copy_before(tx, file, &copy, from).await {
        Ok(()) => Ok(Some(copy)),
        Err(source) => {
            let source = Box::new(source);
            Err(StoreError::NoCopy { from, to, path: copy, source })
        }
    }
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
