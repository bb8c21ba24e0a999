//! What an event says, field by field, for the detector of personal data and secrets; and its cells without what was found.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use watchpost_model::sensitive::{Sensitive, found_in, found_in_field, layers, masked, not_shown};

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
            let path = if is_card(fields) { format!("{path}.card") } else { path.to_owned() };
            for (name, item) in fields {
                // Nothing is called like a card, a token or a person.
                found.extend(in_field("account", name));
                look(&format!("{path}.{name}"), item, depth, found);
            }
        }
    }
}

fn in_field(path: &str, text: &str) -> Vec<Sensitive> {
    if text.trim().is_empty() {
        return Vec::new();
    }
    let mut found = found_in_field(path, text);
    for decoded in layers(text) {
        found.extend(found_in_field(path, &decoded));
    }
    found.sort_unstable();
    found.dedup();
    found.retain(|kind| *kind != Sensitive::Personal || !NAMING.contains(&path));
    found
}

/// Does an object hold what only cards have beside their numbers?
fn is_card(fields: &Map<String, Value>) -> bool {
    const BESIDE: [&str; 9] =
        ["exp", "expiry", "expires", "exp_month", "expiration", "valid_thru", "cvv", "cvc", "cardholder"];
    fields.keys().any(|name| BESIDE.contains(&name.to_ascii_lowercase().as_str()))
}

/// A cell as it is shown: of the number of a card the first six digits and the last four, of anything else only its kind.
pub(super) fn shown(field: &str, cell: &str) -> String {
    let cell = masked(field, cell).unwrap_or_else(|| cell.to_owned());
    let held = in_field(field, &cell);
    if held.is_empty() { cell } else { not_shown(&held) }
}

#[cfg(test)]
mod tests {
    use super::{found_in_event, shown};
    use watchpost_model::sensitive::Sensitive;

    #[test]
    fn every_field_is_looked_through() {
        use Sensitive::{CardNumber, Personal, Secret};
        let cases: [(&str, &[Sensitive]); 27] = [
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
            (r#"{"http":{"body":"{\"user\":\"kim\",\"password\":\"Winter20"}}"#, &[Secret]),
            (r#"{"http":{"headers":{"authorization":"Basic a2ltOldpbnRlcg=="}}}"#, &[Secret]),
            (r#"{"http":{"headers":{"authorization":"[redacted]","cookie":"theme=dark"}}}"#, &[]),
            (r#"{"http":{"headers":{"cookie":"theme=dark; sid=8f14e45fceea167a"}}}"#, &[Secret]),
            (r#"{"details":{"number":"4539578763621486","exp":"12/27"}}"#, &[CardNumber]),
            (r#"{"details":{"number":"4539578763621486","total":2}}"#, &[]),
            (r#"{"http":{"query":"pass%2577ord=Winter2026"}}"#, &[Secret]),
            (r#"{"details":{"pass":"letmein","checks":{"pass":"skipped"}}}"#, &[Secret]),
            (r#"{"details":{"4539578763621486":"paid"}}"#, &[CardNumber]),
            (r#"{"session":"card-4539578763621486"}"#, &[CardNumber]),
            (r#"{"session":"8f14e45fceea167a","action":"password_reset"}"#, &[]),
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
