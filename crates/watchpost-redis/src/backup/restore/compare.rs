//! Comparing a server with a backup.

use redis::Value;

use super::REASONS;
use super::Restorer;
use super::command;
use crate::backup::digest::ValueDigest;
use crate::backup::record::Body;
use crate::backup::record::Record;
use crate::error::RedisError;
use crate::keys::key_text;
use crate::link::PIPELINE_COMMANDS;
use crate::reply;

impl Restorer {
    /// Compares the server with records: value and expiry.
    ///
    /// # Errors
    /// Every cause of [`RedisError`].
    pub async fn check(&mut self, records: Vec<Record>) -> Result<(), RedisError> {
        let complete: Vec<Record> = records.into_iter().filter(|record| record.digest().is_some()).collect();
        for chunk in complete.chunks(PIPELINE_COMMANDS) {
            self.walk.pace().await?;
            let questions = chunk.iter().flat_map(|record| {
                // The value of a large key is read by windows.
                let dump = if matches!(record.body, Body::Dump { .. }) { "DUMP" } else { "EXISTS" };
                [command(dump, &[&record.key]), command("PTTL", &[&record.key])]
            });
            let mut answers = self.ask(questions.collect()).await?.into_iter();
            let now_ms = self.walk.read(self.store.server_now()).await?.timestamp_millis();
            for record in chunk {
                let (value, ttl) = (answers.next(), answers.next());
                let value = value.and_then(Result::ok).unwrap_or(Value::Nil);
                let ttl = ttl.and_then(Result::ok).as_ref().and_then(reply::int).unwrap_or(-2);
                self.compare(record, value, ttl, now_ms).await?;
            }
        }
        Ok(())
    }

    async fn compare(
        &mut self,
        record: &Record,
        value: Value,
        ttl: i64,
        now_ms: i64,
    ) -> Result<(), RedisError> {
        if ttl == -2 {
            if record.expires_at_ms.is_some_and(|at| at <= now_ms) {
                self.checked.expired += 1;
            } else {
                self.wrong(&record.key, "it is missing");
            }
            return Ok(());
        }
        let found = match &record.body {
            Body::Dump { .. } => ValueDigest::of_dump(&reply::bytes(value).unwrap_or_default()),
            Body::Part { kind, .. } => match self.read(&record.key, *kind).await? {
                Some(digest) => digest,
                None => {
                    self.wrong(&record.key, "it is of another type");
                    return Ok(());
                }
            },
        };
        let on_time = match record.expires_at_ms {
            None => ttl == -1,
            Some(at) => ttl >= 0 && (now_ms + ttl - at).abs() <= 1_000,
        };
        match record.compared() {
            Some(expect) if expect == found && on_time => self.checked.equal += 1,
            Some(expect) if expect == found => self.wrong(&record.key, "it expires at another time"),
            Some(expect) if expect.opaque || found.opaque => self.checked.uncompared += 1,
            _ => self.wrong(&record.key, "its value differs"),
        }
        Ok(())
    }

    fn wrong(&mut self, key: &[u8], reason: &str) {
        self.checked.wrong += 1;
        if self.checked.reasons.len() < REASONS {
            self.checked.reasons.push(format!("{}: {reason}", key_text(key)));
        }
    }
}
