//! The single decoding steps. Each one writes to an [`Out`] and never fails: what it does not understand stays as it is.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use watchpost_model::text::is_invisible;

use super::entities::named_entity;
use super::{Encoding, Out, Present, bits};

/// Longest text that is tried as base64, in bytes: more than is looked at of one body.
const BASE64_BYTES_MAX: usize = 256 * 1024;
/// Texts from this length on may be a piece of a longer one, cut anywhere.
const BASE64_PIECE_BYTES_MIN: usize = 4 * 1024;
/// What of such a piece has to be readable before all of it is decoded.
const BASE64_PROBE_BYTES: usize = 128;
/// Shortest text that is tried as base64: below, ordinary words decode to printable text too often.
const BASE64_BYTES_MIN: usize = 12;

pub(super) const fn needs_first(encoding: Encoding, present: Present) -> bool {
    match encoding {
        Encoding::Form => present.any(bits("%+")),
        Encoding::Commas | Encoding::Blanks => present.any(bits("&+")),
        Encoding::Path => present.any(bits("%")),
        Encoding::Json => present.any(bits("\\")),
        Encoding::Plain => false,
    }
}

pub(super) fn may_be_percent(_: &str, present: Present) -> bool {
    present.any(bits("%"))
}

pub(super) fn may_be_html(_: &str, present: Present) -> bool {
    present.any(bits("&"))
}

pub(super) fn may_be_unicode(text: &str, present: Present) -> bool {
    present.any(bits("\\")) || present.other && text.bytes().any(|byte| FOLDED_LEADS[usize::from(byte)])
}

/// The first bytes of characters that [`unicode`] drops or folds; letters of most alphabets have others.
const FOLDED_LEADS: [bool; 256] = {
    let mut leads = [false; 256];
    let all = [0xc2, 0xca, 0xcb, 0xd8, 0xe1, 0xe2, 0xe3, 0xef, 0xf3];
    let mut at = 0;
    while at < all.len() {
        leads[all[at]] = true;
        at += 1;
    }
    leads
};

