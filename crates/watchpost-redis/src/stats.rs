//! What is in Redis, by pattern of the contract: one pass, classified here.

use std::collections::BTreeMap;

use chrono::DateTime;
use chrono::Utc;
use tokio_util::sync::CancellationToken;
use watchpost_model::job::JobProgress;

use crate::error::RedisError;
use crate::keys::KeyKind;
use crate::keys::key_text;
use crate::reply;
use crate::retention::progress;
use crate::store::EventStore;
use crate::walk::Walk;

/// Largest keys that are named.
const LARGEST: usize = 10;

/// Keys of one pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternStats {
    /// `security:auth:{ms}`, `security:index:*`, or `(other keys)`.
    pub pattern: String,
    /// Keys.
    pub keys: u64,
    /// Memory, value and key, as the server estimates it; without its tables.
    pub bytes: u64,
    /// Keys that never expire.
    pub without_ttl: u64,
    /// Time of the oldest event.
    pub oldest: Option<DateTime<Utc>>,
    /// Time of the newest event.
    pub newest: Option<DateTime<Utc>>,
}

/// What is in the logical database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyStats {
    /// By pattern, in alphabetical order.
    pub patterns: Vec<PatternStats>,
    /// The largest keys, largest first.
    pub largest: Vec<(String, u64)>,
    /// What a reader should know about the count.
    pub notes: Vec<String>,
}

/// Counts the keys of the whole logical database.
///
/// # Errors
/// Every cause of [`RedisError`]; `Cancelled` within 200 ms.
pub async fn stats(
    store: &EventStore,
    report: &(dyn Fn(JobProgress) + Send + Sync),
    cancel: CancellationToken,
) -> Result<KeyStats, RedisError> {
    let mut walk = Walk::start(store, "*".to_owned(), cancel).await?;
    let mut patterns: BTreeMap<String, PatternStats> = BTreeMap::new();
    let mut largest: Vec<(String, u64)> = Vec::new();
    let mut page = walk.step(Vec::new()).await?.names.unwrap_or_default();
    loop {
        let commands = page.iter().flat_map(|name| {
            let (mut usage, mut ttl) = (redis::cmd("MEMORY"), redis::cmd("PTTL"));
            usage.arg("USAGE").arg(name);
            ttl.arg(name);
            [usage, ttl]
        });
        let step = walk.step(commands.collect()).await?;
        let mut answers = step.answers.into_iter();
        for name in page {
            let mut answer = || answers.next().and_then(Result::ok).as_ref().and_then(reply::int);
            let (bytes, ttl) = (answer(), answer());
            if ttl == Some(-2) {
                continue; // Gone meanwhile.
            }
            let bytes = bytes.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0);
            let key = key_text(&name);
            let (pattern, at) = pattern_of(store, &key);
            let row = patterns.entry(pattern.clone()).or_insert_with(|| PatternStats {
                pattern,
                keys: 0,
                bytes: 0,
                without_ttl: 0,
                oldest: None,
                newest: None,
            });
            row.keys += 1;
            row.bytes += bytes;
            row.without_ttl += u64::from(ttl == Some(-1));
            row.oldest = row.oldest.into_iter().chain(at).min();
            row.newest = row.newest.into_iter().chain(at).max();
            note_large(&mut largest, key, bytes);
        }
        report(progress(&walk, "counting keys"));
        match step.names {
            Some(names) => page = names,
            None => break,
        }
    }
    Ok(KeyStats { patterns: patterns.into_values().collect(), largest, notes: walk.notes().to_vec() })
}

fn note_large(largest: &mut Vec<(String, u64)>, key: String, bytes: u64) {
    if largest.len() < LARGEST || largest.last().is_some_and(|(_, least)| bytes > *least) {
        let place = largest.partition_point(|(_, other)| *other >= bytes);
        largest.insert(place, (key, bytes));
        largest.truncate(LARGEST);
    }
}

fn pattern_of(store: &EventStore, key: &str) -> (String, Option<DateTime<Utc>>) {
    let prefix = &store.inner.target.prefix;
    match store.inner.keys.classify(key) {
        KeyKind::Event(parsed) => {
            let segment = parsed.category.key_segment();
            let middle = if parsed.endpoint.is_some() { "{endpoint}:" } else { "" };
            (format!("{prefix}{segment}:{middle}{{ms}}"), DateTime::from_timestamp_millis(parsed.at_ms))
        }
        KeyKind::Malformed(_) => (format!("{prefix}(malformed)"), None),
        KeyKind::Own => {
            let rest = key.strip_prefix(prefix.as_str()).unwrap_or(key);
            let pattern = match rest.split_once(':') {
                Some((segment, _)) => format!("{prefix}{segment}:*"),
                None => format!("{prefix}{rest}"),
            };
            (pattern, None)
        }
        KeyKind::Foreign if key.starts_with(prefix.as_str()) => (format!("{prefix}(other)"), None),
        KeyKind::Foreign => ("(other keys)".to_owned(), None),
    }
}
