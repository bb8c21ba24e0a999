//! Produced reports: what was made, by whom, with the digests of its files.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::ReportId;
use crate::period::Period;
use crate::words;

/// Format of a report file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ReportFormat {
    /// For people.
    Pdf,
    /// Rows for a spreadsheet.
    Csv,
    /// The canonical content.
    Json,
    /// Text.
    Markdown,
}

words!(ReportFormat { Pdf = "pdf", Csv = "csv", Json = "json", Markdown = "markdown" });

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ReportFile {
    /// In which format.
    pub format: ReportFormat,
    /// Where it was written.
    pub path: String,
    /// SHA-256 of the file, hex.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
}

/// How far a report is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ReportStatus {
    /// Made, and nobody has approved it.
    #[default]
    Draft,
    /// Approved by a second person; it cannot change any more.
    Final,
    /// A later one stands in its place.
    Superseded,
}

words!(ReportStatus { Draft = "draft", Final = "final", Superseded = "superseded" });

/// Somebody's approval of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Approval {
    /// Who; never the one who made it.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// What they say about it.
    pub note: String,
    /// A C2SP signed note over the hash of the content with the console's key; `None` without a key.
    pub signed_note: Option<String>,
}

/// A produced report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ReportRecord {
    /// Identity.
    pub id: ReportId,
    /// Framework id.
    pub framework: String,
    /// Its period.
    pub period: Period,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// By whom.
    pub made_by: String,
    /// SHA-256 of the canonical JSON, hex.
    pub content_sha256: String,
    /// `12 pass, 1 warn, 0 fail, 2 no data, 3 manual`.
    pub summary: String,
    /// Worst state: `pass`, `warn`, `fail`, `no_data`, `manual`.
    pub worst: String,
    /// The files.
    pub files: Vec<ReportFile>,
    /// What it was asked besides the period: an incident's number, a person.
    #[serde(default)]
    pub subject: Option<String>,
    /// How far it is.
    #[serde(default)]
    pub status: ReportStatus,
    /// The approval of a final one.
    #[serde(default)]
    pub approval: Option<Approval>,
    /// The report in whose place this one stands.
    #[serde(default)]
    pub supersedes: Option<ReportId>,
}
