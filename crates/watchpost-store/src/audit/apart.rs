//! Records that are set apart: what their writers sealed or said does not fit, which nothing makes good any more. Another
//! record names each of them by number and leaf hash, with the reason; a check tells of them and holds for the rest.
//!
//! What was altered later is never set apart: the leaf commits to what is sealed and to the key, so it shows who was wrong.
//! Names and search columns are in no leaf: the record holds their digest, and they are set apart as they were then.

use std::collections::HashMap;

use watchpost_model::audit::{AuditDraft, SetApart};

use crate::audit::leaf::Leaf;
use crate::audit::page::COLUMNS;
use crate::audit::tree::Hash;
use crate::audit::verify::rows::{Checked, Fact, Page};
use crate::audit::{append, number};
use crate::engine::{Tx, args};
use crate::error::StoreError;
use crate::store::{Store, Tag};

/// The record that sets another one apart.
pub(crate) const ACTION: &str = "audit_set_apart";
/// What it says beside the number, in its facts.
const RECORD: &str = "record";
const LEAF: &str = "leaf";
const WHAT: &str = "what";
/// The digest of names and search columns as they were, where those do not fit.
const BESIDE: &str = "beside";

/// The leaf tells of the trail itself, and cannot be read.
pub(crate) const FACTS: &str = "facts";
/// The key in it is not vouched for, or it revokes one that is not there.
pub(crate) const KEY: &str = "key";
/// What is sealed does not open, with the key that the leaf names.
pub(crate) const SEALED: &str = "sealed";
/// The names do not fit what is sealed.
pub(crate) const NAMES: &str = "names";
/// The search columns do not.
pub(crate) const COLUMN: &str = "columns";

/// A record that another one sets apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    /// Its number.
    pub(crate) record: i64,
    /// The hash of its leaf.
    pub(crate) hash: Hash,
    /// What of it does not fit.
    pub(crate) what: Vec<String>,
    /// The digest of the names and search columns that do not.
    pub(crate) beside: Option<String>,
}

/// What a leaf sets apart; `None` if it sets nothing apart.
pub(crate) fn named(leaf: &Leaf) -> Option<Named> {
    let client = &leaf.client;
    if client.action != ACTION || client.outcome != "success" {
        return None;
    }
    let record = client.facts.get(RECORD)?.as_i64()?;
    let mut hash: Hash = [0; 32];
    hex::decode_to_slice(client.facts.get(LEAF)?.as_str()?, &mut hash).ok()?;
    let what = client.facts.get(WHAT)?.as_str()?.split(',').map(str::to_owned).collect();
    let beside = client.facts.get(BESIDE).and_then(|digest| digest.as_str()).map(str::to_owned);
    (0..leaf.seq).contains(&record).then_some(Named { record, hash, what, beside })
}

/// What one record says of another one.
#[derive(Debug)]
struct Says {
    by: i64,
    what: Vec<String>,
    beside: Option<String>,
}

/// All that is set apart, by number and leaf hash.
#[derive(Debug, Default)]
pub(crate) struct Apart(HashMap<(i64, Hash), Vec<Says>>);

impl Apart {
    /// Reads them by the search columns; a check comes to their leaves later.
    pub(crate) async fn read(tx: &mut Tx) -> Result<Self, StoreError> {
        let sql = "SELECT l.leaf FROM audit_record r JOIN audit_leaf l ON l.seq = r.seq \
            WHERE r.action = $1 ORDER BY l.seq";
        let mut apart = Self::default();
        for row in tx.fetch(sql, args![ACTION]).await? {
            if let Some(leaf) = Leaf::parse(&row.blob(0)?) {
                apart.take(&leaf);
            }
        }
        Ok(apart)
    }

    /// Takes what a leaf sets apart; once.
    pub(crate) fn take(&mut self, leaf: &Leaf) {
        if let Some(Named { record, hash, what, beside }) = named(leaf) {
            let says = self.0.entry((record, hash)).or_default();
            if says.iter().all(|known| known.by != leaf.seq) {
                says.push(Says { by: leaf.seq, what, beside });
            }
        }
    }

    /// The record that sets this one apart.
    pub(crate) fn by(&self, record: i64, hash: Hash, what: &str) -> Option<i64> {
        let mut says = self.0.get(&(record, hash))?.iter();
        says.find(|says| says.what.iter().any(|known| known == what)).map(|says| says.by)
    }

    /// The same of what is not in the leaf: while names and search columns are those of then, by their digest.
    pub(crate) fn by_beside(&self, record: i64, hash: Hash, what: &str, beside: &str) -> Option<i64> {
        let mut says = self.0.get(&(record, hash))?.iter();
        let is_it = |says: &&Says| {
            says.beside.as_deref() == Some(beside) && says.what.iter().any(|known| known == what)
        };
        says.find(is_it).map(|says| says.by)
    }

