//! Retention of the trail: content past its time goes, leaves and proofs stay, and nothing else explains what is missing.

use chrono::Duration;
use watchpost_model::access::Permission;
use watchpost_model::audit::{AuditDraft, AuditFilter, AuditRecord, AuditVerification};
use watchpost_model::privacy::{Subject, SubjectKind};
use watchpost_model::record_class::{RecordClass, RecordPurge};
use watchpost_store::{Signer, Store, StoreError, VerifyPlan};

use crate::support::{World, both, caller, draft, of_hold};

both!(
    content_past_its_time_goes_and_the_proofs_stay,
    a_hold_wins,
    content_that_went_without_a_purge_is_found,
    a_clock_for_which_nothing_speaks_purges_nothing,
);

async fn verify(store: &Store) -> AuditVerification {
    store.audit_verify(&caller("auditor"), VerifyPlan::default(), &|_, _| true).await.unwrap()
}

fn by(name: &str, action: &str, permission: Permission) -> AuditDraft {
    AuditDraft {
        caller: caller(name),
        object: format!("account/{name}"),
        reason: Some(format!("{name} said so")),
        permission,
        ..draft(action)
    }
}

fn asked(_: &[RecordPurge]) -> AuditDraft {
    AuditDraft { caller: caller("robin"), permission: Permission::Admin, ..draft("audit_purge") }
}

/// Purges the records of what was done against attacks, all of them.
async fn purge(world: &World) -> RecordPurge {
    let cutoffs = [(RecordClass::Security, world.now() + Duration::days(1))];
    let shown = world.store.audit_purge_preview(&cutoffs).await.unwrap();
    let done = world.store.audit_purge(&cutoffs, asked).await.unwrap();
    let [shown, done] = [&shown[..], &done[..]].map(|all| {
        assert_eq!(all.len(), 1);
        all[0].clone()
    });
    assert_eq!(RecordPurge { record: done.record, ..shown }, done, "what was shown is what was done");
    done
}

async fn trail(store: &Store) -> Vec<AuditRecord> {
    store.audit_page(&AuditFilter::default(), None, 100).await.unwrap()
}

async fn lived_in(world: &World) {
    world.store.set_signer(Signer::from_seed(&[7; 32], "watchpost/desk").unwrap()).await.unwrap();
    for (name, action, permission) in [
        ("anna", "incident_take", Permission::Triage),
        ("anna", "block_add", Permission::Contain),
        ("kim", "incident_take", Permission::Triage),
        ("kim", "audit_export", Permission::Audit),
    ] {
        world.store.audit_append(by(name, action, permission)).await.unwrap();
    }
    world.store.checkpoint_now("test").await.unwrap();
    if !world.is_postgres() {
        // Nothing speaks for a clock by which all of the trail is of today; a server has a clock of its own.
        world.clock.advance(Duration::days(2));
    }
}

async fn content_past_its_time_goes_and_the_proofs_stay(world: World) {
    lived_in(&world).await;
    let before = trail(&world.store).await;
    let done = purge(&world).await;
    assert_eq!((done.records, done.held), (3, 0));
    let record = done.record.expect("a record says so");

    let after = trail(&world.store).await;
    for old in &before {
        let new = after.iter().find(|new| new.seq == old.seq).expect("every leaf stays");
        assert_eq!((&new.leaf_hash, &new.action, new.at), (&old.leaf_hash, &old.action, old.at));
        let goes = matches!(old.action.as_str(), "incident_take" | "block_add");
        if goes {
            assert_eq!((new.actor.as_str(), new.object.as_str()), ("[erased]", "[erased]"));
            assert_eq!(new.reason, None);
        } else {
            assert_eq!((&new.actor, &new.reason), (&old.actor, &old.reason), "of another class");
        }
        let said = world.store.audit_content_taken(old.seq).await.unwrap();
        assert_eq!(said, goes.then_some((record, Some(RecordClass::Security))), "{}", old.action);
    }
    let anna = Subject::new(SubjectKind::User, "anna").unwrap();
    assert_eq!(world.store.privacy_scan(&anna).await.unwrap().found, [], "nor is the name kept");

    let checked = verify(&world.store).await;
    assert!(checked.ok, "{:?}", checked.problems);
    let told: Vec<_> = checked.erased.iter().map(|one| (one.record, one.n, one.class)).collect();
    assert_eq!(told, [(record, 3, Some(RecordClass::Security))]);
    let again = purge(&world).await;
    assert_eq!((again.records, again.record), (0, None), "once");
    // Whoever comes back is somebody new, with a key of their own.
    world.store.audit_append(by("anna", "incident_take", Permission::Triage)).await.unwrap();
    let checked = verify(&world.store).await;
    assert!(checked.ok, "{:?}", checked.problems);
}

