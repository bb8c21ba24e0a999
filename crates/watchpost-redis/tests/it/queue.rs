//! Writing, reading, acknowledging.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::Strategy;
use proptest::prelude::any;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use watchpost_model::event::Category;
use watchpost_model::event::Event;
use watchpost_model::event::Http;
use watchpost_model::event::Outcome;
use watchpost_model::event::Severity;
use watchpost_model::ids::EventId;

use crate::support::PREFIX;
use crate::support::TestServer;
use crate::support::large_event;
use crate::support::old_event;
use crate::support::query;

#[tokio::test]
async fn an_event_goes_round() {
    let server = TestServer::start().await;
    let store = server.store().await;
    store.ensure_group().await.unwrap();
    store.ensure_group().await.unwrap();
    let events: Vec<Event> = (0..20).map(|n| old_event(1, Category::Authentication, n)).collect();
    let written = store.write_events(&events).await.unwrap();
    assert_eq!((written.written, written.duplicates), (20, 0));
    assert!(written.bytes > 20 * 100, "bytes are counted: {}", written.bytes);

    let again = store.write_events(&events).await.unwrap();
    assert_eq!((again.written, again.duplicates, again.bytes), (0, 20, 0), "a repeated import adds nothing");

    let backlog = store.backlog().await.unwrap();
    assert_eq!((backlog.lag, backlog.pending), (20, 0));
    let items = store.read_new("a", 100, 0).await.unwrap();
    let read: Vec<Event> = items.iter().map(|item| item.event.clone().unwrap()).collect();
    assert_eq!(read, events, "what was written is read, in order");
    let backlog = store.backlog().await.unwrap();
    assert_eq!((backlog.lag, backlog.pending, backlog.total()), (0, 20, 20));

    assert_eq!(store.read_unacknowledged("a", 100).await.unwrap(), items, "a restart gets them again");
    assert!(
        store.claim_stale("b", Duration::from_secs(3600), 100).await.unwrap().is_empty(),
        "not stale yet"
    );
    let claimed = store.claim_stale("b", Duration::ZERO, 100).await.unwrap();
    assert_eq!(claimed, items, "another consumer takes over");

    let ids: Vec<String> = items.iter().map(|item| item.stream_id.clone()).collect();
    store.ack(&ids[..5]).await.unwrap();
    let mut raw = server.raw().await;
    let length: u64 = query(&mut raw, &["XLEN", "security:events"]).await;
    assert_eq!(length, 15, "acknowledged entries leave the stream, others stay");
    store.ack(&ids).await.unwrap();
    store.ack(&ids).await.unwrap();
    assert_eq!(store.backlog().await.unwrap().total(), 0);
    assert_eq!(store.counters().events_written_total, 20);
    assert_eq!(store.counters().events_duplicate_total, 20);
}

#[tokio::test]
async fn large_events_are_read_in_parts() {
    let server = TestServer::start().await;
    let store = server.store().await;
    store.ensure_group().await.unwrap();
    let mut raw = server.raw().await;
    let note = "n".repeat(400 << 10);
    for n in 0..40 {
        let key = format!("security:auth:{}", 1_700_000_000_000_u64 + n);
        // Every fifth entry names a key that is not there, others are small.
        if n % 5 != 0 {
            let note = if n % 2 == 0 { note.as_str() } else { "short" };
            let _: u64 = query(&mut raw, &["HSET", &key, "type", &format!("t{n}"), "note", note]).await;
        }
        let _: String = query(&mut raw, &["XADD", "security:events", "*", "key", &key]).await;
    }
    let mut delivered = store.deliver_new("a", 100, 0).await.unwrap();
    assert_eq!(delivered.len(), 40);
    let first = store.read_delivered(&mut delivered, 2 << 20).await.unwrap();
    assert!(!first.is_empty() && delivered.len() == 40 - first.len(), "{} of 40 are read", first.len());
    assert!(delivered.len() > 10, "16 events are large, and few of them are read at once");
    assert!(store.read_new("b", 100, 0).await.unwrap().is_empty(), "what is not read is delivered");
    let mut items = first;
    items.extend(store.read_delivered(&mut delivered, usize::MAX).await.unwrap());
    assert!(delivered.is_empty() && items.len() == 40);
    let number =
        |item: &watchpost_redis::StreamItem| item.key.rsplit(':').next().unwrap().parse::<u64>().unwrap();
    items.sort_by_key(number);
    for (n, item) in items.iter().enumerate() {
        match &item.event {
            Ok(event) => {
                assert_eq!(event.kind, format!("t{n}"), "each answer belongs to its entry");
                let length = if n % 2 == 0 { note.len() } else { 5 };
                let read = event.details.pointer("/fields/note").and_then(|note| note.as_str());
                assert_eq!(read.map(str::len), Some(length), "entry {n}");
                let mark: String = query(&mut raw, &["HGET", &item.key, "_q"]).await;
                assert_eq!(mark, item.stream_id, "what was read is marked");
            }
            Err(reason) => assert!(n % 5 == 0 && reason.contains("gone"), "entry {n}: {reason}"),
        }
    }
}

