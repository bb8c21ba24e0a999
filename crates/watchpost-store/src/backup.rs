//! Backups of the database: a copy that counts only after it was checked.
//!
//! The copy is made by SQLite, or by `pg_dump`, while work goes on, of one moment, without what was erased and without free
//! pages. Then it is opened by itself, a dump in a database that is there for a while: its pages are checked, and its audit
//! trail is verified whole, so that its root is the one that its checkpoints were signed for.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::{ConnectOptions, Connection};
use watchpost_model::audit::AuditVerification;
use watchpost_model::clock::Clock;

use crate::audit::append::log_id_if_any;
use crate::audit::tree::Frontier;
use crate::audit::{verify, witness};
use crate::dump::{GoesOn, Programs, is_dump};
use crate::engine::{Db, Dialect, Tx, args};
use crate::error::StoreError;
use crate::migrate;
use crate::rehearsal::{self, Rehearsal};
use crate::store::Store;
use crate::target::{DatabaseTarget, postgres_options, sqlite_options};

/// What is counted in a copy that is rehearsed.
const COUNTED: &[(&str, &str, &str)] = &[
    ("SELECT COUNT(*) FROM event", "events", "Archived events"),
    ("SELECT COUNT(*) FROM finding", "findings", "Findings"),
    ("SELECT COUNT(*) FROM incident", "incidents", "Incidents"),
    ("SELECT COUNT(*) FROM report", "reports", "Reports"),
    ("SELECT COUNT(*) FROM register_entry", "register", "Entries of the register"),
];

/// A copy that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedCopy {
    /// Its size in bytes.
    pub bytes: u64,
    /// Newest migration in it.
    pub schema: i64,
    /// What checking its audit trail came to: whole, from the first record on.
    pub trail: AuditVerification,
}

impl Store {
    /// Copies the database to a file that is not there, while work goes on. Nobody has checked it then:
    /// [`Store::open_copy`] does.
    ///
    /// # Errors
    /// `Validation` if the file is there, `NoPrograms`, `Program`, `Cancelled`; what the database says.
    pub async fn copy_to(&self, path: &Path, goes_on: GoesOn<'_>) -> Result<(), StoreError> {
        match &self.inner.file {
            Some(own) => copy_file(own, path).await,
            None => {
                let mut tx = self.inner.db.begin_read().await?;
                let major = server_version(&mut tx).await?;
                drop(tx);
                dump_to(self.server()?, major, path, goes_on).await
            }
        }
    }

    /// Is what copies the database there? Of a SQLite file it always is.
    ///
    /// # Errors
    /// `NoPrograms`; what the database says.
    pub async fn copies_can_be_made(&self) -> Result<(), StoreError> {
        if self.inner.file.is_some() {
            return Ok(());
        }
        let mut tx = self.inner.db.begin_read().await?;
        let major = server_version(&mut tx).await?;
        drop(tx);
        Programs::for_server(major).await.map(drop)
    }

    /// How the file of a copy of this database ends.
    #[must_use]
    pub fn copy_ending(&self) -> &'static str {
        if self.inner.file.is_some() { ".db" } else { ".dump" }
    }

    /// Opens a plain copy for a look: a SQLite file as it lies there, a dump in a database for a while on the server of this
    /// store. [`OpenCopy::end`] removes that one.
    ///
    /// # Errors
    /// `NotFound`, `BrokenCopy`, `NoPrograms`, `NoPlace`, `Program`, `Cancelled`; `Validation` for a dump where this store is
    /// a file; what the server says.
    pub async fn open_copy(&self, path: &Path, goes_on: GoesOn<'_>) -> Result<OpenCopy, StoreError> {
        if !path.is_file() {
            return Err(StoreError::NotFound(format!("the file {}", path.display())));
        }
        if !is_dump(path).map_err(|error| StoreError::Unavailable(sqlx::Error::Io(error)))? {
            return Ok(OpenCopy { path: path.to_owned(), place: None });
        }
        let server = self.server()?;
        let mut tx = self.inner.db.begin_read().await?;
        let major = server_version(&mut tx).await?;
        drop(tx);
        OpenCopy::of_dump(path, server, major, self.inner.clock.now(), goes_on).await
    }

    /// Is a name free for a new database on the server of this store?
    ///
    /// # Errors
    /// `Validation` for a name that is none, or where this store is a file; `Conflict` if a database has it.
    pub async fn database_name_is_free(&self, name: &str) -> Result<(), StoreError> {
        rehearsal::is_free(self.server()?, name).await
    }

    fn server(&self) -> Result<&DatabaseTarget, StoreError> {
        self.inner.server.as_ref().ok_or_else(|| {
            StoreError::Validation(
                "a copy of a PostgreSQL database is put back on a server, and this connection has a SQLite file: take a \
                 connection to a PostgreSQL server"
                    .to_owned(),
            )
        })
    }

    /// How many rows there are of what people look for: name, title, number.
    ///
    /// # Errors
    /// What the database says.
    pub async fn row_counts(&self) -> Result<Vec<(&'static str, &'static str, u64)>, StoreError> {
        let mut tx = self.read().await?;
        let mut counts = Vec::with_capacity(COUNTED.len());
        for (sql, name, title) in COUNTED {
            counts.push((*name, *title, tx.fetch_one(*sql, args![]).await?.u64(0)?));
        }
        Ok(counts)
    }
}

