//! Putting the files of a report on disk: all of them or none.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use watchpost_model::period::Period;
use watchpost_model::report::{ReportFile, ReportFormat};
use watchpost_report::{self as report, Prepared, ReportDocument, ReportError, WriteError};

use crate::contract::ReportTarget;
use crate::error::{ErrorCode, OpError};
use crate::making::Making;

/// Files for a report in a folder, which is made if it is not there, under a name that no file there has: a report whose
/// digest stands in the trail is not written over.
///
/// # Errors
/// `Unavailable` if the folder cannot be made.
pub fn report_targets(
    folder: &Path,
    framework: &str,
    subject: Option<&str>,
    period: Period,
    formats: &[ReportFormat],
) -> Result<Vec<ReportTarget>, OpError> {
    std::fs::create_dir_all(folder).map_err(|error| OpError {
        field: Some("folder".to_owned()),
        ..OpError::new(
            ErrorCode::Unavailable,
            format!("cannot make the folder {}: {error}", folder.display()),
        )
    })?;
    let days = format!("{}-{}", period.from.format("%Y%m%d"), period.to.format("%Y%m%d"));
    let word = |text: &str| -> String {
        let plain = |ch: char| if ch.is_ascii_alphanumeric() { ch } else { '-' };
        text.chars().take(40).map(plain).collect()
    };
    let about = subject.map(|subject| format!("-{}", word(subject))).unwrap_or_default();
    let stem = format!("{}{about}-{days}", word(framework));
    let taken = |stem: &str| ReportFormat::ALL.iter().any(|format| place(folder, stem, *format).exists());
    let stem = std::iter::once(stem.clone())
        .chain((2..).map(|n| format!("{stem}-{n}")))
        .find(|stem| !taken(stem))
        .unwrap_or(stem);
    Ok(formats
        .iter()
        .map(|format| {
            let path = place(folder, &stem, *format).to_string_lossy().into_owned();
            ReportTarget { format: *format, path }
        })
        .collect())
}

fn place(folder: &Path, stem: &str, format: ReportFormat) -> PathBuf {
    let ending = match format {
        ReportFormat::Pdf => "pdf",
        ReportFormat::Csv => "csv",
        ReportFormat::Json => "json",
        ReportFormat::Markdown => "md",
    };
    folder.join(format!("{stem}.{ending}"))
}

/// Files that are in their places. Unless it is [kept](Self::keep), they are taken away again.
pub(super) struct Written {
    pub(super) files: Vec<ReportFile>,
    kept: bool,
}

impl Written {
    /// The files stay.
    pub(super) fn keep(mut self) -> Vec<ReportFile> {
        self.kept = true;
        std::mem::take(&mut self.files)
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        for file in self.files.iter().filter(|_| !self.kept) {
            if let Err(error) = std::fs::remove_file(&file.path) {
                tracing::warn!(%error, path = file.path, "a file of a report that was not made stays");
            }
        }
    }
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
        let work = tokio::task::spawn_blocking(move || prepare(&document, format, archive, Path::new(&path)));
        let done = making
            .step(&words, async {
                work.await.map_err(|error| OpError::internal(format!("rendering failed: {error}")))?
            })
            .await?;
        prepared.push((target, done));
    }
    let mut written = Written { files: Vec::new(), kept: false };
    for (target, done) in prepared {
        let file = ReportFile {
            format: target.format,
            path: target.path,
            sha256: done.sha256.clone(),
            bytes: done.bytes,
        };
        done.persist().map_err(unwritten)?;
        written.files.push(file);
    }
    Ok(written)
}

/// Why a file is not there.
enum Broken {
    Render(ReportError),
    Write(WriteError),
}

impl From<ReportError> for Broken {
    fn from(error: ReportError) -> Self {
        Self::Render(error)
    }
}

impl From<WriteError> for Broken {
    fn from(error: WriteError) -> Self {
        Self::Write(error)
    }
}

fn prepare(
    document: &ReportDocument,
    format: ReportFormat,
    archive: bool,
    path: &Path,
) -> Result<Prepared, OpError> {
    let all = |out: &mut dyn std::io::Write, bytes: &[u8]| {
        out.write_all(bytes).map_err(|error| Broken::Write(WriteError::at(path, error)))
    };
    let prepared = Prepared::write(path, |out| match format {
        ReportFormat::Pdf if archive => all(out, &report::render_archive(document)?),
        ReportFormat::Pdf => all(out, &report::render_pdf(document)?),
        ReportFormat::Csv => Ok(report::write_csv(document, out)?),
        ReportFormat::Json => all(out, report::render_json(document)?.as_bytes()),
        ReportFormat::Markdown => all(out, report::render_markdown(document)?.as_bytes()),
    });
    prepared.map_err(|error| match error {
        Broken::Render(error) => OpError::internal(format!("cannot render the {format}: {error}")),
        Broken::Write(error) => unwritten(error),
    })
}

fn unwritten(error: WriteError) -> OpError {
    OpError { field: Some("files".to_owned()), ..OpError::new(ErrorCode::Unavailable, error.to_string()) }
        .hint("choose another folder")
}
