//! Reading what is in Redis for a file: events by category and time, or every key under the prefix.
//!
//! One pass. Each round trip carries the values of one page of keys, the sizes of the next and the `SCAN` for the one
//! after; a value is asked for only when its size is known, and no pipeline asks for more than a mebibyte.

mod left_out;

use std::collections::HashSet;
use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::hash::RandomState;

use chrono::DateTime;
use chrono::Duration;
use chrono::Utc;
use redis::Cmd;
use redis::RedisResult;
use redis::Value;
use tokio_util::sync::CancellationToken;
use watchpost_model::event::Category;
use watchpost_model::event::Event;
use watchpost_model::job::JobProgress;

use crate::error::RedisError;
use crate::export::left_out::LeftOut;
use crate::keys::KeyKind;
use crate::link::PIPELINE_BYTES;
use crate::reply;
use crate::retention::progress;
use crate::stop;
use crate::store::EventStore;
use crate::typed::Elements;
use crate::typed::ValueKind;
use crate::typed::WHOLE_BYTES_MAX;
use crate::typed::Windows;
use crate::usage::usage;
use crate::walk;
use crate::walk::Walk;

/// An event's hash has at most this many fields, and this many bytes with its key.
const FIELDS_MAX: usize = 64;
const EVENT_BYTES_MAX: u64 = 2 << 20;
/// Up to this many bytes of memory a key is read without asking for its type and its number of fields before.
const SMALL_BYTES_MAX: u64 = 64 << 10;
/// What is taken for the size of a hash of few fields where the user may not ask for it.
const UNKNOWN_BYTES: u64 = 1 << 10;

const NO_HASH: &str = "it is not a hash";
const TOO_WIDE: &str = "it has more fields than an event may have";

/// Which events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventChoice {
    /// Of these categories; empty means all.
    pub categories: Vec<Category>,
    /// Whose key has this time or a later one.
    pub from: Option<DateTime<Utc>>,
    /// Whose key has an earlier time.
    pub to: Option<DateTime<Utc>>,
}

impl EventChoice {
    fn takes(&self, category: Category, at_ms: i64) -> bool {
        let in_category = self.categories.is_empty() || self.categories.contains(&category);
        in_category
            && self.from.is_none_or(|from| at_ms >= from.timestamp_millis())
            && self.to.is_none_or(|to| at_ms < to.timestamp_millis())
    }
}

/// One event as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportedEvent {
    /// Its key.
    pub key: String,
    /// Memory that the server uses for it.
    pub bytes: u64,
    /// The event, or why it cannot be read.
    pub event: Result<Event, String>,
}

/// A key, or a part of one that is large.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyPart {
    /// Its name.
    pub key: Vec<u8>,
    /// What it holds.
    pub kind: ValueKind,
    /// When it expires.
    pub expires_at: Option<DateTime<Utc>>,
    /// Which part this is, from 0; a small value has one.
    pub part: u64,
    /// The value, or the elements of this part.
    pub elements: Elements,
}

/// What an export would write, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExportCount {
    /// Keys.
    pub keys: u64,
    /// Their memory, value and key.
    pub bytes: u64,
}

/// Keys of one pass, each once.
struct Once {
    seen: HashSet<u64>,
    hasher: RandomState,
}

impl Once {
    fn new() -> Self {
        Self { seen: HashSet::new(), hasher: RandomState::new() }
    }

    /// `SCAN` may name a key twice. 8 bytes a key.
    fn is_new(&mut self, name: &[u8]) -> bool {
        self.seen.insert(self.hasher.hash_one(name))
    }
}

/// Made for each key while the server has nothing to do: with room for its words, so that they are not moved as it grows.
fn about(name: &str, key: &[u8]) -> Cmd {
    let mut cmd = Cmd::with_capacity(2, name.len() + key.len());
    cmd.arg(name).arg(key);
    cmd
}

/// A key that is not read yet, and what the server is asked about it.
struct Named {
    key: String,
    /// Its memory, if that is known: then the question is for its fields.
    bytes: Option<u64>,
    question: Cmd,
}

impl Named {
    fn new(key: String) -> Self {
        Self { question: usage(key.as_bytes()), key, bytes: None }
    }

