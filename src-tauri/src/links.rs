//! Links into the window: `watchpost://incident/42`, from other programs, from a notice, or from a second start.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tauri::{AppHandle, Emitter, Manager, Url};

use crate::windows;

/// The event that tells the page where to go; its payload is a route: `incidents/42`.
const EVENT: &str = "link";
/// Longest detail of a route.
const DETAIL_MAX: usize = 300;

/// Links that came before their page could hear of them, by the label of its window.
#[derive(Debug, Default)]
pub(crate) struct Links {
    pending: Mutex<HashMap<String, String>>,
}

impl Links {
    /// Hands over what waits for a window.
    pub(crate) fn take(&self, label: &str) -> Option<String> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).remove(label)
    }
}

/// The route of a link. Anybody can write a link, so it leads to a place and does nothing: no action, no query.
pub(crate) fn route_of(url: &Url) -> Option<String> {
    if url.scheme() != "watchpost" || !url.username().is_empty() || url.port().is_some() {
        return None;
    }
    let panel = url.host_str()?;
    let detail = url.path().trim_matches('/');
    let is_word = |text: &str| {
        !text.is_empty()
            && text.len() <= 20
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    match panel {
        "incident" | "incidents" if !detail.is_empty() => {
            let number: u64 = detail.parse().ok()?;
            Some(format!("incidents/{number}"))
        }
        "incident" => None,
        panel if is_word(panel) && detail.is_empty() => Some(panel.to_owned()),
        // What is percent-encoded stays so: the page decodes it, and shows it as text.
        "entities" if detail.len() <= DETAIL_MAX && !detail.contains('/') => {
            Some(format!("entities/{detail}"))
        }
        _ => None,
    }
}

/// Is there a link among what a second start was given? It has been followed then.
pub(crate) fn among(arguments: &[String]) -> bool {
    arguments.iter().any(|argument| argument.parse::<Url>().is_ok_and(|url| route_of(&url).is_some()))
}

/// Brings the window that shows a place to the front, else the one that was used last, and leads it there.
pub(crate) fn follow(app: &AppHandle, route: &str) {
    // Before there is a window, the first one is going to be.
    let window = windows::for_route(app, route);
    let label = window.as_ref().map_or("main", |window| window.label()).to_owned();
    if let Some(window) = &window {
        windows::bring(window);
    }
    let links = app.state::<Links>();
    links.pending.lock().unwrap_or_else(PoisonError::into_inner).insert(label.clone(), route.to_owned());
    if let Err(problem) = app.emit_to(label.as_str(), EVENT, ()) {
        tracing::warn!(%problem, "the window did not hear of a link");
    }
}

#[cfg(test)]
mod tests {
    use super::{among, route_of};

    #[test]
    fn links_lead_to_places_only() {
        for (link, expected) in [
            ("watchpost://incident/42", Some("incidents/42")),
            ("watchpost://incidents/42/", Some("incidents/42")),
            ("watchpost://incidents", Some("incidents")),
            ("watchpost://audit", Some("audit")),
            ("watchpost://entities/ip%3A203.0.113.7", Some("entities/ip%3A203.0.113.7")),
            ("watchpost://incident", None),
            ("watchpost://incident/-1", None),
            ("watchpost://incident/42%2F..%2Fsettings", None),
            ("watchpost://incident/99999999999999999999999", None),
            ("watchpost://settings/delete", None),
            ("watchpost://user@incident/1", None),
            ("https://incident/42", None),
            ("watchpost://incident/<script>", None),
        ] {
            let url = link.parse().expect("a URL");
            assert_eq!(route_of(&url).as_deref(), expected, "{link}");
        }
        let long = format!("watchpost://entities/{}", "a".repeat(400)).parse().expect("a URL");
        assert_eq!(route_of(&long), None);
        let given = |link: &str| among(&["watchpost-desktop".to_owned(), link.to_owned()]);
        assert!(given("watchpost://incident/42"));
        assert!(!given("watchpost://incident/x") && !given("access.log") && !among(&[]));
    }
}
