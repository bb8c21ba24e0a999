//! The page of a window runs in a process of the browser's. When that ends, killed for its memory or by a fault, the window
//! would stay blank: its page is loaded again, at the place where it was. The engine and the workspace are in this process
//! and notice nothing.

use std::cell::Cell;
use std::time::{Duration, Instant};

use tauri::WebviewWindow;
use webkit2gtk::WebViewExt;

use crate::windows;

/// A page that ends again within this time would do so for ever: it is left.
const CALM: Duration = Duration::from_secs(60);

/// Loads the page of a window again when its process ends.
pub(crate) fn survive(window: &WebviewWindow) {
    let label = window.label().to_owned();
    let last: Cell<Option<Instant>> = Cell::new(None);
    let there = window.clone();
    let watched = window.with_webview(move |webview| {
        // Ends with the view.
        webview.inner().connect_web_process_terminated(move |view, reason| {
            let now = Instant::now();
            let again = last.replace(Some(now)).is_none_or(|last| now.duration_since(last) >= CALM);
            tracing::error!(?reason, window = %label, again, "the process of the page ended");
            // Also one whose page never came is to be seen, and can be closed.
            windows::show(&there);
            if again {
                view.reload();
            }
        });
    });
    if let Err(problem) = watched {
        tracing::debug!(%problem, "nobody watches the process of the page");
    }
}
