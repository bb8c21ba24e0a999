//! Jobs: long operations with progress, cancellation and a record of the run.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use watchpost_model::audit::{AuditOutcome, Change, JOB_ENDED};
use watchpost_model::ids::JobId;
use watchpost_model::job::{JobKind, JobProgress, JobReport, JobRun, JobState};
use watchpost_redis::{RedisError, stop};

use crate::console::Workspace;
use crate::contract::Tag;
use crate::door::Context;
use crate::error::{ErrorCode, OpError};

/// How often a job says to other consoles that it still runs, and how far it is.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// The step of a job that was cancelled and has not ended yet.
const STOPPING: &str = "stopping";
/// The same, once it takes longer than a Redis is waited for.
const WRITING: &str = "stopping: what is being written to the audit database or a file is waited for";
/// When that is: a Redis that does not answer is given up before.
const WRITING_AFTER: Duration = Duration::from_millis(1_500);
/// What an error of a single change says of it; and what it may say where a job changed something before.
const NOT_CHANGED: [&str; 2] = ["nothing was changed", "nothing was written"];
const STAYS_DONE: &str = "what was done before stays done";

/// Kinds of which only one job runs at a time on a database, whichever console started it: they change the same things.
const fn alone_with(kind: JobKind) -> &'static [JobKind] {
    match kind {
        // The clean-up begins with retention.
        JobKind::Retention | JobKind::Cleanup => &[JobKind::Retention, JobKind::Cleanup],
        JobKind::Optimize => &[JobKind::Optimize],
        JobKind::Restore => &[JobKind::Restore],
        JobKind::Benchmark => &[JobKind::Benchmark],
        JobKind::Import
        | JobKind::Simulate
        | JobKind::Export
        | JobKind::Backup
        | JobKind::Aggregate
        | JobKind::DatabaseBackup
        | JobKind::DatabaseRehearsal => &[],
    }
}

/// The running jobs of a workspace, and those that ended lately.
pub(crate) struct Jobs {
    running: Arc<Mutex<BTreeMap<JobId, Held>>>,
    tasks: Mutex<JoinSet<()>>,
}

struct Held {
    run: JobRun,
    cancel: CancellationToken,
    /// Told instead of its step, from when it was cancelled until it has ended.
    stopping: Option<&'static str>,
}

impl Held {
    /// The run as it is told.
    fn told(&self) -> JobRun {
        let mut run = self.run.clone();
        if let Some(step) = self.stopping.filter(|_| run.ended_at.is_none()) {
            step.clone_into(&mut run.progress.step);
        }
        run
    }
}

/// What a job uses to tell how far it is and to learn that it should stop.
#[derive(Clone)]
pub(crate) struct Ticket {
    id: JobId,
    running: Arc<Mutex<BTreeMap<JobId, Held>>>,
    /// Cancelled by a person, or when the workspace closes.
    pub(crate) cancel: CancellationToken,
}

impl Ticket {
    /// Tells how far the job is.
    pub(crate) fn progress(&self, progress: JobProgress) {
        if let Some(held) = lock(&self.running).get_mut(&self.id) {
            held.run.progress = progress;
        }
    }

    /// Tells what the job is doing, and that it is as far as before.
    pub(crate) fn step(&self, step: String) {
        if let Some(held) = lock(&self.running).get_mut(&self.id) {
            held.run.progress.step = step;
        }
    }

    /// Tells of a job that was cancelled what it waits for.
    fn stopping(&self, step: &'static str) {
        if let Some(held) = lock(&self.running).get_mut(&self.id) {
            held.stopping = Some(step);
        }
    }

    /// The run as it stands.
    pub(crate) fn run(&self) -> Option<JobRun> {
        lock(&self.running).get(&self.id).map(|held| held.run.clone())
    }

    /// What `asked` says; `None` where it is still silent after the job was cancelled: nobody waits for a server that does
    /// not answer.
    pub(crate) fn soon<T>(&self, asked: impl Future<Output = T>) -> impl Future<Output = Option<T>> {
        stop::unless_stopped(&self.cancel, stop::AT_ONCE, asked)
    }

    /// The same of what writes, which has a second more.
    pub(crate) fn written<T>(
        &self,
        asked: impl Future<Output = Result<T, RedisError>>,
    ) -> impl Future<Output = Result<T, RedisError>> {
        let told = stop::unless_stopped(&self.cancel, stop::WRITTEN, asked);
        async move { told.await.unwrap_or(Err(RedisError::Cancelled)) }
    }

    /// An error if the job should stop.
    pub(crate) fn check(&self) -> Result<(), OpError> {
        if self.cancel.is_cancelled() {
            return Err(OpError::new(ErrorCode::Cancelled, "the job was cancelled"));
        }
        Ok(())
    }
}

fn lock(running: &Mutex<BTreeMap<JobId, Held>>) -> MutexGuard<'_, BTreeMap<JobId, Held>> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How a job ends: what it did so far, and the error if there was one.
pub(crate) struct Ended {
    pub(crate) report: JobReport,
    pub(crate) error: Option<OpError>,
}

