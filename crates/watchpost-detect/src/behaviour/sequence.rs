//! What one group remembers of sequences: what lately completed them, which event that was, and where it matters with
//! whom each try was.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde::{Deserialize, Serialize};
use watchpost_model::ids::EventId;

use super::cell::{MEMBERS_MAX, Sum};
use super::table::Group;

/// The member that stands for one that is not known.
pub(super) const UNKNOWN: u32 = 0;
/// Of tries that nothing came of.
const NEVER: i64 = i64::MAX;
/// Bins that the tries of one window are folded into when they are too many.
const BINS: i64 = 30;

/// Something that completed a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Done {
    pub(super) at_ms: i64,
    pub(super) with: u32,
    pub(super) id: EventId,
}

/// Something that was tried.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Try {
    at_ms: i64,
    /// When it first worked with the same one, at this time or later.
    worked_ms: i64,
    who: u32,
    n: u32,
}

/// The memory of one group.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Sequence {
    /// Ascending.
    done: Vec<Done>,
    /// Ascending by time.
    tries: Vec<Try>,
    /// What was reported last of tries: window, and step counted from one.
    pub(super) reported: (i64, u8),
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

    /// Adds `n` tries with `who` and forgets what is older than is kept; `times`: the window, and how long tries are
    /// kept.
    pub(super) fn tried(&mut self, at_ms: i64, who: u32, n: u32, times: (i64, i64)) {
        let (window_ms, keep_ms) = times;
        let at = self.tries.partition_point(|one| one.at_ms <= at_ms);
        let before = at.checked_sub(1).and_then(|before| self.tries.get_mut(before));
        match before.filter(|one| one.at_ms == at_ms && one.who == who) {
            Some(same) => same.n = same.n.saturating_add(n),
            None => {
                let worked = self.noted(at_ms, NEVER).iter().find(|done| done.with == who);
                let worked_ms = worked.map_or(NEVER, |done| done.at_ms);
                self.tries.insert(at, Try { at_ms, worked_ms, who, n });
            }
        }
        let oldest = self.newest_ms().saturating_sub(keep_ms);
        let n_old = self.tries.partition_point(|one| one.at_ms < oldest);
        self.tries.drain(..n_old);
        if self.tries.len() > MEMBERS_MAX {
            self.fold(window_ms);
        }
    }

    /// It worked with one of those who tried. Tries that worked longer than `lateness_ms` ago are forgotten: nothing
    /// comes that they could still count for.
    pub(super) fn worked(&mut self, done: Done, lateness_ms: i64) {
        let oldest = self.done.last().map_or(done.at_ms, |last| last.at_ms).saturating_sub(lateness_ms);
        self.tries.retain_mut(|one| {
            if one.who == done.with && one.at_ms <= done.at_ms {
                one.worked_ms = one.worked_ms.min(done.at_ms);
            }
            one.worked_ms >= oldest
        });
    }

    /// The tries in the window before `done` of those with whom it had not worked until then: of the one with whom it
    /// worked now, and of the others if there are `least` of them. Of whom it is not known, it may be the same one.
    pub(super) fn tried_before(&self, done: Done, window_ms: i64, least: u32) -> Sum {
        let nothing = Sum { n: 0, from_ms: done.at_ms, to_ms: done.at_ms };
        let (mut own, mut others) = (nothing, nothing);
        let mut names: Vec<u32> = Vec::new();
        let least = usize::try_from(least).unwrap_or(usize::MAX);
        let since_ms = done.at_ms.saturating_sub(window_ms);
        let in_window =
            |one: &&Try| one.at_ms > since_ms && one.at_ms <= done.at_ms && one.worked_ms >= done.at_ms;
        for one in self.tries.iter().filter(in_window) {
            let is_own = one.who == done.with || one.who == UNKNOWN || done.with == UNKNOWN;
            if !is_own && names.len() < least && !names.contains(&one.who) {
                names.push(one.who);
            }
            let sum = if is_own { &mut own } else { &mut others };
            sum.n += u64::from(one.n);
            sum.from_ms = sum.from_ms.min(one.at_ms);
        }
        if names.len() < least {
            return own;
        }
        Sum { n: own.n + others.n, from_ms: own.from_ms.min(others.from_ms), to_ms: done.at_ms }
    }

    /// Puts tries of one together that are near each other; if there are still too many, the oldest go.
    fn fold(&mut self, window_ms: i64) {
        let length = (window_ms / BINS).max(1);
        let mut places: HashMap<(i64, i64, u32), usize> = HashMap::new();
        let mut kept: Vec<Try> = Vec::with_capacity(self.tries.len());
        for one in &self.tries {
            match places.entry((one.at_ms.div_euclid(length), one.worked_ms, one.who)) {
                Entry::Occupied(known) => {
                    let known = &mut kept[*known.get()];
                    known.n = known.n.saturating_add(one.n);
                }
                Entry::Vacant(place) => {
                    place.insert(kept.len());
                    kept.push(*one);
                }
            }
        }
        // Several at once: what is full stays full.
        let n_over = kept.len().saturating_sub(MEMBERS_MAX / 8 * 7);
        kept.drain(..n_over);
        self.tries = kept;
    }
}

