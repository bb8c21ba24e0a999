//! Every event of an attack belongs to its incident, exactly once, with its weight; and none that does not.

use chrono::{DateTime, Duration, Utc};
use proptest::prelude::{Strategy, any, prop};
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use watchpost_model::event::{Category, Entity, EntityKind, Event, Outcome, Severity};
use watchpost_model::finding::{AttackFamily, CountedEvents, Counter, Finding};
use watchpost_model::incident::{IncidentEvent, LinkKind, Status, Verdict};
use watchpost_store::{EventFilter, IncidentPatch};

use crate::support::{World, both, draft, event, finding};

both!(
    every_counted_event_is_reachable,
    later_events_go_on_within_the_window,
    order_and_batches_do_not_matter,
    weights_count,
    ten_times_the_threshold_raises_the_severity,
    number_alone_makes_nothing_critical,
    a_chain_links_its_steps,
    what_a_finding_names_is_of_its_incident,
    retention_leaves_active_incidents_alone,
    a_late_import_keeps_both_times,
);

const SOURCE: &str = "198.51.100.7";

/// A failed login `n` of the source, `s` seconds after `from`.
fn failure(n: u32, from: DateTime<Utc>, s: i64) -> (Event, String) {
    let mut event = event(n, from + Duration::seconds(s));
    event.category = Category::Authentication;
    event.kind = "login_failure".to_owned();
    event.outcome = Outcome::Failure;
    event.source_ip = Some(SOURCE.to_owned());
    let key = format!("security:auth:{}-{n}", event.at.timestamp_millis());
    (event, key)
}

/// What a behaviour of 10 failures in 300 s says after `event` when it has counted since `from`.
fn counting(n: u32, from: DateTime<Utc>, event: &Event, seen: u64) -> Finding {
    let mut finding = finding(n, event, AttackFamily::BruteForce, SOURCE);
    finding.severity = Severity::Medium;
    finding.counter = Some(Counter { what: "failed logins".to_owned(), seen, threshold: 10, window_s: 300 });
    finding.counted = Some(CountedEvents {
        from: DateTime::from_timestamp_millis(from.timestamp_millis()).unwrap(),
        to: event.at,
        category: Some(Category::Authentication),
        outcome: Some(Outcome::Failure),
        status: None,
    });
    finding
}

async fn all_events(world: &World, number: i64, limit: u32) -> Vec<IncidentEvent> {
    let (mut rows, mut before) = (Vec::new(), None);
    loop {
        let page = world.store.incident_events(number, before, limit).await.unwrap();
        rows.extend(page.rows);
        match page.next {
            Some(next) => before = Some(next),
            None => {
                assert_eq!(rows.len() as u64, page.total, "pages hold all of them");
                assert_eq!(rows.iter().map(|row| row.count).sum::<u64>(), page.occurrences);
                assert!(rows.is_sorted_by_key(|row| std::cmp::Reverse((row.at, row.id))), "newest first");
                return rows;
            }
        }
    }
}

