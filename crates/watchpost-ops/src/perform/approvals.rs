//! Deciding about what waits for a second person.

use chrono::{DateTime, Utc};
use serde_json::Value;
use watchpost_model::access::{Origin, Permission, Role};
use watchpost_model::approval::{ApprovalRequest, ApprovalState, Carrier};
use watchpost_model::audit::{AuditOutcome, Change};
use watchpost_model::text::visible;
use watchpost_store::{ApprovalMove, Approvals, StoreError, approval_object};

use super::required;
use crate::console::Workspace;
use crate::contract::{
    ApprovalDecision, ApprovalGranted, ApprovalList, ApprovalPolicyPut, ApprovalRef, Nothing, OperationSpec,
};
use crate::door::{Call, Context, OPERATIONS};
use crate::error::{ErrorCode, OpError};
use crate::setting::{self, json};
use crate::two_people::{FourEyesNow, SETTING, is_engine, is_person, one_of, unchanged};

pub(crate) async fn approval_list(cx: Context, _: Nothing) -> Result<ApprovalList, OpError> {
    let workspace = cx.workspace()?;
    let standing = FourEyesNow::of(&workspace).await?;
    let Approvals { requests: mut approvals, unreadable, more } = workspace.store().approvals().await?;
    for one in &mut approvals {
        match workspace.store().approval_set_back(one).await? {
            // The trail decides, not the row.
            Some((state, ended)) => {
                one.state = state;
                one.outcome = Some(format!("by the audit trail it {ended}; somebody set its row back"));
            }
            None => {
                one.state = one.state_at(workspace.now());
                if let Some(doubt) = doubt(&workspace, one).await? {
                    one.outcome = Some(doubt);
                }
            }
        }
        mask(one, cx.caller.role);
    }
    Ok(ApprovalList {
        approvals,
        unreadable,
        more,
        policy: standing.policy,
        state: standing.state(),
        detail: standing.detail(),
        people: standing.people,
    })
}

/// Why an open request will not be carried out as it stands there: the trail knows another one, or no approval of it.
async fn doubt(workspace: &Workspace, one: &ApprovalRequest) -> Result<Option<String>, OpError> {
    if !matches!(one.state, ApprovalState::Waiting | ApprovalState::Granted) {
        return Ok(None);
    }
    let Some(spec) = OPERATIONS.iter().find(|spec| spec.name == one.operation) else { return Ok(None) };
    let trail = match unchanged(workspace, one, spec.permission).await {
        Ok(trail) => trail,
        Err(error) if error.code == ErrorCode::Precondition => return Ok(Some(error.message)),
        // Whoever may not read the trail is told what the row says.
        Err(error) if error.code == ErrorCode::Permission => return Ok(None),
        Err(error) => return Err(error),
    };
    let is_told = one.state == ApprovalState::Waiting || trail.granted_by.is_some() || trail.was_begun;
    Ok((!is_told).then(|| {
        "the audit trail has no approval of it: somebody wrote that into its row, and nothing is done"
            .to_owned()
    }))
}

/// Takes away what is asked, and why, for whoever may neither do it nor read the trail: it names people.
fn mask(one: &mut ApprovalRequest, role: Role) {
    let spec = OPERATIONS.iter().find(|spec| spec.name == one.operation);
    if role.may(Permission::Audit) || spec.is_some_and(|spec| role.may(spec.permission)) {
        return;
    }
    one.request = "{}".to_owned();
    one.summary = "what is asked is shown to whoever may do it".to_owned();
    (one.reason, one.note) = (None, None);
}

/// The request of this id. A row that cannot be read is none: nobody decides about it, and nothing waits for it.
async fn readable(workspace: &Workspace, id: &str) -> Result<ApprovalRequest, OpError> {
    let id = id.trim();
    workspace.store().approval(id).await.map_err(|error| match error {
        StoreError::Corrupt(problem) => OpError::precondition(format!(
            "the row \"{}\" among the requests cannot be read, and was not written by Watchpost: {}",
            visible(id, 80),
            visible(&problem, 300)
        ))
        .hint(
            "nothing waits for it; an owner of the tables can delete it: DELETE FROM approval WHERE id = '...'",
        ),
        other => other.into(),
    })
}