pub(super) fn may_be_base64(text: &str, present: Present) -> bool {
    const LOWER: u128 = bits("abcdefghijklmnopqrstuvwxyz");
    const UPPER: u128 = bits("ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    const ALPHABET: u128 = LOWER | UPPER | bits("0123456789+/-_=");
    if present.other || present.any(!ALPHABET) {
        return false;
    }
    let text = text.trim_end_matches('=');
    (BASE64_BYTES_MIN..=BASE64_BYTES_MAX).contains(&text.len())
        && !text.contains('=')
        // A word or a path has neither mixed case with digits nor the alphabet's odd length.
        && present.any(UPPER)
        && present.any(LOWER)
}

pub(super) fn may_be_folded(text: &str, present: Present) -> bool {
    const CONTROL: u128 = 0xffff_ffff | 1 << 0x7f;
    present.any(CONTROL)
        || present.any(bits("*")) && present.any(bits("/")) && text.contains("/*")
        || present.other && text.contains('\u{a0}')
}

pub(super) fn may_be_shell(text: &str, present: Present) -> bool {
    present.any(bits("\\$^"))
        || present.any(bits("'")) && text.contains("''")
        || present.any(bits("\"")) && text.contains("\"\"")
        || present.any(bits("`")) && text.contains("``")
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// `%XX` at `at`.
fn percent_byte(bytes: &[u8], at: usize) -> Option<u8> {
    if *bytes.get(at)? != b'%' {
        return None;
    }
    Some(hex(*bytes.get(at + 1)?)? << 4 | hex(*bytes.get(at + 2)?)?)
}

/// Four hexadecimal digits at `at`.
fn four_hex(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.iter().try_fold(0, |sum, &byte| Some(sum << 4 | u32::from(hex(byte)?)))
}

/// Copies the character at `at` and all that follow up to one that `stops`; the byte after them.
fn copy_run(text: &str, at: usize, out: &mut Out, stops: impl Fn(u8) -> bool) -> usize {
    let after = at + char_at(text, at).len_utf8();
    let bytes = text.as_bytes();
    let end = bytes[after..].iter().position(|&byte| stops(byte)).map_or(bytes.len(), |n| after + n);
    out.push_run(text, at..end);
    end
}

fn char_at(text: &str, at: usize) -> char {
    text[at..].chars().next().unwrap_or('\u{fffd}')
}

pub(super) fn percent_form(text: &str, out: &mut Out) {
    percent_with(text, out, true);
}

pub(super) fn percent(text: &str, out: &mut Out) {
    percent_with(text, out, false);
}

fn percent_with(text: &str, out: &mut Out, plus_is_space: bool) {
    let bytes = text.as_bytes();
    let mut run: Vec<u8> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if percent_byte(bytes, at).is_some() {
            let start = at;
            run.clear();
            while let Some(byte) = percent_byte(bytes, at) {
                run.push(byte);
                at += 3;
            }
            bytes_leniently(&run, out, |range| start + range.start * 3..start + range.end * 3);
        } else if bytes[at] == b'%'
            && matches!(bytes.get(at + 1), Some(b'u' | b'U'))
            && let Some(unit) = four_hex(bytes, at + 2)
        {
            out.push(fold_char(char::from_u32(unit).unwrap_or('\u{fffd}')), at..at + 6);
            at += 6;
        } else if bytes[at] == b'+' && plus_is_space {
            out.push(' ', at..at + 1);
            at += 1;
        } else {
            at = copy_run(text, at, out, |byte| matches!(byte, b'%' | b'+'));
        }
    }
}

/// Bytes as text: UTF-8 where valid, overlong forms as what they spell, everything else as Latin-1.
fn bytes_leniently(bytes: &[u8], out: &mut Out, source: impl Fn(Range<usize>) -> Range<usize>) {
    let mut at = 0;
    while at < bytes.len() {
        let (ch, n_bytes) = match bytes[at] {
            byte if byte < 0x80 => (char::from(byte), 1),
            _ => valid_utf8(&bytes[at..])
                .or_else(|| overlong(&bytes[at..]))
                .unwrap_or((char::from(bytes[at]), 1)),
        };
        out.push(ch, source(at..at + n_bytes));
        at += n_bytes;
    }
}

fn valid_utf8(bytes: &[u8]) -> Option<(char, usize)> {
    (2..=4.min(bytes.len())).find_map(|n| {
        let ch = std::str::from_utf8(&bytes[..n]).ok()?.chars().next()?;
        (ch.len_utf8() == n).then_some((ch, n))
    })
}

/// `C0 AE` and longer spell `.`; some decoders also take `C0 2E`, where the second byte is not a continuation.
fn overlong(bytes: &[u8]) -> Option<(char, usize)> {
    let n = match bytes[0] {
        0xC0 | 0xC1 => 2,
        0xE0 => 3,
        0xF0 => 4,
        0xF8 => 5,
        0xFC => 6,
        _ => return None,
    };
    let tail = bytes.get(1..n)?;
    if n == 2 && tail[0] < 0x80 && tail[0] >= 0x20 {
        return Some((char::from(tail[0]), 2));
    }
    let lead = if n == 2 { u32::from(bytes[0] & 0x1f) } else { 0 };
    let code = tail
        .iter()
        .try_fold(lead, |sum, &byte| (byte & 0xC0 == 0x80).then_some(sum << 6 | u32::from(byte & 0x3f)))?;
    char::from_u32(code).filter(char::is_ascii).map(|ch| (ch, n))
}

pub(super) fn json(text: &str, out: &mut Out) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'\\' {
            at = copy_run(text, at, out, |byte| byte == b'\\');
            continue;
        }
        let (ch, n_bytes) = match bytes.get(at + 1) {
            Some(b'n') => ('\n', 2),
            Some(b'r') => ('\r', 2),
            Some(b't') => ('\t', 2),
            Some(b'b') => ('\u{8}', 2),
            Some(b'f') => ('\u{c}', 2),
            Some(&byte @ (b'"' | b'\\' | b'/')) => (char::from(byte), 2),
            Some(b'u') => json_unit(bytes, at).unwrap_or(('\\', 1)),
            _ => ('\\', 1),
        };
        out.push(ch, at..at + n_bytes);
        at += n_bytes;
    }
}

