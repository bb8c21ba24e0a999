//! The handle on one Redis: connections, writing events, counters.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::DateTime;
use chrono::Utc;
use tokio::sync::Mutex;
use watchpost_model::clock::Clock;
use watchpost_model::connection::HostPort;
use watchpost_model::event::Event;
use watchpost_model::event::Quarantined;
use watchpost_model::ids::EventId;
use watchpost_model::policy::event_ttl;
use watchpost_model::text::visible;

use crate::codec;
use crate::error::RedisError;
use crate::info::Info;
use crate::keys::Keys;
use crate::lacking;
use crate::link::Call;
use crate::link::Link;
use crate::observe::Observed;
use crate::reply;
use crate::route::Route;
use crate::scripts;
use crate::target::RedisTarget;

/// The longest time that [`EventStore::read_new`] blocks.
pub const BLOCK_MS_MAX: u64 = 10_000;
/// Entries kept in the quarantine; the oldest give way.
pub const QUARANTINE_MAX: usize = 10_000;
const REASON_CHARS_MAX: usize = 300;

/// Handle on the event store. Cheap to clone; all clones share their connections and counters.
///
/// Four connections, each for one purpose, so that none waits behind another: `reader` (blocking reads), `main`
/// (writes, acknowledgements, blocks), `jobs` (long walks) and `probe` (latency and health); and one, `compare`, that is
/// made when retention meets a large event, for its transactions. Each one heals itself.
#[derive(Clone)]
pub struct EventStore {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) target: RedisTarget,
    pub(crate) route: Arc<Route>,
    pub(crate) keys: Keys,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) reader: Link,
    pub(crate) main: Link,
    pub(crate) jobs: Link,
    pub(crate) probe: Link,
    pub(crate) compare: Link,
    /// Held while a key is watched on `compare`; an async lock on purpose.
    pub(crate) comparing: Mutex<()>,
    pub(crate) counts: Counts,
    /// How far one has read who only looks.
    pub(crate) observed: std::sync::Mutex<Observed>,
}

#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) written: AtomicU64,
    pub(crate) duplicates: AtomicU64,
    pub(crate) rejected: AtomicU64,
    pub(crate) read: AtomicU64,
    pub(crate) malformed: AtomicU64,
    pub(crate) gone: AtomicU64,
    pub(crate) adopted: AtomicU64,
    pub(crate) quarantined: AtomicU64,
    pub(crate) adopt_passes: AtomicU64,
    /// Commands of the look for bare hashes: the server counts those of a script one by one.
    pub(crate) looks: AtomicU64,
}

/// What this process has done at the event store since it started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoreCounters {
    /// Events written.
    pub events_written_total: u64,
    /// Events not written, because they were there.
    pub events_duplicate_total: u64,
    /// Events refused before writing: too large, or outside the years 1970 to 9999.
    pub events_rejected_total: u64,
    /// Stream entries read as events.
    pub events_read_total: u64,
    /// Stream entries whose hash was no event.
    pub events_malformed_total: u64,
    /// Stream entries whose hash was gone before it was processed: a lost event.
    pub events_gone_total: u64,
    /// Bare hashes put on the stream.
    pub events_adopted_total: u64,
    /// Keys newly put into the quarantine.
    pub keys_quarantined_total: u64,
}

/// What became of a batch of events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Events written.
    pub written: u64,
    /// Events that were there already, by id.
    pub duplicates: u64,
    /// Bytes of keys and values written, as sent.
    pub bytes: u64,
    /// Events that the contract cannot hold, with the reason.
    pub rejected: Vec<(EventId, String)>,
}

impl EventStore {
    /// Connects and loads the scripts.
    ///
    /// # Errors
    /// Every cause of [`RedisError`]; nothing is retried, so that a mistake shows at once.
    pub async fn connect(target: &RedisTarget, clock: Arc<dyn Clock>) -> Result<Self, RedisError> {
        let route = Box::pin(Route::of(target)).await?;
        let link = |name, seconds| Link::new(route.clone(), name, Duration::from_secs(seconds));
        let inner = Inner {
            target: target.clone(),
            route: route.clone(),
            keys: Keys::new(&target.prefix),
            clock,
            reader: link("watchpost-reader", BLOCK_MS_MAX / 1000 + 5),
            main: link("watchpost-main", 5),
            jobs: link("watchpost-jobs", 10),
            probe: link("watchpost-probe", 5),
            compare: link("watchpost-compare", 10),
            comparing: Mutex::new(()),
            counts: Counts::default(),
            observed: std::sync::Mutex::default(),
        };
        inner.main.ensure().await?;
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The target, as given.
    #[must_use]
    pub fn target(&self) -> &RedisTarget {
        &self.inner.target
    }

    /// The time as this store sees it.
    #[must_use]
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.inner.clock.now()
    }

    /// Sorts an error of one command of a pipeline.
    pub(crate) fn classify(&self, error: redis::RedisError) -> RedisError {
        self.inner.route.classify(error)
    }

    /// The server that answers now, for people: its address, and of a set with Sentinels which one that is.
    #[must_use]
    pub fn node(&self) -> String {
        self.inner.route.node()
    }

