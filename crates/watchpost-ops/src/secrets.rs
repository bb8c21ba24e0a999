//! Secrets in a file that is sealed with a key of the OS keychain, or in one that a passphrase locks where somebody chose it.
//!
//! The keychain holds one entry, the key (`sealed.rs`, `keychain.rs`). Entries of their own, as each secret had before, are
//! moved into the file when they are first read. Where there is neither keychain nor file with a passphrase, secrets live in
//! memory until the process ends, and it is noted that they are to be given again; none is ever in a file in clear.

mod disk;
mod file;
mod given;
mod keychain;
mod sealed;
mod standing;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::blocking::off_the_runtime;
use crate::contract::SecretState;
use crate::error::{ErrorCode, OpError};
use crate::paths::Paths;
pub use file::Asker;
use file::{Kept, SecretsFile};
use given::Given;
use keychain::Desk;
pub use keychain::{Found, Keychain};
use sealed::{Master, Names, SealedFile};
use standing::Last;

/// How long a person may look at the keychain's own prompt before the question counts as unanswered.
const DEADLINE: Duration = Duration::from_secs(5);
/// The same where all that it holds is carried over: each entry may have a prompt.
const CARRYING: Duration = Duration::from_secs(60);
/// How long a keychain may take that nobody is asked to open, for what can be done without it.
const GLANCE: Duration = Duration::from_secs(2);

/// A secret that wipes itself when dropped.
pub type Secret = Zeroizing<String>;

/// What a new file of secrets took over from the keychain, by account. The keychain keeps its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Carried {
    /// What is in the file.
    pub over: Vec<String>,
    /// What the keychain did not give away.
    pub left: Vec<String>,
}

/// The file of secrets where there is one, else the sealed one, or memory where there is no keychain. Clones share it; the
/// thread of the keychain ends with the last clone.
#[derive(Clone)]
pub struct Secrets {
    keychain: Desk,
    session: Arc<Mutex<HashMap<String, Secret>>>,
    last: Arc<Mutex<Option<Last>>>,
    file: Arc<SecretsFile>,
    sealed: Arc<SealedFile>,
    given: Arc<Given>,
    master: Arc<Mutex<Option<Master>>>,
    /// A person may be asked to open the keychain.
    asks: bool,
    /// Until when it is waited for, however many questions are asked.
    until: Option<Instant>,
}

/// The keychain of the operating system.
pub(crate) fn keychain_of_the_system() -> Box<dyn Keychain> {
    Box::new(keychain::OfTheSystem)
}

impl Secrets {
    /// Starts the thread of the keychain.
    ///
    /// # Panics
    /// If the operating system cannot start a thread.
    #[must_use]
    pub(crate) fn start(paths: &Paths, keychain: Box<dyn Keychain>) -> Self {
        Self {
            keychain: Desk::start(keychain),
            session: Arc::default(),
            last: Arc::default(),
            file: Arc::new(SecretsFile::of(paths)),
            sealed: Arc::new(SealedFile::at(paths.sealed_secrets())),
            given: Arc::new(Given::at(paths.passwords_given())),
            master: Arc::default(),
            asks: true,
            until: None,
        }
    }

    /// The same, for what can be done without them: nobody is asked to open the keychain.
    pub(crate) fn quiet(&self) -> Self {
        Self { asks: false, ..self.clone() }
    }

    /// The same, waiting for all answers of the keychain together no longer than for one.
    fn in_all(&self) -> Self {
        Self { until: Some(Instant::now() + DEADLINE), ..self.clone() }
    }

    /// How long to wait for the keychain.
    fn patience(&self) -> Duration {
        self.at_most(if self.asks { DEADLINE } else { GLANCE })
    }

    /// The same for an answer that is waited for so long where nothing else was asked before.
    fn at_most(&self, patience: Duration) -> Duration {
        self.until.map_or(patience, |until| patience.min(until.saturating_duration_since(Instant::now())))
    }

    /// The file of secrets, and whether secrets are kept in it.
    #[must_use]
    pub fn file(&self) -> (&Path, bool) {
        (self.file.path(), self.file.is_chosen())
    }

    /// The file that they are in: that with the passphrase where there is one, else the sealed one.
    pub(crate) fn kept_in(&self) -> &Path {
        if self.file.is_chosen() { self.file.path() } else { self.sealed.path() }
    }

