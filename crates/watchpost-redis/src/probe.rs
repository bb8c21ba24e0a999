//! Reads a server's health, sample by sample.

use std::fmt::Write;
use std::sync::atomic::Ordering;

use chrono::DateTime;
use redis::Value;
use tokio::time::Instant;
use watchpost_model::health::HealthSample;
use watchpost_model::health::RedisHealth;
use watchpost_model::health::SlowCommand;
use watchpost_model::health_policy::HealthPolicy;
use watchpost_model::text::visible;

use crate::error::RedisError;
use crate::health;
use crate::health::Change;
use crate::health::Reading;
use crate::health_limits;
use crate::info::Info;
use crate::primaries::Primaries;
use crate::reply;
use crate::store::EventStore;

const PINGS: usize = 7;
const SLOWLOG_ENTRIES: usize = 32;

/// Takes samples of one server; holds the one before, for the rates.
pub struct HealthProbe {
    store: EventStore,
    before: Option<Reading>,
    primaries: Primaries,
    policy: HealthPolicy,
}

impl HealthProbe {
    /// A probe without a sample yet: the first one knows no rates.
    #[must_use]
    pub fn new(store: EventStore) -> Self {
        Self { store, before: None, primaries: Primaries::default(), policy: HealthPolicy::default() }
    }

    /// Judges by `policy` from now on.
    pub fn judge_by(&mut self, policy: HealthPolicy) {
        self.policy = policy;
    }

    /// Takes a sample: one `INFO`, a handful of `PING`s, the slow log, the backlog. `events_per_min` is the engine's own
    /// count, if it runs.
    ///
    /// # Errors
    /// Every cause of [`RedisError`], `NoPermission` if `INFO` is not allowed. What else is not allowed shows as unknown.
    pub async fn sample(
        &mut self,
        events_per_min: Option<f64>,
    ) -> Result<(RedisHealth, HealthSample), RedisError> {
        let store = &self.store;
        let mut pings_ms = Vec::with_capacity(PINGS);
        for _ in 0..PINGS {
            let start = Instant::now();
            store.ping().await?;
            pings_ms.push(start.elapsed().as_secs_f64() * 1_000.0);
        }
        let mut cmd = redis::cmd("INFO");
        cmd.arg("everything");
        let info = Info::parse(&store.inner.probe.query::<String>(&cmd).await?);
        let backlog = match store.backlog().await {
            Ok(backlog) => Some(backlog),
            Err(RedisError::NoPermission(_) | RedisError::WrongType(_)) => None,
            Err(error) => return Err(error),
        };
        let at = store.now();
        let now = Reading {
            info,
            pings_ms,
            backlog,
            events_per_min,
            looks: store.inner.counts.looks.load(Ordering::Relaxed),
        };
        let mut own = health::assess(self.before.as_ref(), &now);
        self.policy.judge(&mut own);
        let together = Box::pin(self.primaries.sample(store, (&now.info, &own), &self.policy)).await?;
        let (nodes, metrics) = together.map_or((Vec::new(), own), |all| (all.nodes, all.metrics));
        let change = self.before.as_ref().and_then(|before| Change::between(&before.info, &now.info));
        // Of a cluster what all of its primaries do.
        let sum =
            |name: &str| metrics.iter().find(|metric| metric.name == name).and_then(|metric| metric.value);
        let is_one = nodes.is_empty();
        let rate = |name| change.as_ref().and_then(|change| change.per_s(name));
        #[expect(clippy::cast_precision_loss, reason = "a backlog stays far below 2^53")]
        let sample = HealthSample {
            at,
            memory_bytes: sum("memory_used_bytes"),
            ops_per_s: sum("ops_per_s"),
            latency_ms: sum("round_trip_ms"),
            expired_per_s: if is_one { rate("expired_keys") } else { sum("expired_per_s") },
            events_per_min,
            backlog: backlog.map(|backlog| backlog.total() as f64),
        };
        let memory_limit = if is_one {
            health_limits::memory_limit(&now.info)
        } else {
            health_limits::limit_of_the_fullest(&now.info, &metrics)
        };
        let keyspace = now.info.keyspace(store.inner.target.database);
        let health = RedisHealth {
            at,
            server: now.info.server(),
            node: store.node(),
            role: match now.info.text("role") {
                Some("slave") => "replica",
                Some(_) => "master",
                None => "unknown",
            }
            .to_owned(),
            uptime_s: now.info.count("uptime_in_seconds").unwrap_or(0),
            verdict: health::worst_of(
                metrics.iter().map(|metric| metric.verdict).chain(nodes.iter().map(|node| node.verdict)),
            ),
            metrics,
            nodes,
            keys: keyspace.map(|(keys, _)| keys),
            keys_with_ttl: keyspace.map(|(_, with_ttl)| with_ttl),
            memory_limit,
            forecast: None,
            ttl_share: keyspace.and_then(|(keys, with_ttl)| share(with_ttl, keys)),
            slowlog: self.slowlog().await?,
        };
        self.before = Some(now);
        Ok((health, sample))
    }

