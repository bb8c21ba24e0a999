//! The expressions of rules: how they are read and what they may cost.

use regex::{Regex, RegexBuilder};

/// Cap of one expression's compiled size, in bytes.
const COMPILED_BYTES_MAX: usize = 4 << 20;
/// Cap of one expression's lazily built automaton, in bytes: beyond, it starts over, which bounds memory.
const CACHE_BYTES_MAX: usize = 512 << 10;

/// Compiles an expression of a rule: case-insensitive, `\w`, `\d`, `\s` and `\b` mean ASCII.
///
/// ASCII, because what an attacker writes was folded to ASCII by the decoder, and because an automaton with Unicode
/// classes is many times larger and gives up on text that is not ASCII.
///
/// Errors: what the expression lacks, or that it is too large.
pub(crate) fn expression(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(&ascii_classes(pattern))
        .case_insensitive(true)
        .size_limit(COMPILED_BYTES_MAX)
        .dfa_size_limit(CACHE_BYTES_MAX)
        .build()
}

/// `pattern` with its Perl classes written out in ASCII.
fn ascii_classes(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() * 2);
    let mut depth = 0_usize;
    let mut chars = pattern.chars().peekable();
    while let Some(ch) = chars.next() {
        match ch {
            '\\' => {
                let Some(next) = chars.next() else {
                    out.push(ch);
                    break;
                };
                match (next, depth > 0) {
                    ('w', true) => out.push_str("0-9A-Za-z_"),
                    ('d', true) => out.push_str("0-9"),
                    ('s', true) => out.push_str(r"\t-\r\x20"),
                    ('w', false) => out.push_str("[0-9A-Za-z_]"),
                    ('d', false) => out.push_str("[0-9]"),
                    ('s', false) => out.push_str(r"[\t-\r\x20]"),
                    ('W', _) => out.push_str("[^0-9A-Za-z_]"),
                    ('D', _) => out.push_str("[^0-9]"),
                    ('S', _) => out.push_str(r"[^\t-\r\x20]"),
                    ('b', false) => out.push_str(r"(?-u:\b)"),
                    _ => {
                        out.push(ch);
                        out.push(next);
                    }
                }
            }
            '[' => {
                depth += 1;
                out.push(ch);
                // A bracket that comes first in a set means itself.
                if chars.peek() == Some(&'^') {
                    out.extend(chars.next());
                }
                if chars.peek() == Some(&']') {
                    chars.next();
                    out.push_str(r"\]");
                }
            }
            ']' => {
                depth = depth.saturating_sub(1);
                out.push(ch);
            }
            _ => out.push(ch),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn perl_classes_mean_ascii() {
        for (pattern, text, expect) in [
            (r"^\w+$", "abc_1", true),
            (r"^\w+$", "ä", false),
            (r"^[\w.]+$", "a.b", true),
            (r"^[^\w]$", "ä", true),
            (r"\bon\b", "ä on ö", true),
            (r"a\sb", "a\u{a0}b", false),
            (r"^[]a]$", "]", true),
            (r"^\[\w\]$", "[x]", true),
            (r"^\\w$", r"\w", true),
            ("ABC", "abc", true),
        ] {
            let found = expression(pattern).expect("compiles").is_match(text);
            assert_eq!(found, expect, "{pattern} on {text:?}");
        }
        assert!(expression("(").is_err());
    }
}
