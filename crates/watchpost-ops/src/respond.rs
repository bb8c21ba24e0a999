//! Response at work: the engine's findings become actions, through the same door and guard as people's.
//!
//! An action is recorded as planned first, then done through the operation that a person would use, then its outcome is
//! recorded. A crash in between leaves a planned row that the next engine finishes or gives up. The same action on the
//! same target of an incident is kept once while it holds, so that a replay adds nothing.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Duration, Utc};
use watchpost_model::access::Permission;
use watchpost_model::audit::{AuditDraft, AuditOutcome};
use watchpost_model::block::{Block, BlockState};
use watchpost_model::contain::Containment;
use watchpost_model::event::Event;
use watchpost_model::finding::Finding;
use watchpost_model::ids::{EventId, IncidentId, OutboxId, ResponseId};
use watchpost_model::response::plan::{
    Candidate, Facts, Histories, NOTHING, PlannedAction, candidates, missed, plan,
};
use watchpost_model::response::{
    ActionKind, OutboxMessage, OutboxState, ResponseAction, ResponseMode, ResponsePolicy, ResponseState,
};
use watchpost_model::text::visible;
use watchpost_store::{NewResponse, StoredFinding};

use crate::console::{Console, Workspace};
use crate::contract::{BlockAdd, ContainAdd, Tag};
use crate::door::{Call, Context, Operation, operation};
use crate::engine::engine_caller;
use crate::error::{ErrorCode, OpError};
use crate::perform::{enforce, response};

/// A block or containment that is pending this long was left by a crash: no write to Redis takes so long.
const PENDING_AGE: Duration = Duration::seconds(30);

/// Between two tries to write again what Redis lost: each leaves records.
const RESTORE_PAUSE: Duration = Duration::seconds(60);

/// Acts on findings that were just taken in; `events` are those they may be about, the last stored at `stored_at` if they
/// are all that was stored until then.
///
/// # Errors
/// What the database says. What Redis says of one action is on that action.
pub(crate) async fn respond(
    console: &Console,
    workspace: &Workspace,
    findings: &[&Finding],
    events: &[&Event],
    stored_at: Option<DateTime<Utc>>,
) -> Result<(), OpError> {
    if findings.is_empty() {
        return Ok(());
    }
    let stored = response::stored_or_off(workspace).await?;
    let mode = response::mode_on(workspace, &stored);
    let policy = stored.policy;
    let oldest =
        workspace.now() - Duration::seconds(i64::try_from(policy.age_max_s).unwrap_or(i64::MAX / 1_000_000));
    let matched: Vec<&Finding> = findings
        .iter()
        .copied()
        .filter(|finding| finding.at >= oldest && policy.rules.iter().any(|rule| rule.matches(finding)))
        .collect();
    if mode == ResponseMode::Off || matched.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = matched.iter().map(|finding| finding.id).collect();
    let incidents = workspace.store().incidents_of_findings(&ids).await?;
    let wanted: HashSet<EventId> = matched.iter().map(|finding| finding.event_id).collect();
    let events: HashMap<EventId, &Event> =
        events.iter().filter(|event| wanted.contains(&event.id)).map(|event| (event.id, *event)).collect();
    let known: Vec<StoredFinding> = matched
        .into_iter()
        .filter_map(|finding| {
            let (incident, number) = *incidents.get(&finding.id)?;
            Some(StoredFinding { finding: finding.clone(), incident, number })
        })
        .collect();
    let entries = Planner { workspace, policy: &policy, mode }.plan_all(&known, &events).await?;
    let planned: Vec<ResponseAction> = entries
        .iter()
        .filter(|entry| entry.action.state == ResponseState::Planned)
        .map(|entry| entry.action.clone())
        .collect();
    // Else the next start would answer them again when what was done about them has run out. What is planned and not
    // done by then is found by its state.
    let kept: HashSet<ResponseId> =
        workspace.store().response_insert(entries, stored_at).await?.into_iter().collect();
    for action in planned.iter().filter(|action| kept.contains(&action.id)) {
        act(console, workspace, action).await?;
    }
    if !kept.is_empty() {
        console.announce(&[Tag::Blocks, Tag::Incidents, Tag::Audit]);
    }
    Ok(())
}

