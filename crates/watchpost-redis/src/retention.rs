//! Retention: which events are past their days in Redis, and their removal once they are archived.
//!
//! The caller archives a batch, commits, and only then asks to remove it. A key goes only if it is exactly as it was
//! read (all fields and the expiry) and the engines have acknowledged it; both are decided by the server in one script.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::VecDeque;

use chrono::DateTime;
use chrono::Duration;
use chrono::Utc;
use redis::Value;
use tokio_util::sync::CancellationToken;
use watchpost_model::event::Category;
use watchpost_model::event::Event;
use watchpost_model::ids::EventId;
use watchpost_model::job::JobProgress;
use watchpost_model::policy::RetentionRule;

use crate::error::RedisError;
use crate::keys::GROUP;
use crate::keys::KeyKind;
use crate::large;
use crate::link::Call;
use crate::once::Once;
use crate::reply;
use crate::scripts;
use crate::store::EventStore;
use crate::unread;
use crate::unread::Held;
use crate::walk::Walk;
use crate::walk::WalkPosition;

/// Hashes that one call of a script reads or removes; it holds the server for less than a millisecond.
const CALL_KEYS: usize = 32;
/// Before so many bytes of memory a call takes no further hash.
const CALL_BYTES: u64 = 128 << 10;
/// Bytes of memory after which a batch is full, whatever the number of its events.
const BATCH_BYTES: u64 = 32 << 20;
/// Hashes asked for in one round trip.
const TAKE_AT_ONCE: usize = 8 * CALL_KEYS;

/// One event that is due, as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Its key.
    pub key: String,
    /// Digest of what was read; [`RetentionWalk::remove_unchanged`] compares it.
    pub token: String,
    /// The event, or why it cannot be read. What cannot be archived should not be removed.
    pub event: Result<Event, String>,
    /// What the hash of one that cannot be read holds as text: names and values of its fields, the payload unpacked.
    pub texts: Vec<String>,
    /// Was everything that it holds read? Not of a key that is no hash or too large, nor of a payload that is packed otherwise.
    pub all_read: bool,
    /// Memory that the server uses for it, value and key; 0 if the server does not say.
    pub bytes: u64,
}

/// What a script said of one key.
pub(crate) struct Taken {
    pub(crate) state: String,
    token: String,
    processed: bool,
    bytes: u64,
    pub(crate) fields: Value,
}

/// Of which large events the fields are read, too: they cost the most.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Large {
    Processed,
    All,
}

/// What became of one candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// Gone from Redis by this call.
    Removed,
    /// It is not as it was read: left for the next run.
    Changed,
    /// It was gone already: expired, or removed by a call whose answer was lost.
    Gone,
    /// The engines have not processed it: left.
    Unprocessed,
}

/// What retention would do to one category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CategoryPreview {
    /// The category.
    pub category: Category,
    /// Events that would be archived and removed.
    pub keys: u64,
    /// Their memory, value and key.
    pub bytes: u64,
    /// Events that are due but stay, because the engines have not processed them.
    pub unprocessed: u64,
    /// Time of the oldest of `keys`.
    pub oldest: Option<DateTime<Utc>>,
}

/// What a run would do, counted and not estimated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RetentionPreview {
    /// Every category that has a rule, in the order of the model.
    pub categories: Vec<CategoryPreview>,
    /// What a reader should know about the count.
    pub notes: Vec<String>,
}

/// Who is told how far a pass is.
type Told = Box<dyn Fn(JobProgress) + Send + Sync>;

/// One pass of retention over the event store.
pub struct RetentionWalk {
    store: EventStore,
    walk: Walk,
    cutoffs_ms: BTreeMap<Category, i64>,
    // Keys handed out, as 64-bit hashes: `SCAN` may name a key twice. 8 bytes a due key.
    once: Once,
    due: VecDeque<(String, Category)>,
    // Read and not handed out yet: what an error in the middle of a batch leaves for the next call.
    batch: Vec<Candidate>,
    unprocessed: u64,
    // How many keys were found due and how many of them taken, since the start.
    found: u64,
    taken: u64,
    // How many of the first in `due` were asked for and left.
    left: usize,
    // For each page that is not done: how many keys were due at its end, and where the next one begins.
    pages: VecDeque<(u64, u64)>,
    // Where to go on once everything handed out so far is done, and the pass that this is a position of.
    position: u64,
    pass: u64,
    // What is told after each page of names, and to whom.
    step: String,
    told: Option<Told>,
}

