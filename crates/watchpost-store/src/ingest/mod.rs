//! Taking in a batch of events with what detection found in them: one transaction, and the same batch again adds nothing.

mod chain;
mod span;
mod work;

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use watchpost_model::access::Permission;
use watchpost_model::audit::{AuditDraft, AuditOutcome, Change};
use watchpost_model::event::{Entity, Event};
use watchpost_model::finding::Finding;
use watchpost_model::ids::{EventId, FindingId};
use watchpost_model::incident::Incident;
use watchpost_model::risk::EntityHistory;

use self::work::Works;
use crate::audit::engine_caller;
use crate::engine::{Tx, Value};
use crate::engine_state;
use crate::error::StoreError;
use crate::event::{event, in_order, insert_new, values_of};
use crate::incident::lock_grouping;
use crate::risk;
use crate::sealed::{self, SealedField, Taken};
use crate::store::{Store, Tag, Write};
use crate::suppression;

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
    /// Findings that are new and in an incident.
    pub findings: u64,
    /// Findings that are new and that a suppression hid.
    pub suppressed: u64,
    /// New incidents, as they stand now.
    pub opened: Vec<Incident>,
    /// Other incidents that took in findings or events, as they stand now.
    pub updated: Vec<Incident>,
}

/// Tries of a transaction that PostgreSQL gave up in favour of another.
const TRIES: usize = 5;

impl Store {
    /// Archives events, counts them, and folds findings into incidents, all or nothing.
    ///
    /// A finding joins the newest active incident of its family and entity (or what that is merged into), else it opens
    /// one with the next number. Events that its behaviour counted are linked to the incident, and so are later ones
    /// that go on with it. A finding that a suppression covers is stored apart. Events and findings that are known
    /// change nothing.
    ///
    /// # Errors
    /// `Validation` if the event of a finding is neither in the batch nor stored; what the database says. Then nothing
    /// was written.
    pub async fn ingest(&self, batch: IngestBatch<'_>) -> Result<IngestOutcome, StoreError> {
        self.ingest_saving(batch, None).await
    }

    /// As [`Store::ingest`]; in the same transaction the engine's state (name and body), which holds this batch, is
    /// saved. For [`Store::events_stored_after`] to be exact the times of batches must grow.
    ///
    /// # Errors
    /// As [`Store::ingest`].
    pub async fn ingest_saving(
        &self,
        batch: IngestBatch<'_>,
        state: Option<(&str, &[u8])>,
    ) -> Result<IngestOutcome, StoreError> {
        let mut tries = 1;
        loop {
            match Box::pin(self.ingest_once(batch, state)).await {
                Err(error) if error.is_retryable() && tries < TRIES => tries += 1,
                result => return result,
            }
        }
    }

    async fn ingest_once(
        &self,
        batch: IngestBatch<'_>,
        state: Option<(&str, &[u8])>,
    ) -> Result<IngestOutcome, StoreError> {
        self.event_room(batch.events).await;
        let mut ingest = self.ingest_begin().await?;
        let outcome =
            ingest.take_in(PreparedEvents::new(batch.events, &[], batch.now)?, batch, state).await?;
        ingest.commit().await?;
        Ok(outcome)
    }

    /// Begins a transaction that takes in several batches one after the other, as [`Store::ingest`] would, and all of
    /// them or none. [`Store::event_room`] for them comes before.
    ///
    /// # Errors
    /// What the database says.
    pub async fn ingest_begin(&self) -> Result<Ingesting<'_>, StoreError> {
        Ok(Ingesting { store: self, write: self.write().await? })
    }
}

/// What is written of the events of a batch: computed before the database is held.
#[derive(Debug)]
pub struct PreparedEvents {
    rows: Vec<Vec<Value>>,
    sealed: Vec<Vec<Value>>,
    taken: Taken,
}

impl PreparedEvents {
    /// Of a batch that is stored at `now`, and of what was taken out of its events before.
    ///
    /// # Errors
    /// `Encode` if an event cannot be written as JSON.
    pub fn new(
        events: &[(Event, String)],
        fields: &[SealedField],
        now: DateTime<Utc>,
    ) -> Result<Self, StoreError> {
        let taken = Taken::of(fields);
        Ok(Self { rows: values_of(events, &taken, now)?, sealed: sealed::rows(fields), taken })
    }
}

