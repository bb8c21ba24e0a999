//! Values of members whose name stands beside them, and of lists.

use std::ops::Range;

use super::loose::beginning;
use super::{Form, Promise, closed, is_secret, of_member, promised, value_after};

/// How far behind a name its value is looked for.
const BESIDE_BYTES_MAX: usize = 256;

/// `{"name":"password","value":"hunter2"}`, `<input value="hunter2" type="password">`: the value of what is called a secret, in
/// either order. `at` is where the sign behind `name` stands.
pub(super) fn value_of(text: &str, lower: &str, at: usize, name: &str) -> Option<Range<usize>> {
    const ENDS: [char; 4] = ['{', '}', '<', '>'];
    let before = ending(&lower[..at], BESIDE_BYTES_MAX);
    let opened = before.rfind(ENDS);
    let in_tag = opened.is_some_and(|opened| before[opened..].starts_with('<'));
    let (called, is_quoted) = member(text, at)?;
    let promise = promised(&lower[called.clone()], false)?;
    // Other things have a type too.
    if !(is_quoted || in_tag) || (name == "type" && promise != Promise::Password) {
        return None;
    }
    let after = beginning(&lower[called.end..], BESIDE_BYTES_MAX);
    let after = &after[..after.find(ENDS).unwrap_or(after.len())];
    let before = opened.map_or(before, |opened| &before[opened + 1..]);
    let sign = signs_of_value(after)
        .next()
        .map(|sign| called.end + sign)
        .or_else(|| signs_of_value(before).last().map(|sign| at - before.len() + sign))?;
    let (value, is_quoted) = member(text, sign)?;
    let is_one = (is_quoted || in_tag) && is_secret(promise, &text[value.clone()], of_member(promise));
    is_one.then_some(value)
}

/// What stands behind the sign at `at`, and whether it does in quotes; without them a tag may end with it.
fn member(text: &str, at: usize) -> Option<(Range<usize>, bool)> {
    let (mut range, form) = value_after(text, at, false)?;
    let is_quoted = form == Form::Quoted;
    if !is_quoted {
        let value = &text[range.clone()];
        range.end =
            range.start + value.find('>').map_or(value, |end| &value[..end]).trim_end_matches('/').len();
    }
    Some((range, is_quoted))
}

/// Where the signs behind `value` stand.
fn signs_of_value(text: &str) -> impl Iterator<Item = usize> {
    text.match_indices("value").filter_map(move |(at, word)| {
        let sign = text[at + word.len()..].trim_start_matches(['\\', '"', '\'', ' ']);
        let is_name = at == 0 || text[..at].ends_with(['"', '\'', ' ', '\t', '\n', ',']);
        (is_name && sign.starts_with([':', '='])).then(|| text.len() - sign.len())
    })
}

/// Of `text` the last as many bytes as that, or a few less.
fn ending(text: &str, bytes: usize) -> &str {
    let from = (text.len().saturating_sub(bytes)..=text.len()).find(|at| text.is_char_boundary(*at));
    &text[from.unwrap_or(text.len())..]
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
