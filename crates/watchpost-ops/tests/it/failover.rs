//! Retention in the middle of a failover: it waits with the reason, walks the new master anew, and ends as if nothing had
//! happened.

use std::sync::Arc;
use std::time::Duration;

use watchpost_model::clock::{Clock, SystemClock};
use watchpost_model::connection::{DatabaseConnection, HostPort, RedisAddress, RedisConnection};
use watchpost_model::event::Event;
use watchpost_model::job::{JobRun, JobState};
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{ConnectionDraft, ConnectionRef, Nothing, SecretInput};
use watchpost_ops::door::operation;
use watchpost_redis::{EventStore, RedisTarget, SentinelAddress, TargetAddress};

use crate::door::{Desk, desk};
use crate::faults::{archived_as, at_work, begin, old_events, wait};
use crate::fleet::{MASTER, Node, SENTINEL_PASSWORD, SERVER_PASSWORD, Set};
use crate::jobs::{figure, report};

const EVENTS: usize = 3_000;

fn sentinels(set: &Set) -> Vec<HostPort> {
    let at = |node: &Node| HostPort { host: "127.0.0.1".to_owned(), port: node.port };
    set.sentinels.iter().map(at).collect()
}

/// A console on the set, and events of last month that its engine has processed and applications have changed; among
/// many other keys, so that a walk takes a while. The replica has all of it.
async fn with_events(set: &Set) -> (Desk, Vec<Event>) {
    let mut events = old_events(EVENTS);
    let target = RedisTarget {
        address: TargetAddress::Sentinel(SentinelAddress {
            sentinels: sentinels(set),
            master: MASTER.to_owned(),
            username: None,
            password: Some(SENTINEL_PASSWORD.to_owned()),
            tls: None,
        }),
        password: Some(SERVER_PASSWORD.to_owned()),
        ..RedisTarget::unix("", "security:")
    };
    let store = EventStore::connect(&target, Arc::new(SystemClock)).await.expect("it accepts");
    store.write_events(&events).await.expect("they are written");
    let desk = desk(&set.home, Tenure::Owner, watchpost_ops::connections::local_connection()).await;
    let draft = ConnectionDraft {
        id: None,
        name: "shop".to_owned(),
        redis: RedisConnection {
            address: RedisAddress::Sentinel {
                sentinels: sentinels(set),
                master: MASTER.to_owned(),
                sentinel_username: None,
                tls: None,
            },
            username: None,
            database: 0,
            prefix: "security:".to_owned(),
        },
        database: DatabaseConnection::Sqlite { path: None },
        production: false,
        observe: false,
        redis_password: SecretInput::Set { value: SERVER_PASSWORD.to_owned() },
        sentinel_password: SecretInput::Set { value: SENTINEL_PASSWORD.to_owned() },
        database_password: SecretInput::Keep,
    };
    let check = desk.ask::<operation::connection_test>(draft.clone()).await.expect("it can be tried");
    assert!(check.ok, "{check:?}");
    let saved = desk.ask::<operation::connection_save>(draft).await.expect("it can be saved");
    let status = desk.ask::<operation::connection_open>(ConnectionRef { id: saved.id }).await;
    let status = status.expect("it opens");
    let redis = status.redis.expect("a connection is open");
    assert!(redis.detail.contains("master of mymaster by Sentinel"), "{redis:?}");
    desk.console.until_idle().await.expect("the engine works");
    let master = &set.servers[set.master()];
    const CHANGE: &str = "for _, key in ipairs(redis.call('KEYS', 'security:auth:*')) do \
        redis.call('HSET', key, 'actor', 'later') end";
    master.ask(&["EVAL", CHANGE, "0"]);
    events.iter_mut().for_each(|event| event.actor = Some("later".to_owned()));
    const OTHERS: &str = "for n = 1, 200000 do redis.call('SET', 'security:other:' .. n, '') end";
    master.ask(&["EVAL", OTHERS, "0"]);
    set.in_step().await;
    assert_eq!(events_left(set), EVENTS);
    (desk, events)
}

fn events_left(set: &Set) -> usize {
    set.servers[set.master()].ask(&["--scan", "--pattern", "security:auth:*"]).lines().count()
}

/// A part is gone.
async fn under_way(set: &Set) {
    let master = &set.servers[set.master()];
    let left = || master.ask(&["ZCARD", "security:index:authentication"]).parse().unwrap_or(EVENTS);
    wait("a part is removed", || left() < EVENTS).await;
}

/// Removals that the new master has not heard of come back with it; a run that was over before that leaves them to the
/// next one. Until the Sentinels have told the old master that it is none, any number of runs may be over so.
async fn to_the_end(desk: &Desk, set: &Set, mut run: JobRun) {
    let all = async {
        loop {
            run = desk.finish(run).await;
            assert_eq!(run.state, JobState::Done, "{:?}", run.error);
            let removed = figure(report(&run), "removed");
            assert!(removed <= EVENTS as u64, "what came back is counted once: {removed}");
            if events_left(set) == 0 {
                return;
            }
            run = begin(desk).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(90), all).await.expect("all were due");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_dies_in_the_middle_of_retention_costs_nothing() {
    let mut set = Set::start(3).await;
    let (desk, events) = with_events(&set).await;
    let run = begin(&desk).await;
    under_way(&set).await;
    let dead = set.master();
    set.servers[dead].kill();
    let waiting = async {
        loop {
            let now = at_work(&desk, &run).await;
            if now.progress.step.starts_with("waiting: ") {
                return;
            }
            assert!(now.ended_at.is_none(), "it ended too early to be cut off: {now:?}");
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("it says that it waits");
    wait("another server is the master", || set.master() != dead).await;
    to_the_end(&desk, &set, run).await;
    archived_as(&desk, &events).await;
    // Its own connection may not have noticed yet: it says so once and is made anew.
    let mut timer = tokio::time::interval(Duration::from_millis(100));
    let answered = tokio::time::timeout(Duration::from_secs(30), async {
        loop {
            timer.tick().await;
            if let Ok(health) = desk.ask::<operation::redis_health>(Nothing {}).await {
                return health;
            }
        }
    });
    let health = answered.await.expect("it answers again");
    let at = format!("127.0.0.1:{}, master of mymaster by Sentinel", set.servers[set.master()].port);
    assert_eq!(health.node, at);
    desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ordered_failover_in_the_middle_of_retention_costs_nothing() {
    let set = Set::start(1).await;
    let (desk, events) = with_events(&set).await;
    let before = set.master();
    let run = begin(&desk).await;
    under_way(&set).await;
    set.fail_over().await;
    wait("another server is the master", || set.master() != before).await;
    to_the_end(&desk, &set, run).await;
    archived_as(&desk, &events).await;

    set.in_step().await;
    // The engine has followed, too: it takes in what an application writes to the new master.
    let bare = format!("security:data:{}", SystemClock.now().timestamp_millis());
    let master = &set.servers[set.master()];
    master.ask(&["HSET", &bare, "type", "record_exported", "actor", "anna"]);
    wait("it is on the stream", || master.ask(&["HEXISTS", &bare, "_q"]) == "1").await;
    desk.console.until_idle().await.expect("the engine works");
    assert_eq!(master.ask(&["XLEN", "security:events"]), "0", "processed and acknowledged");
    desk.console.close().await;
}
