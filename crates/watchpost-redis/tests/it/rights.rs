//! The printed lines of the ACL: a user of exactly these does everything, and one who only observes writes nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use watchpost_model::clock::SystemClock;
use watchpost_model::contain::ContainKind;
use watchpost_model::diagnosis::StepState;
use watchpost_model::event::Category;
use watchpost_model::event::Event;
use watchpost_model::ids::EventId;
use watchpost_model::policy::default_retention;
use watchpost_redis::AdoptCursor;
use watchpost_redis::EventStore;
use watchpost_redis::HealthProbe;
use watchpost_redis::RedisError;
use watchpost_redis::RedisTarget;
use watchpost_redis::acl_lines;
use watchpost_redis::backup::Existing;
use watchpost_redis::backup::Scope;
use watchpost_redis::benchmark::BenchmarkPlan;
use watchpost_redis::benchmark::benchmark;
use watchpost_redis::cleanup::leftovers;
use watchpost_redis::diagnose;
use watchpost_redis::export::EventChoice;
use watchpost_redis::export::EventWalk;
use watchpost_redis::export::KeyWalk;
use watchpost_redis::export::Run;
use watchpost_redis::optimize::Mode;
use watchpost_redis::optimize::optimize;
use watchpost_redis::optimize::revert;
use watchpost_redis::retention::RetentionWalk;
use watchpost_redis::stats::stats;

use crate::backup;
use crate::blocks::block;
use crate::contain::containment;
use crate::retention::process_all;
use crate::support::TestServer;
use crate::support::large_event;
use crate::support::now;
use crate::support::old_event;
use crate::support::query;

/// A user with exactly what is printed for `purposes`, and nothing else.
async fn user(server: &TestServer, purposes: &[&str]) -> RedisTarget {
    let mut raw = server.raw().await;
    let _: redis::Value = query(&mut raw, &["ACL", "SETUSER", "watchpost", "reset", "on", ">secret"]).await;
    let lines = acl_lines(&server.target()).await;
    for purpose in purposes {
        let line = &lines.iter().find(|line| line.purpose == *purpose).unwrap().line;
        let words: Vec<&str> = line.split(' ').map(|word| word.trim_matches('\'')).collect();
        let _: redis::Value = query(&mut raw, &words).await;
    }
    let _: redis::Value = query(&mut raw, &["ACL", "LOG", "RESET"]).await;
    RedisTarget { username: Some("watchpost".into()), password: Some("secret".into()), ..server.target() }
}

async fn connected(target: &RedisTarget) -> EventStore {
    EventStore::connect(target, Arc::new(SystemClock)).await.unwrap()
}

/// What the server has refused: commands and keys.
async fn denied(server: &TestServer) -> BTreeSet<String> {
    let mut raw = server.raw().await;
    let log: Vec<std::collections::HashMap<String, redis::Value>> = query(&mut raw, &["ACL", "LOG"]).await;
    log.iter().map(|entry| format!("{:?}", entry.get("object"))).collect()
}

