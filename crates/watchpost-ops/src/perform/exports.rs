//! Writing what is in Redis to a file for people and programs.

use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};
use tokio::sync::mpsc;
use watchpost_model::event::Event;
use watchpost_model::job::{Fact, Figure, JobKind, JobProgress, JobReport, JobRun};
use watchpost_model::plain::grouped;
use watchpost_model::query::FieldName;
use watchpost_model::text::visible_json;
use watchpost_redis::EventStore;
use watchpost_redis::export::{EventChoice, EventWalk, ExportedEvent, KeyPart, KeyWalk, MEMORY_UNKNOWN, Run};
use watchpost_redis::typed::{Elements, Pair};
use watchpost_report::{Prepared, ReportError, TableWriter, WriteError};

use super::at_this_machine;
use crate::contract::{ExportFormat, ExportRequest};
use crate::door::Context;
use crate::error::{ErrorCode, OpError};
use crate::jobs::{Ended, Ticket};

/// Batches that wait for the disk at most.
const BATCHES: usize = 4;
/// Reasons of unreadable keys that are told one by one; the rest is counted.
const REASONS: u64 = 20;
/// Titles of figures of both a preview and a run.
const NO_EVENTS: &str = "Keys that are no event";
const MEMORY: &str = "Their memory in Redis";
/// So many names are compared with each other; more are put into a set.
const FEW: usize = 16;
/// Columns of a table of events, after the key.
const COLUMNS: [FieldName; 22] = [
    FieldName::At,
    FieldName::Category,
    FieldName::Type,
    FieldName::Severity,
    FieldName::Outcome,
    FieldName::Ip,
    FieldName::User,
    FieldName::Session,
    FieldName::Resource,
    FieldName::Action,
    FieldName::Method,
    FieldName::Path,
    FieldName::Query,
    FieldName::Agent,
    FieldName::Body,
    FieldName::Status,
    FieldName::Bytes,
    FieldName::Duration,
    FieldName::Count,
    FieldName::Risk,
    FieldName::Tag,
    FieldName::Id,
];

pub(crate) async fn export_preview(cx: Context, request: ExportRequest) -> Result<JobReport, OpError> {
    at_this_machine(&cx)?;
    let workspace = cx.workspace()?;
    let choice = choice(&request)?;
    Target::of("path", &request.path, request.force)?;
    let (events, cancel) = (workspace.events()?, workspace.stop_token());
    let (figures, notes) = if request.all {
        let (count, notes) = KeyWalk::start(&events, cancel).await?.count(Run::Export, &|_| {}).await?;
        let keys = Figure::count("rows", "Keys to write", count.keys);
        let memory = count.bytes.map(|bytes| Figure::bytes("bytes", MEMORY, bytes));
        (std::iter::once(keys).chain(memory).collect(), notes)
    } else {
        // Whether it is an event tells only what it holds.
        let (mut walk, mut tally) = (EventWalk::start(&events, choice, cancel).await?, Tally::default());
        while let Some(rows) = walk.next_batch().await? {
            let readable = tally.readable(rows).len() as u64;
            tally.rows += readable;
        }
        tally.notes.extend_from_slice(walk.notes());
        let mut figures = vec![
            Figure::count("rows", "Events to write", tally.rows),
            Figure::count("unreadable", NO_EVENTS, tally.unreadable),
        ];
        let (memory, notes) = tally.rest();
        figures.extend(memory);
        (figures, notes)
    };
    Ok(JobReport { figures, facts: vec![Fact::new("file", "File", request.path)], notes })
}

pub(crate) async fn export_run(cx: Context, request: ExportRequest) -> Result<JobRun, OpError> {
    at_this_machine(&cx)?;
    let workspace = cx.workspace()?;
    let choice = choice(&request)?;
    let target = Target::of("path", &request.path, request.force)?;
    let events = workspace.events()?;
    let parameters = words(&request);
    workspace
        .jobs()
        .start(&cx, &workspace, JobKind::Export, parameters, move |ticket| async move {
            let mut tally = Tally::default();
            let result = export(&events, choice, &request, target, &ticket, &mut tally).await;
            Ended { report: tally.report(request.all), error: result.err() }
        })
        .await
}

/// What is exported, for people.
fn words(request: &ExportRequest) -> String {
    let what = match (request.all, &request.categories[..]) {
        (true, _) => "every key".to_owned(),
        (false, []) => "events".to_owned(),
        (false, some) => some.iter().map(|one| one.as_str()).collect::<Vec<_>>().join(", "),
    };
    let at = |at: &chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let from = request.from.as_ref().map_or(String::new(), |from| format!(" from {}", at(from)));
    let to = request.to.as_ref().map_or(String::new(), |to| format!(" to {}", at(to)));
    format!("{what}{from}{to} as {} to {}", request.format, request.path)
}

