//! Containments: sessions, users, services and limited addresses. They live like blocks.

use chrono::{DateTime, Duration, Utc};
use watchpost_model::audit::{AuditDraft, Change};
use watchpost_model::block::BlockState;
use watchpost_model::contain::{ContainKind, Containment};
use watchpost_model::ids::{ContainmentId, IncidentId};
use watchpost_model::text::visible;

use crate::audit::number;
use crate::block::{can_become, span};
use crate::engine::{Row, Sql, args};
use crate::error::StoreError;
use crate::incident::{self, timeline};
use crate::store::{Store, Tag};

const SELECT: &str = "SELECT id, kind, target, per_min, reason, created_by, created_at, expires_at, state, removed_at, \
    removed_by, incident_id FROM containment";

fn from_row(row: &Row) -> Result<Containment, StoreError> {
    let per_min = row.opt_i64(3)?.map(u32::try_from).transpose();
    Ok(Containment {
        id: row.parse(0)?,
        kind: row.parse(1)?,
        target: row.text(2)?,
        per_min: per_min.map_err(|_| StoreError::Corrupt("a limit is out of range".to_owned()))?,
        reason: row.text(4)?,
        created_by: row.text(5)?,
        created_at: row.time(6)?,
        expires_at: row.time(7)?,
        state: row.parse(8)?,
        removed_at: row.opt_time(9)?,
        removed_by: row.opt_text(10)?,
        incident: row.opt_text(11)?.map(|_| row.parse(11)).transpose()?,
    })
}

/// `contain/user:anna`.
fn object(containment: &Containment) -> String {
    format!("contain/{}:{}", containment.kind, containment.target)
}

impl Store {
    /// Keeps a new containment; it is `pending` until Redis has it. Returns the number of its record.
    ///
    /// # Errors
    /// `Conflict` if the target is contained already; `Validation` if it does not end after it begins; `NotFound` for an
    /// unknown incident; what the database says.
    pub async fn containment_insert(
        &self,
        containment: &Containment,
        draft: AuditDraft,
    ) -> Result<i64, StoreError> {
        if containment.expires_at <= containment.created_at {
            return Err(StoreError::Validation("a containment ends after it begins".to_owned()));
        }
        let mut write = self.write().await?;
        let mut sql = Sql::new(
            "INSERT INTO containment (id, kind, target, per_min, reason, created_by, created_at, expires_at, state, \
             removed_at, removed_by, incident_id) VALUES ",
        );
        sql.tuple(args![
            containment.id.to_string(),
            containment.kind.as_str(),
            containment.target.as_str(),
            containment.per_min.map(i64::from),
            containment.reason.as_str(),
            containment.created_by.as_str(),
            containment.created_at,
            containment.expires_at,
            containment.state.as_str(),
            containment.removed_at,
            containment.removed_by.as_deref(),
            containment.incident.map(|id| id.to_string()),
        ]);
        sql.push(" ON CONFLICT DO NOTHING");
        let target = visible(&containment.target, 100);
        if write.execute_sql(sql).await? == 0 {
            return Err(StoreError::Conflict(format!("{} {target} is contained already", containment.kind)));
        }
        let mut draft = AuditDraft { object: object(containment), ..draft };
        if let Some(id) = containment.incident {
            incident::enforced(
                &mut write,
                id,
                &containment.created_by,
                false,
                containment.created_at,
                &mut draft,
            )
            .await?;
            let until = containment.expires_at.format("%Y-%m-%d %H:%M UTC");
            let text = format!("{} {target} until {until}", containment.kind.done());
            timeline(&mut write, id, containment.created_at, &containment.created_by, "contain", &text)
                .await?;
            write.touch(Tag::Incidents);
        }
        let null = serde_json::Value::Null;
        draft.changes.push(Change::new("state", null.clone(), containment.state.as_str()));
        draft.changes.push(Change::new("expires_at", null, containment.expires_at.to_rfc3339()));
        write.audit(draft);
        write.touch(Tag::Blocks);
        number(&self.commit(write).await?)
    }

