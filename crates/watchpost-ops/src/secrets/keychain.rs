//! The OS keychain, on a thread of its own.
//!
//! It may prompt, hang or be absent, and its D-Bus client must not run inside an async runtime: so one plain thread owns it,
//! and every question has a deadline. While it has not answered a question that was given up, no other one waits for it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::{GLANCE, Secret};
use crate::contract::SecretState;

/// Service name of every entry. Fixed for ever: a changed name orphans what is stored.
const SERVICE: &str = "watchpost";

/// An account in the keychain, and what is in it.
pub type Found = (String, Result<Secret, SecretState>);

/// Where the keys of secrets are kept: the keychain of the operating system, or what a test puts into its place. It is asked
/// on a thread of its own and may block.
pub trait Keychain: Send {
    /// Is there such an entry? Nobody is asked to unlock anything for this.
    ///
    /// # Errors
    /// `Locked`, `Denied` or `Absent`.
    fn look(&self, account: &str) -> Result<bool, SecretState>;

    /// What an entry holds.
    ///
    /// # Errors
    /// As [`Self::look`], once a person who was asked did not unlock it.
    fn get(&self, account: &str) -> Result<Option<Secret>, SecretState>;

    /// Makes an entry, or changes what it holds.
    ///
    /// # Errors
    /// As [`Self::get`].
    fn put(&self, account: &str, secret: &str) -> Result<(), SecretState>;

    /// Removes an entry, if it is there.
    ///
    /// # Errors
    /// As [`Self::get`].
    fn remove(&self, account: &str) -> Result<(), SecretState>;

    /// All that it holds of Watchpost.
    ///
    /// # Errors
    /// As [`Self::get`].
    fn all(&self) -> Result<Vec<Found>, SecretState>;
}

type Question = Box<dyn FnOnce(&dyn Keychain) + Send>;

/// Questions that were asked, were answered, and were given up, counted.
#[derive(Default)]
struct Turns {
    asked: AtomicU64,
    answered: AtomicU64,
    given_up: AtomicU64,
    /// Given up after a glance: what cannot be done without the answer still waits for its own.
    passed_over: AtomicU64,
    /// The question at hand is about an entry that is locked: a person is asked to open it.
    locked: AtomicBool,
}

/// The thread; it ends with the last clone.
#[derive(Clone)]
pub(super) struct Desk {
    questions: mpsc::Sender<Question>,
    turns: Arc<Turns>,
}

impl Desk {
    /// Starts the thread.
    ///
    /// # Panics
    /// If the operating system cannot start a thread.
    pub(super) fn start(keychain: Box<dyn Keychain>) -> Self {
        let (questions, inbox) = mpsc::channel::<Question>();
        let turns = Arc::<Turns>::default();
        let done = turns.clone();
        std::thread::Builder::new()
            .name("keychain".to_owned())
            .spawn(move || {
                while let Ok(question) = inbox.recv() {
                    question(&*keychain);
                    done.answered.fetch_add(1, Ordering::SeqCst);
                }
            })
            .expect("a process that cannot start one thread cannot do anything else either");
        Self { questions, turns }
    }

    /// Has a question not been answered yet that was given up after a glance?
    pub(super) fn is_passed_over(&self) -> bool {
        let turns = &self.turns;
        turns.answered.load(Ordering::SeqCst) < turns.passed_over.load(Ordering::SeqCst)
    }

    /// The answer to a question, or `TimedOut`; at once while the keychain has not answered one that was given up, for a
    /// glance also one that was after a glance.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        within: Duration,
        question: impl FnOnce(&dyn Keychain) -> Result<T, SecretState> + Send + 'static,
    ) -> Result<T, SecretState> {
        let turns = &self.turns;
        let is_glance = within <= GLANCE;
        let is_given_up = turns.answered.load(Ordering::SeqCst) < turns.given_up.load(Ordering::SeqCst);
        if is_given_up || is_glance && self.is_passed_over() {
            return Err(self.stands());
        }
        let (reply, answer) = oneshot::channel();
        let asked = move |keychain: &dyn Keychain| {
            // Whoever gave up has dropped the receiver, and keeps in memory what was to be kept.
            if !reply.is_closed() {
                drop(reply.send(question(keychain)));
            }
        };
        let turn = turns.asked.fetch_add(1, Ordering::SeqCst) + 1;
        self.questions.send(Box::new(asked)).map_err(|_| SecretState::TimedOut)?;
        match tokio::time::timeout(within, answer).await {
            Ok(answer) => answer.unwrap_or(Err(SecretState::TimedOut)),
            Err(_) => {
                let left = if is_glance { &turns.passed_over } else { &turns.given_up };
                left.fetch_max(turn, Ordering::SeqCst);
                Err(self.stands())
            }
        }
    }

    /// As [`Desk::ask`], about an entry; `Locked` while nobody has opened the keychain that it is in.
    pub(super) async fn ask_about<T: Send + 'static>(
        &self,
        within: Duration,
        account: String,
        question: impl FnOnce(&dyn Keychain, &str) -> Result<T, SecretState> + Send + 'static,
    ) -> Result<T, SecretState> {
        let turns = self.turns.clone();
        let asked = move |keychain: &dyn Keychain| {
            let locked = matches!(keychain.look(&account), Err(SecretState::Locked));
            turns.locked.store(locked, Ordering::SeqCst);
            let answer = question(keychain, &account);
            turns.locked.store(false, Ordering::SeqCst);
            answer
        };
        self.ask(within, asked).await
    }

    /// What a keychain is that does not answer.
    fn stands(&self) -> SecretState {
        if self.turns.locked.load(Ordering::SeqCst) { SecretState::Locked } else { SecretState::TimedOut }
    }
}

