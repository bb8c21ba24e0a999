//! Detection on single requests, without a workspace: a request in, a verdict out. Stateless, so it says nothing of
//! behaviours.

use std::collections::BTreeMap;

use chrono::DateTime;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use watchpost_detect::{RuleSet, Verdict};
use watchpost_model::event::{Category, Event, Http, split_target};
use watchpost_model::finding::Finding;
use watchpost_model::ids::EventId;
use watchpost_model::text::whole_surrogates;

use crate::contract::{RuleTried, TriedAs};
use crate::error::OpError;

/// One request, as a line of JSON holds it.
#[derive(Debug, Clone, Deserialize)]
pub struct Request {
    /// Comes back with the answer.
    pub id: serde_json::Value,
    /// Request method.
    #[serde(default)]
    pub method: String,
    /// Path and query, raw.
    pub uri: String,
    /// Request headers.
    #[serde(default, deserialize_with = "watchpost_model::event::texts")]
    pub headers: BTreeMap<String, String>,
    /// Request body.
    #[serde(default, deserialize_with = "watchpost_model::event::opt_text")]
    pub body: Option<String>,
}

/// What detection says of one request.
#[derive(Debug, Clone, Serialize)]
pub struct Answer {
    /// Of the request.
    pub id: serde_json::Value,
    /// Did any rule fire?
    pub detected: bool,
    /// The attack families, each once.
    pub categories: Vec<&'static str>,
    /// One a rule, with what matched in each decoded layer; only if asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// Was there more than is looked at of one request? Left out where all of it was.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
    /// Why the line could not be read; `detected` is false then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Whether an answer holds the findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// The verdict only.
    Verdict,
    /// The findings too.
    Findings,
}

/// What `rules` say of one line: a request, or an event as applications report it (with `http` or `category`), whose
/// answer is looked at too. A line that is neither gets an answer that says so; it never fails.
#[must_use]
pub fn answer(rules: &RuleSet, line: &str, detail: Detail) -> Answer {
    let line = line.trim_start_matches('\u{feff}');
    // Half of a pair is no character, and no reason to look away: whoever sends one bad byte makes some programs write it.
    let line = &*whole_surrogates(line);
    if let Ok(request) = serde_json::from_str::<Request>(line) {
        let verdict =
            rules.inspect_request(&request.method, &request.uri, &request.headers, request.body.as_deref());
        return told(request.id, verdict, detail);
    }
    let (id, why) = match serde_json::from_str::<serde_json::Value>(line) {
        Err(error) => {
            let is_deep = error.to_string().starts_with("recursion limit");
            let what = if is_deep { "not read: nested deeper than 127 levels" } else { "not JSON" };
            (named(line).unwrap_or_default(), format!("{what}: {error}"))
        }
        Ok(serde_json::Value::Object(members)) => {
            let id = members.get("id").cloned().unwrap_or_default();
            let is_event = members.contains_key("http") || members.contains_key("category");
            if is_event {
                match event(members) {
                    Ok(event) => return told(id, rules.inspect_event(&event), detail),
                    Err(error) => (id, format!("not an event: {error}")),
                }
            } else {
                (id, problem(line))
            }
        }
        Ok(_) => (serde_json::Value::Null, "not a request: a line is a JSON object".to_owned()),
    };
    Answer {
        id,
        detected: false,
        categories: Vec::new(),
        findings: Vec::new(),
        truncated: false,
        error: Some(why),
    }
}

/// Looks at what a person pasted: an event or request in JSON, a request as it goes over the wire, or a bare value.
///
/// # Errors
/// When it is JSON that is neither an event nor a request.
pub(crate) fn tried(rules: &RuleSet, text: &str) -> Result<RuleTried, OpError> {
    let (tried_as, event) = read(text.trim())?;
    let fields = watchpost_detect::decoded_fields(&event);
    Ok(RuleTried { tried_as, fields, findings: rules.inspect_event(&event).findings })
}

