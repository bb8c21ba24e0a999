//! The reports that are no framework: what each is called, what it asks for, and what stands in it.

use chrono::{DateTime, SecondsFormat, Utc};
use watchpost_model::incident::IncidentDetail;
use watchpost_model::overview::Overview;
use watchpost_model::period::Period;
use watchpost_model::register::RegisterKind;
use watchpost_report::{Parameter, ReportDocument, ReportKind, Scope, Section};
use watchpost_store::Store;

use super::{breach, charts, executive, kpi, people, redis};
use crate::contract::Nothing;
use crate::door::Context;
use crate::error::OpError;

/// A kind of report as people choose it.
pub(super) struct Kind {
    pub(super) kind: ReportKind,
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) subject: Option<&'static str>,
    pub(super) about: &'static str,
}

/// All of them, in the order of a menu.
pub(super) const KINDS: &[Kind] = &[
    Kind {
        kind: ReportKind::Executive,
        id: "executive",
        name: "Executive summary",
        subject: None,
        about: "One page for those who decide: what happened, how it was handled, what is open.",
    },
    Kind {
        kind: ReportKind::Summary,
        id: "summary",
        name: "Security summary",
        subject: None,
        about: "What happened in the period: events, incidents, sources, blocks.",
    },
    Kind {
        kind: ReportKind::Kpi,
        id: "kpi",
        name: "Key figures of incident handling",
        subject: None,
        about: "How fast incidents were found, acknowledged and resolved, how many clocks were kept, how many alarms were false.",
    },
    Kind {
        kind: ReportKind::Incident,
        id: "incident",
        name: "Incident report",
        subject: Some("the number of the incident"),
        about: "One incident, complete: why it fired, evidence with hashes, timeline, notes.",
    },
    Kind {
        kind: ReportKind::Breach,
        id: "breach",
        name: "Breach notification draft",
        subject: Some("the number of the incident"),
        about: "The draft of a notification under GDPR Art. 33 and 34 with the clock of 72 hours from recorded awareness.",
    },
    Kind {
        kind: ReportKind::AccessReview,
        id: "access-review",
        name: "Access review",
        subject: None,
        about: "Who may do what and who did, for somebody to confirm or take away.",
    },
    Kind {
        kind: ReportKind::SubjectAccess,
        id: "subject-access",
        name: "Subject access report",
        subject: Some("the person's account or address"),
        about: "Everything that is kept about one person, as GDPR Art. 15 gives it to them.",
    },
    Kind {
        kind: ReportKind::Redis,
        id: "redis",
        name: "Redis maintenance report",
        subject: None,
        about: "The health of Redis over the period and the jobs that kept it.",
    },
];

/// Makes the document of a kind. What it says of the database is of one moment, that of `store`.
pub(super) async fn document(
    cx: &Context,
    store: &Store,
    kind: &Kind,
    scope: Scope,
    subject: Option<&str>,
) -> Result<ReportDocument, OpError> {
    let asked = subject.map(str::trim).filter(|text| !text.is_empty());
    let subject = match (kind.subject, asked) {
        (Some(what), None) => return Err(OpError::invalid("subject", format!("{} needs {what}", kind.name))),
        (None, Some(_)) => {
            return Err(OpError::invalid("subject", format!("{} is about no single thing", kind.name)));
        }
        (_, asked) => asked.unwrap_or_default(),
    };
    let parameters: Vec<Parameter> =
        kind.subject.map(|what| Parameter::new(what, subject)).into_iter().collect();
    let (period, now) = (scope.period, scope.generated_at);
    let (sections, with_charts) = match kind.kind {
        ReportKind::Executive => (executive::sections(store, &scope).await?, true),
        ReportKind::Summary => (summary(store, &scope).await?, true),
        ReportKind::Kpi => (kpi::sections(&store.incident_times(period).await?, period, now), true),
        ReportKind::Incident => (incident(&detail(store, subject, period).await?), false),
        ReportKind::Breach => {
            let found = detail(store, subject, period).await?;
            let about = format!("incident/{}", found.incident.number);
            let entries = store.register_entries(Some(RegisterKind::Breach), Some(&about), 500).await?;
            (breach::sections(&found, &entries, &scope), false)
        }
        ReportKind::AccessReview => (people::access_review(store, period).await?, false),
        ReportKind::SubjectAccess => (people::subject_access(store, period, subject).await?, false),
        ReportKind::Redis => {
            let health = super::super::redis_health(cx.clone(), Nothing {}).await.ok();
            (redis::sections(store, period, health.as_ref()).await?, false)
        }
        ReportKind::Framework => return Err(OpError::internal("a framework is evaluated, not composed")),
    };
    let charts = match with_charts {
        true => Some(charts(store.report_charts(period, now).await?)),
        false => None,
    };
    Ok(ReportDocument::of_sections(kind.kind, kind.name, kind.about, scope, parameters, sections, charts))
}

