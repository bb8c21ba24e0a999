//! Alerts on the health of Redis: a measure that stays over its line becomes a finding, and with it an incident that is
//! delivered and worked on like any other; when the measure is below its line again, the incident is resolved.
//!
//! Of several consoles on one database one raises them: it holds a lease of its own, because an engine that cannot write
//! to a full Redis is down just when it matters. What stands is saved in the transaction of the finding.

use std::time::Duration;

use sha2::{Digest, Sha256};
use watchpost_model::access::Permission;
use watchpost_model::audit::{AuditDraft, AuditOutcome};
use watchpost_model::enrichment::Enrichment;
use watchpost_model::event::{Category, Entity, EntityKind, Event, Outcome, Severity};
use watchpost_model::finding::{AttackFamily, Finding};
use watchpost_model::health::{RedisHealth, Verdict};
use watchpost_model::health_alert::{Crossing, HealthAlert, HealthWatch};
use watchpost_model::health_policy::HealthPolicy;
use watchpost_model::ids::{EventId, FindingId};
use watchpost_model::incident::Status;
use watchpost_model::risk::RiskScore;
use watchpost_store::{HEALTH_STATE, IncidentPatch, IngestBatch, Store};

use crate::console::{Console, Workspace};
use crate::contract::Tag;
use crate::engine::engine_caller;
use crate::error::OpError;
use crate::respond;
use crate::setting;

/// The setting that holds the lines.
pub(crate) const HEALTH: &str = "redis_health";
const LEASE: &str = "redis_health";
/// Three samples: who missed them is gone.
const LEASE_TTL: Duration = Duration::from_secs(30);

/// The lines, and how long history is kept.
pub(crate) async fn policy(store: &Store) -> Result<HealthPolicy, OpError> {
    Ok(setting::read(store, HEALTH).await?.value)
}

/// The alerts that stand, as whoever raises them saved them last.
pub(crate) async fn alerts(store: &Store) -> Result<Vec<HealthAlert>, OpError> {
    let Some(saved) = store.engine_state(HEALTH_STATE).await? else { return Ok(Vec::new()) };
    serde_json::from_slice(&saved.body)
        .map_err(|error| OpError::internal(format!("the saved alerts on Redis are damaged: {error}")))
}

/// Pieces of the history that age at one sample: what was never aged is done in a few minutes, and nothing waits for it.
const AGED: usize = 20;

/// Looks at samples while it holds the lease.
pub(crate) struct Watcher {
    holder: String,
    /// Absent while another console looks.
    watch: Option<HealthWatch>,
}

impl Watcher {
    pub(crate) fn new() -> Self {
        Self { holder: uuid::Uuid::now_v7().to_string(), watch: None }
    }

    /// Takes in a sample: raises and ends what it changed. True if this console is the one that looks.
    ///
    /// # Errors
    /// What the database says; then the next sample goes on from what was saved.
    pub(crate) async fn look(
        &mut self,
        console: &Console,
        workspace: &Workspace,
        health: &RedisHealth,
    ) -> Result<bool, OpError> {
        let store = workspace.store();
        if !store.lease_acquire(LEASE, &self.holder, LEASE_TTL, workspace.now()).await? {
            self.watch = None;
            return Ok(false);
        }
        let mut watch = match self.watch.take() {
            Some(watch) => watch,
            None => HealthWatch::resumed(alerts(store).await?),
        };
        let policy = policy(store).await?;
        let server = server_of(&health.node);
        let crossings = watch.look(&policy, &watch.metrics_of(health), server, health.at);
        if !crossings.is_empty() {
            // Not put back if it fails: what was not saved is crossed again.
            Box::pin(write(console, workspace, &watch, crossings)).await?;
        }
        self.watch = Some(watch);
        Ok(true)
    }

    /// Makes means of what is old, and removes what is too old; for who holds the lease.
    ///
    /// # Errors
    /// What the database says.
    pub(crate) async fn age_history(&self, workspace: &Workspace) -> Result<(), OpError> {
        age(workspace).await
    }

    /// Lets another console look.
    pub(crate) async fn release(&self, store: &Store) {
        if let Err(problem) = store.lease_release(LEASE, &self.holder).await {
            tracing::debug!(%problem, "the lease was not given back; it runs out by itself");
        }
    }
}

async fn age(workspace: &Workspace) -> Result<(), OpError> {
    let policy = policy(workspace.store()).await?;
    let now = workspace.now();
    let average_before = now - chrono::Duration::hours(i64::from(policy.average_after_h));
    let remove_before = now - chrono::Duration::days(i64::from(policy.keep_days));
    for _ in 0..AGED {
        if !workspace.store().health_history_step(average_before, remove_before).await? {
            break;
        }
    }
    Ok(())
}

