//! Who acts: the login where the database has logins, the account where it is a file; and in which role.

use tempfile::TempDir;
use watchpost_model::access::{Caller, Origin, Role};
use watchpost_model::approval::{ApprovalState, FourEyes};
use watchpost_model::audit::{AuditFilter, AuditOutcome, AuditRecord};
use watchpost_model::clock::{Clock, SystemClock};
use watchpost_model::connection::{Connection, DatabaseConnection, RedisAddress, RedisConnection};
use watchpost_model::ids::ConnectionId;
use watchpost_model::privacy::SubjectKind;
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{
    ApprovalDecision, ApprovalList, ApprovalPolicyPut, AuditPageRequest, AuditVerify, FourEyesState,
    IdentityKind, Nothing, PrivacyErase, RoleList, RoleSet, RoleSource, SettingsChange, WorkspaceStatus,
};
use watchpost_ops::door::{Call, Operation, operation};
use watchpost_ops::error::{ErrorCode, OpError};

use crate::door::{Desk, desk, folder};
use crate::server::Server;

pub(crate) const SCRIPT: &str = include_str!("../../../../deploy/postgres-roles.sql");

impl Desk {
    /// Somebody with this account at the machine.
    async fn with_account<O: Operation>(
        &self,
        account: &str,
        request: O::Request,
    ) -> Result<O::Reply, OpError> {
        let caller = Caller { name: account.to_owned(), ..self.call.caller.clone() };
        self.console.call::<O>(&Call { caller, ..self.call.clone() }, request).await
    }

    pub(crate) async fn rename_as(&self, account: &str, organisation: &str) -> Result<(), OpError> {
        let settings = self.ask::<operation::settings_get>(Nothing {}).await?;
        let change = SettingsChange {
            organisation: organisation.to_owned(),
            retention: settings.retention,
            reason: Some("a test".to_owned()),
        };
        self.with_account::<operation::settings_put>(account, change).await.map(drop)
    }

    async fn told_status(&self, account: &str) -> WorkspaceStatus {
        self.with_account::<operation::workspace_status>(account, Nothing {}).await.expect("a status is told")
    }

    async fn read_trail(&self, account: &str, filter: AuditFilter) -> Vec<AuditRecord> {
        let request = AuditPageRequest { filter, before: None, limit: 500 };
        self.with_account::<operation::audit_page>(account, request)
            .await
            .expect("the trail can be read")
            .rows
    }

    async fn approvals(&self) -> ApprovalList {
        self.ask::<operation::approval_list>(Nothing {}).await.expect("requests can be listed")
    }

    /// Asks for what lets one person do more.
    async fn weaken(&self, account: &str, prefix_v4: u8) -> Result<ApprovalList, OpError> {
        let policy = FourEyes { prefix_v4, ..FourEyes::default() };
        let request = ApprovalPolicyPut { policy, reason: None };
        self.with_account::<operation::approval_policy_put>(account, request).await
    }

    async fn give_role(&self, by: &str, name: &str, role: Role) -> Result<RoleList, OpError> {
        let request = RoleSet { name: name.to_owned(), role, reason: Some("a test".to_owned()) };
        self.with_account::<operation::role_set>(by, request).await
    }
}

