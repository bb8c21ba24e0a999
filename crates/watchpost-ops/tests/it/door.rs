//! What passes the door, what does not, and what the trail says of both. On the local workspace: a private Redis and a
//! SQLite file in a temporary folder.

use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use watchpost_model::access::{Caller, Origin, Role};
use watchpost_model::audit::AuditOutcome;
use watchpost_model::block::BlockState;
use watchpost_model::clock::{Clock, SystemClock};
use watchpost_model::connection::{Connection, DatabaseConnection, RedisAddress, RedisConnection};
use watchpost_model::ids::ConnectionId;
use watchpost_model::incident::{IncidentDetail, Status, Verdict};
use watchpost_model::job::{JobRun, JobState};
use watchpost_ops::Paths;
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::{ASK_EVERY, Console, ConsoleOptions, REDIS_WAIT, Tenure};
use watchpost_ops::contract::{
    AuditPageRequest, AuditVerify, BlockAdd, BlockListRequest, DatabaseRehearse, Effect, EngineState,
    EventPageRequest, ImportRequest, IncidentNote, IncidentPageRequest, IncidentRef, IncidentResolve, JobRef,
    Nothing, RestoreRequest, RetentionRequest, SimulateRequest, Tag,
};
use watchpost_ops::door::{Call, OPERATIONS, Operation, operation};
use watchpost_ops::error::{ErrorCode, OpError};

pub(crate) struct Desk {
    pub(crate) console: Console,
    pub(crate) call: Call,
}

pub(crate) fn caller(role: Role) -> Caller {
    Caller { name: "dana".to_owned(), role, origin: Origin::Cli, host: "test".to_owned() }
}

pub(crate) fn folder() -> TempDir {
    // Sockets live in here, and their paths may have 107 bytes.
    tempfile::Builder::new().prefix("wp-").tempdir().expect("a temporary folder can be made")
}

pub(crate) async fn desk(home: &TempDir, tenure: Tenure, connection: Connection) -> Desk {
    desk_at(home, tenure, connection, Arc::new(SystemClock)).await
}

pub(crate) async fn desk_at(
    home: &TempDir,
    tenure: Tenure,
    connection: Connection,
    clock: Arc<dyn Clock>,
) -> Desk {
    let console = Console::start(ConsoleOptions {
        paths: Paths::below(home.path()).expect("the folder is ours"),
        clock,
        tenure,
        offer_demo: false,
        remember: false,
        ask_every: ASK_EVERY,
        redis_wait: REDIS_WAIT,
    })
    .expect("an empty folder holds no bad connections");
    console.open(connection).await.expect("the local workspace opens");
    Desk { console, call: Call { caller: caller(Role::Admin), confirmation: None, reason: None } }
}

impl Desk {
    pub(crate) async fn ask<O: Operation>(&self, request: O::Request) -> Result<O::Reply, OpError> {
        self.console.call::<O>(&self.call, request).await
    }

    pub(crate) async fn finish(&self, run: JobRun) -> JobRun {
        tokio::time::timeout(Duration::from_secs(60), async {
            let mut timer = tokio::time::interval(Duration::from_millis(20));
            loop {
                timer.tick().await;
                let now =
                    self.ask::<operation::job_get>(JobRef { id: run.id }).await.expect("the run is known");
                if now.ended_at.is_some() {
                    return now;
                }
            }
        })
        .await
        .expect("the job ends within a minute")
    }

    /// A day of traffic, detected.
    pub(crate) async fn fill(&self) {
        let request =
            SimulateRequest { days: 1, events_per_day: 400, users: 20, ..SimulateRequest::default() };
        let run = self.ask::<operation::simulate_run>(request).await.expect("the simulation starts");
        assert_eq!(self.finish(run).await.state, JobState::Done, "the simulation ends well");
        self.console.until_idle().await.expect("the engine works");
    }

