//! Writes a sample report in every format into the folder given, from made-up answers: for looking at the layout.
//!
//! `cargo run -p watchpost-report --example sample_report -- FOLDER [FRAMEWORK]`

use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;

use chrono::{DateTime, Duration, Utc};
use watchpost_model::event::Severity;
use watchpost_model::evidence::{EvidenceAnswer, EvidenceQuery};
use watchpost_model::overview::{Histogram, Series};
use watchpost_model::period::Period;
use watchpost_report::{
    ChartData, Framework, LogHead, Scope, SeverityCount, evaluate, render_csv, render_json, render_markdown,
    render_pdf, write_atomically,
};

const DAYS: u64 = 31;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("give a folder")?);
    let id = arguments.next().unwrap_or_else(|| "soc2".to_owned());
    let framework = Framework::by_id(&id).ok_or("no such framework")?;
    std::fs::create_dir_all(&folder)?;

    let start: DateTime<Utc> = "2026-10-01T00:00:00Z".parse()?;
    let answers: BTreeMap<EvidenceQuery, EvidenceAnswer> = EvidenceQuery::ALL
        .iter()
        .filter(|query| **query != EvidenceQuery::WebAttackIncidents)
        .map(|query| (*query, answer(*query, start)))
        .collect();
    let document = evaluate(&framework, scope(start)?, &answers, charts(start));
    let files = [
        ("json", render_json(&document)?.into_bytes()),
        ("csv", render_csv(&document)?),
        ("md", render_markdown(&document)?.into_bytes()),
        ("pdf", render_pdf(&document)?),
    ];
    for (extension, bytes) in files {
        write_atomically(&folder.join(format!("{id}.{extension}")), &bytes)?;
    }
    Ok(())
}

fn scope(start: DateTime<Utc>) -> Result<Scope, Box<dyn Error>> {
    Ok(Scope {
        organisation: "Nordhafen Logistics GmbH".to_owned(),
        workspace: "production (redis-sec-1.nordhafen.example, watchpost on PostgreSQL)".to_owned(),
        period: Period::new(start, start + Duration::days(DAYS as i64))?,
        generated_at: start + Duration::days(DAYS as i64) + Duration::minutes(492),
        generated_by: "m.okafor".to_owned(),
        generator: "Watchpost 0.1.0".to_owned(),
        log: LogHead {
            id: "watchpost.nordhafen/audit/018f2a6c".to_owned(),
            size: 18_204,
            root: "9b74c9897bac770ffc029102a200c5de0b1f9c2f6b1a2c7d4f8e3a5b6c7d8e9f".to_owned(),
        },
        sources: vec![
            "Redis event store".to_owned(),
            "audit database".to_owned(),
            "3 applications".to_owned(),
        ],
    })
}

/// A small repeatable scatter; no chance is needed for a sample.
fn scatter(seed: u64, most: u64) -> u64 {
    let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x51_7c_c1;
    x ^= x >> 29;
    x = x.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (x ^ (x >> 32)) % most.max(1)
}

fn answer(query: EvidenceQuery, start: DateTime<Utc>) -> EvidenceAnswer {
    use EvidenceQuery as Q;
    let (population, exceptions, columns): (u64, u64, &[&str]) = match query {
        Q::AuthenticationEvents => {
            (18_340, 1_204, &["user", "failures", "successes", "last source", "last seen"])
        }
        Q::DaysWithEvents => (31, 0, &["day", "events"]),
        Q::IncidentsAcknowledged => (42, 5, &["incident", "severity", "title", "opened", "acknowledged"]),
        Q::IncidentsResolved => (40, 11, &["incident", "severity", "title", "opened", "resolved"]),
        Q::BruteForceIncidents => (9, 0, &["incident", "source", "user", "attempts", "block"]),
        Q::AuditVerifications => (4, 0, &["at", "records", "result"]),
        Q::AuditCheckpoints => (310, 0, &["at", "size", "root"]),
        Q::BlocksJustified => (58, 2, &["block", "range", "reason", "expires", "by"]),
        Q::AuditRecordsNamed => (18_204, 0, &["record", "at", "by", "action"]),
        Q::AuthorizationEvents => (6_120, 140, &["user", "resource", "denied", "last seen"]),
        Q::DataAccessEvents => (4_410, 12, &["user", "resource", "action", "at"]),
        Q::IncidentsJudged => (38, 1, &["incident", "resolved", "by", "verdict", "reason"]),
        Q::IncidentsAssigned => (12, 0, &["incident", "severity", "assignee"]),
        Q::RetentionRuns => (0, 0, &["at", "type", "removed"]),
        Q::ConfigurationChanges => (6, 0, &["at", "by", "what", "result"]),
        Q::WebAttackIncidents => (0, 0, &["incident"]),
    };
    let n_rows = if exceptions > 0 { exceptions.min(60) } else { population.min(10) };
    let rows =
        (0..n_rows).map(|n| columns.iter().map(|column| cell(query, column, n, start)).collect()).collect();
    EvidenceAnswer {
        query,
        population,
        exceptions,
        columns: columns.iter().map(ToString::to_string).collect(),
        rows,
        basis: format!(
            "All records of the kind {query} between the bounds of the period, each counted once by its id; exceptions \
             are those that the rule names."
        ),
    }
}

