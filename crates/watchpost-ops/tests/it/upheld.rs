//! A block that the database holds and Redis lost shows in the health.

use std::sync::Arc;

use chrono::Duration;
use watchpost_model::clock::ManualClock;
use watchpost_model::health::{RedisHealth, Verdict};
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{BlockAdd, Nothing};
use watchpost_ops::door::operation;

use crate::door::{Desk, desk_at, folder};

async fn missing(desk: &Desk) -> (RedisHealth, Option<f64>) {
    let health = desk.ask::<operation::redis_health>(Nothing {}).await.expect("Redis answers");
    let metric = health.metrics.iter().find(|metric| metric.name == "blocks_missing").expect("it is told");
    let value = metric.value;
    (health, value)
}

#[tokio::test]
async fn a_block_that_redis_lost_is_critical() {
    let home = folder();
    let clock = Arc::new(ManualClock::new("2026-11-20T12:00:00Z".parse().expect("an instant")));
    // A guest puts nothing back.
    let desk = desk_at(&home, Tenure::Guest, local_connection(), clock.clone()).await;
    for target in ["45.1.1.1", "45.2.0.0/16"] {
        let block =
            BlockAdd { target: target.to_owned(), reason: "attack".to_owned(), ttl_s: 3_600, incident: None };
        desk.ask::<operation::block_add>(block).await.expect("it may be blocked");
    }
    clock.advance(Duration::seconds(61));
    assert_eq!(missing(&desk).await.1, Some(0.0));

    let socket = home.path().join("data/workspace/redis.sock");
    let gone = std::process::Command::new("redis-cli").arg("-s").arg(&socket).arg("FLUSHALL").status();
    assert!(gone.expect("redis-cli comes with redis-server").success());
    clock.advance(Duration::seconds(61));
    let (health, value) = missing(&desk).await;
    assert_eq!((value, health.verdict), (Some(2.0), Verdict::Critical), "{health:?}");
    desk.console.close().await;
}
