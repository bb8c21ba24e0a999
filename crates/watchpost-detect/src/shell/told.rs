//! Command lines that somebody tells of: people who write about programs write `ps aux | grep foo` too.
//!
//! A value is data with a command behind it when it is attacked, and a sentence around a command when it is prose. What
//! a sentence tells of is left alone only where it could do no harm either, so that a few words of English before an
//! attack hide nothing.

use super::read::program_name;
use super::words::{Strength, is_prose, program};
use super::{Before, argument};

/// Longer texts are not read as sentences.
const BYTES_MAX: usize = 16 << 10;
/// Words that a text of sentences has at least, and how many of them are the small ones of every sentence.
const WORDS_MIN: usize = 6;
const SMALL_WORDS_MIN: usize = 2;
/// How far back the command before a separator is looked for.
const BACK_BYTES_MAX: usize = 80;
/// Longest piece of code inside of a sentence.
const CODE_BYTES_MAX: usize = 400;

/// Programs that only pass on what they read.
const FILTERS: &[&str] = &[
    "grep", "egrep", "fgrep", "sort", "uniq", "wc", "head", "tail", "less", "more", "cut", "tr", "column",
    "fmt", "fold", "nl", "rev", "tac", "jq",
];
/// Words that are commands where people tell each other what to type.
const TOLD: &[&str] =
    &["git", "docker", "make", "tar", "cd", "cat", "echo", "find", "history", "diff", "python"];
/// What is no harmless thing to run, whatever stands around it.
const HARMFUL: &[&str] = &[
    "nc",
    "ncat",
    "netcat",
    "socat",
    "telnet",
    "wget",
    "curl",
    "sh",
    "bash",
    "zsh",
    "ksh",
    "csh",
    "tcsh",
    "dash",
    "perl",
    "ruby",
    "php",
    "rm",
    "chmod",
    "chown",
    "whoami",
    "id",
    "passwd",
    "eval",
    "exec",
    "system",
    "powershell",
    "pwsh",
    "cmd",
    "iex",
    "certutil",
    "bitsadmin",
    "mshta",
    "rundll32",
    "nslookup",
    "ping",
    "sleep",
    "su",
    "crontab",
    "useradd",
    "adduser",
    "getent",
    "base64",
    "xxd",
    "mkfifo",
    "mknod",
    "ftp",
    "tftp",
    "scp",
    "net",
    "reg",
];

/// Does `text` consist of sentences?
pub(super) fn is_prose_text(text: &str) -> bool {
    if text.len() > BYTES_MAX {
        return false;
    }
    let (mut n_words, mut n_small) = (0, 0);
    for token in text.split_whitespace() {
        let word = token.trim_matches(|ch: char| !ch.is_alphanumeric());
        if word.len() > 1 && word.chars().all(|ch| ch.is_alphabetic() || ch == '\'') {
            n_words += 1;
            n_small += usize::from(is_prose(word));
        }
    }
    n_words >= WORDS_MIN && n_small >= SMALL_WORDS_MIN
}

/// Is the command `name` with `rest` behind it, after the separator at `at`, only told of? `text` consists of sentences.
///
/// Cost: bounded looks around the separator.
pub(super) fn is_told(text: &str, at: usize, before: Before, name: &str, rest: &str) -> bool {
    let name = program_name(name);
    if is_code(text, at) {
        return true;
    }
    if HARMFUL.contains(&name) || reaches_out(rest) {
        return false;
    }
    let is_pipe = text.as_bytes()[at] == b'|' && text.as_bytes().get(at + 1) != Some(&b'|');
    match before {
        Before::Hard => {
            is_pipe && FILTERS.contains(&name) || goes_on(name, rest) || follows_command(text, at)
        }
        // A block of code stands in from the left.
        Before::Line => {
            let line = text[at..].trim_start_matches(['\n', '\r']);
            line.starts_with("  ") || line.starts_with('\t')
        }
        Before::Ampersand | Before::Tick => false,
    }
}

