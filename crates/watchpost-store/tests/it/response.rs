//! Containments, automatic actions, and the outbox.

use std::collections::HashSet;

use chrono::Duration;
use watchpost_model::audit::AuditFilter;
use watchpost_model::block::{Block, BlockState};
use watchpost_model::contain::{ContainKind, Containment};
use watchpost_model::event::Severity;
use watchpost_model::finding::AttackFamily;
use watchpost_model::ids::{BlockId, ContainmentId, OutboxId, ResponseId};
use watchpost_model::incident::{Incident, Status};
use watchpost_model::response::{ActionKind, OutboxMessage, OutboxState, ResponseAction, ResponseState};
use watchpost_store::{NewResponse, OutboxMove, ResponseFilter, StoreError};

use crate::support::{World, both, draft, events, finding};

both!(
    containments_come_and_go,
    previews_count_what_would_be_hit,
    actions_are_kept_once,
    decisions_and_reversals,
    messages_leave_the_outbox_once,
    histories_know_repeats_and_releases,
    findings_are_walked,
);

fn containment(world: &World, kind: ContainKind, target: &str) -> Containment {
    Containment {
        id: ContainmentId::at(world.now()),
        kind,
        target: target.to_owned(),
        per_min: (kind == ContainKind::Limit).then_some(30),
        reason: "stolen token".to_owned(),
        created_by: "dana".to_owned(),
        created_at: world.now(),
        expires_at: world.now() + Duration::hours(1),
        state: BlockState::Pending,
        removed_at: None,
        removed_by: None,
        incident: None,
    }
}

/// An incident with one finding.
async fn incident(world: &World) -> (Incident, watchpost_model::finding::Finding) {
    let batch = events(1, world.now() - Duration::minutes(5));
    let finding = finding(0, &batch[0].0, AttackFamily::BruteForce, "203.0.113.7");
    let outcome = world.ingest(&batch, std::slice::from_ref(&finding)).await;
    (outcome.opened[0].clone(), finding)
}

fn action(world: &World, incident: &Incident, kind: ActionKind, target: &str) -> ResponseAction {
    let ttl_s = kind.is_containment().then_some(3_600);
    ResponseAction {
        id: ResponseId::at(world.now()),
        kind,
        target: target.to_owned(),
        state: ResponseState::Planned,
        incident: incident.id,
        number: incident.number,
        finding: watchpost_model::ids::FindingId::at(world.now()),
        rule_id: "wp.brute_force.one".to_owned(),
        policy_rule: "all".to_owned(),
        ttl_s,
        factor: 1,
        per_min: None,
        reason: "20 failed logins".to_owned(),
        detail: String::new(),
        planned_at: world.now(),
        decided_at: None,
        expires_at: ttl_s.map(|_| world.now() + Duration::hours(1)),
        effect: None,
        reversed_at: None,
        reversed_by: None,
    }
}

fn entry(action: &ResponseAction) -> NewResponse {
    NewResponse {
        action: action.clone(),
        draft: draft("response_act"),
        timeline: Some("Would block".to_owned()),
        message: None,
    }
}

