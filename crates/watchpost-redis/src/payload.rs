//! What stands in the payload of `DUMP`, whatever its encoding: list packs, zip lists, numbers and compressed texts.
//!
//! A payload may be damaged, or of a later version: then there is nothing to be read, and nothing is guessed.

use std::borrow::Cow;

use crate::typed::Held;
use crate::typed::ValueKind;

/// Version and checksum at the end of a payload.
const FOOTER_BYTES: usize = 10;
/// No value that is read here is larger; a payload that says otherwise is not followed.
const ELEMENT_BYTES_MAX: usize = 512 << 20;

/// A text, as the first byte of a payload names it.
const TEXT: u8 = 0;
/// Kinds of hashes, as the first byte of a payload names them: a table, a zip list and a list pack.
const TABLE: u8 = 4;
const ZIP_LIST: u8 = 13;
const LIST_PACK: u8 = 16;

/// Name and value of a field.
pub(crate) type Field<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

/// What it is of, also where that is not read here. The kinds of hashes are, in this order: a table, a zip map, a zip list,
/// a list pack, and those of hashes whose fields expire.
pub(crate) fn held(payload: &[u8]) -> Held {
    match payload.first() {
        Some(&TEXT) => Held::Of(ValueKind::Text),
        Some(1 | 10 | 14 | 18) => Held::Of(ValueKind::List),
        Some(2 | 11 | 20) => Held::Of(ValueKind::Set),
        Some(3 | 5 | 12 | 17) => Held::Of(ValueKind::SortedSet),
        Some(4 | 9 | 13 | 16 | 22..=25) => Held::Of(ValueKind::Hash),
        Some(15 | 19 | 21) => Held::Of(ValueKind::Stream),
        Some(6 | 7) => Held::Module,
        _ => Held::Unknown,
    }
}

/// The bytes of a text; `None` for anything else.
pub(crate) fn text(payload: &[u8]) -> Option<Vec<u8>> {
    let (&TEXT, mut rest) = body(payload).split_first()? else { return None };
    let text = string(&mut rest)?.into_owned();
    rest.is_empty().then_some(text)
}

/// The payload without its end.
pub(crate) fn body(payload: &[u8]) -> &[u8] {
    &payload[..payload.len().saturating_sub(FOOTER_BYTES)]
}

/// The fields of a hash in their order, which is that of `HGETALL`; `room` is for those that were compressed. `None` for
/// anything else, and for what is not known, such as a hash whose fields expire.
pub(crate) fn fields<'a>(payload: &'a [u8], room: &'a mut Vec<u8>) -> Option<Vec<Field<'a>>> {
    let (&kind, mut rest) = body(payload).split_first()?;
    let rest = &mut rest;
    if kind == TABLE {
        let n = length(rest)?;
        let mut fields = Vec::with_capacity(n.min(64));
        for _ in 0..n {
            fields.push((string(rest)?, string(rest)?));
        }
        return rest.is_empty().then_some(fields);
    }
    if !matches!(kind, ZIP_LIST | LIST_PACK) {
        return None;
    }
    let packed = match string(rest)? {
        Cow::Borrowed(packed) => packed,
        Cow::Owned(packed) => {
            *room = packed;
            room.as_slice()
        }
    };
    let items = if kind == LIST_PACK { list_pack(packed)? } else { zip_list(packed)? };
    let mut fields = Vec::with_capacity(items.len() / 2);
    let mut items = items.into_iter();
    while let Some(name) = items.next() {
        fields.push((name, items.next()?));
    }
    rest.is_empty().then_some(fields)
}

pub(crate) fn take<'a>(rest: &mut &'a [u8], n: usize) -> Option<&'a [u8]> {
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

pub(crate) fn length(rest: &mut &[u8]) -> Option<usize> {
    match length_or_special(rest)? {
        Length::Plain(n) => Some(n),
        Length::Special(_) => None,
    }
}

/// A text: as it stands, or what a number or a compressed text stands for.
pub(crate) fn string<'a>(rest: &mut &'a [u8]) -> Option<Cow<'a, [u8]>> {
    Some(match length_or_special(rest)? {
        Length::Plain(n) => Cow::Borrowed(take(rest, n)?),
        Length::Special(0) => decimals(i64::from(i8::from_le_bytes(take(rest, 1)?.try_into().ok()?))),
        Length::Special(1) => decimals(i64::from(i16::from_le_bytes(take(rest, 2)?.try_into().ok()?))),
        Length::Special(2) => decimals(i64::from(i32::from_le_bytes(take(rest, 4)?.try_into().ok()?))),
        Length::Special(3) => {
            let packed = length(rest)?;
            let plain = length(rest)?;
            Cow::Owned(lzf(take(rest, packed)?, plain)?)
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
            let mut left = n + 2;
            // What is repeated may reach into what it becomes.
            while left > 0 {
                let now = left.min(out.len() - from);
                out.extend_from_within(from..from + now);
                left -= now;
            }
        }
        if out.len() > plain {
            return None;
        }
    }
    (out.len() == plain).then_some(out)
}

