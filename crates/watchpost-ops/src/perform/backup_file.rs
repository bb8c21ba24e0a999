//! The file of a backup of Redis, plain or encrypted: it is read on a thread of its own, and is plain in memory only.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use watchpost_model::copies::CopyKey;
use watchpost_redis::backup::{BackupEnd, BackupError, BackupHead, BackupReader, Record};

use super::database::whom;
use crate::age_file::{Keys, Problem, Whom};
use crate::blocking::off_the_runtime;
use crate::error::{ErrorCode, OpError};

/// Batches between reader and writer at most: a few mebibytes.
pub(super) const BATCHES: usize = 2;

/// What is wrong with a file, for people.
pub(super) fn unusable(path: &Path, error: BackupError) -> OpError {
    let code = match error {
        BackupError::Io(_) => ErrorCode::Unavailable,
        BackupError::TooNew(_) => ErrorCode::Precondition,
        BackupError::NotABackup
        | BackupError::Rdb
        | BackupError::Truncated { .. }
        | BackupError::Altered { .. }
        | BackupError::Unreadable { .. } => ErrorCode::Validation,
    };
    OpError { field: Some("path".to_owned()), ..OpError::new(code, format!("{}: {error}", path.display())) }
}

/// A file that is there, and what may open it.
#[derive(Clone)]
pub(super) struct BackupFile {
    path: PathBuf,
    /// Of one that is encrypted.
    whom: Option<Whom>,
    keys: Arc<Keys>,
}

impl BackupFile {
    /// Looks whether it is encrypted.
    ///
    /// # Errors
    /// `Validation` or `Unavailable`, at `path` or for what was named to open it.
    pub(super) async fn of(path: &str, key: Option<&CopyKey>) -> Result<Self, OpError> {
        let path = PathBuf::from(path);
        if !path.is_absolute() {
            return Err(OpError::invalid("path", "write the file as an absolute path"));
        }
        let keys = Arc::new(Keys::by(key)?);
        let whom = whom(&path).await.map_err(|error| match error.code {
            // The head of an encrypted one is cut off.
            ErrorCode::Precondition => OpError::invalid("path", error.message),
            _ => error,
        })?;
        Ok(Self { path, whom, keys })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// For whom it is encrypted, for people.
    pub(super) fn encryption(&self) -> Option<String> {
        self.whom.map(|whom| whom.to_string())
    }

    /// What it says of itself, and its size.
    ///
    /// # Errors
    /// Why it cannot be opened or read.
    pub(super) async fn head(&self) -> Result<(BackupHead, u64), OpError> {
        let file = self.clone();
        let read = off_the_runtime(move || {
            let path = &file.path;
            let about = std::fs::metadata(path).map_err(|error| OpError::unreadable("path", path, error))?;
            let (head, _) = file.read(|reader| Ok(reader.head().clone()))?;
            Ok((head, about.len()))
        });
        read.await?
    }

    /// The SHA-256 of the file as it lies there.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(super) async fn sha256(&self) -> Result<String, OpError> {
        let path = self.path.clone();
        off_the_runtime(move || {
            super::database::digest(&path).map_err(|error| OpError::unreadable("path", &path, error))
        })
        .await?
    }

    /// Reads the file from its beginning: what was made of it, and the SHA-256 of what was read, as it lies there.
    fn read<T>(
        &self,
        work: impl FnOnce(&mut BackupReader<&mut dyn Read>) -> Result<T, BackupError>,
    ) -> Result<(T, String), OpError> {
        let path = &self.path;
        let file = File::open(path).map_err(|error| OpError::unreadable("path", path, error))?;
        let mut input = BufReader::new(Hashed { input: file, hash: Sha256::new() });
        let pass = |from: &mut dyn Read| BackupReader::new(from).and_then(|mut reader| work(&mut reader));
        let made = match self.whom {
            None => pass(&mut input).map_err(|error| unusable(path, error))?,
            Some(whom) => {
                let closed = |problem: Problem| {
                    let is_damaged = matches!(problem, Problem::Damaged(_));
                    let told = problem.of_copy(path, whom, &self.keys);
                    // As one that is not encrypted.
                    if is_damaged {
                        OpError { code: ErrorCode::Validation, field: Some("path".to_owned()), ..told }
                    } else {
                        told
                    }
                };
                let mut plain = self.keys.reader(&mut input).map_err(closed)?;
                pass(&mut plain).map_err(|error| match error {
                    // What was altered or is cut off is told from what is whole while it is decrypted.
                    BackupError::Io(error) => closed(error.into()),
                    error => unusable(path, error),
                })?
            }
        };
        Ok((made, hex::encode(input.into_inner().hash.finalize())))
    }
}

/// One reading of the file: its records on a thread of its own.
pub(super) struct Reading {
    records: mpsc::Receiver<(Vec<Record>, u64)>,
    thread: tokio::task::JoinHandle<Result<(BackupEnd, String), OpError>>,
}

impl Reading {
    pub(super) fn begin(file: &BackupFile) -> Self {
        let (sender, records) = mpsc::channel(BATCHES);
        let file = file.clone();
        let thread = tokio::task::spawn_blocking(move || {
            file.read(|reader| {
                while let Some(batch) = reader.next_records()? {
                    if sender.blocking_send((batch, reader.position())).is_err() {
                        break;
                    }
                }
                Ok(reader.end().cloned().unwrap_or_default())
            })
        });
        Self { records, thread }
    }

    /// The next records, and how far into the file they reach.
    pub(super) async fn next(&mut self) -> Option<(Vec<Record>, u64)> {
        self.records.recv().await
    }

    /// What is at the end of the file, and the file's SHA-256; or what is wrong with it.
    pub(super) async fn end(self) -> Result<(BackupEnd, String), OpError> {
        drop(self.records);
        let read = self.thread.await;
        let read = read.map_err(|error| OpError::internal(format!("reading failed: {error}")))?;
        // What its head promised was asked for rightly: the file is at fault, and no field of the request.
        read.map_err(|error| OpError { field: None, ..error })
    }
}

struct Hashed<R> {
    input: R,
    hash: Sha256,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.input.read(buffer)?;
        self.hash.update(&buffer[..n]);
        Ok(n)
    }
}
