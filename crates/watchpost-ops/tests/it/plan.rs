//! Maintenance that runs by itself: the plan is kept, refused when it cannot run, and carried out off-peak.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use watchpost_model::access::Origin;
use watchpost_model::audit::AuditFilter;
use watchpost_model::clock::ManualClock;
use watchpost_model::copies::CopyEncryption;
use watchpost_model::job::{JobKind, JobRun, JobState};
use watchpost_model::plan::Plan;
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{AggregateRequest, AuditPageRequest, JobPlanPut, Nothing};
use watchpost_ops::door::operation;
use watchpost_ops::error::ErrorCode;

use crate::door::{Desk, desk_at, folder};
use crate::report_tampered::tamper;

const NOON: &str = "2026-11-20T12:00:00Z";
const NIGHT: &str = "2026-11-21T03:00:00Z";
/// The public key of the examples of the age format; nothing else is locked with it.
const PUBLIC: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

async fn at(home: &tempfile::TempDir, tenure: Tenure, now: &str) -> Desk {
    let now: DateTime<Utc> = now.parse().expect("an instant");
    desk_at(home, tenure, local_connection(), Arc::new(ManualClock::new(now))).await
}

async fn runs(desk: &Desk) -> Vec<JobRun> {
    desk.ask::<operation::job_list>(Nothing {}).await.expect("listed").runs
}

/// The first run that the plan starts.
async fn planned(desk: &Desk) -> JobRun {
    let run = tokio::time::timeout(Duration::from_secs(30), async {
        let mut timer = tokio::time::interval(Duration::from_millis(20));
        loop {
            timer.tick().await;
            if let Some(run) = runs(desk).await.into_iter().find(|run| run.started_by == "schedule") {
                return run;
            }
        }
    });
    run.await.expect("the job of the plan is started")
}

#[tokio::test]
async fn a_job_that_cannot_be_started_holds_up_no_other_one() {
    let (home, out) = (folder(), folder());
    let day = at(&home, Tenure::Guest, NOON).await;
    let mut plan = day.ask::<operation::job_plan>(Nothing {}).await.expect("shown").plan;
    let gone = out.path().join("mounted");
    for job in &mut plan.jobs {
        if matches!(job.kind, JobKind::Backup | JobKind::Aggregate) {
            job.on = true;
            job.rhythm = watchpost_model::plan::Rhythm::Day;
        }
        if job.kind == JobKind::Backup {
            job.folder = Some(gone.to_string_lossy().into_owned());
        }
    }
    let put = JobPlanPut { plan, reason: Some("every night".to_owned()) };
    day.ask::<operation::job_plan_put>(put).await.expect("kept");
    day.console.close().await;
    std::fs::remove_dir_all(&gone).expect("ours");
    std::fs::write(&gone, "no folder any more").expect("ours");

    let night = at(&home, Tenure::Owner, NIGHT).await;
    let run = night.finish(planned(&night).await).await;
    assert_eq!((run.kind, run.state), (JobKind::Aggregate, JobState::Done), "{:?}", run.error);
    let state = night.ask::<operation::job_plan>(Nothing {}).await.expect("shown");
    let backup = state.jobs.iter().find(|job| job.kind == JobKind::Backup).expect("there");
    assert!(backup.last.is_none() && backup.next.is_some(), "it is tried again: {backup:?}");
    let refused = backup.not_started.as_ref().expect("it is told why");
    assert!(refused.why.contains("mounted of the plan is not there"), "{refused:?}");
    let again = refused.again.expect("it is off-peak still").to_rfc3339();
    assert_eq!(
        (refused.at.to_rfc3339().as_str(), again.as_str()),
        ("2026-11-21T03:00:00+00:00", "2026-11-21T03:10:00+00:00")
    );
    let aggregate = state.jobs.iter().find(|job| job.kind == JobKind::Aggregate).expect("there");
    assert_eq!(aggregate.not_started, None);
    let tried = AuditFilter { action: Some("backup_run".to_owned()), ..AuditFilter::default() };
    let request = AuditPageRequest { filter: tried, before: None, limit: 10 };
    let rows = night.ask::<operation::audit_page>(request).await.expect("the trail").rows;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!((rows[0].object.as_str(), rows[0].actor.as_str()), ("job_plan/backup", "schedule"));
    night.console.close().await;
}

