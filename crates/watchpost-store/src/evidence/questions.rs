//! The questions whose population is rows of one table (or of a grouping of one).

use watchpost_model::access::Role;
use watchpost_model::evidence::{EvidenceAsk, EvidenceQuery};
use watchpost_model::finding::AttackFamily;
use watchpost_model::playbook::steps_of;
use watchpost_model::register::RegisterKind;

use super::{BY_TIME, Cell, Column, Question, entries};

const INCIDENT: &[Column] = &[
    ("number", "i.number", Cell::Number),
    ("title", "i.title", Cell::Text),
    ("severity", "i.severity", Cell::Severity),
    ("status", "i.status", Cell::Text),
    ("verdict", "i.verdict", Cell::Text),
    ("assignee", "i.assignee", Cell::Text),
    ("opened", "i.opened_at", Cell::Time),
    ("acknowledged", "i.acknowledged_at", Cell::Time),
    ("acknowledge by", "i.acknowledge_due", Cell::Time),
    ("resolved", "i.resolved_at", Cell::Time),
    ("resolve by", "i.resolve_due", Cell::Time),
];
const STEPS: &[Column] = &[
    ("number", "i.number", Cell::Number),
    ("title", "i.title", Cell::Text),
    ("family", "i.family", Cell::Text),
    ("verdict", "i.verdict", Cell::Text),
    ("assignee", "i.assignee", Cell::Text),
    ("resolved", "i.resolved_at", Cell::Time),
    ("steps checked", CHECKED, Cell::Number),
];
const CHECKED: &str = "(SELECT COUNT(*) FROM incident_step s WHERE s.incident_id = i.id)";
const EVENT: &[Column] = &[
    ("time", "e.at", Cell::Time),
    ("id", "e.id", Cell::Text),
    ("severity", "e.severity", Cell::Severity),
    ("outcome", "e.outcome", Cell::Text),
    ("actor", "e.actor", Cell::Text),
    ("source", "e.source_ip", Cell::Text),
    ("resource", "e.endpoint", Cell::Text),
];
const BLOCK: &[Column] = &[
    ("target", "b.target", Cell::Text),
    ("reason", "b.reason", Cell::Text),
    ("state", "b.state", Cell::Text),
    ("by", "b.created_by", Cell::Text),
    ("created", "b.created_at", Cell::Time),
    ("expires", "b.expires_at", Cell::Time),
];
const AUDIT: &[Column] = &[
    ("seq", "a.seq", Cell::Number),
    ("time", "a.at", Cell::Time),
    ("actor", "a.actor", Cell::Text),
    ("action", "a.action", Cell::Text),
    ("object", "a.object", Cell::Text),
    ("outcome", "a.outcome", Cell::Text),
];
const ACTION: &[Column] = &[
    ("seq", "a.seq", Cell::Number),
    ("time", "a.at", Cell::Time),
    ("actor", "a.actor", Cell::Text),
    ("role", "a.role", Cell::Text),
    ("action", "a.action", Cell::Text),
    ("permission", "a.permission", Cell::Text),
    ("outcome", "a.outcome", Cell::Text),
];
const JOB: &[Column] = &[
    ("id", "j.id", Cell::Text),
    ("state", "j.state", Cell::Text),
    ("started", "j.started_at", Cell::Time),
    ("ended", "j.ended_at", Cell::Time),
];
const PERSON: &[Column] = &[
    ("account", "a.actor", Cell::Text),
    ("times", "a.n", Cell::Number),
    ("first", "a.first", Cell::Time),
    ("last", "a.last", Cell::Time),
];
const RUN: &[Column] = &[
    ("account", "a.actor", Cell::Text),
    ("failures", "a.n", Cell::Number),
    ("from", "a.first", Cell::Time),
    ("to", "a.last", Cell::Time),
];
const PAYLOAD: &[Column] = &[
    ("seq", "p.seq", Cell::Number),
    ("key", "p.key_id", Cell::Text),
    ("bytes", "CAST(LENGTH(p.sealed) AS BIGINT)", Cell::Number),
];
const REPORT: &[Column] = &[
    ("made", "r.made_at", Cell::Time),
    ("framework", "r.framework", Cell::Text),
    ("by", "r.made_by", Cell::Text),
    ("id", "r.id", Cell::Text),
];