async fn containments_come_and_go(world: World) {
    let store = &world.store;
    let (incident, _) = incident(&world).await;
    let first = Containment { incident: Some(incident.id), ..containment(&world, ContainKind::User, "anna") };
    store.containment_insert(&first, draft("contain_add")).await.unwrap();
    assert_eq!(store.containment_active(ContainKind::User, "anna").await.unwrap(), Some(first.clone()));
    assert_eq!(store.containment_active(ContainKind::Session, "anna").await.unwrap(), None);
    let twice =
        store.containment_insert(&containment(&world, ContainKind::User, "anna"), draft("contain_add")).await;
    assert!(matches!(twice, Err(StoreError::Conflict(_))), "{twice:?}");
    let other = containment(&world, ContainKind::Limit, "203.0.113.7");
    store.containment_insert(&other, draft("contain_add")).await.unwrap();
    let pending = store.containments_pending(world.now()).await.unwrap();
    assert_eq!(pending.iter().map(|c| c.id).collect::<HashSet<_>>(), HashSet::from([first.id, other.id]));
    let early = world.now() - Duration::seconds(1);
    assert!(store.containments_pending(early).await.unwrap().is_empty());
    let active =
        store.containment_state_set(first.id, BlockState::Active, None, draft("contain_add")).await.unwrap();
    assert!(store.containments_due_to_expire(world.now()).await.unwrap().is_empty());
    assert_eq!(store.containments_due_to_expire(active.expires_at).await.unwrap().len(), 2);
    let removed = store
        .containment_state_set(first.id, BlockState::Removed, Some("robin"), draft("contain_remove"))
        .await
        .unwrap();
    assert_eq!((removed.removed_by.as_deref(), removed.removed_at), (Some("robin"), Some(world.now())));
    assert_eq!(store.containment_by_id(first.id).await.unwrap(), removed);
    let back = store.containment_state_set(first.id, BlockState::Active, None, draft("contain_add")).await;
    assert!(matches!(back, Err(StoreError::Precondition(_))), "{back:?}");
    assert_eq!(store.containment_page(&[ContainKind::Limit], &[], 10).await.unwrap(), [other]);
    assert_eq!(store.containment_page(&[], &[BlockState::Removed], 10).await.unwrap(), [removed]);
    let detail = store.incident_by_number(incident.number).await.unwrap();
    let timeline = detail.timeline;
    let (status, acknowledged) = (detail.incident.status, detail.incident.acknowledged_at);
    assert_eq!((status, acknowledged), (Status::Contained, Some(world.now())));
    let lines: Vec<_> =
        timeline.iter().filter(|line| line.kind == "contain").map(|line| &line.text).collect();
    assert!(
        lines[0].starts_with("Restricted user anna until ") && lines[1] == "Took back: restricted user anna",
        "{lines:?}"
    );
    let unknown = Containment {
        incident: Some(watchpost_model::ids::IncidentId::at(world.now())),
        ..containment(&world, ContainKind::Session, "s")
    };
    let refused = store.containment_insert(&unknown, draft("contain_add")).await;
    assert!(matches!(refused, Err(StoreError::NotFound(_))), "{refused:?}");
}

async fn previews_count_what_would_be_hit(world: World) {
    let mut batch = events(10, world.now() - Duration::hours(1));
    for (n, (event, _)) in batch.iter_mut().enumerate() {
        event.session = Some(format!("s{}", n % 3));
        event.actor = Some(if n < 6 { "anna" } else { "bert" }.to_owned());
        event.details = serde_json::json!({ "service": if n % 2 == 0 { "shop" } else { "api" } });
        event.source_ip = Some(format!("203.0.113.{}", n % 5));
    }
    world.ingest(&batch, &[]).await;
    let now = world.now();
    let facts = |kind, target| world.store.containment_preview_facts(kind, target, now);
    assert_eq!(facts(ContainKind::User, "anna").await.unwrap(), (6, 3, vec!["anna".to_owned()]));
    let both = vec!["anna".to_owned(), "bert".to_owned()];
    assert_eq!(facts(ContainKind::Session, "s0").await.unwrap(), (4, 1, both.clone()));
    assert_eq!(facts(ContainKind::Service, "shop").await.unwrap(), (5, 3, both.clone()));
    assert_eq!(facts(ContainKind::Limit, "203.0.113.1").await.unwrap(), (2, 2, both));
    assert_eq!(facts(ContainKind::User, "nobody").await.unwrap(), (0, 0, Vec::new()));
    let later = now + Duration::days(2);
    let old = world.store.containment_preview_facts(ContainKind::User, "anna", later).await.unwrap();
    assert_eq!(old, (0, 0, Vec::new()), "only the last day counts");
}