    pub(crate) async fn events(&self) -> usize {
        let mut n = 0;
        let mut after = None;
        loop {
            let request = EventPageRequest { after, limit: 500, ..EventPageRequest::default() };
            let page = self.ask::<operation::event_page>(request).await.expect("events can be listed");
            n += page.rows.len();
            after = page.next;
            if after.is_none() {
                return n;
            }
        }
    }

    pub(crate) async fn first_incident(&self) -> IncidentDetail {
        let page = self
            .ask::<operation::incident_page>(IncidentPageRequest {
                limit: 1,
                ..IncidentPageRequest::default()
            })
            .await
            .expect("incidents can be listed");
        let number = page.rows.first().expect("the simulation holds attacks").number;
        self.ask::<operation::incident_detail>(IncidentRef { number }).await.expect("it is there")
    }

    pub(crate) async fn trail(&self, action: &str, outcome: AuditOutcome) -> usize {
        let filter = watchpost_model::audit::AuditFilter {
            action: Some(action.to_owned()),
            outcome: Some(outcome),
            ..Default::default()
        };
        let request = AuditPageRequest { filter, before: None, limit: 500 };
        self.ask::<operation::audit_page>(request).await.expect("the trail can be read").rows.len()
    }
}

#[tokio::test]
async fn every_event_once_and_no_second_time_after_a_restart() {
    let home = folder();
    let first = desk(&home, Tenure::Owner, local_connection()).await;
    first.fill().await;
    let (events, incidents) = (first.events().await, first.first_incident().await.incident.number);
    assert!(events > 400, "ordinary traffic and attacks: {events}");
    first.console.close().await;

    let second = desk(&home, Tenure::Owner, local_connection()).await;
    second.console.until_idle().await.expect("the engine works");
    let status = second.console.status(&second.call.caller).await;
    assert_eq!(status.engine.processed_total, 0, "nothing is left to process");
    assert_eq!(second.events().await, events, "the archive is what it was");
    assert_eq!(second.first_incident().await.incident.number, incidents, "and so are the incidents");
    second.console.close().await;
}

#[tokio::test]
async fn triage_leaves_its_trail() {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    desk.fill().await;
    let seen = desk.first_incident().await.incident;
    let number = seen.number;

    let taken = desk.ask::<operation::incident_take>(IncidentRef { number }).await.unwrap();
    assert_eq!((taken.status, taken.assignee.as_deref()), (Status::Investigating, Some("dana")));
    let note = IncidentNote { number, text: "looks automated".to_owned() };
    let detail = desk.ask::<operation::incident_note>(note).await.unwrap();
    assert_eq!(detail.notes.len(), 1, "the note is there");

    let resolve = |version| IncidentResolve {
        number,
        verdict: Verdict::TruePositive,
        cause: None,
        reason: "an attack".to_owned(),
        duplicate_of: None,
        version,
    };
    let stale = desk.ask::<operation::incident_resolve>(resolve(Some(seen.version))).await.unwrap_err();
    assert_eq!(stale.code, ErrorCode::Conflict, "who saw an older version is told: {stale}");
    let done = desk.ask::<operation::incident_resolve>(resolve(None)).await.unwrap();
    assert_eq!((done.status, done.verdict), (Status::Resolved, Verdict::TruePositive));
    let again = desk.ask::<operation::incident_take>(IncidentRef { number }).await.unwrap_err();
    assert_eq!(again.code, ErrorCode::Precondition, "a resolved one is not taken: {again}");

    for (action, outcome, n) in [
        ("incident_take", AuditOutcome::Success, 1),
        ("incident_take", AuditOutcome::Failure, 1),
        ("incident_note", AuditOutcome::Success, 1),
        ("incident_resolve", AuditOutcome::Success, 1),
        ("incident_resolve", AuditOutcome::Failure, 1),
    ] {
        assert_eq!(desk.trail(action, outcome).await, n, "{action} {outcome}");
    }
    assert!(desk.ask::<operation::audit_verify>(AuditVerify::default()).await.unwrap().ok, "the trail holds");
    desk.console.close().await;
}

