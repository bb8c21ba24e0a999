//! The archive of events in partitions on PostgreSQL: what is there is moved, whoever writes has room made, and one event is
//! archived once, whatever its time.

use std::sync::Arc;

use chrono::{DateTime, Duration, Months, Utc};
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Executor, Row};
use watchpost_model::clock::{Clock, ManualClock, SystemClock};
use watchpost_model::event::Event;
use watchpost_store::{DatabaseTarget, EventFilter, IngestBatch, Store};

use crate::roles::{ROLES, Team, connect, holds, refused};
use crate::support::{World, draft, event, postgres_database, whole_micros};

const BASE: &str = include_str!("../../migrations/postgres/20261120000000_base.sql");
/// What no partition was made for.
const REST: &str = "event_rest";

/// What the oldest schema had of a person in the trail.
const OLD_KEY: &str = "
INSERT INTO audit_name (id, kind, name) VALUES (repeat('a', 32), 'actor', 'dana');
INSERT INTO subject_key (id, subject, secret, created_at)
VALUES (repeat('1', 32), repeat('a', 32), decode(repeat('05', 32), 'hex'), 0);
";

fn ago(now: DateTime<Utc>, months: u32) -> DateTime<Utc> {
    now.checked_sub_months(Months::new(months)).unwrap()
}

fn part(at: DateTime<Utc>) -> String {
    at.format("event_%Y_%m").to_string()
}

fn keyed(n: u32, at: DateTime<Utc>) -> (Event, String) {
    (event(n, at), format!("security:test:{n}"))
}

/// The first column of what is asked.
async fn words(target: &DatabaseTarget, sql: &str) -> Vec<String> {
    let mut look = connect(target).await;
    look.fetch_all(AssertSqlSafe(sql.to_owned())).await.unwrap().iter().map(|row| row.get(0)).collect()
}

async fn parts(target: &DatabaseTarget) -> Vec<String> {
    let sql = "SELECT CAST(inhrelid::regclass AS TEXT) FROM pg_inherits WHERE inhparent = 'event'::regclass ORDER BY 1";
    words(target, sql).await
}

/// Where an event is: one place, if it is archived once.
async fn places(target: &DatabaseTarget, event: &Event) -> Vec<String> {
    words(target, &format!("SELECT tableoid::regclass::text FROM event WHERE id = '{}'", event.id)).await
}

async fn archived(store: &Store) -> Vec<Event> {
    store.event_page(&EventFilter::default(), None, 500).await.unwrap().rows
}

