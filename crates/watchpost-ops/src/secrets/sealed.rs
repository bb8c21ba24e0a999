//! Secrets in a file, each sealed with one key that the keychain keeps.
//!
//! The keychain has one entry for all of them. Names stand in the file in clear, so that it can be said which secrets are
//! gone when the key is. A record that is always the same, the canary, tells a key that is not the one of the file.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::disk::{self, Seen};
use super::{Secret, file::Kept};
use crate::contract::SecretState;

/// The form of the file.
const FORM: u32 = 1;
/// What the canary says.
const CANARY: &str = "the key fits";
/// Longest file that is read.
const BYTES_MAX: u64 = 16 << 20;

/// The key of a file.
#[derive(Clone)]
pub(super) struct Master {
    id: String,
    key: Zeroizing<[u8; 32]>,
}

/// The file.
pub(super) struct SealedFile {
    path: PathBuf,
    /// What was told of each writing of it: it is read several times by each command.
    told: Mutex<BTreeSet<String>>,
}

/// What the file says without its key.
#[derive(Default)]
pub(super) struct Names {
    /// Of the key; empty where nothing was sealed yet.
    pub(super) id: String,
    /// Accounts whose secret is in it.
    pub(super) kept: BTreeSet<String>,
    /// Accounts whose secret a person has to give again.
    pub(super) lost: BTreeSet<String>,
}

#[derive(Default, Serialize, Deserialize)]
struct Content {
    watchpost_sealed: u32,
    /// Of the key.
    id: String,
    canary: String,
    secrets: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    lost: BTreeSet<String>,
}

/// Did a person give it? What signs a log is made anew without one.
pub(super) fn is_given(account: &str) -> bool {
    !account.starts_with(crate::signing::COMMON)
}

impl Master {
    pub(super) fn new() -> Self {
        let id: [u8; 16] = rand::random();
        Self { id: hex::encode(id), key: Zeroizing::new(rand::random()) }
    }

    /// The key in an entry of the keychain; `None` if what is there is none.
    pub(super) fn of(id: &str, entry: &Secret) -> Option<Self> {
        let bytes = Zeroizing::new(hex::decode(entry.as_bytes()).ok()?);
        let key = <[u8; 32]>::try_from(bytes.as_slice()).ok()?;
        Some(Self { id: id.to_owned(), key: Zeroizing::new(key) })
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Its account in the keychain.
    pub(super) fn account(id: &str) -> String {
        format!("master-key/{id}")
    }

    /// Is this the account of the key of a file?
    pub(super) fn is_one(account: &str) -> bool {
        account.starts_with("master-key/")
    }

    /// What its entry holds. Some keychains keep text only.
    pub(super) fn entry(&self) -> Secret {
        Secret::new(hex::encode(*self.key))
    }

    /// Binds what is sealed to its file, its form and its name.
    fn context(&self, name: &str) -> String {
        format!("watchpost/secrets/{FORM}/{}/{name}", self.id)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.key).into())
    }

    /// Nonce and ciphertext, hex.
    fn seal(&self, name: &str, secret: &str) -> io::Result<String> {
        let nonce: [u8; 24] = rand::random();
        let context = self.context(name);
        let message = Payload { msg: secret.as_bytes(), aad: context.as_bytes() };
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), message);
        let sealed = sealed.map_err(|_| io::Error::other("a secret is too long to seal"))?;
        Ok(format!("{}{}", hex::encode(nonce), hex::encode(sealed)))
    }

    fn open(&self, name: &str, sealed: &str) -> Option<Secret> {
        let bytes = hex::decode(sealed).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(24)?;
        let nonce = <[u8; 24]>::try_from(nonce).ok()?;
        let context = self.context(name);
        let message = Payload { msg: sealed, aad: context.as_bytes() };
        let plain = Zeroizing::new(self.cipher().decrypt(&XNonce::from(nonce), message).ok()?);
        Some(Secret::new(std::str::from_utf8(&plain).ok()?.to_owned()))
    }
}

/// The name that an account is sealed under; no account is called like the canary.
fn of_account(account: &str) -> String {
    format!("secret/{account}")
}

