//! Maintenance that runs by itself, in the off-peak hours of a plan.
//!
//! What has run stands in the history of the jobs, so there is nothing else to keep: a job is due when the newest hours of
//! its rhythm have begun and no run of the plan since then ended well. It runs whenever it is off-peak, one job at a time,
//! and is stopped when the hours are over; what it had done stays done, and the next night goes on.

mod due;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use watchpost_model::access::{Caller, Origin, Permission};
use watchpost_model::audit::{AuditDraft, AuditFilter, AuditOutcome, AuditRecord, Change};
use watchpost_model::job::{JobKind, JobRun, JobState};
use watchpost_model::plan::{Plan, PlannedJob, Rhythm};
use watchpost_report::{Prepared, WriteError};
use watchpost_store::StoreError;

use self::due::{is_due, missed_since, wanted_since};
use super::at_this_machine;
use crate::age_file::{Keys, Locked};
use crate::blocking::off_the_runtime;
use crate::console::{Console, Workspace};
use crate::contract::{
    AggregateRequest, BackupRequest, BenchmarkRequest, DatabaseCopyRun, DatabaseRehearse, JobPlanPut,
    JobPlanState, NotStarted, Nothing, OptimizeRequest, PlannedState, RetentionRequest, Tag,
};
use crate::door::{Call, Context, Operation, operation};
use crate::engine::engine_caller;
use crate::error::OpError;
use crate::setting::{self, json};

const KEY: &str = "job_plan";
/// Who has it starts what is due.
const LEASE: &str = "job_plan";
/// Starting takes a moment; a console that died while it did is replaced after this long.
const LEASE_TTL: Duration = Duration::from_secs(60);
/// What could not be started is tried again after this long, by whichever console; other jobs do not wait for it.
const AGAIN: Duration = Duration::from_secs(600);
/// Who starts jobs of the plan.
const STARTER: &str = "schedule";
/// Of a job's newest records so many are looked through for that of a start that was refused.
const REFUSALS: u32 = 20;
/// The field of such a record that says why, where its reason is the rhythm.
const ERROR: &str = "error";
/// Runs of a kind that are looked through for those of the plan.
const RUNS: u32 = 200;
/// What files of backups are called, before their time.
const BACKUP_PREFIX: &str = "watchpost-";
const BACKUP_ENDING: &str = ".wpbackup";
const BACKUP_ENDING_ENCRYPTED: &str = ".wpbackup.age";

pub(super) async fn current(workspace: &Workspace) -> Result<Plan, OpError> {
    Ok(setting::read::<Plan>(workspace.store(), KEY).await?.value.with_new_jobs())
}

pub(crate) async fn job_plan(cx: Context, _: Nothing) -> Result<JobPlanState, OpError> {
    let workspace = cx.workspace()?;
    let plan = current(&workspace).await?;
    stands(&workspace, plan).await
}

pub(super) async fn stands(workspace: &Workspace, plan: Plan) -> Result<JobPlanState, OpError> {
    let now = workspace.now();
    let open = plan.open(now);
    let busy = running(workspace).await?;
    let mut jobs = Vec::with_capacity(plan.jobs.len());
    for job in &plan.jobs {
        let last = newest_run(workspace, job.kind).await?;
        let wanted = wanted_since(&plan, job, last.as_ref(), now);
        let hours = plan.newest(job.rhythm, now);
        let missed_since = match wanted {
            Some(_) => missed_since(&plan, job, newest_good(workspace, job.kind).await?, now),
            None => None,
        };
        let next = match (job.on, missed_since, open) {
            (false, ..) => None,
            (true, Some(_), Some(open)) => Some(open),
            (true, Some(_), None) => plan.next(Rhythm::Day, now),
            (true, None, _) if wanted.is_some() => hours,
            (true, None, _) => plan.next(job.rhythm, now),
        };
        let not_started = match missed_since.or(wanted) {
            Some(since) => refused_start(workspace, &plan, job.kind, since, last.as_ref()).await?,
            None => None,
        };
        let waits =
            not_started.is_none() && open.is_some_and(|open| is_due(&plan, job, last.as_ref(), open, now));
        let waits_for = busy.as_ref().filter(|_| waits).map(|run| run.kind);
        jobs.push(PlannedState { kind: job.kind, next, missed_since, last, not_started, waits_for });
    }
    Ok(JobPlanState { open, plan, jobs })
}

