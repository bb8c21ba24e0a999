//! A PostgreSQL that goes away: whoever asks is told within seconds, and everything goes on when it is back.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use watchpost_model::clock::SystemClock;
use watchpost_store::{DatabaseTarget, Store, StoreError};

use crate::support::{draft, postgres_database};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Open,
    /// Connections are cut, and new ones at once.
    Cut,
    /// Nothing is cut and nothing passes: a network that swallows packets.
    Silent,
}

/// Between the store and the server.
struct Proxy {
    port: u16,
    way: watch::Sender<Way>,
    tasks: JoinSet<()>,
}

impl Proxy {
    async fn new(socket: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (way, seen) = watch::channel(Way::Open);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut passing = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                passing.spawn(pass(client, socket.clone(), seen.clone()));
            }
        });
        Self { port, way, tasks }
    }

    fn is(&self, way: Way) {
        self.way.send_replace(way);
    }
}

async fn pass(mut client: tokio::net::TcpStream, socket: PathBuf, mut way: watch::Receiver<Way>) {
    let now = *way.borrow();
    if now == Way::Cut {
        return;
    }
    if now == Way::Silent {
        // Held, so that nobody is told anything; a proxy does not end before its test.
        way.wait_for(|way| *way == Way::Cut).await.ok();
        return;
    }
    let Ok(mut server) = UnixStream::connect(socket).await else { return };
    let copying = tokio::io::copy_bidirectional(&mut client, &mut server);
    tokio::pin!(copying);
    loop {
        tokio::select! {
            _ = &mut copying => return,
            changed = way.changed() => {
                if changed.is_err() || *way.borrow() == Way::Cut {
                    return;
                }
                if *way.borrow() == Way::Silent {
                    way.wait_for(|way| *way != Way::Silent).await.ok();
                    return;
                }
            }
        }
    }
}

async fn refused(store: &Store, within: Duration, what: &str) {
    let begun = Instant::now();
    let error = store.audit_append(draft("incident_take")).await.unwrap_err();
    let took = begun.elapsed();
    assert!(matches!(error, StoreError::Unavailable(_)), "{what}: {error:?}");
    assert!(error.to_string().starts_with("the database cannot be reached"), "{what}: {error}");
    assert!(took < within, "{what}: {took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_away_is_told_within_seconds() {
    let Some(target) = postgres_database().await else { return };
    let DatabaseTarget::Postgres { host, port, database, username, .. } = target else { unreachable!() };
    let proxy = Proxy::new(PathBuf::from(host).join(format!(".s.PGSQL.{port}"))).await;
    let target = DatabaseTarget::Postgres {
        host: "127.0.0.1".to_owned(),
        port: proxy.port,
        database,
        username,
        password: None,
        tls: None,
    };
    let store = Store::open(&target, Arc::new(SystemClock)).await.expect("through the proxy");
    let mut seq = store.audit_append(draft("incident_take")).await.unwrap();
    for way in [Way::Cut, Way::Silent] {
        proxy.is(way);
        refused(&store, Duration::from_secs(7), &format!("{way:?}, the first")).await;
        refused(&store, Duration::from_secs(3), &format!("{way:?}, the next")).await;
        // The index of words is the server's own: nobody asks it how far it is, and so nobody complains of no answer.
        assert_eq!(store.event_text_step().await.expect("nothing is asked").added, 0);
        assert_eq!(store.event_text_behind().await.expect("nothing is asked"), 0);
        // What is held by the silent one is cut, as a network does in the end.
        proxy.is(Way::Cut);
        proxy.is(Way::Open);
        let again = store.audit_append(draft("incident_take")).await;
        let again = match again {
            // A connection from before may be the first that is tried.
            Err(StoreError::Unavailable(_)) => store.audit_append(draft("incident_take")).await,
            again => again,
        };
        let next = again.expect("it is back");
        assert_eq!(next, seq + 1, "{way:?}: nothing was written meanwhile, and no number is missing");
        seq = next;
    }
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_ended_is_told_with_the_reason() {
    let Some(target) = postgres_database().await else { return };
    let DatabaseTarget::Postgres { host, port, database, username, .. } = target else { unreachable!() };
    let mut proxy = Proxy::new(PathBuf::from(host).join(format!(".s.PGSQL.{port}"))).await;
    let target = DatabaseTarget::Postgres {
        host: "127.0.0.1".to_owned(),
        port: proxy.port,
        database,
        username,
        password: None,
        tls: None,
    };
    let store = Store::open(&target, Arc::new(SystemClock)).await.expect("through the proxy");
    store.audit_append(draft("incident_take")).await.unwrap();
    proxy.is(Way::Cut);
    proxy.tasks.shutdown().await;
    // A connection from before may be the first that is tried.
    drop(store.audit_append(draft("incident_take")).await);
    refused(&store, Duration::from_secs(7), "nobody listens").await;
    let error = store.audit_append(draft("incident_take")).await.unwrap_err();
    assert!(error.to_string().contains("refused"), "the true reason: {error}");
    store.close().await;
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_told_at_once() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let target = DatabaseTarget::Postgres {
        host: "127.0.0.1".to_owned(),
        port,
        database: "watchpost".to_owned(),
        username: "watchpost".to_owned(),
        password: None,
        tls: None,
    };
    let begun = Instant::now();
    let error = Store::open(&target, Arc::new(SystemClock)).await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    assert!(error.to_string().contains("refused"), "the true reason: {error}");
}
