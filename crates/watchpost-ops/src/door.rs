//! The one door. Everything that changes something or reads something sensitive passes here:
//! authorise -> confirm -> perform -> record -> answer.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use ts_rs::TS;
use watchpost_model::access::{Caller, Permission};
use watchpost_model::approval::{ApprovalRequest, Carrier, Matter, TwoPeople};
use watchpost_model::audit::{AuditDraft, AuditOutcome, Change};
use watchpost_store::StoreError;

use crate::console::{Console, Workspace};
use crate::contract::{Effect, OperationSpec, Tag};
use crate::error::{ErrorCode, OpError};
use crate::identity;
use crate::perform;
use crate::perform::share;
use crate::roles;
use crate::two_people::{self, Behind};

/// Typed by nobody: who gives this for a confirmation asks what there is to confirm, and is refused on any connection.
const ONLY_ASKS: &str = "?";
/// A longer reason is cut.
const REASON_CHARS_MAX: usize = 2_000;

/// Longest name of a target in the record of a refusal.
const TARGET_CHARS_MAX: usize = 200;
/// The members of requests that say what an operation is about, the telling ones first. Never one that holds a secret.
const TARGETS: &[&str] = &[
    "number",
    "numbers",
    "into",
    "target",
    "entity",
    "pattern",
    "name",
    "id",
    "undo",
    "framework",
    "category",
    "path",
    "directory",
];

/// What a request is about, as the record of its refusal names it: `block_add/203.0.113.7`, or the operation alone.
fn object_of(operation: &str, request: Option<&Value>) -> String {
    let target = TARGETS.iter().find_map(|name| match request?.get(name)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(all) if !all.is_empty() => {
            let words = all.iter().map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned));
            Some(words.collect::<Vec<_>>().join(","))
        }
        Value::Object(entity) => {
            Some(format!("{}:{}", entity.get("kind")?.as_str()?, entity.get("value")?.as_str()?))
        }
        _ => None,
    });
    match target {
        Some(target) => {
            let shown = watchpost_model::text::visible(&target, TARGET_CHARS_MAX);
            format!("{operation}/{shown}")
        }
        None => operation.to_owned(),
    }
}

/// What the record of a refusal takes from the request.
#[derive(Default)]
struct Asked {
    object: String,
    /// Why, as the caller said it.
    reason: Option<String>,
}

impl Asked {
    fn of(cx: &Context, request: Option<&Value>) -> Self {
        let reason = request.map_or_else(|| cx.reason.clone(), |request| two_people::reason_of(cx, request));
        Self { object: object_of(cx.spec.name, request), reason }
    }
}

/// Does it only tell how far something else is? A program asks that many times a second, beside what it is about, whose
/// refusal is in the trail.
fn asks_how_far(spec: &OperationSpec) -> bool {
    spec.effect == Effect::Read && spec.name.ends_with("_progress")
}

/// What performing an operation returns.
pub type Performed<T> = Pin<Box<dyn Future<Output = Result<T, OpError>> + Send>>;

/// An operation that is called with JSON.
type Called<'a> = Pin<Box<dyn Future<Output = Result<Value, OpError>> + Send + 'a>>;

/// An operation of the product: a typed request, a typed reply, and how it is done.
pub trait Operation {
    /// What is asked.
    type Request: DeserializeOwned + Serialize + TS + Send + 'static;
    /// What is answered.
    type Reply: Serialize + TS + Send + 'static;
    /// Name, permission, effect, tags.
    const SPEC: OperationSpec;

    /// Does it. Called by the door only, after authorisation and confirmation.
    fn perform(cx: Context, request: Self::Request) -> Performed<Self::Reply>;
}

/// Who asks, and what they typed to confirm a change on a production connection.
#[derive(Debug, Clone)]
pub struct Call {
    /// Who asks.
    pub caller: Caller,
    /// The connection's name, typed by the person.
    pub confirmation: Option<String>,
    /// Why, in words, for changes whose request asks for no reason; it stands in the audit record.
    pub reason: Option<String>,
}

