//! Health: what the figures of a server mean. Pure; [`crate::probe`] collects them.
//!
//! Rates need two samples of one server process whose counters have not gone back; otherwise they are unknown, and
//! unknown is never zero. Ratios of a nearly empty server say nothing and are not judged.

use watchpost_model::health::Metric;
use watchpost_model::health::Unit;
use watchpost_model::health::Verdict;

use crate::asked::Asked;
use crate::backlog::Backlog;
use crate::info::Info;

mod access;
mod cluster;
mod durable;
mod load;
mod memory;

pub(crate) use cluster::adds_up;
pub(crate) use cluster::lowest_counts;
pub(crate) use cluster::sentinels;
pub(crate) use cluster::skew;
pub(crate) use load::is_of_log;

/// Under this many allocated bytes ratios are noise; the cut-off of `MEMORY DOCTOR`.
const JUDGE_FROM_BYTES: u64 = 5 << 20;
const MIB: f64 = 1_048_576.0;
/// A hit rate needs a window and a number of lookups to mean something.
const HIT_WINDOW_S: f64 = 60.0;
const HIT_LOOKUPS: f64 = 1_000.0;

/// One reading of a server.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reading {
    pub(crate) info: Info,
    /// Own round trips, milliseconds.
    pub(crate) pings_ms: Vec<f64>,
    pub(crate) backlog: Option<Backlog>,
    pub(crate) events_per_min: Option<f64>,
    /// What the server tells beside `INFO`.
    pub(crate) asked: Asked,
    /// Commands with which this process has looked for bare hashes.
    pub(crate) looks: u64,
}

/// Two readings, if rates between them mean something.
pub(crate) struct Change<'a> {
    before: &'a Info,
    after: &'a Info,
    pub(crate) seconds: f64,
}

impl<'a> Change<'a> {
    pub(crate) fn between(before: &'a Info, after: &'a Info) -> Option<Self> {
        if before.text("run_id").is_none() || before.text("run_id") != after.text("run_id") {
            return None;
        }
        let seconds = match (before.number("server_time_usec"), after.number("server_time_usec")) {
            (Some(before), Some(after)) => (after - before) / 1e6,
            _ => after.number("uptime_in_seconds")? - before.number("uptime_in_seconds")?,
        };
        (seconds > 0.0).then_some(Self { before, after, seconds })
    }

    /// How much a counter grew; `None` if it went back (`CONFIG RESETSTAT`) or is missing.
    pub(crate) fn grown(&self, name: &str) -> Option<f64> {
        grown(self.before.number(name)?, self.after.number(name)?)
    }