    /// A key whose memory says too little.
    fn of_size(key: String, bytes: u64) -> Self {
        Self { question: about("HLEN", key.as_bytes()), key, bytes: Some(bytes) }
    }
}

/// One pass over events.
pub struct EventWalk {
    store: EventStore,
    walk: Walk,
    choice: EventChoice,
    once: Once,
    /// Not known to be readable.
    named: Vec<Named>,
    /// Of known size, not read.
    sized: VecDeque<(String, u64)>,
    /// Read, and decoded while the server answers the next questions.
    raw: Vec<RawEvent>,
    rows: Vec<ExportedEvent>,
    over: bool,
}

impl EventWalk {
    /// Begins a pass.
    ///
    /// # Errors
    /// Every cause of [`RedisError`].
    pub async fn start(
        store: &EventStore,
        choice: EventChoice,
        cancel: CancellationToken,
    ) -> Result<Self, RedisError> {
        let pattern = match choice.categories[..] {
            // A filter of the server helps only where most keys are not wanted.
            [category] => store.inner.keys.pattern(&format!("{}:", category.key_segment())),
            _ => store.inner.keys.pattern(""),
        };
        Ok(Self {
            walk: Walk::start(store, pattern, cancel).await?,
            store: store.clone(),
            choice,
            once: Once::new(),
            named: Vec::new(),
            sized: VecDeque::new(),
            raw: Vec::new(),
            rows: Vec::new(),
            over: false,
        })
    }

    /// How far the pass is.
    #[must_use]
    pub fn progress(&self) -> JobProgress {
        progress(&self.walk, "reading events")
    }

    /// What a reader of the report should know about the pass.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        self.walk.notes()
    }

    /// The next events; `None` at the end of the pass.
    ///
    /// # Errors
    /// Every cause of [`RedisError`]; `Cancelled` within 200 ms.
    pub async fn next_batch(&mut self) -> Result<Option<Vec<ExportedEvent>>, RedisError> {
        while self.rows.is_empty() && !self.over {
            self.turn().await?;
        }
        let rows = std::mem::take(&mut self.rows);
        Ok((!rows.is_empty()).then_some(rows))
    }

    /// One round trip, or a few where values are large.
    async fn turn(&mut self) -> Result<(), RedisError> {
        let mut asked = self.take();
        while !self.sized.is_empty() {
            self.walk.pace().await?;
            let mut pipe = redis::pipe();
            for (key, _) in &asked {
                pipe.add_command(ValueKind::Hash.read(key.as_bytes()));
            }
            let answers = self.walk.read(self.store.inner.jobs.pipe(pipe)).await?;
            walk::readable(&self.store, &answers)?;
            self.raw.extend(asked.into_iter().zip(answers));
            asked = self.take();
        }
        let (named, questions): (Vec<_>, Vec<_>) = std::mem::take(&mut self.named)
            .into_iter()
            .map(|named| ((named.key, named.bytes), named.question))
            .unzip();
        let values = asked.iter().map(|(key, _)| ValueKind::Hash.read(key.as_bytes()));
        let commands = values.chain(questions).collect();
        let (store, raw, rows) = (&self.store, std::mem::take(&mut self.raw), &mut self.rows);
        let decode = || rows.extend(raw.into_iter().filter_map(|raw| decoded(store, raw)));
        let (choice, once) = (&self.choice, &mut self.once);
        let choose = |names: &[Vec<u8>]| wanted(store, choice, once, names);
        let (step, next) = self.walk.step_while(commands, choose, decode).await?;
        let mut answers = step.answers;
        let of_questions = answers.split_off(asked.len().min(answers.len()));
        walk::readable(&self.store, &answers)?;
        self.raw.extend(asked.into_iter().zip(answers));
        for ((key, bytes), answer) in named.into_iter().zip(of_questions) {
            match bytes {
                None => self.weigh(key, answer),
                Some(bytes) => self.count_fields(key, bytes, answer)?,
            }
        }
        let nothing_new = next.is_none();
        self.named.extend(next.unwrap_or_default());
        let all_read = self.sized.is_empty() && self.raw.is_empty();
        self.over = nothing_new && self.named.is_empty() && all_read;
        Ok(())
    }

    /// What one pipeline may ask for.
    fn take(&mut self) -> Vec<(String, u64)> {
        let mut bytes = 0;
        let fits = self.sized.iter().take_while(|(_, size)| {
            let first = bytes == 0;
            bytes += size;
            first || bytes <= PIPELINE_BYTES as u64
        });
        let n = fits.count();
        self.sized.drain(..n).collect()
    }

    /// What comes next for a key, by its memory.
    fn weigh(&mut self, key: String, answer: RedisResult<Value>) {
        match answer.as_ref().map(reply::count) {
            Ok(Some(bytes)) if bytes <= SMALL_BYTES_MAX => self.sized.push_back((key, bytes)),
            Ok(Some(bytes)) => self.named.push(Named::of_size(key, bytes)),
            Ok(None) => {} // Gone meanwhile.
            // A user who may not ask for the size has a hash of few fields read all the same.
            Err(_) => self.named.push(Named::of_size(key, UNKNOWN_BYTES)),
        }
    }

    fn count_fields(
        &mut self,
        key: String,
        bytes: u64,
        answer: RedisResult<Value>,
    ) -> Result<(), RedisError> {
        let reason = match answer.as_ref().map(reply::count) {
            Ok(Some(0)) => return Ok(()), // Gone meanwhile.
            Ok(Some(n)) if n > FIELDS_MAX as u64 => TOO_WIDE,
            Ok(Some(_)) if bytes > EVENT_BYTES_MAX => "it is larger than an event may be",
            Ok(Some(_)) => {
                self.sized.push_back((key, bytes));
                return Ok(());
            }
            Ok(None) => "its size cannot be read",
            Err(_) => {
                walk::readable(&self.store, std::slice::from_ref(&answer))?;
                NO_HASH
            }
        };
        self.rows.push(ExportedEvent { key, bytes, event: Err(reason.to_owned()) });
        Ok(())
    }
}