/// Finishes what an engine before left: planned actions, and the response to its last batch.
///
/// # Errors
/// What the database says.
pub(crate) async fn recover(console: &Console, workspace: &Workspace) -> Result<(), OpError> {
    let left = workspace.store().responses_planned().await?;
    let stored = response::stored_or_off(workspace).await?;
    let mode = response::mode_on(workspace, &stored);
    for action in &left {
        if mode != ResponseMode::On {
            let why = "the response policy was switched off before it was done";
            decide(workspace, action, ResponseState::Failed, why, None).await?;
            continue;
        }
        if !finish_made(console, workspace, action).await? {
            act(console, workspace, action).await?;
        }
    }
    let Some((newest, stored_at)) = workspace.store().findings_unanswered().await? else { return Ok(()) };
    let ids: Vec<EventId> = newest.iter().map(|stored| stored.finding.event_id).collect();
    let events = workspace.store().events_by_ids(&ids).await?;
    let findings: Vec<&Finding> = newest.iter().map(|stored| &stored.finding).collect();
    let events: Vec<&Event> = events.values().collect();
    respond(console, workspace, &findings, &events, Some(stored_at)).await
}

/// Finishes blocks and containments that a crash left between the database and Redis, by whomever begun.
pub(crate) async fn finish_pending(console: &Console, workspace: &Workspace) {
    if workspace.events().is_err() {
        return;
    }
    let before = workspace.now() - PENDING_AGE;
    let block = enforce::finish_pending::<Block>(&context::<operation::block_add>(console), before).await;
    let contained =
        enforce::finish_pending::<Containment>(&context::<operation::contain_add>(console), before).await;
    let mut finished = 0;
    for result in [block, contained] {
        match result {
            Ok(n) => finished += n,
            // Another console may have been quicker.
            Err(problem) => tracing::debug!(%problem, "what a crash left was not finished"),
        }
    }
    if finished > 0 {
        console.announce(&[Tag::Blocks, Tag::Incidents, Tag::Audit]);
    }
}

/// Writes blocks and containments again that Redis has lost, with a record of each. Tells from when it must be tried
/// again, if something is left.
pub(crate) async fn restore(workspace: &Workspace) -> Option<DateTime<Utc>> {
    if workspace.connection().observe {
        return None; // Whoever may write to it sees to that.
    }
    let mut again = None;
    for result in
        [enforce::restore::<Block>(workspace).await, enforce::restore::<Containment>(workspace).await]
    {
        match result {
            Ok(restored) => {
                if restored.written > 0 {
                    let n = restored.written;
                    tracing::warn!(n, "Redis had lost what was blocked or contained; it was written again");
                }
                if restored.failed > 0 {
                    let n = restored.failed;
                    tracing::warn!(
                        n,
                        "some of what Redis lost could not be written again; next try in a minute"
                    );
                    again = again.max(Some(workspace.now() + RESTORE_PAUSE));
                }
            }
            Err(problem) => {
                tracing::warn!(%problem, "it is not known what Redis lost; next try at once");
                again = again.max(Some(workspace.now()));
            }
        }
    }
    again
}

/// The engine at work on an operation, for steps that are not a whole operation.
fn context<O: Operation>(console: &Console) -> Context {
    let behind = crate::two_people::Behind::Caller;
    let noted = crate::door::Noted::default();
    Context { console: console.clone(), caller: engine_caller(), reason: None, spec: O::SPEC, behind, noted }
}

/// What one batch is planned with.
struct Planner<'a> {
    workspace: &'a Workspace,
    policy: &'a ResponsePolicy,
    mode: ResponseMode,
}

