//! Blocks and the allowlist.

use chrono::Duration;
use watchpost_model::audit::AuditFilter;
use watchpost_model::block::{AllowEntry, Block, BlockState, BlockTarget};
use watchpost_model::event::Outcome;
use watchpost_model::finding::AttackFamily;
use watchpost_model::ids::BlockId;
use watchpost_model::incident::{IncidentFilter, IncidentOrder, Status, Verdict};
use watchpost_model::overview::Overview;
use watchpost_model::period::Period;
use watchpost_store::{IncidentPatch, StoreError};

use crate::support::{World, both, draft, events, finding};

both!(
    blocks_come_and_go,
    a_block_contains_its_incident,
    what_was_active_at_an_instant_is_found,
    one_past_its_end_is_expired_though_nobody_marked_it,
    previews_count_ranges,
    the_allowlist
);

fn block(world: &World, target: &str) -> Block {
    Block {
        id: BlockId::at(world.now()),
        target: target.parse().unwrap(),
        reason: "brute force".to_owned(),
        created_by: "dana".to_owned(),
        created_at: world.now(),
        expires_at: world.now() + Duration::hours(1),
        state: BlockState::Pending,
        removed_at: None,
        removed_by: None,
        incident: None,
    }
}

async fn blocks_come_and_go(world: World) {
    let store = &world.store;
    let first = block(&world, "203.0.113.0/24");
    store.block_insert(&first, draft("block_add")).await.unwrap();
    assert_eq!(store.block_active(first.target).await.unwrap(), Some(first.clone()));
    let twice = store.block_insert(&block(&world, "203.0.113.0/24"), draft("block_add")).await;
    assert!(matches!(twice, Err(StoreError::Conflict(_))), "{twice:?}");
    let mut never = block(&world, "203.0.113.9");
    never.expires_at = never.created_at;
    let refused = store.block_insert(&never, draft("block_add")).await;
    assert!(matches!(refused, Err(StoreError::Validation(_))), "{refused:?}");
    let active = store.block_state_set(first.id, BlockState::Active, None, draft("block_add")).await.unwrap();
    assert_eq!(active.state, BlockState::Active);
    assert!(store.blocks_due_to_expire(world.now()).await.unwrap().is_empty());
    assert_eq!(store.blocks_due_to_expire(active.expires_at).await.unwrap(), std::slice::from_ref(&active));
    let removed = store
        .block_state_set(first.id, BlockState::Removed, Some("robin"), draft("block_remove"))
        .await
        .unwrap();
    assert_eq!((removed.removed_by.as_deref(), removed.removed_at), (Some("robin"), Some(world.now())));
    assert_eq!(store.block_by_id(first.id).await.unwrap(), removed);
    let back = store.block_state_set(first.id, BlockState::Active, None, draft("block_add")).await;
    assert!(matches!(back, Err(StoreError::Precondition(_))), "{back:?}");
    assert_eq!(store.block_active(first.target).await.unwrap(), None);
    let again = block(&world, "203.0.113.0/24");
    store.block_insert(&again, draft("block_add")).await.unwrap();
    assert_eq!(store.block_page(&[], 10).await.unwrap().len(), 2);
    let made = Period::new(again.created_at, again.created_at + Duration::seconds(1)).unwrap();
    let (rows, counts) = store.blocks_made(&[], Some(made), None, None, 1).await.unwrap();
    assert_eq!(counts, [(BlockState::Pending, 1), (BlockState::Removed, 1)]);
    assert_eq!(rows.len(), 1, "the counts are of all, the rows are at most so many");
    for (near, found) in [("203.0.113.7", 2), ("203.0.0.0/16", 2), ("203.0.114.1", 0)] {
        let (rows, _) = store.blocks_made(&[], None, None, Some(near.parse().unwrap()), 9).await.unwrap();
        assert_eq!(rows.len(), found, "blocks of {near}, those that are over too");
    }
    let before = Period::new(made.from - Duration::hours(1), made.from).unwrap();
    assert_eq!(store.blocks_made(&[], Some(before), None, None, 9).await.unwrap(), (Vec::new(), Vec::new()));
    assert_eq!(store.block_page(&[BlockState::Pending], 10).await.unwrap(), [again]);
    let trail = store.audit_page(&AuditFilter::default(), None, 10).await.unwrap();
    assert_eq!(trail.len(), 4, "what was refused left no record of having been done");
    assert!(trail.iter().all(|record| record.object == "block/203.0.113.0/24"));
}

