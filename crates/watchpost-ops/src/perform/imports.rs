//! Bringing events in: log files and synthetic traffic, written to Redis as an application would.

use std::fs::File;
use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use watchpost_ingest::{
    Import, ImportOptions, Importer, LogFormat, Parsed, Simulation, SimulationConfig, open_reader,
};
use watchpost_model::event::Event;
use watchpost_model::job::{Figure, JobKind, JobProgress, JobReport, JobRun};

use super::at_this_machine;
use crate::console::Workspace;
use crate::contract::{ImportRequest, SimulateRequest};
use crate::door::Context;
use crate::error::{ErrorCode, OpError};
use crate::jobs::{Ended, Ticket};

/// Events a pipeline.
const BATCH: usize = 500;
/// Bytes of lines a pipeline, but for the last of them: three batches are in memory at once.
const BATCH_BYTES: u64 = 16 << 20;
/// How much of the first line names a log.
const FIRST_LINE_BYTES: u64 = 64 << 10;
/// Reasons for bad lines that are shown one by one; the rest is counted.
const REASONS: usize = 20;

pub(crate) async fn import_run(cx: Context, request: ImportRequest) -> Result<JobRun, OpError> {
    at_this_machine(&cx)?;
    let workspace = cx.workspace()?;
    let format: LogFormat =
        request.format.parse().map_err(|error: watchpost_model::event::UnknownWord| {
            OpError::invalid("format", error.to_string())
        })?;
    let path = PathBuf::from(&request.path);
    let bytes = check_readable(&path)?;
    workspace.events()?;
    let journal = Journal::of(cx.console.paths(), &workspace, &path, format, bytes);
    if request.restart {
        journal.forget();
    }
    let parameters = format!("{} as {format}", path.display());
    let job = workspace.clone();
    workspace
        .jobs()
        .start(&cx, &workspace, JobKind::Import, parameters, move |ticket| async move {
            let mut tally = Tally { offset: journal.offset(), ..Tally::default() };
            let result = import(&job, &path, format, bytes, &ticket, &journal, &mut tally).await;
            if result.is_ok() {
                journal.forget();
            }
            Ended { report: tally.report(), error: result.err() }
        })
        .await
}

fn check_readable(path: &Path) -> Result<u64, OpError> {
    let unreadable = |error: std::io::Error| OpError::unreadable("path", path, error);
    let file = File::open(path).map_err(unreadable)?;
    let meta = file.metadata().map_err(unreadable)?;
    if !meta.is_file() {
        return Err(OpError::unreadable("path", path, "it is not a file"));
    }
    Ok(meta.len())
}

/// Where an import of a file stands: a small file beside the workspace's data, written after each batch is in Redis.
struct Journal {
    file: PathBuf,
}

impl Journal {
    /// The journal of one file, format, size and connection; a file that has changed begins anew.
    fn of(paths: &crate::Paths, workspace: &Workspace, path: &Path, format: LogFormat, bytes: u64) -> Self {
        let name = format!("{}\0{}\0{format}\0{bytes}", workspace.connection().id, path.display());
        let digest = hex::encode(&Sha256::digest(name.as_bytes())[..16]);
        Self { file: paths.imports().join(format!("{digest}.offset")) }
    }

    fn offset(&self) -> u64 {
        std::fs::read_to_string(&self.file).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
    }

    fn save(&self, offset: u64) {
        let written = self
            .file
            .parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| std::fs::write(&self.file, offset.to_string()));
        if let Err(error) = written {
            // Beginning anew is safe: event ids are derived, so the lines before are recognised.
            tracing::warn!(%error, "an interrupted import will begin anew");
        }
    }

    fn forget(&self) {
        drop(std::fs::remove_file(&self.file));
    }
}

/// A batch that the reading thread hands over.
struct Chunk {
    events: Vec<Event>,
    /// Byte offset (of the unpacked log) after the last line of the batch.
    offset: u64,
    /// Bytes of the file read so far, packed or not.
    consumed: u64,
    skipped: u64,
    bad: Vec<(u64, String, String)>,
}

