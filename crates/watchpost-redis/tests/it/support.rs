//! A private server for one test, and events to put into it.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use chrono::DateTime;
use chrono::Duration;
use chrono::Utc;
use tempfile::TempDir;
use watchpost_model::clock::Clock;
use watchpost_model::clock::SystemClock;
use watchpost_model::event::Category;
use watchpost_model::event::Event;
use watchpost_model::event::Http;
use watchpost_model::event::Outcome;
use watchpost_model::event::Severity;
use watchpost_model::ids::EventId;
use watchpost_redis::EventStore;
use watchpost_redis::RedisTarget;

pub(crate) const PREFIX: &str = "security:";

/// A server that dies with the test.
pub(crate) struct TestServer {
    pub(crate) dir: TempDir,
    child: std::process::Child,
}

impl Drop for TestServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    /// With further options of the server.
    pub(crate) async fn with(options: &[&str]) -> Self {
        Self::of("redis-server".as_ref(), options).await
    }

    /// Another program than the one that is installed.
    pub(crate) async fn of(program: &Path, options: &[&str]) -> Self {
        let dir = tempfile::Builder::new().prefix("wp-redis-").tempdir().expect("a temporary directory");
        let child = std::process::Command::new(program)
            .current_dir(dir.path())
            .args(["--port", "0", "--unixsocket", "redis.sock", "--save", "", "--dir", "./"])
            .args(options)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server is installed");
        let server = Self { dir, child };
        wait_for_socket(&server.socket()).await;
        server
    }

    /// From now on it answers nothing, and its connections stay.
    pub(crate) fn hang(&self) {
        let process = self.child.id().to_string();
        let told = std::process::Command::new("kill").args(["-STOP", &process]).status();
        assert!(told.expect("kill is installed").success(), "it runs");
        let stands = || {
            let state = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("it is there");
            state.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('T'))
        };
        while !stands() {
            std::thread::yield_now();
        }
    }

    pub(crate) fn socket(&self) -> std::path::PathBuf {
        self.dir.path().join("redis.sock")
    }

    pub(crate) fn target(&self) -> RedisTarget {
        RedisTarget::unix(self.socket(), PREFIX)
    }

    pub(crate) async fn store(&self) -> EventStore {
        EventStore::connect(&self.target(), Arc::new(SystemClock)).await.expect("the private server accepts")
    }

    /// A plain connection, to look behind the store's back.
    pub(crate) async fn raw(&self) -> redis::aio::MultiplexedConnection {
        let url = format!("unix://{}", self.socket().display());
        let client = redis::Client::open(url).expect("a URL");
        client.get_multiplexed_async_connection().await.expect("the private server accepts")
    }
}

async fn wait_for_socket(socket: &Path) {
    for _ in 0..1_000 {
        if tokio::net::UnixStream::connect(socket).await.is_ok() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await; // Awaited condition: the socket appears.
    }
    panic!("no server behind {}", socket.display());
}

pub(crate) fn now() -> DateTime<Utc> {
    let now = SystemClock.now();
    DateTime::from_timestamp_millis(now.timestamp_millis()).expect("now is in range")
}

/// An event `days` before now.
pub(crate) fn old_event(days: i64, category: Category, number: i64) -> Event {
    let at = now() - Duration::days(days) + Duration::milliseconds(number);
    let mut event = Event::new(EventId::at(at), at, category, "login_failure");
    event.severity = Severity::Medium;
    event.outcome = Outcome::Failure;
    event.actor = Some(format!("user-{number}"));
    event.source_ip = Some("203.0.113.7".to_owned());
    event.http =
        Some(Http { method: "GET".into(), path: "/login".into(), status: Some(401), ..Http::default() });
    event
}

/// An event with a payload of `bytes` that compresses well.
pub(crate) fn large_event(number: i64, bytes: usize) -> Event {
    let mut event = old_event(0, Category::DataAccess, number);
    event.details = serde_json::json!({ "text": "the quick brown fox ".repeat(bytes / 20 + 1) });
    event
}

pub(crate) async fn query<T: redis::FromRedisValue>(
    connection: &mut redis::aio::MultiplexedConnection,
    words: &[&str],
) -> T {
    let mut cmd = redis::cmd(words[0]);
    for word in &words[1..] {
        cmd.arg(word);
    }
    cmd.query_async(connection).await.unwrap_or_else(|error| panic!("{words:?}: {error}"))
}
