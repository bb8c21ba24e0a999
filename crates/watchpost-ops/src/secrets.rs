//! Secrets in the OS keychain, on a thread of their own.
//!
//! The keychain may prompt, hang or be absent, and its D-Bus client must not run inside an async runtime: so one plain
//! thread owns it, and every question has a deadline. Where there is no keychain, secrets live in memory until the
//! process ends; never in a file.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use zeroize::Zeroizing;

use crate::contract::SecretState;

/// Service name of every entry. Fixed for ever: a changed name orphans what is stored.
const SERVICE: &str = "watchpost";
/// How long a person may look at the keychain's own prompt before the question counts as unanswered.
const DEADLINE: Duration = Duration::from_secs(5);

/// A secret that wipes itself when dropped.
pub type Secret = Zeroizing<String>;

enum Question {
    Probe(oneshot::Sender<SecretState>),
    Get(String, oneshot::Sender<Result<Option<Secret>, SecretState>>),
    Put(String, Secret, oneshot::Sender<Result<(), SecretState>>),
    Remove(String, oneshot::Sender<Result<(), SecretState>>),
}

/// How long an answer about the keychain's state holds: the status bar asks several times a second.
const STATE_HOLDS: Duration = Duration::from_secs(15);

/// The keychain, or memory where there is none. Clones share it; the thread ends with the last clone.
#[derive(Clone)]
pub struct Secrets {
    questions: mpsc::Sender<Question>,
    session: Arc<Mutex<HashMap<String, Secret>>>,
    last: Arc<Mutex<Option<(Instant, SecretState)>>>,
}

impl Secrets {
    /// Starts the thread.
    ///
    /// # Panics
    /// If the operating system cannot start a thread.
    #[must_use]
    pub fn start() -> Self {
        let (questions, inbox) = mpsc::channel();
        std::thread::Builder::new()
            .name("keychain".to_owned())
            .spawn(move || serve(&inbox))
            .expect("a process that cannot start one thread cannot do anything else either");
        Self { questions, session: Arc::default(), last: Arc::default() }
    }

    /// Does the keychain answer?
    pub async fn state(&self) -> SecretState {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, state)) = last.filter(|(at, _)| at.elapsed() < STATE_HOLDS) {
            return state;
        }
        let state = self.ask(Question::Probe).await.unwrap_or(SecretState::TimedOut);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), state));
        state
    }

    /// The secret of an account: from memory, else from the keychain.
    ///
    /// # Errors
    /// The keychain's state when it cannot say whether there is one.
    pub async fn get(&self, account: &str) -> Result<Option<Secret>, SecretState> {
        if let Some(secret) = self.memory().get(account) {
            return Ok(Some(secret.clone()));
        }
        let account = account.to_owned();
        match self.ask(|reply| Question::Get(account, reply)).await.unwrap_or(Err(SecretState::TimedOut)) {
            Err(SecretState::Absent) => Ok(None),
            answer => answer,
        }
    }

    /// Keeps a secret: in the keychain if it works, else in memory. Tells which.
    pub async fn put(&self, account: &str, secret: Secret) -> SecretState {
        let (name, copy) = (account.to_owned(), secret.clone());
        match self.ask(|reply| Question::Put(name, copy, reply)).await.unwrap_or(Err(SecretState::TimedOut)) {
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

    /// Forgets a secret everywhere. Tells when the keychain could not.
    pub async fn remove(&self, account: &str) -> SecretState {
        self.memory().remove(account);
        let name = account.to_owned();
        match self.ask(|reply| Question::Remove(name, reply)).await.unwrap_or(Err(SecretState::TimedOut)) {
            Ok(()) => SecretState::Ready,
            Err(state) => state,
        }
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, HashMap<String, Secret>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Question) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.questions.send(question(reply)).ok()?;
        tokio::time::timeout(DEADLINE, answer).await.ok()?.ok()
    }
}

/// What a state means, for people; empty when all is well.
#[must_use]
pub fn describe(state: SecretState) -> &'static str {
    match state {
        SecretState::Ready => "",
        SecretState::Locked => {
            "the keychain is locked: unlock it (log in to the desktop, or open its password manager) and try again; \
             until then passwords are kept for this session only"
        }
        SecretState::Absent => {
            "there is no keychain (Secret Service) in this session: passwords are kept until Watchpost ends and are \
             never written to a file; install gnome-keyring or KWallet to keep them"
        }
        SecretState::TimedOut => {
            "the keychain did not answer within 5 s; a prompt may be waiting; until it is answered passwords are kept \
             for this session only"
        }
    }
}

fn serve(inbox: &mpsc::Receiver<Question>) {
    while let Ok(question) = inbox.recv() {
        // A caller that has given up has dropped its receiver; its answer goes nowhere.
        match question {
            Question::Probe(reply) => drop(reply.send(probe())),
            Question::Get(account, reply) => drop(reply.send(get(&account))),
            Question::Put(account, secret, reply) => drop(reply.send(put(&account, &secret))),
            Question::Remove(account, reply) => drop(reply.send(remove(&account))),
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
