//! What an export tells of each record: the leaf, and what it commits to, so that a stranger can check both.
//!
//! The key of an actor opens everything that the actor ever did, and is destroyed when the actor is erased; so it is
//! never exported. What is exported opens one record: the first step of XChaCha20 makes a key of its own for each
//! nonce, and from that one neither the actor's key nor that of another record follows.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use watchpost_model::audit::Checkpoint;

use crate::audit::append::log_id_if_any;
use crate::audit::checkpoint::origin;
use crate::audit::leaf::Leaf;
use crate::audit::page::{COLUMNS, stored_payload};
use crate::audit::sign::VerifierKey;
use crate::engine::{Row, args};
use crate::error::StoreError;
use crate::store::Store;

/// One record, as it is exported.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportedRecord {
    /// Its number.
    pub seq: i64,
    /// The leaf: canonical JSON.
    pub leaf: String,
    /// What is sealed; absent if it was erased.
    pub sealed: Option<ExportedPayload>,
}

/// A sealed payload and what opens it.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportedPayload {
    /// Nonce of XChaCha20-Poly1305, 24 bytes, hex.
    pub nonce: String,
    /// Ciphertext with its tag, base64.
    pub ciphertext: String,
    /// The ChaCha20 key of this record, hex, and the canonical JSON that it opens; absent if the actor was erased.
    pub opened: Option<(String, String)>,
    /// Its key is there and does not open it: its writer sealed nothing that can be read, or somebody altered it.
    pub closed: bool,
}

impl ExportedRecord {
    /// A record in one line of canonical JSON: names in their order, no white space.
    #[must_use]
    pub fn to_line(&self) -> String {
        let seq = self.seq;
        let Some(sealed) = &self.sealed else {
            return format!(r#"{{"key":null,"nonce":null,"payload":null,"sealed":null,"seq":{seq}}}"#);
        };
        let (nonce, ciphertext) = (&sealed.nonce, &sealed.ciphertext);
        match &sealed.opened {
            Some((key, payload)) => format!(
                r#"{{"key":"{key}","nonce":"{nonce}","payload":{payload},"sealed":"{ciphertext}","seq":{seq}}}"#
            ),
            None => {
                format!(
                    r#"{{"key":null,"nonce":"{nonce}","payload":null,"sealed":"{ciphertext}","seq":{seq}}}"#
                )
            }
        }
    }
}

/// The file of an export that says what it is meant to show: a signed note.
pub(crate) const MEANT: &str = "export.note";

/// What it says: of which state of the log it is, its records (the first, and one behind the last), and how many leaves.
pub(crate) fn meant_text(log: &str, size: u64, root: &str, records: (i64, i64), leaves: u64) -> String {
    let (first, end) = records;
    format!("{}/export\n{size}\n{root}\n{first} {end}\n{leaves}\n", origin(log))
}

impl Store {
    /// Is the key of this console the one that signed a checkpoint? `None` if it has none.
    #[must_use]
    pub fn audit_signed(&self, checkpoint: &Checkpoint) -> Option<bool> {
        let key = VerifierKey::parse(&self.signer()?.vkey());
        Some(key.is_some_and(|key| key.open(&checkpoint.note).is_some()))
    }

    /// What an export of `checkpoint` is meant to show, signed with the key that signed that one; `None` if this console does
    /// not have it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn audit_export_note(
        &self,
        checkpoint: &Checkpoint,
        records: (i64, i64),
        leaves: u64,
    ) -> Result<Option<String>, StoreError> {
        let Some(signer) = self.signer().filter(|_| self.audit_signed(checkpoint) == Some(true)) else {
            return Ok(None);
        };
        let log = log_id_if_any(&mut *self.read().await?).await?.unwrap_or_default();
        let text = meant_text(&log, checkpoint.size.unsigned_abs(), &checkpoint.root, records, leaves);
        Ok(Some(signer.sign_note(&text)))
    }

