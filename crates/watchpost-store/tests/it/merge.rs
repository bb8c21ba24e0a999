//! Merging and splitting: nothing is lost, nothing counts twice, and both are as they were afterwards.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Duration;
use proptest::prelude::{Strategy, prop};
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use watchpost_model::event::{Category, Event, Outcome, Severity};
use watchpost_model::finding::{AttackFamily, CountedEvents, Counter};
use watchpost_model::incident::{Incident, IncidentDetail, LinkKind, Status, Verdict};
use watchpost_store::{IncidentPatch, StoreError};

use crate::support::{World, both, draft, event, finding};

both!(
    merging_adds_and_splitting_restores,
    any_sequence_equals_an_oracle,
    what_came_while_merged_goes_with_its_group,
    only_what_can_be_merged_is,
);

/// What one incident has of its own.
#[derive(Debug, Clone, Default)]
struct Own {
    events: BTreeSet<u32>,
    findings: usize,
    severity: usize,
    notes: usize,
}

/// `count` incidents of one source each; some events belong to two of them.
async fn seed(world: &World, count: u32) -> BTreeMap<i64, Own> {
    seed_from(world, 0, count).await
}

async fn seed_from(world: &World, base: u32, count: u32) -> BTreeMap<i64, Own> {
    let mut own = BTreeMap::new();
    for n in 0..count {
        let mut batch = Vec::new();
        let mut findings = Vec::new();
        // Incident n has the events 10n .. 10n+11: the last two are the first two of the next one.
        for k in 0..12 {
            let id = n * 10 + k;
            let at = world.now() - Duration::hours(5) + Duration::seconds(i64::from(id));
            let event = event(base * 1_000 + id, at);
            let mut found = finding(n, &event, AttackFamily::Sqli, &format!("198.51.100.{}", base + n));
            found.severity = Severity::ALL[1 + (n as usize + k as usize % 2) % 4];
            batch.push((event, format!("security:api:x:{base}-{id}")));
            findings.push(found);
        }
        let opened = world.ingest(&batch, &findings).await.opened.remove(0);
        let severity = Severity::ALL.iter().position(|s| *s == opened.severity).unwrap();
        let events = (n * 10..n * 10 + 12).collect();
        own.insert(opened.number, Own { events, findings: 12, severity, notes: 0 });
    }
    own
}

async fn detail(world: &World, number: i64) -> IncidentDetail {
    world.store.incident_by_number(number).await.unwrap()
}

/// Without what a merge and a split leave behind on purpose.
fn bare(incident: &Incident) -> Incident {
    Incident { version: 0, ..incident.clone() }
}