impl From<Result<JobReport, OpError>> for Ended {
    fn from(result: Result<JobReport, OpError>) -> Self {
        match result {
            Ok(report) => Self { report, error: None },
            Err(error) => Self { report: JobReport::default(), error: Some(error) },
        }
    }
}

impl Jobs {
    pub(crate) fn new() -> Self {
        Self { running: Arc::default(), tasks: Mutex::new(JoinSet::new()) }
    }

    /// Starts a job: writes the record that it began, then works in the background. Of each kind one runs at a time, and of
    /// those that change Redis one on this database ([`alone_with`]).
    ///
    /// # Errors
    /// `Precondition` when one of the kind runs; whatever the store says when the record cannot be written: the job
    /// does not start then.
    pub(crate) async fn start<F, Fut>(
        &self,
        cx: &Context,
        workspace: &Arc<Workspace>,
        kind: JobKind,
        parameters: String,
        work: F,
    ) -> Result<JobRun, OpError>
    where
        F: FnOnce(Ticket) -> Fut,
        Fut: Future<Output = Ended> + Send + 'static,
    {
        let now = workspace.now();
        let run = JobRun {
            id: JobId::at(now),
            kind,
            state: JobState::Running,
            parameters: parameters.clone(),
            started_by: cx.caller.name.clone(),
            started_at: now,
            ended_at: None,
            progress: JobProgress {
                done: 0,
                total: None,
                unit: if kind.is_of_database() { "records" } else { "keys" }.to_owned(),
                step: "starting".to_owned(),
            },
            report: None,
            error: None,
        };
        let cancel = CancellationToken::new();
        let is_alike = |other: JobKind| other == kind || alone_with(kind).contains(&other);
        {
            let mut running = lock(&self.running);
            if let Some(held) =
                running.values().find(|held| is_alike(held.run.kind) && held.run.ended_at.is_none())
            {
                return Err(OpError::precondition(format!(
                    "a {} job runs already, started by {}",
                    held.run.kind, held.run.started_by
                ))
                .hint("wait for it or cancel it"));
            }
            running.retain(|_, held| held.run.ended_at.is_none());
            running.insert(run.id, Held { run: run.clone(), cancel: cancel.clone(), stopping: None });
        }
        let mut changes = node(workspace, kind);
        changes.push(Change::new("parameters", Value::Null, parameters));
        let begun = cx.record_as(AuditOutcome::Started, format!("job/{}", run.id), changes, None);
        if let Err(problem) = workspace.store().job_run_begin(&run, alone_with(kind), begun).await {
            lock(&self.running).remove(&run.id);
            return Err(problem.into());
        }
        let ticket = Ticket { id: run.id, running: self.running.clone(), cancel };
        let ended = work(ticket.clone());
        let task = finish(cx.clone(), workspace.clone(), ticket, ended);
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).spawn(task);
        Ok(run)
    }

    /// A job that runs or ended lately in this process.
    pub(crate) fn get(&self, id: JobId) -> Option<JobRun> {
        lock(&self.running).get(&id).map(Held::told)
    }

    /// All of them, newest first.
    pub(crate) fn all(&self) -> Vec<JobRun> {
        lock(&self.running).values().rev().map(Held::told).collect()
    }

    /// Asks a job to stop.
    pub(crate) fn cancel(&self, id: JobId) -> Option<JobRun> {
        let running = lock(&self.running);
        let held = running.get(&id).filter(|held| held.run.ended_at.is_none())?;
        held.cancel.cancel();
        Some(held.told())
    }

    pub(crate) fn cancel_all(&self) {
        for held in lock(&self.running).values() {
            held.cancel.cancel();
        }
    }

    /// Waits until every job has ended.
    pub(crate) async fn join(&self) {
        let mut tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        while tasks.join_next().await.is_some() {}
    }
}

/// Awaits the work and writes how it ended; meanwhile it is told when it is stopping.
async fn finish(cx: Context, workspace: Arc<Workspace>, ticket: Ticket, work: impl Future<Output = Ended>) {
    let stopping = ticket.clone();
    tokio::select! {
        () = work_and_record(cx, workspace, ticket, work) => {}
        never = tell_stopping(&stopping) => match never {},
    }
}

/// Tells that a job is stopping as soon as it was cancelled, and what it waits for if that takes a while.
async fn tell_stopping(ticket: &Ticket) -> Infallible {
    ticket.cancel.cancelled().await;
    ticket.stopping(STOPPING);
    tokio::time::sleep(WRITING_AFTER).await;
    ticket.stopping(WRITING);
    std::future::pending().await
}

