//! Four eyes through the door: what waits, who may decide, and that what is approved is what was asked for.

use std::sync::Arc;

use chrono::Duration;
use tempfile::TempDir;
use watchpost_model::access::{Caller, Origin, Role};
use watchpost_model::approval::{ApprovalRequest, ApprovalState, FourEyes};
use watchpost_model::audit::{AuditFilter, AuditOutcome, AuditRecord};
use watchpost_model::block::BlockState;
use watchpost_model::clock::{Clock, ManualClock, SystemClock};
use watchpost_model::privacy::SubjectKind;
use watchpost_model::record_class::{RecordClass, RecordRule};
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{
    ApprovalDecision, ApprovalGranted, ApprovalList, ApprovalPolicyPut, ApprovalRef, AuditPageRequest,
    AuditPurge, AuditPurgeRequest, AuditRetentionPut, AuditVerify, BlockAdd, BlockListRequest, FourEyesState,
    HoldAdd, HoldRelease, Nothing, PrivacyErase, SettingsChange, TokenKeyAdd, TokenKeyInput, TokenKeyRef,
};
use watchpost_ops::door::{Call, Operation, operation};
use watchpost_ops::error::{ErrorCode, OpError};

use crate::door::{Desk, desk_at, folder};
use crate::report_tampered::tamper;

pub(crate) struct Team {
    pub(crate) desk: Desk,
    clock: Arc<ManualClock>,
    pub(crate) home: TempDir,
}

impl Team {
    /// A workspace in which `people` have done something.
    pub(crate) async fn new(people: &[&str]) -> Self {
        let home = folder();
        let clock = Arc::new(ManualClock::new(SystemClock.now()));
        let desk = desk_at(&home, Tenure::Guest, local_connection(), clock.clone()).await;
        let team = Self { desk, clock, home };
        for (n, name) in people.iter().enumerate() {
            let call = team.call(name, Role::Analyst);
            let target = format!("192.88.99.{}", n + 1);
            let request = BlockAdd { target, reason: "seen".into(), ttl_s: 600, incident: None };
            team.desk.console.call::<operation::block_add>(&call, request).await.expect("it is allowed");
        }
        team
    }

    fn call(&self, name: &str, role: Role) -> Call {
        let caller = Caller { name: name.to_owned(), role, ..self.desk.call.caller.clone() };
        Call { caller, confirmation: None, reason: None }
    }

    pub(crate) async fn as_admin<O: Operation>(
        &self,
        name: &str,
        request: O::Request,
    ) -> Result<O::Reply, OpError> {
        self.desk.console.call::<O>(&self.call(name, Role::Admin), request).await
    }

    pub(crate) async fn list(&self) -> ApprovalList {
        self.desk.ask::<operation::approval_list>(Nothing {}).await.expect("requests can be listed")
    }

    /// The newest request, of which `refused` told.
    pub(crate) async fn waiting(&self, refused: &OpError) -> ApprovalRequest {
        assert_eq!(refused.code, ErrorCode::Approval, "{refused}");
        let mut all = self.list().await.approvals.into_iter();
        let waiting = all.find(|one| refused.message.contains(&one.id)).expect("it waits");
        assert_eq!(waiting.state, ApprovalState::Waiting, "{refused}");
        waiting
    }

    pub(crate) async fn grant(&self, name: &str, role: Role, id: &str) -> Result<ApprovalGranted, OpError> {
        let request = ApprovalDecision { id: id.to_owned(), note: Some("looked".to_owned()) };
        self.desk.console.call::<operation::approval_grant>(&self.call(name, role), request).await
    }

    async fn state(&self, id: &str) -> ApprovalState {
        self.list().await.approvals.into_iter().find(|one| one.id == id).expect("it is listed").state
    }

    async fn blocked(&self, target: &str) -> bool {
        let request =
            BlockListRequest { state: vec![BlockState::Active], limit: 500, ..BlockListRequest::default() };
        let list = self.desk.ask::<operation::block_list>(request).await.expect("blocks can be listed");
        list.blocks.iter().any(|row| row.block.target.to_string() == target)
    }

