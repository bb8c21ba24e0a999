//! The files of what a console remembers: `log-<digest of its id>.json` of each log, and one of each connection and address
//! that says which log was there last.

use std::fmt::Display;
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use watchpost_model::audit::LogSeen;
use watchpost_model::connection::DatabaseConnection;
use watchpost_store::{Store, StoreError};

use super::{Memory, Witness};
use crate::error::{ErrorCode, OpError};

/// How the files of logs begin. No id of a connection does.
const OF_LOG: &str = "log-";

/// Which log was here last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Here {
    log: Option<String>,
    /// This console saw the log at another address before it was at this one, and nobody took it as it is here since.
    #[serde(default)]
    copy: bool,
    /// SHA-256 of the address: the name of the file has only the beginning of it.
    #[serde(default)]
    address: Option<String>,
}

impl Witness {
    /// The memory of the log that was here last, else of the one that is here now, wherever that was before; why it cannot
    /// be read.
    pub(super) async fn recall(&self, store: &Store) -> Result<Result<Memory, String>, OpError> {
        self.move_over()?;
        let here = match stored::<Here>(&self.here) {
            Ok(here) => here.and_then(|here| here.log),
            Err(problem) => return Ok(Err(problem)),
        };
        if let Some(log) = here {
            self.state().log = log;
            match self.read() {
                // Somebody removed it: what is here now is all that can be asked for.
                Ok(memory) if memory.seen.is_none() => {}
                found => return Ok(found),
            }
        }
        let log = match store.audit_look(None).await {
            Ok(look) => look.now.log,
            Err(StoreError::Corrupt(what)) => {
                return Ok(Err(format!("the head of the log cannot be read: {what}")));
            }
            Err(other) => return Err(other.into()),
        };
        self.state().log = log;
        Ok(self.read())
    }

    /// The greatest state of a log that this console saw, wherever it was.
    pub(crate) fn saw_of(&self, log: &str) -> Option<LogSeen> {
        stored::<Memory>(&of_log(&self.folder, log)).ok()??.seen
    }

    /// The memory; empty when nothing was seen yet.
    pub(super) fn read(&self) -> Result<Memory, String> {
        Ok(stored(&self.file())?.unwrap_or_default())
    }

    /// Changes the memory while no other process does.
    pub(super) fn change(&self, change: impl FnOnce(&mut Memory)) -> Result<(), OpError> {
        let file = self.file();
        let lock = lock(&file)?;
        let mut memory = self.read().map_err(|problem| OpError::new(ErrorCode::Unavailable, problem))?;
        change(&mut memory);
        write(&file, &memory)?;
        self.state().memory = memory;
        drop(lock);
        Ok(())
    }

    /// Remembers which log is here.
    pub(super) fn is_here(&self, log: &str) -> Result<(), OpError> {
        let here = self.here_with(log, self.is_copy_of(log));
        if stored::<Here>(&self.here).is_ok_and(|known| known.as_ref() == Some(&here)) {
            return Ok(());
        }
        write(&self.here, &here)
    }

    /// Remembers that a person took the log as it is here.
    pub(super) fn is_taken_here(&self, log: &str) -> Result<(), OpError> {
        write(&self.here, &self.here_with(log, false))
    }

    fn here_with(&self, log: &str, copy: bool) -> Here {
        Here { log: Some(log.to_owned()), copy, address: Some(self.address.clone()) }
    }

