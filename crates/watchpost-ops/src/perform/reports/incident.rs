//! The report about one incident: everything that is known of it, on its own.

use chrono::{DateTime, Utc};
use watchpost_model::block::{Block, BlockTarget};
use watchpost_model::event::{EntityKind, Event};
use watchpost_model::incident::{IncidentDetail, Note, TimelineEntry};
use watchpost_model::period::Period;
use watchpost_report::{Parameter, Section};
use watchpost_store::Store;

use super::compose::{names, opt_time, time};
use crate::error::OpError;
use crate::playbooks::playbook;

/// The incident, if the period holds any of its evidence.
pub(super) async fn detail(store: &Store, subject: &str, period: Period) -> Result<IncidentDetail, OpError> {
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

/// What was asked for, as far as the event tells.
fn request(event: &Event) -> String {
    let Some(http) = &event.http else { return event.resource.clone().unwrap_or_default() };
    let query = http.query.as_ref().filter(|query| !query.is_empty());
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{} {}{query}", http.method, http.path)
}

/// Whether a clock was kept: when it was stopped, and when it had to be.
fn kept(stopped: Option<DateTime<Utc>>, due: DateTime<Utc>, now: DateTime<Utc>) -> &'static str {
    match stopped {
        Some(at) if at <= due => "in time",
        Some(_) => "late",
        None if now > due => "missed so far",
        None => "running",
    }
}

pub(super) async fn sections(
    store: &Store,
    detail: &IncidentDetail,
    now: DateTime<Utc>,
) -> Result<Vec<Section>, OpError> {
    let found = &detail.incident;
    let facts = [
        ("Severity", found.severity.to_string()),
        ("Confidence", format!("{} of 100", found.confidence)),
        ("Risk", format!("{} of 100", found.risk)),
        ("Status", found.status.to_string()),
        ("Verdict", found.verdict.to_string()),
        ("Cause", found.verdict_cause.map_or_else(|| "-".to_owned(), |cause| cause.to_string())),
        ("Assignee", found.assignee.clone().unwrap_or_else(|| "nobody".to_owned())),
        ("Findings", found.finding_count.to_string()),
        ("Evidence events", found.event_count.to_string()),
    ];
    let row = |name: &str, at: Option<DateTime<Utc>>, due: Option<DateTime<Utc>>, word: &str| {
        vec![name.to_owned(), opt_time(at), opt_time(due), word.to_owned()]
    };
    let (acknowledged, resolved) = (found.acknowledged_at, found.resolved_at);
    let clocks = vec![
        row("First evidence", Some(found.first_seen), None, ""),
        row("Newest evidence", Some(found.last_seen), None, ""),
        row("Opened", Some(found.opened_at), None, ""),
        row(
            "Acknowledged",
            acknowledged,
            Some(found.acknowledge_due),
            kept(acknowledged, found.acknowledge_due, now),
        ),
        row("Resolved", resolved, Some(found.resolve_due), kept(resolved, found.resolve_due, now)),
    ];
    let reason = found.verdict_reason.clone().unwrap_or_else(|| "No reason is recorded.".to_owned());
    let mut sections = vec![Section {
        title: format!("Incident {}: {}", found.number, found.title),
        text: vec![format!("About {} {}. {reason}", found.entity.kind, found.entity.value)],
        figures: facts.into_iter().map(|(name, value)| Parameter::new(name, value)).collect(),
        caption: "Clocks".to_owned(),
        columns: names(&["what", "when", "due", "kept"]),
        rows: clocks,
    }];
    sections.extend(explained(detail));
    sections.push(contained(store, detail, now).await?);
    sections.extend(worked_on(&Worked::read(store, detail).await?, detail));
    sections.push(evidence(detail));
    Ok(sections)
}

fn part(title: &str, caption: String, columns: &[&str], rows: Vec<Vec<String>>) -> Section {
    Section { title: title.to_owned(), caption, columns: names(columns), rows, ..Section::default() }
}