/// Incidents belong to the period of their first evidence: a log of last month that comes in today is about last month.
/// What is merged into another one is told by that.
const OPENED: &str = "i.first_seen >= :from AND i.first_seen < :to AND i.merged_into IS NULL";

const WEB: &str = " AND i.family IN ('sqli', 'nosqli', 'xss', 'traversal', 'rfi', 'cmdi', 'ssti', 'php', 'java', \
    'deserialization', 'xxe', 'ldap', 'ssrf', 'jwt', 'csrf', 'header_injection', 'redirect', 'upload')";

/// Names that several people use, or none.
const SHARED: &str = "LOWER(TRIM(a.actor)) IN ('', '-', 'admin', 'administrator', 'root', 'shared', 'test', 'guest', \
    'user', 'users', 'team', 'support', 'operator', 'demo', 'anonymous', 'unknown', 'nobody')";
/// Such a name, and no exception for it is in force.
fn shared_unexcused() -> String {
    format!(
        "({SHARED} AND NOT EXISTS (SELECT 1 FROM register_entry r WHERE r.kind = 'exception' \
         AND r.subject = 'account/' || a.actor AND r.opened_at < :end AND r.due_at > :end))"
    )
}

const NAMELESS: &str = "LOWER(TRIM(a.actor)) IN ('', '-', 'unknown', 'anonymous', 'nobody')";

/// How many steps the playbook of an incident has.
fn steps() -> String {
    let of = |family: &AttackFamily| format!("WHEN '{family}' THEN {}", steps_of(*family));
    let families: Vec<String> = AttackFamily::ALL.iter().map(of).collect();
    format!("CASE i.family {} ELSE 1 END", families.join(" "))
}

fn incidents(ask: &EvidenceAsk, extra: &str, exception: &str, warning: &str, basis: &str) -> Question {
    let mut population = format!("{OPENED}{extra}");
    if !ask.params.families.is_empty() {
        population.push_str(" AND i.family IN :families");
    }
    if ask.params.severity_min.is_some() {
        population.push_str(" AND i.severity >= :severity");
    }
    Question {
        table: "incident i".to_owned(),
        population,
        exception: exception.to_owned(),
        warning: warning.to_owned(),
        order: "i.number",
        columns: INCIDENT,
        basis: basis.to_owned(),
    }
}

/// The terms with `api_usage` are those of the indexes for evidence: SQLite takes an index over a part of the rows only where
/// the question has its condition literally.
fn events(condition: &str, exception: &str, basis: &str) -> Question {
    Question {
        table: "event e".to_owned(),
        population: format!("e.at >= :from AND e.at < :to{condition}"),
        exception: exception.to_owned(),
        warning: String::new(),
        order: BY_TIME,
        columns: EVENT,
        basis: basis.to_owned(),
    }
}

fn audit(extra: &str, exception: &str, warning: &str, basis: &str) -> Question {
    Question {
        table: "audit_record a".to_owned(),
        population: format!("a.at >= :from AND a.at < :to{extra}"),
        exception: exception.to_owned(),
        warning: warning.to_owned(),
        order: "a.seq",
        columns: AUDIT,
        basis: basis.to_owned(),
    }
}

fn jobs(population: &str, exception: &str, warning: &str, basis: &str) -> Question {
    Question {
        table: "job_run j".to_owned(),
        population: population.to_owned(),
        exception: exception.to_owned(),
        warning: warning.to_owned(),
        order: "j.started_at, j.id",
        columns: JOB,
        basis: basis.to_owned(),
    }
}

/// People by what they did; `condition` chooses from `table`. Grouped by the column itself first, which an index of the trail
/// does without sorting, then the nameless into one. The sign before the time keeps SQLite to that index; events have one of
/// their category and time.
fn people(table: &str, condition: &str, exception: String, warning: &str, basis: &str) -> Question {
    let at = if table == "event" { "x.at" } else { "+x.at" };
    Question {
        table: format!(
            "(SELECT COALESCE(y.actor, '') AS actor, CAST(SUM(y.n) AS BIGINT) AS n, MIN(y.first) AS first, MAX(y.last) AS last \
             FROM (SELECT x.actor AS actor, COUNT(*) AS n, MIN(x.at) AS first, MAX(x.at) AS last FROM {table} x \
             WHERE {at} >= :from AND {at} < :to AND {condition} GROUP BY x.actor) y GROUP BY COALESCE(y.actor, '')) a"
        ),
        population: "1 = 1".to_owned(),
        exception,
        warning: warning.to_owned(),
        order: "a.actor",
        columns: PERSON,
        basis: basis.to_owned(),
    }
}

