//! The columns of the answers that [`super::answer`] gives.

use watchpost_model::evidence::EvidenceQuery;

/// The columns of the members of the population; none where the question is not answered here, or lists something else.
pub(in crate::evidence) const fn of(query: EvidenceQuery) -> &'static [&'static str] {
    use EvidenceQuery as Q;
    match query {
        Q::DaysWithEvents => &["day", "events"],
        Q::AuditVerificationDaily | Q::RegisterDaily => &["day", "done"],
        Q::CategoriesReporting | Q::CategoriesRegistered => &["category", "events", "register"],
        Q::FailuresReported => &["category", "events", "failures", "register"],
        Q::FeedSilence => &["category", "longest silence, minutes", "from", "to", "explained"],
        Q::LostEvents => &["day", "keys not read", "groups dropped", "explained"],
        Q::RulesFired => &["family", "last fired", "last tested"],
        // Of requests for erasure only; of every other kind the table of the register tells.
        Q::RegisterGood => &["subject", "opened", "closed", "result", "owner", "what its facts say"],
        Q::RegisterGaps => &["from", "to the next"],
        Q::EncryptionKnown => &["subject", "state", "as of"],
        Q::RetentionLimits => &["category", "limit, days", "events past it", "oldest of them, stored"],
        Q::RetentionPolicy => &["category", "kept, days"],
        Q::HistoryKept => &["category", "came first within the days", "oldest event of it"],
        Q::EvidenceIntact => &["incident", "event", "time", "hash at collection", "hash now"],
        Q::AuditCheckpoints => &["size", "time", "root", "key"],
        Q::AuditComplete => &["size of the log", "leaves", "first", "last", "records without a leaf"],
        Q::AuditExplained => &["seq", "time", "actor", "action", "object", "reason"],
        Q::AuditProtected => &["table", "who may change it"],
        _ => &[],
    }
}