pub(crate) async fn job_plan_put(cx: Context, request: JobPlanPut) -> Result<JobPlanState, OpError> {
    let workspace = cx.workspace()?;
    let JobPlanPut { mut plan, reason } = request;
    plan.check().map_err(|(field, problem)| OpError::invalid(field, problem))?;
    let setting = setting::read::<Plan>(workspace.store(), KEY).await?;
    let old = &setting.value;
    refuse_blind(old, &plan)?;
    for job in &mut plan.jobs {
        let before = old.job(job.kind);
        // What is on already may have its programs on another machine.
        if job.on && job.kind.is_of_database() && before.is_none_or(|before| !before.on) {
            workspace.store().copies_can_be_made().await?;
        }
        if job.folder != before.and_then(|before| before.folder.clone()) {
            at_this_machine(&cx)?;
            writable(job.folder.as_deref()).await?;
        }
        if job.encryption.as_ref() != before.and_then(|before| before.encryption.as_ref()) {
            at_this_machine(&cx)?;
            job.encryption.as_ref().map(Locked::by).transpose()?;
        }
        if job.key.as_ref() != before.and_then(|before| before.key.as_ref()) {
            at_this_machine(&cx)?;
            Keys::by(job.key.as_ref())?;
        }
        // What was not asked for before now was not missed.
        let same = before.filter(|before| before.on && before.rhythm == job.rhythm);
        job.since = job.on.then(|| same.and_then(|before| before.since).unwrap_or_else(|| workspace.now()));
    }
    let (before, after) = (json(old)?, json(&plan)?);
    let fields = ["time_zone", "from", "to", "jobs"].into_iter();
    let changes: Vec<Change> = fields
        .filter(|field| before[*field] != after[*field])
        .map(|field| Change::new(field, before[field].clone(), after[field].clone()))
        .collect();
    let entry = cx.record(format!("setting/{KEY}"), changes, reason);
    setting.replace(workspace.store(), &plan, entry).await?;
    stands(&workspace, plan).await
}

/// A rehearsal that opens no copy would be known as one a month later. A plan that was kept so before can be changed in what
/// else it says.
fn refuse_blind(old: &Plan, new: &Plan) -> Result<(), OpError> {
    let lacks = |plan: &Plan| {
        let is_on = plan.job(JobKind::DatabaseRehearsal).is_some_and(|job| job.on);
        plan.rehearsal_lacks().filter(|_| is_on)
    };
    match lacks(new) {
        Some(lack) if lacks(old).is_none() => {
            Err(OpError::invalid("key", format!("a rehearsal of copies could open none: {lack}")).hint(
                "name what opens them (`watchpost schedule on database_rehearsal --identity FILE`, or --passphrase-file FILE), \
                 or have no rehearsals here and rehearse copies where the key is",
            ))
        }
        _ => Ok(()),
    }
}

async fn writable(folder: Option<&str>) -> Result<(), OpError> {
    let Some(folder) = folder else { return Ok(()) };
    let path = PathBuf::from(folder);
    if !path.is_absolute() {
        return Err(OpError::invalid("folder", "write the folder as an absolute path"));
    }
    let tried = off_the_runtime(move || {
        make_last(&path).map_err(|error| WriteError::at(&path, error))?;
        // Made and dropped before it has a name.
        Prepared::write::<WriteError>(&path.join("watchpost"), |_| Ok(())).map(drop)
    });
    tried.await?.map_err(|error| {
        OpError::invalid("folder", format!("no backup can be written into {folder}: {error}")).hint(LAST_ONLY)
    })
}

/// What to do about a folder whose parent is not there.
pub(super) const LAST_ONLY: &str =
    "only the last folder of a path is made: look at its spelling, or make those before it";

