//! What is in the hash of an event's key of which no event can be made, for whoever looks for a name in it.

use redis::Value;

use crate::codec;
use crate::error::RedisError;
use crate::reply;
use crate::retention::Candidate;
use crate::store::EventStore;

/// What a payload that is packed begins with.
const PACKED: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The texts of a hash.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Held {
    /// Names and values of its fields, the payload unpacked.
    pub(crate) texts: Vec<String>,
    /// Is that all of it? Not if something is packed in a way that is not known.
    pub(crate) all: bool,
}

/// What `fields` hold as a script or `HGETALL` gave them.
pub(crate) fn held(fields: Value) -> Held {
    let pairs: Vec<(Vec<u8>, Vec<u8>)> = match fields {
        Value::BulkString(packed) => match reply::packed(&packed) {
            Some(read) => read.into_iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect(),
            None => return Held::default(),
        },
        fields => reply::pairs(fields),
    };
    let mut held = Held { texts: Vec::with_capacity(pairs.len() * 2), all: true };
    for (name, value) in pairs {
        if name == b"payload" && value.starts_with(&PACKED) {
            match codec::decompress(&value) {
                Ok(plain) => held.texts.push(String::from_utf8_lossy(&plain).into_owned()),
                Err(_) => held.all = false,
            }
        } else {
            if name == b"payload_encoding" && !value.is_empty() && value != b"zstd" {
                held.all = false;
            }
            held.texts.push(String::from_utf8_lossy(&value).into_owned());
        }
        held.texts.push(String::from_utf8_lossy(&name).into_owned());
    }
    held
}

impl EventStore {
    /// Takes the keys of `removed` out of the quarantine: their names and the reasons may say whom they were about.
    ///
    /// # Errors
    /// Every cause of [`RedisError`].
    pub async fn forget_unreadable(&self, removed: &[Candidate]) -> Result<(), RedisError> {
        let keys: Vec<&str> = removed
            .iter()
            .filter(|candidate| candidate.event.is_err())
            .map(|candidate| candidate.key.as_str())
            .collect();
        if keys.is_empty() {
            return Ok(());
        }
        let mut pipe = redis::pipe();
        pipe.cmd("ZREM").arg(self.inner.keys.quarantine()).arg(&keys);
        pipe.cmd("HDEL").arg(self.inner.keys.quarantine_reasons()).arg(&keys);
        for answer in self.inner.jobs.pipe(pipe).await? {
            answer.map_err(|error| self.classify(error))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use redis::Value;

    use super::held;
    use crate::codec;

    fn hash(words: &[&[u8]]) -> Value {
        Value::Array(words.iter().map(|word| Value::BulkString(word.to_vec())).collect())
    }

    #[test]
    fn a_payload_is_unpacked_and_what_cannot_be_is_told() {
        let packed = codec::compress("zelda ".repeat(400).as_bytes()).unwrap();
        let read = held(hash(&[b"actor", b"anna", b"payload", &packed, b"payload_encoding", b"zstd"]));
        assert!(read.all && read.texts.iter().any(|text| text.starts_with("zelda zelda")), "{read:?}");
        assert!(read.texts.iter().any(|text| text == "anna"));
        assert!(!held(hash(&[b"payload", &packed[..20]])).all, "it is cut off");
        assert!(!held(hash(&[b"payload", b"?", b"payload_encoding", b"lzma"])).all, "nobody knows that");
        assert!(!held(Value::BulkString(b"no pack".to_vec())).all);
        assert!(held(hash(&[b"payload", b"{zelda \xff"])).texts[0].starts_with("{zelda "));
    }
}
