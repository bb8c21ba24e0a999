//! Incidents and suppressions as tables or as JSON.

use watchpost_model::incident::{BulkOutcome, IncidentDetail};
use watchpost_model::suppression::{Suppression, SuppressionPreview, SuppressionScope};
use watchpost_model::text::visible;
use watchpost_ops::contract::{
    IncidentEventList, RuleFeedbackList, SimilarList, SuppressedList, SuppressionList,
};

use crate::args::Output;
use crate::output::{at, line, short, table};
use crate::show::{INCIDENT, either, incident_cells, or_dash};

/// Events on the page of an incident; `events` lists all.
const EVIDENCE: usize = 20;

pub(crate) fn detail(form: Output, detail: &IncidentDetail) -> anyhow::Result<()> {
    either(form, detail, || {
        table(INCIDENT, [incident_cells(&detail.incident)])?;
        standing(detail)?;
        crate::enrich::why_risk(detail)?;
        line("\nwhy it fired")?;
        why(detail)?;
        let shown = detail.evidence.len().min(EVIDENCE);
        line(format!("\nevidence, {shown} of {} events", detail.event_rows))?;
        table(
            ["AT", "TYPE", "OUTCOME", "ACTOR", "SOURCE", "ON", "SHA-256"],
            detail.evidence.iter().take(EVIDENCE).map(|evidence| {
                let event = &evidence.event;
                [
                    at(event.at),
                    short(&event.kind),
                    event.outcome.to_string(),
                    short(&or_dash(event.actor.as_ref())),
                    short(&or_dash(event.source_ip.as_ref())),
                    short(event.endpoint()),
                    evidence.sha256.chars().take(16).collect(),
                ]
            }),
        )?;
        if let Some(playbook) = &detail.playbook {
            line(format!(
                "\nplaybook: {}, {} of {} done",
                playbook.title,
                playbook.done,
                playbook.steps.len()
            ))?;
            table(
                ["", "STEP", "PHASE", "WHAT", "BY"],
                playbook.steps.iter().map(|step| {
                    let mark = if step.checked_at.is_some() { "x" } else { "" };
                    let by = or_dash(step.checked_by.as_ref());
                    [mark.to_owned(), step.id.clone(), step.phase.clone(), step.title.clone(), by]
                }),
            )?;
        }
        line("\ntimeline")?;
        table(
            ["AT", "WHO", "WHAT", "OF", ""],
            detail.timeline.iter().map(|entry| {
                let of = entry.from.map_or_else(String::new, |number| format!("#{number}"));
                [at(entry.at), entry.actor.clone(), entry.kind.clone(), of, entry.text.clone()]
            }),
        )?;
        for note in &detail.notes {
            line(format!(
                "\nnote by {} at {}: {}",
                visible(&note.author, 80),
                at(note.at),
                visible(&note.text, 2_000)
            ))?;
        }
        Ok(())
    })
}

/// What does not fit into the row: clocks, pauses, relations.
fn standing(detail: &IncidentDetail) -> anyhow::Result<()> {
    let incident = &detail.incident;
    let clocks = match incident.paused {
        Some(paused) => {
            format!("stand since {}: {}", at(paused.since), paused.reason.as_str().replace('_', " "))
        }
        None if incident.status.is_active() && incident.acknowledged_at.is_none() => {
            format!(
                "acknowledge by {}, resolve by {}",
                at(incident.acknowledge_due),
                at(incident.resolve_due)
            )
        }
        None if incident.status.is_active() => format!("resolve by {}", at(incident.resolve_due)),
        None => format!("resolved {}", incident.resolved_at.map_or_else(|| "-".to_owned(), at)),
    };
    line(format!("\nfirst seen {}, last seen {}", at(incident.first_seen), at(incident.last_seen)))?;
    line(format!("clocks: {clocks}"))?;
    if let Some(to) = &incident.escalated_to {
        line(format!("escalated to {}", visible(to, 100)))?;
    }
    if let Some(into) = incident.merged_into {
        line(format!("merged into #{into}"))?;
    }
    if detail.related.is_empty() {
        return Ok(());
    }
    line("\nrelated")?;
    table(
        ["HOW", "NO", "SEVERITY", "STATUS", "TITLE"],
        detail.related.iter().map(|link| {
            let other = &link.incident;
            let how = if link.outgoing { format!("{} of", link.kind) } else { link.kind.to_string() };
            [
                how,
                other.number.to_string(),
                other.severity.to_string(),
                other.status.to_string(),
                other.title.clone(),
            ]
        }),
    )
}

fn why(detail: &IncidentDetail) -> anyhow::Result<()> {
    table(
        ["RULE", "TIMES", "WHAT", "WHERE", "MATCHED"],
        detail.why.iter().map(|hit| {
            let newest = &hit.newest;
            let (field, text) = match (&newest.matched, &newest.counter) {
                (Some(matched), _) => {
                    let layer = matched.layers.last();
                    (matched.field.clone(), layer.map(|layer| layer.text.clone()).unwrap_or_default())
                }
                (None, Some(counter)) => (
                    counter.what.clone(),
                    // Some rules tell what is rare.
                    if counter.seen < counter.threshold {
                        format!("{}, unusual below {}", counter.seen, counter.threshold)
                    } else {
                        format!("{} of {} in {} s", counter.seen, counter.threshold, counter.window_s)
                    },
                ),
                (None, None) => (String::new(), String::new()),
            };
            [
                format!("{} v{}", newest.rule_id, newest.rule_version),
                hit.count.to_string(),
                newest.summary.clone(),
                short(&field),
                short(&text),
            ]
        }),
    )
}

