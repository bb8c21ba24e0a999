//! The slow log without what it may give away.
//!
//! Arguments hold passwords, tokens and personal data, in places that no list can name for every command there will be.
//! So it is the other way round: of a command that is listed here the name and the keys are shown, of any other nothing.

use std::fmt::Write;

use chrono::DateTime;
use redis::Value;
use watchpost_model::health::SlowCommand;
use watchpost_model::sensitive::masked;
use watchpost_model::text::visible;

use crate::reply;

/// Of a word that is shown.
const CHARS_MAX: usize = 80;
/// A run of letters and digits from here on is taken for a token, if it holds both.
const TOKEN_CHARS: usize = 16;
/// From here on without digits, too.
const TOKEN_OF_LETTERS_CHARS: usize = 32;
/// What is left of one.
const TOKEN_SHOWN: usize = 4;

/// Commands whose first argument is a key, and whose others are not shown.
const KEY_FIRST: &str = "APPEND BITCOUNT BITFIELD BITFIELD_RO BITPOS BLMOVE BLPOP BRPOP BRPOPLPUSH BZPOPMAX BZPOPMIN COPY \
    DECR DECRBY DEL DELEX DUMP EXISTS EXPIRE EXPIREAT EXPIRETIME GEOADD GEODIST GEOHASH GEOPOS GEORADIUS \
    GEORADIUSBYMEMBER GEOSEARCH GEOSEARCHSTORE GET GETBIT GETDEL GETEX GETRANGE GETSET HDEL HEXISTS \
    HEXPIRE HGET HGETALL HINCRBY HINCRBYFLOAT HKEYS HLEN HMGET HMSET HPERSIST HPEXPIRE HPTTL HRANDFIELD \
    HSCAN HSET HSETNX HSTRLEN HTTL HVALS INCR INCRBY INCRBYFLOAT LINDEX LINSERT LLEN LMOVE LPOP LPOS \
    LPUSH LPUSHX LRANGE LREM LSET LTRIM MGET MOVE MSET MSETNX PERSIST PEXPIRE PEXPIREAT PEXPIRETIME \
    PFADD PFCOUNT PFMERGE PSETEX PTTL RENAME RENAMENX RESTORE RPOP RPOPLPUSH RPUSH RPUSHX SADD SCARD \
    SDIFF SDIFFSTORE SET SETBIT SETEX SETNX SETRANGE SINTER SINTERSTORE SISMEMBER SMEMBERS SMISMEMBER \
    SMOVE SORT SORT_RO SPOP SRANDMEMBER SREM SSCAN STRLEN SUBSTR SUNION SUNIONSTORE TOUCH TTL TYPE \
    UNLINK WATCH XACK XADD XAUTOCLAIM XCLAIM XDEL XLEN XPENDING XRANGE XREVRANGE XSETID XTRIM ZADD ZCARD \
    ZCOUNT ZDIFFSTORE ZINCRBY ZINTERSTORE ZLEXCOUNT ZMSCORE ZPOPMAX ZPOPMIN ZRANDMEMBER ZRANGE \
    ZRANGEBYLEX ZRANGEBYSCORE ZRANGESTORE ZRANK ZREM ZREMRANGEBYLEX ZREMRANGEBYRANK ZREMRANGEBYSCORE \
    ZREVRANGE ZREVRANGEBYLEX ZREVRANGEBYSCORE ZREVRANK ZSCAN ZSCORE ZUNIONSTORE";

/// Commands of which only the name is shown.
const NAME_ONLY: &str = "ACL ASKING AUTH BGREWRITEAOF BGSAVE BITOP BLMPOP BZMPOP CLIENT CLUSTER COMMAND CONFIG DBSIZE DEBUG \
    DISCARD ECHO EVAL EVAL_RO EXEC FAILOVER FLUSHALL FLUSHDB FUNCTION HELLO INFO KEYS LASTSAVE LATENCY \
    LCS LMPOP LOLWUT MIGRATE MODULE MONITOR MULTI PING PSUBSCRIBE PSYNC PUBLISH PUBSUB QUIT RANDOMKEY \
    READONLY READWRITE REPLCONF REPLICAOF RESET ROLE SAVE SCAN SCRIPT SELECT SENTINEL SHUTDOWN \
    SINTERCARD SLAVEOF SLOWLOG SPUBLISH SSUBSCRIBE SUBSCRIBE SWAPDB SYNC TIME UNSUBSCRIBE UNWATCH WAIT \
    WAITAOF XREAD XREADGROUP ZDIFF ZINTER ZINTERCARD ZMPOP ZUNION";

