//! One request or one value by itself: no state, no counting.

use std::collections::BTreeMap;

use chrono::DateTime;
use watchpost_model::event::{Category, Event, Http};
use watchpost_model::finding::{AttackFamily, Finding};
use watchpost_model::ids::EventId;

use crate::check::TokenKeys;
use crate::decode::{Encoding, layers};
use crate::fields::{Field, Fields, Role, fields};
use crate::signature::Signatures;

/// What the signatures say of one request.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The families that matched, each once, in the order of their declaration.
    pub categories: Vec<AttackFamily>,
    /// One finding a rule.
    pub findings: Vec<Finding>,
}

impl Verdict {
    fn of(findings: Vec<Finding>) -> Self {
        let has = |family: &AttackFamily| findings.iter().any(|finding| finding.family == *family);
        Self { categories: AttackFamily::ALL.iter().copied().filter(has).collect(), findings }
    }

    /// Did any signature match?
    #[must_use]
    pub fn is_detected(&self) -> bool {
        !self.findings.is_empty()
    }
}

fn blank_event() -> Event {
    Event::new(EventId::derived(0, [0; 16]), DateTime::UNIX_EPOCH, Category::ApiUsage, "request")
}

/// Looks at one request. `uri` is the raw request target; header names are taken in any case.
///
/// The findings carry the nil time and are grouped by the endpoint: they explain, they are not for storing.
#[must_use]
pub fn inspect_request(
    method: &str,
    uri: &str,
    headers: &BTreeMap<String, String>,
    body: Option<&str>,
) -> Verdict {
    let (path, query) = match uri.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (uri, None),
    };
    let mut event = blank_event();
    event.http = Some(Http {
        method: method.to_owned(),
        path: path.to_owned(),
        query,
        headers: headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect(),
        body: body.map(str::to_owned),
        ..Http::default()
    });
    Verdict::of(Signatures::shared().findings(&event, &fields(&event), &TokenKeys::default()))
}

/// Looks at one event: signatures alone.
#[must_use]
pub fn inspect_event(event: &Event) -> Verdict {
    Verdict::of(Signatures::shared().findings(event, &fields(event), &TokenKeys::default()))
}

/// Hands every text that the signatures look at to `each`: every value of the event in every decoded form.
///
/// What it costs is the floor of any detector that decodes; benchmarks compare with it.
pub fn for_each_decoded(event: &Event, each: &mut dyn FnMut(&str)) {
    for field in fields(event).all.iter().filter(|field| field.role.is_request()) {
        for layer in layers(field.value, field.encoding) {
            each(&layer.text);
        }
    }
}

/// Looks at one value as an application reads it (already decoded once).
#[must_use]
pub fn inspect_value(value: &str) -> Verdict {
    let event = blank_event();
    let field = Field { base: "value", key: None, value, encoding: Encoding::Plain, role: Role::Value };
    Verdict::of(Signatures::shared().findings(
        &event,
        &Fields { all: vec![field], n_dropped: 0 },
        &TokenKeys::default(),
    ))
}
