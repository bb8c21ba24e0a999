//! Bounds of what the engine does by itself: the shortest time, whom it leaves alone, and what it says of a failure that
//! lasts.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use watchpost_model::clock::{Clock, ManualClock, SystemClock};
use watchpost_model::contain::ContainKind;
use watchpost_model::event::{Category, Event, Outcome};
use watchpost_model::finding::AttackFamily;
use watchpost_model::ids::EventId;
use watchpost_model::incident::{Status, Verdict, VerdictCause};
use watchpost_model::response::plan::SPARED;
use watchpost_model::response::{ActionKind, ResponseMode, ResponseState};
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{
    BlockAdd, BlockRemove, EngineState, IncidentPageRequest, IncidentRef, IncidentResolve, IncidentStatusSet,
    ResponsePreviewRequest, ResponseReverse,
};
use watchpost_ops::door::operation;
use watchpost_ops::error::ErrorCode;
use watchpost_store::EventFilter;

use crate::door::{desk, folder};
use crate::response::{ATTACKER, injection, of, policy, put, report, standing, timed};

#[tokio::test]
async fn the_shortest_time_that_the_policy_takes_works() {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    let mut shortest = policy(ResponseMode::On, &[ActionKind::BlockIp, ActionKind::RateLimit]);
    for step in &mut shortest.rules[0].steps {
        step.ttl_s = Some(60);
    }
    put(&desk, shortest).await;
    report(&desk, &injection(desk.console.now(), ATTACKER)).await;
    for kind in [ActionKind::BlockIp, ActionKind::RateLimit] {
        let done = of(&desk, kind).await;
        assert_eq!(done.len(), 1, "{done:?}");
        assert_eq!(done[0].state, ResponseState::Done, "{}", done[0].detail);
    }
    desk.console.close().await;
}

fn login(at: DateTime<Utc>, source: u8, outcome: Outcome) -> Event {
    let mut event = Event::new(EventId::at(at), at, Category::Authentication, "login");
    event.outcome = outcome;
    event.actor = Some("anna".to_owned());
    event.source_ip = Some(format!("203.0.113.{source}"));
    event
}

#[tokio::test]
async fn who_is_attacked_is_not_locked_out_until_a_login_works() {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    put(&desk, policy(ResponseMode::On, &[ActionKind::RestrictUser])).await;
    let begin = desk.console.now() - chrono::Duration::seconds(60);
    let at = |n: u8| begin + chrono::Duration::seconds(i64::from(n));
    let failures: Vec<Event> = (0..20).map(|n| login(at(n), n, Outcome::Failure)).collect();
    report(&desk, &failures).await;
    let seen = of(&desk, ActionKind::RestrictUser).await;
    assert_eq!(seen.len(), 1, "brute.user and brute.distributed, one incident: {seen:?}");
    assert_eq!((seen[0].state, seen[0].detail.as_str()), (ResponseState::Skipped, SPARED));
    let workspace = desk.console.workspace().expect("it is open");
    let redis = workspace.events().expect("Redis answers");
    let ttl = redis.containment_ttl_ms(ContainKind::User, "anna").await.expect("Redis answers");
    assert_eq!(ttl, None, "anna can log in");

    // The one that worked gives the account to somebody: the same incident, and the skip does not stand in the way.
    report(&desk, &[login(at(30), 5, Outcome::Success)]).await;
    let seen = of(&desk, ActionKind::RestrictUser).await;
    assert_eq!(seen.len(), 2, "{seen:?}");
    let done = seen.iter().find(|action| action.state == ResponseState::Done).expect("one was done");
    assert_eq!(done.rule_id, "wp.brute.success_user");
    let ttl = redis.containment_ttl_ms(ContainKind::User, "anna").await.expect("Redis answers");
    assert!(ttl.is_some(), "who has the account is out");

    let request = ResponsePreviewRequest { days: 1, ..ResponsePreviewRequest::default() };
    let preview = desk.ask::<operation::response_preview>(request).await.expect("a preview");
    assert_eq!((preview.done, preview.skipped), (1, 1), "the preview says the same: {preview:?}");
    desk.console.close().await;
}

