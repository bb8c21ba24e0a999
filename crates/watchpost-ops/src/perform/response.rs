//! The response policy, what it would have done, what it did, and taking that back.

use std::collections::{BTreeMap, HashMap, VecDeque};

use chrono::{DateTime, Duration, Utc};
use watchpost_model::audit::Change;
use watchpost_model::ids::IncidentId;
use watchpost_model::response::plan::{Facts, Histories, PlannedAction, TargetHistory, candidates, plan};
use watchpost_model::response::{
    ActionKind, ResponseAction, ResponseMode, ResponsePolicy, ResponseState, StoredPolicy,
};
use watchpost_store::{ResponseFilter, StoredFinding};

use super::{cursor, cursor_text, page_size, required};
use crate::console::Workspace;
use crate::contract::{
    ActionCount, BlockRemove, ContainRemove, Nothing, OutboxList, PreviewedAction, ResponseList,
    ResponseListRequest, ResponsePolicyPut, ResponsePolicyView, ResponsePreview, ResponsePreviewRequest,
    ResponseReverse,
};
use crate::door::Context;
use crate::error::OpError;
use crate::setting::{self, json};

const KEY: &str = "response_policy";
/// Findings that a preview reads at once.
const PAGE: u32 = 1_000;
/// Actions that a preview lists.
const ROWS: usize = 500;

/// The stored policy, or the safe defaults.
pub(crate) async fn stored(workspace: &Workspace) -> Result<StoredPolicy, OpError> {
    Ok(setting::read(workspace.store(), KEY).await?.value)
}

/// The stored policy for the engine. One that cannot be read, such as that of a newer version, stops no detection: the
/// engine does nothing by itself until it is put right.
pub(crate) async fn stored_or_off(workspace: &Workspace) -> Result<StoredPolicy, OpError> {
    match workspace.store().setting_get(KEY).await? {
        Some(value) => Ok(serde_json::from_value(value).unwrap_or_else(|error| {
            tracing::error!(%error, "the stored response policy is damaged: nothing is done by itself");
            let policy = ResponsePolicy { mode: ResponseMode::Off, ..ResponsePolicy::default() };
            StoredPolicy { policy, confirmed_on_production: false }
        })),
        None => Ok(StoredPolicy::default()),
    }
}

/// What the engine of the open connection does; one that only looks does nothing but a dry run.
pub(crate) fn mode_on(workspace: &Workspace, stored: &StoredPolicy) -> ResponseMode {
    match stored.mode_on(workspace.connection().production) {
        ResponseMode::On if workspace.connection().observe => ResponseMode::DryRun,
        mode => mode,
    }
}

fn view(workspace: &Workspace, stored: StoredPolicy) -> ResponsePolicyView {
    let effective = mode_on(workspace, &stored);
    let detail = if effective == stored.policy.mode {
        String::new()
    } else if workspace.connection().observe {
        "this connection is set to observe: nothing is written to its Redis".to_owned()
    } else {
        "this is a production connection: switch the policy on from a connection marked production, with its name \
         typed"
            .to_owned()
    };
    ResponsePolicyView { policy: stored.policy, effective, detail }
}

pub(crate) async fn response_policy_get(cx: Context, _: Nothing) -> Result<ResponsePolicyView, OpError> {
    let workspace = cx.workspace()?;
    let stored = stored(&workspace).await?;
    Ok(view(&workspace, stored))
}

/// On a production connection the door has asked for its name before this is called.
pub(crate) async fn response_policy_put(
    cx: Context,
    request: ResponsePolicyPut,
) -> Result<ResponsePolicyView, OpError> {
    let workspace = cx.workspace()?;
    let reason = required("reason", &request.reason, 1_000)?;
    let policy = request.policy;
    policy.validate().map_err(|error| OpError::invalid(&error.field, error.message))?;
    let setting = setting::read::<StoredPolicy>(workspace.store(), KEY).await?;
    let before = &setting.value;
    let on = policy.mode == ResponseMode::On;
    let was_on = before.policy.mode == ResponseMode::On && before.confirmed_on_production;
    let confirmed_on_production = on && (was_on || workspace.connection().production);
    let after = StoredPolicy { policy, confirmed_on_production };
    let (old, new) = (json(before)?, json(&after)?);
    let mut changes = Vec::new();
    if let (Some(old), Some(new)) = (old["policy"].as_object(), new["policy"].as_object()) {
        for (field, value) in new {
            let before = old.get(field).cloned().unwrap_or_default();
            if before != *value {
                changes.push(Change::new(field, before, value.clone()));
            }
        }
    }
    let record = cx.record(format!("setting/{KEY}"), changes, Some(reason));
    setting.replace(workspace.store(), &after, record).await?;
    Ok(view(&workspace, after))
}

