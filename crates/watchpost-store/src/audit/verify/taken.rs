//! What the trail itself says is gone, or set apart, for the answer.

use std::collections::BTreeMap;

use watchpost_model::audit::{ErasedRecords, OwnFault, SetApart};

use super::rows::Checked;
use super::{Check, PROBLEMS_MAX};

/// Ranges of records whose content was taken, each with the record that says so. Two erasures may name one record, and what
/// one of them named beside it stays named.
#[derive(Debug, Default)]
pub(in crate::audit) struct TakenRanges(BTreeMap<i64, (i64, i64)>);

impl TakenRanges {
    /// Takes what record `erasure` says, which comes after those that were taken before.
    pub(in crate::audit) fn take(&mut self, from: i64, to: i64, erasure: i64) {
        let over = self.0.range(..=to).rev().take_while(|(_, (end, _))| *end >= from);
        let over: Vec<(i64, i64, i64)> = over.map(|(start, (end, by))| (*start, *end, *by)).collect();
        for (start, end, by) in over {
            self.0.remove(&start);
            if start < from {
                self.0.insert(start, (from - 1, by));
            }
            if end > to {
                self.0.insert(to + 1, (end, by));
            }
        }
        self.0.insert(from, (to, erasure));
    }

    /// The later record that says that the content of `seq` was taken.
    pub(in crate::audit) fn by(&self, seq: i64) -> Option<i64> {
        let (_, (to, erasure)) = self.0.range(..=seq).next_back()?;
        (*to >= seq && *erasure > seq).then_some(*erasure)
    }
}

impl Check {
    /// The erasures and purges that explain what is absent.
    pub(super) fn taken(&self) -> Vec<ErasedRecords> {
        let told = |(record, n): (&i64, &u64)| ErasedRecords {
            record: *record,
            n: *n,
            class: self.classes.get(record).copied(),
        };
        self.explained.iter().map(told).collect()
    }

    /// What a record's own writer got wrong: a problem, unless a later record sets this one apart.
    pub(super) fn doubt(&mut self, seq: i64, by: Option<i64>, problem: String) {
        match by {
            Some(by) => self.set_apart.push(SetApart { record: seq, by, problem }),
            None => {
                if self.own_faults.len() < PROBLEMS_MAX {
                    self.own_faults.push(OwnFault { record: seq, problem: problem.clone() });
                }
                self.problem(seq, problem);
            }
        }
    }

    /// Tells of a record that is set apart although nothing is wrong with it: what is altered of it later was excused before.
    pub(super) fn fits_though_apart(&mut self, record: &Checked) {
        let fits = record.problems.is_empty() && record.doubts.is_empty() && record.absent.is_none();
        if !fits || record.fact.is_some() {
            return;
        }
        if let Some(by) = self.apart.any(record.seq, record.hash) {
            let seq = record.seq;
            let problem = format!("record {seq}: it fits, so look at why it was set apart");
            self.set_apart.push(SetApart { record: seq, by, problem });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::TakenRanges;

    #[test]
    fn what_two_erasures_name_hides_nothing_that_one_of_them_named() {
        let said = [(3, 9, 100), (5, 5, 200), (20, 30, 200), (25, 40, 300), (8, 22, 400), (50, 60, 55)];
        let mut taken = TakenRanges::default();
        for (from, to, erasure) in said {
            taken.take(from, to, erasure);
        }
        for seq in 0..70 {
            let named = said.iter().filter(|(from, to, by)| (*from..=*to).contains(&seq) && *by > seq);
            assert_eq!(taken.by(seq), named.map(|(.., by)| *by).max(), "record {seq}");
        }
    }
}
