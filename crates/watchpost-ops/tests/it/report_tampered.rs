//! Reports whose rows somebody changed who can write into the database: the trail is believed, and everything says so.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use watchpost_model::ids::ReportId;
use watchpost_model::period::Period;
use watchpost_model::privacy::SubjectKind;
use watchpost_model::report::{Cadence, ReportFormat, ReportRecord};
use watchpost_model::text::visible;
use watchpost_ops::checked_alone;
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{
    DoubtedReport, Nothing, PrivacyErase, ReportApprove, ReportCompare, ReportCopy, ReportGenerate,
    ReportList, ReportPageRequest, ReportScheduleAdd, ReportScheduleRef, ReportScheduleRemove, ReportTarget,
    ReportVerify,
};
use watchpost_ops::door::operation;
use watchpost_ops::error::{ErrorCode, OpError};

use crate::door::{Desk, desk, folder};

/// The statements on the database file, as somebody else's program.
const TAMPER: &str = "import sqlite3, sys\n\
    db = sqlite3.connect(sys.argv[1], timeout=30)\n\
    n = db.execute(sys.argv[2]).rowcount\n\
    db.commit()\n\
    print(n)\n";

fn database(home: &Path) -> PathBuf {
    let mut folders = vec![home.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("ours").flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path if path.extension().is_some_and(|ending| ending == "db") => return path,
                _ => {}
            }
        }
    }
    panic!("a database")
}

pub(crate) fn tamper(home: &TempDir, sql: &str) {
    tamper_rows(home, sql, 1);
}

