//! The archive of events: pages, search, what retention needs, and counters that agree with the rows.

use std::collections::HashSet;

use chrono::Duration;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use watchpost_model::event::{Category, Entity, EntityKind, Event, Http, Outcome, Severity};
use watchpost_model::ids::EventId;
use watchpost_model::period::Period;
use watchpost_store::{
    EventCursor, EventFilter, IngestBatch, Pulse, StoreError, StoringCursor, VerifyPlan, event_digest,
};

use crate::support::{World, both, caller, event, events};

both!(
    pages_are_the_whole_set,
    filters_agree_with_the_rows,
    known_and_detail,
    archive_keeps_the_last_value,
    the_archive_forgets_after_its_days_and_keeps_what_was_counted,
    short_answers,
    a_saved_state_knows_what_came_after_it,
    replay_is_in_order,
    any_batches_count_once,
    counts_that_lack_events_are_brought_up_to_date,
);

async fn all_pages(world: &World, filter: &EventFilter, limit: u32) -> Vec<Event> {
    let mut rows = Vec::new();
    let mut before = None;
    loop {
        let page = world.store.event_page(filter, before, limit).await.unwrap();
        assert!(page.rows.len() <= limit as usize);
        rows.extend(page.rows);
        match page.next {
            Some(next) => before = Some(next),
            None => return rows,
        }
    }
}

async fn pages_are_the_whole_set(world: World) {
    let now = world.now();
    // Many of the same moment, so that the id has to break ties.
    let batch: Vec<(Event, String)> =
        (0..97).map(|n| (event(n, now - Duration::seconds(i64::from(n / 10))), format!("k{n}"))).collect();
    world.ingest(&batch, &[]).await;
    let mut expect: Vec<&Event> = batch.iter().map(|(event, _)| event).collect();
    expect.sort_by_key(|event| std::cmp::Reverse((event.at, event.id)));
    for limit in [1, 7, 10, 97, 500] {
        let rows = all_pages(&world, &EventFilter::default(), limit).await;
        assert_eq!(rows.iter().collect::<Vec<_>>(), expect, "limit {limit}");
    }
    for limit in [0, 501] {
        let refused = world.store.event_page(&EventFilter::default(), None, limit).await;
        assert!(matches!(refused, Err(StoreError::Validation(_))), "limit {limit}");
    }
}

async fn filters_agree_with_the_rows(world: World) {
    let start = world.now() - Duration::hours(1);
    let mut batch = events(200, start);
    batch[17].0.http =
        Some(Http { path: "/a_b".into(), query: Some("q=100%25 ÄRGER".into()), ..Http::default() });
    batch[18].0.session = Some("s-1".to_owned());
    batch[19].0.category = Category::Authentication;
    world.ingest(&batch, &[]).await;
    type Test = (EventFilter, Box<dyn Fn(&Event) -> bool>);
    let period = Period::new(start + Duration::seconds(10), start + Duration::seconds(20)).unwrap();
    let entity = |kind, value: &str| Some(Entity::new(kind, value));
    let any = EventFilter::default;
    let tests: Vec<Test> = vec![
        (any(), Box::new(|_| true)),
        (EventFilter { period: Some(period), ..any() }, Box::new(move |e| period.contains(e.at))),
        (
            EventFilter { severity: vec![Severity::High, Severity::Critical], ..any() },
            Box::new(|e| e.severity >= Severity::High),
        ),
        (
            EventFilter { category: vec![Category::Authentication], ..any() },
            Box::new(|e| e.category == Category::Authentication),
        ),
        (
            EventFilter { outcome: Some(Outcome::Failure), ..any() },
            Box::new(|e| e.outcome == Outcome::Failure),
        ),
        (
            EventFilter { entity: entity(EntityKind::Ip, "203.0.113.3"), ..any() },
            Box::new(|e| e.source_ip.as_deref() == Some("203.0.113.3")),
        ),
        (
            EventFilter {
                entity: entity(EntityKind::User, "user2"),
                outcome: Some(Outcome::Success),
                ..any()
            },
            Box::new(|e| e.actor.as_deref() == Some("user2") && e.outcome == Outcome::Success),
        ),
        (
            EventFilter { entity: entity(EntityKind::Session, "s-1"), ..any() },
            Box::new(|e| e.session.is_some()),
        ),
        (EventFilter { entity: entity(EntityKind::Endpoint, "/search"), ..any() }, Box::new(|_| true)),
        (EventFilter { text: Some("ärger A_B".into()), ..any() }, Box::new(|e| e.http.is_some())),
        (EventFilter { text: Some("a%b".into()), ..any() }, Box::new(|_| false)),
        (
            EventFilter { text: Some("USER4".into()), ..any() },
            Box::new(|e| e.actor.as_deref() == Some("user4")),
        ),
    ];
    for (filter, is) in tests {
        let expect: HashSet<EventId> = batch.iter().filter(|(e, _)| is(e)).map(|(e, _)| e.id).collect();
        let found: HashSet<EventId> = all_pages(&world, &filter, 50).await.iter().map(|e| e.id).collect();
        assert_eq!(found, expect, "{filter:?}");
        assert_eq!(
            world.store.event_count(&filter).await.unwrap(),
            expect.len() as u64,
            "count of {filter:?}"
        );
    }
}

