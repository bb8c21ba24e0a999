//! Imports of texts.

use std::io::Cursor;

use chrono::{DateTime, Utc};
use watchpost_ingest::{Import, ImportOptions, Importer, LogFormat, Parsed};
use watchpost_model::event::Event;

pub(crate) fn now() -> DateTime<Utc> {
    "2026-02-10T12:00:00Z".parse().expect("a literal time")
}

pub(crate) fn importer(format: LogFormat) -> Importer {
    Importer::new(format, ImportOptions::new(now(), "test.log"))
}

pub(crate) fn import(format: LogFormat, text: impl AsRef<[u8]>) -> Vec<Parsed> {
    Import::new(Cursor::new(text.as_ref()), 0, importer(format))
        .map(|item| item.expect("memory reads").1)
        .collect()
}

pub(crate) fn events(format: LogFormat, text: &str) -> Vec<Event> {
    import(format, text)
        .into_iter()
        .filter_map(|parsed| match parsed {
            Parsed::Event(event) => Some(*event),
            Parsed::Skipped(_) | Parsed::Bad { .. } => None,
        })
        .collect()
}

/// The only event of a text.
#[track_caller]
pub(crate) fn event(format: LogFormat, text: &str) -> Event {
    let mut all = import(format, text);
    assert_eq!(all.len(), 1, "{text}: one line");
    match all.remove(0) {
        Parsed::Event(event) => *event,
        other => panic!("{text}: {other:?}"),
    }
}
