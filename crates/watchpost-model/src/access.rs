//! Who may do what.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::words;

/// What an operation needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// See events, incidents, blocks, health.
    View,
    /// Work on incidents.
    Triage,
    /// Block and unblock.
    Contain,
    /// Run maintenance jobs, bring in events.
    Maintain,
    /// Make reports.
    Report,
    /// Read the audit trail.
    Audit,
    /// Change connections and settings.
    Admin,
}

words!(Permission {
    View = "view",
    Triage = "triage",
    Contain = "contain",
    Maintain = "maintain",
    Report = "report",
    Audit = "audit",
    Admin = "admin",
});

/// What a person is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Looks.
    Viewer,
    /// Triages and contains.
    Analyst,
    /// Also maintains and reports.
    Lead,
    /// Looks, reads the audit trail, makes reports.
    Auditor,
    /// Everything.
    Admin,
}

words!(Role { Viewer = "viewer", Analyst = "analyst", Lead = "lead", Auditor = "auditor", Admin = "admin" });

impl Role {
    /// The one table of permissions.
    #[must_use]
    pub const fn permissions(self) -> &'static [Permission] {
        use Permission::{Admin, Audit, Contain, Maintain, Report, Triage, View};
        match self {
            Self::Viewer => &[View],
            Self::Analyst => &[View, Triage, Contain],
            Self::Lead => &[View, Triage, Contain, Maintain, Report, Audit],
            Self::Auditor => &[View, Report, Audit],
            Self::Admin => &[View, Triage, Contain, Maintain, Report, Audit, Admin],
        }
    }

    /// May this role do what needs `permission`?
    #[must_use]
    pub fn may(self, permission: Permission) -> bool {
        self.permissions().contains(&permission)
    }
}

/// Through which shell somebody came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The desktop window.
    Window,
    /// The command line.
    Cli,
    /// The daemon's HTTP interface.
    Http,
    /// A schedule of an engine.
    Schedule,
    /// The detection engine itself.
    Engine,
}

words!(Origin { Window = "window", Cli = "cli", Http = "http", Schedule = "schedule", Engine = "engine" });

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Caller {
    /// The person's name: the login at the database, or the OS account where that is a file.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Through which shell.
    pub origin: Origin,
    /// From which machine; with the OS account there if the name is a login: `ws-7/anna`.
    pub host: String,
}
