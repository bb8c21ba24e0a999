//! What a walk over every key leaves out, and why.

use watchpost_model::plain::grouped;

/// Keys that an export of every key has no row of.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    /// Of a type of a module.
    pub(super) unread: u64,
    /// Of another type by the time that they were read.
    pub(super) changed: u64,
    /// Nothing was in them, or they were gone, by the time that they were read.
    pub(super) empty: u64,
}

impl LeftOut {
    pub(super) const fn add(&mut self, more: &Self) {
        self.unread += more.unread;
        self.changed += more.changed;
        self.empty += more.empty;
    }

    /// For the report of the job.
    pub(super) fn words(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.unread > 0 {
            notes.push(format!("{} keys of types of modules were left out", grouped(self.unread)));
        }
        match self.empty {
            0 => {}
            1 => notes.push("1 key has no row: an empty stream, or gone when it was read".to_owned()),
            n => notes
                .push(format!("{} keys have no row: empty streams, or gone when they were read", grouped(n))),
        }
        match self.changed {
            0 => {}
            1 => notes.push("1 key changed its type while it was read and was left out".to_owned()),
            n => notes.push(format!(
                "{} keys changed their type while they were read and were left out",
                grouped(n)
            )),
        }
        notes
    }
}
