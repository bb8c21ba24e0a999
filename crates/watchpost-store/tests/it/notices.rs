//! Notices: on PostgreSQL a change of one console is heard by another at once; SQLite tells nobody.

use std::time::Duration;

use serde_json::json;
use watchpost_store::{Notices, Store, StoreError, Tag};

use crate::support::{World, draft};

/// Longer than any of it takes.
const BOUND: Duration = Duration::from_secs(60);

async fn hears(store: &Store) -> Notices {
    store.notices().await.unwrap().expect("a server has notices")
}

async fn until(notices: &mut Notices, tag: Tag) {
    tokio::time::timeout(BOUND, async {
        while notices.next().await.expect("the connection is there") != tag {}
    })
    .await
    .expect("it was told");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_heard_by_its_kind() {
    let Some(world) = World::postgres().await else { return };
    let other = world.another().await;
    let mut notices = hears(&other).await;
    world.store.audit_append(draft("incident_take")).await.unwrap();
    let first = tokio::time::timeout(BOUND, notices.next()).await.unwrap().unwrap();
    assert_eq!(first, Tag::Audit, "the head of the trail moved, and nothing else did");
    world
        .store
        .setting_put("test", None, &json!("a secret of the setting"), draft("settings_put"))
        .await
        .unwrap();
    until(&mut notices, Tag::Settings).await;
    drop(notices);
    other.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_whose_connection_is_ended_says_so_and_another_one_hears() {
    let Some(world) = World::postgres().await else { return };
    let other = world.another().await;
    let mut notices = hears(&other).await;
    world
        .tamper(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND query LIKE 'LISTEN%'",
        )
        .await;
    let lost = tokio::time::timeout(BOUND, notices.next()).await.expect("it does not wait for ever");
    assert!(matches!(lost, Err(StoreError::Unavailable(_))), "{lost:?}");
    let mut again = hears(&other).await;
    world.store.audit_append(draft("incident_take")).await.unwrap();
    until(&mut again, Tag::Audit).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_has_no_notices() {
    let world = World::sqlite().await;
    assert!(world.store.notices().await.unwrap().is_none());
}
