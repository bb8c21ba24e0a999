//! What is sealed of events, and showing it to whoever may see it.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use watchpost_model::ids::EventId;
use watchpost_model::sealing::{SealKind, SealPolicy};

/// Change what is sealed before an event is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct SealingPut {
    /// What to seal from now on.
    pub policy: SealPolicy,
    /// Why; it stands in the audit trail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reason: Option<String>,
}

/// Show one sealed value of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct EventReveal {
    /// The event.
    pub id: EventId,
    /// The mark that stands in the place of the value, with or without its brackets: `password:1f0c3a9b-77de0142`.
    pub mark: String,
    /// Why; it stands in the audit trail.
    pub reason: String,
}

/// A value that was sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct EventRevealed {
    /// What it is.
    pub kind: SealKind,
    /// Where it stands in the event: `http.query`.
    pub field: String,
    /// The value, as the application wrote it.
    pub value: String,
}
