//! Replies as tables or as JSON.

use serde::Serialize;
use watchpost_model::connection::{DatabaseConnection, RedisAddress, host_ports};
use watchpost_model::diagnosis::StepState;
use watchpost_model::health::{Metric, NodeHealth, RedisHealth, Unit, Verdict};
use watchpost_model::ids::ConnectionId;
use watchpost_model::incident::Incident;
use watchpost_model::job::{JobProgress, JobReport, JobRun, JobState};
use watchpost_model::overview::Overview;
use watchpost_model::text::visible;
use watchpost_ops::contract::{
    ConnectionCheck, ConnectionList, EventPage, IncidentPage, JobList, OperationSpec, Settings,
    WorkspaceStatus,
};
use watchpost_ops::secrets::{describe, in_short};

use crate::args::Output;
use crate::health_lists;
use crate::output::{at, json, line, short, table, value};

pub(crate) fn or_dash(text: Option<&String>) -> String {
    text.cloned().unwrap_or_else(|| "-".to_owned())
}

/// JSON, or what `people` prints.
pub(crate) fn either(
    form: Output,
    reply: &impl Serialize,
    people: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    match form {
        Output::Json => json(reply),
        Output::Table => people(),
    }
}

fn redis_place(address: &RedisAddress) -> String {
    match address {
        RedisAddress::Local => "private".to_owned(),
        RedisAddress::Tcp { host, port, tls } => {
            format!("{host}:{port}{}", if tls.is_some() { " (TLS)" } else { "" })
        }
        RedisAddress::Cluster { nodes, tls } => {
            let tls = if tls.is_some() { " (TLS)" } else { "" };
            format!("cluster {}{tls}", host_ports(nodes))
        }
        RedisAddress::Unix { path } => path.clone(),
        RedisAddress::Sentinel { sentinels, master, tls, .. } => {
            let tls = if tls.is_some() { " (TLS)" } else { "" };
            format!("{master} by Sentinel {}{tls}", host_ports(sentinels))
        }
    }
}

fn database_place(database: &DatabaseConnection) -> String {
    match database {
        DatabaseConnection::Sqlite { path: None } => "SQLite in the data folder".to_owned(),
        DatabaseConnection::Sqlite { path: Some(path) } => format!("SQLite {path}"),
        DatabaseConnection::Postgres { host, port, database, username, tls } => {
            let tls = if tls.is_some() { " (TLS)" } else { "" };
            format!("PostgreSQL {database} as {username} at {host}:{port}{tls}")
        }
    }
}

pub(crate) fn connections(form: Output, list: &ConnectionList, chosen: ConnectionId) -> anyhow::Result<()> {
    either(form, list, || {
        table(
            ["", "NAME", "REDIS", "DATABASE", "PRODUCTION", "OBSERVES"],
            list.connections.iter().map(|connection| {
                [
                    if connection.id == chosen { "*" } else { "" }.to_owned(),
                    connection.name.clone(),
                    redis_place(&connection.redis.address),
                    database_place(&connection.database),
                    if connection.production { "yes" } else { "" }.to_owned(),
                    if connection.observe { "yes" } else { "" }.to_owned(),
                ]
            }),
        )?;
        if list.secrets_detail.is_empty() { Ok(()) } else { line(&list.secrets_detail) }
    })
}

pub(crate) fn check(form: Output, check: &ConnectionCheck) -> anyhow::Result<()> {
    either(form, check, || {
        let rows = |part: &'static str, steps: &[watchpost_model::diagnosis::CheckStep]| {
            steps
                .iter()
                .map(|step| {
                    let detail = match &step.hint {
                        Some(hint) => format!("{} - {hint}", step.detail),
                        None => step.detail.clone(),
                    };
                    [part.to_owned(), step.title.clone(), step.state.to_string(), detail]
                })
                .collect::<Vec<_>>()
        };
        table(
            ["PART", "STEP", "RESULT", "DETAIL"],
            rows("redis", &check.redis).into_iter().chain(rows("database", &check.database)),
        )
    })
}

