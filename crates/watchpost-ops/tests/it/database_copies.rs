//! Copies of the audit database that the plan makes: checked, kept by days, weeks and months, and rehearsed.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use watchpost_model::audit::{AuditFilter, AuditOutcome, AuditRecord};
use watchpost_model::clock::{Clock, ManualClock};
use watchpost_model::copies::Generations;
use watchpost_model::job::{JobKind, JobRun, JobState};
use watchpost_model::plan::{PlannedJob, Rhythm};
use watchpost_model::register::{EntryResult, RegisterKind};
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{
    AuditPageRequest, DatabaseBackup, DatabaseCopyRun, DatabaseRehearse, JobPlanPut, Nothing, RegisterRequest,
};
use watchpost_ops::door::operation;

use crate::door::{Desk, desk_at, folder};
use crate::report_tampered::tamper;

async fn at(home: &tempfile::TempDir, tenure: Tenure, now: &str) -> Desk {
    let now: DateTime<Utc> = now.parse().expect("an instant");
    desk_at(home, tenure, local_connection(), Arc::new(ManualClock::new(now))).await
}

/// The same with a clock that can go on.
pub(crate) async fn going(home: &tempfile::TempDir, now: &str) -> (Desk, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(now.parse().expect("an instant")));
    (desk_at(home, Tenure::Guest, local_connection(), clock.clone()).await, clock)
}

/// Has copies made each day into a folder.
pub(crate) async fn planned(desk: &Desk, folder: &Path, generations: Generations) {
    let mut plan = desk.ask::<operation::job_plan>(Nothing {}).await.expect("shown").plan;
    for job in &mut plan.jobs {
        match job.kind {
            JobKind::DatabaseBackup => {
                let folder = Some(folder.to_string_lossy().into_owned());
                let off = PlannedJob::off(JobKind::DatabaseBackup, Rhythm::Day);
                *job = PlannedJob { on: true, folder, generations: Some(generations), ..off };
            }
            JobKind::DatabaseRehearsal => job.on = true,
            _ => {}
        }
    }
    let put = JobPlanPut { plan, reason: Some("every night".to_owned()) };
    desk.ask::<operation::job_plan_put>(put).await.expect("kept");
}

pub(crate) async fn copied(desk: &Desk) -> JobRun {
    let run = desk.ask::<operation::database_copy_run>(DatabaseCopyRun::default()).await.expect("started");
    let run = desk.finish(run).await;
    assert_eq!(run.state, JobState::Done, "{:?}", run.error);
    run
}

async fn rehearsed(desk: &Desk, clock: &ManualClock) -> JobRun {
    // The newest of several runs is told by its time.
    clock.advance(chrono::Duration::seconds(1));
    let request = DatabaseRehearse::default();
    let run = desk.ask::<operation::database_rehearse_run>(request).await.expect("started");
    desk.finish(run).await
}

pub(crate) fn fact<'r>(run: &'r JobRun, name: &str) -> &'r str {
    let facts = run.report.as_ref().map(|report| &report.facts[..]).unwrap_or_default();
    facts.iter().find(|fact| fact.name == name).map(|fact| fact.text.as_str()).unwrap_or_default()
}

