//! Which passwords of connections were ever given, noted beside the connections and without them: one that has none asks
//! no keychain and no file, and one that has one never logs in without it.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::{Secrets, disk};
use crate::blocking::off_the_runtime;
use crate::contract::SecretState;

/// The notes, in a file.
pub(super) struct Given {
    path: PathBuf,
}

impl Given {
    pub(super) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Of each account that something was noted of, whether a password was given for it.
    pub(super) fn all(&self) -> BTreeMap<String, bool> {
        read(&self.path)
    }

    /// Notes it of accounts; `None` forgets what was noted.
    ///
    /// # Errors
    /// `FileFailed` if the file cannot be written.
    pub(super) fn note(&self, notes: Vec<(String, Option<bool>)>) -> Result<(), SecretState> {
        if notes.is_empty() {
            return Ok(());
        }
        let _alone = disk::alone(&self.path)?;
        let before = read(&self.path);
        let mut after = before.clone();
        for (account, given) in notes {
            match given {
                Some(given) => after.insert(account, given),
                None => after.remove(&account),
            };
        }
        if after == before {
            return Ok(());
        }
        let written = disk::replace(&self.path, |mut part| {
            part.write_all(&serde_json::to_vec_pretty(&after)?)?;
            part.sync_all()
        });
        written.map_err(|error| disk::failed(&self.path, &error))
    }
}

impl Secrets {
    /// Was a password ever given for this account? `None` where that was not noted, as in homes of before.
    pub(crate) async fn was_given(&self, account: &str) -> Option<bool> {
        self.all_given().await.get(account).copied()
    }

    pub(super) async fn all_given(&self) -> BTreeMap<String, bool> {
        let given = self.given.clone();
        off_the_runtime(move || given.all()).await.unwrap_or_default()
    }

    /// Notes of accounts whether a password was given; `None` forgets what was noted.
    ///
    /// # Errors
    /// `FileFailed` if it cannot be noted.
    pub(crate) async fn note_given(&self, notes: Vec<(String, Option<bool>)>) -> Result<(), SecretState> {
        let given = self.given.clone();
        let noted = off_the_runtime(move || given.note(notes)).await;
        self.forget_state();
        noted.unwrap_or(Err(SecretState::FileFailed))
    }
}

/// Is this the account of a password of a connection?
pub(super) fn is_password(account: &str) -> bool {
    account.split_once('/').is_some_and(|(connection, part)| {
        Uuid::try_parse(connection).is_ok() && ["redis", "sentinel", "database"].contains(&part)
    })
}

/// What cannot be read says nothing: the keychain or the file of secrets is asked then.
fn read(path: &Path) -> BTreeMap<String, bool> {
    let text = std::fs::read(path).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}
