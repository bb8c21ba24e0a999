//! Containments: TTL, longer wins, compare and delete, ids that cannot break a key.

use chrono::Duration;
use watchpost_model::block::BlockState;
use watchpost_model::contain::ContainKind;
use watchpost_model::contain::Containment;
use watchpost_model::ids::ContainmentId;
use watchpost_redis::ContainRemoved;
use watchpost_redis::ContainWritten;

use crate::support::TestServer;
use crate::support::now;
use crate::support::query;

pub(crate) fn containment(kind: ContainKind, target: &str, minutes: i64) -> Containment {
    Containment {
        id: ContainmentId::at(now()),
        kind,
        target: target.to_owned(),
        per_min: (kind == ContainKind::Limit).then_some(12),
        reason: "stolen \"token\"\n<script>".to_owned(),
        created_by: "alice".to_owned(),
        created_at: now(),
        expires_at: now() + Duration::minutes(minutes),
        state: BlockState::Pending,
        removed_at: None,
        removed_by: None,
        incident: None,
    }
}

#[tokio::test]
async fn a_containment_is_a_key_with_its_ttl() {
    let server = TestServer::start().await;
    let store = server.store().await;
    let mut raw = server.raw().await;
    for (kind, target, key) in [
        (ContainKind::Session, "s:1", "security:revoked:session:s%3A1"),
        (ContainKind::User, "anna", "security:revoked:user:anna"),
        (ContainKind::Service, "shop", "security:isolated:shop"),
        (ContainKind::Limit, "203.0.113.7", "security:limited:203.0.113.7"),
    ] {
        assert_eq!(store.containment_key(kind, target), key);
        let put = containment(kind, target, 10);
        let written = store.put_containment(&put).await.unwrap();
        assert!(matches!(written, ContainWritten::Written { .. }), "{key}: {written:?}");
        let ttl: i64 = query(&mut raw, &["PTTL", key]).await;
        assert!((595_000..=600_000).contains(&ttl), "{key}: {ttl}");
        let json: String = query(&mut raw, &["GET", key]).await;
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!((&value["id"], &value["target"]), (&put.id.to_string().into(), &target.into()));
        assert_eq!(value.get("per_min").is_some(), kind == ContainKind::Limit);
        let listed = store.list_containments(kind).await.unwrap();
        assert_eq!((listed.len(), listed[0].id, listed[0].target.as_str()), (1, Some(put.id), target));
        assert_eq!(listed[0].reason, put.reason);
        let ttl = store.containment_ttl_ms(kind, target).await.unwrap().unwrap();
        assert!((595_000..=600_000).contains(&ttl));
    }
    let keys: u64 = query(&mut raw, &["DBSIZE"]).await;
    assert_eq!(keys, 4, "no key besides");
}

#[tokio::test]
async fn the_longer_containment_wins_and_only_its_own_is_taken_back() {
    let server = TestServer::start().await;
    let store = server.store().await;
    let (short, long) =
        (containment(ContainKind::User, "anna", 5), containment(ContainKind::User, "anna", 60));
    store.put_containment(&long).await.unwrap();
    let kept = store.put_containment(&short).await.unwrap();
    assert!(matches!(kept, ContainWritten::KeptLonger { ttl_ms: Some(_) }), "{kept:?}");
    let again = store.put_containment(&long).await.unwrap();
    assert!(matches!(again, ContainWritten::Written { .. }), "a repeat is harmless: {again:?}");
    assert_eq!(store.remove_containment(&short).await.unwrap(), ContainRemoved::Replaced);
    assert_eq!(store.remove_containment(&long).await.unwrap(), ContainRemoved::Removed);
    assert_eq!(store.remove_containment(&long).await.unwrap(), ContainRemoved::Gone);
    assert_eq!(store.containment_ttl_ms(ContainKind::User, "anna").await.unwrap(), None);
    let over = containment(ContainKind::User, "anna", -1);
    assert_eq!(store.put_containment(&over).await.unwrap(), ContainWritten::AlreadyOver);
    let mut raw = server.raw().await;
    let _: redis::Value = query(&mut raw, &["SET", "security:revoked:user:bert", "by hand"]).await;
    let listed = store.list_containments(ContainKind::User).await.unwrap();
    assert_eq!((listed[0].id, listed[0].reason.as_str(), listed[0].ttl_ms), (None, "by hand", None));
}
