//! Produced reports: what was made, by whom, with the digests of its files.

use watchpost_model::audit::AuditDraft;
use watchpost_model::report::ReportRecord;

use crate::canonical::to_canonical;
use crate::engine::args;
use crate::error::StoreError;
use crate::store::{Store, Tag};

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
