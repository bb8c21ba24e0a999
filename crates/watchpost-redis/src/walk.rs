//! One pass over all keys that never hurts: bounded calls, paced by what other clients feel.
//!
//! Each round trip carries the commands for one page of keys and the `SCAN` for the next. `COUNT` follows the latency of
//! a `PING` on a connection of its own: halved, with a pause, when that is clearly above the baseline taken before the
//! walk; raised a little otherwise. The upper clamp of 1,000 is about 1 ms of the server's time.

use std::time::Duration;

use redis::Cmd;
use redis::RedisResult;
use redis::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::RedisError;
use crate::reply;
use crate::store::EventStore;

const COUNT_START: usize = 100;
const COUNT_MIN: usize = 50;
const COUNT_MAX: usize = 1_000;
const COUNT_STEP: usize = 50;
const PROBE_EVERY: Duration = Duration::from_millis(50);
const BASELINE_PINGS: usize = 5;
/// A probe this much above the baseline, and twice of it, slows the walk down.
const BUDGET_MS: f64 = 1.0;
const PAUSE: Duration = Duration::from_millis(10);
const PAUSES_MAX: u32 = 10;

/// A page of key names, and the answers to the commands sent along.
pub(crate) struct Step {
    pub(crate) answers: Vec<RedisResult<Value>>,
    /// `None` when the pass was over before.
    pub(crate) names: Option<Vec<Vec<u8>>>,
}

pub(crate) struct Walk {
    store: EventStore,
    pattern: String,
    cancel: CancellationToken,
    cursor: u64,
    finished: bool,
    count: usize,
    generation: u64,
    run_id: String,
    baseline_ms: f64,
    slow: u32,
    probed: Instant,
    keys_at_start: u64,
    scanned: u64,
    notes: Vec<String>,
}

impl Walk {
    /// Begins a pass over the keys that match `pattern`.
    pub(crate) async fn start(
        store: &EventStore,
        pattern: String,
        cancel: CancellationToken,
    ) -> Result<Self, RedisError> {
        let mut baseline_ms = f64::INFINITY;
        for _ in 0..BASELINE_PINGS {
            baseline_ms = baseline_ms.min(ping_ms(store).await?);
        }
        let keys_at_start = store.inner.jobs.query(&redis::cmd("DBSIZE")).await?;
        let run_id = store.run_id().await?;
        Ok(Self {
            store: store.clone(),
            pattern,
            cancel,
            cursor: 0,
            finished: false,
            count: COUNT_START,
            generation: store.inner.jobs.generation(),
            run_id,
            baseline_ms,
            slow: 0,
            probed: Instant::now(),
            keys_at_start,
            scanned: 0,
            notes: Vec::new(),
        })
    }

    pub(crate) const fn scanned(&self) -> u64 {
        self.scanned
    }

    /// Keys in the database when the pass began: the total to expect.
    pub(crate) const fn expected(&self) -> u64 {
        self.keys_at_start
    }

    pub(crate) const fn finished(&self) -> bool {
        self.finished
    }

    /// What a reader of the report should know about the pass.
    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Sends `commands` and asks for the next page, in one round trip. After an error the same step may be tried again.
    pub(crate) async fn step(&mut self, commands: Vec<Cmd>) -> Result<Step, RedisError> {
        self.pace().await?;
        self.restart_if_other_server().await?;
        let n_commands = commands.len();
        let mut pipe = redis::pipe();
        for command in commands {
            pipe.add_command(command);
        }
        if !self.finished {
            pipe.cmd("SCAN").arg(self.cursor.to_string()).arg("MATCH").arg(&self.pattern);
            pipe.arg("COUNT").arg(self.count);
        }
        let cancel = self.cancel.clone();
        let mut answers = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(RedisError::Cancelled),
            answers = self.store.inner.jobs.pipe(pipe) => answers?,
        };
        if answers.len() <= n_commands {
            return Ok(Step { answers, names: None });
        }
        let page = match answers.pop() {
            Some(Ok(value)) => reply::scan(value),
            Some(Err(error)) => return Err(self.store.classify(error)),
            None => None,
        };
        let (cursor, names) = page.ok_or(RedisError::Answer { command: "SCAN" })?;
        self.scanned += self.count as u64;
        self.cursor = cursor;
        self.finished = cursor == 0;
        if !self.finished && self.scanned > self.keys_at_start.saturating_mul(2) + 100_000 {
            self.finished = true; // A database that grows faster than it is walked has no end.
            self.notes.push("the walk ended early: the number of keys doubled meanwhile".to_owned());
        }
        Ok(Step { answers, names: Some(names) })
    }

    /// Waits if other clients feel the walk, and returns at once when it is cancelled.
    pub(crate) async fn pace(&mut self) -> Result<(), RedisError> {
        if self.cancel.is_cancelled() {
            return Err(RedisError::Cancelled);
        }
        if self.probed.elapsed() < PROBE_EVERY {
            return Ok(());
        }
        let ping_ms = ping_ms(&self.store).await?;
        self.probed = Instant::now();
        if ping_ms <= (self.baseline_ms * 2.0).max(self.baseline_ms + BUDGET_MS) {
            self.slow = 0;
            self.count = (self.count + COUNT_STEP).min(COUNT_MAX);
            return Ok(());
        }
        self.slow = (self.slow + 1).min(PAUSES_MAX);
        self.count = (self.count / 2).max(COUNT_MIN);
        let cancel = self.cancel.clone();
        // The pause is the throttle: it gives the server's time back to the applications.
        tokio::select! {
            () = cancel.cancelled() => Err(RedisError::Cancelled),
            () = tokio::time::sleep(PAUSE * self.slow) => Ok(()),
        }
    }

    /// A cursor is worth nothing in another server process: the pass starts anew. What it did is idempotent.
    async fn restart_if_other_server(&mut self) -> Result<(), RedisError> {
        self.store.inner.jobs.ensure().await?;
        let generation = self.store.inner.jobs.generation();
        if generation != self.generation {
            let run_id = self.store.run_id().await?;
            if run_id != self.run_id {
                self.run_id = run_id;
                self.cursor = 0;
                self.finished = false;
                self.scanned = 0;
                self.notes.push("the server was restarted or replaced; the walk started anew".to_owned());
            }
            self.generation = generation;
        }
        Ok(())
    }
}

async fn ping_ms(store: &EventStore) -> Result<f64, RedisError> {
    let start = Instant::now();
    store.ping().await?;
    Ok(start.elapsed().as_secs_f64() * 1_000.0)
}
