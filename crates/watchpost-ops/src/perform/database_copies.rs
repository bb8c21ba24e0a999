//! Copies of the audit database that the plan makes: which of them stay, and whether they can be put back.
//!
//! What a copy is stands in the audit trail: the record of the job that made and checked it names file and SHA-256. Nothing
//! else is ever removed or rehearsed as one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::Value;
use watchpost_model::audit::{AuditDraft, AuditOutcome, Change};
use watchpost_model::clock::Clock;
use watchpost_model::copies::{CopyKey, Generations};
use watchpost_model::job::{Fact, Figure, JobKind, JobProgress, JobReport, JobRun};
use watchpost_model::plan::Plan;
use watchpost_store::{OpenCopy, Store};

use super::database::{Part, decrypt, digest, encrypt, made, not_put, old_file, place_free, whole, whom};
use super::database_looked::{second, too_old};
use super::database_named::{
    KnownCopy, UNVERIFIED, altered, backed_up, known_copies, older_copies, with_rehearsals,
};
use super::scratch::{Scratch, sweep, take};
use super::{at_this_machine, plan, register, required};
use crate::age_file::{Keys, Locked, Whom};
use crate::blocking::off_the_runtime;
use crate::console::Workspace;
use crate::contract::{DatabaseCopyRun, DatabaseRehearse};
use crate::door::Context;
use crate::error::{ErrorCode, OpError};
use crate::jobs::{Ended, Ticket};

/// How the removal of copies is called in the trail.
const PRUNE: &str = "database_prune";
/// What stands behind the ending of a copy that is encrypted.
pub(super) const ENCRYPTED: &str = ".age";
/// What a rehearsal that nobody named a file for is called.
pub(super) const NEWEST: &str = "of the newest copy";

