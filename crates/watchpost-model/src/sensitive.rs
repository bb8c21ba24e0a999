//! Personal data and secrets in free text: card and account numbers, keys, tokens, passwords, addresses of people.
//!
//! For what people write, where a false alarm costs a look and a miss costs more than that; pure and in one pass.

use std::ops::Range;

use crate::words;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sensitive {
    /// The number of a payment card.
    CardNumber,
    /// A private key, a token of a service, a password.
    Secret,
    /// An e-mail address or the number of a bank account (IBAN).
    Personal,
}

words!(Sensitive { CardNumber = "card_number", Secret = "secret", Personal = "personal" });

/// What `text` holds of these, each once.
#[must_use]
pub fn found_in(text: &str) -> Vec<Sensitive> {
    Sensitive::ALL
        .iter()
        .copied()
        .filter(|kind| match kind {
            Sensitive::CardNumber => card_number(text).is_some(),
            Sensitive::Secret => holds_secret(text),
            Sensitive::Personal => holds_address(text) || holds_account(text),
        })
        .collect()
}

/// Tokens of services: how they begin, and how many characters follow at least.
pub(crate) const SERVICE_TOKENS: [(&str, usize); 14] = [
    ("ghp_", 36),
    ("gho_", 36),
    ("ghs_", 36),
    ("github_pat_", 40),
    ("glpat-", 20),
    ("xoxb-", 20),
    ("xoxp-", 20),
    ("sk_live_", 20),
    ("rk_live_", 20),
    ("npm_", 36),
    ("hvs.", 24),
    ("AIza", 35),
    ("AKIA", 16),
    ("ASIA", 16),
];

/// Names whose value is a secret, as settings and forms write them.
const SECRETS: [&str; 7] = ["password=", "passwd=", "pwd=", "secret=", "api_key=", "apikey=", "token="];

fn holds_secret(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    if lower.contains("private key-----") && lower.contains("-----begin ") {
        return true;
    }
    let token = |word: &str| {
        SERVICE_TOKENS.iter().any(|(prefix, n)| {
            word.strip_prefix(*prefix)
                .is_some_and(|rest| rest.len() >= *n && !rest.to_ascii_uppercase().ends_with("EXAMPLE"))
        })
    };
    // Three parts of base64 whose first one is a JSON object.
    let signed =
        |word: &str| word.starts_with("eyJ") && word.split('.').filter(|part| part.len() >= 10).count() == 3;
    let in_word = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '_' | '-' | '.');
    if text.split(|ch: char| !in_word(ch)).any(|word| token(word) || signed(word)) {
        return true;
    }
    SECRETS.iter().any(|name| {
        lower.match_indices(name).any(|(at, _)| {
            let value = lower.get(at + name.len()..).unwrap_or_default();
            let value: &str =
                value.split([' ', '\n', '\t', '&', '"', '\'', ';', ',']).next().unwrap_or_default();
            // What somebody blacked out is none any more.
            value.chars().count() >= 4
                && value.chars().any(char::is_alphanumeric)
                && !value.contains("**")
                && !value.starts_with(crate::sealing::MARK)
        })
    })
}

/// Domains that belong to nobody (RFC 2606, RFC 6761).
const NOBODYS: [&str; 7] =
    ["example", "example.com", "example.net", "example.org", "test", "invalid", "localhost"];

fn holds_address(text: &str) -> bool {
    let in_name = |ch: char| ch.is_alphanumeric() || matches!(ch, '.' | '_' | '%' | '+' | '-');
    text.match_indices('@').any(|(at, _)| {
        let (before, after) = (text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default());
        let named = before.chars().next_back().is_some_and(in_name);
        let end = after
            .find(|ch: char| !(ch.is_ascii_alphanumeric() || matches!(ch, '.' | '-')))
            .unwrap_or(after.len());
        let host = after.get(..end).unwrap_or_default().trim_matches(['.', '-']).to_ascii_lowercase();
        let top = host.rsplit_once('.').map_or("", |(_, top)| top);
        let nobodys = NOBODYS.iter().any(|own| host == *own || host.ends_with(&format!(".{own}")));
        named && top.len() >= 2 && top.bytes().all(|byte| byte.is_ascii_alphabetic()) && !nobodys
    })
}