/// What an operation has at hand.
#[derive(Clone)]
pub struct Context {
    /// The console.
    pub console: Console,
    /// Who asks.
    pub caller: Caller,
    /// Why, where the request does not say.
    pub reason: Option<String>,
    /// The operation.
    pub spec: OperationSpec,
    /// Who stands behind it, where one person may not be enough.
    pub(crate) behind: Behind,
    /// Whether its failure has a record already.
    pub(crate) noted: Noted,
}

/// Set by an operation that left a record of how it ended although it failed: the door makes no second one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Noted(Arc<AtomicBool>);

impl Noted {
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Context {
    /// The open workspace.
    ///
    /// # Errors
    /// `Precondition` when no connection is open.
    pub fn workspace(&self) -> Result<std::sync::Arc<Workspace>, OpError> {
        self.console.workspace()
    }

    /// The record of this operation's success on `object`.
    #[must_use]
    pub fn record(
        &self,
        object: impl Into<String>,
        changes: Vec<Change>,
        reason: Option<String>,
    ) -> AuditDraft {
        self.record_as(AuditOutcome::Success, object, changes, reason)
    }

    /// The record of this operation with another outcome.
    #[must_use]
    pub fn record_as(
        &self,
        outcome: AuditOutcome,
        object: impl Into<String>,
        mut changes: Vec<Change>,
        reason: Option<String>,
    ) -> AuditDraft {
        changes.extend(self.behind.changes());
        AuditDraft {
            caller: self.caller.clone(),
            action: self.spec.name.to_owned(),
            object: object.into(),
            permission: self.spec.permission,
            outcome,
            changes,
            reason: reason.as_deref().and_then(said).or_else(|| self.reason.clone()),
            at: self.console.now(),
            risk: risk_of(self.spec.permission, outcome),
        }
    }
}

/// A reason as it is kept: without blanks around it, `None` if nothing is left, and not longer than the trail takes.
fn said(reason: &str) -> Option<String> {
    let reason = reason.trim();
    (!reason.is_empty()).then(|| reason.chars().take(REASON_CHARS_MAX).collect())
}

/// Whoever may not is denied, wherever that is found; everything else fails.
const fn outcome_of(error: &OpError) -> AuditOutcome {
    match error.code {
        ErrorCode::Permission => AuditOutcome::Denied,
        _ => AuditOutcome::Failure,
    }
}

/// Why it was not done, in a record whose reason is the one that was given.
pub(crate) fn failed_by(error: &str) -> Change {
    Change::new("error", Value::Null, said(error))
}

/// How much a record deserves to be looked at, 0 to 100: what the permission can do, more when it was refused or failed.
fn risk_of(permission: Permission, outcome: AuditOutcome) -> u8 {
    let base = match permission {
        Permission::View => 0,
        Permission::Report | Permission::Audit => 10,
        Permission::Triage => 15,
        Permission::Maintain => 30,
        Permission::Contain => 40,
        Permission::Admin => 50,
    };
    match outcome {
        AuditOutcome::Denied => base + 40,
        AuditOutcome::Failure => base + 20,
        AuditOutcome::Started | AuditOutcome::Success => base,
    }
}

macro_rules! two_people {
    () => {
        None
    };
    ($carrier:ident $matter:ident) => {
        Some(TwoPeople { matter: Matter::$matter, carrier: Carrier::$carrier })
    };
}

macro_rules! check_if {
    () => {
        None
    };
    ($member:ident) => {
        Some(stringify!($member))
    };
}

macro_rules! expand_operations {
    ($($about:literal $name:ident($request:ident) -> $reply:ident: $permission:ident,
       $effect:ident $(unless $member:ident)?,
       [$($provides:ident),*], [$($invalidates:ident),*] $(, $carrier:ident for $matter:ident)?;)+) => {
        /// A type for each operation, named like it.
        #[expect(non_camel_case_types, reason = "an operation's type carries the operation's name")]
        pub mod operation {
            use super::{Carrier, Context, Matter, Operation, Performed, TwoPeople, perform};
            use crate::{contract::*, replies::*};

            $(
                #[doc = $about]
                #[derive(Debug, Clone, Copy)]
                pub struct $name;

                impl Operation for $name {
                    type Request = $request;
                    type Reply = $reply;
                    const SPEC: OperationSpec = OperationSpec {
                        name: stringify!($name),
                        about: $about,
                        permission: watchpost_model::access::Permission::$permission,
                        effect: Effect::$effect,
                        check_if: check_if!($($member)?),
                        provides: &[$(Tag::$provides),*],
                        invalidates: &[$(Tag::$invalidates),*],
                        two_people: two_people!($($carrier $matter)?),
                    };

                    fn perform(cx: Context, request: Self::Request) -> Performed<Self::Reply> {
                        Box::pin(perform::$name(cx, request))
                    }
                }
            )+
        }

        /// Every operation, in the order of the list.
        pub const OPERATIONS: &[OperationSpec] = &[$(<operation::$name as Operation>::SPEC),+];

        impl Console {
            /// Calls an operation by name with JSON in and out; the HTTP interface and the CLI's JSON mode.
            ///
            /// # Errors
            /// `NotFound` for an unknown name, `Validation` for a request of the wrong shape, else the operation's own.
            pub async fn call_json(&self, call: &Call, name: &str, request: Value) -> Result<Value, OpError> {
                self.call_named(call, None, name, request).await
            }

            async fn call_named(
                &self,
                call: &Call,
                granted: Option<&ApprovalRequest>,
                name: &str,
                request: Value,
            ) -> Result<Value, OpError> {
                let called = match name {
                    $(stringify!($name) => self.call_value::<operation::$name>(call, granted, request),)+
                    _ => return Err(OpError::not_found(format!("operation {name:?}"))),
                };
                called.await
            }
        }

        pub(crate) fn visit_operations(visitor: &mut impl OperationVisitor) {
            $(visitor.visit::<operation::$name>();)+
        }
    };
}

/// What writes to the Redis, and is nothing without that. What is not named here is refused at its first write.
const WRITES_TO_REDIS: [&str; 12] = [
    "block_add",
    "block_remove",
    "contain_add",
    "contain_remove",
    "response_reverse",
    "import_run",
    "simulate_run",
    "retention_run",
    "optimize_run",
    "benchmark_run",
    "cleanup_run",
    "restore_run",
];

/// Walks over the operations with their types; the code generator does.
pub(crate) trait OperationVisitor {
    /// Called once an operation.
    fn visit<O: Operation>(&mut self)
    where
        O::Request: 'static,
        O::Reply: 'static;
}

crate::for_each_operation!(expand_operations);

impl Console {
    /// Passes a request through the door.
    ///
    /// # Errors
    /// `Permission` if the role may not or the window is locked, `Precondition` if a production connection needs a confirmation, else what the
    /// operation itself says. Refusals and failures of changes are in the audit trail.
    pub async fn call<O: Operation>(&self, call: &Call, request: O::Request) -> Result<O::Reply, OpError> {
        self.call_as::<O>(call, None, request).await
    }