async fn a_block_contains_its_incident(world: World) {
    let batch = events(2, world.now() - Duration::minutes(1));
    let findings = [
        finding(1, &batch[0].0, AttackFamily::Sqli, "203.0.113.3"),
        finding(2, &batch[1].0, AttackFamily::Xss, "203.0.113.4"),
    ];
    let opened = world.ingest(&batch, &findings).await.opened;
    let now = world.now();
    for (incident, by, tried, in_force) in [
        (&opened[0], "dana", (Status::Open, Some(now)), (Status::Contained, Some(now))),
        (&opened[1], "engine", (Status::Open, None), (Status::Open, None)),
    ] {
        let stands = async || {
            let row = world.store.incident_row(incident.number).await.unwrap();
            (row.status, row.acknowledged_at)
        };
        let block = Block {
            incident: Some(incident.id),
            created_by: by.to_owned(),
            ..block(&world, &incident.entity.value)
        };
        world.store.block_insert(&block, draft("block_add")).await.unwrap();
        assert_eq!(stands().await, tried, "{by}: Redis does not have it yet");
        world.store.block_state_set(block.id, BlockState::Active, None, draft("block_add")).await.unwrap();
        assert_eq!(stands().await, in_force, "{by}");
    }
    let detail = world.store.incident_by_number(opened[0].number).await.unwrap();
    let lines: Vec<_> =
        detail.timeline.iter().map(|line| (line.kind.as_str(), line.actor.as_str())).collect();
    assert!(lines.contains(&("status", "dana")), "{lines:?}");
    let unknown =
        Block { incident: Some(watchpost_model::ids::IncidentId::at(now)), ..block(&world, "203.0.113.9") };
    let refused = world.store.block_insert(&unknown, draft("block_add")).await;
    assert!(matches!(refused, Err(StoreError::NotFound(_))), "{refused:?}");
}

fn kpi(overview: &Overview, name: &str) -> Option<f64> {
    overview.kpis.iter().find(|kpi| kpi.name == name).and_then(|kpi| kpi.value)
}

async fn what_was_active_at_an_instant_is_found(world: World) {
    let (start, hours) = (world.now(), Duration::hours);
    let batch = events(2, start - Duration::minutes(1));
    let findings = [
        finding(1, &batch[0].0, AttackFamily::Sqli, "203.0.113.3"),
        finding(2, &batch[1].0, AttackFamily::Xss, "203.0.113.4"),
    ];
    let opened = world.ingest(&batch, &findings).await.opened;
    assert_eq!(opened.len(), 2);
    for (target, state) in [
        ("203.0.113.3", BlockState::Active),
        ("203.0.113.4", BlockState::Active),
        ("203.0.113.5", BlockState::Failed),
    ] {
        let block = Block { expires_at: start + hours(4), ..block(&world, target) };
        world.store.block_insert(&block, draft("block_add")).await.unwrap();
        let block = world.store.block_state_set(block.id, state, None, draft("block_add")).await.unwrap();
        if target == "203.0.113.4" {
            world.clock.advance(hours(2));
            let removed = BlockState::Removed;
            world
                .store
                .block_state_set(block.id, removed, Some("dana"), draft("block_remove"))
                .await
                .unwrap();
        }
    }
    let patch = IncidentPatch {
        status: Some(Status::Resolved),
        verdict: Some((Verdict::FalsePositive, "a test".into())),
        ..IncidentPatch::default()
    };
    world.store.incident_change(opened[0].id, 1, patch, draft("incident_resolve")).await.unwrap();
    world.clock.advance(hours(6));
    let now = world.now();
    // When, and what was active then: incidents, blocks.
    for (to, incidents, blocks) in [
        (start - hours(1), 0_u64, 0_usize),
        (start + hours(1), 2, 2),
        (start + hours(2), 1, 1),
        (start + hours(3), 1, 1),
        (start + hours(4), 1, 0),
        (now, 1, 0),
        (now + hours(1), 1, 0),
    ] {
        let period = Period::ending(to, hours(12));
        let overview = world.store.overview(period, now, 12).await.unwrap();
        let at = overview.counted_at;
        assert_eq!(at, to.min(now));
        let filter = IncidentFilter { active_at: Some(at), ..IncidentFilter::default() };
        let page = world.store.incident_page(&filter, IncidentOrder::Newest, None, 10).await.unwrap();
        let found = (world.store.incident_counts(&filter).await.unwrap().total, page.rows.len());
        assert_eq!(found, (incidents, usize::try_from(incidents).unwrap()), "{to}");
        assert_eq!(kpi(&overview, "incidents_active"), Some(incidents as f64), "{to}");
        let (rows, _) = world.store.blocks_made(&[], None, Some(at), None, 9).await.unwrap();
        assert_eq!(rows.len(), blocks, "{to}");
        assert_eq!(kpi(&overview, "blocks_active"), Some(blocks as f64), "{to}");
    }
}

