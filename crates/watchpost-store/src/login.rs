//! Who the database says that this is.

use std::collections::{BTreeMap, BTreeSet};

use watchpost_model::access::Role;

use crate::engine::{Dialect, args};
use crate::error::StoreError;
use crate::store::Store;

/// What stands between a machine and the account there, in the place that a record came from: `ws-7/anna`.
const AT_MACHINE: char = '/';

/// The places that the newest records of this login came from.
const PLACES: &str = "SELECT DISTINCT CAST(n.name AS TEXT) FROM (SELECT seq FROM audit_record \
    WHERE login = CAST(session_user AS TEXT) ORDER BY seq DESC LIMIT 1000) r JOIN audit_leaf l ON l.seq = r.seq \
    JOIN audit_name n ON n.kind = 'host' \
    AND n.id = substring(encode(l.leaf, 'escape') from '\"h\":\"([0-9a-f]{32})\",\"k\":\"')";

/// Logins with the groups of `deploy/postgres-roles.sql` that people are in.
const GROUPS: &str = "SELECT CAST(l.rolname AS TEXT), CAST(g.rolname AS TEXT) FROM pg_catalog.pg_roles l \
    JOIN pg_catalog.pg_roles g ON g.rolname IN ('watchpost_viewer', 'watchpost_analyst', 'watchpost_lead', \
    'watchpost_auditor', 'watchpost_admin') AND pg_has_role(l.oid, g.oid, 'MEMBER') \
    WHERE l.rolcanlogin AND NOT l.rolsuper ORDER BY 1, 2";

/// Logins that act as the owner of the tables: a superuser may too, and is one only if it owns them.
const OWNERS: &str = "SELECT CAST(l.rolname AS TEXT) FROM pg_catalog.pg_roles l JOIN pg_catalog.pg_class c \
    ON c.oid = CAST('audit_head' AS regclass) \
    AND (l.oid = c.relowner OR (NOT l.rolsuper AND pg_has_role(l.oid, c.relowner, 'MEMBER'))) \
    WHERE l.rolcanlogin ORDER BY 1";

/// Logins in the group of the engine that do not act as the owner of the tables: whoever makes a group is a member of it.
const ENGINES: &str = "SELECT CAST(l.rolname AS TEXT) FROM pg_catalog.pg_roles l JOIN pg_catalog.pg_class c \
    ON c.oid = CAST('audit_head' AS regclass) JOIN pg_catalog.pg_roles g ON g.rolname = 'watchpost_engine' \
    AND pg_has_role(l.oid, g.oid, 'MEMBER') \
    WHERE l.rolcanlogin AND NOT l.rolsuper AND NOT pg_has_role(l.oid, c.relowner, 'MEMBER') ORDER BY 1";

/// What the server makes of this login, beside the groups of people.
const STANDING: &str = "SELECT CASE WHEN pg_has_role(session_user, c.relowner, 'MEMBER') THEN 'owner' \
    WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_roles r WHERE r.rolname = 'watchpost_engine' \
        AND pg_has_role(session_user, r.oid, 'MEMBER')) THEN 'engine' ELSE 'other' END \
    FROM pg_catalog.pg_class c WHERE c.oid = CAST('audit_head' AS regclass)";

/// What a login is, whatever role people have with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginStanding {
    /// It acts as the owner of the tables.
    Owner,
    /// It is in the group of the engine.
    Engine,
    /// Neither.
    Other,
}

/// A login at a database that has logins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Its name, as the server says it.
    pub name: String,
    /// The accounts of operating systems that people came with, as the newest thousand records of this login tell.
    pub accounts: Vec<String>,
    /// What it is, beside the role of a person.
    pub standing: LoginStanding,
}

/// The place that somebody with an account at a machine comes from.
#[must_use]
pub fn account_at(machine: &str, account: &str) -> String {
    format!("{machine}{AT_MACHINE}{account}")
}

/// Machine and account of such a place; `None` if it names a machine only.
#[must_use]
pub fn machine_and_account(place: &str) -> Option<(&str, &str)> {
    place.split_once(AT_MACHINE)
}

impl Store {
    /// The login of this connection; `None` where the database is a file.
    ///
    /// # Errors
    /// What the database says.
    pub async fn login(&self) -> Result<Option<Login>, StoreError> {
        let mut tx = self.read().await?;
        if tx.dialect() == Dialect::Sqlite {
            return Ok(None);
        }
        let sql = tx.dialect().login_and_log();
        let name = tx.fetch_one(sql, args![]).await?.text(0)?;
        let mut accounts = BTreeSet::new();
        for row in tx.fetch(PLACES, args![]).await? {
            accounts.extend(machine_and_account(&row.text(0)?).map(|(_, account)| account.to_owned()));
        }
        let standing = match tx.fetch_one(STANDING, args![]).await?.text(0)?.as_str() {
            "owner" => LoginStanding::Owner,
            "engine" => LoginStanding::Engine,
            _ => LoginStanding::Other,
        };
        Ok(Some(Login { name, accounts: accounts.into_iter().collect(), standing }))
    }

    /// Every login that acts as the owner of the tables, by name. None where the database is a file.
    ///
    /// # Errors
    /// What the database says.
    pub async fn login_owners(&self) -> Result<Vec<String>, StoreError> {
        let mut tx = self.read().await?;
        if tx.dialect() == Dialect::Sqlite {
            return Ok(Vec::new());
        }
        tx.fetch(OWNERS, args![]).await?.iter().map(|row| row.text(0)).collect()
    }

    /// Every login of the engine, by name, whatever else it is. None where the database is a file.
    ///
    /// # Errors
    /// What the database says.
    pub async fn login_engines(&self) -> Result<Vec<String>, StoreError> {
        let mut tx = self.read().await?;
        if tx.dialect() == Dialect::Sqlite {
            return Ok(Vec::new());
        }
        tx.fetch(ENGINES, args![]).await?.iter().map(|row| row.text(0)).collect()
    }

    /// Every login with a role, by name: of several groups, the one that may most. None where the database is a file.
    ///
    /// # Errors
    /// What the database says.
    pub async fn login_roles(&self) -> Result<Vec<(String, Role)>, StoreError> {
        let mut tx = self.read().await?;
        if tx.dialect() == Dialect::Sqlite {
            return Ok(Vec::new());
        }
        let mut roles: BTreeMap<String, Role> = BTreeMap::new();
        for row in tx.fetch(GROUPS, args![]).await? {
            let group = row.text(1)?;
            let Some(role) = group.strip_prefix("watchpost_").and_then(|name| name.parse::<Role>().ok())
            else {
                continue;
            };
            let known = roles.entry(row.text(0)?).or_insert(role);
            if role.permissions().len() > known.permissions().len() {
                *known = role;
            }
        }
        Ok(roles.into_iter().collect())
    }
}
