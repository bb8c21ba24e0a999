//! The copy of a database from before its schema was changed: it goes where copies of the database go, and stands in the
//! audit trail like them.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tokio_util::sync::CancellationToken;
use watchpost_model::access::Permission;
use watchpost_model::audit::{AuditDraft, AuditOutcome, Change};
use watchpost_model::job::JobKind;

use super::database::{Part, digest, place_free};
use super::database_copies::ENCRYPTED;
use super::database_named::UNVERIFIED;
use super::plan;
use super::scratch::take;
use crate::age_file::{self, Locked};
use crate::blocking::off_the_runtime;
use crate::console::Workspace;
use crate::engine::engine_caller;
use crate::error::{ErrorCode, OpError};

/// How bringing a schema up to date is called in the trail.
pub(super) const MIGRATE: &str = "database_migrate";

/// A copy where it stays.
struct Kept {
    path: PathBuf,
    sha256: String,
    encryption: Option<String>,
}

/// Records that the schema was brought up to date, if it was when the database was opened, and takes the copy from before
/// that to the folder of copies, encrypted as they are. What cannot be taken there stays where it was made.
///
/// # Errors
/// What the database says.
pub(crate) async fn keep_migrated(workspace: &Workspace) -> Result<(), OpError> {
    let Some(migrated) = workspace.store().migrated() else { return Ok(()) };
    let mut changes = vec![Change::new("schema", migrated.from, migrated.to)];
    if let Some(beside) = &migrated.copy {
        let kept = match taken(workspace, beside, migrated.from).await {
            Ok(Some(kept)) => kept,
            Ok(None) => as_it_is(beside).await?,
            Err(problem) => {
                let copy = beside.display();
                tracing::warn!(%problem, %copy, "the copy from before the new schema stays where it was made");
                as_it_is(beside).await?
            }
        };
        let fact = |name: &str, value: String| Change::new(name, Value::Null, value);
        changes.push(fact("file", kept.path.display().to_string()));
        changes.push(fact("sha256", kept.sha256));
        changes.extend(kept.encryption.map(|whom| fact("encryption", whom)));
        changes.extend(migrated.unverified.clone().map(|why| fact(UNVERIFIED, why)));
    }
    if let Some(why) = &migrated.no_copy {
        changes.push(Change::new("copy", Value::Null, format!("none: {why}")));
    }
    let record = AuditDraft {
        caller: engine_caller(),
        action: MIGRATE.to_owned(),
        object: "database".to_owned(),
        permission: Permission::Maintain,
        outcome: AuditOutcome::Success,
        changes,
        reason: None,
        at: workspace.now(),
        risk: 0,
    };
    workspace.store().audit_append(record).await?;
    Ok(())
}

async fn as_it_is(beside: &Path) -> Result<Kept, OpError> {
    let file = beside.to_owned();
    let sha256 = off_the_runtime(move || digest(&file)).await?;
    let sha256 = sha256.map_err(|error| OpError::unreadable("path", beside, error))?;
    Ok(Kept { path: beside.to_owned(), sha256, encryption: None })
}

/// Takes a copy to where the plan has them, as it has them; `None` where the plan says nothing of copies.
async fn taken(workspace: &Workspace, beside: &Path, schema: i64) -> Result<Option<Kept>, OpError> {
    let plan = plan::current(workspace).await?;
    let Some(job) = plan.job(JobKind::DatabaseBackup) else { return Ok(None) };
    let locked = job.encryption.as_ref().map(Locked::by).transpose()?;
    let folder = match &job.folder {
        Some(folder) => PathBuf::from(folder),
        None if locked.is_none() => return Ok(None),
        None => beside.parent().map(Path::to_owned).unwrap_or_default(),
    };
    let encryption = locked.as_ref().map(Locked::describe);
    let (plain, encrypted) = (workspace.store().copy_ending(), if locked.is_some() { ENCRYPTED } else { "" });
    let (stem, at) = (plan::stem(workspace), workspace.now().format("%Y%m%dT%H%M%SZ"));
    let path = folder.join(format!("{stem}{at}-schema-{schema}{plain}{encrypted}"));
    let part = Part::of(&path);
    let (from, to) = (beside.to_owned(), part.path().to_owned());
    let written = off_the_runtime(move || {
        let stop = CancellationToken::new();
        match locked {
            Some(locked) => age_file::lock(&from, &to, &locked, &stop).map(|(_, sha256)| sha256),
            None => {
                let sha256 = take(&from, &to, &stop)?;
                std::fs::File::open(&to)?.sync_all()?;
                if digest(&to)? == sha256 {
                    Ok(sha256)
                } else {
                    Err(std::io::Error::other("it does not read back as it was written"))
                }
            }
        }
    });
    let sha256 = written.await?.map_err(|error| {
        OpError::new(ErrorCode::Unavailable, format!("{} cannot be written: {error}", path.display()))
    })?;
    let path = place_free(&part, &path)?;
    if let Err(error) = std::fs::remove_file(beside) {
        tracing::warn!(%error, copy = %beside.display(), "a copy that was taken elsewhere cannot be removed");
    }
    Ok(Some(Kept { path, sha256, encryption }))
}