impl RetentionWalk {
    /// Begins a pass: due is what is older at `now` than its rule's `redis_days` (or than `days_override` days).
    /// Categories without a rule stay. `from` is where an interrupted pass was ([`Self::position`]); the notes say whether
    /// that could be used.
    ///
    /// # Errors
    /// Every cause of [`RedisError`].
    pub async fn start(
        store: &EventStore,
        rules: &[RetentionRule],
        now: DateTime<Utc>,
        days_override: Option<u32>,
        from: Option<&WalkPosition>,
        cancel: CancellationToken,
    ) -> Result<Self, RedisError> {
        let cutoff = |rule: &RetentionRule| {
            let days = days_override.unwrap_or(rule.redis_days);
            (rule.category, (now - Duration::days(i64::from(days))).timestamp_millis())
        };
        let mut walk = Walk::start(store, store.inner.keys.pattern(""), cancel).await?;
        if let Some(from) = from {
            walk.go_on_from(from);
        }
        Ok(Self {
            position: walk.cursor(),
            pass: walk.pass(),
            walk,
            store: store.clone(),
            cutoffs_ms: rules.iter().map(cutoff).collect(),
            once: Once::default(),
            due: VecDeque::new(),
            batch: Vec::new(),
            unprocessed: 0,
            found: 0,
            taken: 0,
            left: 0,
            pages: VecDeque::new(),
            step: "looking for events past their days".to_owned(),
            told: None,
        })
    }

    /// Tells `told` how far the pass is after each page of names, whether any event of it is due or not.
    #[must_use]
    pub fn telling(mut self, told: impl Fn(JobProgress) + Send + Sync + 'static) -> Self {
        self.told = Some(Box::new(told));
        self
    }

    /// Tells at once how far the pass is, and from now on that it is at this `step`.
    pub fn tell(&mut self, step: String) {
        self.step = step;
        self.say();
    }

    fn say(&self) {
        if let Some(told) = &self.told {
            told(self.progress());
        }
    }

    /// Where a later pass may begin once everything that was handed out so far is done; the keys before it need not be
    /// looked at again.
    #[must_use]
    pub fn position(&self) -> WalkPosition {
        self.walk.position(self.position)
    }

    /// How far the pass is.
    #[must_use]
    pub fn progress(&self) -> JobProgress {
        progress(&self.walk, &self.step)
    }

    /// Due events met so far that stay because they are not processed.
    #[must_use]
    pub const fn unprocessed(&self) -> u64 {
        self.unprocessed
    }

