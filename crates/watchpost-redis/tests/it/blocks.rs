//! Blocks: TTL, longer wins, compare and delete.

use chrono::Duration;
use watchpost_model::block::Block;
use watchpost_model::block::BlockState;
use watchpost_model::ids::BlockId;
use watchpost_redis::BlockRemoved;
use watchpost_redis::BlockWritten;

use crate::support::TestServer;
use crate::support::now;
use crate::support::query;

pub(crate) fn block(target: &str, minutes: i64) -> Block {
    Block {
        id: BlockId::at(now()),
        target: target.parse().unwrap(),
        reason: "brute \"force\"\n<script>".to_owned(),
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
async fn a_block_is_a_key_with_its_ttl() {
    let server = TestServer::start().await;
    let store = server.store().await;
    let mut raw = server.raw().await;
    for (target, key) in [
        ("203.0.113.7", "security:blocked:203.0.113.7"),
        ("2001:db8::1", "security:blocked:2001:db8::1"),
        ("198.51.100.0/24", "security:blocked:cidr:198.51.100.0/24"),
        ("2001:db8:1::/48", "security:blocked:cidr:2001:db8:1::/48"),
    ] {
        let block = block(target, 10);
        let written = store.put_block(&block).await.unwrap();
        assert!(matches!(written, BlockWritten::Written { replaced: None, .. }), "{target}: {written:?}");
        let ttl: i64 = query(&mut raw, &["PTTL", key]).await;
        assert!((595_000..=600_000).contains(&ttl), "{key}: {ttl}");
        let json: String = query(&mut raw, &["GET", key]).await;
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["id"], block.id.to_string());
        assert_eq!(value["by"], "alice");
        let ttl = store.block_ttl_ms(block.target).await.unwrap().unwrap();
        assert!((595_000..=600_000).contains(&ttl));
    }
    let range: f64 = query(&mut raw, &["ZSCORE", "security:blocked:cidrs", "198.51.100.0/24"]).await;
    assert!((range - (now() + Duration::minutes(10)).timestamp() as f64).abs() <= 2.0);
    let _: redis::Value = query(&mut raw, &["SET", "security:blocked:192.0.2.1", "by hand"]).await;
    let listed = store.list_blocks().await.unwrap();
    let shown: Vec<(String, bool, bool)> =
        listed.iter().map(|b| (b.target.to_string(), b.id.is_some(), b.ttl_ms.is_some())).collect();
    assert_eq!(
        shown,
        [
            ("192.0.2.1".to_owned(), false, false),
            ("198.51.100.0/24".to_owned(), true, true),
            ("203.0.113.7".to_owned(), true, true),
            ("2001:db8::1".to_owned(), true, true),
            ("2001:db8:1::/48".to_owned(), true, true),
        ]
    );
    assert_eq!(listed[2].reason, "brute \"force\"\n<script>");
}

#[tokio::test]
async fn the_longer_block_wins() {
    let server = TestServer::start().await;
    let store = server.store().await;
    for target in ["203.0.113.7", "198.51.100.0/24"] {
        let (long, short, longer) = (block(target, 60), block(target, 5), block(target, 120));
        store.put_block(&long).await.unwrap();
        let kept = store.put_block(&short).await.unwrap();
        assert!(
            matches!(kept, BlockWritten::KeptLonger { existing: Some(id), .. } if id == long.id),
            "{kept:?}"
        );
        let again = store.put_block(&long).await.unwrap();
        assert!(
            matches!(again, BlockWritten::Written { replaced: None, .. }),
            "a repeat is harmless: {again:?}"
        );
        let written = store.put_block(&longer).await.unwrap();
        assert!(
            matches!(written, BlockWritten::Written { replaced: Some(id), .. } if id == long.id),
            "{written:?}"
        );
        assert_eq!(store.remove_block(&long).await.unwrap(), BlockRemoved::Replaced { by: Some(longer.id) });
        assert!(store.block_ttl_ms(longer.target).await.unwrap().is_some(), "the other block stays");
        assert_eq!(store.remove_block(&longer).await.unwrap(), BlockRemoved::Removed);
        assert_eq!(store.remove_block(&longer).await.unwrap(), BlockRemoved::Gone);
        assert_eq!(store.block_ttl_ms(longer.target).await.unwrap(), None);
    }
    let mut raw = server.raw().await;
    let ranges: u64 = query(&mut raw, &["ZCARD", "security:blocked:cidrs"]).await;
    assert_eq!(ranges, 0);
    assert_eq!(store.put_block(&block("203.0.113.7", -1)).await.unwrap(), BlockWritten::AlreadyOver);
    let _: redis::Value =
        query(&mut raw, &["SET", "security:blocked:203.0.113.9", "for ever, by hand"]).await;
    let kept = store.put_block(&block("203.0.113.9", 60)).await.unwrap();
    assert_eq!(kept, BlockWritten::KeptLonger { existing: None, ttl_ms: None });
}
