//! Incidents: rows, pages, counts and the page of one.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use watchpost_model::event::{Entity, EntityKind, Severity};
use watchpost_model::finding::{AttackFamily, Finding};
use watchpost_model::ids::{EventId, IncidentId};
use watchpost_model::incident::{
    EntityCount, Evidence, Incident, IncidentDetail, IncidentFilter, IncidentOrder, Note, RuleHit, Sla,
    Status, TimelineEntry, Verdict,
};
use watchpost_model::text::visible;

use crate::canonical::to_canonical;
use crate::engine::{Row, Sql, Tx, Value, args, like_pattern};
use crate::error::StoreError;
use crate::event::{event, ip_key, key_text, rank, severity_of};
use crate::store::Store;

/// Evidence on the page of an incident.
const EVIDENCE_MAX: i64 = 200;

/// Where a page of incidents ended. Meaningful only with the order that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentCursor {
    /// Value of the order in its last row.
    pub key: i64,
    /// Number of its last row.
    pub number: i64,
}

/// One page of incidents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IncidentPage {
    /// In the order asked for.
    pub rows: Vec<Incident>,
    /// Where the next page begins; `None` if this was the last.
    pub next: Option<IncidentCursor>,
}

/// How many incidents there are, from one consistent read.
///
/// Each list answers "how many would there be if I chose only this": the filter's other conditions hold, its own
/// condition of that kind does not.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct IncidentCounts {
    /// That the whole filter describes.
    pub total: u64,
    /// By status, those that occur.
    pub status: Vec<(Status, u64)>,
    /// By severity, most severe first.
    pub severity: Vec<(Severity, u64)>,
    /// By family.
    pub family: Vec<(AttackFamily, u64)>,
    /// By assignee, `None` is nobody; most first.
    pub assignee: Vec<(Option<String>, u64)>,
}

/// A full row.
pub(crate) const SELECT: &str = "SELECT id, number, title, family, entity_kind, entity_value, severity, confidence, \
    risk, status, verdict, verdict_reason, assignee, finding_count, event_count, first_seen, last_seen, opened_at, \
    acknowledged_at, resolved_at, acknowledge_due, resolve_due, attack, version, due FROM incident";

pub(crate) fn from_row(row: &Row) -> Result<Incident, StoreError> {
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
        attack: row.json(22)?,
        version: row.i64(23)?,
    })
}

/// A new incident around its first finding; counts start at zero.
pub(crate) fn new(finding: &Finding, number: i64, id: IncidentId, now: DateTime<Utc>) -> Incident {
    let mut incident = Incident {
        id,
        number,
        title: title(finding.family, &finding.entity),
        family: finding.family,
        entity: finding.entity.clone(),
        severity: finding.severity,
        confidence: finding.confidence,
        risk: finding.risk,
        status: Status::Open,
        verdict: Verdict::Unjudged,
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
        attack: Vec::new(),
        version: 1,
    };
    set_clocks(&mut incident);
    incident
}

fn title(family: AttackFamily, entity: &Entity) -> String {
    let value = visible(&entity.value, 80);
    let what = family.title();
    match entity.kind {
        EntityKind::Ip => format!("{what} from {value}"),
        EntityKind::User => format!("{what} against user {value}"),
        EntityKind::Session => format!("{what} in session {value}"),
        EntityKind::Endpoint => format!("{what} on {value}"),
    }
}

/// Sets both clocks from the severity and the opening.
pub(crate) fn set_clocks(incident: &mut Incident) {
    let sla = Sla::of(incident.severity);
    incident.acknowledge_due = incident.opened_at + sla.acknowledge;
    incident.resolve_due = incident.opened_at + sla.resolve;
}

/// The next clock to run out, in microseconds; the largest integer when none runs.
fn due(incident: &Incident) -> i64 {
    let clock = if !incident.status.is_active() {
        return i64::MAX;
    } else if incident.acknowledged_at.is_none() {
        incident.acknowledge_due.min(incident.resolve_due)
    } else {
        incident.resolve_due
    };
    clock.timestamp_micros()
}