/// Makes a folder in one that is there: where more of a path is missing it is misspelt, or a disk is not mounted.
pub(super) fn make_last(folder: &Path) -> std::io::Result<()> {
    if folder.is_dir() { Ok(()) } else { std::fs::create_dir(folder) }
}

/// The folder of a plan was there when the plan was made, so it is not made again.
pub(super) fn is_there(folder: &Path) -> Result<(), OpError> {
    if folder.is_dir() {
        return Ok(());
    }
    Err(OpError::invalid("folder", format!("the folder {} of the plan is not there", folder.display()))
        .hint("mount it, put it back, or name another one (`watchpost schedule on KIND --folder FOLDER`)"))
}

/// The newest run of a kind that the plan started.
async fn newest_run(workspace: &Workspace, kind: JobKind) -> Result<Option<JobRun>, OpError> {
    let runs = workspace.store().job_runs_of(kind, RUNS).await?;
    let newest = runs.into_iter().find(|run| run.started_by == STARTER);
    // The record of one that runs here is older than what it says of itself.
    Ok(newest.map(|run| workspace.jobs().get(run.id).unwrap_or(run)))
}

/// When the newest run of a kind began that the plan started and that ended well.
async fn newest_good(workspace: &Workspace, kind: JobKind) -> Result<Option<DateTime<Utc>>, OpError> {
    let runs = workspace.store().job_runs_of(kind, RUNS).await?;
    let good = runs.into_iter().find(|run| run.started_by == STARTER && run.state == JobState::Done);
    Ok(good.map(|run| run.started_at))
}

/// Why a job that is wanted `since` was not started the last time, as the audit trail has it; nothing once a newer run began.
async fn refused_start(
    workspace: &Workspace,
    plan: &Plan,
    kind: JobKind,
    since: DateTime<Utc>,
    last: Option<&JobRun>,
) -> Result<Option<NotStarted>, OpError> {
    let Some(action) = action(kind) else { return Ok(None) };
    let filter = AuditFilter {
        actor: Some(STARTER.to_owned()),
        action: Some(action.to_owned()),
        from: Some(last.map_or(since, |run| run.started_at.max(since))),
        ..AuditFilter::default()
    };
    // Records of a job that began are not of its start.
    let is_refusal = |record: &AuditRecord| {
        let failed = matches!(record.outcome, AuditOutcome::Failure | AuditOutcome::Denied);
        failed && !record.object.starts_with("job/")
    };
    let records = match workspace.store().audit_page(&filter, None, REFUSALS).await {
        // Whoever may not see the trail sees the plan all the same.
        Err(StoreError::Denied(_)) => return Ok(None),
        records => records?,
    };
    let Some(record) = records.into_iter().find(is_refusal) else { return Ok(None) };
    let error = record.changes.iter().find(|change| change.field == ERROR);
    let why = error.and_then(|change| change.new.as_str().map(str::to_owned)).or(record.reason);
    let soon = record.at + AGAIN;
    let now = workspace.now();
    let again = match plan.open(now) {
        Some(open) if soon < open.to => Some(soon.max(now)),
        _ => plan.next(Rhythm::Day, now).map(|hours| hours.from),
    };
    Ok(Some(NotStarted { at: record.at, why: why.unwrap_or_default(), again }))
}

/// The operation that starts a job of the plan, as the audit trail names it.
const fn action(kind: JobKind) -> Option<&'static str> {
    Some(match kind {
        JobKind::Retention => operation::retention_run::SPEC.name,
        JobKind::Cleanup => operation::cleanup_run::SPEC.name,
        JobKind::Aggregate => operation::aggregate_run::SPEC.name,
        JobKind::Optimize => operation::optimize_run::SPEC.name,
        JobKind::Benchmark => operation::benchmark_run::SPEC.name,
        JobKind::Backup => operation::backup_run::SPEC.name,
        JobKind::DatabaseBackup => operation::database_copy_run::SPEC.name,
        JobKind::DatabaseRehearsal => operation::database_rehearse_run::SPEC.name,
        JobKind::Import | JobKind::Simulate | JobKind::Export | JobKind::Restore => return None,
    })
}

