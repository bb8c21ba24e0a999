//! Incidents: pages and counts that agree, and changes that obey the rules and are recorded.

use std::collections::HashSet;

use chrono::Duration;
use watchpost_model::audit::AuditFilter;
use watchpost_model::event::{Entity, EntityKind, Severity};
use watchpost_model::finding::AttackFamily;
use watchpost_model::incident::{Incident, IncidentFilter, IncidentOrder, Status, Verdict};
use watchpost_model::period::Period;
use watchpost_store::{IncidentPatch, StoreError};

use crate::support::{World, both, draft, events, finding};

both!(
    pages_and_counts_agree,
    what_happened_since_is_found,
    long_work_comes_in_parts,
    changes_obey_the_rules,
    notes_acknowledge,
    changes_collide,
);

/// `count` incidents of several families and severities.
async fn seed(world: &World, count: u32) -> Vec<Incident> {
    let batch = events(count, world.now() - Duration::hours(1));
    let mut findings = Vec::new();
    for (n, (event, _)) in (0..).zip(&batch) {
        let family = AttackFamily::ALL[n as usize % AttackFamily::ALL.len()];
        let mut finding = finding(n, event, family, &format!("198.51.100.{n}"));
        finding.severity = Severity::ALL[1 + n as usize % 4];
        findings.push(finding);
    }
    world.ingest(&batch, &findings).await.opened
}

fn status(status: Status) -> IncidentPatch {
    IncidentPatch { status: Some(status), ..IncidentPatch::default() }
}

fn assign(name: Option<&str>) -> IncidentPatch {
    IncidentPatch { assignee: Some(name.map(str::to_owned)), ..IncidentPatch::default() }
}

async fn all_pages(
    world: &World,
    filter: &IncidentFilter,
    order: IncidentOrder,
    limit: u32,
) -> Vec<Incident> {
    let mut rows = Vec::new();
    let mut after = None;
    loop {
        let page = world.store.incident_page(filter, order, after, limit).await.unwrap();
        rows.extend(page.rows);
        match page.next {
            Some(next) => after = Some(next),
            None => return rows,
        }
    }
}

async fn what_happened_since_is_found(world: World) {
    let before = seed(&world, 3).await;
    world.clock.advance(Duration::hours(2));
    let left = world.now();
    let batch = events(9, world.now());
    let finding = finding(77, &batch[8].0, AttackFamily::Xss, "198.51.100.77");
    let opened = world.ingest(&batch, &[finding]).await.opened;
    world.clock.advance(Duration::minutes(1));
    world.store.note_add(before[1].id, "looked at it", "dana", draft("n")).await.unwrap();
    world.clock.advance(Duration::minutes(1));
    let away = Some(Period::new(left, world.now()).unwrap());
    let numbers = async |filter: IncidentFilter| -> Vec<i64> {
        let counted = world.store.incident_counts(&filter).await.unwrap().total;
        let rows = all_pages(&world, &filter, IncidentOrder::Newest, 2).await;
        assert_eq!(rows.len() as u64, counted, "the number opens its rows");
        rows.iter().map(|incident| incident.number).collect()
    };
    let any = IncidentFilter::default;
    assert_eq!(numbers(IncidentFilter { opened: away, ..any() }).await, [opened[0].number]);
    let changed = numbers(IncidentFilter { changed: away, ..any() }).await;
    assert_eq!(changed, [opened[0].number, before[1].number], "the new one, and the one with a note");
    let later = Some(Period::new(world.now(), world.now() + Duration::hours(1)).unwrap());
    assert!(numbers(IncidentFilter { changed: later, ..any() }).await.is_empty());
    let both = IncidentFilter { opened: away, status: vec![Status::Resolved], ..any() };
    assert!(numbers(both).await.is_empty(), "with another condition");
}

