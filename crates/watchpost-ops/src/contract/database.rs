//! Backups of the audit database.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use watchpost_model::audit::AuditVerification;

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
}

/// Put a backup of the audit database to a new place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseRestore {
    /// The backup.
    pub path: String,
    /// The file to make; it must not be there: nothing is ever overwritten.
    pub to: String,
    /// As for the backup.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub ticket: Option<String>,
}

/// A copy of the audit database that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct DatabaseCopy {
    /// The file.
    pub path: String,
    /// Its size.
    #[ts(type = "number")]
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: String,
    /// Newest migration in it.
    pub schema: i64,
    /// Erasures of people that were done again in it, because it is older than they are.
    pub erased_again: usize,
    /// What checking all of its audit trail came to.
    pub trail: AuditVerification,
}