async fn every_job(server: &TestServer, store: &EventStore) {
    let mut raw = server.raw().await;
    let mut events: Vec<Event> = (0..300).map(|n| old_event(20, Category::Authentication, n)).collect();
    events.extend((300..303).map(|n| {
        let mut large = large_event(n, 400_000);
        large.at -= chrono::Duration::days(60);
        large.id = EventId::at(large.at);
        large
    }));
    store.write_events(&events).await.unwrap();
    let _: redis::Value = query(&mut raw, &["HSET", "security:auth:1700000000000", "type", "bare"]).await;
    let _: redis::Value = query(&mut raw, &["SET", "security:auth:nonsense", "1"]).await;
    let mut cursor = AdoptCursor::default();
    while !store.adopt_bare(&mut cursor, 1_000).await.unwrap().wrapped {}
    process_all(store).await;
    store.claim_stale("a", std::time::Duration::ZERO, 10).await.unwrap();
    store.clear_acknowledged().await.unwrap();
    assert_eq!(store.quarantined(10).await.unwrap().len(), 1);

    let found = stats(store, &[], &|_| {}, CancellationToken::new()).await.unwrap();
    assert!(found.notes.is_empty() && found.patterns.iter().all(|row| row.bytes.is_some()), "{found:?}");
    optimize(store, now(), Mode::Run, &|_| {}, CancellationToken::new()).await.unwrap();
    revert(store, Mode::Run, &|_| {}, CancellationToken::new()).await.unwrap();
    optimize(store, now(), Mode::Run, &|_| {}, CancellationToken::new()).await.unwrap();
    leftovers(store, now(), Mode::Run, CancellationToken::new()).await.unwrap();
    backup::fill(server, store).await;
    let file = backup::take(store).await;
    let mut restorer = backup::restorer(store, Scope::Everything, Existing::Replace).await;
    backup::put(&file, &mut restorer).await;
    backup::check(&file, &mut restorer).await;
    assert_eq!(restorer.restored.failed, 0, "{:?}", restorer.restored);
    let mut keys = KeyWalk::start(store, CancellationToken::new()).await.unwrap();
    while keys.next_batch().await.unwrap().is_some() {}
    let plan = BenchmarkPlan { ops: 100, value_bytes: 10, pipeline: 2 };
    benchmark(store, plan, &|_| {}, CancellationToken::new()).await.unwrap().ended.unwrap();

    process_all(store).await;
    let rules = default_retention();
    let mut walk =
        RetentionWalk::start(store, &rules, now(), None, None, CancellationToken::new()).await.unwrap();
    let mut removed = 0;
    while let Some(batch) = walk.next_batch(500).await.unwrap() {
        removed += walk.remove_unchanged(&batch).await.unwrap().len();
    }
    assert!(removed >= 300, "{removed}");

    let blocked = block("203.0.113.0/24", 5);
    store.put_block(&blocked).await.unwrap();
    assert_eq!(store.list_blocks().await.unwrap().len(), 1);
    store.block_ttl_ms(blocked.target).await.unwrap();
    store.remove_block(&blocked).await.unwrap();
    let contained = containment(ContainKind::Limit, "203.0.113.7", 5);
    store.put_containment(&contained).await.unwrap();
    assert_eq!(store.list_containments(ContainKind::Limit).await.unwrap().len(), 1);
    store.remove_containment(&contained).await.unwrap();
    store.checkpoint_put("log", "note").await.unwrap();
    assert_eq!(store.checkpoints().await.unwrap().len(), 1);
    store.checkpoint_remove("log").await.unwrap();
    store.server_now().await.unwrap();
}

#[tokio::test]
async fn whoever_has_the_printed_rights_does_everything() {
    for purposes in [&["all"][..], &["observe", "process", "contain", "export", "maintain"]] {
        let server = TestServer::start().await;
        let target = user(&server, purposes).await;
        let steps = diagnose(&target).await;
        let rights = steps.iter().find(|step| step.name == "rights").unwrap();
        assert_eq!(
            (rights.state, rights.detail.as_str()),
            (StepState::Ok, "all that Watchpost needs"),
            "{steps:?}"
        );
        let store = connected(&target).await;
        every_job(&server, &store).await;
        let mut probe = HealthProbe::new(store.clone());
        probe.sample(None).await.unwrap();
        let (health, _) = probe.sample(None).await.unwrap();
        assert!(health.metrics.iter().all(|metric| !metric.basis.contains("not allowed")), "{health:?}");
        assert_eq!(denied(&server).await, BTreeSet::new(), "nothing was refused: {purposes:?}");
    }
}

