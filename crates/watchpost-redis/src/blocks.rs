//! Blocks that the sensors enforce: a key with a TTL for an address, the same and a sorted set for a range.

use chrono::DateTime;
use chrono::Utc;
use redis::Value;
use serde::Deserialize;
use serde::Serialize;
use watchpost_model::block::Block;
use watchpost_model::block::BlockTarget;
use watchpost_model::ids::BlockId;
use watchpost_model::ids::IncidentId;
use watchpost_model::text::visible;

use crate::error::RedisError;
use crate::link::Call;
use crate::reply;
use crate::scripts;
use crate::store::EventStore;

const SCAN_COUNT: usize = 500;

/// The JSON that a sensor finds under a block's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct BlockValue {
    id: BlockId,
    reason: String,
    by: String,
    until: DateTime<Utc>,
    incident: Option<IncidentId>,
}

/// A block as it stands in Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBlock {
    /// What is blocked.
    pub target: BlockTarget,
    /// Its id; `None` if something else than Watchpost wrote it.
    pub id: Option<BlockId>,
    /// Why; of a foreign block the raw value, made visible.
    pub reason: String,
    /// Who.
    pub by: String,
    /// Until when, as written; the TTL is what counts.
    pub until: Option<DateTime<Utc>>,
    /// The incident that it contains.
    pub incident: Option<IncidentId>,
    /// Milliseconds left; `None` if it never ends.
    pub ttl_ms: Option<u64>,
}

/// What putting a block did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlockWritten {
    /// It is in force.
    Written {
        /// Milliseconds that it lasts.
        ttl_ms: u64,
        /// The shorter block of the same target that it replaced.
        replaced: Option<BlockId>,
    },
    /// Another block of the same target lasts at least as long and was kept.
    KeptLonger {
        /// That block; `None` if something else than Watchpost wrote it.
        existing: Option<BlockId>,
        /// Milliseconds that it has left; `None` if it never ends.
        ttl_ms: Option<u64>,
    },
    /// Its time was over before it was written.
    AlreadyOver,
}

/// What taking a block back did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockRemoved {
    /// It was in force and is not any more.
    Removed,
    /// It was not there: expired or removed before.
    Gone,
    /// Another block of the same target is there and was left.
    Replaced {
        /// That block; `None` if something else than Watchpost wrote it.
        by: Option<BlockId>,
    },
}

impl EventStore {
    /// Puts a block in force until its `expires_at`. Never shortens another block. Writing the same block again is
    /// harmless, so it may be repeated after any error.
    ///
    /// # Errors
    /// Every cause of [`RedisError`].
    pub async fn put_block(&self, block: &Block) -> Result<BlockWritten, RedisError> {
        let now = self.now();
        let ttl_ms = (block.expires_at - now).num_milliseconds();
        if ttl_ms <= 0 {
            return Ok(BlockWritten::AlreadyOver);
        }
        let value = BlockValue {
            id: block.id,
            reason: block.reason.clone(),
            by: block.created_by.clone(),
            until: block.expires_at,
            incident: block.incident,
        };
        let json = serde_json::to_vec(&value).map_err(|_| RedisError::Answer { command: "SET block" })?;
        let keys = &self.inner.keys;
        let until_s = (block.expires_at.timestamp_millis() + 999) / 1000;
        let call = Call::new(&[&keys.block(block.target), &keys.blocked_cidrs()])
            .arg(json)
            .arg(ttl_ms.to_string())
            .arg(block.id.to_string())
            .arg(range_of(block.target))
            .arg(until_s.to_string())
            .arg(now.timestamp().to_string());
        let mut parts = reply::list(self.inner.main.eval(&scripts::BLOCK, call).await?).into_iter();
        let outcome = parts.next().and_then(reply::text);
        let ttl_ms = parts.next().and_then(|value| reply::count(&value));
        let other = parts.next().and_then(reply::bytes).and_then(|json| id_of(&json));
        match outcome.as_deref() {
            Some("written") => Ok(BlockWritten::Written { ttl_ms: ttl_ms.unwrap_or(0), replaced: other }),
            Some("kept") => Ok(BlockWritten::KeptLonger { existing: other, ttl_ms }),
            _ => Err(RedisError::Answer { command: "EVALSHA block" }),
        }
    }

