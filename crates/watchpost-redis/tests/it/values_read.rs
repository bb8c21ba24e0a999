//! What an export has of a key is what the server says of it, whichever way it was read and however the server packed it.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use watchpost_model::clock::SystemClock;
use watchpost_redis::EventStore;
use watchpost_redis::RedisTarget;
use watchpost_redis::export::KeyWalk;
use watchpost_redis::typed::Elements;
use watchpost_redis::typed::Pair;
use watchpost_redis::typed::ValueKind;

use crate::support::PREFIX;
use crate::support::TestServer;
use crate::support::query;

/// Of every width in which a list pack has numbers, what only looks like one, what the server compresses, and bytes.
fn values() -> Vec<Vec<u8>> {
    let numbers = [0, 1, -1, 127, 128, 4_095, 4_096, -4_096, -4_097, 32_767, -32_768, 8_388_607, -8_388_608];
    let wide = [2_147_483_647, -2_147_483_648, i64::from(u32::MAX), i64::MAX, i64::MIN];
    let texts = ["", "007", "-0", "+1", "1e5", "9223372036854775808", "caf\u{e9} \u{1f980}", "a\r\nb\0c"];
    let mut values: Vec<Vec<u8>> =
        numbers.iter().chain(&wide).map(|number: &i64| number.to_string().into_bytes()).collect();
    values.extend(texts.map(|text| text.as_bytes().to_vec()));
    values.extend([20, 63, 64, 65, 200, 5_000].map(|n| b"abcab".iter().copied().cycle().take(n).collect()));
    values.extend([1, 64, 65, 300].map(|n: u16| (0..n).map(|n| (n * 151 % 256) as u8).collect()));
    values
}

/// By their keys, as an export has them.
async fn exported(store: &EventStore) -> BTreeMap<Vec<u8>, Vec<Pair>> {
    let mut walk = KeyWalk::start(store, CancellationToken::new()).await.unwrap();
    let mut found = BTreeMap::new();
    while let Some(parts) = walk.next_batch().await.unwrap() {
        for part in parts {
            if let Elements::Pairs(pairs) = part.elements {
                assert_eq!(part.part, 0, "read whole");
                found.insert(part.key, pairs);
            }
        }
    }
    found
}

#[tokio::test]
async fn every_hash_is_what_the_server_says_in_either_way() {
    let server = TestServer::start().await;
    let mut raw = server.raw().await;
    let values = values();
    // Each value alone, all of them, only short ones, and so many that the server keeps a table.
    let mut hashes: Vec<Vec<Pair>> =
        values.iter().map(|value| vec![(b"f".to_vec(), value.clone())]).collect();
    let named = |(n, value): (usize, &Vec<u8>)| (n.to_string().into_bytes(), value.clone());
    hashes.push(values.iter().enumerate().map(named).collect());
    hashes.push(values.iter().filter(|value| value.len() <= 64).enumerate().map(named).collect());
    hashes.push((0..300).map(|n| (format!("field{n}").into_bytes(), n.to_string().into_bytes())).collect());
    for (n, hash) in hashes.iter().enumerate() {
        let mut set = redis::cmd("HSET");
        set.arg(format!("{PREFIX}hash:{n}"));
        hash.iter().for_each(|(name, value)| _ = set.arg(name.as_slice()).arg(value.as_slice()));
        let _: u64 = set.query_async(&mut raw).await.unwrap();
    }
    let rule = ["ACL", "SETUSER", "fields", "on", ">secret", "~security:*", "+@all", "-dump"];
    let _: redis::Value = query(&mut raw, &rule).await;
    let by_fields =
        RedisTarget { username: Some("fields".into()), password: Some("secret".into()), ..server.target() };
    let by_fields = EventStore::connect(&by_fields, Arc::new(SystemClock)).await.unwrap();
    for (store, how) in [(server.store().await, "dumped"), (by_fields, "by fields")] {
        let found = exported(&store).await;
        assert_eq!(found.len(), hashes.len(), "{how}");
        for (n, hash) in hashes.iter().enumerate() {
            let key = format!("{PREFIX}hash:{n}");
            let told: Vec<Pair> = query(&mut raw, &["HGETALL", &key]).await;
            assert_eq!(found[key.as_bytes()], told, "{how}: in the order of the server");
            assert_eq!(BTreeMap::from_iter(told), BTreeMap::from_iter(hash.clone()), "{how}");
        }
    }
}

