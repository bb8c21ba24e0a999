//! Who is at this console: the account and machine names that the operating system gives, and the login at the database.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;

use watchpost_model::access::{Caller, Origin, Role};
use watchpost_store::{Login, LoginStanding, account_at, machine_and_account};

use crate::console::Workspace;
use crate::contract::{Identity, IdentityKind};

/// What roles are worth where the database is a file.
pub(crate) const GUARD_RAILS: &str = "guard rails: whoever can write the file can change this";

/// The OS account as a caller. In a local workspace the account owns everything, so its role is admin.
#[must_use]
pub fn os_caller(origin: Origin) -> Caller {
    // Not a variable of the environment: anybody can set one, and a second person has to be a second account.
    let name = whoami::username().ok().filter(|name| !name.trim().is_empty());
    let name = name.or_else(account_of_process).unwrap_or_else(|| "unknown".to_owned());
    Caller { name, role: Role::Admin, origin, host: host_name() }
}

/// The number of the account that owns this process, where the account has no name: in a container.
fn account_of_process() -> Option<String> {
    Some(format!("uid-{}", std::fs::metadata("/proc/self").ok()?.uid()))
}

fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map(|name| name.trim().to_owned())
        .ok()
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "unknown".to_owned())
}

/// Somebody at a machine as a database knows them: by the login, as its server says it, with the account beside the machine;
/// by the account where there are no logins. Whoever was known by the login of another database is so no more.
pub(crate) fn known_to(caller: &Caller, login: Option<&Login>) -> Caller {
    let (machine, account) =
        machine_and_account(&caller.host).unwrap_or((caller.host.as_str(), caller.name.as_str()));
    let (name, host) = match login {
        Some(login) => (login.name.clone(), account_at(machine, account)),
        None => (account.to_owned(), machine.to_owned()),
    };
    Caller { name, host, ..caller.clone() }
}

/// How sure it is who acts here; `caller` as the door knows them.
pub(crate) fn identity(caller: &Caller, workspace: Option<&Workspace>) -> Identity {
    let account =
        machine_and_account(&caller.host).map_or(caller.name.as_str(), |(_, account)| account).to_owned();
    let login = workspace.and_then(Workspace::login);
    let (kind, detail) = match (caller.origin, login) {
        (Origin::Http, _) => (
            IdentityKind::Shared,
            "over HTTP everybody who has the token is the same to the audit trail".to_owned(),
        ),
        (_, Some(login)) => of_login(login, &account),
        (_, None) if workspace.is_some() => (
            IdentityKind::Personal,
            format!("the account of this machine; the database is a file, and its roles are {GUARD_RAILS}"),
        ),
        (_, None) => (
            IdentityKind::Unknown,
            "no connection is open: no database was asked who it is, and in what role".to_owned(),
        ),
    };
    // Who has the role of a person is held to it by the server.
    let has_no_role = workspace.is_some_and(|open| open.role().is_none());
    let unbound = login.filter(|_| has_no_role).map(|login| unbound(login.standing).to_owned());
    Identity { kind, login: login.map(|login| login.name.clone()), account, detail, unbound }
}

/// Why no role of the database holds a login back.
const fn unbound(standing: LoginStanding) -> &'static str {
    match standing {
        LoginStanding::Owner => "it acts as the owner of the tables: no role holds it back",
        LoginStanding::Engine => {
            "it is in the group of the engine, which is for `watchpost serve`: no role of a person holds it back, and a person \
             needs a login in a group of their own"
        }
        LoginStanding::Other => {
            "it is in no group of deploy/postgres-roles.sql: it has no role there, and what it was not granted is refused"
        }
    }
}

fn of_login(login: &Login, account: &str) -> (IdentityKind, String) {
    let mut accounts: BTreeSet<&str> = login.accounts.iter().map(String::as_str).collect();
    accounts.insert(account);
    if accounts.len() > 1 {
        let all = accounts.into_iter().collect::<Vec<_>>().join(", ");
        let detail = format!(
            "several accounts of machines act with this login ({all}): which person it was, nobody can prove; give each \
             person a login of their own"
        );
        (IdentityKind::Shared, detail)
    } else {
        (IdentityKind::Personal, "the login, as the server of the database says it".to_owned())
    }
}