/// What another console runs is no failure of the plan: the job waits for it.
#[tokio::test]
async fn a_job_that_is_due_waits_for_one_of_another_console() {
    let home = folder();
    let day = at(&home, Tenure::Guest, NOON).await;
    let mut plan = day.ask::<operation::job_plan>(Nothing {}).await.expect("shown").plan;
    for job in plan.jobs.iter_mut().filter(|job| job.kind == JobKind::Cleanup) {
        job.on = true;
        job.rhythm = watchpost_model::plan::Rhythm::Day;
    }
    day.ask::<operation::job_plan_put>(JobPlanPut { plan, reason: None }).await.expect("kept");
    day.console.close().await;
    let other = at(&home, Tenure::Guest, "2026-11-21T02:55:00Z").await;
    let run = other.ask::<operation::aggregate_run>(AggregateRequest::default()).await.expect("it starts");
    assert_eq!(other.finish(run).await.state, JobState::Done);
    other.console.close().await;
    // As if it ran still, on another machine.
    tamper(&home, "UPDATE job_run SET owner = 'elsewhere:1:1', state = 'running'");

    let night = at(&home, Tenure::Owner, NIGHT).await;
    let state = night.ask::<operation::job_plan>(Nothing {}).await.expect("shown");
    let cleanup = state.jobs.iter().find(|job| job.kind == JobKind::Cleanup).expect("there");
    assert_eq!((cleanup.waits_for, &cleanup.not_started), (Some(JobKind::Aggregate), &None));
    assert_eq!(cleanup.last, None);
    night.console.close().await;

    tamper(&home, "UPDATE job_run SET state = 'done'");
    let later = at(&home, Tenure::Owner, "2026-11-21T03:01:00Z").await;
    let run = later.finish(planned(&later).await).await;
    assert_eq!((run.kind, run.state), (JobKind::Cleanup, JobState::Done), "{:?}", run.error);
    let state = later.ask::<operation::job_plan>(Nothing {}).await.expect("shown");
    assert!(state.jobs.iter().all(|job| job.waits_for.is_none()), "{state:?}");
    later.console.close().await;
}