#[tokio::test]
async fn a_role_does_what_its_permissions_say_and_refusals_are_recorded() {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    let block =
        || BlockAdd { target: "203.0.113.7".into(), reason: "test".into(), ttl_s: 600, incident: None };
    for &role in Role::ALL {
        let call = Call { caller: caller(role), confirmation: None, reason: None };
        for spec in OPERATIONS {
            // No request is a number: who is let in learns that, who is not learns nothing of it.
            let result = desk.console.call_json(&call, spec.name, serde_json::json!(7)).await;
            let refused = result.expect_err("the request is nonsense");
            let expected =
                if role.may(spec.permission) { ErrorCode::Validation } else { ErrorCode::Permission };
            assert_eq!(refused.code, expected, "{role} {}", spec.name);
            // In words of people, not the name in the code.
            let words = refused.message.strip_prefix(&format!("the role {role} may not "));
            let is_told = words.is_some_and(|words| {
                words.starts_with(char::is_lowercase) && !words.ends_with('.') && words.contains(' ')
            });
            assert!(is_told || role.may(spec.permission), "{refused}");
        }
        let result = desk.console.call::<operation::block_add>(&call, block()).await;
        let may = role.may(watchpost_model::access::Permission::Contain);
        match result {
            Ok(block) => {
                assert!(may, "{role} may not block");
                let (id, reason) = (block.id, "test".to_owned());
                let undo = watchpost_ops::contract::BlockRemove { id, reason };
                desk.console
                    .call::<operation::block_remove>(&call, undo)
                    .await
                    .expect("who blocks may unblock");
            }
            Err(error) => assert_eq!(error.code, ErrorCode::Permission, "{role}: {error}"),
        }
    }
    assert_eq!(
        desk.trail("block_add", AuditOutcome::Denied).await,
        4,
        "viewer and auditor were refused twice each"
    );
    desk.console.close().await;
}

/// The newest migration that says on PostgreSQL which permission an operation takes.
const TAKES: &str =
    include_str!("../../../watchpost-store/migrations/postgres/20261122000035_audit_action.sql");

#[test]
fn the_database_knows_which_permission_each_operation_takes() {
    let (_, body) = TAKES.split_once("FUNCTION watchpost_action_takes").expect("the function");
    let (body, _) = body.split_once("    END\n").expect("its end");
    let mut known: Vec<(String, String)> = Vec::new();
    for part in body.split("WHEN p_action IN (").skip(1) {
        let (names, takes) = part.split_once(") THEN '").expect("what they take");
        let takes = takes.split('\'').next().expect("a permission");
        known.extend(names.split('\'').skip(1).step_by(2).map(|name| (name.to_owned(), takes.to_owned())));
    }
    let mut is: Vec<(String, String)> =
        OPERATIONS.iter().map(|spec| (spec.name.to_owned(), spec.permission.as_str().to_owned())).collect();
    known.sort();
    is.sort();
    assert_eq!(known, is, "a new operation takes a migration that makes the function anew");
}

#[tokio::test]
async fn nobody_blocks_themselves_or_the_allowlist() {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    let allow = watchpost_ops::contract::AllowAdd { target: "198.51.100.0/24".into(), note: "office".into() };
    let list = desk.ask::<operation::allow_add>(allow).await.unwrap();
    let own = list.own_addresses.iter().map(String::as_str);
    for target in
        ["127.0.0.1", "::1", "::ffff:127.0.0.1", "198.51.100.7", "198.51.0.0/16"].into_iter().chain(own)
    {
        let request = BlockAdd { target: target.into(), reason: "test".into(), ttl_s: 600, incident: None };
        let error = desk.ask::<operation::block_add>(request).await.expect_err(target);
        assert_eq!(error.code, ErrorCode::Precondition, "{target}: {error}");
    }
    desk.console.close().await;
}

