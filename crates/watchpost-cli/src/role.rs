//! `watchpost role`: who may do what.

use clap::Subcommand;
use watchpost_model::text::visible;
use watchpost_ops::contract::{Nothing, RoleList, RoleSet};
use watchpost_ops::door::operation;

use crate::args::Output;
use crate::output::{line, table};
use crate::session::Session;
use crate::show::either;

/// Roles.
#[derive(Debug, Subcommand)]
pub(crate) enum Roles {
    /// List who has which role, where it comes from, and what that is worth.
    List,
    /// Give somebody a role. Where the database is a SQLite file: a guard rail, which whoever can write the file can change. On
    /// PostgreSQL roles are groups, which the owner of the tables gives.
    Set {
        /// The account.
        name: String,
        /// What they may do from now on.
        #[arg(value_parser = ["viewer", "analyst", "lead", "auditor", "admin"])]
        role: String,
        /// Why; it stands in the audit trail.
        #[arg(long)]
        reason: Option<String>,
    },
}

pub(crate) async fn run(session: &Session, form: Output, verb: Roles) -> anyhow::Result<()> {
    let list = match verb {
        Roles::List => session.ask::<operation::role_list>(Nothing {}).await?,
        Roles::Set { name, role, reason } => {
            let request = RoleSet { name, role: role.parse()?, reason };
            session.ask::<operation::role_set>(request).await?
        }
    };
    either(form, &list, || listed(&list))
}

fn listed(list: &RoleList) -> anyhow::Result<()> {
    let others = list.others.map(|role| ["everybody else".to_owned(), role.to_string()]);
    let rows = list.rows.iter().map(|row| [visible(&row.name, 80), row.role.to_string()]);
    table(["NAME", "ROLE"], rows.chain(others))?;
    line(&list.detail)
}
