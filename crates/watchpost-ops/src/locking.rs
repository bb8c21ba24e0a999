//! The lock of the window: after a while without anybody, or at a key, nothing passes the door from there but the passphrase.
//!
//! What verifies the passphrase is in the keychain, with the minutes. A window of an account that has one starts locked:
//! otherwise ending the program would open it. The passphrase is asked for by one caller at a time, and slower after each
//! wrong one.
//!
//! A keychain that does not answer must not open the window either, so what verifies is noted in a file as well. Only then
//! is it asked: the keychain has the say of whether there is a lock whenever it answers.

use std::io::{self, Write};
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Duration, Utc};
use ring::pbkdf2;
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;
use watchpost_model::access::Origin;

use crate::age_file::private;
use crate::blocking::off_the_runtime;
use crate::console::Console;
use crate::contract::{SecretState, WindowLock};
use crate::door::Call;
use crate::error::{ErrorCode, OpError};
use crate::secrets::{self, Secret};

/// Rounds of PBKDF2-HMAC-SHA-256: what OWASP recommends.
const ROUNDS: u32 = 600_000;
/// Longest pause after wrong tries, in seconds.
const PAUSE_S_MAX: i64 = 300;
/// What passes a locked window's door.
const OPEN: [&str; 3] = ["window_lock_get", "window_lock_now", "window_unlock"];

/// What is kept in the keychain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    minutes: u32,
    rounds: u32,
    salt: String,
    verifier: String,
}

#[derive(Debug, Default)]
struct State {
    kept: Option<Kept>,
    locked: bool,
    /// Wrong tries since the last right one.
    wrong: u32,
    /// No try before this.
    not_before: Option<DateTime<Utc>>,
    /// Where what verifies is kept, in words; empty if that is the keychain.
    detail: String,
    /// Why the keychain did not say whether there is a lock; then it is as the file says.
    unread: Option<SecretState>,
}

/// The lock of a console's window.
#[derive(Debug, Default)]
pub(crate) struct Lock {
    /// Held for moments, never across an await.
    state: Mutex<State>,
    /// The keychain was asked.
    loaded: OnceCell<()>,
    /// Held while a passphrase is looked at.
    turn: tokio::sync::Mutex<()>,
}

/// How a passphrase was.
pub(crate) enum Tried {
    /// Right, after so many wrong ones.
    Right { wrong: u32 },
    /// Wrong.
    Wrong,
}

impl Kept {
    fn new(minutes: u32, passphrase: &str) -> Self {
        let salt: [u8; 16] = rand::random();
        let mut verifier = [0_u8; 32];
        pbkdf2::derive(
            pbkdf2::PBKDF2_HMAC_SHA256,
            rounds(ROUNDS),
            &salt,
            passphrase.as_bytes(),
            &mut verifier,
        );
        Self { minutes, rounds: ROUNDS, salt: hex::encode(salt), verifier: hex::encode(verifier) }
    }

    fn fits(&self, passphrase: &str) -> bool {
        let (Ok(salt), Ok(verifier)) = (hex::decode(&self.salt), hex::decode(&self.verifier)) else {
            return false;
        };
        let rounds = rounds(self.rounds);
        pbkdf2::verify(pbkdf2::PBKDF2_HMAC_SHA256, rounds, &salt, passphrase.as_bytes(), &verifier).is_ok()
    }
}

fn rounds(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN)
}

/// How long to wait after so many wrong tries.
fn pause(wrong: u32) -> Duration {
    let seconds = 1_i64.checked_shl(wrong.saturating_sub(1).min(20)).unwrap_or(PAUSE_S_MAX);
    Duration::seconds(seconds.min(PAUSE_S_MAX))
}

impl Lock {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Console {
    /// The account in the keychain: one for each data folder.
    fn lock_account(&self) -> String {
        format!("window-lock/{}", self.paths().workspace().display())
    }

    /// Asks the keychain, once. Where it does not answer and a lock was noted, the window is locked.
    async fn lock_loaded(&self) -> &Lock {
        let lock = &self.0.lock;
        lock.loaded
            .get_or_init(|| async {
                let (kept, unread) = self.lock_read().await;
                let mut state = lock.state();
                state.locked = kept.is_some() || unread.is_some();
                (state.kept, state.unread) = (kept, unread);
            })
            .await;
        lock
    }

