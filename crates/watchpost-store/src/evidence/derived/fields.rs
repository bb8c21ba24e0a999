//! What an event says, field by field, for the detector of personal data and secrets; and its cells without what was found.

use std::collections::BTreeSet;

use serde_json::Value;
use watchpost_model::sensitive::{Sensitive, card_number, found_in};

/// Words and numbers of Watchpost's own.
const OURS: [&str; 7] = ["at", "category", "count", "id", "outcome", "risk", "severity"];
/// Where an address tells who it was, or whose program, which a log has to say.
const NAMING: [&str; 2] = ["actor", "http.headers.user-agent"];
/// How often JSON in the text of JSON is opened; what lies deeper is looked through as text.
const DEPTH_MAX: usize = 4;

/// What the fields of a stored event hold, each once.
pub(super) fn found_in_event(body: &str) -> Vec<Sensitive> {
    let mut found = BTreeSet::new();
    match serde_json::from_str::<Value>(body) {
        Ok(Value::Object(fields)) => {
            for (name, value) in fields.iter().filter(|(name, _)| !OURS.contains(&name.as_str())) {
                look(name, value, 0, &mut found);
            }
        }
        _ => found.extend(found_in(body)),
    }
    found.into_iter().collect()
}

fn look(path: &str, value: &Value, depth: usize, found: &mut BTreeSet<Sensitive>) {
    match value {
        Value::Null | Value::Bool(_) => {}
        // A number is no password, whatever its name.
        Value::Number(number) => {
            let card = in_field(path, &number.to_string()).contains(&Sensitive::CardNumber);
            found.extend(card.then_some(Sensitive::CardNumber));
        }
        Value::String(text) => {
            found.extend(in_field(path, text));
            if depth < DEPTH_MAX
                && text.trim_start().starts_with(['{', '['])
                && let Ok(inner) = serde_json::from_str::<Value>(text)
            {
                look(path, &inner, depth + 1, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| look(path, item, depth, found)),
        Value::Object(fields) => {
            for (name, item) in fields {
                look(&format!("{path}.{name}"), item, depth, found);
            }
        }
    }
}

/// What stands before a value, as the detector reads names. Nobody is called like the number of a card.
fn named(path: &str) -> String {
    format!("{}=", if path == "actor" { "account_number" } else { path })
}

fn in_field(path: &str, text: &str) -> Vec<Sensitive> {
    if text.trim().is_empty() {
        return Vec::new();
    }
    let name = named(path);
    let mut found = found_in(&format!("{name}{text}"));
    if let Some(decoded) = decoded(text) {
        found.extend(found_in(&format!("{name}{decoded}")));
    }
    found.sort_unstable();
    found.dedup();
    found.retain(|kind| *kind != Sensitive::Personal || !NAMING.contains(&path));
    found
}

/// The text without the encoding of forms and addresses, where it has some.
fn decoded(text: &str) -> Option<String> {
    if !text.contains(['%', '+']) {
        return None;
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let escaped = text.get(at + 1..at + 3).filter(|_| *byte == b'%');
        match escaped.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(value) => {
                out.push(value);
                at += 3;
            }
            None => {
                out.push(if *byte == b'+' { b' ' } else { *byte });
                at += 1;
            }
        }
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}

/// A cell as it is shown: of the number of a card the first six digits and the last four, of anything else only its kind.
pub(super) fn shown(field: &str, cell: &str) -> String {
    let name = named(field);
    let mut cell = cell.to_owned();
    while let Some(found) = card_number(&format!("{name}{cell}")) {
        let Some(start) = found.start.checked_sub(name.len()) else { break };
        let end = found.end - name.len();
        let Some(black) = cell.get(start..end).map(blacked) else { break };
        cell.replace_range(start..end, &black);
    }
    let held = in_field(field, &cell);
    if held.is_empty() {
        return cell;
    }
    let kinds: Vec<&str> = held.into_iter().map(Sensitive::as_str).collect();
    format!("[not shown: {}]", kinds.join(", "))
}

fn blacked(number: &str) -> String {
    let digits = number.chars().filter(char::is_ascii_digit).count();
    let mut nth = 0;
    number
        .chars()
        .map(|ch| {
            nth += usize::from(ch.is_ascii_digit());
            if ch.is_ascii_digit() && nth > 6 && nth + 4 <= digits { '*' } else { ch }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{found_in_event, shown};
    use watchpost_model::sensitive::Sensitive;

    #[test]
    fn every_field_is_looked_through() {
        use Sensitive::{CardNumber, Personal, Secret};
        let cases: [(&str, &[Sensitive]); 16] = [
            (r#"{"http":{"query":"card=4539578763621486"}}"#, &[CardNumber]),
            (r#"{"http":{"query":"n=4539+5787+6362+1486"}}"#, &[CardNumber]),
            (r#"{"http":{"query":"n=4539%205787%206362%201486"}}"#, &[CardNumber]),
            (r#"{"http":{"body":"first line\n4539 5787 6362 1486"}}"#, &[CardNumber]),
            (r#"{"http":{"body":"{\"user\":\"kim\",\"password\":\"Winter2026\"}"}}"#, &[Secret]),
            (r#"{"http":{"headers":{"x-mail":"kim@shop-mail.de"}}}"#, &[Personal]),
            (r#"{"http":{"headers":{"user-agent":"a robot (bot@shop-mail.de)"}}}"#, &[]),
            (r#"{"details":{"card":{"number":4539578763621486}}}"#, &[CardNumber]),
            (r#"{"details":{"token":123456,"password":"****","reset_token":true}}"#, &[]),
            (r#"{"tags":["x","kim@shop-mail.de"]}"#, &[Personal]),
            (r#"{"resource":"/card/4539578763621486"}"#, &[CardNumber]),
            (r#"{"actor":"4539578763621486"}"#, &[CardNumber]),
            (r#"{"actor":"kim@shop-mail.de","source_ip":"203.0.113.7"}"#, &[]),
            (r#"{"actor":"ghp_a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2"}"#, &[Secret]),
            (r#"{"resource":"/orders/4539578763621486","details":null}"#, &[]),
            ("card: 4539578763621486, broken", &[CardNumber]),
        ];
        for (body, expected) in cases {
            assert_eq!(found_in_event(body), expected, "{body}");
        }
    }

    #[test]
    fn what_was_found_is_not_shown() {
        for (field, cell, expected) in [
            ("resource", "/card/4539578763621486/pay", "/card/453957******1486/pay"),
            ("resource", "/4539 5787 6362 1486", "/4539 57** **** 1486"),
            ("actor", "4539578763621486", "453957******1486"),
            ("actor", "kim@shop-mail.de", "kim@shop-mail.de"),
            ("resource", "/users/kim@shop-mail.de", "[not shown: personal]"),
            ("resource", "/search", "/search"),
        ] {
            assert_eq!(shown(field, cell), expected);
        }
    }
}
