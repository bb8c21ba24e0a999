//! What a value is, whatever its encoding: the same hash compares equal as a list pack, as a table and read window by
//! window.
//!
//! The payload of `DUMP` is one encoding of the value. What has no order (hash, set, sorted set) comes in any order, so
//! those are read out of it and summed up; so are lists, texts and streams, which may be packed differently, also by servers
//! before 7.0. What is not known is compared as it is.

use sha2::Digest;
use sha2::Sha256;

use super::packed::stream;
use super::packed::zip_list;
use crate::typed::Elements;
use crate::typed::ValueKind;

/// Version and checksum at the end of a payload.
const FOOTER_BYTES: usize = 10;
/// No value that is read here is larger; a payload that says otherwise is not followed.
const ELEMENT_BYTES_MAX: usize = 512 << 20;

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
        let body = &payload[..payload.len().saturating_sub(FOOTER_BYTES)];
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

pub(super) fn take<'a>(rest: &mut &'a [u8], n: usize) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(n)?;
    *rest = tail;
    Some(head)
}

/// A length, or the special encoding of a text.
enum Length {
    Plain(usize),
    Special(u8),
}

fn length_or_special(rest: &mut &[u8]) -> Option<Length> {
    let first = *take(rest, 1)?.first()?;
    let low = usize::from(first & 0x3f);
    Some(match first >> 6 {
        0 => Length::Plain(low),
        1 => Length::Plain(low << 8 | usize::from(take(rest, 1)?[0])),
        2 if first == 0x80 => {
            Length::Plain(usize::try_from(u32::from_be_bytes(take(rest, 4)?.try_into().ok()?)).ok()?)
        }
        2 if first == 0x81 => {
            Length::Plain(usize::try_from(u64::from_be_bytes(take(rest, 8)?.try_into().ok()?)).ok()?)
        }
        3 => Length::Special(first & 0x3f),
        _ => return None,
    })
}

pub(super) fn length(rest: &mut &[u8]) -> Option<usize> {
    match length_or_special(rest)? {
        Length::Plain(n) => Some(n),
        Length::Special(_) => None,
    }
}

pub(super) fn string(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let number = |n: i64| n.to_string().into_bytes();
    Some(match length_or_special(rest)? {
        Length::Plain(n) => take(rest, n)?.to_vec(),
        Length::Special(0) => number(i64::from(i8::from_le_bytes(take(rest, 1)?.try_into().ok()?))),
        Length::Special(1) => number(i64::from(i16::from_le_bytes(take(rest, 2)?.try_into().ok()?))),
        Length::Special(2) => number(i64::from(i32::from_le_bytes(take(rest, 4)?.try_into().ok()?))),
        Length::Special(3) => {
            let packed = length(rest)?;
            let plain = length(rest)?;
            lzf(take(rest, packed)?, plain)?
        }
        Length::Special(_) => return None,
    })
}

/// The compression of Redis' own files.
fn lzf(mut packed: &[u8], plain: usize) -> Option<Vec<u8>> {
    if plain > ELEMENT_BYTES_MAX {
        return None;
    }
    let mut out = Vec::with_capacity(plain.min(1 << 20));
    while let Some((&control, tail)) = packed.split_first() {
        packed = tail;
        if control < 32 {
            out.extend_from_slice(take(&mut packed, usize::from(control) + 1)?);
        } else {
            let mut n = usize::from(control >> 5);
            if n == 7 {
                n += usize::from(take(&mut packed, 1)?[0]);
            }
            let back = usize::from(control & 0x1f) << 8 | usize::from(take(&mut packed, 1)?[0]);
            let from = out.len().checked_sub(back + 1)?;
            for idx in from..from + n + 2 {
                out.push(*out.get(idx)?);
            }
        }
        if out.len() > plain {
            return None;
        }
    }
    (out.len() == plain).then_some(out)
}

fn int_set(bytes: &[u8]) -> Option<Vec<i64>> {
    let rest = &mut &bytes[..];
    let width = u32::from_le_bytes(take(rest, 4)?.try_into().ok()?);
    let n = u32::from_le_bytes(take(rest, 4)?.try_into().ok()?);
    let mut numbers = Vec::new();
    for _ in 0..n {
        numbers.push(match width {
            2 => i64::from(i16::from_le_bytes(take(rest, 2)?.try_into().ok()?)),
            4 => i64::from(i32::from_le_bytes(take(rest, 4)?.try_into().ok()?)),
            8 => i64::from_le_bytes(take(rest, 8)?.try_into().ok()?),
            _ => return None,
        });
    }
    rest.is_empty().then_some(numbers)
}

/// A number of one to eight bytes, the lowest first.
pub(super) fn signed(bytes: &[u8]) -> i64 {
    let unsigned = bytes.iter().rev().fold(0_u64, |n, byte| n << 8 | u64::from(*byte));
    let shift = 64 - 8 * bytes.len();
    (unsigned << shift).cast_signed() >> shift
}

/// The elements of a list pack, as text: numbers in decimals.
pub(super) fn list_pack(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let rest = &mut &bytes[..];
    take(rest, 6)?; // Size and number of elements; the end has a mark of its own.
    let mut items = Vec::new();
    loop {
        let before = rest.len();
        let first = *take(rest, 1)?.first()?;
        let item = match first {
            0xff => return rest.is_empty().then_some(items),
            0..=0x7f => i64::from(first).to_string().into_bytes(),
            0x80..=0xbf => take(rest, usize::from(first & 0x3f))?.to_vec(),
            0xc0..=0xdf => {
                let raw = u16::from(first & 0x1f) << 8 | u16::from(take(rest, 1)?[0]);
                let number = i64::from((raw << 3).cast_signed() >> 3);
                number.to_string().into_bytes()
            }
            0xe0..=0xef => {
                let n = usize::from(first & 0x0f) << 8 | usize::from(take(rest, 1)?[0]);
                take(rest, n)?.to_vec()
            }
            0xf0 => {
                let n = u32::from_le_bytes(take(rest, 4)?.try_into().ok()?);
                take(rest, usize::try_from(n).ok()?)?.to_vec()
            }
            0xf1 => signed(take(rest, 2)?).to_string().into_bytes(),
            0xf2 => signed(take(rest, 3)?).to_string().into_bytes(),
            0xf3 => signed(take(rest, 4)?).to_string().into_bytes(),
            0xf4 => signed(take(rest, 8)?).to_string().into_bytes(),
            _ => return None,
        };
        items.push(item);
        // Each element ends with its own length, seven bits a byte.
        let n = before - rest.len();
        take(
            rest,
            match n {
                0..=127 => 1,
                128..=16_382 => 2,
                16_383..=2_097_150 => 3,
                2_097_151..=268_435_454 => 4,
                _ => 5,
            },
        )?;
    }
}

#[cfg(test)]
mod tests {
    use super::lzf;

    #[test]
    fn lzf_repeats_what_it_has_written() {
        // `abc`, then nine bytes from three back.
        assert_eq!(lzf(&[2, b'a', b'b', b'c', 7 << 5, 0, 2], 12).unwrap(), b"abcabcabcabc");
        assert_eq!(lzf(&[7 << 5, 0, 2], 9), None, "nothing is behind");
        assert_eq!(lzf(&[2, b'a', b'b'], 3), None, "cut off");
    }
}