#[tokio::test]
async fn a_block_is_prolonged_and_not_shortened() {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    let block =
        |ttl_s| BlockAdd { target: "203.0.113.7".into(), reason: "test".into(), ttl_s, incident: None };
    let hour = desk.ask::<operation::block_add>(block(3_600)).await.unwrap();
    let error = desk.ask::<operation::block_add>(block(600)).await.expect_err("a shorter block");
    assert_eq!(error.code, ErrorCode::Precondition, "{error}");
    let told = error.message.contains("is blocked already, for ") && !error.message.contains("UTC");
    assert!(told, "whoever reads it has a zone of their own: {error}");
    let day = desk.ask::<operation::block_add>(block(86_400)).await.unwrap();
    let list = desk.ask::<operation::block_list>(BlockListRequest::default()).await.unwrap();
    let state = |id| list.blocks.iter().find(|row| row.block.id == id).map(|row| row.block.state);
    assert_eq!((state(hour.id), state(day.id)), (Some(BlockState::Removed), Some(BlockState::Active)));
    let ttl = list.blocks.iter().find_map(|row| row.redis_ttl_s).expect("the key is in Redis");
    assert!((86_300..=86_400).contains(&ttl), "the key has the longer time: {ttl} s");
    desk.console.close().await;
}

#[tokio::test]
async fn an_interrupted_import_goes_on_where_it_stopped() {
    const LINES: u64 = 60_000;
    let home = folder();
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let log = home.path().join("access.log");
    let text: String = (0..LINES)
        .map(|n| {
            format!(
                "192.0.2.{} - - [03/Nov/2026:08:{:02}:00 +0000] \"GET /{n} HTTP/1.1\" 200 1\n",
                n % 200,
                n % 60
            )
        })
        .collect();
    std::fs::write(&log, text).expect("the folder is ours");
    let request = || ImportRequest {
        path: log.to_string_lossy().into_owned(),
        format: "common".to_owned(),
        restart: false,
    };
    let figure = |run: &JobRun, name: &str| {
        let report = run.report.as_ref().expect("an ended job has a report");
        report.figures.iter().find(|figure| figure.name == name).map_or(0.0, |figure| figure.value)
    };
    let run = desk.ask::<operation::import_run>(request()).await.expect("the import starts");
    while desk.ask::<operation::job_get>(JobRef { id: run.id }).await.expect("it is known").progress.done == 0
    {
        tokio::task::yield_now().await;
    }
    desk.ask::<operation::job_cancel>(JobRef { id: run.id }).await.expect("it runs");
    let first = desk.finish(run).await;
    assert_eq!(first.state, JobState::Cancelled, "it was stopped in the middle");
    let run = desk.ask::<operation::import_run>(request()).await.expect("the import starts again");
    let second = desk.finish(run).await;
    assert_eq!(second.state, JobState::Done);
    let (before, after) = (figure(&first, "written"), figure(&second, "written"));
    assert!(before > 0.0 && after > 0.0, "both did a part: {before} and {after}");
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let lines = LINES as f64;
    assert_eq!(before + after, lines, "together they wrote every line once");
    assert!(figure(&second, "duplicates") <= 500.0, "it went on, and did not begin anew");
    desk.console.close().await;
}

#[tokio::test]
async fn a_private_redis_that_dies_is_started_again_with_its_events() {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    desk.fill().await;
    let socket = home.path().join("data/workspace/redis.sock");
    let counted = || {
        let output = std::process::Command::new("redis-cli").arg("-s").arg(&socket).arg("DBSIZE").output();
        let output = output.expect("redis-cli comes with redis-server").stdout;
        String::from_utf8_lossy(&output).trim().parse().ok()
    };
    // An owner's answer may be ten seconds old: wait for one that has seen all events.
    let before = tokio::time::timeout(Duration::from_secs(30), async {
        let mut timer = tokio::time::interval(Duration::from_millis(100));
        loop {
            timer.tick().await;
            let health = desk.ask::<operation::redis_health>(Nothing {}).await.expect("Redis answers");
            if health.keys > Some(400) && health.keys == counted() {
                return health.keys;
            }
        }
    })
    .await
    .expect("there are events in Redis");
    let killed = std::process::Command::new("redis-cli")
        .arg("-s")
        .arg(&socket)
        .args(["SHUTDOWN", "NOSAVE", "NOW", "FORCE"])
        .status()
        .expect("redis-cli comes with redis-server");
    assert!(killed.success(), "the server is told to end");
    let after = tokio::time::timeout(Duration::from_secs(20), async {
        let mut timer = tokio::time::interval(Duration::from_millis(100));
        loop {
            timer.tick().await;
            let health = desk.ask::<operation::redis_health>(Nothing {}).await;
            // An answer from before the end does not count.
            if let Ok(health) = health
                && health.uptime_s.is_some_and(|uptime_s| uptime_s < 5)
                && socket.exists()
                && desk.ask::<operation::block_list>(BlockListRequest::default()).await.is_ok()
            {
                return health.keys;
            }
        }
    })
    .await
    .expect("the owner starts it again");
    assert_eq!(after, before, "its append-only file kept everything");
    desk.console.close().await;
}

