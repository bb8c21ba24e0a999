//! Keys that check the signatures of tokens.

use std::path::{Path, PathBuf};

use watchpost_detect::TokenKeys;
use watchpost_model::access::Origin;
use watchpost_model::audit::Change;

use super::{at_this_machine, required};
use crate::blocking::off_the_runtime;
use crate::contract::{Nothing, SecretState, TokenKeyAdd, TokenKeyInput, TokenKeyList, TokenKeyRef};
use crate::door::Context;
use crate::error::{ErrorCode, OpError};
use crate::secrets::{self, Secret};
use crate::setting::{self, json};
use crate::token_keys::{self, KEYS_MAX, Place, SETTING, Stored, secret_account};
use crate::two_people::Behind;

pub(crate) async fn token_key_list(cx: Context, _: Nothing) -> Result<TokenKeyList, OpError> {
    let workspace = cx.workspace()?;
    let (loaded, _) = workspace.rules().refresh(&workspace, false).await?;
    Ok(TokenKeyList { keys: loaded.keys.rows.to_vec() })
}

/// What setting a key does, for a second person. A file is named with what is in it: another content is another key.
pub(crate) async fn token_key_set(cx: &Context, request: &TokenKeyAdd) -> Result<String, OpError> {
    let what = match &request.key {
        TokenKeyInput::Public { .. } => "a public key".to_owned(),
        TokenKeyInput::Secret { .. } => "a shared secret".to_owned(),
        TokenKeyInput::File { path } => {
            let bytes = key_file(cx, path).await?;
            format!("the key in {path} (SHA-256 {})", token_keys::fingerprint(&bytes))
        }
    };
    Ok(format!("checking the signatures of tokens with {what} as {:?}", request.name.trim()))
}

/// What a key's file on this machine holds.
async fn key_file(cx: &Context, path: &str) -> Result<Vec<u8>, OpError> {
    at_this_machine(cx)?;
    let file = PathBuf::from(path);
    if !file.is_absolute() {
        return Err(OpError::invalid("path", format!("{path} is not an absolute path")));
    }
    let read = move || {
        std::fs::metadata(&file).map_err(|error| OpError::unreadable("path", &file, error))?;
        token_keys::read_file(&file).map_err(|problem| OpError::invalid("path", problem))
    };
    off_the_runtime(read).await?
}

/// What forgetting a key does, for a second person.
pub(crate) fn token_key_gone(request: &TokenKeyRef) -> String {
    format!("forgetting the key {:?} that checks the signatures of tokens", request.name)
}

pub(crate) async fn token_key_add(cx: Context, request: TokenKeyAdd) -> Result<TokenKeyList, OpError> {
    let name = required("name", &request.name, 80)?;
    let issuer = request.issuer.map(|issuer| required("issuer", &issuer, 500)).transpose()?;
    let workspace = cx.workspace()?;
    let setting = setting::read::<Vec<Stored>>(workspace.store(), SETTING).await?;
    let mut keys = setting.value.clone();
    let before = keys.iter().position(|key| key.name == name).map(|at| keys.remove(at));
    if keys.len() >= KEYS_MAX {
        return Err(OpError::invalid("name", format!("there are {KEYS_MAX} keys already: remove one first")));
    }
    let mut tried = TokenKeys::default();
    let mut secret = None;
    let place = match request.key {
        TokenKeyInput::Public { pem } => {
            token_keys::add(&mut tried, &pem, None).map_err(|problem| OpError::invalid("pem", problem))?;
            Place::Public { pem }
        }
        TokenKeyInput::Secret { value } => {
            tried
                .add_secret(value.as_bytes(), None)
                .map_err(|problem| OpError::invalid("value", problem.to_string()))?;
            secret = Some(Secret::new(value));
            Place::Secret
        }
        TokenKeyInput::File { path } => {
            let bytes = key_file(&cx, &path).await?;
            let sha256 = token_keys::fingerprint(&bytes);
            // It was read for the second person before, and may be another one by now.
            if let Behind::Two { approval, .. } = &cx.behind
                && !approval.summary.contains(&sha256)
            {
                return Err(OpError::precondition(format!(
                    "{path} is not what was approved: its SHA-256 is {sha256}"
                ))
                .hint("whoever asked has to ask again"));
            }
            token_keys::add_bytes(&mut tried, Path::new(&path), &bytes, None)
                .map_err(|problem| OpError::invalid("path", problem))?;
            Place::File { path, sha256: Some(sha256) }
        }
    };
    let after = Stored { name, issuer, place, changed_at: workspace.now() };
    // The record says that a secret was set, never which.
    let changes = vec![Change::new("key", json(&before)?, json(&Some(&after))?)];
    let record = cx.record(format!("token_key/{}", after.name), changes, None);
    let account = secret_account(workspace.connection().id, &after);
    keys.push(after);
    keys.sort_by(|a, b| a.name.cmp(&b.name));
    let new_secret = match secret {
        Some(secret) => Some(keep(&cx, account, secret).await?),
        None => None,
    };
    // From here the new key counts, and the old one no longer does.
    if let Err(problem) = setting.replace(workspace.store(), &keys, record).await {
        if let Some(account) = new_secret {
            forget(&cx, &account).await;
        }
        return Err(problem);
    }
    if let Some(before) = before.filter(|key| key.place == Place::Secret) {
        forget(&cx, &secret_account(workspace.connection().id, &before)).await;
    }
    token_key_list(cx, Nothing {}).await
}

/// Puts a shared secret where it will be looked for; returns the account. A command that ends with this call needs a
/// keychain: memory would forget it at once.
async fn keep(cx: &Context, account: String, secret: Secret) -> Result<String, OpError> {
    let secrets = cx.console.secrets();
    let state = secrets.put(&account, secret).await;
    if state != SecretState::Ready {
        if cx.caller.origin == Origin::Cli {
            forget(cx, &account).await;
            return Err(OpError::new(ErrorCode::SecretStore, "the secret cannot be kept").hint(format!(
                "{}; or keep it in a file that only you can read, and name it with --file",
                secrets::describe(state)
            )));
        }
        tracing::warn!(?state, "the secret is kept for this session only: a file outlasts it");
    }
    Ok(account)
}

/// Takes a secret out of the keychain that no setting names any more.
async fn forget(cx: &Context, account: &str) {
    let state = cx.console.secrets().remove(account).await;
    if state != SecretState::Ready {
        tracing::warn!(?state, account, "a secret that is no longer used stays in the keychain");
    }
}

pub(crate) async fn token_key_remove(cx: Context, request: TokenKeyRef) -> Result<TokenKeyList, OpError> {
    let workspace = cx.workspace()?;
    let setting = setting::read::<Vec<Stored>>(workspace.store(), SETTING).await?;
    let mut keys = setting.value.clone();
    let Some(at) = keys.iter().position(|key| key.name == request.name) else {
        return Err(OpError::not_found(format!("key {:?}", request.name))
            .hint("`watchpost config token-key list` shows them"));
    };
    let gone = keys.remove(at);
    let changes = vec![Change::new("key", json(&Some(&gone))?, serde_json::Value::Null)];
    let record = cx.record(format!("token_key/{}", gone.name), changes, None);
    setting.replace(workspace.store(), &keys, record).await?;
    if gone.place == Place::Secret {
        forget(&cx, &secret_account(workspace.connection().id, &gone)).await;
    }
    token_key_list(cx, Nothing {}).await
}
