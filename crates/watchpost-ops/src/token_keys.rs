//! Keys that check the signatures of tokens: what is stored of them, and how they are read.
//!
//! Public keys stand in the settings, shared secrets in the OS keychain, files where somebody keeps them. A key that
//! cannot be had is named with its problem; the others go on.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use watchpost_detect::{SECRET_BYTES_ADVISED, TokenKeys};
use watchpost_store::Store;

use crate::blocking::off_the_runtime;
use crate::contract::{TokenKeyRow, TokenKeySource};
use crate::error::OpError;
use crate::secrets::{self, Secrets};
use crate::setting;
use crate::workspace::account;

/// The name of the setting.
pub(crate) const SETTING: &str = "token_keys";
/// Most keys.
pub(crate) const KEYS_MAX: usize = 100;
/// How long a key with a problem is left alone.
const RETRY: chrono::Duration = chrono::Duration::seconds(30);
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
    Public {
        pem: String,
    },
    Secret,
    File {
        path: String,
        /// Of its content when it was set; another content is another key. Older settings have none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sha256: Option<String>,
    },
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
    pub(crate) at: DateTime<Utc>,
}

impl Read {
    /// Is it time to look again? A keychain is unlocked and rights of a file are put right without a trace.
    pub(crate) fn is_stale(&self, now: DateTime<Utc>) -> bool {
        self.rows.iter().any(|row| row.problem.is_some()) && now - self.at >= RETRY
    }
}

/// The stored keys, with the state of their files.
pub(crate) async fn seen(store: &Store) -> Result<Seen, OpError> {
    let stamp = |path: &str| {
        let about = std::fs::metadata(path).ok()?;
        Some((about.len(), about.modified().ok()?))
    };
    let keys = stored(store).await?;
    let stamped = move || {
        let stamped = keys.into_iter().map(|key| {
            let stamp = if let Place::File { path, .. } = &key.place { stamp(path) } else { None };
            (key, stamp)
        });
        stamped.collect()
    };
    off_the_runtime(stamped).await
}

/// The stored keys, by name.
pub(crate) async fn stored(store: &Store) -> Result<Vec<Stored>, OpError> {
    Ok(setting::read(store, SETTING).await?.value)
}

/// Reads all keys.
pub(crate) async fn read(
    seen: Seen,
    secrets: &Secrets,
    connection: watchpost_model::ids::ConnectionId,
    now: DateTime<Utc>,
) -> Read {
    let mut keys = TokenKeys::default();
    let mut rows = Vec::new();
    for (key, _) in &seen {
        let issuer = key.issuer.as_deref();
        let added = match &key.place {
            Place::Public { pem } => add(&mut keys, pem, issuer),
            Place::File { path, sha256 } => {
                let file = std::path::PathBuf::from(path);
                let bytes = off_the_runtime(move || read_file(&file)).await;
                let bytes = bytes.unwrap_or_else(|error| Err(error.to_string()));
                let bytes = bytes.and_then(|bytes| as_it_was_set(path, bytes, sha256.as_deref()));
                bytes.and_then(|bytes| add_bytes(&mut keys, Path::new(path), &bytes, issuer))
            }
            Place::Secret => match secrets.get(&secret_account(connection, key)).await {
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
            path: if let Place::File { path, .. } = &key.place { Some(path.clone()) } else { None },
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
    Read { keys: Arc::new(keys), rows: rows.into(), seen, at: now }
}

/// The keychain account of a key's shared secret. Each change of a key has an account of its own: a secret counts from
/// the moment the setting that names it is stored, not from the moment the keychain holds it.
pub(crate) fn secret_account(connection: watchpost_model::ids::ConnectionId, key: &Stored) -> String {
    let mut part = format!("token-key-{}-", key.changed_at.timestamp_micros());
    // Any name makes one plain account, and two names never the same.
    for byte in key.name.bytes() {
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
fn add_file(keys: &mut TokenKeys, path: &Path, issuer: Option<&str>) -> Result<Added, String> {
    add_bytes(keys, path, &read_file(path)?, issuer)
}

/// By what a file's content is told apart.
pub(crate) fn fingerprint(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Refuses what somebody put in the place of the key that was set: whoever can write the file would need nobody else.
fn as_it_was_set(path: &str, bytes: Vec<u8>, sha256: Option<&str>) -> Result<Vec<u8>, String> {
    let now = fingerprint(&bytes);
    match sha256 {
        Some(set) if set != now => Err(format!(
            "{path} is not what it was when it was set: its SHA-256 was {set} and is {now}; set it again if that is right"
        )),
        _ => Ok(bytes),
    }
}

/// What a file holds.
///
/// # Errors
/// Why it cannot be read, naming it.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    let name = path.display();
    let no = |error: std::io::Error| format!("cannot read {name}: {error}");
    let is_file = std::fs::metadata(path).map_err(no)?.is_file();
    let mut bytes = Vec::new();
    if is_file {
        // Bounded while it is read: it may grow meanwhile.
        let file = std::fs::File::open(path).map_err(no)?;
        file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(no)?;
    }
    if !is_file || bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(format!("{name} is no file of at most {} KiB", FILE_BYTES_MAX >> 10));
    }
    Ok(bytes)
}

/// Adds what was read of a file.
///
/// # Errors
/// Why it is no key, naming the file.
pub(crate) fn add_bytes(
    keys: &mut TokenKeys,
    path: &Path,
    bytes: &[u8],
    issuer: Option<&str>,
) -> Result<Added, String> {
    let name = path.display();
    if let Ok(text) = std::str::from_utf8(bytes)
        && text.contains("-----BEGIN ")
    {
        return add(keys, text, issuer).map_err(|problem| format!("{name}: {problem}"));
    }
    let secret = bytes.strip_suffix(b"\n").unwrap_or(bytes);
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
