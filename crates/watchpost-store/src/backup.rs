//! Backups of the database: a copy that counts only after it was checked.
//!
//! The copy is made by SQLite while work goes on, of one moment, without what was erased and without free pages. Then it
//! is opened by itself: its pages are checked, and its audit trail is verified whole, so that its root is the one that
//! its checkpoints were signed for.

use std::collections::BTreeSet;
use std::path::Path;

use sqlx::{ConnectOptions, Connection};
use watchpost_model::audit::AuditVerification;

use crate::audit::append::log_id_if_any;
use crate::audit::tree::Frontier;
use crate::audit::{verify, witness};
use crate::engine::{Db, Tx, args};
use crate::error::StoreError;
use crate::migrate;
use crate::store::Store;
use crate::target::sqlite_options;

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
    /// [`check_copy`] does.
    ///
    /// # Errors
    /// `Precondition` on PostgreSQL, which has its own tools; `Validation` if the file is there; what the database says.
    pub async fn copy_to(&self, path: &Path) -> Result<(), StoreError> {
        copy_file(self.copied_file()?, path).await
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

    /// The file of the database, where Watchpost can copy it.
    ///
    /// # Errors
    /// `Precondition` on PostgreSQL, which has its own tools.
    pub fn copied_file(&self) -> Result<&Path, StoreError> {
        self.inner.file.as_deref().ok_or_else(|| {
            StoreError::Precondition(
                "PostgreSQL is backed up with its own tools: pg_dump -Fc, or a base backup".to_owned(),
            )
        })
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
    copied?;
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

async fn check_before(tx: &mut Tx, copy: &Db, schema: i64) -> Result<(), StoreError> {
    let mut look = copy.begin_read().await?;
    whole_pages(&mut look).await?;
    if migrate::newest_applied(&mut look).await? != Some(schema) {
        return Err(StoreError::NotADatabase("the copy has another schema than the database".to_owned()));
    }
    // Whether a trail holds is a matter of its own: one that does not is kept as it is.
    if trail(&mut look).await? == trail(tx).await? {
        Ok(())
    } else {
        Err(StoreError::NotADatabase("the copy has another audit trail than the database".to_owned()))
    }
}

/// Id and head of a log, and the tree of its leaves up to the first one that is missing.
async fn trail(tx: &mut Tx) -> Result<(String, Frontier, Frontier), StoreError> {
    let (log, head) = witness::head(tx).await?;
    let mut tree = Frontier::default();
    witness::extend(tx, &mut tree, head.size().cast_signed()).await?;
    Ok((log, head, tree))
}

/// Refuses a file whose pages are damaged.
async fn whole_pages(tx: &mut Tx) -> Result<(), StoreError> {
    let rows = tx.fetch("PRAGMA integrity_check(1)", args![]).await?;
    let said = rows.first().map(|row| row.text(0)).transpose()?.unwrap_or_default();
    if said == "ok" { Ok(()) } else { Err(StoreError::NotADatabase(said)) }
}

/// Makes an empty file that nobody else reads, which SQLite then fills: a copy holds keys from its first byte on.
fn private_file(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::OpenOptionsExt;
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            Err(StoreError::Validation(format!("{} is there already", path.display())))
        }
        Err(error) => Err(not_written(path, error)),
    }
}

/// The database is there; it is the place of the copy that is not right.
fn not_written(path: &Path, source: std::io::Error) -> StoreError {
    let folder = path.parent().unwrap_or(path).to_owned();
    StoreError::Folder { folder, source }
}

/// Checks a copy by itself; writes nothing into it.
///
/// `progress` as in [`Store::audit_verify`].
///
/// # Errors
/// `NotADatabase` if it is none or its pages are damaged, `SchemaTooNew`, `Cancelled`; what the database says. A trail
/// that does not hold is an answer.
pub async fn check_copy(
    path: &Path,
    clock: std::sync::Arc<dyn watchpost_model::clock::Clock>,
    progress: &(dyn Fn(u64, u64) -> bool + Send + Sync),
) -> Result<CheckedCopy, StoreError> {
    if !path.is_file() {
        return Err(StoreError::NotFound(format!("the file {}", path.display())));
    }
    let db = Db::look_at_file(path);
    let result = check(&db, clock, progress).await;
    db.end_look().await;
    let (schema, trail) = result?;
    let bytes =
        std::fs::metadata(path).map_err(|error| StoreError::Unavailable(sqlx::Error::Io(error)))?.len();
    Ok(CheckedCopy { bytes, schema, trail })
}

/// The id of the log of a copy, and how many records it has; writes nothing into the copy.
///
/// # Errors
/// What the database says.
pub async fn log_of_copy(path: &Path) -> Result<(String, i64), StoreError> {
    let db = Db::look_at_file(path);
    let result = async {
        let mut tx = db.begin_read().await?;
        let (log, tree) = witness::head(&mut tx).await?;
        Ok((log, tree.size().cast_signed()))
    }
    .await;
    db.end_look().await;
    result
}

/// The log of a copy and the erasures that it knows of; writes nothing into it.
///
/// # Errors
/// What the database says.
pub async fn erasures_of_copy(path: &Path) -> Result<(String, BTreeSet<String>), StoreError> {
    let db = Db::look_at_file(path);
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

async fn check(
    db: &Db,
    clock: std::sync::Arc<dyn watchpost_model::clock::Clock>,
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
    let store = Store::over(db.clone(), clock, None);
    let look = store.snapshot().await?;
    let trail = Box::pin(verify::whole(&look, progress)).await?;
    Ok((schema, trail))
}
