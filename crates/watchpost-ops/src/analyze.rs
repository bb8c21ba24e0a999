//! Detection over a log file: what would open, told and forgotten. It needs no Redis and no database; where there is a
//! workspace, its rules, thresholds, suppressions and what it knows of addresses are the basis.

mod basis;
mod ordered;
mod recent;

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
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
use watchpost_model::ids::EventId;
use watchpost_model::place::Place;
use watchpost_model::threat::ThreatMatch;

use self::basis::Histories;
pub use self::basis::{Basis, BasisTold};
use self::ordered::{Next, Ordered};
use self::recent::{Recent, is_alike};
use crate::enrich::read_file;
use crate::error::{ErrorCode, OpError};
use crate::hidden::Hidden;

/// Bad lines that are told.
const BAD_LINES_MAX: usize = 10;
/// Ids that are remembered to tell an event that comes again.
const SEEN_MAX: usize = 1_000_000;
/// Different incidents that are told; findings beyond are counted.
const INCIDENTS_MAX: usize = 10_000;
/// Source addresses that are told of one incident.
const SOURCES_MAX: usize = 100;
/// Most that one behaviour's incidents follow at once.
const FOLLOWED_MAX: usize = 100_000;
/// Events of all incidents that are told apart; what comes after them is not counted any more.
const MEMBERS_MAX: usize = 1_000_000;

/// What is known beyond the log by files and flags; nothing of it is needed. What is given takes the place of what the
/// basis says of the same.
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
    fn over(self, known: Knowledge, now: DateTime<Utc>) -> Result<Knowledge, OpError> {
        let location = |field: &str, path: Option<PathBuf>| {
            let Some(path) = path else { return Ok(None) };
            std::fs::metadata(&path).map_err(|error| OpError::unreadable(field, &path, error))?;
            read_file(&path).map(Some).map_err(|problem| OpError::invalid(field, problem))
        };
        let (city, asn) = (location("city", self.city)?, location("asn", self.asn)?);
        let mut all = known;
        if city.is_some() || asn.is_some() {
            all.geo = Arc::new(detect::enrich::Geo { city, asn });
        }
        if !self.threats.is_empty() {
            let mut threats = ThreatIndexBuilder::new(now);
            for path in &self.threats {
                let bytes =
                    std::fs::read(path).map_err(|error| OpError::unreadable("threats", path, error))?;
                let parsed = parse_threats(&bytes, None, None, now).map_err(|error| {
                    OpError::invalid("threats", format!("cannot use {}: {error}", path.display()))
                })?;
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                threats = threats.list(&name, self.threat_confidence, parsed.entries);
            }
            let threats = threats.build().ok_or_else(|| {
                OpError::invalid("threats", "the user agents of all lists together are too many")
            })?;
            all.threats = Arc::new(threats);
        }
        if !self.assets.is_empty() {
            let assets =
                Assets::new(self.assets).map_err(|error| OpError::invalid("asset", error.to_string()))?;
            all.assets = Arc::new(assets);
        }
        Ok(all)
    }
}

/// From when to when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Span {
    /// Event time of the first event.
    pub first_seen: DateTime<Utc>,
    /// Event time of the last event.
    pub last_seen: DateTime<Utc>,
}

