//! Reports through the door: made by themselves, stopped, commented, and explained in the trail.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tempfile::TempDir;
use watchpost_model::clock::ManualClock;
use watchpost_model::period::Period;
use watchpost_model::report::{Cadence, ReportFormat, ReportSchedule};
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{
    AuditPageRequest, Nothing, ReportCommentAdd, ReportCommentRef, ReportCommentsRequest, ReportGenerate,
    ReportNames, ReportPageRequest, ReportRequest, ReportScheduleAdd, ReportSchedulePause, ReportScheduleRef,
    ReportScheduleRemove, ReportTarget, ReportTicket, SettingsChange,
};
use watchpost_ops::door::operation;
use watchpost_ops::error::ErrorCode;
use watchpost_ops::report_targets;

use crate::door::{Desk, desk, folder};
use crate::response::timed;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

fn october() -> Period {
    Period { from: at("2024-10-01T00:00:00Z"), to: at("2024-11-01T00:00:00Z") }
}

async fn scheduled(desk: &Desk, out: &TempDir) -> ReportSchedule {
    let request = ReportScheduleAdd {
        framework: "soc2".to_owned(),
        subject: None,
        cadence: Cadence::Monthly,
        formats: vec![ReportFormat::Json, ReportFormat::Pdf, ReportFormat::Json],
        archive: true,
        folder: out.path().join("monthly").to_string_lossy().into_owned(),
        reason: Some("the auditor asked for it".to_owned()),
    };
    desk.ask::<operation::report_schedule_add>(request).await.expect("a good request")
}

#[tokio::test]
async fn what_is_due_is_made_once_however_much_was_missed() {
    let (home, out) = (folder(), folder());
    let clock = Arc::new(ManualClock::new(at("2024-08-20T12:00:00Z")));
    let first = timed(&home, clock).await;
    let schedule = scheduled(&first, &out).await;
    assert_eq!(schedule.due_at, at("2024-09-01T01:00:00Z"), "an hour after the month");
    assert_eq!(schedule.formats, [ReportFormat::Pdf, ReportFormat::Json], "each format once");
    assert!(
        first
            .ask::<operation::report_list>(ReportPageRequest::default())
            .await
            .expect("listed")
            .reports
            .is_empty()
    );
    first.console.close().await;

    // Nobody is there on 1 September, October and November.
    let clock = Arc::new(ManualClock::new(at("2024-11-20T08:00:00Z")));
    let second = timed(&home, clock).await;
    let made = tokio::time::timeout(Duration::from_secs(60), async {
        let mut timer = tokio::time::interval(Duration::from_millis(50));
        loop {
            timer.tick().await;
            let list = second.ask::<operation::report_schedule_list>(Nothing {}).await.expect("listed");
            if let Some(last) = &list.schedules[0].last {
                return (last.clone(), list.schedules[0].due_at);
            }
        }
    })
    .await
    .expect("the engine makes it");
    assert_eq!(
        (made.0.period, made.0.error.as_deref()),
        (october(), None),
        "the newest month that has ended"
    );
    assert_eq!(made.1, at("2024-12-01T01:00:00Z"), "not again before the next month has ended");
    let reports =
        second.ask::<operation::report_list>(ReportPageRequest::default()).await.expect("listed").reports;
    assert_eq!(reports.len(), 1, "once, though three were missed");
    assert_eq!((reports[0].made_by.as_str(), Some(reports[0].id)), ("engine", made.0.report));
    for file in &reports[0].files {
        assert!(std::path::Path::new(&file.path).is_file(), "{} is there", file.path);
    }
    let trail = second.ask::<operation::audit_page>(AuditPageRequest::default()).await.expect("the trail");
    for action in ["report_schedule_add", "report_generate", "report_schedule_run"] {
        let records: Vec<_> = trail.rows.iter().filter(|row| row.action == action).collect();
        assert_eq!(records.len(), 1, "one record of {action}");
    }

    // By hand it is made again, beside the first one.
    let request = ReportScheduleRef { id: schedule.id };
    let ran = second.ask::<operation::report_schedule_run>(request.clone()).await.expect("made");
    assert_eq!(ran.last.map(|last| last.period), Some(october()));
    let files = std::fs::read_dir(out.path().join("monthly")).expect("the folder").count();
    assert_eq!(files, 4, "nothing was written over, and no half file is there");
    let pause = |paused| ReportSchedulePause { id: schedule.id, paused };
    let paused = second.ask::<operation::report_schedule_pause>(pause(true)).await.expect("paused");
    assert!(paused.paused, "it is kept and rests");
    second.ask::<operation::report_schedule_run>(request.clone()).await.expect("by hand it is made still");
    let resumed = second.ask::<operation::report_schedule_pause>(pause(false)).await.expect("resumed");
    assert_eq!((resumed.paused, resumed.due_at), (false, at("2024-12-01T01:00:00Z")), "with the next month");
    let remove = ReportScheduleRemove { id: schedule.id.to_string() };
    let left = second.ask::<operation::report_schedule_remove>(remove).await.expect("removed");
    assert!(left.schedules.is_empty());
    let error = second.ask::<operation::report_schedule_run>(request).await.expect_err("it is gone");
    assert_eq!(error.code, ErrorCode::NotFound);
    second.console.close().await;
}

