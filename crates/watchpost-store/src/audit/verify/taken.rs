//! What the trail itself says is gone, or set apart, for the answer.

use watchpost_model::audit::{ErasedRecords, OwnFault, SetApart};

use super::rows::Checked;
use super::{Check, PROBLEMS_MAX};

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
