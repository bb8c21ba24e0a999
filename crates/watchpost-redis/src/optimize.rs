//! Optimise: compress large payloads, give missing TTLs, put events back into the compact encoding, drop dead index members,
//! let the allocator release memory.
//!
//! Preview and run go the same way and take the same decisions; the preview only leaves out the writes.

use std::hash::BuildHasher;
use std::hash::RandomState;

use chrono::DateTime;
use chrono::Utc;
use redis::Value;
use sha2::Digest;
use sha2::Sha256;
use tokio_util::sync::CancellationToken;
use watchpost_model::event::Category;
use watchpost_model::health::Unit;
use watchpost_model::job::Figure;
use watchpost_model::job::JobProgress;
use watchpost_model::job::JobReport;
use watchpost_model::policy::event_ttl;

use crate::codec;
use crate::encoding::Encodings;
use crate::error::RedisError;
use crate::info::Info;
use crate::keys::KeyKind;
use crate::large;
use crate::link::Call;
use crate::reply;
use crate::retention::progress;
use crate::scripts;
use crate::store::EventStore;
use crate::walk::Walk;
use crate::walk::WalkPosition;

const PAYLOADS_AT_ONCE: usize = 16;
const WIDE_AT_ONCE: usize = 256;
const ZSCAN_COUNT: usize = 500;
/// What the two further field contents cost a compressed hash.
const ENCODING_BYTES: u64 = ("payload_encoding".len() + "zstd".len()) as u64;
/// Less than this is noise of the allocator.
const EFFECT_BYTES_MIN: i64 = 1 << 20;

/// Whether something is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Count what a run would do.
    Preview,
    /// Do it.
    Run,
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
}

struct Optimizer<'a> {
    store: &'a EventStore,
    mode: Mode,
    sums: Sums,
    encodings: Option<Encodings>,
    seen: std::collections::HashSet<u64>,
    hasher: RandomState,
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
}

/// What decides which events a run changes, for people; a run with other limits has other things to do.
///
/// # Errors
/// Every cause of [`RedisError`].
pub async fn parameters(store: &EventStore) -> Result<String, RedisError> {
    Ok(Encodings::start(store, Mode::Preview).await?.words())
}

/// Runs or previews the job. When `cancel` fires, the report of what was done so far comes back, with a note.
///
/// # Errors
/// Every cause of [`RedisError`] but `Cancelled`.
pub async fn optimize(
    store: &EventStore,
    now: DateTime<Utc>,
    mode: Mode,
    report: &(dyn Fn(JobProgress) + Send + Sync),
    cancel: CancellationToken,
) -> Result<JobReport, RedisError> {
    tracing::debug!(?mode, %now, "optimising the event store");
    let mut walk = OptimizeWalk::start(store, mode, None, cancel).await?;
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
        mode: Mode,
        from: Option<&WalkPosition>,
        cancel: CancellationToken,
    ) -> Result<Self, RedisError> {
        if store.inner.target.observe {
            return Err(RedisError::Observing { command: "optimise".to_owned() });
        }
        let optimizer = Optimizer {
            store,
            mode,
            sums: Sums::default(),
            encodings: Some(Encodings::start(store, mode).await?),
            seen: Default::default(),
            hasher: RandomState::new(),
        };
        let before = memory(store).await?;
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
        let sums = &self.optimizer.sums;
        let recoded = self.optimizer.encodings.as_ref().map_or(0, Encodings::converted);
        vec![
            Figure::count("compressed", "Payloads compressed", sums.compressed),
            Figure::count("ttls_given", "Events given a missing TTL", sums.ttls),
            Figure::count("recoded", "Events back in the compact encoding", recoded),
        ]
    }

    /// After the last page: removes what indexes have left of events that are gone.
    ///
    /// # Errors
    /// Every cause of [`RedisError`]; `Cancelled` within 200 ms.
    pub async fn trim(&mut self) -> Result<(), RedisError> {
        for &category in Category::ALL {
            self.optimizer.trim_index(category, &mut self.walk).await?;
        }
        self.finished = true;
        Ok(())
    }

    /// Asks the allocator to give memory back when everything was done, and tells what was.
    ///
    /// # Errors
    /// Every cause of [`RedisError`].
    pub async fn report(self) -> Result<JobReport, RedisError> {
        let Self { optimizer, walk, before, finished, .. } = self;
        let mut notes = walk.notes().to_vec();
        if !finished {
            notes.push("stopped before the end; what was done stays done".to_owned());
        }
        let purged = match optimizer.mode {
            Mode::Run if finished => Purged::Asked(purge(optimizer.store).await?),
            Mode::Run | Mode::Preview => Purged::NotAsked,
        };
        let after = memory(optimizer.store).await?;
        Ok(optimizer.report(before, after, &purged, notes))
    }
}

