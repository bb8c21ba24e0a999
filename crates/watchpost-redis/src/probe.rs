//! Reads a server's health, sample by sample.

use std::sync::atomic::Ordering;

use redis::Value;
use tokio::time::Instant;
use watchpost_model::health::HealthSample;
use watchpost_model::health::Metric;
use watchpost_model::health::RedisHealth;
use watchpost_model::health::SlowCommand;
use watchpost_model::health::Unit;
use watchpost_model::health_policy::HealthPolicy;

use crate::asked::Asked;
use crate::asked::Questions;
use crate::error::RedisError;
use crate::health;
use crate::health::Change;
use crate::health::Reading;
use crate::health_limits;
use crate::info::Info;
use crate::lacking;
use crate::primaries::Primaries;
use crate::scripts;
use crate::slow_log::slow_commands;
use crate::store::EventStore;

const PINGS: usize = 7;
const SLOWLOG_ENTRIES: usize = 32;

/// Takes samples of one server; holds the one before, for the rates.
pub struct HealthProbe {
    store: EventStore,
    before: Option<Reading>,
    primaries: Primaries,
    policy: HealthPolicy,
    questions: Questions,
}

impl HealthProbe {
    /// A probe without a sample yet: the first one knows no rates.
    #[must_use]
    pub fn new(store: EventStore) -> Self {
        Self {
            before: None,
            primaries: Primaries::default(),
            policy: HealthPolicy::default(),
            questions: Questions::of(store.inner.target.observe),
            store,
        }
    }

    /// Judges by `policy` from now on.
    pub fn judge_by(&mut self, policy: HealthPolicy) {
        self.policy = policy;
    }

    /// Takes a sample: one `INFO`, a handful of `PING`s, the slow log, the backlog. `events_per_min` is the engine's own
    /// count, if it runs.
    ///
    /// # Errors
    /// Every cause of [`RedisError`] but what is not allowed or not there: that shows as unknown, with the reason.
    pub async fn sample(
        &mut self,
        events_per_min: Option<f64>,
    ) -> Result<(RedisHealth, HealthSample), RedisError> {
        let store = &self.store;
        let mut pings_ms = Vec::with_capacity(PINGS);
        for _ in 0..PINGS {
            let start = Instant::now();
            if lacking::asked(store.ping().await)?.is_err() {
                break;
            }
            pings_ms.push(start.elapsed().as_secs_f64() * 1_000.0);
        }
        // Before `INFO`, so that a refusal is in the counters of this sample.
        let asked = answers(store, &mut self.questions).await?;
        let mut cmd = redis::cmd("INFO");
        cmd.arg("everything");
        let info = lacking::asked(store.inner.probe.query::<String>(&cmd).await)?;
        let backlog = match store.backlog().await {
            Err(RedisError::WrongType(_)) => Err("a key holds another type".to_owned()),
            // The cluster is down, and this node of it is not.
            Err(RedisError::NoMaster { .. }) if store.inner.route.is_cluster() => {
                Err("the cluster is down".to_owned())
            }
            backlog => lacking::asked(backlog)?,
        };
        let at = store.now();
        let slowlog = self.slowlog().await?;
        let lacks = Lacks {
            info: info.as_ref().err().cloned(),
            backlog: backlog.as_ref().err().cloned(),
            slowlog: slowlog.as_ref().err().cloned(),
        };
        let info = Info::parse(&info.unwrap_or_default());
        let backlog = backlog.ok();
        let now = Reading {
            info,
            pings_ms,
            backlog,
            events_per_min,
            asked,
            looks: store.inner.counts.looks.load(Ordering::Relaxed),
        };
        let mut own = health::assess(self.before.as_ref(), &now);
        lacks.tell(&mut own);
        self.policy.judge(&mut own);
        let together = Box::pin(self.primaries.sample(store, (&now.info, &own), &self.policy)).await?;
        let (nodes, mut metrics) = together.map_or((Vec::new(), own), |all| (all.nodes, all.metrics));
        if let Some(quorum) = Box::pin(store.inner.route.quorum()).await {
            metrics.extend(health::sentinels(&quorum));
        }
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
            uptime_s: now.info.count("uptime_in_seconds"),
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
            slowlog: slowlog.unwrap_or_default(),
        };
        self.before = Some(now);
        Ok((health, sample))
    }

    /// The slow log, newest first, or why it cannot be read.
    async fn slowlog(&self) -> Result<Result<Vec<SlowCommand>, String>, RedisError> {
        let mut cmd = redis::cmd("SLOWLOG");
        cmd.arg("GET").arg(SLOWLOG_ENTRIES);
        let reply = lacking::asked(self.store.inner.probe.query::<Value>(&cmd).await)?;
        Ok(reply.map(slow_commands))
    }
}

/// What the server tells beside `INFO`.
async fn answers(store: &EventStore, questions: &mut Questions) -> Result<Asked, RedisError> {
    let may = match questions.before() {
        // Where this is not allowed, each question is tried.
        Some(before) => store.inner.probe.eval(&scripts::MAY, before).await.ok(),
        None => None,
    };
    let pipe = questions.pipe(may);
    Ok(questions.read(store.inner.probe.pipe(pipe).await?))
}

/// What the server does not tell, and why.
struct Lacks {
    info: Option<String>,
    backlog: Option<String>,
    slowlog: Option<String>,
}

impl Lacks {
    /// Says it where a metric has no value; the slow log has a metric only then.
    fn tell(self, metrics: &mut Vec<Metric>) {
        for metric in metrics.iter_mut().filter(|metric| metric.value.is_none()) {
            let why = match metric.name.as_str() {
                "events_per_min" | "round_trip_ms" => None,
                "backlog" => self.backlog.as_ref().map(|why| format!("n/a: the stream: {why}")),
                _ => self.info.as_ref().map(|why| format!("n/a: INFO: {why}")),
            };
            if let Some(why) = why {
                metric.basis = why;
            }
        }
        if let Some(why) = self.slowlog {
            let basis = format!("n/a: SLOWLOG: {why}");
            metrics.push(Metric::judged("slowlog", "Slow commands", Unit::Count, None, None, basis));
        }
    }
}

/// One number as a share of another; `None` of nothing.
#[expect(clippy::cast_precision_loss, reason = "numbers of keys stay far below 2^53")]
fn share(part: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| part as f64 / of as f64)
}
