//! Backups: what goes in comes out, on another server, whatever the encoding; and a damaged file is told from a whole one.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use watchpost_model::clock::SystemClock;
use watchpost_model::event::Category;
use watchpost_redis::EventStore;
use watchpost_redis::RedisError;
use watchpost_redis::backup::BackupError;
use watchpost_redis::backup::BackupReader;
use watchpost_redis::backup::BackupWalk;
use watchpost_redis::backup::BackupWriter;
use watchpost_redis::backup::Existing;
use watchpost_redis::backup::Restorer;
use watchpost_redis::backup::Scope;

use crate::support::TestServer;
use crate::support::large_event;
use crate::support::old_event;
use crate::support::query;

pub(crate) async fn take(store: &EventStore) -> Vec<u8> {
    let mut walk = BackupWalk::start(store, CancellationToken::new()).await.unwrap();
    let mut file = Vec::new();
    let mut writer = BackupWriter::new(&mut file, &walk.head("test").await.unwrap()).unwrap();
    while let Some(records) = walk.next_batch().await.unwrap() {
        records.iter().for_each(|record| writer.put(record).unwrap());
    }
    writer.finish().unwrap();
    file
}

pub(crate) async fn restorer(store: &EventStore, scope: Scope, existing: Existing) -> Restorer {
    Restorer::start(store, scope, existing, CancellationToken::new()).await.unwrap()
}

pub(crate) async fn put(file: &[u8], restorer: &mut Restorer) {
    let mut reader = BackupReader::new(file).unwrap();
    while let Some(records) = reader.next_records().unwrap() {
        restorer.put(records).await.unwrap();
    }
}

pub(crate) async fn check(file: &[u8], restorer: &mut Restorer) {
    let mut reader = BackupReader::new(file).unwrap();
    while let Some(records) = reader.next_records().unwrap() {
        restorer.check(records).await.unwrap();
    }
}

/// One of everything, small and large, in every encoding that can be had.
pub(crate) async fn fill(server: &TestServer, store: &EventStore) {
    let events: Vec<_> = (0..300).map(|n| old_event(1, Category::Authentication, n)).collect();
    store.write_events(&events).await.unwrap();
    store.write_events(&(0..20).map(|n| large_event(n, 30_000)).collect::<Vec<_>>()).await.unwrap();
    let mut raw = server.raw().await;
    let fill = r"
        local p = 'security:x:'
        redis.call('SET', p .. 'number', '12345')
        redis.call('SET', p .. 'packed', string.rep('abc', 200))
        redis.call('SET', p .. 'bytes', string.char(255, 0, 1))
        redis.call('SADD', p .. 'ints', 1, -5, 70000, 5000000000)
        redis.call('SADD', p .. 'words', 'a', 'b', string.rep('long', 40))
        redis.call('ZADD', p .. 'scores', 1, 'a', -2.5, 'b', 'inf', 'c', 1e300, 'd')
        redis.call('RPUSH', p .. 'list', 'a', 1, -300, 70000, 9000000000, string.rep('x', 5000), string.rep('y', 20000))
        redis.call('HSET', p .. 'fields', 'n', -1, 'm', 4095, 'o', -4097, 'p', 8388607, 'q', 2147483648, 'r', string.rep('z', 60))
        redis.call('XADD', p .. 'log', '5-1', 'a', 'b')
        redis.call('XGROUP', 'CREATE', p .. 'log', 'g', '5-1')
        for n = 1, 700 do
            redis.call('HSET', p .. 'table', 'field' .. n, n)
            redis.call('ZADD', p .. 'skip', n / 7, 'member' .. n)
            redis.call('SADD', p .. 'members', 'member' .. n)
        end";
    let _: redis::Value = query(&mut raw, &["EVAL", fill, "0"]).await;
    let fill = r"
        local p = 'security:x:'
        for n = ARGV[1], ARGV[1] + 999 do
            redis.call('HSET', p .. 'large-hash', 'field' .. n, 'value' .. n)
            redis.call('ZADD', p .. 'large-zset', n / 3, 'member' .. n)
            redis.call('SADD', p .. 'large-set', 'member' .. n)
            redis.call('RPUSH', p .. 'large-list', string.rep('e', 60) .. n)
            redis.call('XADD', p .. 'large-log', n .. '-1', 'key', string.rep('v', 60) .. n)
            redis.call('APPEND', p .. 'large-text', string.rep('0123456789', 10))
        end";
    for n in (1..20_000).step_by(1_000) {
        let _: redis::Value = query(&mut raw, &["EVAL", fill, "0", &n.to_string()]).await;
    }
    let fill = r"
        local p = 'security:x:'
        redis.call('XGROUP', 'CREATE', p .. 'large-log', 'g', '0')
        redis.call('XREADGROUP', 'GROUP', 'g', 'c', 'COUNT', 10, 'STREAMS', p .. 'large-log', '>')
        redis.call('XACK', p .. 'large-log', 'g', '1-1', '2-1')
        redis.call('PEXPIREAT', p .. 'words', 4102444800123)
        redis.call('PEXPIREAT', p .. 'large-set', 4102444800123)";
    let _: redis::Value = query(&mut raw, &["EVAL", fill, "0"]).await;
}

