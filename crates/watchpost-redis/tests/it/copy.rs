//! Copies of the whole server: what a server hands out starts another one with the same keys, and nothing else passes.

use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use watchpost_model::clock::SystemClock;
use watchpost_model::connection::TlsFiles;
use watchpost_model::event::Category;
use watchpost_redis::EventStore;
use watchpost_redis::RedisError;
use watchpost_redis::RedisTarget;
use watchpost_redis::TargetAddress;
use watchpost_redis::backup::BackupError;
use watchpost_redis::backup::BackupReader;
use watchpost_redis::backup::Contents;
use watchpost_redis::backup::Existing;
use watchpost_redis::backup::Held;
use watchpost_redis::backup::RdbCopy;
use watchpost_redis::backup::RdbEnd;
use watchpost_redis::backup::RdbError;
use watchpost_redis::backup::RdbPlan;
use watchpost_redis::backup::Scope;
use watchpost_redis::local::LocalError;
use watchpost_redis::local::LocalServer;

use crate::backup::check;
use crate::backup::fill;
use crate::backup::restorer;
use crate::backup::take;
use crate::damage::Damage;
use crate::damage::damaged;
use crate::diagnose::certificates;
use crate::port::free_port;
use crate::support::PREFIX;
use crate::support::TestServer;
use crate::support::old_event;
use crate::support::query;

const AT_ONCE: [&str; 4] = ["--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0"];

async fn copy(store: &EventStore) -> Result<(Vec<u8>, RdbEnd), RdbError> {
    let plan = RdbPlan::look(store).await?;
    let mut copy = RdbCopy::begin(store, &plan, CancellationToken::new()).await?;
    let mut file = Vec::new();
    while let Some(piece) = copy.next_piece().await? {
        file.extend(piece);
    }
    assert_eq!(copy.progress().done, file.len() as u64);
    Ok((file, copy.end()?))
}

async fn write_events(store: &EventStore) {
    let events: Vec<_> = (0..500).map(|n| old_event(1, Category::Authentication, n)).collect();
    store.write_events(&events).await.unwrap();
}

/// A server that starts with `file`, in `dir`.
async fn start(dir: &TempDir, file: &[u8], databases: u32) -> Result<LocalServer, LocalError> {
    let path = dir.path().join("a copy.rdb"); // With a blank, which servers before 7.0 take for an end.
    std::fs::write(&path, file).unwrap();
    LocalServer::scratch_of(&dir.path().join("scratch"), &path, databases).await
}

#[tokio::test]
async fn a_copy_starts_a_server_with_the_same_keys() {
    let server = TestServer::with(&[&AT_ONCE[..], &["--databases", "40"]].concat()).await;
    let store = server.store().await;
    fill(&server, &store).await;
    let mut raw = server.raw().await;
    let _: redis::Value = query(&mut raw, &["SELECT", "33"]).await;
    let _: redis::Value = query(&mut raw, &["SET", "of another application", "1"]).await;
    let before = Contents::of(&store).await.unwrap();
    let (file, end) = copy(&store).await.unwrap();
    let after = Contents::of(&store).await.unwrap();
    assert_eq!(end.bytes, file.len() as u64);
    assert!(end.checksum.is_some() && end.version.starts_with("REDIS "), "{end:?}");
    assert_eq!(before.database_count(), 34);

    let dir = tempfile::tempdir().unwrap();
    let scratch = start(&dir, &file, before.database_count()).await.unwrap();
    let other = EventStore::connect(&scratch.target(PREFIX), Arc::new(SystemClock)).await.unwrap();
    let loaded = Contents::of(&other).await.unwrap();
    assert_eq!(Contents::compare(&before, &after, &loaded), Held::Equal, "{before:?} {loaded:?}");
    // Not only as many: each value and expiry is equal, as the other kind of backup tells them.
    let values = take(&store).await;
    let mut compared = restorer(&other, Scope::Everything, Existing::Keep).await;
    check(&values, &mut compared).await;
    let keys = store.key_count().await.unwrap();
    assert_eq!((compared.checked.equal, compared.checked.wrong), (keys, 0), "{:?}", compared.checked);
    assert_eq!(loaded.keys(), Some(keys + 1), "and the key of the other database is there");
    scratch.stop().await.unwrap();
    assert_eq!(std::fs::read(dir.path().join("a copy.rdb")).unwrap(), file, "the file stays as it is");
    assert!(matches!(BackupReader::new(file.as_slice()), Err(BackupError::Rdb)), "a restore says what it is");
}

#[tokio::test]
async fn a_server_may_send_its_copy_by_way_of_its_disk_and_without_a_checksum() {
    let server = TestServer::with(&["--repl-diskless-sync", "no", "--rdbchecksum", "no"]).await;
    let store = server.store().await;
    write_events(&store).await;
    let before = Contents::of(&store).await.unwrap();
    let (file, end) = copy(&store).await.unwrap();
    let after = Contents::of(&store).await.unwrap();
    assert_eq!((end.checksum, end.bytes), (None, file.len() as u64));
    let dir = tempfile::tempdir().unwrap();
    let scratch = start(&dir, &file, before.database_count()).await.unwrap();
    let other = EventStore::connect(&scratch.target(PREFIX), Arc::new(SystemClock)).await.unwrap();
    let loaded = Contents::of(&other).await.unwrap();
    assert_eq!(Contents::compare(&before, &after, &loaded), Held::Equal, "{before:?} {loaded:?}");
    scratch.stop().await.unwrap();
    // What is no such file starts no server, and it says why.
    let wrong = start(&dir, b"REDIS9999 from another time", 1).await.unwrap_err();
    assert!(matches!(&wrong, LocalError::Died { log } if log.contains("version")), "{wrong:?}");
}

