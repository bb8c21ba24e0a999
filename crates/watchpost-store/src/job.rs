//! Runs of jobs, and what became of runs whose process died.

use chrono::Duration;
use watchpost_model::audit::AuditDraft;
use watchpost_model::job::{JobKind, JobPosition, JobRun, JobState};

use crate::canonical::to_canonical;
use crate::engine::{Sql, args};
use crate::error::StoreError;
use crate::store::{Store, Tag, Write};

/// A process of another machine is given up when it did not say anything about its run for this long.
pub(crate) const SILENCE: Duration = Duration::minutes(10);

/// This process, so that it cannot be confused with another one: boot of the machine, process id, start of the process.
pub(crate) fn this_process() -> String {
    let pid = std::process::id();
    format!("{}:{pid}:{}", boot_id(), process_start(pid).unwrap_or_default())
}

fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map_or_else(|_| "-".to_owned(), |id| id.trim().to_owned())
}

/// Start time of a process in ticks since boot (field 22 of `/proc/PID/stat`); `None` if there is no such process.
fn process_start(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in parentheses and may hold anything.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(19).map(str::to_owned)
}

/// Whether the process of a run is alive; `None` if it ran on another machine or before this one was started.
pub(crate) fn is_alive(owner: &str) -> Option<bool> {
    let (boot, rest) = owner.split_once(':')?;
    let (pid, start) = rest.split_once(':')?;
    if boot == "-" || boot != boot_id() {
        return None;
    }
    Some(process_start(pid.parse().ok()?).is_some_and(|now| now == start))
}

impl Store {
    /// Keeps the state of a run, new or not; this process owns it as long as it runs.
    ///
    /// # Errors
    /// What the database says.
    pub async fn job_run_put(&self, run: &JobRun, draft: Option<AuditDraft>) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        self.put_run(&mut write, run).await?;
        if let Some(draft) = draft {
            write.audit(draft);
        }
        self.commit(write).await.map(drop)
    }

    /// The row of a run, within a transaction.
    pub(crate) async fn put_run(&self, write: &mut Write, run: &JobRun) -> Result<(), StoreError> {
        let mut sql = Sql::new(
            "INSERT INTO job_run (id, kind, state, started_at, ended_at, owner, seen_at, body) VALUES ",
        );
        sql.tuple(args![
            run.id.to_string(),
            run.kind.as_str(),
            run.state.as_str(),
            run.started_at,
            run.ended_at,
            self.inner.owner.as_str(),
            self.inner.clock.now(),
            to_canonical(run)?,
        ]);
        sql.push(
            " ON CONFLICT (id) DO UPDATE SET state = excluded.state, ended_at = excluded.ended_at, \
             owner = excluded.owner, seen_at = excluded.seen_at, body = excluded.body",
        );
        write.execute_sql(sql).await?;
        write.touch(Tag::Jobs);
        Ok(())
    }

    /// The newest runs, newest first, at most `limit`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn job_runs(&self, limit: u32) -> Result<Vec<JobRun>, StoreError> {
        let mut tx = self.read().await?;
        let rows = tx
            .fetch(
                "SELECT body FROM job_run ORDER BY started_at DESC, id DESC LIMIT $1",
                args![i64::from(limit)],
            )
            .await?;
        rows.iter().map(|row| row.json(0)).collect()
    }

    /// The newest runs of a kind, newest first, at most `limit`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn job_runs_of(&self, kind: JobKind, limit: u32) -> Result<Vec<JobRun>, StoreError> {
        let mut tx = self.read().await?;
        let sql = "SELECT body FROM job_run WHERE kind = $1 ORDER BY started_at DESC, id DESC LIMIT $2";
        let rows = tx.fetch(sql, args![kind.as_str(), i64::from(limit)]).await?;
        rows.iter().map(|row| row.json(0)).collect()
    }

    /// Marks runs as failed whose process is gone: on this machine at once, on another one after ten minutes of silence.
    /// Returns how many. Called when the store is opened; a long-running engine may call it from time to time.
    ///
    /// # Errors
    /// What the database says.
    pub async fn jobs_fail_orphans(&self) -> Result<u64, StoreError> {
        let now = self.inner.clock.now();
        // Who may only look has none of its own, and may not lock those of others.
        let running = "SELECT 1 FROM job_run WHERE state = 'running' LIMIT 1";
        if self.read().await?.fetch_optional(running, args![]).await?.is_none() {
            return Ok(0);
        }
        let mut write = self.write().await?;
        let lock = write.dialect().for_update();
        let rows = write
            .fetch(format!("SELECT body, owner, seen_at FROM job_run WHERE state = 'running'{lock}"), args![])
            .await;
        let rows = match rows {
            Err(StoreError::Denied(_)) => return Ok(0),
            rows => rows?,
        };
        let mut failed = 0;
        for row in rows {
            let silent = now - row.time(2)? > SILENCE;
            if is_alive(&row.text(1)?).map_or(silent, |alive| !alive) {
                let mut run: JobRun = row.json(0)?;
                // Written more often than the run itself.
                let kept = "SELECT body FROM job_position WHERE job_id = $1";
                if let Some(row) = write.fetch_optional(kept, args![run.id.to_string()]).await?
                    && let Some(progress) = row.json::<JobPosition>(0).ok().and_then(|kept| kept.progress)
                    && progress.done >= run.progress.done
                {
                    run.progress = progress;
                }
                let ended = JobRun {
                    state: JobState::Failed,
                    ended_at: Some(now),
                    error: Some("the process that ran it ended before it was done".to_owned()),
                    ..run
                };
                write
                    .execute(
                        "UPDATE job_run SET state = $1, ended_at = $2, body = $3 WHERE id = $4",
                        args![ended.state.as_str(), now, to_canonical(&ended)?, ended.id.to_string()],
                    )
                    .await?;
                failed += 1;
            }
        }
        if failed > 0 {
            write.touch(Tag::Jobs);
            self.commit(write).await?;
        }
        Ok(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::{is_alive, this_process};

    #[test]
    fn tells_living_from_dead() {
        let own = this_process();
        assert_eq!(is_alive(&own), Some(true));
        let (boot, _) = own.split_once(':').unwrap();
        assert_eq!(is_alive(&format!("{boot}:999999999:1")), Some(false), "no such process");
        assert_eq!(
            is_alive(&format!("{boot}:{}:1", std::process::id())),
            Some(false),
            "the id was used again"
        );
        assert_eq!(is_alive("another-boot:1:1"), None);
    }
}
