//! The main job in the real window: connect, import, triage, block, archive, report, restart, and the trail of it all.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use watchpost_tests::{Home, Redis, Window, until, workspace_root};

const SOURCE: &str = "203.0.113.7";

#[tokio::test]
async fn the_main_job_in_the_window() -> Result<()> {
    let home = Home::new("the main job in the window")?;
    let redis = Redis::start_with(&["--requirepass", "swordfish"]).await?;
    let ask = |args: &[&str]| redis.ask(&[&["-a", "swordfish", "--no-auth-warning"], args].concat());

    let window = Window::launch(&home).await?;
    connect(&window, &redis).await?;
    import(&window, &home).await?;
    let number = triage(&window).await?;
    block(&window).await?;
    let ttl: i64 = ask(&["TTL", &format!("security:blocked:{SOURCE}")])?.trim().parse()?;
    ensure!((86_000..=86_400).contains(&ttl), "the key of the block has a TTL of {ttl} s");

    let keys = ask(&["ZCARD", "security:index:api_usage"])?;
    ensure!(keys.trim().parse::<u32>()? > 600, "the events are in Redis: {keys}");
    archive(&window).await?;
    let keys = ask(&["ZCARD", "security:index:api_usage"])?;
    ensure!(keys.trim() == "0", "retention removed the events from Redis: {keys} are left");
    report(&window, &home).await?;
    window.close().await?;

    let window = Window::launch(&home).await?;
    window.wait_for_text("[data-test=status-workspace]", "shop").await?;
    window.go(&format!("#/incidents/{number}")).await?;
    window.wait_for_text("[data-test=incident-verdict]", "True positive").await?;
    window.go("#/blocklist").await?;
    window.wait_for(&format!("[data-test=block-row][data-target='{SOURCE}'][data-state=active]")).await?;
    trail(&window).await?;
    window.screenshot(home.artefacts().join("trail.png")).await?;
    window.close().await
}

/// A wrong password is named as such; the right one opens the connection.
async fn connect(window: &Window, redis: &Redis) -> Result<()> {
    // What is typed before a workspace is open goes when one is.
    window.wait_for_text("[data-test=status-workspace]", "local").await?;
    window.go("#/settings").await?;
    window.click("[data-test=connection-add]").await?;
    window
        .type_into("[data-test=connection-url]", &format!("redis://:wrong@127.0.0.1:{}/0", redis.port()))
        .await?;
    window.click("[data-test=connection-parse]").await?;
    window.type_into("[data-test=connection-name]", "shop").await?;
    window.click("[data-test=connection-test]").await?;
    window.wait_for("[data-test=connection-check][data-ok=false]").await?;
    window.wait_for_text("[data-test=check-step]", "password").await?;
    window
        .type_into("[data-test=connection-url]", &format!("redis://:swordfish@127.0.0.1:{}/0", redis.port()))
        .await?;
    window.click("[data-test=connection-parse]").await?;
    window.click("[data-test=connection-test]").await?;
    window.wait_for("[data-test=connection-check][data-ok=true]").await?;
    window.click("[data-test=connection-save]").await?;
    window.wait_gone("[data-test=connection-dialog]").await?;
    window.click("[data-test=connection-row][data-name=shop] [data-test=connection-open]").await?;
    window.wait_for_text("[data-test=status-workspace]", "shop").await?;
    Ok(())
}

/// The log goes in, the bad lines are told, and the numbers appear.
async fn import(window: &Window, home: &Home) -> Result<()> {
    let log = workspace_root().join("tests/data/access.log");
    window.go("#/maintenance").await?;
    window.click("[data-test=import-toggle]").await?;
    window.choose("[data-test=import-format]", "combined").await?;
    window.type_into("[data-test=import-path]", log.to_str().context("the path is text")?).await?;
    window.click("[data-test=import-run]").await?;
    window.wait_for("[data-test=import-result][data-state=done]").await?;
    window.go("#/overview").await?;
    window.click("[data-test=period-all]").await?;
    window
        .wait_until(
            "the events of the log on the Overview",
            "return Number(document.querySelector('[data-test=kpi-events]')?.dataset.value) > 700",
        )
        .await?;
    window.screenshot(home.artefacts().join("overview.png")).await
}

