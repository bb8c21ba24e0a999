//! Taking in a batch of events with what detection found in them: one transaction, and the same batch again adds nothing.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use watchpost_model::access::Permission;
use watchpost_model::audit::{AuditDraft, AuditOutcome, Change};
use watchpost_model::event::{Entity, Event};
use watchpost_model::finding::{AttackFamily, Finding};
use watchpost_model::ids::{EventId, FindingId, IncidentId};
use watchpost_model::incident::Incident;

use crate::audit::engine_caller;
use crate::canonical::{sha256, to_canonical};
use crate::engine::{Tx, Value, args};
use crate::error::StoreError;
use crate::event::{entities, event, insert_new, key_text, rows_of};
use crate::incident::{self, SELECT};
use crate::store::{Store, Tag, Write};

/// What the engine read and found.
#[derive(Debug, Clone, Copy)]
pub struct IngestBatch<'a> {
    /// Events with their keys in Redis.
    pub events: &'a [(Event, String)],
    /// Findings; the event of each is in this batch or stored.
    pub findings: &'a [Finding],
    /// The engine's time: new incidents open at it.
    pub now: DateTime<Utc>,
}

/// What a batch changed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct IngestOutcome {
    /// Events that are new.
    pub inserted: u64,
    /// Events that were stored already, or twice in the batch.
    pub duplicates: u64,
    /// Findings that are new.
    pub findings: u64,
    /// New incidents, as they stand now.
    pub opened: Vec<Incident>,
    /// Other incidents that took in findings, as they stand now.
    pub updated: Vec<Incident>,
}

/// Tries of a transaction that PostgreSQL gave up in favour of another.
const TRIES: usize = 5;

impl Store {
    /// Archives events, counts them, and folds findings into incidents, all or nothing.
    ///
    /// A finding joins the newest active incident of its family and entity, else it opens one with the next number.
    /// Events and findings that are known change nothing.
    ///
    /// # Errors
    /// `Validation` if the event of a finding is neither in the batch nor stored; what the database says. Then nothing
    /// was written.
    pub async fn ingest(&self, batch: IngestBatch<'_>) -> Result<IngestOutcome, StoreError> {
        let mut tries = 1;
        loop {
            match Box::pin(self.ingest_once(batch)).await {
                Err(error) if error.is_retryable() && tries < TRIES => tries += 1,
                result => return result,
            }
        }
    }

    async fn ingest_once(&self, batch: IngestBatch<'_>) -> Result<IngestOutcome, StoreError> {
        let rows = rows_of(batch.events)?;
        let mut write = self.write().await?;
        let inserted = insert_new(&mut write, &rows, batch.now, None).await?.len() as u64;
        let mut outcome = IngestOutcome {
            inserted,
            duplicates: (batch.events.len() as u64).saturating_sub(inserted),
            ..IngestOutcome::default()
        };
        if inserted > 0 {
            write.touch(Tag::Events);
        }
        drop(rows);
        if !batch.findings.is_empty() {
            Box::pin(fold(&mut write, batch, &mut outcome)).await?;
        }
        for incident in &outcome.opened {
            write.audit(opened_draft(incident, batch.now));
        }
        if !outcome.opened.is_empty() || !outcome.updated.is_empty() {
            write.touch(Tag::Incidents);
        }
        self.commit(write).await?;
        Ok(outcome)
    }
}

fn opened_draft(incident: &Incident, now: DateTime<Utc>) -> AuditDraft {
    let null = serde_json::Value::Null;
    AuditDraft {
        caller: engine_caller("engine"),
        action: "incident_open".to_owned(),
        object: format!("incident/{}", incident.number),
        permission: Permission::Triage,
        outcome: AuditOutcome::Success,
        changes: vec![
            Change::new("status", null.clone(), incident.status.as_str()),
            Change::new("severity", null.clone(), incident.severity.as_str()),
            Change::new("title", null, incident.title.as_str()),
        ],
        reason: None,
        at: now,
        risk: incident.risk,
    }
}

