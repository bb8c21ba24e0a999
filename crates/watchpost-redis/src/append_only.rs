//! Having the server write its append-only file anew, so that what was removed is in no file of it any more.

use std::time::Duration;

use redis::Value;

use crate::error::RedisError;
use crate::info::Info;
use crate::store::EventStore;

/// Between two looks at whether it is done: a server announces that nowhere.
const POLL: Duration = Duration::from_millis(20);
/// A server that takes longer hangs, or its disk does.
const PATIENCE: Duration = Duration::from_secs(600);

impl EventStore {
    /// Has the server write its append-only file anew, and waits until it is done. False where it keeps none or could not
    /// write it. For the private server; somebody else's is not ours to work so hard.
    ///
    /// # Errors
    /// Every cause of [`RedisError`].
    pub async fn rewrite_append_only(&self) -> Result<bool, RedisError> {
        tokio::time::timeout(PATIENCE, self.rewritten()).await.unwrap_or(Ok(false))
    }

    async fn rewritten(&self) -> Result<bool, RedisError> {
        loop {
            // One that is under way may have begun before the removal.
            let before = self.no_rewrite_under_way().await?;
            if before.count("aof_enabled") != Some(1) {
                return Ok(false);
            }
            match self.inner.probe.query::<Value>(&redis::cmd("BGREWRITEAOF")).await {
                Ok(_) => break,
                // The server began one by itself meanwhile.
                Err(RedisError::Server { detail, .. }) if detail.contains("already in progress") => {}
                Err(error) => return Err(error),
            }
        }
        let after = self.no_rewrite_under_way().await?;
        Ok(after.text("aof_last_bgrewrite_status") == Some("ok"))
    }

    /// Waits until no rewrite is under way or about to begin.
    async fn no_rewrite_under_way(&self) -> Result<Info, RedisError> {
        let mut cmd = redis::cmd("INFO");
        cmd.arg("persistence");
        let mut timer = tokio::time::interval(POLL);
        loop {
            timer.tick().await;
            let info = Info::parse(&self.inner.probe.query::<String>(&cmd).await?);
            let is_idle = |name: &str| info.count(name).unwrap_or(0) == 0;
            if is_idle("aof_rewrite_in_progress") && is_idle("aof_rewrite_scheduled") {
                return Ok(info);
            }
        }
    }
}