impl Planner<'_> {
    async fn plan_all(
        &self,
        findings: &[StoredFinding],
        events: &HashMap<EventId, &Event>,
    ) -> Result<Vec<NewResponse>, OpError> {
        let store = self.workspace.store();
        let now = self.workspace.now();
        let incidents: BTreeSet<IncidentId> = findings.iter().map(|stored| stored.incident).collect();
        let incidents: Vec<IncidentId> = incidents.into_iter().collect();
        // What holds, and whether it gives way: see `PlannedAction::is_spared`.
        let mut holding: HashMap<_, bool> =
            store.responses_holding(&incidents, now).await?.into_iter().collect();
        let allowlist = store.allow_list().await?;
        let mut contained_last_hour = store.responses_contained_since(now - Duration::hours(1)).await?;
        let mut histories = Histories::new();
        let mut entries = Vec::new();
        for stored in findings {
            let event = events.get(&stored.finding.event_id).copied();
            let wanted = candidates(self.policy, &stored.finding, event);
            let holds = |c: &Candidate| {
                let key = (stored.incident, c.kind, c.target.clone());
                holding.get(&key).is_some_and(|gives_way| c.spared || !gives_way)
            };
            let missed = missed(self.policy, &stored.finding, event);
            let is_told = |kind| holding.contains_key(&(stored.incident, kind, NOTHING.to_owned()));
            if wanted.iter().all(holds) && missed.iter().all(|missed| is_told(missed.kind)) {
                continue;
            }
            for candidate in wanted.into_iter().filter(|candidate| candidate.kind.is_containment()) {
                let key = (candidate.kind, candidate.target);
                if let std::collections::btree_map::Entry::Vacant(vacant) = histories.entry(key) {
                    let key = vacant.key();
                    let since = now - Duration::days(i64::from(self.policy.repeat_days));
                    let history = store.target_history(key.0, &key.1, since, now).await?;
                    vacant.insert(history);
                }
            }
            let facts = Facts {
                now,
                own_addresses: self.workspace.own_addresses(),
                allowlist: &allowlist,
                histories: &histories,
                contained_last_hour,
            };
            for planned in plan(self.policy, &stored.finding, event, &facts) {
                let key = (planned.kind, planned.target.clone());
                let held = (stored.incident, key.0, key.1.clone());
                let gives_way = holding.get(&held).copied();
                if gives_way.is_some_and(|gives_way| !gives_way || planned.skipped.is_some()) {
                    continue;
                }
                holding.insert(held, planned.is_spared());
                if planned.kind.is_containment() && planned.skipped.is_none() {
                    contained_last_hour += 1;
                    histories.entry(key).or_default().in_force_until = planned.holds_until;
                }
                // In the order in which they are planned, each a moment later: that is what lists are ordered by.
                let at = now + Duration::microseconds(i64::try_from(entries.len()).unwrap_or(0));
                entries.push(self.entry(stored, planned, at));
            }
        }
        Ok(entries)
    }

    fn entry(&self, stored: &StoredFinding, planned: PlannedAction, now: DateTime<Utc>) -> NewResponse {
        let finding = &stored.finding;
        let is_on = self.mode == ResponseMode::On;
        let (state, detail) = match (&planned.skipped, is_on) {
            (Some(why), _) => (ResponseState::Skipped, why.clone()),
            (None, false) => (ResponseState::DryRun, "dry run: nothing was done".to_owned()),
            (None, true) if planned.kind.is_containment() => (ResponseState::Planned, String::new()),
            (None, true) => (ResponseState::Done, "written".to_owned()),
        };
        let sentence = planned.kind.sentence(&visible(&planned.target, 100));
        let timeline = match state {
            ResponseState::Skipped => Some(format!("Did not {sentence}: {}", visible(&detail, 200))),
            // That nobody was told is not worth a line on each incident.
            ResponseState::DryRun if message_of(planned.kind) => None,
            ResponseState::DryRun => Some(format!("Would {sentence} (dry run, {:?})", planned.policy_rule)),
            ResponseState::Done => Some(format!("Did {sentence} ({:?})", planned.policy_rule)),
            // The block or containment writes its own line.
            ResponseState::Planned | ResponseState::Failed | ResponseState::Reversed => None,
        };
        let message = (state == ResponseState::Done).then(|| message(stored, &planned, now)).flatten();
        let action = ResponseAction {
            id: ResponseId::at(now),
            kind: planned.kind,
            target: planned.target,
            state,
            incident: stored.incident,
            number: stored.number,
            finding: finding.id,
            rule_id: finding.rule_id.clone(),
            policy_rule: planned.policy_rule,
            ttl_s: planned.ttl_s,
            factor: planned.factor,
            per_min: planned.per_min,
            reason: visible(&finding.summary, 400),
            detail,
            planned_at: now,
            decided_at: (state != ResponseState::Planned).then_some(now),
            expires_at: planned.holds_until,
            effect: message.as_ref().map(|message| message.id.to_string()),
            reversed_at: None,
            reversed_by: None,
        };
        let outcome = match state {
            ResponseState::Planned => AuditOutcome::Started,
            ResponseState::Skipped => AuditOutcome::Denied,
            ResponseState::DryRun | ResponseState::Done | ResponseState::Failed | ResponseState::Reversed => {
                AuditOutcome::Success
            }
        };
        let name = match state {
            ResponseState::DryRun => "response_dry_run",
            ResponseState::Skipped => "response_skip",
            ResponseState::Planned
            | ResponseState::Done
            | ResponseState::Failed
            | ResponseState::Reversed => "response_act",
        };
        let draft = draft(name, outcome, &action, now);
        NewResponse { action, draft, timeline, message }
    }
}