impl Group for Sequence {
    fn newest_ms(&self) -> i64 {
        let done = self.done.last().map(|one| one.at_ms);
        done.max(self.tries.last().map(|one| one.at_ms)).unwrap_or(0)
    }

    fn n_entries(&self) -> usize {
        self.done.len() * 4 + self.tries.len() * 3
    }

    fn restored(&mut self) {
        self.done.sort_unstable();
        self.tries.sort_by_key(|one| one.at_ms);
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

    #[test]
    fn tries_of_those_who_got_in_are_over_whenever_they_come() {
        let times = (3_600_000, 4_200_000);
        let late = |order: &[usize]| {
            let mut group = Sequence::default();
            for &nth in order {
                match nth {
                    0 => group.tried(1_000, 1, 1, times),
                    1 => group.tried(2_000, 2, 3, times),
                    2 => group.tried(3_000, 3, 2, times),
                    3 => {
                        group.note(done(4_000, 1), 600_000);
                        group.worked(done(4_000, 1), 600_000);
                    }
                    _ => group.tried(5_000, 4, 1, times),
                }
            }
            group
        };
        let group = late(&[0, 1, 2, 3, 4]);
        assert_eq!(group, late(&[3, 4, 2, 1, 0]), "in any order");
        let sum = |with, least| group.tried_before(done(6_000, with), 3_600_000, least).n;
        assert_eq!(sum(2, 2), 6, "the own ones, and those of two others; the one of who got in is over");
        assert_eq!(sum(2, 3), 3, "there are not three others");
        assert_eq!((sum(9, 2), sum(9, 4)), (6, 0), "of somebody who did not try");
        assert_eq!(sum(UNKNOWN, 9), 6, "it may be any of them");
        assert_eq!(group.tried_before(done(4_000, 1), 3_600_000, 9).n, 1, "its own before it got in");
        assert_eq!(group.tried_before(done(6_000, 2), 3_500, 2).n, 3, "those of the window");
    }

    #[test]
    fn many_tries_are_folded_and_bounded() {
        let mut group = Sequence::default();
        for nth in 0..10_000_i64 {
            group.tried(nth * 100, 7, 1, (60_000, 660_000));
        }
        let seen = group.tried_before(done(999_900, 7), 60_000, 2).n;
        assert!((570..=600).contains(&seen), "600 in a minute, {seen} counted");
        for nth in 0..10_000_u32 {
            group.tried(1_000_000, 1_000 + nth, 1, (60_000, 660_000));
            assert!(group.tries.len() <= MEMBERS_MAX, "{} tries", group.tries.len());
        }
    }
}
