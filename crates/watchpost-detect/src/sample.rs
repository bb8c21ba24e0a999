//! Samples played: the events that they stand for, and whether rules keep what they promise.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Duration, TimeDelta, Utc};
use watchpost_model::event::{Category, Event, Http, Outcome, split_target};
use watchpost_model::finding::Finding;
use watchpost_model::ids::EventId;
use watchpost_model::place::Place;

use crate::engine::{Config, Engine};
use crate::rule::{Burst, City, RuleInfo, RuleKind, Sample, TrafficKind};
use crate::ruleset::RuleSet;

/// A Monday morning, 2026-03-02T10:00:00Z: when samples begin.
const START: TimeDelta = Duration::seconds(1_772_445_600);

fn start() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + START
}

/// A sample that a rule does not keep.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleFailure {
    /// The rule.
    pub rule_id: String,
    /// The sample.
    pub sample: Sample,
    /// It should have fired and did not; else the other way round.
    pub should_fire: bool,
    /// What it fired on, if it should not have.
    pub summary: Option<String>,
}

/// What testing rules came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SampleReport {
    /// Rules tested.
    pub rules: u64,
    /// Samples played.
    pub samples: u64,
    /// Rules without any sample.
    pub untested: u64,
    /// Samples that did not hold.
    pub failures: Vec<SampleFailure>,
}

impl RuleSet {
    /// Plays the samples of every rule that is on, or of the one with this id.
    #[must_use]
    pub fn test(self: &Arc<Self>, id: Option<&str>) -> SampleReport {
        let mut report = SampleReport::default();
        let wanted = self.rules().iter().filter(|rule| match id {
            Some(id) => rule.info.id == id,
            None => rule.enabled && rule.kind != RuleKind::Filter,
        });
        for rule in wanted {
            let info = &rule.info;
            let all = info.fires.iter().map(|sample| (sample, true));
            let all: Vec<_> = all.chain(info.near_misses.iter().map(|sample| (sample, false))).collect();
            if all.is_empty() {
                report.untested += 1;
                continue;
            }
            report.rules += 1;
            for (sample, should_fire) in all {
                report.samples += 1;
                let found = self.findings_of(info, sample);
                if found.is_empty() == should_fire {
                    report.failures.push(SampleFailure {
                        rule_id: info.id.clone(),
                        sample: sample.clone(),
                        should_fire,
                        summary: found.into_iter().next().map(|finding| finding.summary),
                    });
                }
            }
        }
        report
    }

    /// What a rule says of a sample, with all other rules beside it and without history.
    #[must_use]
    pub fn findings_of(self: &Arc<Self>, rule: &RuleInfo, sample: &Sample) -> Vec<Finding> {
        let mut engine = Engine::with_rules(Config::default(), Arc::clone(self));
        let events = sample.placed_events();
        let found =
            events.iter().flat_map(|(event, place)| engine.observe_at(event, place.as_ref(), event.at));
        found.filter(|finding| finding.rule_id == rule.id).collect()
    }
}

impl Sample {
    /// The events that it stands for, in order; the same ones each time.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.placed_events().into_iter().map(|(event, _)| event).collect()
    }

    /// As [`Sample::events`], with the places of their sources.
    #[must_use]
    pub fn placed_events(&self) -> Vec<(Event, Option<Place>)> {
        let mut http = Http {
            method: "GET".to_owned(),
            path: "/search".to_owned(),
            status: Some(200),
            ..Http::default()
        };
        let mut kind = "request";
        match self {
            Self::Value(value) => http.query = Some(format!("q={}", percent(value))),
            Self::Path(path) => http.path.clone_from(path),
            Self::UserAgent(agent) => {
                http.headers.insert("user-agent".to_owned(), agent.clone());
            }
            Self::Param { name, value } => http.query = Some(format!("{name}={}", percent(value))),
            Self::Headers(headers) => http.headers = lower(headers),
            Self::Post { headers, body } => {
                "POST".clone_into(&mut http.method);
                http.headers = lower(headers);
                http.body = Some(body.clone());
            }
            Self::Answer(body) => http.response_body = Some(body.clone()),
            Self::Kind(own) => kind = own,
            Self::Traffic(bursts) => return traffic(bursts),
        }
        let mut event = Event::new(id(start(), 0), start(), Category::ApiUsage, kind);
        event.source_ip = Some("198.51.100.7".to_owned());
        event.http = (!matches!(self, Self::Kind(_))).then_some(http);
        vec![(event, None)]
    }
}

fn id(at: DateTime<Utc>, n: u64) -> EventId {
    let mut seed = [7_u8; 16];
    seed[8..].copy_from_slice(&n.to_be_bytes());
    EventId::derived(at.timestamp_millis(), seed)
}

fn lower(headers: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect()
}

