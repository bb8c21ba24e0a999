//! The history of health: samples, then means, then nothing.

use chrono::{DateTime, Duration, Utc};
use watchpost_model::health::HealthSample;
use watchpost_model::period::Period;
use watchpost_store::{HEALTH_STATE, Store};

use crate::support::{World, both};

both!(samples_become_means_and_are_removed, alerts_outlast_the_state_of_detectors);

const SPAN: i64 = 300_000_000;

async fn keep(store: &Store, at: DateTime<Utc>, memory: f64, ops: Option<f64>) {
    let sample = HealthSample {
        at,
        memory_bytes: Some(memory),
        ops_per_s: ops,
        latency_ms: None,
        expired_per_s: Some(1.0),
        events_per_min: None,
        backlog: Some(0.0),
    };
    store.health_sample_add(&sample).await.unwrap();
}

async fn all_steps(store: &Store, average_before: DateTime<Utc>, remove_before: DateTime<Utc>) -> usize {
    let mut steps = 0;
    while store.health_history_step(average_before, remove_before).await.unwrap() {
        steps += 1;
        assert!(steps < 100, "it ends");
    }
    steps
}

async fn samples_become_means_and_are_removed(world: World) {
    let store = &world.store;
    let start = world.now().timestamp_micros().div_euclid(SPAN) * SPAN;
    let start = DateTime::from_timestamp_micros(start).unwrap() - Duration::days(3);
    // Two hours of a sample a minute; in every fifth one rates are not known: the server began anew.
    for minute in 0..120_i32 {
        let at = start + Duration::minutes(i64::from(minute)) + Duration::seconds(7);
        keep(store, at, f64::from(minute), (minute % 5 != 0).then_some(4.0)).await;
    }
    let period = Period { from: start - Duration::days(9), to: start + Duration::days(9) };
    let average_before = start + Duration::minutes(62);
    assert_eq!(all_steps(store, average_before, start - Duration::days(9)).await, 1, "an hour in a step");
    let kept = store.health_samples(period, 5_000).await.unwrap();
    assert_eq!(kept.len(), 12 + 60, "an hour in means, an hour as it was sampled");
    for (n, mean) in (0_i32..).zip(&kept[..12]) {
        assert_eq!(mean.at, start + Duration::minutes(i64::from(n) * 5));
        assert_eq!(mean.memory_bytes, Some(f64::from(n * 5 + 2)), "the mean of five");
        let rates = (mean.ops_per_s, mean.expired_per_s, mean.latency_ms);
        assert_eq!(rates, (Some(4.0), Some(1.0), None), "of what is known");
    }
    assert_eq!(kept[12].at, start + Duration::minutes(60) + Duration::seconds(7));
    assert_eq!(all_steps(store, average_before, start - Duration::days(9)).await, 0, "once is enough");

    all_steps(store, start + Duration::days(1), start + Duration::minutes(30)).await;
    let kept = store.health_samples(period, 5_000).await.unwrap();
    let (first, n) = (kept[0].at, kept.len());
    assert_eq!(
        (first, n),
        (start + Duration::minutes(30), 18),
        "what is too old is gone, the rest are means"
    );
}

async fn alerts_outlast_the_state_of_detectors(world: World) {
    let store = &world.store;
    store.engine_state_save(HEALTH_STATE, b"[]").await.unwrap();
    store.engine_state_save("detectors", b"old").await.unwrap();
    store.engine_state_only("detectors.1").await.unwrap();
    assert_eq!(store.engine_state("detectors").await.unwrap(), None, "an erasure forgets it");
    let kept = store.engine_state(HEALTH_STATE).await.unwrap().unwrap();
    assert_eq!((kept.body, kept.until), (b"[]".to_vec(), world.now()));
}
