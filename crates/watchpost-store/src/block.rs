//! Blocks and the allowlist.

use chrono::{DateTime, Duration, Utc};
use watchpost_model::audit::{AuditDraft, Change};
use watchpost_model::block::{AllowEntry, Block, BlockState, BlockTarget};
use watchpost_model::ids::{BlockId, IncidentId};
use watchpost_model::period::Period;

use crate::audit::number;
use crate::engine::{Row, Sql, Tx, args};
use crate::error::StoreError;
use crate::event::ip_key;
use crate::incident::{self, timeline};
use crate::store::{Store, Tag};

const SELECT: &str = "SELECT id, target, reason, created_by, created_at, expires_at, state, removed_at, removed_by, \
    incident_id FROM block";

fn from_row(row: &Row) -> Result<Block, StoreError> {
    Ok(Block {
        id: row.parse(0)?,
        target: row.parse(1)?,
        reason: row.text(2)?,
        created_by: row.text(3)?,
        created_at: row.time(4)?,
        expires_at: row.time(5)?,
        state: row.parse(6)?,
        removed_at: row.opt_time(7)?,
        removed_by: row.opt_text(8)?,
        incident: row.opt_text(9)?.map(|_| row.parse(9)).transpose()?,
    })
}

/// Writes the state of a block as it stands at `now`: one whose end has passed is over, also where no engine has marked it so.
fn push_state(sql: &mut Sql, now: DateTime<Utc>) {
    sql.push("(CASE WHEN state IN ('pending', 'active') AND expires_at <= ")
        .bind(now)
        .push(" THEN 'expired' ELSE state END)");
}

/// A block as it stands at `now`: as [`push_state`] has it.
fn standing(row: &Row, now: DateTime<Utc>) -> Result<Block, StoreError> {
    let mut block = from_row(row)?;
    if block.state.is_in_force() && block.expires_at <= now {
        block.state = BlockState::Expired;
    }
    Ok(block)
}

/// First and last address of a target, sortable.
pub(crate) fn span(target: BlockTarget) -> (Vec<u8>, Vec<u8>) {
    let net = target.net();
    (ip_key(net.network()), ip_key(net.broadcast()))
}

/// May a block go from one state to the other?
pub(crate) const fn can_become(from: BlockState, to: BlockState) -> bool {
    match from {
        BlockState::Pending => {
            matches!(to, BlockState::Active | BlockState::Failed | BlockState::Removed | BlockState::Expired)
        }
        BlockState::Active => matches!(to, BlockState::Expired | BlockState::Removed),
        BlockState::Failed => matches!(to, BlockState::Removed),
        BlockState::Expired | BlockState::Removed => false,
    }
}

impl Store {
    /// Keeps a new block; it is `pending` until Redis has it. Returns the number of its record.
    ///
    /// # Errors
    /// `Conflict` if the target is being blocked already; `Validation` if it does not end after it begins; what the database
    /// says.
    pub async fn block_insert(&self, block: &Block, draft: AuditDraft) -> Result<i64, StoreError> {
        if block.expires_at <= block.created_at {
            return Err(StoreError::Validation("a block ends after it begins".to_owned()));
        }
        let (low, high) = span(block.target);
        let target = block.target.to_string();
        let mut write = self.write().await?;
        let mut sql = Sql::new(
            "INSERT INTO block (id, target, low, high, reason, created_by, created_at, expires_at, state, removed_at, \
             removed_by, incident_id) VALUES ",
        );
        sql.tuple(args![
            block.id.to_string(),
            target.as_str(),
            low,
            high,
            block.reason.as_str(),
            block.created_by.as_str(),
            block.created_at,
            block.expires_at,
            block.state.as_str(),
            block.removed_at,
            block.removed_by.as_deref(),
            block.incident.map(|id| id.to_string()),
        ]);
        sql.push(" ON CONFLICT DO NOTHING");
        if write.execute_sql(sql).await? == 0 {
            return Err(StoreError::Conflict(format!("{target} is being blocked already")));
        }
        let mut draft = AuditDraft { object: format!("block/{target}"), ..draft };
        if let Some(id) = block.incident {
            incident::enforced(&mut write, id, &block.created_by, false, block.created_at, &mut draft)
                .await?;
            let text = format!("Blocked {target} until {}", block.expires_at.format("%Y-%m-%d %H:%M UTC"));
            timeline(&mut write, id, block.created_at, &block.created_by, "block", &text).await?;
            write.touch(Tag::Incidents);
        }
        let null = serde_json::Value::Null;
        draft.changes.push(Change::new("state", null.clone(), block.state.as_str()));
        draft.changes.push(Change::new("expires_at", null, block.expires_at.to_rfc3339()));
        write.audit(draft);
        write.touch(Tag::Blocks);
        number(&self.commit(write).await?)
    }

