//! Several windows on one workspace: each shows its own place, and a change made in one appears in the other.

use anyhow::{Context, Result, ensure};
use watchpost_tests::{Home, Window};

#[tokio::test]
async fn an_incident_in_a_window_of_its_own_follows_the_queue() -> Result<()> {
    let home = Home::new("an incident in a window of its own")?;
    home.session().await?;
    home.cli(["simulate", "--seed", "7", "--days", "3"]).await?.ok()?;
    home.cli(["serve", "--until-idle"]).await?.ok()?;
    let window = Window::launch(&home).await?;
    window.wait_for("[data-test=status-workspace]").await?;
    window.press("gi").await?;
    window.wait_for("[data-test=incident-row]").await?;
    window.press("j").await?;
    let number = window
        .attribute("[data-test=incident-row][data-active]", "data-number")
        .await?
        .context("a row has the number of its incident")?;
    let queue = window.current().await?;

    // In a window of its own, once however often it is asked for.
    window.press("w").await?;
    let handles = window.wait_for_windows(2).await?;
    window.press("w").await?;
    let own = handles.iter().find(|handle| **handle != queue).context("another window")?;
    window.switch_to(own).await?;
    window.wait_for_text("[data-test=incident-number]", &format!("#{number}")).await?;
    ensure!(window.route().await?.starts_with(&format!("#/incidents/{number}")), "{}", window.route().await?);
    let status = window.text("[data-test=incident-status]").await?;
    ensure!(window.count("[data-test=take]").await? == 1, "nobody works on it: {status}");

    // Taken in the queue, seen in the window of its own.
    window.switch_to(&queue).await?;
    ensure!(window.wait_for_windows(2).await?.len() == 2, "the second key raised the window that was there");
    window.press("t").await?;
    window.switch_to(own).await?;
    window.wait_gone("[data-test=take]").await?;

    // And the other way round: a note written there counts in the queue's window.
    window.press("n").await?;
    window.wait_for("[data-test=note-dialog]").await?;
    window.press("Seen beside the queue").await?;
    window.click("[data-test=note-confirm]").await?;
    window.wait_gone("[data-test=note-dialog]").await?;
    window.switch_to(&queue).await?;
    window.go(&format!("#/incidents/{number}")).await?;
    window.click("[data-test=incident-tab-notes]").await?;
    window.wait_for_text("[data-test=note]", "Seen beside the queue").await?;

    // The first window may go first; the program ends with the last one.
    window.close_current().await?;
    window.wait_for_windows(1).await?;
    window.switch_to(own).await?;
    window.wait_for_text("[data-test=incident-number]", &format!("#{number}")).await?;
    window.close().await
}
