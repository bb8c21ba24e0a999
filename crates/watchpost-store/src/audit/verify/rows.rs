//! One record against what stands beside it. Pure: many pages are checked at once.

#[cfg(test)]
mod bits;

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};
use watchpost_model::record_class::RecordClass;

use crate::audit::apart;
use crate::audit::append::search_text;
use crate::audit::keys::{self, Added};
use crate::audit::leaf::Leaf;
use crate::audit::page::{ERASED, erased_search, stored_payload};
use crate::audit::tree::{Hash, leaf_hash};
use crate::engine::{Row, Tx, Value, args};
use crate::error::StoreError;
use crate::store::Store;

/// Rows as they were read, with the names that their leaves speak of.
pub(in crate::audit) struct Page {
    rows: Vec<Row>,
    leaves: Vec<(Vec<u8>, Option<Leaf>)>,
    names: HashMap<String, String>,
}

/// What one record comes to.
pub(in crate::audit) struct Checked {
    pub(in crate::audit) seq: i64,
    pub(in crate::audit) hash: Hash,
    /// Its time by its leaf, in microseconds.
    pub(in crate::audit) at: Option<i64>,
    pub(in crate::audit) fact: Option<Fact>,
    /// The key that it was sealed under, if payload, key or search columns are missing.
    pub(in crate::audit) absent: Option<String>,
    pub(in crate::audit) problems: Vec<String>,
    /// What its own writer may have got wrong, and how it is named: it can be set [`apart`].
    pub(in crate::audit) doubts: Vec<(&'static str, &'static str)>,
    /// The digest of names and search columns, if they do not fit and nothing of the record is absent.
    pub(in crate::audit) beside: Option<String>,
}

/// What a leaf says about the trail itself.
pub(in crate::audit) enum Fact {
    Key(Box<Added>),
    /// The key that counts no more from here on.
    Revoked(String),
    Checkpoint {
        size: i64,
        root: String,
        at: Option<i64>,
    },
    /// A key that was destroyed, and the records whose content went: first and last of each range.
    Erased {
        key: Option<String>,
        records: Vec<(i64, i64)>,
        /// The class of records whose retention took it; of the erasure of a person none.
        class: Option<RecordClass>,
    },
}

impl Page {
    /// Reads the names beside `rows`.
    pub(in crate::audit) async fn read(tx: &mut Tx, rows: Vec<Row>) -> Result<Self, StoreError> {
        let mut leaves = Vec::with_capacity(rows.len());
        let mut ids: Vec<Value> = Vec::new();
        let mut seen = HashSet::new();
        for row in &rows {
            let bytes = row.blob(1)?;
            let leaf = Leaf::parse(&bytes);
            for id in leaf
                .iter()
                .flat_map(|leaf| [&leaf.client.by, &leaf.client.object, &leaf.client.host, &leaf.login])
            {
                if seen.insert(id.clone()) {
                    ids.push(Value::from(id));
                }
            }
            leaves.push((bytes, leaf));
        }
        let mut names = HashMap::new();
        for row in tx.fetch_in("SELECT id, name FROM audit_name WHERE id IN ", &ids).await? {
            names.insert(row.text(0)?, row.text(1)?);
        }
        Ok(Self { rows, leaves, names })
    }

    /// Checks every record of the page by itself.
    pub(in crate::audit) fn check(self, log: &str) -> Result<Vec<Checked>, StoreError> {
        let names = &self.names;
        self.rows
            .iter()
            .zip(self.leaves)
            .map(|(row, (bytes, leaf))| one(row, &bytes, leaf, names, log))
            .collect()
    }
}

fn one(
    row: &Row,
    bytes: &[u8],
    leaf: Option<Leaf>,
    names: &HashMap<String, String>,
    log: &str,
) -> Result<Checked, StoreError> {
    let mut checked = by_itself(row.i64(0)?, bytes, &row.blob(2)?, leaf.as_ref(), log);
    if let Some(leaf) = &leaf {
        beside(&mut checked, row, leaf, names)?;
    }
    Ok(checked)
}

