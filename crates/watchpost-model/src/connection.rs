//! How to reach a Redis and a database. Secrets are not here: they are in the OS keychain under the connection's id.

use std::fmt;

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
    /// A Redis Cluster, by several of its nodes: any that answers leads to the others.
    Cluster {
        /// Nodes, best all of them.
        nodes: Vec<HostPort>,
        /// TLS, if used, to all nodes.
        tls: Option<TlsFiles>,
    },
    /// A server on a Unix socket.
    Unix {
        /// Path of the socket.
        path: String,
    },
    /// The master of a set of servers, which Sentinels know and replace when it fails.
    Sentinel {
        /// The Sentinels; best all of them.
        sentinels: Vec<HostPort>,
        /// The name under which they know the set.
        master: String,
        /// ACL user of the Sentinels; `default` if absent. That of the servers is the connection's.
        #[serde(default)]
        sentinel_username: Option<String>,
        /// TLS, if used, to the Sentinels and to the servers.
        tls: Option<TlsFiles>,
    },
}

/// Where a program listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct HostPort {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            return write!(f, "[{}]:{}", self.host, self.port);
        }
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// A list of them, as people write it.
#[must_use]
pub fn host_ports(list: &[HostPort]) -> String {
    list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
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

impl DatabaseConnection {
    /// Does everything that is sent to it and read from it pass a network that anybody on the way can read and change?
    #[must_use]
    pub fn is_in_the_clear(&self) -> bool {
        matches!(self, Self::Postgres { host, tls: None, .. } if !is_this_machine(host))
    }
}

/// Is this a Unix socket, or a name or address by which a machine means itself?
#[must_use]
pub fn is_this_machine(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host.starts_with('/')
        || host.eq_ignore_ascii_case("localhost")
        || host.parse().is_ok_and(|address: std::net::IpAddr| address.to_canonical().is_loopback())
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
    /// Nothing is written to the Redis: events are read without the consumer group, and what would write is refused.
    #[serde(default)]
    pub observe: bool,
}
