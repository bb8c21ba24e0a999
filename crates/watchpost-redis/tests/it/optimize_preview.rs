//! What is told before anything is written: memory as it is, and a preview that is the run.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use watchpost_model::clock::SystemClock;
use watchpost_model::job::JobReport;
use watchpost_redis::EventStore;
use watchpost_redis::RedisError;
use watchpost_redis::RedisTarget;
use watchpost_redis::optimize::Mode;
use watchpost_redis::optimize::optimize;
use watchpost_redis::stats::stats;

use crate::support::TestServer;
use crate::support::now;
use crate::support::query;

async fn run(store: &EventStore, mode: Mode) -> JobReport {
    optimize(store, now(), mode, &|_| {}, CancellationToken::new()).await.unwrap()
}

fn figures(report: &JobReport) -> BTreeMap<&str, f64> {
    report.figures.iter().map(|figure| (figure.name.as_str(), figure.value)).collect()
}

#[tokio::test]
async fn the_memory_of_an_event_is_that_of_all_its_fields() {
    let server = TestServer::start().await;
    let store = server.store().await;
    let mut raw = server.raw().await;
    let payload = "x".repeat(5_000);
    let names: Vec<String> = (0..11).map(|n| format!("field-{n}")).collect();
    let mut all = 0;
    for n in 0..40 {
        let key = format!("security:auth:{}", 1_700_000_000_000_u64 + n);
        let mut words = vec!["HSET", key.as_str(), "payload", payload.as_str()];
        words.extend(names.iter().flat_map(|name| [name.as_str(), "v"]));
        let _: u64 = query(&mut raw, &words).await;
        let bytes: u64 = query(&mut raw, &["MEMORY", "USAGE", &key, "SAMPLES", "0"]).await;
        all += bytes;
    }
    let found =
        stats(&store, &["security:auth:*".to_owned()], &|_| {}, CancellationToken::new()).await.unwrap();
    assert_eq!(found.asked[0].bytes, Some(all));
}

#[tokio::test]
async fn an_observer_previews_what_may_be_told_without_the_limits() {
    let server = TestServer::start().await;
    let owner = server.store().await;
    let mut raw = server.raw().await;
    for n in 0..20 {
        let key = format!("security:auth:{}", 1_700_000_000_000_u64 + n);
        let payload = format!(r#"{{"details":"{}"}}"#, "x".repeat(3_000));
        let _: u64 = query(&mut raw, &["HSET", &key, "type", "login", "payload", &payload]).await;
    }
    let target = RedisTarget { observe: true, ..server.target() };
    let observer = EventStore::connect(&target, Arc::new(SystemClock)).await.unwrap();
    let written: String = query(&mut raw, &["INFO", "persistence"]).await;
    let told = run(&observer, Mode::Preview).await;
    assert!(told.notes.iter().any(|note| note.contains("encodings were not looked at")), "{told:?}");
    let all = run(&owner, Mode::Preview).await;
    let (told, all) = (figures(&told), figures(&all));
    for name in ["events", "compressed", "ttls_given", "index_trimmed", "payload_saved_bytes"] {
        assert_eq!(told[name], all[name], "{name}: as for one who may write");
    }
    let changes = |info: &str| {
        info.lines().find(|line| line.starts_with("rdb_changes_since_last_save")).map(ToOwned::to_owned)
    };
    let now_written: String = query(&mut raw, &["INFO", "persistence"]).await;
    assert_eq!(changes(&now_written), changes(&written), "nothing was written");
    let refused = optimize(&observer, now(), Mode::Run, &|_| {}, CancellationToken::new()).await;
    assert!(matches!(refused, Err(RedisError::Observing { .. })), "{refused:?}");
}

/// What is wide because of its payload is compact once that is compressed, and the preview knows by how much.
#[tokio::test]
async fn what_is_compact_once_it_is_compressed_is_counted_before() {
    let server = TestServer::start().await;
    let store = server.store().await;
    let mut raw = server.raw().await;
    let key_of = |n: u64| format!("security:auth:{}", 1_700_000_000_000 + n);
    for n in 0..240 {
        let key = key_of(n);
        // Compressed to a handful of bytes, to a hundred and to a thousand, or not at all.
        let text = match n % 4 {
            0 => "x".repeat(5_000),
            1 => (0..40).map(|word| format!("word-{} ", word % 25)).collect::<String>().repeat(20),
            2 => (0..2_000_u64).map(|word| format!("{} ", word * word * 7_919 % 10_007)).collect::<String>(),
            _ => "y".repeat(100),
        };
        let payload = format!(r#"{{"details":"{text}"}}"#);
        let words: [&str; 10] =
            ["HSET", &key, "type", "login", "actor", "eve", "severity", "low", "payload", &payload];
        let _: u64 = query(&mut raw, &words).await;
        let _: u64 = query(&mut raw, &["PEXPIRE", &key, "90000000"]).await;
    }
    let counts = ["events", "compressed", "ttls_given", "index_trimmed", "recoded"];
    let mut recoded = Vec::new();
    for limit in ["64", "256", "4096"] {
        let _: redis::Value = query(&mut raw, &["CONFIG", "SET", "hash-max-listpack-value", limit]).await;
        let (told, did) = (run(&store, Mode::Preview).await, run(&store, Mode::Run).await);
        let (told, did) = (figures(&told), figures(&did));
        for name in counts {
            assert_eq!(told[name], did[name], "{name}, with a limit of {limit}");
        }
        for name in ["recoded_before_bytes", "recoded_after_bytes"] {
            let (told, did) = (told[name], did[name]);
            assert!((told - did).abs() <= did * 0.25, "{name}, with a limit of {limit}: {told} of {did}");
        }
        recoded.push(did["recoded"]);
    }
    assert!(recoded[0] >= 60.0, "the first limit: {recoded:?}");
    assert!(recoded.iter().sum::<f64>() <= 240.0 && recoded[1] > 0.0, "{recoded:?}");
    let encoding: String = query(&mut raw, &["OBJECT", "ENCODING", &key_of(0)]).await;
    assert_eq!(encoding, "listpack");
}
