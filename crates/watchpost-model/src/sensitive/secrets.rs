//! Secrets in text: keys and tokens by their form, and what stands where a name says that a secret follows.

mod loose;
mod marks;
mod members;
mod orders;
#[cfg(test)]
mod tests;
mod words;

use std::ops::Range;

use loose::in_angles;
use words::{
    ABOUT, CODES, COMMON, COOKIES, GOING_ON, KEYS, MEASURING, PASSWORDS, SESSIONS, STATES, WORDED, WORDS_MAX,
};

/// Tokens of services: how they begin, and how many characters follow at least.
pub(crate) const SERVICE_TOKENS: [(&str, usize); 14] = [
    ("ghp_", 36),
    ("gho_", 36),
    ("ghs_", 36),
    ("github_pat_", 40),
    ("glpat-", 20),
    ("xoxb-", 20),
    ("xoxp-", 20),
    ("sk_live_", 20),
    ("rk_live_", 20),
    ("npm_", 36),
    ("hvs.", 24),
    ("AIza", 35),
    ("AKIA", 16),
    ("ASIA", 16),
];

/// How far a password of several words is followed.
const LINE_BYTES_MAX: usize = 512;

/// What a name promises.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Promise {
    /// May be of several words.
    Password,
    /// A key or a token: no sentence.
    Key,
    /// The code of a card.
    Code,
    /// A word that also means other things (`pass`, `pwd`): only what looks made up is one.
    Vague,
    Pin,
    Passphrase,
    /// Credentials of a request, behind the name of their scheme.
    Authorization,
    Session,
}

/// How a value stands behind its name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Between quotes, or a field of its own.
    Quoted,
    /// Behind `=`.
    Bare,
    /// Behind a colon, as people and headers write.
    Prose,
}

/// Where `text`, the value of `name`, holds secrets. The name may be empty.
pub(super) fn secrets(name: &str, text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut in_cookie = false;
    if !name.is_empty() {
        let name = name.to_ascii_lowercase();
        in_cookie = name.ends_with("cookie");
        if let Some(promise) = promised(&name, false)
            && is_secret(promise, text.trim(), of_member(promise))
        {
            found.push(0..text.len());
        }
    }
    words(text, &mut found);
    if text.contains("://") {
        links(text, &mut found);
    }
    let has_blank = text.contains(' ');
    if has_blank || text.contains([':', '=', '<']) {
        // Of the same length: only ASCII changes.
        let lower = text.to_ascii_lowercase();
        private_keys(&lower, &mut found);
        pairs(text, &lower, in_cookie, &mut found);
        loose::elements(text, &lower, &mut found);
        marks::typed(text, &mut found);
        if has_blank {
            loose::schemes(text, &lower, &mut found);
            loose::strong(text, &lower, &mut found);
            loose::sentences(text, &lower, &mut found);
            orders::orders(text, &lower, &mut found);
        }
        if text.contains(" -") {
            loose::commands(text, &lower, &mut found);
            loose::options(text, &lower, &mut found);
        }
    }
    marks::without(text, found)
}

/// Does a name say that secrets are among its values? The values of others can be looked at without it.
#[must_use]
pub fn promises(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with("cookie") || promised(&name, false).is_some()
}

fn private_keys(lower: &str, found: &mut Vec<Range<usize>>) {
    let Some(begin) = lower.find("-----begin ") else { return };
    if !lower[begin..].contains("private key-----") {
        return;
    }
    let end = lower[begin..].rfind("-----end ").map_or(lower.len(), |at| {
        let end = begin + at + "-----end ".len();
        lower[end..].find("-----").map_or(lower.len(), |rest| end + rest + 5)
    });
    found.push(begin..end);
}

