//! Checkpoints: the signed state of the log.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use watchpost_model::audit::Checkpoint;

use crate::audit::append::{Head, append_locked, lock_head, save_head};
use crate::audit::leaf::Leaf;
use crate::audit::own_draft;
use crate::audit::sign::{Signer, VerifierKey};
use crate::engine::{Row, Tx, args};
use crate::error::StoreError;
use crate::store::{Entry, Store, Tag};

/// A key that the log knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogKey {
    /// Number of its `key.add` record.
    pub seq: i64,
    /// As a C2SP verifier key: `name+id+base64`.
    pub vkey: String,
    /// As PEM (RFC 8410), for openssl.
    pub pem: String,
}

/// First line of every checkpoint of the log.
pub(crate) fn origin(log_id: &str) -> String {
    format!("watchpost.local/audit/{log_id}")
}

/// The text that is signed.
pub(crate) fn note_text(log_id: &str, size: i64, root: &str) -> String {
    format!("{}\n{size}\n{root}\n", origin(log_id))
}

/// Signs the locked head, stores the note, and adds its `checkpoint.sign` leaf.
pub(crate) async fn sign(
    tx: &mut Tx,
    head: &mut Head,
    signer: &Signer,
    reason: &str,
) -> Result<Checkpoint, StoreError> {
    let size = head.next_seq()?;
    let root = STANDARD.encode(head.frontier.root());
    let note = signer.sign_note(&note_text(&head.log_id, size, &root));
    let checkpoint =
        Checkpoint { size, root: root.clone(), at: head.at, note, key_name: signer.name().to_owned() };
    tx.execute(
        "INSERT INTO audit_checkpoint (size, root, at, note, key_name, reason) VALUES ($1, $2, $3, $4, $5, $6)",
        args![size, root.as_str(), head.at, checkpoint.note.as_str(), signer.name(), reason],
    )
    .await?;
    let facts = vec![("key", json!(signer.vkey())), ("root", json!(root)), ("size", json!(size))];
    let entry = Entry { draft: own_draft("checkpoint.sign", reason, head.at), facts };
    append_locked(tx, head, entry).await?;
    head.checkpoint_size = head.next_seq()?;
    Ok(checkpoint)
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
        let checkpoint = sign(&mut write, &mut head, &signer, reason).await?;
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
    /// `Corrupt` if the log knows no key that signed it; what the database says.
    pub async fn audit_key_of(&self, checkpoint: &Checkpoint) -> Result<LogKey, StoreError> {
        let sql =
            "SELECT l.leaf FROM audit_record r JOIN audit_leaf l ON l.seq = r.seq WHERE r.action = 'key.add'";
        for row in self.read().await?.fetch(sql, args![]).await? {
            let Some(leaf) = Leaf::parse(&row.blob(0)?) else { continue };
            let vkey = leaf.client.facts.get("vkey").and_then(|text| text.as_str()).unwrap_or_default();
            if let Some(key) = VerifierKey::parse(vkey)
                && key.open(&checkpoint.note).is_some()
            {
                return Ok(LogKey { seq: leaf.seq, vkey: vkey.to_owned(), pem: key.pem() });
            }
        }
        Err(StoreError::Corrupt(format!(
            "no key of the log signed the checkpoint of {} records",
            checkpoint.size
        )))
    }

    /// The keys that the log knows, by name.
    pub(crate) async fn audit_keys(&self) -> Result<HashMap<String, VerifierKey>, StoreError> {
        let sql =
            "SELECT l.leaf FROM audit_record r JOIN audit_leaf l ON l.seq = r.seq WHERE r.action = 'key.add'";
        let mut keys = HashMap::new();
        for row in self.read().await?.fetch(sql, args![]).await? {
            let leaf = Leaf::parse(&row.blob(0)?);
            let vkey = leaf.as_ref().and_then(|leaf| leaf.client.facts.get("vkey")?.as_str());
            keys.extend(vkey.and_then(VerifierKey::parse).map(|key| (key.name().to_owned(), key)));
        }
        Ok(keys)
    }

    /// Adds the `key.add` record of a key that the trail does not know; tells whether it was new.
    pub(crate) async fn signer_register(&self, signer: &Signer) -> Result<bool, StoreError> {
        let vkey = signer.vkey();
        let mut write = self.write().await?;
        // The lock keeps two processes from adding the same key at once.
        write.execute("UPDATE revision SET n = n + 1 WHERE tag = $1", args![Tag::Audit.as_str()]).await?;
        let known = write
            .fetch(
                "SELECT l.leaf FROM audit_record r JOIN audit_leaf l ON l.seq = r.seq WHERE r.action = 'key.add'",
                args![],
            )
            .await?;
        for row in &known {
            let leaf = crate::audit::leaf::Leaf::parse(&row.blob(0)?);
            if leaf.is_some_and(|leaf| leaf.client.facts.get("vkey").is_some_and(|v| v == &json!(vkey))) {
                return Ok(false);
            }
        }
        let draft = own_draft("key.add", signer.name(), self.inner.clock.now());
        write.audit_with_facts(draft, vec![("vkey", json!(vkey))]);
        self.commit(write).await?;
        Ok(true)
    }
}
