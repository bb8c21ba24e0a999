//! Card numbers in answers.

use std::ops::Range;

use super::Context;

/// First digits and lengths that issuers use.
fn is_issued(digits: &[u8]) -> bool {
    let prefix = |n: usize| digits.iter().take(n).fold(0_u32, |sum, digit| sum * 10 + u32::from(*digit));
    match digits.len() {
        16 => {
            digits[0] == 4
                || (51..=55).contains(&prefix(2))
                || (2_221..=2_720).contains(&prefix(4))
                || prefix(4) == 6_011
                || prefix(2) == 65
                || (644..=649).contains(&prefix(3))
                || (3_528..=3_589).contains(&prefix(4))
                || prefix(2) == 62
        }
        15 => matches!(prefix(2), 34 | 37),
        14 => matches!(prefix(2), 36 | 38) || (300..=305).contains(&prefix(3)),
        _ => false,
    }
}

/// The check digit of Luhn.
fn is_valid(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(nth, digit)| match (nth % 2, u32::from(*digit)) {
            (1, digit) if digit > 4 => digit * 2 - 9,
            (1, digit) => digit * 2,
            (_, digit) => digit,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Numbers that every manual prints, and runs of one digit.
fn is_example(digits: &[u8]) -> bool {
    let text: String = digits.iter().map(|digit| char::from(b'0' + digit)).collect();
    digits[1..].iter().all(|digit| *digit == digits[1])
        || matches!(
            text.as_str(),
            "4111111111111111"
                | "4242424242424242"
                | "5555555555554444"
                | "378282246310005"
                | "4012888888881881"
                | "5105105105105100"
                | "6011111111111117"
                | "371449635398431"
        )
}

/// A number that an issuer gave out, written as people write them, with a sign near it that it is one: grouped in
/// fours, or a word about cards within a line.
pub(super) fn card_number(text: &str, _: &Context<'_>) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit()
            || (at > 0
                && (bytes[at - 1].is_ascii_alphanumeric() || matches!(bytes[at - 1], b'.' | b'-' | b'_')))
        {
            at += 1;
            continue;
        }
        let start = at;
        let mut digits = Vec::with_capacity(19);
        let mut separators = 0;
        while at < bytes.len() && digits.len() < 20 {
            if bytes[at].is_ascii_digit() {
                digits.push(bytes[at] - b'0');
            } else if matches!(bytes[at], b' ' | b'-') && bytes.get(at + 1).is_some_and(u8::is_ascii_digit) {
                separators += 1;
            } else {
                break;
            }
            at += 1;
        }
        let goes_on = bytes.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
            || (bytes.get(at) == Some(&b'.') && bytes.get(at + 1).is_some_and(u8::is_ascii_digit));
        let grouped = matches!((digits.len(), separators), (16, 3) | (15 | 14, 2));
        if !goes_on
            && (separators == 0 || grouped)
            && is_issued(&digits)
            && is_valid(&digits)
            && !is_example(&digits)
            && (grouped || is_about_cards(text, start))
        {
            return Some(start..at);
        }
    }
    None
}

/// Is there a word about cards in the 64 bytes before the number?
fn is_about_cards(text: &str, at: usize) -> bool {
    let from = (0..=at.saturating_sub(64)).rev().find(|&from| text.is_char_boundary(from)).unwrap_or(0);
    let before = text[from..at].to_ascii_lowercase();
    [
        "card",
        "pan\"",
        "pan:",
        "pan=",
        "visa",
        "mastercard",
        "amex",
        "ccnum",
        "cc_num",
        "credit",
        "debit",
        "account_number",
        "kreditkarte",
        "cvv",
    ]
    .iter()
    .any(|word| before.contains(word))
}