/// Tokens of services, and signed ones: three parts of base64 whose first one is a JSON object.
fn words(text: &str, found: &mut Vec<Range<usize>>) {
    let in_word = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '_' | '-' | '.');
    let token = |word: &str| {
        SERVICE_TOKENS.iter().any(|(prefix, n)| {
            word.strip_prefix(*prefix)
                .is_some_and(|rest| rest.len() >= *n && !rest.to_ascii_uppercase().ends_with("EXAMPLE"))
        })
    };
    let signed =
        |word: &str| word.starts_with("eyJ") && word.split('.').filter(|part| part.len() >= 10).count() == 3;
    let mut from = 0;
    let ends = text.match_indices(|ch: char| !in_word(ch)).chain(std::iter::once((text.len(), "")));
    for (at, stop) in ends {
        let word = &text[from..at];
        if word.len() >= 20 && (token(word) || signed(word)) {
            found.push(from..at);
        }
        from = at + stop.len();
    }
}

/// Passwords in addresses: `https://user:password@host`.
fn links(text: &str, found: &mut Vec<Range<usize>>) {
    for (at, _) in text.match_indices("://") {
        let start = at + 3;
        let rest = &text[start..];
        let stops =
            |ch: char| ch.is_whitespace() || matches!(ch, '/' | '?' | '#' | '"' | '\'' | '<' | '>' | '\\');
        let authority = &rest[..rest.find(stops).unwrap_or(rest.len())];
        let Some((user, _)) = authority.rsplit_once('@') else { continue };
        let Some((name, password)) = user.split_once(':') else { continue };
        if password.chars().any(char::is_alphanumeric) && !is_blacked(password) {
            let from = start + name.len() + 1;
            found.push(from..from + password.len());
        }
    }
}

/// Values behind names, each behind `=` or a colon.
fn pairs(text: &str, lower: &str, in_cookie: bool, found: &mut Vec<Range<usize>>) {
    let cookie_at =
        ["cookie:", "cookie\":", "cookie\\\":"].into_iter().filter_map(|word| lower.find(word)).min();
    for (at, _) in lower.match_indices(['=', ':']) {
        let name = name_before(&lower[..at]);
        let worded = worded(&lower[..at]);
        if worded.is_none() && !name.bytes().any(|byte| byte.is_ascii_alphabetic()) {
            continue;
        }
        if worded.is_none() && matches!(name, "name" | "key" | "type") {
            found.extend(members::value_of(text, lower, at, name));
            if name == "name" {
                found.extend(part_of_form(text, lower, at));
            }
            continue;
        }
        let cookies = in_cookie || cookie_at.is_some_and(|cookie| cookie < at);
        let Some(promise) = worded.or_else(|| promised(name, cookies)) else { continue };
        let items = members::items(text, at);
        if !items.is_empty() {
            let is_one = |range: &Range<usize>| is_secret(promise, &text[range.clone()], of_member(promise));
            found.extend(items.into_iter().filter(is_one));
            continue;
        }
        let is_header = promise == Promise::Authorization;
        let Some((mut range, mut form)) = value_after(text, at, is_header) else { continue };
        let quoted_name = lower[..at].trim_end().ends_with(['"', '\'']);
        let may_go_on =
            matches!(promise, Promise::Password | Promise::Passphrase | Promise::Key) && !quoted_name;
        // `?token= https://...`: an empty one, and the next word.
        if form == Form::Bare && range.start > at + 1 && is_link(&text[range.clone()]) {
            continue;
        }
        if form == Form::Bare && may_go_on && !is_blacked(&text[range.clone()]) {
            let of_line = if promise == Promise::Key { 0 } else { more_of_line(text, &range) };
            range.end += more_of_parameter(&text[range.end..]).max(of_line);
        }
        let value = &text[range.clone()];
        // A number, or a word of JSON, is no password; a PIN is.
        if quoted_name && form != Form::Quoted {
            let number = value.bytes().all(|byte| byte.is_ascii_digit());
            if number && !matches!(promise, Promise::Pin | Promise::Code) {
                continue;
            }
            form = Form::Bare;
        } else if quoted_name || (form == Form::Quoted && text[at..].starts_with('=')) {
            form = of_member(promise);
        }
        if form == Form::Prose && is_title(name, promise, value) || !is_secret(promise, value, form) {
            continue;
        }
        found.push(range);
    }
}

/// `https://...`
fn is_link(value: &str) -> bool {
    value.split_once("://").is_some_and(|(scheme, _)| {
        !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphabetic())
    })
}

