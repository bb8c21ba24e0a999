//! What the log says was erased or set apart: the only reasons for which a record may be shown without its content.

use std::collections::{HashMap, HashSet};

use crate::audit::apart::{self, Apart};
use crate::audit::bundle::BundleProblem;
use crate::audit::bundle::lines::{Id, Told, id};
use crate::audit::leaf::Leaf;
use crate::audit::tree::Hash;
use crate::audit::verify::rows::{Fact, fact};
use crate::audit::verify::taken::TakenRanges;

/// The erasures of a log, in the order of their records.
#[derive(Debug, Default)]
pub(super) struct Erasures {
    /// Keys that were destroyed, with the number of the erasure.
    keys: HashMap<Id, i64>,
    /// Records whose content went, by number.
    records: TakenRanges,
    /// Those of them, by number, that were the retention of a class.
    purges: HashSet<i64>,
    /// Records that were set apart.
    apart: Apart,
}

impl Erasures {
    /// Takes what an `erasure.done` leaf says.
    pub(super) fn take(&mut self, leaf: &Leaf) -> Result<(), BundleProblem> {
        let said =
            fact(leaf).map_err(|problem| BundleProblem::bad(format!("record {}: {problem}", leaf.seq)))?;
        if let Some(Fact::Erased { key, records, class }) = said {
            let key = key.and_then(|key| id(key.as_bytes()));
            self.keys.extend(key.map(|key| (key, leaf.seq)));
            self.purges.extend(class.map(|_| leaf.seq));
            for (from, to) in records {
                self.records.take(from, to, leaf.seq);
            }
        }
        Ok(())
    }

    /// Is this record one of a purge?
    pub(super) fn is_purge(&self, seq: i64) -> bool {
        self.purges.contains(&seq)
    }

    /// Takes what a record sets apart.
    pub(super) fn set_apart(&mut self, leaf: &Leaf) {
        self.apart.take(leaf);
    }

    /// Does a later record say that nothing opens of this one?
    pub(super) fn is_closed(&self, seq: i64, hash: Option<&Hash>) -> bool {
        hash.is_some_and(|hash| self.apart.by(seq, *hash, apart::SEALED).is_some())
    }

    /// Does a later record say that what this one tells of a key does not fit?
    pub(super) fn is_no_key(&self, seq: i64, hash: Option<&Hash>) -> bool {
        let is_apart = |hash: &Hash, what| self.apart.by(seq, *hash, what).is_some();
        hash.is_some_and(|hash| is_apart(hash, apart::KEY) || is_apart(hash, apart::FACTS))
    }

    /// Does a later record say why the content of this one is gone? As the check of the database asks it.
    pub(super) fn explain(&self, leaf: &Told) -> bool {
        self.records.by(leaf.seq).is_some()
            || self.keys.get(&leaf.key).is_some_and(|erasure| *erasure > leaf.seq)
    }
}
