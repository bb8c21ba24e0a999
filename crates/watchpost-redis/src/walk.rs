//! One pass over all keys that never hurts: bounded calls, paced by what other clients feel.
//!
//! Each round trip carries the `SCAN` for the next page and the commands for this one, in this order: so the caller
//! makes the commands for the next page while the server works on those for this one. `COUNT` follows the latency of a
//! `PING` on a connection of its own: halved, with a pause, when that is clearly above the baseline taken before the
//! walk; raised otherwise. The upper clamp of 1,000 is about 1 ms of the server's time.

use std::pin::Pin;
use std::time::Duration;

use redis::Cmd;
use redis::Pipeline;
use redis::RedisResult;
use redis::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::RedisError;
use crate::link::Link;
use crate::reply;
use crate::stop;
use crate::store::EventStore;

const COUNT_START: usize = 100;
const COUNT_MIN: usize = 50;
const COUNT_MAX: usize = 1_000;
const COUNT_STEP: usize = 300;
const PROBE_EVERY: Duration = Duration::from_millis(50);
const BASELINE_PINGS: usize = 5;
/// A probe this much above the baseline, and twice of it, slows the walk down.
const BUDGET_MS: f64 = 1.0;
const PAUSE: Duration = Duration::from_millis(10);
const PAUSES_MAX: u32 = 10;

/// Where a pass is: what a later process needs to go on from there, as long as the server is the same process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalkPosition {
    /// Which server process the cursor is of; empty where the user may not ask, and then it is worth nothing later.
    pub run_id: String,
    /// Cursor of the first page whose effects are not all done.
    pub cursor: u64,
}

/// A page of key names, and the answers to the commands sent along.
pub(crate) struct Step {
    pub(crate) answers: Vec<RedisResult<Value>>,
    /// `None` when the pass was over before.
    pub(crate) names: Option<Vec<Vec<u8>>>,
}

/// Answers to commands that are sent already.
pub(crate) type Asked = Pin<Box<dyn Future<Output = Result<Vec<RedisResult<Value>>, RedisError>> + Send>>;

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
    pauses: u32,
    // Counts the passes that began anew, because the server is another one.
    pass: u64,
    notes: Vec<String>,
}

