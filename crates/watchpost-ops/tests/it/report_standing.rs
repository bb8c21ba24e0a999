//! How far a report is: draft, final, superseded; who says so, and what the files and the trail say of it.

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use tempfile::TempDir;
use watchpost_model::access::{Permission, Role};
use watchpost_model::audit::{AuditDraft, AuditOutcome, AuditRecord};
use watchpost_model::clock::{Clock, SystemClock};
use watchpost_model::ids::ReportId;
use watchpost_model::incident::Incident;
use watchpost_model::period::Period;
use watchpost_model::register::{EntryResult, RegisterKind};
use watchpost_model::report::{Approval, ReportFormat, ReportRecord, ReportStatus};
use watchpost_ops::checked_alone;
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{
    AuditPageRequest, IncidentPageRequest, Nothing, RegisterAdd, ReportApprove, ReportCompare, ReportCopy,
    ReportGenerate, ReportPageRequest, ReportProof, ReportRequest, ReportTarget, ReportVerify,
};
use watchpost_ops::door::operation;
use watchpost_ops::error::{ErrorCode, OpError};
use watchpost_store::{DatabaseTarget, Signer, Store};

use crate::door::{Desk, caller, desk, folder};

const MARCH: (&str, &str) = ("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z");

fn period((from, to): (&str, &str)) -> Period {
    Period { from: from.parse().expect("an instant"), to: to.parse().expect("an instant") }
}

fn target(out: &TempDir, name: &str, format: ReportFormat, replace: bool) -> ReportTarget {
    ReportTarget { format, path: out.path().join(name).to_string_lossy().into_owned(), replace }
}

fn summary(files: Vec<ReportTarget>) -> ReportGenerate {
    ReportGenerate {
        framework: "summary".to_owned(),
        period: period(MARCH),
        subject: None,
        files,
        archive: false,
        ticket: None,
        supersedes: None,
    }
}

async fn made(desk: &Desk, request: ReportGenerate) -> ReportRecord {
    desk.ask::<operation::report_generate>(request).await.expect("it is made")
}

async fn approve(desk: &Desk, id: ReportId, by: &str) -> Result<ReportRecord, OpError> {
    let mut call = desk.call.clone();
    call.caller.name = by.to_owned();
    let request = ReportApprove { id, note: "looked at all".to_owned() };
    desk.console.call::<operation::report_approve>(&call, request).await
}

async fn status(desk: &Desk, id: ReportId) -> ReportStatus {
    let list = desk.ask::<operation::report_list>(ReportPageRequest::default()).await.expect("listed");
    list.reports.iter().find(|report| report.id == id).expect("it is kept").status
}

async fn trail(desk: &Desk) -> Vec<AuditRecord> {
    desk.ask::<operation::audit_page>(AuditPageRequest::default()).await.expect("the trail").rows
}

#[tokio::test]
async fn the_files_of_a_final_report_stay_and_a_copy_says_who_approved_it() {
    let (home, out) = (folder(), folder());
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let files = |replace| {
        vec![
            target(&out, "a.json", ReportFormat::Json, replace),
            target(&out, "a.md", ReportFormat::Markdown, replace),
        ]
    };
    let read = |name: &str| std::fs::read_to_string(out.path().join(name)).expect("it is there");
    let first = made(&desk, summary(files(false))).await;
    assert_eq!(first.worst, "none", "nothing is judged, so nothing passed");
    assert!(read("a.md").contains("draft"), "what nobody approved says so");

    let own = approve(&desk, first.id, "dana").await.expect_err("whoever made it is no second person");
    assert_eq!(own.code, ErrorCode::Permission);
    approve(&desk, first.id, "mara").await.expect("a second person");
    let before = (read("a.json"), read("a.md"));
    let refused =
        desk.ask::<operation::report_generate>(summary(files(true))).await.expect_err("it is final");
    assert_eq!(refused.code, ErrorCode::Validation, "{refused}");
    assert!(refused.message.contains(&first.id.to_string()), "{refused}");
    assert_eq!((read("a.json"), read("a.md")), before, "nothing was written over");

    let copies = vec![
        target(&out, "b.json", ReportFormat::Json, false),
        target(&out, "b.md", ReportFormat::Markdown, false),
        target(&out, "b.csv", ReportFormat::Csv, false),
        target(&out, "b.pdf", ReportFormat::Pdf, false),
    ];
    let request = ReportCopy { id: first.id, files: copies, archive: false };
    let copied = desk.ask::<operation::report_copy>(request).await.expect("it is written again");
    assert_eq!(read("b.json"), before.0, "the content is the same to the byte");
    for name in ["b.md", "b.csv"] {
        let text = read(name);
        assert!(text.contains("final") && text.contains("mara") && text.contains("looked at all"), "{name}");
    }
    for file in &copied.files {
        let request = ReportVerify { path: file.path.clone(), proof: None };
        let checked = desk.ask::<operation::report_verify>(request).await.expect("read");
        assert_eq!(checked.problems, Vec::<String>::new(), "{}", file.path);
        let signature = checked.signature.expect("a final report tells of its signature");
        assert!(signature.contains("holds") || signature.contains("none"), "{signature}");
    }
    desk.console.close().await;
}

