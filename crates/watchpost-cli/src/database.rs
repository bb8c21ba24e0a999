//! Backups of the audit database, and the copies that the plan makes.

use std::path::PathBuf;

use clap::Subcommand;
use watchpost_model::job::{JobRun, JobState};
use watchpost_ops::contract::{
    DatabaseBackup, DatabaseBackupRef, DatabaseCopies, DatabaseCopy, DatabaseCopyRun, DatabaseExport,
    DatabaseExported, DatabaseMaintain, DatabaseMaintained, DatabaseRehearse, DatabaseRestore, DatabaseSizes,
    Nothing,
};
use watchpost_ops::door::operation;
use watchpost_ops::error::ErrorCode;

use crate::args::Output;
use crate::copy_keys::{Encrypt, Open, absolute};
use crate::output::{at, line, table};
use crate::progress;
use crate::run::finished;
use crate::session::Session;
use crate::show::{self, either};

/// The audit database itself.
#[derive(Debug, Subcommand)]
pub(crate) enum Database {
    /// Copy it to a file while work goes on, and check the copy: its pages, and all of its audit trail. A copy that does
    /// not hold is removed.
    ///
    /// Of a PostgreSQL database it is a dump by `pg_dump`, which is checked in a database for a while on the same server: the
    /// login reads all of it and may make databases, or the copy is kept and NOT VERIFIED (exit code 1).
    /// The copy holds keys and personal data: keep it as safe as the database, or have it encrypted. Then it is made and checked plain beside the data of this account, which
    /// takes as much room as the copy, and only its encrypted form goes to the file.
    Backup {
        /// The file to make; it must not be there.
        file: PathBuf,
        #[command(flatten)]
        encrypt: Encrypt,
    },
    /// Check a copy without touching it. Exit code 1 when it cannot be read whole, its trail does not hold, or the audit trail
    /// of this connection names the file with another SHA-256.
    ///
    /// With the SHA-256 that the trail says nothing of it was altered. Of a copy that the trail does not name only its own
    /// trail is checked, and that is said: its events may have been altered.
    /// An encrypted one is opened in a scratch place beside the data of this account; one of a PostgreSQL database in a
    /// database for a while on the server of this connection.
    Check {
        /// The file.
        file: PathBuf,
        #[command(flatten)]
        open: Open,
    },
    /// Put a copy to a new place, after it was checked as by `check`; an encrypted one is plain there. To work with it, save a connection
    /// to it, or put it where the database was while nothing runs; then `watchpost audit accept` says that the log is right
    /// as it is. It is told how many records this console saw that are not in the copy.
    ///
    /// A copy of a PostgreSQL database becomes a new database on the server of the connection, which only its login gets into:
    /// run deploy/postgres-roles.sql in it and GRANT CONNECT.
    Restore {
        /// The copy.
        file: PathBuf,
        /// The file to make; it must not be there.
        #[arg(long, required_unless_present = "to_database", conflicts_with = "to_database")]
        to: Option<PathBuf>,
        /// PostgreSQL: the name of the database to make; there must be none.
        #[arg(long, value_name = "NAME")]
        to_database: Option<String>,
        #[command(flatten)]
        open: Open,
    },
    /// Copy it into a folder now, as the plan does by itself: named by the time in UTC, checked before it counts, and older
    /// copies removed as the plan says. `watchpost schedule on database_backup` has it done each day.
    ///
    /// It is encrypted as the plan says, or as is said here. A copy of a PostgreSQL database that could not be checked is kept
    /// and NOT VERIFIED (exit code 1); no copy that was verified is removed for it.
    Copy {
        /// The folder; that of the plan if absent. In another one no copy is removed.
        #[arg(long)]
        folder: Option<PathBuf>,
        #[command(flatten)]
        encrypt: Encrypt,
        /// Why; it stands in the audit trail.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Rehearse a copy: put it to a scratch place, check its pages and all of its trail, open it for work, count what is in
    /// it, and remove it again. Exit code 1 when it could not be put back.
    ///
    /// Takes as much room beside the data of this account as the copy has, an encrypted one twice as much; one of a PostgreSQL
    /// database also as much on its server, where it is put into a database for a while. Without a key that
    /// opens it, here or in the plan, an encrypted copy cannot be rehearsed. `watchpost schedule on database_rehearsal` has
    /// it done each month.
    Rehearse {
        /// The copy; without it the newest one that the audit trail names, which must not be older than the plan asks.
        file: Option<PathBuf>,
        #[command(flatten)]
        open: Open,
        /// Why; it stands in the audit trail.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Show how the copies stand: the newest, the next, the last rehearsal. Exit code 1 when something is wrong with them.
    Copies,
    /// Write its tables to a new folder, of one moment: `TABLE.jsonl` and `TABLE.csv` of each, what is left out and why, and
    /// the SHA-256 of every file. On both engines. Keys, and what they seal, are left out; personal data is not.
    Export {
        /// The folder to make; it must not be there.
        directory: PathBuf,
        /// Why; it stands in the audit trail.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Check its pages, have SQLite's index of the words of events catch up, make the statistics of its queries anew, and
    /// fold SQLite's log into the file; with PostgreSQL the statistics only. Exit code 1 when pages are damaged; nothing else is done then.
    Maintain {
        /// SQLite: write the file anew, without free pages. Whoever writes waits meanwhile, and it needs as much room as the
        /// file has, twice.
        #[arg(long)]
        compact: bool,
        /// Why; it stands in the audit trail.
        #[arg(long)]
        reason: Option<String>,
    },
}

/// Runs a verb; true means that a trail does not hold, or that copies are not as they should be.
pub(crate) async fn run(session: &Session, form: Output, verb: Database) -> anyhow::Result<bool> {
    let ticket = Some(format!("database-{}", std::process::id()));
    let is_old = !matches!(verb, Database::Backup { .. });
    let copy = match verb {
        Database::Backup { file, encrypt } => {
            let request = DatabaseBackup {
                path: absolute(&file)?,
                ticket: ticket.clone(),
                encryption: encrypt.asked()?,
            };
            progress::of_copy(session, ticket, Box::pin(session.ask::<operation::database_backup>(request)))
                .await?
        }
        Database::Check { file, open } => {
            let request =
                DatabaseBackupRef { path: absolute(&file)?, ticket: ticket.clone(), key: open.named()? };
            let work = Box::pin(session.ask::<operation::database_check>(request));
            match progress::of_copy(session, ticket, work).await {
                // The answer of a check: it is no whole copy.
                Err(problem) if problem.code == ErrorCode::Precondition => {
                    crate::tell(&problem);
                    return Ok(true);
                }
                checked => checked?,
            }
        }
        Database::Restore { file, to, to_database, open } => {
            let request = DatabaseRestore {
                path: absolute(&file)?,
                to: to.as_deref().map(absolute).transpose()?.unwrap_or_default(),
                database: to_database,
                ticket: ticket.clone(),
                key: open.named()?,
            };
            progress::of_copy(session, ticket, Box::pin(session.ask::<operation::database_restore>(request)))
                .await?
        }
        Database::Copy { folder, encrypt, reason } => {
            let folder = folder.as_deref().map(absolute).transpose()?;
            let session = session.because(reason);
            let request = DatabaseCopyRun { folder, encryption: encrypt.asked()? };
            let run = session.ask::<operation::database_copy_run>(request).await?;
            let run = progress::follow(&session, run).await?;
            show::job(form, &run)?;
            return Ok(run.state != JobState::Done || is_unverified(&run));
        }
        Database::Rehearse { file, open, reason } => {
            let path = file.as_deref().map(absolute).transpose()?;
            let session = session.because(reason);
            let request = DatabaseRehearse { path, key: open.named()? };
            let run = session.ask::<operation::database_rehearse_run>(request).await?;
            return finished(&session, form, run).await;
        }
        Database::Copies => {
            let copies = session.ask::<operation::database_copies>(Nothing {}).await?;
            either(form, &copies, || standing(&copies))?;
            return Ok(copies.problem.is_some());
        }
        Database::Export { directory, reason } => {
            let session = session.because(reason);
            let request = DatabaseExport { directory: absolute(&directory)?, ticket: ticket.clone() };
            let work = Box::pin(session.ask::<operation::database_export>(request));
            let done = progress::of_tables(&session, ticket, work).await?;
            either(form, &done, || exported(&done))?;
            return Ok(false);
        }
        Database::Maintain { compact, reason } => {
            let session = session.because(reason);
            let done = session.ask::<operation::database_maintain>(DatabaseMaintain { compact }).await?;
            either(form, &done, || maintained(&done))?;
            return Ok(done.problem.is_some());
        }
    };
    either(form, &copy, || {
        shown(&copy)?;
        if is_old { covered(&copy) } else { Ok(()) }
    })?;
    Ok(!copy.trail.ok)
}

/// Was the copy of this run made and not checked?
fn is_unverified(run: &JobRun) -> bool {
    run.report.iter().flat_map(|report| &report.facts).any(|fact| fact.name == "unverified")
}

fn shown(copy: &DatabaseCopy) -> anyhow::Result<()> {
    let schema = if copy.unverified.is_some() { String::new() } else { format!("schema {}, ", copy.schema) };
    line(format!("{}: {} bytes, {schema}SHA-256 {}", copy.path, copy.bytes, copy.sha256))?;
    if let Some(whom) = &copy.encryption {
        line(format!("encrypted {whom}"))?;
    }
    if let Some(why) = &copy.unverified {
        return line(format!("NOT VERIFIED: {}", watchpost_model::text::visible(why, 400)));
    }
    let word = if copy.trail.ok { "holds" } else { "DOES NOT HOLD" };
    line(format!(
        "all of it can be read; its trail {word}: {} records, {} checkpoints, root {}",
        copy.trail.leaves, copy.trail.checkpoints, copy.trail.root
    ))?;
    if copy.erased_again > 0 {
        line(format!(
            "{} erasures of people, newer than the copy, were done again in it; free text and sealed content were NOT looked \
             through for the names: run `watchpost privacy erase` for these people again in the restored database",
            copy.erased_again
        ))?;
    }
    if copy.erasures_held > 0 {
        line(format!(
            "{} erasures of people, newer than the copy, were NOT done in it: legal holds in force in the copy keep them; they \
             are done when it is opened after each hold was released there with a reason",
            copy.erasures_held
        ))?;
    }
    if copy.behind > 0 {
        line(format!(
            "this console saw {} records of its log that are not in it: a connection that is pointed at it says that \
             the log was rolled back, and this console signs for it only after \
             `watchpost audit accept --reason TEXT`",
            copy.behind
        ))?;
    }
    for problem in &copy.trail.problems {
        line(format!("  {}", watchpost_model::text::visible(problem, 400)))?;
    }
    Ok(())
}

/// What the check of a copy that was there says of all that is not its trail.
fn covered(copy: &DatabaseCopy) -> anyhow::Result<()> {
    match copy.made_at {
        Some(made) => line(format!(
            "it is byte for byte the copy that was made {}, as the audit trail of this connection says",
            at(made)
        )),
        None => line(
            "NOT COVERED by that are its events, and what else its trail does not hold: the audit trail of this connection \
             names no copy with this SHA-256, so compare it with one that was kept elsewhere",
        ),
    }
}

fn standing(copies: &DatabaseCopies) -> anyhow::Result<()> {
    let went = |run: &Option<JobRun>| {
        run.as_ref().map_or("never".to_owned(), |run| format!("{}, {}", at(run.started_at), run.state))
    };
    let next = |next: Option<watchpost_model::period::Period>| {
        next.map_or("not by itself".to_owned(), |hours| at(hours.from))
    };
    line(format!("newest copy: {}; next: {}", went(&copies.last), next(copies.next)))?;
    line(format!("last rehearsal: {}; next: {}", went(&copies.rehearsal), next(copies.next_rehearsal)))?;
    let facts = copies.last.iter().filter_map(|run| run.report.as_ref()).flat_map(|report| &report.facts);
    for fact in facts {
        line(format!("{}: {}", fact.title, watchpost_model::text::visible(&fact.text, 400)))?;
    }
    match &copies.problem {
        Some(problem) => line(format!("WRONG: {}", watchpost_model::text::visible(problem, 400))),
        None => Ok(()),
    }
}

fn maintained(done: &DatabaseMaintained) -> anyhow::Result<()> {
    if let Some(problem) = &done.problem {
        line(watchpost_model::text::visible(problem, 400))?;
        return line("nothing else was done: put a copy back (`watchpost database restore`)");
    }
    let size = |of: DatabaseSizes| {
        format!("{} bytes, of which {} are free, and {} of log", of.bytes, of.free_bytes, of.log_bytes)
    };
    line(format!("before: {}", size(done.before)))?;
    line(format!("after:  {}", size(done.after)))?;
    if !done.folded {
        line("the log could not be folded into the file while others read: try again later")?;
    }
    Ok(())
}

fn exported(done: &DatabaseExported) -> anyhow::Result<()> {
    table(["TABLE", "ROWS"], done.tables.iter().map(|one| [one.name.clone(), one.rows.to_string()]))?;
    for one in &done.left_out {
        line(format!("left out: {}: {}", one.name, one.why))?;
    }
    line(format!("{}; SHA-256 of SHA256SUMS {}", done.directory, done.sha256))
}
