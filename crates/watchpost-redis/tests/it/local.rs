//! The private server of the local workspace.

use std::sync::Arc;

use watchpost_model::clock::SystemClock;
use watchpost_model::event::Category;
use watchpost_redis::EventStore;
use watchpost_redis::local::LocalError;
use watchpost_redis::local::LocalServer;

use crate::support::PREFIX;
use crate::support::old_event;
use crate::support::query;

async fn connect(server: &LocalServer) -> EventStore {
    EventStore::connect(&server.target(PREFIX), Arc::new(SystemClock)).await.unwrap()
}

#[tokio::test]
async fn data_survive_stop_and_start_and_guests_do_not_stop_it() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("with blank");
    let server = LocalServer::start(&data).await.unwrap();
    assert!(server.owned());
    let event = old_event(1, Category::Authentication, 0);
    connect(&server).await.write_events(std::slice::from_ref(&event)).await.unwrap();

    let guest = LocalServer::start(&data).await.unwrap();
    assert!(!guest.owned());
    guest.stop().await.unwrap();
    connect(&server).await.ping().await.unwrap();
    let socket = server.socket().to_owned();
    server.stop().await.unwrap();
    assert!(!socket.exists(), "stopped");

    let server = LocalServer::start(&data).await.unwrap();
    let written = connect(&server).await.write_events(&[event]).await.unwrap();
    assert_eq!(written.duplicates, 1, "the event is still there");
    drop(server);
    let found = LocalServer::start(&data).await.unwrap();
    assert!(found.owned(), "a server without owner is taken over");
    connect(&found).await.ping().await.unwrap();
    found.stop().await.unwrap();
    assert!(!socket.exists(), "and stopped by its new owner");
}

#[tokio::test]
async fn a_long_path_gets_a_short_socket() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("x".repeat(120));
    let server = LocalServer::start(&data).await.unwrap();
    assert!(server.socket().as_os_str().len() <= 100, "{}", server.socket().display());
    connect(&server).await.ping().await.unwrap();
    let short = server.socket().parent().unwrap().to_owned();
    server.stop().await.unwrap();
    std::fs::remove_dir(short).unwrap();
}

#[tokio::test]
async fn a_damaged_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let server = LocalServer::start(dir.path()).await.unwrap();
    let events: Vec<_> = (0..50).map(|n| old_event(1, Category::Authentication, n)).collect();
    connect(&server).await.write_events(&events).await.unwrap();
    server.stop().await.unwrap();
    let incremental = std::fs::read_dir(dir.path().join("appendonlydir")).unwrap();
    let mut incremental = incremental.map(|entry| entry.unwrap().path());
    let incremental = incremental.find(|path| path.to_string_lossy().ends_with(".incr.aof")).unwrap();
    let mut bytes = std::fs::read(&incremental).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 64].fill(b'#');
    std::fs::write(&incremental, bytes).unwrap();
    let error = LocalServer::start(dir.path()).await.unwrap_err();
    assert!(matches!(error, LocalError::DamagedFile { .. }), "{error}");
    assert!(error.to_string().contains("redis-check-aof"), "{error}");
}

#[tokio::test]
async fn a_store_heals_when_its_server_is_restarted() {
    let dir = tempfile::tempdir().unwrap();
    let server = LocalServer::start(dir.path()).await.unwrap();
    let store = connect(&server).await;
    let event = old_event(1, Category::Authentication, 0);
    store.ensure_group().await.unwrap();
    store.write_events(std::slice::from_ref(&event)).await.unwrap();
    server.stop().await.unwrap();
    assert!(store.write_events(std::slice::from_ref(&event)).await.unwrap_err().is_transient());
    assert!(store.ping().await.unwrap_err().is_transient());
    let server = LocalServer::start(dir.path()).await.unwrap();
    // Connections that were not used meanwhile learn of their end at the first call.
    let _ = store.read_new("a", 10, 0).await;
    let items = store.read_new("a", 10, 0).await.unwrap();
    let again = store.read_unacknowledged("a", 10).await.unwrap();
    assert_eq!(again.first().map(|item| item.event.clone()), Some(Ok(event)), "{items:?}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_was_removed_is_in_no_file_that_was_written_anew() {
    let dir = tempfile::tempdir().unwrap();
    let server = LocalServer::start(dir.path()).await.unwrap();
    let store = connect(&server).await;
    let client = redis::Client::open(format!("unix://{}", server.socket().display())).unwrap();
    let mut raw = client.get_multiplexed_async_connection().await.unwrap();
    query::<String>(&mut raw, &["SET", "app:note", "by maria"]).await;
    let holds = || {
        let files = std::fs::read_dir(dir.path().join("appendonlydir")).unwrap();
        let mut bytes = files.map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
        bytes.any(|bytes| bytes.windows(5).any(|part| part == b"maria"))
    };
    assert!(store.rewrite_append_only().await.unwrap());
    assert!(holds(), "what is there stays");
    query::<u64>(&mut raw, &["DEL", "app:note"]).await;
    assert!(holds(), "a file that is only added to forgets nothing");
    // The second one waits for the first.
    let (first, second) = tokio::join!(store.rewrite_append_only(), store.rewrite_append_only());
    assert!(first.unwrap() && second.unwrap());
    assert!(!holds());
    server.stop().await.unwrap();
}
