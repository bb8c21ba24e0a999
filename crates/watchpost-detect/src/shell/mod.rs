//! What makes a value a command injection: command lines as a shell, `cmd.exe` or a mail server would read them.
//!
//! A word after a separator (or at the start) is read the way a shell reads it, so that quotes, backslashes and unset
//! variables inside it hide nothing. A program's name never suffices where the name is also a word: what follows must
//! look like arguments and not like the rest of a sentence.

mod batch;
mod line;
mod mail;
mod pattern;
mod phrase;
mod read;
mod told;
mod usual;
mod windows;
mod words;

use std::cell::{Cell, OnceCell};
use std::ops::Range;

use self::phrase::Grade;
use self::read::{Word, program_name, skip_blanks, word};
use self::usual::{is_switched, is_usual_argument, is_usual_pair};
use self::words::{Strength, is_cmdlet, is_prose, program};
use crate::decode::{Present, bits};

/// Most separators of one text that are looked at: from the start and from the end.
const SEPARATORS_MAX: usize = 4_096;
/// How much of what follows a command is looked at.
const ARGUMENT_BYTES_MAX: usize = 240;

/// The shapes that command rules look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ShellShape {
    /// `;id`, `x | cat /etc/issue`, `$(uname -a)`.
    Separated,
    /// `x;sort`: a separator and the name of a program that is a word as well, with nothing behind it that tells.
    Hint,
    /// `wget http://x.example/a`, the whole value.
    Line,
    /// `for %i in (*) do x`, `if exist a.txt x`.
    Batch,
    /// `/b?n/c[a]t`, `{cat,/etc/issue}`.
    Pattern,
    /// `a=cat;$a x`, `f(){ f|f& };f`.
    Indirect,
    /// A line of SMTP, IMAP or POP3 behind a line break.
    Mail,
}

/// What was asked of a text before: each answer costs a look at all of it.
#[derive(Default)]
struct Known {
    /// Does it consist of sentences?
    is_prose: OnceCell<bool>,
    /// Is it a list with semicolons, with ampersands, of lines?
    lists: [OnceCell<bool>; 3],
    /// The last line that was looked at as a list or a row of a table, and what it is.
    line: Cell<Option<(usize, usize, bool)>>,
}

/// What stands before a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Hard,
    Ampersand,
    Line,
    Tick,
}

/// All shapes in `text`, each with the bytes that show it. At most one of each.
///
/// Cost: linear: a bounded look at what follows each separator.
pub(crate) fn shapes(text: &str) -> Vec<(ShellShape, Range<usize>)> {
    let mut found: Vec<(ShellShape, Range<usize>)> = Vec::new();
    let mut add = |shape: ShellShape, span: Range<usize>| {
        if span.start < span.end && !found.iter().any(|(known, _)| *known == shape) {
            found.push((shape, span));
        }
    };
    if let Some(end) = line::whole(text) {
        add(ShellShape::Line, 0..end);
    }
    if text.len() <= 160 && line::is_install(text) {
        add(ShellShape::Hint, 0..text.len());
    }
    if let Some(span) = pattern::pattern(text) {
        add(ShellShape::Pattern, span);
    }
    let mut assigned: Vec<String> = Vec::new();
    note_assignment(text, 0, &mut assigned);
    if let Some(end) = batch::statement(text, 0) {
        add(ShellShape::Batch, 0..end);
    }
    if let Some(span) = function(text) {
        add(ShellShape::Indirect, span);
    }
    let bytes = text.as_bytes();
    let known = Known::default();
    let mut is_found = false;
    let mut at = 0;
    let mut n_seen = 0;
    while at < bytes.len() {
        let Some((before, next)) = separator(bytes, at) else {
            at += 1;
            continue;
        };
        // Of a run of line breaks the last one counts.
        if before == Before::Line && matches!(bytes.get(next), Some(b'\n' | b'\r')) {
            at = next;
            continue;
        }
        n_seen += 1;
        if n_seen > SEPARATORS_MAX && bytes.len() - at > 16 * 1024 {
            at += 1;
            continue;
        }
        // What was found once is not looked for again.
        if !is_found && let Some((mut end, is_sure)) = command(text, next, before, at, &known) {
            is_found = is_sure;
            if before == Before::Tick {
                end = text[end..].find('`').map_or(end, |n| end + n + 1);
            }
            // What stands before a hint is a part of it.
            let (shape, from) = if is_sure { (ShellShape::Separated, at) } else { (ShellShape::Hint, 0) };
            add(shape, from..end);
        }
        if before != Before::Tick {
            if let Some(end) = batch::statement(text, next) {
                add(ShellShape::Batch, at..end);
            }
            let start = skip_blanks(text, next);
            if bytes.get(start) == Some(&b'$')
                && let Some(name) = word(text, start).variable
                && assigned.contains(&name)
            {
                add(ShellShape::Indirect, 0..word(text, start).end);
            }
            if assigned.len() < 32 {
                note_assignment(text, start, &mut assigned);
            }
        }
        if before == Before::Line
            && let Some(end) = mail::command(text, next)
        {
            add(ShellShape::Mail, at..end);
        }
        at = next;
    }
    // What is sure needs no hint.
    if found.iter().any(|(shape, _)| *shape != ShellShape::Hint) {
        found.retain(|(shape, _)| *shape != ShellShape::Hint);
    }
    found
}

