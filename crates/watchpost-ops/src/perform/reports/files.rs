//! Putting the files of a report on disk: all of them or none.

use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;
use watchpost_model::audit::Change;
use watchpost_model::ids::ReportId;
use watchpost_model::period::Period;
use watchpost_model::report::{ReportFile, ReportFormat};
use watchpost_report::{self as report, Placed, Prepared, ReportDocument, ReportError, WriteError};
use watchpost_store::Store;

use super::checked;
use crate::blocking::off_the_runtime;
use crate::contract::{ReportNames, ReportProof, ReportTarget, ReportTargets};
use crate::door::Context;
use crate::error::{ErrorCode, OpError};
use crate::making::Making;

/// Files for a report in a folder, which is made if it is not there, under a name that no file there has: a report whose
/// digest stands in the trail is not written over. With `replace` the plain name, whatever is there.
///
/// # Errors
/// `Unavailable` if the folder cannot be made.
pub fn report_targets(
    folder: &Path,
    framework: &str,
    subject: Option<&str>,
    period: Period,
    formats: &[ReportFormat],
    replace: bool,
) -> Result<Vec<ReportTarget>, OpError> {
    make(folder).map_err(|why| {
        OpError { field: Some("folder".to_owned()), ..OpError::new(ErrorCode::Unavailable, why) }
            .hint("choose another folder")
    })?;
    let midnight = |at: DateTime<Utc>| at.timestamp().rem_euclid(86_400) == 0;
    let form = if midnight(period.from) && midnight(period.to) { "%Y%m%d" } else { "%Y%m%dT%H%M%S" };
    let days = format!("{}-{}", period.from.format(form), period.to.format(form));
    // Letters of every script; nothing that leads out of the folder.
    let word = |text: &str| -> String {
        let plain = |ch: char| if ch.is_alphanumeric() { ch } else { '-' };
        text.chars().take(40).map(plain).collect()
    };
    let about = subject.map(|subject| format!("-{}", word(subject))).unwrap_or_default();
    let stem = format!("{}{about}-{days}", word(framework));
    let is_there = |path: PathBuf| std::fs::symlink_metadata(path).is_ok();
    let free = |stem: &str| {
        let mut endings = ReportFormat::ALL.iter().map(|format| ending(*format)).chain(SIGNED);
        replace || !endings.any(|ending| is_there(place(folder, stem, ending)))
    };
    let stem = std::iter::once(stem.clone())
        .chain((2..).map(|n| format!("{stem}-{n}")))
        .find(|stem| free(stem))
        .unwrap_or(stem);
    Ok(formats
        .iter()
        .map(|format| {
            let path = place(folder, &stem, ending(*format)).to_string_lossy().into_owned();
            ReportTarget { format: *format, path, replace }
        })
        .collect())
}

/// Makes a folder with those above it; else says what is in the way. The system names neither.
///
/// # Errors
/// A sentence.
pub(super) fn make(folder: &Path) -> Result<(), String> {
    let Err(error) = std::fs::create_dir_all(folder) else { return Ok(()) };
    let whole = folder.display();
    let nearest = folder.ancestors().find(|part| std::fs::symlink_metadata(part).is_ok());
    Err(match (nearest, error.kind()) {
        (Some(part), _) if part == folder => format!("{whole} is no folder"),
        (Some(part), _) if !part.is_dir() => {
            format!("the folder {whole} cannot be made: {} is no folder", part.display())
        }
        (Some(part), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) => {
            format!("the folder {whole} cannot be made: {} may not be written to", part.display())
        }
        (_, ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => {
            format!("the folder {whole} cannot be made: no space is left")
        }
        _ => format!("the folder {whole} cannot be made: {error}"),
    })
}

pub(crate) async fn report_names(cx: Context, request: ReportNames) -> Result<ReportTargets, OpError> {
    super::super::at_this_machine(&cx)?;
    let folder = PathBuf::from(&request.folder);
    if !folder.is_absolute() {
        return Err(OpError::invalid("folder", "write the folder as an absolute path"));
    }
    if !folder.is_dir() {
        let why = match folder.exists() {
            true => format!("{} is no folder", folder.display()),
            false => format!("there is no folder {}", folder.display()),
        };
        return Err(OpError::invalid("folder", why));
    }
    let ReportNames { framework, period, subject, formats, .. } = request;
    let period = checked(period)?;
    let subject = subject.filter(|text| !text.trim().is_empty());
    let files = off_the_runtime(move || {
        report_targets(&folder, &framework, subject.as_deref(), period, &formats, false)
    });
    Ok(ReportTargets { files: files.await?? })
}

/// Endings of what lies beside the JSON of an approved report: the signed approval, the public key.
const SIGNED: [&str; 2] = ["approval.txt", "approval.pem"];

/// The signed approval and the public key beside a JSON.
pub(super) fn beside_json(json: &str) -> ReportProof {
    let [approval, key] =
        SIGNED.map(|ending| Path::new(json).with_extension(ending).to_string_lossy().into_owned());
    ReportProof { approval, key }
}

fn ending(format: ReportFormat) -> &'static str {
    match format {
        ReportFormat::Pdf => "pdf",
        ReportFormat::Csv => "csv",
        ReportFormat::Json => "json",
        ReportFormat::Markdown => "md",
    }
}

