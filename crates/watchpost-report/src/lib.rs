//! Compliance reports: a framework file and the store's answers in, one document out, rendered as JSON, CSV, Markdown
//! and PDF.
//!
//! The document ([`ReportDocument`]) is the truth and its canonical JSON is what gets hashed; every other format is
//! drawn from it and prints that hash. Deliberately absent: asking the store (operations do), choosing a folder (a
//! person does) and reading the clock (the time of making is part of the [`Scope`]).
#![warn(missing_docs)]

mod charts;
mod csv;
mod digest;
mod document;
mod evaluate;
mod file;
mod framework;
mod markdown;
mod mask;
mod pdf;
mod table;
mod verify;
mod wording;

pub use crate::csv::{render_csv, write_csv};
pub use document::{
    AgeCount, ChartData, CheckResult, ControlResult, FrameworkRef, Gap, LogHead, Parameter, ReportDocument,
    ReportKind, Scope, Section, SeverityCount, Standing, State, Summary, render_json, write_json,
};
pub use evaluate::evaluate;
pub use file::{Placed, Prepared, WriteError, write_atomically};
pub use framework::{Check, Control, Empty, FileError, Framework, FrameworkError, Limit, Rule};
pub use markdown::render_markdown;
pub use pdf::{render_archive, render_archive_while, render_pdf, render_pdf_while};
pub use table::TableWriter;
pub use verify::{Verified, compare, compare_figures, sample_seed, verify_json};

/// Why a document could not be rendered.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The document has no canonical JSON; a value that JSON cannot hold.
    #[error("put the report into JSON")]
    Json(#[source] serde_json::Error),
    /// The CSV writer refused.
    #[error("write the report as CSV")]
    Csv(#[source] ::csv::Error),
    /// The place could not take it.
    #[error("{0}")]
    Place(std::io::Error),
    /// A font of the PDF could not be read.
    #[error("read the embedded font {0}")]
    Font(&'static str),
    /// A chart could not be drawn.
    #[error("draw the chart {chart:?}: {reason}")]
    Chart {
        /// Its title.
        chart: &'static str,
        /// What the chart library says.
        reason: String,
    },
    /// Whoever asked for it wants it no more.
    #[error("the report was stopped")]
    Stopped,
    /// The PDF could not be put into bytes.
    #[error("write the PDF: {0}")]
    Pdf(String),
}

impl From<serde_json::Error> for ReportError {
    fn from(error: serde_json::Error) -> Self {
        if error.is_io() { Self::Place(error.into()) } else { Self::Json(error) }
    }
}

impl From<::csv::Error> for ReportError {
    fn from(error: ::csv::Error) -> Self {
        if !error.is_io_error() {
            return Self::Csv(error);
        }
        match error.into_kind() {
            ::csv::ErrorKind::Io(error) => Self::Place(error),
            other => Self::Place(std::io::Error::other(format!("{other:?}"))),
        }
    }
}
