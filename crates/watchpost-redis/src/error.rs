//! What can go wrong between Watchpost and a Redis, by cause.

use std::path::PathBuf;

use redis::ErrorKind;
use redis::ServerErrorKind;

/// A failure at the event store. Messages read after "failed to ...".
#[derive(Debug, thiserror::Error)]
pub enum RedisError {
    /// Nothing listens there.
    #[error("no server answers at {address}")]
    Refused {
        /// Where it was tried.
        address: String,
        /// What the system said.
        #[source]
        source: redis::RedisError,
    },
    /// The server did not answer in time. After a write the outcome is unknown: read again, do not repeat blindly
    /// (everything in this crate that writes may be repeated).
    #[error("the server did not answer in time")]
    TimedOut(#[source] redis::RedisError),
    /// The connection broke. The next call connects again.
    #[error("the connection to the server broke")]
    ConnectionLost(#[source] redis::RedisError),
    /// The TLS handshake failed.
    #[error("the TLS handshake failed: {0}")]
    Tls(#[source] redis::RedisError),
    /// A file for TLS cannot be used.
    #[error("cannot read {path}")]
    TlsFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The server wants a password and got none.
    #[error("the server requires a password")]
    PasswordRequired,
    /// User name or password are wrong, or the user is disabled.
    #[error("the server refused the user name or password")]
    WrongPassword,
    /// The user lacks a right.
    #[error("the user lacks a right: {0}")]
    NoPermission(String),
    /// The connection only looks, and this writes: it was not sent.
    #[error("this connection only observes: {command} was not sent")]
    Observing {
        /// What it would have been.
        command: String,
    },
    /// The server is still loading its data from disk.
    #[error("the server is still loading its data")]
    Loading,
    /// The server is full and may not evict.
    #[error("the server is out of memory and refuses writes")]
    OutOfMemory,
    /// What was to be written would leave less of `maxmemory` free than Watchpost leaves to applications: it was not sent.
    #[error("{free} of maxmemory would not stay free: {:.1} of {:.1} MiB are in use already", mib(.used), mib(.limit))]
    NoRoom {
        /// How much of it is to stay so: `a fifth`.
        free: &'static str,
        /// Bytes in use.
        used: u64,
        /// `maxmemory`.
        limit: u64,
    },
    /// The server is one of a cluster, and the keys of this prefix lie in many of its slots.
    #[error(
        "the server is one of a Redis Cluster, where the keys of the prefix {0} lie on several nodes: an event, its index \
         and the stream have to be in one slot"
    )]
    ManySlots(String),
    /// There is no master now: the Sentinels do not answer, the one that they name is none (yet), or a slot of a cluster
    /// is being moved or served by nobody.
    #[error("no master of {set}: {reason}")]
    NoMaster {
        /// The name of the set of servers.
        set: String,
        /// What is wrong.
        reason: String,
    },
    /// Sentinels refused to answer, or know no such set of servers.
    #[error("the Sentinels do not help: {0}")]
    Sentinel(String),
    /// The server is a replica.
    #[error("the server is a read-only replica")]
    ReadOnly,
    /// A key of the contract holds something else.
    #[error("a key holds another type than the contract says: {0}")]
    WrongType(String),
    /// The server reported something else.
    #[error("the server reported {code}: {detail}")]
    Server {
        /// Its error code, such as `ERR`.
        code: String,
        /// Its text.
        detail: String,
    },
    /// The answer has a shape that was not expected.
    #[error("the server's answer to {command} was not understood")]
    Answer {
        /// What was asked.
        command: &'static str,
    },
    /// The person stopped it.
    #[error("cancelled")]
    Cancelled,
    /// Anything else of the client library.
    #[error("the Redis client failed: {0}")]
    Client(#[source] redis::RedisError),
}

impl RedisError {
    /// Would trying again later make sense without anybody changing anything?
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Refused { .. }
                | Self::TimedOut(_)
                | Self::ConnectionLost(_)
                | Self::Loading
                | Self::OutOfMemory
                | Self::NoMaster { .. }
        )
    }

    /// Sorts an error of the client library by cause; `address` is for the message.
    pub(crate) fn classify(error: redis::RedisError, address: &str) -> Self {
        let detail = || error.detail().unwrap_or_default().to_owned();
        match error.kind() {
            ErrorKind::Server(ServerErrorKind::BusyLoading) => Self::Loading,
            ErrorKind::Server(ServerErrorKind::NoPerm) => Self::NoPermission(detail()),
            ErrorKind::Server(ServerErrorKind::ReadOnly) => Self::ReadOnly,
            ErrorKind::AuthenticationFailed => Self::WrongPassword,
            ErrorKind::Io if error.is_timeout() => Self::TimedOut(error),
            ErrorKind::Io if error.is_connection_refusal() => {
                Self::Refused { address: address.to_owned(), source: error }
            }
            ErrorKind::Io if looks_like_tls(&error) => Self::Tls(error),
            ErrorKind::Io => Self::ConnectionLost(error),
            ErrorKind::Server(_) | ErrorKind::Extension => match error.code() {
                Some("OOM") => Self::OutOfMemory,
                Some("NOAUTH") => Self::PasswordRequired,
                Some("WRONGPASS") => Self::WrongPassword,
                Some("NOPERM") => Self::NoPermission(detail()),
                Some("WRONGTYPE") => Self::WrongType(detail()),
                // What a script ran into, as servers before 7.0 tell it.
                Some("ERR") if detail().contains("READONLY You can't write") => Self::ReadOnly,
                Some(code) => Self::Server { code: code.to_owned(), detail: detail() },
                None => Self::Client(error),
            },
            _ => Self::Client(error),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "sizes stay far below 2^53")]
fn mib(bytes: &u64) -> f64 {
    *bytes as f64 / 1_048_576.0
}

/// Does the text of an I/O error come from the TLS layer? There is no type to ask: the client library boxes it.
pub(crate) fn looks_like_tls(error: &redis::RedisError) -> bool {
    let text = error.to_string();
    ["certificate", "corrupt message", "alert", "handshake", "tls", "TLS", "UnknownIssuer"]
        .iter()
        .any(|word| text.contains(word))
}