    /// Moves a containment to `state`; `removed_by` names the person if it is taken back. One that becomes active ends
    /// the one of the same target that was.
    ///
    /// # Errors
    /// `NotFound`; `Precondition` if it cannot go there from where it is; what the database says.
    pub async fn containment_state_set(
        &self,
        id: ContainmentId,
        state: BlockState,
        removed_by: Option<&str>,
        draft: AuditDraft,
    ) -> Result<Containment, StoreError> {
        let mut write = self.write().await?;
        let lock = write.dialect().for_update();
        let row = write
            .fetch_optional(format!("{SELECT} WHERE id = $1{lock}"), args![id.to_string()])
            .await?
            .ok_or_else(|| StoreError::NotFound(format!("containment {id}")))?;
        let old = from_row(&row)?;
        let target = visible(&old.target, 100);
        if !can_become(old.state, state) {
            return Err(StoreError::Precondition(format!(
                "the containment of {} {target} is {} and cannot become {state}",
                old.kind, old.state
            )));
        }
        let mut draft = AuditDraft { object: object(&old), ..draft };
        if state == BlockState::Active {
            // The shorter one that it prolongs: Redis has this one now.
            let others = format!("{SELECT} WHERE kind = $1 AND target = $2 AND state = 'active'{lock}");
            for row in write.fetch(others, args![old.kind.as_str(), old.target.as_str()]).await? {
                let shorter = from_row(&row)?.id.to_string();
                write
                    .execute(
                        "UPDATE containment SET state = 'removed', removed_at = $1, removed_by = $2 WHERE id = $3",
                        args![self.inner.clock.now(), old.created_by.as_str(), shorter.as_str()],
                    )
                    .await?;
                draft.changes.push(Change::new("prolongs", serde_json::Value::Null, shorter));
            }
        }
        let mut new = Containment { state, ..old.clone() };
        if state == BlockState::Removed {
            new.removed_at = Some(self.inner.clock.now());
            new.removed_by = removed_by.map(str::to_owned);
        }
        write
            .execute(
                "UPDATE containment SET state = $1, removed_at = $2, removed_by = $3 WHERE id = $4",
                args![state.as_str(), new.removed_at, new.removed_by.as_deref(), id.to_string()],
            )
            .await?;
        if let (Some(id), BlockState::Active) = (new.incident, state) {
            let now = self.inner.clock.now();
            incident::enforced(&mut write, id, &new.created_by, true, now, &mut draft).await?;
            write.touch(Tag::Incidents);
        }
        if let (Some(incident), BlockState::Removed) = (new.incident, state) {
            let text = format!("Took back: {} {target}", new.kind.done().to_lowercase());
            timeline(&mut write, incident, self.inner.clock.now(), &draft.caller.name, "contain", &text)
                .await?;
            write.touch(Tag::Incidents);
        }
        draft.changes.push(Change::new("state", old.state.as_str(), state.as_str()));
        write.audit(draft);
        write.touch(Tag::Blocks);
        self.commit(write).await?;
        Ok(new)
    }

    /// A containment by its identity.
    ///
    /// # Errors
    /// `NotFound`; what the database says.
    pub async fn containment_by_id(&self, id: ContainmentId) -> Result<Containment, StoreError> {
        let mut tx = self.read().await?;
        let row = tx
            .fetch_optional(format!("{SELECT} WHERE id = $1"), args![id.to_string()])
            .await?
            .ok_or_else(|| StoreError::NotFound(format!("containment {id}")))?;
        from_row(&row)
    }

    /// The newest containments of one of these kinds in one of these states (empty means any) and of `target`, newest
    /// first, at most `limit`, and how many there are.
    ///
    /// # Errors
    /// What the database says.
    pub async fn containments_of(
        &self,
        kinds: &[ContainKind],
        states: &[BlockState],
        target: Option<&str>,
        limit: u32,
    ) -> Result<(Vec<Containment>, u64), StoreError> {
        let conditions = |sql: &mut Sql| {
            sql.push(" WHERE 1 = 1");
            if !kinds.is_empty() {
                sql.push(" AND kind IN ").tuple(kinds.iter().map(|kind| kind.as_str().into()).collect());
            }
            if !states.is_empty() {
                sql.push(" AND state IN ").tuple(states.iter().map(|state| state.as_str().into()).collect());
            }
            if let Some(target) = target {
                sql.push(" AND target = ").bind(target);
            }
        };
        let mut tx = self.read().await?;
        let mut count = Sql::new("SELECT COUNT(*) FROM containment");
        conditions(&mut count);
        let total = tx.fetch_sql(count).await?.first().map_or(Ok(0), |row| row.u64(0))?;
        let mut sql = Sql::new(SELECT);
        conditions(&mut sql);
        sql.push(" ORDER BY created_at DESC, id DESC LIMIT ").bind(i64::from(limit));
        let rows = tx.fetch_sql(sql).await?.iter().map(from_row).collect::<Result<_, _>>()?;
        Ok((rows, total))
    }