/// Can [`shapes`] find anything in `text`, in which the bytes `present` occur? A look at the bytes and the first word.
pub(crate) fn may_have_shape(text: &str, present: Present) -> bool {
    const MARKS: u128 = bits(";|&`$\n\r{?*[~%\\()^");
    present.any(MARKS) || starts_with_program(text)
}

fn starts_with_program(text: &str) -> bool {
    const WORD_BYTES_MAX: usize = 64;
    let start = text.len() - text.trim_start_matches([' ', '"', '\'', '+']).len();
    let end = text.as_bytes()[start..]
        .iter()
        .take(WORD_BYTES_MAX)
        .position(|byte| byte.is_ascii_whitespace() || matches!(byte, b'\'' | b'"' | b'+'))
        .map_or(text.len().min(start + WORD_BYTES_MAX), |n| start + n);
    let Some(first) = text.get(start..end) else { return false };
    let mut lower = [0; WORD_BYTES_MAX];
    let lower = &mut lower[..first.len()];
    lower.copy_from_slice(first.as_bytes());
    lower.make_ascii_lowercase();
    let Ok(first) = std::str::from_utf8(lower) else { return false };
    program(program_name(first)).is_some() || first.starts_with("if") || first == "for"
}

fn separator(bytes: &[u8], at: usize) -> Option<(Before, usize)> {
    let second = bytes.get(at + 1).copied().unwrap_or(0);
    match bytes[at] {
        // Text that was written for a page has `Fish &amp; more`; a shell still runs what follows.
        b';' if ends_entity(&bytes[..at]) => {
            let before = if second.is_ascii_whitespace() { Before::Line } else { Before::Ampersand };
            Some((before, at + 1))
        }
        // `data:image/png;base64,`
        b';' if is_media_parameter(&bytes[at + 1..]) => None,
        b';' => Some((Before::Hard, at + 1)),
        b'|' => Some((Before::Hard, at + if second == b'|' { 2 } else { 1 })),
        b'&' if second == b'&' => Some((Before::Hard, at + 2)),
        b'&' => Some((Before::Ampersand, at + 1)),
        b'$' | b'<' | b'>' if second == b'(' => Some((Before::Hard, at + 2)),
        b'`' => Some((Before::Tick, at + 1)),
        b'\n' | b'\r' => Some((Before::Line, at + 1)),
        b'\\' if matches!(second, b'n' | b'r') => Some((Before::Line, at + 2)),
        b'%' if second == b'0' && matches!(bytes.get(at + 2), Some(b'a' | b'A' | b'd' | b'D')) => {
            Some((Before::Line, at + 3))
        }
        _ => None,
    }
}

