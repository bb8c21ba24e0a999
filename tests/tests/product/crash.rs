//! The engine is killed again and again while it works; nothing is lost and nothing doubled.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use watchpost_tests::{Home, Redis, until};

/// How often the engine is killed.
const KILLS: u32 = 4;

/// A home with a connection to a Redis of its own, filled by the same simulation.
async fn filled(name: &str, redis: &Redis) -> Result<Home> {
    let mut home = Home::new(name)?;
    let url = format!("unix://{}", redis.socket().display());
    home.cli(["connect", "add", "shop", "--redis", &url]).await?.ok()?;
    home.set_env("WATCHPOST_CONNECTION", "shop");
    Ok(home)
}

/// What is in the archive: events by category, and each incident with its counts.
async fn picture(home: &Home) -> Result<Vec<String>> {
    let overview = home.cli(["overview", "--last", "all", "--output", "json"]).await?.json()?;
    let mut lines: Vec<String> =
        overview["counts"].as_array().context("counts")?.iter().map(Value::to_string).collect();
    let page = home.cli(["incident", "list", "-n", "500", "--output", "json"]).await?.json()?;
    for incident in page["rows"].as_array().context("rows")? {
        lines.push(format!(
            "{} {} {} {}",
            incident["title"], incident["severity"], incident["event_count"], incident["finding_count"]
        ));
    }
    lines.sort();
    ensure!(lines.len() > 8, "the simulation holds events and incidents: {lines:?}");
    Ok(lines)
}

#[tokio::test]
async fn killed_anywhere_nothing_is_lost_and_nothing_doubled() -> Result<()> {
    let (calm_redis, redis) = (Redis::start().await?, Redis::start().await?);
    let calm = filled("never killed", &calm_redis).await?;
    let home = filled("killed again and again", &redis).await?;
    // The same events for both, from a file: two simulations would end at two times.
    let log = watchpost_tests::workspace_root().join("tests/data/access.log");
    let copies = home.work().join("long.log");
    let text = std::fs::read_to_string(&log)?;
    std::fs::write(&copies, text.repeat(12))?;
    for one in [&calm, &home] {
        one.cli(["import", "--format", "combined", &copies.to_string_lossy()]).await?.ok()?;
    }
    calm.cli(["serve", "--until-idle"]).await?.ok()?;

    let waiting =
        || redis.ask(&["XLEN", "security:events"])?.trim().parse::<u64>().map_err(anyhow::Error::from);
    let total = waiting()?;
    ensure!(total > 8_000, "there is something to do: {total}");
    for kill in 1..=KILLS {
        // Killed when a part of what waits is done, so in the middle of its work.
        let until_left = total - total * u64::from(kill) / u64::from(KILLS + 1);
        let mut engine = home.start_cli(["serve", "--until-idle"])?;
        let progress = until("the engine to do its part", Duration::from_secs(60), || {
            let left = waiting();
            async move {
                let left = left?;
                ensure!(left <= until_left, "{left} of {until_left} are left");
                Ok(())
            }
        })
        .await;
        engine.start_kill().context("the engine is there to be killed")?;
        engine.wait().await?;
        progress?;
    }
    home.cli(["serve", "--until-idle"]).await?.ok()?;
    assert_eq!(picture(&home).await?, picture(&calm).await?, "killed {KILLS} times, the archive is the same");
    home.cli(["audit", "verify"]).await?.ok()?;
    Ok(())
}
