//! Requests for erasure that ended, and whether their facts say that the person is erased.

use watchpost_model::evidence::EvidenceAnswer;
use watchpost_model::register::{ERASURE_FACTS, EntryResult, ErasureClock, RegisterEntry};

use super::super::{Cell, Class, Column, UNREADABLE, cells};
use super::Scope;
use crate::engine::Tx;
use crate::error::StoreError;

/// What the cells of a row are read from; the body follows them.
const CELLS: &[Column] = &[
    ("subject", "", Cell::Text),
    ("opened", "", Cell::Time),
    ("closed", "", Cell::Time),
    ("result", "", Cell::Text),
    ("owner", "", Cell::Text),
];
pub(super) const TEXT: &str = "SELECT r.subject, r.opened_at, r.closed_at, r.result, r.owner, r.body FROM register_entry r \
    WHERE r.kind = 'erasure_request' AND r.result <> 'open' AND r.closed_at >= :from AND r.closed_at < :to \
    ORDER BY r.closed_at, r.id";

/// A request belongs to the period in which it ended: while it is open, nobody can ask for its facts.
pub(super) async fn erasures_good(tx: &mut Tx, scope: &Scope<'_>) -> Result<EvidenceAnswer, StoreError> {
    let (sql, values) = scope.places.bind(TEXT);
    let mut rows = Vec::new();
    for row in tx.fetch(sql, values).await? {
        let (class, words) = match row.json::<RegisterEntry>(CELLS.len()) {
            Ok(entry) => judged(scope, &entry),
            Err(_) => (Class::Exception, UNREADABLE.to_owned()),
        };
        let mut shown = cells(&row, CELLS);
        shown.push(words);
        rows.push((class, shown));
    }
    Ok(scope.whole(rows))
}

fn judged(scope: &Scope<'_>, entry: &RegisterEntry) -> (Class, String) {
    let fact = |name: &str| entry.fields.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
    let clock = ErasureClock {
        received_at: entry.opened_at,
        ended_at: entry.closed_at.unwrap_or(scope.end),
        end: scope.end,
        now: scope.now,
    };
    let mut wrong = Vec::new();
    if entry.result == EntryResult::Bad {
        wrong.push("ended badly".to_owned());
    }
    if fact("refused").is_none() {
        for name in ERASURE_FACTS {
            let fault = match fact(name) {
                // Not every erasure leaves something in backups.
                None if name == "backups_until" => None,
                None => Some("is missing"),
                Some(text) => clock.fault(name, text),
            };
            wrong.extend(fault.map(|fault| format!("{name} {fault}")));
        }
    }
    if !wrong.is_empty() {
        return (Class::Exception, wrong.join("; "));
    }
    match scope.ask.params.field.as_deref() {
        Some(name) if fact(name).is_some() => (Class::Warning, format!("{name} is there")),
        Some(_) | None => (Class::Good, String::new()),
    }
}
