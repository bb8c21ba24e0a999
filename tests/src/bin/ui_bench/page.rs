//! What is measured in the page, by its own clock.
//!
//! A script leaves its answer in `window.__answer`, as one that takes a while cannot give it back.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use watchpost_tests::Window;

use crate::processes;
use crate::say;

/// Leaves how long it took until everything that the first panel shows is there.
const USABLE: &str = "const [drawn] = arguments; window.__answer = null; \
    const look = () => { \
        if (document.querySelector(drawn) && !document.querySelector('main [data-test=loading]')) \
            window.__answer = performance.now(); \
        else requestAnimationFrame(look); \
    }; \
    look();";

/// Leaves how long it took from the change of the address to the frame in which the panel stands.
const VISIT: &str = "const [panel, drawn] = arguments; window.__answer = null; \
    const begun = performance.now(); \
    const look = () => { \
        const there = document.querySelector(`nav a[href='#/${panel}'][aria-current=page]`) \
            && document.querySelector(drawn) && !document.querySelector('main [data-test=loading]'); \
        requestAnimationFrame(there ? () => { window.__answer = performance.now() - begun; } : look); \
    }; \
    window.location.hash = `#/${panel}`; \
    requestAnimationFrame(look);";

/// Scrolls a list by three rows a frame for three seconds; leaves the times between frames.
const SCROLL: &str = "window.__answer = null; \
    const grid = document.querySelector('main [role=grid]'); \
    const frames = []; let last = performance.now(); const end = last + 3000; \
    const turn = () => { \
        const now = performance.now(); frames.push(now - last); last = now; \
        grid.scrollTop += 120; \
        if (now < end) requestAnimationFrame(turn); else window.__answer = frames; \
    }; \
    requestAnimationFrame(turn);";

/// Asks an operation so often through the bridge of the window; leaves how long each answer took.
const ASK: &str = "const [name, req, turns] = arguments; window.__answer = null; \
    (async () => { \
        const took = []; \
        for (let turn = 0; turn < turns; turn += 1) { \
            const begun = performance.now(); \
            await window.__TAURI_INTERNALS__.invoke(name, { req, confirm: null }); \
            took.push(performance.now() - begun); \
        } \
        return took; \
    })().then((took) => { window.__answer = took; }, (fault) => { window.__answer = JSON.stringify(fault); });";

/// True when the engine has nothing to do and the Overview, or the count of the Events, has not changed for five seconds.
const SETTLED: &str = "const state = document.querySelector('[data-test=status-engine]')?.dataset.state; \
    const events = document.querySelector('[data-test=kpi-events]')?.dataset.value \
        ?? document.querySelector('[data-test=events-count]')?.dataset.total; \
    const now = performance.now(); \
    if (state !== 'running' || window.__quiet?.events !== events) window.__quiet = { events, since: now }; \
    return now - window.__quiet.since > 5000;";

/// Milliseconds since the process was started.
pub(crate) struct Start {
    pub(crate) usable_ms: f64,
    /// Where the page tells.
    pub(crate) painted_ms: Option<f64>,
}

async fn answer(window: &Window, what: &str, script: &str, args: Vec<Value>) -> Result<Value> {
    window.run(script, args).await?;
    window.wait_until(what, "return window.__answer !== null").await?;
    window.run("return window.__answer", Vec::new()).await
}

/// How long the start of a window that was just opened took, until `drawn` is there. Looked for from the first answer of
/// the page on, so at most this.
pub(crate) async fn start(window: &Window, drawn: &str) -> Result<Start> {
    let usable = answer(window, "the first panel", USABLE, vec![json!(drawn)]).await?;
    let usable = usable.as_f64().context("a time")?;
    let paint = "return [performance.now(), \
        performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null]";
    let told = window.run(paint, Vec::new()).await?;
    let now = told[0].as_f64().context("the time of the page")?;
    // The page's clock began when the page did; now is now in both.
    let page_began = processes::age(window.pid()) * 1_000.0 - now;
    Ok(Start {
        usable_ms: page_began + usable,
        painted_ms: told[1].as_f64().map(|painted| page_began + painted),
    })
}

/// Goes to a panel; milliseconds until it stands.
pub(crate) async fn visit(window: &Window, panel: &str, drawn: &str) -> Result<f64> {
    let took = answer(window, panel, VISIT, vec![json!(panel), json!(drawn)]).await?;
    took.as_f64().with_context(|| format!("{panel}: {took} is no time"))
}

/// Scrolls the list of a panel.
pub(crate) async fn scroll(window: &Window, panel: &str) -> Result<()> {
    window.go(&format!("#/{panel}")).await?;
    window.wait_for("main [role=grid] [data-test$=-row]").await?;
    let frames = answer(window, "the end of the list", SCROLL, Vec::new()).await?;
    let mut frames = times(&frames).context("the frames")?;
    frames.sort_by(f64::total_cmp);
    let measured = format!("{:.0} / {:.0} ms of {}", share(&frames, 0.95), share(&frames, 1.0), frames.len());
    say(&format!("frames while {panel} scrolls: p95 / worst"), "never blocks", &measured);
    Ok(())
}

/// Asks an operation through the bridge; milliseconds of each answer.
pub(crate) async fn ask(window: &Window, name: &str, request: &Value, turns: u32) -> Result<Vec<f64>> {
    let took = answer(window, name, ASK, vec![json!(name), request.clone(), json!(turns)]).await?;
    times(&took).with_context(|| format!("{name} of {request} answered {took}"))
}

/// Waits until what came in was read, judged and shown.
pub(crate) async fn settle(window: &Window) -> Result<()> {
    window.wait_until("the engine to have read everything", SETTLED).await
}

fn times(value: &Value) -> Result<Vec<f64>> {
    let times: Vec<f64> = value.as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
    ensure!(!times.is_empty(), "no times");
    Ok(times)
}

/// The median and the worst of some times.
pub(crate) fn spread(mut times: Vec<f64>) -> String {
    if times.is_empty() {
        return "not told by the page".to_owned();
    }
    times.sort_by(f64::total_cmp);
    format!("{:.0} / {:.0} ms", share(&times, 0.5), share(&times, 1.0))
}

/// The value that so large a share of sorted ones does not exceed.
pub(crate) fn share(sorted: &[f64], share: f64) -> f64 {
    let least = share * sorted.len() as f64;
    let place = (1_u32..).zip(sorted).find(|(place, _)| f64::from(*place) >= least);
    place.map_or(f64::NAN, |(_, value)| *value)
}
