//! One look at the database for many questions: what a report says of one figure fits what it says of every other one.

use chrono::{DateTime, Utc};
use watchpost_model::evidence::{EvidenceAnswer, EvidenceAsk};
use watchpost_model::period::Period;
use watchpost_model::register::Proof;
use watchpost_model::report::ControlComment;

use crate::engine::Tx;
use crate::error::StoreError;
use crate::figures::ReportCharts;
use crate::pulse::AuditHead;
use crate::store::Store;
use crate::{evidence, figures, pulse, register, report_schedule};

/// The database as of the first question. Holds a reading connection; what others write meanwhile is not seen.
pub struct Snapshot {
    tx: Tx,
}

impl Store {
    /// Begins one consistent look.
    ///
    /// # Errors
    /// What the database says.
    pub async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        Ok(Snapshot { tx: self.read().await? })
    }
}

impl Snapshot {
    /// As [`Store::audit_head`].
    ///
    /// # Errors
    /// What the database says.
    pub async fn audit_head(&mut self) -> Result<AuditHead, StoreError> {
        pulse::head(&mut self.tx).await
    }

    /// As [`Store::evidence`].
    ///
    /// # Errors
    /// `Validation` if a parameter is missing; what the database says.
    pub async fn evidence(
        &mut self,
        ask: &EvidenceAsk,
        period: Period,
        now: DateTime<Utc>,
        seed: &[u8; 32],
    ) -> Result<EvidenceAnswer, StoreError> {
        evidence::evidence(&mut self.tx, ask, period, now, seed).await
    }

    /// As [`Store::report_charts`].
    ///
    /// # Errors
    /// What the database says.
    pub async fn report_charts(
        &mut self,
        period: Period,
        now: DateTime<Utc>,
    ) -> Result<ReportCharts, StoreError> {
        figures::report_charts(&mut self.tx, period, now).await
    }

    /// As [`Store::proofs`].
    ///
    /// # Errors
    /// What the database says.
    pub async fn proofs(&mut self, framework: &str, until: DateTime<Utc>) -> Result<Vec<Proof>, StoreError> {
        register::proofs(&mut self.tx, framework, until).await
    }

    /// What people said about the controls of a framework up to `until`, oldest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn comments(
        &mut self,
        framework: &str,
        until: DateTime<Utc>,
    ) -> Result<Vec<ControlComment>, StoreError> {
        report_schedule::comments(&mut self.tx, framework, until).await
    }
}
