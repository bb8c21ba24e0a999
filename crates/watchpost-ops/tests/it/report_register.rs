//! What the register takes about breaches and erasures, and what the draft of a notification makes of it.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use watchpost_model::incident::Incident;
use watchpost_model::period::Period;
use watchpost_model::register::{EntryResult, RegisterEntry, RegisterKind};
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{RegisterAdd, RegisterChange, ReportRequest};
use watchpost_ops::door::operation;
use watchpost_ops::error::{ErrorCode, OpError};

use crate::door::{Desk, desk, folder};

fn facts(list: &[(&str, &str)]) -> BTreeMap<String, String> {
    list.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

async fn add(
    desk: &Desk,
    (kind, subject): (RegisterKind, &str),
    opened_at: DateTime<Utc>,
    (result, list): (EntryResult, &[(&str, &str)]),
) -> Result<RegisterEntry, OpError> {
    let request = RegisterAdd {
        kind,
        subject: subject.to_owned(),
        opened_at: Some(opened_at),
        due_at: None,
        owner: None,
        result,
        fields: facts(list),
        note: String::new(),
    };
    desk.ask::<operation::register_add>(request).await
}

async fn change(
    desk: &Desk,
    entry: &RegisterEntry,
    result: Option<EntryResult>,
    list: &[(&str, &str)],
) -> Result<RegisterEntry, OpError> {
    let request = RegisterChange {
        id: entry.id,
        version: entry.version,
        result,
        due_at: None,
        approve: false,
        fields: facts(list),
        reason: "looked again".to_owned(),
    };
    desk.ask::<operation::register_change>(request).await
}

#[tokio::test]
async fn the_facts_of_an_erasure_are_what_a_report_can_judge() {
    let home = folder();
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let now = desk.console.now();
    let day = |days: i64| (now + Duration::days(days)).format("%Y-%m-%d").to_string();
    let (yesterday, soon, late, receipt, before) = (day(-1), day(30), day(100), day(-3), day(-4));
    let future = (now + Duration::days(1)).to_rfc3339();
    let erasure = (RegisterKind::ErasureRequest, "account/kim");
    let received = now - Duration::days(3);
    let (open, good, bad) = (EntryResult::Open, EntryResult::Good, EntryResult::Bad);
    let cases: [(EntryResult, &str, &str, Option<&str>); 18] = [
        (good, "key_destroyed", "banana", Some("neither an instant")),
        (open, "key_destroyed", "banana", Some("neither an instant")),
        (good, "key_destroyed", future.as_str(), Some("in the future")),
        (good, "key_destroyed", yesterday.as_str(), None),
        (good, "key_destroyed", receipt.as_str(), None),
        (good, "key_destroyed", before.as_str(), Some("before the request")),
        (good, "key_destroyed", "2020-01-01", Some("before the request")),
        (open, "key_destroyed", "2020-01-01T10:00:00Z", Some("before the request")),
        (good, "refused", " ", Some("refused is blank")),
        (good, "residue", "plenty", Some("residue is not none")),
        (good, "residue", "None", None),
        (bad, "residue", "two files", None),
        (open, "residue", "two files", None),
        (good, "backups_until", "2035-01-01", Some("more than 90 days")),
        (good, "backups_until", late.as_str(), Some("more than 90 days")),
        (good, "backups_until", yesterday.as_str(), Some("is past")),
        (good, "backups_until", "spring", Some("is no day")),
        (good, "backups_until", soon.as_str(), None),
    ];
    for (result, name, text, refused) in cases {
        let found = add(&desk, erasure, received, (result, &[(name, text)])).await;
        let said = found.as_ref().err().map(|error| (error.code, error.message.as_str()));
        match refused {
            None => assert_eq!(said, None, "{name}={text}"),
            Some(words) => {
                let (code, message) = said.expect(text);
                assert!(code == ErrorCode::Validation && message.contains(words), "{name}={text}: {message}");
            }
        }
    }
    // Of another kind these are facts like others.
    let other = (RegisterKind::Backup, "nightly");
    add(&desk, other, received, (good, &[("residue", "plenty")])).await.expect("a fact");

    let entry = add(&desk, erasure, received, (open, &[("residue", "two files")])).await.expect("it is open");
    let refused = change(&desk, &entry, Some(good), &[]).await.expect_err("something was left");
    assert_eq!((refused.code, refused.field.as_deref()), (ErrorCode::Validation, Some("fields")));
    change(&desk, &entry, None, &[("backups_until", "2035-01-01")]).await.expect_err("too long");
    let entry = change(&desk, &entry, Some(good), &[("residue", "none")]).await.expect("nothing is left");
    let entry = change(&desk, &entry, None, &[("backups_until", soon.as_str())]).await.expect("a month");
    let entry = change(&desk, &entry, None, &[("backups_until", "")]).await.expect("they are gone");
    assert!(!entry.fields.contains_key("backups_until"), "{:?}", entry.fields);
    change(&desk, &entry, None, &[("refused", " ")]).await.expect_err("it says no reason");
    let entry = change(&desk, &entry, None, &[("refused", "the books")]).await.expect("a reason");
    let entry = change(&desk, &entry, None, &[("refused", "")]).await.expect("it is taken back");
    assert!(!entry.fields.contains_key("refused"), "{:?}", entry.fields);
    desk.console.close().await;
}

#[tokio::test]
async fn a_subject_is_retired_by_an_entry_of_its_own() {
    let home = folder();
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let at = desk.console.now() - Duration::days(3);
    let criteria = (RegisterKind::Criteria, "incidents");
    let good = EntryResult::Good;
    let gone: &[(&str, &str)] = &[("retired", "no longer used")];
    let refused = add(&desk, criteria, at, (good, gone)).await.expect_err("nothing is there");
    assert_eq!((refused.code, refused.field.as_deref()), (ErrorCode::Validation, Some("subject")));
    let entry = add(&desk, criteria, at, (good, &[("version", "5")])).await.expect("criteria");
    let refused = add(&desk, criteria, at, (good, &[("retired", " ")])).await.expect_err("no reason");
    assert_eq!(refused.field.as_deref(), Some("fields"));
    let refused = change(&desk, &entry, None, gone).await.expect_err("somebody may have approved it");
    assert_eq!(refused.field.as_deref(), Some("fields"));
    let end = add(&desk, criteria, at, (good, gone)).await.expect("it says why");
    let approval = RegisterChange {
        id: end.id,
        version: end.version,
        result: None,
        due_at: None,
        approve: true,
        fields: BTreeMap::new(),
        reason: "it is so".to_owned(),
    };
    let refused = desk.ask::<operation::register_change>(approval).await.expect_err("its own writer");
    assert_eq!(refused.code, ErrorCode::Precondition);
    // Of what is judged by no newest entry it is a fact like others.
    let other = (RegisterKind::Backup, "nightly");
    add(&desk, other, at, (good, gone)).await.expect("a fact");
    desk.console.close().await;
}

/// Enters what is said about a breach so many hours after it was known, nine days ago, when every clock has run out. What the
/// draft says then, and all that stands in it.
async fn drafted(desk: &Desk, incident: &Incident, hours: i64, list: &[(&str, &str)]) -> (String, String) {
    let subject = format!("incident/{}", incident.number);
    let at = desk.console.now() - Duration::days(9) + Duration::hours(hours);
    let entry = add(desk, (RegisterKind::Breach, &subject), at, (EntryResult::Open, list)).await;
    entry.expect("a good entry");
    let request = ReportRequest {
        framework: "breach".to_owned(),
        period: Period::ending(incident.last_seen + Duration::days(1), Duration::days(30)),
        subject: Some(incident.number.to_string()),
        ticket: None,
    };
    let sections = desk.ask::<operation::report_preview>(request).await.expect("a draft").sections;
    let words: Vec<String> = sections.iter().flat_map(|section| section.text.clone()).collect();
    (words.join("\n"), format!("{sections:?}"))
}

#[tokio::test]
async fn the_draft_of_a_breach_says_what_was_decided_and_what_is_due() {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    desk.fill().await;
    let incident = desk.first_incident().await.incident;
    let (words, all) = drafted(&desk, &incident, 1, &[("nature", "a laptop")]).await;
    assert!(words.contains("Notify now") && all.contains("[to be added: measures]"), "{all}");
    let (words, all) = drafted(&desk, &incident, 2, &[("decision", "no_personal_data")]).await;
    assert!(words.contains("no personal data was hit") && words.contains("Nothing is due"), "{words}");
    assert!(!words.contains("Notify now") && !all.contains("Overdue for"), "{all}");
    assert!(!all.contains("[to be added") && all.contains("no notice is due"), "{all}");
    let (words, all) = drafted(&desk, &incident, 3, &[("decision", "not_notifiable")]).await;
    assert!(words.contains("not to be notified") && words.contains("[to be added: risk_reason]"), "{words}");
    assert!(!words.contains("Notify now") && all.contains("[to be added: measures]"), "{all}");
    for name in ["told_at", "exemption", "message"] {
        assert!(!all.contains(&format!("[to be added: {name}]")), "{name}: {all}");
    }
    assert!(!all.contains("[to be added]"), "{all}");
    let (words, _) = drafted(&desk, &incident, 4, &[("risk_reason", "it was encrypted")]).await;
    assert!(words.contains("no second person approved it: it was encrypted"), "{words}");
    let (words, _) = drafted(&desk, &incident, 5, &[("decision", "notifiable")]).await;
    assert!(words.contains("Notify now") && !words.contains("Decided by"), "{words}");
    for (hours, word) in [(6, "not_notifiable"), (7, "no_personal_data")] {
        let (words, _) = drafted(&desk, &incident, hours, &[("decision", word)]).await;
        assert!(words.contains("Notify now") && words.contains("called it notifiable"), "{words}");
        assert!(words.contains(&format!(": {word}.")), "what was decided last: {words}");
    }
    let (_, all) = drafted(&desk, &incident, 8, &[("risk", "high"), ("decision", "notifiable")]).await;
    assert!(all.contains("[to be added: told_at]") && all.contains("[to be added: exemption]"), "{all}");
    let told_at = desk.console.now().to_rfc3339();
    let (_, all) = drafted(&desk, &incident, 9, &[("told_at", told_at.as_str())]).await;
    assert!(!all.contains("[to be added: exemption]") && !all.contains("[to be added]"), "{all}");
    assert!(all.contains("the people were told") && all.contains("[to be added: message]"), "{all}");
    desk.console.close().await;
}

#[tokio::test]
async fn a_consent_is_shown_as_it_was_given_and_withdrawn_as_easily() {
    let home = folder();
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let given = desk.console.now() - Duration::days(2);
    let anna = (RegisterKind::Consent, "account/anna");
    let (open, good) = (EntryResult::Open, EntryResult::Good);
    let whole = [("purpose", "newsletter"), ("text", "terms 3"), ("how", "a tick in the form")];
    let refused = add(&desk, anna, given, (open, &whole[..2])).await.expect_err("how it was given");
    assert!(refused.message.contains("purpose, text, how"), "{refused}");
    add(&desk, anna, given, (good, &whole)).await.expect_err("it has no end of itself");
    let consent = add(&desk, anna, given, (open, &whole)).await.expect("a consent");
    assert_eq!((consent.opened_at, consent.closed_at), (given, None));

    change(&desk, &consent, None, &[("text", "terms 4")]).await.expect_err("nobody agreed to that");
    change(&desk, &consent, Some(good), &[]).await.expect_err("withdrawn how?");
    let early = (given - Duration::hours(1)).to_rfc3339();
    let late = (desk.console.now() + Duration::hours(1)).to_rfc3339();
    for at in ["spring", early.as_str(), late.as_str()] {
        let said = [("withdrawn", "by mail"), ("withdrawn_at", at)];
        change(&desk, &consent, None, &said).await.expect_err(at);
    }
    let ended =
        change(&desk, &consent, None, &[("withdrawn", "by mail")]).await.expect("one fact withdraws it");
    assert_eq!(ended.result, good);
    assert!(ended.closed_at.is_some() && ended.fields.contains_key("withdrawn_at"), "{ended:?}");
    assert_eq!(ended.fields.get("text"), consent.fields.get("text"));
    change(&desk, &ended, Some(open), &[]).await.expect_err("it stays withdrawn");
    change(&desk, &ended, None, &[("withdrawn", "")]).await.expect_err("it stays withdrawn");
    change(&desk, &ended, None, &[("asked_again", "no")]).await.expect("a fact beside it");
    add(&desk, anna, given, (open, &whole)).await.expect("given anew");
}
