//! The response policy and what came of it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use watchpost_model::ids::{IncidentId, ResponseId};
use watchpost_model::response::{
    ActionKind, OutboxMessage, ResponseAction, ResponseMode, ResponsePolicy, ResponseState,
};

/// Change the response policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ResponsePolicyPut {
    /// The whole policy.
    pub policy: ResponsePolicy,
    /// Why; required.
    pub reason: String,
}

/// The response policy, and what the engine makes of it here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ResponsePolicyView {
    /// The policy.
    pub policy: ResponsePolicy,
    /// What the engine of this connection does.
    pub effective: ResponseMode,
    /// Why that differs from the policy's mode; empty if it does not.
    pub detail: String,
}

/// What would a policy have done?
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct ResponsePreviewRequest {
    /// The policy to try; the one in use if absent.
    pub policy: Option<ResponsePolicy>,
    /// Over the findings of the last days: 1 to 90; 0 (not given) means 7.
    pub days: u32,
}

/// What a policy would have done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ResponsePreview {
    /// Event time of the first findings looked at.
    pub from: DateTime<Utc>,
    /// Event time of the last findings looked at.
    pub to: DateTime<Utc>,
    /// Findings looked at.
    pub findings: u64,
    /// Of these, how many a rule of the policy matches.
    pub matched: u64,
    /// Actions that would have been done.
    pub done: u64,
    /// Actions that would have been skipped.
    pub skipped: u64,
    /// By action.
    pub by_action: Vec<ActionCount>,
    /// The newest actions, newest first, at most 500.
    pub rows: Vec<PreviewedAction>,
}

/// How often an action would have been done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ActionCount {
    /// The action.
    pub action: ActionKind,
    /// Done.
    pub done: u64,
    /// Skipped.
    pub skipped: u64,
}

/// One action of a preview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PreviewedAction {
    /// Event time of the finding.
    pub at: DateTime<Utc>,
    /// What.
    pub action: ActionKind,
    /// On what.
    pub target: String,
    /// For how long, in seconds.
    pub ttl_s: Option<u64>,
    /// How much longer than the first time.
    pub factor: u32,
    /// The rule of the policy.
    pub policy_rule: String,
    /// The detection rule.
    pub rule_id: String,
    /// The incident.
    pub incident: IncidentId,
    /// Its number.
    pub number: i64,
    /// Why it would have been skipped.
    pub skipped: Option<String>,
}

/// Which automatic actions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct ResponseListRequest {
    /// In one of these states; empty means any.
    pub state: Vec<ResponseState>,
    /// One of these actions; empty means any.
    pub action: Vec<ActionKind>,
    /// For the incident of this number.
    pub incident: Option<i64>,
    /// `next` of the page before.
    pub after: Option<String>,
    /// Rows, 1 to 500.
    pub limit: u32,
}

/// Automatic actions, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ResponseList {
    /// The rows.
    pub rows: Vec<ResponseAction>,
    /// `after` of the next page, if there is one.
    pub next: Option<String>,
}

/// Take an automatic action back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ResponseReverse {
    /// Which.
    pub id: ResponseId,
    /// Why; required.
    pub reason: String,
}

/// The newest messages of the outbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct OutboxList {
    /// The messages, newest first, at most 500.
    pub messages: Vec<OutboxMessage>,
    /// How many wait to be delivered.
    pub waiting: u64,
}
