//! Every event of an incident: linked with its digest, counted with its weight, the bodies of some of them frozen.
//!
//! Frozen are the events that completed a finding, the first hundred, and at the resolution the newest hundred. The
//! others are in the archive, whose retention leaves them alone while the incident is active.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use watchpost_model::event::{Entity, EntityKind, Event};
use watchpost_model::ids::{EventId, IncidentId};
use watchpost_model::incident::IncidentEvent;

use super::detail::by_number;
use super::merge::{self, Member};
use crate::canonical::{sha256, to_canonical};
use crate::engine::{Row, Sql, Tx, Value, args};
use crate::error::StoreError;
use crate::event::{entities, event};
use crate::store::Store;

/// Bodies that are frozen at the begin of an attack, and at its resolution.
const FROZEN: i64 = 100;

/// Where a page of an incident's events ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentEventCursor {
    /// Event time of its last row.
    pub at: DateTime<Utc>,
    /// Id of its last row.
    pub id: EventId,
}

/// One page of an incident's events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IncidentEventPage {
    /// Newest first.
    pub rows: Vec<IncidentEvent>,
    /// Where the next page begins; `None` if this was the last.
    pub next: Option<IncidentEventCursor>,
    /// Different events of the incident.
    pub total: u64,
    /// The same, each as often as it happened.
    pub occurrences: u64,
}

/// An event to be linked.
pub(crate) struct Linked {
    pub(crate) id: EventId,
    pub(crate) at: DateTime<Utc>,
    pub(crate) n: u64,
    pub(crate) sha256: String,
    pub(crate) entities: Vec<Entity>,
}

/// Columns of `event` that [`Linked::from_row`] reads.
pub(crate) const LINKED: &str = "id, at, n, digest, source_ip, actor, session, endpoint";

impl Linked {
    pub(crate) fn of(event: &Event) -> Result<Self, StoreError> {
        Ok(Self {
            id: event.id,
            at: event.at,
            n: u64::from(event.count.max(1)),
            sha256: hex::encode(sha256(to_canonical(event)?.as_bytes())),
            entities: entities(event),
        })
    }

    pub(crate) fn from_row(row: &Row) -> Result<Self, StoreError> {
        let mut entities = Vec::with_capacity(4);
        for (index, kind) in
            [(4, EntityKind::Ip), (5, EntityKind::User), (6, EntityKind::Session), (7, EntityKind::Endpoint)]
        {
            if let Some(value) = row.opt_text(index)?.filter(|value| !value.is_empty()) {
                entities.push(Entity::new(kind, value));
            }
        }
        Ok(Self {
            id: row.parse(0)?,
            at: row.time(1)?,
            n: row.u64(2)?,
            sha256: hex::encode(row.blob(3)?),
            entities,
        })
    }
}