async fn actions_are_kept_once(world: World) {
    let store = &world.store;
    let (incident, _) = incident(&world).await;
    let first = action(&world, &incident, ActionKind::BlockIp, "203.0.113.7");
    let kept = store.response_insert(vec![entry(&first)], None).await.unwrap();
    assert_eq!(kept, [first.id]);
    let again = action(&world, &incident, ActionKind::BlockIp, "203.0.113.7");
    assert!(
        store.response_insert(vec![entry(&again)], None).await.unwrap().is_empty(),
        "a replay adds nothing"
    );
    let other = action(&world, &incident, ActionKind::RateLimit, "203.0.113.7");
    assert_eq!(store.response_insert(vec![entry(&again), entry(&other)], None).await.unwrap(), [other.id]);
    assert_eq!(store.response_by_id(first.id).await.unwrap(), first);
    assert_eq!(store.responses_planned().await.unwrap().len(), 2);
    let since = world.now() - Duration::hours(1);
    assert_eq!(store.responses_contained_since(since).await.unwrap(), 2);
    let holding = store.responses_holding(&[incident.id], world.now()).await.unwrap();
    assert_eq!(holding.len(), 2);
    world.clock.advance(Duration::hours(1));
    assert!(store.responses_holding(&[incident.id], world.now()).await.unwrap().is_empty());
    let after = action(&world, &incident, ActionKind::BlockIp, "203.0.113.7");
    assert_eq!(
        store.response_insert(vec![entry(&after)], None).await.unwrap(),
        [after.id],
        "the first one ran out"
    );
    assert_eq!(store.responses_contained_since(world.now() - Duration::minutes(1)).await.unwrap(), 1);
    let timeline = store.incident_by_number(incident.number).await.unwrap().timeline;
    assert_eq!(timeline.iter().filter(|line| line.kind == "response").count(), 3);
    let filter = AuditFilter { action: Some("response_act".to_owned()), ..AuditFilter::default() };
    let trail = store.audit_page(&filter, None, 10).await.unwrap();
    assert_eq!(trail.len(), 3, "what was left out was not recorded as done");
    let named =
        |field: &str| trail[0].changes.iter().any(|change| change.field == field && !change.new.is_null());
    assert!(named("finding") && named("incident") && named("target"));
}

async fn decisions_and_reversals(world: World) {
    let store = &world.store;
    let (incident, _) = incident(&world).await;
    let mut ids = Vec::new();
    for kind in [ActionKind::BlockIp, ActionKind::RateLimit] {
        let planned = action(&world, &incident, kind, "203.0.113.7");
        ids.extend(store.response_insert(vec![entry(&planned)], None).await.unwrap());
    }
    let decide = |id, state, effect| store.response_decide(id, state, "why", effect, draft("response_act"));
    let done = decide(ids[0], ResponseState::Done, Some("block-1")).await.unwrap();
    assert_eq!((done.state, done.effect.as_deref()), (ResponseState::Done, Some("block-1")));
    let twice = decide(ids[0], ResponseState::Failed, None).await;
    assert!(matches!(twice, Err(StoreError::Precondition(_))), "{twice:?}");
    decide(ids[1], ResponseState::Failed, None).await.unwrap();
    let retry = action(&world, &incident, ActionKind::RateLimit, "203.0.113.7");
    assert_eq!(
        store.response_insert(vec![entry(&retry)], None).await.unwrap().len(),
        1,
        "what failed is tried again"
    );
    let refused = store.response_reversed(ids[1], "dana", draft("response_reverse")).await;
    assert!(matches!(refused, Err(StoreError::Precondition(_))), "{refused:?}");
    let reversed = store.response_reversed(ids[0], "dana", draft("response_reverse")).await.unwrap();
    assert_eq!((reversed.state, reversed.reversed_by.as_deref()), (ResponseState::Reversed, Some("dana")));
    let tag =
        ResponseAction { state: ResponseState::Done, ..action(&world, &incident, ActionKind::Tag, "auto") };
    store.response_insert(vec![entry(&tag)], None).await.unwrap();
    assert_eq!(store.incident_tags(incident.id).await.unwrap(), ["auto"]);
    store.response_reversed(tag.id, "dana", draft("response_reverse")).await.unwrap();
    assert!(store.incident_tags(incident.id).await.unwrap().is_empty());
    let again = ResponseAction { id: ResponseId::at(world.now()), ..tag };
    assert!(
        store.response_insert(vec![entry(&again)], None).await.unwrap().is_empty(),
        "a person took it off"
    );
    let filter = ResponseFilter { states: vec![ResponseState::Reversed], ..ResponseFilter::default() };
    let (rows, next) = store.response_page(&filter, None, 1).await.unwrap();
    let (rest, end) = store.response_page(&filter, next.as_ref(), 1).await.unwrap();
    assert_eq!((rows.len(), rest.len(), end), (1, 1, None));
    assert_ne!(rows[0].id, rest[0].id);
}