    /// The nodes of the cluster, primaries and replicas, as of the last connection; none of a server that is in no cluster.
    #[must_use]
    pub fn cluster_nodes(&self) -> Vec<HostPort> {
        self.inner.route.nodes()
    }

    /// Is the server there? One `PING`.
    ///
    /// # Errors
    /// Why not.
    pub async fn ping(&self) -> Result<(), RedisError> {
        self.inner.probe.query::<String>(&redis::cmd("PING")).await.map(drop)
    }

    /// Which server process answers: another one after a restart. Empty where the user may not ask; then a
    /// reconnection counts as the same server.
    ///
    /// # Errors
    /// Why it does not answer.
    pub async fn run_id(&self) -> Result<String, RedisError> {
        self.run_id_behind(&self.inner.probe).await
    }

    /// The same of the server that a connection leads to: during a failover not all may lead to the same one.
    pub(crate) async fn run_id_behind(&self, link: &Link) -> Result<String, RedisError> {
        Ok(self.info_behind(link).await?.text("run_id").unwrap_or_default().to_owned())
    }

    /// How many keys the logical database has.
    ///
    /// # Errors
    /// Why it does not answer.
    pub async fn key_count(&self) -> Result<u64, RedisError> {
        self.inner.probe.query(&redis::cmd("DBSIZE")).await
    }

    /// Fails while the slot of our keys is being moved to another node of a cluster: `SCAN` does not tell that a part of
    /// them is gone already, but asking for a key that nobody has does.
    pub(crate) async fn serves_all(&self) -> Result<(), RedisError> {
        if !self.inner.route.is_cluster() {
            return Ok(());
        }
        let mut cmd = redis::cmd("EXISTS");
        cmd.arg(format!("{}wpnone", self.inner.keys.stream()));
        self.inner.jobs.query::<i64>(&cmd).await.map(drop)
    }

    /// What the server says of itself; nothing where the user may not ask.
    ///
    /// # Errors
    /// Why it does not answer.
    pub async fn server_info(&self) -> Result<Info, RedisError> {
        self.info_behind(&self.inner.probe).await
    }

    async fn info_behind(&self, link: &Link) -> Result<Info, RedisError> {
        let mut cmd = redis::cmd("INFO");
        cmd.arg("server");
        match link.query::<String>(&cmd).await {
            Ok(text) => Ok(Info::parse(&text)),
            Err(error) if lacking::reason(&error).is_some() => Ok(Info::parse("")),
            Err(error) => Err(error),
        }
    }

    /// Fails where the server says that it is a replica that takes no writes. Whoever may not ask learns it by writing.
    ///
    /// # Errors
    /// `ReadOnly`; why it does not answer.
    pub async fn takes_writes(&self) -> Result<(), RedisError> {
        let mut cmd = redis::cmd("INFO");
        cmd.arg("replication");
        let info = match self.inner.jobs.query::<String>(&cmd).await {
            Ok(text) => Info::parse(&text),
            Err(error) if lacking::reason(&error).is_some() => return Ok(()),
            Err(error) => return Err(error),
        };
        let is_replica = info.text("role") == Some("slave");
        if is_replica && info.text("slave_read_only") != Some("0") {
            return Err(RedisError::ReadOnly);
        }
        Ok(())
    }

    /// The time of the server, by which keys expire; ours where the user may not ask.
    ///
    /// # Errors
    /// Why it does not answer.
    pub async fn server_now(&self) -> Result<DateTime<Utc>, RedisError> {
        match self.inner.probe.query::<(i64, i64)>(&redis::cmd("TIME")).await {
            Ok((seconds, micros)) => {
                Ok(DateTime::from_timestamp_micros(seconds * 1_000_000 + micros)
                    .unwrap_or_else(|| self.now()))
            }
            Err(error) if lacking::reason(&error).is_some() => Ok(self.now()),
            Err(error) => Err(error),
        }
    }

    /// The counters of this process.
    #[must_use]
    pub fn counters(&self) -> StoreCounters {
        let counts = &self.inner.counts;
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        StoreCounters {
            events_written_total: of(&counts.written),
            events_duplicate_total: of(&counts.duplicates),
            events_rejected_total: of(&counts.rejected),
            events_read_total: of(&counts.read),
            events_malformed_total: of(&counts.malformed),
            events_gone_total: of(&counts.gone),
            events_adopted_total: of(&counts.adopted),
            keys_quarantined_total: of(&counts.quarantined),
        }
    }

