//! Secrets in the OS keychain, on a thread of their own, or in a file that a passphrase locks where somebody chose it.
//!
//! The keychain may prompt, hang or be absent, and its D-Bus client must not run inside an async runtime: so one plain
//! thread owns it, and every question has a deadline. Where there is neither, secrets live in memory until the process
//! ends; never in a file in clear.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use zeroize::Zeroizing;

use crate::blocking::off_the_runtime;
use crate::contract::SecretState;
use crate::error::{ErrorCode, OpError};
pub use crate::secrets_file::Asker;
use crate::secrets_file::{Kept, SecretsFile};

/// Service name of every entry. Fixed for ever: a changed name orphans what is stored.
const SERVICE: &str = "watchpost";
/// How long a person may look at the keychain's own prompt before the question counts as unanswered.
const DEADLINE: Duration = Duration::from_secs(5);
/// The same where all that it holds is carried over: each entry may have a prompt.
const CARRYING: Duration = Duration::from_secs(60);

/// A secret that wipes itself when dropped.
pub type Secret = Zeroizing<String>;

enum Question {
    Probe(oneshot::Sender<SecretState>),
    Get(String, oneshot::Sender<Result<Option<Secret>, SecretState>>),
    Put(String, Secret, oneshot::Sender<Result<(), SecretState>>),
    Remove(String, oneshot::Sender<Result<(), SecretState>>),
    All(oneshot::Sender<Result<Vec<Found>, SecretState>>),
}

/// An account in the keychain, and what is in it.
type Found = (String, Result<Secret, SecretState>);

/// What a new file of secrets took over from the keychain, by account. The keychain keeps its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Carried {
    /// What is in the file.
    pub over: Vec<String>,
    /// What the keychain did not give away.
    pub left: Vec<String>,
}

/// How long an answer about the keychain's state holds: the status bar asks several times a second.
const STATE_HOLDS: Duration = Duration::from_secs(15);

/// The file of secrets where there is one, else the keychain, or memory where there is none. Clones share it; the thread
/// ends with the last clone.
#[derive(Clone)]
pub struct Secrets {
    questions: mpsc::Sender<Question>,
    session: Arc<Mutex<HashMap<String, Secret>>>,
    last: Arc<Mutex<Option<(Instant, SecretState)>>>,
    file: Arc<SecretsFile>,
}

impl Secrets {
    /// Starts the thread.
    ///
    /// # Panics
    /// If the operating system cannot start a thread.
    #[must_use]
    pub(crate) fn start(file: SecretsFile) -> Self {
        let (questions, inbox) = mpsc::channel();
        std::thread::Builder::new()
            .name("keychain".to_owned())
            .spawn(move || serve(&inbox))
            .expect("a process that cannot start one thread cannot do anything else either");
        Self { questions, session: Arc::default(), last: Arc::default(), file: Arc::new(file) }
    }

    /// The file of secrets, and whether secrets are kept in it.
    #[must_use]
    pub fn file(&self) -> (&Path, bool) {
        (self.file.path(), self.file.is_chosen())
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
        let over = kept.keys().cloned().collect();
        let file = self.file.clone();
        off_the_runtime(move || file.make(passphrase, kept)).await??;
        Ok(Carried { over, left })
    }