/// The question of one table, or `None` for those that need more than one statement.
pub(super) fn of(ask: &EvidenceAsk) -> Option<Question> {
    if let Some(question) = entries::of(ask) {
        return Some(question);
    }
    of_incidents(ask).or_else(|| of_events(ask)).or_else(|| of_the_trail(ask)).or_else(|| of_the_rest(ask))
}

fn of_incidents(ask: &EvidenceAsk) -> Option<Question> {
    use EvidenceQuery as Q;
    Some(match ask.query {
        Q::BruteForceIncidents => incidents(
            ask,
            " AND i.family = 'brute_force'",
            "(i.verdict = 'unjudged' AND NOT EXISTS (SELECT 1 FROM block b WHERE b.state <> 'failed' AND \
             (b.incident_id = i.id OR (b.low <= i.entity_ip AND b.high >= i.entity_ip AND b.expires_at > i.first_seen))))",
            "",
            "brute-force incidents whose first evidence lies in the period; exceptions have no verdict, and no block covers their source",
        ),
        // One that may still be answered in time says nothing yet.
        Q::IncidentsAcknowledged => incidents(
            ask,
            " AND (i.acknowledged_at IS NOT NULL OR i.acknowledge_due < :now)",
            "(i.acknowledged_at IS NULL OR i.acknowledged_at > i.acknowledge_due)",
            "",
            "incidents whose first evidence lies in the period that are acknowledged or whose acknowledge clock ran out; exceptions are late",
        ),
        Q::IncidentsResolved => incidents(
            ask,
            " AND (i.resolved_at IS NOT NULL OR i.resolve_due < COALESCE(i.paused_since, :now))",
            "(i.resolved_at IS NULL OR i.resolved_at > i.resolve_due)",
            "",
            "incidents whose first evidence lies in the period that are resolved or whose resolve clock ran out; exceptions are late",
        ),
        Q::IncidentsJudged => incidents(
            ask,
            " AND i.resolved_at IS NOT NULL",
            "(i.verdict = 'unjudged' OR COALESCE(i.verdict_reason, '') = '')",
            "",
            "incidents whose first evidence lies in the period and resolved; exceptions have no verdict or no reason for it",
        ),
        Q::IncidentsAssigned => incidents(
            ask,
            " AND i.severity >= 3",
            "i.assignee IS NULL",
            "",
            "high and critical incidents whose first evidence lies in the period; exceptions have no assignee",
        ),
        Q::WebAttackIncidents => incidents(
            ask,
            WEB,
            "i.active = 1",
            "",
            "incidents of injection, traversal and scripting whose first evidence lies in the period; exceptions are not resolved",
        ),
        Q::IncidentsConfirmedOpen => incidents(
            ask,
            "",
            "(i.verdict = 'true_positive' AND i.active = 1)",
            "i.verdict = 'true_positive'",
            "incidents whose first evidence lies in the period; exceptions are confirmed attacks still active, warnings confirmed and resolved",
        ),
        Q::IncidentsComplete => incidents(
            ask,
            " AND i.resolved_at IS NOT NULL",
            "(COALESCE(i.assignee, '') = '' OR i.acknowledged_at IS NULL OR i.verdict = 'unjudged' \
             OR COALESCE(i.verdict_reason, '') = '' \
             OR NOT EXISTS (SELECT 1 FROM incident_timeline l WHERE l.incident_id = i.id AND l.kind = 'status'))",
            "",
            "resolved incidents whose first evidence lies in the period; exceptions lack owner, acknowledgement, verdict, closing reason or status history",
        ),
        Q::PlaybooksFollowed => Question {
            columns: STEPS,
            ..incidents(
                ask,
                " AND i.resolved_at IS NOT NULL",
                &format!(
                    "({CHECKED} < {} AND NOT (i.verdict IN ('false_positive', 'duplicate') \
                     AND COALESCE(i.verdict_reason, '') <> ''))",
                    steps()
                ),
                "",
                "resolved incidents whose first evidence lies in the period; exceptions have steps of the playbook of their family \
                 that nobody checked, and were not judged false positive or duplicate with a reason",
            )
        },
        Q::IncidentsReviewed => incidents(
            ask,
            " AND i.resolved_at IS NOT NULL",
            "(i.resolved_at + :warn < :end AND NOT EXISTS (SELECT 1 FROM register_entry r \
             WHERE r.kind = 'incident_review' AND r.subject = 'incident/' || CAST(i.number AS TEXT) \
             AND r.closed_at <= i.resolved_at + :warn))",
            "(i.resolved_at + :good < :end AND NOT EXISTS (SELECT 1 FROM register_entry r \
             WHERE r.kind = 'incident_review' AND r.subject = 'incident/' || CAST(i.number AS TEXT) \
             AND r.closed_at <= i.resolved_at + :good))",
            "resolved incidents whose first evidence lies in the period; exceptions have no review in the register within the longer time, warnings none within the shorter",
        ),
        Q::FalsePositives => incidents(
            ask,
            " AND i.verdict <> 'unjudged'",
            "i.verdict = 'false_positive'",
            "",
            "judged incidents whose first evidence lies in the period; exceptions were false alarms",
        ),
        Q::BreachDecided => incidents(
            ask,
            " AND i.resolved_at IS NOT NULL",
            "(i.resolved_at + :good < :end AND NOT EXISTS (SELECT 1 FROM register_entry r \
             JOIN register_field f ON f.entry_id = r.id AND f.name = 'decision' AND TRIM(f.value) <> '' \
             WHERE r.kind = 'breach' AND r.subject = 'incident/' || CAST(i.number AS TEXT)))",
            "NOT EXISTS (SELECT 1 FROM register_entry r \
             JOIN register_field f ON f.entry_id = r.id AND f.name = 'decision' AND TRIM(f.value) <> '' \
             WHERE r.kind = 'breach' AND r.subject = 'incident/' || CAST(i.number AS TEXT))",
            "resolved incidents whose first evidence lies in the period; exceptions have no decision on personal data in the register, warnings not yet",
        ),
        _ => return None,
    })
}