async fn known_and_detail(world: World) {
    let batch = events(250, world.now());
    world.ingest(&batch[..230], &[]).await;
    let ids: Vec<EventId> = batch.iter().map(|(event, _)| event.id).collect();
    let known = world.store.known_events(&ids).await.unwrap();
    assert_eq!(known, ids[..230].iter().copied().collect(), "exactly the stored ones");
    let detail = world.store.event_detail(ids[3]).await.unwrap();
    assert_eq!((&detail.event, &detail.redis_key), (&batch[3].0, &batch[3].1));
    assert_eq!(detail.archived_at, None);
    let missing = world.store.event_detail(ids[249]).await;
    assert!(matches!(missing, Err(StoreError::NotFound(_))), "{missing:?}");
}

async fn archive_keeps_the_last_value(world: World) {
    let mut batch = events(20, world.now() - Duration::hours(2));
    world.ingest(&batch[..10], &[]).await;
    batch[2].0.severity = Severity::Critical;
    batch[2].0.outcome = Outcome::Failure;
    batch[3].0.at += Duration::minutes(30);
    let keys: Vec<String> = batch.iter().map(|(_, key)| key.clone()).collect();
    assert!(world.store.is_archived(&keys).await.unwrap().is_empty(), "taken in is not archived");
    let digests = world.store.archive_upsert(&batch[..15], None).await.unwrap();
    assert_eq!(digests.len(), 15);
    let archived = world.store.archived_digests(&keys).await.unwrap();
    assert_eq!(archived.len(), 15);
    for (event, key) in &batch[..15] {
        assert_eq!(archived[key], event_digest(event).unwrap(), "{key}");
        assert_eq!(world.store.event_detail(event.id).await.unwrap().event, *event, "the last value is kept");
    }
    world.store.archive_upsert(&batch[..15], None).await.unwrap();
    let period = Period::new(world.now() - Duration::hours(3), world.now()).unwrap();
    let overview = world.store.overview(period, world.now(), 30).await.unwrap();
    assert_eq!(overview.counts.iter().map(|c| c.events).sum::<u64>(), 15, "each event is counted once");
    let critical: u64 =
        overview.counts.iter().filter(|c| c.severity == Severity::Critical).map(|c| c.events).sum();
    let expect = batch[..15].iter().filter(|(e, _)| e.severity == Severity::Critical).count() as u64;
    assert_eq!(critical, expect, "a changed event moves in the counts");
}

