//! Response after a crash, and with a policy that cannot be read.

use std::sync::Arc;
use std::time::Duration;

use watchpost_model::access::{Permission, Role};
use watchpost_model::audit::{AuditDraft, AuditOutcome};
use watchpost_model::block::{Block, BlockState};
use watchpost_model::clock::{Clock, SystemClock};
use watchpost_model::event::Event;
use watchpost_model::ids::{BlockId, FindingId, ResponseId};
use watchpost_model::response::{ActionKind, ResponseAction, ResponseMode, ResponseState};
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{BlockRemove, Nothing, Standing};
use watchpost_ops::door::operation;
use watchpost_store::{IngestBatch, NewResponse};

use crate::door::{caller, desk, desk_at, folder};
use crate::response::{ATTACKER, actions, injection, of, policy, put, report, standing};

/// The wall clock, some time later.
struct Ahead(chrono::Duration);

impl Clock for Ahead {
    fn now(&self) -> chrono::DateTime<chrono::Utc> {
        SystemClock.now() + self.0
    }
}

fn draft() -> AuditDraft {
    AuditDraft {
        caller: caller(Role::Admin),
        action: "response_act".to_owned(),
        object: String::new(),
        permission: Permission::Contain,
        outcome: AuditOutcome::Started,
        changes: Vec::new(),
        reason: None,
        at: SystemClock.now(),
        risk: 0,
    }
}

/// Killed before the block was begun, after its row, and after its key: each time the next engine finishes it.
#[tokio::test]
async fn a_crash_between_intent_and_outcome_is_finished_at_the_next_start() {
    let home = folder();
    let first = desk(&home, Tenure::Owner, local_connection()).await;
    put(&first, policy(ResponseMode::Off, &[ActionKind::BlockIp])).await;
    report(&first, &injection(first.console.now(), "203.0.113.1")).await;
    let incident = first.first_incident().await.incident;
    put(&first, policy(ResponseMode::On, &[ActionKind::Notify])).await;
    first.console.close().await;

    // A guest runs no engine, so what is left here stays as a killed engine leaves it.
    let guest = desk(&home, Tenure::Guest, local_connection()).await;
    let workspace = guest.console.workspace().expect("it is open");
    let (store, redis, now) =
        (workspace.store(), workspace.events().expect("Redis answers"), guest.console.now());
    let targets = ["203.0.113.11", "203.0.113.12", "203.0.113.13", "203.0.113.14"];
    for (at, target) in targets.iter().enumerate() {
        let over = *target == "203.0.113.14";
        let expires_at = now + chrono::Duration::seconds(if over { -5 } else { 3_600 });
        let action = ResponseAction {
            id: ResponseId::at(now),
            kind: ActionKind::BlockIp,
            target: (*target).to_owned(),
            state: ResponseState::Planned,
            incident: incident.id,
            number: incident.number,
            finding: FindingId::at(now),
            rule_id: "wp.sqli.union".to_owned(),
            policy_rule: "answer".to_owned(),
            ttl_s: Some(3_600),
            factor: 1,
            per_min: None,
            reason: "an attack".to_owned(),
            detail: String::new(),
            planned_at: now - chrono::Duration::seconds(10),
            decided_at: None,
            expires_at: Some(expires_at),
            effect: None,
            reversed_at: None,
            reversed_by: None,
        };
        let entry = NewResponse { action, draft: draft(), timeline: None, message: None };
        assert_eq!(store.response_insert(vec![entry], None).await.expect("it is kept").len(), 1);
        if at == 1 || at == 2 {
            let block = Block {
                id: BlockId::at(now),
                target: target.parse().expect("an address"),
                reason: "an attack".to_owned(),
                created_by: "engine".to_owned(),
                created_at: now,
                expires_at,
                state: BlockState::Pending,
                removed_at: None,
                removed_by: None,
                incident: Some(incident.id),
            };
            store.block_insert(&block, draft()).await.expect("it is kept");
            if at == 2 {
                redis.put_block(&block).await.expect("Redis answers");
            }
        }
    }
    guest.console.close().await;

    let next = desk(&home, Tenure::Owner, local_connection()).await;
    next.console.until_idle().await.expect("the engine works");
    let found = of(&next, ActionKind::BlockIp).await;
    for (target, state) in targets.iter().zip([
        ResponseState::Done,
        ResponseState::Done,
        ResponseState::Done,
        ResponseState::Failed,
    ]) {
        let action = found.iter().find(|action| action.target == *target).expect("it is kept");
        assert_eq!(action.state, state, "{action:?}");
        let seen = standing(&next, target).await;
        let expect = if state == ResponseState::Done { Standing::Blocked } else { Standing::Clear };
        assert_eq!((seen.standing, seen.in_redis), (expect, Some(state == ResponseState::Done)), "{target}");
        if let Some(block) = seen.block {
            assert_eq!(
                (block.state, Some(block.id.to_string())),
                (BlockState::Active, action.effect.clone())
            );
        }
    }
    next.console.close().await;
}

