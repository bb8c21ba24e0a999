//! Retention: preview equals run, nothing changed or unprocessed goes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;

use tokio_util::sync::CancellationToken;
use watchpost_model::event::Category;
use watchpost_model::event::Event;
use watchpost_model::policy::default_retention;
use watchpost_redis::EventStore;
use watchpost_redis::RedisError;
use watchpost_redis::WalkPosition;
use watchpost_redis::retention::Candidate;
use watchpost_redis::retention::Removal;
use watchpost_redis::retention::RetentionPreview;
use watchpost_redis::retention::RetentionWalk;

use crate::support::TestServer;
use crate::support::now;
use crate::support::old_event;
use crate::support::query;

async fn start(store: &EventStore, days: Option<u32>) -> RetentionWalk {
    RetentionWalk::start(store, &default_retention(), now(), days, None, CancellationToken::new())
        .await
        .unwrap()
}

async fn preview(store: &EventStore, days: Option<u32>) -> RetentionPreview {
    start(store, days).await.preview(&|_| {}).await.unwrap()
}

pub(crate) async fn process_all(store: &EventStore) {
    store.ensure_group().await.unwrap();
    loop {
        let items = store.read_new("a", 500, 0).await.unwrap();
        let ids: Vec<String> = items.into_iter().map(|item| item.stream_id).collect();
        if ids.is_empty() {
            return;
        }
        store.ack(&ids).await.unwrap();
    }
}

async fn all_batches(walk: &mut RetentionWalk, max: usize) -> Vec<Candidate> {
    let mut candidates = Vec::new();
    while let Some(batch) = walk.next_batch(max).await.unwrap() {
        assert!(!batch.is_empty() && batch.len() <= max, "{} of {max}", batch.len());
        candidates.extend(batch);
    }
    candidates
}

#[tokio::test]
async fn preview_equals_run_and_young_events_stay() {
    let server = TestServer::start().await;
    let store = server.store().await;
    let old: Vec<Event> = (0..1_500).map(|n| old_event(20, Category::Authentication, n)).collect();
    let young: Vec<Event> = (0..500).map(|n| old_event(3, Category::Authentication, n)).collect();
    let access: Vec<Event> = (0..200).map(|n| old_event(20, Category::Authorization, n)).collect();
    for events in [&old, &young, &access] {
        store.write_events(events).await.unwrap();
    }
    process_all(&store).await;

    let before = preview(&store, None).await;
    let row = before.categories.iter().find(|row| row.category == Category::Authentication).unwrap();
    assert_eq!((row.keys, row.unprocessed, row.oldest), (1_500, 0, Some(old[0].at)));
    assert_eq!(before.categories.iter().map(|row| row.keys).sum::<u64>(), 1_500, "{before:?}");

    let mut walk = start(&store, None).await;
    let candidates = all_batches(&mut walk, 100).await;
    let mut read: Vec<Event> = candidates.iter().map(|c| c.event.clone().unwrap()).collect();
    read.sort_by_key(|event| event.at);
    assert_eq!(read, old, "the events to archive, each once");
    // A hash whose table the server is still moving takes more until it is done: some 64 bytes of 900.
    let run = candidates.iter().map(|c| c.bytes).sum::<u64>();
    assert!(run.abs_diff(row.bytes) * 10 <= run, "preview and run agree on bytes: {} and {run}", row.bytes);
    let removed = walk.remove_unchanged(&candidates).await.unwrap();
    assert!(removed.iter().all(|removal| *removal == Removal::Removed));
    let again = walk.remove_unchanged(&candidates).await.unwrap();
    assert!(
        again.iter().all(|removal| *removal == Removal::Gone),
        "a repeat after a lost answer is harmless"
    );

    let mut raw = server.raw().await;
    let indexed: u64 = query(&mut raw, &["ZCARD", "security:index:authentication"]).await;
    assert_eq!(indexed, 500, "the index follows");
    assert_eq!(preview(&store, None).await.categories.iter().map(|row| row.keys).sum::<u64>(), 0);
    let by_days = preview(&store, Some(10)).await;
    let keys: Vec<u64> = by_days.categories.iter().map(|row| row.keys).collect();
    assert_eq!(keys, [0, 200, 0, 0, 0], "days given by hand count for all categories: {by_days:?}");
}