pub(crate) fn int_set(bytes: &[u8]) -> Option<Vec<i64>> {
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
pub(crate) fn signed(bytes: &[u8]) -> i64 {
    let unsigned = bytes.iter().rev().fold(0_u64, |n, byte| n << 8 | u64::from(*byte));
    let shift = 64 - 8 * bytes.len();
    (unsigned << shift).cast_signed() >> shift
}

/// The elements of a list pack, as text: numbers in decimals.
pub(crate) fn list_pack(bytes: &[u8]) -> Option<Vec<Cow<'_, [u8]>>> {
    let rest = &mut &bytes[..];
    take(rest, 6)?; // Size and number of elements; the end has a mark of its own.
    let mut items = Vec::new();
    loop {
        let before = rest.len();
        let first = *take(rest, 1)?.first()?;
        let item = match first {
            0xff => return rest.is_empty().then_some(items),
            0..=0x7f => decimals(i64::from(first)),
            0x80..=0xbf => take(rest, usize::from(first & 0x3f))?.into(),
            0xc0..=0xdf => {
                let raw = u16::from(first & 0x1f) << 8 | u16::from(take(rest, 1)?[0]);
                decimals(i64::from((raw << 3).cast_signed() >> 3))
            }
            0xe0..=0xef => {
                let n = usize::from(first & 0x0f) << 8 | usize::from(take(rest, 1)?[0]);
                take(rest, n)?.into()
            }
            0xf0 => {
                let n = u32::from_le_bytes(take(rest, 4)?.try_into().ok()?);
                take(rest, usize::try_from(n).ok()?)?.into()
            }
            0xf1 => decimals(signed(take(rest, 2)?)),
            0xf2 => decimals(signed(take(rest, 3)?)),
            0xf3 => decimals(signed(take(rest, 4)?)),
            0xf4 => decimals(signed(take(rest, 8)?)),
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

/// The elements of a zip list, as text: numbers in decimals.
pub(crate) fn zip_list(bytes: &[u8]) -> Option<Vec<Cow<'_, [u8]>>> {
    let rest = &mut &bytes[..];
    take(rest, 10)?; // Size, place of the last element and number of elements; the end has a mark of its own.
    let mut items = Vec::new();
    loop {
        // Each element begins with the length of the one before.
        match *take(rest, 1)?.first()? {
            0xff => return rest.is_empty().then_some(items),
            0xfe => {
                take(rest, 4)?;
            }
            _ => {}
        }
        let first = *take(rest, 1)?.first()?;
        items.push(match first {
            0x00..=0x3f => take(rest, usize::from(first))?.into(),
            0x40..=0x7f => {
                let n = usize::from(first & 0x3f) << 8 | usize::from(*take(rest, 1)?.first()?);
                take(rest, n)?.into()
            }
            0x80 => {
                let n = u32::from_be_bytes(take(rest, 4)?.try_into().ok()?);
                take(rest, usize::try_from(n).ok()?)?.into()
            }
            0xc0 => decimals(signed(take(rest, 2)?)),
            0xd0 => decimals(signed(take(rest, 4)?)),
            0xe0 => decimals(signed(take(rest, 8)?)),
            0xf0 => decimals(signed(take(rest, 3)?)),
            0xfe => decimals(signed(take(rest, 1)?)),
            0xf1..=0xfd => decimals(i64::from(first & 0x0f) - 1),
            _ => return None,
        });
    }
}

fn decimals(number: i64) -> Cow<'static, [u8]> {
    number.to_string().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::{fields, held, lzf, text};
    use crate::typed::{Held, ValueKind};

    #[test]
    fn lzf_repeats_what_it_has_written() {
        // `abc`, then nine bytes from three back.
        assert_eq!(lzf(&[2, b'a', b'b', b'c', 7 << 5, 0, 2], 12).unwrap(), b"abcabcabcabc");
        assert_eq!(lzf(&[7 << 5, 0, 2], 9), None, "nothing is behind");
        assert_eq!(lzf(&[2, b'a', b'b'], 3), None, "cut off");
    }

    #[test]
    fn a_text_is_read_and_nothing_else_is_taken_for_one() {
        // `DUMP` of `hi`, and of `300`, which lies there as a number.
        let footer = [10, 0, 1, 2, 3, 4, 5, 6, 7, 8];
        let of = |body: &[u8]| [body, &footer[..]].concat();
        assert_eq!(text(&of(&[0, 2, b'h', b'i'])).unwrap(), b"hi");
        assert_eq!(text(&of(&[0, 0xc1, 0x2c, 1])).unwrap(), b"300");
        assert_eq!(text(&of(&[0, 0])).unwrap(), b"", "an empty one is one");
        for other in [&[0, 3, b'h', b'i'][..], &[0, 1, b'h', b'i'], &[1, 2, b'h', b'i'], &[]] {
            assert_eq!(text(&of(other)), None, "{other:?}");
        }
        assert_eq!(held(&of(&[2, 0])), Held::Of(ValueKind::Set));
        assert_eq!(held(&of(&[7, 0])), Held::Module);
        assert_eq!(held(&of(&[99, 0])), Held::Unknown);
        assert_eq!(held(&[]), Held::Unknown);
    }

    /// `DUMP` of a hash of `a`: 1 and `b`: `text` by 7.0, in a list pack.
    const DUMPED: &[u8] = &[
        16, 21, 21, 0, 0, 0, 4, 0, 0x81, b'a', 2, 1, 1, 0x81, b'b', 2, 0x84, b't', b'e', b'x', b't', 5, 0xff,
        10, 0, 1, 2, 3, 4, 5, 6, 7, 8,
    ];

    #[test]
    fn the_fields_of_a_hash_are_read_and_nothing_else_is_guessed() {
        let mut room = Vec::new();
        let found = fields(DUMPED, &mut room).unwrap();
        let found: Vec<(&[u8], &[u8])> = found.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(found, [(&b"a"[..], &b"1"[..]), (b"b", b"text")]);
        for cut in 0..DUMPED.len() {
            assert_eq!(fields(&DUMPED[..cut], &mut Vec::new()), None, "cut off at {cut}");
        }
        // A text, a hash whose fields expire, and what no version has.
        for kind in [0, 22, 23, 24, 25, 255] {
            let other = [&[kind], &DUMPED[1..]].concat();
            assert_eq!(fields(&other, &mut Vec::new()), None, "{kind}");
        }
    }
}