/// Those of the names that are chosen, each once, with the first question about each.
fn wanted(store: &EventStore, choice: &EventChoice, once: &mut Once, names: &[Vec<u8>]) -> Vec<Named> {
    let key = |name: &Vec<u8>| {
        let key = std::str::from_utf8(name).ok()?;
        let KeyKind::Event(parsed) = store.inner.keys.classify(key) else { return None };
        let is_wanted = choice.takes(parsed.category, parsed.at_ms) && once.is_new(name);
        is_wanted.then(|| Named::new(key.to_owned()))
    };
    names.iter().filter_map(key).collect()
}

/// A key, its size and what the server said of its value.
type RawEvent = ((String, u64), RedisResult<Value>);

/// `None` if it is gone meanwhile.
fn decoded(store: &EventStore, ((key, bytes), answer): RawEvent) -> Option<ExportedEvent> {
    let event = match answer {
        Ok(Value::Array(items)) if items.is_empty() => return None,
        Ok(Value::Array(items)) if items.len() > 2 * FIELDS_MAX => Err(TOO_WIDE.to_owned()),
        Ok(fields) => store.event_of(&key, "ok", fields),
        // Everything else that is refused has ended the pass.
        Err(_) => Err(NO_HASH.to_owned()),
    };
    Some(ExportedEvent { key, bytes, event })
}

/// What is asked of a key before its value is.
fn questions(key: &[u8]) -> [Cmd; 3] {
    [about("TYPE", key), about("PTTL", key), usage(key)]
}

/// What a key is, before its value is read.
#[derive(Debug, Clone)]
pub(crate) struct KeyFacts {
    pub(crate) key: Vec<u8>,
    /// `None` for a type of a module.
    pub(crate) kind: Option<ValueKind>,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    pub(crate) bytes: Option<u64>,
}

/// Every key under the prefix with what it is, page by page; answers to commands of the caller come along.
pub(crate) struct FactWalk {
    pub(crate) store: EventStore,
    pub(crate) walk: Walk,
    once: Once,
    /// How far the server's clock is ahead of ours.
    ahead: Duration,
    named: Vec<Vec<u8>>,
    /// About those named, in their order.
    questions: Vec<Cmd>,
    pub(crate) over: bool,
}

impl FactWalk {
    pub(crate) async fn start(store: &EventStore, cancel: CancellationToken) -> Result<Self, RedisError> {
        Ok(Self {
            ahead: stop::read(&cancel, store.server_now()).await? - store.now(),
            walk: Walk::start(store, store.inner.keys.pattern(""), cancel).await?,
            store: store.clone(),
            once: Once::new(),
            named: Vec::new(),
            questions: Vec::new(),
            over: false,
        })
    }

