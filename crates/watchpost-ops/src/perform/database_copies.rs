//! Copies of the audit database that the plan makes: which of them stay, and whether they can be put back.
//!
//! What a copy is stands in the audit trail: the record of the job that made and checked it names file and SHA-256. Nothing
//! else is ever removed or rehearsed as one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use serde_json::Value;
use watchpost_model::audit::{AuditDraft, AuditFilter, AuditOutcome, AuditRecord, Change, JOB_ENDED};
use watchpost_model::clock::Clock;
use watchpost_model::copies::{CopyKey, Generations};
use watchpost_model::job::{Fact, Figure, JobKind, JobProgress, JobReport, JobRun, JobState};
use watchpost_model::plan::Plan;
use watchpost_store::{DatabaseTarget, Store, check_copy, erasures_of_copy};

use super::database::{Part, checked, decrypt, digest, encrypt, old_file, place, whole, whom};
use super::database_migrated::MIGRATE;
use super::scratch::{Scratch, sweep, take};
use super::{at_this_machine, plan, register, required};
use crate::age_file::{Keys, Locked, Whom};
use crate::blocking::off_the_runtime;
use crate::console::Workspace;
use crate::contract::{DatabaseCopies, DatabaseCopyRun, DatabaseRehearse, Nothing};
use crate::door::Context;
use crate::error::{ErrorCode, OpError};
use crate::jobs::{Ended, Ticket};

/// The operation whose records name copies.
const COPY: &str = "database_copy_run";
/// The operation that makes one by hand.
const BACKUP: &str = "database_backup";
/// How the removal of copies is called in the trail.
const PRUNE: &str = "database_prune";
/// What a copy is called after its time.
const ENDING: &str = ".db";
/// The same of an encrypted one.
const ENDING_ENCRYPTED: &str = ".db.age";
/// What a rehearsal that nobody named a file for is called.
const NEWEST: &str = "of the newest copy";
/// Runs of a kind that are looked through for the newest one that tells something.
const RUNS: u32 = 50;

/// A copy, as the audit trail names it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct KnownCopy {
    path: PathBuf,
    sha256: String,
    at: DateTime<Utc>,
}

pub(crate) async fn database_copy_run(cx: Context, request: DatabaseCopyRun) -> Result<JobRun, OpError> {
    let workspace = cx.workspace()?;
    workspace.store().copied_file()?;
    let plan = plan::current(&workspace).await?;
    let planned = plan.job(JobKind::DatabaseBackup);
    let of_plan = planned.and_then(|job| job.folder.clone());
    let folder = match &request.folder {
        Some(folder) => {
            at_this_machine(&cx)?;
            required("folder", folder, 1_000)?
        }
        None => of_plan.clone().ok_or_else(|| {
            OpError::invalid("folder", "no folder is set for copies of the database")
                .hint("name one, or set it: `watchpost schedule on database_backup --daily --folder FOLDER`")
        })?,
    };
    if !Path::new(&folder).is_absolute() {
        return Err(OpError::invalid("folder", "write the folder as an absolute path"));
    }
    let encryption = match &request.encryption {
        Some(encryption) => {
            at_this_machine(&cx)?;
            Some(encryption)
        }
        None => planned.and_then(|job| job.encryption.as_ref()),
    };
    let locked = encryption.map(Locked::by).transpose()?;
    let ending = if locked.is_some() { ENDING_ENCRYPTED } else { ENDING };
    // Somewhere else than where the plan puts them nothing is removed.
    let keeps = planned.and_then(|job| job.generations).filter(|_| of_plan.as_ref() == Some(&folder));
    let folder = PathBuf::from(folder);
    let (made, now, stem) = (folder.clone(), workspace.now(), plan::stem(&workspace));
    let name = format!("{stem}{}{ending}", now.format("%Y%m%dT%H%M%SZ"));
    let ours = format!(".{stem}");
    let is_part = move |name: &str| {
        let ending = |of: &str| name.contains(&format!("{of}.part-"));
        name.starts_with(&ours) && (ending(ENDING) || ending(ENDING_ENCRYPTED))
    };
    let made = off_the_runtime(move || {
        std::fs::create_dir_all(&made)?;
        sweep(&made, &is_part, now);
        std::io::Result::Ok(())
    });
    made.await?.map_err(|error| OpError::invalid("folder", format!("it cannot be made: {error}")))?;
    let path = folder.join(name);
    let parameters = format!("to {}", path.display());
    let (context, job) = (cx.clone(), workspace.clone());
    workspace
        .jobs()
        .start(&cx, &workspace, JobKind::DatabaseBackup, parameters, move |ticket| async move {
            let mut report = JobReport::default();
            let result = Box::pin(copy(&context, &job, &path, locked, &ticket, &mut report)).await;
            if let (Ok(made), Some(keeps)) = (&result, keeps)
                && let Err(error) = prune(&context, &job, made, keeps, &plan, &ticket, &mut report).await
            {
                // The copy is good whatever became of older ones.
                report.notes.push(format!("older copies were not removed: {error}"));
            }
            Ended { report, error: result.err() }
        })
        .await
}