#[tokio::test]
async fn an_observer_sees_everything_and_writes_nothing() {
    let server = TestServer::start().await;
    let owner = server.store().await;
    let events: Vec<Event> = (0..40).map(|n| old_event(1, Category::Authentication, n)).collect();
    owner.write_events(&events).await.unwrap();
    owner.write_events(&[large_event(1, 400_000)]).await.unwrap();
    let mut raw = server.raw().await;
    let _: redis::Value = query(&mut raw, &["HSET", "security:auth:1700000000000", "type", "bare"]).await;
    let _: redis::Value = query(&mut raw, &["SET", "security:auth:nonsense", "1"]).await;
    owner.put_block(&block("203.0.113.9", 5)).await.unwrap();

    let target = RedisTarget { observe: true, ..user(&server, &["observe"]).await };
    let steps = diagnose(&target).await;
    assert!(steps.iter().all(|step| step.state == StepState::Ok), "{steps:?}");
    let changes = changes(&server).await;
    let store = connected(&target).await;
    store.ensure_group().await.unwrap();
    let mut cursor = AdoptCursor::default();
    let mut seen = BTreeSet::new();
    for _ in 0..4 {
        store.adopt_bare(&mut cursor, 1_000).await.unwrap();
        let items = store.read_new("engine", 500, 0).await.unwrap();
        let ids: Vec<String> = items.iter().map(|item| item.stream_id.clone()).collect();
        for item in items {
            assert!(item.event.is_ok(), "{item:?}");
            assert!(seen.insert(item.key.clone()), "{} comes once", item.key);
        }
        store.ack(&ids).await.unwrap();
        store.clear_acknowledged().await.unwrap();
    }
    assert_eq!(seen.len(), 42, "what is on the stream, and the bare one");
    assert_eq!(store.waiting().await.unwrap(), 0);
    assert_eq!(self::changes(&server).await, changes, "nothing was written");
    owner.write_events(&[old_event(1, Category::Authentication, 90)]).await.unwrap();
    let changes = self::changes(&server).await;
    assert_eq!(store.read_new("engine", 500, 1_000).await.unwrap().len(), 1, "what comes now is read");

    let found = stats(&store, &[], &|_| {}, CancellationToken::new()).await.unwrap();
    assert!(found.patterns.iter().all(|row| row.bytes.is_some()), "{found:?}");
    let (health, _) = HealthProbe::new(store.clone()).sample(None).await.unwrap();
    assert!(health.metrics.iter().all(|metric| !metric.basis.contains("not allowed")), "{health:?}");
    assert_eq!(store.list_blocks().await.unwrap().len(), 1);
    let rules = default_retention();
    let mut walk =
        RetentionWalk::start(&store, &rules, now(), None, None, CancellationToken::new()).await.unwrap();
    while walk.next_batch(500).await.unwrap().is_some() {}
    optimize(&store, now(), Mode::Preview, &|_| {}, CancellationToken::new()).await.unwrap();
    revert(&store, Mode::Preview, &|_| {}, CancellationToken::new()).await.unwrap();
    leftovers(&store, now(), Mode::Preview, CancellationToken::new()).await.unwrap();
    assert_eq!(denied(&server).await, BTreeSet::new(), "nothing was refused, for nothing else was asked");

    for refused in [
        store.put_block(&block("203.0.113.7", 5)).await.map(drop),
        store.put_containment(&containment(ContainKind::Limit, "203.0.113.7", 5)).await.map(drop),
        store.write_events(&events).await.map(drop),
        optimize(&store, now(), Mode::Run, &|_| {}, CancellationToken::new()).await.map(drop),
        store.checkpoint_put("log", "note").await,
    ] {
        assert!(matches!(refused, Err(RedisError::Observing { .. })), "{refused:?}");
    }
    assert_eq!(denied(&server).await, BTreeSet::new(), "nothing of it was sent");
    assert_eq!(self::changes(&server).await, changes, "nothing else was written");
}

#[tokio::test]
async fn an_observer_with_the_line_for_exports_takes_backups() {
    let server = TestServer::start().await;
    backup::fill(&server, &server.store().await).await;
    let target = RedisTarget { observe: true, ..user(&server, &["observe", "export"]).await };
    let changes = changes(&server).await;
    let store = connected(&target).await;
    assert!(!backup::take(&store).await.is_empty());
    let mut keys = KeyWalk::start(&store, CancellationToken::new()).await.unwrap();
    while keys.next_batch().await.unwrap().is_some() {}
    assert_eq!(denied(&server).await, BTreeSet::new(), "nothing was refused");
    assert_eq!(self::changes(&server).await, changes, "nothing was written");
}

/// A key that may not be read is not one that is gone: an export without it would look whole.
#[tokio::test]
async fn an_export_that_may_not_read_a_value_stops_with_the_reason() {
    for (refused, is_of_events) in [
        ("-get -dump", false),
        ("-lrange", false),
        ("-zrange", false),
        ("-type -dump", false),
        ("-pttl -pexpiretime", false),
        ("-hgetall -dump", false),
        ("-hgetall -dump", true),
    ] {
        let server = TestServer::start().await;
        let mut raw = server.raw().await;
        for words in [
            &["SET", "security:note", "1"][..],
            &["RPUSH", "security:list", "1"],
            &["ZADD", "security:scores", "1", "one"],
            &["HSET", "security:auth:1700000000000", "type", "login"],
        ] {
            let _: redis::Value = query(&mut raw, words).await;
        }
        let target = all_but(&server, refused).await;
        let (store, cancel) = (connected(&target).await, CancellationToken::new());
        let ended = if is_of_events {
            let mut walk = EventWalk::start(&store, EventChoice::default(), cancel).await.unwrap();
            loop {
                match walk.next_batch().await {
                    Ok(Some(_)) => {}
                    ended => break ended.map(drop),
                }
            }
        } else {
            let mut walk = KeyWalk::start(&store, cancel).await.unwrap();
            loop {
                match walk.next_batch().await {
                    Ok(Some(_)) => {}
                    ended => break ended.map(drop),
                }
            }
        };
        assert!(matches!(ended, Err(RedisError::NoPermission(_))), "{refused}: {ended:?}");
    }
}

