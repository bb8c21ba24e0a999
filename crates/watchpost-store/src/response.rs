//! Automatic actions: planned, decided, taken back; and what is known of a target before the next one.

mod findings;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use watchpost_model::audit::{AuditDraft, Change};
use watchpost_model::block::BlockTarget;
use watchpost_model::ids::{IncidentId, ResponseId};
use watchpost_model::response::plan::{Release, SPARED, TargetHistory};
use watchpost_model::response::{ActionKind, OutboxMessage, ResponseAction, ResponseState};
use watchpost_model::text::visible;

use crate::block::span;
use crate::engine::{Row, Sql, Tx, Value, args};
use crate::engine_state;
use crate::error::StoreError;
use crate::incident::timeline;
use crate::outbox;
use crate::store::{Store, Tag, Write};

pub use findings::StoredFinding;

const SELECT: &str = "SELECT r.id, r.kind, r.target, r.state, r.incident_id, COALESCE(i.number, 0), r.finding_id, \
    r.rule_id, r.policy_rule, r.ttl_s, r.factor, r.per_min, r.reason, r.detail, r.planned_at, r.decided_at, \
    r.expires_at, r.effect, r.reversed_at, r.reversed_by \
    FROM response_action r LEFT JOIN incident i ON i.id = r.incident_id";

/// The engine's name in rows: what it took back is no release by a person.
pub(crate) const ENGINE: &str = "engine";

/// An automatic action to be kept, with what belongs into the same transaction.
#[derive(Debug, Clone)]
pub struct NewResponse {
    /// The action. `number` is not stored.
    pub action: ResponseAction,
    /// Its audit record; object and changes are filled in here.
    pub draft: AuditDraft,
    /// A line for the incident's timeline.
    pub timeline: Option<String>,
    /// The message of a notification or ticket that is done by being written.
    pub message: Option<OutboxMessage>,
}

/// Which automatic actions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResponseFilter {
    /// In one of these states; empty means any.
    pub states: Vec<ResponseState>,
    /// One of these actions; empty means any.
    pub kinds: Vec<ActionKind>,
    /// For this incident.
    pub incident: Option<IncidentId>,
}

/// Where a page of automatic actions, or of findings, ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseCursor {
    /// Time of the last row, microseconds.
    pub at: i64,
    /// Its id.
    pub id: String,
}

fn whole<T: TryFrom<i64>>(value: i64) -> Result<T, StoreError> {
    T::try_from(value).map_err(|_| StoreError::Corrupt(format!("a number is out of range: {value}")))
}

fn from_row(row: &Row) -> Result<ResponseAction, StoreError> {
    Ok(ResponseAction {
        id: row.parse(0)?,
        kind: row.parse(1)?,
        target: row.text(2)?,
        state: row.parse(3)?,
        incident: row.parse(4)?,
        number: row.i64(5)?,
        finding: row.parse(6)?,
        rule_id: row.text(7)?,
        policy_rule: row.text(8)?,
        ttl_s: row.opt_i64(9)?.map(whole).transpose()?,
        factor: whole(row.i64(10)?)?,
        per_min: row.opt_i64(11)?.map(whole).transpose()?,
        reason: row.text(12)?,
        detail: row.text(13)?,
        planned_at: row.time(14)?,
        decided_at: row.opt_time(15)?,
        expires_at: row.opt_time(16)?,
        effect: row.opt_text(17)?,
        reversed_at: row.opt_time(18)?,
        reversed_by: row.opt_text(19)?,
    })
}

/// The record of an action names it, its finding and its incident.
fn record(draft: AuditDraft, action: &ResponseAction, from: Option<ResponseState>) -> AuditDraft {
    let mut draft = AuditDraft { object: format!("response/{}", action.id), ..draft };
    let old = from.map_or(serde_json::Value::Null, |state| state.as_str().into());
    draft.changes.push(Change::new("state", old, action.state.as_str()));
    let null = serde_json::Value::Null;
    for (field, value) in [
        ("action", action.kind.as_str().to_owned()),
        ("target", visible(&action.target, 200)),
        ("finding", action.finding.to_string()),
        ("incident", action.incident.to_string()),
        ("rule", action.rule_id.clone()),
        ("policy_rule", action.policy_rule.clone()),
    ] {
        draft.changes.push(Change::new(field, null.clone(), value));
    }
    draft
}

