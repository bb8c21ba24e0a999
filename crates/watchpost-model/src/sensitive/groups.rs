//! Numbers of cards in groups, by whatever signs these are parted, and in digits of another width.

use std::ops::Range;

use super::{is_issued, is_valid};
use crate::text::is_invisible;

/// More digits have no card.
const DIGITS_MAX: usize = 20;
/// Characters between two groups.
const SIGNS_MAX: usize = 3;
/// How issuers group.
const SHAPES: [&[usize]; 4] = [&[4, 4, 4, 4], &[4, 6, 5], &[4, 6, 4], &[8, 8]];

/// A number that may be a card's.
pub(super) struct Number {
    pub(super) range: Range<usize>,
    pub(super) digits: Vec<u8>,
    /// Only cards are written so.
    pub(super) is_sure: bool,
}

/// Digits that nothing parts, or nothing that is seen.
struct Group {
    range: Range<usize>,
    digits: Vec<u8>,
}

/// The value of a digit, also of one in full width.
pub(super) fn digit_of(ch: char) -> Option<u8> {
    let value = match ch {
        '0'..='9' => u32::from(ch) - u32::from('0'),
        '０'..='９' => u32::from(ch) - u32::from('０'),
        _ => return None,
    };
    u8::try_from(value).ok()
}

/// Such numbers, in the order of the text.
pub(super) fn grouped_numbers(text: &str) -> Vec<Number> {
    let mut found = Vec::new();
    let groups = groups(text);
    let mut at = 0;
    while at < groups.len() {
        let one = single(text, &groups[at]).map(|number| (number, 1));
        let of_shape = |shape: &&[usize]| {
            let groups = groups.get(at..at + shape.len())?;
            shaped(text, groups, shape).map(|number| (number, shape.len()))
        };
        if let Some((number, n)) = one.or_else(|| SHAPES.iter().find_map(of_shape)) {
            found.push(number);
            at += n;
        } else {
            at += 1;
        }
    }
    found
}

fn groups(text: &str) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut is_open = false;
    for (at, ch) in text.char_indices() {
        let end = at + ch.len_utf8();
        let Some(digit) = digit_of(ch) else {
            is_open = is_open && is_invisible(ch);
            continue;
        };
        match groups.last_mut().filter(|_| is_open) {
            Some(last) => {
                last.range.end = end;
                if last.digits.len() < DIGITS_MAX {
                    last.digits.push(digit);
                }
            }
            None => groups.push(Group { range: at..end, digits: vec![digit] }),
        }
        is_open = true;
    }
    groups
}

/// A number in one piece, but with what is not seen in it, or of full width.
fn single(text: &str, group: &Group) -> Option<Number> {
    let is_plain = group.range.len() == group.digits.len();
    let may_be = !is_plain && group.digits.len() < DIGITS_MAX && stands_apart(text, &group.range);
    if may_be { number(group.range.clone(), group.digits.clone(), true) } else { None }
}

/// The number that groups of this shape are.
fn shaped(text: &str, groups: &[Group], shape: &[usize]) -> Option<Number> {
    if groups.iter().zip(shape).any(|(group, n)| group.digits.len() != *n) {
        return None;
    }
    let (first, last) = groups.first().zip(groups.last())?;
    let range = first.range.start..last.range.end;
    let mut parted = groups.windows(2).map(|pair| signs(&text[pair[0].range.end..pair[1].range.start]));
    let sign = parted.next()??;
    let is_same = parted.all(|other| other.as_deref() == Some(sign.as_str()));
    let is_blank = sign.trim().is_empty();
    let is_pair = shape.len() == 2;
    // Two numbers beside each other are many things.
    let may_be = !is_pair || (is_blank && sign.chars().count() == 1);
    let goes_on = |run: &str| {
        let digits = run.bytes().all(|byte| byte.is_ascii_digit());
        let hex = run.bytes().all(|byte| byte.is_ascii_hexdigit());
        match (is_pair, is_blank) {
            (true, _) => !run.is_empty() && digits,
            (false, true) => run.len() == 4 && digits,
            (false, false) => run.len() >= 4 && hex,
        }
    };
    let joined = |ch: char| !ch.is_ascii_alphanumeric();
    let before = text[..range.start].strip_suffix(sign.as_str()).unwrap_or_default();
    let before = &before[before.rfind(joined).map_or(0, |at| at + char_length(before, at))..];
    let after = text[range.end..].strip_prefix(sign.as_str()).unwrap_or_default();
    let after = &after[..after.find(joined).unwrap_or(after.len())];
    if !is_same || !may_be || !stands_apart(text, &range) || goes_on(before) || goes_on(after) {
        return None;
    }
    number(range, groups.iter().flat_map(|group| group.digits.iter().copied()).collect(), !is_pair)
}

