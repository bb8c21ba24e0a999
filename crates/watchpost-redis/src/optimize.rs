//! Optimise: compress large payloads, give missing TTLs, put events back into the compact encoding, drop dead index members,
//! let the allocator release memory. And the way back from what can be undone ([`Direction::Back`]).
//!
//! Preview and run go the same way and take the same decisions; the preview only leaves out the writes.

pub(crate) mod indexes;
mod readable;

use std::collections::HashSet;

use chrono::DateTime;
use chrono::Utc;
use redis::Value;
use tokio_util::sync::CancellationToken;
use watchpost_model::event::Category;
use watchpost_model::job::Figure;
use watchpost_model::job::JobProgress;
use watchpost_model::job::JobReport;
use watchpost_model::plain::grouped;

use crate::codec;
use crate::encoding::Encodings;
use crate::error::RedisError;
use crate::keys::KeyKind;
use crate::large;
use crate::link::Call;
use crate::once::Once;
use crate::released;
use crate::released::Memory;
use crate::released::Purged;
use crate::reply;
use crate::retention::progress;
use crate::revert::Revert;
use crate::scripts;
use crate::stop;
use crate::store::EventStore;
use crate::walk::Walk;
use crate::walk::WalkPosition;

const PAYLOADS_AT_ONCE: usize = 16;
const WIDE_AT_ONCE: usize = 256;

/// Whether something is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Count what a run would do.
    Preview,
    /// Do it.
    Run,
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Optimise.
    Forth,
    /// Write compressed payloads as they were, and have events kept as large ones again where the server's limits ask for
    /// it by now.
    Back,
}

#[derive(Debug, Default)]
struct Sums {
    events: u64,
    compressed: u64,
    bytes_before: u64,
    bytes_after: u64,
    ttls: u64,
    unindexed: u64,
    changed_meanwhile: u64,
    not_hashes: u64,
    /// Without a TTL, and no events: nobody has archived them, so they get none.
    unreadable: u64,
    /// No events, with a payload that would be compressed: they stay as they are.
    left: u64,
    /// Keys that something was done to, each once: events of the pages before this one, and indexes.
    touched: u64,
}

struct Optimizer<'a> {
    store: &'a EventStore,
    mode: Mode,
    sums: Sums,
    encodings: Option<Encodings>,
    /// Instead of everything else, on the way back.
    revert: Option<Revert>,
    once: Once,
    /// Events of this page that something was done to.
    touched: HashSet<String>,
}

/// A key, its payload, and that compressed.
type Packed = (String, Vec<u8>, Vec<u8>);

/// A page's work, by what its keys need.
#[derive(Default)]
struct Needs {
    compress: Vec<String>,
    ttl: Vec<(String, Category)>,
    /// In the encoding of large hashes.
    wide: Vec<String>,
    /// On the way back: with an encoded payload.
    packed: Vec<String>,
    /// On the way back: with another payload, in the compact encoding.
    compact: Vec<String>,
}

/// What decides which events a run changes, for people; a run with other limits has other things to do.
///
/// # Errors
/// Every cause of [`RedisError`].
pub async fn parameters(store: &EventStore, direction: Direction) -> Result<String, RedisError> {
    let words = Encodings::start(store, Mode::Preview).await?.words();
    Ok(match direction {
        Direction::Forth => words,
        Direction::Back => format!("revert, {words}"),
    })
}

/// Runs or previews the job. When `cancel` fires, the report of what was done so far comes back, with a note.
///
/// # Errors
/// Every cause of [`RedisError`]; `Cancelled` only before anything was looked at.
pub async fn optimize(
    store: &EventStore,
    now: DateTime<Utc>,
    mode: Mode,
    report: &(dyn Fn(JobProgress) + Send + Sync),
    cancel: CancellationToken,
) -> Result<JobReport, RedisError> {
    tracing::debug!(?mode, %now, "optimising the event store");
    whole(OptimizeWalk::start(store, Direction::Forth, mode, None, cancel).await?, report).await
}

