//! Elastic Common Schema documents, nested (`{"event":{"action":...}}`) or dotted (`{"event.action":...}`).

use chrono::{DateTime, Utc};
use serde_json::Value;
use watchpost_model::event::{Category, Event, Http, Outcome, Severity, canonical_address, split_target};
use watchpost_model::ids::EventId;

use crate::importer::Reading;

pub(crate) fn read(text: &str) -> Reading {
    let document: Value = match serde_json::from_str(text) {
        Ok(document) => document,
        Err(error) => return Reading::Bad(format!("not JSON: {error}")),
    };
    // What Elasticsearch returns and what bulk files hold wraps the document.
    let document = document.get("_source").unwrap_or(&document);
    if !document.is_object() {
        return Reading::Bad("not a JSON object".to_owned());
    }
    if document.get("index").or_else(|| document.get("create")).is_some_and(Value::is_object)
        && field(document, "@timestamp").is_none()
    {
        return Reading::Skipped("bulk action line");
    }
    let Some(at) = field(document, "@timestamp").and_then(time) else {
        return Reading::Bad("no @timestamp that is a time".to_owned());
    };
    let id = string(document, "event.id").and_then(|id| id.parse::<EventId>().ok());
    let has_id = id.is_some();
    let http = http(document);
    let category = category(document, http.is_some());
    let outcome = string(document, "event.outcome").and_then(|word| word.parse().ok());
    let mut event = Event::new(id.unwrap_or(EventId::derived(0, [0; 16])), at, category, String::new());
    event.outcome = outcome.unwrap_or_else(|| match http.as_ref().and_then(|http| http.status) {
        Some(200..=399) => Outcome::Success,
        Some(400..=599) => Outcome::Failure,
        _ => Outcome::Unknown,
    });
    event.kind = kind(document, &event, http.is_some());
    event.severity = severity(document);
    event.actor = string(document, "user.name").or_else(|| string(document, "user.id"));
    event.source_ip = ["source.ip", "client.ip", "source.address", "client.address"]
        .iter()
        .find_map(|name| string(document, name))
        .map(|ip| canonical_address(&ip));
    event.session = string(document, "session.id").or_else(|| string(document, "transaction.id"));
    event.resource = ["file.path", "url.domain", "service.name", "host.name"]
        .iter()
        .find_map(|name| string(document, name));
    if http.is_some() {
        event.resource = None;
    }
    event.action = string(document, "event.action");
    event.tags = strings(document, "tags");
    event.risk = number(document, "event.risk_score").map(|risk| u8::try_from(risk.min(100)).unwrap_or(100));
    if let Some(message) = string(document, "message") {
        event.details = serde_json::json!({ "message": message });
    }
    event.set_count(number(document, "event.count").unwrap_or(1));
    event.http = http;
    Reading::Event { event: Box::new(event), has_id }
}

/// The value at a dotted path, whichever of its dots are nesting.
fn field<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    if let Some(value) = document.get(path) {
        return Some(value);
    }
    path.match_indices('.').find_map(|(dot, _)| field(document.get(&path[..dot])?, &path[dot + 1..]))
}

