//! Ctrl+C while a report is made: all of its files or none, and the trail agrees.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use watchpost_tests::{Home, until};

/// How often it is tried: a fast machine may be done before the signal comes.
const TRIES: usize = 5;

#[tokio::test]
async fn a_report_that_is_interrupted_leaves_all_files_or_none() -> Result<()> {
    let home = Home::new("a report that is interrupted")?;
    home.cli(["simulate", "--days", "2", "--seed", "7"]).await?.ok()?;
    home.cli(["serve", "--until-idle"]).await?.ok()?;
    let mut n_stopped = 0;
    for n in 1..=TRIES {
        let out = home.work().join(format!("out{n}"));
        let folder = out.to_str().context("the path is text")?;
        let period = ["--from", "2024-01-01", "--to", "2026-01-01"];
        let asked = [
            "report",
            "generate",
            "--framework",
            "soc2",
            "--format",
            "pdf,csv,json,md",
            "--archive",
            "--out",
        ];
        let before = made(&home).await?;
        let mut program = home.start_cli(asked.into_iter().chain([folder]).chain(period))?;
        // The folder is made right before the report.
        until("the folder of the report", Duration::from_secs(60), || {
            let there = out.is_dir();
            async move {
                ensure!(there, "it is not there");
                Ok(())
            }
        })
        .await?;
        let pid = program.id().context("it runs")?.to_string();
        home.run("kill", ["-INT", pid.as_str()]).await?;
        let status = program.wait().await?;
        let files = std::fs::read_dir(&out)?.count();
        let added = made(&home).await? - before;
        ensure!([(0, 0), (4, 1)].contains(&(files, added)), "{files} files, {added} reports, {status}");
        if files == 0 {
            // It ended by itself with a word, unless the signal came before it listened.
            ensure!(status.code().is_none_or(|code| code == 1), "{status}");
            n_stopped += 1;
        }
    }
    ensure!(n_stopped > 0, "none of {TRIES} was stopped");
    home.cli(["audit", "verify"]).await?.ok()?;
    Ok(())
}

/// How many reports there are.
async fn made(home: &Home) -> Result<usize> {
    let list = home.cli(["report", "list", "--output", "json"]).await?.json()?;
    Ok(list["reports"].as_array().context("reports")?.len())
}