/// An incident that a batch works on.
struct Work {
    incident: Incident,
    is_new: bool,
    rules: HashSet<String>,
    findings: Vec<Finding>,
    timeline: Vec<(&'static str, String)>,
}

type Group = (AttackFamily, Entity);

/// Folds the findings of a batch into incidents.
async fn fold(
    write: &mut Write,
    batch: IngestBatch<'_>,
    outcome: &mut IngestOutcome,
) -> Result<(), StoreError> {
    // The counter row is the lock under which findings are known or new and incidents are found or opened.
    let lock = write.dialect().for_update();
    let counter =
        write.fetch_one(format!("SELECT n FROM counter WHERE name = 'incident'{lock}"), args![]).await?;
    let mut number = counter.i64(0)?;
    let first = number;
    let fresh = unknown_findings(write, batch.findings).await?;
    let events = events_of(write, batch.events, &fresh).await?;
    let mut works: BTreeMap<String, Work> = BTreeMap::new();
    for finding in fresh {
        let group: Group = (finding.family, finding.entity.clone());
        let name = format!("{}\n{}", group.0, group.1);
        if !works.contains_key(&name) {
            let work = match find_active(write, &group).await? {
                Some(work) => work,
                None => {
                    number += 1;
                    open(finding, number, batch.now)
                }
            };
            works.insert(name.clone(), work);
        }
        if let Some(work) = works.get_mut(&name) {
            work.take(finding);
        }
    }
    if number > first {
        write.execute("UPDATE counter SET n = $1 WHERE name = 'incident'", args![number]).await?;
    }
    let mut works: Vec<Work> = works.into_values().collect();
    works.sort_by_key(|work| work.incident.number);
    for work in works {
        outcome.findings += work.findings.len() as u64;
        let is_new = work.is_new;
        let incident = store(write, work, &events, batch.now).await?;
        if is_new { outcome.opened.push(incident) } else { outcome.updated.push(incident) }
    }
    Ok(())
}

/// The findings that are not stored, the first of each id.
async fn unknown_findings<'a>(tx: &mut Tx, findings: &'a [Finding]) -> Result<Vec<&'a Finding>, StoreError> {
    let ids: Vec<Value> = findings.iter().map(|finding| finding.id.to_string().into()).collect();
    let mut seen: HashSet<FindingId> = HashSet::new();
    for row in tx.fetch_in("SELECT id FROM finding WHERE id IN ", &ids).await? {
        seen.insert(row.parse(0)?);
    }
    Ok(findings.iter().filter(|finding| seen.insert(finding.id)).collect())
}

/// The events of the findings: from the batch, else from the archive.
async fn events_of(
    tx: &mut Tx,
    batch: &[(Event, String)],
    findings: &[&Finding],
) -> Result<HashMap<EventId, Event>, StoreError> {
    let wanted: HashSet<EventId> = findings.iter().map(|finding| finding.event_id).collect();
    let ids: Vec<Value> = wanted.iter().map(|id| id.to_string().into()).collect();
    let mut events = HashMap::new();
    for row in tx.fetch_in("SELECT body FROM event WHERE id IN ", &ids).await? {
        let event = event(&row, 0)?;
        events.insert(event.id, event);
    }
    // What the engine saw is the evidence, even if another value of the event was stored first.
    for (event, _) in batch.iter().filter(|(event, _)| wanted.contains(&event.id)) {
        events.insert(event.id, event.clone());
    }
    match wanted.iter().find(|id| !events.contains_key(id)) {
        Some(id) => Err(StoreError::Validation(format!(
            "the event {id} of a finding is neither in the batch nor stored"
        ))),
        None => Ok(events),
    }
}

async fn find_active(tx: &mut Tx, (family, entity): &Group) -> Result<Option<Work>, StoreError> {
    let lock = tx.dialect().for_update();
    let sql = format!(
        "{SELECT} WHERE family = $1 AND entity_kind = $2 AND entity_key = $3 AND entity_value = $4 AND active = 1 \
         ORDER BY number DESC LIMIT 1{lock}"
    );
    let values = args![family.as_str(), entity.kind.as_str(), key_text(&entity.value), entity.value.as_str()];
    let Some(row) = tx.fetch_optional(sql, values).await? else { return Ok(None) };
    let incident = incident::from_row(&row)?;
    let rules = tx
        .fetch("SELECT DISTINCT rule_id FROM finding WHERE incident_id = $1", args![incident.id.to_string()])
        .await?;
    Ok(Some(Work {
        incident,
        is_new: false,
        rules: rules.iter().map(|row| row.text(0)).collect::<Result<_, _>>()?,
        findings: Vec::new(),
        timeline: Vec::new(),
    }))
}

