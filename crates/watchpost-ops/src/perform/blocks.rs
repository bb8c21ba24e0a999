//! Blocks and the allowlist.

use chrono::Duration;
use watchpost_model::access::Origin;
use watchpost_model::block::{self, AllowEntry, Block, BlockPreview, BlockState, BlockTarget};
use watchpost_model::ids::BlockId;

use super::enforce::{self, RESTORED_MAX, TTL_S, time_left};
use super::events::checked;
use super::{page_size, required, response};
use crate::console::Workspace;
use crate::contract::{
    AllowAdd, AllowRemove, BlockAdd, BlockCheck, BlockList, BlockListRequest, BlockRemove, BlockRow,
    BlockStanding, BlockTerms, BlockTrial, Standing,
};
use crate::door::Context;
use crate::error::{ErrorCode, OpError};
use crate::two_people::FourEyesNow;

/// Blocks inside of a range that are named.
const INSIDE_MAX: u32 = 10;

fn target(text: &str) -> Result<BlockTarget, OpError> {
    text.parse().map_err(|error: block::TargetError| OpError::invalid("target", error.to_string()))
}

/// `203.0.113.7/24` names one address and means 256: nobody is to block that by a slip.
fn not_a_slip(target: BlockTarget, text: &str) -> Result<(), OpError> {
    let named = text.split('/').next().and_then(|address| address.trim().parse::<std::net::IpAddr>().ok());
    let Some(named) = named.map(|ip| ip.to_canonical()) else { return Ok(()) };
    if target.is_single() || target.net().addr() == named {
        return Ok(());
    }
    Err(OpError::invalid("target", format!("{named} is one address inside of {target}"))
        .hint(format!("say {target} for the whole range, or {named} for the address")))
}

/// The guard, with the allowlist as it is now. Every block and every limit passes here; there is no way around it. What
/// the engine asks for by itself must also leave proxies, sensors and private ranges alone.
pub(crate) async fn guard(
    workspace: &Workspace,
    target: BlockTarget,
    origin: Origin,
) -> Result<Result<(), block::GuardRefusal>, OpError> {
    let allowlist = workspace.store().allow_list().await?;
    let passed = block::guard(target, workspace.own_addresses(), &allowlist);
    if passed.is_err() || origin != Origin::Engine {
        return Ok(passed);
    }
    let policy = response::stored(workspace).await?.policy;
    Ok(block::guard_automatic(target, &policy.infrastructure(), policy.private_ranges))
}

pub(crate) async fn block_list(cx: Context, request: BlockListRequest) -> Result<BlockList, OpError> {
    let workspace = cx.workspace()?;
    let (limit, created) = (page_size(request.limit)?, request.created.map(checked).transpose()?);
    let touching = request.touching.as_deref().map(target).transpose()?;
    let (rows, counts) =
        workspace.store().blocks_made(&request.state, created, request.in_force_at, touching, limit).await?;
    let count = |states: &[BlockState]| -> u64 {
        counts.iter().filter(|(state, _)| states.contains(state)).map(|(_, n)| n).sum()
    };
    let events = workspace.events().ok();
    let mut blocks = Vec::with_capacity(rows.len());
    for block in rows {
        let redis_ttl_s = match (&events, block.state) {
            (Some(events), BlockState::Active | BlockState::Pending) => {
                let ttl = events.block_ttl_ms(block.target).await.ok().flatten();
                ttl.and_then(|ms| i64::try_from(ms / 1_000).ok())
            }
            _ => None,
        };
        let incident = match block.incident {
            Some(id) => Some(workspace.store().incident_by_id(id).await?.number),
            None => None,
        };
        blocks.push(BlockRow { block, incident, redis_ttl_s });
    }
    Ok(BlockList {
        blocks,
        total: count(BlockState::ALL),
        in_force: count(&[BlockState::Active]),
        not_in_force: count(&[BlockState::Pending, BlockState::Failed]),
        allowlist: workspace.store().allow_list().await?,
        own_addresses: workspace.own_addresses().iter().map(ToString::to_string).collect(),
    })
}

