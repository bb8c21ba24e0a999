//! Commands of Windows that are known by their form: `Get-LocalUser`, `start notepad`, `|gc C:\x.txt`.

use super::phrase::Head;
use super::read::Word;
use super::words::{Strength, program};
use super::{Before, arguments};

/// Verbs that commands of PowerShell begin with.
const VERBS: &[&str] = &[
    "add",
    "backup",
    "clear",
    "compress",
    "connect",
    "convertfrom",
    "convertto",
    "copy",
    "disable",
    "disconnect",
    "enable",
    "enter",
    "expand",
    "export",
    "find",
    "get",
    "grant",
    "import",
    "install",
    "invoke",
    "mount",
    "move",
    "new",
    "out",
    "read",
    "register",
    "remove",
    "rename",
    "reset",
    "resolve",
    "restart",
    "restore",
    "resume",
    "save",
    "select",
    "send",
    "set",
    "start",
    "stop",
    "suspend",
    "test",
    "uninstall",
    "unregister",
    "update",
    "write",
];

/// The command `found` behind the separator at `at`: the byte after what shows it, and whether it is sure.
///
/// Cost: bounded looks around the separator.
pub(super) fn command(text: &str, found: &Word, before: Before, at: usize) -> Option<(usize, bool)> {
    let is_mark = matches!(text.as_bytes().get(at), Some(b';' | b'|' | b'&'));
    if !is_mark || !matches!(before, Before::Hard | Before::Ampersand) {
        return None;
    }
    let is_verb = is_verb_and_noun(text, found);
    if !is_verb && !matches!(found.name.as_str(), "start" | "route" | "gc" | "gci" | "saps") {
        return None;
    }
    let head = Head::of(&text[..at]);
    if head == Head::Words || is_row(text, at) {
        return None;
    }
    let is_data = head != Head::Word;
    let (rest, end) = arguments(text, found.end);
    let end = end.max(found.end);
    if !is_verb {
        return (is_data && is_pair(&found.name, rest)).then_some((end, true));
    }
    let has_option = rest.split_whitespace().any(|word| {
        word.len() > 3
            && word.strip_prefix('-').is_some_and(|name| name.starts_with(|ch: char| ch.is_ascii_uppercase()))
    });
    // `Get-LocalUser`; `Test-Drive` and `Set-Top` are words as well.
    let noun = spelled(text, found).and_then(|name| name.split_once('-')).map_or("", |(_, noun)| noun);
    let is_camel =
        noun.as_bytes().windows(2).any(|pair| !pair[0].is_ascii_uppercase() && pair[1].is_ascii_uppercase());
    match (is_camel, has_option) {
        (true, true) => Some((end, true)),
        (true, false) | (false, true) => Some((end, is_data)),
        (false, false) => None,
    }
}

/// `found` as it stands in `text`, where nothing was taken out of it.
fn spelled<'t>(text: &'t str, found: &Word) -> Option<&'t str> {
    let spelled = text.get(found.end.checked_sub(found.name.len())?..found.end)?;
    spelled.eq_ignore_ascii_case(&found.name).then_some(spelled)
}

/// A verb and a noun as people type them, and nothing that goes on: `Get-LocalUser`.
fn is_verb_and_noun(text: &str, found: &Word) -> bool {
    let Some((verb, noun)) = spelled(text, found).and_then(|name| name.split_once('-')) else { return false };
    let is_large = |word: &str| word.starts_with(|ch: char| ch.is_ascii_uppercase());
    let goes_on = text.as_bytes().get(found.end).is_some_and(|byte| {
        !byte.is_ascii_whitespace() && !matches!(byte, b'+' | b';' | b'|' | b'&' | b')' | b'\'' | b'"')
    });
    !goes_on
        && noun.len() > 2
        && noun.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && is_large(verb)
        && is_large(noun)
        && VERBS.iter().any(|known| verb.eq_ignore_ascii_case(known))
}

/// `start notepad`, `route print`, `gc C:\x.txt`: a word, and what it takes as a command.
fn is_pair(name: &str, rest: &str) -> bool {
    let mut words = rest.split([' ', '\t', '+']).filter(|word| !word.is_empty());
    let (first, second) = (words.next().unwrap_or("").to_ascii_lowercase(), words.next().unwrap_or(""));
    match name {
        "start" => {
            first == "\"\""
                || second.is_empty() && program(&first).is_some_and(|known| known != Strength::Word)
        }
        "route" => first == "print" && second.is_empty(),
        _ => {
            let place = first.trim_start_matches(['"', '\'']);
            place.get(1..3) == Some(":\\")
                || place.starts_with("\\\\")
                || place.starts_with("$env:")
                || name == "saps" && place.ends_with(".exe")
        }
    }
}

/// Is the separator at `at` one of a row of a table?
fn is_row(text: &str, at: usize) -> bool {
    const SIDE_BYTES_MAX: usize = 512;
    let bytes = text.as_bytes();
    if bytes.get(at) != Some(&b'|') {
        return false;
    }
    let is_break = |byte: &u8| *byte == b'\n';
    let from = bytes[..at]
        .iter()
        .rev()
        .take(SIDE_BYTES_MAX)
        .position(is_break)
        .map_or(at.saturating_sub(SIDE_BYTES_MAX), |n| at - n);
    let to = bytes[at..]
        .iter()
        .take(SIDE_BYTES_MAX)
        .position(is_break)
        .map_or(bytes.len().min(at + SIDE_BYTES_MAX), |n| at + n);
    let line = bytes[from..to].trim_ascii();
    line.starts_with(b"|") && line.ends_with(b"|") && line.iter().filter(|byte| **byte == b'|').count() > 2
}
