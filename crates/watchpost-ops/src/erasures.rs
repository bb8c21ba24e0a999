//! The erasures that this console knows of, kept outside the database: an older copy that takes its place is held to
//! them before anybody looks at it. The list says no names; see `Subject::mark`.

use std::path::{Path, PathBuf};

use watchpost_store::{KeptErasure, Store};

use crate::console::Workspace;
use crate::error::{ErrorCode, OpError};
use crate::paths::Paths;

/// The list of one log; `None` for a log that has no name for a file.
fn file_of(paths: &Paths, log: &str) -> Option<PathBuf> {
    let plain = !log.is_empty() && log.bytes().all(|byte| byte.is_ascii_alphanumeric());
    plain.then(|| paths.privacy().join(format!("{log}.json")))
}

fn read(file: &Path) -> Result<Vec<KeptErasure>, OpError> {
    let broken = |problem: String| {
        OpError::new(
            ErrorCode::Unavailable,
            format!("the list of erasures {} cannot be read: {problem}", file.display()),
        )
        .hint("put it back from a backup of this account, or move it away: erasures newer than the database are forgotten then")
    };
    match std::fs::read(file) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| broken(error.to_string())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(broken(error.to_string())),
    }
}

/// Replaces the list whole.
fn write(file: &Path, kept: &[KeptErasure]) -> Result<(), OpError> {
    let json = serde_json::to_vec_pretty(kept).map_err(|error| OpError::internal(error.to_string()))?;
    let part = file.with_extension(format!("part-{}", std::process::id()));
    let written = std::fs::write(&part, json).and_then(|()| {
        std::fs::File::open(&part)?.sync_all()?;
        std::fs::rename(&part, file)
    });
    written.map_err(|error| cannot_write(file, &error))
}

fn cannot_write(file: &Path, error: &std::io::Error) -> OpError {
    OpError::new(ErrorCode::Unavailable, format!("cannot write {}: {error}", file.display()))
}

/// Does in this database what it does not know of; how much of that a legal hold in force in it keeps from being done.
///
/// # Errors
/// What the database says; `Unavailable` if the list cannot be read or written.
pub(crate) async fn again(paths: &Paths, store: &Store) -> Result<usize, OpError> {
    let (log, _) = store.erasures_kept().await?;
    let Some(file) = file_of(paths, &log) else { return Ok(0) };
    let kept = read(&file)?;
    let replayed = store.privacy_replay(&kept).await?;
    if replayed.held > 0 {
        tracing::warn!(
            n = replayed.held,
            list = %file.display(),
            "erasures that this console knows of were NOT done again: legal holds in force in this database keep these people. \
             Find out whether somebody asked for them (docs/privacy.md, Older copies); those that are right are done again \
             when the database is opened after each hold was released with a reason"
        );
    }
    if !replayed.done.is_empty() {
        tracing::warn!(
            n = replayed.done.len(),
            "erasures were done again: this database is older than they are. Free text and sealed content were not looked \
             through for the names: run `watchpost privacy erase` for these people once more"
        );
        // What lay in the file of the older copy.
        store.privacy_settle().await?;
    }
    Ok(replayed.held)
}

/// Remembers the erasures of this database, if its log continues what this console saw and this console did not see the log
/// elsewhere first: what a copy that somebody altered says would be done in the database itself otherwise, past second
/// persons.
///
/// # Errors
/// As [`again`].
pub(crate) async fn remember(paths: &Paths, workspace: &Workspace) -> Result<(), OpError> {
    let witness = workspace.witness();
    if witness.problem().is_some() {
        return Ok(());
    }
    let (log, known) = workspace.store().erasures_kept().await?;
    let Some(file) = file_of(paths, &log) else { return Ok(()) };
    let is_new = |kept: &[KeptErasure], one: &KeptErasure| kept.iter().all(|other| other.id != one.id);
    let kept = read(&file)?;
    let n = known.iter().filter(|one| is_new(&kept, one)).count();
    if n == 0 {
        return Ok(());
    }
    if witness.is_copy_of(&log) {
        tracing::warn!(
            n,
            connection = workspace.connection().name.as_str(),
            "erasures of this database are not remembered: this console saw its log at another address first, so it may be an \
             altered copy. If it took the place of the other one, say so with `watchpost audit accept --reason TEXT`"
        );
        return Ok(());
    }
    // Of several processes each adds to what the others wrote meanwhile.
    let _alone = std::fs::File::create(file.with_extension("lock"))
        .and_then(|lock| lock.lock().map(|()| lock))
        .map_err(|error| cannot_write(&file, &error))?;
    let mut kept = read(&file)?;
    for one in known {
        if is_new(&kept, &one) {
            kept.push(one);
        }
    }
    write(&file, &kept)
}
