//! Merging and splitting without loss: a merged incident keeps all that is its own and is read through its target.
//!
//! Nothing moves. `merged_into` makes a tree of incidents and `root_id` names its root; the root's columns tell of the
//! whole tree, and its own part is kept in `own` meanwhile, so that splitting gives both back exactly.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use watchpost_model::audit::{AuditDraft, Change};
use watchpost_model::ids::IncidentId;
use watchpost_model::incident::{Incident, LinkKind};
use watchpost_model::text::visible;

use super::{Own, SELECT, detail, events, from_row, locked, own_of, set_clocks, timeline, update};
use crate::canonical::to_canonical;
use crate::engine::{Row, Tx, Value, args};
use crate::error::StoreError;
use crate::risk;
use crate::store::{Store, Tag, Write};

/// An incident of a group.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) id: String,
    pub(crate) number: i64,
}

/// The ids of a group as values of a list.
pub(crate) fn ids(group: &[Member]) -> Vec<Value> {
    group.iter().map(|member| member.id.as_str().into()).collect()
}

/// An incident and all that is merged into it, directly or through others; itself first.
pub(crate) async fn group(tx: &mut Tx, incident: IncidentId) -> Result<Vec<Member>, StoreError> {
    let rows = tx
        .fetch(
            "SELECT id, number, merged_into FROM incident \
             WHERE root_id = (SELECT root_id FROM incident WHERE id = $1) ORDER BY number",
            args![incident.to_string()],
        )
        .await?;
    let mut children: BTreeMap<Option<String>, Vec<Member>> = BTreeMap::new();
    let mut found = Vec::new();
    for row in &rows {
        let member = Member { id: row.text(0)?, number: row.i64(1)? };
        if member.id == incident.to_string() {
            found.push(member.clone());
        }
        children.entry(row.opt_text(2)?).or_default().push(member);
    }
    let mut next = 0;
    while let Some(member) = found.get(next) {
        found.extend(children.remove(&Some(member.id.clone())).unwrap_or_default());
        next += 1;
    }
    Ok(found)
}

/// Brings the columns of an incident up to date with all that is merged into it, and returns its row.
pub(crate) async fn regroup(tx: &mut Tx, root: IncidentId) -> Result<Incident, StoreError> {
    let members = group(tx, root).await?;
    let mut rows = tx.fetch_in(&format!("{SELECT} WHERE id IN "), &ids(&members)).await?;
    let number = |row: &Row| row.i64(1).unwrap_or(i64::MAX);
    rows.sort_by_key(number);
    let mut whole: Option<Incident> = None;
    let mut own = None;
    let mut others = Vec::new();
    for row in &rows {
        let (mut incident, kept) = (from_row(row)?, own_of(row)?);
        if let Some(kept) = kept {
            kept.put_into(&mut incident);
        }
        if incident.id == root {
            own = Some(Own::of(&incident));
            whole = Some(incident);
        } else {
            others.push(incident);
        }
    }
    let mut whole = whole.ok_or_else(|| StoreError::NotFound(format!("incident {root}")))?;
    let kept = if others.is_empty() { None } else { own };
    for other in &others {
        whole.severity = whole.severity.max(other.severity);
        whole.confidence = whole.confidence.max(other.confidence);
        whole.risk = whole.risk.max(other.risk);
        whole.finding_count += other.finding_count;
        whole.first_seen = whole.first_seen.min(other.first_seen);
        whole.last_seen = whole.last_seen.max(other.last_seen);
        for technique in &other.attack {
            if !whole.attack.contains(technique) {
                whole.attack.push(technique.clone());
            }
        }
    }
    if kept.is_some() {
        whole.event_count = events::counts(tx, &members).await?.1;
    }
    set_clocks(&mut whole);
    update(tx, &whole).await?;
    keep_own(tx, root, kept.as_ref()).await?;
    Ok(whole)
}

/// Writes what an incident has of its own.
pub(crate) async fn keep_own(tx: &mut Tx, id: IncidentId, own: Option<&Own>) -> Result<(), StoreError> {
    let text = own.map(to_canonical).transpose()?;
    tx.execute("UPDATE incident SET own = $1 WHERE id = $2", args![text, id.to_string()]).await.map(drop)
}

/// The lock under which incidents are found or opened; grouping does not change meanwhile.
pub(crate) async fn lock_grouping(tx: &mut Tx) -> Result<i64, StoreError> {
    let lock = tx.dialect().for_update();
    tx.fetch_one(format!("SELECT n FROM counter WHERE name = 'incident'{lock}"), args![]).await?.i64(0)
}

impl Store {
    /// Merges incidents into another one, all or none; returns the target as it stands then.
    ///
    /// New findings of their groups show in the target from now on; they are kept with the incident of their group.
    ///
    /// # Errors
    /// `NotFound`; `Validation` if none is named, or one with itself; `Precondition` if one is merged already or the
    /// target is not active; what the database says.
    pub async fn incident_merge(
        &self,
        numbers: &[i64],
        into: i64,
        reason: &str,
        draft: AuditDraft,
    ) -> Result<Incident, StoreError> {
        if numbers.is_empty() || numbers.contains(&into) {
            return Err(StoreError::Validation(
                "name at least one incident other than the target".to_owned(),
            ));
        }
        let now = self.inner.clock.now();
        let mut write = self.write().await?;
        lock_grouping(&mut write).await?;
        let target = detail::by_number(&mut write, into).await?;
        let (mut target, _) = locked(&mut write, target.id).await?;
        super::refuse_merged(&target)?;
        if !target.status.is_active() {
            return Err(StoreError::Precondition(format!(
                "incident {into} is {}: only an active one takes others in; reopen it first, or name another one",
                target.status
            )));
        }
        for &number in numbers {
            target = merge_one(&mut write, number, target.id, reason, now, &draft).await?;
        }
        write.touch(Tag::Incidents);
        self.commit(write).await?;
        Ok(target)
    }

