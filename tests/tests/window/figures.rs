//! What a figure of the Overview counts is what a press on it shows.

use anyhow::{Context, Result, ensure};
use watchpost_tests::{Home, Window};

/// Presses the tile of a figure; its value at that moment.
async fn pressed(window: &Window, name: &str) -> Result<i64> {
    window.wait_for(&format!("[data-test=kpi-{name}]")).await?;
    let press = format!(
        "const tile = document.querySelector('[data-test=kpi-{name}]'); \
         const value = Math.round(Number(tile.dataset.value)); tile.click(); return value"
    );
    window.run(&press, Vec::new()).await?.as_i64().with_context(|| format!("{name} has a value"))
}

async fn listed(window: &Window, rows: i64) -> Result<()> {
    let seen = format!(
        "return Number(document.querySelector('[data-test=incidents-total]')?.dataset.value) === {rows}"
    );
    window.wait_until(&format!("{rows} incidents behind the figure"), &seen).await
}

/// Presses the tile of a figure and waits for as many incidents as it said. The engine is at work, and what it opens
/// between the two is in the list only: then the figure is read again.
async fn opens_what_it_counts(window: &Window, period: &str, name: &str) -> Result<i64> {
    let mut attempts = 3;
    loop {
        overview(window, period).await?;
        let counted = pressed(window, name).await?;
        attempts -= 1;
        match listed(window, counted).await {
            Ok(()) => return Ok(counted),
            Err(error) if attempts == 0 => return Err(error),
            Err(_) => {}
        }
    }
}

async fn overview(window: &Window, period: &str) -> Result<()> {
    window.go("#/overview").await?;
    window.click(&format!("[data-test=period-{period}]")).await?;
    window.wait_for("[data-test=overview]:not(.outdated)").await.map(|_| ())
}

/// Waits for a number of the page between these, and returns it.
async fn number(window: &Window, of: &str, least: i64, most: i64) -> Result<i64> {
    let value = format!("Number({of} ?? -1)");
    let there = format!("const value = {value}; return value >= {least} && value <= {most}");
    window.wait_until(&format!("{of} from {least} to {most}"), &there).await?;
    window.run(&format!("return {value}"), Vec::new()).await?.as_i64().with_context(|| of.to_owned())
}

/// Drawing over the events of the Overview, and over the histogram of the search, narrows what both look at.
async fn a_stretch_of_a_chart_is_what_all_of_it_looks_at(window: &Window) -> Result<()> {
    const EVENTS: &str =
        "document.querySelector('[data-test=overview]:not(.outdated) [data-test=kpi-events]')?.dataset.value";
    const FOUND: &str = "document.querySelector('[data-test=events-count]:not(.outdated)')?.dataset.total";
    // The simulated two weeks are the second half of the period.
    overview(window, "30d").await?;
    let all = number(window, EVENTS, 2, i64::MAX).await?;
    window.draw_over("[data-test=chart-events] .u-over", 0.25, 0.75).await?;
    window.wait_for("[data-test=period-widen]").await?;
    let some = number(window, EVENTS, 1, all - 1).await?;

    window.go("#/events").await?;
    number(window, FOUND, some, some).await?;
    // All of the events are in the last part of what is looked at.
    window.draw_over("[data-test=events-histogram] .u-over", 0.6, 0.8).await?;
    number(window, FOUND, 1, some - 1).await?;
    window.click("[data-test=period-widen]").await?;
    number(window, FOUND, some, some).await?;
    window.click("[data-test=period-widen]").await?;
    window.wait_gone("[data-test=period-widen]").await
}

#[tokio::test]
async fn figures_of_incidents_open_what_they_count() -> Result<()> {
    let home = Home::new("figures of incidents")?;
    home.session().await?;
    home.cli(["simulate", "--seed", "7", "--days", "14"]).await?.ok()?;
    home.cli(["serve", "--until-idle"]).await?.ok()?;
    for number in ["1", "2"] {
        home.cli(["incident", "take", number]).await?.ok()?;
    }
    let window = Window::launch(&home).await?;
    window.wait_for("[data-test=status-workspace]").await?;
    for period in ["24h", "7d", "30d"] {
        let new = opens_what_it_counts(&window, period, "incidents_opened").await?;
        ensure!(new > 0 || period == "24h", "there are new incidents in {period}");
        window.wait_for("[data-test=span-filter]").await?;
    }
    a_stretch_of_a_chart_is_what_all_of_it_looks_at(&window).await?;
    overview(&window, "24h").await?;
    pressed(&window, "mtta_s").await?;
    listed(&window, 2).await?;
    window.click("[data-test=acknowledged-filter]").await?;
    let more = "return Number(document.querySelector('[data-test=incidents-total]')?.dataset.value) > 2";
    window.wait_until("those that nobody acknowledged too", more).await?;
    window.close().await
}