#[tokio::test]
async fn a_scheduled_report_that_cannot_be_written_says_why_and_waits_for_the_next_period() {
    let (home, out) = (folder(), folder());
    let clock = Arc::new(ManualClock::new(at("2024-11-20T12:00:00Z")));
    let desk = timed(&home, clock).await;
    let schedule = scheduled(&desk, &out).await;
    let folder = out.path().join("monthly");
    std::fs::remove_dir(&folder).expect("the folder was made when the schedule was set up");
    std::fs::write(&folder, b"a file where the folder should be").expect("written");
    let request = ReportScheduleRef { id: schedule.id };
    let error = desk.ask::<operation::report_schedule_run>(request).await.expect_err("no folder");
    assert_eq!(error.code, ErrorCode::Unavailable, "{error}");
    let list = desk.ask::<operation::report_schedule_list>(Nothing {}).await.expect("listed");
    let last = list.schedules[0].last.clone().expect("it is noted");
    assert!(last.report.is_none() && last.error.is_some_and(|text| text.contains("monthly")));
    desk.console.close().await;
}

#[tokio::test]
async fn schedules_are_checked_when_they_are_set_up() {
    let home = folder();
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let good = ReportScheduleAdd {
        framework: "kpi".to_owned(),
        subject: None,
        cadence: Cadence::Weekly,
        formats: vec![ReportFormat::Csv],
        archive: false,
        folder: "/somewhere".to_owned(),
        reason: None,
    };
    for (field, request) in [
        ("framework", ReportScheduleAdd { framework: "none".to_owned(), ..good.clone() }),
        ("subject", ReportScheduleAdd { subject: Some("7".to_owned()), ..good.clone() }),
        ("subject", ReportScheduleAdd { framework: "incident".to_owned(), ..good.clone() }),
        ("formats", ReportScheduleAdd { formats: Vec::new(), ..good.clone() }),
        ("folder", ReportScheduleAdd { folder: "here".to_owned(), ..good.clone() }),
    ] {
        let error = desk.ask::<operation::report_schedule_add>(request).await.expect_err(field);
        assert_eq!((error.code, error.field.as_deref()), (ErrorCode::Validation, Some(field)), "{error}");
    }
    desk.console.close().await;
}

#[tokio::test]
async fn a_report_that_is_stopped_leaves_no_file() {
    let (home, out) = (folder(), folder());
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let formats = [ReportFormat::Pdf, ReportFormat::Csv, ReportFormat::Json, ReportFormat::Markdown];
    let request = ReportGenerate {
        framework: "soc2".to_owned(),
        period: october(),
        subject: None,
        files: report_targets(out.path(), "soc2", None, october(), &formats, false).expect("a folder"),
        archive: false,
        ticket: Some("mine".to_owned()),
        supersedes: None,
    };
    let ticket = ReportTicket { ticket: "mine".to_owned() };
    // Nobody knows the ticket before the door has let the request in.
    let stopping = async {
        while !desk.ask::<operation::report_cancel>(ticket.clone()).await.expect("it answers").running {
            tokio::task::yield_now().await;
        }
    };
    let stopping = tokio::time::timeout(std::time::Duration::from_secs(30), stopping);
    let (made, stopped) = tokio::join!(desk.ask::<operation::report_generate>(request.clone()), stopping);
    stopped.expect("it was being made when it was stopped");
    assert_eq!(made.expect_err("it was stopped").code, ErrorCode::Cancelled);
    assert_eq!(std::fs::read_dir(out.path()).expect("the folder").count(), 0, "nothing is left");
    assert!(
        desk.ask::<operation::report_list>(ReportPageRequest::default())
            .await
            .expect("listed")
            .reports
            .is_empty()
    );

    let made = desk.ask::<operation::report_generate>(request).await.expect("the ticket is free again");
    assert_eq!((made.files.len(), std::fs::read_dir(out.path()).expect("the folder").count()), (4, 4));
    let after = desk.ask::<operation::report_progress>(ticket).await.expect("it answers");
    assert!(!after.running, "it has ended");
    desk.console.close().await;
}

