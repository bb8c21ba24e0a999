//! Working on incidents.

use watchpost_model::incident::{Incident, IncidentDetail, Status, Verdict, VerdictCause};
use watchpost_store::{IncidentCounts, IncidentPatch};

use super::{cursor, cursor_text, page_size, required};
use crate::console::Workspace;
use crate::contract::{
    FamilyCount, IncidentAssign, IncidentFacets, IncidentNote, IncidentPage, IncidentPageRequest,
    IncidentRef, IncidentResolve, IncidentStatusSet, NameCount, SeverityCount, StatusCount,
};
use crate::door::Context;
use crate::error::OpError;
use crate::playbooks::playbook;

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
    detailed(&*cx.workspace()?, request.number).await
}

/// The page of an incident with the playbook of its family.
pub(super) async fn detailed(workspace: &Workspace, number: i64) -> Result<IncidentDetail, OpError> {
    let mut detail = workspace.store().incident_by_number(number).await?;
    detail.playbook = playbook(detail.incident.family, &detail.checks);
    Ok(detail)
}

pub(crate) async fn incident_take(cx: Context, request: IncidentRef) -> Result<Incident, OpError> {
    let workspace = cx.workspace()?;
    let incident = workspace.store().incident_row(request.number).await?;
    let me = cx.caller.name.clone();
    let status = incident.status.when_taken().ok_or_else(|| {
        OpError::precondition(format!("incident {} is {}", request.number, incident.status))
            .hint("reopen it first")
    })?;
    let patch = IncidentPatch { status: Some(status), assignee: Some(Some(me)), ..IncidentPatch::default() };
    change(&cx, &incident, None, patch, None).await
}

pub(crate) async fn incident_assign(cx: Context, request: IncidentAssign) -> Result<Incident, OpError> {
    let incident = cx.workspace()?.store().incident_row(request.number).await?;
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
    let incident = cx.workspace()?.store().incident_row(request.number).await?;
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
    let incident = cx.workspace()?.store().incident_row(request.number).await?;
    if request.verdict == Verdict::Unjudged {
        return Err(OpError::invalid("verdict", "resolving needs a verdict"));
    }
    cause_fits(request.verdict, request.cause)?;
    let reason = reason_of(request.cause, &request.reason)?;
    if request.duplicate_of.is_some() && request.verdict != Verdict::Duplicate {
        return Err(OpError::invalid("duplicate_of", "only a duplicate has an incident that is kept"));
    }
    let patch = IncidentPatch {
        status: Some(Status::Resolved),
        verdict: Some((request.verdict, request.reason.trim().to_owned())),
        cause: request.cause,
        duplicate_of: request.duplicate_of,
        // Who judges an incident that nobody had taken has taken it.
        assignee: incident.assignee.is_none().then(|| Some(cx.caller.name.clone())),
        ..IncidentPatch::default()
    };
    change(&cx, &incident, request.version, patch, Some(reason)).await
}

/// Is the cause one of the verdict's list?
pub(super) fn cause_fits(verdict: Verdict, cause: Option<VerdictCause>) -> Result<(), OpError> {
    match cause {
        Some(cause) if !verdict.causes().contains(&cause) => {
            let allowed: Vec<&str> = verdict.causes().iter().map(|cause| cause.as_str()).collect();
            Err(OpError::invalid("cause", format!("{cause} is no cause of the verdict {verdict}"))
                .hint(format!("use one of {}", allowed.join(", "))))
        }
        _ => Ok(()),
    }
}

/// The reason for the trail: the words of the person, else the cause.
pub(super) fn reason_of(cause: Option<VerdictCause>, words: &str) -> Result<String, OpError> {
    match cause {
        Some(cause) if cause != VerdictCause::Other && words.trim().is_empty() => {
            Ok(cause.as_str().replace('_', " "))
        }
        _ => required("reason", words, 2_000),
    }
}

pub(crate) async fn incident_note(cx: Context, request: IncidentNote) -> Result<IncidentDetail, OpError> {
    let workspace = cx.workspace()?;
    let text = required("text", &request.text, 10_000)?;
    let incident = workspace.store().incident_row(request.number).await?;
    let record = cx.record(object(request.number), Vec::new(), None);
    workspace.store().note_add(incident.id, &text, &cx.caller.name, record).await?;
    detailed(&workspace, request.number).await
}

pub(crate) fn object(number: i64) -> String {
    format!("incident/{number}")
}

/// Applies a patch on the version that the person saw, else on the one just read.
pub(super) async fn change(
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