async fn merging_adds_and_splitting_restores(world: World) {
    let own = seed(&world, 3).await;
    world.store.note_add(detail(&world, 2).await.incident.id, "of two", "dana", draft("n")).await.unwrap();
    let before: Vec<IncidentDetail> = [detail(&world, 1).await, detail(&world, 2).await].into();
    let target = world.store.incident_merge(&[2], 1, "one campaign", draft("incident_merge")).await.unwrap();
    let union: BTreeSet<u32> = own[&1].events.union(&own[&2].events).copied().collect();
    assert_eq!(
        (target.finding_count, target.event_count),
        (24, union.len() as u64),
        "shared events count once"
    );
    assert_eq!(target.severity, before[0].incident.severity.max(before[1].incident.severity));
    let whole = detail(&world, 1).await;
    assert_eq!(whole.incident, target, "what is returned is what is stored");
    assert_eq!(whole.event_rows, union.len() as u64);
    assert_eq!(whole.why.iter().map(|hit| hit.count).sum::<u64>(), 24);
    assert_eq!(whole.notes, before[1].notes, "notes are reachable");
    assert!(whole.timeline.iter().any(|line| line.from == Some(2) && line.kind == "opened"));
    assert_eq!(
        whole.entities.iter().filter(|c| c.entity.value == "/search").map(|c| c.events).sum::<u64>(),
        22
    );
    let links: Vec<_> = whole.related.iter().map(|link| (link.kind, link.incident.number)).collect();
    assert_eq!(links, [(LinkKind::Merged, 2)]);
    let page = world.store.incident_page(&Default::default(), Default::default(), None, 10).await.unwrap();
    assert_eq!(
        page.rows.iter().map(|row| row.number).collect::<Vec<_>>(),
        [3, 1],
        "a merged one is in no list"
    );
    assert_eq!(world.store.incident_counts(&Default::default()).await.unwrap().total, 2);
    assert_eq!(world.store.pulse().await.unwrap().incidents_active, 2, "the status counts as the list does");
    // A new finding of the merged one's group goes to the target, and raises no new incident.
    let later = event(900, world.now() - Duration::minutes(1));
    let found = finding(77, &later, AttackFamily::Sqli, "198.51.100.1");
    let outcome = world.ingest(&[(later, "security:api:x:900".to_owned())], &[found]).await;
    assert!(outcome.opened.is_empty());
    assert_eq!((outcome.updated[0].number, outcome.updated[0].finding_count), (1, 25));
    let split = world.store.incident_split(2, "another one", draft("incident_split")).await.unwrap();
    assert_eq!((split.finding_count, split.event_count), (13, 13), "what came to its group goes with it");
    assert_eq!(bare(&detail(&world, 1).await.incident), bare(&before[0].incident), "as it was");
    let again = detail(&world, 2).await;
    assert_eq!(again.notes, before[1].notes);
    assert_eq!((again.event_rows, again.why.iter().map(|hit| hit.count).sum::<u64>()), (13, 13));
    let rest = detail(&world, 1).await;
    assert_eq!((rest.entities, rest.why), (before[0].entities.clone(), before[0].why.clone()));
    assert!(again.related.is_empty());
}

