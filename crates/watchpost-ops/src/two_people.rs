//! Four eyes at the door: what needs a second person waits for one, and is carried out once, as it was asked for.
//!
//! An operation says in the list of operations that it may need one. Whether a request does is looked at here
//! ([`considered`]); so nothing waits that could not be done.

use serde::de::DeserializeOwned;
use serde_json::Value;
use watchpost_model::access::{Caller, Origin, Permission, Role};
use watchpost_model::approval::{
    ApprovalRequest, ApprovalState, Carrier, FourEyes, KNOWN_DAYS, Matter, TwoPeople, person_key,
};
use watchpost_model::audit::{AuditDraft, AuditFilter, AuditOutcome, Change};
use watchpost_model::privacy::Erasure;
use watchpost_store::{ApprovalMove, ApprovalTrail, LoginStanding, NewApproval, approval_object};

use crate::console::Workspace;
use crate::contract::FourEyesState;
use crate::door::{Context, OPERATIONS};
use crate::error::{ErrorCode, OpError};
use crate::roles::{self, Roles};
use crate::{perform, setting};

/// The setting that holds the policy.
pub(crate) const SETTING: &str = "four_eyes";

/// What takes from beside the trail: where the database has logins, only that of the owner of its tables carries it out.
const OF_THE_OWNER: [&str; 2] = ["privacy_erase", "audit_purge"];
/// So many names stand in a hint.
const NAMES_MAX: usize = 8;

