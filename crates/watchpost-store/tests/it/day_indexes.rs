//! Events of one name over many days: SQLite's indexes of names begin with the day.

use chrono::{DateTime, Duration, Utc};
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};
use watchpost_model::event::{Entity, EntityKind, Event};
use watchpost_model::period::Period;
use watchpost_store::{DatabaseTarget, EventFilter, FACETS, Store};

use crate::support::{World, both, draft, event};

both!(
    pages_of_a_name_go_through_the_days,
    pages_of_many_sources_go_through_the_days,
    sources_without_events_are_forgotten_however_they_are_written,
);

/// Two events of each on every third day, the oldest of them around 1970, where days are counted from.
fn over_days(now: DateTime<Utc>) -> Vec<(Event, String)> {
    let old = DateTime::UNIX_EPOCH;
    let recent = (0..60).map(|n| now - Duration::hours(36 * n));
    let times = recent.chain((-6..6).map(|n| old + Duration::hours(9 * n)));
    (0..).zip(times).map(|(n, at)| (of_name(n, at), format!("key{n}"))).collect()
}

fn of_name(n: u32, at: DateTime<Utc>) -> Event {
    let name = n % 3;
    let mut event = event(n, at);
    event.source_ip = Some(format!("198.51.100.{name}"));
    event.actor = Some(format!("anna{name}"));
    event.session = Some(format!("s-{name}"));
    event
}

async fn all_pages(store: &Store, filter: &EventFilter) -> Vec<Event> {
    let (mut all, mut before) = (Vec::new(), None);
    loop {
        let page = store.event_page(filter, before, 7).await.unwrap();
        all.extend(page.rows);
        before = page.next;
        if before.is_none() {
            return all;
        }
    }
}

async fn pages_of_a_name_go_through_the_days(world: World) {
    let now = world.now();
    let mut batch = over_days(now);
    // At one moment the id decides.
    batch.extend((0..9).map(|n| (of_name(3 * n, now - Duration::days(10)), format!("same{n}"))));
    world.ingest(&batch, &[]).await;
    let mut expect: Vec<Event> = batch.into_iter().map(|(event, _)| event).collect();
    expect.sort_by_key(|event| std::cmp::Reverse((event.at, event.id)));
    expect.retain(|event| event.actor.as_deref() == Some("anna0"));

    let entity = |kind, value: &str| Entity::new(kind, value);
    let entities = [
        entity(EntityKind::Ip, "198.51.100.0"),
        entity(EntityKind::User, "anna0"),
        entity(EntityKind::Session, "s-0"),
    ];
    let of_entity = |entity: &Entity| EventFilter { entity: Some(entity.clone()), ..EventFilter::default() };
    let of_query = |query: &str| EventFilter { query: query.parse().unwrap(), ..EventFilter::default() };
    let queries =
        ["ip:198.51.100.0", "user:anna0 severity:>=info", "session:s-0", "user:anna0 OR session:s-0"];
    for filter in entities.iter().map(of_entity).chain(queries.map(of_query)) {
        assert_eq!(all_pages(&world.store, &filter).await, expect, "{filter:?}");
        assert_eq!(world.store.event_count(&filter).await.unwrap(), expect.len() as u64, "{filter:?}");
    }
    for one in &entities {
        let seen = world.store.entity_seen(one).await.unwrap().unwrap();
        assert_eq!(seen, (expect[expect.len() - 1].at, expect[0].at), "{one:?}");
    }
    let period = Period { from: now - Duration::days(30), to: now + Duration::seconds(1) };
    let within: Vec<Event> = expect.iter().filter(|event| period.contains(event.at)).cloned().collect();
    let filter = EventFilter { period: Some(period), ..of_entity(&entities[1]) };
    assert_eq!(all_pages(&world.store, &filter).await, within);
    let figures = world.store.event_figures(&filter, period, 30, &FACETS).await.unwrap();
    assert_eq!(figures.total, within.iter().map(|event| u64::from(event.count.max(1))).sum::<u64>());
}

