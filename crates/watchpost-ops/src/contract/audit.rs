//! The audit trail: what it is worth, and where its checkpoints are kept.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use watchpost_model::audit::{AuditRecord, AuditStamp, AuditStatistics, Checkpoint, EvidenceStrength};
use watchpost_model::period::Period;
use watchpost_model::record_class::{RecordClass, RecordPurge, RecordRule, default_record_rules};
use watchpost_model::words;

/// Where checkpoints are kept outside the audit database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct AuditPlaces {
    /// Folders: a share, a medium that is taken away. At most eight.
    pub folders: Vec<String>,
    /// The Redis that is watched.
    pub redis: bool,
    /// A service that is told each checkpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub webhook: Option<AuditWebhook>,
}

/// A service that gets each checkpoint by POST: the signed note as `text/plain`, its origin in the header
/// `watchpost-origin`. Only an answer of 200 to 299 takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AuditWebhook {
    /// Its address: `https://`, and `http://` for this machine only; without a name, a password, a query or a fragment.
    pub url: String,
    /// PEM file of a private certificate authority; those of the system if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub ca: Option<String>,
}

/// Set where checkpoints are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AuditPlacesPut {
    /// All of them.
    pub places: AuditPlaces,
    /// Why; it stands in the audit trail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reason: Option<String>,
}

/// What kind of place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum AuditPlaceKind {
    /// A folder.
    Folder,
    /// The Redis that is watched.
    Redis,
    /// A service that is told.
    Webhook,
}

words!(AuditPlaceKind { Folder = "folder", Redis = "redis", Webhook = "webhook" });

/// A place with what it holds of this log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AuditPlace {
    /// What kind.
    pub kind: AuditPlaceKind,
    /// Its path or address; empty for Redis.
    pub name: String,
    /// The private certificate authority of a webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub ca: Option<String>,
    /// It can be used, and what it holds fits the log.
    pub ok: bool,
    /// It counts as a second place: the private Redis of this account and a webhook of this machine do not.
    pub counts: bool,
    /// Size of the newest checkpoint in it, or that it took.
    pub size: Option<i64>,
    /// What is wrong, or what else there is to know, for people.
    pub detail: String,
}

/// What the trail is worth as evidence, as far as this console can tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AuditTrust {
    /// The log continues what this console and the places have seen, and the last check of this console found nothing.
    pub ok: bool,
    /// What does not fit; absent if `ok`.
    pub problem: Option<String>,
    /// First record that it is about.
    pub first_bad_seq: Option<i64>,
    /// The problem is what the check of this time found, and nothing else: there is nothing to accept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub failed_at: Option<DateTime<Utc>>,
    /// How strong the evidence is.
    pub strength: EvidenceStrength,
    /// Consoles with keys of their own that signed for what they saw.
    pub witnesses: u32,
    /// Id of the log.
    pub log: String,
    /// Leaves.
    pub size: i64,
    /// Root, base64.
    pub root: String,
    /// The newest checkpoint.
    pub checkpoint: Option<Checkpoint>,
    /// Name of the key with which this console signs; absent if it signs nothing.
    pub signer: Option<String>,
    /// Days after which the status says that the key of this console is old; 0 says it never.
    pub key_days: u32,
    /// Since when this console watches this log.
    pub watched_since: Option<DateTime<Utc>>,
    /// Records that an earlier check found good.
    pub verified_size: Option<i64>,
    /// When that was.
    pub verified_at: Option<DateTime<Utc>>,
    /// When every record was read last.
    pub full_at: Option<DateTime<Utc>>,
    /// The places.
    pub places: Vec<AuditPlace>,
    /// The newest time stamp of a checkpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub stamp: Option<AuditStamp>,
}

/// Take the log as it is, although it does not continue what this console saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AuditAccept {
    /// Why that is right: a backup was put back, a test database was emptied.
    pub reason: String,
}

/// Set a record apart: what its writer sealed or said of it does not fit, and nothing makes that good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AuditSetApart {
    /// Its number, as a check of the trail names it.
    pub seq: i64,
    /// Why; it stands in the audit trail.
    pub reason: String,
}

/// Check the trail.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct AuditVerify {
    /// Read every record, also those that an earlier check of this console found good.
    pub full: bool,
    /// Makes it possible to ask how far it is and to stop it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub ticket: Option<String>,
}

/// The trail as this console knows it without looking: for the status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TrailStatus {
    /// It continues what this console has seen, the last check of this console found nothing, and no place was altered.
    pub ok: bool,
    /// For people.
    pub detail: String,
    /// What was altered in a place of checkpoints, where that is all that is wrong: the log itself holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub altered: Option<String>,
    /// The key with which this console signs is old, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub key_warning: Option<String>,
}

/// A record by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AuditRef {
    /// Its number, from 0.
    pub seq: i64,
}