impl Store {
    /// Keeps new actions with their messages, tags, timeline lines and audit records. An action that its incident has
    /// already for the same target, and that still holds, is left out: so a replay adds nothing. With `answered` it is
    /// noted that the findings about all events stored until then are answered.
    ///
    /// Returns the ids of those that were kept.
    ///
    /// # Errors
    /// What the database says; then nothing was written.
    pub async fn response_insert(
        &self,
        entries: Vec<NewResponse>,
        answered: Option<DateTime<Utc>>,
    ) -> Result<Vec<ResponseId>, StoreError> {
        if entries.is_empty() && answered.is_none() {
            return Ok(Vec::new());
        }
        let mut write = self.write().await?;
        let mut kept = Vec::new();
        for entry in entries {
            if !insert(&mut write, &entry.action).await? {
                continue;
            }
            let action = entry.action;
            if action.kind == ActionKind::Tag && action.state == ResponseState::Done {
                write
                    .execute(
                        "INSERT INTO incident_tag (incident_id, tag, added_at, added_by) VALUES ($1, $2, $3, $4) \
                         ON CONFLICT DO NOTHING",
                        args![action.incident.to_string(), action.target.as_str(), action.planned_at, ENGINE],
                    )
                    .await?;
            }
            if let Some(message) = &entry.message {
                outbox::insert(&mut write, message).await?;
            }
            if let Some(text) = &entry.timeline {
                timeline(&mut write, action.incident, action.planned_at, ENGINE, "response", text).await?;
                write.touch(Tag::Incidents);
            }
            write.audit(record(entry.draft, &action, None));
            write.touch(Tag::Blocks);
            kept.push(action.id);
        }
        if let Some(until) = answered {
            engine_state::put(&mut write, findings::ANSWERED, &[], until).await?;
        }
        self.commit(write).await?;
        Ok(kept)
    }

    /// Says what came of a planned action: `done` with what it made, `skipped` or `failed` with the reason. A failed
    /// action no longer holds, so that the next finding tries again.
    ///
    /// # Errors
    /// `NotFound`; `Precondition` if it is not planned any more; what the database says.
    pub async fn response_decide(
        &self,
        id: ResponseId,
        state: ResponseState,
        detail: &str,
        effect: Option<&str>,
        draft: AuditDraft,
    ) -> Result<ResponseAction, StoreError> {
        let mut write = self.write().await?;
        let old = locked(&mut write, id).await?;
        if old.state != ResponseState::Planned {
            return Err(StoreError::Precondition(format!("this action is {} already", old.state)));
        }
        let now = self.inner.clock.now();
        let new = ResponseAction {
            state,
            detail: detail.to_owned(),
            effect: effect.map(ToOwned::to_owned),
            decided_at: Some(now),
            ..old
        };
        let holds = i64::from(state != ResponseState::Failed);
        write
            .execute(
                "UPDATE response_action SET state = $1, detail = $2, effect = $3, decided_at = $4, holds = $5 \
                 WHERE id = $6",
                args![state.as_str(), detail, effect, now, holds, id.to_string()],
            )
            .await?;
        if matches!(state, ResponseState::Failed | ResponseState::Skipped) {
            let text = format!("Did not {}: {}", what(&new), visible(detail, 200));
            timeline(&mut write, new.incident, now, ENGINE, "response", &text).await?;
            write.touch(Tag::Incidents);
        }
        write.audit(record(draft, &new, Some(ResponseState::Planned)));
        write.touch(Tag::Blocks);
        self.commit(write).await?;
        Ok(new)
    }

