//! The page of one incident. What was merged into it is on the page too; an event counts once.

use std::collections::BTreeMap;

use watchpost_model::event::Entity;
use watchpost_model::finding::Finding;
use watchpost_model::ids::{EventId, IncidentId};
use watchpost_model::incident::{
    EntityCount, Evidence, Incident, IncidentDetail, LinkKind, Pause, RelatedIncident, RuleHit, StepCheck,
};

use super::{SELECT, events, from_row, merge, work};
use crate::engine::{Row, Sql, Tx, Value, args, chunks};
use crate::error::StoreError;
use crate::event::{entities, event};
use crate::risk;
use crate::store::Store;

/// Evidence on the page of an incident.
const EVIDENCE_MAX: u32 = 200;
/// Notes, and lines of the timeline, on the page of an incident.
const WORK_MAX: u32 = 200;

impl Store {
    /// An incident with everything on its page.
    ///
    /// # Errors
    /// `NotFound`; what the database says.
    pub async fn incident_by_number(&self, number: i64) -> Result<IncidentDetail, StoreError> {
        let mut tx = self.read().await?;
        let incident = by_number(&mut tx, number).await?;
        let group = merge::group(&mut tx, incident.id).await?;
        let (notes, earlier_notes) = work::notes(&mut tx, &group, None, WORK_MAX).await?;
        let (timeline, earlier_timeline) = work::timeline(&mut tx, &group, None, WORK_MAX).await?;
        Ok(IncidentDetail {
            why: rule_hits(&mut tx, &group).await?,
            evidence: evidence(&mut tx, &group).await?,
            event_rows: events::row_count(&mut tx, &group).await?,
            entities: entity_counts(&mut tx, &group, &incident.entity).await?,
            entity_rows: entity_rows(&mut tx, &group).await?,
            notes,
            earlier_notes,
            timeline,
            earlier_timeline,
            related: related(&mut tx, incident.id).await?,
            pauses: pauses(&mut tx, incident.id).await?,
            checks: checks(&mut tx, incident.id).await?,
            playbook: None,
            risk: risk::explanation(&mut tx, &incident, merge::ids(&group)).await?,
            incident,
        })
    }

