//! The jobs that write, read back and measure Redis.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::Args;
use watchpost_model::event::Category;
use watchpost_model::job::JobReport;
use watchpost_ops::contract::{
    AggregateRequest, BackupRequest, BenchmarkRequest, ExportFormat, ExportRequest, Nothing, OptimizeRequest,
    RestoreRequest,
};
use watchpost_ops::door::operation;
use watchpost_ops::error::{ErrorCode, OpError};

use crate::args::{DryRun, Output};
use crate::copy_keys::{Encrypt, Open};
use crate::run::finished;
use crate::session::Session;
use crate::{progress, show};

/// Which way.
#[derive(Debug, Args)]
pub(crate) struct Optimize {
    /// The way back: compressed payloads are written as they were, with their expiry, also those that an application
    /// compressed itself; and events are kept as large hashes again where `hash-max-listpack-value` has been lowered since.
    /// Expiries that were given and index entries that were removed stay as they are.
    #[arg(long)]
    revert: bool,
    #[command(flatten)]
    dry: DryRun,
}

/// What to write, and where.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Events of this type. Repeatable; all of them if absent.
    #[arg(long = "type", value_name = "TYPE", value_parser = parse_category)]
    categories: Vec<Category>,
    /// From this day or instant (RFC 3339) on.
    #[arg(long, value_parser = crate::period::parse_instant)]
    from: Option<DateTime<Utc>>,
    /// Before this day or instant.
    #[arg(long, value_parser = crate::period::parse_instant)]
    to: Option<DateTime<Utc>>,
    /// Every key under the prefix instead, whatever it holds: indexes, the queue, blocks.
    #[arg(long, conflicts_with_all = ["categories", "from", "to"])]
    all: bool,
    /// `csv`: a table, cells disarmed for spreadsheets. `json`: one array. `ndjson`: an object a line; events in this
    /// form can be imported (`import --format jsonl`).
    #[arg(long, default_value = "csv", value_parser = parse_format)]
    format: ExportFormat,
    /// The file to write.
    #[arg(long, short, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Replace the file if it is there.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    dry: DryRun,
}

/// Where to write a backup.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The file; without it one in this folder, named by when it was made.
    file: Option<PathBuf>,
    /// Replace the file if it is there.
    #[arg(long)]
    force: bool,
    /// The whole server instead, as the RDB file that a replica gets: all databases, every key. The server forks for it,
    /// and the user needs `+psync +replconf`. It is put back by starting a redis-server with it, not by `restore`.
    #[arg(long)]
    rdb: bool,
    #[command(flatten)]
    encrypt: Encrypt,
    #[command(flatten)]
    dry: DryRun,
}

/// Which backup, and how.
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The file.
    file: PathBuf,
    /// Only check and rehearse it; the event store is not touched.
    #[arg(long)]
    rehearse: bool,
    /// Overwrite keys that are there with another value.
    #[arg(long, conflicts_with = "rehearse")]
    replace: bool,
    #[command(flatten)]
    open: Open,
    #[command(flatten)]
    dry: DryRun,
}

/// How much to measure.
#[derive(Debug, Args)]
pub(crate) struct Benchmark {
    /// Operations of each step, 100 to 1,000,000; no step takes longer than 8 seconds.
    #[arg(long, default_value_t = 20_000)]
    ops: u32,
    /// Size of a value in bytes, 1 to 16,384.
    #[arg(long, default_value_t = 200)]
    value_bytes: u32,
    /// Commands in a pipeline, 2 to 100.
    #[arg(long, default_value_t = 16)]
    pipeline: u32,
    #[command(flatten)]
    dry: DryRun,
}

/// Which period.
#[derive(Debug, Args)]
pub(crate) struct Aggregate {
    /// From this day or instant (RFC 3339) on; 30 days ago if absent.
    #[arg(long, value_parser = crate::period::parse_instant)]
    from: Option<DateTime<Utc>>,
    /// Before this day or instant; now if absent.
    #[arg(long, value_parser = crate::period::parse_instant)]
    to: Option<DateTime<Utc>>,
    #[command(flatten)]
    dry: DryRun,
}

fn parse_category(text: &str) -> Result<Category, String> {
    text.parse().map_err(|error: watchpost_model::event::UnknownWord| error.to_string())
}

fn parse_format(text: &str) -> Result<ExportFormat, String> {
    text.parse().map_err(|error: watchpost_model::event::UnknownWord| error.to_string())
}

pub(crate) async fn optimize(session: &Session, form: Output, wanted: Optimize) -> anyhow::Result<bool> {
    let request = OptimizeRequest { revert: wanted.revert };
    if wanted.dry.dry_run {
        return previewed(form, session.ask::<operation::optimize_preview>(request)).await;
    }
    let run = session.because(wanted.dry.reason).ask::<operation::optimize_run>(request).await?;
    finished(session, form, run).await
}

