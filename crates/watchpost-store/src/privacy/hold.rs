//! Legal holds: while one is in force nothing about its subject is erased, and retention leaves it alone.

use watchpost_model::audit::{AuditDraft, Change};
use watchpost_model::privacy::{LegalHold, Subject};

use crate::audit::holds::{self, FACT, Reach};
use crate::audit::leaf::time_text;
use crate::audit::seal::random_id;
use crate::engine::{Row, Tx, args};
use crate::error::StoreError;
use crate::store::Store;

const COLUMNS: &str = "SELECT id, kind, value, reason, owner, placed_at, placed_by, released_at, released_by, \
    release_reason FROM legal_hold";

fn hold(row: &Row) -> Result<LegalHold, StoreError> {
    Ok(LegalHold {
        id: row.text(0)?,
        subject: Subject { kind: row.parse(1)?, value: row.text(2)? },
        reason: row.text(3)?,
        owner: row.text(4)?,
        placed_at: row.time(5)?,
        placed_by: row.text(6)?,
        released_at: row.opt_time(7)?,
        released_by: row.opt_text(8)?,
        release_reason: row.opt_text(9)?,
    })
}

/// Holds in force on one subject.
pub(super) async fn in_force(tx: &mut Tx, subject: &Subject) -> Result<Vec<LegalHold>, StoreError> {
    let sql = format!("{COLUMNS} WHERE released_at IS NULL AND kind = $1 ORDER BY placed_at, id");
    let mut holds: Vec<LegalHold> =
        tx.fetch(sql, args![subject.kind.as_str()]).await?.iter().map(hold).collect::<Result<_, _>>()?;
    holds.retain(|hold| subject.is(&hold.subject.value));
    Ok(holds)
}

/// Does a hold in force keep this subject?
pub(super) async fn is_held(tx: &mut Tx, subject: &Subject) -> Result<bool, StoreError> {
    Ok(!in_force(tx, subject).await?.is_empty())
}

/// Refuses while a hold in force keeps this subject.
pub(super) async fn refuse_held(tx: &mut Tx, subject: &Subject) -> Result<(), StoreError> {
    match in_force(tx, subject).await?.first() {
        Some(held) => Err(StoreError::Precondition(format!(
            "the legal hold {} of {} ({}) keeps it: nothing is erased until it is released",
            held.id,
            held.placed_at.format("%Y-%m-%d"),
            held.owner
        ))),
        None => Ok(()),
    }
}

/// Nothing is taken for good while a hold is not as the trail says: it may be the one that somebody pointed elsewhere.
pub(super) async fn refuse_unlike_trail(tx: &mut Tx) -> Result<(), StoreError> {
    match holds::unlike_trail(tx, Reach::Leaves).await?.into_iter().next() {
        Some((_, problem)) => Err(StoreError::Precondition(format!(
            "{problem}: nothing is erased while the legal holds are not as the trail says (docs/privacy.md)"
        ))),
        None => Ok(()),
    }
}

/// Everybody whom a hold in force keeps.
pub(super) async fn held(tx: &mut Tx) -> Result<Vec<Subject>, StoreError> {
    let rows = tx.fetch("SELECT kind, value FROM legal_hold WHERE released_at IS NULL", args![]).await?;
    rows.iter().map(|row| Ok(Subject { kind: row.parse(0)?, value: row.text(1)? })).collect()
}

impl Store {
    /// Places a hold. `draft` gives the record of it, by the hold as it is written; what the hold says is added to it, and is
    /// what a check holds the row against.
    ///
    /// # Errors
    /// What the database says; then nothing was written.
    pub async fn hold_add(
        &self,
        subject: &Subject,
        reason: &str,
        owner: &str,
        by: &str,
        draft: impl FnOnce(&LegalHold) -> AuditDraft,
    ) -> Result<LegalHold, StoreError> {
        let hold = LegalHold {
            id: random_id().chars().take(8).collect(),
            subject: subject.clone(),
            reason: reason.to_owned(),
            owner: owner.to_owned(),
            placed_at: self.inner.clock.now(),
            placed_by: by.to_owned(),
            released_at: None,
            released_by: None,
            release_reason: None,
        };
        let mut write = self.write().await?;
        write
            .execute(
                "INSERT INTO legal_hold (id, kind, value, reason, owner, placed_at, placed_by) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7)",
                args![
                    hold.id.as_str(),
                    subject.kind.as_str(),
                    subject.value.as_str(),
                    reason,
                    owner,
                    hold.placed_at,
                    by
                ],
            )
            .await?;
        let mut record = draft(&hold);
        let placed_at = time_text(hold.placed_at);
        let said = [
            ("kind", subject.kind.as_str()),
            ("value", subject.value.as_str()),
            ("reason", reason),
            ("owner", owner),
            ("placed_at", placed_at.as_str()),
            ("placed_by", by),
        ];
        record.changes.extend(said.map(|(field, text)| Change::new(field, serde_json::Value::Null, text)));
        write.audit_with_facts(record, vec![(FACT, hold.id.as_str().into())]);
        self.commit(write).await?;
        Ok(hold)
    }

    /// All holds, those in force first, then the newest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn holds(&self) -> Result<Vec<LegalHold>, StoreError> {
        let sql = format!(
            "{COLUMNS} ORDER BY CASE WHEN released_at IS NULL THEN 0 ELSE 1 END, placed_at DESC, id LIMIT 500"
        );
        self.read().await?.fetch(sql, args![]).await?.iter().map(hold).collect()
    }

    /// One hold.
    ///
    /// # Errors
    /// `NotFound`; what the database says.
    pub async fn hold(&self, id: &str) -> Result<LegalHold, StoreError> {
        let row = self.read().await?.fetch_optional(format!("{COLUMNS} WHERE id = $1"), args![id]).await?;
        row.as_ref().map(hold).transpose()?.ok_or_else(|| StoreError::NotFound("this hold".to_owned()))
    }

    /// Releases a hold; it stays in the list.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` if it was released meanwhile; what the database says.
    pub async fn hold_release(
        &self,
        id: &str,
        by: &str,
        reason: &str,
        mut draft: AuditDraft,
    ) -> Result<LegalHold, StoreError> {
        let now = self.inner.clock.now();
        let mut write = self.write().await?;
        let changed = write
            .execute(
                "UPDATE legal_hold SET released_at = $1, released_by = $2, release_reason = $3 \
                 WHERE id = $4 AND released_at IS NULL",
                args![now, by, reason, id],
            )
            .await?;
        if changed == 0 {
            drop(write);
            self.hold(id).await?;
            return Err(StoreError::Conflict("the hold was released before".to_owned()));
        }
        draft.changes.push(Change::new("released_at", serde_json::Value::Null, now.to_rfc3339()));
        draft.changes.push(Change::new("released_by", serde_json::Value::Null, by));
        draft.changes.push(Change::new("release_reason", serde_json::Value::Null, reason));
        write.audit_with_facts(draft, vec![(FACT, id.into())]);
        self.commit(write).await?;
        self.hold(id).await
    }
}

/// A condition of SQL that is true for an event (of the table `event`) that a hold in force keeps.
pub(crate) const KEEPS_EVENT: &str = "EXISTS (SELECT 1 FROM legal_hold h WHERE h.released_at IS NULL AND \
    ((h.kind = 'user' AND (h.value = event.actor OR LOWER(h.value) = LOWER(event.actor))) \
    OR (h.kind = 'ip' AND h.value = event.source_ip)))";
