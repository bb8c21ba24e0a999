//! What keeps the server busy, and how long its commands take.

use std::collections::BTreeMap;

use watchpost_model::health::Metric;
use watchpost_model::health::Unit;

use super::Change;
use super::Reading;
use super::basis_of;
use super::needs_two;
use crate::asked::Answer;
use crate::asked::ENTRIES;
use crate::asked::Logged;
use crate::info::Info;

/// An idle server spends its few rounds on chores: their mean says nothing.
const LOOP_BUSY_SHARE: f64 = 0.25;
/// Fewer commands have no hundredth part.
const CALLS_MIN: u64 = 100;
/// Events of the latency monitor are told for this long.
const EVENT_S: f64 = 600.0;
/// Entries of logs are counted over this time.
const LOG_S: f64 = 300.0;
/// From less than this no rate is told.
const MINUTE_S: f64 = 60.0;
/// What is counted so.
const LOGS: [&str; 3] = ["slow_commands_per_min", "large_requests_per_min", "large_replies_per_min"];

/// Is it of a log, whose entries may be Watchpost's own?
pub(crate) fn is_of_log(metric: &Metric) -> bool {
    LOGS.contains(&metric.name.as_str())
}

pub(super) fn metrics(before: Option<&Reading>, now: &Reading, change: Option<&Change<'_>>) -> Vec<Metric> {
    let mut metrics = percentiles(before, now, change);
    metrics.push(latency_events(now));
    metrics.push(event_loop(&now.info, change));
    metrics.extend(logs(now));
    metrics.push(blocked(&now.info));
    metrics.push(expiry_cap(&now.info, change));
    metrics
}

fn percentiles(before: Option<&Reading>, now: &Reading, change: Option<&Change<'_>>) -> Vec<Metric> {
    let took = change.and_then(|_| grown(before?.asked.took.as_ref().ok()?, now.asked.took.as_ref().ok()?));
    let calls = took.as_ref().map(|took| took.values().sum::<u64>());
    let basis = match (&now.asked.took, calls) {
        (Err(why), _) => format!("{} (of Redis 7.0 and later)", why.words("LATENCY HISTOGRAM")),
        (Ok(_), None) => needs_two(change),
        (Ok(_), Some(calls)) if calls < CALLS_MIN => {
            format!("{calls} commands between two samples, which is too few: it takes {CALLS_MIN}")
        }
        (Ok(_), Some(calls)) => {
            format!(
                "LATENCY HISTOGRAM: {calls} commands, Watchpost's own included; at most this, in powers of two"
            )
        }
    };
    let took = took.filter(|_| calls.is_some_and(|calls| calls >= CALLS_MIN));
    let of = |name, title, per_mille, thresholds| {
        let value = took.as_ref().and_then(|took| percentile(took, per_mille));
        Metric::judged(name, title, Unit::Milliseconds, value, thresholds, basis.clone())
    };
    vec![
        of("command_p50_ms", "Command latency, p50", 500, None),
        of("command_p99_ms", "Command latency, p99", 990, Some((10.0, 100.0))),
        of("command_p999_ms", "Command latency, p99.9", 999, None),
    ]
}

/// How much each bucket grew; `None` if one went back (`CONFIG RESETSTAT`).
fn grown(before: &BTreeMap<u64, u64>, after: &BTreeMap<u64, u64>) -> Option<BTreeMap<u64, u64>> {
    if before.keys().any(|upto| !after.contains_key(upto)) {
        return None;
    }
    let grown = |(upto, calls): (&u64, &u64)| {
        Some((*upto, calls.checked_sub(before.get(upto).copied().unwrap_or(0))?))
    };
    after.iter().map(grown).collect()
}

/// The bucket, in milliseconds, up to which this many thousandths of the calls lie.
fn percentile(took: &BTreeMap<u64, u64>, per_mille: u64) -> Option<f64> {
    let rank = (took.values().sum::<u64>() * per_mille).div_ceil(1_000);
    let mut seen = 0_u64;
    let upto = took.iter().find_map(|(upto, calls)| {
        seen += calls;
        (seen >= rank).then_some(*upto)
    })?;
    #[expect(clippy::cast_precision_loss, reason = "microseconds of one command stay far below 2^53")]
    let ms = upto as f64 / 1_000.0;
    Some(ms)
}

/// The server's clock, in seconds: logs have no other.
fn server_s(info: &Info) -> Option<f64> {
    Some(info.number("server_time_usec")? / 1e6)
}

#[expect(clippy::cast_precision_loss, reason = "Unix seconds and milliseconds stay far below 2^53")]
fn latency_events(now: &Reading) -> Metric {
    let off = now.asked.event_threshold.as_deref() == Ok("0");
    let (value, basis) = match (&now.asked.events, server_s(&now.info)) {
        (Err(why), _) => (None, why.words("LATENCY LATEST")),
        (Ok(_), None) => (None, "the server does not tell its time".to_owned()),
        (Ok(events), Some(now_s)) => {
            let recent: Vec<_> = events.iter().filter(|event| now_s - event.at_s as f64 <= EVENT_S).collect();
            match recent.iter().map(|event| event.latest_ms).max() {
                Some(most) => {
                    let names: Vec<String> = recent
                        .iter()
                        .map(|event| format!("{} {} ms", event.name, event.latest_ms))
                        .collect();
                    (Some(most as f64), format!("LATENCY LATEST of ten minutes: {}", names.join(", ")))
                }
                None if off => (
                    None,
                    "the server's latency monitor is off: CONFIG SET latency-monitor-threshold 100 there turns it on"
                        .to_owned(),
                ),
                None if now.asked.event_threshold.is_ok() => {
                    (Some(0.0), "LATENCY LATEST: no event in ten minutes".to_owned())
                }
                None => (None, "no event in ten minutes, or the server's latency monitor is off".to_owned()),
            }
        }
    };
    Metric::judged(
        "latency_event_ms",
        "Latency events",
        Unit::Milliseconds,
        value,
        Some((100.0, 1_000.0)),
        basis,
    )
}