    /// Sends `commands`; their answers, and the facts of the next keys.
    pub(crate) async fn turn(
        &mut self,
        commands: Vec<Cmd>,
    ) -> Result<(Vec<RedisResult<Value>>, Vec<KeyFacts>), RedisError> {
        self.turn_while(commands, || ()).await
    }

    /// The same; `meanwhile` runs while the server answers.
    async fn turn_while(
        &mut self,
        commands: Vec<Cmd>,
        meanwhile: impl FnOnce(),
    ) -> Result<(Vec<RedisResult<Value>>, Vec<KeyFacts>), RedisError> {
        let n = commands.len();
        let named = std::mem::take(&mut self.named);
        let asked = commands.into_iter().chain(std::mem::take(&mut self.questions)).collect();
        let once = &mut self.once;
        let prepare = |names: &[Vec<u8>]| {
            let fresh: Vec<Vec<u8>> = names.iter().filter(|name| once.is_new(name)).cloned().collect();
            let questions: Vec<Cmd> = fresh.iter().flat_map(|key| questions(key)).collect();
            (fresh, questions)
        };
        let (step, next) = self.walk.step_while(asked, prepare, meanwhile).await?;
        let mut answers = step.answers;
        let mut of_facts = answers.split_off(n.min(answers.len())).into_iter();
        let now = self.store.now() + self.ahead;
        let mut facts = Vec::with_capacity(named.len());
        for key in named {
            let (kind, ttl, bytes) = (of_facts.next(), of_facts.next(), of_facts.next());
            let told = |answer: Option<RedisResult<Value>>| {
                answer.transpose().map_err(|error| self.store.classify(error))
            };
            // Whoever may not ask for these would take a key for gone, or for one that never expires.
            let (kind, ttl) = (told(kind)?.and_then(reply::text), told(ttl)?.as_ref().and_then(reply::int));
            let Some(kind) = kind.filter(|kind| kind != "none") else { continue };
            let expires_at = ttl.filter(|ttl| *ttl >= 0).map(|ttl| now + Duration::milliseconds(ttl));
            let bytes = bytes.and_then(Result::ok).map(|bytes| reply::count(&bytes).unwrap_or(0));
            facts.push(KeyFacts { key, kind: ValueKind::of(&kind), expires_at, bytes });
        }
        self.over = next.is_none();
        (self.named, self.questions) = next.unwrap_or_default();
        Ok((answers, facts))
    }
}

/// What one pipeline may ask for.
pub(crate) fn take_page(keys: &mut Vec<KeyFacts>) -> Vec<KeyFacts> {
    let mut bytes = 0;
    let fits = keys.iter().take_while(|key| {
        let first = bytes == 0;
        bytes += key.bytes.unwrap_or(0);
        first || bytes <= PIPELINE_BYTES as u64
    });
    let rest = keys.split_off(fits.count());
    std::mem::replace(keys, rest)
}

/// One pass over every key under the prefix.
pub struct KeyWalk {
    facts: FactWalk,
    small: Vec<KeyFacts>,
    large: VecDeque<KeyFacts>,
    /// Read, and looked at while the server answers the next questions.
    raw: Vec<(KeyFacts, RedisResult<Value>)>,
    reading: Option<(KeyFacts, Windows, u64)>,
    left: LeftOut,
}

impl KeyWalk {
    /// Begins a pass.
    ///
    /// # Errors
    /// Every cause of [`RedisError`].
    pub async fn start(store: &EventStore, cancel: CancellationToken) -> Result<Self, RedisError> {
        Ok(Self {
            facts: FactWalk::start(store, cancel).await?,
            small: Vec::new(),
            large: VecDeque::new(),
            raw: Vec::new(),
            reading: None,
            left: LeftOut::default(),
        })
    }

    /// How far the pass is.
    #[must_use]
    pub fn progress(&self) -> JobProgress {
        progress(&self.facts.walk, "reading keys")
    }

