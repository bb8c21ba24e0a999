//! What is told while a workspace opens.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use watchpost_model::access::Role;
use watchpost_model::clock::SystemClock;
use watchpost_model::connection::{Connection, DatabaseConnection};
use watchpost_ops::Paths;
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::{ASK_EVERY, Console, ConsoleOptions, Tenure};
use watchpost_ops::contract::{EngineState, Tag, WorkspaceStatus};
use watchpost_ops::live::LiveFeed;

use crate::door::caller;
use crate::window_lock::of_file;

/// The first status of the feed that names what is opened.
async fn heard(feed: &mut LiveFeed) -> WorkspaceStatus {
    loop {
        let batch = feed.next().await;
        if batch.status.opening.is_some() {
            return batch.status;
        }
    }
}

async fn told(console: &Console) -> Option<String> {
    console.status(&caller(Role::Viewer)).await.opening
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_opens_is_named_until_it_is_given_up() {
    let home = crate::door::folder();
    let console = of_file(home.path(), None).console;
    let mut feed = LiveFeed::new(&console, caller(Role::Viewer));
    assert_eq!(feed.next().await.status.opening, None, "nothing opens yet");

    // It takes connections and says nothing.
    let silent = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port is free");
    let connection = Connection {
        name: "shop".to_owned(),
        database: DatabaseConnection::Postgres {
            host: "127.0.0.1".to_owned(),
            port: silent.local_addr().expect("it has a port").port(),
            database: "watchpost".to_owned(),
            username: "watchpost".to_owned(),
            tls: None,
        },
        ..local_connection()
    };
    let opening = console.open(connection);
    let status = tokio::select! {
        done = opening => panic!("nobody answered: {done:?}"),
        status = heard(&mut feed) => status,
    };
    assert_eq!(status.opening.as_deref(), Some("shop"));
    assert!(status.connection.is_none());
    assert_eq!(told(&console).await, None, "whoever asked for it has given up");

    console.open(local_connection()).await.expect("a file opens");
    assert_eq!(told(&console).await, None, "it is open");
    console.close().await;
}

/// The first status of the feed that says what could not be opened.
async fn heard_why(feed: &mut LiveFeed) -> WorkspaceStatus {
    loop {
        let batch = feed.next().await;
        if batch.status.opening_failed.is_some() {
            return batch.status;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_does_not_open_says_why_until_one_does() {
    let home = crate::door::folder();
    let console = of_file(home.path(), None).console;
    let mut feed = LiveFeed::new(&console, caller(Role::Viewer));
    assert_eq!(feed.next().await.status.opening_failed, None, "nothing was tried yet");

    let text = home.path().join("notes.txt");
    std::fs::write(&text, "no database at all, and longer than the head of one is: ".repeat(20))
        .expect("the folder is ours");
    let gone = home.path().join("nowhere").join("watchpost.db");
    let port = {
        let taken = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port is free");
        taken.local_addr().expect("it has a port").port()
    };
    let file = |path: &std::path::Path| DatabaseConnection::Sqlite { path: Some(path.display().to_string()) };
    let server = DatabaseConnection::Postgres {
        host: "127.0.0.1".to_owned(),
        port,
        database: "watchpost".to_owned(),
        username: "watchpost".to_owned(),
        tls: None,
    };
    for (name, database) in [("text", file(&text)), ("gone", file(&gone)), ("away", server)] {
        let connection = Connection { name: name.to_owned(), database, ..local_connection() };
        let id = connection.id;
        let refused = console.open(connection).await.expect_err("there is no database");
        let told = console.status(&caller(Role::Viewer)).await;
        let failed = told.opening_failed.expect("it is told");
        assert_eq!((failed.id, failed.name.as_str(), failed.error), (id, name, refused), "{name}");
        assert_eq!(told.opening, None, "{name}: nothing opens any more");
    }
    let status = heard_why(&mut feed).await;
    assert!(status.connection.is_none() && status.opening.is_none(), "{status:?}");

    console.open(local_connection()).await.expect("a file opens");
    assert_eq!(console.status(&caller(Role::Viewer)).await.opening_failed, None, "it is open");
    console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_begins_hears_of_what_changes_after_it_and_of_nothing_before() {
    let home = crate::door::folder();
    let console = of_file(home.path(), None).console;
    let mut page = LiveFeed::of_page(&console, caller(Role::Viewer));
    assert!(page.next().await.changed.is_empty(), "what it shows it asks for after this");
    let mut other = LiveFeed::new(&console, caller(Role::Viewer));
    assert_eq!(other.next().await.changed, Tag::ALL, "what it shows may be older");

    console.open(local_connection()).await.expect("a file opens");
    // That it was on its way was told as well.
    while page.next().await.changed != Tag::ALL {}
    console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_window_begins_its_work_when_its_first_figures_are_drawn() {
    let home = crate::door::folder();
    let console = Console::start(ConsoleOptions {
        paths: Paths::below(home.path()).expect("the folder is ours"),
        clock: Arc::new(SystemClock),
        tenure: Tenure::Owner,
        offer_demo: false,
        remember: false,
        ask_every: ASK_EVERY,
        redis_wait: Duration::from_millis(1),
    })
    .expect("an empty folder holds no bad connections");
    let mut feed = LiveFeed::new(&console, caller(Role::Viewer));
    console.open(local_connection()).await.expect("a file opens");
    let engine = console.status(&caller(Role::Viewer)).await.engine;
    assert_eq!((engine.state, engine.rules), (EngineState::Starting, None), "no rule is read for a status");

    console.tell_drawn();
    let engine = loop {
        let engine = feed.next().await.status.engine;
        if engine.state == EngineState::Running {
            break engine;
        }
    };
    assert!(engine.rules.is_some_and(|rules| rules > 0), "{engine:?}");
    console.close().await;
}
