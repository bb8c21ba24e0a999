//! The incidents that a batch works on, from finding or opening them to writing them back.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use watchpost_model::event::{Entity, Event, Outcome, Severity};
use watchpost_model::finding::{AttackFamily, Finding};
use watchpost_model::ids::{EventId, IncidentId};
use watchpost_model::incident::{Incident, Status, Verdict};

use super::{IngestOutcome, chain, span};
use crate::canonical::to_canonical;
use crate::engine::{Row, Tx, Value, args};
use crate::error::StoreError;
use crate::event::{key_text, rank, severity_of};
use crate::incident::{self, LINKED, Linked, Own};
use crate::risk::Gains;

/// With so many findings an incident is one step more severe than the worst of them: whoever goes on like that is at work.
/// Critical only where something of it worked: a scanner that finds nothing makes many findings too.
const GROWN: u64 = 100;

/// An incident that a batch works on: that of a finding's own group, also while it is merged into another one, so that
/// splitting takes along what came meanwhile. While it is merged or others are merged into it, `incident` tells of its
/// own part only.
pub(super) struct Work {
    pub(super) incident: Incident,
    is_new: bool,
    /// What it is merged into, over all steps; itself if it is not.
    pub(super) root: IncidentId,
    /// What the row of the root says while incidents are merged; their part of the severity is not raised again.
    whole: Option<Severity>,
    /// Are others merged into it?
    has_others: bool,
    /// The verdict of the root, which all merged ones follow.
    verdict: Verdict,
    rules: HashSet<String>,
    pub(super) findings: Vec<Finding>,
    /// The events that completed them.
    events: Vec<Event>,
    timeline: Vec<(&'static str, String)>,
    /// Did the severity rise? Then a pause ends.
    risen: bool,
    /// Was it called after a finding that is less severe than a later one?
    is_renamed: bool,
    /// Did an event of its findings work? Known while there are fewer than [`GROWN`].
    has_worked: bool,
}

impl Work {
    fn take(&mut self, finding: &Finding, event: &Event) {
        let incident = &mut self.incident;
        incident.finding_count += 1;
        incident.confidence = incident.confidence.max(finding.confidence);
        incident.risk = incident.risk.max(finding.risk);
        incident.first_seen = incident.first_seen.min(finding.at);
        incident.last_seen = incident.last_seen.max(finding.at);
        for technique in &finding.attack {
            if !incident.attack.contains(technique) {
                incident.attack.push(technique.clone());
            }
        }
        if self.rules.insert(finding.rule_id.clone()) {
            self.timeline.push(("finding", format!("{}: {}", finding.rule_id, finding.summary)));
        }
        if finding.severity > self.incident.severity && finding.family == AttackFamily::AccountTakeover {
            self.incident.title = incident::title(finding);
            self.is_renamed = true;
        }
        self.raise(finding.severity, &finding.rule_id);
        self.has_worked |= has_worked(event);
        if self.incident.finding_count == GROWN
            && let Ok(next) = severity_of(rank(self.incident.severity) + 1)
            && (next < Severity::Critical || self.has_worked)
        {
            self.raise(next, &format!("{GROWN} findings"));
        }
        self.findings.push(finding.clone());
        if self.events.iter().all(|known| known.id != event.id) {
            self.events.push(event.clone());
        }
    }

    /// Raises the severity, if it is lower, and says why.
    pub(super) fn raise(&mut self, severity: Severity, by: &str) {
        let incident = &mut self.incident;
        if severity <= incident.severity {
            return;
        }
        let before = self.whole.unwrap_or(incident.severity).max(incident.severity);
        incident.severity = severity;
        incident::set_clocks(incident);
        if severity > before {
            self.timeline.push(("severity", format!("Severity from {before} to {severity} by {by}")));
            self.risen = true;
        }
    }

    /// Links events and counts them.
    pub(super) async fn link(&mut self, tx: &mut Tx, events: &[Linked]) -> Result<(), StoreError> {
        let added = incident::link(tx, self.incident.id, events).await?;
        self.incident.event_count += added.n;
        if let Some((first, last)) = added.seen {
            self.incident.first_seen = self.incident.first_seen.min(first);
            self.incident.last_seen = self.incident.last_seen.max(last);
        }
        Ok(())
    }

    pub(super) fn say(&mut self, kind: &'static str, text: String) {
        self.timeline.push((kind, text));
    }
}

/// All of them, in a batch.
pub(super) struct Works {
    by_id: BTreeMap<IncidentId, Work>,
    by_group: HashMap<(AttackFamily, Entity), IncidentId>,
    first: i64,
    number: i64,
    now: DateTime<Utc>,
}

impl Works {
    pub(super) fn new(number: i64, now: DateTime<Utc>) -> Self {
        Self { by_id: BTreeMap::new(), by_group: HashMap::new(), first: number, number, now }
    }

    pub(super) fn get_mut(&mut self, id: IncidentId) -> Option<&mut Work> {
        self.by_id.get_mut(&id)
    }

