//! A cluster of three primaries: the right one is found by any, followed when the slot moves, and judged with the others.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use watchpost_model::clock::SystemClock;
use watchpost_model::connection::HostPort;
use watchpost_model::contain::ContainKind;
use watchpost_model::diagnosis::StepState;
use watchpost_model::event::Category;
use watchpost_model::event::Event;
use watchpost_model::health::Verdict;
use watchpost_model::health_policy::HealthPolicy;
use watchpost_redis::BlockRemoved;
use watchpost_redis::BlockWritten;
use watchpost_redis::ContainRemoved;
use watchpost_redis::ContainWritten;
use watchpost_redis::EventStore;
use watchpost_redis::HealthProbe;
use watchpost_redis::RedisError;
use watchpost_redis::RedisTarget;
use watchpost_redis::TargetAddress;
use watchpost_redis::cleanup::Leftovers;
use watchpost_redis::cleanup::leftovers;
use watchpost_redis::diagnose;
use watchpost_redis::health_of_the_rest;
use watchpost_redis::optimize::Mode;
use watchpost_redis::stats::stats;

use crate::blocks::block;
use crate::contain::containment;
use crate::fleet::Cluster;
use crate::fleet::SLOT;
use crate::sentinel::until_ok;
use crate::support::now;
use crate::support::old_event;

fn target(port: u16, prefix: &str) -> RedisTarget {
    let address = TargetAddress::Tcp { host: "127.0.0.1".to_owned(), port, tls: None };
    RedisTarget { address, ..RedisTarget::unix("", prefix) }
}

async fn connect(port: u16) -> EventStore {
    let target = target(port, "{security}:");
    EventStore::connect(&target, Arc::new(SystemClock)).await.expect("any node will do")
}

fn events(n: i64) -> Vec<Event> {
    (0..n).map(|n| old_event(1, Category::Authentication, n)).collect()
}

async fn counted(store: &EventStore) -> Result<u64, RedisError> {
    let counts = stats(store, &["{security}:auth:*".to_owned()], &|_| (), CancellationToken::new()).await?;
    Ok(counts.asked[0].keys)
}

