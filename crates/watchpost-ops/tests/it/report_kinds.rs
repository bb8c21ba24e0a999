//! Every report that can be chosen, over nothing and over simulated traffic, and requests that make none.

use std::path::Path;

use serde_json::Value;
use watchpost_model::clock::{Clock, SystemClock};
use watchpost_model::event::EntityKind;
use watchpost_model::period::Period;
use watchpost_model::report::ReportFormat;
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{
    FrameworkInfo, IncidentPageRequest, IncidentRef, Nothing, ReportGenerate, ReportRequest, ReportVerify,
};
use watchpost_ops::door::operation;
use watchpost_ops::error::ErrorCode;
use watchpost_ops::{checked_alone, report_targets};
use watchpost_report::{CheckResult, ReportDocument, ReportKind, render_json};

use crate::door::{Desk, desk, folder};

fn period(from: &str, to: &str) -> Period {
    Period { from: from.parse().expect("an instant"), to: to.parse().expect("an instant") }
}

fn request(framework: &str, period: Period, subject: Option<&str>) -> ReportRequest {
    ReportRequest {
        framework: framework.to_owned(),
        period,
        subject: subject.map(str::to_owned),
        ticket: None,
    }
}

/// What can be chosen, each with something that it can be about.
async fn choices(desk: &Desk, incident: &str, person: &str) -> Vec<(FrameworkInfo, Option<String>)> {
    let list = desk.ask::<operation::report_frameworks>(Nothing {}).await.expect("listed").frameworks;
    assert!(list.len() >= 14, "six frameworks and eight other kinds: {list:?}");
    list.into_iter()
        .map(|one| {
            let subject = match one.kind {
                ReportKind::Incident | ReportKind::Breach => Some(incident.to_owned()),
                ReportKind::SubjectAccess => Some(person.to_owned()),
                _ => None,
            };
            assert_eq!(one.subject.is_some(), subject.is_some(), "{one:?}");
            (one, subject)
        })
        .collect()
}

/// The figures of a document: what the window and each file have to agree on. Samples depend on the root of the log, which
/// grows with each report.
fn figures(document: &ReportDocument) -> Value {
    let controls: Vec<Value> = document
        .controls
        .iter()
        .map(|control| {
            let checks: Vec<_> = control
                .checks
                .iter()
                .map(|check| {
                    // A window is sent the first rows.
                    let rows: Vec<_> = check.rows.iter().take(500).collect();
                    (&check.what, check.population, check.warnings, check.exceptions, rows)
                })
                .collect();
            serde_json::json!([control.id, control.state, checks])
        })
        .collect();
    serde_json::json!([document.summary, controls, document.sections, document.charts])
}

#[tokio::test]
async fn every_framework_is_made_in_every_format_with_the_numbers_of_the_window() {
    made_with_the_numbers_of_the_window(|kind| kind == ReportKind::Framework).await;
}

#[tokio::test]
async fn every_other_kind_is_made_in_every_format_with_the_numbers_of_the_window() {
    made_with_the_numbers_of_the_window(|kind| kind != ReportKind::Framework).await;
}

