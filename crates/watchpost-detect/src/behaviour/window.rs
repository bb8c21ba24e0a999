//! A sliding window of counts in event time, in a few dozen bins, and a table of such windows with a hard cap.

use std::collections::HashMap;

/// Bins a window is cut into; the window's length is exact to one bin.
const BINS: i64 = 60;

/// Counts of two things over one window. Late events find their bin; what has left the window is forgotten.
#[derive(Debug, Clone, Default)]
pub(super) struct Window {
    /// Bin, all, marked; ascending.
    bins: Vec<(i64, u32, u32)>,
}

impl Window {
    /// Adds at `at_ms`; what is older than the window that ends with the newest event is dropped.
    pub(super) fn add(&mut self, at_ms: i64, window_s: u32, count: u32, marked: u32) {
        let bin = at_ms.div_euclid(Self::bin_ms(window_s));
        let newest = self.bins.last().map_or(bin, |&(newest, _, _)| newest.max(bin));
        let oldest = newest - BINS;
        self.bins.retain(|&(at, _, _)| at > oldest);
        if bin <= oldest {
            return;
        }
        match self.bins.binary_search_by_key(&bin, |&(at, _, _)| at) {
            Ok(at) => {
                self.bins[at].1 = self.bins[at].1.saturating_add(count);
                self.bins[at].2 = self.bins[at].2.saturating_add(marked);
            }
            Err(at) => self.bins.insert(at, (bin, count, marked)),
        }
    }

    /// The sums over the window that ends at `at_ms`.
    pub(super) fn sums(&self, at_ms: i64, window_s: u32) -> (u64, u64) {
        let bin = at_ms.div_euclid(Self::bin_ms(window_s));
        let inside = self.bins.iter().filter(|&&(at, _, _)| at > bin - BINS && at <= bin);
        inside.fold((0, 0), |(all, marked), &(_, n, m)| (all + u64::from(n), marked + u64::from(m)))
    }

    const fn bin_ms(window_s: u32) -> i64 {
        window_s as i64 * 1_000 / BINS
    }
}

/// Groups by name, at most `max`; when full, the sixteenth that was quiet longest goes.
#[derive(Debug)]
pub(super) struct Table<G> {
    groups: HashMap<String, (i64, G)>,
    max: usize,
    keep_ms: i64,
}

impl<G: Default> Table<G> {
    /// `keep_ms`: a group that has been quiet for so long is over and no loss.
    pub(super) fn new(max: usize, keep_ms: i64) -> Self {
        Self { groups: HashMap::new(), max: max.max(1), keep_ms }
    }

    pub(super) fn len(&self) -> usize {
        self.groups.len()
    }

    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut G> {
        self.groups.get_mut(name).map(|(_, group)| group)
    }

    /// The group, made if it is not there. `evicted` counts groups that had to go while they were not over.
    pub(super) fn touch(&mut self, name: &str, at_ms: i64, evicted: &mut u64) -> &mut G {
        if !self.groups.contains_key(name) && self.groups.len() >= self.max {
            self.make_room(at_ms, evicted);
        }
        let (last, group) = self.groups.entry(name.to_owned()).or_insert_with(|| (at_ms, G::default()));
        *last = (*last).max(at_ms);
        group
    }

    fn make_room(&mut self, now_ms: i64, evicted: &mut u64) {
        let keep_ms = self.keep_ms;
        self.groups.retain(|_, (last, _)| *last > now_ms - keep_ms);
        let n_room = (self.max / 16).max(1);
        let n_free = self.max.saturating_sub(self.groups.len());
        if n_free >= n_room {
            return;
        }
        // Ordered by time and name, so that what goes does not depend on the order inside the map.
        let mut quiet: Vec<(i64, String)> =
            self.groups.iter().map(|(name, (last, _))| (*last, name.clone())).collect();
        quiet.sort_unstable();
        for (_, name) in quiet.into_iter().take(n_room - n_free) {
            self.groups.remove(&name);
            *evicted += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_slides_and_takes_late_events() {
        let mut window = Window::default();
        for (at_s, end_s, expect) in
            [(0, 0, 1), (30, 30, 2), (59, 59, 3), (10, 59, 4), (70, 70, 3), (1_000, 1_000, 1)]
        {
            window.add(at_s * 1_000, 60, 1, 0);
            assert_eq!(
                window.sums(end_s * 1_000, 60).0,
                expect,
                "after {at_s} s, window that ends at {end_s} s"
            );
        }
        assert_eq!(window.sums(1_000_000, 60), (1, 0), "the old ones are gone");
    }

    #[test]
    fn a_full_table_evicts_the_quiet_and_counts_it() {
        let mut table: Table<u32> = Table::new(16, 10_000);
        let mut evicted = 0;
        for n in 0..17 {
            *table.touch(&format!("g{n}"), i64::from(n), &mut evicted) += 1;
        }
        assert_eq!((table.len(), evicted), (16, 1));
        assert!(table.get_mut("g0").is_none(), "the quietest went");
        table.touch("late", 1_000_000, &mut evicted);
        assert_eq!((table.len(), evicted), (1, 1), "groups that are over are no eviction");
    }
}