async fn every_counted_event_is_reachable(world: World) {
    let start = world.now() - Duration::hours(1);
    let mut attack: Vec<_> = (0..219).map(|n| failure(n, start, i64::from(n))).collect();
    attack.iter_mut().zip(0..).for_each(|((event, _), n)| event.actor = Some(format!("user{n}")));
    // Of others, of another outcome, and before the count began: not of the attack.
    let mut noise: Vec<_> = (300..330).map(|n| failure(n, start, i64::from(n - 300))).collect();
    noise[..10].iter_mut().for_each(|(event, _)| event.source_ip = Some("198.51.100.8".to_owned()));
    noise[10..20].iter_mut().for_each(|(event, _)| event.outcome = Outcome::Success);
    noise[20..].iter_mut().for_each(|(event, _)| event.at -= Duration::hours(2));
    world.ingest(&noise, &[]).await;
    let reports: Vec<Finding> = [9_usize, 19, 39, 79, 159]
        .iter()
        .zip(500..)
        .map(|(&at, n)| counting(n, start, &attack[at].0, at as u64 + 1))
        .collect();
    let outcome = world.ingest(&attack, &reports).await;
    let incident = &outcome.opened[0];
    assert_eq!(
        (incident.finding_count, incident.event_count),
        (5, 219),
        "also what came after the last report"
    );
    assert_eq!((incident.first_seen, incident.last_seen), (attack[0].0.at, attack[218].0.at));
    let rows = all_events(&world, 1, 50).await;
    let mut expected: Vec<_> = attack.iter().map(|(event, _)| event.clone()).collect();
    expected.reverse();
    assert_eq!(rows.iter().map(|row| row.event.clone().unwrap()).collect::<Vec<_>>(), expected);
    let detail = world.store.incident_by_number(1).await.unwrap();
    assert_eq!((detail.event_rows, detail.evidence.len()), (219, 200));
    assert_eq!(rows.iter().filter(|row| row.frozen).count(), 100, "the first, and what completed a finding");
    let ip = Entity::new(EntityKind::Ip, SOURCE);
    assert_eq!(detail.entities.len(), 200);
    assert!(detail.entity_rows >= 220, "all users and the source, of which {} are told", detail.entity_rows);
    assert_eq!((&detail.entities[0].entity, detail.entities[0].events), (&ip, 219), "whom it is about first");
    let others: Vec<_> = detail.entities[1..].iter().map(|count| count.events).collect();
    assert!(others.is_sorted_by(|a, b| a >= b), "then by their events: {others:?}");
    for (event, numbers) in [(attack[7].0.id, vec![1]), (noise[0].0.id, Vec::new())] {
        let filter = watchpost_model::incident::IncidentFilter { event: Some(event), ..Default::default() };
        let page = world.store.incident_page(&filter, Default::default(), None, 10).await.unwrap();
        assert_eq!(page.rows.iter().map(|row| row.number).collect::<Vec<_>>(), numbers);
    }
    let again = world.ingest(&attack, &reports).await;
    assert_eq!((again.inserted, again.findings, again.updated.len()), (0, 0, 0), "a replay adds nothing");
    let patch = IncidentPatch {
        status: Some(Status::Resolved),
        verdict: Some((Verdict::TruePositive, "seen".to_owned())),
        ..IncidentPatch::default()
    };
    world.store.incident_change(detail.incident.id, 1, patch, draft("incident_resolve")).await.unwrap();
    let frozen = all_events(&world, 1, 500).await.iter().filter(|row| row.frozen).count();
    assert_eq!(frozen, 199, "at the resolution the newest hundred are frozen too");
}

async fn later_events_go_on_within_the_window(world: World) {
    let start = world.now() - Duration::hours(2);
    let first: Vec<_> = (0..10).map(|n| failure(n, start, i64::from(n))).collect();
    world.ingest(&first, &[counting(500, start, &first[9].0, 10)]).await;
    // 299 s after the last, then 300 s after that, then a gap that is too long.
    let later = [failure(20, start, 308), failure(21, start, 608)];
    let outcome = world.ingest(&later, &[]).await;
    assert_eq!(outcome.updated[0].event_count, 12, "without a finding of their own");
    assert_eq!(outcome.updated[0].last_seen, later[1].0.at);
    let far = [failure(22, start, 908 + 1)];
    assert!(world.ingest(&far, &[]).await.updated.is_empty(), "the attack was over");
    // A late one bridges the gap: both belong to it now.
    let late = [failure(23, start, 800), failure(24, start, 5)];
    let outcome = world.ingest(&late, &[]).await;
    assert_eq!(outcome.updated[0].event_count, 15);
    assert_eq!(outcome.updated[0].last_seen, far[0].0.at);
    // A resolved incident takes nothing in.
    let incident = &outcome.updated[0];
    let patch = IncidentPatch {
        status: Some(Status::Resolved),
        verdict: Some((Verdict::TruePositive, "seen".to_owned())),
        ..IncidentPatch::default()
    };
    world.store.incident_change(incident.id, incident.version, patch, draft("x")).await.unwrap();
    assert!(world.ingest(&[failure(25, start, 1000)], &[]).await.updated.is_empty());
}