pub(crate) async fn response_list(
    cx: Context,
    request: ResponseListRequest,
) -> Result<ResponseList, OpError> {
    let workspace = cx.workspace()?;
    let limit = page_size(request.limit)?;
    let incident = match request.incident {
        Some(number) => Some(workspace.store().incident_by_number(number).await?.incident.id),
        None => None,
    };
    let filter = ResponseFilter { states: request.state, kinds: request.action, incident };
    let before = cursor(request.after.as_deref())?;
    let (rows, next) = workspace.store().response_page(&filter, before.as_ref(), limit).await?;
    Ok(ResponseList { rows, next: cursor_text(next)? })
}

pub(crate) async fn outbox_list(cx: Context, _: Nothing) -> Result<OutboxList, OpError> {
    let workspace = cx.workspace()?;
    Ok(OutboxList {
        messages: workspace.store().outbox_page(&[], 500).await?,
        waiting: workspace.store().outbox_waiting().await?,
    })
}

/// Takes back what the action made, then says so on the action. Between the two the block is gone and the action is
/// still `done`; a second try finishes it.
pub(crate) async fn response_reverse(
    cx: Context,
    request: ResponseReverse,
) -> Result<ResponseAction, OpError> {
    let workspace = cx.workspace()?;
    let reason = required("reason", &request.reason, 1_000)?;
    let action = workspace.store().response_by_id(request.id).await?;
    if action.state != ResponseState::Done {
        return Err(OpError::precondition(format!(
            "this action is {}: only one that was done can be taken back",
            action.state
        )));
    }
    if action.kind.is_containment() {
        release(&cx, &workspace, &action, &reason).await?;
    }
    let record = cx.record(format!("response/{}", action.id), Vec::new(), Some(reason));
    Ok(workspace.store().response_reversed(action.id, &cx.caller.name, record).await?)
}

/// Takes the block or containment of an action back, if it has not ended by itself.
async fn release(
    cx: &Context,
    workspace: &Workspace,
    action: &ResponseAction,
    reason: &str,
) -> Result<(), OpError> {
    let unknown = || OpError::internal("the action does not say what it made");
    let effect = action.effect.as_deref().ok_or_else(unknown)?;
    let reason = reason.to_owned();
    if action.kind == ActionKind::BlockIp {
        let id = effect.parse().map_err(|_| unknown())?;
        let block = workspace.store().block_by_id(id).await?;
        if block.state.is_in_force() {
            super::block_remove(cx.clone(), BlockRemove { id, reason }).await?;
        } else if let Some(newer) = workspace.store().block_active(block.target).await? {
            // To say "taken back" of a target that stays blocked would be read as free.
            return Err(OpError::precondition(format!(
                "that block is over; {} is blocked again until {} by {}",
                block.target,
                newer.expires_at.format("%Y-%m-%d %H:%M:%S UTC"),
                newer.created_by
            ))
            .hint("take back the newer action, or remove the block"));
        }
        return Ok(());
    }
    let id = effect.parse().map_err(|_| unknown())?;
    if workspace.store().containment_by_id(id).await?.state.is_in_force() {
        super::contain_remove(cx.clone(), ContainRemove { id, reason }).await?;
    }
    Ok(())
}

/// Walks the stored findings in the order of their events, as the engine would have seen them, and plays what the policy
/// says: repeat offenders, what is in force, and the cap included. Releases by people are not played.
pub(crate) async fn response_preview(
    cx: Context,
    request: ResponsePreviewRequest,
) -> Result<ResponsePreview, OpError> {
    let workspace = cx.workspace()?;
    let days = match request.days {
        0 => 7,
        days @ 1..=90 => days,
        _ => return Err(OpError::invalid("days", "between 1 and 90 days")),
    };
    let policy = match request.policy {
        Some(policy) => policy,
        None => stored(&workspace).await?.policy,
    };
    policy.validate().map_err(|error| OpError::invalid(&error.field, error.message))?;
    let to = workspace.now();
    let from = to - Duration::days(i64::from(days));
    let allowlist = workspace.store().allow_list().await?;
    let mut play = Play::default();
    let mut after = None;
    loop {
        let (page, next) = workspace.store().findings_between(from, to, after.as_ref(), PAGE).await?;
        play.findings += page.len() as u64;
        let matched: Vec<StoredFinding> = page
            .into_iter()
            .filter(|stored| policy.rules.iter().any(|rule| rule.matches(&stored.finding)))
            .collect();
        let ids: Vec<_> = matched.iter().map(|stored| stored.finding.event_id).collect();
        let events = workspace.store().events_by_ids(&ids).await?;
        for stored in matched {
            let event = events.get(&stored.finding.event_id);
            let facts = |histories, contained_last_hour| Facts {
                now: stored.finding.at,
                own_addresses: workspace.own_addresses(),
                allowlist: &allowlist,
                histories,
                contained_last_hour,
            };
            let histories = play.histories(&policy, &stored, event);
            let planned =
                plan(&policy, &stored.finding, event, &facts(&histories, play.last_hour(stored.finding.at)));
            play.take(&stored, planned);
        }
        after = next;
        if after.is_none() {
            return Ok(play.end(from, to));
        }
    }
}