fn json_unit(bytes: &[u8], at: usize) -> Option<(char, usize)> {
    let unit = four_hex(bytes, at + 2)?;
    if (0xD800..0xDC00).contains(&unit)
        && bytes.get(at + 6..at + 8) == Some(br"\u")
        && let Some(low) = four_hex(bytes, at + 8).filter(|low| (0xDC00..0xE000).contains(low))
    {
        let code = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
        return char::from_u32(code).map(|ch| (ch, 12));
    }
    Some((char::from_u32(unit).unwrap_or('\u{fffd}'), 6))
}

pub(super) fn html(text: &str, out: &mut Out) {
    let mut at = 0;
    while at < text.len() {
        if text.as_bytes()[at] == b'&'
            && let Some((ch, n_bytes)) =
                numeric_entity(&text.as_bytes()[at..]).or_else(|| named_entity(&text[at..]))
        {
            // A lone surrogate is dropped: the letters around it must not be split.
            if ch != '\u{fffd}' {
                out.push(ch, at..at + n_bytes);
            }
            at += n_bytes;
        } else {
            at = copy_run(text, at, out, |byte| byte == b'&');
        }
    }
}

fn numeric_entity(bytes: &[u8]) -> Option<(char, usize)> {
    if bytes.get(1) != Some(&b'#') {
        return None;
    }
    let (radix, start) = if matches!(bytes.get(2), Some(b'x' | b'X')) { (16, 3) } else { (10, 2) };
    let mut code: u32 = 0;
    let mut at = start;
    while let Some(digit) = bytes.get(at).and_then(|&byte| char::from(byte).to_digit(radix)) {
        code = code.saturating_mul(radix).saturating_add(digit);
        at += 1;
    }
    if at == start {
        return None;
    }
    let ch = char::from_u32(code).unwrap_or('\u{fffd}');
    Some((ch, if bytes.get(at) == Some(&b';') { at + 1 } else { at }))
}

/// `\uXXXX`, `\u{X}`, `\xXX`, and characters that look like ASCII or cannot be seen.
pub(super) fn unicode(text: &str, out: &mut Out) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if let Some((ch, n_bytes)) = escape(bytes, at) {
            out.push(fold_char(ch), at..at + n_bytes);
            at += n_bytes;
            continue;
        }
        if bytes[at].is_ascii() {
            at = copy_run(text, at, out, |byte| byte == b'\\' || !byte.is_ascii());
            continue;
        }
        let ch = char_at(text, at);
        if !is_invisible(ch) {
            out.push(fold_char(ch), at..at + ch.len_utf8());
        }
        at += ch.len_utf8();
    }
}

fn escape(bytes: &[u8], at: usize) -> Option<(char, usize)> {
    if bytes[at] != b'\\' {
        return None;
    }
    match bytes.get(at + 1)? {
        b'u' if bytes.get(at + 2) == Some(&b'{') => {
            let end = bytes.get(at + 3..(at + 12).min(bytes.len()))?.iter().position(|&byte| byte == b'}')?
                + at
                + 3;
            let digits = std::str::from_utf8(&bytes[at + 3..end]).ok()?;
            Some((char::from_u32(u32::from_str_radix(digits, 16).ok()?)?, end + 1 - at))
        }
        b'u' => Some((char::from_u32(four_hex(bytes, at + 2)?)?, 6)),
        b'x' => Some((char::from(hex(*bytes.get(at + 2)?)? << 4 | hex(*bytes.get(at + 3)?)?), 4)),
        _ => None,
    }
}

