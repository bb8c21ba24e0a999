//! What a value is, whatever its encoding: the same hash compares equal as a list pack, as a table and read window by
//! window.
//!
//! The payload of `DUMP` is one encoding of the value. What has no order (hash, set, sorted set) comes in any order, so
//! those are read out of it and summed up; so are lists, texts and streams, which may be packed differently, also by servers
//! before 7.0. What is not known is compared as it is.

use sha2::Digest;
use sha2::Sha256;

use super::packed::stream;
use crate::payload;
use crate::payload::int_set;
use crate::payload::length;
use crate::payload::list_pack;
use crate::payload::string;
use crate::payload::take;
use crate::payload::zip_list;
use crate::typed::Elements;
use crate::typed::ValueKind;

/// The identity of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ValueDigest {
    /// Is it of the payload as it was, because that could not be read?
    pub(crate) opaque: bool,
    pub(crate) bytes: [u8; 32],
}

impl ValueDigest {
    /// Of the payload of `DUMP`.
    pub(crate) fn of_dump(payload: &[u8]) -> Self {
        let body = payload::body(payload);
        match read(body) {
            Some(sum) => sum.finish(),
            None => Self { opaque: true, bytes: Sha256::digest(body).into() },
        }
    }
}

/// Sums elements up: in any order where they have none.
#[derive(Debug, Clone)]
pub(crate) struct Sum {
    kind: ValueKind,
    n: u64,
    lanes: [u64; 4],
}

impl Sum {
    pub(crate) const fn new(kind: ValueKind) -> Self {
        Self { kind, n: 0, lanes: [0; 4] }
    }

    pub(super) fn add(&mut self, parts: &[&[u8]]) {
        let mut hash = Sha256::new();
        if matches!(self.kind, ValueKind::List) {
            hash.update(self.n.to_le_bytes()); // A list is its order.
        }
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let hash: [u8; 32] = hash.finalize().into();
        for (lane, bytes) in self.lanes.iter_mut().zip(hash.chunks_exact(8)) {
            let number = u64::from_le_bytes(bytes.try_into().expect("chunks of eight bytes"));
            *lane = lane.wrapping_add(number);
        }
        self.n += 1;
    }

    /// Adds a window of the value; the windows of a text or a list come in their order.
    pub(crate) fn window(&mut self, elements: &Elements) {
        match elements {
            Elements::Text(text) => self.add(&[text]),
            Elements::Items(items) => items.iter().for_each(|item| self.add(&[item])),
            Elements::Pairs(pairs) if self.kind == ValueKind::SortedSet => {
                for (member, score) in pairs {
                    let score = std::str::from_utf8(score).ok().and_then(|text| text.parse().ok());
                    self.scored(member, score.unwrap_or(f64::NAN));
                }
            }
            Elements::Pairs(pairs) => pairs.iter().for_each(|(name, value)| self.add(&[name, value])),
            Elements::Entries(entries) => {
                for (id, fields) in entries {
                    let mut parts: Vec<&[u8]> = vec![id.as_bytes()];
                    parts.extend(fields.iter().flat_map(|(name, value)| [name.as_slice(), value.as_slice()]));
                    self.add(&parts);
                }
            }
        }
    }

    fn scored(&mut self, member: &[u8], score: f64) {
        // Minus zero is zero.
        let score = if score == 0.0 { 0.0 } else { score };
        self.add(&[member, &score.to_bits().to_le_bytes()]);
    }

    pub(crate) fn finish(&self) -> ValueDigest {
        let mut hash = Sha256::new();
        hash.update(self.kind.as_str());
        hash.update(self.n.to_le_bytes());
        for lane in self.lanes {
            hash.update(lane.to_le_bytes());
        }
        ValueDigest { opaque: false, bytes: hash.finalize().into() }
    }
}

/// Reads a value out of a payload; `None` for what is not known.
fn read(body: &[u8]) -> Option<Sum> {
    let (&kind, mut rest) = body.split_first()?;
    let rest = &mut rest;
    let mut sum;
    match kind {
        0 => {
            sum = Sum::new(ValueKind::Text);
            sum.add(&[&string(rest)?]);
        }
        2 => {
            sum = Sum::new(ValueKind::Set);
            for _ in 0..length(rest)? {
                sum.add(&[&string(rest)?]);
            }
        }
        4 => {
            sum = Sum::new(ValueKind::Hash);
            for _ in 0..length(rest)? {
                let name = string(rest)?;
                sum.add(&[&name, &string(rest)?]);
            }
        }
        5 => {
            sum = Sum::new(ValueKind::SortedSet);
            for _ in 0..length(rest)? {
                let member = string(rest)?;
                let score = f64::from_le_bytes(take(rest, 8)?.try_into().ok()?);
                sum.scored(&member, score);
            }
        }
        11 => {
            sum = Sum::new(ValueKind::Set);
            for number in int_set(&string(rest)?)? {
                sum.add(&[number.to_string().as_bytes()]);
            }
        }
        12 | 13 | 16 | 17 => {
            let packed = string(rest)?;
            let pairs = if kind < 16 { zip_list(&packed)? } else { list_pack(&packed)? };
            let is_hash = matches!(kind, 13 | 16);
            sum = Sum::new(if is_hash { ValueKind::Hash } else { ValueKind::SortedSet });
            for pair in pairs.chunks(2) {
                let [name, value] = pair else { return None };
                if is_hash {
                    sum.add(&[name, value]);
                } else {
                    sum.scored(name, std::str::from_utf8(value).ok()?.parse().ok()?);
                }
            }
        }
        14 => {
            sum = Sum::new(ValueKind::List);
            for _ in 0..length(rest)? {
                zip_list(&string(rest)?)?.iter().for_each(|item| sum.add(&[item]));
            }
        }
        15 => sum = stream(rest, 1)?,
        19 => sum = stream(rest, 2)?,
        21 => sum = stream(rest, 3)?,
        18 => {
            sum = Sum::new(ValueKind::List);
            for _ in 0..length(rest)? {
                let container = length(rest)?;
                let node = string(rest)?;
                match container {
                    1 => sum.add(&[&node]),
                    2 => list_pack(&node)?.iter().for_each(|item| sum.add(&[item])),
                    _ => return None,
                }
            }
        }
        20 => {
            sum = Sum::new(ValueKind::Set);
            list_pack(&string(rest)?)?.iter().for_each(|item| sum.add(&[item]));
        }
        _ => return None,
    }
    rest.is_empty().then_some(sum)
}