/// How the value of a field of its own counts: where only passwords are called so, a word is one.
const fn of_member(promise: Promise) -> Form {
    match promise {
        Promise::Vague => Form::Bare,
        _ => Form::Quoted,
    }
}

/// `pin: 2026`, `secret: Q3-plan`: a title, as people write them.
fn is_title(name: &str, promise: Promise, value: &str) -> bool {
    let value = value.trim_end_matches(['.', '!', '?', ')']);
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let year = |part: &str| part.len() == 4 && digits(part) && ("1990"..="2099").contains(&part);
    if promise == Promise::Pin {
        return year(value);
    }
    // Of words, and the name of a time or a version.
    let numbered = |part: &str| {
        let rest = part.strip_prefix(|ch: char| ch.is_ascii_alphabetic());
        rest.is_some_and(|rest| matches!(rest.len(), 1 | 2) && digits(rest))
    };
    let word = |part: &str| part.len() >= 3 && part.chars().all(char::is_alphabetic);
    let mut parts = value.split(['-', '_']);
    name == "secret"
        && parts.clone().any(numbered)
        && parts.clone().any(word)
        && parts.all(|part| numbered(part) || word(part) || year(part))
}

/// How much more belongs to the value of a parameter that a blank ended: up to the next parameter, where one follows.
fn more_of_parameter(rest: &str) -> usize {
    let stops =
        |ch: char| matches!(ch, '&' | '=' | '"' | '\'' | ';' | ',' | '<' | '>' | '\n' | '\r' | '\\' | '?');
    let Some((words, next)) = rest.find(stops).map(|end| rest.split_at(end)) else { return 0 };
    let Some(next) = next.strip_prefix('&') else { return 0 };
    let in_name = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '_' | '-' | '.' | '[' | ']');
    let after = next.trim_start_matches(in_name);
    let is_parameter = after.len() < next.len() && (after.is_empty() || after.starts_with(['=', '&']));
    if words.starts_with(' ') && is_parameter { words.len() } else { 0 }
}

/// How much more belongs to a password that a blank ended: up to the end of the line, to the next sign or to the next name.
fn more_of_line(text: &str, value: &Range<usize>) -> usize {
    let rest = loose::beginning(&text[value.end..], LINE_BYTES_MAX);
    if !rest.starts_with(' ') {
        return 0;
    }
    let stops = |ch: char| {
        matches!(ch, '\n' | '\r' | '"' | '\'' | '`' | ';' | ',' | '&' | '<' | '>' | '\\' | '[' | '|' | '}')
    };
    let words = &rest[..rest.find(stops).unwrap_or(rest.len())];
    let words = words.split(" HTTP/").next().unwrap_or_default();
    // The name before the next sign is none of it.
    let words = words.split_once('=').map_or(words, |(head, _)| {
        let head = head.trim_end();
        &head[..head.rfind(' ').unwrap_or(0)]
    });
    let first = &text[value.clone()];
    let is_sentence = is_about(words);
    let words = before_said(first, words, is_sentence);
    let is_state = |word: &str| STATES.contains(&word.to_lowercase().trim_end_matches(['.', '!', '?', ')']));
    let n = words.split_whitespace().count();
    let is_said = words.split_whitespace().next().is_some_and(goes_on)
        || ((is_state(first) || is_about(first)) && (n < 2 || is_sentence))
        || (n < 3 && words.split_whitespace().next_back().is_some_and(is_state));
    if is_said { 0 } else { words.len() }
}

/// Of the words behind the `first` one of a password those before the next name, link or sentence, and before what is said of
/// passwords; of a long line those before a word that sentences go on with.
fn before_said<'a>(first: &str, words: &'a str, is_sentence: bool) -> &'a str {
    let is_long = words.split_whitespace().count() >= WORDS_MAX;
    let (mut before, mut n, mut end) = (first, 1, 0);
    for part in words.split_inclusive(' ') {
        let word = part.trim_end();
        if !word.is_empty() {
            let is_next = (before.ends_with('.') && word.starts_with(char::is_uppercase))
                || word.ends_with(':')
                || word.contains("://")
                || is_long_number(word);
            if is_next
                || (is_sentence && is_about(word))
                || (is_long && (n >= WORDS_MAX || (n > 1 && goes_on(word))))
            {
                break;
            }
            before = word;
            n += 1;
        }
        end += part.len();
    }
    words[..end].trim_end()
}