/// How the restore tests of the register ended, oldest first.
pub(crate) async fn restore_tests(desk: &Desk) -> Vec<EntryResult> {
    let request = RegisterRequest { kind: Some(RegisterKind::RestoreTest), subject: None };
    let mut entries = desk.ask::<operation::register_list>(request).await.expect("listed").entries;
    entries.reverse();
    entries.iter().map(|entry| entry.result).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rehearsal_of_a_copy_that_the_trail_names_is_a_restore_test() {
    let (home, out) = (folder(), folder());
    let (desk, clock) = going(&home, "2026-11-20T12:00:00Z").await;
    rehearsed(&desk, &clock).await;
    assert!(restore_tests(&desk).await.is_empty(), "there was nothing to put back");
    planned(&desk, out.path(), Generations::default()).await;
    let made = copied(&desk).await;
    let run = rehearsed(&desk, &clock).await;
    assert_eq!(restore_tests(&desk).await, [EntryResult::Good]);
    let request = RegisterRequest { kind: Some(RegisterKind::RestoreTest), subject: None };
    let entries = desk.ask::<operation::register_list>(request).await.expect("listed").entries;
    let entry = entries.first().expect("one");
    assert_eq!(entry.missing(), 0, "it has its facts: {:?}", entry.fields);
    assert_eq!(entry.fields.get("backup").map(String::as_str), Some(fact(&made, "file")));
    assert_eq!(entry.fields.get("root").map(String::as_str), Some(fact(&run, "root")));
    assert_eq!((entry.opened_at, entry.closed_at), (clock.now(), Some(clock.now())));

    // A file that is no copy of ours tells nothing of ours.
    let file = Path::new(fact(&made, "file"));
    let other = out.path().join("other.db");
    std::fs::copy(file, &other).expect("ours");
    let request = DatabaseRehearse { path: Some(other.to_string_lossy().into_owned()), key: None };
    let run = desk.ask::<operation::database_rehearse_run>(request).await.expect("started");
    assert_eq!(desk.finish(run).await.state, JobState::Done);
    assert_eq!(restore_tests(&desk).await, [EntryResult::Good]);
    std::fs::write(file, "not what was made").expect("ours");
    assert_eq!(rehearsed(&desk, &clock).await.state, JobState::Failed);
    assert_eq!(restore_tests(&desk).await, [EntryResult::Good, EntryResult::Bad]);
    // Of a copy that is gone nothing was tried.
    std::fs::remove_file(file).expect("ours");
    assert_eq!(rehearsed(&desk, &clock).await.state, JobState::Failed);
    assert_eq!(restore_tests(&desk).await, [EntryResult::Good, EntryResult::Bad]);
    // A backup that was made by hand stands in the trail as well.
    clock.advance(chrono::Duration::seconds(1));
    let path = out.path().join("hand.db").to_string_lossy().into_owned();
    let backup = DatabaseBackup { path: path.clone(), ticket: None, encryption: None };
    desk.ask::<operation::database_backup>(backup).await.expect("made");
    let request = DatabaseRehearse { path: Some(path), key: None };
    let run = desk.ask::<operation::database_rehearse_run>(request).await.expect("started");
    assert_eq!(desk.finish(run).await.state, JobState::Done);
    assert_eq!(restore_tests(&desk).await, [EntryResult::Good, EntryResult::Bad, EntryResult::Good]);
    desk.console.close().await;
}

pub(crate) fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("ours")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort_unstable();
    names
}

pub(crate) async fn trail(desk: &Desk, action: &str) -> Vec<AuditRecord> {
    let filter = AuditFilter { action: Some(action.to_owned()), ..AuditFilter::default() };
    let request = AuditPageRequest { filter, before: None, limit: 50 };
    desk.ask::<operation::audit_page>(request).await.expect("the trail").rows
}

