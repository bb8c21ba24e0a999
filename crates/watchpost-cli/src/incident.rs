//! The verbs about incidents and suppressions.

use chrono::{DateTime, Duration, Utc};
use watchpost_model::event::UnknownWord;
use watchpost_model::incident::{BulkAction, IncidentFilter, Status};
use watchpost_model::suppression::SuppressionScope;
use watchpost_ops::contract::{
    IncidentAssign, IncidentBulk, IncidentEscalate, IncidentEventsRequest, IncidentHandover, IncidentMerge,
    IncidentNote, IncidentPageRequest, IncidentPause, IncidentRef, IncidentResolve, IncidentSimilar,
    IncidentSplit, IncidentStatusSet, IncidentStepCheck, IncidentUndo, Nothing, SuppressionAdd,
    SuppressionFindings, SuppressionPreviewRequest, SuppressionRemove,
};
use watchpost_ops::door::operation;
use watchpost_ops::error::OpError;

use crate::args::Output;
use crate::args::incident::{Bulk, Incident, IncidentWhich, Suppress, Suppression};
use crate::period::Since;
use crate::session::Session;
use crate::{show, show_incident};

/// Days that `suppress --dry-run` looks back.
const HISTORY_DAYS: u32 = 30;

pub(crate) async fn run(session: &Session, form: Output, verb: Incident) -> anyhow::Result<()> {
    match verb {
        Incident::List(list) => {
            let order = serde_json::from_value(serde_json::Value::String(list.order))?;
            let filter = filter(list.filter, session.console.now())?;
            let request = IncidentPageRequest { filter, order, after: None, limit: list.limit };
            show::incidents(form, &session.ask::<operation::incident_page>(request).await?)
        }
        Incident::Show { number } => {
            let detail = session.ask::<operation::incident_detail>(IncidentRef { number }).await?;
            show_incident::detail(form, &detail)
        }
        Incident::Note { number, text } => {
            let detail = session.ask::<operation::incident_note>(IncidentNote { number, text }).await?;
            show_incident::detail(form, &detail)
        }
        Incident::Step { number, step, note, open } => {
            let request = IncidentStepCheck { number, step, done: !open, note };
            let detail = session.ask::<operation::incident_step_check>(request).await?;
            show_incident::detail(form, &detail)
        }
        Incident::Events { number, limit } => events(session, form, number, limit).await,
        Incident::Similar { number, limit } => {
            let request = IncidentSimilar { number, limit };
            show_incident::similar(form, &session.ask::<operation::incident_similar>(request).await?)
        }
        Incident::Suppress(request) => suppress(session, form, request).await,
        Incident::Bulk(request) => bulk(session, form, request).await,
        Incident::Undo { undo } => {
            let outcome = session.ask::<operation::incident_undo>(IncidentUndo { undo }).await?;
            show_incident::bulk(form, &outcome)
        }
        Incident::Feedback => {
            show_incident::feedback(form, &session.ask::<operation::rule_feedback>(Nothing {}).await?)
        }
        change => changed(session, form, change).await,
    }
}

/// The verbs that answer with the incident as it stands then.
async fn changed(session: &Session, form: Output, verb: Incident) -> anyhow::Result<()> {
    let version = None;
    let incident = match verb {
        Incident::Take { number } => session.ask::<operation::incident_take>(IncidentRef { number }).await?,
        Incident::Assign { number, assignee, to } => {
            let assignee = assignee.or(to);
            let request = IncidentAssign { number, assignee, version };
            session.ask::<operation::incident_assign>(request).await?
        }
        Incident::Handover { number, assignee, to, note } => {
            let to = assignee.or(to).unwrap_or_default();
            let request = IncidentHandover { number, to, note, version };
            session.ask::<operation::incident_handover>(request).await?
        }
        Incident::Status { number, status, reason } => {
            let request = IncidentStatusSet { number, status: status.parse()?, reason, version };
            session.ask::<operation::incident_status_set>(request).await?
        }
        Incident::Escalate { number, severity, to, reason } => {
            let severity = severity.map(|word| word.parse()).transpose()?;
            let request = IncidentEscalate { number, severity, to, reason, version };
            session.ask::<operation::incident_escalate>(request).await?
        }
        Incident::Pause { number, reason, note } => {
            let request = IncidentPause { number, reason: reason.parse()?, note, version };
            session.ask::<operation::incident_pause>(request).await?
        }
        Incident::Resume { number } => {
            session.ask::<operation::incident_resume>(IncidentRef { number }).await?
        }
        Incident::Resolve { number, verdict, cause, reason, of } => {
            let cause = cause.map(|word| word.parse()).transpose()?;
            let (verdict, reason) = (verdict.parse()?, reason.unwrap_or_default());
            let request = IncidentResolve { number, verdict, cause, reason, duplicate_of: of, version };
            session.ask::<operation::incident_resolve>(request).await?
        }
        Incident::Reopen { number, reason } => {
            let request =
                IncidentStatusSet { number, status: Status::Reopened, reason: Some(reason), version };
            session.ask::<operation::incident_status_set>(request).await?
        }
        Incident::Merge { numbers, into, reason } => {
            session.ask::<operation::incident_merge>(IncidentMerge { numbers, into, reason }).await?
        }
        Incident::Split { number, reason } => {
            session.ask::<operation::incident_split>(IncidentSplit { number, reason }).await?
        }
        Incident::List(_)
        | Incident::Show { .. }
        | Incident::Events { .. }
        | Incident::Note { .. }
        | Incident::Step { .. }
        | Incident::Similar { .. }
        | Incident::Suppress(_)
        | Incident::Bulk(_)
        | Incident::Undo { .. }
        | Incident::Feedback => unreachable!("answered by the caller"),
    };
    show::incident_row(form, &incident)
}