/// Who may decide, in words.
pub(crate) fn one_of(names: &[String]) -> String {
    let shown = names.iter().take(NAMES_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len() {
        0 => "somebody else who may do it, and nobody who may is known yet,".to_owned(),
        1 => shown,
        n if n > NAMES_MAX => format!("one of {shown} and {} more", n - NAMES_MAX),
        _ => format!("one of {shown}"),
    }
}

/// Who stands behind a change.
#[derive(Debug, Clone, Default)]
pub(crate) enum Behind {
    /// The caller; nobody else is needed.
    #[default]
    Caller,
    /// The caller, where two would be needed and there is nobody else.
    Alone(Matter),
    /// Two people.
    Two {
        /// The request.
        approval: Box<ApprovalRequest>,
        /// Who approved it.
        granted_by: String,
    },
}

impl Behind {
    /// What the record of the change says of it.
    pub(crate) fn changes(&self) -> Vec<Change> {
        let said = |field: &str, value: &str| Change::new(field, Value::Null, value);
        match self {
            Self::Caller => Vec::new(),
            Self::Alone(matter) => {
                vec![said("second_person", &format!("none: {matter} by one person alone"))]
            }
            Self::Two { approval, granted_by } => vec![
                said("asked_by", &approval.asked_by),
                said("granted_by", granted_by),
                said("approval", &approval.id),
            ],
        }
    }
}

/// The policy, who is known, and what follows.
pub(crate) struct FourEyesNow {
    pub(crate) policy: FourEyes,
    pub(crate) people: Vec<String>,
    /// People are told apart by their logins at the database, not by the accounts of machines.
    by_login: bool,
}

impl FourEyesNow {
    pub(crate) async fn of(workspace: &Workspace) -> Result<Self, OpError> {
        let policy = setting::read(workspace.store(), SETTING).await?.value;
        let since = workspace.now() - chrono::Duration::days(KNOWN_DAYS);
        let mut people = workspace.store().people(since).await?;
        let by_login = workspace.login().is_some();
        if by_login {
            let barred = decides_nothing(workspace).await?;
            people.retain(|name| !barred.contains(name));
        }
        Ok(Self { policy, people, by_login })
    }

    /// The same with whoever is about to do something: they are there, also if it is their first time. The engine is nobody.
    async fn with(workspace: &Workspace, caller: &Caller) -> Result<Self, OpError> {
        let mut standing = Self::of(workspace).await?;
        let name = person_key(&caller.name);
        if is_person(caller) && !is_engine(workspace) && !standing.people.contains(&name) {
            standing.people.push(name);
        }
        Ok(standing)
    }

    pub(crate) fn state(&self) -> FourEyesState {
        match (self.policy.on, self.people.len()) {
            (false, _) => FourEyesState::Off,
            (true, 0 | 1) => FourEyesState::Alone,
            (true, _) => FourEyesState::InForce,
        }
    }

    /// Who may approve a request: whoever did not ask and may do it, by the roles that the database gives.
    pub(crate) async fn approvers(
        &self,
        workspace: &Workspace,
        asked: &ApprovalRequest,
    ) -> Result<Vec<String>, OpError> {
        let spec = OPERATIONS.iter().find(|spec| spec.name == asked.operation);
        let permission = spec.map_or(Permission::Admin, |spec| spec.permission);
        let mut names = if self.by_login {
            let mut names = workspace.store().login_owners().await?;
            if !OF_THE_OWNER.contains(&asked.operation.as_str()) {
                let logins = workspace.store().login_roles().await?;
                names.extend(
                    logins.into_iter().filter(|(_, role)| role.may(permission)).map(|(name, _)| name),
                );
            }
            let engines = workspace.store().login_engines().await?;
            names.retain(|name| !engines.contains(name));
            names
        } else {
            let roles = setting::read::<Roles>(workspace.store(), roles::SETTING).await?.value;
            self.people.iter().filter(|name| roles.of(name).may(permission)).cloned().collect()
        };
        names.retain(|name| !asked.is_asked_by(name));
        names.sort();
        names.dedup();
        Ok(names)
    }

    pub(crate) fn detail(&self) -> String {
        match self.state() {
            FourEyesState::InForce => format!(
                "{} people are known: what two have to decide waits for a second one.",
                self.people.len()
            ),
            FourEyesState::Alone => format!(
                "four eyes are not available alone: only one person is known{}. Purges, wide blocks and changes of keys are \
                 done at once, and their records say that nobody else looked; a legal hold is not released by whoever \
                 placed it. A second person is known once they change something at a window or a command line with {}.",
                self.people.first().map_or_else(String::new, |name| format!(", {name}")),
                if self.by_login {
                    "a login at the database of their own; that of the engine is nobody's, and whose role decides nothing \
                     is nobody to be asked"
                } else {
                    "an account of their own"
                }
            ),
            FourEyesState::Off => {
                "four eyes are switched off: purges, wide blocks and changes of keys are done by one \
                 person alone, and their records say so; a legal hold is not released by whoever placed it."
                    .to_owned()
            }
        }
    }
}

/// Is this somebody who can be told apart from others, at a window or a command line?
pub(crate) const fn is_person(caller: &Caller) -> bool {
    matches!(caller.origin, Origin::Window | Origin::Cli)
}

/// Is this console at the database with the login of the engine? Whoever uses that is nobody who could be told apart.
pub(crate) fn is_engine(workspace: &Workspace) -> bool {
    workspace.login().is_some_and(|login| login.standing == LoginStanding::Engine)
}

/// Logins, as people are told apart, whose role may do nothing of what two people decide.
async fn decides_nothing(workspace: &Workspace) -> Result<Vec<String>, OpError> {
    let owners = workspace.store().login_owners().await?;
    let logins = workspace.store().login_roles().await?;
    let decides =
        |role: Role| OPERATIONS.iter().any(|spec| spec.two_people.is_some() && role.may(spec.permission));
    let barred = logins.into_iter().filter(|(name, role)| !decides(*role) && !owners.contains(name));
    Ok(barred.map(|(name, _)| person_key(&name)).collect())
}

fn parse<T: DeserializeOwned>(request: &Value) -> Result<T, OpError> {
    serde_json::from_value(request.clone()).map_err(|error| OpError::internal(error.to_string()))
}

/// What a second person would have to look at, in words; `None` if this request needs none.
///
/// # Errors
/// Why it could not be done, approved or not.
async fn considered(cx: &Context, who: &str, request: &Value) -> Result<Option<String>, OpError> {
    match cx.spec.name {
        "block_add" => perform::wide_block(cx, parse(request)?).await,
        "settings_put" => perform::shortened_retention(cx, parse(request)?).await,
        "privacy_erase" => perform::erasure_of(cx, who, &parse(request)?).map(Some),
        "hold_release" => perform::own_hold(cx, who, parse(request)?).await,
        "restore_run" => perform::overwriting_restore(cx, parse(request)?).await,
        "token_key_add" => perform::token_key_set(cx, &parse(request)?).await.map(Some),
        "token_key_remove" => Ok(Some(perform::token_key_gone(&parse(request)?))),
        "approval_policy_put" => perform::weaker_policy(cx, parse(request)?).await,
        "audit_retention_put" => perform::shortened_record_retention(cx, &parse(request)?).await,
        "audit_purge" => perform::purge_of(cx, &parse(request)?).await.map(Some),
        "audit_key_roll" => perform::key_roll(cx, parse(request)?).await.map(Some),
        "audit_key_revoke" => perform::key_revoked(cx, parse(request)?).await.map(Some),
        other => Err(OpError::internal(format!("nobody says what two people look at in {other}"))),
    }
}

/// The request as it is kept and shown: a shared secret is replaced by what it is.
fn shown(operation: &str, request: &Value) -> String {
    let mut request = request.clone();
    if operation == "token_key_add"
        && let Some(value) = request.pointer_mut("/key/value")
    {
        *value = Value::from("(a secret, not kept here)");
    }
    request.to_string()
}

/// The reason in the request, else the one of the call.
pub(crate) fn reason_of(cx: &Context, request: &Value) -> Option<String> {
    let own = request.get("reason").and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    own.map(str::to_owned).or_else(|| cx.reason.clone())
}

/// Decides who has to stand behind a change. `granted` is what the caller approves with this call.
///
/// # Errors
/// `Approval` if it waits now, or already, for a second person; `Permission` if there is none and it must not be done
/// alone; why it could not be done at all.
pub(crate) async fn behind(
    cx: &Context,
    two: TwoPeople,
    request: &Value,
    granted: Option<&ApprovalRequest>,
) -> Result<Behind, OpError> {
    // What the engine and schedules may do was decided when their policy was made.
    if matches!(cx.caller.origin, Origin::Engine | Origin::Schedule) {
        return Ok(Behind::Caller);
    }
    let who = granted.map_or(cx.caller.name.as_str(), |approval| approval.asked_by.as_str());
    let summary = considered(cx, who, request).await?;
    if let Some(approval) = granted {
        if summary.as_ref() != Some(&approval.summary) {
            let now = summary.unwrap_or_else(|| "something that needs no second person".to_owned());
            return Err(OpError::precondition(format!(
                "by now it would do something else than was asked for: {now}"
            ))
            .hint("whoever asked has to ask again"));
        }
        let (approval, granted_by) = (Box::new(approval.clone()), cx.caller.name.clone());
        return Ok(Behind::Two { approval, granted_by });
    }
    let Some(summary) = summary else { return Ok(Behind::Caller) };
    let workspace = cx.workspace()?;
    let standing = FourEyesNow::with(&workspace, &cx.caller).await?;
    // Over HTTP the login is that of the daemon, whoever asks.
    if is_person(&cx.caller) && is_engine(&workspace) && standing.policy.on && !standing.people.is_empty() {
        let message =
            format!("{summary}: two people have to decide that, and the login of the engine is nobody's");
        return Err(
            OpError::new(ErrorCode::Permission, message).hint("ask with a login at the database of your own")
        );
    }
    if standing.state() != FourEyesState::InForce {
        if two.matter.alone() {
            return Ok(Behind::Alone(two.matter));
        }
        return Err(OpError::new(
            ErrorCode::Permission,
            format!("{summary}: a second person has to do that"),
        )
        .hint(standing.detail()));
    }
    if cx.caller.origin == Origin::Http {
        let message =
            format!("{summary}: two people have to decide that, and over HTTP they cannot be told apart");
        return Err(OpError::new(ErrorCode::Permission, message)
            .hint("ask at a window or a command line, where everybody has an account of their own"));
    }
    let kept = shown(cx.spec.name, request);
    for before in workspace.store().approvals_open(cx.spec.name, &kept).await? {
        let is_it = before.is_asked_by(&cx.caller.name) && before.summary == summary;
        match before.state_at(workspace.now()) {
            ApprovalState::Granted | ApprovalState::Failed if is_it && two.carrier == Carrier::Asker => {
                return carried_by_asker(cx, &workspace, before).await;
            }
            // What failed can be approved once more.
            ApprovalState::Waiting | ApprovalState::Failed if is_it => {
                return Err(waits(&before, &standing.approvers(&workspace, &before).await?));
            }
            _ => {}
        }
    }
    refuse_in_vain(cx, &workspace, &standing, request).await?;
    let new = NewApproval {
        operation: cx.spec.name,
        two,
        request: kept,
        summary: summary.clone(),
        reason: reason_of(cx, request),
        asked_by: &cx.caller.name,
    };
    let changes = vec![Change::new("operation", Value::Null, cx.spec.name)];
    let reason = new.reason.clone();
    let draft = cx.record_as(AuditOutcome::Started, "", changes, reason);
    let asked = workspace.store().approval_ask(new, draft).await?;
    Err(waits(&asked, &standing.approvers(&workspace, &asked).await?))
}

/// Refuses a request that nobody could grant, or that would fail then: it would only wait.
async fn refuse_in_vain(
    cx: &Context,
    workspace: &Workspace,
    standing: &FourEyesNow,
    request: &Value,
) -> Result<(), OpError> {
    if standing.by_login && OF_THE_OWNER.contains(&cx.spec.name) {
        let me = person_key(&cx.caller.name);
        let owners = workspace.store().login_owners().await?;
        if owners.iter().all(|owner| person_key(owner) == me) {
            return Err(OpError::precondition(
                "only the login that owns the tables carries this out, and nobody approves what they asked for",
            )
            .hint("ask with another login whose role may do it, then approve it with the login of the owner"));
        }
    }
    if cx.spec.name == "privacy_erase" {
        Box::pin(perform::erasure_stands(workspace, &parse(request)?)).await?;
    }
    Ok(())
}

fn waits(asked: &ApprovalRequest, approvers: &[String]) -> OpError {
    let until = asked.expires_at.format("%Y-%m-%d %H:%M UTC");
    let then = match asked.carrier {
        Carrier::Approver => "",
        Carrier::Asker => "; then do the same once more",
    };
    OpError::new(
        ErrorCode::Approval,
        format!("{} waits for a second person as request {}", asked.summary, asked.id),
    )
    .hint(format!(
        "until {until} {} may look at it in Settings, or with `watchpost approval grant {}`{then}",
        one_of(approvers),
        asked.id
    ))
}

/// What somebody else approved, carried out by whoever asked: once.
async fn carried_by_asker(
    cx: &Context,
    workspace: &Workspace,
    approval: ApprovalRequest,
) -> Result<Behind, OpError> {
    // What the row says of it, anybody with the database can write; the trail says who it was.
    let trail = unchanged(workspace, &approval, cx.spec.permission).await?;
    let Some(granted_by) = trail.granted_by else {
        return Err(OpError::new(
            ErrorCode::Permission,
            format!(
                "no record of the trail says that somebody else approved {}",
                approval_object(&approval.id)
            ),
        )
        .hint(format!("{}`watchpost audit verify --full` checks the records", because(&trail.disbelieved))));
    };
    if let Some(record) = had_effect(workspace, &approval).await? {
        return Err(OpError::new(
            ErrorCode::Conflict,
            format!("{} was carried out by record {record}", approval_object(&approval.id)),
        )
        .hint(format!("look at it: `watchpost audit show {record}`")));
    }
    let step = ApprovalMove {
        from: approval.state,
        to: ApprovalState::Done,
        by: None,
        note: None,
        outcome: Some("carried out by whoever asked; its own record says how it ended"),
    };
    let draft = carry_out(cx, AuditOutcome::Started, None);
    workspace.store().approval_move(&approval.id, step, draft).await?;
    Ok(Behind::Two { approval: Box::new(approval), granted_by })
}

/// The record of what whoever asked makes of an approval.
fn carry_out(cx: &Context, outcome: AuditOutcome, reason: Option<String>) -> AuditDraft {
    let mut draft = cx.record_as(outcome, "", Vec::new(), reason);
    "approval_carry_out".clone_into(&mut draft.action);
    draft
}

/// The record of the change itself, begun or done, that names the request: an approval is good for one.
async fn had_effect(workspace: &Workspace, approval: &ApprovalRequest) -> Result<Option<i64>, OpError> {
    let filter = AuditFilter {
        action: Some(approval.operation.clone()),
        // The time of a record is that of the database.
        from: Some(approval.asked_at - chrono::Duration::days(1)),
        ..AuditFilter::default()
    };
    let is_it =
        |change: &Change| change.field == "approval" && change.new.as_str() == Some(approval.id.as_str());
    let mut before = None;
    // All of them: what was refused or failed since leaves records of the same operation, as many as somebody likes.
    loop {
        let records = workspace.store().audit_page(&filter, before, 500).await?;
        let found = records.iter().find(|record| {
            matches!(record.outcome, AuditOutcome::Started | AuditOutcome::Success)
                && record.changes.iter().any(is_it)
        });
        if let Some(record) = found {
            return Ok(Some(record.seq));
        }
        before = records.last().map(|record| record.seq);
        if before.is_none() {
            return Ok(None);
        }
    }
}

/// Gives an approval back to whoever asked, after carrying it out failed without an effect: it can be tried once more.
pub(crate) async fn given_back(cx: &Context, error: &OpError) {
    let Behind::Two { approval, .. } = &cx.behind else { return };
    let Ok(workspace) = cx.workspace() else { return };
    if approval.carrier != Carrier::Asker || !matches!(had_effect(&workspace, approval).await, Ok(None)) {
        return;
    }
    let outcome = error.to_string();
    let step = ApprovalMove {
        from: ApprovalState::Done,
        to: ApprovalState::Failed,
        by: None,
        note: None,
        outcome: Some(&outcome),
    };
    let draft = carry_out(cx, AuditOutcome::Failure, Some(outcome.clone()));
    if let Err(problem) = workspace.store().approval_move(&approval.id, step, draft).await {
        tracing::warn!(%problem, id = approval.id, "an approval that was not used could not be given back");
    }
}

/// Why records were not believed, before a hint.
fn because(disbelieved: &[String]) -> String {
    let mut why = disbelieved.join("; ");
    if !why.is_empty() {
        why.push_str("; ");
    }
    why
}

/// What the trail says of a request that takes `permission`; refuses one that is not any more what its record says.
pub(crate) async fn unchanged(
    workspace: &Workspace,
    approval: &ApprovalRequest,
    permission: Permission,
) -> Result<ApprovalTrail, OpError> {
    let by_login = workspace.login().is_some();
    let trail = workspace.store().approval_trail(approval, permission, by_login).await?;
    if trail.is_unchanged {
        return Ok(trail);
    }
    if let Some(erasure) = erased_in(workspace, approval).await? {
        return Err(OpError::precondition(format!(
            "{} is not any more what was asked for: it names {}, whom an erasure took out of it; nothing is done",
            approval_object(&approval.id),
            erasure.pseudonym
        ))
        .hint(format!(
            "say no to it with `watchpost approval refuse {}`; whoever still needs it asks anew",
            approval.id
        )));
    }
    Err(OpError::precondition(format!(
        "{} was changed after it was asked for: nothing is done",
        approval_object(&approval.id)
    ))
    .hint(format!(
        "{}its record in the audit trail holds a digest of what was asked for; say no to it with `watchpost approval \
         refuse {}`, and find out who changed the database",
        because(&trail.disbelieved),
        approval.id
    )))
}

/// The erasure whose pseudonym stands in a request in place of a name.
async fn erased_in(workspace: &Workspace, approval: &ApprovalRequest) -> Result<Option<Erasure>, OpError> {
    let texts = [
        Some(&approval.request),
        Some(&approval.summary),
        approval.reason.as_ref(),
        Some(&approval.asked_by),
    ];
    let erasures = workspace.store().erasures().await?;
    Ok(erasures
        .into_iter()
        .find(|erasure| texts.iter().flatten().any(|text| text.contains(erasure.pseudonym.as_str()))))
}
