//! The copies of the audit database that its audit trail names.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use watchpost_model::audit::{AuditFilter, AuditOutcome, AuditRecord, JOB_ENDED};
use watchpost_model::job::JobState;
use watchpost_store::Store;

use super::database_migrated::MIGRATE;
use crate::error::OpError;

/// The operation whose records name copies.
const COPY: &str = "database_copy_run";
/// The operation that makes one by hand.
const BACKUP: &str = "database_backup";
/// The operation that tries one.
const REHEARSE: &str = "database_rehearse_run";
/// The fact of a copy that could not be tried.
pub(super) const UNVERIFIED: &str = "unverified";

/// A copy, as the audit trail names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KnownCopy {
    pub(super) path: PathBuf,
    pub(super) sha256: String,
    pub(super) at: DateTime<Utc>,
    /// It was checked when it was made.
    pub(super) verified: bool,
}

/// The copies that the audit trail names, newest first; whether they are still there is another matter.
pub(super) async fn known_copies(store: &Store) -> Result<Vec<KnownCopy>, OpError> {
    Ok(newest_of_each(named(store, COPY, copy_of).await?))
}

/// The same of those that were made before the schema was changed. They are no copies of the database as it is.
pub(super) async fn older_copies(store: &Store) -> Result<Vec<KnownCopy>, OpError> {
    Ok(newest_of_each(named(store, MIGRATE, file_of).await?))
}

/// The same copies, where what could not be tried when it was made counts as verified once a rehearsal found it whole.
pub(super) async fn with_rehearsals(
    store: &Store,
    mut copies: Vec<KnownCopy>,
) -> Result<Vec<KnownCopy>, OpError> {
    if copies.iter().all(|copy| copy.verified) {
        return Ok(copies);
    }
    let tried = named(store, REHEARSE, copy_of).await?;
    let tried: BTreeSet<String> = tried.into_iter().map(|copy| copy.sha256).collect();
    for copy in &mut copies {
        copy.verified |= tried.contains(&copy.sha256);
    }
    Ok(copies)
}

/// What the audit trail tells of a file that somebody had made by hand (`database backup`): the newest record that names it.
pub(super) async fn backed_up(store: &Store, path: &Path) -> Result<Option<KnownCopy>, OpError> {
    Ok(named(store, BACKUP, by_hand).await?.into_iter().find(|copy| copy.path == path))
}

/// When the copy was made that these bytes are; `None` where the audit trail names no copy with this SHA-256.
///
/// # Errors
/// `Precondition` where it names the file with another one.
pub(super) async fn origin(
    store: &Store,
    path: &Path,
    sha256: &str,
) -> Result<Option<DateTime<Utc>>, OpError> {
    let mut known = named(store, COPY, copy_of).await?;
    known.extend(named(store, MIGRATE, file_of).await?);
    known.extend(named(store, BACKUP, by_hand).await?);
    if let Some(copy) = known.iter().find(|copy| copy.sha256 == sha256) {
        return Ok(Some(copy.at));
    }
    match known.iter().find(|copy| copy.path == path) {
        Some(told) => Err(altered(path, told)),
        None => Ok(None),
    }
}

/// What stands at the place of a copy is another file than the audit trail says.
pub(super) fn altered(path: &Path, told: &KnownCopy) -> OpError {
    OpError::precondition(format!(
        "{} is not the copy that was made: the audit trail says SHA-256 {}",
        path.display(),
        told.sha256
    ))
    .hint("it was altered, or another file stands in its place: take another copy")
}

/// What the records of an action name, newest first; a file as often as it was made.
async fn named(
    store: &Store,
    action: &str,
    of: fn(&AuditRecord) -> Option<KnownCopy>,
) -> Result<Vec<KnownCopy>, OpError> {
    let filter = AuditFilter {
        action: Some(action.to_owned()),
        outcome: Some(AuditOutcome::Success),
        ..AuditFilter::default()
    };
    let (mut known, mut before) = (Vec::new(), None);
    loop {
        let page = store.audit_page(&filter, before, 500).await?;
        let Some(last) = page.last().map(|record| record.seq) else { return Ok(known) };
        known.extend(page.iter().filter_map(of));
        before = Some(last);
    }
}

fn newest_of_each(mut copies: Vec<KnownCopy>) -> Vec<KnownCopy> {
    let mut seen = BTreeSet::new();
    copies.retain(|copy| seen.insert(copy.path.clone()));
    copies
}

/// The copy that the end of a job tells of. One that was stopped made none.
fn copy_of(record: &AuditRecord) -> Option<KnownCopy> {
    if said(record, JOB_ENDED)? != JobState::Done.as_str() {
        return None;
    }
    file_of(record)
}

fn file_of(record: &AuditRecord) -> Option<KnownCopy> {
    of_path(record, PathBuf::from(said(record, "file")?))
}

fn by_hand(record: &AuditRecord) -> Option<KnownCopy> {
    of_path(record, PathBuf::from(record.object.strip_prefix("file/")?))
}

fn of_path(record: &AuditRecord, path: PathBuf) -> Option<KnownCopy> {
    let sha256 = said(record, "sha256")?.to_owned();
    let verified = said(record, UNVERIFIED).is_none();
    Some(KnownCopy { path, sha256, at: record.at, verified })
}

fn said<'r>(record: &'r AuditRecord, field: &str) -> Option<&'r str> {
    record.changes.iter().find(|change| change.field == field)?.new.as_str()
}