    /// All that the keychain holds of Watchpost, and what of it cannot be had.
    async fn of_keychain(&self) -> (Kept, Vec<String>) {
        let (mut kept, mut left) = (Kept::new(), Vec::new());
        match self.ask_within(CARRYING, Question::All).await.unwrap_or(Err(SecretState::TimedOut)) {
            Ok(found) => {
                for (account, secret) in found {
                    match secret {
                        Ok(secret) => drop(kept.insert(account, secret)),
                        Err(_) => left.push(account),
                    }
                }
            }
            Err(SecretState::Absent) => {}
            Err(_) => left.push("it is locked, or does not answer".to_owned()),
        }
        (kept, left)
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

    /// Does the keychain answer, or is the file of secrets open? Nobody is asked for a passphrase.
    pub async fn state(&self) -> SecretState {
        if let Some(opened) = self.in_file(|file| file.probe(false)).await {
            return opened.map_or_else(|state| state, |()| SecretState::FileReady);
        }
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, state)) = last.filter(|(at, _)| at.elapsed() < STATE_HOLDS) {
            return state;
        }
        let state = self.ask(Question::Probe).await.unwrap_or(SecretState::TimedOut);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), state));
        state
    }

    /// The secret of an account: from memory, else from the file or the keychain.
    ///
    /// # Errors
    /// Their state when it cannot be said whether there is one.
    pub async fn get(&self, account: &str) -> Result<Option<Secret>, SecretState> {
        if let Some(secret) = self.memory().get(account) {
            return Ok(Some(secret.clone()));
        }
        let account = account.to_owned();
        let name = account.clone();
        if let Some(found) = self.in_file(move |file| file.get(&name)).await {
            return if matches!(found, Err(SecretState::FileMissing)) { Ok(None) } else { found };
        }
        match self.ask(|reply| Question::Get(account, reply)).await.unwrap_or(Err(SecretState::TimedOut)) {
            Err(SecretState::Absent) => Ok(None),
            answer => answer,
        }
    }

    /// Keeps a secret: in the file or the keychain if it works (`Ready`), else in memory. Tells which.
    pub async fn put(&self, account: &str, secret: Secret) -> SecretState {
        let (name, copy) = (account.to_owned(), secret.clone());
        let kept = match self.in_file(move |file| file.put(&name, &copy)).await {
            Some(kept) => kept,
            None => {
                let (name, copy) = (account.to_owned(), secret.clone());
                self.ask(|reply| Question::Put(name, copy, reply)).await.unwrap_or(Err(SecretState::TimedOut))
            }
        };
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

    /// Forgets a secret everywhere. Tells when the file or the keychain could not.
    pub async fn remove(&self, account: &str) -> SecretState {
        self.memory().remove(account);
        let name = account.to_owned();
        if let Some(removed) = self.in_file(move |file| file.remove(&name)).await {
            return removed.map_or_else(|state| state, |()| SecretState::Ready);
        }
        let name = account.to_owned();
        match self.ask(|reply| Question::Remove(name, reply)).await.unwrap_or(Err(SecretState::TimedOut)) {
            Ok(()) => SecretState::Ready,
            Err(state) => state,
        }
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, HashMap<String, Secret>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
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

    async fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Question) -> Option<T> {
        self.ask_within(DEADLINE, question).await
    }

    async fn ask_within<T>(
        &self,
        deadline: Duration,
        question: impl FnOnce(oneshot::Sender<T>) -> Question,
    ) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.questions.send(question(reply)).ok()?;
        tokio::time::timeout(deadline, answer).await.ok()?.ok()
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
             of it back, or move it away and make a new one (watchpost config secrets-file make); until then \
             passwords are kept for this session only"
        }
        SecretState::FileFailed => {
            "the file of secrets cannot be read or written: look at its folder, its owner and the room on the disk; \
             until then passwords are kept for this session only"
        }
        SecretState::TimedOut => {
            "the keychain did not answer within 5 s; a prompt may be waiting; until it is answered passwords are kept \
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

fn serve(inbox: &mpsc::Receiver<Question>) {
    while let Ok(question) = inbox.recv() {
        // A caller that has given up has dropped its receiver; its answer goes nowhere.
        match question {
            Question::Probe(reply) => drop(reply.send(probe())),
            Question::Get(account, reply) => drop(reply.send(get(&account))),
            Question::Put(account, secret, reply) => drop(reply.send(put(&account, &secret))),
            Question::Remove(account, reply) => drop(reply.send(remove(&account))),
            Question::All(reply) => drop(reply.send(all())),
        }
    }
}

fn entry(account: &str) -> Result<keyring::Entry, SecretState> {
    keyring::Entry::new(SERVICE, account).map_err(|error| state_of(&error))
}

fn probe() -> SecretState {
    match entry("probe").map(|entry| entry.get_password()) {
        Ok(Ok(_) | Err(keyring::Error::NoEntry)) => SecretState::Ready,
        Ok(Err(error)) => state_of(&error),
        Err(state) => state,
    }
}

fn get(account: &str) -> Result<Option<Secret>, SecretState> {
    match entry(account)?.get_password() {
        Ok(secret) => Ok(Some(Zeroizing::new(secret))),
        Err(keyring::Error::NoEntry) => Ok(None),
        Err(error) => Err(state_of(&error)),
    }
}

fn all() -> Result<Vec<Found>, SecretState> {
    // Opens the keychain too, if nobody did.
    match probe() {
        SecretState::Ready => {}
        state => return Err(state),
    }
    let ours = HashMap::from([("service", SERVICE)]);
    let found = keyring_core::Entry::search(&ours).map_err(|error| {
        tracing::warn!(%error, "the keychain does not tell what it holds");
        SecretState::Locked
    })?;
    let mut all = Vec::new();
    for entry in found {
        let account = entry.get_specifiers().map(|(_, account)| account);
        let account = account.unwrap_or_else(|| "an entry without a name".to_owned());
        match entry.get_password() {
            Ok(secret) => all.push((account, Ok(Zeroizing::new(secret)))),
            // Somebody removed it meanwhile.
            Err(keyring::Error::NoEntry) => {}
            Err(error) => all.push((account, Err(state_of(&error)))),
        }
    }
    Ok(all)
}

fn put(account: &str, secret: &str) -> Result<(), SecretState> {
    entry(account)?.set_password(secret).map_err(|error| state_of(&error))
}

fn remove(account: &str) -> Result<(), SecretState> {
    match entry(account)?.delete_credential() {
        Ok(()) | Err(keyring::Error::NoEntry) => Ok(()),
        Err(error) => Err(state_of(&error)),
    }
}

fn state_of(error: &keyring::Error) -> SecretState {
    match error {
        keyring::Error::NoStorageAccess(_) => SecretState::Locked,
        _ => SecretState::Absent,
    }
}