/// Is it done by writing a message?
const fn message_of(kind: ActionKind) -> bool {
    matches!(kind, ActionKind::Notify | ActionKind::Ticket)
}

/// The message of a notification or ticket.
fn message(stored: &StoredFinding, planned: &PlannedAction, now: DateTime<Utc>) -> Option<OutboxMessage> {
    if !message_of(planned.kind) {
        return None;
    }
    let finding = &stored.finding;
    let entity = visible(&finding.entity.to_string(), 200);
    Some(OutboxMessage {
        id: OutboxId::at(now),
        kind: planned.kind,
        destination: planned.target.clone(),
        incident: stored.incident,
        number: stored.number,
        severity: finding.severity,
        subject: format!("[{}] #{}: {} ({entity})", finding.severity, stored.number, finding.family.title()),
        body: format!(
            "{}\n\nIncident #{}\nRule {}: {}\nEntity {entity}\nSeen {}\nConfidence {} %, risk {}\n",
            visible(&finding.summary, 1_000),
            stored.number,
            finding.rule_id,
            finding.rule_title,
            finding.at.format("%Y-%m-%d %H:%M:%S UTC"),
            finding.confidence,
            finding.risk,
        ),
        state: OutboxState::Pending,
        created_at: now,
        tries: 0,
        error: None,
        ended_at: None,
    })
}

fn draft(name: &str, outcome: AuditOutcome, action: &ResponseAction, now: DateTime<Utc>) -> AuditDraft {
    AuditDraft {
        caller: engine_caller(),
        action: name.to_owned(),
        object: String::new(),
        permission: Permission::Contain,
        outcome,
        changes: Vec::new(),
        reason: Some(reason(action)),
        at: now,
        risk: if action.kind.is_containment() { 40 } else { 10 },
    }
}

/// Why, for the block and for the trail: rule, finding, incident and the rule of the policy.
fn reason(action: &ResponseAction) -> String {
    format!(
        "{}: {} (finding {}, incident #{}, policy rule {:?})",
        action.rule_id, action.reason, action.finding, action.number, action.policy_rule
    )
}

