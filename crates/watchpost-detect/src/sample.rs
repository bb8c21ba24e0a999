//! Samples played: the events that they stand for, and whether rules keep what they promise.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Duration, TimeDelta, Utc};
use watchpost_model::event::{Category, Event, Http, Outcome};
use watchpost_model::finding::Finding;
use watchpost_model::ids::EventId;

use crate::engine::{Config, Engine};
use crate::rule::{Burst, RuleInfo, RuleKind, Sample, TrafficKind};
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
        let events = sample.events();
        let found = events.iter().flat_map(|event| engine.observe(event, event.at));
        found.filter(|finding| finding.rule_id == rule.id).collect()
    }
}

impl Sample {
    /// The events that it stands for, in order; the same ones each time.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
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
        vec![event]
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

fn traffic(bursts: &[Burst]) -> Vec<Event> {
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