    /// The slow log, newest first; empty where the user may not read it.
    async fn slowlog(&self) -> Result<Vec<SlowCommand>, RedisError> {
        let mut cmd = redis::cmd("SLOWLOG");
        cmd.arg("GET").arg(SLOWLOG_ENTRIES);
        let reply: Value = match self.store.inner.probe.query(&cmd).await {
            Err(RedisError::NoPermission(_) | RedisError::Server { .. }) => return Ok(Vec::new()),
            result => result?,
        };
        Ok(reply::list(reply).into_iter().filter_map(slow_command).collect())
    }
}

/// One number as a share of another; `None` of nothing.
#[expect(clippy::cast_precision_loss, reason = "numbers of keys stay far below 2^53")]
fn share(part: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| part as f64 / of as f64)
}

/// Entry: id, Unix time, microseconds, arguments, client address, client name.
fn slow_command(entry: Value) -> Option<SlowCommand> {
    let mut parts = reply::list(entry).into_iter().skip(1);
    let at = DateTime::from_timestamp(reply::int(&parts.next()?)?, 0)?;
    let usec = reply::count(&parts.next()?)?;
    let arguments: Vec<Vec<u8>> = reply::list(parts.next()?).into_iter().filter_map(reply::bytes).collect();
    let own = parts.nth(1).and_then(reply::text).is_some_and(|name| name.starts_with("watchpost-"));
    #[expect(clippy::cast_precision_loss, reason = "a duration stays far below 2^53")]
    let duration_ms = usec as f64 / 1_000.0;
    Some(SlowCommand { at, duration_ms, command: redacted(&arguments), own })
}

/// Command, subcommand and key, never a value: arguments may hold passwords and personal data.
fn redacted(arguments: &[Vec<u8>]) -> String {
    let show = |idx: usize| arguments.get(idx).map(|word| visible(&String::from_utf8_lossy(word), 80));
    let Some(command) = show(0) else { return String::new() };
    let command = command.to_uppercase();
    let shown = match command.as_str() {
        // No key, or nothing that may be shown.
        "AUTH" | "HELLO" | "ACL" | "MIGRATE" | "CONFIG" | "EVAL" | "SCRIPT" | "FUNCTION" | "PUBLISH"
        | "ECHO" => 0,
        // Digest, number of keys, first key.
        "EVALSHA" | "FCALL" => 3,
        "XGROUP" | "XINFO" | "MEMORY" | "OBJECT" => 2,
        "XREADGROUP" | "XREAD" => 0,
        _ => 1,
    };
    let mut text = command;
    for idx in 1..=shown {
        if let Some(word) = show(idx) {
            text.push(' ');
            text.push_str(&word);
        }
    }
    let hidden = arguments.len().saturating_sub(shown + 1);
    if hidden > 0 {
        let _ = write!(text, " ({hidden} more)"); // Writing to a String cannot fail.
    }
    text
}

#[cfg(test)]
mod tests {
    use super::redacted;

    #[test]
    fn values_are_never_shown() {
        let shown =
            |words: &[&str]| redacted(&words.iter().map(|w| w.as_bytes().to_vec()).collect::<Vec<_>>());
        assert_eq!(shown(&["auth", "alice", "secret"]), "AUTH (2 more)");
        assert_eq!(shown(&["HSET", "security:auth:1", "actor", "eve"]), "HSET security:auth:1 (2 more)");
        assert_eq!(shown(&["CONFIG", "SET", "requirepass", "secret"]), "CONFIG (3 more)");
        assert_eq!(shown(&["EVALSHA", "ab", "1", "key", "value"]), "EVALSHA ab 1 key (1 more)");
        assert_eq!(shown(&["GET", "k\u{1b}[31m"]), "GET k\\x1b[31m");
        assert_eq!(shown(&["PING"]), "PING");
    }
}
