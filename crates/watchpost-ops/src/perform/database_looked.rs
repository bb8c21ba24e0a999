//! Whether the copies of the audit database are as the plan asks for: nobody looks at copies before they are needed.

use std::path::Path;

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use watchpost_model::job::{Figure, JobKind, JobReport, JobRun, JobState};
use watchpost_model::plan::Plan;

use super::database_copies::NEWEST;
use super::database_named::UNVERIFIED;
use super::plan;
use crate::blocking::off_the_runtime;
use crate::console::Workspace;
use crate::contract::{DatabaseCopies, Nothing};
use crate::door::Context;
use crate::error::OpError;

/// Runs of a kind that are looked through for the newest one that tells something.
const RUNS: u32 = 50;

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
    /// Why it was checked neither when it was made nor since.
    unverified: Option<String>,
}

impl Looked {
    async fn at(workspace: &Workspace) -> Result<Self, OpError> {
        let copies = workspace.store().job_runs_of(JobKind::DatabaseBackup, RUNS).await?;
        let rehearsals = workspace.store().job_runs_of(JobKind::DatabaseRehearsal, RUNS).await?;
        let has_ended = |run: &JobRun| matches!(run.state, JobState::Done | JobState::Failed);
        let mut copy = copies.into_iter().find(|run| run.state == JobState::Done);
        if let Some(copy) = &mut copy {
            forget_if_tried(copy, &rehearsals);
        }
        let made = copy.as_ref().and_then(|run| run.report.clone());
        let unverified = made.as_ref().and_then(unverified);
        let file = off_the_runtime(move || made.as_ref().and_then(file_problem)).await?;
        Ok(Self {
            copy,
            file,
            unverified,
            // Whoever tries a file of theirs learns it there and then.
            rehearsal: rehearsals.into_iter().find(|run| run.parameters == NEWEST && has_ended(run)),
        })
    }

    fn problem(&self, plan: &Plan, now: DateTime<Utc>) -> Option<String> {
        if let Some(failed) = self.rehearsal.as_ref().filter(|run| run.state == JobState::Failed) {
            let why = failed.error.clone().unwrap_or_default();
            return Some(format!("the newest rehearsal of a copy of the database failed: {why}"));
        }
        if self.file.is_some() {
            return self.file.clone();
        }
        if self.unverified.is_some() {
            return self.unverified.clone();
        }
        let made = self.copy.as_ref().map(|run| run.started_at);
        let job = plan.job(JobKind::DatabaseRehearsal).filter(|job| job.on)?;
        let days = job.max_age_days?;
        // Of a plan of today no copy is late yet.
        too_old(made.max(job.since), days, now)?;
        too_old(made, days, now)
    }
}

/// A copy that could not be checked when it was made, and that a rehearsal found whole since, counts as checked.
fn forget_if_tried(copy: &mut JobRun, rehearsals: &[JobRun]) {
    let Some(report) = &mut copy.report else { return };
    let sha256 = sha256_of(report).map(str::to_owned);
    let mut good = rehearsals.iter().filter(|run| run.state == JobState::Done);
    if sha256.is_some() && good.any(|run| run.report.as_ref().and_then(sha256_of) == sha256.as_deref()) {
        report.facts.retain(|fact| fact.name != UNVERIFIED);
    }
}

/// Why the newest copy was not checked: then nobody knows whether it is one.
fn unverified(made: &JobReport) -> Option<String> {
    let why = &made.facts.iter().find(|fact| fact.name == UNVERIFIED)?.text;
    Some(format!("the newest copy of the database was not verified: {why}"))
}

fn sha256_of(report: &JobReport) -> Option<&str> {
    report.facts.iter().find(|fact| fact.name == "sha256").map(|fact| fact.text.as_str())
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
pub(super) fn too_old(made: Option<DateTime<Utc>>, days: u32, now: DateTime<Utc>) -> Option<String> {
    match made {
        None => Some("there is no copy of the database".to_owned()),
        Some(at) if now - at > Duration::days(days.into()) => Some(format!(
            "the newest copy of the database is of {}; the plan asks for one of the last {days} days",
            second(at)
        )),
        Some(_) => None,
    }
}

pub(super) fn second(at: DateTime<Utc>) -> String {
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
            Looked { copy, rehearsal, file: None, unverified: None }
                .problem(&plan, at(now))
                .unwrap_or_default()
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
        let nothing = Looked { copy: None, rehearsal: None, file: None, unverified: None };
        assert_eq!(
            nothing.problem(&Plan::default(), at("2030-01-01T00:00:00Z")),
            None,
            "nothing was asked for"
        );
    }
}