#[tokio::test]
async fn a_preview_is_stopped_by_its_ticket() {
    let home = folder();
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let request = ReportRequest {
        framework: "soc2".to_owned(),
        period: october(),
        subject: None,
        ticket: Some("look".to_owned()),
    };
    let ticket = ReportTicket { ticket: "look".to_owned() };
    let stopping = async {
        while !desk.ask::<operation::report_cancel>(ticket.clone()).await.expect("it answers").running {
            tokio::task::yield_now().await;
        }
    };
    let stopping = tokio::time::timeout(std::time::Duration::from_secs(30), stopping);
    let (shown, stopped) = tokio::join!(desk.ask::<operation::report_preview>(request.clone()), stopping);
    stopped.expect("it was under way when it was stopped");
    assert_eq!(shown.expect_err("it was stopped").code, ErrorCode::Cancelled);
    let shown = desk.ask::<operation::report_preview>(request).await.expect("the ticket is free again");
    assert!(!shown.controls.is_empty());
    assert!(
        !desk.ask::<operation::report_progress>(ticket).await.expect("it answers").running,
        "it has ended"
    );
    desk.console.close().await;
}

#[tokio::test]
async fn all_files_are_written_or_none() {
    let (home, out) = (folder(), folder());
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let path = |name: &str| out.path().join(name).to_string_lossy().into_owned();
    let file = |format, name: &str| ReportTarget { format, path: path(name), replace: false };
    for files in [
        vec![file(ReportFormat::Json, "one.json"), file(ReportFormat::Csv, "none/two.csv")],
        vec![file(ReportFormat::Json, "same"), file(ReportFormat::Csv, "same")],
    ] {
        let request = ReportGenerate {
            framework: "kpi".to_owned(),
            period: october(),
            subject: None,
            files,
            archive: false,
            ticket: None,
            supersedes: None,
        };
        let error = desk.ask::<operation::report_generate>(request).await.expect_err("one cannot be written");
        assert_eq!(error.field.as_deref(), Some("files"), "{error}");
        assert_eq!(std::fs::read_dir(out.path()).expect("the folder").count(), 0, "nothing is left");
    }
    desk.console.close().await;
}

/// Every file of a folder with what it holds, by name.
fn all(folder: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| entry.expect("entry").path())
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read(path).unwrap_or_default())
        })
        .collect();
    found.sort();
    found
}

