//! Working on incidents: clocks, merging, many at once, playbooks.

use watchpost_model::incident::{BulkAction, BulkOutcome, Incident, IncidentDetail, Status, Verdict};
use watchpost_store::{BulkTarget, IncidentPatch};

use super::incidents::{change, detailed, object};
use super::{cursor, cursor_text, page_size, required};
use crate::contract::{
    IncidentBulk, IncidentEarlier, IncidentEscalate, IncidentEventList, IncidentEventsRequest,
    IncidentHandover, IncidentMerge, IncidentPause, IncidentRef, IncidentSimilar, IncidentSplit,
    IncidentStepCheck, IncidentUndo, NotePart, Nothing, RuleFeedbackList, SimilarList, TimelinePart,
};
use crate::door::Context;
use crate::error::OpError;
use crate::playbooks::playbook;

pub(crate) async fn incident_events(
    cx: Context,
    request: IncidentEventsRequest,
) -> Result<IncidentEventList, OpError> {
    let limit = page_size(request.limit)?;
    let before = cursor(request.after.as_deref())?;
    let page = cx.workspace()?.store().incident_events(request.number, before, limit).await?;
    Ok(IncidentEventList {
        rows: page.rows,
        next: cursor_text(page.next)?,
        total: page.total,
        occurrences: page.occurrences,
    })
}

pub(crate) async fn incident_handover(cx: Context, request: IncidentHandover) -> Result<Incident, OpError> {
    let incident = cx.workspace()?.store().incident_row(request.number).await?;
    let to = required("to", &request.to, 200)?;
    let note = required("note", &request.note, 10_000)?;
    if incident.assignee.as_deref() == Some(to.as_str()) {
        return Err(OpError::invalid("to", format!("{to} has incident {} already", request.number)));
    }
    let patch =
        IncidentPatch { assignee: Some(Some(to)), handover: Some(note.clone()), ..IncidentPatch::default() };
    change(&cx, &incident, request.version, patch, Some(note)).await
}

pub(crate) async fn incident_escalate(cx: Context, request: IncidentEscalate) -> Result<Incident, OpError> {
    let incident = cx.workspace()?.store().incident_row(request.number).await?;
    let reason = required("reason", &request.reason, 2_000)?;
    let to = request.to.as_deref().map(|to| required("to", to, 200)).transpose()?;
    if request.severity.is_none() && to.is_none() {
        return Err(OpError::invalid("severity", "escalate to a severity, to somebody, or both"));
    }
    let patch = IncidentPatch {
        severity: request.severity.map(|severity| (severity, reason.clone())),
        escalate: to.map(|to| (to, reason.clone())),
        ..IncidentPatch::default()
    };
    change(&cx, &incident, request.version, patch, Some(reason)).await
}

pub(crate) async fn incident_pause(cx: Context, request: IncidentPause) -> Result<Incident, OpError> {
    let incident = cx.workspace()?.store().incident_row(request.number).await?;
    let note = required("note", &request.note, 2_000)?;
    let patch = IncidentPatch { pause: Some((request.reason, note.clone())), ..IncidentPatch::default() };
    change(&cx, &incident, request.version, patch, Some(note)).await
}

pub(crate) async fn incident_resume(cx: Context, request: IncidentRef) -> Result<Incident, OpError> {
    let incident = cx.workspace()?.store().incident_row(request.number).await?;
    let patch = IncidentPatch { resume: true, ..IncidentPatch::default() };
    change(&cx, &incident, None, patch, None).await
}

pub(crate) async fn incident_merge(cx: Context, request: IncidentMerge) -> Result<Incident, OpError> {
    let reason = required("reason", &request.reason, 2_000)?;
    let record = cx.record(object(request.into), Vec::new(), Some(reason.clone()));
    Ok(cx.workspace()?.store().incident_merge(&request.numbers, request.into, &reason, record).await?)
}

pub(crate) async fn incident_split(cx: Context, request: IncidentSplit) -> Result<Incident, OpError> {
    let reason = required("reason", &request.reason, 2_000)?;
    let record = cx.record(object(request.number), Vec::new(), Some(reason.clone()));
    Ok(cx.workspace()?.store().incident_split(request.number, &reason, record).await?)
}

pub(crate) async fn incident_timeline(
    cx: Context,
    request: IncidentEarlier,
) -> Result<TimelinePart, OpError> {
    let limit = page_size(request.limit)?;
    let workspace = cx.workspace()?;
    let (rows, earlier) =
        workspace.store().incident_timeline(request.number, request.before.as_deref(), limit).await?;
    Ok(TimelinePart { rows, earlier })
}

pub(crate) async fn incident_notes(cx: Context, request: IncidentEarlier) -> Result<NotePart, OpError> {
    let limit = page_size(request.limit)?;
    let workspace = cx.workspace()?;
    let (rows, earlier) =
        workspace.store().incident_notes(request.number, request.before.as_deref(), limit).await?;
    Ok(NotePart { rows, earlier })
}