/// A leaf against its stored hash and its place.
fn by_itself(seq: i64, bytes: &[u8], hash: &[u8], leaf: Option<&Leaf>, log: &str) -> Checked {
    let mut checked = Checked {
        seq,
        hash: leaf_hash(bytes),
        at: leaf.and_then(Leaf::micros),
        fact: None,
        absent: None,
        problems: Vec::new(),
        doubts: Vec::new(),
        beside: None,
    };
    if hash != checked.hash {
        checked.problems.push("the leaf does not have its stored hash".to_owned());
    }
    let Some(leaf) = leaf else {
        checked.problems.push("the leaf is not canonical".to_owned());
        return checked;
    };
    if leaf.seq != seq {
        checked.problems.push(format!("the leaf says that it is number {}", leaf.seq));
    }
    if leaf.client.log != log {
        checked.problems.push("the leaf is of another log".to_owned());
    }
    match fact(leaf) {
        Ok(fact) => checked.fact = fact,
        Err(problem) => checked.doubts.push((apart::FACTS, problem)),
    }
    checked
}

/// What a leaf tells of keys, checkpoints and erasures.
pub(in crate::audit) fn fact(leaf: &Leaf) -> Result<Option<Fact>, &'static str> {
    let facts = &leaf.client.facts;
    let text = |name: &str| facts.get(name).and_then(|value| value.as_str()).map(str::to_owned);
    match leaf.client.action.as_str() {
        keys::ADD => {
            let added = keys::added(leaf).ok_or("the added key cannot be read")?;
            Ok(Some(Fact::Key(Box::new(added))))
        }
        keys::REVOKE => Ok(Some(Fact::Revoked(text("vkey").ok_or("the revoked key cannot be read")?))),
        "checkpoint.sign" => {
            let size = facts.get("size").and_then(serde_json::Value::as_i64);
            let (size, root) = size.zip(text("root")).ok_or("the checkpoint in it cannot be read")?;
            Ok(Some(Fact::Checkpoint { size, root, at: leaf.micros() }))
        }
        crate::privacy::DONE => {
            let records = text("records").unwrap_or_default();
            let records: Option<Vec<(i64, i64)>> =
                records.split(',').filter(|range| !range.is_empty()).map(range).collect();
            let records = records.ok_or("the numbers of the erased records cannot be read")?;
            let class = text("class").map(|class| class.parse::<RecordClass>()).transpose();
            let class = class.map_err(|_| "the class of the purged records cannot be read")?;
            Ok(Some(Fact::Erased { key: text("key"), records, class }))
        }
        _ => Ok(None),
    }
}

impl Store {
    /// The record that says that the content of record `seq` was erased; `None` if none does.
    ///
    /// # Errors
    /// What the database says.
    pub async fn audit_erased_by(&self, seq: i64) -> Result<Option<i64>, StoreError> {
        Ok(self.audit_content_taken(seq).await?.map(|(record, _)| record))
    }

    /// The record that says that the content of record `seq` was taken away, and the class whose retention that was; no class
    /// for the erasure of a person, `None` if no record says so.
    ///
    /// # Errors
    /// What the database says.
    pub async fn audit_content_taken(
        &self,
        seq: i64,
    ) -> Result<Option<(i64, Option<RecordClass>)>, StoreError> {
        let mut tx = self.read().await?;
        let row = tx.fetch_optional("SELECT leaf FROM audit_leaf WHERE seq = $1", args![seq]).await?;
        let Some(leaf) = row.map(|row| row.blob(0)).transpose()?.as_deref().and_then(Leaf::parse) else {
            return Ok(None);
        };
        let sql = "SELECT l.seq, l.leaf FROM audit_record r JOIN audit_leaf l ON l.seq = r.seq \
            WHERE r.action = $1 AND l.seq > $2 ORDER BY l.seq";
        for row in tx.fetch(sql, args![crate::privacy::DONE, seq]).await? {
            let said = Leaf::parse(&row.blob(1)?);
            let Some(Ok(Some(Fact::Erased { key, records, class }))) = said.as_ref().map(fact) else {
                continue;
            };
            let is_named = records.iter().any(|(from, to)| (*from..=*to).contains(&seq));
            if is_named || key.as_ref() == Some(&leaf.client.key) {
                return Ok(Some((row.i64(0)?, class)));
            }
        }
        Ok(None)
    }
}