    /// Moves a block to `state`; `removed_by` names the person if it is taken back. One that becomes active ends the
    /// one of the same target that was.
    ///
    /// # Errors
    /// `NotFound`; `Precondition` if it cannot go there from where it is; what the database says.
    pub async fn block_state_set(
        &self,
        id: BlockId,
        state: BlockState,
        removed_by: Option<&str>,
        draft: AuditDraft,
    ) -> Result<Block, StoreError> {
        let mut write = self.write().await?;
        let lock = write.dialect().for_update();
        let row = write
            .fetch_optional(format!("{SELECT} WHERE id = $1{lock}"), args![id.to_string()])
            .await?
            .ok_or_else(|| StoreError::NotFound(format!("block {id}")))?;
        let old = from_row(&row)?;
        if !can_become(old.state, state) {
            return Err(StoreError::Precondition(format!(
                "the block of {} is {} and cannot become {state}",
                old.target, old.state
            )));
        }
        let mut draft = AuditDraft { object: format!("block/{}", old.target), ..draft };
        if state == BlockState::Active {
            // The shorter one that it prolongs: Redis has this one now.
            let others = format!("{SELECT} WHERE target = $1 AND state = 'active'{lock}");
            for row in write.fetch(others, args![old.target.to_string()]).await? {
                let shorter = from_row(&row)?.id.to_string();
                write
                    .execute(
                        "UPDATE block SET state = 'removed', removed_at = $1, removed_by = $2 WHERE id = $3",
                        args![self.inner.clock.now(), old.created_by.as_str(), shorter.as_str()],
                    )
                    .await?;
                draft.changes.push(Change::new("prolongs", serde_json::Value::Null, shorter));
            }
        }
        let mut new = Block { state, ..old.clone() };
        if state == BlockState::Removed {
            new.removed_at = Some(self.inner.clock.now());
            new.removed_by = removed_by.map(str::to_owned);
        }
        write
            .execute(
                "UPDATE block SET state = $1, removed_at = $2, removed_by = $3 WHERE id = $4",
                args![state.as_str(), new.removed_at, new.removed_by.as_deref(), id.to_string()],
            )
            .await?;
        if let (Some(id), BlockState::Active) = (new.incident, state) {
            let now = self.inner.clock.now();
            incident::enforced(&mut write, id, &new.created_by, true, now, &mut draft).await?;
            write.touch(Tag::Incidents);
        }
        if let (Some(incident), BlockState::Removed) = (new.incident, state) {
            let text = format!("Took back the block of {}", new.target);
            timeline(&mut write, incident, self.inner.clock.now(), &draft.caller.name, "block", &text)
                .await?;
            write.touch(Tag::Incidents);
        }
        draft.changes.push(Change::new("state", old.state.as_str(), state.as_str()));
        write.audit(draft);
        write.touch(Tag::Blocks);
        self.commit(write).await?;
        Ok(new)
    }

    /// A block by its identity.
    ///
    /// # Errors
    /// `NotFound`; what the database says.
    pub async fn block_by_id(&self, id: BlockId) -> Result<Block, StoreError> {
        let mut tx = self.read().await?;
        let row = tx
            .fetch_optional(format!("{SELECT} WHERE id = $1"), args![id.to_string()])
            .await?
            .ok_or_else(|| StoreError::NotFound(format!("block {id}")))?;
        from_row(&row)
    }

