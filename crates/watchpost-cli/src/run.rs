//! Each verb: build a request, hand it to the door, show the answer.

use std::process::ExitCode;

use watchpost_model::health::Verdict;
use watchpost_model::job::{JobRun, JobState};
use watchpost_ops::BundleDepth;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{
    AllowAdd, AllowRemove, BlockAdd, BlockCheck, BlockListRequest, BlockRemove, BlockTerms, BlockTrial,
    ImportRequest, Nothing, OverviewRequest, Part, PartState, RetentionRequest, SettingsChange,
    SimulateRequest, Standing, WorkspaceStatus,
};
use watchpost_ops::door::{OPERATIONS, Operation, operation};
use watchpost_ops::error::{ErrorCode, OpError};

use crate::args::{Block, Call, Cli, Command, Config, Output, Serve};
use crate::report_args::Report;
use crate::session::Session;
use crate::{
    FOUND, approval, audit, audit_bundle, baseline, connect, database, detect, enrich, events, incident,
    maintain, output, privacy, progress, report, respond, role, rules, sealing, secrets_file, serve, show,
    show_block, token_keys,
};

/// Runs the command line; the exit code of a command that ran.
pub(crate) async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let form = cli.output;
    let found = match &cli.command {
        Command::Completions { .. } => false,
        Command::Operations => {
            show::operations(form, OPERATIONS)?;
            false
        }
        Command::Detect(detect) => return detect::run(detect),
        Command::Analyze(_) => {
            let (basis, session) = detect::basis(&cli).await?;
            let Command::Analyze(analyze) = cli.command else { unreachable!("matched above") };
            let found = detect::analyze(form, analyze, basis).await;
            if let Some(session) = session {
                session.console.close().await;
            }
            found?
        }
        Command::Rules(verb) if verb.needs_no_workspace() => rules::offline(form, verb)?,
        Command::Connect(_) => {
            let session = Session::closed(&cli, Tenure::Guest)?;
            let Command::Connect(verb) = cli.command else { unreachable!("matched above") };
            connect::run(&session, form, verb).await?
        }
        Command::Config(Config::SecretsFile(_)) => {
            let session = Session::closed(&cli, Tenure::Guest)?;
            let Command::Config(Config::SecretsFile(verb)) = cli.command else {
                unreachable!("matched above")
            };
            secrets_file::run(&session, form, verb).await?
        }
        Command::Audit(audit::Audit::Verify { bundle: Some(bundle), key, leaves_only, .. }) => {
            let depth = if *leaves_only { BundleDepth::Leaves } else { BundleDepth::Whole };
            audit_bundle::verify(form, bundle, key.as_deref(), depth)?
        }
        Command::Report(Report::Verify { key: Some(_), .. }) => {
            let Command::Report(Report::Verify { file, key: Some(key), approval }) = cli.command else {
                unreachable!("matched above")
            };
            return report::verify_alone(form, file, key, approval).map(ExitCode::from);
        }
        Command::Report(_) => {
            let session = Session::open(&cli, Tenure::Guest).await?;
            let Command::Report(verb) = cli.command else { unreachable!("matched above") };
            let code = report::report(&session, form, verb).await;
            session.console.close().await;
            return code.map(ExitCode::from);
        }
        Command::Serve(_) => return daemon(&cli).await,
        Command::Doctor => doctor(&cli, form).await?,
        Command::Status => status(&cli, form).await?,
        _ => {
            let session = Session::open(&cli, Tenure::Guest).await?;
            let result = verb(&session, form, cli.command).await;
            session.console.close().await;
            result?
        }
    };
    Ok(if found { ExitCode::from(FOUND) } else { ExitCode::SUCCESS })
}

async fn daemon(cli: &Cli) -> anyhow::Result<ExitCode> {
    let Command::Serve(Serve { listen, token_file, until_idle }) = &cli.command else {
        unreachable!("only called for serve")
    };
    let session = Session::open(cli, Tenure::Owner).await?;
    // From here on Ctrl+C has it end by itself.
    let _presses = progress::presses();
    let result = if *until_idle {
        tokio::select! {
            idle = session.console.until_idle() => idle.map_err(anyhow::Error::from),
            () = serve::stop_signal() => Ok(()),
        }
    } else {
        serve::serve(session.console.clone(), *listen, token_file.as_deref()).await
    };
    if result.is_ok() && *until_idle && cli.output == Output::Table {
        let engine = session.console.status(&session.call.caller).await.engine;
        output::line(format!(
            "{} events processed, {} findings",
            engine.processed_total, engine.findings_total
        ))?;
    }
    session.console.close().await;
    result.map(|()| ExitCode::SUCCESS)
}