/// Does a data URI say here how it is encoded, and not a shell what it does?
fn is_media_parameter(rest: &[u8]) -> bool {
    rest.get(..7).is_some_and(|word| word.eq_ignore_ascii_case(b"base64,"))
}

/// Is a semicolon behind `before` the end of an entity?
fn ends_entity(before: &[u8]) -> bool {
    let Some(n) = before.iter().rev().take(8).position(|&byte| byte == b'&') else { return false };
    let name = &before[before.len() - n..];
    let is_number =
        |digits: &[u8], is_digit: fn(&u8) -> bool| !digits.is_empty() && digits.iter().all(is_digit);
    match name {
        b"amp" | b"lt" | b"gt" | b"quot" | b"apos" | b"nbsp" => true,
        [b'#', b'x' | b'X', digits @ ..] => is_number(digits, u8::is_ascii_hexdigit),
        [b'#', digits @ ..] => is_number(digits, u8::is_ascii_digit),
        _ => false,
    }
}

fn note_assignment(text: &str, at: usize, assigned: &mut Vec<String>) {
    let bytes = &text.as_bytes()[at.min(text.len())..];
    let n = bytes.iter().take(24).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    if n > 0 && bytes.get(n) == Some(&b'=') && !bytes[0].is_ascii_digit() {
        assigned.push(text[at..at + n].to_owned());
    }
}

/// Words of a shell that a command stands behind, and programs that run another one.
const LEADERS: &[&str] = &[
    "if", "then", "elif", "else", "while", "until", "do", "time", "eval", "command", "builtin", "exec",
    "coproc", "nice", "nohup", "setsid", "stdbuf", "doas", "alias", "xargs", "ionice", "unshare", "chroot",
];
/// Leaders of one command that are passed over.
const LEADERS_MAX: usize = 4;

/// The program that words of a shell lead which begin with `leader`: `if`, `then`, `do`, `eval`, `nice -n 5`,
/// `case x in x)`, `f(){`.
fn led_word(text: &str, leader: &Word) -> Option<Word> {
    let mut found = leader.clone();
    for _ in 0..LEADERS_MAX {
        found = command_word(text, behind_leader(text, &found)?);
        if program(program_name(&found.name)).is_some() && !LEADERS.contains(&found.name.as_str()) {
            return Some(found);
        }
    }
    None
}

/// Where the command begins that `leader` leads.
fn behind_leader(text: &str, leader: &Word) -> Option<usize> {
    let rest = text.get(leader.end..)?;
    let blanks = |text: &str| text.len() - text.trim_start_matches([' ', '\t', '+']).len();
    if let Some(body) = rest.strip_prefix("()") {
        return (!leader.name.is_empty()).then(|| leader.end + 2 + blanks(body));
    }
    if leader.name == "alias" {
        let equals = rest.bytes().take(CASE_BYTES_MAX).position(|byte| byte == b'=')?;
        return Some(leader.end + equals + 1);
    }
    if leader.name == "case" {
        let close = rest.bytes().take(CASE_BYTES_MAX).position(|byte| byte == b')')?;
        return rest.get(..close)?.contains(" in ").then_some(leader.end + close + 1);
    }
    if !LEADERS.contains(&leader.name.as_str()) || blanks(rest) == 0 {
        return None;
    }
    let mut at = leader.end + blanks(rest);
    // Its options, each with a number behind it.
    for _ in 0..3 {
        if !text.get(at..)?.starts_with('-') {
            break;
        }
        let option = text.get(at..)?.split([' ', '\t', '+']).next()?;
        let next = at + option.len();
        let number = text.get(next..).map(|rest| &rest[blanks(rest)..])?;
        let n_digits = number.bytes().take_while(u8::is_ascii_digit).count();
        at = text.len() - number.len();
        if n_digits > 0 {
            at += n_digits + blanks(&number[n_digits..]);
        }
    }
    Some(at)
}

/// How far the pattern of a `case`, or the name of an `alias`, is looked for.
const CASE_BYTES_MAX: usize = 48;

