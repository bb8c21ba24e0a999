//! Applications that only write hashes, and what is no event.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;

use watchpost_model::event::Category;
use watchpost_redis::AdoptCursor;
use watchpost_redis::Adopted;
use watchpost_redis::EventStore;

use crate::support::TestServer;
use crate::support::now;
use crate::support::old_event;
use crate::support::query;

async fn adopt_all(store: &EventStore) -> Adopted {
    let (mut cursor, mut sum) = (AdoptCursor::default(), Adopted::default());
    while !sum.wrapped {
        let step = store.adopt_bare(&mut cursor, 200).await.unwrap();
        sum.scanned += step.scanned;
        sum.adopted += step.adopted;
        sum.quarantined += step.quarantined;
        sum.wrapped = step.wrapped;
    }
    sum
}

#[tokio::test]
async fn two_adopters_take_each_hash_once() {
    let server = TestServer::start().await;
    let mut raw = server.raw().await;
    let base = now().timestamp_millis();
    for n in 0..3_000 {
        let key = format!("security:auth:{}", base + n);
        let _: u64 = query(&mut raw, &["HSET", &key, "type", "login_failure", "actor", "eve"]).await;
    }
    let (one, two) = (server.store().await, server.store().await);
    assert_eq!(one.backlog().await.unwrap().unadopted, None, "not known before the first pass");
    let (first, second) = tokio::join!(adopt_all(&one), adopt_all(&two));
    assert_eq!(first.adopted + second.adopted, 3_000);
    assert_eq!(one.backlog().await.unwrap().unadopted, Some(0));
    assert_eq!(adopt_all(&one).await.adopted, 0, "another pass finds nothing");

    one.ensure_group().await.unwrap();
    let items = one.read_new("a", 10_000, 0).await.unwrap();
    let keys: BTreeSet<&str> = items.iter().map(|item| item.key.as_str()).collect();
    assert_eq!((items.len(), keys.len()), (3_000, 3_000));
    let event = items[0].event.as_ref().unwrap();
    assert_eq!((event.category, event.actor.as_deref()), (Category::Authentication, Some("eve")));
    let indexed: u64 = query(&mut raw, &["ZCARD", "security:index:authentication"]).await;
    assert_eq!(indexed, 3_000, "adoption indexes");
}

/// How often the server has looked for a field of a hash.
async fn looked(raw: &mut redis::aio::MultiplexedConnection) -> u64 {
    let stats: String = query(raw, &["INFO", "commandstats"]).await;
    let line = stats.lines().find_map(|line| line.strip_prefix("cmdstat_hexists:calls="));
    line.and_then(|rest| rest.split(',').next()).map_or(0, |calls| calls.parse().unwrap())
}

#[tokio::test]
async fn what_was_found_on_the_stream_is_looked_at_again_now_and_then() {
    let server = TestServer::start().await;
    let mut raw = server.raw().await;
    let base = now().timestamp_millis();
    for n in 0..2_000 {
        let key = format!("security:auth:{}", base + n);
        let _: u64 = query(&mut raw, &["HSET", &key, "type", "login_failure", "actor", "eve"]).await;
    }
    let (store, mut cursor) = (server.store().await, AdoptCursor::default());
    let mut pass = async || {
        let mut adopted = 0;
        loop {
            let step = store.adopt_bare(&mut cursor, 500).await.unwrap();
            adopted += step.adopted;
            if step.wrapped {
                return adopted;
            }
        }
    };
    assert_eq!((pass().await, pass().await), (2_000, 0), "taken in, then found on the stream");
    let before = looked(&mut raw).await;
    assert_eq!(pass().await, 0);
    let again = looked(&mut raw).await - before;
    assert!(again < 200, "a small part of them: {again}");
    // A new one is seen by the next pass, and one under a name of before at last.
    let fresh = format!("security:auth:{}", base + 5_000);
    let _: u64 = query(&mut raw, &["HSET", &fresh, "type", "login_failure"]).await;
    assert_eq!(pass().await, 1);
    let old = format!("security:auth:{base}");
    let _: u64 = query(&mut raw, &["DEL", &old]).await;
    let _: u64 = query(&mut raw, &["HSET", &old, "type", "login_failure"]).await;
    let mut passes = 0;
    while pass().await == 0 {
        passes += 1;
        assert!(passes <= 64, "in vain");
    }
}

#[tokio::test]
async fn a_source_is_one_however_its_address_is_spelled() {
    let server = TestServer::start().await;
    let mut raw = server.raw().await;
    let base = now().timestamp_millis();
    let spellings =
        ["203.0.113.7", "::ffff:203.0.113.7", "::FFFF:CB00:7107", "[::ffff:203.0.113.7]:5123", "gateway"];
    for (n, written) in (0..).zip(spellings) {
        let key = format!("security:auth:{}", base + n);
        let _: u64 = query(&mut raw, &["HSET", &key, "type", "login_failure", "source_ip", written]).await;
    }
    let store = server.store().await;
    assert_eq!(adopt_all(&store).await.adopted, 5);
    store.ensure_group().await.unwrap();
    let items = store.read_new("a", 10, 0).await.unwrap();
    let mut sources: Vec<Option<String>> =
        items.iter().map(|item| item.event.as_ref().unwrap().source_ip.clone()).collect();
    sources.sort();
    sources.dedup();
    assert_eq!(sources, [Some("203.0.113.7".to_owned()), Some("gateway".to_owned())]);
}