/// The same for the way back.
///
/// # Errors
/// Every cause of [`RedisError`]; `Cancelled` only before anything was looked at.
pub async fn revert(
    store: &EventStore,
    mode: Mode,
    report: &(dyn Fn(JobProgress) + Send + Sync),
    cancel: CancellationToken,
) -> Result<JobReport, RedisError> {
    tracing::debug!(?mode, "undoing the optimisation of the event store");
    whole(OptimizeWalk::start(store, Direction::Back, mode, None, cancel).await?, report).await
}

async fn whole(
    mut walk: OptimizeWalk<'_>,
    report: &(dyn Fn(JobProgress) + Send + Sync),
) -> Result<JobReport, RedisError> {
    let pass = async {
        while walk.next_page().await? {
            report(walk.progress());
        }
        walk.trim().await
    };
    let passed = pass.await;
    match passed {
        Ok(()) | Err(RedisError::Cancelled) => walk.report().await,
        Err(error) => Err(error),
    }
}

/// The job page by page: everything before its [position](Self::position) is done.
pub struct OptimizeWalk<'a> {
    optimizer: Optimizer<'a>,
    walk: Walk,
    /// Read and not looked at yet; `None` after the last one.
    page: Option<Vec<Vec<u8>>>,
    /// Where the page begins that follows those that are done, and the pass that this is a position of.
    settled: u64,
    pass: u64,
    before: Memory,
    finished: bool,
}

impl<'a> OptimizeWalk<'a> {
    /// Begins a pass, or goes on at `from`, where an interrupted one was; the notes say which.
    ///
    /// # Errors
    /// Every cause of [`RedisError`].
    pub async fn start(
        store: &'a EventStore,
        direction: Direction,
        mode: Mode,
        from: Option<&WalkPosition>,
        cancel: CancellationToken,
    ) -> Result<Self, RedisError> {
        if store.inner.target.observe && mode == Mode::Run {
            return Err(RedisError::Observing { command: "optimise".to_owned() });
        }
        let mut optimizer = Optimizer::of(store, mode);
        match direction {
            Direction::Forth => {
                optimizer.encodings = Some(stop::read(&cancel, Encodings::start(store, mode)).await?);
            }
            Direction::Back => {
                optimizer.revert = Some(stop::read(&cancel, Revert::start(store, mode)).await?);
            }
        }
        let before = stop::read(&cancel, released::memory(store)).await?;
        let mut walk = Walk::start(store, store.inner.keys.pattern(""), cancel).await?;
        if let Some(from) = from {
            walk.go_on_from(from);
        }
        let (settled, pass) = (walk.cursor(), walk.pass());
        Ok(Self { optimizer, walk, page: Some(Vec::new()), settled, pass, before, finished: false })
    }

    /// Does what the events of the next page need; `false` when there is none any more.
    ///
    /// # Errors
    /// Every cause of [`RedisError`]; `Cancelled` within 200 ms. The pass is over then: another one goes on at the
    /// position.
    pub async fn next_page(&mut self) -> Result<bool, RedisError> {
        let Some(page) = self.page.take() else { return Ok(false) };
        let next = self.walk.cursor();
        let keys = self.optimizer.event_keys(page);
        let step = self.walk.step(keys.iter().flat_map(|(key, _)| questions(key)).collect()).await?;
        let needs = self.optimizer.needs(keys, step.answers);
        self.optimizer.apply(&needs, &mut self.walk).await?;
        self.page = step.names;
        if self.walk.pass() != self.pass {
            // Another server process: its pages begin anew.
            self.pass = self.walk.pass();
            self.settled = 0;
        } else if self.page.is_some() {
            self.settled = next;
        } // Else all that is left are the indexes: whoever goes on begins with the last page.
        Ok(true)
    }

    /// Where a later pass may begin.
    #[must_use]
    pub fn position(&self) -> WalkPosition {
        self.walk.position(self.settled)
    }

    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> JobProgress {
        progress(&self.walk, "looking at events")
    }

