//! The erasure itself: one transaction over everything that the database holds.

use std::collections::{BTreeMap, BTreeSet};

use watchpost_model::audit::AuditDraft;
use watchpost_model::privacy::{Erasure, Subject, SubjectKind};

use super::places::{CHANGED, REMOVED};
use super::replay::KeptErasure;
use super::scan::files_in;
use super::{Counts, DONE, OBJECT, consent, hold, only_the_owner, pattern};
use crate::audit::append::log_id_if_any;
use crate::audit::leaf::Leaf;
use crate::audit::own_draft;
use crate::audit::page::{COLUMNS, ERASED, erased_search, stored_payload};
use crate::audit::seal::random_id;
use crate::busy_name::Touched;
use crate::engine::{Sql, Tx, Value, args};
use crate::error::StoreError;
use crate::event_text;
use crate::sealed;
use crate::store::{Store, Tag, Write};

/// Rows read at once.
const PAGE: i64 = 2_000;
/// A leaf has 4,096 bytes: so many characters of record numbers go into one.
const NUMBERS_CHARS: usize = 2_400;

/// Whether it is asked for, or done again in an older copy.
pub(super) enum Why<'a> {
    Asked { by: &'a str },
    Again(&'a KeptErasure),
}

/// What the trail says of an erasure in its leaves.
struct Facts {
    /// Keys that were destroyed.
    keys: BTreeSet<String>,
    /// Records whose content is gone.
    records: Vec<i64>,
    /// Files that the trail said were written, by what it said before.
    files: BTreeSet<String>,
}

impl Store {
    /// Refuses what an erasure of this subject would refuse, and changes nothing. Cost: a pass over the leaves.
    ///
    /// # Errors
    /// `Precondition` while a hold, a block or an incident that is worked on needs it, or while a hold is not as the trail
    /// says; what the database says.
    pub async fn privacy_erasable(&self, subject: &Subject) -> Result<(), StoreError> {
        let mut tx = self.read().await?;
        refuse(&mut tx, subject).await
    }

    /// Erases somebody: destroys the key, removes what is about the subject, and puts a pseudonym where the subject is only
    /// named. `draft` gives the record of it, by the erasure as it was done. Answered with it are the files that the trail
    /// said were written: exports, backups.
    ///
    /// # Errors
    /// `Precondition` while a hold, a block or an incident that is worked on needs it, or where the database does not allow
    /// it; what the database says. Then nothing was changed.
    pub async fn privacy_erase(
        &self,
        subject: &Subject,
        by: &str,
        draft: impl FnOnce(&Erasure) -> AuditDraft,
    ) -> Result<(Erasure, BTreeSet<String>), StoreError> {
        self.erase(subject, &Why::Asked { by }, draft).await.map_err(only_the_owner)
    }

    pub(super) async fn erase(
        &self,
        subject: &Subject,
        why: &Why<'_>,
        draft: impl FnOnce(&Erasure) -> AuditDraft,
    ) -> Result<(Erasure, BTreeSet<String>), StoreError> {
        let now = self.inner.clock.now();
        let mut write = self.write().await?;
        let mut erasure = match why {
            Why::Asked { by } => {
                refuse(&mut write, subject).await?;
                let id: String = random_id().chars().take(16).collect();
                let pseudonym = format!("erased-{}", &id[..8]);
                Erasure {
                    id,
                    at: now,
                    by: (*by).to_owned(),
                    kind: subject.kind,
                    pseudonym,
                    record: -1,
                    counts: Vec::new(),
                }
            }
            Why::Again(kept) => {
                hold::refuse_held(&mut write, subject).await?;
                kept.erasure()
            }
        };
        let log = log_id_if_any(&mut write).await?.unwrap_or_default();
        let mut counts = Counts::default();
        events(&mut write, subject, &mut counts).await?;
        consent::close(&mut write, subject, now, &mut counts).await?;
        rows(&mut write, subject, &erasure.pseudonym, &mut counts).await?;
        let mut facts = trail(&mut write, subject, &erasure.pseudonym, &mut counts).await?;
        let files = std::mem::take(&mut facts.files);
        // What the detectors remember is not taken apart: they forget, and learn anew from what is left.
        let forgotten = write.execute("DELETE FROM engine_state", args![]).await?;
        counts.add("engine_state", forgotten, 0);
        write.execute("UPDATE counter SET n = n + 1 WHERE name = 'erasure'", args![]).await?;
        erasure.counts = counts.0;
        let json = serde_json::to_string(&erasure.counts).map_err(StoreError::Encode)?;
        write
            .execute(
                "INSERT INTO erasure (id, at, done_by, kind, mark, pseudonym, counts) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                args![
                    erasure.id.as_str(),
                    erasure.at,
                    erasure.by.as_str(),
                    erasure.kind.as_str(),
                    subject.mark(&log),
                    erasure.pseudonym.as_str(),
                    json
                ],
            )
            .await?;
        for tag in [Tag::Blocks, Tag::Events, Tag::Incidents, Tag::Jobs, Tag::Reports, Tag::Settings] {
            write.touch(tag);
        }
        let record = draft(&erasure);
        let before = usize::from(matches!(why, Why::Asked { .. }));
        if before > 0 {
            write.audit(record);
        }
        let reason = if before > 0 { "erased on request" } else { "done again in an older copy" };
        tell(&mut write, &erasure, facts, reason, now);
        let numbers = self.commit(write).await?;
        erasure.record = numbers.get(before).copied().unwrap_or(-1);
        Ok((erasure, files))
    }
}