    /// What a reader of the report should know about the pass.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        self.walk.notes()
    }

    /// Counts what a run would do and changes nothing. Uses up the pass.
    ///
    /// # Errors
    /// Every cause of [`RedisError`]; `Cancelled` within 200 ms.
    pub async fn preview(
        mut self,
        report: &(dyn Fn(JobProgress) + Send + Sync),
    ) -> Result<RetentionPreview, RedisError> {
        let empty = |category| CategoryPreview { category, keys: 0, bytes: 0, unprocessed: 0, oldest: None };
        let mut categories: BTreeMap<Category, CategoryPreview> =
            self.cutoffs_ms.keys().map(|&category| (category, empty(category))).collect();
        loop {
            let more = self.find_due().await?;
            let due: Vec<(String, Category)> = self.due.drain(..).collect();
            let stream = self.store.inner.keys.stream();
            let calls = due.iter().map(|(key, _)| Call::new(&[key, &stream]).arg(GROUP)).collect();
            let answers = self.walk.read(self.store.inner.jobs.eval_many(&scripts::PEEK, calls)).await?;
            for ((key, category), answer) in due.into_iter().zip(answers) {
                let parts = reply::list(answer?);
                let (Some(processed), Some(bytes)) = (parts.first(), parts.get(1).and_then(reply::count))
                else {
                    continue; // Gone meanwhile, or not a hash.
                };
                let Some(row) = categories.get_mut(&category) else { continue };
                if reply::int(processed) == Some(1) {
                    row.keys += 1;
                    row.bytes += bytes;
                    row.oldest = row.oldest.into_iter().chain(self.at_of(&key)).min();
                } else {
                    row.unprocessed += 1;
                }
            }
            report(self.progress());
            if !more {
                let notes = self.walk.notes().to_vec();
                return Ok(RetentionPreview { categories: categories.into_values().collect(), notes });
            }
        }
    }

    /// The next due and processed events, at least one and at most `max`; `None` at the end of the pass.
    ///
    /// # Errors
    /// Every cause of [`RedisError`]; `Cancelled` within 200 ms. After another error the call may be repeated.
    pub async fn next_batch(&mut self, max: usize) -> Result<Option<Vec<Candidate>>, RedisError> {
        let max = max.max(1);
        loop {
            while self.due.len() < max.min(TAKE_AT_ONCE) && !self.walk.finished() {
                self.find_due().await?;
            }
            let bytes: u64 = self.batch.iter().map(|candidate| candidate.bytes).sum();
            if self.due.is_empty() || self.batch.len() >= max || bytes >= BATCH_BYTES {
                let rest = self.batch.split_off(self.batch.len().min(max));
                let batch = std::mem::replace(&mut self.batch, rest);
                // Only without leftovers are the keys that were taken the first ones that were found.
                if self.batch.is_empty() && self.left == 0 {
                    self.pass_pages();
                }
                return Ok((!batch.is_empty()).then_some(batch));
            }
            self.walk.pace().await?;
            let n = self.due.len().min(TAKE_AT_ONCE).min(max - self.batch.len());
            self.take(n).await?;
        }
    }

    /// Of the next page of names the events that are due, processed and can be read; `None` after the last page. For a look
    /// that need not go to the end: what it has read is not for [`Self::next_batch`].
    ///
    /// # Errors
    /// Every cause of [`RedisError`]; `Cancelled` within 200 ms.
    pub async fn next_page(&mut self) -> Result<Option<Vec<(Category, EventId)>>, RedisError> {
        if self.walk.finished() {
            return Ok(None);
        }
        self.find_due().await?;
        let mut page = Vec::new();
        while !self.due.is_empty() {
            self.walk.pace().await?;
            self.take(self.due.len().min(TAKE_AT_ONCE)).await?;
            let read = self.batch.drain(..).filter_map(|candidate| candidate.event.ok());
            page.extend(read.map(|event| (event.category, event.id)));
        }
        Ok(Some(page))
    }

    /// Moves the position behind the pages whose due keys have all been taken.
    fn pass_pages(&mut self) {
        while let Some((_, next)) = self.pages.front().filter(|(found, _)| *found <= self.taken) {
            self.position = *next;
            self.pages.pop_front();
        }
    }

    /// Removes what is unchanged since it was read and has been processed. Only for candidates whose archive is committed.
    /// Answers in the order of `candidates`. May be repeated after any error.
    ///
    /// # Errors
    /// Every cause of [`RedisError`].
    pub async fn remove_unchanged(&mut self, candidates: &[Candidate]) -> Result<Vec<Removal>, RedisError> {
        let (store, walk) = (&self.store, &mut self.walk);
        let removed = walk.write(store.remove_unchanged(candidates)).await?;
        match self.walk.pace().await {
            Ok(()) | Err(RedisError::Cancelled) => Ok(removed), // What was removed must be reported.
            Err(error) => Err(error),
        }
    }

    /// Reads one page of names; false at the end of the pass.
    async fn find_due(&mut self) -> Result<bool, RedisError> {
        let Some(names) = self.walk.step(Vec::new()).await?.names else { return Ok(false) };
        if self.pass != self.walk.pass() {
            // Another server process: positions of the one before are worth nothing, what was found is looked at again.
            self.pass = self.walk.pass();
            self.position = 0;
            self.pages.clear();
            // What was read there may be another value here, or the same with another expiry: it is read again.
            for candidate in std::mem::take(&mut self.batch) {
                let KeyKind::Event(parsed) = self.store.inner.keys.classify(&candidate.key) else { continue };
                let category = parsed.category;
                self.due.push_back((candidate.key, category));
                self.taken -= 1;
            }
            self.once.clear();
            for (key, _) in &self.due {
                self.once.is_new(key.as_bytes());
            }
        }
        for name in names {
            let Ok(key) = String::from_utf8(name) else { continue };
            let KeyKind::Event(parsed) = self.store.inner.keys.classify(&key) else { continue };
            let is_due = self.cutoffs_ms.get(&parsed.category).is_some_and(|cutoff| parsed.at_ms < *cutoff);
            if is_due && self.once.is_new(key.as_bytes()) {
                let category = parsed.category;
                self.due.push_back((key, category));
                self.found += 1;
            }
        }
        self.pages.push_back((self.found, self.walk.cursor()));
        self.say();
        Ok(!self.walk.finished())
    }

    /// Reads the first `n` due keys, or as many of them as the server takes at once.
    async fn take(&mut self, n: usize) -> Result<(), RedisError> {
        let keys: Vec<&str> = self.due.iter().take(n).map(|(key, _)| key.as_str()).collect();
        let taken = read_events(&self.store, &self.walk, &keys, Large::Processed).await?;
        let asked: Vec<(String, Category)> = self.due.drain(..n).collect();
        let mut left = Vec::new();
        for ((key, category), taken) in asked.into_iter().zip(taken) {
            match taken {
                Some(taken) => self.add(key, taken),
                None => left.push((key, category)),
            }
        }
        self.left = self.left.saturating_sub(n) + left.len();
        for again in left.into_iter().rev() {
            self.due.push_front(again);
        }
        Ok(())
    }

    fn add(&mut self, key: String, taken: Taken) {
        self.taken += 1;
        match taken.state.as_str() {
            "gone" => {}
            "ok" if !taken.processed => self.unprocessed += 1,
            state => {
                let fields = (state == "ok").then(|| taken.fields.clone());
                let event = self.store.event_of(&key, state, taken.fields);
                let Held { texts, all } = match (&event, fields) {
                    (Ok(_), _) => Held { texts: Vec::new(), all: true },
                    (Err(_), Some(fields)) => unread::held(fields),
                    (Err(_), None) => Held::default(),
                };
                let (token, bytes) = (taken.token, taken.bytes);
                self.batch.push(Candidate { key, token, event, texts, all_read: all, bytes });
            }
        }
    }

    fn at_of(&self, key: &str) -> Option<DateTime<Utc>> {
        match self.store.inner.keys.classify(key) {
            KeyKind::Event(parsed) => DateTime::from_timestamp_millis(parsed.at_ms),
            KeyKind::Malformed(_) | KeyKind::Own | KeyKind::Foreign => None,
        }
    }
}