/// The database behind the back of the program, as somebody has it who can write into it.
pub(crate) async fn behind(home: &TempDir) -> Store {
    let mut found = Vec::new();
    let mut folders = vec![home.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("ours").flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path if path.extension().is_some_and(|ending| ending == "db") => found.push(path),
                _ => {}
            }
        }
    }
    let [path] = found.as_slice() else { panic!("one database, not {found:?}") };
    let target = DatabaseTarget::Sqlite { path: path.clone() };
    Store::open(&target, Arc::new(SystemClock)).await.expect("it opens")
}

/// A record of the trail that says that this was done by this person.
fn entry(action: &str, by: &str, report: ReportId) -> AuditDraft {
    let mut caller = caller(Role::Admin);
    caller.name = by.to_owned();
    AuditDraft {
        caller,
        action: action.to_owned(),
        object: format!("report/{report}"),
        permission: Permission::Report,
        outcome: AuditOutcome::Success,
        changes: Vec::new(),
        reason: None,
        at: SystemClock.now(),
        risk: 0,
    }
}

fn approval(by: &str) -> Approval {
    Approval { by: by.to_owned(), at: SystemClock.now(), note: "fine".to_owned(), signed_note: None }
}

async fn problems(desk: &Desk, path: &str) -> Vec<String> {
    let request = ReportVerify { path: path.to_owned(), proof: None };
    desk.ask::<operation::report_verify>(request).await.expect("read").problems
}

