//! When a key expires, as exactly as the server tells it.

use chrono::DateTime;
use chrono::Duration;
use chrono::Utc;

use crate::error::RedisError;
use crate::lacking;
use crate::link::Call;
use crate::reply;
use crate::scripts;
use crate::store::EventStore;

/// How a server tells when a key expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expiry {
    /// At which instant.
    At,
    /// In how long: early by the time that the question takes.
    In,
}

impl Expiry {
    /// The exact way where the server has it and the user may ask. A server that cannot tell that beforehand is one before 7.0,
    /// which has only the other.
    pub(super) async fn of(store: &EventStore) -> Result<Self, RedisError> {
        let command = Self::At.command();
        let call = Call::new(&[]).arg(format!("{command} {}", store.inner.keys.stream()));
        let told = lacking::asked(store.inner.jobs.eval(&scripts::MAY, call).await)?;
        let told = told.map(reply::list).unwrap_or_default();
        Ok(if told.first().and_then(reply::int) == Some(1) { Self::At } else { Self::In })
    }

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