fn parse_all<T: std::str::FromStr>(words: Vec<String>) -> Result<Vec<T>, T::Err> {
    words.iter().map(|word| word.parse()).collect()
}

fn filter(which: IncidentWhich, now: DateTime<Utc>) -> anyhow::Result<IncidentFilter> {
    let bad = |field: &'static str| move |error: UnknownWord| OpError::invalid(field, error.to_string());
    let since = |field: &'static str, since: Option<Since>| {
        let period = since.map(|since| since.until(now)).transpose();
        period.map_err(|error| OpError::invalid(field, error.to_string()))
    };
    Ok(IncidentFilter {
        status: parse_all(which.status)?,
        severity: parse_all(which.severity)?,
        family: parse_all(which.family).map_err(bad("family"))?,
        text: which.text,
        entity: which.entity.map(|text| text.parse()).transpose().map_err(bad("entity"))?,
        opened: since("opened_since", which.opened_since)?,
        changed: since("changed_since", which.changed_since)?,
        began: since("began_since", which.began_since)?,
        acknowledged: which.acknowledged,
        active_at: which.active_at,
        ..IncidentFilter::default()
    })
}

/// Pages until `limit` rows are there.
async fn events(session: &Session, form: Output, number: i64, limit: u32) -> anyhow::Result<()> {
    let mut rest = limit.max(1);
    let ask = |after, limit| IncidentEventsRequest { number, after, limit };
    let mut list = session.ask::<operation::incident_events>(ask(None, rest.min(500))).await?;
    loop {
        rest = limit.saturating_sub(u32::try_from(list.rows.len()).unwrap_or(u32::MAX));
        if rest == 0 || list.next.is_none() {
            return show_incident::events(form, &list);
        }
        let more = session.ask::<operation::incident_events>(ask(list.next.take(), rest.min(500))).await?;
        list.rows.extend(more.rows);
        list.next = more.next;
    }
}

async fn suppress(session: &Session, form: Output, args: Suppress) -> anyhow::Result<()> {
    let incident =
        session.ask::<operation::incident_detail>(IncidentRef { number: args.number }).await?.incident;
    let scope = SuppressionScope {
        rule: args.rule,
        family: Some(incident.family),
        entity: args.network.is_none().then_some(incident.entity),
        network: args.network,
        endpoint: args.endpoint,
        user: args.user,
    };
    if args.dry_run {
        let request = SuppressionPreviewRequest { scope, days: HISTORY_DAYS };
        let preview = session.ask::<operation::suppression_preview>(request).await?;
        return show_incident::suppression_preview(form, &preview);
    }
    let expires_at = session.console.now() + Duration::days(i64::from(args.days));
    let request = SuppressionAdd { scope, owner: args.owner, reason: args.reason, expires_at };
    let made = session.ask::<operation::suppression_add>(request).await?;
    show_incident::suppression(form, &made)
}

async fn bulk(session: &Session, form: Output, args: Bulk) -> anyhow::Result<()> {
    let reason = args.reason.clone();
    let needed = |reason: Option<String>| {
        reason.ok_or_else(|| OpError::invalid("reason", format!("{} needs --reason", args.action)))
    };
    let action = match args.action.as_str() {
        "take" => BulkAction::Take,
        "assign" => BulkAction::Assign { assignee: args.to.clone() },
        "investigate" => BulkAction::Status { status: Status::Investigating, reason },
        "contain" => BulkAction::Status { status: Status::Contained, reason },
        "close" => BulkAction::Status { status: Status::Closed, reason },
        "note" => BulkAction::Note { text: needed(reason)? },
        "suppress" => BulkAction::Suppress { reason: needed(reason)?, days: args.days },
        _ => BulkAction::Resolve {
            verdict: args.verdict.as_deref().unwrap_or_default().parse()?,
            cause: args.cause.as_deref().map(str::parse).transpose()?,
            reason: reason.unwrap_or_default(),
        },
    };
    let filter =
        if args.numbers.is_empty() { Some(filter(args.filter, session.console.now())?) } else { None };
    let request = IncidentBulk { numbers: args.numbers, filter, expected: args.expect, action };
    show_incident::bulk(form, &session.ask::<operation::incident_bulk>(request).await?)
}

pub(crate) async fn suppression(session: &Session, form: Output, verb: Suppression) -> anyhow::Result<()> {
    let id_of = |id: &str| {
        id.parse().map_err(|_| OpError::invalid("id", format!("{id:?} is no id of a suppression")))
    };
    match verb {
        Suppression::List => {
            let list = session.ask::<operation::suppression_list>(Nothing {}).await?;
            show_incident::suppressions(form, &list)
        }
        Suppression::Findings { id, limit } => {
            let request = SuppressionFindings { id: id_of(&id)?, after: None, limit };
            let list = session.ask::<operation::suppression_findings>(request).await?;
            show_incident::suppressed(form, &list)
        }
        Suppression::Remove { id, reason } => {
            let request = SuppressionRemove { id: id_of(&id)?, reason };
            let removed = session.ask::<operation::suppression_remove>(request).await?;
            show_incident::suppression(form, &removed)
        }
    }
}
