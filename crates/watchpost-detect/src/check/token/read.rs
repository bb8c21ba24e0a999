//! Finding tokens and decoding their parts, as leniently as the most careless library does.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

/// Most tokens of one text that are read.
const TOKENS_MAX: usize = 8;
/// Longest part that is decoded, in bytes.
const PART_BYTES_MAX: usize = 16 * 1_024;
/// How `{"`, `{ `, a line break and a tab begin in base64.
const STARTS: [&str; 7] = ["eyJ", "eyA", "ewo", "ew0", "ewk", "eyI", "eyd"];

/// A token as found.
#[derive(Debug)]
pub(super) struct Token<'a> {
    pub(super) range: Range<usize>,
    /// The header's members in order, doubled ones included.
    pub(super) header: Vec<(String, Value)>,
    /// Is the header JSON to the letter?
    pub(super) is_header_valid: bool,
    /// The claims, where the payload is a JSON object.
    pub(super) claims: Option<Vec<(String, Value)>>,
    /// Are the claims JSON to the letter (or is there nothing that should be)?
    pub(super) is_payload_valid: bool,
    /// The parts as written.
    pub(super) parts: Vec<&'a str>,
    /// Does the text go on in a way that says that the token was cut or masked?
    pub(super) is_cut: bool,
}

impl Token<'_> {
    /// A member of the header by name; the last one wins, as in most libraries.
    pub(super) fn header(&self, name: &str) -> Option<&Value> {
        self.header.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// A claim by name.
    pub(super) fn claim(&self, name: &str) -> Option<&Value> {
        self.claims.as_ref()?.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The part that is signed: header and payload as written.
    pub(super) fn signed(&self) -> String {
        self.parts.iter().take(2).copied().collect::<Vec<_>>().join(".")
    }

    pub(super) fn signature(&self) -> &str {
        self.parts.get(2).copied().unwrap_or("")
    }
}

const fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

const fn is_lenient(byte: u8) -> bool {
    is_letter(byte) || matches!(byte, b'+' | b'/' | b'=')
}

/// Base64 in either alphabet, padded or not.
pub(super) fn decode(part: &str) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let plain: String = part.trim_end_matches('=').replace('+', "-").replace('/', "_");
    GeneralPurpose::new(&base64::alphabet::URL_SAFE, config).decode(plain).ok()
}

/// Every token of a text.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found: Vec<Token<'_>> = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while found.len() < TOKENS_MAX
        && let Some(start) =
            bytes[at..].windows(3).position(|three| STARTS.iter().any(|start| three == start.as_bytes()))
    {
        let start = at + start;
        let is_inside = start > 0 && is_letter(bytes[start - 1]);
        match (!is_inside).then(|| token(text, start)).flatten() {
            Some(token) => {
                at = token.range.end;
                found.push(token);
            }
            None => at = start + 1,
        }
    }
    found
}

fn run(bytes: &[u8], from: usize, of: fn(u8) -> bool) -> usize {
    from + bytes[from..].iter().take(PART_BYTES_MAX).take_while(|byte| of(**byte)).count()
}

fn token(text: &str, start: usize) -> Option<Token<'_>> {
    let bytes = text.as_bytes();
    let header_end = run(bytes, start, is_lenient);
    if bytes.get(header_end) != Some(&b'.') {
        return None;
    }
    let header_part = &text[start..header_end];
    let header_bytes = decode(header_part)?;
    let header_text = String::from_utf8_lossy(&header_bytes);
    let (header, is_header_valid) = members(&header_text)?;
    let is_header = |name: &str| matches!(name, "alg" | "enc" | "kid" | "jku" | "jwk" | "x5u" | "x5c");
    let is_typed = header.iter().any(|(name, value)| {
        name == "typ" && value.as_str().is_some_and(|typ| typ.to_ascii_uppercase().contains("JWT"))
    });
    if !is_typed && !header.iter().any(|(name, _)| is_header(name)) {
        return None;
    }
    let mut parts = vec![header_part];
    let mut end = header_end;
    while parts.len() < 6 && bytes.get(end) == Some(&b'.') {
        let of: fn(u8) -> bool =
            if parts.len() == 1 { |byte| is_lenient(byte) } else { |byte| is_letter(byte) || byte == b'=' };
        let part_end = run(bytes, end + 1, of);
        // A full stop behind a token ends a sentence.
        if parts.len() >= 3 && part_end == end + 1 {
            break;
        }
        parts.push(&text[end + 1..part_end]);
        end = part_end;
    }
    let payload = parts.get(1).and_then(|part| decode(part));
    let payload_text = payload.as_ref().map(|bytes| String::from_utf8_lossy(bytes));
    let (claims, is_payload_valid) = match &payload_text {
        Some(text) if text.trim_start().starts_with('{') => {
            members(text).map_or((None, false), |(members, valid)| (Some(members), valid))
        }
        Some(_) => (None, true),
        None => (None, false),
    };
    let rest = &text[end..];
    let is_cut = ["*", "...", "\u{2026}", "<", "["].iter().any(|mark| rest.starts_with(mark));
    Some(Token { range: start..end, header, is_header_valid, claims, is_payload_valid, parts, is_cut })
}

/// The members of a JSON object in order. The flag is false where only a lenient reader finds them.
fn members(text: &str) -> Option<(Vec<(String, Value)>, bool)> {
    struct Members;
    impl<'de> Visitor<'de> for Members {
        type Value = Vec<(String, Value)>;
        fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            out.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut all = Vec::new();
            while let Some(member) = map.next_entry()? {
                all.push(member);
            }
            Ok(all)
        }
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    match reader.deserialize_map(Members) {
        Ok(all) => Some((all, reader.end().is_ok() && !text.contains('\u{fffd}'))),
        // Cut off, single quotes, trailing commas: what names an algorithm is a header to somebody.
        Err(_) => lenient(text).map(|all| (all, false)),
    }
}

fn lenient(text: &str) -> Option<Vec<(String, Value)>> {
    let trimmed = text.trim_start_matches(['\u{feff}', ' ', '\0', '\n', '\r', '\t']);
    if !trimmed.starts_with('{') {
        return None;
    }
    let words: Vec<&str> = trimmed.split(['"', '\'']).skip(1).step_by(2).collect();
    let at = words.iter().position(|word| matches!(*word, "alg" | "typ"))?;
    let value = words.get(at + 1).copied().unwrap_or("");
    Some(vec![(words[at].to_owned(), Value::String(value.to_owned()))])
}
