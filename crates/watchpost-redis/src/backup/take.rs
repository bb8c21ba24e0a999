//! Taking a backup: one pass over every key under the prefix.

use std::collections::VecDeque;

use redis::Value;
use tokio_util::sync::CancellationToken;
use watchpost_model::job::JobProgress;

use super::digest::Sum;
use super::digest::ValueDigest;
use super::file::BackupHead;
use super::record::Body;
use super::record::Record;
use crate::error::RedisError;
use crate::export::FactWalk;
use crate::export::HashRead;
use crate::export::KeyFacts;
use crate::export::Run;
use crate::export::Types;
use crate::export::take_page;
use crate::link::Link;
use crate::once::Once;
use crate::reply;
use crate::retention::progress;
use crate::store::EventStore;
use crate::typed::DUMP_BYTES_MAX;
use crate::typed::Elements;
use crate::typed::Held;
use crate::typed::ValueKind;
use crate::typed::Windows;

/// One pass that reads everything.
pub struct BackupWalk {
    facts: FactWalk,
    small: Vec<KeyFacts>,
    large: VecDeque<KeyFacts>,
    reading: Option<Reading>,
    unread: u64,
}

/// A large value on its way.
struct Reading {
    key: KeyFacts,
    windows: ValueWindows,
    part: u64,
    /// The window before: it is handed out when it is known whether it is the last.
    held: Option<Elements>,
}

/// A large value, window by window, each element once, with its digest.
pub(super) struct ValueWindows {
    windows: Windows,
    pub(super) sum: Sum,
    once: Once,
}

impl ValueWindows {
    pub(super) fn new(key: Vec<u8>, kind: ValueKind) -> Self {
        Self { windows: Windows::new(key, kind), sum: Sum::new(kind), once: Once::default() }
    }

    pub(super) async fn next(&mut self, link: &Link) -> Result<Option<Elements>, RedisError> {
        let Some(mut elements) = self.windows.next(link).await? else { return Ok(None) };
        match (&mut elements, self.windows.kind) {
            (Elements::Items(items), ValueKind::Set) => {
                items.retain(|item| self.once.is_new(item));
            }
            (Elements::Pairs(pairs), _) => {
                pairs.retain(|(name, _)| self.once.is_new(name));
            }
            _ => {}
        }
        self.sum.window(&elements);
        Ok(Some(elements))
    }
}

impl BackupWalk {
    /// Begins a pass.
    ///
    /// # Errors
    /// Every cause of [`RedisError`].
    pub async fn start(store: &EventStore, cancel: CancellationToken) -> Result<Self, RedisError> {
        Ok(Self {
            facts: FactWalk::start(store, Types::Asked, cancel).await?,
            small: Vec::new(),
            large: VecDeque::new(),
            reading: None,
            unread: 0,
        })
    }

