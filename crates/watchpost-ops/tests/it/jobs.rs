//! Jobs that write what is in Redis to files and read it back, through the door, on a real server.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;
use watchpost_model::clock::{Clock, SystemClock};
use watchpost_model::event::{Category, Event};
use watchpost_model::evidence::EvidenceQuery;
use watchpost_model::ids::EventId;
use watchpost_model::job::{JobReport, JobRun, JobState};
use watchpost_model::period::Period;
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{
    AggregateRequest, AuditPageRequest, BackupRequest, BenchmarkRequest, ExportFormat, ExportRequest, JobRef,
    Nothing, RestoreRequest,
};
use watchpost_ops::door::operation;
use watchpost_ops::error::ErrorCode;
use watchpost_redis::{EventStore, RedisTarget};

use crate::door::{Desk, desk, folder};
use crate::report_standing::behind;

pub(crate) fn figure(report: &JobReport, name: &str) -> u64 {
    let found = report.figures.iter().find(|figure| figure.name == name);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
    found.map_or(0, |figure| figure.value as u64)
}

pub(crate) fn fact(report: &JobReport, name: &str) -> String {
    report.facts.iter().find(|fact| fact.name == name).map(|fact| fact.text.clone()).unwrap_or_default()
}

pub(crate) fn report(run: &JobRun) -> &JobReport {
    assert_eq!(run.state, JobState::Done, "{:?}", run.error);
    run.report.as_ref().expect("an ended job has a report")
}

pub(crate) fn socket(home: &TempDir) -> PathBuf {
    home.path().join("data/workspace/redis.sock")
}

/// The server behind the desk, as an application sees it.
pub(crate) async fn store(home: &TempDir) -> EventStore {
    let target = RedisTarget::unix(socket(home), "security:");
    EventStore::connect(&target, Arc::new(SystemClock)).await.expect("the private server accepts")
}

