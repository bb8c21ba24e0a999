//! What one behaviour remembers of one group: when things happened, and with whom.
//!
//! Times are event time. Few events are kept exactly; many are folded together into aligned bins, so that a cell is
//! bounded whatever happens. For events in order a count never becomes too large by that, and too small by at most what a
//! thirtieth of the window holds.

use serde::{Deserialize, Serialize};

/// Entries that are kept exactly; beyond, neighbours are folded.
const EXACT: usize = 48;
/// Folding waits for a multiple of so many entries.
const FOLD_EVERY: usize = 8;
/// Bins that one window is folded into.
const BINS: i64 = 30;
/// Bins that the time before the window (kept for late events) is folded into, for each window's length.
const BINS_OLD: i64 = 4;
/// Most different members of one group; the oldest make room.
pub(crate) const MEMBERS_MAX: usize = 512;
/// A cell whose offsets grow beyond this begins them anew: 11 days in milliseconds.
const OFFSET_MAX: i64 = 1_000_000_000;

/// How many, and from when to when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) n: u64,
    pub(super) from_ms: i64,
    pub(super) to_ms: i64,
}

/// The memory of one group.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Cell {
    /// Offsets count from here.
    base_ms: i64,
    /// Offset in milliseconds and how many; ascending.
    events: Vec<(u32, u32)>,
    /// Member by hash and the offset of its last time (of its first, where a bucket leaks); ascending by time, then hash.
    members: Vec<(u32, u32)>,
    /// What was reported last: window, and step counted from one.
    pub(super) reported: (i64, u8),
}

impl Cell {
    /// How much memory it takes, in entries of eight bytes.
    pub(super) fn n_entries(&self) -> usize {
        self.events.len() + self.members.len()
    }

    /// The newest time that it remembers.
    pub(super) fn newest_ms(&self) -> i64 {
        let events = self.events.last().map_or(0, |entry| entry.0);
        let members = self.members.last().map_or(0, |entry| entry.1);
        self.base_ms + i64::from(events.max(members))
    }

    /// Adds `n` at `at_ms` and forgets what is older than `keep_ms` before the newest; `window_ms` says how finely.
    pub(super) fn add(&mut self, at_ms: i64, n: u32, window_ms: i64, keep_ms: i64) {
        let Some(offset) = self.offset(at_ms, keep_ms) else { return };
        match self.events.last_mut() {
            Some(last) if last.0 == offset => last.1 = last.1.saturating_add(n),
            Some(last) if last.0 > offset => match self.events.binary_search_by_key(&offset, |entry| entry.0)
            {
                Ok(at) => self.events[at].1 = self.events[at].1.saturating_add(n),
                Err(at) => self.events.insert(at, (offset, n)),
            },
            _ => self.events.push((offset, n)),
        }
        let oldest = self.oldest(at_ms, keep_ms);
        if self.events.first().is_some_and(|entry| entry.0 < oldest) {
            let n_over = self.events.partition_point(|entry| entry.0 < oldest);
            self.events.drain(..n_over);
        }
        // Not at every event: a look at all entries is worth it for several at once.
        if self.events.len() > EXACT && self.events.len().is_multiple_of(FOLD_EVERY) {
            self.fold(window_ms);
        }
    }

    /// Adds a member. A plain window keeps the member's last time, a leaking bucket its first.
    pub(super) fn meet(&mut self, at_ms: i64, member: u32, keep_ms: i64, keeps_first: bool) {
        let Some(offset) = self.offset(at_ms, keep_ms) else { return };
        let oldest = self.oldest(at_ms, keep_ms);
        // From the end: who was there lately is there again soon.
        if let Some(at) = self.members.iter().rposition(|entry| entry.0 == member) {
            let known = self.members[at].1;
            let is_over = known < oldest;
            let time = if keeps_first && !is_over { known.min(offset) } else { known.max(offset) };
            if time != known {
                self.members.remove(at);
                self.put(member, time);
            }
            return;
        }
        if self.members.len() >= 8 && self.members[0].1 < oldest {
            let n_over = self.members.partition_point(|entry| entry.1 < oldest);
            self.members.drain(..n_over);
        }
        if self.members.len() >= MEMBERS_MAX {
            self.members.remove(0);
        }
        self.put(member, offset);
    }