#[tokio::test]
async fn what_is_there_is_replaced_only_when_somebody_said_so_and_comes_back_when_nothing_came_of_it() {
    let (home, out) = (folder(), folder());
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let path = |name: &str| out.path().join(name).to_string_lossy().into_owned();
    let file = |format, name: &str, replace| ReportTarget { format, path: path(name), replace };
    let request = |files: Vec<ReportTarget>| ReportGenerate {
        framework: "kpi".to_owned(),
        period: october(),
        subject: None,
        files,
        archive: false,
        ticket: None,
        supersedes: None,
    };
    std::fs::write(out.path().join("b.csv"), b"an earlier report").expect("written");
    let before = all(out.path());

    let files = vec![file(ReportFormat::Json, "a.json", false), file(ReportFormat::Csv, "b.csv", false)];
    let error = desk.ask::<operation::report_generate>(request(files)).await.expect_err("it is there");
    assert_eq!((error.code, error.field.as_deref()), (ErrorCode::Conflict, Some("files")), "{error}");
    assert!(error.message.contains("b.csv") && !error.message.contains("a.json"), "{error}");
    assert_eq!(all(out.path()), before, "nothing was written");

    // The first file may take the other's place, the second is in the way: a folder cannot be written over.
    std::fs::create_dir(out.path().join("folder")).expect("made");
    std::fs::write(out.path().join("folder/kept"), b"x").expect("written");
    let before = all(out.path());
    let files = vec![file(ReportFormat::Csv, "b.csv", true), file(ReportFormat::Json, "folder", true)];
    desk.ask::<operation::report_generate>(request(files)).await.expect_err("a folder is no file");
    assert_eq!(all(out.path()), before, "what was there is there again, and nothing beside it");
    assert!(
        desk.ask::<operation::report_list>(ReportPageRequest::default())
            .await
            .expect("listed")
            .reports
            .is_empty()
    );

    let files = vec![file(ReportFormat::Csv, "b.csv", true), file(ReportFormat::Json, "a.json", true)];
    let made = desk.ask::<operation::report_generate>(request(files)).await.expect("it may be replaced");
    let names: Vec<String> = all(out.path()).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["a.json", "b.csv", "folder"], "what was replaced is gone");
    assert_eq!(made.files[0].bytes, std::fs::metadata(out.path().join("b.csv")).expect("it is there").len());
    desk.console.close().await;
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_told_in_a_sentence() {
    let (home, out) = (folder(), folder());
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let file = out.path().join("file");
    std::fs::write(&file, b"somebody's").expect("written");
    let below = file.join("reports");
    let is_no_folder = format!("{} is no folder", file.display());
    let mut cases = vec![
        (file.clone(), is_no_folder.clone()),
        (below.clone(), format!("the folder {} cannot be made: {is_no_folder}", below.display())),
    ];
    // Nobody may make folders in there, root included.
    if std::path::Path::new("/sys/kernel").is_dir() {
        let words = "the folder /sys/kernel/a/b cannot be made: /sys/kernel may not be written to";
        cases.push(("/sys/kernel/a/b".into(), words.to_owned()));
    }
    for (folder, words) in cases {
        let asked = report_targets(&folder, "kpi", None, october(), &[ReportFormat::Json], false);
        let error = asked.expect_err("it cannot be used");
        assert_eq!((error.code, error.message.as_str()), (ErrorCode::Unavailable, words.as_str()));
        assert_eq!(error.field.as_deref(), Some("folder"));
        let add = ReportScheduleAdd {
            framework: "kpi".to_owned(),
            subject: None,
            cadence: Cadence::Monthly,
            formats: vec![ReportFormat::Json],
            archive: false,
            folder: folder.to_string_lossy().into_owned(),
            reason: None,
        };
        let error = desk.ask::<operation::report_schedule_add>(add).await.expect_err("nor by a schedule");
        assert_eq!((error.field.as_deref(), error.message), (Some("folder"), words));
    }
    let names = ReportNames {
        framework: "kpi".to_owned(),
        period: october(),
        subject: None,
        formats: vec![ReportFormat::Json],
        folder: file.to_string_lossy().into_owned(),
    };
    let error = desk.ask::<operation::report_names>(names).await.expect_err("nor for the window");
    assert_eq!(error.message, is_no_folder);
    assert_eq!(std::fs::read(&file).expect("there"), b"somebody's");
    desk.console.close().await;
}

#[tokio::test]
async fn names_in_a_folder_are_free_ones() {
    let (home, out) = (folder(), folder());
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let ask = |folder: String| ReportNames {
        framework: "kpi".to_owned(),
        period: october(),
        subject: None,
        formats: ReportFormat::ALL.to_vec(),
        folder,
    };
    let here = out.path().to_string_lossy().into_owned();
    let first = desk.ask::<operation::report_names>(ask(here.clone())).await.expect("named").files;
    assert_eq!(first.len(), 4);
    assert!(first[0].path.ends_with("kpi-20241001-20241101.pdf"), "{}", first[0].path);
    std::fs::write(&first[1].path, b"one of the four is there").expect("written");
    let second = desk.ask::<operation::report_names>(ask(here)).await.expect("named").files;
    assert!(second.iter().all(|file| file.path.contains("kpi-20241001-20241101-2.") && !file.replace));
    for folder in ["here", "/no/such/folder"] {
        let error = desk.ask::<operation::report_names>(ask(folder.to_owned())).await.expect_err(folder);
        assert_eq!(error.field.as_deref(), Some("folder"), "{error}");
    }
    desk.console.close().await;
}