/// Writes the columns that never change, and the rest by [`update`].
pub(crate) async fn insert(tx: &mut Tx, incident: &Incident) -> Result<(), StoreError> {
    let entity_ip = match incident.entity.kind {
        EntityKind::Ip => incident.entity.value.parse().ok().map(ip_key),
        EntityKind::User | EntityKind::Session | EntityKind::Endpoint => None,
    };
    let search = format!("{}\n{}", incident.title, incident.entity.value).to_lowercase();
    let mut sql = Sql::new(
        "INSERT INTO incident (id, number, title, family, entity_kind, entity_value, entity_key, entity_ip, opened_at, \
         search, severity, confidence, risk, status, active, verdict, finding_count, event_count, first_seen, \
         last_seen, acknowledge_due, resolve_due, due, attack, version) VALUES ",
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
    ]);
    tx.execute_sql(sql).await.map(drop)
}

/// Writes the columns that change.
pub(crate) async fn update(tx: &mut Tx, incident: &Incident) -> Result<(), StoreError> {
    let mut sql = Sql::new(
        "UPDATE incident SET (severity, confidence, risk, status, active, verdict, verdict_reason, assignee, \
         finding_count, event_count, first_seen, last_seen, acknowledged_at, resolved_at, acknowledge_due, resolve_due, \
         due, attack, version) = ",
    );
    sql.tuple(args![
        rank(incident.severity),
        i64::from(incident.confidence),
        i64::from(incident.risk),
        incident.status.as_str(),
        i64::from(incident.status.is_active()),
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
    ]);
    sql.push(" WHERE id = ").bind(incident.id.to_string());
    tx.execute_sql(sql).await.map(drop)
}

/// A condition of a filter that a facet leaves out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Facet {
    None,
    Status,
    Severity,
    Family,
    Assignee,
}

/// Conditions of `filter` but that of `except`, as ` AND ...`.
fn conditions(sql: &mut Sql, filter: &IncidentFilter, except: Facet) {
    let words = |values: Vec<&'static str>| -> Vec<Value> { values.into_iter().map(Value::from).collect() };
    if !filter.status.is_empty() && except != Facet::Status {
        sql.push(" AND status IN ").tuple(words(filter.status.iter().map(|s| s.as_str()).collect()));
    }
    if !filter.severity.is_empty() && except != Facet::Severity {
        sql.push(" AND severity IN ").tuple(filter.severity.iter().map(|s| rank(*s).into()).collect());
    }
    if !filter.family.is_empty() && except != Facet::Family {
        sql.push(" AND family IN ").tuple(words(filter.family.iter().map(|f| f.as_str()).collect()));
    }
    match filter.assignee.as_deref() {
        _ if except == Facet::Assignee => {}
        None => {}
        Some("") => {
            sql.push(" AND assignee IS NULL");
        }
        Some(name) => {
            sql.push(" AND assignee = ").bind(name);
        }
    }
    for word in filter.text.iter().flat_map(|text| text.split_whitespace()) {
        sql.push(" AND search LIKE ").bind(like_pattern(word)).push(" ESCAPE '!'");
    }
    if let Some(entity) = &filter.entity {
        sql.push(" AND entity_kind = ").bind(entity.kind.as_str());
        sql.push(" AND entity_key = ").bind(key_text(&entity.value));
    }
}

fn order_column(order: IncidentOrder) -> (&'static str, &'static str) {
    match order {
        IncidentOrder::Newest => ("number", "DESC"),
        IncidentOrder::Severity => ("severity", "DESC"),
        IncidentOrder::Due => ("due", "ASC"),
    }
}

