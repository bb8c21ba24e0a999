//! Produced reports: what was made, by whom, with the digests of its files, its content, and who approved it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use watchpost_model::audit::{AuditDraft, Change};
use watchpost_model::ids::ReportId;
use watchpost_model::report::{Approval, ReportRecord, ReportStatus};

use crate::audit::leaf::Leaf;
use crate::audit::sign::{VerifierKey, note_signer};
use crate::canonical::{sha256, to_canonical};
use crate::engine::{Row, args};
use crate::error::StoreError;
use crate::store::{Store, Tag, Write};

/// What a signed note turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoteCheck {
    /// Signed by a key of this console or of its audit trail, under this name.
    Holds(String),
    /// Signed under a name whose key is not here.
    OtherKey(String),
    /// The text or the signature was changed.
    Broken,
}

/// The name under which the audit trail keeps [`record_digest`].
pub const RECORD_DIGEST: &str = "record_sha256";

/// The name under which the audit trail keeps [`approval_digest`].
pub const APPROVAL_DIGEST: &str = "approval_sha256";

/// SHA-256 (hex) of what the record of a report says from its making on: everything but how far it is and who approved it.
/// The row can be changed by whoever has the database, the trail cannot.
///
/// # Errors
/// `Internal` if it has no canonical form.
pub fn record_digest(record: &ReportRecord) -> Result<String, StoreError> {
    let made = ReportRecord { status: ReportStatus::Draft, approval: None, ..record.clone() };
    Ok(hex::encode(sha256(to_canonical(&made)?.as_bytes())))
}

/// SHA-256 (hex) of all that an approval says: who, when, the words, the signature.
///
/// # Errors
/// `Internal` if it has no canonical form.
pub fn approval_digest(approval: &Approval) -> Result<String, StoreError> {
    Ok(hex::encode(sha256(to_canonical(approval)?.as_bytes())))
}

impl Store {
    /// Keeps the record of a report with its canonical JSON. A draft that it supersedes is marked at once; a final one stands
    /// until this one is approved.
    ///
    /// # Errors
    /// `Validation` if the content is not what the record's hash says; `NotFound` if the superseded one is not there;
    /// `Precondition` if that one is superseded already; what the database says.
    pub async fn report_add(
        &self,
        record: &ReportRecord,
        content: &str,
        mut draft: AuditDraft,
    ) -> Result<(), StoreError> {
        if hex::encode(sha256(content.as_bytes())) != record.content_sha256 {
            return Err(StoreError::Validation(
                "the content of the report is not what its hash says".to_owned(),
            ));
        }
        let mut write = self.write().await?;
        if let Some(id) = record.supersedes {
            let mut old = locked(&mut write, id).await?;
            if old.status == ReportStatus::Superseded {
                return Err(StoreError::Precondition(format!("report {id} is superseded already")));
            }
            if old.status == ReportStatus::Draft {
                old.status = ReportStatus::Superseded;
                put(&mut write, &old).await?;
            }
        }
        write
            .execute(
                "INSERT INTO report (id, framework, made_at, made_by, body) VALUES ($1, $2, $3, $4, $5)",
                args![
                    record.id.to_string(),
                    record.framework.as_str(),
                    record.made_at,
                    record.made_by.as_str(),
                    to_canonical(record)?
                ],
            )
            .await?;
        write
            .execute(
                "INSERT INTO report_content (report_id, sha256, body) VALUES ($1, $2, $3)",
                args![record.id.to_string(), record.content_sha256.as_str(), content],
            )
            .await?;
        draft.changes.push(Change::new(RECORD_DIGEST, Value::Null, record_digest(record)?));
        write.audit(draft);
        write.touch(Tag::Reports);
        self.commit(write).await.map(drop)
    }