/// Commands whose first argument says what they do with the key that is the second.
const WORD_THEN_KEY: &[(&str, &[&str])] = &[
    ("MEMORY", &["USAGE"]),
    ("OBJECT", &["ENCODING", "FREQ", "IDLETIME", "REFCOUNT"]),
    ("XGROUP", &["CREATE", "CREATECONSUMER", "DELCONSUMER", "DESTROY", "SETID"]),
    ("XINFO", &["CONSUMERS", "GROUPS", "STREAM"]),
];

/// Scripts by their digest, or functions by their name: then the number of keys, and the keys.
const SCRIPTS: &[&str] = &["EVALSHA", "EVALSHA_RO", "FCALL", "FCALL_RO"];

/// The addresses that servers give to what a script calls; from Redis 8 on there is none.
const IN_SCRIPT: [&str; 2] = ["?:0", ""];
/// How the connections of Watchpost are named.
const OWN_PREFIX: &str = "watchpost-";

/// Is the entry of a client with this address and name one of Watchpost? What a script calls is whose script it is: that
/// took longer, and is the newer entry beside it, since nothing else runs meanwhile.
pub(crate) fn is_own(address: Option<&str>, name: Option<&str>, newer: bool) -> bool {
    if address.is_some_and(|address| IN_SCRIPT.contains(&address)) {
        newer
    } else {
        name.is_some_and(|name| name.starts_with(OWN_PREFIX))
    }
}

/// Entries, the newest first.
pub(crate) fn slow_commands(value: Value) -> Vec<SlowCommand> {
    let mut newer = false;
    let mut commands = Vec::new();
    for entry in reply::list(value) {
        let Some(command) = slow_command(entry, newer) else { continue };
        newer = command.own;
        commands.push(command);
    }
    commands
}

/// Entry: id, Unix time, microseconds, arguments, client address, client name. `newer`: is the newer one Watchpost's?
fn slow_command(entry: Value, newer: bool) -> Option<SlowCommand> {
    let mut parts = reply::list(entry).into_iter().skip(1);
    let at = DateTime::from_timestamp(reply::int(&parts.next()?)?, 0)?;
    let usec = reply::count(&parts.next()?)?;
    let arguments: Vec<Vec<u8>> = reply::list(parts.next()?).into_iter().filter_map(reply::bytes).collect();
    let (address, name) = (parts.next().and_then(reply::text), parts.next().and_then(reply::text));
    let own = is_own(address.as_deref(), name.as_deref(), newer);
    #[expect(clippy::cast_precision_loss, reason = "a duration stays far below 2^53")]
    let duration_ms = usec as f64 / 1_000.0;
    Some(SlowCommand { at, duration_ms, command: redacted(&arguments), own })
}

/// Command and key where they are known to be that, and never a value.
fn redacted(arguments: &[Vec<u8>]) -> String {
    let words: Vec<String> =
        arguments.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
    let Some((command, rest)) = words.split_first() else { return String::new() };
    let command = command.to_uppercase();
    let name = command.as_str();
    let is_one = |names: &str| names.split(' ').any(|one| one == name);
    let shown: Vec<String> = if is_one(KEY_FIRST) {
        rest.iter().take(1).map(|key| key_shown(key)).collect()
    } else if SCRIPTS.contains(&name) {
        of_script(rest)
    } else if let Some((_, known)) = WORD_THEN_KEY.iter().find(|(of, _)| *of == name) {
        match rest {
            [word, key, ..] if known.contains(&word.to_uppercase().as_str()) => {
                vec![word.to_uppercase(), key_shown(key)]
            }
            _ => Vec::new(),
        }
    } else if is_one(NAME_ONLY) {
        Vec::new()
    } else {
        // A name that the administrator gave a command may be what protects it.
        return format!("(a command that is not known, {} arguments)", rest.len());
    };
    let mut text = command;
    for word in &shown {
        text.push(' ');
        text.push_str(word);
    }
    let hidden = rest.len().saturating_sub(shown.len());
    if hidden > 0 {
        let _ = write!(text, " ({hidden} more)"); // Writing to a String cannot fail.
    }
    text
}