async fn any_sequence_equals_an_oracle(world: World) {
    const COUNT: u32 = 7;
    let mut own = seed(&world, COUNT).await;
    // Each has a twin, which takes in the same and is never merged.
    const TWIN: u32 = 100;
    assert_eq!(seed_from(&world, TWIN, COUNT).await.keys().copied().min(), Some(i64::from(COUNT) + 1));
    let mut parent: BTreeMap<i64, i64> = BTreeMap::new();
    let mut runner = TestRunner::deterministic();
    let moves = prop::collection::vec((0..3, 1..=i64::from(COUNT), 1..=i64::from(COUNT)), 120);
    let moves = moves.new_tree(&mut runner).unwrap().current();
    for (step, (kind, a, b)) in moves.into_iter().enumerate() {
        if kind == 0 {
            // New findings of the group of `a`, merged or not.
            let id = 5_000 + u32::try_from(step).unwrap();
            let at = world.now() - Duration::hours(6) + Duration::seconds(i64::from(id % 1_000) * b * 9);
            let severity = 1 + (step + usize::try_from(b).unwrap()) % 4;
            let n = u32::try_from(a - 1).unwrap();
            let mut batch = Vec::new();
            for base in [0, TWIN] {
                let event = event(base * 1_000 + id, at);
                let mut found = finding(n, &event, AttackFamily::Sqli, &format!("198.51.100.{}", base + n));
                found.severity = Severity::ALL[severity];
                found.risk = 60 + u8::try_from(step % 40).unwrap();
                batch.push(((event, format!("security:api:y:{base}-{id}")), found));
            }
            let (events, findings): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
            let outcome = world.ingest(&events, &findings).await;
            assert!(outcome.opened.is_empty(), "step {step}: {:?}", outcome.opened);
            assert_eq!(outcome.updated.len(), 2, "the root of {a}, and the twin");
            let own = own.get_mut(&a).unwrap();
            own.events.insert(id);
            own.findings += 1;
            own.severity = own.severity.max(severity);
        } else if kind == 1 {
            let may = a != b && !parent.contains_key(&a) && !parent.contains_key(&b);
            let result = world.store.incident_merge(&[a], b, "x", draft("incident_merge")).await;
            assert_eq!(result.is_ok(), may, "step {step}: merge {a} into {b}: {result:?}");
            if may {
                parent.insert(a, b);
            }
        } else {
            let may = parent.contains_key(&a);
            let result = world.store.incident_split(a, "x", draft("incident_split")).await;
            assert_eq!(result.is_ok(), may, "step {step}: split {a}: {result:?}");
            parent.remove(&a);
        }
        if step % 10 == 9 {
            let root = (1..=i64::from(COUNT)).find(|n| !parent.contains_key(n)).unwrap();
            let id = detail(&world, root).await.incident.id;
            world.store.note_add(id, "a note", "dana", draft("n")).await.unwrap();
            own.get_mut(&root).unwrap().notes += 1;
        }
        let below = |top: i64| -> Vec<i64> {
            let mut found = vec![top];
            let mut next = 0;
            while let Some(&number) = found.get(next) {
                found.extend(parent.iter().filter(|(_, up)| **up == number).map(|(down, _)| *down));
                next += 1;
            }
            found
        };
        for number in 1..=i64::from(COUNT) {
            if parent.contains_key(&number) {
                continue;
            }
            let group = below(number);
            let events: BTreeSet<u32> = group.iter().flat_map(|n| own[n].events.iter().copied()).collect();
            let seen = detail(&world, number).await;
            let row = &seen.incident;
            let severity = group.iter().map(|n| own[n].severity).max().unwrap();
            assert_eq!(
                (row.finding_count, row.event_count, row.severity, seen.event_rows, seen.notes.len()),
                (
                    group.iter().map(|n| own[n].findings as u64).sum(),
                    events.len() as u64,
                    Severity::ALL[severity],
                    events.len() as u64,
                    group.iter().map(|n| own[n].notes).sum()
                ),
                "step {step}: {number} with {group:?}"
            );
        }
    }
    for number in 1..=i64::from(COUNT) {
        if parent.contains_key(&number) {
            world.store.incident_split(number, "x", draft("incident_split")).await.unwrap();
        }
    }
    for number in 1..=i64::from(COUNT) {
        let (after, twin) = (detail(&world, number).await, detail(&world, number + i64::from(COUNT)).await);
        assert_eq!(
            as_if_alone(&after.incident, &twin.incident),
            bare(&twin.incident),
            "{number} is as if it had never been merged"
        );
        assert_eq!(after.event_rows, twin.event_rows);
        let score = async |incident: &Incident| {
            let (risk, parts) =
                world.store.entity_risk(&incident.entity, world.now()).await.unwrap().unwrap();
            let parts: Vec<(f64, bool)> = parts.iter().map(|part| (part.points, part.counts)).collect();
            (risk.score, risk.incidents, parts)
        };
        assert_eq!(score(&after.incident).await, score(&twin.incident).await, "the risk of its source");
    }
}

/// An incident under the name of its twin, which no note acknowledged.
fn as_if_alone(incident: &Incident, twin: &Incident) -> Incident {
    Incident {
        id: twin.id,
        number: twin.number,
        title: twin.title.clone(),
        entity: twin.entity.clone(),
        acknowledged_at: twin.acknowledged_at,
        ..bare(incident)
    }
}