/// The records whose leaves say what was taken from beside other leaves.
fn tell(
    write: &mut Write,
    erasure: &Erasure,
    facts: Facts,
    reason: &str,
    now: chrono::DateTime<chrono::Utc>,
) {
    let mut keys = facts.keys.into_iter();
    let mut lists = number_lists(&facts.records).into_iter();
    let mut first = true;
    loop {
        let (key, list) = (keys.next(), lists.next());
        if !first && key.is_none() && list.is_none() {
            return;
        }
        first = false;
        let mut said = vec![("erasure", serde_json::Value::from(erasure.id.as_str()))];
        said.extend(key.map(|key| ("key", key.into())));
        said.extend(list.map(|list| ("records", list.into())));
        let mut draft = own_draft(DONE, reason, now);
        draft.object = format!("{OBJECT}{}", erasure.id);
        write.audit_with_facts(draft, said);
    }
}

/// Numbers in ascending order as `3,7-9,12`, in pieces that fit into a leaf.
pub(super) fn number_lists(numbers: &[i64]) -> Vec<String> {
    let mut ranges: Vec<(i64, i64)> = Vec::new();
    for &number in numbers {
        match ranges.last_mut() {
            Some((_, to)) if *to + 1 == number => *to = number,
            _ => ranges.push((number, number)),
        }
    }
    let mut lists: Vec<String> = Vec::new();
    for (from, to) in ranges {
        let text = if from == to { from.to_string() } else { format!("{from}-{to}") };
        match lists.last_mut() {
            Some(list) if list.len() + text.len() < NUMBERS_CHARS => {
                list.push(',');
                list.push_str(&text);
            }
            _ => lists.push(text),
        }
    }
    lists
}

/// Is there something that needs what is known of the subject?
async fn refuse(tx: &mut Tx, subject: &Subject) -> Result<(), StoreError> {
    hold::refuse_unlike_trail(tx).await?;
    hold::refuse_held(tx, subject).await?;
    for table in ["block", "containment"] {
        let sql = format!("SELECT target FROM {table} WHERE state IN ('pending', 'active')");
        for row in tx.fetch(sql, args![]).await? {
            if subject.is_in(&row.text(0)?) {
                return Err(StoreError::Precondition(format!(
                    "a {table} of it is in force: take that back first, or wait until it has run out"
                )));
            }
        }
    }
    let mut numbers = BTreeSet::new();
    for sql in [
        "SELECT number, entity_key FROM incident WHERE active = 1",
        "SELECT i.number, e.entity_key FROM incident_entity e JOIN incident i ON i.id = e.incident_id \
         WHERE i.active = 1 AND e.kind IN ('user', 'ip')",
    ] {
        for row in tx.fetch(sql, args![]).await? {
            if subject.is(&row.text(1)?) {
                numbers.insert(row.i64(0)?);
            }
        }
    }
    if numbers.is_empty() {
        return Ok(());
    }
    let shown: Vec<String> = numbers.iter().take(5).map(|number| format!("#{number}")).collect();
    Err(StoreError::Precondition(format!(
        "{} that are worked on are about it ({}): resolve them first",
        if numbers.len() == 1 { "1 incident".to_owned() } else { format!("{} incidents", numbers.len()) },
        shown.join(", ")
    )))
}