/// Digest or nothing, number of keys, first key.
fn of_script(rest: &[String]) -> Vec<String> {
    let [script, keys, rest @ ..] = rest else { return Vec::new() };
    let is_digest = script.len() == 40 && script.bytes().all(|byte| byte.is_ascii_hexdigit());
    let Ok(count) = keys.parse::<u32>() else { return Vec::new() };
    let script = if is_digest { script.clone() } else { key_shown(script) };
    let mut shown = vec![script, count.to_string()];
    shown.extend(rest.iter().take(usize::from(count > 0)).map(|key| key_shown(key)));
    shown
}

/// A key as it may be shown: masked as events are, and without the tokens that people build keys of
/// (`session:4f0c…`).
fn key_shown(key: &str) -> String {
    let key = masked("name", key).unwrap_or_else(|| key.to_owned());
    let mut shown = String::with_capacity(key.len());
    let mut run = String::new();
    for ch in key.chars() {
        if ch.is_alphanumeric() || matches!(ch, '-' | '_') {
            run.push(ch);
            continue;
        }
        shown.push_str(&without_token(&run));
        run.clear();
        shown.push(ch);
    }
    shown.push_str(&without_token(&run));
    visible(&shown, CHARS_MAX)
}

fn without_token(run: &str) -> String {
    let length = run.chars().count();
    let has_digit = run.chars().any(|ch| ch.is_ascii_digit());
    let has_letter = run.chars().any(char::is_alphabetic);
    let is_token = length >= TOKEN_OF_LETTERS_CHARS || (length >= TOKEN_CHARS && has_digit && has_letter);
    if !is_token {
        return run.to_owned();
    }
    let mut begin: String = run.chars().take(TOKEN_SHOWN).collect();
    begin.push('…');
    begin
}

#[cfg(test)]
mod tests {
    use super::redacted;

    fn shown(words: &[&str]) -> String {
        redacted(&words.iter().map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>())
    }

    #[test]
    fn values_are_never_shown() {
        assert_eq!(shown(&["HSET", "security:auth:1", "actor", "eve"]), "HSET security:auth:1 (2 more)");
        assert_eq!(shown(&["GET", "k\u{1b}[31m"]), "GET k\\x1b[31m");
        assert_eq!(shown(&["PING"]), "PING");
        assert_eq!(shown(&["memory", "usage", "k", "SAMPLES", "5"]), "MEMORY USAGE k (2 more)");
        let digest = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(
            shown(&["EVALSHA", digest, "1", "key", "value"]),
            format!("EVALSHA {digest} 1 key (1 more)")
        );
        assert_eq!(shown(&["FCALL_RO", "sum", "0", "value"]), "FCALL_RO sum 0 (1 more)");
    }

    #[test]
    fn what_may_hold_a_password_shows_none_of_its_words() {
        for words in [
            &["auth", "alice", "hunter2"][..],
            &["HELLO", "3", "AUTH", "default", "hunter2"],
            &["CONFIG", "SET", "requirepass", "hunter2"],
            &["ACL", "SETUSER", "alice", "on", ">hunter2"],
            &["EVAL", "local password='hunter2' return 1", "0"],
            &["EVAL_RO", "local password='hunter2' return 1", "0"],
            &["EVALSHA_RO", "hunter2", "none", "hunter2"],
            &["FCALL_RO", "f", "0", "hunter2"],
            &["FUNCTION", "LOAD", "#!lua name=l\nlocal password='hunter2'"],
            &["SCRIPT", "LOAD", "return 'hunter2'"],
            &["MIGRATE", "h", "6379", "", "0", "5000", "AUTH", "hunter2", "KEYS", "k"],
            &["XGROUP", "hunter2", "hunter2"],
            &["hunter2", "get", "k"],
            &["SOME.MODULE", "hunter2"],
        ] {
            let shown = shown(words);
            assert!(!shown.to_lowercase().contains("hunter2"), "{shown}");
        }
    }

    #[test]
    fn tokens_within_the_names_of_keys_are_cut() {
        for (key, token) in [
            ("session:4f0c1d2e3a4b5c6d7e8f", "3a4b5c6d7e8f"),
            ("s:4f0c1d2e-3a4b-5c6d-7e8f-0a1b2c3d4e5f:cart", "0a1b2c3d4e5f"),
        ] {
            let shown = shown(&["GET", key]);
            assert!(shown.starts_with("GET ") && !shown.contains(token), "{shown}");
        }
        assert!(!shown(&["GET", "paid:4539148803436467"]).contains("9148803436"));
    }
}