    /// The first record that sets this one apart, for whatever.
    pub(crate) fn any(&self, record: i64, hash: Hash) -> Option<i64> {
        self.0.get(&(record, hash))?.first().map(|says| says.by)
    }

    /// The record that sets this one apart for a doubt of a check.
    pub(in crate::audit) fn excuses(&self, checked: &Checked, what: &str) -> Option<i64> {
        match &checked.beside {
            Some(beside) if matches!(what, NAMES | COLUMN) => {
                self.by_beside(checked.seq, checked.hash, what, beside)
            }
            _ => self.by(checked.seq, checked.hash, what),
        }
    }
}

impl Store {
    /// Sets record `seq` apart: what its writer sealed or said of it does not fit, as a check says. `draft` gives the record of
    /// it, by what does not fit and the hash of the leaf.
    ///
    /// # Errors
    /// `NotFound`; `Precondition` if the record fits, or was altered later; `Conflict` if it is set apart already; what the
    /// database says.
    pub async fn audit_set_apart(
        &self,
        seq: i64,
        draft: impl FnOnce(&str, &str) -> AuditDraft,
    ) -> Result<SetApart, StoreError> {
        let mut write = self.write().await?;
        let checked = checked(&mut write, seq).await?;
        let (problem, what) = unfit(&checked)?;
        let apart = Apart::read(&mut write).await?;
        if what.iter().all(|what| apart.excuses(&checked, what).is_some()) {
            return Err(StoreError::Conflict(format!("record {seq} is set apart already")));
        }
        let leaf = hex::encode(checked.hash);
        let mut facts: Vec<append::Fact> =
            vec![(RECORD, seq.into()), (LEAF, leaf.as_str().into()), (WHAT, what.join(",").as_str().into())];
        facts.extend(checked.beside.as_deref().map(|digest| (BESIDE, digest.into())));
        write.touch(Tag::Audit);
        write.audit_with_facts(draft(&problem, &leaf), facts);
        let by = number(&self.commit(write).await?)?;
        Ok(SetApart { record: seq, by, problem })
    }
}

impl Store {
    /// What does not fit in record `seq` by its own writer and is not set apart, for people, and the number of the record that
    /// sets it apart. Of what it says of keys only a check of the whole trail can tell.
    ///
    /// # Errors
    /// `NotFound`; what the database says.
    pub async fn audit_own_fault(&self, seq: i64) -> Result<(Option<String>, Option<i64>), StoreError> {
        let mut tx = self.read().await?;
        let checked = checked(&mut tx, seq).await?;
        let apart = Apart::read(&mut tx).await?;
        let by = apart.any(seq, checked.hash);
        let left = checked.doubts.iter().find(|(what, _)| apart.excuses(&checked, what).is_none());
        let fault = left.filter(|_| checked.problems.is_empty());
        Ok((fault.map(|(_, text)| format!("record {seq}: {text}")), by))
    }

    /// Is a record that nobody can read excused: set apart, and not altered since?
    ///
    /// # Errors
    /// `NotFound`; what the database says.
    pub async fn audit_is_excused(&self, seq: i64) -> Result<bool, StoreError> {
        let mut tx = self.read().await?;
        let checked = checked(&mut tx, seq).await?;
        let apart = Apart::read(&mut tx).await?;
        Ok(checked.problems.is_empty() && apart.any(seq, checked.hash).is_some())
    }
}

/// A record against what stands beside it.
async fn checked(tx: &mut Tx, seq: i64) -> Result<Checked, StoreError> {
    let log = append::log_id_if_any(tx).await?.unwrap_or_default();
    let rows = tx.fetch(format!("{COLUMNS} WHERE l.seq = $1"), args![seq]).await?;
    let checked = Page::read(tx, rows).await?.check(&log)?.into_iter().next();
    checked.ok_or_else(|| StoreError::NotFound(format!("audit record {seq}")))
}

/// What does not fit in a record by its own writer, for people and as a record says it.
fn unfit(checked: &Checked) -> Result<(String, Vec<&'static str>), StoreError> {
    let seq = checked.seq;
    if let Some(problem) = checked.problems.first() {
        return Err(StoreError::Precondition(format!(
            "record {seq}: {problem}. It was altered after it was written, and is not set apart"
        )));
    }
    let mut what: Vec<&'static str> = checked.doubts.iter().map(|(what, _)| *what).collect();
    let mut problem = checked.doubts.first().map(|(_, text)| format!("record {seq}: {text}"));
    // Whether a key fits depends on the records before it; setting apart one that does changes nothing.
    let about_key = match &checked.fact {
        Some(Fact::Key(added)) => added.after.is_some(),
        Some(Fact::Revoked(_)) => true,
        _ => false,
    };
    if about_key {
        what.push(KEY);
        problem.get_or_insert_with(|| format!("record {seq}: what it says of a key"));
    }
    problem
        .map(|problem| (problem, what))
        .ok_or_else(|| StoreError::Precondition(format!("record {seq} fits: there is nothing to set apart")))
}

#[cfg(test)]
mod tests;
