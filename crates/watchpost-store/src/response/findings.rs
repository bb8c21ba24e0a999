//! Findings as the response policy looks at them: with their incidents, by time, and those of the last batch.

use std::collections::HashMap;

use chrono::{DateTime, Duration, Utc};
use watchpost_model::event::Event;
use watchpost_model::finding::Finding;
use watchpost_model::ids::{EventId, FindingId, IncidentId};

use super::ResponseCursor;
use crate::engine::{Row, Sql, Value, args};
use crate::error::StoreError;
use crate::event::event;
use crate::store::Store;

/// The name under which it stands until when findings are answered.
pub(super) const ANSWERED: &str = "answered";

/// A finding with the incident that holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredFinding {
    /// The finding.
    pub finding: Finding,
    /// The incident.
    pub incident: IncidentId,
    /// Its number.
    pub number: i64,
}

impl Store {
    /// The incidents that hold these findings; of a merged one the one that it was merged into.
    ///
    /// # Errors
    /// What the database says.
    pub async fn incidents_of_findings(
        &self,
        findings: &[FindingId],
    ) -> Result<HashMap<FindingId, (IncidentId, i64)>, StoreError> {
        let ids: Vec<Value> = findings.iter().map(|id| id.to_string().into()).collect();
        let mut tx = self.read().await?;
        let rows = tx
            .fetch_in(
                "SELECT f.id, i.id, i.number FROM finding f JOIN incident m ON m.id = f.incident_id JOIN incident i ON i.id = m.root_id \
                 WHERE f.id IN ",
                &ids,
            )
            .await?;
        rows.iter().map(|row| Ok((row.parse(0)?, (row.parse(1)?, row.i64(2)?)))).collect()
    }

    /// Findings of events in `[from, to)`, oldest first, strictly after `after`; with the incidents that hold them.
    ///
    /// # Errors
    /// What the database says.
    pub async fn findings_between(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        after: Option<&ResponseCursor>,
        limit: u32,
    ) -> Result<(Vec<StoredFinding>, Option<ResponseCursor>), StoreError> {
        let mut sql = Sql::new(
            "SELECT f.body, i.id, i.number FROM finding f JOIN incident m ON m.id = f.incident_id JOIN incident i ON i.id = m.root_id \
             WHERE f.at >= ",
        );
        sql.bind(from).push(" AND f.at < ").bind(to);
        if let Some(cursor) = after {
            sql.push(" AND (f.at, f.id) > ").tuple(args![cursor.at, cursor.id.as_str()]);
        }
        sql.push(" ORDER BY f.at, f.id LIMIT ").bind(i64::from(limit));
        let mut tx = self.read().await?;
        let rows = tx.fetch_sql(sql).await?;
        let found: Vec<StoredFinding> = rows.iter().map(stored_finding).collect::<Result<_, _>>()?;
        let next = found.last().filter(|_| found.len() == limit as usize).map(|last| ResponseCursor {
            at: last.finding.at.timestamp_micros(),
            id: last.finding.id.to_string(),
        });
        Ok((found, next))
    }

    /// Findings about the events that were taken in last and are not answered: those whose response a crash may have
    /// prevented. With them the storing time of the newest event, to be noted when they are answered.
    ///
    /// # Errors
    /// What the database says.
    pub async fn findings_unanswered(
        &self,
    ) -> Result<Option<(Vec<StoredFinding>, DateTime<Utc>)>, StoreError> {
        let mut tx = self.read().await?;
        let newest = tx.fetch_one("SELECT MAX(stored_at) FROM event", args![]).await?.opt_time(0)?;
        let Some(newest) = newest else { return Ok(None) };
        let answered = tx
            .fetch_optional("SELECT until FROM engine_state WHERE name = $1", args![ANSWERED])
            .await?
            .map(|row| row.time(0))
            .transpose()?;
        let minute_before = newest - Duration::seconds(60);
        let rows = tx
            .fetch(
                "SELECT f.body, i.id, i.number FROM event e JOIN finding f ON f.event_id = e.id \
                 JOIN incident m ON m.id = f.incident_id JOIN incident i ON i.id = m.root_id WHERE e.stored_at > $1 \
                 ORDER BY e.stored_at DESC, f.at, f.id LIMIT 5000",
                args![answered.map_or(minute_before, |answered| answered.max(minute_before))],
            )
            .await?;
        Ok(Some((rows.iter().map(stored_finding).collect::<Result<_, _>>()?, newest)))
    }

    /// Archived events by id; those that are not in the archive are absent.
    ///
    /// # Errors
    /// What the database says.
    pub async fn events_by_ids(&self, ids: &[EventId]) -> Result<HashMap<EventId, Event>, StoreError> {
        let ids: Vec<Value> = ids.iter().map(|id| id.to_string().into()).collect();
        let mut tx = self.read().await?;
        let mut events = HashMap::new();
        for row in tx.fetch_in("SELECT body FROM event WHERE id IN ", &ids).await? {
            let event = event(&row, 0)?;
            events.insert(event.id, event);
        }
        Ok(events)
    }
}

fn stored_finding(row: &Row) -> Result<StoredFinding, StoreError> {
    Ok(StoredFinding { finding: row.json(0)?, incident: row.parse(1)?, number: row.i64(2)? })
}
