//! Answers to the named questions of the compliance frameworks. One consistent read for each answer.

use chrono::{DateTime, SecondsFormat, Utc};
use watchpost_model::evidence::{EvidenceAnswer, EvidenceQuery};
use watchpost_model::period::Period;

use crate::audit::verify::unconfirmed_checkpoints;
use crate::engine::{Row, Tx, Value, args, micros};
use crate::error::StoreError;
use crate::event::severity_of;
use crate::rollup::bucket_of;
use crate::store::Store;

/// Exceptions told at most, and members of the population if there are no exceptions.
const EXCEPTIONS_MAX: i64 = 500;
const MEMBERS_MAX: i64 = 25;
const DAY: i64 = 86_400 * 1_000_000;

/// How a column is read.
#[derive(Clone, Copy)]
enum Cell {
    Text,
    Number,
    Time,
    Severity,
}

type Column = (&'static str, &'static str, Cell);

/// A question that one table answers. In the conditions `$1` and `$2` are the period, `$3` is now.
struct Question {
    table: &'static str,
    population: String,
    exception: &'static str,
    order: &'static str,
    columns: &'static [Column],
    basis: &'static str,
}

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
const JOB: &[Column] = &[
    ("id", "j.id", Cell::Text),
    ("state", "j.state", Cell::Text),
    ("started", "j.started_at", Cell::Time),
    ("ended", "j.ended_at", Cell::Time),
];

/// Incidents belong to the period of their first evidence: a log of last month that comes in today is about last month.
/// What is merged into another one is told by that.
const OPENED: &str = "i.first_seen >= $1 AND i.first_seen < $2 AND i.merged_into IS NULL";

fn incidents(extra: &str, exception: &'static str, basis: &'static str) -> Question {
    Question {
        table: "incident i",
        population: format!("{OPENED}{extra}"),
        exception,
        order: "i.number",
        columns: INCIDENT,
        basis,
    }
}

fn events(category: &'static str, basis: &'static str) -> Question {
    Question {
        table: "event e",
        population: format!("e.category = '{category}' AND e.at >= $1 AND e.at < $2"),
        exception: "e.outcome = 'failure'",
        order: "e.at",
        columns: EVENT,
        basis,
    }
}

fn audit(extra: &str, exception: &'static str, basis: &'static str) -> Question {
    Question {
        table: "audit_record a",
        population: format!("a.at >= $1 AND a.at < $2{extra}"),
        exception,
        order: "a.seq",
        columns: AUDIT,
        basis,
    }
}

fn blocks() -> Question {
    Question {
        table: "block b",
        population: "b.created_at >= $1 AND b.created_at < $2".to_owned(),
        exception: "(TRIM(b.reason) = '' OR b.expires_at <= b.created_at OR b.state = 'failed')",
        order: "b.created_at",
        columns: BLOCK,
        basis: "blocks created in the period; exceptions have no reason or no end, or could not be put in force",
    }
}

fn retention_runs() -> Question {
    Question {
        table: "job_run j",
        population:
            "j.kind = 'retention' AND j.state <> 'running' AND j.started_at >= $1 AND j.started_at < $2"
                .to_owned(),
        exception: "j.state = 'failed'",
        order: "j.started_at",
        columns: JOB,
        basis: "runs of the retention job begun in the period and ended; exceptions failed",
    }
}

