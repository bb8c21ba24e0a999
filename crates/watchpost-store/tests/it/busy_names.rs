//! The Overview reads what is packed of hours and days, and says what a look at every event says.

use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Duration, DurationRound, Utc};
use watchpost_model::audit::AuditDraft;
use watchpost_model::event::{Category, Event, Outcome};
use watchpost_model::overview::Overview;
use watchpost_model::period::Period;
use watchpost_model::privacy::{Erasure, Subject, SubjectKind};
use watchpost_store::{BusyStep, IngestBatch, Store};

use crate::support::{World, both, draft, event};

both!(
    whatever_comes_and_goes_it_is_what_a_look_at_all_events_says,
    what_is_packed_is_read_and_what_comes_late_is_counted_at_once,
    what_is_packed_beside_writers_lacks_nothing,
    an_erased_name_is_in_nothing_that_is_packed,
    names_go_with_their_events,
    an_archive_of_an_older_schema_is_packed_as_a_whole,
);

/// Numbers that are the same in every run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    fn event(&mut self, n: u32, now: DateTime<Utc>) -> (Event, String) {
        let ago = Duration::seconds(i64::try_from(self.below(4 * 86_400)).unwrap());
        let mut event = event(n, now - ago);
        event.category = Category::ALL[usize::try_from(self.below(5)).unwrap()];
        event.outcome = Outcome::ALL[usize::try_from(self.below(3)).unwrap()];
        event.source_ip = (self.below(9) > 0).then(|| format!("203.0.113.{}", self.below(40)));
        event.resource = (self.below(9) > 0).then(|| format!("/say/\"{}\"", self.below(30)));
        event.count = u32::try_from(self.below(4)).unwrap();
        (event, format!("k{n}"))
    }
}

async fn take_in(store: &Store, events: &[(Event, String)], now: DateTime<Utc>) {
    store.ingest(IngestBatch { events, findings: &[], now }).await.unwrap();
}

/// Packs until nothing is due that is over, or `most` times; how often that was done.
async fn pack(store: &Store, now: DateTime<Utc>, most: u64) -> u64 {
    let mut packed = 0;
    while packed < most && store.busy_names_step(now).await.unwrap() == BusyStep::Packed {
        packed += 1;
    }
    packed
}

/// Says of the sources that nobody placed where they are; some are nowhere.
async fn place(store: &Store) {
    loop {
        let sources = store.sources_unplaced("file", 100).await.unwrap();
        if sources.is_empty() {
            return;
        }
        let country = |source: &str| ["DE", "FR"].get(source.len() % 3).map(|code| (*code).to_owned());
        let placed: Vec<(String, Option<String>)> =
            sources.into_iter().map(|source| (source.clone(), country(&source))).collect();
        store.sources_placed("file", &placed).await.unwrap();
    }
}

async fn of(store: &Store, from: DateTime<Utc>, to: DateTime<Utc>) -> Overview {
    store.overview(Period::new(from, to).unwrap(), to, 24).await.unwrap()
}

/// How many rows are packed.
async fn rows(world: &World) -> u64 {
    world.tamper("UPDATE busy_name SET n = n").await
}

fn events_of(overview: &Overview) -> u64 {
    overview.top_sources.iter().map(|top| top.events).sum()
}

/// Midnight three days ago.
fn midnight(world: &World) -> DateTime<Utc> {
    (world.now() - Duration::days(3)).duration_trunc(Duration::days(1)).unwrap()
}