/// Whatever the order and the batches, an incident holds the events from the first counted one up to the first gap.
async fn order_and_batches_do_not_matter(world: World) {
    let mut runner = TestRunner::deterministic();
    let gaps = prop::collection::vec(1_i64..400, 40);
    let keys = prop::collection::vec(any::<u32>(), 40);
    let sizes = prop::collection::vec(1_usize..9, 40);
    for case in 0..12_u32 {
        let mut draw = |strategy: &dyn Fn(&mut TestRunner) -> Vec<i64>| strategy(&mut runner);
        let gaps = draw(&|runner| gaps.new_tree(runner).unwrap().current());
        let keys =
            draw(&|runner| keys.new_tree(runner).unwrap().current().into_iter().map(i64::from).collect());
        let sizes =
            draw(&|runner| sizes.new_tree(runner).unwrap().current().into_iter().map(|n| n as i64).collect());
        let source = format!("192.0.2.{case}");
        let start = world.now() - Duration::days(2);
        let mut s = 0;
        let mut events = Vec::new();
        for (n, gap) in (0..).zip(&gaps) {
            // The first ten come fast enough for the rule.
            s += if n < 10 { gap % 10 } else { *gap };
            let (mut event, key) = failure(case * 100 + n, start, s);
            event.source_ip = Some(source.clone());
            events.push((event, key));
        }
        let mut finding = counting(case, events[0].0.at, &events[9].0, 10);
        finding.entity.value.clone_from(&source);
        let reached =
            events.windows(2).skip(9).take_while(|two| two[1].0.at - two[0].0.at <= Duration::seconds(300));
        let expected = 10 + reached.count();
        let mut shuffled: Vec<_> = events.iter().cloned().zip(keys).collect();
        shuffled.sort_by_key(|(_, key)| *key);
        let mut rest: Vec<_> = shuffled.into_iter().map(|(event, _)| event).collect();
        let mut sizes = sizes.into_iter().cycle();
        let mut known = Vec::new();
        while !rest.is_empty() {
            let size = (sizes.next().unwrap() as usize).min(rest.len());
            let batch: Vec<_> = rest.drain(..size).collect();
            known.extend(batch.iter().map(|(event, _)| event.id));
            // The finding comes as soon as its event is there, and again with every batch.
            let found = if known.contains(&finding.event_id) { vec![finding.clone()] } else { Vec::new() };
            world.ingest(&batch, &found).await;
        }
        let filter = watchpost_model::incident::IncidentFilter {
            entity: Some(finding.entity.clone()),
            ..Default::default()
        };
        let page = world.store.incident_page(&filter, Default::default(), None, 10).await.unwrap();
        assert_eq!(page.rows.len(), 1);
        assert_eq!(page.rows[0].event_count, expected as u64, "case {case}");
        let rows = all_events(&world, page.rows[0].number, 7).await;
        let mut ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        ids.reverse();
        let mut wanted: Vec<_> = events[..expected].iter().map(|(event, _)| (event.at, event.id)).collect();
        wanted.sort_unstable();
        assert_eq!(ids, wanted.into_iter().map(|(_, id)| id).collect::<Vec<_>>(), "case {case}");
    }
}

async fn weights_count(world: World) {
    let start = world.now() - Duration::hours(1);
    let mut events: Vec<_> = (0..12).map(|n| failure(n, start, i64::from(n))).collect();
    events[3].0.count = 5;
    events[11].0.count = 200;
    let outcome = world.ingest(&events, &[counting(500, start, &events[9].0, 14)]).await;
    assert_eq!(outcome.opened[0].event_count, 10 + 5 + 200, "a repeated message counts as often as it says");
    let detail = world.store.incident_by_number(1).await.unwrap();
    assert_eq!(detail.event_rows, 12);
    let ip = detail.entities.iter().find(|count| count.entity.kind == EntityKind::Ip).unwrap();
    assert_eq!(ip.events, 215);
    let period = watchpost_model::period::Period { from: start - Duration::hours(1), to: world.now() };
    let overview = world.store.overview(period, world.now(), 24).await.unwrap();
    let kpi = |name: &str| overview.kpis.iter().find(|kpi| kpi.name == name).unwrap().value;
    assert_eq!((kpi("events"), kpi("auth_failures")), (Some(215.0), Some(215.0)));
    assert_eq!((overview.top_sources[0].events, overview.top_sources[0].failures), (215, 215));
    assert_eq!(world.store.event_count(&EventFilter::default()).await.unwrap(), 12, "rows are rows");
    // The archived value replaces the first one, and its weight with it.
    events[11].0.count = 2;
    world.store.archive_upsert(&events[11..], None).await.unwrap();
    let overview = world.store.overview(period, world.now(), 24).await.unwrap();
    assert_eq!(overview.kpis[0].value, Some(17.0));
}

