//! Reading what is in Redis for a file: events by category and time, or every key under the prefix.
//!
//! One pass. Each round trip carries the values of one page of keys, the sizes of the next and the `SCAN` for the one
//! after; a value is asked for only when its size is known, and no pipeline asks for more than a mebibyte. What a key holds
//! is seen in its payload, where payloads are read: a question less for each, and the server is what limits an export.

mod aside;
mod events;
mod left_out;
mod trial;
mod way;

use std::collections::VecDeque;

use chrono::DateTime;
use chrono::Duration;
use chrono::Utc;
use redis::Cmd;
use redis::RedisResult;
use redis::Value;
use tokio_util::sync::CancellationToken;
use watchpost_model::job::JobProgress;

pub use trial::Run;
pub(crate) use way::HashRead;

use crate::error::RedisError;
use crate::export::aside::Aside;
pub use crate::export::events::EventChoice;
pub use crate::export::events::EventWalk;
pub use crate::export::events::ExportedEvent;
use crate::export::left_out::LeftOut;
use crate::export::trial::Trial;
use crate::export::way::Expiry;
use crate::link::PIPELINE_BYTES;
use crate::once::Once;
use crate::payload;
use crate::reply;
use crate::retention::progress;
use crate::stop;
use crate::store::EventStore;
use crate::typed::Elements;
use crate::typed::Held;
use crate::typed::ValueKind;
use crate::typed::WHOLE_BYTES_MAX;
use crate::typed::Windows;
use crate::usage::usage;
use crate::walk;
use crate::walk::Asked;
use crate::walk::Walk;

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
    /// Their memory, value and key; `None` where the server does not tell it of every one.
    pub bytes: Option<u64>,
}

/// Said where the memory of keys is not known.
pub const MEMORY_UNKNOWN: &str = "memory: n/a, the server does not tell it of every key";

/// Made for each key while the server has nothing to do: with room for its words, so that they are not moved as it grows.
fn about(name: &str, key: &[u8]) -> Cmd {
    let mut cmd = Cmd::with_capacity(2, name.len() + key.len());
    cmd.arg(name).arg(key);
    cmd
}

/// What is asked of a key before its value is.
fn questions(key: &[u8], expiry: Expiry, types: Types) -> impl Iterator<Item = Cmd> {
    let kind = (types == Types::Asked).then(|| about("TYPE", key));
    kind.into_iter().chain([about(expiry.command(), key), usage(key)])
}

/// Whether every key is asked what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Types {
    /// Yes.
    Asked,
    /// No: the payload says it.
    Seen,
}

/// What a key is, before its value is read.
#[derive(Debug, Clone)]
pub(crate) struct KeyFacts {
    pub(crate) key: Vec<u8>,
    pub(crate) held: Held,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    pub(crate) bytes: Option<u64>,
}

/// A key, and what the server said of its value.
pub(crate) type Answered = (KeyFacts, RedisResult<Value>);

/// What the server is asked, and not looked at yet.
struct FactsUnderWay {
    /// Whose values.
    values: Vec<KeyFacts>,
    /// What which keys are.
    named: Vec<Vec<u8>>,
    answers: Asked,
    /// By the server's clock; what is left of a key's time is counted from here.
    sent_at: DateTime<Utc>,
}

/// Every key under the prefix with what it is, page by page; the values that the caller asks for come along.
pub(crate) struct FactWalk {
    pub(crate) store: EventStore,
    pub(crate) walk: Walk,
    once: Once,
    expiry: Expiry,
    hashes: HashRead,
    types: Types,
    /// How far the server's clock is ahead of ours.
    ahead: Duration,
    named: Vec<Vec<u8>>,
    /// About those named, in their order.
    questions: Vec<Cmd>,
    under_way: Option<FactsUnderWay>,
    /// Nothing more comes, and nothing is under way.
    pub(crate) over: bool,
}

