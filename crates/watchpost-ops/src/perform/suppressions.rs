//! Suppressions.

use chrono::Duration;
use watchpost_detect as detect;
use watchpost_model::suppression::{Suppression, SuppressionPreview};
use watchpost_redis::health_limits;
use watchpost_store::NewSuppression;

use super::{cursor, cursor_text, page_size, required};
use crate::contract::{
    Nothing, SuppressedList, SuppressionAdd, SuppressionFindings, SuppressionList, SuppressionPreviewRequest,
    SuppressionRemove,
};
use crate::door::Context;
use crate::error::OpError;
use crate::health_watch::rule_of;

pub(crate) async fn suppression_preview(
    cx: Context,
    request: SuppressionPreviewRequest,
) -> Result<SuppressionPreview, OpError> {
    if !(1..=365).contains(&request.days) {
        return Err(OpError::invalid("days", "a preview looks back 1 to 365 days"));
    }
    if let Some(rule) = &request.scope.rule {
        known_rule(&cx, rule).await?;
    }
    let workspace = cx.workspace()?;
    let from = workspace.now() - Duration::days(i64::from(request.days));
    Ok(workspace.store().suppression_preview(&request.scope, from).await?)
}

pub(crate) async fn suppression_add(cx: Context, request: SuppressionAdd) -> Result<Suppression, OpError> {
    let reason = required("reason", &request.reason, 2_000)?;
    let owner = match &request.owner {
        Some(owner) => required("owner", owner, 200)?,
        None => cx.caller.name.clone(),
    };
    if let Some(rule) = &request.scope.rule {
        known_rule(&cx, rule).await?;
    }
    let record = cx.record("suppression", Vec::new(), Some(reason.clone()));
    let new = NewSuppression { scope: request.scope, owner, reason, expires_at: request.expires_at };
    Ok(cx.workspace()?.store().suppression_add(&new, record).await?)
}

/// A rule that is not there makes no findings: its suppression would hide nothing, and somebody believes that it does.
async fn known_rule(cx: &Context, id: &str) -> Result<(), OpError> {
    let workspace = cx.workspace()?;
    let (loaded, _) = workspace.rules().refresh(&workspace, false).await?;
    let is_of_redis = health_limits().iter().any(|metric| rule_of(&metric.name) == id);
    if id == detect::enrich::LISTED_RULE || is_of_redis || loaded.set.rule(id).is_some() {
        return Ok(());
    }
    let ids = loaded.set.rules().iter().map(|rule| rule.info.id.as_str());
    let error = OpError::invalid("scope.rule", format!("there is no rule {id:?}"));
    Err(match detect::nearest(id, ids) {
        Some(near) => error.hint(format!("is {near} meant?")),
        None => error.hint("`watchpost rules list` shows them"),
    })
}

pub(crate) async fn suppression_list(cx: Context, _: Nothing) -> Result<SuppressionList, OpError> {
    let workspace = cx.workspace()?;
    let (rows, now) = (workspace.store().suppression_list().await?, workspace.now());
    let in_force = rows.iter().filter(|row| row.is_in_force(now)).count() as u64;
    Ok(SuppressionList { rows, in_force })
}

pub(crate) async fn suppression_findings(
    cx: Context,
    request: SuppressionFindings,
) -> Result<SuppressedList, OpError> {
    let limit = page_size(request.limit)?;
    let before = cursor(request.after.as_deref())?;
    let page = cx.workspace()?.store().suppressed_findings(request.id, before, limit).await?;
    Ok(SuppressedList { rows: page.rows, next: cursor_text(page.next)? })
}

pub(crate) async fn suppression_remove(
    cx: Context,
    request: SuppressionRemove,
) -> Result<Suppression, OpError> {
    let reason = required("reason", &request.reason, 2_000)?;
    let record = cx.record(format!("suppression/{}", request.id), Vec::new(), Some(reason));
    Ok(cx.workspace()?.store().suppression_remove(request.id, record).await?)
}