/// From when to when something was contained.
type Stretch = (DateTime<Utc>, DateTime<Utc>);

/// Until when something holds, and whether it gives way.
type Hold = (Option<DateTime<Utc>>, bool);

/// The state of a preview.
#[derive(Default)]
struct Play {
    findings: u64,
    matched: u64,
    /// What holds for an incident, until when, and whether it gives way: see `PlannedAction::is_spared`.
    holding: HashMap<(IncidentId, ActionKind, String), Hold>,
    /// Begin and end of containments, oldest first.
    contained: HashMap<(ActionKind, String), Vec<Stretch>>,
    recent: VecDeque<DateTime<Utc>>,
    counts: BTreeMap<ActionKind, (u64, u64)>,
    rows: VecDeque<PreviewedAction>,
}

impl Play {
    fn last_hour(&mut self, now: DateTime<Utc>) -> u32 {
        while self.recent.front().is_some_and(|at| *at <= now - Duration::hours(1)) {
            self.recent.pop_front();
        }
        u32::try_from(self.recent.len()).unwrap_or(u32::MAX)
    }

    fn histories(
        &self,
        policy: &ResponsePolicy,
        stored: &StoredFinding,
        event: Option<&watchpost_model::event::Event>,
    ) -> Histories {
        let now = stored.finding.at;
        let since = now - Duration::days(i64::from(policy.repeat_days));
        candidates(policy, &stored.finding, event)
            .into_iter()
            .filter_map(|candidate| {
                let key = (candidate.kind, candidate.target);
                let times = self.contained.get(&key)?;
                let earlier = times.iter().filter(|(begin, end)| *begin >= since && *end <= now).count();
                let in_force_until = times.last().map(|(_, end)| *end).filter(|end| *end > now);
                let earlier = u32::try_from(earlier).unwrap_or(u32::MAX);
                Some((key, TargetHistory { earlier, in_force_until, released: None }))
            })
            .collect()
    }

    fn take(&mut self, stored: &StoredFinding, planned: Vec<PlannedAction>) {
        self.matched += 1;
        let now = stored.finding.at;
        for action in planned {
            let key = (stored.incident, action.kind, action.target.clone());
            let holds = self.holding.get(&key).is_some_and(|(end, gives_way)| {
                end.is_none_or(|end| end > now) && (!gives_way || action.skipped.is_some())
            });
            if holds {
                continue;
            }
            self.holding.insert(key, (action.holds_until, action.is_spared()));
            let counts = self.counts.entry(action.kind).or_default();
            if action.skipped.is_some() {
                counts.1 += 1;
            } else {
                counts.0 += 1;
                if let (true, Some(end)) = (action.kind.is_containment(), action.holds_until) {
                    let times = self.contained.entry((action.kind, action.target.clone())).or_default();
                    times.push((now, end));
                    self.recent.push_back(now);
                }
            }
            self.rows.push_front(PreviewedAction {
                at: now,
                action: action.kind,
                target: action.target,
                ttl_s: action.ttl_s,
                factor: action.factor,
                policy_rule: action.policy_rule,
                rule_id: stored.finding.rule_id.clone(),
                incident: stored.incident,
                number: stored.number,
                skipped: action.skipped,
            });
            self.rows.truncate(ROWS);
        }
    }

    fn end(self, from: DateTime<Utc>, to: DateTime<Utc>) -> ResponsePreview {
        ResponsePreview {
            from,
            to,
            findings: self.findings,
            matched: self.matched,
            done: self.counts.values().map(|(done, _)| done).sum(),
            skipped: self.counts.values().map(|(_, skipped)| skipped).sum(),
            by_action: self
                .counts
                .into_iter()
                .map(|(action, (done, skipped))| ActionCount { action, done, skipped })
                .collect(),
            rows: self.rows.into(),
        }
    }
}
