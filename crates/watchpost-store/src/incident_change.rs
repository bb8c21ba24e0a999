//! What people do to an incident: status, verdict, assignee, notes. Each with its audit record in the same transaction.

use watchpost_model::audit::{AuditDraft, Change};
use watchpost_model::ids::{IncidentId, NoteId};
use watchpost_model::incident::{Incident, Note, Status, Verdict};
use watchpost_model::text::visible;

use crate::engine::args;
use crate::error::StoreError;
use crate::incident::{self, SELECT};
use crate::store::{Store, Tag, Write};

/// What is to change; `None` leaves a field as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IncidentPatch {
    /// The next status.
    pub status: Option<Status>,
    /// The verdict and its reason.
    pub verdict: Option<(Verdict, String)>,
    /// The assignee; `Some(None)` takes it from whoever has it.
    pub assignee: Option<Option<String>>,
}

impl Store {
    /// Changes an incident that still has `expected_version`.
    ///
    /// The first change by a person acknowledges it. Its audit record is `draft` with object and changes filled in
    /// here, where the old values are known.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` if somebody changed it since; `Precondition` if the status cannot become that one;
    /// `Validation` if a verdict has no reason or nothing changes; what the database says.
    pub async fn incident_change(
        &self,
        id: IncidentId,
        expected_version: i64,
        patch: IncidentPatch,
        draft: AuditDraft,
    ) -> Result<Incident, StoreError> {
        let mut write = self.write().await?;
        let old = locked(&mut write, id).await?;
        if old.version != expected_version {
            return Err(StoreError::Conflict(format!(
                "incident {} was changed in the meantime: it has version {}, the change was made on {expected_version}",
                old.number, old.version
            )));
        }
        let now = self.inner.clock.now();
        let mut new = old.clone();
        let steps = apply(&mut new, patch, now)?;
        if steps.is_empty() {
            return Err(StoreError::Validation(format!("nothing changes in incident {}", old.number)));
        }
        new.version += 1;
        incident::update(&mut write, &new).await?;
        let mut draft = AuditDraft { object: format!("incident/{}", new.number), ..draft };
        for Step { kind, text, change } in steps {
            timeline(&mut write, id, now, &draft.caller.name, kind, &text).await?;
            draft.changes.push(change);
        }
        write.audit(draft);
        write.touch(Tag::Incidents);
        self.commit(write).await?;
        Ok(new)
    }

    /// Adds a note; the first one by a person acknowledges the incident. Notes do not collide, so no version is asked.
    ///
    /// # Errors
    /// `NotFound`; `Validation` if the text is empty or over 20,000 characters; what the database says.
    pub async fn note_add(
        &self,
        id: IncidentId,
        text: &str,
        author: &str,
        draft: AuditDraft,
    ) -> Result<Note, StoreError> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > 20_000 {
            return Err(StoreError::Validation("a note has 1 to 20,000 characters".to_owned()));
        }
        let now = self.inner.clock.now();
        let note = Note { id: NoteId::at(now), author: author.to_owned(), at: now, text: text.to_owned() };
        let mut write = self.write().await?;
        let mut incident = locked(&mut write, id).await?;
        incident.acknowledged_at.get_or_insert(now);
        incident.version += 1;
        incident::update(&mut write, &incident).await?;
        write
            .execute(
                "INSERT INTO incident_note (id, incident_id, at, author, text) VALUES ($1, $2, $3, $4, $5)",
                args![note.id.to_string(), id.to_string(), now, author, text],
            )
            .await?;
        timeline(&mut write, id, now, author, "note", &visible(text, 200)).await?;
        let mut draft = AuditDraft { object: format!("incident/{}", incident.number), ..draft };
        draft.changes.push(Change::new("note", serde_json::Value::Null, text));
        write.audit(draft);
        write.touch(Tag::Incidents);
        self.commit(write).await?;
        Ok(note)
    }
}

/// One thing that changes, for the timeline and for the trail.
struct Step {
    kind: &'static str,
    text: String,
    change: Change,
}

fn apply(
    incident: &mut Incident,
    patch: IncidentPatch,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<Vec<Step>, StoreError> {
    let mut steps = Vec::new();
    if let Some(assignee) = patch.assignee {
        let assignee = assignee.filter(|name| !name.trim().is_empty());
        if assignee != incident.assignee {
            let text = match &assignee {
                Some(name) => format!("Assigned to {}", visible(name, 100)),
                None => "Assigned to nobody".to_owned(),
            };
            let change = Change::new("assignee", incident.assignee.clone(), assignee.clone());
            steps.push(Step { kind: "assigned", text, change });
            incident.assignee = assignee;
        }
    }
    if let Some((verdict, reason)) = patch.verdict {
        let reason = Some(reason.trim().to_owned()).filter(|reason| !reason.is_empty());
        if reason.is_none() && verdict != Verdict::Unjudged {
            return Err(StoreError::Validation("a verdict needs a reason".to_owned()));
        }
        if verdict != incident.verdict || reason != incident.verdict_reason {
            let text = format!("Verdict {verdict}: {}", visible(reason.as_deref().unwrap_or("-"), 200));
            let of = |verdict: Verdict, reason: &Option<String>| serde_json::json!({"verdict": verdict, "reason": reason});
            let change =
                Change::new("verdict", of(incident.verdict, &incident.verdict_reason), of(verdict, &reason));
            steps.push(Step { kind: "verdict", text, change });
            incident.verdict = verdict;
            incident.verdict_reason = reason;
        }
    }
    if let Some(status) = patch.status
        && status != incident.status
    {
        if !incident.status.can_become(status) {
            return Err(StoreError::Precondition(format!(
                "incident {} is {} and cannot become {status}",
                incident.number, incident.status
            )));
        }
        let text = format!("Status from {} to {status}", incident.status);
        let change = Change::new("status", incident.status.as_str(), status.as_str());
        steps.push(Step { kind: "status", text, change });
        incident.status = status;
        incident.resolved_at = match status {
            Status::Resolved => Some(now),
            Status::Closed => incident.resolved_at,
            Status::Open | Status::Investigating | Status::Contained | Status::Reopened => None,
        };
    }
    if !steps.is_empty() {
        incident.acknowledged_at.get_or_insert(now);
    }
    Ok(steps)
}

async fn locked(write: &mut Write, id: IncidentId) -> Result<Incident, StoreError> {
    let lock = write.dialect().for_update();
    let row = write
        .fetch_optional(format!("{SELECT} WHERE id = $1{lock}"), args![id.to_string()])
        .await?
        .ok_or_else(|| StoreError::NotFound(format!("incident {id}")))?;
    incident::from_row(&row)
}

/// Adds a line to the timeline of an incident.
pub(crate) async fn timeline(
    write: &mut Write,
    id: IncidentId,
    at: chrono::DateTime<chrono::Utc>,
    actor: &str,
    kind: &'static str,
    text: &str,
) -> Result<(), StoreError> {
    write
        .execute(
            "INSERT INTO incident_timeline (incident_id, at, actor, kind, text) VALUES ($1, $2, $3, $4, $5)",
            args![id.to_string(), at, actor, kind, text],
        )
        .await
        .map(drop)
}
