//! The audit trail.
//!
//! One RFC 6962 tree (SHA-256) is the authority. A leaf is the canonical JSON `{"b":client part,"d":login,"s":seq,
//! "t":database time}` and holds no personal data: actor, host and object are random ids. What they mean, and the
//! payload with names, changes and reason, lives beside the tree.
//!
//! Never erased: `audit_leaf`, `audit_head`, `audit_checkpoint`. Erasable, without breaking a single proof:
//! `audit_name` (what an id means), `audit_payload` (sealed under a key of its actor), `audit_record` (plain columns
//! for searching, which [`verify`] holds against leaf and payload) and `subject_key`: destroying a key is erasing what
//! is sealed under it. An erasure is lawful for [`verify`] only if an `erasure.done` leaf names the key. A record whose own
//! writer sealed nothing that opens is a finding until another one sets it [`apart`].
//!
//! Checkpoints are C2SP signed notes (Ed25519). Each signing key has a `key.add` leaf ([`keys`]), each checkpoint a
//! `checkpoint.sign` leaf, so a stripped checkpoint is missed. Time stamps of authorities ([`stamp`]) stand beside them.

pub(crate) mod apart;
pub(crate) mod append;
pub(crate) mod bundle;
pub(crate) mod checkpoint;
pub(crate) mod cosign;
pub(crate) mod export;
pub(crate) mod holds;
pub(crate) mod keys;
pub(crate) mod leaf;
pub(crate) mod page;
pub(crate) mod partition;
pub(crate) mod prove;
pub(crate) mod seal;
pub(crate) mod sign;
pub(crate) mod stamp;
pub(crate) mod statistics;
pub(crate) mod tile;
pub(crate) mod tree;
pub(crate) mod verify;
pub(crate) mod witness;

use chrono::{DateTime, Utc};
use watchpost_model::access::{Caller, Origin, Permission, Role};
use watchpost_model::audit::{AuditDraft, AuditOutcome};

use crate::error::StoreError;
use crate::store::{Store, Tag};

impl Store {
    /// Adds one record to the trail; returns its number. Durable when it returns.
    ///
    /// # Errors
    /// What the database says; then nothing was written.
    pub async fn audit_append(&self, draft: AuditDraft) -> Result<i64, StoreError> {
        let mut write = self.write().await?;
        write.touch(Tag::Audit);
        write.audit(draft);
        number(&self.commit(write).await?)
    }
}

/// The number that the first record of a transaction got.
pub(crate) fn number(numbers: &[i64]) -> Result<i64, StoreError> {
    let first = numbers.first().copied();
    first.ok_or_else(|| StoreError::Corrupt("an audit record got no number".to_owned()))
}

/// A record of what the trail does itself: keys and checkpoints.
pub(crate) fn own_draft(action: &str, reason: &str, at: DateTime<Utc>) -> AuditDraft {
    AuditDraft {
        caller: engine_caller("watchpost"),
        action: action.to_owned(),
        object: "audit".to_owned(),
        permission: Permission::Audit,
        outcome: AuditOutcome::Success,
        changes: Vec::new(),
        reason: Some(reason.to_owned()),
        at,
        risk: 0,
    }
}

/// The caller of what happens without a person.
pub(crate) fn engine_caller(name: &str) -> Caller {
    Caller { name: name.to_owned(), role: Role::Admin, origin: Origin::Engine, host: "-".to_owned() }
}