async fn the_archive_forgets_after_its_days_and_keeps_what_was_counted(world: World) {
    // A log of last year that comes in today is a day old tomorrow, whatever its events say.
    let old = events(40, world.now() - Duration::days(365));
    world.ingest(&old, &[]).await;
    world.clock.advance(Duration::days(10));
    let new = events(7, world.now());
    world.ingest(&new, &[]).await;
    let of = |batch: &[(Event, String)], category| {
        batch.iter().filter(|(event, _)| event.category == category).count() as u64
    };
    let cutoff = world.now() - Duration::days(5);
    for &category in Category::ALL {
        let due = world.store.archive_due(category, cutoff).await.unwrap();
        assert_eq!(due, of(&old, category), "{category}: the preview counts what the run removes");
        let mut removed = 0;
        loop {
            let n = world.store.archive_prune(category, cutoff, 3).await.unwrap();
            assert!(n <= 3, "at most what was asked for");
            removed += n;
            if n == 0 {
                break;
            }
        }
        assert_eq!(removed, due, "{category}");
    }
    let left = world.store.event_count(&EventFilter::default()).await.unwrap();
    assert_eq!(left, new.len() as u64, "younger events stay");
    let period = Period::new(world.now() - Duration::days(400), world.now() + Duration::days(1)).unwrap();
    let counts = world.store.overview(period, world.now(), 30).await.unwrap().counts;
    assert_eq!(counts.iter().map(|c| c.events).sum::<u64>(), 47, "rollups stay");
}

async fn short_answers(world: World) {
    assert_eq!(
        world.store.pulse().await.unwrap(),
        Pulse { newest_event: None, incidents_active: 0, read_only: None }
    );
    assert_eq!(world.store.events_span().await.unwrap(), None);
    assert_eq!(world.store.stored_at_of_newest(3).await.unwrap(), None);
    let first = events(5, world.now() - Duration::hours(1));
    let second = events(9, world.now());
    world.ingest(&second[5..], &[]).await;
    world.clock.advance(Duration::seconds(1));
    world.ingest(&first, &[]).await;
    let newest = second.iter().map(|(event, _)| event.at).max();
    assert_eq!(world.store.pulse().await.unwrap().newest_event, newest);
    let span = world.store.events_span().await.unwrap().unwrap();
    assert!(first.iter().chain(&second[5..]).all(|(event, _)| span.contains(event.at)), "{span:?}");
    let times = |n| world.store.stored_at_of_newest(n);
    let (newest, oldest) = (times(1).await.unwrap().unwrap(), times(100).await.unwrap().unwrap());
    assert_eq!(newest - oldest, Duration::seconds(1));
    assert_eq!(times(5).await.unwrap(), Some(newest), "the second batch");
    assert_eq!(times(6).await.unwrap(), Some(oldest));
    let head = world.store.audit_head().await.unwrap();
    let verified =
        world.store.audit_verify(&caller("dana"), VerifyPlan::default(), &|_, _| true).await.unwrap();
    assert_eq!(
        (head.size, head.root),
        (verified.leaves.unsigned_abs(), verified.root),
        "the root is that of the tree"
    );
}

async fn a_saved_state_knows_what_came_after_it(world: World) {
    assert_eq!(world.store.engine_state("live").await.unwrap(), None);
    let batches =
        [events(4, world.now()), events(9, world.now())[4..].to_vec(), events(12, world.now())[9..].to_vec()];
    let mut times = Vec::new();
    for (nth, batch) in batches.iter().enumerate() {
        world.clock.advance(Duration::milliseconds(1));
        let body = [u8::try_from(nth).unwrap(); 3];
        let state = (nth < 2).then_some(("live", body.as_slice()));
        let batch = IngestBatch { events: batch, findings: &[], now: world.now() };
        world.store.ingest_saving(batch, state).await.unwrap();
        times.push(world.now());
    }
    let saved = world.store.engine_state("live").await.unwrap().expect("saved twice");
    assert_eq!((saved.until, saved.body), (times[1], vec![1, 1, 1]), "the newer one stands");
    let after = world.store.events_stored_after(saved.until, None, 5_000).await.unwrap();
    let ids: Vec<_> = after.iter().map(|(event, stored_at)| (event.id, *stored_at)).collect();
    assert_eq!(ids, batches[2].iter().map(|(event, _)| (event.id, times[2])).collect::<Vec<_>>());
    // In pages, from the beginning.
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = world.store.events_stored_after(times[0] - Duration::days(1), cursor, 5).await.unwrap();
        let Some((last, stored_at)) = page.last() else { break };
        cursor = Some(StoringCursor { stored_at: *stored_at, event: EventCursor::of(last) });
        seen.extend(page.iter().map(|(event, _)| event.id));
    }
    assert_eq!(seen, batches.concat().iter().map(|(event, _)| event.id).collect::<Vec<_>>());
}

