//! Groups of one behaviour, with hard caps on their number and on their memory.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;

/// The key of a group: names are written by attackers, so they are kept as hashes of one size.
pub(crate) type Key = u64;

/// The same for the same text in every version and on every machine: saved states are full of them.
pub(crate) fn key_of(parts: &[&str]) -> Key {
    let mut hasher = SipHasher13::new_with_keys(0x7761_7463_6870_6f73, 0x7420_6772_6f75_7073);
    for part in parts {
        hasher.write(part.as_bytes());
        hasher.write_u8(0xff);
    }
    hasher.finish()
}

/// The short form of a key, for the members of a group.
#[expect(clippy::cast_possible_truncation, reason = "the low half of a good hash is a good hash")]
pub(crate) const fn short(key: Key) -> u32 {
    key as u32
}

/// Keys are hashes already.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, n: u64) {
        self.0 = n;
    }
}

/// What a table needs to know of its groups.
pub(crate) trait Group: Default {
    /// The newest event time of the group.
    fn newest_ms(&self) -> i64;
    /// Its memory in entries of eight bytes, beyond its fixed size.
    fn n_entries(&self) -> usize;
    /// Called once it was read from a saved state, which another version may have written.
    fn restored(&mut self) {}
}

impl Group for super::cell::Cell {
    fn newest_ms(&self) -> i64 {
        Self::newest_ms(self)
    }

    fn n_entries(&self) -> usize {
        Self::n_entries(self)
    }

    fn restored(&mut self) {
        self.sort();
    }
}

/// At most `max` groups with at most `entries_max` entries together; when full, those that were quiet longest go.
#[derive(Debug)]
pub(crate) struct Table<G> {
    groups: HashMap<Key, Slot<G>, BuildHasherDefault<Identity>>,
    n_entries: usize,
    max: usize,
    entries_max: usize,
    keep_ms: i64,
}

/// A group, with its newest time beside it: making room looks at that of every group and at nothing else.
#[derive(Debug, Default)]
struct Slot<G> {
    newest_ms: i64,
    group: G,
}

/// The groups of a table in the order of their keys, as they are saved.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Saved<G>(Vec<(Key, G)>);

impl<G: Group> Slot<G> {
    /// What `change` returns, and how many entries there were and are.
    fn change<R>(&mut self, change: impl FnOnce(&mut G) -> R) -> (R, usize, usize) {
        let before = self.group.n_entries();
        let result = change(&mut self.group);
        self.newest_ms = self.group.newest_ms();
        (result, before, self.group.n_entries())
    }
}

impl<G: Group + Clone> Table<G> {
    /// `keep_ms`: a group that has been quiet for so long is over and no loss.
    pub(crate) fn new(max: usize, keep_ms: i64) -> Self {
        let max = max.max(1);
        Self { groups: HashMap::default(), n_entries: 0, max, entries_max: max.saturating_mul(24), keep_ms }
    }

    pub(crate) fn len(&self) -> usize {
        self.groups.len()
    }

    pub(crate) fn get(&self, key: Key) -> Option<&G> {
        self.groups.get(&key).map(|slot| &slot.group)
    }

    /// Every group, in no order.
    pub(crate) fn groups(&self) -> impl Iterator<Item = &G> {
        self.groups.values().map(|slot| &slot.group)
    }

    /// Changes a group, made if it is not there, and returns what `change` returns. `evicted` counts groups that had to
    /// go while they were not over.
    pub(crate) fn change<R>(
        &mut self,
        key: Key,
        at_ms: i64,
        evicted: &mut u64,
        change: impl FnOnce(&mut G) -> R,
    ) -> R {
        let is_full = self.groups.len() >= self.max && !self.groups.contains_key(&key);
        if is_full || self.n_entries >= self.entries_max {
            self.make_room(at_ms, evicted);
        }
        let slot = self.groups.entry(key).or_default();
        let (result, before, after) = slot.change(change);
        self.n_entries = self.n_entries.saturating_add(after).saturating_sub(before);
        result
    }