    async fn records(&self, action: &str) -> Vec<AuditRecord> {
        let filter = AuditFilter { action: Some(action.to_owned()), ..AuditFilter::default() };
        let request = AuditPageRequest { filter, before: None, limit: 500 };
        self.desk.ask::<operation::audit_page>(request).await.expect("the trail can be read").rows
    }

    pub(crate) async fn holds(&self) {
        let request = AuditVerify { full: true, ticket: None };
        let found = self.desk.ask::<operation::audit_verify>(request).await.expect("it can be checked");
        assert!(found.ok, "{:?}", found.problems);
    }
}

pub(crate) fn wide() -> BlockAdd {
    BlockAdd { target: "203.0.112.0/22".into(), reason: "a botnet".into(), ttl_s: 3_600, incident: None }
}

fn said(record: &AuditRecord, field: &str) -> Option<String> {
    let change = record.changes.iter().find(|change| change.field == field)?;
    change.new.as_str().map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wide_block_waits_for_another_person_and_both_are_in_the_trail() {
    let team = Team::new(&["dana", "robin"]).await;
    assert_eq!(team.list().await.state, FourEyesState::InForce);
    let narrow = BlockAdd { target: "203.0.113.0/24".into(), ..wide() };
    team.as_admin::<operation::block_add>("dana", narrow).await.expect("256 addresses need nobody else");

    let refused = team.as_admin::<operation::block_add>("dana", wide()).await.unwrap_err();
    let asked = team.waiting(&refused).await;
    assert!(refused.hint.as_deref().is_some_and(|hint| hint.contains("robin") && !hint.contains("dana")));
    assert!(!team.blocked("203.0.112.0/22").await, "nothing is done yet");
    assert_eq!((asked.asked_by.as_str(), asked.reason.as_deref()), ("dana", Some("a botnet")));
    assert!(asked.summary.contains("1024 addresses"), "{}", asked.summary);
    let again = team.as_admin::<operation::block_add>("dana", wide()).await.unwrap_err();
    assert_eq!(team.waiting(&again).await.id, asked.id, "asking twice is one request");
    assert_eq!(team.list().await.approvals.len(), 1);

    let viewer = team.call("vic", Role::Viewer);
    let seen = team.desk.console.call::<operation::approval_list>(&viewer, Nothing {}).await;
    let seen = seen.expect("everybody sees that something waits").approvals.remove(0);
    assert_eq!((seen.request.as_str(), seen.reason, seen.asked_by.as_str()), ("{}", None, "dana"));
    assert!(!seen.summary.contains("1024"), "{}", seen.summary);

    for name in ["dana", "DANA", " dana ", "da\u{200b}na", "\u{feff}Dana"] {
        let own = team.grant(name, Role::Admin, &asked.id).await.unwrap_err();
        assert_eq!(own.code, ErrorCode::Permission, "{name:?}: {own}");
    }
    for role in [Role::Viewer, Role::Auditor] {
        let weak = team.grant("robin", role, &asked.id).await.unwrap_err();
        assert_eq!(weak.code, ErrorCode::Permission, "a {role} may not block: {weak}");
    }
    let mut remote = team.call("robin", Role::Admin);
    remote.caller.origin = Origin::Http;
    let decision = ApprovalDecision { id: asked.id.clone(), note: None };
    let refused = team.desk.console.call::<operation::approval_grant>(&remote, decision).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Permission, "a shared token is nobody: {refused}");
    // Each of them is one record, and one of something that was not allowed.
    assert_eq!(team.desk.trail("approval_grant", AuditOutcome::Failure).await, 0);
    assert_eq!(team.desk.trail("approval_grant", AuditOutcome::Denied).await, 8);
    let other = BlockAdd { target: "198.51.0.0/16".into(), ..wide() };
    let refused = team.desk.console.call::<operation::block_add>(&remote, other).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Permission, "nor does it ask: {refused}");
    assert_eq!(team.state(&asked.id).await, ApprovalState::Waiting, "whoever may not does not use it up");
    assert!(!team.blocked("203.0.112.0/22").await);

    let granted = team.grant("robin", Role::Analyst, &asked.id).await.expect("another person may");
    assert_eq!(granted.approval.state, ApprovalState::Done);
    assert!(team.blocked("203.0.112.0/22").await);
    let blocks = team.records("block_add").await;
    let done = blocks.iter().find(|one| one.object == "block/203.0.112.0/22").expect("it is recorded");
    assert_eq!(done.actor, "robin");
    assert_eq!(said(done, "asked_by").as_deref(), Some("dana"));
    assert_eq!(said(done, "granted_by").as_deref(), Some("robin"));
    assert_eq!(said(done, "approval").as_deref(), Some(asked.id.as_str()));
    let asks = team.records("approval_ask").await;
    assert_eq!((asks.len(), asks[0].actor.as_str()), (1, "dana"));
    let twice = team.grant("robin", Role::Admin, &asked.id).await.unwrap_err();
    assert_eq!(twice.code, ErrorCode::Conflict, "once: {twice}");
    team.holds().await;
    team.desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ran_out_was_withdrawn_refused_or_changed_does_nothing() {
    let team = Team::new(&["dana", "robin"]).await;
    let ask = || async {
        let refused = team.as_admin::<operation::block_add>("dana", wide()).await.unwrap_err();
        team.waiting(&refused).await.id
    };
    let refused = |result: Result<ApprovalGranted, OpError>| {
        let told = result.unwrap_err();
        assert!(told.hint.is_none(), "what is over is not decided again: {told}");
        told.code
    };

    let id = ask().await;
    let decision = ApprovalRef { id: id.clone() };
    let other = team.as_admin::<operation::approval_withdraw>("robin", decision.clone()).await.unwrap_err();
    assert_eq!(other.code, ErrorCode::Permission, "it is withdrawn by whoever asked");
    team.as_admin::<operation::approval_withdraw>("dana", decision).await.expect("whoever asked may");
    assert_eq!(refused(team.grant("robin", Role::Admin, &id).await), ErrorCode::Conflict);

    let id = ask().await;
    let decision = ApprovalDecision { id: id.clone(), note: Some("too wide".to_owned()) };
    let no = team.as_admin::<operation::approval_refuse>("robin", decision).await.expect("one may say no");
    assert_eq!((no.state, no.note.as_deref()), (ApprovalState::Refused, Some("too wide")));
    assert_eq!(refused(team.grant("robin", Role::Admin, &id).await), ErrorCode::Conflict);

    // Somebody makes another request out of it in the database.
    for change in [
        "request = replace(request, '203.0.112.0/22', '198.51.0.0/16')",
        "request = replace(request, '3600', '31000000')",
        "asked_by = 'sam'",
        "summary = 'harmless'",
        "operation = 'hold_release'",
        "expires_at = expires_at + 1",
    ] {
        let id = ask().await;
        tamper(&team.home, &format!("UPDATE approval SET {change} WHERE id = '{id}'"));
        let listed = team.list().await.approvals.into_iter().find(|one| one.id == id).expect("it is listed");
        assert!(
            listed.outcome.is_some_and(|outcome| outcome.contains("changed")),
            "{change}: the list says so"
        );
        let found = team.grant("robin", Role::Admin, &id).await.unwrap_err();
        assert!(found.message.contains("changed"), "{change}: {found}");
        // Also by whoever could not approve it as it was.
        let own = team.grant("dana", Role::Admin, &id).await.unwrap_err();
        assert!(own.message.contains("changed") || own.code == ErrorCode::Permission, "{change}: {own}");
        tamper(&team.home, &format!("UPDATE approval SET state = 'refused' WHERE id = '{id}'"));
    }
    // A row that nobody asked for.
    tamper(
        &team.home,
        "INSERT INTO approval SELECT 'feedfeedfeedfeed', operation, matter, carrier, request, summary, reason, asked_by, \
         asked_at, expires_at, 'waiting', NULL, NULL, NULL, NULL, 0 FROM approval LIMIT 1",
    );
    let found = team.grant("robin", Role::Admin, "feedfeedfeedfeed").await.unwrap_err();
    assert!(found.message.contains("changed"), "{found}");
    tamper(&team.home, "UPDATE approval SET state = 'refused' WHERE id = 'feedfeedfeedfeed'");

    // What the world made of it meanwhile is not what was asked for.
    let id = ask().await;
    let allow = watchpost_ops::contract::AllowAdd { target: "203.0.113.9".into(), note: "office".into() };
    team.as_admin::<operation::allow_add>("robin", allow).await.expect("it can be allowed");
    let found = team.grant("robin", Role::Admin, &id).await.unwrap_err();
    assert_eq!(
        (found.code, team.state(&id).await),
        (ErrorCode::Precondition, ApprovalState::Failed),
        "{found}"
    );
    let gone = watchpost_ops::contract::AllowRemove { target: "203.0.113.9".into() };
    team.as_admin::<operation::allow_remove>("robin", gone).await.expect("it can be taken off");

    team.clock.advance(Duration::hours(24));

    let id = ask().await;
    team.clock.advance(Duration::hours(24));
    assert_eq!(team.state(&id).await, ApprovalState::Expired);
    assert_eq!(refused(team.grant("robin", Role::Admin, &id).await), ErrorCode::Conflict);
    assert!(!team.blocked("203.0.112.0/22").await && !team.blocked("198.51.0.0/16").await);
    assert!(
        !team
            .records("block_add")
            .await
            .iter()
            .any(|one| one.outcome == AuditOutcome::Success && one.object.contains("/22"))
    );
    team.holds().await;
    team.desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_matter_waits_and_is_done_by_two() {
    let team = Team::new(&["dana", "robin"]).await;

    // Purge: the archive is to keep less, and somebody is erased.
    let settings = team.desk.ask::<operation::settings_get>(Nothing {}).await.unwrap();
    let change = |days: i64| {
        let mut retention = settings.retention.clone();
        retention[0].archive_days = u32::try_from(i64::from(retention[0].archive_days) + days).unwrap();
        SettingsChange { organisation: settings.organisation.clone(), retention, reason: None }
    };
    team.as_admin::<operation::settings_put>("dana", change(10))
        .await
        .expect("keeping more needs nobody else");
    let refused = team.as_admin::<operation::settings_put>("dana", change(5)).await.unwrap_err();
    let asked = team.waiting(&refused).await;
    team.grant("robin", Role::Lead, &asked.id).await.expect_err("a lead may not change settings");
    team.grant("robin", Role::Admin, &asked.id).await.expect("an admin may");
    let now = team.desk.ask::<operation::settings_get>(Nothing {}).await.unwrap();
    assert_eq!(now.retention[0].archive_days, settings.retention[0].archive_days + 5);

    let erase =
        PrivacyErase { kind: SubjectKind::User, subject: "j.doe".into(), reason: "request 12".into() };
    let refused = team.as_admin::<operation::privacy_erase>("dana", erase).await.unwrap_err();
    assert!(!refused.to_string().contains("j.doe"), "no message names the person: {refused}");
    let asked = team.waiting(&refused).await;
    assert!(asked.request.contains("j.doe"), "whoever approves sees whom");
    team.grant("robin", Role::Lead, &asked.id).await.expect("another person may");
    let after = team.list().await.approvals.into_iter().find(|one| one.id == asked.id).unwrap();
    assert!(!after.request.contains("j.doe") && after.state == ApprovalState::Done, "{after:?}");
    // The erasure took the name out of its own request: nobody changed that who should be looked for.
    let over = format!("the request {} is done", asked.id);
    let again = team.grant("robin", Role::Lead, &asked.id).await.unwrap_err();
    assert_eq!((again.message, again.hint), (over.clone(), None));
    let decision = ApprovalDecision { id: asked.id.clone(), note: None };
    let again = team.as_admin::<operation::approval_refuse>("robin", decision).await.unwrap_err();
    assert_eq!((again.message, again.hint), (over.clone(), None));
    let own = ApprovalRef { id: asked.id.clone() };
    let again = team.as_admin::<operation::approval_withdraw>("dana", own).await.unwrap_err();
    assert_eq!((again.message, again.hint), (over.clone(), None));
    let own = PrivacyErase { kind: SubjectKind::User, subject: "robin".into(), reason: "12".into() };
    let refused = team.as_admin::<operation::privacy_erase>("robin", own.clone()).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Permission, "nobody asks to erase what they did");
    let asked =
        team.waiting(&team.as_admin::<operation::privacy_erase>("dana", own).await.unwrap_err()).await;
    let before = team.desk.trail("approval_grant", AuditOutcome::Failure).await;
    let refused = team.grant("robin", Role::Admin, &asked.id).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Permission, "nor approves it: {refused}");
    let after = team.desk.trail("approval_grant", AuditOutcome::Failure).await;
    assert_eq!(after, before + 1, "that it was begun and failed is told once");

    // A hold: by somebody else at once, by its own author with a second person.
    let hold = HoldAdd {
        kind: SubjectKind::User,
        subject: "a.smith".into(),
        reason: "case 7".into(),
        owner: "legal".into(),
    };
    let placed = team.as_admin::<operation::hold_add>("dana", hold.clone()).await.unwrap();
    let held =
        PrivacyErase { kind: SubjectKind::User, subject: "a.smith".into(), reason: "request 13".into() };
    let refused = team.as_admin::<operation::privacy_erase>("dana", held).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Precondition, "nothing waits that cannot be done: {refused}");
    let release = HoldRelease { id: placed.id.clone(), reason: "closed".into() };
    let refused = team.as_admin::<operation::hold_release>("dana", release).await.unwrap_err();
    let asked = team.waiting(&refused).await;
    team.grant("robin", Role::Lead, &asked.id).await.expect("another person may");
    let released = team.records("hold_release").await;
    let done = released.iter().find(|one| one.outcome == AuditOutcome::Success).unwrap();
    assert_eq!(said(done, "asked_by").as_deref(), Some("dana"));
    let placed = team.as_admin::<operation::hold_add>("dana", hold).await.unwrap();
    let release = HoldRelease { id: placed.id, reason: "closed".into() };
    team.as_admin::<operation::hold_release>("robin", release).await.expect("the second person is there");

    // Keys of tokens: by whoever asked, on that machine, once.
    let secret = "a very long shared secret of the shop";
    let key = |value: &str| TokenKeyAdd {
        name: "login".into(),
        issuer: None,
        key: TokenKeyInput::Secret { value: value.to_owned() },
    };
    let refused = team.as_admin::<operation::token_key_add>("dana", key(secret)).await.unwrap_err();
    let asked = team.waiting(&refused).await;
    assert!(!format!("{asked:?}").contains(secret), "no request holds a secret");
    let granted = team.grant("robin", Role::Admin, &asked.id).await.expect("another person may");
    assert_eq!((granted.approval.state, granted.reply), (ApprovalState::Granted, None));
    let keys = || async { team.desk.ask::<operation::token_key_list>(Nothing {}).await.unwrap().keys.len() };
    assert_eq!(keys().await, 0, "whoever asked carries it out");
    let robins = team.as_admin::<operation::token_key_add>("robin", key(secret)).await.unwrap_err();
    assert_eq!(robins.code, ErrorCode::Approval, "nobody else does: {robins}");
    let request = TokenKeyAdd {
        name: "login".into(),
        issuer: None,
        key: TokenKeyInput::Public { pem: "not a key".into() },
    };
    let other = team.as_admin::<operation::token_key_add>("dana", request).await.unwrap_err();
    assert_eq!(other.code, ErrorCode::Approval, "another request is another one: {other}");
    // No keychain keeps a secret for a command that ends; then what was approved can be tried once more.
    for _ in 0..2 {
        let tried = team.as_admin::<operation::token_key_add>("dana", key(secret)).await;
        let Err(failed) = tried else {
            assert_eq!(team.state(&asked.id).await, ApprovalState::Done);
            break;
        };
        assert_eq!(failed.code, ErrorCode::SecretStore, "{failed}");
        assert_eq!(team.state(&asked.id).await, ApprovalState::Failed);
    }
    let gone =
        team.as_admin::<operation::token_key_remove>("dana", TokenKeyRef { name: "login".into() }).await;
    assert_eq!(gone.unwrap_err().code, ErrorCode::Approval);

    // The rule itself: tighter by one, weaker by two.
    let put = |policy| ApprovalPolicyPut { policy, reason: None };
    let tight = FourEyes { prefix_v4: 28, ..FourEyes::default() };
    team.as_admin::<operation::approval_policy_put>("dana", put(tight)).await.expect("tighter");
    let off = FourEyes { on: false, ..tight };
    let refused = team.as_admin::<operation::approval_policy_put>("dana", put(off)).await.unwrap_err();
    let asked = team.waiting(&refused).await;
    assert_eq!(asked.operation, "approval_policy_put");
    team.grant("robin", Role::Admin, &asked.id).await.expect("another person may");
    assert_eq!(team.list().await.state, FourEyesState::Off);
    team.as_admin::<operation::block_add>("dana", wide()).await.expect("switched off");
    team.holds().await;
    team.desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_says_it_was_approved_is_not_believed() {
    let team = Team::new(&["dana", "robin"]).await;
    let remove = || async {
        let request = TokenKeyRef { name: "login".into() };
        team.as_admin::<operation::token_key_remove>("dana", request).await.unwrap_err()
    };
    let asked = team.waiting(&remove().await).await;
    // The row says that somebody approved it, the trail does not.
    let forged = format!(
        "UPDATE approval SET state = 'granted', decided_by = 'robin', decided_at = 1 WHERE id = '{}'",
        asked.id
    );
    tamper(&team.home, &forged);
    let told = |list: ApprovalList| {
        let one = list.approvals.into_iter().find(|one| one.id == asked.id).expect("it is listed");
        one.outcome.unwrap_or_default()
    };
    assert!(told(team.list().await).contains("no approval of it"), "the list says so");
    let found = remove().await;
    assert_eq!(found.code, ErrorCode::Permission, "{found}");
    assert!(found.message.contains("no record of the trail"), "{found}");
    assert_eq!(team.state(&asked.id).await, ApprovalState::Granted, "it is not used up by that");
    team.holds().await;
    team.desk.console.close().await;
}

