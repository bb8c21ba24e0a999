//! What a person on production is told before the name is typed: what an optimisation touches, what a restore writes, and
//! what a benchmark sends.

use watchpost_model::access::{Origin, Role};
use watchpost_model::clock::{Clock, SystemClock};
use watchpost_model::event::Category;
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{
    AggregateRequest, BackupRequest, BenchmarkRequest, ExportFormat, ExportRequest, OptimizeRequest,
    RestoreRequest, RetentionRequest,
};
use watchpost_ops::door::{Call, Operation, operation};
use watchpost_ops::error::ErrorCode;

use crate::door::{Desk, caller, desk, folder, production};
use crate::jobs::{cli, events, figure, report, store};

/// What the door says where a confirmation is missing.
async fn told<O: Operation>(desk: &Desk, request: O::Request, origin: Origin) -> String {
    let mut caller = caller(Role::Admin);
    caller.origin = origin;
    let call = Call { caller, confirmation: None, reason: None };
    let Err(refusal) = desk.console.call::<O>(&call, request).await else { panic!("this is production") };
    assert_eq!(
        (refusal.code, refusal.field.as_deref()),
        (ErrorCode::Precondition, Some("confirmation")),
        "{refusal}"
    );
    refusal.message
}

#[tokio::test]
async fn production_is_told_what_a_restore_writes() {
    let home = folder();
    let local = desk(&home, Tenure::Guest, local_connection()).await;
    let written = events(300, Category::Authentication);
    store(&home).await.write_events(&written).await.unwrap();
    let path = home.path().join("store.wpbackup").to_string_lossy().into_owned();
    let backup = BackupRequest { path: path.clone(), force: false, rdb: false, encryption: None };
    let run = local.ask::<operation::backup_run>(backup).await.unwrap();
    assert!(figure(report(&local.finish(run).await), "keys") > 300);
    for (n, event) in written.iter().take(15).enumerate() {
        let key = format!("security:auth:{}", event.at.timestamp_millis());
        if n < 10 {
            cli(&home, &["DEL", &key]);
        } else {
            cli(&home, &["HSET", &key, "actor", "somebody else"]);
        }
    }
    let there = cli(&home, &["DBSIZE"]);

    let shop = desk(&home, Tenure::Guest, production(&home)).await;
    let restore = RestoreRequest { path: path.clone(), rehearse_only: false, replace: true, key: None };
    let said = told::<operation::restore_run>(&shop, restore.clone(), Origin::Cli).await;
    let expect =
        format!("; it writes 15 keys of the backup, 5 of them over another value, where {there} keys are (");
    assert!(said.contains(&expect), "{said}");
    let keep = RestoreRequest { replace: false, ..restore.clone() };
    let said = told::<operation::restore_run>(&shop, keep, Origin::Window).await;
    assert!(said.contains("; it writes 10 keys of the backup, 0 of them over"), "{said}");
    let rehearse = RestoreRequest { rehearse_only: true, replace: false, ..restore.clone() };
    let rehearsed =
        shop.ask::<operation::restore_run>(rehearse).await.expect("it writes nothing: nobody has to confirm");
    shop.finish(rehearsed).await;
    let wrong = Call { confirmation: Some("shops".to_owned()), ..shop.call.clone() };
    let refused =
        shop.console.call::<operation::restore_run>(&wrong, restore.clone()).await.unwrap_err().message;
    assert!(refused.contains("\"shops\" is not its name; it writes 15 keys"), "{refused}");

    let said = told::<operation::restore_run>(&shop, restore.clone(), Origin::Http).await;
    assert!(!said.contains("; it"), "who may not name files learns nothing of them: {said}");
    std::fs::write(&path, "no backup").unwrap();
    let said = told::<operation::restore_run>(&shop, restore, Origin::Cli).await;
    assert!(!said.contains("; it"), "of what cannot be read nothing is said: {said}");
    assert_eq!(cli(&home, &["DBSIZE"]), there, "nothing was written");
    shop.console.close().await;
    local.console.close().await;
}

#[tokio::test]
async fn production_is_told_what_a_benchmark_sends() {
    let home = folder();
    let local = desk(&home, Tenure::Guest, local_connection()).await;
    cli(&home, &["SET", "security:note", "mine"]);
    let there = cli(&home, &["DBSIZE"]);
    let shop = desk(&home, Tenure::Guest, production(&home)).await;
    let request = BenchmarkRequest { ops: 20_000, value_bytes: 100, pipeline: 8 };
    let said = told::<operation::benchmark_run>(&shop, request, Origin::Cli).await;
    let expect = format!(
        "; it sends up to 80,200 operations to at most 10,000 keys of its own, which begin with security:wpbench: and \
         expire after 60 s, and touches none of the {there} keys that are there"
    );
    assert!(said.contains(&expect), "{said}");
    assert_eq!(cli(&home, &["DBSIZE"]), there, "nothing was written");
    shop.console.close().await;
    local.console.close().await;
}

