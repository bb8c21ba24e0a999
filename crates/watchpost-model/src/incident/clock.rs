//! The clocks of an incident, and why they may stand.

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::event::Severity;
use crate::words;

/// Time allowed to acknowledge and to resolve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sla {
    /// From opening to the first action of a person.
    pub acknowledge: Duration,
    /// From opening to resolution.
    pub resolve: Duration,
}

impl Sla {
    /// The clocks of a severity (table in DESIGN section 5; `Info` counts as `Low`).
    #[must_use]
    pub const fn of(severity: Severity) -> Self {
        let (acknowledge, resolve) = match severity {
            Severity::Critical => (Duration::minutes(15), Duration::hours(4)),
            Severity::High => (Duration::hours(4), Duration::hours(24)),
            Severity::Medium => (Duration::hours(24), Duration::days(3)),
            Severity::Low | Severity::Info => (Duration::days(7), Duration::days(30)),
        };
        Self { acknowledge, resolve }
    }
}

/// Why the clocks of an incident stand: somebody else has to move first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum PauseReason {
    /// The customer or the owner of the application has to answer.
    WaitingForCustomer,
    /// A vendor has to answer or to deliver.
    WaitingForVendor,
    /// The remedy waits for the next change window.
    ChangeWindow,
    /// Evidence is being preserved by others, such as forensics.
    EvidencePreservation,
    /// Law enforcement or the legal department asked to wait.
    LegalHold,
}

words!(PauseReason {
    WaitingForCustomer = "waiting_for_customer",
    WaitingForVendor = "waiting_for_vendor",
    ChangeWindow = "change_window",
    EvidencePreservation = "evidence_preservation",
    LegalHold = "legal_hold",
});

/// The pause that holds now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Paused {
    /// Why.
    pub reason: PauseReason,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// A pause of the clocks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Pause {
    /// Why.
    pub reason: PauseReason,
    /// In the words of the person.
    pub note: String,
    /// Begin.
    pub from: DateTime<Utc>,
    /// Who began it.
    pub started_by: String,
    /// End; absent while it holds.
    pub until: Option<DateTime<Utc>>,
    /// Who ended it: an analyst, or `engine` when the severity rose.
    pub ended_by: Option<String>,
}