    /// What was done so far, for the run that goes on where this one is interrupted.
    #[must_use]
    pub fn done(&self) -> Vec<Figure> {
        if let Some(revert) = &self.optimizer.revert {
            return revert.done();
        }
        let sums = &self.optimizer.sums;
        let recoded = self.optimizer.encodings.as_ref().map_or(0, Encodings::converted);
        vec![
            Figure::count("compressed", "Payloads compressed", sums.compressed),
            Figure::count("ttls_given", "Events given a missing TTL", sums.ttls),
            Figure::count("recoded", "Events back in the compact encoding", recoded),
        ]
    }

    /// Keys that something was done to so far, or would be, each counted once whatever it needs: events, and from
    /// [`trim`](Self::trim) on the indexes that lose entries.
    #[must_use]
    pub fn touched(&self) -> u64 {
        self.optimizer.touched()
    }

    /// Of a preview of the way back: why a run would stop, as far as it was looked; nothing if it would not.
    #[must_use]
    pub fn lacks_room(&self) -> Option<String> {
        self.optimizer.lacks_room(self.before)
    }

    /// After the last page: removes what indexes have left of events that are gone; nothing on the way back.
    ///
    /// # Errors
    /// Every cause of [`RedisError`]; `Cancelled` within 200 ms.
    pub async fn trim(&mut self) -> Result<(), RedisError> {
        if self.optimizer.revert.is_none() {
            for &category in Category::ALL {
                self.optimizer.trim_index(category, &mut self.walk).await?;
            }
        }
        self.finished = true;
        Ok(())
    }

    /// Asks the allocator to give memory back when everything was done, and tells what was.
    ///
    /// # Errors
    /// Every cause of [`RedisError`] but `Cancelled`: a server that is silent after that tells no memory.
    pub async fn report(self) -> Result<JobReport, RedisError> {
        let Self { optimizer, mut walk, before, finished, .. } = self;
        let purges = optimizer.mode == Mode::Run && finished && optimizer.revert.is_none();
        let purged =
            if purges { stop::told(walk.write(released::purge(optimizer.store)).await)? } else { None };
        let after = stop::told(walk.read(released::memory(optimizer.store)).await)?;
        let mut notes = walk.notes().to_vec();
        if !finished {
            notes.push("stopped before the end; what was done stays done".to_owned());
        }
        if optimizer.mode == Mode::Preview {
            notes.extend(optimizer.lacks_room(before));
        }
        Ok(optimizer.report(before, after, &purged.unwrap_or(Purged::NotAsked), notes))
    }
}

impl<'a> Optimizer<'a> {
    /// One that looks after neither encodings nor the way back.
    fn of(store: &'a EventStore, mode: Mode) -> Self {
        Self {
            store,
            mode,
            sums: Sums::default(),
            encodings: None,
            revert: None,
            once: Once::default(),
            touched: HashSet::new(),
        }
    }

    /// Keys that something was or would be done to, each once.
    fn touched(&self) -> u64 {
        self.revert.as_ref().map_or(self.sums.touched + self.touched.len() as u64, Revert::touched)
    }

    fn lacks_room(&self, memory: Memory) -> Option<String> {
        self.revert.as_ref()?.lacks_room(memory)
    }

    /// Does what the events of a page need.
    async fn apply(&mut self, needs: &Needs, walk: &mut Walk) -> Result<(), RedisError> {
        if let Some(revert) = &mut self.revert {
            return revert.apply(self.store, &needs.packed, &needs.compact, walk).await;
        }
        let read = self.readable(needs, walk).await?;
        let compress = self.compressible(&needs.compress, &read);
        self.compress(&compress, walk).await?;
        self.give_ttls(&needs.ttl, &read, walk).await?;
        if let Some(encodings) = self.encodings.as_mut().filter(|encodings| encodings.looks()) {
            for wide in needs.wide.chunks(WIDE_AT_ONCE) {
                walk.pace().await?;
                let recoded = walk.write(encodings.look(self.store, wide)).await?;
                self.touched.extend(recoded.into_iter().map(ToOwned::to_owned));
            }
            encodings.end_page();
        }
        self.sums.touched = self.touched();
        self.touched.clear();
        Ok(())
    }