async fn made_with_the_numbers_of_the_window(is_wanted: fn(ReportKind) -> bool) {
    let (home, out) = (folder(), folder());
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    desk.fill().await;
    let page = IncidentPageRequest { limit: 1, ..IncidentPageRequest::default() };
    let incidents = desk.ask::<operation::incident_page>(page).await.expect("a page").rows;
    let incident = incidents.first().expect("the simulation holds attacks");
    // A period that is over: what lasts until now would last longer in the file than in the window.
    let period = Period::ending(SystemClock.now(), chrono::Duration::days(40));
    let choices = choices(&desk, &incident.number.to_string(), &incident.entity.value).await;
    for (one, subject) in choices.into_iter().filter(|(one, _)| is_wanted(one.kind)) {
        let asked = request(&one.id, period, subject.as_deref());
        let shown = desk.ask::<operation::report_preview>(asked).await.expect("it is shown");
        assert_eq!(shown.kind, one.kind);
        let formats = [ReportFormat::Pdf, ReportFormat::Csv, ReportFormat::Json, ReportFormat::Markdown];
        let made = desk
            .ask::<operation::report_generate>(ReportGenerate {
                framework: one.id.clone(),
                period,
                files: report_targets(out.path(), &one.id, subject.as_deref(), period, &formats, false)
                    .expect("a folder"),
                subject,
                archive: false,
                ticket: None,
                supersedes: None,
            })
            .await
            .expect("it is made");
        let path = |format: ReportFormat| {
            let file = made.files.iter().find(|file| file.format == format).expect("each format");
            Path::new(&file.path)
        };
        let json = std::fs::read(path(ReportFormat::Json)).expect("it is there");
        let written: ReportDocument = serde_json::from_slice(&json).expect("its own form");
        // The health of Redis is that of the moment.
        if one.kind != ReportKind::Redis {
            assert_eq!(
                figures(&written),
                figures(&shown),
                "{}: the window shows what the file holds",
                one.id
            );
        }
        let standing = ["How it stands", "What happened"];
        let parts = written.sections.iter().filter(|part| standing.contains(&part.title.as_str()));
        for text in parts.flat_map(|part| &part.text) {
            assert!(!text.contains('#'), "{}: names no incident that may not be listed: {text}", one.id);
        }
        for format in [ReportFormat::Csv, ReportFormat::Markdown] {
            let text = std::fs::read_to_string(path(format)).expect("it is there");
            assert!(text.contains(&made.content_sha256), "{} as {format} names the original", one.id);
            for figure in written.sections.iter().flat_map(|section| &section.figures) {
                assert!(text.contains(&figure.value), "{} as {format}: {figure:?}", one.id);
            }
        }
        for file in &made.files {
            let checked = desk
                .ask::<operation::report_verify>(ReportVerify { path: file.path.clone(), proof: None })
                .await
                .expect("read");
            assert_eq!((checked.problems, checked.sha256), (Vec::new(), file.sha256.clone()), "{}", one.id);
        }
        let forged = out.path().join("forged.json");
        let problems = |document: &ReportDocument| {
            std::fs::write(&forged, render_json(document).expect("JSON")).expect("ours");
            checked_alone(&forged.to_string_lossy(), None).expect("read").problems
        };
        let changed = |change: fn(&mut ReportDocument)| {
            let mut document = written.clone();
            change(&mut document);
            problems(&document).join("\n")
        };
        // Those of an incident are what there is to tell of it.
        if !matches!(one.kind, ReportKind::Framework | ReportKind::Incident | ReportKind::Breach) {
            for (change, words) in OTHER_PARTS {
                let said = changed(change);
                assert!(said.contains(words), "{}: {said}", one.id);
            }
        }
        if one.kind == ReportKind::Framework {
            let answered = |check: &&CheckResult| !check.basis.is_empty();
            let n_answered =
                written.controls.iter().flat_map(|control| &control.checks).filter(answered).count();
            for said_otherwise in [
                with_other(&written, |check| "anything at all".clone_into(&mut check.basis)),
                with_other(&written, |check| "SELECT 1".clone_into(&mut check.text)),
            ] {
                let said = problems(&said_otherwise);
                let told = said.iter().filter(|problem| problem.contains("what it says was counted")).count();
                assert_eq!(told, n_answered, "{}: {said:?}", one.id);
            }
            let said = problems(&with_other_columns(written)).join("\n");
            assert!(said.contains("its columns are not those of the question"), "{}: {said}", one.id);
        }
    }
    desk.console.close().await;
}