/// The request, and what carries it out, if this person may decide about it.
async fn to_decide(cx: &Context, id: &str) -> Result<(ApprovalRequest, &'static OperationSpec), OpError> {
    if cx.caller.origin == Origin::Http {
        let message = "over HTTP people cannot be told apart: nobody approves there";
        return Err(OpError::new(ErrorCode::Permission, message)
            .hint(format!(
                "decide at a window or a command line, with an account of your own: `watchpost approval grant {}`",
                id.trim()
            )));
    }
    let workspace = cx.workspace()?;
    if !is_person(&cx.caller) || is_engine(&workspace) {
        let message = "the engine is nobody: it decides nothing that takes a second person";
        return Err(OpError::new(ErrorCode::Permission, message).hint(format!(
            "decide with a login, or an account, of your own: `watchpost approval grant {}`",
            id.trim()
        )));
    }
    let asked = readable(&workspace, id).await?;
    let spec = OPERATIONS.iter().find(|spec| spec.name == asked.operation && spec.two_people.is_some());
    let spec = spec.ok_or_else(|| {
        OpError::precondition(format!("{:?} needs no second person in this version", asked.operation))
    })?;
    if !cx.caller.role.may(spec.permission) {
        let message = format!("the role {} may not {}", cx.caller.role, spec.deed());
        return Err(OpError::new(ErrorCode::Permission, message)
            .hint(format!(
                "whoever approves something has to be allowed to do it: somebody with the permission {:?} decides, with \
                 `watchpost approval grant {}`",
                spec.permission.as_str(),
                asked.id
            )));
    }
    Ok((asked, spec))
}

/// Refuses a request in any other state. That comes before the look whether it was changed: an erasure takes a name out of
/// requests that are over, its own as well.
fn in_state(asked: &ApprovalRequest, now: DateTime<Utc>, may_be: &[ApprovalState]) -> Result<(), OpError> {
    let state = asked.state_at(now);
    if may_be.contains(&state) {
        return Ok(());
    }
    Err(OpError::new(ErrorCode::Conflict, format!("the request {} is {state}", asked.id)))
}

fn note_of(request: &ApprovalDecision) -> Result<Option<String>, OpError> {
    request.note.as_deref().map(|note| required("note", note, 1_000)).transpose()
}

pub(crate) async fn approval_grant(
    cx: Context,
    request: ApprovalDecision,
) -> Result<ApprovalGranted, OpError> {
    let workspace = cx.workspace()?;
    let note = note_of(&request)?;
    let (asked, spec) = to_decide(&cx, &request.id).await?;
    in_state(&asked, workspace.now(), &[ApprovalState::Waiting, ApprovalState::Failed])?;
    if asked.is_asked_by(&cx.caller.name) {
        let standing = FourEyesNow::of(&workspace).await?;
        let approvers = standing.approvers(&workspace, &asked).await?;
        let next = if approvers.is_empty() {
            standing.detail()
        } else {
            format!("It is for {}: `watchpost approval grant {}`.", one_of(&approvers), asked.id)
        };
        return Err(OpError::new(ErrorCode::Permission, "nobody approves what they asked for themselves")
            .hint(format!("{next} Take it back with `watchpost approval withdraw {}`.", asked.id)));
    }
    let trail = unchanged(&workspace, &asked, spec.permission).await?;
    let store = workspace.store();
    if workspace.login().is_some() && trail.is_of_this_login {
        let message = "it was asked for with this login at the database: that is the same person";
        return Err(OpError::new(ErrorCode::Permission, message)
            .hint(format!(
                "where the database has logins, each person has one of their own: somebody with another one decides, \
                 with `watchpost approval grant {}`",
                asked.id
            )));
    }
    let by = Some(cx.caller.name.as_str());
    let both = || {
        vec![
            Change::new("asked_by", Value::Null, asked.asked_by.clone()),
            Change::new("operation", Value::Null, asked.operation.clone()),
        ]
    };
    // What failed when it was carried out may be approved once more.
    let from = match asked.state {
        ApprovalState::Failed if asked.carrier == Carrier::Approver => ApprovalState::Failed,
        _ => ApprovalState::Waiting,
    };
    let step = ApprovalMove { from, to: ApprovalState::Granted, by, note: note.as_deref(), outcome: None };
    if asked.carrier == Carrier::Asker {
        let draft = cx.record("", both(), note.clone());
        let approval = store.approval_move(&asked.id, step, draft).await?;
        return Ok(ApprovalGranted { approval, reply: None });
    }
    // From here nobody else carries it out, also if this process ends now.
    let draft = cx.record_as(AuditOutcome::Started, "", both(), note.clone());
    store.approval_move(&asked.id, step, draft).await?;
    let call = Call {
        caller: cx.caller.clone(),
        // The door has asked for it already.
        confirmation: Some(workspace.connection().name.clone()),
        reason: asked.reason.clone(),
    };
    let wanted: Value = serde_json::from_str(&asked.request)
        .map_err(|error| OpError::internal(format!("the request is no JSON: {error}")))?;
    let result = cx.console.call_granted(&call, spec.name, wanted, &asked).await;
    // It stays as a process that ended now would leave it: the trail tells later whether it was done.
    if let Err(error) = &result
        && crate::error_map::is_unconfirmed(error)
    {
        return Err(error.clone());
    }
    let (to, outcome, ended) = match &result {
        Ok(_) => (ApprovalState::Done, "done".to_owned(), AuditOutcome::Success),
        Err(error) => (ApprovalState::Failed, error.to_string(), AuditOutcome::Failure),
    };
    let step =
        ApprovalMove { from: ApprovalState::Granted, to, by: None, note: None, outcome: Some(&outcome) };
    let draft = cx.record_as(ended, "", both(), Some(outcome.clone()));
    let approval = store.approval_move(&asked.id, step, draft).await?;
    cx.noted.set();
    match result {
        Ok(reply) => Ok(ApprovalGranted { approval, reply: Some(reply) }),
        Err(error) => {
            let again = format!(
                "it can be approved once more until {} with `watchpost approval grant {}`",
                asked.expires_at.format("%Y-%m-%d %H:%M UTC"),
                asked.id
            );
            let hint = error.hint.as_ref().map_or_else(|| again.clone(), |hint| format!("{hint}; {again}"));
            Err(error.hint(hint))
        }
    }
}

