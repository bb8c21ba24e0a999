//! Detection over a log file, without a Redis or a database: what would open, told and forgotten.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::File;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use serde::Serialize;
use watchpost_detect as detect;
use watchpost_detect::enrich::{Assets, Knowledge, ThreatIndexBuilder, parse_threats};
use watchpost_ingest::{Import, ImportOptions, Importer, LogFormat, Parsed, open_reader};
use watchpost_model::enrichment::AssetRule;
use watchpost_model::event::{Entity, EntityKind, Event, Severity};
use watchpost_model::finding::{AttackFamily, CountedEvents, Finding};
use watchpost_model::place::Place;
use watchpost_model::risk::EntityHistory;
use watchpost_model::threat::ThreatMatch;

use crate::enrich::read_file;
use crate::error::{ErrorCode, OpError};

/// Bad lines that are told.
const BAD_LINES_MAX: usize = 10;
/// Different incidents that are told; findings beyond are counted.
const INCIDENTS_MAX: usize = 10_000;
/// Source addresses that are told of one incident.
const SOURCES_MAX: usize = 100;
/// Most that one behaviour's incidents follow at once.
const FOLLOWED_MAX: usize = 100_000;

/// What is known beyond the log; nothing of it is needed.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// Location file with countries or cities.
    pub city: Option<PathBuf>,
    /// Location file with networks.
    pub asn: Option<PathBuf>,
    /// Threat lists.
    pub threats: Vec<PathBuf>,
    /// How much a match of a list means, 0 to 100.
    pub threat_confidence: u8,
    /// What matters more or less.
    pub assets: Vec<AssetRule>,
}

impl Context {
    /// # Errors
    /// `Unavailable` for a file that cannot be read, `Validation` for one that cannot be used, with the flag in `field`.
    fn read(self, now: DateTime<Utc>) -> Result<Knowledge, OpError> {
        let location = |field: &str, path: Option<PathBuf>| {
            let Some(path) = path else { return Ok(None) };
            std::fs::metadata(&path).map_err(|error| OpError::unreadable(field, &path, error))?;
            read_file(&path).map(Some).map_err(|problem| OpError::invalid(field, problem))
        };
        let geo = detect::enrich::Geo { city: location("city", self.city)?, asn: location("asn", self.asn)? };
        let mut threats = ThreatIndexBuilder::new(now);
        for path in &self.threats {
            let bytes = std::fs::read(path).map_err(|error| OpError::unreadable("threats", path, error))?;
            let parsed = parse_threats(&bytes, None, None, now).map_err(|error| {
                OpError::invalid("threats", format!("cannot use {}: {error}", path.display()))
            })?;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            threats = threats.list(&name, self.threat_confidence, parsed.entries);
        }
        let threats = threats.build().ok_or_else(|| {
            OpError::invalid("threats", "the user agents of all lists together are too many")
        })?;
        let assets =
            Assets::new(self.assets).map_err(|error| OpError::invalid("asset", error.to_string()))?;
        Ok(Knowledge { geo: Arc::new(geo), threats: Arc::new(threats), assets: Arc::new(assets) })
    }
}

/// An incident that would open.
#[derive(Debug, Clone, Serialize)]
pub struct WouldOpen {
    /// The attack family.
    pub family: AttackFamily,
    /// The entity that its findings are grouped by.
    pub entity: Entity,
    /// Highest severity among its findings.
    pub severity: Severity,
    /// Highest risk among its findings, 0 to 100; `example.enrichment.risk` says why for the first of that risk.
    pub risk: u8,
    /// Findings.
    pub findings: u64,
    /// Event time of the first event that belongs to it: what a behaviour counted is part of it.
    pub first_seen: DateTime<Utc>,
    /// Event time of the last event that belongs to it; what goes on after a threshold does.
    pub last_seen: DateTime<Utc>,
    /// Where its events come from, at most 100 addresses.
    pub sources: BTreeSet<String>,
    /// The rules that fired, with how often.
    pub rules: BTreeMap<String, u64>,
    /// The finding with the highest risk, which explains itself.
    pub example: Finding,
}

/// A source address with incidents.
#[derive(Debug, Clone, Serialize)]
pub struct Source {
    /// The address as the log has it.
    pub address: String,
    /// Where it is, if a location file says so.
    pub place: Option<Place>,
    /// The threat lists that name it.
    pub threats: Vec<ThreatMatch>,
    /// Highest risk among its incidents.
    pub risk: u8,
    /// Highest severity among its incidents.
    pub severity: Severity,
    /// Families of its incidents.
    pub families: BTreeSet<AttackFamily>,
    /// Incidents.
    pub incidents: u64,
    /// Event time of the first event of its incidents.
    pub first_seen: DateTime<Utc>,
    /// Event time of the last event of its incidents.
    pub last_seen: DateTime<Utc>,
}

/// A line that could not be read.
#[derive(Debug, Clone, Serialize)]
pub struct BadLine {
    /// Its number, from 1 on.
    pub line: u64,
    /// What is wrong with it.
    pub reason: String,
    /// The line, made visible and cut.
    pub excerpt: String,
}