    fn event_keys(&mut self, names: Vec<Vec<u8>>) -> Vec<(String, Category)> {
        let names = names.into_iter().filter_map(|name| String::from_utf8(name).ok());
        let mut keys = Vec::new();
        for key in names {
            if let KeyKind::Event(parsed) = self.store.inner.keys.classify(&key)
                && self.once.is_new(key.as_bytes())
            {
                let category = parsed.category;
                keys.push((key, category));
            }
        }
        keys
    }

    fn needs(&mut self, keys: Vec<(String, Category)>, answers: Vec<redis::RedisResult<Value>>) -> Needs {
        let mut needs = Needs::default();
        let mut answers = answers.into_iter();
        for (key, category) in keys {
            let mut answer = || answers.next().and_then(Result::ok);
            let mut number = || answer().as_ref().and_then(reply::int);
            let (ttl, length, encoded) = (number(), number(), number());
            let encoding = answer().and_then(reply::text).unwrap_or_default();
            let (Some(ttl), Some(length), Some(encoded)) = (ttl, length, encoded) else {
                self.sums.not_hashes += 1;
                continue;
            };
            if ttl == -2 {
                continue; // Gone meanwhile.
            }
            self.sums.events += 1;
            if self.revert.is_some() {
                match encoding.as_str() {
                    _ if encoded == 1 => needs.packed.push(key),
                    "listpack" | "ziplist" => needs.compact.push(key),
                    _ => {}
                }
                continue;
            }
            let length = usize::try_from(length).unwrap_or(0);
            if encoded == 0 && length > codec::COMPRESS_FROM_BYTES && length <= codec::PAYLOAD_BYTES_MAX {
                needs.compress.push(key.clone());
            }
            if encoding == "hashtable" {
                needs.wide.push(key.clone());
            }
            if ttl == -1 {
                needs.ttl.push((key, category));
            }
        }
        needs
    }

    async fn compress(&mut self, keys: &[String], walk: &mut Walk) -> Result<(), RedisError> {
        for chunk in keys.chunks(PAYLOADS_AT_ONCE) {
            walk.pace().await?;
            let calls = chunk.iter().map(|key| Call::new(&[key])).collect();
            let mut plain = Vec::new();
            let payloads = walk.read(self.store.inner.jobs.eval_many(&scripts::PAYLOAD, calls)).await?;
            for (key, answer) in chunk.iter().zip(payloads) {
                if let Some(payload) = reply::list(answer?).pop().and_then(reply::bytes) {
                    plain.push((key.clone(), payload));
                }
            }
            let packed = tokio::task::spawn_blocking(move || {
                let packed = plain
                    .into_iter()
                    .filter_map(|(key, plain)| codec::compress(&plain).map(|packed| (key, plain, packed)));
                packed.collect::<Vec<_>>()
            });
            let packed = packed.await.unwrap_or_default(); // Compression does not panic; if it did, nothing is lost.
            let written = match self.mode {
                Mode::Preview => vec![true; packed.len()],
                Mode::Run => walk.write(self.replace(&packed)).await?,
            };
            if let (Mode::Preview, Some(encodings)) = (self.mode, self.encodings.as_mut()) {
                encodings.will_be_packed(packed.iter().map(|(key, _, packed)| (key.as_str(), packed.len())));
            }
            for ((key, plain, packed), written) in packed.into_iter().zip(written) {
                if written {
                    self.touched.insert(key);
                    self.sums.compressed += 1;
                    self.sums.bytes_before += plain.len() as u64;
                    self.sums.bytes_after += (packed.len() + codec::ENCODING_BYTES) as u64;
                } else {
                    self.sums.changed_meanwhile += 1;
                }
            }
        }
        Ok(())
    }

