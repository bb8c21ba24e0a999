//! What is known of the encryption of disks, databases and backups.

use std::collections::BTreeSet;

use watchpost_model::evidence::EvidenceAnswer;

use super::{Class, Scope, time_text};
use crate::engine::{Tx, micros};
use crate::error::StoreError;

pub(super) const STATES: &str = "SELECT r.subject, r.result, r.opened_at FROM register_entry r WHERE r.kind = 'encryption' \
    AND r.opened_at < :end AND NOT EXISTS (SELECT 1 FROM register_entry s WHERE s.kind = 'encryption' \
    AND s.subject = r.subject AND s.opened_at < :end \
    AND ((r.result = 'open' AND s.result <> 'open') OR ((r.result = 'open' OR s.result <> 'open') \
    AND (s.opened_at > r.opened_at OR (s.opened_at = r.opened_at AND s.id > r.id))))) \
    AND NOT (r.result <> 'open' AND TRIM(r.approver) <> '' AND LOWER(TRIM(r.approver)) <> LOWER(TRIM(r.owner)) \
    AND EXISTS (SELECT 1 FROM register_field f WHERE f.entry_id = r.id AND f.name = 'retired' AND TRIM(f.value) <> '')) \
    ORDER BY r.subject";
pub(super) const BACKUPS: &str = "SELECT DISTINCT subject FROM register_entry WHERE kind = 'backup' AND result = 'good' \
    AND opened_at >= :from AND opened_at < :end ORDER BY subject";
/// How subjects begin where events are stored.
const STORES: [&str; 5] = ["database", "db", "disk", "host", "volume"];
/// Subjects that speak of every backup.
const EVERY_BACKUP: [&str; 4] = ["backup", "backups", "backup/all", "backups/all"];

pub(super) async fn encryption_known(tx: &mut Tx, scope: &Scope<'_>) -> Result<EvidenceAnswer, StoreError> {
    let mut rows = Vec::new();
    let mut known = BTreeSet::new();
    let (sql, values) = scope.places.bind(STATES);
    for row in tx.fetch(sql, values).await? {
        let (subject, result, at) = (row.text(0)?, row.text(1)?, row.i64(2)?);
        let (class, state) = match result.as_str() {
            "bad" => (Class::Exception, "in clear"),
            "good" if at + scope.good() >= scope.end() => (Class::Good, "encrypted"),
            "good" => (Class::Warning, "encrypted when it was last looked at, too long ago"),
            _ => (Class::Warning, "not known yet"),
        };
        known.insert(subject.to_lowercase());
        rows.push((class, vec![subject, state.to_owned(), time_text(micros(at)?)]));
    }
    let (sql, values) = scope.places.bind(BACKUPS);
    let mut backups = Vec::new();
    for row in tx.fetch(sql, values).await? {
        backups.push(row.text(0)?);
    }
    let unknown = missing(&known, &backups);
    rows.extend(
        unknown
            .into_iter()
            .map(|subject| (Class::Warning, vec![subject, "nobody entered it".to_owned(), String::new()])),
    );
    Ok(scope.whole(rows))
}

/// What has to be known and is not: a place where events are stored, and each backup.
fn missing(known: &BTreeSet<String>, backups: &[String]) -> Vec<String> {
    let mut missing = Vec::new();
    let begins = |subject: &String, word: &str| {
        subject.strip_prefix(word).is_some_and(|rest| !rest.starts_with(char::is_alphabetic))
    };
    if !known.iter().any(|subject| STORES.iter().any(|word| begins(subject, word))) {
        missing.push("disk or database".to_owned());
    }
    if EVERY_BACKUP.iter().any(|word| known.contains(*word)) {
        return missing;
    }
    if backups.is_empty() && !known.iter().any(|subject| subject.starts_with("backup")) {
        missing.push("backups".to_owned());
    }
    for backup in backups {
        let name = backup.to_lowercase();
        let is_known =
            known.contains(&format!("backup/{name}")) || name.starts_with("backup") && known.contains(&name);
        if !is_known {
            missing.push(format!("backup/{backup}"));
        }
    }
    missing
}