    /// Does memory keep the secret of an account until the process ends?
    pub(crate) fn is_in_memory(&self, account: &str) -> bool {
        self.memory().contains_key(account)
    }

    /// The file with its passphrase, where one is named.
    #[must_use]
    pub fn passphrase_file(&self) -> Option<&Path> {
        self.file.passphrase_file()
    }

    /// Has a person asked for the passphrase of the file, on a thread that may block, when a secret is wanted and no file
    /// with the passphrase is named.
    pub fn ask_with(&self, asker: Asker) {
        self.file.ask_with(asker);
    }

    /// Makes the file of secrets with all that the keychain holds, in which they are kept from then on.
    ///
    /// # Errors
    /// `Validation` for a short passphrase, `Precondition` if it is there, `SecretStore` if it cannot be written, or the
    /// keychain does not give everything away.
    pub async fn make_file(&self, passphrase: Secret) -> Result<Carried, OpError> {
        self.make_file_leaving(passphrase, false).await
    }

    /// The same; `leave` makes it without what the keychain does not give away, and names that.
    ///
    /// # Errors
    /// As [`Self::make_file`].
    pub async fn make_file_leaving(&self, passphrase: Secret, leave: bool) -> Result<Carried, OpError> {
        // Before a prompt of the keychain comes.
        self.file.may_be_made(&passphrase)?;
        let (kept, left) = self.of_keychain().await;
        if !left.is_empty() && !leave {
            let message = format!("the keychain does not give everything away: {}", left.join(", "));
            return Err(OpError::new(ErrorCode::SecretStore, message).hint(
                "no file was made; unlock the keychain and try again, or leave that behind, to be entered again: watchpost \
                 config secrets-file make --leave",
            ));
        }
        let over: Vec<String> = kept.keys().cloned().collect();
        // What is left has to be entered again, though the new file knows nothing of it.
        let notes = over.iter().chain(&left).filter(|account| given::is_password(account));
        let noted = self.note_given(notes.map(|account| (account.clone(), Some(true))).collect()).await;
        if let Err(state) = noted {
            let message = "it cannot be noted which passwords there are";
            return Err(OpError::new(ErrorCode::SecretStore, message).hint(describe(state)));
        }
        let file = self.file.clone();
        off_the_runtime(move || file.make(passphrase, kept)).await??;
        Ok(Carried { over, left })
    }

    /// All that the keychain holds of Watchpost, what is sealed with its key, and what of it cannot be had.
    async fn of_keychain(&self) -> (Kept, Vec<String>) {
        let (mut kept, mut left) = (Kept::new(), Vec::new());
        match self.keychain.ask(CARRYING, |keychain| keychain.all()).await {
            Ok(found) => {
                for (account, secret) in found {
                    match secret {
                        _ if Master::is_one(&account) => {}
                        Ok(secret) => drop(kept.insert(account, secret)),
                        Err(_) => left.push(account),
                    }
                }
            }
            Err(SecretState::Absent) => {}
            Err(_) => left.push("it is locked, or does not answer".to_owned()),
        }
        match self.names().await {
            Ok(names) if !names.kept.is_empty() => match self.all_sealed(&names.id).await {
                Ok(sealed) => kept.extend(sealed),
                Err(_) => left.extend(names.kept),
            },
            Ok(_) => {}
            Err(_) => left.push(self.sealed.path().display().to_string()),
        }
        (kept, left)
    }

    async fn all_sealed(&self, id: &str) -> Result<Kept, SecretState> {
        let master = self.master(id).await?;
        self.in_sealed(move |sealed| sealed.all(&master)).await
    }

    /// Locks the file of secrets with another passphrase.
    ///
    /// # Errors
    /// `Validation` for a short passphrase, `SecretStore` if it does not open or cannot be written.
    pub async fn change_passphrase(&self, passphrase: Secret) -> Result<(), OpError> {
        let file = self.file.clone();
        off_the_runtime(move || file.change_passphrase(passphrase)).await?
    }

    /// Opens the file of secrets with a passphrase that somebody typed.
    ///
    /// # Errors
    /// Its state if it does not open: `FileRefused` with another passphrase than its own.
    pub(crate) async fn open_file_with(&self, passphrase: Secret) -> Result<(), SecretState> {
        self.in_file(move |file| file.open_with(passphrase)).await.unwrap_or(Err(SecretState::FileMissing))
    }