/// A verb on an open workspace; true means that something was found or a check failed.
async fn verb(session: &Session, form: Output, command: Command) -> anyhow::Result<bool> {
    match command {
        Command::Import(import) => {
            let session = &session.because(import.reason);
            let mut failed = false;
            for file in import.files {
                let path = std::path::absolute(&file)?.to_string_lossy().into_owned();
                let request = ImportRequest { path, format: import.format.clone(), restart: import.restart };
                let run = session.ask::<operation::import_run>(request).await?;
                failed |= finished(session, form, run).await?;
            }
            Ok(failed)
        }
        Command::Simulate(simulate) => {
            let request = SimulateRequest {
                seed: simulate.seed,
                days: simulate.days,
                until: simulate.until,
                events_per_day: simulate.events_per_day,
                users: simulate.users,
                truth_path: match simulate.truth {
                    Some(path) => Some(std::path::absolute(path)?.to_string_lossy().into_owned()),
                    None => None,
                },
            };
            let session = &session.because(simulate.reason);
            let run = session.ask::<operation::simulate_run>(request).await?;
            finished(session, form, run).await
        }
        Command::Stats(stats) if stats.counts_keys() => crate::patterns::run(session, form, stats).await,
        Command::Stats(_) => {
            let health = session.ask::<operation::redis_health>(Nothing {}).await?;
            show::health(form, &health)?;
            Ok(matches!(health.verdict, Verdict::Warning | Verdict::Critical))
        }
        Command::Retention(retention) => {
            let request = RetentionRequest { days: retention.days, restart: retention.restart };
            if retention.dry.dry_run {
                let preview = session.ask::<operation::retention_preview>(request);
                return maintain::previewed(form, preview).await;
            }
            let run = session.because(retention.dry.reason).ask::<operation::retention_run>(request).await?;
            finished(session, form, run).await
        }
        Command::Optimize(wanted) => maintain::optimize(session, form, wanted).await,
        Command::Export(wanted) => maintain::export(session, form, wanted).await,
        Command::Backup(wanted) => maintain::backup(session, form, wanted).await,
        Command::Restore(wanted) => maintain::restore(session, form, wanted).await,
        Command::Benchmark(wanted) => maintain::benchmark(session, form, wanted).await,
        Command::Cleanup(dry) => maintain::cleanup(session, form, dry).await,
        Command::Aggregate(wanted) => maintain::aggregate(session, form, wanted).await,
        Command::Jobs => {
            show::jobs(form, &session.ask::<operation::job_list>(Nothing {}).await?)?;
            Ok(false)
        }
        Command::Schedule(verb) => crate::plan::schedule(session, form, verb).await,
        Command::Overview(last) => {
            let period = last.last.ending(session.console.now());
            let overview =
                session.ask::<operation::overview>(OverviewRequest { period, buckets: 60 }).await?;
            show::overview(form, &overview)?;
            Ok(false)
        }
        Command::Events(wanted) => events::run(session, form, wanted).await.map(|()| false),
        Command::Event(verb) => sealing::event(session, form, verb).await.map(|()| false),
        Command::Rules(verb) => rules::run(session, form, verb).await,
        Command::Incident(verb) => incident::run(session, form, verb).await.map(|()| false),
        Command::Suppression(verb) => incident::suppression(session, form, verb).await.map(|()| false),
        Command::Block(verb) => block(session, form, verb).await,
        Command::Baseline(verb) => baseline::run(session, form, verb).await,
        Command::Contain(verb) => respond::contain(session, form, verb).await,
        Command::Response(verb) => respond::response(session, form, verb).await.map(|()| false),
        Command::Threat(verb) => enrich::threat(session, form, verb).await,
        Command::Asset(verb) => enrich::asset(session, form, verb).await.map(|()| false),
        Command::Risk(verb) => enrich::risk(session, form, verb).await.map(|()| false),
        Command::Register(verb) => report::register(session, form, verb).await,
        Command::Audit(verb) => Box::pin(audit::run(session, form, verb)).await,
        Command::Database(verb) => Box::pin(database::run(session, form, verb)).await,
        Command::Privacy(verb) => Box::pin(privacy::run(session, form, verb)).await,
        Command::Approval(verb) => Box::pin(approval::run(session, form, verb)).await,
        Command::Role(verb) => role::run(session, form, verb).await.map(|()| false),
        Command::Config(verb) => config(session, form, verb).await.map(|()| false),
        Command::Call(call) => self::call(session, call).await.map(|()| false),
        Command::Connect(_)
        | Command::Serve(_)
        | Command::Status
        | Command::Doctor
        | Command::Operations
        | Command::Detect(_)
        | Command::Analyze(_)
        | Command::Report(_)
        | Command::Completions { .. } => {
            unreachable!("these need no open workspace")
        }
    }
}

