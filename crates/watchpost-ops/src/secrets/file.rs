//! Secrets in a file that a passphrase locks (age, scrypt): for machines without a keychain, and only where somebody chose it.
//!
//! Chosen is the file that the environment names, else the one in the configuration folder once it was made. It is read
//! again when another process has written it, and a new one takes its place only when it is complete and on disk.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::disk::{self, Seen};
use super::{Secret, describe};
use crate::age_file::{Keys, Locked, Problem, Whom, passphrase_in};
use crate::contract::SecretState;
use crate::error::{ErrorCode, OpError};
use crate::paths::Paths;

/// What asks a person for the passphrase; told whether the one before was another one.
pub type Asker = Box<dyn Fn(bool) -> Option<Secret> + Send + Sync>;

/// The form of what is in the file.
const FORM: u32 = 1;
/// Shorter passphrases are guessed.
const CHARS_MIN: usize = 8;
/// What did not open is not tried again for so long: each try takes a second.
const REFUSED_FOR: Duration = Duration::from_secs(15);

pub(crate) type Kept = BTreeMap<String, Secret>;

/// The file, and what is known of it.
pub(crate) struct SecretsFile {
    path: PathBuf,
    /// The environment names it: it is used though it is not there yet.
    named: bool,
    passphrase_file: Option<PathBuf>,
    asker: OnceLock<Asker>,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    passphrase: Option<Secret>,
    secrets: Kept,
    /// What was read.
    seen: Option<Seen>,
    refused: Option<(Instant, Seen, SecretState)>,
    /// A person is asked once.
    asked: bool,
}

#[derive(Deserialize)]
struct Content {
    watchpost_secrets: u32,
    secrets: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Contents<'a> {
    watchpost_secrets: u32,
    secrets: BTreeMap<&'a str, &'a str>,
}

/// Which accounts the file holds, in a hidden file beside it, without the secrets: a connection that needs none of them does
/// not wait for the passphrase. It counts for the one writing of the file that it was noted for.
#[derive(Serialize, Deserialize)]
struct Index {
    of: String,
    accounts: BTreeSet<String>,
}

impl Index {
    /// That of the file as it is now.
    fn of(file: &Path) -> Option<Self> {
        let text = std::fs::read(disk::beside(file, "names")).ok()?;
        let index: Self = serde_json::from_slice(&text).ok()?;
        (Seen::of(file).ok()?.stamp() == index.of).then_some(index)
    }

    /// Notes it, if that was not done; without it the file has to be opened for everything.
    fn keep(file: &Path, seen: Seen, secrets: &Kept) {
        if Self::of(file).is_some() {
            return;
        }
        let index = Self { of: seen.stamp(), accounts: secrets.keys().cloned().collect() };
        let written = disk::replace(&disk::beside(file, "names"), |mut part| {
            part.write_all(&serde_json::to_vec(&index)?)?;
            part.sync_all()
        });
        if let Err(error) = written {
            tracing::debug!(%error, path = %file.display(), "what the file of secrets holds was not noted");
        }
    }
}

