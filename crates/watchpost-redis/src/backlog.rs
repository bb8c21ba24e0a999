//! What waits on the stream, and what a crash left there.

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use redis::Value;

use crate::error::RedisError;
use crate::keys::GROUP;
use crate::queue::parse_entry;
use crate::reply;
use crate::store::EventStore;

/// Entries of the stream that are looked at in one request where they must be counted, and at most for one count.
const LAG_PAGE: usize = 1_000;
const LAG_MAX: u64 = 10_000;

/// What waits to be processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// Entries not delivered to any consumer.
    pub lag: u64,
    /// Entries delivered and not acknowledged.
    pub pending: u64,
    /// Bare hashes not on the stream, as of the last complete pass of [`EventStore::adopt_bare`] in this process; `None`
    /// before there was one.
    pub unadopted: Option<u64>,
}

impl Backlog {
    /// All that waits.
    #[must_use]
    pub fn total(self) -> u64 {
        self.lag + self.pending + self.unadopted.unwrap_or(0)
    }
}

impl EventStore {
    /// What waits to be processed.
    ///
    /// # Errors
    /// Every cause of [`RedisError`].
    pub async fn backlog(&self) -> Result<Backlog, RedisError> {
        let stream = self.inner.keys.stream();
        let mut pipe = redis::pipe();
        pipe.cmd("XLEN").arg(&stream);
        pipe.cmd("XINFO").arg("GROUPS").arg(&stream);
        let mut results = self.inner.probe.pipe(pipe).await?.into_iter();
        let length = match results.next() {
            Some(Ok(value)) => reply::count(&value).unwrap_or(0),
            Some(Err(error)) => return Err(self.classify(error)),
            None => return Err(RedisError::Answer { command: "XLEN" }),
        };
        // Without a stream `XINFO` is an error; then nothing waits on it.
        let groups = results.next().and_then(Result::ok).map(reply::list).unwrap_or_default();
        let unadopted = (self.inner.counts.adopt_passes.load(Ordering::Relaxed) > 0).then_some(0);
        let Some(group) = ours(groups) else { return Ok(Backlog { lag: length, pending: 0, unadopted }) };
        let pending = group.pending;
        // The stream also holds what was acknowledged and not deleted: by other groups, or before a crash.
        let most = length.saturating_sub(pending);
        let lag = if most == 0 { 0 } else { self.lag(&group, most).await? };
        Ok(Backlog { lag, pending, unadopted })
    }

    /// Entries that our group was not given, if that may be up to `most`. Servers before 7.0 do not say, and others not
    /// after some deletions: those are counted, and if they are very many `most` is close enough.
    async fn lag(&self, group: &Group, most: u64) -> Result<u64, RedisError> {
        let (first, count) = if group.lag.is_some() { (1, 1) } else { (LAG_PAGE, LAG_MAX) };
        let (mut start, mut found) = (after(&group.delivered), 0);
        while found < count {
            let ids = match self.range(&start, "+", first).await {
                Err(RedisError::Server { code, .. }) if code == "NOPERM" => return Ok(most),
                ids => ids?,
            };
            found += ids.len() as u64;
            match ids.last() {
                Some(last) if ids.len() == first => start = after(last),
                _ => break,
            }
        }
        Ok(match group.lag {
            // What the server says is an estimate after deletions; whether anything waits is certain.
            Some(lag) if found > 0 => lag.max(1),
            None if found >= LAG_MAX => found.max(most),
            Some(_) | None => found,
        })
    }

    /// What waits for the engine of this connection: of one that only looks, keys that it found and has not read.
    ///
    /// # Errors
    /// Every cause of [`RedisError`].
    pub async fn waiting(&self) -> Result<u64, RedisError> {
        if self.observes() { Ok(self.observed_waiting()) } else { Ok(self.backlog().await?.total()) }
    }

    /// Deletes entries that were acknowledged and are on the stream all the same, because a crash came between the two;
    /// nothing if other groups read the stream. Returns how many.
    ///
    /// # Errors
    /// Every cause of [`RedisError`].
    pub async fn clear_acknowledged(&self) -> Result<u64, RedisError> {
        if self.observes() {
            return Ok(0);
        }
        let stream = self.inner.keys.stream();
        let mut cmd = redis::cmd("XINFO");
        cmd.arg("GROUPS").arg(&stream);
        let groups = reply::list(self.inner.main.query(&cmd).await?);
        if groups.len() != 1 {
            return Ok(0);
        }
        let Some(group) = ours(groups) else { return Ok(0) };
        let (mut start, mut cleared) = ("-".to_owned(), 0);
        loop {
            // What was delivered by now and is not pending after that was acknowledged.
            let ids = self.range(&start, &group.delivered, LAG_PAGE).await?;
            let (Some(first), Some(last)) = (ids.first(), ids.last()) else { return Ok(cleared) };
            let mut cmd = redis::cmd("XPENDING");
            cmd.arg(&stream).arg(GROUP).arg(first).arg(last).arg(LAG_PAGE);
            let pending: Value = self.inner.main.query(&cmd).await?;
            let pending: HashSet<String> = reply::list(pending)
                .into_iter()
                .filter_map(|entry| parse_entry(entry).map(|(id, _)| id))
                .collect();
            // An answer that is cut off says nothing of what is behind the cut: ids whose entries are gone fill it too.
            let is_whole = pending.len() < LAG_PAGE;
            let over: Vec<&String> = ids.iter().filter(|id| is_whole && !pending.contains(*id)).collect();
            if !over.is_empty() {
                let mut delete = redis::cmd("XDEL");
                delete.arg(&stream).arg(&over);
                cleared += self.inner.main.query::<u64>(&delete).await?;
            }
            if ids.len() < LAG_PAGE {
                return Ok(cleared);
            }
            start = after(last);
        }
    }

    /// Ids of entries of the stream from `start` to `end`, both included, at most `count`.
    async fn range(&self, start: &str, end: &str, count: usize) -> Result<Vec<String>, RedisError> {
        let mut cmd = redis::cmd("XRANGE");
        cmd.arg(self.inner.keys.stream()).arg(start).arg(end).arg("COUNT").arg(count);
        let entries: Value = self.inner.main.query(&cmd).await?;
        Ok(reply::list(entries)
            .into_iter()
            .filter_map(|entry| parse_entry(entry).map(|(id, _)| id))
            .collect())
    }
}

/// What the server tells of our group.
struct Group {
    pending: u64,
    /// Entries not delivered, if the server knows.
    lag: Option<u64>,
    /// The id of the last entry that was delivered.
    delivered: String,
}

fn ours(groups: Vec<Value>) -> Option<Group> {
    let of = |group: &[Value], name| reply::field(group, name).and_then(|value| reply::count(&value));
    groups
        .into_iter()
        .map(reply::list)
        .find(|group| reply::field(group, "name").and_then(reply::text).as_deref() == Some(GROUP))
        .map(|group| Group {
            pending: of(&group, "pending").unwrap_or(0),
            lag: of(&group, "lag"),
            delivered: reply::field(&group, "last-delivered-id")
                .and_then(reply::text)
                .unwrap_or_else(|| "0-0".to_owned()),
        })
}

/// The smallest id after `id`.
fn after(id: &str) -> String {
    let (ms, n) = id.split_once('-').unwrap_or((id, "0"));
    match n.parse::<u64>().map_or(Some(1), |n| n.checked_add(1)) {
        Some(next) => format!("{ms}-{next}"),
        None => format!("{}-0", ms.parse::<u64>().unwrap_or(u64::MAX).saturating_add(1)),
    }
}
