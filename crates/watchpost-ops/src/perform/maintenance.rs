//! Maintenance jobs on Redis.

use chrono::{DateTime, Utc};
use watchpost_model::health::Unit;
use watchpost_model::job::{Figure, JobKind, JobProgress, JobReport, JobRun};
use watchpost_model::policy::RetentionRule;
use watchpost_redis::optimize::{Mode, optimize};
use watchpost_redis::retention::{Removal, RetentionWalk};

use super::settings;
use crate::console::Workspace;
use crate::contract::{JobList, JobRef, Nothing, RetentionRequest};
use crate::door::Context;
use crate::error::OpError;
use crate::jobs::{Ended, Ticket};

/// Keys a batch: one database transaction, then one pipeline of compare-and-delete.
const BATCH: usize = 500;
/// Archived events removed in one transaction.
const PRUNE_BATCH: u32 = 2_000;

fn days_checked(days: Option<u32>) -> Result<(), OpError> {
    match days {
        Some(days) if days > 3_650 => Err(OpError::invalid("days", "at most 3,650 days")),
        _ => Ok(()),
    }
}

/// The policy with the days that the person asked for instead.
async fn rules(workspace: &Workspace, days: Option<u32>) -> Result<Vec<RetentionRule>, OpError> {
    let mut rules = settings::current(workspace).await?.retention;
    if let Some(days) = days {
        for rule in &mut rules {
            rule.redis_days = days;
        }
    }
    Ok(rules)
}

pub(crate) async fn retention_preview(cx: Context, request: RetentionRequest) -> Result<JobReport, OpError> {
    let workspace = cx.workspace()?;
    days_checked(request.days)?;
    let rules = rules(&workspace, request.days).await?;
    let kept = settings::current(&workspace).await?.retention;
    let mut walk =
        RetentionWalk::start(&workspace.events()?, &rules, workspace.now(), None, workspace.stop_token())
            .await?;
    let mut tally = Tally::default();
    while let Some(batch) = walk.next_batch(BATCH).await? {
        let ids: Vec<_> =
            batch.iter().filter_map(|key| key.event.as_ref().ok().map(|event| event.id)).collect();
        let known = workspace.store().known_events(&ids).await?;
        for candidate in &batch {
            match &candidate.event {
                Ok(event) if known.contains(&event.id) => {
                    tally.removed += 1;
                    tally.bytes += candidate.bytes;
                }
                Ok(_) => tally.unprocessed += 1,
                Err(_) => tally.unreadable += 1,
            }
        }
    }
    tally.finish(&walk);
    for rule in &kept {
        tally.pruned += workspace.store().archive_due(rule.category, cutoff(&workspace, rule)).await?;
    }
    Ok(tally.report("to archive and remove", None))
}

pub(crate) async fn retention_run(cx: Context, request: RetentionRequest) -> Result<JobRun, OpError> {
    let workspace = cx.workspace()?;
    let retention = Retention::of(&workspace, request.days).await?;
    workspace.events()?;
    let parameters =
        request.days.map_or_else(|| "policy".to_owned(), |days| format!("older than {days} days"));
    let job = workspace.clone();
    workspace
        .jobs()
        .start(&cx, &workspace, JobKind::Retention, parameters, move |ticket| async move {
            retention.run(&job, &ticket).await
        })
        .await
}

/// One run of retention: the rules for Redis and those for the archive.
pub(super) struct Retention {
    rules: Vec<RetentionRule>,
    kept: Vec<RetentionRule>,
}

impl Retention {
    /// By the policy, or by the days that a person asked for.
    pub(super) async fn of(workspace: &Workspace, days: Option<u32>) -> Result<Self, OpError> {
        days_checked(days)?;
        let kept = settings::current(workspace).await?.retention;
        Ok(Self { rules: rules(workspace, days).await?, kept })
    }

    pub(super) async fn run(&self, workspace: &Workspace, ticket: &Ticket) -> Ended {
        let mut tally = Tally::default();
        let result = retain(workspace, &self.rules, &self.kept, ticket, &mut tally).await;
        tally.memory_after = memory(workspace).await;
        Ended { report: tally.report("archived and removed", tally.memory_before), error: result.err() }
    }
}

/// Archives what is due and commits, then removes from Redis what is unchanged since it was read. Events that the
/// engine has not processed yet stay: removing them would hide them from detection.
async fn retain(
    workspace: &Workspace,
    rules: &[RetentionRule],
    kept: &[RetentionRule],
    ticket: &Ticket,
    tally: &mut Tally,
) -> Result<(), OpError> {
    let events = workspace.events()?;
    tally.memory_before = memory(workspace).await;
    let mut walk = RetentionWalk::start(&events, rules, workspace.now(), None, ticket.cancel.clone()).await?;
    while let Some(batch) = walk.next_batch(BATCH).await? {
        ticket.check()?;
        let ids: Vec<_> =
            batch.iter().filter_map(|key| key.event.as_ref().ok().map(|event| event.id)).collect();
        let known = workspace.store().known_events(&ids).await?;
        let mut archive = Vec::with_capacity(batch.len());
        let mut remove = Vec::with_capacity(batch.len());
        for candidate in batch {
            match &candidate.event {
                Ok(event) if known.contains(&event.id) => {
                    archive.push((event.clone(), candidate.key.clone()));
                    remove.push(candidate);
                }
                Ok(_) => tally.unprocessed += 1,
                Err(_) => tally.unreadable += 1,
            }
        }
        workspace.store().archive_upsert(&archive).await?;
        for (removal, candidate) in walk.remove_unchanged(&remove).await?.into_iter().zip(&remove) {
            match removal {
                Removal::Removed => {
                    tally.removed += 1;
                    tally.bytes += candidate.bytes;
                }
                Removal::Changed => tally.changed += 1,
                Removal::Gone => tally.gone += 1,
                Removal::Unprocessed => tally.unprocessed += 1,
            }
        }
        let step = format!("{} archived and removed", tally.removed);
        ticket.progress(JobProgress { step, ..walk.progress() });
    }
    tally.finish(&walk);
    prune(workspace, kept, ticket, tally).await
}

