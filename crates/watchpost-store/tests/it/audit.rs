//! The audit trail: gapless, sealed, and every attack on it is found.

use std::sync::Mutex;

use watchpost_model::audit::{AuditFilter, AuditOutcome, AuditVerification, Change, EvidenceStrength};
use watchpost_store::{Signer, Store, StoreError, VerifyPlan};

use crate::support::{World, both, caller, draft};

both!(
    records_come_back,
    two_writers_are_gapless,
    checkpoints_are_signed,
    attacks_are_found,
    verification_reports,
    filters_find,
    a_leaf_that_cannot_be_read_takes_no_other_with_it,
    a_checkpoint_that_nobody_signed_is_passed_over,
);

async fn verify(store: &Store) -> AuditVerification {
    store.audit_verify(&caller("auditor"), VerifyPlan::default(), &|_, _| true).await.unwrap()
}

async fn fill(store: &Store, count: u32) {
    for n in 0..count {
        let mut draft = draft("incident_take");
        draft.object = format!("incident/{n}");
        store.audit_append(draft).await.unwrap();
    }
}

async fn records_come_back(world: World) {
    let mut written = draft("incident_take");
    written.changes = vec![Change::new("assignee", serde_json::Value::Null, "dana")];
    written.reason = Some("NUL \0 and \u{1f980}".to_owned());
    assert_eq!(world.store.audit_append(written.clone()).await.unwrap(), 0);
    assert_eq!(world.store.audit_append(draft("incident_resolve")).await.unwrap(), 1);
    let page = world.store.audit_page(&AuditFilter::default(), None, 10).await.unwrap();
    assert_eq!(page.iter().map(|record| record.seq).collect::<Vec<_>>(), [1, 0], "newest first");
    let first = &page[1];
    assert_eq!(first.actor, "dana");
    assert_eq!((first.host.as_str(), first.origin.as_str()), ("desk-12", "window"));
    assert_eq!(first.changes, written.changes);
    assert_eq!(first.reason, written.reason, "a sealed text keeps every character");
    assert_eq!(first.object, "thing/1");
    assert_eq!(first.outcome, AuditOutcome::Success);
    assert_eq!(first.leaf_hash.len(), 64);
    let older = world.store.audit_page(&AuditFilter::default(), Some(1), 10).await.unwrap();
    assert_eq!(older.len(), 1);
}

async fn a_leaf_that_cannot_be_read_takes_no_other_with_it(world: World) {
    fill(&world.store, 3).await;
    let bytes = if world.is_postgres() { r"'\x7b7d'" } else { "x'7b7d'" };
    assert_eq!(world.tamper(&format!("UPDATE audit_leaf SET leaf = {bytes} WHERE seq = 1")).await, 1);
    let page = world.store.audit_page(&AuditFilter::default(), None, 10).await.unwrap();
    let told: Vec<(i64, bool)> = page
        .iter()
        .map(|one| (one.seq, one.reason.as_deref().is_some_and(|reason| reason.contains("cannot be read"))))
        .collect();
    assert_eq!(told, [(2, false), (1, true), (0, false)], "it is named, the others are read");
    let (shown, leaf) = world.store.audit_record(1).await.unwrap();
    assert_eq!((shown.seq, leaf.as_str()), (1, "{}"));
    let found = verify(&world.store).await;
    assert_eq!((found.ok, found.first_bad_seq), (false, Some(1)), "{:?}", found.problems);
}

async fn a_checkpoint_that_nobody_signed_is_passed_over(world: World) {
    world.store.set_signer(Signer::from_seed(&[7; 32], "watchpost/desk-12").unwrap()).await.unwrap();
    fill(&world.store, 2).await;
    let signed = world.store.checkpoint_now("test").await.unwrap();
    let forged = format!(
        "INSERT INTO audit_checkpoint (size, root, at, note, key_name, reason) SELECT size + 1, root, at, \
         'nobody signed this', key_name, reason FROM audit_checkpoint WHERE size = {}",
        signed.size
    );
    assert_eq!(world.tamper(&forged).await, 1);
    let sizes: Vec<i64> = world.store.checkpoints(10).await.unwrap().iter().map(|one| one.size).collect();
    assert_eq!(sizes, [signed.size, 1]);
    assert!(!verify(&world.store).await.ok, "a check names it");
}

