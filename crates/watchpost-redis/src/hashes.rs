//! The hashes behind entries of the stream: those that are as events are by plain commands, the others by a script.
//!
//! A script costs the server three times as much as the commands that it runs; so it is left to what has to be looked at
//! and changed at once: hashes without the mark of the stream, large ones, and what is no hash of an event.

use std::borrow::Cow;
use std::collections::VecDeque;

use redis::RedisResult;
use redis::Value;

use crate::error::RedisError;
use crate::keys::KeyKind;
use crate::link::Call;
use crate::link::PIPELINE_BYTES;
use crate::queue::Entry;
use crate::reply;
use crate::scripts;
use crate::store::EventStore;

/// Hashes asked about in one pipeline.
const ASKED: usize = 256;
/// An event has so many fields at most, as [`scripts::READ`] has it. With so many samples the answer about the memory is
/// exact for each of them, and costs no more for others.
const FIELDS_MAX: u64 = 64;
/// A hash that takes more memory is left to the script.
const USUAL_BYTES: u64 = 256 << 10;
/// Hashes read by one script, about 0.2 ms of the server's time, and scripts in a pipeline. A script stops before more than
/// 256 KiB, so a pipeline answers with 2 MiB at most.
const READ_KEYS: usize = 32;
const READ_CALLS: usize = 8;

/// A hash as it was read.
#[derive(Debug, Clone)]
pub(crate) struct Hash {
    /// `ok`, or why it is not read, as [`scripts::READ`] says it; `foreign` for a key that is not one of an event.
    pub(crate) state: Cow<'static, str>,
    /// Its fields; packed, where a script read them.
    pub(crate) fields: Value,
    /// Bytes of text in them.
    pub(crate) bytes: usize,
}

impl Hash {
    fn of(state: impl Into<Cow<'static, str>>, fields: Value) -> Self {
        let bytes = size(&fields);
        Self { state: state.into(), fields, bytes }
    }
}

/// What was read of some entries, by their places, and its bytes.
struct Hashes<'a> {
    entries: &'a [Entry],
    read: Vec<Option<Hash>>,
    bytes: usize,
    bytes_max: usize,
}

impl Hashes<'_> {
    fn key(&self, index: usize) -> &str {
        self.entries.get(index).and_then(|entry| entry.1.as_deref()).unwrap_or_default()
    }

    fn put(&mut self, index: usize, hash: Hash) {
        self.bytes += hash.bytes;
        if let Some(place) = self.read.get_mut(index) {
            *place = Some(hash);
        }
    }

    const fn is_full(&self) -> bool {
        self.bytes >= self.bytes_max
    }
}

impl EventStore {
    /// The hashes of `entries` in their order; `None` for those that were not read because others had `bytes_max` bytes.
    pub(crate) async fn read_hashes(
        &self,
        entries: &[Entry],
        bytes_max: usize,
    ) -> Result<Vec<Option<Hash>>, RedisError> {
        let mut hashes = Hashes { entries, read: vec![None; entries.len()], bytes: 0, bytes_max };
        let mut named = Vec::with_capacity(entries.len());
        for (index, (_, key)) in entries.iter().enumerate() {
            let state = match key.as_deref().map(|key| self.inner.keys.classify(key)) {
                Some(KeyKind::Event(_)) => {
                    named.push(index);
                    continue;
                }
                // It is not ours to look at, and a cluster may keep it elsewhere: then the others are not read either.
                Some(_) => "foreign",
                // Nothing is behind it.
                None => "gone",
            };
            hashes.put(index, Hash::of(state, Value::Nil));
        }
        let mut others = VecDeque::new();
        for asked in named.chunks(ASKED) {
            if hashes.is_full() {
                break;
            }
            self.read_usual(asked, &mut hashes, &mut others).await?;
        }
        self.read_others(others, &mut hashes).await?;
        Ok(hashes.read)
    }

    /// Reads those of `asked` that are as events are, and names the others. A hash that changes after it was asked about is
    /// read as it is then, or one of the others.
    async fn read_usual(
        &self,
        asked: &[usize],
        hashes: &mut Hashes<'_>,
        others: &mut VecDeque<usize>,
    ) -> Result<(), RedisError> {
        let mut about = redis::pipe();
        for index in asked {
            let key = hashes.key(*index);
            about.cmd("HLEN").arg(key);
            about.cmd("MEMORY").arg("USAGE").arg(key).arg("SAMPLES").arg(FIELDS_MAX);
        }
        let answers = self.inner.main.pipe(about).await?;
        let mut usual: Vec<(usize, u64)> = Vec::with_capacity(asked.len());
        for (index, answer) in asked.iter().zip(answers.chunks_exact(2)) {
            match usual_bytes(answer) {
                Some(bytes) => usual.push((*index, bytes)),
                None => others.push_back(*index),
            }
        }
        let mut rest = usual.as_slice();
        while !rest.is_empty() && !hashes.is_full() {
            let mut bytes = 0;
            let fits = rest.iter().take_while(|(_, memory)| {
                bytes += memory;
                bytes <= PIPELINE_BYTES as u64
            });
            let (now, later) = rest.split_at(fits.count().max(1));
            rest = later;
            let mut get = redis::pipe();
            for (index, _) in now {
                get.cmd("HGETALL").arg(hashes.key(*index));
            }
            let answers = self.inner.main.pipe(get).await?;
            for ((index, _), answer) in now.iter().zip(answers) {
                match answer {
                    Ok(fields) if is_usual(&fields) => hashes.put(*index, Hash::of("ok", fields)),
                    _ => others.push_back(*index),
                }
            }
        }
        Ok(())
    }

