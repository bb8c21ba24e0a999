//! The health of a whole cluster: every primary by itself, and all of them together.

use std::collections::HashMap;
use std::time::Duration;

use redis::AsyncConnectionConfig;
use redis::RedisResult;
use redis::Value;
use redis::aio::MultiplexedConnection;
use tokio::time::Instant;
use watchpost_model::connection::HostPort;
use watchpost_model::health::Metric;
use watchpost_model::health::NodeHealth;
use watchpost_model::health::Unit;
use watchpost_model::health::Verdict;
use watchpost_model::health_policy::HealthPolicy;

use crate::asked::Questions;
use crate::cluster;
use crate::cluster::Primary;
use crate::error::RedisError;
use crate::health;
use crate::health::Reading;
use crate::info::Info;
use crate::route::Route;
use crate::scripts;
use crate::sentinel::cause;
use crate::store::EventStore;

pub(crate) const TIMEOUT: Duration = Duration::from_secs(2);
const PINGS: usize = 3;
/// Primaries that are quoted.
const TOLD_MAX: usize = 8;
/// What only the node with our events is asked for.
const OF_ONE: [&str; 3] = ["events_per_min", "backlog", "slowlog"];

/// The other primaries, with a connection and the reading before of each.
#[derive(Default)]
pub(crate) struct Primaries {
    others: HashMap<HostPort, Other>,
}

struct Other {
    connection: MultiplexedConnection,
    before: Option<Reading>,
    questions: Questions,
}

/// All primaries of a cluster at one moment.
pub(crate) struct Together {
    pub(crate) nodes: Vec<NodeHealth>,
    pub(crate) metrics: Vec<Metric>,
}

impl Primaries {
    /// Puts `own`, the metrics of the primary that holds our events, together with those of the others; `None` where the
    /// server is in no cluster.
    pub(crate) async fn sample(
        &mut self,
        store: &EventStore,
        own: (&Info, &[Metric]),
        policy: &HealthPolicy,
    ) -> Result<Option<Together>, RedisError> {
        let Some(ours) = store.inner.route.is_cluster().then(|| store.inner.route.master()).flatten() else {
            return Ok(None);
        };
        let mut slots = redis::cmd("CLUSTER");
        slots.arg("SLOTS");
        let primaries = cluster::primaries(store.inner.probe.query(&slots).await?, &ours.host);
        let own = Some((&ours, own.0, own.1));
        Ok(Some(self.all(&store.inner.route, &primaries, own, policy).await))
    }

    /// All of them, as they can be reached; `own` was asked already.
    pub(crate) async fn all(
        &mut self,
        route: &Route,
        primaries: &[Primary],
        own: Option<(&HostPort, &Info, &[Metric])>,
        policy: &HealthPolicy,
    ) -> Together {
        self.others.retain(|at, _| primaries.iter().any(|primary| primary.at == *at));
        let mut nodes = Vec::with_capacity(primaries.len());
        let mut lost = Vec::new();
        for primary in primaries {
            if let Some((_, info, metrics)) = own.filter(|(at, ..)| **at == primary.at) {
                nodes.push(node(primary, info, metrics.to_vec(), true));
                continue;
            }
            nodes.push(match self.look(route, &primary.at).await {
                Ok((info, mut metrics)) => {
                    policy.judge(&mut metrics);
                    node(primary, &info, metrics, false)
                }
                Err(error) => {
                    self.others.remove(&primary.at);
                    if error.is_transient() {
                        lost.push(primary);
                    }
                    silent(primary, &error)
                }
            });
        }
        let mut metrics = together(own.map_or(&[][..], |(_, _, metrics)| metrics), &nodes);
        metrics.push(coverage(primaries, &lost));
        metrics.push(health::skew(&nodes));
        Together { nodes, metrics }
    }

