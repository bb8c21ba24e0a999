//! The processing queue: a stream read by a consumer group, and the adoption of bare hashes.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use redis::Value;
use watchpost_model::event::Event;

use crate::codec;
use crate::error::RedisError;
use crate::hashes::Hash;
use crate::keys::EventKey;
use crate::keys::GROUP;
use crate::keys::KeyKind;
use crate::known::KnownKeys;
use crate::link::Call;
use crate::reply;
use crate::scripts;
use crate::store::BLOCK_MS_MAX;
use crate::store::EventStore;

/// Names asked of the server in one `SCAN`, and looked at in one script; each takes about 0.5 ms of its time.
const ADOPT_COUNT: usize = 500;

/// Id of a stream entry and the key that it names.
pub(crate) type Entry = (String, Option<String>);

/// Entries that were delivered to a consumer and whose hashes are still to be read.
#[derive(Debug, Default)]
pub struct Delivered {
    entries: Vec<Entry>,
}

impl Delivered {
    /// How many entries there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Is everything read?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// One entry of the stream with its event.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamItem {
    /// Id of the entry, for [`EventStore::ack`].
    pub stream_id: String,
    /// The key it names; empty if it names none.
    pub key: String,
    /// The event, or why there is none (it is in the quarantine then, or its key is gone; acknowledge it as well).
    pub event: Result<Event, String>,
    /// Bytes of the hash as it was read.
    pub bytes: usize,
}

/// Where the search for bare hashes stands. Belongs to one connection: after a reconnection the pass starts anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AdoptCursor {
    pub(crate) position: u64,
    generation: u64,
    known: KnownKeys,
}

impl AdoptCursor {
    /// Begins anew on another connection.
    pub(crate) fn at(&mut self, generation: u64) {
        if self.generation != generation {
            *self = Self { generation, ..Self::default() };
        }
    }
}

/// What one step of the search found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Adopted {
    /// Keys looked at.
    pub scanned: u64,
    /// Hashes put on the stream.
    pub adopted: u64,
    /// Keys newly put into the quarantine.
    pub quarantined: u64,
    /// The pass reached its end.
    pub wrapped: bool,
}