/// Killed after a batch was taken in and before anything was planned: the next engine makes up for it.
#[tokio::test]
async fn a_crash_between_a_batch_and_its_response_is_made_up_for() {
    let home = folder();
    let guest = desk(&home, Tenure::Guest, local_connection()).await;
    put(&guest, policy(ResponseMode::On, &[ActionKind::BlockIp])).await;
    let now = guest.console.now();
    let events: Vec<(Event, String)> = injection(now, ATTACKER)
        .into_iter()
        .map(|event| (event, "security:api:%2Fitems:1".to_owned()))
        .collect();
    let mut engine = watchpost_detect::Engine::new(watchpost_detect::Config::default());
    let findings = engine.observe(&events[0].0, now);
    assert!(!findings.is_empty(), "it is an attack");
    let workspace = guest.console.workspace().expect("it is open");
    let batch = IngestBatch { events: &events, findings: &findings, now };
    workspace.store().ingest(batch).await.expect("the batch is taken in");
    assert_eq!(actions(&guest).await, []);
    guest.console.close().await;

    // The last start comes when the block has run out: what was answered is not answered again.
    for (round, later) in [0, 0, 2].into_iter().enumerate() {
        let clock = Ahead(chrono::Duration::hours(later));
        let owner = desk_at(&home, Tenure::Owner, local_connection(), Arc::new(clock)).await;
        owner.console.until_idle().await.expect("the engine works");
        let done = of(&owner, ActionKind::BlockIp).await;
        assert_eq!(done.len(), 1, "start {round}: {done:?}");
        assert_eq!((done[0].state, done[0].target.as_str()), (ResponseState::Done, ATTACKER));
        if later == 0 {
            assert_eq!(standing(&owner, ATTACKER).await.in_redis, Some(true));
        }
        owner.console.close().await;
    }
}

/// A policy that cannot be read stops nobody but the response.
#[tokio::test]
async fn a_damaged_policy_does_nothing_and_detection_goes_on() {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    let workspace = desk.console.workspace().expect("it is open");
    let newer = serde_json::json!({ "policy": { "mode": "on", "from_the_future": 1 }, "confirmed_on_production": true });
    workspace.store().setting_put("response_policy", None, &newer, draft()).await.expect("it is kept");
    report(&desk, &injection(desk.console.now(), ATTACKER)).await;
    assert_eq!(desk.first_incident().await.incident.entity.value, ATTACKER);
    assert_eq!(actions(&desk).await, []);
    let error = desk.ask::<operation::response_policy_get>(Nothing {}).await.expect_err("people are told");
    assert!(error.message.contains("damaged"), "{error}");
    desk.console.close().await;
}

#[tokio::test]
async fn a_block_that_a_person_began_and_a_crash_interrupted_is_finished() {
    let home = folder();
    let guest = desk(&home, Tenure::Guest, local_connection()).await;
    let workspace = guest.console.workspace().expect("it is open");
    let now = guest.console.now();
    let block = Block {
        id: BlockId::at(now),
        target: ATTACKER.parse().expect("an address"),
        reason: "an attack".to_owned(),
        created_by: "dana".to_owned(),
        created_at: now - chrono::Duration::minutes(1),
        expires_at: now + chrono::Duration::hours(1),
        state: BlockState::Pending,
        removed_at: None,
        removed_by: None,
        incident: None,
    };
    workspace.store().block_insert(&block, draft()).await.expect("it is kept");
    let owner = desk(&home, Tenure::Owner, local_connection()).await;
    tokio::time::timeout(Duration::from_secs(30), async {
        let mut timer = tokio::time::interval(Duration::from_millis(100));
        while standing(&owner, ATTACKER).await.in_redis != Some(true) {
            timer.tick().await;
        }
    })
    .await
    .expect("an owner finishes it");
    let request = BlockRemove { id: block.id, reason: "done".to_owned() };
    owner.ask::<operation::block_remove>(request).await.expect("it is a block like others");
    owner.console.close().await;
    guest.console.close().await;
}
