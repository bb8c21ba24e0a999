//! How fast a server answers, measured inside of keys of our own: a bounded number of operations, every key with a TTL
//! from its first moment, and a stop when other clients have to wait.

use std::time::Duration;

use redis::Cmd;
use redis::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use watchpost_model::health::Unit;
use watchpost_model::job::Fact;
use watchpost_model::job::Figure;
use watchpost_model::job::JobProgress;
use watchpost_model::job::JobReport;

use crate::error::RedisError;
use crate::info::CommandStat;
use crate::info::Info;
use crate::link::Link;
use crate::stop;
use crate::store::EventStore;

/// Different keys at most.
const KEYS_MAX: u32 = 10_000;
/// What is left behind by a process that dies goes by itself after this many seconds.
pub const TTL_S: u32 = 60;
/// No step measures for longer: the keys must live until they were read.
const STEP_MAX: Duration = Duration::from_secs(8);
/// Of a step that took less it is not told how busy its sides were.
const BUSY_FROM: Duration = Duration::from_millis(200);
/// Calls of `SCAN` at most.
const SCANS: u32 = 200;
const SCAN_COUNT: u32 = 100;
const PROBE_EVERY: Duration = Duration::from_millis(100);
/// When a `PING` takes longer this often in a row, other clients wait and the measuring stops.
const PROBE_MS_MAX: f64 = 50.0;
const PROBES: u32 = 3;
/// Of a limit of memory that must be free afterwards.
const MEMORY_FREE: f64 = 0.2;
/// A busy core.
const BUSY: f64 = 0.85;
/// Ticks of the system's CPU clock in a second; Linux says 100 to programs on every machine.
const TICKS_PER_S: f64 = 100.0;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BenchmarkPlan {
    /// Operations of each step, 100 to 1,000,000.
    pub ops: u32,
    /// Size of a value, 1 to 16,384 bytes.
    pub value_bytes: u32,
    /// Commands in a pipeline, 2 to 100.
    pub pipeline: u32,
}

impl Default for BenchmarkPlan {
    fn default() -> Self {
        Self { ops: 20_000, value_bytes: 200, pipeline: 16 }
    }
}

impl BenchmarkPlan {
    /// Keys at a time.
    #[must_use]
    pub fn keys(self) -> u32 {
        self.ops.min(KEYS_MAX)
    }

    /// Operations in all, at most.
    #[must_use]
    pub fn operations(self) -> u64 {
        u64::from(self.ops) * 4 + u64::from(SCANS)
    }

    /// Memory that the keys take, about.
    fn memory_bytes(self) -> u64 {
        u64::from(self.keys()) * (u64::from(self.value_bytes) + 160)
    }
}

/// What one step measured.
struct Measured {
    name: &'static str,
    title: &'static str,
    ops: u64,
    wall: Duration,
    /// Of each round trip, in microseconds.
    trips: Vec<u32>,
    server_us: Option<f64>,
    server_busy: Option<f64>,
    client_busy: Option<f64>,
}

struct Bench<'a> {
    store: &'a EventStore,
    link: Link,
    plan: BenchmarkPlan,
    prefix: String,
    cancel: CancellationToken,
    report: &'a (dyn Fn(JobProgress) + Send + Sync),
    done: u64,
    probed: Instant,
    slow: u32,
    /// Why it ended before its end.
    stopped: Option<String>,
}

/// What a run would do: operations, keys, memory; refuses what the server has no room for.
///
/// # Errors
/// `NoRoom` when the keys would take too much of a limit of memory; every cause of [`RedisError`].
pub async fn preview(store: &EventStore, plan: BenchmarkPlan) -> Result<JobReport, RedisError> {
    let info = info(store).await?;
    room(&info, plan)?;
    let mut notes = Vec::new();
    if info.count("maxmemory").unwrap_or(0) == 0 {
        notes.push("the server has no limit of memory".to_owned());
    }
    Ok(JobReport {
        figures: vec![
            Figure::count("ops", "Operations", plan.operations()),
            Figure::count("keys", "Keys at a time", u64::from(plan.keys())),
            Figure::bytes("memory_bytes", "Their memory, about", plan.memory_bytes()),
            Figure::new("ttl_s", "They expire after", f64::from(TTL_S), Unit::Seconds),
        ],
        facts: vec![Fact::new("prefix", "Keys begin with", prefix(store))],
        notes,
    })
}

