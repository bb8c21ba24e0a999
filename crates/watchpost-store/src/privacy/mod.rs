//! People's rights against what is kept: legal holds, erasure, and what an erasure left behind.
//!
//! An erasure is one transaction ([`erase`]): what is about the person goes, what only names the person keeps a
//! pseudonym in place of the name, and the trail keeps its leaves: it says by `erasure.done` records what was lawfully
//! taken from beside them. [`scan`] looks afterwards, at every column that can hold text, so a table that nobody thought
//! of is told, not missed. [`replay`] does erasures again in an older copy. [`purge`] is the retention of the trail.

mod beside;
mod consent;
mod erase;
mod hold;
mod places;
mod purge;
mod replay;
mod scan;
mod settle;

pub(crate) use hold::KEEPS_EVENT;
pub use replay::{KeptErasure, Replayed};
pub use scan::{KnownFiles, Look};

use watchpost_model::privacy::{ErasedCount, Erasure, Subject};

use crate::engine::args;
use crate::error::StoreError;
use crate::store::Store;

/// The beginning of the object of every record about an erasure.
pub(crate) const OBJECT: &str = "erasure/";
/// The action of the records that say what was taken from beside the leaves.
pub(crate) const DONE: &str = "erasure.done";

/// A pattern for `LOWER(column) LIKE … ESCAPE '!'` that every text fits in which `subject` may be named; most that fit
/// do name it. What upper and lower case, or JSON, write in different ways is left open.
fn pattern(subject: &Subject) -> String {
    let mut pattern = String::from("%");
    for ch in subject.value.to_lowercase().chars() {
        match ch {
            '_' | '!' => {
                pattern.push('!');
                pattern.push(ch);
            }
            '%' => pattern.push_str("!%"),
            '"' | '\\' => pattern.push('%'),
            _ if ch.is_ascii() => pattern.push(ch),
            _ => pattern.push('%'),
        }
    }
    pattern.push('%');
    pattern
}

/// Counts by what was counted, in the order in which they came.
#[derive(Debug, Default)]
struct Counts(Vec<ErasedCount>);

impl Counts {
    fn add(&mut self, what: &str, removed: u64, changed: u64) {
        if removed + changed == 0 {
            return;
        }
        match self.0.iter_mut().find(|count| count.what == what) {
            Some(count) => {
                count.removed += removed;
                count.changed += changed;
            }
            None => self.0.push(ErasedCount { what: what.to_owned(), removed, changed }),
        }
    }
}

impl Store {
    /// Erasures that were done, the newest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn erasures(&self) -> Result<Vec<Erasure>, StoreError> {
        let mut tx = self.read().await?;
        let rows = tx
            .fetch(
                "SELECT e.id, e.at, e.done_by, e.kind, e.pseudonym, e.counts, COALESCE((SELECT MIN(r.seq) \
                 FROM audit_record r WHERE r.action = 'erasure.done' AND r.object = 'erasure/' || e.id), -1) \
                 FROM erasure e ORDER BY e.at DESC, e.id",
                args![],
            )
            .await?;
        rows.iter()
            .map(|row| {
                Ok(Erasure {
                    id: row.text(0)?,
                    at: row.time(1)?,
                    by: row.text(2)?,
                    kind: row.parse(3)?,
                    pseudonym: row.text(4)?,
                    counts: row.json(5)?,
                    record: row.i64(6)?,
                })
            })
            .collect()
    }

    /// How many erasures there were: whoever remembers people outside of the tables forgets when it moves on.
    ///
    /// # Errors
    /// What the database says.
    pub async fn erasure_epoch(&self) -> Result<i64, StoreError> {
        let mut tx = self.read().await?;
        tx.fetch_one("SELECT n FROM counter WHERE name = 'erasure'", args![]).await?.i64(0)
    }
}

/// A database that lets only the owner of its tables take from beside the trail says so by the code 42501.
fn only_the_owner(error: StoreError) -> StoreError {
    match &error {
        StoreError::Denied(_) => StoreError::Precondition(
            "the database lets only the owner of its tables erase: open it with that login (docs/privacy.md)"
                .to_owned(),
        ),
        _ => error,
    }
}