/// Full-width forms and the look-alikes that databases and browsers fold to ASCII.
fn fold_char(ch: char) -> char {
    match ch {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(ch) - 0xfee0).unwrap_or(ch),
        '\u{2215}' | '\u{2044}' => '/',
        '\u{2216}' => '\\',
        '\u{00b4}' | '\u{02b9}' | '\u{02bc}' | '\u{2018}' | '\u{2019}' | '\u{2032}' => '\'',
        '\u{02ba}' | '\u{201c}' | '\u{201d}' => '"',
        '\u{3008}' | '\u{2329}' => '<',
        '\u{3009}' | '\u{232a}' => '>',
        '\u{2024}' => '.',
        '\u{3000}' => ' ',
        _ => ch,
    }
}

/// Fills `out` only when the whole text is base64 of readable text.
pub(super) fn base64(whole: &str, out: &mut Out) {
    // As the last segment of a path.
    let text = whole.trim_start_matches('/');
    let n_before = whole.len() - text.len();
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let alphabet = if text.bytes().any(|byte| matches!(byte, b'-' | b'_')) {
        &base64::alphabet::URL_SAFE
    } else {
        &base64::alphabet::STANDARD
    };
    let engine = GeneralPurpose::new(alphabet, config);
    let n_cuts = if text.len() < BASE64_PIECE_BYTES_MIN { 1 } else { 4 };
    let found =
        (0..n_cuts).find_map(|cut| Some((cut, readable_base64(&engine, text.get(cut..)?, n_cuts > 1)?)));
    let Some((cut, (n_lead, decoded))) = found else { return };
    let (n_before, n_encoded) = (n_before + cut, text.len() - cut);
    // Letters and digits only are another code word, not something with a syntax, unless it is encoded once more.
    let is_code_word = decoded.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && !(decoded.len() >= BASE64_BYTES_MIN
            && super::data::readable(&decoded)
                .is_some_and(|inner| inner.bytes().any(|byte| !byte.is_ascii_alphanumeric())));
    if is_code_word {
        return;
    }
    let mut n_bytes = n_lead;
    for ch in decoded.chars() {
        let start = n_bytes / 3 * 4 + n_bytes % 3;
        n_bytes += ch.len_utf8();
        let end = (n_bytes.div_ceil(3) * 4).min(n_encoded);
        out.push(ch, n_before + start.min(end)..n_before + end);
    }
}

/// The readable text that `text` is the base64 of, and how many bytes before it belong to a character that was cut.
/// A piece of a longer text may begin and end inside of a character.
fn readable_base64(engine: &GeneralPurpose, text: &str, is_piece: bool) -> Option<(usize, String)> {
    if is_piece && text.len() > BASE64_PROBE_BYTES {
        readable_base64(engine, text.get(..BASE64_PROBE_BYTES)?, true)?;
    }
    let n_odd = usize::from(is_piece && text.len() % 4 == 1);
    let mut bytes = engine.decode(&text[..text.len() - n_odd]).ok()?;
    let n_lead = bytes.iter().take(3).take_while(|byte| is_piece && **byte & 0xc0 == 0x80).count();
    bytes.drain(..n_lead);
    let decoded = match String::from_utf8(bytes) {
        Ok(decoded) => decoded,
        Err(error) if is_piece && error.utf8_error().error_len().is_none() => {
            let n_whole = error.utf8_error().valid_up_to();
            let mut bytes = error.into_bytes();
            bytes.truncate(n_whole);
            String::from_utf8(bytes).ok()?
        }
        Err(_) => return None,
    };
    let is_readable = |ch: char| !ch.is_control() || matches!(ch, '\n' | '\r' | '\t');
    decoded.chars().all(is_readable).then_some((n_lead, decoded))
}