async fn filters_find(world: World) {
    fill(&world.store, 3).await;
    let mut other = draft("setting_put");
    other.caller = caller("robin");
    other.outcome = AuditOutcome::Denied;
    other.reason = Some("100% Überprüfung".to_owned());
    world.store.audit_append(other).await.unwrap();
    for (filter, expect) in [
        (AuditFilter { actor: Some("robin".into()), ..AuditFilter::default() }, 1),
        (AuditFilter { action: Some("incident_take".into()), ..AuditFilter::default() }, 3),
        (AuditFilter { outcome: Some(AuditOutcome::Denied), ..AuditFilter::default() }, 1),
        (AuditFilter { text: Some("überprüfung 100%".into()), ..AuditFilter::default() }, 1),
        (AuditFilter { text: Some("1%0".into()), ..AuditFilter::default() }, 0),
        (AuditFilter { text: Some("INCIDENT/2".into()), ..AuditFilter::default() }, 1),
    ] {
        let found = world.store.audit_page(&filter, None, 100).await.unwrap();
        assert_eq!(found.len(), expect, "{filter:?}");
    }
    let wrong = world.store.audit_page(&AuditFilter::default(), None, 501).await;
    assert!(matches!(wrong, Err(StoreError::Validation(_))), "{wrong:?}");
}

async fn two_writers_are_gapless(world: World) {
    let second = world.another().await;
    // `WATCHPOST_TEST_APPENDS=10000` for the size that the design asks for.
    let each: i64 = std::env::var("WATCHPOST_TEST_APPENDS").ok().and_then(|n| n.parse().ok()).unwrap_or(500);
    let writer = |store: Store, name: &'static str| async move {
        let mut numbers = Vec::new();
        for n in 0..each {
            let mut draft = draft("note_add");
            draft.caller = caller(if n % 3 == 0 { "both" } else { name });
            draft.object = format!("incident/{}", n % 50);
            numbers.push(store.audit_append(draft).await.unwrap());
        }
        numbers
    };
    let (one, two) = tokio::join!(writer(world.store.clone(), "a"), writer(second.clone(), "b"));
    let mut all: Vec<i64> = one.into_iter().chain(two).collect();
    all.sort_unstable();
    assert_eq!(all, (0..2 * each).collect::<Vec<i64>>(), "no gap, no number twice");
    let result = verify(&second).await;
    assert!(result.ok, "{:?}", result.problems);
    assert_eq!(result.leaves, 2 * each);
}

async fn checkpoints_are_signed(world: World) {
    let refused = world.store.checkpoint_now("test").await;
    assert!(matches!(refused, Err(StoreError::Precondition(_))), "{refused:?}");
    let signer = Signer::from_seed(&[7; 32], "watchpost/desk-12").unwrap();
    world.store.set_signer(signer.clone()).await.unwrap();
    let after_key = world.store.checkpoints(10).await.unwrap();
    assert_eq!(after_key.len(), 1, "the new key signs at once");
    assert_eq!(after_key[0].size, 1, "the key.add record");
    world.store.set_signer(signer).await.unwrap();
    assert_eq!(world.store.checkpoints(10).await.unwrap().len(), 1, "a known key adds nothing");
    let idle = world.store.checkpoint_now("again").await.unwrap();
    assert_eq!(idle, after_key[0], "nothing was added, nothing is signed");
    fill(&world.store, 300).await;
    let signed = world.store.checkpoints(10).await.unwrap();
    assert_eq!(signed.len(), 2, "one after 256 records");
    let last = world.store.checkpoint_now("demand").await.unwrap();
    assert!(last.note.starts_with("watchpost.local/audit/"), "{}", last.note);
    let result = verify(&world.store).await;
    assert!(result.ok, "{:?}", result.problems);
    assert_eq!((result.checkpoints, result.strength), (3, EvidenceStrength::LocalOnly));
}