/// As long as the number of a card.
fn is_long_number(word: &str) -> bool {
    word.len() > 12 && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Is it a word that a sentence goes on with?
fn goes_on(word: &str) -> bool {
    GOING_ON.contains(&word.to_lowercase().as_str())
}

/// Is a value of several words a sentence about passwords? One that ends in a number is only if it says how long they are.
fn is_about(value: &str) -> bool {
    let ends_in_number = value
        .split_whitespace()
        .next_back()
        .is_some_and(|word| word.contains(|ch: char| ch.is_ascii_digit()));
    value.split_whitespace().any(|word| {
        let word = word.trim_matches(|ch: char| !ch.is_alphanumeric()).to_lowercase();
        let words: &[&str] = if ends_in_number { &MEASURING } else { &ABOUT };
        words.contains(&word.as_str())
    })
}

/// What a name of several words or other letters promises that ends where a value begins.
fn worded(head: &str) -> Option<Promise> {
    let head = head.trim_end_matches([' ', '\t']).trim_end_matches(['"', '\'', '\\', '`']);
    WORDED.iter().find_map(|(name, promise)| {
        let before = head.strip_suffix(*name)?;
        (!before.ends_with(char::is_alphanumeric)).then_some(*promise)
    })
}

/// The name that ends where a value begins, without quotes.
fn name_before(head: &str) -> &str {
    let head = head.trim_end_matches([' ', '\t']).trim_end_matches(['"', '\'', '\\', '`']);
    let in_name = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '_' | '-' | '.' | '[' | ']');
    let begin = head.rfind(|ch: char| !in_name(ch)).map_or(0, |at| {
        // Behind a character that may be longer than one byte.
        at + head[at..].chars().next().map_or(0, char::len_utf8)
    });
    &head[begin..]
}

/// What a name in lower case promises: by its last part.
fn promised(name: &str, cookies: bool) -> Option<Promise> {
    // `password[]`, `password[0]`: a list.
    let name = match name.strip_suffix(']').and_then(|name| name.rsplit_once('[')) {
        Some((list, nth)) if nth.bytes().all(|byte| byte.is_ascii_digit()) => list,
        _ => name,
    };
    let last = name.trim_end_matches([']', '=', '.']).rsplit(['.', '[', ' ']).next().unwrap_or_default();
    if last.len() < 3 && last != "pw" {
        return None;
    }
    let plain: String = last.chars().filter(|ch| !matches!(ch, '_' | '-' | ']')).collect();
    if plain.ends_with("passphrase") {
        return Some(Promise::Passphrase);
    }
    if PASSWORDS.iter().any(|end| plain.ends_with(end)) {
        return Some(Promise::Password);
    }
    if KEYS.iter().any(|end| plain.ends_with(end)) {
        return Some(Promise::Key);
    }
    if CODES.iter().any(|end| plain.ends_with(end)) {
        return Some(Promise::Code);
    }
    if plain.ends_with("authorization") {
        return Some(Promise::Authorization);
    }
    if SESSIONS.contains(&plain.as_str()) || cookies && COOKIES.iter().any(|end| plain.ends_with(end)) {
        return Some(Promise::Session);
    }
    match last.rsplit(['_', '-']).next() {
        Some("pass" | "pwd" | "pw") => Some(Promise::Vague),
        Some("pin") => Some(Promise::Pin),
        _ => None,
    }
}

