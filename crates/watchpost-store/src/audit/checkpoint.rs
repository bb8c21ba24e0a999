//! Checkpoints: the signed state of the log.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use watchpost_model::audit::Checkpoint;

use crate::audit::append::{Head, append_locked, checkpoint_handed_over, lock_head, save_head};
use crate::audit::keys::{self, LogKey};
use crate::audit::own_draft;
use crate::audit::sign::{Signer, VerifierKey};
use crate::engine::{Dialect, Row, Tx, args};
use crate::error::StoreError;
use crate::store::{Entry, Store, Tag};

/// First line of every checkpoint of the log.
pub(crate) fn origin(log_id: &str) -> String {
    format!("watchpost.local/audit/{log_id}")
}

/// The text that is signed.
pub(crate) fn note_text(log_id: &str, size: i64, root: &str) -> String {
    format!("{}\n{size}\n{root}\n", origin(log_id))
}

/// Signs the locked head, stores the note, and adds its `checkpoint.sign` leaf. Answers the record that revoked the key
/// if one did: then nothing is signed.
pub(crate) async fn sign(
    tx: &mut Tx,
    head: &mut Head,
    signer: &Signer,
    reason: &str,
) -> Result<Result<Checkpoint, i64>, StoreError> {
    if let Some(record) = keys::revoked(tx, signer).await? {
        return Ok(Err(record));
    }
    let size = head.next_seq()?;
    let root = STANDARD.encode(head.frontier.root());
    let note = signer.sign_note(&note_text(&head.log_id, size, &root));
    let mut checkpoint =
        Checkpoint { size, root: root.clone(), at: head.at, note, key_name: signer.name().to_owned() };
    let facts = vec![("key", json!(signer.vkey())), ("root", json!(root)), ("size", json!(size))];
    let entry = Entry { draft: own_draft("checkpoint.sign", reason, head.at), facts };
    if tx.dialect() == Dialect::Postgres {
        let texts = [root.as_str(), checkpoint.note.as_str(), signer.name(), reason];
        checkpoint.at = checkpoint_handed_over(tx, head, texts, entry).await?;
        return Ok(Ok(checkpoint));
    }
    tx.execute(
        "INSERT INTO audit_checkpoint (size, root, at, note, key_name, reason) VALUES ($1, $2, $3, $4, $5, $6)",
        args![size, root.as_str(), head.at, checkpoint.note.as_str(), signer.name(), reason],
    )
    .await?;
    append_locked(tx, head, entry).await?;
    head.checkpoint_size = head.next_seq()?;
    Ok(Ok(checkpoint))
}

pub(crate) fn from_row(row: &Row) -> Result<Checkpoint, StoreError> {
    Ok(Checkpoint {
        size: row.i64(0)?,
        root: row.text(1)?,
        at: row.time(2)?,
        note: row.text(3)?,
        key_name: row.text(4)?,
    })
}

impl Store {
    /// Signs the state of the log now. Adds nothing and returns the newest checkpoint if no record was added since.
    ///
    /// # Errors
    /// `Precondition` without a key ([`Store::set_signer`]); what the database says.
    pub async fn checkpoint_now(&self, reason: &str) -> Result<Checkpoint, StoreError> {
        let signer = self
            .signer()
            .ok_or_else(|| StoreError::Precondition("there is no key to sign checkpoints with".to_owned()))?;
        let mut write = self.write().await?;
        write.execute("UPDATE revision SET n = n + 1 WHERE tag = $1", args![Tag::Audit.as_str()]).await?;
        let mut head = lock_head(&mut write, self.inner.clock.now()).await?;
        if head.next_seq()? == head.checkpoint_size {
            let newest = write
                .fetch_optional(
                    "SELECT size, root, at, note, key_name FROM audit_checkpoint ORDER BY size DESC LIMIT 1",
                    args![],
                )
                .await?;
            if let Some(row) = newest {
                return from_row(&row);
            }
        }
        let checkpoint = sign(&mut write, &mut head, &signer, reason).await?.map_err(|record| {
            StoreError::Precondition(format!(
                "the key {} was revoked by record {record}: it signs nothing any more",
                signer.name()
            ))
        })?;
        save_head(&mut write, &head).await?;
        self.commit(write).await?;
        Ok(checkpoint)
    }

    /// The newest checkpoints, newest first, at most `limit`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn checkpoints(&self, limit: u32) -> Result<Vec<Checkpoint>, StoreError> {
        let mut tx = self.read().await?;
        let rows = tx
            .fetch(
                "SELECT size, root, at, note, key_name FROM audit_checkpoint ORDER BY size DESC LIMIT $1",
                args![i64::from(limit)],
            )
            .await?;
        rows.iter().map(from_row).collect()
    }

    /// The checkpoint of `size` records, if one was signed.
    ///
    /// # Errors
    /// What the database says.
    pub async fn checkpoint_of(&self, size: i64) -> Result<Option<Checkpoint>, StoreError> {
        let sql = "SELECT size, root, at, note, key_name FROM audit_checkpoint WHERE size = $1";
        self.read().await?.fetch_optional(sql, args![size]).await?.as_ref().map(from_row).transpose()
    }

    /// The key that signed a checkpoint, as its `key.add` record has it.
    ///
    /// # Errors
    /// `Corrupt` if the log knows no key that signed it, or the key had been revoked; what the database says.
    pub async fn audit_key_of(&self, checkpoint: &Checkpoint) -> Result<LogKey, StoreError> {
        let signed = self.audit_log_keys().await?.into_iter().find(|key| {
            VerifierKey::parse(&key.vkey).is_some_and(|parsed| parsed.open(&checkpoint.note).is_some())
        });
        match signed {
            Some(key) if key.signs(checkpoint.size) => Ok(key),
            Some(key) => Err(StoreError::Corrupt(format!(
                "the checkpoint of {} records is signed by {}, which was revoked by record {}",
                checkpoint.size,
                key.name,
                key.revoked.unwrap_or_default()
            ))),
            None => Err(StoreError::Corrupt(format!(
                "no key of the log signed the checkpoint of {} records",
                checkpoint.size
            ))),
        }
    }
}
