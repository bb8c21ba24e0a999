//! Taking in batches: nothing twice, everything counted, one incident for each family and entity.

use chrono::Duration;
use watchpost_model::audit::AuditFilter;
use watchpost_model::event::{Entity, EntityKind, Severity};
use watchpost_model::finding::{AttackFamily, Finding};
use watchpost_model::incident::{IncidentFilter, IncidentOrder, Sla, Status};
use watchpost_store::{EventFilter, IngestBatch, StoreError, VerifyPlan, event_digest};

use crate::support::{World, both, caller, events, finding};

both!(
    a_batch_opens_incidents,
    the_same_batch_adds_nothing,
    findings_join_the_active_incident,
    a_finding_needs_its_event,
    two_engines_at_once,
    hostile_text_is_kept,
    the_severity_rises_as_evidence_grows,
    a_scanner_that_finds_nothing_is_not_critical,
    unusual_use_of_an_account_is_called_by_what_was_seen,
);

fn attack(events: &[(watchpost_model::event::Event, String)], source: &str) -> Vec<Finding> {
    events
        .iter()
        .enumerate()
        .map(|(n, (event, _))| finding(u32::try_from(n).unwrap(), event, AttackFamily::Sqli, source))
        .collect()
}

/// Whoever goes on is at work: once, however the findings are spread over batches, and again none after that.
async fn the_severity_rises_as_evidence_grows(world: World) {
    let events = events(150, world.now() - Duration::hours(1));
    let findings = attack(&events, "203.0.113.7");
    for (part, severity) in [(0..60, Severity::High), (60..99, Severity::High), (99..150, Severity::Critical)]
    {
        world.ingest(&events[part.clone()], &findings[part.clone()]).await;
        let incident = world.store.incident_by_number(1).await.unwrap().incident;
        assert_eq!((incident.finding_count, incident.severity), (part.end as u64, severity), "{part:?}");
    }
    let detail = world.store.incident_by_number(1).await.unwrap();
    let risen: Vec<_> = detail.timeline.iter().filter(|line| line.kind == "severity").collect();
    assert_eq!(risen.len(), 1, "{risen:?}");
    assert!(risen[0].text.contains("from high to critical by 100 findings"), "{}", risen[0].text);
    assert_eq!(
        detail.incident.acknowledge_due,
        detail.incident.opened_at + Sla::of(Severity::Critical).acknowledge
    );
}

/// Hundreds of requests for what is not there are many, and no breach; until one of them gets an answer.
async fn a_scanner_that_finds_nothing_is_not_critical(world: World) {
    let mut scans = events(150, world.now() - Duration::hours(1));
    let answered = |status| Some(watchpost_model::event::Http { status: Some(status), ..Default::default() });
    scans.iter_mut().for_each(|(event, _)| event.http = answered(404));
    let findings = attack(&scans, "203.0.113.7");
    world.ingest(&scans[..60], &findings[..60]).await;
    world.ingest(&scans[60..], &findings[60..]).await;
    let incident = world.store.incident_by_number(1).await.unwrap().incident;
    assert_eq!((incident.finding_count, incident.severity), (150, Severity::High));
    // The one that was answered lies in an earlier batch.
    let mut scans = events(300, world.now() - Duration::hours(2)).split_off(150);
    scans.iter_mut().for_each(|(event, _)| event.http = answered(404));
    scans[3].0.http = answered(200);
    let findings = attack(&scans, "203.0.113.8");
    world.ingest(&scans[..60], &findings[..60]).await;
    world.ingest(&scans[60..], &findings[60..]).await;
    let incident = world.store.incident_by_number(2).await.unwrap().incident;
    assert_eq!((incident.finding_count, incident.severity), (150, Severity::Critical));
}

/// By the worst of it, in every order: an unusual hour is no takeover, and two places at once are no unusual hour.
async fn unusual_use_of_an_account_is_called_by_what_was_seen(world: World) {
    let events = events(3, world.now() - Duration::hours(1));
    let use_of = |n: u32, title: &str, severity| {
        let mut found = finding(n, &events[n as usize].0, AttackFamily::AccountTakeover, "");
        found.entity = Entity::new(EntityKind::User, "anna");
        found.rule_id = format!("wp.one.{n}");
        found.rule_title = title.to_owned();
        found.severity = severity;
        found
    };
    let hour = use_of(0, "Active at an unusual hour", Severity::Low);
    let travel = use_of(1, "Active in two places too far apart", Severity::High);
    let device = use_of(2, "Login with a new device", Severity::Low);
    let seen = [
        (hour, "Active at an unusual hour: anna"),
        (travel, "Active in two places too far apart: anna"),
        (device, "Active in two places too far apart: anna"),
    ];
    for (n, (found, title)) in seen.into_iter().enumerate() {
        world.ingest(&events[n..=n], &[found]).await;
        assert_eq!(world.store.incident_by_number(1).await.unwrap().incident.title, title);
    }
}