impl EventStore {
    /// Makes the stream and the consumer group if they are not there; the group starts at the oldest entry.
    ///
    /// # Errors
    /// Every cause of [`RedisError`].
    pub async fn ensure_group(&self) -> Result<(), RedisError> {
        if self.observes() {
            self.observe_anew();
            return Ok(());
        }
        let mut cmd = redis::cmd("XGROUP");
        cmd.arg("CREATE").arg(self.inner.keys.stream()).arg(GROUP).arg("0").arg("MKSTREAM");
        match self.inner.main.query::<Value>(&cmd).await {
            Ok(_) => Ok(()),
            Err(RedisError::Server { code, .. }) if code == "BUSYGROUP" => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Reads entries that no consumer has, oldest first, at most `count`; waits up to `block_ms` (at most
    /// [`BLOCK_MS_MAX`]) for the first one, not at all if it is 0.
    ///
    /// What was delivered and not acknowledged comes again by [`Self::read_unacknowledged`] (same consumer) or
    /// [`Self::claim_stale`]; that includes a call that was dropped while it waited.
    ///
    /// # Errors
    /// Every cause of [`RedisError`].
    pub async fn read_new(
        &self,
        consumer: &str,
        count: usize,
        block_ms: u64,
    ) -> Result<Vec<StreamItem>, RedisError> {
        let mut delivered = self.deliver_new(consumer, count, block_ms).await?;
        self.read_delivered(&mut delivered, usize::MAX).await
    }

    /// As [`Self::read_new`], but leaves the hashes to [`Self::read_delivered`].
    ///
    /// # Errors
    /// Every cause of [`RedisError`].
    pub async fn deliver_new(
        &self,
        consumer: &str,
        count: usize,
        block_ms: u64,
    ) -> Result<Delivered, RedisError> {
        if self.observes() {
            return Ok(Delivered { entries: self.observe_new(count, block_ms).await? });
        }
        match self.read_group(consumer, count, Some(block_ms), ">").await {
            Err(RedisError::Server { code, .. }) if code == "NOGROUP" => {
                self.ensure_group().await?; // Somebody deleted the stream; the group starts at its oldest entry again.
                self.read_group(consumer, count, Some(block_ms), ">").await
            }
            result => result,
        }
    }

    /// Reads hashes of delivered entries until there are `bytes_max` bytes of them (or up to 16 MiB more), at least one
    /// where there are any; the others stay in `delivered`. Large events may be overtaken by later ones.
    ///
    /// # Errors
    /// Every cause of [`RedisError`]; what was delivered then comes again as [`Self::read_new`] says.
    pub async fn read_delivered(
        &self,
        delivered: &mut Delivered,
        bytes_max: usize,
    ) -> Result<Vec<StreamItem>, RedisError> {
        let (items, rest) = self.load(std::mem::take(&mut delivered.entries), bytes_max).await?;
        delivered.entries = rest;
        Ok(items)
    }

    /// Reads again what `consumer` was given and has not acknowledged, oldest first: the first thing after a restart.
    ///
    /// # Errors
    /// Every cause of [`RedisError`].
    pub async fn read_unacknowledged(
        &self,
        consumer: &str,
        count: usize,
    ) -> Result<Vec<StreamItem>, RedisError> {
        if self.observes() {
            return Ok(Vec::new());
        }
        match self.read_group(consumer, count, None, "0").await {
            Err(RedisError::Server { code, .. }) if code == "NOGROUP" => Ok(Vec::new()),
            result => self.read_delivered(&mut result?, usize::MAX).await,
        }
    }

    async fn read_group(
        &self,
        consumer: &str,
        count: usize,
        block_ms: Option<u64>,
        from: &str,
    ) -> Result<Delivered, RedisError> {
        let mut cmd = redis::cmd("XREADGROUP");
        cmd.arg("GROUP").arg(GROUP).arg(consumer).arg("COUNT").arg(count.max(1));
        let block_ms = block_ms.unwrap_or(0).min(BLOCK_MS_MAX);
        if block_ms > 0 {
            cmd.arg("BLOCK").arg(block_ms);
        }
        cmd.arg("STREAMS").arg(self.inner.keys.stream()).arg(from);
        let reply: Value = self.inner.reader.query(&cmd).await?;
        let streams = reply::list(reply).into_iter();
        let entries = streams.flat_map(|stream| reply::list(reply::list(stream).pop().unwrap_or_default()));
        Ok(Delivered { entries: entries.filter_map(parse_entry).collect() })
    }

    /// Takes over entries that other consumers got and did not acknowledge for `min_idle`.
    ///
    /// # Errors
    /// Every cause of [`RedisError`].
    pub async fn claim_stale(
        &self,
        consumer: &str,
        min_idle: Duration,
        count: usize,
    ) -> Result<Vec<StreamItem>, RedisError> {
        let mut delivered = self.deliver_stale(consumer, min_idle, count).await?;
        self.read_delivered(&mut delivered, usize::MAX).await
    }

    /// As [`Self::claim_stale`], but leaves the hashes to [`Self::read_delivered`].
    ///
    /// # Errors
    /// Every cause of [`RedisError`].
    pub async fn deliver_stale(
        &self,
        consumer: &str,
        min_idle: Duration,
        count: usize,
    ) -> Result<Delivered, RedisError> {
        if self.observes() {
            return Ok(Delivered::default());
        }
        let mut cmd = redis::cmd("XAUTOCLAIM");
        let min_idle_ms = u64::try_from(min_idle.as_millis()).unwrap_or(u64::MAX);
        cmd.arg(self.inner.keys.stream()).arg(GROUP).arg(consumer).arg(min_idle_ms).arg("0-0");
        cmd.arg("COUNT").arg(count.max(1));
        let reply: Value = match self.inner.main.query(&cmd).await {
            Err(RedisError::Server { code, .. }) if code == "NOGROUP" => return Ok(Delivered::default()),
            result => result?,
        };
        let entries = reply::list(reply).into_iter().nth(1).unwrap_or_default();
        Ok(Delivered { entries: reply::list(entries).into_iter().filter_map(parse_entry).collect() })
    }

    /// Acknowledges entries, and deletes them from the stream if no other group reads it. So what is on the stream is
    /// what is not processed yet, and nothing unprocessed is ever trimmed.
    ///
    /// # Errors
    /// Every cause of [`RedisError`]; acknowledging twice is harmless.
    pub async fn ack(&self, stream_ids: &[impl AsRef<str> + Sync]) -> Result<(), RedisError> {
        if stream_ids.is_empty() || self.observes() {
            return Ok(());
        }
        let stream = self.inner.keys.stream();
        let stream_ids: Vec<&str> = stream_ids.iter().map(AsRef::as_ref).collect();
        let mut pipe = redis::pipe();
        pipe.cmd("XACK").arg(&stream).arg(GROUP).arg(&stream_ids);
        pipe.cmd("XINFO").arg("GROUPS").arg(&stream);
        let mut results = self.inner.main.pipe(pipe).await?.into_iter();
        if let Some(Err(error)) = results.next() {
            return Err(self.classify(error));
        }
        let groups = results.next().and_then(Result::ok).map_or(0, |value| reply::list(value).len());
        if groups == 1 {
            let mut delete = redis::cmd("XDEL");
            delete.arg(&stream).arg(&stream_ids);
            self.inner.main.query::<Value>(&delete).await?;
        }
        Ok(())
    }

    /// Looks for bare hashes (written by applications without index and stream) and puts each on the stream, exactly
    /// once even with several readers. Looks at about `budget` keys; call it again with the same cursor, which remembers
    /// what was found on the stream: such a key is looked at again in one of 64 passes.
    ///
    /// # Errors
    /// Every cause of [`RedisError`]; the cursor then stays where it was.
    pub async fn adopt_bare(&self, cursor: &mut AdoptCursor, budget: usize) -> Result<Adopted, RedisError> {
        let inner = &self.inner;
        if self.observes() {
            return self.observe_keys(cursor, budget).await;
        }
        let mut found = Adopted::default();
        inner.main.ensure().await?;
        cursor.at(inner.main.generation());
        while !found.wrapped && found.scanned < budget.max(1) as u64 {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor.position.to_string()).arg("MATCH").arg(inner.keys.pattern(""));
            scan.arg("COUNT").arg(ADOPT_COUNT.min(budget.max(10)));
            let reply: Value = inner.main.query(&scan).await?;
            let (next, names) = reply::scan(reply).ok_or(RedisError::Answer { command: "SCAN" })?;
            self.adopt_names(&names, &mut cursor.known, &mut found).await?;
            found.scanned += names.len().max(1) as u64;
            cursor.position = next;
            found.wrapped = next == 0;
        }
        if found.wrapped {
            cursor.known.next_pass();
            inner.counts.adopt_passes.fetch_add(1, Ordering::Relaxed);
        }
        Ok(found)
    }

    pub(crate) async fn adopt_names(
        &self,
        names: &[Vec<u8>],
        known: &mut KnownKeys,
        found: &mut Adopted,
    ) -> Result<(), RedisError> {
        let inner = &self.inner;
        if self.observes() {
            found.adopted += self.note_events(names);
            return Ok(());
        }
        let stream = inner.keys.stream();
        let (mut calls, mut called, mut bad) = (Vec::new(), Vec::new(), Vec::new());
        for name in names {
            let Ok(key) = std::str::from_utf8(name) else { continue };
            match inner.keys.classify(key) {
                KeyKind::Event(_) if known.has(key) => {}
                KeyKind::Event(parsed) => {
                    let index = inner.keys.index(parsed.category);
                    calls.push(Call::new(&[key, &index, &stream]).arg(parsed.at_ms.to_string()));
                    called.push(key);
                }
                KeyKind::Malformed(reason) => bad.push((key.to_owned(), reason.to_owned())),
                KeyKind::Own | KeyKind::Foreign => {}
            }
        }
        if calls.is_empty() && bad.is_empty() {
            return Ok(());
        }
        let unmarked = self.unmarked(&called).await?;
        let marked = (1..).zip(&called).filter(|(number, _)| !unmarked.contains(number));
        marked.for_each(|(_, key)| known.add(key));
        let mut number = 0;
        calls.retain(|_| {
            number += 1;
            unmarked.contains(&number)
        });
        let called = unmarked.iter().filter_map(|number| called.get(number - 1));
        let results = inner.main.eval_many(&scripts::ADOPT, calls).await?;
        let mut adopted = 0;
        for (key, result) in called.zip(results) {
            match reply::text(result?).as_deref() {
                Some("adopted") => adopted += 1,
                Some("queued" | "gone") => {}
                Some(kind) => bad.push(((*key).to_owned(), not_a_hash(kind))),
                None => return Err(RedisError::Answer { command: "EVALSHA adopt" }),
            }
        }
        found.adopted += adopted;
        inner.counts.adopted.fetch_add(adopted, Ordering::Relaxed);
        if !bad.is_empty() {
            found.quarantined += self.quarantine(bad).await?;
        }
        Ok(())
    }

    /// The keys that may be bare, by their numbers from 1, ascending.
    async fn unmarked(&self, keys: &[&str]) -> Result<BTreeSet<usize>, RedisError> {
        if keys.is_empty() {
            return Ok(BTreeSet::new());
        }
        let reply = self.inner.main.eval(&scripts::UNMARKED, Call::new(keys)).await?;
        self.inner.counts.looks.fetch_add(keys.len() as u64 + 1, Ordering::Relaxed);
        let numbers = reply::list(reply);
        Ok(numbers.iter().filter_map(|n| reply::count(n).and_then(|n| usize::try_from(n).ok())).collect())
    }

    /// Reads the hashes of stream entries up to about `bytes_max` bytes, and gives back the entries that are left; what is
    /// no event goes to the quarantine.
    async fn load(
        &self,
        entries: Vec<Entry>,
        bytes_max: usize,
    ) -> Result<(Vec<StreamItem>, Vec<Entry>), RedisError> {
        let inner = &self.inner;
        let hashes = self.read_hashes(&entries, bytes_max).await?;
        let (mut items, mut rest, mut bad) = (Vec::with_capacity(entries.len()), Vec::new(), Vec::new());
        for ((stream_id, key), hash) in entries.into_iter().zip(hashes) {
            let Some(Hash { state, fields, bytes }) = hash else {
                rest.push((stream_id, key));
                continue;
            };
            let Some(key) = key else {
                let reason = "the stream entry has no field key".to_owned();
                bad.push((format!("{}#{stream_id}", inner.keys.stream()), reason.clone()));
                items.push(StreamItem { stream_id, key: String::new(), event: Err(reason), bytes });
                continue;
            };
            if state == "gone" && self.observes() {
                continue; // Whoever processes the events may have removed it: nothing is lost by that.
            }
            let event = self.event_of(&key, &state, fields);
            match &event {
                Ok(_) => inner.counts.read.fetch_add(1, Ordering::Relaxed),
                Err(_) if state == "gone" => inner.counts.gone.fetch_add(1, Ordering::Relaxed),
                Err(reason) => {
                    bad.push((key.clone(), reason.clone()));
                    inner.counts.malformed.fetch_add(1, Ordering::Relaxed)
                }
            };
            items.push(StreamItem { stream_id, key, event, bytes });
        }
        if !bad.is_empty() {
            self.quarantine(bad).await?;
        }
        Ok((items, rest))
    }

    /// The event in the fields of a key, or the reason why there is none.
    pub(crate) fn event_in<B: AsRef<[u8]> + Into<Vec<u8>>>(
        &self,
        key: &str,
        fields: Vec<(B, B)>,
    ) -> Result<Event, String> {
        codec::decode(key, &self.event_key(key)?, fields)
    }

    fn event_key<'a>(&self, key: &'a str) -> Result<EventKey<'a>, String> {
        match self.inner.keys.classify(key) {
            KeyKind::Event(parsed) => Ok(parsed),
            KeyKind::Malformed(reason) => Err(reason.to_owned()),
            KeyKind::Own | KeyKind::Foreign => Err("the key is not one of an event".to_owned()),
        }
    }

