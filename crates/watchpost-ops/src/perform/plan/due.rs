//! When a job of the plan is to run, by its rhythm and its runs.

use chrono::{DateTime, Utc};
use watchpost_model::job::{JobRun, JobState};
use watchpost_model::period::Period;
use watchpost_model::plan::{Plan, PlannedJob};

/// Since when a job is to have run and has not.
pub(super) fn wanted_since(
    plan: &Plan,
    job: &PlannedJob,
    last: Option<&JobRun>,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let hours = plan.newest(job.rhythm, now).filter(|_| job.on)?;
    // Switched on in the middle of its hours it runs in them.
    if job.since.is_none_or(|since| hours.to <= since) {
        return None;
    }
    let went = last.filter(|run| run.started_at >= hours.from);
    match went.map(|run| run.state) {
        Some(JobState::Running | JobState::Done) => None,
        Some(JobState::Cancelled | JobState::Failed) | None => Some(hours.from),
    }
}

/// Since when a job that is wanted is missed: its first hours after those of the newest `good` run, if they are over. While
/// they last it may still run in them.
pub(super) fn missed_since(
    plan: &Plan,
    job: &PlannedJob,
    good: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let since = job.since?;
    let first = match good.filter(|good| *good >= since) {
        Some(good) => plan.next(job.rhythm, good),
        // Switched on in the middle of its hours it was to run in them.
        None => {
            let of_then = plan.newest(job.rhythm, since).filter(|hours| hours.to > since);
            of_then.or_else(|| plan.next(job.rhythm, since))
        }
    };
    first.filter(|hours| hours.to <= now).map(|hours| hours.from)
}

/// Is it to be started now? What failed or was stopped in these very hours waits for the next ones.
pub(super) fn is_due(
    plan: &Plan,
    job: &PlannedJob,
    last: Option<&JobRun>,
    open: Period,
    now: DateTime<Utc>,
) -> bool {
    wanted_since(plan, job, last, now).is_some() && last.is_none_or(|run| run.started_at < open.from)
}
