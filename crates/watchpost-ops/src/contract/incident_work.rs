//! Working on incidents: clocks, merging, many at once, playbooks, suppressions.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use watchpost_model::event::Severity;
use watchpost_model::ids::SuppressionId;
use watchpost_model::incident::{
    BulkAction, IncidentEvent, IncidentFilter, Note, PauseReason, RuleFeedback, SimilarIncident,
    TimelineEntry,
};
use watchpost_model::suppression::{SuppressedFinding, Suppression, SuppressionScope};

/// A part of an incident's timeline, or of its notes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct IncidentEarlier {
    /// Of which incident.
    pub number: i64,
    /// Before this cursor, as `incident_detail` or the part after this one gave it; absent means the newest.
    pub before: Option<String>,
    /// Rows, 1 to 500.
    pub limit: u32,
}

/// Lines of a timeline, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct TimelinePart {
    /// The lines.
    pub rows: Vec<TimelineEntry>,
    /// Cursor of the lines before these, if there are any.
    pub earlier: Option<String>,
}

/// Notes, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct NotePart {
    /// The notes.
    pub rows: Vec<Note>,
    /// Cursor of the notes before these, if there are any.
    pub earlier: Option<String>,
}

/// One page of all events of an incident.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct IncidentEventsRequest {
    /// Of which incident.
    pub number: i64,
    /// Cursor of the page before.
    pub after: Option<String>,
    /// Rows, 1 to 500.
    pub limit: u32,
}

/// One page of all events of an incident, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct IncidentEventList {
    /// The rows.
    pub rows: Vec<IncidentEvent>,
    /// Cursor of the next page, if there is one.
    pub next: Option<String>,
    /// Different events of the incident.
    pub total: u64,
    /// The same, each as often as it happened.
    pub occurrences: u64,
}

/// Hand an incident over to somebody else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct IncidentHandover {
    /// Which.
    pub number: i64,
    /// To whom.
    pub to: String,
    /// What they have to know; required.
    pub note: String,
    /// The version that the person saw.
    #[serde(default)]
    pub version: Option<i64>,
}

/// Raise the severity of an incident, or call somebody in, or both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct IncidentEscalate {
    /// Which.
    pub number: i64,
    /// To this severity, which is higher.
    #[serde(default)]
    pub severity: Option<Severity>,
    /// To this person or role: `lead`.
    #[serde(default)]
    pub to: Option<String>,
    /// Why; required.
    pub reason: String,
    /// The version that the person saw.
    #[serde(default)]
    pub version: Option<i64>,
}

/// Stop the clocks of an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct IncidentPause {
    /// Which.
    pub number: i64,
    /// Why, from the closed list.
    pub reason: PauseReason,
    /// What exactly is waited for; required.
    pub note: String,
    /// The version that the person saw.
    #[serde(default)]
    pub version: Option<i64>,
}

/// Merge incidents into another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct IncidentMerge {
    /// Which.
    pub numbers: Vec<i64>,
    /// Into which; an active one.
    pub into: i64,
    /// Why; required.
    pub reason: String,
}

/// Take a merged incident out again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct IncidentSplit {
    /// Which; a merged one.
    pub number: i64,
    /// Why; required.
    pub reason: String,
}

/// Look for incidents that resemble one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct IncidentSimilar {
    /// Which.
    pub number: i64,
    /// How many at most, 1 to 500.
    pub limit: u32,
}

/// Incidents that resemble one, the most alike first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct SimilarList {
    /// The rows.
    pub rows: Vec<SimilarIncident>,
    /// How many of the rows are active.
    pub active: u64,
}

/// Check a step of an incident's playbook, or take the check back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct IncidentStepCheck {
    /// Of which incident.
    pub number: i64,
    /// The step's id.
    pub step: String,
    /// Checked, or open again?
    pub done: bool,
    /// What came out of it.
    #[serde(default)]
    pub note: Option<String>,
}

/// Do one thing to many incidents: those named, or those of a filter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct IncidentBulk {
    /// Which, by number; leave it empty to use the filter.
    #[serde(default)]
    pub numbers: Vec<i64>,
    /// Which, by filter; with `expected`.
    #[serde(default)]
    pub filter: Option<IncidentFilter>,
    /// How many the filter described when the person looked; refused if it is another number now.
    #[serde(default)]
    pub expected: Option<u64>,
    /// What.
    pub action: BulkAction,
}

/// Take a bulk action, or the change of one incident, back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct IncidentUndo {
    /// The token that the bulk action returned; of the change of one incident its number and the version that the change
    /// left, `42@7`.
    pub undo: String,
}

/// The record of each rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct RuleFeedbackList {
    /// By rule id.
    pub rules: Vec<RuleFeedback>,
}

/// Ask what a suppression would have hidden.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct SuppressionPreviewRequest {
    /// Which findings.
    pub scope: SuppressionScope,
    /// Over how many past days, 1 to 365.
    pub days: u32,
}

/// Suppress findings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct SuppressionAdd {
    /// Which findings.
    pub scope: SuppressionScope,
    /// Who answers for it; the caller if absent.
    #[serde(default)]
    pub owner: Option<String>,
    /// Why; required.
    pub reason: String,
    /// Until when; at most 90 days from now.
    pub expires_at: DateTime<Utc>,
}

/// All suppressions, the newest first, those that ended too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SuppressionList {
    /// The rows, at most 500.
    pub rows: Vec<Suppression>,
    /// How many are in force.
    pub in_force: u64,
}

/// One page of what a suppression hid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct SuppressionFindings {
    /// Which suppression.
    pub id: SuppressionId,
    /// Cursor of the page before.
    #[serde(default)]
    pub after: Option<String>,
    /// Rows, 1 to 500; 0 means 100.
    #[serde(default)]
    pub limit: u32,
}

/// One page of what a suppression hid, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct SuppressedList {
    /// The rows.
    pub rows: Vec<SuppressedFinding>,
    /// Cursor of the next page, if there is one.
    pub next: Option<String>,
}

/// Take a suppression back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct SuppressionRemove {
    /// Which.
    pub id: SuppressionId,
    /// Why; required.
    pub reason: String,
}