/// A record with what the tree holds of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct AuditDetail {
    /// The record.
    pub record: AuditRecord,
    /// The leaf: the canonical JSON that is hashed.
    pub leaf: String,
    /// Size of the newest checkpoint, if it covers the record.
    pub covered_by: Option<i64>,
    /// Number of the record that says that the content of this one was erased.
    pub erased_by: Option<i64>,
    /// The class whose retention took it; absent if a person was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub purged: Option<RecordClass>,
    /// What its own writer got wrong, for people, where no record sets that apart; absent if nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub own_fault: Option<String>,
    /// Number of the record that sets this one apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub set_apart_by: Option<i64>,
}

/// For how long the content of audit records is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AuditRetention {
    /// The rules; each class once.
    pub rules: Vec<RecordRule>,
}

impl Default for AuditRetention {
    fn default() -> Self {
        Self { rules: default_record_rules() }
    }
}

/// Set for how long the content of audit records is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AuditRetentionPut {
    /// The classes to change; the others stay as they are.
    pub rules: Vec<RecordRule>,
    /// Why; it stands in the audit trail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reason: Option<String>,
}

/// What a purge would take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct AuditPurgeRequest {
    /// Of this class only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub class: Option<RecordClass>,
}

/// Take the content of audit records away that are past their time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AuditPurge {
    /// Of this class only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub class: Option<RecordClass>,
    /// Why; it stands in the audit trail.
    pub reason: String,
}

/// What a purge took, or would take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AuditPurged {
    /// By class; those that are kept for ever are not in it.
    pub classes: Vec<RecordPurge>,
}

/// Which records to count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct AuditStatisticsRequest {
    /// Those of this period; all if absent.
    pub period: Option<Period>,
}

/// The trail in figures, and what it is worth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AuditFigures {
    /// The figures.
    pub statistics: AuditStatistics,
    /// What they are worth as evidence.
    pub trust: AuditTrust,
}

/// The proof that a record is in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AuditProof {
    /// Number of the record.
    pub seq: i64,
    /// Records of the log that the proof is about.
    pub size: i64,
    /// The key that signed, as a C2SP verifier key.
    pub key: String,
    /// The proof: C2SP tlog-proof, with the leaf as extra data.
    pub text: String,
}

/// A request for a time stamp of the newest checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AuditTimestampRequest {
    /// Records of the checkpoint.
    pub size: i64,
    /// SHA-256 of its signed note, hex: all that the authority gets to see.
    pub sha256: String,
    /// The `TimeStampReq` of RFC 3161, DER in hex.
    pub request: String,
}

/// Keep the answer of a time stamp authority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AuditTimestampKeep {
    /// The `TimeStampResp` of RFC 3161, DER in hex.
    pub response: String,
}

/// Export the trail.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct AuditExport {
    /// The folder to make; it must not be there.
    pub directory: String,
    /// Records from this instant on; the hashes of all are in it, whatever the period.
    pub from: Option<DateTime<Utc>>,
    /// Records before this instant.
    pub to: Option<DateTime<Utc>>,
    /// Why; it stands in the audit trail.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reason: Option<String>,
    /// Makes it possible to ask how far it is and to stop it (`audit_verify_progress`, `audit_verify_cancel`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub ticket: Option<String>,
}

/// An export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AuditExported {
    /// The folder.
    pub directory: String,
    /// Records in it.
    pub records: i64,
    /// Leaves in it.
    pub leaves: i64,
    /// Records of the log that its checkpoint stands for.
    pub size: i64,
    /// Root, base64.
    pub root: String,
    /// The key that signed, as a C2SP verifier key.
    pub key: String,
    /// SHA-256 of `SHA256SUMS`, which stands for all files.
    pub sha256: String,
    /// Records in it that nobody can read and that no record sets apart, or that were altered, the first 50: the folder does
    /// not verify.
    #[serde(default)]
    pub unreadable: Vec<i64>,
    /// Newer records of the log, for which no checkpoint stands and which are not in it: this console had no key to sign.
    #[serde(default)]
    pub uncovered: i64,
}

/// Roll the key of this console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AuditKeyRoll {
    /// Why; it stands in the audit trail.
    pub reason: String,
}

/// Set after how many days the status says that a console's key is old.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AuditKeyAgePut {
    /// Days, up to 3,650; 0 says it never.
    pub days: u32,
    /// Why; it stands in the audit trail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reason: Option<String>,
}

/// Revoke a key of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AuditKeyRevoke {
    /// Its name.
    pub name: String,
    /// Why; it stands in the audit trail.
    pub reason: String,
}

/// A key that the log knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AuditKey {
    /// Its name.
    pub name: String,
    /// As a C2SP verifier key.
    pub vkey: String,
    /// The record that added it.
    #[ts(type = "number")]
    pub added: i64,
    /// The key that vouches for it, if it took the place of one.
    pub after: Option<String>,
    /// The record that revoked it: checkpoints of more records do not count.
    #[ts(type = "number | null")]
    pub revoked: Option<i64>,
    /// This console signs with it.
    pub own: bool,
}

/// The keys of the log, in the order in which they came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AuditKeys {
    /// The rows.
    pub keys: Vec<AuditKey>,
}
