//! What a server tells beside `INFO`, asked of a real one.

use std::sync::Arc;

use watchpost_model::block::BlockTarget;
use watchpost_model::clock::SystemClock;
use watchpost_model::connection::HostPort;
use watchpost_model::health::Metric;
use watchpost_model::health::RedisHealth;
use watchpost_model::health::Verdict;
use watchpost_redis::EventStore;
use watchpost_redis::HealthProbe;
use watchpost_redis::RedisError;
use watchpost_redis::RedisTarget;
use watchpost_redis::SentinelAddress;
use watchpost_redis::TargetAddress;

use crate::fleet::Cluster;
use crate::fleet::MASTER;
use crate::fleet::SENTINEL_PASSWORD;
use crate::fleet::SERVER_PASSWORD;
use crate::fleet::Set;
use crate::sentinel::until_ok;
use crate::support::PREFIX;
use crate::support::TestServer;
use crate::support::query;

fn of<'a>(health: &'a RedisHealth, name: &str) -> &'a Metric {
    health.metrics.iter().find(|metric| metric.name == name).unwrap_or_else(|| panic!("no metric {name}"))
}

#[tokio::test]
async fn latencies_and_slow_commands_are_told() {
    let server = TestServer::with(&["--enable-debug-command", "yes"]).await;
    let mut raw = server.raw().await;
    let mut probe = HealthProbe::new(server.store().await);
    let (first, _) = probe.sample(None).await.unwrap();
    assert!(of(&first, "latency_event_ms").basis.contains("is off"), "{first:?}");
    assert!(of(&first, "last_save_age_s").basis.contains("does not save"), "{first:?}");
    assert!(of(&first, "large_replies_per_min").basis.contains("this server has no COMMANDLOG"), "{first:?}");
    let _: redis::Value = query(&mut raw, &["CONFIG", "SET", "latency-monitor-threshold", "100"]).await;
    let _: redis::Value = query(&mut raw, &["CONFIG", "SET", "slowlog-log-slower-than", "9000"]).await;
    let _: redis::Value = query(&mut raw, &["DEBUG", "SLEEP", "0.15"]).await;
    for _ in 0..5 {
        let _: redis::Value = query(&mut raw, &["DEBUG", "SLEEP", "0.01"]).await;
    }
    for _ in 0..200 {
        let _: String = query(&mut raw, &["PING"]).await;
    }
    let (health, _) = probe.sample(None).await.unwrap();
    let event = of(&health, "latency_event_ms");
    assert!(event.value.is_some_and(|ms| ms >= 150.0) && event.verdict != Verdict::Ok, "{event:?}");
    let slow = of(&health, "slow_commands_per_min");
    assert!(slow.value.is_some_and(|rate| rate > 1.0) && slow.verdict == Verdict::Warning, "{slow:?}");
    let (p50, p999) = (of(&health, "command_p50_ms").value, of(&health, "command_p999_ms").value);
    assert!(p50.is_some_and(|p50| p50 > 0.0) && p999 > p50 && p999 > Some(100.0), "{p50:?} {p999:?}");
}

#[tokio::test]
async fn what_the_user_may_not_ask_is_not_known_and_raises_no_alarm() {
    let server = TestServer::start().await;
    let mut raw = server.raw().await;
    let rules = ["on", ">secret", "~*", "&*", "+@all", "-latency", "-config", "-slowlog"];
    let _: String = query(&mut raw, &[&["ACL", "SETUSER", "watch"][..], &rules].concat()).await;
    let login = RedisTarget {
        username: Some("watch".to_owned()),
        password: Some("secret".to_owned()),
        ..server.target()
    };
    let store = EventStore::connect(&login, Arc::new(SystemClock)).await.unwrap();
    let mut probe = HealthProbe::new(store);
    for _ in 0..3 {
        let (health, _) = probe.sample(None).await.unwrap();
        for name in ["command_p99_ms", "latency_event_ms", "slow_commands_per_min"] {
            let metric = of(&health, name);
            assert_eq!((metric.value, metric.verdict), (None, Verdict::Unknown), "{metric:?}");
            assert!(metric.basis.contains("may not ask"), "{metric:?}");
        }
        let denied = of(&health, "acl_denied");
        assert!(matches!(denied.verdict, Verdict::Ok | Verdict::Unknown), "our own questions: {denied:?}");
    }
}

