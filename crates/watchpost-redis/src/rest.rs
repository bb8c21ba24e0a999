//! Health of a cluster whose primary with our keys does not answer: what the nodes that do answer tell of it.

use chrono::DateTime;
use chrono::Utc;
use redis::AsyncConnectionConfig;
use watchpost_model::connection::HostPort;
use watchpost_model::health::HealthSample;
use watchpost_model::health::RedisHealth;
use watchpost_model::health::Verdict;
use watchpost_model::health_policy::HealthPolicy;

use crate::cluster;
use crate::cluster::View;
use crate::primaries::Primaries;
use crate::primaries::TIMEOUT;
use crate::route::Route;
use crate::target::RedisTarget;

/// Asks each node of the cluster behind `target` by a plain connection; `None` where there is no cluster, where none of
/// its nodes answers, and where the primary with our keys does, for then something else is wrong.
pub async fn health_of_the_rest(
    target: &RedisTarget,
    at: DateTime<Utc>,
    policy: &HealthPolicy,
) -> Option<(RedisHealth, HealthSample)> {
    let slot = cluster::slot_of_prefix(&target.prefix)?;
    let route = Route::of(target).await.ok()?;
    let view = view(&route).await?;
    let all = Primaries::default().all(&route, &view.primaries, None, policy).await;
    let owner = view.primaries.iter().find(|primary| primary.serves(slot)).map(|owner| owner.at.to_string());
    let answers = |node: &str| all.nodes.iter().any(|one| one.node == node && one.problem.is_none());
    if owner.as_deref().is_some_and(answers) {
        return None;
    }
    let of = |name: &str| all.metrics.iter().find(|metric| metric.name == name).and_then(|one| one.value);
    let sample = HealthSample {
        at,
        memory_bytes: of("memory_used_bytes"),
        ops_per_s: of("ops_per_s"),
        latency_ms: of("round_trip_ms"),
        expired_per_s: of("expired_per_s"),
        events_per_min: None,
        backlog: None,
    };
    let server = all.nodes.iter().find(|node| node.problem.is_none()).map(|node| node.server.clone());
    let health = RedisHealth {
        at,
        server: server.unwrap_or_default(),
        node: match owner {
            Some(owner) => format!("a cluster whose primary of slot {slot}, {owner}, does not answer"),
            None => format!("a cluster in which no node serves slot {slot}"),
        },
        role: "unknown".to_owned(),
        uptime_s: None,
        verdict: Verdict::Critical,
        metrics: all.metrics,
        nodes: all.nodes,
        keys: None,
        keys_with_ttl: None,
        ttl_share: None,
        memory_limit: None,
        forecast: None,
        slowlog: Vec::new(),
    };
    Some((health, sample))
}

/// The cluster as the first node sees it that answers.
async fn view(route: &Route) -> Option<View> {
    for at in route.seeds() {
        if let Some(found) = ask(route, &at).await {
            return Some(found);
        }
    }
    None
}

async fn ask(route: &Route, at: &HostPort) -> Option<View> {
    let client = route.client_of(at).await.ok()?;
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(TIMEOUT))
        .set_response_timeout(Some(TIMEOUT));
    let mut connection = client.get_multiplexed_async_connection_with_config(&config).await.ok()?;
    cluster::ask(&mut connection, &at.host).await.ok()?
}
