//! Events that are large: a script that digests or compares a mebibyte holds the server for many milliseconds.
//!
//! So these are read by plain commands, the digest is made here, and what is changed is changed in a transaction that the
//! server gives up when anybody has touched the key since it was watched and compared. Each command of it takes the server
//! a millisecond at most.

use redis::RedisResult;
use redis::Value;
use sha2::Digest;
use sha2::Sha256;

use crate::error::RedisError;
use crate::keys::GROUP;
use crate::keys::KeyKind;
use crate::link::Call;
use crate::optimize::Direction;
use crate::reply;
use crate::retention::Candidate;
use crate::retention::Removal;
use crate::scripts;
use crate::store::EventStore;
use crate::typed::ValueKind;

/// From here on a hash or a payload is large: to digest it in a script would hold the server for half a millisecond.
pub(crate) const LARGE_BYTES: u64 = 64 << 10;
/// What the token of a large event begins with; [`scripts::TAKE`] says so.
const MARK: char = 'v';
/// What takes more memory is no event and is not read: its fields may have 2 MiB, and the server rounds up.
const BYTES_MAX: u64 = 4 << 20;

/// Is this the token of an event that scripts do not read?
pub(crate) fn is_large(token: &str) -> bool {
    token.starts_with(MARK)
}

/// The token of `fields` as `HGETALL` gives them; `expiry` as the scripts write it, with what stands before it. `None` for
/// what is no hash, or gone.
fn token(fields: &Value, expiry: &str) -> Option<String> {
    let Value::Array(items) = fields else { return None };
    let mut pairs = Vec::with_capacity(items.len() / 2);
    for pair in items.chunks_exact(2) {
        match pair {
            [Value::BulkString(name), Value::BulkString(value)] => pairs.push((name, value)),
            _ => return None,
        }
    }
    if pairs.is_empty() {
        return None;
    }
    // The order is that of the server's table and means nothing.
    pairs.sort();
    let mut digest = Sha256::new();
    for (name, value) in pairs {
        for part in [name, value] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
    }
    Some(format!("{MARK}{}{}", hex::encode(digest.finalize()), expiry.trim_start_matches(MARK)))
}

/// The expiry as the scripts write it, of the answers to `PEXPIRETIME`, which servers before 7.0 lack, and `PTTL`.
fn expiry(at: &RedisResult<Value>, left: &RedisResult<Value>) -> String {
    match (at.as_ref().map(reply::int), left.as_ref().map(reply::int)) {
        (Ok(Some(at)), _) => format!("@{at}"),
        (_, Ok(Some(left))) if left >= 0 => "@0".to_owned(),
        _ => "@-1".to_owned(),
    }
}

