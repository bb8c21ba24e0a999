//! Steps that others take: UTF-7 and texts that a script puts together from pieces in browsers, and values of one name
//! that applications put together.

use super::{Out, Present, bits};

/// Longest piece between two quotes that is joined with its neighbour.
const PIECE_BYTES_MAX: usize = 64;

/// Has `text` something like `+ADw-`?
pub(super) fn may_be_utf7(text: &str, present: Present) -> bool {
    present.any(bits("+"))
        && text
            .as_bytes()
            .windows(3)
            .any(|piece| piece[0] == b'+' && piece[1] == b'A' && piece[2].is_ascii_alphabetic())
}

/// `+ADw-script+AD4-`: UTF-16 in base64 between a plus and a minus, where it spells ASCII.
pub(super) fn utf7(text: &str, out: &mut Out) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'+'
            && let Some((spelled, end)) = utf7_run(bytes, at + 1)
        {
            let last = spelled.len().saturating_sub(1);
            for (nth, ch) in spelled.into_iter().enumerate() {
                // The bits of one character do not begin at a byte: the whole run made each of them.
                out.push(ch, at..if nth == last { end } else { end.min(at + 1 + (nth + 1) * 8 / 3) });
            }
            at = end;
            continue;
        }
        let ch = text[at..].chars().next().unwrap_or('\u{fffd}');
        out.push(ch, at..at + ch.len_utf8());
        at += ch.len_utf8();
    }
}

fn sextet(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

fn utf7_run(bytes: &[u8], start: usize) -> Option<(Vec<char>, usize)> {
    let (mut bits, mut n_bits, mut at) = (0_u32, 0, start);
    let mut spelled = Vec::new();
    while let Some(six) = bytes.get(at).and_then(|&byte| sextet(byte)) {
        bits = (bits << 6 | six) & 0x00ff_ffff;
        n_bits += 6;
        at += 1;
        if n_bits >= 16 {
            n_bits -= 16;
            let unit = (bits >> n_bits) & 0xffff;
            let ch = char::from_u32(unit)
                .filter(|ch| ch.is_ascii() && (!ch.is_ascii_control() || ch.is_ascii_whitespace()))?;
            spelled.push(ch);
        }
    }
    // What is left over pads with zeros.
    let is_whole = n_bits < 6 && bits & ((1 << n_bits) - 1) == 0;
    let end = if bytes.get(at) == Some(&b'-') { at + 1 } else { at };
    (is_whole && !spelled.is_empty()).then_some((spelled, end))
}

/// Has `text` a quote, a plus and a quote?
pub(super) fn may_be_joined(text: &str, present: Present) -> bool {
    present.any(bits("+")) && present.any(bits("'\"")) && joints(text.as_bytes()).next().is_some()
}

/// Where a quoted text ends, is added to and goes on: from the closing quote to the opening one.
fn joints(bytes: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    bytes.iter().enumerate().filter(|&(_, &byte)| byte == b'+').filter_map(|(plus, _)| {
        let skip = |byte: &u8| matches!(byte, b' ' | b'\t' | b'(' | b')');
        let before = bytes[..plus].iter().rev().take(6).position(|byte| !skip(byte)).map(|n| plus - 1 - n)?;
        let after = bytes[plus + 1..].iter().take(6).position(|byte| !skip(byte)).map(|n| plus + 1 + n)?;
        let is_quote = |byte: u8| matches!(byte, b'\'' | b'"');
        (is_quote(bytes[before]) && is_quote(bytes[after])).then_some((before, after))
    })
}

/// `'al' + 'ert'` as `'alert'`.
pub(super) fn join(text: &str, out: &mut Out) {
    let bytes = text.as_bytes();
    let (mut at, mut last) = (0, 0);
    for (before, after) in joints(bytes) {
        if before < at || before - last > PIECE_BYTES_MAX && last > 0 {
            continue;
        }
        copy(text, at, before, out);
        at = after + 1;
        last = at;
    }
    copy(text, at, text.len(), out);
}

fn copy(text: &str, start: usize, end: usize, out: &mut Out) {
    for (n, ch) in text[start.min(end)..end].char_indices() {
        out.push(ch, start + n..start + n + ch.len_utf8());
    }
}

/// `1&x=y&id=2&id=3` as `1,2,3`.
pub(super) fn commas(text: &str, out: &mut Out) {
    list(text, ',', out);
}

/// `1&x=y&id=2&id=3` as `1 2 3`.
pub(super) fn blanks(text: &str, out: &mut Out) {
    list(text, ' ', out);
}

/// The first value, and all others that have the name of the last one, with `between` between them; plus means space.
fn list(text: &str, between: char, out: &mut Out) {
    let name = text.rsplit('&').find_map(|pair| pair.split_once('=')).map_or("", |(name, _)| name);
    let mut at = 0;
    for pair in text.split('&') {
        let start = at;
        at += pair.len() + 1;
        let value = if start == 0 {
            0
        } else if let Some((own, _)) = pair.split_once('=').filter(|(own, _)| own.eq_ignore_ascii_case(name))
        {
            out.push(between, start - 1..start);
            start + own.len() + 1
        } else {
            continue;
        };
        let end = start + pair.len();
        for (n, ch) in text[value..end].char_indices() {
            out.push(if ch == '+' { ' ' } else { ch }, value + n..value + n + ch.len_utf8());
        }
    }
}
