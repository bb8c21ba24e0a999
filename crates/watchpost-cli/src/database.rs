//! Backups of the audit database.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use watchpost_ops::contract::{DatabaseBackup, DatabaseBackupRef, DatabaseCopy, DatabaseRestore};
use watchpost_ops::door::operation;

use crate::args::Output;
use crate::output::line;
use crate::progress;
use crate::session::Session;
use crate::show::either;

/// The audit database itself.
#[derive(Debug, Subcommand)]
pub(crate) enum Database {
    /// Copy it to a file while work goes on, and check the copy: its pages, and all of its audit trail. A copy that does
    /// not hold is removed.
    ///
    /// SQLite; a PostgreSQL database has `pg_dump` and base backups. The copy holds keys and personal data: keep it as
    /// safe as the database.
    Backup {
        /// The file to make; it must not be there.
        file: PathBuf,
    },
    /// Check a copy without touching it. Exit code 1 when its trail does not hold.
    Check {
        /// The file.
        file: PathBuf,
    },
    /// Put a copy to a new place, after it was checked. To work with it, save a connection to it, or put it where the
    /// database was while nothing runs; then `watchpost audit accept` says that the log is right as it is.
    Restore {
        /// The copy.
        file: PathBuf,
        /// The file to make; it must not be there.
        #[arg(long)]
        to: PathBuf,
    },
}

/// Runs a verb; true means that a trail does not hold.
pub(crate) async fn run(session: &Session, form: Output, verb: Database) -> anyhow::Result<bool> {
    let ticket = Some(format!("database-{}", std::process::id()));
    let copy = match verb {
        Database::Backup { file } => {
            let request = DatabaseBackup { path: absolute(&file)?, ticket: ticket.clone() };
            progress::of_copy(session, ticket, Box::pin(session.ask::<operation::database_backup>(request)))
                .await?
        }
        Database::Check { file } => {
            let request = DatabaseBackupRef { path: absolute(&file)?, ticket: ticket.clone() };
            progress::of_copy(session, ticket, Box::pin(session.ask::<operation::database_check>(request)))
                .await?
        }
        Database::Restore { file, to } => {
            let request =
                DatabaseRestore { path: absolute(&file)?, to: absolute(&to)?, ticket: ticket.clone() };
            progress::of_copy(session, ticket, Box::pin(session.ask::<operation::database_restore>(request)))
                .await?
        }
    };
    either(form, &copy, || shown(&copy))?;
    Ok(!copy.trail.ok)
}

fn shown(copy: &DatabaseCopy) -> anyhow::Result<()> {
    line(format!("{}: {} bytes, schema {}, SHA-256 {}", copy.path, copy.bytes, copy.schema, copy.sha256))?;
    let word = if copy.trail.ok { "holds" } else { "DOES NOT HOLD" };
    line(format!(
        "its pages are whole; its trail {word}: {} records, {} checkpoints, root {}",
        copy.trail.leaves, copy.trail.checkpoints, copy.trail.root
    ))?;
    if copy.erased_again > 0 {
        line(format!(
            "{} erasures of people, newer than the copy, were done again in it",
            copy.erased_again
        ))?;
    }
    for problem in &copy.trail.problems {
        line(format!("  {}", watchpost_model::text::visible(problem, 400)))?;
    }
    Ok(())
}

fn absolute(path: &Path) -> anyhow::Result<String> {
    Ok(std::path::absolute(path)?.to_string_lossy().into_owned())
}