impl Span {
    fn widen(&mut self, at: DateTime<Utc>) {
        self.first_seen = self.first_seen.min(at);
        self.last_seen = self.last_seen.max(at);
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
    /// Different events that belong to it: those that findings name, and those that a behaviour or a correlation counted,
    /// as far as they are among the newest 200,000; at most a million over all incidents.
    pub events: u64,
    /// Event time of the first event that belongs to it: what a behaviour or a correlation counted is part of it.
    pub first_seen: DateTime<Utc>,
    /// Event time of the last event that belongs to it; what goes on after a threshold does.
    pub last_seen: DateTime<Utc>,
    /// Where its events come from, at most 100 addresses, each with when it was seen.
    pub sources: BTreeMap<String, Span>,
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
    /// Event time of its first event in them.
    pub first_seen: DateTime<Utc>,
    /// Event time of its last event in them.
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
    /// What it was analysed with.
    pub basis: BasisTold,

    /// Events read.
    pub events: u64,
    /// Lines without an event of their own.
    pub skipped: u64,
    /// Lines that could not be read.
    pub bad: u64,
    /// The first ten of them.
    pub bad_lines: Vec<BadLine>,
    /// Events that were there already, by their id: they add nothing.
    pub repeated: u64,
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
    /// Findings that suppressions of the workspace hide.
    pub findings_hidden: u64,
}

/// Reads a log (`.gz` is unpacked) and runs the rules of `basis` over it by event time. Lines may come up to
/// ten minutes late in any order; memory does not grow with the file.
///
/// # Errors
/// `Validation` when the format is unknown, not that of a single line, or `context` cannot be used; `Unavailable` when a
/// file cannot be read.
pub fn analyze(
    path: &Path,
    format: &str,
    basis: Basis,
    context: Context,
    now: DateTime<Utc>,
) -> Result<Analysis, OpError> {
    let format: LogFormat = format.parse().map_err(|error: watchpost_model::event::UnknownWord| {
        OpError::invalid("format", error.to_string())
    })?;
    let unreadable = |error: std::io::Error| OpError::unreadable("path", path, error);
    let reader = open_reader(File::open(path).map_err(unreadable)?).map_err(unreadable)?;
    let importer = Importer::new(format, ImportOptions::new(now, path.to_string_lossy()));
    let mut analysis = Analysis { basis: basis.told.clone(), ..Analysis::default() };
    let mut open = Open::new(basis, context, now)?;
    let mut seen = Seen::default();
    let mut ordered = Ordered::new(open.engine.config(), now);
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
                if !seen.is_new(event.id) {
                    analysis.repeated += 1;
                    continue;
                }
                for next in ordered.push(*event) {
                    open.observe(&next)?;
                }
            }
        }
    }
    for event in ordered.rest() {
        open.observe(&Next::Due(event))?;
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
    (analysis.findings_left_out, analysis.findings_hidden) = (open.left_out, open.n_hidden);
    analysis.sources = open.sources();
    analysis.incidents = open.told();
    analysis.incidents.sort_by(|a, b| b.severity.cmp(&a.severity).then(a.first_seen.cmp(&b.first_seen)));
    Ok(analysis)
}

/// The newest ids: an event that comes a second time adds nothing, as in the archive.
#[derive(Default)]
struct Seen {
    ids: HashSet<EventId>,
    order: VecDeque<EventId>,
}

impl Seen {
    fn is_new(&mut self, id: EventId) -> bool {
        if !self.ids.insert(id) {
            return false;
        }
        self.order.push_back(id);
        if self.order.len() > SEEN_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}

impl WouldOpen {
    fn seen_from(&mut self, source: &str, at: DateTime<Utc>) {
        if let Some(seen) = self.sources.get_mut(source) {
            seen.widen(at);
        } else if self.sources.len() < SOURCES_MAX {
            self.sources.insert(source.to_owned(), Span { first_seen: at, last_seen: at });
        }
    }
}

type Key = (AttackFamily, Entity);

/// The events of each incident.
#[derive(Default)]
struct Members {
    of: BTreeMap<Key, HashSet<EventId>>,
    n: usize,
}

impl Members {
    fn add(&mut self, key: &Key, id: EventId) {
        if self.n >= MEMBERS_MAX {
            return;
        }
        if let Some(known) = self.of.get_mut(key) {
            self.n += usize::from(known.insert(id));
        } else {
            self.of.insert(key.clone(), HashSet::from([id]));
            self.n += 1;
        }
    }
}

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
    hidden: Hidden,
    histories: Histories,
    recent: Recent,
    now: DateTime<Utc>,
    listed: HashSet<watchpost_model::ids::FindingId>,
    incidents: BTreeMap<Key, WouldOpen>,
    members: Members,
    followed: BTreeMap<Entity, Vec<Followed>>,
    left_out: u64,
    n_hidden: u64,
}

impl Open {
    fn new(basis: Basis, context: Context, now: DateTime<Utc>) -> Result<Self, OpError> {
        Ok(Self {
            engine: detect::Engine::with_rules(detect::Config::default(), basis.rules),
            knowledge: context.over(basis.knowledge, now)?,
            hidden: basis.hidden,
            histories: basis.histories,
            recent: Recent::default(),
            now,
            listed: HashSet::new(),
            incidents: BTreeMap::new(),
            members: Members::default(),
            followed: BTreeMap::new(),
            left_out: 0,
            n_hidden: 0,
        })
    }

