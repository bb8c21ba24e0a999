//! The parts that a report which judges nothing is made of: for holding one against.

use watchpost_report::ReportKind;

/// The title of a part and the columns of its table, none where it has none.
type Part = (&'static str, &'static [&'static str]);

const EXECUTIVE: &[Part] = &[
    ("How it stands", &["figure", "this period", "period before", "change"]),
    ("To decide now", &[]),
    ("Open now", &["number", "severity", "title", "who", "resolve by"]),
];
const SUMMARY: &[Part] = &[
    ("What happened", &["category", "severity", "events"]),
    ("Incidents", &["number", "severity", "title", "status", "verdict", "assignee", "first seen"]),
    ("Sources and targets", &["what", "events", "failures", "active incidents", "now"]),
    ("Targets", &["what", "events", "failures", "active incidents", "now"]),
];
const KPI: &[Part] = &[
    ("Key figures", &[]),
    (
        "By severity",
        &[
            "severity",
            "incidents",
            "to detect",
            "to acknowledge",
            "to resolve",
            "acknowledged in time",
            "resolved in time",
            "false alarms",
        ],
    ),
    ("Backlog", &["until", "opened", "resolved", "active"]),
];
const REDIS: &[Part] = &[
    ("Health over the period", &["metric", "samples", "least", "median", "p90", "most"]),
    ("Metrics now", &["metric", "value", "warning above", "critical above", "verdict"]),
    ("Jobs", &["job", "started", "ended", "by", "state", "with", "did"]),
];
const ACCESS_REVIEW: &[Part] = &[
    ("Access review", &["role", "permissions"]),
    ("What people and programs used", &["who", "permission", "times", "last", "decision"]),
    ("Approved administrators", &["account", "since", "recorded", "until", "approved by", "decision"]),
    ("Accounts in the applications", &["account", "events", "failures", "addresses", "last", "decision"]),
];
const SUBJECT_ACCESS: &[Part] = &[
    ("What is kept", &[]),
    ("Events", &["when", "category", "type", "outcome", "actor", "source", "session", "resource", "action"]),
    ("Incidents", &["number", "severity", "title", "status", "verdict", "first seen"]),
    ("Audit trail", &["number", "when", "who", "action", "on", "outcome"]),
    ("Register", &["kind", "opened", "recorded", "due", "closed", "result", "note"]),
    (
        "Consents",
        &["purpose", "text shown", "given", "how", "recorded by", "withdrawn", "how it was withdrawn"],
    ),
];

/// The parts of a report of this kind, in their order; `None` where they depend on what it is about.
pub(super) const fn of(kind: ReportKind) -> Option<&'static [Part]> {
    match kind {
        ReportKind::Executive => Some(EXECUTIVE),
        ReportKind::Summary => Some(SUMMARY),
        ReportKind::Kpi => Some(KPI),
        ReportKind::Redis => Some(REDIS),
        ReportKind::AccessReview => Some(ACCESS_REVIEW),
        ReportKind::SubjectAccess => Some(SUBJECT_ACCESS),
        ReportKind::Framework => Some(&[]),
        ReportKind::Incident | ReportKind::Breach => None,
    }
}