/// The lines of the ACL, each after a line that says what for.
pub(crate) fn acl(form: Output, check: &ConnectionCheck) -> anyhow::Result<()> {
    either(form, &check.acl, || {
        if check.acl.is_empty() {
            return line("the private Redis of the local workspace needs no user");
        }
        let is_unknown = check.acl.iter().any(|acl| acl.purpose.starts_with("from_"));
        if let Some(step) = check.redis.iter().find(|step| is_unknown && step.state == StepState::Failed) {
            line(format!("# {}: {}", step.title, step.detail))?;
        }
        check.acl.iter().try_for_each(|acl| {
            line(format!("# {}", acl.title))?;
            line(&acl.line)
        })
    })
}

fn trail(status: &WorkspaceStatus) -> String {
    match &status.trail {
        None => "no connection open".to_owned(),
        Some(trail) if trail.ok => format!("ok - {}", trail.detail),
        Some(trail) if trail.altered.is_some() => {
            "the log itself holds - A PLACE OF ITS CHECKPOINTS WAS ALTERED".to_owned()
        }
        Some(trail) => format!("DOES NOT HOLD - {}", trail.detail),
    }
}

/// The login with the account beside it, or the account.
fn who(status: &WorkspaceStatus) -> String {
    let (caller, identity) = (&status.caller, &status.identity);
    match &identity.login {
        Some(login) if *login == caller.name => {
            format!("login {} (account {})", visible(login, 80), visible(&identity.account, 80))
        }
        Some(login) => format!("account {} (login {})", visible(&caller.name, 80), visible(login, 80)),
        None => format!("account {}", visible(&caller.name, 80)),
    }
}

/// The role, and who enforces it.
fn role(status: &WorkspaceStatus) -> String {
    let by = match &status.connection {
        None => return "no connection open".to_owned(),
        // The trail is there wherever a database is open.
        Some(_) if status.trail.is_none() => return "not known: the database is not open".to_owned(),
        Some(connection) => match &connection.database {
            DatabaseConnection::Postgres { .. } => match &status.identity.unbound {
                Some(why) => return format!("{} - {}", status.caller.role, visible(why, 300)),
                None => "the database enforces it",
            },
            DatabaseConnection::Sqlite { .. } => "guard rails: whoever can write the file can change this",
        },
    };
    format!("{} - {by}", status.caller.role)
}

/// How the keychain or the file of secrets is, and what that means.
fn keychain(status: &WorkspaceStatus) -> String {
    let is = in_short(status.secrets);
    match describe(status.secrets) {
        "" => is.to_owned(),
        means => format!("{is} - {means}"),
    }
}

pub(crate) fn status(form: Output, status: &WorkspaceStatus) -> anyhow::Result<()> {
    either(form, status, || {
        let part = |part: &Option<watchpost_ops::contract::Part>| match part {
            Some(part) => format!("{} - {}", word(&part.state), part.detail),
            None if status.connection.is_some() => "not tried: the connection is not open".to_owned(),
            None => "no connection open".to_owned(),
        };
        let connection =
            status.connection.as_ref().map_or_else(String::new, |connection| connection.name.clone());
        let mut rows = vec![
            ["version".to_owned(), status.version.clone()],
            ["connection".to_owned(), connection],
            ["who".to_owned(), who(status)],
            ["role".to_owned(), role(status)],
            [
                "identity".to_owned(),
                format!("{} - {}", word(&status.identity.kind), visible(&status.identity.detail, 600)),
            ],
            ["redis".to_owned(), part(&status.redis)],
            ["database".to_owned(), part(&status.database)],
            ["audit trail".to_owned(), trail(status)],
            ["engine".to_owned(), engine(status)],
            ["keychain".to_owned(), keychain(status)],
            ["newest event".to_owned(), status.newest_event.map_or_else(|| "none".to_owned(), at)],
            ["active incidents".to_owned(), status.incidents_active.to_string()],
        ];
        if let Some(rules) = rules(status) {
            rows.push(["rules".to_owned(), rules]);
        }
        if let Some(place) = status.trail.as_ref().and_then(|trail| trail.altered.as_ref()) {
            rows.push(["checkpoints".to_owned(), format!("ALTERED - {}", visible(place, 400))]);
        }
        if let Some(warning) = status.trail.as_ref().and_then(|trail| trail.key_warning.as_ref()) {
            rows.push(["signing key".to_owned(), format!("OLD - {}", visible(warning, 400))]);
        }
        for alert in &status.health_alerts {
            let verdict = alert.verdict.as_str().to_uppercase();
            rows.push(["redis health".to_owned(), format!("{verdict} - {}", visible(&alert.text, 400))]);
        }
        if let Some(problem) = &status.copies_problem {
            rows.push(["copies".to_owned(), format!("WRONG - {}", visible(problem, 400))]);
        }
        if let Some(n) = status.words_behind {
            let behind =
                format!("words of {} events are not indexed yet; searches of them are slower", grouped(n));
            rows.push(["index of words".to_owned(), behind]);
        }
        table(["PART", "STATE"], rows)
    })
}

