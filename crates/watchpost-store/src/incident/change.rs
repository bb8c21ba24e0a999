//! What people do to an incident: status, verdict, assignee, clocks, notes. Each with its audit record in the same
//! transaction.

use chrono::{DateTime, Utc};
use serde_json::Value;
use watchpost_model::access::Origin;
use watchpost_model::audit::{AuditDraft, Change};
use watchpost_model::event::Severity;
use watchpost_model::ids::{IncidentId, NoteId};
use watchpost_model::incident::{
    Incident, LinkKind, Note, PauseReason, Paused, Status, Verdict, VerdictCause,
};
use watchpost_model::text::visible;

use super::{Own, bulk, detail, events, locked, merge, refuse_merged, set_clocks, update};
use crate::engine::{Tx, args};
use crate::error::StoreError;
use crate::response::ENGINE;
use crate::risk;
use crate::store::{Store, Tag, Write};

/// What is to change; `None` leaves a field as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IncidentPatch {
    /// The next status.
    pub status: Option<Status>,
    /// The verdict and its reason in words.
    pub verdict: Option<(Verdict, String)>,
    /// The cause of the verdict, from its list; `None` is [`VerdictCause::Other`].
    pub cause: Option<VerdictCause>,
    /// With the verdict `duplicate`: the number of the incident that is kept.
    pub duplicate_of: Option<i64>,
    /// The assignee; `Some(None)` takes it from whoever has it.
    pub assignee: Option<Option<String>>,
    /// What whoever takes over has to know; with `assignee`.
    pub handover: Option<String>,
    /// A higher severity, by a person, and why.
    pub severity: Option<(Severity, String)>,
    /// Whom it is escalated to, and why.
    pub escalate: Option<(String, String)>,
    /// Stop the clocks, and what is waited for.
    pub pause: Option<(PauseReason, String)>,
    /// Let the clocks run again.
    pub resume: bool,
}

impl Store {
    /// Changes an incident that still has `expected_version`.
    ///
    /// The first change by a person acknowledges it. [`Store::incident_undo`] takes it back once, unless it stopped or
    /// started the clocks or the engine made it: by number and new version, `42@7`. Its audit record is `draft` with
    /// object and changes filled in here, where the old values are known.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` if somebody changed it since; `Precondition` if the status cannot become that one or nothing
    /// changes; `Validation` if a verdict has no reason; what the database says.
    pub async fn incident_change(
        &self,
        id: IncidentId,
        expected_version: i64,
        patch: IncidentPatch,
        draft: AuditDraft,
    ) -> Result<Incident, StoreError> {
        let mut write = self.write().await?;
        let (old, own) = locked(&mut write, id).await?;
        if old.version != expected_version {
            return Err(StoreError::Conflict(format!(
                "incident {} was changed in the meantime: it has version {}, the change was made on {expected_version}",
                old.number, old.version
            )));
        }
        let now = self.inner.clock.now();
        let caller = draft.caller.clone();
        let Changed { incident: new, duplicate_of } =
            change_one(&mut write, (old.clone(), own.clone()), &patch, now, draft).await?;
        // Clocks are stopped and started again by hand, and what the engine does is nobody's to undo.
        if patch.pause.is_none() && !patch.resume && caller.origin != Origin::Engine {
            bulk::remember(&mut write, (&old, own.as_ref()), &new, duplicate_of, now, &caller.name).await?;
        }
        write.touch(Tag::Incidents);
        self.commit(write).await?;
        Ok(new)
    }

    /// Adds a note; the first one by a person acknowledges the incident. Notes do not collide, so no version is asked, and
    /// one that acknowledges nothing makes none: what was done before can still be taken back.
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
        let mut write = self.write().await?;
        let (mut incident, _) = locked(&mut write, id).await?;
        let note = write_note(&mut write, &mut incident, text, author, now).await?;
        let mut draft = AuditDraft { object: format!("incident/{}", incident.number), ..draft };
        draft.changes.push(Change::new("note", Value::Null, text));
        write.audit(draft);
        write.touch(Tag::Incidents);
        self.commit(write).await?;
        Ok(note)
    }
}

