//! Attacker-written text made safe to look at.

use std::fmt::Write;

/// Makes control, bidirectional and zero-width characters visible, and caps the length.
///
/// Control characters become `\x1b`-style escapes, the rest `\u{202e}`. A line feed and a tab are escaped as well: the
/// result is one line. At most `max_chars` characters of the input are kept; a cut is marked by an ellipsis.
#[must_use]
pub fn visible(input: &str, max_chars: usize) -> String {
    let mut out = String::with_capacity(input.len().min(max_chars * 4));
    for (index, ch) in input.chars().enumerate() {
        if index == max_chars {
            out.push('…');
            break;
        }
        match ch {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
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

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn shows_what_hides() {
        for (input, expect) in [
            ("plain", "plain"),
            ("a\u{202e}b", "a\\u{202e}b"),
            ("\u{1b}[31mred", "\\x1b[31mred"),
            ("two\nlines\0", "two\\nlines\\x00"),
            ("日本 ü", "日本 ü"),
        ] {
            assert_eq!(visible(input, 100), expect, "input {input:?}");
        }
        assert_eq!(visible("abcdef", 3), "abc…", "cut is marked");
    }
}
