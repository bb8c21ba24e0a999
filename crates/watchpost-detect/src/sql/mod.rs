//! What makes a value an SQL injection: shapes in a stream of tokens.
//!
//! In the manner of libinjection a value is read in several contexts (bare, or inside a quotation that the value
//! closes). Where libinjection looks a fingerprint up, this looks for a grammar: an operand, a comparison, an operand.
//! Words alone (`select`, `or`, `union`) never suffice, which is what keeps prose quiet.

mod piece;
mod reading;
mod shapes;
mod tautology;
mod tokens;
mod words;

use std::ops::Range;
use std::sync::OnceLock;

use aho_corasick::AhoCorasick;

use self::reading::Reading;
use self::tokens::{Context, tokens};
use self::words::classes;
use crate::decode::{Present, bits};

/// Texts up to this length are read from the start; of longer ones only windows around anchors are.
const WHOLE_BYTES_MAX: usize = 4 * 1024;
/// Most quotes of one text at which it is read as if the quote closed a quotation: from the start and from the end.
const QUOTES_MAX: usize = 24;
const WINDOW_BEFORE_BYTES: usize = 64;
const WINDOW_AFTER_BYTES: usize = 512;
/// Most windows of a long text, from the start and from the end.
const WINDOWS_MAX: usize = 16;

/// The shapes that SQL rules look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Shape {
    /// `union select 1,2`.
    Union,
    /// `' or 'a'='a`, `1 and 1=1`, `' or true`.
    Tautology,
    /// `admin'--`.
    CommentEnd,
    /// `; drop table x`.
    Stacked,
    /// `(select a from b)`, `select * from users`.
    Select,
    /// `sleep(5)`, `waitfor delay`, `extractvalue(...)`, `case when`.
    Function,
    /// `1 order by 4--`, `' group by x having`.
    Clause,
    /// `'union a`, `|| name ==`, `from t where a='b'`: a short value that is a piece of a statement.
    Piece,
}

/// Words without which no shape can exist in a bare reading; lower case.
pub(crate) const ANCHORS: &[&str] = &[
    "'*",
    "' *",
    "'/",
    "' /",
    "'^",
    "' ^",
    "'|",
    "' |",
    "'&",
    "' &",
    "'-",
    "' -",
    "'+",
    "' +",
    "'<",
    "' <",
    "'>",
    "' >",
    "union",
    "select",
    " or",
    "or ",
    "and ",
    " and",
    "or(",
    "and(",
    "or'",
    "or\"",
    "and'",
    "xor",
    "&&",
    "||",
    "having",
    "where",
    "rlike",
    "like",
    "sleep",
    "benchmark",
    "waitfor",
    "extractvalue",
    "updatexml",
    "load_file",
    "insert",
    "update",
    "delete",
    "drop",
    "exec",
    "declare",
    "shutdown",
    "order by",
    "group by",
    "group_concat",
    "concat",
    "char(",
    "chr(",
    "case",
    "if(",
    "iif(",
    "exists",
    "procedure",
    "outfile",
    "dumpfile",
    "randomblob",
    "utl_",
    "dbms_",
    "ctxsys",
    "xp_",
    "cast(",
    "convert(",
    "substr",
    "ascii(",
    "version(",
    "user(",
    "database(",
    "between",
    "regexp",
    "generate_series",
    "make_set",
    "elt(",
    "create",
    "alter",
    "truncate",
    "--",
    "#",
    "/*",
    "name_const",
    "json_keys",
    "gtid_sub",
    "geometrycollection",
    "polygon",
    "multipoint",
    "floor(",
    "rand(",
    "@@",
    "=",
    ";",
    "call ",
    "order/**/",
    "limit",
    " in",
    "in(",
    "is",
    "crypt_key",
    "(select",
    "regexp_substring",
    "xmltype",
    "begin",
    "rand",
    "null",
    "div",
    "not",
    "1.e",
    "substring(",
    "(",
    "';",
    "\";",
    "'in",
    "glob",
    "sounds",
    "collate",
    " as ",
    "merge",
    "while",
    "desc",
    "goto",
    "or!",
    "or@",
    "or-",
    "or1",
    "and1",
    "or`",
    "and`",
    "mod ",
    "delay",
    ") when",
    ")when",
    "in/",
    "'?",
];

