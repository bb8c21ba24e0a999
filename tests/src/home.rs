//! A fresh home: the data directory of Watchpost and everything a desktop session keeps for a user.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::binaries::{Binaries, target_directory};
use crate::daemon::signal;
use crate::session::Session;

/// One person's machine, empty at first: directories, a session with a keyring, a screen.
///
/// The session starts with the first window and lives until the home is dropped, so that an application that
/// is closed and opened again finds its secrets where it left them.
#[derive(Debug)]
pub struct Home {
    root: TempDir,
    artefacts: PathBuf,
    binaries: Binaries,
    extra: BTreeMap<String, String>,
    session: OnceCell<Session>,
}

impl Home {
    /// Makes the directories. `name` says whose logs and screenshots those under `target/e2e/<name>` are.
    ///
    /// # Errors
    /// When a directory cannot be made or the programs under test cannot be built.
    pub fn new(name: &str) -> Result<Self> {
        let binaries = Binaries::find()?;
        // Sockets live in here and their paths may have 107 bytes, so the name is short.
        let root = tempfile::Builder::new().prefix("wp-").tempdir().context("failed to make a home")?;
        for directory in ["data", "user", "run", "work"] {
            let path = root.path().join(directory);
            fs::create_dir(&path)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o700))?;
        }
        let slug: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
            .collect();
        let artefacts = target_directory()?.join("e2e").join(slug);
        if artefacts.exists() {
            fs::remove_dir_all(&artefacts)?;
        }
        fs::create_dir_all(&artefacts)?;
        Ok(Self { root, artefacts, binaries, extra: BTreeMap::new(), session: OnceCell::new() })
    }

    /// Sets a variable for every program started in this home from now on.
    pub fn set_env(&mut self, name: &str, value: &str) {
        self.extra.insert(name.to_owned(), value.to_owned());
    }

    /// `WATCHPOST_HOME`: what Watchpost keeps.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.root.path().join("data")
    }

    /// A directory for the test's own files.
    #[must_use]
    pub fn work(&self) -> PathBuf {
        self.root.path().join("work")
    }

    /// Where logs and screenshots stay after the home is gone.
    #[must_use]
    pub fn artefacts(&self) -> &Path {
        &self.artefacts
    }

    /// The programs under test.
    #[must_use]
    pub fn binaries(&self) -> &Binaries {
        &self.binaries
    }

    /// The desktop session of this home, started on first use.
    ///
    /// # Errors
    /// When the screen, the bus or the keyring does not start.
    pub async fn session(&self) -> Result<&Session> {
        self.session.get_or_try_init(|| Session::start(self)).await
    }

    /// The environment of a program in this home, without a session: no user's own configuration, one
    /// language, one time zone.
    pub(crate) fn environment(&self) -> BTreeMap<String, String> {
        let path = |name: &str| self.root.path().join(name).to_string_lossy().into_owned();
        let mut environment = BTreeMap::from([
            ("WATCHPOST_HOME".to_owned(), path("data")),
            ("HOME".to_owned(), path("user")),
            ("XDG_RUNTIME_DIR".to_owned(), path("run")),
            ("LC_ALL".to_owned(), "C.UTF-8".to_owned()),
            ("TZ".to_owned(), "UTC".to_owned()),
            ("RUST_BACKTRACE".to_owned(), "1".to_owned()),
        ]);
        environment.extend(self.extra.clone());
        environment
    }

    /// The environment of a program in this home, as part of its session if that has been started.
    pub(crate) fn environment_now(&self) -> BTreeMap<String, String> {
        let mut environment = self.environment();
        if let Some(session) = self.session.get() {
            session.extend(&mut environment);
        }
        environment
    }
}

impl Drop for Home {
    /// Ends what a crashed application has left behind: whatever still works in the directories of this home.
    fn drop(&mut self) {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        for pid in entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()) {
            let works_here = fs::read_link(format!("/proc/{pid}/cwd"))
                .is_ok_and(|directory| directory.starts_with(self.root.path()));
            if works_here {
                let _ = signal("KILL", pid);
            }
        }
    }
}

/// Variables of the person who runs the tests that must not reach the programs under test.
pub(crate) const HIDDEN: [&str; 9] = [
    "XDG_DATA_HOME",
    "XDG_CONFIG_HOME",
    "XDG_CACHE_HOME",
    "XDG_STATE_HOME",
    "WAYLAND_DISPLAY",
    "DISPLAY",
    "DBUS_SESSION_BUS_ADDRESS",
    "SSH_AUTH_SOCK",
    "GNOME_KEYRING_CONTROL",
];

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::Home;

    #[test]
    fn what_works_in_a_home_ends_with_it() {
        let home = Home::new("what works in a home").unwrap();
        let mut left_behind = Command::new("sh");
        left_behind.args(["-c", "exec cat"]).stdin(Stdio::piped()).current_dir(home.data());
        let mut child = left_behind.spawn().unwrap();
        assert!(child.try_wait().unwrap().is_none(), "it works as long as the home is there");
        drop(home);
        assert!(!child.wait().unwrap().success(), "it was killed with the home");
    }
}