/// Why it fired, and why the risk is what it is.
fn explained(detail: &IncidentDetail) -> [Section; 2] {
    let why = detail.why.iter().map(|hit| {
        vec![
            hit.newest.rule_id.clone(),
            hit.newest.rule_title.clone(),
            hit.count.to_string(),
            hit.newest.summary.clone(),
            hit.newest.attack.join(", "),
            hit.newest.owasp.clone().unwrap_or_default(),
        ]
    });
    let risk = detail
        .risk
        .iter()
        .map(|factor| vec![factor.kind.to_string(), factor.detail.clone(), format!("{:+}", factor.points)]);
    [
        part(
            "Why it fired",
            "Rules with their newest finding".to_owned(),
            &["rule", "looks for", "times", "newest finding", "ATT&CK", "OWASP"],
            why.collect(),
        ),
        part(
            "Why the risk is what it is",
            "Factors of the worst finding; their points add up to the risk, at most 100".to_owned(),
            &["factor", "what was seen", "points"],
            risk.collect(),
        ),
    ]
}

/// What was blocked, revoked, restricted or limited for it, and blocks of its sources that somebody made meanwhile without
/// saying for which incident.
async fn contained(store: &Store, detail: &IncidentDetail, now: DateTime<Utc>) -> Result<Section, OpError> {
    let id = detail.incident.id;
    let mut rows: Vec<(DateTime<Utc>, Vec<String>)> = Vec::new();
    let found = &detail.incident;
    let sources: Vec<BlockTarget> = detail
        .entities
        .iter()
        .map(|count| &count.entity)
        .chain([&found.entity])
        .filter(|entity| entity.kind == EntityKind::Ip)
        .filter_map(|entity| entity.value.parse().ok())
        .collect();
    let meanwhile = Period { from: found.first_seen, to: found.resolved_at.unwrap_or(now) };
    let of_a_source = |block: &Block| sources.iter().any(|source| block.target.overlaps(*source));
    let mut blocks: Vec<(Block, &str)> =
        store.blocks_of_incident(id).await?.into_iter().map(|block| (block, "this incident")).collect();
    let others = store.blocks_of_no_incident(meanwhile).await?;
    blocks
        .extend(others.into_iter().filter(of_a_source).map(|block| (block, "its source, no incident named")));
    for (block, what_for) in blocks {
        let (at, target) = (block.created_at, block.target.to_string());
        let ended = block.removed_at.map(|at| (at, block.removed_by.clone().unwrap_or_default()));
        rows.push((
            at,
            contained_row(
                ("block", what_for),
                (target, block.reason.clone()),
                (at, &block.created_by),
                block.expires_at,
                ended,
                block.state.as_str(),
            ),
        ));
    }
    for one in store.containments_of_incident(id).await? {
        let at = one.created_at;
        let ended = one.removed_at.map(|at| (at, one.removed_by.clone().unwrap_or_default()));
        rows.push((
            at,
            contained_row(
                (one.kind.as_str(), "this incident"),
                (one.target, one.reason),
                (at, &one.created_by),
                one.expires_at,
                ended,
                one.state.as_str(),
            ),
        ));
    }
    rows.sort();
    Ok(part(
        "Containment",
        "Blocks and other measures for this incident, and blocks of its sources meanwhile, oldest first"
            .to_owned(),
        &["measure", "of what", "why", "for", "since", "by", "until", "ended", "state"],
        rows.into_iter().map(|(_, row)| row).collect(),
    ))
}

fn contained_row(
    (kind, what_for): (&str, &str),
    (target, reason): (String, String),
    (at, by): (DateTime<Utc>, &str),
    until: DateTime<Utc>,
    ended: Option<(DateTime<Utc>, String)>,
    state: &str,
) -> Vec<String> {
    let ended = ended.map(|(at, by)| format!("{} by {by}", time(at))).unwrap_or_default();
    vec![
        kind.to_owned(),
        target,
        reason,
        what_for.to_owned(),
        time(at),
        by.to_owned(),
        time(until),
        ended,
        state.to_owned(),
    ]
}

/// Lines and notes of an incident that its report holds at most, the newest.
const WORK_MAX: usize = 20_000;

/// The whole timeline and all notes: the page of the incident has the newest of them only.
struct Worked {
    timeline: Vec<TimelineEntry>,
    notes: Vec<Note>,
}

