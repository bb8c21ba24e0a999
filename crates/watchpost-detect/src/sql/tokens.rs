//! SQL as tokens, forgiving: anything is tokens, nothing is an error.

use std::ops::Range;

use super::words::classes;

/// Most tokens of one reading; attacks are short, and a longer text is read in windows.
pub(super) const TOKENS_MAX: usize = 600;

/// Kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `1`, `1.5`, `0x1f`, `1e3`.
    Number,
    /// A quoted text, perhaps unterminated. `bool`: it was begun before the value.
    Text,
    /// A name or keyword.
    Word,
    /// `@a`, `@@version`, `:a`.
    Variable,
    /// `=`, `<`, `!=`, `<=>`, `:=`.
    Comparison,
    /// `+`, `-`, `*`, `/`, `%`, `|`, `^`, `~`, `!`, `&`.
    Operator,
    /// `&&`, `||`.
    Logic,
    Open,
    Close,
    Comma,
    Semicolon,
    Dot,
    /// `-- `, `#`, `/*`: up to its end.
    Comment,
    /// Anything else.
    Other,
}

/// One token and its place in the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) span: Range<usize>,
    /// The sets that a word is in.
    pub(super) classes: u8,
}

impl Token {
    fn new(kind: Kind, span: Range<usize>, bytes: &[u8]) -> Self {
        let classes = if kind == Kind::Word { classes(&bytes[span.clone()]) } else { 0 };
        Self { kind, span, classes }
    }
}

/// What the value was put into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Context {
    /// `where id = VALUE`.
    Bare,
    /// `where name = 'VALUE'`, with this quote.
    Quoted(u8),
}

/// Reads `text` from `start` on.
pub(super) fn tokens(text: &str, context: Context) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut all = Vec::with_capacity(bytes.len().div_ceil(4).min(TOKENS_MAX));
    let mut at = 0;
    if let Context::Quoted(quote) = context {
        // Filters that add a backslash are met with a backslash: the first quote closes in any case.
        at = bytes.iter().position(|&byte| byte == quote).map_or(bytes.len(), |n| n + 1);
        all.push(Token::new(Kind::Text, 0..at, bytes));
    }
    while at < bytes.len() && all.len() < TOKENS_MAX {
        if bytes[at].is_ascii_whitespace() || bytes[at] == 0 || bytes[at] == 0x0b {
            at += 1;
            continue;
        }
        let (kind, end) = match all.last() {
            // `1or 1=1`: a number ends where a word begins.
            Some(Token { kind: Kind::Number, span, .. }) if span.end == at => {
                joint_end(bytes, at).map_or_else(|| next(bytes, at), |end| (Kind::Word, end))
            }
            _ => next(bytes, at),
        };
        let end =
            (end.max(at + 1)..=text.len()).find(|&end| text.is_char_boundary(end)).unwrap_or(text.len());
        // A comment that something follows is a blank.
        let is_inline = kind == Kind::Comment && bytes[end..].iter().any(|byte| !byte.is_ascii_whitespace());
        if !is_inline {
            all.push(Token::new(kind, at..end, bytes));
        }
        at = end;
    }
    all
}

