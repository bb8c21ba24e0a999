//! Memory in use, and asking the allocator to give some of it back.

use redis::Value;
use watchpost_model::plain::size;

use crate::error::RedisError;
use crate::info::Info;
use crate::store::EventStore;

/// Less than this is noise of the allocator.
const EFFECT_BYTES_MIN: i64 = 1 << 20;

/// What the server says of its memory; zero where it does not.
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    pub(crate) used: u64,
    /// `maxmemory`; zero for none.
    pub(crate) limit: u64,
    resident: u64,
}

/// What the allocator gave back.
pub(crate) enum Purged {
    NotAsked,
    /// Bytes; `None` where the server does not offer that.
    Asked(Option<i64>),
}

impl Purged {
    /// For the report.
    pub(crate) fn words(&self) -> Option<String> {
        match self {
            Self::NotAsked => None,
            Self::Asked(None) => {
                Some("the server does not offer MEMORY PURGE; nothing was released to the system".to_owned())
            }
            Self::Asked(Some(bytes)) if *bytes < EFFECT_BYTES_MIN => {
                Some("MEMORY PURGE had no effect: resident memory fell by less than 1 MiB".to_owned())
            }
            #[expect(clippy::cast_precision_loss, reason = "sizes stay far below 2^53")]
            Self::Asked(Some(bytes)) => {
                Some(format!("MEMORY PURGE released {} to the system", size(*bytes as f64)))
            }
        }
    }
}

pub(crate) async fn memory(store: &EventStore) -> Result<Memory, RedisError> {
    let mut cmd = redis::cmd("INFO");
    cmd.arg("memory");
    let info = Info::parse(&store.inner.jobs.query::<String>(&cmd).await?);
    Ok(Memory {
        used: info.count("used_memory").unwrap_or(0),
        limit: info.count("maxmemory").unwrap_or(0),
        resident: info.count("used_memory_rss").unwrap_or(0),
    })
}

/// Has the allocator give back what it can.
pub(crate) async fn purge(store: &EventStore) -> Result<Purged, RedisError> {
    let before = memory(store).await?;
    let mut cmd = redis::cmd("MEMORY");
    cmd.arg("PURGE");
    match store.inner.jobs.query::<Value>(&cmd).await {
        Ok(_) => {}
        Err(RedisError::Server { .. } | RedisError::NoPermission(_)) => return Ok(Purged::Asked(None)),
        Err(error) => return Err(error),
    }
    let after = memory(store).await?;
    let signed = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
    Ok(Purged::Asked(Some(signed(before.resident) - signed(after.resident))))
}
