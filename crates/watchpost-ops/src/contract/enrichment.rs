//! Context of findings: location files, threat lists, assets, and the risk of entities.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use watchpost_model::enrichment::AssetRule;
use watchpost_model::event::{Entity, EntityKind};
use watchpost_model::place::Place;
use watchpost_model::risk::{EntityHistory, EntityRisk, RiskContribution, RiskPoint, RiskPolicy};
use watchpost_model::threat::{SkippedEntry, ThreatEntry, ThreatFormat, ThreatKind, ThreatList, ThreatMatch};
use watchpost_model::words;

/// Files in the MaxMind DB format, which the user supplies. Without them there is no location data.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct LocationSettings {
    /// Countries or cities; absolute path on the machine that runs the engine.
    pub city_file: Option<String>,
    /// Autonomous systems; absolute path.
    pub asn_file: Option<String>,
}

/// What a location file tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum LocationRole {
    /// Country and city.
    City,
    /// Network and its organisation.
    Asn,
}

words!(LocationRole { City = "city", Asn = "asn" });

/// A location file as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct LocationFile {
    /// What it tells.
    pub role: LocationRole,
    /// Where it is.
    pub path: String,
    /// What its maker calls it.
    pub kind: Option<String>,
    /// When it was made.
    pub built_at: Option<DateTime<Utc>>,
    /// Its age in whole days.
    pub age_days: Option<i64>,
    /// Why it cannot be used; absent while it works.
    pub problem: Option<String>,
}

/// Where context comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct EnrichmentState {
    /// The location files that are set; none means that there is no location data.
    pub location: Vec<LocationFile>,
    /// Look-ups that led nowhere because a file is damaged, since this process read it.
    pub damaged_lookups: u64,
    /// Threat lists.
    pub threat_lists: u64,
    /// Entries in all of them.
    pub threat_entries: u64,
    /// Why the threat lists cannot be used; absent while they can.
    pub threat_problem: Option<String>,
    /// Rules about assets.
    pub assets: u64,
    /// How fast the risk of entities decays.
    pub risk: RiskPolicy,
}

/// A file with a threat list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ThreatImport {
    /// The file.
    pub path: String,
    /// Name of the list; that of the file if absent.
    #[serde(default)]
    pub name: Option<String>,
    /// How much a match means, 0 to 100; from 75 on it is a finding of its own. 50 if absent.
    #[serde(default)]
    pub confidence: Option<u8>,
    /// How the file is written; guessed if absent.
    #[serde(default)]
    pub format: Option<ThreatFormat>,
    /// What its values are; told from each value if absent. User agents must be named.
    #[serde(default)]
    pub kind: Option<ThreatKind>,
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ThreatImported {
    /// The list.
    pub list: ThreatList,
    /// The first of what could not be used; `list.skipped` tells how many there were.
    pub reasons: Vec<SkippedEntry>,
}

/// The threat lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ThreatListPage {
    /// By name.
    pub lists: Vec<ThreatList>,
    /// Time of this answer, to tell ages.
    pub at: DateTime<Utc>,
}

/// A threat list by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ThreatListRef {
    /// The name.
    pub name: String,
}

/// Entries of a threat list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ThreatListShowRequest {
    /// The name.
    pub name: String,
    /// Entries to pass over.
    #[serde(default)]
    pub offset: u32,
    /// Entries, 1 to 500.
    #[serde(default)]
    pub limit: u32,
}

/// Entries of a threat list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ThreatListShow {
    /// The list.
    pub list: ThreatList,
    /// Entries in the order of its file.
    pub entries: Vec<ThreatEntry>,
}

/// A value to look for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ThreatCheckRequest {
    /// An address, a domain or a user agent.
    pub value: String,
}

/// A list that names a value, and what it says about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct NotedMatch {
    /// The match.
    pub found: ThreatMatch,
    /// The entry's note.
    pub note: Option<String>,
}

/// What is known about a value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ThreatCheck {
    /// The value.
    pub value: String,
    /// The lists that name it.
    pub matches: Vec<NotedMatch>,
    /// Where it is, if it is an address and there is location data.
    pub place: Option<Place>,
}

/// Rules about assets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct AssetList {
    /// By kind and pattern.
    pub assets: Vec<AssetRule>,
}

/// A rule about an asset, by what it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AssetRef {
    /// The kind.
    pub kind: EntityKind,
    /// The pattern.
    pub pattern: String,
}

/// Which ranking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct EntityRiskRequest {
    /// Of what.
    pub kind: EntityKind,
    /// Rows, 1 to 500.
    #[serde(default)]
    pub limit: u32,
}

/// A row of the ranking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct EntityRiskRow {
    /// The entity with its score.
    pub risk: EntityRisk,
    /// Where it is, if it is an address and there is location data.
    pub place: Option<Place>,
    /// Threat lists that name it.
    pub threats: Vec<ThreatMatch>,
}

/// Entities by risk, highest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct EntityRiskPage {
    /// The rows.
    pub rows: Vec<EntityRiskRow>,
    /// Is there location data at all?
    pub has_location_data: bool,
    /// How fast it decays.
    pub policy: RiskPolicy,
    /// At which time.
    pub at: DateTime<Utc>,
}

/// An entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct EntityRiskRef {
    /// Which.
    pub entity: Entity,
}

/// Why an entity has its risk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct EntityRiskDetail {
    /// The entity with its score; 0 if no incident was about it.
    pub risk: EntityRisk,
    /// What its incidents contribute, newest first, at most 100.
    pub contributions: Vec<RiskContribution>,
    /// How its earlier incidents were judged.
    pub history: EntityHistory,
    /// Its course over the last 30 days, oldest first, as its incidents are judged now; empty without any.
    pub course: Vec<RiskPoint>,
    /// When the first stored event about it happened.
    pub first_seen: Option<DateTime<Utc>>,
    /// When the last one did.
    pub last_seen: Option<DateTime<Utc>>,
    /// Where it is, if it is an address and there is location data.
    pub place: Option<Place>,
    /// Is there location data at all?
    pub has_location_data: bool,
    /// Threat lists that name it.
    pub threats: Vec<ThreatMatch>,
    /// What was said about it.
    pub assets: Vec<AssetRule>,
    /// How fast it decays.
    pub policy: RiskPolicy,
    /// At which time.
    pub at: DateTime<Utc>,
}
