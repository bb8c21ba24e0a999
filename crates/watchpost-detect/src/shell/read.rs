//! A value as a shell reads it: words after the removal of quoting and of expansions to nothing.

/// Longest name that is read, in bytes of the input.
const WORD_BYTES_MAX: usize = 160;
/// Longest substitution that is read inside of a word.
const INSIDE_BYTES_MAX: usize = 24;

/// One word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Word {
    /// Lower case, without quotes, backslashes, carets and expansions to nothing.
    pub(super) name: String,
    /// The byte after it.
    pub(super) end: usize,
    /// How often quoting or an expansion stood inside: what nobody writes who wants to be read.
    pub(super) n_tricks: usize,
    /// Quotes in it.
    pub(super) n_quotes: usize,
    /// The first variable in it.
    pub(super) variable: Option<String>,
}

/// The end of an expansion to nothing at `at` (`$@`, `${x}`, `$()`, `` `` ``, `<()`), if there is one.
fn nothing_end(bytes: &[u8], at: usize) -> Option<usize> {
    match (bytes[at], bytes.get(at + 1)?) {
        (b'$', b'$' | b'?' | b'-' | b'_' | b'!' | b'@' | b'*' | b'#' | b'0'..=b'9') => Some(at + 2),
        (b'$' | b'<' | b'>', b'(') => (bytes.get(at + 2) == Some(&b')')).then_some(at + 3),
        (b'$', b'{') => bytes[at..].iter().take(48).position(|&byte| byte == b'}').map(|n| at + n + 1),
        (b'$', byte) if byte.is_ascii_alphabetic() => Some(
            bytes[at + 1..]
                .iter()
                .take(32)
                .position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_')
                .map_or((at + 33).min(bytes.len()), |n| at + 1 + n),
        ),
        (b'`', b'`') => Some(at + 2),
        _ => None,
    }
}

/// A substitution in mid-word at `at`, `` w`u`hoami `` or `` who`echo am`i ``: the byte after it, and what it leaves there.
/// Of a word that ends with it, people write.
fn substitution(text: &str, at: usize) -> Option<(usize, &str)> {
    let rest = text.get(at..)?.strip_prefix('`')?;
    let close = rest.bytes().take(INSIDE_BYTES_MAX).position(|byte| byte == b'`')?;
    let (inside, end) = (rest.get(..close)?, at + close + 2);
    let left = inside.strip_prefix("echo ");
    let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let goes_on = text.as_bytes().get(end).is_some_and(u8::is_ascii_alphanumeric);
    (goes_on && is_word(left.unwrap_or(inside))).then_some((end, left.unwrap_or("")))
}

/// `text` without expansions to nothing, in lower case.
pub(super) fn without_nothing(text: &[u8]) -> Vec<u8> {
    let (mut kept, mut at) = (Vec::with_capacity(text.len()), 0);
    while let Some(&byte) = text.get(at) {
        let end = if matches!(byte, b'$' | b'`') { nothing_end(text, at) } else { None };
        if end.is_none() {
            kept.push(byte.to_ascii_lowercase());
        }
        at = end.unwrap_or(at + 1);
    }
    kept
}

/// `$IFS` in one of its spellings at `at`: the byte after it.
pub(super) fn separator_end(text: &str, at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    ["${IFS%??}", "${IFS}", "$IFS$9", "$IFS", "${ifs}", "$ifs$9", "$ifs"]
        .iter()
        .find(|spelling| rest.starts_with(**spelling))
        .map(|spelling| at + spelling.len())
}

/// Over blanks, `$IFS` and a plus that stands for a blank.
pub(super) fn skip_blanks(text: &str, mut at: usize) -> usize {
    let bytes = text.as_bytes();
    loop {
        match bytes.get(at) {
            Some(b' ' | b'\t' | b'+') => at += 1,
            Some(b'$') => match separator_end(text, at) {
                Some(end) => at = end,
                None => return at,
            },
            _ => return at,
        }
    }
}

/// The word at `at`.
pub(super) fn word(text: &str, start: usize) -> Word {
    let bytes = text.as_bytes();
    let mut word = Word::default();
    let mut at = start;
    while at < bytes.len() && at - start < WORD_BYTES_MAX {
        match bytes[at] {
            b'\'' | b'"' => {
                word.n_tricks += usize::from(!word.name.is_empty());
                word.n_quotes += 1;
                at += 1;
            }
            b'\\' | b'^'
                if bytes.get(at + 1).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'\\') =>
            {
                word.n_tricks += usize::from(!word.name.is_empty());
                at += 1;
            }
            // `$'id'`: a quotation with escapes of its own.
            b'$' if matches!(bytes.get(at + 1), Some(b'\'' | b'"')) => {
                word.n_tricks += 1;
                at += 1;
            }
            b'$' | b'`' | b'<' | b'>' => {
                if separator_end(text, at).is_some() {
                    break;
                }
                if !word.name.is_empty()
                    && let Some((end, left)) = substitution(text, at)
                {
                    word.name.push_str(&left.to_ascii_lowercase());
                    word.n_tricks += 1;
                    at = end;
                    continue;
                }
                let Some(end) = nothing_end(bytes, at) else { break };
                if bytes[at] == b'$' && word.variable.is_none() {
                    let name = text[at + 1..end].trim_matches(['{', '}']);
                    word.variable = Some(name.to_owned());
                }
                word.n_tricks += 1;
                at = end;
            }
            byte if byte.is_ascii_alphanumeric()
                || matches!(byte, b'.' | b'/' | b'_' | b'-' | b'?' | b'*' | b'[' | b']' | b'~' | b'@') =>
            {
                word.name.push(char::from(byte.to_ascii_lowercase()));
                at += 1;
            }
            _ => break,
        }
    }
    word.end = at;
    word
}

/// The program that a path leads to: `/usr/bin/id` is `id`.
pub(super) fn program_name(name: &str) -> &str {
    match name.rsplit_once('/') {
        Some((_, file)) => file,
        None => name,
    }
}

/// Does the shell pattern `pattern` name `path`? Sets, `?` and `*` as in a shell; slashes inside a set do not count.
///
/// Cost: the product of both lengths at most.
pub(super) fn glob_names(pattern: &[u8], path: &[u8]) -> bool {
    let Some(&first) = pattern.first() else { return path.is_empty() };
    match first {
        b'?' => !path.is_empty() && glob_names(&pattern[1..], &path[1..]),
        b'*' => (0..=path.len()).any(|n| glob_names(pattern[1..].trim_ascii_start(), &path[n..])),
        b'[' => {
            let Some(close) = pattern.iter().skip(2).position(|&byte| byte == b']').map(|n| n + 2) else {
                return false;
            };
            let Some(&byte) = path.first() else { return false };
            is_in_set(&pattern[1..close], byte) && glob_names(&pattern[close + 1..], &path[1..])
        }
        literal => path.first() == Some(&literal) && glob_names(&pattern[1..], &path[1..]),
    }
}

fn is_in_set(set: &[u8], byte: u8) -> bool {
    let (set, wanted) = match set.first() {
        Some(b'!' | b'^') => (&set[1..], false),
        _ => (set, true),
    };
    let in_range = set.windows(3).any(|range| range[1] == b'-' && (range[0]..=range[2]).contains(&byte));
    (in_range || set.contains(&byte)) == wanted
}
