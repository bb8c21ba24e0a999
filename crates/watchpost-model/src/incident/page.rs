//! What stands on the page of an incident.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Incident, Pause};
use crate::event::{Entity, Event};
use crate::finding::Finding;
use crate::ids::{EventId, NoteId};
use crate::playbook::Playbook;
use crate::risk::RiskFactor;
use crate::words;

/// An event of the attack with its digest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Evidence {
    /// The event as it was when the incident took it in.
    pub event: Event,
    /// SHA-256 over the event's canonical JSON, hex.
    pub sha256: String,
    /// The findings that this event completed.
    pub findings: Vec<Finding>,
    /// Is this a frozen copy? Otherwise it is the event of the archive, and the digest is of when it was linked.
    #[serde(default)]
    #[ts(as = "Option<bool>", optional)]
    pub frozen: bool,
}

/// An event of an incident, on the list of all of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct IncidentEvent {
    /// Identity.
    pub id: EventId,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// How often it happened, at least 1.
    pub count: u64,
    /// SHA-256 over the event's canonical JSON when it was linked, hex.
    pub sha256: String,
    /// The event: the frozen copy, else as archived; absent when the retention of the archive has removed it.
    pub event: Option<Event>,
    /// Is it the frozen copy?
    pub frozen: bool,
}

/// An analyst's note.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Note {
    /// Identity.
    pub id: NoteId,
    /// Who wrote it.
    pub author: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Plain text.
    pub text: String,
}

/// One line of an incident's timeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct TimelineEntry {
    /// When.
    pub at: DateTime<Utc>,
    /// Who: an analyst, or `engine`.
    pub actor: String,
    /// What: `opened`, `finding`, `severity`, `assigned`, `handover`, `status`, `verdict`, `note`, `block`, `pause`,
    /// `resume`, `escalated`, `merged`, `split`, `linked`, `step`, `undo`.
    pub kind: String,
    /// For people.
    pub text: String,
    /// Number of the merged incident that this line comes from; absent for the incident's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub from: Option<i64>,
}

/// How two incidents belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum LinkKind {
    /// One is a step of the attack chain that is the other.
    Chain,
    /// A person says that they are alike.
    Similar,
    /// One was judged a duplicate of the other.
    Duplicate,
    /// One is merged into the other.
    Merged,
}

words!(LinkKind { Chain = "chain", Similar = "similar", Duplicate = "duplicate", Merged = "merged" });

/// Another incident that belongs to this one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct RelatedIncident {
    /// How.
    pub kind: LinkKind,
    /// Does the link go from this incident to the other one? A merged incident points to its target, a step to its
    /// chain, a duplicate to the one that is kept.
    pub outgoing: bool,
    /// The other one.
    pub incident: Incident,
    /// Since when.
    pub at: DateTime<Utc>,
    /// By whom.
    pub by: String,
}

/// Another incident that resembles this one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct SimilarIncident {
    /// The other one.
    pub incident: Incident,
    /// How much, 1 to 100.
    pub score: u8,
    /// Why; the strongest reason first.
    pub because: Vec<SimilarReason>,
}

/// Of which kind a reason is that an incident resembles another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SimilarKind {
    /// They are about the same; the value is the kind of the entity.
    Entity,
    /// The same rule fired; the value is its id.
    Rule,
    /// An attack of the same family on the same endpoint, which is the value.
    Attack,
    /// From the same network; the value is the length of its prefix.
    Network,
    /// By the same user agent, which is the value.
    Agent,
}

words!(SimilarKind { Entity = "entity", Rule = "rule", Attack = "attack", Network = "network", Agent = "agent" });

/// Why an incident resembles another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SimilarReason {
    /// What they share.
    pub kind: SimilarKind,
    /// The value that they share, at most 80 characters of it.
    pub value: String,
}

impl fmt::Display for SimilarReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = &self.value;
        match self.kind {
            SimilarKind::Entity => write!(f, "the same {value}"),
            SimilarKind::Rule => write!(f, "the same rule {value}"),
            SimilarKind::Attack => write!(f, "the same attack on {value}"),
            SimilarKind::Network => write!(f, "the same /{value} network"),
            SimilarKind::Agent => write!(f, "the same user agent {value}"),
        }
    }
}

/// A step of a playbook that somebody checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct StepCheck {
    /// The step's id in the playbook.
    pub step: String,
    /// Who.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// What came out of it.
    pub note: Option<String>,
}

/// An incident with everything on its page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct IncidentDetail {
    /// The row.
    pub incident: Incident,
    /// The rules that fired, each with its newest finding and how often.
    pub why: Vec<RuleHit>,
    /// Newest first, at most 200; `event_rows` tells how many there are, all of them can be paged through.
    pub evidence: Vec<Evidence>,
    /// Different events of the attack; `incident.event_count` counts a repeated one as often as it happened.
    pub event_rows: u64,
    /// Entities of its events with the number of events, at most 200: its own one first, then the most frequent; `entity_rows`
    /// tells how many there are.
    pub entities: Vec<EntityCount>,
    /// Different entities of its events.
    pub entity_rows: u64,
    /// Oldest first, the newest 200; `earlier_notes` leads to those before.
    pub notes: Vec<Note>,
    /// Cursor of the notes before those, if there are any.
    #[serde(default)]
    pub earlier_notes: Option<String>,
    /// Oldest first, the newest 200; `earlier_timeline` leads to those before.
    pub timeline: Vec<TimelineEntry>,
    /// Cursor of the lines before those, if there are any.
    #[serde(default)]
    pub earlier_timeline: Option<String>,
    /// Incidents that belong to it: steps of its chain, merged ones, duplicates.
    pub related: Vec<RelatedIncident>,
    /// Pauses of its clocks, oldest first.
    pub pauses: Vec<Pause>,
    /// Steps of the playbook that were checked.
    pub checks: Vec<StepCheck>,
    /// The playbook of its family with what was checked; absent when it was not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub playbook: Option<Playbook>,
    /// Why the risk is what it is: the factors of the worst finding, whose points add up to it. Empty where it is not
    /// known.
    #[serde(default)]
    pub risk: Vec<RiskFactor>,
}

/// A rule that fired in an incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct RuleHit {
    /// Number of findings of the rule.
    pub count: u64,
    /// The newest of them.
    pub newest: Finding,
}

/// An entity and in how many events it occurs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct EntityCount {
    /// The entity.
    pub entity: Entity,
    /// Number of events.
    pub events: u64,
}