#[tokio::test]
async fn a_standing_that_the_trail_does_not_know_is_named() {
    let (home, out) = (folder(), folder());
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let store = behind(&home).await;
    let json = |name: &str| vec![target(&out, name, ReportFormat::Json, false)];
    let said = async |report: &ReportRecord| problems(&desk, &report.files[0].path).await.join("\n");

    let first = made(&desk, summary(json("1.json"))).await;
    assert_eq!(said(&first).await, "");
    store
        .report_approve(first.id, approval("mara"), entry("setting_put", "mara", first.id))
        .await
        .expect("written");
    let words = said(&first).await;
    assert!(words.contains("mara approved it, the audit trail knows of no approval"), "{words}");

    let second = made(&desk, summary(json("2.json"))).await;
    store
        .report_approve(second.id, approval("vera"), entry("report_approve", "mara", second.id))
        .await
        .expect("written");
    let words = said(&second).await;
    assert!(words.contains("vera approved it, the audit trail names mara"), "{words}");

    assert!(!words.contains("said something else"), "the forged record gives no words: {words}");

    // A real approval whose words were changed, and a report that is to retire one it was not made for.
    let words_of = |report: &ReportRecord, reason: &str| AuditDraft {
        reason: Some(reason.to_owned()),
        ..entry("report_approve", "mara", report.id)
    };
    let said_otherwise = made(&desk, summary(json("words.json"))).await;
    let draft = words_of(&said_otherwise, "looked at all");
    store.report_approve(said_otherwise.id, approval("mara"), draft).await.expect("written");
    let words = said(&said_otherwise).await;
    assert!(words.contains("mara said something else"), "{words}");
    let content = std::fs::read_to_string(out.path().join("words.json")).expect("the JSON is the content");
    let retiring = ReportRecord {
        id: ReportId::at(SystemClock.now()),
        supersedes: Some(said_otherwise.id),
        ..said_otherwise.clone()
    };
    store
        .report_add(&retiring, &content, entry("report_generate", "dana", retiring.id))
        .await
        .expect("written");
    let refused = approve(&desk, retiring.id, "mara").await.expect_err("the trail knows of no such intent");
    assert!(refused.message.contains("take the place of another one"), "{refused}");

    let third = made(&desk, summary(json("3.json"))).await;
    store.audit_append(entry("report_approve", "mara", third.id)).await.expect("written");
    let words = said(&third).await;
    assert!(words.contains("mara approved the report") && words.contains("says nothing of it"), "{words}");

    // A record that somebody put beside those that were made: nobody signs it, and no paper shows it.
    let content = std::fs::read_to_string(out.path().join("1.json")).expect("the JSON is the content");
    let forged = ReportRecord { id: ReportId::at(SystemClock.now()), supersedes: None, ..first.clone() };
    store.report_add(&forged, &content, entry("setting_put", "mara", forged.id)).await.expect("written");
    let refused = approve(&desk, forged.id, "mara").await.expect_err("the trail knows nothing of its making");
    assert!(refused.message.contains("knows nothing of its making"), "{refused}");
    let copy = ReportCopy { id: forged.id, files: json("forged.json"), archive: false };
    let refused = desk.ask::<operation::report_copy>(copy).await.expect_err("the same");
    assert!(refused.message.contains("knows nothing of its making"), "{refused}");
    assert!(!out.path().join("forged.json").exists(), "nothing is written");
    // Another maker in the record, so that the one who made it could approve it.
    let other =
        ReportRecord { id: ReportId::at(SystemClock.now()), made_by: "alice".to_owned(), ..forged.clone() };
    store.report_add(&other, &content, entry("report_generate", "mara", other.id)).await.expect("written");
    let refused = approve(&desk, other.id, "mara").await.expect_err("mara made it");
    assert!(refused.message.contains("alice made it, the audit trail names mara"), "{refused}");

    let fourth = made(&desk, summary(json("4.json"))).await;
    let instead =
        ReportRecord { id: ReportId::at(SystemClock.now()), supersedes: Some(fourth.id), ..fourth.clone() };
    let content = std::fs::read_to_string(out.path().join("4.json")).expect("the JSON is the content");
    store.report_add(&instead, &content, entry("setting_put", "mara", instead.id)).await.expect("written");
    let words = said(&fourth).await;
    assert!(words.contains("superseded, the audit trail knows of no other"), "{words}");
    desk.console.close().await;
}