fn choice(request: &ExportRequest) -> Result<EventChoice, OpError> {
    let has_choice = !request.categories.is_empty() || request.from.is_some() || request.to.is_some();
    if request.all && has_choice {
        return Err(OpError::invalid("all", "every key is written: a type or a period chooses events"));
    }
    if let (Some(from), Some(to)) = (request.from, request.to)
        && from >= to
    {
        return Err(OpError::invalid("to", "the period ends before it begins"));
    }
    Ok(EventChoice { categories: request.categories.clone(), from: request.from, to: request.to })
}

/// A file that a job makes: never over one that is there, unless that was asked for.
pub(super) struct Target {
    pub(super) path: PathBuf,
    force: bool,
}

impl Target {
    pub(super) fn of(field: &str, path: &str, force: bool) -> Result<Self, OpError> {
        let path = PathBuf::from(path);
        if !path.is_absolute() {
            return Err(OpError::invalid(field, "write the file as an absolute path"));
        }
        if path.is_dir() {
            return Err(OpError::invalid(field, format!("{} is a folder", path.display())));
        }
        if path.exists() && !force {
            return Err(Self::exists(field, &path));
        }
        if !path.parent().is_some_and(Path::is_dir) {
            let message = format!("the folder of {} does not exist", path.display());
            return Err(OpError {
                field: Some(field.to_owned()),
                ..OpError::new(ErrorCode::Unavailable, message)
            });
        }
        Ok(Self { path, force })
    }

    fn exists(field: &str, path: &Path) -> OpError {
        OpError {
            code: ErrorCode::Conflict,
            ..OpError::invalid(field, format!("{} is there already", path.display()))
        }
        .hint("choose another name, or say that it is to be replaced")
    }

    /// Puts the finished file in its place.
    pub(super) fn place(&self, prepared: Prepared) -> Result<(), OpError> {
        let placed = if self.force { prepared.persist() } else { prepared.persist_new() };
        placed.map_err(|error| match error {
            WriteError::Exists(path) => Self::exists("path", &path),
            error => unwritten(error),
        })
    }
}

/// Why there is no file.
pub(super) fn unwritten(error: WriteError) -> OpError {
    let message = match &error {
        WriteError::Io { source, .. } => format!("{error}: {source}"),
        WriteError::NotAFile(_)
        | WriteError::Exists(_)
        | WriteError::NoFolder(_)
        | WriteError::NotWritable { .. }
        | WriteError::Full { .. } => error.to_string(),
    };
    OpError { field: Some("path".to_owned()), ..OpError::new(ErrorCode::Unavailable, message) }
        .hint("choose another folder")
}

#[derive(Default)]
struct Tally {
    rows: u64,
    parts: u64,
    unreadable: u64,
    memory_bytes: u64,
    /// Events of which the server does not tell that.
    unweighed: u64,
    file: Option<(String, String, u64)>,
    notes: Vec<String>,
}

impl Tally {
    /// Those that are events; the others are counted, and the first told.
    fn readable(&mut self, rows: Vec<ExportedEvent>) -> Vec<(String, Event)> {
        let mut readable = Vec::with_capacity(rows.len());
        for row in rows {
            match row.event {
                Ok(event) => {
                    self.memory_bytes += row.bytes.unwrap_or(0);
                    self.unweighed += u64::from(row.bytes.is_none());
                    readable.push((row.key, event));
                }
                Err(reason) => {
                    self.unreadable += 1;
                    if self.unreadable <= REASONS {
                        self.notes.push(format!("{}: {reason}", row.key));
                    }
                }
            }
        }
        readable
    }

    /// The memory of the events, if it is known of all, and the notes.
    fn rest(mut self) -> (Option<Figure>, Vec<String>) {
        let more = self.unreadable.saturating_sub(REASONS);
        if more > 0 {
            let are = if more == 1 { "key is no event" } else { "keys are no events" };
            self.notes.push(format!("{} more {are}", grouped(more)));
        }
        if self.unweighed > 0 {
            self.notes.push(MEMORY_UNKNOWN.to_owned());
            return (None, self.notes);
        }
        (Some(Figure::bytes("bytes", MEMORY, self.memory_bytes)), self.notes)
    }

    fn report(mut self, all: bool) -> JobReport {
        let title = if all { "Keys and parts written" } else { "Events written" };
        let mut figures = vec![Figure::count("rows", title, self.rows)];
        if all {
            figures.push(Figure::count("parts", "Parts of large values", self.parts));
        } else {
            figures.push(Figure::count("unreadable", NO_EVENTS, self.unreadable));
        }
        let file = self.file.take();
        let (memory, notes) = self.rest();
        figures.extend(memory.filter(|_| !all));
        let mut facts = Vec::new();
        if let Some((path, sha256, bytes)) = file {
            figures.push(Figure::bytes("file_bytes", "Size of the file", bytes));
            facts.push(Fact::new("file", "File", path));
            facts.push(Fact::new("sha256", "SHA-256 of the file", sha256));
        }
        JobReport { figures, facts, notes }
    }
}