/// What linking added.
#[derive(Debug, Default)]
pub(crate) struct Added {
    /// Occurrences that are new to the incident.
    pub(crate) n: u64,
    /// Event times of the first and the last of them.
    pub(crate) seen: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

/// Links events to an incident; those that are linked already change nothing.
pub(crate) async fn link(tx: &mut Tx, incident: IncidentId, events: &[Linked]) -> Result<Added, StoreError> {
    let id = incident.to_string();
    let mut unique: BTreeMap<EventId, &Linked> = BTreeMap::new();
    for event in events {
        unique.entry(event.id).or_insert(event);
    }
    let rows: Vec<Vec<Value>> = unique
        .values()
        .map(|e| args![id.as_str(), e.id.to_string(), e.at, e.n.cast_signed(), e.sha256.as_str()])
        .collect();
    let returned = tx
        .insert_rows(
            "INSERT INTO incident_event (incident_id, event_id, at, n, sha256) VALUES ",
            &rows,
            " ON CONFLICT (incident_id, event_id) DO NOTHING RETURNING event_id",
        )
        .await?;
    let mut new: HashSet<EventId> = HashSet::with_capacity(returned.len());
    for row in &returned {
        new.insert(row.parse(0)?);
    }
    let mut added = Added::default();
    let mut counts: BTreeMap<(&'static str, &str), i64> = BTreeMap::new();
    for event in unique.values().filter(|event| new.contains(&event.id)) {
        added.n += event.n;
        let (first, last) = added.seen.unwrap_or((event.at, event.at));
        added.seen = Some((first.min(event.at), last.max(event.at)));
        for entity in &event.entities {
            *counts.entry((entity.kind.as_str(), &entity.value)).or_default() += event.n.cast_signed();
        }
    }
    let counts: Vec<Vec<Value>> =
        counts.into_iter().map(|((kind, value), n)| args![id.as_str(), kind, value, n]).collect();
    count_entities(tx, &counts).await?;
    let mut fresh: Vec<&Linked> = unique.into_values().filter(|event| new.contains(&event.id)).collect();
    fresh.sort_by_key(|event| (event.at, event.id));
    freeze_first(tx, &id, &fresh).await?;
    Ok(added)
}

/// Adds to the counts by entity: rows of incident, kind, value, number.
pub(crate) async fn count_entities(tx: &mut Tx, counts: &[Vec<Value>]) -> Result<(), StoreError> {
    tx.insert_rows(
        "INSERT INTO incident_entity (incident_id, kind, entity_key, n) VALUES ",
        counts,
        " ON CONFLICT (incident_id, kind, entity_key) DO UPDATE SET n = incident_entity.n + excluded.n",
    )
    .await
    .map(drop)
}

/// Freezes the bodies of the first events that an incident takes in.
async fn freeze_first(tx: &mut Tx, id: &str, fresh: &[&Linked]) -> Result<(), StoreError> {
    if fresh.is_empty() {
        return Ok(());
    }
    let frozen =
        tx.fetch_one("SELECT COUNT(*) FROM evidence WHERE incident_id = $1", args![id]).await?.i64(0)?;
    let room = usize::try_from((FROZEN - frozen).max(0)).unwrap_or(0);
    let ids: Vec<EventId> = fresh.iter().take(room).map(|event| event.id).collect();
    freeze_archived(tx, id, &ids).await
}

/// Freezes archived events as they are now.
async fn freeze_archived(tx: &mut Tx, incident: &str, ids: &[EventId]) -> Result<(), StoreError> {
    let ids: Vec<Value> = ids.iter().map(|id| id.to_string().into()).collect();
    let mut bodies = Vec::with_capacity(ids.len());
    for row in tx.fetch_in("SELECT body FROM event WHERE id IN ", &ids).await? {
        bodies.push(event(&row, 0)?);
    }
    freeze(tx, incident, &bodies).await
}

/// Freezes events; those that are frozen already stay as they are.
pub(crate) async fn freeze(tx: &mut Tx, incident: &str, events: &[Event]) -> Result<(), StoreError> {
    let mut rows: Vec<Vec<Value>> = Vec::with_capacity(events.len());
    for event in events {
        let body = to_canonical(event)?;
        let digest = hex::encode(sha256(body.as_bytes()));
        rows.push(args![incident, event.id.to_string(), event.at, digest, body]);
    }
    tx.insert_rows(
        "INSERT INTO evidence (incident_id, event_id, at, sha256, body) VALUES ",
        &rows,
        " ON CONFLICT (incident_id, event_id) DO NOTHING",
    )
    .await
    .map(drop)
}

/// Freezes the newest events of an incident and of what is merged into it: from its resolution on the archive may let
/// go of the others.
pub(crate) async fn freeze_newest(tx: &mut Tx, incident: IncidentId) -> Result<(), StoreError> {
    for member in merge::group(tx, incident).await? {
        let rows = tx
            .fetch(
                "SELECT event_id FROM incident_event WHERE incident_id = $1 ORDER BY at DESC, event_id DESC LIMIT $2",
                args![member.id.as_str(), FROZEN],
            )
            .await?;
        let ids: Vec<EventId> = rows.iter().map(|row| row.parse(0)).collect::<Result<_, _>>()?;
        freeze_archived(tx, &member.id, &ids).await?;
    }
    Ok(())
}

/// A condition that leaves out the event `x` where another incident of the group shows it.
fn once(sql: &mut Sql, group: &[Member]) {
    if group.len() > 1 {
        sql.push(" AND NOT EXISTS (SELECT 1 FROM incident_event y WHERE y.event_id = x.event_id AND y.incident_id IN ");
        sql.tuple(merge::ids(group)).push(" AND y.incident_id < x.incident_id)");
    }
}

/// Events of a group, newest first, strictly older than `before`, each once.
pub(super) async fn page(
    tx: &mut Tx,
    group: &[Member],
    before: Option<IncidentEventCursor>,
    limit: u32,
) -> Result<Vec<IncidentEvent>, StoreError> {
    let mut sql = Sql::new(
        "SELECT x.event_id, x.at, x.n, x.sha256, v.body, e.body FROM incident_event x \
         LEFT JOIN evidence v ON v.incident_id = x.incident_id AND v.event_id = x.event_id \
         LEFT JOIN event e ON e.id = x.event_id WHERE x.incident_id IN ",
    );
    sql.tuple(merge::ids(group));
    once(&mut sql, group);
    if let Some(cursor) = before {
        sql.push(" AND (x.at, x.event_id) < ").tuple(args![cursor.at, cursor.id.to_string()]);
    }
    sql.push(" ORDER BY x.at DESC, x.event_id DESC LIMIT ").bind(i64::from(limit));
    let mut rows = Vec::new();
    for row in tx.fetch_sql(sql).await? {
        let frozen = row.opt_text(4)?.is_some();
        let body = if frozen {
            Some(event(&row, 4)?)
        } else if row.opt_text(5)?.is_some() {
            Some(event(&row, 5)?)
        } else {
            None
        };
        rows.push(IncidentEvent {
            id: row.parse(0)?,
            at: row.time(1)?,
            count: row.u64(2)?,
            sha256: row.text(3)?,
            event: body,
            frozen,
        });
    }
    Ok(rows)
}

/// Different events of a group.
pub(super) async fn row_count(tx: &mut Tx, group: &[Member]) -> Result<u64, StoreError> {
    Ok(counts(tx, group).await?.0)
}

/// Different events of a group, and these as often as they happened.
pub(super) async fn counts(tx: &mut Tx, group: &[Member]) -> Result<(u64, u64), StoreError> {
    let mut sql = Sql::new(
        "SELECT COUNT(*), CAST(COALESCE(SUM(x.n), 0) AS BIGINT) FROM incident_event x WHERE x.incident_id IN ",
    );
    sql.tuple(merge::ids(group));
    once(&mut sql, group);
    match tx.fetch_sql(sql).await?.first() {
        Some(row) => Ok((row.u64(0)?, row.u64(1)?)),
        None => Ok((0, 0)),
    }
}

impl Store {
    /// One page of all events of an incident and of what is merged into it, newest first, strictly older than `before`.
    ///
    /// Shape: at most `limit` rows (1..=500); keyset, not offset.
    ///
    /// # Errors
    /// `NotFound`; `Validation` if `limit` is out of range; what the database says.
    pub async fn incident_events(
        &self,
        number: i64,
        before: Option<IncidentEventCursor>,
        limit: u32,
    ) -> Result<IncidentEventPage, StoreError> {
        if !(1..=500).contains(&limit) {
            return Err(StoreError::Validation(format!("a page has 1 to 500 rows, not {limit}")));
        }
        let mut tx = self.read().await?;
        let incident = by_number(&mut tx, number).await?;
        let group = merge::group(&mut tx, incident.id).await?;
        let (total, occurrences) = counts(&mut tx, &group).await?;
        let mut rows = page(&mut tx, &group, before, limit + 1).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = match rows.last() {
            Some(last) if more => Some(IncidentEventCursor { at: last.at, id: last.id }),
            _ => None,
        };
        Ok(IncidentEventPage { rows, next, total, occurrences })
    }
}
