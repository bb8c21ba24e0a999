//! `cargo xtask bench`: builds in release and prints figures. All ratios come from one run on one core.

use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::packages::{self, Purpose};
use crate::shell;

/// How often the sample requests are sent to the command line.
const N_LINES: usize = 40_000;

/// Measures detection: throughput of a generated mix beside a floor and peers, latencies, memory, large bodies, JSON
/// lines through the command line, events through the whole engine, behaviours and Sigma rules by themselves.
///
/// # Errors
/// When the build or a program fails.
pub fn detect() -> Result<()> {
    build(&["--example", "detect_bench", "--example", "behaviour_speed", "--example", "sigma_speed"])?;
    let directory = release()?;
    let text = shell::read(&mut shell::command(directory.join("examples/detect_bench")))?;
    let figures: Value =
        serde_json::from_str(&text).context("the benchmark wrote something that is not JSON")?;
    print(&figures);
    // Each in a process of its own: what one has allocated is not the next one's memory.
    println!("memory of groups:");
    shell::run(shell::command(directory.join("examples/behaviour_speed")).arg("memory"))?;
    println!("behaviours alone:");
    shell::run(&mut shell::command(directory.join("examples/behaviour_speed")))?;
    println!("Sigma, 142 generated rules:");
    shell::run(&mut shell::command(directory.join("examples/sigma_speed")))?;
    // Last, for the whole program takes long to build.
    build(&["--bin", "watchpost"])?;
    println!("{:<44}{:>12.0}", "JSON lines/s through `watchpost detect`", lines(&directory)?);
    Ok(())
}

/// Measures reports: drawing many rows, CSV beside the sqlite3 shell, and a framework over a million events and fifty
/// thousand audit records.
///
/// # Errors
/// When the build or a program fails.
pub fn report() -> Result<()> {
    build(&["--example", "report_speed", "--example", "report_scale"])?;
    let directory = release()?.join("examples");
    shell::run(&mut shell::command(directory.join("report_speed")))?;
    let folder = crate::samples::Scratch::new()?;
    let file = folder.0.join("scale.db");
    shell::run(shell::command(directory.join("report_scale")).arg(file).args(["1000000", "50000"]))
}

/// Measures the way from an event in Redis to an incident in the database: events a second from a full queue, and how
/// long an attack takes at a steady rate, a moderate one and one that a machine of two cores may not keep up with. Needs `redis-server`; the server and the database are new and private.
///
/// # Errors
/// When the build or the program fails.
pub fn pipeline() -> Result<()> {
    build(&["--example", "pipeline_speed"])?;
    let program = release()?.join("examples/pipeline_speed");
    shell::run(&mut shell::command(&program))?;
    shell::run(shell::command(&program).args(["0", "20000", "30"]))
}

/// Measures jobs on Redis: the numbers to reach, each beside what it is compared with. Needs `redis-server` and
/// `redis-cli`; the servers are new and private. `args` go to the program.
///
/// # Errors
/// When the build or the program fails.
pub fn redis(args: &[String]) -> Result<()> {
    build(&["--example", "redis_bench"])?;
    shell::run(shell::command(release()?.join("examples/redis_bench")).args(args))
}

/// Measures the audit database on SQLite, each figure beside the sqlite3 shell doing the same: inserting events, first
/// pages, the Overview, and appending to and verifying the trail. `args` go to the program.
///
/// # Errors
/// When the build or the program fails.
pub fn store(args: &[String]) -> Result<()> {
    build(&["--example", "store_bench"])?;
    shell::run(shell::command(release()?.join("examples/store_bench")).args(args))
}

/// Measures the real window on a virtual screen: start, panels, scrolling, memory and computing, the size of its code, and
/// what a large database answers through it. `args` go to the program.
///
/// # Errors
/// When something is missing that cannot be installed, the build fails, or the window does.
pub fn ui(args: &[String]) -> Result<()> {
    packages::ensure(Purpose::Test)?;
    crate::ui::build()?;
    // All programs, as `build::SELECTION`; of the examples only the one that fills the large database.
    let selection = ["--workspace", "--bins", "--example", "store_bench"];
    shell::run(shell::cargo().args(["build", "--release"]).args(selection))?;
    let directory = release()?;
    let mut bench = shell::command(directory.join("watchpost-ui-bench"));
    bench.env("WATCHPOST_BIN_DIR", &directory);
    shell::run(bench.arg("--filler").arg(directory.join("examples/store_bench")).args(args))
}

