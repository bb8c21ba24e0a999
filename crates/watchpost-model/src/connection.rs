//! How to reach a Redis and a database. Secrets are not here: they are in the OS keychain under the connection's id.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::ConnectionId;

/// Where events are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum RedisAddress {
    /// A private server that Watchpost starts on a Unix socket in its data directory.
    Local,
    /// A server over TCP.
    Tcp {
        /// Host name or address.
        host: String,
        /// Port.
        port: u16,
        /// TLS, if used.
        tls: Option<TlsFiles>,
    },
    /// A server on a Unix socket.
    Unix {
        /// Path of the socket.
        path: String,
    },
}

/// Files for TLS; all PEM.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct TlsFiles {
    /// Private certificate authority; the system's if absent.
    pub ca: Option<String>,
    /// Client certificate.
    pub cert: Option<String>,
    /// Client key.
    pub key: Option<String>,
}

/// A Redis without its password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct RedisConnection {
    /// Where.
    pub address: RedisAddress,
    /// ACL user; `default` if absent.
    #[serde(default)]
    pub username: Option<String>,
    /// Number of the logical database.
    #[serde(default)]
    pub database: u32,
    /// Prefix of all keys of the contract, with its trailing colon.
    #[serde(default = "default_prefix")]
    pub prefix: String,
}

fn default_prefix() -> String {
    "security:".to_owned()
}

/// A database without its password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum DatabaseConnection {
    /// A file of this machine; absent path means the one in the data directory.
    Sqlite {
        /// Path of the file.
        path: Option<String>,
    },
    /// A server.
    Postgres {
        /// Host name, address, or directory of the Unix socket.
        host: String,
        /// Port.
        port: u16,
        /// Database name.
        database: String,
        /// Login.
        username: String,
        /// TLS; required if present.
        tls: Option<TlsFiles>,
    },
}

/// A saved connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Connection {
    /// Identity; the keychain entries are named after it.
    pub id: ConnectionId,
    /// Name for people, unique.
    pub name: String,
    /// The Redis.
    pub redis: RedisConnection,
    /// The database.
    pub database: DatabaseConnection,
    /// Every change asks for confirmation.
    #[serde(default)]
    pub production: bool,
}