/// The keychain of the operating system.
pub(super) struct OfTheSystem;

impl Keychain for OfTheSystem {
    fn look(&self, account: &str) -> Result<bool, SecretState> {
        look(account)
    }

    fn get(&self, account: &str) -> Result<Option<Secret>, SecretState> {
        match entry(account)?.get_password() {
            Ok(secret) => Ok(Some(Zeroizing::new(secret))),
            Err(keyring::Error::NoEntry) => Ok(None),
            Err(error) => Err(state_of(account, &error)),
        }
    }

    fn put(&self, account: &str, secret: &str) -> Result<(), SecretState> {
        entry(account)?.set_password(secret).map_err(|error| state_of(account, &error))
    }

    fn remove(&self, account: &str) -> Result<(), SecretState> {
        match entry(account)?.delete_credential() {
            Ok(()) | Err(keyring::Error::NoEntry) => Ok(()),
            Err(error) => Err(state_of(account, &error)),
        }
    }

    fn all(&self) -> Result<Vec<Found>, SecretState> {
        // Opens the keychain too, if nobody did.
        entry("probe")?;
        let ours = HashMap::from([("service", SERVICE)]);
        let found = keyring_core::Entry::search(&ours).map_err(|error| {
            tracing::warn!(%error, "the keychain does not tell what it holds");
            state_of("probe", &error)
        })?;
        let mut all = Vec::new();
        for entry in found {
            let account = entry.get_specifiers().map(|(_, account)| account);
            let account = account.unwrap_or_else(|| "an entry without a name".to_owned());
            match entry.get_password() {
                Ok(secret) => all.push((account, Ok(Zeroizing::new(secret)))),
                // Somebody removed it meanwhile.
                Err(keyring::Error::NoEntry) => {}
                Err(error) => {
                    let state = state_of(&account, &error);
                    all.push((account, Err(state)));
                }
            }
        }
        Ok(all)
    }
}

fn entry(account: &str) -> Result<keyring::Entry, SecretState> {
    keyring::Entry::new(SERVICE, account).map_err(|error| state_of(account, &error))
}

/// What an error of the keychain means. The store has one error for a keychain that is locked and for one that refuses.
fn state_of(account: &str, error: &keyring::Error) -> SecretState {
    match error {
        keyring::Error::NoStorageAccess(_) => look(account).err().unwrap_or(SecretState::Denied),
        keyring::Error::NoDefaultStore => SecretState::Absent,
        // What was kept is text.
        keyring::Error::BadEncoding(_) => SecretState::KeyChanged,
        keyring::Error::PlatformFailure(problem) => of_platform(&**problem),
        error => {
            // None of these says what a secret is.
            tracing::warn!(%error, "the keychain does not take or give an entry");
            SecretState::Denied
        }
    }
}

/// What a failure of the platform means: the bus may keep a program from the keychain, as in a sandbox.
fn of_platform(problem: &dyn std::error::Error) -> SecretState {
    if problem.to_string().contains("AccessDenied") { SecretState::Denied } else { SecretState::Absent }
}

/// Asks the Secret Service what it has, by its attributes: the store would have a person asked to unlock it.
#[cfg(target_os = "linux")]
fn look(account: &str) -> Result<bool, SecretState> {
    use secret_service::blocking::SecretService;
    use secret_service::{EncryptionType, Error};

    let state = |error: Error| match error {
        Error::Locked => SecretState::Locked,
        // There is no collection to keep anything in.
        Error::NoResult => SecretState::Denied,
        error => of_platform(&error),
    };
    let service = SecretService::connect(EncryptionType::Plain).map_err(state)?;
    let wanted = HashMap::from([("service", SERVICE), ("username", account)]);
    let found = service.search_items(wanted).map_err(state)?;
    if !found.unlocked.is_empty() {
        return Ok(true);
    }
    if !found.locked.is_empty() {
        return Err(SecretState::Locked);
    }
    let collection = service.get_default_collection().map_err(state)?;
    if collection.is_locked().map_err(state)? { Err(SecretState::Locked) } else { Ok(false) }
}

#[cfg(not(target_os = "linux"))]
fn look(account: &str) -> Result<bool, SecretState> {
    match entry_of(account).and_then(|entry| entry.get_password()) {
        Ok(_) => Ok(true),
        Err(keyring::Error::NoEntry) => Ok(false),
        Err(keyring::Error::NoStorageAccess(_)) => Err(SecretState::Locked),
        Err(_) => Err(SecretState::Absent),
    }
}

#[cfg(not(target_os = "linux"))]
fn entry_of(account: &str) -> keyring::Result<keyring::Entry> {
    keyring::Entry::new(SERVICE, account)
}