/// The question of one table, or `None` for those that need more than one.
fn question(query: EvidenceQuery) -> Option<Question> {
    Some(match query {
        EvidenceQuery::AuthenticationEvents
        | EvidenceQuery::DaysWithEvents
        | EvidenceQuery::AuditCheckpoints => {
            return None;
        }
        EvidenceQuery::BruteForceIncidents => incidents(
            " AND i.family = 'brute_force'",
            "i.verdict = 'unjudged' AND NOT EXISTS (SELECT 1 FROM block b WHERE b.state <> 'failed' AND \
             (b.incident_id = i.id OR (b.low <= i.entity_ip AND b.high >= i.entity_ip AND b.expires_at > i.first_seen)))",
            "brute-force incidents whose first evidence lies in the period; exceptions have no verdict, and no block covers their source",
        ),
        EvidenceQuery::IncidentsAcknowledged => incidents(
            "",
            "(i.acknowledged_at > i.acknowledge_due OR (i.acknowledged_at IS NULL AND i.acknowledge_due < $3))",
            "incidents whose first evidence lies in the period; exceptions were not acknowledged within the clock of their severity",
        ),
        EvidenceQuery::IncidentsResolved => incidents(
            " AND (i.resolved_at IS NOT NULL OR i.resolve_due < COALESCE(i.paused_since, $3))",
            "(i.resolved_at IS NULL OR i.resolved_at > i.resolve_due)",
            "incidents whose first evidence lies in the period that are resolved or whose resolve clock ran out; exceptions are late",
        ),
        EvidenceQuery::IncidentsJudged => incidents(
            " AND i.resolved_at IS NOT NULL",
            "(i.verdict = 'unjudged' OR COALESCE(i.verdict_reason, '') = '')",
            "incidents whose first evidence lies in the period and resolved; exceptions have no verdict or no reason for it",
        ),
        EvidenceQuery::IncidentsAssigned => incidents(
            " AND i.severity >= 3",
            "i.assignee IS NULL",
            "high and critical incidents whose first evidence lies in the period; exceptions have no assignee",
        ),
        EvidenceQuery::WebAttackIncidents => incidents(
            " AND i.family IN ('sqli', 'xss', 'traversal', 'cmdi')",
            "i.active = 1",
            "incidents of injection, traversal and scripting whose first evidence lies in the period; exceptions are not resolved",
        ),
        EvidenceQuery::BlocksJustified => blocks(),
        EvidenceQuery::AuditRecordsNamed => audit(
            "",
            "LOWER(TRIM(a.actor)) IN ('', '-', 'unknown', 'anonymous', 'nobody')",
            "audit records of the period (what the engine does carries its name); exceptions name nobody",
        ),
        EvidenceQuery::AuditVerifications => audit(
            " AND a.action = 'audit_verify' AND a.outcome <> 'started'",
            "a.outcome <> 'success'",
            "full verifications of the audit trail in the period; exceptions failed",
        ),
        EvidenceQuery::ConfigurationChanges => audit(
            " AND a.permission = 'admin' AND a.outcome <> 'started'",
            "a.outcome <> 'success'",
            "audit records of the period that used the permission to administer; exceptions were refused or failed",
        ),
        EvidenceQuery::RetentionRuns => retention_runs(),
        EvidenceQuery::AuthorizationEvents => {
            events("authorization", "authorization events of the period; exceptions failed")
        }
        EvidenceQuery::DataAccessEvents => {
            events("data_access", "data access events of the period; exceptions failed")
        }
    })
}

impl Store {
    /// Answers one question for a period.
    ///
    /// # Errors
    /// What the database says.
    pub async fn evidence(
        &self,
        query: EvidenceQuery,
        period: Period,
        now: DateTime<Utc>,
    ) -> Result<EvidenceAnswer, StoreError> {
        let mut tx = self.read().await?;
        let mut answer = match question(query) {
            Some(question) => ask(&mut tx, query, &question, period, now).await?,
            None if query == EvidenceQuery::AuthenticationEvents => authentication(&mut tx, period).await?,
            None if query == EvidenceQuery::DaysWithEvents => days(&mut tx, period, now).await?,
            None => checkpoints(&mut tx, period).await?,
        };
        answer.basis = format!("{} ({} to {})", answer.basis, time_text(period.from), time_text(period.to));
        Ok(answer)
    }
}

fn time_text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

async fn ask(
    tx: &mut Tx,
    query: EvidenceQuery,
    question: &Question,
    period: Period,
    now: DateTime<Utc>,
) -> Result<EvidenceAnswer, StoreError> {
    let Question { table, population, exception, order, columns, basis } = question;
    let bound = |sql: &str| -> Vec<Value> {
        let mut values = args![period.from, period.to];
        if sql.contains("$3") {
            values.push(now.into());
        }
        values
    };
    let sql =
        format!("SELECT COUNT(*), COUNT(CASE WHEN {exception} THEN 1 END) FROM {table} WHERE {population}");
    let counts = tx.fetch_one(sql.clone(), bound(&sql)).await?;
    let (all, exceptions) = (counts.u64(0)?, counts.u64(1)?);
    let list = columns.iter().map(|(_, expression, _)| *expression).collect::<Vec<_>>().join(", ");
    let sql = if exceptions > 0 {
        format!(
            "SELECT {list} FROM {table} WHERE {population} AND {exception} ORDER BY {order} LIMIT {EXCEPTIONS_MAX}"
        )
    } else {
        format!("SELECT {list} FROM {table} WHERE {population} ORDER BY {order} DESC LIMIT {MEMBERS_MAX}")
    };
    let mut rows = Vec::new();
    for row in tx.fetch(sql.clone(), bound(&sql)).await? {
        rows.push(cells(&row, columns)?);
    }
    Ok(EvidenceAnswer {
        query,
        population: all,
        exceptions,
        columns: columns.iter().map(|(name, _, _)| (*name).to_owned()).collect(),
        rows,
        basis: (*basis).to_owned(),
    })
}

fn cells(row: &Row, columns: &[Column]) -> Result<Vec<String>, StoreError> {
    columns
        .iter()
        .enumerate()
        .map(|(index, (_, _, cell))| {
            Ok(match cell {
                Cell::Text => row.opt_text(index)?.unwrap_or_default(),
                Cell::Number => row.i64(index)?.to_string(),
                Cell::Time => row.opt_time(index)?.map(time_text).unwrap_or_default(),
                Cell::Severity => severity_of(row.i64(index)?)?.as_str().to_owned(),
            })
        })
        .collect()
}

