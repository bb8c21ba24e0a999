//! Reports about people: who may do what, and what is kept about one of them.

use std::collections::BTreeSet;

use watchpost_model::access::Role;
use watchpost_model::audit::AuditFilter;
use watchpost_model::event::{Entity, EntityKind};
use watchpost_model::period::Period;
use watchpost_model::register::{RegisterEntry, RegisterKind, WITHDRAWN};
use watchpost_report::{Parameter, Section};
use watchpost_store::{EventFilter, Store};

use super::compose::{names, opt_time, time};
use crate::error::OpError;

/// More rows than this are not printed; their number is.
const ROWS_MAX: usize = 5_000;

pub(super) async fn access_review(store: &Store, period: Period) -> Result<Vec<Section>, OpError> {
    let used = store.audit_people(period).await?;
    let accounts = store.accounts(period).await?;
    let approved = store.register_entries(Some(RegisterKind::PrivilegedAccount), None, 500).await?;
    let reviews = store.register_entries(Some(RegisterKind::AccessReview), None, 10).await?;
    let roles = Role::ALL
        .iter()
        .map(|role| {
            let may: Vec<&str> = role.permissions().iter().map(|permission| permission.as_str()).collect();
            vec![role.to_string(), may.join(", ")]
        })
        .collect();
    // What the engine and the database's own upkeep do carries these names.
    let programs = ["engine", "watchpost"];
    let names_of = |wanted: bool| -> BTreeSet<&String> {
        used.iter()
            .map(|(name, ..)| name)
            .filter(|name| programs.contains(&name.as_str()) == wanted)
            .collect()
    };
    let newest = reviews.first().map_or_else(|| "none".to_owned(), |review| time(review.opened_at));
    Ok(vec![
        Section {
            title: "Access review".to_owned(),
            text: vec![
                "For each line somebody decides: keep, change or remove. Enter the review into the register when it is done, \
                 and each removal as access_removal."
                    .to_owned(),
            ],
            figures: vec![
                Parameter::new("People who acted here", names_of(false).len().to_string()),
                Parameter::new("Programs that acted here", names_of(true).len().to_string()),
                Parameter::new("Accounts in the applications", accounts.len().to_string()),
                Parameter::new("Approved administrators", approved.len().to_string()),
                Parameter::new("Last review", newest),
            ],
            caption: "Roles of Watchpost and what they may".to_owned(),
            columns: names(&["role", "permissions"]),
            rows: roles,
        },
        Section {
            title: "What people and programs used".to_owned(),
            caption: "Permissions used through Watchpost in the period".to_owned(),
            columns: names(&["who", "permission", "times", "last", "decision"]),
            rows: used
                .into_iter()
                .map(|(who, permission, times, last)| {
                    vec![who, permission, times.to_string(), time(last), String::new()]
                })
                .collect(),
            ..Section::default()
        },
        Section {
            title: "Approved administrators".to_owned(),
            caption: "Privileged accounts in the register".to_owned(),
            columns: names(&["account", "since", "recorded", "until", "approved by", "decision"]),
            rows: approved
                .into_iter()
                .map(|entry| {
                    vec![entry.subject, time(entry.opened_at), time(entry.written_at), opt_time(entry.closed_at), entry.approver, String::new()]
                })
                .collect(),
            ..Section::default()
        },
        Section {
            title: "Accounts in the applications".to_owned(),
            caption: "Accounts that the applications reported in the period, the busiest first; at most 1,000".to_owned(),
            columns: names(&["account", "events", "failures", "addresses", "last", "decision"]),
            rows: accounts
                .into_iter()
                .map(|(account, n, failures, addresses, last)| {
                    vec![account, n.to_string(), failures.to_string(), addresses.to_string(), time(last), String::new()]
                })
                .collect(),
            ..Section::default()
        },
    ])
}

