//! What the engine keeps over a restart, over many batches, and over weeks; through the door, with the engine at work.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, Utc};
use watchpost_detect::{Config, Engine};
use watchpost_ingest::{Simulation, SimulationConfig};
use watchpost_model::event::{Category, Event, Http, Outcome};
use watchpost_model::finding::AttackFamily;
use watchpost_model::ids::EventId;
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{IncidentPageRequest, IncidentRef, LocationSettings, Nothing};
use watchpost_ops::door::operation;

use crate::door::{Desk, desk, folder};
use crate::mmdb::{city, mmdb};
use crate::response::report;

fn request(at: DateTime<Utc>, source: &str, path: &str) -> Event {
    let mut event = Event::new(EventId::at(at), at, Category::ApiUsage, "request");
    event.source_ip = Some(source.to_owned());
    event.http = Some(Http { method: "GET".into(), path: path.into(), status: Some(200), ..Http::default() });
    event
}

/// The rules behind all incidents.
async fn rules_that_spoke(desk: &Desk) -> BTreeSet<String> {
    let all = IncidentPageRequest { limit: 500, ..IncidentPageRequest::default() };
    let page = desk.ask::<operation::incident_page>(all).await.expect("incidents can be listed");
    let mut rules = BTreeSet::new();
    for row in page.rows {
        let request = IncidentRef { number: row.number };
        let detail = desk.ask::<operation::incident_detail>(request).await.expect("it is there");
        rules.extend(detail.why.into_iter().map(|hit| hit.newest.rule_id));
    }
    rules
}

const CORRELATION: &str = "title: Probe\nid: own.probe\nstatus: test\nlogsource: { category: webserver }\nlevel: low\n\
    detection:\n  sel:\n    c-uri|contains: own-probe\n  condition: sel\n\
    ---\ntitle: Login page\nid: own.login\nstatus: test\nlogsource: { category: webserver }\nlevel: low\n\
    detection:\n  sel:\n    c-uri|contains: own-login\n  condition: sel\n\
    ---\ntitle: Many probes\nid: own.many\nlevel: high\ncorrelation:\n  type: event_count\n  rules: [own.probe]\n  \
    group-by: [src_ip]\n  timespan: 1h\n  condition: { gte: 5 }\n\
    ---\ntitle: Different probes\nid: own.different\nlevel: high\ncorrelation:\n  type: value_count\n  rules: [own.probe]\n  \
    group-by: [src_ip]\n  timespan: 1h\n  condition: { field: cs-uri-stem, gte: 5 }\n\
    ---\ntitle: Probe then login\nid: own.temporal\nlevel: high\ncorrelation:\n  type: temporal\n  rules: [own.probe, own.login]\n  \
    group-by: [src_ip]\n  timespan: 1h\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_half_full_window_of_a_correlation_survives_a_restart() {
    let home = folder();
    let probes = |now: DateTime<Utc>, from: i64, to: i64| -> Vec<Event> {
        (from..to)
            .map(|n| {
                let at = now - Duration::minutes(20) + Duration::minutes(n);
                request(at, "203.0.113.5", &format!("/own-probe/{n}"))
            })
            .collect()
    };
    let first = desk(&home, Tenure::Owner, local_connection()).await;
    let listed = first.ask::<operation::rule_list>(Nothing {}).await.expect("rules can be listed");
    let directory = std::path::PathBuf::from(listed.directory);
    std::fs::create_dir_all(&directory).expect("the folder is ours");
    std::fs::write(directory.join("own.yml"), CORRELATION).expect("the folder is ours");
    let loaded = first.ask::<operation::rule_reload>(Nothing {}).await.expect("rules can be loaded");
    assert_eq!(loaded.problems, [], "all of it is used");
    first.console.close().await;

    // This run sees three of five probes, and ends.
    let first = desk(&home, Tenure::Owner, local_connection()).await;
    let now = first.console.now();
    report(&first, &probes(now, 0, 3)).await;
    let spoke = rules_that_spoke(&first).await;
    assert!(!CORRELATED.iter().any(|id| spoke.contains(*id)), "half a window is nothing yet: {spoke:?}");
    first.console.close().await;

    // The next one sees the rest.
    let second = desk(&home, Tenure::Owner, local_connection()).await;
    let mut rest = probes(now, 3, 5);
    rest.push(request(now - Duration::minutes(10), "203.0.113.5", "/own-login"));
    report(&second, &rest).await;
    let spoke = rules_that_spoke(&second).await;
    assert!(CORRELATED.iter().all(|id| spoke.contains(*id)), "five in all, over two runs: {spoke:?}");
    // What was counted before the restart is evidence as well as what completed it.
    let page =
        second.ask::<operation::incident_page>(IncidentPageRequest::default()).await.expect("listed").rows;
    let found = page.iter().find(|row| row.entity.value == "203.0.113.5").expect("of the source");
    let about = IncidentRef { number: found.number };
    let detail = second.ask::<operation::incident_detail>(about).await.expect("it is there");
    assert_eq!(detail.event_rows, 6, "five probes and the login: {:?}", detail.why);
    second.console.close().await;
}

const CORRELATED: [&str; 3] = ["own.many", "own.different", "own.temporal"];

