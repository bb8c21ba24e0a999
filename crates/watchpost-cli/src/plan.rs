//! `schedule`: maintenance that runs by itself.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use watchpost_model::copies::{CopyEncryption, Generations};
use watchpost_model::job::JobKind;
use watchpost_model::period::Period;
use watchpost_model::plan::{ClockTime, Plan, PlannedJob, Rhythm, WeekDay};
use watchpost_ops::contract::{JobPlanPut, JobPlanState, NotStarted, Nothing, PlannedState};
use watchpost_ops::door::operation;

use crate::args::Output;
use crate::copy_keys::{absolute, key, recipients};
use crate::output::{at, line, table};
use crate::session::Session;
use crate::show::either;

/// Maintenance that runs by itself.
#[derive(Debug, Subcommand)]
pub(crate) enum Schedule {
    /// Show the off-peak hours, the jobs, when each runs next, and how it went.
    Show,
    /// Choose the off-peak hours. Jobs begin in them and are stopped when they are over; the next night goes on.
    Hours {
        /// When they begin, HH:MM.
        #[arg(long)]
        from: Option<ClockTime>,
        /// When they end, HH:MM; on the next day, if that is not after their beginning.
        #[arg(long)]
        to: Option<ClockTime>,
        /// Name of the time zone: Europe/Berlin, America/New_York, UTC.
        #[arg(long)]
        time_zone: Option<String>,
        /// Why; it stands in the audit trail.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Have a job run by itself.
    On(On),
    /// Stop having a job run by itself.
    Off {
        /// Which; `all` for every one.
        #[arg(value_parser = which)]
        job: Which,
        /// Why; it stands in the audit trail.
        #[arg(long)]
        reason: Option<String>,
    },
}

/// Which job, and how often.
#[derive(Debug, Args)]
pub(crate) struct On {
    /// cleanup, aggregate, retention, optimize, benchmark or backup; database_backup (copy the audit database) or
    /// database_rehearsal (rehearse the newest copy); `all` for those that need nothing more, as often as they are set.
    #[arg(value_parser = which)]
    job: Which,
    /// Each day.
    #[arg(long, group = "rhythm")]
    daily: bool,
    /// Each week on this day: monday, ... sunday.
    #[arg(long, value_name = "DAY", group = "rhythm")]
    weekly: Option<WeekDay>,
    /// Each month on this day: 1 to 28.
    #[arg(long, value_name = "DAY", group = "rhythm", value_parser = clap::value_parser!(u8).range(1..=28))]
    monthly: Option<u8>,
    /// Of a backup and of database_backup: the folder for the files, on the machine that runs the engine.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Of a backup: so many files stay; older ones of the plan are removed after a backup that ended well.
    #[arg(long)]
    keep: Option<u32>,
    /// Of database_backup: the newest copies of so many days stay, 7 if nothing was set.
    #[arg(long, value_name = "DAYS")]
    keep_daily: Option<u32>,
    /// Of database_backup: the newest copies of so many weeks stay, 5 if nothing was set.
    #[arg(long, value_name = "WEEKS")]
    keep_weekly: Option<u32>,
    /// Of database_backup: the newest copies of so many months stay, 12 if nothing was set.
    #[arg(long, value_name = "MONTHS")]
    keep_monthly: Option<u32>,
    /// Of database_rehearsal: raise the alarm when the newest copy is older than so many days, 7 if nothing was set.
    #[arg(long, value_name = "DAYS")]
    max_age_days: Option<u32>,
    /// Of a backup and of database_backup: encrypt the files, in the age format, for whoever has the secret key of this public
    /// one (X25519, age1...). Repeatable; those that were set go.
    #[arg(long, value_name = "RECIPIENT")]
    recipient: Vec<String>,
    /// The same for each public key in this file, one a line. Repeatable.
    #[arg(long, value_name = "FILE")]
    recipients_file: Vec<PathBuf>,
    /// Of a backup and of database_backup: encrypt the files with the passphrase in this file instead; of database_rehearsal:
    /// the file with the passphrase that opens them. On the machine that runs the engine.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["recipient", "recipients_file"])]
    passphrase_file: Option<PathBuf>,
    /// Of database_rehearsal: the age identity file that opens encrypted copies, on the machine that runs the engine. Whoever
    /// reads that machine then reads the copies.
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// Of a backup and of database_backup: encrypt the files no more; of database_rehearsal: name no key any more.
    #[arg(long, conflicts_with_all = ["recipient", "recipients_file", "passphrase_file", "identity"])]
    no_encryption: bool,
    /// Why; it stands in the audit trail.
    #[arg(long)]
    reason: Option<String>,
}

/// One job, or all.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Which {
    /// One.
    One(JobKind),
    /// All.
    All,
}