fn place(folder: &Path, stem: &str, ending: &str) -> PathBuf {
    folder.join(format!("{stem}.{ending}"))
}

/// Files of a report. Those of new names are in their places and taken away again unless all are [kept](Self::keep); those
/// that replace another one wait beside it until then, so that whatever happens a file in its place stands in the trail.
pub(super) struct Written {
    pub(super) files: Vec<ReportFile>,
    placed: Vec<Placed>,
    waiting: Vec<Prepared>,
}

impl Written {
    /// The files stay, and replace what they may: for when the trail names them.
    ///
    /// # Errors
    /// `Unavailable`, naming the files that are not in their places; the others are.
    pub(super) fn keep(mut self, id: ReportId) -> Result<(), OpError> {
        std::mem::take(&mut self.placed).into_iter().for_each(Placed::keep);
        let waiting = std::mem::take(&mut self.waiting).into_iter();
        let failed: Vec<String> =
            waiting.filter_map(|file| file.persist().err()).map(|error| error.to_string()).collect();
        if failed.is_empty() {
            return Ok(());
        }
        let message =
            format!("report {id} is made, but not all of its files are written: {}", failed.join("; "));
        Err(OpError { field: Some("files".to_owned()), ..OpError::new(ErrorCode::Unavailable, message) }
            .hint(format!("`watchpost report copy {id}` writes them elsewhere")))
    }
}

impl Written {
    /// Puts a text of its own beside the files.
    pub(super) fn beside(&mut self, path: &str, text: &str, replace: bool) -> Result<(), OpError> {
        let write = |out: &mut dyn Write| out.write_all(text.as_bytes()).map_err(Broken::Place);
        let path = Path::new(path);
        let prepared = Prepared::write(path, write).map_err(|error| error.into_op(path))?;
        if replace && std::fs::symlink_metadata(path).is_ok() {
            self.waiting.push(prepared);
        } else {
            self.placed.push(prepared.place().map_err(unwritten)?);
        }
        Ok(())
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        for placed in std::mem::take(&mut self.placed) {
            if let Err(error) = placed.undo() {
                tracing::warn!(%error, "a file of a report that was not made cannot be taken back");
            }
        }
    }
}

/// Refuses to replace a file of a report that was approved: it can only be superseded, and its files stay.
///
/// # Errors
/// `Validation`; what the database says.
pub(super) async fn not_of_a_final(store: &Store, targets: &[ReportTarget]) -> Result<(), OpError> {
    for target in targets.iter().filter(|target| target.replace) {
        let path = PathBuf::from(&target.path);
        let hash = off_the_runtime(move || sha256_of(&path)).await?;
        let Some(hash) = hash else { continue };
        if let Some(report) = store.approved_report_of_file(&hash).await? {
            let message =
                format!("{} is a file of report {}, which is {}", target.path, report.id, report.status);
            return Err(OpError::invalid("files", message).hint(
                "choose another folder; `--supersedes` puts a new report in its place and leaves its files",
            ));
        }
    }
    Ok(())
}

/// Of a regular file that is there; what cannot be read is judged when it is replaced.
fn sha256_of(path: &Path) -> Option<String> {
    let mut file = std::fs::File::open(path).ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let (mut hash, mut piece) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut piece).ok()? {
            0 => return Some(hex::encode(hash.finalize())),
            n => hash.update(&piece[..n]),
        }
    }
}

/// How the audit trail names files.
pub(super) fn changes(files: &[ReportFile]) -> Vec<Change> {
    let named = |file: &ReportFile| {
        Change::new(&format!("file.{}", file.format), Value::Null, format!("{} {}", file.sha256, file.path))
    };
    files.iter().map(named).collect()
}

/// How the audit trail names what an archive copy brings along: the CSV; the JSON has a hash of its own.
pub(super) async fn attached(document: &Arc<ReportDocument>, archive: bool) -> Result<Vec<Change>, OpError> {
    if !archive {
        return Ok(Vec::new());
    }
    let document = document.clone();
    let hashed = off_the_runtime(move || {
        let mut text = Vec::new();
        report::write_csv(&document, &mut text).map(|()| hex::encode(Sha256::digest(&text)))
    });
    let sha256 =
        hashed.await?.map_err(|error| OpError::internal(format!("cannot write the CSV: {error}")))?;
    Ok(vec![Change::new("attached.csv", Value::Null, sha256)])
}

