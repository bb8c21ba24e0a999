//! Which database, and how to connect to it. A password is never part of a URL and never shown.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use watchpost_model::connection::TlsFiles;

use crate::error::StoreError;

/// A database to open.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseTarget {
    /// A file of this machine; made if it is not there.
    Sqlite {
        /// Its path.
        path: PathBuf,
    },
    /// A server.
    Postgres {
        /// Host name, address, or directory of the Unix socket.
        host: String,
        /// Port.
        port: u16,
        /// Database.
        database: String,
        /// Login.
        username: String,
        /// Password, if the server asks for one.
        password: Option<String>,
        /// TLS; required and checked if present, not used if absent.
        tls: Option<TlsFiles>,
    },
}

impl DatabaseTarget {
    /// The name of a server's database, or that of a file, with nothing in it that a name of a file may not have.
    pub(crate) fn plain_name(&self) -> String {
        let name = match self {
            Self::Sqlite { path } => path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            Self::Postgres { database, .. } => database.clone(),
        };
        name.chars().map(|ch| if ch.is_alphanumeric() || ch == '-' { ch } else { '_' }).collect()
    }
}

impl fmt::Debug for DatabaseTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite { path } => f.debug_struct("Sqlite").field("path", path).finish(),
            Self::Postgres { host, port, database, username, password, tls } => f
                .debug_struct("Postgres")
                .field("host", host)
                .field("port", port)
                .field("database", database)
                .field("username", username)
                .field("password", &password.as_ref().map(|_| "redacted"))
                .field("tls", &tls.is_some())
                .finish(),
        }
    }
}

/// So long a file is waited for that another process has locked.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Options of a SQLite file: WAL, foreign keys, full synchronisation, erased content overwritten.
pub(crate) fn sqlite_options(path: &std::path::Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .synchronous(SqliteSynchronous::Full)
        .pragma("secure_delete", "ON")
        // 4 MiB for each connection: beyond it the system's own cache of the file answers in microseconds, and is shared.
        .pragma("cache_size", "-4096")
        // 64 MiB: a page that many batches change is written to the file once.
        .pragma("wal_autocheckpoint", "16384")
        .pragma("journal_size_limit", "134217728")
        .pragma("temp_store", "MEMORY")
}

/// Options for looking at a SQLite file that may be another program's: nothing of it is changed, its journal mode neither.
pub(crate) fn sqlite_look(path: &std::path::Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(path).busy_timeout(BUSY_TIMEOUT).pragma("query_only", "ON")
}

/// Options of a PostgreSQL server, from its parts; `None` for SQLite.
pub(crate) fn postgres_options(target: &DatabaseTarget) -> Option<PgConnectOptions> {
    let DatabaseTarget::Postgres { host, port, database, username, password, tls } = target else {
        return None;
    };
    let mut options = PgConnectOptions::new_without_pgpass()
        .port(*port)
        .database(database)
        .username(username)
        .application_name("watchpost");
    options = if host.starts_with('/') { options.socket(host) } else { options.host(host) };
    if let Some(password) = password {
        options = options.password(password);
    }
    Some(match tls {
        None => options.ssl_mode(PgSslMode::Disable),
        Some(files) => {
            options = options.ssl_mode(PgSslMode::VerifyFull);
            if let Some(ca) = &files.ca {
                options = options.ssl_root_cert(ca);
            }
            if let (Some(cert), Some(key)) = (&files.cert, &files.key) {
                options = options.ssl_client_cert(cert).ssl_client_key(key);
            }
            options
        }
    })
}

/// Looks whether the files for TLS can be read: the driver does not say which one it missed.
pub(crate) fn look_at_tls_files(files: &TlsFiles) -> Result<(), StoreError> {
    for path in [&files.ca, &files.cert, &files.key].into_iter().flatten() {
        std::fs::read(path).map_err(|source| StoreError::TlsFile { path: PathBuf::from(path), source })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use watchpost_model::connection::TlsFiles;

    use super::{DatabaseTarget, look_at_tls_files};

    #[test]
    fn a_file_for_tls_that_is_not_there_is_named() {
        let there = tempfile::NamedTempFile::new().unwrap();
        let ca = Some(there.path().display().to_string());
        let files = TlsFiles { ca: ca.clone(), ..TlsFiles::default() };
        assert!(look_at_tls_files(&files).is_ok() && look_at_tls_files(&TlsFiles::default()).is_ok());
        let files = TlsFiles { ca, cert: Some("/nowhere/me.pem".into()), key: None };
        let error = look_at_tls_files(&files).unwrap_err().to_string();
        assert!(error.contains("/nowhere/me.pem"), "{error}");
    }

    #[test]
    fn debug_hides_the_password() {
        let target = DatabaseTarget::Postgres {
            host: "db".into(),
            port: 5432,
            database: "watchpost".into(),
            username: "app".into(),
            password: Some("hunter2".into()),
            tls: None,
        };
        let shown = format!("{target:?}");
        assert!(!shown.contains("hunter2") && shown.contains("redacted"), "shown: {shown}");
    }
}
