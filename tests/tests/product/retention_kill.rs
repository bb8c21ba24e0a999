//! Retention is killed again and again while applications change what it takes away: nothing is lost, nothing doubled.
//!
//! `WATCHPOST_KILLS` says how often (a long run: 100), `WATCHPOST_SEED` where the kills fall.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use watchpost_tests::{Home, Redis};

const KILLS: usize = 8;
/// Events, and how many more for each kill beyond the tenth: every third takes up to a batch away.
const EVENTS: usize = 4_000;
const EVENTS_PER_KILL: usize = 400;
const WRITERS: usize = 8;
/// One key in so many is changed all the time.
const CHANGED: usize = 20;
/// Milliseconds of the first event, and between two.
const BEGIN_MS: i64 = 1_762_150_000_000;
const STEP_MS: i64 = 1_000;
/// Calls of the server that read a batch, and as many that remove it. While a batch is archived the next one is read and
/// the one before is removed.
const CALLS: usize = 32;
/// For one run to come to the point at which it is killed.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks at how far it has come.
const LOOK: Duration = Duration::from_millis(1);

/// An application's connection.
pub(crate) struct Application(BufReader<UnixStream>);

impl Application {
    pub(crate) fn connect(socket: &Path) -> Result<Self> {
        Ok(Self(BufReader::new(UnixStream::connect(socket)?)))
    }

    pub(crate) fn send(&mut self, words: &[&str]) -> Result<()> {
        let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            write!(bytes, "${}\r\n{word}\r\n", word.len())?;
        }
        Ok(self.0.get_mut().write_all(&bytes)?)
    }

    pub(crate) fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        ensure!(self.0.read_line(&mut line)? > 0, "the server closed the connection");
        Ok(line.trim_end().to_owned())
    }

    /// Asks for a number.
    pub(crate) fn int(&mut self, words: &[&str]) -> Result<i64> {
        self.send(words)?;
        let line = self.line()?;
        line.strip_prefix(':').and_then(|number| number.parse().ok()).with_context(|| line.clone())
    }

    /// Asks for a text of one line; `None` where there is none.
    pub(crate) fn text(&mut self, words: &[&str]) -> Result<Option<String>> {
        self.send(words)?;
        match self.line()?.as_str() {
            "$-1" => Ok(None),
            line if line.starts_with('$') => self.line().map(Some),
            other => anyhow::bail!("the server said {other}"),
        }
    }

    /// Changes the actor of an event that is still there; tells whether it was.
    fn change(&mut self, key: &str, actor: &str) -> Result<bool> {
        const CHANGE: &str = "if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end \
            redis.call('HSET', KEYS[1], 'actor', ARGV[1]) return 1";
        self.send(&["EVAL", CHANGE, "1", key, actor])?;
        match self.line()?.as_str() {
            ":1" => Ok(true),
            ":0" => Ok(false),
            other => anyhow::bail!("the server said {other}"),
        }
    }

    /// How many scripts of Watchpost the server has run.
    fn scripts_run(&mut self) -> Result<usize> {
        self.send(&["INFO", "commandstats"])?;
        let mut left: usize = self.line()?.trim_start_matches('$').parse()?;
        let mut calls = 0;
        while left > 0 {
            let mut line = String::new();
            left = left.saturating_sub(self.0.read_line(&mut line)?);
            if let Some(rest) = line.strip_prefix("cmdstat_evalsha:calls=") {
                calls = rest.split(',').next().unwrap_or_default().parse()?;
            }
        }
        self.line()?;
        Ok(calls)
    }
}

fn key(n: usize) -> String {
    format!("security:auth:{}", at_ms(n))
}

fn at_ms(n: usize) -> i64 {
    BEGIN_MS + i64::try_from(n).expect("a small number") * STEP_MS
}