    /// Puts a member where it belongs.
    fn put(&mut self, member: u32, offset: u32) {
        let at = match self.members.last() {
            Some(last) if (last.1, last.0) > (offset, member) => {
                self.members.partition_point(|entry| (entry.1, entry.0) < (offset, member))
            }
            _ => self.members.len(),
        };
        self.members.insert(at, (member, offset));
    }

    /// Brings what an older state holds in no order into its order.
    pub(super) fn sort(&mut self) {
        if !self.members.is_sorted_by_key(|entry| (entry.1, entry.0)) {
            self.members.sort_unstable_by_key(|entry| (entry.1, entry.0));
        }
    }

    pub(super) fn has_met(&self, member: u32) -> bool {
        self.members.iter().any(|entry| entry.0 == member)
    }

    /// How many different members were met after `since_ms`.
    pub(super) fn n_met_since(&self, since_ms: i64) -> u64 {
        let since = since_ms - self.base_ms;
        (self.members.len() - self.members.partition_point(|entry| i64::from(entry.1) <= since)) as u64
    }

    /// Forgets everything up to `at_ms`.
    pub(super) fn clear_until(&mut self, at_ms: i64) {
        let limit = at_ms - self.base_ms;
        let n_events = self.events.partition_point(|entry| i64::from(entry.0) <= limit);
        self.events.drain(..n_events);
        let n_members = self.members.partition_point(|entry| i64::from(entry.1) <= limit);
        self.members.drain(..n_members);
    }

    /// The events of the window that ends at `at_ms`, whatever came after it.
    pub(super) fn until(&self, at_ms: i64, window_ms: i64) -> Sum {
        let at = at_ms - self.base_ms;
        // In order there is nothing after it.
        let n_until = match self.events.last() {
            Some(last) if i64::from(last.0) > at => {
                self.events.partition_point(|entry| i64::from(entry.0) <= at)
            }
            _ => self.events.len(),
        };
        let inside =
            self.events[..n_until].iter().rev().take_while(|entry| i64::from(entry.0) > at - window_ms);
        let (n, start) =
            inside.fold((0_u64, at), |(n, _), entry| (n + u64::from(entry.1), i64::from(entry.0)));
        Sum { n, from_ms: self.base_ms + start, to_ms: at_ms }
    }

    /// The window with most events among those that hold `at_ms`; for the newest time that is the one ending there.
    pub(super) fn sum(&self, at_ms: i64, window_ms: i64) -> Sum {
        let at = at_ms - self.base_ms;
        // In order: only the window that ends here can hold it.
        if self.events.last().is_none_or(|last| i64::from(last.0) <= at) {
            return self.until(at_ms, window_ms);
        }
        let mut best = Sum { n: 0, from_ms: at_ms, to_ms: at_ms };
        // The entry that the event was folded into stands at or before its time.
        let Some(mine) =
            self.events.iter().rev().map(|entry| i64::from(entry.0)).find(|&offset| offset <= at)
        else {
            return best;
        };
        let (mut first, mut n) = (0, 0_u64);
        for &(offset, count) in &self.events {
            let offset = i64::from(offset);
            let end = if offset == mine { at } else { offset };
            n += u64::from(count);
            while i64::from(self.events[first].0) <= end - window_ms
                && i64::from(self.events[first].0) < offset
            {
                n -= u64::from(self.events[first].1);
                first += 1;
            }
            let start = i64::from(self.events[first].0);
            if n > best.n && start <= mine && offset >= mine {
                best = Sum { n, from_ms: self.base_ms + start, to_ms: self.base_ms + end };
            }
        }
        best
    }

