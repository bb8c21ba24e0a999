//! Optimise and stats: preview equals run, TTLs are kept, events stay readable.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use tokio_util::sync::CancellationToken;
use watchpost_model::event::Category;
use watchpost_model::event::Event;
use watchpost_model::job::JobReport;
use watchpost_redis::EventStore;
use watchpost_redis::RedisError;
use watchpost_redis::optimize::Mode;
use watchpost_redis::optimize::optimize;
use watchpost_redis::optimize::revert;
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

/// Nobody has archived what cannot be read: with an expiry it would be gone before somebody has looked at it.
#[tokio::test]
async fn what_cannot_be_read_is_given_no_ttl() {
    let server = TestServer::start().await;
    let store = server.store().await;
    let mut raw = server.raw().await;
    let begin = now().timestamp_millis() - 1_000_000;
    let [good, quarantined, bare, empty] = [0, 1, 2, 3].map(|n| format!("security:auth:{}", begin + n));
    let _: u64 = query(&mut raw, &["HSET", &good, "type", "login"]).await;
    // By its type it looks like an event; that it is none shows when it is read.
    let _: u64 = query(&mut raw, &["HSET", &quarantined, "type", "login", "id", "no UUID"]).await;
    store.ensure_group().await.unwrap();
    let mut cursor = watchpost_redis::AdoptCursor::default();
    while !store.adopt_bare(&mut cursor, 1_000).await.unwrap().wrapped {}
    assert_eq!(store.read_new("a", 10, 0).await.unwrap().len(), 2);
    let known: Vec<String> = store.quarantined(10).await.unwrap().into_iter().map(|one| one.key).collect();
    assert_eq!(known, std::slice::from_ref(&quarantined));
    // The engine has not come by these.
    let _: u64 = query(&mut raw, &["HSET", &bare, "severity", "high"]).await;
    let _: u64 = query(&mut raw, &["HSET", &empty, "type", "", "severity", "high"]).await;

    for mode in [Mode::Preview, Mode::Run] {
        let report = run(&store, mode).await;
        assert_eq!(figures(&report)["ttls_given"], 1.0, "{mode:?}: {report:?}");
        let told = "3 keys without a TTL cannot be read as events and get none";
        assert!(report.notes.iter().any(|note| note.starts_with(told)), "{mode:?}: {report:?}");
        let ttl: i64 = query(&mut raw, &["PTTL", &good]).await;
        assert_eq!(ttl > 0, mode == Mode::Run, "{mode:?}: {ttl}");
        for key in [&quarantined, &bare, &empty] {
            let ttl: i64 = query(&mut raw, &["PTTL", key]).await;
            assert_eq!(ttl, -1, "{mode:?}: {key}");
        }
    }
}

