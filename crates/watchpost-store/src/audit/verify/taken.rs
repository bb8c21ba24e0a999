//! What the trail itself says is gone, for the answer.

use watchpost_model::audit::ErasedRecords;

use super::Check;

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
}
