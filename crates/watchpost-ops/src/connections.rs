//! The saved connections: a TOML file without secrets.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use watchpost_model::connection::{Connection, DatabaseConnection, RedisAddress, RedisConnection};
use watchpost_model::ids::ConnectionId;

use crate::error::{ErrorCode, OpError};
use crate::paths::Paths;

/// The id of the local workspace: always there, never in the file.
pub const LOCAL: ConnectionId = ConnectionId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001));

/// The local workspace.
#[must_use]
pub fn local_connection() -> Connection {
    Connection {
        id: LOCAL,
        name: "local".to_owned(),
        redis: RedisConnection {
            address: RedisAddress::Local,
            username: None,
            database: 0,
            prefix: "security:".to_owned(),
        },
        database: DatabaseConnection::Sqlite { path: None },
        production: false,
        observe: false,
    }
}

/// The file's content.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    /// The connection that was open last.
    last: Option<ConnectionId>,
    /// All but the local one.
    connection: Vec<Connection>,
}

/// The saved connections. Every change is on disk when it returns.
#[derive(Debug)]
pub(crate) struct ConnectionBook {
    path: PathBuf,
    file: File,
}

impl ConnectionBook {
    /// Reads the file; no file is an empty book.
    pub(crate) fn load(paths: &Paths) -> Result<Self, OpError> {
        let path = paths.connections();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                return Err(OpError::new(
                    ErrorCode::Unavailable,
                    format!("cannot read {}: {error}", path.display()),
                ));
            }
        };
        let file = toml::from_str(&text).map_err(|error| {
            OpError::invalid("connections.toml", format!("{} is damaged: {error}", path.display()))
                .hint("mend the file, or move it away to start with the local workspace only")
        })?;
        Ok(Self { path, file })
    }

    /// The local workspace first, then by name.
    pub(crate) fn all(&self) -> Vec<Connection> {
        let mut saved = self.file.connection.clone();
        saved.sort_by_key(|connection| connection.name.to_lowercase());
        std::iter::once(local_connection()).chain(saved).collect()
    }

    pub(crate) fn by_id(&self, id: ConnectionId) -> Option<Connection> {
        self.all().into_iter().find(|connection| connection.id == id)
    }

    pub(crate) fn by_name(&self, name: &str) -> Option<Connection> {
        self.all().into_iter().find(|connection| connection.name.eq_ignore_ascii_case(name))
    }

    /// The connection that was open last, if it is still there.
    pub(crate) fn last(&self) -> Option<Connection> {
        self.file.last.and_then(|id| self.by_id(id))
    }

    pub(crate) fn set_last(&mut self, id: ConnectionId) -> Result<(), OpError> {
        self.file.last = Some(id);
        self.write()
    }

    /// Adds or replaces by id.
    pub(crate) fn put(&mut self, connection: Connection) -> Result<(), OpError> {
        if connection.id == LOCAL {
            return Err(OpError::invalid("id", "the local workspace cannot be changed"));
        }
        if self.by_name(&connection.name).is_some_and(|other| other.id != connection.id) {
            return Err(OpError::invalid(
                "name",
                format!("there is a connection {:?} already", connection.name),
            ));
        }
        self.file.connection.retain(|other| other.id != connection.id);
        self.file.connection.push(connection);
        self.write()
    }

    pub(crate) fn remove(&mut self, id: ConnectionId) -> Result<(), OpError> {
        if id == LOCAL {
            return Err(OpError::invalid("id", "the local workspace cannot be removed"));
        }
        let before = self.file.connection.len();
        self.file.connection.retain(|connection| connection.id != id);
        if self.file.connection.len() == before {
            return Err(OpError::not_found("such connection"));
        }
        self.write()
    }

    fn write(&self) -> Result<(), OpError> {
        let text = toml::to_string_pretty(&self.file)
            .map_err(|error| OpError::internal(format!("connections not serialisable: {error}")))?;
        watchpost_report::write_atomically(&self.path, text.as_bytes()).map(drop).map_err(|error| {
            OpError::new(ErrorCode::Unavailable, format!("cannot save the connections: {error}"))
        })
    }
}
