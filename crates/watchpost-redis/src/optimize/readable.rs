//! Which keys the engine reads as events: only these are given an expiry, and have their payload compressed.
//!
//! Nobody archives what cannot be read. With an expiry it would be gone before somebody has looked at it, and it stays byte
//! by byte as it was written.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::VecDeque;

use sha2::Digest;
use sha2::Sha256;
use watchpost_model::event::Category;
use watchpost_model::event::Severity;
use watchpost_model::plain::grouped;
use watchpost_model::policy::event_ttl;

use super::Mode;
use super::Needs;
use super::Optimizer;
use super::Sums;
use super::flags;
use crate::error::RedisError;
use crate::link::Call;
use crate::reply;
use crate::retention::Large;
use crate::retention::read_events;
use crate::scripts;
use crate::walk::Walk;

/// Keys read in one round trip.
const READ_AT_ONCE: usize = 256;

/// What was read, by key: the severity of an event, `None` for what is none or in the quarantine. What is gone is not in it.
pub(super) type Read = HashMap<String, Option<Severity>>;

impl Optimizer<'_> {
    /// Reads the keys that would get a TTL or another payload, as the engine does.
    pub(super) async fn readable(&self, needs: &Needs, walk: &mut Walk) -> Result<Read, RedisError> {
        let mut open = to_read(needs);
        let mut read = Read::with_capacity(open.len());
        while !open.is_empty() {
            walk.pace().await?;
            let asked: Vec<&str> = open.drain(..open.len().min(READ_AT_ONCE)).collect();
            let quarantined = self.quarantined(&asked, walk).await?;
            let taken = read_events(self.store, walk, &asked, Large::All).await?;
            let mut left = Vec::new();
            for ((key, taken), is_quarantined) in asked.into_iter().zip(taken).zip(quarantined) {
                let Some(taken) = taken else {
                    left.push(key);
                    continue;
                };
                if taken.state == "gone" {
                    continue;
                }
                let event = self.store.event_of(key, &taken.state, taken.fields).ok();
                let severity = event.filter(|_| !is_quarantined).map(|event| event.severity);
                read.insert(key.to_owned(), severity);
            }
            for key in left.into_iter().rev() {
                open.push_front(key);
            }
        }
        Ok(read)
    }

    /// Which of `keys` are in the quarantine.
    async fn quarantined(&self, keys: &[&str], walk: &Walk) -> Result<Vec<bool>, RedisError> {
        let reasons = self.store.inner.keys.quarantine_reasons();
        let mut pipe = redis::pipe();
        for key in keys {
            pipe.cmd("HEXISTS").arg(&reasons).arg(*key);
        }
        let answers = walk.read(self.store.inner.jobs.pipe(pipe)).await?;
        let is_there = |answer: redis::RedisResult<redis::Value>| match answer {
            Ok(answer) => Ok(reply::int(&answer) != Some(0)),
            Err(error) => Err(self.store.classify(error)),
        };
        answers.into_iter().map(is_there).collect()
    }

    /// Those of `keys` that are events.
    pub(super) fn compressible(&mut self, keys: &[String], read: &Read) -> Vec<String> {
        let mut events = Vec::with_capacity(keys.len());
        for key in keys {
            match read.get(key) {
                Some(Some(_)) => events.push(key.clone()),
                Some(None) => self.sums.left += 1,
                None => {} // Gone meanwhile.
            }
        }
        events
    }

    pub(super) async fn give_ttls(
        &mut self,
        keys: &[(String, Category)],
        read: &Read,
        walk: &mut Walk,
    ) -> Result<(), RedisError> {
        let (mut calls, mut events) = (Vec::with_capacity(keys.len()), Vec::with_capacity(keys.len()));
        for (key, category) in keys {
            match read.get(key) {
                Some(Some(severity)) => {
                    let ttl_ms = event_ttl(*category, *severity).num_milliseconds();
                    calls.push(Call::new(&[key]).arg((ttl_ms + jitter(key, ttl_ms / 10)).to_string()));
                    events.push(key);
                }
                Some(None) => self.sums.unreadable += 1,
                None => {} // Gone meanwhile.
            }
        }
        if self.mode == Mode::Preview {
            self.sums.ttls += events.len() as u64;
            self.touched.extend(events.into_iter().cloned());
            return Ok(());
        }
        if events.is_empty() {
            return Ok(());
        }
        let given = walk.write(self.store.inner.jobs.eval_many(&scripts::EXPIRE, calls)).await?;
        let given = flags(given)?;
        for (key, given) in events.into_iter().zip(given) {
            if given {
                self.sums.ttls += 1;
                self.touched.insert(key.clone());
            } else {
                self.sums.changed_meanwhile += 1;
            }
        }
        Ok(())
    }
}

/// Each key once.
fn to_read(needs: &Needs) -> VecDeque<&str> {
    let to_expire = needs.ttl.iter().map(|(key, _)| key.as_str());
    let keys: BTreeSet<&str> = needs.compress.iter().map(String::as_str).chain(to_expire).collect();
    keys.into_iter().collect()
}

impl Sums {
    /// Tells what was left because it is no event.
    pub(super) fn unread(&self, notes: &mut Vec<String>) {
        match self.unreadable {
            0 => {}
            1 => notes.push(
                "1 key without a TTL cannot be read as an event and gets none: the engine puts such into quarantine".to_owned(),
            ),
            n => notes.push(format!(
                "{} keys without a TTL cannot be read as events and get none: the engine puts such into quarantine",
                grouped(n)
            )),
        }
        match self.left {
            0 => {}
            1 => {
                notes.push("1 payload of a key that cannot be read as an event was left as it is".to_owned())
            }
            n => notes.push(format!(
                "{} payloads of keys that cannot be read as events were left as they are",
                grouped(n)
            )),
        }
    }
}

/// Spreads expiries over `range_ms`, the same for the same key, so that they do not fall into one second.
fn jitter(key: &str, range_ms: i64) -> i64 {
    let digest = Sha256::digest(key.as_bytes());
    let number = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
    i64::from(number).checked_rem(range_ms).unwrap_or(0)
}