/// The commonest takeover: guesses from one address, until one of them works.
#[tokio::test]
async fn who_got_in_after_failures_from_one_address_is_restricted() {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    put(&desk, policy(ResponseMode::On, &[ActionKind::RestrictUser])).await;
    let begin = desk.console.now() - chrono::Duration::seconds(60);
    let at = |n: u8| begin + chrono::Duration::seconds(i64::from(n));
    let failures: Vec<Event> = (0..9).map(|n| login(at(n), 200, Outcome::Failure)).collect();
    report(&desk, &failures).await;
    let seen = of(&desk, ActionKind::RestrictUser).await;
    assert!(seen.iter().all(|action| action.state == ResponseState::Skipped), "{seen:?}");
    report(&desk, &[login(at(30), 200, Outcome::Success)]).await;
    let seen = of(&desk, ActionKind::RestrictUser).await;
    let done: Vec<_> = seen.iter().filter(|action| action.state == ResponseState::Done).collect();
    assert_eq!(done.len(), 1, "{seen:?}");
    assert_eq!((done[0].rule_id.as_str(), done[0].target.as_str()), ("wp.brute.success", "anna"));
    desk.console.close().await;
}

/// An engine that fails at every try is not well, however often it starts anew.
#[tokio::test]
async fn how_long_the_engine_is_down_is_known() {
    let home = folder();
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let desk = timed(&home, clock.clone()).await;
    let redis = |args: &[&str]| {
        let socket = home.path().join("data/workspace/redis.sock");
        let told = std::process::Command::new("redis-cli").arg("-s").arg(&socket).args(args).output();
        assert!(told.expect("redis-cli comes with redis-server").status.success());
    };
    let is_down = async |wanted: bool| {
        tokio::time::timeout(Duration::from_secs(30), async {
            let mut timer = tokio::time::interval(Duration::from_millis(50));
            loop {
                timer.tick().await;
                let state = desk.console.status(&desk.call.caller).await.engine.state;
                let at_work = state == EngineState::Running;
                if desk.console.engine_down_for().is_some() == wanted && at_work != wanted {
                    return;
                }
            }
        })
        .await
        .expect("the engine says how it is");
    };
    is_down(false).await;
    redis(&["SET", "security:events", "no stream"]);
    is_down(true).await;
    clock.advance(chrono::Duration::seconds(45));
    assert_eq!(desk.console.engine_down_for(), Some(chrono::Duration::seconds(45)));
    redis(&["DEL", "security:events"]);
    is_down(false).await;
    desk.console.close().await;
}

#[tokio::test]
async fn nothing_is_called_taken_back_while_a_newer_block_holds() {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    put(&desk, policy(ResponseMode::On, &[ActionKind::BlockIp])).await;
    report(&desk, &injection(desk.console.now(), ATTACKER)).await;
    let action = of(&desk, ActionKind::BlockIp).await.remove(0);
    let block = standing(&desk, ATTACKER).await.block.expect("the engine blocked it");
    let remove = BlockRemove { id: block.id, reason: "a customer".to_owned() };
    desk.ask::<operation::block_remove>(remove).await.expect("it holds");
    let again = BlockAdd {
        target: ATTACKER.to_owned(),
        reason: "he came back".to_owned(),
        ttl_s: 3_600,
        incident: None,
    };
    let newer = desk.ask::<operation::block_add>(again).await.expect("nothing blocks it");
    let reverse = || ResponseReverse { id: action.id, reason: "a customer".to_owned() };
    let refused = desk.ask::<operation::response_reverse>(reverse()).await.expect_err("it stays blocked");
    assert_eq!(refused.code, ErrorCode::Precondition);
    assert!(
        refused.message.contains("blocked again until") && refused.message.contains("dana"),
        "{refused:?}"
    );
    assert_eq!(of(&desk, ActionKind::BlockIp).await[0].state, ResponseState::Done, "nothing was taken back");
    assert_eq!(standing(&desk, ATTACKER).await.block.map(|block| block.id), Some(newer.id));

    let remove = BlockRemove { id: newer.id, reason: "a mistake".to_owned() };
    desk.ask::<operation::block_remove>(remove).await.expect("it holds");
    let reversed = desk.ask::<operation::response_reverse>(reverse()).await.expect("now it is free");
    assert_eq!(reversed.state, ResponseState::Reversed);
    desk.console.close().await;
}