fn of_events(ask: &EvidenceAsk) -> Option<Question> {
    use EvidenceQuery as Q;
    let category = if ask.params.category.is_some() { " AND e.category = :category" } else { "" };
    Some(match ask.query {
        Q::AuthenticationEvents => events(
            " AND e.category = 'authentication' AND e.category <> 'api_usage'",
            "e.outcome = 'failure'",
            "authentication events of the period, one that tells of repeats counted once; exceptions failed; rows are users",
        ),
        Q::AuthorizationEvents => events(
            " AND e.category = 'authorization' AND e.category <> 'api_usage'",
            "e.outcome = 'failure'",
            "authorization events of the period, one that tells of repeats counted once; exceptions failed",
        ),
        Q::DataAccessEvents => events(
            " AND e.category = 'data_access' AND e.category <> 'api_usage'",
            "e.outcome = 'failure'",
            "data access events of the period, one that tells of repeats counted once; exceptions failed",
        ),
        Q::EventsNamed => events(
            category,
            "LOWER(TRIM(COALESCE(e.actor, ''))) IN ('', '-', 'anonymous', 'unknown')",
            "events of the period; exceptions name no person",
        ),
        Q::EventsComplete => events(
            category,
            "(TRIM(COALESCE(e.actor, '')) IN ('', '-') OR e.source_ip IS NULL OR TRIM(COALESCE(e.endpoint, '')) = '' \
             OR e.outcome = 'unknown')",
            "events of the period (each has what and when by its form); exceptions lack who, where from, on what or the result",
        ),
        Q::FailureRuns => Question {
            table: "(SELECT x.actor AS actor, COUNT(*) AS n, MIN(x.at) AS first, MAX(x.at) AS last FROM event x \
                    WHERE x.category = 'authentication' AND x.category <> 'api_usage' AND x.outcome = 'failure' AND COALESCE(x.actor, '') <> '' \
                    AND x.at >= :from AND x.at < :to GROUP BY x.actor, x.at / 1800000000) a"
                .to_owned(),
            population: "1 = 1".to_owned(),
            exception: "(a.n > :minimum AND NOT EXISTS (SELECT 1 FROM event y JOIN incident_event v ON v.event_id = y.id \
                        WHERE y.actor = a.actor AND y.at >= a.first AND y.at <= a.last + 1800000000))"
                .to_owned(),
            warning: String::new(),
            order: "a.first, a.actor",
            columns: RUN,
            basis: "failed sign-ins by account and half hour; exceptions are more than the limit and no incident took them up".to_owned(),
        },
        Q::AccountsPersonal => people(
            "event",
            "x.category = 'authentication' AND x.category <> 'api_usage' AND x.outcome = 'success'",
            shared_unexcused(),
            SHARED,
            "accounts that signed in during the period; exceptions are shared or nameless, warnings have an exception in force in the register",
        ),
        _ => return None,
    })
}

