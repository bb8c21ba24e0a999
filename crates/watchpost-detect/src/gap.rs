//! What a gate shuts out: a text that an expression matches, and that has none of the gate's literals.
//!
//! Decided, not tried: the automaton of the expression and that of the literals are walked together, and no place where
//! a literal ends is entered. Where the end of the expression is reached, what led there is such a text.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};

use aho_corasick::Anchored;
use aho_corasick::automaton::{Automaton, StateID as LiteralsAt};
use aho_corasick::dfa::DFA;
use regex_automata::nfa::thompson::{Config, NFA, State, Transition, WhichCaptures};
use regex_automata::util::primitives::StateID as ExpressionAt;
use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Repetition};

/// Most places of both automata that are looked at.
const PLACES_MAX: usize = 1 << 16;
/// Cap of an automaton, in bytes.
const NFA_BYTES_MAX: usize = 4 << 20;
/// A repetition of more than this is taken as one without an end, and one that begins later as one that begins here:
/// both match more.
const TIMES_MAX: u32 = 8;

/// What a gate does to the texts that an expression matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Gap {
    /// Every one has a literal of the gate.
    None,
    /// This one has none. Ends of words and lines are not looked at, and long repetitions are taken as endless: what is
    /// told may be a little more than what matches, never less.
    Text(String),
    /// Too large to tell.
    Unknown,
}

/// The literals of a gate.
pub(crate) struct Literals {
    dfa: DFA,
    start: LiteralsAt,
    /// The bytes that any of them has: all others lead to the same place.
    matters: [bool; 256],
}

impl Literals {
    /// Of lower-case literals; none if they are too many.
    pub(crate) fn new(literals: &[String]) -> Option<Self> {
        let dfa = DFA::builder().ascii_case_insensitive(true).prefilter(false).build(literals).ok()?;
        let start = dfa.start_state(Anchored::No).ok()?;
        let mut matters = [false; 256];
        for byte in literals.iter().flat_map(|literal| literal.bytes()) {
            matters[usize::from(byte.to_ascii_lowercase())] = true;
            matters[usize::from(byte.to_ascii_uppercase())] = true;
        }
        Some(Self { dfa, start, matters })
    }
}

/// Finds a text that `expression` matches and that has none of the literals, in any case of its letters.
pub(crate) fn gap(expression: &Hir, literals: &Literals) -> Gap {
    let config =
        Config::new().utf8(false).which_captures(WhichCaptures::None).nfa_size_limit(Some(NFA_BYTES_MAX));
    let Ok(nfa) = NFA::compiler().configure(config).build_from_hir(&shortened(expression)) else {
        return Gap::Unknown;
    };
    let first = (nfa.start_anchored(), literals.start);
    let mut walk = Walk { literals, seen: HashMap::from([(first, None)]), open: VecDeque::from([first]) };
    while let Some(place) = walk.open.pop_front() {
        if walk.seen.len() > PLACES_MAX {
            return Gap::Unknown;
        }
        match nfa.state(place.0) {
            State::Match { .. } => return Gap::Text(walk.text(place)),
            State::Fail => {}
            State::ByteRange { trans } => walk.through(place, trans),
            // Small letters come last, and are read better.
            State::Sparse(all) => all.transitions.iter().rev().for_each(|one| walk.through(place, one)),
            State::Dense(all) => {
                for byte in 0..=u8::MAX {
                    if let Some(next) = all.matches_byte(byte) {
                        walk.through(place, &Transition { start: byte, end: byte, next });
                    }
                }
            }
            State::Look { next, .. } | State::Capture { next, .. } => {
                walk.step(place, None, (*next, place.1));
            }
            State::Union { alternates } => {
                alternates.iter().for_each(|&next| walk.step(place, None, (next, place.1)));
            }
            State::BinaryUnion { alt1, alt2 } => {
                walk.step(place, None, (*alt1, place.1));
                walk.step(place, None, (*alt2, place.1));
            }
        }
    }
    Gap::None
}

type Place = (ExpressionAt, LiteralsAt);

struct Walk<'a> {
    literals: &'a Literals,
    /// Every place that was entered, where from, and by which byte.
    seen: HashMap<Place, Option<(Place, Option<u8>)>>,
    open: VecDeque<Place>,
}