async fn a_hold_wins(world: World) {
    lived_in(&world).await;
    let anna = Subject::new(SubjectKind::User, "anna").unwrap();
    let hold = world
        .store
        .hold_add(&anna, "case 4", "counsel", "dana", |hold| of_hold("hold_add", &hold.id))
        .await
        .unwrap();
    let done = purge(&world).await;
    assert_eq!((done.records, done.held), (1, 2), "that of kim");
    let kept = trail(&world.store).await.iter().filter(|record| record.actor == "anna").count();
    assert_eq!(kept, 2);
    assert!(verify(&world.store).await.ok);
    world.store.hold_release(&hold.id, "robin", "over", of_hold("hold_release", &hold.id)).await.unwrap();
    let done = purge(&world).await;
    assert_eq!((done.records, done.held), (2, 0));
    let checked = verify(&world.store).await;
    assert!(checked.ok, "{:?}", checked.problems);
    assert_eq!(checked.erased.iter().map(|one| one.n).sum::<u64>(), 3);
}

async fn content_that_went_without_a_purge_is_found(world: World) {
    lived_in(&world).await;
    purge(&world).await;
    let read = trail(&world.store).await.into_iter().find(|record| record.action == "audit_export").unwrap();
    world.tamper(&format!("DELETE FROM audit_payload WHERE seq = {}", read.seq)).await;
    let checked = verify(&world.store).await;
    assert!(!checked.ok);
    assert_eq!(checked.first_bad_seq, Some(read.seq), "{:?}", checked.problems);
}

async fn a_clock_for_which_nothing_speaks_purges_nothing(world: World) {
    lived_in(&world).await;
    let years = Duration::days(8 * 365);
    world.clock.advance(years);
    let cutoffs = [(RecordClass::Security, world.now() - Duration::days(7 * 365))];
    let refused = world.store.audit_purge(&cutoffs, asked).await.unwrap_err();
    let StoreError::Precondition(why) = &refused else { panic!("{refused}") };
    assert!(why.contains("the clock"), "{why}");
    assert!(world.store.audit_purge_by_clock(&cutoffs).await.is_err(), "whoever asks is told");
    assert!(trail(&world.store).await.iter().all(|record| record.actor != "[erased]"), "nothing went");
    if world.is_postgres() {
        // It is the clock of the server that counts there.
        return;
    }
    // What was written by the same clock a day ago speaks for it: nobody used the console for years.
    world.store.audit_append(by("kim", "audit_export", Permission::Audit)).await.unwrap();
    assert!(world.store.audit_purge(&cutoffs, asked).await.is_err(), "a record of now does not");
    world.clock.advance(Duration::hours(25));
    let done = world.store.audit_purge(&cutoffs, asked).await.unwrap();
    assert_eq!(done[0].records, 3);
    assert!(verify(&world.store).await.ok);
    // Where nothing is as old there is nothing to refuse.
    world.clock.advance(-years);
    let cutoffs = [(RecordClass::Security, world.now() - Duration::days(7 * 365))];
    assert_eq!(world.store.audit_purge(&cutoffs, asked).await.unwrap()[0].records, 0);
    // What was purged by that clock is told once the trail has records of an earlier one.
    let checked = verify(&world.store).await;
    let record = done[0].record.expect("a record says what went");
    let ahead = format!("record {record} purged by a clock that was ahead");
    assert!(checked.ok && checked.warnings.iter().any(|told| told.starts_with(&ahead)), "{checked:?}");
}