    /// What a reader of the report should know about the pass.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let mut notes = self.facts.walk.notes().to_vec();
        notes.extend(self.left.words());
        notes
    }

    /// The next keys or parts of keys; `None` at the end of the pass.
    ///
    /// # Errors
    /// Every cause of [`RedisError`]; `Cancelled` within 200 ms.
    pub async fn next_batch(&mut self) -> Result<Option<Vec<KeyPart>>, RedisError> {
        loop {
            if let Some(part) = self.window().await? {
                return Ok(Some(vec![part]));
            }
            if self.facts.over && self.small.is_empty() && self.raw.is_empty() {
                return Ok(None);
            }
            let parts = self.page().await?;
            if !parts.is_empty() {
                return Ok(Some(parts));
            }
        }
    }

    /// Counts what the pass would read, without reading it. Uses up the pass.
    ///
    /// # Errors
    /// As [`Self::next_batch`].
    pub async fn count(
        mut self,
        report: &(dyn Fn(JobProgress) + Send + Sync),
    ) -> Result<(ExportCount, Vec<String>), RedisError> {
        let (mut count, mut is_unmeasured) = (ExportCount::default(), false);
        while !self.facts.over {
            let (_, facts) = self.facts.turn(Vec::new()).await?;
            for key in facts {
                if key.kind.is_none() {
                    self.left.unread += 1;
                    continue;
                }
                count.keys += 1;
                count.bytes += key.bytes.unwrap_or(0);
                is_unmeasured |= key.bytes.is_none();
            }
            report(self.progress());
        }
        let mut notes = self.notes();
        if is_unmeasured {
            notes.push("memory: n/a, the server does not tell it of every key".to_owned());
        }
        Ok((count, notes))
    }

    async fn page(&mut self) -> Result<Vec<KeyPart>, RedisError> {
        let asked = take_page(&mut self.small);
        let commands = asked.iter().filter_map(|key| Some(key.kind?.read(&key.key))).collect();
        let raw = std::mem::take(&mut self.raw);
        let changed = raw.iter().filter(|(_, answer)| answer.is_err()).count();
        let read = raw.len() - changed;
        self.left.changed += changed as u64;
        let mut parts = Vec::with_capacity(raw.len());
        let look = || parts.extend(raw.into_iter().filter_map(whole));
        let (answers, facts) = self.facts.turn_while(commands, look).await?;
        self.left.empty += (read - parts.len()) as u64;
        walk::readable(&self.facts.store, &answers)?;
        self.raw = asked.into_iter().zip(answers).collect();
        for key in facts {
            match key.kind {
                None => self.left.unread += 1,
                // A value whose size is not known is read window by window.
                Some(_) if key.bytes.is_none_or(|bytes| bytes > WHOLE_BYTES_MAX) => self.large.push_back(key),
                Some(_) => self.small.push(key),
            }
        }
        Ok(parts)
    }

    /// The next window of a large value.
    async fn window(&mut self) -> Result<Option<KeyPart>, RedisError> {
        loop {
            let Some((key, windows, part)) = &mut self.reading else {
                let Some(key) = self.large.pop_front() else { return Ok(None) };
                let Some(kind) = key.kind else { continue };
                self.reading = Some((key.clone(), Windows::new(key.key, kind), 0));
                continue;
            };
            self.facts.walk.pace().await?;
            let store = &self.facts.store;
            let elements = match self.facts.walk.read(windows.next(&store.inner.jobs)).await {
                Ok(Some(elements)) => elements,
                // At its end, or of another type by now: what is written of it stays.
                Ok(None) => {
                    self.left.empty += u64::from(*part == 0);
                    self.reading = None;
                    continue;
                }
                Err(RedisError::WrongType(_)) => {
                    self.left.changed += u64::from(*part == 0);
                    self.reading = None;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let found = KeyPart {
                key: key.key.clone(),
                kind: windows.kind,
                expires_at: key.expires_at,
                part: *part,
                elements,
            };
            *part += 1;
            return Ok(Some(found));
        }
    }
}

/// A key that was read at once; `None` if it is gone meanwhile, or of another type.
fn whole((key, answer): (KeyFacts, RedisResult<Value>)) -> Option<KeyPart> {
    let kind = key.kind?;
    let elements = kind.elements(answer.ok().filter(|value| *value != Value::Nil)?);
    (kind == ValueKind::Text || !elements.is_empty()).then_some(KeyPart {
        key: key.key,
        kind,
        expires_at: key.expires_at,
        part: 0,
        elements,
    })
}