#[tokio::test]
async fn how_far_it_is_is_told_where_nothing_is_due_either() {
    let server = TestServer::start().await;
    let store = server.store().await;
    let young: Vec<Event> = (0..3_000).map(|n| old_event(1, Category::Authentication, n)).collect();
    store.write_events(&young).await.unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = told.clone();
    let walk = start(&store, None).await;
    let mut walk = walk.telling(move |progress| heard.lock().unwrap().push(progress));
    assert_eq!(walk.next_batch(1_000).await.unwrap(), None);
    walk.tell("nothing was due".to_owned());
    let told = told.lock().unwrap();
    let (last, before) = told.split_last().expect("it was told");
    assert_eq!((last.step.as_str(), Some(last.done)), ("nothing was due", last.total));
    assert!(before.len() > 2 && before.is_sorted_by_key(|progress| progress.done), "{before:?}");
    assert!(before[0].done > 0 && before[0].step.starts_with("looking"), "{before:?}");
}

#[tokio::test]
async fn what_changed_since_it_was_read_survives() {
    let server = TestServer::start().await;
    let store = server.store().await;
    let events: Vec<Event> = (0..8).map(|n| old_event(20, Category::Authentication, n)).collect();
    store.write_events(&events).await.unwrap();
    process_all(&store).await;
    let mut walk = start(&store, None).await;
    let mut candidates = all_batches(&mut walk, 100).await;
    candidates.sort_by(|a, b| a.key.cmp(&b.key));
    let key = |n: usize| candidates[n].key.as_str();
    let mut raw = server.raw().await;
    let _: u64 = query(&mut raw, &["HSET", key(0), "actor", "mallory"]).await;
    let _: u64 = query(&mut raw, &["HSET", key(1), "note", "one more field"]).await;
    let _: u64 = query(&mut raw, &["HDEL", key(2), "actor"]).await;
    let _: u64 = query(&mut raw, &["PEXPIRE", key(3), "99999999999"]).await;
    let _: u64 = query(&mut raw, &["PERSIST", key(4)]).await;
    let _: u64 = query(&mut raw, &["DEL", key(5)]).await;
    let _: redis::Value = query(&mut raw, &["SET", key(6), "another type"]).await;
    let removed = walk.remove_unchanged(&candidates).await.unwrap();
    use Removal::{Changed, Gone, Removed};
    assert_eq!(removed, [Changed, Changed, Changed, Changed, Changed, Gone, Changed, Removed]);
    let left: u64 = query(&mut raw, &["EXISTS", key(0), key(1), key(2), key(3), key(4), key(6)]).await;
    assert_eq!(left, 6);
}