    /// Marks a done action as taken back. Of a tag and of a message that still waits, this takes it back; of a
    /// containment the caller has done so before.
    ///
    /// A containment that was taken back no longer holds: whether it may come again is decided by the soft allow. A tag
    /// or message is not made again for its incident.
    ///
    /// # Errors
    /// `NotFound`; `Precondition` if it was not done, or its message is delivered; what the database says.
    pub async fn response_reversed(
        &self,
        id: ResponseId,
        by: &str,
        draft: AuditDraft,
    ) -> Result<ResponseAction, StoreError> {
        let mut write = self.write().await?;
        let old = locked(&mut write, id).await?;
        if old.state != ResponseState::Done {
            return Err(StoreError::Precondition(format!(
                "this action is {}: only one that was done can be taken back",
                old.state
            )));
        }
        let now = self.inner.clock.now();
        match old.kind {
            ActionKind::Tag => {
                let values = args![old.incident.to_string(), old.target.as_str()];
                write.execute("DELETE FROM incident_tag WHERE incident_id = $1 AND tag = $2", values).await?;
            }
            ActionKind::Notify | ActionKind::Ticket => {
                outbox::withdraw(&mut write, old.effect.as_deref().unwrap_or_default(), now).await?;
            }
            ActionKind::RateLimit
            | ActionKind::BlockIp
            | ActionKind::RevokeSession
            | ActionKind::RestrictUser
            | ActionKind::IsolateService => {}
        }
        let new = ResponseAction {
            state: ResponseState::Reversed,
            reversed_at: Some(now),
            reversed_by: Some(by.to_owned()),
            ..old
        };
        let holds = i64::from(!new.kind.is_containment());
        write
            .execute(
                "UPDATE response_action SET state = $1, reversed_at = $2, reversed_by = $3, holds = $4 WHERE id = $5",
                args![new.state.as_str(), now, by, holds, id.to_string()],
            )
            .await?;
        let text = format!("Took back: {}", what(&new));
        timeline(&mut write, new.incident, now, by, "response", &text).await?;
        write.audit(record(draft, &new, Some(ResponseState::Done)));
        write.touch(Tag::Incidents);
        write.touch(Tag::Blocks);
        self.commit(write).await?;
        Ok(new)
    }

    /// One action.
    ///
    /// # Errors
    /// `NotFound`; what the database says.
    pub async fn response_by_id(&self, id: ResponseId) -> Result<ResponseAction, StoreError> {
        let mut tx = self.read().await?;
        let row = tx
            .fetch_optional(format!("{SELECT} WHERE r.id = $1"), args![id.to_string()])
            .await?
            .ok_or_else(|| StoreError::NotFound(format!("response {id}")))?;
        from_row(&row)
    }