    /// Carries out what somebody else asked for and the caller approves.
    pub(crate) async fn call_granted(
        &self,
        call: &Call,
        name: &str,
        request: Value,
        granted: &ApprovalRequest,
    ) -> Result<Value, OpError> {
        self.call_named(call, Some(granted), name, request).await
    }

    async fn call_as<O: Operation>(
        &self,
        call: &Call,
        granted: Option<&ApprovalRequest>,
        request: O::Request,
    ) -> Result<O::Reply, OpError> {
        let spec = O::SPEC;
        self.refuse_locked(call, spec.name).await?;
        let mut cx = self.context(call, spec).await;
        let about = if spec.effect.is_recorded() || !cx.caller.role.may(spec.permission) {
            Asked::of(&cx, serde_json::to_value(&request).as_ref().ok())
        } else {
            Asked::default()
        };
        self.authorise(&cx, &about).await?;
        if let Err(refusal) = self.refuse_observing(spec, &request) {
            self.record_refusal(&cx, AuditOutcome::Failure, &about, &refusal).await;
            return Err(refusal);
        }
        if let Err(mut refusal) = self.confirm(&cx, &request, call.confirmation.as_deref()) {
            // Without a name the caller asks what is needed; a wrong one is a change that was tried.
            if call.confirmation.as_deref().is_some_and(|typed| typed != ONLY_ASKS) {
                self.record_refusal(&cx, AuditOutcome::Denied, &about, &refusal).await;
            }
            if let Ok(asked) = serde_json::to_value(&request)
                && let Some(share) = Box::pin(share::of(&cx, spec.name, &asked)).await
            {
                refusal.message = format!("{}; it {share}", refusal.message);
            }
            return Err(refusal);
        }
        if let Some(two) = spec.two_people {
            let asked = serde_json::to_value(&request).unwrap_or_default();
            // On the heap: few operations need it, and all would have to have room for it.
            match Box::pin(two_people::behind(&cx, two, &asked, granted)).await {
                Ok(behind) => cx.behind = behind,
                Err(refusal) => {
                    // The request that waits has a record of its own.
                    if refusal.code == ErrorCode::Approval {
                        self.note_person(&cx).await;
                        self.announce(&[Tag::Audit]);
                    } else {
                        self.record_refusal(&cx, outcome_of(&refusal), &about, &refusal).await;
                    }
                    return Err(refusal);
                }
            }
        }
        let result = O::perform(cx.clone(), request).await;
        if result.is_ok() {
            self.note_person(&cx).await;
        }
        match &result {
            // If it was done its own record says so, and none may say that it failed; it may also still hold the log.
            Err(error) if crate::error_map::is_unconfirmed(error) => {
                tracing::warn!(operation = spec.name, "of a change it is not known whether it was done");
            }
            Err(error) if spec.effect.is_recorded() => {
                if !cx.noted.is_set() {
                    self.record_refusal(&cx, outcome_of(error), &about, error).await;
                }
                // What the approver carries out, the approval itself notes.
                if granted.is_none() {
                    Box::pin(two_people::given_back(&cx, error)).await;
                }
            }
            Ok(_) if spec.effect != Effect::Read => self.announce(spec.invalidates),
            Ok(_) | Err(_) => {}
        }
        result
    }

