//! Blocks and containments against slips, against the allowlist, and through a Redis that loses its data.

use std::sync::Arc;
use std::time::Duration;

use watchpost_model::audit::AuditOutcome;
use watchpost_model::block::BlockState;
use watchpost_model::clock::{Clock as _, ManualClock, SystemClock};
use watchpost_model::contain::ContainKind;
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{
    AllowAdd, AuditPageRequest, BlockAdd, BlockCheck, BlockListRequest, BlockRemove, BlockTerms, BlockTrial,
    ContainAdd, ContainListRequest, Standing,
};
use watchpost_ops::door::operation;
use watchpost_ops::error::ErrorCode;

use crate::door::{Desk, desk, desk_at, folder};
use crate::jobs::cli;

fn block(target: &str) -> BlockAdd {
    BlockAdd { target: target.to_owned(), reason: "attack".to_owned(), ttl_s: 3_600, incident: None }
}

/// Whether the trail has the intent of each restoring, then its outcome (the newest record is the first), and no more.
async fn are_recorded(desk: &Desk) -> bool {
    let trail = desk.ask::<operation::audit_page>(AuditPageRequest::default()).await.expect("the trail");
    [("block_restore", 2), ("contain_restore", 1)].into_iter().all(|(action, n)| {
        let outcomes: Vec<_> =
            trail.rows.iter().filter(|row| row.action == action).map(|row| row.outcome).rev().collect();
        outcomes == [AuditOutcome::Started, AuditOutcome::Success].repeat(n)
    })
}

#[tokio::test]
async fn a_redis_that_comes_back_empty_gets_its_blocks_again() {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    for target in ["45.1.1.1", "45.2.0.0/16"] {
        desk.ask::<operation::block_add>(block(target)).await.expect("it may be blocked");
    }
    let contain = ContainAdd {
        kind: ContainKind::User,
        target: "evil".to_owned(),
        reason: "stolen".to_owned(),
        ttl_s: 3_600,
        per_min: None,
        incident: None,
    };
    desk.ask::<operation::contain_add>(contain).await.expect("it may be contained");
    let socket = home.path().join("data/workspace/redis.sock");
    for words in [&["FLUSHALL"][..], &["SHUTDOWN", "NOSAVE", "NOW", "FORCE"]] {
        let status = std::process::Command::new("redis-cli").arg("-s").arg(&socket).args(words).status();
        assert!(status.expect("redis-cli comes with redis-server").success(), "{words:?}");
    }
    tokio::time::timeout(Duration::from_secs(30), async {
        let mut timer = tokio::time::interval(Duration::from_millis(100));
        loop {
            timer.tick().await;
            let mut standing = 0;
            for target in ["45.1.1.1", "45.2.3.4"] {
                let check = BlockCheck { target: target.to_owned() };
                let seen = desk.ask::<operation::block_check>(check).await;
                standing += usize::from(seen.is_ok_and(|seen| seen.in_redis == Some(true)));
            }
            let contained = desk.ask::<operation::contain_list>(ContainListRequest::default()).await;
            let is_back =
                contained.is_ok_and(|list| list.containments.iter().any(|row| row.redis_ttl_s.is_some()));
            // A key is there before its outcome is on the trail: both are waited for.
            if standing == 2 && is_back && are_recorded(&desk).await {
                return;
            }
        }
    })
    .await
    .expect("the owner writes them again and records it");
    desk.console.close().await;
}

/// Nothing reconnects and the server is the same, so only looking again finds it.
#[tokio::test]
async fn a_redis_that_is_emptied_while_it_stays_up_gets_its_blocks_again() {
    let home = folder();
    let clock = Arc::new(ManualClock::new("2026-11-20T12:00:00Z".parse().expect("an instant")));
    let desk = desk_at(&home, Tenure::Owner, local_connection(), clock.clone()).await;
    desk.ask::<operation::block_add>(block("45.1.1.1")).await.expect("it may be blocked");
    let socket = home.path().join("data/workspace/redis.sock");
    let emptied = std::process::Command::new("redis-cli").arg("-s").arg(&socket).arg("FLUSHALL").status();
    assert!(emptied.expect("redis-cli comes with redis-server").success());
    tokio::time::timeout(Duration::from_secs(30), async {
        let mut timer = tokio::time::interval(Duration::from_millis(100));
        loop {
            timer.tick().await;
            // Half a minute passes with each look.
            clock.advance(chrono::Duration::seconds(31));
            let check = BlockCheck { target: "45.1.1.1".to_owned() };
            if desk.ask::<operation::block_check>(check).await.is_ok_and(|seen| seen.in_redis == Some(true)) {
                return;
            }
        }
    })
    .await
    .expect("the owner compares again");
    desk.console.close().await;
}