async fn messages_leave_the_outbox_once(world: World) {
    let store = &world.store;
    let (incident, _) = incident(&world).await;
    let mut ids = Vec::new();
    for destination in ["default", "pager", "later"] {
        let id = OutboxId::at(world.now());
        let action = ResponseAction {
            state: ResponseState::Done,
            effect: Some(id.to_string()),
            ..action(&world, &incident, ActionKind::Notify, destination)
        };
        let message = OutboxMessage {
            id,
            kind: ActionKind::Notify,
            destination: destination.to_owned(),
            incident: incident.id,
            number: incident.number,
            severity: Severity::Critical,
            subject: "#1".to_owned(),
            body: "text".to_owned(),
            state: OutboxState::Pending,
            created_at: world.now(),
            tries: 0,
            error: None,
            ended_at: None,
        };
        let entry = NewResponse { message: Some(message.clone()), ..entry(&action) };
        store.response_insert(vec![entry], None).await.unwrap();
        ids.push((action.id, message));
        world.clock.advance(Duration::seconds(1));
    }
    let waiting = store.outbox_pending(10).await.unwrap();
    assert_eq!(waiting, ids.iter().map(|(_, message)| message.clone()).collect::<Vec<_>>());
    let tried =
        async |id, outcome: OutboxMove| store.outbox_tried(id, &outcome, draft("outbox_deliver")).await;
    tried(waiting[0].id, OutboxMove::Again("timeout".to_owned())).await.unwrap();
    tried(waiting[0].id, OutboxMove::Delivered).await.unwrap();
    let twice = tried(waiting[0].id, OutboxMove::Delivered).await;
    assert!(matches!(twice, Err(StoreError::NotFound(_))), "{twice:?}");
    tried(waiting[1].id, OutboxMove::GivenUp("no such channel".to_owned())).await.unwrap();
    let late = store.response_reversed(ids[0].0, "dana", draft("response_reverse")).await;
    assert!(matches!(late, Err(StoreError::Precondition(_))), "{late:?}");
    store.response_reversed(ids[2].0, "dana", draft("response_reverse")).await.unwrap();
    assert_eq!(store.outbox_waiting().await.unwrap(), 0);
    let states: Vec<_> =
        store.outbox_page(&[], 10).await.unwrap().iter().map(|m| (m.state, m.tries)).collect();
    assert_eq!(states, [(OutboxState::Withdrawn, 0), (OutboxState::Failed, 1), (OutboxState::Delivered, 2)]);
    assert_eq!(
        store.outbox_page(&[OutboxState::Failed], 10).await.unwrap()[0].error.as_deref(),
        Some("no such channel")
    );
}

fn block(world: &World, target: &str) -> Block {
    Block {
        id: BlockId::at(world.now()),
        target: target.parse().unwrap(),
        reason: "brute force".to_owned(),
        created_by: "engine".to_owned(),
        created_at: world.now(),
        expires_at: world.now() + Duration::hours(1),
        state: BlockState::Pending,
        removed_at: None,
        removed_by: None,
        incident: None,
    }
}

