//! One format, fed with lines.

use std::io::{self, BufRead};

use chrono::{DateTime, FixedOffset, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use watchpost_model::event::Event;
use watchpost_model::ids::EventId;
use watchpost_model::text::visible;
use watchpost_model::words;

use crate::lines::{LINE_BYTES_MAX, Line, Lines};
use crate::{access, ecs, jsonl, sshd};

/// Most characters of a bad line that are shown.
const EXCERPT_CHARS_MAX: usize = 160;

/// What the lines of a log look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Apache and nginx `combined`: `common` with referer and user agent.
    Combined,
    /// Apache `common`.
    Common,
    /// OpenSSH in syslog: `Feb 12 14:10:21 host sshd[1]: ...` or with an RFC 3339 time.
    Sshd,
    /// Our own events, one JSON object a line.
    Jsonl,
    /// Elastic Common Schema documents, one JSON object a line, nested or dotted.
    Ecs,
}

words!(LogFormat { Combined = "combined", Common = "common", Sshd = "sshd", Jsonl = "jsonl", Ecs = "ecs" });

/// What the lines do not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportOptions {
    /// The time of the import; a date without a year is taken for the last one not more than a day after it.
    pub now: DateTime<Utc>,
    /// The year of the first line, where the log does not say it and it is not the last one that fits.
    pub first_year: Option<i32>,
    /// The zone of times without one.
    pub zone: FixedOffset,
    /// Names the source in the derived ids; importing one file under two names makes two sets of events.
    pub source: String,
}

impl ImportOptions {
    /// UTC and the last year that fits.
    #[must_use]
    pub fn new(now: DateTime<Utc>, source: impl Into<String>) -> Self {
        let zone = FixedOffset::east_opt(0).expect("zero is a valid offset");
        Self { now, first_year: None, zone, source: source.into() }
    }
}

/// What one line is.
#[derive(Debug, Clone, PartialEq)]
pub enum Parsed {
    /// An event.
    Event(Box<Event>),
    /// A well-formed line that is no event of its own; why, in a few words that repeat.
    Skipped(&'static str),
    /// A line that could not be read.
    Bad {
        /// Number of the line, from 1 on.
        line_no: u64,
        /// What is wrong with it.
        reason: String,
        /// The line, made visible and cut.
        excerpt: String,
    },
}

/// How a format's reader answers.
pub(crate) enum Reading {
    /// The event still lacks its id, unless `has_id`.
    Event {
        event: Box<Event>,
        has_id: bool,
    },
    Skipped(&'static str),
    Bad(String),
}

/// Reads lines of one format. Keeps a bounded memory of SSH connections and of the last date seen, nothing else.
#[derive(Debug)]
pub struct Importer {
    format: LogFormat,
    options: ImportOptions,
    sshd: sshd::Sshd,
}

impl Importer {
    /// A reader for `format`.
    #[must_use]
    pub fn new(format: LogFormat, options: ImportOptions) -> Self {
        let sshd = sshd::Sshd::new(&options);
        Self { format, options, sshd }
    }

    /// Reads one line. Never fails and never panics; deterministic.
    pub fn read(&mut self, line: &Line) -> Parsed {
        // A part of an event is another event: what is too long is told, never cut.
        if line.n_bytes_cut > 0 {
            let n_bytes = LINE_BYTES_MAX as u64 + line.n_bytes_cut;
            return bad(line, format!("{n_bytes} bytes; a line has at most {} MiB", LINE_BYTES_MAX >> 20));
        }
        if line.text.trim().is_empty() {
            return Parsed::Skipped("empty line");
        }
        let reading = match self.format {
            LogFormat::Combined | LogFormat::Common => access::read(&line.text),
            LogFormat::Sshd => self.sshd.read(&line.text),
            LogFormat::Jsonl => jsonl::read(&line.text),
            LogFormat::Ecs => ecs::read(&line.text),
        };
        match reading {
            Reading::Event { mut event, has_id } => {
                if !has_id {
                    event.id = self.id_of(line, event.at);
                }
                Parsed::Event(event)
            }
            Reading::Skipped(reason) => Parsed::Skipped(reason),
            Reading::Bad(reason) => bad(line, reason),
        }
    }

    fn id_of(&self, line: &Line, at: DateTime<Utc>) -> EventId {
        let mut hash = Sha256::new();
        hash.update((self.options.source.len() as u64).to_be_bytes());
        hash.update(self.options.source.as_bytes());
        hash.update(line.offset.to_be_bytes());
        hash.update(line.text.as_bytes());
        let mut seed = [0_u8; 16];
        seed.copy_from_slice(&hash.finalize()[..16]);
        EventId::derived(at.timestamp_millis(), seed)
    }
}

fn bad(line: &Line, reason: String) -> Parsed {
    Parsed::Bad { line_no: line.no, reason, excerpt: visible(&line.text, EXCERPT_CHARS_MAX) }
}

/// A reader's lines with what they are: `(line, parsed)`. After an error of the reader it ends.
#[derive(Debug)]
pub struct Import<R> {
    lines: Lines<R>,
    importer: Importer,
    has_failed: bool,
}

impl<R: BufRead> Import<R> {
    /// Imports from a reader that stands at byte `offset` of its input.
    ///
    /// Resuming at a stored offset makes the same ids. The memory of SSH connections begins empty: an attempt whose
    /// lines lie on both sides of the place may be counted once more.
    #[must_use]
    pub fn new(reader: R, offset: u64, importer: Importer) -> Self {
        Self { lines: Lines::new(reader, offset), importer, has_failed: false }
    }

    /// Where the next line begins: what to store for resuming.
    pub const fn offset(&self) -> u64 {
        self.lines.offset()
    }
}

impl<R: BufRead> Iterator for Import<R> {
    type Item = io::Result<(Line, Parsed)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_failed {
            return None;
        }
        let line = match self.lines.next()? {
            Ok(line) => line,
            Err(error) => {
                self.has_failed = true;
                return Some(Err(error));
            }
        };
        let parsed = self.importer.read(&line);
        Some(Ok((line, parsed)))
    }
}