/// A job that runs here.
fn running_here(workspace: &Workspace) -> Option<JobRun> {
    workspace.jobs().all().into_iter().find(|run| run.ended_at.is_none())
}

/// A job that runs in whichever console on this database: a job of the plan waits for it.
async fn running(workspace: &Workspace) -> Result<Option<JobRun>, OpError> {
    match running_here(workspace) {
        Some(run) => Ok(Some(run)),
        None => Ok(workspace.store().job_running_elsewhere().await?),
    }
}

/// Starts what is due, and stops what the hours are over for.
pub(crate) async fn run_due(console: Console, workspace: Arc<Workspace>) {
    if let Err(problem) = try_due(&console, &workspace).await {
        tracing::warn!(%problem, "maintenance of the plan was not started");
    }
}

async fn try_due(console: &Console, workspace: &Arc<Workspace>) -> Result<(), OpError> {
    let plan = current(workspace).await?;
    if plan.jobs.iter().all(|job| !job.on) {
        return Ok(());
    }
    let now = workspace.now();
    let Some(open) = plan.open(now) else {
        // Half a backup is worth nothing, and what works on the database is no load on Redis: they may go on.
        let goes_on = |kind: JobKind| kind == JobKind::Backup || kind.is_of_database();
        let here = running_here(workspace);
        if let Some(run) = here.filter(|run| run.started_by == STARTER && !goes_on(run.kind)) {
            tracing::info!(job = %run.kind, "stopped: the off-peak hours are over");
            workspace.jobs().cancel(run.id);
        }
        return Ok(());
    };
    if running(workspace).await?.is_some() {
        return Ok(());
    }
    let has_redis = workspace.events().is_ok();
    for kind in Plan::KINDS.into_iter().filter(|kind| has_redis || kind.is_of_database()) {
        let Some(job) = plan.job(kind) else { continue };
        if !is_due(&plan, job, newest_run(workspace, kind).await?.as_ref(), open, now) {
            continue;
        }
        let refused = format!("{LEASE} {kind}");
        if workspace.store().lease_until(&refused).await?.is_some_and(|until| until > now) {
            continue;
        }
        let holder = uuid::Uuid::now_v7().to_string();
        if !workspace.store().lease_acquire(LEASE, &holder, LEASE_TTL, now).await? {
            return Ok(());
        }
        // Another console may have started one before it let go of the lease: then it is looked again soon.
        if running(workspace).await?.is_some() {
            workspace.store().lease_release(LEASE, &holder).await?;
            return Ok(());
        }
        let again = newest_run(workspace, kind).await?;
        let started = match is_due(&plan, job, again.as_ref(), open, now) {
            true => start(console, workspace, job, now).await,
            false => Ok(()),
        };
        // A person who began something in this moment is no failure either.
        let is_busy = started.is_err() && running(workspace).await?.is_some();
        if started.is_err() && !is_busy {
            workspace.store().lease_acquire(&refused, &holder, AGAIN, now).await?;
        }
        workspace.store().lease_release(LEASE, &holder).await?;
        if is_busy {
            return Ok(());
        }
        if let Err(problem) = started {
            tracing::warn!(%problem, job = %kind, "maintenance of the plan was not started");
            console.announce(&[Tag::Jobs, Tag::Audit]);
            continue;
        }
        console.announce(&[Tag::Jobs, Tag::Audit]);
        return Ok(());
    }
    match plan.job(JobKind::Backup).filter(|job| job.on) {
        Some(job) => prune(workspace, job).await,
        None => Ok(()),
    }
}