/// A number with a comma before each three digits.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let place = |at: usize| digits.len().saturating_sub(at);
    digits
        .char_indices()
        .flat_map(|(at, digit)| {
            (at > 0 && place(at).is_multiple_of(3)).then_some(',').into_iter().chain(std::iter::once(digit))
        })
        .collect()
}

/// What is wrong with the rules, or that it is not known here.
fn rules(status: &WorkspaceStatus) -> Option<String> {
    use watchpost_ops::contract::EngineState;
    match status.engine.rule_problems {
        Some(0) => None,
        Some(n) => Some(format!(
            "WRONG - {n} of its documents cannot be used: `watchpost rules list` says which and why"
        )),
        None if status.engine.state == EngineState::Standby => {
            Some("not known here: ask where the engine runs, with `watchpost rules list`".to_owned())
        }
        None => None,
    }
}

/// What the engine does: a short command runs none, and sees only whether another process does.
fn engine(status: &WorkspaceStatus) -> String {
    use watchpost_ops::contract::{EngineState, PartState};
    let engine = &status.engine;
    let is_asked = status.database.as_ref().is_some_and(|part| part.state == PartState::Connected);
    match engine.state {
        EngineState::Stopped if !is_asked => "not known: the database is not open".to_owned(),
        EngineState::Stopped if !engine.detail.is_empty() => format!("NOT RUNNING - {}", engine.detail),
        EngineState::Standby => "running in another process".to_owned(),
        EngineState::Stopped => "not running: `watchpost serve` or the window runs it".to_owned(),
        _ if engine.detail.is_empty() => word(&engine.state),
        _ => format!("{} - {}", word(&engine.state), engine.detail),
    }
}

/// The word that a value has on the wire.
fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|value| value.as_str().map(ToOwned::to_owned))
        .unwrap_or_default()
}

pub(crate) fn health(form: Output, health: &RedisHealth) -> anyhow::Result<()> {
    either(form, health, || {
        let server = visible(&health.server, 80);
        line(format!("{server} at {} ({}), {}", visible(&health.node, 200), health.role, health.verdict))?;
        health_lists::keys(health)?;
        table(
            ["METRIC", "VALUE", "WARNING", "CRITICAL", "VERDICT", "FROM"],
            health.metrics.iter().map(|metric| {
                let limit =
                    |limit: Option<f64>| limit.map_or_else(String::new, |l| value(Some(l), metric.unit));
                [
                    metric.title.clone(),
                    value(metric.value, metric.unit),
                    limit(metric.warning),
                    limit(metric.critical),
                    metric.verdict.to_string(),
                    metric.basis.clone(),
                ]
            }),
        )?;
        if let Some(forecast) = &health.forecast {
            line("")?;
            table(
                ["", ""],
                [
                    ["memory".to_owned(), forecast.memory.text.clone()],
                    ["expiry".to_owned(), forecast.expiry.text.clone()],
                ],
            )?;
        }
        if !health.nodes.is_empty() {
            nodes(&health.nodes)?;
        }
        health_lists::slow(health)
    })
}