    /// What the file will say of itself.
    ///
    /// # Errors
    /// Every cause of [`RedisError`].
    pub async fn head(&mut self, watchpost: &str) -> Result<BackupHead, RedisError> {
        let store = &self.facts.store;
        let info = self.facts.walk.read(store.server_info()).await?;
        Ok(BackupHead {
            made_at: store.now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            watchpost: watchpost.to_owned(),
            server: info.server(),
            server_version: info.text("redis_version").unwrap_or_default().to_owned(),
            run_id: info.text("run_id").unwrap_or_default().to_owned(),
            node: store.node(),
            database: store.inner.target.database,
            prefix: store.inner.target.prefix.clone(),
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
        if self.unread > 0 {
            notes.push(format!(
                "{} keys of types of modules, or that may not be read, are not in it",
                self.unread
            ));
        }
        notes
    }

    /// The next records; `None` at the end of the pass.
    ///
    /// # Errors
    /// Every cause of [`RedisError`]; `Cancelled` within 200 ms.
    pub async fn next_batch(&mut self) -> Result<Option<Vec<Record>>, RedisError> {
        loop {
            if let Some(record) = self.window().await? {
                return Ok(Some(vec![record]));
            }
            if self.facts.over && self.small.is_empty() {
                return Ok(None);
            }
            let records = self.page().await?;
            if !records.is_empty() {
                return Ok(Some(records));
            }
        }
    }

    async fn page(&mut self) -> Result<Vec<Record>, RedisError> {
        let asked = take_page(&mut self.small);
        let (answered, facts) =
            self.facts.turn(asked, |key| Run::Backup.command(key, HashRead::Dumped)).await?;
        for key in facts {
            match key.held {
                Held::Module | Held::Unknown => self.unread += 1,
                Held::Of(_) if key.bytes.is_none_or(|bytes| bytes > DUMP_BYTES_MAX) => {
                    self.large.push_back(key);
                }
                Held::Of(_) => self.small.push(key),
            }
        }
        let mut records = Vec::with_capacity(answered.len());
        for (key, answer) in answered {
            match answer {
                Ok(Value::Nil) => {} // Gone meanwhile.
                Ok(value) => {
                    let payload = reply::bytes(value).ok_or(RedisError::Answer { command: "DUMP" })?;
                    let digest = ValueDigest::of_dump(&payload);
                    records.push(record(&key, Body::Dump { digest, payload }));
                }
                Err(error) => return Err(self.facts.store.classify(error)),
            }
        }
        Ok(records)
    }

    /// The next part of a large value.
    async fn window(&mut self) -> Result<Option<Record>, RedisError> {
        loop {
            let Some(reading) = &mut self.reading else {
                let Some(key) = self.large.pop_front() else { return Ok(None) };
                let Held::Of(kind) = key.held else { continue };
                let windows = ValueWindows::new(key.key.clone(), kind);
                self.reading = Some(Reading { key, windows, part: 0, held: None });
                continue;
            };
            self.facts.walk.pace().await?;
            let link = &self.facts.store.inner.jobs;
            let kind = reading.windows.windows.kind;
            let (next, is_other) = match self.facts.walk.read(reading.windows.next(link)).await {
                // Of another type by now: what was read of it is a value that was.
                Err(RedisError::WrongType(_)) => (None, true),
                next => (next?, false),
            };
            let over = next.is_none();
            let Some(elements) = std::mem::replace(&mut reading.held, next) else {
                if over {
                    // Nothing is in it, or it is gone: an empty text, or a stream with its groups, is a key all the same.
                    let read = self.reading.take().filter(|_| !is_other);
                    self.small.extend(read.map(|reading| reading.key));
                }
                continue;
            };
            let part = reading.part;
            reading.part += 1;
            let (last, groups) = if over {
                let groups = if kind == ValueKind::Stream {
                    self.facts.walk.read(groups(link, &reading.key.key)).await?
                } else {
                    Vec::new()
                };
                (Some(reading.windows.sum.finish()), groups)
            } else {
                (None, Vec::new())
            };
            let record = record(&reading.key, Body::Part { kind, part, elements, last, groups });
            if over {
                self.reading = None;
            }
            return Ok(Some(record));
        }
    }
}

fn record(key: &KeyFacts, body: Body) -> Record {
    Record { key: key.key.clone(), expires_at_ms: key.expires_at.map(|at| at.timestamp_millis()), body }
}

/// The groups of a stream, each with the id up to which everything was processed: what was handed out and not
/// acknowledged is to be handed out again.
async fn groups(link: &Link, key: &[u8]) -> Result<Vec<(Vec<u8>, String)>, RedisError> {
    let mut cmd = redis::cmd("XINFO");
    cmd.arg("GROUPS").arg(key);
    let mut groups = Vec::new();
    for group in reply::list(link.query::<Value>(&cmd).await?) {
        let fields = reply::list(group);
        let (Some(name), Some(delivered)) = (
            reply::field(&fields, "name").and_then(reply::bytes),
            reply::field(&fields, "last-delivered-id").and_then(reply::text),
        ) else {
            continue;
        };
        let mut cmd = redis::cmd("XPENDING");
        cmd.arg(key).arg(&name);
        let pending = reply::list(link.query::<Value>(&cmd).await?);
        let oldest = pending.into_iter().nth(1).and_then(reply::text);
        groups.push((name, oldest.as_deref().and_then(before).unwrap_or(delivered)));
    }
    Ok(groups)
}

/// The id before an id.
fn before(id: &str) -> Option<String> {
    let (ms, seq) = id.split_once('-')?;
    let (ms, seq): (u64, u64) = (ms.parse().ok()?, seq.parse().ok()?);
    Some(match seq.checked_sub(1) {
        Some(seq) => format!("{ms}-{seq}"),
        None => format!("{}-{}", ms.checked_sub(1)?, u64::MAX),
    })
}
