//! One key of a backup, or a part of a large one, and its bytes.

use super::digest::ValueDigest;
use crate::payload;
use crate::typed::Elements;
use crate::typed::Held;
use crate::typed::Pair;
use crate::typed::ValueKind;

const DUMP: u8 = 1;
const PART: u8 = 2;

/// One key, or a part of a large one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its name.
    pub(crate) key: Vec<u8>,
    /// When it expires, in Unix milliseconds.
    pub(crate) expires_at_ms: Option<i64>,
    pub(crate) body: Body,
}

/// The value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Body {
    /// All of it, as `DUMP` gives it.
    Dump { digest: ValueDigest, payload: Vec<u8> },
    /// A window of it.
    Part {
        kind: ValueKind,
        /// From 0.
        part: u64,
        elements: Elements,
        /// With the last part: of the whole value.
        last: Option<ValueDigest>,
        /// With the last part of a stream: its groups and the last id that each has processed.
        groups: Vec<(Vec<u8>, String)>,
    },
}

impl Record {
    /// Bytes of name and value.
    pub(crate) fn bytes(&self) -> u64 {
        let of_pairs = |pairs: &[Pair]| pairs.iter().map(|(a, b)| a.len() + b.len()).sum::<usize>();
        let value = match &self.body {
            Body::Dump { payload, .. } => payload.len(),
            Body::Part { elements, .. } => match elements {
                Elements::Text(text) => text.len(),
                Elements::Items(items) => items.iter().map(Vec::len).sum(),
                Elements::Pairs(pairs) => of_pairs(pairs),
                Elements::Entries(entries) => {
                    entries.iter().map(|(id, fields)| id.len() + of_pairs(fields)).sum()
                }
            },
        };
        (self.key.len() + value) as u64
    }

    /// Is the value a hash, as each event is one?
    pub(crate) fn is_hash(&self) -> bool {
        match &self.body {
            Body::Dump { payload, .. } => payload::held(payload) == Held::Of(ValueKind::Hash),
            Body::Part { kind, .. } => *kind == ValueKind::Hash,
        }
    }

    /// The digest of the value, with the record that completes its key.
    pub(crate) fn digest(&self) -> Option<ValueDigest> {
        match &self.body {
            Body::Dump { digest, .. } => Some(*digest),
            Body::Part { last, .. } => *last,
        }
    }

    /// The same to compare values by. A backup of a version before this one may hold one that says nothing but that the
    /// payload is as it was.
    pub(crate) fn compared(&self) -> Option<ValueDigest> {
        match &self.body {
            Body::Dump { digest, payload } if digest.opaque => Some(ValueDigest::of_dump(payload)),
            _ => self.digest(),
        }
    }
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    // Nothing of Redis has more than 512 MiB.
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(bytes);
}

fn put_n(out: &mut Vec<u8>, n: usize) {
    out.extend_from_slice(&u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes());
}

fn put_digest(out: &mut Vec<u8>, digest: ValueDigest) {
    out.push(u8::from(digest.opaque));
    out.extend_from_slice(&digest.bytes);
}

fn put_pairs(out: &mut Vec<u8>, pairs: &[Pair]) {
    put_n(out, pairs.len());
    for (name, value) in pairs {
        put_bytes(out, name);
        put_bytes(out, value);
    }
}

const fn kind_number(kind: ValueKind) -> u8 {
    match kind {
        ValueKind::Text => 0,
        ValueKind::Hash => 1,
        ValueKind::List => 2,
        ValueKind::Set => 3,
        ValueKind::SortedSet => 4,
        ValueKind::Stream => 5,
    }
}