fn read(text: &str) -> Result<(TriedAs, Event), OpError> {
    // A template (`{{7*7}}`) begins like an object and is none.
    let inside = text.strip_prefix('{').map(str::trim_start);
    if inside.is_some_and(|inside| inside.starts_with(['"', '}'])) {
        if let Ok(request) = serde_json::from_str::<Request>(text) {
            let headers = request.headers.into_iter().collect();
            return Ok((TriedAs::Request, requested(&request.method, &request.uri, headers, request.body)));
        }
        let members = serde_json::from_str(text)
            .map_err(|error| OpError::invalid("text", format!("not JSON: {error}")))?;
        let event =
            event(members).map_err(|error| OpError::invalid("text", format!("not an event: {error}")))?;
        return Ok((TriedAs::Event, event));
    }
    if let Some(event) = wire(text) {
        return Ok((TriedAs::Request, event));
    }
    let value = utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    Ok((TriedAs::Value, requested("GET", &format!("/?value={value}"), BTreeMap::new(), None)))
}

/// A request as it goes over the wire: at least `METHOD target`, or a target that begins with a slash or names a host.
/// Where a part of it would be read as nothing, as a head whose lines have run together, it is none: all of it is looked
/// at as it is.
fn wire(text: &str) -> Option<Event> {
    let (head, body) = text
        .split_once("\r\n\r\n")
        .or_else(|| text.split_once("\n\n"))
        .map_or((text, None), |(head, body)| (head, Some(body)));
    let mut lines = head.lines();
    let first = lines.next()?.trim();
    let is_target =
        |word: &str| word.starts_with('/') || word.starts_with("http://") || word.starts_with("https://");
    let (method, target) = match first.split_once(' ') {
        Some((method, rest))
            if !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase()) =>
        {
            // A raw target may hold spaces; the version comes last.
            let target = match rest.rsplit_once(" HTTP/") {
                Some((target, version)) if is_version(version.trim()) => target,
                Some(_) => return None,
                None => rest,
            };
            (method, target.trim())
        }
        _ => ("GET", first),
    };
    if !is_target(target) {
        return None;
    }
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for line in lines.filter(|line| !line.trim().is_empty()) {
        let (name, value) = line.split_once(':')?;
        let all = headers.entry(name.trim().to_ascii_lowercase()).or_default();
        // A header that stands there twice is one with both values.
        all.push_str(if all.is_empty() { "" } else { ", " });
        all.push_str(value.trim());
    }
    Some(requested(method, target, headers, body.filter(|body| !body.is_empty()).map(str::to_owned)))
}

