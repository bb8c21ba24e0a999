//! The executive summary: how it stands, what it was like before, and what somebody has to decide.

use watchpost_model::overview::Overview;
use watchpost_report::{Parameter, Scope, Section};
use watchpost_store::{OpenIncidents, Store};

use super::compose::{names, threat_words, tile, time};
use super::kpi;
use crate::error::OpError;

/// Rows of a table that everybody reads.
const ROWS: u32 = 6;
/// Fewer judged incidents say nothing about false alarms.
const JUDGED_MIN: usize = 5;

pub(super) async fn sections(store: &Store, scope: &Scope) -> Result<Vec<Section>, OpError> {
    let now = scope.generated_at;
    let overview = store.overview(scope.period, now, 60).await?;
    let times = store.incident_times(scope.period).await?;
    let open = store.open_incidents(scope.period.to, now, ROWS).await?;
    let counted = [
        ("Events", "events"),
        ("Failed sign-ins", "auth_failures"),
        ("New incidents", "incidents_opened"),
        ("Active at the end", "incidents_active"),
    ];
    let handled = [
        "Time to acknowledge, median",
        "Time to resolve, median",
        "Acknowledged in time",
        "Resolved in time",
    ];
    let mut figures: Vec<Parameter> =
        counted.iter().map(|(name, key)| Parameter::new(*name, tile(&overview, key))).collect();
    let kpis = kpi::figures(&times, scope.period, now);
    figures
        .extend(handled.iter().filter_map(|name| kpis.iter().find(|figure| figure.name == *name).cloned()));
    let rows = open
        .worst
        .iter()
        .map(|incident| {
            vec![
                incident.number.to_string(),
                incident.severity.to_string(),
                incident.title.clone(),
                incident.assignee.clone().unwrap_or_else(|| "nobody".to_owned()),
                time(incident.resolve_due),
            ]
        })
        .collect();
    Ok(vec![
        Section {
            title: "How it stands".to_owned(),
            text: vec![format!(
                "When this was made the threat level was {}: {}.",
                overview.threat,
                threat_words(&overview)
            )],
            figures,
            caption: "Beside the period of equal length before".to_owned(),
            columns: names(&["figure", "this period", "period before", "change"]),
            rows: counted.iter().map(|(name, key)| compared(&overview, name, key)).collect(),
        },
        Section {
            title: "To decide now".to_owned(),
            text: decisions(&open, kpi::false_alarms(&times, scope.period)),
            ..Section::default()
        },
        Section {
            title: "Open now".to_owned(),
            caption: format!("The most severe first, {} of {}", open.worst.len(), open.total),
            columns: names(&["number", "severity", "title", "who", "resolve by"]),
            rows,
            ..Section::default()
        },
    ])
}

/// A figure beside what it was before, and the change where there was something before.
fn compared(overview: &Overview, name: &str, key: &str) -> Vec<String> {
    let found = overview.kpis.iter().find(|kpi| kpi.name == key);
    let before = found.and_then(|kpi| kpi.previous);
    let change = found.and_then(|kpi| kpi.change).map(|change| change.to_string()).unwrap_or_default();
    vec![
        name.to_owned(),
        tile(overview, key),
        before.map_or_else(|| "-".to_owned(), |value| format!("{value:.0}")),
        change,
    ]
}

/// What somebody has to decide, in sentences; what there is nothing to decide about is not mentioned.
fn decisions(open: &OpenIncidents, (false_alarms, judged): (usize, usize)) -> Vec<String> {
    let mut list = Vec::new();
    if open.severe_unassigned > 0 {
        list.push(format!(
            "{} of {} open incidents that are high or critical have nobody: who takes them?",
            open.severe_unassigned, open.severe
        ));
    }
    if let Some(since) = open.overdue_since {
        list.push(format!(
            "{} of {} open incidents are late, the first since {}: more people, or other deadlines?",
            open.overdue,
            open.total,
            time(since)
        ));
    }
    if judged >= JUDGED_MIN && false_alarms * 4 >= judged {
        list.push(format!(
            "{false_alarms} of {judged} judged incidents were false alarms: which rules are to be tuned?"
        ));
    }
    if list.is_empty() {
        list.push("Nothing waits for a decision.".to_owned());
    }
    list
}

#[cfg(test)]
mod tests {
    use super::decisions;
    use watchpost_store::OpenIncidents;

    #[test]
    fn only_what_waits_is_said() {
        let calm = OpenIncidents {
            total: 3,
            severe: 2,
            severe_unassigned: 0,
            overdue: 0,
            overdue_since: None,
            worst: Vec::new(),
        };
        assert_eq!(decisions(&calm, (1, 4)), ["Nothing waits for a decision."], "four judged are too few");
        let late = OpenIncidents {
            severe_unassigned: 1,
            overdue: 2,
            overdue_since: "2026-10-02T00:00:00Z".parse().ok(),
            ..calm
        };
        assert_eq!(
            decisions(&late, (2, 8)),
            [
                "1 of 2 open incidents that are high or critical have nobody: who takes them?",
                "2 of 3 open incidents are late, the first since 2026-10-02T00:00:00Z: more people, or other deadlines?",
                "2 of 8 judged incidents were false alarms: which rules are to be tuned?",
            ]
        );
    }
}
