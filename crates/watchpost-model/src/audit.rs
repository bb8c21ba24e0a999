//! Audit records: who did what, when, from where, on which resource, how it ended, what changed.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::access::{Caller, Permission};
use crate::record_class::RecordClass;
use crate::words;

/// How an operation ended, for the trail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum AuditOutcome {
    /// It was begun and has not ended: a long job, or a step outside the database.
    Started,
    /// It was done.
    Success,
    /// It was tried and failed.
    Failure,
    /// It was not allowed.
    Denied,
}

words!(AuditOutcome { Started = "started", Success = "success", Failure = "failure", Denied = "denied" });

/// The field in which the record of a job's end says how it ended. A record of a job without it was written when the figures
/// of the job stood in place of a reason.
pub const JOB_ENDED: &str = "ended";

/// One field that changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Change {
    /// Its name.
    pub field: String,
    /// Before; `null` if it was not there.
    #[ts(type = "unknown")]
    pub old: serde_json::Value,
    /// After; `null` if it is gone.
    #[ts(type = "unknown")]
    pub new: serde_json::Value,
}

impl Change {
    /// A change of `field` from `old` to `new`.
    #[must_use]
    pub fn new(field: &str, old: impl Into<serde_json::Value>, new: impl Into<serde_json::Value>) -> Self {
        Self { field: field.to_owned(), old: old.into(), new: new.into() }
    }
}

/// A record before the store has given it number, time and place in the tree.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditDraft {
    /// Who.
    pub caller: Caller,
    /// What: the operation's name, `incident_resolve`.
    pub action: String,
    /// On which resource: `incident/42`, `block/203.0.113.7`, `job/<id>`.
    pub object: String,
    /// The permission used.
    pub permission: Permission,
    /// How it ended.
    pub outcome: AuditOutcome,
    /// What changed.
    pub changes: Vec<Change>,
    /// The reason that the person gave; of what failed without one, the error. With one, the error is the change `error`.
    pub reason: Option<String>,
    /// Client time.
    pub at: DateTime<Utc>,
    /// Risk of the action, 0 to 100.
    pub risk: u8,
}

/// A record as it stands in the trail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct AuditRecord {
    /// Place in the log, from 0, without gaps.
    pub seq: i64,
    /// Time of the database.
    pub at: DateTime<Utc>,
    /// Who.
    pub actor: String,
    /// The login at the database that wrote it, as its server says; absent where the database is a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub login: Option<String>,
    /// Through which shell.
    pub origin: String,
    /// From which machine; with the account there if the person is known by a login at the database: `ws-7/anna`.
    pub host: String,
    /// What.
    pub action: String,
    /// On which resource.
    pub object: String,
    /// Permission used.
    pub permission: String,
    /// How it ended.
    pub outcome: AuditOutcome,
    /// What changed.
    pub changes: Vec<Change>,
    /// The reason that was given, or else the error.
    pub reason: Option<String>,
    /// Risk of the action, 0 to 100.
    pub risk: u8,
    /// RFC 6962 leaf hash, hex.
    pub leaf_hash: String,
}

/// Which records.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct AuditFilter {
    /// By this person, or with this login at the database.
    pub actor: Option<String>,
    /// This action.
    pub action: Option<String>,
    /// Words in action, object, actor, login or reason, case-insensitive.
    pub text: Option<String>,
    /// Ended like this.
    pub outcome: Option<AuditOutcome>,
    /// Written at this instant or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub from: Option<DateTime<Utc>>,
    /// Written before this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub to: Option<DateTime<Utc>>,
}

/// How often a name stands in the trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AuditCount {
    /// The name.
    pub name: String,
    /// Records.
    pub n: i64,
}

/// The trail of a period in figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AuditStatistics {
    /// Records.
    pub records: i64,
    /// Time of the first one.
    pub first_at: Option<DateTime<Utc>>,
    /// Time of the last one.
    pub last_at: Option<DateTime<Utc>>,
    /// Different actors.
    pub actors: i64,
    /// Different actions.
    pub actions: i64,
    /// Size of what is sealed.
    pub sealed_bytes: i64,
    /// Records whose content was erased.
    pub erased: i64,
    /// The most frequent actors, at most twenty.
    pub by_actor: Vec<AuditCount>,
    /// The most frequent logins at the database, at most twenty; none where it is a file.
    #[serde(default)]
    pub by_login: Vec<AuditCount>,
    /// The most frequent actions, at most twenty.
    pub by_action: Vec<AuditCount>,
    /// By outcome.
    pub by_outcome: Vec<AuditCount>,
    /// By permission used.
    pub by_permission: Vec<AuditCount>,
}

/// The signed state of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Checkpoint {
    /// Number of leaves.
    pub size: i64,
    /// RFC 6962 root hash, base64.
    pub root: String,
    /// When it was signed.
    pub at: DateTime<Utc>,
    /// The C2SP signed note.
    pub note: String,
    /// Name of the key that signed it.
    pub key_name: String,
}

