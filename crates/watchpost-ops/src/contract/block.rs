//! Blocks and the allowlist.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use watchpost_model::block::{AllowEntry, Block, BlockState};
use watchpost_model::ids::BlockId;
use watchpost_model::period::Period;

/// Is it blocked?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct BlockCheck {
    /// Address or CIDR range as typed.
    pub target: String,
}

/// What would this block do?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct BlockTrial {
    /// Address or CIDR range as typed.
    pub target: String,
    /// The rest of the block; without it only the target is looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub terms: Option<BlockTerms>,
}

/// Everything about a block but its target, as [`BlockAdd`] takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct BlockTerms {
    /// Why; required.
    pub reason: String,
    /// For how long, in seconds: 60 to 31,536,000.
    pub ttl_s: u64,
    /// The incident that this contains.
    #[serde(default)]
    pub incident: Option<i64>,
}

/// Block an address or range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct BlockAdd {
    /// Address or CIDR range as typed.
    pub target: String,
    /// Why; required.
    pub reason: String,
    /// For how long, in seconds: 60 to 31,536,000.
    pub ttl_s: u64,
    /// The incident that this contains.
    #[serde(default)]
    pub incident: Option<i64>,
}

/// Take a block back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct BlockRemove {
    /// Which.
    pub id: BlockId,
    /// Why; required.
    pub reason: String,
}

/// Which blocks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct BlockListRequest {
    /// In one of these states; empty means any.
    pub state: Vec<BlockState>,
    /// Made in this period; absent means any time.
    #[ts(optional)]
    pub created: Option<Period>,
    /// In force at this instant, as the Overview counts active blocks; absent means that this does not matter.
    #[ts(optional)]
    pub in_force_at: Option<DateTime<Utc>>,
    /// Of this address or range, of one that it lies in, or of something in it; absent means any.
    #[ts(optional)]
    pub touching: Option<String>,
    /// Rows, 1 to 500.
    pub limit: u32,
}

/// Blocks, newest first, and the allowlist.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct BlockList {
    /// The rows.
    pub blocks: Vec<BlockRow>,
    /// How many there are, whatever was asked for at most.
    pub total: u64,
    /// How many of those are in force.
    pub in_force: u64,
    /// How many of those are not in force and should be: not confirmed yet, or failed.
    pub not_in_force: u64,
    /// What must never be blocked.
    pub allowlist: Vec<AllowEntry>,
    /// Addresses of this machine and of the servers in use, which are never blocked either.
    pub own_addresses: Vec<String>,
}

/// A block and what Redis says of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct BlockRow {
    /// The block.
    pub block: Block,
    /// Number of the incident that it contains.
    pub incident: Option<i64>,
    /// Remaining time of the key in Redis, seconds; absent if the key is not there or Redis does not answer.
    pub redis_ttl_s: Option<i64>,
}

/// Add to the allowlist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AllowAdd {
    /// Address or CIDR range as typed.
    pub target: String,
    /// Why; required.
    pub note: String,
}

/// Remove from the allowlist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AllowRemove {
    /// The entry.
    pub target: String,
}