async fn ten_times_the_threshold_raises_the_severity(world: World) {
    let start = world.now() - Duration::hours(1);
    let attack: Vec<_> = (0..100).map(|n| failure(n, start, i64::from(n))).collect();
    let report = counting(500, start, &attack[9].0, 10);
    let opened = world.ingest(&attack[..99], &[report]).await.opened.remove(0);
    assert_eq!(opened.severity, Severity::Medium, "99 are not ten times 10");
    let updated = world.ingest(&attack[99..], &[]).await.updated.remove(0);
    assert_eq!((updated.severity, updated.event_count), (Severity::High, 100));
    assert_eq!(
        updated.resolve_due,
        updated.opened_at + watchpost_model::incident::Sla::of(Severity::High).resolve
    );
    let detail = world.store.incident_by_number(1).await.unwrap();
    let line = &detail.timeline.last().unwrap().text;
    assert!(line.contains("from medium to high") && line.contains("100 failed logins"), "{line}");
    let more: Vec<_> = (100..300).map(|n| failure(n, start, i64::from(n))).collect();
    let updated = world.ingest(&more, &[]).await.updated.remove(0);
    assert_eq!(updated.severity, Severity::High, "one step, once");
}

async fn number_alone_makes_nothing_critical(world: World) {
    let start = world.now() - Duration::hours(1);
    let attack: Vec<_> = (0..300).map(|n| failure(n, start, i64::from(n))).collect();
    let mut report = counting(500, start, &attack[9].0, 10);
    report.severity = Severity::High;
    let opened = world.ingest(&attack, &[report]).await.opened.remove(0);
    assert_eq!((opened.severity, opened.event_count), (Severity::High, 300), "thirty times the threshold");
    // MiB are not events.
    let mut sent: Vec<_> = (1_000..1_300).map(|n| failure(n, start, i64::from(n))).collect();
    sent.iter_mut().for_each(|(event, _)| event.source_ip = Some("198.51.100.8".to_owned()));
    let mut report = counting(501, sent[0].0.at, &sent[9].0, 10);
    report.entity.value = "198.51.100.8".to_owned();
    report.counter = Some(Counter { what: "MiB sent".to_owned(), seen: 12, threshold: 10, window_s: 300 });
    let opened = world.ingest(&sent, &[report]).await.opened.remove(0);
    assert_eq!((opened.severity, opened.event_count), (Severity::Medium, 300), "12 of 10, in 300 events");
}

/// The success of a login came in before its failures, of which the last one reports it.
async fn what_a_finding_names_is_of_its_incident(world: World) {
    let start = world.now() - Duration::hours(1);
    let (mut success, key) = failure(900, start, 20);
    success.kind = "login_success".to_owned();
    success.outcome = Outcome::Success;
    world.ingest(&[(success.clone(), key)], &[]).await;
    let attack: Vec<_> = (0..10).map(|n| failure(n, start, i64::from(n))).collect();
    let mut report = counting(500, start, &attack[9].0, 10);
    report.linked = vec![success.id];
    let incident = world.ingest(&attack, &[report]).await.opened.remove(0);
    assert_eq!((incident.first_seen, incident.last_seen), (attack[0].0.at, success.at));
    let rows = all_events(&world, 1, 50).await;
    assert_eq!((incident.event_count, rows.len()), (11, 11));
    assert_eq!(rows[0].event.as_ref(), Some(&success), "the newest of them");
}

