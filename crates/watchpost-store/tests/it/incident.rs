//! Incidents: pages and counts that agree, and changes that obey the rules and are recorded.

use std::collections::HashSet;

use chrono::Duration;
use watchpost_model::audit::AuditFilter;
use watchpost_model::event::{Entity, EntityKind, Severity};
use watchpost_model::finding::AttackFamily;
use watchpost_model::incident::{Incident, IncidentFilter, IncidentOrder, Status, Verdict};
use watchpost_store::{IncidentPatch, StoreError};

use crate::support::{World, both, draft, events, finding};

both!(pages_and_counts_agree, changes_obey_the_rules, notes_acknowledge, changes_collide);

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
    ];
    for filter in filters {
        let counts = world.store.incident_counts(&filter).await.unwrap();
        for order in [IncidentOrder::Newest, IncidentOrder::Severity, IncidentOrder::Due] {
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
    assert!(matches!(nothing, Err(StoreError::Validation(_))), "{nothing:?}");
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
