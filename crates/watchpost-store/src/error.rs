//! What can go wrong in the store, by cause.

use std::path::PathBuf;

/// An error of the store. Messages read after "failed to ...".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// What was given cannot be right, whatever the database holds.
    #[error("{0}")]
    Validation(String),
    /// It is not there.
    #[error("{0} does not exist")]
    NotFound(String),
    /// Somebody else changed it first.
    #[error("{0}")]
    Conflict(String),
    /// Whoever asked does not want it any more.
    #[error("it was stopped")]
    Cancelled,
    /// It is not in a state that allows this.
    #[error("{0}")]
    Precondition(String),
    /// The database was made by a newer Watchpost.
    #[error("the database has schema {found}, this version knows up to {known}; update Watchpost")]
    SchemaTooNew {
        /// Newest migration in the database.
        found: i64,
        /// Newest migration that this version knows.
        known: i64,
    },
    /// An applied migration is not the one that this version carries.
    #[error("migration {version} in the database differs from the one of this version")]
    SchemaAltered {
        /// Which.
        version: i64,
    },
    /// The file is something else.
    #[error("the file is not a Watchpost database: {0}")]
    NotADatabase(String),
    /// The database cannot be reached, or no connection is free.
    #[error("the database cannot be reached: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// A file for TLS cannot be used.
    #[error("cannot read {path}, which is to be used for TLS: {source}")]
    TlsFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file beside the database, such as a copy of it, cannot be made.
    #[error("cannot write into the folder {folder}: {source}")]
    Folder {
        /// Where it was to be.
        folder: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// No copy of the database as it is could be made before its schema is brought up to date, so it was not.
    #[error(
        "the database has schema {from}, and before it is brought to {to} a copy of it is made, which failed: {path}: \
         {source}; nothing was changed"
    )]
    NoCopy {
        /// Newest migration in the database.
        from: i64,
        /// Newest migration that this version knows.
        to: i64,
        /// The file that was to be made.
        path: PathBuf,
        /// What stood in the way.
        #[source]
        source: Box<StoreError>,
    },
    /// No space is left for the database.
    #[error("the disk of the database is full; nothing was written")]
    DiskFull(#[source] sqlx::Error),
    /// The login at the database may not do that: it is the server that says so.
    #[error("this login may not do that at the database: {0}")]
    Denied(#[source] sqlx::Error),
    /// The database refused a statement.
    #[error("the database refused: {0}")]
    Database(#[source] sqlx::Error),
    /// A stored value cannot be read back.
    #[error("a stored value cannot be read: {0}")]
    Corrupt(String),
    /// A value cannot be written as JSON.
    #[error("a value cannot be written as JSON: {0}")]
    Encode(#[source] serde_json::Error),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed => Self::Unavailable(error),
            sqlx::Error::WorkerCrashed | sqlx::Error::Protocol(_) => Self::Unavailable(error),
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Self::Corrupt(error.to_string()),
            sqlx::Error::Database(inner) => match inner.code().as_deref() {
                // SQLITE_NOTADB and SQLITE_CORRUPT.
                Some("26" | "11") => Self::NotADatabase(inner.message().to_owned()),
                // PostgreSQL: insufficient_privilege.
                Some("42501") => Self::Denied(error),
                // SQLITE_FULL; PostgreSQL disk_full.
                Some("13" | "53100") => Self::DiskFull(error),
                // SQLITE_BUSY and its extended forms, SQLITE_CANTOPEN.
                Some("5" | "261" | "517" | "14") => Self::Unavailable(error),
                // PostgreSQL: connection exceptions, shutdown, too many connections.
                Some(code)
                    if code.len() == 5
                        && (code.starts_with("08") || code.starts_with("57P") || code == "53300") =>
                {
                    Self::Unavailable(error)
                }
                _ => Self::Database(error),
            },
            _ => Self::Database(error),
        }
    }
}

impl StoreError {
    /// Did PostgreSQL give this transaction up in favour of another, so that a second try may succeed?
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Database(sqlx::Error::Database(inner)) => {
                matches!(inner.code().as_deref(), Some("40001" | "40P01"))
            }
            _ => false,
        }
    }
}
