//! Evidence for compliance controls: typed, named questions to the store and their answers.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::words;

/// The named questions that a framework file may ask; the store answers them for a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceQuery {
    /// Population: authentication events. Exceptions: failures. Rows by user.
    AuthenticationEvents,
    /// Population: brute-force incidents opened. Exceptions: those whose source was neither blocked nor judged.
    BruteForceIncidents,
    /// Population: incidents opened. Exceptions: those not acknowledged within their clock.
    IncidentsAcknowledged,
    /// Population: incidents opened whose resolve clock ran out or that were resolved. Exceptions: late ones.
    IncidentsResolved,
    /// Population: resolved incidents. Exceptions: those without a verdict or without a reason.
    IncidentsJudged,
    /// Population: high and critical incidents opened. Exceptions: those without an assignee.
    IncidentsAssigned,
    /// Population: blocks created. Exceptions: those without a reason or an expiry, or that failed.
    BlocksJustified,
    /// Population: days of the period (up to now). Exceptions: days without any event.
    DaysWithEvents,
    /// Population: audit records of the period. Exceptions: records without a named person.
    AuditRecordsNamed,
    /// Population: verifications of the audit trail. Exceptions: failed ones.
    AuditVerifications,
    /// Population: checkpoints signed. Exceptions: those that the present tree does not confirm.
    AuditCheckpoints,
    /// Population: runs of the retention job. Exceptions: failed ones.
    RetentionRuns,
    /// Population: configuration and policy changes through Watchpost. Exceptions: those refused or failed.
    ConfigurationChanges,
    /// Population: authorization events. Exceptions: failures.
    AuthorizationEvents,
    /// Population: data access events. Exceptions: failures.
    DataAccessEvents,
    /// Population: web attack incidents (injection, traversal, scripting) opened. Exceptions: still unresolved.
    WebAttackIncidents,
}

words!(EvidenceQuery {
    AuthenticationEvents = "authentication_events",
    BruteForceIncidents = "brute_force_incidents",
    IncidentsAcknowledged = "incidents_acknowledged",
    IncidentsResolved = "incidents_resolved",
    IncidentsJudged = "incidents_judged",
    IncidentsAssigned = "incidents_assigned",
    BlocksJustified = "blocks_justified",
    DaysWithEvents = "days_with_events",
    AuditRecordsNamed = "audit_records_named",
    AuditVerifications = "audit_verifications",
    AuditCheckpoints = "audit_checkpoints",
    RetentionRuns = "retention_runs",
    ConfigurationChanges = "configuration_changes",
    AuthorizationEvents = "authorization_events",
    DataAccessEvents = "data_access_events",
    WebAttackIncidents = "web_attack_incidents",
});

/// The answer to one question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct EvidenceAnswer {
    /// The question.
    pub query: EvidenceQuery,
    /// How many things were looked at. Zero is "no data", never a pass by itself.
    pub population: u64,
    /// How many of them are exceptions.
    pub exceptions: u64,
    /// Column names of `rows`.
    pub columns: Vec<String>,
    /// The exceptions, oldest first, at most 500; if there are none, the newest members of the population, at most 25.
    /// Cells are as stored: attacker-written text included.
    pub rows: Vec<Vec<String>>,
    /// One sentence: what exactly was counted, with the parameters.
    pub basis: String,
}