/// A database of the oldest schema that was shipped, with these events in it.
async fn make_oldest(target: &DatabaseTarget, events: &[Event], now: DateTime<Utc>) {
    let mut old = connect(target).await;
    old.execute(BASE).await.unwrap();
    old.execute(
        "CREATE TABLE schema_version \
         (version BIGINT PRIMARY KEY, name TEXT NOT NULL, digest BYTEA NOT NULL, applied_at BIGINT NOT NULL)",
    )
    .await
    .unwrap();
    sqlx::query("INSERT INTO schema_version VALUES (20261120000000, 'base', $1, 0)")
        .bind(Sha256::digest(BASE.as_bytes()).to_vec())
        .execute(&mut old)
        .await
        .unwrap();
    for event in events {
        sqlx::query(
            "INSERT INTO event (id, at, category, severity, outcome, actor, source_ip, redis_key, redis_key_hash, digest, \
             stored_at, search, body) VALUES ($1, $2, $3, 0, $4, $5, $6, 'key', '', '', $7, 'request', $8)",
        )
        .bind(event.id.to_string())
        .bind(event.at.timestamp_micros())
        .bind(event.category.as_str())
        .bind(event.outcome.as_str())
        .bind(event.actor.clone())
        .bind(event.source_ip.clone())
        .bind(now.timestamp_micros())
        .bind(serde_json::to_string(event).unwrap())
        .execute(&mut old)
        .await
        .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_archive_of_the_oldest_schema_is_moved_into_its_months() {
    let Some(target) = postgres_database().await else { return };
    let clock = Arc::new(ManualClock::new(whole_micros(SystemClock.now())));
    let now = clock.now();
    let months = [now, ago(now, 1), ago(now, 1) - Duration::seconds(1), ago(now, 7), ago(now, 24)];
    let beyond = [ago(now, 300), now + Duration::days(100_000)];
    let times: Vec<DateTime<Utc>> = months.into_iter().chain(beyond).collect();
    let mut events: Vec<Event> = (1..).zip(&times).map(|(n, at)| event(n, *at)).collect();
    make_oldest(&target, &events, now).await;
    connect(&target).await.execute(OLD_KEY).await.unwrap();

    let store = Store::open(&target, clock.clone()).await.unwrap();
    // A person who had a key keeps it for what it sealed, and what is recorded from now on is sealed with that of the login.
    store.audit_append(draft("incident_take")).await.unwrap();
    holds(&store).await;
    let keys = "SELECT login_id FROM subject_key WHERE subject = repeat('a', 32) ORDER BY login_id";
    let keys = words(&target, keys).await;
    assert!(keys.len() == 2 && keys[0].is_empty() && keys[1].len() == 32, "{keys:?}");
    for one in &events {
        let place = if beyond.iter().any(|at| at.timestamp_millis() == one.at.timestamp_millis()) {
            REST.to_owned()
        } else {
            part(one.at)
        };
        assert_eq!(places(&target, one).await, [place], "{}", one.at);
    }
    let indexes =
        words(&target, "SELECT indexname::text FROM pg_indexes WHERE tablename = 'event' ORDER BY 1").await;
    let has_words =
        !words(&target, "SELECT extname::text FROM pg_extension WHERE extname = 'pg_trgm'").await.is_empty();
    let mut expect = vec![
        "event_by_actor",
        "event_by_category",
        "event_by_other_source",
        "event_by_redis_key",
        "event_by_session",
        "event_by_source",
        "event_by_storing",
        "event_by_time",
        "event_pkey",
    ];
    if has_words {
        expect.push("event_by_text");
    }
    expect.sort_unstable();
    assert_eq!(indexes, expect);
    // What was archived is found, in its order, and is not archived again.
    events.sort_by_key(|one| (one.at, one.id));
    events.reverse();
    assert_eq!(archived(&store).await, events);
    let again: Vec<(Event, String)> = events.iter().map(|one| (one.clone(), "key".to_owned())).collect();
    let outcome = store.ingest(IngestBatch { events: &again, findings: &[], now }).await.unwrap();
    assert_eq!((outcome.inserted, outcome.duplicates), (0, 7));
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_writes_an_event_of_a_new_month_has_its_partition_made() {
    let Some(world) = World::postgres().await else { return };
    let now = world.now();
    let next = now.checked_add_months(Months::new(1)).unwrap();
    assert_eq!(parts(&world.target).await, [part(now), part(next), REST.to_owned()], "ahead");
    let batch =
        [keyed(1, now), keyed(2, ago(now, 5)), keyed(3, ago(now, 40)), keyed(4, now + Duration::days(200))];
    assert_eq!(world.ingest(&batch, &[]).await.inserted, 4);
    let places_of = [part(now), part(ago(now, 5)), REST.to_owned(), REST.to_owned()];
    for ((one, _), place) in batch.iter().zip(places_of) {
        assert_eq!(places(&world.target, one).await, [place]);
    }
    let last = [keyed(5, ago(now, 6))];
    world.store.archive_upsert(&last, None).await.unwrap();
    assert_eq!(places(&world.target, &last[0].0).await, [part(ago(now, 6))]);
    assert_eq!(world.store.event_make_room().await.unwrap(), 0, "there is room");
    // A page of a period, and the next one after a cursor, hold what they held.
    let all = archived(&world.store).await;
    let first = world.store.event_page(&EventFilter::default(), None, 2).await.unwrap();
    let rest = world.store.event_page(&EventFilter::default(), first.next, 500).await.unwrap();
    let paged: Vec<Event> = first.rows.into_iter().chain(rest.rows).collect();
    assert_eq!((paged.len(), &paged), (5, &all));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_writers_at_once_archive_each_event_once() {
    let Some(world) = World::postgres().await else { return };
    let (now, other) = (world.now(), world.another().await);
    for round in 0..6 {
        let month = ago(now, round + 2);
        let mine: Vec<(Event, String)> = (0..20).map(|n| keyed(round * 100 + n, month)).collect();
        // The other one has the same ids, in another month.
        let mut others = mine.clone();
        for (one, _) in &mut others {
            one.at = ago(one.at, 1);
        }
        let (first, second) = tokio::join!(
            world.store.ingest(IngestBatch { events: &mine, findings: &[], now }),
            other.ingest(IngestBatch { events: &others, findings: &[], now })
        );
        assert_eq!(first.unwrap().inserted + second.unwrap().inserted, 20, "round {round}");
    }
    assert_eq!(archived(&world.store).await.len(), 120);
    let twice = "SELECT id FROM event GROUP BY id HAVING COUNT(*) > 1";
    assert_eq!(words(&world.target, twice).await, Vec::<String>::new());
    other.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_reads_is_not_waited_for_and_the_rest_goes_into_its_month() {
    let Some(world) = World::postgres().await else { return };
    let late = ago(world.now(), 3);
    let mut reader = connect(&world.target).await;
    reader.execute("BEGIN; SELECT COUNT(*) FROM event").await.unwrap();
    let first = [keyed(1, late)];
    assert_eq!(world.ingest(&first, &[]).await.inserted, 1);
    assert_eq!(places(&world.target, &first[0].0).await, [REST]);
    reader.execute("COMMIT").await.unwrap();

    assert_eq!(world.store.event_make_room().await.unwrap(), 0);
    let second = [keyed(2, late)];
    world.ingest(&second, &[]).await;
    for (one, _) in [&first[0], &second[0]] {
        assert_eq!(places(&world.target, one).await, [part(late)]);
    }
    assert_eq!(world.ingest(&first, &[]).await.inserted, 0, "it is known as before");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_that_comes_again_with_another_time_is_the_same_event() {
    let Some(world) = World::postgres().await else { return };
    let now = world.now();
    let (first, fresh) = (keyed(1, now), keyed(2, now));
    let mut moved = first.clone();
    moved.0.at = ago(first.0.at, 3);
    world.ingest(std::slice::from_ref(&first), &[]).await;
    let outcome = world.ingest(&[moved.clone(), fresh.clone()], &[]).await;
    assert_eq!((outcome.inserted, outcome.duplicates), (1, 1));
    assert_eq!(places(&world.target, &first.0).await, [part(now)]);
    assert_eq!(world.store.event_detail(first.0.id).await.unwrap().event, first.0, "the first stays");

    // The last value before it goes from Redis replaces it, in the month that it names.
    world.store.archive_upsert(std::slice::from_ref(&moved), None).await.unwrap();
    assert_eq!(places(&world.target, &first.0).await, [part(moved.0.at)]);
    assert_eq!(world.store.event_detail(first.0.id).await.unwrap().event, moved.0);
    assert_eq!(world.ingest(std::slice::from_ref(&first), &[]).await.inserted, 0);
    assert_eq!(archived(&world.store).await.len(), 2);

    // What went may come again.
    assert_eq!(world.tamper(&format!("DELETE FROM event WHERE id = '{}'", first.0.id)).await, 1);
    assert_eq!(world.ingest(std::slice::from_ref(&first), &[]).await.inserted, 1);
    let known =
        "SELECT i.id FROM event_id i FULL JOIN event e ON e.id = i.id WHERE e.id IS NULL OR i.id IS NULL";
    assert_eq!(words(&world.target, known).await, Vec::<String>::new());
    let mut owner = connect(&world.target).await;
    let renamed = format!("UPDATE event SET id = 'other' WHERE id = '{}'", first.0.id);
    assert_eq!(refused(&mut owner, &renamed).await.as_deref(), Some("23514"), "an id stays what it is");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_read_the_archive_as_a_whole_and_no_part_of_it() {
    let Some(team) = Team::new().await else { return };
    let now = team.world.now();
    // One that is made after the script was run.
    let (here, late) = (keyed(1, now), keyed(2, ago(now, 4)));
    team.world.ingest(&[here, late], &[]).await;
    let made = parts(&team.world.target).await;
    assert!(made.contains(&part(ago(now, 4))), "{made:?}");
    for role in ROLES {
        let mut person = connect(&team.target(role)).await;
        let row = person.fetch_one("SELECT COUNT(*) FROM event").await.unwrap();
        assert_eq!(row.get::<i64, _>(0), 2, "{role}");
        for part in made.iter().map(String::as_str) {
            for sql in [
                format!("SELECT 1 FROM {part}"),
                format!("DELETE FROM {part}"),
                format!("UPDATE {part} SET n = 2"),
                format!("DROP TABLE {part}"),
                format!("ALTER TABLE event DETACH PARTITION {part}"),
            ] {
                assert_eq!(refused(&mut person, &sql).await.as_deref(), Some("42501"), "{role}: {sql}");
            }
        }
        for sql in ["INSERT INTO event_id (id) VALUES ('taken')", "DELETE FROM event_id", "TRUNCATE event"] {
            assert_eq!(refused(&mut person, sql).await.as_deref(), Some("42501"), "{role}: {sql}");
        }
        let makes = refused(&mut person, "SELECT watchpost_event_partitions('')").await;
        assert_eq!(makes.is_none(), matches!(role, "lead" | "admin" | "engine"), "{role}: {makes:?}");
    }
    let mut analyst = connect(&team.target("analyst")).await;
    for sql in [
        "INSERT INTO event SELECT * FROM event",
        "UPDATE event SET n = 2",
        "DELETE FROM event",
        "SELECT watchpost_event_once()",
    ] {
        let code = refused(&mut analyst, sql).await;
        assert!(matches!(code.as_deref(), Some("42501" | "0A000")), "an analyst only reads: {sql}: {code:?}");
    }
}
