//! Searching events with the query language: figures, help while it is typed, and files.

use std::path::{Path, PathBuf};

use chrono::SecondsFormat;
use serde_json::Value;
use tokio::sync::mpsc;
use watchpost_model::audit::Change;
use watchpost_model::event::{Category, Event, Outcome, Severity};
use watchpost_model::overview::EventFigures;
use watchpost_model::period::{Period, Zone};
use watchpost_model::query::{FieldKind, FieldName, Query};
use watchpost_report::{Prepared, ReportError, TableWriter, WriteError};
use watchpost_store::{EventCursor, EventFilter, FACETS, Store};

use super::at_this_machine;
use super::events::checked;
use crate::contract::{
    EventExport, EventExported, EventField, EventFiguresRequest, EventFormat, EventQueryReply,
    EventQueryRequest,
};
use crate::door::Context;
use crate::error::{ErrorCode, OpError};

/// Events of one export at most.
const EXPORT_ROWS_MAX: u64 = 1_000_000;
/// Events of a page while exporting.
const PAGE: u32 = 500;

/// A query of a request, its times without an offset in this zone; absent means any event.
pub(crate) fn query(text: Option<&str>, zone: Zone) -> Result<Query, OpError> {
    Query::read(text.unwrap_or_default(), zone).map_err(|fault| OpError::invalid("query", format!("{fault}")))
}

/// The zone of a request; absent means UTC.
pub(crate) fn zone(name: Option<&str>) -> Result<Zone, OpError> {
    let Some(name) = name else { return Ok(Zone::UTC) };
    name.parse().map_err(|_| {
        OpError::invalid("zone", format!("there is no time zone {name:?}"))
            .hint("write an IANA name such as Europe/Berlin")
    })
}

pub(crate) async fn event_figures(
    cx: Context,
    request: EventFiguresRequest,
) -> Result<EventFigures, OpError> {
    let workspace = cx.workspace()?;
    let store = workspace.store();
    let filter = EventFilter {
        query: query(request.query.as_deref(), zone(request.zone.as_deref())?)?,
        ..EventFilter::default()
    };
    let period = match request.period {
        Some(period) => checked(period)?,
        None => store
            .events_span()
            .await?
            .unwrap_or_else(|| Period::ending(workspace.now(), chrono::Duration::hours(24))),
    };
    let facets = if request.facets.is_empty() { FACETS.to_vec() } else { fields("facets", &request.facets)? };
    Ok(store.event_figures(&filter, period, request.buckets, &facets).await?)
}

pub(crate) async fn event_query(_: Context, request: EventQueryRequest) -> Result<EventQueryReply, OpError> {
    let (canonical, fault) = match Query::read(&request.query, zone(request.zone.as_deref())?) {
        Ok(query) => (query.to_string(), None),
        Err(fault) => (String::new(), Some(fault)),
    };
    Ok(EventQueryReply { canonical, fault, fields: FieldName::ALL.iter().map(|name| field(*name)).collect() })
}