/// What `redis-cli` answers.
pub(crate) fn cli(home: &TempDir, words: &[&str]) -> String {
    let output = std::process::Command::new("redis-cli").arg("-s").arg(socket(home)).args(words).output();
    let output = output.expect("redis-cli comes with redis-server");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// `n` events, a millisecond apart, that end now.
pub(crate) fn events(n: i64, category: Category) -> Vec<Event> {
    let now = SystemClock.now();
    let event = |number| {
        let at = now - chrono::Duration::milliseconds(number);
        let at = chrono::DateTime::from_timestamp_millis(at.timestamp_millis()).expect("now is in range");
        let mut event = Event::new(EventId::at(at), at, category, "login_failure");
        event.actor = Some(format!("=cmd{number}()"));
        event.details = serde_json::json!({ "n": number });
        event
    };
    (0..n).map(event).collect()
}

fn request(format: ExportFormat, path: &Path) -> ExportRequest {
    ExportRequest {
        categories: Vec::new(),
        from: None,
        to: None,
        all: false,
        format,
        path: path.to_string_lossy().into_owned(),
        force: false,
    }
}

async fn export(desk: &Desk, request: ExportRequest) -> JobRun {
    let run = desk.ask::<operation::export_run>(request).await.expect("the export starts");
    desk.finish(run).await
}

#[tokio::test]
async fn an_export_holds_what_was_asked_for_and_says_so_in_the_trail() {
    let home = folder();
    let mut desk = desk(&home, Tenure::Guest, local_connection()).await;
    let store = store(&home).await;
    let logins = events(300, Category::Authentication);
    store.write_events(&logins).await.unwrap();
    store.write_events(&events(50, Category::ApiUsage)).await.unwrap();
    cli(&home, &["SET", "security:auth:17", "no hash"]);

    let (from, to) = (logins[199].at, logins[99].at);
    let file = home.path().join("logins.ndjson");
    let chosen = ExportRequest {
        categories: vec![Category::Authentication],
        from: Some(from),
        to: Some(to),
        ..request(ExportFormat::Ndjson, &file)
    };
    let preview = desk.ask::<operation::export_preview>(chosen.clone()).await.unwrap();
    assert!(!file.exists(), "a preview writes nothing");
    cli(&home, &["HSET", "security:auth:1762150000000", "color", "blue"]);
    let all = desk.ask::<operation::export_preview>(request(ExportFormat::Csv, &file)).await.unwrap();
    assert_eq!((figure(&all, "rows"), figure(&all, "unreadable")), (350, 2), "{all:?}");
    cli(&home, &["DEL", "security:auth:1762150000000"]);
    let run = export(&desk, chosen).await;
    let did = report(&run);
    assert_eq!((figure(&preview, "rows"), figure(did, "rows")), (100, 100), "preview equals run");
    let text = std::fs::read_to_string(&file).unwrap();
    let mut read: Vec<Event> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    read.sort_by_key(|event| std::cmp::Reverse(event.at));
    assert_eq!(read, logins[100..200], "from is inside, to is not");
    use sha2::Digest;
    assert_eq!(fact(did, "sha256"), hex::encode(sha2::Sha256::digest(text.as_bytes())));

    let file = home.path().join("all.csv");
    desk.call.reason = Some("the auditor asked for it".to_owned());
    let run = export(&desk, request(ExportFormat::Csv, &file)).await;
    assert_eq!((figure(report(&run), "rows"), figure(report(&run), "unreadable")), (350, 1));
    assert!(report(&run).notes.iter().any(|note| note.contains("security:auth:17")), "{:?}", run.report);
    let table = std::fs::read_to_string(&file).unwrap();
    assert_eq!(table.lines().count(), 351);
    assert!(table.contains(",'=cmd7(),") && !table.contains(",=cmd"), "no cell is a formula");

    let page = desk.ask::<operation::audit_page>(AuditPageRequest { limit: 20, ..Default::default() }).await;
    let page = page.unwrap();
    let of_run: Vec<_> = page.rows.iter().filter(|row| row.object == format!("job/{}", run.id)).collect();
    assert_eq!(of_run.len(), 2, "begun and ended");
    for record in of_run {
        let node = record.changes.iter().find(|change| change.field == "node").expect("the node is told");
        assert_eq!(node.new, socket(&home).to_string_lossy().as_ref());
        assert_eq!(record.actor, "dana");
        assert_eq!(record.reason.as_deref(), Some("the auditor asked for it"), "no figures in its place");
    }
    let ended = page.rows.iter().find(|row| row.changes.iter().any(|change| change.field == "sha256"));
    let told =
        |name: &str| ended.unwrap().changes.iter().find(|change| change.field == name).unwrap().new.clone();
    assert_eq!((told("rows"), told("ended")), ("350".into(), "done".into()), "{ended:?}");
    let earlier = page.rows.iter().find(|row| row.changes.iter().any(|change| change.new == "100"));
    assert_eq!(earlier.expect("the export before").reason, None, "nobody said why");
    desk.console.close().await;
}

#[tokio::test]
async fn every_key_is_written_whatever_it_holds() {
    let home = folder();
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    store(&home).await.write_events(&events(2_000, Category::Authentication)).await.unwrap();
    cli(&home, &["SADD", "security:mine", "a", "b"]);
    cli(&home, &["RPUSH", "security:list", "one", "two"]);
    cli(&home, &["SET", "security:raw", "\u{fffd}"]);
    cli(&home, &["EVAL", "redis.call('SET', 'security:bytes', string.char(255, 0))", "0"]);
    cli(&home, &["SET", "other:key", "not ours"]);
    let file = home.path().join("keys.json");
    let every = ExportRequest { all: true, ..request(ExportFormat::Json, &file) };
    let counted = desk.ask::<operation::export_preview>(every.clone()).await.unwrap();
    let run = export(&desk, every).await;
    let rows: Vec<Value> = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(rows.len() as u64, figure(report(&run), "rows"));
    let keys: BTreeSet<String> = rows.iter().map(|row| row["key"].as_str().unwrap().to_owned()).collect();
    let known: BTreeSet<String> =
        cli(&home, &["--scan", "--pattern", "security:*"]).lines().map(str::to_owned).collect();
    assert_eq!(keys, known);
    assert_eq!(figure(&counted, "rows"), known.len() as u64);
    let of = |key: &str| rows.iter().filter(|row| row["key"] == key).collect::<Vec<_>>();
    assert_eq!(of("security:list")[0]["value"], serde_json::json!(["one", "two"]));
    assert_eq!(of("security:bytes")[0]["value"], serde_json::json!({ "hex": "ff00" }));
    let parts = of("security:events");
    assert!(parts.len() > 1, "a large value comes in parts");
    assert_eq!(parts.iter().map(|part| part["value"].as_array().unwrap().len()).sum::<usize>(), 2_000);
    assert!(of("security:raw")[0]["expires_at"].is_null());
    desk.console.close().await;
}

#[tokio::test]
async fn a_file_that_is_there_is_replaced_only_when_asked() {
    let home = folder();
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let file = home.path().join("kept.json");
    std::fs::write(&file, "mine").unwrap();
    let error = desk.ask::<operation::export_run>(request(ExportFormat::Json, &file)).await.unwrap_err();
    assert_eq!((error.code, error.field.as_deref()), (ErrorCode::Conflict, Some("path")));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    let run = export(&desk, ExportRequest { force: true, ..request(ExportFormat::Json, &file) }).await;
    assert_eq!(figure(report(&run), "rows"), 0);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "[]\n", "nothing is valid JSON too");
    for (field, code, wrong) in [
        ("path", ErrorCode::Validation, request(ExportFormat::Csv, Path::new("relative.csv"))),
        // As of any file or folder that is not there.
        ("path", ErrorCode::Unavailable, request(ExportFormat::Csv, Path::new("/no/such/folder/x.csv"))),
        (
            "all",
            ErrorCode::Validation,
            ExportRequest {
                all: true,
                categories: vec![Category::ApiUsage],
                ..request(ExportFormat::Csv, &file)
            },
        ),
    ] {
        let error = desk.ask::<operation::export_preview>(wrong).await.unwrap_err();
        assert_eq!((error.code, error.field.as_deref()), (code, Some(field)), "{error}");
    }
    desk.console.close().await;
}

