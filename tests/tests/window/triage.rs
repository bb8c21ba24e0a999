//! A queue worked off with the keyboard alone: 20 incidents, and no pointer ever touches the window.

use std::net::IpAddr;

use anyhow::{Context, Result, ensure};
use watchpost_tests::{Home, Key, Window};

const TOTAL: &str = "Number(document.querySelector('[data-test=incidents-total]')?.dataset.value)";

#[tokio::test]
async fn twenty_incidents_without_a_pointer() -> Result<()> {
    let home = Home::new("twenty incidents")?;
    home.session().await?;
    home.cli(["simulate", "--seed", "7", "--days", "14"]).await?.ok()?;
    home.cli(["serve", "--until-idle"]).await?.ok()?;
    let window = Window::launch(&home).await?;
    window.wait_for("[data-test=status-workspace]").await?;
    let count = "window.pointers = 0; addEventListener('pointerdown', () => { window.pointers += 1; }, true)";
    window.run(count, Vec::new()).await?;

    window.press("gi").await?;
    window.wait_for("[data-test=incident-row]").await?;
    let before = total(&window).await?;
    ensure!(before > 20, "there is a queue to work off: {before}");
    window.press("j").await?;

    // A note, then a false positive with its cause.
    window.press("n").await?;
    window.wait_for("[data-test=note-dialog]").await?;
    window.press("Seen on Tuesday too").await?;
    send(&window, "note").await?;
    for handled in 1..=12 {
        false_positive(&window).await?;
        left(&window, before - handled).await?;
    }

    // An attack, judged as one.
    window.press("r").await?;
    window.wait_for("[data-test=resolve-dialog]").await?;
    window.press("1").await?;
    window.press("a").await?;
    send(&window, "resolve").await?;
    left(&window, before - 13).await?;

    // Into the one of the same source and time, or into one of those that resemble it.
    window.press("m").await?;
    window.wait_for("[data-test=merge-dialog] [type=radio]").await?;
    if window.count("[data-test=merge-dialog] :checked").await? == 0 {
        tab_to(&window, "merge-into-").await?;
        window.press(" ").await?;
    }
    tab_to(&window, "merge-reason").await?;
    window.press("One campaign").await?;
    send(&window, "merge").await?;
    left(&window, before - 14).await?;

    // Three at once, taken back, and done again.
    for _ in 0..3 {
        window.press("x").await?;
        window.press("j").await?;
    }
    bulk(&window).await?;
    left(&window, before - 17).await?;
    window.press("u").await?;
    left(&window, before - 14).await?;
    window.press(Key::Home.to_string()).await?;
    for _ in 0..3 {
        window.press("x").await?;
        window.press("j").await?;
    }
    bulk(&window).await?;
    left(&window, before - 17).await?;

    escalate(&window).await?;
    window.press("j").await?;
    suppress(&window).await?;
    block(&window).await?;

    let pointers = window.run("return window.pointers", Vec::new()).await?;
    ensure!(pointers == 0, "no pointer was used: {pointers}");
    let focus = window.run("return document.activeElement?.getAttribute('role')", Vec::new()).await?;
    ensure!(focus == "grid", "the hands are on the queue again: {focus}");
    window.close().await
}

async fn total(window: &Window) -> Result<i64> {
    Ok(window.run(&format!("return {TOTAL}"), Vec::new()).await?.as_i64().unwrap_or_default())
}

async fn left(window: &Window, rows: i64) -> Result<()> {
    let seen = format!(
        "return {TOTAL} === {rows} && document.querySelector('[data-test=incident-row][data-active]') !== null"
    );
    window.wait_until(&format!("{rows} incidents, one of them chosen"), &seen).await
}

/// Sends a dialog from wherever the focus is, and waits until it is gone.
async fn send(window: &Window, dialog: &str) -> Result<()> {
    window.press(format!("{}{}", Key::Control, Key::Enter)).await?;
    window.wait_gone(&format!("[data-test={dialog}-dialog]")).await
}

async fn false_positive(window: &Window) -> Result<()> {
    window.press("f").await?;
    window.wait_for("[data-test=resolve-dialog]").await?;
    window.press("a").await?;
    send(window, "resolve").await
}

async fn bulk(window: &Window) -> Result<()> {
    window.wait_for("[data-test=bulk-count][data-value='3']").await?;
    window.press("f").await?;
    window.wait_for("[data-test=bulk-dialog]").await?;
    window.press("s").await?;
    send(window, "bulk").await?;
    window.wait_for("[data-test=bulk-outcome][data-changed='3']").await.map(|_| ())
}