/// The command at `start`: over brackets, quotes, assignments and variables that are not set.
fn command_word(text: &str, start: usize) -> Word {
    let bytes = text.as_bytes();
    let mut at = start;
    for _ in 0..4 {
        at = skip_blanks(text, at);
        while matches!(bytes.get(at), Some(b'(' | b'{' | b'!' | b'\'' | b'"' | b' ' | b'@')) {
            at += 1;
        }
        let found = word(text, at);
        // `X=1 cmd`, and `$u cmd` where `u` is not set.
        if found.name.is_empty() && found.end > at {
            at = found.end;
        } else if bytes.get(found.end) == Some(&b'=') && !found.name.is_empty() {
            at = word(text, found.end + 1).end;
            if !matches!(bytes.get(at), Some(b' ' | b'\t')) {
                return Word { end: at, ..Word::default() };
            }
        } else {
            return found;
        }
    }
    Word { end: at, ..Word::default() }
}

/// What follows a command up to the end of the simple command, and whether it ends there and not in mid-sentence.
fn arguments(text: &str, start: usize) -> (&str, usize) {
    let bytes = text.as_bytes();
    let mut end = start;
    while end < bytes.len() && end - start < ARGUMENT_BYTES_MAX {
        match bytes[end] {
            b';' | b'|' | b'\n' | b'\r' | b'`' => break,
            b'&' if bytes.get(end + 1).is_none_or(|next| *next != b'#') => break,
            b'\\' if matches!(bytes.get(end + 1), Some(b'n' | b'r')) => break,
            b')' => break,
            _ => end += 1,
        }
    }
    let end = (start..=end).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(start);
    (&text[start..end], end)
}

/// Is there a command line after the separator? The byte after what shows it, and whether it is sure.
///
/// `known` remembers what is the same for the whole text.
fn command(
    text: &str,
    start: usize,
    before: Before,
    separator_at: usize,
    known: &Known,
) -> Option<(usize, bool)> {
    let found = command_word(text, start);
    let place = (start, before, separator_at);
    let form = windows::command(text, &found, before, separator_at);
    if let Some((_, true)) = form {
        return form;
    }
    match judged(text, &found, place, known) {
        Some((end, true)) => Some((end, true)),
        hint => led_word(text, &found).and_then(|led| judged(text, &led, place, known)).or(hint).or(form),
    }
}

/// Is `found`, which stands behind the separator at `separator_at` that ends at `start`, a command?
fn judged(
    text: &str,
    found: &Word,
    (start, before, separator_at): (usize, Before, usize),
    known: &Known,
) -> Option<(usize, bool)> {
    let strength = program(program_name(&found.name))?;
    let is_lone = arguments(text, found.end).0.trim().is_empty();
    if before == Before::Tick
        && (!is_executed_tick(text, separator_at) || is_lone && strength == Strength::Word)
    {
        return None;
    }
    // `I'd` is no `id`: quotes come in pairs.
    if found.n_quotes % 2 == 1 && !matches!(before, Before::Hard) {
        return None;
    }
    let has_path = found.name.contains('/');
    let strength = if found.n_tricks > 0 && found.n_tricks < 8 && strength != Strength::Word
        || has_path && found.name.contains("bin/")
    {
        Strength::Program
    } else {
        strength
    };
    let end = judge(text, found, strength, before)?;
    let is_told = *known.is_prose.get_or_init(|| told::is_prose_text(text))
        && told::is_told(text, separator_at, before, &found.name, arguments(text, found.end).0);
    if is_told {
        return None;
    }
    let rest = arguments(text, found.end).0;
    match phrase::grade(text, (separator_at, start), before, (found, strength), rest, known) {
        Grade::Sure => Some((end, true)),
        Grade::Maybe => Some((end, false)),
        Grade::Nothing => None,
    }
}