/// Copies, checks the copy, and only then gives it its name.
async fn copy(
    cx: &Context,
    workspace: &Workspace,
    path: &Path,
    locked: Option<Locked>,
    ticket: &Ticket,
    report: &mut JobReport,
) -> Result<KnownCopy, OpError> {
    // What the copy holds is covered by a checkpoint as far as this console can sign one.
    workspace.keep_watch("backup").await?;
    let part = Part::of(path);
    // The folder may be on another disk, or another machine: what is to be encrypted is not plain there for a moment.
    let scratch = match &locked {
        Some(_) => Some(Scratch::make(cx).await?),
        None => None,
    };
    let plain = scratch.as_ref().map_or_else(|| part.path().to_owned(), |scratch| scratch.file("copy.db"));
    ticket.step("copying the database".to_owned());
    workspace.store().copy_to(&plain).await?;
    ticket.check()?;
    let mut copy = checked(cx.console.0.clock.clone(), &plain, &told(ticket)).await?;
    whole(&copy.trail)?;
    if let Some(locked) = locked {
        ticket.step("encrypting the copy".to_owned());
        encrypt(&mut copy, &plain, &part, locked, ticket.cancel.clone()).await?;
    }
    place(&part, path)?;
    report.figures = vec![
        Figure::bytes("file_bytes", "Size of the file", copy.bytes),
        Figure::count("records", "Records of its audit trail", count(copy.trail.leaves)),
        Figure::count("checkpoints", "Checkpoints that hold", count(copy.trail.checkpoints)),
    ];
    report.facts = vec![
        Fact::new("file", "File", path.to_string_lossy()),
        Fact::new("sha256", "SHA-256 of the file", copy.sha256.clone()),
        Fact::new("root", "Root of its audit trail", copy.trail.root),
    ];
    report.facts.extend(copy.encryption.map(|whom| Fact::new("encryption", "Encrypted", whom)));
    Ok(KnownCopy { path: path.to_owned(), sha256: copy.sha256, at: workspace.now() })
}

/// Tells how far the check of a copy is; false when it is to stop.
fn told(ticket: &Ticket) -> impl Fn(u64, u64) -> bool + Send + Sync {
    move |done, total| {
        ticket.progress(JobProgress {
            done,
            total: Some(total),
            unit: "records".to_owned(),
            step: "checking the copy".to_owned(),
        });
        !ticket.cancel.is_cancelled()
    }
}

fn count(n: i64) -> u64 {
    u64::try_from(n).unwrap_or_default()
}

/// The copies that the audit trail names, newest first; whether they are still there is another matter.
async fn known_copies(store: &Store) -> Result<Vec<KnownCopy>, OpError> {
    named(store, COPY, copy_of).await
}

/// The same of those that were made before the schema was changed. They are no copies of the database as it is.
async fn older_copies(store: &Store) -> Result<Vec<KnownCopy>, OpError> {
    named(store, MIGRATE, file_of).await
}

