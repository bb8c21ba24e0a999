//! The window on a large database: what the queue and the archive answer, through its own bridge.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::process::Command;
use watchpost_tests::{Home, Window};

use crate::page;
use crate::say;

/// Answers of each question.
const TURNS: u32 = 6;
/// Until they are there, however slow: this is to be told, not a failure.
const PATIENCE: Duration = Duration::from_secs(600);

pub(crate) async fn measure(filler: &Path, events: u32, incidents: u32) -> Result<()> {
    let home = Home::new("bench ui scale")?;
    home.session().await?;
    // Makes the workspace.
    home.cli(["config", "organisation", "Bench"]).await?.ok()?;
    let file = home.data().join("data/workspace/watchpost.db");
    ensure!(file.is_file(), "the local workspace has its database elsewhere than {}", file.display());
    // It takes minutes, and so longer than a command of a test may.
    let mut filling = Command::new(filler);
    filling.arg("fill").arg(&file).args([events.to_string(), incidents.to_string()]);
    let status = filling.stdin(Stdio::null()).status().await.context("failed to start the filler")?;
    ensure!(status.success(), "the filler ended with {status}");

    say(&format!("{events} events and {incidents} incidents:"), "", "");
    let mut window = Window::launch(&home).await?;
    window.set_patience(PATIENCE);
    let start = page::start(&window, "[data-test=kpi-events]").await?;
    say("start to Overview with figures", "-", &format!("{:.0} ms", start.usable_ms));
    window.resize(1440, 900).await?;
    queue(&window).await?;
    archive(&window).await?;
    for (panel, row) in [("incidents", "[data-test=incident-row]"), ("events", "[data-test=event-row]")] {
        let took = page::visit(&window, panel, row).await?;
        say(&format!("to {panel}, until its rows are drawn"), "-", &format!("{took:.0} ms"));
        page::scroll(&window, panel).await?;
    }
    window.close().await
}

/// Every filter in every order.
async fn queue(window: &Window) -> Result<()> {
    let filters = [
        ("all", json!({})),
        ("status", json!({ "status": ["open"] })),
        ("severity", json!({ "severity": ["critical"] })),
        ("family", json!({ "family": ["sqli", "xss"] })),
        ("nobody's", json!({ "assignee": "" })),
        ("words", json!({ "text": "203.0.113" })),
        ("source", json!({ "entity": { "kind": "ip", "value": "203.0.17.1" } })),
    ];
    let (mut all, mut slowest) = (Vec::new(), (0.0, String::new()));
    for (name, filter) in filters {
        for order in ["urgency", "newest", "severity", "due"] {
            let request = json!({ "filter": filter, "order": order, "after": null, "limit": 100 });
            let mut took = page::ask(window, "incident_page", &request, TURNS).await?;
            took.sort_by(f64::total_cmp);
            let median = page::share(&took, 0.5);
            if median > slowest.0 {
                slowest = (median, format!("{name} by {order}"));
            }
            all.extend(took);
        }
    }
    all.sort_by(f64::total_cmp);
    let measured =
        format!("{:.0} ms; slowest {} with {:.0} ms", page::share(&all, 0.95), slowest.1, slowest.0);
    say("the queue by any filter in any order: p95", "<= 100 ms", &measured);
    Ok(())
}

/// The first rows of each filter that has an index; a country needs a location file, which this home has not.
async fn archive(window: &Window) -> Result<()> {
    for (name, query) in [
        ("all", ""),
        ("a source", "ip:10.0.106.2"),
        ("a network", "ip:10.0.106.0/24"),
        ("a user", "user:user4242"),
        ("a session", "session:s-4242-0"),
        ("a category", "category:authentication"),
    ] {
        let request = request(query);
        let took = page::ask(window, "event_page", &request, TURNS).await?;
        let first = took.first().copied().unwrap_or(f64::NAN);
        let measured = format!("{first:.0} ms, then {}", page::spread(took));
        say(&format!("first rows of events, {name}: first, median / worst"), "<= 300 ms", &measured);
    }
    Ok(())
}

fn request(query: &str) -> Value {
    json!({
        "period": null, "category": [], "severity": [], "outcome": null, "entity": null, "text": null,
        "query": (!query.is_empty()).then_some(query), "after": null, "limit": 100,
    })
}