fn string(document: &Value, path: &str) -> Option<String> {
    let value = match field(document, path)? {
        Value::Array(values) => values.first()?,
        value => value,
    };
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn strings(document: &Value, path: &str) -> Vec<String> {
    match field(document, path) {
        Some(Value::Array(values)) => {
            values.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect()
        }
        Some(Value::String(text)) => vec![text.clone()],
        _ => Vec::new(),
    }
}

fn number(document: &Value, path: &str) -> Option<u64> {
    match field(document, path)? {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "scores may be written as floats; `as` saturates"
        )]
        Value::Number(number) => number.as_u64().or_else(|| number.as_f64().map(|float| float as u64)),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn time(value: &Value) -> Option<DateTime<Utc>> {
    match value {
        Value::String(text) => DateTime::parse_from_rfc3339(text).ok().map(|at| at.with_timezone(&Utc)),
        Value::Number(ms) => DateTime::from_timestamp_millis(ms.as_i64()?),
        _ => None,
    }
}

fn category(document: &Value, has_http: bool) -> Category {
    let words = strings(document, "event.category");
    let has = |names: &[&str]| words.iter().any(|word| names.contains(&word.as_str()));
    if has(&["authentication"]) {
        Category::Authentication
    } else if has(&["iam"]) {
        Category::Authorization
    } else if has(&["configuration", "package", "registry", "driver"]) {
        Category::Configuration
    } else if has(&["web", "api", "network"]) || has_http {
        Category::ApiUsage
    } else if has(&["database", "file", "email", "library"]) {
        Category::DataAccess
    } else {
        Category::ApiUsage
    }
}

fn kind(document: &Value, event: &Event, has_http: bool) -> String {
    let action = string(document, "event.action").unwrap_or_default();
    if event.category == Category::Authentication {
        let is_login = action.is_empty()
            || ["log", "auth", "sign", "ssh"].iter().any(|word| action.to_lowercase().contains(word));
        match event.outcome {
            Outcome::Failure if is_login => return "login_failure".to_owned(),
            Outcome::Success if is_login && !action.to_lowercase().contains("logout") => {
                return "login_success".to_owned();
            }
            _ => {}
        }
    }
    match snake(&action) {
        word if !word.is_empty() => word,
        _ if has_http => "request".to_owned(),
        _ => string(document, "event.dataset").map_or_else(|| "event".to_owned(), |word| snake(&word)),
    }
}

fn snake(text: &str) -> String {
    let words = text
        .chars()
        .take(64)
        .map(|ch| if ch.is_ascii_alphanumeric() { ch.to_ascii_lowercase() } else { '_' });
    words.collect::<String>().split('_').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_")
}

fn severity(document: &Value) -> Severity {
    if let Some(level) = string(document, "log.level") {
        match level.to_ascii_lowercase().as_str() {
            "emergency" | "emerg" | "alert" | "critical" | "crit" | "fatal" => return Severity::Critical,
            "error" | "err" => return Severity::Medium,
            "warning" | "warn" => return Severity::Low,
            "info" | "notice" | "debug" | "trace" => return Severity::Info,
            _ => {}
        }
    }
    // The scale of Elastic's own rules: 21 low, 47 medium, 73 high, 99 critical.
    match number(document, "event.severity") {
        Some(90..) => Severity::Critical,
        Some(70..=89) => Severity::High,
        Some(40..=69) => Severity::Medium,
        Some(10..=39) => Severity::Low,
        _ => Severity::Info,
    }
}

fn http(document: &Value) -> Option<Http> {
    let method = string(document, "http.request.method");
    let status = number(document, "http.response.status_code").and_then(|status| u16::try_from(status).ok());
    let original = string(document, "url.original").or_else(|| string(document, "url.full"));
    let path = string(document, "url.path");
    if method.is_none() && status.is_none() && original.is_none() && path.is_none() {
        return None;
    }
    let (mut http_path, mut query) = (path.unwrap_or_default(), string(document, "url.query"));
    if let Some(original) = original {
        let target = original
            .split_once("://")
            .map_or(original.as_str(), |(_, rest)| rest.find('/').map_or("/", |at| &rest[at..]));
        let (path, raw_query) = split_target(target);
        path.clone_into(&mut http_path);
        query = raw_query.map(str::to_owned).or(query);
    }
    let mut http = Http {
        method: method.unwrap_or_default().to_ascii_uppercase(),
        path: http_path,
        query,
        body: string(document, "http.request.body.content"),
        response_body: string(document, "http.response.body.content"),
        status,
        bytes: number(document, "http.response.body.bytes")
            .or_else(|| number(document, "http.response.bytes")),
        duration_ms: number(document, "event.duration").map(|ns| ns / 1_000_000),
        ..Http::default()
    };
    for (name, path) in
        [("user-agent", "user_agent.original"), ("referer", "http.request.referrer"), ("host", "url.domain")]
    {
        if let Some(value) = string(document, path) {
            http.headers.insert(name.to_owned(), value);
        }
    }
    Some(http)
}
