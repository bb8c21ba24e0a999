//! What is in Redis, by pattern: one pass, classified here.
//!
//! The patterns of the contract, and any number of others that somebody asks for: the server does not do more for fifty
//! than for one.

use std::collections::BTreeMap;

use chrono::DateTime;
use chrono::Utc;
use redis::Cmd;
use redis::RedisResult;
use redis::Value;
use tokio_util::sync::CancellationToken;
use watchpost_model::event::Category;
use watchpost_model::job::JobProgress;

use crate::error::RedisError;
use crate::glob::Glob;
use crate::keys::KeyKind;
use crate::keys::key_text;
use crate::reply;
use crate::retention::progress;
use crate::store::EventStore;
use crate::usage::usage;
use crate::walk::Asked;
use crate::walk::Walk;

/// Largest keys that are named.
const LARGEST: usize = 10;
/// Keys without an expiry that are named.
const UNENDING: usize = 100;
/// And of each pattern.
const UNENDING_EACH: usize = 3;
/// Answers about one key.
const QUESTIONS: usize = 3;
/// In a database of up to so many keys every key is asked for its encoding; in a larger one each of so many of a page, for
/// a question more about every key takes a quarter longer.
const ALL_ENCODINGS: u64 = 100_000;
const ENCODING_EVERY: usize = 8;

/// Keys of one pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternStats {
    /// `security:auth:{ms}`, `security:index:*`, or `(other keys)`; or the pattern that was asked for.
    pub pattern: String,
    /// Keys.
    pub keys: u64,
    /// Memory, value and key, as the server estimates it; without its tables. `None` where it does not tell of each key.
    pub bytes: Option<u64>,
    /// Keys that never expire; `None` where the server does not tell of each key.
    pub without_ttl: Option<u64>,
    /// The names of a few of these that are not the product's own.
    pub unending: Vec<String>,
    /// Keys by type, most first.
    pub types: Vec<(String, u64)>,
    /// Keys by encoding, most first: of those that were asked for it, see [`KeyStats::encodings_every`].
    pub encodings: Vec<(String, u64)>,
    /// Time of the oldest event.
    pub oldest: Option<DateTime<Utc>>,
    /// Time of the newest event.
    pub newest: Option<DateTime<Utc>>,
}

/// What is in the logical database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyStats {
    /// By pattern of the contract, in alphabetical order; each key is in one.
    pub patterns: Vec<PatternStats>,
    /// By pattern that was asked for, in that order; a key may be in several.
    pub asked: Vec<PatternStats>,
    /// The largest keys, largest first.
    pub largest: Vec<(String, u64)>,
    /// Keys that never expire and are not the product's own, at most 100, in the order in which they were found.
    pub unending: Vec<String>,
    /// Of how many keys each one was asked for its encoding.
    pub encodings_every: u64,
    /// How often the walk waited because other clients felt it.
    pub pauses: u32,
    /// What a reader should know about the count.
    pub notes: Vec<String>,
}

/// Counts the keys of the whole logical database, and of each of `globs`, patterns as `SCAN ... MATCH` has them.
///
/// # Errors
/// Every cause of [`RedisError`]; `Cancelled` within 200 ms.
pub async fn stats(
    store: &EventStore,
    globs: &[String],
    report: &(dyn Fn(JobProgress) + Send + Sync),
    cancel: CancellationToken,
) -> Result<KeyStats, RedisError> {
    let mut walk = Walk::start(store, "*".to_owned(), cancel).await?;
    let mut counter = Counter {
        store,
        events: BTreeMap::new(),
        others: BTreeMap::new(),
        asked: globs.iter().map(|glob| (Glob::new(glob), Row::default())).collect(),
        largest: Vec::new(),
        unending: Vec::new(),
        every: if walk.expected() <= ALL_ENCODINGS { 1 } else { ENCODING_EVERY },
        lacking: BTreeMap::new(),
    };
    let every = counter.every;
    let questions = move |page: &[Vec<u8>]| questions(page, every);
    let (step, prepared) = walk.step_while(Vec::new(), questions, || ()).await?;
    let mut page = step.names.zip(prepared);
    // Two pages are under way, so that the server always has something to do; what it answered is counted meanwhile.
    let mut before: Option<(Vec<Vec<u8>>, Asked)> = None;
    let mut answered = None;
    while let Some((names, commands)) = page {
        let count = || {
            if let Some((names, answers)) = answered.take() {
                counter.page(names, answers);
            }
        };
        let with_questions = |page: Vec<Vec<u8>>| {
            let commands = questions(&page);
            (page, commands)
        };
        let (asked, next) = walk.step_ahead(commands, with_questions, count).await?;
        report(progress(&walk, "counting keys"));
        if let Some((names, asked)) = before.replace((names, asked)) {
            answered = Some((names, walk.read(asked).await?));
        }
        page = next;
    }
    if let Some((names, answers)) = answered {
        counter.page(names, answers);
    }
    if let Some((names, asked)) = before {
        counter.page(names, walk.read(asked).await?);
    }
    Ok(counter.stats(globs, &walk))
}

