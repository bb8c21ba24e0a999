//! What an export of every key has no row of.

use tokio_util::sync::CancellationToken;
use watchpost_redis::EventStore;
use watchpost_redis::RedisTarget;
use watchpost_redis::export::KeyWalk;

use crate::support::TestServer;
use crate::support::query;

/// The names of the keys that have a row, and what is told of the others.
async fn walked(store: &EventStore) -> (Vec<String>, Vec<String>) {
    let mut walk = KeyWalk::start(store, CancellationToken::new()).await.unwrap();
    let mut names = Vec::new();
    while let Some(parts) = walk.next_batch().await.unwrap() {
        names.extend(parts.into_iter().map(|part| String::from_utf8(part.key).unwrap()));
    }
    (names, walk.notes())
}

#[tokio::test]
async fn keys_without_a_row_are_told() {
    let server = TestServer::start().await;
    let mut raw = server.raw().await;
    let _: redis::Value = query(&mut raw, &["SET", "security:note", "1"]).await;
    let _: redis::Value = query(&mut raw, &["SET", "security:blank", ""]).await;
    // Where the sizes of values are not told, they are read window by window.
    let rule = ["ACL", "SETUSER", "watchpost", "reset", "on", ">secret", "~security:*", "+@all", "-memory"];
    let _: redis::Value = query(&mut raw, &rule).await;
    let target = RedisTarget {
        username: Some("watchpost".into()),
        password: Some("secret".into()),
        ..server.target()
    };
    let clock = std::sync::Arc::new(watchpost_model::clock::SystemClock);
    let by_window = EventStore::connect(&target, clock).await.unwrap();
    let whole = server.store().await;
    for (key, told) in [
        (None, None),
        (Some("security:first"), Some("1 key has no row: an empty stream, or gone when it was read")),
        (Some("security:second"), Some("2 keys have no row: empty streams, or gone when they were read")),
    ] {
        if let Some(key) = key {
            let _: String = query(&mut raw, &["XADD", key, "*", "field", "value"]).await;
            let _: u64 = query(&mut raw, &["XTRIM", key, "MAXLEN", "0"]).await;
        }
        for (store, how) in [(&whole, "whole"), (&by_window, "by window")] {
            let (names, notes) = walked(store).await;
            for there in ["security:note", "security:blank"] {
                assert_eq!(names.iter().filter(|name| *name == there).count(), 1, "{how}: {names:?}");
            }
            assert!(!names.iter().any(|name| key.is_some_and(|key| name == key)), "{how}: {names:?}");
            let found = notes.iter().find(|note| note.contains("no row")).map(String::as_str);
            assert_eq!(found, told, "{how}: {notes:?}");
        }
    }
}