/// Reads on a thread of its own and writes batches as they come: two batches wait at most.
async fn import(
    workspace: &Workspace,
    path: &Path,
    format: LogFormat,
    bytes: u64,
    ticket: &Ticket,
    journal: &Journal,
    tally: &mut Tally,
) -> Result<(), OpError> {
    let events = workspace.events()?;
    let source = content_name(path).map_err(|error| {
        OpError::new(ErrorCode::Unavailable, format!("cannot read {}: {error}", path.display()))
    })?;
    let importer = Importer::new(format, ImportOptions::new(workspace.now(), source));
    let (sender, mut receiver) = tokio::sync::mpsc::channel(2);
    let (file, offset) = (path.to_owned(), tally.offset);
    let reading = tokio::task::spawn_blocking(move || read(&file, offset, importer, &sender));
    while let Some(chunk) = receiver.recv().await {
        ticket.check()?;
        let written = ticket.written(events.write_events(&chunk.events)).await?;
        journal.save(chunk.offset);
        tally.take(&chunk, &written);
        ticket.progress(JobProgress {
            done: chunk.consumed.min(bytes),
            total: Some(bytes),
            unit: "bytes".to_owned(),
            step: format!("{} events written", tally.written),
        });
    }
    let read = reading.await.map_err(|error| OpError::internal(format!("reading failed: {error}")))?;
    read.map_err(|error| {
        OpError::new(ErrorCode::Unavailable, format!("cannot read {} to its end: {error}", path.display()))
            .hint("what was read before is in; mend the file and import it again: nothing is doubled")
    })
}

/// Names a log by its content, not by its path: the digest of its first line. So a log that was moved, rotated, packed
/// or has grown is the same log, and its lines are recognised.
fn content_name(path: &Path) -> std::io::Result<String> {
    let mut first = Vec::new();
    open_reader(File::open(path)?)?.take(FIRST_LINE_BYTES).read_until(b'\n', &mut first)?;
    Ok(hex::encode(Sha256::digest(first.trim_ascii_end())))
}

/// Reads a file line by line and hands over batches; ends early when nobody takes them any more.
fn read(
    path: &Path,
    offset: u64,
    importer: Importer,
    sender: &tokio::sync::mpsc::Sender<Chunk>,
) -> std::io::Result<()> {
    let file = CountedFile { file: File::open(path)?, count: Arc::default() };
    let count = file.count.clone();
    let mut reader = open_reader(file)?;
    // A packed file cannot be entered in its middle: what was imported before is unpacked and passed over.
    std::io::copy(&mut reader.by_ref().take(offset), &mut std::io::sink())?;
    let mut import = Import::new(reader, offset, importer);
    loop {
        let mut chunk =
            Chunk { events: Vec::with_capacity(BATCH), offset, consumed: 0, skipped: 0, bad: Vec::new() };
        let (mut ended, begin) = (true, import.offset());
        for parsed in import.by_ref() {
            let (line, parsed) = parsed?;
            match parsed {
                Parsed::Event(event) => chunk.events.push(*event),
                Parsed::Skipped(_) => chunk.skipped += 1,
                Parsed::Bad { line_no, reason, excerpt } => chunk.bad.push((line_no, reason, excerpt)),
            }
            if chunk.events.len() + chunk.bad.len() >= BATCH || line.next_offset - begin >= BATCH_BYTES {
                ended = false;
                break;
            }
        }
        chunk.offset = import.offset();
        chunk.consumed = count.load(std::sync::atomic::Ordering::Relaxed);
        if sender.blocking_send(chunk).is_err() || ended {
            return Ok(());
        }
    }
}

/// Counts the bytes that are read, for the progress of packed files.
struct CountedFile {
    file: File,
    count: Arc<std::sync::atomic::AtomicU64>,
}

impl Read for CountedFile {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.file.read(buffer)?;
        self.count.fetch_add(n as u64, std::sync::atomic::Ordering::Relaxed);
        Ok(n)
    }
}

#[derive(Default)]
struct Tally {
    offset: u64,
    written: u64,
    duplicates: u64,
    skipped: u64,
    bad: u64,
    reasons: Vec<String>,
}

