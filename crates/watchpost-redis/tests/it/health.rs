//! Health of a real server.

use watchpost_model::event::Category;
use watchpost_model::health::Verdict;
use watchpost_redis::HealthProbe;

use crate::support::TestServer;
use crate::support::old_event;
use crate::support::query;

#[tokio::test]
async fn an_empty_server_raises_no_alarm() {
    let server = TestServer::start().await;
    let store = server.store().await;
    let mut probe = HealthProbe::new(store.clone());
    let (first, sample) = probe.sample(None).await.unwrap();
    assert_eq!(sample.ops_per_s, None, "one sample makes no rate");
    assert_eq!(first.keys, Some(0));
    let (second, sample) = probe.sample(Some(12.0)).await.unwrap();
    for health in [&first, &second] {
        // Latencies depend on what else this machine does; everything else must be calm.
        let alarms =
            health.metrics.iter().filter(|m| matches!(m.verdict, Verdict::Warning | Verdict::Critical));
        let alarms: Vec<_> =
            alarms.filter(|m| !m.name.ends_with("_ms") && m.name != "main_thread_ratio").collect();
        assert!(alarms.is_empty(), "{alarms:?}");
        assert!(health.server.starts_with("Redis ") && health.role == "master");
    }
    assert!(sample.ops_per_s.is_some_and(|ops| ops > 0.0), "{sample:?}");
    assert!(sample.latency_ms.is_some_and(|ms| ms > 0.0) && sample.memory_bytes.is_some());
    assert_eq!((sample.backlog, sample.events_per_min), (Some(0.0), Some(12.0)));
}

#[tokio::test]
async fn keys_backlog_and_slow_commands_are_seen() {
    let server = TestServer::start().await;
    let store = server.store().await;
    let mut raw = server.raw().await;
    let _: redis::Value = query(&mut raw, &["CONFIG", "SET", "slowlog-log-slower-than", "0"]).await;
    let _: u64 = query(&mut raw, &["HSET", "somebody:1", "password", "hunter2"]).await;
    let _: redis::Value = query(&mut raw, &["CONFIG", "SET", "slowlog-log-slower-than", "0"]).await;
    store.write_events(&[old_event(1, Category::Authentication, 0)]).await.unwrap();
    let _: redis::Value = query(&mut raw, &["CONFIG", "SET", "slowlog-log-slower-than", "-1"]).await;
    let (health, sample) = HealthProbe::new(store).sample(None).await.unwrap();
    assert_eq!((health.keys, health.keys_with_ttl), (Some(4), Some(1)));
    assert_eq!(sample.backlog, Some(1.0));
    assert!(
        health.slowlog.iter().any(|slow| slow.own && slow.command.starts_with("EVALSHA")),
        "{:?}",
        health.slowlog
    );
    assert!(health.slowlog.iter().any(|slow| !slow.own && slow.command == "HSET somebody:1 (2 more)"));
    let others: Vec<&str> =
        health.slowlog.iter().filter(|slow| !slow.own).map(|slow| slow.command.as_str()).collect();
    assert!(
        others.iter().all(|command| command.starts_with("HSET somebody:1") || command.starts_with("CONFIG")),
        "what the own scripts call is own too: {others:?}"
    );
    assert!(!format!("{:?}", health.slowlog).contains("hunter2"));
}