    /// The number of different members in the window with most of them that holds `at_ms`.
    pub(super) fn distinct(&self, at_ms: i64, window_ms: i64) -> Sum {
        let at = at_ms - self.base_ms;
        let newest = self.members.last().map_or(0, |entry| i64::from(entry.1));
        if at >= newest {
            let n_before = self.members.partition_point(|entry| i64::from(entry.1) <= at - window_ms);
            let inside = &self.members[n_before..];
            let first = inside.first().map_or(at, |entry| i64::from(entry.1));
            return Sum { n: inside.len() as u64, from_ms: self.base_ms + first, to_ms: at_ms };
        }
        let time = |nth: usize| i64::from(self.members[nth].1);
        let mut best = Sum { n: 0, from_ms: at_ms, to_ms: at_ms };
        let mut first = 0;
        for nth in 0..self.members.len() {
            let end = time(nth);
            while time(first) <= end - window_ms {
                first += 1;
            }
            let n = (nth - first + 1) as u64;
            if n > best.n && time(first) <= at && end >= at {
                best = Sum { n, from_ms: self.base_ms + time(first), to_ms: self.base_ms + end };
            }
        }
        best
    }

    /// The fullest that a bucket became into which each member is poured once and which loses one every `leak_ms`;
    /// `n` counts the members of that run, and is 0 while the bucket never held `threshold`.
    pub(super) fn leaked(&self, threshold: u64, leak_ms: i64) -> Sum {
        let nothing = Sum { n: 0, from_ms: self.base_ms, to_ms: self.base_ms };
        if (self.members.len() as u64) < threshold {
            return nothing;
        }
        let full = i64::try_from(threshold).unwrap_or(i64::MAX).saturating_sub(1).saturating_mul(leak_ms);
        let start = self.members.first().map_or(0, |entry| i64::from(entry.1));
        let (mut level, mut last, mut run_from, mut run_n, mut is_over) = (0_i64, start, start, 0_u64, false);
        let mut best = nothing;
        for at in self.members.iter().map(|entry| i64::from(entry.1)) {
            level -= at - last;
            if level <= 0 {
                (level, run_from, run_n, is_over) = (0, at, 0, false);
            }
            level += leak_ms;
            run_n += 1;
            last = at;
            is_over |= level > full;
            if is_over && run_n >= best.n {
                best = Sum { n: run_n, from_ms: self.base_ms + run_from, to_ms: self.base_ms + at };
            }
        }
        best
    }

    fn last_offset(&self) -> i64 {
        self.events.last().map_or(0, |entry| i64::from(entry.0))
    }

    fn oldest(&self, at_ms: i64, keep_ms: i64) -> u32 {
        let newest = self.newest_ms().max(at_ms);
        u32::try_from((newest - keep_ms - self.base_ms).max(0)).unwrap_or(u32::MAX)
    }

    /// The offset of a time; `None` for one so old that it would be forgotten at once.
    fn offset(&mut self, at_ms: i64, keep_ms: i64) -> Option<u32> {
        if self.events.is_empty() && self.members.is_empty() {
            self.base_ms = at_ms - keep_ms;
        } else if at_ms - self.base_ms > OFFSET_MAX {
            self.rebase(at_ms - keep_ms);
        }
        u32::try_from(at_ms - self.base_ms).ok()
    }

    fn rebase(&mut self, base_ms: i64) {
        let by = u32::try_from(base_ms - self.base_ms).unwrap_or(u32::MAX);
        self.events.retain_mut(|entry| entry.0.checked_sub(by).map(|offset| entry.0 = offset).is_some());
        self.members.retain_mut(|entry| entry.1.checked_sub(by).map(|offset| entry.1 = offset).is_some());
        self.base_ms = base_ms;
    }