impl Walk {
    /// Begins a pass over the keys that match `pattern`.
    pub(crate) async fn start(
        store: &EventStore,
        pattern: String,
        cancel: CancellationToken,
    ) -> Result<Self, RedisError> {
        let (baseline_ms, keys_at_start, run_id) = stop::read(&cancel, first_look(store)).await?;
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
            pauses: 0,
            pass: 0,
            notes: Vec::new(),
        })
    }

    /// Goes on where an earlier process was, if the server is still the same process; says so either way.
    pub(crate) fn go_on_from(&mut self, position: &WalkPosition) {
        if position.cursor == 0 {
            return;
        }
        if position.run_id.is_empty() || position.run_id != self.run_id {
            self.notes.push(
                "the server was restarted or replaced since the interruption; the walk started anew"
                    .to_owned(),
            );
            return;
        }
        self.cursor = position.cursor;
        self.notes.push("the walk went on where an interrupted run was".to_owned());
    }

    /// The position of a page that begins at `cursor`.
    pub(crate) fn position(&self, cursor: u64) -> WalkPosition {
        WalkPosition { run_id: self.run_id.clone(), cursor }
    }

    /// Where the next page begins; 0 before the first and after the last one.
    pub(crate) const fn cursor(&self) -> u64 {
        self.cursor
    }

    /// Which pass this is: one more after each restart of the server.
    pub(crate) const fn pass(&self) -> u64 {
        self.pass
    }

    /// How often the walk waited because other clients felt it.
    pub(crate) const fn pauses(&self) -> u32 {
        self.pauses
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

    /// What `asked`, which only reads, says; once the pass is cancelled a silent server is not waited for.
    pub(crate) fn read<T>(
        &self,
        asked: impl Future<Output = Result<T, RedisError>>,
    ) -> impl Future<Output = Result<T, RedisError>> {
        stop::read(&self.cancel, asked)
    }

    /// The same of what writes: it has a second more, and when it is given up the notes say so.
    pub(crate) fn write<T>(
        &mut self,
        asked: impl Future<Output = Result<T, RedisError>>,
    ) -> impl Future<Output = Result<T, RedisError>> {
        let (cancel, notes) = (&self.cancel, &mut self.notes);
        let told = stop::unless_stopped(cancel, stop::WRITTEN, asked);
        async move {
            told.await.unwrap_or_else(|| {
                notes.push(stop::UNKNOWN.to_owned());
                Err(RedisError::Cancelled)
            })
        }
    }

    /// Sends `commands` and asks for the next page, in one round trip. After an error the same step may be tried again.
    pub(crate) async fn step(&mut self, commands: Vec<Cmd>) -> Result<Step, RedisError> {
        Ok(self.step_while(commands, |_| (), || ()).await?.0)
    }

    /// The same, and uses the time: `prepare` gets the names of the next page while the server still answers `commands`,
    /// `meanwhile` runs while both are under way. What `prepare` made is `None` when the pass was over before.
    pub(crate) async fn step_while<T>(
        &mut self,
        commands: Vec<Cmd>,
        prepare: impl FnOnce(&[Vec<u8>]) -> T,
        meanwhile: impl FnOnce(),
    ) -> Result<(Step, Option<T>), RedisError> {
        self.pace().await?;
        self.restart_if_other_server().await?;
        let (pipe, scan, cancel) = (pipe_of(commands), self.scan(), self.cancel.clone());
        let jobs = &self.store.inner.jobs;
        let prepare = |names: Vec<Vec<u8>>| {
            let prepared = prepare(&names);
            (names, prepared)
        };
        let (page, answers) = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(RedisError::Cancelled),
            (page, answers, ()) = async {
                tokio::join!(read_page(jobs, scan, prepare), jobs.pipe(pipe), later(meanwhile))
            } => (page?, answers?),
        };
        answered(&self.store, &answers)?;
        let Some((cursor, (names, prepared))) = page else {
            return Ok((Step { answers, names: None }, None));
        };
        self.advance(cursor).await?;
        Ok((Step { answers, names: Some(names) }, Some(prepared)))
    }

    /// As [`Self::step_while`], but comes back with the next page while the answers are on their way: so another step can be
    /// sent before the server is done with this one, and it never waits. Not to be repeated after an error.
    pub(crate) async fn step_ahead<T>(
        &mut self,
        commands: Vec<Cmd>,
        prepare: impl FnOnce(Vec<Vec<u8>>) -> T,
        meanwhile: impl FnOnce(),
    ) -> Result<(Asked, Option<T>), RedisError> {
        self.pace().await?;
        self.restart_if_other_server().await?;
        let (pipe, scan, cancel) = (pipe_of(commands), self.scan(), self.cancel.clone());
        let (store, of_page) = (self.store.clone(), self.store.clone());
        let mut asked: Asked = Box::pin(async move {
            let answers = store.inner.jobs.pipe(pipe).await?;
            answered(&store, &answers)?;
            Ok(answers)
        });
        let mut early = None;
        // Polled first, so that the page is asked for before the commands are sent.
        let work = async { tokio::join!(read_page(&of_page.inner.jobs, scan, prepare), later(meanwhile)).0 };
        tokio::pin!(work);
        let page = loop {
            tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(RedisError::Cancelled),
                page = &mut work => break page?,
                answers = &mut asked, if early.is_none() => early = Some(answers),
            }
        };
        if let Some(answers) = early {
            asked = Box::pin(std::future::ready(answers));
        }
        let Some((cursor, prepared)) = page else { return Ok((asked, None)) };
        self.advance(cursor).await?;
        Ok((asked, Some(prepared)))
    }

    /// The question for the next page, if there is one.
    fn scan(&self) -> Option<Cmd> {
        (!self.finished).then(|| {
            let mut scan = redis::cmd("SCAN");
            scan.arg(self.cursor.to_string()).arg("MATCH").arg(&self.pattern).arg("COUNT").arg(self.count);
            scan
        })
    }

    /// Goes behind a page whose answer named `cursor`.
    async fn advance(&mut self, cursor: u64) -> Result<(), RedisError> {
        self.read(self.store.serves_all()).await?;
        let pass = self.pass;
        self.restart_if_other_server().await?;
        if pass == self.pass {
            self.scanned += self.count as u64;
            self.cursor = cursor;
            self.finished = cursor == 0;
            if !self.finished && self.scanned > self.keys_at_start.saturating_mul(2) + 100_000 {
                self.finished = true; // A database that grows faster than it is walked has no end.
                self.notes.push("the walk ended early: the number of keys doubled meanwhile".to_owned());
            }
        } // Else the page may be of another server than its cursor was: what it names is there, the pass begins anew.
        Ok(())
    }

    /// Waits if other clients feel the walk, and returns at once when it is cancelled.
    pub(crate) async fn pace(&mut self) -> Result<(), RedisError> {
        if self.cancel.is_cancelled() {
            return Err(RedisError::Cancelled);
        }
        if self.probed.elapsed() < PROBE_EVERY {
            return Ok(());
        }
        let budget_ms = (self.baseline_ms * 2.0).max(self.baseline_ms + BUDGET_MS);
        let mut waited_ms = self.read(ping_ms(&self.store)).await?;
        if waited_ms > budget_ms {
            // One answer alone is as often late because this machine was busy. What others feel lasts.
            waited_ms = self.read(ping_ms(&self.store)).await?;
        }
        self.probed = Instant::now();
        if waited_ms <= budget_ms {
            self.slow = 0;
            self.count = (self.count + COUNT_STEP).min(COUNT_MAX);
            return Ok(());
        }
        self.slow = (self.slow + 1).min(PAUSES_MAX);
        self.pauses += 1;
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
        self.read(self.store.inner.jobs.ensure()).await?;
        let generation = self.store.inner.jobs.generation();
        if generation != self.generation {
            let run_id = self.read(self.store.run_id_behind(&self.store.inner.jobs)).await?;
            if run_id != self.run_id {
                self.run_id = run_id;
                self.cursor = 0;
                self.finished = false;
                self.scanned = 0;
                self.pass += 1;
                self.notes.push("the server was restarted or replaced; the walk started anew".to_owned());
            }
            self.generation = generation;
        }
        Ok(())
    }
}