#[tokio::test]
async fn a_cancelled_export_leaves_no_file() {
    let home = folder();
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    store(&home).await.write_events(&events(20_000, Category::Authentication)).await.unwrap();
    let target = home.path().join("exports");
    std::fs::create_dir(&target).unwrap();
    let run =
        desk.ask::<operation::export_run>(request(ExportFormat::Csv, &target.join("x.csv"))).await.unwrap();
    while desk.ask::<operation::job_get>(JobRef { id: run.id }).await.unwrap().progress.done == 0 {
        tokio::task::yield_now().await;
    }
    desk.ask::<operation::job_cancel>(JobRef { id: run.id }).await.expect("it runs");
    assert_eq!(desk.finish(run).await.state, JobState::Cancelled);
    assert_eq!(std::fs::read_dir(&target).unwrap().count(), 0, "neither the file nor a part of it");
    desk.console.close().await;
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[tokio::test]
async fn a_backup_is_rehearsed_and_brings_back_what_was_lost() {
    let home = folder();
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let written = events(500, Category::Authentication);
    store(&home).await.write_events(&written).await.unwrap();
    cli(&home, &["SET", "security:note", "as it was"]);
    let file = home.path().join("store.wpbackup");
    let backup = BackupRequest { path: text(&file), force: false, rdb: false, encryption: None };
    let preview = desk.ask::<operation::backup_preview>(backup.clone()).await.unwrap();
    assert!(!file.exists());
    let run = desk.ask::<operation::backup_run>(backup.clone()).await.unwrap();
    let run = desk.finish(run).await;
    let n: u64 = cli(&home, &["DBSIZE"]).parse().unwrap();
    assert_eq!((figure(&preview, "keys"), figure(report(&run), "keys")), (n, n));
    let again = desk.ask::<operation::backup_run>(backup).await.unwrap_err();
    assert_eq!(again.code, ErrorCode::Conflict, "a backup is not overwritten: {again}");

    let key = format!("security:auth:{}", written[3].at.timestamp_millis());
    cli(&home, &["DEL", &key]);
    cli(&home, &["SET", "security:note", "newer"]);
    let rehearse = RestoreRequest { path: text(&file), rehearse_only: true, replace: false, key: None };
    let rehearsed = desk.ask::<operation::restore_run>(rehearse).await.unwrap();
    let rehearsed = desk.finish(rehearsed).await;
    assert_eq!(figure(report(&rehearsed), "verified"), n, "{:?}", rehearsed.report);
    assert!(fact(report(&rehearsed), "verdict").starts_with("verified on Redis"), "{:?}", rehearsed.report);
    assert!(fact(report(&rehearsed), "origin").contains(&run.id.to_string()), "the trail knows the file");
    assert_eq!(cli(&home, &["EXISTS", &key]), "0", "a rehearsal writes nothing here");
    assert!(!home.path().join("data/rehearsal").exists(), "and leaves nothing");

    let restore = RestoreRequest { path: text(&file), rehearse_only: false, replace: false, key: None };
    let preview = desk.ask::<operation::restore_preview>(restore.clone()).await.unwrap();
    let run = desk.ask::<operation::restore_run>(restore.clone()).await.unwrap();
    let run = desk.finish(run).await;
    for (name, expect) in [("written", 1), ("kept", 1), ("failed", 0), ("wrong", 0)] {
        assert_eq!(figure(report(&run), name), expect, "{name}: {:?}", run.report);
    }
    assert_eq!(figure(&preview, "written"), 1, "preview equals run");
    assert_eq!(cli(&home, &["EXISTS", &key]), "1");
    assert_eq!(cli(&home, &["GET", "security:note"]), "newer", "what is newer stays");
    let run = desk.ask::<operation::restore_run>(RestoreRequest { replace: true, ..restore }).await.unwrap();
    assert_eq!(figure(report(&desk.finish(run).await), "replaced"), 1);
    assert_eq!(cli(&home, &["GET", "security:note"]), "as it was", "unless that was asked for");
    desk.console.close().await;
}

#[tokio::test]
async fn a_backup_that_is_none_or_was_changed_touches_nothing() {
    let home = folder();
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    store(&home).await.write_events(&events(500, Category::Authentication)).await.unwrap();
    let file = home.path().join("store.wpbackup");
    let run = desk
        .ask::<operation::backup_run>(BackupRequest {
            path: text(&file),
            force: false,
            rdb: false,
            encryption: None,
        })
        .await
        .unwrap();
    desk.finish(run).await;
    cli(&home, &["FLUSHALL"]);
    let whole = std::fs::read(&file).unwrap();
    let mut altered = whole.clone();
    let middle = altered.len() / 2;
    altered[middle] ^= 1;
    for (bytes, words) in [(&whole[..whole.len() - 9], "cut off"), (&altered[..], "altered")] {
        std::fs::write(&file, bytes).unwrap();
        let request = RestoreRequest { path: text(&file), rehearse_only: false, replace: false, key: None };
        let problem = desk.ask::<operation::restore_preview>(request.clone()).await.unwrap_err();
        assert!(problem.message.contains(words) && problem.field.is_none(), "as the run ends: {problem:?}");
        let run = desk.ask::<operation::restore_run>(request).await.unwrap();
        let run = desk.finish(run).await;
        assert_eq!(run.state, JobState::Failed);
        assert!(run.error.as_ref().unwrap().contains(words), "{:?}", run.error);
        assert_eq!(cli(&home, &["DBSIZE"]), "0", "nothing was written");
    }
    for wrong in ["no backup", ""] {
        std::fs::write(&file, wrong).unwrap();
        let request = RestoreRequest { path: text(&file), rehearse_only: true, replace: false, key: None };
        let error = desk.ask::<operation::restore_run>(request).await.unwrap_err();
        assert_eq!((error.code, error.field.as_deref()), (ErrorCode::Validation, Some("path")), "{error}");
    }
    desk.console.close().await;
}

#[tokio::test]
async fn a_benchmark_measures_and_leaves_nothing_also_when_it_is_stopped() {
    let home = folder();
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let request = BenchmarkRequest { ops: 400, value_bytes: 100, pipeline: 8 };
    let preview = desk.ask::<operation::benchmark_preview>(request).await.unwrap();
    assert_eq!((figure(&preview, "ops"), figure(&preview, "keys")), (1_800, 400));
    assert_eq!(cli(&home, &["DBSIZE"]), "0", "a preview writes nothing");
    let run = desk.ask::<operation::benchmark_run>(request).await.unwrap();
    let run = desk.finish(run).await;
    let did = report(&run);
    let value =
        |name: &str| did.figures.iter().find(|figure| figure.name == name).map_or(0.0, |figure| figure.value);
    for step in ["write", "write_pipeline", "read", "read_pipeline", "scan"] {
        let of = |part: &str| value(&format!("{step}_{part}"));
        assert!(of("per_s") > 0.0 && of("p50_ms") > 0.0, "{step}: {did:?}");
        assert!(of("p50_ms") <= of("p99_ms") && of("p99_ms") <= of("p999_ms"), "{step}: {did:?}");
    }
    assert!(fact(did, "saturated").contains("of a core"), "{did:?}");
    assert!(
        fact(did, "prefix").starts_with("security:wpbench:"),
        "inside of the prefix that the user may use"
    );
    assert_eq!(figure(did, "removed"), 400);
    assert_eq!(cli(&home, &["DBSIZE"]), "0");

    let long = BenchmarkRequest { ops: 1_000_000, ..request };
    let run = desk.ask::<operation::benchmark_run>(long).await.unwrap();
    while cli(&home, &["DBSIZE"]) == "0" {
        tokio::task::yield_now().await;
    }
    let key = cli(&home, &["RANDOMKEY"]);
    let ttl: i64 = cli(&home, &["TTL", &key]).parse().unwrap();
    assert!((1..=60).contains(&ttl), "{key} expires by itself: {ttl}");
    desk.ask::<operation::job_cancel>(JobRef { id: run.id }).await.expect("it runs");
    assert_eq!(desk.finish(run).await.state, JobState::Cancelled);
    assert_eq!(cli(&home, &["DBSIZE"]), "0", "and is clean afterwards");
    for (field, wrong) in [
        ("ops", BenchmarkRequest { ops: 99, ..request }),
        ("value_bytes", BenchmarkRequest { value_bytes: 20_000, ..request }),
        ("pipeline", BenchmarkRequest { pipeline: 1, ..request }),
    ] {
        let error = desk.ask::<operation::benchmark_run>(wrong).await.unwrap_err();
        assert_eq!((error.code, error.field.as_deref()), (ErrorCode::Validation, Some(field)));
    }
    // Keys that the server has no room for are refused before the first one is written.
    cli(&home, &["CONFIG", "SET", "maxmemory", "2mb"]);
    let large = BenchmarkRequest { ops: 10_000, value_bytes: 16_384, pipeline: 16 };
    let error = desk.ask::<operation::benchmark_preview>(large).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::Precondition, "{error}");
    assert!(error.message.contains("a fifth of maxmemory"), "{error}");
    desk.console.close().await;
}