/// Has SQLite copy the database in `own` to a file that is not there.
async fn copy_file(own: &Path, path: &Path) -> Result<(), StoreError> {
    let text = path
        .to_str()
        .ok_or_else(|| StoreError::Validation("the name of the file is not UTF-8".to_owned()))?;
    private_file(path)?;
    let mut connection = sqlite_options(own).create_if_missing(false).connect().await?;
    let copied = sqlx::query("VACUUM INTO $1").bind(text).execute(&mut connection).await;
    connection.close().await?;
    copied.map_err(|error| of_place(path, error.into()))?;
    // SQLite does not wait for the disk here.
    let synced = std::fs::File::open(path).and_then(|file| file.sync_all());
    synced.map_err(|error| not_written(path, error))
}

/// Copies the database in `own`, which `tx` keeps as it is, to a file that is not there, and checks the copy as far as this
/// version knows an older schema: its pages, its schema, and that its log has the same head and the same leaves. What failed
/// leaves no file.
pub(crate) async fn copy_before(tx: &mut Tx, own: &Path, path: &Path, schema: i64) -> Result<(), StoreError> {
    // What is there already is not ours to remove.
    if path.exists() {
        return Err(StoreError::Validation(format!("{} is there already", path.display())));
    }
    let done = match copy_file(own, path).await {
        Ok(()) => {
            let copy = Db::look_at_file(path);
            let checked = check_before(tx, &copy, schema).await;
            copy.end_look().await;
            checked
        }
        Err(error) => Err(error),
    };
    if done.is_err() {
        drop(std::fs::remove_file(path));
    }
    done
}

/// The same of a database of a server, as far as there is a place to look at the copy: a login that may change tables need
/// not be one that may make databases. Why there was none, if so.
pub(crate) async fn dump_before(
    tx: &mut Tx,
    server: &DatabaseTarget,
    path: &Path,
    schema: i64,
    now: DateTime<Utc>,
) -> Result<Option<String>, StoreError> {
    let major = server_version(tx).await?;
    dump_to(server, major, path, &|| true).await?;
    let done = match OpenCopy::of_dump(path, server, major, now, &|| true).await {
        Ok(copy) => {
            let checked = match copy.look().await {
                Ok(look) => {
                    let checked = check_before(tx, &look, schema).await;
                    look.end_look().await;
                    checked
                }
                Err(error) => Err(error),
            };
            copy.end().await;
            checked.map(|()| None)
        }
        Err(StoreError::NoPlace(why)) => {
            tracing::warn!(copy = %path.display(), "the copy from before the new schema was not tried: {why}");
            Ok(Some(why))
        }
        Err(error) => Err(error),
    };
    if done.is_err() {
        drop(std::fs::remove_file(path));
    }
    done
}

/// Has `pg_dump` copy a database of a server to a file that is not there. What failed leaves no file.
async fn dump_to(
    server: &DatabaseTarget,
    major: u32,
    path: &Path,
    goes_on: GoesOn<'_>,
) -> Result<(), StoreError> {
    let programs = Programs::for_server(major).await?;
    private_file(path)?;
    let done = match programs.dump(server, path, goes_on).await {
        Ok(()) => std::fs::File::open(path)
            .and_then(|file| file.sync_all())
            .map_err(|error| not_written(path, error)),
        Err(error) => Err(of_place(path, error)),
    };
    if done.is_err() {
        drop(std::fs::remove_file(path));
    }
    done
}

/// The major version of the server.
async fn server_version(tx: &mut Tx) -> Result<u32, StoreError> {
    let row =
        tx.fetch_one("SELECT CAST(current_setting('server_version_num') AS BIGINT) / 10000", args![]).await?;
    u32::try_from(row.i64(0)?).map_err(|error| StoreError::Corrupt(error.to_string()))
}