    /// Takes a block back, if it is still this one that is in force.
    ///
    /// # Errors
    /// Every cause of [`RedisError`].
    pub async fn remove_block(&self, block: &Block) -> Result<BlockRemoved, RedisError> {
        let keys = &self.inner.keys;
        let call = Call::new(&[&keys.block(block.target), &keys.blocked_cidrs()])
            .arg(block.id.to_string())
            .arg(range_of(block.target));
        let mut parts = reply::list(self.inner.main.eval(&scripts::UNBLOCK, call).await?).into_iter();
        match parts.next().and_then(reply::text).as_deref() {
            Some("removed") => Ok(BlockRemoved::Removed),
            Some("gone") => Ok(BlockRemoved::Gone),
            Some("replaced") => {
                let by = parts.next().and_then(reply::bytes).and_then(|json| id_of(&json));
                Ok(BlockRemoved::Replaced { by })
            }
            _ => Err(RedisError::Answer { command: "EVALSHA unblock" }),
        }
    }

    /// The key under which a sensor looks for a block.
    #[must_use]
    pub fn block_key(&self, target: BlockTarget) -> String {
        self.inner.keys.block(target)
    }

    /// Milliseconds that the block of `target` has left; `None` if there is none. One that never ends has `u64::MAX`.
    ///
    /// # Errors
    /// Every cause of [`RedisError`].
    pub async fn block_ttl_ms(&self, target: BlockTarget) -> Result<Option<u64>, RedisError> {
        let mut cmd = redis::cmd("PTTL");
        cmd.arg(self.inner.keys.block(target));
        Ok(match self.inner.main.query::<i64>(&cmd).await? {
            -2 => None,
            -1 => Some(u64::MAX),
            ms => u64::try_from(ms).ok(),
        })
    }

    /// All blocks in force, by whomever written, ordered by target. Walks the keys by `SCAN`.
    ///
    /// # Errors
    /// Every cause of [`RedisError`].
    pub async fn list_blocks(&self) -> Result<Vec<StoredBlock>, RedisError> {
        let inner = &self.inner;
        let mut blocks = std::collections::BTreeMap::new();
        let mut cursor = 0u64;
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor.to_string())
                .arg("MATCH")
                .arg(inner.keys.pattern("blocked:"))
                .arg("COUNT")
                .arg(SCAN_COUNT);
            let reply: Value = inner.jobs.query(&scan).await?;
            let (next, names) = reply::scan(reply).ok_or(RedisError::Answer { command: "SCAN" })?;
            let mut targets = Vec::new();
            let mut pipe = redis::pipe();
            for name in &names {
                if let Some(target) =
                    std::str::from_utf8(name).ok().and_then(|key| inner.keys.block_target(key))
                {
                    pipe.cmd("GETRANGE").arg(name).arg(0).arg(16_383);
                    pipe.cmd("PTTL").arg(name);
                    targets.push(target);
                }
            }
            let mut results = inner.jobs.pipe(pipe).await?.into_iter();
            for target in targets {
                let (value, ttl) = (results.next(), results.next());
                let Some(Ok(value)) = value else { continue }; // Another type: not a block of the contract.
                let ttl = ttl.and_then(Result::ok).and_then(|ttl| reply::int(&ttl)).unwrap_or(-2);
                if ttl != -2 {
                    blocks.insert(target, stored(target, reply::bytes(value).unwrap_or_default(), ttl));
                }
            }
            cursor = next;
            if cursor == 0 {
                return Ok(blocks.into_values().collect());
            }
        }
    }
}

fn stored(target: BlockTarget, value: Vec<u8>, ttl: i64) -> StoredBlock {
    let ttl_ms = u64::try_from(ttl).ok();
    match serde_json::from_slice::<BlockValue>(&value) {
        Ok(block) => StoredBlock {
            target,
            id: Some(block.id),
            reason: block.reason,
            by: block.by,
            until: Some(block.until),
            incident: block.incident,
            ttl_ms,
        },
        Err(_) => StoredBlock {
            target,
            id: None,
            reason: visible(&String::from_utf8_lossy(&value), 200),
            by: String::new(),
            until: None,
            incident: None,
            ttl_ms,
        },
    }
}

fn range_of(target: BlockTarget) -> String {
    if target.is_single() { String::new() } else { target.to_string() }
}

fn id_of(json: &[u8]) -> Option<BlockId> {
    serde_json::from_slice::<BlockValue>(json).ok().map(|value| value.id)
}