    async fn context(&self, call: &Call, spec: OperationSpec) -> Context {
        Context {
            console: self.clone(),
            caller: self.with_role(&call.caller).await,
            reason: call.reason.as_deref().and_then(said),
            spec,
            behind: Behind::Caller,
            noted: Noted::default(),
        }
    }

    /// Somebody as the database knows them: by their login, where it has logins, and in the role of it. What the database
    /// refuses is refused here, with a record.
    pub(crate) async fn with_role(&self, caller: &Caller) -> Caller {
        if !two_people::is_person(caller) {
            return caller.clone();
        }
        let Some(workspace) = self.current() else { return caller.clone() };
        let mut caller = identity::known_to(caller, workspace.login());
        caller.role = match workspace.role() {
            Some(role) => role,
            // On the heap: every operation would have to have room for it.
            None => Box::pin(roles::role_of(&workspace, &caller)).await,
        };
        caller
    }

    /// Remembers that this person, whose change was allowed, is there to be asked as a second one. Whoever may only look is
    /// not.
    async fn note_person(&self, cx: &Context) {
        let is_change = cx.spec.effect.is_recorded() && cx.spec.permission != Permission::View;
        let Ok(workspace) = self.workspace() else { return };
        if is_change
            && two_people::is_person(&cx.caller)
            && !two_people::is_engine(&workspace)
            && let Err(problem) = workspace.store().person_seen(&cx.caller.name).await
        {
            if matches!(problem, StoreError::ReadOnly(_)) {
                tracing::debug!(%problem, "it was not noted who is there");
            } else {
                tracing::warn!(%problem, "it was not noted who is there");
            }
        }
    }

    async fn authorise(&self, cx: &Context, about: &Asked) -> Result<(), OpError> {
        let (role, spec) = (cx.caller.role, cx.spec);
        if role.may(spec.permission) {
            return Ok(());
        }
        let refusal = OpError::new(ErrorCode::Permission, format!("the role {role} may not {}", spec.deed()))
            .hint(format!("ask an admin for a role with the permission {:?}", spec.permission.as_str()));
        if !asks_how_far(&spec) {
            self.record_refusal(cx, AuditOutcome::Denied, about, &refusal).await;
        }
        Err(refusal)
    }

