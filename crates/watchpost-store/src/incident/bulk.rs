//! One action on many incidents in one transaction, and taking it, or the change of one, back once.

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use watchpost_model::audit::{AuditDraft, Change};
use watchpost_model::event::Severity;
use watchpost_model::ids::{IncidentId, NoteId, SuppressionId};
use watchpost_model::incident::{
    BulkAction, BulkOutcome, BulkSkipped, Incident, IncidentFilter, LinkKind, Status, Verdict, VerdictCause,
};
use watchpost_model::suppression::SuppressionScope;

use super::change::{IncidentPatch, change_one, write_note};
use super::{Own, detail, keep_own, list, locked, refuse_merged, set_clocks, timeline, update};
use crate::canonical::to_canonical;
use crate::engine::args;
use crate::error::StoreError;
use crate::risk;
use crate::store::{Store, Tag, Write};
use crate::suppression::{self, NewSuppression};

/// Incidents that one action may change.
const BULK_MAX: usize = 10_000;

/// Which incidents a bulk action is for.
#[derive(Debug, Clone, PartialEq)]
pub enum BulkTarget {
    /// These numbers.
    Numbers(Vec<i64>),
    /// Those of a filter; the action is refused if they are not as many as the person saw.
    Filter {
        /// Which.
        filter: Box<IncidentFilter>,
        /// How many there were.
        expected: u64,
    },
}

/// What an incident was before the action; enough to take it back.
#[derive(Debug, Serialize, Deserialize)]
struct Before {
    status: Status,
    verdict: Verdict,
    verdict_cause: Option<VerdictCause>,
    verdict_reason: Option<String>,
    assignee: Option<String>,
    acknowledged_at: Option<DateTime<Utc>>,
    resolved_at: Option<DateTime<Utc>>,
    paused: Option<watchpost_model::incident::Paused>,
    paused_s: u64,
    /// The note that the action wrote.
    note: Option<NoteId>,
    /// The suppression that the action made.
    suppression: Option<SuppressionId>,
    /// What only the change of one incident touches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    single: Option<Single>,
}

/// What an incident was before it was changed by itself, beyond what a bulk action touches.
#[derive(Debug, Serialize, Deserialize)]
struct Single {
    severity: Severity,
    escalated_to: Option<String>,
    /// The severity that it had of its own, of one that holds merged ones.
    own_severity: Option<Severity>,
    /// The incident of which it was said to be a duplicate.
    duplicate_of: Option<IncidentId>,
}

impl Before {
    fn of(incident: &Incident) -> Self {
        Self {
            status: incident.status,
            verdict: incident.verdict,
            verdict_cause: incident.verdict_cause,
            verdict_reason: incident.verdict_reason.clone(),
            assignee: incident.assignee.clone(),
            acknowledged_at: incident.acknowledged_at,
            resolved_at: incident.resolved_at,
            paused: incident.paused,
            paused_s: incident.paused_s,
            note: None,
            suppression: None,
            single: None,
        }
    }

    fn put_into(&self, incident: &mut Incident) {
        incident.status = self.status;
        incident.verdict = self.verdict;
        incident.verdict_cause = self.verdict_cause;
        incident.verdict_reason = self.verdict_reason.clone();
        incident.assignee = self.assignee.clone();
        incident.acknowledged_at = self.acknowledged_at;
        incident.resolved_at = self.resolved_at;
        incident.paused = self.paused;
        incident.paused_s = self.paused_s;
        if let Some(single) = &self.single {
            incident.severity = single.severity;
            incident.escalated_to.clone_from(&single.escalated_to);
        }
        set_clocks(incident);
    }
}

fn patch_of(action: &BulkAction, incident: &Incident, actor: &str) -> Option<IncidentPatch> {
    match action {
        BulkAction::Take => Some(IncidentPatch {
            status: incident.status.when_taken(),
            assignee: Some(Some(actor.to_owned())),
            ..IncidentPatch::default()
        }),
        BulkAction::Assign { assignee } => {
            Some(IncidentPatch { assignee: Some(assignee.clone()), ..IncidentPatch::default() })
        }
        BulkAction::Status { status, .. } => {
            Some(IncidentPatch { status: Some(*status), ..IncidentPatch::default() })
        }
        BulkAction::Resolve { verdict, cause, reason } => Some(IncidentPatch {
            status: Some(Status::Resolved),
            verdict: Some((*verdict, reason.clone())),
            cause: *cause,
            assignee: incident.assignee.is_none().then(|| Some(actor.to_owned())),
            ..IncidentPatch::default()
        }),
        BulkAction::Note { .. } | BulkAction::Suppress { .. } => None,
    }
}

