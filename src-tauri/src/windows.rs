//! Windows beside the first one: a panel or an incident in a window of its own.
//!
//! Each has a label of its own, `detail-7`, which the capability of the window covers, and a live feed of its own. The
//! program ends with the last window, whichever that is.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use tauri::{AppHandle, Manager, WebviewUrl, WebviewWindow, WebviewWindowBuilder};
use watchpost_ops::error::OpError;

use crate::bounds::{self, Bounds, Kept};
use crate::crash;

/// The label of the first window.
const MAIN: &str = "main";
/// Windows that are open at once.
const MOST: usize = 12;
/// Longest route: a search in it has 2,048 characters, each of which may be written with nine.
const ROUTE_MAX: usize = 20_000;
/// How far a window stands from the one before, in pixels.
const STEP: i32 = 32;

/// What is remembered of windows.
#[derive(Debug)]
pub(crate) struct Windows {
    opened: AtomicU32,
    /// Where they stood, and the file that keeps it.
    kept: Mutex<Kept>,
    file: PathBuf,
    /// The label of the window that had the focus last.
    used: Mutex<Option<String>>,
}

impl Windows {
    /// Begins with what a file has kept of the last start.
    pub(crate) fn kept_in(file: PathBuf) -> Self {
        let kept = Mutex::new(Kept::read(&file));
        Self { opened: AtomicU32::default(), kept, file, used: Mutex::default() }
    }

    fn kept(&self) -> Kept {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes where a window is, for the next one and the next start.
    fn note(&self, window: &WebviewWindow) {
        let before = self.kept();
        let is_main = window.label() == MAIN;
        let known = if is_main { before.main } else { before.beside };
        let bounds = Bounds::of(window, known);
        let now = if is_main { Kept { main: bounds, ..before } } else { Kept { beside: bounds, ..before } };
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// A window got the focus.
    pub(crate) fn focused(&self, label: &str) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Some(label.to_owned());
    }

    /// A window is closed.
    pub(crate) fn closed(&self, label: &str) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.as_deref() == Some(label) {
            *used = None;
        }
    }

    fn used(&self) -> Option<String> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The place of a route without what is asked of it: `incidents/42`.
fn place(route: &str) -> &str {
    route.trim_start_matches('/').split('?').next().unwrap_or_default()
}

/// The route that a window shows.
fn shown(window: &WebviewWindow) -> Option<String> {
    window.url().ok()?.fragment().map(|fragment| fragment.trim_start_matches('/').to_owned())
}

/// A route is written by the page; it is checked all the same, since it becomes part of an address.
fn checked(route: &str) -> Result<&str, OpError> {
    let is_route = (1..=ROUTE_MAX).contains(&route.len())
        && route.starts_with(|first: char| first.is_ascii_lowercase())
        && route
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'#' | b'"' | b'<' | b'>'));
    if is_route { Ok(route) } else { Err(OpError::invalid("route", "this is no place in the window")) }
}

/// Opens a window at a route, or raises the one of its own that stands there already.
pub(crate) fn open(app: &AppHandle, route: &str) -> Result<(), OpError> {
    let route = checked(route)?;
    let windows = app.webview_windows();
    let there = |(label, window): &(&String, &WebviewWindow)| {
        label.as_str() != MAIN && shown(window).is_some_and(|other| other == route)
    };
    if let Some((_, window)) = windows.iter().find(there) {
        bring(window);
        return Ok(());
    }
    if windows.len() >= MOST {
        return Err(OpError::invalid("route", format!("at most {MOST} windows are open at once")));
    }
    let state = app.state::<Windows>();
    let label = format!("detail-{}", state.opened.fetch_add(1, Ordering::Relaxed) + 1);
    let url = WebviewUrl::App(format!("index.html#/{route}").into());
    let window = WebviewWindowBuilder::new(app, &label, url)
        .title("Watchpost")
        .inner_size(1180.0, 820.0)
        .min_inner_size(720.0, 480.0)
        .visible(false)
        .on_document_title_changed(|window, title| {
            if let Err(problem) = window.set_title(&title) {
                tracing::debug!(%problem, "a window kept its title");
            }
        })
        .build()
        .map_err(|problem| OpError::internal(format!("no window was opened: {problem}")))?;
    crash::survive(&window);
    match state.kept().beside {
        Some(last) => last.stepped(STEP).place(&window),
        None => bounds::fit(&window),
    }
    state.note(&window);
    Ok(())
}

/// Puts the first window where it stood when it was closed, the first time onto its screen, and looks after its page.
pub(crate) fn restore(app: &AppHandle) {
    let Some(window) = app.get_webview_window(MAIN) else { return };
    crash::survive(&window);
    match app.state::<Windows>().kept().main {
        Some(last) => last.place(&window),
        None => bounds::fit(&window),
    }
}