    fn observe(&mut self, next: &Next) -> Result<(), OpError> {
        let (Next::Due(event) | Next::Late(event)) = next;
        self.recent.push(event);
        // A damaged location file has no place for some addresses.
        let place = self.knowledge.place(event).ok().flatten();
        let mut findings = match next {
            Next::Due(event) => self.engine.observe_at(event, place.as_ref(), self.now),
            Next::Late(event) => self.engine.observe_late(event, self.now),
        };
        findings.extend(self.knowledge.listed(event));
        for mut finding in findings {
            if finding.rule_id == detect::enrich::LISTED_RULE && !self.listed.insert(finding.id) {
                continue;
            }
            if self.hidden.covers(&finding, event) {
                self.n_hidden += 1;
                continue;
            }
            let history = self.histories.of(&finding.entity)?;
            self.knowledge.enrich(event, place.as_ref(), history, &mut finding);
            self.take(event, finding);
        }
        self.follow(event);
        Ok(())
    }

    fn take(&mut self, event: &Event, finding: Finding) {
        let key = (finding.family, finding.entity.clone());
        if !self.incidents.contains_key(&key) && self.incidents.len() >= INCIDENTS_MAX {
            self.left_out += 1;
            return;
        }
        self.follow_on(&key, &finding);
        let behind = self.recent.behind(&finding);
        let counted = finding.counted.iter().flat_map(|counted| [counted.from, counted.to]);
        let (first, last) = behind
            .iter()
            .map(|past| past.at)
            .chain(counted)
            .fold((finding.at, finding.at), |(first, last), at| (first.min(at), last.max(at)));
        self.members.add(&key, event.id);
        behind.iter().for_each(|past| self.members.add(&key, past.id));
        let incident = self.incidents.entry(key).or_insert_with(|| WouldOpen {
            family: finding.family,
            entity: finding.entity.clone(),
            severity: finding.severity,
            risk: finding.risk,
            findings: 0,
            events: 0,
            first_seen: first,
            last_seen: last,
            sources: BTreeMap::new(),
            rules: BTreeMap::new(),
            example: finding.clone(),
        });
        incident.severity = incident.severity.max(finding.severity);
        incident.findings += 1;
        incident.first_seen = incident.first_seen.min(first);
        incident.last_seen = incident.last_seen.max(last);
        *incident.rules.entry(finding.rule_id.clone()).or_default() += 1;
        if finding.entity.kind == EntityKind::Ip {
            incident.seen_from(&finding.entity.value, first);
            incident.seen_from(&finding.entity.value, last);
        } else {
            if let Some(source) = &event.source_ip {
                incident.seen_from(source, event.at);
            }
            for past in &behind {
                if let Some(source) = past.source {
                    incident.seen_from(source, past.at);
                }
            }
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
                    self.members.add(&one.key, event.id);
                    incident.last_seen = incident.last_seen.max(event.at);
                    if let Some(source) = &event.source_ip {
                        incident.seen_from(source, event.at);
                    }
                }
            }
        }
    }

    /// The incidents with how many events they have.
    fn told(self) -> Vec<WouldOpen> {
        let Self { incidents, members, .. } = self;
        let n_of = |key: &Key| members.of.get(key).map_or(0, |known| known.len() as u64);
        incidents.into_iter().map(|(key, incident)| WouldOpen { events: n_of(&key), ..incident }).collect()
    }

    fn sources(&self) -> Vec<Source> {
        let mut all: BTreeMap<&str, Source> = BTreeMap::new();
        for incident in self.incidents.values() {
            for (address, seen) in &incident.sources {
                let source = all.entry(address).or_insert_with(|| Source {
                    address: address.clone(),
                    place: self.place(address),
                    threats: self.knowledge.threats.value(address),
                    risk: 0,
                    severity: incident.severity,
                    families: BTreeSet::new(),
                    incidents: 0,
                    first_seen: seen.first_seen,
                    last_seen: seen.last_seen,
                });
                source.risk = source.risk.max(incident.risk);
                source.severity = source.severity.max(incident.severity);
                source.families.insert(incident.family);
                source.incidents += 1;
                source.first_seen = source.first_seen.min(seen.first_seen);
                source.last_seen = source.last_seen.max(seen.last_seen);
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
        counted.from <= event.at && event.at <= counted.to + self.window && is_alike(counted, event)
    }
}