/// Events, and the frozen copies of events, that name the subject, also in what is sealed of them.
async fn events(tx: &mut Tx, subject: &Subject, counts: &mut Counts) -> Result<(), StoreError> {
    // Taking many events out of the index one by one takes longer than making it anew, which also forgets what it keeps
    // of those that went before.
    event_text::empty(tx).await?;
    let pattern = pattern(subject);
    let mut gone: BTreeSet<String> = BTreeSet::new();
    let mut touched = Touched::default();
    let hidden = sealed::naming(tx, subject).await?;
    let mut erased: BTreeSet<String> = hidden.clone();
    let hidden: Vec<Value> = hidden.into_iter().map(Value::from).collect();
    for (table, id) in [("event", "id"), ("evidence", "event_id")] {
        let sql = format!(
            "SELECT DISTINCT {id}, body FROM {table} WHERE {id} > $1 AND LOWER(body) LIKE $2 ESCAPE '!' \
             ORDER BY {id} LIMIT $3"
        );
        let mut after = String::new();
        loop {
            let page = tx.fetch(sql.clone(), args![after.as_str(), pattern.as_str(), PAGE]).await?;
            let Some(last) = page.last() else { break };
            after = last.text(0)?;
            let mut named: Vec<Value> = Vec::new();
            for row in &page {
                if subject.is_in(&row.text(1)?) && gone.insert(format!("{table}{}", row.text(0)?)) {
                    erased.insert(row.text(0)?);
                    named.push(row.text(0)?.into());
                }
            }
            touched.add_archived(tx, &named).await?;
            let n = each(tx, &format!("DELETE FROM {table} WHERE {id} IN "), &named).await?;
            counts.add(table, n, 0);
            // The digest of something that can be guessed tells that it was guessed right.
            each(tx, "UPDATE incident_event SET sha256 = '' WHERE event_id IN ", &named).await?;
        }
        touched.add_archived(tx, &hidden).await?;
        let n = each(tx, &format!("DELETE FROM {table} WHERE {id} IN "), &hidden).await?;
        counts.add(table, n, 0);
    }
    each(tx, "UPDATE incident_event SET sha256 = '' WHERE event_id IN ", &hidden).await?;
    // What is packed of those hours is made anew of the events that stay.
    touched.add_naming(tx, subject, &pattern).await?;
    touched.removed(tx).await?;
    // One copy may be without the name: what was sealed of both goes with either.
    let erased: Vec<Value> = erased.into_iter().map(Value::from).collect();
    let n = each(tx, "DELETE FROM sealed_field WHERE event_id IN ", &erased).await?;
    counts.add("sealed_field", n, 0);
    Ok(())
}

/// Runs `sql`, which ends with ` IN `, for all `items`; how many rows it changed.
pub(super) async fn each(tx: &mut Tx, sql: &str, items: &[Value]) -> Result<u64, StoreError> {
    let mut n = 0;
    for part in crate::engine::chunks(items) {
        let mut sql = Sql::new(sql);
        sql.tuple(part.to_vec());
        n += tx.execute_sql(sql).await?;
    }
    Ok(n)
}