#[tokio::test]
async fn slips_are_refused_with_what_to_say() {
    let home = folder();
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let slip = desk.ask::<operation::block_add>(block("203.0.113.7/24")).await.expect_err("256 addresses");
    assert_eq!(slip.code, ErrorCode::Validation);
    assert!(slip.hint.as_deref().is_some_and(|hint| hint.contains("203.0.113.0/24")), "{slip:?}");
    desk.ask::<operation::block_add>(block("203.0.113.0/24")).await.expect("that is meant");

    let allow = |target: &str| AllowAdd { target: target.to_owned(), note: "office".to_owned() };
    for target in ["203.0.113.9", "203.0.0.0/16"] {
        let blocked = desk.ask::<operation::allow_add>(allow(target)).await.expect_err("it is blocked");
        assert_eq!(blocked.code, ErrorCode::Precondition, "{target}");
        assert!(blocked.hint.as_deref().is_some_and(|hint| hint.contains("block remove")), "{blocked:?}");
    }
    desk.ask::<operation::allow_add>(allow("198.51.100.1")).await.expect("nothing blocks it");
    desk.console.close().await;
}

/// A trial refuses what the real thing refuses, in the same words, and changes nothing.
#[tokio::test]
async fn a_trial_refuses_what_a_block_refuses() {
    let home = folder();
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    desk.ask::<operation::block_add>(block("45.1.1.1")).await.expect("it may be blocked");
    let cases = [
        ("45.9.9.9", "attack", 3_600, None),
        ("45.9.9.9", "attack", 59, None),
        ("45.9.9.9", "attack", 366 * 86_400, None),
        ("45.9.9.9", " ", 3_600, None),
        ("45.9.9.9", "attack", 3_600, Some(4_711)),
        ("45.9.9.9/24", "attack", 3_600, None),
        ("45.1.1.1", "attack", 600, None),
        ("127.0.0.1", "attack", 3_600, None),
        ("nonsense", "attack", 3_600, None),
    ];
    for (target, reason, ttl_s, incident) in cases {
        let (target, reason) = (target.to_owned(), reason.to_owned());
        let terms = BlockTerms { reason: reason.clone(), ttl_s, incident };
        let trial = BlockTrial { target: target.clone(), terms: Some(terms) };
        let tried = desk.ask::<operation::block_preview>(trial).await;
        let add = BlockAdd { target: target.clone(), reason, ttl_s, incident };
        match desk.ask::<operation::block_add>(add).await {
            Ok(_) => assert_eq!(tried.expect("it would be blocked").refusal, None, "{target} {ttl_s}"),
            Err(refused) if refused.code == ErrorCode::Precondition => {
                let told = tried.expect("the trial tells").refusal;
                assert_eq!(told, Some(refused.message), "{target} {ttl_s}");
            }
            Err(refused) => {
                let told = tried.expect_err("the trial is refused as well");
                assert_eq!((told.code, told.message), (refused.code, refused.message), "{target} {ttl_s}");
            }
        }
    }
    desk.console.close().await;
}

#[tokio::test]
async fn a_range_names_the_blocks_inside_of_it() {
    let home = folder();
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    for n in 1..=12 {
        desk.ask::<operation::block_add>(block(&format!("45.1.1.{n}"))).await.expect("it may be blocked");
    }
    let check = |target: &str| BlockCheck { target: target.to_owned() };
    let range = desk.ask::<operation::block_check>(check("45.1.1.0/24")).await.expect("checked");
    assert_eq!((range.standing, range.inside_total, range.inside.len()), (Standing::Clear, 12, 10));
    assert_eq!(range.inside[0].to_string(), "45.1.1.1");
    assert!(range.detail.contains("12 blocks lie inside"), "{}", range.detail);
    let one = desk.ask::<operation::block_check>(check("45.1.1.3")).await.expect("checked");
    assert_eq!((one.standing, one.inside_total), (Standing::Blocked, 0), "a block is not inside of itself");
    let free = desk.ask::<operation::block_check>(check("45.1.2.0/24")).await.expect("checked");
    assert_eq!((free.inside_total, free.detail.as_str()), (0, "not blocked"));
    desk.console.close().await;
}