impl Content {
    fn new(lost: BTreeSet<String>) -> Self {
        Self { watchpost_sealed: FORM, lost, ..Self::default() }
    }

    /// Is this its key?
    fn fits(&self, master: &Master) -> bool {
        self.id == master.id
            && master.open("canary", &self.canary).is_some_and(|canary| canary.as_str() == CANARY)
    }

    fn take_key(&mut self, master: &Master) -> io::Result<()> {
        self.canary = master.seal("canary", CANARY)?;
        self.id.clone_from(&master.id);
        Ok(())
    }
}

impl SealedFile {
    pub(super) fn at(path: PathBuf) -> Self {
        Self { path, told: Mutex::default() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What it says without its key; nothing where it is not there.
    pub(super) fn names(&self) -> Result<Names, SecretState> {
        let content = self.read()?.unwrap_or_default();
        let Content { id, secrets, lost, .. } = content;
        Ok(Names { id, kept: secrets.into_keys().collect(), lost })
    }

    /// Is this its key?
    pub(super) fn fits(&self, master: &Master) -> Result<bool, SecretState> {
        Ok(self.read()?.is_some_and(|content| content.fits(master)))
    }

    pub(super) fn get(&self, master: &Master, account: &str) -> Result<Option<Secret>, SecretState> {
        let content = self.read()?.unwrap_or_default();
        match content.secrets.get(account) {
            None => Ok(None),
            Some(sealed) => self.opened(master, &content, account, sealed).map(Some),
        }
    }

    /// All that is in it.
    pub(super) fn all(&self, master: &Master) -> Result<Kept, SecretState> {
        let content = self.read()?.unwrap_or_default();
        let opened = content.secrets.iter().map(|(account, sealed)| {
            self.opened(master, &content, account, sealed).map(|secret| (account.clone(), secret))
        });
        opened.collect()
    }

    /// Accounts whose secret does not open with the key of the file.
    pub(super) fn altered(&self, master: &Master) -> Result<Vec<String>, SecretState> {
        let Some(content) = self.read()?.filter(|content| content.fits(master)) else {
            return Ok(Vec::new());
        };
        let altered = content
            .secrets
            .into_iter()
            .filter(|(account, sealed)| master.open(&of_account(account), sealed).is_none());
        Ok(altered.map(|(account, _)| account).collect())
    }

    fn opened(
        &self,
        master: &Master,
        content: &Content,
        account: &str,
        sealed: &str,
    ) -> Result<Secret, SecretState> {
        if !content.fits(master) {
            return Err(SecretState::KeyChanged);
        }
        master.open(&of_account(account), sealed).ok_or_else(|| {
            if self.is_news(account) {
                tracing::warn!(account, path = %self.path.display(), "a sealed secret was altered");
            }
            SecretState::SecretAltered
        })
    }

    /// Seals a secret; `KeyChanged` if this is not its key any more.
    pub(super) fn put(&self, master: &Master, account: &str, secret: &Secret) -> Result<(), SecretState> {
        self.change(|content| {
            let Some(content) = content.filter(|content| content.fits(master)) else {
                return Err(SecretState::KeyChanged);
            };
            let before = content.secrets.get(account).and_then(|s| master.open(&of_account(account), s));
            let was_lost = content.lost.remove(account);
            if !was_lost && before.is_some_and(|before| before.as_str() == secret.as_str()) {
                return Ok(false);
            }
            let sealed = master.seal(&of_account(account), secret);
            content.secrets.insert(account.to_owned(), sealed.map_err(|error| self.failed(&error))?);
            Ok(true)
        })
        .map(drop)
    }

    /// Forgets a secret, for which no key is needed; true if there was one.
    pub(super) fn remove(&self, account: &str) -> Result<bool, SecretState> {
        if self.read()?.is_none() {
            return Ok(false);
        }
        self.change(|content| {
            Ok(content.is_some_and(|content| {
                let was_kept = content.secrets.remove(account).is_some();
                content.lost.remove(account) || was_kept
            }))
        })
    }

    /// Notes whether a secret was given and could not be kept.
    pub(super) fn note(&self, account: &str, is_lost: bool) -> Result<(), SecretState> {
        let was_lost = self.read()?.is_some_and(|content| content.lost.contains(account));
        if was_lost == is_lost || !is_given(account) {
            return Ok(());
        }
        if was_lost {
            let found = self.change(|content| Ok(content.is_some_and(|found| found.lost.remove(account))));
            return found.map(drop);
        }
        let _alone = disk::alone(&self.path)?;
        let mut content = self.read()?.unwrap_or_else(|| Content::new(BTreeSet::new()));
        // What is kept is older than what was given.
        content.secrets.remove(account);
        content.lost.insert(account.to_owned());
        self.write(&content)
    }

    /// Begins anew with this key, if its key is still the one called `before` (none where that is empty). What cannot be
    /// opened any more is kept aside under another name, and what a person gave is noted to be given again. False if
    /// somebody else was faster.
    pub(super) fn begin(&self, before: &str, master: &Master) -> Result<bool, SecretState> {
        let _alone = disk::alone(&self.path)?;
        let old = self.read()?.unwrap_or_default();
        if old.id != before {
            return Ok(false);
        }
        if !old.secrets.is_empty() {
            let aside = self.keep_aside().map_err(|error| self.failed(&error))?;
            tracing::warn!(
                aside = %aside.display(),
                "the key of the sealed secrets is not in the keychain any more: they are kept aside"
            );
        }
        let lost = old.secrets.into_keys().filter(|account| is_given(account));
        let mut content = Content::new(lost.chain(old.lost).collect());
        content.take_key(master).map_err(|error| self.failed(&error))?;
        self.write(&content)?;
        Ok(true)
    }

    /// Copies it to a name that is free; returns that.
    fn keep_aside(&self) -> io::Result<PathBuf> {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let aside = (1_u32..)
            .map(|n| self.path.with_file_name(format!("{name}.{n}")))
            .find(|path| std::fs::symlink_metadata(path).is_err());
        let aside = aside.ok_or_else(|| io::Error::other("no name is free"))?;
        let bytes = std::fs::read(&self.path)?;
        disk::replace(&aside, |mut part| {
            part.write_all(&bytes)?;
            part.sync_all()
        })?;
        Ok(aside)
    }

    fn change(
        &self,
        change: impl FnOnce(Option<&mut Content>) -> Result<bool, SecretState>,
    ) -> Result<bool, SecretState> {
        let _alone = disk::alone(&self.path)?;
        let mut content = self.read()?;
        let is_changed = change(content.as_mut())?;
        if let Some(content) = content.filter(|_| is_changed) {
            self.write(&content)?;
        }
        Ok(is_changed)
    }

    fn read(&self) -> Result<Option<Content>, SecretState> {
        match Seen::of(&self.path) {
            Err(SecretState::FileMissing) => return Ok(None),
            Err(state) => return Err(state),
            Ok(seen) if seen.bytes() > BYTES_MAX => return Err(self.damaged("it is too long")),
            Ok(_) => {}
        }
        disk::make_private(&self.path);
        let bytes = match std::fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.failed(&error)),
        };
        let content: Content =
            serde_json::from_slice(&bytes).map_err(|_| self.damaged("it holds no sealed secrets"))?;
        if content.watchpost_sealed != FORM {
            return Err(self.damaged("a newer Watchpost wrote it"));
        }
        Ok(Some(content))
    }

    fn write(&self, content: &Content) -> Result<(), SecretState> {
        let written = disk::replace(&self.path, |mut part| {
            part.write_all(&serde_json::to_vec_pretty(content)?)?;
            part.sync_all()
        });
        written.map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &io::Error) -> SecretState {
        disk::failed(&self.path, error)
    }

    fn damaged(&self, why: &str) -> SecretState {
        if self.is_news(why) {
            tracing::warn!(why, path = %self.path.display(), "the file of sealed secrets does not open");
        }
        SecretState::FileDamaged
    }

    /// Was this not told yet of the file as it is now?
    fn is_news(&self, what: &str) -> bool {
        let stamp = Seen::of(&self.path).map(Seen::stamp).unwrap_or_default();
        self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(format!("{stamp} {what}"))
    }
}