/// The copies that the records of an action name, newest first.
async fn named(
    store: &Store,
    action: &str,
    of: fn(&AuditRecord) -> Option<KnownCopy>,
) -> Result<Vec<KnownCopy>, OpError> {
    let filter = AuditFilter {
        action: Some(action.to_owned()),
        outcome: Some(AuditOutcome::Success),
        ..AuditFilter::default()
    };
    let (mut known, mut named, mut before) = (Vec::new(), BTreeSet::new(), None);
    loop {
        let page = store.audit_page(&filter, before, 500).await?;
        let Some(last) = page.last().map(|record| record.seq) else { return Ok(known) };
        known.extend(page.iter().filter_map(of).filter(|copy| named.insert(copy.path.clone())));
        before = Some(last);
    }
}

/// What the audit trail tells of a file that somebody had made by hand (`database backup`): the newest record that names it.
async fn backed_up(store: &Store, path: &Path) -> Result<Option<KnownCopy>, OpError> {
    let filter = AuditFilter {
        action: Some(BACKUP.to_owned()),
        outcome: Some(AuditOutcome::Success),
        ..AuditFilter::default()
    };
    let object = format!("file/{}", path.display());
    let mut before = None;
    loop {
        let page = store.audit_page(&filter, before, 500).await?;
        let Some(last) = page.last().map(|record| record.seq) else { return Ok(None) };
        if let Some(record) = page.iter().find(|record| record.object == object) {
            let sha256 = said(record, "sha256").map(str::to_owned);
            return Ok(sha256.map(|sha256| KnownCopy { path: path.to_owned(), sha256, at: record.at }));
        }
        before = Some(last);
    }
}

/// The copy that the end of a job tells of. One that was stopped made none.
fn copy_of(record: &AuditRecord) -> Option<KnownCopy> {
    if said(record, JOB_ENDED)? != JobState::Done.as_str() {
        return None;
    }
    file_of(record)
}

fn file_of(record: &AuditRecord) -> Option<KnownCopy> {
    let path = PathBuf::from(said(record, "file")?);
    Some(KnownCopy { path, sha256: said(record, "sha256")?.to_owned(), at: record.at })
}

fn said<'r>(record: &'r AuditRecord, field: &str) -> Option<&'r str> {
    record.changes.iter().find(|change| change.field == field)?.new.as_str()
}

/// Removes the copies that are no longer kept: only files that the trail names as copies, in the folder of the one that was
/// just made, and only while they are still what the trail says. The newest one stays whatever the plan says.
async fn prune(
    cx: &Context,
    workspace: &Workspace,
    made: &KnownCopy,
    keeps: Generations,
    plan: &Plan,
    ticket: &Ticket,
    report: &mut JobReport,
) -> Result<(), OpError> {
    let zone = plan.zone().map_err(|problem| OpError::invalid("time_zone", problem))?;
    let mut known = known_copies(workspace.store()).await?;
    known.extend(older_copies(workspace.store()).await?);
    let beside = |copy: &KnownCopy| copy.path.parent() == made.path.parent() && copy.path != made.path;
    let mut there: Vec<KnownCopy> =
        known.into_iter().filter(|copy| beside(copy) && copy.path.is_file()).collect();
    there.push(made.clone());
    let times: Vec<DateTime<Utc>> = there.iter().map(|copy| copy.at).collect();
    let kept = keeps.kept(&times, zone);
    let mut old = Vec::new();
    for (copy, _) in there.into_iter().zip(kept).filter(|(copy, kept)| !kept && copy.path != made.path) {
        ticket.check()?;
        ticket.step(format!("looking at {}", copy.path.display()));
        let path = copy.path.clone();
        match off_the_runtime(move || digest(&path)).await? {
            Ok(sha256) if sha256 == copy.sha256 => old.push(copy),
            Ok(_) => report.notes.push(format!(
                "{} was left alone: it is not the copy that the audit trail names",
                copy.path.display()
            )),
            Err(error) => report.notes.push(format!("{} was left alone: {error}", copy.path.display())),
        }
    }
    if old.is_empty() {
        return Ok(());
    }
    let Generations { daily, weekly, monthly } = keeps;
    let why = format!("the plan keeps copies of {daily} days, {weekly} weeks and {monthly} months");
    let record = |outcome: AuditOutcome, copies: &[KnownCopy]| AuditDraft {
        action: PRUNE.to_owned(),
        ..cx.record_as(outcome, "job_plan/database_backup", changes(copies), Some(why.clone()))
    };
    // What is about to go stands in the trail before it goes, and what went after.
    workspace.store().audit_append(record(AuditOutcome::Started, &old)).await?;
    let is_gone = |copy: &KnownCopy| std::fs::remove_file(&copy.path).is_ok();
    let went = off_the_runtime(move || old.into_iter().partition::<Vec<KnownCopy>, _>(is_gone));
    let (gone, left) = went.await?;
    let outcome = if left.is_empty() { AuditOutcome::Success } else { AuditOutcome::Failure };
    workspace.store().audit_append(record(outcome, &gone)).await?;
    report.figures.push(Figure::count("removed", "Older copies removed", gone.len() as u64));
    let failed = left.iter().map(|copy| format!("{} could not be removed", copy.path.display()));
    report.notes.extend(gone.iter().map(|copy| format!("removed {}", copy.path.display())).chain(failed));
    Ok(())
}