    async fn look(&mut self, route: &Route, at: &HostPort) -> Result<(Info, Vec<Metric>), RedisError> {
        let classify = |error| RedisError::classify(error, &at.to_string());
        if !self.others.contains_key(at) {
            let client = route.client_of(at).await?;
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(Some(TIMEOUT))
                .set_response_timeout(Some(TIMEOUT));
            let opened = client.get_multiplexed_async_connection_with_config(&config).await;
            let mut connection = opened.map_err(classify)?;
            let mut name = redis::cmd("CLIENT");
            // A nicety that an ACL may forbid.
            let _: RedisResult<Value> =
                name.arg("SETNAME").arg("watchpost-probe").query_async(&mut connection).await;
            self.others.insert(
                at.clone(),
                Other { connection, before: None, questions: Questions::of(route.observes()) },
            );
        }
        let Some(other) = self.others.get_mut(at) else {
            return Err(RedisError::Answer { command: "INFO" }); // It was put there above.
        };
        let mut pings_ms = Vec::with_capacity(PINGS);
        for _ in 0..PINGS {
            let start = Instant::now();
            let _: String = redis::cmd("PING").query_async(&mut other.connection).await.map_err(classify)?;
            pings_ms.push(start.elapsed().as_secs_f64() * 1_000.0);
        }
        let may = match other.questions.before() {
            Some(before) => {
                let mut ask = redis::pipe();
                ask.cmd("SCRIPT").arg("LOAD").arg(scripts::MAY.source());
                ask.add_command(before.command(&scripts::MAY));
                let told: Vec<RedisResult<Value>> =
                    ask.ignore_errors().query_async(&mut other.connection).await.map_err(classify)?;
                told.into_iter().nth(1).and_then(Result::ok)
            }
            None => None,
        };
        let mut pipe = other.questions.pipe(may);
        let replies: Vec<RedisResult<Value>> = if pipe.is_empty() {
            Vec::new()
        } else {
            pipe.ignore_errors().query_async(&mut other.connection).await.map_err(classify)?
        };
        let asked = other.questions.read(replies);
        let mut cmd = redis::cmd("INFO");
        let text: String =
            cmd.arg("everything").query_async(&mut other.connection).await.map_err(classify)?;
        let now = Reading { info: Info::parse(&text), pings_ms, asked, ..Reading::default() };
        let mut metrics = health::assess(other.before.as_ref(), &now);
        metrics.retain(|metric| !OF_ONE.contains(&metric.name.as_str()));
        let info = now.info.clone();
        other.before = Some(now);
        Ok((info, metrics))
    }
}

fn node(primary: &Primary, info: &Info, metrics: Vec<Metric>, own: bool) -> NodeHealth {
    NodeHealth {
        node: primary.at.to_string(),
        server: info.server(),
        slots: primary.slot_count(),
        own,
        verdict: health::worst(&metrics),
        metrics,
        problem: None,
    }
}

fn silent(primary: &Primary, error: &RedisError) -> NodeHealth {
    NodeHealth {
        node: primary.at.to_string(),
        server: String::new(),
        slots: primary.slot_count(),
        own: false,
        verdict: Verdict::Critical,
        metrics: Vec::new(),
        problem: Some(cause(error)),
    }
}

/// Each metric over all nodes: the sum of what can be added up, the highest of ratios and times.
fn together(own: &[Metric], nodes: &[NodeHealth]) -> Vec<Metric> {
    let mut kinds: Vec<&Metric> = own.iter().collect();
    for metric in nodes.iter().flat_map(|node| &node.metrics) {
        if kinds.iter().all(|kind| kind.name != metric.name) {
            kinds.push(metric);
        }
    }
    kinds
        .into_iter()
        .map(|kind| {
            if OF_ONE.contains(&kind.name.as_str()) {
                kind.clone()
            } else if health::adds_up(kind) {
                sum(kind, nodes)
            } else {
                outmost(kind, nodes)
            }
        })
        .collect()
}

/// What the nodes say of a kind.
fn known<'a>(kind: &Metric, nodes: &'a [NodeHealth]) -> Vec<(&'a NodeHealth, &'a Metric)> {
    let of =
        |node: &'a NodeHealth| Some((node, node.metrics.iter().find(|metric| metric.name == kind.name)?));
    nodes.iter().filter_map(of).collect()
}

