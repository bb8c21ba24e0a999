//! The key that signs checkpoints: one for each log, among the secrets of this console.
//!
//! Accounts: `checkpoint-key/LOG` holds the seed, `checkpoint-key/LOG/next` the one that is to take its place while a key
//! is rolled, so that no crash leaves a log whose new key nobody has. Logs from before signed with `checkpoint-key`, one
//! key for all of them; a log goes on with it until it is rolled.

use sha2::{Digest, Sha256};
use watchpost_store::{LogKey, Signer, Store};

use crate::contract::SecretState;
use crate::error::OpError;
use crate::secrets::{Secret, Secrets};

/// The account of the key that all logs had in common.
pub(crate) const COMMON: &str = "checkpoint-key";

fn account(log: &str) -> String {
    format!("{COMMON}/{log}")
}

fn account_of_next(log: &str) -> String {
    format!("{COMMON}/{log}/next")
}

/// A name for a kept key that tells two consoles apart without naming a person or a machine.
fn key_name(seed: &[u8; 32]) -> String {
    let digest = Sha256::digest([b"watchpost key name".as_slice(), seed].concat());
    format!("watchpost/{}", hex::encode(&digest[..4]))
}

fn signer_of(seed: &[u8; 32]) -> Signer {
    Signer::from_seed(seed, &key_name(seed)).unwrap_or_else(|_| Signer::session())
}

/// The kept key of an account; none where it is gone for good. One that was altered is not: a copy of it may be put back,
/// and nobody vouches for a new one.
///
/// # Errors
/// Why it cannot be said whether there is one.
async fn kept(secrets: &Secrets, account: &str) -> Result<Option<Signer>, SecretState> {
    let stored = match secrets.get(account).await {
        Err(SecretState::KeyChanged) => None,
        stored => stored?,
    };
    let Some(stored) = stored else { return Ok(None) };
    let seed = hex::decode(stored.as_bytes()).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    if seed.is_none() {
        tracing::error!(account, "a checkpoint key in the keychain is damaged");
    }
    Ok(seed.map(|seed| signer_of(&seed)))
}

/// What the log knows of a key.
fn of<'k>(known: &'k [LogKey], signer: &Signer) -> Option<&'k LogKey> {
    let vkey = signer.vkey();
    known.iter().find(|key| key.vkey == vkey)
}

/// A new key in an account; `None` where there is no keychain that keeps it.
async fn make(secrets: &Secrets, account: &str) -> Option<Signer> {
    let seed: [u8; 32] = rand::random();
    match secrets.put(account, Secret::new(hex::encode(seed))).await {
        SecretState::Ready => Some(signer_of(&seed)),
        _ => {
            // What memory keeps is no kept key. What is kept elsewhere stays.
            secrets.let_go(account);
            None
        }
    }
}

/// The key of this console for a log: a kept one that the log has not revoked, made on first use; one of this session
/// where there is no keychain, for an owner. None is made while the keychain does not say whether there is one.
///
/// # Errors
/// What the database says.
pub(crate) async fn signer(secrets: &Secrets, store: &Store, owner: bool) -> Result<Option<Signer>, OpError> {
    let log = store.audit_log_id().await?;
    let known = store.audit_log_keys().await?;
    let found = match kept_of(secrets, &log, &known).await {
        Ok(None) => make(secrets, &account(&log)).await,
        Ok(kept) => kept,
        Err(state) => {
            tracing::debug!(?state, "the kept key of this console cannot be had");
            None
        }
    };
    Ok(found.or_else(|| owner.then(Signer::session)))
}

/// The kept key of this console for a log, unless the log has revoked it.
///
/// # Errors
/// What the database says.
pub(crate) async fn kept_for(secrets: &Secrets, store: &Store) -> Result<Option<Signer>, OpError> {
    let log = store.audit_log_id().await?;
    let known = store.audit_log_keys().await?;
    Ok(kept_of(secrets, &log, &known).await.unwrap_or_default())
}

async fn kept_of(secrets: &Secrets, log: &str, known: &[LogKey]) -> Result<Option<Signer>, SecretState> {
    if let Some(own) = kept(secrets, &account(log)).await?
        && of(known, &own).is_none_or(|key| key.revoked.is_none())
    {
        return Ok(Some(own));
    }
    // A roll that ended between the log and the keychain.
    if let Some(next) = kept(secrets, &account_of_next(log)).await?
        && of(known, &next).is_some_and(|key| key.revoked.is_none())
    {
        take_over(secrets, log).await;
        return Ok(Some(next));
    }
    let common = kept(secrets, COMMON).await?;
    Ok(common.filter(|common| of(known, common).is_some_and(|key| key.revoked.is_none())))
}

/// The key that is to take the place of this one: kept like it, or of this session like it.
pub(crate) async fn next(secrets: &Secrets, log: &str, session: bool) -> Option<Signer> {
    if session { Some(Signer::session()) } else { make(secrets, &account_of_next(log)).await }
}

/// Puts the next key into the place of the key of a log; that one is gone.
pub(crate) async fn take_over(secrets: &Secrets, log: &str) {
    let Ok(Some(seed)) = secrets.get(&account_of_next(log)).await else { return };
    if secrets.put(&account(log), seed).await == SecretState::Ready {
        secrets.remove(&account_of_next(log)).await;
    } else {
        // The next start finds it as the next one.
        tracing::warn!("the keychain did not take the new checkpoint key to its place");
    }
}
