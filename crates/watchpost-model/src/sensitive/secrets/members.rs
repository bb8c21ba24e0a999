//! Values of members whose name stands beside them, and of lists.

use std::ops::Range;

use super::loose::beginning;
use super::{Form, Promise, closed, is_secret, of_member, promised, value_after};

/// How far behind a name its value is looked for.
const BESIDE_BYTES_MAX: usize = 256;

/// `{"name":"password","value":"hunter2"}`, `<input type="password" value="hunter2">`: the value of what is called a secret. `at`
/// is where the sign behind `name` stands.
pub(super) fn value_of(text: &str, lower: &str, at: usize, name: &str) -> Option<Range<usize>> {
    let (called, form) = value_after(text, at, false)?;
    let promise = promised(&lower[called.clone()], false)?;
    // Other things have a type too.
    if form != Form::Quoted || (name == "type" && promise != Promise::Password) {
        return None;
    }
    let rest = beginning(&lower[called.end..], BESIDE_BYTES_MAX);
    let rest = &rest[..rest.find(['{', '}', '<', '>']).unwrap_or(rest.len())];
    let sign = rest.match_indices("value").find_map(|(at, word)| {
        let behind = at + word.len();
        let sign = rest[behind..].trim_start_matches(['\\', '"', '\'', ' ']);
        let is_name = rest[..at].ends_with(['"', '\'', ' ', '\t', '\n']) && sign.starts_with([':', '=']);
        is_name.then(|| called.end + rest.len() - sign.len())
    })?;
    let (value, form) = value_after(text, sign, false)?;
    let is_one = form == Form::Quoted && is_secret(promise, &text[value.clone()], of_member(promise));
    is_one.then_some(value)
}

/// `"password":["hunter2"]`: the texts of the list that stands behind the sign at `at`.
pub(super) fn items(text: &str, at: usize) -> Vec<Range<usize>> {
    const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];
    let mut found = Vec::new();
    let Some(mut rest) = text[at + 1..].trim_start_matches(BLANKS).strip_prefix('[') else { return found };
    loop {
        rest = rest.trim_start_matches(BLANKS).trim_start_matches(',').trim_start_matches(BLANKS);
        let quote = ["\\\"", "\"", "'"].into_iter().find(|quote| rest.starts_with(*quote));
        let Some(quote) = quote else { return found };
        rest = &rest[quote.len()..];
        let start = text.len() - rest.len();
        let length = closed(rest, quote);
        found.push(start..start + length);
        rest = rest.get(length + quote.len()..).unwrap_or_default();
    }
}
