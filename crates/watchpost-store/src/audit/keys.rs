//! The keys that sign the log: added, rolled and revoked by records of the log itself.
//!
//! A key that takes the place of another one brings a signature of that one (`after`, `proof`), so whoever knows the first
//! key follows the chain to the newest. From the record on that revokes a key, no checkpoint of it counts.

#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use serde_json::json;
use watchpost_model::audit::AuditDraft;

use crate::audit::append::Fact;
use crate::audit::checkpoint::origin;
use crate::audit::leaf::Leaf;
use crate::audit::own_draft;
use crate::audit::sign::{Signer, VerifierKey};
use crate::engine::{Tx, args};
use crate::error::StoreError;
use crate::store::{Store, Tag, Write};

/// The record that adds a key.
pub(crate) const ADD: &str = "key.add";
/// The record that revokes one.
pub(crate) const REVOKE: &str = "key.revoke";

/// A key that the log knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogKey {
    /// Number of its `key.add` record.
    pub seq: i64,
    /// Time of that record; absent if it cannot be read.
    pub added_at: Option<DateTime<Utc>>,
    /// Its name.
    pub name: String,
    /// As a C2SP verifier key: `name+id+base64`.
    pub vkey: String,
    /// As PEM (RFC 8410), for openssl.
    pub pem: String,
    /// Name of the key that vouches for it, if it took the place of one.
    pub after: Option<String>,
    /// Number of the record that revoked it. Checkpoints of more records do not count.
    pub revoked: Option<i64>,
}

impl LogKey {
    /// May it have signed for `size` records?
    pub(crate) fn signs(&self, size: i64) -> bool {
        self.seq < size && self.revoked.is_none_or(|revoked| size <= revoked)
    }
}

/// What the key before signs for the one after it.
pub(crate) fn handover(log: &str, vkey: &str) -> String {
    format!("{}\nnext key\n{vkey}\n", origin(log))
}

/// What a leaf says of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Added {
    pub(crate) vkey: String,
    pub(crate) key: VerifierKey,
    /// The key before it, and its signature.
    pub(crate) after: Option<(String, String)>,
}

/// Reads the facts of a `key.add`.
pub(crate) fn added(leaf: &Leaf) -> Option<Added> {
    let text = |name: &str| leaf.client.facts.get(name).and_then(|value| value.as_str()).map(str::to_owned);
    let vkey = text("vkey")?;
    let key = VerifierKey::parse(&vkey)?;
    match (text("after"), text("proof")) {
        (None, None) => Some(Added { vkey, key, after: None }),
        (Some(after), Some(proof)) => Some(Added { vkey, key, after: Some((after, proof)) }),
        _ => None,
    }
}

/// Does `before` (a verifier key) vouch for the key after it?
pub(crate) fn vouches(before: &str, proof: &str, log: &str, vkey: &str) -> bool {
    VerifierKey::parse(before).is_some_and(|key| key.signed(&handover(log, vkey), proof))
}

/// The keys of the log, in the order in which they came.
pub(crate) async fn keys(tx: &mut Tx) -> Result<Vec<LogKey>, StoreError> {
    let sql = "SELECT l.leaf FROM audit_record r JOIN audit_leaf l ON l.seq = r.seq \
        WHERE r.action IN ('key.add', 'key.revoke') ORDER BY l.seq";
    let mut keys: Vec<LogKey> = Vec::new();
    for row in tx.fetch(sql, args![]).await? {
        let Some(leaf) = Leaf::parse(&row.blob(0)?) else { continue };
        match leaf.client.action.as_str() {
            ADD => {
                let Some(added) = added(&leaf) else { continue };
                if keys.iter().any(|key| key.vkey == added.vkey) {
                    continue;
                }
                keys.push(LogKey {
                    seq: leaf.seq,
                    added_at: leaf.micros().and_then(DateTime::from_timestamp_micros),
                    name: added.key.name().to_owned(),
                    pem: added.key.pem(),
                    vkey: added.vkey,
                    after: added
                        .after
                        .map(|(before, _)| before.split('+').next().unwrap_or_default().to_owned()),
                    revoked: None,
                });
            }
            REVOKE => {
                let vkey = leaf.client.facts.get("vkey").and_then(|value| value.as_str());
                for key in keys.iter_mut().filter(|key| Some(key.vkey.as_str()) == vkey) {
                    key.revoked.get_or_insert(leaf.seq);
                }
            }
            _ => {}
        }
    }
    Ok(keys)
}

/// The record that revoked a key, if one did.
pub(crate) async fn revoked(tx: &mut Tx, signer: &Signer) -> Result<Option<i64>, StoreError> {
    let vkey = signer.vkey();
    Ok(keys(tx).await?.into_iter().find(|key| key.vkey == vkey).and_then(|key| key.revoked))
}

fn revoke(write: &mut Write, vkey: &str, reason: &str, now: DateTime<Utc>) {
    write.audit_with_facts(own_draft(REVOKE, reason, now), vec![("vkey", json!(vkey))]);
}

/// May `before` hand over to a key that the log does not know?
fn may_roll(known: &[LogKey], before: &Signer, new: &str) -> Result<(), StoreError> {
    let old = before.vkey();
    let why = match known.iter().find(|key| key.vkey == old) {
        None => "the log does not know the key that signs".to_owned(),
        Some(LogKey { revoked: Some(record), .. }) => {
            format!("the key {} was revoked by record {record}: it vouches for none", before.name())
        }
        Some(_) if known.iter().any(|key| key.vkey == new) => "the log knows the new key already".to_owned(),
        Some(_) => return Ok(()),
    };
    Err(StoreError::Precondition(why))
}