/// As an auditor does who has the files and no database: with the key of a console that is not here.
#[tokio::test]
async fn an_approval_is_checked_with_a_key_alone() {
    let (home, out) = (folder(), folder());
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let file = |name: &str, format| target(&out, name, format, false);
    let report =
        made(&desk, summary(vec![file("a.json", ReportFormat::Json), file("a.md", ReportFormat::Markdown)]))
            .await;
    let elsewhere = DatabaseTarget::Sqlite { path: out.path().join("elsewhere.db") };
    let elsewhere = Store::open(&elsewhere, Arc::new(SystemClock)).await.expect("it is made");
    let signed = async |seed: u8, text: &str| {
        let signer = Signer::from_seed(&[seed; 32], "watchpost/elsewhere").expect("a good name");
        elsewhere.set_signer(signer).await.expect("it is known");
        let note = elsewhere.sign_note(text).expect("it is kept");
        let key = elsewhere.note_key(&note).await.expect("asked").expect("known");
        (note, key)
    };
    let text = format!("watchpost report {}\n{}\nmara\n", report.id, report.content_sha256);
    let (note, key) = signed(1, &text).await;
    let (other_text, _) = signed(1, "watchpost report 7\nabc\nmara\n").await;
    let (_, other_key) = signed(2, &text).await;
    let (json, markdown) = (&report.files[0].path, &report.files[1].path);
    let (dear, _) = signed(1, &text.replace("mara", "mara\u{202e}\u{1b}[31m")).await;
    let (longer, _) = signed(1, &format!("{text}and everybody else\n")).await;
    let crlf = |text: &str| text.replace('\n', "\r\n");
    let cases: [(&str, &str, &str, &str); 9] = [
        (json, &note, &key, ""),
        (json, &dear, &key, ""),
        (json, &crlf(&note), &crlf(&key), ""),
        (markdown, &note, &key, "another file"),
        (json, &other_text, &key, "no approval of a report"),
        (json, &longer, &key, "no approval of a report"),
        (json, &note, &other_key, "not signed by this key"),
        (json, &note.replace("mara", "vera"), &key, "not signed by this key"),
        (json, "", &key, "not signed by this key"),
    ];
    for (path, note, key, problem) in cases {
        let paths = [("approval", note), ("key", key)].map(|(name, text)| {
            let path = out.path().join(name);
            std::fs::write(&path, text).expect("ours");
            path.to_string_lossy().into_owned()
        });
        let [approval, key] = paths;
        let proof = Some(ReportProof { approval, key });
        let alone = checked_alone(path, proof.as_ref()).expect("read");
        let request = ReportVerify { path: path.to_owned(), proof };
        let found = desk.ask::<operation::report_verify>(request).await.expect("read");
        assert_eq!(found, alone, "with a console or without");
        let said = found.problems.join("\n");
        assert_eq!(said.is_empty(), problem.is_empty(), "{said}");
        assert!(said.contains(problem), "{said}");
        let signature = found.signature.expect("it was asked for");
        let holds = ["", "another file"].contains(&problem);
        assert_eq!(signature.contains("holds with the key given"), holds, "{signature}");
        assert!(!signature.contains(['\u{202e}', '\u{1b}']), "what somebody else wrote: {signature:?}");
    }
    for (key, problem) in [
        ("no key".to_owned(), "no public key"),
        (key.replace("PUBLIC", "PRIVATE"), "that is a private key"),
        (key.replace("PUBLIC KEY", "CERTIFICATE"), "that is a certificate"),
        (key.replace("MCow", "MCox"), "no Ed25519 key"),
    ] {
        let paths = [("approval", note.as_str()), ("key", &key)].map(|(name, text)| {
            let path = out.path().join(name);
            std::fs::write(&path, text).expect("ours");
            path.to_string_lossy().into_owned()
        });
        let [approval, key] = paths;
        let refused = checked_alone(json, Some(&ReportProof { approval, key })).expect_err(problem);
        assert_eq!(refused.field.as_deref(), Some("key"), "{refused}");
        assert!(refused.message.contains(problem), "{refused}");
    }
    desk.console.close().await;
}

/// A pipe without a writer is waited for, a device has no end.
#[cfg(unix)]
#[tokio::test]
async fn what_is_no_file_is_refused_and_not_waited_for() {
    let home = folder();
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let request = ReportVerify { path: "/dev/zero".to_owned(), proof: None };
    let refused = desk.ask::<operation::report_verify>(request).await.expect_err("it has no end");
    assert_eq!(refused.field.as_deref(), Some("path"), "{refused}");
    let pipe = home.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("coreutils");
    assert!(made.success());
    let request = ReportVerify { path: pipe.to_string_lossy().into_owned(), proof: None };
    let refused = desk.ask::<operation::report_verify>(request).await.expect_err("nobody writes to it");
    assert!(refused.message.contains("is no file"), "{refused}");
    let list = desk.ask::<operation::report_frameworks>(Nothing {}).await.expect("listed");
    std::fs::create_dir_all(&list.folder).expect("ours");
    let pipe = Path::new(&list.folder).join("pipe.toml");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("coreutils");
    assert!(made.success());
    let list = desk.ask::<operation::report_frameworks>(Nothing {}).await.expect("listed");
    assert!(
        list.broken.iter().any(|line| line.contains("pipe.toml") && line.contains("no file")),
        "{:?}",
        list.broken
    );
    desk.console.close().await;
}

#[tokio::test]
async fn a_final_report_stands_until_the_one_in_its_place_is_approved() {
    let (home, out) = (folder(), folder());
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let file = |name: &str| vec![target(&out, name, ReportFormat::Json, false)];
    let first = made(&desk, summary(file("1.json"))).await;
    approve(&desk, first.id, "mara").await.expect("a second person");

    let april = period(("2026-04-01T00:00:00Z", "2026-05-01T00:00:00Z"));
    let other = ReportGenerate { period: april, supersedes: Some(first.id), ..summary(file("other.json")) };
    let refused = desk.ask::<operation::report_generate>(other).await.expect_err("another period");
    assert_eq!((refused.code, refused.field.as_deref()), (ErrorCode::Validation, Some("supersedes")));

    let second = ReportGenerate { supersedes: Some(first.id), ..summary(file("2.json")) };
    let second = made(&desk, second).await;
    assert_eq!(status(&desk, first.id).await, ReportStatus::Final, "a draft takes nobody's place");
    approve(&desk, second.id, "mara").await.expect("a second person");
    assert_eq!(status(&desk, first.id).await, ReportStatus::Superseded);
    assert_eq!(status(&desk, second.id).await, ReportStatus::Final);
    let over = summary(vec![target(&out, "1.json", ReportFormat::Json, true)]);
    let refused = desk.ask::<operation::report_generate>(over).await.expect_err("its files stay");
    assert_eq!(refused.code, ErrorCode::Validation, "{refused}");
    desk.console.close().await;
}

