//! What is left over in Redis: entries of indexes without their event, entries of the quarantine without their key.
//!
//! A hash that runs out by its TTL leaves its name in the index of its category; a key that could not be read and is gone
//! leaves its reason in the quarantine. Keys themselves are never removed here.

use std::collections::BTreeSet;

use chrono::DateTime;
use chrono::Utc;
use redis::Value;
use tokio_util::sync::CancellationToken;
use watchpost_model::event::Category;

use crate::error::RedisError;
use crate::optimize::Mode;
use crate::optimize::indexes::trim_indexes;
use crate::reply;
use crate::store::EventStore;
use crate::walk::Walk;

/// Entries of the quarantine looked at in one round trip.
const ENTRIES: usize = 500;

/// What was left over, and is gone or would go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// Entries of indexes without their event.
    pub unindexed: u64,
    /// The categories of these indexes.
    pub indexes: BTreeSet<Category>,
    /// Entries of the quarantine whose key is gone.
    pub quarantined: u64,
    /// Old entries of the quarantine whose key is still there: they stay, for they would come back.
    pub unreadable: u64,
}

impl Leftovers {
    /// Keys that lose entries: of the quarantine those that hold the entries and their reasons. `indexes` are the categories
    /// whose index something else takes entries from.
    #[must_use]
    pub fn keys_with(&self, indexes: &BTreeSet<Category>) -> u64 {
        let of_quarantine = if self.quarantined > 0 { 2 } else { 0 };
        self.indexes.union(indexes).count() as u64 + of_quarantine
    }
}

/// Removes what is left over, or counts it; of the quarantine what was noted before `noted_before`.
///
/// # Errors
/// Every cause of [`RedisError`]; `Cancelled` within 200 ms.
pub async fn leftovers(
    store: &EventStore,
    noted_before: DateTime<Utc>,
    mode: Mode,
    cancel: CancellationToken,
) -> Result<Leftovers, RedisError> {
    let (unindexed, indexes) = trim_indexes(store, mode, cancel.clone()).await?;
    let mut found = Leftovers { unindexed, indexes, ..Leftovers::default() };
    // Only its pace is used.
    let mut walk = Walk::start(store, store.inner.keys.quarantine(), cancel).await?;
    let jobs = &store.inner.jobs;
    let (entries, reasons) = (store.inner.keys.quarantine(), store.inner.keys.quarantine_reasons());
    let mut skip = 0;
    loop {
        walk.pace().await?;
        let mut range = redis::cmd("ZRANGEBYSCORE");
        range.arg(&entries).arg("-inf").arg(format!("({}", noted_before.timestamp_millis()));
        range.arg("LIMIT").arg(skip).arg(ENTRIES);
        let names: Vec<Vec<u8>> = walk.read(jobs.query(&range)).await?;
        if names.is_empty() {
            return Ok(found);
        }
        // What an entry of the stream named outside of the prefix is not looked at: it does not come back either.
        let prefix = store.inner.target.prefix.as_bytes();
        let (ours, foreign): (Vec<&Vec<u8>>, Vec<&Vec<u8>>) =
            names.iter().partition(|name| name.starts_with(prefix));
        let mut pipe = redis::pipe();
        for name in &ours {
            pipe.cmd("EXISTS").arg(*name);
        }
        let exists = walk.read(jobs.pipe(pipe)).await?;
        let is_gone =
            |answer: &redis::RedisResult<Value>| matches!(answer, Ok(value) if reply::int(value) == Some(0));
        let mut gone = foreign;
        let answered = ours.into_iter().zip(&exists);
        gone.extend(answered.filter(|(_, answer)| is_gone(answer)).map(|(name, _)| name));
        let stay = names.len() - gone.len();
        found.quarantined += gone.len() as u64;
        found.unreadable += stay as u64;
        if mode == Mode::Run && !gone.is_empty() {
            let mut pipe = redis::pipe();
            pipe.cmd("ZREM").arg(&entries).arg(&gone);
            pipe.cmd("HDEL").arg(&reasons).arg(&gone);
            for answer in walk.write(jobs.pipe(pipe)).await? {
                answer.map_err(|error| store.classify(error))?;
            }
            skip += stay; // Those before are still in front.
        } else {
            skip += names.len();
        }
    }
}