    /// Takes a merged incident out again, with what came to its own group since: both are as if they had never been
    /// merged. Returns the incident that was taken out.
    ///
    /// # Errors
    /// `NotFound`; `Precondition` if it is not merged; what the database says.
    pub async fn incident_split(
        &self,
        number: i64,
        reason: &str,
        draft: AuditDraft,
    ) -> Result<Incident, StoreError> {
        let now = self.inner.clock.now();
        let mut write = self.write().await?;
        lock_grouping(&mut write).await?;
        let source = detail::by_number(&mut write, number).await?;
        let Some(into) = source.merged_into else {
            return Err(StoreError::Precondition(format!(
                "incident {number} is not merged into another one: there is nothing to take it out of"
            )));
        };
        let target = detail::by_number(&mut write, into).await?;
        let root = tx_root(&mut write, source.id).await?;
        let subtree = group(&mut write, source.id).await?;
        write
            .execute(
                "UPDATE incident SET merged_into = NULL, version = version + 1 WHERE id = $1",
                args![source.id.to_string()],
            )
            .await?;
        for member in &subtree {
            let change = "UPDATE incident SET root_id = $1 WHERE id = $2";
            write.execute(change, args![source.id.to_string(), member.id.as_str()]).await?;
        }
        write
            .execute(
                "DELETE FROM incident_link WHERE from_id = $1 AND to_id = $2 AND kind = $3",
                args![source.id.to_string(), target.id.to_string(), LinkKind::Merged.as_str()],
            )
            .await?;
        bump(&mut write, root).await?;
        regroup(&mut write, root).await?;
        let split = regroup(&mut write, source.id).await?;
        risk::recount(&mut write, &split).await?;
        let actor = draft.caller.name.clone();
        let why = visible(reason, 200);
        let line = format!("Taken out of incident {into}: {why}");
        timeline(&mut write, source.id, now, &actor, "split", &line).await?;
        let line = format!("Incident {number} taken out: {why}");
        timeline(&mut write, target.id, now, &actor, "split", &line).await?;
        let mut record = AuditDraft { object: format!("incident/{number}"), ..draft };
        record.changes.push(Change::new("merged_into", into, serde_json::Value::Null));
        write.audit(record);
        write.touch(Tag::Incidents);
        self.commit(write).await?;
        Ok(split)
    }
}

async fn tx_root(tx: &mut Tx, id: IncidentId) -> Result<IncidentId, StoreError> {
    tx.fetch_one("SELECT root_id FROM incident WHERE id = $1", args![id.to_string()]).await?.parse(0)
}

/// A change of an incident that others may hold an older version of.
pub(crate) async fn bump(tx: &mut Tx, id: IncidentId) -> Result<(), StoreError> {
    let sql = "UPDATE incident SET version = version + 1 WHERE id = $1";
    tx.execute(sql, args![id.to_string()]).await.map(drop)
}

async fn merge_one(
    write: &mut Write,
    number: i64,
    target: IncidentId,
    reason: &str,
    now: DateTime<Utc>,
    draft: &AuditDraft,
) -> Result<Incident, StoreError> {
    let source = detail::by_number(write, number).await?;
    let (source, _) = locked(write, source.id).await?;
    super::refuse_merged(&source)?;
    let (before, kept) = locked(write, target).await?;
    if kept.is_none() {
        keep_own(write, target, Some(&Own::of(&before))).await?;
    }
    let (from, into) = (source.id.to_string(), target.to_string());
    write
        .execute(
            "UPDATE incident SET merged_into = $1, active = 0, due = $2, version = version + 1 WHERE id = $3",
            args![into.as_str(), i64::MAX, from.as_str()],
        )
        .await?;
    write
        .execute("UPDATE incident SET root_id = $1 WHERE root_id = $2", args![into.as_str(), from.as_str()])
        .await?;
    bump(write, target).await?;
    let merged = regroup(write, target).await?;
    risk::recount(write, &merged).await?;
    let actor = draft.caller.name.clone();
    write
        .execute(
            "INSERT INTO incident_link (from_id, to_id, kind, at, actor) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (from_id, to_id, kind) DO NOTHING",
            args![from, into, LinkKind::Merged.as_str(), now, actor.as_str()],
        )
        .await?;
    let why = visible(reason, 200);
    let line = format!("Merged into incident {}: {why}", merged.number);
    timeline(write, source.id, now, &actor, "merged", &line).await?;
    let line = format!("Incident {number} merged in: {why}");
    timeline(write, target, now, &actor, "merged", &line).await?;
    let mut record = AuditDraft { object: format!("incident/{number}"), ..draft.clone() };
    record.changes.push(Change::new("merged_into", serde_json::Value::Null, merged.number));
    write.audit(record);
    Ok(merged)
}