#[tokio::test]
async fn blocks_that_are_gone_or_never_end_are_found() {
    let server = TestServer::start().await;
    let store = server.store().await;
    let mut raw = server.raw().await;
    let target = |text: &str| text.parse::<BlockTarget>().unwrap();
    let all = [target("45.1.1.1"), target("45.1.1.2"), target("45.2.0.0/16")];
    let _: String = query(&mut raw, &["SET", &store.block_key(all[0]), "{}", "EX", "100"]).await;
    let _: String = query(&mut raw, &["SET", &store.block_key(all[2]), "{}"]).await;
    assert_eq!(store.blocks_not_in_force(&all).await.unwrap(), all[1..]);
    assert!(store.blocks_not_in_force(&[]).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sentinels_that_cannot_agree_are_told() {
    let mut set = Set::start(3).await;
    let at = |port: u16| HostPort { host: "127.0.0.1".to_owned(), port };
    let sentinels = SentinelAddress {
        sentinels: set.sentinels.iter().map(|sentinel| at(sentinel.port)).collect(),
        master: MASTER.to_owned(),
        username: None,
        password: Some(SENTINEL_PASSWORD.to_owned()),
        tls: None,
    };
    let target = RedisTarget {
        address: TargetAddress::Sentinel(sentinels),
        password: Some(SERVER_PASSWORD.to_owned()),
        ..RedisTarget::unix("", PREFIX)
    };
    let store = EventStore::connect(&target, Arc::new(SystemClock)).await.unwrap();
    let mut probe = HealthProbe::new(store);
    let (health, _) = probe.sample(None).await.unwrap();
    for name in ["sentinels_silent", "sentinel_no_quorum"] {
        let metric = of(&health, name);
        assert_eq!((metric.value, metric.verdict), (Some(0.0), Verdict::Ok), "{metric:?}");
    }
    assert!(of(&health, "replica_gap_bytes").value.is_some(), "{health:?}");

    set.sentinels[1].kill();
    set.sentinels[2].kill();
    let (health, _) = until_ok(async || probe.sample(None).await).await;
    let silent = of(&health, "sentinels_silent");
    assert_eq!((silent.value, silent.verdict), (Some(2.0), Verdict::Critical), "{silent:?}");
    assert_eq!(health.verdict, Verdict::Critical);
    // The one that is left notices after a moment.
    let metric = until_ok(async || {
        let (health, _) = probe.sample(None).await?;
        let metric = of(&health, "sentinel_no_quorum").clone();
        if metric.value == Some(1.0) { Ok(metric) } else { Err(RedisError::Loading) }
    })
    .await;
    assert!(metric.verdict == Verdict::Critical && metric.basis.contains("CKQUORUM"), "{metric:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_is_asked_how_it_is() {
    let cluster = Cluster::start().await;
    let address = TargetAddress::Tcp { host: "127.0.0.1".to_owned(), port: cluster.nodes[0].port, tls: None };
    let target = RedisTarget { address, ..RedisTarget::unix("", "{security}:") };
    let store = EventStore::connect(&target, Arc::new(SystemClock)).await.unwrap();
    let (health, _) = HealthProbe::new(store).sample(None).await.unwrap();
    for name in ["cluster_down", "cluster_slots_suspect", "cluster_slots_failed"] {
        let metric = of(&health, name);
        assert_eq!((metric.value, metric.verdict), (Some(0.0), Verdict::Ok), "{metric:?}");
        assert!(health.nodes.iter().all(|node| node.metrics.iter().any(|metric| metric.name == name)));
    }
    let skew = of(&health, "cluster_skew_ratio");
    assert!(skew.value.is_none() && skew.basis.contains("too small"), "{skew:?}");
}
