//! Lists of incidents: pages and counts that agree.

use serde::{Deserialize, Serialize};
use watchpost_model::event::{Entity, EntityKind, Severity};
use watchpost_model::finding::AttackFamily;
use watchpost_model::incident::{Incident, IncidentFilter, IncidentOrder, Status};

use super::{SELECT, from_row};
use crate::engine::{Dialect, Row, Sql, Tx, Value, like_pattern};
use crate::entity::Keys;
use crate::error::StoreError;
use crate::event::{rank, severity_of};
use crate::store::Store;

/// Where a page of incidents ended. Meaningful only with the order that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentCursor {
    /// Value of the order in its last row.
    pub key: i64,
    /// Of [`IncidentOrder::Urgency`]: when its last row is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<i64>,
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

/// A condition of a filter that a facet leaves out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Facet {
    None,
    Status,
    Severity,
    Family,
    Assignee,
}

/// A filter with the keys of its entity.
struct Chosen<'a> {
    filter: &'a IncidentFilter,
    about: Option<About>,
}

impl<'a> Chosen<'a> {
    async fn of(tx: &mut Tx, filter: &'a IncidentFilter) -> Result<Self, StoreError> {
        let about = match &filter.entity {
            Some(entity) => Some(About::of(tx, entity).await?),
            None => None,
        };
        Ok(Self { filter, about })
    }
}

/// Which incidents an entity occurs in.
struct About {
    kind: EntityKind,
    keys: Keys,
    dialect: Dialect,
}

impl About {
    async fn of(tx: &mut Tx, entity: &Entity) -> Result<Self, StoreError> {
        let selects = [
            "SELECT entity_key FROM incident WHERE entity_kind = 'ip'",
            "SELECT entity_key FROM incident_entity WHERE kind = 'ip'",
        ];
        Ok(Self { kind: entity.kind, keys: Keys::of(tx, entity, &selects).await?, dialect: tx.dialect() })
    }

    /// Adds the condition that an incident, or one that is merged into it, is about the entity or has it among its events.
    fn push(&self, sql: &mut Sql) {
        sql.push("id IN (SELECT root_id FROM incident WHERE entity_kind = ").bind(self.kind.as_str());
        sql.push(" AND entity_key");
        self.keys.push(sql, self.dialect);
        sql.push(" UNION SELECT m.root_id FROM incident_entity x JOIN incident m ON m.id = x.incident_id");
        sql.push(" WHERE x.kind = ").bind(self.kind.as_str()).push(" AND x.entity_key");
        self.keys.push(sql, self.dialect);
        sql.push(")");
    }
}

/// Conditions of `chosen` but that of `except`, as ` AND ...`. A merged incident is in no list.
fn conditions(sql: &mut Sql, chosen: &Chosen<'_>, except: Facet) {
    let filter = chosen.filter;
    sql.push(" AND merged_into IS NULL");
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
    if let Some(about) = &chosen.about {
        sql.push(" AND ");
        about.push(sql);
    }
    if let Some(period) = filter.opened {
        sql.push(" AND opened_at >= ").bind(period.from).push(" AND opened_at < ").bind(period.to);
    }
    if let Some(period) = filter.changed {
        sql.push(
            " AND id IN (SELECT m.root_id FROM incident_timeline t JOIN incident m ON m.id = t.incident_id",
        );
        sql.push(" WHERE t.at >= ").bind(period.from).push(" AND t.at < ").bind(period.to).push(")");
    }
    if let Some(period) = filter.began {
        // The earlier of both, as the Overview has it.
        sql.push(" AND first_seen >= ").bind(period.from).push(" AND opened_at >= ").bind(period.from);
        sql.push(" AND (first_seen < ").bind(period.to).push(" OR opened_at < ").bind(period.to).push(")");
    }
    match filter.acknowledged {
        None => {}
        Some(true) => {
            sql.push(" AND acknowledged_at IS NOT NULL");
        }
        Some(false) => {
            sql.push(" AND acknowledged_at IS NULL");
        }
    }
    if let Some(at) = filter.active_at {
        // As the Overview has it.
        sql.push(" AND (first_seen <= ").bind(at).push(" OR opened_at <= ").bind(at).push(")");
        sql.push(" AND (resolved_at IS NULL OR resolved_at > ").bind(at).push(")");
    }
    if let Some(event) = filter.event {
        sql.push(
            " AND id IN (SELECT m.root_id FROM incident_event x JOIN incident m ON m.id = x.incident_id",
        );
        sql.push(" WHERE x.event_id = ").bind(event.to_string()).push(")");
    }
}

fn order_by(order: IncidentOrder) -> &'static str {
    match order {
        IncidentOrder::Newest => "number DESC",
        IncidentOrder::Severity => "severity DESC, number DESC",
        IncidentOrder::Due => "due ASC, number DESC",
        IncidentOrder::Urgency => "severity DESC, due ASC, number DESC",
    }
}

/// Adds the condition that a row comes after the cursor, as ` AND ...`.
fn beyond(sql: &mut Sql, order: IncidentOrder, after: IncidentCursor) {
    let IncidentCursor { key, due, number } = after;
    match order {
        IncidentOrder::Newest => {
            sql.push(" AND number < ").bind(number);
        }
        IncidentOrder::Severity => {
            sql.push(" AND (severity < ").bind(key).push(" OR (severity = ").bind(key);
            sql.push(" AND number < ").bind(number).push("))");
        }
        IncidentOrder::Due => {
            sql.push(" AND (due > ").bind(key).push(" OR (due = ").bind(key);
            sql.push(" AND number < ").bind(number).push("))");
        }
        IncidentOrder::Urgency => {
            let due = due.unwrap_or(i64::MIN);
            sql.push(" AND severity <= ").bind(key).push(" AND (severity < ").bind(key);
            sql.push(" OR due > ").bind(due).push(" OR (due = ").bind(due);
            sql.push(" AND number < ").bind(number).push("))");
        }
    }
}

