//! The audit trail from the command line: writers that are killed, and a database that is taken away.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use watchpost_tests::{Home, until};

/// How often a writer is killed.
const KILLS: u32 = 6;

/// Bytes in the write-ahead log, if the database is open.
fn written(home: &Home) -> Option<u64> {
    std::fs::metadata(home.data().join("data/workspace/watchpost.db-wal")).ok().map(|data| data.len())
}

#[tokio::test]
async fn a_writer_that_is_killed_leaves_change_and_record_or_neither() -> Result<()> {
    let home = Home::new("writers are killed")?;
    home.cli(["config", "organisation", "Before"]).await?.ok()?;
    for n in 0..KILLS {
        let mut writer = home.start_cli(["config", "organisation", &format!("Name {n}")])?;
        // From opening the database, or writing the first page, on; one that ended by itself is as good.
        until("the writer to be at work", Duration::from_secs(60), || {
            let at_work = written(&home).is_some_and(|bytes| bytes >= u64::from(n % 2))
                || matches!(writer.try_wait(), Ok(Some(_)));
            async move {
                ensure!(at_work, "the database is not open");
                Ok(())
            }
        })
        .await?;
        // One that has ended cannot be killed.
        drop(writer.start_kill());
        writer.wait().await?;
        let settings = home.cli(["--output", "json", "config", "show"]).await?.json()?;
        let trail = home
            .cli(["--output", "json", "audit", "search", "--action", "settings_put", "-n", "1"])
            .await?
            .json()?;
        let change = &trail["rows"][0]["changes"][0];
        assert_eq!(change["new"], settings["organisation"], "the newest record is of what is there");
        home.cli(["audit", "verify"]).await?.ok()?;
    }
    home.cli(["audit", "verify", "--full"]).await?.ok()?;
    Ok(())
}

#[tokio::test]
async fn a_database_that_is_taken_away_is_told_with_exit_code_1() -> Result<()> {
    let home = Home::new("the database is taken away")?;
    home.cli(["config", "organisation", "Before"]).await?.ok()?;
    let shown = home.cli(["--output", "json", "audit", "show", "0"]).await?.json()?;
    ensure!(shown["leaf"].as_str().is_some_and(|leaf| leaf.contains("\"s\":0")), "{shown}");
    let statistics = home.cli(["audit", "statistics"]).await?.ok()?;
    ensure!(statistics.contains("settings_put") && statistics.contains("evidence:"), "{statistics}");
    home.cli(["status"]).await?.ok()?;
    for name in ["watchpost.db", "watchpost.db-wal", "watchpost.db-shm"] {
        drop(std::fs::remove_file(home.data().join("data/workspace").join(name)));
    }
    let status = home.cli(["status"]).await?;
    assert_eq!(status.status.code(), Some(1), "the status is not well");
    let verified = home.cli(["--output", "json", "audit", "verify"]).await?;
    assert_eq!(verified.status.code(), Some(1), "the trail does not hold");
    let told: Value = serde_json::from_str(&verified.stdout)?;
    ensure!(told["problems"][0].as_str().is_some_and(|text| text.contains("this console saw")), "{told}");
    home.cli(["audit", "accept", "--reason", "the test removed it"]).await?.ok()?;
    home.cli(["audit", "verify"]).await?.ok()?;
    home.cli(["status"]).await?.ok()?;
    Ok(())
}

#[tokio::test]
async fn a_place_that_was_altered_is_told_as_the_place_and_not_as_the_log() -> Result<()> {
    let home = Home::new("a place is altered")?;
    home.session().await?;
    let share = home.work().join("share");
    std::fs::create_dir(&share)?;
    let folder = share.to_string_lossy().into_owned();
    home.cli(["audit", "places", "--folder", &folder]).await?.ok()?;
    home.cli(["config", "organisation", "Before"]).await?.ok()?;
    home.cli(["audit", "checkpoint"]).await?.ok()?;
    let log = std::fs::read_dir(&share)?.next().context("the place has a folder of the log")??;
    let newest = log.path().join("newest.checkpoint");
    std::fs::write(&newest, "somebody was here\n")?;
    // Before a check and after it.
    for _ in 0..2 {
        let status = home.cli(["status"]).await?;
        assert_eq!(status.status.code(), Some(1), "somebody has to look: {}", status.stdout);
        for said in ["the log itself holds - A PLACE", "newest.checkpoint is not", "watchpost audit verify"] {
            ensure!(status.stdout.contains(said), "{said}: {}", status.stdout);
        }
        ensure!(!status.stdout.contains("DOES NOT HOLD"), "{}", status.stdout);
        let checked = home.cli(["audit", "verify"]).await?;
        assert_eq!(checked.status.code(), Some(1), "{}", checked.stdout);
        ensure!(checked.stdout.starts_with("the trail itself holds, and a place"), "{}", checked.stdout);
    }
    std::fs::remove_file(&newest)?;
    home.cli(["audit", "verify"]).await?.ok()?;
    home.cli(["status"]).await?.ok()?;
    Ok(())
}

#[tokio::test]
async fn a_kept_key_is_rolled_and_the_next_command_signs_with_the_new_one() -> Result<()> {
    let home = Home::new("a key is rolled")?;
    home.session().await?;
    home.cli(["config", "organisation", "Before"]).await?.ok()?;
    home.cli(["audit", "checkpoint"]).await?.ok()?;
    let keys = |command: &'static [&'static str]| {
        let home = &home;
        async move {
            let list = home.cli(["--output", "json", "audit", "key"].iter().chain(command)).await?.json()?;
            let keys = list["keys"].as_array().cloned().unwrap_or_default();
            anyhow::Ok(keys)
        }
    };
    let before = keys(&["list"]).await?;
    ensure!(before.len() == 1 && before[0]["own"] == true, "one key, in the keychain: {before:?}");
    let rolled = keys(&["roll", "--reason", "weekly"]).await?;
    ensure!(rolled.len() == 2 && rolled[1]["own"] == true, "{rolled:?}");
    ensure!(rolled[1]["after"] == before[0]["name"] && rolled[0]["revoked"].is_number(), "{rolled:?}");
    home.cli(["config", "organisation", "After"]).await?.ok()?;
    let note = home.cli(["audit", "checkpoint"]).await?.ok()?;
    let name = rolled[1]["name"].as_str().unwrap_or_default();
    ensure!(note.contains(name), "the new key signs: {note}");
    ensure!(keys(&["list"]).await? == rolled, "no key is made anew");
    home.cli(["audit", "verify", "--full"]).await?.ok()?;
    Ok(())
}