/// Batches that are being taken in; dropped without [`Ingesting::commit`] nothing of them was.
pub struct Ingesting<'a> {
    store: &'a Store,
    write: Write,
}

impl std::fmt::Debug for Ingesting<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ingesting").finish_non_exhaustive()
    }
}

impl Ingesting<'_> {
    /// As [`Store::entity_history`], as the batches so far leave it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn entity_history(
        &mut self,
        entities: &[Entity],
    ) -> Result<HashMap<Entity, EntityHistory>, StoreError> {
        risk::history(&mut self.write, entities).await
    }

    /// Takes in the next batch; `prepared` was made of its events and time. With it the engine's state (name and body), if given.
    ///
    /// # Errors
    /// As [`Store::ingest`]; then this must be dropped.
    pub async fn take_in(
        &mut self,
        prepared: PreparedEvents,
        batch: IngestBatch<'_>,
        state: Option<(&str, &[u8])>,
    ) -> Result<IngestOutcome, StoreError> {
        let events: Vec<&Event> = in_order(batch.events).into_iter().map(|(event, _)| event).collect();
        let write = &mut self.write;
        let taken = &prepared.taken;
        let again = || values_of(batch.events, taken, batch.now);
        let inserted = insert_new(write, self.store.notes_places(), &events, prepared.rows, again).await?;
        // Also of an event that is known: its evidence is what was seen now.
        sealed::insert(write, prepared.sealed).await?;
        let mut outcome = IngestOutcome {
            inserted: inserted.len() as u64,
            duplicates: batch.events.len().saturating_sub(inserted.len()) as u64,
            ..IngestOutcome::default()
        };
        if !inserted.is_empty() {
            write.touch(Tag::Events);
        }
        let new: Vec<&Event> = events.into_iter().filter(|event| inserted.contains(&event.id)).collect();
        Box::pin(fold(write, batch, &new, &mut outcome)).await?;
        for incident in &outcome.opened {
            write.audit(opened_draft(incident, batch.now));
        }
        if !outcome.opened.is_empty() || !outcome.updated.is_empty() || outcome.suppressed > 0 {
            write.touch(Tag::Incidents);
        }
        if let Some((name, body)) = state {
            engine_state::put(write, name, body, batch.now).await?;
        }
        Ok(outcome)
    }

    /// The transaction.
    pub(crate) fn write_mut(&mut self) -> &mut Write {
        &mut self.write
    }

    /// Makes it durable.
    ///
    /// # Errors
    /// What the database says; then nothing was written.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        self.store.note_gap(&mut self.write).await?;
        self.store.commit(self.write).await.map(drop)
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

/// Folds the findings of a batch into incidents, and links what its new events go on with.
async fn fold(
    write: &mut Write,
    batch: IngestBatch<'_>,
    new: &[&Event],
    outcome: &mut IngestOutcome,
) -> Result<(), StoreError> {
    if batch.findings.is_empty() && !span::any_touched(write, new).await? {
        return Ok(());
    }
    // The lock under which findings are known or new and incidents are found or opened.
    let mut works = Works::new(lock_grouping(write).await?, batch.now);
    let fresh = unknown_findings(write, batch.findings).await?;
    let events = events_of(write, batch.events, &fresh).await?;
    let (fresh, hidden) = suppression::split(write, fresh, &events, batch.now).await?;
    outcome.suppressed = hidden;
    for finding in fresh {
        let event = events.get(&finding.event_id).ok_or_else(|| {
            StoreError::Corrupt(format!("the event {} of a finding was just there", finding.event_id))
        })?;
        works.take(write, finding, event).await?;
        outcome.findings += 1;
    }
    works.store_findings(write).await?;
    works.link_counted(write).await?;
    span::go_on(write, new, &mut works).await?;
    works.finish(write, outcome).await
}

/// The findings that are not stored, the first of each id.
async fn unknown_findings<'a>(tx: &mut Tx, findings: &'a [Finding]) -> Result<Vec<&'a Finding>, StoreError> {
    let ids: Vec<Value> = findings.iter().map(|finding| finding.id.to_string().into()).collect();
    let mut seen: HashSet<FindingId> = HashSet::new();
    for table in ["finding", "suppressed_finding"] {
        for row in tx.fetch_in(&format!("SELECT id FROM {table} WHERE id IN "), &ids).await? {
            seen.insert(row.parse(0)?);
        }
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
