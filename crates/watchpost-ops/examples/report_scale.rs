//! A SOC 2 report over a large database: `report_scale FILE EVENTS RECORDS` fills a SQLite file up to so many events of 90 days
//! and audit records, or takes one that has as many as it is, then evaluates the framework on one snapshot and draws it.
#![expect(clippy::print_stdout, reason = "a command-line tool")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Duration, Utc};
use watchpost_model::access::{Caller, Origin, Permission, Role};
use watchpost_model::audit::{AuditDraft, AuditOutcome};
use watchpost_model::clock::ManualClock;
use watchpost_model::event::{Category, Event, Outcome};
use watchpost_model::ids::EventId;
use watchpost_model::period::Period;
use watchpost_report::{
    ChartData, Framework, LogHead, Scope, evaluate, render_json, render_pdf, sample_seed, write_csv,
};
use watchpost_store::{DatabaseTarget, EventFilter, IngestBatch, Store};

const DAYS: i64 = 90;
const BATCH: u32 = 10_000;

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let (Some(path), Some(events), Some(records)) = (arguments.next(), arguments.next(), arguments.next())
    else {
        return Err("say a file, a number of events and a number of audit records".into());
    };
    let (events, records): (u32, u32) = (events.parse()?, records.parse()?);
    let path = PathBuf::from(path);
    let from: DateTime<Utc> = "2026-01-01T00:00:00Z".parse()?;
    let period = Period { from, to: from + Duration::days(DAYS) };
    let clock = Arc::new(ManualClock::new(period.to));
    let store = Store::open(&DatabaseTarget::Sqlite { path: path.clone() }, clock).await?;
    let started = Instant::now();
    fill(&store, period, events, records).await?;
    println!("filled in {:.1} s", started.elapsed().as_secs_f64());
    println!("file of {} MB", std::fs::metadata(&path)?.len() / 1_000_000);
    // Twice: the second time the pages that it needs are in the memory of the system.
    for turn in ["first", "second"] {
        report(&store, period, turn).await?;
    }
    store.close().await;
    Ok(())
}

async fn report(store: &Store, period: Period, turn: &str) -> Result<(), Failure> {
    let started = Instant::now();
    let snapshot = store.snapshot().await?;
    let head = snapshot.audit_head().await?;
    let scope = Scope {
        organisation: "Example Shop GmbH".to_owned(),
        workspace: "scale".to_owned(),
        period,
        generated_at: period.to,
        earlier: 0,
        generated_by: "report_scale".to_owned(),
        generator: format!("Watchpost {}", env!("CARGO_PKG_VERSION")),
        log: LogHead { id: head.log_id, size: head.size, root: head.root },
        sources: vec!["SQLite".to_owned()],
    };
    let framework = Framework::by_id("soc2").ok_or("the framework is built in")?;
    let (mut answers, mut slowest) = (BTreeMap::new(), Vec::new());
    for ask in framework.asks() {
        let seed = sample_seed(&scope, &framework.id, &ask);
        let asked = Instant::now();
        let answer = snapshot.evidence(&ask, period, period.to, &seed).await?;
        slowest.push((asked.elapsed(), ask.query.as_str()));
        answers.insert(ask, answer);
    }
    let proofs = snapshot.proofs(&framework.id, period.to, 10_000).await?.0;
    let asked = Instant::now();
    let charts = snapshot.report_charts(period, period.to).await?;
    slowest.push((asked.elapsed(), "charts"));
    let charts = ChartData {
        authentication: charts.authentication,
        by_category: charts.by_category,
        incidents_by_severity: Vec::new(),
        incidents_by_age: Vec::new(),
        by_hour: charts.by_hour,
    };
    let asked_in = started.elapsed();
    let document = evaluate(&framework, scope, &answers, &proofs, Some(charts));
    let json = render_json(&document)?;
    let pdf = render_pdf(&document)?;
    let mut csv = Vec::new();
    write_csv(&document, &mut csv)?;
    println!(
        "{turn}: {:.2} s in all, {:.2} s of it {} questions; JSON {} kB, PDF {} kB, CSV {} kB; log of {} records; peak memory {}",
        started.elapsed().as_secs_f64(),
        asked_in.as_secs_f64(),
        answers.len(),
        json.len() / 1_000,
        pdf.len() / 1_000,
        csv.len() / 1_000,
        document.scope.log.size,
        peak(),
    );
    slowest.sort_by_key(|one| std::cmp::Reverse(one.0));
    for (took, what) in slowest.iter().take(8) {
        println!("  {:>8.3} s  {what}", took.as_secs_f64());
    }
    Ok(())
}

fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "unknown".to_owned(), |line| line.trim().to_owned())
}

async fn fill(store: &Store, period: Period, events: u32, records: u32) -> Result<(), Failure> {
    let step = (period.to - period.from) / i32::try_from(events.max(1))?;
    // What was stopped goes on where it was.
    let filter = EventFilter { period: Some(period), ..EventFilter::default() };
    let mut next = u32::try_from(store.event_count(&filter).await?)?;
    while next < events {
        let until = events.min(next + BATCH);
        let batch: Vec<(Event, String)> =
            (next..until).map(|n| event(n, period.from + step * i32::try_from(n).unwrap_or(0))).collect();
        store.ingest(IngestBatch { events: &batch, findings: &[], now: period.from }).await?;
        next = until;
    }
    let step = (period.to - period.from) / i32::try_from(records.max(1))?;
    let there = u32::try_from(store.audit_head().await?.size)?;
    for n in there..records {
        store.audit_append(record(n, period.from + step * i32::try_from(n)?)).await?;
    }
    Ok(())
}

fn event(n: u32, at: DateTime<Utc>) -> (Event, String) {
    let (category, kind) = match n % 20 {
        0..=2 => (Category::Authentication, "login"),
        3 => (Category::Authorization, "permission_check"),
        4..=6 => (Category::DataAccess, "record_viewed"),
        7 if n.is_multiple_of(700) => (Category::Configuration, "setting_changed"),
        _ => (Category::ApiUsage, "request"),
    };
    let mut event = Event::new(EventId::at(at), at, category, kind);
    event.outcome = if n.is_multiple_of(37) { Outcome::Failure } else { Outcome::Success };
    event.source_ip = Some(format!("203.0.113.{}", n % 250));
    event.actor = Some(format!("user{}", n % 900));
    event.resource = Some(format!("/api/items/{}", n % 3_000));
    (event, format!("security:scale:{n}"))
}

fn record(n: u32, at: DateTime<Utc>) -> AuditDraft {
    let (action, permission) = match n % 10 {
        0 => ("block_add", Permission::Contain),
        1 => ("settings_put", Permission::Admin),
        _ => ("incident_take", Permission::Triage),
    };
    AuditDraft {
        caller: Caller {
            name: format!("analyst{}", n % 7),
            role: Role::Admin,
            origin: Origin::Cli,
            host: "scale".to_owned(),
        },
        action: action.to_owned(),
        object: format!("incident/{n}"),
        permission,
        outcome: AuditOutcome::Success,
        changes: Vec::new(),
        reason: Some("as the playbook says".to_owned()),
        at,
        risk: 10,
    }
}
