//! The draft of a breach notification.

use chrono::{DateTime, Utc};
use watchpost_model::incident::IncidentDetail;
use watchpost_model::register::{RegisterEntry, RegisterKind};
use watchpost_report::{Parameter, Scope, Section};

use super::compose::{names, time};

/// The newest entry of the register that has a fact, and what it says.
fn said<'e>(entries: &'e [RegisterEntry], name: &str) -> Option<(&'e RegisterEntry, &'e str)> {
    entries.iter().find_map(|entry| {
        let text = entry.fields.get(name)?.trim();
        (!text.is_empty()).then_some((entry, text))
    })
}

/// What it says, or a blank to fill in with the name under which it is entered.
fn fact(entries: &[RegisterEntry], name: &str) -> String {
    said(entries, name).map_or_else(|| format!("[to be added: {name}]"), |(_, text)| text.to_owned())
}

/// What is to be done about a breach by what was decided.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Due {
    /// To tell the authority; also where nobody has decided.
    Notice,
    /// To say why it is hardly a risk for the people.
    Reasoning,
    /// Nothing: it hit no personal data.
    Nothing,
}

/// What is due, and why in words where something was decided. The newest decision counts, but for one that takes back that
/// the breach is notifiable.
fn due(entries: &[RegisterEntry]) -> (Due, Option<String>) {
    let Some((entry, decision)) = said(entries, "decision") else { return (Due::Notice, None) };
    let is = |text: &str, word: &str| text.trim().eq_ignore_ascii_case(word);
    let once =
        entries.iter().any(|one| one.fields.get("decision").is_some_and(|text| is(text, "notifiable")));
    let decided = format!("Decided by {} in the entry of {}", entry.owner, time(entry.opened_at));
    if once && !is(decision, "notifiable") {
        let words = format!(
            "{decided}: {decision}. An earlier decision called it notifiable, and what was called so once has to be notified: the clock runs on."
        );
        return (Due::Notice, Some(words));
    }
    if is(decision, "no_personal_data") {
        let words = format!(
            "{decided}: no personal data was hit. Nothing is due for that reason, neither to the authority nor to the people, and no fact is asked for. It counts as examined."
        );
        return (Due::Nothing, Some(words));
    }
    if is(decision, "not_notifiable") {
        let words = format!(
            "{decided}: not to be notified, so no notice to the authority is due. What is due is the reasoning why it is hardly a risk for the people, approved by a second person (Art. 33(5)). {}",
            reasoning(entries)
        );
        return (Due::Reasoning, Some(words));
    }
    (Due::Notice, None)
}

/// The reasoning about the risk, and whether somebody else approved it: reason and approval stand in one entry.
fn reasoning(entries: &[RegisterEntry]) -> String {
    let approved = entries.iter().find(|entry| {
        let (approver, owner) = (entry.approver.trim(), entry.owner.trim());
        let has_reason = entry.fields.get("risk_reason").is_some_and(|text| !text.trim().is_empty());
        has_reason && !approver.is_empty() && approver.to_lowercase() != owner.to_lowercase()
    });
    match (approved, said(entries, "risk_reason")) {
        (Some(entry), _) => {
            let reason = entry.fields.get("risk_reason").map_or("", |text| text.trim());
            format!("It is there, approved by {}: {reason}", entry.approver)
        }
        (None, Some((_, reason))) => format!("It is there, and no second person approved it: {reason}"),
        (None, None) => "It is not there: [to be added: risk_reason].".to_owned(),
    }
}

/// Why what was not recorded about telling the people needs no recording; `None` where it is still asked for.
fn not_asked(entries: &[RegisterEntry], due: Due, key: &str) -> Option<&'static str> {
    let is_high = said(entries, "risk").is_some_and(|(_, risk)| risk.eq_ignore_ascii_case("high"));
    let is_exempt = said(entries, "exemption").is_some_and(|(entry, _)| {
        let approver = entry.approver.trim().to_lowercase();
        !approver.is_empty() && approver != entry.owner.trim().to_lowercase()
    });
    let is_exemption = key == "exemption";
    match due {
        // What hit nobody lacks nothing.
        Due::Nothing => Some("not due"),
        // Whoever reasons that it is hardly a risk, and records a high one, is still asked.
        Due::Reasoning if !is_high => Some("not due"),
        Due::Notice | Due::Reasoning if is_exemption && said(entries, "told_at").is_some() => {
            Some("not needed: the people were told")
        }
        Due::Notice | Due::Reasoning if !is_exemption && is_exempt => {
            Some("not due: an approved exemption applies")
        }
        Due::Notice | Due::Reasoning => None,
    }
}

/// The rows on telling the people.
fn people(entries: &[RegisterEntry], due: Due) -> Vec<Vec<String>> {
    let row = |name: &str, recorded: Option<&str>, key: &str, blank: &str| {
        let text = recorded.or_else(|| not_asked(entries, due, key)).unwrap_or(blank);
        vec![name.to_owned(), text.to_owned()]
    };
    let exemption = said(entries, "exemption");
    let approver = exemption.map(|(entry, _)| entry.approver.trim()).filter(|name| !name.is_empty());
    let text = |key: &str| said(entries, key).map(|(_, text)| text);
    vec![
        row("People told", text("told_at"), "told_at", "[to be added: told_at]"),
        row("Exemption used", text("exemption"), "exemption", "[to be added: exemption]"),
        row("Words to the people", text("message"), "message", "[to be added: message]"),
        row("Exemption approved by", approver, "exemption", "[to be added]"),
    ]
}

