//! How many events a second go into a SQLite file, in batches of 500: `cargo run --release --example ingest_speed`.

use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use watchpost_model::clock::{Clock, SystemClock};
use watchpost_model::event::{Category, Event, Http};
use watchpost_model::ids::EventId;
use watchpost_store::{DatabaseTarget, IngestBatch, Store};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let store =
        Store::open(&DatabaseTarget::Sqlite { path: folder.path().join("speed.db") }, Arc::new(SystemClock))
            .await?;
    let now = SystemClock.now();
    let mut total = 0_u32;
    let mut spent = std::time::Duration::ZERO;
    for batch in 0..100_u32 {
        let events: Vec<(Event, String)> = (0..500).map(|n| event(batch * 500 + n, now)).collect();
        let begun = Instant::now();
        store.ingest(IngestBatch { events: &events, findings: &[], now }).await?;
        spent += begun.elapsed();
        total += 500;
    }
    let rate = f64::from(total) / spent.as_secs_f64();
    writeln!(std::io::stdout(), "{total} events in {:.2} s: {rate:.0} events/s", spent.as_secs_f64())?;
    store.close().await;
    Ok(())
}

fn event(n: u32, now: chrono::DateTime<chrono::Utc>) -> (Event, String) {
    let at = now + chrono::Duration::milliseconds(i64::from(n) * 40);
    let mut event = Event::new(EventId::at(at), at, Category::ApiUsage, "request");
    event.source_ip = Some(format!("203.0.113.{}", n % 250));
    event.actor = Some(format!("user{}", n % 900));
    event.http = Some(Http {
        method: "GET".into(),
        path: format!("/api/items/{}", n % 3000),
        query: Some("page=2&sort=name".into()),
        headers: [("user-agent".to_owned(), "Mozilla/5.0 (X11; Linux x86_64)".to_owned())].into(),
        status: Some(200),
        bytes: Some(5120),
        duration_ms: Some(12),
        ..Http::default()
    });
    (event, format!("security:api:%2Fapi%2Fitems:{}-{n}", at.timestamp_millis()))
}