/// `Use | grep foo`: does `head`, which stands before a pipe, tell somebody to put the filter `name` there?
pub(super) fn is_advised(head: &str, name: &str, rest: &str) -> bool {
    const VERBS: &[&str] = &["use", "using", "try", "add", "append", "pipe", "via", "run", "type", "just"];
    let head = head.trim_end_matches([' ', '`', '"', '\'']);
    let ends_with = |verb: &str| {
        head.len().checked_sub(verb.len()).is_some_and(|from| {
            head.get(from..).is_some_and(|end| end.eq_ignore_ascii_case(verb))
                && !head[..from].ends_with(char::is_alphanumeric)
        })
    };
    FILTERS.contains(&name)
        && rest.split_whitespace().count() <= 1
        && !rest.trim_start().starts_with('-')
        && !reaches_out(rest)
        && VERBS.iter().any(|verb| ends_with(verb))
}

/// Do the arguments name another machine, a file of the system or what a shell would put in their place?
pub(super) fn reaches_out(rest: &str) -> bool {
    rest.contains(['$', '<', '>', '`', '\\'])
        || rest.contains("://")
        || rest.split_whitespace().any(|word| {
            let word = word.trim_start_matches(['"', '\'', '(']);
            word.starts_with('/') && word.len() > 1
                || word.starts_with("~/")
                || word.starts_with("../")
                || word.contains("/etc/")
                || word.bytes().filter(|byte| *byte == b'.').count() == 3
                    && word.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b':' | b','))
        })
}

/// `tail -f shows the wrong file after that`: the arguments are the rest of a sentence.
fn goes_on(name: &str, rest: &str) -> bool {
    let n_words = rest.split_whitespace().count();
    let is_spoken = matches!(name, "echo" | "printf" | "print" | "mail" | "write");
    let bare = |word: &str| is_prose(word.trim_matches(|ch: char| !ch.is_alphanumeric()));
    !is_spoken && n_words >= 5 && rest.split_whitespace().filter(|word| bare(word)).count() >= 2
}

/// `ps aux | grep foo`: what stands before the separator is a command as well.
fn follows_command(text: &str, at: usize) -> bool {
    let start =
        (at.saturating_sub(BACK_BYTES_MAX)..=at).find(|&start| text.is_char_boundary(start)).unwrap_or(at);
    let back = &text[start..at];
    // From where the command line begins, if that is within sight.
    let back = back.rsplit(['\n', '`', ';', '|', '&']).next().unwrap_or(back);
    let words: Vec<&str> = back.split_whitespace().collect();
    words.iter().enumerate().any(|(nth, word)| {
        let lower = word.trim_matches(['"', '\'', '(', ':', ',']).to_ascii_lowercase();
        let next = words.get(nth + 1).copied().unwrap_or("");
        match program(program_name(&lower)) {
            Some(Strength::Word) => {
                TOLD.contains(&lower.as_str()) && nth + 1 < words.len() && !is_prose(next)
                    || argument(next, Strength::Word)
            }
            Some(_) => !HARMFUL.contains(&lower.as_str()) || argument(next, Strength::Short),
            None => false,
        }
    })
}

/// Is the separator inside of a piece of code between back-ticks, with a command at its beginning?
fn is_code(text: &str, at: usize) -> bool {
    let from =
        (at.saturating_sub(CODE_BYTES_MAX)..=at).find(|&from| text.is_char_boundary(from)).unwrap_or(at);
    let Some(open) = text[from..at].rfind('`').map(|n| from + n) else { return false };
    let to = (at..=(at + CODE_BYTES_MAX).min(text.len()))
        .rev()
        .find(|&to| text.is_char_boundary(to))
        .unwrap_or(at);
    let Some(close) = text[at..to].find('`').map(|n| at + n) else { return false };
    let is_around = |ch: Option<char>| {
        ch.is_none_or(|ch| {
            ch.is_whitespace() || matches!(ch, '.' | ',' | ':' | ';' | '!' | '?' | '(' | ')' | '*')
        })
    };
    let first =
        text[open + 1..close].trim_start_matches("$ ").split([' ', '|', ';', '&', '`']).next().unwrap_or("");
    // Ticks of a line come in pairs: this one opens.
    let line = text[from..open].rfind('\n').map_or(from, |n| from + n);
    let is_open = text[line..open].bytes().filter(|byte| *byte == b'`').count().is_multiple_of(2);
    is_open
        && is_around(text[..open].chars().next_back())
        && is_around(text[close + 1..].chars().next())
        && program(program_name(&first.to_ascii_lowercase())).is_some()
}