fn cell(query: EvidenceQuery, column: &str, n: u64, start: DateTime<Utc>) -> String {
    let at = start + Duration::seconds((n * 37_123 + scatter(n, 30_000)) as i64);
    let time = at.format("%Y-%m-%d %H:%M:%S").to_string();
    let people = [
        "a.lindqvist",
        "m.okafor",
        "svc-export",
        "=cmd|'/c calc'!A1",
        "j.pérez",
        "admin' OR 1=1--",
        "日本 user",
    ];
    match column {
        "user" | "by" | "assignee" => people[scatter(n + 3, 7) as usize].to_owned(),
        "last source" | "source" => format!("203.0.113.{}", scatter(n, 250)),
        "range" => format!("198.51.{}.0/24", scatter(n, 250)),
        "incident" => format!("#{}", 1_000 + n),
        "record" | "size" => (9_000 + n * 31).to_string(),
        "severity" => ["critical", "high", "medium", "low"][scatter(n, 4) as usize].to_owned(),
        "title" => "SQL injection in query of /api/v2/shipments/search".to_owned(),
        "resource" => {
            format!("/api/v2/shipments/{}/documents?include=customs,carrier&fields=all", 40_000 + n)
        }
        "day" => (start + Duration::days(n as i64)).format("%Y-%m-%d").to_string(),
        "failures" | "successes" | "events" | "attempts" | "denied" | "removed" | "records" => {
            (1 + scatter(n * 7 + column.len() as u64, 900)).to_string()
        }
        "root" => format!("{:016x}{:016x}", scatter(n, u64::MAX), scatter(n + 1, u64::MAX)),
        "reason" => "password guessing against three accounts within two minutes".to_owned(),
        "block" => format!("active, {} h", 4 + n),
        "verdict" => "unjudged".to_owned(),
        "result" | "type" => "ok".to_owned(),
        "what" | "action" => query.as_str().replace('_', " "),
        _ => time,
    }
}

fn charts(start: DateTime<Utc>) -> ChartData {
    let series = |name: &str, base: u64, spread: u64, seed: u64| Series {
        name: name.to_owned(),
        counts: (0..DAYS)
            .map(|day| {
                let weekend = day % 7 == 2 || day % 7 == 3;
                let level = if weekend { base / 4 } else { base };
                level + scatter(day * 13 + seed, spread)
            })
            .collect(),
    };
    let mut failure = series("failure", 20, 15, 5);
    failure.counts[12] = 310;
    failure.counts[13] = 190;
    ChartData {
        authentication: Histogram {
            start,
            bucket_s: 86_400,
            series: vec![series("success", 640, 90, 1), failure],
        },
        by_category: Histogram {
            start,
            bucket_s: 86_400,
            series: vec![
                series("authentication", 660, 100, 1),
                series("authorization", 230, 40, 2),
                series("data_access", 160, 40, 3),
                series("configuration", 6, 6, 4),
                series("api_usage", 2_300, 600, 5),
            ],
        },
        incidents_by_severity: vec![
            SeverityCount { severity: Severity::Critical, incidents: 2 },
            SeverityCount { severity: Severity::High, incidents: 10 },
            SeverityCount { severity: Severity::Medium, incidents: 21 },
            SeverityCount { severity: Severity::Low, incidents: 9 },
        ],
    }
}
