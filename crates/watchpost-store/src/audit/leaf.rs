//! The leaf: what the tree commits to. Fields are declared in the order of their names, so that `serde_json` writes
//! them canonically; strings and integers only.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;

/// `{"b":client part,"d":login id,"s":seq,"t":database time}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Leaf {
    #[serde(rename = "b")]
    pub(crate) client: ClientPart,
    /// Id of the login at the database.
    #[serde(rename = "d")]
    pub(crate) login: String,
    #[serde(rename = "s")]
    pub(crate) seq: i64,
    #[serde(rename = "t")]
    pub(crate) at: String,
}

/// What the client says about the record, without personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientPart {
    #[serde(rename = "a")]
    pub(crate) action: String,
    /// Id of the actor.
    pub(crate) by: String,
    /// Commitment to the sealed payload.
    #[serde(rename = "c")]
    pub(crate) commitment: String,
    /// Facts about the trail itself, never about people: keys, checkpoints, erasures.
    #[serde(rename = "f", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) facts: BTreeMap<String, serde_json::Value>,
    /// Id of the host.
    #[serde(rename = "h")]
    pub(crate) host: String,
    /// Id of the key of the payload.
    #[serde(rename = "k")]
    pub(crate) key: String,
    #[serde(rename = "kc")]
    pub(crate) key_check: String,
    #[serde(rename = "l")]
    pub(crate) log: String,
    /// Id of the object.
    #[serde(rename = "o")]
    pub(crate) object: String,
    #[serde(rename = "p")]
    pub(crate) permission: String,
    #[serde(rename = "r")]
    pub(crate) outcome: String,
    /// Client time.
    #[serde(rename = "t")]
    pub(crate) at: String,
    /// Version of this format.
    #[serde(rename = "v")]
    pub(crate) version: u32,
}

/// The longest leaf.
const LEAF_BYTES_MAX: usize = 4096;

impl Leaf {
    /// The bytes that the tree hashes.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, StoreError> {
        let bytes = serde_json::to_vec(self).map_err(StoreError::Encode)?;
        if bytes.len() > LEAF_BYTES_MAX {
            return Err(StoreError::Validation(format!(
                "an audit leaf of {} bytes is too long",
                bytes.len()
            )));
        }
        Ok(bytes)
    }

    /// Reads a leaf; `None` if the bytes are not what [`Leaf::to_bytes`] writes.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let leaf: Self = serde_json::from_slice(bytes).ok()?;
        (leaf.to_bytes().ok()?.as_slice() == bytes).then_some(leaf)
    }

    /// The time of the database in microseconds.
    pub(crate) fn micros(&self) -> Option<i64> {
        micros(&self.at)
    }
}

/// The microseconds of a time that [`time_text`] wrote.
pub(crate) fn micros(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.timestamp_micros())
}

/// RFC 3339, UTC, microseconds.
pub(crate) fn time_text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}
