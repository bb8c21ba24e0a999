//! Checkpoints of audit logs, kept beside the events: a place outside the audit database.

use std::collections::HashMap;

use crate::error::RedisError;
use crate::store::EventStore;

/// A longer note is none of ours.
const NOTE_BYTES_MAX: u64 = 8 * 1024;
/// More logs than this are not listed.
const LOGS_MAX: u64 = 64;

impl EventStore {
    /// Keeps the newest checkpoint of an audit log, in place of the one before.
    ///
    /// # Errors
    /// Every cause of [`RedisError`].
    pub async fn checkpoint_put(&self, log: &str, note: &str) -> Result<(), RedisError> {
        let mut cmd = redis::cmd("HSET");
        cmd.arg(self.inner.keys.checkpoints()).arg(log).arg(note);
        self.inner.main.query::<i64>(&cmd).await.map(drop)
    }

    /// Forgets the checkpoint of a log.
    ///
    /// # Errors
    /// Every cause of [`RedisError`].
    pub async fn checkpoint_remove(&self, log: &str) -> Result<(), RedisError> {
        let mut cmd = redis::cmd("HDEL");
        cmd.arg(self.inner.keys.checkpoints()).arg(log);
        self.inner.main.query::<i64>(&cmd).await.map(drop)
    }

    /// The checkpoints that are kept here, by log. Empty if there are more than anybody has logs.
    ///
    /// # Errors
    /// Every cause of [`RedisError`].
    pub async fn checkpoints(&self) -> Result<HashMap<String, String>, RedisError> {
        let key = self.inner.keys.checkpoints();
        let logs: u64 = self.inner.main.query(redis::cmd("HLEN").arg(&key)).await?;
        if logs > LOGS_MAX {
            return Ok(HashMap::new());
        }
        let names: Vec<String> = self.inner.main.query(redis::cmd("HKEYS").arg(&key)).await?;
        let mut notes = HashMap::new();
        for name in names {
            let bytes: u64 = self.inner.main.query(redis::cmd("HSTRLEN").arg(&key).arg(&name)).await?;
            if bytes > NOTE_BYTES_MAX {
                continue;
            }
            let note: Option<String> = self.inner.main.query(redis::cmd("HGET").arg(&key).arg(&name)).await?;
            notes.extend(note.map(|note| (name, note)));
        }
        Ok(notes)
    }
}