    /// The newest containments of one of these kinds in one of these states (empty means any), newest first, at most
    /// `limit`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn containment_page(
        &self,
        kinds: &[ContainKind],
        states: &[BlockState],
        limit: u32,
    ) -> Result<Vec<Containment>, StoreError> {
        Ok(self.containments_of(kinds, states, None, limit).await?.0)
    }

    /// The containments that were made for an incident, oldest first, at most 500.
    ///
    /// # Errors
    /// What the database says.
    pub async fn containments_of_incident(
        &self,
        incident: IncidentId,
    ) -> Result<Vec<Containment>, StoreError> {
        let mut sql = Sql::new(SELECT);
        sql.push(" WHERE incident_id = ")
            .bind(incident.to_string())
            .push(" ORDER BY created_at, id LIMIT 500");
        let mut tx = self.read().await?;
        tx.fetch_sql(sql).await?.iter().map(from_row).collect()
    }

    /// The containment of this target that is pending or in force.
    ///
    /// # Errors
    /// What the database says.
    pub async fn containment_active(
        &self,
        kind: ContainKind,
        target: &str,
    ) -> Result<Option<Containment>, StoreError> {
        let mut tx = self.read().await?;
        let sql = format!(
            "{SELECT} WHERE kind = $1 AND target = $2 AND state IN ('pending', 'active') \
             ORDER BY expires_at DESC, id LIMIT 1"
        );
        let row = tx.fetch_optional(sql, args![kind.as_str(), target]).await?;
        row.as_ref().map(from_row).transpose()
    }

    /// Containments whose time is over at `now` and that are not marked so yet.
    ///
    /// # Errors
    /// What the database says.
    pub async fn containments_due_to_expire(
        &self,
        now: DateTime<Utc>,
    ) -> Result<Vec<Containment>, StoreError> {
        let mut tx = self.read().await?;
        let sql = format!(
            "{SELECT} WHERE state IN ('pending', 'active') AND expires_at <= $1 ORDER BY expires_at, id LIMIT 1000"
        );
        tx.fetch(sql, args![now]).await?.iter().map(from_row).collect()
    }

    /// Containments that were begun before `before` and neither confirmed nor given up.
    ///
    /// # Errors
    /// What the database says.
    pub async fn containments_pending(&self, before: DateTime<Utc>) -> Result<Vec<Containment>, StoreError> {
        let mut tx = self.read().await?;
        let sql = format!(
            "{SELECT} WHERE state = 'pending' AND created_at <= $1 ORDER BY created_at, id LIMIT 1000"
        );
        tx.fetch(sql, args![before]).await?.iter().map(from_row).collect()
    }

    /// What a containment would have hit in the 24 hours before `now`: events, sessions among them, and users (at most
    /// 20, most events first). Of a service:
    /// events whose `details.service` it is.
    ///
    /// # Errors
    /// `Validation` if the target of a limit is not an address; what the database says.
    pub async fn containment_preview_facts(
        &self,
        kind: ContainKind,
        target: &str,
        now: DateTime<Utc>,
    ) -> Result<(u64, u64, Vec<String>), StoreError> {
        let mut from = Sql::new(" FROM event WHERE at > ");
        from.bind(now - Duration::hours(24)).push(" AND at <= ").bind(now);
        match kind {
            ContainKind::Session => from.push(" AND session = ").bind(target),
            ContainKind::User => from.push(" AND actor = ").bind(target),
            ContainKind::Limit => {
                let target = target
                    .parse()
                    .map_err(|_| StoreError::Validation("a limit is for an address".to_owned()))?;
                let (low, high) = span(target);
                from.push(" AND source_key >= ").bind(low).push(" AND source_key <= ").bind(high)
            }
            ContainKind::Service => {
                let path = self.inner.db.dialect().details_service();
                from.push(" AND ").push(path).push(" = ").bind(target)
            }
        };
        let mut tx = self.read().await?;
        let mut counts = from.clone();
        counts.before("SELECT COUNT(*), COUNT(DISTINCT session)");
        let mut users = from;
        users
            .before("SELECT actor, COUNT(*) AS n")
            .push(" AND actor IS NOT NULL GROUP BY actor ORDER BY n DESC, actor LIMIT 20");
        let counts = tx.fetch_sql(counts).await?;
        let counts = counts.first().map(|row| Ok::<_, StoreError>((row.u64(0)?, row.u64(1)?)));
        let (events, sessions) = counts.transpose()?.unwrap_or_default();
        let users = tx.fetch_sql(users).await?;
        Ok((events, sessions, users.iter().map(|row| row.text(0)).collect::<Result<_, _>>()?))
    }
}