    pub(crate) fn per_s(&self, name: &str) -> Option<f64> {
        Some(self.grown(name)? / self.seconds)
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of errors stay far below 2^53")]
    fn errors(&self, code: &str) -> Option<f64> {
        grown(self.before.errors(code)? as f64, self.after.errors(code)? as f64)
    }

    /// Mean server time of a command in milliseconds, and the number of commands.
    #[expect(clippy::cast_precision_loss, reason = "calls between two samples stay far below 2^53")]
    fn command_mean_ms(&self) -> Option<(f64, u64)> {
        let old: std::collections::HashMap<_, _> = self.before.commands().collect();
        let (mut calls, mut usec) = (0, 0);
        for (name, stat) in self.after.commands() {
            let before = old.get(name).copied().unwrap_or_default();
            calls += stat.calls.checked_sub(before.calls)?;
            usec += stat.usec.checked_sub(before.usec)?;
        }
        (calls > 0).then(|| (usec as f64 / calls as f64 / 1_000.0, calls))
    }
}

fn grown(before: f64, after: f64) -> Option<f64> {
    (after >= before).then_some(after - before)
}

/// The worst verdict; unknown only if nothing is known.
pub(crate) fn worst(metrics: &[Metric]) -> Verdict {
    worst_of(metrics.iter().map(|metric| metric.verdict))
}

/// The same of verdicts.
pub(crate) fn worst_of(verdicts: impl Iterator<Item = Verdict> + Clone) -> Verdict {
    [Verdict::Critical, Verdict::Warning, Verdict::Ok]
        .into_iter()
        .find(|worst| verdicts.clone().any(|verdict| verdict == *worst))
        .unwrap_or(Verdict::Unknown)
}

/// All metrics: those with agreed thresholds first.
pub(crate) fn assess(before: Option<&Reading>, now: &Reading) -> Vec<Metric> {
    let change = before.and_then(|before| Change::between(&before.info, &now.info));
    let mut metrics = main_metrics(now, change.as_ref());
    metrics.extend(memory_metrics(before, &now.info));
    let looks = before.and_then(|before| now.looks.checked_sub(before.looks));
    let looks_per_s = looks.zip(change.as_ref()).map(|(looks, change)| precise(looks) / change.seconds);
    metrics.extend(load_metrics(&now.info, change.as_ref(), looks_per_s));
    metrics.extend(expiry_metrics(&now.info, change.as_ref()));
    metrics.extend(loss_metrics(&now.info, change.as_ref()));
    metrics.extend(durability_metrics(&now.info));
    metrics.extend(memory::metrics(&now.info));
    metrics.extend(load::metrics(before, now, change.as_ref()));
    metrics.extend(access::metrics(&now.info, change.as_ref()));
    metrics.extend(durable::metrics(now, change.as_ref()));
    metrics.extend(cluster::metrics(now));
    metrics
}

#[expect(clippy::cast_precision_loss, reason = "commands between two samples stay far below 2^53")]
const fn precise(count: u64) -> f64 {
    count as f64
}

/// The table of DESIGN section 6.
#[expect(clippy::cast_precision_loss, reason = "a backlog stays far below 2^53")]
fn main_metrics(now: &Reading, change: Option<&Change<'_>>) -> Vec<Metric> {
    let (memory, memory_basis) = memory_ratio(&now.info);
    let backlog = now.backlog.map(|backlog| backlog.total() as f64);
    let backlog_basis = match now.backlog {
        Some(b) => format!(
            "{} waiting, {} in work, bare hashes {}",
            b.lag,
            b.pending,
            b.unadopted.map_or_else(|| "not counted yet".to_owned(), |n| n.to_string())
        ),
        None => "the stream cannot be asked".to_owned(),
    };
    let mean = change.and_then(Change::command_mean_ms);
    let mean_basis = match (mean, change) {
        (Some((_, calls)), Some(change)) => {
            format!(
                "INFO commandstats: {calls} commands in {:.0} s, Watchpost's own included",
                change.seconds
            )
        }
        _ => needs_two(change),
    };
    let thresholds = Some((5.0, 20.0));
    vec![
        Metric::judged(
            "memory_used_ratio",
            "Memory use",
            Unit::Ratio,
            memory,
            Some((0.70, 0.85)),
            memory_basis,
        ),
        Metric::judged(
            "events_per_min",
            "Event processing rate",
            Unit::PerMinute,
            now.events_per_min,
            Some((1_000.0, 5_000.0)),
            if now.events_per_min.is_some() { "counted by the engine" } else { "the engine is not running" },
        ),
        Metric::judged("backlog", "Backlog", Unit::Count, backlog, Some((10_000.0, 50_000.0)), backlog_basis),
        Metric::judged(
            "command_latency_ms",
            "Command latency",
            Unit::Milliseconds,
            mean.map(|(mean, _)| mean),
            thresholds,
            mean_basis,
        ),
        Metric::judged(
            "round_trip_ms",
            "Round trip, median",
            Unit::Milliseconds,
            percentile(&now.pings_ms, 0.5),
            thresholds,
            match percentile(&now.pings_ms, 0.99) {
                Some(p99) => {
                    format!("{} own PINGs on a separate connection, slowest {p99:.2} ms", now.pings_ms.len())
                }
                None => "no PING was answered".to_owned(),
            },
        ),
    ]
}

fn memory_ratio(info: &Info) -> (Option<f64>, String) {
    let Some(limit) = info.number("maxmemory") else {
        return (None, "the server does not tell its memory limit".to_owned());
    };
    let policy = info.text("maxmemory_policy").unwrap_or("unknown");
    if limit > 0.0 {
        let counted = info.number("mem_not_counted_for_evict").unwrap_or(0.0);
        let ratio = info.number("used_memory").map(|used| (used - counted) / limit);
        let effect = match (ratio, policy) {
            (Some(ratio), "noeviction") if ratio > 0.8 => "; when it is full, writes and blocks fail",
            (_, "noeviction") => "",
            _ => "; when it is full, events and blocks are evicted",
        };
        return (ratio, format!("of maxmemory {:.0} MiB, policy {policy}{effect}", limit / MIB));
    }
    let ratio = match (info.number("used_memory_rss"), info.number("total_system_memory")) {
        (Some(resident), Some(system)) if system > 0.0 => Some(resident / system),
        _ => None,
    };
    (
        ratio,
        "of the machine's memory: the server has no maxmemory (in a container the true limit may be lower)"
            .into(),
    )
}

fn memory_metrics(before: Option<&Reading>, info: &Info) -> Vec<Metric> {
    let allocated = info.count("allocator_allocated").or_else(|| info.count("used_memory"));
    let small = allocated.is_none_or(|bytes| bytes < JUDGE_FROM_BYTES);
    let mut fragmentation = info.number("allocator_frag_ratio").filter(|_| !small);
    let bytes = info.number("allocator_frag_bytes").unwrap_or(0.0);
    let basis = if small {
        fragmentation = None;
        "too small to judge: under 5 MiB are allocated".to_owned()
    } else {
        format!("allocator active / allocated, {:.1} MiB lost", bytes / MIB)
    };
    let mut frag =
        Metric::judged("fragmentation_ratio", "Fragmentation", Unit::Ratio, fragmentation, None, basis);
    if fragmentation.is_some_and(|ratio| ratio > 1.5) && bytes > 100.0 * MIB {
        frag.verdict = Verdict::Warning;
    }
    frag.warning = Some(1.5);

    let swapped = |info: &Info| match (info.number("used_memory_rss"), info.number("used_memory")) {
        (Some(resident), Some(used)) => {
            Some(if resident < 0.9 * used && used > 100.0 * MIB { 1.0 } else { 0.0 })
        }
        _ => None,
    };
    let twice = match (before.and_then(|before| swapped(&before.info)), swapped(info)) {
        (Some(before), Some(now)) => Some(f64::min(before, now)),
        _ => None,
    };
    let used = info.number("used_memory");
    vec![
        Metric::judged(
            "memory_used_bytes",
            "Memory in use",
            Unit::Bytes,
            used,
            None,
            match info.number("used_memory_peak") {
                Some(peak) => format!("peak {:.1} MiB", peak / MIB),
                None => "used_memory".to_owned(),
            },
        ),
        frag,
        Metric::judged(
            "swapped",
            "Swapped out",
            Unit::Count,
            twice,
            Some((0.0, 0.0)),
            "resident memory is under 90 % of used memory in two samples in a row",
        ),
    ]
}

fn load_metrics(info: &Info, change: Option<&Change<'_>>, looks_per_s: Option<f64>) -> Vec<Metric> {
    let cpu = change.and_then(|change| {
        Some(
            (change.grown("used_cpu_user_main_thread")? + change.grown("used_cpu_sys_main_thread")?)
                / change.seconds,
        )
    });
    let hits = change.filter(|change| change.seconds >= HIT_WINDOW_S).and_then(|change| {
        let (hits, misses) = (change.grown("keyspace_hits")?, change.grown("keyspace_misses")?);
        (hits + misses >= HIT_LOOKUPS).then(|| hits / (hits + misses))
    });
    let clients = match (info.number("connected_clients"), info.number("maxclients")) {
        (Some(clients), Some(most)) if most > 0.0 => Some(clients / most),
        _ => None,
    };
    let rate = |name| change.and_then(|change| change.per_s(name));
    let own = match looks_per_s {
        Some(looks) if looks >= 1.0 => {
            format!(
                "Watchpost's own included: its look for events that nobody announced is {looks:.0}/s of them"
            )
        }
        _ => "Watchpost's own included".to_owned(),
    };
    vec![
        Metric::judged(
            "ops_per_s",
            "Commands",
            Unit::PerSecond,
            rate("total_commands_processed"),
            None,
            basis_of(change, &own),
        ),
        Metric::judged(
            "main_thread_ratio",
            "Main thread busy",
            Unit::Ratio,
            cpu,
            Some((0.70, 0.90)),
            basis_of(change, "of one core"),
        ),
        Metric::judged(
            "hit_ratio",
            "Lookups that hit",
            Unit::Ratio,
            hits,
            None,
            if hits.is_some() {
                "for information: a store of events reads few keys"
            } else {
                "needs a minute and 1,000 lookups between two samples"
            },
        ),
        Metric::judged(
            "clients_ratio",
            "Clients",
            Unit::Ratio,
            clients,
            Some((0.80, 0.90)),
            match (info.count("connected_clients"), info.count("maxclients")) {
                (Some(clients), Some(most)) => format!("{clients} of {most}"),
                _ => "the server does not tell".to_owned(),
            },
        ),
    ]
}

fn expiry_metrics(info: &Info, change: Option<&Change<'_>>) -> Vec<Metric> {
    let rate = |name| change.and_then(|change| change.per_s(name));
    let is_replica = info.text("role") == Some("slave");
    vec![
        Metric::judged(
            "expired_per_s",
            "Keys expired",
            Unit::PerSecond,
            rate("expired_keys").filter(|_| !is_replica),
            None,
            if is_replica {
                "a replica does not count expiries".to_owned()
            } else {
                basis_of(change, "expired_keys")
            },
        ),
        Metric::judged(
            "expired_stale_ratio",
            "Expired keys still in memory",
            Unit::Ratio,
            info.number("expired_stale_perc").filter(|_| !is_replica).map(|percent| percent / 100.0),
            Some((0.10, 0.50)),
            // Its estimate is of the rounds that remove keys, which a replica does not make.
            if is_replica { "a replica does not expire keys" } else { "estimated by the server" },
        ),
    ]
}

fn loss_metrics(info: &Info, change: Option<&Change<'_>>) -> Vec<Metric> {
    let none_allowed = Some((0.0, 0.0));
    let since = |counter: Option<f64>| counter.filter(|_| change.is_some());
    vec![
        Metric::judged(
            "evicted_keys",
            "Keys evicted",
            Unit::Count,
            since(change.and_then(|change| change.grown("evicted_keys"))),
            none_allowed,
            basis_of(change, "an eviction loses events or blocks"),
        ),
        Metric::judged(
            "writes_refused",
            "Writes refused, memory full",
            Unit::Count,
            since(change.and_then(|change| change.errors("OOM"))),
            none_allowed,
            basis_of(change, "errorstat_OOM"),
        ),
        Metric::judged(
            "rejected_connections",
            "Connections refused",
            Unit::Count,
            since(change.and_then(|change| change.grown("rejected_connections"))),
            Some((0.0, 100.0)),
            basis_of(change, "more clients than maxclients"),
        ),
        Metric::judged(
            "wrong_passwords",
            "Wrong passwords at the server",
            Unit::Count,
            since(change.and_then(|change| change.errors("WRONGPASS"))),
            Some((5.0, 50.0)),
            basis_of(change, "somebody may be guessing"),
        ),
        Metric::judged(
            "fork_ms",
            "Last fork",
            Unit::Milliseconds,
            info.number("latest_fork_usec")
                .filter(|_| info.number("total_forks") != Some(0.0))
                .map(|usec| usec / 1e3),
            Some((100.0, 1_000.0)),
            "latest_fork_usec: the server stands still meanwhile",
        ),
    ]
}

fn durability_metrics(info: &Info) -> Vec<Metric> {
    let states = ["rdb_last_bgsave_status", "aof_last_write_status", "aof_last_bgrewrite_status"];
    let failed: Vec<&str> =
        states.into_iter().filter(|name| info.text(name).is_some_and(|state| state != "ok")).collect();
    let known = states.iter().any(|name| info.text(name).is_some());
    #[expect(clippy::cast_precision_loss, reason = "at most three")]
    let count = known.then_some(failed.len() as f64);
    let basis = match (failed.is_empty(), info.text("aof_enabled")) {
        (false, _) => format!("not ok: {}", failed.join(", ")),
        (true, Some("1")) => "append-only file on, last writes ok".to_owned(),
        (true, _) => "append-only file off, last saves ok".to_owned(),
    };
    let mut metrics = vec![Metric::judged(
        "persistence_failures",
        "Failed persistence",
        Unit::Count,
        count,
        Some((0.0, 0.0)),
        basis,
    )];
    metrics.extend(replication_metric(info));
    metrics
}

fn replication_metric(info: &Info) -> Option<Metric> {
    if info.text("role") == Some("slave") {
        let down = info.text("master_link_status").is_some_and(|status| status != "up");
        let seconds = info.number("master_last_io_seconds_ago").filter(|seconds| *seconds >= 0.0);
        let mut metric = Metric::judged(
            "replication_lag_s",
            "Behind the primary",
            Unit::Seconds,
            seconds,
            Some((10.0, 60.0)),
            "master_last_io_seconds_ago",
        );
        if down {
            metric.verdict = Verdict::Critical;
            "the link to the primary is down".clone_into(&mut metric.basis);
        }
        return Some(metric);
    }
    let replicas = info.count("connected_slaves").filter(|n| *n > 0)?;
    let names: Vec<String> = (0..replicas).map(|n| format!("slave{n}")).collect();
    // One that is given its first copy says 0 seconds for as long as that takes: it is behind by all there is.
    let state = |name: &String| info.part(name, "state").filter(|state| *state != "online");
    let copied: Vec<&str> = names.iter().filter_map(state).collect();
    let lag = names
        .iter()
        .filter(|_| copied.is_empty())
        .filter_map(|name| info.part(name, "lag")?.parse::<f64>().ok())
        .fold(None, |most: Option<f64>, lag| Some(most.map_or(lag, |most| most.max(lag))));
    let mut metric = Metric::judged(
        "replication_lag_s",
        "Slowest replica behind",
        Unit::Seconds,
        lag,
        Some((10.0, 60.0)),
        if replicas == 1 { "1 replica".to_owned() } else { format!("{replicas} replicas") },
    );
    if let Some(state) = copied.first() {
        metric.verdict = Verdict::Warning;
        metric.basis = format!(
            "{} of {} has no whole copy yet ({state}): a failover now would lose what it lacks",
            copied.len(),
            metric.basis
        );
    }
    Some(metric)
}

/// The value below which the share `p` of `values` lies; of few values the nearest one.
pub(crate) fn percentile(values: &[f64], p: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index"
    )]
    let index = ((sorted.len() as f64 * p).ceil() as usize).saturating_sub(1);
    sorted.get(index.min(sorted.len().saturating_sub(1))).copied()
}

fn basis_of(change: Option<&Change<'_>>, words: &str) -> String {
    match change {
        Some(change) => format!("over {:.0} s; {words}", change.seconds),
        None => needs_two(change),
    }
}

fn needs_two(change: Option<&Change<'_>>) -> String {
    match change {
        Some(_) => "the server does not tell, or its counters were reset".to_owned(),
        None => "needs two samples of the same server process".to_owned(),
    }
}

#[cfg(test)]
#[path = "health_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "health_samples_tests.rs"]
mod samples_tests;

#[cfg(test)]
#[path = "health_more_tests.rs"]
mod more_tests;
