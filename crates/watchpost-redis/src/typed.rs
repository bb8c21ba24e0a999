//! Values of any type, read in bounded pieces: small ones whole, large ones window by window.
//!
//! No call here asks for a collection of unknown size. What changes while it is read in windows may be in two windows or
//! in none; a caller that needs one moment takes `DUMP` for what is small.

use redis::Cmd;
use redis::Value;

use crate::error::RedisError;
use crate::link::Link;
use crate::reply;

/// Up to this many bytes of memory a value is read at once.
pub(crate) const WHOLE_BYTES_MAX: u64 = 64 << 10;
/// Up to this much memory a value is dumped whole: two to three milliseconds of the server's time.
pub(crate) const DUMP_BYTES_MAX: u64 = 512 << 10;
/// Elements of a window.
const WINDOW: usize = 500;
/// Bytes of a window of a string.
const WINDOW_BYTES: usize = 256 << 10;

/// What a key holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// Bytes.
    Text,
    /// Fields with values.
    Hash,
    /// Elements in an order.
    List,
    /// Members.
    Set,
    /// Members with scores.
    SortedSet,
    /// Entries with ids.
    Stream,
}

/// What is known of what a key holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    /// This.
    Of(ValueKind),
    /// Something of a module.
    Module,
    /// Nothing yet.
    Unknown,
}

impl ValueKind {
    /// The kind that `TYPE` names; `None` for the types of modules.
    pub(crate) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "string" => Self::Text,
            "hash" => Self::Hash,
            "list" => Self::List,
            "set" => Self::Set,
            "zset" => Self::SortedSet,
            "stream" => Self::Stream,
            _ => return None,
        })
    }

    /// The name that `TYPE` gives it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Hash => "hash",
            Self::List => "list",
            Self::Set => "set",
            Self::SortedSet => "zset",
            Self::Stream => "stream",
        }
    }

    /// The command that reads a small value whole.
    pub(crate) fn read(self, key: &[u8]) -> Cmd {
        let (name, args): (&str, &[&str]) = match self {
            Self::Text => ("GET", &[]),
            Self::Hash => ("HGETALL", &[]),
            Self::List => ("LRANGE", &["0", "-1"]),
            Self::Set => ("SMEMBERS", &[]),
            Self::SortedSet => ("ZRANGE", &["0", "-1", "WITHSCORES"]),
            Self::Stream => ("XRANGE", &["-", "+"]),
        };
        let bytes: usize = args.iter().map(|arg| arg.len()).sum();
        let mut cmd = Cmd::with_capacity(2 + args.len(), name.len() + key.len() + bytes);
        cmd.arg(name).arg(key);
        for arg in args {
            cmd.arg(*arg);
        }
        cmd
    }

    /// The elements in an answer to [`Self::read`], or to a window of it.
    pub(crate) fn elements(self, answer: Value) -> Elements {
        match self {
            Self::Text => Elements::Text(reply::bytes(answer).unwrap_or_default()),
            Self::List | Self::Set => {
                Elements::Items(reply::list(answer).into_iter().filter_map(reply::bytes).collect())
            }
            Self::Hash | Self::SortedSet => Elements::Pairs(reply::pairs(answer)),
            Self::Stream => Elements::Entries(reply::list(answer).into_iter().filter_map(entry).collect()),
        }
    }
}

/// Name and value, or member and score.
pub type Pair = (Vec<u8>, Vec<u8>);

/// A value, or a window of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Elements {
    /// Bytes.
    Text(Vec<u8>),
    /// Elements of a list or members of a set.
    Items(Vec<Vec<u8>>),
    /// Fields of a hash with their values, or members of a sorted set with their scores in decimals.
    Pairs(Vec<Pair>),
    /// Entries of a stream by their ids.
    Entries(Vec<(String, Vec<Pair>)>),
}

impl Elements {
    /// How many there are; a text is one.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Text(_) => 1,
            Self::Items(items) => items.len(),
            Self::Pairs(pairs) => pairs.len(),
            Self::Entries(entries) => entries.len(),
        }
    }

    /// Is there nothing?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            _ => self.len() == 0,
        }
    }
}

fn entry(value: Value) -> Option<(String, Vec<Pair>)> {
    let mut parts = reply::list(value).into_iter();
    let id = reply::text(parts.next()?)?;
    Some((id, reply::pairs(parts.next()?)))
}

/// A large value, window by window.
pub(crate) struct Windows {
    pub(crate) key: Vec<u8>,
    pub(crate) kind: ValueKind,
    cursor: u64,
    after: Option<String>,
    done: bool,
}

impl Windows {
    pub(crate) fn new(key: Vec<u8>, kind: ValueKind) -> Self {
        Self { key, kind, cursor: 0, after: None, done: false }
    }

    /// The next window; `None` at the end. After an error the same window may be asked for again.
    pub(crate) async fn next(&mut self, link: &Link) -> Result<Option<Elements>, RedisError> {
        while !self.done {
            let answer: Value = link.query(&self.command()).await?;
            let elements = match self.kind {
                ValueKind::Hash | ValueKind::Set | ValueKind::SortedSet => {
                    let mut parts = reply::list(answer).into_iter();
                    let cursor = parts.next().and_then(reply::text).and_then(|text| text.parse().ok());
                    self.cursor = cursor.ok_or(RedisError::Answer { command: "SCAN of a value" })?;
                    self.done = self.cursor == 0;
                    self.kind.elements(parts.next().unwrap_or(Value::Nil))
                }
                ValueKind::Text => {
                    let elements = self.kind.elements(answer);
                    let n = if let Elements::Text(text) = &elements { text.len() } else { 0 };
                    self.cursor += n as u64;
                    self.done = n < WINDOW_BYTES;
                    elements
                }
                ValueKind::List => {
                    let elements = self.kind.elements(answer);
                    self.cursor += elements.len() as u64;
                    self.done = elements.len() < WINDOW;
                    elements
                }
                ValueKind::Stream => {
                    let elements = self.kind.elements(answer);
                    self.done = elements.len() < WINDOW;
                    if let Elements::Entries(entries) = &elements {
                        self.after = entries.last().map(|(id, _)| id.clone()).or(self.after.take());
                    }
                    elements
                }
            };
            if !elements.is_empty() {
                return Ok(Some(elements));
            }
        }
        Ok(None)
    }

    fn command(&self) -> Cmd {
        let scan = |name: &str| {
            let mut cmd = redis::cmd(name);
            cmd.arg(&self.key).arg(self.cursor.to_string()).arg("COUNT").arg(WINDOW);
            cmd
        };
        match self.kind {
            ValueKind::Hash => scan("HSCAN"),
            ValueKind::Set => scan("SSCAN"),
            ValueKind::SortedSet => scan("ZSCAN"),
            ValueKind::Text => {
                let mut cmd = redis::cmd("GETRANGE");
                cmd.arg(&self.key).arg(self.cursor).arg(self.cursor + WINDOW_BYTES as u64 - 1);
                cmd
            }
            ValueKind::List => {
                let mut cmd = redis::cmd("LRANGE");
                cmd.arg(&self.key).arg(self.cursor).arg(self.cursor + WINDOW as u64 - 1);
                cmd
            }
            ValueKind::Stream => {
                let mut cmd = redis::cmd("XRANGE");
                cmd.arg(&self.key);
                match &self.after {
                    Some(id) => cmd.arg(format!("({id}")),
                    None => cmd.arg("-"),
                };
                cmd.arg("+").arg("COUNT").arg(WINDOW);
                cmd
            }
        }
    }
}
