//! Indicators of STIX 2.1 bundles: those whose pattern names one thing, or one of several.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;
use watchpost_model::threat::ThreatKind;

use super::threat_file::{Collected, ThreatFileError, classify};

#[derive(Deserialize)]
struct Bundle {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    objects: Vec<Value>,
}

#[derive(Deserialize)]
struct Indicator {
    pattern: String,
    #[serde(default)]
    pattern_type: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    valid_until: Option<DateTime<Utc>>,
    #[serde(default)]
    revoked: bool,
}

/// Adds the indicators of a bundle. Other objects (malware, reports, relationships) say nothing that events could match
/// and are passed over.
pub(super) fn bundle(
    bytes: &[u8],
    kind: Option<ThreatKind>,
    now: DateTime<Utc>,
    list: &mut Collected,
) -> Result<(), ThreatFileError> {
    let not_stix = |reason: String| ThreatFileError::NotStix(reason);
    let bundle: Bundle = serde_json::from_slice(bytes).map_err(|error| not_stix(error.to_string()))?;
    if bundle.kind != "bundle" {
        let kind: String = bundle.kind.chars().take(40).collect();
        return Err(not_stix(format!("its type is {kind:?}")));
    }
    for (number, object) in (1..).zip(bundle.objects) {
        if object.get("type").and_then(Value::as_str) != Some("indicator") {
            continue;
        }
        let indicator: Indicator = match serde_json::from_value(object) {
            Ok(indicator) => indicator,
            Err(error) => {
                list.skip(number, error.to_string());
                continue;
            }
        };
        if indicator.revoked {
            list.skip(number, "it was revoked".to_owned());
        } else if indicator.valid_until.is_some_and(|until| until <= now) {
            list.skip(number, "it is no longer valid".to_owned());
        } else if let Some(other) = indicator.pattern_type.filter(|kind| kind != "stix") {
            list.skip(number, format!("its pattern is written in {:.40}", other));
        } else {
            let entries = named(&indicator.pattern, kind);
            list.add(number, entries, indicator.valid_until, indicator.name.as_deref())?;
        }
    }
    Ok(())
}

#[derive(Debug, PartialEq)]
enum Token {
    /// `[ ] ( ) , =` and the like.
    Sign(char),
    /// A keyword or an object path.
    Word(String),
    /// A quoted text.
    Text(String),
}

/// What a pattern names. One that needs several things at once cannot be told from a single value.
fn named(pattern: &str, wanted: Option<ThreatKind>) -> Result<Vec<(ThreatKind, String)>, String> {
    const TOGETHER: [&str; 9] =
        ["AND", "NOT", "FOLLOWEDBY", "LIKE", "MATCHES", "WITHIN", "REPEATS", "START", "ISSUPERSET"];
    if pattern.len() > 65_536 {
        return Err("its pattern is longer than 64 KiB".to_owned());
    }
    let tokens = tokens(pattern)?;
    let mut entries = Vec::new();
    let mut reason = "its pattern names nothing".to_owned();
    let mut current: Option<ThreatKind> = None;
    for token in tokens {
        match token {
            Token::Word(word) if TOGETHER.contains(&word.as_str()) => {
                return Err(format!("its pattern needs more than one comparison ({word})"));
            }
            Token::Word(word) if matches!(word.as_str(), "OR" | "IN" | "ISSUBSET") => {}
            Token::Word(path) => {
                current = kind_of(&path);
                if current.is_none() {
                    reason = format!("no event has {:.60}", path);
                }
            }
            Token::Text(value) => match current {
                Some(kind) if wanted.is_none_or(|wanted| wanted == kind) => {
                    match classify(&value, Some(kind)) {
                        Ok(found) => entries.extend(found),
                        Err(why) => reason = why,
                    }
                }
                Some(kind) => reason = format!("it names a {kind}"),
                None => {}
            },
            Token::Sign('!' | '<' | '>') => {
                return Err("its pattern says what a value is not".to_owned());
            }
            Token::Sign(_) => {}
        }
    }
    if entries.is_empty() { Err(reason) } else { Ok(entries) }
}

