//! Containments that the sensors enforce: a key with a TTL for a session, a user, a service or a limited address.

use std::collections::BTreeMap;

use chrono::DateTime;
use chrono::Utc;
use redis::Value;
use serde::Deserialize;
use serde::Serialize;
use watchpost_model::contain::ContainKind;
use watchpost_model::contain::Containment;
use watchpost_model::ids::ContainmentId;
use watchpost_model::ids::IncidentId;
use watchpost_model::text::visible;

use crate::error::RedisError;
use crate::keys::key_text;
use crate::link::Call;
use crate::reply;
use crate::scripts;
use crate::store::EventStore;

const SCAN_COUNT: usize = 500;

/// The JSON that a sensor finds under the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ContainValue {
    id: ContainmentId,
    /// The session, user, service or address as reported: the key may hold only its digest.
    target: String,
    reason: String,
    by: String,
    until: DateTime<Utc>,
    incident: Option<IncidentId>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    per_min: Option<u32>,
}

/// A containment as it stands in Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredContainment {
    /// Its key.
    pub key: String,
    /// What is contained.
    pub kind: ContainKind,
    /// Which one; of a foreign value nothing.
    pub target: String,
    /// Its id; `None` if something else than Watchpost wrote it.
    pub id: Option<ContainmentId>,
    /// Why; of a foreign value the raw text, made visible.
    pub reason: String,
    /// Milliseconds left; `None` if it never ends.
    pub ttl_ms: Option<u64>,
}

/// What putting a containment did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContainWritten {
    /// It is in force.
    Written {
        /// Milliseconds that it lasts.
        ttl_ms: u64,
    },
    /// Another one of the same target lasts at least as long and was kept.
    KeptLonger {
        /// Milliseconds that it has left; `None` if it never ends.
        ttl_ms: Option<u64>,
    },
    /// Its time was over before it was written.
    AlreadyOver,
}

/// What taking a containment back did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContainRemoved {
    /// It was in force and is not any more.
    Removed,
    /// It was not there: expired or removed before.
    Gone,
    /// Another one of the same target is there and was left.
    Replaced,
}

impl EventStore {
    /// The key under which a sensor looks for a containment.
    #[must_use]
    pub fn containment_key(&self, kind: ContainKind, target: &str) -> String {
        self.inner.keys.containment(kind, target)
    }

    /// Puts a containment in force until its `expires_at`. Never shortens another one. Writing the same one again is
    /// harmless, so it may be repeated after any error.
    ///
    /// # Errors
    /// Every cause of [`RedisError`].
    pub async fn put_containment(&self, containment: &Containment) -> Result<ContainWritten, RedisError> {
        let now = self.now();
        let ttl_ms = (containment.expires_at - now).num_milliseconds();
        if ttl_ms <= 0 {
            return Ok(ContainWritten::AlreadyOver);
        }
        let value = ContainValue {
            id: containment.id,
            target: containment.target.clone(),
            reason: containment.reason.clone(),
            by: containment.created_by.clone(),
            until: containment.expires_at,
            incident: containment.incident,
            per_min: containment.per_min,
        };
        let json =
            serde_json::to_vec(&value).map_err(|_| RedisError::Answer { command: "SET containment" })?;
        let key = self.containment_key(containment.kind, &containment.target);
        // The script of blocks; without a range its second key is not touched.
        let call = Call::new(&[&key, &key])
            .arg(json)
            .arg(ttl_ms.to_string())
            .arg(containment.id.to_string())
            .arg(String::new())
            .arg(String::new())
            .arg(now.timestamp().to_string());
        let mut parts = reply::list(self.inner.main.eval(&scripts::BLOCK, call).await?).into_iter();
        let outcome = parts.next().and_then(reply::text);
        let ttl_ms = parts.next().and_then(|value| reply::count(&value));
        match outcome.as_deref() {
            Some("written") => Ok(ContainWritten::Written { ttl_ms: ttl_ms.unwrap_or(0) }),
            Some("kept") => Ok(ContainWritten::KeptLonger { ttl_ms }),
            _ => Err(RedisError::Answer { command: "EVALSHA block" }),
        }
    }

