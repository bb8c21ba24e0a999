//! A connection that only looks: nothing that writes is sent, whoever asks.
//!
//! Every command passes a [`crate::link::Link`], and what is not known to be harmless is refused there. Events are read
//! without the consumer group, which would be written to: what the stream names, and every key of an event that a pass
//! over the keys comes by. What was seen before this process started comes again, and the archive sets it aside.

use std::collections::HashSet;
use std::collections::VecDeque;
use std::collections::hash_map::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use redis::Arg;
use redis::Cmd;
use redis::Value;

use crate::error::RedisError;
use crate::keys::KeyKind;
use crate::queue::AdoptCursor;
use crate::queue::Adopted;
use crate::queue::Entry;
use crate::queue::parse_entry;
use crate::reply;
use crate::rights;
use crate::rights::Group;
use crate::scripts;
use crate::store::BLOCK_MS_MAX;
use crate::store::EventStore;

/// Keys that wait to be read; while there are so many no further ones are looked for.
const WAITING_MAX: usize = 5_000;
/// Keys that are remembered; were there more, those before would be read again, and set aside.
const SEEN_MAX: usize = 8_000_000;
/// Names asked of the server in one `SCAN`.
const SCAN_COUNT: usize = 500;
/// What is asked beside the commands of [`rights`].
const HARMLESS: [&str; 6] = ["AUTH", "HELLO", "SELECT", "READONLY", "ROLE", "COMMAND"];
/// Of commands that can do more, what only asks or is about the connection itself.
const PARTS: [(&str, &[&str]); 9] = [
    ("ACL", &["DRYRUN", "WHOAMI"]),
    ("CLIENT", &["SETNAME", "SETINFO", "NO-TOUCH", "LIST", "INFO", "ID"]),
    ("CLUSTER", &["SLOTS", "SHARDS", "NODES", "INFO", "MYID", "KEYSLOT"]),
    ("COMMANDLOG", &["GET", "LEN"]),
    ("LATENCY", &["LATEST", "HISTOGRAM", "HISTORY", "DOCTOR"]),
    ("MEMORY", &["USAGE", "STATS", "DOCTOR"]),
    ("SCRIPT", &["LOAD", "EXISTS"]),
    ("SLOWLOG", &["GET", "LEN"]),
    ("XINFO", &["GROUPS", "STREAM", "CONSUMERS"]),
];

/// May this be sent by a connection that only looks?
pub(crate) fn permit(cmd: &Cmd) -> Result<(), RedisError> {
    let mut words = cmd.args_iter().filter_map(|arg| match arg {
        Arg::Simple(word) => Some(word),
        _ => None,
    });
    let upper = |word: &[u8]| String::from_utf8_lossy(word).to_uppercase();
    let name = words.next().map(upper).unwrap_or_default();
    if name == "CONFIG" {
        // It holds the server's passwords; whoever would like to know a limit goes on as a user who may not ask does.
        return Err(RedisError::NoPermission(
            "a connection that only observes does not ask for CONFIG".to_owned(),
        ));
    }
    let is_reading = if name == "EVALSHA" {
        is_reading_script(words.next().unwrap_or_default(), cmd)
    } else if let Some((_, parts)) = PARTS.iter().find(|(container, _)| *container == name) {
        let part = words.next().map(upper).unwrap_or_default();
        parts.contains(&part.as_str())
    } else {
        HARMLESS.contains(&name.as_str())
            || is_of(&[rights::READ, rights::PREVIEW, rights::HEALTH, rights::EXPORT], &name)
    };
    if is_reading { Ok(()) } else { Err(RedisError::Observing { command: name }) }
}

fn is_of(groups: &[Group], name: &str) -> bool {
    groups.iter().flat_map(|group| group.commands).any(|words| words.first() == Some(&name))
}

/// The scripts that only read; one that can do both says by its last argument what it is to do.
fn is_reading_script(hash: &[u8], cmd: &Cmd) -> bool {
    let reading = [
        &*scripts::READ,
        &*scripts::UNMARKED,
        &*scripts::PEEK,
        &*scripts::TAKE,
        &*scripts::PAYLOAD,
        &*scripts::PACKED,
        &*scripts::MAY,
    ];
    if reading.iter().any(|script| script.hash().as_bytes() == hash) {
        return true;
    }
    let last = cmd.args_iter().last();
    scripts::COMPACT.hash().as_bytes() == hash && !matches!(last, Some(Arg::Simple(b"1")))
}

/// How far an observer has read.
#[derive(Default)]
pub(crate) struct Observed {
    /// The id of the last entry of the stream.
    after: Option<String>,
    /// Keys that a pass found and that are to be read.
    waiting: VecDeque<String>,
    /// Keys that were read, as hashes of their names.
    seen: HashSet<u64>,
}

impl Observed {
    fn is_new(&mut self, key: &str) -> bool {
        if self.seen.len() >= SEEN_MAX {
            self.seen.clear();
        }
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        self.seen.insert(hasher.finish())
    }
}

impl EventStore {
    /// Does this connection only look?
    #[must_use]
    pub fn observes(&self) -> bool {
        self.inner.target.observe
    }

    fn observed(&self) -> MutexGuard<'_, Observed> {
        self.inner.observed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reading begins anew, for what was delivered before may not have been processed.
    pub(crate) fn observe_anew(&self) {
        *self.observed() = Observed::default();
    }