#[tokio::test]
async fn a_preview_stops_where_the_run_would() {
    let server = TestServer::start().await;
    let mut raw = server.raw().await;
    for words in [
        &["SET", "security:note", "1"][..],
        &["RPUSH", "security:list", "1"],
        &["HSET", "security:auth:1700000000000", "type", "login"],
        &["EVAL", "for n = 1, 3000 do redis.call('ZADD', 'security:large', n, 'member' .. n) end", "0"],
    ] {
        let _: redis::Value = query(&mut raw, words).await;
    }
    for (refused, export_stops, backup_stops) in [
        ("", false, false),
        ("-lrange", true, false),
        // Hashes and texts are read in either of two ways.
        ("-get", false, false),
        ("-get -dump", true, true),
        ("-hgetall", false, false),
        ("-hgetall -dump", true, true),
        // Too large to be exported whole, and not to be dumped.
        ("-zscan", true, false),
        ("-zrange", false, false),
        ("-dump", false, true),
    ] {
        let store = connected(&all_but(&server, refused).await).await;
        for (run, stops) in [(Run::Export, export_stops), (Run::Backup, backup_stops)] {
            let walk = KeyWalk::start(&store, CancellationToken::new()).await.unwrap();
            match walk.count(run, &|_| {}).await {
                Ok((count, _)) => assert_eq!((stops, count.keys), (false, 4), "{run:?} {refused}"),
                Err(RedisError::NoPermission(_)) => assert!(stops, "{run:?} {refused}"),
                Err(error) => panic!("{run:?} {refused}: {error}"),
            }
        }
    }
}

/// A user who may do everything but what is refused.
async fn all_but(server: &TestServer, refused: &str) -> RedisTarget {
    let mut rule = vec!["ACL", "SETUSER", "watchpost", "reset", "on", ">secret", "~security:*", "+@all"];
    rule.extend(refused.split_whitespace());
    let _: redis::Value = query(&mut server.raw().await, &rule).await;
    RedisTarget { username: Some("watchpost".into()), password: Some("secret".into()), ..server.target() }
}

#[tokio::test]
async fn an_expiry_is_exact_where_the_user_may_ask_for_it() {
    for (refused, is_exact) in [("", true), ("-pttl", true), ("-pexpiretime", false)] {
        let server = TestServer::start().await;
        let (mut raw, expires) = (server.raw().await, 4_102_444_800_123_i64);
        let _: redis::Value = query(&mut raw, &["SET", "security:note", "1"]).await;
        let _: u64 = query(&mut raw, &["PEXPIREAT", "security:note", &expires.to_string()]).await;
        let store = connected(&all_but(&server, refused).await).await;
        let mut walk = KeyWalk::start(&store, CancellationToken::new()).await.unwrap();
        let mut parts = Vec::new();
        while let Some(batch) = walk.next_batch().await.unwrap() {
            parts.extend(batch);
        }
        let note = parts.iter().find(|part| part.key == b"security:note").unwrap();
        let off = note.expires_at.unwrap().timestamp_millis() - expires;
        assert!(if is_exact { off == 0 } else { off.abs() < 5_000 }, "{refused}: {off} ms");
        assert_eq!(denied(&server).await, BTreeSet::new(), "{refused}: nothing is tried in vain");
    }
}

async fn changes(server: &TestServer) -> u64 {
    let mut raw = server.raw().await;
    let info: String = query(&mut raw, &["INFO", "persistence"]).await;
    let line = info.lines().find_map(|line| line.strip_prefix("rdb_changes_since_last_save:")).unwrap();
    line.trim().parse().unwrap()
}

