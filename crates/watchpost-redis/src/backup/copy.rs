//! A copy of the whole server: the RDB file that a replica is sent to begin with.
//!
//! The server forks and its second process writes all databases as they are at that moment. So it is asked for on a
//! connection of its own, after a look at what the fork may cost, and what arrives is believed only with the checksum that
//! the server has put at its end.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::time::Duration;

use redis::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use watchpost_model::job::JobProgress;
use watchpost_model::text::visible;

use super::rdb::RdbCheck;
use super::rdb::RdbEnd;
use crate::error::RedisError;
use crate::info::Info;
use crate::reply;
use crate::stop;
use crate::store::EventStore;
use crate::wire::Wire;
use crate::wire::accepted;

/// A server that is silent for this long has stopped: it sends a sign of life each second until the copy begins.
const SILENCE: Duration = Duration::from_secs(60);
/// Another save of the server comes first, and then its `repl-diskless-sync-delay`.
const BEGIN_TIMEOUT: Duration = Duration::from_secs(30 * 60);
/// No copy is larger than so many times the server's memory, and a little: it would not be one.
const MEMORY_FACTOR_MAX: u64 = 4;
const SPARE_BYTES: u64 = 256 << 20;
const MARK_BYTES: usize = 40;

/// Why there is no copy of the server.
#[derive(Debug, thiserror::Error)]
pub enum RdbError {
    /// A copy of one primary is a part of the cluster only.
    #[error(
        "the server is one of a Redis Cluster: a copy would hold one primary of it, and a file for each is not made"
    )]
    Cluster,
    /// The user lacks the right.
    #[error("the user may not copy the server: {0}")]
    NotAllowed(String),
    /// A fork may double what the server uses.
    #[error(
        "the server forks for a copy and uses {used} MiB of its machine's {machine} MiB: what is written to it meanwhile \
         may need as much again"
    )]
    NoRoom {
        /// Memory of the server's process.
        used: u64,
        /// Memory of its machine.
        machine: u64,
    },
    /// It answered something else.
    #[error("the server hands out no copy: {0}")]
    NotServed(String),
    /// What came is something else.
    #[error("what the server sent is no RDB file: it begins with {0:?}")]
    NotAnRdb(String),
    /// The end is missing.
    #[error("the copy is cut off after {bytes} bytes")]
    Truncated {
        /// Bytes that came.
        bytes: u64,
    },
    /// It is not what the server wrote.
    #[error(
        "the copy was altered on its way: its CRC64 is {computed:016x}, and the server wrote {stored:016x}"
    )]
    Altered {
        /// What the server put at the end.
        stored: u64,
        /// What the bytes have.
        computed: u64,
    },
    /// More than a server with that memory can have.
    #[error("the copy is larger than {max} bytes, which the server's data cannot be")]
    TooLarge {
        /// What was expected at most.
        max: u64,
    },
    /// The connection.
    #[error(transparent)]
    Redis(#[from] RedisError),
}

/// What a server holds at one moment, and what it has changed since it started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// `Redis 7.0.15`.
    pub server: String,
    /// Keys and keys with a TTL by the number of their database; `None` where the user may not ask.
    pub databases: Option<BTreeMap<u32, (u64, u64)>>,
    /// Memory of the data.
    pub data_bytes: Option<u64>,
    /// Memory of the process.
    pub process_bytes: Option<u64>,
    /// Memory of the machine.
    pub machine_bytes: Option<u64>,
    changes: Option<u64>,
    saved_at: Option<u64>,
    /// Keys that ran out or were evicted.
    gone: u64,
    /// Keys that had run out when the server read its file.
    lapsed: Option<u64>,
}

/// Whether a server that was started with a copy holds what the server had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// As many keys in every database.
    Equal,
    /// As many, but for what was written or ran out meanwhile: so many keys at most.
    Within(u64),
    /// It cannot be told.
    Unknown(String),
    /// A database has another number of keys.
    Differs(String),
}

impl Contents {
    /// Asks a server.
    ///
    /// # Errors
    /// Why it does not answer.
    pub async fn of(store: &EventStore) -> Result<Self, RedisError> {
        let text: Result<String, _> = store.inner.probe.query(&redis::cmd("INFO")).await;
        match text {
            Ok(text) => Ok(Self::told(&Info::parse(&text))),
            Err(RedisError::NoPermission(_)) => Ok(Self::told(&Info::parse(""))),
            Err(error) => Err(error),
        }
    }