    /// An incident's row by its number.
    ///
    /// # Errors
    /// `NotFound`; what the database says.
    pub async fn incident_row(&self, number: i64) -> Result<Incident, StoreError> {
        by_number(&mut *self.read().await?, number).await
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

pub(super) async fn by_number(tx: &mut Tx, number: i64) -> Result<Incident, StoreError> {
    let row = tx
        .fetch_optional(format!("{SELECT} WHERE number = $1"), args![number])
        .await?
        .ok_or_else(|| StoreError::NotFound(format!("incident {number}")))?;
    from_row(&row)
}

/// `sql` that ends with ` IN ` for the incidents of a group, and what follows.
pub(super) async fn of_group(
    tx: &mut Tx,
    sql: &str,
    group: &[merge::Member],
    rest: &str,
) -> Result<Vec<Row>, StoreError> {
    let mut query = Sql::new(sql);
    query.tuple(merge::ids(group)).push(rest);
    tx.fetch_sql(query).await
}

async fn rule_hits(tx: &mut Tx, group: &[merge::Member]) -> Result<Vec<RuleHit>, StoreError> {
    let counted = of_group(
        tx,
        "SELECT rule_id, COUNT(*) FROM finding WHERE incident_id IN ",
        group,
        " GROUP BY rule_id",
    )
    .await?;
    let mut hits: Vec<RuleHit> = Vec::with_capacity(counted.len());
    for row in counted {
        let mut sql = Sql::new("SELECT body FROM finding WHERE rule_id = ");
        sql.bind(row.text(0)?).push(" AND incident_id IN ").tuple(merge::ids(group));
        sql.push(" ORDER BY at DESC, id DESC LIMIT 1");
        for newest in tx.fetch_sql(sql).await? {
            hits.push(RuleHit { count: row.u64(1)?, newest: newest.json(0)? });
        }
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

/// The newest events with the findings that they completed.
async fn evidence(tx: &mut Tx, group: &[merge::Member]) -> Result<Vec<Evidence>, StoreError> {
    let mut list = Vec::new();
    for row in events::page(tx, group, None, EVIDENCE_MAX).await? {
        if let Some(event) = row.event {
            list.push(Evidence { event, sha256: row.sha256, findings: Vec::new(), frozen: row.frozen });
        }
    }
    let mut findings: BTreeMap<EventId, Vec<Finding>> = BTreeMap::new();
    let ids: Vec<Value> = list.iter().map(|evidence| evidence.event.id.to_string().into()).collect();
    for part in chunks(&ids) {
        let mut sql = Sql::new("SELECT body FROM finding WHERE incident_id IN ");
        sql.tuple(merge::ids(group))
            .push(" AND event_id IN ")
            .tuple(part.to_vec())
            .push(" ORDER BY rule_id, id");
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

/// How many different entities the events have.
async fn entity_rows(tx: &mut Tx, group: &[merge::Member]) -> Result<u64, StoreError> {
    let rows = of_group(
        tx,
        "SELECT COUNT(*) FROM (SELECT DISTINCT kind, entity_key FROM incident_entity WHERE kind <> 'agent' AND \
         incident_id IN ",
        group,
        ") x",
    )
    .await?;
    rows.first().map_or(Ok(0), |row| row.u64(0))
}

/// The most frequent entities of the events, `own`, which the incident is about, before all others. Each incident keeps its own
/// counts; events that several of a group share are taken off.
async fn entity_counts(
    tx: &mut Tx,
    group: &[merge::Member],
    own: &Entity,
) -> Result<Vec<EntityCount>, StoreError> {
    let rows = of_group(
        tx,
        "SELECT kind, entity_key, CAST(SUM(n) AS BIGINT) AS total FROM incident_entity WHERE kind <> 'agent' AND \
         incident_id IN ",
        group,
        " GROUP BY kind, entity_key ORDER BY total DESC, kind, entity_key LIMIT 200",
    )
    .await?;
    let mut counts = Vec::with_capacity(rows.len());
    for row in &rows {
        let entity = Entity { kind: row.parse(0)?, value: row.text(1)? };
        counts.push(EntityCount { entity, events: row.u64(2)? });
    }
    if group.len() > 1 {
        let shared = of_group(
            tx,
            "SELECT e.body, x.k, x.n FROM (SELECT event_id, COUNT(*) AS k, MIN(n) AS n FROM incident_event \
             WHERE incident_id IN ",
            group,
            " GROUP BY event_id HAVING COUNT(*) > 1) x JOIN event e ON e.id = x.event_id",
        )
        .await?;
        let mut twice: BTreeMap<Entity, u64> = BTreeMap::new();
        for row in shared {
            let more = (row.u64(1)? - 1) * row.u64(2)?;
            for entity in entities(&event(&row, 0)?) {
                *twice.entry(entity).or_default() += more;
            }
        }
        for count in &mut counts {
            count.events -= twice.get(&count.entity).copied().unwrap_or(0).min(count.events);
        }
    }
    // As many events: who did it before what it was done to, which is how kinds of entities are ordered.
    let is_other = |count: &EntityCount| count.entity != *own;
    counts.sort_by(|a, b| {
        is_other(a)
            .cmp(&is_other(b))
            .then_with(|| b.events.cmp(&a.events))
            .then_with(|| a.entity.cmp(&b.entity))
    });
    Ok(counts)
}

async fn related(tx: &mut Tx, id: IncidentId) -> Result<Vec<RelatedIncident>, StoreError> {
    let mut list = Vec::new();
    for (mine, other, outgoing) in [("from_id", "to_id", true), ("to_id", "from_id", false)] {
        let sql = format!(
            "SELECT {other}, kind, at, actor FROM incident_link WHERE {mine} = $1 ORDER BY at LIMIT 200"
        );
        for row in tx.fetch(sql, args![id.to_string()]).await? {
            let kind: LinkKind = row.parse(1)?;
            let incident = tx.fetch_one(format!("{SELECT} WHERE id = $1"), args![row.text(0)?]).await?;
            list.push(RelatedIncident {
                kind,
                outgoing,
                incident: from_row(&incident)?,
                at: row.time(2)?,
                by: row.text(3)?,
            });
        }
    }
    list.sort_by_key(|link| (link.kind, link.incident.number));
    Ok(list)
}

async fn pauses(tx: &mut Tx, id: IncidentId) -> Result<Vec<Pause>, StoreError> {
    let rows = tx
        .fetch(
            "SELECT reason, note, from_at, started_by, until_at, ended_by FROM incident_pause WHERE incident_id = $1 \
             ORDER BY n",
            args![id.to_string()],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Pause {
                reason: row.parse(0)?,
                note: row.text(1)?,
                from: row.time(2)?,
                started_by: row.text(3)?,
                until: row.opt_time(4)?,
                ended_by: row.opt_text(5)?,
            })
        })
        .collect()
}

async fn checks(tx: &mut Tx, id: IncidentId) -> Result<Vec<StepCheck>, StoreError> {
    let rows = tx
        .fetch(
            "SELECT step, actor, at, note FROM incident_step WHERE incident_id = $1 ORDER BY at, step",
            args![id.to_string()],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(StepCheck { step: row.text(0)?, by: row.text(1)?, at: row.time(2)?, note: row.opt_text(3)? })
        })
        .collect()
}
