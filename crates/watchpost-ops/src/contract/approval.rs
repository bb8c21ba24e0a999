//! Four eyes: requests that wait for a second person.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use watchpost_model::approval::{ApprovalRequest, FourEyes, UnreadableApproval};

/// A request by its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ApprovalRef {
    /// Which.
    pub id: String,
}

/// Approve a request, or say no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ApprovalDecision {
    /// Which.
    pub id: String,
    /// What is to stand in the audit trail about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub note: Option<String>,
}

/// Change what one person may do alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ApprovalPolicyPut {
    /// The new policy, whole.
    pub policy: FourEyes,
    /// Why; it stands in the audit trail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reason: Option<String>,
}

/// How four eyes stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum FourEyesState {
    /// A second person is asked for.
    InForce,
    /// It would be, but only one person is known.
    Alone,
    /// It is switched off.
    Off,
}

watchpost_model::words!(FourEyesState { InForce = "in_force", Alone = "alone", Off = "off" });

/// Requests and the rule that they are made by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ApprovalList {
    /// All that are open, then the newest 200 of those that are over; each the newest first.
    pub approvals: Vec<ApprovalRequest>,
    /// Rows that cannot be read: somebody wrote them past Watchpost, and an owner of the tables can delete them.
    pub unreadable: Vec<UnreadableApproval>,
    /// How many more there are, which the audit trail tells of.
    pub more: u64,
    /// What one person may do alone.
    pub policy: FourEyes,
    /// People who did something in the last 90 days, at a window or a command line.
    pub people: Vec<String>,
    /// Whether it is in force.
    pub state: FourEyesState,
    /// What that means, for people.
    pub detail: String,
}

/// What came of an approval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ApprovalGranted {
    /// The request as it is now.
    pub approval: ApprovalRequest,
    /// What the operation answered; absent if whoever asked carries it out.
    #[ts(type = "unknown")]
    pub reply: Option<serde_json::Value>,
}