#[tokio::test(flavor = "multi_thread")]
async fn a_user_in_two_places_is_found_with_a_location_file() {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    let file = home.path().join("city.mmdb");
    let places = [
        ("203.0.113.0", 24, city("DE", "Berlin", 52.52, 13.405)),
        ("198.51.100.0", 24, city("AU", "Sydney", -33.87, 151.21)),
        ("192.0.2.0", 24, city("DE", "Potsdam", 52.39, 13.06)),
    ];
    std::fs::write(&file, mmdb("Test-City", 1_760_000_000, &places)).expect("the folder is ours");
    let settings = LocationSettings { city_file: Some(file.to_string_lossy().into_owned()), asn_file: None };
    desk.ask::<operation::location_put>(settings).await.expect("the file is whole");
    let now = desk.console.now();
    let login = |user: &str, source: &str, minutes_ago: i64| {
        let at = now - Duration::minutes(minutes_ago);
        let mut event = Event::new(EventId::at(at), at, Category::Authentication, "login_success");
        event.outcome = Outcome::Success;
        event.actor = Some(user.to_owned());
        event.source_ip = Some(source.to_owned());
        event
    };
    let logins = [
        login("anna", "203.0.113.7", 60),
        login("anna", "198.51.100.7", 30),
        // Next door, and somebody of whom nothing is known.
        login("bert", "203.0.113.8", 50),
        login("bert", "192.0.2.8", 40),
        login("cora", "203.0.113.9", 50),
        login("cora", "100.64.0.9", 40),
    ];
    report(&desk, &logins).await;
    let all = IncidentPageRequest { limit: 500, ..IncidentPageRequest::default() };
    let page = desk.ask::<operation::incident_page>(all).await.expect("incidents can be listed");
    let users: Vec<&str> = page
        .rows
        .iter()
        .filter(|row| row.family == AttackFamily::AccountTakeover)
        .map(|row| row.entity.value.as_str())
        .collect();
    assert_eq!(users, ["anna"], "sixteen thousand kilometres in half an hour");
    let detail = desk
        .ask::<operation::incident_detail>(IncidentRef { number: page.rows[0].number })
        .await
        .expect("it is there");
    let finding = &detail.why.first().expect("it says why").newest;
    assert_eq!(finding.rule_id, "wp.travel.impossible");
    assert!(finding.summary.contains("Berlin") && finding.summary.contains("Sydney"), "{}", finding.summary);
    assert_eq!(finding.enrichment.place.as_ref().and_then(|place| place.city.as_deref()), Some("Sydney"));
    desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_events_go_through_in_batches_of_bounded_size() {
    const EVENTS: usize = 80;
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    // What the engine asks for at once, and what one more reading may add to it.
    const BATCH_BYTES: usize = (16 + 24) << 20;
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    let began = desk.console.now();
    // Letters that do not compress by more than a quarter.
    let mut seed = 1_u32;
    let letter = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(LETTERS[(seed >> 16) as usize % LETTERS.len()])
    };
    let body: String = std::iter::repeat_with(letter).take(900_000).collect();
    let events: Vec<Event> = (0..EVENTS)
        .map(|n| {
            let at = began - Duration::seconds(100 - i64::try_from(n).expect("a small number"));
            let mut event = request(at, "198.51.100.20", &format!("/large/{n}"));
            let http = event.http.as_mut().expect("a request");
            (http.method, http.body) = ("POST".to_owned(), Some(body.clone()));
            event
        })
        .collect();
    report(&desk, &events).await;
    let workspace = desk.console.workspace().expect("it is open");
    let stored =
        workspace.store().events_stored_after(began - Duration::hours(1), None, 500).await.expect("stored");
    assert_eq!(stored.len(), EVENTS, "each of them, once");
    let mut bytes_of_batches: BTreeMap<DateTime<Utc>, usize> = BTreeMap::new();
    for (event, stored_at) in &stored {
        let body = event.http.as_ref().and_then(|http| http.body.as_ref());
        *bytes_of_batches.entry(*stored_at).or_default() += body.map_or(0, String::len);
    }
    let most = bytes_of_batches.values().max().copied().unwrap_or(0);
    let all = body.len() * EVENTS;
    assert!(all > BATCH_BYTES / 3 * 4 + (8 << 20), "the test is about more than one batch: {all}");
    assert!(most <= BATCH_BYTES / 3 * 4, "a batch of {most} bytes");
    assert!(bytes_of_batches.len() >= 2, "{} batches", bytes_of_batches.len());
    desk.console.close().await;
}

#[test]
fn a_source_that_stops_is_told_once_in_weeks_of_traffic() {
    let until: DateTime<Utc> = "2026-11-01T00:00:00Z".parse().expect("a literal time");
    let simulation = Simulation::new(SimulationConfig {
        seed: 11,
        from: until - Duration::days(21),
        to: until,
        users: 60,
        events_per_day: 2_000,
        campaigns: 0,
    });
    let stops = until - Duration::days(4);
    let mut engine = Engine::new(Config::default());
    let mut told: Vec<(String, DateTime<Utc>)> = Vec::new();
    let mut next_tick = until - Duration::days(21);
    for (nth, mut event) in simulation.enumerate() {
        // Two applications report; one of them stops for good after seventeen days.
        let app = if nth % 2 == 0 { "shop" } else { "billing" };
        event.details = serde_json::json!({ "app": app });
        while next_tick < event.at {
            let found = engine.tick(next_tick);
            told.extend(found.into_iter().map(|found| (found.entity.value, next_tick)));
            next_tick += Duration::minutes(10);
        }
        if app == "billing" && event.at >= stops {
            continue;
        }
        let found = engine.observe(&event, event.at);
        let silent = found.into_iter().filter(|found| found.family == AttackFamily::LogGap);
        told.extend(silent.map(|found| (found.entity.value, event.at)));
    }
    let of = |app: &str| -> Vec<DateTime<Utc>> {
        told.iter().filter(|(entity, _)| entity.contains(app)).map(|(_, at)| *at).collect()
    };
    assert!(
        of("shop").is_empty(),
        "{:?}: one that goes on is never silent, nights and weekends included",
        of("shop")
    );
    let first = of("billing").first().copied().expect("silence is told");
    assert!(first >= stops && first - stops < Duration::days(2), "told at {first}, silent since {stops}");
}
