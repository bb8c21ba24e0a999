//! What a wrong key signed, and what was forged with all hashes right.

use std::sync::Arc;

use serde_json::json;
use watchpost_model::access::{Caller, Origin, Role};
use watchpost_model::audit::AuditVerification;
use watchpost_model::clock::SystemClock;

use super::{ADD, handover};
use crate::audit::own_draft;
use crate::audit::sign::Signer;
use crate::audit::verify::VerifyPlan;
use crate::engine::args;
use crate::store::Store;
use crate::target::DatabaseTarget;

async fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let target = DatabaseTarget::Sqlite { path: folder.path().join("watchpost.db") };
    (folder, Store::open(&target, Arc::new(SystemClock)).await.unwrap())
}

fn signer(seed: u8) -> Signer {
    Signer::from_seed(&[seed; 32], &format!("watchpost/desk-{seed}")).unwrap()
}

fn draft(action: &str) -> watchpost_model::audit::AuditDraft {
    own_draft(action, "test", chrono::DateTime::UNIX_EPOCH)
}

async fn fill(store: &Store, count: u32) {
    for _ in 0..count {
        store.audit_append(draft("incident_take")).await.unwrap();
    }
}

async fn verify(store: &Store) -> AuditVerification {
    let caller =
        Caller { name: "auditor".into(), role: Role::Auditor, origin: Origin::Cli, host: "test".into() };
    store.audit_verify(&caller, VerifyPlan::default(), &|_, _| true).await.unwrap()
}

async fn tamper(store: &Store, sql: String) -> u64 {
    let mut write = store.write().await.unwrap();
    let n = write.execute(sql, args![]).await.unwrap();
    store.commit(write).await.unwrap();
    n
}

/// Adds a key as somebody would who has the database and not the key before.
async fn forge(store: &Store, key: &Signer, after: &str, proof: &str) {
    let mut write = store.write().await.unwrap();
    let facts = vec![("after", json!(after)), ("proof", json!(proof)), ("vkey", json!(key.vkey()))];
    write.audit_with_facts(draft(ADD), facts);
    store.commit(write).await.unwrap();
}

/// Re-signed by a newer key, by a revoked one, by an unknown one; without a signature: each is refused, and says whose.
#[tokio::test]
async fn what_a_wrong_key_signed_is_refused_by_name() {
    let (_folder, store) = store().await;
    let store = &store;
    store.set_signer(signer(1)).await.unwrap();
    fill(store, 4).await;
    let old = store.checkpoint_now("test").await.unwrap();
    store.signer_roll(signer(2), draft("audit_key_roll")).await.unwrap();
    fill(store, 4).await;
    let new = store.checkpoint_now("test").await.unwrap();
    assert!(verify(store).await.ok, "before it is attacked");

    let text = |note: &str| note.split_once("\n\n").unwrap().0.to_owned() + "\n";
    let stranger = signer(7);
    let cases = [
        (
            "an old one signed by the newer key",
            &old,
            signer(2),
            "watchpost/desk-2, a key that the log does not know",
        ),
        ("a new one signed by the old key", &new, signer(1), "watchpost/desk-1, which was revoked by record"),
        (
            "one signed by a stranger",
            &new,
            stranger.clone(),
            "watchpost/desk-7, a key that the log does not know",
        ),
        (
            "one of a stranger under a known name",
            &new,
            Signer::from_seed(&[7; 32], "watchpost/desk-2").unwrap(),
            "valid signature of the key watchpost/desk-2",
        ),
    ];
    for (name, checkpoint, by, says) in cases {
        let note = by.sign_note(&text(&checkpoint.note));
        let put = |note: &str, key: &str| {
            format!(
                "UPDATE audit_checkpoint SET note = '{note}', key_name = '{key}' WHERE size = {}",
                checkpoint.size
            )
        };
        assert_eq!(tamper(store, put(&note, by.name())).await, 1, "{name}");
        let found = verify(store).await;
        assert!(
            !found.ok && found.problems.iter().any(|problem| problem.contains(says)),
            "{name}: {:?}",
            found.problems
        );
        assert_eq!(found.first_bad_seq, Some(checkpoint.size - 1), "{name}");
        // Also where somebody asks for a proof of it.
        let mut forged = checkpoint.clone();
        forged.note = note;
        assert!(store.audit_key_of(&forged).await.is_err() || name.starts_with("an old"), "{name}");
        tamper(store, put(&checkpoint.note, &checkpoint.key_name)).await;
        assert!(verify(store).await.ok, "{name}: put back");
    }
    let stripped = text(&new.note);
    let strip = format!("UPDATE audit_checkpoint SET note = '{stripped}' WHERE size = {}", new.size);
    assert_eq!(tamper(store, strip).await, 1);
    let found = verify(store).await;
    assert!(
        !found.ok && found.problems[0].contains("valid signature of the key watchpost/desk-2"),
        "{:?}",
        found.problems
    );
}

/// A key.add that names a key before it without its signature, or after it was revoked: made by somebody with the
/// database and a way to compute hashes, so that everything else fits.
#[tokio::test]
async fn a_forged_handover_is_found() {
    let (_folder, store) = store().await;
    let store = &store;
    store.set_signer(signer(1)).await.unwrap();
    fill(store, 2).await;
    store.signer_roll(signer(2), draft("audit_key_roll")).await.unwrap();
    let keys = store.audit_log_keys().await.unwrap();
    let log = store.audit_log_id().await.unwrap();
    let (first, second) = (keys[0].vkey.clone(), keys[1].vkey.clone());
    let evil = signer(6);
    let honest = |before: &Signer, vkey: &str| before.sign_line(&handover(&log, vkey));
    for (name, after, proof, found) in [
        ("a proof of nothing", second.clone(), "AAAA".to_owned(), true),
        ("the proof of another key", second.clone(), honest(&signer(2), &signer(5).vkey()), true),
        ("its own proof", second.clone(), evil.sign_line(&handover(&log, &evil.vkey())), true),
        ("a key that was revoked", first, honest(&signer(1), &evil.vkey()), true),
        ("a key that nobody knows", signer(5).vkey(), honest(&signer(5), &evil.vkey()), true),
    ] {
        forge(store, &evil, &after, &proof).await;
        let check = verify(store).await;
        let told = check
            .problems
            .iter()
            .any(|problem| problem.contains("does not vouch for the key watchpost/desk-6"));
        assert_eq!(told, found, "{name}: {:?}", check.problems);
    }
    // What the right key signed is no forgery, whoever wrote it down; but those before stay in the log.
    let problems = verify(store).await.problems.len();
    forge(store, &signer(8), &second, &honest(&signer(2), &signer(8).vkey())).await;
    assert_eq!(verify(store).await.problems.len(), problems);
}