/// What came of a benchmark.
#[derive(Debug)]
pub struct Benchmarked {
    /// Of the steps that were measured to their end, however it ended.
    pub report: JobReport,
    /// Why it ended before its end; `Cancelled` within 200 ms, or a second later where the server does not answer.
    pub ended: Result<(), RedisError>,
}

/// Measures. Its keys are removed afterwards, whatever happens; when `cancel` fires, too.
///
/// # Errors
/// As [`preview`], before anything was written; what went wrong later stands in [`Benchmarked`].
pub async fn benchmark(
    store: &EventStore,
    plan: BenchmarkPlan,
    report: &(dyn Fn(JobProgress) + Send + Sync),
    cancel: CancellationToken,
) -> Result<Benchmarked, RedisError> {
    room(&stop::read(&cancel, info(store)).await?, plan)?;
    let mut bench = Bench {
        store,
        link: Link::new(store.inner.route.clone(), "watchpost-bench", Duration::from_secs(10)),
        plan,
        prefix: format!("{}{}:", prefix(store), Uuid::now_v7().simple()),
        cancel,
        report,
        done: 0,
        probed: Instant::now(),
        slow: 0,
        stopped: None,
    };
    stop::read(&bench.cancel, bench.link.ensure()).await?;
    let mut measured = Vec::new();
    let all = bench.all(&mut measured).await;
    // That the keys stay until they run out matters less than why it ended.
    let (removed, ended) = match bench.clean().await {
        Ok(removed) => (Some(removed), all),
        Err(error) => (None, all.and(Err(error))),
    };
    Ok(Benchmarked { report: bench.report(&measured, removed), ended })
}

/// What the keys of a run begin with.
#[must_use]
pub fn prefix(store: &EventStore) -> String {
    format!("{}wpbench:", store.inner.target.prefix)
}

async fn info(store: &EventStore) -> Result<Info, RedisError> {
    let mut cmd = redis::cmd("INFO");
    cmd.arg("everything");
    Ok(Info::parse(&store.inner.probe.query::<String>(&cmd).await?))
}

#[expect(clippy::cast_precision_loss, reason = "sizes stay far below 2^53")]
fn room(info: &Info, plan: BenchmarkPlan) -> Result<(), RedisError> {
    let (used, limit) = (info.count("used_memory").unwrap_or(0), info.count("maxmemory").unwrap_or(0));
    let after = (used + plan.memory_bytes()) as f64;
    if limit > 0 && after > limit as f64 * (1.0 - MEMORY_FREE) {
        Err(RedisError::NoRoom { free: "a fifth", used, limit })
    } else {
        Ok(())
    }
}

