//! Consents of somebody who is erased: that one was given, for what, by which text, and that it ended stays as the proof;
//! what else was written of it goes.

use chrono::{DateTime, SecondsFormat, Utc};
use watchpost_model::privacy::Subject;
use watchpost_model::register::{EntryResult, RegisterEntry, RegisterKind, WITHDRAWN, WITHDRAWN_AT};

use super::Counts;
use crate::audit::page::ERASED;
use crate::canonical::to_canonical;
use crate::engine::{Tx, args};
use crate::error::StoreError;

/// Facts that say nothing of the person: they are the same for all who were asked so.
const KEPT: [&str; 3] = ["purpose", "text", WITHDRAWN_AT];

/// Ends the consents of `subject` and takes from them what is not the proof. The name in them goes with that of all entries.
pub(super) async fn close(
    tx: &mut Tx,
    subject: &Subject,
    now: DateTime<Utc>,
    counts: &mut Counts,
) -> Result<(), StoreError> {
    let sql = "SELECT id, body FROM register_entry WHERE kind = $1 ORDER BY id";
    let mut n = 0;
    for row in tx.fetch(sql, args![RegisterKind::Consent.as_str()]).await? {
        // A row that cannot be read stops nothing.
        let Ok(mut entry) = row.json::<RegisterEntry>(1) else { continue };
        if !subject.is_in(&entry.subject) {
            continue;
        }
        let id = row.text(0)?;
        bare(&mut entry, now);
        n += tx
            .execute(
                "UPDATE register_entry SET closed_at = $1, result = $2, missing = $3, version = $4, body = $5 \
                 WHERE id = $6",
                args![
                    entry.closed_at,
                    entry.result.as_str(),
                    i64::try_from(entry.missing()).unwrap_or(i64::MAX),
                    entry.version,
                    to_canonical(&entry)?,
                    &id
                ],
            )
            .await?;
        tx.execute("DELETE FROM register_field WHERE entry_id = $1", args![&id]).await?;
        for (name, value) in &entry.fields {
            let sql = "INSERT INTO register_field (entry_id, name, value) VALUES ($1, $2, $3)";
            tx.execute(sql, args![&id, name, value]).await?;
        }
    }
    counts.add("consent", 0, n);
    Ok(())
}

/// The proof without the content. One that stood ends with the erasure: nothing may rest on it any more.
fn bare(entry: &mut RegisterEntry, now: DateTime<Utc>) {
    let has_ended = entry.fields.contains_key(WITHDRAWN);
    entry.fields.retain(|name, _| KEPT.contains(&name.as_str()));
    for name in ["how", WITHDRAWN] {
        entry.fields.insert(name.to_owned(), ERASED.to_owned());
    }
    if !has_ended {
        let at = now.to_rfc3339_opts(SecondsFormat::Secs, true);
        entry.fields.insert(WITHDRAWN_AT.to_owned(), at);
        (entry.result, entry.closed_at) = (EntryResult::Good, Some(now));
    }
    entry.note = String::new();
    entry.version += 1;
}