impl Walk<'_> {
    fn through(&mut self, place: Place, range: &Transition) {
        let Literals { dfa, matters, .. } = self.literals;
        let others = || (range.start..=range.end).filter(move |&byte| !matters[usize::from(byte)]);
        let other = others().find(u8::is_ascii_graphic).or_else(|| others().next());
        let own = (range.start..=range.end).filter(|&byte| matters[usize::from(byte)]);
        for byte in other.into_iter().chain(own) {
            let at = dfa.next_state(Anchored::No, place.1, byte);
            if !dfa.is_match(at) {
                self.step(place, Some(byte), (range.next, at));
            }
        }
    }

    fn step(&mut self, from: Place, byte: Option<u8>, to: Place) {
        if let Entry::Vacant(entry) = self.seen.entry(to) {
            entry.insert(Some((from, byte)));
            self.open.push_back(to);
        }
    }

    /// What led to a place.
    fn text(&self, mut at: Place) -> String {
        let mut bytes = Vec::new();
        while let Some(&Some((from, byte))) = self.seen.get(&at) {
            bytes.extend(byte);
            at = from;
        }
        bytes.reverse();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// An expression that matches no less, with a smaller automaton.
fn shortened(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Repetition(one) => Hir::repetition(Repetition {
            min: one.min.min(TIMES_MAX),
            max: one.max.filter(|&max| max <= TIMES_MAX),
            greedy: one.greedy,
            sub: Box::new(shortened(&one.sub)),
        }),
        HirKind::Capture(one) => shortened(&one.sub),
        HirKind::Concat(all) => Hir::concat(all.iter().map(shortened).collect()),
        HirKind::Alternation(all) => Hir::alternation(all.iter().map(shortened).collect()),
        // A long s and the sign of Kelvin are other cases of `s` and `k`, which gates do not know: the decoder's matter.
        HirKind::Class(Class::Unicode(class)) => {
            let odd = ['\u{17f}', '\u{212a}'].map(|ch| ClassUnicodeRange::new(ch, ch));
            let mut class = class.clone();
            class.difference(&ClassUnicode::new(odd));
            Hir::class(Class::Unicode(class))
        }
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => hir.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::parsed;

    #[test]
    fn what_a_gate_shuts_out_is_found_in_every_way_to_match() {
        for (pattern, literals, expect) in [
            ("union select", &["union"][..], None),
            ("UNION", &["union"], None),
            (r"union\s+select", &["union select"], Some(())),
            (r"union\s+select", &["select"], None),
            ("/(?:pma|myadmin)(?:/|$)", &["/pma"], Some(())),
            ("/(?:pma|myadmin)(?:/|$)", &["/pma", "/my"], None),
            ("/(?:pma|my(?:admin|sql)+)", &["/pma", "admin"], Some(())),
            ("(?:select)?x", &["select"], Some(())),
            ("(?:select){1,900}x", &["select"], None),
            ("a{20}", &["aaaaaaaa"], None),
            ("a.{0,300}bc", &["bc"], None),
            (r"[\w.]+b", &["b"], None),
            (r"(?:^|\n)at\b \d", &["\nat"], Some(())),
            (r"(?:^|\n)at\b \d", &["at "], None),
            (r"ask\u{e4}", &["ask"], None),
            (r"x\u{e4}", &["ä"], Some(())),
            (r"(?-i:x\u{e4})", &["ä"], None),
            ("(?-i:AKIA)", &["akia"], None),
            ("", &["a"], Some(())),
        ] {
            let hir = parsed(pattern).expect("an expression");
            let literals: Vec<String> = literals.iter().map(|&literal| literal.to_owned()).collect();
            let all = Literals::new(&literals).expect("a few literals");
            let found = match gap(&hir, &all) {
                Gap::None => None,
                Gap::Text(text) => {
                    let is_shut_out =
                        literals.iter().all(|literal| !text.to_ascii_lowercase().contains(literal));
                    assert!(is_shut_out, "{pattern}: {text:?}");
                    Some(())
                }
                Gap::Unknown => unreachable!("{pattern} is small"),
            };
            assert_eq!(found, expect, "{pattern} with {literals:?}");
        }
    }
}