/// All shapes in `text`, in which the bytes `present` occur, each with the bytes that show it. At most one of each.
///
/// Cost: linear in the text; at most a few dozen readings of at most 600 tokens.
pub(crate) fn shapes(text: &str, present: Present) -> Vec<(Shape, Range<usize>)> {
    let mut found: Vec<(Shape, Range<usize>)> = Vec::new();
    let mut read = |offset: usize, part: &str, context: Context, is_first: bool| {
        let all = tokens(part, context);
        let reading = Reading { text: part, tokens: &all, context, is_first };
        for (shape, span) in reading.shapes() {
            if !found.iter().any(|(known, _)| *known == shape) {
                found.push((shape, span.start + offset..span.end + offset));
            }
        }
    };
    let is_short = text.len() <= WHOLE_BYTES_MAX;
    if is_short {
        read(0, text, Context::Bare, true);
    }
    // An apostrophe makes the rest of a short text a quotation, and a long text is not read in whole: both are read
    // again from where SQL may begin.
    if !is_short || present.any(bits("'\"`")) {
        for (start, end) in windows(text) {
            read(start, &text[start..end], Context::Bare, start == 0 && !is_short);
        }
    }
    for quote in [b'\'', b'"', b'`'] {
        if !present.any(1 << quote) {
            continue;
        }
        let bytes = text.as_bytes();
        let places: Vec<usize> =
            text.bytes().enumerate().filter(|&(_, byte)| byte == quote).map(|(at, _)| at).collect();
        // Where a backslash stands before the first ones, they may close the quotation or not.
        let n_escaped = places.iter().take_while(|&&at| at > 0 && bytes[at - 1] == b'\\').count();
        for (nth, &at) in few(&places, QUOTES_MAX).enumerate() {
            if !may_go_on(bytes, at + 1) {
                continue;
            }
            let start = if nth == 0 { 0 } else { at };
            if at - start > WHOLE_BYTES_MAX {
                let end = ceil_boundary(text, at + WINDOW_AFTER_BYTES);
                read(at, &text[at..end], Context::Quoted(quote), false);
            } else {
                let end = ceil_boundary(text, at + WINDOW_AFTER_BYTES * 4);
                read(start, &text[start..end], Context::Quoted(quote), nth == 0 || nth == n_escaped);
            }
        }
    }
    found
}

/// May SQL follow the quote before `at`: a mark, a number, or a word that goes on with a statement? An apostrophe is
/// followed by the rest of its word.
fn may_go_on(bytes: &[u8], at: usize) -> bool {
    let start = bytes[at..].iter().position(|byte| {
        !matches!(byte, b' ' | b')' | b'(' | b'+' | b'\t' | b'\n' | b'\r' | b'!' | b'@' | b'-')
    });
    let Some(start) = start.map(|n| at + n) else { return true };
    if !bytes[start].is_ascii_alphabetic() {
        return bytes[start].is_ascii();
    }
    let end = bytes[start..]
        .iter()
        .position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_')
        .map_or(bytes.len(), |n| start + n);
    let word = &bytes[start..end];
    // `'or1=1`: a word may be cut by a digit, or stand before a mark: `'-name--`, `'||name(`.
    let head = word.iter().position(|byte| byte.is_ascii_digit()).map_or(word, |n| &word[..n]);
    start > at && bytes[at..start].iter().any(|byte| matches!(byte, b'-' | b'+' | b'!' | b'@'))
        || classes(word) | classes(head) != 0
}

/// The first and the last `n_each` of `places`.
fn few(places: &[usize], n_each: usize) -> impl Iterator<Item = &usize> {
    let head = places.len().min(n_each);
    let tail = (places.len() - n_each.min(places.len())).max(head);
    let tail = tail.max(places.len().saturating_sub(n_each));
    places[..head].iter().chain(&places[tail..])
}