/// Where a page ended of which this is the last row.
fn ended(order: IncidentOrder, last: &Row) -> Result<IncidentCursor, StoreError> {
    let number = last.i64(1)?;
    Ok(match order {
        IncidentOrder::Newest => IncidentCursor { key: number, due: None, number },
        IncidentOrder::Severity => IncidentCursor { key: last.i64(6)?, due: None, number },
        IncidentOrder::Due => IncidentCursor { key: last.i64(24)?, due: None, number },
        IncidentOrder::Urgency => IncidentCursor { key: last.i64(6)?, due: Some(last.i64(24)?), number },
    })
}

/// The incidents of a filter, oldest first, for a change of all of them; at most `limit`.
pub(super) async fn matching(
    tx: &mut Tx,
    filter: &IncidentFilter,
    limit: usize,
) -> Result<Vec<Incident>, StoreError> {
    let chosen = Chosen::of(tx, filter).await?;
    let mut sql = Sql::new(SELECT);
    sql.push(" WHERE 1 = 1");
    conditions(&mut sql, &chosen, Facet::None);
    sql.push(" ORDER BY number LIMIT ").bind(i64::try_from(limit).unwrap_or(i64::MAX));
    tx.fetch_sql(sql).await?.iter().map(from_row).collect()
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
        let mut tx = self.read().await?;
        let chosen = Chosen::of(&mut tx, filter).await?;
        let mut sql = Sql::new(SELECT);
        sql.push(" WHERE 1 = 1");
        conditions(&mut sql, &chosen, Facet::None);
        if let Some(cursor) = after {
            beyond(&mut sql, order, cursor);
        }
        sql.push(" ORDER BY ").push(order_by(order)).push(" LIMIT ");
        sql.bind(i64::from(limit) + 1);
        let rows = tx.fetch_sql(sql).await?;
        let shown = rows.len().min(limit as usize);
        let mut page = IncidentPage { rows: Vec::with_capacity(shown), next: None };
        for row in &rows[..shown] {
            page.rows.push(from_row(row)?);
        }
        if rows.len() > shown
            && let Some(last) = rows.get(shown.saturating_sub(1))
        {
            page.next = Some(ended(order, last)?);
        }
        Ok(page)
    }

    /// The incidents in which an entity occurs, whether they are about it or its events are among theirs; newest first, at
    /// most `limit`, and how many there are.
    ///
    /// # Errors
    /// What the database says.
    pub async fn incidents_with(
        &self,
        entity: &Entity,
        limit: u32,
    ) -> Result<(Vec<Incident>, u64), StoreError> {
        let mut tx = self.read().await?;
        let about = About::of(&mut tx, entity).await?;
        let condition = |sql: &mut Sql| {
            sql.push(" WHERE merged_into IS NULL AND ");
            about.push(sql);
        };
        let mut count = Sql::new("SELECT COUNT(*) FROM incident");
        condition(&mut count);
        let total = tx.fetch_sql(count).await?.first().map_or(Ok(0), |row| row.u64(0))?;
        let mut sql = Sql::new(SELECT);
        condition(&mut sql);
        sql.push(" ORDER BY number DESC LIMIT ").bind(i64::from(limit));
        let rows = tx.fetch_sql(sql).await?.iter().map(from_row).collect::<Result<_, _>>()?;
        Ok((rows, total))
    }

    /// How many incidents there are by status, severity, family and assignee, from one consistent read.
    ///
    /// # Errors
    /// What the database says.
    pub async fn incident_counts(&self, filter: &IncidentFilter) -> Result<IncidentCounts, StoreError> {
        let mut tx = self.read().await?;
        let chosen = Chosen::of(&mut tx, filter).await?;
        let mut sql = Sql::new("SELECT COUNT(*) FROM incident WHERE 1 = 1");
        conditions(&mut sql, &chosen, Facet::None);
        let mut counts = IncidentCounts::default();
        for row in tx.fetch_sql(sql).await? {
            counts.total = row.u64(0)?;
        }
        for row in grouped(&mut tx, &chosen, Facet::Status, "status").await? {
            counts.status.push((row.parse(0)?, row.u64(1)?));
        }
        for row in grouped(&mut tx, &chosen, Facet::Severity, "severity").await? {
            counts.severity.push((severity_of(row.i64(0)?)?, row.u64(1)?));
        }
        for row in grouped(&mut tx, &chosen, Facet::Family, "family").await? {
            counts.family.push((row.parse(0)?, row.u64(1)?));
        }
        for row in grouped(&mut tx, &chosen, Facet::Assignee, "assignee").await? {
            counts.assignee.push((row.opt_text(0)?, row.u64(1)?));
        }
        counts.status.sort_by_key(|(status, _)| Status::ALL.iter().position(|s| s == status));
        counts.severity.sort_by_key(|(severity, _)| std::cmp::Reverse(*severity));
        counts.family.sort_by_key(|(family, _)| *family);
        counts.assignee.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Ok(counts)
    }
}

async fn grouped(
    tx: &mut Tx,
    chosen: &Chosen<'_>,
    facet: Facet,
    column: &'static str,
) -> Result<Vec<Row>, StoreError> {
    let mut sql = Sql::new("SELECT ");
    sql.push(column).push(", COUNT(*) FROM incident WHERE 1 = 1");
    conditions(&mut sql, chosen, facet);
    sql.push(" GROUP BY ").push(column);
    tx.fetch_sql(sql).await
}
