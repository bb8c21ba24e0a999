//! Counts by the hour are those by five minutes, whoever writes these; and the Overview that reads them counts each event once.

use chrono::{DateTime, Duration, DurationRound, Utc};
use watchpost_model::event::{Category, Event, Outcome, Severity};
use watchpost_model::overview::Overview;
use watchpost_model::period::Period;
use watchpost_model::privacy::{Subject, SubjectKind};
use watchpost_store::{IngestBatch, Store};

use crate::busy_names::Random;
use crate::support::{World, both, draft, event, events};

both!(
    hours_are_what_the_five_minutes_say,
    the_overview_counts_each_event_of_a_period,
    an_older_schema_gets_the_hours_of_what_was_counted,
    a_copy_counts_each_event_once,
);

/// Hours that say something else than the five minutes in them, and counts that are in no hour.
async fn apart(world: &World) -> u64 {
    let is_of = "r.category = h.category AND r.severity = h.severity AND r.outcome = h.outcome \
        AND r.bucket >= h.bucket AND r.bucket < h.bucket + 3600000000";
    let wrong = format!(
        "UPDATE rollup_hour AS h SET n = n \
         WHERE n <> COALESCE((SELECT SUM(r.n) FROM rollup AS r WHERE {is_of}), 0)"
    );
    let missing = format!(
        "UPDATE rollup AS r SET n = n WHERE n <> 0 AND NOT EXISTS (SELECT 1 FROM rollup_hour AS h WHERE {is_of})"
    );
    world.tamper(&missing).await + world.tamper(&wrong).await
}

/// An event of some kind.
fn some(random: &mut Random, n: u32, at: DateTime<Utc>) -> (Event, String) {
    let mut event = event(n, at);
    event.category = Category::ALL[usize::try_from(random.below(5)).unwrap()];
    event.outcome = Outcome::ALL[usize::try_from(random.below(3)).unwrap()];
    event.count = u32::try_from(random.below(4)).unwrap();
    (event, format!("k{n}"))
}

fn seconds(random: &mut Random, most: u64) -> Duration {
    Duration::seconds(i64::try_from(random.below(most)).unwrap())
}

async fn hours_are_what_the_five_minutes_say(world: World) {
    let now = world.now();
    let mut random = Random(41);
    let (mut there, mut n): (Vec<(Event, String)>, u32) = (Vec::new(), 0);
    for turn in 0..30_u64 {
        let mut batch = Vec::new();
        for _ in 0..5 + random.below(20) {
            n += 1;
            let ago = seconds(&mut random, 30_000);
            batch.push(some(&mut random, n, now - ago));
        }
        world.ingest(&batch, &[]).await;
        there.extend(batch);
        match turn % 5 {
            1 => {
                let mut last: Vec<(Event, String)> = there.iter().step_by(7).cloned().collect();
                for (event, _) in &mut last {
                    event.severity = Severity::ALL[usize::try_from(random.below(5)).unwrap()];
                    event.count = 9;
                }
                world.store.archive_upsert(&last, None).await.unwrap();
            }
            2 => {
                let sql =
                    "DELETE FROM rollup WHERE bucket IN (SELECT bucket FROM rollup ORDER BY bucket LIMIT 9)";
                world.tamper(sql).await;
                assert_eq!(apart(&world).await, 0, "turn {turn}, of what is gone");
                let period = Period::ending(now, Duration::days(1));
                world.store.rollups_check(period, true).await.unwrap();
            }
            3 => {
                let category = Category::ALL[usize::try_from(random.below(5)).unwrap()];
                world.store.archive_prune(category, now + Duration::days(1), 40).await.unwrap();
            }
            4 => {
                let subject = Subject::new(SubjectKind::Ip, &format!("203.0.113.{}", turn % 7)).unwrap();
                world.store.privacy_erase(&subject, "robin", |_| draft("privacy_erase")).await.unwrap();
            }
            _ => {}
        }
        assert_eq!(apart(&world).await, 0, "turn {turn}");
    }
    let before_1970 = "INSERT INTO rollup (bucket, category, severity, outcome, n) \
        VALUES (-300000000, 'api_usage', 1, 'success', 3), (-3600000000, 'api_usage', 1, 'success', 4)";
    world.tamper(before_1970).await;
    let hour = "UPDATE rollup_hour SET n = n WHERE bucket = -3600000000 AND n = 7";
    assert_eq!((world.tamper(hour).await, apart(&world).await), (1, 0));
    world.tamper("DELETE FROM rollup").await;
    assert_eq!(
        (world.tamper("UPDATE rollup_hour SET n = n WHERE n <> 0").await, apart(&world).await),
        (0, 0)
    );
}

