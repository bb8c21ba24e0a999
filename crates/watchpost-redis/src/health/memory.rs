//! Memory beside its use: the limit, what could be given back, and what clients hold.

use watchpost_model::health::Metric;
use watchpost_model::health::Unit;
use watchpost_model::health::Verdict;

use super::JUDGE_FROM_BYTES;
use super::MIB;
use crate::info::Info;

/// Share of the machine's memory from which a server without a limit is a matter of concern.
const UNLIMITED_SHARE: f64 = 0.1;
/// The same where the server does not know the machine's memory.
const UNLIMITED_BYTES: f64 = 100.0 * MIB;
/// From where `MEMORY DOCTOR` speaks: of bytes lost, and of bytes of each client.
const NOTE_BYTES: f64 = 10.0 * MIB;
const NOTE_RATIO: f64 = 1.1;
const CLIENT_BYTES: f64 = 200.0 * 1024.0;
const PEAK_RATIO: f64 = 1.5;

pub(super) fn metrics(info: &Info) -> Vec<Metric> {
    let allocated = info.count("allocator_allocated").or_else(|| info.count("used_memory"));
    let is_small = allocated.is_none_or(|bytes| bytes < JUDGE_FROM_BYTES);
    vec![unlimited(info), purgeable(info), overhead(info), peak(info, is_small), of_clients(info)]
}

fn unlimited(info: &Info) -> Metric {
    let limit = info.number("maxmemory");
    let is_unlimited = limit.is_some_and(|limit| limit <= 0.0);
    let basis = match limit {
        None => "the server does not tell its memory limit".to_owned(),
        Some(limit) if limit > 0.0 => format!("maxmemory is {:.0} MiB", limit / MIB),
        Some(_) => "maxmemory is 0: the server may take all memory of the machine, which then ends it; a finding, and \
                    a warning from a tenth of the machine's memory on"
            .to_owned(),
    };
    let value = limit.map(|_| if is_unlimited { 1.0 } else { 0.0 });
    let mut metric = Metric::judged("memory_unlimited", "No memory limit", Unit::Count, value, None, basis);
    let machine = info.number("total_system_memory").filter(|machine| *machine > 0.0);
    let much = machine.map_or(UNLIMITED_BYTES, |machine| machine * UNLIMITED_SHARE);
    if is_unlimited && info.number("used_memory").is_some_and(|used| used > much) {
        metric.verdict = Verdict::Warning;
    }
    metric
}

/// Only this part can fall by `MEMORY PURGE`.
fn purgeable(info: &Info) -> Metric {
    let bytes = info.number("allocator_rss_bytes").map(|bytes| bytes.max(0.0));
    let ratio = info.number("allocator_rss_ratio");
    let basis = match (bytes, ratio) {
        (None, _) => "the server does not tell".to_owned(),
        (Some(bytes), Some(ratio)) if bytes > NOTE_BYTES && ratio > NOTE_RATIO => {
            "allocator resident - active; to note: MEMORY PURGE, which Optimise does, may give it back"
                .to_owned()
        }
        _ => "allocator resident - active; too little to purge".to_owned(),
    };
    Metric::judged("memory_purgeable_bytes", "Memory to purge", Unit::Bytes, bytes, None, basis)
}

fn overhead(info: &Info) -> Metric {
    // Less than none: a part is swapped out, or was counted at another moment.
    let bytes = info.number("rss_overhead_bytes").map(|bytes| bytes.max(0.0));
    let basis = match (bytes, info.number("rss_overhead_ratio")) {
        (None, _) => "the server does not tell".to_owned(),
        (Some(bytes), Some(ratio)) if bytes > NOTE_BYTES && ratio > NOTE_RATIO => {
            format!(
                "resident beyond the allocator, {ratio:.2} times; to note: scripts, modules, or the program itself"
            )
        }
        _ => "resident beyond the allocator: the program, scripts, modules".to_owned(),
    };
    Metric::judged("process_overhead_bytes", "Overhead of the process", Unit::Bytes, bytes, None, basis)
}

fn peak(info: &Info, is_small: bool) -> Metric {
    let ratio = match (info.number("used_memory_peak"), info.number("used_memory")) {
        (Some(peak), Some(used)) if used > 0.0 && !is_small => Some(peak / used),
        _ => None,
    };
    let basis = match ratio {
        None if is_small && info.text("used_memory").is_some() => {
            "too small to judge: under 5 MiB are allocated"
        }
        None => "the server does not tell",
        Some(ratio) if ratio > PEAK_RATIO => {
            "used_memory_peak / used_memory; to note: resident memory may stay as it was at the peak, which is harmless"
        }
        Some(_) => "used_memory_peak / used_memory",
    };
    Metric::judged("memory_peak_ratio", "Peak of memory to now", Unit::Ratio, ratio, None, basis)
}

/// Buffers of clients, together; judged by their mean.
fn of_clients(info: &Info) -> Metric {
    let bytes = info.number("mem_clients_normal");
    let clients = info.number("connected_clients").filter(|clients| *clients > 0.0);
    let mean = bytes.and_then(|bytes| Some(bytes / clients?));
    let buffer = |name| match info.number(name) {
        Some(bytes) => format!("{:.1} KiB", bytes / 1024.0),
        None => "n/a".to_owned(),
    };
    let basis = match mean {
        Some(mean) => format!(
            "mem_clients_normal, {:.1} KiB for each client, warning above 200 KiB; largest of late: of a query {}, of a \
             reply {}",
            mean / 1024.0,
            buffer("client_recent_max_input_buffer"),
            buffer("client_recent_max_output_buffer")
        ),
        None => "the server does not tell".to_owned(),
    };
    let mut metric =
        Metric::judged("clients_memory_bytes", "Memory of clients", Unit::Bytes, bytes, None, basis);
    if mean.is_some_and(|mean| mean > CLIENT_BYTES) {
        metric.verdict = Verdict::Warning;
    }
    metric
}