impl SecretsFile {
    pub(crate) fn of(paths: &Paths) -> Self {
        let (path, named) = paths.secrets();
        let passphrase_file = paths.secrets_passphrase().map(Path::to_owned);
        Self { path, named, passphrase_file, asker: OnceLock::new(), held: Mutex::default() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn passphrase_file(&self) -> Option<&Path> {
        self.passphrase_file.as_deref()
    }

    /// Are secrets kept in it?
    pub(crate) fn is_chosen(&self) -> bool {
        self.named || std::fs::symlink_metadata(&self.path).is_ok()
    }

    /// The first one counts.
    pub(crate) fn ask_with(&self, asker: Asker) {
        drop(self.asker.set(asker));
    }

    /// Opens it, if that was not done or it was written since; `may_ask` a person.
    pub(crate) fn probe(&self, may_ask: bool) -> Result<(), SecretState> {
        self.open(&mut self.held(), may_ask)
    }

    pub(crate) fn get(&self, account: &str) -> Result<Option<Secret>, SecretState> {
        // What is not in it nobody has to open it for.
        if Index::of(&self.path).is_some_and(|index| !index.accounts.contains(account)) {
            return Ok(None);
        }
        let mut held = self.held();
        self.open(&mut held, true)?;
        Ok(held.secrets.get(account).cloned())
    }

    /// Those of these accounts that it does not hold. Nobody is asked for the passphrase.
    pub(crate) fn lacking(&self, accounts: BTreeSet<String>) -> Result<Vec<String>, SecretState> {
        let holds = if let Some(index) = Index::of(&self.path) {
            index.accounts
        } else {
            let mut held = self.held();
            self.open(&mut held, false)?;
            held.secrets.keys().cloned().collect()
        };
        Ok(accounts.into_iter().filter(|account| !holds.contains(account)).collect())
    }

    pub(crate) fn put(&self, account: &str, secret: &Secret) -> Result<(), SecretState> {
        self.change(|secrets| {
            let before = secrets.insert(account.to_owned(), secret.clone());
            before.is_none_or(|before| before.as_str() != secret.as_str())
        })
    }

    pub(crate) fn remove(&self, account: &str) -> Result<(), SecretState> {
        self.change(|secrets| secrets.remove(account).is_some())
    }

    /// May it be made, with this passphrase?
    pub(crate) fn may_be_made(&self, passphrase: &Secret) -> Result<(), OpError> {
        long_enough(passphrase)?;
        if std::fs::symlink_metadata(&self.path).is_ok() {
            return Err(OpError::precondition(format!("{} is there already", self.path.display()))
                .hint("`watchpost config secrets-file passphrase` locks it with another passphrase"));
        }
        Ok(())
    }

    /// Makes it with these secrets, and reads them back: what they were taken from is not asked any more.
    pub(crate) fn make(&self, passphrase: Secret, secrets: Kept) -> Result<(), OpError> {
        let mut held = self.held();
        let _alone = self.alone().map_err(|state| self.told(state))?;
        self.may_be_made(&passphrase)?;
        self.write(&mut held, secrets.clone(), passphrase.clone()).map_err(|state| self.told(state))?;
        if !secrets.is_empty() && read(&self.path, &passphrase).ok() != Some(secrets) {
            *held = Held { asked: held.asked, ..Held::default() };
            drop(std::fs::remove_file(&self.path));
            return Err(self.told(SecretState::FileFailed));
        }
        Ok(())
    }

    /// Opens it with this passphrase, which is held from then on. One that is not its own leaves what is open open.
    pub(crate) fn open_with(&self, passphrase: Secret) -> Result<(), SecretState> {
        let mut held = self.held();
        let seen = self.seen()?;
        let secrets = read(&self.path, &passphrase)?;
        Index::keep(&self.path, seen, &secrets);
        let asked = held.asked;
        *held = Held { passphrase: Some(passphrase), secrets, seen: Some(seen), refused: None, asked };
        Ok(())
    }

    /// Locks it with another passphrase.
    pub(crate) fn change_passphrase(&self, passphrase: Secret) -> Result<(), OpError> {
        long_enough(&passphrase)?;
        let mut held = self.held();
        let changed = self.open(&mut held, true).and_then(|()| {
            let _alone = self.alone()?;
            self.open(&mut held, true)?;
            let secrets = held.secrets.clone();
            self.write(&mut held, secrets, passphrase)
        });
        changed.map_err(|state| self.told(state))
    }

    fn told(&self, state: SecretState) -> OpError {
        let message = format!("the file of secrets {} stays as it is", self.path.display());
        OpError::new(ErrorCode::SecretStore, message).hint(describe(state))
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Kept) -> bool) -> Result<(), SecretState> {
        let mut held = self.held();
        self.open(&mut held, true)?;
        let _alone = self.alone()?;
        // Another process may have written it meanwhile.
        self.open(&mut held, true)?;
        let mut secrets = held.secrets.clone();
        if !change(&mut secrets) {
            return Ok(());
        }
        let passphrase = held.passphrase.clone().ok_or(SecretState::FileLocked)?;
        self.write(&mut held, secrets, passphrase)
    }

    fn open(&self, held: &mut Held, may_ask: bool) -> Result<(), SecretState> {
        let seen = self.seen()?;
        if held.seen == Some(seen) {
            return Ok(());
        }
        if let Some((at, of, state)) = held.refused
            && of == seen
            // Whoever only looks, and looks often, has nothing tried again.
            && (!may_ask || at.elapsed() < REFUSED_FOR)
        {
            return Err(state);
        }
        match self.unlock(held, may_ask) {
            Ok((passphrase, secrets)) => {
                let asked = held.asked;
                Index::keep(&self.path, seen, &secrets);
                *held =
                    Held { passphrase: Some(passphrase), secrets, seen: Some(seen), refused: None, asked };
                Ok(())
            }
            Err(state) => {
                // A person who was not asked yet may be.
                let may_come = state == SecretState::FileLocked && self.passphrase_file.is_none();
                held.refused = (!may_come).then(|| (Instant::now(), seen, state));
                Err(state)
            }
        }
    }

    fn unlock(&self, held: &mut Held, may_ask: bool) -> Result<(Secret, Kept), SecretState> {
        // Another process may have changed the passphrase too.
        if let Some(passphrase) = held.passphrase.take() {
            match read(&self.path, &passphrase) {
                Err(SecretState::FileRefused) => {}
                read => return read.map(|secrets| (passphrase, secrets)),
            }
        }
        if let Some(file) = &self.passphrase_file {
            let passphrase = passphrase_in(file).map_err(|problem| {
                tracing::warn!(%problem, "the passphrase of the file of secrets cannot be had");
                SecretState::FileLocked
            })?;
            return read(&self.path, &passphrase).map(|secrets| (passphrase, secrets));
        }
        let asker = self.asker.get().filter(|_| may_ask && !held.asked).ok_or(SecretState::FileLocked)?;
        held.asked = true;
        for again in [false, true, true] {
            let passphrase = asker(again).ok_or(SecretState::FileLocked)?;
            match read(&self.path, &passphrase) {
                Err(SecretState::FileRefused) => {}
                read => return read.map(|secrets| (passphrase, secrets)),
            }
        }
        Err(SecretState::FileRefused)
    }

    fn write(&self, held: &mut Held, secrets: Kept, passphrase: Secret) -> Result<(), SecretState> {
        write(&self.path, &secrets, &passphrase).map_err(|error| disk::failed(&self.path, &error))?;
        let seen = self.seen().ok();
        if let Some(seen) = seen {
            Index::keep(&self.path, seen, &secrets);
        }
        *held = Held { passphrase: Some(passphrase), secrets, seen, refused: None, asked: held.asked };
        Ok(())
    }

    fn seen(&self) -> Result<Seen, SecretState> {
        Seen::of(&self.path)
    }

    /// Nobody else writes while this is held.
    fn alone(&self) -> Result<File, SecretState> {
        disk::alone(&self.path)
    }
}

fn long_enough(passphrase: &Secret) -> Result<(), OpError> {
    if passphrase.chars().count() < CHARS_MIN {
        return Err(OpError::invalid("passphrase", format!("{CHARS_MIN} characters at least")));
    }
    Ok(())
}

fn read(path: &Path, passphrase: &Secret) -> Result<Kept, SecretState> {
    decrypted(path, passphrase).map_err(|problem| {
        let (state, why) = match problem {
            Problem::Closed => (SecretState::FileRefused, "it has another passphrase".to_owned()),
            Problem::Damaged(why) => (SecretState::FileDamaged, why),
            Problem::Io(error) => (SecretState::FileFailed, error.to_string()),
        };
        tracing::warn!(why, path = %path.display(), "the file of secrets does not open");
        state
    })
}

fn decrypted(path: &Path, passphrase: &Secret) -> Result<Kept, Problem> {
    let foreign = |what: &str| Problem::Damaged(what.to_owned());
    if Whom::of(path)? != Some(Whom::Passphrase) {
        return Err(foreign("it is no age file with a passphrase"));
    }
    disk::make_private(path);
    let file = File::open(path)?;
    // As much room as it takes at once: what grows leaves pieces behind.
    let bytes = usize::try_from(file.metadata()?.len()).unwrap_or_default();
    let mut text = Zeroizing::new(Vec::<u8>::with_capacity(bytes));
    Keys::of_passphrase(passphrase.clone()).reader(BufReader::new(file))?.read_to_end(&mut text)?;
    let content: Content =
        serde_json::from_slice(&text).map_err(|_| foreign("what is in it are no secrets of Watchpost"))?;
    if content.watchpost_secrets != FORM {
        return Err(foreign("a newer Watchpost wrote it"));
    }
    Ok(content.secrets.into_iter().map(|(account, secret)| (account, Zeroizing::new(secret))).collect())
}

fn write(path: &Path, secrets: &Kept, passphrase: &Secret) -> io::Result<()> {
    disk::replace(path, |part| {
        let mut writer = Locked::With(passphrase.clone()).writer(part)?;
        let secrets = secrets.iter().map(|(account, secret)| (account.as_str(), secret.as_str())).collect();
        serde_json::to_writer(&mut writer, &Contents { watchpost_secrets: FORM, secrets })?;
        writer.finish()?.sync_all()
    })
}
