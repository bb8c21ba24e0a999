//! The schema: migration files are only ever added, with the same numbers for both engines.
//!
//! All missing migrations are applied in one transaction under a lock, so two processes that start at once are safe:
//! the second waits and finds the work done. Where nothing is missing no lock is taken. The database is copied first, while that lock is held: the copy of a SQLite file is the
//! database as it was, and that of a server what `pg_dump` found in it a moment before.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::backup;
use crate::canonical::sha256;
use crate::engine::{Db, Dialect, Tx, args};
use crate::error::StoreError;
use crate::target::DatabaseTarget;

mod turn;

pub(crate) use turn::is_busy;

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
    migration!(20261122000033, "event_partitions"),
    migration!(20261122000034, "audit_permission"),
    migration!(20261122000035, "audit_action"),
    migration!(20261123000036, "audit_form"),
    migration!(20261123000037, "own_keys"),
    migration!(20261123000038, "incident_urgency"),
    migration!(20261123000039, "approval_login"),
    migration!(20261123000040, "busy_names"),
    migration!(20261124000041, "hour_counts"),
    migration!(20261124000042, "day_indexes"),
];

/// How often the schema is changed where others at a server wait for it crosswise.
const TRIES: u32 = 3;

/// `WPST`, so that tools such as `file` know the file.
const APPLICATION_ID: &str = "PRAGMA application_id = 1465926484";

/// The newest migration that this version knows.
pub(crate) fn newest_known() -> i64 {
    MIGRATIONS.last().map_or(0, |migration| migration.version)
}

/// How many migrations this version knows.
pub(crate) fn number_known() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
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
    /// The checked copy of it as it was, unless none was wanted or could be made: beside a SQLite file, in the folder that was
    /// named for a server.
    pub copy: Option<PathBuf>,
    /// Why the copy of a server's database was not checked, and is kept all the same.
    pub unverified: Option<String>,
    /// Why no copy of a server's database could be made.
    pub no_copy: Option<String>,
}

/// What is copied before a schema is changed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Copied<'a> {
    /// Nothing: whoever starts this wants no copy.
    Nothing,
    /// Nothing: it is itself a copy, put somewhere for a while.
    Scratch,
    /// A file, beside it.
    File(&'a Path),
    /// A database of a server, into a folder of this machine.
    Server {
        /// It.
        server: &'a DatabaseTarget,
        /// The folder, which is made.
        folder: &'a Path,
    },
}

impl Migration {
    const fn text(&self, dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::Sqlite => self.sqlite,
            Dialect::Postgres => self.postgres,
        }
    }
}

/// Brings the schema up to this version; `None` if there was none, or nothing to do. `copied` is what is copied
/// before it is changed.
///
/// # Errors
/// `SchemaTooNew` if the database is ahead; `SchemaTooOld` if this login may not bring it up to date; `SchemaAltered` if an
/// applied file differs; `NotADatabase` for foreign files; `NoCopy`, and nothing was changed.
pub(crate) async fn migrate(
    db: &Db,
    now: DateTime<Utc>,
    copied: Copied<'_>,
) -> Result<Option<Migrated>, StoreError> {
    for _ in 1..TRIES {
        match Box::pin(try_once(db, now, copied)).await {
            // Whoever made a long look at a server waited for this, and this for it; nothing was changed.
            Err(error) if error.is_retryable() => {
                tracing::warn!(%error, "somebody read what is to be changed: the schema is tried again");
            }
            done => return done,
        }
    }
    Box::pin(try_once(db, now, copied)).await
}