/// The primaries of a cluster.
fn nodes(nodes: &[NodeHealth]) -> anyhow::Result<()> {
    line("")?;
    table(
        ["NODE", "VERDICT", "SLOTS", "MEMORY", "EVENTS", "OVER ITS THRESHOLD"],
        nodes.iter().map(|node| {
            let over = |metric: &&Metric| matches!(metric.verdict, Verdict::Warning | Verdict::Critical);
            let over: Vec<&str> =
                node.metrics.iter().filter(over).map(|metric| metric.title.as_str()).collect();
            let memory = node.metrics.iter().find(|metric| metric.name == "memory_used_bytes");
            [
                visible(&node.node, 200),
                node.verdict.to_string(),
                node.slots.to_string(),
                memory.map_or_else(|| "n/a".to_owned(), |metric| value(metric.value, metric.unit)),
                if node.own { "yes" } else { "" }.to_owned(),
                visible(node.problem.as_deref().unwrap_or(&over.join(", ")), 200),
            ]
        }),
    )
}

pub(crate) fn report(form: Output, report: &JobReport) -> anyhow::Result<()> {
    either(form, report, || figures(report))
}

fn figures(report: &JobReport) -> anyhow::Result<()> {
    if !report.figures.is_empty() {
        table(
            ["FIGURE", "VALUE"],
            report
                .figures
                .iter()
                .map(|figure| [figure.title.clone(), value(Some(figure.value), figure.unit)]),
        )?;
    }
    for fact in &report.facts {
        line(format!("{}: {}", fact.title, visible(&fact.text, 400)))?;
    }
    for note in &report.notes {
        line(visible(note, 400))?;
    }
    Ok(())
}

pub(crate) fn job(form: Output, run: &JobRun) -> anyhow::Result<()> {
    either(form, run, || {
        line(format!("{} {}", run.kind, run.state))?;
        if let Some(error) = &run.error {
            line(format!("  {}", visible(error, 400)))?;
        }
        match &run.report {
            None => Ok(()),
            Some(report) if run.state == JobState::Cancelled && is_empty(report) => {
                line("nothing was finished")
            }
            Some(report) => figures(report),
        }
    })
}

const fn is_empty(report: &JobReport) -> bool {
    report.figures.is_empty() && report.facts.is_empty() && report.notes.is_empty()
}

pub(crate) fn jobs(form: Output, list: &JobList) -> anyhow::Result<()> {
    either(form, list, || {
        table(
            ["STARTED", "JOB", "STATE", "PARAMETERS", "BY", "DONE"],
            list.runs.iter().map(|run| {
                [
                    at(run.started_at),
                    run.kind.to_string(),
                    run.state.to_string(),
                    run.parameters.clone(),
                    run.started_by.clone(),
                    how_far(run),
                ]
            }),
        )
    })
}

/// `20002 keys`. Of a run whose process died it is known how far it was when it said so last, and so at least; of one that
/// ended before it had begun to count, nothing, not even what it counts. Nor has a copy of the database such a number of
/// which nothing was checked.
fn how_far(run: &JobRun) -> String {
    let JobProgress { done, unit, total, .. } = &run.progress;
    let never_counted = run.ended_at.is_some() && (total.is_none() || run.kind.is_of_database());
    match (run.ended_at.is_some() && run.report.is_none(), *done) {
        (died, 0) if died || never_counted => "n/a".to_owned(),
        (true, done) => format!("at least {done} {unit}"),
        (false, done) => format!("{done} {unit}"),
    }
}

