//! Incidents and their rules: status, verdict, clocks (DESIGN section 5).

mod bulk;
mod clock;
mod feedback;
mod page;
mod verdict;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::event::{Entity, Severity};
use crate::finding::AttackFamily;
use crate::ids::{EventId, IncidentId};
use crate::period::Period;
use crate::words;

pub use bulk::{BulkAction, BulkOutcome, BulkSkipped};
pub use clock::{Pause, PauseReason, Paused, Sla};
pub use feedback::{RuleAdvice, RuleFeedback};
pub use page::{
    EntityCount, Evidence, IncidentDetail, IncidentEvent, LinkKind, Note, RelatedIncident, RuleHit,
    SimilarIncident, SimilarKind, SimilarReason, StepCheck, TimelineEntry,
};
pub use verdict::{Verdict, VerdictCause};

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

    /// The status since somebody takes the incident; `None` if it has to be reopened first.
    #[must_use]
    pub const fn when_taken(self) -> Option<Self> {
        match self {
            Self::Open | Self::Reopened | Self::Investigating => Some(Self::Investigating),
            Self::Contained => Some(Self::Contained),
            Self::Resolved | Self::Closed => None,
        }
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
    /// Why that verdict, from the closed list of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub verdict_cause: Option<VerdictCause>,
    /// Why that verdict, in the words of the person.
    pub verdict_reason: Option<String>,
    /// Who works on it.
    pub assignee: Option<String>,
    /// Number of findings folded in.
    pub finding_count: u64,
    /// Number of events of the attack, each as often as it happened ("message repeated n times" is n).
    pub event_count: u64,
    /// Event time of the first of them.
    pub first_seen: DateTime<Utc>,
    /// Event time of the newest of them.
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
    /// The pause of its clocks, if they stand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub paused: Option<Paused>,
    /// Seconds that its clocks stood, without the pause of now.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[ts(as = "Option<u64>", optional)]
    pub paused_s: u64,
    /// To whom it was escalated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub escalated_to: Option<String>,
    /// Number of the incident that this one is merged into; such a one is in no list and no figure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub merged_into: Option<i64>,
    /// ATT&CK technique ids.
    pub attack: Vec<String>,
    /// Grows by one with every change; a change names the version it was made on.
    pub version: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(n: &u64) -> bool {
    *n == 0
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
    /// Most severe first; of those the one whose next clock runs out, or ran out, first.
    Urgency,
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
    /// About this entity, or with it among its events; a range stands for its addresses.
    pub entity: Option<Entity>,
    /// Opened in this period, by the engine's time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub opened: Option<Period>,
    /// Something happened to it in this period: by a person, or new findings.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub changed: Option<Period>,
    /// Began in this period, as the Overview counts new incidents: its first evidence is in it, by the time of the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub began: Option<Period>,
    /// Somebody acknowledged it, or nobody did yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub acknowledged: Option<bool>,
    /// Active at this instant, as the Overview counts active incidents: it had begun and was not resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub active_at: Option<DateTime<Utc>>,
    /// This event is of its attack, or of one that is merged into it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub event: Option<EventId>,
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