    fn told(info: &Info) -> Self {
        let memory = [info.count("used_memory"), info.count("used_memory_rss")];
        Self {
            server: info.server(),
            databases: info.databases(),
            data_bytes: info.count("used_memory"),
            process_bytes: memory.into_iter().flatten().max(),
            machine_bytes: info.count("total_system_memory").filter(|bytes| *bytes > 0),
            changes: info.count("rdb_changes_since_last_save"),
            saved_at: info.count("rdb_last_save_time"),
            gone: info.count("expired_keys").unwrap_or(0) + info.count("evicted_keys").unwrap_or(0),
            lapsed: info.count("rdb_last_load_keys_expired"),
        }
    }

    /// Keys in all databases.
    #[must_use]
    pub fn keys(&self) -> Option<u64> {
        Some(self.databases.as_ref()?.values().map(|(keys, _)| keys).sum())
    }

    /// How many databases a server needs to hold the same.
    #[must_use]
    pub fn database_count(&self) -> u32 {
        let last = self.databases.iter().flat_map(BTreeMap::keys).max();
        last.map_or(0, |last| last.saturating_add(1))
    }

    /// Compares `loaded`, a server that was started with a copy, with what its server had before and after.
    #[must_use]
    pub fn compare(before: &Self, after: &Self, loaded: &Self) -> Held {
        let (Some(first), Some(last), Some(found)) = (&before.databases, &after.databases, &loaded.databases)
        else {
            return Held::Unknown("the server does not say how many keys it has".to_owned());
        };
        // A save of the server's own starts the count of changes anew.
        let changes = match (before.changes, after.changes) {
            (Some(first), Some(last)) if before.saved_at == after.saved_at => last.checked_sub(first),
            _ => None,
        };
        let written = changes.unwrap_or(0).saturating_add(after.gone.saturating_sub(before.gone));
        // A server does not load what has run out.
        let with_ttl = || first.values().map(|(_, with_ttl)| with_ttl).sum::<u64>();
        let lapsed = loaded.lapsed.unwrap_or_else(with_ttl).saturating_add(loaded.gone);
        let keys_in =
            |of: &BTreeMap<u32, (u64, u64)>, database: u32| of.get(&database).map_or(0, |keys| keys.0);
        let all = [first, last, found].into_iter().flat_map(BTreeMap::keys).copied();
        for database in all.collect::<BTreeSet<u32>>() {
            let (a, b) = (keys_in(first, database), keys_in(last, database));
            let least = a.min(b).saturating_sub(written).saturating_sub(lapsed);
            let most = a.max(b).saturating_add(written);
            let keys = keys_in(found, database);
            if (least..=most).contains(&keys) {
                continue;
            }
            let how = format!(
                "database {database} has {keys} keys in the copy, and the server had {a} before and {b} after"
            );
            return match changes {
                Some(_) => Held::Differs(how),
                None => Held::Unknown(format!(
                    "{how}; it saved its data meanwhile, so how much was written is not known"
                )),
            };
        }
        match written.saturating_add(lapsed) {
            0 => Held::Equal,
            within => Held::Within(within),
        }
    }
}

/// What is known before a copy is asked for.
#[derive(Debug, Clone)]
pub struct RdbPlan {
    /// What the server has.
    pub before: Contents,
    /// What a reader should know.
    pub notes: Vec<String>,
}

impl RdbPlan {
    /// Looks whether a copy can be had, without asking for it.
    ///
    /// # Errors
    /// `Cluster`, `NotAllowed`, `NoRoom`, or why the server does not answer.
    pub async fn look(store: &EventStore) -> Result<Self, RdbError> {
        let before = Contents::of(store).await?;
        if store.inner.route.is_cluster() {
            return Err(RdbError::Cluster);
        }
        let mut notes = Vec::new();
        for words in [["REPLCONF", "capa", "eof"], ["PSYNC", "?", "-1"]] {
            let mut cmd = redis::cmd("ACL");
            cmd.arg("DRYRUN").arg(store.inner.target.username.as_deref().unwrap_or("default"));
            for word in words {
                cmd.arg(word);
            }
            match store.inner.probe.query::<Value>(&cmd).await {
                Ok(Value::Okay) => {}
                Ok(answer) => return Err(RdbError::NotAllowed(reply::text(answer).unwrap_or_default())),
                // Before 7.0 there is no such question, and the user may not be allowed to ask it.
                Err(RedisError::Server { .. } | RedisError::NoPermission(_)) => {
                    notes =
                        vec!["whether the user may copy the server shows when it is asked for".to_owned()];
                }
                Err(error) => return Err(error.into()),
            }
        }
        notes.push(room(&before)?);
        Ok(Self { before, notes })
    }

