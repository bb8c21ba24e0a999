//! When a measure of Redis that is over its line is an alert, and when that alert ends: not at every sample that touches
//! a line.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::health::{Metric, RedisHealth, Unit, Verdict, verdict_of};
use crate::health_policy::HealthPolicy;

/// A measure that is over its line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct HealthAlert {
    /// Stable name of the metric: `memory_used_ratio`.
    pub metric: String,
    /// For people: `Memory use`.
    pub title: String,
    /// Which server.
    pub server: String,
    /// Warning or critical.
    pub verdict: Verdict,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Since when it was worst: what names the finding.
    pub raised_at: DateTime<Utc>,
    /// In a sentence: `used memory 114 % of maxmemory (critical from 85 %) since 10:02 UTC`.
    pub text: String,
}

/// What a sample changed.
#[derive(Debug, Clone, PartialEq)]
pub enum Crossing {
    /// A measure went over a line, or over the next one.
    Raised(HealthAlert),
    /// It is no longer critical.
    Eased(HealthAlert),
    /// It is below its lines again; the alert as it was, and what is said of the end.
    Ended(HealthAlert, String),
}

/// The alerts that stand, and what may become one.
#[derive(Debug, Clone, Default)]
pub struct HealthWatch {
    alerts: Vec<HealthAlert>,
    pending: BTreeMap<String, Pending>,
}

#[derive(Debug, Clone, Copy)]
struct Pending {
    to: Verdict,
    samples: u32,
    since: DateTime<Utc>,
}

impl HealthWatch {
    /// One that goes on with alerts that stand.
    #[must_use]
    pub fn resumed(alerts: Vec<HealthAlert>) -> Self {
        Self { alerts, pending: BTreeMap::new() }
    }

    /// The alerts that stand, in the order of their names.
    #[must_use]
    pub fn alerts(&self) -> &[HealthAlert] {
        &self.alerts
    }

    /// Takes in a sample of `server`.
    pub fn look(
        &mut self,
        policy: &HealthPolicy,
        metrics: &[Metric],
        server: &str,
        at: DateTime<Utc>,
    ) -> Vec<Crossing> {
        let gone = self.alerts.iter().filter(|alert| metrics.iter().all(|m| m.name != alert.metric));
        let gone: Vec<Metric> = gone.map(no_longer_measured).collect();
        let mut crossings = Vec::new();
        for metric in metrics.iter().chain(&gone) {
            if let Some((verdict, since)) = self.next(policy, metric, at) {
                crossings.extend(self.cross(metric, verdict, server, since));
            }
        }
        self.alerts.sort_by(|a, b| a.metric.cmp(&b.metric));
        crossings
    }

    /// The metrics of a sample, and as unknown those with an alert that only a node would tell which does not answer: that
    /// they are not measured does not end the alert.
    #[must_use]
    pub fn metrics_of(&self, health: &RedisHealth) -> Vec<Metric> {
        let mut metrics = health.metrics.clone();
        if health.nodes.iter().any(|node| node.problem.is_some()) {
            let told = |alert: &&HealthAlert| health.metrics.iter().any(|metric| metric.name == alert.metric);
            let silent = self.alerts.iter().filter(|alert| !told(alert));
            metrics.extend(silent.map(|alert| {
                let basis = "a node does not answer";
                Metric::judged(&alert.metric, &alert.title, Unit::Count, None, None, basis)
            }));
        }
        metrics
    }

    fn level(&self, metric: &str) -> Verdict {
        self.alerts.iter().find(|alert| alert.metric == metric).map_or(Verdict::Ok, |alert| alert.verdict)
    }

    /// The verdict that the metric changes to, and since when it is so.
    fn next(
        &mut self,
        policy: &HealthPolicy,
        metric: &Metric,
        at: DateTime<Utc>,
    ) -> Option<(Verdict, DateTime<Utc>)> {
        let level = self.level(&metric.name);
        let seen = match metric.verdict {
            Verdict::Unknown => level,
            verdict if verdict >= level => verdict,
            verdict => verdict.max(held(policy, metric).min(level)),
        };
        if seen == level {
            self.pending.remove(&metric.name);
            return None;
        }
        let rises = seen > level;
        let new = Pending { to: seen, samples: 0, since: at };
        let pending = self.pending.entry(metric.name.clone()).or_insert(new);
        if (pending.to > level) != rises {
            *pending = new;
        }
        pending.samples += 1;
        // What all of the samples were over, or under.
        pending.to = if rises { pending.to.min(seen) } else { pending.to.max(seen) };
        // Where none is allowed, one sample with some is not forgotten because the next one has none.
        let none_allowed = metric.warning.is_some_and(|line| line <= 0.0);
        let needed = if rises && none_allowed { 1 } else { policy.samples.max(1) };
        let (to, samples, since) = (pending.to, pending.samples, pending.since);
        if samples < needed {
            return None;
        }
        self.pending.remove(&metric.name);
        Some((to, since))
    }

