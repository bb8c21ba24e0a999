//! Backups of Redis, their rehearsal and their restore.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::time::Instant;
use watchpost_model::clock::Clock;
use watchpost_model::job::{Fact, Figure, JobKind, JobProgress, JobReport, JobRun};
use watchpost_redis::backup::{
    BackupEnd, BackupError, BackupHead, BackupWalk, BackupWriter, Checked, Existing, RdbPlan, Record,
    Restored, Restorer, Scope,
};
use watchpost_redis::due::{SAMPLE_KEYS, SAMPLE_TIME};
use watchpost_redis::export::{KeyWalk, Run};
use watchpost_redis::local::{LocalError, LocalServer};
use watchpost_redis::{EventStore, RedisError};
use watchpost_report::{Prepared, WriteError};

use super::at_this_machine;
use super::backup_file::{BATCHES, BackupFile, Reading, unusable};
use super::exports::{Target, unwritten};
use super::rdb::{self, Sealed};
use super::scratch::Scratch;
use crate::age_file::Locked;
use crate::console::Workspace;
use crate::contract::{BackupRequest, RestoreRequest};
use crate::door::Context;
use crate::error::{ErrorCode, OpError};
use crate::jobs::{Ended, Ticket};

/// Runs of jobs in which the file of a backup is looked up.
const RUNS: u32 = 500;

pub(crate) async fn backup_preview(cx: Context, request: BackupRequest) -> Result<JobReport, OpError> {
    at_this_machine(&cx)?;
    let workspace = cx.workspace()?;
    Target::of("path", &request.path, request.force)?;
    let locked = request.encryption.as_ref().map(Locked::by).transpose()?;
    let encrypted = locked.as_ref().map(encrypted);
    if request.rdb {
        let mut report = rdb::preview(&workspace.events()?, request.path).await?;
        report.facts.extend(encrypted);
        return Ok(report);
    }
    let walk = KeyWalk::start(&workspace.events()?, workspace.stop_token()).await?;
    let (count, notes) = walk.count(Run::Backup, &|_| {}).await?;
    let memory = count.bytes.map(|bytes| Figure::bytes("bytes", "Their memory in Redis", bytes));
    let figures = std::iter::once(Figure::count("keys", "Keys to write", count.keys)).chain(memory).collect();
    let facts = std::iter::once(Fact::new("file", "File", request.path)).chain(encrypted).collect();
    Ok(JobReport { figures, facts, notes })
}

/// For whom a file is, as the report says it.
pub(super) fn encrypted(locked: &Locked) -> Fact {
    Fact::new("encryption", "Encrypted", locked.describe())
}

pub(crate) async fn backup_run(cx: Context, request: BackupRequest) -> Result<JobRun, OpError> {
    at_this_machine(&cx)?;
    let workspace = cx.workspace()?;
    let target = Target::of("path", &request.path, request.force)?;
    let locked = request.encryption.as_ref().map(Locked::by).transpose()?;
    let events = workspace.events()?;
    if request.rdb {
        let plan = RdbPlan::look(&events).await?;
        // The new file may be on another disk, or another machine: what is to be encrypted is not plain there for a moment.
        let sealed = match locked {
            Some(locked) => Some(Sealed { locked, scratch: Scratch::make(&cx).await? }),
            None => None,
        };
        let rehearsal = cx.console.paths().rehearsal();
        let parameters = format!("of the whole server (RDB) to {}", request.path);
        return workspace
            .jobs()
            .start(&cx, &workspace, JobKind::Backup, parameters, move |ticket| async move {
                Ended::from(rdb::copy(&events, plan, target, sealed, &rehearsal, &ticket).await)
            })
            .await;
    }
    let parameters = format!("to {}", request.path);
    workspace
        .jobs()
        .start(&cx, &workspace, JobKind::Backup, parameters, move |ticket| async move {
            Ended::from(backup(&events, target, locked, &ticket).await)
        })
        .await
}