pub(crate) async fn incident_similar(cx: Context, request: IncidentSimilar) -> Result<SimilarList, OpError> {
    let limit = if request.limit == 0 { 20 } else { page_size(request.limit)? };
    let rows = cx.workspace()?.store().incident_similar(request.number, limit as usize).await?;
    let active = rows.iter().filter(|row| row.incident.status.is_active()).count() as u64;
    Ok(SimilarList { rows, active })
}

pub(crate) async fn incident_step_check(
    cx: Context,
    request: IncidentStepCheck,
) -> Result<IncidentDetail, OpError> {
    let workspace = cx.workspace()?;
    let incident = workspace.store().incident_row(request.number).await?;
    let note = request.note.as_deref().map(|note| required("note", note, 2_000)).transpose()?;
    let steps = playbook(incident.family, &[]).map(|playbook| playbook.steps).unwrap_or_default();
    let step = steps.iter().find(|step| step.id == request.step).ok_or_else(|| {
        let known: Vec<&str> = steps.iter().map(|step| step.id.as_str()).collect();
        OpError::invalid("step", format!("the playbook has no step {:?}", request.step))
            .hint(format!("its steps are {}", known.join(", ")))
    })?;
    let record = cx.record(object(request.number), Vec::new(), note.clone());
    let names = (step.id.as_str(), step.title.as_str());
    workspace.store().incident_step(request.number, names, request.done, note.as_deref(), record).await?;
    detailed(&workspace, request.number).await
}

pub(crate) async fn incident_bulk(cx: Context, request: IncidentBulk) -> Result<BulkOutcome, OpError> {
    let target = match (request.filter, request.expected) {
        (None, _) => BulkTarget::Numbers(request.numbers),
        (Some(_), _) if !request.numbers.is_empty() => {
            return Err(OpError::invalid("numbers", "give numbers or a filter, not both"));
        }
        (Some(_), None) => {
            return Err(OpError::invalid("expected", "with a filter, say how many incidents it described"));
        }
        (Some(filter), Some(expected)) => BulkTarget::Filter { filter: Box::new(filter), expected },
    };
    let (action, reason) = checked(request.action)?;
    let record = cx.record("bulk", Vec::new(), reason);
    Ok(cx.workspace()?.store().incident_bulk(&target, &action, record).await?)
}

/// The action with its texts checked, and the reason for the trail.
fn checked(action: BulkAction) -> Result<(BulkAction, Option<String>), OpError> {
    Ok(match action {
        BulkAction::Take => (BulkAction::Take, None),
        BulkAction::Assign { assignee } => {
            let assignee = assignee.map(|name| required("assignee", &name, 200)).transpose()?;
            (BulkAction::Assign { assignee }, None)
        }
        BulkAction::Status { status: Status::Resolved, .. } => {
            return Err(OpError::invalid("status", "resolving needs a verdict").hint("use resolve"));
        }
        BulkAction::Status { status: Status::Reopened, reason: None } => {
            return Err(OpError::invalid("reason", "reopening needs a reason"));
        }
        BulkAction::Status { status, reason } => {
            let reason = reason.map(|reason| required("reason", &reason, 2_000)).transpose()?;
            (BulkAction::Status { status, reason: reason.clone() }, reason)
        }
        BulkAction::Resolve { verdict: Verdict::Unjudged, .. } => {
            return Err(OpError::invalid("verdict", "resolving needs a verdict"));
        }
        BulkAction::Resolve { verdict, cause, reason } => {
            super::incidents::cause_fits(verdict, cause)?;
            let words = super::incidents::reason_of(cause, &reason)?;
            (BulkAction::Resolve { verdict, cause, reason }, Some(words))
        }
        BulkAction::Note { text } => {
            let text = required("text", &text, 10_000)?;
            (BulkAction::Note { text }, None)
        }
        BulkAction::Suppress { reason, days } => {
            let reason = required("reason", &reason, 2_000)?;
            if !(1..=90).contains(&days) {
                return Err(OpError::invalid("days", "a suppression lasts 1 to 90 days"));
            }
            (BulkAction::Suppress { reason: reason.clone(), days }, Some(reason))
        }
    })
}

pub(crate) async fn incident_undo(cx: Context, request: IncidentUndo) -> Result<BulkOutcome, OpError> {
    let record = cx.record(format!("bulk/{}", request.undo), Vec::new(), None);
    Ok(cx.workspace()?.store().incident_undo(&request.undo, record).await?)
}

pub(crate) async fn rule_feedback(cx: Context, _: Nothing) -> Result<RuleFeedbackList, OpError> {
    Ok(RuleFeedbackList { rules: cx.workspace()?.store().rule_feedback().await? })
}
