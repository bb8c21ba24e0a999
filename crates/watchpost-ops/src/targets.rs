//! Where the servers of a connection are.

use watchpost_model::connection::{Connection, DatabaseConnection, RedisAddress};
use watchpost_redis::{RedisTarget, SentinelAddress, TargetAddress};
use watchpost_store::DatabaseTarget;

use crate::console::Console;
use crate::secrets::Secret;

/// Where a connection's database is.
pub(crate) fn database_target(
    console: &Console,
    connection: &Connection,
    password: Option<Secret>,
) -> DatabaseTarget {
    match &connection.database {
        DatabaseConnection::Sqlite { path: Some(path) } => DatabaseTarget::Sqlite { path: path.into() },
        DatabaseConnection::Sqlite { path: None } if connection.redis.address == RedisAddress::Local => {
            DatabaseTarget::Sqlite { path: console.0.paths.local_database() }
        }
        DatabaseConnection::Sqlite { path: None } => {
            DatabaseTarget::Sqlite { path: console.0.paths.default_database(&connection.id.to_string()) }
        }
        DatabaseConnection::Postgres { host, port, database, username, tls } => DatabaseTarget::Postgres {
            host: host.clone(),
            port: *port,
            database: database.clone(),
            username: username.clone(),
            password: password.map(|secret| secret.to_string()),
            tls: tls.clone(),
        },
    }
}

/// Where a connection's Redis is.
pub(crate) fn redis_target(
    console: &Console,
    connection: &Connection,
    password: Option<Secret>,
    sentinel_password: Option<Secret>,
) -> RedisTarget {
    let address = match &connection.redis.address {
        // Known only once the private server runs; see `reach_redis`.
        RedisAddress::Local => TargetAddress::Unix(console.0.paths.workspace().join("redis.sock")),
        RedisAddress::Unix { path } => TargetAddress::Unix(path.into()),
        RedisAddress::Tcp { host, port, tls } => {
            TargetAddress::Tcp { host: host.clone(), port: *port, tls: tls.clone() }
        }
        RedisAddress::Sentinel { sentinels, master, sentinel_username, tls } => {
            TargetAddress::Sentinel(SentinelAddress {
                sentinels: sentinels.clone(),
                master: master.clone(),
                username: sentinel_username.clone(),
                password: sentinel_password.map(|secret| secret.to_string()),
                tls: tls.clone(),
            })
        }
    };
    RedisTarget {
        address,
        username: connection.redis.username.clone(),
        password: password.map(|secret| secret.to_string()),
        database: connection.redis.database,
        prefix: connection.redis.prefix.clone(),
    }
}