pub(crate) async fn subject_access(
    store: &Store,
    period: Period,
    subject: &str,
) -> Result<Vec<Section>, OpError> {
    let kind = if subject.parse::<std::net::IpAddr>().is_ok() { EntityKind::Ip } else { EntityKind::User };
    let entity = Entity::new(kind, subject);
    let filter = EventFilter { period: Some(period), entity: Some(entity.clone()), ..EventFilter::default() };
    let total = store.event_count(&filter).await?;
    let mut events = Vec::new();
    let mut before = None;
    while events.len() < ROWS_MAX {
        let page = store.event_page(&filter, before, 500).await?;
        for event in page.rows {
            events.push(vec![
                time(event.at),
                event.category.to_string(),
                event.kind,
                event.outcome.to_string(),
                event.actor.unwrap_or_default(),
                event.source_ip.unwrap_or_default(),
                event.session.unwrap_or_default(),
                event.resource.unwrap_or_default(),
                event.action.unwrap_or_default(),
            ]);
        }
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    let (incidents, n_incidents) = store.incidents_with(&entity, 500).await?;
    let text = AuditFilter { text: Some(subject.to_owned()), ..AuditFilter::default() };
    let trail = store.audit_page(&text, None, 500).await?;
    let register = store.register_entries(None, Some(&format!("account/{subject}")), 500).await?;
    let requests = store.register_entries(None, Some(subject), 500).await?;
    let given = consents(register.iter().chain(&requests));
    Ok(vec![
        Section {
            title: "What is kept".to_owned(),
            text: vec![
                "Purpose: security of the applications and of the people who use them. Events are kept for the days of \
                 their category, incidents with their evidence for a year, the audit trail for seven years. Recipients are \
                 those who may look at this console. Text is as the applications reported it."
                    .to_owned(),
            ],
            figures: vec![
                Parameter::new("Events in the period", total.to_string()),
                Parameter::new("Incidents", n_incidents.to_string()),
                Parameter::new("Audit records", trail.len().to_string()),
                Parameter::new("Register entries", (register.len() + requests.len()).to_string()),
            ],
            ..Section::default()
        },
        Section {
            title: "Events".to_owned(),
            caption: format!("Newest first, {} of {total}", events.len()),
            columns: names(&["when", "category", "type", "outcome", "actor", "source", "session", "resource", "action"]),
            rows: events,
            ..Section::default()
        },
        Section {
            title: "Incidents".to_owned(),
            caption: format!(
                "About the person or with events of the person, newest first, {} of {n_incidents}",
                incidents.len()
            ),
            columns: names(&["number", "severity", "title", "status", "verdict", "first seen"]),
            rows: incidents
                .into_iter()
                .map(|one| {
                    vec![
                        one.number.to_string(),
                        one.severity.to_string(),
                        one.title,
                        one.status.to_string(),
                        one.verdict.to_string(),
                        time(one.first_seen),
                    ]
                })
                .collect(),
            ..Section::default()
        },
        Section {
            title: "Audit trail".to_owned(),
            caption: "Records that name the person, newest first, at most 500".to_owned(),
            columns: names(&["number", "when", "who", "action", "on", "outcome"]),
            rows: trail
                .into_iter()
                .map(|one| {
                    vec![one.seq.to_string(), time(one.at), one.actor, one.action, one.object, one.outcome.to_string()]
                })
                .collect(),
            ..Section::default()
        },
        Section {
            title: "Register".to_owned(),
            caption: "Entries about the person".to_owned(),
            columns: names(&["kind", "opened", "recorded", "due", "closed", "result", "note"]),
            rows: register
                .into_iter()
                .chain(requests)
                .map(|one| {
                    vec![
                        one.kind.to_string(),
                        time(one.opened_at),
                        time(one.written_at),
                        time(one.due_at),
                        opt_time(one.closed_at),
                        one.result.to_string(),
                        one.note,
                    ]
                })
                .collect(),
            ..Section::default()
        },
        given,
    ])
}

/// What the person agreed to, and what of it was withdrawn.
fn consents<'e>(entries: impl Iterator<Item = &'e RegisterEntry>) -> Section {
    let rows = entries.filter(|entry| entry.kind == RegisterKind::Consent).map(|one| {
        let fact = |name: &str| one.fields.get(name).cloned().unwrap_or_default();
        vec![
            fact("purpose"),
            fact("text"),
            time(one.opened_at),
            fact("how"),
            one.written_by.clone(),
            opt_time(one.closed_at),
            fact(WITHDRAWN),
        ]
    });
    Section {
        title: "Consents".to_owned(),
        caption: "What the person agreed to (GDPR Art. 7), as it was given and withdrawn".to_owned(),
        columns: names(&[
            "purpose",
            "text shown",
            "given",
            "how",
            "recorded by",
            "withdrawn",
            "how it was withdrawn",
        ]),
        rows: rows.collect(),
        ..Section::default()
    }
}