/// Adds a note to a locked incident.
pub(super) async fn write_note(
    tx: &mut Tx,
    incident: &mut Incident,
    text: &str,
    author: &str,
    now: DateTime<Utc>,
) -> Result<Note, StoreError> {
    refuse_merged(incident)?;
    let note = Note { id: NoteId::at(now), author: author.to_owned(), at: now, text: text.to_owned() };
    if incident.acknowledged_at.is_none() {
        incident.acknowledged_at = Some(now);
        incident.version += 1;
        update(tx, incident).await?;
    }
    tx.execute(
        "INSERT INTO incident_note (id, incident_id, at, author, text) VALUES ($1, $2, $3, $4, $5)",
        args![note.id.to_string(), incident.id.to_string(), now, author, text],
    )
    .await?;
    timeline(tx, incident.id, now, author, "note", &visible(text, 200)).await?;
    Ok(note)
}

/// An incident as it was changed.
pub(super) struct Changed {
    /// As it stands now.
    pub(super) incident: Incident,
    /// The one that it is linked to as a duplicate since.
    pub(super) duplicate_of: Option<IncidentId>,
}

/// Changes a locked incident with timeline and audit record.
pub(super) async fn change_one(
    write: &mut Write,
    (old, own): (Incident, Option<Own>),
    patch: &IncidentPatch,
    now: DateTime<Utc>,
    draft: AuditDraft,
) -> Result<Changed, StoreError> {
    refuse_merged(&old)?;
    let mut new = old.clone();
    let mut steps = apply(&mut new, patch, now)?;
    let mut duplicate_of = None;
    if let (Some((Verdict::Duplicate, _)), Some(number)) = (&patch.verdict, patch.duplicate_of) {
        let kept = detail::by_number(write, number).await?;
        if kept.id == new.id {
            return Err(StoreError::Validation("an incident is no duplicate of itself".to_owned()));
        }
        let is_new = add_link(write, new.id, kept.id, LinkKind::Duplicate, now, &draft.caller.name).await?;
        duplicate_of = is_new.then_some(kept.id);
        // Judged before, it can still be said which one is kept.
        if is_new && steps.is_empty() {
            let change = Change::new("duplicate_of", Value::Null, number);
            steps.push(Step { kind: "link", text: format!("Duplicate of incident {number}"), change });
        }
    }
    if steps.is_empty() {
        return Err(StoreError::Precondition(format!(
            "incident {} is {} and has all of this already: nothing would change",
            old.number, old.status
        )));
    }
    new.version += 1;
    update(write, &new).await?;
    if new.verdict != old.verdict {
        risk::recount(write, &new).await?;
    }
    if let Some(mut own) = own
        && new.severity != old.severity
    {
        own.severity = new.severity;
        merge::keep_own(write, new.id, Some(&own)).await?;
    }
    pause_rows(write, (&old, &new), patch, now, &draft.caller.name).await?;
    if old.status.is_active() && !new.status.is_active() {
        events::freeze_newest(write, new.id).await?;
    }
    let mut draft = AuditDraft { object: format!("incident/{}", new.number), ..draft };
    // Resolving says its own cause; whoever moves an incident otherwise, and says why, is read on its page.
    let why = draft.reason.as_deref().filter(|_| patch.verdict.is_none());
    for Step { kind, mut text, change } in steps {
        if let Some(why) = why.filter(|_| kind == "status") {
            text = format!("{text}: {}", visible(why, 200));
        }
        timeline(write, new.id, now, &draft.caller.name, kind, &text).await?;
        draft.changes.push(change);
    }
    write.audit(draft);
    Ok(Changed { incident: new, duplicate_of })
}

