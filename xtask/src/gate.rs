//! `cargo xtask test`: every check, in the order in which they are cheapest to fail, as CI runs them.

use std::io::{BufRead, BufReader, IsTerminal};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::packages::{self, Purpose};
use crate::{build, codegen, fuzz, shell, tidy, ui};

/// How much is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Everything.
    Full,
    /// What a change of code breaks most often.
    Quick,
}

/// How a step that did not fail ended.
enum Outcome {
    Done,
    /// Done, with a result worth repeating at the end.
    Told(String),
    Skipped(&'static str),
}

struct Step {
    name: &'static str,
    job: fn(Extent) -> Result<Outcome>,
    extent: Extent,
}

const fn always(name: &'static str, job: fn(Extent) -> Result<Outcome>) -> Step {
    Step { name, job, extent: Extent::Quick }
}

const fn full(name: &'static str, job: fn(Extent) -> Result<Outcome>) -> Step {
    Step { name, job, extent: Extent::Full }
}

/// Each target, in a run of all checks.
const FUZZ_SECONDS: u32 = 8;

const STEPS: [Step; 15] = [
    always("tools and packages", |_| done(prepare())),
    always("format", |_| done(shell::run(shell::cargo().args(["fmt", "--all", "--check"])))),
    always("ui packages", |_| done(ui::install())),
    // The window embeds what this builds, so it comes before anything that compiles the window.
    always("ui build", |_| done(ui::build())),
    always("ui types", |_| done(shell::run(&mut ui::npm(&["run", "check"])))),
    always("ui lint", |_| done(shell::run(&mut ui::npm(&["run", "lint"])))),
    always("ui tests", |_| done(shell::run(&mut ui::npm(&["test"])))),
    always("clippy", |_| {
        let lints = ["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"];
        done(shell::run(shell::cargo().args(lints)))
    }),
    always("build", |_| {
        done(shell::run(shell::cargo().args(["build", "--locked", "--workspace", "--all-targets"])))
    }),
    always("tests", tests),
    full("short fuzzing", |_| done(fuzz::fuzz(FUZZ_SECONDS, None))),
    full("documentation", |_| {
        let doc = ["doc", "--locked", "--workspace", "--no-deps"];
        done(shell::run(shell::cargo().args(doc).env("RUSTDOCFLAGS", "-D warnings")))
    }),
    always("generated code", |_| done(codegen::check())),
    always("tidy", |_| match tidy::run()? {
        code if code == ExitCode::SUCCESS => Ok(Outcome::Done),
        _ => bail!("the complaints are above"),
    }),
    full("dependency audit", |_| {
        if !shell::has("cargo-deny") {
            return Ok(Outcome::Skipped("cargo-deny is not installed"));
        }
        done(shell::run(shell::cargo().args(["deny", "--offline", "check", "licenses", "bans", "sources"])))
    }),
];

/// Runs the steps until one fails, and prints how each one went.
///
/// # Errors
/// Never for a failed step; that is told and is the exit code.
pub fn run(extent: Extent) -> Result<ExitCode> {
    let mut rows: Vec<(&str, String, Duration)> = Vec::new();
    let mut failure = None;
    for (idx, step) in STEPS.iter().enumerate() {
        if failure.is_some() {
            rows.push((step.name, "not run".to_owned(), Duration::ZERO));
            continue;
        }
        if extent == Extent::Quick && step.extent == Extent::Full {
            rows.push((step.name, "skipped: --quick".to_owned(), Duration::ZERO));
            continue;
        }
        println!("\n== {}/{} {}", idx + 1, STEPS.len(), step.name);
        let start = Instant::now();
        let word = match (step.job)(extent) {
            Ok(Outcome::Done) => "ok".to_owned(),
            Ok(Outcome::Told(result)) => format!("ok: {result}"),
            Ok(Outcome::Skipped(reason)) => format!("skipped: {reason}"),
            Err(error) => {
                let word = format!("FAILED: {error:#}");
                failure = Some(step.name);
                word
            }
        };
        let elapsed = start.elapsed();
        println!("== {}: {word} ({})", step.name, seconds(elapsed));
        rows.push((step.name, word, elapsed));
    }
    let total: Duration = rows.iter().map(|(_, _, elapsed)| *elapsed).sum();
    println!("\n{:>9}  {:<20}  result", "time", "step");
    for (name, word, elapsed) in &rows {
        println!("{:>9}  {name:<20}  {word}", seconds(*elapsed));
    }
    match failure {
        None => println!("{:>9}  {:<20}  all ok", seconds(total), "total"),
        Some(name) => println!("{:>9}  {:<20}  FAILED at {name}", seconds(total), "total"),
    }
    Ok(if failure.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn done(result: Result<()>) -> Result<Outcome> {
    result.map(|()| Outcome::Done)
}

fn seconds(elapsed: Duration) -> String {
    if elapsed.is_zero() { "-".to_owned() } else { format!("{:.1} s", elapsed.as_secs_f64()) }
}

/// System packages and the two components of Rust that a minimal installation lacks.
fn prepare() -> Result<()> {
    packages::ensure(Purpose::Test)?;
    let lacking: Vec<&str> = [("fmt", "rustfmt"), ("clippy", "clippy")]
        .into_iter()
        .filter(|(job, _)| {
            !shell::cargo().args([job, "--version"]).output().is_ok_and(|out| out.status.success())
        })
        .map(|(_, component)| component)
        .collect();
    if lacking.is_empty() {
        return Ok(());
    }
    if !shell::has("rustup") {
        bail!("the Rust installation lacks {}", lacking.join(" and "));
    }
    shell::run(shell::command("rustup").args(["component", "add"]).args(lacking))
}

/// The tests of all crates: `cargo nextest` where it is installed, otherwise `cargo test`.
fn tests(extent: Extent) -> Result<Outcome> {
    let programs = build::directory()?;
    let mut cargo = shell::cargo();
    cargo.env("WATCHPOST_BIN_DIR", programs);
    if !shell::has("cargo-nextest") {
        println!("cargo-nextest is not installed: running cargo test");
        cargo.args(["test", "--locked", "--workspace", "--no-fail-fast"]);
        if extent == Extent::Quick {
            cargo.args(["--exclude", "watchpost-tests"]);
        }
        let mut counts = Counts::default();
        run_reading(cargo.stdout(Stdio::piped()), |line| {
            counts.add(line);
            println!("{line}");
        })
        .with_context(|| counts.to_string())?;
        return Ok(Outcome::Told(counts.to_string()));
    }
    cargo.args(["nextest", "run", "--locked", "--workspace"]);
    if std::io::stderr().is_terminal() {
        cargo.args(["--color", "always"]);
    }
    if extent == Extent::Quick {
        cargo.args(["-E", "not (package(watchpost-tests) and binary(window))"]);
    }
    let mut summary = String::new();
    run_reading(cargo.stderr(Stdio::piped()), |line| {
        if let Some((_, counts)) = line.split_once("Summary") {
            summary = counts.trim().to_owned();
        }
        eprintln!("{line}");
    })
    .with_context(|| summary.clone())?;
    if extent == Extent::Full {
        // Examples in the documentation are tests, too, and nextest leaves them out.
        shell::run(shell::cargo().args(["test", "--locked", "--workspace", "--doc", "--quiet"]))?;
    }
    Ok(Outcome::Told(summary))
}

/// Runs a command and hands over each line of its one piped output as it comes.
fn run_reading(command: &mut Command, mut line_read: impl FnMut(&str)) -> Result<()> {
    println!("$ {}", shell::shown(command));
    let mut child =
        command.spawn().with_context(|| format!("failed to start `{}`", shell::shown(command)))?;
    let pipe: Box<dyn std::io::Read> = match (child.stdout.take(), child.stderr.take()) {
        (Some(stdout), None) => Box::new(stdout),
        (None, Some(stderr)) => Box::new(stderr),
        _ => bail!("exactly one output must be piped"),
    };
    for line in BufReader::new(pipe).split(b'\n') {
        line_read(&String::from_utf8_lossy(&line?));
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("`{}` ended with {status}", shell::shown(command));
    }
    Ok(())
}

/// The sums over the result lines of `cargo test`.
#[derive(Debug, Default)]
struct Counts {
    n_passed: u64,
    n_failed: u64,
}

impl Counts {
    /// Reads a line such as `test result: ok. 3 passed; 0 failed; 0 ignored; ...`.
    fn add(&mut self, line: &str) {
        let Some((_, result)) = line.split_once("test result:") else { return };
        let count = |word: &str| {
            let (before, _) = result.split_once(word)?;
            before.split_whitespace().next_back()?.parse::<u64>().ok()
        };
        self.n_passed += count(" passed").unwrap_or(0);
        self.n_failed += count(" failed").unwrap_or(0);
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed", self.n_passed, self.n_failed)
    }
}

#[cfg(test)]
mod tests {
    use super::Counts;

    #[test]
    fn result_lines_are_summed_and_others_are_not() {
        let mut counts = Counts::default();
        counts.add("running 3 tests");
        counts.add("test result: ok. 3 passed; 0 failed; 0 filtered out; finished in 0.00s");
        counts.add("test result: FAILED. 11 passed; 2 failed; 0 filtered out; finished in 0.00s");
        assert_eq!((counts.n_passed, counts.n_failed), (14, 2));
        assert_eq!(counts.to_string(), "14 passed, 2 failed");
    }
}
