//! Places for what is not to stay: copies of the database while they are tried, encrypted or opened, and copies of a whole
//! Redis until they are encrypted.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Duration, Utc};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use crate::age_file::private;
use crate::blocking::off_the_runtime;
use crate::door::Context;
use crate::error::{ErrorCode, OpError};

/// What a process left behind that was killed is removed after this long.
const LEFT_FOR: Duration = Duration::days(1);

/// A folder for one rehearsal, or for a copy before it is encrypted or after it was decrypted; removed when it is dropped.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// Makes one in the data of this account, where the database is as readable as it is in here.
    pub(super) async fn make(cx: &Context) -> Result<Self, OpError> {
        use std::os::unix::fs::DirBuilderExt;
        let (below, now) = (cx.console.paths().rehearsal_of_database(), cx.console.now());
        let folder = below.join(uuid::Uuid::now_v7().to_string());
        let (made, name) = (folder.clone(), below.display().to_string());
        let made = off_the_runtime(move || {
            sweep(&below, &|_: &str| true, now);
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(made)
        });
        made.await?.map_err(|error| {
            OpError::new(ErrorCode::Unavailable, format!("the scratch place {name} cannot be made: {error}"))
        })?;
        Ok(Self(folder))
    }

    /// A file in it.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// Removes what killed processes left in a folder: parts of copies, scratch places. They hold what the database holds.
pub(super) fn sweep(folder: &Path, is_ours: &dyn Fn(&str) -> bool, now: DateTime<Utc>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let changed = entry.metadata().and_then(|about| about.modified()).map(DateTime::<Utc>::from);
        let is_left = changed.is_ok_and(|at| now - at > LEFT_FOR);
        if is_left && is_ours(&name.to_string_lossy()) {
            let gone =
                if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
            if let Err(error) = gone {
                tracing::warn!(%error, path = %path.display(), "what a killed process left cannot be removed");
            }
        }
    }
}

/// Copies a file, and tells its SHA-256.
pub(super) fn take(from: &Path, to: &Path, stop: &CancellationToken) -> std::io::Result<String> {
    let (mut from, mut to) = (std::fs::File::open(from)?, private(to)?);
    let (mut hash, mut piece) = (Sha256::new(), vec![0; 1 << 20]);
    while !stop.is_cancelled() {
        match from.read(&mut piece)? {
            0 => break,
            n => {
                hash.update(&piece[..n]);
                to.write_all(&piece[..n])?;
            }
        }
    }
    Ok(hex::encode(hash.finalize()))
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::sweep;

    #[test]
    fn only_old_leftovers_of_ours_are_swept() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str| std::fs::write(folder.path().join(name), "x").expect("ours");
        [".watchpost-a-1.db.part-7", "watchpost-a-1.db"].iter().for_each(|name| write(name));
        let changed =
            std::fs::metadata(folder.path().join("watchpost-a-1.db")).and_then(|about| about.modified());
        let written = DateTime::<Utc>::from(changed.expect("it was written"));
        let is_ours = |name: &str| name.contains(".part-");
        let left = || std::fs::read_dir(folder.path()).expect("ours").count();
        sweep(folder.path(), &is_ours, written + chrono::Duration::hours(23));
        assert_eq!(left(), 2, "it may still be written");
        sweep(folder.path(), &is_ours, written + chrono::Duration::hours(25));
        assert_eq!(left(), 1);
        assert!(folder.path().join("watchpost-a-1.db").is_file(), "a copy is none");
    }
}