/// Whether the engine has come by it or not: what it would not read as an event stays as it is and for ever.
#[tokio::test]
async fn what_the_engine_would_not_read_is_left_before_it_came_by() {
    let server = TestServer::start().await;
    let store = server.store().await;
    let mut raw = server.raw().await;
    let wrong: [&[&str]; 9] = [
        &["at", "notadate"],
        &["severity", "nonsense"],
        &["tags", "no list"],
        &["category", "data_access"],
        &["payload", "[1,2]"],
        &["payload", "no JSON"],
        &["risk", "900"],
        &["id", "not-a-uuid"],
        &["payload", "rubbish", "payload_encoding", "zstd"],
    ];
    let key_of = |n: usize| format!("security:auth:{}", 1_767_225_600_000 + n);
    for (n, fields) in wrong.iter().enumerate() {
        let key = key_of(n);
        let mut words = vec!["HSET", key.as_str(), "type", "x"];
        words.extend(*fields);
        let _: u64 = query(&mut raw, &words).await;
    }
    // Worth compressing, and no event.
    let long = "no JSON ".repeat(600);
    let words: [&str; 6] = ["HSET", "security:auth:1767225700000", "type", "x", "payload", &long];
    let _: u64 = query(&mut raw, &words).await;
    // Larger than a script reads: an event, and none.
    let text = "a word ".repeat(20_000);
    let large = format!(r#"{{"details":"{text}"}}"#);
    for (key, payload) in [("security:auth:1767225800000", &large), ("security:auth:1767225800001", &text)] {
        let _: u64 = query(&mut raw, &["HSET", key, "type", "x", "payload", payload]).await;
    }
    // The endpoint in a key is only looked at, so this is an event.
    let escape = "security:api:%zz:1767225600007";
    let _: u64 = query(&mut raw, &["HSET", escape, "type", "request"]).await;

    for mode in [Mode::Preview, Mode::Run] {
        let report = run(&store, mode).await;
        let found = figures(&report);
        assert_eq!((found["ttls_given"], found["compressed"]), (2.0, 1.0), "{mode:?}: {report:?}");
        assert_eq!(found["touched"], 2.0, "{mode:?}: {report:?}");
        for told in ["11 keys without a TTL cannot be read as events and get none", "2 payloads of keys"] {
            assert!(report.notes.iter().any(|note| note.starts_with(told)), "{mode:?}: {report:?}");
        }
    }
    for (n, one) in wrong.iter().enumerate() {
        let ttl: i64 = query(&mut raw, &["PTTL", &key_of(n)]).await;
        assert_eq!(ttl, -1, "{one:?}");
    }
    for (key, payload) in [("security:auth:1767225700000", &long), ("security:auth:1767225800001", &text)] {
        let ttl: i64 = query(&mut raw, &["PTTL", key]).await;
        let kept: String = query(&mut raw, &["HGET", key, "payload"]).await;
        assert!(ttl == -1 && kept == *payload, "{key}: {ttl}");
    }
    for key in ["security:auth:1767225800000", escape] {
        let ttl: i64 = query(&mut raw, &["PTTL", key]).await;
        assert!(ttl > 0, "{key}: {ttl}");
    }
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

/// Written with a field that is too long for the compact encoding; then an administrator raises the limit.
#[tokio::test]
async fn wide_events_become_compact_where_the_server_lets_them() {
    let server = TestServer::start().await;
    let store = server.store().await;
    let mut raw = server.raw().await;
    let begin = now().timestamp_millis() - 1_000_000;
    let keys: Vec<String> = (0..300).map(|n| format!("security:auth:{}", begin + n)).collect();
    for (n, key) in keys.iter().enumerate() {
        let payload = format!("{{\"details\":{{\"text\":\"{}\"}}}}", "x".repeat(50 + n % 130));
        let mut words =
            vec!["HSET", key, "type", "login", "actor", "eve", "severity", "medium", "outcome", "failure"];
        words.extend(["source_ip", "198.51.100.7", "resource", "/items/17", "payload", &payload]);
        let _: u64 = query(&mut raw, &words).await;
        let _: u64 = query(&mut raw, &["PEXPIRE", key, &(90_000_000 + n).to_string()]).await;
    }
    let look = async |raw: &mut redis::aio::MultiplexedConnection| {
        let mut all = Vec::new();
        for key in &keys {
            let fields: BTreeMap<String, String> = query(raw, &["HGETALL", key]).await;
            let expiry: i64 = query(raw, &["PEXPIRETIME", key]).await;
            let encoding: String = query(raw, &["OBJECT", "ENCODING", key]).await;
            let bytes: u64 = query(raw, &["MEMORY", "USAGE", key, "SAMPLES", "0"]).await;
            all.push((fields, expiry, encoding, bytes));
        }
        all
    };
    let figure = |report: &watchpost_model::job::JobReport, name: &str| {
        report.figures.iter().find(|figure| figure.name == name).expect("it is told").value
    };
    let before = look(&mut raw).await;
    assert!(before.iter().all(|one| one.2 == "hashtable"));
    let run = async |mode| optimize(&store, now(), mode, &|_| {}, CancellationToken::new()).await.unwrap();

    let told = run(Mode::Run).await;
    assert_eq!(figure(&told, "recoded").to_bits(), 0.0_f64.to_bits(), "the server's own limit stands");
    assert!(told.notes.iter().any(|note| note.contains("hash-max-listpack-value 256")), "{:?}", told.notes);
    assert_eq!(look(&mut raw).await, before);

    let _: redis::Value = query(&mut raw, &["CONFIG", "SET", "hash-max-listpack-value", "256"]).await;
    let preview = run(Mode::Preview).await;
    assert_eq!(look(&mut raw).await, before, "a preview writes nothing");
    let report = run(Mode::Run).await;
    assert_eq!(figure(&preview, "recoded").to_bits(), figure(&report, "recoded").to_bits());
    let estimate = figure(&preview, "recoded_after_bytes") / figure(&report, "recoded_after_bytes");
    assert!((0.8..1.2).contains(&estimate), "the preview's estimate: {estimate}");
    let after = look(&mut raw).await;
    for (before, after) in before.iter().zip(&after) {
        assert_eq!((&after.0, after.1, after.2.as_str()), (&before.0, before.1, "listpack"));
    }
    let sum = |all: &[(BTreeMap<String, String>, i64, String, u64)]| all.iter().map(|one| one.3).sum::<u64>();
    assert!(sum(&after) * 10 <= sum(&before) * 6, "saved: {} of {}", sum(&after), sum(&before));
    let _: redis::Value = query(&mut raw, &["CONFIG", "SET", "hash-max-listpack-value", "64"]).await;
    let _: u64 = query(&mut raw, &["HSET", &keys[9], "actor", "mallory"]).await;
    let _: u64 = query(&mut raw, &["HSET", &keys[9], "note", &"y".repeat(70)]).await;
    let encoding: String = query(&mut raw, &["OBJECT", "ENCODING", &keys[9]]).await;
    assert_eq!(encoding, "hashtable", "with the old limit a long field makes it wide again");
}

#[tokio::test]
async fn the_way_back_leaves_a_full_server_alone() {
    let server = TestServer::start().await;
    let store = server.store().await;
    let mut raw = server.raw().await;
    let events: Vec<Event> = (0..20).map(|n| large_event(n, 100_000)).collect();
    store.write_events(&events).await.unwrap();
    let key = format!("security:data:{}", events[7].at.timestamp_millis());
    let before: BTreeMap<String, Vec<u8>> = query(&mut raw, &["HGETALL", &key]).await;
    assert_eq!(before["payload_encoding"], b"zstd");

    let back = async |mode| revert(&store, mode, &|_| {}, CancellationToken::new()).await;
    let _: redis::Value = query(&mut raw, &["CONFIG", "SET", "maxmemory", "2mb"]).await;
    let preview = back(Mode::Preview).await.unwrap();
    assert_eq!(figures(&preview)["written_back"], 20.0, "how much it would be can be asked");
    assert!(preview.notes.iter().any(|note| note.starts_with("a run would stop")), "{preview:?}");
    let refused = back(Mode::Run).await;
    assert!(matches!(refused, Err(RedisError::NoRoom { .. })), "{refused:?}");
    let same: BTreeMap<String, Vec<u8>> = query(&mut raw, &["HGETALL", &key]).await;
    assert_eq!(same, before);

    let _: redis::Value = query(&mut raw, &["CONFIG", "SET", "maxmemory", "100mb"]).await;
    let roomy = back(Mode::Preview).await.unwrap();
    assert!(!roomy.notes.iter().any(|note| note.starts_with("a run would stop")), "{roomy:?}");
    let report = back(Mode::Run).await.unwrap();
    let (told, did) = (figures(&preview), figures(&report));
    for name in ["written_back", "payload_before_bytes", "payload_after_bytes"] {
        assert_eq!(did[name], told[name], "{name}: preview equals run");
    }
    let plain: BTreeMap<String, Vec<u8>> = query(&mut raw, &["HGETALL", &key]).await;
    assert!(
        plain["payload"].len() > 100_000 && !plain.contains_key("payload_encoding"),
        "{:?}",
        plain.keys()
    );
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
    let globs =
        ["*".to_owned(), "security:[ab]*".to_owned(), "security:blocked:*.1".to_owned(), "x*".to_owned()];
    let found = stats(&store, &globs, &|_| {}, CancellationToken::new()).await.unwrap();
    let keys: BTreeMap<&str, (u64, u64)> = found
        .patterns
        .iter()
        .map(|row| (row.pattern.as_str(), (row.keys, row.without_ttl.expect("it may be asked"))))
        .collect();
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
    let asked: Vec<u64> = found.asked.iter().map(|row| row.keys).collect();
    assert_eq!(asked, [705, 702, 1, 0], "a key counts for each pattern that it fits");
    assert_eq!(
        found.asked[1].types,
        [("hash".to_owned(), 700), ("string".to_owned(), 2)],
        "by type, most first"
    );
    let unending: BTreeSet<&str> = found.unending.iter().map(String::as_str).collect();
    assert_eq!(unending, BTreeSet::from(["cache:1", "security:auth:nonsense"]), "none of the product's own");
    let of_patterns: Vec<&str> =
        found.patterns.iter().flat_map(|row| &row.unending).map(String::as_str).collect();
    assert_eq!(of_patterns, ["cache:1", "security:auth:nonsense"], "each with its pattern");
    assert_eq!(found.encodings_every, 1, "of a small database all");
    let encoded = |pattern: &str| {
        let row = found.patterns.iter().find(|row| row.pattern == pattern).unwrap();
        (row.encodings.iter().map(|(_, n)| n).sum::<u64>(), row.encodings.clone())
    };
    assert_eq!(encoded("(other keys)").1, [("raw".to_owned(), 1)]);
    assert_eq!(encoded("security:api:{endpoint}:{ms}").0, 700, "each one is asked");
    let api = found.patterns.iter().find(|row| row.keys == 700).unwrap();
    assert_eq!((api.oldest, api.newest), (Some(events[0].at), Some(events[699].at)));
    assert!(
        found.largest.iter().any(|(key, bytes)| key == "cache:1" && *bytes > 100_000),
        "{:?}",
        found.largest
    );
    assert!(found.largest.windows(2).all(|pair| pair[0].1 >= pair[1].1));
}