    /// The newest blocks in one of these states (empty means any) that were made in `created`, were in force at
    /// `in_force_at` as the Overview counts them, and share addresses with `touching`, newest first, at most `limit`, and
    /// how many there are of each state. One whose end has passed is expired in all of this, marked or not.
    ///
    /// # Errors
    /// What the database says.
    pub async fn blocks_made(
        &self,
        states: &[BlockState],
        created: Option<Period>,
        in_force_at: Option<DateTime<Utc>>,
        touching: Option<BlockTarget>,
        limit: u32,
    ) -> Result<(Vec<Block>, Vec<(BlockState, u64)>), StoreError> {
        let now = self.inner.clock.now();
        let conditions = |sql: &mut Sql| {
            sql.push(" WHERE 1 = 1");
            if !states.is_empty() {
                sql.push(" AND ");
                push_state(sql, now);
                sql.push(" IN ").tuple(states.iter().map(|state| state.as_str().into()).collect());
            }
            if let Some(period) = created {
                sql.push(" AND created_at >= ").bind(period.from).push(" AND created_at < ").bind(period.to);
            }
            if let Some(at) = in_force_at {
                sql.push(" AND state <> 'failed' AND state <> 'pending' AND created_at <= ").bind(at);
                sql.push(" AND expires_at > ").bind(at);
                sql.push(" AND (removed_at IS NULL OR removed_at > ").bind(at).push(")");
            }
            if let Some((low, high)) = touching.map(span) {
                sql.push(" AND low <= ").bind(high).push(" AND high >= ").bind(low);
            }
        };
        let mut tx = self.read().await?;
        let mut count = Sql::new("SELECT ");
        push_state(&mut count, now);
        count.push(", COUNT(*) FROM block");
        conditions(&mut count);
        count.push(" GROUP BY 1 ORDER BY 1");
        let mut counts = Vec::new();
        for row in tx.fetch_sql(count).await? {
            counts.push((row.parse(0)?, row.u64(1)?));
        }
        let mut sql = Sql::new(SELECT);
        conditions(&mut sql);
        sql.push(" ORDER BY created_at DESC, id DESC LIMIT ").bind(i64::from(limit));
        let rows = tx.fetch_sql(sql).await?;
        let blocks = rows.iter().map(|row| standing(row, now)).collect::<Result<_, _>>()?;
        Ok((blocks, counts))
    }

    /// The newest blocks in one of these states (empty means any), newest first, at most `limit`. One whose end has passed is
    /// expired, marked or not.
    ///
    /// # Errors
    /// What the database says.
    pub async fn block_page(&self, states: &[BlockState], limit: u32) -> Result<Vec<Block>, StoreError> {
        Ok(self.blocks_made(states, None, None, None, limit).await?.0)
    }

    /// The blocks that were made for an incident, oldest first, at most 500.
    ///
    /// # Errors
    /// What the database says.
    pub async fn blocks_of_incident(&self, incident: IncidentId) -> Result<Vec<Block>, StoreError> {
        let mut sql = Sql::new(SELECT);
        sql.push(" WHERE incident_id = ")
            .bind(incident.to_string())
            .push(" ORDER BY created_at, id LIMIT 500");
        let now = self.inner.clock.now();
        let mut tx = self.read().await?;
        tx.fetch_sql(sql).await?.iter().map(|row| standing(row, now)).collect()
    }

    /// The blocks that were made in the half-open period for no incident, oldest first, at most 10,000.
    ///
    /// # Errors
    /// What the database says.
    pub async fn blocks_of_no_incident(&self, period: Period) -> Result<Vec<Block>, StoreError> {
        let mut sql = Sql::new(SELECT);
        sql.push(" WHERE incident_id IS NULL AND created_at >= ")
            .bind(period.from)
            .push(" AND created_at < ")
            .bind(period.to)
            .push(" ORDER BY created_at, id LIMIT 10000");
        let now = self.inner.clock.now();
        let mut tx = self.read().await?;
        tx.fetch_sql(sql).await?.iter().map(|row| standing(row, now)).collect()
    }

