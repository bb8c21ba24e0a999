//! What would be lost: the last save, the disk behind the append-only file, and how far replicas are behind.

use watchpost_model::health::Metric;
use watchpost_model::health::Unit;
use watchpost_model::health::Verdict;

use super::Change;
use super::MIB;
use super::Reading;
use super::basis_of;
use crate::info::Info;

/// A save that is older than this is overdue where the server saves by itself.
const SAVE_S: (f64, f64) = (48.0 * 3_600.0, 7.0 * 24.0 * 3_600.0);
/// A replica that was away for so long should find what it missed.
const COVER_S: f64 = 60.0;
/// A burst of less than this is no rate of writes.
const COVER_WINDOW_S: f64 = 5.0;

pub(super) fn metrics(now: &Reading, change: Option<&Change<'_>>) -> Vec<Metric> {
    let info = &now.info;
    let mut metrics = vec![last_save(now), delayed_fsync(info, change)];
    metrics.extend(gap(info));
    metrics.extend(cover(info, change));
    metrics
}

fn last_save(now: &Reading) -> Metric {
    let info = &now.info;
    let age = match (info.number("server_time_usec"), info.number("rdb_last_save_time")) {
        (Some(now), Some(saved)) => Some((now / 1e6 - saved).max(0.0)),
        _ => None,
    };
    let changes = info.count("rdb_changes_since_last_save");
    let changed = changes.map_or_else(|| "n/a".to_owned(), |changes| changes.to_string());
    let (thresholds, basis) = match &now.asked.save {
        _ if age.is_none() => (None, "the server does not tell".to_owned()),
        Err(why) => (None, format!("not judged, for {}", why.words("CONFIG GET save"))),
        Ok(save) if save.trim().is_empty() => {
            (None, "since the last save or the start; the server does not save by itself".to_owned())
        }
        Ok(_) if changes == Some(0) => (None, "nothing has changed since".to_owned()),
        Ok(save) => (Some(SAVE_S), format!("{changed} changes since; the server saves by {save:?}")),
    };
    let mut metric =
        Metric::judged("last_save_age_s", "Since the last save", Unit::Seconds, age, thresholds, basis);
    if now.asked.save.is_err() {
        metric.verdict = Verdict::Unknown;
    }
    metric
}

fn delayed_fsync(info: &Info, change: Option<&Change<'_>>) -> Metric {
    let is_off = info.text("aof_enabled") == Some("0");
    Metric::judged(
        "aof_delayed_fsync",
        "Delayed writes to disk",
        Unit::Count,
        change.and_then(|change| change.grown("aof_delayed_fsync")),
        Some((0.0, 100.0)),
        if is_off {
            "the append-only file is off".to_owned()
        } else {
            basis_of(change, "aof_delayed_fsync: the disk was too slow")
        },
    )
}

/// Bytes that the furthest replica has not got; on a replica, that it has got and not applied.
fn gap(info: &Info) -> Option<Metric> {
    let (value, basis) = if info.text("role") == Some("slave") {
        let gap = match (info.number("slave_read_repl_offset"), info.number("slave_repl_offset")) {
            (Some(read), Some(applied)) => Some((read - applied).max(0.0)),
            _ => None,
        };
        (gap, "received from the primary and not applied (Redis 7.0 and later tell)".to_owned())
    } else {
        let replicas = info.count("connected_slaves").filter(|n| *n > 0)?;
        let ours = info.number("master_repl_offset");
        let behind = |n: u64| {
            let theirs = info.part(&format!("slave{n}"), "offset")?.parse::<f64>().ok()?;
            Some((ours? - theirs).max(0.0))
        };
        let most = (0..replicas).filter_map(behind).reduce(f64::max);
        (most, format!("master_repl_offset - offset, the furthest of {replicas} replicas"))
    };
    Some(Metric::judged("replica_gap_bytes", "Not on a replica yet", Unit::Bytes, value, None, basis))
}

/// How long a replica may be away and still go on from the backlog.
fn cover(info: &Info, change: Option<&Change<'_>>) -> Option<Metric> {
    info.count("connected_slaves").filter(|n| *n > 0 && info.text("role") != Some("slave"))?;
    let rate = change.and_then(|change| change.per_s("master_repl_offset"));
    // One that is not full yet holds all that there was.
    let kept = match (info.number("repl_backlog_size"), info.number("repl_backlog_histlen")) {
        (Some(size), Some(held)) => Some(size.max(held)),
        (size, _) => size,
    };
    let value = match (kept, rate) {
        (Some(kept), Some(rate)) if rate > 0.0 => Some(kept / rate),
        _ => None,
    };
    let basis = match (kept, rate) {
        (Some(kept), Some(rate)) if rate > 0.0 => format!(
            "a backlog of {:.1} MiB at {:.1} KiB/s written; warning under {COVER_S:.0} s, judged over {COVER_WINDOW_S:.0} s \
             and more",
            kept / MIB,
            rate / 1024.0
        ),
        (Some(_), Some(_)) => "nothing was written between two samples".to_owned(),
        _ => basis_of(change, "the server does not tell"),
    };
    let mut metric = Metric::judged(
        "repl_backlog_cover_s",
        "A replica may be away for",
        Unit::Seconds,
        value,
        None,
        basis,
    );
    let is_long = change.is_some_and(|change| change.seconds >= COVER_WINDOW_S);
    if is_long && value.is_some_and(|value| value < COVER_S) {
        metric.verdict = Verdict::Warning;
    }
    Some(metric)
}