fn kind_of(path: &str) -> Option<ThreatKind> {
    match path {
        "ipv4-addr:value"
        | "ipv6-addr:value"
        | "network-traffic:src_ref.value"
        | "network-traffic:dst_ref.value" => Some(ThreatKind::Ip),
        "domain-name:value" | "email-addr:domain" => Some(ThreatKind::Domain),
        path if path.to_ascii_lowercase().ends_with("request_header.'user-agent'") => {
            Some(ThreatKind::UserAgent)
        }
        _ => None,
    }
}

fn tokens(pattern: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut chars = pattern.chars().peekable();
    while let Some(ch) = chars.next() {
        match ch {
            ch if ch.is_whitespace() => {}
            '[' | ']' | '(' | ')' | ',' | '=' | '!' | '<' | '>' => tokens.push(Token::Sign(ch)),
            '\'' => tokens.push(Token::Text(quoted(&mut chars)?)),
            ch => {
                let mut word = String::from(ch);
                while let Some(&next) = chars.peek() {
                    if next.is_whitespace() || "[](),=!<>".contains(next) && next != '[' {
                        break;
                    }
                    chars.next();
                    word.push(next);
                    if next == '\'' {
                        word.push_str(&quoted(&mut chars)?);
                        word.push('\'');
                    }
                }
                tokens.push(Token::Word(word));
            }
        }
    }
    Ok(tokens)
}

/// The rest of a quoted text, whose first quote has been read.
fn quoted(chars: &mut impl Iterator<Item = char>) -> Result<String, String> {
    let mut text = String::new();
    while let Some(ch) = chars.next() {
        match ch {
            '\'' => return Ok(text),
            '\\' => text.extend(chars.next()),
            ch => text.push(ch),
        }
    }
    Err("its pattern ends within a text".to_owned())
}

#[cfg(test)]
mod tests {
    use super::named;
    use watchpost_model::threat::ThreatKind;

    fn check(pattern: &str, expect: &[&str]) {
        let found = named(pattern, None).unwrap_or_else(|reason| panic!("{pattern}: {reason}"));
        assert_eq!(found.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>(), expect, "{pattern}");
    }

    fn refused(pattern: &str, expect: &str) {
        let reason = named(pattern, None).expect_err(pattern);
        assert!(reason.contains(expect), "{pattern}: {reason}");
    }

    #[test]
    fn patterns_that_name_something() {
        check("[ipv4-addr:value = '203.0.113.7']", &["203.0.113.7"]);
        check("[ipv4-addr:value='203.0.113.7']", &["203.0.113.7"]);
        check("[ipv4-addr:value ISSUBSET '198.51.100.0/24']", &["198.51.100.0/24"]);
        check("[ipv4-addr:value IN ('203.0.113.1', '203.0.113.2')]", &["203.0.113.1", "203.0.113.2"]);
        check(
            "[domain-name:value = 'Evil.Example'] OR [ipv6-addr:value = '2001:db8::9']",
            &["evil.example", "2001:db8::9"],
        );
        check("[file:hashes.MD5 = 'x' OR domain-name:value = 'evil.example']", &["evil.example"]);
        let agent =
            "[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' = 'Evil\\'s Bot/1']";
        check(agent, &["evil's bot/1"]);
        assert_eq!(named(agent, None).expect("above")[0].0, ThreatKind::UserAgent);
    }

    #[test]
    fn patterns_that_do_not() {
        refused("[ipv4-addr:value = '203.0.113.7' AND network-traffic:dst_port = 443]", "more than one");
        refused("[ipv4-addr:value != '203.0.113.7']", "is not");
        refused("[file:hashes.'SHA-256' = 'abc']", "no event has");
        refused("[ipv4-addr:value = '203.0.113.7", "ends within");
        refused("[ipv4-addr:value = 'nonsense']", "nonsense");
        refused("", "names nothing");
        refused("[ipv4-addr:value = '0.0.0.0/0']", "0.0.0.0/0");
    }
}