/// The keys of a name that count.
fn to_revoke(known: &[LogKey], name: &str) -> Result<Vec<String>, StoreError> {
    let named: Vec<&LogKey> = known.iter().filter(|key| key.name == name).collect();
    let valid = named.iter().filter(|key| key.revoked.is_none()).map(|key| key.vkey.clone());
    let valid: Vec<String> = valid.collect();
    match (named.is_empty(), valid.is_empty()) {
        (true, _) => Err(StoreError::NotFound(format!("the key {name}"))),
        (false, true) => Err(StoreError::Conflict(format!("the key {name} was revoked before"))),
        (false, false) => Ok(valid),
    }
}

/// Does the log know this key?
///
/// # Errors
/// `Precondition` if it was revoked; what the database says.
async fn is_known(tx: &mut Tx, vkey: &str) -> Result<bool, StoreError> {
    match keys(tx).await?.into_iter().find(|key| key.vkey == vkey) {
        None => Ok(false),
        Some(LogKey { revoked: None, .. }) => Ok(true),
        Some(LogKey { revoked: Some(record), name, .. }) => Err(StoreError::Precondition(format!(
            "the key {name} was revoked by record {record}: it signs nothing any more"
        ))),
    }
}

impl Store {
    /// The keys that the log knows, in the order in which they came.
    ///
    /// # Errors
    /// What the database says.
    pub async fn audit_log_keys(&self) -> Result<Vec<LogKey>, StoreError> {
        keys(&mut *self.read().await?).await
    }

    /// Was the key that signs here revoked by somebody? The number of the record.
    ///
    /// # Errors
    /// What the database says.
    pub async fn signer_revoked(&self) -> Result<Option<i64>, StoreError> {
        let Some(signer) = self.signer() else { return Ok(None) };
        revoked(&mut *self.read().await?, &signer).await
    }

    /// Since when the log knows the key that signs here.
    ///
    /// # Errors
    /// What the database says.
    pub async fn signer_since(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let Some(vkey) = self.signer().map(|signer| signer.vkey()) else { return Ok(None) };
        let known = self.audit_log_keys().await?.into_iter().find(|key| key.vkey == vkey);
        Ok(known.and_then(|key| key.added_at))
    }

    /// Adds the `key.add` record of a key that the trail does not know; tells whether it was new.
    pub(crate) async fn signer_register(&self, signer: &Signer) -> Result<bool, StoreError> {
        let vkey = signer.vkey();
        // Nobody is waited for to find a key that is known.
        if is_known(&mut *self.read().await?, &vkey).await? {
            return Ok(false);
        }
        let mut write = self.write().await?;
        // The lock keeps two processes from adding the same key at once.
        write.bump(Tag::Audit).await?;
        if is_known(&mut write, &vkey).await? {
            return Ok(false);
        }
        let draft = own_draft(ADD, signer.name(), self.inner.clock.now());
        write.audit_with_facts(draft, vec![("vkey", json!(vkey))]);
        self.commit(write).await?;
        Ok(true)
    }

    /// Puts `next` in the place of the key that signs: the one before vouches for it and is revoked, in one transaction;
    /// a checkpoint by the new key follows. `draft` is the record of who did it.
    ///
    /// # Errors
    /// `Precondition` without a key that signs, or if it was revoked, or if the log knows `next`; what the database says.
    /// Then the key before goes on.
    pub async fn signer_roll(&self, next: Signer, draft: AuditDraft) -> Result<(), StoreError> {
        let before = self.signer().ok_or_else(|| {
            StoreError::Precondition("there is no key that signs, so none to roll".to_owned())
        })?;
        let (old, new) = (before.vkey(), next.vkey());
        let mut write = self.write().await?;
        write.bump(Tag::Audit).await?;
        let known = keys(&mut write).await?;
        may_roll(&known, &before, &new)?;
        let log = crate::audit::append::log_id_if_any(&mut write).await?.unwrap_or_default();
        let now = self.inner.clock.now();
        let facts: Vec<Fact> = vec![
            ("after", json!(old)),
            ("proof", json!(before.sign_line(&handover(&log, &new)))),
            ("vkey", json!(new)),
        ];
        write.audit(draft);
        write.audit_with_facts(own_draft(ADD, next.name(), now), facts);
        revoke(&mut write, &old, &format!("rolled: {} takes its place", next.name()), now);
        self.commit(write).await?;
        self.put_signer(next);
        self.checkpoint_now(ADD).await.map(drop)
    }

    /// Revokes a key that the log knows, by its name. Its checkpoints up to now count, later ones do not.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` if it was revoked before; what the database says.
    pub async fn audit_key_revoke(
        &self,
        name: &str,
        reason: &str,
        draft: AuditDraft,
    ) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        write.bump(Tag::Audit).await?;
        let known = keys(&mut write).await?;
        let valid = to_revoke(&known, name)?;
        write.audit(draft);
        for vkey in valid {
            revoke(&mut write, &vkey, reason, self.inner.clock.now());
        }
        self.commit(write).await.map(drop)
    }

    /// The id of the log, which is made if nothing was ever recorded.
    ///
    /// # Errors
    /// What the database says.
    pub async fn audit_log_id(&self) -> Result<String, StoreError> {
        let mut write = self.write().await?;
        if let Some(id) = crate::audit::append::log_id_if_any(&mut write).await? {
            return Ok(id);
        }
        let head = crate::audit::append::lock_head(&mut write, self.inner.clock.now()).await?;
        self.commit(write).await?;
        Ok(head.log_id)
    }
}