fn event_loop(info: &Info, change: Option<&Change<'_>>) -> Metric {
    let grown = change.and_then(|change| {
        let (usec, cycles) = (change.grown("eventloop_duration_sum")?, change.grown("eventloop_cycles")?);
        (cycles > 0.0).then(|| (usec / cycles / 1e3, usec / 1e6 / change.seconds))
    });
    let is_busy = grown.is_some_and(|(_, share)| share > LOOP_BUSY_SHARE);
    let basis = match grown {
        Some((_, share)) if is_busy => {
            format!("time of the event loop by its rounds; busy {:.0} % of the time", share * 100.0)
        }
        Some((_, share)) => format!(
            "time of the event loop by its rounds; not judged, for it is busy {:.0} % of the time only",
            share * 100.0
        ),
        None if info.text("eventloop_cycles").is_none() => {
            "this server does not tell (Redis 7.2 and later do)".to_owned()
        }
        None => needs_two(change),
    };
    Metric::judged(
        "event_loop_ms",
        "Event loop, mean",
        Unit::Milliseconds,
        grown.map(|(mean, _)| mean),
        is_busy.then_some((1.0, 10.0)),
        basis,
    )
}

fn logs(now: &Reading) -> Vec<Metric> {
    let now_s = server_s(&now.info);
    let of = |name, title, log: &Answer<Vec<Logged>>, command, thresholds| {
        let (value, basis) = log_rate(log, now_s, command);
        Metric::judged(name, title, Unit::PerMinute, value, thresholds, basis)
    };
    vec![
        // One now and then is no cause for alarm; one a minute all the time is.
        of("slow_commands_per_min", "Slow commands", &now.asked.slow, "SLOWLOG GET", Some((1.0, 60.0))),
        of(
            "large_requests_per_min",
            "Large requests",
            &now.asked.large_requests,
            "COMMANDLOG GET large-request (Valkey 8.1 and later)",
            Some((1.0, 60.0)),
        ),
        of(
            "large_replies_per_min",
            "Large replies",
            &now.asked.large_replies,
            "COMMANDLOG GET large-reply (Valkey 8.1 and later)",
            Some((1.0, 60.0)),
        ),
    ]
}

/// New entries of others a minute over the last five; where more came than are kept, over the time that those took, or a
/// minute if that is longer: what was before a second that is known does not follow from it.
/// Watchpost's own are told and not judged: its jobs are meant to keep the server busy, at their own pace.
#[expect(clippy::cast_precision_loss, reason = "at most 128 entries, and Unix seconds")]
fn log_rate(log: &Answer<Vec<Logged>>, now_s: Option<f64>, command: &str) -> (Option<f64>, String) {
    let log = match log {
        Ok(log) => log,
        Err(why) => return (None, why.words(command)),
    };
    let Some(now_s) = now_s else { return (None, "the server does not tell its time".to_owned()) };
    let ages: Vec<f64> = log.iter().map(|entry| now_s - entry.at_s as f64).collect();
    let recent = ages.iter().filter(|age| **age <= LOG_S).count();
    let own = log.iter().zip(&ages).filter(|(entry, age)| entry.own && **age <= LOG_S).count();
    let is_full = recent >= ENTRIES;
    let oldest = ages.iter().copied().fold(1.0, f64::max);
    let seconds = if is_full { oldest.min(LOG_S) } else { LOG_S };
    let others = recent - own;
    let mut words = format!(
        "{command}: {others} entries in {seconds:.0} s; {own} more of Watchpost itself, which are not judged"
    );
    if seconds < MINUTE_S {
        words.push_str("; the log keeps no more, so that these are counted as those of a minute");
    }
    (Some(others as f64 * 60.0 / seconds.max(MINUTE_S)), words)
}

fn blocked(info: &Info) -> Metric {
    Metric::judged(
        "blocked_clients",
        "Clients that wait",
        Unit::Count,
        info.number("blocked_clients"),
        None,
        match info.text("blocked_clients") {
            Some(_) => "blocked_clients: in a blocking command; the engine waits so for new events",
            None => "the server does not tell",
        },
    )
}

fn expiry_cap(info: &Info, change: Option<&Change<'_>>) -> Metric {
    let is_replica = info.text("role") == Some("slave");
    let rate = change.and_then(|change| change.per_s("expired_time_cap_reached_count"));
    Metric::judged(
        "expiry_cut_per_s",
        "Expiry cut short",
        Unit::PerSecond,
        rate.filter(|_| !is_replica),
        // Of ten rounds a second.
        Some((2.0, 8.0)),
        if is_replica {
            "a replica does not expire keys".to_owned()
        } else {
            basis_of(change, "expired_time_cap_reached_count: rounds that ran out of their time")
        },
    )
}
