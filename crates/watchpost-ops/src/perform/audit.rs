//! The audit trail.

use watchpost_model::audit::AuditVerification;

use super::page_size;
use crate::contract::{AuditPage, AuditPageRequest, Nothing};
use crate::door::Context;
use crate::error::OpError;

pub(crate) async fn audit_page(cx: Context, request: AuditPageRequest) -> Result<AuditPage, OpError> {
    let workspace = cx.workspace()?;
    let limit = page_size(request.limit)?;
    let rows = workspace.store().audit_page(&request.filter, request.before, limit).await?;
    let next = (rows.len() == limit as usize).then(|| rows.last().map(|row| row.seq)).flatten();
    let checkpoint = workspace.store().checkpoints(1).await?.into_iter().next();
    Ok(AuditPage { rows, next, size: workspace.store().audit_head().await?.size.cast_signed(), checkpoint })
}

pub(crate) async fn audit_verify(cx: Context, _: Nothing) -> Result<AuditVerification, OpError> {
    Ok(cx.workspace()?.store().audit_verify(&cx.caller, &|_, _| {}).await?)
}
