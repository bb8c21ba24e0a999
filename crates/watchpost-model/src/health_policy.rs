//! Where the lines of Redis health are, how long a measure must be over one, and how long its history is kept.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::health::{Metric, verdict_of};

/// Lines of one metric in place of the built-in ones; without a line it is never crossed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct HealthLimit {
    /// Stable name of the metric: `memory_used_ratio`.
    pub metric: String,
    /// Warning above this.
    pub warning: Option<f64>,
    /// Critical above this.
    pub critical: Option<f64>,
}

/// How the health of Redis is judged and kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct HealthPolicy {
    /// Lines that are not the built-in ones; each metric once.
    pub limits: Vec<HealthLimit>,
    /// Samples in a row, one every ten seconds, that it takes until an alert is raised or ends.
    pub samples: u32,
    /// How far below its line a measure must be for an alert to end, in percent of the line.
    pub margin_percent: u32,
    /// Hours after which samples become means of five minutes.
    pub average_after_h: u32,
    /// Days until these are removed.
    pub keep_days: u32,
}

impl Default for HealthPolicy {
    fn default() -> Self {
        Self { limits: Vec::new(), samples: 6, margin_percent: 5, average_after_h: 24, keep_days: 14 }
    }
}

impl HealthPolicy {
    /// Judges metrics that were judged by their built-in lines. A verdict that did not come from these stays as it is: a
    /// replica whose link is down is critical, however little it is behind.
    pub fn judge(&self, metrics: &mut [Metric]) {
        for metric in metrics {
            let Some(limit) = self.limits.iter().find(|limit| limit.metric == metric.name) else { continue };
            let by_line = metric.verdict == verdict_of(metric.value, metric.warning, metric.critical);
            (metric.warning, metric.critical) = (limit.warning, limit.critical);
            if by_line {
                metric.verdict = verdict_of(metric.value, limit.warning, limit.critical);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{HealthLimit, HealthPolicy};
    use crate::health::{Metric, Unit, Verdict};

    fn memory(ratio: f64) -> Metric {
        Metric::judged("memory_used_ratio", "Memory use", Unit::Ratio, Some(ratio), Some((0.7, 0.85)), "")
    }

    #[test]
    fn own_lines_take_the_place_of_the_built_in_ones() {
        let limit =
            HealthLimit { metric: "memory_used_ratio".to_owned(), warning: Some(0.9), critical: None };
        let policy = HealthPolicy { limits: vec![limit], ..HealthPolicy::default() };
        let mut metrics = [memory(0.86), memory(0.95)];
        policy.judge(&mut metrics);
        assert_eq!(metrics.each_ref().map(|metric| metric.verdict), [Verdict::Ok, Verdict::Warning]);
        assert_eq!((metrics[0].warning, metrics[0].critical), (Some(0.9), None));

        let mut forced = [Metric { verdict: Verdict::Critical, ..memory(0.1) }];
        policy.judge(&mut forced);
        assert_eq!(forced[0].verdict, Verdict::Critical, "it did not come from the line");
        HealthPolicy::default().judge(&mut metrics);
        assert_eq!(metrics[1].warning, Some(0.9), "without lines of its own nothing changes");
    }
}