fn changes(copies: &[KnownCopy]) -> Vec<Change> {
    let gone = |copy: &KnownCopy| {
        let text = format!("{} {}", copy.sha256, copy.path.display());
        Change::new("copy", text, Value::Null)
    };
    copies.iter().map(gone).collect()
}

pub(crate) async fn database_rehearse_run(cx: Context, request: DatabaseRehearse) -> Result<JobRun, OpError> {
    let workspace = cx.workspace()?;
    workspace.store().copied_file()?;
    let wanted = request.path.as_deref().map(|path| old_file(&cx, path)).transpose()?;
    let plan = plan::current(&workspace).await?;
    let planned = plan.job(JobKind::DatabaseRehearsal);
    let days = planned.and_then(|job| job.max_age_days);
    if request.key.is_some() {
        at_this_machine(&cx)?;
    }
    let key = request.key.or_else(|| planned.and_then(|job| job.key.clone()));
    let parameters = wanted.as_ref().map_or(NEWEST.to_owned(), |path| format!("of {}", path.display()));
    let (context, job) = (cx.clone(), workspace.clone());
    workspace
        .jobs()
        .start(&cx, &workspace, JobKind::DatabaseRehearsal, parameters, move |ticket| async move {
            let mut report = JobReport::default();
            let result = Box::pin(rehearse(&context, &job, wanted, key, days, &ticket, &mut report)).await;
            if let Err(problem) = &result
                && problem.code != ErrorCode::Cancelled
            {
                tracing::error!(%problem, "the rehearsal of a copy of the database failed");
            }
            Ended { report, error: result.err() }
        })
        .await
}

