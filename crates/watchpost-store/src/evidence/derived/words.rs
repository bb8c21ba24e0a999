//! What the answers that [`super::answer`] gives say was counted, and how the database was asked: also for holding a report
//! against.

use watchpost_model::evidence::{EvidenceAsk, EvidenceQuery};

use super::{
    BY_CATEGORY, EVENT_DAYS, FIRED, GAPS, REGISTER_DAYS, VERIFIED_DAYS, encryption, erasures, keeping, lost,
    sensitive, silence, trail,
};
use crate::engine::Dialect;

/// What was counted, and the text of the question; empty for one that is not answered here.
pub(in crate::evidence) fn of(ask: &EvidenceAsk, dialect: Dialect) -> (&'static str, String) {
    (basis(ask.query), text(ask, dialect))
}

fn text(ask: &EvidenceAsk, dialect: Dialect) -> String {
    use EvidenceQuery as Q;
    match ask.query {
        Q::DaysWithEvents => EVENT_DAYS.to_owned(),
        Q::AuditVerificationDaily => VERIFIED_DAYS.to_owned(),
        Q::RegisterDaily => REGISTER_DAYS.to_owned(),
        Q::CategoriesReporting | Q::FailuresReported | Q::CategoriesRegistered => BY_CATEGORY.to_owned(),
        Q::FeedSilence => format!("{}; {}; {}", silence::REACH, silence::BETWEEN, silence::EXPLAINED),
        Q::LostEvents => format!("{}; {}; {}", lost::TEXT, lost::EXPLAINED, lost::SINCE),
        Q::RulesFired => FIRED.to_owned(),
        // Of requests for erasure; of other kinds it is a question about one table.
        Q::RegisterGood => erasures::TEXT.to_owned(),
        Q::RegisterGaps => GAPS.to_owned(),
        Q::EncryptionKnown => format!("{}; {}", encryption::STATES, encryption::BACKUPS),
        Q::RetentionLimits => keeping::PAST_LIMIT.to_owned(),
        Q::RetentionPolicy => keeping::POLICY.to_owned(),
        Q::HistoryKept => format!("{}; {}", keeping::FED, keeping::OLDEST),
        Q::EvidenceIntact => trail::FROZEN.to_owned(),
        Q::AuditCheckpoints => trail::CHECKPOINTS.to_owned(),
        Q::AuditComplete => trail::COMPLETE.to_owned(),
        Q::AuditExplained => trail::explained(ask.params.permission),
        Q::AuditProtected => dialect.audit_grants().to_owned(),
        Q::SensitiveData => sensitive::text(ask),
        _ => String::new(),
    }
}

const fn basis(query: EvidenceQuery) -> &'static str {
    use EvidenceQuery as Q;
    match query {
        Q::DaysWithEvents => "days (UTC) of the period up to now; exceptions have no event",
        Q::AuditVerificationDaily => {
            "days (UTC) of the period up to now; warnings have no successful verification of the audit trail"
        }
        Q::RegisterDaily => {
            "days (UTC) of the period that ended a day ago or have an entry; exceptions have no entry of this kind in the register that ended well, warnings one that was closed more than a day after it began"
        }
        Q::CategoriesReporting => {
            "the five event categories; exceptions sent nothing in the period, warnings are explained by an exception in force in the register"
        }
        Q::FailuresReported => {
            "categories with events in the period that can fail; exceptions reported no failure and no test event is in the register"
        }
        Q::CategoriesRegistered => {
            "categories with events in the period; exceptions have no entry of this kind in the register, or the newest ended badly"
        }
        Q::FeedSilence => {
            "categories that reported in the period or before; the longest silence of each from the times of its events, that \
            without an explanation first; one that a resolved incident of the family log_gap explains is excused where the families \
            name it and else at most a warning, and so is one under an exception in force in the register for category/NAME; \
            silences of less than five minutes are not looked for"
        }
        Q::LostEvents => {
            "days (UTC) of the period up to now since which it is counted; exceptions lost something that nobody explained, \
            warnings something that an ended entry of the kind log_failure in the register explains (lost/DAY, with a reason)"
        }
        Q::RulesFired => {
            "attack families that must be covered by rules; judged by when a rule last fired or was tested"
        }
        Q::RegisterGood => {
            "entries of the kind erasure_request in the register that ended in the period, whenever they began; exceptions ended badly, or were not refused and do not say when the key was destroyed (key_destroyed, a time from the receipt on that is not in the future) and that nothing was left (residue=none), or name a day until which backups hold it (backups_until) that is past or more than 90 days after the end; warnings ended well with the fact that is named as a field"
        }
        Q::RegisterGaps => {
            "spans from each entry of this kind to the next one, the last to the end of the period"
        }
        Q::EncryptionKnown => {
            "the newest state of encryption of each subject in the register that is not retired, a disk or database, and each backup of the period; exceptions are in clear, warnings are not known or were looked at too long ago"
        }
        Q::RetentionLimits => {
            "event categories; exceptions hold events that were stored longer ago than their limit and the longer grace, warnings and the shorter"
        }
        Q::RetentionPolicy => {
            "event categories by the retention policy in force; exceptions are kept for fewer days than required"
        }
        Q::HistoryKept => {
            "event categories with events within the days before the end, by the counters; exceptions hold no event any more of the first day on which some came"
        }
        Q::EvidenceIntact => {
            "events frozen as evidence whose time lies in the period; the hash of each was computed again, exceptions differ"
        }
        Q::AuditCheckpoints => {
            "checkpoints signed in the period; exceptions are not confirmed by the present tree"
        }
        Q::AuditComplete => {
            "records of the whole log; exceptions are numbers without a leaf and records without one"
        }
        Q::AuditExplained => {
            "recorded actions of people in the period that succeeded, without what a schedule or the engine did by itself and the stop of a job; exceptions name nobody or give no reason in words, and the figures that a job wrote are none"
        }
        Q::AuditProtected => {
            "tables of the audit trail; exceptions can be changed by somebody but the owner, warnings by the owner alone"
        }
        Q::SensitiveData => sensitive::BASIS,
        _ => "",
    }
}