#[tokio::test]
async fn a_rehearsal_finds_every_key_value_and_expiry() {
    let server = TestServer::start().await;
    let store = server.store().await;
    fill(&server, &store).await;
    let file = take(&store).await;
    // Tables instead of list packs: the same values in other encodings.
    let options = [
        "--hash-max-listpack-entries",
        "2",
        "--zset-max-listpack-entries",
        "2",
        "--set-max-intset-entries",
        "2",
        "--list-max-listpack-size",
        "3",
    ];
    for options in [&[][..], &options[..]] {
        let other = TestServer::with(options).await;
        let scratch = other.store().await;
        let mut restorer = restorer(&scratch, Scope::Everything, Existing::Keep).await;
        put(&file, &mut restorer).await;
        assert_eq!((restorer.restored.failed, restorer.restored.kept), (0, 0), "{:?}", restorer.restored);
        check(&file, &mut restorer).await;
        let (mut here, mut there) = (server.raw().await, other.raw().await);
        let keys: u64 = query(&mut here, &["DBSIZE"]).await;
        let size: u64 = query(&mut there, &["DBSIZE"]).await;
        assert_eq!((restorer.checked.equal, restorer.checked.wrong), (keys, 0), "{:?}", restorer.checked);
        assert_eq!(size, keys);
        let expires: i64 = query(&mut there, &["PEXPIRETIME", "security:x:large-set"]).await;
        assert_eq!(expires, 4_102_444_800_123);
        // What was handed out and not acknowledged is handed out again.
        let read: redis::Value = query(
            &mut there,
            &["XREADGROUP", "GROUP", "g", "c", "COUNT", "1", "STREAMS", "security:x:large-log", ">"],
        )
        .await;
        assert!(format!("{read:?}").contains("3-1"), "{read:?}");
        // And a difference is found, in small values and large ones.
        let _: u64 = query(&mut there, &["HSET", "security:x:table", "field7", "changed"]).await;
        let _: u64 = query(&mut there, &["SREM", "security:x:large-set", "member5"]).await;
        let _: u64 = query(&mut there, &["PERSIST", "security:x:words"]).await;
        let _: u64 = query(&mut there, &["DEL", "security:x:list"]).await;
        let mut again = self::restorer(&scratch, Scope::Everything, Existing::Keep).await;
        check(&file, &mut again).await;
        assert_eq!(again.checked.wrong, 4, "{:?}", again.checked);
    }
}