/// Does a planned containment through the door, as a person would, and records what came of it.
async fn act(console: &Console, workspace: &Workspace, action: &ResponseAction) -> Result<(), OpError> {
    let left = action.expires_at.map_or(0, |end| (end - workspace.now()).num_milliseconds());
    // Rounded up to what the door takes: some of the shortest time has always passed by now.
    let Some(ttl_s) = u64::try_from(left)
        .ok()
        .filter(|left| *left > 0)
        .map(|left| left.div_ceil(1_000).max(*enforce::TTL_S.start()))
    else {
        let why = "its time was over before it was done";
        return decide(workspace, action, ResponseState::Failed, why, None).await;
    };
    // Mode `on` of a production connection was confirmed with a typed name; see `StoredPolicy::mode_on`.
    let confirmation = Some(workspace.connection().name.clone());
    let call = Call { caller: engine_caller(), confirmation, reason: None };
    let incident = Some(action.number);
    let made = match action.kind.contains() {
        Some(kind) => {
            let request = ContainAdd {
                kind,
                target: action.target.clone(),
                reason: reason(action),
                ttl_s,
                per_min: action.per_min,
                incident,
            };
            let made = Box::pin(console.call::<operation::contain_add>(&call, request)).await;
            made.map(|containment| containment.id.to_string())
        }
        None => {
            let request = BlockAdd { target: action.target.clone(), reason: reason(action), ttl_s, incident };
            let made = Box::pin(console.call::<operation::block_add>(&call, request)).await;
            made.map(|block| block.id.to_string())
        }
    };
    match made {
        Ok(effect) => {
            let detail = format!("in force for {ttl_s} s");
            decide(workspace, action, ResponseState::Done, &detail, Some(&effect)).await
        }
        Err(error) if matches!(error.code, ErrorCode::Precondition | ErrorCode::Validation) => {
            decide(workspace, action, ResponseState::Skipped, &error.message, None).await
        }
        Err(error) => decide(workspace, action, ResponseState::Failed, &error.message, None).await,
    }
}

/// If a crash left what a planned action was making: finishes that, and says so. True if there was something.
async fn finish_made(
    console: &Console,
    workspace: &Workspace,
    action: &ResponseAction,
) -> Result<bool, OpError> {
    let (state, effect) = match action.kind.contains() {
        Some(kind) => {
            let Some(made) = workspace.store().containment_active(kind, &action.target).await? else {
                return Ok(false);
            };
            let is_ours = made.incident == Some(action.incident) && made.created_by == engine_caller().name;
            if !is_ours {
                return Ok(false);
            }
            let state = match made.state {
                BlockState::Pending => {
                    enforce::finish(&context::<operation::contain_add>(console), workspace, &made).await?
                }
                state => state,
            };
            (state, made.id.to_string())
        }
        None => {
            let target =
                action.target.parse().map_err(|_| OpError::internal("a stored address is damaged"))?;
            let Some(made) = workspace.store().block_active(target).await? else { return Ok(false) };
            let is_ours = made.incident == Some(action.incident) && made.created_by == engine_caller().name;
            if !is_ours {
                return Ok(false);
            }
            let state = match made.state {
                BlockState::Pending => {
                    enforce::finish(&context::<operation::block_add>(console), workspace, &made).await?
                }
                state => state,
            };
            (state, made.id.to_string())
        }
    };
    match state {
        BlockState::Active => {
            let detail = "finished after a crash";
            decide(workspace, action, ResponseState::Done, detail, Some(&effect)).await?;
        }
        // Redis went away again: the next start tries once more.
        BlockState::Pending => {}
        BlockState::Expired | BlockState::Removed | BlockState::Failed => {
            let detail = "a crash interrupted it, and it could not be finished";
            decide(workspace, action, ResponseState::Failed, detail, None).await?;
        }
    }
    Ok(true)
}

async fn decide(
    workspace: &Workspace,
    action: &ResponseAction,
    state: ResponseState,
    detail: &str,
    effect: Option<&str>,
) -> Result<(), OpError> {
    let outcome = match state {
        ResponseState::Done => AuditOutcome::Success,
        ResponseState::Skipped => AuditOutcome::Denied,
        ResponseState::Planned | ResponseState::DryRun | ResponseState::Failed | ResponseState::Reversed => {
            AuditOutcome::Failure
        }
    };
    let draft = draft("response_act", outcome, action, workspace.now());
    workspace.store().response_decide(action.id, state, detail, effect, draft).await?;
    Ok(())
}