pub(super) fn write_record(out: &mut Vec<u8>, record: &Record) {
    out.push(if matches!(record.body, Body::Dump { .. }) { DUMP } else { PART });
    put_bytes(out, &record.key);
    out.extend_from_slice(&record.expires_at_ms.unwrap_or(-1).to_le_bytes());
    match &record.body {
        Body::Dump { digest, payload } => {
            put_digest(out, *digest);
            put_bytes(out, payload);
        }
        Body::Part { kind, part, elements, last, groups } => {
            out.push(kind_number(*kind));
            out.extend_from_slice(&part.to_le_bytes());
            match elements {
                Elements::Text(text) => put_bytes(out, text),
                Elements::Items(items) => {
                    put_n(out, items.len());
                    items.iter().for_each(|item| put_bytes(out, item));
                }
                Elements::Pairs(pairs) => put_pairs(out, pairs),
                Elements::Entries(entries) => {
                    put_n(out, entries.len());
                    for (id, fields) in entries {
                        put_bytes(out, id.as_bytes());
                        put_pairs(out, fields);
                    }
                }
            }
            out.push(u8::from(last.is_some()));
            if let Some(digest) = last {
                put_digest(out, *digest);
            }
            put_n(out, groups.len());
            for (name, id) in groups {
                put_bytes(out, name);
                put_bytes(out, id.as_bytes());
            }
        }
    }
}

fn take<'a>(rest: &mut &'a [u8], n: usize) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(n)?;
    *rest = tail;
    Some(head)
}

fn byte(rest: &mut &[u8]) -> Option<u8> {
    take(rest, 1)?.first().copied()
}

fn number(rest: &mut &[u8]) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(take(rest, 4)?.try_into().ok()?)).ok()
}

fn bytes(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let n = number(rest)?;
    take(rest, n).map(<[u8]>::to_vec)
}

fn text(rest: &mut &[u8]) -> Option<String> {
    String::from_utf8(bytes(rest)?).ok()
}

fn digest(rest: &mut &[u8]) -> Option<ValueDigest> {
    Some(ValueDigest { opaque: byte(rest)? == 1, bytes: take(rest, 32)?.try_into().ok()? })
}

/// As many as are said, of which there cannot be more than bytes.
fn many<T>(rest: &mut &[u8], mut one: impl FnMut(&mut &[u8]) -> Option<T>) -> Option<Vec<T>> {
    let n = number(rest)?;
    let mut all = Vec::with_capacity(n.min(rest.len()));
    for _ in 0..n {
        all.push(one(rest)?);
    }
    Some(all)
}

fn pairs(rest: &mut &[u8]) -> Option<Vec<Pair>> {
    many(rest, |rest| Some((bytes(rest)?, bytes(rest)?)))
}

pub(super) fn read_record(rest: &mut &[u8]) -> Option<Record> {
    let tag = byte(rest)?;
    let key = bytes(rest)?;
    let expires_at_ms = i64::from_le_bytes(take(rest, 8)?.try_into().ok()?);
    let body = match tag {
        DUMP => Body::Dump { digest: digest(rest)?, payload: bytes(rest)? },
        PART => {
            let kind = [
                ValueKind::Text,
                ValueKind::Hash,
                ValueKind::List,
                ValueKind::Set,
                ValueKind::SortedSet,
                ValueKind::Stream,
            ];
            let kind = *kind.get(usize::from(byte(rest)?))?;
            let part = u64::from_le_bytes(take(rest, 8)?.try_into().ok()?);
            let elements = match kind {
                ValueKind::Text => Elements::Text(bytes(rest)?),
                ValueKind::List | ValueKind::Set => Elements::Items(many(rest, bytes)?),
                ValueKind::Hash | ValueKind::SortedSet => Elements::Pairs(pairs(rest)?),
                ValueKind::Stream => Elements::Entries(many(rest, |rest| Some((text(rest)?, pairs(rest)?)))?),
            };
            let last = if byte(rest)? == 1 { Some(digest(rest)?) } else { None };
            let groups = many(rest, |rest| Some((bytes(rest)?, text(rest)?)))?;
            Body::Part { kind, part, elements, last, groups }
        }
        _ => return None,
    };
    Some(Record { key, expires_at_ms: (expires_at_ms >= 0).then_some(expires_at_ms), body })
}
