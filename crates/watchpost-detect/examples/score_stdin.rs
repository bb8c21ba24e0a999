//! Reads one request a line and answers one line each, as `score.py` of the detection data wants it.

use std::collections::BTreeMap;
use std::io::{BufRead, Write};

use serde::Deserialize;
use watchpost_detect::inspect_request;

#[derive(Deserialize)]
struct Request {
    id: String,
    method: String,
    uri: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Option<String>,
}

fn main() -> std::io::Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let Ok(request) = serde_json::from_str::<Request>(&line?) else { continue };
        let verdict =
            inspect_request(&request.method, &request.uri, &request.headers, request.body.as_deref());
        let categories: Vec<&str> = verdict.categories.iter().map(|family| family.as_str()).collect();
        let rules: Vec<&str> = verdict.findings.iter().map(|finding| finding.rule_id.as_str()).collect();
        let answer = serde_json::json!({
            "id": request.id, "detected": verdict.is_detected(), "categories": categories, "rules": rules, "why": verdict.findings.first().map(|finding| &finding.summary),
        });
        writeln!(out, "{answer}")?;
    }
    out.flush()
}