/// The questions about each key, then those about the encoding of some.
fn questions(page: &[Vec<u8>], every: usize) -> Vec<Cmd> {
    let about = |words: &[&str], name: &[u8]| {
        let mut cmd = Cmd::with_capacity(words.len() + 1, name.len() + 16);
        for word in words {
            cmd.arg(*word);
        }
        cmd.arg(name);
        cmd
    };
    let mut commands = Vec::with_capacity(page.len() * (QUESTIONS + 1));
    for name in page {
        commands.extend([about(&["TYPE"], name), usage(name), about(&["PTTL"], name)]);
    }
    commands.extend(page.iter().step_by(every).map(|name| about(&["OBJECT", "ENCODING"], name)));
    commands
}

#[derive(Default)]
struct Row {
    keys: u64,
    bytes: u64,
    without_ttl: u64,
    unending: Vec<String>,
    /// The memory, or the expiry, of one of the keys is not known.
    is_unmeasured: bool,
    is_undated: bool,
    types: Vec<(String, u64)>,
    encodings: Vec<(String, u64)>,
    oldest_ms: Option<i64>,
    newest_ms: Option<i64>,
}

impl Row {
    /// `unending` is its name if it never expires and should.
    fn add(&mut self, key: &Counted<'_>, at_ms: Option<i64>, unending: Option<&str>) {
        self.keys += 1;
        self.bytes += key.bytes.unwrap_or(0);
        self.is_unmeasured |= key.bytes.is_none();
        self.without_ttl += u64::from(key.never_expires == Some(true));
        self.is_undated |= key.never_expires.is_none();
        if let Some(name) = unending
            && self.unending.len() < UNENDING_EACH
        {
            self.unending.push(name.to_owned());
        }
        count(&mut self.types, key.kind);
        if let Some(encoding) = key.encoding {
            count(&mut self.encodings, encoding);
        }
        if at_ms.is_some() {
            self.oldest_ms = self.oldest_ms.into_iter().chain(at_ms).min();
            self.newest_ms = self.newest_ms.into_iter().chain(at_ms).max();
        }
    }

    fn stats(mut self, pattern: String) -> PatternStats {
        for counts in [&mut self.types, &mut self.encodings] {
            counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        }
        PatternStats {
            pattern,
            keys: self.keys,
            bytes: (!self.is_unmeasured).then_some(self.bytes),
            without_ttl: (!self.is_undated).then_some(self.without_ttl),
            unending: self.unending,
            types: self.types,
            encodings: self.encodings,
            oldest: self.oldest_ms.and_then(DateTime::from_timestamp_millis),
            newest: self.newest_ms.and_then(DateTime::from_timestamp_millis),
        }
    }
}

/// One more of a name.
fn count(counts: &mut Vec<(String, u64)>, name: &str) {
    match counts.iter_mut().find(|(other, _)| other == name) {
        Some((_, n)) => *n += 1,
        None => counts.push((name.to_owned(), 1)),
    }
}

/// What one key adds.
struct Counted<'a> {
    kind: &'a str,
    /// Known of some.
    encoding: Option<&'a str>,
    bytes: Option<u64>,
    never_expires: Option<bool>,
}

struct Counter<'a> {
    store: &'a EventStore,
    /// Nearly all keys are events, and these need no text to be found again; with an endpoint in the key or not.
    events: BTreeMap<(Category, bool), Row>,
    others: BTreeMap<String, Row>,
    asked: Vec<(Glob, Row)>,
    largest: Vec<(String, u64)>,
    unending: Vec<String>,
    /// Of how many keys of a page each one is asked for its encoding.
    every: usize,
    /// What the server does not tell, and why.
    lacking: BTreeMap<&'static str, String>,
}