impl FactWalk {
    /// `types` is for those who may have payloads; from others every key is asked.
    pub(crate) async fn start(
        store: &EventStore,
        types: Types,
        cancel: CancellationToken,
    ) -> Result<Self, RedisError> {
        let (expiry, hashes) = stop::read(&cancel, way::choose(store)).await?;
        let ahead = stop::read(&cancel, store.server_now()).await? - store.now();
        let walk = Walk::start(store, store.inner.keys.pattern(""), cancel).await?;
        Ok(Self {
            once: Once::with_room(walk.expected()),
            expiry,
            hashes,
            types: if hashes == HashRead::Dumped { types } else { Types::Asked },
            ahead,
            walk,
            store: store.clone(),
            named: Vec::new(),
            questions: Vec::new(),
            under_way: None,
            over: false,
        })
    }

    /// Asks for the values of `asked` by `command`, for what the next keys are and for the page after them. Comes back with
    /// what was answered to the turn before: so the server always has something to do. Keys of which `command` makes nothing
    /// are left out.
    pub(crate) async fn turn(
        &mut self,
        asked: Vec<KeyFacts>,
        command: impl Fn(&KeyFacts) -> Option<Cmd>,
    ) -> Result<(Vec<Answered>, Vec<KeyFacts>), RedisError> {
        let (values, mut commands): (Vec<_>, Vec<_>) = asked
            .into_iter()
            .filter_map(|key| Some((command(&key)?, key)))
            .map(|(cmd, key)| (key, cmd))
            .unzip();
        commands.append(&mut self.questions);
        let named = std::mem::take(&mut self.named);
        let (once, expiry, types) = (&mut self.once, self.expiry, self.types);
        let prepare = |mut fresh: Vec<Vec<u8>>| {
            fresh.retain(|name| once.is_new(name));
            let questions: Vec<Cmd> = fresh.iter().flat_map(|key| questions(key, expiry, types)).collect();
            (fresh, questions)
        };
        let sent_at = self.store.now() + self.ahead;
        let (answers, next) = self.walk.step_ahead(commands, prepare, || ()).await?;
        self.over = next.is_none() && named.is_empty() && values.is_empty();
        (self.named, self.questions) = next.unwrap_or_default();
        match self.under_way.replace(FactsUnderWay { values, named, answers, sent_at }) {
            Some(before) => self.look_at(before).await,
            None => Ok((Vec::new(), Vec::new())),
        }
    }

    async fn look_at(&mut self, asked: FactsUnderWay) -> Result<(Vec<Answered>, Vec<KeyFacts>), RedisError> {
        let mut answers = self.walk.read(asked.answers).await?;
        let mut of_facts = answers.split_off(asked.values.len().min(answers.len())).into_iter();
        let mut facts = Vec::with_capacity(asked.named.len());
        for key in asked.named {
            let kind = if self.types == Types::Asked { of_facts.next() } else { None };
            let (expires, bytes) = (of_facts.next(), of_facts.next());
            let told = |answer: Option<RedisResult<Value>>| {
                answer.transpose().map_err(|error| self.store.classify(error))
            };
            // Whoever may not ask for these would take a key for gone, or for one that never expires.
            let held = match self.types {
                Types::Asked => told(kind)?.and_then(reply::text).as_deref().and_then(held_of),
                Types::Seen => Some(Held::Unknown),
            };
            let expires = told(expires)?.as_ref().and_then(reply::int);
            let Some(held) = held.filter(|_| expires != Some(Expiry::GONE)) else { continue };
            let expires_at = expires.and_then(|answer| self.expiry.read(answer, asked.sent_at));
            let bytes = bytes.and_then(Result::ok).map(|bytes| reply::count(&bytes).unwrap_or(0));
            facts.push(KeyFacts { key, held, expires_at, bytes });
        }
        Ok((asked.values.into_iter().zip(answers).collect(), facts))
    }
}