/// What the writer is handed.
enum Batch {
    Events(Vec<(String, Event)>),
    Keys(Vec<KeyPart>),
}

async fn export(
    events: &EventStore,
    choice: EventChoice,
    request: &ExportRequest,
    target: Target,
    ticket: &Ticket,
    tally: &mut Tally,
) -> Result<(), OpError> {
    let (batches, incoming) = mpsc::channel(BATCHES);
    let (path, format, all) = (target.path.clone(), request.format, request.all);
    let writer = tokio::task::spawn_blocking(move || write(&path, format, all, incoming));
    let read = async {
        if request.all {
            read_keys(events, &batches, ticket, tally).await
        } else {
            read_events(events, choice, &batches, ticket, tally).await
        }
        // Of a writer that is gone, the reason is the writer's to tell.
    };
    let read = read.await;
    drop(batches);
    let written = writer.await.map_err(|error| OpError::internal(format!("writing failed: {error}")))?;
    read?;
    ticket.check()?;
    let prepared = written?;
    let file = (request.path.clone(), prepared.sha256.clone(), prepared.bytes);
    target.place(prepared)?;
    tally.file = Some(file);
    Ok(())
}

async fn read_events(
    events: &EventStore,
    choice: EventChoice,
    batches: &mpsc::Sender<Batch>,
    ticket: &Ticket,
    tally: &mut Tally,
) -> Result<(), OpError> {
    let mut walk = EventWalk::start(events, choice, ticket.cancel.clone()).await?;
    while let Some(rows) = walk.next_batch().await? {
        let batch = tally.readable(rows);
        tally.rows += batch.len() as u64;
        if batches.send(Batch::Events(batch)).await.is_err() {
            return Ok(());
        }
        let step = format!("{} events written", tally.rows);
        ticket.progress(JobProgress { step, ..walk.progress() });
    }
    tally.notes.extend_from_slice(walk.notes());
    Ok(())
}

async fn read_keys(
    events: &EventStore,
    batches: &mpsc::Sender<Batch>,
    ticket: &Ticket,
    tally: &mut Tally,
) -> Result<(), OpError> {
    let mut walk = KeyWalk::start(events, ticket.cancel.clone()).await?;
    while let Some(parts) = walk.next_batch().await? {
        tally.rows += parts.len() as u64;
        tally.parts += parts.iter().filter(|part| part.part > 0).count() as u64;
        if batches.send(Batch::Keys(parts)).await.is_err() {
            return Ok(());
        }
        let step = format!("{} keys and parts written", tally.rows);
        ticket.progress(JobProgress { step, ..walk.progress() });
    }
    tally.notes.extend(walk.notes());
    Ok(())
}

/// Why a row could not be written.
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

fn write(
    path: &Path,
    format: ExportFormat,
    all: bool,
    batches: mpsc::Receiver<Batch>,
) -> Result<Prepared, OpError> {
    let written = Prepared::write(path, |out| match format {
        ExportFormat::Csv => write_table(out, all, batches),
        ExportFormat::Json => write_json(path, out, &Brackets::ARRAY, batches),
        ExportFormat::Ndjson => write_json(path, out, &Brackets::LINES, batches),
    });
    written.map_err(|error| match error {
        Broken::Table(error) => OpError::internal(format!("cannot write the table: {error}")),
        Broken::Json(error) => OpError::internal(format!("a row has no JSON: {error}")),
        Broken::Write(error) => unwritten(error),
    })
}

fn write_table(out: &mut dyn Write, all: bool, mut batches: mpsc::Receiver<Batch>) -> Result<(), Broken> {
    let names: Vec<&str> = if all {
        vec!["key", "type", "expires_at", "part", "value"]
    } else {
        std::iter::once("redis.key")
            .chain(COLUMNS.iter().map(|column| column.export_name()))
            .chain(["details"])
            .collect()
    };
    let mut table = TableWriter::new(out, &names).map_err(Broken::Table)?;
    while let Some(batch) = batches.blocking_recv() {
        match batch {
            Batch::Events(rows) => {
                for (key, event) in rows {
                    let cells = COLUMNS.iter().map(|column| column.text_of(&event).unwrap_or_default());
                    let details = if event.details.is_null() {
                        String::new()
                    } else {
                        json_cell(&event.details.to_string())
                    };
                    let cells: Vec<String> = std::iter::once(key).chain(cells).chain([details]).collect();
                    table.row(cells.iter().map(String::as_str)).map_err(Broken::Table)?;
                }
            }
            Batch::Keys(parts) => {
                for part in parts {
                    let cells = [
                        text_of(&part.key),
                        part.kind.as_str().to_owned(),
                        part.expires_at.map_or_else(String::new, instant),
                        part.part.to_string(),
                        match &part.elements {
                            Elements::Text(text) => text_of(text),
                            elements => {
                                json_cell(&serde_json::to_string(&Contents(elements)).map_err(Broken::Json)?)
                            }
                        },
                    ];
                    table.row(cells.iter().map(String::as_str)).map_err(Broken::Table)?;
                }
            }
        }
    }
    Ok(table.finish()?)
}

