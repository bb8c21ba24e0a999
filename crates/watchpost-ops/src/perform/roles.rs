//! Who may do what in this database.

use chrono::{DateTime, Utc};
use watchpost_model::access::Role;
use watchpost_model::approval::person_key;
use watchpost_model::audit::Change;

use super::required;
use crate::console::Workspace;
use crate::contract::{Nothing, RoleList, RoleRow, RoleSet, RoleSource};
use crate::door::Context;
use crate::error::{ErrorCode, OpError};
use crate::identity::GUARD_RAILS;
use crate::roles::{Roles, SETTING};
use crate::{setting, two_people};

pub(crate) async fn role_list(cx: Context, _: Nothing) -> Result<RoleList, OpError> {
    let workspace = cx.workspace()?;
    if workspace.login().is_some() {
        let roles = workspace.store().login_roles().await?;
        return Ok(RoleList {
            source: RoleSource::Groups,
            rows: roles.into_iter().map(|(name, role)| RoleRow { name, role }).collect(),
            others: None,
            detail: "roles are groups of the database, and its server enforces them. The owner of the tables gives one: \
                     GRANT watchpost_analyst TO login. The owner, and a superuser, are in none and may everything"
                .to_owned(),
        });
    }
    let roles = setting::read::<Roles>(workspace.store(), SETTING).await?.value;
    let detail = if roles.people.is_empty() {
        format!(
            "{GUARD_RAILS}. Nobody was given a role yet, so everybody who opens it is an admin. With the first role that \
             is given, everybody who is known by then stays admin, and whoever comes later may look"
        )
    } else {
        format!("{GUARD_RAILS}. Whoever has no role may look; over HTTP the token decides")
    };
    let others = Some(roles.others());
    let people = if roles.people.is_empty() { first(&cx, &workspace).await? } else { roles };
    let rows = people.people.into_iter().map(|(name, role)| RoleRow { name, role }).collect();
    Ok(RoleList { source: RoleSource::GuardRails, rows, others, detail })
}

/// The roles to begin with: everybody who is known, and whoever asks, is an admin.
async fn first(cx: &Context, workspace: &Workspace) -> Result<Roles, OpError> {
    let mut known = workspace.store().people(DateTime::<Utc>::UNIX_EPOCH).await?;
    if two_people::is_person(&cx.caller) {
        known.push(person_key(&cx.caller.name));
    }
    Ok(Roles { people: known.into_iter().map(|name| (name, Role::Admin)).collect() })
}

pub(crate) async fn role_set(cx: Context, request: RoleSet) -> Result<RoleList, OpError> {
    let workspace = cx.workspace()?;
    let name = required("name", &request.name, 200)?;
    let role = request.role;
    if workspace.login().is_some() {
        return Err(OpError::precondition("the roles of this database are groups of its server").hint(
            format!(
                "the owner of the tables gives one: GRANT watchpost_{role} TO \"{}\"",
                name.replace('"', "\"\"")
            ),
        ));
    }
    if !two_people::is_person(&cx.caller) {
        return Err(OpError::new(
            ErrorCode::Permission,
            "over HTTP people cannot be told apart: nobody gives roles there",
        )
        .hint("at a window or a command line: `watchpost role set NAME ROLE`"));
    }
    let setting = setting::read::<Roles>(workspace.store(), SETTING).await?;
    let mut new =
        if setting.value.people.is_empty() { first(&cx, &workspace).await? } else { setting.value.clone() };
    let key = person_key(&name);
    let before = new.people.insert(key.clone(), role);
    if !new.has_admin() {
        return Err(OpError::precondition(format!(
            "{name} is the last admin: nobody could give roles any more"
        ))
        .hint("make somebody else an admin first: `watchpost role set NAME admin`"));
    }
    let changes = vec![Change::new(&key, before.map(Role::as_str), role.as_str())];
    let record = cx.record(format!("role/{key}"), changes, request.reason);
    setting.replace(workspace.store(), &new, record).await?;
    role_list(cx, Nothing {}).await
}
