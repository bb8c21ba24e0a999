//! Checkpoints: the signed state of the log.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use watchpost_model::audit::Checkpoint;

use crate::audit::append::{
    Head, append_locked, checkpoint_handed_over, lock_head, log_id_if_any, save_head,
};
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

/// Did a key that the log knew by then, and had not revoked, sign this checkpoint?
fn is_signed(keys: &[LogKey], log: &str, checkpoint: &Checkpoint) -> bool {
    let text = note_text(log, checkpoint.size, &checkpoint.root);
    keys.iter().filter(|key| key.name == checkpoint.key_name && key.signs(checkpoint.size)).any(|key| {
        VerifierKey::parse(&key.vkey).is_some_and(|key| key.open(&checkpoint.note) == Some(text.as_str()))
    })
}

/// The newest checkpoints that are signed, newest first. Others are passed over, and named: whoever can write to the
/// database can put a note there that nobody signed.
async fn newest_signed(tx: &mut Tx, limit: usize) -> Result<Vec<Checkpoint>, StoreError> {
    let log = log_id_if_any(tx).await?.unwrap_or_default();
    let keys = keys::keys(tx).await?;
    let (mut found, mut below) = (Vec::new(), i64::MAX);
    while found.len() < limit {
        let sql = "SELECT size, root, at, note, key_name FROM audit_checkpoint WHERE size < $1 \
                   ORDER BY size DESC LIMIT 100";
        let rows = tx.fetch(sql, args![below]).await?;
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            if found.len() == limit {
                break;
            }
            let checkpoint = from_row(row)?;
            below = checkpoint.size;
            if is_signed(&keys, &log, &checkpoint) {
                found.push(checkpoint);
            } else {
                tracing::warn!(
                    size = checkpoint.size,
                    key = checkpoint.key_name,
                    "a checkpoint that no key of the log signed is passed over: `watchpost audit verify` says more"
                );
            }
        }
    }
    Ok(found)
}

/// The newest checkpoint, if it stands for all of the log. What nobody signed stands for no state of it.
async fn whole(tx: &mut Tx) -> Result<Option<Checkpoint>, StoreError> {
    let sql = "SELECT checkpoint_size FROM audit_head WHERE id = 1 AND size = checkpoint_size";
    let Some(row) = tx.fetch_optional(sql, args![]).await? else { return Ok(None) };
    let signed = row.i64(0)?;
    Ok(newest_signed(tx, 1).await?.pop().filter(|newest| newest.size + 1 == signed))
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
        // Where nothing is to be signed nobody is waited for.
        if let Some(newest) = whole(&mut *self.read().await?).await? {
            return Ok(newest);
        }
        let mut write = self.write().await?;
        let now = self.inner.clock.now();
        let locked = async {
            write.bump(Tag::Audit).await?;
            lock_head(&mut write, now).await
        };
        let locked = self.noted(locked.await);
        let mut head = self.naming_the_standby(locked).await?;
        // Another one may have signed meanwhile.
        if let Some(newest) = whole(&mut write).await? {
            return Ok(newest);
        }
        let checkpoint = sign(&mut write, &mut head, &signer, reason).await?.map_err(|record| {
            StoreError::Precondition(format!(
                "the key {} was revoked by record {record}: it signs nothing any more",
                signer.name()
            ))
        })?;
        save_head(&mut write, &head).await?;
        let done = self.noted(self.commit(write).await);
        self.naming_the_standby(done).await?;
        Ok(checkpoint)
    }

    /// The newest checkpoints that a key of the log signed, newest first, at most `limit`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn checkpoints(&self, limit: u32) -> Result<Vec<Checkpoint>, StoreError> {
        newest_signed(&mut *self.read().await?, usize::try_from(limit).unwrap_or(usize::MAX)).await
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