async fn histories_know_repeats_and_releases(world: World) {
    let store = &world.store;
    let history = async || {
        let since = world.now() - Duration::days(30);
        store.target_history(ActionKind::BlockIp, "203.0.113.7", since, world.now()).await.unwrap()
    };
    assert_eq!(history().await, Default::default());
    for n in 1..=2_u32 {
        let block = block(&world, "203.0.113.7");
        store.block_insert(&block, draft("block_add")).await.unwrap();
        store.block_state_set(block.id, BlockState::Active, None, draft("block_add")).await.unwrap();
        let during = history().await;
        assert_eq!((during.earlier, during.in_force_until), (n - 1, Some(block.expires_at)));
        world.clock.advance(Duration::hours(2));
        assert_eq!(history().await.earlier, n, "over, though not marked yet");
        store.block_state_set(block.id, BlockState::Expired, None, draft("block_expire")).await.unwrap();
        assert_eq!(history().await.earlier, n);
    }
    let range = block(&world, "203.0.113.0/24");
    store.block_insert(&range, draft("block_add")).await.unwrap();
    assert_eq!(history().await.in_force_until, Some(range.expires_at), "the range covers it");
    store
        .block_state_set(range.id, BlockState::Removed, Some("engine"), draft("block_remove"))
        .await
        .unwrap();
    assert_eq!(history().await.released, None, "the engine's own removal is no release");
    world.clock.advance(Duration::seconds(1));
    let range = block(&world, "203.0.113.0/24");
    store.block_insert(&range, draft("block_add")).await.unwrap();
    store.block_state_set(range.id, BlockState::Removed, Some("dana"), draft("block_remove")).await.unwrap();
    let released = history().await.released.expect("a person released the range");
    assert_eq!((released.by.as_str(), released.at), ("dana", world.now()));
    world.clock.advance(Duration::seconds(1));
    let longer = block(&world, "203.0.113.0/24");
    store.block_insert(&longer, draft("block_add")).await.unwrap();
    assert_eq!(history().await.released, None, "it was prolonged, not released");
    world.clock.advance(Duration::days(31));
    assert_eq!(history().await.earlier, 0, "forgotten after the policy's days");

    let user = containment(&world, ContainKind::User, "anna");
    store.containment_insert(&user, draft("contain_add")).await.unwrap();
    store
        .containment_state_set(user.id, BlockState::Removed, Some("dana"), draft("contain_remove"))
        .await
        .unwrap();
    let since = world.now() - Duration::days(30);
    let of = |kind| store.target_history(kind, "anna", since, world.now());
    assert!(of(ActionKind::RestrictUser).await.unwrap().released.is_some());
    assert_eq!(of(ActionKind::RevokeSession).await.unwrap(), Default::default());
    assert_eq!(of(ActionKind::Notify).await.unwrap(), Default::default());
}

async fn findings_are_walked(world: World) {
    let batch = events(30, world.now() - Duration::hours(1));
    let findings: Vec<_> = batch
        .iter()
        .enumerate()
        .map(|(n, (event, _))| finding(u32::try_from(n).unwrap(), event, AttackFamily::Sqli, "203.0.113.9"))
        .collect();
    world.ingest(&batch[..20], &findings[..20]).await;
    world.clock.advance(Duration::minutes(5));
    world.ingest(&batch[20..], &findings[20..]).await;
    let (newest, stored_at) = world.store.findings_unanswered().await.unwrap().unwrap();
    let ids: Vec<_> = newest.iter().map(|stored| stored.finding.id).collect();
    assert_eq!(ids, findings[20..].iter().map(|finding| finding.id).collect::<Vec<_>>());
    assert!(world.store.response_insert(Vec::new(), Some(stored_at)).await.unwrap().is_empty());
    assert_eq!(world.store.findings_unanswered().await.unwrap(), Some((Vec::new(), stored_at)));
    let (from, to) = (world.now() - Duration::days(1), world.now());
    let (mut walked, mut after) = (Vec::new(), None);
    loop {
        let (page, next) = world.store.findings_between(from, to, after.as_ref(), 7).await.unwrap();
        walked.extend(page);
        after = next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(walked.len(), 30, "each once");
    assert!(
        walked
            .windows(2)
            .all(|two| (two[0].finding.at, two[0].finding.id) < (two[1].finding.at, two[1].finding.id))
    );
    let asked: Vec<_> = findings.iter().map(|finding| finding.id).collect();
    let incidents = world.store.incidents_of_findings(&asked).await.unwrap();
    assert!(walked.iter().all(|stored| incidents[&stored.finding.id] == (stored.incident, stored.number)));
    let wanted: Vec<_> = batch.iter().map(|(event, _)| event.id).take(3).collect();
    let found = world.store.events_by_ids(&wanted).await.unwrap();
    assert_eq!(found.len(), 3);
    assert_eq!(found[&batch[0].0.id], batch[0].0);
}