/// The block of exactly this target, else the narrowest one that covers it.
async fn in_force(workspace: &Workspace, target: BlockTarget) -> Result<Option<Block>, OpError> {
    let exact = workspace.store().block_active(target).await?;
    // One whose end has passed is over, also where no engine runs that would mark it so.
    if let Some(exact) = exact.filter(|block| block.expires_at > workspace.now()) {
        return Ok(Some(exact));
    }
    Ok(workspace.store().block_covering(target).await?)
}

pub(crate) async fn block_preview(cx: Context, request: BlockTrial) -> Result<BlockPreview, OpError> {
    let workspace = cx.workspace()?;
    let target = target(&request.target)?;
    let refusal = match request.terms {
        // The trial is the real thing up to the point where something would change, so nothing is refused later.
        Some(BlockTerms { reason, ttl_s, incident }) => {
            let add = BlockAdd { target: request.target, reason, ttl_s, incident };
            match planned(&cx, &workspace, add).await {
                Ok(_) => None,
                Err(refused) if refused.code == ErrorCode::Precondition => Some(refused.message),
                Err(wrong) => return Err(wrong),
            }
        }
        None => guard(&workspace, target, cx.caller.origin).await?.err().map(|refusal| refusal.to_string()),
    };
    let (events_24h, successful_24h, users_24h) =
        workspace.store().block_preview_facts(target, workspace.now()).await?;
    Ok(BlockPreview {
        target,
        refusal,
        events_24h,
        successful_24h,
        users_24h,
        existing: in_force(&workspace, target).await?,
    })
}

pub(crate) async fn block_add(cx: Context, request: BlockAdd) -> Result<Block, OpError> {
    let workspace = cx.workspace()?;
    let block = planned(&cx, &workspace, request).await?;
    enforce::begin(&cx, &workspace, block).await
}

pub(crate) async fn block_check(cx: Context, request: BlockCheck) -> Result<BlockStanding, OpError> {
    let workspace = cx.workspace()?;
    let target = target(&request.target)?;
    let block = in_force(&workspace, target).await?;
    let allowlist = workspace.store().allow_list().await?;
    let (key, ttl_ms, in_redis) = match workspace.events() {
        Ok(events) => {
            let seen = block.as_ref().map_or(target, |block| block.target);
            let ttl = events.block_ttl_ms(seen).await?;
            let key = (block.is_some() || ttl.is_some()).then(|| events.block_key(seen));
            (key, ttl, Some(ttl.is_some()))
        }
        Err(_) => (None, None, None),
    };
    let refusal = block::guard(target, workspace.own_addresses(), &allowlist).err();
    let (standing, detail) = if let Some(block) = &block {
        let range =
            if block.target == target { String::new() } else { format!(" by the range {}", block.target) };
        let left = time_left(block.expires_at, workspace.now());
        let (by, reason) = (&block.created_by, &block.reason);
        (Standing::Blocked, format!("blocked{range} for {left} more by {by}: {reason}"))
    } else if in_redis == Some(true) {
        (Standing::Blocked, "blocked by a key that Watchpost did not write".to_owned())
    } else {
        match &refusal {
            Some(refusal @ block::GuardRefusal::OwnAddress { .. }) => (Standing::Own, refusal.to_string()),
            Some(refusal @ block::GuardRefusal::Allowlisted { .. }) => {
                (Standing::Allowlisted, refusal.to_string())
            }
            Some(refusal) => (Standing::NotAClient, refusal.to_string()),
            None => (Standing::Clear, "not blocked".to_owned()),
        }
    };
    let (inside_total, inside) = workspace.store().blocks_inside(target, INSIDE_MAX).await?;
    let detail = match (standing, inside_total) {
        (Standing::Blocked, _) | (_, 0) => detail,
        (_, 1) => format!("{detail} as a whole; one block lies inside of it"),
        (_, n) => format!("{detail} as a whole; {n} blocks lie inside of it"),
    };
    let allow = match refusal {
        Some(block::GuardRefusal::Allowlisted { entry, .. }) => {
            allowlist.into_iter().find(|listed| listed.target == entry)
        }
        Some(_) | None => None,
    };
    let redis_ttl_s = ttl_ms.filter(|ms| *ms != u64::MAX).and_then(|ms| i64::try_from(ms / 1_000).ok());
    Ok(BlockStanding {
        target,
        standing,
        detail,
        block,
        key,
        redis_ttl_s,
        in_redis,
        allow,
        inside_total,
        inside,
    })
}