async fn a_chain_links_its_steps(world: World) {
    let start = world.now() - Duration::hours(1);
    let events: Vec<_> = (0..6).map(|n| failure(n, start, i64::from(n) * 60)).collect();
    let of = |n: u32, family| finding(n, &events[n as usize].0, family, SOURCE);
    world.ingest(&events[..1], &[of(0, AttackFamily::Scanner)]).await;
    let mut other = of(1, AttackFamily::Xss);
    other.entity.value = "198.51.100.8".to_owned();
    world.ingest(&events[1..2], &[other]).await;
    // The chain and one of its steps come in one batch.
    world.ingest(&events[2..4], &[of(2, AttackFamily::Sqli), of(3, AttackFamily::KillChain)]).await;
    let related = async |number: i64| -> Vec<(LinkKind, bool, i64)> {
        let detail = world.store.incident_by_number(number).await.unwrap();
        detail.related.iter().map(|link| (link.kind, link.outgoing, link.incident.number)).collect()
    };
    let chain = LinkKind::Chain;
    let number = world
        .store
        .incident_page(
            &watchpost_model::incident::IncidentFilter {
                family: vec![AttackFamily::KillChain],
                ..Default::default()
            },
            Default::default(),
            None,
            10,
        )
        .await
        .unwrap()
        .rows[0]
        .number;
    let sqli = 7 - number; // Numbers 3 and 4 are these two.
    assert_eq!(related(number).await, [(chain, false, 1), (chain, false, sqli)]);
    assert_eq!(related(1).await, [(chain, true, number)]);
    assert_eq!(related(2).await, [], "another source");
    // A step that comes later is linked too.
    world.ingest(&events[4..], &[of(4, AttackFamily::Cmdi)]).await;
    assert_eq!(related(number).await, [(chain, false, 1), (chain, false, sqli), (chain, false, 5)]);
}

async fn retention_leaves_active_incidents_alone(world: World) {
    let start = world.now() - Duration::hours(1);
    let attack: Vec<_> = (0..150).map(|n| failure(n, start, i64::from(n))).collect();
    let mut others: Vec<_> = (200..220).map(|n| failure(n, start, i64::from(n))).collect();
    others.iter_mut().for_each(|(event, _)| event.source_ip = Some("198.51.100.8".to_owned()));
    world.ingest(&others, &[]).await;
    let incident = world.ingest(&attack, &[counting(500, start, &attack[9].0, 10)]).await.opened.remove(0);
    let cutoff = world.now() + Duration::seconds(1);
    let category = Category::Authentication;
    assert_eq!(world.store.archive_due(category, cutoff).await.unwrap(), 20);
    assert_eq!(world.store.archive_prune(category, cutoff, 500).await.unwrap(), 20);
    assert!(all_events(&world, 1, 500).await.iter().all(|row| row.event.is_some()), "all of the attack stay");
    let patch = IncidentPatch {
        status: Some(Status::Resolved),
        verdict: Some((Verdict::TruePositive, "seen".to_owned())),
        ..IncidentPatch::default()
    };
    world.store.incident_change(incident.id, incident.version, patch, draft("x")).await.unwrap();
    assert_eq!(world.store.archive_prune(category, cutoff, 500).await.unwrap(), 150);
    let rows = all_events(&world, 1, 500).await;
    assert_eq!(rows.len(), 150, "each is still known with its digest");
    assert!(rows.iter().all(|row| row.event.is_some()), "the first and the newest hundred were frozen");
}

async fn a_late_import_keeps_both_times(world: World) {
    let start = world.now() - Duration::days(300);
    let events: Vec<_> = (0..10).map(|n| failure(n, start, i64::from(n))).collect();
    let incident = world.ingest(&events, &[counting(500, start, &events[9].0, 10)]).await.opened.remove(0);
    assert_eq!((incident.first_seen, incident.last_seen), (events[0].0.at, events[9].0.at));
    assert_eq!(incident.opened_at, world.now(), "the clocks start when somebody can know");
    assert_eq!(
        incident.acknowledge_due,
        world.now() + watchpost_model::incident::Sla::of(Severity::Medium).acknowledge
    );
}
