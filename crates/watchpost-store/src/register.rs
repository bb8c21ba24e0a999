//! The register of what people do, and what they gave as proof for controls.

use chrono::{DateTime, Utc};
use watchpost_model::audit::{AuditDraft, Change};
use watchpost_model::ids::EntryId;
use watchpost_model::register::{Proof, RegisterEntry, RegisterKind};

use crate::canonical::to_canonical;
use crate::engine::{Sql, args};
use crate::error::StoreError;
use crate::report_schedule::newest_given;
use crate::store::{Store, Tag};

/// A fact may be as long as a page; a register is no file store.
const FIELD_CHARS_MAX: usize = 4_000;

impl Store {
    /// Keeps an entry: a new one of version 1, or the next version of one that is there. What changed stands in the audit
    /// record.
    ///
    /// # Errors
    /// `Conflict` if somebody else changed it in the meantime; `NotFound` for a later version of nothing; `Validation`
    /// for a fact without a name or longer than 4,000 characters; what the database says.
    pub async fn register_put(&self, entry: &RegisterEntry, draft: AuditDraft) -> Result<(), StoreError> {
        for (name, value) in &entry.fields {
            if name.trim().is_empty() || value.chars().count() > FIELD_CHARS_MAX {
                return Err(StoreError::Validation(format!(
                    "a fact needs a name and at most {FIELD_CHARS_MAX} characters: {name:?}"
                )));
            }
        }
        let mut write = self.write().await?;
        let lock = write.dialect().for_update();
        let id = entry.id.to_string();
        let sql = format!("SELECT body FROM register_entry WHERE id = $1{lock}");
        let old: Option<RegisterEntry> =
            write.fetch_optional(sql, args![&id]).await?.map(|row| row.json(0)).transpose()?;
        match &old {
            None if entry.version != 1 => return Err(StoreError::NotFound(format!("entry {id}"))),
            Some(old) if entry.version != old.version + 1 => {
                return Err(StoreError::Conflict(format!("entry {id} was changed in the meantime")));
            }
            _ => {}
        }
        write
            .execute(
                "INSERT INTO register_entry (id, kind, subject, opened_at, due_at, closed_at, owner, approver, result, \
                 missing, version, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
                 ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, subject = excluded.subject, \
                 opened_at = excluded.opened_at, due_at = excluded.due_at, closed_at = excluded.closed_at, \
                 owner = excluded.owner, approver = excluded.approver, result = excluded.result, \
                 missing = excluded.missing, version = excluded.version, body = excluded.body",
                args![
                    &id,
                    entry.kind.as_str(),
                    entry.subject.as_str(),
                    entry.opened_at,
                    entry.due_at,
                    entry.closed_at,
                    entry.owner.as_str(),
                    entry.approver.as_str(),
                    entry.result.as_str(),
                    i64::try_from(entry.missing()).unwrap_or(i64::MAX),
                    entry.version,
                    to_canonical(entry)?
                ],
            )
            .await?;
        write.execute("DELETE FROM register_field WHERE entry_id = $1", args![&id]).await?;
        for (name, value) in &entry.fields {
            write
                .execute(
                    "INSERT INTO register_field (entry_id, name, value) VALUES ($1, $2, $3)",
                    args![&id, name, value],
                )
                .await?;
        }
        let mut draft = AuditDraft { object: format!("register/{}/{id}", entry.kind), ..draft };
        draft.changes.extend(changes(old.as_ref(), entry)?);
        write.audit(draft);
        write.touch(Tag::Reports);
        self.commit(write).await.map(drop)
    }

    /// One entry.
    ///
    /// # Errors
    /// `NotFound`, or what the database says.
    pub async fn register_entry(&self, id: EntryId) -> Result<RegisterEntry, StoreError> {
        let mut tx = self.read().await?;
        let row =
            tx.fetch_optional("SELECT body FROM register_entry WHERE id = $1", args![id.to_string()]).await?;
        row.ok_or_else(|| StoreError::NotFound(format!("entry {id}")))?.json(0)
    }

    /// Entries, newest first, at most `limit`: of one kind, about one subject, or all.
    ///
    /// # Errors
    /// What the database says.
    pub async fn register_entries(
        &self,
        kind: Option<RegisterKind>,
        subject: Option<&str>,
        limit: u32,
    ) -> Result<Vec<RegisterEntry>, StoreError> {
        let mut sql = Sql::new("SELECT body FROM register_entry WHERE 1 = 1");
        if let Some(kind) = kind {
            sql.push(" AND kind = ").bind(kind.as_str());
        }
        if let Some(subject) = subject {
            sql.push(" AND subject = ").bind(subject);
        }
        sql.push(" ORDER BY opened_at DESC, id DESC LIMIT ").bind(i64::from(limit));
        let mut tx = self.read().await?;
        tx.fetch_sql(sql).await?.iter().map(|row| row.json(0)).collect()
    }

    /// Keeps what somebody gave for a control.
    ///
    /// # Errors
    /// What the database says.
    pub async fn proof_add(&self, proof: &Proof, draft: AuditDraft) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        write
            .execute(
                "INSERT INTO proof (id, framework, control, given_at, body) VALUES ($1, $2, $3, $4, $5)",
                args![
                    proof.id.to_string(),
                    proof.framework.as_str(),
                    proof.control.as_str(),
                    proof.given_at,
                    to_canonical(proof)?
                ],
            )
            .await?;
        write.audit(draft);
        write.touch(Tag::Reports);
        self.commit(write).await.map(drop)
    }

    /// What was given for the controls of a framework up to `until`, oldest first, and how many older ones were left out
    /// because there are more than `limit`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn proofs(
        &self,
        framework: &str,
        until: DateTime<Utc>,
        limit: u32,
    ) -> Result<(Vec<Proof>, u64), StoreError> {
        newest_given(&mut *self.read().await?, "proof", framework, until, limit).await
    }
}

/// What differs between two versions, by name.
fn changes(old: Option<&RegisterEntry>, new: &RegisterEntry) -> Result<Vec<Change>, StoreError> {
    let object = |entry: &RegisterEntry| serde_json::to_value(entry).map_err(StoreError::Encode);
    let before = old.map(object).transpose()?.unwrap_or_default();
    let after = object(new)?;
    let names =
        ["subject", "opened_at", "due_at", "closed_at", "owner", "approver", "result", "fields", "note"];
    Ok(names
        .into_iter()
        .filter(|name| before.get(name) != after.get(name))
        .map(|name| {
            let value = |of: &serde_json::Value| of.get(name).cloned().unwrap_or_default();
            Change::new(name, value(&before), value(&after))
        })
        .collect())
}