impl Bench<'_> {
    /// Step by step; those that came to their end stand in `measured`, whatever the next one runs into.
    async fn all(&mut self, measured: &mut Vec<Measured>) -> Result<(), RedisError> {
        let plan = self.plan;
        let value = vec![b'x'; plan.value_bytes as usize];
        for (name, title, pipeline, command) in [
            ("write", "Write", 1, "set"),
            ("write_pipeline", "Write in pipelines", plan.pipeline, "set"),
            ("read", "Read", 1, "get"),
            ("read_pipeline", "Read in pipelines", plan.pipeline, "get"),
            ("scan", "Scan", 1, "scan"),
        ] {
            if self.stopped.is_some() {
                break;
            }
            measured.push(self.step(name, title, pipeline, command, &value).await?);
        }
        Ok(())
    }

    /// What `asked` says, unless it is to stop: what it writes is its own and runs out by itself.
    fn told<T>(
        &self,
        asked: impl Future<Output = Result<T, RedisError>>,
    ) -> impl Future<Output = Result<T, RedisError>> {
        stop::read(&self.cancel, asked)
    }

    fn key(&self, n: u32) -> String {
        format!("{}{}", self.prefix, n % self.plan.keys())
    }

    fn command(&self, command: &str, n: u32, value: &[u8], cursor: &str) -> Cmd {
        let mut cmd = redis::cmd(command);
        match command {
            "set" => cmd.arg(self.key(n)).arg(value).arg("EX").arg(TTL_S),
            "get" => cmd.arg(self.key(n)),
            _ => cmd.arg(cursor).arg("COUNT").arg(SCAN_COUNT),
        };
        cmd
    }

    async fn step(
        &mut self,
        name: &'static str,
        title: &'static str,
        pipeline: u32,
        command: &str,
        value: &[u8],
    ) -> Result<Measured, RedisError> {
        let before = (self.told(info(self.store)).await?, client_cpu_s());
        let begun = Instant::now();
        let ops = if command == "scan" { SCANS } else { self.plan.ops };
        let (mut n, mut cursor) = (0, "0".to_owned());
        let mut trips = Vec::with_capacity((ops / pipeline) as usize + 1);
        while n < ops && begun.elapsed() < STEP_MAX && self.stopped.is_none() {
            let size = pipeline.min(ops - n);
            let mut pipe = redis::pipe();
            for idx in n..n + size {
                pipe.add_command(self.command(command, idx, value, &cursor));
            }
            let sent = Instant::now();
            let answers = self.told(self.link.pipe(pipe)).await?;
            trips.push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
            for answer in answers {
                let answer = answer.map_err(|error| self.store.classify(error))?;
                if command == "scan" {
                    cursor = crate::reply::scan(answer)
                        .map_or_else(|| "0".to_owned(), |(next, _)| next.to_string());
                }
            }
            n += size;
            self.done += u64::from(size);
            self.probe(title).await?;
        }
        self.say(title);
        let (wall, after) = (begun.elapsed(), (self.told(info(self.store)).await?, client_cpu_s()));
        let stat = |info: &Info| info.commands().find(|(name, _)| *name == command).map(|(_, stat)| stat);
        trips.sort_unstable();
        // Time of a core is counted in hundredths of a second: of a short step that says nothing.
        let is_long = wall >= BUSY_FROM;
        let busy = |cpu: Option<f64>| cpu.filter(|_| is_long).map(|cpu| cpu / wall.as_secs_f64());
        Ok(Measured {
            name,
            title,
            ops: u64::from(n),
            wall,
            trips,
            server_us: server_us(stat(&before.0), stat(&after.0)),
            server_busy: busy(server_cpu_s(&after.0).zip(server_cpu_s(&before.0)).map(|(b, a)| b - a)),
            client_busy: busy(after.1.zip(before.1).map(|(b, a)| b - a)),
        })
    }

    fn say(&self, title: &str) {
        (self.report)(JobProgress {
            done: self.done,
            total: Some(self.plan.operations()),
            unit: "operations".to_owned(),
            step: title.to_lowercase(),
        });
    }

    /// Looks after the other clients, and after the person who wants it to stop.
    async fn probe(&mut self, title: &str) -> Result<(), RedisError> {
        if self.cancel.is_cancelled() {
            return Err(RedisError::Cancelled);
        }
        if self.probed.elapsed() < PROBE_EVERY {
            return Ok(());
        }
        self.say(title);
        let sent = Instant::now();
        self.told(self.store.ping()).await?;
        let ms = sent.elapsed().as_secs_f64() * 1_000.0;
        self.probed = Instant::now();
        self.slow = if ms > PROBE_MS_MAX { self.slow + 1 } else { 0 };
        if self.slow >= PROBES {
            self.stopped = Some(format!(
                "stopped while it measured {:?}: a PING of another client took {ms:.0} ms",
                title.to_lowercase()
            ));
        }
        Ok(())
    }

    /// Removes every key of the run.
    async fn clean(&self) -> Result<u64, RedisError> {
        let numbers: Vec<u32> = (0..self.plan.keys()).collect();
        let mut removed = 0;
        for chunk in numbers.chunks(500) {
            let mut pipe = redis::pipe();
            for n in chunk {
                pipe.cmd("UNLINK").arg(self.key(*n));
            }
            // Also after a stop, unless the server does not answer.
            let asked = stop::unless_stopped(&self.cancel, stop::WRITTEN, self.link.pipe(pipe));
            let answers = asked.await.unwrap_or(Err(RedisError::Cancelled))?;
            removed += answers.iter().filter(|answer| matches!(answer, Ok(Value::Int(1)))).count() as u64;
        }
        Ok(removed)
    }

    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    fn report(self, measured: &[Measured], removed: Option<u64>) -> JobReport {
        let mut report = JobReport::default();
        for step in measured {
            let mut figure = |part: &str, title: &str, value: f64, unit| {
                report.figures.push(Figure::new(
                    &format!("{}_{part}", step.name),
                    &format!("{}: {title}", step.title),
                    value,
                    unit,
                ));
            };
            let rate = step.ops as f64 / step.wall.as_secs_f64().max(0.001);
            figure("per_s", "operations", rate, Unit::PerSecond);
            for (part, title, share) in
                [("p50_ms", "median", 0.5), ("p99_ms", "99 %", 0.99), ("p999_ms", "99.9 %", 0.999)]
            {
                if let Some(micros) = percentile(&step.trips, share) {
                    figure(part, title, f64::from(micros) / 1_000.0, Unit::Milliseconds);
                }
            }
            if let Some(micros) = step.server_us {
                figure("server_ms", "time of the server each", micros / 1_000.0, Unit::Milliseconds);
            }
        }
        report
            .figures
            .extend(removed.map(|removed| Figure::count("removed", "Keys removed afterwards", removed)));
        let busiest = measured
            .iter()
            .max_by(|a, b| a.server_busy.unwrap_or(0.0).total_cmp(&b.server_busy.unwrap_or(0.0)));
        let verdict = busiest.map_or_else(|| "nothing was measured".to_owned(), saturated);
        report.facts.push(Fact::new("saturated", "Saturated", verdict));
        report.facts.push(Fact::new("prefix", "Keys began with", self.prefix.clone()));
        report.notes.push(format!(
            "values of {} bytes, pipelines of {}; the latency of a pipeline is that of its round trip",
            self.plan.value_bytes, self.plan.pipeline
        ));
        report.notes.extend(self.stopped);
        if removed.is_none() {
            report.notes.push(format!(
                "the server did not say that the keys were removed: each expires {TTL_S} seconds after it was written"
            ));
        }
        report
    }
}