/// A statement that changes so many rows.
pub(crate) fn tamper_rows(home: &TempDir, sql: &str, n: usize) {
    let mut python = Command::new("python3");
    python.args(["-c", TAMPER]).arg(database(home.path())).arg(sql);
    let output = python.output().expect("there is a python3");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(said.trim(), n.to_string(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
}

fn json(out: &TempDir, name: &str) -> Vec<ReportTarget> {
    let path = out.path().join(name).to_string_lossy().into_owned();
    vec![ReportTarget { format: ReportFormat::Json, path, replace: false }]
}

fn request(out: &TempDir, name: &str) -> ReportGenerate {
    let at = |text: &str| text.parse().expect("an instant");
    ReportGenerate {
        framework: "summary".to_owned(),
        period: Period { from: at("2026-03-01T00:00:00Z"), to: at("2026-04-01T00:00:00Z") },
        subject: None,
        files: json(out, name),
        archive: false,
        ticket: None,
        supersedes: None,
    }
}

async fn made(desk: &Desk, out: &TempDir, name: &str) -> ReportRecord {
    desk.ask::<operation::report_generate>(request(out, name)).await.expect("it is made")
}

async fn approve(desk: &Desk, id: ReportId) -> Result<ReportRecord, OpError> {
    let mut call = desk.call.clone();
    call.caller.name = "mara".to_owned();
    let request = ReportApprove { id, note: "looked at all".to_owned() };
    desk.console.call::<operation::report_approve>(&call, request).await
}

async fn doubted(desk: &Desk) -> Vec<DoubtedReport> {
    desk.ask::<operation::report_list>(ReportPageRequest::default()).await.expect("listed").doubted
}

/// The value of a field of the row, replaced in its text.
fn set(id: ReportId, field: &str, value: &str) -> String {
    format!("UPDATE report SET body = json_set(body, '$.{field}', json('{value}')) WHERE id = '{id}'")
}

#[tokio::test]
async fn whatever_is_changed_in_the_row_of_a_report_is_named_and_nothing_is_made_of_it() {
    let (home, out) = (folder(), folder());
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let sound = made(&desk, &out, "sound.json").await;
    assert_eq!(doubted(&desk).await, []);
    let hash = "0".repeat(64);
    let gone = |id| format!("DELETE FROM report WHERE id = '{id}'");
    type Forgery<'f> = &'f dyn Fn(ReportId) -> String;
    let other = sound.id;
    let drafts: [(Forgery<'_>, &str); 17] = [
        (&|id| set(id, "summary", "\"0 fail\""), "changed after it was made"),
        (&|id| set(id, "worst", "\"pass\""), "changed after it was made"),
        (&|id| set(id, "framework", "\"soc2\""), "cannot be read"),
        (&|id| set(id, "period.to", "\"2027-01-01T00:00:00Z\""), "changed after it was made"),
        (&|id| set(id, "made_at", "\"2026-01-01T00:00:00Z\""), "cannot be read"),
        (&|id| set(id, "subject", "\"dana\""), "changed after it was made"),
        (&|id| set(id, "files", "[]"), "changed after it was made"),
        (&|id| set(id, "made_by", "\"vera\""), "cannot be read"),
        (&|id| set(id, "content_sha256", &format!("\"{hash}\"")), "not the one that was made"),
        (&|id| set(id, "status", "\"final\""), "knows of no approval"),
        (&|id| format!("UPDATE report SET body = 'x' WHERE id = '{id}'"), "cannot be read"),
        (&gone, "gone from the database"),
        // Another report's record under its id: whoever asks for the one gets the other.
        (
            &|id| {
                format!(
                    "UPDATE report SET body = (SELECT body FROM report WHERE id = '{other}') WHERE id = '{id}'"
                )
            },
            "cannot be read",
        ),
        (&|id| format!("UPDATE report SET made_at = 9999999999999999 WHERE id = '{id}'"), "cannot be read"),
        (&|id| format!("UPDATE report SET made_by = x'ff' WHERE id = '{id}'"), "cannot be read"),
        (&|id| format!("UPDATE report SET framework = 'soc2' WHERE id = '{id}'"), "cannot be read"),
        (&|id| format!("UPDATE report SET body = x'00ff' WHERE id = '{id}'"), "cannot be read"),
    ];
    for (n, (forgery, words)) in drafts.iter().enumerate() {
        let report = made(&desk, &out, &format!("draft{n}.json")).await;
        tamper(&home, &forgery(report.id));
        is_doubted(&desk, &out, (&report, &sound), words).await;
    }
    let finals: [(Forgery<'_>, &str); 6] = [
        (&|id| set(id, "approval.at", "\"2026-01-01T00:00:00Z\""), "approval was changed"),
        (&|id| set(id, "approval.signed_note", "\"x\""), "approval was changed"),
        (&|id| set(id, "approval.note", "\"never\""), "said something else"),
        (&|id| set(id, "approval.by", "\"vera\""), "says that vera approved it"),
        (&|id| set(id, "approval", "null"), "its record says nothing of it"),
        (&|id| set(id, "status", "\"draft\""), "says draft"),
    ];
    for (n, (forgery, words)) in finals.iter().enumerate() {
        let report = made(&desk, &out, &format!("final{n}.json")).await;
        approve(&desk, report.id).await.expect("a second person");
        tamper(&home, &forgery(report.id));
        is_doubted(&desk, &out, (&report, &sound), words).await;
    }
    let contents: [(Forgery<'_>, &str); 3] = [
        (
            &|id| format!("DELETE FROM report_content WHERE report_id = '{id}'"),
            "content that was kept of it is gone",
        ),
        (
            &|id| format!("UPDATE report_content SET body = '{{}}' WHERE report_id = '{id}'"),
            "not the one that its record names",
        ),
        (
            &|id| {
                let digest = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
                format!(
                    "UPDATE report_content SET body = '{{}}', sha256 = '{digest}' WHERE report_id = '{id}'"
                )
            },
            "not the one that its record names",
        ),
    ];
    for (n, (forgery, words)) in contents.iter().enumerate() {
        let report = made(&desk, &out, &format!("content{n}.json")).await;
        tamper(&home, &forgery(report.id));
        is_refused(&desk, &out, (&report, &sound), words).await;
        // The list looks at the hash that is kept beside it, not through all of it.
        let all = doubted(&desk).await;
        let listed = all.iter().any(|one| one.id == report.id.to_string());
        assert_eq!(listed, n != 1, "{words}: {all:?}");
    }
    // None of it stops a report that looks at them all.
    let mut soc2 = request(&out, "soc2.json");
    soc2.framework = "soc2".to_owned();
    soc2.period.to = desk.console.now() + chrono::Duration::days(1);
    desk.ask::<operation::report_generate>(soc2).await.expect("it is made");
    // None of it stops the next one, and all of them count for how often the period was reported.
    let next = made(&desk, &out, "next.json").await;
    let text = std::fs::read_to_string(&next.files[0].path).expect("it is there");
    let earlier = 1 + drafts.len() + finals.len() + contents.len();
    assert!(text.contains(&format!("\"earlier\":{earlier},")), "of {earlier}: {}", &text[..400]);
    let sound = verified(&desk, &sound).await;
    assert_eq!(sound, Vec::<String>::new());
    desk.console.close().await;
}

async fn verified(desk: &Desk, report: &ReportRecord) -> Vec<String> {
    let request = ReportVerify { path: report.files[0].path.clone(), proof: None };
    desk.ask::<operation::report_verify>(request).await.expect("it is read").problems
}

/// The list says so, and what [`is_refused`] says.
async fn is_doubted(desk: &Desk, out: &TempDir, reports: (&ReportRecord, &ReportRecord), words: &str) {
    let all = doubted(desk).await;
    let one = all.iter().find(|one| one.id == reports.0.id.to_string()).expect(words);
    assert!(one.problems.join("; ").contains(words), "{words}: {:?}", one.problems);
    is_refused(desk, out, reports, words).await;
}

/// A file of it is found wrong, and nobody approves, copies or compares it.
async fn is_refused(
    desk: &Desk,
    out: &TempDir,
    (report, sound): (&ReportRecord, &ReportRecord),
    words: &str,
) {
    let problems = verified(desk, report).await.join("; ");
    assert!(problems.contains(words), "{words}: {problems}");
    let copy = ReportCopy { id: report.id, files: json(out, "copy.json"), archive: false };
    let compare = ReportCompare { id: report.id, before: Some(sound.id) };
    let with = ReportCompare { id: sound.id, before: Some(report.id) };
    let refusals = [
        approve(desk, report.id).await.expect_err(words),
        desk.ask::<operation::report_copy>(copy).await.expect_err(words),
        desk.ask::<operation::report_compare>(compare).await.expect_err(words),
        desk.ask::<operation::report_compare>(with).await.expect_err(words),
    ];
    for refused in refusals {
        assert_eq!(refused.code, ErrorCode::Precondition, "{words}: {refused}");
        assert!(refused.message.contains(words), "{words}: {refused}");
    }
    assert!(!out.path().join("copy.json").exists(), "{words}: nothing is written");
}

/// A content that names a person goes with the person: that is no forgery, and nothing else of the report is doubted.
#[tokio::test]
async fn what_goes_with_an_erasure_is_not_called_a_forgery() {
    let (home, out) = (folder(), folder());
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let about = ReportGenerate {
        framework: "subject-access".to_owned(),
        subject: Some("walburga".to_owned()),
        ..request(&out, "about.json")
    };
    let about = desk.ask::<operation::report_generate>(about).await.expect("it is made");
    let other = made(&desk, &out, "other.json").await;
    let erase = PrivacyErase {
        kind: SubjectKind::User,
        subject: "walburga".to_owned(),
        reason: "request 12".to_owned(),
    };
    desk.ask::<operation::privacy_erase>(erase).await.expect("nothing stands against it");
    assert_eq!(doubted(&desk).await, []);
    let copy = |id, name| ReportCopy { id, files: json(&out, name), archive: false };
    let refused = desk.ask::<operation::report_copy>(copy(about.id, "a.json")).await.expect_err("it is gone");
    assert!(refused.message.contains("went with the erasure of a person"), "{refused}");
    desk.ask::<operation::report_copy>(copy(other.id, "b.json")).await.expect("it names nobody");
    // Nor is an erasure a way around the trail for what is dated before it.
    let forged = "{\"at\":\"2026-01-01T00:00:00Z\",\"by\":\"mara\",\"note\":\"fine\",\"signed_note\":null}";
    tamper(&home, &set(other.id, "approval", forged));
    let all = doubted(&desk).await;
    let one = all.iter().find(|one| one.id == other.id.to_string()).expect("nobody approved it");
    assert!(one.problems.join("; ").contains("knows of no approval"), "{:?}", one.problems);
    desk.console.close().await;
}

#[tokio::test]
async fn a_schedule_that_was_broken_is_named_stops_no_other_and_can_be_taken_away() {
    let (home, out) = (folder(), folder());
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let mut schedules = Vec::new();
    for name in ["one", "two"] {
        let request = ReportScheduleAdd {
            framework: "summary".to_owned(),
            subject: None,
            cadence: Cadence::Monthly,
            formats: vec![ReportFormat::Json],
            archive: false,
            folder: out.path().join(name).to_string_lossy().into_owned(),
            reason: Some("asked for".to_owned()),
        };
        schedules.push(desk.ask::<operation::report_schedule_add>(request).await.expect("added"));
    }
    let [broken, sound] = [schedules[0].id, schedules[1].id];
    tamper(&home, &format!("UPDATE report_schedule SET body = '{{' WHERE id = '{broken}'"));
    let list = desk.ask::<operation::report_schedule_list>(Nothing {}).await.expect("listed");
    assert_eq!(list.schedules, schedules[1..]);
    assert_eq!(list.unreadable, [broken.to_string()]);
    let run = |id| desk.ask::<operation::report_schedule_run>(ReportScheduleRef { id });
    assert_eq!(run(broken).await.expect_err("nobody knows what").code, ErrorCode::Precondition);
    run(sound).await.expect("the other one is made");
    let remove = |id: String| desk.ask::<operation::report_schedule_remove>(ReportScheduleRemove { id });
    let left = remove(broken.to_string()).await.expect("taken away");
    assert_eq!((left.schedules.len(), left.unreadable.len()), (1, 0));

    // Whatever stands in place of an id is taken as it is shown.
    let ids = ["'it''s $(mine)'", "''", "'a' || char(10) || 'b'", "NULL", "NULL", "x'ff00'"];
    for id in ids {
        tamper(&home, &format!("INSERT INTO report_schedule (id, due_at, body) VALUES ({id}, 0, '{{}}')"));
    }
    let list = desk.ask::<operation::report_schedule_list>(Nothing {}).await.expect("listed");
    assert_eq!(list.unreadable.len(), 4, "those without one stand once: {:?}", list.unreadable);
    for (n, id) in list.unreadable.iter().enumerate() {
        let left = remove(visible(id, 40)).await.expect(id);
        assert_eq!((left.schedules.len(), left.unreadable.len()), (1, 3 - n), "{id:?}");
    }
    assert_eq!(
        remove("no such one".to_owned()).await.expect_err("it is not there").code,
        ErrorCode::NotFound
    );
    desk.console.close().await;
}

#[tokio::test]
async fn a_long_list_of_reports_has_pages_and_every_report_is_found() {
    let (home, out) = (folder(), folder());
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let mut ids = Vec::new();
    for name in ["a.json", "b.json", "c.json"] {
        ids.insert(0, made(&desk, &out, name).await.id);
    }
    let page = |request| async { desk.ask::<operation::report_list>(request).await };
    let of = |list: ReportList| (list.reports.iter().map(|report| report.id).collect::<Vec<_>>(), list.total);
    let first = ReportPageRequest { limit: Some(2), ..ReportPageRequest::default() };
    assert_eq!(of(page(first.clone()).await.expect("the newest")), (ids[..2].to_vec(), 3));
    let rest = ReportPageRequest { before: Some(ids[1]), ..first.clone() };
    assert_eq!(of(page(rest).await.expect("the rest")), (ids[2..].to_vec(), 3));
    let one = ReportPageRequest { id: Some(ids[2]), ..ReportPageRequest::default() };
    assert_eq!(of(page(one).await.expect("one")), (ids[2..].to_vec(), 1));
    let other = ReportPageRequest { framework: Some("soc2".to_owned()), ..ReportPageRequest::default() };
    assert_eq!(of(page(other).await.expect("none")), (Vec::new(), 0));
    let lost =
        ReportPageRequest { before: "01a00000-0000-7000-8000-000000000000".parse().ok(), ..first.clone() };
    assert_eq!(page(lost).await.expect_err("no such report").field.as_deref(), Some("before"));
    // What is doubted is told on every page.
    tamper(&home, &set(ids[2], "summary", "\"0 fail\""));
    assert_eq!(page(first).await.expect("the newest").doubted.len(), 1);
    desk.console.close().await;
}

#[tokio::test]
async fn the_question_that_a_report_says_was_asked_is_the_one_that_this_program_asks() {
    let (home, out) = (folder(), folder());
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let request = ReportGenerate { framework: "soc2".to_owned(), ..request(&out, "soc2.json") };
    let made = desk.ask::<operation::report_generate>(request).await.expect("it is made");
    let path = made.files[0].path.clone();
    assert_eq!(checked_alone(&path, None).expect("read").problems, Vec::<String>::new());
    let text = std::fs::read_to_string(&path).expect("it is there");
    for (own, other) in [
        ("exceptions do not have their content kept under its hash", "exceptions are none"),
        ("SELECT 1 FROM report_content c", "SELECT 2 FROM report_content c"),
    ] {
        assert!(text.contains(own), "the report says {own}");
        std::fs::write(&path, text.replace(own, other)).expect("written");
        let problems = checked_alone(&path, None).expect("read").problems;
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].starts_with("CC2.1, check 2: ") && problems[0].contains("of this program"));
    }
    desk.console.close().await;
}