/// Of a job that was cancelled an error that somebody waited for in vain, such as of a locked database, is no failure: it is
/// told beside what was done. None says that nothing was changed, for the job may have changed something before.
fn how_it_ended(ended: &mut Ended, was_cancelled: bool) -> JobState {
    let Some(error) = &mut ended.error else { return JobState::Done };
    for claim in NOT_CHANGED {
        error.message = error.message.replace(claim, STAYS_DONE);
        error.hint = error.hint.take().map(|hint| hint.replace(claim, STAYS_DONE));
    }
    match error.code {
        ErrorCode::Cancelled => JobState::Cancelled,
        ErrorCode::Unavailable | ErrorCode::Timeout if was_cancelled => {
            ended.report.notes.push(format!("while it was stopping: {error}"));
            JobState::Cancelled
        }
        _ => JobState::Failed,
    }
}

async fn work_and_record(
    cx: Context,
    workspace: Arc<Workspace>,
    ticket: Ticket,
    work: impl Future<Output = Ended>,
) {
    let mut ended = tokio::select! {
        ended = work => ended,
        never = say(&workspace, &ticket) => match never {},
    };
    let Some(mut run) = lock(&ticket.running).get(&ticket.id).map(|held| held.run.clone()) else { return };
    run.ended_at = Some(workspace.now());
    run.state = how_it_ended(&mut ended, ticket.cancel.is_cancelled());
    run.report = Some(ended.report);
    run.error = ended.error.filter(|_| run.state == JobState::Failed).map(|error| error.to_string());
    let outcome = match run.state {
        JobState::Failed => AuditOutcome::Failure,
        JobState::Running | JobState::Done | JobState::Cancelled => AuditOutcome::Success,
    };
    let mut changes = node(&workspace, run.kind);
    changes.push(Change::new(JOB_ENDED, Value::Null, run.state.as_str()));
    changes.extend(run.report.iter().flat_map(results));
    // What it did is no reason: that is the person's, or why it failed.
    let record = cx.record_as(outcome, format!("job/{}", run.id), changes, run.error.clone());
    if let Err(problem) = workspace.store().job_run_put(&run, Some(record)).await {
        tracing::error!(%problem, job = %run.id, "the end of a job was not recorded");
    }
    if let Some(held) = lock(&ticket.running).get_mut(&ticket.id) {
        held.run = run;
    }
    cx.console.announce(&[Tag::Jobs, Tag::Audit, Tag::Events, Tag::Health, Tag::Status]);
}

/// Says now and then that the job runs, and how far it is.
async fn say(workspace: &Workspace, ticket: &Ticket) -> Infallible {
    loop {
        tokio::time::sleep(SAY_EVERY).await;
        let Some(run) = ticket.run() else { continue };
        if let Err(problem) = workspace.store().job_run_seen(&run).await {
            tracing::debug!(%problem, job = %run.id, "other consoles were not told that a job still runs");
        }
    }
}

/// On which server a job works, for the trail.
fn node(workspace: &Workspace, kind: JobKind) -> Vec<Change> {
    let events = workspace.events().ok().filter(|_| !kind.is_of_database());
    events.map(|events| Change::new("node", Value::Null, events.node())).into_iter().collect()
}

/// What a job did, for the trail: its figures, then its facts.
fn results(report: &JobReport) -> Vec<Change> {
    // Four decimals are a tenth of a microsecond.
    let rounded = |value: f64| ((value * 10_000.0).round() / 10_000.0).to_string();
    let figures = report.figures.iter().map(|figure| (figure.name.as_str(), rounded(figure.value)));
    let facts = report.facts.iter().map(|fact| (fact.name.as_str(), fact.text.clone()));
    figures.chain(facts).map(|(name, text)| Change::new(name, Value::Null, text)).collect()
}

#[cfg(test)]
mod tests {
    use watchpost_model::job::{Figure, JobReport, JobState};

    use super::{Ended, how_it_ended};
    use crate::error::{ErrorCode, OpError};

    fn locked() -> Ended {
        let error =
            OpError::new(ErrorCode::Unavailable, "the database cannot be reached: database is locked")
                .hint("nothing was changed; test the connection in Settings");
        let figures = vec![Figure::count("removed", "Events archived and removed", 2_000)];
        Ended { report: JobReport { figures, ..JobReport::default() }, error: Some(error) }
    }

    #[test]
    fn an_error_in_the_middle_does_not_say_that_nothing_was_changed() {
        let mut ended = locked();
        assert_eq!(how_it_ended(&mut ended, false), JobState::Failed);
        let told = ended.error.expect("it failed").to_string();
        assert!(told.contains("database is locked (what was done before stays done; test"), "{told}");
    }

    #[test]
    fn what_was_cancelled_is_called_cancelled_and_tells_why_it_took_long() {
        let mut ended = locked();
        assert_eq!(how_it_ended(&mut ended, true), JobState::Cancelled);
        assert!(
            ended.report.notes[0].starts_with("while it was stopping: the database"),
            "{:?}",
            ended.report
        );
        let mut wrong = Ended { error: Some(OpError::internal("a mistake")), ..locked() };
        assert_eq!(how_it_ended(&mut wrong, true), JobState::Failed);
    }
}