impl Store {
    /// Does one thing to many incidents, in one transaction. An incident to which it cannot be done is skipped with the
    /// reason; all others are changed. Each change has its record in the trail, and the whole has one.
    ///
    /// # Errors
    /// `Validation` if there are none or more than 10,000; `Conflict` if a filter does not describe as many as expected;
    /// what the database says. Then nothing was changed.
    pub async fn incident_bulk(
        &self,
        target: &BulkTarget,
        action: &BulkAction,
        draft: AuditDraft,
    ) -> Result<BulkOutcome, StoreError> {
        let now = self.inner.clock.now();
        let mut write = self.write().await?;
        let (incidents, mut skipped) = chosen(&mut write, target).await?;
        let bulk = uuid_text(now);
        write
            .execute(
                "INSERT INTO bulk_action (id, at, actor, body) VALUES ($1, $2, $3, $4)",
                args![bulk.as_str(), now, draft.caller.name.as_str(), to_canonical(action)?],
            )
            .await?;
        let mut changed = Vec::new();
        for incident in incidents {
            match Box::pin(act(&mut write, &incident, action, now, &draft)).await {
                Ok((version, before)) => {
                    write
                        .execute(
                            "INSERT INTO bulk_item (bulk_id, incident_id, version, before) VALUES ($1, $2, $3, $4)",
                            args![bulk.as_str(), incident.id.to_string(), version, to_canonical(&before)?],
                        )
                        .await?;
                    changed.push(incident.number);
                }
                Err(StoreError::Validation(reason) | StoreError::Precondition(reason)) => {
                    skipped.push(BulkSkipped { number: incident.number, reason });
                }
                Err(other) => return Err(other),
            }
        }
        let undo = (!changed.is_empty()).then(|| bulk.clone());
        let mut record = AuditDraft { object: format!("bulk/{bulk}"), ..draft };
        record.changes.push(Change::new("changed", serde_json::Value::Null, changed.len() as u64));
        record.changes.push(Change::new("skipped", serde_json::Value::Null, skipped.len() as u64));
        record.changes.push(Change::new("action", serde_json::Value::Null, action.word()));
        write.audit(record);
        write.touch(Tag::Incidents);
        self.commit(write).await?;
        Ok(BulkOutcome { changed, skipped, undo })
    }

    /// Takes a bulk action, or the change of one incident, back, once: incidents that nobody and nothing changed since
    /// are as they were before. The change of one is named by its number and the version that it left: `42@7`.
    ///
    /// # Errors
    /// `NotFound`; `Precondition` if it was taken back already, or all of them were changed since; what the database
    /// says. Then nothing was changed.
    pub async fn incident_undo(&self, bulk: &str, draft: AuditDraft) -> Result<BulkOutcome, StoreError> {
        let now = self.inner.clock.now();
        let mut write = self.write().await?;
        let known = write.fetch_optional("SELECT at FROM bulk_action WHERE id = $1", args![bulk]).await?;
        if known.is_none() {
            return Err(StoreError::NotFound(format!("bulk action or change {bulk}")));
        }
        let first = write
            .execute(
                "UPDATE bulk_action SET undone_at = $1, undone_by = $2 WHERE id = $3 AND undone_at IS NULL",
                args![now, draft.caller.name.as_str(), bulk],
            )
            .await?;
        if first == 0 {
            return Err(StoreError::Precondition("this was taken back already".to_owned()));
        }
        let items = write
            .fetch(
                "SELECT b.incident_id, b.version, b.before FROM bulk_item b JOIN incident i ON i.id = b.incident_id \
                 WHERE b.bulk_id = $1 ORDER BY i.number",
                args![bulk],
            )
            .await?;
        let (mut changed, mut skipped) = (Vec::new(), Vec::new());
        for item in items {
            let (incident, own) = locked(&mut write, item.parse(0)?).await?;
            let number = incident.number;
            if incident.version != item.i64(1)? {
                let reason = format!("incident {number} was changed since");
                skipped.push(BulkSkipped { number, reason });
                continue;
            }
            Box::pin(restore(&mut write, (incident, own), &item.json(2)?, now, &draft)).await?;
            changed.push(number);
        }
        if changed.is_empty() {
            return Err(StoreError::Precondition(match skipped.as_slice() {
                [only] => only.reason.clone(),
                all => format!("all {} incidents were changed since", all.len()),
            }));
        }
        let mut record = AuditDraft { object: format!("bulk/{bulk}"), ..draft };
        record.changes.push(Change::new("restored", serde_json::Value::Null, changed.len() as u64));
        record.changes.push(Change::new("skipped", serde_json::Value::Null, skipped.len() as u64));
        write.audit(record);
        write.touch(Tag::Incidents);
        self.commit(write).await?;
        Ok(BulkOutcome { changed, skipped, undo: None })
    }
}