    /// The event behind a guarded read, or the reason why there is none.
    pub(crate) fn event_of(&self, key: &str, state: &str, fields: Value) -> Result<Event, String> {
        let parsed = self.event_key(key)?;
        match state {
            "ok" => match fields {
                Value::BulkString(packed) => {
                    let fields = reply::packed(&packed).ok_or("the server's answer cannot be read")?;
                    codec::decode(key, &parsed, fields)
                }
                fields => codec::decode(key, &parsed, reply::pairs(fields)),
            },
            "gone" => Err("the key is gone: it expired or was removed before it was processed".to_owned()),
            other => Err(not_a_hash(other)),
        }
    }
}

/// Words for what the guard of the scripts refuses.
fn not_a_hash(state: &str) -> String {
    match state.split_once(':') {
        Some(("type", kind)) => format!("the key holds a {kind}, not a hash"),
        Some(("wide", n)) => format!("the hash has {n} fields; at most 64 are read"),
        Some(("large", n)) => format!("the hash has {n} bytes; at most 2097152 are read"),
        _ => format!("the key cannot be read: {state}"),
    }
}

/// Id and key of a stream entry; deleted entries (nil) are left out.
pub(crate) fn parse_entry(value: Value) -> Option<Entry> {
    let mut parts = reply::list(value).into_iter();
    let id = reply::text(parts.next()?)?;
    let mut key = None;
    for (name, value) in reply::pairs(parts.next().unwrap_or_default()) {
        if name == b"key" {
            key = String::from_utf8(value).ok();
        }
    }
    Some((id, key))
}
