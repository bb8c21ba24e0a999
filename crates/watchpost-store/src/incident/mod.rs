//! Incidents: the row, its clocks, and what is read and done in the modules below.

mod bulk;
mod change;
mod detail;
mod events;
mod feedback;
mod list;
pub(crate) mod merge;
mod similar;
mod steps;
mod work;

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use watchpost_model::event::{Entity, EntityKind, Severity};
use watchpost_model::finding::{AttackFamily, Finding};
use watchpost_model::ids::IncidentId;
use watchpost_model::incident::{Incident, Paused, Sla, Status, Verdict};
use watchpost_model::text::visible;

use crate::canonical::to_canonical;
use crate::engine::{Row, Sql, Tx, args};
use crate::error::StoreError;
use crate::event::{ip_key, key_text, rank, severity_of};

pub use bulk::BulkTarget;
pub use change::IncidentPatch;
pub use events::{IncidentEventCursor, IncidentEventPage};
pub use list::{IncidentCounts, IncidentCursor, IncidentPage};

pub(crate) use change::{add_link, end_pause, enforced, resume, timeline};
pub(crate) use events::{LINKED, Linked, count_entities, freeze, link};
pub(crate) use merge::{bump, keep_own, lock_grouping, regroup};

/// A full row.
pub(crate) const SELECT: &str = "SELECT id, number, title, family, entity_kind, entity_value, severity, confidence, \
    risk, status, verdict, verdict_reason, assignee, finding_count, event_count, first_seen, last_seen, opened_at, \
    acknowledged_at, resolved_at, acknowledge_due, resolve_due, attack, version, due, verdict_cause, paused_since, \
    pause_reason, paused_s, escalated_to, (SELECT t.number FROM incident t WHERE t.id = incident.merged_into) AS merged_number, \
    own FROM incident";

pub(crate) fn from_row(row: &Row) -> Result<Incident, StoreError> {
    let paused = match row.opt_time(26)? {
        Some(since) => Some(Paused { since, reason: row.parse(27)? }),
        None => None,
    };
    Ok(Incident {
        id: row.parse(0)?,
        number: row.i64(1)?,
        title: row.text(2)?,
        family: row.parse(3)?,
        entity: Entity { kind: row.parse(4)?, value: row.text(5)? },
        severity: severity_of(row.i64(6)?)?,
        confidence: row.u8(7)?,
        risk: row.u8(8)?,
        status: row.parse(9)?,
        verdict: row.parse(10)?,
        verdict_cause: match row.opt_text(25)? {
            Some(_) => Some(row.parse(25)?),
            None => None,
        },
        verdict_reason: row.opt_text(11)?,
        assignee: row.opt_text(12)?,
        finding_count: row.u64(13)?,
        event_count: row.u64(14)?,
        first_seen: row.time(15)?,
        last_seen: row.time(16)?,
        opened_at: row.time(17)?,
        acknowledged_at: row.opt_time(18)?,
        resolved_at: row.opt_time(19)?,
        acknowledge_due: row.time(20)?,
        resolve_due: row.time(21)?,
        paused,
        paused_s: row.u64(28)?,
        escalated_to: row.opt_text(29)?,
        merged_into: row.opt_i64(30)?,
        attack: row.json(22)?,
        version: row.i64(23)?,
    })
}

/// What an incident has of its own, while others are merged into it and its columns tell of all of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Own {
    severity: Severity,
    confidence: u8,
    risk: u8,
    finding_count: u64,
    event_count: u64,
    first_seen: DateTime<Utc>,
    last_seen: DateTime<Utc>,
    attack: Vec<String>,
}

impl Own {
    pub(crate) fn of(incident: &Incident) -> Self {
        Self {
            severity: incident.severity,
            confidence: incident.confidence,
            risk: incident.risk,
            finding_count: incident.finding_count,
            event_count: incident.event_count,
            first_seen: incident.first_seen,
            last_seen: incident.last_seen,
            attack: incident.attack.clone(),
        }
    }