    fn fold(&mut self, window_ms: i64) {
        let newest = self.last_offset();
        let base = self.base_ms;
        // Where the bin at hand ends, and whether it is one of those before the window.
        let mut bin: Option<(i64, bool)> = None;
        let mut n_kept = 0;
        for nth in 0..self.events.len() {
            let (offset, n) = self.events[nth];
            let (at, is_old) = (base + i64::from(offset), i64::from(offset) <= newest - window_ms);
            if bin.is_some_and(|(end, was_old)| is_old == was_old && at < end) {
                let last = &mut self.events[n_kept - 1].1;
                *last = last.saturating_add(n);
            } else {
                let length = (window_ms / if is_old { BINS_OLD } else { BINS }).max(1);
                bin = Some(((at.div_euclid(length) + 1) * length, is_old));
                self.events[n_kept] = (offset, n);
                n_kept += 1;
            }
        }
        self.events.truncate(n_kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_slides_and_takes_late_events() {
        let mut cell = Cell::default();
        for (at_s, expect) in [(0, 1), (30, 2), (59, 3), (10, 4), (70, 3), (1_000, 1)] {
            cell.add(at_s * 1_000, 1, 60_000, 660_000);
            assert_eq!(cell.sum(at_s * 1_000, 60_000).n, expect, "after {at_s} s");
        }
    }

    #[test]
    fn many_events_are_folded_and_still_counted() {
        let mut cell = Cell::default();
        for nth in 0..10_000_i64 {
            cell.add(nth * 100, 1, 60_000, 660_000);
        }
        let seen = cell.sum(999_900, 60_000).n;
        assert!((570..=600).contains(&seen), "600 in a minute, {seen} counted");
        assert!(cell.n_entries() < 120, "{} entries", cell.n_entries());
    }

    #[test]
    fn a_window_that_ended_counts_nothing_of_what_came_after() {
        let mut cell = Cell::default();
        for at_s in [0, 10, 20, 30, 40] {
            cell.add(at_s * 1_000, 1, 60_000, 660_000);
        }
        assert_eq!((cell.until(25_000, 60_000).n, cell.until(25_000, 20_000).n), (3, 2));
        assert_eq!((cell.until(25_000, 20_000).from_ms, cell.until(25_000, 20_000).to_ms), (10_000, 25_000));
        assert_eq!(cell.sum(500_000, 60_000).n, 0, "the window holds nothing of it");
    }

    #[test]
    fn a_bucket_leaks_by_event_time_in_any_order() {
        let times: Vec<i64> = (0..12).map(|nth| nth * 1_000).collect();
        let (mut forth, mut back) = (Cell::default(), Cell::default());
        for (nth, &at) in times.iter().enumerate() {
            forth.meet(at, nth as u32, 600_000, true);
            let at = times[times.len() - 1 - nth];
            back.meet(at, at as u32, 600_000, true);
        }
        assert_eq!(forth.leaked(10, 10_000).n, 12);
        assert_eq!(back.leaked(10, 10_000).n, 12);
        assert_eq!(forth.leaked(10, 500).n, 0, "what leaks faster than it is filled never overflows");
    }

    #[test]
    fn members_of_an_older_state_are_put_in_order() {
        let members = vec![(7, 50_000), (3, 10_000), (9, 30_000), (2, 30_000)];
        let mut cell = Cell { members, ..Cell::default() };
        cell.sort();
        assert_eq!(cell.members, [(3, 10_000), (2, 30_000), (9, 30_000), (7, 50_000)]);
        assert_eq!((cell.newest_ms(), cell.distinct(60_000, 40_000).n), (50_000, 3));
        // Seen again, and one that comes late.
        cell.meet(60_000, 3, 600_000, false);
        cell.meet(20_000, 5, 600_000, false);
        assert_eq!(cell.members, [(5, 20_000), (2, 30_000), (9, 30_000), (7, 50_000), (3, 60_000)]);
    }

    #[test]
    fn members_are_counted_once_and_bounded() {
        let mut cell = Cell::default();
        for nth in 0..2_000_u32 {
            cell.meet(i64::from(nth), nth % 700, 600_000, false);
        }
        assert_eq!(cell.distinct(1_999, 600_000).n, MEMBERS_MAX as u64);
        cell.meet(10_000_000, 1, 600_000, false);
        assert_eq!(cell.distinct(10_000_000, 600_000).n, 1, "the others are over");
    }
}