    /// Writes compressed payloads in the place of those that they were made of; which of them could be.
    async fn replace(&self, packed: &[Packed]) -> Result<Vec<bool>, RedisError> {
        let small = packed.iter().filter(|one| !is_large(one));
        let calls = small.map(|(key, plain, packed)| Call::new(&[key]).arg(plain).arg(packed)).collect();
        let of_small = flags(self.store.inner.jobs.eval_many(&scripts::COMPRESS, calls).await?)?;
        let mut of_small = of_small.into_iter();
        let mut written = Vec::with_capacity(packed.len());
        for one in packed {
            written.push(if is_large(one) {
                self.store.replace_payload(&one.0, &one.1, &one.2, Direction::Forth).await?
            } else {
                of_small.next().unwrap_or(false)
            });
        }
        Ok(written)
    }

    fn report(
        self,
        before: Memory,
        after: Option<Memory>,
        purged: &Purged,
        mut notes: Vec<String>,
    ) -> JobReport {
        let mut figures = vec![
            Figure::count("events", "Events looked at", self.sums.events),
            Figure::count("touched", "Keys changed", self.touched()),
        ];
        match &self.revert {
            Some(revert) => revert.report(&mut figures, &mut notes),
            None => self.optimized(&mut figures, &mut notes),
        }
        if self.mode == Mode::Run {
            figures.push(Figure::bytes("memory_before_bytes", "Memory in use before", before.used));
            figures.extend(
                after.map(|after| Figure::bytes("memory_after_bytes", "Memory in use after", after.used)),
            );
        }
        notes.extend(purged.words());
        let sums = self.sums;
        if sums.changed_meanwhile > 0 {
            notes.push(format!("{} events changed meanwhile and were left", grouped(sums.changed_meanwhile)));
        }
        match sums.not_hashes {
            0 => {}
            1 => notes.push(
                "1 key looks like an event but is not a hash: the engine puts such into quarantine"
                    .to_owned(),
            ),
            n => notes.push(format!(
                "{} keys look like events but are not hashes: the engine puts such into quarantine",
                grouped(n)
            )),
        }
        sums.unread(&mut notes);
        JobReport { figures, notes, ..JobReport::default() }
    }

    fn optimized(&self, figures: &mut Vec<Figure>, notes: &mut Vec<String>) {
        let sums = &self.sums;
        let saved = sums.bytes_before.saturating_sub(sums.bytes_after);
        figures.extend([
            Figure::count("compressed", "Payloads compressed", sums.compressed),
            Figure::bytes("payload_before_bytes", "Their size before", sums.bytes_before),
            Figure::bytes("payload_after_bytes", "Their size after", sums.bytes_after),
            Figure::bytes("payload_saved_bytes", "Saved", saved),
            Figure::count("ttls_given", "Events given a missing TTL", sums.ttls),
            Figure::count("index_trimmed", "Index entries without an event", sums.unindexed),
        ]);
        if let Some(encodings) = &self.encodings {
            encodings.report(figures, notes);
        }
    }
}

fn is_large(one: &Packed) -> bool {
    one.1.len() as u64 > large::LARGE_BYTES
}

fn questions(key: &str) -> [redis::Cmd; 4] {
    let mut ttl = redis::cmd("PTTL");
    ttl.arg(key);
    let mut length = redis::cmd("HSTRLEN");
    length.arg(key).arg("payload");
    let mut encoded = redis::cmd("HEXISTS");
    encoded.arg(key).arg("payload_encoding");
    let mut encoding = redis::cmd("OBJECT");
    encoding.arg("ENCODING").arg(key);
    [ttl, length, encoded, encoding]
}

pub(crate) fn flags(answers: Vec<Result<Value, RedisError>>) -> Result<Vec<bool>, RedisError> {
    answers.into_iter().map(|answer| Ok(reply::int(&answer?) == Some(1))).collect()
}