fn which(text: &str) -> Result<Which, String> {
    if text == "all" {
        return Ok(Which::All);
    }
    let known = || Plan::KINDS.map(|kind| kind.to_string()).join(", ");
    match text.parse() {
        Ok(kind) if Plan::KINDS.contains(&kind) => Ok(Which::One(kind)),
        _ => Err(format!("{text:?} does not run by itself: write all or one of {}", known())),
    }
}

impl Which {
    fn is(self, kind: JobKind) -> bool {
        match self {
            Self::All => true,
            Self::One(one) => one == kind,
        }
    }
}

pub(crate) async fn schedule(session: &Session, form: Output, verb: Schedule) -> anyhow::Result<bool> {
    let state = session.ask::<operation::job_plan>(Nothing {}).await?;
    let (plan, reason) = match verb {
        Schedule::Show => {
            shown(form, &state)?;
            return Ok(state.jobs.iter().any(|job| job.missed_since.is_some() || job.not_started.is_some()));
        }
        Schedule::Hours { from, to, time_zone, reason } => {
            let plan = state.plan;
            if from.is_none() && to.is_none() && time_zone.is_none() {
                bail!("say what to change: --from, --to or --time-zone");
            }
            let plan = Plan {
                from: from.unwrap_or(plan.from),
                to: to.unwrap_or(plan.to),
                time_zone: time_zone.unwrap_or(plan.time_zone),
                ..plan
            };
            (plan, reason)
        }
        Schedule::On(on) => (switched_on(state.plan, &on)?, on.reason),
        Schedule::Off { job, reason } => {
            let mut plan = state.plan;
            for planned in plan.jobs.iter_mut().filter(|planned| job.is(planned.kind)) {
                planned.on = false;
            }
            (plan, reason)
        }
    };
    let session = session.because(reason.clone());
    let state = session.ask::<operation::job_plan_put>(JobPlanPut { plan, reason }).await?;
    shown(form, &state)?;
    Ok(false)
}

fn switched_on(mut plan: Plan, on: &On) -> anyhow::Result<Plan> {
    let rhythm = match (on.daily, on.weekly, on.monthly) {
        (true, ..) => Some(Rhythm::Day),
        (_, Some(day), _) => Some(Rhythm::Week { on: day }),
        (.., Some(day)) => Some(Rhythm::Month { on: day }),
        (false, None, None) => None,
    };
    let folder = on.folder.as_ref().map(std::path::absolute).transpose()?;
    let folder = folder.map(|folder| folder.to_string_lossy().into_owned());
    if let Which::One(kind) = on.job
        && plan.jobs.iter().all(|job| job.kind != kind)
    {
        let rhythm = rhythm.unwrap_or(Rhythm::Day);
        plan.jobs.push(PlannedJob::off(kind, rhythm));
    }
    let mut any = false;
    let has_copies = plan.job(JobKind::DatabaseBackup).is_some_and(|job| job.folder.is_some());
    let opens_none = plan.rehearsal_lacks().is_some();
    for job in plan.jobs.iter_mut().filter(|job| on.job.is(job.kind)) {
        let is_backup = job.kind == JobKind::Backup;
        let lacks_something = (is_backup && folder.is_none() && job.folder.is_none())
            || (job.kind.is_of_database() && !has_copies)
            || (job.kind == JobKind::DatabaseRehearsal && opens_none);
        if matches!(on.job, Which::All) && lacks_something {
            continue;
        }
        any = true;
        job.on = true;
        job.rhythm = rhythm.unwrap_or(job.rhythm);
        if is_backup || matches!(on.job, Which::One(_)) {
            job.folder = folder.clone().or_else(|| job.folder.take());
            job.keep = on.keep.or(job.keep);
        }
        if matches!(on.job, Which::One(_)) {
            job.generations = generations(on, job);
            job.max_age_days = on.max_age_days.or(job.max_age_days);
            encryption(on, job)?;
        }
    }
    any.then_some(plan).context("there is nothing to switch on")
}