/// Inline code in prose stands between blanks; a substitution stands in, or is, a value.
fn is_executed_tick(text: &str, at: usize) -> bool {
    let head = &text[..at];
    head.trim().is_empty() && text.trim_end().ends_with('`')
        || head.ends_with(['=', ':', ';', '|', '&', '"', '\'', '(', ',', '.', '@', '$', '}', '{'])
        || text.len() <= 48 && head.split_whitespace().count() <= 1 && text.trim_end().ends_with('`')
}

/// Do the arguments of `found` look like arguments?
fn judge(text: &str, found: &Word, strength: Strength, before: Before) -> Option<usize> {
    let bytes = text.as_bytes();
    let next = bytes.get(found.end).copied();
    let (rest, end) = arguments(text, found.end);
    let is_call = next == Some(b'(');
    if is_usual_pair(program_name(&found.name), rest) {
        return Some(end.max(found.end));
    }
    // `at com.acme.Shop.pay(Shop.java:17)`: a line of a stack trace; the program is told a time.
    let is_time = rest.trim_start().starts_with(|ch: char| ch.is_ascii_digit() || ch == '-');
    if found.name == "at" && before == Before::Line && !is_time {
        return None;
    }
    let next = if next == Some(b'\\') && matches!(bytes.get(found.end + 1), Some(b'n' | b'r')) {
        None
    } else {
        next
    };
    let rest_trimmed = rest.trim_matches([' ', '\t', '+', '"', '\'', '}', '{', '>', '#', '%']);
    if rest_trimmed.is_empty() && !is_call {
        // `add-item|remove-item`: actions of an application; people type commands of PowerShell as `Remove-Item`.
        if is_cmdlet(&found.name) && text[..found.end].ends_with(found.name.as_str()) {
            return None;
        }
        return stands_alone(text, end, rest, strength, before).then_some(found.end);
    }
    let is_separated =
        matches!(next, Some(b' ' | b'\t' | b'+' | b'$' | b'<' | b'>' | b',' | b'%' | b'{' | b'"' | b'\''));
    if !is_separated {
        return (is_call
            && strength != Strength::Short
            && matches!(
                found.name.as_str(),
                "system"
                    | "exec"
                    | "eval"
                    | "passthru"
                    | "shell_exec"
                    | "phpinfo"
                    | "print"
                    | "sleep"
                    | "iex"
                    | "invoke-expression"
            ))
        .then_some(found.end + 1);
    }
    shows_arguments(text, found, strength, before, (rest, end)).then_some(end.max(found.end))
}

/// May a name without arguments stand here? `rest` is what follows it, up to `end`.
fn stands_alone(text: &str, end: usize, rest: &str, strength: Strength, before: Before) -> bool {
    match (before, strength) {
        (Before::Hard, Strength::Word) => text.len() <= 120,
        (Before::Line | Before::Ampersand, Strength::Word) => {
            end == text.len() && rest.is_empty() && before == Before::Ampersand && text.len() <= 64
        }
        (Before::Line, Strength::Short) => {
            let is_end = text[end..].trim_matches([' ', '\t', ';']).is_empty();
            text.len() <= 200 && (is_end || phrase::is_last(text, end) && phrase::follows_data(text, end))
                || phrase::is_among_data(text, end)
        }
        _ => true,
    }
}

