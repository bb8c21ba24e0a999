//! Keys that check the signatures of tokens: what is stored of them, and how they are read.
//!
//! Public keys stand in the settings, shared secrets in the OS keychain, files where somebody keeps them. A key that
//! cannot be had is named with its problem; the others go on.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use watchpost_detect::{SECRET_BYTES_ADVISED, TokenKeys};
use watchpost_store::Store;

use crate::contract::{TokenKeyRow, TokenKeySource};
use crate::error::OpError;
use crate::secrets::{self, Secrets};
use crate::workspace::account;

/// The name of the setting.
pub(crate) const SETTING: &str = "token_keys";
/// Most keys.
pub(crate) const KEYS_MAX: usize = 100;
/// Longest file of a key.
const FILE_BYTES_MAX: u64 = 64 << 10;

/// What is stored of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stored {
    pub(crate) name: String,
    pub(crate) issuer: Option<String>,
    #[serde(flatten)]
    pub(crate) place: Place,
    /// Tells apart two secrets that were stored under one name.
    pub(crate) changed_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Place {
    Public { pem: String },
    Secret,
    File { path: String },
}

impl Place {
    const fn source(&self) -> TokenKeySource {
        match self {
            Self::Public { .. } => TokenKeySource::Public,
            Self::Secret => TokenKeySource::Secret,
            Self::File { .. } => TokenKeySource::File,
        }
    }
}

/// What changes when a key does.
pub(crate) type Seen = Vec<(Stored, Option<(u64, SystemTime)>)>;

/// The keys as they were read last.
#[derive(Debug, Clone, Default)]
pub(crate) struct Read {
    pub(crate) keys: Arc<TokenKeys>,
    pub(crate) rows: Arc<[TokenKeyRow]>,
    pub(crate) seen: Seen,
}

/// The stored keys, with the state of their files.
pub(crate) async fn seen(store: &Store) -> Result<Seen, OpError> {
    let stamp = |path: &str| {
        let about = std::fs::metadata(path).ok()?;
        Some((about.len(), about.modified().ok()?))
    };
    Ok(stored(store)
        .await?
        .into_iter()
        .map(|key| {
            let stamp = if let Place::File { path } = &key.place { stamp(path) } else { None };
            (key, stamp)
        })
        .collect())
}

/// The stored keys, by name.
pub(crate) async fn stored(store: &Store) -> Result<Vec<Stored>, OpError> {
    match store.setting_get(SETTING).await? {
        Some(value) => serde_json::from_value(value)
            .map_err(|error| OpError::internal(format!("the stored setting {SETTING} is damaged: {error}"))),
        None => Ok(Vec::new()),
    }
}

/// Reads all keys.
pub(crate) async fn read(
    seen: Seen,
    secrets: &Secrets,
    connection: watchpost_model::ids::ConnectionId,
) -> Read {
    let mut keys = TokenKeys::default();
    let mut rows = Vec::new();
    for (key, _) in &seen {
        let issuer = key.issuer.as_deref();
        let added = match &key.place {
            Place::Public { pem } => add(&mut keys, pem, issuer),
            Place::File { path } => add_file(&mut keys, Path::new(path), issuer),
            Place::Secret => match secrets.get(&secret_account(connection, &key.name)).await {
                Ok(Some(secret)) => add_secret(&mut keys, secret.as_bytes(), issuer),
                Ok(None) => Err("the keychain does not hold it: set it again, or name a file".to_owned()),
                Err(state) => Err(format!("the keychain did not give it away: {}", secrets::describe(state))),
            },
        };
        if let Err(problem) = &added {
            tracing::warn!(key = key.name, problem, "a key for tokens cannot be used");
        }
        rows.push(TokenKeyRow {
            name: key.name.clone(),
            source: key.place.source(),
            issuer: key.issuer.clone(),
            path: if let Place::File { path } = &key.place { Some(path.clone()) } else { None },
            algorithms: added
                .as_ref()
                .map_or(&[][..], |added| added.algorithms)
                .iter()
                .map(|&a| a.into())
                .collect(),
            problem: added.map_or_else(Some, |added| added.advice),
            changed_at: key.changed_at,
        });
    }
    Read { keys: Arc::new(keys), rows: rows.into(), seen }
}

/// The keychain account of a shared secret.
pub(crate) fn secret_account(connection: watchpost_model::ids::ConnectionId, name: &str) -> String {
    let mut part = "token-key-".to_owned();
    // Any name makes one plain account, and two names never the same.
    for byte in name.bytes() {
        let _ = write!(part, "{byte:02x}");
    }
    account(connection, &part)
}

const HMAC: &[&str] = &["HS256", "HS384", "HS512"];

/// A key that was added.
pub(crate) struct Added {
    /// What it checks.
    pub(crate) algorithms: &'static [&'static str],
    /// What is wrong with it all the same.
    pub(crate) advice: Option<String>,
}

/// Adds a public key in PEM.
pub(crate) fn add(keys: &mut TokenKeys, pem: &str, issuer: Option<&str>) -> Result<Added, String> {
    keys.add_public_key(pem, issuer)
        .map(|kind| Added { algorithms: kind.algorithms(), advice: None })
        .map_err(|problem| problem.to_string())
}

/// Adds a shared secret.
fn add_secret(keys: &mut TokenKeys, secret: &[u8], issuer: Option<&str>) -> Result<Added, String> {
    keys.add_secret(secret, issuer).map_err(|problem| problem.to_string())?;
    let advice = (secret.len() < SECRET_BYTES_ADVISED).then(|| {
        format!(
            "works, but has only {} bytes: HS256 wants {SECRET_BYTES_ADVISED} or more (RFC 7518)",
            secret.len()
        )
    });
    Ok(Added { algorithms: HMAC, advice })
}

/// Adds what a file holds: a public key in PEM, else a shared secret without the line break at its end.
///
/// # Errors
/// Why the file holds no key, naming it.
pub(crate) fn add_file(keys: &mut TokenKeys, path: &Path, issuer: Option<&str>) -> Result<Added, String> {
    let name = path.display();
    let about = std::fs::metadata(path).map_err(|error| format!("cannot read {name}: {error}"))?;
    if !about.is_file() || about.len() > FILE_BYTES_MAX {
        return Err(format!("{name} is no file of at most {} KiB", FILE_BYTES_MAX >> 10));
    }
    let bytes = std::fs::read(path).map_err(|error| format!("cannot read {name}: {error}"))?;
    if let Ok(text) = std::str::from_utf8(&bytes)
        && text.contains("-----BEGIN ")
    {
        return add(keys, text, issuer).map_err(|problem| format!("{name}: {problem}"));
    }
    let secret = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let secret = secret.strip_suffix(b"\r").unwrap_or(secret);
    add_secret(keys, secret, issuer).map_err(|problem| format!("{name}: {problem}"))
}

/// The keys of files, for tokens of any issuer.
///
/// # Errors
/// `Unavailable` for a file that cannot be read, `Validation` for one that holds no key.
pub fn from_files(paths: &[std::path::PathBuf]) -> Result<TokenKeys, OpError> {
    let mut keys = TokenKeys::default();
    for path in paths {
        std::fs::metadata(path).map_err(|error| OpError::unreadable("token_key", path, error))?;
        let added =
            add_file(&mut keys, path, None).map_err(|problem| OpError::invalid("token_key", problem))?;
        if let Some(advice) = added.advice {
            tracing::warn!(path = %path.display(), advice, "a key for tokens is weak");
        }
    }
    Ok(keys)
}
