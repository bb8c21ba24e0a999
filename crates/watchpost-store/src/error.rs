//! What can go wrong in the store, by cause.

use std::path::PathBuf;

use crate::diagnose::login_hint;

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
    #[error("the database cannot be reached: {}", in_its_words(.0))]
    Unavailable(#[source] sqlx::Error),
    /// PostgreSQL is there and opens nothing for this login: a wrong password, an unknown account or database.
    #[error("PostgreSQL does not let this login in: {said}")]
    Login {
        /// What the server said.
        said: String,
        /// What to do about it.
        advice: &'static str,
    },
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
    /// The system does not read or write the file of the database.
    #[error("the file of the database cannot be read or written: {}", in_its_words(.0))]
    File(#[source] sqlx::Error),
    /// The login at the database may not do that: it is the server that says so.
    #[error("this login may not do that at the database: {}", in_its_words(.0))]
    Denied(#[source] sqlx::Error),
    /// The database refused a statement.
    #[error("the database refused: {}", in_its_words(.0))]
    Database(#[source] sqlx::Error),
    /// A stored value cannot be read back.
    #[error("a stored value cannot be read: {0}")]
    Corrupt(String),
    /// A value cannot be written as JSON.
    #[error("a value cannot be written as JSON: {0}")]
    Encode(#[source] serde_json::Error),
}

/// What a database said, in its words: the driver adds lines of the server's source.
pub(crate) fn in_its_words(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(inner) => match inner.code() {
            Some(code) => format!("{} (code {code})", inner.message()),
            None => inner.message().to_owned(),
        },
        other => other.to_string(),
    }
}

/// SQLITE_IOERR and its extended forms; the codes of PostgreSQL have five characters.
fn is_file_error(code: &str) -> bool {
    code.len() < 5 && code.parse::<u32>().is_ok_and(|code| code & 0xff == 10)
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Io(io) if io.kind() == std::io::ErrorKind::StorageFull => Self::DiskFull(error),
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
                // SQLITE_FULL; SQLITE_IOERR_SHMSIZE, when there is no space for the file beside it; PostgreSQL disk_full.
                Some("13" | "4874" | "53100") => Self::DiskFull(error),
                Some(code) if is_file_error(code) => Self::File(error),
                // PostgreSQL: invalid authorization, no such database.
                Some(code) if code.len() == 5 && (code.starts_with("28") || code == "3D000") => {
                    Self::Login { said: inner.message().to_owned(), advice: login_hint(code) }
                }
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

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::error::Error;
    use std::fmt;

    use sqlx::error::{DatabaseError, ErrorKind};

    use super::StoreError;

    #[derive(Debug)]
    struct Said {
        code: &'static str,
        message: &'static str,
    }

    impl fmt::Display for Said {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{} at line 334", self.message)
        }
    }

    impl Error for Said {}

    impl DatabaseError for Said {
        fn message(&self) -> &str {
            self.message
        }

        fn code(&self) -> Option<Cow<'_, str>> {
            Some(Cow::Borrowed(self.code))
        }

        fn as_error(&self) -> &(dyn Error + Send + Sync + 'static) {
            self
        }

        fn as_error_mut(&mut self) -> &mut (dyn Error + Send + Sync + 'static) {
            self
        }

        fn into_error(self: Box<Self>) -> Box<dyn Error + Send + Sync + 'static> {
            self
        }

        fn kind(&self) -> ErrorKind {
            ErrorKind::Other
        }
    }

    fn of(code: &'static str, message: &'static str) -> StoreError {
        sqlx::Error::Database(Box::new(Said { code, message })).into()
    }

    #[test]
    fn a_full_disk_and_a_broken_one_are_told_apart() {
        // There is no space for the shared memory of the log, for a page, for a table of PostgreSQL.
        for code in ["4874", "13", "53100"] {
            let error = of(code, "disk I/O error");
            assert!(matches!(error, StoreError::DiskFull(_)), "{code}: {error:?}");
            assert_eq!(error.to_string(), "the disk of the database is full; nothing was written");
        }
        // A page that cannot be read, written, made sure of.
        for code in ["10", "266", "778", "1034"] {
            let error = of(code, "disk I/O error");
            assert!(matches!(error, StoreError::File(_)), "{code}: {error:?}");
            let told =
                format!("the file of the database cannot be read or written: disk I/O error (code {code})");
            assert_eq!(error.to_string(), told);
        }
        // Of PostgreSQL; as a number its last byte is that of an error of files.
        let other = of("22026", "string data length mismatch");
        assert!(matches!(other, StoreError::Database(_)), "{other:?}");
    }

    #[test]
    fn who_is_not_let_in_is_told_so_in_the_words_of_the_server() {
        for code in ["28P01", "28000", "3D000"] {
            let error = of(code, "password authentication failed for user \"anna\"");
            assert!(
                matches!(&error, StoreError::Login { advice, .. } if !advice.contains("log")),
                "{error:?}"
            );
            assert_eq!(
                error.to_string(),
                "PostgreSQL does not let this login in: password authentication failed for user \"anna\""
            );
        }
    }
}