#[tokio::test]
async fn how_often_a_period_was_reported_stands_in_the_report_and_no_reason_is_made_up() {
    let (home, out) = (folder(), folder());
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    for n in 0..3 {
        let name = format!("{n}.md");
        made(&desk, summary(vec![target(&out, &name, ReportFormat::Markdown, false)])).await;
        let text = std::fs::read_to_string(out.path().join(name)).expect("it is there");
        assert!(text.contains(&format!("| earlier reports of this period | {n} |")), "{text}");
    }
    let records = trail(&desk).await;
    let reasons: Vec<_> =
        records.iter().filter(|row| row.action == "report_generate").map(|row| row.reason.clone()).collect();
    assert_eq!(reasons, vec![None; 3], "nobody gave a reason");
    desk.console.close().await;
}

#[tokio::test]
async fn comparing_says_when_the_periods_are_not_alike() {
    let (home, out) = (folder(), folder());
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let soc2 = |name: &str, about: (&str, &str)| ReportGenerate {
        framework: "soc2".to_owned(),
        period: period(about),
        ..summary(vec![target(&out, name, ReportFormat::Json, false)])
    };
    let february = made(&desk, soc2("1.json", ("2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"))).await;
    made(&desk, soc2("2.json", ("2026-03-01T00:00:00Z", "2026-03-03T00:00:00Z"))).await;
    let march = made(&desk, soc2("3.json", MARCH)).await;
    let compare = |before| ReportCompare { id: march.id, before };
    let found = desk.ask::<operation::report_compare>(compare(None)).await.expect("there is an earlier one");
    assert_eq!(found.before.id, february.id, "a month is compared with a month");
    assert_eq!(found.notes.len(), 1, "28 and 31 days: {:?}", found.notes);
    let same = desk.ask::<operation::report_compare>(compare(Some(march.id))).await.expect("with itself");
    assert_eq!((same.notes.len(), same.rows.len()), (0, 0));
    desk.console.close().await;
}

async fn incident(desk: &Desk) -> Incident {
    let page = IncidentPageRequest { limit: 1, ..IncidentPageRequest::default() };
    let rows = desk.ask::<operation::incident_page>(page).await.expect("a page").rows;
    rows.into_iter().next().expect("the simulation holds attacks")
}

async fn aware(desk: &Desk, number: i64, at: DateTime<Utc>, nature: Option<&str>) {
    let request = RegisterAdd {
        kind: RegisterKind::Breach,
        subject: format!("incident/{number}"),
        opened_at: Some(at),
        due_at: None,
        owner: None,
        result: EntryResult::default(),
        fields: nature.map(|text| ("nature".to_owned(), text.to_owned())).into_iter().collect(),
        note: String::new(),
    };
    desk.ask::<operation::register_add>(request).await.expect("a good entry");
}