/// Follows a job and shows how it ended; true means that it failed.
pub(crate) async fn finished(session: &Session, form: Output, run: JobRun) -> anyhow::Result<bool> {
    let run = progress::follow(session, run).await?;
    show::job(form, &run)?;
    Ok(run.state != JobState::Done)
}

/// Do both servers answer, does the audit trail continue what this console saw, are there copies as the plan asks, and is
/// nothing of Redis critical?
fn is_well(status: &WorkspaceStatus) -> bool {
    let answers = |part: &Option<Part>| part.as_ref().is_some_and(|part| part.state == PartState::Connected);
    let trail_holds = status.trail.as_ref().is_none_or(|trail| trail.ok);
    answers(&status.redis)
        && answers(&status.database)
        && trail_holds
        && status.copies_problem.is_none()
        && status.health_alerts.iter().all(|alert| alert.verdict != Verdict::Critical)
}

/// How everything is. Where the database does not open that is the state, shown before it is told as what went wrong.
async fn status(cli: &Cli, form: Output) -> anyhow::Result<bool> {
    let session = Session::closed(cli, Tenure::Guest)?;
    let connection = session.connection(cli)?;
    let opened = session.console.open(connection.clone()).await;
    let mut status = session.ask::<operation::workspace_status>(Nothing {}).await?;
    if let Err(problem) = &opened {
        status.connection = Some(connection);
        // Without a secret of the connection neither server was tried.
        if problem.code != ErrorCode::SecretStore {
            let detail = problem.message.clone();
            status.database = Some(Part { state: PartState::Down, detail, last_ok: None });
        }
    }
    show::status(form, &status)?;
    session.console.close().await;
    opened?;
    Ok(!is_well(&status))
}

/// Every check, whatever the ones before say: a connection that does not open is tried step by step all the same.
async fn doctor(cli: &Cli, form: Output) -> anyhow::Result<bool> {
    let session = Session::closed(cli, Tenure::Guest)?;
    let connection = session.connection(cli)?;
    let is_local = connection.id == watchpost_ops::connections::LOCAL;
    let name = if is_local { "local".to_owned() } else { connection.name.clone() };
    // Opening it would change its tables: a check says so, and changes nothing.
    if let Some(behind) = session.console.schema_change(&connection).await {
        let mut status = session.ask::<operation::workspace_status>(Nothing {}).await?;
        status.connection = Some(connection);
        let (from, to) = (behind.from, behind.to);
        let who = if behind.by_opening {
            format!("whatever opens it next brings it to {to}")
        } else {
            format!("this login may not bring it to {to}: the owner of its tables has to open it once")
        };
        let detail = format!(
            "not opened: it has schema {from}, and {who} (docs/audit.md, before an update changes the tables)"
        );
        status.database = Some(Part { state: PartState::Down, detail, last_ok: None });
        show::status(form, &status)?;
        let is_bad = connect::run(&session, form, crate::args::Connect::Test { name }).await?;
        session.console.close().await;
        return Ok(is_bad);
    }
    let opened = session.console.open(connection.clone()).await;
    let status = session.ask::<operation::workspace_status>(Nothing {}).await?;
    show::status(form, &status)?;
    if let Err(problem) = &opened {
        tracing::error!(connection = connection.name, %problem, "the connection does not open");
    }
    let test = operation::connection_test::SPEC.permission;
    let is_bad = if is_local && opened.is_ok() {
        !is_well(&status)
    } else if opened.is_ok() && !status.caller.role.may(test) {
        // What the role may not do is not tried: a refusal would stand in the trail as something that deserves a look.
        if matches!(form, Output::Table) {
            output::line(format!("not tried step by step: that takes the permission {:?}", test.as_str()))?;
        }
        !is_well(&status)
    } else {
        connect::run(&session, form, crate::args::Connect::Test { name }).await? || opened.is_err()
    };
    session.console.close().await;
    Ok(is_bad)
}