/// What a log holds.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Analysis {
    /// Events read.
    pub events: u64,
    /// Lines without an event of their own.
    pub skipped: u64,
    /// Lines that could not be read.
    pub bad: u64,
    /// The first ten of them.
    pub bad_lines: Vec<BadLine>,
    /// Events that came too late for behaviours to count them.
    pub late: u64,
    /// Events whose time lies too far ahead for behaviours to count them.
    pub future: u64,
    /// The sources of the incidents, riskiest first.
    pub sources: Vec<Source>,
    /// Most severe first, then by first event.
    pub incidents: Vec<WouldOpen>,
    /// Findings that are in none of `incidents`, because there were too many different ones.
    pub findings_left_out: u64,
}

/// Reads a log (`.gz` is unpacked) and runs `rules` over it by event time. Lines must be in about the order of time;
/// memory does not grow with the file.
///
/// # Errors
/// `Validation` when the format is unknown, not that of a single line, or `context` cannot be used; `Unavailable` when a
/// file cannot be read.
pub fn analyze(
    path: &Path,
    format: &str,
    rules: Arc<detect::RuleSet>,
    context: Context,
    now: DateTime<Utc>,
) -> Result<Analysis, OpError> {
    let format: LogFormat = format.parse().map_err(|error: watchpost_model::event::UnknownWord| {
        OpError::invalid("format", error.to_string())
    })?;
    let unreadable = |error: std::io::Error| OpError::unreadable("path", path, error);
    let reader = open_reader(File::open(path).map_err(unreadable)?).map_err(unreadable)?;
    let importer = Importer::new(format, ImportOptions::new(now, path.to_string_lossy()));
    let mut open = Open::new(rules, context.read(now)?, now);
    let mut analysis = Analysis::default();
    for item in Import::new(reader, 0, importer) {
        let (_, parsed) = item.map_err(|error| {
            OpError::new(
                ErrorCode::Unavailable,
                format!("cannot read {} to its end: {error}", path.display()),
            )
        })?;
        match parsed {
            Parsed::Skipped(_) => analysis.skipped += 1,
            Parsed::Bad { line_no, reason, excerpt } => {
                analysis.bad += 1;
                if analysis.bad_lines.len() < BAD_LINES_MAX {
                    analysis.bad_lines.push(BadLine { line: line_no, reason, excerpt });
                }
            }
            Parsed::Event(event) => {
                analysis.events += 1;
                open.observe(&event);
            }
        }
    }
    // Nothing found in what nobody could read is no good news.
    if let (0, Some(first)) = (analysis.events, analysis.bad_lines.first()) {
        let (n, BadLine { line, reason, excerpt }) = (analysis.bad, first);
        return Err(OpError::invalid(
            "format",
            format!("no line of {} is one of the format {format}: {n} bad lines", path.display()),
        )
        .hint(format!("line {line}: {reason}: {excerpt}")));
    }
    let counters = open.engine.counters();
    (analysis.late, analysis.future) = (counters.events_late_total, counters.events_future_total);
    (analysis.findings_left_out, analysis.sources) = (open.left_out, open.sources());
    analysis.incidents = open.incidents.into_values().collect();
    analysis.incidents.sort_by(|a, b| b.severity.cmp(&a.severity).then(a.first_seen.cmp(&b.first_seen)));
    Ok(analysis)
}

type Key = (AttackFamily, Entity);

/// What goes on after a behaviour's threshold, and belongs to its incident.
struct Followed {
    key: Key,
    rule_id: String,
    counted: CountedEvents,
    window: Duration,
}

/// The incidents of the log so far.
struct Open {
    engine: detect::Engine,
    knowledge: Knowledge,
    now: DateTime<Utc>,
    listed: HashSet<watchpost_model::ids::FindingId>,
    incidents: BTreeMap<Key, WouldOpen>,
    followed: BTreeMap<Entity, Vec<Followed>>,
    left_out: u64,
}

impl Open {
    fn new(rules: Arc<detect::RuleSet>, knowledge: Knowledge, now: DateTime<Utc>) -> Self {
        Self {
            engine: detect::Engine::with_rules(detect::Config::default(), rules),
            knowledge,
            now,
            listed: HashSet::new(),
            incidents: BTreeMap::new(),
            followed: BTreeMap::new(),
            left_out: 0,
        }
    }

    fn observe(&mut self, event: &Event) {
        // A damaged location file has no place for some addresses.
        let place = self.knowledge.place(event).ok().flatten();
        let mut findings = self.engine.observe_at(event, place.as_ref(), self.now);
        findings.extend(self.knowledge.listed(event));
        for mut finding in findings {
            if finding.rule_id == detect::enrich::LISTED_RULE && !self.listed.insert(finding.id) {
                continue;
            }
            self.knowledge.enrich(event, place.as_ref(), EntityHistory::default(), &mut finding);
            self.take(event, finding);
        }
        self.follow(event);
    }

