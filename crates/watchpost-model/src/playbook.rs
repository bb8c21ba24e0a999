//! Playbooks: what to do about an attack family, step by step, and what of it was done.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::finding::AttackFamily;

/// A checklist as it stands for one incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Playbook {
    /// What it is for.
    pub title: String,
    /// In the order in which they are done.
    pub steps: Vec<PlaybookStep>,
    /// Steps that are checked.
    pub done: u32,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PlaybookStep {
    /// Stable name.
    pub id: String,
    /// What to do.
    pub title: String,
    /// How, in a sentence or two.
    pub how: String,
    /// The phase: `triage`, `contain`, `eradicate`, `recover`, `learn`.
    pub phase: String,
    /// Who checked it; absent while it is open.
    pub checked_by: Option<String>,
    /// When.
    pub checked_at: Option<DateTime<Utc>>,
    /// What came out of it.
    pub note: Option<String>,
}

/// How many steps the playbook of a family has that comes with the product: an answer is whole when as many are checked.
#[must_use]
pub const fn steps_of(family: AttackFamily) -> u32 {
    match family {
        AttackFamily::Custom | AttackFamily::RedisHealth => 3,
        AttackFamily::ExcessiveRequests
        | AttackFamily::Scanner
        | AttackFamily::LogGap
        | AttackFamily::ThreatListed => 4,
        AttackFamily::KillChain => 5,
        AttackFamily::BruteForce
        | AttackFamily::Sqli
        | AttackFamily::Nosqli
        | AttackFamily::Xss
        | AttackFamily::Traversal
        | AttackFamily::Rfi
        | AttackFamily::Cmdi
        | AttackFamily::Ssti
        | AttackFamily::Php
        | AttackFamily::Java
        | AttackFamily::Deserialization
        | AttackFamily::Xxe
        | AttackFamily::Ldap
        | AttackFamily::Ssrf
        | AttackFamily::Jwt
        | AttackFamily::Csrf
        | AttackFamily::HeaderInjection
        | AttackFamily::Redirect
        | AttackFamily::Upload
        | AttackFamily::DataLeak
        | AttackFamily::AccountTakeover
        | AttackFamily::PrivilegeEscalation
        | AttackFamily::DataExfiltration => 6,
    }
}
