//! Where the walk of a job is, so that a run that was interrupted goes on where it was.
//!
//! A position is written in the transaction of the batch that follows it: then everything before it is done, and a kill
//! costs at most that one batch, whose effects may be repeated.

use chrono::{DateTime, Utc};
use watchpost_model::job::{JobKind, JobPosition};

use crate::canonical::to_canonical;
use crate::engine::{Sql, args};
use crate::error::StoreError;
use crate::store::{Store, Write};

/// Writes a position as part of a transaction.
pub(crate) async fn put(
    write: &mut Write,
    position: &JobPosition,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let mut sql =
        Sql::new("INSERT INTO job_position (job_id, kind, parameters, node, updated_at, body) VALUES ");
    sql.tuple(args![
        position.job.to_string(),
        position.kind.as_str(),
        position.parameters.as_str(),
        position.node.as_str(),
        now,
        to_canonical(position)?,
    ]);
    sql.push(" ON CONFLICT (job_id) DO UPDATE SET updated_at = excluded.updated_at, body = excluded.body");
    write.execute_sql(sql).await.map(drop)
}

impl Store {
    /// Keeps the position of a job by itself, when it stops before the end.
    ///
    /// # Errors
    /// What the database says.
    pub async fn job_position_put(&self, position: &JobPosition) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        put(&mut write, position, self.inner.clock.now()).await?;
        self.commit(write).await.map(drop)
    }

    /// Where the newest run of this kind that did the same on the same node was interrupted, if that was not before
    /// `since`. Runs that are at work are not looked at.
    ///
    /// # Errors
    /// What the database says.
    pub async fn job_position(
        &self,
        kind: JobKind,
        parameters: &str,
        node: &str,
        since: DateTime<Utc>,
    ) -> Result<Option<JobPosition>, StoreError> {
        let mut tx = self.read().await?;
        let row = tx
            .fetch_optional(
                "SELECT p.body FROM job_position p WHERE p.kind = $1 AND p.parameters = $2 AND p.node = $3 \
                 AND p.updated_at >= $4 AND NOT EXISTS (SELECT 1 FROM job_run r WHERE r.id = p.job_id AND r.state = \
                 'running') ORDER BY p.updated_at DESC, p.job_id DESC LIMIT 1",
                args![kind.as_str(), parameters, node, since],
            )
            .await?;
        row.map(|row| row.json(0)).transpose()
    }

    /// Forgets the positions of this kind and parameters on a node: a run has come to its end.
    ///
    /// # Errors
    /// What the database says.
    pub async fn job_positions_clear(
        &self,
        kind: JobKind,
        parameters: &str,
        node: &str,
    ) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        let forget = "DELETE FROM job_position WHERE kind = $1 AND parameters = $2 AND node = $3";
        write.execute(forget, args![kind.as_str(), parameters, node]).await?;
        self.commit(write).await.map(drop)
    }

    /// Forgets the positions of this kind with other parameters on a node.
    ///
    /// # Errors
    /// What the database says.
    pub async fn job_positions_clear_others(
        &self,
        kind: JobKind,
        parameters: &str,
        node: &str,
    ) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        let forget = "DELETE FROM job_position WHERE kind = $1 AND parameters <> $2 AND node = $3";
        write.execute(forget, args![kind.as_str(), parameters, node]).await?;
        self.commit(write).await.map(drop)
    }
}
