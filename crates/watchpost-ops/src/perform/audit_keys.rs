//! The keys that sign the log.

use watchpost_model::audit::Change;
use watchpost_store::LogKey;

use super::audit::trust;
use super::required;
use crate::contract::{
    AuditKey, AuditKeyAgePut, AuditKeyRevoke, AuditKeyRoll, AuditKeys, AuditTrust, Nothing,
};
use crate::door::Context;
use crate::error::OpError;
use crate::setting;
use crate::witness::{KEY_AGE, KeyAge};

/// Most days after which a key is said to be old: ten years.
const KEY_DAYS_MAX: u32 = 3_650;

pub(crate) async fn audit_key_list(cx: Context, _: Nothing) -> Result<AuditKeys, OpError> {
    let workspace = cx.workspace()?;
    let own = workspace.witness().signer();
    let row = |key: LogKey| AuditKey {
        own: key.revoked.is_none() && Some(&key.name) == own.as_ref(),
        added: key.seq,
        name: key.name,
        vkey: key.vkey,
        after: key.after,
        revoked: key.revoked,
    };
    let keys = workspace.store().audit_log_keys().await?;
    Ok(AuditKeys { keys: keys.into_iter().map(row).collect() })
}

/// What rolling does, for a second person.
pub(crate) async fn key_roll(cx: &Context, request: AuditKeyRoll) -> Result<String, OpError> {
    required("reason", &request.reason, 2_000)?;
    let workspace = cx.workspace()?;
    workspace.fetch_signer().await?;
    let name = workspace.witness().signer();
    let name =
        name.ok_or_else(|| OpError::precondition("this console has no key to sign with, so none to roll"))?;
    Ok(format!("signing the audit log with a new key instead of {name}"))
}

pub(crate) async fn audit_key_roll(cx: Context, request: AuditKeyRoll) -> Result<AuditKeys, OpError> {
    let workspace = cx.workspace()?;
    let reason = required("reason", &request.reason, 2_000)?;
    workspace.fetch_signer().await?;
    let before = workspace.witness().signer();
    let change = Change::new("key", before, "a new one");
    workspace.roll_signer(cx.record("audit", vec![change], Some(reason))).await?;
    audit_key_list(cx, Nothing {}).await
}

pub(crate) async fn audit_key_age_put(cx: Context, request: AuditKeyAgePut) -> Result<AuditTrust, OpError> {
    let workspace = cx.workspace()?;
    if request.days > KEY_DAYS_MAX {
        return Err(OpError::invalid("days", format!("up to {KEY_DAYS_MAX} days; 0 is never")));
    }
    let setting = setting::read::<KeyAge>(workspace.store(), KEY_AGE).await?;
    let mut changes = Vec::new();
    if setting.value.days != request.days {
        changes.push(Change::new("days", setting.value.days, request.days));
    }
    let record = cx.record(format!("setting/{KEY_AGE}"), changes, request.reason);
    setting.replace(workspace.store(), &KeyAge { days: request.days }, record).await?;
    workspace.witness().look_at_key(workspace.store()).await?;
    trust(&workspace).await
}

/// What revoking does, for a second person.
pub(crate) async fn key_revoked(cx: &Context, request: AuditKeyRevoke) -> Result<String, OpError> {
    let (name, _) = to_revoke(cx, &request).await?;
    Ok(format!("revoking the key {name}: checkpoints that it signs from now on do not count"))
}

async fn to_revoke(cx: &Context, request: &AuditKeyRevoke) -> Result<(String, String), OpError> {
    let name = required("name", &request.name, 200)?;
    let reason = required("reason", &request.reason, 2_000)?;
    let keys = audit_key_list(cx.clone(), Nothing {}).await?.keys;
    let mut named = keys.iter().filter(|key| key.name == name).peekable();
    if named.peek().is_none() {
        return Err(OpError::not_found(format!("key {name}")).hint("`watchpost audit key list` shows them"));
    }
    if named.any(|key| key.own) {
        return Err(OpError::precondition("this console signs with that key")
            .hint("roll it instead: a new one takes its place and this one is revoked"));
    }
    Ok((name, reason))
}

pub(crate) async fn audit_key_revoke(cx: Context, request: AuditKeyRevoke) -> Result<AuditKeys, OpError> {
    let workspace = cx.workspace()?;
    let (name, reason) = to_revoke(&cx, &request).await?;
    let record = cx.record("audit", vec![Change::new("key", name.clone(), "revoked")], Some(reason.clone()));
    // The reason of the log's own record says no names.
    workspace.store().audit_key_revoke(&name, "revoked by a person", record).await?;
    workspace.keep_watch("key.revoke").await?;
    audit_key_list(cx, Nothing {}).await
}
