//! Redis Cluster: which node serves the keys of a connection.
//!
//! An event changes together with its index and the stream, so all keys of a connection must lie in one slot: its prefix
//! has a hash tag, such as `{security}:`. Then one primary serves them, and everything works as on a server of its own.

use redis::RedisResult;
use redis::Value;
use redis::aio::MultiplexedConnection;
use watchpost_model::connection::HostPort;

use crate::error::RedisError;
use crate::reply;

/// Slots of every cluster.
pub(crate) const SLOTS: u16 = 16_384;

/// A primary and the slots that it serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Primary {
    pub(crate) at: HostPort,
    pub(crate) id: String,
    /// From and to, both inside.
    pub(crate) slots: Vec<(u16, u16)>,
    pub(crate) replicas: Vec<HostPort>,
}

impl Primary {
    pub(crate) fn slot_count(&self) -> u32 {
        self.slots.iter().map(|(from, to)| u32::from(to - from) + 1).sum()
    }

    pub(crate) fn serves(&self, slot: u16) -> bool {
        self.slots.iter().any(|(from, to)| (*from..=*to).contains(&slot))
    }
}

/// The cluster as one node sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct View {
    /// The id of that node.
    pub(crate) me: String,
    pub(crate) primaries: Vec<Primary>,
}

/// The slot of all keys with this prefix; `None` if they lie in many, for there is no hash tag in it.
pub(crate) fn slot_of_prefix(prefix: &str) -> Option<u16> {
    let (_, rest) = prefix.split_once('{')?;
    let (tag, _) = rest.split_once('}')?;
    (!tag.is_empty()).then(|| crc16(tag.as_bytes()) % SLOTS)
}

/// CRC-16/XMODEM, by which keys are spread over slots.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(
            crc ^ u16::from(*byte) << 8,
            |crc, _| {
                if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 }
            },
        )
    })
}

/// Asks a node, which was reached at `host`, about its cluster; `None` if it is in none, or the user may not ask.
///
/// # Errors
/// The connection broke, or the server is still loading.
pub(crate) async fn ask(
    connection: &mut MultiplexedConnection,
    host: &str,
) -> Result<Option<View>, RedisError> {
    let classify = |error| RedisError::classify(error, host);
    let mut pipe = redis::pipe();
    pipe.cmd("CLUSTER").arg("SLOTS").cmd("CLUSTER").arg("MYID").ignore_errors();
    let replies: RedisResult<Vec<RedisResult<Value>>> = pipe.query_async(connection).await;
    let mut replies = replies.map_err(classify)?.into_iter();
    let slots = match replies.next() {
        Some(Ok(slots)) => slots,
        Some(Err(error)) => match classify(error) {
            RedisError::Loading => return Err(RedisError::Loading),
            _ => return Ok(None), // "This instance has cluster support disabled", or no right to it.
        },
        None => return Err(RedisError::Answer { command: "CLUSTER SLOTS" }),
    };
    let me = replies.next().and_then(Result::ok).and_then(reply::text);
    let me = me.ok_or(RedisError::Answer { command: "CLUSTER MYID" })?;
    Ok(Some(View { me, primaries: primaries(slots, host) }))
}

/// The primaries in an answer of `CLUSTER SLOTS` by a node that was reached at `host`; ordered by their address.
pub(crate) fn primaries(slots: Value, host: &str) -> Vec<Primary> {
    let mut found: Vec<Primary> = Vec::new();
    for range in reply::list(slots) {
        let mut parts = reply::list(range).into_iter();
        let mut number = || parts.next().as_ref().and_then(reply::int).and_then(|n| u16::try_from(n).ok());
        let (Some(from), Some(to)) = (number(), number()) else { continue };
        let mut nodes = parts.filter_map(|part| node(part, host));
        let Some((at, id)) = nodes.next() else { continue };
        if to < from || to >= SLOTS {
            continue;
        }
        match found.iter_mut().find(|primary| primary.id == id) {
            Some(primary) => primary.slots.push((from, to)),
            None => {
                let replicas = nodes.map(|(at, _)| at).collect();
                found.push(Primary { at, id, slots: vec![(from, to)], replicas });
            }
        }
    }
    found.sort_by(|a, b| (&a.at.host, a.at.port).cmp(&(&b.at.host, b.at.port)));
    found
}

/// Host, port and id. A node that does not know its own address gives none, and is where it was asked.
fn node(value: Value, asked_at: &str) -> Option<(HostPort, String)> {
    let mut parts = reply::list(value).into_iter();
    let host = parts.next().and_then(reply::text).filter(|host| !host.is_empty() && host != "?");
    let port = u16::try_from(reply::int(&parts.next()?)?).ok()?;
    let id = parts.next().and_then(reply::text)?;
    Some((HostPort { host: host.unwrap_or_else(|| asked_at.to_owned()), port }, id))
}

#[cfg(test)]
mod tests {
    use redis::Value;
    use watchpost_model::connection::HostPort;

    use super::primaries;
    use super::slot_of_prefix;

    #[test]
    fn slots_are_those_of_the_server() {
        // By CLUSTER KEYSLOT.
        for (prefix, slot) in [
            ("{security}:", Some(7_209)),
            ("wp:{123456789}:", Some(12_739)),
            ("security:", None),
            ("{}security:", None),
            ("{security:", None),
            ("security}:", None),
        ] {
            assert_eq!(slot_of_prefix(prefix), slot, "{prefix}");
        }
    }

    #[test]
    fn ranges_of_one_primary_are_put_together() {
        let text = |text: &str| Value::BulkString(text.as_bytes().to_vec());
        let node = |host: Value, port, id: &str| {
            Value::Array(vec![host, Value::Int(port), text(id), Value::Array(Vec::new())])
        };
        let range = |from, to, nodes: Vec<Value>| {
            Value::Array([vec![Value::Int(from), Value::Int(to)], nodes].concat())
        };
        let answer = Value::Array(vec![
            range(0, 99, vec![node(text("10.0.0.2"), 6379, "b"), node(text("10.0.0.3"), 6379, "c")]),
            range(100, 100, vec![node(Value::Nil, 6380, "a")]),
            range(101, 16_383, vec![node(text("10.0.0.2"), 6379, "b")]),
            Value::Int(7),
        ]);
        let found = primaries(answer, "10.0.0.1");
        let at = |host: &str, port| HostPort { host: host.to_owned(), port };
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!((&found[0].at, found[0].slot_count()), (&at("10.0.0.1", 6380), 1));
        assert_eq!((&found[1].at, found[1].slot_count()), (&at("10.0.0.2", 6379), 16_383));
        assert_eq!(found[1].replicas, [at("10.0.0.3", 6379)]);
        assert!(found[1].serves(99) && !found[1].serves(100) && found[1].serves(101));
    }
}