/// Which side had no more to give in the step in which the server was busiest.
fn saturated(step: &Measured) -> String {
    let share = |busy: Option<f64>| {
        busy.map_or_else(|| "unknown".to_owned(), |busy| format!("{:.0} %", busy * 100.0))
    };
    let is_busy = |busy: Option<f64>| busy.is_some_and(|busy| busy >= BUSY);
    let side = match (is_busy(step.server_busy), is_busy(step.client_busy)) {
        (true, true) => "both sides",
        (true, false) => "the server",
        (false, true) => "this client: the server can do more than these figures say",
        (false, false) => "neither: the time is in the way between them",
    };
    let (server, client) = (share(step.server_busy), share(step.client_busy));
    format!("{side} ({}: server {server} of a core, Watchpost {client})", step.title.to_lowercase())
}

/// Of sorted microseconds.
fn percentile(sorted: &[u32], share: f64) -> Option<u32> {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index"
    )]
    let idx = ((sorted.len() as f64 * share).ceil() as usize).clamp(1, sorted.len().max(1)) - 1;
    sorted.get(idx).copied()
}

/// Microseconds that the server spent on a command; its other clients' are among them.
#[expect(clippy::cast_precision_loss, reason = "counters stay far below 2^53")]
fn server_us(before: Option<CommandStat>, after: Option<CommandStat>) -> Option<f64> {
    let after = after?;
    let (calls, usec) = before.map_or((0, 0), |before| (before.calls, before.usec));
    let n = after.calls.checked_sub(calls).filter(|n| *n > 0)?;
    Some(after.usec.checked_sub(usec)? as f64 / n as f64)
}

/// Seconds of the thread that runs the commands; of all threads where the server does not tell them apart.
fn server_cpu_s(info: &Info) -> Option<f64> {
    let of = |user: &str, sys: &str| Some(info.number(user)? + info.number(sys)?);
    of("used_cpu_user_main_thread", "used_cpu_sys_main_thread")
        .or_else(|| of("used_cpu_user", "used_cpu_sys"))
}

/// Seconds of CPU that this process has taken: fields 14 and 15 of its `stat`.
fn client_cpu_s() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / TICKS_PER_S)
}

#[cfg(test)]
mod tests {
    use super::percentile;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let sorted: Vec<u32> = (1..=1_000).collect();
        for (share, expect) in [(0.5, 500), (0.99, 990), (0.999, 999), (1.0, 1_000)] {
            assert_eq!(percentile(&sorted, share), Some(expect));
        }
        assert_eq!(percentile(&[7], 0.5), Some(7));
        assert_eq!(percentile(&[], 0.5), None);
    }
}