#[tokio::test]
async fn what_is_said_of_a_control_stands_in_the_next_report_until_it_is_taken_back() {
    let home = folder();
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let request =
        ReportRequest { framework: "soc2".to_owned(), period: october(), subject: None, ticket: None };
    let preview =
        || async { desk.ask::<operation::report_preview>(request.clone()).await.expect("evaluated") };
    let say = |control: &str, row: &[String], text: &str| ReportCommentAdd {
        framework: "soc2".to_owned(),
        control: control.to_owned(),
        row: row.to_vec(),
        period: Some(october()),
        text: text.to_owned(),
    };
    let add = async |request| desk.ask::<operation::report_comment_add>(request).await;
    let whole = add(say("A1.2", &[], " The backup moved. ")).await.expect("kept");
    assert_eq!(whole.text, "The backup moved.");

    // A control with evidence: its days, each known by its first cell.
    let document = preview().await;
    let (control, row) = document
        .controls
        .iter()
        .find_map(|control| {
            Some((control.id.clone(), control.checks.iter().find_map(|one| one.rows.first())?))
        })
        .expect("a control shows rows");
    let by_key = add(say(&control, &row[..1], "By what it is known")).await.expect("kept");
    assert_eq!((&by_key.row, by_key.key.as_ref()), (row, row.first()), "the whole row is kept, with its key");
    add(say(&control, row, "Cell by cell")).await.expect("kept");

    let none = ["no".to_owned(), "such row".to_owned()];
    let unsaid = ReportCommentAdd { period: None, ..say(&control, row, "?") };
    for (field, request) in [
        ("control", say("X9", &[], "?")),
        ("text", say("A1.2", &[], "  ")),
        ("row", say(&control, &none, "?")),
        ("period", unsaid),
    ] {
        let error = add(request).await.expect_err(field);
        assert_eq!((error.code, error.field.as_deref()), (ErrorCode::Validation, Some(field)), "{error}");
    }
    let spoken = |document: &watchpost_report::ReportDocument| -> Vec<String> {
        let all = document.controls.iter().flat_map(|control| &control.comments);
        let mut texts: Vec<String> = all.map(|comment| comment.text.clone()).collect();
        texts.sort();
        texts
    };
    assert_eq!(spoken(&preview().await), ["By what it is known", "Cell by cell", "The backup moved."]);

    let list = || async {
        let request = ReportCommentsRequest { framework: "soc2".to_owned() };
        desk.ask::<operation::report_comment_list>(request).await.expect("listed")
    };
    assert_eq!((list().await.comments.len(), list().await.left_out), (3, 0));
    let withdraw = ReportCommentRef { id: whole.id };
    desk.ask::<operation::report_comment_withdraw>(withdraw.clone()).await.expect("taken back");
    assert_eq!(spoken(&preview().await), ["By what it is known", "Cell by cell"]);
    assert_eq!(list().await.comments.len(), 2);
    let again = desk.ask::<operation::report_comment_withdraw>(withdraw).await.expect_err("it is gone");
    assert_eq!(again.code, ErrorCode::NotFound);
    let trail = desk.ask::<operation::audit_page>(AuditPageRequest::default()).await.expect("the trail");
    let record =
        trail.rows.iter().find(|row| row.action == "report_comment_withdraw" && !row.changes.is_empty());
    let record = record.expect("the trail keeps what was taken back");
    assert_eq!(record.changes[0].old["text"], "The backup moved.");
    desk.console.close().await;
}

#[tokio::test]
async fn a_change_says_why_in_its_request_or_at_the_door() {
    let home = folder();
    let mut desk = desk(&home, Tenure::Guest, local_connection()).await;
    let settings = desk.ask::<operation::settings_get>(Nothing {}).await.expect("read");
    let change = |name: &str, reason: Option<&str>| SettingsChange {
        organisation: name.to_owned(),
        retention: settings.retention.clone(),
        reason: reason.map(str::to_owned),
    };
    desk.ask::<operation::settings_put>(change("One", Some("the name was wrong"))).await.expect("changed");
    desk.call.reason = Some("a second thought".to_owned());
    desk.ask::<operation::settings_put>(change("Two", None)).await.expect("changed");
    let trail = desk.ask::<operation::audit_page>(AuditPageRequest::default()).await.expect("the trail");
    let reasons: Vec<Option<&str>> = trail
        .rows
        .iter()
        .filter(|row| row.action == "settings_put")
        .map(|row| row.reason.as_deref())
        .collect();
    assert_eq!(reasons, [Some("a second thought"), Some("the name was wrong")]);
    desk.console.close().await;
}
