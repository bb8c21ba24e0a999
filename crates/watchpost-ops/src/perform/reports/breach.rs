//! The draft of a breach notification.

use chrono::{DateTime, Utc};
use watchpost_model::incident::IncidentDetail;
use watchpost_model::register::{RegisterEntry, RegisterKind};
use watchpost_report::{Parameter, Scope, Section};

use super::compose::{names, time};

/// What the newest entry of the register that has it says, or a blank to fill in with the name under which it is entered.
fn fact(entries: &[RegisterEntry], name: &str) -> String {
    let said = |entry: &RegisterEntry| {
        entry.fields.get(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    entries.iter().find_map(said).unwrap_or_else(|| format!("[to be added: {name}]"))
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
            // Of an entry whose due time was moved when that could still be done, too.
            let due_at = entry.opened_at + RegisterKind::Breach.due_after();
            clock.push(Parameter::new("Notify by", time(due_at)));
            match closed_at {
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
    let art34 =
        [("People told", "told_at"), ("Exemption used", "exemption"), ("Words to the people", "message")];
    let table = |list: &[(&str, &str)]| -> Vec<Vec<String>> {
        list.iter().map(|(name, key)| vec![(*name).to_owned(), fact(entries, key)]).collect()
    };
    let approver =
        entries.iter().map(|entry| entry.approver.clone()).find(|name| !name.is_empty()).unwrap_or_default();
    let mut people = table(&art34);
    people.push(vec![
        "Exemption approved by".to_owned(),
        if approver.is_empty() { "[to be added]".to_owned() } else { approver },
    ]);
    vec![
        Section {
            title: "The clock".to_owned(),
            text: vec![
                "DRAFT. A person completes, checks and sends it. Every hour counts, weekends too; a notification may follow in phases.".to_owned(),
            ]
            .into_iter()
            .chain(text)
            .collect(),
            figures: clock,
            ..Section::default()
        },
        Section {
            title: "Notification to the authority, Art. 33".to_owned(),
            text: vec![format!(
                "{} notifies of a personal data breach. Incident {}: {}. First evidence {}, newest {}, {} evidence events.",
                scope.organisation,
                found.number,
                found.title,
                time(found.first_seen),
                time(found.last_seen),
                found.event_count
            )],
            caption: "What Art. 33(3) asks for".to_owned(),
            columns: names(&["asked for", "answer"]),
            rows: table(&rows),
            ..Section::default()
        },
        Section {
            title: "Communication to the people, Art. 34".to_owned(),
            text: vec!["Needed when the risk for the people is high, unless an exemption applies.".to_owned()],
            caption: "What is recorded".to_owned(),
            columns: names(&["what", "recorded"]),
            rows: people,
            ..Section::default()
        },
    ]
}
