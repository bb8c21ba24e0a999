//! The lock of the window: nothing of the workspace is in it, and its door lets nothing through but the passphrase.

use anyhow::{Result, ensure};
use watchpost_tests::{Home, Window};

const PASSPHRASE: &str = "correct horse 7";
/// What the window asks of the program beside the page, as somebody would who has opened its tools.
const ASK: &str = "window.__asked = null; window.__TAURI_INTERNALS__.invoke('incident_page', { req: {}, confirm: null })\
    .then(() => { window.__asked = 'let through'; }, (fault) => { window.__asked = JSON.stringify(fault); });";

#[tokio::test]
async fn a_locked_window_holds_nothing_and_opens_by_its_passphrase_alone() -> Result<()> {
    let home = Home::new("a locked window")?;
    home.session().await?;
    let window = Window::launch(&home).await?;
    window.wait_for("[data-test=status-workspace]").await?;
    window.go("#/settings").await?;
    window.type_into("[data-test=lock-new]", PASSPHRASE).await?;
    window.type_into("[data-test=lock-again]", PASSPHRASE).await?;
    window.click("[data-test=lock-save]").await?;
    window.click("[data-test=lock-now]").await?;
    window.wait_for("[data-test=lock-screen]").await?;
    ensure!(
        window.count("[data-test=status-workspace], nav, [data-test=lock-form]").await? == 0,
        "it shows more"
    );

    window.run(ASK, Vec::new()).await?;
    window.wait_until("an answer", "return window.__asked !== null").await?;
    let answer = window.run("return window.__asked", Vec::new()).await?.to_string();
    ensure!(answer.contains("locked"), "the door said {answer}");

    // A page that is loaded again is locked as well.
    window.reload().await?;
    window.wait_for("[data-test=lock-screen]").await?;
    window.type_into("[data-test=lock-passphrase]", "wrong horse 7").await?;
    window.click("[data-test=lock-open]").await?;
    window.wait_for("[data-test=lock-fault]").await?;
    // After a wrong one the next has to wait for a moment, and is told so.
    while window.count("[data-test=lock-screen]").await? == 1 {
        window.type_into("[data-test=lock-passphrase]", PASSPHRASE).await?;
        window.click("[data-test=lock-open]").await?;
        window
            .wait_until(
                "a verdict",
                "return document.querySelector('[data-test=lock-screen]') === null \
                 || document.querySelector('[data-test=lock-fault]') !== null",
            )
            .await?;
    }
    window.wait_for("[data-test=status-workspace]").await?;
    let trail = home.cli(["audit", "list"]).await?.ok()?;
    ensure!(trail.contains("window_lock_now") && trail.contains("window_unlock"), "{trail}");
    ensure!(!trail.contains(PASSPHRASE), "{trail}");
    window.close().await
}