#[tokio::test]
async fn what_the_store_writes_is_not_adopted() {
    let server = TestServer::start().await;
    let store = server.store().await;
    store.write_events(&[old_event(1, Category::Authentication, 0)]).await.unwrap();
    assert_eq!(adopt_all(&store).await, Adopted { scanned: 3, adopted: 0, quarantined: 0, wrapped: true });
}

#[tokio::test]
async fn an_application_that_queues_by_itself_is_not_adopted_after_it_was_read() {
    let server = TestServer::start().await;
    let store = server.store().await;
    store.ensure_group().await.unwrap();
    let mut raw = server.raw().await;
    let _: u64 = query(&mut raw, &["HSET", "security:config:17", "type", "changed"]).await;
    let _: String = query(&mut raw, &["XADD", "security:events", "*", "key", "security:config:17"]).await;
    assert!(store.read_new("a", 10, 0).await.unwrap()[0].event.is_ok());
    assert_eq!(adopt_all(&store).await.adopted, 0);
}

#[tokio::test]
async fn what_is_no_event_is_quarantined_and_stops_nothing() {
    let server = TestServer::start().await;
    let store = server.store().await;
    store.ensure_group().await.unwrap();
    let mut raw = server.raw().await;
    let _: redis::Value = query(&mut raw, &["SET", "security:auth:1", "a string"]).await;
    let _: u64 = query(&mut raw, &["HSET", "security:auth:not-a-time", "type", "x"]).await;
    let _: u64 = query(&mut raw, &["HSET", "security:data:2", "no_type", "x"]).await;
    let _: u64 = query(&mut raw, &["HSET", "security:data:3", "type", "x", "severity", "terrible"]).await;
    let bomb = zstd::bulk::compress(&vec![b' '; 32 << 20], 19).unwrap();
    let mut cmd = redis::cmd("HSET");
    cmd.arg("security:data:4")
        .arg("type")
        .arg("x")
        .arg("payload_encoding")
        .arg("zstd")
        .arg("payload")
        .arg(bomb);
    cmd.exec_async(&mut raw).await.unwrap();
    let mut wide = vec!["HSET".to_owned(), "security:data:5".to_owned()];
    wide.extend((0..200).map(|n| format!("field{n}")));
    let wide: Vec<&str> = wide.iter().map(String::as_str).collect();
    let _: u64 = query(&mut raw, &wide).await;
    let huge = "x".repeat(3 << 20);
    let _: u64 = query(&mut raw, &["HSET", "security:data:6", "type", "x", "actor", &huge]).await;
    let _: u64 = query(&mut raw, &["HSET", "security:data:7", "type", "export"]).await;
    let _: String = query(&mut raw, &["XADD", "security:events", "*", "nonsense", "1"]).await;
    let _: String = query(&mut raw, &["XADD", "security:events", "*", "key", "security:data:999"]).await;

    let adopted = adopt_all(&store).await;
    assert_eq!((adopted.adopted, adopted.quarantined), (6, 2));
    let items = store.read_new("a", 100, 0).await.unwrap();
    let good: Vec<&str> =
        items.iter().filter(|item| item.event.is_ok()).map(|item| item.key.as_str()).collect();
    assert_eq!((items.len(), good), (8, vec!["security:data:7"]));

    let quarantined = store.quarantined(100).await.unwrap();
    let reason = |key: &str| {
        let found = quarantined.iter().find(|entry| entry.key == key);
        found.unwrap_or_else(|| panic!("{key} is in {quarantined:?}")).reason.clone()
    };
    for (key, words) in [
        ("security:auth:1", "holds a string"),
        ("security:auth:not-a-time", "timestamp"),
        ("security:data:2", "field type is missing"),
        ("security:data:3", "field severity"),
        ("security:data:4", "decompresses to more than"),
        ("security:data:5", "fields; at most 64"),
        ("security:data:6", "bytes; at most"),
    ] {
        assert!(reason(key).contains(words), "{key}: {}", reason(key));
    }
    assert!(quarantined.iter().any(|entry| entry.reason.contains("no field key")), "{quarantined:?}");
    assert_eq!(quarantined.len(), 8);
    let counters = store.counters();
    assert_eq!(counters.keys_quarantined_total, 8);
    assert_eq!((counters.events_gone_total, counters.events_read_total), (1, 1));
    assert_eq!(adopt_all(&store).await.quarantined, 0, "known ones are not counted again");
    assert_eq!(store.quarantined(3).await.unwrap().len(), 3);
}

/// Every line of the log of this thread.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<String>>);

impl Lines {
    fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}

impl tracing::field::Visit for Lines {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        let told = format!("{}={value:?} ", field.name());
        self.0.lock().unwrap().push_str(&told);
    }
}

