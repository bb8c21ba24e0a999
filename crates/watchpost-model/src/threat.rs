//! Threat lists: addresses, domains and user agents that somebody else has seen do harm.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::words;

/// From this confidence on a match is a finding of its own; below it only raises the risk of others.
pub const ALERT_CONFIDENCE: u8 = 75;

/// What an entry of a threat list names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ThreatKind {
    /// An address or a CIDR range.
    Ip,
    /// A domain with everything below it.
    Domain,
    /// Part of a user agent, in any case.
    UserAgent,
}

words!(ThreatKind { Ip = "ip", Domain = "domain", UserAgent = "user_agent" });

/// How the file of a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ThreatFormat {
    /// One entry a line.
    Text,
    /// Comma-separated values, with or without a header.
    Csv,
    /// A STIX 2.1 bundle.
    Stix,
}

words!(ThreatFormat { Text = "text", Csv = "csv", Stix = "stix" });

/// One entry, in the form in which it is compared.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
pub struct ThreatEntry {
    /// What it names.
    pub kind: ThreatKind,
    /// An address, a CIDR range, a domain in lower case, or part of a user agent in lower case.
    pub value: String,
    /// Not valid from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub until: Option<DateTime<Utc>>,
    /// What the list says about it, at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub note: Option<String>,
}

/// A line or object of a file that could not be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SkippedEntry {
    /// Line of a text or CSV file, number of the object in a STIX bundle; from 1.
    pub place: u64,
    /// Why.
    pub reason: String,
}

/// A stored threat list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ThreatList {
    /// Its name, unique.
    pub name: String,
    /// How much a match means, 0 to 100.
    pub confidence: u8,
    /// How the file was written.
    pub format: ThreatFormat,
    /// Name of the file, without its folders.
    pub source: String,
    /// SHA-256 of the file, hex.
    pub sha256: String,
    /// When it was brought in: the age of the data.
    pub imported_at: DateTime<Utc>,
    /// By whom.
    pub imported_by: String,
    /// Entries of each kind.
    pub addresses: u64,
    /// Entries of each kind.
    pub domains: u64,
    /// Entries of each kind.
    pub user_agents: u64,
    /// Entries of all kinds.
    #[serde(default)]
    pub total: u64,
    /// Lines or objects that could not be used.
    pub skipped: u64,
    /// Entries that occurred before in the same file.
    pub duplicates: u64,
}

impl ThreatList {
    /// Number of entries.
    #[must_use]
    pub const fn entries(&self) -> u64 {
        self.addresses + self.domains + self.user_agents
    }

    /// Is a match a finding of its own?
    #[must_use]
    pub const fn alerts(&self) -> bool {
        self.confidence >= ALERT_CONFIDENCE
    }
}

/// A list that names something of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ThreatMatch {
    /// The list.
    pub list: String,
    /// Its confidence, 0 to 100.
    pub confidence: u8,
    /// What its entry names.
    pub kind: ThreatKind,
    /// The entry that matched: `203.0.113.0/24`.
    pub entry: String,
    /// The field of the event: `source_ip`, `http.headers.user-agent`.
    pub field: String,
}