    fn cross(
        &mut self,
        metric: &Metric,
        verdict: Verdict,
        server: &str,
        since: DateTime<Utc>,
    ) -> Option<Crossing> {
        let at = self.alerts.iter().position(|alert| alert.metric == metric.name);
        let before = at.map(|at| self.alerts.remove(at));
        if verdict == Verdict::Ok {
            let before = before?;
            let (what, clock) = (subject(metric), since.format("%H:%M"));
            return Some(Crossing::Ended(before, format!("{what} since {clock} UTC: below its lines again")));
        }
        let rises = before.as_ref().is_none_or(|before| verdict > before.verdict);
        let alert = HealthAlert {
            metric: metric.name.clone(),
            title: metric.title.clone(),
            server: before.as_ref().map_or_else(|| server.to_owned(), |before| before.server.clone()),
            verdict,
            since: before.as_ref().map_or(since, |before| before.since),
            raised_at: before.as_ref().filter(|_| !rises).map_or(since, |before| before.raised_at),
            text: told(metric, verdict, since),
        };
        self.alerts.push(alert.clone());
        Some(if rises { Crossing::Raised(alert) } else { Crossing::Eased(alert) })
    }
}

/// The verdict if every line were lower by the margin: until a value is below that, an alert stands.
fn held(policy: &HealthPolicy, metric: &Metric) -> Verdict {
    if metric.value.is_none() {
        return Verdict::Ok;
    }
    let lower = |line: f64| line * (1.0 - f64::from(policy.margin_percent.min(100)) / 100.0);
    verdict_of(metric.value, metric.warning.map(lower), metric.critical.map(lower))
}

fn no_longer_measured(alert: &HealthAlert) -> Metric {
    let metric = Metric::judged(&alert.metric, &alert.title, Unit::Count, None, None, "no longer measured");
    Metric { verdict: Verdict::Ok, ..metric }
}

/// Of one form: the window says it in its language (`ui/src/domain/redis/alert-text.ts`).
fn told(metric: &Metric, verdict: Verdict, since: DateTime<Utc>) -> String {
    let line = if verdict == Verdict::Critical { metric.critical } else { metric.warning };
    let why = match line.filter(|line| metric.value.is_some_and(|value| value > *line)) {
        Some(line) if line > 0.0 => format!("{verdict} from {}", shown(line, metric.unit)),
        Some(_) => format!("{verdict} from the first one on"),
        // What is wrong is not the number.
        None => format!("{verdict}: {}", metric.basis),
    };
    format!("{} ({why}) since {} UTC", subject(metric), since.format("%H:%M"))
}

fn subject(metric: &Metric) -> String {
    let value = metric.value.map_or_else(|| "n/a".to_owned(), |value| shown(value, metric.unit));
    if metric.name != "memory_used_ratio" {
        return format!("{} {value}", metric.title);
    }
    if metric.basis.contains("of maxmemory") {
        format!("used memory {value} of maxmemory")
    } else {
        format!("resident memory {value} of the machine's memory")
    }
}

