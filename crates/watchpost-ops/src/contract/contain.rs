//! Containments: sessions, users, services and limited addresses.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use watchpost_model::block::{AllowEntry, Block, BlockState, BlockTarget};
use watchpost_model::contain::{ContainKind, Containment};
use watchpost_model::ids::ContainmentId;
use watchpost_model::words;

/// What would this containment do?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ContainCheck {
    /// What is to be contained.
    pub kind: ContainKind,
    /// Which one: session id, user, service, address.
    pub target: String,
}

/// Revoke a session, restrict a user, isolate a service, or limit the rate of an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ContainAdd {
    /// What is to be contained.
    pub kind: ContainKind,
    /// Which one: session id, user, service, address.
    pub target: String,
    /// Why; required.
    pub reason: String,
    /// For how long, in seconds: 60 to 31,536,000.
    pub ttl_s: u64,
    /// Requests a minute that a limit leaves: 1 to 100,000; 30 if absent. Only of a limit.
    #[serde(default)]
    pub per_min: Option<u32>,
    /// The incident that this contains.
    #[serde(default)]
    pub incident: Option<i64>,
}

/// Take a containment back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ContainRemove {
    /// Which.
    pub id: ContainmentId,
    /// Why; required.
    pub reason: String,
}

/// Which containments.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct ContainListRequest {
    /// One of these kinds; empty means any.
    pub kind: Vec<ContainKind>,
    /// In one of these states; empty means any.
    pub state: Vec<BlockState>,
    /// Of exactly this session, user, service or address; absent means any.
    #[ts(optional)]
    pub target: Option<String>,
    /// Rows, 1 to 500.
    pub limit: u32,
}

/// Containments, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ContainList {
    /// The rows.
    pub containments: Vec<ContainRow>,
    /// How many there are, whatever was asked for at most.
    pub total: u64,
}

/// A containment and what Redis says of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ContainRow {
    /// The containment.
    pub containment: Containment,
    /// Number of the incident that it contains.
    pub incident: Option<i64>,
    /// Remaining time of the key in Redis, seconds; absent if the key is not there or Redis does not answer.
    pub redis_ttl_s: Option<i64>,
}

/// How an address stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Sensors refuse it.
    Blocked,
    /// It is an address of this machine or of a server in use.
    Own,
    /// It overlaps the allowlist.
    Allowlisted,
    /// No client comes from there.
    NotAClient,
    /// Nothing is known of it.
    Clear,
}

words!(Standing {
    Blocked = "blocked",
    Own = "own",
    Allowlisted = "allowlisted",
    NotAClient = "not_a_client",
    Clear = "clear",
});

/// Whether an address is blocked, and by what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct BlockStanding {
    /// The target in canonical form.
    pub target: BlockTarget,
    /// How it stands.
    pub standing: Standing,
    /// For people.
    pub detail: String,
    /// The block that covers it: of exactly this target, else the narrowest range.
    pub block: Option<Block>,
    /// The key in Redis that the sensors see.
    pub key: Option<String>,
    /// Remaining time of that key in seconds; absent if it never ends or is not there.
    pub redis_ttl_s: Option<i64>,
    /// Whether Redis has that key; absent if Redis does not answer.
    pub in_redis: Option<bool>,
    /// The entry of the allowlist that it overlaps.
    pub allow: Option<AllowEntry>,
    /// Blocks in force that lie inside of it and leave the rest of it free.
    pub inside_total: u64,
    /// The first ten of them by address.
    pub inside: Vec<BlockTarget>,
}
