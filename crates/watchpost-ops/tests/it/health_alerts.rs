//! A measure of Redis over its line is an incident like any other, and ends with it.

use std::time::Duration;

use watchpost_model::audit::AuditOutcome;
use watchpost_model::event::Severity;
use watchpost_model::finding::AttackFamily;
use watchpost_model::health::Verdict;
use watchpost_model::health_policy::{HealthLimit, HealthPolicy};
use watchpost_model::incident::{Incident, Status};
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{HealthPolicyPut, IncidentPageRequest, Nothing};
use watchpost_ops::door::operation;
use watchpost_ops::error::ErrorCode;

use crate::door::{Desk, desk, folder};

async fn of_redis(desk: &Desk) -> Vec<Incident> {
    let request = IncidentPageRequest { limit: 100, ..IncidentPageRequest::default() };
    let page = desk.ask::<operation::incident_page>(request).await.expect("incidents can be listed");
    page.rows.into_iter().filter(|incident| incident.family == AttackFamily::RedisHealth).collect()
}

/// Waits for incidents of Redis that are as wanted; samples come every ten seconds.
async fn until(desk: &Desk, wanted: impl Fn(&[Incident]) -> bool) -> Vec<Incident> {
    let waiting = async {
        let mut timer = tokio::time::interval(Duration::from_millis(200));
        loop {
            timer.tick().await;
            let incidents = of_redis(desk).await;
            if wanted(&incidents) {
                return incidents;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting).await.expect("a sample changes them")
}

async fn put(desk: &Desk, policy: HealthPolicy) {
    let change = HealthPolicyPut { policy, reason: Some("a trial".to_owned()) };
    desk.ask::<operation::health_policy_put>(change).await.expect("an admin may");
}

fn clients_above(line: f64) -> HealthPolicy {
    let limit = HealthLimit { metric: "clients_ratio".to_owned(), warning: Some(line), critical: Some(line) };
    HealthPolicy { limits: vec![limit], samples: 1, ..HealthPolicy::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crossing_a_line_opens_an_incident_and_recovering_resolves_it() {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    assert_eq!(of_redis(&desk).await, [], "a healthy server raises nothing");
    put(&desk, clients_above(0.0)).await;
    let incidents = until(&desk, |incidents| !incidents.is_empty()).await;
    let [incident] = incidents.as_slice() else { panic!("one for the metric: {incidents:?}") };
    assert_eq!((incident.severity, incident.status), (Severity::High, Status::Open));
    assert_eq!(incident.title, "Clients of Redis over its line");
    assert!(incident.entity.value.starts_with("Clients on "), "{}", incident.entity.value);
    assert!(!incident.entity.value.contains('/'), "no path: {}", incident.entity.value);
    let status = desk.ask::<operation::workspace_status>(Nothing {}).await.expect("it answers");
    let [alert] = status.health_alerts.as_slice() else { panic!("{:?}", status.health_alerts) };
    assert_eq!((alert.metric.as_str(), alert.verdict), ("clients_ratio", Verdict::Critical));
    assert!(alert.text.starts_with("Clients "), "{}", alert.text);

    put(&desk, clients_above(0.9)).await;
    let ended = until(&desk, |incidents| incidents.iter().all(|row| row.status == Status::Resolved)).await;
    assert_eq!(ended.len(), 1, "{ended:?}");
    assert_eq!(desk.trail("incident_resolve", AuditOutcome::Success).await, 1);
    let status = desk.ask::<operation::workspace_status>(Nothing {}).await.expect("it answers");
    assert_eq!(status.health_alerts, []);
    desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_that_cannot_be_are_refused() {
    let home = folder();
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let limit = |metric: &str, warning, critical| HealthPolicyPut {
        policy: HealthPolicy {
            limits: vec![HealthLimit { metric: metric.to_owned(), warning, critical }],
            ..HealthPolicy::default()
        },
        reason: None,
    };
    for wrong in [
        limit("no_such_metric", Some(1.0), Some(2.0)),
        limit("backlog", Some(2.0), Some(1.0)),
        limit("backlog", Some(-1.0), None),
    ] {
        let refused = desk.ask::<operation::health_policy_put>(wrong).await;
        assert_eq!(refused.map_err(|error| error.code), Err(ErrorCode::Validation));
    }
    let own = limit("memory_used_ratio", Some(0.7), Some(0.85));
    let state = desk.ask::<operation::health_policy_put>(own).await.expect("an admin may");
    assert_eq!(state.policy, HealthPolicy::default(), "the built-in lines are no lines of its own");
    assert!(state.limits.iter().any(|limit| limit.metric == "memory_used_ratio"));
    desk.console.close().await;
}
