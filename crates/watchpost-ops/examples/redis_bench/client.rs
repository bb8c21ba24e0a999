//! What is measured, each in a process of its own, so that its memory is its own: a pass over the keys, a job through the
//! door, and the two halves of retention by themselves.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use watchpost_model::access::{Caller, Origin, Role};
use watchpost_model::clock::{Clock, SystemClock};
use watchpost_model::connection::{Connection, DatabaseConnection, RedisAddress, RedisConnection};
use watchpost_model::event::Event;
use watchpost_model::ids::{ConnectionId, EventId};
use watchpost_model::job::JobRun;
use watchpost_model::policy::default_retention;
use watchpost_ops::Paths;
use watchpost_ops::console::{ASK_EVERY, Console, ConsoleOptions, REDIS_WAIT, Tenure};
use watchpost_ops::contract::{
    BackupRequest, ExportFormat, ExportRequest, JobRef, Nothing, OptimizeRequest, RetentionRequest,
};
use watchpost_ops::door::{Call, operation};
use watchpost_redis::export::{EventChoice, EventWalk};
use watchpost_redis::retention::RetentionWalk;
use watchpost_redis::stats::stats;
use watchpost_redis::{EventStore, RedisTarget};
use watchpost_store::{DatabaseTarget, Store};

use crate::{Failure, fill};

/// Keys of a batch, as the job has them.
const BATCH: usize = 1_000;

/// `client WHAT SOCKET HOME [NUMBER]`: one line of JSON.
#[tokio::main]
pub(crate) async fn run(mut words: impl Iterator<Item = String>) -> Result<Value, Failure> {
    let mut word = || words.next().ok_or("say what, the socket and the folder");
    let (what, socket, home) = (word()?, PathBuf::from(word()?), PathBuf::from(word()?));
    let number: usize = words.next().map_or(Ok(0), |text| text.parse())?;
    let mut figures = match what.as_str() {
        "stats" => pass(&socket, number).await?,
        "archive" => archive(&socket, &home, false).await?,
        "database" => archive(&socket, &home, true).await?,
        "redis" => take_away(&socket).await?,
        job => self::job(job, &socket, &home).await?,
    };
    figures["rss_kib"] = peak_kib()?.into();
    Ok(figures)
}

fn peak_kib() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no peak memory")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

async fn store(socket: &Path) -> Result<EventStore, Failure> {
    let target = RedisTarget::unix(socket, "security:");
    Ok(EventStore::connect(&target, Arc::new(SystemClock)).await?)
}

async fn pass(socket: &Path, patterns: usize) -> Result<Value, Failure> {
    let store = store(socket).await?;
    let globs = fill::patterns(patterns);
    let begun = Instant::now();
    let found = stats(&store, &globs, &|_| {}, CancellationToken::new()).await?;
    let seconds = begun.elapsed().as_secs_f64();
    let keys: u64 = found.patterns.iter().map(|row| row.keys).sum();
    let asked: u64 = found.asked.iter().map(|row| row.keys).sum();
    Ok(
        json!({ "seconds": seconds, "keys": keys, "asked": asked, "pauses": found.pauses, "notes": found.notes }),
    )
}

fn database(home: &Path) -> PathBuf {
    home.join("bench.db")
}

/// Reads every event of Redis and archives it, as an engine has done before retention comes. With `alone` all is read
/// before, then archived as retention does it: what the database can do by itself.
async fn archive(socket: &Path, home: &Path, alone: bool) -> Result<Value, Failure> {
    let events = store(socket).await?;
    let target = DatabaseTarget::Sqlite { path: database(home) };
    let store = Store::open(&target, Arc::new(SystemClock)).await?;
    let mut walk = EventWalk::start(&events, EventChoice::default(), CancellationToken::new()).await?;
    let (mut all, mut n): (Vec<(Event, String)>, usize) = (Vec::new(), 0);
    while let Some(rows) = walk.next_batch().await? {
        all.extend(rows.into_iter().filter_map(|row| Some((row.event.ok()?, row.key))));
        if !alone && all.len() >= BATCH * 5 {
            store.archive_upsert(&all, None).await?;
            n += std::mem::take(&mut all).len();
        }
    }
    let begun = Instant::now();
    for batch in all.chunks(BATCH) {
        let ids: Vec<EventId> = batch.iter().map(|(event, _)| event.id).collect();
        if alone && store.known_events(&ids).await?.len() != ids.len() {
            return Err("not all events are archived".into());
        }
        store.archive_upsert(batch, None).await?;
    }
    let seconds = begun.elapsed().as_secs_f64();
    n += all.len();
    store.close().await;
    Ok(json!({ "seconds": seconds, "events": n }))
}