/// Where the value of a name stands whose `=` or colon is at `at`. One whose quotes are never closed was cut off.
fn value_after(text: &str, at: usize, is_header: bool) -> Option<(Range<usize>, Form)> {
    let behind = at + 1;
    let skipped = text[behind..].find(|ch: char| !matches!(ch, ' ' | '\t' | '=' | '>'))?;
    let mut start = behind + skipped;
    let rest = &text[start..];
    let quote = ["\\\"", "\"", "'", "`"].into_iter().find(|quote| rest.starts_with(*quote));
    if let Some(quote) = quote {
        start += quote.len();
        return Some((start..start + closed(&text[start..], quote), Form::Quoted));
    }
    let form = if text.as_bytes().get(at) == Some(&b'=') { Form::Bare } else { Form::Prose };
    if let Some(length) = in_angles(rest) {
        return Some((start + 1..start + 1 + length, form));
    }
    if is_header && rest.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("digest ")) {
        return Some((start..start + digest(rest), form));
    }
    let stops = |ch: char| match ch {
        '\n' | '\r' | '"' | '\'' | ';' => true,
        ' ' | '\t' | '&' | ',' | '<' | '}' | '\\' => !is_header,
        _ => false,
    };
    let end = rest.find(stops).map_or(text.len(), |end| start + end);
    Some((start..end, form))
}

/// How long what is in quotes is; to the end if they are not closed. A quote with more before it than its own belongs to it.
fn closed(text: &str, quote: &str) -> usize {
    let closes = |at: usize| {
        let before = text[..at].bytes().rev().take_while(|byte| *byte == b'\\').count();
        before % (2 * quote.len()) < quote.len()
    };
    let mut ends = text.match_indices(quote).map(|(at, _)| at);
    ends.find(|at| closes(*at)).unwrap_or(text.len())
}

/// How long the credentials of a header are whose parts are in quotes: to the end of the line, or of the text of JSON that
/// they stand in.
fn digest(text: &str) -> usize {
    let lines = ["\r", "\n", "\\r", "\\n"].into_iter().filter_map(|end| text.find(end));
    let first = text.find('"').unwrap_or_default();
    let outer = text[..first].ends_with('\\').then(|| closed(text, "\""));
    lines.chain(outer).min().unwrap_or(text.len())
}

/// The value of a part of a form (`multipart/form-data`) whose name promises a secret: it stands behind an empty line.
fn part_of_form(text: &str, lower: &str, at: usize) -> Option<Range<usize>> {
    let (name, _) = value_after(text, at, false)?;
    let promise = promised(&lower[name.clone()], false)?;
    let rest = &text[name.end..];
    let line = ["\r\n\r\n", "\n\n", "\\r\\n\\r\\n"]
        .into_iter()
        .filter_map(|line| rest.find(line).map(|at| (at, line.len())))
        .min()?;
    let start = name.end + line.0 + line.1;
    if rest[..line.0].contains("name=") || rest[..line.0].contains("--") {
        return None;
    }
    let end = text[start..].find(['\r', '\n', '\\']).map_or(text.len(), |end| start + end);
    is_secret(promise, text[start..end].trim(), Form::Quoted).then_some(start..end)
}

fn is_secret(promise: Promise, value: &str, form: Form) -> bool {
    let value = value.trim();
    let n = value.chars().count();
    let word = value.trim_matches(|ch: char| !ch.is_alphanumeric()).to_ascii_lowercase();
    if word.is_empty() || STATES.contains(&word.as_str()) || is_blacked(value) {
        return false;
    }
    let one_word = !value.contains(char::is_whitespace);
    match promise {
        Promise::Password | Promise::Passphrase | Promise::Key => {
            let is_time = (promise == Promise::Key || form == Form::Prose) && is_time(value);
            n >= 4
                && !is_time
                && match form {
                    // A sentence about a password is none.
                    Form::Quoted => is_quoted(promise, value),
                    Form::Bare => true,
                    Form::Prose => {
                        (is_made_up(value) || COMMON.contains(&word.as_str())) && !value.contains("://")
                    }
                }
        }
        Promise::Code => {
            let digits = value.trim_end_matches(['.', '!', '?', ')']);
            (3..=4).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
        }
        Promise::Vague => {
            let like_one = match form {
                Form::Bare => n >= 6 || is_made_up(value),
                Form::Quoted => is_made_up(value),
                Form::Prose => is_made_up(value) && value.chars().any(char::is_alphabetic),
            };
            // `pass=100%`, `pass=12/14`: how many did.
            let is_pin = n >= 6 && value.bytes().all(|byte| byte.is_ascii_digit());
            let counts = !(is_pin || value.chars().any(char::is_alphabetic));
            let is_whole = one_word || is_phrase(value);
            n >= 4 && is_whole && !counts && !value.starts_with('/') && !value.contains("://") && like_one
        }
        Promise::Pin => {
            let digits = value.trim_end_matches(['.', '!', '?', ')']);
            (4..=12).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
        }
        Promise::Authorization => are_credentials(value),
        Promise::Session => n >= 8 && one_word && is_made_up(value),
    }
}

