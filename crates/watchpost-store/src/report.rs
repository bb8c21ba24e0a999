//! Produced reports: what was made, by whom, with the digests of its files.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use watchpost_model::audit::AuditDraft;
use watchpost_model::ids::ReportId;
use watchpost_model::period::Period;

use crate::canonical::to_canonical;
use crate::engine::args;
use crate::error::StoreError;
use crate::store::{Store, Tag};

/// One file of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportFile {
    /// `pdf`, `csv`, `json`, `md`.
    pub format: String,
    /// Where it was written.
    pub path: String,
    /// SHA-256 of its bytes, hex.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
}

/// A produced report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportRecord {
    /// Identity.
    pub id: ReportId,
    /// The framework's name: `pci-dss-4.0.1`.
    pub framework: String,
    /// About which period.
    pub period: Period,
    /// Its files.
    pub files: Vec<ReportFile>,
    /// Who made it.
    pub made_by: String,
    /// When.
    pub made_at: DateTime<Utc>,
}

impl Store {
    /// Keeps the record of a report.
    ///
    /// # Errors
    /// What the database says.
    pub async fn report_add(&self, record: &ReportRecord, draft: AuditDraft) -> Result<(), StoreError> {
        let mut write = self.write().await?;
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
        write.audit(draft);
        write.touch(Tag::Reports);
        self.commit(write).await.map(drop)
    }

    /// The newest reports, newest first, at most `limit`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn reports(&self, limit: u32) -> Result<Vec<ReportRecord>, StoreError> {
        let mut tx = self.read().await?;
        let rows = tx
            .fetch("SELECT body FROM report ORDER BY made_at DESC, id DESC LIMIT $1", args![i64::from(limit)])
            .await?;
        rows.iter().map(|row| row.json(0)).collect()
    }
}