/// Changes its keys in turn until it is told to stop; what it wrote last into each.
fn writer(
    mut redis: Application,
    keys: Vec<usize>,
    stop: Arc<AtomicBool>,
) -> JoinHandle<Result<BTreeMap<usize, String>>> {
    std::thread::spawn(move || {
        let mut last = BTreeMap::new();
        for round in 0.. {
            for &n in &keys {
                if stop.load(Ordering::Relaxed) {
                    return Ok(last);
                }
                let actor = format!("changed-{n}-{round}");
                if redis.change(&key(n), &actor)? {
                    last.insert(n, actor);
                }
                std::thread::park_timeout(Duration::from_millis(1)); // An application has other things to do, too.
            }
        }
        Ok(last)
    })
}

/// Events of a person each, taken in by the engine; then each gets another actor, so that what the engine has stored is
/// not their last value.
async fn filled(home: &mut Home, redis: &Redis, events: usize) -> Result<BTreeMap<usize, String>> {
    let url = format!("unix://{}", redis.socket().display());
    home.cli(["connect", "add", "shop", "--redis", &url]).await?.ok()?;
    home.set_env("WATCHPOST_CONNECTION", "shop");
    let event = |n: usize| {
        let seconds = at_ms(n) / 1_000;
        let at = format!(
            "2025-11-{:02}T{:02}:{:02}:{:02}Z",
            3 + (seconds - 1_762_128_000) / 86_400,
            seconds / 3_600 % 24,
            seconds / 60 % 60,
            seconds % 60
        );
        format!(
            r#"{{"at": "{at}", "category": "authentication", "type": "login_success", "outcome": "success", "actor": "before-{n}", "source_ip": "198.51.100.{}"}}"#,
            n % 250
        )
    };
    let file = home.work().join("logins.jsonl");
    std::fs::write(&file, (0..events).map(event).collect::<Vec<_>>().join("\n"))?;
    home.cli(["import", "--format", "jsonl", &file.to_string_lossy()]).await?.ok()?;
    home.cli(["serve", "--until-idle"]).await?.ok()?;
    let mut application = Application::connect(&redis.socket())?;
    let mut last = BTreeMap::new();
    for n in 0..events {
        let actor = format!("later-{n}");
        ensure!(application.change(&key(n), &actor)?, "{} is there", key(n));
        last.insert(n, actor);
    }
    Ok(last)
}

/// The next of a row of numbers that look random, below `below`.
pub(crate) fn random(state: &mut u64, below: usize) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*state >> 33).expect("31 bits") % below.max(1)
}

pub(crate) fn number(name: &str, otherwise: usize) -> Result<usize> {
    match std::env::var(name) {
        Ok(text) => text.parse().with_context(|| format!("{name} is a number")),
        Err(_) => Ok(otherwise),
    }
}

/// Starts a job and kills it once the server has run so many of its scripts; false when it had ended before.
pub(crate) async fn killed_after(
    home: &Home,
    redis: &mut Application,
    job: &[&str],
    scripts: usize,
) -> Result<bool> {
    let until = redis.scripts_run()? + scripts;
    let begun = Instant::now();
    let mut job = home.start_cli(job)?;
    loop {
        if redis.scripts_run()? >= until {
            break;
        }
        ensure!(begun.elapsed() < PATIENCE, "the job does not come to script {scripts}");
        // Its end is waited for; how far it has come, nothing tells, so that is looked at in between.
        if let Ok(ended) = tokio::time::timeout(LOOK, job.wait()).await {
            ended?;
            return Ok(false);
        }
    }
    job.start_kill()?;
    job.wait().await?;
    Ok(true)
}

