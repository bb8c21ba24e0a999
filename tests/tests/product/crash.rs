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

/// Sigma correlations count over an hour: an engine that is killed between two of their events takes nothing along, and
/// the next one says that it waits for the lease of the dead one.
#[tokio::test]
async fn the_window_of_a_correlation_survives_a_kill() -> Result<()> {
    const RULES: &str = "title: Probe\nid: own.probe\nstatus: test\nlogsource: { category: webserver }\nlevel: low\n\
        detection:\n  sel:\n    c-uri|contains: own-probe\n  condition: sel\n---\ntitle: Many probes\nid: own.many\n\
        level: high\ncorrelation:\n  type: event_count\n  rules: [own.probe]\n  group-by: [src_ip]\n  timespan: 1h\n  \
        condition: { gte: 5 }\n";
    let redis = Redis::start().await?;
    let home = filled("killed in a window", &redis).await?;
    let rules = home.cli(["rules", "list", "--output", "json"]).await?.json()?;
    let directory = std::path::PathBuf::from(rules["directory"].as_str().context("a directory")?);
    std::fs::create_dir_all(&directory)?;
    std::fs::write(directory.join("own.yml"), RULES)?;
    let log = |from: i64, to: i64| {
        let line = |n: i64| {
            format!(
                r#"{{"at": "2025-11-03T08:0{n}:00Z", "category": "api_usage", "type": "request", "source_ip": "203.0.113.5", "http": {{"method": "GET", "path": "/own-probe/{n}", "status": 200}}}}"#
            )
        };
        let file = home.work().join(format!("probes-{from}.jsonl"));
        std::fs::write(&file, (from..to).map(line).collect::<Vec<_>>().join("\n"))?;
        Ok::<_, anyhow::Error>(file.to_string_lossy().into_owned())
    };
    home.cli(["import", "--format", "jsonl", &log(0, 3)?]).await?.ok()?;
    let mut engine = home.start_cli(["serve", "--listen", "127.0.0.1:0"])?;
    let taken_in = until("the engine to take three of them in", Duration::from_secs(60), || async {
        let left = redis.ask(&["XLEN", "security:events"])?;
        ensure!(left.trim() == "0", "{left} are left");
        Ok(())
    })
    .await;
    engine.start_kill().context("the engine is there to be killed")?;
    engine.wait().await?;
    taken_in?;

    home.cli(["import", "--format", "jsonl", &log(3, 5)?]).await?.ok()?;
    let next = home.cli(["serve", "--until-idle"]).await?;
    assert!(next.stderr.contains("this one waits"), "it says what it does meanwhile: {}", next.stderr);
    next.ok()?;
    let page = home.cli(["incident", "list", "--output", "json"]).await?.json()?;
    let mut fired = Vec::new();
    for incident in page["rows"].as_array().context("rows")? {
        let number = incident["number"].to_string();
        let shown = home.cli(["incident", "show", &number, "--output", "json"]).await?.ok()?;
        fired.push(shown.contains("own.many"));
    }
    assert!(fired.contains(&true), "three before the kill and two after it are five: {page}");
    Ok(())
}