/// Keeps what an incident was before it was changed by itself, for one undo.
pub(super) async fn remember(
    write: &mut Write,
    (old, own): (&Incident, Option<&Own>),
    new: &Incident,
    duplicate_of: Option<IncidentId>,
    now: DateTime<Utc>,
    actor: &str,
) -> Result<(), StoreError> {
    let single = Single {
        severity: old.severity,
        escalated_to: old.escalated_to.clone(),
        own_severity: own.map(|own| own.severity),
        duplicate_of,
    };
    let before = Before { single: Some(single), ..Before::of(old) };
    let id = format!("{}@{}", new.number, new.version);
    write
        .execute(
            "INSERT INTO bulk_action (id, at, actor, body) VALUES ($1, $2, $3, $4)",
            args![id.as_str(), now, actor, to_canonical(&serde_json::json!({ "do": "change" }))?],
        )
        .await?;
    write
        .execute(
            "INSERT INTO bulk_item (bulk_id, incident_id, version, before) VALUES ($1, $2, $3, $4)",
            args![id.as_str(), new.id.to_string(), new.version, to_canonical(&before)?],
        )
        .await
        .map(drop)
}

fn uuid_text(now: DateTime<Utc>) -> String {
    watchpost_model::ids::JobId::at(now).to_string()
}

/// The incidents of a target, and the numbers that name none.
async fn chosen(
    write: &mut Write,
    target: &BulkTarget,
) -> Result<(Vec<Incident>, Vec<BulkSkipped>), StoreError> {
    let too_many = || StoreError::Validation(format!("a bulk action is for 1 to {BULK_MAX} incidents"));
    match target {
        BulkTarget::Numbers(numbers) => {
            let numbers: BTreeSet<i64> = numbers.iter().copied().collect();
            if numbers.is_empty() || numbers.len() > BULK_MAX {
                return Err(too_many());
            }
            let (mut found, mut skipped) = (Vec::with_capacity(numbers.len()), Vec::new());
            for number in numbers {
                match detail::by_number(write, number).await {
                    Ok(incident) => found.push(incident),
                    Err(StoreError::NotFound(_)) => {
                        skipped
                            .push(BulkSkipped { number, reason: format!("there is no incident {number}") });
                    }
                    Err(other) => return Err(other),
                }
            }
            Ok((found, skipped))
        }
        BulkTarget::Filter { filter, expected } => {
            let found = list::matching(write, filter, BULK_MAX + 1).await?;
            if found.is_empty() || found.len() > BULK_MAX {
                return Err(too_many());
            }
            if found.len() as u64 != *expected {
                return Err(StoreError::Conflict(format!(
                    "the filter describes {} incidents now, not {expected}",
                    found.len()
                )));
            }
            Ok((found, Vec::new()))
        }
    }
}

/// Does it to one incident; the version that it has then, and what it was.
async fn act(
    write: &mut Write,
    incident: &Incident,
    action: &BulkAction,
    now: DateTime<Utc>,
    draft: &AuditDraft,
) -> Result<(i64, Before), StoreError> {
    let (mut incident, own) = locked(write, incident.id).await?;
    if matches!(action, BulkAction::Take | BulkAction::Resolve { .. }) && !incident.status.is_active() {
        // What somebody judged is neither judged nor worked on again by the way.
        return Err(StoreError::Precondition(format!(
            "incident {} is {} already: reopen it first",
            incident.number, incident.status
        )));
    }
    let mut before = Before::of(&incident);
    let actor = draft.caller.name.clone();
    if let Some(patch) = patch_of(action, &incident, &actor) {
        let new = change_one(write, (incident, own), &patch, now, draft.clone()).await?.incident;
        return Ok((new.version, before));
    }
    refuse_merged(&incident)?;
    let object = format!("incident/{}", incident.number);
    match action {
        BulkAction::Note { text } => {
            let note = write_note(write, &mut incident, text, &actor, now).await?;
            before.note = Some(note.id);
            let mut record = AuditDraft { object, ..draft.clone() };
            record.changes.push(Change::new("note", serde_json::Value::Null, text.as_str()));
            write.audit(record);
        }
        BulkAction::Suppress { reason, days } => {
            let scope = SuppressionScope {
                family: Some(incident.family),
                entity: Some(incident.entity.clone()),
                ..SuppressionScope::default()
            };
            let expires_at = now + Duration::days(i64::from(*days));
            let new = NewSuppression { scope, owner: actor.clone(), reason: reason.clone(), expires_at };
            before.suppression = Some(suppression::add(write, &new, now, draft.clone()).await?.id);
            incident.acknowledged_at.get_or_insert(now);
            incident.version += 1;
            update(write, &incident).await?;
            let line = format!("What follows is suppressed for {days} days: {reason}");
            timeline(write, incident.id, now, &actor, "suppressed", &line).await?;
        }
        BulkAction::Take
        | BulkAction::Assign { .. }
        | BulkAction::Status { .. }
        | BulkAction::Resolve { .. } => {}
    }
    Ok((incident.version, before))
}