    /// Records `from..to` for an export, oldest first; the caller asks for few at a time.
    ///
    /// # Errors
    /// `Corrupt` if one of them is missing or cannot be read; what the database says.
    pub async fn audit_export_page(&self, from: i64, to: i64) -> Result<Vec<ExportedRecord>, StoreError> {
        let sql = format!("{COLUMNS} WHERE l.seq >= $1 AND l.seq < $2 ORDER BY l.seq");
        let rows = self.read().await?.fetch(sql, args![from, to]).await?;
        let records: Vec<ExportedRecord> = rows.iter().map(exported).collect::<Result<_, _>>()?;
        let is_whole = records.iter().map(|record| record.seq).eq(from..to);
        if is_whole { Ok(records) } else { Err(gap(from, to)) }
    }

    /// Hashes of the leaves `from..to`.
    ///
    /// # Errors
    /// `Corrupt` if one is missing; what the database says.
    pub async fn audit_export_hashes(&self, from: i64, to: i64) -> Result<Vec<[u8; 32]>, StoreError> {
        let sql = "SELECT seq, hash FROM audit_leaf WHERE seq >= $1 AND seq < $2 ORDER BY seq";
        let rows = self.read().await?.fetch(sql, args![from, to]).await?;
        let seqs: Vec<i64> = rows.iter().map(|row| row.i64(0)).collect::<Result<_, _>>()?;
        if !seqs.into_iter().eq(from..to) {
            return Err(gap(from, to));
        }
        rows.iter().map(|row| row.blob(1)?.try_into().map_err(|_| gap(from, to))).collect()
    }

    /// Numbers of the records that were written in `[from, to)` (microseconds): first and one behind the last, among
    /// the first `size`. Records are in the order of their time as long as no clock steps back; those in between belong
    /// to the period.
    ///
    /// # Errors
    /// What the database says.
    pub async fn audit_range(
        &self,
        from: Option<i64>,
        to: Option<i64>,
        size: i64,
    ) -> Result<(i64, i64), StoreError> {
        let sql = "SELECT MIN(seq), MAX(seq) FROM audit_record WHERE at >= $1 AND at < $2 AND seq < $3";
        let bounds = args![from.unwrap_or(i64::MIN), to.unwrap_or(i64::MAX), size];
        let row = self.read().await?.fetch_one(sql, bounds).await?;
        if from.is_none() && to.is_none() {
            return Ok((0, size));
        }
        let (first, last) = (row.opt_i64(0)?, row.opt_i64(1)?);
        Ok(first.zip(last).map_or((0, 0), |(first, last)| (first, last + 1)))
    }

    /// Numbers of the records that add and revoke keys, and of those that say what was erased or set apart, among the first
    /// `size`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn audit_aside_records(&self, size: i64) -> Result<Vec<i64>, StoreError> {
        let sql = "SELECT seq FROM audit_record \
                   WHERE action IN ('key.add', 'key.revoke', 'erasure.done', 'audit_set_apart') AND seq < $1 ORDER BY seq";
        let rows = self.read().await?.fetch(sql, args![size]).await?;
        rows.iter().map(|row| row.i64(0)).collect()
    }
}

fn gap(from: i64, to: i64) -> StoreError {
    StoreError::Corrupt(format!(
        "not every record of {from}..{to} of the audit log is there: verify the trail"
    ))
}

fn exported(row: &Row) -> Result<ExportedRecord, StoreError> {
    let seq = row.i64(0)?;
    let bytes = row.blob(1)?;
    let broken =
        || StoreError::Corrupt(format!("leaf {seq} of the audit log cannot be read: verify the trail"));
    Leaf::parse(&bytes).ok_or_else(broken)?;
    let leaf = String::from_utf8(bytes).map_err(|_| broken())?;
    let sealed = match stored_payload(row)? {
        None => None,
        Some(stored) => {
            let opened = stored.key.as_ref().and_then(|key| {
                let plain = key.open_bytes(&stored.sealed)?;
                Some((hex::encode(key.of_one(&stored.sealed)?), String::from_utf8(plain.to_vec()).ok()?))
            });
            let closed = stored.key.is_some() && opened.is_none();
            Some(ExportedPayload {
                nonce: hex::encode(stored.sealed.nonce),
                ciphertext: STANDARD.encode(stored.sealed.ciphertext),
                opened,
                closed,
            })
        }
    };
    Ok(ExportedRecord { seq, leaf, sealed })
}