async fn a_batch_opens_incidents(world: World) {
    let events = events(30, world.now() - Duration::hours(1));
    let mut findings = attack(&events[..10], "203.0.113.7");
    findings.extend(attack(&events[10..15], "198.51.100.9"));
    let mut worst = finding(77, &events[3].0, AttackFamily::Sqli, "203.0.113.7");
    worst.severity = Severity::Critical;
    worst.rule_id = "wp.sqli.union".to_owned();
    worst.confidence = 95;
    worst.attack = vec!["T1059".to_owned()];
    findings.push(worst);
    let outcome = world.ingest(&events, &findings).await;
    assert_eq!((outcome.inserted, outcome.duplicates, outcome.findings), (30, 0, 16));
    assert_eq!(outcome.opened.iter().map(|i| i.number).collect::<Vec<_>>(), [1, 2]);
    assert!(outcome.updated.is_empty());
    let detail = world.store.incident_by_number(1).await.unwrap();
    assert_eq!(detail.incident, outcome.opened[0]);
    let incident = &detail.incident;
    assert_eq!(incident.title, "SQL injection from 203.0.113.7");
    assert_eq!((incident.severity, incident.confidence, incident.risk), (Severity::Critical, 95, 70));
    assert_eq!((incident.finding_count, incident.event_count, incident.status), (11, 10, Status::Open));
    assert_eq!((incident.first_seen, incident.last_seen), (events[0].0.at, events[9].0.at));
    assert_eq!(incident.attack, ["T1190", "T1059"]);
    assert_eq!(incident.acknowledge_due, world.now() + Sla::of(Severity::Critical).acknowledge);
    assert_eq!(detail.evidence.len(), 10);
    assert_eq!(detail.evidence[0].event, events[9].0, "newest first");
    for evidence in &detail.evidence {
        let digest: String =
            event_digest(&evidence.event).unwrap().iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(evidence.sha256, digest, "the digest is that of the frozen event");
    }
    assert_eq!(detail.evidence.iter().map(|e| e.findings.len()).sum::<usize>(), 11);
    assert_eq!(detail.why.iter().map(|hit| hit.count).sum::<u64>(), 11);
    assert_eq!(detail.why[0].newest.rule_id, "wp.sqli.union", "most severe first");
    assert_eq!(
        detail.timeline.iter().map(|entry| entry.kind.as_str()).collect::<Vec<_>>(),
        ["opened", "finding", "severity"]
    );
    let ips: u64 = detail
        .entities
        .iter()
        .filter(|count| count.entity.kind == watchpost_model::event::EntityKind::Ip)
        .map(|count| count.events)
        .sum();
    assert_eq!(ips, 10, "each evidence event counts once for its address");
    let trail = world.store.audit_page(&AuditFilter::default(), None, 10).await.unwrap();
    assert_eq!(trail.len(), 2, "one record for each opened incident");
    assert!(trail.iter().all(|record| record.action == "incident_open" && record.actor == "engine"));
}

async fn the_same_batch_adds_nothing(world: World) {
    let events = events(40, world.now() - Duration::hours(1));
    let findings = attack(&events[..20], "203.0.113.7");
    let first = world.ingest(&events, &findings).await;
    let before = world.store.revisions().await.unwrap();
    for _ in 0..2 {
        let again = world.ingest(&events, &findings).await;
        assert_eq!((again.inserted, again.duplicates, again.findings), (0, 40, 0));
        assert!(again.opened.is_empty() && again.updated.is_empty(), "{again:?}");
    }
    assert_eq!(world.store.revisions().await.unwrap(), before, "nothing changed, nothing is announced");
    let detail = world.store.incident_by_number(1).await.unwrap();
    assert_eq!(detail.incident, first.opened[0]);
    assert_eq!(world.store.event_count(&EventFilter::default()).await.unwrap(), 40);
    let doubled: Vec<_> = events.iter().chain(&events).cloned().collect();
    let again = world.ingest(&doubled, &[]).await;
    assert_eq!((again.inserted, again.duplicates), (0, 80));
}