/// Links two incidents; a link that is there stays as it is. True if it is new.
pub(crate) async fn add_link(
    tx: &mut Tx,
    from: IncidentId,
    to: IncidentId,
    kind: LinkKind,
    at: DateTime<Utc>,
    actor: &str,
) -> Result<bool, StoreError> {
    let n = tx
        .execute(
            "INSERT INTO incident_link (from_id, to_id, kind, at, actor) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (from_id, to_id, kind) DO NOTHING",
            args![from.to_string(), to.to_string(), kind.as_str(), at, actor],
        )
        .await?;
    Ok(n > 0)
}

/// Begins or ends the pause that `new` has, or has no longer.
async fn pause_rows(
    tx: &mut Tx,
    (old, new): (&Incident, &Incident),
    patch: &IncidentPatch,
    now: DateTime<Utc>,
    actor: &str,
) -> Result<(), StoreError> {
    if old.paused.is_some() && new.paused.is_none() {
        end_pause(tx, new.id, now, actor).await?;
    }
    if let (None, Some(paused)) = (old.paused, new.paused) {
        let note = patch.pause.as_ref().map_or("", |(_, note)| note.as_str());
        tx.execute(
            "INSERT INTO incident_pause (incident_id, reason, note, from_at, started_by) VALUES ($1, $2, $3, $4, $5)",
            args![new.id.to_string(), paused.reason.as_str(), note, paused.since, actor],
        )
        .await?;
    }
    Ok(())
}

/// Ends the pause of an incident in its history.
pub(crate) async fn end_pause(
    tx: &mut Tx,
    id: IncidentId,
    now: DateTime<Utc>,
    actor: &str,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE incident_pause SET until_at = $1, ended_by = $2 WHERE incident_id = $3 AND until_at IS NULL",
        args![now, actor, id.to_string()],
    )
    .await
    .map(drop)
}

/// Lets the clocks run again; how many seconds they stood in this pause.
pub(crate) fn resume(incident: &mut Incident, now: DateTime<Utc>) -> Option<u64> {
    let paused = incident.paused.take()?;
    let stood = u64::try_from((now - paused.since).num_seconds()).unwrap_or(0);
    incident.paused_s += stood;
    set_clocks(incident);
    Some(stood)
}

/// One thing that changes, for the timeline and for the trail.
struct Step {
    kind: &'static str,
    text: String,
    change: Change,
}

impl Step {
    fn new(kind: &'static str, text: String, change: Change) -> Self {
        Self { kind, text, change }
    }
}

fn apply(
    incident: &mut Incident,
    patch: &IncidentPatch,
    now: DateTime<Utc>,
) -> Result<Vec<Step>, StoreError> {
    let mut steps = Vec::new();
    steps.extend(assign(incident, patch));
    steps.extend(escalate(incident, patch)?);
    if let Some((verdict, reason)) = &patch.verdict {
        steps.extend(judge(incident, *verdict, patch.cause, reason)?);
    }
    steps.extend(clocks(incident, patch, now)?);
    if let Some(status) = patch.status
        && status != incident.status
    {
        steps.extend(move_to(incident, status, now)?);
        // What is looked at again has not been judged: until then it counts for no rule and against nobody.
        if status == Status::Reopened && patch.verdict.is_none() {
            let before = incident.verdict;
            let taken_back = judge(incident, Verdict::Unjudged, None, "")?;
            steps
                .extend(taken_back.map(|step| Step { text: format!("Verdict {before} taken back"), ..step }));
        }
    }
    if !steps.is_empty() {
        incident.acknowledged_at.get_or_insert(now);
    }
    Ok(steps)
}