/// JSON in a cell of a table, which stays JSON there.
fn json_cell(json: &str) -> String {
    visible_json(json).into_owned()
}

/// What stands before, between and after the rows.
struct Brackets {
    open: &'static str,
    between: &'static str,
    close: &'static str,
}

impl Brackets {
    const ARRAY: Self = Self { open: "[\n", between: ",\n", close: "\n]\n" };
    const LINES: Self = Self { open: "", between: "\n", close: "\n" };
}

fn write_json(
    path: &Path,
    out: &mut dyn Write,
    brackets: &Brackets,
    mut batches: mpsc::Receiver<Batch>,
) -> Result<(), Broken> {
    let mut line = Vec::new();
    let mut rows = 0_u64;
    let mut put = |row: &dyn Fn(&mut Vec<u8>) -> serde_json::Result<()>| {
        line.clear();
        line.extend_from_slice(if rows == 0 { brackets.open } else { brackets.between }.as_bytes());
        row(&mut line).map_err(Broken::Json)?;
        rows += 1;
        out.write_all(&line).map_err(|error| Broken::Write(WriteError::at(path, error)))
    };
    while let Some(batch) = batches.blocking_recv() {
        match batch {
            Batch::Events(events) => {
                for (_, event) in &events {
                    put(&|line| serde_json::to_writer(line, event))?;
                }
            }
            Batch::Keys(parts) => {
                for part in &parts {
                    put(&|line| serde_json::to_writer(line, &Row::of(part)))?;
                }
            }
        }
    }
    let end = match (rows, brackets.open) {
        (0, "") => "",
        (0, _) => "[]\n",
        _ => brackets.close,
    };
    out.write_all(end.as_bytes()).map_err(|error| Broken::Write(WriteError::at(path, error)))
}

fn instant(at: chrono::DateTime<chrono::Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// A key or a part of one, as a line has it.
#[derive(Serialize)]
struct Row<'a> {
    key: Text<'a>,
    #[serde(rename = "type")]
    kind: &'static str,
    expires_at: Option<String>,
    part: u64,
    value: Contents<'a>,
}

impl<'a> Row<'a> {
    fn of(part: &'a KeyPart) -> Self {
        Self {
            key: Text(&part.key),
            kind: part.kind.as_str(),
            expires_at: part.expires_at.map(instant),
            part: part.part,
            value: Contents(&part.elements),
        }
    }
}

/// Text as text; other bytes as `{"hex": "..."}`, so that nothing is lost.
struct Text<'a>(&'a [u8]);

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(self.0) {
            Ok(text) => to.serialize_str(text),
            Err(_) => to.collect_map([("hex", hex::encode(self.0))]),
        }
    }
}

/// The same in a cell of a table.
fn text_of(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => format!("hex:{}", hex::encode(bytes)),
    }
}

/// An object; a list where names are no text or repeat, for these have no place in an object.
struct Pairs<'a>(&'a [Pair]);

impl Serialize for Pairs<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let names: Option<Vec<&str>> =
            self.0.iter().map(|(name, _)| std::str::from_utf8(name).ok()).collect();
        match names.filter(|names| all_differ(names)) {
            Some(names) => to.collect_map(names.into_iter().zip(self.0.iter().map(|(_, value)| Text(value)))),
            None => to.collect_seq(self.0.iter().map(|(name, value)| [Text(name), Text(value)])),
        }
    }
}

fn all_differ(names: &[&str]) -> bool {
    if names.len() <= FEW {
        return names.iter().enumerate().all(|(n, name)| !names.iter().take(n).any(|other| other == name));
    }
    let mut seen = HashSet::with_capacity(names.len());
    names.iter().all(|name| seen.insert(name))
}

struct Contents<'a>(&'a Elements);

#[derive(Serialize)]
struct Entry<'a> {
    id: &'a str,
    fields: Pairs<'a>,
}

impl Serialize for Contents<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Elements::Text(text) => Text(text).serialize(to),
            Elements::Items(items) => to.collect_seq(items.iter().map(|item| Text(item))),
            Elements::Pairs(pairs) => Pairs(pairs).serialize(to),
            Elements::Entries(entries) => {
                to.collect_seq(entries.iter().map(|(id, fields)| Entry { id, fields: Pairs(fields) }))
            }
        }
    }
}
