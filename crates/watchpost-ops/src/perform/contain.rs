//! Containments of sessions, users, services and rates.

use chrono::Duration;
use watchpost_model::access::Origin;
use watchpost_model::block::BlockState;
use watchpost_model::contain::{ContainKind, ContainPreview, Containment, PER_MIN_DEFAULT, canonical_target};
use watchpost_model::ids::ContainmentId;
use watchpost_model::text::visible;

use super::blocks::guard;
use super::enforce::{self, TTL_S, time_left};
use super::{page_size, required, response};
use crate::console::Workspace;
use crate::contract::{ContainAdd, ContainCheck, ContainList, ContainListRequest, ContainRemove, ContainRow};
use crate::door::Context;
use crate::error::OpError;

fn target(kind: ContainKind, text: &str) -> Result<String, OpError> {
    canonical_target(kind, text).map_err(|error| OpError::invalid("target", error.to_string()))
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
    let (rows, total) = workspace
        .store()
        .containments_of(&request.kind, &request.state, request.target.as_deref(), limit)
        .await?;
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
    Ok(ContainList { containments, total })
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

pub(crate) async fn contain_add(cx: Context, request: ContainAdd) -> Result<Containment, OpError> {
    let workspace = cx.workspace()?;
    let containment = planned(&cx, &workspace, request).await?;
    enforce::begin(&cx, &workspace, containment).await
}

/// The containment that was asked for, if it may be.
async fn planned(cx: &Context, workspace: &Workspace, request: ContainAdd) -> Result<Containment, OpError> {
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
        let left = time_left(existing.expires_at, now);
        let shown = visible(&target, 100);
        return Err(OpError::precondition(format!("{kind} {shown} is contained already, for {left} more"))
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
    Ok(containment)
}

pub(crate) async fn contain_remove(cx: Context, request: ContainRemove) -> Result<Containment, OpError> {
    let workspace = cx.workspace()?;
    let reason = required("reason", &request.reason, 1_000)?;
    let containment = workspace.store().containment_by_id(request.id).await?;
    enforce::end(&cx, &workspace, containment, reason).await
}