    /// The block of exactly this target that is pending or in force.
    ///
    /// # Errors
    /// What the database says.
    pub async fn block_active(&self, target: BlockTarget) -> Result<Option<Block>, StoreError> {
        let mut tx = self.read().await?;
        let sql = format!(
            "{SELECT} WHERE target = $1 AND state IN ('pending', 'active') ORDER BY expires_at DESC, id LIMIT 1"
        );
        let row = tx.fetch_optional(sql, args![target.to_string()]).await?;
        row.as_ref().map(from_row).transpose()
    }

    /// The narrowest block in force that covers all of `target`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn block_covering(&self, target: BlockTarget) -> Result<Option<Block>, StoreError> {
        let (low, high) = span(target);
        let mut tx = self.read().await?;
        // Of ranges that cover the same target the narrower one begins later, or ends earlier.
        let sql = format!(
            "{SELECT} WHERE state = 'active' AND low <= $1 AND high >= $2 AND expires_at > $3 \
             ORDER BY low DESC, high, id LIMIT 1"
        );
        let row = tx.fetch_optional(sql, args![low, high, self.inner.clock.now()]).await?;
        row.as_ref().map(from_row).transpose()
    }

    /// How many blocks in force lie inside of `target` without covering it, and the first of them by address.
    ///
    /// # Errors
    /// What the database says.
    pub async fn blocks_inside(
        &self,
        target: BlockTarget,
        limit: u32,
    ) -> Result<(u64, Vec<BlockTarget>), StoreError> {
        let (low, high) = span(target);
        let now = self.inner.clock.now();
        let inside = "state = 'active' AND low >= $1 AND high <= $2 AND NOT (low = $1 AND high = $2) \
                      AND expires_at > $3";
        let mut tx = self.read().await?;
        let count = format!("SELECT COUNT(*) FROM block WHERE {inside}");
        let total = tx.fetch_one(count, args![low.clone(), high.clone(), now]).await?.u64(0)?;
        let first = format!("SELECT target FROM block WHERE {inside} ORDER BY low, high, id LIMIT $4");
        let rows = tx.fetch(first, args![low, high, now, i64::from(limit)]).await?;
        Ok((total, rows.iter().map(|row| row.parse(0)).collect::<Result<_, _>>()?))
    }

    /// Blocks whose time is over at `now` and that are not marked so yet.
    ///
    /// # Errors
    /// What the database says.
    pub async fn blocks_due_to_expire(&self, now: DateTime<Utc>) -> Result<Vec<Block>, StoreError> {
        let mut tx = self.read().await?;
        let sql = format!(
            "{SELECT} WHERE state IN ('pending', 'active') AND expires_at <= $1 ORDER BY expires_at, id LIMIT 1000"
        );
        tx.fetch(sql, args![now]).await?.iter().map(from_row).collect()
    }

    /// Blocks that were begun before `before` and neither confirmed nor given up: what a crash left between the
    /// database and Redis.
    ///
    /// # Errors
    /// What the database says.
    pub async fn blocks_pending(&self, before: DateTime<Utc>) -> Result<Vec<Block>, StoreError> {
        let mut tx = self.read().await?;
        let sql = format!(
            "{SELECT} WHERE state = 'pending' AND created_at <= $1 ORDER BY created_at, id LIMIT 1000"
        );
        tx.fetch(sql, args![before]).await?.iter().map(from_row).collect()
    }

    /// The allowlist by target.
    ///
    /// # Errors
    /// What the database says.
    pub async fn allow_list(&self) -> Result<Vec<AllowEntry>, StoreError> {
        let mut tx = self.read().await?;
        let rows = tx
            .fetch("SELECT target, note, added_by, added_at FROM allow_entry ORDER BY target", args![])
            .await?;
        rows.iter()
            .map(|row| {
                Ok(AllowEntry {
                    target: row.parse(0)?,
                    note: row.text(1)?,
                    added_by: row.text(2)?,
                    added_at: row.time(3)?,
                })
            })
            .collect()
    }

    /// Adds an entry to the allowlist.
    ///
    /// # Errors
    /// `Conflict` if the target is on it already; what the database says.
    pub async fn allow_add(&self, entry: &AllowEntry, draft: AuditDraft) -> Result<(), StoreError> {
        let target = entry.target.to_string();
        let mut write = self.write().await?;
        let added = write
            .execute(
                "INSERT INTO allow_entry (target, note, added_by, added_at) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (target) DO NOTHING",
                args![target.as_str(), entry.note.as_str(), entry.added_by.as_str(), entry.added_at],
            )
            .await?;
        if added == 0 {
            return Err(StoreError::Conflict(format!("{target} is on the allowlist already")));
        }
        let mut draft = AuditDraft { object: format!("allow/{target}"), ..draft };
        draft.changes.push(Change::new("note", serde_json::Value::Null, entry.note.as_str()));
        write.audit(draft);
        write.touch(Tag::Blocks);
        self.commit(write).await.map(drop)
    }

    /// Takes an entry from the allowlist.
    ///
    /// # Errors
    /// `NotFound`; what the database says.
    pub async fn allow_remove(&self, target: BlockTarget, draft: AuditDraft) -> Result<(), StoreError> {
        let text = target.to_string();
        let mut write = self.write().await?;
        let removed = write
            .fetch("DELETE FROM allow_entry WHERE target = $1 RETURNING note", args![text.as_str()])
            .await?;
        let Some(row) = removed.first() else {
            return Err(StoreError::NotFound(format!("the entry {text} of the allowlist")));
        };
        let mut draft = AuditDraft { object: format!("allow/{text}"), ..draft };
        draft.changes.push(Change::new("note", row.text(0)?, serde_json::Value::Null));
        write.audit(draft);
        write.touch(Tag::Blocks);
        self.commit(write).await.map(drop)
    }

    /// What a block of `target` would have cut off in the 24 hours before `now`: events, those of them that did not
    /// fail, and the users seen from there (at most 20, most events first).
    ///
    /// # Errors
    /// What the database says.
    pub async fn block_preview_facts(
        &self,
        target: BlockTarget,
        now: DateTime<Utc>,
    ) -> Result<(u64, u64, Vec<String>), StoreError> {
        let mut tx = self.read().await?;
        let (low, high) = span(target);
        let bounds = || args![low.clone(), high.clone(), now - Duration::hours(24), now];
        let counts = tx
            .fetch_one(
                "SELECT COUNT(*), COUNT(CASE WHEN outcome <> 'failure' THEN 1 END) FROM event \
                 WHERE source_key >= $1 AND source_key <= $2 AND at > $3 AND at <= $4",
                bounds(),
            )
            .await?;
        let users = tx
            .fetch(
                "SELECT actor, COUNT(*) AS n FROM event WHERE source_key >= $1 AND source_key <= $2 AND at > $3 \
                 AND at <= $4 AND actor IS NOT NULL GROUP BY actor ORDER BY n DESC, actor LIMIT 20",
                bounds(),
            )
            .await?;
        let users = users.iter().map(|row| row.text(0)).collect::<Result<_, _>>()?;
        Ok((counts.u64(0)?, counts.u64(1)?, users))
    }
}

/// Spans of the blocks that are in force at `now`, to be asked for many addresses.
pub(crate) async fn spans_in_force(
    tx: &mut Tx,
    now: DateTime<Utc>,
) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError> {
    let sql = "SELECT low, high FROM block WHERE state = 'active' AND expires_at > $1";
    let rows = tx.fetch(sql, args![now]).await?;
    rows.iter().map(|row| Ok((row.blob(0)?, row.blob(1)?))).collect()
}