/// Builds programs of these packages in release. Always all of them: of fewer the third parties had other features, and
/// each benchmark built them anew.
fn build(targets: &[&str]) -> Result<()> {
    let packages = ["cli", "ops", "report", "detect"].map(|name| format!("--package=watchpost-{name}"));
    shell::run(shell::cargo().args(["build", "--release"]).args(packages).args(targets))
}

fn release() -> Result<PathBuf> {
    let debug = crate::build::directory()?;
    Ok(debug.parent().context("the directory of the programs has a parent")?.join("release"))
}

fn print(figures: &Value) {
    let number = |path: &str| figures.pointer(path).and_then(Value::as_f64).unwrap_or(0.0);
    let engine = number("/per_second/engine");
    println!("{} requests of {} bytes on average, one core", figures["requests"], figures["mean_bytes"]);
    println!("{:<44}{engine:>12.0}   1.00", "requests/s: signatures");
    for (name, key) in [
        ("floor: decode and split", "floor"),
        ("peer: RegexSet of 25 patterns", "regex_set_25"),
        ("peer: libinjection (Rust port)", "libinjection"),
    ] {
        let other = number(&format!("/per_second/{key}"));
        println!(
            "{:<44}{other:>12.0} {:>6.2} x ours",
            format!("requests/s: {name}"),
            other / engine.max(1.0)
        );
    }
    for state in ["cold", "warm"] {
        let at = |share: &str| number(&format!("/latency_us/{state}/{share}"));
        println!(
            "{:<44}{:>8.1} {:>8.1} {:>8.1}",
            format!("latency, {state}: p50 p99 max (µs)"),
            at("p50"),
            at("p99"),
            at("max")
        );
    }
    println!("{:<44}{:>12.0}", "ready after (ms)", number("/ready_ms"));
    let (before, first, second) = (
        number("/memory_mb/before"),
        number("/memory_mb/after_first_pass"),
        number("/memory_mb/after_second_pass"),
    );
    println!("{:<44}{:>12.1}", "memory: rules and caches (MB)", first - before);
    println!("{:<44}{:>12.1}", "memory: a second pass adds (MB)", second - first);
    for row in figures["large_bodies"].as_array().into_iter().flatten() {
        println!(
            "{:<44}{:>8.1} {:>8.1} {:>8.1}",
            format!("body of {} KiB: prose, JSON, worst (ms)", row["kib"]),
            row["prose_ms"].as_f64().unwrap_or(0.0),
            row["json_ms"].as_f64().unwrap_or(0.0),
            row["worst_ms"].as_f64().unwrap_or(0.0)
        );
    }
    println!("{:<44}{:>12.0}", "JSON lines/s in process", number("/json_lines_per_second"));
    println!("{:<44}{:>12.0}", "events/s: signatures and behaviours", number("/events_per_second"));
}

/// Lines a second through a pipe, the start of the program included.
fn lines(directory: &std::path::Path) -> Result<f64> {
    let started = Instant::now();
    let mut child = shell::command(directory.join("watchpost"))
        .args(["detect", "--stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("failed to start watchpost")?;
    let mut input = child.stdin.take().context("the child has an input")?;
    let writer = std::thread::spawn(move || -> std::io::Result<()> {
        for n in 0..N_LINES {
            let query =
                if n % 10 == 0 { "id=1%27%20or%20%271%27%3D%271" } else { "q=blue+running+shoes&page=2" };
            let text = format!(
                "{{\"id\":{n},\"method\":\"GET\",\"uri\":\"/api/v1/items?{query}&n={n}\",\"headers\":{{\"user-agent\":\"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\"}},\"body\":null}}\n"
            );
            input.write_all(text.as_bytes())?;
        }
        Ok(())
    });
    let output = child.wait_with_output().context("failed to read the answers")?;
    writer
        .join()
        .map_err(|_| anyhow::anyhow!("the writer stopped"))?
        .context("failed to write the requests")?;
    let n_answers = output.stdout.iter().filter(|&&byte| byte == b'\n').count();
    anyhow::ensure!(n_answers == N_LINES, "{n_answers} answers to {N_LINES} lines");
    Ok(N_LINES as f64 / started.elapsed().as_secs_f64())
}
