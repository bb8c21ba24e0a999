//! Optimise and stats: preview equals run, TTLs are kept, events stay readable.

use std::collections::BTreeMap;

use tokio_util::sync::CancellationToken;
use watchpost_model::event::Category;
use watchpost_model::event::Event;
use watchpost_model::job::JobReport;
use watchpost_redis::EventStore;
use watchpost_redis::optimize::Mode;
use watchpost_redis::optimize::optimize;
use watchpost_redis::stats::stats;

use crate::support::TestServer;
use crate::support::large_event;
use crate::support::now;
use crate::support::old_event;
use crate::support::query;

async fn run(store: &EventStore, mode: Mode) -> JobReport {
    optimize(store, now(), mode, &|_| {}, CancellationToken::new()).await.unwrap()
}

fn figures(report: &JobReport) -> BTreeMap<&str, f64> {
    report.figures.iter().map(|figure| (figure.name.as_str(), figure.value)).collect()
}

#[tokio::test]
async fn saves_bytes_keeps_ttls_and_does_what_it_previewed() {
    let server = TestServer::start().await;
    let store = server.store().await;
    let mut raw = server.raw().await;
    let mut expect = BTreeMap::new();
    for n in 0..60 {
        // Written by an application that does not compress.
        let event = large_event(n, 4_000);
        let key = format!("security:data:{}", event.at.timestamp_millis());
        let payload = serde_json::json!({ "http": event.http, "details": event.details }).to_string();
        let id = event.id.to_string();
        let _: u64 = query(
            &mut raw,
            &["HSET", &key, "id", &id, "type", &event.kind, "severity", "medium", "payload", &payload],
        )
        .await;
        if n % 3 != 0 {
            let _: u64 = query(&mut raw, &["PEXPIREAT", &key, "4102444800123"]).await;
        }
        expect.insert(key, event);
    }
    let small: Vec<Event> = (0..40).map(|n| old_event(1, Category::Authentication, n)).collect();
    store.write_events(&small).await.unwrap();
    let gone = format!("security:auth:{}", small[0].at.timestamp_millis());
    let _: u64 = query(&mut raw, &["DEL", &gone]).await;

    let preview = run(&store, Mode::Preview).await;
    let preview = figures(&preview);
    assert_eq!((preview["compressed"], preview["ttls_given"], preview["index_trimmed"]), (60.0, 20.0, 1.0));
    assert_eq!(preview["events"], 99.0);
    assert!(preview["payload_saved_bytes"] > 60.0 * 3_000.0, "{preview:?}");

    let report = run(&store, Mode::Run).await;
    let done = figures(&report);
    for (name, value) in &preview {
        assert_eq!(done[name], *value, "{name}: preview equals run");
    }
    assert!(report.notes.iter().any(|note| note.contains("MEMORY PURGE")), "{:?}", report.notes);
    for (n, (key, event)) in expect.iter().enumerate() {
        let expires: i64 = query(&mut raw, &["PEXPIRETIME", key]).await;
        let ttl: i64 = query(&mut raw, &["PTTL", key]).await;
        if n % 3 != 0 {
            assert_eq!(expires, 4_102_444_800_123, "{key}: the TTL is kept");
        } else {
            let days = ttl as f64 / 86_400_000.0;
            assert!((89.9..=99.1).contains(&days), "{key}: {days} days");
        }
        let encoding: String = query(&mut raw, &["HGET", key, "payload_encoding"]).await;
        assert_eq!((encoding.as_str(), event.category), ("zstd", Category::DataAccess));
    }

    store.ensure_group().await.unwrap();
    let mut cursor = watchpost_redis::AdoptCursor::default();
    while !store.adopt_bare(&mut cursor, 1_000).await.unwrap().wrapped {}
    let items = store.read_new("a", 1_000, 0).await.unwrap();
    let read = items.iter().filter_map(|item| Some((item.key.as_str(), item.event.as_ref().ok()?)));
    let read: BTreeMap<&str, &Event> = read.collect();
    for (key, event) in &expect {
        assert_eq!(read[key.as_str()].details, event.details, "{key} reads as before");
    }
    let again = run(&store, Mode::Run).await;
    let again = figures(&again);
    assert_eq!((again["compressed"], again["ttls_given"], again["index_trimmed"]), (0.0, 0.0, 0.0));
}

#[tokio::test]
async fn a_cancelled_run_reports_what_it_did() {
    let server = TestServer::start().await;
    let store = server.store().await;
    let cancel = CancellationToken::new();
    cancel.cancel();
    let report = optimize(&store, now(), Mode::Run, &|_| {}, cancel).await.unwrap();
    assert!(report.notes.iter().any(|note| note.contains("stopped before the end")), "{:?}", report.notes);
}

#[tokio::test]
async fn stats_count_by_pattern() {
    let server = TestServer::start().await;
    let store = server.store().await;
    let events: Vec<Event> = (0..700).map(|n| old_event(1, Category::ApiUsage, n)).collect();
    store.write_events(&events).await.unwrap();
    let mut raw = server.raw().await;
    let _: redis::Value = query(&mut raw, &["SET", "cache:1", &"x".repeat(100_000)]).await;
    let _: redis::Value = query(&mut raw, &["SET", "security:auth:nonsense", "1"]).await;
    let _: redis::Value = query(&mut raw, &["SET", "security:blocked:192.0.2.1", "1"]).await;
    let found = stats(&store, &|_| {}, CancellationToken::new()).await.unwrap();
    let keys: BTreeMap<&str, (u64, u64)> =
        found.patterns.iter().map(|row| (row.pattern.as_str(), (row.keys, row.without_ttl))).collect();
    assert_eq!(
        keys,
        BTreeMap::from([
            ("(other keys)", (1, 1)),
            ("security:(malformed)", (1, 1)),
            ("security:api:{endpoint}:{ms}", (700, 0)),
            ("security:blocked:*", (1, 1)),
            ("security:events", (1, 1)),
            ("security:index:*", (1, 1)),
        ])
    );
    let api = found.patterns.iter().find(|row| row.keys == 700).unwrap();
    assert_eq!((api.oldest, api.newest), (Some(events[0].at), Some(events[699].at)));
    assert!(
        found.largest.iter().any(|(key, bytes)| key == "cache:1" && *bytes > 100_000),
        "{:?}",
        found.largest
    );
    assert!(found.largest.windows(2).all(|pair| pair[0].1 >= pair[1].1));
}