/// The first figures in a line, for the history.
pub(super) fn line(document: &ReportDocument) -> String {
    let figures: Vec<String> = document
        .sections
        .iter()
        .flat_map(|section| &section.figures)
        // "-" says that there is no value.
        .filter(|figure| figure.value != "-")
        .take(4)
        .map(|figure| format!("{} {}", figure.value, figure.name.to_lowercase()))
        .collect();
    if figures.is_empty() { document.title.clone() } else { figures.join(", ") }
}

/// An instant as every table of a report writes it.
pub(super) fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

pub(super) fn opt_time(at: Option<DateTime<Utc>>) -> String {
    at.map(time).unwrap_or_default()
}

pub(super) fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

/// The number of a tile of the Overview as a report prints it.
pub(super) fn tile(overview: &Overview, name: &str) -> String {
    let found = overview.kpis.iter().find(|kpi| kpi.name == name).and_then(|kpi| kpi.value);
    found.map_or_else(|| "-".to_owned(), |value| format!("{value:.0}"))
}

/// The incident, if the period holds any of its evidence.
async fn detail(store: &Store, subject: &str, period: Period) -> Result<IncidentDetail, OpError> {
    let number: i64 = subject
        .trim_start_matches('#')
        .parse()
        .map_err(|_| OpError::invalid("subject", format!("{subject:?} is not the number of an incident")))?;
    let found = store.incident_by_number(number).await?;
    let (first, last) = (found.incident.first_seen, found.incident.last_seen);
    if last < period.from || first >= period.to {
        let message = format!("incident {number} has its evidence from {} to {}", time(first), time(last));
        return Err(OpError::invalid("period", message).hint("choose a period that holds some of it"));
    }
    Ok(found)
}

async fn summary(store: &Store, scope: &Scope) -> Result<Vec<Section>, OpError> {
    let overview = store.overview(scope.period, scope.generated_at, 60).await?;
    let figures = [
        ("Events", "events"),
        ("Failed sign-ins", "auth_failures"),
        ("New incidents", "incidents_opened"),
        ("Active incidents at the end", "incidents_active"),
        ("Active blocks at the end", "blocks_active"),
    ];
    let times = store.incident_times(scope.period).await?;
    let mut incidents: Vec<Vec<String>> = Vec::new();
    for incident in overview.incidents.iter().rev() {
        incidents.push(vec![
            incident.number.to_string(),
            incident.severity.to_string(),
            incident.title.clone(),
            incident.status.to_string(),
            incident.verdict.to_string(),
            incident.assignee.clone().unwrap_or_default(),
            time(incident.first_seen),
        ]);
    }
    let entities = |list: &[watchpost_model::overview::TopEntity]| -> Vec<Vec<String>> {
        list.iter()
            .map(|top| {
                let blocked = if top.blocked { "blocked" } else { "" };
                vec![
                    top.entity.value.clone(),
                    top.events.to_string(),
                    top.failures.to_string(),
                    top.incidents.to_string(),
                    blocked.to_owned(),
                ]
            })
            .collect()
    };
    let counts = overview
        .counts
        .iter()
        .map(|count| vec![count.category.to_string(), count.severity.to_string(), count.events.to_string()])
        .collect();
    let columns = names(&["what", "events", "failures", "active incidents", "now"]);
    Ok(vec![
        Section {
            title: "What happened".to_owned(),
            text: vec![format!("Threat level {}: {}.", overview.threat, overview.threat_reason)],
            figures: figures.iter().map(|(name, key)| Parameter::new(*name, tile(&overview, key))).collect(),
            caption: "Events by category and severity".to_owned(),
            columns: names(&["category", "severity", "events"]),
            rows: counts,
        },
        Section {
            title: "Incidents".to_owned(),
            caption: format!(
                "Incidents with evidence in the period, newest first, {} in all; at most 200 are listed",
                times.len().max(incidents.len())
            ),
            columns: names(&["number", "severity", "title", "status", "verdict", "assignee", "first seen"]),
            rows: incidents,
            ..Section::default()
        },
        Section {
            title: "Sources and targets".to_owned(),
            caption: "Addresses with the most events".to_owned(),
            columns: columns.clone(),
            rows: entities(&overview.top_sources),
            ..Section::default()
        },
        Section {
            title: "Targets".to_owned(),
            caption: "Resources with the most events".to_owned(),
            columns,
            rows: entities(&overview.top_targets),
            ..Section::default()
        },
    ])
}