async fn start(
    console: &Console,
    workspace: &Arc<Workspace>,
    job: &PlannedJob,
    now: DateTime<Utc>,
) -> Result<(), OpError> {
    // Whoever made the plan confirmed it for a connection that is marked production.
    let call = Call {
        caller: caller(),
        confirmation: Some(workspace.connection().name.clone()),
        reason: Some(job.rhythm.to_string()),
    };
    match job.kind {
        JobKind::Retention => {
            console.call::<operation::retention_run>(&call, RetentionRequest::default()).await.map(drop)
        }
        JobKind::Cleanup => console.call::<operation::cleanup_run>(&call, Nothing {}).await.map(drop),
        JobKind::Aggregate => {
            console.call::<operation::aggregate_run>(&call, AggregateRequest::default()).await.map(drop)
        }
        JobKind::Optimize => {
            console.call::<operation::optimize_run>(&call, OptimizeRequest::default()).await.map(drop)
        }
        JobKind::Benchmark => {
            console.call::<operation::benchmark_run>(&call, BenchmarkRequest::default()).await.map(drop)
        }
        JobKind::Backup => {
            let folder = job.folder.clone().unwrap_or_default();
            let encryption = job.encryption.clone();
            let ending = if encryption.is_some() { BACKUP_ENDING_ENCRYPTED } else { BACKUP_ENDING };
            let name = format!("{}{}{ending}", stem(workspace), now.format("%Y%m%dT%H%M%SZ"));
            let path = Path::new(&folder).join(name).to_string_lossy().into_owned();
            let found = off_the_runtime(move || is_there(Path::new(&folder))).await?;
            if let Err(error) = found {
                note_not_begun(workspace, job.kind, &error).await?;
                return Err(error);
            }
            let request = BackupRequest { path, force: false, rdb: false, encryption };
            console.call::<operation::backup_run>(&call, request).await.map(drop)
        }
        JobKind::DatabaseBackup => {
            let request = DatabaseCopyRun { folder: job.folder.clone(), encryption: None };
            console.call::<operation::database_copy_run>(&call, request).await.map(drop)
        }
        JobKind::DatabaseRehearsal => console
            .call::<operation::database_rehearse_run>(&call, DatabaseRehearse::default())
            .await
            .map(drop),
        JobKind::Import | JobKind::Simulate | JobKind::Export | JobKind::Restore => Ok(()),
    }
}

/// What the door records of a job that it does not start, for one that does not come to the door.
async fn note_not_begun(workspace: &Workspace, kind: JobKind, error: &OpError) -> Result<(), OpError> {
    let entry = AuditDraft {
        caller: caller(),
        action: action(kind).unwrap_or_default().to_owned(),
        object: format!("job_plan/{kind}"),
        permission: Permission::Maintain,
        outcome: AuditOutcome::Failure,
        changes: Vec::new(),
        reason: Some(error.to_string()),
        at: workspace.now(),
        risk: 0,
    };
    workspace.store().audit_append(entry).await.map(drop).map_err(OpError::from)
}

fn caller() -> Caller {
    Caller { name: STARTER.to_owned(), origin: Origin::Schedule, ..engine_caller() }
}

/// How the files of this connection's backups begin.
pub(super) fn stem(workspace: &Workspace) -> String {
    let plain = |ch: char| if ch.is_ascii_alphanumeric() { ch } else { '-' };
    let name: String = workspace.connection().name.chars().take(40).map(plain).collect();
    format!("{BACKUP_PREFIX}{name}-")
}

/// Removes the oldest backups of the plan once there are more than it keeps: only files that are named as it names them, and
/// only after one that ended well.
async fn prune(workspace: &Workspace, job: &PlannedJob) -> Result<(), OpError> {
    let (Some(folder), Some(keep)) = (job.folder.clone(), job.keep) else { return Ok(()) };
    let last = newest_run(workspace, JobKind::Backup).await?;
    if last.is_none_or(|run| run.state != JobState::Done) {
        return Ok(());
    }
    let stem = stem(workspace);
    let removed = off_the_runtime(move || remove_oldest(Path::new(&folder), &stem, keep as usize)).await?;
    if removed.is_empty() {
        return Ok(());
    }
    let entry = AuditDraft {
        caller: caller(),
        action: "backup_prune".to_owned(),
        object: "job_plan/backup".to_owned(),
        permission: Permission::Maintain,
        outcome: AuditOutcome::Success,
        changes: removed.iter().map(|name| Change::new("file", name.as_str(), Value::Null)).collect(),
        reason: Some(format!("the plan keeps {keep} backups")),
        at: workspace.now(),
        risk: 0,
    };
    workspace.store().audit_append(entry).await.map(drop).map_err(OpError::from)
}

