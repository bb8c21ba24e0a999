//! What is known about a finding beyond its event: place, threat lists, assets, and why its risk is what it is.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::event::EntityKind;
use crate::place::Place;
use crate::risk::RiskFactor;
use crate::threat::ThreatMatch;

/// What somebody said about a part of the system, a user or a network, and how much it matters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AssetRule {
    /// What the pattern is about.
    pub kind: EntityKind,
    /// Endpoint: a path with everything below it (`/admin`). User and session: a name, `*` for anything (`svc-*`).
    /// Address: an address or a CIDR range.
    pub pattern: String,
    /// For people: `critical asset`, `test network`.
    pub label: String,
    /// 0.5 (matters little) to 2.0 (matters most); multiplies the risk of findings about it.
    pub weight: f64,
}

/// Context of a finding. Empty where nothing is known; never guessed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct Enrichment {
    /// Where the source address is; absent without location data.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub place: Option<Place>,
    /// Threat lists that name something of the event.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<ThreatMatch>>", optional)]
    pub threats: Vec<ThreatMatch>,
    /// What is known about the things and people involved.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<AssetRule>>", optional)]
    pub assets: Vec<AssetRule>,
    /// Why the risk is what it is: the points add up to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<RiskFactor>>", optional)]
    pub risk: Vec<RiskFactor>,
}

impl Enrichment {
    /// Does it say nothing?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
