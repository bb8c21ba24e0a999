//! One pass over the events in Redis, by category and time.

use std::collections::VecDeque;

use chrono::DateTime;
use chrono::Utc;
use redis::Cmd;
use redis::RedisResult;
use redis::Value;
use tokio_util::sync::CancellationToken;
use watchpost_model::event::Category;
use watchpost_model::event::Event;
use watchpost_model::job::JobProgress;

use crate::error::RedisError;
use crate::export::HashRead;
use crate::export::about;
use crate::export::aside;
use crate::export::aside::Aside;
use crate::export::way;
use crate::keys::KeyKind;
use crate::link::PIPELINE_BYTES;
use crate::once::Once;
use crate::payload;
use crate::reply;
use crate::retention::progress;
use crate::stop;
use crate::store::EventStore;
use crate::usage::usage;
use crate::walk;
use crate::walk::Asked;
use crate::walk::Walk;

/// An event's hash has at most this many fields, and this many bytes with its key.
const FIELDS_MAX: usize = 64;
/// The engine's mark, which is none of them.
const MARK: &[u8] = b"_q";
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
    /// Memory that the server uses for it, if it tells that.
    pub bytes: Option<u64>,
    /// The event, or why it cannot be read.
    pub event: Result<Event, String>,
}

/// A key that is not read yet, and what the server is asked about it.
struct Named {
    key: String,
    /// Its memory, once that was asked for: then the question is for its fields.
    memory: Option<Memory>,
    question: Cmd,
}

/// What a key takes.
#[derive(Clone, Copy)]
struct Memory {
    /// [`UNKNOWN_BYTES`] where the server does not tell it.
    bytes: u64,
    is_told: bool,
}

impl Memory {
    const UNKNOWN: Self = Self { bytes: UNKNOWN_BYTES, is_told: false };

    const fn told(bytes: u64) -> Self {
        Self { bytes, is_told: true }
    }

    fn known(self) -> Option<u64> {
        self.is_told.then_some(self.bytes)
    }
}

impl Named {
    fn new(key: String) -> Self {
        Self { question: usage(key.as_bytes()), key, memory: None }
    }

    /// A key whose memory says too little.
    fn of_size(key: String, memory: Memory) -> Self {
        Self { question: about("HLEN", key.as_bytes()), key, memory: Some(memory) }
    }
}

/// A key whose memory is known.
struct Weighed {
    key: String,
    memory: Memory,
    how: HashRead,
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
    sized: VecDeque<Weighed>,
    hashes: HashRead,
    /// Sent, so that the server always has something to do while what it said before is looked at.
    under_way: Option<UnderWay>,
    /// Read, and to be decoded while the server answers the next questions.
    raw: Vec<RawEvent>,
    decoding: Aside<Decoded>,
    rows: Vec<ExportedEvent>,
    over: bool,
}

/// What the server is asked, and not looked at yet.
struct UnderWay {
    /// Whose values.
    values: Vec<Weighed>,
    /// About which keys, with their memory where it is known.
    named: Vec<(String, Option<Memory>)>,
    answers: Asked,
}

