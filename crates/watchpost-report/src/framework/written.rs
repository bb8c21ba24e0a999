//! What people write into a framework file, and what they are told when it cannot be read.

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use watchpost_model::evidence::EvidenceQuery;

/// A list of names that is longer is not told whole.
const NAMES_MAX: usize = 10;
/// How many of a longer one are told: those nearest to what was written.
const NEAREST_MAX: usize = 4;
/// Of what was written, in characters.
const COMPARED_MAX: usize = 64;

/// A share in percent. One far over the whole is kept as the largest number there is: the check of the rule names it.
pub(super) fn percent<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    share(i64::deserialize(deserializer)?, u8::MAX.into())
}

/// The same, or none.
pub(super) fn opt_percent<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u8>, D::Error> {
    let given = Option::<i64>::deserialize(deserializer)?;
    given.map(|given| share(given, u8::MAX.into())).transpose()
}

/// A share in thousandths, or none.
pub(super) fn opt_permille<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u16>, D::Error> {
    let given = Option::<i64>::deserialize(deserializer)?;
    given.map(|given| share(given, u16::MAX)).transpose()
}

fn share<T: TryFrom<i64>, E: Error>(given: i64, largest: u16) -> Result<T, E> {
    T::try_from(given.min(largest.into())).map_err(|_| E::custom(format!("a share of {given} is below 0")))
}

/// What the parser says, without its words for numbers, and of a long list of names those nearest to the one that was written.
pub(super) fn for_people(message: &str) -> String {
    for number in ["i64", "u64", "u32", "u16", "u8"] {
        if let Some(said) = message.strip_suffix(number).and_then(|rest| rest.strip_suffix("expected ")) {
            return format!("{said}expected a whole number from 0 on");
        }
    }
    let Some((said, list)) = message.split_once(", expected one of ") else { return message.to_owned() };
    let mut names: Vec<&str> = list.split(", ").collect();
    let n_names = names.len();
    if n_names <= NAMES_MAX {
        return message.to_owned();
    }
    let of_questions = names.contains(&format!("`{}`", EvidenceQuery::AuthenticationEvents).as_str());
    let written = said.split('`').nth(1).unwrap_or_default();
    names.sort_by_key(|name| distance(written, name.trim_matches('`')));
    names.truncate(NEAREST_MAX);
    let all = if of_questions { "; docs/questions.md tells of all" } else { "" };
    format!("{said}, expected one of {n_names} names, the nearest {}{all}", names.join(", "))
}

/// Letters to add, take away or replace.
fn distance(written: &str, name: &str) -> usize {
    let name: Vec<char> = name.chars().collect();
    let mut row: Vec<usize> = (0..=name.len()).collect();
    for (i, from) in written.chars().take(COMPARED_MAX).enumerate() {
        let mut before = i;
        row[0] = i + 1;
        for (j, to) in name.iter().enumerate() {
            let best = (before + usize::from(from != *to)).min(row[j] + 1).min(row[j + 1] + 1);
            before = std::mem::replace(&mut row[j + 1], best);
        }
    }
    row[name.len()]
}