/// The row is what anybody with the database writes; what was decided stands in the trail.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_decided_is_not_decided_again() {
    let team = Team::new(&["dana", "robin"]).await;
    let set = |id: &str, state: &str| {
        tamper(&team.home, &format!("UPDATE approval SET state = '{state}' WHERE id = '{id}'"));
    };
    let ask = || async {
        let refused = team.as_admin::<operation::block_add>("dana", wide()).await.unwrap_err();
        team.waiting(&refused).await.id
    };
    let refused = ask().await;
    let decision = ApprovalDecision { id: refused.clone(), note: None };
    team.as_admin::<operation::approval_refuse>("robin", decision).await.expect("one may say no");
    let done = ask().await;
    team.grant("robin", Role::Admin, &done).await.expect("another person may");
    for (id, state) in [(&refused, ApprovalState::Refused), (&done, ApprovalState::Done)] {
        set(id, "waiting");
        let found = team.grant("robin", Role::Admin, id).await.unwrap_err();
        assert_eq!(found.code, ErrorCode::Conflict, "{found}");
        assert!(found.message.contains("audit trail"), "{found}");
        let listed = team.list().await.approvals.into_iter().find(|one| one.id == *id).expect("it is listed");
        assert_eq!(listed.state, state, "what the trail says");
        assert!(listed.outcome.is_some_and(|words| words.contains("set its row back")));
        set(id, "refused");
    }
    let blocks = team.records("block_add").await;
    let done =
        |one: &&AuditRecord| one.object == "block/203.0.112.0/22" && one.outcome == AuditOutcome::Success;
    assert_eq!(blocks.iter().filter(done).count(), 1, "it was carried out once");
    team.holds().await;
    team.desk.console.close().await;
}