#[tokio::test]
async fn a_copy_comes_over_tls_to_a_user_who_may_have_it() {
    let dir = tempfile::tempdir().unwrap();
    certificates(dir.path());
    let path = |name: &str| dir.path().join(name).display().to_string();
    let (port, cert, key, ca) = (free_port(), path("good.pem"), path("good.key"), path("ca.pem"));
    let port_text = port.to_string();
    let options: Vec<&str> = vec![
        "--tls-port",
        &port_text,
        "--bind",
        "127.0.0.1",
        "--tls-cert-file",
        &cert,
        "--tls-key-file",
        &key,
        "--tls-ca-cert-file",
        &ca,
    ];
    let server = TestServer::with(&[&AT_ONCE[..], &options].concat()).await;
    let mut raw = server.raw().await;
    let rule = ["ACL", "SETUSER", "wp", "on", ">secret", "~security:*", "&*", "+@all", "-psync"];
    let _: redis::Value = query(&mut raw, &rule).await;
    let files =
        TlsFiles { ca: Some(ca.clone()), cert: Some(path("client.pem")), key: Some(path("client.key")) };
    let target = RedisTarget {
        address: TargetAddress::Tcp { host: "127.0.0.1".into(), port, tls: Some(files) },
        also: Vec::new(),
        username: Some("wp".into()),
        password: Some("secret".into()),
        database: 0,
        prefix: PREFIX.into(),
        observe: false,
    };
    let store = EventStore::connect(&target, Arc::new(SystemClock)).await.unwrap();
    write_events(&store).await;
    for (rule, is_known) in [("+@all", true), ("-acl", false)] {
        let _: redis::Value = query(&mut raw, &["ACL", "SETUSER", "wp", rule, "-psync"]).await;
        assert_eq!(
            RdbPlan::look(&store).await.is_err(),
            is_known,
            "a user who may ask is told before: {rule}"
        );
        let refused = copy(&store).await.unwrap_err();
        assert!(matches!(&refused, RdbError::NotAllowed(text) if text.contains("psync")), "{refused:?}");
    }
    let _: redis::Value = query(&mut raw, &["ACL", "SETUSER", "wp", "-@all", "+@read", "+@connection"]).await;
    let _: redis::Value =
        query(&mut raw, &["ACL", "SETUSER", "wp", "+info", "+ping", "+psync", "+replconf"]).await;
    let (_, end) = copy(&store).await.unwrap();
    assert!(end.checksum.is_some(), "{end:?}");
}

#[tokio::test]
async fn a_damaged_copy_is_none() {
    let server = TestServer::with(&AT_ONCE).await;
    write_events(&server.store().await).await;
    let at = 20_000;
    for (name, damage) in [("cut", Damage::Cut(at)), ("flip", Damage::Flip(at))] {
        let socket = server.dir.path().join(name);
        let _between = damaged(&socket, server.socket(), damage);
        let target = RedisTarget::unix(&socket, PREFIX);
        let store = EventStore::connect(&target, Arc::new(SystemClock)).await.unwrap();
        match (damage, copy(&store).await.unwrap_err()) {
            (Damage::Cut(_), RdbError::Truncated { bytes }) => assert!(bytes <= at as u64, "{bytes}"),
            (Damage::Flip(_), RdbError::Altered { stored, computed }) => assert_ne!(stored, computed),
            (damage, other) => panic!("{damage:?}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_cancelled_copy_ends_at_once() {
    // While the server has not begun: it waits for others who might want a copy, too.
    let server =
        TestServer::with(&["--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "600"]).await;
    let store = server.store().await;
    let plan = RdbPlan::look(&store).await.unwrap();
    let (cancel, mut raw) = (CancellationToken::new(), server.raw().await);
    let stop = async {
        while !query::<String>(&mut raw, &["INFO", "replication"]).await.contains("connected_slaves:1") {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
        Instant::now()
    };
    let (begun, stopped) = tokio::join!(RdbCopy::begin(&store, &plan, cancel.clone()), stop);
    assert!(matches!(begun, Err(RdbError::Redis(RedisError::Cancelled))));
    assert!(stopped.elapsed() < Duration::from_millis(200), "{:?}", stopped.elapsed());

    // And in its middle.
    let server = TestServer::with(&AT_ONCE).await;
    write_events(&server.store().await).await;
    let socket = server.dir.path().join("stall");
    let _between = damaged(&socket, server.socket(), Damage::Stall(20_000));
    let target = RedisTarget::unix(&socket, PREFIX);
    let store = EventStore::connect(&target, Arc::new(SystemClock)).await.unwrap();
    let plan = RdbPlan::look(&store).await.unwrap();
    let cancel = CancellationToken::new();
    let mut copy = RdbCopy::begin(&store, &plan, cancel.clone()).await.unwrap();
    assert!(copy.next_piece().await.unwrap().is_some());
    let rest = async {
        loop {
            match copy.next_piece().await {
                Ok(Some(_)) => {}
                other => return other,
            }
        }
    };
    let stop = async {
        cancel.cancel();
        Instant::now()
    };
    let (ended, stopped) = tokio::join!(rest, stop);
    assert!(matches!(ended, Err(RdbError::Redis(RedisError::Cancelled))));
    assert!(stopped.elapsed() < Duration::from_millis(200), "{:?}", stopped.elapsed());
}