impl tracing::Subscriber for Lines {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

/// The reason goes into the log and into Redis: it says what is wrong and where, and not what stands there.
#[tokio::test]
async fn the_reason_of_the_quarantine_quotes_no_payload() {
    const SECRET: &str = "eyJhbGciOiJIUzI1NiJ9.c2VjcmV0";
    let server = TestServer::start().await;
    let store = server.store().await;
    let mut raw = server.raw().await;
    let lines = Lines::default();
    let _logged = tracing::subscriber::set_default(lines.clone());
    let of_another_type = format!(r#"{{"http": "{SECRET}"}}"#);
    let number_wanted =
        format!(r#"{{"http": {{"method": "GET", "path": "/", "status": "{SECRET}"}}, "details": null}}"#);
    let cut = format!(r#"{{"details": {{"token": "{SECRET}"#);
    let list = format!(r#"["{SECRET}"]"#);
    let wrong = [
        ("payload", SECRET, "that is no JSON, at line 1 column 1"),
        ("payload", of_another_type.as_str(), "of another type than expected"),
        ("payload", number_wanted.as_str(), "of another type than expected"),
        ("payload", cut.as_str(), "it ends too early"),
        ("payload", list.as_str(), "the payload is not a JSON object of http and details"),
        ("tags", SECRET, "field tags is not a JSON array of text: that is no JSON"),
        ("tags", of_another_type.as_str(), "field tags is not a JSON array of text"),
    ];
    for (n, (field, value, _)) in wrong.iter().enumerate() {
        let key = format!("security:auth:{}", 1_767_225_600_000_u64 + n as u64);
        let _: u64 = query(&mut raw, &["HSET", &key, "type", "login", field, value]).await;
    }
    store.ensure_group().await.unwrap();
    adopt_all(&store).await;
    store.read_new("a", 100, 0).await.unwrap();
    let quarantined = store.quarantined(100).await.unwrap();
    for (n, (field, _, told)) in wrong.iter().enumerate() {
        let key = format!("security:auth:{}", 1_767_225_600_000_u64 + n as u64);
        let found = quarantined.iter().find(|entry| entry.key == key);
        let reason = &found.unwrap_or_else(|| panic!("{key} is in {quarantined:?}")).reason;
        assert!(reason.contains(told), "{field} {n}: {reason}");
        assert!(!reason.contains("eyJ") && !reason.contains("c2VjcmV0"), "{field} {n}: {reason}");
    }
    let logged = lines.text();
    assert_eq!(logged.matches("quarantined a key").count(), wrong.len(), "{logged}");
    assert!(!logged.contains("eyJ") && !logged.contains("c2VjcmV0"), "{logged}");
}

#[tokio::test]
async fn notifications_are_hints_where_the_server_sends_them() {
    let silent = TestServer::start().await;
    assert!(silent.store().await.key_hints().await.unwrap().is_none(), "off by default, and left so");

    let server = TestServer::with(&["--notify-keyspace-events", "Kh"]).await;
    let store = server.store().await;
    let mut hints = store.key_hints().await.unwrap().expect("the server sends notifications");
    let mut raw = server.raw().await;
    let _: u64 = query(&mut raw, &["HSET", "other:1", "type", "x"]).await;
    let _: u64 = query(&mut raw, &["HSET", "security:auth:17", "type", "login_failure"]).await;
    let key = hints.next().await.unwrap();
    assert_eq!(key, "security:auth:17");
    let adopted = store.adopt_keys(&[key.clone(), key]).await.unwrap();
    assert_eq!((adopted.adopted, adopted.quarantined), (1, 0));
}

#[tokio::test]
async fn a_full_server_does_not_stop_the_reader() {
    let server = TestServer::start().await;
    let store = server.store().await;
    store.ensure_group().await.unwrap();
    let mut raw = server.raw().await;
    store.write_events(&[old_event(1, Category::Authentication, 0)]).await.unwrap();
    for key in ["security:auth:17", "security:auth:18"] {
        let _: u64 =
            query(&mut raw, &["HSET", key, if key.ends_with('7') { "type" } else { "nonsense" }, "x"]).await;
        let _: String = query(&mut raw, &["XADD", "security:events", "*", "key", key]).await;
    }
    let _: redis::Value = query(&mut raw, &["CONFIG", "SET", "maxmemory", "1"]).await;
    let refused = store.write_events(&[old_event(1, Category::Authentication, 1)]).await.unwrap_err();
    assert!(matches!(refused, watchpost_redis::RedisError::OutOfMemory), "{refused}");
    let items = store.read_unacknowledged("a", 10).await.unwrap();
    assert!(items.is_empty());
    let items = store.read_new("a", 10, 0).await.unwrap();
    let good: Vec<bool> = items.iter().map(|item| item.event.is_ok()).collect();
    assert_eq!(good, [true, true, false], "{items:?}");
    let ids: Vec<String> = items.into_iter().map(|item| item.stream_id).collect();
    store.ack(&ids).await.unwrap();
    assert_eq!(store.backlog().await.unwrap().total(), 0);
}
