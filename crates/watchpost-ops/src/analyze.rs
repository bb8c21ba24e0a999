//! Detection over a log file, without a Redis or a database: what would open, told and forgotten.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;
use watchpost_detect as detect;
use watchpost_ingest::{Import, ImportOptions, Importer, LogFormat, Parsed, open_reader};
use watchpost_model::event::{Entity, Severity};
use watchpost_model::finding::{AttackFamily, Finding};

use crate::error::{ErrorCode, OpError};

/// Different incidents that are told; findings beyond are counted.
const INCIDENTS_MAX: usize = 10_000;

/// An incident that would open.
#[derive(Debug, Clone, Serialize)]
pub struct WouldOpen {
    /// The attack family.
    pub family: AttackFamily,
    /// The entity that its findings are grouped by.
    pub entity: Entity,
    /// Highest severity among its findings.
    pub severity: Severity,
    /// Findings.
    pub findings: u64,
    /// Event time of the first.
    pub first_seen: DateTime<Utc>,
    /// Event time of the last.
    pub last_seen: DateTime<Utc>,
    /// The rules that fired, with how often.
    pub rules: BTreeMap<String, u64>,
    /// The first finding, which explains itself.
    pub example: Finding,
}

/// What a log holds.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Analysis {
    /// Events read.
    pub events: u64,
    /// Lines without an event of their own.
    pub skipped: u64,
    /// Lines that could not be read.
    pub bad: u64,
    /// Most severe first, then by first finding.
    pub incidents: Vec<WouldOpen>,
    /// Findings that are in none of `incidents`, because there were too many different ones.
    pub findings_left_out: u64,
}

/// Reads a log (`.gz` is unpacked) and runs `rules` over it by event time. Lines must be in about the order of time;
/// memory does not grow with the file.
///
/// # Errors
/// `Validation` when the file cannot be opened or the format is unknown; `Unavailable` when reading it fails.
pub fn analyze(
    path: &Path,
    format: &str,
    rules: Arc<detect::RuleSet>,
    now: DateTime<Utc>,
) -> Result<Analysis, OpError> {
    let format: LogFormat = format.parse().map_err(|error: watchpost_model::event::UnknownWord| {
        OpError::invalid("format", error.to_string())
    })?;
    let unreadable =
        |error: std::io::Error| OpError::invalid("path", format!("cannot read {}: {error}", path.display()));
    let reader = open_reader(File::open(path).map_err(unreadable)?).map_err(unreadable)?;
    let importer = Importer::new(format, ImportOptions::new(now, path.to_string_lossy()));
    let mut engine = detect::Engine::with_rules(detect::Config::default(), rules);
    let mut analysis = Analysis::default();
    let mut open: BTreeMap<(AttackFamily, Entity), WouldOpen> = BTreeMap::new();
    for item in Import::new(reader, 0, importer) {
        let (_, parsed) = item.map_err(|error| {
            OpError::new(
                ErrorCode::Unavailable,
                format!("cannot read {} to its end: {error}", path.display()),
            )
        })?;
        match parsed {
            Parsed::Skipped(_) => analysis.skipped += 1,
            Parsed::Bad { .. } => analysis.bad += 1,
            Parsed::Event(event) => {
                analysis.events += 1;
                for finding in engine.observe(&event, now) {
                    analysis.findings_left_out += fold(&mut open, finding);
                }
            }
        }
    }
    analysis.incidents = open.into_values().collect();
    analysis.incidents.sort_by(|a, b| b.severity.cmp(&a.severity).then(a.first_seen.cmp(&b.first_seen)));
    Ok(analysis)
}

/// Folds a finding into its incident; returns how many findings had no place.
fn fold(open: &mut BTreeMap<(AttackFamily, Entity), WouldOpen>, finding: Finding) -> u64 {
    let key = (finding.family, finding.entity.clone());
    if let Some(incident) = open.get_mut(&key) {
        incident.severity = incident.severity.max(finding.severity);
        incident.findings += 1;
        incident.first_seen = incident.first_seen.min(finding.at);
        incident.last_seen = incident.last_seen.max(finding.at);
        *incident.rules.entry(finding.rule_id).or_default() += 1;
        return 0;
    }
    if open.len() >= INCIDENTS_MAX {
        return 1;
    }
    let incident = WouldOpen {
        family: finding.family,
        entity: finding.entity.clone(),
        severity: finding.severity,
        findings: 1,
        first_seen: finding.at,
        last_seen: finding.at,
        rules: BTreeMap::from([(finding.rule_id.clone(), 1)]),
        example: finding,
    };
    open.insert(key, incident);
    0
}