#[tokio::test]
async fn a_log_is_known_by_its_content() {
    let home = folder();
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let line = |n: u32| {
        format!("192.0.2.7 - - [03/Nov/2026:08:00:{:02} +0000] \"GET /{n} HTTP/1.1\" 200 1\n", n % 60)
    };
    let text: String = (0..50).map(line).collect();
    let longer = text.clone() + &(50..60).map(line).collect::<String>();
    let mut written = Vec::new();
    for (name, content) in [("access.log", &text), ("access.log.1", &text), ("grown.log", &longer)] {
        let path = home.path().join(name);
        std::fs::write(&path, content).expect("the folder is ours");
        let path = path.to_string_lossy().into_owned();
        let request = ImportRequest { path, format: "common".to_owned(), restart: false };
        let run = desk.ask::<operation::import_run>(request).await.expect("the import starts");
        let report = desk.finish(run).await.report.expect("an ended job has a report");
        written.push(report.figures[0].value);
    }
    assert_eq!(written, [50.0, 0.0, 10.0], "moved it adds nothing, grown it adds what is new");
    desk.console.close().await;
}

#[tokio::test]
async fn files_of_the_server_are_not_named_over_http() {
    let home = folder();
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let call = Call {
        caller: Caller { origin: Origin::Http, ..caller(Role::Admin) },
        confirmation: None,
        reason: None,
    };
    let request =
        ImportRequest { path: "/etc/passwd".to_owned(), format: "common".to_owned(), restart: false };
    let error = desk.console.call::<operation::import_run>(&call, request).await.expect_err("it is refused");
    assert_eq!(error.code, ErrorCode::Permission, "{error}");
    desk.console.close().await;
}

#[tokio::test]
async fn an_engine_that_left_its_lease_behind_is_told() {
    let home = folder();
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let status = async || desk.console.status(&caller(Role::Admin)).await.engine;
    let engine = status().await;
    assert_eq!((engine.state, engine.detail.as_str()), (EngineState::Stopped, ""), "nobody ran one");
    let workspace = desk.console.workspace().expect("it is open");
    let lease = async |at: chrono::DateTime<chrono::Utc>| {
        let taken = workspace.store().lease_acquire("engine", "gone", Duration::from_secs(8), at).await;
        assert!(taken.expect("the database answers"));
    };
    let now = SystemClock.now();
    lease(now - chrono::Duration::minutes(1)).await;
    let engine = status().await;
    assert_eq!(engine.state, EngineState::Stopped);
    assert!(engine.detail.contains("has not renewed its lease"), "{}", engine.detail);
    lease(now + chrono::Duration::minutes(1)).await;
    assert_eq!(status().await.state, EngineState::Standby);
    desk.console.close().await;
}

/// The private server of `home` once more, as one that is marked production: `shop`.
pub(crate) fn production(home: &TempDir) -> Connection {
    let socket = home.path().join("data/workspace/redis.sock");
    Connection {
        id: ConnectionId::at(SystemClock.now()),
        name: "shop".to_owned(),
        redis: RedisConnection {
            address: RedisAddress::Unix { path: socket.to_string_lossy().into_owned() },
            username: None,
            database: 0,
            prefix: "security:".to_owned(),
        },
        database: DatabaseConnection::Sqlite { path: None },
        production: true,
        observe: false,
    }
}