/// `1.1`, `2`: what follows `HTTP/` in the first line.
fn is_version(text: &str) -> bool {
    !text.is_empty() && text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

fn requested(method: &str, target: &str, headers: BTreeMap<String, String>, body: Option<String>) -> Event {
    let (path, query) = split_target(target);
    let mut event =
        Event::new(EventId::derived(0, [0; 16]), DateTime::UNIX_EPOCH, Category::ApiUsage, "request");
    event.http = Some(Http {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.map(str::to_owned),
        headers: headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect(),
        body,
        ..Http::default()
    });
    event
}

/// The id of a line that is JSON and cannot be read, for it is nested too deeply: what is passed over may be of any depth.
fn named(line: &str) -> Option<serde_json::Value> {
    #[derive(Deserialize)]
    struct Named {
        #[serde(default)]
        id: serde_json::Value,
    }
    serde_json::from_str::<Named>(line).ok().map(|named| named.id)
}

fn problem(line: &str) -> String {
    match serde_json::from_str::<Request>(line) {
        Err(error) => format!("not a request: {error}"),
        Ok(_) => "not a request".to_owned(),
    }
}

/// An event of a line; what the verdict does not depend on may be absent, and the id may be anything.
fn event(mut members: serde_json::Map<String, serde_json::Value>) -> Result<Event, serde_json::Error> {
    members.insert("id".to_owned(), uuid::Uuid::nil().to_string().into());
    members.entry("at").or_insert_with(|| "1970-01-01T00:00:00Z".into());
    members.entry("category").or_insert_with(|| "api_usage".into());
    members.entry("type").or_insert_with(|| "request".into());
    serde_json::from_value(members.into())
}

fn told(id: serde_json::Value, verdict: Verdict, detail: Detail) -> Answer {
    Answer {
        id,
        detected: verdict.is_detected(),
        categories: verdict.categories.iter().map(|family| family.as_str()).collect(),
        findings: if detail == Detail::Findings { verdict.findings } else { Vec::new() },
        truncated: verdict.truncated,
        error: None,
    }
}

#[cfg(test)]
mod tests {
    use watchpost_detect::RuleSet;

    use super::{Answer, Detail};
    use crate::contract::TriedAs;

    fn answer(line: &str, detail: Detail) -> Answer {
        super::answer(&RuleSet::embedded(), line, detail)
    }

    #[test]
    fn an_event_is_looked_at_with_its_answer() {
        let leak = r#"{"id":"7","category":"api_usage","http":{"method":"GET","path":"/x","status":500,
            "response_body":"-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7bq0mYJ5k3fQ2t8w\n"}}"#;
        let told = answer(leak, Detail::Verdict);
        assert_eq!((told.id, told.categories), ("7".into(), vec!["data_leak"]), "{:?}", told.error);
        let csrf = r#"{"id":8,"category":"api_usage","type":"csrf_failure"}"#;
        assert_eq!(answer(csrf, Detail::Verdict).categories, ["csrf"]);
        let wrong = answer(r#"{"id":9,"category":"nonsense"}"#, Detail::Verdict);
        assert!(
            wrong.error.is_some_and(|error| error.starts_with("not an event")),
            "named as what it tried to be"
        );
    }

    #[test]
    fn what_a_person_pastes_is_understood() {
        let rules = RuleSet::embedded();
        let cases = [
            ("GET /p?id=1%27%20OR%20%271%27=%271 HTTP/1.1\r\nHost: shop\r\n\r\n", TriedAs::Request),
            ("/p?id=1%27%20OR%20%271%27=%271", TriedAs::Request),
            ("https://shop.example/p?id=1' OR '1'='1", TriedAs::Request),
            (
                "POST /p HTTP/1.1\nContent-Type: application/x-www-form-urlencoded\n\nid=1%27%20OR%20%271%27=%271",
                TriedAs::Request,
            ),
            (r#"{"id":1,"method":"GET","uri":"/p?id=1' OR '1'='1"}"#, TriedAs::Request),
            (
                r#"{"category":"api_usage","http":{"method":"GET","path":"/p","query":"id=1' OR '1'='1"}}"#,
                TriedAs::Event,
            ),
            ("1' OR '1'='1", TriedAs::Value),
        ];
        for (text, tried_as) in cases {
            let told = super::tried(&rules, text).expect(text);
            assert_eq!(told.tried_as, tried_as, "{text:?}");
            assert!(told.findings.iter().any(|finding| finding.family.as_str() == "sqli"), "{text:?} fires");
            assert!(!told.fields.is_empty(), "{text:?} shows what was looked at");
        }
        // What is no well-formed request is a value, and none of it is passed over.
        for text in [
            "POST /login HTTP/1.1Host: aContent-Type: application/x-www-form-urlencodedu=a&p=<svg onload=alert(1)>",
            "GET /login HTTP/1.1\nHost: a\n<svg onload=alert(1)>",
        ] {
            let told = super::tried(&rules, text).expect(text);
            assert_eq!(told.tried_as, TriedAs::Value, "{text:?}");
            assert!(told.findings.iter().any(|finding| finding.family.as_str() == "xss"), "{text:?} fires");
        }
        // A target that holds ` HTTP/` itself, before its version.
        let spaced = super::tried(&rules, "GET /p?a= HTTP/x HTTP/1.1\nHost: a").expect("understood");
        assert_eq!(spaced.tried_as, TriedAs::Request);
        let calm = super::tried(&rules, "/products?page=2").expect("understood");
        assert!(calm.findings.is_empty());
        assert!(super::tried(&rules, r#"{"id": "#).is_err(), "broken JSON is told");
        let template = super::tried(&rules, "{{7*7}}").expect("a template is no object");
        assert_eq!(template.tried_as, TriedAs::Value);
        assert!(template.findings.iter().any(|finding| finding.family.as_str() == "ssti"));
    }

    #[test]
    fn every_line_gets_an_answer() {
        let attack =
            r#"{"id":"a","method":"GET","uri":"/p?id=1%27%20OR%20%271%27=%271","headers":{},"body":null}"#;
        let found = answer(attack, Detail::Findings);
        assert_eq!((found.detected, found.categories.as_slice()), (true, ["sqli"].as_slice()));
        assert!(
            found.findings.iter().all(|finding| finding.matched.is_some()),
            "each finding explains itself"
        );
        assert!(answer(attack, Detail::Verdict).findings.is_empty(), "only if asked for");
        assert!(!answer(r#"{"id":1,"uri":"/products?page=2"}"#, Detail::Verdict).detected);
        for kept in [
            r#"{"id":1,"uri":"/","headers":{"x-id":["7","1' OR '1'='1"],"x-n":7,"x-b":true,"x-0":null}}"#,
            r#"{"id":1,"uri":"/","headers":{"x-id":{"a":"1' OR '1'='1"}}}"#,
            r#"{"id":1,"uri":"/","body":{"a":"1' OR '1'='1"}}"#,
            r#"{"category":"api_usage","http":{"method":"GET","path":"/","headers":{"x-id":["1' OR '1'='1"]}}}"#,
        ] {
            let told = answer(kept, Detail::Verdict);
            assert_eq!(told.categories, ["sqli"], "what is no text is looked at: {kept} {:?}", told.error);
        }
        for broken in ["", "{", "7", r#"{"id":"x"}"#, "\u{0}", r#"{"id":"x","uri":5}"#] {
            let told = answer(broken, Detail::Verdict);
            assert!(told.error.is_some() && !told.detected, "{broken:?}");
        }
        assert_eq!(answer(r#"{"id":"x"}"#, Detail::Verdict).id, "x", "an id that can be read comes back");
    }

    /// What is nested without end or has headers without number is answered like anything else, and the id comes back.
    #[test]
    fn deep_and_large_lines_get_an_answer() {
        let deep = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n));
        for line in [
            format!(r#"{{"id":"x","uri":"/","body":{}}}"#, deep(100_000)),
            format!(r#"{{"id":"x","uri":"/","headers":{{"a":{}}}}}"#, deep(100_000)),
            format!(r#"{{"id":"x","category":"api_usage","details":{}}}"#, deep(100_000)),
        ] {
            let told = answer(&line, Detail::Verdict);
            assert!(!told.detected && told.id == "x", "{:?}", told.id);
            assert!(told.error.is_some_and(|error| error.contains("nested deeper")), "says why");
        }
        let told = answer(&format!(r#"{{"id":{},"uri":"/"}}"#, deep(100_000)), Detail::Verdict);
        assert!(told.error.is_some() && told.id.is_null(), "no id that could be told");
        // What nobody reads may be nested as it likes, and a body of text is looked at as text.
        for line in [
            format!(r#"{{"id":"x","uri":"/?q=1%27%20or%201=1--%20","other":{}}}"#, deep(100_000)),
            format!(r#"{{"id":"x","uri":"/?q=1%27%20or%201=1--%20","body":"{}"}}"#, deep(100_000)),
        ] {
            let told = answer(&line, Detail::Verdict);
            assert!(told.detected && told.error.is_none(), "{:?}", told.error);
        }
        let mut headers: serde_json::Map<String, serde_json::Value> =
            (0..20_000).map(|n| (format!("x-{n}"), "v'v".repeat(30).into())).collect();
        headers.insert("x-long".to_owned(), format!("{}1' or 1=1-- ", "v ".repeat(500_000)).into());
        let line = serde_json::json!({ "id": "x", "uri": "/", "headers": headers }).to_string();
        let told = answer(&line, Detail::Verdict);
        assert!(told.detected && told.truncated && told.error.is_none(), "{told:?}");
    }
}
