//! Two consoles on one PostgreSQL: what one changes the other learns by a notice, long before it would have asked.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use watchpost_model::access::Role;
use watchpost_model::clock::{Clock, SystemClock};
use watchpost_model::connection::{Connection, RedisAddress, RedisConnection};
use watchpost_model::ids::ConnectionId;
use watchpost_ops::Paths;
use watchpost_ops::console::{Console, ConsoleOptions, REDIS_WAIT, Tenure};
use watchpost_ops::contract::{Nothing, SettingsChange, Tag};
use watchpost_ops::door::{Call, operation};

use crate::door::{Desk, caller, folder};
use crate::server::Server;

/// Longer than any of it takes, and much shorter than an hour.
const BOUND: Duration = Duration::from_secs(60);

async fn open(home: &TempDir, server: &Server, tenure: Tenure) -> Desk {
    let clock = Arc::new(SystemClock);
    let connection = Connection {
        id: ConnectionId::at(clock.now()),
        name: "team".to_owned(),
        redis: RedisConnection {
            // Nobody is there, and nothing of this needs anybody.
            address: RedisAddress::Unix { path: home.path().join("none.sock").display().to_string() },
            username: None,
            database: 0,
            prefix: "security:".to_owned(),
        },
        database: server.database(),
        production: false,
        observe: false,
    };
    let console = Console::start(ConsoleOptions {
        paths: Paths::below(home.path()).expect("the folder is ours"),
        clock,
        tenure,
        offer_demo: false,
        remember: false,
        ask_every: Duration::from_secs(3600),
        redis_wait: REDIS_WAIT,
    })
    .expect("an empty folder holds no bad connections");
    console.open(connection).await.expect("the database is there");
    Desk { console, call: Call { caller: caller(Role::Admin), confirmation: None, reason: None } }
}

async fn change(desk: &Desk, organisation: &str) {
    let settings = desk.ask::<operation::settings_get>(Nothing {}).await.expect("settings can be read");
    let change = SettingsChange {
        organisation: organisation.to_owned(),
        retention: settings.retention,
        reason: Some("a test".to_owned()),
    };
    desk.ask::<operation::settings_put>(change).await.expect("settings can be changed");
}

/// Waits until it is announced that settings changed.
async fn told(changes: &mut Receiver<BTreeSet<Tag>>) {
    let settings = async {
        loop {
            match changes.recv().await {
                Ok(tags) if tags.contains(&Tag::Settings) => return,
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => panic!("the console is there"),
            }
        }
    };
    tokio::time::timeout(BOUND, settings).await.expect("the other console is told");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_heard_by_the_other_console_also_after_its_listener_was_lost() {
    let Some(server) = Server::start().await else { return };
    let (home, other_home) = (folder(), folder());
    let desk = open(&home, &server, Tenure::Guest).await;
    let other = open(&other_home, &server, Tenure::Owner).await;
    let mut changes = other.console.changes();

    // The first one may be found by the look when the listener was made; those after it are heard.
    for name in ["One", "Two", "Three"] {
        change(&desk, name).await;
        told(&mut changes).await;
    }
    let ended = server
        .tell("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
        .expect("the account may");
    assert_eq!(ended, "t", "one console listens");
    for name in ["Four", "Five", "Six"] {
        change(&desk, name).await;
        told(&mut changes).await;
    }
    let status = other.ask::<operation::workspace_status>(Nothing {}).await.expect("a status is told");
    assert_eq!(status.database.expect("it is open").detail, "PostgreSQL", "its notices are heard again");
    desk.console.close().await;
    other.console.close().await;
}