/// What is done to the parts of a report, and what is said of it.
type Forgery = (fn(&mut ReportDocument), &'static str);

const OTHER_PARTS: [Forgery; 4] = [
    (|document| drop(document.sections.pop()), "its parts are not"),
    (|document| "Elsewhere".clone_into(&mut document.sections[0].title), "its parts are not"),
    (|document| table(document).push("more".to_owned()), "its columns are not"),
    (|document| "else".clone_into(&mut table(document)[0]), "its columns are not"),
];

/// The columns of the first table.
fn table(document: &mut ReportDocument) -> &mut Vec<String> {
    let mut tables = document.sections.iter_mut().map(|part| &mut part.columns);
    tables.find(|columns| !columns.is_empty()).expect("it has a table")
}

/// The same report with something else in every check that was answered.
fn with_other(document: &ReportDocument, change: fn(&mut CheckResult)) -> ReportDocument {
    let mut document = document.clone();
    let checks = document.controls.iter_mut().flat_map(|control| &mut control.checks);
    checks.filter(|check| !check.basis.is_empty()).for_each(change);
    document
}

/// The same report with other words above the first column of all evidence and of all samples.
fn with_other_columns(mut document: ReportDocument) -> ReportDocument {
    for check in document.controls.iter_mut().flat_map(|control| &mut control.checks) {
        let columns = [&mut check.columns, &mut check.sample.columns];
        for first in columns.into_iter().filter_map(|columns| columns.first_mut()) {
            "something else".clone_into(first);
        }
    }
    document
}

/// Somebody whose events are evidence of an incident about an address has a right to know of it.
#[tokio::test]
async fn a_subject_access_report_has_the_incidents_with_events_of_the_person() {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    desk.fill().await;
    let page = IncidentPageRequest { limit: 100, ..IncidentPageRequest::default() };
    let incidents = desk.ask::<operation::incident_page>(page).await.expect("a page").rows;
    let mut found = None;
    for incident in incidents {
        let asked = IncidentRef { number: incident.number };
        let detail = desk.ask::<operation::incident_detail>(asked).await.expect("it is there");
        let about = detail.incident.entity.clone();
        let person = detail.entities.into_iter().find(|one| one.entity.kind == EntityKind::User);
        if let Some(person) = person.filter(|one| one.entity != about && one.entity.value.len() > 1) {
            found = Some((detail.incident, person.entity.value));
            break;
        }
    }
    let (incident, person) = found.expect("the simulation attacks accounts");
    let period = Period::ending(incident.opened_at + chrono::Duration::days(1), chrono::Duration::days(40));
    let asked = request("subject-access", period, Some(&person));
    let shown = desk.ask::<operation::report_preview>(asked).await.expect("it is shown");
    let listed = shown.sections.iter().find(|part| part.title == "Incidents").expect("there");
    let number = incident.number.to_string();
    assert!(listed.rows.iter().any(|row| row[0] == number), "{person} is in incident {number}: {listed:?}");
    desk.console.close().await;
}

#[tokio::test]
async fn nothing_happened_and_every_kind_says_so_without_passing() {
    let home = folder();
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let period = period("2024-10-01T00:00:00Z", "2024-11-01T00:00:00Z");
    for (one, subject) in choices(&desk, "7", "dana").await {
        let asked = request(&one.id, period, subject.as_deref());
        match desk.ask::<operation::report_preview>(asked).await {
            Ok(document) => {
                for check in document.controls.iter().flat_map(|control| &control.checks) {
                    let is_pass = check.state == Some(watchpost_report::State::Pass);
                    assert!(!is_pass || check.population > 0, "{}: {} passes on nothing", one.id, check.what);
                }
            }
            Err(error) => {
                assert!(matches!(one.kind, ReportKind::Incident | ReportKind::Breach), "{}: {error}", one.id);
                assert_eq!(error.code, ErrorCode::NotFound, "{error}");
            }
        }
    }
    desk.console.close().await;
}

#[tokio::test]
async fn what_cannot_be_reported_is_refused_with_its_reason() {
    let home = folder();
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let october = period("2024-10-01T00:00:00Z", "2024-11-01T00:00:00Z");
    let backwards = Period { from: october.to, to: october.from };
    let nothing = Period { from: october.from, to: october.from };
    let future = period("2190-10-01T00:00:00Z", "2190-11-01T00:00:00Z");
    for (asked, field) in [
        (request("soc2", backwards, None), "period"),
        (request("soc2", nothing, None), "period"),
        (request("kpi", future, None), "period"),
        (request("soc2", future, None), "period"),
        (request("soc3", october, None), "framework"),
        (request("../soc2", october, None), "framework"),
        (request("", october, None), "framework"),
        (request("soc2", october, Some("7")), "subject"),
        (request("kpi", october, Some("7")), "subject"),
        (request("incident", october, None), "subject"),
        (request("incident", october, Some("  ")), "subject"),
        (request("incident", october, Some("seven")), "subject"),
        (request("breach", october, Some("7'; DROP TABLE incident; --")), "subject"),
    ] {
        let words = format!("{asked:?}");
        let error = desk.ask::<operation::report_preview>(asked).await.expect_err(&words);
        assert_eq!(
            (error.code, error.field.as_deref()),
            (ErrorCode::Validation, Some(field)),
            "{words}: {error}"
        );
    }
    desk.console.close().await;
}
