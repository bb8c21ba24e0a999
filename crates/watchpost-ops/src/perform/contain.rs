//! Containments of sessions, users, services and rates. Like blocks: the intent is in the database first, then Redis,
//! then the outcome.

use chrono::{DateTime, Duration, Utc};
use watchpost_model::access::Origin;
use watchpost_model::audit::{AuditDraft, AuditOutcome};
use watchpost_model::block::BlockState;
use watchpost_model::contain::{ContainKind, ContainPreview, Containment, PER_MIN_DEFAULT, canonical_target};
use watchpost_model::ids::ContainmentId;
use watchpost_model::text::visible;
use watchpost_redis::{ContainWritten, EventStore};

use super::blocks::{RESTORED_MAX, TTL_S, guard};
use super::{page_size, required, response};
use crate::console::Workspace;
use crate::contract::{ContainAdd, ContainCheck, ContainList, ContainListRequest, ContainRemove, ContainRow};
use crate::door::Context;
use crate::error::{ErrorCode, OpError};

fn target(kind: ContainKind, text: &str) -> Result<String, OpError> {
    canonical_target(kind, text).map_err(|error| OpError::invalid("target", error.to_string()))
}

fn object(kind: ContainKind, target: &str) -> String {
    format!("contain/{kind}:{target}")
}

/// Why this must not be contained: addresses pass the guard of blocks; the engine leaves protected users alone.
async fn refusal(
    cx: &Context,
    workspace: &Workspace,
    kind: ContainKind,
    target: &str,
) -> Result<Option<String>, OpError> {
    match kind {
        ContainKind::Limit => {
            let address = target.parse().map_err(|_| OpError::invalid("target", "this is not an address"))?;
            let passed = guard(workspace, address, cx.caller.origin).await?;
            Ok(passed.err().map(|refusal| refusal.to_string()))
        }
        ContainKind::User if cx.caller.origin == Origin::Engine => {
            let policy = response::stored(workspace).await?.policy;
            let is_protected = policy.protects_user(target);
            Ok(is_protected.then(|| format!("{} is a protected user of the policy", visible(target, 100))))
        }
        ContainKind::User | ContainKind::Session | ContainKind::Service => Ok(None),
    }
}

pub(crate) async fn contain_list(cx: Context, request: ContainListRequest) -> Result<ContainList, OpError> {
    let workspace = cx.workspace()?;
    let limit = page_size(request.limit)?;
    let rows = workspace.store().containment_page(&request.kind, &request.state, limit).await?;
    let events = workspace.events().ok();
    let mut containments = Vec::with_capacity(rows.len());
    for containment in rows {
        let redis_ttl_s = match (&events, containment.state) {
            (Some(events), BlockState::Active | BlockState::Pending) => {
                let ttl = events.containment_ttl_ms(containment.kind, &containment.target).await;
                ttl.ok().flatten().and_then(|ms| i64::try_from(ms / 1_000).ok())
            }
            _ => None,
        };
        let incident = match containment.incident {
            Some(id) => Some(workspace.store().incident_by_id(id).await?.number),
            None => None,
        };
        containments.push(ContainRow { containment, incident, redis_ttl_s });
    }
    Ok(ContainList { containments })
}

pub(crate) async fn contain_preview(cx: Context, request: ContainCheck) -> Result<ContainPreview, OpError> {
    let workspace = cx.workspace()?;
    let (kind, target) = (request.kind, target(request.kind, &request.target)?);
    let (events_24h, sessions_24h, users_24h) =
        workspace.store().containment_preview_facts(kind, &target, workspace.now()).await?;
    Ok(ContainPreview {
        kind,
        key: workspace.events()?.containment_key(kind, &target),
        refusal: refusal(&cx, &workspace, kind, &target).await?,
        events_24h,
        sessions_24h,
        users_24h,
        existing: workspace.store().containment_active(kind, &target).await?,
        target,
    })
}

/// Writes those containments in force again that Redis has lost. Tells how many.
pub(crate) async fn restore(
    workspace: &Workspace,
    draft: impl Fn(String) -> AuditDraft,
) -> Result<usize, OpError> {
    let events = workspace.events()?;
    let mut restored = 0;
    for containment in workspace.store().containment_page(&[], &[BlockState::Active], RESTORED_MAX).await? {
        if events.containment_ttl_ms(containment.kind, &containment.target).await?.is_some() {
            continue;
        }
        if let (BlockState::Active, ..) = put(&events, &containment).await {
            workspace.store().audit_append(draft(object(containment.kind, &containment.target))).await?;
            restored += 1;
        }
    }
    Ok(restored)
}

pub(crate) async fn contain_add(cx: Context, request: ContainAdd) -> Result<Containment, OpError> {
    let workspace = cx.workspace()?;
    let (mut containment, shorter) = planned(&cx, &workspace, request).await?;
    let events = workspace.events()?;
    let object = object(containment.kind, &containment.target);
    let reason = containment.reason.clone();
    if let Some(shorter) = shorter {
        // Redis keeps the longer of the two; the row of the shorter one ends here.
        let ended = cx.record(object.clone(), Vec::new(), Some(format!("prolonged: {reason}")));
        let by = Some(cx.caller.name.as_str());
        workspace.store().containment_state_set(shorter.id, BlockState::Removed, by, ended).await?;
    }
    let begun = cx.record_as(AuditOutcome::Started, object.clone(), Vec::new(), Some(reason));
    workspace.store().containment_insert(&containment, begun).await?;
    let (state, outcome, why) = put(&events, &containment).await;
    let ended = cx.record_as(outcome, object, Vec::new(), Some(why.clone()));
    workspace.store().containment_state_set(containment.id, state, None, ended).await?;
    if state == BlockState::Failed {
        let message = format!("the containment was not written to Redis: {why}");
        return Err(OpError::new(ErrorCode::Unavailable, message)
            .hint("the application is not told of it; try again when Redis answers"));
    }
    containment.state = state;
    Ok(containment)
}