    /// Does the file of secrets open? Asks for its passphrase if need be; `None` where there is none.
    pub async fn open_file(&self) -> Option<SecretState> {
        let opened = self.in_file(|file| file.probe(true)).await?;
        Some(opened.map_or_else(|state| state, |()| SecretState::FileReady))
    }

    /// The secret of an account: from memory, else from the file or the keychain.
    ///
    /// # Errors
    /// Their state when it cannot be said whether there is one, or when it has to be given again.
    pub async fn get(&self, account: &str) -> Result<Option<Secret>, SecretState> {
        if let Some(secret) = self.memory().get(account) {
            return Ok(Some(secret.clone()));
        }
        let name = account.to_owned();
        if let Some(found) = self.in_file(move |file| file.get(&name)).await {
            let found = if matches!(found, Err(SecretState::FileMissing)) { Ok(None) } else { found };
            // Given while the file did not open.
            let is_lost = matches!(found, Ok(None))
                && self.names().await.is_ok_and(|names| names.lost.contains(account));
            return if is_lost { Err(SecretState::KeyChanged) } else { found };
        }
        let names = self.names().await?;
        if names.lost.contains(account) {
            return Err(SecretState::KeyChanged);
        }
        if !names.kept.contains(account) {
            return self.moved(account).await;
        }
        let (master, name) = (self.master(&names.id).await?, account.to_owned());
        self.in_sealed(move |sealed| sealed.get(&master, &name)).await
    }

    /// A secret that has an entry of its own in the keychain, as all had; it is moved into the sealed file.
    async fn moved(&self, account: &str) -> Result<Option<Secret>, SecretState> {
        let (name, asks) = (account.to_owned(), self.asks);
        let found = self.keychain.ask_about(self.patience(), name, move |keychain, name| {
            if !asks {
                keychain.look(name)?;
            }
            keychain.get(name)
        });
        let found = match found.await {
            Err(SecretState::Absent) => return Ok(None),
            found => found?,
        };
        // The key that logs had in common is that of other homes too.
        if let Some(secret) = found.as_ref().filter(|_| account != crate::signing::COMMON) {
            match self.seal(account, secret).await {
                // The file is on disk.
                Ok(()) => self.forget_entry(account).await,
                Err(state) => tracing::warn!(?state, account, "a secret stays in an entry of its own"),
            }
        }
        Ok(found)
    }

    async fn forget_entry(&self, account: &str) {
        let name = account.to_owned();
        let removed = self.keychain.ask(DEADLINE, move |keychain| keychain.remove(&name)).await;
        if let Err(state) = removed {
            tracing::debug!(?state, account, "an entry of the keychain that is not used any more stays");
        }
    }

    /// Keeps a secret: in the file or under the key of the keychain if it works (`Ready`), else in memory. Tells which.
    pub async fn put(&self, account: &str, secret: Secret) -> SecretState {
        let (name, copy) = (account.to_owned(), secret.clone());
        let kept = match self.in_file(move |file| file.put(&name, &copy)).await {
            Some(kept) => kept,
            None => {
                let sealed = self.seal(account, &secret).await;
                self.forget_state();
                if sealed.is_ok() {
                    self.forget_entry(account).await;
                }
                sealed
            }
        };
        self.note(account, kept.is_err()).await;
        match kept {
            Ok(()) => {
                self.memory().remove(account);
                SecretState::Ready
            }
            Err(state) => {
                self.memory().insert(account.to_owned(), secret);
                state
            }
        }
    }

    /// Notes whether a secret was given that nothing keeps.
    async fn note(&self, account: &str, is_lost: bool) {
        let name = account.to_owned();
        if let Err(state) = self.in_sealed(move |sealed| sealed.note(&name, is_lost)).await {
            tracing::debug!(?state, account, "it was not noted whether this is kept");
        }
    }

    /// Seals a secret in the file. Where the file has no key, or one that is not in the keychain any more, it begins anew.
    async fn seal(&self, account: &str, secret: &Secret) -> Result<(), SecretState> {
        // Another process may begin anew at the same time.
        for _ in 0..3 {
            let before = self.names().await?.id;
            let found = self.master(&before).await;
            let master = match found {
                Err(SecretState::KeyChanged) => match self.begun(before).await? {
                    Some(master) => master,
                    None => continue,
                },
                master => master?,
            };
            let (name, copy) = (account.to_owned(), secret.clone());
            match self.in_sealed(move |sealed| sealed.put(&master, &name, &copy)).await {
                Err(SecretState::KeyChanged) => self.hold(None),
                done => return done,
            }
        }
        Err(SecretState::FileFailed)
    }

