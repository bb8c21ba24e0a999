//! What the engine could not look at as it should have, day by day, and whether somebody explained it.

use std::collections::{BTreeMap, BTreeSet};

use watchpost_model::evidence::EvidenceAnswer;

use super::{Class, DAY, Scope, day_text};
use crate::engine::{Tx, args};
use crate::error::StoreError;
use crate::lost::Lost;

/// Since when it is counted: of the days before nothing is known.
pub(super) const SINCE: &str = "SELECT applied_at FROM schema_version WHERE name = 'lost_event'";
pub(super) const TEXT: &str =
    "SELECT day, kind, n FROM lost_event WHERE day * :day < :end AND (day + 1) * :day > :from";
pub(super) const EXPLAINED: &str = "SELECT DISTINCT r.subject FROM register_entry r JOIN register_field f ON f.entry_id = r.id \
    WHERE r.kind = 'log_failure' AND r.subject LIKE 'lost/%' AND r.result <> 'open' AND f.name = 'reason' \
    AND TRIM(f.value) <> ''";

pub(super) async fn lost_events(tx: &mut Tx, scope: &Scope<'_>) -> Result<EvidenceAnswer, StoreError> {
    let since = tx.fetch_one(SINCE, args![]).await?.i64(0)?.div_euclid(DAY);
    let mut places = scope.places.clone();
    places.set("day", DAY);
    let (sql, values) = places.bind(TEXT);
    let mut lost: BTreeMap<(i64, String), i64> = BTreeMap::new();
    for row in tx.fetch(sql, values).await? {
        lost.insert((row.i64(0)?, row.text(1)?), row.i64(2)?);
    }
    let mut explained = BTreeSet::new();
    for row in tx.fetch(EXPLAINED, args![]).await? {
        explained.insert(row.text(0)?);
    }
    let mut rows = Vec::new();
    for day in scope.days().filter(|day| *day >= since) {
        let count = |kind: Lost| lost.get(&(day, kind.as_str().to_owned())).copied().unwrap_or(0);
        let (unread, dropped) = (count(Lost::Quarantined), count(Lost::Evicted));
        let name = day_text(day)?;
        let is_explained = explained.contains(&format!("lost/{name}"));
        let (class, word) = match (unread + dropped, is_explained) {
            (0, _) => (Class::Good, ""),
            (_, true) => (Class::Warning, "yes"),
            (_, false) => (Class::Exception, "no"),
        };
        rows.push((class, vec![name, unread.to_string(), dropped.to_string(), word.to_owned()]));
    }
    Ok(scope.whole(rows))
}