async fn check_before(tx: &mut Tx, copy: &Db, schema: i64) -> Result<(), StoreError> {
    let mut look = copy.begin_read().await?;
    whole_pages(&mut look).await?;
    if migrate::newest_applied(&mut look).await? != Some(schema) {
        return Err(StoreError::NotADatabase("the copy has another schema than the database".to_owned()));
    }
    // Whether a trail holds is a matter of its own: one that does not is kept as it is. On a server others may have gone on
    // with it meanwhile.
    let (log, head) = witness::head(&mut look).await?;
    let size = head.size().cast_signed();
    let (of_copy, own) = (leaves(&mut look, size).await?, leaves(tx, size).await?);
    if log == witness::head(tx).await?.0 && of_copy == own {
        Ok(())
    } else {
        Err(StoreError::NotADatabase("the copy has another audit trail than the database".to_owned()))
    }
}

/// The tree of so many leaves of a log, up to the first one that is missing.
async fn leaves(tx: &mut Tx, size: i64) -> Result<Frontier, StoreError> {
    let mut tree = Frontier::default();
    witness::extend(tx, &mut tree, size).await?;
    Ok(tree)
}

/// Refuses a file whose pages are damaged. What PostgreSQL put back it has read whole.
async fn whole_pages(tx: &mut Tx) -> Result<(), StoreError> {
    if tx.dialect() == Dialect::Postgres {
        return Ok(());
    }
    let rows = tx.fetch("PRAGMA integrity_check(1)", args![]).await?;
    let said = rows.first().map(|row| row.text(0)).transpose()?.unwrap_or_default();
    if said == "ok" { Ok(()) } else { Err(StoreError::Damaged(said)) }
}

/// Makes an empty file that nobody else reads, which SQLite then fills: a copy holds keys from its first byte on.
fn private_file(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::OpenOptionsExt;
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(StoreError::Validation(format!("{} is there already", path.display())))
        }
        Err(error) => Err(not_written(path, error)),
    }
}

/// The database is there; it is the place of the copy that is not right.
fn not_written(path: &Path, source: std::io::Error) -> StoreError {
    let folder = path.parent().unwrap_or(path).to_owned();
    match source.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::NoRoom { folder },
        _ => StoreError::Folder { folder, source },
    }
}

/// The same of what SQLite or `pg_dump` says while it writes a copy. The database is only read then: what is full is the place
/// of the copy, unless a server says that it is its own.
fn of_place(path: &Path, error: StoreError) -> StoreError {
    let is_full = match &error {
        StoreError::DiskFull(_) => true,
        StoreError::Program { said, .. } => {
            !said.contains("ERROR:")
                && ["No space left on device", "Disk quota exceeded"].iter().any(|words| said.contains(words))
        }
        _ => false,
    };
    if is_full { not_written(path, ErrorKind::StorageFull.into()) } else { error }
}

/// A plain copy that can be looked into: a file of SQLite, or a dump of PostgreSQL in a database that is there for a while.
#[derive(Debug)]
pub struct OpenCopy {
    path: PathBuf,
    place: Option<Rehearsal>,
}

impl OpenCopy {
    async fn of_dump(
        path: &Path,
        server: &DatabaseTarget,
        major: u32,
        now: DateTime<Utc>,
        goes_on: GoesOn<'_>,
    ) -> Result<Self, StoreError> {
        let programs = Programs::for_server(major).await?;
        let place = Rehearsal::make(server, now).await?;
        match programs.restore(path, &place.target(), goes_on).await {
            Ok(()) => Ok(Self { path: path.to_owned(), place: Some(place) }),
            Err(error) => {
                place.end().await;
                Err(error)
            }
        }
    }

    /// Is it a dump of PostgreSQL?
    #[must_use]
    pub fn is_dump(&self) -> bool {
        self.place.is_some()
    }

    /// The database that it is now; who works with it changes the file of SQLite itself.
    #[must_use]
    pub fn target(&self) -> DatabaseTarget {
        match &self.place {
            None => DatabaseTarget::Sqlite { path: self.path.clone() },
            Some(place) => place.target(),
        }
    }

