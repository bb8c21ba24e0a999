//! What a job does when its server is cut off, restarted, away, full, a replica or still loading: it waits or stops and
//! says why, goes on where it was, and ends as if nothing had happened.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use watchpost_model::clock::{Clock, SystemClock};
use watchpost_model::connection::{Connection, DatabaseConnection, RedisAddress, RedisConnection};
use watchpost_model::event::{Category, Event};
use watchpost_model::ids::{ConnectionId, EventId};
use watchpost_model::job::{JobRun, JobState};
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{EventPageRequest, JobRef, Nothing, OptimizeRequest, RetentionRequest};
use watchpost_ops::door::operation;
use watchpost_ops::error::ErrorCode;
use watchpost_redis::{EventStore, RedisTarget};

use crate::door::{Desk, desk, folder};
use crate::jobs::figure;

const EVENTS: usize = 3_000;

/// A server of somebody else: it may be killed and started again with what it had.
struct Shop {
    home: TempDir,
    child: Option<Child>,
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Shop {
    fn open() -> Self {
        let mut shop = Self { home: folder(), child: None };
        shop.start(&[]);
        shop
    }

    fn socket(&self) -> PathBuf {
        self.home.path().join("shop.sock")
    }

    fn start(&mut self, options: &[&str]) {
        let mut command = Command::new("redis-server");
        command.current_dir(self.home.path()).args([
            "--port",
            "0",
            "--unixsocket",
            "shop.sock",
            "--dir",
            "./",
        ]);
        command
            .args(["--save", "3600 1", "--appendonly", "no", "--enable-debug-command", "yes"])
            .args(options);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(command.spawn().expect("redis-server is installed"));
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// `-STOP`: it answers nothing, and its connections stay; `-CONT`: it goes on.
    fn signal(&self, name: &str) {
        let process = self.child.as_ref().expect("it runs").id().to_string();
        let told = Command::new("kill").args([name, &process]).status();
        assert!(told.expect("kill is installed").success(), "it runs");
    }

    /// What `redis-cli` answers.
    fn ask(&self, words: &[&str]) -> String {
        let output = Command::new("redis-cli").arg("-s").arg(self.socket()).args(words).output();
        let output = output.expect("redis-cli comes with redis-server");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn events_left(&self) -> usize {
        self.ask(&["--scan", "--pattern", "security:auth:*"]).lines().count()
    }

    /// The same by the index, which follows: fast, for looking again and again.
    fn indexed(&self) -> usize {
        self.ask(&["ZCARD", "security:index:authentication"]).parse().unwrap_or(EVENTS)
    }

    /// How many scripts of Watchpost it has run.
    fn scripts_run(&self) -> usize {
        let says = self.ask(&["INFO", "commandstats"]);
        let calls =
            says.lines().find_map(|line| line.strip_prefix("cmdstat_evalsha:calls=")?.split(',').next());
        calls.map_or(0, |calls| calls.parse().expect("a number"))
    }

    async fn answers(&self) {
        wait("the server answers", || self.ask(&["PING"]) == "PONG").await;
    }

    /// A console on it, and events of last month that its engine has processed; applications have changed each since.
    async fn with_events(&self) -> (Desk, Vec<Event>) {
        self.answers().await;
        let connection = Connection {
            id: ConnectionId::at(SystemClock.now()),
            name: "shop".to_owned(),
            redis: RedisConnection {
                address: RedisAddress::Unix { path: self.socket().to_string_lossy().into_owned() },
                username: None,
                database: 0,
                prefix: "security:".to_owned(),
            },
            database: DatabaseConnection::Sqlite { path: None },
            production: false,
            observe: false,
        };
        let mut events = old_events(EVENTS);
        let target = RedisTarget::unix(self.socket(), "security:");
        let store = EventStore::connect(&target, Arc::new(SystemClock)).await.expect("it accepts");
        store.write_events(&events).await.expect("they are written");
        let desk = desk(&self.home, Tenure::Owner, connection).await;
        desk.console.until_idle().await.expect("the engine works");
        const CHANGE: &str = "for _, key in ipairs(redis.call('KEYS', 'security:auth:*')) do \
            redis.call('HSET', key, 'actor', 'later') end";
        self.ask(&["EVAL", CHANGE, "0"]);
        events.iter_mut().for_each(|event| event.actor = Some("later".to_owned()));
        assert_eq!(self.events_left(), EVENTS);
        (desk, events)
    }
}

/// Events of last month.
pub(crate) fn old_events(n: usize) -> Vec<Event> {
    let begin = SystemClock.now() - chrono::Duration::days(30);
    let event = |n: i32| {
        let at = begin + chrono::Duration::seconds(i64::from(n));
        let at = chrono::DateTime::from_timestamp_millis(at.timestamp_millis()).expect("it is in range");
        let mut event = Event::new(EventId::at(at), at, Category::Authentication, "login_success");
        event.actor = Some(format!("user-{}", n % 200));
        event.details = serde_json::json!({ "n": n });
        event
    };
    (0..).map(event).take(n).collect()
}

/// Waits for something that nobody announces.
pub(crate) async fn wait(what: &str, mut holds: impl FnMut() -> bool) {
    let mut timer = tokio::time::interval(Duration::from_millis(5));
    let waited = tokio::time::timeout(Duration::from_secs(60), async {
        while !holds() {
            timer.tick().await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("waited in vain: {what}"));
}

/// Starts the job, as a person who waits until the console has reached the server again.
pub(crate) async fn begin(desk: &Desk) -> JobRun {
    let mut timer = tokio::time::interval(Duration::from_millis(50));
    let started = tokio::time::timeout(Duration::from_secs(30), async {
        loop {
            timer.tick().await;
            match desk.ask::<operation::retention_run>(RetentionRequest::default()).await {
                Ok(run) => return run,
                Err(error) => assert_eq!(error.code, ErrorCode::Unavailable, "{error}"),
            }
        }
    });
    started.await.expect("the server is reached again")
}

pub(crate) async fn at_work(desk: &Desk, run: &JobRun) -> JobRun {
    desk.ask::<operation::job_get>(JobRef { id: run.id }).await.expect("it is known")
}

/// Waits until the server has run so many more scripts, most of them the job's; false when the job ends before.
async fn works_on(desk: &Desk, run: &JobRun, shop: &Shop, scripts: usize) -> bool {
    let until = shop.scripts_run() + scripts;
    let mut timer = tokio::time::interval(Duration::from_millis(1));
    let works = async {
        loop {
            if at_work(desk, run).await.ended_at.is_some() {
                return false;
            }
            if shop.scripts_run() >= until {
                return true;
            }
            timer.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), works).await.expect("the job works again after a cut")
}

/// Every event is archived, once and as it was last.
async fn as_the_oracle(desk: &Desk, shop: &Shop, events: &[Event]) {
    assert_eq!(shop.events_left(), 0, "all were due");
    archived_as(desk, events).await;
}

/// The archive has these events, each once and as it is here.
pub(crate) async fn archived_as(desk: &Desk, events: &[Event]) {
    let (mut archived, mut after) = (Vec::new(), None);
    loop {
        let request = EventPageRequest { after, limit: 500, ..EventPageRequest::default() };
        let page = desk.ask::<operation::event_page>(request).await.expect("events can be listed");
        archived.extend(page.rows.into_iter().filter(|event| event.category == Category::Authentication));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    archived.sort_by_key(|event| event.at);
    assert_eq!(archived.len(), events.len(), "none is lost, none doubled");
    let wrong = archived.iter().zip(events).find(|(archived, event)| archived != event);
    assert_eq!(wrong, None, "each as it was last");
}

pub(crate) fn notes(run: &JobRun) -> String {
    run.report.as_ref().map(|report| report.notes.join("; ")).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_cut_again_and_again_costs_nothing() {
    let shop = Shop::open();
    let (desk, events) = shop.with_events().await;
    let run = begin(&desk).await;
    let mut cuts = 0;
    // Cut at no special moment: now in the middle of a round trip's scripts, now after a few of them.
    while cuts < 20 && works_on(&desk, &run, &shop, 1 + cuts * 5 % 16).await {
        shop.ask(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
        cuts += 1;
    }
    let run = desk.finish(run).await;
    assert_eq!(run.state, JobState::Done, "{:?}", run.error);
    let report = run.report.as_ref().unwrap();
    let gone: u64 =
        if notes(&run).contains("gone already") { EVENTS as u64 - figure(report, "removed") } else { 0 };
    assert_eq!(figure(report, "removed") + gone, EVENTS as u64, "{:?} after {cuts} cuts", run.report);
    as_the_oracle(&desk, &shop, &events).await;
    desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_comes_back_loading_is_waited_for_and_walked_anew() {
    let mut shop = Shop::open();
    let (desk, events) = shop.with_events().await;
    let run = begin(&desk).await;
    wait("a part is removed", || shop.indexed() < EVENTS).await;
    // What was removed after this copy comes back with the server.
    shop.ask(&["SAVE"]);
    shop.kill();
    shop.start(&["--key-load-delay", "300", "--loading-process-events-interval-bytes", "1024"]);
    wait("it says that it loads, if that takes long enough", || {
        let says = shop.ask(&["PING"]);
        says.contains("LOADING") || says == "PONG"
    })
    .await;
    let run = desk.finish(run).await;
    assert_eq!(run.state, JobState::Done, "{:?}", run.error);
    let ended_before = !notes(&run).contains("restarted or replaced");
    // It may have been at its end when the server went; then what came back is the next run's.
    if ended_before {
        shop.answers().await;
        let again = begin(&desk).await;
        assert_eq!(desk.finish(again).await.state, JobState::Done);
    }
    as_the_oracle(&desk, &shop, &events).await;
    desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_begins_while_the_server_loads_waits_for_it() {
    let mut shop = Shop::open();
    let (desk, events) = shop.with_events().await;
    shop.ask(&["SAVE"]);
    shop.kill();
    shop.start(&["--key-load-delay", "300", "--loading-process-events-interval-bytes", "1024"]);
    wait("it is there", || {
        let says = shop.ask(&["PING"]);
        says.contains("LOADING") || says == "PONG"
    })
    .await;
    let run = begin(&desk).await;
    let run = desk.finish(run).await;
    assert_eq!(run.state, JobState::Done, "{:?}", run.error);
    as_the_oracle(&desk, &shop, &events).await;
    desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_waits_says_for_what_and_can_be_stopped_and_goes_on() {
    let mut shop = Shop::open();
    let (desk, events) = shop.with_events().await;
    let run = begin(&desk).await;
    wait("a part is removed", || shop.indexed() < EVENTS).await;
    shop.ask(&["SAVE"]);
    shop.kill();
    let waiting = async {
        while !at_work(&desk, &run).await.progress.step.starts_with("waiting: ") {
            let now = at_work(&desk, &run).await;
            assert!(now.ended_at.is_none(), "it ended too early to be cut off: {now:?}");
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("it says that it waits");
    desk.ask::<operation::job_cancel>(JobRef { id: run.id }).await.expect("it runs");
    let stopped = desk.finish(run).await;
    assert_eq!(stopped.state, JobState::Cancelled);

    shop.start(&[]);
    shop.answers().await;
    let again = begin(&desk).await;
    let again = desk.finish(again).await;
    assert_eq!(again.state, JobState::Done, "{:?}", again.error);
    if shop.events_left() > 0 {
        let last = begin(&desk).await;
        assert_eq!(desk.finish(last).await.state, JobState::Done);
    }
    as_the_oracle(&desk, &shop, &events).await;
    desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_whose_server_hangs_is_stopped_at_once_and_nothing_is_lost() {
    let shop = Shop::open();
    let (desk, events) = shop.with_events().await;
    // Between many other keys, so that it takes a while.
    const OTHERS: &str = "for n = 1, 400000 do redis.call('SET', 'security:other:' .. n, '') end";
    shop.ask(&["EVAL", OTHERS, "0"]);
    let run = begin(&desk).await;
    wait("a part is removed", || shop.indexed() < EVENTS).await;
    shop.signal("-STOP");
    let asked = tokio::time::Instant::now();
    desk.ask::<operation::job_cancel>(JobRef { id: run.id }).await.expect("it is known");
    let stopped = desk.finish(run).await;
    // A command that is not answered fails after five seconds at the earliest.
    assert!(asked.elapsed() < Duration::from_secs(4), "{:?}", asked.elapsed());
    assert_eq!(stopped.state, JobState::Cancelled, "{stopped:?}");

    shop.signal("-CONT");
    shop.answers().await;
    let again = begin(&desk).await;
    let again = desk.finish(again).await;
    assert_eq!(again.state, JobState::Done, "{:?}", again.error);
    if shop.events_left() > 0 {
        let last = begin(&desk).await;
        assert_eq!(desk.finish(last).await.state, JobState::Done);
    }
    as_the_oracle(&desk, &shop, &events).await;
    desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_run_is_followed_by_one_that_goes_on_where_it_was() {
    let shop = Shop::open();
    let (desk, events) = shop.with_events().await;
    // Between many other keys, so that it takes a while.
    const OTHERS: &str = "for n = 1, 400000 do redis.call('SET', 'security:other:' .. n, '') end";
    shop.ask(&["EVAL", OTHERS, "0"]);
    let run = begin(&desk).await;
    wait("a part is removed", || shop.indexed() < EVENTS).await;
    desk.ask::<operation::job_cancel>(JobRef { id: run.id }).await.expect("it runs");
    let stopped = desk.finish(run).await;
    assert_eq!(stopped.state, JobState::Cancelled, "{stopped:?}");
    let removed = figure(stopped.report.as_ref().unwrap(), "removed");
    assert!(removed > 0 && removed < EVENTS as u64, "{stopped:?}");

    let next = begin(&desk).await;
    let next = desk.finish(next).await;
    assert_eq!(next.state, JobState::Done, "{:?}", next.error);
    let said = notes(&next);
    assert!(said.contains("went on where an interrupted run was"), "{said}");
    assert!(said.contains(&format!("job {}, which was interrupted after", stopped.id)), "{said}");
    assert_eq!(
        removed + figure(next.report.as_ref().unwrap(), "removed"),
        EVENTS as u64,
        "{stopped:?} {next:?}"
    );
    as_the_oracle(&desk, &shop, &events).await;

    let third = begin(&desk).await;
    let said = notes(&desk.finish(third).await);
    assert!(
        !said.contains("interrupted"),
        "a run that came to its end is followed by one from the beginning: {said}"
    );
    desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_optimisation_is_followed_by_one_that_goes_on_where_it_was() {
    let shop = Shop::open();
    let (desk, _) = shop.with_events().await;
    // Among many other keys, and without an expiry.
    const PREPARE: &str = "for n = 1, 400000 do redis.call('SET', 'security:other:' .. n, '') end \
        for _, key in ipairs(redis.call('KEYS', 'security:auth:*')) do redis.call('PERSIST', key) end";
    shop.ask(&["EVAL", PREPARE, "0"]);
    let expiring = || {
        let keys = shop.ask(&["INFO", "keyspace"]);
        let number = keys.split("expires=").nth(1).and_then(|rest| rest.split(',').next()?.parse().ok());
        number.unwrap_or(0_usize)
    };
    let before = expiring();
    let run = desk.ask::<operation::optimize_run>(OptimizeRequest::default()).await.unwrap();
    wait("a part has an expiry", || expiring() > before).await;
    desk.ask::<operation::job_cancel>(JobRef { id: run.id }).await.expect("it runs");
    let stopped = desk.finish(run).await;
    assert_eq!(stopped.state, JobState::Cancelled, "{stopped:?}");
    let given = figure(stopped.report.as_ref().unwrap(), "ttls_given");
    assert!(given > 0 && given < EVENTS as u64, "{stopped:?}");

    let next = desk.ask::<operation::optimize_run>(OptimizeRequest::default()).await.unwrap();
    let next = desk.finish(next).await;
    assert_eq!(next.state, JobState::Done, "{:?}", next.error);
    let said = notes(&next);
    assert!(said.contains("went on where an interrupted run was"), "{said}");
    assert!(said.contains(&format!("job {}, which was interrupted after", stopped.id)), "{said}");
    assert_eq!(
        given + figure(next.report.as_ref().unwrap(), "ttls_given"),
        EVENTS as u64,
        "each event once: {stopped:?} {next:?}"
    );
    let third = desk.ask::<operation::optimize_run>(OptimizeRequest::default()).await.unwrap();
    let third = desk.finish(third).await;
    assert!(!notes(&third).contains("interrupted"), "{third:?}");
    assert_eq!(figure(third.report.as_ref().unwrap(), "ttls_given"), 0, "nothing was left out: {third:?}");
    desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_server_is_relieved_and_what_needs_room_says_so() {
    let shop = Shop::open();
    let (desk, events) = shop.with_events().await;
    // Plain and long, as applications write it: to compress it needs room.
    let payload = format!("{{\"details\":{{\"text\":\"{}\"}}}}", "the quick brown fox ".repeat(100));
    let young = format!("security:data:{}", SystemClock.now().timestamp_millis());
    shop.ask(&["HSET", &young, "type", "read", "payload", &payload]);
    shop.ask(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    shop.ask(&["CONFIG", "SET", "maxmemory", "1mb"]);
    assert!(shop.ask(&["SET", "more", "1"]).contains("OOM"), "it is full");
    let run = desk.ask::<operation::optimize_run>(OptimizeRequest::default()).await.unwrap();
    let run = desk.finish(run).await;
    assert_eq!(run.state, JobState::Failed);
    assert!(run.error.as_ref().unwrap().contains("out of memory"), "{:?}", run.error);
    assert_eq!(shop.events_left(), EVENTS, "nothing was lost by it");
    let run = begin(&desk).await;
    let run = desk.finish(run).await;
    assert_eq!(run.state, JobState::Done, "to remove needs no room: {:?}", run.error);
    as_the_oracle(&desk, &shop, &events).await;
    desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_is_left_alone_with_the_reason() {
    let shop = Shop::open();
    let (desk, events) = shop.with_events().await;
    // Of a primary that nobody answers for: it keeps what it has.
    shop.ask(&["REPLICAOF", "127.0.0.1", "1"]);
    let run = begin(&desk).await;
    let run = desk.finish(run).await;
    assert_eq!(run.state, JobState::Failed);
    assert!(run.error.as_ref().unwrap().contains("read-only replica"), "{:?}", run.error);
    assert_eq!(shop.events_left(), EVENTS);
    shop.ask(&["REPLICAOF", "NO", "ONE"]);
    let run = begin(&desk).await;
    let run = desk.finish(run).await;
    assert_eq!(run.state, JobState::Done, "{:?}", run.error);
    as_the_oracle(&desk, &shop, &events).await;
    // Also where nothing is due that it could refuse.
    shop.ask(&["REPLICAOF", "127.0.0.1", "1"]);
    let run = desk.ask::<operation::cleanup_run>(Nothing {}).await.unwrap();
    for run in [desk.finish(run).await, desk.finish(begin(&desk).await).await] {
        assert_eq!(run.state, JobState::Failed, "{:?}", run.kind);
        assert!(run.error.as_ref().unwrap().contains("read-only replica"), "{:?}", run.error);
    }
    desk.console.close().await;
}

/// Starts a job that writes a file, as somebody who tries again until the console has reached the server.
async fn begin_file(desk: &Desk, name: &str, request: &serde_json::Value) -> JobRun {
    let mut timer = tokio::time::interval(Duration::from_millis(50));
    let started = tokio::time::timeout(Duration::from_secs(30), async {
        loop {
            timer.tick().await;
            match desk.console.call_json(&desk.call, name, request.clone()).await {
                Ok(run) => return serde_json::from_value(run).expect("a run"),
                Err(error) => assert_eq!(error.code, ErrorCode::Unavailable, "{error}"),
            }
        }
    });
    started.await.expect("the server is reached again")
}

/// Exports and backups do not wait: what is in Redis afterwards is not of one pass with what was written before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_goes_or_loads_in_the_middle_leaves_no_half_file() {
    let mut shop = Shop::open();
    let (desk, _) = shop.with_events().await;
    const OTHERS: &str = "for n = 1, 200000 do redis.call('SET', 'security:other:' .. n, '') end";
    shop.ask(&["EVAL", OTHERS, "0"]);
    let folder = shop.home.path().join("files");
    std::fs::create_dir(&folder).expect("the folder is ours");
    let files = || std::fs::read_dir(&folder).expect("it is there").count();
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let jobs = [
        ("export_run", serde_json::json!({ "path": path("events.ndjson"), "format": "ndjson" })),
        ("export_run", serde_json::json!({ "path": path("keys.ndjson"), "format": "ndjson", "all": true })),
        ("backup_run", serde_json::json!({ "path": path("redis.wpbackup") })),
    ];
    for (number, (name, request)) in jobs.iter().enumerate() {
        assert_eq!(shop.ask(&["SAVE"]), "OK");
        let run = begin_file(&desk, name, request).await;
        let mut timer = tokio::time::interval(Duration::from_millis(1));
        while at_work(&desk, &run).await.progress.done == 0 {
            timer.tick().await;
        }
        shop.kill();
        let run = desk.finish(run).await;
        assert_eq!(run.state, JobState::Failed, "{name}: {run:?}");
        assert!(run.error.as_ref().is_some_and(|reason| !reason.is_empty()), "{name}: {run:?}");
        assert_eq!(files(), number, "{name}: neither the file nor a part of it");

        shop.start(&["--key-load-delay", "20", "--loading-process-events-interval-bytes", "1024"]);
        let run = begin_file(&desk, name, request).await;
        let mut run = desk.finish(run).await;
        if run.state == JobState::Failed {
            assert_eq!(files(), number, "{name}: nor while the server loads: {run:?}");
            shop.answers().await;
            run = desk.finish(begin_file(&desk, name, request).await).await;
        }
        assert_eq!(run.state, JobState::Done, "{name}: {:?}", run.error);
        let rows = run.report.as_ref().map_or(0, |report| figure(report, "rows") + figure(report, "keys"));
        assert!(rows >= EVENTS as u64, "{name}: all of it: {:?}", run.report);
        assert_eq!(files(), number + 1, "{name}: the file and nothing else");
    }
    desk.console.close().await;
}