fn of_the_trail(ask: &EvidenceAsk) -> Option<Question> {
    use EvidenceQuery as Q;
    Some(match ask.query {
        Q::AuditRecordsNamed => audit(
            if ask.params.permission.is_some() { " AND a.permission = :permission" } else { "" },
            NAMELESS,
            "",
            "audit records of the period (what the engine does carries its name); exceptions name nobody",
        ),
        Q::AuditVerifications => audit(
            " AND a.action = 'audit_verify' AND a.outcome <> 'started'",
            "a.outcome <> 'success'",
            "",
            "full verifications of the audit trail in the period; exceptions failed",
        ),
        Q::AuditVerificationFresh => {
            let newest = "NOT EXISTS (SELECT 1 FROM audit_record b WHERE b.action = 'audit_verify' \
                AND b.outcome = 'success' AND b.at < :end AND b.seq > a.seq)";
            Question {
                population: "a.action = 'audit_verify' AND a.outcome = 'success' AND a.at < :end".to_owned(),
                ..audit(
                    "",
                    &format!("(a.at + :warn < :end AND {newest})"),
                    &format!("(a.at + :good < :end AND {newest})"),
                    "successful verifications of the audit trail up to the end of the period; the newest is judged by its age",
                )
            }
        }
        Q::AuditSigned => {
            let covered = "COALESCE((SELECT c.at FROM audit_checkpoint c WHERE c.size > a.seq ORDER BY c.size LIMIT 1), :end)";
            audit(
                " AND a.outcome = 'success' AND a.permission IN ('triage', 'contain', 'maintain', 'report', 'admin')",
                &format!("({covered} - a.at > :warn OR {SHARED})"),
                &format!("{covered} - a.at > :good"),
                "decisive actions of the period; exceptions name nobody or an account that several people use, or were not covered by a signed checkpoint within the longer time, warnings within the shorter",
            )
        }
        Q::ActorsPersonal => people(
            "audit_record",
            match ask.params.permission {
                Some(_) => "x.outcome = 'success' AND x.permission = :permission",
                None => "x.outcome = 'success' AND x.permission IN ('maintain', 'report', 'admin')",
            },
            shared_unexcused(),
            SHARED,
            "accounts that maintained, reported or administered during the period; exceptions are shared or nameless, warnings have an exception in force in the register",
        ),
        Q::ActionsGranted => {
            let grants: Vec<String> = Role::ALL
                .iter()
                .flat_map(|role| {
                    role.permissions().iter().map(move |permission| format!("'{role} {permission}'"))
                })
                .collect();
            let ungranted = format!("(a.role || ' ' || a.permission) NOT IN ({})", grants.join(", "));
            Question {
                columns: ACTION,
                ..audit(
                    " AND a.outcome IN ('success', 'denied')",
                    &format!("(a.outcome = 'success' AND a.role IS NOT NULL AND {ungranted})"),
                    "(a.outcome = 'success' AND a.role IS NULL)",
                    "actions of the period that were allowed or refused; exceptions were allowed though the role has no such \
                     permission, warnings were recorded before roles were kept",
                )
            }
        }
        Q::ConfigurationChanges => audit(
            " AND a.permission = 'admin' AND a.outcome <> 'started'",
            "a.outcome <> 'success'",
            "",
            "audit records of the period that used the permission to administer; exceptions were refused or failed",
        ),
        Q::AdminsApproved => {
            let kind = ask.params.kind.unwrap_or(RegisterKind::PrivilegedAccount);
            // What stands until a newer entry says otherwise is closed when it is written.
            let in_force = match kind {
                RegisterKind::LogReader => "r.result <> 'bad'",
                _ => "(r.closed_at IS NULL OR r.closed_at > :from)",
            };
            people(
                "audit_record",
                match ask.params.permission {
                    Some(_) => {
                        "x.permission = :permission AND x.outcome <> 'denied' AND COALESCE(x.actor, '') NOT IN ('engine', 'watchpost')"
                    }
                    None => "x.permission = 'admin' AND x.outcome <> 'denied'",
                },
                format!(
                    "NOT EXISTS (SELECT 1 FROM register_entry r WHERE r.kind = '{kind}' AND r.subject = 'account/' || a.actor \
                     AND TRIM(r.approver) <> '' AND r.opened_at < :end AND {in_force} AND NOT {} \
                     AND NOT EXISTS (SELECT 1 FROM register_entry s WHERE s.kind = r.kind AND s.subject = r.subject \
                     AND s.opened_at >= r.opened_at AND s.opened_at <= :from AND {}))",
                    entries::retired("r"),
                    entries::retired("s")
                ),
                "",
                "people who used the permission in the period (to administer, where none is named); exceptions have no approval in the register, or one that was retired before the period",
            )
        }
        _ => return None,
    })
}