/// Whole hours and minutes between two moments, whichever came first.
fn span(from: DateTime<Utc>, to: DateTime<Utc>) -> String {
    let minutes = (to - from).num_minutes().abs();
    format!("{} h {:02} min", minutes / 60, minutes % 60)
}

/// The draft. `entries` are those of the register about the incident, newest first: the clock runs from the one that
/// says the earliest awareness, whatever was entered later; each fact is that of the newest entry that has it.
pub(super) fn sections(detail: &IncidentDetail, entries: &[RegisterEntry], scope: &Scope) -> Vec<Section> {
    let found = &detail.incident;
    let entry = entries.iter().min_by_key(|entry| entry.opened_at);
    let closed_at = entries.iter().filter_map(|entry| entry.closed_at).min();
    let now = scope.generated_at;
    let (due, decided) = due(entries);
    let mut clock = vec![Parameter::new("Detected", time(found.opened_at))];
    let mut text = Vec::new();
    match entry {
        None => {
            clock.push(Parameter::new("Aware", "not recorded"));
            text.push(
                "Nobody has recorded when the organisation became aware, so no clock runs. It starts with a decision of a \
                 person, not with detection: enter a breach into the register."
                    .to_owned(),
            );
        }
        Some(entry) => {
            clock.push(Parameter::new("Aware", time(entry.opened_at)));
            clock.push(Parameter::new("Aware, recorded", time(entry.written_at)));
            let name = match entry.opened_at < found.opened_at {
                true => "Aware before it was detected here",
                false => "Detected to aware",
            };
            clock.push(Parameter::new(name, span(found.opened_at, entry.opened_at)));
            if entries.len() > 1 {
                text.push(format!(
                    "The register has {} entries about this breach. The clock runs from the earliest awareness that any of them says, {} by {}.",
                    entries.len(),
                    time(entry.opened_at),
                    entry.owner
                ));
            }
            text.extend(decided);
            // Of an entry whose due time was moved when that could still be done, too.
            let due_at = entry.opened_at + RegisterKind::Breach.due_after();
            let notify_by = match due {
                Due::Notice => time(due_at),
                Due::Reasoning | Due::Nothing => "no notice is due".to_owned(),
            };
            clock.push(Parameter::new("Notify by", notify_by));
            match closed_at {
                _ if due != Due::Notice => {
                    clock.extend(closed_at.map(|at| Parameter::new("Closed", time(at))));
                }
                Some(at) => {
                    clock.push(Parameter::new("Notified", time(at)));
                    clock.push(Parameter::new("Aware to notified", span(entry.opened_at, at)));
                    if at > due_at {
                        text.push(format!(
                            "Notified after the 72 hours. Reason: {}.",
                            fact(entries, "delay_reason")
                        ));
                    }
                }
                None if now > due_at => {
                    clock.push(Parameter::new("Overdue for", span(due_at, now)));
                    text.push("The clock has run out. Notify now, in phases where facts are missing, and state the reason of the delay.".to_owned());
                }
                None => clock.push(Parameter::new("Left", span(now, due_at))),
            }
        }
    }
    let rows = [
        ("Nature of the breach", "nature"),
        ("Categories and rough number of people", "people"),
        ("Categories and rough number of records", "records"),
        ("Contact for more information", "contact"),
        ("Likely effects", "effects"),
        ("Measures taken or proposed", "measures"),
        ("Decision on notifying", "decision"),
        ("Risk for the people", "risk"),
    ];
    // What hit nobody lacks nothing.
    let answer = |key: &str| match said(entries, key) {
        None if due == Due::Nothing => "not due".to_owned(),
        Some(_) | None => fact(entries, key),
    };
    let (head, notifies) = match due {
        Due::Notice => (
            "DRAFT. A person completes, checks and sends it. Every hour counts, weekends too; a notification may follow in phases.",
            "notifies of a personal data breach. Incident",
        ),
        Due::Reasoning | Due::Nothing => (
            "DRAFT, for the records: by what was decided nothing of it is sent.",
            "does not notify of this. Incident",
        ),
    };
    vec![
        Section {
            title: "The clock".to_owned(),
            text: std::iter::once(head.to_owned()).chain(text).collect(),
            figures: clock,
            ..Section::default()
        },
        Section {
            title: "Notification to the authority, Art. 33".to_owned(),
            text: vec![format!(
                "{} {notifies} {}: {}. First evidence {}, newest {}, {} evidence events.",
                scope.organisation,
                found.number,
                found.title,
                time(found.first_seen),
                time(found.last_seen),
                found.event_count
            )],
            caption: "What Art. 33(3) asks for".to_owned(),
            columns: names(&["asked for", "answer"]),
            rows: rows.iter().map(|(name, key)| vec![(*name).to_owned(), answer(key)]).collect(),
            ..Section::default()
        },
        Section {
            title: "Communication to the people, Art. 34".to_owned(),
            text: vec![
                "Needed when the risk for the people is high, unless an exemption applies.".to_owned(),
            ],
            caption: "What is recorded".to_owned(),
            columns: names(&["what", "recorded"]),
            rows: people(entries, due),
            ..Section::default()
        },
    ]
}
