//! A small set of rule numbers.

use std::ops::{BitOr, BitOrAssign};

const WORDS: usize = 8;

/// Most signatures of one rule set.
pub(crate) const BITS_MAX: usize = WORDS * 64;

/// Which of at most [`BITS_MAX`] rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Bits([u64; WORDS]);

impl Bits {
    pub(crate) const EMPTY: Self = Self([0; WORDS]);

    pub(crate) fn set(&mut self, at: usize) {
        self.0[at / 64] |= 1 << (at % 64);
    }

    pub(crate) const fn has(&self, at: usize) -> bool {
        self.0[at / 64] & (1 << (at % 64)) != 0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|&word| word == 0)
    }

    pub(crate) fn and(mut self, other: Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(word, other)| *word &= other);
        self
    }

    pub(crate) fn without(mut self, other: Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(word, other)| *word &= !other);
        self
    }

    /// The numbers in the set, ascending.
    pub(crate) fn iter(self) -> impl Iterator<Item = usize> {
        self.0.into_iter().enumerate().flat_map(|(nth, mut word)| {
            std::iter::from_fn(move || {
                let at = word.checked_ilog2().map(|_| word.trailing_zeros() as usize)?;
                word &= word - 1;
                Some(nth * 64 + at)
            })
        })
    }
}

impl BitOrAssign for Bits {
    fn bitor_assign(&mut self, other: Self) {
        self.0.iter_mut().zip(other.0).for_each(|(word, other)| *word |= other);
    }
}

impl BitOr for Bits {
    type Output = Self;

    fn bitor(mut self, other: Self) -> Self {
        self |= other;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_in_and_come_out_in_order() {
        let mut bits = Bits::EMPTY;
        for at in [511, 0, 64, 63, 127, 128] {
            assert!(!bits.has(at));
            bits.set(at);
            assert!(bits.has(at));
        }
        assert_eq!(bits.iter().collect::<Vec<_>>(), [0, 63, 64, 127, 128, 511]);
        let mut some = Bits::EMPTY;
        some.set(63);
        some.set(511);
        assert_eq!(bits.without(some).iter().collect::<Vec<_>>(), [0, 64, 127, 128]);
        assert_eq!(bits.without(some) | some, bits);
        assert_eq!(bits.and(some), some);
        assert!(Bits::EMPTY.is_empty() && bits.without(bits).is_empty());
    }
}