impl Counter<'_> {
    fn page(&mut self, names: Vec<Vec<u8>>, answers: Vec<RedisResult<Value>>) {
        let (answers, encodings) = answers.split_at_checked(names.len() * QUESTIONS).unwrap_or_default();
        for (index, (name, answers)) in names.into_iter().zip(answers.chunks_exact(QUESTIONS)).enumerate() {
            let encoding = match encodings.get(index / self.every) {
                Some(Ok(Value::BulkString(encoding))) if index.is_multiple_of(self.every) => {
                    std::str::from_utf8(encoding).ok()
                }
                _ => None,
            };
            let number = |at: usize| answers[at].as_ref().ok().and_then(reply::int);
            let kind = match &answers[0] {
                Ok(Value::SimpleString(kind)) => kind.as_str(),
                _ => "unknown",
            };
            let ttl = number(2);
            if kind == "none" || ttl == Some(-2) {
                continue; // Gone meanwhile.
            }
            let bytes = number(1).and_then(|bytes| u64::try_from(bytes).ok());
            if matches!(answers[1], Ok(Value::Nil)) {
                continue; // Gone since its type was asked for.
            }
            for (what, answer) in ["types", "memory", "expiry"].into_iter().zip(answers) {
                if let Err(error) = answer {
                    self.lacking.entry(what).or_insert_with(|| crate::lacking::why(error));
                }
            }
            self.key(&name, &Counted { kind, encoding, bytes, never_expires: ttl.map(|ttl| ttl == -1) });
        }
    }

    fn key(&mut self, name: &[u8], counted: &Counted<'_>) {
        let text = match std::str::from_utf8(name) {
            Ok(text) => std::borrow::Cow::Borrowed(text),
            Err(_) => std::borrow::Cow::Owned(key_text(name)),
        };
        let kind = self.store.inner.keys.classify(&text);
        let is_unending = counted.never_expires == Some(true) && !matches!(kind, KeyKind::Own);
        let unending = is_unending.then_some(&*text);
        if let Some(name) = unending
            && self.unending.len() < UNENDING
        {
            self.unending.push(name.to_owned());
        }
        match kind {
            KeyKind::Event(parsed) => {
                let place = (parsed.category, parsed.endpoint.is_some());
                self.events.entry(place).or_default().add(counted, Some(parsed.at_ms), unending);
            }
            kind => {
                let pattern = pattern_of(&self.store.inner.target.prefix, &kind, &text);
                self.others.entry(pattern).or_default().add(counted, None, unending);
            }
        }
        for (_, row) in self.asked.iter_mut().filter(|(glob, _)| glob.fits(name)) {
            row.add(counted, None, unending);
        }
        let Some(bytes) = counted.bytes else { return };
        if self.largest.len() < LARGEST || self.largest.last().is_some_and(|(_, least)| bytes > *least) {
            let place = self.largest.partition_point(|(_, other)| *other >= bytes);
            self.largest.insert(place, (text.into_owned(), bytes));
            self.largest.truncate(LARGEST);
        }
    }

    fn stats(self, globs: &[String], walk: &Walk) -> KeyStats {
        let prefix = &self.store.inner.target.prefix;
        let events = self.events.into_iter().map(|((category, has_endpoint), row)| {
            let middle = if has_endpoint { "{endpoint}:" } else { "" };
            row.stats(format!("{prefix}{}:{middle}{{ms}}", category.key_segment()))
        });
        let mut patterns: Vec<PatternStats> =
            events.chain(self.others.into_iter().map(|(pattern, row)| row.stats(pattern))).collect();
        patterns.sort_by(|a, b| a.pattern.cmp(&b.pattern));
        let lacking = self.lacking.into_iter().map(|(what, why)| format!("{what}: n/a, {why}"));
        let notes = walk.notes().iter().cloned().chain(lacking).collect();
        let asked = globs.iter().zip(self.asked).map(|(glob, (_, row))| row.stats(glob.clone()));
        KeyStats {
            patterns,
            asked: asked.collect(),
            largest: self.largest,
            unending: self.unending,
            encodings_every: self.every as u64,
            pauses: walk.pauses(),
            notes,
        }
    }
}

/// The pattern of a key that is no event.
fn pattern_of(prefix: &str, kind: &KeyKind<'_>, key: &str) -> String {
    match kind {
        KeyKind::Malformed(_) => format!("{prefix}(malformed)"),
        KeyKind::Foreign if !key.starts_with(prefix) => "(other keys)".to_owned(),
        KeyKind::Foreign | KeyKind::Event(_) => format!("{prefix}(other)"),
        KeyKind::Own => {
            let rest = key.strip_prefix(prefix).unwrap_or(key);
            match rest.split_once(':') {
                Some((segment, _)) => format!("{prefix}{segment}:*"),
                None => format!("{prefix}{rest}"),
            }
        }
    }
}
