//! Words that stand in the database because the product writes them, not because somebody has that name.

use crate::access::{Origin, Permission, Role};
use crate::audit::AuditOutcome;
use crate::block::BlockState;
use crate::contain::ContainKind;
use crate::event::{Category, EntityKind, Outcome, Severity};
use crate::evidence::EvidenceQuery;
use crate::finding::AttackFamily;
use crate::incident::{Status, Verdict};
use crate::job::{JobKind, JobState};
use crate::overview::ThreatLevel;
use crate::plan::WeekDay;
use crate::query::FieldName;
use crate::record_class::RecordClass;
use crate::register::{EntryResult, RegisterKind};
use crate::report::{Cadence, ReportFormat, ReportStatus};
use crate::response::{ActionKind, OutboxState, ResponseMode, ResponseState};
use crate::risk::RiskFactorKind;
use crate::threat::{ThreatFormat, ThreatKind};

/// What no enumeration holds.
const MORE: &[&str] = &[
    "account",
    "audit",
    "block",
    "chain",
    "client",
    "closed",
    "database",
    "duplicate",
    "engine",
    "erased",
    "event",
    "events",
    "false",
    "folder",
    "incident",
    "limits",
    "local",
    "merged",
    "null",
    "other",
    "redis",
    "report",
    "security",
    "server",
    "service",
    "setting",
    "similar",
    "sqlite",
    "system",
    "true",
    "unknown",
    "vendor",
    "watchpost",
];

/// Is `word`, in lower case, one of them?
pub(super) fn is_own(word: &str) -> bool {
    macro_rules! any {
        ($($set:ty),+ $(,)?) => { $(<$set>::ALL.iter().any(|one| one.as_str() == word) ||)+ false };
    }
    MORE.contains(&word)
        || any!(
            ActionKind,
            AttackFamily,
            AuditOutcome,
            BlockState,
            Cadence,
            Category,
            ContainKind,
            EntityKind,
            EntryResult,
            EvidenceQuery,
            FieldName,
            JobKind,
            JobState,
            Origin,
            Outcome,
            OutboxState,
            Permission,
            RecordClass,
            RegisterKind,
            ReportFormat,
            ReportStatus,
            ResponseMode,
            ResponseState,
            RiskFactorKind,
            Role,
            Severity,
            Status,
            ThreatFormat,
            ThreatKind,
            ThreatLevel,
            Verdict,
            WeekDay,
        )
}