/// No engine runs that would mark it as over, and Redis has let go of its key.
#[tokio::test]
async fn a_block_whose_end_has_passed_is_over() {
    let home = folder();
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let desk = desk_at(&home, Tenure::Guest, local_connection(), clock.clone()).await;
    desk.ask::<operation::block_add>(block("45.9.0.1")).await.expect("it may be blocked");
    let check = BlockCheck { target: "45.9.0.1".to_owned() };
    let seen = desk.ask::<operation::block_check>(check.clone()).await.expect("checked");
    assert_eq!(seen.standing, Standing::Blocked);
    cli(&home, &["DEL", &seen.key.expect("it is in Redis")]);
    clock.advance(chrono::Duration::days(2));
    let seen = desk.ask::<operation::block_check>(check).await.expect("checked");
    assert_eq!((seen.standing, seen.detail.as_str()), (Standing::Clear, "not blocked"));
    let list = desk.ask::<operation::block_list>(BlockListRequest::default()).await.expect("listed");
    assert_eq!((list.blocks[0].block.state, list.total, list.in_force), (BlockState::Expired, 1, 0));
    let active = BlockListRequest { state: vec![BlockState::Active], ..BlockListRequest::default() };
    let list = desk.ask::<operation::block_list>(active).await.expect("listed");
    assert_eq!((list.blocks.len(), list.total), (0, 0));
    let expired = BlockListRequest { state: vec![BlockState::Expired], ..BlockListRequest::default() };
    let list = desk.ask::<operation::block_list>(expired).await.expect("listed");
    assert_eq!((list.blocks.len(), list.total, list.in_force, list.not_in_force), (1, 1, 0, 0));
    let allow = AllowAdd { target: "45.9.0.1".to_owned(), note: "office".to_owned() };
    desk.ask::<operation::allow_add>(allow).await.expect("nothing blocks it any more");
    desk.console.close().await;
}

/// Redis holds another key for the address: taking back says so instead of pretending.
#[tokio::test]
async fn what_another_hand_blocks_is_not_said_to_be_free() {
    let home = folder();
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let events = desk.console.workspace().and_then(|workspace| workspace.events()).expect("Redis answers");
    let key = events.block_key("45.3.0.1".parse().expect("an address"));
    let redis = |words: &[&str]| {
        let socket = home.path().join("data/workspace/redis.sock");
        let status = std::process::Command::new("redis-cli").arg("-s").arg(socket).args(words).status();
        assert!(status.expect("redis-cli comes with redis-server").success(), "{words:?}");
    };
    redis(&["SET", &key, "by hand"]);
    let made = desk.ask::<operation::block_add>(block("45.3.0.1")).await.expect("it may be blocked");
    let remove = || BlockRemove { id: made.id, reason: "over".to_owned() };
    let kept = desk.ask::<operation::block_remove>(remove()).await.expect_err("the other key stays");
    assert_eq!(kept.code, ErrorCode::Precondition);
    assert!(kept.message.contains("did not write"), "{kept:?}");
    let seen = desk.ask::<operation::block_check>(BlockCheck { target: "45.3.0.1".to_owned() }).await;
    assert_eq!(seen.expect("it can be checked").in_redis, Some(true));
    redis(&["DEL", &key]);
    desk.ask::<operation::block_remove>(remove()).await.expect("nothing holds it any more");
}

/// A longer block that cannot be written leaves the shorter one in force; one that can ends it.
#[tokio::test]
async fn prolonging_never_leaves_an_address_free() {
    let home = folder();
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let short = desk.ask::<operation::block_add>(block("45.4.0.1")).await.expect("it may be blocked");
    let longer = || BlockAdd { ttl_s: 7_200, ..block("45.4.0.1") };
    let store = desk.console.workspace().expect("it is open");
    let redis = |words: &[&str]| {
        let socket = home.path().join("data/workspace/redis.sock");
        let status = std::process::Command::new("redis-cli").arg("-s").arg(socket).args(words).status();
        assert!(status.expect("redis-cli comes with redis-server").success(), "{words:?}");
    };
    // A server without room refuses to write, and still answers.
    redis(&["CONFIG", "SET", "maxmemory", "1"]);
    let refused = desk.ask::<operation::block_add>(longer()).await.expect_err("there is no room");
    assert_eq!(refused.code, ErrorCode::Unavailable);
    let now = store.store().block_by_id(short.id).await.expect("it is kept");
    assert_eq!(now.state, BlockState::Active, "the shorter one still holds");
    redis(&["CONFIG", "SET", "maxmemory", "0"]);
    let long = desk.ask::<operation::block_add>(longer()).await.expect("there is room again");
    assert_eq!(long.state, BlockState::Active);
    let now = store.store().block_by_id(short.id).await.expect("it is kept");
    assert_eq!(now.state, BlockState::Removed);
    let seen = desk.ask::<operation::block_check>(BlockCheck { target: "45.4.0.1".to_owned() }).await;
    assert_eq!(seen.expect("it can be checked").block.map(|block| block.id), Some(long.id));
}