    /// Makes a draft final.
    ///
    /// # Errors
    /// `NotFound`; `Precondition` if it is not a draft, or if the one who made it approves it; what the database says.
    pub async fn report_approve(
        &self,
        id: ReportId,
        approval: Approval,
        draft: AuditDraft,
    ) -> Result<ReportRecord, StoreError> {
        let mut write = self.write().await?;
        let mut record = locked(&mut write, id).await?;
        if record.status != ReportStatus::Draft {
            return Err(StoreError::Precondition(format!(
                "report {id} is {} and cannot change",
                record.status
            )));
        }
        if approval.by.trim().is_empty()
            || approval.by.trim().to_lowercase() == record.made_by.trim().to_lowercase()
        {
            return Err(StoreError::Precondition(
                "a report is approved by somebody who did not make it".to_owned(),
            ));
        }
        let mut draft = draft;
        draft.changes.push(Change::new("status", record.status.as_str(), ReportStatus::Final.as_str()));
        draft.changes.push(Change::new(
            "content_sha256",
            record.content_sha256.as_str(),
            record.content_sha256.as_str(),
        ));
        draft.changes.push(Change::new(APPROVAL_DIGEST, Value::Null, approval_digest(&approval)?));
        record.status = ReportStatus::Final;
        record.approval = Some(approval);
        if let Some(id) = record.supersedes {
            let mut old = locked(&mut write, id).await?;
            // Two drafts may stand against one final report; the first that is approved takes its place.
            if old.status == ReportStatus::Superseded && old.approval.is_some() {
                return Err(StoreError::Precondition(format!("report {id} is superseded already")));
            }
            old.status = ReportStatus::Superseded;
            put(&mut write, &old).await?;
        }
        put(&mut write, &record).await?;
        write.audit(draft);
        write.touch(Tag::Reports);
        self.commit(write).await?;
        Ok(record)
    }

    /// One report's record.
    ///
    /// # Errors
    /// `NotFound`; `Corrupt` if it cannot be read; what the database says.
    pub async fn report(&self, id: ReportId) -> Result<ReportRecord, StoreError> {
        let mut tx = self.read().await?;
        let row = tx.fetch_optional(format!("{SELECT} WHERE id = $1"), args![id.to_string()]).await?;
        record(&row.ok_or_else(|| StoreError::NotFound(format!("report {id}")))?)
    }

    /// The ids of all reports.
    ///
    /// # Errors
    /// What the database says.
    pub async fn report_ids(&self) -> Result<BTreeSet<String>, StoreError> {
        let mut tx = self.read().await?;
        let rows = tx.fetch("SELECT id FROM report", args![]).await?;
        Ok(rows.iter().filter_map(|row| row.text(0).ok()).collect())
    }

    /// The SHA-256 (hex) under which the content of each report is kept, by the ids of the reports.
    ///
    /// # Errors
    /// What the database says.
    pub async fn report_content_digests(&self) -> Result<BTreeMap<String, String>, StoreError> {
        let mut tx = self.read().await?;
        let rows = tx.fetch("SELECT report_id, sha256 FROM report_content", args![]).await?;
        Ok(rows.iter().filter_map(|row| Some((row.text(0).ok()?, row.text(1).ok()?))).collect())
    }

    /// The canonical JSON of a report.
    ///
    /// # Errors
    /// `NotFound` for none, or one made before contents were kept; `Corrupt` if it is not what its hash says.
    pub async fn report_content(&self, id: ReportId) -> Result<String, StoreError> {
        let mut tx = self.read().await?;
        let sql = "SELECT body, sha256 FROM report_content WHERE report_id = $1";
        let row = tx.fetch_optional(sql, args![id.to_string()]).await?;
        let row = row.ok_or_else(|| StoreError::NotFound(format!("the content of report {id}")))?;
        let (body, digest) = (row.text(0)?, row.text(1)?);
        if hex::encode(sha256(body.as_bytes())) != digest {
            return Err(StoreError::Corrupt(format!("the content of report {id} is not what its hash says")));
        }
        Ok(body)
    }

    /// The report that a file of this SHA-256 (hex) belongs to, if it is final or was until another one took its place.
    ///
    /// # Errors
    /// `Corrupt` if a record that names it cannot be read; what the database says.
    pub async fn approved_report_of_file(&self, sha256: &str) -> Result<Option<ReportRecord>, StoreError> {
        let mut tx = self.read().await?;
        // A hash has no character that a pattern reads as one.
        let rows = tx.fetch(format!("{SELECT} WHERE body LIKE $1"), args![format!("%{sha256}%")]).await?;
        let found: Vec<ReportRecord> = rows.iter().map(record).collect::<Result<_, _>>()?;
        let of_file = |report: &ReportRecord| {
            report.content_sha256 == sha256 || report.files.iter().any(|file| file.sha256 == sha256)
        };
        Ok(found.into_iter().find(|report| report.approval.is_some() && of_file(report)))
    }

