//! Backups of the audit database.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use watchpost_model::audit::AuditVerification;
use watchpost_model::copies::{CopyEncryption, CopyKey};
use watchpost_model::job::JobRun;
use watchpost_model::period::Period;

/// Back the audit database up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseBackup {
    /// The file to make; it must not be there.
    pub path: String,
    /// Makes it possible to ask how far it is and to stop it (`audit_verify_progress`, `audit_verify_cancel`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub ticket: Option<String>,
    /// For whom it is encrypted; it is not if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub encryption: Option<CopyEncryption>,
}

/// Look at a backup of the audit database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseBackupRef {
    /// The file.
    pub path: String,
    /// As for the backup.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub ticket: Option<String>,
    /// What opens it, if it is encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub key: Option<CopyKey>,
}

/// Put a backup of the audit database to a new place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseRestore {
    /// The backup.
    pub path: String,
    /// The file to make, of a copy of a SQLite database; it must not be there: nothing is ever overwritten.
    pub to: String,
    /// Of a copy of a PostgreSQL database, and then `to` is empty: the name of the database to make on the server of this
    /// connection; there must be none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub database: Option<String>,
    /// As for the backup.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub ticket: Option<String>,
    /// What opens it, if it is encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub key: Option<CopyKey>,
}

/// Copy the audit database as the plan does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseCopyRun {
    /// The folder; that of the plan if absent. Only there older copies are removed as the plan says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub folder: Option<String>,
    /// For whom it is encrypted; as the plan says if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub encryption: Option<CopyEncryption>,
}

/// Rehearse a copy of the audit database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseRehearse {
    /// The file; the newest copy that the audit trail names if absent. Then it must not be older than the plan asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub path: Option<String>,
    /// What opens it, if it is encrypted; what the plan names if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub key: Option<CopyKey>,
}

/// How the copies of the audit database stand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct DatabaseCopies {
    /// `SQLite` or `PostgreSQL`.
    pub engine: String,
    /// The folder of the plan.
    pub folder: Option<String>,
    /// The run that made the newest copy.
    pub last: Option<JobRun>,
    /// When the next one is to be made.
    pub next: Option<Period>,
    /// The newest rehearsal of a newest copy that came to an end.
    pub rehearsal: Option<JobRun>,
    /// When the next one is to be.
    pub next_rehearsal: Option<Period>,
    /// What is wrong with them, for people.
    pub problem: Option<String>,
}

/// A copy of the audit database that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct DatabaseCopy {
    /// The file; of one that was put back on a server the name of the new database.
    pub path: String,
    /// Its size.
    #[ts(type = "number")]
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: String,
    /// Newest migration in it.
    pub schema: i64,
    /// Erasures of people that were done again in it, because it is older than they are. Free text and sealed content were not
    /// looked through for the names: they are erased once more in it.
    pub erased_again: usize,
    /// Erasures that were not, because a legal hold that is in force in it keeps the person.
    #[serde(default)]
    pub erasures_held: usize,
    /// Of a restored copy: records that this console saw of its log and that the copy does not have. Where it takes the
    /// place of the database they are held against it, until a person takes it as it is.
    #[serde(default)]
    #[ts(type = "number")]
    pub behind: u64,
    /// Why a copy that was just made of a PostgreSQL database was not checked, and is kept all the same. Then nothing is known
    /// of its trail.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[ts(optional)]
    pub unverified: Option<String>,
    /// When the copy was made, if it is byte for byte one that the audit trail of this connection names. Absent else, and of
    /// one that was just made: then nothing says whether what its own trail does not cover, events among it, was altered.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[ts(optional)]
    pub made_at: Option<DateTime<Utc>>,
    /// What checking all of its audit trail came to.
    pub trail: AuditVerification,
    /// For whom it is encrypted, in words; absent if it is not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[ts(optional)]
    pub encryption: Option<String>,
}

/// Maintain the audit database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseMaintain {
    /// Write the file of SQLite anew, without its free pages; whoever writes waits meanwhile.
    pub compact: bool,
}

/// What maintenance of the audit database came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct DatabaseMaintained {
    /// What is wrong with its pages, for people; nothing else was done then.
    pub problem: Option<String>,
    /// SQLite's log was folded into the file; else somebody who reads stood in the way.
    pub folded: bool,
    /// How large it was.
    pub before: DatabaseSizes,
    /// How large it is.
    pub after: DatabaseSizes,
}

/// How large the audit database is, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct DatabaseSizes {
    /// The file, or what the server keeps of the database.
    #[ts(type = "number")]
    pub bytes: u64,
    /// SQLite's log beside the file.
    #[ts(type = "number")]
    pub log_bytes: u64,
    /// Of the file: free pages, which are used again.
    #[ts(type = "number")]
    pub free_bytes: u64,
}

/// Write the tables of the audit database to files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseExport {
    /// The folder to make; it must not be there.
    pub directory: String,
    /// As for the backup.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub ticket: Option<String>,
}

/// The tables of the audit database in files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct DatabaseExported {
    /// The folder: `TABLE.jsonl` and `TABLE.csv` of each, `LEFT_OUT`, `SHA256SUMS`.
    pub directory: String,
    /// The tables.
    pub tables: Vec<ExportedTable>,
    /// What is not in the files, and why.
    pub left_out: Vec<LeftOutTable>,
    /// SHA-256 of `SHA256SUMS`.
    pub sha256: String,
}

/// A table in files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ExportedTable {
    /// Its name.
    pub name: String,
    /// How many rows.
    #[ts(type = "number")]
    pub rows: u64,
}

/// A table, or a column of one, that is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct LeftOutTable {
    /// `table`, or `table.column`.
    pub name: String,
    /// Why.
    pub why: String,
}