/// What a key holds: its kind, its elements in whatever order, and in how many parts they came.
type Found = (ValueKind, BTreeSet<Pair>, usize);

/// Every key as an export has it.
async fn all(store: &EventStore) -> (BTreeMap<Vec<u8>, Found>, Vec<String>) {
    let mut walk = KeyWalk::start(store, CancellationToken::new()).await.unwrap();
    let mut found = BTreeMap::new();
    while let Some(parts) = walk.next_batch().await.unwrap() {
        for part in parts {
            let (_, elements, n) = found.entry(part.key).or_insert_with(|| (part.kind, BTreeSet::new(), 0));
            *n += 1;
            match part.elements {
                Elements::Text(text) => _ = elements.insert((text, Vec::new())),
                Elements::Items(items) => elements.extend(items.into_iter().map(|item| (item, Vec::new()))),
                Elements::Pairs(pairs) => elements.extend(pairs),
                Elements::Entries(entries) => {
                    elements.extend(entries.into_iter().flat_map(|(_, pairs)| pairs))
                }
            }
        }
    }
    (found, walk.notes())
}

#[tokio::test]
async fn every_kind_of_value_is_told_as_it_is_whether_the_server_is_asked_for_its_type_or_not() {
    let server = TestServer::start().await;
    let mut raw = server.raw().await;
    for (n, text) in values().iter().enumerate() {
        let mut set = redis::cmd("SET");
        set.arg(format!("{PREFIX}text:{n}")).arg(text.as_slice());
        let _: redis::Value = set.query_async(&mut raw).await.unwrap();
    }
    // Small ones in their compact encodings, others in the wide ones, and some that are read in parts.
    for (name, n) in [("few", 3), ("many", 600), ("large", 9_000)] {
        for add in ["RPUSH", "SADD", "ZADD", "HSET"] {
            let mut cmd = redis::cmd(add);
            cmd.arg(format!("{PREFIX}{add}:{name}"));
            for i in 0..n {
                match add {
                    "ZADD" => cmd.arg(i).arg(format!("member{i}")),
                    "HSET" => cmd.arg(format!("field{i}")).arg(i),
                    _ => cmd.arg(format!("element{i}")),
                };
            }
            let _: u64 = cmd.query_async(&mut raw).await.unwrap();
        }
    }
    let _: u64 = query(&mut raw, &["SADD", &format!("{PREFIX}numbers"), "1", "2", "70000"]).await;
    let _: String = query(&mut raw, &["XADD", &format!("{PREFIX}stream"), "1-1", "f", "v"]).await;
    let large_text = format!("{PREFIX}text:large");
    let _: redis::Value = query(&mut raw, &["SET", &large_text, &"x".repeat(600_000)]).await;
    let rule = ["ACL", "SETUSER", "types", "on", ">secret", "~security:*", "+@all", "-dump"];
    let _: redis::Value = query(&mut raw, &rule).await;
    let by_type =
        RedisTarget { username: Some("types".into()), password: Some("secret".into()), ..server.target() };
    let by_type = EventStore::connect(&by_type, Arc::new(SystemClock)).await.unwrap();

    let (seen, notes) = all(&server.store().await).await;
    let (asked, notes_asked) = all(&by_type).await;

    assert_eq!(seen, asked);
    assert_eq!((notes, notes_asked), (Vec::new(), Vec::new()));
    let keys: Vec<Vec<u8>> = query(&mut raw, &["KEYS", &format!("{PREFIX}*")]).await;
    assert_eq!(seen.len(), keys.len());
    for (n, text) in values().into_iter().enumerate() {
        let found = &seen[format!("{PREFIX}text:{n}").as_bytes()];
        assert_eq!(*found, (ValueKind::Text, BTreeSet::from([(text, Vec::new())]), 1));
    }
    let elements = |key: &str| seen[format!("{PREFIX}{key}").as_bytes()].1.len();
    assert_eq!(["RPUSH:many", "SADD:many", "ZADD:many", "HSET:large"].map(elements), [600, 600, 600, 9_000]);
    assert!(seen[large_text.as_bytes()].2 > 1, "a large text is read in parts");
}