pub(crate) fn events(form: Output, list: &IncidentEventList) -> anyhow::Result<()> {
    either(form, list, || {
        table(
            ["AT", "TIMES", "TYPE", "OUTCOME", "ACTOR", "SOURCE", "ON", "FROZEN", "SHA-256"],
            list.rows.iter().map(|row| {
                let event = row.event.as_ref();
                let text = |text: Option<&String>| short(&or_dash(text));
                [
                    at(row.at),
                    row.count.to_string(),
                    event.map_or_else(|| "(removed by retention)".to_owned(), |event| short(&event.kind)),
                    event.map_or_else(|| "-".to_owned(), |event| event.outcome.to_string()),
                    text(event.and_then(|event| event.actor.as_ref())),
                    text(event.and_then(|event| event.source_ip.as_ref())),
                    event.map_or_else(|| "-".to_owned(), |event| short(event.endpoint())),
                    if row.frozen { "yes" } else { "" }.to_owned(),
                    row.sha256.chars().take(16).collect(),
                ]
            }),
        )?;
        line(format!("{} of {} events, {} occurrences", list.rows.len(), list.total, list.occurrences))
    })
}

pub(crate) fn similar(form: Output, list: &SimilarList) -> anyhow::Result<()> {
    either(form, list, || {
        table(
            ["SCORE", "NO", "SEVERITY", "STATUS", "VERDICT", "TITLE", "BECAUSE"],
            list.rows.iter().map(|row| {
                let incident = &row.incident;
                [
                    row.score.to_string(),
                    incident.number.to_string(),
                    incident.severity.to_string(),
                    incident.status.to_string(),
                    incident.verdict.to_string(),
                    incident.title.clone(),
                    row.because.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
                ]
            }),
        )
    })
}

pub(crate) fn bulk(form: Output, outcome: &BulkOutcome) -> anyhow::Result<()> {
    either(form, outcome, || {
        line(format!("{} changed, {} skipped", outcome.changed.len(), outcome.skipped.len()))?;
        for skipped in &outcome.skipped {
            line(format!("  {}: {}", skipped.number, visible(&skipped.reason, 300)))?;
        }
        match &outcome.undo {
            Some(undo) => line(format!("to take it back: watchpost incident undo {undo}")),
            None => Ok(()),
        }
    })
}

pub(crate) fn feedback(form: Output, list: &RuleFeedbackList) -> anyhow::Result<()> {
    either(form, list, || {
        table(
            ["RULE", "INCIDENTS", "TRUE", "FALSE", "BENIGN", "RIGHT", "ADVICE"],
            list.rules.iter().map(|rule| {
                [
                    rule.rule_id.clone(),
                    rule.incidents.to_string(),
                    rule.true_positive.to_string(),
                    rule.false_positive.to_string(),
                    rule.benign_true_positive.to_string(),
                    rule.precision.map_or_else(|| "-".to_owned(), |share| format!("{:.0} %", share * 100.0)),
                    rule.advice.map_or_else(|| "too few verdicts".to_owned(), |advice| advice.to_string()),
                ]
            }),
        )
    })
}

fn scope_text(scope: &SuppressionScope) -> String {
    let parts = [
        scope.rule.as_ref().map(|rule| format!("rule {rule}")),
        scope.family.map(|family| format!("family {family}")),
        scope.entity.as_ref().map(ToString::to_string),
        scope.network.as_ref().map(|network| format!("network {network}")),
        scope.endpoint.as_ref().map(|endpoint| format!("endpoint {endpoint}")),
        scope.user.as_ref().map(|user| format!("user {user}")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn suppression_cells(row: &Suppression) -> [String; 7] {
    [
        row.id.to_string(),
        scope_text(&row.scope),
        row.removed_at.map_or_else(|| at(row.expires_at), |removed| format!("removed {}", at(removed))),
        row.hidden.to_string(),
        row.last_hidden.map_or_else(|| "-".to_owned(), at),
        row.owner.clone(),
        row.reason.clone(),
    ]
}

const SUPPRESSION: [&str; 7] = ["ID", "WHAT", "UNTIL", "HIDDEN", "LAST", "OWNER", "REASON"];

pub(crate) fn suppression(form: Output, row: &Suppression) -> anyhow::Result<()> {
    either(form, row, || table(SUPPRESSION, [suppression_cells(row)]))
}

pub(crate) fn suppressions(form: Output, list: &SuppressionList) -> anyhow::Result<()> {
    either(form, list, || {
        table(SUPPRESSION, list.rows.iter().map(suppression_cells))?;
        line(format!("{} in force", list.in_force))
    })
}

pub(crate) fn suppressed(form: Output, list: &SuppressedList) -> anyhow::Result<()> {
    either(form, list, || {
        table(
            ["AT", "RULE", "ENTITY", "WHAT"],
            list.rows.iter().map(|row| {
                let finding = &row.finding;
                [at(row.at), finding.rule_id.clone(), finding.entity.to_string(), finding.summary.clone()]
            }),
        )
    })
}

pub(crate) fn suppression_preview(form: Output, preview: &SuppressionPreview) -> anyhow::Result<()> {
    either(form, preview, || {
        line(format!(
            "it would have hidden {} of {} findings of the last 30 days",
            preview.findings_hidden, preview.findings
        ))?;
        line(format!(
            "{} incidents would not have opened, {} would have been smaller",
            preview.incidents_hidden, preview.incidents_smaller
        ))?;
        if preview.true_positives_hidden > 0 {
            line(format!("WARNING: {} of these were judged an attack", preview.true_positives_hidden))?;
        }
        table(INCIDENT, preview.samples.iter().map(incident_cells))
    })
}
