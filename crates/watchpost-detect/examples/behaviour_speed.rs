//! Prints how many events a second the behaviours take on one core: ordinary traffic of many users, and a million
//! different addresses. With the argument `memory`: what 100,000 groups take, in a process that does nothing else.

use std::time::Instant;

use chrono::{DateTime, Duration};
use watchpost_detect::{Config, Engine};
use watchpost_model::event::{Category, Event, Http, Outcome};
use watchpost_model::ids::EventId;

/// An event every 5 ms: eight in nine are requests, one is a login of which one in four fails.
fn event(n: u32, n_sources: u32) -> Event {
    let at = DateTime::UNIX_EPOCH + Duration::days(20_000) + Duration::milliseconds(i64::from(n) * 5);
    let mut seed = [1_u8; 16];
    seed[8..12].copy_from_slice(&n.to_be_bytes());
    let mut event =
        Event::new(EventId::derived(at.timestamp_millis(), seed), at, Category::ApiUsage, "request");
    // A fixed shuffle, so that neighbours are not neighbours in the tables.
    let mixed = n.wrapping_mul(2_654_435_761);
    let source = mixed % n_sources;
    event.source_ip = Some(format!("10.{}.{}.{}", source >> 16 & 255, source >> 8 & 255, source & 255));
    event.actor = Some(format!("user{}", source % 5_000));
    event.session = Some(format!("s{source}"));
    let mut status = if mixed.is_multiple_of(29) { 404 } else { 200 };
    if n.is_multiple_of(9) {
        let is_failure = mixed.is_multiple_of(4);
        event.category = Category::Authentication;
        event.kind = if is_failure { "login_failure" } else { "login_success" }.to_owned();
        event.outcome = if is_failure { Outcome::Failure } else { Outcome::Success };
        status = if is_failure { 401 } else { 200 };
    }
    let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
    event.http = Some(Http {
        method: "GET".to_owned(),
        path: format!("/api/products/{}", mixed % 3_000),
        headers: [("user-agent".to_owned(), agent.to_owned())].into(),
        status: Some(status),
        bytes: Some(2_000),
        ..Http::default()
    });
    event
}

/// Resident memory in MiB, where the system tells it.
fn resident_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1_024.0)
}

#[expect(clippy::print_stdout, reason = "the numbers are the point")]
fn run(name: &str, n_events: u32, n_sources: u32) {
    const CHUNK: u32 = 50_000;
    let mut engine = Engine::new(Config::default());
    let (mut n_findings, mut seconds, mut done) = (0_usize, 0.0, 0);
    while done < n_events {
        let events: Vec<Event> = (done..(done + CHUNK).min(n_events)).map(|n| event(n, n_sources)).collect();
        let before = computed();
        let started = Instant::now();
        for event in &events {
            n_findings += engine.observe_behaviours(event, None, event.at).len();
        }
        let spent = computed().zip(before).map(|(after, before)| after - before);
        seconds += spent.unwrap_or_else(|| started.elapsed().as_secs_f64());
        done += CHUNK;
    }
    let counters = engine.counters();
    let started = Instant::now();
    let saved = engine.save();
    let save_ms = started.elapsed().as_secs_f64() * 1_000.0;
    println!(
        "  {name}: {:.0} events/s, {} groups, {} evicted, {n_findings} findings, saved state {:.1} MiB in {save_ms:.0} ms",
        f64::from(n_events) / seconds,
        counters.groups,
        counters.groups_evicted_total,
        saved.len() as f64 / 1_048_576.0,
    );
}

/// Seconds that this thread has computed, where the system tells it.
fn computed() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(text.split(' ').next()?.parse::<f64>().ok()? / 1e9)
}

/// Groups as they come to be in traffic, until there are 100,000: some have one event, most a few dozen.
#[expect(clippy::print_stdout, reason = "the numbers are the point")]
fn memory(n_sources: u32) {
    let mut engine = Engine::new(Config::default());
    // What the rules take is not what the groups take.
    engine.observe_behaviours(&event(0, 1), None, event(0, 1).at);
    let before = resident_mib();
    let mut n = 0;
    while engine.counters().groups < 100_000 && n < 5_000_000 {
        for _ in 0..1_000 {
            n += 1;
            let event = event(n, n_sources);
            engine.observe_behaviours(&event, None, event.at);
        }
    }
    let groups = engine.counters().groups;
    let grown = resident_mib().zip(before).map(|(now, before)| now - before);
    println!(
        "  {groups} groups after {n} events of {n_sources} sources: {} MiB, {} evicted",
        grown.map_or("?".to_owned(), |grown| format!("{grown:.1}")),
        engine.counters().groups_evicted_total,
    );
}

fn main() {
    if std::env::args().nth(1).as_deref() == Some("memory") {
        memory(12_000);
        return;
    }
    run("ordinary traffic, 5,000 sources", 500_000, 5_000);
    run("20,000 sources", 500_000, 20_000);
    run("1,000,000 different sources", 2_000_000, 1_000_000);
}