impl Store {
    /// One page of incidents, strictly after `after` in `order`.
    ///
    /// Shape: at most `limit` rows (1..=500); keyset, not offset.
    ///
    /// # Errors
    /// `Validation` if `limit` is out of range; what the database says.
    pub async fn incident_page(
        &self,
        filter: &IncidentFilter,
        order: IncidentOrder,
        after: Option<IncidentCursor>,
        limit: u32,
    ) -> Result<IncidentPage, StoreError> {
        if !(1..=500).contains(&limit) {
            return Err(StoreError::Validation(format!("a page has 1 to 500 rows, not {limit}")));
        }
        let (column, direction) = order_column(order);
        let mut sql = Sql::new(SELECT);
        sql.push(" WHERE 1 = 1");
        conditions(&mut sql, filter, Facet::None);
        if let Some(cursor) = after {
            let beyond = if direction == "ASC" { " > " } else { " < " };
            sql.push(" AND (").push(column).push(beyond).bind(cursor.key);
            sql.push(" OR (").push(column).push(" = ").bind(cursor.key);
            sql.push(" AND number < ").bind(cursor.number).push("))");
        }
        sql.push(" ORDER BY ").push(column).push(" ").push(direction).push(", number DESC LIMIT ");
        sql.bind(i64::from(limit) + 1);
        let mut tx = self.read().await?;
        let rows = tx.fetch_sql(sql).await?;
        let shown = rows.len().min(limit as usize);
        let mut page = IncidentPage { rows: Vec::with_capacity(shown), next: None };
        for row in &rows[..shown] {
            page.rows.push(from_row(row)?);
        }
        if rows.len() > shown
            && let Some(last) = rows.get(shown.saturating_sub(1))
        {
            let key = match order {
                IncidentOrder::Newest => last.i64(1)?,
                IncidentOrder::Severity => last.i64(6)?,
                IncidentOrder::Due => last.i64(24)?,
            };
            page.next = Some(IncidentCursor { key, number: last.i64(1)? });
        }
        Ok(page)
    }

    /// How many incidents there are by status, severity, family and assignee, from one consistent read.
    ///
    /// # Errors
    /// What the database says.
    pub async fn incident_counts(&self, filter: &IncidentFilter) -> Result<IncidentCounts, StoreError> {
        let mut tx = self.read().await?;
        let mut sql = Sql::new("SELECT COUNT(*) FROM incident WHERE 1 = 1");
        conditions(&mut sql, filter, Facet::None);
        let mut counts = IncidentCounts::default();
        for row in tx.fetch_sql(sql).await? {
            counts.total = row.u64(0)?;
        }
        for row in grouped(&mut tx, filter, Facet::Status, "status").await? {
            counts.status.push((row.parse(0)?, row.u64(1)?));
        }
        for row in grouped(&mut tx, filter, Facet::Severity, "severity").await? {
            counts.severity.push((severity_of(row.i64(0)?)?, row.u64(1)?));
        }
        for row in grouped(&mut tx, filter, Facet::Family, "family").await? {
            counts.family.push((row.parse(0)?, row.u64(1)?));
        }
        for row in grouped(&mut tx, filter, Facet::Assignee, "assignee").await? {
            counts.assignee.push((row.opt_text(0)?, row.u64(1)?));
        }
        counts.status.sort_by_key(|(status, _)| Status::ALL.iter().position(|s| s == status));
        counts.severity.sort_by_key(|(severity, _)| std::cmp::Reverse(*severity));
        counts.family.sort_by_key(|(family, _)| *family);
        counts.assignee.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Ok(counts)
    }

    /// An incident with everything on its page.
    ///
    /// # Errors
    /// `NotFound`; what the database says.
    pub async fn incident_by_number(&self, number: i64) -> Result<IncidentDetail, StoreError> {
        let mut tx = self.read().await?;
        let row = tx
            .fetch_optional(format!("{SELECT} WHERE number = $1"), args![number])
            .await?
            .ok_or_else(|| StoreError::NotFound(format!("incident {number}")))?;
        let incident = from_row(&row)?;
        let id = incident.id.to_string();
        Ok(IncidentDetail {
            why: rule_hits(&mut tx, &id).await?,
            evidence: evidence(&mut tx, &id).await?,
            entities: entity_counts(&mut tx, &id).await?,
            notes: notes(&mut tx, &id).await?,
            timeline: timeline(&mut tx, &id).await?,
            incident,
        })
    }

    /// An incident's row by its identity.
    ///
    /// # Errors
    /// `NotFound`; what the database says.
    pub async fn incident_by_id(&self, id: IncidentId) -> Result<Incident, StoreError> {
        let mut tx = self.read().await?;
        let row = tx
            .fetch_optional(format!("{SELECT} WHERE id = $1"), args![id.to_string()])
            .await?
            .ok_or_else(|| StoreError::NotFound(format!("incident {id}")))?;
        from_row(&row)
    }
}