/// Refuses files that are there and may not be replaced: before the work, and named all at once.
///
/// # Errors
/// `Conflict`.
pub(super) fn unoccupied(targets: &[ReportTarget]) -> Result<(), OpError> {
    unoccupied_paths(targets.iter().filter(|target| !target.replace).map(|target| target.path.clone()))
}

/// The same for any paths.
pub(super) fn unoccupied_paths(paths: impl Iterator<Item = String>) -> Result<(), OpError> {
    let taken: Vec<String> = paths.filter(|path| std::fs::symlink_metadata(path).is_ok()).collect();
    match taken.as_slice() {
        [] => Ok(()),
        taken => Err(occupied(&taken.join(", "))),
    }
}

fn occupied(what: &str) -> OpError {
    OpError {
        field: Some("files".to_owned()),
        ..OpError::new(ErrorCode::Conflict, format!("already there: {what}"))
    }
    .hint("choose another name, or say that it may be replaced")
}

/// Writes all files beside their places, then puts them there. Stopped before that, nothing is left behind.
pub(super) async fn write(
    document: &Arc<ReportDocument>,
    targets: Vec<ReportTarget>,
    archive: bool,
    making: &Making,
) -> Result<Written, OpError> {
    let mut prepared = Vec::with_capacity(targets.len());
    for target in targets {
        let document = document.clone();
        let words = format!("writing {}", target.format);
        let (format, path) = (target.format, target.path.clone());
        // Rendering is CPU work; writing waits for the disk.
        let stop = making.stop();
        let work =
            tokio::task::spawn_blocking(move || prepare(&document, format, archive, Path::new(&path), &stop));
        let done = making
            .step(&words, async {
                work.await.map_err(|error| OpError::internal(format!("rendering failed: {error}")))?
            })
            .await?;
        prepared.push((target, done));
    }
    let mut written = Written { files: Vec::new(), placed: Vec::new(), waiting: Vec::new() };
    for (target, done) in prepared {
        let (sha256, bytes) = (done.sha256.clone(), done.bytes);
        if target.replace && std::fs::symlink_metadata(&target.path).is_ok() {
            written.waiting.push(done);
        } else {
            written.placed.push(done.place().map_err(unwritten)?);
        }
        written.files.push(ReportFile { format: target.format, path: target.path, sha256, bytes });
    }
    Ok(written)
}

/// Why a file is not there.
enum Broken {
    Render(ReportError),
    Place(std::io::Error),
    Write(WriteError),
}

impl Broken {
    fn into_op(self, path: &Path) -> OpError {
        match self {
            Self::Render(ReportError::Stopped) => {
                OpError::new(ErrorCode::Cancelled, "the report was stopped")
            }
            Self::Render(error) => OpError::internal(format!("cannot render {}: {error}", path.display())),
            Self::Place(error) => unwritten(WriteError::at(path, error)),
            Self::Write(error) => unwritten(error),
        }
    }
}

impl From<ReportError> for Broken {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Place(error) => Self::Place(error),
            error => Self::Render(error),
        }
    }
}

impl From<WriteError> for Broken {
    fn from(error: WriteError) -> Self {
        Self::Write(error)
    }
}

/// A place that takes no more once the making was stopped.
struct Stoppable<'w> {
    out: &'w mut dyn Write,
    stop: &'w CancellationToken,
}

impl Write for Stoppable<'_> {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
        if self.stop.is_cancelled() {
            return Err(std::io::Error::other("the report was stopped"));
        }
        self.out.write(piece)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

fn prepare(
    document: &ReportDocument,
    format: ReportFormat,
    archive: bool,
    path: &Path,
    stop: &CancellationToken,
) -> Result<Prepared, OpError> {
    // What is drawn as a whole is drawn before there is a file: whoever ends meanwhile leaves none.
    let go_on = || !stop.is_cancelled();
    let whole = match format {
        ReportFormat::Pdf if archive => report::render_archive_while(document, &go_on),
        ReportFormat::Pdf => report::render_pdf_while(document, &go_on),
        ReportFormat::Markdown => report::render_markdown(document).map(String::into_bytes),
        ReportFormat::Csv | ReportFormat::Json => Ok(Vec::new()),
    };
    let prepared = whole.map_err(Broken::from).and_then(|whole| {
        Prepared::write(path, |out| {
            let mut out = Stoppable { out, stop };
            match format {
                ReportFormat::Csv => report::write_csv(document, out)?,
                ReportFormat::Json => report::write_json(document, out)?,
                ReportFormat::Pdf | ReportFormat::Markdown => {
                    out.write_all(&whole).map_err(Broken::Place)?;
                }
            }
            Ok(())
        })
    });
    prepared.map_err(|error| error.into_op(path))
}

fn unwritten(error: WriteError) -> OpError {
    if let WriteError::Exists(path) = &error {
        return occupied(&path.to_string_lossy());
    }
    OpError { field: Some("files".to_owned()), ..OpError::new(ErrorCode::Unavailable, error.to_string()) }
        .hint("choose another folder")
}