/// Scripts do not read these: they are compared by the client, and removed by a transaction.
#[tokio::test]
async fn a_large_event_goes_only_as_it_was_read() {
    let server = TestServer::start().await;
    let store = server.store().await;
    let mut events: Vec<Event> = (0..7).map(|n| old_event(20, Category::Authentication, n)).collect();
    for event in &mut events {
        let noise = (0_u64..110_000).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40);
        event.details = serde_json::json!(noise.collect::<Vec<_>>());
    }
    store.write_events(&events).await.unwrap();
    store.ensure_group().await.unwrap();
    let mut processed = Vec::new();
    while processed.len() < events.len() {
        let items = store.read_new("a", 500, 0).await.unwrap();
        assert!(!items.is_empty(), "{} of {} were read", processed.len(), events.len());
        let ids: Vec<String> = items.iter().map(|item| item.stream_id.clone()).collect();
        store.ack(&ids).await.unwrap();
        processed.extend(items.into_iter().map(|item| item.event.unwrap()));
    }
    assert_eq!(processed, events, "the engine reads them whole");
    let mut walk = start(&store, None).await;
    let mut candidates = all_batches(&mut walk, 100).await;
    candidates.sort_by(|a, b| a.key.cmp(&b.key));
    assert!(candidates.iter().all(|candidate| candidate.bytes > 256 << 10), "they are large");
    let read: Vec<Event> = candidates.iter().map(|candidate| candidate.event.clone().unwrap()).collect();
    assert_eq!(read, events);
    let key = |n: usize| candidates[n].key.as_str();
    let mut raw = server.raw().await;
    let _: u64 = query(&mut raw, &["HSET", key(0), "actor", "mallory"]).await;
    let _: u64 = query(&mut raw, &["HDEL", key(1), "actor"]).await;
    let _: u64 = query(&mut raw, &["PEXPIRE", key(2), "99999999999"]).await;
    let _: u64 = query(&mut raw, &["DEL", key(3)]).await;
    let _: redis::Value = query(&mut raw, &["SET", key(4), "another type"]).await;
    let entry: String = query(&mut raw, &["XADD", "security:events", "*", "key", key(5)]).await;
    let _: u64 = query(&mut raw, &["HSET", key(5), "_q", &entry]).await;
    use Removal::{Changed, Gone, Removed};
    let removed = walk.remove_unchanged(&candidates).await.unwrap();
    assert_eq!(removed, [Changed, Changed, Changed, Gone, Changed, Changed, Removed]);
    let left: u64 = query(&mut raw, &["EXISTS", key(0), key(1), key(2), key(4), key(5), key(6)]).await;
    let indexed: u64 = query(&mut raw, &["ZCARD", "security:index:authentication"]).await;
    assert_eq!((left, indexed), (5, 5), "the index follows");
    let again = walk.remove_unchanged(&candidates[6..]).await.unwrap();
    assert_eq!(again, [Gone], "a repeat after a lost answer is harmless");
}

#[tokio::test]
async fn what_is_not_processed_survives() {
    let server = TestServer::start().await;
    let store = server.store().await;
    store.ensure_group().await.unwrap();
    let events: Vec<Event> = (0..3).map(|n| old_event(20, Category::Authentication, n)).collect();
    store.write_events(&events).await.unwrap();
    let mut raw = server.raw().await;
    let bare = format!("security:auth:{}", events[0].at.timestamp_millis() - 5_000);
    let _: u64 = query(&mut raw, &["HSET", &bare, "type", "login_failure"]).await;

    // One acknowledged, one delivered, one waiting, one not even on the stream.
    let items = store.read_new("a", 2, 0).await.unwrap();
    store.ack(std::slice::from_ref(&items[0].stream_id)).await.unwrap();
    let counts = preview(&store, None).await;
    assert_eq!((counts.categories[0].keys, counts.categories[0].unprocessed), (1, 3), "{counts:?}");
    let mut walk = start(&store, None).await;
    let candidates = all_batches(&mut walk, 100).await;
    assert_eq!(candidates.len(), 1);
    assert_eq!(walk.unprocessed(), 3);
    assert_eq!(candidates[0].key, items[0].key);

    // Put back on the queue after it was read: left.
    let entry: String = query(&mut raw, &["XADD", "security:events", "*", "key", &candidates[0].key]).await;
    let _: u64 = query(&mut raw, &["HSET", &candidates[0].key, "_q", &entry]).await;
    assert_eq!(walk.remove_unchanged(&candidates).await.unwrap(), [Removal::Changed]);

    // With another group the entries stay on the stream; ours decides.
    let _: redis::Value = query(&mut raw, &["XGROUP", "CREATE", "security:events", "other", "0"]).await;
    let rest: Vec<String> =
        store.read_new("a", 10, 0).await.unwrap().into_iter().map(|i| i.stream_id).collect();
    store.ack(&rest).await.unwrap();
    let counts = preview(&store, None).await;
    assert_eq!((counts.categories[0].keys, counts.categories[0].unprocessed), (2, 2), "{counts:?}");
}