/// A database that lacks a migration is one of an older schema: this one does nothing on SQLite, so it can be done again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_copy_from_before_a_new_schema_goes_where_copies_go_until_the_next_one() {
    let (home, out) = (folder(), folder());
    let desk = at(&home, Tenure::Guest, "2026-11-20T12:00:00Z").await;
    planned(&desk, out.path(), Generations { daily: 1, weekly: 0, monthly: 0 }).await;
    assert!(trail(&desk, "database_migrate").await.is_empty(), "a new database was not migrated");
    desk.console.close().await;
    tamper(&home, "DELETE FROM schema_version WHERE version = 20261122000031");

    let desk = at(&home, Tenure::Guest, "2026-11-21T12:00:00Z").await;
    let records = trail(&desk, "database_migrate").await;
    let said = |field: &str| {
        let changes = records.iter().flat_map(|record| &record.changes);
        let told = changes.filter(|change| change.field == field).map(|change| change.new.as_str());
        told.map(|text| text.expect("a text").to_owned()).collect::<Vec<_>>()
    };
    let there = files(out.path());
    assert!(
        matches!(&there[..], [one] if one.starts_with("watchpost-local-20261121T120000Z-schema-")),
        "{there:?}"
    );
    let file = out.path().join(&there[0]);
    assert_eq!(said("file"), [file.to_string_lossy()]);
    let workspace = files(&home.path().join("data/workspace"));
    assert!(!workspace.iter().any(|name| name.contains("schema")), "it was taken there: {workspace:?}");
    let request = DatabaseRehearse { path: Some(file.to_string_lossy().into_owned()), key: None };
    let run = desk.ask::<operation::database_rehearse_run>(request).await.expect("started");
    let run = desk.finish(run).await;
    assert_eq!(run.state, JobState::Done, "{:?}", run.error);
    assert!(fact(&run, "origin").contains("as the audit trail says"), "{}", fact(&run, "origin"));
    assert_eq!(files(out.path()).len(), 1, "a rehearsal makes no copy of the copy");
    desk.console.close().await;

    let desk = at(&home, Tenure::Guest, "2026-11-22T12:00:00Z").await;
    assert_eq!(trail(&desk, "database_migrate").await.len(), 1, "it is up to date");
    copied(&desk).await;
    assert_eq!(files(out.path()), ["watchpost-local-20261122T120000Z.db"], "the plan keeps one day");
    desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_copies_that_the_trail_names_are_removed_and_never_the_newest() {
    let (home, out) = (folder(), folder());
    let noon = |day: u32| format!("2026-11-{day}T12:00:00Z");
    let name = |day: u32| format!("watchpost-local-202611{day}T120000Z.db");
    let desk = at(&home, Tenure::Guest, &noon(20)).await;
    let refused = desk.ask::<operation::database_copy_run>(DatabaseCopyRun::default()).await;
    assert_eq!(refused.expect_err("no folder is set").field.as_deref(), Some("folder"));
    planned(&desk, out.path(), Generations { daily: 2, weekly: 0, monthly: 0 }).await;
    let stranger = "watchpost-local-20250101T020000Z.db";
    std::fs::write(out.path().join(stranger), "named as a copy, made by nobody").expect("ours");
    let run = copied(&desk).await;
    let file = out.path().join(name(20));
    assert_eq!(fact(&run, "file"), file.to_string_lossy());
    assert_eq!(fact(&run, "sha256").len(), 64);
    let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata().expect("it is there").permissions());
    assert_eq!(mode & 0o777, 0o600, "it holds keys");
    desk.console.close().await;
    for day in [21, 22] {
        let desk = at(&home, Tenure::Guest, &noon(day)).await;
        copied(&desk).await;
        desk.console.close().await;
    }
    assert_eq!(files(out.path()), [stranger.to_owned(), name(21), name(22)]);

    // What is not any more what the trail says is nobody's copy.
    let altered = out.path().join(name(21));
    let mut bytes = std::fs::read(&altered).expect("there");
    bytes.push(0);
    std::fs::write(&altered, bytes).expect("ours");
    let desk = at(&home, Tenure::Guest, &noon(23)).await;
    let run = copied(&desk).await;
    let notes = run.report.expect("it says what it did").notes;
    assert!(notes.iter().any(|note| note.contains(&name(21)) && note.contains("left alone")), "{notes:?}");
    assert_eq!(files(out.path()), [stranger.to_owned(), name(21), name(22), name(23)]);
    let pruned = trail(&desk, "database_prune").await;
    let outcomes: Vec<AuditOutcome> = pruned.iter().map(|record| record.outcome).collect();
    assert_eq!(outcomes, [AuditOutcome::Success, AuditOutcome::Started], "said before, and after");
    for record in &pruned {
        let gone: Vec<&str> = record.changes.iter().filter_map(|change| change.old.as_str()).collect();
        assert!(matches!(&gone[..], [one] if one.ends_with(&name(20))), "{gone:?}");
        assert!(record.reason.as_deref().is_some_and(|reason| reason.contains("2 days")));
    }

    // In another folder nothing is removed, however little the plan keeps.
    let elsewhere = folder();
    planned(&desk, out.path(), Generations { daily: 0, weekly: 0, monthly: 0 }).await;
    let into = elsewhere.path().to_string_lossy().into_owned();
    let request = DatabaseCopyRun { folder: Some(into), encryption: None };
    let run = desk.ask::<operation::database_copy_run>(request).await.expect("started");
    assert_eq!(desk.finish(run).await.state, JobState::Done);
    assert_eq!(files(out.path()).len(), 4);
    desk.console.close().await;
    let desk = at(&home, Tenure::Guest, &noon(24)).await;
    copied(&desk).await;
    assert_eq!(files(out.path()), [stranger.to_owned(), name(21), name(24)], "the newest stays");
    assert_eq!(files(elsewhere.path()), [name(23)]);
    desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rehearsal_tells_a_good_copy_from_a_bad_old_or_missing_one() {
    let (home, out) = (folder(), folder());
    let (desk, clock) = going(&home, "2026-11-20T12:00:00Z").await;
    let run = rehearsed(&desk, &clock).await;
    assert_eq!(run.state, JobState::Failed, "there is no copy");
    assert!(run.error.expect("it says why").contains("no copy of the database"));
    planned(&desk, out.path(), Generations::default()).await;
    let made = copied(&desk).await;
    let run = rehearsed(&desk, &clock).await;
    assert_eq!(run.state, JobState::Done, "{:?}", run.error);
    assert_eq!(fact(&run, "sha256"), fact(&made, "sha256"));
    assert_eq!(fact(&run, "root"), fact(&made, "root"));
    assert_eq!(fact(&run, "verdict"), "the copy can be put back");
    let figures = run.report.as_ref().map(|report| &report.figures[..]).unwrap_or_default();
    let figure = |name: &str| figures.iter().find(|figure| figure.name == name).map(|figure| figure.value);
    assert!(figure("records").is_some_and(|n| n > 0.0) && figure("events").is_some(), "{figures:?}");
    assert_eq!(figure("erasures"), Some(0.0));
    let scratch = home.path().join("data/rehearsal-of-database");
    assert_eq!(files(&scratch), Vec::<String>::new(), "nothing is left of it");
    assert_eq!(files(out.path()).len(), 1, "nothing is beside the copy");
    let copies = desk.ask::<operation::database_copies>(Nothing {}).await.expect("told");
    assert_eq!(copies.problem, None);
    assert_eq!(copies.last.map(|run| run.id), Some(made.id));
    assert_eq!(copies.rehearsal.map(|last| last.id), Some(run.id));
    let next = copies.next_rehearsal.expect("it is on").from;
    assert_eq!(next.to_rfc3339(), "2026-12-01T02:00:00+00:00");
    desk.console.close().await;

    // Eleven days later nothing made another one.
    let (desk, clock) = going(&home, "2026-12-01T12:00:00Z").await;
    let status = desk.ask::<operation::workspace_status>(Nothing {}).await.expect("told");
    assert!(status.copies_problem.expect("the alarm is raised").contains("2026-11-20"));
    let run = rehearsed(&desk, &clock).await;
    assert_eq!(run.state, JobState::Failed);
    assert!(run.error.expect("it says why").contains("the last 7 days"));

    let file = copied(&desk).await;
    assert_eq!(rehearsed(&desk, &clock).await.state, JobState::Done);
    let status = desk.ask::<operation::workspace_status>(Nothing {}).await.expect("told");
    assert_eq!(status.copies_problem, None);
    let newest = Path::new(fact(&file, "file"));
    let whole = std::fs::read(newest).expect("there");
    let mut altered = whole.clone();
    let middle = altered.len() / 2;
    altered[middle] ^= 1;
    for bad in [&altered[..], &whole[..middle], &b"no database"[..]] {
        std::fs::write(newest, bad).expect("ours");
        let run = rehearsed(&desk, &clock).await;
        assert_eq!(run.state, JobState::Failed);
        assert!(run.error.expect("it says why").contains("not the copy that was made"));
    }
    std::fs::remove_file(newest).expect("ours");
    let run = rehearsed(&desk, &clock).await;
    assert_eq!(run.state, JobState::Failed, "it is gone");
    let failed = trail(&desk, "database_rehearse_run").await;
    assert!(failed.first().is_some_and(|record| record.outcome == AuditOutcome::Failure), "{failed:?}");
    let status = desk.ask::<operation::workspace_status>(Nothing {}).await.expect("told");
    assert!(status.copies_problem.is_some_and(|problem| problem.contains("rehearsal")));
    assert_eq!(files(&scratch), Vec::<String>::new());

    // A file of somebody's own: what is wrong with it is told, and is no alarm of the plan.
    std::fs::write(newest, &whole).expect("ours");
    assert_eq!(rehearsed(&desk, &clock).await.state, JobState::Done);
    let other = out.path().join("other.db");
    std::fs::write(&other, &whole[..middle]).expect("ours");
    let request = DatabaseRehearse { path: Some(other.to_string_lossy().into_owned()), key: None };
    let run = desk.ask::<operation::database_rehearse_run>(request).await.expect("started");
    assert_eq!(desk.finish(run).await.state, JobState::Failed);
    let status = desk.ask::<operation::workspace_status>(Nothing {}).await.expect("told");
    assert_eq!(status.copies_problem, None);

    // A copy that was made once and is gone, or cut off, is none.
    let problem = async || {
        let copies = desk.ask::<operation::database_copies>(Nothing {}).await.expect("told");
        copies.problem.unwrap_or_default()
    };
    assert_eq!(problem().await, "");
    std::fs::write(newest, &whole[..middle]).expect("ours");
    assert!(problem().await.contains(&format!("has {middle} bytes")));
    std::fs::remove_file(newest).expect("ours");
    assert!(problem().await.contains("is not there any more"));
    desk.console.close().await;
}