/// What parts two groups, without what is not seen; `None` where it parts more.
fn signs(between: &str) -> Option<String> {
    let is_sign = |ch: char| {
        matches!(
            ch,
            ' ' | '\u{a0}' | '\u{2007}' | '\u{2009}' | '\u{202f}' | '-' | '_' | '/' | '\u{2212}' | '\u{2010}'
                ..='\u{2015}'
        )
    };
    let signs: String = between.chars().filter(|ch| !is_invisible(*ch)).collect();
    let n = signs.chars().count();
    ((1..=SIGNS_MAX).contains(&n) && signs.chars().all(is_sign)).then_some(signs)
}

/// Is no letter, and no fraction, joined to it?
fn stands_apart(text: &str, range: &Range<usize>) -> bool {
    let (head, tail) = (&text[..range.start], &text[range.end..]);
    let in_fraction =
        head.strip_suffix('.').is_some_and(|head| head.ends_with(|ch: char| ch.is_ascii_digit()))
            || tail.strip_prefix('.').is_some_and(|tail| tail.starts_with(|ch: char| ch.is_ascii_digit()));
    !in_fraction && !head.ends_with(char::is_alphanumeric) && !tail.starts_with(char::is_alphanumeric)
}

fn char_length(text: &str, at: usize) -> usize {
    text[at..].chars().next().map_or(0, char::len_utf8)
}

fn number(range: Range<usize>, digits: Vec<u8>, is_sure: bool) -> Option<Number> {
    (is_issued(&digits) && is_valid(&digits)).then_some(Number { range, digits, is_sure })
}

#[cfg(test)]
mod tests {
    use super::super::masked;

    #[test]
    fn cards_are_masked_whatever_parts_their_groups_and_ids_are_not() {
        for (text, expected) in [
            ("paid with 4539–5787–6362–1486", "paid with 4539–57**–****–1486"),
            ("4111_1111_1111_1111", "4111_11**_****_1111"),
            ("/pay/4111/1111/1111/1111", "/pay/4111/11**/****/1111"),
            ("card_4111_1111_1111_1111", "card_4111_11**_****_1111"),
            ("4539  5787  6362  1486", "4539  57**  ****  1486"),
            ("4539 - 5787 - 6362 - 1486", "4539 - 57** - **** - 1486"),
            ("4539 5787 6362 1486 123", "4539 57** **** 1486 123"),
            ("4111&nbsp;1111&nbsp;1111&nbsp;1111", "[not shown: card_number]"),
            ("4539\u{200b}5787\u{200b}6362\u{200b}1486", "4539\u{200b}57**\u{200b}****\u{200b}1486"),
            ("４５３９５７８７６３６２１４８６", "４５３９５７******１４８６"),
            ("45395787 63621486", "453957** ****1486"),
            ("6759649826438453", "675964******8453"),
        ] {
            assert_eq!(masked("", text).as_deref(), Some(expected), "{text}");
            assert_eq!(masked("", expected), None, "once is enough: {expected}");
        }
        for text in [
            "4539–5787–6362–1487",
            "c0de-4539-5787-6362-1486",
            "4539:5787:6362:1486",
            "45395787/63621486",
            "41230000 45395787 63621486",
            "0192f0c4-4539-5787-6362-148645395787",
            "2000/4539/5787/6362/1486",
            "2026-11-01 10:15:22, 2026/11/01",
            "4539, 5787, 6362, 1486",
            "x4539–5787–6362–1486",
            "0.4539 5787 6362 1486",
        ] {
            assert_eq!(masked("", text), None, "{text}");
        }
    }
}
