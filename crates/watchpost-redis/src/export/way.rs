//! How an export asks, by what the server can and the user may.

use chrono::DateTime;
use chrono::Duration;
use chrono::Utc;
use redis::Cmd;
use redis::Value;

use crate::error::RedisError;
use crate::lacking;
use crate::link::Call;
use crate::payload;
use crate::reply;
use crate::scripts;
use crate::store::EventStore;
use crate::typed::Pair;
use crate::typed::ValueKind;

/// How a server tells when a key expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expiry {
    /// At which instant.
    At,
    /// In how long: early by the time that the question takes.
    In,
}

impl Expiry {
    /// What both commands say of a key that is not there.
    pub(super) const GONE: i64 = -2;

    pub(super) const fn command(self) -> &'static str {
        match self {
            Self::At => "PEXPIRETIME",
            Self::In => "PTTL",
        }
    }

    /// The instant, by the answer to a question that was sent at `asked_at`; `None` of a key that does not expire.
    pub(super) fn read(self, answer: i64, asked_at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            _ if answer < 0 => None,
            Self::At => DateTime::from_timestamp_millis(answer),
            Self::In => asked_at.checked_add_signed(Duration::try_milliseconds(answer)?),
        }
    }
}

/// How small hashes are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HashRead {
    /// By `DUMP`: the value is copied out of the server as it lies there, in one piece, and taken apart here. Both sides have
    /// half the work that the other way makes.
    Dumped,
    /// By `HGETALL`.
    Fields,
}

impl HashRead {
    pub(super) fn command(self, key: &[u8]) -> Cmd {
        match self {
            Self::Dumped => super::about("DUMP", key),
            Self::Fields => ValueKind::Hash.read(key),
        }
    }
}

/// The fields in an answer to either command: `None` where that is a payload that is not read here, of a hash whose fields
/// expire, of a later version, or of another type. Nothing in it says that the key is gone.
pub(super) fn pairs(answer: Value) -> Option<Vec<Pair>> {
    match answer {
        Value::BulkString(payload) => {
            let mut room = Vec::new();
            let fields = payload::fields(&payload, &mut room)?;
            Some(fields.into_iter().map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
        }
        answer => Some(reply::pairs(answer)),
    }
}

/// The better way of each where the server has it and the user may go it. A server that cannot tell that beforehand is one
/// before 7.0, or the user may run no script: then the instant of expiry is asked for of a key that nobody has.
pub(super) async fn choose(store: &EventStore) -> Result<(Expiry, HashRead), RedisError> {
    let about = |command: &str| format!("{command} {}", store.inner.keys.stream());
    let call = Call::new(&[]).arg(about(Expiry::At.command())).arg(about("DUMP"));
    let told = lacking::asked(store.inner.jobs.eval(&scripts::MAY, call).await)?;
    let told = told.map(reply::list).unwrap_or_default();
    let may = |n: usize| told.get(n).and_then(reply::int) == Some(1);
    let tells_instant = may(0) || (told.is_empty() && tried(store, Expiry::At).await?);
    let expiry = if tells_instant { Expiry::At } else { Expiry::In };
    Ok((expiry, if may(1) { HashRead::Dumped } else { HashRead::Fields }))
}

/// Does the server answer to this, to this user?
async fn tried(store: &EventStore, expiry: Expiry) -> Result<bool, RedisError> {
    let nobody = format!("{}:none", store.inner.keys.stream());
    let answer = store.inner.jobs.query::<Value>(&super::about(expiry.command(), nobody.as_bytes())).await;
    Ok(lacking::asked(answer)?.is_ok())
}
