//! The way back from [`crate::optimize`]: payloads as they were before they were compressed, and the encoding for large
//! hashes where the server's limits ask for it by now.
//!
//! What is not undone: an expiry that was given, for nothing tells it from one that an application gave, and an entry of an
//! index whose event is gone, for it names nothing.

use redis::Value;
use watchpost_model::job::Figure;
use watchpost_model::plain::grouped;

use crate::codec;
use crate::encoding;
use crate::error::RedisError;
use crate::large;
use crate::link::Call;
use crate::optimize::Direction;
use crate::optimize::Mode;
use crate::optimize::flags;
use crate::released;
use crate::released::Memory;
use crate::reply;
use crate::scripts;
use crate::store::EventStore;
use crate::walk::Walk;

/// Payloads at once: each has up to a mebibyte when it is decompressed.
const PAYLOADS_AT_ONCE: usize = 16;
/// Hashes of one call, and calls of a round trip.
const COMPACT_AT_ONCE: usize = 16;
const CALLS: usize = 8;
/// Of `maxmemory` so many hundredths stay free: a full server refuses its applications, or evicts.
const FREE_PERCENT: u64 = 20;
/// Bytes after which the server's memory is looked at again.
const LOOK_AFTER_BYTES: u64 = 4 << 20;

/// What was done so far on the way back.
pub(crate) struct Revert {
    mode: Mode,
    /// The longest field of a compact hash; `None` without the right to ask.
    limit: Option<i64>,
    written: u64,
    bytes_before: u64,
    bytes_after: u64,
    widened: u64,
    changed_meanwhile: u64,
    unreadable: u64,
    /// Bytes written since the server's memory was looked at; `None` before the first look.
    unlooked: Option<u64>,
}

/// A key, its payload as it is, and that decompressed.
struct Unpacked {
    key: String,
    packed: Vec<u8>,
    plain: Vec<u8>,
}

impl Revert {
    pub(crate) async fn start(store: &EventStore, mode: Mode) -> Result<Self, RedisError> {
        let limits = encoding::limits(store).await?;
        Ok(Self {
            mode,
            limit: limits.map(|limits| limits.value_bytes),
            written: 0,
            bytes_before: 0,
            bytes_after: 0,
            widened: 0,
            changed_meanwhile: 0,
            unreadable: 0,
            unlooked: None,
        })
    }

    /// Does what the events of a page need: those with an encoded payload, and other ones in the compact encoding.
    pub(crate) async fn apply(
        &mut self,
        store: &EventStore,
        packed: &[String],
        compact: &[String],
        walk: &mut Walk,
    ) -> Result<(), RedisError> {
        for chunk in packed.chunks(PAYLOADS_AT_ONCE) {
            walk.pace().await?;
            self.unpack(store, chunk, walk).await?;
        }
        let Some(limit) = self.limit else { return Ok(()) };
        let mut open: Vec<&str> = compact.iter().rev().map(String::as_str).collect();
        while !open.is_empty() {
            walk.pace().await?;
            let mut asked = open.split_off(open.len().saturating_sub(COMPACT_AT_ONCE * CALLS));
            asked.reverse();
            open.extend(walk.write(self.widen(store, &asked, limit)).await?);
        }
        Ok(())
    }

    async fn unpack(
        &mut self,
        store: &EventStore,
        keys: &[String],
        walk: &mut Walk,
    ) -> Result<(), RedisError> {
        let calls = keys.iter().map(|key| Call::new(&[key])).collect();
        let mut packed = Vec::new();
        let payloads = walk.read(store.inner.jobs.eval_many(&scripts::PACKED, calls)).await?;
        for (key, answer) in keys.iter().zip(payloads) {
            if let Some(payload) = reply::list(answer?).pop().and_then(reply::bytes) {
                packed.push((key.clone(), payload));
            }
        }
        let read = packed.len();
        let unpacked = tokio::task::spawn_blocking(move || {
            let unpacked = packed.into_iter().filter_map(|(key, packed)| {
                let plain = codec::decompress(&packed).ok()?;
                Some(Unpacked { key, packed, plain })
            });
            unpacked.collect::<Vec<_>>()
        });
        let unpacked = unpacked.await.unwrap_or_default(); // It does not panic; if it did, nothing is lost.
        self.unreadable += read.saturating_sub(unpacked.len()) as u64;
        let written = match self.mode {
            Mode::Preview => vec![true; unpacked.len()],
            Mode::Run => {
                walk.read(self.look_for_room(store, &unpacked)).await?;
                walk.write(write(store, &unpacked)).await?
            }
        };
        for (one, written) in unpacked.iter().zip(written) {
            if written {
                self.written += 1;
                self.bytes_before += (one.packed.len() + codec::ENCODING_BYTES) as u64;
                self.bytes_after += one.plain.len() as u64;
            } else {
                self.changed_meanwhile += 1;
            }
        }
        Ok(())
    }