#[tokio::test]
async fn the_clean_up_removes_what_is_left_over_and_nothing_else() {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    desk.fill().await;
    let before: u64 = cli(&home, &["DBSIZE"]).parse().unwrap();
    cli(&home, &["ZADD", "security:index:authentication", "17", "security:auth:17"]);
    let old = (SystemClock.now() - chrono::Duration::days(31)).timestamp_millis().to_string();
    let young = SystemClock.now().timestamp_millis().to_string();
    cli(&home, &["SET", "security:auth:here", "unreadable"]);
    for (key, at) in
        [("security:auth:gone", &old), ("security:auth:young", &young), ("security:auth:here", &old)]
    {
        cli(&home, &["ZADD", "security:quarantine", at, key]);
        cli(&home, &["HSET", "security:quarantine:reasons", key, "a reason"]);
    }
    let preview = desk.ask::<operation::cleanup_preview>(Nothing {}).await.unwrap();
    assert_eq!((figure(&preview, "unindexed"), figure(&preview, "quarantined")), (1, 1), "{preview:?}");
    let there = watchpost_model::plain::grouped(cli(&home, &["DBSIZE"]).parse().unwrap());
    // The index, the entries of the quarantine and their reasons.
    let touches = format!("touches {} of {there} keys (", figure(&preview, "removed") + 3);
    assert!(preview.notes.iter().any(|note| note.starts_with(&touches)), "{touches}: {preview:?}");
    let run = desk.ask::<operation::cleanup_run>(Nothing {}).await.unwrap();
    let run = desk.finish(run).await;
    let did = report(&run);
    assert!(run.progress.done > 0 && run.progress.done == figure(did, "scanned"), "{run:?}");
    for name in ["unindexed", "quarantined", "removed"] {
        assert_eq!(figure(did, name), figure(&preview, name), "{name}: preview equals run");
    }
    assert!(did.notes.iter().any(|note| note.contains("mend or remove")), "{did:?}");
    assert_eq!(cli(&home, &["HGET", "security:quarantine:reasons", "security:auth:gone"]), "");
    assert_eq!(cli(&home, &["HGET", "security:quarantine:reasons", "security:auth:young"]), "a reason");
    assert_eq!(cli(&home, &["GET", "security:auth:here"]), "unreadable", "a key is never removed unread");
    assert_eq!(cli(&home, &["ZSCORE", "security:index:authentication", "security:auth:17"]), "");
    let after: u64 = cli(&home, &["DBSIZE"]).parse().unwrap();
    assert!(after + figure(did, "removed") >= before, "no event went but by retention");
    desk.console.close().await;
}