    /// What verifies, and why it is not the keychain that says so. Neither means that there is no lock.
    async fn lock_read(&self) -> (Option<Kept>, Option<SecretState>) {
        let file = self.paths().window_lock();
        let found = match self.secrets().get(&self.lock_account()).await {
            // Where there is no keychain nothing is found either.
            Ok(None) => match self.secrets().state_of_store().await {
                SecretState::Ready => Ok(None),
                // One that was made after the lock was set does not know of it.
                SecretState::FileReady => Ok(std::fs::read_to_string(&file).ok().map(Secret::new)),
                state => Err(state),
            },
            found => found,
        };
        match found {
            Ok(secret) => {
                let kept = secret.and_then(|text| serde_json::from_str::<Kept>(&text).ok());
                noted(&file, kept.as_ref());
                (kept, None)
            }
            Err(problem) => match std::fs::read(&file) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => (None, None),
                text => {
                    tracing::warn!(?problem, "the keychain does not say how the lock of the window is");
                    (text.ok().and_then(|text| serde_json::from_slice(&text).ok()), Some(problem))
                }
            },
        }
    }

    /// Asks again for what verifies; `None` if there is no lock after all, which opens the window.
    ///
    /// # Errors
    /// `SecretStore` if it still cannot be read.
    async fn lock_read_again(&self) -> Result<Option<Kept>, OpError> {
        let (kept, unread) = self.lock_read().await;
        if let (None, Some(problem)) = (&kept, unread) {
            return Err(OpError::new(ErrorCode::SecretStore, "what verifies the passphrase cannot be read")
                .hint(secrets::describe(problem)));
        }
        let mut state = self.0.lock.state();
        state.locked &= kept.is_some();
        (state.kept, state.unread) = (kept.clone(), unread);
        Ok(kept)
    }

    /// Is the window locked?
    pub async fn window_is_locked(&self) -> bool {
        self.lock_loaded().await.state().locked
    }

    /// Refuses what comes from a locked window.
    pub(crate) async fn refuse_locked(&self, call: &Call, operation: &str) -> Result<(), OpError> {
        if call.caller.origin != Origin::Window || OPEN.contains(&operation) || !self.window_is_locked().await
        {
            return Ok(());
        }
        Err(OpError::new(ErrorCode::Permission, "the window is locked").hint("unlock it with its passphrase"))
    }

    /// How the lock is.
    pub(crate) async fn window_lock(&self) -> WindowLock {
        let now = self.now();
        let state = self.lock_loaded().await.state();
        let wait = state.not_before.map_or(0, |until| (until - now).num_seconds().max(0));
        WindowLock {
            minutes: state.kept.as_ref().map(|kept| kept.minutes),
            locked: state.locked,
            wait_s: u32::try_from(wait).unwrap_or(u32::MAX),
            detail: state.detail.clone(),
            unread: state.unread,
        }
    }

    /// Locks; false if there is no passphrase, or it is locked.
    pub(crate) async fn lock_window(&self) -> bool {
        let mut state = self.lock_loaded().await.state();
        let locks = state.kept.is_some() && !state.locked;
        state.locked |= locks;
        locks
    }

    /// Tries a passphrase; the right one opens the window.
    ///
    /// # Errors
    /// `Precondition` while it is too early after a wrong one.
    pub(crate) async fn try_passphrase(&self, passphrase: Secret) -> Result<Tried, OpError> {
        let lock = self.lock_loaded().await;
        let _turn = lock.turn.lock().await;
        let (kept, unread) = {
            let state = lock.state();
            let left = state.not_before.map_or(Duration::zero(), |until| until - self.now());
            if left > Duration::zero() {
                let seconds = (left.num_milliseconds() + 999) / 1000;
                return Err(OpError::precondition(format!(
                    "the passphrase was wrong before: try again in {seconds} s"
                )));
            }
            (state.kept.clone(), state.unread)
        };
        let kept = if kept.is_none() && unread.is_some() { self.lock_read_again().await? } else { kept };
        let Some(kept) = kept else { return Ok(Tried::Right { wrong: 0 }) };
        let tried = kept.clone();
        let fits = off_the_runtime(move || tried.fits(&passphrase)).await?;
        // The keychain has lost what the note still verifies: it gets it back.
        let is_back = fits
            && unread == Some(SecretState::KeyChanged)
            && self.lock_keep(&kept).await? == SecretState::Ready;
        let mut state = lock.state();
        if is_back {
            state.unread = None;
        }
        if fits {
            state.locked = false;
            state.not_before = None;
            return Ok(Tried::Right { wrong: std::mem::take(&mut state.wrong) });
        }
        state.wrong = state.wrong.saturating_add(1);
        state.not_before = Some(self.now() + pause(state.wrong));
        Ok(Tried::Wrong)
    }

