//! Putting a finished report on disk: whole or not at all.

use std::fs::{File, TryLockError};
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use sha2::{Digest, Sha256};

/// Why a file could not be written. Nothing is left behind in any of the cases.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The path names no file.
    #[error("{0} is not the path of a file")]
    NotAFile(PathBuf),
    /// There is a file already, and nobody said that it may be replaced.
    #[error("{0} is there already")]
    Exists(PathBuf),
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

impl WriteError {
    /// What went wrong at `path`, by its cause.
    #[must_use]
    pub fn at(path: &Path, source: std::io::Error) -> Self {
        failed(path, source)
    }
}

/// How the names of files begin that are not in their places yet.
const UNFINISHED: &str = ".watchpost-";
/// So many bytes go to the disk together while more is written.
const PIECE_BYTES: u64 = 32 << 20;
/// A process that was killed left such a file behind if nobody holds its lock and nothing was written into it for this long:
/// where a folder is on the network, locks of other machines may not be seen.
const LEFT_AFTER: Duration = Duration::from_secs(10 * 60);
/// The same where the file system knows no locks.
const LEFT_AFTER_WITHOUT_LOCKS: Duration = Duration::from_secs(24 * 60 * 60);

/// Is it a name that was made up here: the beginning and six letters or digits? Others' files are left alone.
fn is_unfinished(name: &str) -> bool {
    name.strip_prefix(UNFINISHED)
        .is_some_and(|rest| rest.len() == 6 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// A file beside the place of another one. As long as it is open it is locked, which ends with the process, however that ends.
fn make(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let temporary = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)?;
    if let Err(error) = temporary.as_file().try_lock() {
        // The time of the last write says as much, only later.
        tracing::debug!(%error, folder = %folder.display(), "no lock can be had here");
    }
    Ok(temporary)
}

/// Takes away what processes that were killed left in a folder, of whichever console. `new` was just made there: by its time,
/// and not by this machine's, others are old.
fn sweep(folder: &Path, new: &File) {
    let Ok(now) = new.metadata().and_then(|about| about.modified()) else { return };
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten().filter(|entry| is_unfinished(&entry.file_name().to_string_lossy())) {
        let Ok(about) = entry.metadata() else { continue };
        let age = about.modified().ok().and_then(|at| now.duration_since(at).ok()).unwrap_or_default();
        if !about.is_file() || age <= LEFT_AFTER {
            continue;
        }
        let path = entry.path();
        // Another account's cannot be opened, and is that account's to take away.
        let Ok(file) = File::options().write(true).open(&path) else { continue };
        let is_left = match file.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => false, // It is being written.
            Err(TryLockError::Error(_)) => age > LEFT_AFTER_WITHOUT_LOCKS,
        };
        if is_left && std::fs::remove_file(&path).is_ok() {
            tracing::warn!(file = %path.display(), "removed an unfinished file that a killed process had left");
        }
    }
}

/// A file that is written in full beside its place and not yet there: dropped, it leaves nothing behind.
#[derive(Debug)]
pub struct Prepared {
    temporary: tempfile::NamedTempFile,
    path: PathBuf,
    /// SHA-256 of the bytes, hexadecimal.
    pub sha256: String,
    /// How many bytes.
    pub bytes: u64,
}

impl Prepared {
    /// Lets `write` write into a temporary file in the folder of `path`, and puts that on disk.
    ///
    /// # Errors
    /// What `write` says, or `NotAFile`, `NoFolder`, `NotWritable`, `Full`, `Io`, by cause.
    pub fn write<E: From<WriteError>>(
        path: &Path,
        write: impl FnOnce(&mut dyn Write) -> Result<(), E>,
    ) -> Result<Self, E> {
        if path.file_name().is_none() || path.is_dir() {
            return Err(WriteError::NotAFile(path.to_owned()).into());
        }
        let folder = folder_of(path);
        if !folder.is_dir() {
            return Err(WriteError::NoFolder(folder.to_owned()).into());
        }
        let temporary = make(folder).map_err(|error| failed(path, error))?;
        sweep(folder, temporary.as_file());
        let mut out = Hashing {
            file: BufWriter::with_capacity(1 << 16, temporary),
            hash: Sha256::new(),
            bytes: 0,
            next: PIECE_BYTES,
            behind: None,
        };
        write(&mut out)?;
        let Hashing { file, hash, bytes, behind, .. } = out;
        let temporary = file.into_inner().map_err(|error| failed(path, error.into_error()))?;
        if let Some(mut behind) = behind {
            behind.end().map_err(|error| failed(path, error))?;
        }
        temporary.as_file().sync_all().map_err(|error| failed(path, error))?;
        Ok(Self { temporary, path: path.to_owned(), sha256: hex::encode(hash.finalize()), bytes })
    }

    /// Puts the file in its place: a reader sees what was there before or all of this, and a crash leaves no half of it.
    ///
    /// # Errors
    /// By cause, as [`Self::write`].
    pub fn persist(self) -> Result<(), WriteError> {
        let path = self.path;
        self.temporary.persist(&path).map_err(|error| failed(&path, error.error))?;
        sync_folder(&path);
        Ok(())
    }