    /// Changes a group if it is there.
    pub(crate) fn change_known<R>(&mut self, key: Key, change: impl FnOnce(&mut G) -> R) -> Option<R> {
        let (result, before, after) = self.groups.get_mut(&key)?.change(change);
        self.n_entries = self.n_entries.saturating_add(after).saturating_sub(before);
        Some(result)
    }

    fn make_room(&mut self, now_ms: i64, evicted: &mut u64) {
        let (limit_ms, mut n_entries) = (now_ms - self.keep_ms, self.n_entries);
        self.groups.retain(|_, slot| {
            let is_kept = slot.newest_ms > limit_ms;
            if !is_kept {
                n_entries = n_entries.saturating_sub(slot.group.n_entries());
            }
            is_kept
        });
        self.n_entries = n_entries;
        let (groups_goal, entries_goal) = (self.max - (self.max / 16).max(1), self.entries_max / 16 * 15);
        if self.groups.len() <= groups_goal && self.n_entries <= entries_goal {
            return;
        }
        // Ordered by time and key, so that what goes does not depend on the order inside the map.
        let mut quiet: Vec<(i64, Key)> =
            self.groups.iter().map(|(&key, slot)| (slot.newest_ms, key)).collect();
        let n_over = quiet.len().saturating_sub(groups_goal);
        if n_over > 0 && n_over < quiet.len() {
            quiet.select_nth_unstable(n_over);
            quiet[..n_over].sort_unstable();
        }
        let mut n_sorted = n_over;
        for nth in 0..quiet.len() {
            if self.groups.len() <= groups_goal && self.n_entries <= entries_goal {
                break;
            }
            if nth == n_sorted {
                quiet[nth..].sort_unstable();
                n_sorted = usize::MAX;
            }
            if let Some(gone) = self.groups.remove(&quiet[nth].1) {
                self.n_entries = self.n_entries.saturating_sub(gone.group.n_entries());
                *evicted += 1;
            }
        }
    }

    pub(crate) fn save(&self) -> Saved<G> {
        let mut groups: Vec<(Key, G)> =
            self.groups.iter().map(|(&key, slot)| (key, slot.group.clone())).collect();
        groups.sort_unstable_by_key(|(key, _)| *key);
        Saved(groups)
    }

    /// Takes saved groups in. Beyond the cap the last ones are left out: only a smaller cap than before can do that.
    pub(crate) fn restore(&mut self, saved: Saved<G>) {
        let slot = |(key, mut group): (Key, G)| {
            group.restored();
            (key, Slot { newest_ms: group.newest_ms(), group })
        };
        self.groups = saved.0.into_iter().take(self.max).map(slot).collect();
        self.n_entries = self.groups.values().map(|slot| slot.group.n_entries()).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::super::cell::Cell;
    use super::*;

    #[test]
    fn a_full_table_evicts_the_quiet_and_counts_it() {
        let mut table: Table<Cell> = Table::new(16, 10_000);
        let mut evicted = 0;
        for n in 0..17 {
            table.change(n, n as i64, &mut evicted, |cell| cell.add(n as i64, 1, 1_000, 10_000));
        }
        assert_eq!((table.len(), evicted), (16, 1));
        assert!(table.get(0).is_none(), "the quietest went");
        table.change(99, 1_000_000, &mut evicted, |cell| cell.add(1_000_000, 1, 1_000, 10_000));
        assert_eq!((table.len(), evicted), (1, 1), "groups that are over are no eviction");
    }

    #[test]
    fn keys_do_not_change() {
        assert_eq!(key_of(&["ip", "203.0.113.7"]), key_of(&["ip", "203.0.113.7"]));
        assert_ne!(key_of(&["ip1", ""]), key_of(&["ip", "1"]), "parts are kept apart");
    }
}