#[tokio::test]
async fn aggregation_finds_every_archived_event_counted() {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    desk.fill().await;
    let preview = desk.ask::<operation::aggregate_preview>(AggregateRequest::default()).await.unwrap();
    let run = desk.ask::<operation::aggregate_run>(AggregateRequest::default()).await.unwrap();
    let run = desk.finish(run).await;
    assert_eq!((run.progress.done, run.progress.total), (30, Some(30)), "thirty days, and all of them");
    let did = report(&run);
    assert_eq!(figure(did, "behind"), 0, "events are counted where they are archived");
    let counted: u64 = Category::ALL.iter().map(|category| figure(did, category.as_str())).sum();
    assert!(counted >= 400, "{did:?}");
    for figure_of in &did.figures {
        assert_eq!(figure_of.value as u64, figure(&preview, &figure_of.name), "{}", figure_of.name);
    }
    let error = AggregateRequest {
        from: Some(SystemClock.now()),
        to: Some(SystemClock.now() - chrono::Duration::days(1)),
    };
    let error = desk.ask::<operation::aggregate_run>(error).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::Validation, "a period that ends before it begins: {error}");
    desk.console.close().await;
}

/// What could not be read is evidence, also for a report that another process makes.
#[tokio::test]
async fn what_the_engine_lost_is_counted_by_day_and_outlives_it() {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    // The name of the first says no time, the second has no type, and of the third there is only the entry.
    cli(&home, &["HSET", "security:auth:not-a-time", "type", "x"]);
    cli(&home, &["HSET", "security:data:2", "no_type", "x"]);
    cli(&home, &["XADD", "security:events", "*", "key", "security:data:999"]);
    desk.console.until_idle().await.expect("the engine works");
    let status = desk.console.status(&desk.call.caller).await;
    assert_eq!(status.engine.quarantined_total, Some(3));
    desk.console.close().await;
    let store = behind(&home).await;
    let now = SystemClock.now();
    let period = Period::new(now - chrono::Duration::days(1), now + chrono::Duration::days(1));
    let ask = EvidenceQuery::LostEvents.into();
    let answer = store.evidence(&ask, period.expect("two days"), now, &[7; 32]).await.expect("answered");
    assert!(answer.exceptions > 0, "{answer:?}");
    let unread: u64 = answer.rows.iter().filter_map(|row| row.get(1)?.parse::<u64>().ok()).sum();
    assert_eq!(unread, 3, "each once: {answer:?}");
    store.close().await;
}