    /// Does a key of this console, or one that the audit trail names, say that it signed `text`?
    ///
    /// # Errors
    /// What the database says.
    pub async fn note_check(&self, note: &str, text: &str) -> Result<NoteCheck, StoreError> {
        let name = note_signer(note);
        let keys = self.known_keys().await?;
        if keys.iter().any(|key| key.open(note) == Some(text)) {
            return Ok(NoteCheck::Holds(name.to_owned()));
        }
        let known = name.is_empty() || keys.iter().any(|key| key.name() == name);
        Ok(if known { NoteCheck::Broken } else { NoteCheck::OtherKey(name.to_owned()) })
    }

    /// The public key that signed `note`, as PEM; `None` if it is not known here.
    ///
    /// # Errors
    /// What the database says.
    pub async fn note_key(&self, note: &str) -> Result<Option<String>, StoreError> {
        let keys = self.known_keys().await?;
        Ok(keys.iter().find(|key| key.open(note).is_some()).map(VerifierKey::pem))
    }

    /// The key of this console, and those that the trail names.
    async fn known_keys(&self) -> Result<Vec<VerifierKey>, StoreError> {
        let mut tx = self.read().await?;
        let sql = "SELECT l.leaf FROM audit_record r JOIN audit_leaf l ON l.seq = r.seq WHERE r.action = $1";
        let rows = tx.fetch(sql, args!["key.add"]).await?;
        let mut keys: Vec<VerifierKey> =
            self.signer().and_then(|signer| VerifierKey::parse(&signer.vkey())).into_iter().collect();
        for row in &rows {
            let leaf = Leaf::parse(&row.blob(0)?);
            let vkey = leaf.as_ref().and_then(|leaf| leaf.client.facts.get("vkey")?.as_str());
            keys.extend(vkey.and_then(VerifierKey::parse));
        }
        Ok(keys)
    }

    /// Signs a text with the key of this console, as a C2SP signed note; `None` without a key that is kept.
    #[must_use]
    pub fn sign_note(&self, text: &str) -> Option<String> {
        // A key that is forgotten with this process proves nothing later.
        self.signer().filter(|signer| !signer.is_session()).map(|signer| signer.sign_note(text))
    }

    /// All reports, newest first, and the ids of those whose record cannot be read: it was changed behind the back of the
    /// program, and takes none of the others with it. They are few: people and schedules make them.
    ///
    /// # Errors
    /// What the database says.
    pub async fn reports(&self) -> Result<(Vec<ReportRecord>, Vec<String>), StoreError> {
        let mut tx = self.read().await?;
        let sql = format!("{SELECT} ORDER BY made_at DESC, id DESC");
        let (mut reports, mut unreadable) = (Vec::new(), Vec::new());
        for row in tx.fetch(sql, args![]).await? {
            match record(&row) {
                Ok(report) => reports.push(report),
                Err(_) => unreadable.push(id_of(&row)),
            }
        }
        Ok((reports, unreadable))
    }
}

async fn locked(write: &mut Write, id: ReportId) -> Result<ReportRecord, StoreError> {
    let lock = write.dialect().for_update();
    let sql = format!("{SELECT} WHERE id = $1{lock}");
    let row = write.fetch_optional(sql, args![id.to_string()]).await?;
    record(&row.ok_or_else(|| StoreError::NotFound(format!("report {id}")))?)
}

const SELECT: &str = "SELECT id, framework, made_at, made_by, body FROM report";

/// The record of a row. Its columns say what the record says, or somebody changed one of them; whoever asks for a report
/// by its id gets that one and no other.
fn record(row: &Row) -> Result<ReportRecord, StoreError> {
    let read = || -> Result<Option<ReportRecord>, StoreError> {
        let record: ReportRecord = row.json(4)?;
        let same = row.text(0)? == record.id.to_string()
            && row.text(1)? == record.framework
            && row.i64(2)? == record.made_at.timestamp_micros()
            && row.text(3)? == record.made_by;
        Ok(same.then_some(record))
    };
    read().ok().flatten().ok_or_else(|| {
        let id = id_of(row);
        StoreError::Corrupt(format!(
            "the record of report {id} cannot be read: it was changed behind the back of Watchpost"
        ))
    })
}

fn id_of(row: &Row) -> String {
    row.text(0).unwrap_or_else(|_| "without an id".to_owned())
}

async fn put(write: &mut Write, record: &ReportRecord) -> Result<(), StoreError> {
    write
        .execute(
            "UPDATE report SET body = $1 WHERE id = $2",
            args![to_canonical(record)?, record.id.to_string()],
        )
        .await
        .map(drop)
}
