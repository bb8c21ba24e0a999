//! A console that only observes somebody's Redis: it has the events and the incidents, and the Redis has nothing of it.

use watchpost_model::audit::AuditOutcome;
use watchpost_model::clock::{Clock, SystemClock};
use watchpost_model::connection::{Connection, DatabaseConnection, RedisAddress, RedisConnection};
use watchpost_model::ids::ConnectionId;
use watchpost_model::job::JobState;
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{BackupRequest, Nothing, RestoreRequest, RetentionRequest};
use watchpost_ops::door::operation;
use watchpost_ops::error::ErrorCode;

use crate::door::{desk, folder};

#[tokio::test]
async fn an_observer_archives_every_event_and_is_refused_what_writes() {
    let (home, other) = (folder(), folder());
    let owner = desk(&home, Tenure::Owner, local_connection()).await;
    owner.fill().await;
    let connection = Connection {
        id: ConnectionId::at(SystemClock.now()),
        name: "watched".to_owned(),
        redis: RedisConnection {
            address: RedisAddress::Unix {
                path: home.path().join("data/workspace/redis.sock").to_string_lossy().into_owned(),
            },
            username: None,
            database: 0,
            prefix: "security:".to_owned(),
        },
        database: DatabaseConnection::Sqlite { path: None },
        production: false,
        observe: true,
    };
    let watcher = desk(&other, Tenure::Owner, connection).await;
    watcher.console.until_idle().await.expect("its engine works");
    assert_eq!(watcher.events().await, owner.events().await, "it has every event, each once");
    assert!(watcher.first_incident().await.incident.number > 0);

    let retention = watcher.ask::<operation::retention_run>(RetentionRequest::default()).await.unwrap_err();
    let cleanup = watcher.ask::<operation::cleanup_run>(Nothing {}).await.unwrap_err();
    let file = home.path().join("store.wpbackup").to_string_lossy().into_owned();
    let backup = BackupRequest { path: file.clone(), force: false, rdb: false, encryption: None };
    let taken = owner.ask::<operation::backup_run>(backup).await.expect("it starts");
    assert_eq!(owner.finish(taken).await.state, JobState::Done);
    let restore = RestoreRequest { path: file, rehearse_only: false, replace: false, key: None };
    let refused = watcher.ask::<operation::restore_run>(restore.clone()).await.unwrap_err();
    let rehearsal = RestoreRequest { rehearse_only: true, ..restore };
    let rehearsed = watcher.ask::<operation::restore_run>(rehearsal).await.expect("it writes nothing here");
    assert_eq!(watcher.finish(rehearsed).await.state, JobState::Done);
    for error in [retention, cleanup, refused] {
        assert_eq!(error.code, ErrorCode::Precondition, "{error}");
        assert!(error.to_string().contains("only observes"), "{error}");
    }
    assert_eq!(
        watcher.trail("retention_run", AuditOutcome::Failure).await,
        1,
        "that it was tried stands there"
    );
    let preview = watcher.ask::<operation::retention_preview>(RetentionRequest::default()).await;
    assert!(preview.is_ok(), "what only counts works: {preview:?}");
    watcher.ask::<operation::redis_health>(Nothing {}).await.expect("health can be seen");
    watcher.console.close().await;
    owner.console.close().await;
}