    /// Begins the file anew, with a key that the keychain has taken; `None` if another process did.
    async fn begun(&self, before: String) -> Result<Option<Master>, SecretState> {
        let master = Master::new();
        let (account, entry) = (Master::account(master.id()), master.entry());
        let kept = self.keychain.ask(DEADLINE, move |keychain| {
            keychain.put(&account, &entry)?;
            // A keychain that keeps nothing would lose all that is sealed.
            Ok(keychain.get(&account)?.is_some_and(|kept| *kept == *entry))
        });
        if !kept.await? {
            return Err(SecretState::Denied);
        }
        let key = master.clone();
        let begun = self.in_sealed(move |sealed| sealed.begin(&before, &key)).await;
        if !matches!(begun, Ok(true)) {
            self.forget_entry(&Master::account(master.id())).await;
        }
        if !begun? {
            return Ok(None);
        }
        self.hold(Some(master.clone()));
        Ok(Some(master))
    }

    /// The key of the file.
    ///
    /// # Errors
    /// `KeyChanged` if the keychain has none, or another one; why the keychain does not say.
    async fn master(&self, id: &str) -> Result<Master, SecretState> {
        if let Some(held) = self.held(id) {
            return Ok(held);
        }
        if id.is_empty() {
            return Err(SecretState::KeyChanged);
        }
        let (account, asks) = (Master::account(id), self.asks);
        let found = self.keychain.ask_about(self.patience(), account, move |keychain, account| {
            if !asks {
                keychain.look(account)?;
            }
            match keychain.get(account)? {
                // Some keychains do not tell what is in them while they are locked.
                None if keychain.look(account)? => Err(SecretState::Denied),
                found => Ok(found),
            }
        });
        let master = found.await?.and_then(|entry| Master::of(id, &entry)).ok_or(SecretState::KeyChanged)?;
        let key = master.clone();
        if !self.in_sealed(move |sealed| sealed.fits(&key)).await? {
            return Err(SecretState::KeyChanged);
        }
        self.hold(Some(master.clone()));
        Ok(master)
    }

    fn held(&self, id: &str) -> Option<Master> {
        let held = self.master.lock().unwrap_or_else(PoisonError::into_inner);
        held.clone().filter(|master| master.id() == id)
    }

    fn hold(&self, master: Option<Master>) {
        *self.master.lock().unwrap_or_else(PoisonError::into_inner) = master;
    }

    /// Forgets a secret everywhere. Tells when the file or the keychain could not.
    pub async fn remove(&self, account: &str) -> SecretState {
        self.memory().remove(account);
        let name = account.to_owned();
        if let Some(removed) = self.in_file(move |file| file.remove(&name)).await {
            self.note(account, false).await;
            return removed.map_or_else(|state| state, |()| SecretState::Ready);
        }
        let name = account.to_owned();
        let was_sealed = match self.in_sealed(move |sealed| sealed.remove(&name)).await {
            Ok(was_sealed) => was_sealed,
            Err(state) => return state,
        };
        self.forget_state();
        let name = account.to_owned();
        match self.keychain.ask(DEADLINE, move |keychain| keychain.remove(&name)).await {
            // What was sealed has no entry of its own any more.
            Err(state) if !was_sealed => state,
            _ => SecretState::Ready,
        }
    }

    /// Forgets what memory keeps of an account, and nothing else.
    pub(crate) fn let_go(&self, account: &str) {
        self.memory().remove(account);
    }

    fn memory(&self) -> MutexGuard<'_, HashMap<String, Secret>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the sealed file says without its key.
    async fn names(&self) -> Result<Names, SecretState> {
        self.in_sealed(SealedFile::names).await
    }

