//! Suppressions: findings that a team has decided not to be told of. They open and raise nothing, and are kept and counted.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use watchpost_model::audit::{AuditDraft, Change};
use watchpost_model::event::Event;
use watchpost_model::finding::Finding;
use watchpost_model::ids::{EventId, FindingId, SuppressionId};
use watchpost_model::incident::Verdict;
use watchpost_model::period::Period;
use watchpost_model::suppression::{
    CompiledScope, SUPPRESSION_MAX, SuppressedFinding, Suppression, SuppressionPreview, SuppressionScope,
};

use crate::canonical::to_canonical;
use crate::engine::{Row, Sql, Tx, Value, args};
use crate::error::StoreError;
use crate::event::event;
use crate::incident;
use crate::store::{Store, Tag, Write};

/// Findings that a preview reads at a time.
const STEP: i64 = 1_000;
/// Findings that a preview reads at most, the newest.
const PREVIEW_MAX: u64 = 200_000;
/// Incidents that a preview shows.
const SAMPLES: usize = 10;

/// A suppression to be made.
#[derive(Debug, Clone)]
pub struct NewSuppression {
    /// Which findings.
    pub scope: SuppressionScope,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// Until when; at most 90 days from now.
    pub expires_at: DateTime<Utc>,
}

/// Where a page of suppressed findings ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuppressedCursor {
    /// Event time of its last row.
    pub at: DateTime<Utc>,
    /// Id of its last row.
    pub id: FindingId,
}

/// One page of suppressed findings.
#[derive(Debug, Clone, PartialEq)]
pub struct SuppressedPage {
    /// Newest first.
    pub rows: Vec<SuppressedFinding>,
    /// Where the next page begins; `None` if this was the last.
    pub next: Option<SuppressedCursor>,
}

const SELECT: &str = "SELECT s.id, s.scope, s.owner, s.reason, s.created_at, s.created_by, s.expires_at, s.removed_at, \
    s.removed_by, (SELECT COUNT(*) FROM suppressed_finding f WHERE f.suppression_id = s.id), \
    (SELECT MAX(f.at) FROM suppressed_finding f WHERE f.suppression_id = s.id) FROM suppression s";

fn from_row(row: &Row) -> Result<Suppression, StoreError> {
    Ok(Suppression {
        id: row.parse(0)?,
        scope: row.json(1)?,
        owner: row.text(2)?,
        reason: row.text(3)?,
        created_at: row.time(4)?,
        created_by: row.text(5)?,
        expires_at: row.time(6)?,
        removed_at: row.opt_time(7)?,
        removed_by: row.opt_text(8)?,
        hidden: row.u64(9)?,
        last_hidden: row.opt_time(10)?,
    })
}

fn compiled(scope: &SuppressionScope) -> Result<CompiledScope, StoreError> {
    scope.compile().map_err(StoreError::Validation)
}

/// The suppressions in force by their ids, the oldest first.
async fn in_force(tx: &mut Tx, now: DateTime<Utc>) -> Result<Vec<(String, CompiledScope)>, StoreError> {
    let rows = tx
        .fetch(
            "SELECT id, scope FROM suppression WHERE expires_at > $1 AND removed_at IS NULL ORDER BY created_at, id",
            args![now],
        )
        .await?;
    rows.iter().map(|row| Ok((row.text(0)?, compiled(&row.json(1)?)?))).collect()
}

/// Sets apart the findings that a suppression in force covers, and stores them; how many there were.
pub(crate) async fn split<'a>(
    tx: &mut Tx,
    findings: Vec<&'a Finding>,
    events: &HashMap<EventId, Event>,
    now: DateTime<Utc>,
) -> Result<(Vec<&'a Finding>, u64), StoreError> {
    if findings.is_empty() {
        return Ok((findings, 0));
    }
    let scopes = in_force(tx, now).await?;
    let mut shown = Vec::with_capacity(findings.len());
    let mut hidden: Vec<Vec<Value>> = Vec::new();
    for finding in findings {
        let event = events.get(&finding.event_id);
        let by = scopes.iter().find(|(_, scope)| event.is_some_and(|event| scope.covers(finding, event)));
        match by {
            Some((id, _)) => hidden.push(args![
                finding.id.to_string(),
                id.as_str(),
                finding.event_id.to_string(),
                finding.at,
                to_canonical(finding)?
            ]),
            None => shown.push(finding),
        }
    }
    tx.insert_rows(
        "INSERT INTO suppressed_finding (id, suppression_id, event_id, at, body) VALUES ",
        &hidden,
        "",
    )
    .await?;
    Ok((shown, hidden.len() as u64))
}