#[tokio::test]
async fn every_key_is_found_once_while_the_table_grows() {
    let server = TestServer::start().await;
    let store = server.store().await;
    let events: Vec<Event> = (0..3_000).map(|n| old_event(20, Category::Authentication, n)).collect();
    store.write_events(&events).await.unwrap();
    process_all(&store).await;
    let mut walk = start(&store, None).await;
    let mut keys = Vec::new();
    let mut fillers = (0..40).map(|n| (0..200).map(move |k| format!("filler:{n}:{k}")).collect::<Vec<_>>());
    let mut raw = server.raw().await;
    while let Some(batch) = walk.next_batch(64).await.unwrap() {
        keys.extend(batch.into_iter().map(|candidate| candidate.key));
        let mut pipe = redis::pipe();
        for filler in fillers.next().unwrap_or_default() {
            pipe.cmd("SET").arg(filler).arg(1);
        }
        if !pipe.is_empty() {
            pipe.exec_async(&mut raw).await.unwrap();
        }
    }
    assert_eq!(keys.len(), 3_000);
    assert_eq!(keys.into_iter().collect::<BTreeSet<_>>().len(), 3_000);
}

/// What a run that was killed after some batches leaves is what the next one finds from its position on, whatever sizes its
/// values have: a call of the server stops reading after a while, and the rest is asked for again.
#[tokio::test]
async fn a_walk_goes_on_where_another_one_was() {
    let server = TestServer::start().await;
    let store = server.store().await;
    let mut events: Vec<Event> = (0..4_000).map(|n| old_event(20, Category::Authentication, n)).collect();
    for event in events.iter_mut().step_by(40) {
        // No two neighbours are alike, so it is not made smaller.
        let noise = (0_u64..12_000).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40);
        event.details = serde_json::json!(noise.collect::<Vec<_>>());
    }
    store.write_events(&events).await.unwrap();
    process_all(&store).await;
    for batches in [1, 3, 7, 20] {
        let mut killed = start(&store, None).await;
        let mut done = BTreeSet::new();
        for _ in 0..batches {
            let batch = killed.next_batch(100).await.unwrap().expect("there are more");
            done.extend(batch.into_iter().map(|candidate| candidate.key));
        }
        let position = killed.position();
        let rules = default_retention();
        let token = CancellationToken::new();
        let mut next =
            RetentionWalk::start(&store, &rules, now(), None, Some(&position), token).await.unwrap();
        let rest: BTreeSet<String> =
            all_batches(&mut next, 100).await.into_iter().map(|candidate| candidate.key).collect();
        let all: BTreeSet<&String> = done.union(&rest).collect();
        assert_eq!(all.len(), 4_000, "none is passed over after {batches} batches");
        if batches > 1 {
            assert!(rest.len() < 4_000, "after {batches} batches it does not begin anew: {}", rest.len());
            assert!(next.notes().iter().any(|note| note.contains("went on")), "{:?}", next.notes());
        }
    }
    let elsewhere = WalkPosition { run_id: "another".to_owned(), cursor: 17 };
    let rules = default_retention();
    let mut next =
        RetentionWalk::start(&store, &rules, now(), None, Some(&elsewhere), CancellationToken::new())
            .await
            .unwrap();
    assert_eq!(
        all_batches(&mut next, 500).await.len(),
        4_000,
        "a cursor of another process is worth nothing"
    );
    assert!(next.notes().iter().any(|note| note.contains("started anew")), "{:?}", next.notes());
}

#[tokio::test]
async fn a_cancelled_walk_says_so() {
    let server = TestServer::start().await;
    let store = server.store().await;
    let cancel = CancellationToken::new();
    let mut walk =
        RetentionWalk::start(&store, &default_retention(), now(), None, None, cancel.clone()).await.unwrap();
    cancel.cancel();
    assert!(matches!(walk.next_batch(10).await, Err(RedisError::Cancelled)));
}