/// Which copies stay: as they did, but for what is said otherwise.
fn generations(on: &On, job: &PlannedJob) -> Option<Generations> {
    let says_something = on.keep_daily.or(on.keep_weekly).or(on.keep_monthly).is_some();
    if job.kind != JobKind::DatabaseBackup && !says_something {
        return None;
    }
    let before = job.generations.unwrap_or_default();
    Some(Generations {
        daily: on.keep_daily.unwrap_or(before.daily),
        weekly: on.keep_weekly.unwrap_or(before.weekly),
        monthly: on.keep_monthly.unwrap_or(before.monthly),
    })
}

/// For whom copies are encrypted, and what opens them: as it was, but for what is said otherwise.
fn encryption(on: &On, job: &mut PlannedJob) -> anyhow::Result<()> {
    if on.no_encryption {
        (job.encryption, job.key) = (None, None);
        return Ok(());
    }
    let recipients = recipients(&on.recipient, &on.recipients_file)?;
    let rehearses = job.kind == JobKind::DatabaseRehearsal;
    if !recipients.is_empty() || (on.passphrase_file.is_some() && !rehearses) {
        let passphrase_file = on.passphrase_file.as_deref().map(absolute).transpose()?;
        job.encryption = Some(CopyEncryption { recipients, passphrase_file });
    }
    if on.identity.is_some() || (on.passphrase_file.is_some() && rehearses) {
        let passphrase_file = on.passphrase_file.as_deref().filter(|_| rehearses);
        job.key = key(on.identity.as_deref(), passphrase_file)?;
    }
    Ok(())
}

fn shown(form: Output, state: &JobPlanState) -> anyhow::Result<()> {
    either(form, state, || {
        let plan = &state.plan;
        let open = state.open.map_or("it is not off-peak now".to_owned(), |open| {
            format!("it is off-peak now, until {}", at(open.to))
        });
        line(format!("off-peak hours {} to {}, {}; {open}", plan.from, plan.to, plan.time_zone))?;
        table(
            ["JOB", "RUNS", "NEXT", "LAST", "HOW IT WENT"],
            plan.jobs.iter().zip(&state.jobs).map(|(job, state)| row(job, state)),
        )?;
        for (job, folder) in plan.jobs.iter().filter_map(|job| Some((job, job.folder.as_ref()?))) {
            let what = if job.kind == JobKind::Backup { "backups" } else { "copies of the database" };
            let kept = job.keep.map(|keep| format!("; {keep} of them stay")).unwrap_or_default();
            let stay = job.generations.map(|of| {
                format!("; those of {} days, {} weeks and {} months stay", of.daily, of.weekly, of.monthly)
            });
            let encrypted = job.encryption.as_ref().map(|of| match of.recipients.len() {
                0 => "; encrypted with a passphrase".to_owned(),
                n => format!("; encrypted for {n} recipient{}", if n == 1 { "" } else { "s" }),
            });
            let encrypted = encrypted.unwrap_or_default();
            line(format!("{what} go to {folder}{kept}{}{encrypted}", stay.unwrap_or_default()))?;
        }
        Ok(())
    })
}

/// `not started: the folder /mnt/backup of the plan is not there; again at 2026-11-22 02:10`.
fn not_started(refused: &NotStarted) -> String {
    let again = refused.again.map(|again| format!("; again at {}", at(again))).unwrap_or_default();
    format!("not started: {}{again}", refused.why)
}

fn row(job: &PlannedJob, state: &PlannedState) -> [String; 5] {
    let time = |hours: Period| at(hours.from);
    let missed = state.missed_since.map(|since| format!("missed since {}", at(since)));
    let refused = state.not_started.as_ref().map(not_started);
    let waits = state.waits_for.map(|kind| format!("waits for the {kind} job that runs"));
    let told: Vec<String> = missed.into_iter().chain(refused).chain(waits).collect();
    let went = match (told.is_empty(), &state.last) {
        (false, _) => told.join("; "),
        (true, Some(run)) => run.error.clone().unwrap_or_else(|| run.state.to_string()),
        (true, None) => "-".to_owned(),
    };
    [
        job.kind.to_string(),
        if job.on { job.rhythm.to_string() } else { format!("off ({})", job.rhythm) },
        state.next.map_or("-".to_owned(), time),
        state.last.as_ref().map_or("-".to_owned(), |run| at(run.started_at)),
        went,
    ]
}