pub(crate) fn overview(form: Output, overview: &Overview) -> anyhow::Result<()> {
    either(form, overview, || {
        line(format!("{} to {}", at(overview.period.from), at(overview.period.to)))?;
        line(format!("threat level: {} - {}", overview.threat, visible(&overview.threat_reason, 200)))?;
        table(
            ["FIGURE", "NOW", "BEFORE"],
            overview
                .kpis
                .iter()
                .map(|kpi| [kpi.title.clone(), value(kpi.value, kpi.unit), value(kpi.previous, kpi.unit)]),
        )?;
        line("")?;
        table(
            ["SOURCE", "EVENTS", "FAILED", "INCIDENTS", "BLOCKED"],
            overview.top_sources.iter().map(|top| {
                [
                    top.entity.value.clone(),
                    top.events.to_string(),
                    top.failures.to_string(),
                    top.incidents.to_string(),
                    if top.blocked { "yes" } else { "" }.to_owned(),
                ]
            }),
        )?;
        let api = &overview.api;
        line("")?;
        line(format!(
            "API usage: {} calls, {} failed ({})",
            api.calls,
            api.failures,
            value(api.failure_ratio, Unit::Ratio)
        ))?;
        table(
            ["ENDPOINT", "CALLS", "FAILED"],
            api.endpoints.iter().map(|called| {
                [called.entity.value.clone(), called.events.to_string(), called.failures.to_string()]
            }),
        )
    })
}

pub(crate) fn events(form: Output, page: &EventPage) -> anyhow::Result<()> {
    either(form, page, || {
        table(
            ["AT", "CATEGORY", "TYPE", "SEVERITY", "OUTCOME", "ACTOR", "SOURCE", "ON"],
            page.rows.iter().map(|event| {
                [
                    at(event.at),
                    event.category.to_string(),
                    short(&event.kind),
                    event.severity.to_string(),
                    event.outcome.to_string(),
                    short(&or_dash(event.actor.as_ref())),
                    short(&or_dash(event.source_ip.as_ref())),
                    short(event.endpoint()),
                ]
            }),
        )
    })
}

pub(crate) fn incident_cells(incident: &Incident) -> [String; 8] {
    [
        incident.number.to_string(),
        incident.severity.to_string(),
        incident.status.to_string(),
        short(&incident.title),
        incident.event_count.to_string(),
        at(incident.last_seen),
        or_dash(incident.assignee.as_ref()),
        incident.verdict.to_string(),
    ]
}

pub(crate) const INCIDENT: [&str; 8] =
    ["NO", "SEVERITY", "STATUS", "TITLE", "EVIDENCE", "LAST SEEN", "ASSIGNEE", "VERDICT"];

pub(crate) fn incidents(form: Output, page: &IncidentPage) -> anyhow::Result<()> {
    either(form, page, || {
        table(INCIDENT, page.rows.iter().map(incident_cells))?;
        line(format!("{} of {}", page.rows.len(), page.total))
    })
}

pub(crate) fn incident_row(form: Output, incident: &Incident) -> anyhow::Result<()> {
    either(form, incident, || table(INCIDENT, [incident_cells(incident)]))
}

pub(crate) fn settings(form: Output, settings: &Settings) -> anyhow::Result<()> {
    either(form, settings, || {
        line(format!("organisation: {}", visible(&settings.organisation, 200)))?;
        table(
            ["CATEGORY", "DAYS IN REDIS", "DAYS IN DATABASE"],
            settings.retention.iter().map(|rule| {
                [rule.category.to_string(), rule.redis_days.to_string(), rule.archive_days.to_string()]
            }),
        )
    })
}

pub(crate) fn operations(form: Output, list: &[OperationSpec]) -> anyhow::Result<()> {
    either(form, &list, || {
        table(
            ["OPERATION", "PERMISSION", "EFFECT", "TWO PEOPLE", "ABOUT"],
            list.iter().map(|spec| {
                [
                    spec.name.to_owned(),
                    spec.permission.to_string(),
                    spec.effect.to_string(),
                    or_dash(spec.two_people.map(|two| two.matter.to_string()).as_ref()),
                    spec.about.to_owned(),
                ]
            }),
        )
    })
}
