//! The reports that are no framework: what each is called, what it asks for, and what stands in it.

use chrono::{DateTime, SecondsFormat, Utc};
use watchpost_model::overview::Overview;
use watchpost_model::register::RegisterKind;
use watchpost_report::{Parameter, ReportDocument, ReportKind, Scope, Section};
use watchpost_store::Store;

use super::{breach, charts, executive, incident, kpi, people, redis};
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

/// The ids of these kinds: no framework of a user may have one of them.
pub(super) fn ids() -> Vec<&'static str> {
    KINDS.iter().map(|kind| kind.id).collect()
}

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
        ReportKind::Incident => {
            let found = incident::detail(store, subject, period).await?;
            (incident::sections(store, &found, now).await?, false)
        }
        ReportKind::Breach => {
            let found = incident::detail(store, subject, period).await?;
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

/// Why the threat level is what it is, without the number of an incident: a report may not list that one.
pub(super) fn threat_words(overview: &Overview) -> &str {
    overview.threat_reason.split([',', ':']).next().unwrap_or_default()
}

/// The number of a tile of the Overview as a report prints it.
pub(super) fn tile(overview: &Overview, name: &str) -> String {
    let found = overview.kpis.iter().find(|kpi| kpi.name == name).and_then(|kpi| kpi.value);
    found.map_or_else(|| "-".to_owned(), |value| format!("{value:.0}"))
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
            text: vec![format!("Threat level {}: {}.", overview.threat, threat_words(&overview))],
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