fn assign(incident: &mut Incident, patch: &IncidentPatch) -> Option<Step> {
    let assignee = patch.assignee.clone()?.filter(|name| !name.trim().is_empty());
    if assignee == incident.assignee {
        return None;
    }
    let change = Change::new("assignee", incident.assignee.clone(), assignee.clone());
    let to = assignee.as_deref().map_or_else(|| "nobody".to_owned(), |name| visible(name, 100));
    incident.assignee = assignee;
    Some(match &patch.handover {
        Some(note) => Step::new("handover", format!("Handed over to {to}: {}", visible(note, 2_000)), change),
        None => Step::new("assigned", format!("Assigned to {to}"), change),
    })
}

fn escalate(incident: &mut Incident, patch: &IncidentPatch) -> Result<Vec<Step>, StoreError> {
    let mut steps = Vec::new();
    if let Some((severity, reason)) = &patch.severity {
        if *severity <= incident.severity {
            return Err(StoreError::Precondition(format!(
                "incident {} is {} already: escalating raises the severity; name a higher one, or whom to call in",
                incident.number, incident.severity
            )));
        }
        let text = format!("Severity from {} to {severity}: {}", incident.severity, visible(reason, 200));
        let change = Change::new("severity", incident.severity.as_str(), severity.as_str());
        steps.push(Step::new("escalated", text, change));
        incident.severity = *severity;
        set_clocks(incident);
    }
    if let Some((to, reason)) = &patch.escalate
        && incident.escalated_to.as_deref() != Some(to)
    {
        let text = format!("Escalated to {}: {}", visible(to, 100), visible(reason, 200));
        let change = Change::new("escalated_to", incident.escalated_to.clone(), to.as_str());
        steps.push(Step::new("escalated", text, change));
        incident.escalated_to = Some(to.clone());
    }
    Ok(steps)
}

fn judge(
    incident: &mut Incident,
    verdict: Verdict,
    cause: Option<VerdictCause>,
    reason: &str,
) -> Result<Option<Step>, StoreError> {
    let cause = if verdict == Verdict::Unjudged { None } else { Some(cause.unwrap_or(VerdictCause::Other)) };
    if let Some(cause) = cause
        && !verdict.causes().contains(&cause)
    {
        let allowed: Vec<&str> = verdict.causes().iter().map(|cause| cause.as_str()).collect();
        return Err(StoreError::Validation(format!(
            "{cause} is no cause of the verdict {verdict}: use one of {}",
            allowed.join(", ")
        )));
    }
    let reason = match (reason.trim(), cause) {
        ("", None) => None,
        ("", Some(VerdictCause::Other)) => {
            return Err(StoreError::Validation("a verdict needs a reason".to_owned()));
        }
        ("", Some(cause)) => Some(cause.as_str().replace('_', " ")),
        (text, _) => Some(text.to_owned()),
    };
    if (verdict, cause, &reason) == (incident.verdict, incident.verdict_cause, &incident.verdict_reason) {
        return Ok(None);
    }
    let text = format!("Verdict {verdict}: {}", visible(reason.as_deref().unwrap_or("-"), 200));
    let of = |incident: &Incident| {
        serde_json::json!({
            "verdict": incident.verdict,
            "cause": incident.verdict_cause,
            "reason": incident.verdict_reason,
        })
    };
    let old = of(incident);
    incident.verdict = verdict;
    incident.verdict_cause = cause;
    incident.verdict_reason = reason;
    Ok(Some(Step::new("verdict", text, Change::new("verdict", old, of(incident)))))
}