#[tokio::test]
async fn a_restore_keeps_what_is_newer_and_leaves_blocks_to_the_engine() {
    let server = TestServer::start().await;
    let store = server.store().await;
    fill(&server, &store).await;
    let mut raw = server.raw().await;
    let _: redis::Value = query(&mut raw, &["SET", "security:blocked:192.0.2.9", "{}", "EX", "9999"]).await;
    let file = take(&store).await;
    let event = format!("security:auth:{}", old_event(1, Category::Authentication, 7).at.timestamp_millis());
    let first: Vec<String> = query(&mut raw, &["ZRANGE", "security:index:authentication", "0", "0"]).await;
    let _: u64 = query(
        &mut raw,
        &["DEL", "security:blocked:192.0.2.9", "security:x:list", "security:x:large-zset", &first[0]],
    )
    .await;
    let _: u64 = query(&mut raw, &["ZREM", "security:index:authentication", &first[0]]).await;
    let _: u64 = query(&mut raw, &["HSET", "security:x:fields", "n", "newer"]).await;
    let _: u64 = query(&mut raw, &["HSET", "security:x:large-hash", "field1", "newer"]).await;
    // Small in the backup, and of another type and too large to be compared by now.
    let grown = "redis.call('DEL', KEYS[1]) \
        for n = 1, 20000 do redis.call('RPUSH', KEYS[1], n .. string.rep('x', 80)) end";
    let _: redis::Value = query(&mut raw, &["EVAL", grown, "1", "security:x:packed"]).await;
    let before: u64 = query(&mut raw, &["DBSIZE"]).await;

    let mut preview = restorer(&store, Scope::Data, Existing::Keep).await.preview();
    put(&file, &mut preview).await;
    let same: u64 = query(&mut raw, &["DBSIZE"]).await;
    assert_eq!(same, before, "a preview changes nothing");
    let mut restore = restorer(&store, Scope::Data, Existing::Keep).await;
    put(&file, &mut restore).await;
    assert_eq!(restore.restored, preview.restored, "preview equals run");
    assert_eq!(restore.restored.written, 3, "{:?}", restore.restored);
    let kept: String = query(&mut raw, &["HGET", "security:x:fields", "n"]).await;
    let large: String = query(&mut raw, &["HGET", "security:x:large-hash", "field1"]).await;
    assert_eq!((kept.as_str(), large.as_str()), ("newer", "newer"));
    let grown: u64 = query(&mut raw, &["LLEN", "security:x:packed"]).await;
    assert_eq!(grown, 20_000, "what is newer stays");
    let blocked: u64 = query(&mut raw, &["EXISTS", "security:blocked:192.0.2.9"]).await;
    assert_eq!(blocked, 0, "a block comes back through its guard only");
    let indexed: Option<String> =
        query(&mut raw, &["ZSCORE", "security:index:authentication", &first[0]]).await;
    assert!(indexed.is_some(), "{} is in the index again", first[0]);
    let length: u64 = query(&mut raw, &["ZCARD", "security:x:large-zset"]).await;
    assert_eq!(length, 20_000);

    let mut replace = restorer(&store, Scope::Data, Existing::Replace).await;
    put(&file, &mut replace).await;
    assert!(replace.restored.replaced >= 3 && replace.restored.kept == 0, "{:?}", replace.restored);
    let small: String = query(&mut raw, &["GET", "security:x:packed"]).await;
    let ttl: i64 = query(&mut raw, &["PTTL", "security:x:packed"]).await;
    assert_eq!((small, ttl), ("abc".repeat(200), -1));
    let back: String = query(&mut raw, &["HGET", "security:x:fields", "n"]).await;
    let large: String = query(&mut raw, &["HGET", "security:x:large-hash", "field1"]).await;
    assert_eq!((back.as_str(), large.as_str()), ("-1", "value1"), "{event}");
    let left: Vec<String> = query(&mut raw, &["KEYS", "*restoring*"]).await;
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn a_restore_that_was_cut_off_is_made_whole_by_the_next_one() {
    let server = TestServer::start().await;
    let store = server.store().await;
    let events: Vec<_> = (0..600).map(|n| old_event(1, Category::Authentication, n)).collect();
    store.write_events(&events).await.unwrap();
    let file = take(&store).await;
    let mut raw = server.raw().await;
    let index = "security:index:authentication";
    let entries: Vec<String> = query(&mut raw, &["ZRANGE", index, "0", "-1"]).await;
    // The keys of a batch went in, and the program was gone before their entries did.
    let _: u64 = query(&mut raw, &["ZREM", index, &entries[0], &entries[100], &entries[599]]).await;
    let mut restore = restorer(&store, Scope::Data, Existing::Keep).await;
    put(&file, &mut restore).await;
    // The stream of the events besides.
    assert_eq!((restore.restored.written, restore.restored.same), (0, 601), "{:?}", restore.restored);
    let whole: Vec<String> = query(&mut raw, &["ZRANGE", index, "0", "-1"]).await;
    assert_eq!(whole, entries);
}

#[tokio::test]
async fn a_restore_leaves_room_for_the_applications() {
    let server = TestServer::start().await;
    let store = server.store().await;
    let mut raw = server.raw().await;
    // So each is as large in the file as it is on the server.
    let _: redis::Value = query(&mut raw, &["CONFIG", "SET", "rdbcompression", "no"]).await;
    for n in 0..60 {
        let _: redis::Value =
            query(&mut raw, &["SET", &format!("security:x:{n}"), &"x".repeat(100_000)]).await;
    }
    let file = take(&store).await;
    let _: redis::Value = query(&mut raw, &["FLUSHALL"]).await;
    let limit = 4 << 20;
    let _: redis::Value = query(&mut raw, &["CONFIG", "SET", "maxmemory", &limit.to_string()]).await;
    let mut preview = restorer(&store, Scope::Data, Existing::Keep).await.preview();
    put(&file, &mut preview).await;
    let fits = preview.fits().await;
    assert!(matches!(fits, Err(RedisError::NoRoom { .. })), "{fits:?}");

    let mut restore = restorer(&store, Scope::Data, Existing::Keep).await;
    let mut reader = BackupReader::new(file.as_slice()).unwrap();
    let mut stopped = Ok(());
    while let (Ok(()), Some(records)) = (&stopped, reader.next_records().unwrap()) {
        stopped = restore.put(records).await;
    }
    assert!(matches!(stopped, Err(RedisError::NoRoom { .. })), "{stopped:?}");
    let written: redis::RedisResult<String> =
        redis::cmd("SET").arg("app").arg("1").query_async(&mut raw).await;
    assert!(written.is_ok(), "an application still writes: {written:?}");

    let _: redis::Value = query(&mut raw, &["CONFIG", "SET", "maxmemory", "0"]).await;
    let mut again = restorer(&store, Scope::Data, Existing::Keep).await;
    put(&file, &mut again).await;
    assert_eq!(again.restored.written + again.restored.same, 60, "{:?}", again.restored);
}

#[tokio::test]
async fn a_cut_or_altered_file_is_refused_and_says_where() {
    let server = TestServer::start().await;
    let store = server.store().await;
    // Bytes that do not compress, so that there are several blocks.
    let mut raw = server.raw().await;
    let mut state = 7_u64;
    for n in 0..60 {
        let noise = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state.to_be_bytes()[0]
        });
        let noise: Vec<u8> = noise.take(50_000).collect();
        let mut set = redis::cmd("SET");
        set.arg(format!("security:x:{n}")).arg(noise);
        let _: redis::Value = set.query_async(&mut raw).await.unwrap();
    }
    let file = take(&store).await;
    let read = |bytes: &[u8]| -> Result<u64, BackupError> {
        let mut reader = BackupReader::new(bytes)?;
        let mut n = 0;
        while let Some(records) = reader.next_records()? {
            n += records.len() as u64;
        }
        Ok(n)
    };
    assert_eq!(read(&file).unwrap(), 60);
    for end in [0, 5, 10, 30, 100, file.len() / 3, file.len() / 2, file.len() - 1] {
        match read(&file[..end]) {
            Err(BackupError::NotABackup) if end < 10 => {}
            Err(BackupError::Truncated { at, .. }) => assert_eq!(at, end as u64),
            other => panic!("cut at {end}: {other:?}"),
        }
    }
    for at in (10..file.len()).step_by(file.len() / 40) {
        let mut altered = file.clone();
        altered[at] ^= 1;
        match read(&altered) {
            Err(BackupError::Altered { at: block_at, .. }) => {
                assert!(block_at <= at as u64, "{block_at} is before {at}")
            }
            // A length that says more than there is.
            Err(BackupError::Truncated { .. }) => {}
            other => panic!("altered at {at}: {other:?}"),
        }
    }
    let mut longer = file.clone();
    longer.push(0);
    assert!(matches!(read(&longer), Err(BackupError::Unreadable { .. })), "something follows the end");
    let mut newer = file;
    newer[8] = 9;
    assert!(matches!(read(&newer), Err(BackupError::TooNew(9))));
}

