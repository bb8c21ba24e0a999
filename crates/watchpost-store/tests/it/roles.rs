//! `deploy/postgres-roles.sql`: a person of the team can do all of the work, and change nothing of the past.

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection, Executor};
use watchpost_model::audit::AuditFilter;
use watchpost_store::{DatabaseTarget, IngestBatch, Signer, Store, VerifyPlan};

use crate::support::{World, caller, draft, events};

const SCRIPT: &str = include_str!("../../../../deploy/postgres-roles.sql");

async fn connect(target: &DatabaseTarget) -> PgConnection {
    let DatabaseTarget::Postgres { host, port, database, username, .. } = target else {
        panic!("the target is a server")
    };
    let options = PgConnectOptions::new_without_pgpass();
    let options = options.socket(host).port(*port).database(database).username(username);
    PgConnection::connect_with(&options).await.unwrap()
}

/// The SQLSTATE of what the server refuses.
async fn refused(connection: &mut PgConnection, sql: &str) -> Option<String> {
    let error = connection.execute(AssertSqlSafe(sql.to_owned())).await.err()?;
    error.as_database_error().and_then(|error| error.code()).map(|code| code.into_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_of_the_team_works_and_changes_nothing_of_the_past() {
    let Some(world) = World::postgres().await else { return };
    let mut owner = connect(&world.target).await;
    for _ in 0..2 {
        owner.execute(AssertSqlSafe(SCRIPT.to_owned())).await.expect("the script may be run again");
    }
    let DatabaseTarget::Postgres { host, port, database, .. } = world.target.clone() else { unreachable!() };
    let login = format!("dana_{database}");
    owner.execute(AssertSqlSafe(format!("CREATE ROLE {login} LOGIN IN ROLE watchpost_team"))).await.unwrap();
    let target =
        DatabaseTarget::Postgres { host, port, database, username: login.clone(), password: None, tls: None };

    let store = Store::open(&target, world.clock.clone()).await.expect("the database opens for the team");
    store.set_signer(Signer::from_seed(&[3; 32], "watchpost/desk-3").unwrap()).await.unwrap();
    let batch = events(20, world.now());
    store.ingest(IngestBatch { events: &batch, findings: &[], now: world.now() }).await.unwrap();
    store.setting_put("test", None, &serde_json::json!(1), draft("settings_put")).await.unwrap();
    let seq = store.audit_append(draft("incident_take")).await.unwrap();
    store.checkpoint_now("test").await.unwrap();
    let (record, leaf) = store.audit_record(seq).await.unwrap();
    assert_eq!((record.actor.as_str(), leaf.contains(&login)), ("dana", false));
    let found = store.audit_verify(&caller("dana"), VerifyPlan::default(), &|_, _| true).await.unwrap();
    assert!(found.ok, "{:?}", found.problems);

    let past = [
        "audit_leaf",
        "audit_checkpoint",
        "audit_cosignature",
        "audit_record",
        "audit_payload",
        "audit_name",
        "subject_key",
    ];
    let mut person = connect(&target).await;
    for table in past {
        let column = match table {
            "audit_leaf" | "audit_record" | "audit_payload" => "seq",
            "audit_checkpoint" | "audit_cosignature" => "size",
            _ => "id",
        };
        for sql in [
            format!("UPDATE {table} SET {column} = {column}"),
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table}"),
            format!("DROP TABLE {table}"),
            format!("ALTER TABLE {table} DISABLE TRIGGER ALL"),
        ] {
            assert_eq!(refused(&mut person, &sql).await.as_deref(), Some("42501"), "{sql}");
        }
    }
    for sql in [
        "DELETE FROM audit_head",
        "TRUNCATE audit_head",
        "UPDATE audit_head SET size = size - 1",
        "UPDATE audit_head SET log_id = 'other'",
        "DELETE FROM schema_version",
        "CREATE TABLE mine (n INTEGER)",
        "DROP FUNCTION watchpost_append_only() CASCADE",
        "SET session_replication_role = replica",
    ] {
        assert_eq!(refused(&mut person, sql).await.as_deref(), Some("42501"), "{sql}");
    }
    for sql in [
        "UPDATE audit_leaf SET seq = seq",
        "DELETE FROM audit_leaf",
        "TRUNCATE audit_leaf",
        "DELETE FROM audit_checkpoint",
        "TRUNCATE audit_head",
        "UPDATE audit_head SET size = 0",
    ] {
        assert_eq!(refused(&mut owner, sql).await.as_deref(), Some("42501"), "also the owner: {sql}");
    }
    let left = store.audit_page(&AuditFilter::default(), None, 100).await.unwrap();
    assert!(left.iter().any(|record| record.seq == seq), "all of it is there");
    let found = store.audit_verify(&caller("dana"), VerifyPlan::default(), &|_, _| true).await.unwrap();
    assert!(found.ok, "{:?}", found.problems);
}