/// Before a pass: the shortest of a few round trips, the number of keys, and which server process answers.
async fn first_look(store: &EventStore) -> Result<(f64, u64, String), RedisError> {
    let mut baseline_ms = f64::INFINITY;
    for _ in 0..BASELINE_PINGS {
        baseline_ms = baseline_ms.min(ping_ms(store).await?);
    }
    let keys = store.inner.jobs.query(&redis::cmd("DBSIZE")).await?;
    Ok((baseline_ms, keys, store.run_id_behind(&store.inner.jobs).await?))
}

pub(crate) fn pipe_of(commands: Vec<Cmd>) -> Pipeline {
    let mut pipe = redis::pipe();
    for command in commands {
        pipe.add_command(command);
    }
    pipe
}

/// Asks for a page: the cursor of the next one, and what `prepare` makes of its names.
async fn read_page<T>(
    jobs: &Link,
    scan: Option<Cmd>,
    prepare: impl FnOnce(Vec<Vec<u8>>) -> T,
) -> Result<Option<(u64, T)>, RedisError> {
    let Some(scan) = scan else { return Ok(None) };
    let (cursor, names) =
        reply::scan(jobs.query(&scan).await?).ok_or(RedisError::Answer { command: "SCAN" })?;
    Ok(Some((cursor, prepare(names))))
}

/// What was sent is written by the connection's task, which waits for this thread: that one comes first.
async fn later(work: impl FnOnce()) {
    tokio::task::yield_now().await;
    work();
}

/// Fails when an answer is about the server and not about its key: it loads, is busy or has no master. Whoever goes on from
/// there takes what is there for missing.
fn answered(store: &EventStore, answers: &[RedisResult<Value>]) -> Result<(), RedisError> {
    let of_server =
        |error: &&redis::RedisError| !matches!(error.code(), Some("WRONGTYPE" | "NOPERM" | "ERR"));
    match answers.iter().filter_map(|answer| answer.as_ref().err()).find(of_server) {
        Some(error) => Err(store.classify(error.clone())),
        None => Ok(()),
    }
}

/// Fails when a value was refused. Of what a key answers only another type than before is about the key itself, and only
/// nothing at all says that it is gone: whoever may not read it must not take it for that.
pub(crate) fn readable<'a>(
    store: &EventStore,
    answers: impl IntoIterator<Item = &'a RedisResult<Value>>,
) -> Result<(), RedisError> {
    let is_refusal = |error: &&redis::RedisError| error.code() != Some("WRONGTYPE");
    match answers.into_iter().filter_map(|answer| answer.as_ref().err()).find(is_refusal) {
        Some(error) => Err(store.classify(error.clone())),
        None => Ok(()),
    }
}

async fn ping_ms(store: &EventStore) -> Result<f64, RedisError> {
    let start = Instant::now();
    store.ping().await?;
    Ok(start.elapsed().as_secs_f64() * 1_000.0)
}
