//! Keys of the log: rolled and revoked. What a wrong key signed is in src/audit/keys/tests.rs.

use watchpost_model::audit::AuditVerification;
use watchpost_store::{LogKey, Signer, Store, StoreError, VerifyPlan};

use crate::support::{World, both, caller, draft};

both!(a_log_verifies_across_rolls, a_revoked_key_signs_nothing_more);

fn signer(seed: u8) -> Signer {
    Signer::from_seed(&[seed; 32], &format!("watchpost/desk-{seed}")).unwrap()
}

async fn verify(store: &Store) -> AuditVerification {
    store.audit_verify(&caller("auditor"), VerifyPlan::default(), &|_, _| true).await.unwrap()
}

async fn fill(store: &Store, count: u32) {
    for _ in 0..count {
        store.audit_append(draft("incident_take")).await.unwrap();
    }
}

/// Name, the name before, whether it was revoked.
fn shape(keys: &[LogKey]) -> Vec<(&str, Option<&str>, bool)> {
    keys.iter().map(|key| (key.name.as_str(), key.after.as_deref(), key.revoked.is_some())).collect()
}

async fn a_log_verifies_across_rolls(world: World) {
    let store = &world.store;
    let none = store.signer_roll(signer(2), draft("audit_key_roll")).await;
    assert!(matches!(none, Err(StoreError::Precondition(_))), "there is nothing to roll: {none:?}");
    store.set_signer(signer(1)).await.unwrap();
    fill(store, 3).await;
    let before = store.checkpoint_now("test").await.unwrap();
    let halfway = verify(store).await.verified.unwrap();
    for next in [2, 3] {
        store.signer_roll(signer(next), draft("audit_key_roll")).await.unwrap();
        fill(store, 300).await;
    }
    let last = store.checkpoint_now("test").await.unwrap();
    assert_eq!((before.key_name.as_str(), last.key_name.as_str()), ("watchpost/desk-1", "watchpost/desk-3"));
    let keys = store.audit_log_keys().await.unwrap();
    let expect = [
        ("watchpost/desk-1", None, true),
        ("watchpost/desk-2", Some("watchpost/desk-1"), true),
        ("watchpost/desk-3", Some("watchpost/desk-2"), false),
    ];
    assert_eq!(shape(&keys), expect);
    assert_eq!(keys[0].revoked, Some(keys[1].seq + 1), "one transaction");
    let found = verify(store).await;
    assert!(found.ok, "{:?}", found.problems);
    let signed = store.checkpoints(100).await.unwrap();
    assert_eq!(found.checkpoints, i64::try_from(signed.len()).unwrap(), "every one of them holds");
    // Also for whoever goes on from before the first roll, and from between the two.
    let between = verify(store).await.verified.unwrap();
    assert_eq!(between.revoked.len(), 2);
    store.signer_roll(signer(4), draft("audit_key_roll")).await.unwrap();
    for from in [halfway, between] {
        let plan = VerifyPlan { from: Some(from), ..VerifyPlan::default() };
        let found = store.audit_verify(&caller("auditor"), plan, &|_, _| true).await.unwrap();
        assert!(found.ok && found.from > 0, "{:?}", found.problems);
    }
    assert_eq!(
        store.audit_key_of(&before).await.unwrap().name,
        "watchpost/desk-1",
        "what it signed stays good"
    );
    let known = store.signer_roll(signer(2), draft("audit_key_roll")).await;
    assert!(matches!(known, Err(StoreError::Precondition(_))), "no key comes back: {known:?}");
}

async fn a_revoked_key_signs_nothing_more(world: World) {
    let other = world.another().await;
    world.store.set_signer(signer(1)).await.unwrap();
    other.set_signer(signer(2)).await.unwrap();
    let unknown = world.store.audit_key_revoke("watchpost/nobody", "stolen", draft("audit_key_revoke")).await;
    assert!(matches!(unknown, Err(StoreError::NotFound(_))), "{unknown:?}");
    world.store.audit_key_revoke("watchpost/desk-2", "stolen", draft("audit_key_revoke")).await.unwrap();
    let twice = world.store.audit_key_revoke("watchpost/desk-2", "stolen", draft("audit_key_revoke")).await;
    assert!(matches!(twice, Err(StoreError::Conflict(_))), "{twice:?}");
    assert!(
        other.signer_revoked().await.unwrap().is_some()
            && world.store.signer_revoked().await.unwrap().is_none()
    );
    // The other console still writes; it signs neither when asked nor after 256 records.
    fill(&other, 300).await;
    let newest = world.store.checkpoints(1).await.unwrap().remove(0);
    assert!(newest.size < 10, "nothing was signed: {newest:?}");
    let refused = other.checkpoint_now("test").await.unwrap_err();
    assert!(refused.to_string().contains("watchpost/desk-2 was revoked"), "{refused}");
    let again = world.another().await.set_signer(signer(2)).await.unwrap_err();
    assert!(again.to_string().contains("watchpost/desk-2 was revoked"), "{again}");
    let rolled = other.signer_roll(signer(9), draft("audit_key_roll")).await.unwrap_err();
    assert!(rolled.to_string().contains("vouches for none"), "{rolled}");
    world.store.checkpoint_now("test").await.unwrap();
    let found = verify(&world.store).await;
    assert!(found.ok, "{:?}", found.problems);
}
