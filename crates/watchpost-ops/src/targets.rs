//! Where the servers of a connection are, and with what secret.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use watchpost_model::connection::{Connection, DatabaseConnection, HostPort, RedisAddress};
use watchpost_model::ids::ConnectionId;
use watchpost_redis::{RedisTarget, SentinelAddress, TargetAddress};
use watchpost_store::DatabaseTarget;

use crate::console::Console;
use crate::contract::SecretState;
use crate::error::{ErrorCode, OpError};
use crate::paths::Paths;
use crate::secrets::{Secret, Secrets};

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
        RedisAddress::Cluster { nodes, tls } => {
            let first = nodes.first().cloned().unwrap_or(HostPort { host: String::new(), port: 0 });
            TargetAddress::Tcp { host: first.host, port: first.port, tls: tls.clone() }
        }
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
        also: further_nodes(console, connection),
        username: connection.redis.username.clone(),
        password: password.map(|secret| secret.to_string()),
        database: connection.redis.database,
        prefix: connection.redis.prefix.clone(),
        observe: connection.observe,
    }
}

/// The keychain account of one of a connection's secrets.
pub(crate) fn account(connection: watchpost_model::ids::ConnectionId, part: &str) -> String {
    format!("{connection}/{part}")
}

/// The stored secret of a connection: that of a file that the environment names, else the one that was saved.
pub(crate) async fn secret_for(
    secrets: &Secrets,
    connection: &Connection,
    part: &str,
) -> Result<Option<Secret>, OpError> {
    let needs = match part {
        "redis" => connection.redis.address != RedisAddress::Local,
        "sentinel" => matches!(connection.redis.address, RedisAddress::Sentinel { .. }),
        _ => matches!(connection.database, DatabaseConnection::Postgres { .. }),
    };
    if !needs {
        return Ok(None);
    }
    if let Some(secret) = secret_from_file(part)? {
        return Ok(Some(secret));
    }
    let account = account(connection.id, part);
    let given = secrets.was_given(&account).await;
    if given == Some(false) {
        return Ok(None);
    }
    let found = match secrets.get(&account).await {
        // It was given, and what kept it is gone: nobody logs in without it.
        Ok(None) if given == Some(true) => Err(SecretState::KeyChanged),
        found => found,
    };
    let found = found.map_err(|state| {
        let name = &connection.name;
        OpError::new(ErrorCode::SecretStore, format!("cannot read the {part} password of {name:?}"))
            .hint(crate::secrets::describe(state))
    })?;
    if found.is_some()
        && given.is_none()
        && let Err(state) = secrets.note_given(vec![(account, Some(true))]).await
    {
        tracing::debug!(?state, part, "it was not noted that this connection has a password");
    }
    Ok(found)
}

/// On a server without a keychain: the file that `WATCHPOST_REDIS_PASSWORD_FILE`, `WATCHPOST_SENTINEL_PASSWORD_FILE` or
/// `WATCHPOST_DATABASE_PASSWORD_FILE` names, else the systemd credential `redis-password`, `sentinel-password` or
/// `database-password`. The token of the webhook for checkpoints is `webhook` in the same way.
pub(crate) fn secret_from_file(part: &str) -> Result<Option<Secret>, OpError> {
    let variable = format!("WATCHPOST_{}_PASSWORD_FILE", part.to_uppercase());
    let named = std::env::var_os(&variable).map(PathBuf::from);
    let credential = std::env::var_os("CREDENTIALS_DIRECTORY")
        .map(|folder| PathBuf::from(folder).join(format!("{part}-password")))
        .filter(|file| file.exists());
    let Some(file) = named.or(credential) else { return Ok(None) };
    let problem = |why: String| {
        OpError::new(ErrorCode::SecretStore, format!("cannot read the {part} password: {why}"))
            .hint(format!("it was looked for in {}", file.display()))
    };
    let text = std::fs::read_to_string(&file).map_err(|error| problem(error.to_string()))?;
    let text = Secret::new(text);
    let password = text.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(problem("the file is empty".to_owned()));
    }
    Ok(Some(Secret::new(password.to_owned())))
}

/// The nodes of a cluster beside the first one: those that were named, then those that were seen last.
fn further_nodes(console: &Console, connection: &Connection) -> Vec<HostPort> {
    let (first, named) = match &connection.redis.address {
        RedisAddress::Local | RedisAddress::Unix { .. } | RedisAddress::Sentinel { .. } => return Vec::new(),
        RedisAddress::Tcp { host, port, .. } => (HostPort { host: host.clone(), port: *port }, &[][..]),
        RedisAddress::Cluster { nodes, .. } => match nodes.split_first() {
            Some((first, named)) => (first.clone(), named),
            None => return Vec::new(),
        },
    };
    let mut further: Vec<HostPort> = Vec::new();
    for at in named.iter().cloned().chain(SeenNodes::of(console.paths(), connection.id).read()) {
        if at != first && !further.contains(&at) {
            further.push(at);
        }
    }
    further
}

/// The nodes of a connection's cluster that were seen last, in a file of this console: a connection that names one node
/// still finds the others when that one is gone.
pub(crate) struct SeenNodes {
    file: PathBuf,
    kept: Mutex<Vec<HostPort>>,
}

impl SeenNodes {
    /// Of a connection. Nothing is read yet.
    pub(crate) fn of(paths: &Paths, connection: ConnectionId) -> Self {
        Self { file: paths.cluster_nodes(&connection.to_string()), kept: Mutex::default() }
    }

    /// What was seen; nothing where there is no such file, or none that can be read.
    fn read(&self) -> Vec<HostPort> {
        let text = std::fs::read_to_string(&self.file).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Keeps what is seen now; of no cluster nothing.
    pub(crate) fn keep(&self, nodes: &[HostPort]) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if nodes.is_empty() || *kept == nodes {
            return;
        }
        nodes.clone_into(&mut kept);
        let written = serde_json::to_vec(nodes).map_err(|error| error.to_string()).and_then(|text| {
            watchpost_report::write_atomically(&self.file, &text).map_err(|error| error.to_string())
        });
        if let Err(problem) = written {
            tracing::warn!(problem, "the nodes of the cluster were not kept for the next start");
        }
    }
}

#[cfg(test)]
mod tests {
    use watchpost_model::connection::HostPort;

    use super::SeenNodes;

    #[test]
    fn nodes_that_were_seen_are_known_at_the_next_start() {
        let folder = tempfile::tempdir().expect("a folder");
        let seen = || SeenNodes { file: folder.path().join("nodes.json"), kept: std::sync::Mutex::default() };
        let at = |port| HostPort { host: "10.0.0.1".to_owned(), port };
        assert!(seen().read().is_empty());
        seen().keep(&[at(1), at(2)]);
        seen().keep(&[]);
        assert_eq!(seen().read(), [at(1), at(2)], "a moment without a cluster forgets nothing");
    }
}
