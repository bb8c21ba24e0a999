//! Searching events through the door: the same query for rows, figures and files.

use watchpost_model::audit::AuditOutcome;
use watchpost_model::clock::{Clock, SystemClock};
use watchpost_model::event::{Category, Event};
use watchpost_model::ids::EventId;
use watchpost_model::period::Zone;
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{
    EventExport, EventFiguresRequest, EventFormat, EventPageRequest, EventQueryRequest, Nothing,
};
use watchpost_ops::door::operation;
use watchpost_ops::error::ErrorCode;
use watchpost_store::IngestBatch;

use crate::door::{desk, folder};

#[tokio::test]
async fn rows_figures_and_files_of_a_query_agree() {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    desk.fill().await;
    let query = Some("category:authentication -outcome:success".to_owned());
    let page = EventPageRequest { query: query.clone(), limit: 500, ..EventPageRequest::default() };
    let rows = desk.ask::<operation::event_page>(page).await.expect("events can be listed").rows;
    assert!(rows.len() > 5 && rows.len() < 500, "failed logins of a day with attacks: {}", rows.len());
    let request = EventFiguresRequest {
        period: None,
        query: query.clone(),
        zone: None,
        buckets: 60,
        facets: Vec::new(),
    };
    let figures = desk.ask::<operation::event_figures>(request).await.expect("figures");
    assert_eq!(figures.total, rows.iter().map(|event| u64::from(event.count)).sum::<u64>());

    let export = |format, path: &std::path::Path| EventExport {
        period: None,
        query: query.clone(),
        zone: None,
        format,
        columns: vec!["at".to_owned(), "user".to_owned(), "ip".to_owned()],
        path: path.display().to_string(),
    };
    let path = home.path().join("found.jsonl");
    let done = desk.ask::<operation::event_export>(export(EventFormat::Jsonl, &path)).await.expect("written");
    let text = std::fs::read_to_string(&path).expect("the file is there");
    let read: Vec<watchpost_model::event::Event> =
        text.lines().map(|line| serde_json::from_str(line).expect("an event a line")).collect();
    assert_eq!(read, rows, "whole events, newest first");
    assert_eq!((done.rows, done.complete, done.bytes), (rows.len() as u64, true, text.len() as u64));
    let path = home.path().join("found.csv");
    desk.ask::<operation::event_export>(export(EventFormat::Csv, &path)).await.expect("written");
    let text = std::fs::read_to_string(&path).expect("the file is there");
    assert_eq!(text.lines().next(), Some("@timestamp,user.name,source.ip"));
    assert_eq!(text.lines().count(), rows.len() + 1);
    assert_eq!(desk.trail("event_export", AuditOutcome::Success).await, 2, "each export is recorded");
    desk.console.close().await;
}

#[tokio::test]
async fn what_is_no_query_is_refused_with_the_place() {
    let home = folder();
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let query = "user:anna statsu:500".to_owned();
    let help = desk
        .ask::<operation::event_query>(EventQueryRequest { query: query.clone(), zone: None })
        .await
        .expect("help");
    let fault = help.fault.expect("there is no such field");
    assert_eq!((fault.at, fault.length, fault.suggestion.as_deref()), (10, 6, Some("status")));
    assert!(help.fields.iter().any(|field| field.name == "severity" && field.ordered));
    let page = EventPageRequest { query: Some(query), ..EventPageRequest::default() };
    let refused = desk.ask::<operation::event_page>(page).await.expect_err("it is no query");
    assert_eq!((refused.code, refused.field.as_deref()), (ErrorCode::Validation, Some("query")));
    assert!(refused.message.contains("at character 11; did you mean status?"), "{}", refused.message);
    desk.console.close().await;
}