impl UnderWay {
    const fn is_nothing(&self) -> bool {
        self.values.is_empty() && self.named.is_empty()
    }
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
        let (_, hashes) = stop::read(&cancel, way::choose(store)).await?;
        let walk = Walk::start(store, pattern, cancel).await?;
        Ok(Self {
            once: Once::with_room(walk.expected()),
            hashes,
            walk,
            store: store.clone(),
            choice,
            named: Vec::new(),
            sized: VecDeque::new(),
            under_way: None,
            raw: Vec::new(),
            decoding: Aside::new(),
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

    /// Asks for one page, or in a few round trips where values are large, and looks at what was answered to the one before.
    async fn turn(&mut self) -> Result<(), RedisError> {
        let mut asked = self.take();
        while !self.sized.is_empty() {
            self.walk.pace().await?;
            let mut pipe = redis::pipe();
            for sized in &asked {
                pipe.add_command(sized.how.command(sized.key.as_bytes()));
            }
            let answers = self.walk.read(self.store.inner.jobs.pipe(pipe)).await?;
            walk::readable(&self.store, &answers)?;
            self.raw.extend(asked.into_iter().zip(answers));
            asked = self.take();
        }
        let (named, questions): (Vec<_>, Vec<_>) = std::mem::take(&mut self.named)
            .into_iter()
            .map(|named| ((named.key, named.memory), named.question))
            .unzip();
        let values = asked.iter().map(|sized| sized.how.command(sized.key.as_bytes()));
        let commands = values.chain(questions).collect();
        let (store, raw) = (self.store.clone(), std::mem::take(&mut self.raw));
        let decoded = self.decoding.next((!raw.is_empty()).then_some(move || all_decoded(&store, raw)));
        let (store, choice, once) = (&self.store, &self.choice, &mut self.once);
        let choose = |names| wanted(store, choice, once, names);
        let (answers, next) = self.walk.step_ahead(commands, choose, || ()).await?;
        if let Some((rows, unread)) = aside::done(decoded).await? {
            self.rows.extend(rows);
            self.sized.extend(unread);
        }
        let nothing_new = next.is_none();
        self.named.extend(next.unwrap_or_default());
        if let Some(before) = self.under_way.replace(UnderWay { values: asked, named, answers }) {
            self.look_at(before).await?;
        }
        let all_read =
            self.named.is_empty() && self.sized.is_empty() && self.raw.is_empty() && self.decoding.is_idle();
        self.over = nothing_new && all_read && self.under_way.as_ref().is_none_or(UnderWay::is_nothing);
        Ok(())
    }

    async fn look_at(&mut self, asked: UnderWay) -> Result<(), RedisError> {
        let mut answers = self.walk.read(asked.answers).await?;
        let of_questions = answers.split_off(asked.values.len().min(answers.len()));
        walk::readable(&self.store, &answers)?;
        self.raw.extend(asked.values.into_iter().zip(answers));
        for ((key, memory), answer) in asked.named.into_iter().zip(of_questions) {
            match memory {
                None => self.weigh(key, answer),
                Some(memory) => self.count_fields(key, memory, answer)?,
            }
        }
        Ok(())
    }

    /// What one pipeline may ask for.
    fn take(&mut self) -> Vec<Weighed> {
        let mut bytes = 0;
        let fits = self.sized.iter().take_while(|sized| {
            let first = bytes == 0;
            bytes += sized.memory.bytes;
            first || bytes <= PIPELINE_BYTES as u64
        });
        let n = fits.count();
        self.sized.drain(..n).collect()
    }

    /// What comes next for a key, by its memory.
    fn weigh(&mut self, key: String, answer: RedisResult<Value>) {
        match answer.as_ref().map(reply::count) {
            Ok(Some(bytes)) if bytes <= SMALL_BYTES_MAX => {
                self.sized.push_back(Weighed { key, memory: Memory::told(bytes), how: self.hashes });
            }
            Ok(Some(bytes)) => self.named.push(Named::of_size(key, Memory::told(bytes))),
            Ok(None) => {} // Gone meanwhile.
            // A user who may not ask for the size has a hash of few fields read all the same.
            Err(_) => self.named.push(Named::of_size(key, Memory::UNKNOWN)),
        }
    }

    fn count_fields(
        &mut self,
        key: String,
        memory: Memory,
        answer: RedisResult<Value>,
    ) -> Result<(), RedisError> {
        let reason = match answer.as_ref().map(reply::count) {
            Ok(Some(0)) => return Ok(()), // Gone meanwhile.
            // One more may be the mark.
            Ok(Some(n)) if n > FIELDS_MAX as u64 + 1 => TOO_WIDE,
            Ok(Some(_)) if memory.bytes > EVENT_BYTES_MAX => "it is larger than an event may be",
            Ok(Some(_)) => {
                // A large one has few fields, and is not worth to be compressed by the server.
                self.sized.push_back(Weighed { key, memory, how: HashRead::Fields });
                return Ok(());
            }
            Ok(None) => "its size cannot be read",
            Err(_) => {
                walk::readable(&self.store, std::slice::from_ref(&answer))?;
                NO_HASH
            }
        };
        self.rows.push(ExportedEvent { key, bytes: memory.known(), event: Err(reason.to_owned()) });
        Ok(())
    }
}

/// Those of the names that are chosen, each once, with the first question about each.
fn wanted(store: &EventStore, choice: &EventChoice, once: &mut Once, names: Vec<Vec<u8>>) -> Vec<Named> {
    let key = |name: Vec<u8>| {
        let key = String::from_utf8(name).ok()?;
        let KeyKind::Event(parsed) = store.inner.keys.classify(&key) else { return None };
        let is_wanted = choice.takes(parsed.category, parsed.at_ms) && once.is_new(key.as_bytes());
        is_wanted.then(|| Named::new(key))
    };
    names.into_iter().filter_map(key).collect()
}

/// A key, and what the server said of its value.
type RawEvent = (Weighed, RedisResult<Value>);

fn name(value: &Value) -> Option<&[u8]> {
    if let Value::BulkString(name) = value { Some(name) } else { None }
}

/// How many of the names are the mark: one at most.
fn marks<'a>(mut names: impl Iterator<Item = &'a [u8]>) -> usize {
    usize::from(names.any(|name| name == MARK))
}

/// What came of a page: its events, and those whose payload is not read here.
type Decoded = (Vec<ExportedEvent>, Vec<Weighed>);

fn all_decoded(store: &EventStore, raw: Vec<RawEvent>) -> Decoded {
    let (mut rows, mut unread) = (Vec::with_capacity(raw.len()), Vec::new());
    for (sized, answer) in raw {
        match decoded(store, sized, answer) {
            Ok(row) => rows.extend(row),
            Err(sized) => unread.push(sized),
        }
    }
    (rows, unread)
}

/// The event, unless it is gone meanwhile; or the key, whose payload is not read here: by its fields it is.
fn decoded(
    store: &EventStore,
    sized: Weighed,
    answer: RedisResult<Value>,
) -> Result<Option<ExportedEvent>, Weighed> {
    let too_wide = || Err(TOO_WIDE.to_owned());
    let event = match answer {
        Ok(Value::Nil) => return Ok(None),
        Ok(Value::Array(items)) if items.is_empty() => return Ok(None),
        Ok(Value::Array(items))
            if (items.len() / 2).saturating_sub(marks(items.iter().step_by(2).filter_map(name)))
                > FIELDS_MAX =>
        {
            too_wide()
        }
        Ok(Value::BulkString(payload)) => match payload::fields(&payload, &mut Vec::new()) {
            None => return Err(Weighed { how: HashRead::Fields, ..sized }),
            Some(fields) if fields.len() - marks(fields.iter().map(|(name, _)| &**name)) > FIELDS_MAX => {
                too_wide()
            }
            Some(fields) => store.event_in(&sized.key, fields),
        },
        Ok(fields) => store.event_of(&sized.key, "ok", fields),
        // Everything else that is refused has ended the pass.
        Err(_) => Err(NO_HASH.to_owned()),
    };
    Ok(Some(ExportedEvent { key: sized.key, bytes: sized.memory.known(), event }))
}