/// Writes what a sample changed, and with it what stands.
async fn write(
    console: &Console,
    workspace: &Workspace,
    watch: &HealthWatch,
    crossings: Vec<Crossing>,
) -> Result<(), OpError> {
    let store = workspace.store();
    let now = workspace.now();
    let mut events = Vec::new();
    let mut findings = Vec::new();
    for crossing in crossings {
        match crossing {
            Crossing::Raised(alert) => {
                tracing::warn!(server = %alert.server, "{}", alert.text);
                let event = event(&alert);
                findings.push(finding(&alert, &event));
                events.push((event, String::new()));
            }
            Crossing::Eased(_) => {}
            Crossing::Ended(alert, said) => {
                tracing::info!(server = %alert.server, "{said}");
                end(workspace, &alert, said).await?;
            }
        }
    }
    let body = setting::json(&watch.alerts())?.to_string();
    if findings.is_empty() {
        store.engine_state_save(HEALTH_STATE, body.as_bytes()).await?;
    } else {
        let batch = IngestBatch { events: &events, findings: &findings, now };
        Box::pin(store.ingest_saving(batch, Some((HEALTH_STATE, body.as_bytes())))).await?;
        let findings: Vec<&Finding> = findings.iter().collect();
        let events: Vec<&Event> = events.iter().map(|(event, _)| event).collect();
        Box::pin(respond::respond(console, workspace, &findings, &events, None)).await?;
    }
    console.announce(&[Tag::Incidents, Tag::Events, Tag::Health, Tag::Status, Tag::Audit]);
    Ok(())
}

/// Resolves the incident of an alert that ended, unless somebody did, merged it into another one, or suppressed it.
async fn end(workspace: &Workspace, alert: &HealthAlert, said: String) -> Result<(), OpError> {
    let store = workspace.store();
    let finding = FindingId(id(alert, "finding").0);
    let Some((incident, _)) = store.incidents_of_findings(&[finding]).await?.remove(&finding) else {
        return Ok(());
    };
    let incident = store.incident_by_id(incident).await?;
    if incident.family != AttackFamily::RedisHealth || !incident.status.is_active() {
        return Ok(());
    }
    let draft = AuditDraft {
        caller: engine_caller(),
        action: "incident_resolve".to_owned(),
        object: String::new(),
        permission: Permission::Triage,
        outcome: AuditOutcome::Success,
        changes: Vec::new(),
        reason: Some(said),
        at: workspace.now(),
        risk: 10,
    };
    let patch = IncidentPatch { status: Some(Status::Resolved), ..IncidentPatch::default() };
    store.incident_change(incident.id, incident.version, patch, draft).await?;
    Ok(())
}

/// What people call a server: of the path of a socket only its last part.
fn server_of(node: &str) -> &str {
    let first = node.split(',').next().unwrap_or_default();
    first.rsplit('/').next().unwrap_or(first)
}

/// The measurement as an event: evidence, like what applications report.
fn event(alert: &HealthAlert) -> Event {
    Event {
        id: id(alert, "event"),
        at: alert.raised_at,
        category: Category::ApiUsage,
        kind: "redis_health".to_owned(),
        severity: severity(alert),
        outcome: Outcome::Failure,
        actor: None,
        source_ip: None,
        session: None,
        resource: Some(entity(alert)),
        action: Some("measure".to_owned()),
        count: 1,
        http: None,
        details: serde_json::json!({
            "metric": alert.metric,
            "verdict": alert.verdict,
            "server": alert.server,
            "text": alert.text,
        }),
        tags: vec!["watchpost".to_owned()],
        risk: None,
    }
}

/// The rule of the findings about a metric.
pub(crate) fn rule_of(metric: &str) -> String {
    let name = if metric == "memory_used_ratio" { "memory" } else { metric };
    format!("wp.redis.{name}")
}

fn finding(alert: &HealthAlert, event: &Event) -> Finding {
    let severity = severity(alert);
    let (risk, factors) = RiskScore::of(severity, 100).finished();
    Finding {
        id: FindingId(id(alert, "finding").0),
        rule_id: rule_of(&alert.metric),
        rule_version: 1,
        rule_title: format!("{} of Redis over its line", alert.title),
        family: AttackFamily::RedisHealth,
        event_id: event.id,
        at: event.at,
        // One incident for each metric of a server.
        entity: Entity::new(EntityKind::Endpoint, entity(alert)),
        summary: alert.text.clone(),
        matched: None,
        counter: None,
        counted: None,
        linked: Vec::new(),
        severity,
        confidence: 100,
        risk,
        attack: Vec::new(),
        owasp: None,
        controls: Vec::new(),
        enrichment: Enrichment { risk: factors, ..Enrichment::default() },
    }
}

fn entity(alert: &HealthAlert) -> String {
    format!("{} on {}", alert.title, alert.server)
}

/// Critical is kept for a breach in progress: a server is not one, and is told at once all the same.
fn severity(alert: &HealthAlert) -> Severity {
    if alert.verdict == Verdict::Critical { Severity::High } else { Severity::Medium }
}

/// Of equal alerts the same one: written twice, it is there once.
fn id(alert: &HealthAlert, kind: &str) -> EventId {
    let at_ms = alert.raised_at.timestamp_millis();
    let text = format!("{kind}\n{}\n{}\n{at_ms}", alert.metric, alert.server);
    let mut seed = [0_u8; 16];
    seed.copy_from_slice(&Sha256::digest(text.as_bytes())[..16]);
    EventId::derived(at_ms, seed)
}
