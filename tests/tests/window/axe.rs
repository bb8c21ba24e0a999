//! What axe says of the real window: every panel with data, in every theme.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use watchpost_tests::{Home, Window};

const PANELS: [&str; 12] = [
    "overview",
    "incidents",
    "events",
    "entities",
    "blocklist",
    "rules",
    "baselines",
    "redis",
    "maintenance",
    "reports",
    "audit",
    "settings",
];

/// Leaves what it found in `window.__axe`: a line for each element with a serious or critical violation.
const ASK: &str = "window.__axe = null; \
    axe.run(document, {preload: false, resultTypes: ['violations']}).then( \
        (found) => { window.__axe = found.violations \
            .filter((one) => one.impact === 'serious' || one.impact === 'critical') \
            .flatMap((one) => one.nodes.map((node) => one.id + ' ' + node.target.join(' '))); }, \
        (error) => { window.__axe = ['failed: ' + error.stack]; })";

#[tokio::test]
async fn axe_finds_nothing_serious_on_any_panel_in_any_theme() -> Result<()> {
    let home = Home::new("axe")?;
    home.session().await?;
    home.cli(["simulate", "--seed", "7", "--days", "3"]).await?.ok()?;
    home.cli(["serve", "--until-idle"]).await?.ok()?;
    let axe = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/node_modules/axe-core/axe.min.js");
    let axe = std::fs::read_to_string(&axe)
        .with_context(|| format!("cannot read {}: `npm ci` in ui brings it", axe.display()))?;
    let window = Window::launch(&home).await?;
    for theme in ["dark", "light", "contrast"] {
        let script = "localStorage.setItem('watchpost.theme', arguments[0])";
        window.run(script, vec![json!(theme)]).await?;
        window.reload().await?;
        window.wait_for(&format!("html[data-theme={theme}]")).await?;
        window.run(&axe, Vec::new()).await?;
        for panel in PANELS {
            window.go(&format!("#/{panel}")).await?;
            window.wait_for(&format!("nav a[href='#/{panel}'][aria-current=page]")).await?;
            window.wait_gone("[data-test=loading]").await?;
            let found = judged(&window).await?;
            ensure!(found == json!([]), "{panel}, {theme}: {found}");
        }
    }
    // It can find something: a picture without words.
    window.run("document.body.append(document.createElement('img'))", Vec::new()).await?;
    let found = judged(&window).await?;
    ensure!(found != json!([]), "an image without a text is serious");
    window.close().await
}

async fn judged(window: &Window) -> Result<Value> {
    window.run(ASK, Vec::new()).await?;
    window.wait_until("axe to end", "return window.__axe !== null").await?;
    window.run("return window.__axe", Vec::new()).await
}