async fn whatever_comes_and_goes_it_is_what_a_look_at_all_events_says(world: World) {
    let plain = World::sqlite().await;
    let now = world.now();
    let mut random = Random(7);
    let (mut there, mut n, mut packed): (Vec<(Event, String)>, u32, u64) = (Vec::new(), 0, 0);
    for store in [&world.store, &plain.store] {
        store.keep_places(true);
    }
    for turn in 0..40 {
        let batch: Vec<(Event, String)> = (0..random.below(30))
            .map(|_| {
                n += 1;
                random.event(n, now)
            })
            .collect();
        let last: Vec<(Event, String)> = there
            .iter()
            .filter(|_| random.below(40) == 0)
            .map(|(old, key)| {
                let mut new = old.clone();
                new.source_ip = Some("198.51.100.7".to_owned());
                new.outcome = Outcome::Failure;
                (new, key.clone())
            })
            .collect();
        let gone = (turn % 13 == 12).then(|| Category::ALL[turn / 13]);
        for store in [&world.store, &plain.store] {
            take_in(store, &batch, now).await;
            if !last.is_empty() {
                store.archive_upsert(&last, None).await.unwrap();
            }
            if let Some(category) = gone {
                store.archive_prune(category, now + Duration::days(1), 10_000).await.unwrap();
            }
            place(store).await;
        }
        there.extend(batch);
        if let Some(category) = gone {
            there.retain(|(event, _)| event.category != category);
        }
        let most = if turn % 10 == 9 { u64::MAX } else { random.below(40) };
        packed += pack(&world.store, now, most).await;
        for (from, to) in [
            (now - Duration::days(5), now),
            (now - Duration::seconds(200_001), now - Duration::seconds(9_999)),
            (midnight(&world), midnight(&world) + Duration::days(1)),
            (now - Duration::minutes(7), now),
        ] {
            assert_eq!(of(&world.store, from, to).await, of(&plain.store, from, to).await, "turn {turn}");
        }
    }
    assert!(packed > 200, "{packed} hours and days were packed");
    assert!(rows(&world).await > 100);
    plain.store.close().await;
}

/// An event in each hour of two days, and two in each fourth one.
fn hourly(from: DateTime<Utc>) -> Vec<(Event, String)> {
    let hour = |n: u32| from + Duration::hours(i64::from(n)) + Duration::minutes(5);
    let twice = (0..12).map(|n| (event(100 + n, hour(4 * n)), format!("k{}", 100 + n)));
    (0..48).map(|n| (event(n, hour(n)), format!("k{n}"))).chain(twice).collect()
}

async fn what_is_packed_is_read_and_what_comes_late_is_counted_at_once(world: World) {
    let (now, begin) = (world.now(), midnight(&world));
    let two_days = async || of(&world.store, begin, begin + Duration::days(2)).await;
    world.ingest(&hourly(begin), &[]).await;
    let before = two_days().await;
    assert_eq!(events_of(&before), 60);
    // Nothing is packed before it is over.
    assert_eq!(world.store.busy_names_step(begin + Duration::minutes(69)).await.unwrap(), BusyStep::Rest);
    assert_eq!(pack(&world.store, begin + Duration::minutes(70), u64::MAX).await, 1);
    assert_eq!(pack(&world.store, now, u64::MAX).await, 49, "47 hours, two days");
    assert_eq!(pack(&world.store, now, u64::MAX).await, 0, "and once");
    assert_eq!(two_days().await, before);

    let late = [(event(200, begin + Duration::hours(5)), "late".to_owned())];
    world.ingest(&late, &[]).await;
    let with = two_days().await;
    assert_eq!(events_of(&with), 61, "at once");
    world.ingest(&late, &[]).await;
    assert_eq!(pack(&world.store, now, u64::MAX).await, 2, "its hour, then the day");
    assert_eq!(two_days().await, with);

    // What is packed is what is read.
    world.tamper("UPDATE busy_name SET names = '[]'").await;
    let read = two_days().await;
    assert_eq!((read.top_sources.len(), read.top_targets.len(), read.api.endpoints.len()), (0, 0, 0));
    assert_eq!(read.counts, with.counts, "which are of the rollups");
}

