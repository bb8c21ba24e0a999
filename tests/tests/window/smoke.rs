//! The window opens, renders, obeys, and ends.

use std::time::Duration;

use anyhow::Result;
use watchpost_tests::{Home, Window};

#[tokio::test]
async fn opens_renders_and_closes() -> Result<()> {
    let home = Home::new("opens renders and closes")?;
    let window = Window::launch(&home).await?;
    assert!(window.count("#app > *").await? > 0, "the application has rendered into its root");

    window.resize(1280, 720).await?;
    let picture = home.artefacts().join("opened.png");
    window.screenshot(&picture).await?;
    let bytes = std::fs::read(&picture)?;
    assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n", "a picture is a PNG");
    assert_eq!(
        &bytes[16..24],
        &[0, 0, 5, 0, 0, 0, 2, 208],
        "the picture has the size of the window, 1280x720"
    );
    window.close().await
}

#[tokio::test]
async fn every_panel_is_a_click_away_and_obeys_the_content_policy() -> Result<()> {
    let home = Home::new("every panel is a click away")?;
    let window = Window::launch(&home).await?;
    let watch = "window.__violations = []; document.addEventListener('securitypolicyviolation', \
                 (event) => window.__violations.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`))";
    window.run(watch, Vec::new()).await?;
    for panel in
        ["incidents", "redis", "blocklist", "maintenance", "reports", "audit", "settings", "overview"]
    {
        window.click(&format!("nav a[href='#/{panel}']")).await?;
        window.wait_for(&format!("nav a[href='#/{panel}'][aria-current=page]")).await?;
        assert_eq!(window.route().await?, format!("#/{panel}"));
    }
    let violations = window.run("return window.__violations", Vec::new()).await?;
    assert_eq!(violations, serde_json::json!([]), "the content security policy was violated");

    window.run("document.body.setAttribute('style', 'color: red')", Vec::new()).await?;
    window.wait_until("the watch to notice a violation", "return window.__violations.length === 1").await?;
    window.close().await
}

#[tokio::test]
async fn what_the_page_keeps_survives_closing_and_a_crash() -> Result<()> {
    let home = Home::new("what the page keeps")?;
    let window = Window::launch(&home).await?;
    window.run("window.localStorage.setItem('watchpost.theme', 'light')", Vec::new()).await?;
    window.reload().await?;
    window.wait_for("html[data-theme=light]").await?;
    let pid = window.pid();
    window.close().await?;
    let window = Window::launch(&home).await?;
    assert_ne!(window.pid(), pid, "it is another process");
    window.wait_for("html[data-theme=light]").await?;
    window.kill().await?;
    let window = Window::launch(&home).await?;
    window.wait_for("html[data-theme=light]").await?;
    window.close().await
}

#[tokio::test]
async fn a_missing_element_is_told_with_picture_and_log() -> Result<()> {
    let home = Home::new("a missing element")?;
    let mut window = Window::launch(&home).await?;
    window.set_patience(Duration::from_secs(1));
    let message = format!("{:#}", window.wait_for("#no-such-element").await.unwrap_err());
    assert!(message.contains("#no-such-element"), "{message}");
    assert!(message.contains("failure-0.png"), "{message}");
    assert!(home.artefacts().join("failure-0.png").is_file(), "the picture is there to look at");
    assert!(message.contains("window-1.log"), "{message}");
    Ok(())
}

#[tokio::test]
async fn the_session_holds_secrets() -> Result<()> {
    let home = Home::new("the session holds secrets")?;
    let session = home.session().await?;
    assert!(session.display().starts_with(':'), "{}", session.display());
    let store =
        home.run_in_session("secret-tool", &["store", "--label=probe", "probe", "1"], "swordfish").await?;
    store.ok()?;
    let read = home.run_in_session("secret-tool", &["lookup", "probe", "1"], "").await?;
    assert_eq!(read.ok()?, "swordfish");
    Ok(())
}