/// What `TYPE` says; `None` of a key that is gone.
fn held_of(name: &str) -> Option<Held> {
    (name != "none").then(|| ValueKind::of(name).map_or(Held::Module, Held::Of))
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
    /// Of which neither the server nor a payload has said what they hold.
    unknown: Vec<KeyFacts>,
    /// Read, and to be looked at while the server answers the next questions.
    raw: Vec<Answered>,
    looking: Aside<Looked>,
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
            facts: FactWalk::start(store, Types::Seen, cancel).await?,
            small: Vec::new(),
            large: VecDeque::new(),
            unknown: Vec::new(),
            raw: Vec::new(),
            looking: Aside::new(),
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
            self.ask_types().await?;
            let all_read = self.small.is_empty() && self.raw.is_empty() && self.large.is_empty();
            if self.facts.over && all_read && self.looking.is_idle() {
                return Ok(None);
            }
            let parts = self.page().await?;
            if !parts.is_empty() {
                return Ok(Some(parts));
            }
        }
    }

    /// Counts what `run` would read, and tries on one key of each kind whether it may. Uses up the pass.
    ///
    /// # Errors
    /// As [`Self::next_batch`]: also what `run` would end with, because the user lacks a right.
    pub async fn count(
        mut self,
        run: Run,
        report: &(dyn Fn(JobProgress) + Send + Sync),
    ) -> Result<(ExportCount, Vec<String>), RedisError> {
        let mut count = ExportCount { keys: 0, bytes: Some(0) };
        let mut trial = Trial::of(run);
        // Nothing is read of most keys here, and what each holds is to be known all the same.
        self.facts.types = Types::Asked;
        while !self.facts.over || trial.has_small() {
            let hashes = self.facts.hashes;
            let (answered, facts) = self.facts.turn(trial.small(), |key| run.command(key, hashes)).await?;
            walk::readable(&self.facts.store, answered.iter().map(|(_, answer)| answer))?;
            for key in facts {
                let Held::Of(kind) = key.held else {
                    self.left.unread += 1;
                    continue;
                };
                count.keys += 1;
                count.bytes = count.bytes.zip(key.bytes).map(|(sum, bytes)| sum + bytes);
                trial.note(kind, key, hashes);
            }
            trial.windows(&self.facts.walk, &self.facts.store).await?;
            report(self.progress());
        }
        let mut notes = self.notes();
        if count.bytes.is_none() {
            notes.push(MEMORY_UNKNOWN.to_owned());
        }
        Ok((count, notes))
    }

    async fn page(&mut self) -> Result<Vec<KeyPart>, RedisError> {
        let asked = take_page(&mut self.small);
        let raw = std::mem::take(&mut self.raw);
        let looked = self.looking.next((!raw.is_empty()).then_some(move || look_at(raw)));
        let hashes = self.facts.hashes;
        let (answered, facts) = self.facts.turn(asked, |key| Run::Export.command(key, hashes)).await?;
        let Looked { parts, unread, left } = aside::done(looked).await?.unwrap_or_default();
        self.left.add(&left);
        for key in unread {
            match key.held {
                // A payload that is not read here.
                Held::Of(ValueKind::Hash) => self.large.push_back(key),
                Held::Of(_) => self.small.push(key),
                Held::Unknown | Held::Module => self.unknown.push(key),
            }
        }
        walk::readable(&self.facts.store, answered.iter().map(|(_, answer)| answer))?;
        self.raw = answered;
        for key in facts {
            self.sort_in(key);
        }
        Ok(parts)
    }

    /// A value whose size is not known is read window by window, and what kind it is of has to be known before.
    fn sort_in(&mut self, key: KeyFacts) {
        let is_large = key.bytes.is_none_or(|bytes| bytes > WHOLE_BYTES_MAX);
        match key.held {
            Held::Module => self.left.unread += 1,
            Held::Unknown if is_large => self.unknown.push(key),
            Held::Of(_) if is_large => self.large.push_back(key),
            Held::Unknown | Held::Of(_) => self.small.push(key),
        }
    }

    /// Asks what those hold of which nothing else has said it: a few, large ones most of them.
    async fn ask_types(&mut self) -> Result<(), RedisError> {
        if self.unknown.is_empty() {
            return Ok(());
        }
        let asked = std::mem::take(&mut self.unknown);
        let mut pipe = redis::pipe();
        for key in &asked {
            pipe.add_command(about("TYPE", &key.key));
        }
        let store = &self.facts.store;
        let answers = self.facts.walk.read(store.inner.jobs.pipe(pipe)).await?;
        walk::readable(store, &answers)?;
        for (mut key, answer) in asked.into_iter().zip(answers) {
            let kind = answer.ok().and_then(reply::text);
            match kind.as_deref().and_then(held_of) {
                None => self.left.empty += 1,
                Some(held) => {
                    key.held = held;
                    self.sort_in(key);
                }
            }
        }
        Ok(())
    }

    /// The next window of a large value.
    async fn window(&mut self) -> Result<Option<KeyPart>, RedisError> {
        loop {
            let Some((key, windows, part)) = &mut self.reading else {
                let Some(key) = self.large.pop_front() else { return Ok(None) };
                let Held::Of(kind) = key.held else { continue };
                self.reading = Some((key.clone(), Windows::new(key.key, kind), 0));
                continue;
            };
            self.facts.walk.pace().await?;
            let store = &self.facts.store;
            let elements = match self.facts.walk.read(windows.next(&store.inner.jobs)).await {
                Ok(Some(elements)) => elements,
                // At its end: what is written of it stays. Where nothing was, an empty text is a key all the same.
                Ok(None) => {
                    let nothing_yet = *part == 0;
                    let read = self.reading.take().filter(|_| nothing_yet);
                    self.small.extend(read.map(|(key, ..)| key));
                    continue;
                }
                // Of another type by now.
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

/// What came of a page.
#[derive(Default)]
struct Looked {
    parts: Vec<KeyPart>,
    unread: Vec<KeyFacts>,
    left: LeftOut,
}

fn look_at(raw: Vec<Answered>) -> Looked {
    let mut looked = Looked { parts: Vec::with_capacity(raw.len()), ..Looked::default() };
    for (key, answer) in raw {
        match answer.map(|value| whole(key, value)) {
            Ok(Whole::Read(part)) => looked.parts.push(part),
            Ok(Whole::Empty) => looked.left.empty += 1,
            Ok(Whole::Unread(key)) => looked.unread.push(key),
            Ok(Whole::Module) => looked.left.unread += 1,
            Err(_) => looked.left.changed += 1,
        }
    }
    looked
}

/// What came of a key that was asked for at once.
enum Whole {
    Read(KeyPart),
    /// Gone meanwhile, or nothing is in it.
    Empty,
    /// A payload that is not read here: in another way it is.
    Unread(KeyFacts),
    /// Of a module.
    Module,
}

fn whole(mut key: KeyFacts, answer: Value) -> Whole {
    if answer == Value::Nil {
        return Whole::Empty;
    }
    let mut text = None;
    if let (Held::Unknown, Value::BulkString(payload)) = (key.held, &answer) {
        key.held = payload::held(payload);
        match key.held {
            Held::Of(ValueKind::Hash) => {}
            Held::Of(ValueKind::Text) => text = payload::text(payload),
            Held::Of(_) | Held::Unknown => return Whole::Unread(key),
            Held::Module => return Whole::Module,
        }
        if key.held == Held::Of(ValueKind::Text) && text.is_none() {
            return Whole::Unread(key);
        }
    }
    let Held::Of(kind) = key.held else { return Whole::Unread(key) };
    let elements = match (kind, text) {
        (_, Some(text)) => Elements::Text(text),
        (ValueKind::Hash, None) => match way::pairs(answer) {
            Some(pairs) => Elements::Pairs(pairs),
            None => return Whole::Unread(key),
        },
        (kind, None) => kind.elements(answer),
    };
    if kind != ValueKind::Text && elements.is_empty() {
        return Whole::Empty;
    }
    Whole::Read(KeyPart { key: key.key, kind, expires_at: key.expires_at, part: 0, elements })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_that_is_not_known_is_read_in_another_way_and_what_is_gone_is_not() {
        let key = || KeyFacts {
            key: b"k".to_vec(),
            held: Held::Of(ValueKind::Hash),
            expires_at: None,
            bytes: Some(1),
        };
        let unknown = Value::BulkString(vec![22, 1, 2, 3, 10, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
        assert!(matches!(whole(key(), unknown), Whole::Unread(_)));
        assert!(matches!(whole(key(), Value::Nil), Whole::Empty));
        assert!(matches!(whole(key(), Value::Array(Vec::new())), Whole::Empty));
    }
}