#[tokio::test]
async fn a_cancelled_pass_ends_at_once() {
    let server = TestServer::start().await;
    let store = EventStore::connect(&server.target(), Arc::new(SystemClock)).await.unwrap();
    let cancel = CancellationToken::new();
    let mut walk = BackupWalk::start(&store, cancel.clone()).await.unwrap();
    cancel.cancel();
    assert!(matches!(walk.next_batch().await, Err(RedisError::Cancelled)));
}

#[tokio::test]
async fn a_backup_without_the_right_to_ask_for_sizes_lacks_no_key() {
    let server = TestServer::start().await;
    fill(&server, &server.store().await).await;
    let mut raw = server.raw().await;
    let _: redis::Value = query(&mut raw, &["SET", "security:x:blank", ""]).await;
    let _: redis::Value = query(&mut raw, &["XADD", "security:x:emptied", "*", "a", "b"]).await;
    let _: redis::Value = query(&mut raw, &["XGROUP", "CREATE", "security:x:emptied", "g", "0"]).await;
    let _: redis::Value = query(&mut raw, &["XTRIM", "security:x:emptied", "MAXLEN", "0"]).await;
    let rule = ["ACL", "SETUSER", "copier", "reset", "on", ">secret", "~security:*", "+@all", "-memory"];
    let _: redis::Value = query(&mut raw, &rule).await;
    let target = watchpost_redis::RedisTarget {
        username: Some("copier".into()),
        password: Some("secret".into()),
        ..server.target()
    };
    let copier = EventStore::connect(&target, Arc::new(SystemClock)).await.unwrap();

    let file = take(&copier).await;

    let other = TestServer::start().await;
    let mut restorer = restorer(&other.store().await, Scope::Everything, Existing::Keep).await;
    put(&file, &mut restorer).await;
    check(&file, &mut restorer).await;
    let mut there = other.raw().await;
    let keys: u64 = query(&mut raw, &["DBSIZE"]).await;
    let copied: u64 = query(&mut there, &["DBSIZE"]).await;
    assert_eq!(copied, keys);
    assert_eq!((restorer.checked.equal, restorer.checked.wrong), (keys, 0), "{:?}", restorer.checked);
    let groups: Vec<redis::Value> = query(&mut there, &["XINFO", "GROUPS", "security:x:emptied"]).await;
    assert_eq!(groups.len(), 1, "an emptied stream keeps its groups");
}
