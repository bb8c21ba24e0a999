//! People's rights: what is kept about somebody, erasing it, keeping it for a court.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use watchpost_model::privacy::{Erasure, LegalHold, Residue, SubjectKind};

/// Somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct PrivacyRef {
    /// Kind of the name.
    pub kind: SubjectKind,
    /// The name: an account, an address. Each name of a person by itself.
    pub subject: String,
}

/// Where somebody is named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PrivacyLook {
    /// Places where the name stands.
    pub places: Vec<Residue>,
    /// Columns of the database that were looked at.
    pub columns: usize,
    /// Sealed records that were opened.
    #[ts(type = "number")]
    pub opened: u64,
    /// Holds in force that keep it.
    pub holds: Vec<LegalHold>,
}

/// The ticket of the erasure that a process is at, one at a time: `audit_verify_progress` tells how far it is, and
/// `audit_verify_cancel` stops it until it begins to write.
pub const ERASURE: &str = "privacy_erase";

/// Erase somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct PrivacyErase {
    /// Kind of the name.
    pub kind: SubjectKind,
    /// The name.
    pub subject: String,
    /// Why; it stands in the audit trail and must not name the person.
    pub reason: String,
}

/// What an erasure did, and what a look everywhere found afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PrivacyErased {
    /// The erasure.
    pub erasure: Erasure,
    /// Every place that was looked at.
    pub residue: Vec<Residue>,
    /// The name was found nowhere that this console can reach, and each copy that the trail names and that is there was
    /// read.
    pub clean: bool,
}

/// Erasures and holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PrivacyList {
    /// Holds: those in force first.
    pub holds: Vec<LegalHold>,
    /// Erasures, the newest first. They do not say whom they were about.
    pub erasures: Vec<Erasure>,
}

/// Keep everything about somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct HoldAdd {
    /// Kind of the name.
    pub kind: SubjectKind,
    /// The name.
    pub subject: String,
    /// Why: the case, the authority.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
}

/// Release a hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct HoldRelease {
    /// Its id.
    pub id: String,
    /// Why.
    pub reason: String,
}

/// Write what is kept about somebody to a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct PrivacyExport {
    /// Kind of the name.
    pub kind: SubjectKind,
    /// The name.
    pub subject: String,
    /// The file to make; it must not be there.
    pub path: String,
}

/// An export for somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PrivacyExported {
    /// The file.
    pub path: String,
    /// Its size.
    #[ts(type = "number")]
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: String,
    /// Events in it.
    #[ts(type = "number")]
    pub events: u64,
    /// Rows of the other parts.
    pub rows: usize,
}