    /// Puts a finding into its incident, found or opened.
    pub(super) async fn take(
        &mut self,
        tx: &mut Tx,
        finding: &Finding,
        event: &Event,
    ) -> Result<(), StoreError> {
        let group = (finding.family, finding.entity.clone());
        let id = match self.by_group.get(&group) {
            Some(id) => *id,
            None => {
                let id = match find_active(tx, &group).await? {
                    Some(id) => {
                        self.load(tx, id).await?;
                        id
                    }
                    None => self.open(tx, finding).await?,
                };
                self.by_group.insert(group, id);
                id
            }
        };
        if let Some(work) = self.by_id.get_mut(&id) {
            work.take(finding, event);
        }
        Ok(())
    }

    async fn open(&mut self, tx: &mut Tx, finding: &Finding) -> Result<IncidentId, StoreError> {
        self.number += 1;
        let incident = incident::new(finding, self.number, IncidentId::at(self.now), self.now);
        incident::insert(tx, &incident).await?;
        let id = incident.id;
        let work = Work {
            incident,
            is_new: true,
            root: id,
            whole: None,
            has_others: false,
            verdict: Verdict::Unjudged,
            rules: HashSet::from([finding.rule_id.clone()]),
            findings: Vec::new(),
            events: Vec::new(),
            timeline: vec![("opened", format!("Opened by {}: {}", finding.rule_id, finding.summary))],
            risen: false,
            is_renamed: false,
            has_worked: false,
        };
        self.by_id.insert(id, work);
        Ok(id)
    }

    /// Loads and locks an incident, if it is not at hand.
    pub(super) async fn load(&mut self, tx: &mut Tx, id: IncidentId) -> Result<(), StoreError> {
        if self.by_id.contains_key(&id) {
            return Ok(());
        }
        let (mut incident, own) = incident::locked(tx, id).await?;
        let root: IncidentId = tx
            .fetch_one("SELECT root_id FROM incident WHERE id = $1", args![id.to_string()])
            .await?
            .parse(0)?;
        let has_others = own.is_some();
        let (whole, verdict) = if root == id {
            (has_others.then_some(incident.severity), incident.verdict)
        } else {
            let top = incident::locked(tx, root).await?.0;
            (Some(top.severity), top.verdict)
        };
        if let Some(own) = own {
            own.put_into(&mut incident);
        }
        let rules = tx
            .fetch("SELECT DISTINCT rule_id FROM finding WHERE incident_id = $1", args![id.to_string()])
            .await?;
        let worked = if incident.finding_count < GROWN {
            tx.fetch(
                "SELECT e.id FROM finding f JOIN event e ON e.id = f.event_id WHERE f.incident_id = $1 AND \
                 (e.status BETWEEN 200 AND 299 OR (e.status IS NULL AND e.outcome = 'success')) LIMIT 1",
                args![id.to_string()],
            )
            .await?
        } else {
            Vec::new()
        };
        let work = Work {
            incident,
            is_new: false,
            root,
            whole,
            has_others,
            verdict,
            rules: rules.iter().map(|row| row.text(0)).collect::<Result<_, _>>()?,
            findings: Vec::new(),
            events: Vec::new(),
            timeline: Vec::new(),
            risen: false,
            is_renamed: false,
            has_worked: !worked.is_empty(),
        };
        self.by_id.insert(id, work);
        Ok(())
    }

    /// Writes the findings, and freezes and links the events that completed them.
    pub(super) async fn store_findings(&mut self, tx: &mut Tx) -> Result<(), StoreError> {
        if self.number > self.first {
            tx.execute("UPDATE counter SET n = $1 WHERE name = 'incident'", args![self.number]).await?;
        }
        for work in self.by_id.values_mut() {
            let id = work.incident.id.to_string();
            let mut rows: Vec<Vec<Value>> = Vec::with_capacity(work.findings.len());
            for finding in &work.findings {
                rows.push(args![
                    finding.id.to_string(),
                    id.as_str(),
                    finding.event_id.to_string(),
                    finding.rule_id.as_str(),
                    finding.at,
                    to_canonical(finding)?
                ]);
            }
            tx.insert_rows(
                "INSERT INTO finding (id, incident_id, event_id, rule_id, at, body) VALUES ",
                &rows,
                "",
            )
            .await?;
            // What the engine saw is the evidence, even if another value of the event was stored first.
            incident::freeze(tx, &id, &work.events).await?;
            let linked = work.events.iter().map(Linked::of).collect::<Result<Vec<_>, _>>()?;
            work.link(tx, &linked).await?;
            count_agents(tx, &id, &work.events).await?;
        }
        Ok(())
    }

