//! The optimisation is killed again and again while applications write into the events that it compresses, converts and
//! gives an expiry: every value is the one that was written last, packed once, and every expiry is right.
//!
//! `WATCHPOST_KILLS` says how often (a long run: 100), `WATCHPOST_SEED` where the kills fall.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use watchpost_tests::{Home, Redis};

use crate::retention_kill::{Application, killed_after, number, random};

const KILLS: usize = 8;
/// Events, and how many more for each kill beyond the tenth.
const EVENTS: usize = 3_000;
const EVENTS_PER_KILL: usize = 300;
const WRITERS: usize = 8;
/// One key in so many is written all the time.
const CHANGED: usize = 20;
/// One in so many has a payload that no script is given.
const LARGE: usize = 300;
/// Milliseconds of the first event, and between two.
const BEGIN_MS: usize = 1_762_150_000_000;
const STEP_MS: usize = 1_000;
/// A run is killed after at most so many scripts of the server.
const SCRIPTS: usize = 150;
const DAY_MS: i64 = 86_400_000;

/// Actor and text of each event.
type Written = BTreeMap<usize, (String, String)>;

fn key(n: usize) -> String {
    format!("security:auth:{}", BEGIN_MS + n * STEP_MS)
}

/// What an application writes into an event: to be compressed (some of it large), to be converted, or neither.
fn text(n: usize, round: usize) -> String {
    let length = match n % 3 {
        _ if n.is_multiple_of(LARGE) => 100_000,
        0 => 2_000 + n % 1_000,
        1 => 60 + n % 100,
        _ => 20,
    };
    let mut text = format!("{n} {round} ");
    while text.len() < length {
        text.push_str("the quick brown fox jumps over the lazy dog ");
    }
    text.truncate(length);
    text
}

fn payload(text: &str) -> String {
    format!(r#"{{"details":{{"text":"{text}"}}}}"#)
}

/// When an event that has an expiry expires: every second one.
fn expires_ms(n: usize, now_ms: i64) -> Option<i64> {
    n.is_multiple_of(2).then(|| now_ms + 50 * DAY_MS + i64::try_from(n).expect("a small number"))
}

/// Writes events as an application does that does not compress; what each was given.
fn filled(redis: &mut Application, events: usize, now_ms: i64) -> Result<Written> {
    let mut last = BTreeMap::new();
    for n in 0..events {
        let (key, item, actor, text) = (key(n), format!("item-{n}"), format!("before-{n}"), text(n, 0));
        let value = payload(&text);
        let mut words = vec!["HSET", &key, "type", "login_failure", "resource", &item];
        words.extend(["actor", &actor, "payload", &value]);
        ensure!(redis.int(&words)? == 4, "{key} is new");
        if let Some(at) = expires_ms(n, now_ms) {
            ensure!(redis.int(&["PEXPIREAT", &key, &at.to_string()])? == 1, "{key} expires");
        }
        last.insert(n, (actor, text));
    }
    Ok(last)
}

/// Writes its keys in turn until it is told to stop: actor and payload in one step, as it is and not encoded. What it wrote
/// last into each.
fn writer(mut redis: Application, keys: Vec<usize>, stop: Arc<AtomicBool>) -> JoinHandle<Result<Written>> {
    const WRITE: &str = "redis.call('HSET', KEYS[1], 'actor', ARGV[1], 'payload', ARGV[2]) \
        redis.call('HDEL', KEYS[1], 'payload_encoding') return 1";
    std::thread::spawn(move || {
        let mut last = BTreeMap::new();
        for round in 1.. {
            for &n in &keys {
                if stop.load(Ordering::Relaxed) {
                    return Ok(last);
                }
                let (actor, text) = (format!("changed-{n}-{round}"), text(n, round));
                redis.int(&["EVAL", WRITE, "1", &key(n), &actor, &payload(&text)])?;
                last.insert(n, (actor, text));
                std::thread::park_timeout(Duration::from_millis(1)); // An application has other things to do, too.
            }
        }
        Ok(last)
    })
}

#[tokio::test]
async fn killed_anywhere_optimisation_spoils_no_value_and_no_expiry() -> Result<()> {
    let (kills, seed) = (number("WATCHPOST_KILLS", KILLS)?, number("WATCHPOST_SEED", 7)?);
    let redis = Redis::start().await?;
    let mut home = Home::new("the optimisation is killed")?;
    let url = format!("unix://{}", redis.socket().display());
    home.cli(["connect", "add", "shop", "--redis", &url]).await?.ok()?;
    home.set_env("WATCHPOST_CONNECTION", "shop");
    let mut looking = Application::connect(&redis.socket())?;
    let now_ms = looking.int(&["EVAL", "local now = redis.call('TIME') return now[1] * 1000", "0"])?;
    let events = EVENTS.max(kills * EVENTS_PER_KILL);
    let mut last = filled(&mut looking, events, now_ms)?;
    // What was written before stays wide until somebody writes it again.
    redis.ask(&["CONFIG", "SET", "hash-max-listpack-value", "256"])?;

    let stop = Arc::new(AtomicBool::new(false));
    let writers = (0..WRITERS).map(|writer_number| {
        let keys = (0..events).step_by(CHANGED).filter(|n| n / CHANGED % WRITERS == writer_number).collect();
        Ok(writer(Application::connect(&redis.socket())?, keys, stop.clone()))
    });
    let writers = writers.collect::<Result<Vec<_>>>()?;
    let mut state = u64::try_from(seed)?;
    let mut killed = 0;
    for _ in 0..kills {
        let scripts = 1 + random(&mut state, SCRIPTS);
        killed += usize::from(killed_after(&home, &mut looking, &["optimize"], scripts).await?);
    }
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        last.extend(writer.join().ok().context("a writer stopped")??);
    }
    ensure!(killed * 2 > kills, "most runs were killed at work: {killed} of {kills}");

    // The first goes on where a killed one was; the second finds what was written before that place.
    for _ in 0..2 {
        home.cli(["optimize"]).await?.ok()?;
    }
    values_are(&home, &last).await?;
    keys_are(&mut looking, events, now_ms)?;
    home.cli(["audit", "verify"]).await?.ok()?;
    Ok(())
}