/// `reset me 24`: several words with a number, and no count of what passed.
fn is_phrase(value: &str) -> bool {
    value.starts_with(char::is_alphabetic)
        && value.contains(|ch: char| ch.is_ascii_digit())
        && !value.to_lowercase().starts_with("pass")
        && !is_about(value)
}

/// Is what stands in quotes one, and no sentence?
fn is_quoted(promise: Promise, value: &str) -> bool {
    promise == Promise::Passphrase
        || value.split_whitespace().count() <= 2
        || (promise == Promise::Password && !is_about(value))
}

/// `2026-11-01`, `2026-11-01T10:00:00Z`.
fn is_time(value: &str) -> bool {
    let value = value.trim_end_matches(['.', '!', '?', ')']);
    let form: String = value.chars().map(|ch| if ch.is_ascii_digit() { '0' } else { ch }).collect();
    form.strip_prefix("0000-00-00").is_some_and(|rest| {
        let hours = rest.strip_prefix('T').unwrap_or_default();
        rest.is_empty()
            || (hours.starts_with('0')
                && hours.chars().all(|ch| matches!(ch, '0' | ':' | '.' | '+' | '-' | 'Z')))
    })
}

/// Somebody took it out, or it says where it belongs: `****`, `[redacted]`, `${PASSWORD}`.
fn is_blacked(value: &str) -> bool {
    let stars = value.matches('*').count();
    // `:password` of a statement, `projects/x/secrets/y` of a vault.
    let named = value.strip_prefix(':').is_some_and(|name| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    });
    let kept_elsewhere = value.starts_with("projects/") && value.contains("/secrets/");
    // A place for a value is called by a word; a password may begin like one.
    let braced = value.strip_prefix('{').is_some_and(|rest| {
        rest.len() < 8
            || !rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
            || !rest.bytes().any(|byte| byte.is_ascii_digit())
    });
    value.contains("**") && stars * 4 >= value.chars().count()
        || value.contains("••")
        || value.starts_with('[')
        || value.starts_with('<') && in_angles(value).is_none()
        || braced
        || named
        || kept_elsewhere
        || value.starts_with("${")
        || value.starts_with("%(")
        || value.chars().all(|ch| matches!(ch, '*' | 'x' | 'X' | '•' | '.' | '-' | '_' | '#' | '?'))
}

/// No word of a language: it has a digit, a sign that words do not have, or capitals within.
fn is_made_up(value: &str) -> bool {
    let value = value.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '=']);
    let sign = |ch: char| {
        !ch.is_alphanumeric() && !matches!(ch, '-' | '\'' | '.' | '_' | '/' | '=' | '(' | ',' | ' ')
    };
    let mixed = value.chars().skip(1).any(char::is_uppercase) && value.chars().any(char::is_lowercase);
    value.chars().any(|ch| ch.is_numeric() || sign(ch)) || mixed
}

/// `Basic dXNlcjpwYXNzd29yZA==`, `Bearer ...`, or a long token alone.
fn are_credentials(value: &str) -> bool {
    let (scheme, rest) = value.split_once(' ').unwrap_or(("", value));
    let token = rest.split_whitespace().next().unwrap_or_default();
    let scheme = scheme.to_ascii_lowercase();
    if scheme == "digest" {
        let rest = rest.to_ascii_lowercase();
        let answer = rest.split_once("response=").map_or("", |(_, answer)| answer);
        return answer.trim_start_matches(['\\', '"']).starts_with(|ch: char| ch.is_ascii_alphanumeric());
    }
    let known = ["basic", "bearer", "token", "apikey", "negotiate", "ntlm"].contains(&scheme.as_str());
    let plain = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'.' | b'_' | b'~' | b'-')
    };
    (known && token.len() >= 6 || scheme.is_empty() && token.len() >= 16)
        && token.bytes().all(plain)
        && is_made_up(token)
}