/// What a behaviour counts goes on in the group that it was found in, also while that is merged.
async fn what_came_while_merged_goes_with_its_group(world: World) {
    let start = world.now() - Duration::hours(2);
    let failures = |source: &str, from: u32| -> Vec<(Event, String)> {
        (from..from + 12)
            .map(|n| {
                let mut event = event(n, start + Duration::seconds(i64::from(n % 1_000)));
                event.category = Category::Authentication;
                event.outcome = Outcome::Failure;
                event.source_ip = Some(source.to_owned());
                event.actor = None;
                (event, format!("security:auth:{n}"))
            })
            .collect()
    };
    let counting = |events: &[(Event, String)], source: &str, n: u32| {
        let last = &events.last().unwrap().0;
        let mut found = finding(n, last, AttackFamily::BruteForce, source);
        found.counter = Some(Counter { what: "x".into(), seen: 12, threshold: 10, window_s: 300 });
        found.counted = Some(CountedEvents {
            from: events[0].0.at,
            to: last.at,
            category: Some(Category::Authentication),
            outcome: Some(Outcome::Failure),
            status: None,
        });
        found
    };
    for (n, source) in [(1_000, "198.51.100.3"), (2_000, "198.51.100.9")] {
        let events = failures(source, n);
        world.ingest(&events, &[counting(&events, source, n)]).await;
    }
    let before = detail(&world, 1).await;
    world.store.incident_merge(&[2], 1, "x", draft("m")).await.unwrap();
    // Twelve that only go on, then a finding about twelve more.
    world.ingest(&failures("198.51.100.9", 2_012), &[]).await;
    let more = failures("198.51.100.9", 2_024);
    world.ingest(&more, &[counting(&more, "198.51.100.9", 7)]).await;
    let whole = detail(&world, 1).await;
    assert_eq!((whole.incident.finding_count, whole.incident.event_count, whole.event_rows), (3, 48, 48));
    let found = counting(&more, "198.51.100.9", 7).id;
    let shown = world.store.incidents_of_findings(&[found]).await.unwrap();
    assert_eq!(shown[&found].1, 1, "it is answered on the one that people see");
    let split = world.store.incident_split(2, "x", draft("s")).await.unwrap();
    assert_eq!((split.finding_count, split.event_count), (2, 36));
    let after = detail(&world, 1).await;
    assert_eq!((bare(&after.incident), after.event_rows), (bare(&before.incident), before.event_rows));
    assert_eq!(after.entities, before.entities);
    world.ingest(&failures("198.51.100.9", 2_036), &[]).await;
    assert_eq!(detail(&world, 2).await.incident.event_count, 48, "it goes on by itself");
    assert_eq!(detail(&world, 1).await.incident.event_count, 12);
}

async fn only_what_can_be_merged_is(world: World) {
    seed(&world, 3).await;
    let store = &world.store;
    let merge = async |numbers: &[i64], into| store.incident_merge(numbers, into, "x", draft("m")).await;
    assert!(matches!(merge(&[1], 1).await, Err(StoreError::Validation(_))));
    assert!(matches!(merge(&[], 1).await, Err(StoreError::Validation(_))));
    assert!(matches!(merge(&[1], 99).await, Err(StoreError::NotFound(_))));
    assert!(matches!(merge(&[2, 99], 1).await, Err(StoreError::NotFound(_))), "all or none");
    assert!(detail(&world, 2).await.incident.merged_into.is_none());
    merge(&[2], 1).await.unwrap();
    let merged = detail(&world, 2).await.incident;
    let patch = IncidentPatch { assignee: Some(Some("dana".to_owned())), ..IncidentPatch::default() };
    let refused = store.incident_change(merged.id, merged.version, patch, draft("x")).await;
    assert!(matches!(refused, Err(StoreError::Precondition(_))), "worked on through its target: {refused:?}");
    assert!(matches!(
        store.note_add(merged.id, "x", "dana", draft("x")).await,
        Err(StoreError::Precondition(_))
    ));
    let third = detail(&world, 3).await.incident;
    let patch = IncidentPatch {
        status: Some(Status::Resolved),
        verdict: Some((Verdict::TruePositive, "x".to_owned())),
        ..IncidentPatch::default()
    };
    store.incident_change(third.id, third.version, patch, draft("x")).await.unwrap();
    assert!(matches!(merge(&[1], 3).await, Err(StoreError::Precondition(_))), "the target is resolved");
    assert!(matches!(store.incident_split(1, "x", draft("s")).await, Err(StoreError::Precondition(_))));
}
