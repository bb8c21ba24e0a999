//! Searching events through the door: the same query for rows, figures and files.

use watchpost_model::audit::AuditOutcome;
use watchpost_model::clock::{Clock, SystemClock};
use watchpost_model::event::{Category, Event};
use watchpost_model::ids::EventId;
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
    let request = EventFiguresRequest { period: None, query: query.clone(), buckets: 60, facets: Vec::new() };
    let figures = desk.ask::<operation::event_figures>(request).await.expect("figures");
    assert_eq!(figures.total, rows.iter().map(|event| u64::from(event.count)).sum::<u64>());

    let export = |format, path: &std::path::Path| EventExport {
        period: None,
        query: query.clone(),
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
    let help =
        desk.ask::<operation::event_query>(EventQueryRequest { query: query.clone() }).await.expect("help");
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