async fn escalate(window: &Window) -> Result<()> {
    window.press(Key::Home.to_string()).await?;
    window.press("e").await?;
    window.wait_for("[data-test=escalate-dialog]").await?;
    // One that is critical already has no severity to choose.
    tab_to(window, "escalate-to").await?;
    window.press("lead").await?;
    window.press(Key::Tab.to_string()).await?;
    window.press("The customers notice").await?;
    send(window, "escalate").await
}

/// What is known is hidden for a day, after a look at what that would have hidden.
async fn suppress(window: &Window) -> Result<()> {
    window.press("s").await?;
    window.wait_for("[data-test=suppress-hidden]").await?;
    tab_to(window, "suppress-reason").await?;
    window.press("Our own scanner").await?;
    tab_to(window, "suppress-days-1").await?;
    window.press(" ").await?;
    send(window, "suppress").await
}

/// Presses Tab until `hook` has the focus, or one that begins so where it ends with a hyphen; no dialog has so many places.
async fn tab_to(window: &Window, hook: &str) -> Result<()> {
    for _ in 0..50 {
        if has_focus(window, hook).await? {
            return Ok(());
        }
        window.press(Key::Tab.to_string()).await?;
    }
    anyhow::bail!("{hook} was not reached with the Tab key")
}

async fn has_focus(window: &Window, hook: &str) -> Result<bool> {
    let focus = window.run("return document.activeElement?.dataset.test ?? ''", Vec::new()).await?;
    let focus = focus.as_str().unwrap_or_default();
    Ok(focus == hook || (hook.ends_with('-') && focus.starts_with(hook)))
}

/// The search finds an address of the queue; its incident blocks it.
async fn block(window: &Window) -> Result<()> {
    let lines = window.texts("[data-test=incident-row] :is(.title, .second)").await?;
    let address = lines
        .iter()
        .flat_map(|line| line.split_whitespace())
        .find(|word| word.parse::<IpAddr>().is_ok())
        .context("an address in the queue")?
        .to_owned();
    window.press("/").await?;
    window.press(&address).await?;
    window.press(Key::Enter.to_string()).await?;
    let found = format!("return {TOTAL} > 0 && location.hash.includes('text=')");
    window.wait_until("what the search finds", &found).await?;
    window.press(Key::Home.to_string()).await?;
    window.press("b").await?;
    let ready = "return document.querySelector('[data-test=block-confirm]')?.disabled === false";
    window.wait_until("the preview of the block", ready).await?;
    send(window, "block").await?;
    window.press("gb").await?;
    window.wait_for("[data-test=block-row][data-state=active]").await?;
    window.press("gi").await?;
    window.wait_for("[data-test=incident-row]").await.map(|_| ())
}

/// The number of the active row, or nothing.
async fn active(window: &Window) -> Result<String> {
    let number =
        "return document.querySelector('[data-test=incident-row][data-active]')?.dataset.number ?? ''";
    Ok(window.run(number, Vec::new()).await?.as_str().unwrap_or_default().to_owned())
}

async fn moved(window: &Window, before: &str) -> Result<()> {
    let other = format!(
        "const number = document.querySelector('[data-test=incident-row][data-active]')?.dataset.number ?? ''; \
         return number !== '' && number !== '{before}'"
    );
    window.wait_until("another row is active", &other).await
}

#[tokio::test]
async fn the_keys_of_the_queue_work_wherever_the_focus_is() -> Result<()> {
    let home = Home::new("keys of the queue")?;
    home.session().await?;
    home.cli(["simulate", "--seed", "7", "--days", "14"]).await?.ok()?;
    home.cli(["serve", "--until-idle"]).await?.ok()?;
    let window = Window::launch(&home).await?;
    window.wait_for("[data-test=status-workspace]").await?;
    window.go("#/incidents").await?;
    window.wait_for("[data-test=incident-row]").await?;

    // A press on a facet leaves the focus in its box.
    window.click("[data-test=facet-severity-high]").await?;
    let filtered = "const rows = [...document.querySelectorAll('[data-test=incident-row]')]; \
        return rows.length > 0 && rows.every((row) => row.dataset.severity === 'high')";
    window.wait_until("only high ones", filtered).await?;
    let before = active(&window).await?;
    window.press("j").await?;
    moved(&window, &before).await?;
    for _ in 0..3 {
        window.press("x").await?;
        window.press("j").await?;
    }
    window.wait_for("[data-test=bulk-count][data-value='3']").await?;
    window.press(Key::Escape.to_string()).await?;

    // An incident that was looked at with the pointer, and closed.
    let before = active(&window).await?;
    window.press(Key::Enter.to_string()).await?;
    window.click("[data-test=incident-title]").await?;
    window.press(Key::Escape.to_string()).await?;
    window.wait_gone("[data-test=incident-page]").await?;
    window.press("k").await?;
    moved(&window, &before).await?;
    window.press(Key::Enter.to_string()).await?;
    window.wait_for("[data-test=incident-page]").await?;
    window.close().await
}
