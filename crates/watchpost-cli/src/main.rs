//! `watchpost`: every operation headless, and the daemon.

mod approval;
mod args;
mod audit;
mod audit_bundle;
mod audit_evidence;
mod audit_key;
mod audit_purge;
mod audit_timestamp;
mod baseline;
mod connect;
mod copy_keys;
mod database;
mod detect;
mod enrich;
mod events;
mod health;
mod health_lists;
mod incident;
mod maintain;
mod output;
mod patterns;
mod period;
mod plan;
mod privacy;
mod progress;
mod report;
mod report_args;
mod respond;
mod role;
mod rules;
mod run;
mod sealing;
mod secrets_file;
mod serve;
mod session;
mod show;
mod show_block;
mod show_incident;
mod token_keys;

use std::ffi::OsString;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{CommandFactory, FromArgMatches};
use watchpost_ops::error::{ErrorCode, OpError};

use crate::args::{Cli, Command};

/// Found something, or a check failed.
pub(crate) const FOUND: u8 = 1;

/// Events, decoded values and rows are many small pieces: with this one the engine takes half as many more in a second.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long what was interrupted may take to put things back.
const STOPPING: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let cli = match parsed(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    if let Command::Completions { shell } = cli.command {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "watchpost", &mut script);
        return match output::line(String::from_utf8_lossy(&script)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => complain(&error),
        };
    }
    start_logging(cli.verbose);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&anyhow::Error::new(error).context("cannot start the runtime")),
    };
    // Ends with the runtime.
    let _hears = runtime.spawn(progress::hear_keyboard());
    match runtime.block_on(run::run(cli)) {
        Ok(code) => code,
        Err(error) => {
            if error.downcast_ref::<OpError>().is_some_and(|problem| problem.code == ErrorCode::Cancelled) {
                // Files that are being written are taken away within that time; a page that is being drawn is not waited for.
                runtime.shutdown_timeout(STOPPING);
            }
            complain(&error)
        }
    }
}

/// The command line. What only the environment names is no flag that another one contradicts.
fn parsed<A: Into<OsString> + Clone>(args: impl IntoIterator<Item = A>) -> Result<Cli, clap::Error> {
    let mut command = Cli::command();
    let matches = command.try_get_matches_from_mut(args)?;
    let cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
    let is_flag = matches.value_source("connection") == Some(ValueSource::CommandLine);
    match &cli.command {
        Command::Analyze(verb) if verb.defaults && is_flag => Err(command.error(
            ErrorKind::ArgumentConflict,
            "the argument '--defaults' cannot be used with '--connection <CONNECTION>'",
        )),
        _ => Ok(cli),
    }
}

/// Says why a command line is refused. The parser repeats what it refuses as it was typed: it is asked again with every
/// argument made visible, so that none of them can take over the terminal. Values of the environment it does not repeat:
/// `hide_env_values` stands beside each `env`.
#[expect(clippy::print_stderr, reason = "the last word of a failed command")]
fn refuse(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        error.exit();
    }
    let shown = std::env::args_os().map(|arg| output::one_line(&arg.to_string_lossy()));
    match parsed(shown) {
        Err(told) if told.use_stderr() => told.exit(),
        // What is refused only as it was typed: bytes that are no text.
        _ => {
            eprintln!("{}", output::lines(&error.render().to_string()));
            ExitCode::from(2)
        }
    }
}

/// Logs go to standard error, so that standard output holds results only.
fn start_logging(verbose: u8) {
    let default = match verbose {
        0 => "warn",
        1 => "info,watchpost=debug",
        _ => "debug",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("WATCHPOST_LOG").unwrap_or_else(|_| {
        tracing_subscriber::EnvFilter::new(format!("{default},{}", watchpost_ops::QUIET))
    });
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
}

/// Says what is wrong and what to do.
#[expect(clippy::print_stderr, reason = "standard output holds results only")]
pub(crate) fn tell(problem: &OpError) {
    eprintln!("watchpost: {}", output::one_line(&problem.message));
    if let Some(hint) = &problem.hint {
        eprintln!("  {}", output::one_line(hint));
    }
}

/// Says what went wrong and what to do, and chooses the exit code.
#[expect(clippy::print_stderr, reason = "the last word of a failed command")]
fn complain(error: &anyhow::Error) -> ExitCode {
    let Some(problem) = error.downcast_ref::<OpError>() else {
        eprintln!("watchpost: {}", output::one_line(&format!("{error:#}")));
        // A file or a port that the system does not give.
        let refused = error.chain().any(|cause| cause.is::<std::io::Error>());
        return ExitCode::from(if refused { 3 } else { FOUND });
    };
    tell(problem);
    ExitCode::from(match problem.code {
        ErrorCode::Validation | ErrorCode::NotFound => 2,
        ErrorCode::Unavailable | ErrorCode::Timeout | ErrorCode::SchemaTooNew | ErrorCode::SecretStore => 3,
        // Refused, by whom or by the state of things: `FOUND` would read as an answer.
        ErrorCode::Permission | ErrorCode::Approval | ErrorCode::Conflict | ErrorCode::Precondition => 4,
        // As a shell tells of what Ctrl+C ended.
        ErrorCode::Cancelled => progress::INTERRUPTED,
        ErrorCode::Internal => FOUND,
    })
}