/// Does all that putting a copy back would do, in a scratch place.
async fn rehearse(
    cx: &Context,
    workspace: &Workspace,
    wanted: Option<PathBuf>,
    key: Option<CopyKey>,
    days: Option<u32>,
    ticket: &Ticket,
    report: &mut JobReport,
) -> Result<(), OpError> {
    let (is_newest, began_at) = (wanted.is_none(), workspace.now());
    let known = known_copies(workspace.store()).await?;
    let named = match &wanted {
        Some(path) => {
            let older = older_copies(workspace.store()).await?;
            match known.into_iter().chain(older).find(|copy| copy.path == *path) {
                None => backed_up(workspace.store(), path).await?,
                copy => copy,
            }
        }
        None => known.into_iter().next(),
    };
    let path = wanted.or_else(|| named.as_ref().map(|copy| copy.path.clone())).ok_or_else(|| {
        OpError::precondition("there is no copy of the database that the audit trail names")
            .hint("`watchpost database copy` makes one")
    })?;
    report.facts.push(Fact::new("file", "File", path.to_string_lossy()));
    let origin = named.as_ref().map_or("not a copy that the audit trail names".to_owned(), |copy| {
        format!("made {}, as the audit trail says", second(copy.at))
    });
    report.facts.push(Fact::new("origin", "Origin", origin));
    let scratch = Scratch::make(cx).await?;
    let copy = scratch.file("copy");
    ticket.step("copying it to a scratch place".to_owned());
    let (from, to, stop) = (path.clone(), copy.clone(), ticket.cancel.clone());
    let taken = off_the_runtime(move || take(&from, &to, &stop)).await?;
    let sha256 = taken.map_err(|error| OpError::unreadable("path", &path, error))?;
    ticket.check()?;
    report.facts.push(Fact::new("sha256", "SHA-256 of the file", sha256.clone()));
    let tried = match named.as_ref().filter(|told| told.sha256 != sha256) {
        Some(told) => Err(OpError::precondition(format!(
            "{} is not the copy that was made: the audit trail says SHA-256 {}",
            path.display(),
            told.sha256
        ))),
        None => match plain(&scratch, copy, &path, key.as_ref(), ticket, report).await {
            Ok(plain) => put_back(cx, workspace, &plain, ticket, report).await,
            Err(problem) => Err(problem),
        },
    };
    if named.is_some() {
        register::restore_tested(cx, workspace, began_at, &path, report, tried.as_ref().err()).await?;
    }
    tried?;
    if let (true, Some(days), Some(told)) = (is_newest, days, &named)
        && let Some(problem) = too_old(Some(told.at), days, workspace.now())
    {
        return Err(OpError::precondition(problem).hint("`watchpost schedule show` says why none was made"));
    }
    report.facts.push(Fact::new("verdict", "Rehearsal", "the copy can be put back"));
    Ok(())
}

/// The plain copy in a scratch place: the taken one, or what it is when it is opened. Without what opens it nothing was
/// tried: that is `Validation`.
async fn plain(
    scratch: &Scratch,
    taken: PathBuf,
    path: &Path,
    key: Option<&CopyKey>,
    ticket: &Ticket,
    report: &mut JobReport,
) -> Result<PathBuf, OpError> {
    let Some(whom) = whom(&taken).await? else { return Ok(taken) };
    report.facts.push(Fact::new("encryption", "Encrypted", whom.to_string()));
    let how = match whom {
        Whom::Recipients(_) => "--identity FILE",
        Whom::Passphrase => "--passphrase-file FILE",
    };
    let cannot = |why: String| {
        OpError::invalid("key", format!("{} cannot be rehearsed: {why}", path.display())).hint(format!(
            "name what opens it, for once with `watchpost database rehearse {how}`, for the plan with \
             `watchpost schedule on database_rehearsal {how}`"
        ))
    };
    let Some(key) = key else {
        return Err(cannot(format!("it is encrypted {whom}, and no key for it is named")));
    };
    let keys = Keys::by(Some(key)).map_err(|problem| cannot(problem.message))?;
    ticket.step("decrypting the copy".to_owned());
    let opened = scratch.file("opened.db");
    match decrypt(&taken, &opened, whom, keys, ticket.cancel.clone()).await {
        Err(problem) if problem.code == ErrorCode::Validation => {
            Err(cannot(format!("it is encrypted {whom}, and what is named does not open it")))
        }
        Err(problem) => Err(problem),
        Ok(()) => {
            // The room is wanted for opening it.
            drop(std::fs::remove_file(&taken));
            Ok(opened)
        }
    }
}

/// Checks a copy in a scratch place as a restore does, and opens it for work.
async fn put_back(
    cx: &Context,
    workspace: &Workspace,
    copy: &Path,
    ticket: &Ticket,
    report: &mut JobReport,
) -> Result<(), OpError> {
    let clock: Arc<dyn Clock> = cx.console.0.clock.clone();
    let found = check_copy(copy, clock.clone(), &told(ticket)).await?;
    report.figures.extend([
        Figure::bytes("file_bytes", "Size of the file", found.bytes),
        Figure::count("records", "Records of its audit trail", count(found.trail.leaves)),
        Figure::count("checkpoints", "Checkpoints that hold", count(found.trail.checkpoints)),
    ]);
    report.facts.push(Fact::new("root", "Root of its audit trail", found.trail.root.clone()));
    whole(&found.trail)?;
    let (log, kept) = workspace.store().erasures_kept().await?;
    let (of_copy, known) = erasures_of_copy(copy).await?;
    if of_copy == log {
        let again = kept.iter().filter(|one| !known.contains(&one.id)).count();
        let title = "Erasures of people that would be done again";
        report.figures.push(Figure::count("erasures", title, again as u64));
    } else {
        report.notes.push("it is a copy of another database than this one".to_owned());
    }
    ticket.step("opening it for work".to_owned());
    let target = DatabaseTarget::Sqlite { path: copy.to_owned() };
    let opened = Store::open_without_copy(&target, clock).await?;
    let counts = opened.row_counts().await;
    opened.close().await;
    report.figures.extend(counts?.into_iter().map(|(name, title, n)| Figure::count(name, title, n)));
    Ok(())
}