/// The injection is opened, explains itself, is taken and resolved. Returns its number.
async fn triage(window: &Window) -> Result<String> {
    window.go("#/incidents").await?;
    window.type_into("[data-test=incident-search]", SOURCE).await?;
    window
        .wait_until("one row", "return document.querySelectorAll('[data-test=incident-row]').length === 1")
        .await?;
    let number =
        window.attribute("[data-test=incident-row]", "data-number").await?.context("a row has a number")?;
    window.go(&format!("#/incidents/{number}")).await?;
    window.wait_for_text("[data-test=incident-title]", SOURCE).await?;
    window.wait_for("[data-test=why-layer]").await?;
    window.click("[data-test=take]").await?;
    window.wait_for_text("[data-test=incident-status]", "Investigating").await?;
    window.click("[data-test=resolve]").await?;
    window.click("label:has([data-test=verdict-true_positive])").await?;
    window.type_into("[data-test=resolve-reason]", "sqlmap against the shop").await?;
    window.click("[data-test=resolve-confirm]").await?;
    // The queue goes on to the next one; what was resolved is looked at again by its number.
    window.wait_gone("[data-test=resolve-dialog]").await?;
    window.go(&format!("#/incidents/{number}")).await?;
    window.wait_for_text("[data-test=incident-title]", SOURCE).await?;
    window.wait_for_text("[data-test=incident-status]", "Resolved").await?;
    Ok(number)
}

/// The source is blocked from the page of its incident.
async fn block(window: &Window) -> Result<()> {
    window.click("[data-test=block]").await?;
    window.wait_for("[data-test=block-dialog] [data-test=block-preview]").await?;
    window.type_into("[data-test=block-dialog] [data-test=block-reason]", "SQL injection").await?;
    window.click("[data-test=block-dialog] [data-test=block-ttl-86400]").await?;
    window.click("[data-test=block-dialog] [data-test=block-confirm]").await?;
    window.wait_gone("[data-test=block-dialog]").await
}

/// Retention: the preview counts, the run archives and removes.
async fn archive(window: &Window) -> Result<()> {
    window.go("#/maintenance").await?;
    window.click("[data-test=retention-toggle]").await?;
    window.type_into("[data-test=retention-days]", "0").await?;
    window.click("[data-test=retention-preview]").await?;
    window.wait_for("[data-test=retention-preview-result]").await?;
    window.click("[data-test=retention-run]").await?;
    window.wait_for("[data-test=retention-result][data-state=done]").await?;
    window.go("#/overview").await?;
    window
        .wait_until(
            "the archived events on the Overview",
            "return Number(document.querySelector('[data-test=kpi-events]')?.dataset.value) > 700",
        )
        .await
}

/// The PDF and the CSV are made, and read back.
async fn report(window: &Window, home: &Home) -> Result<()> {
    let (pdf, csv) = (home.work().join("soc2.pdf"), home.work().join("soc2.csv"));
    window.go("#/reports").await?;
    window.choose("[data-test=report-framework]", "soc2").await?;
    window.click("[data-test=report-preview]").await?;
    window.wait_for("[data-test=report-document]").await?;
    window.type_into("[data-test=report-pdf-path]", pdf.to_str().context("the path is text")?).await?;
    window.type_into("[data-test=report-csv-path]", csv.to_str().context("the path is text")?).await?;
    window.click("[data-test=report-produce]").await?;
    window.wait_for("[data-test=report-result]").await?;
    window.screenshot(home.artefacts().join("report.png")).await?;
    let text = until("the text of the PDF", Duration::from_secs(10), || async {
        home.run("pdftotext", ["-layout", pdf.to_str().unwrap_or_default(), "-"]).await?.ok()
    })
    .await?;
    ensure!(text.contains("SOC 2") && text.contains("CC6.1"), "the PDF is the report: {text:.400}");
    let rows = std::fs::read_to_string(&csv)?;
    ensure!(rows.contains("CC6.1"), "the CSV is the report: {rows:.400}");
    Ok(())
}

/// The trail names everything that was done, and holds.
async fn trail(window: &Window) -> Result<()> {
    window.go("#/audit").await?;
    for action in
        ["import_run", "incident_take", "incident_resolve", "block_add", "retention_run", "report_generate"]
    {
        window.type_into("[data-test=audit-text]", action).await?;
        window.wait_for(&format!("[data-test=audit-row][data-action={action}]")).await?;
    }
    window.click("[data-test=audit-clear]").await?;
    window.click("[data-test=audit-verify]").await?;
    window.wait_for("[data-test=audit-verification]").await?;
    ensure!(window.count("[data-test=audit-problems]").await? == 0, "the trail holds");
    Ok(())
}