async fn one_past_its_end_is_expired_though_nobody_marked_it(world: World) {
    use BlockState::{Active, Expired, Failed, Pending, Removed};
    world.ingest(&events(2, world.now() - Duration::minutes(1)), &[]).await;
    for (target, state, hours) in [
        ("203.0.113.1", Active, 1),
        ("203.0.113.2", Pending, 1),
        ("203.0.113.3", Failed, 1),
        ("203.0.113.4", Removed, 1),
        ("203.0.113.5", Active, 2),
    ] {
        let block = Block { expires_at: world.now() + Duration::hours(hours), ..block(&world, target) };
        world.store.block_insert(&block, draft("block_add")).await.unwrap();
        if state != Pending {
            world.store.block_state_set(block.id, state, None, draft("block_add")).await.unwrap();
        }
    }
    // What is found in these states: the last parts of the targets, newest first, and the counts.
    let found = async |states: &[BlockState]| {
        let (rows, counts) = world.store.blocks_made(states, None, None, None, 9).await.unwrap();
        let mut rows: Vec<(BlockState, String)> =
            rows.into_iter().map(|row| (row.state, row.target.to_string())).collect();
        rows.sort_by(|(_, one), (_, other)| one.cmp(other));
        let of = |wanted: BlockState| rows.iter().filter(|(state, _)| *state == wanted).count() as u64;
        assert!(counts.iter().all(|(state, n)| of(*state) == *n), "{states:?}: {rows:?} {counts:?}");
        let last = |(_, target): &(BlockState, String)| target.rsplit('.').next().unwrap().to_owned();
        (rows.iter().map(last).collect::<Vec<_>>().concat(), counts)
    };
    let is_blocked = async || {
        let now = world.now();
        let overview = world.store.overview(Period::ending(now, Duration::hours(4)), now, 12).await.unwrap();
        overview.top_sources.iter().any(|top| top.entity.value == "203.0.113.1" && top.blocked)
    };
    world.clock.advance(Duration::minutes(59));
    assert_eq!(found(&[Active, Pending]).await, ("125".to_owned(), vec![(Active, 2), (Pending, 1)]));
    assert_eq!(found(&[Expired]).await, (String::new(), Vec::new()));
    assert!(is_blocked().await);

    world.clock.advance(Duration::minutes(1));
    for marked in [0, 1, 2] {
        assert_eq!(found(&[Expired]).await, ("12".to_owned(), vec![(Expired, 2)]), "{marked} are marked");
        assert_eq!(found(&[Active]).await, ("5".to_owned(), vec![(Active, 1)]));
        assert_eq!(found(&[Pending]).await, (String::new(), Vec::new()));
        assert_eq!(
            found(&[Pending, Failed, Removed]).await,
            ("34".to_owned(), vec![(Failed, 1), (Removed, 1)])
        );
        let all = vec![(Active, 1), (Expired, 2), (Failed, 1), (Removed, 1)];
        assert_eq!(found(&[]).await, ("12345".to_owned(), all));
        assert!(!is_blocked().await, "nor does the Overview say so");
        let due = world.store.blocks_due_to_expire(world.now()).await.unwrap();
        assert_eq!(due.len(), 2 - marked, "an engine finds what it has to mark");
        if let Some(over) = due.first() {
            world.store.block_state_set(over.id, Expired, None, draft("block_expire")).await.unwrap();
        }
    }
}

async fn previews_count_ranges(world: World) {
    let mut batch = events(70, world.now() - Duration::hours(1));
    batch[0].0.source_ip = Some("2001:db8::5".to_owned());
    batch[1].0.source_ip = Some("::ffff:203.0.113.1".to_owned());
    batch[2].0.source_ip = Some("203.0.114.1".to_owned());
    world.ingest(&batch, &[]).await;
    for text in ["203.0.113.0/24", "203.0.113.4/30", "203.0.113.1", "2001:db8::/32", "198.51.100.1"] {
        let target: BlockTarget = text.parse().unwrap();
        let inside: Vec<_> = batch
            .iter()
            .map(|(event, _)| event)
            .filter(|event| target.contains(event.source_ip.as_ref().unwrap().parse().unwrap()))
            .collect();
        let (all, successful, users) = world.store.block_preview_facts(target, world.now()).await.unwrap();
        assert_eq!(all, inside.len() as u64, "{text}");
        let expect = inside.iter().filter(|event| event.outcome != Outcome::Failure).count() as u64;
        assert_eq!(successful, expect, "{text}");
        assert!(users.len() <= 20 && users.is_empty() == inside.is_empty(), "{text}: {users:?}");
    }
    let later = world.now() + Duration::days(2);
    let target = "203.0.113.0/24".parse().unwrap();
    assert_eq!(
        world.store.block_preview_facts(target, later).await.unwrap().0,
        0,
        "only the last day counts"
    );
}

async fn the_allowlist(world: World) {
    let entry = AllowEntry {
        target: "198.51.100.0/24".parse().unwrap(),
        note: "office".to_owned(),
        added_by: "dana".to_owned(),
        added_at: world.now(),
    };
    world.store.allow_add(&entry, draft("allow_add")).await.unwrap();
    let twice = world.store.allow_add(&entry, draft("allow_add")).await;
    assert!(matches!(twice, Err(StoreError::Conflict(_))), "{twice:?}");
    assert_eq!(world.store.allow_list().await.unwrap(), std::slice::from_ref(&entry));
    world.store.allow_remove(entry.target, draft("allow_remove")).await.unwrap();
    let gone = world.store.allow_remove(entry.target, draft("allow_remove")).await;
    assert!(matches!(gone, Err(StoreError::NotFound(_))), "{gone:?}");
}
