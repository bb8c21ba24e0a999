//! Roles where the database is a file: guard rails that its people give each other, kept in the database.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use watchpost_model::access::{Caller, Role};
use watchpost_model::approval::person_key;

use crate::console::Workspace;
use crate::setting;

/// The setting that holds them.
pub(crate) const SETTING: &str = "roles";

/// Roles by person. Before the first one is given everybody is an admin; after that, whoever has none may look.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Roles {
    pub(crate) people: BTreeMap<String, Role>,
}

impl Roles {
    /// What somebody who has none is.
    pub(crate) fn others(&self) -> Role {
        if self.people.is_empty() { Role::Admin } else { Role::Viewer }
    }

    pub(crate) fn of(&self, name: &str) -> Role {
        self.people.get(&person_key(name)).copied().unwrap_or_else(|| self.others())
    }

    pub(crate) fn has_admin(&self) -> bool {
        self.people.values().any(|role| *role == Role::Admin)
    }
}

/// The role of somebody whom the database itself holds to none.
pub(crate) async fn role_of(workspace: &Workspace, caller: &Caller) -> Role {
    // The owner of the tables at a server may everything; whoever comes with less than the account of a machine stays at that.
    if workspace.login().is_some() || caller.role != Role::Admin {
        return caller.role;
    }
    match setting::read::<Roles>(workspace.store(), SETTING).await {
        Ok(roles) => roles.value.of(&caller.name),
        Err(problem) => {
            tracing::warn!(%problem, "the roles of this database cannot be read: nobody may do more than look");
            Role::Viewer
        }
    }
}
