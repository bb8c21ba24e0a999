//! A folder as a place. It may be on a share that hangs: whatever touches it is done on a thread of its own, which neither
//! the runtime nor the end of the process waits for. The file of a webhook's authority is read so too.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};
use watchpost_model::audit::Checkpoint;
use watchpost_store::KeptNote;

use super::webhook::PATIENCE;

/// A longer file is no checkpoint.
const NOTE_BYTES_MAX: u64 = 8 * 1024;
/// Days that are read back.
const DAYS_MAX: usize = 400;

/// The folders and files of this process that were ever asked.
static FOLDERS: Mutex<BTreeMap<PathBuf, Arc<Slot>>> = Mutex::new(BTreeMap::new());

/// One at a time touches a folder: what hangs is not joined by more that does.
#[derive(Default)]
struct Slot {
    turn: Arc<tokio::sync::Mutex<()>>,
    /// Whoever has the turn was given up.
    hangs: AtomicBool,
}

/// What a folder has.
#[derive(Default)]
pub(super) struct Found {
    /// Files that may be checkpoints.
    pub(super) notes: Vec<KeptNote>,
    /// What is in the place of one and is no file, for people.
    pub(super) other: Vec<String>,
}

/// Is this a folder that can be used?
///
/// # Errors
/// Why it cannot be told.
pub(crate) async fn is_folder(folder: &Path) -> Result<bool, String> {
    let path = folder.to_path_buf();
    ask(folder, move || path.is_dir()).await
}

/// What the folder has of a log, or why it cannot be read.
pub(super) async fn read(folder: &Path, log: &str) -> Result<Found, String> {
    let (path, log) = (folder.to_path_buf(), log.to_owned());
    ask(folder, move || read_now(&path, &log)).await?
}

/// Writes a checkpoint as the newest one and as that of its day.
pub(super) async fn put(folder: &Path, log: &str, newest: &Checkpoint) -> Result<(), String> {
    let own = log_folder(folder, log);
    let day = own.join(format!("{}.checkpoint", newest.at.format("%Y-%m-%d")));
    let note = newest.note.clone();
    let write = move || -> Result<(), String> {
        std::fs::create_dir_all(&own).map_err(|error| format!("{}: {error}", own.display()))?;
        for path in [day, own.join("newest.checkpoint")] {
            watchpost_report::write_atomically(&path, note.as_bytes()).map_err(|error| error.to_string())?;
        }
        Ok(())
    };
    ask(folder, write).await?
}

/// Keeps what the folder has of a log under another name; the inner error is of a folder that answered.
pub(super) async fn set_aside(
    folder: &Path,
    log: &str,
    stamp: &str,
) -> Result<Result<(), (PathBuf, std::io::Error)>, String> {
    let own = log_folder(folder, log);
    let aside = log_folder(folder, &format!("{log}-until-{stamp}"));
    let rename = move || {
        if !own.is_dir() {
            return Ok(());
        }
        std::fs::rename(&own, aside).map_err(|error| (own, error))
    };
    ask(folder, rename).await
}

/// Does `work` in the folder or file, and waits for it no longer than for a webhook.
///
/// # Errors
/// Why there is no answer, with what to do.
pub(super) async fn ask<T: Send + 'static>(
    folder: &Path,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    ask_within(PATIENCE, folder, work).await
}

