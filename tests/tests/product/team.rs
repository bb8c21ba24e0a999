//! Two consoles on one PostgreSQL: what one does the other sees within two seconds.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use watchpost_tests::{Home, Postgres, Redis, Window};

#[tokio::test]
async fn two_windows_on_one_postgresql_see_each_other() -> Result<()> {
    let (redis, postgres) = (Redis::start().await?, Postgres::start().await?);
    let (one, two) = (Home::new("team, first window")?, Home::new("team, second window")?);
    let redis_url = format!("unix://{}", redis.socket().display());
    for home in [&one, &two] {
        let added = home
            .cli(["connect", "add", "team", "--redis", &redis_url, "--database", &postgres.url()])
            .await?;
        added.ok().context("both sides of the connection work")?;
    }
    let log = watchpost_tests::workspace_root().join("tests/data/access.log");
    one.cli(["-c", "team", "import", "--format", "combined", &log.to_string_lossy()]).await?.ok()?;
    one.cli(["-c", "team", "serve", "--until-idle"]).await?.ok()?;
    for home in [&one, &two] {
        home.cli(["connect", "use", "team"]).await?.ok()?;
    }

    let first = Window::launch(&one).await?;
    let second = Window::launch(&two).await?;
    for window in [&first, &second] {
        window.wait_for_text("[data-test=status-database]", "PostgreSQL").await?;
        window.go("#/incidents/1").await?;
        window.wait_for_text("[data-test=incident-status]", "Open").await?;
    }
    first.click("[data-test=take]").await?;
    first.wait_for_text("[data-test=incident-status]", "Investigating").await?;
    let begun = Instant::now();
    second.wait_for_text("[data-test=incident-status]", "Investigating").await?;
    let took = begun.elapsed();
    ensure!(took < Duration::from_secs(2), "the second window saw it after {took:?}");

    // Who acts on what is no longer so is told, and nothing is lost.
    second.click("[data-test=resolve]").await?;
    second.click("label:has([data-test=verdict-false_positive])").await?;
    second.type_into("[data-test=resolve-reason]", "our own scanner").await?;
    second.click("[data-test=resolve-confirm]").await?;
    second.wait_gone("[data-test=resolve-dialog]").await?;
    first.go("#/incidents/1").await?;
    first.wait_for_text("[data-test=incident-status]", "Resolved").await?;
    second.close().await?;
    first.close().await
}

#[tokio::test]
async fn doctor_tells_an_analyst_who_they_are_and_tries_nothing_that_would_be_refused() -> Result<()> {
    let (redis, postgres) = (Redis::start().await?, Postgres::start().await?);
    let home = Home::new("doctor of an analyst")?;
    let redis_url = format!("unix://{}", redis.socket().display());
    home.cli(["connect", "add", "owner", "--redis", &redis_url, "--database", &postgres.url()])
        .await?
        .ok()?;
    home.cli(["-c", "owner", "status"]).await?.ok().context("the owner makes the tables")?;
    let script = watchpost_tests::workspace_root().join("deploy/postgres-roles.sql");
    postgres.ask(&std::fs::read_to_string(script)?)?;
    postgres.ask("CREATE ROLE ana LOGIN IN ROLE watchpost_analyst")?;
    let url = postgres.url().replace("user=watchpost", "user=ana");
    home.cli(["connect", "add", "mine", "--redis", &redis_url, "--database", &url]).await?.ok()?;

    let said = home.cli(["-c", "mine", "doctor"]).await?.ok()?;
    for part in ["login ana", "analyst", "personal", "not tried step by step"] {
        ensure!(said.contains(part), "{part:?} is missing: {said}");
    }
    let denied = ["-c", "owner", "--output", "json", "audit", "search", "--outcome", "denied"];
    let found = home.cli(denied).await?.json()?;
    ensure!(found["rows"].as_array().is_some_and(Vec::is_empty), "nothing was refused: {found}");
    home.cli(["-c", "mine", "role", "list"]).await?.ok().context("everybody may see the roles")?;
    Ok(())
}

#[tokio::test]
async fn with_postgresql_away_a_change_over_http_is_refused_within_seconds() -> Result<()> {
    let (redis, postgres) = (Redis::start().await?, Postgres::start().await?);
    let mut home = Home::new("the database goes away")?;
    let redis_url = format!("unix://{}", redis.socket().display());
    home.cli(["connect", "add", "team", "--redis", &redis_url, "--database", &postgres.url()]).await?.ok()?;
    home.set_env("WATCHPOST_CONNECTION", "team");
    let daemon = home.serve().await?;
    let request = r#"{"target": "203.0.113.0/24", "note": "office"}"#;
    let (status, answer) = daemon.call("allow_add", request).await?;
    ensure!(status == 200, "while it is there: {status} {answer}");
    drop(postgres);
    for round in ["first", "second"] {
        let begun = Instant::now();
        let request = r#"{"target": "198.51.100.0/24", "note": "office"}"#;
        let (status, answer) = daemon.call("allow_add", request).await?;
        let took = begun.elapsed();
        ensure!(status == 503, "{round}: {status} {answer}");
        let error: serde_json::Value = serde_json::from_str(&answer)?;
        ensure!(error["code"] == "unavailable", "{round}: {answer}");
        let said = error["message"].as_str().unwrap_or_default();
        ensure!(said.contains("the database cannot be reached"), "{round}: {answer}");
        ensure!(took < Duration::from_secs(8), "{round}: it took {took:?}");
    }
    Ok(())
}

/// Its record and that of a question how far it is waited for each other.
#[tokio::test]
async fn a_refused_check_of_the_trail_ends_and_leaves_one_record() -> Result<()> {
    const ROUNDS: usize = 6;
    let (redis, postgres) = (Redis::start().await?, Postgres::start().await?);
    let home = Home::new("a refused check")?;
    let redis_url = format!("unix://{}", redis.socket().display());
    let viewers = postgres.url().replace("&user=watchpost", "&user=vera");
    home.cli(["connect", "add", "owner", "--redis", &redis_url, "--database", &postgres.url()])
        .await?
        .ok()?;
    home.cli(["-c", "owner", "audit", "list"]).await?.ok()?;
    let script = watchpost_tests::workspace_root().join("deploy/postgres-roles.sql");
    postgres.ask(&std::fs::read_to_string(script)?)?;
    postgres.ask("create role vera login in role watchpost_viewer")?;
    home.cli(["connect", "add", "viewer", "--redis", &redis_url, "--database", &viewers]).await?.ok()?;
    for round in 0..ROUNDS {
        let ended = home.cli(["-c", "viewer", "audit", "verify"]).await?;
        ensure!(ended.status.code() == Some(4), "round {round}: {}{}", ended.stdout, ended.stderr);
    }
    let search = ["-o", "json", "-c", "owner", "audit", "search", "--outcome", "denied"];
    let found = home.cli(search).await?.json()?;
    let refused: Vec<_> = found["rows"].as_array().into_iter().flatten().map(|row| &row["action"]).collect();
    ensure!(refused.len() == ROUNDS, "{refused:?}");
    ensure!(refused.iter().all(|action| *action == "audit_verify"), "{refused:?}");
    Ok(())
}