impl EventStore {
    /// The fields of a large event, and the token of what was read; `None` if it is gone or no hash any more.
    pub(crate) async fn read_large(
        &self,
        key: &str,
        expiry: &str,
    ) -> Result<Option<(Value, String)>, RedisError> {
        let fields = match self.inner.jobs.query::<Value>(&ValueKind::Hash.read(key.as_bytes())).await {
            Ok(fields) => fields,
            Err(RedisError::WrongType(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(token(&fields, expiry).map(|token| (fields, token)))
    }

    /// As [`scripts::REMOVE`] does it, for one large event.
    pub(crate) async fn remove_large(&self, candidate: &Candidate) -> Result<Removal, RedisError> {
        let (keys, jobs, key) = (&self.inner.keys, &self.inner.jobs, candidate.key.as_str());
        let KeyKind::Event(parsed) = keys.classify(key) else { return Ok(Removal::Changed) };
        let index = keys.index(parsed.category);
        let peek = Call::new(&[key, &keys.stream()]).arg(GROUP);
        let peeked = reply::list(jobs.eval(&scripts::PEEK, peek).await?);
        let bytes = peeked.get(1).and_then(reply::count);
        if bytes.is_none_or(|bytes| bytes > BYTES_MAX) {
            let mut exists = redis::cmd("EXISTS");
            exists.arg(key);
            if jobs.query::<i64>(&exists).await? == 1 {
                return Ok(Removal::Changed);
            }
            jobs.eval(&scripts::UNINDEX, Call::new(&[&index, key])).await?;
            return Ok(Removal::Gone);
        }
        let is_processed = peeked.first().and_then(reply::int) == Some(1);
        self.compare_and_remove(candidate, &index, is_processed).await
    }

    /// As [`scripts::COMPRESS`] and [`scripts::UNPACK`] do it, for one large payload: puts `new` in the place of `old`;
    /// false if that is not there as it was read.
    pub(crate) async fn replace_payload(
        &self,
        key: &str,
        old: &[u8],
        new: &[u8],
        direction: Direction,
    ) -> Result<bool, RedisError> {
        let packs = direction == Direction::Forth;
        let mut look = redis::pipe();
        look.cmd("WATCH").arg(key);
        look.cmd("HGET").arg(key).arg("payload");
        look.cmd("HGET").arg(key).arg("payload_encoding");
        let decide = |answers: Vec<RedisResult<Value>>| {
            let answers: RedisResult<Vec<Value>> = answers.into_iter().collect();
            let answers = answers.map_err(|error| self.classify(error))?;
            let is_there = match &answers[..] {
                [_, Value::BulkString(now), Value::Nil] => packs && now == old,
                [_, Value::BulkString(now), Value::BulkString(encoding)] => {
                    !packs && now == old && encoding == b"zstd"
                }
                _ => false,
            };
            let mut change = redis::pipe();
            if is_there {
                change.cmd("MULTI");
                change.cmd("HSET").arg(key).arg("payload").arg(new);
                if packs {
                    change.arg("payload_encoding").arg("zstd");
                } else {
                    change.cmd("HDEL").arg(key).arg("payload_encoding");
                }
                change.cmd("EXEC");
            } else {
                change.cmd("UNWATCH");
            }
            Ok((is_there, change))
        };
        let _alone = self.inner.comparing.lock().await;
        let (is_there, answers) = self.inner.compare.watched(look, decide).await?;
        Ok(is_there && self.is_done(answers)?)
    }

    /// Was the transaction done? Not if somebody touched what was watched.
    fn is_done(&self, answers: Vec<RedisResult<Value>>) -> Result<bool, RedisError> {
        let answers: RedisResult<Vec<Value>> = answers.into_iter().collect();
        match answers.map_err(|error| self.classify(error))?.pop() {
            Some(Value::Nil) => Ok(false),
            Some(Value::Array(_)) => Ok(true),
            _ => Err(RedisError::Answer { command: "EXEC" }),
        }
    }

    async fn compare_and_remove(
        &self,
        candidate: &Candidate,
        index: &str,
        is_processed: bool,
    ) -> Result<Removal, RedisError> {
        let key = candidate.key.as_str();
        let mut look = redis::pipe();
        look.cmd("WATCH").arg(key);
        look.cmd("HGETALL").arg(key);
        look.cmd("PEXPIRETIME").arg(key);
        look.cmd("PTTL").arg(key);
        let decide = |answers: Vec<RedisResult<Value>>| {
            let mut answers = answers.into_iter();
            let (Some(watched), Some(fields), Some(at), Some(left)) =
                (answers.next(), answers.next(), answers.next(), answers.next())
            else {
                return Err(RedisError::Answer { command: "WATCH" });
            };
            watched.map_err(|error| self.classify(error))?;
            let now = fields.ok().and_then(|fields| token(&fields, &expiry(&at, &left)));
            let mut change = redis::pipe();
            let decided = match now {
                Some(now) if now != candidate.token => Some(Removal::Changed),
                None => Some(Removal::Changed),
                Some(_) if !is_processed => Some(Removal::Unprocessed),
                Some(_) => None,
            };
            match decided {
                Some(_) => {
                    change.cmd("UNWATCH");
                }
                None => {
                    change.cmd("MULTI");
                    change.cmd("UNLINK").arg(key);
                    change.cmd("ZREM").arg(index).arg(key);
                    change.cmd("EXEC");
                }
            }
            Ok((decided, change))
        };
        // What is watched belongs to the connection: one at a time.
        let _alone = self.inner.comparing.lock().await;
        let (decided, answers) = self.inner.compare.watched(look, decide).await?;
        if let Some(decided) = decided {
            return Ok(decided);
        }
        Ok(if self.is_done(answers)? { Removal::Removed } else { Removal::Changed })
    }
}

#[cfg(test)]
mod tests {
    use redis::Value;

    use super::is_large;
    use super::token;

    fn hash(words: &[&str]) -> Value {
        Value::Array(words.iter().map(|word| Value::BulkString(word.as_bytes().to_vec())).collect())
    }

    #[test]
    fn a_token_is_of_every_byte_and_of_no_order() {
        let of = |words: &[&str], expiry: &str| token(&hash(words), expiry).unwrap();
        let one = of(&["a", "1", "b", "2"], "v@17");
        assert!(is_large(&one) && one.ends_with("@17"), "{one}");
        assert_eq!(one, of(&["b", "2", "a", "1"], "@17"));
        for (words, expiry) in
            [(["a", "1", "b", "3"], "@17"), (["a", "1b", "", "2"], "@17"), (["a", "1", "b", "2"], "@-1")]
        {
            assert_ne!(one, of(&words, expiry), "{words:?} {expiry}");
        }
        for none in [hash(&[]), Value::Nil, Value::Array(vec![Value::Int(1), Value::Int(2)])] {
            assert_eq!(token(&none, "@-1"), None, "{none:?}");
        }
    }
}
