//! Events for tests.

use chrono::{DateTime, Utc};
use watchpost_detect::{Burst, Sample};
use watchpost_model::event::{Category, Event, Http};
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

/// The events of traffic, in order.
pub(crate) fn traffic(bursts: &[Burst]) -> Vec<Event> {
    Sample::Traffic(bursts.to_vec()).events()
}
