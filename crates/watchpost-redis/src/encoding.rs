//! Hashes that fell out of the compact encoding, though the server's limits would let them be in it.
//!
//! A hash becomes wide when one field is too long, and stays so for ever: also when the field goes, and when the limit is
//! raised. Written again as it is, the server chooses anew. The limits themselves are the administrator's: what a higher
//! one would save is told, and `CONFIG SET` is not sent.

use std::collections::HashMap;

use redis::Value;
use watchpost_model::health::Unit;
use watchpost_model::job::Figure;
use watchpost_model::plain::grouped;
use watchpost_model::plain::size;

use crate::error::RedisError;
use crate::link::Call;
use crate::optimize::Mode;
use crate::reply;
use crate::scripts;
use crate::store::EventStore;

/// Hashes of one call: it holds the server for less than a millisecond.
const AT_ONCE: usize = 16;
/// Calls of a round trip.
const CALLS: usize = 8;
/// After so many the gain is looked at.
const SAMPLE: u64 = 64;
/// Less than this share is not worth writing for.
const GAIN_MIN: f64 = 0.10;
/// The limit that is spoken of where the server's own is lower; longer lists make each access slower.
const ADVISED_BYTES: i64 = 256;

/// What the server lets a compact hash be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) fields: i64,
    pub(crate) value_bytes: i64,
}

/// Asks for them; `None` without the right to ask.
pub(crate) async fn limits(store: &EventStore) -> Result<Option<Limits>, RedisError> {
    let mut cmd = redis::cmd("CONFIG");
    cmd.arg("GET").arg("hash-max-*");
    let found: HashMap<String, String> = match store.inner.jobs.query(&cmd).await {
        Err(RedisError::NoPermission(_) | RedisError::Server { .. }) => HashMap::new(),
        result => result?,
    };
    // Before 7.0 a list pack is a zip list.
    let limit = |what: &str| {
        let of = |kind| found.get(&format!("hash-max-{kind}-{what}"))?.parse().ok();
        of("listpack").or_else(|| of("ziplist"))
    };
    let both = limit("entries").zip(limit("value"));
    Ok(both.map(|(fields, value_bytes)| Limits { fields, value_bytes }))
}

/// The part of the job that looks after encodings.
pub(crate) struct Encodings {
    limits: Option<Limits>,
    mode: Mode,
    converted: u64,
    before: u64,
    after: u64,
    refused: bool,
    /// Wide because a field is longer than the limit, but not than the advised one; their bytes, and those it would take.
    long: u64,
    long_before: u64,
    long_after: u64,
    /// Of which the user may not ask what this needs to know.
    unasked: u64,
    /// Of a page in a preview: what payloads would be compressed to, for a run looks at them as they are then.
    packed: HashMap<String, usize>,
}

impl Encodings {
    /// Asks for the limits; without the right to ask nothing is done.
    pub(crate) async fn start(store: &EventStore, mode: Mode) -> Result<Self, RedisError> {
        Ok(Self {
            limits: limits(store).await?,
            mode,
            converted: 0,
            before: 0,
            after: 0,
            refused: false,
            long: 0,
            long_before: 0,
            long_after: 0,
            unasked: 0,
            packed: HashMap::new(),
        })
    }

    /// What events are held to, for people.
    pub(crate) fn words(&self) -> String {
        match self.limits {
            Some(Limits { fields, value_bytes }) => {
                format!("all patterns, compact up to {fields} fields of {value_bytes} bytes")
            }
            None => "all patterns".to_owned(),
        }
    }

    /// Events put back into the compact encoding.
    pub(crate) const fn converted(&self) -> u64 {
        self.converted
    }

    /// Is there anything to ask about?
    pub(crate) const fn looks(&self) -> bool {
        self.limits.is_some() && !self.refused
    }