/// What a time stamp authority said of a checkpoint (RFC 3161). Its signature was not checked here: `openssl ts -verify` does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AuditStamp {
    /// Records of the checkpoint.
    pub size: i64,
    /// When the authority saw it, by its own word.
    pub at: DateTime<Utc>,
    /// The authority, as it names itself; absent if it does not.
    pub authority: Option<String>,
    /// When its answer was kept.
    pub kept_at: DateTime<Utc>,
}

/// What somebody who is not the database remembers of a log: enough to tell whether what the database holds later
/// continues it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogSeen {
    /// Id of the log; empty before its first record.
    pub log: String,
    /// Number of leaves.
    pub size: i64,
    /// RFC 6962 root hash, base64.
    pub root: String,
    /// Roots of the complete subtrees from left to right, hex: the root of whatever comes after follows from them.
    pub frontier: String,
    /// When it was looked at.
    pub at: DateTime<Utc>,
}

/// A log that was checked whole, for continuing from there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogVerified {
    /// What was found good.
    pub seen: LogSeen,
    /// When every record was read last.
    pub full_at: DateTime<Utc>,
    /// Keys that may sign, with the number of their `key.add` record.
    pub keys: Vec<(String, i64)>,
    /// Those that count no more, with the number of their `key.revoke` record.
    #[serde(default)]
    pub revoked: Vec<(String, i64)>,
    /// Checkpoints of fewer records than that, all of which hold.
    #[serde(default)]
    pub checkpoints: i64,
}

/// Where the trail's evidence is kept besides the database. Each word includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceStrength {
    /// The signing key was made for this session and is not kept: signatures prove nothing after it.
    SessionKey,
    /// The same user owns data and key: accidents and outsiders are found out, that user is not.
    LocalOnly,
    /// Checkpoints are kept in a place outside the database: whoever cannot write there cannot rewrite the past.
    SecondPlace,
    /// Other consoles, with keys of their own, have signed for what they saw.
    Witnessed,
}

words!(EvidenceStrength {
    SessionKey = "session_key",
    LocalOnly = "local_only",
    SecondPlace = "second_place",
    Witnessed = "witnessed",
});

/// A record whose writer sealed nothing that opens, or said of it what does not fit, and that another record sets apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SetApart {
    /// Its number.
    pub record: i64,
    /// Number of the record that says so.
    pub by: i64,
    /// What does not fit, for people.
    pub problem: String,
}

/// A record whose own writer sealed nothing that opens, or said of it what does not fit: it can be set apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct OwnFault {
    /// Its number.
    pub record: i64,
    /// What does not fit, for people.
    pub problem: String,
}

/// Records whose content was erased, as the trail itself says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ErasedRecords {
    /// Number of the record that says so.
    pub record: i64,
    /// How many records it explains.
    #[ts(type = "number")]
    pub n: u64,
    /// The class whose retention took it away; absent if a person was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub class: Option<RecordClass>,
}

/// The result of checking the trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AuditVerification {
    /// Did everything hold?
    pub ok: bool,
    /// Leaves of the log.
    pub leaves: i64,
    /// Leaves that were not read again, because an earlier check of this console found them good: the first ones.
    pub from: i64,
    /// Root recomputed from the leaves, base64.
    pub root: String,
    /// Checkpoints that hold, with those that an earlier check of this console found good.
    pub checkpoints: i64,
    /// First record that does not hold.
    pub first_bad_seq: Option<i64>,
    /// The tile of 256 hashes that it stands in, as C2SP tlog-tiles names it: `tile/0/000`; none of a record that is missing
    /// behind the newest one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub first_bad_tile: Option<String>,
    /// What was found, for people; empty if `ok`.
    pub problems: Vec<String>,
    /// What is no problem and worth a look, of the records that were read: times that go back, purges by a clock that was
    /// ahead; for people.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Records without content, by the erasure that took it.
    pub erased: Vec<ErasedRecords>,
    /// Records that another one sets apart, with what does not fit in them: they prove nothing, and the rest holds.
    #[serde(default)]
    pub set_apart: Vec<SetApart>,
    /// Of the problems those that a record's own writer made, and that can be set apart; at most as many as problems.
    #[serde(default)]
    pub own_faults: Vec<OwnFault>,
    /// Of the problems those of places outside the database in which something was altered: where these are all, the log
    /// itself holds.
    #[serde(default)]
    pub altered: Vec<String>,
    /// What the evidence is worth.
    pub strength: EvidenceStrength,
    /// Consoles with keys of their own that signed for what they saw.
    pub witnesses: u32,
    /// The newest time stamp of a checkpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub stamp: Option<AuditStamp>,
    /// The check has no record: the server takes no changes at all, as a standby or by its settings.
    #[serde(default)]
    pub unrecorded: bool,
    /// For continuing from here; absent unless `ok`.
    #[serde(skip)]
    #[ts(skip)]
    pub verified: Option<LogVerified>,
}

impl AuditVerification {
    /// Is all that was found that somebody altered something in a place outside the database? Then the log itself holds.
    #[must_use]
    pub fn only_places_altered(&self) -> bool {
        let is_of_a_place = |problem: &String| self.altered.contains(problem);
        !self.problems.is_empty() && self.first_bad_seq.is_none() && self.problems.iter().all(is_of_a_place)
    }
}
