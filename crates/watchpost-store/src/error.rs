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
    /// The tables are of an older Watchpost, and not this login's to change.
    #[error("the tables have schema {found}, and this login may not bring them to {known}")]
    SchemaTooOld {
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
    /// The file was a database, and parts of it are missing or altered.
    #[error("the file of the database is damaged: {0}")]
    Damaged(String),
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
    /// No space is left where a copy of the database was to be, or was to be put back.
    #[error("no space is left in the folder {folder} for the copy of the database")]
    NoRoom {
        /// Where it was to be.
        folder: PathBuf,
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
    /// A copy of a database cannot be put back as it is.
    #[error("it is no whole copy of a Watchpost database: {0}")]
    BrokenCopy(String),
    /// The programs that copy a PostgreSQL database are not there, or are older than its server.
    #[error("{0}")]
    NoPrograms(String),
    /// There is no place to try a copy of a PostgreSQL database in.
    #[error("the copy cannot be tried: {0}")]
    NoPlace(String),
    /// A program of PostgreSQL failed.
    #[error("{program} failed: {said}")]
    Program {
        /// Which.
        program: &'static str,
        /// What it said.
        said: String,
    },
    /// No space is left for the database.
    #[error("the disk of the database is full; nothing was written")]
    DiskFull(#[source] sqlx::Error),
    /// The system does not read or write the file of the database.
    #[error("the file of the database cannot be read or written: {}", in_its_words(.0))]
    File(#[source] sqlx::Error),
    /// This account may not write the file of the database, or what SQLite keeps beside it.
    #[error("the file of the database cannot be written: {}", in_its_words(.0))]
    NotWritable(#[source] sqlx::Error),
    /// The login at the database may not do that: it is the server that says so.
    #[error("this login may not do that at the database: {}", in_its_words(.0))]
    Denied(#[source] sqlx::Error),
    /// The server is there and takes no changes.
    #[error(
        "the server of the database takes no changes, as a standby or by its settings; nothing was written: {}",
        in_its_words(.0)
    )]
    ReadOnly(#[source] sqlx::Error),
    /// The server was lost while it made sure of a change: it is there, or it is not.
    #[error(
        "the database was lost while it made sure of this, so whether it was done is not known: {}",
        in_its_words(.0)
    )]
    Unconfirmed(#[source] sqlx::Error),
    /// Somebody else's transaction holds what this one waits for, and does not end.
    #[error(
        "somebody else's transaction holds what this one has to change, and did not end in time; nothing was written: {}",
        in_its_words(.0)
    )]
    Held(#[source] sqlx::Error),
    /// A change before this one waits for a standby that is gone, and holds what this one waits for.
    #[error(
        "a change before this one waits for a synchronous standby that is gone, and holds what this one has to change; \
         nothing was written: {}",
        in_its_words(.0)
    )]
    NoStandby(#[source] sqlx::Error),
    /// Another process changed the database all the time while this one wanted to bring its schema up to date.
    #[error(
        "another process has been changing the database for a quarter of an hour, so it was not opened: wait until it is done, \
         or look for one that hangs"
    )]
    Busy(#[source] sqlx::Error),
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
        // What answered the first bytes of a connection over TLS with something else, or, as a proxy, by closing it.
        sqlx::Error::Protocol(said) if said.contains("SSLRequest") => {
            "what listens there closed the connection when TLS was asked for, or is not PostgreSQL".to_owned()
        }
        other => other.to_string(),
    }
}

/// SQLITE_READONLY.
const READONLY: u32 = 8;
/// SQLITE_IOERR.
const IO: u32 = 10;
/// SQLITE_CORRUPT.
const CORRUPT: u32 = 11;

/// Is it this code of SQLite, or one of its extended forms? The codes of PostgreSQL have five characters.
fn is_of_sqlite(code: &str, primary: u32) -> bool {
    code.len() < 5 && code.parse::<u32>().is_ok_and(|code| code & 0xff == primary)
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
                // SQLITE_NOTADB.
                Some("26") => Self::NotADatabase(inner.message().to_owned()),
                // PostgreSQL: insufficient_privilege.
                Some("42501") => Self::Denied(error),
                // A trigger of Watchpost: so many requests for a second person are open.
                Some("WP020") => Self::Precondition(inner.message().to_owned()),
                // PostgreSQL: read_only_sql_transaction.
                Some("25006") => Self::ReadOnly(error),
                // PostgreSQL: lock_not_available.
                Some("55P03") => Self::Held(error),
                // SQLITE_FULL; SQLITE_IOERR_SHMSIZE, when there is no space for the file beside it; PostgreSQL disk_full.
                Some("13" | "4874" | "53100") => Self::DiskFull(error),
                Some(code) if is_of_sqlite(code, READONLY) => Self::NotWritable(error),
                Some(code) if is_of_sqlite(code, IO) => Self::File(error),
                Some(code) if is_of_sqlite(code, CORRUPT) => Self::Damaged(inner.message().to_owned()),
                // PostgreSQL: invalid authorization, no such database.
                Some(code) if code.len() == 5 && (code.starts_with("28") || code == "3D000") => {
                    Self::Login { said: inner.message().to_owned(), advice: login_hint(code) }
                }
                // SQLITE_BUSY and its extended forms, SQLITE_CANTOPEN.
                Some("5" | "261" | "517" | "14") => Self::Unavailable(error),
                // PostgreSQL: connection exceptions, shutdown, too many connections, a transaction in which nothing was done.
                Some(code)
                    if code.len() == 5
                        && (code.starts_with("08")
                            || code.starts_with("57P")
                            || matches!(code, "53300" | "25P03")) =>
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
        // A file, or a folder, that this account may only read.
        for code in ["8", "264", "1544"] {
            let error = of(code, "attempt to write a readonly database");
            assert!(matches!(error, StoreError::NotWritable(_)), "{code}: {error:?}");
        }
        // A page that does not fit, one of a table of words.
        for code in ["11", "267"] {
            let error = of(code, "database disk image is malformed");
            assert_eq!(
                error.to_string(),
                "the file of the database is damaged: database disk image is malformed",
                "{code}"
            );
        }
        // Of PostgreSQL; as a number its last byte is that of an error of files.
        let other = of("22026", "string data length mismatch");
        assert!(matches!(other, StoreError::Database(_)), "{other:?}");
    }

    #[test]
    fn a_server_that_takes_no_changes_is_told_apart_from_one_that_refuses() {
        let error = of("25006", "cannot execute INSERT in a read-only transaction");
        assert!(matches!(error, StoreError::ReadOnly(_)), "{error:?}");
        assert!(error.to_string().contains("takes no changes"), "{error}");
        for code in ["57P01", "57P02", "57P03"] {
            let error = of(code, "terminating connection due to administrator command");
            assert!(matches!(error, StoreError::Unavailable(_)), "{code}: {error:?}");
        }
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

    #[test]
    fn whoever_does_not_speak_of_tls_is_told_in_words() {
        let said = "unexpected response from SSLRequest: 0x00".to_owned();
        let told = StoreError::from(sqlx::Error::Protocol(said)).to_string();
        assert!(told.contains("closed the connection when TLS was asked for"), "{told}");
        assert!(!told.contains("SSLRequest"), "{told}");
    }
}
