//! Events at the edges of what an event may be, and users at the edges of what they may ask.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use watchpost_model::clock::SystemClock;
use watchpost_redis::AdoptCursor;
use watchpost_redis::EventStore;
use watchpost_redis::RedisTarget;
use watchpost_redis::backup::Existing;
use watchpost_redis::backup::Scope;
use watchpost_redis::export::EventChoice;
use watchpost_redis::export::EventWalk;
use watchpost_redis::export::ExportedEvent;
use watchpost_redis::optimize::Mode;
use watchpost_redis::optimize::optimize;

use crate::backup::put;
use crate::backup::restorer;
use crate::backup::take;
use crate::support::TestServer;
use crate::support::now;
use crate::support::query;

async fn exported(store: &EventStore) -> Vec<ExportedEvent> {
    let mut walk = EventWalk::start(store, EventChoice::default(), CancellationToken::new()).await.unwrap();
    let mut rows = Vec::new();
    while let Some(batch) = walk.next_batch().await.unwrap() {
        rows.extend(batch);
    }
    rows.sort_by(|a, b| a.key.cmp(&b.key));
    rows
}

/// A user who may do everything but this.
async fn without(server: &TestServer, right: &str) -> EventStore {
    let rule = ["ACL", "SETUSER", "watchpost", "reset", "on", ">secret", "~security:*", "+@all", right];
    let _: redis::Value = query(&mut server.raw().await, &rule).await;
    let target = RedisTarget {
        username: Some("watchpost".into()),
        password: Some("secret".into()),
        ..server.target()
    };
    EventStore::connect(&target, Arc::new(SystemClock)).await.unwrap()
}

/// The engine leaves a mark in what it takes in: with it an event of the most fields has one more.
#[tokio::test]
async fn the_mark_of_the_engine_is_no_field_too_many() {
    let server = TestServer::start().await;
    let (mut raw, store, at) = (server.raw().await, server.store().await, now().timestamp_millis());
    for (n, fields) in [64, 65].into_iter().enumerate() {
        let mut set = redis::cmd("HSET");
        set.arg(format!("security:auth:{}", at + n as i64)).arg("type").arg("login");
        (1..fields).for_each(|n| _ = set.arg(format!("x{n}")).arg("y"));
        let _: u64 = set.query_async(&mut raw).await.unwrap();
    }
    let readable = |rows: &[ExportedEvent]| rows.iter().map(|row| row.event.is_ok()).collect::<Vec<_>>();
    assert_eq!(readable(&exported(&store).await), [true, false]);
    store.ensure_group().await.unwrap();
    let mut cursor = AdoptCursor::default();
    while !store.adopt_bare(&mut cursor, 200).await.unwrap().wrapped {}
    let fields: u64 = query(&mut raw, &["HLEN", &format!("security:auth:{at}")]).await;
    assert_eq!(fields, 65, "it is marked");
    let read = store.read_new("one", 500, 0).await.unwrap();
    let taken: Vec<bool> = read.iter().map(|item| item.event.is_ok()).collect();
    assert!(taken.contains(&true), "{read:?}");
    for store in [store, without(&server, "-dump").await] {
        assert_eq!(readable(&exported(&store).await), [true, false], "as before it was marked");
    }
}

#[tokio::test]
async fn a_restore_indexes_every_event_that_it_writes_and_nothing_else() {
    let server = TestServer::start().await;
    let (mut raw, store) = (server.raw().await, server.store().await);
    let index = "security:index:authentication";
    let payload = |bytes: usize| format!("{{\"note\":\"{}\"}}", "y".repeat(bytes));
    for (n, bytes) in [10, 400_000, 600_000, 1_000_000].into_iter().enumerate() {
        let key = format!("security:auth:{}", 1_700_000_000_000_usize + n);
        let _: u64 = query(&mut raw, &["HSET", &key, "type", "login", "payload", &payload(bytes)]).await;
    }
    let _: redis::Value = query(&mut raw, &["SET", "security:auth:1700000000009", "no event"]).await;
    let file = take(&store).await;

    let empty = TestServer::start().await;
    let (mut there, other) = (empty.raw().await, empty.store().await);
    put(&file, &mut restorer(&other, Scope::Data, Existing::Keep).await).await;
    let names = async |raw: &mut redis::aio::MultiplexedConnection| -> Vec<String> {
        query(raw, &["ZRANGE", index, "0", "-1"]).await
    };
    let events: Vec<String> =
        (0..4).map(|n| format!("security:auth:{}", 1_700_000_000_000_u64 + n)).collect();
    assert_eq!(names(&mut there).await, events);

    // What takes the place of another value is in the index too.
    let _: u64 = query(&mut there, &["DEL", index]).await;
    for key in &events {
        let _: u64 = query(&mut there, &["HSET", key, "actor", "other"]).await;
    }
    put(&file, &mut restorer(&other, Scope::Data, Existing::Replace).await).await;
    assert_eq!(names(&mut there).await, events);
}

#[tokio::test]
async fn memory_that_may_not_be_asked_for_is_not_made_up() {
    let server = TestServer::start().await;
    let (mut raw, store) = (server.raw().await, server.store().await);
    for n in 0..20 {
        let (key, long) = (format!("security:auth:{}", 1_700_000_000_000_u64 + n), "y".repeat(100));
        let _: u64 = query(&mut raw, &["HSET", &key, "type", "login", "actor", &long]).await;
    }
    let _: redis::Value = query(&mut raw, &["CONFIG", "SET", "hash-max-listpack-value", "256"]).await;
    assert!(exported(&store).await.iter().all(|row| row.bytes.is_some()));
    let run = async |store: &EventStore| {
        optimize(store, now(), Mode::Preview, &|_| {}, CancellationToken::new()).await.unwrap()
    };
    let recoded = run(&store).await.figures.iter().find(|one| one.name == "recoded").map(|one| one.value);
    assert_eq!(recoded, Some(20.0));
    let blind = without(&server, "-memory").await;
    assert!(exported(&blind).await.iter().all(|row| row.event.is_ok() && row.bytes.is_none()));
    let report = run(&blind).await;
    assert!(!report.figures.iter().any(|one| one.name.starts_with("recoded")), "{:?}", report.figures);
    assert!(
        report.notes.iter().any(|note| note.starts_with("encodings were not looked at")),
        "{:?}",
        report.notes
    );
}