/// The sum; where a node does not say its part, it is not known, unless what the others say is over a line already.
fn sum(kind: &Metric, nodes: &[NodeHealth]) -> Metric {
    let known = known(kind, nodes);
    let verdict = health::worst_of(known.iter().map(|(_, metric)| metric.verdict));
    let values: Vec<(&NodeHealth, f64)> =
        known.iter().filter_map(|(node, metric)| Some((*node, metric.value?))).collect();
    let total: f64 = values.iter().map(|(_, value)| value).sum();
    let told = |node: &NodeHealth| values.iter().any(|(other, _)| other.node == node.node);
    let lacking: Vec<&str> = nodes.iter().filter(|node| !told(node)).map(|node| node.node.as_str()).collect();
    let (n, of, lacking) = (values.len(), nodes.len(), lacking.join(", "));
    let (value, verdict, basis) = if lacking.is_empty() {
        (Some(total), verdict, format!("sum of {n} primaries{}", told_by_each(kind, &known)))
    } else if values.is_empty() {
        (None, verdict, format!("{}; told by none of {of} primaries", kind.basis))
    } else if matches!(verdict, Verdict::Warning | Verdict::Critical) {
        // Of sizes and rates a part would be a point of a chart.
        let part = (kind.unit == Unit::Count).then_some(total);
        (part, verdict, format!("at least this: sum of {n} of {of} primaries, not told by {lacking}"))
    } else {
        (None, Verdict::Unknown, format!("not every primary tells: not {lacking}"))
    };
    Metric { value, basis, verdict, ..kind.clone() }
}

/// Of a log: what each primary says of it, for some entries are Watchpost's own.
fn told_by_each(kind: &Metric, known: &[(&NodeHealth, &Metric)]) -> String {
    if !health::is_of_log(kind) {
        return String::new();
    }
    let mut known: Vec<_> = known.iter().collect();
    known.sort_by(|a, b| b.1.value.unwrap_or(0.0).total_cmp(&a.1.value.unwrap_or(0.0)));
    let told = known.iter().take(TOLD_MAX).map(|(node, metric)| format!("{}: {}", node.node, metric.basis));
    format!(": {}", told.collect::<Vec<_>>().join("; "))
}

/// The highest, or the lowest where that counts, of those that say one. While a node does not answer, that those which do
/// are within their lines says nothing about it.
fn outmost(kind: &Metric, nodes: &[NodeHealth]) -> Metric {
    let known = known(kind, nodes);
    let (word, sign) = if health::lowest_counts(kind) { ("lowest", -1.0) } else { ("highest", 1.0) };
    let most = known
        .iter()
        .filter_map(|(node, metric)| Some((node, metric, metric.value?)))
        .max_by(|a, b| (a.2 * sign).total_cmp(&(b.2 * sign)));
    let (value, mut basis) = match most {
        Some((node, metric, value)) => {
            (Some(value), format!("the {word}, of {}; {}", node.node, metric.basis))
        }
        None => (None, kind.basis.clone()),
    };
    let mut verdict = health::worst_of(known.iter().map(|(_, metric)| metric.verdict));
    for silent in nodes.iter().filter(|node| node.problem.is_some()) {
        basis = format!("{basis}; {} does not answer", silent.node);
        if verdict == Verdict::Ok {
            verdict = Verdict::Unknown;
        }
    }
    Metric { value, basis, verdict, ..kind.clone() }
}

/// `0-5460, 5462`.
fn ranges(primary: &Primary) -> String {
    let range = |(from, to): &(u16, u16)| if from == to { from.to_string() } else { format!("{from}-{to}") };
    primary.slots.iter().map(range).collect::<Vec<_>>().join(", ")
}

/// Slots that nobody serves: those of nobody, and those of primaries that do not answer.
fn coverage(primaries: &[Primary], lost: &[&Primary]) -> Metric {
    let gone = |primary: &&Primary| lost.iter().any(|lost| lost.id == primary.id);
    let served: u32 = primaries.iter().filter(|one| !gone(one)).map(Primary::slot_count).sum();
    let mut basis = format!(
        "CLUSTER SLOTS: {} primaries serve {served} of {}",
        primaries.len() - lost.len(),
        cluster::SLOTS
    );
    for primary in lost {
        basis.push_str("; slots ");
        basis.push_str(&ranges(primary));
        basis.push_str(" lost: ");
        basis.push_str(&primary.at.to_string());
        basis.push_str(" does not answer");
    }
    Metric::judged(
        "cluster_slots_unserved",
        "Slots that no node serves",
        Unit::Count,
        Some(f64::from(u32::from(cluster::SLOTS).saturating_sub(served))),
        Some((0.0, 0.0)),
        basis,
    )
}

