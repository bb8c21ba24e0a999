//! Words that were misspelt, and what is meant.

/// Longer words are not compared, in characters.
const CHARS_MAX: usize = 64;

/// The one of `known` that `word` is most likely a misspelling of: at most a quarter of its letters is wrong.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.to_lowercase().chars().collect();
    if word.is_empty() || word.len() > CHARS_MAX {
        return None;
    }
    let allowed = (word.len() / 4).clamp(1, 3);
    let near = |candidate: &'a str| {
        let other: Vec<char> = candidate.to_lowercase().chars().take(CHARS_MAX + 4).collect();
        if other.len().abs_diff(word.len()) > allowed {
            return None;
        }
        let distance = distance(&word, &other);
        (distance <= allowed).then_some((distance, candidate))
    };
    known.into_iter().filter_map(near).min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}

/// What is said behind a word that is not known: nothing, or a question.
pub(super) fn hint<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, known).map_or_else(String::new, |near| format!("; is `{near}` meant?"))
}

/// Letters to add, take away, replace or swap with their neighbour.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1; b.len() + 1];
        for (j, y) in b.iter().enumerate() {
            let mut best = (last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                best = best.min(before[j - 1] + 1);
            }
            row[j + 1] = best;
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_is_found_and_what_is_far_is_not() {
        let known = ["watchpost", "confidence", "match", "gate"];
        for (word, expect) in [
            ("watchpst", Some("watchpost")),
            ("watchpots", Some("watchpost")),
            ("Watchpost", Some("watchpost")),
            ("confidance", Some("confidence")),
            ("mach", Some("match")),
            ("gaet", Some("gate")),
            ("simulation", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), expect, "{word}");
        }
    }
}
