//! A master that Sentinels know: found, followed through failovers, and told apart from what only looks like one.

use std::sync::Arc;
use std::time::Duration;

use watchpost_model::clock::SystemClock;
use watchpost_model::connection::HostPort;
use watchpost_model::connection::TlsFiles;
use watchpost_model::diagnosis::StepState;
use watchpost_model::event::Category;
use watchpost_redis::EventStore;
use watchpost_redis::HealthProbe;
use watchpost_redis::RedisError;
use watchpost_redis::RedisTarget;
use watchpost_redis::SentinelAddress;
use watchpost_redis::TargetAddress;
use watchpost_redis::diagnose;

use crate::diagnose::certificates;
use crate::fleet::MASTER;
use crate::fleet::Node;
use crate::fleet::SENTINEL_PASSWORD;
use crate::fleet::SERVER_PASSWORD;
use crate::fleet::Set;
use crate::fleet::wait;
use crate::port::free_port;
use crate::support::PREFIX;
use crate::support::old_event;

fn target(sentinels: &[u16]) -> RedisTarget {
    let at = |port: &u16| HostPort { host: "127.0.0.1".to_owned(), port: *port };
    RedisTarget {
        address: TargetAddress::Sentinel(SentinelAddress {
            sentinels: sentinels.iter().map(at).collect(),
            master: MASTER.to_owned(),
            username: None,
            password: Some(SENTINEL_PASSWORD.to_owned()),
            tls: None,
        }),
        password: Some(SERVER_PASSWORD.to_owned()),
        ..RedisTarget::unix("", PREFIX)
    }
}

fn address(target: &mut RedisTarget) -> &mut SentinelAddress {
    match &mut target.address {
        TargetAddress::Sentinel(address) => address,
        other => panic!("not by Sentinel: {other}"),
    }
}

fn ports(set: &Set) -> Vec<u16> {
    set.sentinels.iter().map(|sentinel| sentinel.port).collect()
}

async fn connect(target: &RedisTarget) -> Result<EventStore, RedisError> {
    EventStore::connect(target, Arc::new(SystemClock)).await
}

