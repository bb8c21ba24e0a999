//! The incidents that a batch works on, from finding or opening them to writing them back.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use watchpost_model::event::{Entity, Event, Severity};
use watchpost_model::finding::{AttackFamily, Finding};
use watchpost_model::ids::IncidentId;
use watchpost_model::incident::Incident;

use super::{IngestOutcome, chain, span};
use crate::canonical::to_canonical;
use crate::engine::{Tx, Value, args};
use crate::error::StoreError;
use crate::event::key_text;
use crate::incident::{self, Linked, Own};
use crate::risk::Gains;

/// An incident that a batch works on. While others are merged into it, `incident` tells of its own part only.
pub(super) struct Work {
    pub(super) incident: Incident,
    is_new: bool,
    /// What the row says while others are merged in; their part of the severity is not raised again.
    whole: Option<Severity>,
    rules: HashSet<String>,
    pub(super) findings: Vec<Finding>,
    /// The events that completed them.
    events: Vec<Event>,
    timeline: Vec<(&'static str, String)>,
    /// Did the severity rise? Then a pause ends.
    risen: bool,
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
        self.raise(finding.severity, &finding.rule_id);
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
        if severity > before {
            self.timeline.push(("severity", format!("Severity from {before} to {severity} by {by}")));
            incident::set_clocks(incident);
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
            whole: None,
            rules: HashSet::from([finding.rule_id.clone()]),
            findings: Vec::new(),
            events: Vec::new(),
            timeline: vec![("opened", format!("Opened by {}: {}", finding.rule_id, finding.summary))],
            risen: false,
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
        let whole = own.is_some().then_some(incident.severity);
        if let Some(own) = own {
            own.put_into(&mut incident);
        }
        let rules = tx
            .fetch("SELECT DISTINCT rule_id FROM finding WHERE incident_id = $1", args![id.to_string()])
            .await?;
        let work = Work {
            incident,
            is_new: false,
            whole,
            rules: rules.iter().map(|row| row.text(0)).collect::<Result<_, _>>()?,
            findings: Vec::new(),
            events: Vec::new(),
            timeline: Vec::new(),
            risen: false,
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

    /// Links the events that the findings' behaviours counted.
    pub(super) async fn link_counted(&mut self, tx: &mut Tx) -> Result<(), StoreError> {
        for work in self.by_id.values_mut() {
            for finding in work.findings.clone() {
                span::counted(tx, work, &finding).await?;
            }
        }
        Ok(())
    }

    /// Writes the incidents back, in the order of their numbers.
    pub(super) async fn finish(self, tx: &mut Tx, outcome: &mut IngestOutcome) -> Result<(), StoreError> {
        let mut works: Vec<Work> = self.by_id.into_values().collect();
        works.sort_by_key(|work| work.incident.number);
        chain::link(tx, &mut works, self.now).await?;
        let mut gains = Gains::default();
        for work in &works {
            gains.add(&work.incident, &work.findings, &work.events, self.now);
        }
        gains.write(tx).await?;
        for mut work in works {
            if work.risen && incident::resume(&mut work.incident, self.now).is_some() {
                incident::end_pause(tx, work.incident.id, self.now, "engine").await?;
                work.say("resume", "Clocks run again: the severity rose".to_owned());
            }
            if !work.is_new {
                work.incident.version += 1;
            }
            let id = work.incident.id;
            incident::update(tx, &work.incident).await?;
            for (kind, text) in &work.timeline {
                incident::timeline(tx, id, self.now, "engine", kind, text).await?;
            }
            let incident = match work.whole {
                Some(_) => {
                    incident::keep_own(tx, id, Some(&Own::of(&work.incident))).await?;
                    incident::regroup(tx, id).await?
                }
                None => work.incident,
            };
            if work.is_new { outcome.opened.push(incident) } else { outcome.updated.push(incident) }
        }
        Ok(())
    }
}

/// The incident that takes in findings of a group: the newest whose root is active.
async fn find_active(
    tx: &mut Tx,
    (family, entity): &(AttackFamily, Entity),
) -> Result<Option<IncidentId>, StoreError> {
    let row = tx
        .fetch_optional(
            "SELECT r.id FROM incident m JOIN incident r ON r.id = m.root_id WHERE m.family = $1 AND \
             m.entity_kind = $2 AND m.entity_key = $3 AND m.entity_value = $4 AND r.active = 1 \
             ORDER BY m.number DESC LIMIT 1",
            args![family.as_str(), entity.kind.as_str(), key_text(&entity.value), entity.value.as_str()],
        )
        .await?;
    row.map(|row| row.parse(0)).transpose()
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
