//! Working on incidents.

use watchpost_model::incident::{Incident, IncidentDetail, Status, Verdict};
use watchpost_store::{IncidentCounts, IncidentPatch};

use super::{cursor, cursor_text, page_size, required};
use crate::contract::{
    FamilyCount, IncidentAssign, IncidentFacets, IncidentNote, IncidentPage, IncidentPageRequest,
    IncidentRef, IncidentResolve, IncidentStatusSet, NameCount, SeverityCount, StatusCount,
};
use crate::door::Context;
use crate::error::OpError;

pub(crate) async fn incident_page(
    cx: Context,
    request: IncidentPageRequest,
) -> Result<IncidentPage, OpError> {
    let workspace = cx.workspace()?;
    let limit = page_size(request.limit)?;
    let after = cursor(request.after.as_deref())?;
    let page = workspace.store().incident_page(&request.filter, request.order, after, limit).await?;
    let counts = workspace.store().incident_counts(&request.filter).await?;
    Ok(IncidentPage {
        rows: page.rows,
        next: cursor_text(page.next)?,
        total: counts.total,
        facets: facets(counts),
    })
}

fn facets(counts: IncidentCounts) -> IncidentFacets {
    IncidentFacets {
        status: counts.status.into_iter().map(|(value, count)| StatusCount { value, count }).collect(),
        severity: counts.severity.into_iter().map(|(value, count)| SeverityCount { value, count }).collect(),
        family: counts.family.into_iter().map(|(value, count)| FamilyCount { value, count }).collect(),
        assignee: counts
            .assignee
            .into_iter()
            .map(|(value, count)| NameCount { value: value.unwrap_or_default(), count })
            .collect(),
    }
}

pub(crate) async fn incident_detail(cx: Context, request: IncidentRef) -> Result<IncidentDetail, OpError> {
    Ok(cx.workspace()?.store().incident_by_number(request.number).await?)
}

pub(crate) async fn incident_take(cx: Context, request: IncidentRef) -> Result<Incident, OpError> {
    let workspace = cx.workspace()?;
    let incident = workspace.store().incident_by_number(request.number).await?.incident;
    let me = cx.caller.name.clone();
    let status = match incident.status {
        Status::Open | Status::Reopened => Some(Status::Investigating),
        Status::Investigating | Status::Contained => None,
        Status::Resolved | Status::Closed => {
            return Err(OpError::precondition(format!("incident {} is {}", request.number, incident.status))
                .hint("reopen it first"));
        }
    };
    let patch = IncidentPatch { status, assignee: Some(Some(me)), ..IncidentPatch::default() };
    change(&cx, &incident, None, patch, None).await
}

pub(crate) async fn incident_assign(cx: Context, request: IncidentAssign) -> Result<Incident, OpError> {
    let incident = cx.workspace()?.store().incident_by_number(request.number).await?.incident;
    let assignee = match request.assignee {
        Some(name) => Some(required("assignee", &name, 200)?),
        None => None,
    };
    let patch = IncidentPatch { assignee: Some(assignee), ..IncidentPatch::default() };
    change(&cx, &incident, request.version, patch, None).await
}

pub(crate) async fn incident_status_set(
    cx: Context,
    request: IncidentStatusSet,
) -> Result<Incident, OpError> {
    let incident = cx.workspace()?.store().incident_by_number(request.number).await?.incident;
    let reason = match (&request.reason, request.status) {
        (_, Status::Resolved) => {
            return Err(OpError::invalid("status", "resolving needs a verdict").hint("use resolve"));
        }
        (None, Status::Reopened) => return Err(OpError::invalid("reason", "reopening needs a reason")),
        (Some(reason), _) => Some(required("reason", reason, 2_000)?),
        (None, _) => None,
    };
    let patch = IncidentPatch { status: Some(request.status), ..IncidentPatch::default() };
    change(&cx, &incident, request.version, patch, reason).await
}

pub(crate) async fn incident_resolve(cx: Context, request: IncidentResolve) -> Result<Incident, OpError> {
    let incident = cx.workspace()?.store().incident_by_number(request.number).await?.incident;
    if request.verdict == Verdict::Unjudged {
        return Err(OpError::invalid("verdict", "resolving needs a verdict"));
    }
    let reason = required("reason", &request.reason, 2_000)?;
    let patch = IncidentPatch {
        status: Some(Status::Resolved),
        verdict: Some((request.verdict, reason.clone())),
        // Who judges an incident that nobody had taken has taken it.
        assignee: incident.assignee.is_none().then(|| Some(cx.caller.name.clone())),
        ..IncidentPatch::default()
    };
    change(&cx, &incident, request.version, patch, Some(reason)).await
}

pub(crate) async fn incident_note(cx: Context, request: IncidentNote) -> Result<IncidentDetail, OpError> {
    let workspace = cx.workspace()?;
    let text = required("text", &request.text, 10_000)?;
    let incident = workspace.store().incident_by_number(request.number).await?.incident;
    let record = cx.record(object(request.number), Vec::new(), None);
    workspace.store().note_add(incident.id, &text, &cx.caller.name, record).await?;
    Ok(workspace.store().incident_by_number(request.number).await?)
}

pub(crate) fn object(number: i64) -> String {
    format!("incident/{number}")
}

/// Applies a patch on the version that the person saw, else on the one just read.
async fn change(
    cx: &Context,
    incident: &Incident,
    version: Option<i64>,
    patch: IncidentPatch,
    reason: Option<String>,
) -> Result<Incident, OpError> {
    let version = version.unwrap_or(incident.version);
    let record = cx.record(object(incident.number), Vec::new(), reason);
    Ok(cx.workspace()?.store().incident_change(incident.id, version, patch, record).await?)
}
