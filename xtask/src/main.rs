//! `cargo xtask`: build, start, test and look after the repository. `cargo xtask help` lists the jobs.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};
use xtask::{bench, codegen, doctor, fuzz, gate, samples, start, tidy};

#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    about = "Build, start, test and look after Watchpost",
    disable_version_flag = true
)]
struct Args {
    #[command(subcommand)]
    job: Job,
}

#[derive(Debug, Subcommand)]
enum Job {
    /// Install what is missing, build, and open the window
    Run,
    /// Picture every panel of the real window on a virtual screen
    Shots {
        /// Passed on: --out DIR, --size WxH, --theme dark|light
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Install what is missing and run every check, as CI does
    Test {
        /// Leave out the window, the documentation and the dependency audit
        #[arg(long)]
        quick: bool,
    },
    /// Write the generated TypeScript
    Codegen {
        /// Write nothing; fail when a committed file is stale
        #[arg(long)]
        check: bool,
    },
    /// Look for what no compiler finds: long files, forbidden patterns, arrows that point up
    Tidy,
    /// Say what this machine lacks
    Doctor,
    /// Throw altered inputs at everything that reads what attackers write
    Fuzz {
        /// How long, for each target
        #[arg(long, default_value_t = 60)]
        seconds: u32,
        /// Only this target
        #[arg(long)]
        target: Option<String>,
    },
    /// Make the reports in docs/samples again, from simulated traffic
    Samples,
    /// Build in release and measure
    Bench {
        /// What to measure
        what: Bench,
        /// Passed on to the program. `redis`: --keys N, --only 1,2, --json; `store`: --events N, --records N, --folder DIR;
        /// `ui`: --idle-minutes N, --flood N, --events N, --incidents N, --soak N
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Bench {
    /// The signature engine beside a floor and peers, latencies, memory, JSON lines and events a second
    Detect,
    /// Reports: a PDF of 10,000 rows, CSV beside the sqlite3 shell, SOC 2 over a large database
    Report,
    /// Events a second from Redis into the database, and how long an attack takes to become an incident
    Pipeline,
    /// Jobs on Redis beside the raw limit and redis-cli: time, memory, what other clients feel
    Redis,
    /// The audit database on SQLite beside the sqlite3 shell: inserting, first pages, the Overview, the trail
    Store,
    /// The real window: start, panels, scrolling, memory, computing, its code, and a large database through it
    Ui,
}

fn main() -> Result<ExitCode> {
    match Args::parse().job {
        Job::Run => start::run()?,
        Job::Shots { args } => start::shots(&args)?,
        Job::Test { quick } => {
            return gate::run(if quick { gate::Extent::Quick } else { gate::Extent::Full });
        }
        Job::Codegen { check: true } => codegen::check()?,
        Job::Codegen { check: false } => codegen::write()?,
        Job::Tidy => return tidy::run(),
        Job::Fuzz { seconds, target } => fuzz::fuzz(seconds, target.as_deref())?,
        Job::Doctor => return doctor::run(),
        Job::Bench { what: Bench::Detect, .. } => bench::detect()?,
        Job::Bench { what: Bench::Report, .. } => bench::report()?,
        Job::Samples => samples::write()?,
        Job::Bench { what: Bench::Pipeline, .. } => bench::pipeline()?,
        Job::Bench { what: Bench::Redis, args } => bench::redis(&args)?,
        Job::Bench { what: Bench::Store, args } => bench::store(&args)?,
        Job::Bench { what: Bench::Ui, args } => bench::ui(&args)?,
    }
    Ok(ExitCode::SUCCESS)
}