#[tokio::test]
async fn what_is_not_as_events_are_is_told_among_many_that_are() {
    let server = TestServer::start().await;
    let store = server.store().await;
    store.ensure_group().await.unwrap();
    let events: Vec<Event> = (0..600).map(|n| old_event(1, Category::Authentication, n)).collect();
    store.write_events(&events[..300]).await.unwrap();
    let mut raw = server.raw().await;
    let fields: Vec<String> = (0..140).map(|n| format!("f{n}")).collect();
    let long = "x".repeat(3 << 20);
    let odd: [(&str, Vec<&str>); 5] = [
        ("security:auth:1700000000001", vec!["HSET", "type", "unmarked"]),
        (
            "security:auth:1700000000002",
            ["HSET"].into_iter().chain(fields.iter().map(String::as_str)).collect(),
        ),
        ("security:auth:1700000000003", vec!["HSET", "_q", "1", "type", "x", "note", long.as_str()]),
        ("security:auth:1700000000004", vec!["RPUSH", "x"]),
        ("security:auth:1700000000005", Vec::new()),
    ];
    for (key, words) in &odd {
        if let Some((name, values)) = words.split_first() {
            let mut command = vec![*name, *key];
            command.extend(values);
            let _: u64 = query(&mut raw, &command).await;
        }
        let _: String = query(&mut raw, &["XADD", "security:events", "*", "key", key]).await;
    }
    let _: String = query(&mut raw, &["XADD", "security:events", "*", "nokey", "1"]).await;
    store.write_events(&events[300..]).await.unwrap();
    let items = store.read_new("a", 1_000, 0).await.unwrap();
    assert_eq!(items.len(), 606);
    let read: Vec<&Event> = items.iter().filter_map(|item| item.event.as_ref().ok()).collect();
    let kinds: Vec<&str> = read.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!((read.len(), kinds[300]), (601, "unmarked"), "the order is that of the stream");
    assert!(
        read.iter().enumerate().all(|(n, event)| n == 300 || **event == events[n - usize::from(n > 300)])
    );
    let mark: String = query(&mut raw, &["HGET", odd[0].0, "_q"]).await;
    assert_eq!(mark, items[300].stream_id, "what was read is marked");
    let reasons: Vec<&str> =
        items.iter().filter_map(|item| item.event.as_ref().err().map(String::as_str)).collect();
    for (reason, word) in reasons.iter().zip(["70 fields", "bytes", "a list", "gone", "no field key"]) {
        assert!(reason.contains(word), "{reason}");
    }
    assert_eq!(reasons.len(), 5);
}

#[tokio::test]
async fn keys_ttls_and_index_follow_the_contract() {
    let server = TestServer::start().await;
    let store = server.store().await;
    let mut event = large_event(1, 20_000);
    event.severity = Severity::High;
    store.write_events(std::slice::from_ref(&event)).await.unwrap();
    let key = format!("{PREFIX}data:{}", event.at.timestamp_millis());
    let mut raw = server.raw().await;
    let ttl: i64 = query(&mut raw, &["PTTL", &key]).await;
    let want = watchpost_model::policy::event_ttl(event.category, event.severity).num_milliseconds();
    assert!((want - 60_000..=want).contains(&ttl), "TTL {ttl} of {want}");
    let score: f64 = query(&mut raw, &["ZSCORE", "security:index:data_access", &key]).await;
    assert_eq!(score, event.at.timestamp_millis() as f64);
    let fields: BTreeMap<String, Vec<u8>> = query(&mut raw, &["HGETALL", &key]).await;
    assert_eq!(fields["payload_encoding"], b"zstd");
    assert!(fields["payload"].len() < 5_000, "compressed: {}", fields["payload"].len());
    assert_eq!(fields["at"], event.at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string().into_bytes());
}

