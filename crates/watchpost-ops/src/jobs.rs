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
            running.insert(run.id, Held { run: run.clone(), cancel: cancel.clone() });
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
        lock(&self.running).get(&id).map(|held| held.run.clone())
    }

    /// All of them, newest first.
    pub(crate) fn all(&self) -> Vec<JobRun> {
        lock(&self.running).values().rev().map(|held| held.run.clone()).collect()
    }

    /// Asks a job to stop.
    pub(crate) fn cancel(&self, id: JobId) -> Option<JobRun> {
        let running = lock(&self.running);
        let held = running.get(&id).filter(|held| held.run.ended_at.is_none())?;
        held.cancel.cancel();
        Some(held.run.clone())
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

/// Awaits the work and writes how it ended.
async fn finish(cx: Context, workspace: Arc<Workspace>, ticket: Ticket, work: impl Future<Output = Ended>) {
    let ended = tokio::select! {
        ended = work => ended,
        never = say(&workspace, &ticket) => match never {},
    };
    let Some(mut run) = lock(&ticket.running).get(&ticket.id).map(|held| held.run.clone()) else { return };
    run.ended_at = Some(workspace.now());
    run.report = Some(ended.report);
    run.state = match &ended.error {
        None => JobState::Done,
        Some(error) if error.code == ErrorCode::Cancelled => JobState::Cancelled,
        Some(_) => JobState::Failed,
    };
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