    /// In a preview: the payloads of these events would be compressed before they are looked at, to so many bytes.
    pub(crate) fn will_be_packed<'a>(&mut self, events: impl Iterator<Item = (&'a str, usize)>) {
        if self.looks() {
            self.packed.extend(events.map(|(key, bytes)| (key.to_owned(), bytes)));
        }
    }

    /// All of a page was looked at.
    pub(crate) fn end_page(&mut self) {
        self.packed.clear();
    }

    /// Looks at events that are wide; writes those again that the server would keep compact. These come back.
    pub(crate) async fn look<'a>(
        &mut self,
        store: &EventStore,
        wide: &'a [String],
    ) -> Result<Vec<&'a str>, RedisError> {
        let mut recoded = Vec::new();
        let Some(limits) = self.limits else { return Ok(recoded) };
        let write = if self.mode == Mode::Run { "1" } else { "0" };
        let packed = std::mem::take(&mut self.packed);
        let call = |keys: &[&str]| {
            let limits = [limits.fields, limits.value_bytes, limits.value_bytes.max(ADVISED_BYTES)];
            let call = limits.iter().fold(Call::new(keys), |call, limit| call.arg(limit.to_string()));
            if packed.is_empty() {
                return call.arg(write);
            }
            let sizes = keys.iter().map(|key| packed.get(*key).map_or_else(String::new, usize::to_string));
            sizes.fold(call, Call::arg).arg(write)
        };
        let mut open: Vec<&'a str> = wide.iter().rev().map(String::as_str).collect();
        while !open.is_empty() && !self.refused {
            let mut asked = open.split_off(open.len().saturating_sub(AT_ONCE * CALLS));
            asked.reverse();
            let calls = asked.chunks(AT_ONCE).map(call).collect();
            let answers = store.inner.jobs.eval_many(&scripts::COMPACT, calls).await?;
            for (keys, answer) in asked.chunks(AT_ONCE).zip(answers) {
                let looked = reply::list(answer?);
                if looked.is_empty() {
                    return Err(RedisError::Answer { command: "EVALSHA compact" });
                }
                // A call that had looked at enough has left the rest of its keys.
                open.extend(keys.iter().skip(looked.len()));
                let looked = keys.iter().zip(looked);
                recoded.extend(looked.filter_map(|(key, one)| self.add(one).then_some(*key)));
            }
            let gain = 1.0 - share(self.after, self.before);
            self.refused = self.converted >= SAMPLE && gain < GAIN_MIN;
        }
        self.packed = packed;
        Ok(recoded)
    }

    /// Is it written again, or would it be?
    fn add(&mut self, answer: Value) -> bool {
        let mut parts = reply::list(answer).into_iter();
        let state = parts.next().and_then(reply::text).unwrap_or_default();
        let mut bytes = || parts.next().as_ref().and_then(reply::count).unwrap_or(0);
        let (before, after) = (bytes(), bytes());
        match state.as_str() {
            "compact" => {
                self.converted += 1;
                self.before += before;
                self.after += after;
            }
            "long" => {
                self.long += 1;
                self.long_before += before;
                self.long_after += after;
            }
            "unasked" => self.unasked += 1,
            _ => {}
        }
        state == "compact"
    }

    /// Figures and words for the report.
    pub(crate) fn report(&self, figures: &mut Vec<Figure>, notes: &mut Vec<String>) {
        let bytes = |name: &str, title: &str, bytes: u64| {
            #[expect(clippy::cast_precision_loss, reason = "sizes stay far below 2^53")]
            Figure::new(name, title, bytes as f64, Unit::Bytes)
        };
        if self.unasked > 0 {
            notes.push(
                "encodings were not looked at: the user may not ask for the encoding of keys, or for their memory"
                    .to_owned(),
            );
            return;
        }
        figures.push(Figure::count("recoded", "Events back in the compact encoding", self.converted));
        figures.push(bytes("recoded_before_bytes", "Their memory before", self.before));
        figures.push(bytes("recoded_after_bytes", "Their memory after", self.after));
        if self.refused {
            notes.push(format!(
                "the compact encoding saved less than {:.0} % on the first {} events: the others were left",
                GAIN_MIN * 100.0,
                grouped(self.converted)
            ));
        }
        let Some(limits) = self.limits else {
            notes.push(
                "encodings were not looked at: the user may not ask for the server's limits, or only observes"
                    .to_owned(),
            );
            return;
        };
        let saved = 1.0 - share(self.long_after, self.long_before);
        if self.long > 0 && saved >= GAIN_MIN {
            #[expect(clippy::cast_precision_loss, reason = "sizes stay far below 2^53")]
            let long_before = size(self.long_before as f64);
            notes.push(format!(
                "{} events have a field of more than {} bytes and take {}; with hash-max-listpack-value \
                 {ADVISED_BYTES} and another run they would take about {:.0} % less",
                grouped(self.long),
                limits.value_bytes,
                long_before,
                saved * 100.0
            ));
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "sizes stay far below 2^53")]
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}