/// Holds an Overview to a look at all events.
fn agrees(overview: &Overview, all: &[(Event, String)], period: Period, buckets: usize) {
    let n = |event: &Event| u64::from(event.count.max(1));
    let of =
        |period: Period| all.iter().map(|(event, _)| event).filter(move |event| period.contains(event.at));
    let sum = |period: Period| Some(of(period).map(n).sum::<u64>() as f64);
    let events = overview.kpis.iter().find(|kpi| kpi.name == "events").unwrap();
    assert_eq!((events.value, events.previous), (sum(period), sum(period.previous())), "{period:?}");
    let chart = &overview.by_category;
    let width = i64::try_from(chart.bucket_s).unwrap();
    let round = if width < 5_400 { 300 } else { 3_600 };
    assert_eq!((width % round, chart.start.timestamp() % round), (0, 0), "{period:?}");
    for &category in Category::ALL {
        let series = chart.series.iter().find(|series| series.name == category.to_string()).unwrap();
        assert!(series.counts.len() <= buckets, "{} of {buckets}", series.counts.len());
        let mut expect = vec![0; series.counts.len()];
        for event in of(period).filter(|event| event.category == category) {
            expect[usize::try_from((event.at - chart.start).num_seconds() / width).unwrap()] += n(event);
        }
        assert_eq!(series.counts, expect, "{category} of {period:?} in {buckets}");
        for &severity in Severity::ALL {
            let found =
                overview.counts.iter().find(|one| (one.category, one.severity) == (category, severity));
            let is = |event: &&Event| (event.category, event.severity) == (category, severity);
            let expect = of(period).filter(is).map(n).sum::<u64>();
            assert_eq!(found.map_or(0, |one| one.events), expect, "{category} {severity} of {period:?}");
        }
    }
}

async fn the_overview_counts_each_event_of_a_period(world: World) {
    let now = world.now();
    let this_hour = now.duration_trunc(Duration::hours(1)).unwrap();
    let mut random = Random(30);
    let mut all = Vec::new();
    for n in 0..1_500 {
        let most = [7_200, 2 * 86_400, 61 * 86_400][usize::try_from(random.below(3)).unwrap()];
        let ago = seconds(&mut random, most);
        // Some on the hour, which is where one bucket ends and the next one begins.
        let at = if n % 9 == 0 { this_hour - Duration::hours(ago.num_hours()) } else { now - ago };
        all.push(some(&mut random, n, at));
    }
    world.ingest(&all, &[]).await;
    for length in [Duration::hours(1), Duration::days(1), Duration::days(7), Duration::days(30)] {
        for to in [now, now - Duration::microseconds(4_321_987_654), this_hour] {
            for buckets in [1, 24, 96, 200] {
                let period = Period::ending(to, length);
                let overview = world.store.overview(period, now, buckets).await.unwrap();
                agrees(&overview, &all, period, usize::try_from(buckets).unwrap());
            }
        }
    }
    // It is the hours that are read of a month, and the five minutes of an hour.
    let hour = Period::ending(now, Duration::hours(1));
    let before = world.store.overview(hour, now, 96).await.unwrap().counts;
    world.tamper("UPDATE rollup_hour SET n = 0").await;
    assert_eq!(world.store.overview(hour, now, 96).await.unwrap().counts, before);
    let month = Period::ending(now, Duration::days(30));
    let first_hour = this_hour - Duration::days(30) + Duration::hours(1);
    let at_ends =
        |event: &Event| month.contains(event.at) && (event.at < first_hour || event.at >= this_hour);
    let left: u64 =
        all.iter().filter(|(event, _)| at_ends(event)).map(|(event, _)| u64::from(event.count.max(1))).sum();
    assert_eq!(of_month(&world.store, now).await, left, "of the rests at both ends");
}

fn counted(overview: &Overview) -> u64 {
    overview.counts.iter().map(|one| one.events).sum()
}

async fn of_month(store: &Store, now: DateTime<Utc>) -> u64 {
    counted(&store.overview(Period::ending(now, Duration::days(30)), now, 96).await.unwrap())
}

async fn an_older_schema_gets_the_hours_of_what_was_counted(world: World) {
    let now = world.now();
    world.ingest(&events(400, now - Duration::hours(5)), &[]).await;
    let before = of_month(&world.store, now).await;
    let triggers: &[&str] = if world.is_postgres() {
        &["DROP FUNCTION watchpost_rollup_hour() CASCADE"]
    } else {
        &[
            "DROP TRIGGER rollup_hour_added",
            "DROP TRIGGER rollup_hour_changed",
            "DROP TRIGGER rollup_hour_removed",
        ]
    };
    for sql in triggers {
        world.tamper(sql).await;
    }
    world.tamper("DROP TABLE rollup_hour").await;
    world.tamper("DELETE FROM schema_version WHERE version = 20261124000041").await;
    let more = |n: u32| (event(n, now - Duration::hours(4)), format!("more{n}"));
    world.ingest(&[more(1_000), more(1_001)], &[]).await;
    let again = world.another().await;
    assert_eq!((of_month(&again, now).await, apart(&world).await), (before + 2, 0));
    // A console that was opened before goes on.
    world.ingest(&[more(1_002)], &[]).await;
    assert_eq!((of_month(&again, now).await, apart(&world).await), (before + 3, 0));
    again.close().await;
}

async fn a_copy_counts_each_event_once(world: World) {
    let now = world.now();
    // A server's database is copied by programs of its packages.
    if world.store.copies_can_be_made().await.is_err() {
        return;
    }
    world.ingest(&events(400, now - Duration::hours(5)), &[]).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy");
    world.store.copy_to(&path, &|| true).await.unwrap();
    let copy = world.store.open_copy(&path, &|| true).await.unwrap();
    let store = Store::open(&copy.target(), world.clock.clone()).await.unwrap();
    let before = of_month(&world.store, now).await;
    assert_eq!(of_month(&store, now).await, before);
    let late = [(event(1_000, now - Duration::hours(4)), "late".to_owned())];
    store.ingest(IngestBatch { events: &late, findings: &[], now }).await.unwrap();
    assert_eq!((of_month(&store, now).await, of_month(&world.store, now).await), (before + 1, before));
    store.close().await;
    copy.end().await;
}
