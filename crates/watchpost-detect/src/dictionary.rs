//! Words that are looked up without regard to case, quicker than in a map that must withstand hostile keys.

use std::collections::BTreeMap;

/// A fixed set of ASCII words, each with a value.
#[derive(Debug)]
pub(crate) struct Dictionary<V> {
    slots: Vec<Option<(&'static str, V)>>,
    shift: u32,
}

impl<V: Copy> Dictionary<V> {
    /// The words in lower case.
    pub(crate) fn new(words: &BTreeMap<&'static str, V>) -> Self {
        // Three slots in four stay empty: most questions are about words that are not there.
        let n_slots = (words.len() * 4).next_power_of_two().max(4);
        let mut new = Self { slots: vec![None; n_slots], shift: 64 - n_slots.trailing_zeros() };
        for (&word, &value) in words {
            let free =
                (new.slot(word.as_bytes())..n_slots).chain(0..n_slots).find(|&at| new.slots[at].is_none());
            if let Some(at) = free {
                new.slots[at] = Some((word, value));
            }
        }
        new
    }

    /// The value of `word`, in whatever case it is written.
    pub(crate) fn get(&self, word: &[u8]) -> Option<V> {
        let mut at = self.slot(word);
        while let Some((known, value)) = self.slots[at] {
            if word.eq_ignore_ascii_case(known.as_bytes()) {
                return Some(value);
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
        None
    }

    #[expect(clippy::cast_possible_truncation, reason = "as many bits as there are slots")]
    fn slot(&self, word: &[u8]) -> usize {
        let head = word.iter().take(8).fold(0_u64, |all, &byte| all << 8 | u64::from(byte | 0x20));
        let mixed = (head ^ (word.len() as u64) << 58).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> self.shift) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_any_case_and_nothing_else_is() {
        let words: Vec<&'static str> =
            vec!["or", "select", "selected", "selecting", "selection", "a", "x-y", "_z9"];
        let dictionary = Dictionary::new(&words.iter().copied().zip(0..).collect());
        for (word, nth) in words.iter().zip(0..) {
            assert_eq!(dictionary.get(word.as_bytes()), Some(nth), "{word}");
            assert_eq!(dictionary.get(word.to_ascii_uppercase().as_bytes()), Some(nth), "{word} in capitals");
        }
        for absent in ["", "b", "o", "orr", "selec", "selectio", "x_y", "ö"] {
            assert_eq!(dictionary.get(absent.as_bytes()), None, "{absent}");
        }
        assert_eq!(Dictionary::<u8>::new(&BTreeMap::new()).get(b"a"), None);
    }
}