fn roles(list: &RoleList) -> Vec<(&str, Role)> {
    list.rows.iter().map(|row| (row.name.as_str(), row.role)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_file_an_admin_gives_roles_and_the_door_holds_people_to_them() {
    let home = folder();
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    desk.rename_as("robin", "One").await.expect("nobody was given a role yet");
    let list = desk.ask::<operation::role_list>(Nothing {}).await.expect("roles can be listed");
    assert_eq!((list.source, list.others), (RoleSource::GuardRails, Some(Role::Admin)));
    assert!(list.detail.contains("whoever can write the file can change this"), "{}", list.detail);
    let status = desk.told_status("dana").await;
    assert_eq!((status.caller.name.as_str(), status.caller.role), ("dana", Role::Admin));
    assert_eq!((status.identity.kind, status.identity.login), (IdentityKind::Personal, None));
    assert!(status.identity.detail.contains("guard rails"), "{}", status.identity.detail);

    // With the first role everybody who is known stays admin, and whoever comes later looks.
    let list = desk.give_role("dana", "alex", Role::Analyst).await.expect("an admin gives roles");
    assert_eq!(roles(&list), [("alex", Role::Analyst), ("dana", Role::Admin), ("robin", Role::Admin)]);
    assert_eq!(list.others, Some(Role::Viewer));
    assert_eq!(desk.told_status(" Alex").await.caller.role, Role::Analyst, "under whatever spelling");
    assert_eq!(desk.told_status("newcomer").await.caller.role, Role::Viewer);
    for account in ["alex", "newcomer"] {
        let refused = desk.rename_as(account, "Two").await.expect_err("the role may not");
        assert_eq!(refused.code, ErrorCode::Permission, "{account}: {refused}");
        let refused =
            desk.give_role(account, account, Role::Admin).await.expect_err("nobody makes themselves admin");
        assert_eq!(refused.code, ErrorCode::Permission, "{account}: {refused}");
    }
    let filter = AuditFilter {
        action: Some("role_set".to_owned()),
        outcome: Some(AuditOutcome::Denied),
        ..AuditFilter::default()
    };
    assert_eq!(desk.read_trail("dana", filter).await.len(), 2, "refusals are in the trail");

    // The last admin stays one.
    desk.give_role("dana", "robin", Role::Viewer).await.expect("one of two");
    let refused = desk.give_role("dana", "dana", Role::Viewer).await.expect_err("the last one");
    assert_eq!(refused.code, ErrorCode::Precondition, "{refused}");
    desk.give_role("dana", "robin", Role::Admin).await.expect("another one");
    desk.give_role("robin", "dana", Role::Viewer).await.expect("one of two");
    assert_eq!(desk.rename_as("dana", "Three").await.expect_err("a viewer").code, ErrorCode::Permission);
    let given = AuditFilter {
        action: Some("role_set".to_owned()),
        outcome: Some(AuditOutcome::Success),
        ..AuditFilter::default()
    };
    let newest = desk.read_trail("robin", given).await.into_iter().next().expect("there is one");
    assert_eq!(newest.object, "role/dana");
    let change = newest.changes.first().expect("it says what changed");
    assert_eq!((change.old.as_str(), change.new.as_str()), (Some("admin"), Some("viewer")));
    assert_eq!((newest.actor.as_str(), newest.login), ("robin", None));
    desk.console.close().await;
}

pub(crate) fn team(home: &TempDir, server: &Server, login: Option<&str>) -> Connection {
    let mut database = server.database();
    if let (Some(login), DatabaseConnection::Postgres { username, .. }) = (login, &mut database) {
        login.clone_into(username);
    }
    Connection {
        observe: false,
        id: ConnectionId::at(SystemClock.now()),
        name: "team".to_owned(),
        redis: RedisConnection {
            // Nobody is there, and nothing of this needs anybody.
            address: RedisAddress::Unix { path: home.path().join("none.sock").display().to_string() },
            username: None,
            database: 0,
            prefix: "security:".to_owned(),
        },
        database,
        production: false,
    }
}

/// A server with tables, roles and two admins.
async fn server_with_admins() -> Option<Server> {
    let server = Server::start().await?;
    let home = folder();
    let owner = desk(&home, Tenure::Guest, team(&home, &server, None)).await;
    owner.console.close().await;
    server.tell(SCRIPT).expect("the owner makes the roles");
    for login in ["ana", "bo"] {
        server.tell(&format!("CREATE ROLE {login} LOGIN IN ROLE watchpost_admin")).expect("a login is made");
    }
    Some(server)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_is_a_person_whatever_the_account_of_the_machine() {
    let Some(server) = server_with_admins().await else { return };
    let (home, other_home) = (folder(), folder());
    let ana = desk(&home, Tenure::Guest, team(&home, &server, Some("ana"))).await;
    let bo = desk(&other_home, Tenure::Guest, team(&other_home, &server, Some("bo"))).await;

    // Both sit at the account "dana".
    let status = ana.told_status("dana").await;
    assert_eq!((status.caller.name.as_str(), status.caller.role), ("ana", Role::Admin));
    assert_eq!((status.identity.login.as_deref(), status.identity.account.as_str()), (Some("ana"), "dana"));
    assert_eq!(status.identity.kind, IdentityKind::Personal, "{}", status.identity.detail);
    ana.rename_as("dana", "One").await.expect("an admin may");
    let alone = ana.ask::<operation::approval_list>(Nothing {}).await.expect("it can be asked");
    assert_eq!(alone.state, FourEyesState::Alone);
    assert!(alone.detail.contains("ana") && alone.detail.contains("login"), "{}", alone.detail);
    bo.rename_as("dana", "Two").await.expect("an admin may");
    let known = ana.ask::<operation::approval_list>(Nothing {}).await.expect("it can be asked");
    assert_eq!(
        (known.state, known.people),
        (FourEyesState::InForce, vec!["ana".to_owned(), "bo".to_owned()])
    );

    let found =
        bo.read_trail("dana", AuditFilter { actor: Some("ana".to_owned()), ..AuditFilter::default() }).await;
    let put = found.iter().find(|record| record.action == "settings_put").expect("it is found by the login");
    assert_eq!((put.actor.as_str(), put.login.as_deref()), ("ana", Some("ana")));
    assert_eq!(put.host, "test/dana", "the account stands beside the machine");

    // What two decide, one login does not decide twice, whatever the account.
    server.tell("CREATE ROLE vic LOGIN IN ROLE watchpost_viewer").expect("a login is made");
    let policy = FourEyes { on: false, ..FourEyes::default() };
    let put = ApprovalPolicyPut { policy, reason: None };
    let waits = ana.ask::<operation::approval_policy_put>(put).await.expect_err("two decide that");
    assert_eq!(waits.code, ErrorCode::Approval, "{waits}");
    // It names whoever may approve it, and nobody else who is known.
    let hint = waits.hint.expect("it says what to do");
    assert!(hint.contains("bo, ") && !hint.contains("ana") && !hint.contains("vic"), "{hint}");
    let erase = PrivacyErase {
        kind: SubjectKind::User,
        subject: "zorba".to_owned(),
        reason: "request 12".to_owned(),
    };
    let waits = ana.ask::<operation::privacy_erase>(erase).await.expect_err("two decide that");
    let hint = waits.hint.expect("it says what to do");
    assert!(!hint.contains("bo,") && !hint.contains("vic"), "only the owner of the tables can: {hint}");
    let list = bo.ask::<operation::approval_list>(Nothing {}).await.expect("it can be asked").approvals;
    let asked = list.iter().find(|one| one.operation == "approval_policy_put").expect("it waits");
    assert_eq!((asked.asked_by.as_str(), asked.state), ("ana", ApprovalState::Waiting));
    let decision = || ApprovalDecision { id: asked.id.clone(), note: None };
    let refused = ana.with_account::<operation::approval_grant>("erin", decision()).await;
    assert_eq!(refused.expect_err("the same login").code, ErrorCode::Permission);
    bo.ask::<operation::approval_grant>(decision()).await.expect("another login decides");
    let off = ana.ask::<operation::approval_list>(Nothing {}).await.expect("it can be asked");
    assert_eq!(off.state, FourEyesState::Off);

    // By now two accounts act with one login.
    ana.rename_as("erin", "Three").await.expect("an admin may");
    ana.console.close().await;
    let again_home = folder();
    let again = desk(&again_home, Tenure::Guest, team(&again_home, &server, Some("ana"))).await;
    let identity = again.told_status("dana").await.identity;
    assert_eq!(identity.kind, IdentityKind::Shared, "{}", identity.detail);
    assert!(identity.detail.contains("dana") && identity.detail.contains("erin"), "{}", identity.detail);

    // Roles are the server's to give.
    let list = bo.ask::<operation::role_list>(Nothing {}).await.expect("roles can be listed");
    assert_eq!((list.source, list.others), (RoleSource::Groups, None));
    assert_eq!(roles(&list), [("ana", Role::Admin), ("bo", Role::Admin), ("vic", Role::Viewer)]);
    let refused = bo.give_role("dana", "ana", Role::Viewer).await.expect_err("groups are given with SQL");
    assert_eq!(refused.code, ErrorCode::Precondition, "{refused}");
    let whole = AuditVerify { full: true, ticket: None };
    let checked = bo.ask::<operation::audit_verify>(whole).await.expect("it can be checked");
    assert!(checked.ok, "{:?}", checked.problems);
    again.console.close().await;
    bo.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_no_role_holds_is_said_to_be_what_it_is() {
    let Some(server) = server_with_admins().await else { return };
    server.tell("CREATE ROLE eng LOGIN IN ROLE watchpost_engine").expect("a login is made");
    for (login, is) in
        [(Some("eng"), Some("the group of the engine")), (None, Some("owner")), (Some("ana"), None)]
    {
        let home = folder();
        let desk = desk(&home, Tenure::Guest, team(&home, &server, login)).await;
        let unbound = desk.told_status("dana").await.identity.unbound;
        assert_eq!(unbound.is_some(), is.is_some(), "{login:?}: {unbound:?}");
        assert!(is.is_none_or(|is| unbound.is_some_and(|told| told.contains(is))), "{login:?}");
        desk.console.close().await;
    }
}

/// What the engine and schedules do makes nobody known, and neither decides.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_file_the_engine_is_nobody_to_be_asked() {
    let home = folder();
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let call_of = |origin| {
        let caller = Caller { name: "engine".to_owned(), origin, ..desk.call.caller.clone() };
        Call { caller, ..desk.call.clone() }
    };
    desk.rename_as("dana", "One").await.expect("an admin may");
    for origin in [Origin::Engine, Origin::Schedule] {
        let settings = desk.ask::<operation::settings_get>(Nothing {}).await.expect("settings can be read");
        let organisation = origin.to_string();
        let change = SettingsChange { organisation, retention: settings.retention, reason: None };
        desk.console.call::<operation::settings_put>(&call_of(origin), change).await.expect("it may");
    }
    let alone = desk.approvals().await;
    assert_eq!((alone.state, alone.people.as_slice()), (FourEyesState::Alone, &["dana".to_owned()][..]));
    assert!(alone.detail.contains("four eyes are not available alone"), "{}", alone.detail);
    desk.weaken("dana", 23).await.expect("whoever is alone asks nobody");

    desk.rename_as("robin", "Two").await.expect("an admin may");
    let waits = desk.weaken("dana", 16).await.expect_err("two decide that");
    assert_eq!(waits.code, ErrorCode::Approval, "{waits}");
    let asked = desk.approvals().await.approvals.remove(0);
    for origin in [Origin::Engine, Origin::Schedule] {
        let decision = ApprovalDecision { id: asked.id.clone(), note: None };
        let refused = desk.console.call::<operation::approval_grant>(&call_of(origin), decision).await;
        assert_eq!(refused.expect_err("it decides nothing").code, ErrorCode::Permission, "{origin}");
    }
    let still = desk.approvals().await.approvals.remove(0);
    assert_eq!((&still.id, still.state), (&asked.id, ApprovalState::Waiting));
    desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_login_of_the_engine_is_nobody_to_be_asked_whoever_uses_it() {
    let Some(server) = server_with_admins().await else { return };
    for (login, groups) in [
        ("eng", "watchpost_engine"),
        ("mixed", "watchpost_engine, watchpost_admin"),
        ("ida", "watchpost_auditor"),
        ("gone", "watchpost_admin"),
    ] {
        server.tell(&format!("CREATE ROLE {login} LOGIN IN ROLE {groups}")).expect("a login is made");
        // As an earlier version noted whoever changed something.
        let seen = format!("SET SESSION AUTHORIZATION {login}; SELECT watchpost_person_seen('{login}')");
        server.tell(&seen).expect("its group may");
    }
    server.tell("ALTER ROLE gone NOLOGIN").expect("the account may");
    let (home, other_home) = (folder(), folder());
    let ana = desk(&home, Tenure::Guest, team(&home, &server, Some("ana"))).await;
    ana.rename_as("dana", "One").await.expect("an admin may");
    for login in ["eng", "mixed"] {
        let home = folder();
        let desk = desk(&home, Tenure::Guest, team(&home, &server, Some(login))).await;
        desk.rename_as("dana", login).await.expect("its group may");
        let refused = desk.weaken("dana", 16).await.expect_err("somebody else is known");
        assert_eq!(refused.code, ErrorCode::Permission, "{login}: {refused}");
        desk.console.close().await;
    }
    // Neither the engine, nor who decides nothing, nor who cannot log in any more.
    let alone = ana.approvals().await;
    assert_eq!((alone.state, alone.people.as_slice()), (FourEyesState::Alone, &["ana".to_owned()][..]));
    assert!(alone.detail.contains("four eyes are not available alone"), "{}", alone.detail);
    ana.weaken("dana", 23).await.expect("whoever is alone asks nobody");

    let bo = desk(&other_home, Tenure::Guest, team(&other_home, &server, Some("bo"))).await;
    bo.rename_as("dana", "Two").await.expect("an admin may");
    let waits = ana.weaken("dana", 16).await.expect_err("two decide that");
    assert_eq!(waits.code, ErrorCode::Approval, "{waits}");
    let hint = waits.hint.expect("it says who may");
    assert!(hint.contains("bo, ") && !hint.contains("eng") && !hint.contains("mixed"), "{hint}");
    let id = ana.approvals().await.approvals.remove(0).id;
    for login in ["eng", "mixed"] {
        let home = folder();
        let desk = desk(&home, Tenure::Guest, team(&home, &server, Some(login))).await;
        let decision = ApprovalDecision { id: id.clone(), note: None };
        let refused = desk.ask::<operation::approval_grant>(decision).await.expect_err("it decides nothing");
        assert_eq!(refused.code, ErrorCode::Permission, "{login}: {refused}");
        desk.console.close().await;
    }
    let decision = ApprovalDecision { id, note: None };
    let granted = bo.ask::<operation::approval_grant>(decision).await.expect("another person decides");
    assert_eq!(granted.approval.state, ApprovalState::Done);
    ana.console.close().await;
    bo.console.close().await;
}