    pub(crate) fn put_into(self, incident: &mut Incident) {
        incident.severity = self.severity;
        incident.confidence = self.confidence;
        incident.risk = self.risk;
        incident.finding_count = self.finding_count;
        incident.event_count = self.event_count;
        incident.first_seen = self.first_seen;
        incident.last_seen = self.last_seen;
        incident.attack = self.attack;
    }
}

/// The `own` column of a row of [`SELECT`].
pub(crate) fn own_of(row: &Row) -> Result<Option<Own>, StoreError> {
    match row.opt_text(31)? {
        Some(_) => Ok(Some(row.json(31)?)),
        None => Ok(None),
    }
}

/// The row with what it has of its own, locked for a change.
pub(crate) async fn locked(tx: &mut Tx, id: IncidentId) -> Result<(Incident, Option<Own>), StoreError> {
    let lock = tx.dialect().for_update();
    let row = tx
        .fetch_optional(format!("{SELECT} WHERE id = $1{lock}"), args![id.to_string()])
        .await?
        .ok_or_else(|| StoreError::NotFound(format!("incident {id}")))?;
    Ok((from_row(&row)?, own_of(&row)?))
}

/// A merged incident is worked on through its target.
pub(crate) fn refuse_merged(incident: &Incident) -> Result<(), StoreError> {
    match incident.merged_into {
        None => Ok(()),
        Some(target) => Err(StoreError::Precondition(format!(
            "incident {} is merged into incident {target}: change that one, or split it off first",
            incident.number
        ))),
    }
}

/// A new incident around its first finding; counts start at zero.
pub(crate) fn new(finding: &Finding, number: i64, id: IncidentId, now: DateTime<Utc>) -> Incident {
    let mut incident = Incident {
        id,
        number,
        title: title(finding),
        family: finding.family,
        entity: finding.entity.clone(),
        severity: finding.severity,
        confidence: finding.confidence,
        risk: finding.risk,
        status: Status::Open,
        verdict: Verdict::Unjudged,
        verdict_cause: None,
        verdict_reason: None,
        assignee: None,
        finding_count: 0,
        event_count: 0,
        first_seen: finding.at,
        last_seen: finding.at,
        opened_at: now,
        acknowledged_at: None,
        resolved_at: None,
        acknowledge_due: now,
        resolve_due: now,
        paused: None,
        paused_s: 0,
        escalated_to: None,
        merged_into: None,
        attack: Vec::new(),
        version: 1,
    };
    set_clocks(&mut incident);
    incident
}

/// What was seen and of whom. Of the use of an account that is the rule: one unusual hour and two places at once are of the
/// same family.
pub(crate) fn title(finding: &Finding) -> String {
    // The metric, which its entity names as well.
    if finding.family == AttackFamily::RedisHealth {
        return visible(&finding.rule_title, 120);
    }
    let value = visible(&finding.entity.value, 80);
    if finding.family == AttackFamily::AccountTakeover {
        return format!("{}: {value}", visible(&finding.rule_title, 80));
    }
    let what = finding.family.title();
    match finding.entity.kind {
        EntityKind::Ip => format!("{what} from {value}"),
        EntityKind::User => format!("{what} against user {value}"),
        EntityKind::Session => format!("{what} in session {value}"),
        EntityKind::Endpoint => format!("{what} on {value}"),
    }
}

/// Sets both clocks from the severity, the opening, and the time that they stood. Who pauses has acknowledged, so pauses
/// move only the second one.
pub(crate) fn set_clocks(incident: &mut Incident) {
    let sla = Sla::of(incident.severity);
    let stood = Duration::seconds(i64::try_from(incident.paused_s).unwrap_or(0));
    incident.acknowledge_due = incident.opened_at + sla.acknowledge;
    incident.resolve_due = incident.opened_at + sla.resolve + stood;
}

