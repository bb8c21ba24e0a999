//! Prints how many events a second the engine takes: ordinary requests and logins over many sources, one attack in ten.

use std::time::Instant;

use chrono::{DateTime, Duration};
use watchpost_detect::{Config, Engine};
use watchpost_model::event::{Category, Event, Http, Outcome};
use watchpost_model::ids::EventId;

const N_EVENTS: u32 = 200_000;

fn event(n: u32) -> Event {
    let at = DateTime::UNIX_EPOCH + Duration::milliseconds(i64::from(n) * 20);
    let mut seed = [1_u8; 16];
    seed[8..12].copy_from_slice(&n.to_be_bytes());
    let id = EventId::derived(at.timestamp_millis(), seed);
    let mut event = Event::new(id, at, Category::ApiUsage, "request");
    event.source_ip = Some(format!("10.{}.{}.{}", n % 7, n % 251, n % 241));
    if n.is_multiple_of(8) {
        event.category = Category::Authentication;
        event.kind = "login_failure".to_owned();
        event.outcome = Outcome::Failure;
        event.actor = Some(format!("user{}", n % 5_000));
    }
    let query = if n.is_multiple_of(10) {
        "id=1%27%20or%20%271%27=%271"
    } else {
        "page=3&q=blue+running+shoes&sort=price"
    };
    let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
    event.http = Some(Http {
        method: "GET".to_owned(),
        path: format!("/api/products/{n}"),
        query: Some(query.to_owned()),
        headers: [("user-agent".to_owned(), agent.to_owned())].into(),
        status: Some(200),
        ..Http::default()
    });
    event
}

#[expect(clippy::print_stdout, reason = "the numbers are the point")]
fn main() {
    let events: Vec<Event> = (0..N_EVENTS).map(event).collect();
    let mut engine = Engine::new(Config::default());
    let started = Instant::now();
    let n_findings: usize = events.iter().map(|event| engine.observe(event, event.at).len()).sum();
    let seconds = started.elapsed().as_secs_f64();
    println!("{:.0} events/s, {n_findings} findings, {:?}", f64::from(N_EVENTS) / seconds, engine.counters());
}