pub(crate) async fn database_copy_run(cx: Context, request: DatabaseCopyRun) -> Result<JobRun, OpError> {
    let workspace = cx.workspace()?;
    workspace.store().copies_can_be_made().await?;
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
    let (plain, encrypted) = (workspace.store().copy_ending(), if locked.is_some() { ENCRYPTED } else { "" });
    // Somewhere else than where the plan puts them nothing is removed.
    let is_planned = of_plan.as_ref() == Some(&folder);
    let keeps = planned.and_then(|job| job.generations).filter(|_| is_planned);
    let folder = PathBuf::from(folder);
    let (made, now, stem) = (folder.clone(), workspace.now(), plan::stem(&workspace));
    let name = format!("{stem}{}{plain}{encrypted}", now.format("%Y%m%dT%H%M%SZ"));
    let ours = format!(".{stem}");
    let is_part = move |name: &str| {
        let ending = |of: &str| name.contains(&format!("{plain}{of}.part-"));
        name.starts_with(&ours) && (ending("") || ending(ENCRYPTED))
    };
    let made = off_the_runtime(move || {
        if is_planned {
            plan::is_there(&made)?;
        } else {
            plan::make_last(&made).map_err(|error| {
                let message = format!("the folder {} cannot be made: {error}", made.display());
                OpError::invalid("folder", message).hint(plan::LAST_ONLY)
            })?;
        }
        sweep(&made, &is_part, now);
        Ok::<(), OpError>(())
    });
    made.await??;
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
    workspace.store().copy_to(&plain, &|| !ticket.cancel.is_cancelled()).await?;
    ticket.check()?;
    let mut copy = made(workspace.store(), cx.console.0.clock.clone(), &plain, &told(ticket)).await?;
    if let Some(locked) = locked {
        ticket.step("encrypting the copy".to_owned());
        encrypt(&mut copy, &plain, &part, locked, ticket.cancel.clone()).await?;
    }
    let path = &place_free(&part, path)?;
    report.figures = vec![Figure::bytes("file_bytes", "Size of the file", copy.bytes)];
    report.facts = vec![
        Fact::new("file", "File", path.to_string_lossy()),
        Fact::new("sha256", "SHA-256 of the file", copy.sha256.clone()),
    ];
    let verified = copy.unverified.is_none();
    match copy.unverified {
        Some(why) => report.facts.push(Fact::new(UNVERIFIED, "Not verified", why)),
        None => {
            report.figures.extend([
                Figure::count("records", "Records of its audit trail", count(copy.trail.leaves)),
                Figure::count("checkpoints", "Checkpoints that hold", count(copy.trail.checkpoints)),
            ]);
            report.facts.push(Fact::new("root", "Root of its audit trail", copy.trail.root));
        }
    }
    report.facts.extend(copy.encryption.map(|whom| Fact::new("encryption", "Encrypted", whom)));
    Ok(KnownCopy { path: path.to_owned(), sha256: copy.sha256, at: workspace.now(), verified })
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

/// Removes the copies that are no longer kept: only files that the trail names as copies, in the folder of the one that was
/// just made, and only while they are still what the trail says. The newest one stays whatever the plan says, and so does the
/// newest one that was verified.
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
    let known = with_rehearsals(workspace.store(), known).await?;
    let beside = |copy: &KnownCopy| copy.path.parent() == made.path.parent() && copy.path != made.path;
    let mut there: Vec<KnownCopy> =
        known.into_iter().filter(|copy| beside(copy) && copy.path.is_file()).collect();
    there.push(made.clone());
    let surplus = surplus(there, |times| keeps.kept(times, zone)).into_iter();
    let mut old = Vec::new();
    for copy in surplus.filter(|copy| copy.path != made.path) {
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

/// The copies that are no longer kept, where `kept` says which of some times stay. One that was not verified takes the place
/// of none that was.
fn surplus(copies: Vec<KnownCopy>, kept: impl Fn(&[DateTime<Utc>]) -> Vec<bool>) -> Vec<KnownCopy> {
    let all: Vec<DateTime<Utc>> = copies.iter().map(|copy| copy.at).collect();
    let verified: Vec<DateTime<Utc>> =
        copies.iter().filter(|copy| copy.verified).map(|copy| copy.at).collect();
    let (of_all, mut of_verified) = (kept(&all), kept(&verified).into_iter());
    let mut surplus = Vec::new();
    for (copy, kept) in copies.into_iter().zip(of_all) {
        let kept = if copy.verified { of_verified.next().unwrap_or(true) } else { kept };
        if !kept {
            surplus.push(copy);
        }
    }
    surplus
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
    workspace.store().copies_can_be_made().await?;
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
    let sha256 = taken.map_err(|error| not_put(&path, &copy, error))?;
    ticket.check()?;
    report.facts.push(Fact::new("sha256", "SHA-256 of the file", sha256.clone()));
    let tried = match named.as_ref().filter(|told| told.sha256 != sha256) {
        Some(told) => Err(altered(&path, told)),
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
    ticket.step("opening the copy".to_owned());
    let copy = workspace.store().open_copy(copy, &|| !ticket.cancel.is_cancelled()).await?;
    let tried = try_copy(cx.console.0.clock.clone(), workspace, &copy, ticket, report).await;
    copy.end().await;
    tried
}

async fn try_copy(
    clock: Arc<dyn Clock>,
    workspace: &Workspace,
    copy: &OpenCopy,
    ticket: &Ticket,
    report: &mut JobReport,
) -> Result<(), OpError> {
    let found = copy.check(clock.clone(), &told(ticket)).await?;
    report.figures.extend([
        Figure::bytes("file_bytes", "Size of the file", found.bytes),
        Figure::count("records", "Records of its audit trail", count(found.trail.leaves)),
        Figure::count("checkpoints", "Checkpoints that hold", count(found.trail.checkpoints)),
    ]);
    report.facts.push(Fact::new("root", "Root of its audit trail", found.trail.root.clone()));
    whole(&found.trail)?;
    let (log, kept) = workspace.store().erasures_kept().await?;
    let (of_copy, known) = copy.erasures().await?;
    if of_copy == log {
        let again = kept.iter().filter(|one| !known.contains(&one.id)).count();
        let title = "Erasures of people that would be done again";
        report.figures.push(Figure::count("erasures", title, again as u64));
    } else {
        report.notes.push("it is a copy of another database than this one".to_owned());
    }
    ticket.step("opening it for work".to_owned());
    let opened = Store::open_scratch(&copy.target(), clock).await?;
    let counts = opened.row_counts().await;
    opened.close().await;
    report.figures.extend(counts?.into_iter().map(|(name, title, n)| Figure::count(name, title, n)));
    Ok(())
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::{KnownCopy, surplus};

    /// A plan that keeps the newest two.
    fn two(times: &[DateTime<Utc>]) -> Vec<bool> {
        times.iter().map(|at| times.iter().filter(|other| *other > at).count() < 2).collect()
    }

    #[test]
    fn a_copy_that_was_not_verified_takes_the_place_of_none_that_was() {
        let copy = |(day, verified): &(u32, bool)| KnownCopy {
            path: format!("/copies/{day}").into(),
            sha256: day.to_string(),
            at: format!("2026-11-{day:02}T12:00:00Z").parse().expect("an instant of this test"),
            verified: *verified,
        };
        let gone = |copies: &[(u32, bool)]| -> Vec<String> {
            surplus(copies.iter().map(copy).collect(), two).into_iter().map(|copy| copy.sha256).collect()
        };
        assert_eq!(gone(&[(1, true), (2, true), (3, true)]), ["1"]);
        assert_eq!(gone(&[(1, true), (2, false), (3, false)]), [""; 0], "the verified one stays");
        assert_eq!(gone(&[(1, true), (2, true), (3, true), (4, false)]), ["1"]);
        assert_eq!(gone(&[(1, false), (2, false), (3, false)]), ["1"], "they do not pile up");
        assert_eq!(gone(&[(1, false), (2, true), (3, true)]), ["1"]);
    }
}