async fn restore(
    write: &mut Write,
    (mut incident, own): (Incident, Option<Own>),
    before: &Before,
    now: DateTime<Utc>,
    draft: &AuditDraft,
) -> Result<(), StoreError> {
    let old = Before::of(&incident);
    let (old_severity, old_escalated) = (incident.severity, incident.escalated_to.clone());
    before.put_into(&mut incident);
    if let Some(note) = before.note {
        write.execute("DELETE FROM incident_note WHERE id = $1", args![note.to_string()]).await?;
    }
    if incident.acknowledged_at.is_none() {
        // Who wrote a note since has looked at it, whatever is taken back.
        let first = "SELECT at FROM incident_note WHERE incident_id = $1 ORDER BY at LIMIT 1";
        let first = write.fetch_optional(first, args![incident.id.to_string()]).await?;
        incident.acknowledged_at = first.map(|row| row.time(0)).transpose()?;
    }
    incident.version += 1;
    update(write, &incident).await?;
    if old.verdict != before.verdict {
        risk::recount(write, &incident).await?;
    }
    let id = incident.id.to_string();
    if let Some(single) = &before.single {
        restore_single(write, incident.id, own, single).await?;
    }
    if let Some(suppression) = before.suppression {
        match suppression::remove(write, suppression, now, draft.clone()).await {
            // Over already: nothing is left to be taken back.
            Ok(_) | Err(StoreError::Precondition(_)) => {}
            Err(other) => return Err(other),
        }
    }
    if before.paused.is_some() {
        // The pause that resolving ended goes on.
        write
            .execute(
                "UPDATE incident_pause SET until_at = NULL, ended_by = NULL WHERE n = \
                 (SELECT MAX(n) FROM incident_pause WHERE incident_id = $1)",
                args![id.as_str()],
            )
            .await?;
    }
    let actor = draft.caller.name.clone();
    let what =
        if before.single.is_some() { "A change was taken back" } else { "A bulk action was taken back" };
    timeline(write, incident.id, now, &actor, "undo", what).await?;
    let mut record = AuditDraft { object: format!("incident/{}", incident.number), ..draft.clone() };
    if old.status != before.status {
        record.changes.push(Change::new("status", old.status.as_str(), before.status.as_str()));
    }
    if old.verdict != before.verdict {
        record.changes.push(Change::new("verdict", old.verdict.as_str(), before.verdict.as_str()));
    }
    if let Some(single) = &before.single
        && old_severity != single.severity
    {
        record.changes.push(Change::new("severity", old_severity.as_str(), single.severity.as_str()));
    }
    if let Some(single) = &before.single
        && old_escalated != single.escalated_to
    {
        record.changes.push(Change::new("escalated_to", old_escalated, single.escalated_to.clone()));
    }
    if old.assignee != before.assignee {
        record.changes.push(Change::new("assignee", old.assignee.clone(), before.assignee.clone()));
    }
    if before.note.is_some() {
        record.changes.push(Change::new("note", "there", serde_json::Value::Null));
    }
    write.audit(record);
    Ok(())
}

/// What the change of one incident left beside its row.
async fn restore_single(
    write: &mut Write,
    id: IncidentId,
    own: Option<Own>,
    single: &Single,
) -> Result<(), StoreError> {
    if let (Some(mut own), Some(severity)) = (own, single.own_severity)
        && own.severity != severity
    {
        own.severity = severity;
        keep_own(write, id, Some(&own)).await?;
    }
    if let Some(kept) = single.duplicate_of {
        write
            .execute(
                "DELETE FROM incident_link WHERE from_id = $1 AND to_id = $2 AND kind = $3",
                args![id.to_string(), kept.to_string(), LinkKind::Duplicate.as_str()],
            )
            .await?;
    }
    Ok(())
}
