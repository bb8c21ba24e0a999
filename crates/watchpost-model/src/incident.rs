//! Incidents and their rules: status, verdict, clocks (DESIGN section 5).

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::event::{Entity, Event, Severity};
use crate::finding::{AttackFamily, Finding};
use crate::ids::{EventId, IncidentId, NoteId};
use crate::words;

/// Where an incident stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nobody has looked yet.
    Open,
    /// Somebody is on it.
    Investigating,
    /// The source can do no more harm.
    Contained,
    /// Judged and done.
    Resolved,
    /// Filed.
    Closed,
    /// Was resolved, is open again.
    Reopened,
}

words!(Status {
    Open = "open",
    Investigating = "investigating",
    Contained = "contained",
    Resolved = "resolved",
    Closed = "closed",
    Reopened = "reopened",
});

impl Status {
    /// May an incident go from `self` to `next`?
    #[must_use]
    pub const fn can_become(self, next: Self) -> bool {
        match self {
            Self::Open | Self::Reopened => {
                matches!(next, Self::Investigating | Self::Contained | Self::Resolved)
            }
            Self::Investigating => matches!(next, Self::Contained | Self::Resolved),
            Self::Contained => matches!(next, Self::Investigating | Self::Resolved),
            Self::Resolved => matches!(next, Self::Closed | Self::Reopened),
            Self::Closed => matches!(next, Self::Reopened),
        }
    }

    /// Does it still need somebody?
    #[must_use]
    pub const fn is_active(self) -> bool {
        match self {
            Self::Open | Self::Investigating | Self::Contained | Self::Reopened => true,
            Self::Resolved | Self::Closed => false,
        }
    }
}

/// What a person decided it was; apart from the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nobody has decided.
    Unjudged,
    /// An attack.
    TruePositive,
    /// The rule was wrong.
    FalsePositive,
    /// The rule was right and it was allowed, such as a penetration test.
    BenignTruePositive,
    /// The same as another incident.
    Duplicate,
}

words!(Verdict {
    Unjudged = "unjudged",
    TruePositive = "true_positive",
    FalsePositive = "false_positive",
    BenignTruePositive = "benign_true_positive",
    Duplicate = "duplicate",
});

/// Time allowed to acknowledge and to resolve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sla {
    /// From opening to the first action of a person.
    pub acknowledge: Duration,
    /// From opening to resolution.
    pub resolve: Duration,
}

impl Sla {
    /// The clocks of a severity (table in DESIGN section 5; `Info` counts as `Low`).
    #[must_use]
    pub const fn of(severity: Severity) -> Self {
        let (acknowledge, resolve) = match severity {
            Severity::Critical => (Duration::minutes(15), Duration::hours(4)),
            Severity::High => (Duration::hours(4), Duration::hours(24)),
            Severity::Medium => (Duration::hours(24), Duration::days(3)),
            Severity::Low | Severity::Info => (Duration::days(7), Duration::days(30)),
        };
        Self { acknowledge, resolve }
    }
}

/// An incident as it stands in the queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Incident {
    /// Identity.
    pub id: IncidentId,
    /// The number that people say: 1, 2, 3 ... without gaps.
    pub number: i64,
    /// One line: what and by whom.
    pub title: String,
    /// The attack family of all its findings.
    pub family: AttackFamily,
    /// The entity that its findings are grouped by.
    pub entity: Entity,
    /// Highest severity among its findings.
    pub severity: Severity,
    /// Highest confidence among its findings, 0 to 100.
    pub confidence: u8,
    /// Highest risk among its findings, 0 to 100.
    pub risk: u8,
    /// Where it stands.
    pub status: Status,
    /// What it was.
    pub verdict: Verdict,
    /// Why that verdict.
    pub verdict_reason: Option<String>,
    /// Who works on it.
    pub assignee: Option<String>,
    /// Number of findings folded in.
    pub finding_count: u64,
    /// Number of evidence events.
    pub event_count: u64,
    /// Event time of the first evidence.
    pub first_seen: DateTime<Utc>,
    /// Event time of the newest evidence.
    pub last_seen: DateTime<Utc>,
    /// When Watchpost opened it (engine time, starts the clocks).
    pub opened_at: DateTime<Utc>,
    /// First action of a person.
    pub acknowledged_at: Option<DateTime<Utc>>,
    /// When it was resolved, if it is.
    pub resolved_at: Option<DateTime<Utc>>,
    /// Acknowledge by.
    pub acknowledge_due: DateTime<Utc>,
    /// Resolve by.
    pub resolve_due: DateTime<Utc>,
    /// ATT&CK technique ids.
    pub attack: Vec<String>,
    /// Grows by one with every change; a change names the version it was made on.
    pub version: i64,
}

/// A frozen copy of an event that is evidence, with its digest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Evidence {
    /// The event as it was when the incident took it in.
    pub event: Event,
    /// SHA-256 over the event's canonical JSON, hex.
    pub sha256: String,
    /// The findings that this event completed.
    pub findings: Vec<Finding>,
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
    /// What: `opened`, `finding`, `assigned`, `status`, `verdict`, `note`, `block`.
    pub kind: String,
    /// For people.
    pub text: String,
}

/// An incident with everything on its page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct IncidentDetail {
    /// The row.
    pub incident: Incident,
    /// The rules that fired, each with its newest finding and how often.
    pub why: Vec<RuleHit>,
    /// Newest evidence first, at most 200; `incident.event_count` tells how many there are.
    pub evidence: Vec<Evidence>,
    /// All entities of the evidence with the number of events.
    pub entities: Vec<EntityCount>,
    /// Oldest first.
    pub notes: Vec<Note>,
    /// Oldest first.
    pub timeline: Vec<TimelineEntry>,
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

/// How a list of incidents is ordered; always with the number as the tie-breaker, newest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum IncidentOrder {
    /// Newest opened first.
    #[default]
    Newest,
    /// Most severe first, then newest.
    Severity,
    /// The one whose next clock runs out first.
    Due,
}

/// Which incidents: every given condition must hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct IncidentFilter {
    /// One of these states; empty means any.
    pub status: Vec<Status>,
    /// One of these severities; empty means any.
    pub severity: Vec<Severity>,
    /// One of these families; empty means any.
    pub family: Vec<AttackFamily>,
    /// Assigned to this person; the empty string means nobody.
    pub assignee: Option<String>,
    /// Words in the title or the entity, case-insensitive.
    pub text: Option<String>,
    /// With this entity as its own.
    pub entity: Option<Entity>,
}

/// An event of an incident by reference, for the append path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EvidenceKey {
    /// The incident.
    pub incident: IncidentId,
    /// The event.
    pub event: EventId,
}

#[cfg(test)]
mod tests {
    use super::Status;

    #[test]
    fn status_moves() {
        use Status::{Closed, Contained, Investigating, Open, Reopened, Resolved};
        let allowed = [
            (Open, Investigating),
            (Open, Contained),
            (Open, Resolved),
            (Investigating, Contained),
            (Investigating, Resolved),
            (Contained, Investigating),
            (Contained, Resolved),
            (Resolved, Closed),
            (Resolved, Reopened),
            (Closed, Reopened),
            (Reopened, Investigating),
            (Reopened, Contained),
            (Reopened, Resolved),
        ];
        for &from in Status::ALL {
            for &to in Status::ALL {
                assert_eq!(from.can_become(to), allowed.contains(&(from, to)), "{from} -> {to}");
            }
        }
    }
}
