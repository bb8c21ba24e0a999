//! A file of secrets on the disk: one writing of it is told from another, one process writes at a time, and a new file
//! takes the place of the old one only when it is complete and on disk.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::age_file::private;
use crate::contract::SecretState;

/// Tells one writing of the file from another.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    inode: u64,
    bytes: u64,
    at: (i64, i64),
}

impl Seen {
    /// How the file is now.
    ///
    /// # Errors
    /// `FileMissing` or `FileFailed`.
    pub(super) fn of(path: &Path) -> Result<Self, SecretState> {
        use std::os::unix::fs::MetadataExt;
        match std::fs::metadata(path) {
            Ok(about) => {
                Ok(Self { inode: about.ino(), bytes: about.size(), at: (about.mtime(), about.mtime_nsec()) })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(SecretState::FileMissing),
            Err(error) => {
                // It is looked at often.
                tracing::debug!(%error, path = %path.display(), "the file of secrets cannot be looked at");
                Err(SecretState::FileFailed)
            }
        }
    }

    /// The same as text, to be kept beside the file.
    pub(super) fn stamp(self) -> String {
        format!("{}-{}-{}.{}", self.inode, self.bytes, self.at.0, self.at.1)
    }

    /// How long it is.
    pub(super) const fn bytes(self) -> u64 {
        self.bytes
    }
}

/// Nobody else writes while this is held.
pub(super) fn alone(path: &Path) -> Result<File, SecretState> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut open = std::fs::OpenOptions::new();
    let file = open.write(true).create(true).truncate(false).mode(0o600).open(beside(path, "lock"));
    file.and_then(|file| file.lock().map(|()| file)).map_err(|error| failed(path, &error))
}

/// Tells the log why.
pub(super) fn failed(path: &Path, error: &io::Error) -> SecretState {
    tracing::warn!(%error, path = %path.display(), "the file of secrets cannot be read or written");
    SecretState::FileFailed
}

/// Takes the rights of others away, and says so: a file may have been copied, or made by hand.
pub(super) fn make_private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let Ok(about) = std::fs::metadata(path) else { return };
    let mode = about.permissions().mode();
    if mode & 0o077 == 0 {
        return;
    }
    let path_shown = path.display();
    match std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode & 0o700)) {
        Ok(()) => tracing::warn!(
            path = %path_shown,
            "others had rights to the file of secrets: it is for its owner only now; who read it meanwhile is not known"
        ),
        Err(error) => tracing::warn!(
            %error, path = %path_shown,
            "others have rights to the file of secrets, and they cannot be taken away: it should be for its owner only"
        ),
    }
}

/// A hidden file beside it.
pub(super) fn beside(path: &Path, what: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{what}"))
}

/// The old file stays until the new one is complete and on disk; `write` syncs what it was given.
pub(super) fn replace(path: &Path, write: impl FnOnce(File) -> io::Result<()>) -> io::Result<()> {
    // Where it is a link, what it leads to is replaced.
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let part = beside(&path, "part");
    // Only one writes at a time: this one a killed process left.
    match std::fs::remove_file(&part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let written = private(&part).and_then(write).and_then(|()| std::fs::rename(&part, &path));
    if let Err(error) = written {
        drop(std::fs::remove_file(&part));
        return Err(error);
    }
    // Some file systems do not sync folders; the file itself is on disk.
    if let Some(Ok(folder)) = path.parent().map(File::open) {
        drop(folder.sync_all());
    }
    Ok(())
}