/// SQL comments and control characters as one space; the inside of `/*!50000 ... */` kept; NUL dropped.
pub(super) fn fold(text: &str, out: &mut Out) {
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut in_versioned = false;
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*!") {
            let digits = bytes[at + 3..].iter().take(6).take_while(|byte| byte.is_ascii_digit()).count();
            in_versioned = true;
            out.push(' ', at..at + 3 + digits);
            at += 3 + digits;
        } else if in_versioned && bytes[at..].starts_with(b"*/") {
            in_versioned = false;
            out.push(' ', at..at + 2);
            at += 2;
        } else if bytes[at..].starts_with(b"/*")
            && let Some(n_inside) = text[at + 2..].find("*/")
        {
            // A filter that removes comments glues `un/**/ion` together; a database reads `union/**/select` as two words.
            let after = &text[at + n_inside + 4..];
            if !cuts_word(&out.text, after) {
                out.push(' ', at..at + n_inside + 4);
            }
            at += n_inside + 4;
        } else {
            let is_plain = |byte: u8| (0x20..0x7f).contains(&byte) && byte != b'/' && byte != b'*';
            if is_plain(bytes[at]) {
                at = copy_run(text, at, out, |byte| !is_plain(byte));
                continue;
            }
            let ch = char_at(text, at);
            let source = at..at + ch.len_utf8();
            at = source.end;
            match ch {
                '\0' => {}
                '\u{a0}' | '\u{7f}' => out.push(' ', source),
                ch if ch.is_control() => out.push(' ', source),
                ch => out.push(ch, source),
            }
        }
    }
}

/// Does a comment between `before` and `after` stand inside a word of SQL?
fn cuts_word(before: &str, after: &str) -> bool {
    const CUT: [&str; 14] = [
        "union",
        "select",
        "insert",
        "update",
        "delete",
        "drop",
        "from",
        "where",
        "sleep",
        "benchmark",
        "exec",
        "having",
        "truncate",
        "alter",
    ];
    let letters = |byte: &u8| byte.is_ascii_alphabetic();
    let n_head = before.bytes().rev().take(12).take_while(letters).count();
    let n_tail = after.bytes().take(12).take_while(letters).count();
    if n_head == 0 || n_tail == 0 {
        return false;
    }
    let joined = format!("{}{}", &before[before.len() - n_head..], &after[..n_tail]).to_ascii_lowercase();
    // Only a whole word, or the first letters of one that is cut again.
    CUT.iter()
        .any(|word| joined == *word || word.starts_with(joined.as_str()) && after[n_tail..].starts_with("/*"))
}

/// What a shell reads after it has removed quoting inside words: `c''at`, `w\hoami`, `who$@ami`, `cat${IFS}x`, `c^at`.
pub(super) fn shell(text: &str, out: &mut Out) {
    const DROPPED: [&str; 7] = ["''", "\"\"", "``", "$@", "$*", "$()", "$!"];
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &text[at..];
        if let Some(ifs) =
            ["${IFS%??}", "${IFS}", "$IFS$9", "$IFS"].iter().find(|ifs| rest.starts_with(**ifs))
        {
            out.push(' ', at..at + ifs.len());
            at += ifs.len();
        } else if let Some(dropped) = DROPPED.iter().find(|dropped| rest.starts_with(**dropped)) {
            at += dropped.len();
        } else if matches!(bytes[at], b'\\' | b'^')
            && bytes.get(at + 1).is_some_and(u8::is_ascii_alphanumeric)
        {
            at += 1;
        } else {
            at = copy_run(text, at, out, |byte| matches!(byte, b'$' | b'\'' | b'"' | b'`' | b'\\' | b'^'));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_that_is_dropped_or_folded_is_looked_for() {
        for ch in ('\u{80}'..=char::MAX).filter(|&ch| is_invisible(ch) || fold_char(ch) != ch) {
            let text = ch.to_string();
            assert!(may_be_unicode(&text, Present::of(&text)), "{ch:?} is passed over");
        }
        for text in ["café", "naïve", "Привет", "漢字", "한글"] {
            assert!(!may_be_unicode(text, Present::of(text)), "{text} is looked at for nothing");
        }
    }

    #[test]
    fn bytes_that_occur_are_known() {
        for text in ["", "abc", "\0\u{7f}@?", "é", "a漢;"] {
            let ascii = text.bytes().filter(u8::is_ascii).fold(0, |all, byte| all | 1_u128 << byte);
            assert_eq!(Present::of(text), Present { ascii, other: !text.is_ascii() }, "text {text:?}");
        }
    }
}