/// A file is approved by what is in it, tried until it succeeds, and used once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_of_a_file_is_the_one_that_was_approved_and_set_once() {
    let team = Team::new(&["dana", "robin"]).await;
    let file = team.home.path().join("key.txt");
    let write = |text: &str| std::fs::write(&file, text).expect("the folder is ours");
    let add = || async {
        let key = TokenKeyInput::File { path: file.to_str().expect("text").to_owned() };
        let request = TokenKeyAdd { name: "login".into(), issuer: None, key };
        team.as_admin::<operation::token_key_add>("dana", request).await
    };
    write("short");
    let short = team.waiting(&add().await.unwrap_err()).await;
    team.grant("robin", Role::Admin, &short.id).await.expect("another person may");
    for _ in 0..2 {
        assert_eq!(add().await.unwrap_err().code, ErrorCode::Validation, "it is tried, and fails");
        assert_eq!(team.state(&short.id).await, ApprovalState::Failed, "and is not used up by that");
    }

    let secret = "a very long shared secret of the shop";
    write(secret);
    let asked = team.waiting(&add().await.unwrap_err()).await;
    assert_ne!(asked.id, short.id, "another content is another request");
    team.grant("robin", Role::Admin, &asked.id).await.expect("another person may");
    write("another very long secret of somebody else");
    assert_eq!(add().await.unwrap_err().code, ErrorCode::Approval, "nobody approved this content");
    write(secret);
    let list = add().await.expect("this one was approved");
    assert!(list.keys[0].problem.is_none(), "{list:?}");
    assert_eq!(team.state(&asked.id).await, ApprovalState::Done);

    // Once: the trail knows, whatever the row says.
    let back = format!("UPDATE approval SET state = 'granted' WHERE id = '{}'", asked.id);
    tamper(&team.home, &back);
    let found = add().await.unwrap_err();
    assert_eq!(found.code, ErrorCode::Conflict, "{found}");
    tamper(&team.home, &back.replace("granted", "refused"));

    // What somebody puts in its place later is no key.
    write("another very long secret of somebody else");
    let list = team.desk.ask::<operation::token_key_list>(Nothing {}).await.expect("listed");
    assert!(list.keys[0].problem.as_deref().is_some_and(|told| told.contains("SHA-256")), "{list:?}");
    team.holds().await;
    team.desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_was_refused_is_nobody_to_be_asked() {
    let team = Team::new(&["dana"]).await;
    let nonsense = BlockAdd { target: "nowhere".into(), ..wide() };
    team.as_admin::<operation::block_add>("robin", nonsense).await.expect_err("that is no address");
    assert_eq!(team.list().await.people, ["dana"], "what was refused makes nobody known");
    // Whoever does something for the first time counts: two are there now, so it waits.
    let refused = team.as_admin::<operation::block_add>("robin", wide()).await.unwrap_err();
    team.waiting(&refused).await;
    assert_eq!(team.list().await.people, ["dana", "robin"]);
    team.desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alone_it_is_done_and_recorded_so_or_refused() {
    let team = Team::new(&["dana"]).await;
    let list = team.list().await;
    assert_eq!((list.state, list.people.as_slice()), (FourEyesState::Alone, ["dana".to_owned()].as_slice()));
    assert!(list.detail.contains("not available alone"), "{}", list.detail);
    team.as_admin::<operation::block_add>("dana", wide()).await.expect("an attack does not wait");
    let blocks = team.records("block_add").await;
    let done = blocks.iter().find(|one| one.object == "block/203.0.112.0/22").unwrap();
    assert!(said(done, "second_person").is_some_and(|text| text.contains("alone")), "{done:?}");
    let narrow = blocks.iter().find(|one| one.object == "block/192.88.99.1").unwrap();
    assert_eq!(said(narrow, "second_person"), None, "what needs nobody else says nothing");
    let hold = HoldAdd {
        kind: SubjectKind::User,
        subject: "a.smith".into(),
        reason: "case 7".into(),
        owner: "legal".into(),
    };
    let placed = team.as_admin::<operation::hold_add>("dana", hold).await.unwrap();
    let release = HoldRelease { id: placed.id, reason: "closed".into() };
    // Who may only look is nobody to be asked, whatever they try.
    let looks = team.call("eve", Role::Viewer);
    let nothing = ApprovalRef { id: "none".into() };
    team.desk.console.call::<operation::approval_withdraw>(&looks, nothing).await.unwrap_err();
    assert_eq!(team.list().await.state, FourEyesState::Alone);
    let refused = team.as_admin::<operation::hold_release>("dana", release).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Permission);
    assert!(refused.hint.is_some_and(|hint| hint.contains("not available alone")));
    assert!(team.list().await.approvals.is_empty(), "nothing waits for nobody");

    // Whoever has done nothing for three months is nobody to be asked.
    team.clock.advance(Duration::days(1));
    let call = team.call("robin", Role::Analyst);
    let unblock = BlockAdd { target: "198.51.100.9".into(), reason: "x".into(), ttl_s: 600, incident: None };
    team.desk.console.call::<operation::block_add>(&call, unblock).await.expect("robin works");
    assert_eq!(team.list().await.state, FourEyesState::InForce);
    team.clock.advance(Duration::days(91));
    assert_eq!(team.list().await.state, FourEyesState::Alone);
    team.desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn audit_records_are_purged_by_two_people_and_only_past_their_years() {
    let team = Team::new(&["dana", "robin"]).await;
    let kept =
        team.as_admin::<operation::audit_retention_get>("dana", Nothing {}).await.expect("it is there");
    assert!(kept.rules.iter().all(|rule| rule.years == 7), "{kept:?}");
    let class = RecordClass::Security;
    let put = |years| AuditRetentionPut { rules: vec![RecordRule { class, years }], reason: None };
    let refused = team.as_admin::<operation::audit_retention_put>("dana", put(101)).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Validation);
    team.as_admin::<operation::audit_retention_put>("dana", put(9)).await.expect("longer needs nobody else");
    let refused = team.as_admin::<operation::audit_retention_put>("dana", put(2)).await.unwrap_err();
    let asked = team.waiting(&refused).await;
    assert!(asked.summary.contains("security 2 years instead of 9 years"), "{}", asked.summary);
    team.grant("robin", Role::Admin, &asked.id).await.expect("another person may");

    let blocks = team.records("block_add").await.len();
    let preview = |class| AuditPurgeRequest { class };
    let now = team.as_admin::<operation::audit_purge_preview>("dana", preview(Some(class))).await.unwrap();
    assert_eq!(now.classes[0].records, 0, "nothing is as old");
    team.clock.advance(Duration::days(3 * 365));
    for name in ["dana", "robin"] {
        // Who did nothing for months is not known as somebody who can be asked.
        let call = team.call(name, Role::Analyst);
        let target = if name == "dana" { "192.88.99.77" } else { "192.88.99.78" };
        let request = BlockAdd { target: target.into(), reason: "seen".into(), ttl_s: 600, incident: None };
        team.desk.console.call::<operation::block_add>(&call, request).await.expect("it is allowed");
    }
    let due = team.as_admin::<operation::audit_purge_preview>("dana", preview(None)).await.unwrap();
    let of = |wanted| due.classes.iter().find(|one| one.class == wanted).unwrap().records;
    assert!(of(class) >= blocks as u64, "{due:?}");
    assert_eq!(of(RecordClass::Access), 0, "seven years are not over");
    let request = AuditPurge { class: None, reason: "past its time".to_owned() };
    let refused = team.as_admin::<operation::audit_purge>("dana", request.clone()).await.unwrap_err();
    assert!(refused.code == ErrorCode::Precondition && refused.message.contains("the clock"), "{refused}");
    team.clock.advance(Duration::hours(25));
    let refused = team.as_admin::<operation::audit_purge>("dana", request).await.unwrap_err();
    let asked = team.waiting(&refused).await;
    let erased = async || {
        let all = team.records("block_add").await;
        all.iter().filter(|record| record.object == "[erased]").count()
    };
    assert_eq!(erased().await, 0, "nothing is done yet");
    team.grant("robin", Role::Admin, &asked.id).await.expect("another person may");
    assert_eq!(erased().await, blocks);
    let done = team.records("audit_purge").await;
    let done = done.iter().find(|one| one.outcome == AuditOutcome::Success).expect("it is recorded");
    assert_eq!((done.actor.as_str(), done.reason.as_deref()), ("robin", Some("past its time")));
    assert!(said(done, "security").is_some_and(|text| text.contains("records before")), "{done:?}");
    team.holds().await;
    team.desk.console.close().await;
}