/// A third of the events needs three things, a third one, and a third none; and an index has two entries without an event.
#[tokio::test]
async fn an_optimisation_counts_each_key_once() {
    let home = folder();
    let local = desk(&home, Tenure::Guest, local_connection()).await;
    let now = SystemClock.now().timestamp_millis();
    for n in 0..60 {
        let key = format!("security:auth:{}", now - 1_000_000 + n);
        let text = if n < 20 { "x".repeat(3_000) } else { "short".to_owned() };
        let payload = format!(r#"{{"details":"{text}"}}"#);
        cli(&home, &["HSET", &key, "type", "login", "actor", "eve", "payload", &payload]);
        if n >= 40 {
            cli(&home, &["PEXPIREAT", &key, &(now + 1_000_000_000).to_string()]);
        }
    }
    for gone in ["security:auth:1700000000001", "security:auth:1700000000002"] {
        cli(&home, &["ZADD", "security:index:authentication", "1700000000001", gone]);
    }
    let there = cli(&home, &["DBSIZE"]);
    let touches = format!("touches 41 of {there} keys (");

    let would = local.ask::<operation::optimize_preview>(OptimizeRequest::default()).await.unwrap();
    assert!(would.notes.iter().any(|note| note.starts_with(&touches)), "{would:?}");
    let shop = desk(&home, Tenure::Guest, production(&home)).await;
    let said = told::<operation::optimize_run>(&shop, OptimizeRequest::default(), Origin::Cli).await;
    assert!(said.contains(&format!("; it {touches}")), "{said}");
    let run = local.ask::<operation::optimize_run>(OptimizeRequest::default()).await.unwrap();
    let run = local.finish(run).await;
    let counts =
        [("compressed", 20), ("ttls_given", 40), ("recoded", 20), ("index_trimmed", 2), ("touched", 41)];
    for (name, expect) in counts {
        assert_eq!((figure(&would, name), figure(report(&run), name)), (expect, expect), "{name}: {run:?}");
    }

    let back = local.ask::<operation::optimize_preview>(OptimizeRequest { revert: true }).await.unwrap();
    assert_eq!((figure(&back, "written_back"), figure(&back, "touched")), (20, 20), "{back:?}");
    let said = told::<operation::optimize_run>(&shop, OptimizeRequest::default(), Origin::Cli).await;
    assert!(said.contains("; it touches 0 of "), "nothing is left to do: {said}");
    shop.console.close().await;
    local.console.close().await;
}

#[tokio::test]
async fn production_is_told_why_it_is_asked_about_what_changes_no_key() {
    let home = folder();
    let local = desk(&home, Tenure::Guest, local_connection()).await;
    cli(&home, &["SET", "security:note", "mine"]);
    let there = cli(&home, &["DBSIZE"]);
    let shop = desk(&home, Tenure::Guest, production(&home)).await;
    let path = home.path().join("store.wpbackup").to_string_lossy().into_owned();
    let backup = BackupRequest { path: path.clone(), force: false, rdb: false, encryption: None };
    let reads = format!(
        "; it reads all {there} keys and changes none, and what they hold leaves the server in a file"
    );
    let said = told::<operation::backup_run>(&shop, backup.clone(), Origin::Cli).await;
    assert!(said.contains(&reads), "{said}");
    let export = ExportRequest {
        categories: Vec::new(),
        from: None,
        to: None,
        all: false,
        format: ExportFormat::Csv,
        path: path.clone(),
        force: false,
    };
    let said = told::<operation::export_run>(&shop, export, Origin::Cli).await;
    assert!(said.contains(&reads), "{said}");
    let said = told::<operation::backup_run>(&shop, BackupRequest { rdb: true, ..backup }, Origin::Cli).await;
    assert!(said.contains(&format!("; it changes none of the {there} keys; the server forks")), "{said}");
    let said = told::<operation::aggregate_run>(&shop, AggregateRequest::default(), Origin::Cli).await;
    assert!(said.contains("; it adds to the counts in the audit database"), "{said}");
    assert!(!std::path::Path::new(&path).exists(), "nothing was written");
    shop.console.close().await;
    local.console.close().await;
}

/// Past their days, and never given to the engine: the run leaves them, and the question says so.
#[tokio::test]
async fn production_is_not_told_of_events_that_retention_leaves() {
    let home = folder();
    let local = desk(&home, Tenure::Guest, local_connection()).await;
    store(&home).await.write_events(&events(30, Category::Authentication)).await.unwrap();
    let there = cli(&home, &["DBSIZE"]);
    let shop = desk(&home, Tenure::Guest, production(&home)).await;
    let all = RetentionRequest { days: Some(0), restart: false };
    let would = local.ask::<operation::retention_preview>(all).await.unwrap();
    let touches = format!("touches 0 of {there} keys (0.0 %)");
    assert!(would.notes.contains(&touches), "{would:?}");
    let said = told::<operation::retention_run>(&shop, all, Origin::Cli).await;
    assert!(said.contains(&format!("; it {touches}")), "{said}");
    let run = local.ask::<operation::retention_run>(all).await.unwrap();
    assert_eq!(figure(report(&local.finish(run).await), "removed"), 0);
    shop.console.close().await;
    local.console.close().await;
}