fn incident(detail: &IncidentDetail) -> Vec<Section> {
    let found = &detail.incident;
    let facts = [
        ("Severity", found.severity.to_string()),
        ("Confidence", format!("{} of 100", found.confidence)),
        ("Risk", format!("{} of 100", found.risk)),
        ("Status", found.status.to_string()),
        ("Verdict", found.verdict.to_string()),
        ("Assignee", found.assignee.clone().unwrap_or_else(|| "nobody".to_owned())),
        ("Findings", found.finding_count.to_string()),
        ("Evidence events", found.event_count.to_string()),
    ];
    let clocks = [
        ("First evidence", Some(found.first_seen)),
        ("Newest evidence", Some(found.last_seen)),
        ("Opened", Some(found.opened_at)),
        ("Acknowledged", found.acknowledged_at),
        ("Acknowledge by", Some(found.acknowledge_due)),
        ("Resolved", found.resolved_at),
        ("Resolve by", Some(found.resolve_due)),
    ];
    let why = detail
        .why
        .iter()
        .map(|hit| {
            vec![
                hit.newest.rule_id.clone(),
                hit.newest.rule_title.clone(),
                hit.count.to_string(),
                hit.newest.summary.clone(),
                hit.newest.attack.join(", "),
                hit.newest.owasp.clone().unwrap_or_default(),
            ]
        })
        .collect();
    let evidence = detail
        .evidence
        .iter()
        .map(|one| {
            let event = &one.event;
            vec![
                time(event.at),
                event.id.to_string(),
                event.kind.clone(),
                event.outcome.to_string(),
                event.actor.clone().unwrap_or_default(),
                event.source_ip.clone().unwrap_or_default(),
                event.resource.clone().unwrap_or_default(),
                one.sha256.clone(),
            ]
        })
        .collect();
    let part = |title: &str, caption: String, columns: &[&str], rows: Vec<Vec<String>>| Section {
        title: title.to_owned(),
        caption,
        columns: names(columns),
        rows,
        ..Section::default()
    };
    let reason = found.verdict_reason.clone().unwrap_or_else(|| "No reason is recorded.".to_owned());
    vec![
        Section {
            title: format!("Incident {}: {}", found.number, found.title),
            text: vec![format!("About {} {}. {reason}", found.entity.kind, found.entity.value)],
            figures: facts.into_iter().map(|(name, value)| Parameter::new(name, value)).collect(),
            caption: "Clocks".to_owned(),
            columns: names(&["what", "when"]),
            rows: clocks.into_iter().map(|(name, at)| vec![name.to_owned(), opt_time(at)]).collect(),
        },
        part(
            "Why it fired",
            "Rules with their newest finding".to_owned(),
            &["rule", "looks for", "times", "newest finding", "ATT&CK", "OWASP"],
            why,
        ),
        part(
            "Timeline",
            "Oldest first".to_owned(),
            &["when", "who", "what", "text"],
            detail
                .timeline
                .iter()
                .map(|line| vec![time(line.at), line.actor.clone(), line.kind.clone(), line.text.clone()])
                .collect(),
        ),
        part(
            "Notes",
            "Oldest first".to_owned(),
            &["when", "who", "note"],
            detail
                .notes
                .iter()
                .map(|note| vec![time(note.at), note.author.clone(), note.text.clone()])
                .collect(),
        ),
        part(
            "Entities",
            "By number of events".to_owned(),
            &["kind", "value", "events"],
            detail
                .entities
                .iter()
                .map(|count| {
                    vec![count.entity.kind.to_string(), count.entity.value.clone(), count.events.to_string()]
                })
                .collect(),
        ),
        part(
            "Evidence",
            format!("Newest first, {} of {} frozen events", detail.evidence.len(), found.event_count),
            &["when", "event", "type", "outcome", "actor", "source", "resource", "SHA-256"],
            evidence,
        ),
    ]
}