/// Rows of every other table.
async fn rows(tx: &mut Tx, subject: &Subject, by: &str, counts: &mut Counts) -> Result<(), StoreError> {
    for (table, columns) in REMOVED {
        let (before, after) = tx.dialect().row_named();
        let mut n = 0;
        for (row, texts) in candidates(tx, subject, table, columns).await? {
            if texts.iter().flatten().any(|text| subject.is_in(text)) {
                n += tx.execute(format!("DELETE FROM {table} WHERE {before}$1{after}"), args![row]).await?;
            }
        }
        counts.add(table, n, 0);
    }
    if let Some(key) = subject.key() {
        let sql = "UPDATE incident SET entity_ip = NULL WHERE entity_ip = $1";
        tx.execute(sql, args![key.to_vec()]).await?;
    }
    for (table, columns) in CHANGED {
        let n = change(tx, subject, by, table, columns).await?;
        counts.add(table, 0, n);
    }
    // A user is a word in it; an address is a network, and the suppression could not be read any more.
    if subject.kind == SubjectKind::User {
        let n = change(tx, subject, by, "suppression", &["scope"]).await?;
        counts.add("suppression", 0, n);
    }
    Ok(())
}

async fn change(
    tx: &mut Tx,
    subject: &Subject,
    by: &str,
    table: &str,
    columns: &[&str],
) -> Result<u64, StoreError> {
    let (before, after) = tx.dialect().row_named();
    let mut n = 0;
    for (row, texts) in candidates(tx, subject, table, columns).await? {
        let mut sql = Sql::new(&format!("UPDATE {table} SET "));
        let mut is_named = false;
        for (column, text) in columns.iter().zip(texts) {
            let Some(new) = text.and_then(|text| subject.replaced(&text, by)) else { continue };
            sql.push(if is_named { ", " } else { "" }).push(column).push(" = ").bind(new);
            is_named = true;
        }
        if is_named {
            sql.push(" WHERE ").push(before).bind(row).push(after);
            n += tx.execute_sql(sql).await?;
        }
    }
    Ok(n)
}

/// Rows in which one of the columns may name the subject: their names in this transaction, and the columns.
async fn candidates(
    tx: &mut Tx,
    subject: &Subject,
    table: &str,
    columns: &[&str],
) -> Result<Vec<(String, Vec<Option<String>>)>, StoreError> {
    let likes: Vec<String> =
        columns.iter().map(|column| format!("LOWER({column}) LIKE $1 ESCAPE '!'")).collect();
    let sql = format!(
        "SELECT {}, {} FROM {table} WHERE {}",
        tx.dialect().row_name(),
        columns.join(", "),
        likes.join(" OR ")
    );
    let rows = tx.fetch(sql, args![pattern(subject)]).await?;
    rows.iter()
        .map(|row| {
            let texts = (1..=columns.len()).map(|index| row.opt_text(index)).collect::<Result<_, _>>()?;
            Ok((row.text(0)?, texts))
        })
        .collect()
}