/// `7` or `7-9`.
fn range(text: &str) -> Option<(i64, i64)> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let (from, to) = (from.parse().ok()?, to.parse().ok()?);
    (0 <= from && from <= to).then_some((from, to))
}

/// Search columns, names and payload of a record against its leaf.
fn beside(
    checked: &mut Checked,
    row: &Row,
    leaf: &Leaf,
    names: &HashMap<String, String>,
) -> Result<(), StoreError> {
    let client = &leaf.client;
    let has_columns = row.opt_i64(3)?.is_some();
    let stored = stored_payload(row)?;
    if !has_columns || stored.as_ref().is_none_or(|stored| stored.key.is_none()) {
        checked.absent = Some(client.key.clone());
    }
    let has_payload = stored.is_some();
    let mut payload = None;
    if let Some(stored) = stored {
        if stored.key_id != client.key || stored.sealed.commitment() != client.commitment {
            checked.problems.push("the payload is not the one that the leaf commits to".to_owned());
        }
        if let Some(key) = stored.key {
            // An erasure of either would go by the wrong key.
            if row.opt_text(16)?.is_some_and(|owner| owner != client.by) {
                checked
                    .problems
                    .push("the key of the payload stands under another person than the leaf".to_owned());
            }
            payload = key.open(&stored.sealed);
            // The leaf commits to what is sealed and to the key: if both are those, its writer sealed nothing that opens.
            let problem = "the payload does not open with its key";
            if key.check() != client.key_check {
                checked.problems.push(problem.to_owned());
            } else if payload.is_none() {
                checked.doubts.push((apart::SEALED, problem));
            }
        }
    }
    if let Some(payload) = &payload {
        let fits = |id: &str, name: &str| names.get(id).is_some_and(|known| known == name);
        if !fits(&client.by, &payload.actor)
            || !fits(&client.object, &payload.object)
            || !fits(&client.host, &payload.host)
        {
            checked.doubts.push((apart::NAMES, "the names do not fit the payload"));
        }
    }
    if has_columns {
        let same = row.opt_i64(3)? == leaf.micros()
            && row.text(5)? == client.action
            && row.text(7)? == client.permission
            && row.text(8)? == client.outcome
            // An erasure takes it, and a file has none.
            && row.opt_text(15)?.is_none_or(|login| names.get(&leaf.login) == Some(&login))
            && match &payload {
                // What is left of an erased record; with a sealed payload whose key is gone, as it was.
                None if !has_payload => {
                    let actor = row.text(4)?;
                    // A purge takes the name of whoever did it as well.
                    let known =
                        actor == ERASED || names.get(&client.by).is_none_or(|name| *name == actor);
                    known
                        && row.opt_text(14)?.is_none()
                        && row.text(6)? == ERASED
                        && row.text(9)? == erased_search(&client.action, &actor)
                }
                None => true,
                Some(payload) => {
                    row.text(4)? == payload.actor
                        && row.text(6)? == payload.object
                        && row.text(9)? == search_text(&client.action, payload)
                        // Records older than the column have none; reports say so of each.
                        && row.opt_text(14)?.is_none_or(|role| role == payload.role)
                }
            };
        if !same {
            checked.doubts.push((apart::COLUMN, "the search columns are not those of the leaf and payload"));
        }
    }
    // An erasure alters both, and is recorded.
    let is_beside = checked.doubts.iter().any(|(what, _)| matches!(*what, apart::NAMES | apart::COLUMN));
    if is_beside && checked.absent.is_none() {
        checked.beside = Some(digest(row, leaf, names)?);
    }
    Ok(())
}

/// The digest of the search columns of a record and of the names that its leaf speaks of, as they are.
fn digest(row: &Row, leaf: &Leaf, names: &HashMap<String, String>) -> Result<String, StoreError> {
    let mut texts = vec![row.opt_i64(3)?.map(|at| at.to_string())];
    for column in [4, 5, 6, 7, 8, 9, 14, 15] {
        texts.push(row.opt_text(column)?);
    }
    let client = &leaf.client;
    texts.extend([&client.by, &client.object, &client.host, &leaf.login].map(|id| names.get(id).cloned()));
    let text = serde_json::to_vec(&texts).map_err(StoreError::Encode)?;
    Ok(hex::encode(Sha256::digest(&text)))
}
