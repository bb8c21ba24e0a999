//! Detection on single requests, without a workspace: a request in, a verdict out. Stateless, so it says nothing of
//! behaviours.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use watchpost_detect::RuleSet;
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

/// What `rules` say of the request in one line. A line that is no request gets an answer that says so; it never fails.
#[must_use]
pub fn answer(rules: &RuleSet, line: &str, detail: Detail) -> Answer {
    let request: Request = match serde_json::from_str(line) {
        Ok(request) => request,
        Err(error) => {
            let id = serde_json::from_str::<serde_json::Value>(line)
                .ok()
                .and_then(|value| value.get("id").cloned());
            return Answer {
                id: id.unwrap_or_default(),
                detected: false,
                categories: Vec::new(),
                findings: Vec::new(),
                error: Some(format!("not a request: {error}")),
            };
        }
    };
    let verdict =
        rules.inspect_request(&request.method, &request.uri, &request.headers, request.body.as_deref());
    Answer {
        id: request.id,
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
