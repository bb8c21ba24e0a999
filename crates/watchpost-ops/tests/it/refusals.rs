//! What was refused is in the trail with what it was about.

use serde_json::Value;
use watchpost_model::access::Role;
use watchpost_model::audit::{AuditFilter, AuditOutcome, AuditRecord};
use watchpost_model::connection::{Connection, DatabaseConnection};
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{AuditPageRequest, AuditVerify, BlockAdd, IncidentRef, ReportTicket};
use watchpost_ops::door::{Call, operation};
use watchpost_ops::error::ErrorCode;

use crate::door::{Desk, caller, desk, folder};
use crate::server::Server;

async fn objects(desk: &Desk, outcome: AuditOutcome) -> Vec<String> {
    let filter = AuditFilter { outcome: Some(outcome), ..AuditFilter::default() };
    let request = AuditPageRequest { filter, before: None, limit: 500 };
    let page = desk.ask::<operation::audit_page>(request).await;
    let mut objects: Vec<String> =
        page.expect("the trail can be read").rows.into_iter().map(|row| row.object).collect();
    objects.sort();
    objects
}

#[tokio::test]
async fn a_refusal_names_its_target_and_no_secret() {
    let home = folder();
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let calls = [
        ("block_add", r#"{"target": "203.0.113.7", "reason": "x", "ttl_s": 600}"#, "block_add/203.0.113.7"),
        ("block_add", r#"{"target": "127.0.0.1", "reason": "x", "ttl_s": 600}"#, "block_add/127.0.0.1"),
        ("incident_take", r#"{"number": 4711}"#, "incident_take/4711"),
        (
            "token_key_add",
            r#"{"name": "login", "key": {"kind": "secret", "value": "hunter2"}}"#,
            "token_key_add/login",
        ),
        ("asset_remove", r#"{"kind": "endpoint", "pattern": "/admin"}"#, "asset_remove//admin"),
    ];
    let viewer = Call { caller: caller(Role::Viewer), confirmation: None, reason: None };
    for (name, request, _) in calls {
        let request = serde_json::from_str(request).expect("JSON");
        let refused = desk.console.call_json(&viewer, name, request).await.expect_err("a viewer only looks");
        assert_eq!(refused.code, ErrorCode::Permission, "{name}");
    }
    let mut expect: Vec<&str> = calls.iter().map(|(_, _, object)| *object).collect();
    expect.sort_unstable();
    assert_eq!(objects(&desk, AuditOutcome::Denied).await, expect);

    // Who may do it and is stopped by the state of things leaves the same record.
    for (name, request, _) in &calls[1..3] {
        let request = serde_json::from_str(request).expect("JSON");
        desk.console.call_json(&desk.call, name, request).await.expect_err("it cannot be done");
    }
    assert_eq!(objects(&desk, AuditOutcome::Failure).await, ["block_add/127.0.0.1", "incident_take/4711"]);
    desk.console.close().await;
}

#[tokio::test]
async fn a_refused_check_leaves_one_record_however_often_it_is_asked_how_far_it_is() {
    Box::pin(refused_once(local_connection())).await;
}

#[tokio::test]
async fn on_postgres_too_a_refused_check_leaves_one_record() {
    let Some(server) = Server::start().await else { return };
    Box::pin(refused_once(Connection { database: server.database(), ..local_connection() })).await;
}

async fn refused_once(connection: Connection) {
    let home = folder();
    let desk = desk(&home, Tenure::Guest, connection).await;
    let viewer = Call { caller: caller(Role::Viewer), confirmation: None, reason: None };
    let ticket = ReportTicket { ticket: "a check".to_owned() };
    let ask = || desk.console.call::<operation::audit_verify_progress>(&viewer, ticket.clone());
    let verify = desk.console.call::<operation::audit_verify>(&viewer, AuditVerify::default());
    // Both at once, as the command line does.
    let (verified, first, second) = tokio::join!(verify, ask(), ask());
    assert_eq!(verified.expect_err("a viewer checks nothing").code, ErrorCode::Permission);
    for told in [first, second] {
        assert_eq!(told.expect_err("nor asks how far it is").code, ErrorCode::Permission);
    }
    assert_eq!(objects(&desk, AuditOutcome::Denied).await, ["audit_verify"]);
    desk.console.close().await;
}

#[tokio::test]
async fn a_record_keeps_the_reason_the_error_and_what_began_it() {
    both_in_their_place(local_connection()).await;
}

#[tokio::test]
async fn on_postgres_too_a_record_keeps_the_reason_the_error_and_what_began_it() {
    let Some(server) = Server::start().await else { return };
    both_in_their_place(Connection { database: server.database(), ..local_connection() }).await;
}

async fn both_in_their_place(connection: Connection) {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, connection).await;
    let block = |target: &str, reason: &str| BlockAdd {
        target: target.into(),
        reason: reason.into(),
        ttl_s: 600,
        incident: None,
    };
    let own =
        desk.ask::<operation::block_add>(block("127.0.0.1", "loop")).await.expect_err("it is this machine");
    desk.ask::<operation::block_add>(block("203.0.113.9", "scans")).await.expect("it can be blocked");
    // A reason that stands beside the request is kept as well; where there is none, the error is it.
    let because = Call { reason: Some("my shift".to_owned()), ..desk.call.clone() };
    let take = IncidentRef { number: 4711 };
    desk.console.call::<operation::incident_take>(&because, take).await.expect_err("there is none");
    let absent = desk.ask::<operation::incident_take>(take).await.expect_err("there is none");

    let request = AuditPageRequest { filter: AuditFilter::default(), before: None, limit: 500 };
    let rows = desk.ask::<operation::audit_page>(request).await.expect("the trail can be read").rows;
    let find = |action: &str, outcome: AuditOutcome| {
        let is_it = |row: &&AuditRecord| row.action == action && row.outcome == outcome;
        rows.iter().filter(is_it).collect::<Vec<_>>()
    };
    let field = |row: &AuditRecord, name: &str| {
        row.changes.iter().find(|change| change.field == name).map(|change| change.new.clone())
    };
    let refused = find("block_add", AuditOutcome::Failure);
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!(refused[0].reason.as_deref(), Some("loop"));
    assert_eq!(field(refused[0], "error"), Some(Value::from(own.to_string())));
    let reasons: Vec<_> = find("incident_take", AuditOutcome::Failure)
        .into_iter()
        .map(|row| (row.reason.clone(), field(row, "error")))
        .collect();
    let error = absent.to_string();
    // Newest first.
    assert_eq!(
        reasons,
        [(Some(error.clone()), None), (Some("my shift".to_owned()), Some(Value::from(error)))]
    );

    let (begun, done) = (find("block_add", AuditOutcome::Started), find("block_add", AuditOutcome::Success));
    assert_eq!((begun.len(), done.len()), (1, 1));
    assert_eq!(done[0].reason.as_deref(), Some("scans"));
    assert_eq!(field(done[0], "begun_by_record"), Some(Value::from(begun[0].seq)));
    let until = field(begun[0], "expires_at").expect("the intent says until when");
    assert!(until.is_string() && field(done[0], "expires_at") == Some(until), "{:?}", done[0]);
    assert!(desk.ask::<operation::audit_verify>(AuditVerify::default()).await.expect("it verifies").ok);
    desk.console.close().await;
}

#[tokio::test]
async fn whom_postgres_does_not_let_in_is_told_so_and_what_to_do() {
    let Some(server) = Server::start().await else { return };
    let home = folder();
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let mut database = server.database();
    if let DatabaseConnection::Postgres { username, .. } = &mut database {
        "nobody".clone_into(username);
    }
    let connection = Connection { name: "team".to_owned(), database, ..local_connection() };
    let refused = desk.console.open(connection).await.expect_err("there is no such account");
    assert_eq!(refused.code, ErrorCode::Unavailable, "{refused}");
    let (message, hint) = (refused.message, refused.hint.expect("it says what to do"));
    assert!(message.contains("\"nobody\"") && !message.contains(" at line "), "{message}");
    assert!(hint.contains("connect test"), "{hint}");
    desk.console.close().await;
}