/// The next clock to run out, in microseconds; the largest integer when none runs.
fn due(incident: &Incident) -> i64 {
    let stands = incident.paused.is_some() || incident.merged_into.is_some();
    let clock = if stands || !incident.status.is_active() {
        return i64::MAX;
    } else if incident.acknowledged_at.is_none() {
        incident.acknowledge_due.min(incident.resolve_due)
    } else {
        incident.resolve_due
    };
    clock.timestamp_micros()
}

/// What is looked through for words.
fn search(incident: &Incident) -> String {
    format!("{}\n{}", incident.title, incident.entity.value).to_lowercase()
}

/// Calls it as it is called now.
pub(crate) async fn retitle(tx: &mut Tx, incident: &Incident) -> Result<(), StoreError> {
    let values = args![incident.title.as_str(), search(incident), incident.id.to_string()];
    tx.execute("UPDATE incident SET title = $1, search = $2 WHERE id = $3", values).await.map(drop)
}

/// Writes the columns that seldom change, and the rest by [`update`].
pub(crate) async fn insert(tx: &mut Tx, incident: &Incident) -> Result<(), StoreError> {
    let entity_ip = match incident.entity.kind {
        EntityKind::Ip => incident.entity.value.parse().ok().map(ip_key),
        EntityKind::User | EntityKind::Session | EntityKind::Endpoint => None,
    };
    let search = search(incident);
    let mut sql = Sql::new(
        "INSERT INTO incident (id, number, title, family, entity_kind, entity_value, entity_key, entity_ip, opened_at, \
         search, severity, confidence, risk, status, active, verdict, finding_count, event_count, first_seen, \
         last_seen, acknowledge_due, resolve_due, due, attack, version, root_id) VALUES ",
    );
    sql.tuple(args![
        incident.id.to_string(),
        incident.number,
        incident.title.as_str(),
        incident.family.as_str(),
        incident.entity.kind.as_str(),
        incident.entity.value.as_str(),
        key_text(&incident.entity.value),
        entity_ip,
        incident.opened_at,
        search,
        rank(incident.severity),
        i64::from(incident.confidence),
        i64::from(incident.risk),
        incident.status.as_str(),
        i64::from(incident.status.is_active()),
        incident.verdict.as_str(),
        0_i64,
        0_i64,
        incident.first_seen,
        incident.last_seen,
        incident.acknowledge_due,
        incident.resolve_due,
        due(incident),
        "[]",
        incident.version,
        incident.id.to_string(),
    ]);
    tx.execute_sql(sql).await.map(drop)
}

/// Writes the columns that change, but those of merging.
pub(crate) async fn update(tx: &mut Tx, incident: &Incident) -> Result<(), StoreError> {
    let mut sql = Sql::new(
        "UPDATE incident SET (severity, confidence, risk, status, active, verdict, verdict_reason, assignee, \
         finding_count, event_count, first_seen, last_seen, acknowledged_at, resolved_at, acknowledge_due, resolve_due, \
         due, attack, version, verdict_cause, paused_since, pause_reason, paused_s, escalated_to) = ",
    );
    sql.tuple(args![
        rank(incident.severity),
        i64::from(incident.confidence),
        i64::from(incident.risk),
        incident.status.as_str(),
        i64::from(incident.status.is_active() && incident.merged_into.is_none()),
        incident.verdict.as_str(),
        incident.verdict_reason.as_deref(),
        incident.assignee.as_deref(),
        incident.finding_count.cast_signed(),
        incident.event_count.cast_signed(),
        incident.first_seen,
        incident.last_seen,
        incident.acknowledged_at,
        incident.resolved_at,
        incident.acknowledge_due,
        incident.resolve_due,
        due(incident),
        to_canonical(&incident.attack)?,
        incident.version,
        incident.verdict_cause.map(|cause| cause.as_str()),
        incident.paused.map(|paused| paused.since),
        incident.paused.map(|paused| paused.reason.as_str()),
        incident.paused_s.cast_signed(),
        incident.escalated_to.as_deref(),
    ]);
    sql.push(" WHERE id = ").bind(incident.id.to_string());
    tx.execute_sql(sql).await.map(drop)
}
