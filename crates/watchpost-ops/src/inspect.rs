//! Detection on single requests, without a workspace: a request in, a verdict out. Stateless, so it says nothing of
//! behaviours.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use watchpost_detect::{RuleSet, Verdict};
use watchpost_model::event::Event;
use watchpost_model::finding::Finding;

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
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Request body.
    #[serde(default)]
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
    if let Ok(request) = serde_json::from_str::<Request>(line) {
        let verdict =
            rules.inspect_request(&request.method, &request.uri, &request.headers, request.body.as_deref());
        return told(request.id, verdict, detail);
    }
    let (id, why) = match serde_json::from_str::<serde_json::Value>(line) {
        Err(error) => (serde_json::Value::Null, format!("not JSON: {error}")),
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
    Answer { id, detected: false, categories: Vec::new(), findings: Vec::new(), error: Some(why) }
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
        error: None,
    }
}

#[cfg(test)]
mod tests {
    use watchpost_detect::RuleSet;

    use super::{Answer, Detail};

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
        for broken in ["", "{", "7", r#"{"id":"x"}"#, "\u{0}", r#"{"id":"x","uri":5}"#] {
            let told = answer(broken, Detail::Verdict);
            assert!(told.error.is_some() && !told.detected, "{broken:?}");
        }
        assert_eq!(answer(r#"{"id":"x"}"#, Detail::Verdict).id, "x", "an id that can be read comes back");
    }
}