/// What a block does that one person may not make alone; `None` for one that one may.
pub(crate) async fn wide_block(cx: &Context, request: BlockAdd) -> Result<Option<String>, OpError> {
    let workspace = cx.workspace()?;
    let wanted = target(&request.target)?;
    if !FourEyesNow::of(&workspace).await?.policy.is_mass(wanted) {
        return Ok(None);
    }
    let ttl_s = request.ttl_s;
    let block = planned(cx, &workspace, request).await?;
    let net = block.target.net();
    let n = match net.max_prefix_len() - net.prefix_len() {
        bits @ 0..=32 => format!("{} addresses", 1_u64 << bits),
        bits => format!("2^{bits} addresses"),
    };
    Ok(Some(format!("blocking {} ({n}) for {ttl_s} s", block.target)))
}

/// The block that was asked for, if it may be.
async fn planned(cx: &Context, workspace: &Workspace, request: BlockAdd) -> Result<Block, OpError> {
    let target = target(&request.target)?;
    not_a_slip(target, &request.target)?;
    let reason = required("reason", &request.reason, 1_000)?;
    if !TTL_S.contains(&request.ttl_s) {
        return Err(OpError::invalid("ttl_s", "a block lasts between one minute and one year"));
    }
    guard(workspace, target, cx.caller.origin).await?.map_err(|refusal| {
        OpError::precondition(refusal.to_string())
            .hint("nothing was blocked; `watchpost block list` and the Blocklist panel show the allowlist")
    })?;
    let now = workspace.now();
    let expires_at = now + Duration::seconds(i64::try_from(request.ttl_s).unwrap_or(i64::MAX));
    let existing = workspace.store().block_active(target).await?;
    if let Some(existing) = existing.as_ref().filter(|existing| existing.expires_at >= expires_at) {
        let left = time_left(existing.expires_at, now);
        return Err(OpError::precondition(format!("{target} is blocked already, for {left} more"))
            .hint("unblock it first to shorten the block"));
    }
    let incident = match request.incident {
        Some(number) => Some(workspace.store().incident_by_number(number).await?.incident.id),
        None => None,
    };
    let block = Block {
        id: BlockId::at(now),
        target,
        reason,
        created_by: cx.caller.name.clone(),
        created_at: now,
        expires_at,
        state: BlockState::Pending,
        removed_at: None,
        removed_by: None,
        incident,
    };
    Ok(block)
}

pub(crate) async fn block_remove(cx: Context, request: BlockRemove) -> Result<Block, OpError> {
    let workspace = cx.workspace()?;
    let reason = required("reason", &request.reason, 1_000)?;
    let block = workspace.store().block_by_id(request.id).await?;
    enforce::end(&cx, &workspace, block, reason).await
}

pub(crate) async fn allow_add(cx: Context, request: AllowAdd) -> Result<BlockList, OpError> {
    let workspace = cx.workspace()?;
    let target = target(&request.target)?;
    let note = required("note", &request.note, 500)?;
    let active =
        workspace.store().block_page(&[BlockState::Active, BlockState::Pending], RESTORED_MAX).await?;
    if let Some(block) = active.iter().find(|block| block.target.overlaps(target)) {
        let left = time_left(block.expires_at, workspace.now());
        return Err(OpError::precondition(format!("{} is blocked for {left} more", block.target)).hint(
            format!(
                "the allowlist keeps blocks from being made and takes none back: release this one first \
             (`watchpost block remove {}`, or the Blocklist panel)",
                block.target
            ),
        ));
    }
    let entry = AllowEntry {
        target,
        note: note.clone(),
        added_by: cx.caller.name.clone(),
        added_at: workspace.now(),
    };
    workspace.store().allow_add(&entry, cx.record(format!("allow/{target}"), Vec::new(), Some(note))).await?;
    block_list(cx, BlockListRequest::default()).await
}

pub(crate) async fn allow_remove(cx: Context, request: AllowRemove) -> Result<BlockList, OpError> {
    let workspace = cx.workspace()?;
    let target = target(&request.target)?;
    workspace.store().allow_remove(target, cx.record(format!("allow/{target}"), Vec::new(), None)).await?;
    block_list(cx, BlockListRequest::default()).await
}
