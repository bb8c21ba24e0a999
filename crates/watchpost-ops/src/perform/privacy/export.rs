//! What is kept about somebody, for that person: everything of the subject access report, and every event whole.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tokio::sync::mpsc;
use watchpost_model::audit::Change;
use watchpost_model::event::{Entity, EntityKind, Event};
use watchpost_model::period::Period;
use watchpost_model::privacy::{Subject, SubjectKind};
use watchpost_report::{Prepared, Section, WriteError};
use watchpost_store::{EventCursor, EventFilter, Store};

use super::subject_of;
use crate::contract::{PrivacyExport, PrivacyExported};
use crate::door::Context;
use crate::error::{ErrorCode, OpError};
use crate::perform::{at_this_machine, reports, required};

/// Events read at once.
const PAGE: u32 = 500;

pub(crate) async fn privacy_export(cx: Context, request: PrivacyExport) -> Result<PrivacyExported, OpError> {
    at_this_machine(&cx)?;
    let workspace = cx.workspace()?;
    let subject = subject_of(request.kind, &request.subject)?;
    let path = PathBuf::from(required("path", &request.path, 1_000)?);
    if !path.is_absolute() {
        return Err(OpError::invalid("path", "give the full path of the new file"));
    }
    if path.exists() {
        return Err(OpError::invalid("path", "it is there already; nothing is overwritten"));
    }
    let store = workspace.store().snapshot().await?;
    let now = workspace.now();
    let all = Period { from: chrono::DateTime::UNIX_EPOCH, to: now + chrono::Duration::days(1) };
    let sections = reports::subject_access(&store, all, &subject.value).await?;
    let rows =
        sections.iter().filter(|section| section.title != "Events").map(|section| section.rows.len()).sum();
    let head = head(&subject, now, sections);
    let (pages, incoming) = mpsc::channel::<Vec<Event>>(4);
    let target = path.clone();
    let writer = tokio::task::spawn_blocking(move || write(&target, &head, incoming));
    let (read, written) = tokio::join!(read(&store, &subject, pages), writer);
    drop(store);
    let written = written.map_err(|error| OpError::internal(format!("writing failed: {error}")))?;
    let events = read?;
    let unwritten = |error: WriteError| OpError {
        field: Some("path".to_owned()),
        ..OpError::new(ErrorCode::Unavailable, error.to_string())
    };
    let prepared = written.map_err(unwritten)?;
    let exported = PrivacyExported {
        path: path.display().to_string(),
        bytes: prepared.bytes,
        sha256: prepared.sha256.clone(),
        events,
        rows,
    };
    let placed = prepared.place().map_err(unwritten)?;
    let changes = vec![
        Change::new("kind", Value::Null, subject.kind.as_str()),
        Change::new("events", Value::Null, events),
        Change::new("file", Value::Null, format!("{} {}", exported.sha256, exported.path)),
    ];
    workspace.store().audit_append(cx.record("privacy", changes, None)).await?;
    placed.keep();
    Ok(exported)
}

/// Everything but the events.
fn head(subject: &Subject, now: chrono::DateTime<chrono::Utc>, sections: Vec<Section>) -> Value {
    let part = |section: &Section| {
        let row = |row: &Vec<String>| -> Value {
            let members =
                section.columns.iter().cloned().zip(row.iter().map(|cell| Value::from(cell.as_str())));
            members.collect::<serde_json::Map<_, _>>().into()
        };
        let figures: serde_json::Map<_, _> =
            section.figures.iter().map(|figure| (figure.name.clone(), figure.value.clone().into())).collect();
        json!({
            "title": section.title,
            "text": section.text,
            "figures": figures,
            "rows": section.rows.iter().map(row).collect::<Vec<_>>(),
        })
    };
    // Events are in it whole, not as lines of a table.
    let parts: Vec<Value> = sections.iter().filter(|section| section.title != "Events").map(part).collect();
    json!({
        "about": { "kind": subject.kind, "name": subject.value },
        "made_at": now,
        "what": "Everything that Watchpost keeps about this name (GDPR Art. 15 and 20). Names of other people in it are \
                 theirs: look through it before you hand it over.",
        "parts": parts,
    })
}

async fn read(store: &Store, subject: &Subject, pages: mpsc::Sender<Vec<Event>>) -> Result<u64, OpError> {
    let kind = match subject.kind {
        SubjectKind::User => EntityKind::User,
        SubjectKind::Ip => EntityKind::Ip,
    };
    let filter =
        EventFilter { entity: Some(Entity::new(kind, subject.value.clone())), ..EventFilter::default() };
    let (mut n, mut before) = (0, None::<EventCursor>);
    loop {
        let page = store.event_page(&filter, before, PAGE).await?;
        n += page.rows.len() as u64;
        before = page.next;
        if pages.send(page.rows).await.is_err() || before.is_none() {
            return Ok(n);
        }
    }
}

/// One JSON document: the parts, then every event.
fn write(path: &Path, head: &Value, mut pages: mpsc::Receiver<Vec<Event>>) -> Result<Prepared, WriteError> {
    Prepared::write(path, |out| {
        let put = |out: &mut dyn Write, bytes: &[u8]| {
            out.write_all(bytes).map_err(|error| WriteError::at(path, error))
        };
        let text = serde_json::to_string_pretty(head).unwrap_or_default();
        put(out, text.trim_end_matches('}').trim_end().as_bytes())?;
        put(out, b",\n  \"events\": [")?;
        let mut first = true;
        while let Some(page) = pages.blocking_recv() {
            for event in &page {
                put(out, if first { b"\n    " } else { b",\n    " })?;
                first = false;
                let line = serde_json::to_vec(event).map_err(|error| WriteError::at(path, error.into()))?;
                put(out, &line)?;
            }
        }
        put(out, b"\n  ]\n}\n")
    })
}