/// Without decimals, with a comma before each three digits: `43,607`.
fn whole(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        let follows = text.ends_with(|c: char| c.is_ascii_digit());
        if follows && digits.len().abs_diff(at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn shown(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Ratio => format!("{:.0} %", value * 100.0),
        Unit::Bytes => format!("{:.1} MiB", value / 1_048_576.0),
        Unit::Milliseconds => format!("{value:.1} ms"),
        Unit::PerSecond => format!("{value:.1}/s"),
        Unit::PerMinute => format!("{}/min", whole(value)),
        Unit::Count => whole(value),
        Unit::Seconds => format!("{value:.0} s"),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Duration, TimeZone, Utc};

    use super::{Crossing, HealthWatch};
    use crate::health::{Metric, NodeHealth, RedisHealth, Unit, Verdict};
    use crate::health_policy::HealthPolicy;

    const SERVER: &str = "10.0.0.7:6379";

    fn start() -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 11, 22, 10, 2, 0).unwrap()
    }

    fn memory(ratio: f64) -> Metric {
        let basis = "of maxmemory 6 MiB, policy noeviction";
        Metric::judged("memory_used_ratio", "Memory use", Unit::Ratio, Some(ratio), Some((0.7, 0.85)), basis)
    }

    /// What samples of memory, ten seconds apart, changed; with the number of the sample.
    fn course(watch: &mut HealthWatch, ratios: &[f64]) -> Vec<(usize, Crossing)> {
        let policy = HealthPolicy { samples: 3, ..HealthPolicy::default() };
        let mut crossings = Vec::new();
        for (n, ratio) in ratios.iter().enumerate() {
            let at = start() + Duration::seconds(10 * i64::try_from(n).unwrap());
            let of_sample = watch.look(&policy, &[memory(*ratio)], SERVER, at);
            crossings.extend(of_sample.into_iter().map(|crossing| (n, crossing)));
        }
        crossings
    }

    #[test]
    fn an_alert_needs_samples_in_a_row_and_ends_below_the_margin() {
        let mut watch = HealthWatch::default();
        assert_eq!(course(&mut watch, &[0.9, 0.9, 0.5, 0.9, 0.9, 0.5]), [], "never three in a row");

        let crossings = course(&mut watch, &[1.14, 1.14, 1.14, 1.2]);
        let [(2, Crossing::Raised(alert))] = crossings.as_slice() else { panic!("{crossings:?}") };
        assert_eq!(alert.text, "used memory 114 % of maxmemory (critical from 85 %) since 10:02 UTC");
        assert_eq!((alert.verdict, alert.since), (Verdict::Critical, start()));

        // The saved alerts are all that a restart needs.
        let mut watch = HealthWatch::resumed(watch.alerts().to_vec());
        let near = course(&mut watch, &[0.84, 0.83, 0.82, 0.84, 0.86, 0.84]);
        assert_eq!(near, [], "near the line it stays as it is");
        let crossings = course(&mut watch, &[0.75, 0.75, 0.75, 0.5, 0.5, 0.5]);
        let [(2, Crossing::Eased(eased)), (5, Crossing::Ended(ended, said))] = crossings.as_slice() else {
            panic!("{crossings:?}")
        };
        assert_eq!((eased.verdict, eased.since), (Verdict::Warning, start()));
        assert_eq!(ended, eased);
        assert_eq!(said, "used memory 50 % of maxmemory since 10:02 UTC: below its lines again");
        assert!(watch.alerts().is_empty());
    }

    #[test]
    fn thousands_are_separated() {
        let counts = [0.0, 999.0, 1000.0, 43_607.4, 1_234_567.0].map(super::whole);
        assert_eq!(counts, ["0", "999", "1,000", "43,607", "1,234,567"]);
    }

    #[test]
    fn the_lowest_line_that_all_samples_are_over_counts() {
        let mut watch = HealthWatch::default();
        let crossings = course(&mut watch, &[0.75, 0.9, 0.9, 0.9, 0.9, 0.9]);
        let verdicts: Vec<_> = crossings
            .iter()
            .map(|(n, crossing)| match crossing {
                Crossing::Raised(alert) => (*n, alert.verdict),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(verdicts, [(2, Verdict::Warning), (5, Verdict::Critical)]);
    }

    #[test]
    fn what_may_not_happen_at_all_is_an_alert_at_once() {
        let lost = |n: Option<f64>| {
            Metric::judged("evicted_keys", "Keys evicted", Unit::Count, n, Some((0.0, 0.0)), "")
        };
        let (mut watch, policy) = (HealthWatch::default(), HealthPolicy::default());
        let crossings = watch.look(&policy, &[lost(Some(3.0))], SERVER, start());
        let [Crossing::Raised(alert)] = crossings.as_slice() else { panic!("{crossings:?}") };
        assert_eq!(alert.text, "Keys evicted 3 (critical from the first one on) since 10:02 UTC");
        assert_eq!(watch.look(&policy, &[lost(None)], SERVER, start()), [], "unknown changes nothing");
        for _ in 1..policy.samples {
            assert_eq!(watch.look(&policy, &[], SERVER, start()), []);
        }
        let crossings = watch.look(&policy, &[], SERVER, start());
        assert!(matches!(crossings.as_slice(), [Crossing::Ended(..)]), "{crossings:?}");
    }

    #[test]
    fn what_a_node_does_not_tell_that_does_not_answer_ends_no_alert() {
        let policy = HealthPolicy { samples: 1, ..HealthPolicy::default() };
        let mut watch = HealthWatch::default();
        assert_eq!(watch.look(&policy, &[memory(0.9)], SERVER, start()).len(), 1);
        let mut health = RedisHealth {
            at: start(),
            server: String::new(),
            node: SERVER.to_owned(),
            role: "master".to_owned(),
            uptime_s: None,
            verdict: Verdict::Critical,
            metrics: Vec::new(),
            nodes: vec![NodeHealth {
                node: "10.0.0.8:6379".to_owned(),
                server: String::new(),
                slots: 1,
                own: false,
                verdict: Verdict::Critical,
                metrics: Vec::new(),
                problem: Some("refused".to_owned()),
            }],
            keys: None,
            keys_with_ttl: None,
            ttl_share: None,
            memory_limit: None,
            forecast: None,
            slowlog: Vec::new(),
        };
        let metrics = watch.metrics_of(&health);
        assert_eq!(watch.look(&policy, &metrics, SERVER, start()), []);
        health.nodes.clear();
        let metrics = watch.metrics_of(&health);
        let ended = watch.look(&policy, &metrics, SERVER, start());
        assert!(matches!(ended.as_slice(), [Crossing::Ended(..)]), "{ended:?}");
    }
}