    /// Takes a containment back, if it is still this one that is in force.
    ///
    /// # Errors
    /// Every cause of [`RedisError`].
    pub async fn remove_containment(&self, containment: &Containment) -> Result<ContainRemoved, RedisError> {
        let key = self.containment_key(containment.kind, &containment.target);
        let call = Call::new(&[&key, &key]).arg(containment.id.to_string()).arg(String::new());
        let mut parts = reply::list(self.inner.main.eval(&scripts::UNBLOCK, call).await?).into_iter();
        match parts.next().and_then(reply::text).as_deref() {
            Some("removed") => Ok(ContainRemoved::Removed),
            Some("gone") => Ok(ContainRemoved::Gone),
            Some("replaced") => Ok(ContainRemoved::Replaced),
            _ => Err(RedisError::Answer { command: "EVALSHA unblock" }),
        }
    }

    /// Milliseconds that a containment has left; `None` if there is none. One that never ends has `u64::MAX`.
    ///
    /// # Errors
    /// Every cause of [`RedisError`].
    pub async fn containment_ttl_ms(
        &self,
        kind: ContainKind,
        target: &str,
    ) -> Result<Option<u64>, RedisError> {
        let mut cmd = redis::cmd("PTTL");
        cmd.arg(self.containment_key(kind, target));
        Ok(match self.inner.main.query::<i64>(&cmd).await? {
            -2 => None,
            -1 => Some(u64::MAX),
            ms => u64::try_from(ms).ok(),
        })
    }

    /// All containments of a kind in force, by whomever written, ordered by key. Walks the keys by `SCAN`.
    ///
    /// # Errors
    /// Every cause of [`RedisError`].
    pub async fn list_containments(&self, kind: ContainKind) -> Result<Vec<StoredContainment>, RedisError> {
        let inner = &self.inner;
        let mut found = BTreeMap::new();
        let mut cursor = 0_u64;
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor.to_string())
                .arg("MATCH")
                .arg(inner.keys.containments(kind))
                .arg("COUNT")
                .arg(SCAN_COUNT);
            let reply: Value = inner.jobs.query(&scan).await?;
            let (next, names) = reply::scan(reply).ok_or(RedisError::Answer { command: "SCAN" })?;
            let mut pipe = redis::pipe();
            for name in &names {
                pipe.cmd("GETRANGE").arg(name).arg(0).arg(16_383);
                pipe.cmd("PTTL").arg(name);
            }
            let mut results =
                if names.is_empty() { Vec::new() } else { inner.jobs.pipe(pipe).await? }.into_iter();
            for name in names {
                let (value, ttl) = (results.next(), results.next());
                let Some(Ok(value)) = value else { continue }; // Another type: not of the contract.
                let ttl = ttl.and_then(Result::ok).and_then(|ttl| reply::int(&ttl)).unwrap_or(-2);
                if ttl != -2 {
                    let key = key_text(&name);
                    found.insert(
                        key.clone(),
                        stored(key, kind, &reply::bytes(value).unwrap_or_default(), ttl),
                    );
                }
            }
            cursor = next;
            if cursor == 0 {
                return Ok(found.into_values().collect());
            }
        }
    }
}

fn stored(key: String, kind: ContainKind, value: &[u8], ttl: i64) -> StoredContainment {
    let ttl_ms = u64::try_from(ttl).ok();
    match serde_json::from_slice::<ContainValue>(value) {
        Ok(value) => StoredContainment {
            key,
            kind,
            target: value.target,
            id: Some(value.id),
            reason: value.reason,
            ttl_ms,
        },
        Err(_) => StoredContainment {
            key,
            kind,
            target: String::new(),
            id: None,
            reason: visible(&String::from_utf8_lossy(value), 200),
            ttl_ms,
        },
    }
}