async fn what_is_packed_beside_writers_lacks_nothing(world: World) {
    let (now, begin) = (world.now(), midnight(&world));
    let (plain, another) = (World::sqlite().await, world.another().await);
    let all: Vec<(Event, String)> = (0..300)
        .map(|n| (event(n, begin + Duration::minutes(i64::from(n) * 7 % 180)), format!("k{n}")))
        .collect();
    let is_over = AtomicBool::new(false);
    let write = async {
        for batch in all.chunks(10) {
            world.ingest(batch, &[]).await;
        }
        is_over.store(true, Ordering::Relaxed);
    };
    let packing = async {
        while !is_over.load(Ordering::Relaxed) {
            another.busy_names_step(now).await.unwrap();
        }
    };
    tokio::join!(write, packing);
    take_in(&plain.store, &all, now).await;
    let day = begin + Duration::days(1);
    let expect = of(&plain.store, begin, day).await;
    assert_eq!(of(&world.store, begin, day).await, expect, "as it was left");
    pack(&another, now, u64::MAX).await;
    assert_eq!(of(&world.store, begin, day).await, expect);
    another.close().await;
    plain.store.close().await;
}

async fn an_erased_name_is_in_nothing_that_is_packed(world: World) {
    let (now, begin) = (world.now(), midnight(&world));
    let mut batch = hourly(begin);
    // One source by its own name; and somebody whom no source names, with events in other hours.
    for (event, _) in &mut batch[3..6] {
        event.source_ip = Some("198.51.100.9".to_owned());
    }
    for (event, _) in &mut batch {
        event.actor = Some("robin".to_owned());
    }
    for (event, _) in &mut batch[30..32] {
        event.actor = Some("anna".to_owned());
    }
    world.ingest(&batch, &[]).await;
    pack(&world.store, now, u64::MAX).await;
    let asked = |_: &Erasure| -> AuditDraft { draft("privacy_erase") };
    let mut left = 60;
    for (kind, name, events, is_packed) in
        [(SubjectKind::Ip, "198.51.100.9", 3, true), (SubjectKind::User, "anna", 2, false)]
    {
        let subject = Subject::new(kind, name).unwrap();
        let look = world.store.privacy_scan(&subject).await.unwrap();
        assert_eq!(look.found.iter().any(|one| one.place == "busy_name.names"), is_packed, "{look:?}");
        let (erasure, _) = world.store.privacy_erase(&subject, "robin", asked).await.unwrap();
        let gone = erasure.counts.iter().find(|count| count.what == "event").map(|count| count.removed);
        assert_eq!(gone, Some(events), "{name}");
        left -= events;
        for when in ["at once", "packed anew"] {
            assert_eq!(world.store.privacy_scan(&subject).await.unwrap().found, [], "{name}, {when}");
            let overview = of(&world.store, begin, begin + Duration::days(2)).await;
            assert_eq!(events_of(&overview), left, "{name}, {when}");
            assert!(overview.top_sources.iter().all(|top| top.entity.value != name), "{name}, {when}");
            pack(&world.store, now, u64::MAX).await;
        }
    }
}

async fn names_go_with_their_events(world: World) {
    let (now, begin) = (world.now(), midnight(&world));
    world.ingest(&hourly(begin), &[]).await;
    pack(&world.store, now, u64::MAX).await;
    assert_eq!(rows(&world).await, 100, "of sources and endpoints, 48 hours and two days");
    let removed =
        world.store.archive_prune(Category::ApiUsage, now + Duration::days(1), 10_000).await.unwrap();
    assert_eq!((removed, rows(&world).await), (60, 0), "at once");
    assert_eq!(pack(&world.store, now, u64::MAX).await, 50, "it is seen that they hold nothing");
    assert_eq!((rows(&world).await, events_of(&of(&world.store, begin, now).await)), (0, 0));
}

async fn an_archive_of_an_older_schema_is_packed_as_a_whole(world: World) {
    let (now, begin) = (world.now(), midnight(&world));
    world.ingest(&hourly(begin), &[]).await;
    let before = of(&world.store, begin, now).await;
    // As it was before anything was packed.
    for sql in [
        "DROP TABLE busy_name",
        "DROP TABLE busy_due",
        "DELETE FROM schema_version WHERE version = 20261123000040",
    ] {
        world.tamper(sql).await;
    }
    let again = world.another().await;
    assert_eq!(of(&again, begin, now).await, before);
    assert_eq!(pack(&again, now, u64::MAX).await, 50, "48 hours, two days");
    assert_eq!(of(&again, begin, now).await, before);
    again.close().await;
}
