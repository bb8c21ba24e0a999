//! Marks in the place of values: they pass whole, whatever is written in them.

use std::ops::Range;

use super::loose::beginning;
use crate::sealing::{MARK, SealKind};

/// How what was masked before begins.
const NOT_SHOWN: &str = "[not shown: ";
/// No mark is longer.
const MARK_BYTES_MAX: usize = 64;
/// How far what somebody wrote like a mark is followed.
const TYPED_BYTES_MAX: usize = 256;
/// Hexadecimal digits on either side of the dash in the tag of a mark.
const TAG_HALF: usize = 8;

/// What was found, without the marks in it and without what was found within one.
pub(super) fn without(text: &str, found: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let marks = if found.is_empty() { Vec::new() } else { marks(text) };
    if marks.is_empty() {
        return found;
    }
    let mut out = Vec::with_capacity(found.len());
    for range in found {
        if marks.iter().any(|mark| mark.start < range.start && range.start < mark.end) {
            continue;
        }
        let within: Vec<&Range<usize>> =
            marks.iter().filter(|mark| mark.start < range.end && range.start < mark.end).collect();
        if within.is_empty() {
            out.push(range);
            continue;
        }
        let mut from = range.start;
        for mark in within {
            out.extend(telling(text, from, mark.start));
            from = mark.end;
        }
        out.extend(telling(text, from, range.end));
    }
    out
}

/// What is left between marks, where it holds more than signs.
fn telling(text: &str, from: usize, to: usize) -> Option<Range<usize>> {
    let piece = text.get(from..to)?;
    let start = from + piece.len() - piece.trim_start().len();
    piece.contains(char::is_alphanumeric).then(|| start..start + piece.trim().len())
}

/// Where marks stand: `[sealed:password:1f0c3a9b-77de0142]`, `[sealed:password]`, `[not shown: secret]`.
fn marks(text: &str) -> Vec<Range<usize>> {
    text.match_indices('[')
        .filter_map(|(at, _)| {
            let rest = beginning(&text[at..], MARK_BYTES_MAX);
            let end = rest.find(']')?;
            let is_one = match rest[..end].strip_prefix(MARK) {
                Some(inner) => is_sealed(inner),
                None => rest.starts_with(NOT_SHOWN) && !rest[1..end].contains('['),
            };
            is_one.then_some(at..at + end + 1)
        })
        .collect()
}

/// What is written like the mark of a sealed value and is none: somebody typed it, and with it what no mark has.
pub(super) fn typed(text: &str, found: &mut Vec<Range<usize>>) {
    for (at, _) in text.match_indices(MARK) {
        let start = at + MARK.len();
        let rest = beginning(&text[start..], TYPED_BYTES_MAX);
        let Some(end) = rest.find(['[', ']', '\n', '\r']) else { continue };
        let (inner, is_closed) = (&rest[..end], rest[end..].starts_with(']'));
        if is_closed && is_sealed(inner) {
            continue;
        }
        // `[sealed:password:...]`: how marks look, in a text about them.
        let (kind, tag) = inner.split_once(':').unwrap_or(("", inner));
        let told = if is_kind(kind) { tag } else { inner };
        if told.contains(char::is_alphanumeric) {
            found.push(at..start + end + usize::from(is_closed));
        }
    }
}

/// Is it the kind of a sealed value, with or without a tag?
fn is_sealed(inner: &str) -> bool {
    let half = |half: &str| half.len() == TAG_HALF && half.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_tag = |tag: &str| tag.split_once('-').is_some_and(|(head, tail)| half(head) && half(tail));
    let (kind, tag) = inner.split_once(':').map_or((inner, None), |(kind, tag)| (kind, Some(tag)));
    is_kind(kind) && tag.is_none_or(is_tag)
}

fn is_kind(word: &str) -> bool {
    SealKind::ALL.iter().any(|known| known.as_str() == word)
}
