//! Compliance reports.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use watchpost_model::period::Period;
use watchpost_model::report::{ReportFormat, ReportRecord};

/// A framework that reports can be made for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FrameworkInfo {
    /// `soc2`.
    pub id: String,
    /// For people.
    pub name: String,
    /// Version of the framework file.
    pub version: String,
    /// Number of controls.
    pub controls: u32,
}

/// The frameworks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FrameworkList {
    /// By name.
    pub frameworks: Vec<FrameworkInfo>,
}

/// Evaluate a framework over a period without writing anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ReportRequest {
    /// Which framework.
    pub framework: String,
    /// Which period.
    pub period: Period,
}

/// A file to write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ReportTarget {
    /// In which format.
    pub format: ReportFormat,
    /// Where to.
    pub path: String,
}

/// Produce a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ReportGenerate {
    /// Which framework.
    pub framework: String,
    /// Which period.
    pub period: Period,
    /// The files; at least one.
    pub files: Vec<ReportTarget>,
}

/// Produced reports, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ReportList {
    /// The rows, at most 200.
    pub reports: Vec<ReportRecord>,
}
