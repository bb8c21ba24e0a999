//! Attacker-written text made safe to look at.

use std::borrow::Cow;
use std::fmt::Write;

/// Makes control, bidirectional and zero-width characters visible, and caps the length.
///
/// Control characters become `\x1b`-style escapes, the rest `\u{202e}`. A line feed and a tab are escaped as well: the
/// result is one line. At most `max_chars` characters of the input are kept; a cut is marked by an ellipsis.
#[must_use]
pub fn visible(input: &str, max_chars: usize) -> String {
    let mut out = String::with_capacity(input.len().min(max_chars.saturating_mul(4)));
    for (index, ch) in input.chars().enumerate() {
        if index == max_chars {
            out.push('…');
            break;
        }
        match ch {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // As which a database keeps NUL: it reads the same wherever it comes from.
            '\u{2400}' => out.push_str("\\x00"),
            ch if ch.is_control() => {
                let _ = write!(out, "\\x{:02x}", u32::from(ch)); // Writing to a String cannot fail.
            }
            ch if is_invisible(ch) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(ch));
            }
            ch => out.push(ch),
        }
    }
    out
}

/// Characters that change how their neighbours look without being seen: bidirectional controls, zero-width characters,
/// the byte order mark, tags, line separators.
#[must_use]
pub const fn is_invisible(ch: char) -> bool {
    matches!(ch,
        '\u{00ad}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}

/// JSON text without a character that is not seen: each becomes the escape that JSON has for it, so that it is still JSON, and
/// says the same, where [`visible`] would make it none. Such characters stand in strings only.
#[must_use]
pub fn visible_json(json: &str) -> Cow<'_, str> {
    let hides = |ch: char| ch.is_control() || is_invisible(ch);
    if !json.contains(hides) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 16);
    for ch in json.chars() {
        if hides(ch) {
            for unit in ch.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}"); // Writing to a String cannot fail.
            }
        } else {
            out.push(ch);
        }
    }
    Cow::Owned(out)
}

/// JSON text whose strings hold no half of a surrogate pair: each becomes U+FFFD. Readers of JSON refuse a text with one
/// (RFC 8259, 8.2), and whoever sends a broken byte makes some programs write it.
#[must_use]
pub fn whole_surrogates(json: &str) -> Cow<'_, str> {
    let bytes = json.as_bytes();
    let unit = |at: usize| -> Option<u16> {
        let digits = json.get(at..at + 6)?.strip_prefix("\\u")?;
        digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
    };
    let mut whole = String::new();
    let (mut at, mut kept) = (0, 0);
    while let Some(n) = bytes[at..].iter().position(|&byte| byte == b'\\') {
        at += n;
        match unit(at) {
            Some(0xD800..=0xDBFF) if matches!(unit(at + 6), Some(0xDC00..=0xDFFF)) => at += 12,
            Some(0xD800..=0xDFFF) => {
                whole.push_str(&json[kept..at]);
                whole.push_str("\\ufffd");
                at += 6;
                kept = at;
            }
            _ => at = (at + 2).min(bytes.len()),
        }
    }
    if kept == 0 {
        return Cow::Borrowed(json);
    }
    whole.push_str(&json[kept..]);
    Cow::Owned(whole)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::{is_invisible, visible, visible_json, whole_surrogates};

    #[test]
    fn json_stays_json_without_what_is_not_seen() {
        let value = serde_json::json!({ "a\u{202e}": "x\u{2028}y\u{7f}\u{9b}\u{e0041}\n", "b": "caf\u{e9}" });
        let json = value.to_string();
        let shown = visible_json(&json);
        assert!(!shown.chars().any(|ch| ch.is_control() || is_invisible(ch)), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).expect("it is JSON"), value);
        assert!(matches!(visible_json("{\"a\":1}"), Cow::Borrowed(_)));
    }

    #[test]
    fn halves_of_pairs_are_replaced_and_nothing_else_is() {
        for (json, expect) in [
            (r#""plain""#, r#""plain""#),
            (r#""\ud83d""#, r#""\ufffd""#),
            (r#""a\ud83d\ude00b""#, r#""a\ud83d\ude00b""#),
            (r#""\uDE00\ud83dx""#, r#""\ufffd\ufffdx""#),
            (r#""\\ud83d""#, r#""\\ud83d""#),
            (r#""\ud8"#, r#""\ud8"#),
            (r#""\ud83d\u0041\"ü""#, r#""\ufffd\u0041\"ü""#),
        ] {
            assert_eq!(whole_surrogates(json), expect);
        }
    }

    #[test]
    fn shows_what_hides() {
        for (input, expect) in [
            ("plain", "plain"),
            ("a\u{202e}b", "a\\u{202e}b"),
            ("\u{1b}[31mred", "\\x1b[31mred"),
            ("two\nlines\0", "two\\nlines\\x00"),
            ("nul\u{2400}", "nul\\x00"),
            ("日本 ü", "日本 ü"),
        ] {
            assert_eq!(visible(input, 100), expect, "input {input:?}");
        }
        assert_eq!(visible("abcdef", 3), "abc…", "cut is marked");
    }
}
