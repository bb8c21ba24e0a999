//! What is written in the alphabet of another encoding: the content of data URIs, and hexadecimal digits.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::{Out, Present, bits};

/// Most data URIs of one text whose content is read.
const URIS_MAX: usize = 8;
/// Longest content of one that is read, in bytes of base64.
const CONTENT_BYTES_MAX: usize = 256 << 10;
/// Hexadecimal digits of the shortest and of the longest text that is read as such.
const DIGITS: std::ops::RangeInclusive<usize> = 24..=16 << 10;

/// Has `text` a data URI in base64?
pub(super) fn may_be_data(text: &str, present: Present) -> bool {
    present.any(bits(";")) && present.any(bits(",")) && contents(text).next().is_some()
}

/// Where the base64 of each data URI is: `data:text/html;base64,HERE`.
fn contents(text: &str) -> impl Iterator<Item = Range<usize>> {
    const MARK: &str = "base64,";
    let bytes = text.as_bytes();
    let marks = bytes.windows(MARK.len()).enumerate();
    marks
        .filter(|(at, window)| {
            *at > 5 && bytes[at - 1] == b';' && window.eq_ignore_ascii_case(MARK.as_bytes())
        })
        .filter(|(at, _)| {
            let head = &bytes[at.saturating_sub(100)..*at];
            head.windows(5).any(|window| window.eq_ignore_ascii_case(b"data:"))
        })
        .map(move |(at, _)| {
            let start = at + MARK.len();
            let is_digit =
                |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_');
            let n = bytes[start..].iter().take(CONTENT_BYTES_MAX).take_while(|byte| is_digit(byte)).count();
            start..start + n
        })
        .filter(|range| range.len() >= 8)
        .take(URIS_MAX)
}

/// The contents of the data URIs, a line each, where they are readable text.
pub(super) fn data(text: &str, out: &mut Out) {
    for range in contents(text) {
        let Some(decoded) = readable(&text[range.clone()]) else { continue };
        if !out.text.is_empty() {
            out.push('\n', range.start..range.start);
        }
        let mut n_bytes = 0;
        for ch in decoded.chars() {
            let start = range.start + n_bytes / 3 * 4 + n_bytes % 3;
            n_bytes += ch.len_utf8();
            let end = (range.start + n_bytes.div_ceil(3) * 4).min(range.end);
            out.push(ch, start.min(end)..end);
        }
    }
}

/// The text that `encoded` is the base64 of, if it is one.
pub(super) fn readable(encoded: &str) -> Option<String> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let alphabet = if encoded.bytes().any(|byte| matches!(byte, b'-' | b'_')) {
        &base64::alphabet::URL_SAFE
    } else {
        &base64::alphabet::STANDARD
    };
    let decoded = String::from_utf8(GeneralPurpose::new(alphabet, config).decode(encoded).ok()?).ok()?;
    let is_readable = |ch: char| !ch.is_control() || matches!(ch, '\n' | '\r' | '\t');
    decoded.chars().all(is_readable).then_some(decoded)
}

/// Does `text` consist of hexadecimal digits, as many as a statement has?
pub(super) fn may_be_hex(text: &str, present: Present) -> bool {
    const ALPHABET: u128 = bits("0123456789abcdefABCDEFxX");
    if present.other || present.any(!ALPHABET) {
        return false;
    }
    let (digits, _) = digits(text);
    DIGITS.contains(&digits.len()) && digits.len().is_multiple_of(2)
}

fn digits(text: &str) -> (&str, usize) {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, 2),
        None => (text, 0),
    }
}

/// Fills `out` only when the whole text is the hexadecimal form of readable ASCII with marks in it.
pub(super) fn hex(text: &str, out: &mut Out) {
    let (digits, n_before) = digits(text);
    let value = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let bytes: Option<Vec<u8>> =
        digits.as_bytes().chunks(2).map(|pair| Some(value(pair[0])? << 4 | value(*pair.get(1)?)?)).collect();
    let Some(bytes) = bytes else { return };
    let is_text = bytes.iter().all(|byte| matches!(byte, b'\n' | b'\r' | b'\t' | 0x20..0x7f));
    if !is_text || bytes.iter().all(u8::is_ascii_alphanumeric) {
        return;
    }
    for (nth, byte) in bytes.into_iter().enumerate() {
        out.push(char::from(byte), n_before + nth * 2..n_before + nth * 2 + 2);
    }
}