fn field(name: FieldName) -> EventField {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let kind = name.kind();
    let values = match kind {
        FieldKind::Severity => Severity::ALL.iter().map(ToString::to_string).collect(),
        FieldKind::Category => Category::ALL.iter().map(ToString::to_string).collect(),
        FieldKind::Outcome => Outcome::ALL.iter().map(ToString::to_string).collect(),
        FieldKind::Upper if name != FieldName::Method => Vec::new(),
        FieldKind::Upper => words(&["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]),
        FieldKind::Text | FieldKind::Lower | FieldKind::Number | FieldKind::Time | FieldKind::Address => {
            Vec::new()
        }
    };
    EventField {
        name: name.to_string(),
        about: name.about().to_owned(),
        values,
        ordered: matches!(kind, FieldKind::Number | FieldKind::Time | FieldKind::Severity),
    }
}

pub(crate) async fn event_export(cx: Context, request: EventExport) -> Result<EventExported, OpError> {
    at_this_machine(&cx)?;
    let workspace = cx.workspace()?;
    let period = request.period.map(checked).transpose()?;
    let zone = zone(request.zone.as_deref())?;
    let filter =
        EventFilter { period, query: query(request.query.as_deref(), zone)?, ..EventFilter::default() };
    let columns = columns(&request)?;
    let path = PathBuf::from(&request.path);
    // The pages wait for the disk, so that no more than a few are held.
    let (pages, incoming) = mpsc::channel::<Vec<Event>>(4);
    let target = path.clone();
    let writer = tokio::task::spawn_blocking(move || {
        write(&target, request.format, (columns.as_slice(), zone), incoming)
    });
    let (read, written) = tokio::join!(read(workspace.store(), &filter, pages), writer);
    let written = written.map_err(|error| OpError::internal(format!("writing failed: {error}")))?;
    let (rows, complete) = read?;
    let prepared = written.map_err(unwritten)?;
    let (sha256, bytes) = (prepared.sha256.clone(), prepared.bytes);
    prepared.persist().map_err(|error| unwritten(Broken::Write(error)))?;
    let exported = EventExported { path: request.path, rows, bytes, sha256, complete };
    let changes = vec![
        Change::new("query", Value::Null, filter.query.to_string()),
        Change::new("rows", Value::Null, rows),
        Change::new("file", Value::Null, format!("{} {}", exported.sha256, exported.path)),
    ];
    let record = workspace.store().audit_append(cx.record("events", changes, None)).await;
    if let Err(error) = record {
        // What is in no trail has not happened.
        if let Err(left) = std::fs::remove_file(&path) {
            tracing::warn!(%left, path = %path.display(), "the file of an export without a record stays");
        }
        return Err(error.into());
    }
    Ok(exported)
}

/// Fields by their names.
fn fields(of: &'static str, names: &[String]) -> Result<Vec<FieldName>, OpError> {
    let read =
        |name: &String| name.parse::<FieldName>().map_err(|error| OpError::invalid(of, error.to_string()));
    names.iter().map(read).collect()
}

fn columns(request: &EventExport) -> Result<Vec<FieldName>, OpError> {
    let columns = fields("columns", &request.columns)?;
    if columns.contains(&FieldName::Country) {
        return Err(OpError::invalid("columns", "the country is said by a location file, not by the event")
            .hint("export the column ip"));
    }
    if columns.is_empty() && request.format == EventFormat::Csv {
        return Err(OpError::invalid("columns", "a table needs at least one column"));
    }
    Ok(columns)
}

/// Sends page after page; how many events, and whether that were all.
async fn read(
    store: &Store,
    filter: &EventFilter,
    pages: mpsc::Sender<Vec<Event>>,
) -> Result<(u64, bool), OpError> {
    let (mut rows, mut before) = (0, None::<EventCursor>);
    loop {
        let page = store.event_page(filter, before, PAGE).await?;
        rows += page.rows.len() as u64;
        before = page.next;
        // A writer that is gone says why by itself.
        if pages.send(page.rows).await.is_err() || before.is_none() {
            return Ok((rows, true));
        }
        if rows >= EXPORT_ROWS_MAX {
            return Ok((rows, false));
        }
    }
}

/// Why there is no file.
enum Broken {
    Table(ReportError),
    Json(serde_json::Error),
    Write(WriteError),
}

impl From<WriteError> for Broken {
    fn from(error: WriteError) -> Self {
        Self::Write(error)
    }
}

fn unwritten(error: Broken) -> OpError {
    match error {
        Broken::Table(error) => OpError::internal(format!("cannot write the table: {error}")),
        Broken::Json(error) => OpError::internal(format!("an event has no JSON: {error}")),
        Broken::Write(error) => OpError {
            field: Some("path".to_owned()),
            ..OpError::new(ErrorCode::Unavailable, error.to_string())
        }
        .hint("choose another folder"),
    }
}

/// The time of an event in a zone, with its offset there and then.
fn stamp(event: &Event, zone: Zone) -> String {
    event.at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Millis, false)
}

/// What a table says of an event.
fn cell(column: FieldName, event: &Event, zone: Zone) -> String {
    if column == FieldName::At && zone != Zone::UTC {
        return stamp(event, zone);
    }
    column.text_of(event).unwrap_or_default()
}

/// A whole event as a line of JSON. An import takes a time with any offset.
fn json_line(event: &Event, zone: Zone) -> Result<Vec<u8>, serde_json::Error> {
    let mut line = if zone == Zone::UTC {
        serde_json::to_vec(event)?
    } else {
        let mut value = serde_json::to_value(event)?;
        if let Some(at) = value.get_mut("at") {
            *at = Value::String(stamp(event, zone));
        }
        serde_json::to_vec(&value)?
    };
    line.push(b'\n');
    Ok(line)
}

fn write(
    path: &Path,
    format: EventFormat,
    (columns, zone): (&[FieldName], Zone),
    mut pages: mpsc::Receiver<Vec<Event>>,
) -> Result<Prepared, Broken> {
    Prepared::write(path, |out| match format {
        EventFormat::Csv => {
            let names: Vec<&str> = columns.iter().map(|column| column.export_name()).collect();
            let mut table = TableWriter::new(out, &names).map_err(Broken::Table)?;
            while let Some(page) = pages.blocking_recv() {
                for event in &page {
                    let cells: Vec<String> =
                        columns.iter().map(|column| cell(*column, event, zone)).collect();
                    table.row(cells.iter().map(String::as_str)).map_err(Broken::Table)?;
                }
            }
            Ok(table.finish()?)
        }
        EventFormat::Jsonl => {
            while let Some(page) = pages.blocking_recv() {
                for event in &page {
                    let line = json_line(event, zone).map_err(Broken::Json)?;
                    out.write_all(&line).map_err(|error| WriteError::at(path, error))?;
                }
            }
            Ok(())
        }
    })
}