impl Worked {
    async fn read(store: &Store, detail: &IncidentDetail) -> Result<Self, OpError> {
        let number = detail.incident.number;
        let (mut timeline, mut earlier) = (detail.timeline.clone(), detail.earlier_timeline.clone());
        while let Some(before) = earlier.filter(|_| timeline.len() < WORK_MAX) {
            let part = store.incident_timeline(number, Some(&before), 500).await?;
            (timeline, earlier) = ([part.0, timeline].concat(), part.1);
        }
        let (mut notes, mut earlier) = (detail.notes.clone(), detail.earlier_notes.clone());
        while let Some(before) = earlier.filter(|_| notes.len() < WORK_MAX) {
            let part = store.incident_notes(number, Some(&before), 500).await?;
            (notes, earlier) = ([part.0, notes].concat(), part.1);
        }
        Ok(Self { timeline, notes })
    }
}

/// What people did: the playbook, the timeline, notes.
fn worked_on(worked: &Worked, detail: &IncidentDetail) -> Vec<Section> {
    let found = &detail.incident;
    let mut sections = Vec::new();
    if let Some(plan) = playbook(found.family, &detail.checks) {
        let rows = plan.steps.iter().map(|step| {
            let done = step.checked_by.as_ref().map_or("open", |_| "done");
            vec![
                step.phase.clone(),
                step.title.clone(),
                done.to_owned(),
                step.checked_by.clone().unwrap_or_default(),
                opt_time(step.checked_at),
                step.note.clone().unwrap_or_default(),
            ]
        });
        sections.push(part(
            "Playbook",
            format!("{}: {} of {} steps are done", plan.title, plan.done, plan.steps.len()),
            &["phase", "step", "state", "by", "when", "note"],
            rows.collect(),
        ));
    }
    let line =
        |line: &TimelineEntry| vec![time(line.at), line.actor.clone(), line.kind.clone(), line.text.clone()];
    sections.push(part(
        "Timeline",
        "Oldest first".to_owned(),
        &["when", "who", "what", "text"],
        worked.timeline.iter().map(line).collect(),
    ));
    let pauses = detail.pauses.iter().map(|pause| {
        let why = if pause.note.is_empty() {
            pause.reason.to_string()
        } else {
            format!("{}: {}", pause.reason, pause.note)
        };
        vec![time(pause.from), opt_time(pause.until), pause.started_by.clone(), why]
    });
    if !detail.pauses.is_empty() {
        sections.push(part(
            "Pauses",
            "When its clocks stood still".to_owned(),
            &["from", "to", "by", "why"],
            pauses.collect(),
        ));
    }
    sections.push(part(
        "Notes",
        "Oldest first".to_owned(),
        &["when", "who", "note"],
        worked.notes.iter().map(|note| vec![time(note.at), note.author.clone(), note.text.clone()]).collect(),
    ));
    sections
}

fn evidence(detail: &IncidentDetail) -> Section {
    let entities = detail
        .entities
        .iter()
        .map(|count| format!("{} {} ({})", count.entity.kind, count.entity.value, count.events));
    let rows = detail.evidence.iter().map(|one| {
        let event = &one.event;
        vec![
            time(event.at),
            event.id.to_string(),
            event.kind.clone(),
            event.outcome.to_string(),
            event.actor.clone().unwrap_or_default(),
            event.source_ip.clone().unwrap_or_default(),
            request(event),
            one.sha256.clone(),
        ]
    });
    let rest = match detail.entity_rows.saturating_sub(detail.entities.len() as u64) {
        0 => String::new(),
        n => format!("; the {n} others have fewer events or as many"),
    };
    Section {
        title: "Evidence".to_owned(),
        text: vec![format!(
            "Entities of its events, with how many: {}{rest}.",
            entities.collect::<Vec<_>>().join(", ")
        )],
        caption: format!(
            "Newest first, {} of {} different events, {} with repeats",
            detail.evidence.len(),
            detail.event_rows,
            detail.incident.event_count
        ),
        columns: names(&["when", "event", "type", "outcome", "actor", "source", "request", "SHA-256"]),
        rows: rows.collect(),
        ..Section::default()
    }
}