/// Makes a suppression within a transaction, with its audit record.
pub(crate) async fn add(
    write: &mut Write,
    new: &NewSuppression,
    now: DateTime<Utc>,
    draft: AuditDraft,
) -> Result<Suppression, StoreError> {
    compiled(&new.scope)?;
    if new.owner.trim().is_empty() || new.reason.trim().is_empty() {
        return Err(StoreError::Validation("a suppression needs an owner and a reason".to_owned()));
    }
    if new.expires_at <= now || new.expires_at > now + SUPPRESSION_MAX {
        return Err(StoreError::Validation("a suppression ends within 90 days".to_owned()));
    }
    let suppression = Suppression {
        id: SuppressionId::at(now),
        scope: new.scope.clone(),
        owner: new.owner.trim().to_owned(),
        reason: new.reason.trim().to_owned(),
        created_at: now,
        created_by: draft.caller.name.clone(),
        expires_at: new.expires_at,
        removed_at: None,
        removed_by: None,
        hidden: 0,
        last_hidden: None,
    };
    write
        .execute(
            "INSERT INTO suppression (id, scope, owner, reason, created_at, created_by, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            args![
                suppression.id.to_string(),
                to_canonical(&suppression.scope)?,
                suppression.owner.as_str(),
                suppression.reason.as_str(),
                now,
                suppression.created_by.as_str(),
                suppression.expires_at
            ],
        )
        .await?;
    let scope = serde_json::to_value(&suppression.scope).map_err(StoreError::Encode)?;
    let mut record = AuditDraft { object: format!("suppression/{}", suppression.id), ..draft };
    record.reason = Some(suppression.reason.clone());
    record.changes.push(Change::new("scope", serde_json::Value::Null, scope));
    record.changes.push(Change::new("owner", serde_json::Value::Null, suppression.owner.as_str()));
    let until = suppression.expires_at.to_rfc3339();
    record.changes.push(Change::new("expires_at", serde_json::Value::Null, until));
    write.audit(record);
    Ok(suppression)
}

/// Takes a suppression back within a transaction, with its audit record.
pub(crate) async fn remove(
    write: &mut Write,
    id: SuppressionId,
    now: DateTime<Utc>,
    draft: AuditDraft,
) -> Result<Suppression, StoreError> {
    let row = write
        .fetch_optional(format!("{SELECT} WHERE s.id = $1"), args![id.to_string()])
        .await?
        .ok_or_else(|| StoreError::NotFound(format!("suppression {id}")))?;
    let mut suppression = from_row(&row)?;
    if !suppression.is_in_force(now) {
        return Err(StoreError::Precondition("the suppression is over already".to_owned()));
    }
    suppression.removed_at = Some(now);
    suppression.removed_by = Some(draft.caller.name.clone());
    let n = write
        .execute(
            "UPDATE suppression SET removed_at = $1, removed_by = $2 WHERE id = $3 AND removed_at IS NULL",
            args![now, suppression.removed_by.as_deref(), id.to_string()],
        )
        .await?;
    if n == 0 {
        return Err(StoreError::Precondition("the suppression is over already".to_owned()));
    }
    let mut record = AuditDraft { object: format!("suppression/{id}"), ..draft };
    record.changes.push(Change::new("in force", true, false));
    write.audit(record);
    Ok(suppression)
}

impl Store {
    /// Makes a suppression.
    ///
    /// # Errors
    /// `Validation` if the scope says nothing or too much, owner or reason is missing, or it does not end within 90 days;
    /// what the database says.
    pub async fn suppression_add(
        &self,
        new: &NewSuppression,
        draft: AuditDraft,
    ) -> Result<Suppression, StoreError> {
        let mut write = self.write().await?;
        let suppression = add(&mut write, new, self.inner.clock.now(), draft).await?;
        write.touch(Tag::Incidents);
        self.commit(write).await?;
        Ok(suppression)
    }

    /// Takes a suppression back; what it hid stays hidden and can be listed.
    ///
    /// # Errors
    /// `NotFound`; `Precondition` if it is over already; what the database says.
    pub async fn suppression_remove(
        &self,
        id: SuppressionId,
        draft: AuditDraft,
    ) -> Result<Suppression, StoreError> {
        let mut write = self.write().await?;
        let suppression = remove(&mut write, id, self.inner.clock.now(), draft).await?;
        write.touch(Tag::Incidents);
        self.commit(write).await?;
        Ok(suppression)
    }

    /// The newest 500 suppressions, those that ended too.
    ///
    /// # Errors
    /// What the database says.
    pub async fn suppression_list(&self) -> Result<Vec<Suppression>, StoreError> {
        let mut tx = self.read().await?;
        let rows =
            tx.fetch(format!("{SELECT} ORDER BY s.created_at DESC, s.id DESC LIMIT 500"), args![]).await?;
        rows.iter().map(from_row).collect()
    }