pub(super) async fn ask_within<T: Send + 'static>(
    patience: Duration,
    folder: &Path,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    let end = Instant::now() + patience;
    let slot = slot(folder);
    let hangs = || {
        slot.hangs.store(true, Ordering::SeqCst);
        format!(
            "{} did not answer in {} seconds, as a share does whose server is gone: look into it and mount it again, or take \
             it out with `watchpost audit places`",
            folder.display(),
            patience.as_secs()
        )
    };
    let turn = match slot.turn.clone().try_lock_owned() {
        Ok(turn) => turn,
        Err(_) if slot.hangs.load(Ordering::SeqCst) => return Err(hangs()),
        Err(_) => match timeout_at(end, slot.turn.clone().lock_owned()).await {
            Ok(turn) => turn,
            Err(_) => return Err(hangs()),
        },
    };
    slot.hangs.store(false, Ordering::SeqCst);
    let (done, answer) = oneshot::channel();
    let started = std::thread::Builder::new().name("audit-place".to_owned()).spawn(move || {
        let found = work();
        drop(turn);
        // Whoever asked may have given it up.
        let _ = done.send(found);
    });
    started.map_err(|error| format!("{}: {error}", folder.display()))?;
    match timeout_at(end, answer).await {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(_)) => Err(format!("looking into {} failed", folder.display())),
        Err(_) => Err(hangs()),
    }
}

fn slot(folder: &Path) -> Arc<Slot> {
    let mut folders = FOLDERS.lock().unwrap_or_else(PoisonError::into_inner);
    folders.entry(folder.to_path_buf()).or_default().clone()
}

fn log_folder(folder: &Path, log: &str) -> PathBuf {
    folder.join(format!("watchpost-{log}"))
}

fn read_now(folder: &Path, log: &str) -> Result<Found, String> {
    if !folder.is_dir() {
        return Err(format!("{} is no folder that this console can use", folder.display()));
    }
    let own = log_folder(folder, log);
    let entries = match std::fs::read_dir(&own) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::default()),
        Err(error) => return Err(format!("{}: {error}", own.display())),
    };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "checkpoint"))
        .collect();
    // `newest` sorts behind the days.
    paths.sort();
    let first = paths.len().saturating_sub(DAYS_MAX);
    let mut found = Found::default();
    for path in paths.into_iter().skip(first) {
        // It says nothing for or against: a share that is not there, a file of another account.
        match note_in(&path).map_err(|error| format!("{}: {error}", path.display()))? {
            Some(note) => found.notes.push(KeptNote { place: path.display().to_string(), note }),
            None => found.other.push(format!(
                "{} is no file: somebody put it where a checkpoint belongs. Look into it, remove it, and run \
                 `watchpost audit verify`; the place gets the newest checkpoint again",
                path.display()
            )),
        }
    }
    Ok(found)
}

/// The text of a file, empty if it is none or too long; `None` of what is no file, which is not opened: a pipe would wait for
/// somebody to write.
fn note_in(path: &Path) -> Result<Option<String>, std::io::Error> {
    if !std::fs::metadata(path)?.is_file() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path)?;
    let n = file.take(NOTE_BYTES_MAX.saturating_add(1)).read_to_end(&mut bytes)?;
    let is_small = u64::try_from(n).is_ok_and(|n| n <= NOTE_BYTES_MAX);
    Ok(Some(String::from_utf8(bytes).ok().filter(|_| is_small).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::{ask_within, slot};

    /// Longer than an answer of this machine takes.
    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn a_folder_that_hangs_is_given_up_and_joined_by_nobody_until_it_answers() {
        let folder = tempfile::tempdir().unwrap();
        let (free, waits) = mpsc::channel::<()>();
        let hung = ask_within(Duration::from_millis(50), folder.path(), move || waits.recv().is_err()).await;
        assert!(hung.unwrap_err().contains("audit places"), "it says what to do");
        // Would not end before its time if it was waited for.
        let joined = ask_within(LONG, folder.path(), || panic!("nobody joins what hangs"));
        let joined: Result<(), String> = tokio::time::timeout(LONG / 2, joined).await.expect("at once");
        assert!(joined.unwrap_err().contains("did not answer"));
        let other = tempfile::tempdir().unwrap();
        assert_eq!(ask_within(LONG, other.path(), || 7).await, Ok(7), "another folder answers");

        drop(free);
        drop(slot(folder.path()).turn.lock().await);
        assert_eq!(ask_within(LONG, folder.path(), || 8).await, Ok(8), "it answers again");
    }
}