fn open(finding: &Finding, number: i64, now: DateTime<Utc>) -> Work {
    let incident = incident::new(finding, number, IncidentId::at(now), now);
    let text = format!("Opened by {}: {}", finding.rule_id, finding.summary);
    Work {
        incident,
        is_new: true,
        rules: HashSet::from([finding.rule_id.clone()]),
        findings: Vec::new(),
        timeline: vec![("opened", text)],
    }
}

impl Work {
    fn take(&mut self, finding: &Finding) {
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
        if finding.severity > incident.severity {
            let text =
                format!("Severity from {} to {} by {}", incident.severity, finding.severity, finding.rule_id);
            self.timeline.push(("severity", text));
            incident.severity = finding.severity;
            incident::set_clocks(incident);
        }
        self.findings.push(finding.clone());
    }
}

/// Writes an incident with its new findings, evidence and timeline.
async fn store(
    tx: &mut Tx,
    mut work: Work,
    events: &HashMap<EventId, Event>,
    now: DateTime<Utc>,
) -> Result<Incident, StoreError> {
    let id = work.incident.id.to_string();
    if work.is_new {
        incident::insert(tx, &work.incident).await?;
    }
    let mut findings: Vec<Vec<Value>> = Vec::with_capacity(work.findings.len());
    for finding in &work.findings {
        findings.push(args![
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
        &findings,
        "",
    )
    .await?;
    work.incident.event_count += add_evidence(tx, &work, events).await?;
    if !work.is_new {
        work.incident.version += 1;
    }
    incident::update(tx, &work.incident).await?;
    let timeline: Vec<Vec<Value>> =
        work.timeline.iter().map(|(kind, text)| args![id.as_str(), now, "engine", *kind, text]).collect();
    tx.insert_rows(
        "INSERT INTO incident_timeline (incident_id, at, actor, kind, text) VALUES ",
        &timeline,
        "",
    )
    .await?;
    Ok(work.incident)
}

/// Freezes the events of the findings; returns how many were not evidence before.
async fn add_evidence(tx: &mut Tx, work: &Work, events: &HashMap<EventId, Event>) -> Result<u64, StoreError> {
    let id = work.incident.id.to_string();
    let wanted: std::collections::BTreeSet<EventId> = work.findings.iter().map(|f| f.event_id).collect();
    let mut rows: Vec<Vec<Value>> = Vec::with_capacity(wanted.len());
    for event in wanted.iter().filter_map(|id| events.get(id)) {
        let body = to_canonical(event)?;
        let digest = hex::encode(sha256(body.as_bytes()));
        rows.push(args![id.as_str(), event.id.to_string(), event.at, digest, body]);
    }
    let added = tx
        .insert_rows(
            "INSERT INTO evidence (incident_id, event_id, at, sha256, body) VALUES ",
            &rows,
            " ON CONFLICT (incident_id, event_id) DO NOTHING RETURNING event_id",
        )
        .await?;
    let mut counts: BTreeMap<(&'static str, String), i64> = BTreeMap::new();
    for row in &added {
        let event_id: EventId = row.parse(0)?;
        for entity in events.get(&event_id).map(entities).unwrap_or_default() {
            *counts.entry((entity.kind.as_str(), entity.value)).or_default() += 1;
        }
    }
    let counts: Vec<Vec<Value>> =
        counts.into_iter().map(|((kind, value), n)| args![id.as_str(), kind, value, n]).collect();
    tx.insert_rows(
        "INSERT INTO incident_entity (incident_id, kind, entity_key, n) VALUES ",
        &counts,
        " ON CONFLICT (incident_id, kind, entity_key) DO UPDATE SET n = incident_entity.n + excluded.n",
    )
    .await?;
    Ok(added.len() as u64)
}