    /// Reads by the script, which stops before too many bytes.
    async fn read_others(
        &self,
        mut open: VecDeque<usize>,
        hashes: &mut Hashes<'_>,
    ) -> Result<(), RedisError> {
        while !open.is_empty() && !hashes.is_full() {
            let asked: Vec<usize> = open.drain(..open.len().min(READ_KEYS * READ_CALLS)).collect();
            let parts: Vec<&[usize]> = asked.chunks(READ_KEYS).collect();
            let calls = parts.iter().map(|part| {
                let asked = part.iter().filter_map(|index| hashes.entries.get(*index));
                let (ids, keys): (Vec<&str>, Vec<&str>) =
                    asked.map(|(id, key)| (id.as_str(), key.as_deref().unwrap_or_default())).unzip();
                // Whoever only looks marks nothing.
                let ids = ids.into_iter().map(|id| if self.observes() { "" } else { id });
                ids.fold(Call::new(&keys), Call::arg)
            });
            let results = self.inner.main.eval_many(&scripts::READ, calls.collect()).await?;
            let mut left = Vec::new();
            for (part, result) in parts.into_iter().zip(results) {
                let read = reply::list(result?);
                if read.is_empty() {
                    return Err(RedisError::Answer { command: "EVALSHA read" });
                }
                left.extend_from_slice(part.get(read.len()..).unwrap_or_default());
                for (index, value) in part.iter().zip(read) {
                    let mut hash = told(value)?;
                    if hash.state == "plain" {
                        hash = self.read_plain(hashes.key(*index)).await?;
                    }
                    hashes.put(*index, hash);
                }
            }
            for index in left.into_iter().rev() {
                open.push_front(index);
            }
        }
        Ok(())
    }

    /// A large hash, which the script has marked.
    async fn read_plain(&self, key: &str) -> Result<Hash, RedisError> {
        let mut cmd = redis::cmd("HGETALL");
        cmd.arg(key);
        match self.inner.main.query::<Value>(&cmd).await {
            Ok(Value::Array(fields)) if fields.is_empty() => Ok(Hash::of("gone", Value::Nil)),
            Ok(fields) => Ok(Hash::of("ok", fields)),
            Err(RedisError::WrongType(_)) => Ok(Hash::of("type:value of another type", Value::Nil)),
            Err(error) => Err(error),
        }
    }
}

/// What the script says of one hash.
fn told(value: Value) -> Result<Hash, RedisError> {
    let mut parts = reply::list(value).into_iter();
    let state = parts.next().and_then(reply::text).ok_or(RedisError::Answer { command: "EVALSHA read" })?;
    Ok(Hash::of(state, parts.next().unwrap_or_default()))
}

/// The memory of a hash that is as events are, of the answers about its fields and its memory.
fn usual_bytes(answers: &[RedisResult<Value>]) -> Option<u64> {
    let [Ok(fields), Ok(memory)] = answers else { return None };
    let memory = reply::count(memory)?;
    let is_usual = reply::count(fields).is_some_and(|n| (1..=FIELDS_MAX).contains(&n));
    (is_usual && memory <= USUAL_BYTES).then_some(memory)
}

/// Has the hash the mark of the stream, and is it still as it was when it was asked about?
fn is_usual(fields: &Value) -> bool {
    let Value::Array(items) = fields else { return false };
    let is_mark = |name: &Value| matches!(name, Value::BulkString(name) if name == b"_q");
    size(fields) as u64 <= USUAL_BYTES && items.iter().step_by(2).any(is_mark)
}

/// Bytes of text in an answer.
fn size(value: &Value) -> usize {
    match value {
        Value::BulkString(text) => text.len(),
        Value::Array(parts) => parts.iter().map(size).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use redis::Value;

    use super::is_usual;
    use super::usual_bytes;

    fn texts(words: &[&str]) -> Value {
        Value::Array(words.iter().map(|word| Value::BulkString(word.as_bytes().to_vec())).collect())
    }

    #[test]
    fn what_is_not_as_events_are_is_left_to_the_script() {
        let of = |fields: i64, memory: Value| usual_bytes(&[Ok(Value::Int(fields)), Ok(memory)]);
        assert_eq!(of(1, Value::Int(90)), Some(90));
        assert_eq!(of(64, Value::Int(256 << 10)), Some(256 << 10));
        for (fields, memory) in [(0, Value::Nil), (65, Value::Int(90)), (9, Value::Int((256 << 10) + 1))] {
            assert_eq!(of(fields, memory), None);
        }
        assert_eq!(of(9, Value::Nil), None, "gone since");
        assert!(is_usual(&texts(&["type", "request", "_q", "1-1"])));
        let long = "x".repeat(300 << 10);
        let others: [&[&str]; 4] =
            [&[], &["type", "request"], &["type", "_q"], &["_q", "1-1", "type", long.as_str()]];
        for other in others {
            assert!(!is_usual(&texts(other)), "{other:?}");
        }
        assert!(!is_usual(&Value::Nil));
    }
}
