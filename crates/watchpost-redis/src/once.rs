//! What a scan names, each once: it may name a key, or an element of a value, twice.

use std::collections::HashSet;
use std::hash::BuildHasher;
use std::hash::BuildHasherDefault;
use std::hash::Hasher;
use std::hash::RandomState;

/// Names that were seen, 8 bytes each. Which two are taken for one nobody can choose: the hash has a key of its own.
#[derive(Default)]
pub(crate) struct Once {
    seen: HashSet<u64, BuildHasherDefault<AsItIs>>,
    hasher: RandomState,
}

impl Once {
    /// With room for `expected` names at first, so that they are not moved again and again while the server waits.
    pub(crate) fn with_room(expected: u64) -> Self {
        const ROOM_MAX: usize = 1_000_000;
        let room = usize::try_from(expected).map_or(ROOM_MAX, |expected| expected.min(ROOM_MAX));
        let mut once = Self::default();
        once.seen.reserve(room);
        once
    }

    pub(crate) fn is_new(&mut self, name: &[u8]) -> bool {
        self.seen.insert(self.hasher.hash_one(name))
    }

    /// Forgets all that was seen.
    pub(crate) fn clear(&mut self) {
        self.seen.clear();
    }
}

/// The hash of what is a hash already.
#[derive(Default)]
pub(crate) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Once;

    #[test]
    fn a_name_is_new_once() {
        let mut once = Once::with_room(u64::MAX);
        assert!((0..10_000).all(|n: u32| once.is_new(&n.to_be_bytes())));
        assert!((0..10_000).all(|n: u32| !once.is_new(&n.to_be_bytes())));
        once.clear();
        assert!(once.is_new(b"") && !once.is_new(b""));
    }
}