    fn take(&mut self, event: &Event, finding: Finding) {
        let key = (finding.family, finding.entity.clone());
        if !self.incidents.contains_key(&key) && self.incidents.len() >= INCIDENTS_MAX {
            self.left_out += 1;
            return;
        }
        self.follow_on(&key, &finding);
        let counted = finding.counted.as_ref();
        let first = counted.map_or(finding.at, |counted| counted.from.min(finding.at));
        let last = counted.map_or(finding.at, |counted| counted.to.max(finding.at));
        let incident = self.incidents.entry(key).or_insert_with(|| WouldOpen {
            family: finding.family,
            entity: finding.entity.clone(),
            severity: finding.severity,
            risk: finding.risk,
            findings: 0,
            first_seen: first,
            last_seen: last,
            sources: BTreeSet::new(),
            rules: BTreeMap::new(),
            example: finding.clone(),
        });
        incident.severity = incident.severity.max(finding.severity);
        incident.findings += 1;
        incident.first_seen = incident.first_seen.min(first);
        incident.last_seen = incident.last_seen.max(last);
        *incident.rules.entry(finding.rule_id.clone()).or_default() += 1;
        let source = if finding.entity.kind == EntityKind::Ip {
            Some(finding.entity.value.clone())
        } else {
            event.source_ip.clone()
        };
        if incident.sources.len() < SOURCES_MAX {
            incident.sources.extend(source);
        }
        if finding.risk > incident.risk {
            incident.risk = finding.risk;
            incident.example = finding;
        }
    }

    /// The newest count of a rule takes the place of the one before.
    fn follow_on(&mut self, key: &Key, finding: &Finding) {
        let (Some(counted), Some(counter)) = (&finding.counted, &finding.counter) else { return };
        if self.followed.len() >= FOLLOWED_MAX && !self.followed.contains_key(&finding.entity) {
            return;
        }
        let all = self.followed.entry(finding.entity.clone()).or_default();
        all.retain(|one| one.rule_id != finding.rule_id);
        all.push(Followed {
            key: key.clone(),
            rule_id: finding.rule_id.clone(),
            counted: counted.clone(),
            window: Duration::seconds(counter.window_s.min(31 * 86_400).cast_signed()),
        });
    }

    /// An event within the window of what was counted before, and like it, belongs to the same incident.
    fn follow(&mut self, event: &Event) {
        if self.followed.is_empty() {
            return;
        }
        for (kind, value) in [
            (EntityKind::Ip, event.source_ip.as_deref()),
            (EntityKind::User, event.actor.as_deref()),
            (EntityKind::Session, event.session.as_deref()),
            (EntityKind::Endpoint, Some(event.endpoint())),
        ] {
            let Some(value) = value else { continue };
            for one in self.followed.get_mut(&Entity::new(kind, value)).into_iter().flatten() {
                if !one.goes_on_with(event) {
                    continue;
                }
                one.counted.to = one.counted.to.max(event.at);
                if let Some(incident) = self.incidents.get_mut(&one.key) {
                    incident.last_seen = incident.last_seen.max(event.at);
                    if incident.sources.len() < SOURCES_MAX {
                        incident.sources.extend(event.source_ip.clone());
                    }
                }
            }
        }
    }

    fn sources(&self) -> Vec<Source> {
        let mut all: BTreeMap<&str, Source> = BTreeMap::new();
        for incident in self.incidents.values() {
            for address in &incident.sources {
                let source = all.entry(address).or_insert_with(|| Source {
                    address: address.clone(),
                    place: self.place(address),
                    threats: self.knowledge.threats.value(address),
                    risk: 0,
                    severity: incident.severity,
                    families: BTreeSet::new(),
                    incidents: 0,
                    first_seen: incident.first_seen,
                    last_seen: incident.last_seen,
                });
                source.risk = source.risk.max(incident.risk);
                source.severity = source.severity.max(incident.severity);
                source.families.insert(incident.family);
                source.incidents += 1;
                source.first_seen = source.first_seen.min(incident.first_seen);
                source.last_seen = source.last_seen.max(incident.last_seen);
            }
        }
        let mut all: Vec<Source> = all.into_values().collect();
        all.sort_by(|a, b| {
            (b.risk, b.severity, b.incidents)
                .cmp(&(a.risk, a.severity, a.incidents))
                .then_with(|| a.address.cmp(&b.address))
        });
        all
    }

    fn place(&self, address: &str) -> Option<Place> {
        self.knowledge.geo.place(address.parse::<IpAddr>().ok()?).ok().flatten()
    }
}

impl Followed {
    fn goes_on_with(&self, event: &Event) -> bool {
        let counted = &self.counted;
        let status = event.http.as_ref().and_then(|http| http.status);
        counted.from <= event.at
            && event.at <= counted.to + self.window
            && counted.category.is_none_or(|category| category == event.category)
            && counted.outcome.is_none_or(|outcome| outcome == event.outcome)
            && counted
                .status
                .is_none_or(|(from, to)| status.is_some_and(|status| (from..=to).contains(&status)))
    }
}
