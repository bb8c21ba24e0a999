//! The engine and the jobs on a cluster, and the slot with the events moving to another node in the middle of retention.

use std::sync::Arc;
use std::time::Duration;

use watchpost_model::clock::{Clock, SystemClock};
use watchpost_model::connection::{Connection, DatabaseConnection, RedisAddress, RedisConnection};
use watchpost_model::ids::ConnectionId;
use watchpost_model::job::JobState;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::Nothing;
use watchpost_ops::door::operation;
use watchpost_redis::{EventStore, RedisTarget, TargetAddress};

use crate::door::desk;
use crate::faults::{archived_as, at_work, begin, notes, old_events, wait};
use crate::fleet::Cluster;

const EVENTS: usize = 3_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_that_moves_in_the_middle_of_retention_costs_nothing() {
    let cluster = Cluster::start().await;
    let (from, to) = (1, 2);
    // Any node leads to the one with the events.
    let (host, port) = ("127.0.0.1".to_owned(), cluster.nodes[0].port);
    let address = TargetAddress::Tcp { host: host.clone(), port, tls: None };
    let target = RedisTarget { address, ..RedisTarget::unix("", "{security}:") };
    let mut events = old_events(EVENTS);
    let store = EventStore::connect(&target, Arc::new(SystemClock)).await.expect("it accepts");
    store.write_events(&events).await.expect("they are written");
    let connection = Connection {
        id: ConnectionId::at(SystemClock.now()),
        name: "shop".to_owned(),
        redis: RedisConnection {
            address: RedisAddress::Tcp { host, port, tls: None },
            username: None,
            database: 0,
            prefix: "{security}:".to_owned(),
        },
        database: DatabaseConnection::Sqlite { path: None },
        production: false,
        observe: false,
    };
    let desk = desk(&cluster.home, Tenure::Owner, connection).await;
    desk.console.until_idle().await.expect("the engine works");
    let owner = &cluster.nodes[from];
    const CHANGE: &str = "for _, key in ipairs(redis.call('KEYS', '{security}:auth:*')) do \
        redis.call('HSET', key, 'actor', 'later') end";
    owner.ask(&["EVAL", CHANGE, "1", "{security}:events"]);
    events.iter_mut().for_each(|event| event.actor = Some("later".to_owned()));
    const OTHERS: &str = "for n = 1, 20000 do redis.call('SET', '{security}:other:' .. n, '') end";
    owner.ask(&["EVAL", OTHERS, "1", "{security}:events"]);

    let move_begins = cluster.prepare_to_move(from, to);
    let keys = || owner.ask(&["DBSIZE"]).parse::<usize>().expect("a number");
    let all = keys();
    let run = begin(&desk).await;
    wait("a part is removed", || keys() < all - 100).await;
    // One word, for the job goes on meanwhile.
    move_begins();
    cluster.move_keys(from, to, 1_000);
    let waiting = async {
        loop {
            let now = at_work(&desk, &run).await;
            if now.progress.step.contains("being moved") {
                return;
            }
            assert!(now.ended_at.is_none(), "it ended too early to be disturbed: {now:?}");
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("it says that it waits, and why");
    cluster.end_to_move(from, to);
    let run = desk.finish(run).await;
    assert_eq!(run.state, JobState::Done, "{:?}", run.error);
    assert!(notes(&run).contains("restarted or replaced"), "{:?}", run.report);
    let left = cluster.nodes[to].ask(&["--scan", "--pattern", "{security}:auth:*"]);
    assert_eq!(left, "", "all were due: {:?}", run.report);
    archived_as(&desk, &events).await;

    let health = desk.ask::<operation::redis_health>(Nothing {}).await.expect("it answers");
    let own = health.nodes.iter().find(|node| node.own).expect("one has the events");
    assert!(own.node.ends_with(&format!(":{}", cluster.nodes[to].port)), "{own:?}");
    desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_job_works_on_a_cluster() {
    let cluster = Cluster::start().await;
    let (host, port) = ("127.0.0.1".to_owned(), cluster.nodes[2].port);
    let connection = Connection {
        id: ConnectionId::at(SystemClock.now()),
        name: "shop".to_owned(),
        redis: RedisConnection {
            address: RedisAddress::Tcp { host, port, tls: None },
            username: None,
            database: 0,
            prefix: "{security}:".to_owned(),
        },
        database: DatabaseConnection::Sqlite { path: None },
        production: false,
        observe: false,
    };
    let desk = desk(&cluster.home, Tenure::Owner, connection).await;
    // Young and old ones, and one that an application wrote bare.
    let now = SystemClock.now();
    let young = format!("{{security}}:data:{}", now.timestamp_millis());
    cluster.nodes[1].ask(&["HSET", &young, "type", "record_exported", "actor", "anna"]);
    let address = TargetAddress::Tcp { host: "127.0.0.1".to_owned(), port, tls: None };
    let target = RedisTarget { address, ..RedisTarget::unix("", "{security}:") };
    let store = EventStore::connect(&target, Arc::new(SystemClock)).await.expect("it accepts");
    let mut old = old_events(200);
    // One that no script reads: it is removed by a transaction.
    let noise = (0_u64..110_000).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40);
    old[0].details = serde_json::json!(noise.collect::<Vec<_>>());
    store.write_events(&old).await.expect("they are written");
    desk.console.until_idle().await.expect("the engine works");
    wait("the bare one is taken in", || cluster.nodes[1].ask(&["HEXISTS", &young, "_q"]) == "1").await;
    desk.console.until_idle().await.expect("the engine works");

    let asked = serde_json::json!({ "patterns": ["{security}:auth:*", "nothing:*"] });
    let counts = desk.console.call_json(&desk.call, "redis_patterns", asked).await.expect("it counts");
    assert_eq!((&counts["asked"][0]["keys"], &counts["asked"][1]["keys"]), (&200.into(), &0.into()));
    assert_eq!(counts["asked"][0]["types"], "hash 200");

    // What is backed up, lost, and put back: small, and in windows under another name first.
    cluster.nodes[1].ask(&["SET", "{security}:note", "as it was"]);
    const LARGE: &str = "for n = 1, 20000 do redis.call('RPUSH', KEYS[1], n .. string.rep('x', 60)) end";
    cluster.nodes[1].ask(&["EVAL", LARGE, "1", "{security}:large"]);
    let folder = cluster.home.path().join("files");
    std::fs::create_dir_all(&folder).expect("the folder is ours");
    let file = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let export = serde_json::json!({ "path": file("events.ndjson"), "format": "ndjson" });
    let backup = serde_json::json!({ "path": file("redis.wpbackup") });
    let restore = serde_json::json!({ "path": file("redis.wpbackup") });
    let bench = serde_json::json!({ "ops": 2_000, "value_bytes": 100, "pipeline": 20 });
    let every_key = serde_json::json!({ "path": file("keys.ndjson"), "format": "ndjson", "all": true });
    for (name, request) in [
        ("export_run", export),
        ("export_run", every_key),
        ("backup_run", backup),
        ("retention_run", serde_json::json!({})),
        ("restore_run", restore),
        ("cleanup_run", serde_json::json!({})),
        ("optimize_run", serde_json::json!({})),
        ("aggregate_run", serde_json::json!({})),
        ("benchmark_run", bench),
    ] {
        let started = desk.console.call_json(&desk.call, name, request).await;
        let run = serde_json::from_value(started.unwrap_or_else(|error| panic!("{name}: {error}")));
        let run = desk.finish(run.unwrap_or_else(|error| panic!("{name}: {error}"))).await;
        assert_eq!(run.state, JobState::Done, "{name}: {:?}", run.error);
        match name {
            "backup_run" => {
                let lost = ["DEL", &young, "{security}:note", "{security}:large"];
                assert_eq!(cluster.nodes[1].ask(&lost), "3");
            }
            "restore_run" => {
                assert_eq!(cluster.nodes[1].ask(&["GET", "{security}:note"]), "as it was");
                assert_eq!(cluster.nodes[1].ask(&["LLEN", "{security}:large"]), "20000");
            }
            _ => {}
        }
    }
    let copy = serde_json::json!({ "path": file("redis.rdb"), "rdb": true });
    for name in ["backup_preview", "backup_run"] {
        let refused = desk.console.call_json(&desk.call, name, copy.clone()).await.unwrap_err();
        assert!(refused.message.contains("would hold one primary of it"), "{name}: {refused}");
    }
    let exported = std::fs::read_to_string(folder.join("events.ndjson")).expect("it was written");
    assert_eq!(exported.lines().count(), 201);
    let keys = std::fs::read_to_string(folder.join("keys.ndjson")).expect("it was written");
    for key in ["{security}:note", "{security}:large", young.as_str()] {
        assert!(keys.contains(&format!("\"key\":\"{key}\"")), "{key}");
    }
    assert_eq!(cluster.nodes[1].ask(&["EXISTS", &young]), "1");
    desk.console.close().await;
}