fn next(bytes: &[u8], at: usize) -> (Kind, usize) {
    let rest = &bytes[at..];
    let second = rest.get(1).copied().unwrap_or(0);
    match rest[0] {
        quote @ (b'\'' | b'"' | b'`') => (Kind::Text, text_end(bytes, at + 1, quote)),
        // MySQL wants a space or a control character after `--`; others do not.
        b'-' if second == b'-' => (Kind::Comment, line_end(bytes, at)),
        b'#' => (Kind::Comment, line_end(bytes, at)),
        b'/' if second == b'*' => (Kind::Comment, comment_end(bytes, at)),
        b'0' if matches!(second, b'x' | b'X') => {
            (Kind::Number, run(bytes, at + 2, |byte| byte.is_ascii_hexdigit()))
        }
        b'0'..=b'9' => (Kind::Number, number_end(bytes, at)),
        b'.' if second.is_ascii_digit() => (Kind::Number, number_end(bytes, at)),
        b'\\' if second == b'N' && !rest.get(2).copied().is_some_and(is_name) => (Kind::Number, at + 2),
        b'@' if matches!(second, b'\'' | b'"' | b'`') => (Kind::Variable, text_end(bytes, at + 2, second)),
        b'@' if second == b':' => (Kind::Variable, at + 1),
        b'-' if second == b'>' => (Kind::Comparison, run(bytes, at + 1, |byte| byte == b'>')),
        b'?' => match rest.iter().skip(1).find(|byte| !matches!(byte, b'|' | b'&' | b' ')) {
            Some(b'\'' | b'a' | b'A') => {
                (Kind::Comparison, run(bytes, at + 1, |byte| matches!(byte, b'|' | b'&')))
            }
            _ => (Kind::Number, at + 1),
        },
        b'@' | b':' if is_name(second) || second == b'@' => {
            (Kind::Variable, run(bytes, at + 1, |byte| is_name(byte) || matches!(byte, b'@' | b'.')))
        }
        b'[' => bracket(bytes, at),
        byte if is_name_start(byte) => (Kind::Word, run(bytes, at, is_name)),
        b'(' => (Kind::Open, at + 1),
        b')' => (Kind::Close, at + 1),
        b',' => (Kind::Comma, at + 1),
        b';' => (Kind::Semicolon, at + 1),
        b'.' => (Kind::Dot, at + 1),
        b'&' if second == b'&' => (Kind::Logic, at + 2),
        b'|' if second == b'|' => (Kind::Logic, at + 2),
        b'=' | b'<' | b'>' => (Kind::Comparison, run(bytes, at, |byte| matches!(byte, b'=' | b'<' | b'>'))),
        b'!' | b':' if second == b'=' => (Kind::Comparison, at + 2),
        b'+' | b'-' | b'*' | b'/' | b'%' | b'|' | b'^' | b'~' | b'!' | b'&' => (Kind::Operator, at + 1),
        _ => (Kind::Other, at + 1),
    }
}

const fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'$') || byte >= 0x80
}

const fn is_name(byte: u8) -> bool {
    is_name_start(byte) || byte.is_ascii_digit()
}

fn run(bytes: &[u8], start: usize, keep: impl Fn(u8) -> bool) -> usize {
    bytes[start.min(bytes.len())..].iter().position(|&byte| !keep(byte)).map_or(bytes.len(), |n| start + n)
}

/// `[name]` is a name.
fn bracket(bytes: &[u8], at: usize) -> (Kind, usize) {
    let end = run(bytes, at + 1, |byte| is_name(byte) || byte == b' ');
    let is_name = bytes.get(end) == Some(&b']')
        && bytes.get(at + 1).copied().is_some_and(is_name_start)
        && end - at <= 64;
    if is_name { (Kind::Word, end + 1) } else { (Kind::Other, at + 1) }
}

/// The end of `or`, `and` or `xor` at `at` when a number or a quotation follows without a blank.
fn joint_end(bytes: &[u8], at: usize) -> Option<usize> {
    ["or", "and", "xor", "union"].iter().find_map(|word| {
        let end = at + word.len();
        let is_word = bytes.get(at..end)?.eq_ignore_ascii_case(word.as_bytes());
        let is_cut = bytes.get(end).is_none_or(|byte| !is_name_start(*byte));
        (is_word && is_cut).then_some(end)
    })
}

fn number_end(bytes: &[u8], at: usize) -> usize {
    let end = run(bytes, at, |byte| byte.is_ascii_digit() || byte == b'.');
    // `1.e(` and `1.e.` are numbers to MySQL and nothing to filters.
    if bytes[end - 1] == b'.'
        && matches!(bytes.get(end), Some(b'e' | b'E'))
        && matches!(bytes.get(end + 1), Some(b'(' | b'.'))
    {
        return end + 1;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
        return run(bytes, end + 1, |byte| byte.is_ascii_digit());
    }
    end
}

/// After the closing quote, or the end. Backslash and doubled quotes do not close.
fn text_end(bytes: &[u8], start: usize, quote: u8) -> usize {
    let mut at = start;
    while at < bytes.len() {
        if bytes[at] == b'\\' {
            at += 2;
        } else if bytes[at] == quote {
            return at + 1;
        } else {
            at += 1;
        }
    }
    bytes.len()
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    run(bytes, at, |byte| byte != b'\n')
}

fn comment_end(bytes: &[u8], at: usize) -> usize {
    bytes[at + 2..].windows(2).position(|pair| pair == b"*/").map_or(bytes.len(), |n| at + n + 4)
}
