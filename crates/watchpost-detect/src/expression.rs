//! The expressions of rules: how they are read and what they may cost.

use std::ops::Range;

use regex_automata::meta::{Config, Regex};
use regex_automata::util::syntax;
use regex_syntax::hir::{Class, Hir, HirKind};

use crate::decode::Present;

/// Cap of one expression's compiled size, in bytes.
const COMPILED_BYTES_MAX: usize = 4 << 20;
/// Cap of one expression's lazily built automaton, in bytes: beyond, it starts over, which bounds memory.
const CACHE_BYTES_MAX: usize = 512 << 10;
/// Most ways to match for each of which the needed bytes are kept.
const WAYS_MAX: usize = 64;

/// An expression of a rule: case-insensitive, `\w`, `\d`, `\s` and `\b` mean ASCII.
///
/// ASCII, because what an attacker writes was folded to ASCII by the decoder, and because an automaton with Unicode
/// classes is many times larger and gives up on text that is not ASCII.
#[derive(Debug, Clone)]
pub(crate) struct Expression {
    regex: Regex,
    /// For each way to match, the ASCII bytes that it cannot do without, letters left out. Empty when nothing is known.
    needs: Vec<u128>,
}

impl Expression {
    /// Compiles `pattern`.
    ///
    /// Errors: what the expression lacks, or that it is too large.
    pub(crate) fn new(pattern: &str) -> Result<Self, String> {
        let hir = parsed(pattern)?;
        let mut needs = ways(&hir);
        if needs.contains(&0) {
            needs.clear();
        }
        let config = Config::new()
            .nfa_size_limit(Some(COMPILED_BYTES_MAX))
            .utf8_empty(false)
            .hybrid_cache_capacity(CACHE_BYTES_MAX);
        let regex = Regex::builder().configure(config).build_from_hir(&hir).map_err(|error| {
            match error.size_limit() {
                Some(limit) => format!("larger than {limit} bytes"),
                None => error.to_string(),
            }
        })?;
        Ok(Self { regex, needs })
    }