async fn replay_is_in_order(world: World) {
    let start = world.now() - Duration::hours(1);
    let batch = events(30, start);
    let shuffled: Vec<_> = batch.iter().rev().cloned().collect();
    world.ingest(&shuffled, &[]).await;
    let mut seen = Vec::new();
    let mut after = None;
    let from = batch[5].0.at;
    loop {
        let rows = world.store.events_after(after, from, 4).await.unwrap();
        let Some(last) = rows.last() else { break };
        after = Some(EventCursor::of(last));
        seen.extend(rows);
    }
    let expect: Vec<Event> = batch[5..].iter().map(|(event, _)| event.clone()).collect();
    assert_eq!(seen, expect);
}

/// Whatever the batches and however often they come: each event is stored once and counted once.
async fn any_batches_count_once(world: World) {
    let pool = events(40, world.now() - Duration::minutes(37));
    let plan = proptest::collection::vec(proptest::collection::vec(0_usize..40, 0..25), 1..12);
    let config = Config { cases: 1, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[5; 32]));
    let mut stored: HashSet<EventId> = HashSet::new();
    for _ in 0..6 {
        let batches = plan.new_tree(&mut runner).unwrap().current();
        for batch in batches {
            let picked: Vec<(Event, String)> = batch.iter().map(|n| pool[*n].clone()).collect();
            let fresh = picked.iter().filter(|(event, _)| stored.insert(event.id)).count() as u64;
            let outcome = world.ingest(&picked, &[]).await;
            assert_eq!((outcome.inserted, outcome.duplicates), (fresh, picked.len() as u64 - fresh));
        }
        // An odd period, so that both ends fall inside buckets.
        let period = Period::new(pool[3].0.at, pool[31].0.at).unwrap();
        let filter = EventFilter { period: Some(period), ..EventFilter::default() };
        let listed = all_pages(&world, &filter, 9).await.len() as u64;
        let expect = pool[3..31].iter().filter(|(event, _)| stored.contains(&event.id)).count() as u64;
        let counted: u64 =
            world.store.overview(period, world.now(), 7).await.unwrap().counts.iter().map(|c| c.events).sum();
        assert_eq!(listed, expect, "listed");
        assert_eq!(counted, expect, "counted");
    }
}

async fn counts_that_lack_events_are_brought_up_to_date(world: World) {
    // All of them in one bucket, whatever the time of day.
    let bucket = (world.now() - Duration::hours(2)).timestamp() / 300 * 300;
    let pool = events(60, chrono::DateTime::from_timestamp(bucket, 0).unwrap());
    world.ingest(&pool, &[]).await;
    let period = Period::new(world.now() - Duration::days(1), world.now()).unwrap();
    let whole = world.store.rollups_check(period, false).await.unwrap();
    assert_eq!((whole.behind, whole.events.values().sum::<u64>()), (0, 60), "counted as they were stored");
    // What was counted and went from the archive after its days stays counted.
    world.tamper("DELETE FROM event WHERE id IN (SELECT id FROM event ORDER BY at LIMIT 7)").await;
    let kept = world.store.rollups_check(period, true).await.unwrap();
    assert_eq!(kept, whole, "a count above the archive is right");
    world.tamper("DELETE FROM rollup WHERE bucket = (SELECT MAX(bucket) FROM rollup)").await;
    let lacking = world.store.rollups_check(period, false).await.unwrap();
    assert!(lacking.behind > 0, "{lacking:?}");
    assert_eq!(world.store.rollups_check(period, false).await.unwrap(), lacking, "looking changes nothing");
    let repaired = world.store.rollups_check(period, true).await.unwrap();
    assert_eq!(repaired.behind, lacking.behind);
    let after = world.store.rollups_check(period, true).await.unwrap();
    assert_eq!((after.behind, &after.events), (0, &repaired.events), "and once");
    assert_eq!(after.events.values().sum::<u64>(), 53, "what the archive has not, no count can be made of");
}