impl Tally {
    fn take(&mut self, chunk: &Chunk, written: &watchpost_redis::Written) {
        self.offset = chunk.offset;
        self.written += written.written;
        self.duplicates += written.duplicates;
        self.skipped += chunk.skipped;
        self.bad += chunk.bad.len() as u64 + written.rejected.len() as u64;
        let bad = chunk.bad.iter().map(|(line, reason, text)| format!("line {line}: {reason}: {text}"));
        let rejected = written.rejected.iter().map(|(id, reason)| format!("event {id}: {reason}"));
        self.reasons.extend(bad.chain(rejected).take(REASONS.saturating_sub(self.reasons.len())));
    }

    fn report(self) -> JobReport {
        let mut notes = self.reasons;
        let shown = notes.len() as u64;
        if self.bad > shown {
            notes.push(format!("and {} more bad lines", self.bad - shown));
        }
        JobReport {
            figures: vec![
                Figure::count("written", "Events written", self.written),
                Figure::count("duplicates", "Already there", self.duplicates),
                Figure::count("skipped", "Lines without an event", self.skipped),
                Figure::count("bad", "Bad lines", self.bad),
            ],
            notes,
            ..JobReport::default()
        }
    }
}

pub(crate) async fn simulate_run(cx: Context, request: SimulateRequest) -> Result<JobRun, OpError> {
    let workspace = cx.workspace()?;
    for (field, value, range) in [
        ("days", request.days, 1..=90),
        ("events_per_day", request.events_per_day, 10..=1_000_000),
        ("users", request.users, 1..=100_000),
    ] {
        if !range.contains(&value) {
            let (low, high) = (range.start(), range.end());
            return Err(OpError::invalid(field, format!("{field}: between {low} and {high}")));
        }
    }
    workspace.events()?;
    if request.truth_path.is_some() {
        at_this_machine(&cx)?;
    }
    let parameters = format!(
        "seed {}, {} days, {} events a day, {} users",
        request.seed, request.days, request.events_per_day, request.users
    );
    let job = workspace.clone();
    workspace
        .jobs()
        .start(&cx, &workspace, JobKind::Simulate, parameters, move |ticket| async move {
            Ended::from(simulate(&job, &request, &ticket).await)
        })
        .await
}

async fn simulate(
    workspace: &Workspace,
    request: &SimulateRequest,
    ticket: &Ticket,
) -> Result<JobReport, OpError> {
    let events = workspace.events()?;
    let to = request.until.unwrap_or_else(|| workspace.now());
    let from = to - chrono::Duration::days(i64::from(request.days));
    let config = SimulationConfig {
        seed: request.seed,
        from,
        to,
        users: request.users,
        events_per_day: request.events_per_day,
        // Every kind of campaign about once a week, and each at least once.
        campaigns: (request.days * 8 / 7).max(8),
    };
    let mut simulation = Simulation::new(config);
    let truth = simulation.truth().clone();
    if let Some(path) = &request.truth_path {
        // Before any event: a path that cannot be written must not leave events without their truth.
        let text = serde_json::to_vec_pretty(&truth)
            .map_err(|error| OpError::internal(format!("the ground truth: {error}")))?;
        watchpost_report::write_atomically(Path::new(path), &text)
            .map_err(|error| OpError::new(ErrorCode::Unavailable, error.to_string()))?;
    }
    let expected = u64::from(request.days) * u64::from(request.events_per_day);
    let mut tally = Tally::default();
    loop {
        ticket.check()?;
        let batch: Vec<Event> = simulation.by_ref().take(BATCH).collect();
        if batch.is_empty() {
            break;
        }
        let written = ticket.written(events.write_events(&batch)).await?;
        tally.written += written.written;
        tally.duplicates += written.duplicates;
        let done = tally.written + tally.duplicates;
        ticket.progress(JobProgress {
            done,
            total: Some(expected.max(done)),
            unit: "events".to_owned(),
            step: format!("{} events written", tally.written),
        });
    }
    let mut report = JobReport {
        figures: vec![
            Figure::count("written", "Events written", tally.written),
            Figure::count("duplicates", "Already there", tally.duplicates),
            Figure::count("campaigns", "Attack campaigns inside", truth.campaigns.len() as u64),
        ],
        ..JobReport::default()
    };
    if let Some(path) = &request.truth_path {
        report.notes.push(format!("ground truth written to {path}"));
    }
    Ok(report)
}