/// Why something fails with a server that is reached. A connection that the server ended meanwhile is told as that, once for
/// each connection, for nobody knows what became of the command; the next call makes another one and says what is wrong.
async fn connected_error(mut ask: impl AsyncFnMut() -> Result<(), RedisError>) -> RedisError {
    const CONNECTIONS: usize = 4;
    for _ in 0..CONNECTIONS {
        match ask().await.expect_err("its keys are on two nodes") {
            RedisError::ConnectionLost(_) => {}
            error => return error,
        }
    }
    ask().await.expect_err("its keys are on two nodes")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_node_leads_to_the_one_with_the_keys() {
    let cluster = Cluster::start().await;
    let at = format!("127.0.0.1:{}, primary of slot {SLOT} of a cluster", cluster.nodes[1].port);
    for (n, node) in cluster.nodes.iter().enumerate() {
        let store = connect(node.port).await;
        let written = store.write_events(&events(20)[n * 5..n * 5 + 5]).await.unwrap();
        assert_eq!((written.written, store.node().as_str()), (5, at.as_str()));
        let steps = diagnose(&target(node.port, "{security}:")).await;
        assert!(
            steps.iter().all(|step| matches!(step.state, StepState::Ok | StepState::Warning)),
            "{steps:?}"
        );
        let detail = &steps.last().unwrap().detail;
        assert!(detail.contains(&format!("slot {SLOT} is served by 127.0.0.1:{}", cluster.nodes[1].port)));
    }
    let store = connect(cluster.nodes[0].port).await;
    assert_eq!(counted(&store).await.unwrap(), 15);
    assert_eq!(cluster.nodes[1].ask(&["ZCARD", "{security}:index:authentication"]), "15");

    let many = target(cluster.nodes[0].port, "security:");
    let error = EventStore::connect(&many, Arc::new(SystemClock)).await.err().expect("it is refused");
    assert!(matches!(error, RedisError::ManySlots(_)) && !error.is_transient(), "{error:?}");
    let last = diagnose(&many).await.pop().unwrap();
    assert_eq!((last.name.as_str(), last.state), ("version", StepState::Failed), "{last:?}");
    assert!(last.hint.unwrap().contains("{security}:"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_is_that_of_all_primaries_and_of_each() {
    let mut cluster = Cluster::start().await;
    let store = connect(cluster.nodes[0].port).await;
    store.ensure_group().await.unwrap();
    let mut probe = HealthProbe::new(store.clone());
    probe.sample(None).await.unwrap();
    let (health, sample) = probe.sample(None).await.unwrap();
    assert_eq!(health.nodes.len(), 3);
    let own: Vec<&str> = health.nodes.iter().filter(|node| node.own).map(|node| node.node.as_str()).collect();
    assert_eq!(own, [format!("127.0.0.1:{}", cluster.nodes[1].port)]);
    assert_eq!(health.nodes.iter().map(|node| node.slots).sum::<u32>(), 16_384);
    let of = |metrics: &[watchpost_model::health::Metric], name: &str| {
        metrics.iter().find(|metric| metric.name == name).and_then(|metric| metric.value)
    };
    let each = health.nodes.iter().filter_map(|node| of(&node.metrics, "memory_used_bytes"));
    assert_eq!(sample.memory_bytes, Some(each.sum()), "{health:?}");
    assert_eq!(of(&health.metrics, "cluster_slots_unserved"), Some(0.0));
    assert!(of(&health.metrics, "ops_per_s").is_some_and(|rate| rate > 0.0), "{health:?}");

    cluster.nodes[2].kill();
    let (health, _) = probe.sample(None).await.unwrap();
    let dead = health.nodes.iter().find(|node| node.problem.is_some()).expect("it does not answer");
    assert_eq!((dead.verdict, health.verdict), (Verdict::Critical, Verdict::Critical));
    assert!(dead.node.contains(&cluster.nodes[2].port.to_string()), "{dead:?}");
    assert_eq!(of(&health.metrics, "memory_used_bytes"), None, "a part is no sum");
    for metric in health.metrics.iter().filter(|metric| metric.value.is_none()) {
        assert_ne!(metric.verdict, Verdict::Ok, "{metric:?}");
    }
    let evicted = health.metrics.iter().find(|metric| metric.name == "evicted_keys").unwrap();
    assert_eq!((evicted.value, evicted.verdict), (None, Verdict::Unknown), "{evicted:?}");
    assert!(evicted.basis.contains(&dead.node), "{evicted:?}");
    let lost = health.metrics.iter().find(|metric| metric.name == "cluster_slots_unserved").unwrap();
    assert_eq!((lost.value, lost.verdict), (Some(f64::from(dead.slots)), Verdict::Critical), "{lost:?}");
    assert!(lost.basis.contains("lost: 127.0.0.1"), "{lost:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_seed_is_passed_over_and_a_dead_primary_is_told() {
    let mut cluster = Cluster::start().await;
    let ports: Vec<u16> = cluster.nodes.iter().map(|node| node.port).collect();
    cluster.nodes[0].kill();
    let also =
        |ports: &[u16]| ports.iter().map(|&port| HostPort { host: "127.0.0.1".into(), port }).collect();
    let mut several = target(ports[0], "{security}:");
    let alone = EventStore::connect(&several, Arc::new(SystemClock)).await.err().expect("nothing listens");
    assert!(matches!(alone, RedisError::Refused { .. }), "{alone:?}");
    several.also = also(&ports[1..]);
    let store = EventStore::connect(&several, Arc::new(SystemClock)).await.expect("another node answers");
    assert!(store.node().contains(&ports[1].to_string()), "{}", store.node());
    assert!(store.cluster_nodes().iter().any(|at| at.port == ports[2]), "{:?}", store.cluster_nodes());
    let steps = diagnose(&several).await;
    assert!(steps.iter().any(|step| step.name == "login" && step.state != StepState::Failed), "{steps:?}");

    // The one with the keys goes as well.
    cluster.nodes[1].kill();
    let (policy, at) = (HealthPolicy::default(), now());
    let error = EventStore::connect(&several, Arc::new(SystemClock)).await.err().expect("the keys are away");
    let words = format!("slot {SLOT}: its primary 127.0.0.1:{} does not answer", ports[1]);
    assert!(error.is_transient() && error.to_string().contains(&words), "not the dead seed: {error}");
    // Also where it was reached before.
    let error = counted(&store).await.expect_err("the keys are away");
    let error = if error.to_string().contains(&words) { error } else { counted(&store).await.unwrap_err() };
    assert!(error.to_string().contains(&words), "{error}");
    let (health, sample) = health_of_the_rest(&several, at, &policy).await.expect("one node answers");
    assert_eq!((health.nodes.len(), health.verdict, sample.backlog), (3, Verdict::Critical, None));
    assert_eq!(health.nodes.iter().filter(|node| node.problem.is_none()).count(), 1, "{health:?}");
    assert!(health.node.contains(&format!("slot {SLOT}")), "{health:?}");
    several.also = also(&[]);
    assert!(health_of_the_rest(&several, at, &policy).await.is_none(), "nobody tells");
}

/// Applications may write any name into the stream and the indexes; the keys behind these lie in other slots, of this
/// primary and of others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_in_other_slots_stop_nothing() {
    let cluster = Cluster::start().await;
    let store = connect(cluster.nodes[0].port).await;
    store.ensure_group().await.unwrap();
    let events = events(10);
    store.write_events(&events[..5]).await.unwrap();
    let owner = &cluster.nodes[1];
    let names: Vec<String> = (0..12).map(|n| format!("other-{n}:auth:1700000000000")).collect();
    for name in &names {
        owner.ask(&["XADD", "{security}:events", "*", "key", name]);
        assert_eq!(owner.ask(&["ZADD", "{security}:index:authentication", "1", name]), "1");
    }
    store.write_events(&events[5..]).await.unwrap();
    let mut items = Vec::new();
    while items.len() < 22 {
        let more = store.read_new("one", 500, 0).await.unwrap();
        assert!(!more.is_empty(), "{} were read", items.len());
        items.extend(more);
    }
    assert_eq!(items.iter().filter(|item| item.event.is_ok()).count(), 10);
    let told: Vec<(&str, &str)> = items
        .iter()
        .filter_map(|item| Some((item.key.as_str(), item.event.as_ref().err()?.as_str())))
        .collect();
    let expect: Vec<(&str, &str)> =
        names.iter().map(|name| (name.as_str(), "the key is not one of an event")).collect();
    assert_eq!(told, expect);
    assert_eq!(store.quarantined(100).await.unwrap().len(), 12);

    let later = now() + chrono::Duration::days(1);
    for mode in [Mode::Preview, Mode::Run] {
        let found = leftovers(&store, later, mode, CancellationToken::new()).await.unwrap();
        assert_eq!((found.unindexed, found.quarantined, found.unreadable), (12, 12, 0), "{mode:?}");
    }
    assert_eq!(owner.ask(&["ZCARD", "{security}:index:authentication"]), "10");
    let found = leftovers(&store, later, Mode::Run, CancellationToken::new()).await.unwrap();
    assert_eq!(found, Leftovers::default());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocks_and_containments_lie_in_the_slot_of_the_events() {
    let cluster = Cluster::start().await;
    let store = connect(cluster.nodes[2].port).await;
    for target in ["203.0.113.7", "2001:db8::1", "198.51.100.0/24"] {
        let block = block(target, 10);
        let written = store.put_block(&block).await.unwrap();
        assert!(matches!(written, BlockWritten::Written { .. }), "{target}: {written:?}");
        assert_eq!(cluster.nodes[1].ask(&["EXISTS", &store.block_key(block.target)]), "1");
        assert_eq!(store.list_blocks().await.unwrap().len(), 1);
        assert_eq!(store.remove_block(&block).await.unwrap(), BlockRemoved::Removed);
    }
    for (kind, target) in [
        (ContainKind::Session, "s:{1}"),
        (ContainKind::User, "{anna}"),
        (ContainKind::Service, "shop"),
        (ContainKind::Limit, "203.0.113.7"),
    ] {
        let put = containment(kind, target, 10);
        let written = store.put_containment(&put).await.unwrap();
        assert!(matches!(written, ContainWritten::Written { .. }), "{target}: {written:?}");
        assert_eq!(cluster.nodes[1].ask(&["EXISTS", &store.containment_key(kind, target)]), "1");
        assert_eq!(store.list_containments(kind).await.unwrap().len(), 1);
        assert_eq!(store.remove_containment(&put).await.unwrap(), ContainRemoved::Removed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_that_moves_is_waited_for_and_followed() {
    let cluster = Cluster::start().await;
    let store = connect(cluster.nodes[2].port).await;
    store.ensure_group().await.unwrap();
    let events = events(300);
    store.write_events(&events[..200]).await.unwrap();
    assert_eq!(counted(&store).await.unwrap(), 200);

    cluster.prepare_to_move(1, 0)();
    cluster.move_keys(1, 0, 120);
    for error in [
        connected_error(async || store.write_events(&events[200..]).await.map(drop)).await,
        connected_error(async || counted(&store).await.map(drop)).await,
    ] {
        assert!(matches!(error, RedisError::NoMaster { .. }) && error.is_transient(), "{error:?}");
        assert!(error.to_string().contains("being moved"), "{error}");
    }
    cluster.end_to_move(1, 0);
    until_ok(async || store.write_events(&events[200..]).await).await;
    assert!(store.node().contains(&cluster.nodes[0].port.to_string()), "{}", store.node());
    assert_eq!(until_ok(async || counted(&store).await).await, 300);
    let mut read = Vec::new();
    while read.len() < events.len() {
        let items = until_ok(async || store.read_new("one", 500, 0).await).await;
        assert!(!items.is_empty(), "{} were read", read.len());
        read.extend(items.into_iter().map(|item| item.event.unwrap().id));
    }
    assert_eq!(read, events.iter().map(|event| event.id).collect::<Vec<_>>());

    // Back again, seen by nothing but walks.
    cluster.prepare_to_move(0, 1)();
    cluster.end_to_move(0, 1);
    assert_eq!(until_ok(async || counted(&store).await).await, 300);
    assert!(store.node().contains(&cluster.nodes[1].port.to_string()), "{}", store.node());
}