    /// Fails where a fifth of `maxmemory` would not stay free.
    async fn look_for_room(&mut self, store: &EventStore, next: &[Unpacked]) -> Result<(), RedisError> {
        let bytes: u64 = next.iter().map(|one| one.plain.len() as u64).sum();
        if let Some(unlooked) = self.unlooked.map(|before| before + bytes)
            && unlooked < LOOK_AFTER_BYTES
        {
            self.unlooked = Some(unlooked);
            return Ok(());
        }
        let memory = released::memory(store).await?;
        if most(memory).is_some_and(|most| memory.used + bytes > most) {
            return Err(no_room(memory));
        }
        self.unlooked = Some(bytes);
        Ok(())
    }

    /// Why a run would stop that does what this preview has found; nothing if it would not.
    pub(crate) fn lacks_room(&self, memory: Memory) -> Option<String> {
        let most = most(memory)?;
        let grows = self.bytes_after.saturating_sub(self.bytes_before);
        if self.written == 0 || memory.used + grows <= most {
            return None;
        }
        let when = if memory.used >= most { "at once" } else { "before its end" };
        Some(format!("a run would stop {when}: {}", no_room(memory)))
    }

    /// Writes the long field of compact events once more, so that the server keeps them as large ones. What is left to ask
    /// for comes back.
    async fn widen<'a>(
        &mut self,
        store: &EventStore,
        keys: &[&'a str],
        limit: i64,
    ) -> Result<Vec<&'a str>, RedisError> {
        let write = if self.mode == Mode::Run { "1" } else { "0" };
        let call = |keys: &[&str]| Call::new(keys).arg(limit.to_string()).arg(write);
        let calls = keys.chunks(COMPACT_AT_ONCE).map(call).collect();
        let mut open = Vec::new();
        let answers = store.inner.jobs.eval_many(&scripts::WIDEN, calls).await?;
        for (keys, answer) in keys.chunks(COMPACT_AT_ONCE).zip(answers) {
            let looked = reply::list(answer?);
            if looked.is_empty() {
                return Err(RedisError::Answer { command: "EVALSHA widen" });
            }
            self.widened += looked.iter().filter(|one| reply::int(one) == Some(1)).count() as u64;
            // A call that had looked at enough has left the rest of its keys.
            open.extend(keys.iter().skip(looked.len()).copied());
        }
        Ok(open)
    }

    /// Events that something was or would be done to: one that is written back is not made wide besides.
    pub(crate) const fn touched(&self) -> u64 {
        self.written + self.widened
    }

    /// What was done so far.
    pub(crate) fn done(&self) -> Vec<Figure> {
        vec![
            Figure::count("written_back", "Payloads written back", self.written),
            Figure::count("widened", "Events back in the encoding for large hashes", self.widened),
        ]
    }

    /// Figures and words for the report.
    pub(crate) fn report(&self, figures: &mut Vec<Figure>, notes: &mut Vec<String>) {
        let mut done = self.done().into_iter();
        figures.extend(done.next());
        figures.push(Figure::bytes("payload_before_bytes", "Their size before", self.bytes_before));
        figures.push(Figure::bytes("payload_after_bytes", "Their size after", self.bytes_after));
        figures.extend(done);
        if self.changed_meanwhile > 0 {
            notes.push(format!("{} events changed meanwhile and were left", grouped(self.changed_meanwhile)));
        }
        if self.unreadable > 0 {
            notes.push(format!("{} payloads cannot be decompressed and were left", grouped(self.unreadable)));
        }
        if self.limit.is_none() {
            notes.push(
                "encodings were not looked at: the user may not ask for the server's limits".to_owned(),
            );
        }
        notes.push(
            "expiries that were given and index entries that were removed stay as they are; the next optimisation \
             compresses the payloads again"
                .to_owned(),
        );
    }
}

/// As much may be in use that a fifth stays free; `None` without a limit.
fn most(memory: Memory) -> Option<u64> {
    (memory.limit > 0).then_some(memory.limit / 100 * (100 - FREE_PERCENT))
}

fn no_room(memory: Memory) -> RedisError {
    RedisError::NoRoom { free: "a fifth", used: memory.used, limit: memory.limit }
}

/// Writes payloads in the place of those that they were compressed to; which of them could be.
async fn write(store: &EventStore, unpacked: &[Unpacked]) -> Result<Vec<bool>, RedisError> {
    let is_large = |one: &Unpacked| one.plain.len() as u64 > large::LARGE_BYTES;
    let small = unpacked.iter().filter(|one| !is_large(one));
    let calls = small.map(|one| Call::new(&[&one.key]).arg(&one.packed).arg(&one.plain)).collect();
    let of_small: Vec<Result<Value, RedisError>> =
        store.inner.jobs.eval_many(&scripts::UNPACK, calls).await?;
    let mut of_small = flags(of_small)?.into_iter();
    let mut written = Vec::with_capacity(unpacked.len());
    for one in unpacked {
        written.push(if is_large(one) {
            store.replace_payload(&one.key, &one.packed, &one.plain, Direction::Back).await?
        } else {
            of_small.next().unwrap_or(false)
        });
    }
    Ok(written)
}