async fn grouped(
    tx: &mut Tx,
    filter: &IncidentFilter,
    facet: Facet,
    column: &'static str,
) -> Result<Vec<Row>, StoreError> {
    let mut sql = Sql::new("SELECT ");
    sql.push(column).push(", COUNT(*) FROM incident WHERE 1 = 1");
    conditions(&mut sql, filter, facet);
    sql.push(" GROUP BY ").push(column);
    tx.fetch_sql(sql).await
}

async fn rule_hits(tx: &mut Tx, id: &str) -> Result<Vec<RuleHit>, StoreError> {
    let rows = tx
        .fetch("SELECT rule_id, COUNT(*) FROM finding WHERE incident_id = $1 GROUP BY rule_id", args![id])
        .await?;
    let mut hits: Vec<RuleHit> = Vec::with_capacity(rows.len());
    for row in rows {
        let newest = tx
            .fetch_one(
                "SELECT body FROM finding WHERE incident_id = $1 AND rule_id = $2 ORDER BY at DESC, id DESC LIMIT 1",
                args![id, row.text(0)?],
            )
            .await?;
        hits.push(RuleHit { count: row.u64(1)?, newest: newest.json(0)? });
    }
    hits.sort_by(|a, b| {
        b.newest
            .severity
            .cmp(&a.newest.severity)
            .then(b.count.cmp(&a.count))
            .then_with(|| a.newest.rule_id.cmp(&b.newest.rule_id))
    });
    Ok(hits)
}

async fn evidence(tx: &mut Tx, id: &str) -> Result<Vec<Evidence>, StoreError> {
    let rows = tx
        .fetch(
            "SELECT body, sha256 FROM evidence WHERE incident_id = $1 ORDER BY at DESC, event_id DESC LIMIT $2",
            args![id, EVIDENCE_MAX],
        )
        .await?;
    let mut list = Vec::with_capacity(rows.len());
    for row in &rows {
        list.push(Evidence { event: event(row, 0)?, sha256: row.text(1)?, findings: Vec::new() });
    }
    let mut findings: BTreeMap<EventId, Vec<Finding>> = BTreeMap::new();
    let ids: Vec<Value> = list.iter().map(|evidence| evidence.event.id.to_string().into()).collect();
    for part in crate::engine::chunks(&ids) {
        let mut sql = Sql::new("SELECT body FROM finding WHERE incident_id = ");
        sql.bind(id).push(" AND event_id IN ").tuple(part.to_vec()).push(" ORDER BY rule_id, id");
        for row in tx.fetch_sql(sql).await? {
            let finding: Finding = row.json(0)?;
            findings.entry(finding.event_id).or_default().push(finding);
        }
    }
    for evidence in &mut list {
        evidence.findings = findings.remove(&evidence.event.id).unwrap_or_default();
    }
    Ok(list)
}

async fn entity_counts(tx: &mut Tx, id: &str) -> Result<Vec<EntityCount>, StoreError> {
    let rows = tx
        .fetch(
            "SELECT kind, entity_key, n FROM incident_entity WHERE incident_id = $1 ORDER BY n DESC, kind, entity_key \
             LIMIT 200",
            args![id],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(EntityCount {
                entity: Entity { kind: row.parse(0)?, value: row.text(1)? },
                events: row.u64(2)?,
            })
        })
        .collect()
}

async fn notes(tx: &mut Tx, id: &str) -> Result<Vec<Note>, StoreError> {
    let rows = tx
        .fetch(
            "SELECT id, author, at, text FROM incident_note WHERE incident_id = $1 ORDER BY at, id",
            args![id],
        )
        .await?;
    rows.iter()
        .map(|row| Ok(Note { id: row.parse(0)?, author: row.text(1)?, at: row.time(2)?, text: row.text(3)? }))
        .collect()
}

async fn timeline(tx: &mut Tx, id: &str) -> Result<Vec<TimelineEntry>, StoreError> {
    let rows = tx
        .fetch(
            "SELECT at, actor, kind, text FROM incident_timeline WHERE incident_id = $1 ORDER BY n",
            args![id],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(TimelineEntry {
                at: row.time(0)?,
                actor: row.text(1)?,
                kind: row.text(2)?,
                text: row.text(3)?,
            })
        })
        .collect()
}