/// Reads the hashes of `keys` as the archive needs them, in their order; `None` for those that are to be asked for again,
/// because others before them had bytes enough. Of any `keys` the first one is read.
pub(crate) async fn read_events(
    store: &EventStore,
    walk: &Walk,
    keys: &[&str],
    large: Large,
) -> Result<Vec<Option<Taken>>, RedisError> {
    let stream = store.inner.keys.stream();
    let calls = keys.chunks(CALL_KEYS).map(|keys| {
        Call::new(&[&[stream.as_str()][..], keys].concat())
            .arg(GROUP)
            .arg(CALL_BYTES.to_string())
            .arg(large::LARGE_BYTES.to_string())
    });
    let asked = store.inner.jobs.eval_many(&scripts::TAKE, calls.collect());
    let answers = walk.read(asked).await?;
    let answers = answers.into_iter().collect::<Result<Vec<_>, _>>()?; // All or none, so that none is skipped.
    let mut taken: Vec<Option<Taken>> = Vec::with_capacity(keys.len());
    for (keys, answer) in keys.chunks(CALL_KEYS).zip(answers) {
        // A call that had read enough has left the rest of its keys.
        let mut read = reply::list(answer).into_iter();
        for key in keys {
            let one = match read.next() {
                Some(answer) => Some(whole(store, walk, key, taken_of(answer)?, large).await?),
                None => None,
            };
            taken.push(one);
        }
    }
    Ok(taken)
}

/// Reads the fields of a large event, which the script has left.
async fn whole(
    store: &EventStore,
    walk: &Walk,
    key: &str,
    mut taken: Taken,
    large: Large,
) -> Result<Taken, RedisError> {
    if !large::is_large(&taken.token) || (large == Large::Processed && !taken.processed) {
        return Ok(taken);
    }
    match walk.read(store.read_large(key, &taken.token)).await? {
        Some((fields, token)) => (taken.fields, taken.token) = (fields, token),
        None => taken.state = "gone".to_owned(),
    }
    Ok(taken)
}

