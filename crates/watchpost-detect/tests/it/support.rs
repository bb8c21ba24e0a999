//! Events for tests.

use chrono::{DateTime, Duration, Utc};
use watchpost_detect::{Burst, Sample, TrafficKind};
use watchpost_model::event::{Category, Event, Http, Outcome};
use watchpost_model::ids::EventId;

pub(crate) fn start() -> DateTime<Utc> {
    "2026-03-02T10:00:00Z".parse().expect("a literal time")
}

pub(crate) fn id(at: DateTime<Utc>, n: u64) -> EventId {
    let mut seed = [7_u8; 16];
    seed[8..].copy_from_slice(&n.to_be_bytes());
    EventId::derived(at.timestamp_millis(), seed)
}

pub(crate) fn request(at: DateTime<Utc>, n: u64, path: &str, query: Option<&str>) -> Event {
    let mut event = Event::new(id(at, n), at, Category::ApiUsage, "request");
    event.source_ip = Some("198.51.100.7".to_owned());
    event.http = Some(Http {
        method: "GET".to_owned(),
        path: path.to_owned(),
        query: query.map(str::to_owned),
        status: Some(200),
        ..Http::default()
    });
    event
}

/// Everything percent-encoded but letters and digits.
pub(crate) fn percent(text: &str) -> String {
    text.bytes()
        .map(
            |byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            },
        )
        .collect()
}

/// The event of a signature sample; `None` for traffic.
pub(crate) fn sample_event(sample: Sample) -> Option<Event> {
    let mut event = request(start(), 0, "/search", None);
    let http = event.http.as_mut().expect("a request has one");
    match sample {
        Sample::Value(value) => http.query = Some(format!("q={}", percent(value))),
        Sample::Path(path) => http.path = path.to_owned(),
        Sample::UserAgent(agent) => {
            http.headers.insert("user-agent".to_owned(), agent.to_owned());
        }
        Sample::Param(name, value) => http.query = Some(format!("{name}={}", percent(value))),
        Sample::Headers(headers) => add_headers(http, headers),
        Sample::Post(headers, body) => {
            http.method = "POST".to_owned();
            add_headers(http, headers);
            http.body = Some(body.to_owned());
        }
        Sample::Answer(body) => http.response_body = Some(body.to_owned()),
        Sample::Kind(kind) => {
            event.kind = kind.to_owned();
            event.http = None;
        }
        Sample::Traffic(_) => return None,
    }
    Some(event)
}

fn add_headers(http: &mut Http, headers: &[(&str, &str)]) {
    http.headers.extend(headers.iter().map(|&(name, value)| (name.to_ascii_lowercase(), value.to_owned())));
}

/// The events of traffic, in order.
pub(crate) fn traffic(bursts: &[Burst]) -> Vec<Event> {
    let mut at = start();
    let mut events = Vec::new();
    for burst in bursts {
        for n in 0..burst.n_events {
            at += Duration::milliseconds(i64::from(burst.every_ms));
            events.push(one(burst, n, at, events.len() as u64));
        }
    }
    events
}

fn one(burst: &Burst, n: u32, at: DateTime<Utc>, index: u64) -> Event {
    let (category, kind, outcome) = match burst.kind {
        TrafficKind::LoginFailure => (Category::Authentication, "login_failure", Outcome::Failure),
        TrafficKind::LoginSuccess => (Category::Authentication, "login_success", Outcome::Success),
        TrafficKind::Request(_) => (Category::ApiUsage, "request", Outcome::Unknown),
    };
    let mut event = Event::new(id(at, index), at, category, kind);
    event.outcome = outcome;
    event.source_ip = (burst.n_sources > 0).then(|| format!("203.0.113.{}", n % burst.n_sources + 1));
    event.actor = (burst.n_users > 0).then(|| format!("user{}", n % burst.n_users));
    if let TrafficKind::Request(status) = burst.kind {
        event.http = Some(Http { path: "/".to_owned(), status: Some(status), ..Http::default() });
    }
    event
}