#[tokio::test]
async fn ties_get_their_own_keys_and_stay_idempotent() {
    let server = TestServer::start().await;
    let store = server.store().await;
    let first = old_event(1, Category::Authentication, 0);
    let events: Vec<Event> = (0..500)
        .map(|n| Event { id: EventId::at(first.at), actor: Some(n.to_string()), ..first.clone() })
        .collect();
    assert_eq!(store.write_events(&events).await.unwrap().written, 500, "one millisecond holds many events");
    let mut reversed = events.clone();
    reversed.reverse();
    let again = store.write_events(&reversed).await.unwrap();
    assert_eq!((again.written, again.duplicates), (0, 500), "in any order");
    let mut raw = server.raw().await;
    let indexed: u64 = query(&mut raw, &["ZCARD", "security:index:authentication"]).await;
    assert_eq!(indexed, 500);
}

#[tokio::test]
async fn what_the_contract_cannot_hold_is_rejected_with_a_reason() {
    let server = TestServer::start().await;
    let store = server.store().await;
    let good = old_event(1, Category::Authentication, 0);
    let large = large_event(1, 2 << 20);
    let mut early = old_event(1, Category::Authentication, 2);
    early.at = chrono::DateTime::from_timestamp_millis(-1).unwrap();
    let written = store.write_events(&[large.clone(), good, early.clone()]).await.unwrap();
    assert_eq!(written.written, 1);
    let rejected: Vec<EventId> = written.rejected.iter().map(|(id, _)| *id).collect();
    assert_eq!(rejected, [large.id, early.id]);
    assert!(written.rejected[0].1.contains("at most 1048576"), "{:?}", written.rejected);
    assert_eq!(store.counters().events_rejected_total, 2);
}