fn clocks(
    incident: &mut Incident,
    patch: &IncidentPatch,
    now: DateTime<Utc>,
) -> Result<Option<Step>, StoreError> {
    if patch.resume {
        let Some(before) = incident.paused else {
            return Err(StoreError::Precondition(format!(
                "the clocks of incident {} run: there is no pause to end",
                incident.number
            )));
        };
        let stood = resume(incident, now).unwrap_or(0);
        let text = format!("Clocks run again after {} min", stood / 60);
        let change = Change::new("paused", before.reason.as_str(), Value::Null);
        return Ok(Some(Step::new("resume", text, change)));
    }
    let Some((reason, note)) = &patch.pause else { return Ok(None) };
    if let Some(paused) = incident.paused {
        return Err(StoreError::Precondition(format!(
            "the clocks of incident {} stand already ({}): resume it first to give another reason",
            incident.number,
            paused.reason.as_str().replace('_', " ")
        )));
    }
    if !incident.status.is_active() {
        return Err(StoreError::Precondition(format!(
            "incident {} is {}: its clocks stand already; reopen it first",
            incident.number, incident.status
        )));
    }
    incident.paused = Some(Paused { reason: *reason, since: now });
    let words = reason.as_str().replace('_', " ");
    let text = format!("Clocks stopped, {words}: {}", visible(note, 200));
    Ok(Some(Step::new("pause", text, Change::new("paused", Value::Null, reason.as_str()))))
}

fn move_to(incident: &mut Incident, status: Status, now: DateTime<Utc>) -> Result<Vec<Step>, StoreError> {
    if !incident.status.can_become(status) {
        return Err(StoreError::Precondition(format!(
            "incident {} is {} and cannot become {status}: from there it goes to {}",
            incident.number,
            incident.status,
            Status::ALL
                .iter()
                .filter(|next| incident.status.can_become(**next))
                .map(|next| next.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        )));
    }
    let mut steps = Vec::new();
    if status == Status::Resolved
        && let Some(paused) = incident.paused
    {
        let stood = resume(incident, now).unwrap_or(0);
        let change = Change::new("paused", paused.reason.as_str(), Value::Null);
        steps.push(Step::new("resume", format!("Clocks stood for {} min", stood / 60), change));
    }
    let text = format!("Status from {} to {status}", incident.status);
    let change = Change::new("status", incident.status.as_str(), status.as_str());
    steps.push(Step::new("status", text, change));
    incident.status = status;
    match status {
        Status::Resolved => incident.resolved_at = Some(now),
        Status::Closed => {}
        Status::Reopened => {
            // The time in which it was resolved does not count.
            if let Some(resolved) = incident.resolved_at.take() {
                incident.paused_s += u64::try_from((now - resolved).num_seconds()).unwrap_or(0);
                set_clocks(incident);
            }
        }
        Status::Open | Status::Investigating | Status::Contained => incident.resolved_at = None,
    }
    Ok(steps)
}

/// Somebody has something enforced for an incident: that acknowledges it, and once it is in force the incident is
/// contained, if it can be from where it is. What the engine does by itself does neither, and a merged incident stays as it
/// is. What changed is added to the record.
pub(crate) async fn enforced(
    tx: &mut Tx,
    id: IncidentId,
    by: &str,
    in_force: bool,
    now: DateTime<Utc>,
    draft: &mut AuditDraft,
) -> Result<(), StoreError> {
    let (old, _) = locked(tx, id).await?;
    if by == ENGINE || old.merged_into.is_some() {
        return Ok(());
    }
    let mut new = old.clone();
    if old.status.is_active() {
        new.acknowledged_at.get_or_insert(now);
    }
    let mut steps = Vec::new();
    if in_force && old.status.can_become(Status::Contained) {
        steps = move_to(&mut new, Status::Contained, now)?;
    }
    if new == old {
        return Ok(());
    }
    new.version += 1;
    update(tx, &new).await?;
    for Step { kind, text, change } in steps {
        timeline(tx, id, now, by, kind, &text).await?;
        draft.changes.push(Change { field: "incident_status".to_owned(), ..change });
    }
    Ok(())
}

/// Adds a line to the timeline of an incident.
pub(crate) async fn timeline(
    tx: &mut Tx,
    id: IncidentId,
    at: DateTime<Utc>,
    actor: &str,
    kind: &'static str,
    text: &str,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO incident_timeline (incident_id, at, actor, kind, text) VALUES ($1, $2, $3, $4, $5)",
        args![id.to_string(), at, actor, kind, text],
    )
    .await
    .map(drop)
}
