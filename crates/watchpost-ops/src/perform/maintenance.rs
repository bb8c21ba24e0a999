//! Maintenance jobs on Redis.

use std::collections::{BTreeSet, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::task::JoinSet;
use watchpost_model::event::Category;
use watchpost_model::health::Unit;
use watchpost_model::ids::EventId;
use watchpost_model::job::{Figure, JobKind, JobPosition, JobReport, JobRun};
use watchpost_model::plain::grouped;
use watchpost_model::policy::RetentionRule;
use watchpost_redis::optimize::{self, Direction, Mode, OptimizeWalk, optimize, revert};
use watchpost_redis::retention::{Candidate, Removal, RetentionWalk};
use watchpost_redis::{EventStore, RedisError, WalkPosition};

use super::{settings, share};
use crate::console::Workspace;
use crate::contract::{JobList, JobRef, Nothing, OptimizeRequest, RetentionRequest};
use crate::door::Context;
use crate::error::OpError;
use crate::jobs::{Ended, Ticket};
use crate::journal::{Journal, Patience, loaded};

/// Keys a batch: one database transaction, then one pipeline of compare-and-delete.
const BATCH: usize = 1_000;
/// How often the position of a walk that changes nothing is written.
const KEEP_EVERY: Duration = Duration::from_secs(1);
/// Archived events removed in one transaction.
const PRUNE_BATCH: u32 = 2_000;

pub(super) fn days_checked(days: Option<u32>) -> Result<(), OpError> {
    match days {
        Some(days) if days > 3_650 => Err(OpError::invalid("days", "at most 3,650 days")),
        _ => Ok(()),
    }
}

/// The policy with the days that the person asked for instead.
pub(super) async fn rules(workspace: &Workspace, days: Option<u32>) -> Result<Vec<RetentionRule>, OpError> {
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
    let (mut report, indexes) = would_retain(&workspace, request).await?;
    share::tell(&mut report, "removed", indexes.len() as u64, &workspace).await?;
    Ok(report)
}

/// What a run would do, and the categories whose index would lose entries.
pub(super) async fn would_retain(
    workspace: &Workspace,
    request: RetentionRequest,
) -> Result<(JobReport, BTreeSet<Category>), OpError> {
    days_checked(request.days)?;
    let rules = rules(workspace, request.days).await?;
    let kept = settings::current(workspace).await?.retention;
    let events = workspace.events()?;
    let mut walk =
        RetentionWalk::start(&events, &rules, workspace.now(), None, None, workspace.stop_token()).await?;
    let mut tally = Tally { memory_lacking: events.memory_lacking().await?, ..Tally::default() };
    let mut categories = BTreeSet::new();
    while let Some(batch) = walk.next_batch(BATCH).await? {
        let ids: Vec<_> =
            batch.iter().filter_map(|key| key.event.as_ref().ok().map(|event| event.id)).collect();
        let known = workspace.store().known_events(&ids).await?;
        for candidate in &batch {
            match &candidate.event {
                Ok(event) if known.contains(&event.id) => {
                    tally.removed += 1;
                    tally.bytes += candidate.bytes;
                    categories.insert(event.category);
                }
                Ok(_) => tally.unprocessed += 1,
                Err(_) => tally.unreadable += 1,
            }
        }
    }
    tally.finish(&walk);
    for rule in &kept {
        tally.pruned += workspace.store().archive_due(rule.category, cutoff(workspace, rule)).await?;
    }
    Ok((tally.report("to archive and remove", None), events.indexed(categories).await?))
}

pub(crate) async fn retention_run(cx: Context, request: RetentionRequest) -> Result<JobRun, OpError> {
    let workspace = cx.workspace()?;
    let parameters =
        request.days.map_or_else(|| "policy".to_owned(), |days| format!("older than {days} days"));
    let retention = Retention::of(&workspace, request).await?;
    workspace.events_or_loading()?;
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
    restart: bool,
}

impl Retention {
    /// By the policy, or by the days that a person asked for.
    pub(super) async fn of(workspace: &Workspace, request: RetentionRequest) -> Result<Self, OpError> {
        days_checked(request.days)?;
        let kept = settings::current(workspace).await?.retention;
        Ok(Self { rules: rules(workspace, request.days).await?, kept, restart: request.restart })
    }

    pub(super) async fn run(&self, workspace: &Arc<Workspace>, ticket: &Ticket) -> Ended {
        let mut tally = Tally::default();
        let result = self.retain(workspace, ticket, &mut tally).await;
        tally.memory_after = ticket.soon(memory(workspace)).await.flatten();
        Ended { report: tally.report("archived and removed", tally.memory_before), error: result.err() }
    }

    /// Archives what is due and commits, then removes from Redis what is unchanged since it was read. Events that the
    /// engine has not processed yet stay: removing them would hide them from detection.
    async fn retain(
        &self,
        workspace: &Arc<Workspace>,
        ticket: &Ticket,
        tally: &mut Tally,
    ) -> Result<(), OpError> {
        let events = loaded(workspace, ticket).await?;
        refuse_replica(&events, ticket).await?;
        tally.memory_before = ticket.soon(memory(workspace)).await.flatten();
        let mut journal = Journal::open(workspace, ticket, &events, self.restart).await?;
        let from = journal.begun().map(|begun| begun.position.clone());
        let mut patience = Patience::new(ticket);
        tally.memory_lacking = ticket.soon(events.memory_lacking()).await.and_then(Result::ok).flatten();
        let mut walk = loop {
            let (now, cancel) = (workspace.now(), ticket.cancel.clone());
            match RetentionWalk::start(&events, &self.rules, now, None, from.as_ref(), cancel).await {
                Ok(walk) => {
                    let told = ticket.clone();
                    break walk.telling(move |progress| told.progress(progress));
                }
                Err(error) => patience.wait(error).await?,
            }
        };
        let result = walk_through(&mut walk, &events, workspace, ticket, &mut journal, tally).await;
        tally.finish(&walk);
        walk.tell(format!("{} archived and removed", tally.removed));
        tally.notes.extend(journal.words());
        if let Err(error) = result {
            // What is done stays done: the next run goes on behind it.
            journal.keep(&tally.done()).await;
            return Err(error);
        }
        journal.close().await?;
        prune(workspace, &self.kept, ticket, tally).await
    }
}

/// Ends a job that changes Redis on a read-only replica: nothing can be changed there, and that nothing was due, or that it
/// waits for its engine, would hide that. What else is wrong with the server is for whoever asks it next.
async fn refuse_replica(events: &EventStore, ticket: &Ticket) -> Result<(), OpError> {
    match ticket.soon(events.takes_writes()).await {
        Some(Err(replica @ RedisError::ReadOnly)) => Err(replica.into()),
        _ => Ok(()),
    }
}

/// A batch that is archived and committed, and not removed yet.
struct Archived {
    candidates: Vec<Candidate>,
    /// Where the walk was behind it.
    position: WalkPosition,
}

/// Three batches at once, so that neither the database nor Redis waits for the other: one is read, the one before it is
/// archived, and the one before that, whose archive is committed, is removed.
async fn walk_through(
    walk: &mut RetentionWalk,
    events: &EventStore,
    workspace: &Arc<Workspace>,
    ticket: &Ticket,
    journal: &mut Journal<'_>,
    tally: &mut Tally,
) -> Result<(), OpError> {
    let mut read = next_batch(walk, ticket).await?;
    let mut archived: Option<Archived> = None;
    while read.is_some() || archived.is_some() {
        ticket.check()?;
        let (position, is_last) = (walk.position(), read.is_none());
        let done = if is_last { None } else { journal.position(&tally.done()) };
        let remove = archived.as_ref().map(|before| before.candidates.as_slice()).unwrap_or_default();
        let (kept, removals, next) = tokio::join!(
            archived_aside(workspace, read.take().unwrap_or_default(), done),
            removed(events, ticket, remove),
            async { if is_last { Ok(None) } else { next_batch(walk, ticket).await } },
        );
        if let Some(before) = archived.take() {
            if removals.is_err() {
                tally.unknown += before.candidates.len() as u64;
            }
            tally.removals(&removals?, &before.candidates);
            journal.done_to(before.position);
        }
        let kept = kept?;
        tally.unprocessed += kept.unprocessed;
        tally.unreadable += kept.unreadable;
        archived = (!is_last).then_some(Archived { candidates: kept.candidates, position });
        walk.tell(format!("{} archived and removed", tally.removed));
        read = next?;
    }
    Ok(())
}

/// The next batch; waits when the server is away for a while.
async fn next_batch(walk: &mut RetentionWalk, ticket: &Ticket) -> Result<Option<Vec<Candidate>>, OpError> {
    let mut patience = Patience::new(ticket);
    loop {
        match walk.next_batch(BATCH).await {
            Ok(batch) => return Ok(batch),
            Err(error) => patience.wait(error).await?,
        }
    }
}

/// Of a batch what is archived, and how many are not.
#[derive(Default)]
struct Kept {
    candidates: Vec<Candidate>,
    unprocessed: u64,
    unreadable: u64,
}

/// As [`archive`], by a task of its own: taking apart what Redis says and the statements of the database are work for two
/// threads. It goes when the caller does.
async fn archived_aside(
    workspace: &Arc<Workspace>,
    batch: Vec<Candidate>,
    done: Option<JobPosition>,
) -> Result<Kept, OpError> {
    let mut task = JoinSet::new();
    let workspace = workspace.clone();
    task.spawn(async move { archive(&workspace, batch, done.as_ref()).await });
    match task.join_next().await {
        Some(Ok(kept)) => kept,
        Some(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // The program ends.
        Some(Err(_)) | None => Err(RedisError::Cancelled.into()),
    }
}

/// Archives a batch and commits, with the position of the walk up to which everything is done.
async fn archive(
    workspace: &Workspace,
    batch: Vec<Candidate>,
    done: Option<&JobPosition>,
) -> Result<Kept, OpError> {
    let mut kept = Kept::default();
    if batch.is_empty() {
        return Ok(kept);
    }
    let ids: Vec<EventId> =
        batch.iter().filter_map(|key| key.event.as_ref().ok().map(|event| event.id)).collect();
    let known: HashSet<EventId> = workspace.store().known_events(&ids).await?;
    let sealer = workspace.sealer().await?;
    let (mut rows, mut sealed) = (Vec::with_capacity(batch.len()), Vec::new());
    kept.candidates.reserve(batch.len());
    for mut candidate in batch {
        match std::mem::replace(&mut candidate.event, Err(String::new())) {
            Ok(mut event) if known.contains(&event.id) => {
                // Sealed as the engine did it: the same value gives the same row, another value another one.
                sealed.extend(sealer.seal(&mut event)?.into_iter().flat_map(|(_, fields)| fields));
                rows.push((event, candidate.key.clone()));
                kept.candidates.push(candidate);
            }
            Ok(_) => kept.unprocessed += 1,
            Err(_) => kept.unreadable += 1,
        }
    }
    workspace.store().archive_upsert_sealed(&rows, &sealed, done).await?;
    Ok(kept)
}

/// Removes what is unchanged; waits when the server is away for a while. What an attempt removed whose answer was lost
/// is gone for the next one.
async fn removed(
    events: &EventStore,
    ticket: &Ticket,
    candidates: &[Candidate],
) -> Result<Vec<Removal>, OpError> {
    let mut patience = Patience::new(ticket);
    loop {
        match ticket.written(events.remove_unchanged(candidates)).await {
            Ok(removals) => return Ok(removals),
            // It has been archived: a cancelled job leaves it to the next run.
            Err(error) => patience.wait(error).await?,
        }
    }
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
    if tally.pruned > 0 {
        workspace.store().sources_prune().await?;
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
    /// The keys that were removed, as hashes: a new master brings back what it had not heard of, and that goes again.
    removed_keys: HashSet<u64>,
    hasher: RandomState,
    again: u64,
    unprocessed: u64,
    unreadable: u64,
    /// Keys that were not as they had been read, and that no later look has removed.
    changed: HashSet<String>,
    gone: u64,
    /// Keys that are archived and whose removal was not answered.
    unknown: u64,
    /// Archived events past their days in the database.
    pruned: u64,
    memory_before: Option<u64>,
    memory_after: Option<u64>,
    /// Why the server does not tell the memory of keys.
    memory_lacking: Option<String>,
}

impl Tally {
    fn removals(&mut self, removals: &[Removal], candidates: &[Candidate]) {
        for (removal, candidate) in removals.iter().zip(candidates) {
            match removal {
                Removal::Removed => {
                    self.changed.remove(&candidate.key);
                    if self.removed_keys.insert(self.hasher.hash_one(&candidate.key)) {
                        self.removed += 1;
                        self.bytes += candidate.bytes;
                    } else {
                        self.again += 1;
                    }
                }
                Removal::Changed => {
                    self.changed.insert(candidate.key.clone());
                }
                Removal::Gone => {
                    self.changed.remove(&candidate.key);
                    self.gone += 1;
                }
                Removal::Unprocessed => self.unprocessed += 1,
            }
        }
    }

    /// What was done so far, for the run that goes on where this one was interrupted.
    fn done(&self) -> Vec<Figure> {
        vec![
            Figure::count("removed", "Events archived and removed", self.removed),
            Figure::bytes("bytes", "Memory of these keys", self.bytes),
        ]
    }

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
        ];
        if self.memory_lacking.is_none() {
            figures.push(Figure::new("bytes", "Memory of these keys", self.bytes as f64, Unit::Bytes));
        }
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
        notes.extend(self.memory_lacking.iter().map(|why| format!("memory of these keys: n/a, {why}")));
        for (count, what) in [
            (self.unprocessed, "not yet processed by the engine: they stay"),
            (
                self.unreadable,
                "could not be read as events: they stay, and the engine puts such into quarantine",
            ),
            (
                self.again,
                "back again and removed once more, counted once: a new master had not heard of their removal",
            ),
            (self.changed.len() as u64, "changed since they were read: they stay until the next run"),
            (
                self.gone,
                "gone already: run out, removed by somebody else, or by an attempt whose answer was lost",
            ),
            (
                self.unknown,
                "in the archive, and whether they are gone from Redis is not known, for it did not answer: the next run looks again",
            ),
        ] {
            if count > 0 {
                let keys = if count == 1 { "key" } else { "keys" };
                notes.push(format!("{} {keys} {what}", grouped(count)));
            }
        }
        JobReport { figures, notes, ..JobReport::default() }
    }
}

const fn direction(request: OptimizeRequest) -> Direction {
    if request.revert { Direction::Back } else { Direction::Forth }
}

pub(crate) async fn optimize_preview(cx: Context, request: OptimizeRequest) -> Result<JobReport, OpError> {
    let workspace = cx.workspace()?;
    let cancel = workspace.stop_token();
    let events = workspace.events()?;
    let mut report = match direction(request) {
        Direction::Forth => optimize(&events, workspace.now(), Mode::Preview, &|_| {}, cancel).await?,
        Direction::Back => revert(&events, Mode::Preview, &|_| {}, cancel).await?,
    };
    share::tell(&mut report, "touched", 0, &workspace).await?;
    Ok(report)
}

pub(crate) async fn optimize_run(cx: Context, request: OptimizeRequest) -> Result<JobRun, OpError> {
    let workspace = cx.workspace()?;
    let events = workspace.events()?;
    let direction = direction(request);
    let parameters = optimize::parameters(&events, direction).await?;
    let job = workspace.clone();
    workspace
        .jobs()
        .start(&cx, &workspace, JobKind::Optimize, parameters, move |ticket| async move {
            match optimized(&job, &events, direction, &ticket).await {
                Ok(ended) => ended,
                Err(error) => Ended { report: JobReport::default(), error: Some(error) },
            }
        })
        .await
}

/// One run, from where one before it was interrupted.
async fn optimized(
    workspace: &Workspace,
    events: &EventStore,
    direction: Direction,
    ticket: &Ticket,
) -> Result<Ended, OpError> {
    refuse_replica(events, ticket).await?;
    let mut journal = Journal::open(workspace, ticket, events, false).await?;
    journal.forget_others().await?;
    let from = journal.begun().map(|begun| begun.position.clone());
    let cancel = ticket.cancel.clone();
    let mut walk = OptimizeWalk::start(events, direction, Mode::Run, from.as_ref(), cancel).await?;
    let result = optimize_pages(&mut walk, &mut journal, ticket).await;
    let done = walk.done();
    if result.is_err() {
        journal.keep(&done).await;
    }
    let mut report = match (walk.report().await, &result) {
        (Ok(report), _) => report,
        (Err(error), Ok(())) => return Err(error.into()),
        // The server is away: what was done is known without it.
        (Err(_), Err(_)) => JobReport { figures: done, ..JobReport::default() },
    };
    report.notes.extend(journal.words());
    if result.is_ok() {
        journal.close().await?;
    }
    Ok(Ended { report, error: result.err() })
}

/// What is done of a page stays done, and so does the position behind it.
async fn optimize_pages(
    walk: &mut OptimizeWalk<'_>,
    journal: &mut Journal<'_>,
    ticket: &Ticket,
) -> Result<(), OpError> {
    let (mut known, mut kept) = (walk.done(), tokio::time::Instant::now());
    while walk.next_page().await? {
        journal.done_to(walk.position());
        let done = walk.done();
        // Behind each change; where there was nothing to do, a second of looking again costs less than writing.
        if done != known || kept.elapsed() > KEEP_EVERY {
            journal.keep(&done).await;
            (known, kept) = (done, tokio::time::Instant::now());
        }
        ticket.progress(walk.progress());
    }
    walk.trim().await?;
    ticket.check()
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
    let record = cx.record(format!("job/{}", run.id), Vec::new(), None);
    workspace.store().audit_append(record).await.map_err(|problem| {
        OpError::from(problem).hint(
            "the job is stopping all the same; the trail lacks that somebody asked for it, and has its end",
        )
    })?;
    Ok(run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_failover_brings_back_is_counted_once_and_told() {
        let candidates: Vec<Candidate> = (0..5)
            .map(|n| Candidate {
                key: format!("security:auth:{n}"),
                token: String::new(),
                event: Err(String::new()),
                texts: Vec::new(),
                all_read: false,
                bytes: 100,
            })
            .collect();
        let mut tally = Tally::default();
        tally.removals(&[Removal::Removed; 5], &candidates);
        tally.removals(&[Removal::Removed, Removal::Gone], &candidates[..2]);
        tally.removals(&[Removal::Removed], &candidates[2..3]);
        let report = tally.report("archived and removed", None);
        let figure =
            |name: &str| report.figures.iter().find(|figure| figure.name == name).map(|one| one.value);
        assert_eq!((figure("removed"), figure("bytes")), (Some(5.0), Some(500.0)));
        let told = |words: &str| report.notes.iter().any(|note| note.starts_with(words));
        assert!(told("2 keys back again and removed once more") && told("1 key gone already"), "{report:?}");
    }
}