/// The containment that was asked for, if it may be, and the shorter one that it replaces.
async fn planned(
    cx: &Context,
    workspace: &Workspace,
    request: ContainAdd,
) -> Result<(Containment, Option<Containment>), OpError> {
    let (kind, target) = (request.kind, target(request.kind, &request.target)?);
    let reason = required("reason", &request.reason, 1_000)?;
    if !TTL_S.contains(&request.ttl_s) {
        return Err(OpError::invalid("ttl_s", "a containment lasts between one minute and one year"));
    }
    let per_min = match (kind, request.per_min) {
        (ContainKind::Limit, given) => Some(given.unwrap_or(PER_MIN_DEFAULT)),
        (_, None) => None,
        (_, Some(_)) => return Err(OpError::invalid("per_min", "only a limit has it")),
    };
    if per_min.is_some_and(|n| !(1..=100_000).contains(&n)) {
        return Err(OpError::invalid("per_min", "between 1 and 100,000 requests a minute"));
    }
    if let Some(why) = refusal(cx, workspace, kind, &target).await? {
        return Err(OpError::precondition(why).hint("nothing was contained"));
    }
    let now = workspace.now();
    let expires_at = now + Duration::seconds(i64::try_from(request.ttl_s).unwrap_or(i64::MAX));
    let existing = workspace.store().containment_active(kind, &target).await?;
    if let Some(existing) = existing.as_ref().filter(|existing| existing.expires_at >= expires_at) {
        let until = existing.expires_at.format("%Y-%m-%d %H:%M:%S UTC");
        let shown = visible(&target, 100);
        return Err(OpError::precondition(format!("{kind} {shown} is contained already until {until}"))
            .hint("take it back first to shorten it"));
    }
    let incident = match request.incident {
        Some(number) => Some(workspace.store().incident_by_number(number).await?.incident.id),
        None => None,
    };
    let containment = Containment {
        id: ContainmentId::at(now),
        kind,
        target,
        per_min,
        reason,
        created_by: cx.caller.name.clone(),
        created_at: now,
        expires_at,
        state: BlockState::Pending,
        removed_at: None,
        removed_by: None,
        incident,
    };
    Ok((containment, existing))
}

/// Writes a containment to Redis; what came of it, and the reason for the record.
async fn put(events: &EventStore, containment: &Containment) -> (BlockState, AuditOutcome, String) {
    let reason = &containment.reason;
    match events.put_containment(containment).await {
        Ok(ContainWritten::Written { .. }) => (BlockState::Active, AuditOutcome::Success, reason.clone()),
        Ok(ContainWritten::KeptLonger { ttl_ms }) => {
            let left =
                ttl_ms.map_or_else(|| "without end".to_owned(), |ms| format!("for {} s more", ms / 1_000));
            let why = format!("{reason} (Redis has a longer one, {left})");
            (BlockState::Active, AuditOutcome::Success, why)
        }
        Ok(ContainWritten::AlreadyOver) => {
            (BlockState::Failed, AuditOutcome::Failure, "its time was over before it was written".to_owned())
        }
        Err(error) => (BlockState::Failed, AuditOutcome::Failure, error.to_string()),
    }
}

/// Takes it out of Redis first: when that fails it stays in force and the row says so.
pub(crate) async fn contain_remove(cx: Context, request: ContainRemove) -> Result<Containment, OpError> {
    let workspace = cx.workspace()?;
    let reason = required("reason", &request.reason, 1_000)?;
    let containment = workspace.store().containment_by_id(request.id).await?;
    match containment.state {
        BlockState::Active | BlockState::Pending | BlockState::Failed => {}
        BlockState::Expired | BlockState::Removed => {
            return Err(OpError::precondition(format!(
                "the containment of {} {} is {} already",
                containment.kind,
                visible(&containment.target, 100),
                containment.state
            )));
        }
    }
    workspace.events()?.remove_containment(&containment).await?;
    let record = cx.record(object(containment.kind, &containment.target), Vec::new(), Some(reason));
    let by = Some(cx.caller.name.as_str());
    Ok(workspace.store().containment_state_set(containment.id, BlockState::Removed, by, record).await?)
}

/// Finishes containments that a crash left between the database and Redis: those begun before `before`.
pub(crate) async fn finish_pending(cx: &Context, before: DateTime<Utc>) -> Result<usize, OpError> {
    let workspace = cx.workspace()?;
    let mut finished = 0;
    for containment in workspace.store().containments_pending(before).await? {
        if finish(cx, &workspace, &containment).await? != BlockState::Pending {
            finished += 1;
        }
    }
    Ok(finished)
}

/// Finishes one such containment; `Pending` if Redis does not answer.
pub(crate) async fn finish(
    cx: &Context,
    workspace: &Workspace,
    containment: &Containment,
) -> Result<BlockState, OpError> {
    let events = workspace.events()?;
    if events.ping().await.is_err() {
        return Ok(BlockState::Pending);
    }
    let (state, outcome, why) = put(&events, containment).await;
    let why = format!("finished what a crash interrupted: {why}");
    let ended = cx.record_as(outcome, object(containment.kind, &containment.target), Vec::new(), Some(why));
    workspace.store().containment_state_set(containment.id, state, None, ended).await?;
    Ok(state)
}