async fn try_once(db: &Db, now: DateTime<Utc>, copied: Copied<'_>) -> Result<Option<Migrated>, StoreError> {
    if lacks_nothing(db).await? {
        return Ok(None);
    }
    let mut tx = turn::wait(db, turn::TRIES, &mut || {
        tracing::warn!(
            "another process is changing this database (its schema, perhaps): waiting until it is done"
        );
    })
    .await?;
    let dialect = tx.dialect();
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
    let mut migrated =
        Migrated { from: migrated, to: newest_known(), copy: None, unverified: None, no_copy: None };
    Box::pin(keep_copy(&mut tx, &mut migrated, now, copied)).await?;
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

/// Looks whether nothing is to be changed, and waits for nobody for that.
async fn lacks_nothing(db: &Db) -> Result<bool, StoreError> {
    match look(db).await {
        // A file that cannot even be read for now is waited for.
        Err(StoreError::Unavailable(error)) if is_busy(&error) => Ok(false),
        seen => seen,
    }
}

async fn look(db: &Db) -> Result<bool, StoreError> {
    let mut tx = db.begin_read().await?;
    refuse_foreign(&mut tx).await?;
    if tx.fetch_optional(tx.dialect().table_exists(), args!["schema_version"]).await?.is_none() {
        return Ok(false);
    }
    let missing = missing(&mut tx).await?;
    if missing.migrations.is_empty() {
        return Ok(true);
    }
    // Only their owner may change the tables of a server.
    if let Some(found) = missing.from
        && tx.dialect() == Dialect::Postgres
        && !owns_tables(&mut tx).await?
    {
        return Err(StoreError::SchemaTooOld { found, known: newest_known() });
    }
    Ok(false)
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
/// from another connection sees the database as it was, and nobody else changes its schema.
///
/// Where the programs that copy a server's database are not there the schema is changed all the same, and it is told: all of
/// it is one transaction, a server has backups of its own, and a daemon that does not start watches nothing.
async fn keep_copy(
    tx: &mut Tx,
    migrated: &mut Migrated,
    now: DateTime<Utc>,
    copied: Copied<'_>,
) -> Result<(), StoreError> {
    let (from, to) = (migrated.from, migrated.to);
    let at = now.format("%Y%m%dT%H%M%SZ").to_string();
    let copy = match copied {
        Copied::Nothing => {
            tracing::warn!(from, to, "the schema is brought up to date, and no copy is made before");
            return Ok(());
        }
        Copied::Scratch => {
            tracing::debug!(from, to, "the schema of a scratch copy is brought up to date");
            return Ok(());
        }
        Copied::File(file) => {
            let stem = file.file_stem().unwrap_or_default().to_string_lossy();
            free(file.parent().unwrap_or(Path::new("")), &format!("{stem}-{at}-schema-{from}"), ".db")
        }
        Copied::Server { server, folder } => {
            let stem = server.plain_name();
            free(folder, &format!("{stem}-{at}-schema-{from}"), ".dump")
        }
    };
    tracing::info!(from, to, copy = %copy.display(), "the schema is brought up to date; the database is copied first");
    let done = match copied {
        Copied::Nothing | Copied::Scratch => Ok(None),
        Copied::File(file) => backup::copy_before(tx, file, &copy, from).await.map(|()| None),
        Copied::Server { server, folder } => match make_folder(folder) {
            Ok(()) => backup::dump_before(tx, server, &copy, from, now).await,
            Err(error) => Err(error),
        },
    };
    match done {
        Ok(unverified) => {
            (migrated.copy, migrated.unverified) = (Some(copy), unverified);
            Ok(())
        }
        Err(StoreError::NoPrograms(why)) => {
            tracing::warn!(from, to, "the schema is brought up to date, and no copy is made before: {why}");
            migrated.no_copy = Some(why);
            Ok(())
        }
        Err(source) => {
            let source = Box::new(source);
            Err(StoreError::NoCopy { from, to, path: copy, source })
        }
    }
}

/// The first of the names of a copy that is free: one of this second may be left of a process that was killed.
fn free(folder: &Path, name: &str, ending: &str) -> PathBuf {
    let first = folder.join(format!("{name}{ending}"));
    if !first.exists() {
        return first;
    }
    let mut others = (2..100).map(|n| folder.join(format!("{name}-{n}{ending}")));
    others.find(|path| !path.exists()).unwrap_or(first)
}

/// 1 if this login at a server has the rights of the owner of the tables.
pub(crate) const OWNS_TABLES: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM pg_catalog.pg_class \
    WHERE oid = to_regclass('schema_version') AND pg_has_role(current_user, relowner, 'USAGE')";

/// Has this login at a server the rights of the owner of the tables?
async fn owns_tables(tx: &mut Tx) -> Result<bool, StoreError> {
    Ok(tx.fetch_one(OWNS_TABLES, args![]).await?.i64(0)? == 1)
}

/// Makes a folder that nobody else looks into.
fn make_folder(folder: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|source| StoreError::Folder { folder: folder.to_owned(), source })
}

/// A SQLite file with tables that are not ours is somebody else's.
pub(crate) async fn refuse_foreign(tx: &mut Tx) -> Result<(), StoreError> {
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