    /// Links the events that the findings' behaviours counted, and those that they name.
    pub(super) async fn link_counted(&mut self, tx: &mut Tx) -> Result<(), StoreError> {
        for work in self.by_id.values_mut() {
            for finding in work.findings.clone() {
                span::counted(tx, work, &finding).await?;
            }
            let named: BTreeSet<EventId> =
                work.findings.iter().flat_map(|finding| &finding.linked).copied().collect();
            let named: Vec<Value> = named.iter().map(|id| id.to_string().into()).collect();
            let rows = tx.fetch_in(&format!("SELECT {LINKED} FROM event WHERE id IN "), &named).await?;
            let events = rows.iter().map(Linked::from_row).collect::<Result<Vec<_>, _>>()?;
            work.link(tx, &events).await?;
        }
        Ok(())
    }

    /// Writes the incidents back, in the order of their numbers.
    pub(super) async fn finish(self, tx: &mut Tx, outcome: &mut IngestOutcome) -> Result<(), StoreError> {
        let mut works: Vec<Work> = self.by_id.into_values().collect();
        works.sort_by_key(|work| work.incident.number);
        chain::link(tx, &mut works, self.now).await?;
        let mut gains = Gains::default();
        // Roots first: what a merged one raises, it raises on what they became.
        works.sort_by_key(|work| (work.root != work.incident.id, work.incident.number));
        for work in &works {
            gains.add(&work.incident, work.verdict, &work.findings, &work.events, self.now);
        }
        gains.write(tx).await?;
        let mut updated: BTreeMap<IncidentId, Incident> = BTreeMap::new();
        for mut work in works {
            let is_root = work.root == work.incident.id;
            if is_root && work.risen && incident::resume(&mut work.incident, self.now).is_some() {
                incident::end_pause(tx, work.incident.id, self.now, "engine").await?;
                work.say("resume", RESUMED.to_owned());
            }
            if !work.is_new {
                work.incident.version += 1;
            }
            let id = work.incident.id;
            incident::update(tx, &work.incident).await?;
            if work.is_renamed {
                incident::retitle(tx, &work.incident).await?;
            }
            for (kind, text) in &work.timeline {
                incident::timeline(tx, id, self.now, "engine", kind, text).await?;
            }
            if work.has_others {
                incident::keep_own(tx, id, Some(&Own::of(&work.incident))).await?;
            }
            let incident = if is_root {
                if work.has_others { incident::regroup(tx, id).await? } else { work.incident }
            } else {
                if work.has_others {
                    incident::regroup(tx, id).await?;
                }
                regroup_root(tx, work.root, work.risen, self.now).await?
            };
            if work.is_new {
                outcome.opened.push(incident);
            } else {
                updated.insert(work.root, incident);
            }
        }
        outcome.updated.extend(updated.into_values());
        outcome.updated.sort_by_key(|incident| incident.number);
        Ok(())
    }
}

/// Did the application do what it was asked? As the query of [`Works::load`] says it.
fn has_worked(event: &Event) -> bool {
    match event.http.as_ref().and_then(|http| http.status) {
        Some(status) => (200..=299).contains(&status),
        None => event.outcome == Outcome::Success,
    }
}

const RESUMED: &str = "Clocks run again: the severity rose";

/// Brings the root up to date with a merged incident that took something in.
async fn regroup_root(
    tx: &mut Tx,
    root: IncidentId,
    risen: bool,
    now: DateTime<Utc>,
) -> Result<Incident, StoreError> {
    incident::bump(tx, root).await?;
    let mut whole = incident::regroup(tx, root).await?;
    if risen && incident::resume(&mut whole, now).is_some() {
        incident::end_pause(tx, root, now, "engine").await?;
        incident::update(tx, &whole).await?;
        incident::timeline(tx, root, now, "engine", "resume", RESUMED).await?;
    }
    Ok(whole)
}

/// The incident that takes in findings of a group: the newest whose root is active, or that root if the incident itself
/// had ended before it was merged.
async fn find_active(
    tx: &mut Tx,
    (family, entity): &(AttackFamily, Entity),
) -> Result<Option<IncidentId>, StoreError> {
    let row = tx
        .fetch_optional(
            "SELECT m.id, m.status, r.id FROM incident m JOIN incident r ON r.id = m.root_id WHERE m.family = $1 AND \
             m.entity_kind = $2 AND m.entity_key = $3 AND m.entity_value = $4 AND r.active = 1 \
             ORDER BY m.number DESC LIMIT 1",
            args![family.as_str(), entity.kind.as_str(), key_text(&entity.value), entity.value.as_str()],
        )
        .await?;
    let taker = |row: Row| if row.parse::<Status>(1)?.is_active() { row.parse(0) } else { row.parse(2) };
    row.map(taker).transpose()
}

/// Counts the user agents of events, for finding similar incidents.
async fn count_agents(tx: &mut Tx, incident: &str, events: &[Event]) -> Result<(), StoreError> {
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    for event in events {
        let agent = event.http.as_ref().and_then(|http| http.headers.get("user-agent"));
        if let Some(agent) = agent.filter(|agent| agent.len() > 1) {
            *counts.entry(key_text(agent)).or_default() += 1;
        }
    }
    let rows: Vec<Vec<Value>> =
        counts.into_iter().map(|(agent, n)| args![incident, "agent", agent, n]).collect();
    incident::count_entities(tx, &rows).await
}