/// Are the words of `rest`, which ends at `end`, what a program takes, and not the rest of a sentence?
fn shows_arguments(
    text: &str,
    found: &Word,
    strength: Strength,
    before: Before,
    (rest, end): (&str, usize),
) -> bool {
    let blank = |ch: char| ch == ' ' || ch == '\t' || ch == '+' || ch == ',' && strength != Strength::Word;
    let mut words = rest.split(blank).filter(|word| !word.is_empty());
    let first = words.next().unwrap_or("");
    let second = words.next().unwrap_or("");
    let n_words = 2 + words.clone().count();
    if is_prose(first) || n_words > 3 && is_prose(second) && !is_switched(first, strength, rest) {
        return false;
    }
    // At the start of a line or behind an ampersand a word is soon followed by a quotation or a list's star.
    if strength != Strength::Program
        && matches!(before, Before::Line | Before::Ampersand)
        && first.starts_with(['"', '\'', '<', '>', '*', '('])
    {
        return false;
    }
    let is_end = end >= text.len() || !matches!(text.as_bytes()[end], b'&' | b')') || before != Before::Line;
    argument(first, strength)
        || argument(second, strength)
            && (first.len() <= 12 && strength != Strength::Word
                || before == Before::Hard && first.len() <= 10)
        || strength == Strength::Program && n_words <= 5 && is_end && !rest.split_whitespace().any(is_prose)
        || strength == Strength::Short
            && n_words <= 3
            && before == Before::Hard
            && is_end
            && !is_prose(second)
        || strength == Strength::Word
            && before == Before::Hard
            && n_words <= 2
            && second.is_empty()
            && end == text.len()
            && text.len() <= 64
            && is_usual_argument(&found.name, first)
}

/// Does a word look like an option, a path, a host, a file, a variable, a redirection?
fn argument(word: &str, strength: Strength) -> bool {
    let bytes = word.as_bytes();
    let Some(&first) = bytes.first() else { return false };
    let second = bytes.get(1).copied().unwrap_or(0);
    let is_weak = strength == Strength::Word;
    match first {
        b'-' => {
            second.is_ascii_alphanumeric()
                || second == b'-' && bytes.get(2).is_some_and(u8::is_ascii_alphabetic)
        }
        b'/' => {
            (second.is_ascii_alphanumeric() || matches!(second, b'?' | b'*' | b'[' | b'.'))
                || bytes.len() == 1
        }
        b'~' => second == b'/' || bytes.len() == 1,
        b'$' => second.is_ascii_alphabetic() || matches!(second, b'{' | b'(' | b'@' | b'_'),
        b'%' => second.is_ascii_alphabetic(),
        b'>' | b'<' => !is_weak || bytes.len() > 1 || word == ">",
        b'*' | b'{' | b'@' => !is_weak || bytes.len() <= 3,
        b'\\' => bytes.len() > 1,
        b'"' | b'\'' => !is_weak || bytes.len() > 1,
        b'.' => {
            bytes.len() == 1 && !is_weak
                || second == b'/'
                || second == b'.' && bytes.get(2) == Some(&b'/')
                || second.is_ascii_alphabetic()
        }
        b'0'..=b'9' => {
            !is_weak && bytes.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b':'))
                || bytes.iter().filter(|byte| **byte == b'.').count() == 3
                || is_weak && bytes.iter().all(u8::is_ascii_digit) && bytes.len() <= 6
        }
        _ => {
            let is_drive = second == b':'
                && first.is_ascii_alphabetic()
                && matches!(bytes.get(2), None | Some(b'\\' | b'/'));
            let has_dot = word.split_once('.').is_some_and(|(head, tail)| {
                !head.is_empty() && tail.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
            });
            let has_slash = word.contains('/') && word.bytes().filter(u8::is_ascii_alphanumeric).count() > 2;
            let is_url = word.contains("://");
            is_drive || is_url || has_dot || has_slash && (!is_weak || word.matches('/').count() > 1)
        }
    }
}

/// `f(){ f|f& };f`: a function that calls itself and is called.
fn function(text: &str) -> Option<Range<usize>> {
    let open = text.find("()")?;
    let start = text[..open].rfind([';', '&', '|', ' ', '\n', '=']).map_or(0, |at| at + 1);
    let name = text[start..open].trim();
    if name.len() > 24 || !text.is_char_boundary(start) {
        return None;
    }
    let body = text[open + 2..].trim_start();
    let inside = body.strip_prefix('{')?;
    let (inside, after) = inside.split_once('}')?;
    let calls_itself =
        !name.is_empty() && inside.trim_start().starts_with(name) && inside.contains(['|', '&']);
    let is_called = after.trim_start_matches([' ', ';', '\n']).starts_with(name);
    (calls_itself && is_called && inside.len() < 80).then_some(start..text.len())
}

#[cfg(test)]
mod tests;