    /// The first match in `text`; `present` says which bytes occur in it.
    pub(crate) fn find(&self, text: &str, present: Present) -> Option<Range<usize>> {
        let may_match = self.needs.is_empty() || self.needs.iter().any(|needs| needs & !present.ascii == 0);
        if !may_match {
            return None;
        }
        let found = self.regex.find(text)?;
        // A class of bytes may end inside a character.
        let start = (0..=found.start()).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        let end = (found.end()..text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(text.len());
        Some(start..end)
    }
}

/// Reads `pattern`.
///
/// Errors: what it lacks.
pub(crate) fn parsed(pattern: &str) -> Result<Hir, String> {
    let flags = syntax::Config::new().case_insensitive(true).unicode(names_characters(pattern)).utf8(false);
    syntax::parse_with(&ascii_classes(pattern), &flags).map_err(|error| error.to_string())
}

/// Does `pattern` name characters that are not ASCII? All others are matched byte by byte, which makes `[^x]` one class
/// of bytes instead of all of Unicode: the automaton is many times smaller.
fn names_characters(pattern: &str) -> bool {
    let escapes = [r"\x{", r"\u", r"\p", r"\P"];
    let has_high_byte = pattern.match_indices(r"\x").any(|(at, _)| {
        pattern
            .as_bytes()
            .get(at + 2)
            .is_some_and(|digit| matches!(digit, b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F'))
    });
    !pattern.is_ascii() || has_high_byte || escapes.iter().any(|escape| pattern.contains(escape))
}

/// For each way to match `hir`, the bytes that occur in every text it matches: marks and digits, for letters may be
/// written in two cases.
fn ways(hir: &Hir) -> Vec<u128> {
    match hir.kind() {
        HirKind::Literal(literal) => vec![
            literal
                .0
                .iter()
                .filter(|byte| byte.is_ascii() && !byte.is_ascii_alphabetic())
                .fold(0, |all, &byte| all | 1_u128 << byte),
        ],
        HirKind::Class(class) => match class.literal() {
            Some(literal)
                if literal.len() == 1 && literal[0].is_ascii() && !literal[0].is_ascii_alphabetic() =>
            {
                vec![1_u128 << literal[0]]
            }
            _ => small_class(class),
        },
        HirKind::Capture(capture) => ways(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => ways(&repetition.sub),
        HirKind::Empty | HirKind::Look(_) | HirKind::Repetition(_) => vec![0],
        HirKind::Concat(parts) => parts.iter().fold(vec![0], |all, part| {
            let part = ways(part);
            if all.len() * part.len() > WAYS_MAX {
                // Too many: what all ways of one of the two share is still needed.
                let shared = |ways: &[u128]| ways.iter().fold(u128::MAX, |all, way| all & way);
                let (kept, dropped) = if all.len() >= part.len() { (all, part) } else { (part, all) };
                let shared = shared(&dropped);
                return kept.into_iter().map(|way| way | shared).collect();
            }
            all.iter().flat_map(|a| part.iter().map(move |b| a | b)).collect()
        }),
        HirKind::Alternation(parts) => {
            let mut all: Vec<u128> = parts.iter().flat_map(ways).collect();
            all.sort_unstable();
            all.dedup();
            if all.contains(&0) { vec![0] } else { all }
        }
    }
}

/// A class of a few marks is a choice between them.
fn small_class(class: &Class) -> Vec<u128> {
    const MOST: usize = 6;
    let ranges: Vec<(u32, u32)> = match class {
        Class::Unicode(class) => {
            class.ranges().iter().map(|range| (range.start().into(), range.end().into())).collect()
        }
        Class::Bytes(class) => {
            class.ranges().iter().map(|range| (range.start().into(), range.end().into())).collect()
        }
    };
    let mut all = Vec::new();
    for code in ranges.into_iter().flat_map(|(start, end)| start..=end) {
        let is_mark = u8::try_from(code).is_ok_and(|byte| byte.is_ascii() && !byte.is_ascii_alphabetic());
        if all.len() == MOST || !is_mark {
            return vec![0];
        }
        all.push(1_u128 << code);
    }
    if all.is_empty() { vec![0] } else { all }
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
            (r"^[^\w]+$", "ä", true),
            (r"x[^y]y", "xäy", false),
            (r"x[^y]{1,2}y", "xäy", true),
            (r"^\u{e4}$", "ä", true),
            (r"a\xe4", "aä", true),
            (r"\bon\b", "ä on ö", true),
            (r"a\sb", "a\u{a0}b", false),
            (r"^[]a]$", "]", true),
            (r"^\[\w\]$", "[x]", true),
            (r"^\\w$", r"\w", true),
            ("ABC", "abc", true),
        ] {
            let found = Expression::new(pattern).expect("compiles").find(text, Present::of(text)).is_some();
            assert_eq!(found, expect, "{pattern} on {text:?}");
        }
        assert!(Expression::new("(").is_err());
        assert!(Expression::new(r"(?:[a-z]{1,900}x){900}").is_err(), "too large");
    }

    #[test]
    fn needed_bytes_are_those_of_every_match() {
        for (pattern, text, expect) in [
            (r"<a\s*=|on\w+\(", "<a =", true),
            (r"<a\s*=|on\w+\(", "a =", false),
            (r"<a\s*=|on\w+\(", "onx(", true),
            (r"x['`]?y", "xy", true),
            (r"x['`]y", "xy", false),
            (r"(?:;|\|)id", "|", true),
            (r"\d+", "", true),
            (r"1=1", "=", false),
        ] {
            let needs = Expression::new(pattern).expect("compiles").needs;
            let may_match =
                needs.is_empty() || needs.iter().any(|needs| needs & !Present::of(text).ascii == 0);
            assert_eq!(may_match, expect, "{pattern} and {text:?}: {needs:?}");
        }
    }
}
