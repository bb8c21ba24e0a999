//! What one group remembers of sequences: what lately completed them, and which event that was.

use serde::{Deserialize, Serialize};
use watchpost_model::ids::EventId;

use super::cell::MEMBERS_MAX;
use super::table::Group;

/// Something that completed a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Done {
    pub(super) at_ms: i64,
    pub(super) with: u32,
    pub(super) id: EventId,
}

/// The memory of one group.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Sequence {
    /// Ascending.
    done: Vec<Done>,
}

impl Sequence {
    /// Notes what completed the sequence, each time by itself, and forgets what is older than `keep_ms` before the
    /// newest; returns the time of the last one that it forgot.
    pub(super) fn note(&mut self, done: Done, keep_ms: i64) -> Option<i64> {
        if let Err(at) = self.done.binary_search(&done) {
            self.done.insert(at, done);
        }
        let oldest = self.done.last().map_or(done.at_ms, |last| last.at_ms).saturating_sub(keep_ms);
        let n_old = self.done.partition_point(|one| one.at_ms < oldest);
        // Several at once: what is full stays full.
        let n_over = if self.done.len() > MEMBERS_MAX { self.done.len() - MEMBERS_MAX / 8 * 7 } else { 0 };
        let last = self.done.drain(..n_old.max(n_over)).next_back();
        last.map(|one| one.at_ms)
    }

    /// What was noted, from `from_ms` to `to_ms`, ascending.
    pub(super) fn noted(&self, from_ms: i64, to_ms: i64) -> &[Done] {
        let first = self.done.partition_point(|one| one.at_ms < from_ms);
        let end = self.done.partition_point(|one| one.at_ms <= to_ms);
        self.done.get(first..end).unwrap_or_default()
    }

    /// The time of the last one that was noted before `at_ms`.
    pub(super) fn noted_before(&self, at_ms: i64) -> Option<i64> {
        let n_before = self.done.partition_point(|one| one.at_ms < at_ms);
        Some(self.done[..n_before].last()?.at_ms)
    }
}

impl Group for Sequence {
    fn newest_ms(&self) -> i64 {
        self.done.last().map_or(0, |one| one.at_ms)
    }

    fn n_entries(&self) -> usize {
        self.done.len() * 4
    }

    fn restored(&mut self) {
        self.done.sort_unstable();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(at_ms: i64, with: u32) -> Done {
        Done { at_ms, with, id: EventId::derived(at_ms, [with as u8; 16]) }
    }

    #[test]
    fn what_was_noted_is_kept_each_time_and_bounded() {
        let mut group = Sequence::default();
        for (at, member) in [(5_000, 1), (9_000, 1), (7_000, 2), (9_000, 1)] {
            assert_eq!(group.note(done(at, member), 10_000), None);
        }
        assert_eq!(group.noted(6_000, 9_000), [done(7_000, 2), done(9_000, 1)]);
        assert_eq!((group.noted_before(9_000), group.noted_before(5_000)), (Some(7_000), None));
        assert_eq!(group.note(done(18_000, 3), 10_000), Some(7_000), "told what was forgotten");
        assert_eq!(group.noted(0, 20_000), [done(9_000, 1), done(18_000, 3)]);
        for at in 18_000..20_000 {
            group.note(done(at, 3), 10_000);
        }
        assert!(group.noted(0, i64::MAX).len() <= MEMBERS_MAX, "{}", group.n_entries());
        assert_eq!(group.noted(19_999, 30_000).len(), 1, "the newest stay");
    }
}