pub(crate) async fn export(session: &Session, form: Output, wanted: Export) -> anyhow::Result<bool> {
    let what = match &wanted.categories[..] {
        _ if wanted.all => "keys".to_owned(),
        [] => "events".to_owned(),
        some => some.iter().map(|one| one.as_str()).collect::<Vec<_>>().join("-"),
    };
    let file =
        wanted.file.unwrap_or_else(|| named(session, &format!("export-{what}"), wanted.format.as_str()));
    let request = ExportRequest {
        categories: wanted.categories,
        from: wanted.from,
        to: wanted.to,
        all: wanted.all,
        format: wanted.format,
        path: std::path::absolute(file)?.to_string_lossy().into_owned(),
        force: wanted.force,
    };
    if wanted.dry.dry_run {
        return previewed(form, session.ask::<operation::export_preview>(request)).await;
    }
    let run = session.because(wanted.dry.reason).ask::<operation::export_run>(request).await?;
    finished(session, form, run).await
}

pub(crate) async fn backup(session: &Session, form: Output, wanted: Backup) -> anyhow::Result<bool> {
    let encryption = wanted.encrypt.asked()?;
    let ending = match (wanted.rdb, encryption.is_some()) {
        (true, true) => "rdb.age",
        (true, false) => "rdb",
        (false, true) => "wpbackup.age",
        (false, false) => "wpbackup",
    };
    let file = wanted.file.unwrap_or_else(|| named(session, "backup", ending));
    let path = std::path::absolute(file)?.to_string_lossy().into_owned();
    let request = BackupRequest { path, force: wanted.force, rdb: wanted.rdb, encryption };
    if wanted.dry.dry_run {
        return previewed(form, session.ask::<operation::backup_preview>(request)).await;
    }
    let run = session.because(wanted.dry.reason).ask::<operation::backup_run>(request).await?;
    finished(session, form, run).await
}

pub(crate) async fn restore(session: &Session, form: Output, wanted: Restore) -> anyhow::Result<bool> {
    let path = std::path::absolute(wanted.file)?.to_string_lossy().into_owned();
    let key = wanted.open.named()?;
    let request = RestoreRequest { path, rehearse_only: wanted.rehearse, replace: wanted.replace, key };
    if wanted.dry.dry_run {
        let preview = progress::looked(session.ask::<operation::restore_preview>(request));
        return match Box::pin(preview).await {
            Ok(Some(report)) => show::report(form, &report).map(|()| false),
            Ok(None) => Ok(true),
            Err(problem) if is_of_the_file(&problem) => Ok(damaged(&problem)),
            Err(problem) => Err(problem.into()),
        };
    }
    match session.because(wanted.dry.reason).ask::<operation::restore_run>(request).await {
        Ok(run) => finished(session, form, run).await,
        Err(problem) if is_of_the_file(&problem) => Ok(damaged(&problem)),
        Err(problem) => Err(problem.into()),
    }
}

/// Is it about what is in the file? One that is damaged in its head is found before the job begins, one that is damaged
/// behind it by the job, whose failure is no wrong usage either.
fn is_of_the_file(problem: &OpError) -> bool {
    problem.code == ErrorCode::Validation && problem.field.as_deref().is_none_or(|field| field == "path")
}

fn damaged(problem: &OpError) -> bool {
    tracing::error!("{}; nothing was changed", problem.message);
    true
}

pub(crate) async fn benchmark(session: &Session, form: Output, wanted: Benchmark) -> anyhow::Result<bool> {
    let Benchmark { ops, value_bytes, pipeline, dry } = wanted;
    let request = BenchmarkRequest { ops, value_bytes, pipeline };
    if dry.dry_run {
        return previewed(form, session.ask::<operation::benchmark_preview>(request)).await;
    }
    let run = session.because(dry.reason).ask::<operation::benchmark_run>(request).await?;
    finished(session, form, run).await
}

pub(crate) async fn cleanup(session: &Session, form: Output, dry: DryRun) -> anyhow::Result<bool> {
    if dry.dry_run {
        return previewed(form, session.ask::<operation::cleanup_preview>(Nothing {})).await;
    }
    let run = session.because(dry.reason).ask::<operation::cleanup_run>(Nothing {}).await?;
    finished(session, form, run).await
}

pub(crate) async fn aggregate(session: &Session, form: Output, wanted: Aggregate) -> anyhow::Result<bool> {
    let request = AggregateRequest { from: wanted.from, to: wanted.to };
    if wanted.dry.dry_run {
        return previewed(form, session.ask::<operation::aggregate_preview>(request)).await;
    }
    let run = session.because(wanted.dry.reason).ask::<operation::aggregate_run>(request).await?;
    finished(session, form, run).await
}

/// Shows what a job would do. One that was cancelled ends as a cancelled job does.
pub(crate) async fn previewed(
    form: Output,
    preview: impl Future<Output = Result<JobReport, OpError>>,
) -> anyhow::Result<bool> {
    match Box::pin(progress::looked(preview)).await? {
        Some(report) => show::report(form, &report).map(|()| false),
        None => Ok(true),
    }
}

/// A name for a file in this folder: what it is, and when.
fn named(session: &Session, what: &str, ending: &str) -> PathBuf {
    PathBuf::from(format!("watchpost-{what}-{}.{ending}", session.console.now().format("%Y%m%dT%H%M%SZ")))
}