    /// Actions newest first, strictly older than `before`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn response_page(
        &self,
        filter: &ResponseFilter,
        before: Option<&ResponseCursor>,
        limit: u32,
    ) -> Result<(Vec<ResponseAction>, Option<ResponseCursor>), StoreError> {
        let mut sql = Sql::new(SELECT);
        sql.push(" WHERE 1 = 1");
        if !filter.states.is_empty() {
            sql.push(" AND r.state IN ").tuple(filter.states.iter().map(|s| s.as_str().into()).collect());
        }
        if !filter.kinds.is_empty() {
            sql.push(" AND r.kind IN ").tuple(filter.kinds.iter().map(|k| k.as_str().into()).collect());
        }
        if let Some(incident) = filter.incident {
            sql.push(" AND r.incident_id = ").bind(incident.to_string());
        }
        if let Some(cursor) = before {
            sql.push(" AND (r.planned_at, r.id) < ").tuple(args![cursor.at, cursor.id.as_str()]);
        }
        sql.push(" ORDER BY r.planned_at DESC, r.id DESC LIMIT ").bind(i64::from(limit) + 1);
        let mut tx = self.read().await?;
        let mut rows: Vec<ResponseAction> =
            tx.fetch_sql(sql).await?.iter().map(from_row).collect::<Result<_, _>>()?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows
            .last()
            .filter(|_| more)
            .map(|last| ResponseCursor { at: last.planned_at.timestamp_micros(), id: last.id.to_string() });
        Ok((rows, next))
    }

    /// Actions that were recorded and neither done nor given up, oldest first: what a crash left.
    ///
    /// # Errors
    /// What the database says.
    pub async fn responses_planned(&self) -> Result<Vec<ResponseAction>, StoreError> {
        let mut tx = self.read().await?;
        let sql = format!("{SELECT} WHERE r.state = 'planned' ORDER BY r.planned_at, r.id LIMIT 1000");
        tx.fetch(sql, args![]).await?.iter().map(from_row).collect()
    }

    /// Of these incidents: action and target of each action that holds at `now`, and whether it gives way to any but a
    /// skipped one because its user was [`SPARED`].
    ///
    /// # Errors
    /// What the database says.
    pub async fn responses_holding(
        &self,
        incidents: &[IncidentId],
        now: DateTime<Utc>,
    ) -> Result<Vec<((IncidentId, ActionKind, String), bool)>, StoreError> {
        let ids: Vec<Value> = incidents.iter().map(|id| id.to_string().into()).collect();
        let mut tx = self.read().await?;
        let rows = tx
            .fetch_in(
                "SELECT incident_id, kind, target, expires_at, state, detail FROM response_action \
                 WHERE holds = 1 AND incident_id IN ",
                &ids,
            )
            .await?;
        let mut found = Vec::new();
        for row in rows {
            if row.opt_time(3)?.is_none_or(|end| end > now) {
                let gives_way =
                    row.parse::<ResponseState>(4)? == ResponseState::Skipped && row.text(5)? == SPARED;
                found.push(((row.parse(0)?, row.parse(1)?, row.text(2)?), gives_way));
            }
        }
        Ok(found)
    }

    /// Automatic containments planned after `since`, those that a dry run would have done included.
    ///
    /// # Errors
    /// What the database says.
    pub async fn responses_contained_since(&self, since: DateTime<Utc>) -> Result<u32, StoreError> {
        let kinds = ActionKind::ALL.iter().filter(|kind| kind.is_containment());
        let mut sql = Sql::new(
            "SELECT COUNT(*) FROM response_action WHERE state IN ('planned', 'dry_run', 'done', 'reversed') AND kind IN ",
        );
        sql.tuple(kinds.map(|kind| kind.as_str().into()).collect());
        sql.push(" AND planned_at > ").bind(since);
        let mut tx = self.read().await?;
        let rows = tx.fetch_sql(sql).await?;
        rows.first().map_or(Ok(0), |row| whole(row.i64(0)?))
    }

    /// What is known of a target: containments of this kind since `since` that ran out, the end of one in force, and the
    /// last release by a person in that time. A range that covers an address counts for it.
    ///
    /// # Errors
    /// `Validation` if the target of a block is not an address; what the database says.
    pub async fn target_history(
        &self,
        kind: ActionKind,
        target: &str,
        since: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<TargetHistory, StoreError> {
        let mut tx = self.read().await?;
        if kind == ActionKind::BlockIp {
            let address: BlockTarget = target.parse().map_err(|_| {
                StoreError::Validation(format!("{:?} is not an address", visible(target, 80)))
            })?;
            let (low, high) = span(address);
            return history(&mut tx, "block", " AND low <= $1 AND high >= $2", args![low, high], since, now)
                .await;
        }
        match kind.contains() {
            Some(kind) => {
                let values = args![kind.as_str(), target];
                history(&mut tx, "containment", " AND kind = $1 AND target = $2", values, since, now).await
            }
            None => Ok(TargetHistory::default()),
        }
    }

    /// The tags of an incident, in order.
    ///
    /// # Errors
    /// What the database says.
    pub async fn incident_tags(&self, incident: IncidentId) -> Result<Vec<String>, StoreError> {
        let mut tx = self.read().await?;
        let values = args![incident.to_string()];
        let rows =
            tx.fetch("SELECT tag FROM incident_tag WHERE incident_id = $1 ORDER BY tag", values).await?;
        rows.iter().map(|row| row.text(0)).collect()
    }
}

