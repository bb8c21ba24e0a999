//! The audit trail from the command line: a database that is taken away.

use anyhow::{Result, ensure};
use serde_json::Value;
use watchpost_tests::Home;

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