    /// As [`Self::persist`], but a file that is there is left alone.
    ///
    /// # Errors
    /// `Exists`, or by cause, as [`Self::write`].
    pub fn persist_new(self) -> Result<(), WriteError> {
        let path = self.path;
        self.temporary.persist_noclobber(&path).map_err(|error| failed(&path, error.error))?;
        sync_folder(&path);
        Ok(())
    }

    /// Puts the file where none is, to stay once it is [kept](Placed::keep).
    ///
    /// # Errors
    /// `Exists`, or by cause, as [`Self::write`].
    pub fn place(self) -> Result<Placed, WriteError> {
        let path = self.path.clone();
        self.persist_new()?;
        Ok(Placed { path, kept: false })
    }

    /// Where it goes.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where it is until then, to be looked at.
    #[must_use]
    pub fn unplaced(&self) -> &Path {
        self.temporary.path()
    }
}

/// A file in its place. Dropped without being [kept](Self::keep), it goes.
#[derive(Debug)]
pub struct Placed {
    path: PathBuf,
    kept: bool,
}

impl Placed {
    /// The file stays.
    pub fn keep(mut self) {
        self.kept = true;
    }

    /// The file goes.
    ///
    /// # Errors
    /// Why it did not.
    pub fn undo(mut self) -> Result<(), WriteError> {
        self.kept = true;
        std::fs::remove_file(&self.path).map_err(|error| failed(&self.path, error))
    }
}

impl Drop for Placed {
    fn drop(&mut self) {
        if !self.kept {
            // Who wants to know what went wrong asks with `undo`.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// A rename is durable only once the folder is on disk; some file systems cannot sync a folder.
fn sync_folder(path: &Path) {
    if let Ok(handle) = File::open(folder_of(path)) {
        let _ = handle.sync_all();
    }
}

/// A file that is hashed, and put on disk, while it is written.
struct Hashing {
    file: BufWriter<tempfile::NamedTempFile>,
    hash: Sha256,
    bytes: u64,
    /// When there are so many, another piece goes to the disk.
    next: u64,
    behind: Option<Behind>,
}

impl Hashing {
    fn put_on_disk(&mut self) {
        if self.behind.is_none() {
            // Without another handle all of it is put on disk at the end.
            let Ok(file) = self.file.get_ref().as_file().try_clone() else { return };
            self.behind = Some(Behind::begin(file));
        }
        if let Some(behind) = &self.behind {
            behind.go_on();
        }
    }
}

/// Puts what was written on disk while more is written, so that little is left to wait for at the end.
struct Behind {
    wake: Option<mpsc::SyncSender<()>>,
    thread: Option<JoinHandle<std::io::Result<()>>>,
}

impl Behind {
    fn begin(file: File) -> Self {
        let (wake, woken) = mpsc::sync_channel::<()>(1);
        let thread = std::thread::spawn(move || {
            while woken.recv().is_ok() {
                file.sync_data()?;
            }
            Ok(())
        });
        Self { wake: Some(wake), thread: Some(thread) }
    }

    /// Where it is still at what was before, it goes on with this.
    fn go_on(&self) {
        if let Some(wake) = &self.wake {
            let _ = wake.try_send(());
        }
    }

    /// Waits until it is done. The system tells of a failure once, so it is told here and not by who syncs next.
    fn end(&mut self) -> std::io::Result<()> {
        self.wake = None;
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(synced)) => synced,
            Some(Err(_)) => Err(std::io::Error::other("what puts it on disk has failed")),
            None => Ok(()),
        }
    }
}

impl Drop for Behind {
    fn drop(&mut self) {
        drop(self.end());
    }
}

impl Write for Hashing {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
        let n = self.file.write(piece)?;
        self.hash.update(&piece[..n]);
        self.bytes += n as u64;
        if self.bytes >= self.next {
            self.next = self.bytes + PIECE_BYTES;
            self.put_on_disk();
        }
        Ok(n)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn failed(path: &Path, source: std::io::Error) -> WriteError {
    match source.kind() {
        ErrorKind::AlreadyExists => WriteError::Exists(path.to_owned()),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            WriteError::NotWritable { folder: folder_of(path).to_owned(), source }
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            WriteError::Full { path: path.to_owned(), source }
        }
        _ => WriteError::Io { path: path.to_owned(), source },
    }
}

/// Writes `bytes` to `path` by way of a temporary file in the same folder. Replaces what is there. Returns the SHA-256 of
/// the bytes, hexadecimal.
///
/// # Errors
/// `NotAFile`, `NoFolder`, `NotWritable`, `Full`, `Io`: by cause.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<String, WriteError> {
    let prepared = Prepared::write(path, |out| out.write_all(bytes).map_err(|error| failed(path, error)))?;
    let sha256 = prepared.sha256.clone();
    prepared.persist()?;
    Ok(sha256)
}