#[tokio::test]
async fn the_clock_of_a_breach_runs_from_the_earliest_awareness() {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    desk.fill().await;
    let incident = incident(&desk).await;
    let early = incident.opened_at - Duration::hours(3);
    aware(&desk, incident.number, early, Some("passwords were read")).await;
    aware(&desk, incident.number, incident.opened_at, None).await;

    let about = Period::ending(incident.last_seen + Duration::days(1), Duration::days(30));
    let request = |period| ReportRequest {
        framework: "breach".to_owned(),
        period,
        subject: Some(incident.number.to_string()),
        ticket: None,
    };
    let draft = desk.ask::<operation::report_preview>(request(about)).await.expect("a draft");
    let figure = |name: &str| {
        let mut figures = draft.sections.iter().flat_map(|section| &section.figures);
        figures.find(|figure| figure.name == name).map(|figure| figure.value.clone())
    };
    let time = |at: DateTime<Utc>| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    assert_eq!(figure("Aware"), Some(time(early)));
    assert_eq!(figure("Notify by"), Some(time(early + Duration::hours(72))));
    assert_eq!(figure("Aware before it was detected here").as_deref(), Some("3 h 00 min"));
    let text = format!("{:?}", draft.sections);
    assert!(text.contains("2 entries") && text.contains("passwords were read"), "{text}");
    assert!(text.contains("[to be added: measures]"), "a blank names what it is entered as");

    // Neither another spelling nor another due time makes another clock.
    let request_of = |subject: &str, due_at, decision: &str| RegisterAdd {
        kind: RegisterKind::Breach,
        subject: subject.to_owned(),
        opened_at: Some(incident.opened_at),
        due_at,
        owner: None,
        result: EntryResult::default(),
        fields: [("decision".to_owned(), decision.to_owned())].into(),
        note: String::new(),
    };
    let number = incident.number;
    for spelled in [format!("{number}"), format!("#{number}"), format!("Incident {number}")] {
        let entry = desk.ask::<operation::register_add>(request_of(&spelled, None, "notifiable")).await;
        assert_eq!(entry.expect("a good entry").subject, format!("incident/{number}"), "{spelled}");
    }
    let later = Some(incident.opened_at + Duration::days(90));
    for (field, request) in [
        ("due_at", request_of("incident/1", later, "notifiable")),
        ("fields", request_of("incident/1", None, "notify")),
    ] {
        let refused = desk.ask::<operation::register_add>(request).await.expect_err("refused");
        assert_eq!((refused.code, refused.field.as_deref()), (ErrorCode::Validation, Some(field)));
    }
    let missing = desk.ask::<operation::register_add>(request_of("99999", None, "notifiable")).await;
    assert_eq!(missing.expect_err("there is no such incident").code, ErrorCode::NotFound);

    let elsewhere = Period::ending(incident.first_seen - Duration::days(9), Duration::days(9));
    let refused = desk.ask::<operation::report_preview>(request(elsewhere)).await.expect_err("not then");
    assert_eq!((refused.code, refused.field.as_deref()), (ErrorCode::Validation, Some("period")));
    desk.console.close().await;
}

#[tokio::test]
async fn only_a_pdf_has_an_archive_copy() {
    let (home, out) = (folder(), folder());
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let files = vec![target(&out, "a.json", ReportFormat::Json, false)];
    let request = ReportGenerate { archive: true, ..summary(files) };
    let refused = desk.ask::<operation::report_generate>(request).await.expect_err("there is no PDF");
    assert_eq!((refused.code, refused.field.as_deref()), (ErrorCode::Validation, Some("archive")));
    assert!(!Path::new(&out.path().join("a.json")).exists());
    desk.console.close().await;
}

#[tokio::test]
async fn the_month_of_a_request_runs_from_its_receipt() {
    let home = folder();
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let now = desk.console.now();
    let asked = |days_ago: i64, due_days: Option<i64>, extension: Option<&str>| {
        let received = now - Duration::days(days_ago);
        RegisterAdd {
            kind: RegisterKind::ErasureRequest,
            subject: "account/kim".to_owned(),
            opened_at: Some(received),
            due_at: due_days.map(|days| received + Duration::days(days)),
            owner: None,
            result: EntryResult::default(),
            fields: extension.map(|text| ("extension".to_owned(), text.to_owned())).into_iter().collect(),
            note: String::new(),
        }
    };
    let add = async |request| desk.ask::<operation::register_add>(request).await;
    let later = add(asked(3, Some(80), None)).await.expect_err("nobody said why");
    assert_eq!(later.field.as_deref(), Some("due_at"), "{later}");
    let extended = add(asked(3, None, Some("three systems"))).await.expect("within the month");
    assert_eq!(extended.due_at - extended.opened_at, Duration::days(90));
    assert!(extended.fields.contains_key("extended_at"), "{:?}", extended.fields);
    let late = add(asked(40, None, Some("three systems"))).await.expect_err("the month is over");
    assert_eq!(late.field.as_deref(), Some("fields"), "{late}");
    let beyond = add(asked(3, Some(120), Some("three systems"))).await.expect_err("three months at most");
    assert_eq!(beyond.field.as_deref(), Some("due_at"), "{beyond}");
    desk.console.close().await;
}