/// `block 203.0.113.7`, with attacker-written text made visible.
fn what(action: &ResponseAction) -> String {
    action.kind.sentence(&visible(&action.target, 100))
}

/// True if it was kept; false if its incident has it already.
async fn insert(write: &mut Write, action: &ResponseAction) -> Result<bool, StoreError> {
    write
        .execute(
            "UPDATE response_action SET holds = 0 WHERE incident_id = $1 AND kind = $2 AND target = $3 \
             AND holds = 1 AND (expires_at <= $4 OR ($5 <> 'skipped' AND state = 'skipped' AND detail = $6))",
            args![
                action.incident.to_string(),
                action.kind.as_str(),
                action.target.as_str(),
                action.planned_at,
                action.state.as_str(),
                SPARED
            ],
        )
        .await?;
    let ttl_s = action.ttl_s.map(|ttl| i64::try_from(ttl).unwrap_or(i64::MAX));
    let mut sql = Sql::new(
        "INSERT INTO response_action (id, kind, target, state, incident_id, finding_id, rule_id, policy_rule, ttl_s, \
         factor, per_min, reason, detail, planned_at, decided_at, expires_at, effect, reversed_at, reversed_by, holds) \
         VALUES ",
    );
    sql.tuple(args![
        action.id.to_string(),
        action.kind.as_str(),
        action.target.as_str(),
        action.state.as_str(),
        action.incident.to_string(),
        action.finding.to_string(),
        action.rule_id.as_str(),
        action.policy_rule.as_str(),
        ttl_s,
        i64::from(action.factor),
        action.per_min.map(i64::from),
        action.reason.as_str(),
        action.detail.as_str(),
        action.planned_at,
        action.decided_at,
        action.expires_at,
        action.effect.as_deref(),
        action.reversed_at,
        action.reversed_by.as_deref(),
        1_i64,
    ]);
    sql.push(" ON CONFLICT DO NOTHING");
    Ok(write.execute_sql(sql).await? == 1)
}

async fn locked(write: &mut Write, id: ResponseId) -> Result<ResponseAction, StoreError> {
    if write.dialect().for_update() != "" {
        let sql = "SELECT 1 FROM response_action WHERE id = $1 FOR UPDATE";
        write.fetch(sql, args![id.to_string()]).await?;
    }
    let row = write
        .fetch_optional(format!("{SELECT} WHERE r.id = $1"), args![id.to_string()])
        .await?
        .ok_or_else(|| StoreError::NotFound(format!("response {id}")))?;
    from_row(&row)
}

/// `which` takes the first two values. A row that a longer one of the same target followed was prolonged, not released.
async fn history(
    tx: &mut Tx,
    table: &'static str,
    which: &'static str,
    mut values: Vec<Value>,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<TargetHistory, StoreError> {
    let newer =
        if table == "block" { "n.target = t.target" } else { "n.kind = t.kind AND n.target = t.target" };
    values.extend(args![since, now]);
    let counts = tx
        .fetch_one(
            format!(
                "SELECT COUNT(CASE WHEN created_at >= $3 AND expires_at <= $4 AND state IN ('expired', 'active') \
                 THEN 1 END), MAX(CASE WHEN state IN ('pending', 'active') THEN expires_at END) \
                 FROM {table} WHERE 1 = 1{which}"
            ),
            values.clone(),
        )
        .await?;
    values.pop();
    values.extend(args![ENGINE]);
    let release = tx
        .fetch_optional(
            format!(
                "SELECT removed_at, removed_by FROM {table} t WHERE state = 'removed' AND removed_at >= $3 \
                 AND removed_by <> $4{which} AND NOT EXISTS (SELECT 1 FROM {table} n WHERE {newer} \
                 AND n.created_at > t.created_at) ORDER BY removed_at DESC LIMIT 1"
            ),
            values,
        )
        .await?;
    Ok(TargetHistory {
        earlier: whole(counts.i64(0)?)?,
        in_force_until: counts.opt_time(1)?,
        released: release
            .map(|row| Ok::<_, StoreError>(Release { at: row.time(0)?, by: row.text(1)? }))
            .transpose()?,
    })
}