pub(crate) async fn database_copies(cx: Context, _: Nothing) -> Result<DatabaseCopies, OpError> {
    let workspace = cx.workspace()?;
    let plan = plan::current(&workspace).await?;
    let looked = Looked::at(&workspace).await?;
    let problem = looked.problem(&plan, workspace.now());
    let state = plan::stands(&workspace, plan).await?;
    let next = |kind: JobKind| state.jobs.iter().find(|job| job.kind == kind).and_then(|job| job.next);
    let folder = state.plan.job(JobKind::DatabaseBackup).and_then(|job| job.folder.clone());
    Ok(DatabaseCopies {
        engine: workspace.store().engine_name().to_owned(),
        copied: workspace.store().copied_file().is_ok(),
        folder,
        last: looked.copy,
        next: next(JobKind::DatabaseBackup),
        rehearsal: looked.rehearsal,
        next_rehearsal: next(JobKind::DatabaseRehearsal),
        problem,
    })
}

/// What is wrong with the copies of the database, for the status: nobody looks at copies before they are needed.
pub(crate) async fn copies_problem(workspace: &Workspace) -> Result<Option<String>, OpError> {
    let plan = plan::current(workspace).await?;
    if plan.jobs.iter().all(|job| !job.on || !job.kind.is_of_database()) {
        return Ok(None);
    }
    Ok(Looked::at(workspace).await?.problem(&plan, workspace.now()))
}

/// The newest copy that was made, and the newest rehearsal of one that came to an end.
struct Looked {
    copy: Option<JobRun>,
    rehearsal: Option<JobRun>,
    /// What is wrong with the file of the copy.
    file: Option<String>,
}

impl Looked {
    async fn at(workspace: &Workspace) -> Result<Self, OpError> {
        let copies = workspace.store().job_runs_of(JobKind::DatabaseBackup, RUNS).await?;
        let rehearsals = workspace.store().job_runs_of(JobKind::DatabaseRehearsal, RUNS).await?;
        let has_ended = |run: &JobRun| matches!(run.state, JobState::Done | JobState::Failed);
        let copy = copies.into_iter().find(|run| run.state == JobState::Done);
        let made = copy.as_ref().and_then(|run| run.report.clone());
        let file = off_the_runtime(move || made.as_ref().and_then(file_problem)).await?;
        Ok(Self {
            copy,
            file,
            // Whoever tries a file of theirs learns it there and then.
            rehearsal: rehearsals.into_iter().find(|run| run.parameters == NEWEST && has_ended(run)),
        })
    }

    fn problem(&self, plan: &Plan, now: DateTime<Utc>) -> Option<String> {
        let made = self.copy.as_ref().map(|run| run.started_at);
        if let Some(failed) = self.rehearsal.as_ref().filter(|run| run.state == JobState::Failed) {
            let why = failed.error.clone().unwrap_or_default();
            return Some(format!("the newest rehearsal of a copy of the database failed: {why}"));
        }
        if self.file.is_some() {
            return self.file.clone();
        }
        let job = plan.job(JobKind::DatabaseRehearsal).filter(|job| job.on)?;
        let days = job.max_age_days?;
        // Of a plan of today no copy is late yet.
        too_old(made.max(job.since), days, now)?;
        too_old(made, days, now)
    }
}