/// Each event reads as it was written last; one that was packed twice, or halfway, would not.
async fn values_are(home: &Home, last: &Written) -> Result<()> {
    let file = home.work().join("events.ndjson");
    home.cli(["export", "--format", "ndjson", "--file", &file.to_string_lossy()]).await?.ok()?;
    let mut read = BTreeMap::new();
    for line in std::fs::read_to_string(&file)?.lines() {
        let event: Value = serde_json::from_str(line)?;
        let field = |name: &str| event.pointer(name).and_then(Value::as_str).context("a field of an event");
        let n: usize = field("/resource")?.trim_start_matches("item-").parse()?;
        let twice = read.insert(n, (field("/actor")?.to_owned(), field("/details/text")?.to_owned()));
        ensure!(twice.is_none(), "event {n} is there once");
    }
    assert_eq!(read.len(), last.len(), "none is lost");
    for (n, expect) in last {
        ensure!(read.get(n) == Some(expect), "event {n} is as it was written last: {:?}", read.get(n));
    }
    Ok(())
}

/// What there was to do is done, once, and no expiry has moved.
fn keys_are(redis: &mut Application, events: usize, now_ms: i64) -> Result<()> {
    for n in 0..events {
        let key = key(n);
        let packed = redis.text(&["HGET", &key, "payload_encoding"])?;
        let is_long = text(n, 0).len() > 1_024;
        ensure!(packed.as_deref() == is_long.then_some("zstd"), "{key}: {packed:?}");
        if n % 3 == 1 && !is_long {
            let encoding = redis.text(&["OBJECT", "ENCODING", &key])?;
            ensure!(encoding.as_deref() == Some("listpack"), "{key}: {encoding:?}");
        }
        let at = redis.int(&["PEXPIRETIME", &key])?;
        match expires_ms(n, now_ms) {
            Some(expect) => ensure!(at == expect, "{key} expires at {at} and not at {expect}"),
            // Thirty days for a login, and up to a tenth more, from when it was given.
            None => {
                let days = (at - now_ms) / DAY_MS;
                ensure!((30..=33).contains(&days), "{key} expires in {days} days");
            }
        }
    }
    Ok(())
}