/// Why a backup was not written.
enum Broken {
    Backup(BackupError),
    Write(WriteError),
}

impl From<WriteError> for Broken {
    fn from(error: WriteError) -> Self {
        Self::Write(error)
    }
}

impl From<BackupError> for Broken {
    fn from(error: BackupError) -> Self {
        Self::Backup(error)
    }
}

/// Why there is no backup at `path`.
fn not_written(path: &Path, error: Broken) -> OpError {
    match error {
        // Nothing is read for it but what is in memory.
        Broken::Backup(BackupError::Io(error)) => unwritten(WriteError::at(path, error)),
        Broken::Backup(error) => unusable(path, error),
        Broken::Write(error) => unwritten(error),
    }
}

async fn backup(
    events: &EventStore,
    target: Target,
    locked: Option<Locked>,
    ticket: &Ticket,
) -> Result<JobReport, OpError> {
    let encrypted = locked.as_ref().map(encrypted);
    let mut walk = BackupWalk::start(events, ticket.cancel.clone()).await?;
    let head = walk.head(env!("CARGO_PKG_VERSION")).await?;
    let (records, incoming) = mpsc::channel::<Vec<Record>>(BATCHES);
    let path = target.path.clone();
    let writer = tokio::task::spawn_blocking(move || write(&path, &head, locked.as_ref(), incoming));
    let mut keys = 0_u64;
    let read = loop {
        match walk.next_batch().await {
            Ok(Some(batch)) => {
                keys += batch.len() as u64;
                if records.send(batch).await.is_err() {
                    break Ok(()); // Of a writer that is gone, the reason is the writer's to tell.
                }
                ticket.progress(JobProgress { step: format!("{keys} keys written"), ..walk.progress() });
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    drop(records);
    let written = writer.await.map_err(|error| OpError::internal(format!("writing failed: {error}")))?;
    read?;
    ticket.check()?;
    let (prepared, end) = written.map_err(|error| not_written(&target.path, error))?;
    let (sha256, bytes, path) = (prepared.sha256.clone(), prepared.bytes, target.path.clone());
    target.place(prepared)?;
    let figures = vec![
        Figure::count("keys", "Keys written", end.keys),
        Figure::count("with_ttl", "Keys that expire", end.with_ttl),
        Figure::bytes("bytes", "Names and values", end.bytes),
        Figure::bytes("file_bytes", "Size of the file", bytes),
    ];
    let mut facts = vec![
        Fact::new("file", "File", path.to_string_lossy()),
        Fact::new("sha256", "SHA-256 of the file", sha256),
        Fact::new("digest", "Digest of the keys", end.digest),
    ];
    facts.extend(encrypted);
    Ok(JobReport { figures, facts, notes: walk.notes() })
}

/// Writes the file beside its place. What is to be encrypted is so before it comes to the disk.
fn write(
    path: &Path,
    head: &BackupHead,
    locked: Option<&Locked>,
    records: mpsc::Receiver<Vec<Record>>,
) -> Result<(Prepared, BackupEnd), Broken> {
    let mut end = BackupEnd::default();
    let prepared = Prepared::write(path, |out| -> Result<(), Broken> {
        match locked {
            None => end = put(out, head, records)?,
            Some(locked) => {
                let mut closed = locked.writer(out).map_err(BackupError::from)?;
                end = put(&mut closed, head, records)?;
                closed.finish().map_err(BackupError::from)?;
            }
        }
        Ok(())
    })?;
    Ok((prepared, end))
}

fn put(
    out: impl Write,
    head: &BackupHead,
    mut records: mpsc::Receiver<Vec<Record>>,
) -> Result<BackupEnd, BackupError> {
    let mut writer = BackupWriter::new(out, head)?;
    while let Some(batch) = records.blocking_recv() {
        for record in &batch {
            writer.put(record)?;
        }
    }
    writer.finish()
}

/// The file of a backup, and what it is for this connection.
struct Source {
    file: BackupFile,
    bytes: u64,
    head: BackupHead,
}

impl Source {
    /// Reads the head, and refuses what this server could not take.
    async fn of(request: &RestoreRequest, events: &EventStore) -> Result<Self, OpError> {
        let file = BackupFile::of(&request.path, request.key.as_ref()).await?;
        let (head, bytes) = file.head().await?;
        let ours = &events.target().prefix;
        if head.prefix != *ours {
            let message = format!(
                "the backup has keys that begin with {:?}; here they begin with {ours:?}",
                head.prefix
            );
            return Err(OpError { field: Some("path".to_owned()), ..OpError::precondition(message) }
                .hint("restore it on a connection with that prefix"));
        }
        let here = events.server_info().await?;
        if !request.rehearse_only && is_older(here.compatible_version(), &head) {
            let message =
                format!("this server, {}, is older than that of the backup, {}", here.server(), head.server);
            return Err(OpError::precondition(message)
                .hint("values of a newer server cannot be read by an older one"));
        }
        Ok(Self { file, bytes, head })
    }

    fn facts(&self) -> Vec<Fact> {
        let made = format!("{} on {} ({})", self.head.made_at, self.head.node, self.head.server);
        let file = Fact::new("file", "File", self.file.path().to_string_lossy());
        let encrypted = self.file.encryption().map(|whom| Fact::new("encryption", "Encrypted", whom));
        [file, Fact::new("made", "Backup made", made)].into_iter().chain(encrypted).collect()
    }
}

/// Is a server older than the one of the backup?
fn is_older(version: Option<(u32, u32)>, head: &BackupHead) -> bool {
    matches!((version, head.compatible_version()), (Some(here), Some(there)) if here < there)
}

/// Tells how far into the file a job is.
struct Told<'a> {
    ticket: &'a Ticket,
    bytes: u64,
}

impl Told<'_> {
    fn at(&self, step: &str, done: u64) {
        self.ticket.progress(JobProgress {
            done,
            total: Some(self.bytes),
            unit: "bytes".to_owned(),
            step: step.to_owned(),
        });
    }
}

pub(crate) async fn restore_preview(cx: Context, request: RestoreRequest) -> Result<JobReport, OpError> {
    at_this_machine(&cx)?;
    let workspace = cx.workspace()?;
    let events = workspace.events()?;
    let source = Source::of(&request, &events).await?;
    let cancel = workspace.stop_token();
    let restorer = Restorer::start(&events, Scope::Data, existing(&request), cancel).await?;
    let mut restorer = restorer.preview();
    let mut reading = Reading::begin(&source.file);
    while let Some((batch, _)) = reading.next().await {
        restorer.put(batch).await?;
    }
    let (end, sha256) = reading.end().await?;
    match restorer.fits().await {
        Err(full @ RedisError::NoRoom { .. }) if !request.rehearse_only => {
            restorer.restored.reasons.push(format!("it would stop on its way: {full}"));
        }
        fits => fits?,
    }
    let mut done =
        Done { end: Some(end), sha256: Some(sha256), restored: Some(restorer.restored), ..Done::default() };
    if request.rehearse_only {
        done.restored = None;
    }
    done.find_run(&workspace).await?;
    Ok(done.report(&source, true))
}

/// What a restore does that cannot be taken back; `None` for one that only adds. It names what is in the file: another
/// file of that name is another request.
pub(crate) async fn overwriting_restore(
    cx: &Context,
    request: RestoreRequest,
) -> Result<Option<String>, OpError> {
    if !request.replace || request.rehearse_only {
        return Ok(None);
    }
    at_this_machine(cx)?;
    let sha256 = Source::of(&request, &cx.workspace()?.events()?).await?.file.sha256().await?;
    Ok(Some(format!("restoring {} (SHA-256 {sha256}) over what is in Redis", request.path)))
}

/// What a restore would write here.
pub(super) struct RestoreSample {
    /// Keys that are not there.
    pub(super) written: u64,
    /// Keys that have another value, and would have that of the backup.
    pub(super) replaced: u64,
    /// Was the whole file looked at? Else they are estimated by a part of it.
    pub(super) is_whole: bool,
}

/// The preview of a restore by up to [`SAMPLE_KEYS`] keys of the file, in up to [`SAMPLE_TIME`].
pub(super) async fn restore_sample(cx: &Context, request: &RestoreRequest) -> Result<RestoreSample, OpError> {
    at_this_machine(cx)?;
    let workspace = cx.workspace()?;
    let events = workspace.events()?;
    let source = Source::of(request, &events).await?;
    let cancel = workspace.stop_token();
    let mut restorer = Restorer::start(&events, Scope::Data, existing(request), cancel).await?.preview();
    let mut reading = Reading::begin(&source.file);
    let until = Instant::now() + SAMPLE_TIME;
    let (mut keys, mut reached, mut is_whole) = (0, 0, false);
    while keys < SAMPLE_KEYS && Instant::now() < until {
        let Some((batch, at)) = reading.next().await else {
            is_whole = true;
            break;
        };
        keys += batch.len() as u64;
        reached = at;
        restorer.put(batch).await?;
    }
    if is_whole {
        reading.end().await?;
    }
    let in_all = |part: u64| {
        let whole = u128::from(part) * u128::from(source.bytes.max(reached)) / u128::from(reached.max(1));
        if is_whole { part } else { u64::try_from(whole).unwrap_or(u64::MAX) }
    };
    let Restored { written, replaced, .. } = restorer.restored;
    Ok(RestoreSample { written: in_all(written), replaced: in_all(replaced), is_whole })
}

pub(crate) async fn restore_run(cx: Context, request: RestoreRequest) -> Result<JobRun, OpError> {
    at_this_machine(&cx)?;
    let workspace = cx.workspace()?;
    let events = workspace.events()?;
    let source = Source::of(&request, &events).await?;
    let rehearsal = cx.console.paths().rehearsal();
    let parameters = match (request.rehearse_only, request.replace) {
        (true, _) => format!("rehearsal of {}", request.path),
        (false, false) => format!("from {}", request.path),
        (false, true) => format!("from {}, over what is there", request.path),
    };
    let job = workspace.clone();
    workspace
        .jobs()
        .start(&cx, &workspace, JobKind::Restore, parameters, move |ticket| async move {
            let mut done = Done::default();
            let result = restore(&job, &events, &source, &request, &rehearsal, &ticket, &mut done).await;
            Ended { report: done.report(&source, false), error: result.err() }
        })
        .await
}

const fn existing(request: &RestoreRequest) -> Existing {
    if request.replace { Existing::Replace } else { Existing::Keep }
}

/// Checks the file, rehearses it, and only then writes.
async fn restore(
    workspace: &Arc<Workspace>,
    events: &EventStore,
    source: &Source,
    request: &RestoreRequest,
    rehearsal: &Path,
    ticket: &Ticket,
    done: &mut Done,
) -> Result<(), OpError> {
    let told = Told { ticket, bytes: source.bytes };
    let mut reading = Reading::begin(&source.file);
    while let Some((_, at)) = reading.next().await {
        told.at("checking the file", at);
        ticket.check()?;
    }
    let (end, sha256) = reading.end().await?;
    (done.end, done.sha256) = (Some(end.clone()), Some(sha256));
    done.find_run(workspace).await?;
    match LocalServer::scratch(rehearsal).await {
        Ok(server) => {
            let rehearsed = rehearse(&server, source, &end, &told).await;
            let stopped = server.stop().await;
            drop(std::fs::remove_dir_all(rehearsal)); // Only the lock and a log are left in it.
            done.rehearsal = Some(rehearsed?);
            stopped?;
        }
        Err(error @ LocalError::NotInstalled) => {
            done.notes.push(format!("not rehearsed: {error}; the file's checksums hold"));
        }
        Err(error) => return Err(error.into()),
    }
    if let Some(Rehearsal::Done { checked, failed, .. }) = &done.rehearsal
        && (checked.wrong > 0 || *failed > 0)
    {
        let n = checked.wrong + failed;
        return Err(OpError::new(
            ErrorCode::Precondition,
            format!("the rehearsal failed for {n} keys; nothing was restored"),
        )
        .hint("the report names keys and reasons; take another backup"));
    }
    if request.rehearse_only {
        return was_rehearsed(done.rehearsal.as_ref());
    }
    let mut restorer = Restorer::start(events, Scope::Data, existing(request), ticket.cancel.clone()).await?;
    let mut reading = Reading::begin(&source.file);
    let mut written = Ok(());
    while let Some((batch, at)) = reading.next().await {
        written = restorer.put(batch).await;
        told.at("restoring", at);
        if written.is_err() {
            break;
        }
    }
    done.notes.extend_from_slice(restorer.notes());
    done.restored = Some(restorer.restored);
    written?;
    reading.end().await.map(drop)
}

/// Was it rehearsed, as was asked for? That its checksums hold is less.
fn was_rehearsed(rehearsal: Option<&Rehearsal>) -> Result<(), OpError> {
    let reason = match rehearsal {
        Some(Rehearsal::Done { .. }) => return Ok(()),
        Some(Rehearsal::Impossible(reason)) => reason.clone(),
        None => LocalError::NotInstalled.to_string(),
    };
    Err(OpError::precondition(format!("the backup was not rehearsed: {reason}"))
        .hint("its checksums hold; rehearse it on a machine with a redis-server that is new enough"))
}

/// How a rehearsal went.
enum Rehearsal {
    Done { server: String, checked: Checked, failed: u64, reasons: Vec<String> },
    Impossible(String),
}

async fn rehearse(
    server: &LocalServer,
    source: &Source,
    end: &BackupEnd,
    told: &Told<'_>,
) -> Result<Rehearsal, OpError> {
    let clock: Arc<dyn Clock> = Arc::new(watchpost_model::clock::SystemClock);
    let scratch = EventStore::connect(&server.target(&source.head.prefix), clock).await?;
    let info = scratch.server_info().await?;
    if is_older(info.compatible_version(), &source.head) {
        let reason = format!("the server here, {}, is older than that of the backup", info.server());
        return Ok(Rehearsal::Impossible(reason));
    }
    let cancel = told.ticket.cancel.clone();
    let mut restorer = Restorer::start(&scratch, Scope::Everything, Existing::Keep, cancel).await?;
    let mut reading = Reading::begin(&source.file);
    while let Some((batch, at)) = reading.next().await {
        restorer.put(batch).await?;
        told.at("rehearsing on a scratch server", at);
    }
    reading.end().await?;
    let mut reading = Reading::begin(&source.file);
    while let Some((batch, at)) = reading.next().await {
        restorer.check(batch).await?;
        told.at("comparing the scratch server with the file", at);
    }
    reading.end().await?;
    let Restored { failed, mut reasons, .. } = restorer.restored;
    let mut checked = restorer.checked;
    let found = scratch.key_count().await?;
    if found > end.keys {
        checked.wrong += found - end.keys;
        reasons.push(format!("the server has {found} keys, the file {}", end.keys));
    }
    Ok(Rehearsal::Done { server: info.server(), checked, failed, reasons })
}

/// What a restore did so far.
#[derive(Default)]
struct Done {
    end: Option<BackupEnd>,
    sha256: Option<String>,
    known: Option<String>,
    rehearsal: Option<Rehearsal>,
    restored: Option<Restored>,
    notes: Vec<String>,
}

impl Done {
    /// Looks for the run that wrote the file: then it is the one that the trail knows.
    async fn find_run(&mut self, workspace: &Workspace) -> Result<(), OpError> {
        let runs = workspace.store().job_runs(RUNS).await?;
        let is_it = |run: &&JobRun| {
            let facts = run.report.iter().flat_map(|report| &report.facts);
            run.kind == JobKind::Backup
                && facts
                    .into_iter()
                    .any(|fact| fact.name == "sha256" && Some(&fact.text) == self.sha256.as_ref())
        };
        self.known =
            runs.iter().find(is_it).map(|run| format!("made here by {} (job {})", run.started_by, run.id));
        Ok(())
    }

    fn report(self, source: &Source, preview: bool) -> JobReport {
        let mut report = JobReport { facts: source.facts(), notes: self.notes, ..JobReport::default() };
        if let Some(end) = &self.end {
            report.figures.push(Figure::count("keys", "Keys in the backup", end.keys));
        }
        if let Some(sha256) = self.sha256 {
            report.facts.push(Fact::new("sha256", "SHA-256 of the file", sha256));
            let known = self.known.unwrap_or_else(|| "not in the history of this workspace".to_owned());
            report.facts.push(Fact::new("origin", "Origin", known));
        }
        match self.rehearsal {
            Some(Rehearsal::Done { server, checked, failed, reasons }) => {
                let verdict = match (checked.wrong + failed, checked.uncompared) {
                    (0, 0) => format!("verified on {server}: every value and expiry is equal"),
                    (0, n) => format!("verified on {server}, but for {n} values in another encoding"),
                    (n, _) => format!("failed on {server}: {n} keys are missing or differ"),
                };
                report.facts.push(Fact::new("verdict", "Rehearsal", verdict));
                report.figures.push(Figure::count("verified", "Keys equal in the rehearsal", checked.equal));
                report.figures.push(Figure::count(
                    "wrong",
                    "Missing or different there",
                    checked.wrong + failed,
                ));
                report.notes.extend(checked.reasons.into_iter().chain(reasons));
            }
            Some(Rehearsal::Impossible(reason)) => {
                report.facts.push(Fact::new("verdict", "Rehearsal", format!("not possible: {reason}")));
            }
            None => {}
        }
        let Some(restored) = self.restored else { return report };
        let written = if preview { "Keys to write" } else { "Keys written" };
        let replaced = if preview { "Keys to overwrite" } else { "Keys overwritten" };
        for (name, title, n) in [
            ("written", written, restored.written),
            ("same", "There with the same value", restored.same),
            ("kept", "There with another value: kept", restored.kept),
            ("replaced", replaced, restored.replaced),
            ("expired", "Have run out since", restored.expired),
            ("left_out", "Left to the engine", restored.left_out),
            ("failed", "Not taken by the server", restored.failed),
        ] {
            report.figures.push(Figure::count(name, title, n));
        }
        if restored.left_out > 0 {
            report.notes.push(
                "blocks and containments are put back by the engine from the database; indexes are made of the events"
                    .to_owned(),
            );
        }
        report.notes.extend(restored.reasons);
        report
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::path::Path;

    use watchpost_redis::backup::BackupError;

    use super::{Broken, Rehearsal, not_written, was_rehearsed};
    use crate::error::ErrorCode;

    #[test]
    fn a_full_disk_is_told_with_the_file_that_is_to_be_written() {
        let full = BackupError::Io(ErrorKind::StorageFull.into());
        let problem = not_written(Path::new("/copies/a.wpbackup"), Broken::Backup(full));
        assert_eq!(problem.code, ErrorCode::Unavailable);
        assert_eq!(problem.message, "no space is left for /copies/a.wpbackup");
    }

    #[test]
    fn a_rehearsal_that_there_was_not_is_no_success() {
        let impossible = Rehearsal::Impossible("the server here is older".to_owned());
        for (rehearsal, words) in [(Some(&impossible), "older"), (None, "not installed")] {
            let problem = was_rehearsed(rehearsal).expect_err("it was not rehearsed");
            assert_eq!(problem.code, ErrorCode::Precondition);
            assert!(problem.message.contains(words), "{problem}");
        }
    }
}