async fn verification_reports(world: World) {
    let empty = verify(&world.store).await;
    assert!(empty.ok, "{:?}", empty.problems);
    assert_eq!(empty.leaves, 0);
    fill(&world.store, 20).await;
    let seen = Mutex::new(Vec::new());
    let result = world
        .store
        .audit_verify(&caller("auditor"), VerifyPlan::default(), &|done, total| {
            seen.lock().unwrap().push((done, total));
            true
        })
        .await
        .unwrap();
    assert!(result.ok, "{:?}", result.problems);
    assert_eq!(result.leaves, 21, "the verification before is a record too");
    assert_eq!(seen.lock().unwrap().last(), Some(&(21, 21)));
    let own = world.store.audit_page(&AuditFilter::default(), None, 1).await.unwrap();
    assert_eq!((own[0].action.as_str(), own[0].actor.as_str()), ("audit_verify", "auditor"));
}

/// Each attack is made on a whole log, found with its number, and undone.
async fn attacks_are_found(world: World) {
    let signer = Signer::from_seed(&[9; 32], "watchpost/desk").unwrap();
    world.store.set_signer(signer).await.unwrap();
    fill(&world.store, 12).await;
    world.store.checkpoint_now("test").await.unwrap();
    fill(&world.store, 2).await;
    let clean = verify(&world.store).await;
    assert!(clean.ok, "a clean log: {:?}", clean.problems);
    for table in
        ["audit_leaf", "audit_record", "audit_payload", "audit_checkpoint", "audit_head", "audit_name"]
    {
        world.tamper(&format!("CREATE TABLE good_{table} AS SELECT * FROM {table}")).await;
    }
    let flip = |column: &str| {
        if world.is_postgres() {
            format!("set_byte({column}, 20, get_byte({column}, 20) # 1)")
        } else {
            // Another byte than the one that is there, whatever it is.
            let other = format!("CASE WHEN substr({column}, 21, 1) = x'7a' THEN x'7b' ELSE x'7a' END");
            format!("CAST(substr({column}, 1, 20) || ({other}) || substr({column}, 22) AS BLOB)")
        }
    };
    let newest: i64 = 17;
    let attacks: Vec<(&str, Vec<String>, Option<i64>)> = vec![
        ("flipped byte of a leaf", vec![format!("UPDATE audit_leaf SET leaf = {} WHERE seq = 5", flip("leaf"))], Some(5)),
        ("flipped byte of a hash", vec![format!("UPDATE audit_leaf SET hash = {} WHERE seq = 6", flip("hash"))], Some(6)),
        ("flipped byte of a payload", vec![format!("UPDATE audit_payload SET sealed = {} WHERE seq = 7", flip("sealed"))], Some(7)),
        ("flipped byte of a nonce", vec![format!("UPDATE audit_payload SET nonce = {} WHERE seq = 7", flip("nonce"))], Some(7)),
        ("leaf deleted in the middle", vec!["DELETE FROM audit_leaf WHERE seq = 4".into()], Some(4)),
        (
            "record deleted everywhere",
            vec![
                "DELETE FROM audit_leaf WHERE seq = 4".into(),
                "DELETE FROM audit_record WHERE seq = 4".into(),
                "DELETE FROM audit_payload WHERE seq = 4".into(),
            ],
            Some(4),
        ),
        (
            "newest record deleted everywhere",
            vec![
                format!("DELETE FROM audit_leaf WHERE seq = {newest}"),
                format!("DELETE FROM audit_record WHERE seq = {newest}"),
                format!("DELETE FROM audit_payload WHERE seq = {newest}"),
            ],
            Some(newest),
        ),
        (
            "record inserted at the end",
            vec![format!("INSERT INTO audit_leaf (seq, leaf, hash) SELECT {}, leaf, hash FROM audit_leaf WHERE seq = 3", newest + 1)],
            Some(newest + 1),
        ),
        (
            "two leaves swapped",
            vec![
                "UPDATE audit_leaf SET seq = 1000 WHERE seq = 8".into(),
                "UPDATE audit_leaf SET seq = 8 WHERE seq = 9".into(),
                "UPDATE audit_leaf SET seq = 9 WHERE seq = 1000".into(),
            ],
            Some(8),
        ),
        (
            "leaf and hash copied from another record",
            vec!["UPDATE audit_leaf SET leaf = (SELECT leaf FROM audit_leaf WHERE seq = 2), \
                  hash = (SELECT hash FROM audit_leaf WHERE seq = 2) WHERE seq = 10".into()],
            Some(10),
        ),
        ("actor column altered", vec!["UPDATE audit_record SET actor = 'mallory' WHERE seq = 5".into()], Some(5)),
        ("action column altered", vec!["UPDATE audit_record SET action = 'nothing' WHERE seq = 5".into()], Some(5)),
        ("object column altered", vec!["UPDATE audit_record SET object = 'x' WHERE seq = 5".into()], Some(5)),
        ("outcome column altered", vec!["UPDATE audit_record SET outcome = 'failure' WHERE seq = 5".into()], Some(5)),
        ("time column altered", vec!["UPDATE audit_record SET at = at + 1 WHERE seq = 5".into()], Some(5)),
        ("search column altered", vec!["UPDATE audit_record SET search = 'x' WHERE seq = 5".into()], Some(5)),
        ("search row deleted", vec!["DELETE FROM audit_record WHERE seq = 5".into()], Some(5)),
        ("payload deleted", vec!["DELETE FROM audit_payload WHERE seq = 6".into()], Some(6)),
        (
            "payload of another record",
            vec!["UPDATE audit_payload SET nonce = (SELECT nonce FROM audit_payload WHERE seq = 3), \
                  sealed = (SELECT sealed FROM audit_payload WHERE seq = 3) WHERE seq = 6".into()],
            Some(6),
        ),
        ("name altered", vec!["UPDATE audit_name SET name = 'mallory' WHERE kind = 'actor' AND name = 'dana'".into()], Some(2)),
        ("checkpoint removed", vec!["DELETE FROM audit_checkpoint WHERE size = 14".into()], Some(14)),
        ("signature stripped", vec!["UPDATE audit_checkpoint SET note = substr(note, 1, 90) WHERE size = 14".into()], Some(13)),
        (
            "signature of another checkpoint",
            vec!["UPDATE audit_checkpoint SET note = (SELECT note FROM audit_checkpoint WHERE size = 1) WHERE size = 14".into()],
            Some(13),
        ),
        ("root of a checkpoint altered", vec!["UPDATE audit_checkpoint SET root = 'AAAA' WHERE size = 14".into()], Some(1)),
        ("signer's name altered", vec!["UPDATE audit_checkpoint SET key_name = 'other' WHERE size = 14".into()], Some(13)),
        ("checkpoint of the future", vec!["INSERT INTO audit_checkpoint (size, root, at, note, key_name, reason) \
            SELECT 900, root, at, note, key_name, reason FROM audit_checkpoint WHERE size = 14".into()], Some(newest + 1)),
    ];
    for (name, statements, first_bad) in attacks {
        for statement in &statements {
            assert_eq!(world.tamper(statement).await, 1, "{name}: {statement}");
        }
        let found = verify(&world.store).await;
        assert!(!found.ok, "{name} was not found");
        assert!(!found.problems.is_empty(), "{name} has no problem");
        assert_eq!(found.first_bad_seq, first_bad, "{name}: {:?}", found.problems);
        // The verification itself was recorded (or refused); put everything back.
        for table in
            ["audit_leaf", "audit_record", "audit_payload", "audit_checkpoint", "audit_head", "audit_name"]
        {
            world.tamper(&format!("DELETE FROM {table}")).await;
            world.tamper(&format!("INSERT INTO {table} SELECT * FROM good_{table}")).await;
        }
    }
    let clean = verify(&world.store).await;
    assert!(clean.ok, "after the last attack was undone: {:?}", clean.problems);
}