#[tokio::test]
async fn killed_anywhere_retention_loses_nothing_and_doubles_nothing() -> Result<()> {
    let (kills, seed) = (number("WATCHPOST_KILLS", KILLS)?, number("WATCHPOST_SEED", 7)?);
    let redis = Redis::start().await?;
    let mut home = Home::new("retention is killed")?;
    let events = EVENTS.max(kills * EVENTS_PER_KILL);
    let mut last = filled(&mut home, &redis, events).await?;

    let stop = Arc::new(AtomicBool::new(false));
    let writers = (0..WRITERS).map(|writer_number| {
        let keys = (0..events).step_by(CHANGED).filter(|n| n / CHANGED % WRITERS == writer_number).collect();
        Ok(writer(Application::connect(&redis.socket())?, keys, stop.clone()))
    });
    let writers = writers.collect::<Result<Vec<_>>>()?;
    let mut looking = Application::connect(&redis.socket())?;
    let mut state = u64::try_from(seed)?;
    let mut killed = 0;
    for kill in 0..kills {
        // In turn: while the first batch is read, while it is archived, and while it is removed.
        let scripts = 1 + kill % 3 * CALLS + random(&mut state, CALLS);
        killed +=
            usize::from(killed_after(&home, &mut looking, &["retention", "--days", "0"], scripts).await?);
    }
    let left: usize = redis.ask(&["DBSIZE"])?.parse()?;
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        last.extend(writer.join().ok().context("a writer stopped")??);
    }
    ensure!(killed * 2 > kills, "most runs were killed at work: {killed} of {kills}, {left} keys were left");
    ensure!(left < events, "some were killed while they removed: {left} of {events} keys are left");

    // The first goes on where a killed one was; the second finds what was changed before that place.
    for _ in 0..2 {
        home.cli(["retention", "--days", "0"]).await?.ok()?;
    }
    as_the_oracle(&home, &redis, last).await
}

/// Nothing is left in Redis, and each event is in the archive once, as it was when it was removed.
async fn as_the_oracle(home: &Home, redis: &Redis, last: BTreeMap<usize, String>) -> Result<()> {
    let there = redis.ask(&["--scan", "--pattern", "security:auth:*"])?;
    assert_eq!(there, "", "nobody changes anything any more: all are gone");
    let file = home.work().join("archive.jsonl");
    home.cli(["events", "--export", &file.to_string_lossy(), "-n", "1"]).await?.ok()?;
    let mut archived: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in std::fs::read_to_string(&file)?.lines() {
        let event: Value = serde_json::from_str(line)?;
        let text = |name: &str| event[name].as_str().map(str::to_owned).context("a field of the archive");
        archived.entry(text("at")?).or_default().push(text("actor")?);
    }
    assert_eq!(archived.len(), last.len(), "none is lost");
    let mut actors: Vec<String> = archived.into_values().flatten().collect();
    let mut expect: Vec<String> = last.into_values().collect();
    actors.sort();
    expect.sort();
    assert_eq!(actors.len(), expect.len(), "none is doubled");
    let wrong = actors.iter().zip(&expect).find(|(archived, last)| archived != last);
    assert_eq!(wrong, None, "each was archived as it was when it was removed");
    home.cli(["audit", "verify"]).await?.ok()?;
    Ok(())
}

/// A file that may not grow is, for the database, a full disk.
#[tokio::test]
async fn a_full_disk_stops_retention_before_anything_is_removed() -> Result<()> {
    let redis = Redis::start().await?;
    let mut home = Home::new("the disk is full")?;
    let last = filled(&mut home, &redis, EVENTS).await?;
    let keys = redis.ask(&["DBSIZE"])?;
    // A mebibyte: enough for the record that the job began, not for what it is to archive.
    let limited = "trap '' XFSZ; ulimit -f 2048; exec \"$0\" retention --days 0";
    let program = home.binaries().cli.to_string_lossy().into_owned();
    let stopped = home.run("sh", ["-c", limited, &program]).await?;
    assert_eq!(stopped.status.code(), Some(1), "{stopped:?}");
    let said = format!("{}{}", stopped.stdout, stopped.stderr);
    assert!(said.contains("disk"), "the reason is told: {said}");
    assert_eq!(redis.ask(&["DBSIZE"])?, keys, "what is not archived is not removed");
    home.cli(["retention", "--days", "0"]).await?.ok()?;
    as_the_oracle(&home, &redis, last).await
}
