//! The tasks of an owner: keep Redis reached, detect, sample health, expire blocks, sign checkpoints, and hear what
//! other consoles changed. Each ends when the workspace closes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use watchpost_model::audit::{AuditDraft, AuditOutcome};
use watchpost_model::block::BlockState;

use crate::console::{Console, Workspace};
use crate::contract::{PartState, Tag};
use crate::engine;
use crate::respond;

/// How often Redis is asked whether it is there.
const PROBE_EVERY: Duration = Duration::from_secs(2);
/// How often the database is asked what other consoles changed; half the promised two seconds.
const LISTEN_EVERY: Duration = Duration::from_millis(900);
/// How often a health sample is stored.
const SAMPLE_EVERY: Duration = Duration::from_secs(10);
/// How often blocks that ran out are marked.
const EXPIRE_EVERY: Duration = Duration::from_secs(5);
/// How often a checkpoint is signed when something was added.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(60);

/// Starts the tasks. What others change from the moment this returns is announced: the counters are read here, not by
/// the first turn of a task that may come later.
pub(crate) async fn start(console: &Console, workspace: &Arc<Workspace>) {
    let known = workspace.store().revisions().await.ok();
    workspace.run(every(PROBE_EVERY, console, workspace, watch_redis));
    workspace.run(engine::run(console.clone(), workspace.clone()));
    workspace.run(listen(console.clone(), workspace.clone(), known));
    workspace.run(sample_health(console.clone(), workspace.clone()));
    workspace.run(every(EXPIRE_EVERY, console, workspace, expire_blocks));
    workspace.run(every(CHECKPOINT_EVERY, console, workspace, sign_checkpoint));
}

/// Calls `step` at an interval until the workspace closes. A step that takes longer delays the next one.
fn every<F>(
    interval: Duration,
    console: &Console,
    workspace: &Arc<Workspace>,
    step: fn(Console, Arc<Workspace>) -> F,
) -> impl Future<Output = ()> + Send + 'static
where
    F: Future<Output = ()> + Send + 'static,
{
    let (console, workspace, stop) = (console.clone(), workspace.clone(), workspace.stop_token());
    async move {
        let mut timer = tokio::time::interval(interval);
        timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while stop.run_until_cancelled(timer.tick()).await.is_some() {
            if stop.run_until_cancelled(step(console.clone(), workspace.clone())).await.is_none() {
                return;
            }
        }
    }
}

async fn watch_redis(console: Console, workspace: Arc<Workspace>) {
    let before = workspace.redis_part().state;
    match workspace.events() {
        Ok(events) => match events.ping().await {
            Ok(()) => workspace.redis_answered(None),
            Err(error) => workspace.redis_lost(&error.to_string()),
        },
        Err(_) => workspace.try_redis().await,
    }
    let state = workspace.redis_part().state;
    if state != before {
        if state == PartState::Connected {
            // It may have come back without its data.
            respond::restore(&workspace).await;
        }
        console.announce(&[Tag::Status, Tag::Health, Tag::Blocks]);
    }
}

/// Announces what other consoles changed, and what the engine did.
async fn listen(console: Console, workspace: Arc<Workspace>, mut known: Option<BTreeMap<String, i64>>) {
    let stop = workspace.stop_token();
    let mut timer = tokio::time::interval(LISTEN_EVERY);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while stop.run_until_cancelled(timer.tick()).await.is_some() {
        let Ok(now) = workspace.store().revisions().await else { continue };
        if let Some(before) = known.replace(now.clone()) {
            let changed: Vec<Tag> = now
                .iter()
                .filter(|&(tag, n)| before.get(tag) != Some(n))
                .filter_map(|(tag, _)| tag.parse().ok())
                .collect();
            console.announce(&changed);
        }
    }
}

async fn sample_health(console: Console, workspace: Arc<Workspace>) {
    let stop = workspace.stop_token();
    let mut timer = tokio::time::interval(SAMPLE_EVERY);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while stop.run_until_cancelled(timer.tick()).await.is_some() {
        if workspace.redis_part().state == PartState::Down {
            continue;
        }
        match workspace.sample_health().await {
            Ok((_, sample)) => {
                if let Err(problem) = workspace.store().health_sample_add(&sample).await {
                    tracing::warn!(%problem, "a health sample was not stored");
                }
                console.announce(&[Tag::Health]);
            }
            Err(problem) => tracing::debug!(%problem, "no health sample"),
        }
    }
}

async fn expire_blocks(console: Console, workspace: Arc<Workspace>) {
    let now = workspace.now();
    let due = match workspace.store().blocks_due_to_expire(now).await {
        Ok(due) => due,
        Err(problem) => return tracing::warn!(%problem, "cannot look for blocks that ran out"),
    };
    for block in &due {
        let draft = expired("block_expire", format!("block/{}", block.target), now);
        if let Err(problem) =
            workspace.store().block_state_set(block.id, BlockState::Expired, None, draft).await
        {
            tracing::warn!(%problem, target = %block.target, "a block that ran out was not marked");
        }
    }
    let expired = expire_containments(&workspace).await;
    if !due.is_empty() || expired {
        console.announce(&[Tag::Blocks, Tag::Audit]);
    }
    respond::finish_pending(&console, &workspace).await;
}

/// Marks containments that ran out; true if there were any.
async fn expire_containments(workspace: &Workspace) -> bool {
    let now = workspace.now();
    let due = match workspace.store().containments_due_to_expire(now).await {
        Ok(due) => due,
        Err(problem) => {
            tracing::warn!(%problem, "cannot look for containments that ran out");
            return false;
        }
    };
    for containment in &due {
        let draft = expired("contain_expire", String::new(), now);
        let set = workspace.store().containment_state_set(containment.id, BlockState::Expired, None, draft);
        if let Err(problem) = set.await {
            tracing::warn!(%problem, kind = %containment.kind, "a containment that ran out was not marked");
        }
    }
    !due.is_empty()
}

/// The record of something that ran out.
fn expired(action: &str, object: String, now: DateTime<Utc>) -> AuditDraft {
    AuditDraft {
        caller: engine::engine_caller(),
        action: action.to_owned(),
        object,
        permission: watchpost_model::access::Permission::Contain,
        outcome: AuditOutcome::Success,
        changes: Vec::new(),
        reason: Some("its time ran out".to_owned()),
        at: now,
        risk: 0,
    }
}

async fn sign_checkpoint(_console: Console, workspace: Arc<Workspace>) {
    if let Err(problem) = workspace.store().checkpoint_now("interval").await {
        tracing::warn!(%problem, "no checkpoint was signed");
    }
}
