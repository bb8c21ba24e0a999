//! Which rules may match a text: one pass over its bytes, for all literals of all rules.

use aho_corasick::Anchored;
use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::dfa::DFA;

use crate::bits::Bits;

/// Literals, and for each one the rules that it opens. ASCII letters match in any case.
#[derive(Debug)]
pub(crate) struct Gate {
    automaton: DFA,
    start: StateID,
    /// For each state that is the end of a literal, by its number shifted by `shift`, which of `opens` it is.
    of_state: Vec<u16>,
    shift: u32,
    /// The different sets of rules that a state can open; the first is empty.
    opens: Vec<Bits>,
}

impl Gate {
    /// A gate of at most a few thousand short literals.
    pub(crate) fn new<'a>(literals: impl IntoIterator<Item = (&'a str, Bits)>) -> Self {
        let (texts, bits): (Vec<&str>, Vec<Bits>) = literals.into_iter().unzip();
        let automaton = DFA::builder()
            .ascii_case_insensitive(true)
            .prefilter(false)
            .build(&texts)
            .expect("a few thousand short literals at most");
        let start = automaton.start_state(Anchored::No).expect("it was built to search anywhere");
        // Every state is the beginning of a literal.
        let mut ends: Vec<(usize, Bits)> = Vec::new();
        for text in &texts {
            let mut state = start;
            for &byte in text.as_bytes() {
                state = automaton.next_state(Anchored::No, state, byte);
                if automaton.is_match(state) {
                    let all = (0..automaton.match_len(state))
                        .map(|nth| bits[automaton.match_pattern(state, nth).as_usize()])
                        .fold(Bits::EMPTY, |all, one| all | one);
                    ends.push((state.as_usize(), all));
                }
            }
        }
        let shift = ends.iter().map(|(state, _)| state.trailing_zeros()).min().unwrap_or(0);
        let n_states = ends.iter().map(|(state, _)| (state >> shift) + 1).max().unwrap_or(0);
        let (mut of_state, mut opens) = (vec![0; n_states], vec![Bits::EMPTY]);
        for (state, bits) in ends {
            let nth = opens.iter().position(|known| *known == bits).unwrap_or_else(|| {
                opens.push(bits);
                opens.len() - 1
            });
            of_state[state >> shift] = u16::try_from(nth).expect("no more sets than literals");
        }
        Self { automaton, start, of_state, shift, opens }
    }

    /// The rules that any literal in `text` opens.
    pub(crate) fn open(&self, text: &str) -> Bits {
        let mut open = Bits::EMPTY;
        let (mut state, mut last) = (self.start, 0);
        for &byte in text.as_bytes() {
            state = self.automaton.next_state(Anchored::No, state, byte);
            if self.automaton.is_special(state)
                && let Some(&nth) = self.of_state.get(state.as_usize() >> self.shift)
                && nth != last
            {
                open |= self.opens[usize::from(nth)];
                last = nth;
            }
        }
        open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(all: &[usize]) -> Bits {
        let mut bits = Bits::EMPTY;
        all.iter().for_each(|&at| bits.set(at));
        bits
    }

    #[test]
    fn every_literal_opens_its_rules_wherever_it_stands() {
        let gate = Gate::new([
            ("select", bits(&[1])),
            ("elect", bits(&[2, 300])),
            ("c", bits(&[3])),
            ("union select", bits(&[4])),
            ("ü", bits(&[5])),
            ("on", bits(&[6])),
        ]);
        for (text, expect) in [
            ("", &[][..]),
            ("nothing here", &[]),
            ("SeLeCt", &[1, 2, 3, 300]),
            ("xelecty", &[2, 3, 300]),
            ("union select", &[1, 2, 3, 4, 6, 300]),
            ("union selec", &[3, 6]),
            ("für", &[5]),
            ("onc", &[3, 6]),
        ] {
            assert_eq!(gate.open(text).iter().collect::<Vec<_>>(), expect, "text {text:?}");
        }
        assert!(Gate::new([]).open("text").is_empty());
    }
}