/// The trail: the key and the content of what the subject did, the content of what names the subject.
async fn trail(tx: &mut Tx, subject: &Subject, by: &str, counts: &mut Counts) -> Result<Facts, StoreError> {
    let mut facts = Facts { keys: BTreeSet::new(), records: Vec::new(), files: BTreeSet::new() };
    let actors = names(tx, subject, by, counts).await?;
    // What the leaves say, to which no row of the table of keys can be put.
    let (mut own_keys, mut other_keys) = (BTreeSet::new(), BTreeSet::new());
    let mut at = -1;
    loop {
        let sql = format!("{COLUMNS} WHERE l.seq > $1 ORDER BY l.seq LIMIT $2");
        let page = tx.fetch(sql, args![at, PAGE]).await?;
        if page.is_empty() {
            break;
        }
        let mut gone: Vec<Value> = Vec::new();
        for row in &page {
            at = row.i64(0)?;
            let Some(leaf) = Leaf::parse(&row.blob(1)?) else { continue };
            let stored = stored_payload(row)?;
            let own = actors.get(&leaf.client.by);
            let keys = if own.is_some() { &mut own_keys } else { &mut other_keys };
            keys.insert(leaf.client.key.clone());
            let columns = [row.opt_text(4)?, row.opt_text(6)?, row.opt_text(9)?];
            let opened = stored.as_ref().and_then(|stored| stored.key.as_ref()?.open_bytes(&stored.sealed));
            facts.files.extend(opened.iter().flat_map(|bytes| files_in(bytes)));
            let named = own.is_some()
                || columns.iter().flatten().any(|text| subject.is_in(text))
                || opened.is_some_and(|bytes| subject.is_in(&String::from_utf8_lossy(&bytes)));
            if !named || (stored.is_none() && !columns.iter().flatten().any(|text| subject.is_in(text))) {
                continue;
            }
            let actor = own.or(columns[0].as_ref()).cloned().unwrap_or_else(|| ERASED.to_owned());
            let search = erased_search(&leaf.client.action, &actor);
            tx.execute(
                "UPDATE audit_record SET actor = $1, object = $2, search = $3, role = NULL, login = NULL WHERE seq = $4",
                args![actor, ERASED, search, at],
            )
            .await?;
            if own.is_some() {
                facts.keys.insert(leaf.client.key.clone());
            }
            // What is gone by now went by another record, or somebody took it: this one excuses neither.
            if stored.is_some() {
                facts.records.push(at);
                gone.push(at.into());
            }
        }
        let n = each(tx, "DELETE FROM audit_payload WHERE seq IN ", &gone).await?;
        counts.add("trail", n, 0);
    }
    // Records of others that were written with a login that names the subject: the leaf keeps the id of the login.
    for row in tx.fetch("SELECT DISTINCT login FROM audit_record WHERE login IS NOT NULL", args![]).await? {
        let login = row.text(0)?;
        if subject.is_in(&login) {
            tx.execute("UPDATE audit_record SET login = NULL WHERE login = $1", args![login]).await?;
        }
    }
    // A key that stands under this name and sealed only what others did is theirs, whoever moved it there.
    for actor in actors.keys() {
        for row in tx.fetch("SELECT id FROM subject_key WHERE subject = $1", args![actor]).await? {
            let id = row.text(0)?;
            if !other_keys.contains(&id) {
                own_keys.insert(id);
            }
        }
    }
    for id in own_keys {
        let n = tx.execute("DELETE FROM subject_key WHERE id = $1", args![id.as_str()]).await?;
        counts.add("subject_key", n, 0);
        if n > 0 {
            facts.keys.insert(id);
        }
    }
    Ok(facts)
}

/// Names of the trail: what stands for the subject becomes the pseudonym, what only contains it goes. Answers the ids of
/// the subject as an actor.
async fn names(
    tx: &mut Tx,
    subject: &Subject,
    by: &str,
    counts: &mut Counts,
) -> Result<BTreeMap<String, String>, StoreError> {
    let mut actors = BTreeMap::new();
    let sql = "SELECT id, kind, name FROM audit_name WHERE LOWER(name) LIKE $1 ESCAPE '!' ORDER BY id";
    let (mut renamed, mut removed) = (0, 0);
    for row in tx.fetch(sql, args![pattern(subject)]).await? {
        let (id, kind, name) = (row.text(0)?, row.text(1)?, row.text(2)?);
        if kind != "object" && subject.is(&name) {
            // Two spellings of one name get two pseudonyms: a name of a kind stands there once.
            let new = if renamed == 0 { by.to_owned() } else { format!("{by}-{renamed}") };
            renamed += tx
                .execute("UPDATE audit_name SET name = $1 WHERE id = $2", args![new.as_str(), id.as_str()])
                .await?;
            if kind == "actor" {
                actors.insert(id, new);
            }
        } else if subject.is_in(&name) {
            removed += tx.execute("DELETE FROM audit_name WHERE id = $1", args![id]).await?;
        }
    }
    counts.add("audit_name", removed, renamed);
    Ok(actors)
}

#[cfg(test)]
mod tests {
    use super::number_lists;

    #[test]
    fn numbers_are_told_in_ranges_that_fit_a_leaf() {
        assert_eq!(number_lists(&[]), Vec::<String>::new());
        assert_eq!(number_lists(&[3, 7, 8, 9, 12]), ["3,7-9,12"]);
        let many: Vec<i64> = (0..4_000).map(|n| n * 2 + 1_000_000).collect();
        let lists = number_lists(&many);
        assert!(lists.len() > 5 && lists.iter().all(|list| list.len() <= 2_400), "{}", lists.len());
        let back: Vec<i64> =
            lists.iter().flat_map(|list| list.split(',')).map(|n| n.parse().unwrap()).collect();
        assert_eq!(back, many);
    }
}