/// Reads and removes what is due without archiving it: what Redis can do by itself.
async fn take_away(socket: &Path) -> Result<Value, Failure> {
    let events = store(socket).await?;
    let begun = Instant::now();
    let (rules, now) = (default_retention(), SystemClock.now());
    let mut walk =
        RetentionWalk::start(&events, &rules, now, Some(1), None, CancellationToken::new()).await?;
    let mut n = 0;
    while let Some(batch) = walk.next_batch(BATCH).await? {
        n += events.remove_unchanged(&batch).await?.len();
    }
    Ok(json!({ "seconds": begun.elapsed().as_secs_f64(), "events": n }))
}

fn connection(socket: &Path, home: &Path) -> Connection {
    Connection {
        id: ConnectionId::at(SystemClock.now()),
        name: "bench".to_owned(),
        redis: RedisConnection {
            address: RedisAddress::Unix { path: socket.display().to_string() },
            username: None,
            database: 0,
            prefix: "security:".to_owned(),
        },
        database: DatabaseConnection::Sqlite { path: Some(database(home).display().to_string()) },
        production: false,
        observe: false,
    }
}

/// A job through the door, as a person starts it.
async fn job(kind: &str, socket: &Path, home: &Path) -> Result<Value, Failure> {
    let console = Console::start(ConsoleOptions {
        paths: Paths::below(home)?,
        clock: Arc::new(SystemClock),
        tenure: Tenure::Guest,
        offer_demo: false,
        remember: false,
        ask_every: ASK_EVERY,
        redis_wait: REDIS_WAIT,
    })?;
    console.open(connection(socket, home)).await?;
    let caller =
        Caller { name: "bench".to_owned(), role: Role::Admin, origin: Origin::Cli, host: String::new() };
    let call = Call { caller, confirmation: None, reason: None };
    let path = home.join(format!("{kind}.out")).display().to_string();
    let run = match kind {
        "retention" => {
            let all = RetentionRequest { days: Some(1), restart: true };
            console.call::<operation::retention_run>(&call, all).await?
        }
        "optimize" => console.call::<operation::optimize_run>(&call, OptimizeRequest::default()).await?,
        "cleanup" => console.call::<operation::cleanup_run>(&call, Nothing {}).await?,
        "backup" => {
            console
                .call::<operation::backup_run>(
                    &call,
                    BackupRequest { path, force: true, rdb: false, encryption: None },
                )
                .await?
        }
        "export" | "export-all" => {
            let request = ExportRequest {
                categories: Vec::new(),
                from: None,
                to: None,
                all: kind == "export-all",
                format: ExportFormat::Ndjson,
                path,
                force: true,
            };
            console.call::<operation::export_run>(&call, request).await?
        }
        other => return Err(format!("there is no job {other}").into()),
    };
    let run = ended(&console, &call, run).await?;
    console.close().await;
    let figures = run.report.iter().flat_map(|report| &report.figures);
    let figures: serde_json::Map<String, Value> =
        figures.map(|figure| (figure.name.clone(), figure.value.into())).collect();
    let took = run.ended_at.ok_or("it has not ended")? - run.started_at;
    let notes = run.report.map(|report| report.notes).unwrap_or_default();
    Ok(json!({
        "seconds": took.as_seconds_f64(),
        "state": run.state.as_str(),
        "error": run.error,
        "figures": figures,
        "notes": notes,
    }))
}

async fn ended(console: &Console, call: &Call, run: JobRun) -> Result<JobRun, Failure> {
    // A guest hears of no changes; a hundredth of a second is told from the run itself and not from here.
    let mut timer = tokio::time::interval(Duration::from_millis(10));
    loop {
        timer.tick().await;
        let run = console.call::<operation::job_get>(call, JobRef { id: run.id }).await?;
        if run.ended_at.is_some() {
            return Ok(run);
        }
    }
}