async fn long_work_comes_in_parts(world: World) {
    let incident = seed(&world, 1).await.remove(0);
    for n in 0..230 {
        // Several at one moment: the cursor tells them apart.
        if n % 7 == 0 {
            world.clock.advance(Duration::seconds(1));
        }
        world.store.note_add(incident.id, &format!("note {n}"), "dana", draft("n")).await.unwrap();
    }
    let detail = world.store.incident_by_number(incident.number).await.unwrap();
    assert_eq!((detail.notes.len(), detail.timeline.len()), (200, 200));
    assert!(detail.notes.iter().any(|note| note.text == "note 229"), "the newest are here");
    let (mut notes, mut earlier) = (detail.notes, detail.earlier_notes);
    while let Some(before) = earlier {
        let part = world.store.incident_notes(incident.number, Some(&before), 13).await.unwrap();
        (notes, earlier) = ([part.0, notes].concat(), part.1);
    }
    let expected: Vec<String> = (0..230).map(|n| format!("note {n}")).collect();
    let mut texts: Vec<String> = notes.iter().map(|note| note.text.clone()).collect();
    assert!(notes.is_sorted_by_key(|note| note.at), "oldest first");
    // Those of one moment stand in the order of their ids.
    texts.sort_by_key(|text| text.trim_start_matches("note ").parse::<u32>().unwrap());
    assert_eq!(texts, expected, "all of them, each once");
    let (mut lines, mut earlier) = (detail.timeline, detail.earlier_timeline);
    while let Some(before) = earlier {
        let part = world.store.incident_timeline(incident.number, Some(&before), 11).await.unwrap();
        (lines, earlier) = ([part.0, lines].concat(), part.1);
    }
    let whole = world.store.incident_timeline(incident.number, None, 500).await.unwrap();
    assert_eq!((&lines, None), (&whole.0, whole.1), "parts add up to the whole");
    assert!(lines.len() > 230 && lines.is_sorted_by_key(|line| line.at), "{}", lines.len());
    for cursor in ["", "x", "1", "1.x"] {
        let refused = world.store.incident_timeline(incident.number, Some(cursor), 5).await;
        assert!(matches!(refused, Err(StoreError::Validation(_))), "{cursor:?}: {refused:?}");
    }
    assert!(matches!(world.store.incident_notes(99, None, 5).await, Err(StoreError::NotFound(_))));
    assert!(matches!(world.store.incident_notes(1, None, 501).await, Err(StoreError::Validation(_))));
}

async fn pages_and_counts_agree(world: World) {
    let opened = seed(&world, 23).await;
    for incident in &opened[..6] {
        let draft = draft("incident_assign");
        world.store.incident_change(incident.id, 1, assign(Some("dana")), draft).await.unwrap();
    }
    for incident in &opened[..3] {
        world
            .store
            .incident_change(incident.id, 2, status(Status::Resolved), draft("incident_resolve"))
            .await
            .unwrap();
    }
    let any = IncidentFilter::default;
    let filters = [
        any(),
        IncidentFilter { status: vec![Status::Open], ..any() },
        IncidentFilter {
            severity: vec![Severity::High, Severity::Low],
            family: vec![AttackFamily::Sqli],
            ..any()
        },
        IncidentFilter { assignee: Some("dana".into()), ..any() },
        IncidentFilter { assignee: Some(String::new()), status: vec![Status::Open], ..any() },
        IncidentFilter { text: Some("INJECTION 198.51".into()), ..any() },
        IncidentFilter { entity: Some(Entity::new(EntityKind::Ip, "198.51.100.4")), ..any() },
        IncidentFilter { entity: Some(Entity::new(EntityKind::Ip, "198.51.100.0/29")), ..any() },
    ];
    for filter in filters {
        let counts = world.store.incident_counts(&filter).await.unwrap();
        for order in
            [IncidentOrder::Newest, IncidentOrder::Severity, IncidentOrder::Due, IncidentOrder::Urgency]
        {
            let whole = world.store.incident_page(&filter, order, None, 500).await.unwrap();
            assert_eq!(whole.rows.len() as u64, counts.total, "{filter:?}");
            assert_eq!(whole.next, None);
            for limit in [1, 5] {
                assert_eq!(
                    all_pages(&world, &filter, order, limit).await,
                    whole.rows,
                    "{order:?} by {limit}"
                );
            }
            let numbers: HashSet<i64> = whole.rows.iter().map(|i| i.number).collect();
            assert_eq!(numbers.len(), whole.rows.len(), "no row twice");
        }
        for (value, count) in counts.status {
            let only = IncidentFilter { status: vec![value], ..filter.clone() };
            assert_eq!(
                all_pages(&world, &only, IncidentOrder::Newest, 500).await.len() as u64,
                count,
                "{value}"
            );
        }
        for (value, count) in counts.severity {
            let only = IncidentFilter { severity: vec![value], ..filter.clone() };
            assert_eq!(
                all_pages(&world, &only, IncidentOrder::Newest, 500).await.len() as u64,
                count,
                "{value}"
            );
        }
        for (value, count) in counts.family {
            let only = IncidentFilter { family: vec![value], ..filter.clone() };
            assert_eq!(
                all_pages(&world, &only, IncidentOrder::Newest, 500).await.len() as u64,
                count,
                "{value}"
            );
        }
        for (value, count) in counts.assignee {
            let only = IncidentFilter { assignee: Some(value.unwrap_or_default()), ..filter.clone() };
            assert_eq!(all_pages(&world, &only, IncidentOrder::Newest, 500).await.len() as u64, count);
        }
    }
    let by_severity = all_pages(&world, &any(), IncidentOrder::Severity, 500).await;
    assert!(
        by_severity.is_sorted_by_key(|i| std::cmp::Reverse((i.severity, i.number))),
        "most severe, then newest"
    );
    let by_due = all_pages(&world, &any(), IncidentOrder::Due, 500).await;
    assert!(by_due[20..].iter().all(|i| i.status == Status::Resolved), "no clock runs for what is resolved");
    let by_urgency = all_pages(&world, &any(), IncidentOrder::Urgency, 3).await;
    let due = |i: &Incident| match (i.status.is_active(), i.acknowledged_at) {
        (false, _) => None,
        (true, None) => Some(i.acknowledge_due.min(i.resolve_due)),
        (true, Some(_)) => Some(i.resolve_due),
    };
    let is_urgent = |i: &Incident| {
        let due = due(i);
        (std::cmp::Reverse(i.severity), due.is_none(), due, std::cmp::Reverse(i.number))
    };
    assert!(by_urgency.is_sorted_by_key(is_urgent), "most severe, then the one that is due first");
}