#[tokio::test]
async fn a_flushed_script_cache_and_a_deleted_stream_do_not_stop_anything() {
    let server = TestServer::start().await;
    let store = server.store().await;
    store.ensure_group().await.unwrap();
    let mut raw = server.raw().await;
    let _: redis::Value = query(&mut raw, &["SCRIPT", "FLUSH"]).await;
    let event = old_event(1, Category::Authentication, 0);
    assert_eq!(store.write_events(std::slice::from_ref(&event)).await.unwrap().written, 1);
    let _: redis::Value = query(&mut raw, &["SCRIPT", "FLUSH"]).await;
    let _: redis::Value = query(&mut raw, &["XGROUP", "DESTROY", "security:events", "watchpost"]).await;
    assert_eq!(store.read_new("a", 10, 0).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_killed_connection_heals_at_the_next_call() {
    let server = TestServer::start().await;
    let store = server.store().await;
    store.ping().await.unwrap();
    let mut raw = server.raw().await;
    let _: redis::Value = query(&mut raw, &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).await;
    let event = old_event(1, Category::Authentication, 0);
    // The first call may meet the broken connection; it is reported, and the next one works.
    if store.write_events(std::slice::from_ref(&event)).await.is_err() {
        store.write_events(std::slice::from_ref(&event)).await.unwrap();
    }
    assert_eq!(store.write_events(&[event]).await.unwrap().duplicates, 1);
}

#[tokio::test]
async fn other_groups_keep_their_entries() {
    let server = TestServer::start().await;
    let store = server.store().await;
    store.ensure_group().await.unwrap();
    let mut raw = server.raw().await;
    let _: redis::Value = query(&mut raw, &["XGROUP", "CREATE", "security:events", "other", "0"]).await;
    store.write_events(&[old_event(1, Category::Authentication, 0)]).await.unwrap();
    let items = store.read_new("a", 10, 0).await.unwrap();
    store.ack(std::slice::from_ref(&items[0].stream_id)).await.unwrap();
    let length: u64 = query(&mut raw, &["XLEN", "security:events"]).await;
    assert_eq!(length, 1, "the other group has not read it");
    let backlog = store.backlog().await.unwrap();
    assert_eq!((backlog.lag, backlog.pending), (0, 0), "ours has");
}

/// A crash between the acknowledgement and the deletion leaves entries on the stream that nobody will be given again.
#[tokio::test]
async fn what_was_acknowledged_and_not_deleted_does_not_wait() {
    let server = TestServer::start().await;
    let store = server.store().await;
    store.ensure_group().await.unwrap();
    let events: Vec<Event> = (0..30).map(|n| old_event(1, Category::Authentication, n)).collect();
    store.write_events(&events).await.unwrap();
    let items = store.read_new("a", 25, 0).await.unwrap();
    let ids: Vec<&str> = items.iter().map(|item| item.stream_id.as_str()).collect();
    let mut raw = server.raw().await;
    let mut ack = vec!["XACK", "security:events", "watchpost"];
    ack.extend(&ids[..20]);
    let _: u64 = query(&mut raw, &ack).await;
    let backlog = store.backlog().await.unwrap();
    assert_eq!((backlog.lag, backlog.pending), (5, 5), "20 of 30 are done");

    // A deletion among what waits makes the server forget how much that is.
    let waiting = format!("({}", ids[24]);
    let rest: Vec<(String, Vec<String>)> =
        query(&mut raw, &["XRANGE", "security:events", &waiting, "+"]).await;
    let _: u64 = query(&mut raw, &["XDEL", "security:events", &rest[2].0]).await;
    let backlog = store.backlog().await.unwrap();
    assert_eq!((backlog.lag, backlog.pending), (4, 5));

    assert_eq!(store.clear_acknowledged().await.unwrap(), 20);
    assert_eq!(store.clear_acknowledged().await.unwrap(), 0, "nothing is left to clear");
    let length: u64 = query(&mut raw, &["XLEN", "security:events"]).await;
    assert_eq!(length, 9, "what is pending or waits stays");
    assert_eq!(store.read_unacknowledged("a", 100).await.unwrap(), items[20..], "and is given again");
    let last = store.read_new("a", 100, 0).await.unwrap();
    assert_eq!(last.len(), 4);
    let mut ids: Vec<String> = last.into_iter().map(|item| item.stream_id).collect();
    ids.extend(items[20..].iter().map(|item| item.stream_id.clone()));
    let mut ack = vec!["XACK", "security:events", "watchpost"];
    ack.extend(ids.iter().map(String::as_str));
    let _: u64 = query(&mut raw, &ack).await;
    assert_eq!(store.backlog().await.unwrap().total(), 0, "nine entries are on the stream, none waits");

    let _: redis::Value = query(&mut raw, &["XGROUP", "CREATE", "security:events", "other", "0"]).await;
    assert_eq!(store.clear_acknowledged().await.unwrap(), 0, "another group has not read them");
    assert_eq!(store.backlog().await.unwrap().total(), 0);
}

fn text() -> impl Strategy<Value = String> {
    proptest::string::string_regex("(?s).{0,40}").expect("a valid expression")
}

fn http() -> impl Strategy<Value = Http> {
    let headers = proptest::collection::btree_map(text(), text(), 0..4);
    let more = (any::<Option<u16>>(), any::<Option<u64>>(), any::<Option<u64>>());
    let maybe = || proptest::option::of(text());
    (text(), text(), maybe(), headers, maybe(), more).prop_map(
        |(method, path, query, headers, body, (status, bytes, duration_ms))| Http {
            method,
            path,
            query,
            headers,
            body,
            status,
            bytes,
            duration_ms,
            ..Http::default()
        },
    )
}

fn event() -> impl Strategy<Value = Event> {
    let words = (0..Category::ALL.len(), 0..Severity::ALL.len(), 0..Outcome::ALL.len());
    let maybe = || proptest::option::of(text());
    let entity = (maybe(), maybe(), maybe(), maybe(), maybe());
    let numbers =
        (1..=watchpost_model::event::COUNT_MAX, proptest::option::of(0..=100u8), 0i64..4_000_000_000_000);
    let payload =
        (proptest::option::of(http()), any::<Option<i64>>(), proptest::collection::vec(text(), 0..4));
    (words, entity, numbers, payload, any::<u128>(), "[a-z_]{1,20}").prop_map(
        |(words, entity, numbers, payload, id, kind)| {
            let at = chrono::DateTime::from_timestamp_millis(numbers.2).unwrap();
            let mut event = Event::new(EventId(uuid::Uuid::from_u128(id)), at, Category::ALL[words.0], kind);
            event.severity = Severity::ALL[words.1];
            event.outcome = Outcome::ALL[words.2];
            (event.actor, event.source_ip, event.session, event.resource, event.action) = entity;
            (event.count, event.risk) = (numbers.0, numbers.1);
            event.http = payload.0;
            event.details = payload.1.map_or(serde_json::Value::Null, |n| {
                let length = usize::try_from(n.unsigned_abs() % 3_000).unwrap();
                serde_json::json!({"n": n, "deep": [{"text": "x".repeat(length)}], "nothing": null})
            });
            event.tags = payload.2;
            event
        },
    )
}

#[tokio::test]
async fn any_event_survives_the_hash() {
    let server = TestServer::start().await;
    let store = server.store().await;
    store.ensure_group().await.unwrap();
    let mut runner = TestRunner::deterministic();
    let events: Vec<Event> = (0..400).map(|_| event().new_tree(&mut runner).unwrap().current()).collect();
    assert_eq!(store.write_events(&events).await.unwrap().written, 400);
    let items = store.read_new("a", 1_000, 0).await.unwrap();
    for (item, event) in items.into_iter().zip(&events) {
        assert_eq!(item.event.as_ref(), Ok(event), "key {}", item.key);
    }
}