#[tokio::test]
async fn a_copy_of_the_plan_is_made_in_its_hours() {
    let (home, out) = (folder(), folder());
    let day = at(&home, Tenure::Guest, "2026-11-20T12:00:00Z").await;
    planned(&day, out.path(), Generations::default()).await;
    day.console.close().await;
    // The first look of the engine comes at once; the next one would take a quarter of a minute.
    let night = at(&home, Tenure::Owner, "2026-11-21T03:00:00Z").await;
    let run = tokio::time::timeout(Duration::from_secs(30), async {
        let mut timer = tokio::time::interval(Duration::from_millis(20));
        loop {
            timer.tick().await;
            let runs = night.ask::<operation::job_list>(Nothing {}).await.expect("listed").runs;
            if let Some(run) = runs.into_iter().find(|run| run.started_by == "schedule") {
                return run;
            }
        }
    });
    let run = night.finish(run.await.expect("the job of the plan is started")).await;
    assert_eq!((run.kind, run.state), (JobKind::DatabaseBackup, JobState::Done), "{:?}", run.error);
    assert_eq!(files(out.path()), ["watchpost-local-20261121T030000Z.db"]);
    let state = night.ask::<operation::job_plan>(Nothing {}).await.expect("shown");
    let copy = state.jobs.iter().find(|job| job.kind == JobKind::DatabaseBackup).expect("there");
    assert_eq!(copy.next.expect("it is on").from.to_rfc3339(), "2026-11-22T02:00:00+00:00");
    night.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_of_one_second_have_names_of_their_own() {
    let (home, out) = (folder(), folder());
    let desk = at(&home, Tenure::Guest, "2026-11-20T12:00:00Z").await;
    for name in ["watchpost-local-20261120T120000Z.db", "watchpost-local-20261120T120000Z-2.db"] {
        let folder = Some(out.path().to_string_lossy().into_owned());
        let request = DatabaseCopyRun { folder, encryption: None };
        let run = desk.ask::<operation::database_copy_run>(request).await.expect("started");
        let run = desk.finish(run).await;
        assert_eq!(run.state, JobState::Done, "{:?}", run.error);
        assert_eq!(Path::new(fact(&run, "file")), out.path().join(name));
    }
    assert_eq!(files(out.path()).len(), 2);
    desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_that_is_gone_or_misspelt_is_told_and_not_made() {
    let (home, out) = (folder(), folder());
    let desk = at(&home, Tenure::Guest, "2026-11-20T12:00:00Z").await;
    let deep = out.path().join("misspelt/copies");
    let text = |path: &Path| Some(path.to_string_lossy().into_owned());
    let request = DatabaseCopyRun { folder: text(&deep), encryption: None };
    let refused = desk.ask::<operation::database_copy_run>(request).await.expect_err("no such folder");
    assert_eq!(refused.field.as_deref(), Some("folder"), "{refused}");
    let mut plan = desk.ask::<operation::job_plan>(Nothing {}).await.expect("shown").plan;
    let job = plan.jobs.iter_mut().find(|job| job.kind == JobKind::DatabaseBackup).expect("there");
    job.folder = text(&deep);
    let put = JobPlanPut { plan, reason: Some("every night".to_owned()) };
    let refused = desk.ask::<operation::job_plan_put>(put).await.expect_err("no such folder");
    assert_eq!(refused.field.as_deref(), Some("folder"), "{refused}");
    assert_eq!(files(out.path()), Vec::<String>::new(), "nothing was made");

    // The last of a path is made, when it is set; not when it is gone later.
    let folder = out.path().join("copies");
    planned(&desk, &folder, Generations::default()).await;
    copied(&desk).await;
    std::fs::rename(&folder, out.path().join("moved")).expect("ours");
    let refused = desk.ask::<operation::database_copy_run>(DatabaseCopyRun::default()).await;
    let refused = refused.expect_err("it is gone");
    assert!(refused.message.contains("of the plan is not there"), "{refused}");
    assert_eq!(files(out.path()), ["moved"]);
    desk.console.close().await;
}

#[tokio::test]
async fn a_folder_that_takes_no_file_is_named() {
    let home = folder();
    let desk = at(&home, Tenure::Guest, "2026-11-20T12:00:00Z").await;
    // Nobody makes a file there, whoever they are.
    let folder = Some("/proc/self".to_owned());
    let run = desk
        .ask::<operation::database_copy_run>(DatabaseCopyRun { folder, encryption: None })
        .await
        .expect("started");
    let run = desk.finish(run).await;
    let error = run.error.unwrap_or_default();
    assert!(error.contains("the folder /proc/self") && !error.contains("database cannot"), "{error}");
    desk.console.close().await;
}