async fn changes_obey_the_rules(world: World) {
    let incident = seed(&world, 1).await.remove(0);
    world.clock.advance(Duration::minutes(5));
    let store = &world.store;
    let taken =
        store.incident_change(incident.id, 1, assign(Some("dana")), draft("incident_take")).await.unwrap();
    assert_eq!((taken.version, taken.assignee.as_deref()), (2, Some("dana")));
    assert_eq!(taken.acknowledged_at, Some(world.now()), "the first action acknowledges");
    let closed = store.incident_change(incident.id, 2, status(Status::Closed), draft("incident_close")).await;
    assert!(matches!(closed, Err(StoreError::Precondition(_))), "{closed:?}");
    let no_reason =
        IncidentPatch { verdict: Some((Verdict::TruePositive, " ".into())), ..IncidentPatch::default() };
    let refused = store.incident_change(incident.id, 2, no_reason, draft("incident_judge")).await;
    assert!(matches!(refused, Err(StoreError::Validation(_))), "{refused:?}");
    let nothing = store.incident_change(incident.id, 2, assign(Some("dana")), draft("incident_take")).await;
    assert!(matches!(nothing, Err(StoreError::Precondition(_))), "{nothing:?}");
    world.clock.advance(Duration::minutes(5));
    let patch = IncidentPatch {
        status: Some(Status::Resolved),
        verdict: Some((Verdict::FalsePositive, "a scanner of ours".into())),
        ..IncidentPatch::default()
    };
    let resolved = store.incident_change(incident.id, 2, patch, draft("incident_resolve")).await.unwrap();
    assert_eq!(resolved.resolved_at, Some(world.now()));
    assert_eq!(resolved.verdict_reason.as_deref(), Some("a scanner of ours"));
    let reopened = store
        .incident_change(incident.id, 3, status(Status::Reopened), draft("incident_reopen"))
        .await
        .unwrap();
    assert_eq!((reopened.resolved_at, reopened.acknowledged_at), (None, taken.acknowledged_at));
    let detail = store.incident_by_number(incident.number).await.unwrap();
    assert_eq!(detail.incident, reopened, "what is returned is what is stored");
    let kinds: Vec<&str> = detail.timeline.iter().map(|entry| entry.kind.as_str()).collect();
    assert_eq!(kinds, ["opened", "assigned", "verdict", "status", "status", "verdict"]);
    let trail = store
        .audit_page(&AuditFilter { actor: Some("dana".into()), ..Default::default() }, None, 10)
        .await
        .unwrap();
    assert_eq!(trail.len(), 3, "one record for each change, none for what was refused");
    assert_eq!(trail[1].object, "incident/1");
    let status_change = trail[1].changes.iter().find(|change| change.field == "status").unwrap();
    assert_eq!((&status_change.old, &status_change.new), (&"open".into(), &"resolved".into()));
}

async fn notes_acknowledge(world: World) {
    let incident = seed(&world, 1).await.remove(0);
    let store = &world.store;
    let empty = store.note_add(incident.id, "  ", "dana", draft("note_add")).await;
    assert!(matches!(empty, Err(StoreError::Validation(_))), "{empty:?}");
    let note = store.note_add(incident.id, "first\nsecond", "dana", draft("note_add")).await.unwrap();
    let detail = store.incident_by_number(1).await.unwrap();
    assert_eq!(detail.notes, [note]);
    assert_eq!((detail.incident.acknowledged_at, detail.incident.version), (Some(world.now()), 2));
    let nobody = watchpost_model::ids::IncidentId::at(world.now());
    let missing = store.note_add(nobody, "x", "dana", draft("note_add")).await;
    assert!(matches!(missing, Err(StoreError::NotFound(_))), "{missing:?}");
}

async fn changes_collide(world: World) {
    let incident = seed(&world, 1).await.remove(0);
    let other = world.another().await;
    let (one, two) = tokio::join!(
        world.store.incident_change(incident.id, 1, assign(Some("dana")), draft("incident_take")),
        other.incident_change(incident.id, 1, assign(Some("robin")), draft("incident_take")),
    );
    let results = [one.is_ok(), two.is_ok()];
    assert_eq!(results.iter().filter(|ok| **ok).count(), 1, "exactly one of them wins");
    let lost = if one.is_err() { one } else { two };
    assert!(matches!(lost, Err(StoreError::Conflict(_))), "{lost:?}");
}