/// What a look at the newest copy shows: that a job made it once does not say that it is there. Whether all of it is whole
/// a rehearsal tells.
fn file_problem(made: &JobReport) -> Option<String> {
    let path = Path::new(&made.facts.iter().find(|fact| fact.name == "file")?.text);
    let size = made.figures.iter().find(|figure| figure.name == "file_bytes");
    let wrong = |what: String| Some(format!("the newest copy of the database, {}, {what}", path.display()));
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            wrong("is not there any more".to_owned())
        }
        Err(error) => wrong(format!("cannot be looked at: {error}")),
        Ok(about) if !about.is_file() => wrong("is no file any more".to_owned()),
        Ok(about)
            if size.is_some_and(|size| Figure::bytes(&size.name, &size.title, about.len()) != *size) =>
        {
            wrong(format!("has {} bytes, which is not what was written", about.len()))
        }
        Ok(_) => None,
    }
}

/// What is wrong with the age of the newest copy.
fn too_old(made: Option<DateTime<Utc>>, days: u32, now: DateTime<Utc>) -> Option<String> {
    match made {
        None => Some("there is no copy of the database".to_owned()),
        Some(at) if now - at > Duration::days(days.into()) => Some(format!(
            "the newest copy of the database is of {}; the plan asks for one of the last {days} days",
            second(at)
        )),
        Some(_) => None,
    }
}

fn second(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use watchpost_model::ids::JobId;
    use watchpost_model::job::{JobKind, JobProgress, JobRun, JobState};
    use watchpost_model::plan::Plan;

    use super::{Looked, NEWEST};

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant of this test")
    }

    fn run(kind: JobKind, started_at: &str, state: JobState) -> JobRun {
        JobRun {
            id: JobId::at(at(started_at)),
            kind,
            state,
            parameters: NEWEST.to_owned(),
            started_by: "schedule".to_owned(),
            started_at: at(started_at),
            ended_at: None,
            progress: JobProgress { done: 0, total: None, unit: String::new(), step: String::new() },
            report: None,
            error: (state == JobState::Failed).then(|| "the pages are damaged".to_owned()),
        }
    }

    #[test]
    fn what_is_wrong_with_copies_is_told() {
        let mut plan = Plan::default();
        let switched_on = at("2026-11-01T12:00:00Z");
        let job = plan.jobs.iter_mut().find(|job| job.kind == JobKind::DatabaseRehearsal).expect("there");
        (job.on, job.since, job.max_age_days) = (true, Some(switched_on), Some(7));
        let copy = |day: &str| Some(run(JobKind::DatabaseBackup, day, JobState::Done));
        let rehearsal =
            |state: JobState| Some(run(JobKind::DatabaseRehearsal, "2026-11-01T02:00:00Z", state));
        let said = |copy: Option<JobRun>, rehearsal: Option<JobRun>, now: &str| {
            Looked { copy, rehearsal, file: None }.problem(&plan, at(now)).unwrap_or_default()
        };
        assert_eq!(said(None, None, "2026-11-08T12:00:00Z"), "", "a week after it was switched on");
        assert!(said(None, None, "2026-11-08T12:00:01Z").contains("no copy"));
        let of_november = || copy("2026-11-09T02:00:00Z");
        assert_eq!(said(of_november(), None, "2026-11-16T02:00:00Z"), "");
        assert!(said(of_november(), None, "2026-11-16T02:00:01Z").contains("2026-11-09T02:00:00Z"));
        let older = || copy("2026-10-01T02:00:00Z");
        assert_eq!(said(older(), None, "2026-11-08T12:00:00Z"), "", "the plan is a week old");
        assert!(said(older(), None, "2026-11-09T00:00:00Z").contains("2026-10-01"));
        assert_eq!(said(of_november(), rehearsal(JobState::Done), "2026-11-10T02:00:00Z"), "");
        let failed = said(of_november(), rehearsal(JobState::Failed), "2026-11-10T02:00:00Z");
        assert!(failed.contains("the pages are damaged"), "{failed}");
        let nothing = Looked { copy: None, rehearsal: None, file: None };
        assert_eq!(
            nothing.problem(&Plan::default(), at("2030-01-01T00:00:00Z")),
            None,
            "nothing was asked for"
        );
    }
}