async fn findings_join_the_active_incident(world: World) {
    let events = events(30, world.now() - Duration::hours(1));
    let findings = attack(&events, "203.0.113.7");
    world.ingest(&events, &findings[..10]).await;
    let second = world.ingest(&events, &findings[..20]).await;
    assert!(second.opened.is_empty());
    assert_eq!(second.updated[0].finding_count, 20);
    let incident = second.updated[0].clone();
    let patch = watchpost_store::IncidentPatch {
        status: Some(Status::Resolved),
        verdict: Some((watchpost_model::incident::Verdict::TruePositive, "seen".to_owned())),
        ..Default::default()
    };
    let draft = crate::support::draft("incident_resolve");
    world.store.incident_change(incident.id, incident.version, patch, draft).await.unwrap();
    let third = world.ingest(&events, &findings).await;
    assert_eq!(third.opened.len(), 1, "the resolved one is left alone");
    assert_eq!(
        (third.opened[0].number, third.opened[0].finding_count),
        (2, 10),
        "and old findings are not counted again"
    );
}

async fn a_finding_needs_its_event(world: World) {
    let events = events(2, world.now());
    let findings = attack(&events, "203.0.113.7");
    let batch = IngestBatch { events: &events[..1], findings: &findings, now: world.now() };
    let refused = world.store.ingest(batch).await;
    assert!(matches!(refused, Err(StoreError::Validation(_))), "{refused:?}");
    assert_eq!(world.store.event_count(&EventFilter::default()).await.unwrap(), 0, "all or nothing");
    world.ingest(&events, &[]).await;
    let later = world.ingest(&[], &findings).await;
    assert_eq!((later.inserted, later.findings), (0, 2), "a stored event will do");
}

async fn two_engines_at_once(world: World) {
    let events = events(400, world.now() - Duration::hours(1));
    let mut findings = Vec::new();
    for (n, (event, _)) in events.iter().enumerate() {
        let source = format!("203.0.113.{}", n % 20);
        findings.push(finding(u32::try_from(n).unwrap(), event, AttackFamily::Xss, &source));
    }
    let engine = |store: watchpost_store::Store, backwards: bool| {
        let (events, findings, now) = (events.clone(), findings.clone(), world.now());
        async move {
            let mut starts: Vec<usize> = (0..400).step_by(20).collect();
            if backwards {
                starts.reverse();
            }
            let mut inserted = 0;
            for start in starts {
                let part = start..start + 20;
                let batch = IngestBatch { events: &events[part.clone()], findings: &findings[part], now };
                inserted += store.ingest(batch).await.unwrap().inserted;
            }
            inserted
        }
    };
    let other = world.another().await;
    let (one, two) = tokio::join!(engine(world.store.clone(), false), engine(other, true));
    assert_eq!(one + two, 400, "each event was inserted by exactly one");
    let page = world
        .store
        .incident_page(&IncidentFilter::default(), IncidentOrder::Newest, None, 500)
        .await
        .unwrap();
    let mut numbers: Vec<i64> = page.rows.iter().map(|incident| incident.number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=20).collect::<Vec<i64>>(), "one incident for each source, gapless numbers");
    assert!(page.rows.iter().all(|incident| incident.finding_count == 20 && incident.event_count == 20));
    let result =
        world.store.audit_verify(&caller("auditor"), VerifyPlan::default(), &|_, _| true).await.unwrap();
    assert!(result.ok, "{:?}", result.problems);
}

async fn hostile_text_is_kept(world: World) {
    let mut batch = events(1, world.now());
    let event = &mut batch[0].0;
    event.actor = Some("a\0b'; DROP TABLE event; --".to_owned());
    event.resource = Some("/".to_owned() + &"\u{1f980}".repeat(5000));
    event.session = Some("x".repeat(100_000));
    event.source_ip = Some("not an address".to_owned());
    event.details = serde_json::json!({"deep": {"z": 1, "a": ["\0", "\u{202e}", 1.5, u64::MAX]}});
    let mut one = finding(1, event, AttackFamily::Traversal, "x");
    one.entity.value = "\u{202e}".to_owned() + &"/..".repeat(2000);
    let id = event.id;
    let outcome = world.ingest(&batch, std::slice::from_ref(&one)).await;
    assert_eq!(outcome.opened[0].entity, one.entity, "an entity is kept whole");
    assert!(outcome.opened[0].title.len() < 300, "a title is not");
    let stored = world.store.event_detail(id).await.unwrap();
    assert_eq!(stored.event, batch[0].0, "an event comes back as it was");
    assert_eq!(stored.incidents, [1]);
    let again = world.ingest(&batch, &[one]).await;
    assert_eq!((again.inserted, again.findings), (0, 0));
}
