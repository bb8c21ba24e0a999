//! Keys that a pass in search of bare hashes does not look at again, because one before found them on the stream.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Of so many passes one looks at a key all the same: its name may have been given to another hash.
const SHARES: u64 = 64;
/// Keys that are remembered; further ones are looked at in every pass.
const KNOWN_MAX: usize = 4_000_000;

/// What the passes of one connection have seen, by digest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct KnownKeys {
    digests: HashSet<u64>,
    passes: u64,
}

impl KnownKeys {
    pub(crate) fn has(&self, key: &str) -> bool {
        self.digests.contains(&digest(key))
    }

    pub(crate) fn add(&mut self, key: &str) {
        if self.digests.len() < KNOWN_MAX {
            self.digests.insert(digest(key));
        }
    }

    /// Forgets the share of keys that the next pass looks at, and with them those that are gone.
    pub(crate) fn next_pass(&mut self) {
        self.passes += 1;
        let share = self.passes % SHARES;
        self.digests.retain(|digest| digest % SHARES != share);
    }
}

fn digest(key: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_is_forgotten_once_in_so_many_passes() {
        let keys: Vec<String> = (0..2_000).map(|n| format!("security:auth:{n}")).collect();
        let mut known = KnownKeys::default();
        keys.iter().for_each(|key| known.add(key));
        assert!(keys.iter().all(|key| known.has(key)));
        let mut forgotten = 0;
        for _ in 0..SHARES {
            known.next_pass();
            let missing: Vec<&String> = keys.iter().filter(|key| !known.has(key)).collect();
            assert!(missing.len() < 200, "never many at once: {}", missing.len());
            forgotten += missing.len();
            missing.into_iter().for_each(|key| known.add(key));
        }
        assert_eq!(forgotten, keys.len(), "and each of them once");
    }
}