/// Everything percent-encoded but letters and digits.
fn percent(text: &str) -> String {
    let byte = |byte: u8| {
        if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.bytes().map(byte).collect()
}

fn traffic(bursts: &[Burst]) -> Vec<(Event, Option<Place>)> {
    let mut at = start();
    let mut events = Vec::new();
    for burst in bursts {
        for n in 0..burst.n_events {
            at += Duration::milliseconds(i64::from(burst.every_ms));
            events.push((one(burst, n, at, events.len() as u64), burst.from.map(place)));
        }
    }
    events
}

fn one(burst: &Burst, n: u32, at: DateTime<Utc>, index: u64) -> Event {
    let mut event = Event::new(id(at, index), at, Category::ApiUsage, "request");
    event.source_ip = (burst.n_sources > 0).then(|| {
        let network = u32::from(burst.network) + burst.from.map_or(0, |city| 40 + city as u32);
        let host = n % burst.n_sources;
        format!("203.{}.{}.{}", network, 113 + host / 250, host % 250 + 1)
    });
    event.actor = (burst.n_users > 0).then(|| format!("user{}", n % burst.n_users));
    event.session.clone_from(&burst.session);
    let numbered = |text: &str| text.replace("{}", &n.to_string());
    let mut http = None;
    match &burst.kind {
        TrafficKind::LoginFailure => {
            become_of(&mut event, Category::Authentication, "login_failure", Outcome::Failure)
        }
        TrafficKind::LoginRefused(reason) => {
            become_of(&mut event, Category::Authentication, "login_failure", Outcome::Failure);
            event.details = serde_json::json!({ "reason": reason });
        }
        TrafficKind::LoginSuccess => {
            become_of(&mut event, Category::Authentication, "login_success", Outcome::Success)
        }
        TrafficKind::Request(status) => http = Some(request("/", *status)),
        TrafficKind::Page(target, status) => http = Some(request(&numbered(target), *status)),
        TrafficKind::Denied(resource) => {
            become_of(&mut event, Category::Authorization, "permission_check", Outcome::Failure);
            event.resource = Some(numbered(resource));
        }
        TrafficKind::Allowed(resource) => {
            become_of(&mut event, Category::Authorization, "permission_check", Outcome::Success);
            event.resource = Some(numbered(resource));
        }
        TrafficKind::Grant(role, to) => {
            become_of(&mut event, Category::Configuration, "role_changed", Outcome::Success);
            event.details = serde_json::json!({ "role": role, "target_user": to });
        }
        TrafficKind::Revoke(role, to) => {
            become_of(&mut event, Category::Configuration, "role_removed", Outcome::Success);
            event.details = serde_json::json!({ "role": role, "target_user": to });
        }
        TrafficKind::Upload(mebibytes) => {
            become_of(&mut event, Category::DataAccess, "file_uploaded", Outcome::Success);
            event.details = serde_json::json!({ "bytes": u64::from(*mebibytes) << 20 });
        }
        TrafficKind::UploadRefused => {
            become_of(&mut event, Category::DataAccess, "file_upload", Outcome::Failure);
        }
        TrafficKind::Download(kibibytes) => {
            become_of(&mut event, Category::DataAccess, "record_exported", Outcome::Success);
            event.details = serde_json::json!({ "bytes": u64::from(*kibibytes) << 10 });
        }
        TrafficKind::Reported(kind) => {
            become_of(&mut event, Category::ApiUsage, kind, Outcome::Failure);
        }
    }
    if let Some(agent) = &burst.agent {
        let login = || Http { path: "/login".to_owned(), method: "POST".to_owned(), ..Http::default() };
        let http = http.get_or_insert_with(login);
        http.headers.insert("user-agent".to_owned(), agent.clone());
    }
    event.http = http;
    event
}

fn become_of(event: &mut Event, category: Category, kind: &str, outcome: Outcome) {
    event.category = category;
    kind.clone_into(&mut event.kind);
    event.outcome = outcome;
}

fn request(target: &str, status: u16) -> Http {
    let (path, query) = split_target(target);
    Http {
        method: "GET".to_owned(),
        path: path.to_owned(),
        query: query.map(|query| {
            let (name, value) = query.split_once('=').unwrap_or(("q", query));
            format!("{name}={}", percent(value))
        }),
        status: Some(status),
        ..Http::default()
    }
}

fn place(city: City) -> Place {
    let (country, name, lat, lon) = match city {
        City::Berlin => ("DE", "Berlin", 52.52, 13.405),
        City::Potsdam => ("DE", "Potsdam", 52.4, 13.06),
        City::Paris => ("FR", "Paris", 48.8566, 2.3522),
        City::NewYork => ("US", "New York", 40.7128, -74.006),
        City::Sydney => ("AU", "Sydney", -33.8688, 151.2093),
    };
    Place {
        country: Some(country.to_owned()),
        city: Some(name.to_owned()),
        lat: Some(lat),
        lon: Some(lon),
        ..Place::default()
    }
}