#[tokio::test]
async fn a_backup_of_the_plan_is_made_off_peak_and_its_oldest_file_goes() {
    let (home, out) = (folder(), folder());
    let day = at(&home, Tenure::Guest, NOON).await;
    let mut plan = day.ask::<operation::job_plan>(Nothing {}).await.expect("shown").plan;
    assert!(plan.jobs.iter().all(|job| !job.on), "nothing runs before somebody says so");
    let backup = plan.jobs.iter_mut().find(|job| job.kind == JobKind::Backup).expect("it can run by itself");
    backup.on = true;
    backup.rhythm = watchpost_model::plan::Rhythm::Day;
    backup.keep = Some(2);
    let put = |plan: Plan| JobPlanPut { plan, reason: Some("every night".to_owned()) };
    let refused = day.ask::<operation::job_plan_put>(put(plan.clone())).await.expect_err("no folder");
    assert_eq!((refused.code, refused.field.as_deref()), (ErrorCode::Validation, Some("jobs")));
    let into = |plan: &mut Plan, folder: &std::path::Path| {
        let backup = plan.jobs.iter_mut().find(|job| job.kind == JobKind::Backup).expect("there");
        backup.folder = Some(folder.to_string_lossy().into_owned());
    };
    into(&mut plan, std::path::Path::new("/proc/nowhere"));
    let refused = day.ask::<operation::job_plan_put>(put(plan.clone())).await.expect_err("no such folder");
    assert_eq!(refused.field.as_deref(), Some("folder"), "{refused}");
    into(&mut plan, out.path());
    let encrypt_for = |plan: &mut Plan, recipient: &str| {
        let backup = plan.jobs.iter_mut().find(|job| job.kind == JobKind::Backup).expect("there");
        backup.encryption =
            Some(CopyEncryption { recipients: vec![recipient.to_owned()], passphrase_file: None });
    };
    encrypt_for(&mut plan, "age1nobody");
    let refused = day.ask::<operation::job_plan_put>(put(plan.clone())).await.expect_err("no such recipient");
    assert_eq!(refused.field.as_deref(), Some("encryption"), "{refused}");
    encrypt_for(&mut plan, PUBLIC);
    let mut remote = day.call.clone();
    remote.caller.origin = Origin::Http;
    let refused = day.console.call::<operation::job_plan_put>(&remote, put(plan.clone())).await;
    assert_eq!(refused.expect_err("files of the server").code, ErrorCode::Permission);

    let state = day.ask::<operation::job_plan_put>(put(plan.clone())).await.expect("kept");
    let backup = state.jobs.iter().find(|job| job.kind == JobKind::Backup).expect("there");
    let next = backup.next.expect("it is on").from;
    assert_eq!(next.to_rfc3339(), "2026-11-21T02:00:00+00:00");
    assert_eq!((state.open, backup.missed_since), (None, None));
    for name in ["20260101T020000Z", "20260201T020000Z"] {
        let file = out.path().join(format!("watchpost-local-{name}.wpbackup"));
        std::fs::write(file, "an earlier one").expect("ours");
    }
    day.console.close().await;

    // The first look of the engine comes at once; the next one would take a quarter of a minute.
    let night = at(&home, Tenure::Owner, NIGHT).await;
    let run = night.finish(planned(&night).await).await;
    assert_eq!((run.kind, run.state), (JobKind::Backup, JobState::Done), "{:?}", run.error);
    let made = std::fs::read(out.path().join("watchpost-local-20261121T030000Z.wpbackup.age")).expect("made");
    assert!(made.starts_with(b"age-encryption.org/v1\n"), "it is encrypted");
    let state = night.ask::<operation::job_plan>(Nothing {}).await.expect("shown");
    let backup = state.jobs.iter().find(|job| job.kind == JobKind::Backup).expect("there");
    assert_eq!(backup.last.as_ref().map(|last| last.id), Some(run.id));
    assert_eq!(backup.missed_since, None);
    assert_eq!(backup.next.expect("it is on").from.to_rfc3339(), "2026-11-22T02:00:00+00:00");
    night.console.close().await;

    // The look after a backup that ended well removes what is too much.
    let again = at(&home, Tenure::Owner, "2026-11-21T04:00:00Z").await;
    let pruned = AuditFilter { action: Some("backup_prune".to_owned()), ..AuditFilter::default() };
    let pruned = tokio::time::timeout(Duration::from_secs(30), async {
        let mut timer = tokio::time::interval(Duration::from_millis(20));
        loop {
            timer.tick().await;
            let request = AuditPageRequest { filter: pruned.clone(), before: None, limit: 10 };
            let rows = again.ask::<operation::audit_page>(request).await.expect("the trail").rows;
            if let Some(row) = rows.into_iter().next() {
                return row;
            }
        }
    });
    let pruned = pruned.await.expect("the oldest file is removed");
    assert_eq!(pruned.changes[0].old, "watchpost-local-20260101T020000Z.wpbackup");
    let mut left: Vec<String> = std::fs::read_dir(out.path())
        .expect("ours")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    left.sort_unstable();
    assert_eq!(
        left,
        ["watchpost-local-20260201T020000Z.wpbackup", "watchpost-local-20261121T030000Z.wpbackup.age"]
    );
    assert_eq!(
        runs(&again).await.iter().filter(|run| run.started_by == "schedule").count(),
        1,
        "once a night"
    );
    again.console.close().await;

    // Nobody was there in the next night: that is told also while the one after it lasts.
    let late = at(&home, Tenure::Guest, "2026-11-23T02:03:00Z").await;
    let state = late.ask::<operation::job_plan>(Nothing {}).await.expect("shown");
    let backup = state.jobs.iter().find(|job| job.kind == JobKind::Backup).expect("there");
    let missed = backup.missed_since.map(|since| since.to_rfc3339());
    assert_eq!(missed.as_deref(), Some("2026-11-22T02:00:00+00:00"));
    late.console.close().await;
}
