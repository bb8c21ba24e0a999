//! The built-in lines of the metrics, as [`crate::health`] judges by them.

use watchpost_model::health::Metric;

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

#[cfg(test)]
mod tests {
    use super::health_limits;

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