#[tokio::test]
async fn events_whose_words_wait_for_the_index_are_told_once_they_are_many() {
    let home = folder();
    // A guest fills no index.
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let behind =
        async || desk.ask::<operation::workspace_status>(Nothing {}).await.expect("a status").words_behind;
    let workspace = desk.console.workspace().expect("it is open");
    let at = SystemClock.now();
    let one = |n: u32| {
        let event = Event::new(EventId::at(at), at, Category::ApiUsage, "request");
        (event, format!("k{n}"))
    };
    let events: Vec<(Event, String)> = (0..450).map(one).collect();
    for (part, told) in [(&events[..399], None), (&events[399..], Some(450))] {
        workspace.store().ingest(IngestBatch { events: part, findings: &[], now: at }).await.expect("kept");
        assert_eq!(behind().await, told);
    }
    workspace.store().event_text_catch_up().await.expect("indexed");
    assert_eq!(behind().await, None);
    drop(workspace);
    desk.console.close().await;
}

#[tokio::test]
async fn times_are_those_of_the_zone_in_the_search_and_in_its_file() {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    desk.fill().await;
    let any = EventPageRequest { limit: 1, ..EventPageRequest::default() };
    let newest = desk.ask::<operation::event_page>(any).await.expect("there are events").rows.remove(0);
    let tokyo: Zone = "Asia/Tokyo".parse().expect("it is a zone");
    let there = newest.at.with_timezone(&tokyo);
    let query = Some(format!("at:>={}", there.format("%Y-%m-%dT%H:%M:%S")));
    let zone = Some("Asia/Tokyo".to_owned());
    let page = EventPageRequest {
        query: query.clone(),
        zone: zone.clone(),
        limit: 500,
        ..EventPageRequest::default()
    };
    let rows = desk.ask::<operation::event_page>(page.clone()).await.expect("events can be listed").rows;
    assert!(rows.contains(&newest), "the time that is shown finds what it is shown beside");
    let utc = EventPageRequest { zone: None, ..page.clone() };
    assert!(
        desk.ask::<operation::event_page>(utc).await.expect("none yet").rows.is_empty(),
        "nine hours ahead"
    );
    let figures = EventFiguresRequest {
        query: query.clone(),
        zone: zone.clone(),
        buckets: 9,
        ..EventFiguresRequest::default()
    };
    let total = desk.ask::<operation::event_figures>(figures).await.expect("figures").total;
    assert_eq!(total, rows.iter().map(|event| u64::from(event.count)).sum::<u64>());
    let help = EventQueryRequest { query: query.clone().unwrap_or_default(), zone: zone.clone() };
    let canonical = desk.ask::<operation::event_query>(help).await.expect("help").canonical;
    assert!(canonical.ends_with('Z'), "what it is understood as says the instant: {canonical}");
    let path = home.path().join("there.csv");
    let export = |format, path: &std::path::Path| EventExport {
        period: None,
        query: query.clone(),
        zone: zone.clone(),
        format,
        columns: vec!["at".to_owned()],
        path: path.display().to_string(),
    };
    desk.ask::<operation::event_export>(export(EventFormat::Csv, &path)).await.expect("written");
    let text = std::fs::read_to_string(&path).expect("the file is there");
    let first = text.lines().nth(1).expect("a row");
    assert!(first.ends_with("+09:00"), "{first}");
    assert_eq!(chrono::DateTime::parse_from_rfc3339(first).expect("a time").to_utc(), rows[0].at);
    let path = home.path().join("there.jsonl");
    desk.ask::<operation::event_export>(export(EventFormat::Jsonl, &path)).await.expect("written");
    let text = std::fs::read_to_string(&path).expect("the file is there");
    let first = text.lines().next().expect("an event");
    let value: serde_json::Value = serde_json::from_str(first).expect("JSON");
    assert!(value["at"].as_str().expect("a time").ends_with("+09:00"), "{first}");
    assert_eq!(serde_json::from_str::<Event>(first).expect("an import takes it"), rows[0]);
    let nowhere = EventPageRequest { zone: Some("Mars/Olympus".to_owned()), ..page };
    let refused = desk.ask::<operation::event_page>(nowhere).await.expect_err("there is no such zone");
    assert_eq!((refused.code, refused.field.as_deref()), (ErrorCode::Validation, Some("zone")));
    desk.console.close().await;
}