async fn block(session: &Session, form: Output, verb: Block) -> anyhow::Result<bool> {
    match verb {
        Block::List { state, in_force_at } => {
            let state = state.iter().filter_map(|word| word.parse().ok()).collect();
            let request = BlockListRequest { state, in_force_at, limit: 500, ..BlockListRequest::default() };
            show_block::blocks(form, &session.ask::<operation::block_list>(request).await?)?;
        }
        Block::Check { target } => {
            let standing = session.ask::<operation::block_check>(BlockCheck { target }).await?;
            show_block::standing(form, &standing)?;
            return Ok(standing.standing == Standing::Blocked);
        }
        Block::Remove { target, dry_run: true, .. } => {
            let trial = BlockTrial { target, terms: None };
            let preview = session.ask::<operation::block_preview>(trial).await?;
            show_block::block_preview(form, &preview)?;
            return Ok(preview.existing.is_none());
        }
        Block::Add { target, reason, ttl, incident, dry_run: true } => {
            let ttl_s = u64::try_from(ttl.num_seconds()).unwrap_or(0);
            let trial = BlockTrial { target, terms: Some(BlockTerms { reason, ttl_s, incident }) };
            let preview = session.ask::<operation::block_preview>(trial).await?;
            show_block::block_preview(form, &preview)?;
            return Ok(preview.refusal.is_some());
        }
        Block::Add { target, reason, ttl, incident, dry_run: false } => {
            let ttl_s = u64::try_from(ttl.num_seconds()).unwrap_or(0);
            let added =
                session.ask::<operation::block_add>(BlockAdd { target, reason, ttl_s, incident }).await?;
            show_block::block(form, &added)?;
        }
        Block::Remove { target, reason, dry_run: false } => {
            let trial = BlockTrial { target, terms: None };
            let preview = session.ask::<operation::block_preview>(trial).await?;
            let block = preview
                .existing
                .ok_or_else(|| OpError::not_found(format!("block of {} in force", preview.target)))?;
            if block.target != preview.target {
                let (target, range) = (preview.target, block.target);
                return Err(OpError::precondition(format!("{target} is blocked by the range {range}"))
                    .hint(format!("remove {range}, which unblocks all of it"))
                    .into());
            }
            let removed =
                session.ask::<operation::block_remove>(BlockRemove { id: block.id, reason }).await?;
            show_block::block(form, &removed)?;
        }
        Block::Allow { target, note } => {
            show_block::blocks(form, &session.ask::<operation::allow_add>(AllowAdd { target, note }).await?)?;
        }
        Block::Disallow { target } => {
            show_block::blocks(form, &session.ask::<operation::allow_remove>(AllowRemove { target }).await?)?;
        }
    }
    Ok(false)
}

async fn config(session: &Session, form: Output, verb: Config) -> anyhow::Result<()> {
    let verb = match verb {
        Config::Location(location) => return enrich::location(session, form, location).await,
        Config::Context => return enrich::context(session, form).await,
        Config::TokenKey(verb) => return token_keys::run(session, form, verb).await,
        Config::Health(wanted) => return crate::health::run(session, form, wanted).await,
        Config::Sealing(wanted) => return sealing::sealing(session, form, wanted).await,
        Config::AuditRetention(wanted) => return crate::audit_purge::years(session, form, wanted).await,
        Config::Risk { half_life, reason } => {
            return enrich::half_life(&session.because(reason), form, half_life).await;
        }
        verb => verb,
    };
    let mut settings = session.ask::<operation::settings_get>(Nothing {}).await?;
    let reason = match verb {
        Config::Show => return show::settings(form, &settings),
        Config::Location(_)
        | Config::Context
        | Config::TokenKey(_)
        | Config::Sealing(_)
        | Config::AuditRetention(_)
        | Config::Health(_)
        | Config::SecretsFile(_)
        | Config::Risk { .. } => {
            unreachable!("matched above")
        }
        Config::Organisation { name, reason: why } => {
            settings.organisation = name;
            why
        }
        Config::Retention { category, redis_days, archive_days, reason: why } => {
            for rule in &mut settings.retention {
                if rule.category.as_str() == category {
                    rule.redis_days = redis_days;
                    rule.archive_days = archive_days;
                }
            }
            why
        }
    };
    let change =
        SettingsChange { organisation: settings.organisation, retention: settings.retention, reason };
    show::settings(form, &session.ask::<operation::settings_put>(change).await?)
}

async fn call(session: &Session, call: Call) -> anyhow::Result<()> {
    let text = if call.request == "-" { std::io::read_to_string(std::io::stdin())? } else { call.request };
    let request = serde_json::from_str(&text)
        .map_err(|error| OpError::invalid("request", format!("the request is not JSON: {error}")))?;
    let reply =
        session.console.call_json(&session.because(call.reason).call, &call.operation, request).await?;
    output::json(&reply)
}
