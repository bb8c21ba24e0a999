//! What people say about controls and their exceptions.

use serde_json::Value;
use watchpost_model::audit::Change;
use watchpost_model::ids::CommentId;
use watchpost_model::period::Period;
use watchpost_model::report::ControlComment;
use watchpost_report::{ControlResult, Framework};

use super::super::events::checked;
use super::super::required;
use super::{GIVEN_MAX, compose, framework, judged, kept, scope};
use crate::contract::{ReportCommentAdd, ReportCommentList, ReportCommentRef, ReportCommentsRequest};
use crate::door::Context;
use crate::error::OpError;
use crate::setting::json;

pub(crate) async fn report_comment_add(
    cx: Context,
    request: ReportCommentAdd,
) -> Result<ControlComment, OpError> {
    let workspace = cx.workspace()?;
    let framework = framework(&cx, &request.framework)?;
    if !framework.controls.iter().any(|control| control.id == request.control) {
        let message = format!("{} has no control {:?}", framework.name, request.control);
        return Err(OpError::invalid("control", message));
    }
    let text = required("text", &request.text, 2_000)?;
    let (row, key) = if request.row.is_empty() {
        (Vec::new(), None)
    } else {
        let (control, looked_at) = evidence(&cx, framework, &request.control, request.period).await?;
        control.row_meant(&request.row).ok_or_else(|| {
            let (control, from) = (&request.control, &looked_at);
            OpError::invalid("row", format!("the evidence of {control} in {from} holds no such row")).hint(
                "give the row as the report has it, or the one cell by which it is known; a period, for another report",
            )
        })?
    };
    let now = workspace.now();
    let comment = ControlComment {
        id: CommentId::at(now),
        framework: request.framework,
        control: request.control,
        key,
        row,
        text,
        by: cx.caller.name.clone(),
        at: now,
    };
    let changes = vec![Change::new("comment", Value::Null, json(&comment)?)];
    let entry = cx.record(object(&comment), changes, Some(comment.text.clone()));
    workspace.store().control_comment_add(&comment, entry).await?;
    Ok(comment)
}

pub(crate) async fn report_comment_list(
    cx: Context,
    request: ReportCommentsRequest,
) -> Result<ReportCommentList, OpError> {
    let workspace = cx.workspace()?;
    let framework = framework(&cx, &request.framework)?;
    let found = workspace.store().control_comments(&framework.id, workspace.now(), GIVEN_MAX).await?;
    Ok(ReportCommentList { comments: found.0, left_out: found.1 })
}

pub(crate) async fn report_comment_withdraw(
    cx: Context,
    request: ReportCommentRef,
) -> Result<ControlComment, OpError> {
    let workspace = cx.workspace()?;
    let comment = workspace.store().control_comment(request.id).await?;
    let changes = vec![Change::new("comment", json(&comment)?, Value::Null)];
    let entry = cx.record(object(&comment), changes, None);
    workspace.store().control_comment_remove(request.id, entry).await?;
    Ok(comment)
}

fn object(comment: &ControlComment) -> String {
    format!("control/{}/{}", comment.framework, comment.control)
}

/// The control with its evidence, and where that is from: over a period, or as the report about the newest one has it.
async fn evidence(
    cx: &Context,
    framework: Framework,
    control: &str,
    period: Option<Period>,
) -> Result<(ControlResult, String), OpError> {
    let workspace = cx.workspace()?;
    let store = workspace.store();
    let (document, from) = if let Some(period) = period {
        let store = store.snapshot().await?;
        let head = store.audit_head().await?;
        let scope = scope(cx, &workspace, (&framework.id, None, checked(period)?), head).await?;
        let controls = framework.controls.into_iter().filter(|one| one.id == control).collect();
        let making = cx.console.0.makings.begin(None)?;
        let framework = Framework { controls, ..framework };
        let judged = Box::pin(judged(&store, &framework, scope, (&making, 0))).await?;
        (judged, "this period".to_owned())
    } else {
        let reports = store.reports().await?.0.into_iter();
        // The newest period, not the newest file: somebody may have had last year's made once more.
        let newest = reports
            .filter(|report| report.framework == framework.id)
            .max_by_key(|report| (report.period.to, report.made_at));
        let newest = newest.ok_or_else(|| {
            OpError::invalid("period", format!("no report about {} was made", framework.name))
                .hint("name the period whose evidence holds the row")
        })?;
        let (id, begin, end) =
            (newest.id, compose::time(newest.period.from), compose::time(newest.period.to));
        (kept(store, id).await?, format!("report {id} ({begin} to {end})"))
    };
    let found = document.controls.into_iter().find(|one| one.id == control);
    let found =
        found.ok_or_else(|| OpError::invalid("control", format!("{from} does not have {control}")))?;
    Ok((found, from))
}