fn holds_account(text: &str) -> bool {
    let bytes = text.as_bytes();
    (0..bytes.len()).any(|at| {
        let begins = at == 0 || !bytes.get(at - 1).is_some_and(u8::is_ascii_alphanumeric);
        begins && bytes.get(at..).is_some_and(is_account)
    })
}

/// Does an IBAN stand at the beginning, in one piece or grouped in fours?
fn is_account(bytes: &[u8]) -> bool {
    let is_sign = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let mut number = Vec::with_capacity(36);
    // Where it may end: a word in capitals may follow a grouped one.
    let mut ends = Vec::new();
    for (at, byte) in bytes.iter().enumerate() {
        let grouped =
            *byte == b' ' && number.len().is_multiple_of(4) && bytes.get(at + 1).is_some_and(is_sign);
        if grouped {
            ends.push(number.len());
        } else if is_sign(byte) && number.len() < 35 {
            number.push(*byte);
        } else {
            break;
        }
    }
    ends.push(number.len());
    let named = number.iter().take(2).all(u8::is_ascii_uppercase)
        && number.iter().skip(2).take(2).all(u8::is_ascii_digit);
    let fits = |n: &usize| (15..=34).contains(n) && number.get(..*n).is_some_and(holds_mod_97);
    named && ends.iter().any(fits)
}

/// The check of ISO 7064, with the first four characters at the end.
fn holds_mod_97(number: &[u8]) -> bool {
    let (head, tail) = number.split_at(4.min(number.len()));
    let rest = tail.iter().chain(head).fold(0_u32, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        _ => (rest * 100 + u32::from(byte - b'A') + 10) % 97,
    });
    rest == 1
}

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
#[must_use]
pub fn card_number(text: &str) -> Option<Range<usize>> {
    card_number_from(text, 0)
}

/// As [`card_number`], the first that begins at `from` or after it.
pub(crate) fn card_number_from(text: &str, from: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = from;
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

#[cfg(test)]
mod tests {
    use super::{Sensitive, found_in};

    #[test]
    fn what_people_paste_is_found_and_what_they_write_is_not() {
        use Sensitive::{CardNumber, Personal, Secret};
        let cases: [(&str, &[Sensitive]); 17] = [
            ("the customer paid with 4539 5787 6362 1486", &[CardNumber]),
            ("card: 4539578763621486, owner m.lang@shop-mail.de", &[CardNumber, Personal]),
            ("refund to DE89 3704 0044 0532 0130 00 TODAY", &[Personal]),
            ("refund to GB82WEST12345698765432.", &[Personal]),
            ("found ghp_a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2 in the log", &[Secret]),
            ("-----BEGIN RSA PRIVATE KEY-----", &[Secret]),
            ("the body was user=kim&password=Winter2026!", &[Secret]),
            ("Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjMifQ.dBjftJeZ4CVPmB92K27u", &[Secret]),
            ("the body was user=kim&password=****", &[]),
            ("password= was empty", &[]),
            ("AKIAIOSFODNN7EXAMPLE is from the manual", &[]),
            ("asked kim@shop.example and root@localhost", &[]),
            ("@kim look at 203.0.113.7, 4539578763621486 requests", &[]),
            ("order DE89370400440532013001", &[]),
            ("id 0192f0c4-7a51-7cc2-8a10-3b2f6f5d9e21 @ 10:15", &[]),
            ("Ünïcode@ and @ürl", &[]),
            ("", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(found_in(text), expected, "{text:?}");
        }
    }
}