/// Keeps where a window is that is about to close.
pub(crate) fn remember(window: &WebviewWindow) {
    let state = window.state::<Windows>();
    state.note(window);
    state.kept().write(&state.file);
}

/// Which of the windows a link leads to, by their labels and routes: the one that shows its place already, else the one
/// that was used last, else the first one, else any.
fn choice<'a>(open: &'a [(String, Option<String>)], used: Option<&str>, route: &str) -> Option<&'a str> {
    let named = |label: &str| open.iter().find(|(other, _)| other == label);
    let stands = |(_, other): &&(String, Option<String>)| {
        other.as_deref().is_some_and(|other| place(other) == place(route))
    };
    let last = used.and_then(named);
    // Of several that stand there: the one that was used last, then one that was opened for it.
    let there = last
        .filter(stands)
        .or_else(|| open.iter().filter(|(label, _)| label != MAIN).find(stands))
        .or_else(|| open.iter().find(stands));
    there.or(last).or_else(|| named(MAIN)).or_else(|| open.first()).map(|(label, _)| label.as_str())
}

/// The window that a link to `route` leads to.
pub(crate) fn for_route(app: &AppHandle, route: &str) -> Option<WebviewWindow> {
    let windows = app.webview_windows();
    let open: Vec<_> = windows.iter().map(|(label, window)| (label.clone(), shown(window))).collect();
    let used = app.state::<Windows>().used();
    choice(&open, used.as_deref(), route).and_then(|label| windows.get(label)).cloned()
}

/// Shows a window whose page is loaded. One that is on the screen before waits half a second for a first picture of a page
/// that is not there yet, and with it everything else that the loop of the windows does.
pub(crate) fn show(window: &WebviewWindow) {
    let shown = window.is_visible().and_then(|visible| if visible { Ok(()) } else { window.show() });
    if let Err(problem) = shown {
        tracing::warn!(%problem, "a window was not shown");
    }
}

/// Brings a window to the front.
pub(crate) fn bring(window: &WebviewWindow) {
    let raised = window.unminimize().and_then(|()| window.show()).and_then(|()| window.set_focus());
    if let Err(problem) = raised {
        tracing::warn!(%problem, "a window did not come to the front");
    }
}

/// Brings the window to the front that was used last.
pub(crate) fn raise(app: &AppHandle) {
    // No window stands at no place.
    if let Some(window) = for_route(app, "") {
        bring(&window);
    }
}

#[cfg(test)]
mod tests {
    use super::{checked, choice, place};

    #[test]
    fn only_places_become_addresses() {
        for route in [
            "overview",
            "incidents/42?view=full",
            "entities/ip%3A2001%3Adb8%3A%3A1",
            "events?q=user%3Aanna+-ip%3A1",
        ] {
            assert!(checked(route).is_ok(), "{route}");
        }
        for route in ["", "/", "#/x", "javascript\\x", "a b", "a#b", "a\nb", "ä", "x<script>", "../x"] {
            assert!(checked(route).is_err(), "{route}");
        }
        assert_eq!(place("/incidents/42?view=full"), "incidents/42");
    }

    #[test]
    fn a_link_leads_to_the_window_that_shows_its_place_or_was_used_last() {
        let open: Vec<(String, Option<String>)> = [
            ("main", Some("incidents/7?order=due")),
            ("detail-1", Some("incidents/42?view=full")),
            ("detail-2", None),
        ]
        .map(|(label, route)| (label.to_owned(), route.map(str::to_owned)))
        .into();
        for (used, route, expected) in [
            (None, "incidents/42", "detail-1"),
            (Some("detail-2"), "incidents/42", "detail-1"),
            (Some("detail-1"), "incidents/7", "main"),
            (Some("detail-2"), "incidents/9", "detail-2"),
            (Some("detail-9"), "incidents/9", "main"),
            (None, "redis", "main"),
            (Some("detail-1"), "", "detail-1"),
        ] {
            assert_eq!(choice(&open, used, route), Some(expected), "{route} after {used:?}");
        }
        assert_eq!(choice(&[], Some("main"), "redis"), None);
        let both: Vec<(String, Option<String>)> =
            ["detail-1", "main"].map(|label| (label.to_owned(), Some("audit".to_owned()))).into();
        assert_eq!(choice(&both, None, "audit"), Some("detail-1"), "the one that was opened for it");
        assert_eq!(choice(&both, Some("main"), "audit"), Some("main"), "the one in front of the person");
        assert_eq!(choice(&both[..1], None, "redis"), Some("detail-1"), "the first one is closed");
    }
}
