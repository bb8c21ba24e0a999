//! Where the values of names begin and end, in whatever a text is written.

use std::ops::Range;

use super::MARK;
use super::find::is_scheme;

/// More values of one name in one place are not taken apart.
const VALUES_MAX: usize = 256;
/// How far the values of an array or object are followed.
const CONTAINER_BYTES_MAX: usize = 16_384;
/// A longer list of attributes is none.
const ATTRIBUTES_BYTES_MAX: usize = 1_024;
const DIGITS: [char; 10] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

/// How what stands after a name is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// As a parameter, up to the next one.
    Form,
    /// As an element, up to the next one.
    Tag,
    /// As a header, up to the end of the line where it begins with a scheme.
    Line,
    /// Up to what ends a word.
    Word,
}

/// Is it part of a name?
pub(super) const fn in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// The letter of a name at `at`, however it is written, and how many bytes it takes.
pub(super) fn letter(text: &str, at: usize) -> Option<(char, usize)> {
    let rest = text.get(at..)?;
    let code = |from: usize| u8::from_str_radix(rest.get(from..from + 2)?, 16).ok();
    let (byte, length) = if rest.starts_with("%25") {
        // Encoded twice.
        (code(3)?, 5)
    } else if rest.starts_with('%') {
        (code(1)?, 3)
    } else if rest.starts_with("\\u00") {
        (code(4)?, 6)
    } else {
        (rest.bytes().next()?, 1)
    };
    in_name(byte).then(|| (char::from(byte), length))
}

/// The values in the array or object that begins at `at`, to its end or where it was cut.
pub(super) fn strings_in(text: &str, mut at: usize) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut depth = 0_usize;
    let end = at + CONTAINER_BYTES_MAX;
    while let Some(byte) = text.as_bytes().get(at) {
        let quote = match byte {
            b'[' | b'{' => {
                depth += 1;
                None
            }
            b']' | b'}' => {
                depth = depth.saturating_sub(1);
                None
            }
            b'"' => Some("\""),
            b'\\' if text.as_bytes().get(at + 1) == Some(&b'"') => Some("\\\""),
            _ => None,
        };
        if depth == 0 || found.len() >= VALUES_MAX || at > end {
            break;
        }
        let Some(quote) = quote else {
            at += 1;
            continue;
        };
        let from = at + quote.len();
        let until = from + closed(text.get(from..).unwrap_or_default(), quote);
        at = until + quote.len();
        let after = text.get(at..).unwrap_or_default().trim_start();
        if !after.starts_with(':') {
            found.push(from..until);
        }
    }
    found
}

/// Where the value begins and ends of a name that ends at `end`: in a form, in JSON (also within a text of JSON), in a
/// header, in XML, in a part of a message.
pub(super) fn value_after(text: &str, end: usize, reading: Reading) -> Option<Range<usize>> {
    let rest = |at: usize| text.get(at..).unwrap_or_default();
    let begins =
        |at: usize, with: &str| rest(at).get(..with.len()).is_some_and(|it| it.eq_ignore_ascii_case(with));
    let skipped = |at: usize, what: &[char]| text.len() - rest(at).trim_start_matches(what).len();
    let mut at = end;
    for (open, close) in [("[", "]"), ("%5b", "%5d")] {
        // `name[]`, `name[0]`.
        let inner = if begins(at, open) { skipped(at + open.len(), &DIGITS) } else { at };
        if inner > at && begins(inner, close) {
            at = inner + close.len();
        }
    }
    while begins(at, "%5d") {
        at += 3;
    }
    at = skipped(at, &[']', '"', '\'', '\\']);
    let is_quoted = at > end;
    at = skipped(at, &[' ', '\t']);
    let line = skipped(at, &[' ', '\t', '\r', '\n']);
    if is_quoted && begins(line, ":") {
        at = line;
    } else if is_quoted && begins(at, ",") {
        // `"name":"password","value":"..."`
        let other = skipped(at + 1, &[' ', '\t', '\r', '\n', '\\', '"']);
        let is_value = begins(other, "value\"") || begins(other, "value\\\"");
        at = skipped(other + "value".len(), &[' ', '\t', '\r', '\n', '\\', '"']);
        if !is_value || !begins(at, ":") {
            return None;
        }
    } else if reading == Reading::Tag && !is_quoted && (at > end || line > at) && !begins(at, "=") {
        // An element with attributes.
        let tag = rest(line).bytes().take(ATTRIBUTES_BYTES_MAX).position(|byte| byte == b'>')?;
        at = line + tag;
        if rest(line).get(..tag)?.ends_with('/') {
            return None;
        }
    }
    let mut until: Option<&[char]> = None;
    if begins(at, "=>") {
        at += 2;
    } else if begins(at, "=") || begins(at, ":") {
        at += 1;
    } else if begins(at, "%3d") {
        at += 3;
    } else if begins(at, ">") && !is_quoted && reading == Reading::Tag {
        at += 1;
        let inner = skipped(at, &[' ', '\t', '\r', '\n']);
        if begins(inner, "<![CDATA[") {
            let from = inner + "<![CDATA[".len();
            return Some(from..from + rest(from).find("]]>").unwrap_or(rest(from).len()));
        }
        until = Some(&['<']);
    } else if is_quoted && (begins(at, "\r\n\r\n") || begins(at, "\n\n")) {
        at = skipped(at, &['\r', '\n']);
        until = Some(&['\r', '\n']);
    } else {
        return None;
    }
    if reading == Reading::Form {
        until = Some(&['&']);
    }
    if let Some(until) = until {
        return Some(at..at + rest(at).find(until).unwrap_or(rest(at).len()));
    }
    at = skipped(at, &[' ', '\t']);
    let line = skipped(at, &[' ', '\t', '\r', '\n']);
    if is_quoted && rest(line).starts_with(['"', '[', '{']) {
        at = line;
    }
    for quote in ["\\\"", "\"", "'"] {
        if begins(at, quote) {
            let from = at + quote.len();
            return Some(from..from + closed(rest(from), quote));
        }
    }
    let scheme = rest(at).split(' ').next().unwrap_or_default();
    let ends: &[char] = if reading == Reading::Line && is_scheme(scheme) {
        &['\r', '\n', '"', '\\']
    } else {
        &[' ', '\t', '\r', '\n', '&', ';', ',', '"', '\'', '<', ')', '}', ']', '\\']
    };
    // A mark ends with what ends a value.
    let length = if begins(at, MARK) { rest(at).find(']').map(|n| n + 1) } else { rest(at).find(ends) };
    Some(at..at + length.unwrap_or(rest(at).len()))
}

/// How long what is in quotes is; to the end if they are not closed.
fn closed(text: &str, quote: &str) -> usize {
    let mut from = 0;
    while let Some(n) = text.get(from..).and_then(|rest| rest.find(quote)) {
        let at = from + n;
        let escapes =
            text.get(..at).unwrap_or_default().bytes().rev().take_while(|byte| *byte == b'\\').count();
        if escapes.is_multiple_of(2) {
            return at;
        }
        from = at + quote.len();
    }
    text.len()
}
