//! Of several consoles on one database one runs a job of a kind: the record that it runs is the lease.
//!
//! Who may run jobs may write that record; a lease of its own would need a right that people's logins do not have.

use chrono::{DateTime, Utc};
use watchpost_model::audit::AuditDraft;
use watchpost_model::job::{JobKind, JobRun};

use crate::canonical::to_canonical;
use crate::engine::{Dialect, Row, args};
use crate::error::StoreError;
use crate::job::{SILENCE, is_alive};
use crate::store::Store;

/// Jobs that say that they run, the oldest first.
const RUNNING: &str =
    "SELECT body, owner, seen_at FROM job_run WHERE state = 'running' ORDER BY started_at, id";

impl Store {
    /// Keeps the record of a run that begins, unless one of `kinds` runs in another process that is alive.
    ///
    /// # Errors
    /// `Precondition` with who runs what since when; what the database says.
    pub async fn job_run_begin(
        &self,
        run: &JobRun,
        kinds: &[JobKind],
        draft: AuditDraft,
    ) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        if !kinds.is_empty() {
            // SQLite has one writer at a time.
            if write.dialect() == Dialect::Postgres {
                write.execute("LOCK TABLE job_run IN SHARE ROW EXCLUSIVE MODE", args![]).await?;
            }
            let now = self.inner.clock.now();
            for row in write.fetch(RUNNING, args![]).await? {
                if let Some(other) = self.elsewhere(&row, now)?.filter(|other| kinds.contains(&other.kind)) {
                    return Err(StoreError::Precondition(format!(
                        "a {} job runs already, in another console: started by {} at {} (job {})",
                        other.kind,
                        other.started_by,
                        other.started_at.format("%Y-%m-%d %H:%M:%SZ"),
                        other.id
                    )));
                }
            }
        }
        self.put_run(&mut write, run).await?;
        write.audit(draft);
        self.commit(write).await.map(drop)
    }

    /// The oldest job that runs in another process that is alive; what this process runs it knows by itself.
    ///
    /// # Errors
    /// What the database says.
    pub async fn job_running_elsewhere(&self) -> Result<Option<JobRun>, StoreError> {
        let now = self.inner.clock.now();
        let mut tx = self.read().await?;
        for row in tx.fetch(RUNNING, args![]).await? {
            if let Some(run) = self.elsewhere(&row, now)? {
                return Ok(Some(run));
            }
        }
        Ok(None)
    }

    /// The run of a row of [`RUNNING`], if another process that is alive has it.
    fn elsewhere(&self, row: &Row, now: DateTime<Utc>) -> Result<Option<JobRun>, StoreError> {
        let (run, owner): (JobRun, String) = (row.json(0)?, row.text(1)?);
        // A record of this process that it could not close is no run.
        let is_running =
            owner != self.inner.owner && is_alive(&owner).unwrap_or(now - row.time(2)? <= SILENCE);
        Ok(is_running.then_some(run))
    }

    /// Says that this process still runs a job, and how far it is: another machine takes ten minutes of silence for its end.
    ///
    /// # Errors
    /// What the database says.
    pub async fn job_run_seen(&self, run: &JobRun) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        let now = self.inner.clock.now();
        write
            .execute(
                "UPDATE job_run SET seen_at = $1, body = $2 WHERE id = $3 AND state = 'running'",
                args![now, to_canonical(run)?, run.id.to_string()],
            )
            .await?;
        self.commit(write).await.map(drop)
    }
}