#[tokio::test]
async fn a_reopened_incident_says_why_and_is_to_be_judged_again() {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    report(&desk, &injection(desk.console.now(), ATTACKER)).await;
    let page = desk.ask::<operation::incident_page>(IncidentPageRequest::default()).await.expect("a page");
    let number = page.rows.first().expect("it attacked").number;
    let resolve = IncidentResolve {
        number,
        verdict: Verdict::FalsePositive,
        cause: Some(VerdictCause::NormalTraffic),
        reason: String::new(),
        duplicate_of: None,
        version: None,
    };
    desk.ask::<operation::incident_resolve>(resolve).await.expect("it is active");
    let reopen = IncidentStatusSet {
        number,
        status: Status::Reopened,
        reason: Some("the customer says it was not them".to_owned()),
        version: None,
    };
    desk.ask::<operation::incident_status_set>(reopen).await.expect("it is resolved");
    let told = desk.ask::<operation::incident_detail>(IncidentRef { number }).await.expect("it is there");
    assert_eq!((told.incident.status, told.incident.verdict), (Status::Reopened, Verdict::Unjudged));
    for words in ["the customer says it was not them", "Verdict false_positive taken back"] {
        assert!(told.timeline.iter().any(|line| line.text.contains(words)), "{words}: {:?}", told.timeline);
    }
    desk.console.close().await;
}

/// Silence is found by the engine's clock and not by an event: it goes through the store and is answered all the same.
#[tokio::test]
async fn a_source_that_falls_silent_is_answered() {
    let home = folder();
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let desk = timed(&home, clock.clone()).await;
    put(&desk, policy(ResponseMode::On, &[ActionKind::Notify])).await;
    let now = desk.console.now();
    let events: Vec<Event> = (0..160)
        .map(|n| {
            let at = now - chrono::Duration::minutes(10 * (159 - n)) - chrono::Duration::seconds(5);
            let mut event = Event::new(EventId::at(at), at, Category::Configuration, "heartbeat");
            event.details = serde_json::json!({ "app": "billing" });
            event
        })
        .collect();
    let workspace = desk.console.workspace().expect("it is open");
    workspace.events().expect("Redis answers").write_events(&events).await.expect("events are written");
    let mut timer = tokio::time::interval(Duration::from_millis(50));
    let stored = async {
        let all = EventFilter::default();
        while workspace.store().event_count(&all).await.expect("the database answers") < 160 {
            timer.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), stored).await.expect("they are taken in");
    assert!(of(&desk, ActionKind::Notify).await.is_empty(), "it reported a moment ago");

    // Three times its longest pause, and some more.
    clock.advance(chrono::Duration::hours(1));
    let answered = async {
        loop {
            timer.tick().await;
            if let Some(action) = of(&desk, ActionKind::Notify).await.pop() {
                return action;
            }
        }
    };
    let action = tokio::time::timeout(Duration::from_secs(30), answered).await.expect("it is answered");
    assert_eq!((action.rule_id.as_str(), action.state), ("wp.gap.silence", ResponseState::Done));
    let request = IncidentRef { number: action.number };
    let told = desk.ask::<operation::incident_detail>(request).await.expect("it is there");
    assert_eq!(told.incident.family, AttackFamily::LogGap);
    desk.console.close().await;
}
