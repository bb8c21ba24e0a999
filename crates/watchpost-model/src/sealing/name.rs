//! Names of keys that hold what was taken out of the events that they name.

use std::cmp::Reverse;
use std::ops::Range;

use super::{TELLING_BYTES_MIN, replaced};
use crate::sensitive;

/// How often a value in a name may be encoded.
const LAYERS_MAX: usize = 3;
/// Of the digest behind `~` with which a long name is cut.
const DIGEST_CHARS: usize = 16;

/// A byte of a name as a decoder leaves it, and where it stands in the name.
struct Byte {
    value: u8,
    at: Range<usize>,
}

/// `name` with marks in the place of values, `hidden` being values with their marks: as they are, percent-encoded, and what
/// is left of one where the name was cut. `None` if it holds none.
#[must_use]
pub fn name_without(name: &str, hidden: &[(String, String)]) -> Option<String> {
    let mut places: Vec<(Range<usize>, String)> = Vec::new();
    let mut bytes: Vec<Byte> =
        name.bytes().enumerate().map(|(at, value)| Byte { value, at: at..at + 1 }).collect();
    for _ in 0..LAYERS_MAX {
        for (value, mark) in hidden {
            let decoded = sensitive::decoded(value);
            for form in [Some(value), decoded.as_ref()].into_iter().flatten() {
                let found = standing(&bytes, form.as_bytes());
                places.extend(found.into_iter().map(|range| (range, mark.clone())));
            }
        }
        let Some(next) = unpacked(&bytes) else { break };
        bytes = next;
    }
    places.sort_by_key(|(range, _)| (range.start, Reverse(range.end)));
    let mut apart: Vec<(Range<usize>, String)> = Vec::new();
    for (range, mark) in places {
        match apart.last_mut() {
            Some((last, _)) if range.start < last.end => last.end = last.end.max(range.end),
            _ => apart.push((range, mark)),
        }
    }
    (!apart.is_empty()).then(|| replaced(name, &apart))
}

/// Where in the name `value` stands. A short one counts where nothing is joined to it.
fn standing(bytes: &[Byte], value: &[u8]) -> Vec<Range<usize>> {
    let is_edge = |byte: Option<&Byte>| byte.is_none_or(|byte| !byte.value.is_ascii_alphanumeric());
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = bytes.get(at) {
        let rest = bytes.get(at..).unwrap_or_default();
        let same = rest.iter().zip(value).take_while(|(byte, wanted)| byte.value == **wanted).count();
        let after = rest.get(same..).unwrap_or_default();
        let is_alone =
            is_edge(at.checked_sub(1).and_then(|before| bytes.get(before))) && is_edge(after.first());
        let is_whole = same == value.len() && (same >= TELLING_BYTES_MIN || is_alone);
        match same.checked_sub(1).and_then(|last| rest.get(last)) {
            Some(last) if is_whole || is_cut(after) => {
                found.push(first.at.start..last.at.end);
                at += same;
            }
            _ => at += 1,
        }
    }
    found
}

/// Was the name cut before this?
fn is_cut(after: &[Byte]) -> bool {
    let Some((sign, digest)) = after.split_first() else { return false };
    let hex = digest.iter().take(DIGEST_CHARS).take_while(|byte| byte.value.is_ascii_hexdigit()).count();
    sign.value == b'~' && hex == DIGEST_CHARS
}

/// Without one percent-encoding; `None` where there is none.
fn unpacked(bytes: &[Byte]) -> Option<Vec<Byte>> {
    let digit = |at: usize| {
        let value = bytes.get(at).and_then(|byte| char::from(byte.value).to_digit(16))?;
        u8::try_from(value).ok()
    };
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let pair = if byte.value == b'%' { digit(at + 1).zip(digit(at + 2)) } else { None };
        match (pair, bytes.get(at + 2)) {
            (Some((high, low)), Some(last)) => {
                out.push(Byte { value: high * 16 + low, at: byte.at.start..last.at.end });
                at += 3;
            }
            _ => {
                out.push(Byte { value: byte.value, at: byte.at.clone() });
                at += 1;
            }
        }
    }
    (out.len() < bytes.len()).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::name_without;

    #[test]
    fn a_name_holds_marks_in_the_place_of_values() {
        let hidden = |value: &str| vec![(value.to_owned(), "[m]".to_owned())];
        let cases = [
            (
                "s:api:%2Freset%3Ftoken%3D9f8e7d6c5b4a:17",
                "9f8e7d6c5b4a",
                Some("s:api:%2Freset%3Ftoken%3D[m]:17"),
            ),
            (
                "s:api:%2Fx%3Fpassword%3Dp%2540ss%2520word:17",
                "p%40ss%20word",
                Some("s:api:%2Fx%3Fpassword%3D[m]:17"),
            ),
            ("s:api:%2Fx%3Fpassword%3Dp%40ssword:17", "p%40ssword", Some("s:api:%2Fx%3Fpassword%3D[m]:17")),
            ("s:api:/x?password=9f8e7d6c:17", "9f8e7d6c", Some("s:api:/x?password=[m]:17")),
            ("s:api:%2Fx%3Fpwd%3Dab:17", "ab", Some("s:api:%2Fx%3Fpwd%3D[m]:17")),
            ("s:api:%2Ftable:17", "ab", None),
            (
                "s:api:%2Fx%3Ftoken%3D9f8e~0123456789abcdef:17",
                "9f8e7d6c",
                Some("s:api:%2Fx%3Ftoken%3D[m]~0123456789abcdef:17"),
            ),
            ("s:auth:17", "9f8e7d6c", None),
            ("s:auth:17", "", None),
        ];
        for (name, value, expected) in cases {
            assert_eq!(name_without(name, &hidden(value)).as_deref(), expected, "{name} {value}");
        }
    }
}
