//! Who is at a console, and how sure that is.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use watchpost_model::access::Role;

/// Is a name in the audit trail one person?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum IdentityKind {
    /// As far as is known, one person acts under it.
    Personal,
    /// Several people do: who of them it was cannot be proved.
    Shared,
    /// No connection is open: no database was asked.
    Unknown,
}

/// Who acts here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Identity {
    /// Is it one person?
    pub kind: IdentityKind,
    /// The login at the database, as its server says it; absent where the database is a file.
    pub login: Option<String>,
    /// The account of the operating system.
    pub account: String,
    /// Why, for people.
    pub detail: String,
    /// Why no role of the database holds this login back: the owner of the tables, the engine; absent where one does, and where
    /// the database is a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub unbound: Option<String>,
}

/// Where roles come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RoleSource {
    /// The groups of `deploy/postgres-roles.sql`: the server enforces them.
    Groups,
    /// This database file: the door of Watchpost enforces them, and whoever can write the file can change that.
    GuardRails,
}

/// One person with a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RoleRow {
    /// The account, or the login at the database.
    pub name: String,
    /// What they may do.
    pub role: Role,
}

/// Who may do what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RoleList {
    /// Where the roles come from.
    pub source: RoleSource,
    /// People with a role, by name.
    pub rows: Vec<RoleRow>,
    /// What everybody else is; absent if the database lets nobody else in.
    pub others: Option<Role>,
    /// What that is worth, for people.
    pub detail: String,
}

/// Gives somebody a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct RoleSet {
    /// The account.
    pub name: String,
    /// What they may do from now on.
    pub role: Role,
    /// Why; it stands in the audit trail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reason: Option<String>,
}