/// Authentication by user: who failed how often.
async fn authentication(tx: &mut Tx, period: Period) -> Result<EvidenceAnswer, StoreError> {
    const WHERE: &str = "FROM event WHERE category = 'authentication' AND at >= $1 AND at < $2";
    const FAILED: &str = "COUNT(CASE WHEN outcome = 'failure' THEN 1 END)";
    let bounds = args![period.from, period.to];
    let counts = tx.fetch_one(format!("SELECT COUNT(*), {FAILED} {WHERE}"), bounds.clone()).await?;
    let exceptions = counts.u64(1)?;
    let tail = if exceptions > 0 {
        format!("HAVING {FAILED} > 0 ORDER BY MIN(at), actor LIMIT {EXCEPTIONS_MAX}")
    } else {
        format!("ORDER BY MAX(at) DESC, actor LIMIT {MEMBERS_MAX}")
    };
    let sql = format!("SELECT actor, COUNT(*), {FAILED}, MIN(at), MAX(at) {WHERE} GROUP BY actor {tail}");
    let columns: &[Column] = &[
        ("user", "", Cell::Text),
        ("events", "", Cell::Number),
        ("failures", "", Cell::Number),
        ("first", "", Cell::Time),
        ("last", "", Cell::Time),
    ];
    let rows = tx.fetch(sql, bounds).await?;
    Ok(EvidenceAnswer {
        query: EvidenceQuery::AuthenticationEvents,
        population: counts.u64(0)?,
        exceptions,
        columns: columns.iter().map(|(name, _, _)| (*name).to_owned()).collect(),
        rows: rows.iter().map(|row| cells(row, columns)).collect::<Result<_, _>>()?,
        basis: "authentication events of the period; exceptions failed; rows are users".to_owned(),
    })
}

/// Days (UTC) of the period up to now, and those without any event.
async fn days(tx: &mut Tx, period: Period, now: DateTime<Utc>) -> Result<EvidenceAnswer, StoreError> {
    let end = period.to.min(now).timestamp_micros();
    let from = period.from.timestamp_micros();
    let mut counts = std::collections::BTreeMap::new();
    let mut day = from.div_euclid(DAY);
    while day * DAY < end {
        counts.insert(day, 0_i64);
        day += 1;
    }
    let rows = tx
        .fetch(
            "SELECT bucket / $3, CAST(SUM(n) AS BIGINT) FROM rollup WHERE bucket >= $1 AND bucket < $2 GROUP BY 1",
            args![bucket_of(from), end, DAY],
        )
        .await?;
    for row in rows {
        if let Some(count) = counts.get_mut(&row.i64(0)?) {
            *count += row.i64(1)?;
        }
    }
    let empty = counts.values().filter(|n| **n == 0).count();
    let row = |(day, n): (&i64, &i64)| -> Result<Vec<String>, StoreError> {
        Ok(vec![micros(*day * DAY)?.format("%Y-%m-%d").to_string(), n.to_string()])
    };
    let rows = if empty > 0 {
        counts.iter().filter(|(_, n)| **n == 0).take(500).map(row).collect::<Result<_, _>>()?
    } else {
        counts.iter().rev().take(25).map(row).collect::<Result<_, _>>()?
    };
    Ok(EvidenceAnswer {
        query: EvidenceQuery::DaysWithEvents,
        population: counts.len() as u64,
        exceptions: empty as u64,
        columns: vec!["day".to_owned(), "events".to_owned()],
        rows,
        basis: "days (UTC) of the period up to now; exceptions have no event".to_owned(),
    })
}

async fn checkpoints(tx: &mut Tx, period: Period) -> Result<EvidenceAnswer, StoreError> {
    let (signed, unconfirmed) =
        Box::pin(unconfirmed_checkpoints(tx, period.from.timestamp_micros(), period.to.timestamp_micros()))
            .await?;
    let shown: Vec<_> = if unconfirmed.is_empty() {
        signed.iter().rev().take(25).collect()
    } else {
        unconfirmed.iter().take(500).collect()
    };
    let columns = ["size", "time", "root", "key"];
    Ok(EvidenceAnswer {
        query: EvidenceQuery::AuditCheckpoints,
        population: signed.len() as u64,
        exceptions: unconfirmed.len() as u64,
        columns: columns.map(str::to_owned).to_vec(),
        rows: shown
            .into_iter()
            .map(|c| vec![c.size.to_string(), time_text(c.at), c.root.clone(), c.key_name.clone()])
            .collect(),
        basis: "checkpoints signed in the period; exceptions are not confirmed by the present tree"
            .to_owned(),
    })
}