fn of_the_rest(ask: &EvidenceAsk) -> Option<Question> {
    use EvidenceQuery as Q;
    Some(match ask.query {
        Q::BlocksJustified => Question {
            table: "block b".to_owned(),
            population: "b.created_at >= :from AND b.created_at < :to".to_owned(),
            exception: "(TRIM(b.reason) = '' OR b.expires_at <= b.created_at OR b.state = 'failed')".to_owned(),
            warning: String::new(),
            order: "b.created_at, b.id",
            columns: BLOCK,
            basis: "blocks created in the period; exceptions have no reason or no end, or could not be put in force"
                .to_owned(),
        },
        Q::RetentionRuns => jobs(
            "j.kind = 'retention' AND j.state <> 'running' AND j.started_at >= :from AND j.started_at < :to",
            "j.state <> 'done'",
            "",
            "runs of the retention job begun in the period and ended; exceptions failed or were cancelled",
        ),
        Q::RetentionFresh => {
            let newest = "NOT EXISTS (SELECT 1 FROM job_run k WHERE k.kind = 'retention' AND k.state = 'done' \
                AND k.started_at < :end AND k.started_at > j.started_at)";
            jobs(
                "j.kind = 'retention' AND j.state = 'done' AND j.started_at < :end",
                &format!("(j.started_at + :warn < :end AND {newest})"),
                &format!("(j.started_at + :good < :end AND {newest})"),
                "successful runs of the retention job up to the end of the period; the newest is judged by its age",
            )
        }
        Q::PayloadsSealed => Question {
            table: "audit_payload p".to_owned(),
            population: "1 = 1".to_owned(),
            // A nonce of XChaCha20 is 24 bytes; a seal is at least its own 16.
            exception: "(LENGTH(p.nonce) <> 24 OR LENGTH(p.sealed) <= 16 OR p.key_id = '')".to_owned(),
            warning: String::new(),
            order: "p.seq",
            columns: PAYLOAD,
            basis: "protected payloads of the audit trail as stored now; exceptions are not sealed under a key".to_owned(),
        },
        Q::ReportsTraceable => Question {
            table: "report r".to_owned(),
            population: "r.made_at >= :from AND r.made_at < :to".to_owned(),
            exception: "NOT EXISTS (SELECT 1 FROM report_content c WHERE c.report_id = r.id)".to_owned(),
            warning: String::new(),
            order: "r.made_at, r.id",
            columns: REPORT,
            basis: "reports made in the period; exceptions do not have their content kept under its hash".to_owned(),
        },
        _ => return None,
    })
}
