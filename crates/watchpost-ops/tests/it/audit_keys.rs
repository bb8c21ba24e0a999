//! The key that signs is rolled: the trail, the witness, the places and the export follow.

use std::sync::Arc;

use chrono::Duration;
use watchpost_model::audit::AuditOutcome;
use watchpost_model::clock::{Clock, ManualClock, SystemClock};
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{
    AuditExport, AuditKeyAgePut, AuditKeyRevoke, AuditKeyRoll, AuditPlaces, AuditPlacesPut, AuditRef,
    AuditVerify, Nothing,
};
use watchpost_ops::door::operation;
use watchpost_ops::error::ErrorCode;

use crate::audit_export::{change, copy, edit, said, script, sum};
use crate::door::{desk, desk_at, folder};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_signs_for_more_than_a_year_is_told_until_it_is_rolled() {
    let home = folder();
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let desk = desk_at(&home, Tenure::Owner, local_connection(), clock.clone()).await;
    let warned = async || {
        let status = desk.ask::<operation::workspace_status>(Nothing {}).await.expect("there is a status");
        status.trail.expect("a workspace is open").key_warning
    };
    desk.ask::<operation::audit_checkpoint>(Nothing {}).await.expect("it signs");
    assert_eq!(warned().await, None);
    clock.advance(Duration::days(365));
    assert_eq!(warned().await, None, "a year to the day");
    clock.advance(Duration::days(1));
    assert!(warned().await.is_some_and(|warning| warning.contains("366 days")));
    let roll = AuditKeyRoll { reason: "a year".to_owned() };
    desk.ask::<operation::audit_key_roll>(roll).await.expect("it can be rolled");
    assert_eq!(warned().await, None);
    desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_old_a_key_may_be_is_a_setting_of_the_log() {
    let home = folder();
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let desk = desk_at(&home, Tenure::Owner, local_connection(), clock.clone()).await;
    let warned = async || {
        let status = desk.ask::<operation::workspace_status>(Nothing {}).await.expect("there is a status");
        status.trail.expect("a workspace is open").key_warning
    };
    let put = async |days| {
        let request = AuditKeyAgePut { days, reason: Some("the policy of the house".to_owned()) };
        desk.ask::<operation::audit_key_age_put>(request).await
    };
    desk.ask::<operation::audit_checkpoint>(Nothing {}).await.expect("it signs");
    assert_eq!(desk.ask::<operation::audit_trust>(Nothing {}).await.expect("looked").key_days, 365);
    clock.advance(Duration::days(91));
    assert_eq!(warned().await, None);
    assert_eq!(put(90).await.expect("it can be set").key_days, 90);
    assert!(warned().await.is_some_and(|warning| warning.contains("91 days")), "at once");
    assert_eq!(put(0).await.expect("it can be set").key_days, 0);
    clock.advance(Duration::days(400));
    assert_eq!(warned().await, None, "never");
    assert_eq!(put(3_651).await.unwrap_err().field.as_deref(), Some("days"));
    assert_eq!(desk.trail("audit_key_age_put", AuditOutcome::Success).await, 2);
    assert_eq!(desk.trail("audit_key_age_put", AuditOutcome::Failure).await, 1);
    desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_trusts_the_first_key_follows_to_the_newest() {
    let (home, out) = (folder(), folder());
    let vault = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    let places =
        AuditPlaces { folders: vec![vault.path().display().to_string()], redis: false, webhook: None };
    desk.ask::<operation::audit_places_put>(AuditPlacesPut { places, reason: None }).await.expect("a place");
    change(&desk, "Before").await;
    let before = desk.ask::<operation::audit_key_list>(Nothing {}).await.expect("keys can be listed").keys;
    assert_eq!((before.len(), before[0].own, before[0].after.as_ref()), (1, true, None));
    let first = before[0].clone();

    let nothing = AuditKeyRoll { reason: " ".to_owned() };
    let refused = desk.ask::<operation::audit_key_roll>(nothing).await.unwrap_err();
    assert_eq!(refused.field.as_deref(), Some("reason"));
    for n in 0..2 {
        let roll = AuditKeyRoll { reason: format!("week {n}") };
        desk.ask::<operation::audit_key_roll>(roll).await.expect("it can be rolled");
        change(&desk, &format!("After {n}")).await;
    }
    let keys = desk.ask::<operation::audit_key_list>(Nothing {}).await.unwrap().keys;
    assert_eq!(keys.len(), 3);
    let shape: Vec<_> =
        keys.iter().map(|key| (key.after.as_deref(), key.revoked.is_some(), key.own)).collect();
    let expect = [
        (None, true, false),
        (Some(keys[0].name.as_str()), true, false),
        (Some(keys[1].name.as_str()), false, true),
    ];
    assert_eq!(shape, expect);
    assert_eq!(desk.trail("audit_key_roll", AuditOutcome::Success).await, 2);

    let checked =
        desk.ask::<operation::audit_verify>(AuditVerify { full: true, ticket: None }).await.unwrap();
    assert!(checked.ok, "{:?}", checked.problems);
    let trust = desk.ask::<operation::audit_trust>(Nothing {}).await.unwrap();
    assert!(trust.ok && trust.places.iter().all(|place| place.ok), "{trust:?}");
    assert_eq!(trust.signer.as_ref(), Some(&keys[2].name));

    // The export, by the first key, by one on the way, by the newest, and by none that the log knows.
    let bundle = out.path().join("bundle");
    let request = AuditExport { directory: bundle.display().to_string(), ..AuditExport::default() };
    let exported = desk.ask::<operation::audit_export>(request).await.expect("it can be exported");
    assert_eq!(exported.key, keys[2].vkey);
    for key in &keys {
        let held = script(&bundle, &["--key", &key.vkey]);
        assert!(held.status.success() && said(&held).ends_with("HOLDS\n"), "{}: {}", key.name, said(&held));
        assert_eq!(said(&held).contains("leads to the one that signed"), key.name != keys[2].name);
    }
    let stranger = "watchpost/desk+8b2d4f47+AZ3p2v9Qm7uPqvhcmv0m9bM1q8b8hXgkqJ4W3mJm7m1a";
    let refused = script(&bundle, &["--key", stranger]);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(said(&refused).contains("does not lead"), "{}", said(&refused));

    // A proof of one record, beside the bundle.
    let proof = desk.ask::<operation::audit_prove>(AuditRef { seq: 1 }).await.expect("it can be proved");
    let file = out.path().join("one.tlog-proof");
    std::fs::write(&file, &proof.text).unwrap();
    let path = file.display().to_string();
    let held = script(&bundle, &["--proof", &path, "--key", &first.vkey]);
    assert!(held.status.success(), "{}", said(&held));
    assert_eq!(script(&bundle, &["--proof", &path, "--key", stranger]).status.code(), Some(1));

    // The records of the keys, left out or altered.
    let line = |text: &str, what: &str, n: usize| {
        let lines: Vec<&str> = text.lines().collect();
        let at = lines.iter().enumerate().filter(|(_, line)| line.contains(what)).nth(n).unwrap().0;
        (at, lines.iter().map(|line| (*line).to_owned()).collect::<Vec<String>>())
    };
    for (name, what, n) in
        [("the second key is left out", "key.add", 1), ("the newest key is left out", "key.add", 2)]
    {
        let plain = copy(&bundle, out.path());
        edit(&plain, "leaves.jsonl", |text| {
            let (at, mut lines) = line(&text, what, n);
            lines.remove(at);
            lines.join("\n") + "\n"
        });
        sum(&plain);
        let found = script(&plain, &["--key", &first.vkey]);
        assert_eq!(found.status.code(), Some(1), "{name}: {}", said(&found));
    }

    let own = AuditKeyRevoke { name: keys[2].name.clone(), reason: "stolen".to_owned() };
    let refused = desk.ask::<operation::audit_key_revoke>(own).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Precondition, "{refused}");
    let none = AuditKeyRevoke { name: "watchpost/none".to_owned(), reason: "stolen".to_owned() };
    let refused = desk.ask::<operation::audit_key_revoke>(none).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotFound, "{refused}");
    desk.console.close().await;

    // The next owner signs with a key of its own; the one before can be revoked.
    let desk = crate::door::desk(&home, Tenure::Owner, local_connection()).await;
    let stolen = AuditKeyRevoke { name: keys[2].name.clone(), reason: "stolen".to_owned() };
    let list = desk.ask::<operation::audit_key_revoke>(stolen).await.expect("it can be revoked").keys;
    assert!(list[2].revoked.is_some() && list[3].own, "{list:?}");
    let checked =
        desk.ask::<operation::audit_verify>(AuditVerify { full: true, ticket: None }).await.unwrap();
    assert!(checked.ok, "{:?}", checked.problems);
    desk.console.close().await;
}