/// Where a text may hold SQL: from the last quote before a word of SQL, or a little before it, to well behind it.
fn windows(text: &str) -> Vec<(usize, usize)> {
    static STRONG: OnceLock<AhoCorasick> = OnceLock::new();
    let strong = STRONG.get_or_init(|| {
        let words = [
            "select",
            "sleep",
            "benchmark",
            "waitfor",
            "extractvalue",
            "updatexml",
            "load_file",
            " or ",
            " and ",
            "drop ",
            "union",
            "||",
            "&&",
            "exec",
            "insert ",
        ];
        AhoCorasick::builder().ascii_case_insensitive(true).build(words).expect("a few short words")
    });
    let bytes = text.as_bytes();
    let mut places: Vec<usize> = Vec::new();
    for found in strong.find_iter(text) {
        let at = found.start();
        // A condition is added to an operand, and in prose `or` follows a word.
        let follows_word =
            || at > 0 && (bytes[at - 1].is_ascii_alphabetic() || matches!(bytes[at - 1], b',' | b'.'));
        if bytes[at] == b' ' && follows_word() {
            continue;
        }
        if places.last().is_none_or(|last| at - last >= WINDOW_AFTER_BYTES / 4) {
            places.push(at);
        }
    }
    few(&places, WINDOWS_MAX)
        .map(|&at| {
            let start = floor_boundary(text, at.saturating_sub(WINDOW_BEFORE_BYTES));
            let quote = bytes[start..at].iter().rposition(|byte| matches!(byte, b'\'' | b'"' | b'`'));
            let start = quote.map_or(start, |n| start + n + 1);
            (start, ceil_boundary(text, (at + WINDOW_AFTER_BYTES).min(text.len())))
        })
        .collect()
}

fn floor_boundary(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

fn ceil_boundary(text: &str, at: usize) -> usize {
    (at..text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Option<Shape>) {
        let found = shapes(text, Present::of(text));
        match expect {
            Some(shape) => {
                assert!(found.iter().any(|(known, _)| *known == shape), "{text:?} lacks {shape:?}: {found:?}")
            }
            None => assert!(found.is_empty(), "{text:?} is nothing, yet {found:?}"),
        }
    }

    #[test]
    fn attacks_have_a_shape() {
        use Shape::{Clause, CommentEnd, Function, Select, Stacked, Tautology, Union};
        for (text, shape) in [
            ("1 union select 1,2,3", Union),
            ("-1' UNION ALL SELECT NULL--", Union),
            ("1 union(select password)from users", Union),
            ("' or 'a'='a", Tautology),
            ("1 or 1=1", Tautology),
            ("x') or ('x'='x", Tautology),
            ("' or true--", Tautology),
            ("' or ''='", Tautology),
            ("1 and 2 like 2", Tautology),
            ("\" || \"1\"=\"1", Tautology),
            ("' or username is not null", Tautology),
            ("admin'--", CommentEnd),
            ("admin' #", CommentEnd),
            ("1; drop table users", Stacked),
            ("1'; exec xp_cmdshell 'dir'--", Stacked),
            ("(select password from users where id=1)", Select),
            ("select * from users", Select),
            ("1 and sleep(5)", Function),
            ("'; waitfor delay '0:0:5'--", Function),
            ("1 and extractvalue(1,concat(0x7e,version()))", Function),
            ("1 order by 10--", Clause),
        ] {
            check(text, Some(shape));
        }
    }

    #[test]
    fn prose_has_none() {
        for text in [
            "O'Neill",
            "it's 5 o'clock and I don't know or care",
            "the union select committee met",
            "select the best option from the list",
            "rock 'n' roll",
            "the students' and the teachers' rights",
            "rock-'n'-'roll",
            "5' - 6'",
            "1 or 2 people",
            "this and that = something",
            "don't -- just don't",
            "the 'foo' or 'bar' option",
            "a = b and c = d",
            "drop table manners; delete the rest",
            "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101",
            "height 5'11\" and 6'2\"",
            "C# and F#",
            "see issue #12 and #13",
            "order by phone",
            "sleep (5 hours) is not enough",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn an_attack_at_the_end_of_a_long_text_is_found() {
        let text = format!("{} 1 union select user,pass from accounts", "it's fine. ".repeat(3_000));
        assert!(
            shapes(&text, Present::of(&text)).iter().any(|(shape, _)| *shape == Shape::Union),
            "found behind 33 KB"
        );
    }
}
