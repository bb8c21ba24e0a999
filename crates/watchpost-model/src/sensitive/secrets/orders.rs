//! Passwords in orders to databases: `IDENTIFIED BY 'hunter2'`, `requirepass hunter2`, `AUTH kim hunter2`.

use std::ops::Range;

use super::loose::{QUOTES, VALUE_BYTES_MAX, beginning, has_sign};
use super::{Form, Promise, STATES, goes_on, is_about, is_secret};

/// What a password follows, with the blank between.
const ORDERS: [&str; 4] = [IDENTIFIED, "requirepass ", "masterauth ", AUTH];
const IDENTIFIED: &str = "identified by ";
const AUTH: &str = "auth ";
/// Ways to log in at a mail server, and what is said of orders.
const OTHERS: [&str; 16] = [
    "command",
    "commands",
    "cram-md5",
    "digest-md5",
    "directive",
    "event",
    "events",
    "external",
    "gssapi",
    "login",
    "ntlm",
    "oauthbearer",
    "option",
    "plain",
    "setting",
    "xoauth2",
];

/// The passwords of such orders.
pub(super) fn orders(text: &str, lower: &str, found: &mut Vec<Range<usize>>) {
    for order in ORDERS {
        for (at, _) in lower.match_indices(order) {
            let is_joined =
                lower[..at].ends_with(|ch: char| ch.is_alphanumeric() || matches!(ch, '_' | '-' | '.'));
            // In small letters other things are called so.
            if is_joined || (order == AUTH && !text[at..].starts_with("AUTH")) {
                continue;
            }
            let rest = beginning(&text[at + order.len()..], VALUE_BYTES_MAX);
            let value = rest.trim_start_matches(' ');
            let start = at + order.len() + rest.len() - value.len();
            // `identified by name` and `the AUTH team` are said of other things, too.
            let is_setting = (order != AUTH && order != IDENTIFIED) || lower[..at].trim().is_empty();
            found.extend(ordered(value, is_setting).map(|range| start + range.start..start + range.end));
        }
    }
}

/// What is in quotes; else the only word of the line (where nothing but a password follows), or of the first two the one
/// that no word is.
fn ordered(text: &str, is_setting: bool) -> Option<Range<usize>> {
    if let Some((quote, end)) = QUOTES.into_iter().find(|(quote, _)| text.starts_with(*quote)) {
        let inner = &text[quote.len()..];
        let value = &inner[..inner.find(end).unwrap_or(inner.len())];
        let is_one = is_secret(Promise::Password, value, Form::Quoted);
        return is_one.then_some(quote.len()..quote.len() + value.len());
    }
    let stops = |ch: char| {
        matches!(ch, '\n' | '\r' | '"' | '\'' | '`' | ';' | ',' | '<' | '>' | '|' | '\\' | '(' | ')' | '=')
    };
    let line = text[..text.find(stops).unwrap_or(text.len())].trim_end();
    let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
    let second = rest.trim_start();
    let is_alone = second.is_empty();
    // `AUTH kim hunter2`.
    if !is_alone && !goes_on(first) && !second.contains(' ') && has_sign(second) && is_word(second) {
        return Some(line.len() - second.len()..line.len());
    }
    (is_word(first) && (has_sign(first) || (is_alone && is_setting))).then_some(0..first.len())
}

/// May it be a password, and is it nothing that is said of orders?
fn is_word(value: &str) -> bool {
    let word = value.trim_end_matches(['.', ':', '!', '?']).to_lowercase();
    let is_other = OTHERS.contains(&word.as_str()) || word.starts_with("scram-sha");
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b':' | b'-'));
    !is_other
        && !is_number
        && !goes_on(&word)
        && !is_about(&word)
        && !STATES.contains(&word.as_str())
        && is_secret(Promise::Password, value, Form::Bare)
}
