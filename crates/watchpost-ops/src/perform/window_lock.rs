//! The lock of the window.

use serde_json::Value;
use watchpost_model::access::Origin;
use watchpost_model::audit::{AuditOutcome, Change};

use crate::contract::{Nothing, Tag, WindowLock, WindowLockPut, WindowUnlock};
use crate::door::Context;
use crate::error::{ErrorCode, OpError};
use crate::locking::Tried;
use crate::secrets::Secret;

const MINUTES_MAX: u32 = 480;
const CHARS_MIN: usize = 8;
const CHARS_MAX: usize = 1_000;

/// Only a window has a lock; somebody at another shell must not open or close that of this process.
fn at_a_window(cx: &Context) -> Result<(), OpError> {
    match cx.caller.origin {
        Origin::Window => Ok(()),
        Origin::Cli | Origin::Http | Origin::Schedule | Origin::Engine => {
            Err(OpError::precondition("only the desktop window has a lock"))
        }
    }
}

/// The record of it, where a workspace is open. The lock works without a database too.
async fn record(cx: &Context, outcome: AuditOutcome, changes: Vec<Change>) {
    let Ok(workspace) = cx.workspace() else { return };
    let draft = cx.record_as(outcome, "window", changes, None);
    match workspace.store().audit_append(draft).await {
        Ok(_) => cx.console.announce(&[Tag::Audit]),
        Err(problem) => tracing::error!(%problem, "cannot write the audit record of the window's lock"),
    }
}

pub(crate) async fn window_lock_get(cx: Context, _: Nothing) -> Result<WindowLock, OpError> {
    at_a_window(&cx)?;
    Ok(cx.console.window_lock().await)
}

pub(crate) async fn window_lock_now(cx: Context, _: Nothing) -> Result<WindowLock, OpError> {
    at_a_window(&cx)?;
    if cx.console.lock_window().await {
        record(&cx, AuditOutcome::Success, Vec::new()).await;
    }
    let lock = cx.console.window_lock().await;
    if lock.locked {
        return Ok(lock);
    }
    Err(OpError::precondition("the window has no passphrase").hint("set one in Settings, Window lock"))
}

/// A passphrase that must be right; a wrong one is recorded.
async fn right(cx: &Context, field: &str, passphrase: String) -> Result<u32, OpError> {
    match cx.console.try_passphrase(Secret::new(passphrase)).await? {
        Tried::Right { wrong } => Ok(wrong),
        Tried::Wrong => {
            record(cx, AuditOutcome::Denied, Vec::new()).await;
            let refusal = OpError::new(ErrorCode::Permission, "the passphrase is wrong");
            Err(OpError { field: Some(field.to_owned()), ..refusal })
        }
    }
}

pub(crate) async fn window_unlock(cx: Context, request: WindowUnlock) -> Result<WindowLock, OpError> {
    at_a_window(&cx)?;
    if cx.console.window_is_locked().await {
        let wrong = right(&cx, "passphrase", request.passphrase).await?;
        record(&cx, AuditOutcome::Success, vec![Change::new("wrong_tries", Value::Null, wrong)]).await;
    }
    Ok(cx.console.window_lock().await)
}

pub(crate) async fn window_lock_put(cx: Context, request: WindowLockPut) -> Result<WindowLock, OpError> {
    at_a_window(&cx)?;
    if let Some(passphrase) = &request.passphrase
        && !(CHARS_MIN..=CHARS_MAX).contains(&passphrase.chars().count())
    {
        return Err(OpError::invalid("passphrase", format!("{CHARS_MIN} characters at least")));
    }
    if request.minutes.is_some_and(|minutes| !(1..=MINUTES_MAX).contains(&minutes)) {
        return Err(OpError::invalid("minutes", format!("1 to {MINUTES_MAX} minutes")));
    }
    let before = cx.console.window_lock().await.minutes;
    if before.is_some() {
        right(&cx, "current", request.current.unwrap_or_default()).await?;
    }
    let is_new = request.passphrase.is_some();
    match request.minutes {
        Some(minutes) => cx.console.put_lock(minutes, request.passphrase.map(Secret::new)).await?,
        None => cx.console.remove_lock().await?,
    }
    let mut changes = Vec::new();
    if before != request.minutes {
        changes.push(Change::new("minutes", before, request.minutes));
    }
    if is_new && request.minutes.is_some() {
        changes.push(Change::new("passphrase", Value::Null, "set"));
    }
    record(&cx, AuditOutcome::Success, changes).await;
    Ok(cx.console.window_lock().await)
}