/// Removes archived events that have been kept for their days in the database.
async fn prune(
    workspace: &Workspace,
    kept: &[RetentionRule],
    ticket: &Ticket,
    tally: &mut Tally,
) -> Result<(), OpError> {
    for rule in kept {
        loop {
            ticket.check()?;
            let removed =
                workspace.store().archive_prune(rule.category, cutoff(workspace, rule), PRUNE_BATCH).await?;
            tally.pruned += removed;
            if removed == 0 {
                break;
            }
        }
    }
    Ok(())
}

/// Stored before this, an archived event of the category has been kept for its days.
fn cutoff(workspace: &Workspace, rule: &RetentionRule) -> DateTime<Utc> {
    workspace.now() - chrono::Duration::days(i64::from(rule.archive_days))
}

async fn memory(workspace: &Workspace) -> Option<u64> {
    let (_, sample) = workspace.sample_health().await.ok()?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of bytes")]
    sample.memory_bytes.map(|bytes| bytes as u64)
}

#[derive(Default)]
struct Tally {
    notes: Vec<String>,
    scanned: u64,
    removed: u64,
    bytes: u64,
    unprocessed: u64,
    unreadable: u64,
    changed: u64,
    gone: u64,
    /// Archived events past their days in the database.
    pruned: u64,
    memory_before: Option<u64>,
    memory_after: Option<u64>,
}

impl Tally {
    fn finish(&mut self, walk: &RetentionWalk) {
        self.scanned = walk.progress().done;
        self.unprocessed += walk.unprocessed();
        self.notes = walk.notes().to_vec();
    }

    #[expect(clippy::cast_precision_loss, reason = "bytes of one Redis stay below 2^53")]
    fn report(&self, removed: &str, memory_before: Option<u64>) -> JobReport {
        let mut figures = vec![
            Figure::count("scanned", "Keys looked at", self.scanned),
            Figure::count("removed", &format!("Events {removed}"), self.removed),
            Figure::new("bytes", "Memory of these keys", self.bytes as f64, Unit::Bytes),
        ];
        figures.push(Figure::count("pruned", "Archived events past their days", self.pruned));
        if let (Some(before), Some(after)) = (memory_before, self.memory_after) {
            figures.push(Figure::new(
                "memory_before_bytes",
                "Redis memory before",
                before as f64,
                Unit::Bytes,
            ));
            figures.push(Figure::new("memory_after_bytes", "Redis memory after", after as f64, Unit::Bytes));
        }
        let mut notes = self.notes.clone();
        for (count, what) in [
            (self.unprocessed, "not yet processed by the engine: they stay"),
            (self.unreadable, "could not be read as events: they stay and are in quarantine"),
            (self.changed, "changed since they were read: they stay until the next run"),
            (self.gone, "had run out or were removed by somebody else"),
        ] {
            if count > 0 {
                notes.push(format!("{count} keys {what}"));
            }
        }
        JobReport { figures, notes, ..JobReport::default() }
    }
}

pub(crate) async fn optimize_preview(cx: Context, _: Nothing) -> Result<JobReport, OpError> {
    let workspace = cx.workspace()?;
    let cancel = workspace.stop_token();
    let events = workspace.events()?;
    Ok(optimize(&events, workspace.now(), Mode::Preview, &|_| {}, cancel).await?)
}

pub(crate) async fn optimize_run(cx: Context, _: Nothing) -> Result<JobRun, OpError> {
    let workspace = cx.workspace()?;
    let events = workspace.events()?;
    let now = workspace.now();
    workspace
        .jobs()
        .start(&cx, &workspace, JobKind::Optimize, "all patterns".to_owned(), move |ticket| async move {
            let progress = |progress| ticket.progress(progress);
            let result = optimize(&events, now, Mode::Run, &progress, ticket.cancel.clone()).await;
            Ended::from(result.map_err(OpError::from).and_then(|report| ticket.check().map(|()| report)))
        })
        .await
}

pub(crate) async fn job_list(cx: Context, _: Nothing) -> Result<JobList, OpError> {
    let workspace = cx.workspace()?;
    let mut runs = workspace.store().job_runs(100).await?;
    for run in &mut runs {
        // What runs in this process is fresher here than in the database.
        if let Some(live) = workspace.jobs().get(run.id) {
            *run = live;
        }
    }
    Ok(JobList { runs })
}

pub(crate) async fn job_get(cx: Context, request: JobRef) -> Result<JobRun, OpError> {
    let workspace = cx.workspace()?;
    if let Some(run) = workspace.jobs().get(request.id) {
        return Ok(run);
    }
    let runs = workspace.store().job_runs(500).await?;
    runs.into_iter().find(|run| run.id == request.id).ok_or_else(|| OpError::not_found("such job run"))
}

pub(crate) async fn job_cancel(cx: Context, request: JobRef) -> Result<JobRun, OpError> {
    let workspace = cx.workspace()?;
    let run = workspace.jobs().cancel(request.id).ok_or_else(|| {
        OpError::precondition("this job does not run in this console")
            .hint("a job is cancelled where it was started")
    })?;
    workspace.store().audit_append(cx.record(format!("job/{}", run.id), Vec::new(), None)).await?;
    Ok(run)
}
