//! Putting a finished report on disk: whole or not at all.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// Why a file could not be written. Nothing is left behind in any of the cases.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The path names no file.
    #[error("{0} is not the path of a file")]
    NotAFile(PathBuf),
    /// The folder is not there.
    #[error("the folder {0} does not exist")]
    NoFolder(PathBuf),
    /// The folder may not be written to.
    #[error("the folder {folder} may not be written to")]
    NotWritable {
        /// Which folder.
        folder: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// No space is left, or a quota is used up.
    #[error("no space is left for {path}")]
    Full {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// Anything else.
    #[error("cannot write {path}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
}

/// Writes `bytes` to `path` by way of a temporary file in the same folder, so that a reader sees the old file or the
/// new one and a crash leaves no half of it. Replaces what is there. Returns the SHA-256 of the bytes, hexadecimal.
///
/// # Errors
/// `NotAFile`, `NoFolder`, `NotWritable`, `Full`, `Io`: by cause.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<String, WriteError> {
    if path.file_name().is_none() || path.is_dir() {
        return Err(WriteError::NotAFile(path.to_owned()));
    }
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        return Err(WriteError::NoFolder(folder.to_owned()));
    }
    let fail = |source: std::io::Error| match source.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            WriteError::NotWritable { folder: folder.to_owned(), source }
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            WriteError::Full { path: path.to_owned(), source }
        }
        _ => WriteError::Io { path: path.to_owned(), source },
    };
    let mut temporary = tempfile::Builder::new().prefix(".watchpost-").tempfile_in(folder).map_err(fail)?;
    temporary.write_all(bytes).and_then(|()| temporary.as_file().sync_all()).map_err(fail)?;
    temporary.persist(path).map_err(|error| fail(error.error))?;
    // The rename itself is durable only once the folder is on disk; some file systems cannot sync a folder.
    if let Ok(handle) = File::open(folder) {
        let _ = handle.sync_all();
    }
    Ok(hex::encode(Sha256::digest(bytes)))
}
