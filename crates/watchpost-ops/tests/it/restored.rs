//! Blocks and containments against slips, against the allowlist, and through a Redis that loses its data.

use std::time::Duration;

use watchpost_model::audit::AuditOutcome;
use watchpost_model::contain::ContainKind;
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{
    AllowAdd, AuditPageRequest, BlockAdd, BlockCheck, ContainAdd, ContainListRequest,
};
use watchpost_ops::door::operation;
use watchpost_ops::error::ErrorCode;

use crate::door::{desk, folder};

fn block(target: &str) -> BlockAdd {
    BlockAdd { target: target.to_owned(), reason: "attack".to_owned(), ttl_s: 3_600, incident: None }
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
            if standing == 2 && is_back {
                return;
            }
        }
    })
    .await
    .expect("the owner writes them again");
    let trail = desk.ask::<operation::audit_page>(AuditPageRequest::default()).await.expect("the trail");
    for (action, n) in [("block_restore", 2), ("contain_restore", 1)] {
        // The intent of each, then its outcome; the newest record is the first.
        let outcomes: Vec<_> =
            trail.rows.iter().filter(|row| row.action == action).map(|row| row.outcome).rev().collect();
        assert_eq!(outcomes, [AuditOutcome::Started, AuditOutcome::Success].repeat(n), "{action}");
    }
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
