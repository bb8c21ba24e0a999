//! Incidents.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use watchpost_model::event::Severity;
use watchpost_model::finding::AttackFamily;
use watchpost_model::incident::{Incident, IncidentFilter, IncidentOrder, Status, Verdict, VerdictCause};

/// One page of the queue.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct IncidentPageRequest {
    /// Which.
    pub filter: IncidentFilter,
    /// In which order.
    pub order: IncidentOrder,
    /// Cursor of the page before.
    pub after: Option<String>,
    /// Rows, 1 to 500.
    pub limit: u32,
}

/// One page of the queue with the facets of the whole filter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct IncidentPage {
    /// The rows.
    pub rows: Vec<Incident>,
    /// Cursor of the next page, if there is one.
    pub next: Option<String>,
    /// Incidents that match the filter.
    pub total: u64,
    /// Counts over everything that matches the filter apart from the facet's own condition.
    pub facets: IncidentFacets,
}

/// Counts by value.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct IncidentFacets {
    /// By status.
    pub status: Vec<StatusCount>,
    /// By severity.
    pub severity: Vec<SeverityCount>,
    /// By family.
    pub family: Vec<FamilyCount>,
    /// By assignee; the empty name is nobody.
    pub assignee: Vec<NameCount>,
}

/// Incidents with a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct StatusCount {
    /// The status.
    pub value: Status,
    /// How many.
    pub count: u64,
}

/// Incidents of a severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SeverityCount {
    /// The severity.
    pub value: Severity,
    /// How many.
    pub count: u64,
}

/// Incidents of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FamilyCount {
    /// The family.
    pub value: AttackFamily,
    /// How many.
    pub count: u64,
}

/// Incidents of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct NameCount {
    /// The name.
    pub value: String,
    /// How many.
    pub count: u64,
}

/// An incident by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct IncidentRef {
    /// The number that people say.
    pub number: i64,
}

/// Assign an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct IncidentAssign {
    /// Which.
    pub number: i64,
    /// To whom; absent means to nobody.
    pub assignee: Option<String>,
    /// The version that the person saw; absent means whatever it is now.
    #[serde(default)]
    pub version: Option<i64>,
}

/// Move an incident to another status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct IncidentStatusSet {
    /// Which.
    pub number: i64,
    /// Where to.
    pub status: Status,
    /// Why; required to reopen.
    pub reason: Option<String>,
    /// The version that the person saw.
    #[serde(default)]
    pub version: Option<i64>,
}

/// Judge and resolve an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct IncidentResolve {
    /// Which.
    pub number: i64,
    /// What it was; not `unjudged`.
    pub verdict: Verdict,
    /// Why, from the closed list of the verdict; absent means `other`.
    #[serde(default)]
    #[ts(optional)]
    pub cause: Option<VerdictCause>,
    /// Why, in words; may be empty with a cause that is not `other`.
    pub reason: String,
    /// With the verdict `duplicate`: number of the incident that is kept.
    #[serde(default)]
    #[ts(optional)]
    pub duplicate_of: Option<i64>,
    /// The version that the person saw.
    #[serde(default)]
    pub version: Option<i64>,
}

/// Write a note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct IncidentNote {
    /// On which incident.
    pub number: i64,
    /// 1 to 10,000 characters.
    pub text: String,
}
