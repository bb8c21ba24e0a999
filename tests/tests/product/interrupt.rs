//! Ctrl+C ends a verb, and nothing of what it was doing is left.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};
use watchpost_tests::{Home, Redis, until};

/// For what another process does.
const PATIENCE: Duration = Duration::from_secs(60);

/// A framework whose PDF takes long to draw: long enough to be stopped while it is.
fn long_framework() -> String {
    use std::fmt::Write as _;
    let mut text = "id = \"long\"\nname = \"Long\"\nversion = \"1\"\nnote = \"Takes its time.\"\n".to_owned();
    for n in 0..3_000 {
        let _ = write!(
            text,
            "\n[[control]]\nid = \"L{n}\"\ntitle = \"Control {n}\"\ntext = \"What it wants.\"\nremedy = \"What to do.\"\n\
             manual = \"Somebody says so.\"\n"
        );
    }
    text
}

#[tokio::test]
async fn a_report_that_is_interrupted_exits_with_130_and_leaves_nothing() -> Result<()> {
    let home = Home::new("a report is interrupted")?;
    let listed = home.cli(["--output", "json", "report", "frameworks"]).await?.json()?;
    let own = listed["folder"].as_str().context("the folder of own frameworks")?.to_owned();
    fs::create_dir_all(&own)?;
    fs::write(std::path::Path::new(&own).join("long.toml"), long_framework())?;
    let out = home.work().join("reports");
    fs::create_dir_all(&out)?;
    let folder = out.to_string_lossy().into_owned();
    let period = ["--from", "2024-10-01", "--to", "2024-11-01"];
    let verb =
        ["report", "generate", "--framework", "long", "--format", "json,pdf", "--archive", "--out", &folder];
    let running = home.start_cli(verb.iter().copied().chain(period))?;
    // Beside its place, until all are finished: the PDF is being drawn then.
    until("the first file to be written", PATIENCE, || async {
        ensure!(fs::read_dir(&out)?.count() > 0, "nothing is in the folder");
        Ok(())
    })
    .await?;
    let status = Home::interrupt(running).await?;
    assert_eq!(status.code(), Some(130), "{status}");
    let left: Vec<_> = fs::read_dir(&out)?.collect::<std::io::Result<_>>()?;
    assert!(left.is_empty(), "neither a file nor half of one is left: {left:?}");

    let reports = home.cli(["--output", "json", "report", "list"]).await?.json()?;
    assert_eq!(reports["reports"].as_array().map(Vec::len), Some(0), "{reports}");
    let trail = home.cli(["--output", "json", "audit", "list"]).await?.json()?;
    let rows = trail["rows"].as_array().context("the trail")?;
    let record = rows.iter().find(|row| row["action"] == "report_generate").context("its record")?;
    assert_eq!(record["outcome"], "failure", "{record}");
    assert!(record["reason"].as_str().is_some_and(|text| text.contains("stopped")), "{record}");
    Ok(())
}

/// What is said at a bad moment, while it is asked how far the job is, was not heard before.
#[tokio::test]
async fn a_job_is_cancelled_whenever_it_is_interrupted() -> Result<()> {
    let redis = Redis::start().await?;
    let mut home = Home::new("a job is interrupted")?;
    let url = format!("unix://{}", redis.socket().display());
    home.cli(["connect", "add", "shop", "--redis", &url]).await?.ok()?;
    home.set_env("WATCHPOST_CONNECTION", "shop");
    for _ in 0..6 {
        // Half a minute, if nobody stops it.
        let running = home.start_cli(["benchmark", "--ops", "1000000", "--pipeline", "2"])?;
        until("the benchmark to write", PATIENCE, || async {
            ensure!(redis.ask(&["DBSIZE"])?.trim() != "0", "no key is there");
            Ok(())
        })
        .await?;
        // Written after it began, and by another process: it is followed by now.
        assert_eq!(newest_job(&home).await?, "running");
        let status = Home::interrupt(running).await?;
        assert_eq!(status.code(), Some(1), "{status}");
        assert_eq!(newest_job(&home).await?, "cancelled");
        assert_eq!(redis.ask(&["DBSIZE"])?.trim(), "0", "its keys are gone");
    }
    Ok(())
}

#[tokio::test]
async fn a_command_that_waits_for_a_locked_database_says_so_and_ends_at_once() -> Result<()> {
    let home = Home::new("a database is locked")?;
    home.cli(["incident", "list"]).await?.ok()?;
    let _lock = locked(&home).await?;
    let (waiting, mut told) = home.start_cli_telling(["incident", "list"])?;
    let line = told.line("locked by another process").await?;
    assert!(line.contains("waited for, 10s at most"), "{line}");
    let status = Home::interrupt(waiting).await?;
    assert_eq!(status.code(), Some(130), "{status}");
    told.line("watchpost: cancelled").await?;
    Ok(())
}

/// The record of its end waits for the database; whoever presses again does not.
#[tokio::test]
async fn a_job_is_left_at_the_second_interrupt() -> Result<()> {
    let home = Home::new("a job is left")?;
    let begun = Instant::now();
    // A benchmark ends by itself where other clients of the server have to wait, as they may on a busy machine.
    let (running, mut told) = loop {
        ensure!(begun.elapsed() < PATIENCE, "no benchmark lasts");
        let before = jobs(&home).await?.len();
        let started = home.start_cli_telling(["benchmark", "--ops", "1000000", "--pipeline", "2"])?;
        until("the benchmark to be recorded", PATIENCE, || async {
            ensure!(jobs(&home).await?.len() > before, "it is not begun");
            Ok(())
        })
        .await?;
        if newest_job(&home).await? == "running" {
            break started;
        }
    };
    let lock = locked(&home).await?;
    Home::press(&running)?;
    told.line("stopping: what is being written to the audit database").await?;
    let status = Home::interrupt(running).await?;
    assert_eq!(status.code(), Some(130), "{status}");
    told.line("left at once: how this benchmark job ended is not recorded").await?;
    drop(lock);
    assert_eq!(newest_job(&home).await?, "failed", "its process is gone");
    Ok(())
}

/// A process that holds the write lock of the audit database until this is dropped.
async fn locked(home: &Home) -> Result<Child> {
    let mut shell = Command::new("sqlite3");
    shell.arg(home.data().join("data/workspace/watchpost.db")).kill_on_drop(true);
    let mut shell = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("no sqlite3")?;
    let mut input = shell.stdin.take().context("its input")?;
    input.write_all(b".timeout 10000\nBEGIN IMMEDIATE;\nSELECT 'held';\n").await?;
    input.flush().await?;
    let mut said = BufReader::new(shell.stdout.take().context("its output")?).lines();
    let line = tokio::time::timeout(PATIENCE, said.next_line()).await??;
    ensure!(line.as_deref() == Some("held"), "the lock was not had: {line:?}");
    // The end of its input would end it.
    shell.stdin = Some(input);
    Ok(shell)
}

/// The states of the jobs, that of the one begun last first.
async fn jobs(home: &Home) -> Result<Vec<String>> {
    let listed = home.cli(["--output", "json", "jobs"]).await?.json()?;
    let runs = listed["runs"].as_array().context("jobs are listed")?;
    Ok(runs.iter().filter_map(|run| Some(run["state"].as_str()?.to_owned())).collect())
}

/// The state of the job that was begun last.
async fn newest_job(home: &Home) -> Result<String> {
    jobs(home).await?.into_iter().next().context("a job is listed")
}