/// Asks until the answer is one; what stands in the way meanwhile must say that it will pass.
pub(crate) async fn until_ok<T>(mut ask: impl AsyncFnMut() -> Result<T, RedisError>) -> T {
    let mut timer = tokio::time::interval(Duration::from_millis(20));
    let trying = tokio::time::timeout(Duration::from_secs(60), async {
        loop {
            timer.tick().await;
            match ask().await {
                Ok(done) => return done,
                Err(error) => assert!(error.is_transient(), "{error:?}"),
            }
        }
    });
    trying.await.expect("the failover ends")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_connection_follows_the_master() {
    let mut set = Set::start(3).await;
    // One of them is down, and nobody minds.
    set.sentinels[2].kill();
    let store = connect(&target(&ports(&set))).await.unwrap();
    store.ensure_group().await.unwrap();
    let mut probe = HealthProbe::new(store.clone());
    let first = set.master();
    let mut ids = Vec::new();
    for round in 0..3 {
        let before = set.master();
        let at = format!("127.0.0.1:{}, master of {MASTER} by Sentinel", set.servers[before].port);
        let event = old_event(1, Category::Authentication, round);
        until_ok(async || store.write_events(std::slice::from_ref(&event)).await).await;
        ids.push(event.id);
        let (health, _) = until_ok(async || probe.sample(None).await).await;
        assert_eq!((health.node.as_str(), health.role.as_str()), (at.as_str(), "master"));
        if round == 2 {
            break;
        }
        set.in_step().await;
        let run_id = store.run_id().await.unwrap();
        if round == 0 {
            set.fail_over().await;
        } else {
            set.servers[before].kill();
        }
        wait("there is another master", || set.master() != before).await;
        until_ok(async || {
            let now = store.run_id().await?;
            if now == run_id { Err(RedisError::Loading) } else { Ok(()) }
        })
        .await;
        if round == 0 {
            set.in_step().await;
        }
    }
    assert_eq!(set.master(), first, "there and back again");
    let items = until_ok(async || store.read_new("one", 10, 0).await).await;
    let read: Vec<_> = items.iter().map(|item| item.event.as_ref().unwrap().id).collect();
    assert_eq!(read, ids, "what was in step is there after both");
    let acked: Vec<&str> = items.iter().map(|item| item.stream_id.as_str()).collect();
    store.ack(&acked).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_the_sentinels_left_is_left_although_it_answers() {
    let set = Set::start(1).await;
    let store = connect(&target(&ports(&set))).await.unwrap();
    store.ping().await.unwrap();
    let (old, new) = (&set.servers[0], &set.servers[1]);
    assert!(store.node().contains(&old.port.to_string()));
    // As if the old one were cut off from everybody but from us: no connection breaks.
    new.ask(&["REPLICAOF", "NO", "ONE"]);
    set.sentinels[0].ask(&["SENTINEL", "REMOVE", MASTER]);
    set.sentinels[0].ask(&["SENTINEL", "MONITOR", MASTER, "127.0.0.1", &new.port.to_string(), "1"]);
    until_ok(async || {
        let event = old_event(1, Category::Authentication, 1);
        store.write_events(&[event]).await?;
        if store.node().contains(&new.port.to_string()) { Ok(()) } else { Err(RedisError::Loading) }
    })
    .await;
    let event = old_event(1, Category::ApiUsage, 2);
    store.write_events(std::slice::from_ref(&event)).await.unwrap();
    assert_eq!(new.ask(&["ZCARD", "security:index:api_usage"]), "1");
    assert_eq!(old.ask(&["ZCARD", "security:index:api_usage"]), "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_is_no_master_whoever_says_so() {
    let set = Set::start(1).await;
    let store = connect(&target(&ports(&set))).await.unwrap();
    store.ping().await.unwrap();
    // A failover that the Sentinel has not begun: the server is demoted under its feet.
    set.sentinels[0].ask(&["SENTINEL", "SET", MASTER, "down-after-milliseconds", "600000"]);
    let (old, other) = (&set.servers[0], &set.servers[1]);
    other.ask(&["REPLICAOF", "NO", "ONE"]);
    old.ask(&["REPLICAOF", "127.0.0.1", &other.port.to_string()]);
    let event = old_event(1, Category::Authentication, 1);
    let error = store.write_events(std::slice::from_ref(&event)).await.unwrap_err();
    assert!(matches!(error, RedisError::NoMaster { .. }), "{error:?}");
    let error = connect(&target(&ports(&set))).await.err().expect("nobody is the master");
    assert!(error.is_transient() && error.to_string().contains("a failover is under way"), "{error:?}");
    assert_eq!(old.ask(&["ZCARD", "security:index:authentication"]), "0");
}

#[tokio::test]
async fn what_is_wrong_with_sentinels_is_said() {
    let set = Set::start(1).await;
    let good = target(&ports(&set));
    let steps = diagnose(&good).await;
    let states: Vec<(&str, StepState)> = steps.iter().map(|step| (step.name.as_str(), step.state)).collect();
    let all = ["sentinels", "resolve", "connect", "login", "rights", "version"];
    assert_eq!(states, all.map(|name| (name, StepState::Ok)), "{steps:?}");
    assert!(steps[0].detail.contains(&format!("name 127.0.0.1:{}", set.servers[0].port)), "{steps:?}");

    let nobody = free_port();
    let mut partly = good.clone();
    address(&mut partly).sentinels.push(HostPort { host: "127.0.0.1".to_owned(), port: nobody });
    let steps = diagnose(&partly).await;
    assert_eq!(steps[0].state, StepState::Warning, "{steps:?}");
    assert!(steps[0].detail.contains(&format!("127.0.0.1:{nobody}: no server answers")), "{steps:?}");
    connect(&partly).await.unwrap();

    for (change, words, is_transient) in [
        (
            (|a: &mut SentinelAddress| a.password = None) as fn(&mut SentinelAddress),
            "requires a password",
            false,
        ),
        (|a| a.password = Some("wrong".to_owned()), "refused the user name or password", false),
        (|a| a.master = "other".to_owned(), "know no master called \"other\"", false),
        (|a| a.sentinels[0].port = 1, "127.0.0.1:1: no server answers", true),
    ] {
        let mut bad = good.clone();
        change(address(&mut bad));
        let error = connect(&bad).await.err().expect("it cannot work");
        assert!(error.to_string().contains(words), "{words}: {error}");
        assert_eq!(error.is_transient(), is_transient, "{error}");
        let steps = diagnose(&bad).await;
        assert_eq!(steps[0].state, StepState::Failed, "{words}: {steps:?}");
        assert!(steps[0].detail.contains(words) && steps[0].hint.is_some(), "{words}: {steps:?}");
        assert_eq!(steps.len(), all.len(), "{steps:?}");
        assert!(steps[1..].iter().all(|step| step.state == StepState::Skipped), "{steps:?}");
    }
    let mut swapped = good.clone();
    swapped.password = Some(SENTINEL_PASSWORD.to_owned());
    let error = connect(&swapped).await.err().expect("that is not the password of the server");
    assert!(matches!(error, RedisError::WrongPassword), "{error:?}");
    assert!(!format!("{good:?}").contains("of the se"), "passwords are not shown: {good:?}");
}

#[tokio::test]
async fn sentinels_and_master_are_reached_by_tls() {
    let home = tempfile::Builder::new().prefix("wp-tls-").tempdir().unwrap();
    certificates(home.path());
    let path = |name: &str| home.path().join(name).display().to_string();
    let (cert, key, ca) = (path("good.pem"), path("good.key"), path("ca.pem"));
    let (server, sentinel) = (free_port(), free_port());
    let tls = ["--port", "0", "--tls-cert-file", &cert, "--tls-key-file", &key, "--tls-ca-cert-file", &ca];
    let port = server.to_string();
    let words = [&tls[..], &["--tls-port", &port, "--bind", "127.0.0.1", "--save", ""]].concat();
    let _server = Node::start(home.path(), server, None, &words);
    let conf = format!("tls-replication yes\nsentinel monitor {MASTER} 127.0.0.1 {server} 1\n");
    std::fs::write(home.path().join("sentinel.conf"), conf).unwrap();
    let port = sentinel.to_string();
    let words =
        [&["sentinel.conf", "--sentinel"], &tls[..], &["--tls-port", &port, "--bind", "127.0.0.1"]].concat();
    let _sentinel = Node::start(home.path(), sentinel, None, &words);
    let mut target = RedisTarget { password: None, ..target(&[sentinel]) };
    address(&mut target).password = None;
    let files = |ca: &str| {
        let file = |name: &str| Some(path(name));
        Some(TlsFiles { ca: file(ca), cert: file("client.pem"), key: file("client.key") })
    };
    address(&mut target).tls = files("ca.pem");
    let store = until_ok(async || connect(&target).await).await;
    store.ping().await.unwrap();
    address(&mut target).tls = files("other.pem");
    let error = connect(&target).await.err().expect("another authority signed it");
    assert!(error.to_string().contains("TLS handshake failed"), "{error}");
}
