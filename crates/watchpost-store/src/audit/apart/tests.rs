//! Records that nobody can read, as a writer of the database makes them.

use std::sync::Arc;

use watchpost_model::audit::{AuditFilter, AuditVerification, OwnFault};
use watchpost_model::clock::SystemClock;

use crate::audit::leaf::Leaf;
use crate::audit::own_draft;
use crate::audit::seal::Sealed;
use crate::audit::tree::{Frontier, leaf_hash};
use crate::audit::verify::VerifyPlan;
use crate::engine::args;
use crate::error::StoreError;
use crate::store::Store;
use crate::target::DatabaseTarget;

async fn verify(store: &Store, plan: VerifyPlan) -> AuditVerification {
    let caller = own_draft("audit_verify", "", chrono::DateTime::UNIX_EPOCH).caller;
    store.audit_verify(&caller, plan, &|_, _| true).await.unwrap()
}

/// Appends a record as the one before it, with something sealed that nothing opens; its number.
async fn junk(store: &Store) -> i64 {
    let mut write = store.write().await.unwrap();
    let sql = "SELECT size, frontier FROM audit_head WHERE id = 1";
    let head = write.fetch_one(sql, args![]).await.unwrap();
    let size = head.i64(0).unwrap();
    let mut frontier = Frontier::from_bytes(size, &head.blob(1).unwrap()).unwrap();
    let sql = "SELECT leaf FROM audit_leaf WHERE seq = $1";
    let before = write.fetch_one(sql, args![size - 1]).await.unwrap().blob(0).unwrap();
    let mut leaf = Leaf::parse(&before).unwrap();
    let sealed = Sealed { nonce: vec![7; 24], ciphertext: vec![9; 40] };
    leaf.client.commitment = sealed.commitment();
    leaf.seq = size;
    let bytes = leaf.to_bytes().unwrap();
    let hash = leaf_hash(&bytes);
    frontier.push(hash);
    for (sql, values) in [
        ("INSERT INTO audit_leaf (seq, leaf, hash) VALUES ($1, $2, $3)", args![size, bytes, hash.as_slice()]),
        (
            "INSERT INTO audit_record (seq, at, actor, action, object, permission, outcome, search, role) \
             SELECT $1, at, actor, action, object, permission, outcome, search, role FROM audit_record WHERE seq = $2",
            args![size, size - 1],
        ),
        (
            "INSERT INTO audit_payload (seq, key_id, nonce, sealed) VALUES ($1, $2, $3, $4)",
            args![size, leaf.client.key.as_str(), sealed.nonce, sealed.ciphertext],
        ),
        ("UPDATE audit_head SET size = $1, frontier = $2 WHERE id = 1", args![size + 1, frontier.to_bytes()]),
    ] {
        write.execute(sql, values).await.unwrap();
    }
    store.commit(write).await.unwrap();
    size
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_can_read_is_set_apart_and_the_rest_holds() {
    let folder = tempfile::tempdir().unwrap();
    let target = DatabaseTarget::Sqlite { path: folder.path().join("watchpost.db") };
    let store = Store::open(&target, Arc::new(SystemClock)).await.unwrap();
    let note = || own_draft("incident_take", "seen", chrono::DateTime::UNIX_EPOCH);
    let good = store.audit_append(note()).await.unwrap();
    let bad = junk(&store).await;
    let told = format!("record {bad}: the payload does not open with its key");
    let checked = verify(&store, VerifyPlan::default()).await;
    assert_eq!((checked.ok, checked.first_bad_seq), (false, Some(bad)));
    assert_eq!(checked.problems, [told.as_str()]);
    assert_eq!(checked.own_faults, [OwnFault { record: bad, problem: told.clone() }]);
    assert_eq!(store.audit_own_fault(bad).await.unwrap(), (Some(told.clone()), None));
    assert_eq!(store.audit_own_fault(good).await.unwrap(), (None, None));
    // An export warns of it.
    let exported = store.audit_export_page(good, bad + 1).await.unwrap();
    let closed: Vec<bool> =
        exported.iter().map(|record| record.sealed.as_ref().is_some_and(|sealed| sealed.closed)).collect();
    assert_eq!(closed, [false, true]);
    // It was not erased, and says so.
    let page = store.audit_page(&AuditFilter::default(), None, 100).await.unwrap();
    let row = page.iter().find(|row| row.seq == bad).unwrap();
    assert_eq!((row.host.as_str(), row.origin.as_str()), ("[unreadable]", "[unreadable]"));
    assert!(row.reason.as_ref().is_some_and(|reason| reason.contains("does not open")));

    let apart = |seq| {
        store.audit_set_apart(seq, |_, _| own_draft(super::ACTION, "asked", chrono::DateTime::UNIX_EPOCH))
    };
    let fits = apart(good).await;
    assert!(
        matches!(&fits, Err(StoreError::Precondition(why)) if why.contains("nothing to set apart")),
        "{fits:?}"
    );
    assert!(matches!(apart(1_000).await, Err(StoreError::NotFound(_))));
    let said = apart(bad).await.unwrap();
    assert_eq!((said.record, said.problem.as_str()), (bad, told.as_str()));
    assert!(matches!(apart(bad).await, Err(StoreError::Conflict(_))), "once is enough");

    let checked = verify(&store, VerifyPlan::default()).await;
    assert!(checked.ok, "{:?}", checked.problems);
    assert_eq!(checked.set_apart, std::slice::from_ref(&said));
    assert!(checked.own_faults.is_empty(), "{checked:?}");
    assert_eq!(store.audit_own_fault(bad).await.unwrap(), (None, Some(said.by)));
    assert!(store.audit_is_excused(bad).await.unwrap());
    // The next check goes on behind it.
    let from = checked.verified;
    store.audit_append(note()).await.unwrap();
    let checked = verify(&store, VerifyPlan { from, ..VerifyPlan::default() }).await;
    assert!(checked.ok && checked.from > bad, "{checked:?}");

    // What somebody alters later is no excuse of the writer: neither of this record nor of another one.
    for (sql, seq) in [
        ("UPDATE audit_payload SET sealed = x'00' WHERE seq = $1", bad),
        ("UPDATE audit_record SET object = 'another' WHERE seq = $1", good),
    ] {
        let mut write = store.write().await.unwrap();
        write.execute(sql, args![seq]).await.unwrap();
        store.commit(write).await.unwrap();
        let checked = verify(&store, VerifyPlan::default()).await;
        assert!(
            checked.problems.iter().any(|problem| problem.starts_with(&format!("record {seq}:"))),
            "{checked:?}"
        );
    }
    let checked = verify(&store, VerifyPlan::default()).await;
    assert!(checked.own_faults.iter().all(|fault| fault.record != bad), "{checked:?}");
    assert_eq!(store.audit_own_fault(bad).await.unwrap().0, None, "it was altered");
    assert!(!store.audit_is_excused(bad).await.unwrap(), "an export of it does not verify");
    // Who wrote it is not blamed for that.
    let page = store.audit_page(&AuditFilter::default(), None, 100).await.unwrap();
    let row = page.iter().find(|row| row.seq == bad).unwrap();
    assert!(row.reason.as_ref().is_some_and(|reason| reason.contains("altered after")), "{row:?}");
    let altered = apart(bad).await;
    assert!(matches!(&altered, Err(StoreError::Precondition(why)) if why.contains("altered")), "{altered:?}");
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn columns_are_set_apart_as_they_were_then() {
    let folder = tempfile::tempdir().unwrap();
    let target = DatabaseTarget::Sqlite { path: folder.path().join("watchpost.db") };
    let store = Store::open(&target, Arc::new(SystemClock)).await.unwrap();
    let note = own_draft("incident_take", "seen", chrono::DateTime::UNIX_EPOCH);
    let seq = store.audit_append(note).await.unwrap();
    let alter = async |sql: &'static str| {
        let mut write = store.write().await.unwrap();
        write.execute(sql, args![seq]).await.unwrap();
        store.commit(write).await.unwrap();
    };
    let apart =
        || store.audit_set_apart(seq, |_, _| own_draft(super::ACTION, "asked", chrono::DateTime::UNIX_EPOCH));
    alter("UPDATE audit_record SET object = 'another' WHERE seq = $1").await;
    let first = apart().await.unwrap();
    let checked = verify(&store, VerifyPlan::default()).await;
    assert!(checked.ok, "{:?}", checked.problems);
    assert_eq!(checked.set_apart, [first]);

    // What is altered after that is no excuse: somebody looks at it again.
    alter("UPDATE audit_record SET actor = 'mallory' WHERE seq = $1").await;
    let checked = verify(&store, VerifyPlan::default()).await;
    assert_eq!((checked.ok, checked.first_bad_seq), (false, Some(seq)), "{:?}", checked.problems);
    let second = apart().await.expect("it is another matter");
    assert!(matches!(apart().await, Err(StoreError::Conflict(_))), "once is enough");
    let checked = verify(&store, VerifyPlan::default()).await;
    assert!(checked.ok && checked.set_apart == [second], "{checked:?}");

    // One that fits and is set apart is told.
    alter("UPDATE audit_record SET object = 'audit', actor = 'watchpost' WHERE seq = $1").await;
    let checked = verify(&store, VerifyPlan::default()).await;
    assert!(checked.ok, "{:?}", checked.problems);
    let told: Vec<&str> = checked.set_apart.iter().map(|apart| apart.problem.as_str()).collect();
    assert_eq!(told, [format!("record {seq}: it fits, so look at why it was set apart")]);
    store.close().await;
}