#[cfg(test)]
mod tests {
    use watchpost_model::health::Metric;
    use watchpost_model::health::NodeHealth;
    use watchpost_model::health::Unit;
    use watchpost_model::health::Verdict;

    use super::together;

    fn node(name: &str, metrics: Vec<Metric>) -> NodeHealth {
        NodeHealth {
            node: name.to_owned(),
            server: String::new(),
            slots: 1,
            own: false,
            verdict: Verdict::Ok,
            metrics,
            problem: None,
        }
    }

    fn metrics(ratio: Option<f64>, bytes: Option<f64>, evicted: f64) -> Vec<Metric> {
        vec![
            Metric::judged("memory_used_ratio", "", Unit::Ratio, ratio, Some((0.7, 0.85)), "of maxmemory"),
            Metric::judged("memory_used_bytes", "", Unit::Bytes, bytes, None, ""),
            Metric::judged("evicted_keys", "", Unit::Count, Some(evicted), Some((0.0, 0.0)), ""),
            Metric::judged("backlog", "", Unit::Count, Some(7.0), Some((10.0, 20.0)), "the stream"),
        ]
    }

    #[test]
    fn counts_are_added_and_ratios_are_the_highest() {
        let own = metrics(Some(0.1), Some(100.0), 0.0);
        let nodes = [
            node("a", own.clone()),
            node("b", metrics(Some(0.8), Some(50.0), 3.0)),
            node("c", metrics(None, Some(25.0), 0.0)),
        ];
        let all = together(&own, &nodes);
        let values: Vec<_> = all.iter().map(|metric| (metric.value, metric.verdict)).collect();
        assert_eq!(
            values,
            [
                (Some(0.8), Verdict::Warning),
                (Some(175.0), Verdict::Ok),
                (Some(3.0), Verdict::Critical),
                (Some(7.0), Verdict::Ok)
            ],
            "{all:?}"
        );
        assert!(all[0].basis.contains("of b; of maxmemory"), "{all:?}");
        let partly = [node("a", own.clone()), node("b", Vec::new())];
        let all = together(&own, &partly);
        assert_eq!((all[0].value, all[1].value), (Some(0.1), None), "unknown is never zero: {all:?}");
    }

    #[test]
    fn of_a_log_each_primary_says_what_was_watchposts_own() {
        let log = |value, basis| {
            vec![Metric::judged(
                "slow_commands_per_min",
                "",
                Unit::PerMinute,
                Some(value),
                Some((1.0, 60.0)),
                basis,
            )]
        };
        let own = log(0.2, "1 entries; 0 of Watchpost");
        let all =
            together(&own, &[node("a:1", own.clone()), node("b:1", log(0.4, "2 entries; 90 of Watchpost"))]);
        assert_eq!(all[0].verdict, Verdict::Ok);
        assert_eq!(
            all[0].basis,
            "sum of 2 primaries: b:1: 2 entries; 90 of Watchpost; a:1: 1 entries; 0 of Watchpost"
        );
    }

    #[test]
    fn what_a_silent_primary_would_say_is_not_called_ok() {
        let silent = NodeHealth { problem: Some("refused".to_owned()), ..node("b:1", Vec::new()) };
        let told = |own: &[Metric]| {
            let all = together(own, &[node("a:1", own.to_vec()), silent.clone()]);
            all.iter().map(|metric| (metric.value, metric.verdict)).collect::<Vec<_>>()
        };
        assert_eq!(
            told(&metrics(Some(0.1), Some(100.0), 0.0)),
            [
                (Some(0.1), Verdict::Unknown),
                (None, Verdict::Unknown),
                (None, Verdict::Unknown),
                (Some(7.0), Verdict::Ok)
            ]
        );
        let ill = metrics(Some(0.9), Some(100.0), 2.0);
        assert_eq!(
            told(&ill)[..3],
            [(Some(0.9), Verdict::Critical), (None, Verdict::Unknown), (Some(2.0), Verdict::Critical)],
            "what is over a line already is told with its number"
        );
        let all = together(&ill, &[node("a:1", ill.clone()), silent]);
        assert!(all[0].basis.ends_with("; b:1 does not answer"), "{all:?}");
        assert!(all[2].basis.contains("at least") && all[2].basis.contains("not told by b:1"), "{all:?}");
    }
}