/// The removed files, by name.
fn remove_oldest(folder: &Path, stem: &str, keep: usize) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let is_ours = |name: &str| {
        name.strip_prefix(stem)
            .and_then(|rest| {
                rest.strip_suffix(BACKUP_ENDING_ENCRYPTED).or_else(|| rest.strip_suffix(BACKUP_ENDING))
            })
            .is_some_and(|time| chrono::NaiveDateTime::parse_from_str(time, "%Y%m%dT%H%M%SZ").is_ok())
    };
    let names = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    let mut ours: Vec<String> =
        names.filter_map(|entry| entry.file_name().into_string().ok()).filter(|name| is_ours(name)).collect();
    // Their names sort by their times.
    ours.sort_unstable();
    let n_old = ours.len().saturating_sub(keep);
    ours.truncate(n_old);
    ours.retain(|name| std::fs::remove_file(folder.join(name)).is_ok());
    ours
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use watchpost_model::ids::JobId;
    use watchpost_model::job::{JobKind, JobProgress, JobRun, JobState};
    use watchpost_model::plan::{Plan, PlannedJob, Rhythm, WeekDay};

    use super::{is_due, missed_since, remove_oldest, wanted_since};

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant of this test")
    }

    fn run(started_at: &str, state: JobState) -> JobRun {
        JobRun {
            id: JobId::at(at(started_at)),
            kind: JobKind::Optimize,
            state,
            parameters: String::new(),
            started_by: "schedule".to_owned(),
            started_at: at(started_at),
            ended_at: None,
            progress: JobProgress { done: 0, total: None, unit: String::new(), step: String::new() },
            report: None,
            error: None,
        }
    }

    /// Weekly on Sunday from 02:00 to 05:00 UTC, switched on on Wednesday the 4th; 2026-11-08 is a Sunday.
    #[test]
    fn a_job_is_due_once_in_its_rhythm_and_off_peak_only() {
        use JobState::{Cancelled, Done, Failed, Running};
        let job = PlannedJob {
            on: true,
            since: Some(at("2026-11-04T12:00:00Z")),
            ..PlannedJob::off(JobKind::Optimize, Rhythm::Week { on: WeekDay::Sunday })
        };
        let plan = Plan { jobs: vec![job.clone()], ..Plan::default() };
        type Last = Option<(&'static str, JobState)>;
        // When it is, the newest run, is it missed or waiting, is it started.
        let cases: [(&str, Last, bool, bool); 15] = [
            // What was to run before it was switched on was not missed.
            ("2026-11-04T13:00:00Z", None, false, false),
            ("2026-11-05T03:00:00Z", None, false, false),
            ("2026-11-08T01:59:59Z", None, false, false),
            ("2026-11-08T02:00:00Z", None, true, true),
            ("2026-11-08T02:01:00Z", Some(("2026-11-08T02:00:00Z", Running)), false, false),
            ("2026-11-08T02:30:00Z", Some(("2026-11-08T02:00:00Z", Done)), false, false),
            ("2026-11-09T02:30:00Z", Some(("2026-11-08T02:00:00Z", Done)), false, false),
            ("2026-11-15T02:00:00Z", Some(("2026-11-08T02:00:00Z", Done)), true, true),
            // Nothing ran on Sunday: it waits for the next night, whichever that is.
            ("2026-11-08T12:00:00Z", None, true, false),
            ("2026-11-10T02:10:00Z", None, true, true),
            ("2026-11-11T02:10:00Z", Some(("2026-11-10T02:10:00Z", Done)), false, false),
            // It failed, or was stopped: not again in the same night.
            ("2026-11-08T04:00:00Z", Some(("2026-11-08T02:00:00Z", Failed)), true, false),
            ("2026-11-09T02:00:00Z", Some(("2026-11-08T02:00:00Z", Failed)), true, true),
            ("2026-11-09T02:00:00Z", Some(("2026-11-08T02:00:00Z", Cancelled)), true, true),
            // It stops being asked for when the next Sunday begins, of which it is then the run.
            ("2026-11-15T03:00:00Z", Some(("2026-11-15T02:00:00Z", Done)), false, false),
        ];
        for (now, last, wanted, due) in cases {
            let (last, now) = (last.map(|(started, state)| run(started, state)), at(now));
            assert_eq!(wanted_since(&plan, &job, last.as_ref(), now).is_some(), wanted, "{now} {last:?}");
            let started = plan.open(now).is_some_and(|open| is_due(&plan, &job, last.as_ref(), open, now));
            assert_eq!(started, due, "{now} {last:?}");
        }
        let off = PlannedJob { on: false, ..job };
        assert_eq!(wanted_since(&plan, &off, None, at("2026-11-08T02:00:00Z")), None);
    }

    /// Every day from 02:00 to 05:00 UTC, switched on in the hours of the 4th.
    #[test]
    fn what_was_missed_is_told_until_it_has_run() {
        let job = PlannedJob {
            on: true,
            since: Some(at("2026-11-04T03:00:00Z")),
            ..PlannedJob::off(JobKind::Backup, Rhythm::Day)
        };
        let plan = Plan { jobs: vec![job.clone()], ..Plan::default() };
        let cases: [(&str, Option<&str>, Option<&str>); 8] = [
            ("2026-11-04T04:00:00Z", None, None),
            ("2026-11-04T05:00:00Z", None, Some("2026-11-04T02:00:00Z")),
            // Also while the next hours last, in which it may run at any moment.
            ("2026-11-05T02:03:00Z", None, Some("2026-11-04T02:00:00Z")),
            ("2026-11-07T12:00:00Z", None, Some("2026-11-04T02:00:00Z")),
            ("2026-11-07T12:00:00Z", Some("2026-11-05T02:10:00Z"), Some("2026-11-06T02:00:00Z")),
            ("2026-11-06T04:59:00Z", Some("2026-11-05T02:10:00Z"), None),
            // What ran before it was switched on was another plan's.
            ("2026-11-05T02:03:00Z", Some("2026-11-01T02:10:00Z"), Some("2026-11-04T02:00:00Z")),
            ("2026-11-05T01:00:00Z", Some("2026-11-04T03:00:00Z"), None),
        ];
        for (now, good, expect) in cases {
            assert_eq!(missed_since(&plan, &job, good.map(at), at(now)), expect.map(at), "{now} {good:?}");
        }
    }

    #[test]
    fn only_its_own_oldest_files_are_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str| std::fs::write(folder.path().join(name), "x").expect("ours");
        let ours = [("20261001T020000Z", ""), ("20261101T020000Z", ".age"), ("20261201T020000Z", "")]
            .map(|(time, locked)| format!("watchpost-shop-{time}.wpbackup{locked}"));
        ours.iter().for_each(|name| write(name));
        let others = [
            "watchpost-shop-by-hand.wpbackup",
            "watchpost-shop-20250101T020000Z.wpbackup.old",
            "watchpost-shop-20250101T020000Z.age",
            "watchpost-other-20250101T020000Z.wpbackup",
            "watchpost-shop-2-20250101T020000Z.wpbackup",
        ];
        others.iter().for_each(|name| write(name));
        std::fs::create_dir(folder.path().join("watchpost-shop-20200101T020000Z.wpbackup")).expect("ours");
        assert_eq!(remove_oldest(folder.path(), "watchpost-shop-", 3), Vec::<String>::new());
        assert_eq!(remove_oldest(folder.path(), "watchpost-shop-", 2), [ours[0].clone()]);
        assert_eq!(remove_oldest(folder.path(), "watchpost-shop-", 0), [ours[1].clone(), ours[2].clone()]);
        let mut left: Vec<String> = std::fs::read_dir(folder.path())
            .expect("ours")
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
            .collect();
        left.sort_unstable();
        let mut stay: Vec<String> = others.iter().map(|name| (*name).to_owned()).collect();
        stay.push("watchpost-shop-20200101T020000Z.wpbackup".to_owned());
        stay.sort_unstable();
        assert_eq!(left, stay);
        assert_eq!(remove_oldest(std::path::Path::new("/nowhere/at/all"), "x", 0), Vec::<String>::new());
    }
}
