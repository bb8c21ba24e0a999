//! A node's view of its cluster, how even its primaries are, and the Sentinels of a set.

use watchpost_model::health::Metric;
use watchpost_model::health::NodeHealth;
use watchpost_model::health::Unit;
use watchpost_model::health::Verdict;

use super::MIB;
use super::Reading;
use crate::sentinel::Quorum;

/// Under this nothing is uneven; the cut-off of `MEMORY DOCTOR`.
const JUDGE_FROM_BYTES: f64 = 5.0 * MIB;
/// Largest primary by the median one.
const SKEW: f64 = 1.5;

/// Of which the highest counts, though numbers of its kind are added up elsewhere.
const HIGHEST: [&str; 3] = ["cluster_slots_suspect", "cluster_slots_failed", "replica_gap_bytes"];
/// Of which the lowest counts.
const LOWEST: [&str; 1] = ["repl_backlog_cover_s"];

/// Is it the sum over primaries that counts?
pub(crate) fn adds_up(metric: &Metric) -> bool {
    match metric.unit {
        Unit::Ratio | Unit::Milliseconds | Unit::Seconds => false,
        Unit::Bytes | Unit::PerSecond | Unit::PerMinute | Unit::Count => {
            !HIGHEST.contains(&metric.name.as_str())
        }
    }
}

/// Is it the lowest of the primaries that counts?
pub(crate) fn lowest_counts(metric: &Metric) -> bool {
    LOWEST.contains(&metric.name.as_str())
}

/// Nothing where the server is in no cluster.
pub(super) fn metrics(now: &Reading) -> Vec<Metric> {
    if now.info.text("cluster_enabled") != Some("1") {
        return Vec::new();
    }
    let told = now.asked.cluster.as_ref();
    let number = |name| told.ok().and_then(|told| told.number(name));
    let basis = |words: &str| match told {
        Ok(_) => words.to_owned(),
        Err(why) => why.words("CLUSTER INFO"),
    };
    let state = told.ok().and_then(|told| told.text("cluster_state"));
    vec![
        Metric::judged(
            "cluster_down",
            "Nodes that find the cluster down",
            Unit::Count,
            state.map(|state| if state == "ok" { 0.0 } else { 1.0 }),
            Some((0.0, 0.0)),
            basis("CLUSTER INFO: cluster_state"),
        ),
        Metric::judged(
            "cluster_slots_suspect",
            "Slots of nodes that may be down",
            Unit::Count,
            number("cluster_slots_pfail"),
            Some((0.0, 8_191.0)),
            basis("CLUSTER INFO: cluster_slots_pfail"),
        ),
        Metric::judged(
            "cluster_slots_failed",
            "Slots of nodes that are down",
            Unit::Count,
            number("cluster_slots_fail"),
            Some((0.0, 0.0)),
            basis("CLUSTER INFO: cluster_slots_fail"),
        ),
    ]
}

/// The largest primary by the median one, by memory.
pub(crate) fn skew(nodes: &[NodeHealth]) -> Metric {
    let bytes = |node: &NodeHealth| {
        node.metrics.iter().find(|metric| metric.name == "memory_used_bytes").and_then(|metric| metric.value)
    };
    let known: Option<Vec<(&NodeHealth, f64)>> =
        nodes.iter().map(|node| bytes(node).map(|bytes| (node, bytes))).collect();
    let mut known = known.unwrap_or_default();
    known.sort_by(|a, b| a.1.total_cmp(&b.1));
    let middle = known.len() / 2;
    let median = match (known.get(middle), known.len().is_multiple_of(2)) {
        (Some((_, upper)), true) => {
            known.get(middle.saturating_sub(1)).map(|(_, lower)| f64::midpoint(*lower, *upper))
        }
        (Some((_, middle)), false) => Some(*middle),
        (None, _) => None,
    };
    let largest = known.last().filter(|_| known.len() > 1);
    let (value, own, basis) = match (largest, median) {
        (Some((_, bytes)), Some(_)) if *bytes < JUDGE_FROM_BYTES => {
            (None, false, "too small to judge: no primary uses 5 MiB".to_owned())
        }
        (Some((node, bytes)), Some(median)) if median > 0.0 => {
            let why = if node.own {
                "; all events of a connection lie on one primary, so that is as it has to be"
            } else {
                "; warning above 1.5"
            };
            (Some(bytes / median), node.own, format!("memory of {} by the median primary{why}", node.node))
        }
        _ => (None, false, "not every primary tells".to_owned()),
    };
    let mut metric = Metric::judged(
        "cluster_skew_ratio",
        "Largest primary to the median",
        Unit::Ratio,
        value,
        None,
        basis,
    );
    if !own && value.is_some_and(|value| value > SKEW) {
        metric.verdict = Verdict::Warning;
    }
    metric
}

/// Whether the Sentinels could agree on another master.
#[expect(clippy::cast_precision_loss, reason = "a handful of Sentinels")]
pub(crate) fn sentinels(quorum: &Quorum) -> Vec<Metric> {
    let silent = quorum.silent.len();
    // As many as may be missing while a majority is left.
    let spare = quorum.asked.saturating_sub(1) / 2;
    let who = |list: &[String]| list.join("; ");
    let basis = if silent == 0 {
        format!("all {} of the connection answer", quorum.asked)
    } else {
        format!("{silent} of {}: {}", quorum.asked, who(&quorum.silent))
    };
    let missing = match (quorum.reached, quorum.missed.is_empty()) {
        (_, false) => Some(1.0),
        (0, true) => None,
        (_, true) => Some(0.0),
    };
    vec![
        Metric::judged(
            "sentinels_silent",
            "Sentinels that do not answer",
            Unit::Count,
            Some(silent as f64),
            Some((0.0, spare as f64)),
            basis,
        ),
        Metric::judged(
            "sentinel_no_quorum",
            "No quorum for a failover",
            Unit::Count,
            missing,
            Some((0.0, 0.0)),
            match (missing, quorum.missed.is_empty()) {
                (_, false) => format!("SENTINEL CKQUORUM: {}", who(&quorum.missed)),
                (Some(_), true) => format!("SENTINEL CKQUORUM: {} find enough others", quorum.reached),
                (None, true) => "no Sentinel may be asked or answers: SENTINEL CKQUORUM".to_owned(),
            },
        ),
    ]
}