    fn bytes_max(&self) -> u64 {
        let memory = self.before.process_bytes;
        memory.map_or(u64::MAX, |bytes| bytes.saturating_mul(MEMORY_FACTOR_MAX).saturating_add(SPARE_BYTES))
    }
}

/// What the fork may cost, for people.
fn room(of: &Contents) -> Result<String, RdbError> {
    match (of.process_bytes, of.machine_bytes) {
        (Some(used), Some(machine)) if used.saturating_mul(2) > machine => {
            Err(RdbError::NoRoom { used: used >> 20, machine: machine >> 20 })
        }
        (Some(used), Some(_)) => Ok(format!(
            "the server forks: while it writes the copy its machine may need up to {} MiB more",
            (used >> 20) + 1
        )),
        _ => Ok(
            "the server forks, and does not say whether its machine has the memory for it: it may need as much again"
                .to_owned(),
        ),
    }
}

/// What is still to come of a copy.
enum Rest {
    /// So many bytes.
    Bytes(u64),
    /// Everything up to these bytes, which the server made up.
    Mark(Vec<u8>),
    Nothing,
}

/// A copy on its way.
pub struct RdbCopy {
    wire: Wire,
    rest: Rest,
    total: Option<u64>,
    check: RdbCheck,
    bytes_max: u64,
}

impl RdbCopy {
    /// Asks for a copy and waits until it begins.
    ///
    /// # Errors
    /// Every cause of [`RdbError`]; `Cancelled` within 200 ms.
    pub async fn begin(
        store: &EventStore,
        plan: &RdbPlan,
        cancel: CancellationToken,
    ) -> Result<Self, RdbError> {
        let target = stop::read(&cancel, store.inner.route.server()).await?;
        let mut wire = Wire::connect(&target, cancel).await?;
        // Sent as it is made, without a file on the server's disk, and nothing after it.
        for [name, value] in [["capa", "eof"], ["rdb-only", "1"]] {
            let mut cmd = redis::cmd("REPLCONF");
            cmd.arg(name).arg(value);
            match wire.ask("REPLCONF", &cmd).await {
                // Before 7.0 the second is not known: what would follow the copy is not read.
                Ok(_) | Err(RedisError::Server { .. }) => {}
                Err(error) => return Err(refused(error)),
            }
        }
        let mut psync = redis::cmd("PSYNC");
        wire.send(psync.arg("?").arg(-1)).await?;
        let until = Instant::now() + BEGIN_TIMEOUT;
        let answer = announced(&mut wire, until).await?;
        if !answer.starts_with("+FULLRESYNC") {
            return Err(RdbError::NotServed(visible(&answer, 100)));
        }
        let size = announced(&mut wire, until).await?;
        let size = size.strip_prefix('$').ok_or_else(|| RdbError::NotServed(visible(&size, 100)))?;
        let (rest, total) = match (size.strip_prefix("EOF:"), size.parse::<u64>()) {
            (Some(mark), _) if mark.len() == MARK_BYTES => (Rest::Mark(mark.as_bytes().to_vec()), None),
            (None, Ok(bytes)) => (Rest::Bytes(bytes), Some(bytes)),
            _ => return Err(RdbError::NotServed(visible(size, 100))),
        };
        let bytes_max = plan.bytes_max();
        if total.is_some_and(|bytes| bytes > bytes_max) {
            return Err(RdbError::TooLarge { max: bytes_max });
        }
        Ok(Self { wire, rest, total, check: RdbCheck::new(), bytes_max })
    }

    /// The next bytes of the file; `None` when all are there.
    ///
    /// # Errors
    /// Every cause of [`RdbError`]; `Cancelled` within 200 ms.
    pub async fn next_piece(&mut self) -> Result<Option<Vec<u8>>, RdbError> {
        loop {
            let piece = self.take();
            self.check.take(&piece)?;
            if self.check.bytes() > self.bytes_max {
                return Err(RdbError::TooLarge { max: self.bytes_max });
            }
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
            if matches!(self.rest, Rest::Nothing) {
                return Ok(None);
            }
            if self.wire.more(SILENCE).await? == 0 {
                return Err(RdbError::Truncated { bytes: self.check.bytes() });
            }
        }
    }