async fn pages_of_many_sources_go_through_the_days(world: World) {
    let now = world.now();
    world.store.keep_places(true);
    let mut batch = over_days(now);
    // More than a page at one moment, and as many as a page on the day before.
    batch.extend((0..20).map(|n| (of_name(n, now - Duration::days(10)), format!("same{n}"))));
    let early = now - Duration::days(11);
    batch.extend((0..7).map(|n| (of_name(3 * n, early - Duration::seconds(n.into())), format!("page{n}"))));
    world.ingest(&batch, &[]).await;
    let places = [("198.51.100.0", "DE"), ("198.51.100.1", "DE"), ("198.51.100.2", "FR")];
    let places = places.map(|(source, country)| (source.to_owned(), Some(country.to_owned())));
    world.store.sources_placed("city", &places).await.unwrap();
    let mut all: Vec<Event> = batch.into_iter().map(|(event, _)| event).collect();
    all.sort_by_key(|event| std::cmp::Reverse((event.at, event.id)));
    let period = Period { from: now - Duration::days(30), to: now - Duration::days(5) };
    for (query, names) in [
        ("ip:198.51.100.0/31", "01"),
        ("ip:198.51.100.0/24", "012"),
        ("ip:198.51.100.2/32", "2"),
        ("ip:203.0.113.0/24", ""),
        ("ip:::/0", ""),
        ("country:DE", "01"),
        ("country:FR", "2"),
        ("country:SE", ""),
        ("country:*", "012"),
        ("country:DE ip:198.51.100.1/32", "1"),
        ("country:DE user:anna0", "0"),
        ("ip:198.51.100.0/31 -user:anna0", "1"),
    ] {
        let is_of = |event: &&Event| {
            event.source_ip.as_ref().is_some_and(|source| names.contains(&source[source.len() - 1..]))
        };
        let expect: Vec<Event> = all.iter().filter(is_of).cloned().collect();
        let filter = EventFilter { query: query.parse().unwrap(), ..EventFilter::default() };
        assert_eq!(all_pages(&world.store, &filter).await, expect, "{query}");
        let within: Vec<Event> = expect.into_iter().filter(|event| period.contains(event.at)).collect();
        let filter = EventFilter { period: Some(period), ..filter };
        assert_eq!(all_pages(&world.store, &filter).await, within, "{query} in a period");
    }
}

async fn sources_without_events_are_forgotten_however_they_are_written(world: World) {
    let now = world.now();
    world.store.keep_places(true);
    // One address in two writings, another one, and a source that is none; one writing of each stays.
    let names = ["2001:db8::1", "2001:DB8::1", "198.51.100.7", "198.51.100.8", "unix", "pipe"];
    let batch: Vec<(Event, String)> = (0_u32..)
        .zip(names)
        .map(|(n, name)| {
            let mut event = event(n, now - Duration::days(i64::from(n)));
            event.source_ip = Some(name.to_owned());
            (event, format!("key{n}"))
        })
        .collect();
    world.ingest(&batch, &[]).await;
    assert_eq!(world.store.sources_prune().await.unwrap(), 0);
    for gone in ["2001:DB8::1", "198.51.100.8", "pipe"] {
        world.tamper(&format!("DELETE FROM event WHERE source_ip = '{gone}'")).await;
    }
    assert_eq!(world.store.sources_prune().await.unwrap(), 3);
    let mut left = world.store.sources_unplaced("city", 10).await.unwrap();
    left.sort();
    assert_eq!(left, ["198.51.100.7", "2001:db8::1", "unix"]);
}

/// What SQLite says that it would do.
async fn plan(world: &World, condition: &str) -> String {
    let DatabaseTarget::Sqlite { path } = &world.target else { return String::new() };
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let sql = format!(
        "EXPLAIN QUERY PLAN SELECT body FROM event WHERE {condition} \
         ORDER BY at / 86400000000 DESC, at DESC, id DESC LIMIT 100"
    );
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    rows.iter().map(|row| row.get::<String, _>(3)).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_are_looked_up_by_the_day_in_an_archive_of_any_size() {
    let world = World::sqlite().await;
    let now = world.now();
    let looked_up = async |when: &str| {
        for (condition, index) in [
            ("source_key = X'01' AND source_ip = '10.0.0.1'", "event_by_source"),
            ("source_key IS NULL AND source_ip = 'unix'", "event_by_other_source"),
            ("actor = 'anna' AND (at, id) < (17, 'x')", "event_by_actor"),
            ("session = 's' AND at >= 3 AND at < 17", "event_by_session"),
        ] {
            let plan = plan(&world, condition).await;
            assert!(plan.contains(&format!("INDEX {index} (ANY(")), "{when}: {condition}: {plan}");
            // Of one moment only: what is above a page is not sorted.
            assert!(!plan.contains("TEMP B-TREE FOR ORDER BY"), "{when}: {condition}: {plan}");
        }
    };
    let of_many = async |when: &str| {
        const OF_COUNTRY: &str = "SELECT p.source_key FROM source_place p WHERE p.country = 'DE'";
        for (condition, looked_up) in [
            (format!("source_key IN ({OF_COUNTRY})"), "(<expr>=? AND source_key=?"),
            ("source_key >= X'01' AND source_key <= X'02'".to_owned(), "(<expr>=? AND source_key>?"),
        ] {
            let plan = plan(&world, &format!("at / 86400000000 IN (1, 2) AND {condition}")).await;
            let wanted = format!("INDEX event_by_source {looked_up}");
            assert!(plan.contains(&wanted), "{when}: {condition}: {plan}");
        }
    };
    looked_up("a new file").await;
    of_many("a new file").await;
    world.ingest(&over_days(now), &[]).await;
    world.store.maintain(true).await.unwrap();
    looked_up("some events").await;
    of_many("some events").await;
    world.store.audit_append(draft("incident_take")).await.unwrap();
    world.store.close().await;
    looked_up("closed").await;
    // Somebody made the statistics by hand.
    world.tamper("ANALYZE").await;
    world.another().await.close().await;
    looked_up("opened again").await;
}