/// What the allocator gave back.
enum Purged {
    NotAsked,
    /// Bytes; `None` where the server does not offer that.
    Asked(Option<i64>),
}

/// Removes entries of the indexes whose event is gone, or counts them.
///
/// # Errors
/// Every cause of [`RedisError`]; `Cancelled` within 200 ms.
pub(crate) async fn trim_indexes(
    store: &EventStore,
    mode: Mode,
    cancel: CancellationToken,
) -> Result<u64, RedisError> {
    let mut optimizer = Optimizer {
        store,
        mode,
        sums: Sums::default(),
        encodings: None,
        seen: Default::default(),
        hasher: RandomState::new(),
    };
    // Only its pace is used.
    let mut walk = Walk::start(store, store.inner.keys.pattern(""), cancel).await?;
    for &category in Category::ALL {
        optimizer.trim_index(category, &mut walk).await?;
    }
    Ok(optimizer.sums.unindexed)
}

impl Optimizer<'_> {
    /// Does what the events of a page need.
    async fn apply(&mut self, needs: &Needs, walk: &mut Walk) -> Result<(), RedisError> {
        self.compress(&needs.compress).await?;
        self.give_ttls(&needs.ttl).await?;
        if let Some(encodings) = self.encodings.as_mut().filter(|encodings| encodings.looks()) {
            for wide in needs.wide.chunks(WIDE_AT_ONCE) {
                walk.pace().await?;
                encodings.look(self.store, wide).await?;
            }
        }
        Ok(())
    }

    fn event_keys(&mut self, names: Vec<Vec<u8>>) -> Vec<(String, Category)> {
        let names = names.into_iter().filter_map(|name| String::from_utf8(name).ok());
        let mut keys = Vec::new();
        for key in names {
            if let KeyKind::Event(parsed) = self.store.inner.keys.classify(&key)
                && self.seen.insert(self.hasher.hash_one(&key))
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
            let is_wide = answer().and_then(reply::text).is_some_and(|encoding| encoding == "hashtable");
            let (Some(ttl), Some(length), Some(encoded)) = (ttl, length, encoded) else {
                self.sums.not_hashes += 1;
                continue;
            };
            if ttl == -2 {
                continue; // Gone meanwhile.
            }
            self.sums.events += 1;
            let length = usize::try_from(length).unwrap_or(0);
            if encoded == 0 && length > codec::COMPRESS_FROM_BYTES && length <= codec::PAYLOAD_BYTES_MAX {
                needs.compress.push(key.clone());
            }
            if is_wide {
                needs.wide.push(key.clone());
            }
            if ttl == -1 {
                needs.ttl.push((key, category));
            }
        }
        needs
    }

    async fn compress(&mut self, keys: &[String]) -> Result<(), RedisError> {
        for chunk in keys.chunks(PAYLOADS_AT_ONCE) {
            let calls = chunk.iter().map(|key| Call::new(&[key])).collect();
            let mut plain = Vec::new();
            for (key, answer) in
                chunk.iter().zip(self.store.inner.jobs.eval_many(&scripts::PAYLOAD, calls).await?)
            {
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
                Mode::Run => self.replace(&packed).await?,
            };
            for ((_, plain, packed), written) in packed.into_iter().zip(written) {
                if written {
                    self.sums.compressed += 1;
                    self.sums.bytes_before += plain.len() as u64;
                    self.sums.bytes_after += packed.len() as u64 + ENCODING_BYTES;
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
                self.store.replace_payload(&one.0, &one.1, &one.2).await?
            } else {
                of_small.next().unwrap_or(false)
            });
        }
        Ok(written)
    }

    async fn give_ttls(&mut self, keys: &[(String, Category)]) -> Result<(), RedisError> {
        if keys.is_empty() {
            return Ok(());
        }
        if self.mode == Mode::Preview {
            self.sums.ttls += keys.len() as u64;
            return Ok(());
        }
        let mut pipe = redis::pipe();
        for (key, _) in keys {
            pipe.cmd("HGET").arg(key).arg("severity");
        }
        let severities = self.store.inner.jobs.pipe(pipe).await?;
        let mut calls = Vec::with_capacity(keys.len());
        for ((key, category), severity) in keys.iter().zip(severities) {
            let severity = severity.ok().and_then(reply::bytes);
            let ttl_ms = event_ttl(*category, codec::severity_of(severity.as_deref())).num_milliseconds();
            calls.push(Call::new(&[key]).arg((ttl_ms + jitter(key, ttl_ms / 10)).to_string()));
        }
        for given in flags(self.store.inner.jobs.eval_many(&scripts::EXPIRE, calls).await?)? {
            if given { self.sums.ttls += 1 } else { self.sums.changed_meanwhile += 1 }
        }
        Ok(())
    }

    async fn trim_index(&mut self, category: Category, walk: &mut Walk) -> Result<(), RedisError> {
        let jobs = &self.store.inner.jobs;
        let index = self.store.inner.keys.index(category);
        let mut cursor = 0u64;
        loop {
            walk.pace().await?;
            let mut scan = redis::cmd("ZSCAN");
            scan.arg(&index).arg(cursor.to_string()).arg("COUNT").arg(ZSCAN_COUNT);
            let reply: Value = jobs.query(&scan).await?;
            let (next, rows) = reply::scan(reply).ok_or(RedisError::Answer { command: "ZSCAN" })?;
            let prefix = self.store.inner.target.prefix.as_bytes();
            let (members, foreign): (Vec<&Vec<u8>>, Vec<&Vec<u8>>) =
                rows.iter().step_by(2).partition(|member| member.starts_with(prefix));
            self.sums.unindexed += drop_foreign(self.store, self.mode, &index, &foreign).await?;
            let mut pipe = redis::pipe();
            for member in &members {
                pipe.cmd("EXISTS").arg(*member);
            }
            let exists = jobs.pipe(pipe).await?;
            let gone = members
                .into_iter()
                .zip(exists)
                .filter(|(_, exists)| matches!(exists, Ok(value) if reply::int(value) == Some(0)));
            let gone: Vec<&Vec<u8>> = gone.map(|(member, _)| member).collect();
            self.sums.unindexed += match self.mode {
                Mode::Preview => gone.len() as u64,
                Mode::Run => {
                    let call = |member: &&Vec<u8>| Call {
                        keys: vec![index.clone().into_bytes(), (*member).clone()],
                        args: Vec::new(),
                    };
                    let calls = gone.iter().map(call).collect();
                    flags(jobs.eval_many(&scripts::UNINDEX, calls).await?)?
                        .into_iter()
                        .filter(|done| *done)
                        .count() as u64
                }
            };
            cursor = next;
            if cursor == 0 {
                return Ok(());
            }
        }
    }

    fn report(self, before: Memory, after: Memory, purged: &Purged, mut notes: Vec<String>) -> JobReport {
        let sums = self.sums;
        let saved = sums.bytes_before.saturating_sub(sums.bytes_after);
        let mut figures = vec![
            Figure::count("events", "Events looked at", sums.events),
            Figure::count("compressed", "Payloads compressed", sums.compressed),
            bytes_figure("payload_before_bytes", "Their size before", sums.bytes_before),
            bytes_figure("payload_after_bytes", "Their size after", sums.bytes_after),
            bytes_figure("payload_saved_bytes", "Saved", saved),
            Figure::count("ttls_given", "Events given a missing TTL", sums.ttls),
            Figure::count("index_trimmed", "Index entries without an event", sums.unindexed),
        ];
        if let Some(encodings) = &self.encodings {
            encodings.report(&mut figures, &mut notes);
        }
        if self.mode == Mode::Run {
            figures.push(bytes_figure("memory_before_bytes", "Memory in use before", before.used));
            figures.push(bytes_figure("memory_after_bytes", "Memory in use after", after.used));
        }
        match purged {
            Purged::NotAsked => {}
            Purged::Asked(None) => notes.push(
                "the server does not offer MEMORY PURGE; nothing was released to the system".to_owned(),
            ),
            Purged::Asked(Some(bytes)) if *bytes < EFFECT_BYTES_MIN => {
                notes.push("MEMORY PURGE had no effect: resident memory fell by less than 1 MiB".to_owned())
            }
            Purged::Asked(Some(bytes)) => {
                notes.push(format!("MEMORY PURGE released {bytes} bytes to the system"));
            }
        }
        if sums.changed_meanwhile > 0 {
            notes.push(format!("{} events changed meanwhile and were left", sums.changed_meanwhile));
        }
        if sums.not_hashes > 0 {
            notes.push(format!(
                "{} keys look like events but are not hashes; see the quarantine",
                sums.not_hashes
            ));
        }
        JobReport { figures, notes, ..JobReport::default() }
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

/// Drops members of an index that name no event of this prefix. They are not asked for: a cluster may keep them elsewhere.
async fn drop_foreign(
    store: &EventStore,
    mode: Mode,
    index: &str,
    members: &[&Vec<u8>],
) -> Result<u64, RedisError> {
    if members.is_empty() || mode == Mode::Preview {
        return Ok(members.len() as u64);
    }
    let mut cmd = redis::cmd("ZREM");
    cmd.arg(index).arg(members);
    store.inner.jobs.query(&cmd).await
}

fn flags(answers: Vec<Result<Value, RedisError>>) -> Result<Vec<bool>, RedisError> {
    answers.into_iter().map(|answer| Ok(reply::int(&answer?) == Some(1))).collect()
}

/// Spreads expiries over `range_ms`, the same for the same key, so that they do not fall into one second.
fn jitter(key: &str, range_ms: i64) -> i64 {
    let digest = Sha256::digest(key.as_bytes());
    let number = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
    i64::from(number).checked_rem(range_ms).unwrap_or(0)
}

#[expect(clippy::cast_precision_loss, reason = "sizes stay far below 2^53")]
fn bytes_figure(name: &str, title: &str, bytes: u64) -> Figure {
    Figure::new(name, title, bytes as f64, Unit::Bytes)
}

#[derive(Clone, Copy)]
struct Memory {
    used: u64,
    resident: u64,
}

async fn memory(store: &EventStore) -> Result<Memory, RedisError> {
    let mut cmd = redis::cmd("INFO");
    cmd.arg("memory");
    let info = Info::parse(&store.inner.jobs.query::<String>(&cmd).await?);
    Ok(Memory {
        used: info.count("used_memory").unwrap_or(0),
        resident: info.count("used_memory_rss").unwrap_or(0),
    })
}

/// Bytes of resident memory that the server gave back; `None` where it does not offer that.
async fn purge(store: &EventStore) -> Result<Option<i64>, RedisError> {
    let before = memory(store).await?;
    let mut cmd = redis::cmd("MEMORY");
    cmd.arg("PURGE");
    match store.inner.jobs.query::<Value>(&cmd).await {
        Ok(_) => {}
        Err(RedisError::Server { .. } | RedisError::NoPermission(_)) => return Ok(None),
        Err(error) => return Err(error),
    }
    let after = memory(store).await?;
    let signed = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
    Ok(Some(signed(before.resident) - signed(after.resident)))
}