    async fn in_sealed<T: Send + 'static>(
        &self,
        work: impl FnOnce(&SealedFile) -> Result<T, SecretState> + Send + 'static,
    ) -> Result<T, SecretState> {
        let sealed = self.sealed.clone();
        off_the_runtime(move || work(&sealed)).await.unwrap_or(Err(SecretState::FileFailed))
    }

    /// Does something with the file of secrets; `None` where they are not kept in one.
    async fn in_file<T: Send + 'static>(
        &self,
        work: impl FnOnce(&SecretsFile) -> Result<T, SecretState> + Send + 'static,
    ) -> Option<Result<T, SecretState>> {
        if !self.file.is_chosen() {
            return None;
        }
        let file = self.file.clone();
        Some(off_the_runtime(move || work(&file)).await.unwrap_or(Err(SecretState::FileFailed)))
    }
}

/// A state in a few words.
#[must_use]
pub const fn in_short(state: SecretState) -> &'static str {
    match state {
        SecretState::Ready => "ready",
        SecretState::Locked => "locked",
        SecretState::Absent => "absent",
        SecretState::Denied => "denied",
        SecretState::TimedOut => "no answer in time",
        SecretState::KeyChanged => "another key than before",
        SecretState::SecretAltered => "a secret was altered",
        SecretState::FileReady => "a file that a passphrase locks, open",
        SecretState::FileLocked => "a file that a passphrase locks, not open",
        SecretState::FileRefused => "a file with another passphrase",
        SecretState::FileMissing => "the file is not there",
        SecretState::FileDamaged => "the file is damaged",
        SecretState::FileFailed => "the file cannot be read or written",
    }
}

/// What a state means, for people; empty when all is well.
#[must_use]
pub fn describe(state: SecretState) -> &'static str {
    match state {
        SecretState::Ready | SecretState::FileReady => "",
        SecretState::Locked => {
            "the keychain is locked: unlock it (log in to the desktop, or open its password manager) and try again; \
             until then passwords are kept for this session only"
        }
        SecretState::Absent => {
            "there is no keychain (Secret Service) in this session: passwords are kept until Watchpost ends and are \
             never written to a file in clear; install gnome-keyring or KWallet to keep them, or have a file that a \
             passphrase locks: watchpost config secrets-file make"
        }
        SecretState::Denied => {
            "there is a keychain, and it refuses: it has no collection to keep passwords in (log in to the desktop, or \
             make one in its password manager), or does not let this program in; until then passwords are kept for this \
             session only"
        }
        SecretState::KeyChanged => {
            "enter your passwords again: the key that they were sealed with is not in the keychain any more, what kept \
             them is gone or was altered, or nothing could keep them when they were given (Settings, or watchpost connect \
             add with the same name; watchpost config secrets-file show names the connections)"
        }
        SecretState::SecretAltered => {
            "a secret in the file of secrets was altered: put a copy of the file back; without one, enter the password \
             again that it is (Settings, or watchpost connect add with the same name), or, of the key that signs the audit \
             trail, remove its line (checkpoint-key/...): nothing takes the place of that key before"
        }
        SecretState::FileLocked => {
            "the file of secrets is locked, and its passphrase was not given: type it in Settings (Keychain) or when the \
             command line asks, or name a file that holds it in WATCHPOST_SECRETS_PASSPHRASE_FILE; until then passwords \
             are kept for this session only"
        }
        SecretState::FileRefused => {
            "the file of secrets has another passphrase than was given; until it opens passwords are kept for this \
             session only"
        }
        SecretState::FileMissing => {
            "the file that WATCHPOST_SECRETS_FILE names is not there: make it (watchpost config secrets-file make), or \
             name the one that you have; until then passwords are kept for this session only"
        }
        SecretState::FileDamaged => {
            "the file of secrets is cut off, was altered or is another one, and nothing is written over it: put a copy \
             of it back, or, where there is none, move it away, with which all that is in it is lost, and enter your \
             passwords again; until then passwords are kept for this session only"
        }
        SecretState::FileFailed => {
            "the file of secrets cannot be read or written: look at its folder, its owner and the room on the disk; \
             until then passwords are kept for this session only"
        }
        SecretState::TimedOut => {
            "the keychain did not answer in time; a prompt may be waiting; until it is answered passwords are kept \
             for this session only"
        }
    }
}

/// The passphrase that a file holds.
///
/// # Errors
/// `Unavailable` if it cannot be read, `Validation` if there is none in it.
pub fn passphrase_in(file: &Path) -> Result<Secret, OpError> {
    crate::age_file::passphrase_in(file)
}