    /// What is suppressed at `now`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn suppression_scopes(&self, now: DateTime<Utc>) -> Result<Vec<CompiledScope>, StoreError> {
        let mut tx = self.read().await?;
        Ok(in_force(&mut tx, now).await?.into_iter().map(|(_, scope)| scope).collect())
    }

    /// The findings of a period that were hidden when they came in, at most the newest `limit`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn suppressed_ids(&self, period: Period, limit: u32) -> Result<HashSet<FindingId>, StoreError> {
        let mut tx = self.read().await?;
        let rows = tx
            .fetch(
                "SELECT id FROM suppressed_finding WHERE at >= $1 AND at < $2 ORDER BY at DESC, id DESC LIMIT $3",
                args![period.from, period.to, i64::from(limit)],
            )
            .await?;
        rows.iter().map(|row| row.parse(0)).collect()
    }

    /// One page of the findings that a suppression hid, newest first, strictly older than `before`.
    ///
    /// Shape: at most `limit` rows (1..=500); keyset, not offset.
    ///
    /// # Errors
    /// `Validation` if `limit` is out of range; what the database says.
    pub async fn suppressed_findings(
        &self,
        id: SuppressionId,
        before: Option<SuppressedCursor>,
        limit: u32,
    ) -> Result<SuppressedPage, StoreError> {
        if !(1..=500).contains(&limit) {
            return Err(StoreError::Validation(format!("a page has 1 to 500 rows, not {limit}")));
        }
        let mut sql = Sql::new("SELECT body FROM suppressed_finding WHERE suppression_id = ");
        sql.bind(id.to_string());
        if let Some(cursor) = before {
            sql.push(" AND (at, id) < ").tuple(args![cursor.at, cursor.id.to_string()]);
        }
        sql.push(" ORDER BY at DESC, id DESC LIMIT ").bind(i64::from(limit) + 1);
        let mut tx = self.read().await?;
        let mut rows = Vec::new();
        for row in tx.fetch_sql(sql).await? {
            let finding: Finding = row.json(0)?;
            rows.push(SuppressedFinding { suppressed_by: id, at: finding.at, finding });
        }
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = match rows.last() {
            Some(last) if more => Some(SuppressedCursor { at: last.at, id: last.finding.id }),
            _ => None,
        };
        Ok(SuppressedPage { rows, next })
    }

    /// What a suppression would have hidden since `from`, by the findings that are stored; at most the newest 200,000 of
    /// them are read.
    ///
    /// # Errors
    /// `Validation` if the scope says nothing or too much; what the database says.
    pub async fn suppression_preview(
        &self,
        scope: &SuppressionScope,
        from: DateTime<Utc>,
    ) -> Result<SuppressionPreview, StoreError> {
        let scope = compiled(scope)?;
        let mut tx = self.read().await?;
        let mut preview = SuppressionPreview {
            findings: 0,
            findings_hidden: 0,
            incidents_hidden: 0,
            incidents_smaller: 0,
            true_positives_hidden: 0,
            samples: Vec::new(),
        };
        let mut hidden: BTreeMap<String, u64> = BTreeMap::new();
        let mut before: Option<(DateTime<Utc>, String)> = None;
        while preview.findings < PREVIEW_MAX {
            let mut sql = Sql::new(
                "SELECT f.id, f.at, f.body, f.incident_id, COALESCE(v.body, e.body) FROM finding f \
                 LEFT JOIN evidence v ON v.incident_id = f.incident_id AND v.event_id = f.event_id \
                 LEFT JOIN event e ON e.id = f.event_id WHERE f.at >= ",
            );
            sql.bind(from);
            if let Some((at, id)) = before.take() {
                sql.push(" AND (f.at, f.id) < ").tuple(args![at, id]);
            }
            sql.push(" ORDER BY f.at DESC, f.id DESC LIMIT ").bind(STEP);
            let rows = tx.fetch_sql(sql).await?;
            for row in &rows {
                preview.findings += 1;
                if row.opt_text(4)?.is_some() && scope.covers(&row.json(2)?, &event(row, 4)?) {
                    preview.findings_hidden += 1;
                    *hidden.entry(row.text(3)?).or_default() += 1;
                }
            }
            match rows.last() {
                Some(last) if rows.len() as i64 == STEP => before = Some((last.time(1)?, last.text(0)?)),
                _ => break,
            }
        }
        for (id, n) in hidden {
            let all = tx.fetch_one("SELECT COUNT(*) FROM finding WHERE incident_id = $1", args![id.as_str()]);
            if n < all.await?.u64(0)? {
                preview.incidents_smaller += 1;
                continue;
            }
            preview.incidents_hidden += 1;
            let row = tx.fetch_one(format!("{} WHERE id = $1", incident::SELECT), args![id]).await?;
            let incident = incident::from_row(&row)?;
            preview.true_positives_hidden += u64::from(incident.verdict == Verdict::TruePositive);
            preview.samples.push(incident);
        }
        preview.samples.sort_by_key(|incident| std::cmp::Reverse(incident.number));
        preview.samples.truncate(SAMPLES);
        Ok(preview)
    }
}
