//! Saved connections and their secrets.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use watchpost_model::connection::Connection;
use watchpost_model::diagnosis::{AclLine, CheckStep};
use watchpost_model::ids::ConnectionId;

use crate::error::OpError;

/// Whether secrets can be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SecretState {
    /// The OS keychain answers.
    Ready,
    /// There is a keychain and it is locked.
    Locked,
    /// There is none: secrets are kept for this session only.
    Absent,
    /// There is a keychain, and it refuses.
    Denied,
    /// It did not answer in time.
    TimedOut,
    /// Its key is not that of the sealed secrets: they are to be given again.
    KeyChanged,
    /// One of the sealed secrets was altered, among them the key that signs the audit trail.
    SecretAltered,
    /// They are kept in a file that a passphrase locks, and it is open.
    FileReady,
    /// The file is there, and nobody gave its passphrase.
    FileLocked,
    /// The file has another passphrase.
    FileRefused,
    /// The file that the environment names is not there.
    FileMissing,
    /// The file is cut off, was altered or is another one.
    FileDamaged,
    /// The file cannot be read or written.
    FileFailed,
}

/// The saved connections.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ConnectionList {
    /// The local workspace first, then by name.
    pub connections: Vec<Connection>,
    /// The open one.
    pub active: Option<ConnectionId>,
    /// Whether secrets can be kept.
    pub secrets: SecretState,
    /// What that means, for people; empty when ready.
    pub secrets_detail: String,
}

/// What to do with a secret. Never sent back.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum SecretInput {
    /// Leave what is stored.
    #[default]
    Keep,
    /// Store this.
    Set {
        /// The secret.
        value: String,
    },
    /// Forget what is stored.
    Clear,
}

impl std::fmt::Debug for SecretInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Keep => "Keep",
            Self::Set { .. } => "Set(redacted)",
            Self::Clear => "Clear",
        })
    }
}

/// A connection as typed into the dialog. `connection.id` of a new one is absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ConnectionDraft {
    /// Absent for a new connection.
    pub id: Option<ConnectionId>,
    /// Name for people, unique.
    pub name: String,
    /// The Redis.
    pub redis: watchpost_model::connection::RedisConnection,
    /// The database.
    pub database: watchpost_model::connection::DatabaseConnection,
    /// Every change asks for confirmation.
    pub production: bool,
    /// Nothing is written to the Redis.
    #[serde(default)]
    pub observe: bool,
    /// Password of the Redis user.
    #[serde(default)]
    pub redis_password: SecretInput,
    /// Password of the Sentinels, where there are any.
    #[serde(default)]
    pub sentinel_password: SecretInput,
    /// Password of the database login.
    #[serde(default)]
    pub database_password: SecretInput,
}

/// A `redis://`, `rediss://`, `redis+sentinel://`, `rediss+sentinel://`, `unix://` or `postgres://` URL to take apart; a password in it becomes a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ConnectionParse {
    /// The URL.
    pub url: String,
}

impl std::fmt::Debug for ConnectionParse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ConnectionParse(redacted)")
    }
}

/// A URL taken apart; one of `redis` and `database` is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ParsedUrl {
    /// If it was a Redis URL.
    pub redis: Option<watchpost_model::connection::RedisConnection>,
    /// If it was a database URL.
    pub database: Option<watchpost_model::connection::DatabaseConnection>,
    /// The password in it.
    pub password: SecretInput,
    /// The password of the Sentinels in it.
    pub sentinel_password: SecretInput,
}

/// The result of trying a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ConnectionCheck {
    /// Did everything work?
    pub ok: bool,
    /// Steps on the Redis side.
    pub redis: Vec<CheckStep>,
    /// Steps on the database side.
    pub database: Vec<CheckStep>,
    /// What the user of the Redis needs for each use, to copy; none of the private Redis.
    pub acl: Vec<AclLine>,
}

/// A connection by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ConnectionRef {
    /// Which.
    pub id: ConnectionId,
}

/// A connection that was to be opened, and is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct OpeningFailed {
    /// Which.
    pub id: ConnectionId,
    /// Its name.
    pub name: String,
    /// Why, and what to do about it.
    pub error: OpError,
}