pub(crate) async fn approval_refuse(
    cx: Context,
    request: ApprovalDecision,
) -> Result<ApprovalRequest, OpError> {
    let note = note_of(&request)?;
    let (asked, _) = to_decide(&cx, &request.id).await?;
    in_state(&asked, cx.workspace()?.now(), &[ApprovalState::Waiting])?;
    let step = ApprovalMove {
        from: ApprovalState::Waiting,
        to: ApprovalState::Refused,
        by: Some(&cx.caller.name),
        note: note.as_deref(),
        outcome: None,
    };
    let changes = vec![Change::new("asked_by", Value::Null, asked.asked_by.clone())];
    let draft = cx.record("", changes, note.clone());
    Ok(cx.workspace()?.store().approval_move(&asked.id, step, draft).await?)
}

pub(crate) async fn approval_withdraw(cx: Context, request: ApprovalRef) -> Result<ApprovalRequest, OpError> {
    let workspace = cx.workspace()?;
    let asked = readable(&workspace, &request.id).await?;
    let open =
        [ApprovalState::Waiting, ApprovalState::Granted, ApprovalState::Failed, ApprovalState::Expired];
    in_state(&asked, workspace.now(), &open)?;
    if !asked.is_asked_by(&cx.caller.name) {
        return Err(OpError::new(ErrorCode::Permission, "a request is withdrawn by whoever asked")
            .hint(format!("say no to it instead: `watchpost approval refuse {}`", asked.id)));
    }
    let from = match asked.state {
        ApprovalState::Granted if asked.carrier == Carrier::Asker => ApprovalState::Granted,
        ApprovalState::Failed => ApprovalState::Failed,
        _ => ApprovalState::Waiting,
    };
    let step = ApprovalMove { from, to: ApprovalState::Withdrawn, by: None, note: None, outcome: None };
    let draft = cx.record(approval_object(&asked.id), Vec::new(), None);
    Ok(workspace.store().approval_move(&asked.id, step, draft).await?)
}

pub(crate) async fn approval_policy_put(
    cx: Context,
    request: ApprovalPolicyPut,
) -> Result<ApprovalList, OpError> {
    let policy = request.policy;
    policy.check().map_err(|(field, why)| OpError::invalid(field, why))?;
    let workspace = cx.workspace()?;
    let setting = setting::read::<watchpost_model::approval::FourEyes>(workspace.store(), SETTING).await?;
    let (old, new) = (json(&setting.value)?, json(&policy)?);
    let changes = ["on", "prefix_v4", "prefix_v6"]
        .iter()
        .filter(|field| old[*field] != new[*field])
        .map(|field| Change::new(field, old[*field].clone(), new[*field].clone()))
        .collect();
    let record = cx.record(format!("setting/{SETTING}"), changes, request.reason);
    setting.replace(workspace.store(), &policy, record).await?;
    approval_list(cx, Nothing {}).await
}

/// What a policy that lets one person do more changes; `None` for one that does not.
pub(crate) async fn weaker_policy(
    cx: &Context,
    request: ApprovalPolicyPut,
) -> Result<Option<String>, OpError> {
    let policy = request.policy;
    policy.check().map_err(|(field, why)| OpError::invalid(field, why))?;
    let before = FourEyesNow::of(cx.workspace()?.as_ref()).await?.policy;
    if !policy.is_weaker_than(&before) {
        return Ok(None);
    }
    let on = |on| if on { "on" } else { "off" };
    Ok(Some(format!(
        "letting one person do more: four eyes {} instead of {}, ranges up to /{} and /{} instead of /{} and /{}",
        on(policy.on),
        on(before.on),
        policy.prefix_v4,
        policy.prefix_v6,
        before.prefix_v4,
        before.prefix_v6
    )))
}