    /// Keys that wait to be read.
    pub(crate) fn observed_waiting(&self) -> u64 {
        self.observed().waiting.len() as u64
    }

    /// The next entries: what a pass over the keys has found, else what is new on the stream.
    pub(crate) async fn observe_new(&self, count: usize, block_ms: u64) -> Result<Vec<Entry>, RedisError> {
        let found: Vec<Entry> = {
            let mut observed = self.observed();
            let n = observed.waiting.len().min(count.max(1));
            observed.waiting.drain(..n).map(|key| (String::new(), Some(key))).collect()
        };
        if !found.is_empty() {
            return Ok(found);
        }
        let after = self.observed().after.clone().unwrap_or_else(|| "0-0".to_owned());
        let mut cmd = redis::cmd("XREAD");
        cmd.arg("COUNT").arg(count.max(1));
        if block_ms > 0 {
            cmd.arg("BLOCK").arg(block_ms.min(BLOCK_MS_MAX));
        }
        cmd.arg("STREAMS").arg(self.inner.keys.stream()).arg(after);
        let streams: Value = self.inner.reader.query(&cmd).await?;
        let streams = reply::list(streams).into_iter();
        let entries = streams.flat_map(|stream| reply::list(reply::list(stream).pop().unwrap_or_default()));
        let entries: Vec<Entry> = entries.filter_map(parse_entry).collect();
        let mut observed = self.observed();
        if let Some((last, _)) = entries.last() {
            observed.after = Some(last.clone());
        }
        let mut is_new = |entry: &Entry| entry.1.as_deref().is_some_and(|key| observed.is_new(key));
        let fresh = entries.into_iter().filter(|entry| is_new(entry)).collect();
        Ok(fresh)
    }

    /// Looks at about `budget` keys for events that were not read; what is no event is told to the log.
    pub(crate) async fn observe_keys(
        &self,
        cursor: &mut AdoptCursor,
        budget: usize,
    ) -> Result<Adopted, RedisError> {
        let (inner, mut found) = (&self.inner, Adopted::default());
        inner.main.ensure().await?;
        cursor.at(inner.main.generation());
        while !found.wrapped
            && found.scanned < budget.max(1) as u64
            && self.observed_waiting() < WAITING_MAX as u64
        {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor.position.to_string()).arg("MATCH").arg(inner.keys.pattern(""));
            scan.arg("COUNT").arg(SCAN_COUNT.min(budget.max(10)));
            let reply: Value = inner.main.query(&scan).await?;
            let (next, names) = reply::scan(reply).ok_or(RedisError::Answer { command: "SCAN" })?;
            found.adopted += self.note_events(&names);
            found.scanned += names.len().max(1) as u64;
            cursor.position = next;
            found.wrapped = next == 0;
        }
        Ok(found)
    }

    /// Puts the events among `names` that were not read behind those that wait; how many.
    pub(crate) fn note_events(&self, names: &[Vec<u8>]) -> u64 {
        let (mut observed, mut found) = (self.observed(), 0);
        for name in names {
            let Ok(key) = std::str::from_utf8(name) else { continue };
            match self.inner.keys.classify(key) {
                KeyKind::Event(_) if observed.is_new(key) => {
                    observed.waiting.push_back(key.to_owned());
                    found += 1;
                }
                KeyKind::Malformed(reason) if observed.is_new(key) => {
                    tracing::warn!(
                        key,
                        reason,
                        "a key cannot be read; this connection only observes and notes it nowhere"
                    );
                }
                KeyKind::Event(_) | KeyKind::Malformed(_) | KeyKind::Own | KeyKind::Foreign => {}
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_writes_is_not_sent() {
        let is_permitted = |words: &[&str]| {
            let mut cmd = Cmd::new();
            cmd.arg(words);
            permit(&cmd).is_ok()
        };
        for group in [rights::READ, rights::PREVIEW, rights::HEALTH, rights::EXPORT] {
            for words in group.commands.iter().filter(|words| words[0] != "EVALSHA") {
                assert!(is_permitted(words), "{words:?}");
            }
        }
        let reading = ["GET", "DUMP", "ZSCAN", "OBJECT"];
        for group in [rights::PROCESS, rights::CONTAIN, rights::MAINTAIN] {
            for words in group.commands.iter().filter(|words| !reading.contains(&words[0])) {
                assert!(words[0] == "ZRANGEBYSCORE" || !is_permitted(words), "{words:?}");
            }
        }
        for words in [
            &["EVALSHA", "abc", "0"][..],
            &["FLUSHALL"],
            &["CONFIG", "SET", "a", "b"],
            &["SLOWLOG", "RESET"],
            &["EXEC"],
        ] {
            assert!(!is_permitted(words), "{words:?}");
        }
        assert!(is_permitted(&["EVALSHA", scripts::READ.hash(), "0"]));
        assert!(is_permitted(&["EVALSHA", scripts::COMPACT.hash(), "0", "0"]));
        assert!(!is_permitted(&["EVALSHA", scripts::COMPACT.hash(), "0", "1"]));
        assert!(!is_permitted(&["EVALSHA", scripts::REMOVE.hash(), "0"]));
    }
}
