//! How what keeps the secrets is, and which of them a person has to give again.

use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use super::sealed::{self, Master};
use super::{DEADLINE, GLANCE, Secrets};
use crate::contract::SecretState;

/// How long an answer about the keychain's state holds: the status bar asks several times a second.
const STATE_HOLDS: Duration = Duration::from_secs(15);

/// What was answered last, and when.
pub(super) struct Last {
    at: Instant,
    standing: Standing,
}

/// How what keeps the secrets is.
#[derive(Clone)]
struct Standing {
    state: SecretState,
    /// Accounts that are to be given again, where it works.
    again: Vec<String>,
    /// A key that signs was altered.
    altered: bool,
}

impl Standing {
    /// Nothing is known of what it keeps.
    const fn shut(state: SecretState) -> Self {
        Self { state, again: Vec::new(), altered: false }
    }
}

impl Secrets {
    /// Does the keychain answer, or is the file of secrets open? `KeyChanged` too where it is so and passwords are to be
    /// given again, `SecretAltered` where a key that signs was altered. Nobody is asked for a passphrase, or to open the keychain.
    pub async fn state(&self) -> SecretState {
        self.state_for("").await
    }

    /// The same of the accounts that begin like this: nothing is to be given again for a connection because another one
    /// has lost its password.
    pub(crate) async fn state_for(&self, accounts: &str) -> SecretState {
        let Standing { state, again, altered } = self.standing().await;
        if again.iter().any(|account| account.starts_with(accounts)) {
            SecretState::KeyChanged
        } else if altered {
            SecretState::SecretAltered
        } else {
            state
        }
    }

    /// The same, whatever is to be given again.
    pub(crate) async fn state_of_store(&self) -> SecretState {
        self.standing().await.state
    }

    async fn standing(&self) -> Standing {
        if let Some(opened) = self.in_file(|file| file.probe(false)).await {
            return match opened {
                Ok(()) => {
                    let again = self.to_be_given_again().await;
                    Standing { state: SecretState::FileReady, again, altered: false }
                }
                Err(state) => Standing::shut(state),
            };
        }
        if let Some(standing) = self.last_standing() {
            return standing;
        }
        // Up to five questions: one that answers slowly is not waited for five times.
        let standing = self.in_all().standing_of_sealed().await;
        let last = Last { at: Instant::now(), standing: standing.clone() };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(last);
        standing
    }

    async fn standing_of_sealed(&self) -> Standing {
        if let Err(state) = self.state_of_sealed().await {
            return Standing::shut(state);
        }
        let again = self.to_be_given_again().await;
        let altered = self.is_signing_altered().await;
        // What was not answered is not known to be well.
        let state = if self.patience().is_zero() { SecretState::TimedOut } else { SecretState::Ready };
        Standing { state, again, altered }
    }

    fn last_standing(&self) -> Option<Standing> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().filter(|last| last.at.elapsed() < STATE_HOLDS).map(|last| last.standing.clone())
    }

    /// The state is asked for again.
    pub(super) fn forget_state(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    async fn state_of_sealed(&self) -> Result<(), SecretState> {
        let names = self.names().await?;
        let account = Master::account(&names.id);
        // One that just did not answer is not waited for again only to say so.
        let within = self.at_most(if self.keychain.is_passed_over() { GLANCE } else { DEADLINE });
        match self.keychain.ask(within, move |keychain| keychain.look(&account)).await {
            // What was opened before the keychain was locked stays open.
            Err(SecretState::Locked) if self.held(&names.id).is_some() => {}
            Err(state) => return Err(state),
            Ok(false) if !names.id.is_empty() => {
                // Nothing more is sealed with a key that nobody keeps.
                self.hold(None);
                return Err(SecretState::KeyChanged);
            }
            Ok(true) => drop(self.master(&names.id).await?),
            Ok(false) => {}
        }
        Ok(())
    }

    /// Accounts whose secret a person has to give again: the key that it was sealed with is gone, what kept it is, it
    /// was altered, or it was given where nothing kept it.
    pub async fn to_be_given_again(&self) -> Vec<String> {
        let given =
            self.all_given().await.into_iter().filter(|(_, given)| *given).map(|(account, _)| account);
        let given: BTreeSet<String> = given.collect();
        let names = self.names().await;
        if self.file.is_chosen() {
            let mut wanted = given;
            wanted.extend(names.map(|names| names.lost).unwrap_or_default());
            wanted.retain(|account| is_asked_for(account));
            let lacking = self.in_file(move |file| file.lacking(wanted)).await;
            return lacking.and_then(Result::ok).unwrap_or_default();
        }
        let Ok(names) = names else { return Vec::new() };
        let mut again = self.in_no_entry(given.difference(&names.kept).cloned().collect()).await;
        again.extend(names.lost);
        let master = self.quiet().master(&names.id).await;
        match master {
            Ok(master) => {
                let altered = self.in_sealed(move |sealed| sealed.altered(&master)).await;
                again.extend(altered.unwrap_or_default());
            }
            Err(SecretState::KeyChanged) => again.extend(names.kept),
            Err(_) => {}
        }
        again.into_iter().filter(|account| is_asked_for(account)).collect()
    }

    /// Does a key that signs not open with the key of the file? None is made in its place then.
    async fn is_signing_altered(&self) -> bool {
        let Ok(names) = self.names().await else { return false };
        let Ok(master) = self.quiet().master(&names.id).await else { return false };
        let altered = self.in_sealed(move |sealed| sealed.altered(&master)).await;
        altered.is_ok_and(|altered| altered.iter().any(|account| !sealed::is_given(account)))
    }

    /// Those of these accounts that have no entry of their own in the keychain either, as all had before.
    async fn in_no_entry(&self, accounts: BTreeSet<String>) -> BTreeSet<String> {
        if accounts.is_empty() {
            return accounts;
        }
        let looked = self.keychain.ask(self.at_most(DEADLINE), move |keychain| {
            let is_gone =
                |account: &String| matches!(keychain.look(account), Ok(false) | Err(SecretState::Absent));
            Ok(accounts.into_iter().filter(is_gone).collect::<BTreeSet<String>>())
        });
        looked.await.unwrap_or_default()
    }
}

/// Is it one that a person has to give again? The window asks for its passphrase itself, and the key of a log is made anew.
fn is_asked_for(account: &str) -> bool {
    !account.starts_with("window-lock/") && sealed::is_given(account)
}