    /// Sets the minutes and the passphrase; `None` keeps the one that there is.
    ///
    /// # Errors
    /// `Validation` if there is none yet.
    pub(crate) async fn put_lock(&self, minutes: u32, passphrase: Option<Secret>) -> Result<(), OpError> {
        let lock = self.lock_loaded().await;
        let before = lock.state().kept.clone();
        let kept = match (passphrase, before) {
            (Some(passphrase), _) => off_the_runtime(move || Kept::new(minutes, &passphrase)).await?,
            (None, Some(before)) => Kept { minutes, ..before },
            (None, None) => return Err(OpError::invalid("passphrase", "choose a passphrase")),
        };
        let where_kept = self.lock_keep(&kept).await?;
        let is_kept = where_kept == SecretState::Ready;
        if is_kept {
            noted(&self.paths().window_lock(), Some(&kept));
        }
        let mut state = lock.state();
        state.kept = Some(kept);
        state.detail = secrets::describe(where_kept).to_owned();
        if is_kept {
            state.unread = None;
        }
        Ok(())
    }

    async fn lock_keep(&self, kept: &Kept) -> Result<SecretState, OpError> {
        let text = serde_json::to_string(kept).map_err(|error| OpError::internal(error.to_string()))?;
        Ok(self.secrets().put(&self.lock_account(), Secret::new(text)).await)
    }

    /// Takes the lock away.
    ///
    /// # Errors
    /// `SecretStore` if it stays in the keychain, where the next start would find it.
    pub(crate) async fn remove_lock(&self) -> Result<(), OpError> {
        let removed = self.secrets().remove(&self.lock_account()).await;
        if !matches!(removed, SecretState::Ready | SecretState::Absent | SecretState::FileMissing) {
            return Err(OpError::new(ErrorCode::SecretStore, "the lock cannot be taken out of the keychain")
                .hint(secrets::describe(removed)));
        }
        noted(&self.paths().window_lock(), None);
        let lock = self.lock_loaded().await;
        *lock.state() = State::default();
        Ok(())
    }
}

/// Notes in a file what the keychain has, for a start at which it does not answer.
fn noted(file: &Path, kept: Option<&Kept>) {
    let done = match kept.map(serde_json::to_vec) {
        None => std::fs::remove_file(file),
        Some(text) => text.map_err(io::Error::from).and_then(|text| {
            if std::fs::read(file).is_ok_and(|there| there == text) {
                return Ok(());
            }
            let part = file.with_extension("part");
            // What a killed process left.
            drop(std::fs::remove_file(&part));
            let mut to = private(&part)?;
            to.write_all(&text)?;
            to.sync_all()?;
            std::fs::rename(&part, file)
        }),
    };
    match done {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(%error, file = %file.display(), "the lock of the window cannot be noted: \
                a start at which the keychain does not answer may find it otherwise");
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{Kept, pause};

    #[test]
    fn wrong_tries_are_slower_each_time() {
        let seconds: Vec<i64> = [1, 2, 3, 9, 10, 60].iter().map(|n| pause(*n).num_seconds()).collect();
        assert_eq!(seconds, [1, 2, 4, 256, 300, 300]);
    }

    #[test]
    fn only_the_passphrase_fits() {
        let kept = Kept::new(5, "correct horse");
        assert!(kept.fits("correct horse"));
        assert!(!kept.fits("correct horse "));
        assert!(!Kept { verifier: "zz".to_owned(), ..kept }.fits("correct horse"), "damaged");
    }
}
