//! What the home of the pictures holds: traffic with attacks inside, and what people did about them, each step through
//! the command line, as they would.

use std::fs;

use anyhow::{Context, Result};
use serde_json::Value as Json;

use crate::home::Home;
use crate::mmdb::{Value, city, mmdb};

/// Two weeks of traffic with attacks inside, read and judged by the engine.
pub(crate) async fn traffic(home: &Home) -> Result<()> {
    let places = home.work().join("places.mmdb");
    fs::write(&places, mmdb("Simulated-City", BUILT, &places_of_simulation()))?;
    home.cli(["config", "location", "--city", &places.to_string_lossy()]).await?.ok()?;
    home.cli(["simulate", "--seed", "7", "--days", "14"]).await?.ok()?;
    home.cli(["serve", "--until-idle"]).await?.ok()?;
    Ok(())
}

/// When the location file of the pictures was made: 2026-01-01.
const BUILT: u64 = 1_767_225_600;

/// Where the simulated people are, by the first part of their addresses, and some who attack them.
fn places_of_simulation() -> Vec<(&'static str, u8, Value)> {
    [
        ("84.0.0.0", 8, "DE", "Berlin", 52.5, 13.4),
        ("86.0.0.0", 8, "GB", "London", 51.5, -0.1),
        ("72.0.0.0", 8, "US", "New York", 40.7, -74.0),
        ("90.0.0.0", 8, "FR", "Paris", 48.9, 2.4),
        ("103.0.0.0", 8, "IN", "Mumbai", 19.1, 72.9),
        ("177.0.0.0", 8, "BR", "Rio de Janeiro", -22.9, -43.2),
        ("126.0.0.0", 8, "JP", "Tokyo", 35.7, 139.7),
        ("203.0.113.0", 24, "SG", "Singapore", 1.35, 103.8),
        ("198.51.100.0", 24, "NL", "Amsterdam", 52.4, 4.9),
    ]
    .map(|(network, length, country, name, lat, lon)| (network, length, city(country, name, lat, lon)))
    .into()
}

/// What was done besides incidents; no panel is empty then.
const DEEDS: &[&[&str]] = &[
    &["block", "add", "203.0.113.66", "--reason", "Credential stuffing against the shop", "--ttl", "24h"],
    &["block", "add", "198.51.100.23", "--reason", "Scanner that ignores the rate limit", "--ttl", "7d"],
    &["block", "add", "203.0.113.90", "--reason", "Looked like an attack", "--ttl", "24h"],
    &["block", "remove", "203.0.113.90", "--reason", "It was a partner's proxy"],
    &["block", "allow", "198.51.100.200", "--note", "Probe of the uptime monitor"],
    &["contain", "add", "user", "eve", "--reason", "Signs in from two continents", "--ttl", "24h"],
    &["contain", "add", "session", "s-7f3a90c1", "--reason", "Token seen in a paste", "--ttl", "24h"],
    &["contain", "add", "limit", "203.0.113.9", "--reason", "Crawls the catalogue", "--per-min", "20"],
    &["cleanup"],
    &["schedule", "on", "cleanup", "--daily"],
    &["schedule", "on", "aggregate", "--weekly", "sunday"],
];

/// What people did in these two weeks, and what of it did not work: that a panel stays empty loses no picture.
pub(crate) async fn deeds(home: &Home) -> Vec<String> {
    let mut failed = Vec::new();
    for deed in DEEDS {
        done(home, deed, &mut failed).await;
    }
    let out = home.work().join("reports").to_string_lossy().into_owned();
    done(home, &["report", "schedule", "add", "--framework", "soc2", "--out", &out], &mut failed).await;
    match incidents(home).await {
        Ok(rows) => verdicts(home, &rows, &out, &mut failed).await,
        Err(error) => failed.push(format!("the incidents of the seed: {error:#}")),
    }
    failed
}

/// Judges the oldest incidents, and works on others; most stay as they are, for they are pictured.
async fn verdicts(home: &Home, rows: &[Json], out: &str, failed: &mut Vec<String>) {
    let numbers: Vec<String> =
        rows.iter().rev().filter_map(|row| row["number"].as_i64()).map(|n| n.to_string()).collect();
    let [attack, harmless, pentest, taken, hidden, ..] = numbers.as_slice() else {
        failed.push(format!("the seed has {} incidents, too few for the verdicts", numbers.len()));
        return;
    };
    let judged = [
        (attack, "true_positive", "attack_blocked", "Stopped at the proxy, nothing got through"),
        (harmless, "false_positive", "normal_traffic", "A search for a book about SQL"),
        (pentest, "benign_true_positive", "pentest", "The yearly test, announced"),
    ];
    for (number, verdict, cause, reason) in judged {
        let deed: &[&str] =
            &["incident", "resolve", number, "--verdict", verdict, "--cause", cause, "--reason", reason];
        done(home, deed, failed).await;
    }
    done(home, &["incident", "take", taken], failed).await;
    done(home, &["incident", "note", taken, "Asked the owner of the account; **no answer** yet."], failed)
        .await;
    done(home, &["incident", "escalate", taken, "--to", "lead", "--reason", "Touches payments"], failed)
        .await;
    let reason = "Known scanner of the hosting company";
    done(home, &["incident", "suppress", hidden, "--days", "14", "--reason", reason], failed).await;
    let time = |row: Option<&Json>, name: &str| row.and_then(|row| row[name].as_str()).map(str::to_owned);
    if let (Some(from), Some(to)) = (time(rows.last(), "first_seen"), time(rows.first(), "last_seen")) {
        let deed: &[&str] =
            &["report", "generate", "--framework", "summary", "--from", &from, "--to", &to, "--out", out];
        done(home, deed, failed).await;
    }
}

/// The open incidents, newest first.
async fn incidents(home: &Home) -> Result<Vec<Json>> {
    let page = home.cli(["incident", "list", "--status", "open", "-n", "500", "-o", "json"]).await?.json()?;
    page["rows"].as_array().cloned().context("a list of incidents has rows")
}

async fn done(home: &Home, deed: &[&str], failed: &mut Vec<String>) {
    if let Err(error) = home.cli(deed).await.and_then(crate::cli::Finished::ok) {
        failed.push(format!("the seed: {error:#}"));
    }
}