fn taken_of(answer: Value) -> Result<Taken, RedisError> {
    let unknown = || RedisError::Answer { command: "EVALSHA take" };
    let mut parts = reply::list(answer).into_iter();
    Ok(Taken {
        state: parts.next().and_then(reply::text).ok_or_else(unknown)?,
        token: parts.next().and_then(reply::text).ok_or_else(unknown)?,
        processed: parts.next().as_ref().and_then(reply::int).ok_or_else(unknown)? == 1,
        bytes: parts.next().as_ref().and_then(reply::count).unwrap_or(0),
        fields: parts.next().unwrap_or_default(),
    })
}

impl EventStore {
    /// Which of these categories have an index: their events are in it, and removing them changes it.
    ///
    /// # Errors
    /// Every cause of [`RedisError`].
    pub async fn indexed(&self, categories: BTreeSet<Category>) -> Result<BTreeSet<Category>, RedisError> {
        let mut pipe = redis::pipe();
        for &category in &categories {
            pipe.cmd("EXISTS").arg(self.inner.keys.index(category));
        }
        let answers = self.inner.jobs.pipe(pipe).await?;
        let exists = categories.into_iter().zip(answers);
        Ok(exists
            .filter(|(_, answer)| matches!(answer, Ok(value) if reply::int(value) == Some(1)))
            .map(|(category, _)| category)
            .collect())
    }

    /// See [`RetentionWalk::remove_unchanged`]; for a job that goes on with candidates of an earlier run.
    ///
    /// # Errors
    /// Every cause of [`RedisError`].
    pub async fn remove_unchanged(&self, candidates: &[Candidate]) -> Result<Vec<Removal>, RedisError> {
        let small: Vec<&Candidate> =
            candidates.iter().filter(|candidate| !large::is_large(&candidate.token)).collect();
        let mut of_small = self.remove_small(&small).await?.into_iter();
        let mut removals = Vec::with_capacity(candidates.len());
        for candidate in candidates {
            removals.push(if large::is_large(&candidate.token) {
                self.remove_large(candidate).await?
            } else {
                of_small.next().ok_or(RedisError::Answer { command: "EVALSHA remove" })?
            });
        }
        Ok(removals)
    }

    async fn remove_small(&self, candidates: &[&Candidate]) -> Result<Vec<Removal>, RedisError> {
        let keys = &self.inner.keys;
        let stream = keys.stream();
        let mut calls = Vec::with_capacity(candidates.len() / CALL_KEYS + 1);
        let mut rest = candidates;
        while !rest.is_empty() {
            let mut bytes = 0;
            let fits = rest.iter().take(CALL_KEYS).take_while(|candidate| {
                let first = bytes == 0;
                bytes += candidate.bytes.max(1);
                first || bytes <= CALL_BYTES
            });
            let (now, later) = rest.split_at(fits.count());
            rest = later;
            let mut names = vec![stream.clone()];
            let mut tokens = Vec::with_capacity(now.len());
            for candidate in now {
                let index = match keys.classify(&candidate.key) {
                    KeyKind::Event(parsed) => keys.index(parsed.category),
                    KeyKind::Malformed(_) | KeyKind::Own | KeyKind::Foreign => stream.clone(),
                };
                // An empty token never matches; so what could not be read, or is no event's key, stays.
                tokens.push(if index == stream { "" } else { candidate.token.as_str() });
                names.extend([candidate.key.clone(), index]);
            }
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            calls.push(tokens.into_iter().fold(Call::new(&names).arg(GROUP), Call::arg));
        }
        let answers = self.inner.jobs.eval_many(&scripts::REMOVE, calls).await?;
        let mut removals = Vec::with_capacity(candidates.len());
        for answer in answers {
            for outcome in reply::list(answer?) {
                removals.push(match reply::text(outcome).as_deref() {
                    Some("removed") => Removal::Removed,
                    Some("changed") => Removal::Changed,
                    Some("gone") => Removal::Gone,
                    Some("unprocessed") => Removal::Unprocessed,
                    _ => return Err(RedisError::Answer { command: "EVALSHA remove" }),
                });
            }
        }
        if removals.len() == candidates.len() {
            Ok(removals)
        } else {
            Err(RedisError::Answer { command: "EVALSHA remove" })
        }
    }
}

/// How far `walk` is: `SCAN` tells no position, so this counts against the number of keys at the start.
pub(crate) fn progress(walk: &Walk, step: &str) -> JobProgress {
    let total = walk.expected();
    let done = if walk.finished() { total } else { walk.scanned().min(total) };
    JobProgress { done, total: Some(total), unit: "keys".to_owned(), step: step.to_owned() }
}