    /// Writes events as an application would: hash with TTL, index, stream entry; each event atomically, the batch in
    /// pipelines.
    ///
    /// Idempotent: an event whose id is stored at its millisecond already is a duplicate and changes nothing. So after
    /// any error (a timeout leaves the outcome open) the same batch may be written again.
    ///
    /// # Errors
    /// The first failure; events before it are written.
    pub async fn write_events(&self, events: &[Event]) -> Result<Written, RedisError> {
        let inner = &self.inner;
        let mut done = Written::default();
        let mut sizes = Vec::with_capacity(events.len());
        let mut calls = Vec::with_capacity(events.len());
        for event in events {
            match self.write_call(event) {
                Ok((call, bytes)) => {
                    calls.push(call);
                    sizes.push(bytes);
                }
                Err(reason) => done.rejected.push((event.id, reason)),
            }
        }
        inner.counts.rejected.fetch_add(done.rejected.len() as u64, Ordering::Relaxed);
        let results = inner.main.eval_many(&scripts::WRITE, calls).await?;
        let mut first_error = None;
        for (result, bytes) in results.into_iter().zip(sizes) {
            match result.map(|value| reply::list(value).first().and_then(reply::int)) {
                Ok(Some(1)) => {
                    done.written += 1;
                    done.bytes += bytes;
                }
                Ok(Some(0)) => done.duplicates += 1,
                Ok(_) => first_error = first_error.or(Some(RedisError::Answer { command: "EVALSHA write" })),
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        inner.counts.written.fetch_add(done.written, Ordering::Relaxed);
        inner.counts.duplicates.fetch_add(done.duplicates, Ordering::Relaxed);
        match first_error {
            None => Ok(done),
            Some(error) => Err(error),
        }
    }

    fn write_call(&self, event: &Event) -> Result<(Call, u64), String> {
        let keys = &self.inner.keys;
        let (key, tied) = keys.event(event).ok_or("its time is outside the years 1970 to 9999")?;
        let fields = codec::encode(event)?;
        let ttl_ms = event_ttl(event.category, event.severity).num_milliseconds();
        let index = keys.index(event.category);
        let stream = keys.stream();
        let mut bytes = key.len() as u64;
        let mut call = Call::new(&[&key, &tied, &index, &stream])
            .arg(event.id.to_string())
            .arg(event.at.timestamp_millis().to_string())
            .arg(ttl_ms.to_string());
        for (name, value) in fields {
            bytes += (name.len() + value.len()) as u64;
            call = call.arg(name).arg(value);
        }
        Ok((call, bytes))
    }

    /// Notes keys that cannot be read, with their reasons.
    pub(crate) async fn quarantine(&self, keys: Vec<(String, String)>) -> Result<u64, RedisError> {
        let inner = &self.inner;
        if self.observes() {
            for (key, reason) in &keys {
                tracing::warn!(
                    key,
                    reason,
                    "a key cannot be read; this connection only observes and notes it nowhere"
                );
            }
            return Ok(0);
        }
        let now_ms = self.now().timestamp_millis().to_string();
        let (zset, reasons) = (inner.keys.quarantine(), inner.keys.quarantine_reasons());
        let calls = keys
            .iter()
            .map(|(key, reason)| {
                Call::new(&[&zset, &reasons])
                    .arg(&now_ms)
                    .arg(key)
                    .arg(visible(reason, REASON_CHARS_MAX))
                    .arg(QUARANTINE_MAX.to_string())
            })
            .collect();
        let mut added = 0;
        for (result, (key, reason)) in
            inner.main.eval_many(&scripts::QUARANTINE, calls).await?.into_iter().zip(&keys)
        {
            match result {
                Ok(value) => {
                    let is_new = reply::count(&value).unwrap_or(0);
                    // Each pass over the keys comes by it again; once is enough.
                    if is_new > 0 {
                        tracing::warn!(key, reason, "quarantined a key");
                    }
                    added += is_new;
                }
                // A full server must not stop the reader: processing is what lets retention make room. The key itself
                // stays, the counters and the log know of it.
                Err(RedisError::OutOfMemory) => {
                    tracing::warn!("a key could not be noted in the quarantine: the server is out of memory")
                }
                Err(error) => return Err(error),
            }
        }
        inner.counts.quarantined.fetch_add(added, Ordering::Relaxed);
        Ok(added)
    }

    /// The newest entries of the quarantine, newest first, at most `limit` of at most [`QUARANTINE_MAX`].
    ///
    /// # Errors
    /// Every cause of [`RedisError`].
    pub async fn quarantined(&self, limit: usize) -> Result<Vec<Quarantined>, RedisError> {
        let inner = &self.inner;
        if limit == 0 {
            return Ok(Vec::new());
        }
        let mut range = redis::cmd("ZREVRANGE");
        range.arg(inner.keys.quarantine()).arg(0).arg(limit.min(QUARANTINE_MAX) - 1).arg("WITHSCORES");
        let rows: Vec<(Vec<u8>, f64)> = inner.main.query(&range).await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let mut reasons = redis::cmd("HMGET");
        reasons.arg(inner.keys.quarantine_reasons());
        for (key, _) in &rows {
            reasons.arg(key);
        }
        let reasons: Vec<Option<String>> = inner.main.query(&reasons).await?;
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds are far below 2^53")]
        let rows = rows.into_iter().zip(reasons).map(|((key, at_ms), reason)| Quarantined {
            key: crate::keys::key_text(&key),
            reason: reason.unwrap_or_else(|| "no reason noted".to_owned()),
            at: DateTime::from_timestamp_millis(at_ms as i64).unwrap_or_default(),
        });
        Ok(rows.collect())
    }
}