    /// On the heap from the beginning: the caller has room for a pointer to one of all operations, not for each of them.
    fn call_value<'a, O: Operation>(
        &'a self,
        call: &'a Call,
        granted: Option<&'a ApprovalRequest>,
        request: Value,
    ) -> Called<'a> {
        Box::pin(async move {
            // Who may not do it is told so before the request is looked at.
            let cx = self.context(call, O::SPEC).await;
            self.authorise(&cx, &Asked::of(&cx, Some(&request))).await?;
            let request = serde_json::from_value(request)
                .map_err(|error| OpError::invalid("request", format!("{}: {error}", O::SPEC.name)))?;
            let reply = self.call_as::<O>(call, granted, request).await?;
            serde_json::to_value(reply)
                .map_err(|error| OpError::internal(format!("reply not serialisable: {error}")))
        })
    }

    /// What writes to the Redis is not begun on a connection that only observes.
    fn refuse_observing(&self, spec: OperationSpec, request: &impl Serialize) -> Result<(), OpError> {
        let Some(what) = WRITES_TO_REDIS.iter().find(|name| **name == spec.name) else { return Ok(()) };
        let Ok(workspace) = self.workspace() else { return Ok(()) };
        let connection = workspace.connection();
        if !connection.observe || spec.effect_of(request) == Effect::Check {
            return Ok(());
        }
        let words = format!(
            "{:?} only observes: {} would write to its Redis, and nothing was done",
            connection.name,
            what.replace('_', " ")
        );
        Err(OpError::precondition(words).hint(crate::error_map::OBSERVES))
    }

    /// A change on a production connection needs the connection's name, typed.
    fn confirm(
        &self,
        cx: &Context,
        request: &impl Serialize,
        confirmation: Option<&str>,
    ) -> Result<(), OpError> {
        if cx.spec.effect != Effect::Change {
            return Ok(());
        }
        let Ok(workspace) = self.workspace() else { return Ok(()) };
        let connection = workspace.connection();
        let is_asked = confirmation == Some(ONLY_ASKS);
        // What only tries writes that it did, and nothing else: there is nothing to confirm.
        let is_needed = connection.production && cx.spec.effect_of(request) == Effect::Change;
        if !is_asked && (!is_needed || confirmation == Some(connection.name.as_str())) {
            return Ok(());
        }
        let kind = if connection.production { "production connection" } else { "connection" };
        let lacking = match confirmation {
            Some(typed) if !is_asked => format!("{typed:?} is not its name"),
            _ => "this change needs a confirmation".to_owned(),
        };
        Err(OpError {
            field: Some("confirmation".to_owned()),
            ..OpError::precondition(format!("{:?} is a {kind}: {lacking}", connection.name))
                .hint("type the name of the connection to confirm; on the command line: --confirm NAME")
        })
    }

    /// Writes the record of something that was not done: with the reason that was given and the error beside it, or else with
    /// the error as the reason. A trail that cannot be written is told in the log and in the status: there is no effect to
    /// take back here.
    async fn record_refusal(&self, cx: &Context, outcome: AuditOutcome, about: &Asked, error: &OpError) {
        let Ok(workspace) = self.workspace() else { return };
        let why = error.to_string();
        let draft = match about.reason.clone() {
            Some(reason) => cx.record_as(outcome, &about.object, vec![failed_by(&why)], Some(reason)),
            None => cx.record_as(outcome, &about.object, Vec::new(), Some(why)),
        };
        let Err(problem) = workspace.store().audit_append(draft).await else {
            self.announce(&[Tag::Audit]);
            return;
        };
        let problem = OpError::from(problem);
        if problem.code == ErrorCode::Unavailable && problem.hint.is_some() && problem.hint == error.hint {
            // The answer is that very thing, and is to be read first.
            tracing::debug!(operation = cx.spec.name, %problem, "cannot write the audit record of a refusal");
        } else {
            tracing::error!(operation = cx.spec.name, %problem, "cannot write the audit record of a refusal");
        }
    }
}