    /// What was read of the file and is certainly part of it.
    fn take(&mut self) -> Vec<u8> {
        let buffer = &mut self.wire.buffer;
        let (ready, over) = match &mut self.rest {
            Rest::Bytes(left) => {
                let ready = usize::try_from(*left).unwrap_or(usize::MAX).min(buffer.len());
                *left -= ready as u64;
                (ready, *left == 0)
            }
            Rest::Mark(mark) => (buffer.len().saturating_sub(mark.len()), buffer.ends_with(mark)),
            Rest::Nothing => (0, true),
        };
        let later = buffer.split_off(ready);
        let piece = std::mem::replace(buffer, later);
        if over {
            self.rest = Rest::Nothing;
        }
        piece
    }

    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> JobProgress {
        JobProgress {
            done: self.check.bytes(),
            total: self.total,
            unit: "bytes".to_owned(),
            step: "copying the server".to_owned(),
        }
    }

    /// What came, once it is whole and as the server wrote it.
    ///
    /// # Errors
    /// `NotAnRdb`, `Truncated`, `Altered`.
    pub fn end(&self) -> Result<RdbEnd, RdbError> {
        match self.rest {
            Rest::Nothing => self.check.end(),
            Rest::Bytes(_) | Rest::Mark(_) => Err(RdbError::Truncated { bytes: self.check.bytes() }),
        }
    }
}

/// The next line that is more than a sign of life.
async fn announced(wire: &mut Wire, until: Instant) -> Result<String, RdbError> {
    loop {
        let limit = SILENCE.min(until.saturating_duration_since(Instant::now()));
        let line = wire.line("PSYNC", limit).await?;
        if !line.is_empty() {
            return accepted(line).map_err(refused);
        }
    }
}

fn refused(error: RedisError) -> RdbError {
    match error {
        RedisError::NoPermission(detail) => RdbError::NotAllowed(detail),
        RedisError::Server { code, detail } => RdbError::NotServed(format!("{code} {detail}")),
        error => RdbError::Redis(error),
    }
}

#[cfg(test)]
mod tests {
    use super::Contents;
    use super::Held;
    use super::RdbError;
    use super::room;
    use crate::info::Info;

    fn told(extra: &str) -> Contents {
        let fixed =
            "role:master\r\nrdb_changes_since_last_save:5\r\nrdb_last_save_time:9\r\nexpired_keys:0\r\n";
        Contents::told(&Info::parse(&format!("{extra}\r\n{fixed}")))
    }

    #[test]
    fn a_copy_is_compared_with_what_its_server_had() {
        let had = told("db0:keys=7,expires=3\r\ndb5:keys=2,expires=0");
        let loaded = |extra: &str| told(&format!("{extra}\r\nrdb_last_load_keys_expired:0"));
        let compare = |after: &Contents, found: &Contents| Contents::compare(&had, after, found);
        let equal = loaded("db0:keys=7,expires=3\r\ndb5:keys=2,expires=0");
        assert_eq!((had.keys(), had.database_count()), (Some(9), 6));
        assert_eq!(compare(&had, &equal), Held::Equal);
        let lacks = loaded("db0:keys=7,expires=3");
        assert!(
            matches!(compare(&had, &lacks), Held::Differs(text) if text.contains("database 5 has 0 keys"))
        );
        // Four writes may have made one key more; what had run out is not loaded.
        let mut later = told("db0:keys=8,expires=3\r\ndb5:keys=2,expires=0");
        later.changes = Some(9);
        assert_eq!(compare(&later, &equal), Held::Within(4));
        let mut lapsed = loaded("db0:keys=6,expires=2\r\ndb5:keys=2,expires=0");
        assert!(matches!(compare(&had, &lapsed), Held::Differs(_)));
        lapsed.lapsed = Some(1);
        assert_eq!(compare(&had, &lapsed), Held::Within(1));
        // A save in between starts the count anew; and what is not told is not zero.
        later.saved_at = Some(10);
        assert_eq!(compare(&later, &equal), Held::Equal);
        assert!(matches!(compare(&later, &lacks), Held::Unknown(_)));
        assert!(matches!(compare(&had, &Contents::told(&Info::parse(""))), Held::Unknown(_)));
    }

    #[test]
    fn a_fork_has_to_fit_the_machine() {
        let of = |extra: &str| room(&told(extra));
        let gib = "used_memory:1073741824\r\nused_memory_rss:1200000000\r\ntotal_system_memory:";
        assert!(of(&format!("{gib}2400000000")).unwrap().contains("up to 1145 MiB more"));
        assert!(matches!(
            of(&format!("{gib}2399999999")),
            Err(RdbError::NoRoom { used: 1144, machine: 2288 })
        ));
        for unknown in ["used_memory:1", "total_system_memory:1", "used_memory:1\r\ntotal_system_memory:0"] {
            assert!(of(unknown).unwrap().contains("does not say"), "{unknown}");
        }
    }
}