    /// Is what is here of this log a copy, for all that this console knows: did it see the log at another address first, and
    /// did nobody take it as it is here?
    pub(crate) fn is_copy_of(&self, log: &str) -> bool {
        if let Ok(Some(here)) = stored::<Here>(&self.here)
            && here.log.as_deref() == Some(log)
            && here.address.as_ref().is_none_or(|address| *address == self.address)
        {
            return here.copy;
        }
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return false };
        let mut is_elsewhere = false;
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if !name.ends_with(".json") || name.starts_with(OF_LOG) || path == self.here {
                continue;
            }
            let Ok(Some(there)) = stored::<Here>(&path) else { continue };
            if there.log.as_deref() != Some(log) {
                continue;
            }
            // Another connection to the same database.
            if there.address.as_ref() == Some(&self.address) && !there.copy {
                return false;
            }
            is_elsewhere = true;
        }
        is_elsewhere
    }

    /// Keeps files that cannot be read elsewhere, for whoever looks into it.
    pub(super) fn set_damaged_aside(&self, at: DateTime<Utc>) {
        let memory = self.file();
        let damaged = [
            stored::<Memory>(&memory).is_err().then_some(&memory),
            stored::<Here>(&self.here).is_err().then_some(&self.here),
        ];
        for file in damaged.into_iter().flatten() {
            drop(std::fs::rename(file, file.with_extension(format!("damaged-{}", at.timestamp()))));
        }
    }

    fn file(&self) -> PathBuf {
        of_log(&self.folder, &self.state().log)
    }

    /// Each memory had the name of its connection and address once, and was forgotten with them: it becomes that of its
    /// log. Of several of one log the one that saw most stays.
    fn move_over(&self) -> Result<(), OpError> {
        if self.state().moved {
            return Ok(());
        }
        let entries = std::fs::read_dir(&self.folder).map_err(|error| unusable(&self.folder, &error))?;
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if !name.ends_with(".json") || name.starts_with(OF_LOG) || saw(&path).is_none() {
                continue;
            }
            let _one_at_a_time = lock(&path)?;
            // Another process may have done it meanwhile.
            let Some((log, mut old)) = saw(&path) else { continue };
            let file = of_log(&self.folder, &log);
            let _nobody_else = lock(&file)?;
            // One that cannot be read is told of when it is asked for.
            let Ok(known) = stored::<Memory>(&file) else { continue };
            if let Some(known) = known {
                let size = |memory: &Memory| memory.seen.as_ref().map(|seen| seen.size);
                let (mut more, mut less) =
                    if size(&known) < size(&old) { (old, known) } else { (known, old) };
                more.accepted.append(&mut less.accepted);
                old = more;
            }
            write(&file, &old)?;
            write(&path, &Here { log: Some(log), copy: false, address: None })?;
        }
        self.state().moved = true;
        Ok(())
    }
}

/// Another database is another log, also behind the same connection.
pub(super) fn address_digest(database: &DatabaseConnection) -> String {
    let address = match database {
        DatabaseConnection::Sqlite { path } => path.clone().unwrap_or_default(),
        DatabaseConnection::Postgres { host, port, database, .. } => format!("{host}:{port}/{database}"),
    };
    hex::encode(Sha256::digest(address.as_bytes()))
}

/// The file of a log. Its id is what the database says: it names no file by itself.
fn of_log(folder: &Path, log: &str) -> PathBuf {
    folder.join(format!("{OF_LOG}{}.json", hex::encode(&Sha256::digest(log.as_bytes())[..16])))
}

/// The memory in a file of before that saw a log, with the log's id.
fn saw(path: &Path) -> Option<(String, Memory)> {
    let memory = stored::<Memory>(path).ok()??;
    let log = memory.seen.as_ref()?.log.clone();
    Some((log, memory))
}

/// What a file holds; `None` if it is not there.
fn stored<T: DeserializeOwned>(file: &Path) -> Result<Option<T>, String> {
    let cannot = |why: &dyn Display| {
        format!("what this console remembers of the log cannot be read: {}: {why}", file.display())
    };
    match std::fs::read(file) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| cannot(&error)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(cannot(&error)),
    }
}

fn write(file: &Path, what: &impl Serialize) -> Result<(), OpError> {
    let text = serde_json::to_vec_pretty(what).map_err(|error| OpError::internal(error.to_string()))?;
    watchpost_report::write_atomically(file, &text)
        .map(drop)
        .map_err(|error| OpError::new(ErrorCode::Unavailable, error.to_string()))
}

fn lock(file: &Path) -> Result<File, OpError> {
    let made = File::create(file.with_extension("lock")).and_then(|lock| lock.lock().map(|()| lock));
    made.map_err(|error| unusable(file, &error))
}

fn unusable(file: &Path, error: &std::io::Error) -> OpError {
    OpError::new(ErrorCode::Unavailable, format!("cannot keep what was seen in {}: {error}", file.display()))
}