    /// Checks it by itself; writes nothing into it.
    ///
    /// `progress` as in [`Store::audit_verify`].
    ///
    /// # Errors
    /// `BrokenCopy` if it is none or its pages are damaged, `SchemaTooNew`, `Cancelled`; what the database says. A trail
    /// that does not hold is an answer.
    pub async fn check(
        &self,
        clock: Arc<dyn Clock>,
        progress: &(dyn Fn(u64, u64) -> bool + Send + Sync),
    ) -> Result<CheckedCopy, StoreError> {
        let db = self.look().await?;
        let result = check(&db, clock, progress).await;
        db.end_look().await;
        let (schema, trail) = result.map_err(broken)?;
        let about = std::fs::metadata(&self.path);
        let bytes = about.map_err(|error| StoreError::Unavailable(sqlx::Error::Io(error)))?.len();
        Ok(CheckedCopy { bytes, schema, trail })
    }

    /// The id of its log, and how many records it has; writes nothing into it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn log(&self) -> Result<(String, i64), StoreError> {
        let db = self.look().await?;
        let result = async {
            let mut tx = db.begin_read().await?;
            let (log, tree) = witness::head(&mut tx).await?;
            Ok((log, tree.size().cast_signed()))
        }
        .await;
        db.end_look().await;
        result
    }

    /// Its log and the erasures that it knows of; writes nothing into it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn erasures(&self) -> Result<(String, BTreeSet<String>), StoreError> {
        let db = self.look().await?;
        let result = async {
            let mut tx = db.begin_read().await?;
            let log = log_id_if_any(&mut tx).await?.unwrap_or_default();
            let mut known = BTreeSet::new();
            // A copy that is older than erasures knows of none.
            if tx.fetch_optional(tx.dialect().table_exists(), args!["erasure"]).await?.is_some() {
                for row in tx.fetch("SELECT id FROM erasure", args![]).await? {
                    known.insert(row.text(0)?);
                }
            }
            Ok((log, known))
        }
        .await;
        db.end_look().await;
        result
    }

    /// Keeps the database of a dump for good, under a name that no database has. Nobody may be connected to it.
    ///
    /// # Errors
    /// `Conflict` if one has it; `Validation` for a copy that is a file; what the server says. It is still there then.
    pub async fn keep_as(&self, name: &str) -> Result<(), StoreError> {
        match &self.place {
            Some(place) => place.keep_as(name).await,
            None => Err(StoreError::Validation("the copy is a file".to_owned())),
        }
    }

    /// Removes the database that was there for a while.
    pub async fn end(self) {
        if let Some(place) = &self.place {
            place.end().await;
        }
    }

    async fn look(&self) -> Result<Db, StoreError> {
        match postgres_options(&self.target()) {
            None => Ok(Db::look_at_file(&self.path)),
            Some(options) => Db::open_postgres(options).await,
        }
    }
}

/// A copy that cannot be read is told from a database that cannot.
fn broken(error: StoreError) -> StoreError {
    match error {
        StoreError::NotADatabase(said) | StoreError::Damaged(said) => StoreError::BrokenCopy(said),
        other => other,
    }
}

async fn check(
    db: &Db,
    clock: Arc<dyn Clock>,
    progress: &(dyn Fn(u64, u64) -> bool + Send + Sync),
) -> Result<(i64, AuditVerification), StoreError> {
    let mut tx = db.begin_read().await?;
    whole_pages(&mut tx).await?;
    let schema = migrate::newest_applied(&mut tx).await?;
    let schema =
        schema.ok_or_else(|| StoreError::NotADatabase("it has no schema of Watchpost".to_owned()))?;
    if schema > migrate::newest_known() {
        return Err(StoreError::SchemaTooNew { found: schema, known: migrate::newest_known() });
    }
    drop(tx);
    let store = Store::over(db.clone(), clock);
    let look = store.snapshot().await?;
    let trail = Box::pin(verify::whole(&look, progress)).await?;
    Ok((schema, trail))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::of_place;
    use crate::error::StoreError;

    #[test]
    fn a_full_place_of_a_copy_is_told_from_a_full_database() {
        let told = |said: &str| {
            let error = StoreError::Program { program: "pg_dump", said: said.to_owned() };
            of_place(Path::new("/copies/one.dump"), error).to_string()
        };
        let here = told("pg_dump: error: could not write to output file: No space left on device");
        assert_eq!(here, "no space is left in the folder /copies for the copy of the database");
        let there =
            told("pg_dump: error: query failed: ERROR:  could not write to file: No space left on device");
        assert!(there.starts_with("pg_dump failed"), "{there}");
        assert!(
            told("pg_dump: error: query failed: ERROR:  permission denied").starts_with("pg_dump failed")
        );
    }
}
