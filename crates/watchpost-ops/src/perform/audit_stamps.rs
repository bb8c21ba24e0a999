//! Time stamps of checkpoints: the request and the answer are files that somebody carries to an authority and back.

use sha2::{Digest, Sha256};
use watchpost_model::audit::{AuditStamp, Change};
use watchpost_store::stamp_request;

use super::audit_export::checkpoint;
use crate::contract::{AuditTimestampKeep, AuditTimestampRequest, Nothing};
use crate::door::Context;
use crate::error::OpError;

pub(crate) async fn audit_timestamp_request(
    cx: Context,
    _: Nothing,
) -> Result<AuditTimestampRequest, OpError> {
    let workspace = cx.workspace()?;
    let checkpoint = checkpoint(&workspace, "timestamp").await?;
    Ok(AuditTimestampRequest {
        size: checkpoint.size,
        sha256: hex::encode(Sha256::digest(checkpoint.note.as_bytes())),
        request: hex::encode(stamp_request(&checkpoint.note)),
    })
}

pub(crate) async fn audit_timestamp_keep(
    cx: Context,
    request: AuditTimestampKeep,
) -> Result<AuditStamp, OpError> {
    let workspace = cx.workspace()?;
    let response = hex::decode(request.response.trim())
        .map_err(|_| OpError::invalid("response", "the answer is not hexadecimal"))?;
    let draft = |stamp: &AuditStamp| {
        let fact = |name: &str, value: serde_json::Value| Change::new(name, serde_json::Value::Null, value);
        let changes = vec![
            fact("size", stamp.size.into()),
            fact("stamped_at", stamp.at.to_rfc3339().into()),
            fact("authority", stamp.authority.clone().into()),
        ];
        cx.record("audit", changes, None)
    };
    Ok(workspace.store().audit_stamp_keep(&response, draft).await?)
}