#[tokio::test]
async fn a_change_on_production_needs_the_name_of_the_connection() {
    let home = folder();
    let local = desk(&home, Tenure::Owner, local_connection()).await;
    let shop = desk(&home, Tenure::Guest, production(&home)).await;
    let run = |confirmation: Option<&str>| Call {
        caller: caller(Role::Admin),
        confirmation: confirmation.map(ToOwned::to_owned),
        reason: None,
    };
    for wrong in [None, Some("?"), Some("local"), Some("")] {
        let request = RetentionRequest::default();
        let error = shop.console.call::<operation::retention_run>(&run(wrong), request).await.unwrap_err();
        assert_eq!(
            (error.code, error.field.as_deref()),
            (ErrorCode::Precondition, Some("confirmation")),
            "{error}"
        );
        assert!(error.message.contains("; it touches 0 of "), "{error}");
        let is_asked = matches!(wrong, None | Some("?"));
        assert_eq!(error.message.contains("is not its name"), !is_asked, "{error}");
    }
    assert_eq!(
        shop.trail("retention_run", AuditOutcome::Denied).await,
        2,
        "a wrong name is a try, none is the question which one is needed"
    );
    let started =
        shop.console.call::<operation::retention_run>(&run(Some("shop")), RetentionRequest::default()).await;
    assert_eq!(shop.finish(started.unwrap()).await.state, JobState::Done);
    let verified = shop
        .console
        .call::<operation::audit_verify>(&run(None), AuditVerify { full: true, ticket: None })
        .await;
    assert!(verified.unwrap().ok, "a check changes nothing: it is not asked for");
    assert_eq!(shop.trail("audit_verify", AuditOutcome::Success).await, 1, "and leaves its record");
    let rehearsed =
        shop.console.call::<operation::database_rehearse_run>(&run(None), DatabaseRehearse::default()).await;
    // There is no copy yet.
    assert_eq!(shop.finish(rehearsed.unwrap()).await.state, JobState::Failed, "nothing is asked for either");
    shop.console.close().await;
    local.console.close().await;
}

#[test]
fn what_only_checks_or_tries_is_told_by_the_list_of_operations() {
    let of = |effect: Effect| OPERATIONS.iter().filter(move |spec| spec.effect == effect);
    let checks: Vec<_> = of(Effect::Check).map(|spec| spec.name).collect();
    assert_eq!(checks, ["audit_verify", "database_rehearse_run"]);
    let tried = OPERATIONS.iter().filter(|spec| spec.check_if.is_some());
    assert_eq!(tried.map(|spec| spec.name).collect::<Vec<_>>(), ["restore_run"]);
    let restore = <operation::restore_run as Operation>::SPEC;
    let request =
        |rehearse_only| RestoreRequest { path: "/b".to_owned(), rehearse_only, replace: false, key: None };
    assert_eq!(restore.effect_of(&request(true)), Effect::Check);
    assert_eq!(restore.effect_of(&request(false)), Effect::Change);
    assert_eq!(of(Effect::Change).filter(|spec| spec.effect_of(&request(true)) == Effect::Check).count(), 1);
}

#[tokio::test]
async fn another_console_on_the_same_database_hears_of_a_change_within_two_seconds() {
    let home = folder();
    let one = desk(&home, Tenure::Owner, local_connection()).await;
    let two = desk(&home, Tenure::Owner, local_connection()).await;
    let mut changes = two.console.changes();
    // The second engine stands by, so what is heard comes through the database.
    let request =
        BlockAdd { target: "203.0.113.9".into(), reason: "test".into(), ttl_s: 600, incident: None };
    one.ask::<operation::block_add>(request).await.unwrap();
    tokio::time::timeout(Duration::from_secs(2), async {
        while !changes.recv().await.expect("the console is open").contains(&Tag::Blocks) {}
    })
    .await
    .expect("the change is heard within two seconds");
    two.console.close().await;
    one.console.close().await;
}