#[tokio::test]
async fn what_may_not_be_asked_reads_na_with_the_reason() {
    for (options, rule, words) in [
        (&["--rename-command", "INFO", "", "--rename-command", "MEMORY", ""][..], "+ping", "no such command"),
        (&[], "-info", "not allowed"),
    ] {
        let server = TestServer::with(options).await;
        server.store().await.write_events(&[old_event(1, Category::Authentication, 1)]).await.unwrap();
        let mut raw = server.raw().await;
        let _: redis::Value = query(
            &mut raw,
            &["ACL", "SETUSER", "watchpost", "reset", "on", ">secret", "~security:*", "+@all"],
        )
        .await;
        let memory = if options.is_empty() { "-memory" } else { "+ping" };
        let _: redis::Value =
            query(&mut raw, &["ACL", "SETUSER", "watchpost", "-slowlog", rule, memory]).await;
        let target = RedisTarget {
            username: Some("watchpost".into()),
            password: Some("secret".into()),
            ..server.target()
        };
        let store = connected(&target).await;
        let (health, sample) = HealthProbe::new(store.clone()).sample(None).await.unwrap();
        let metric = |name: &str| health.metrics.iter().find(|metric| metric.name == name).unwrap();
        let memory = metric("memory_used_bytes");
        assert!(memory.value.is_none() && memory.basis.contains(words), "{memory:?}");
        assert!(metric("slowlog").basis.contains("n/a: SLOWLOG: not allowed"), "{health:?}");
        assert!(metric("round_trip_ms").value.is_some() && sample.memory_bytes.is_none());
        assert!(health.uptime_s.is_none() && health.keys.is_none(), "{health:?}");
        let found = stats(&store, &[], &|_| {}, CancellationToken::new()).await.unwrap();
        assert!(found.patterns.iter().all(|row| row.bytes.is_none() && row.keys > 0), "{found:?}");
        assert!(
            found.largest.is_empty() && found.notes.iter().any(|note| note.starts_with("memory: n/a")),
            "{found:?}"
        );
        assert!(store.memory_lacking().await.unwrap().is_some_and(|why| why.contains(words)));

        let steps = diagnose(&target).await;
        let rights = steps.iter().find(|step| step.name == "rights").unwrap();
        assert_eq!(rights.state, StepState::Warning, "{rights:?}");
        let hint = rights.hint.clone().unwrap();
        if options.is_empty() {
            assert!(hint.contains("+info"), "{hint}");
        } else {
            assert!(
                rights.detail.contains("the server has no") && hint.contains("no ACL brings it back"),
                "{rights:?}"
            );
            assert!(!hint.contains("+info") && !hint.contains("+memory"), "{hint}");
        }
    }
}

/// Of a user who may not ask for the server's settings, and of a command that this server lacks.
#[tokio::test]
async fn health_asks_nothing_that_would_be_refused() {
    for purposes in [&["observe"][..], &["observe", "contain", "export"]] {
        let server = TestServer::start().await;
        let target = user(&server, purposes).await;
        let mut probe = HealthProbe::new(connected(&target).await);
        probe.sample(None).await.unwrap();
        let (health, _) = probe.sample(None).await.unwrap();
        assert_eq!(denied(&server).await, BTreeSet::new(), "{purposes:?}");
        let basis =
            |name: &str| health.metrics.iter().find(|metric| metric.name == name).unwrap().basis.clone();
        assert!(basis("large_replies_per_min").contains("this server has no COMMANDLOG"), "{health:?}");
        assert!(basis("slow_commands_per_min").contains("SLOWLOG GET: "), "{health:?}");
        let errors: String = query(&mut server.raw().await, &["INFO", "errorstats"]).await;
        assert!(!errors.contains("errorstat_NOPERM"), "{errors}");
    }
}

#[tokio::test]
async fn lines_for_a_server_that_refuses_the_login_say_that_its_version_is_not_known() {
    let server = TestServer::start().await;
    let known = acl_lines(&server.target()).await;
    assert!(known.iter().all(|line| !line.purpose.starts_with("from_")), "{known:?}");
    assert!(known[0].line.contains("+pexpiretime"), "{known:?}");
    let refused =
        RedisTarget { username: Some("nobody".into()), password: Some("wrong".into()), ..server.target() };
    let unknown = acl_lines(&refused).await;
    assert!(!unknown[0].line.contains("+pexpiretime"), "{unknown:?}");
    let later = unknown.iter().find(|line| line.purpose == "from_7_0").unwrap();
    assert!(
        later.title.contains("did not say its version") && later.line.contains("+pexpiretime"),
        "{later:?}"
    );
}

#[tokio::test]
async fn nothing_is_done_where_the_trial_itself_is_refused() {
    let server = TestServer::start().await;
    server.store().await.write_events(&[old_event(1, Category::Authentication, 1)]).await.unwrap();
    let mut raw = server.raw().await;
    let rule = ["ACL", "SETUSER", "watchpost", "reset", "on", ">secret", "~security:*", "+@all", "-multi"];
    let _: redis::Value = query(&mut raw, &rule).await;
    let target = RedisTarget {
        username: Some("watchpost".into()),
        password: Some("secret".into()),
        ..server.target()
    };
    let before = changes(&server).await;
    diagnose(&target).await;
    assert_eq!(changes(&server).await, before, "the commands to try were not carried out");
    let waiting: u64 = query(&mut raw, &["XLEN", "security:events"]).await;
    assert_eq!(waiting, 1);
}
