//! The built-in lines of the metrics, as [`crate::health`] judges by them.

use watchpost_model::health::Metric;
use watchpost_model::health_forecast::MemoryLimit;

use crate::health;
use crate::health::Reading;
use crate::info::Info;

/// Every metric that has both lines, judged of nothing: its name, title, unit and lines.
#[must_use]
pub fn health_limits() -> Vec<Metric> {
    // A replica has what a primary has, and how far it is behind.
    let replica = Reading { info: Info::parse("role:slave"), ..Reading::default() };
    let mut metrics = health::assess(None, &replica);
    metrics.retain(|metric| metric.warning.is_some() && metric.critical.is_some());
    metrics
}

/// How much memory a server may use.
pub(crate) fn memory_limit(info: &Info) -> Option<MemoryLimit> {
    let own = info.number("maxmemory")?;
    if own > 0.0 {
        return Some(MemoryLimit { bytes: own, of_machine: false });
    }
    let bytes = info.number("total_system_memory").filter(|bytes| *bytes > 0.0)?;
    Some(MemoryLimit { bytes, of_machine: true })
}

/// How much all primaries together hold when the fullest of them is full, if all grow alike: what they use over the highest
/// share that one of them uses. `info` is that of one of them.
pub(crate) fn limit_of_the_fullest(info: &Info, metrics: &[Metric]) -> Option<MemoryLimit> {
    let of = |name: &str| metrics.iter().find(|metric| metric.name == name)?.value;
    let share = of("memory_used_ratio").filter(|share| *share > 0.0)?;
    let of_machine = memory_limit(info)?.of_machine;
    Some(MemoryLimit { bytes: of("memory_used_bytes")? / share, of_machine })
}

#[cfg(test)]
mod tests {
    use super::health_limits;
    use super::memory_limit;
    use crate::info::Info;

    #[test]
    fn without_a_limit_of_its_own_the_memory_of_the_machine_counts() {
        let of = |text: &str| memory_limit(&Info::parse(text)).map(|limit| (limit.bytes, limit.of_machine));
        assert_eq!(of("maxmemory:100\ntotal_system_memory:900"), Some((100.0, false)));
        assert_eq!(of("maxmemory:0\ntotal_system_memory:900"), Some((900.0, true)));
        assert_eq!(of("maxmemory:0"), None);
        assert_eq!(
            of("total_system_memory:900"),
            None,
            "a server that does not tell is not one without a limit"
        );
    }

    #[test]
    fn the_lines_of_the_design_are_built_in() {
        let limits = health_limits();
        let of = |name: &str| {
            let metric = limits.iter().find(|metric| metric.name == name)?;
            Some((metric.warning?, metric.critical?))
        };
        assert_eq!(of("memory_used_ratio"), Some((0.70, 0.85)));
        assert_eq!(of("events_per_min"), Some((1_000.0, 5_000.0)));
        assert_eq!(of("backlog"), Some((10_000.0, 50_000.0)));
        assert_eq!(of("command_latency_ms"), Some((5.0, 20.0)));
        assert_eq!(of("replication_lag_s"), Some((10.0, 60.0)));
        assert_eq!(of("fragmentation_ratio"), None, "its verdict needs more than a line");
    }
}
