//! Personal data and secrets in free text: card and account numbers, keys, tokens, passwords, addresses of people.
//!
//! For what people write, where a false alarm costs a look and a miss costs more than that; pure and in one pass.

mod groups;
mod mask;
mod secrets;

use std::ops::Range;

pub use mask::{decoded, layers, masked, not_shown};
pub(crate) use secrets::SERVICE_TOKENS;
pub use secrets::promises;

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
    found_in_field("", text)
}

/// The same of a text that is the value of `name`, such as `http.headers.authorization`: what the name says counts.
#[must_use]
pub fn found_in_field(name: &str, text: &str) -> Vec<Sensitive> {
    Sensitive::ALL
        .iter()
        .copied()
        .filter(|kind| match kind {
            Sensitive::CardNumber => holds_card(name, text),
            Sensitive::Secret => !secrets::secrets(name, text).is_empty(),
            Sensitive::Personal => holds_address(text) || !accounts(text).is_empty(),
        })
        .collect()
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

/// Where numbers of bank accounts (IBAN) stand.
fn accounts(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let begins = bytes[at].is_ascii_uppercase() && (at == 0 || !bytes[at - 1].is_ascii_alphanumeric());
        let length = if begins { account_length(&bytes[at..]) } else { small_account_length(bytes, at) };
        match length {
            Some(length) => {
                found.push(at..at + length);
                at += length;
            }
            None => at += 1,
        }
    }
    found
}

/// Countries whose accounts are known in small letters too, with how long they are. Hashes are of small letters.
const ACCOUNTS: [(&[u8; 2], usize); 16] = [
    (b"at", 20),
    (b"be", 16),
    (b"ch", 21),
    (b"cz", 24),
    (b"de", 22),
    (b"dk", 18),
    (b"es", 24),
    (b"fi", 18),
    (b"fr", 27),
    (b"gb", 22),
    (b"ie", 22),
    (b"it", 27),
    (b"lu", 20),
    (b"nl", 18),
    (b"pl", 28),
    (b"pt", 25),
];

/// How long the IBAN in small letters is that stands at `at`.
fn small_account_length(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = &bytes[at..bytes.len().min(at + 48)];
    let (_, signs) = ACCOUNTS.iter().find(|(country, _)| rest.starts_with(*country))?;
    let is_apart = at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
    let length = if is_apart { account_length(&rest.to_ascii_uppercase())? } else { return None };
    let is_whole = rest[..length].iter().filter(|byte| byte.is_ascii_alphanumeric()).count() == *signs;
    is_whole.then_some(length)
}

/// How long the IBAN is that stands at the beginning, in one piece or grouped in fours.
fn account_length(bytes: &[u8]) -> Option<usize> {
    let is_sign = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let mut number = Vec::with_capacity(36);
    // Where it may end, in signs and in bytes: a word in capitals may follow a grouped one.
    let mut ends = Vec::new();
    let mut length = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let grouped =
            *byte == b' ' && number.len().is_multiple_of(4) && bytes.get(at + 1).is_some_and(is_sign);
        if grouped {
            ends.push((number.len(), at));
        } else if is_sign(byte) && number.len() < 35 {
            number.push(*byte);
        } else {
            break;
        }
        length = at + 1;
    }
    ends.push((number.len(), length));
    let named = number.iter().take(2).all(u8::is_ascii_uppercase)
        && number.iter().skip(2).take(2).all(u8::is_ascii_digit);
    let fits = |n: usize| (15..=34).contains(&n) && number.get(..n).is_some_and(holds_mod_97);
    if !named {
        return None;
    }
    ends.into_iter().find(|(n, _)| fits(*n)).map(|(_, length)| length)
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
                // Maestro.
                || matches!(prefix(4), 5_018 | 5_020 | 5_038 | 5_893 | 6_304 | 6_759 | 6_761..=6_763)
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
    let alone = |at| stands_alone(text.as_bytes(), at) || is_behind_track(text.as_bytes(), at);
    next_number(text, from, alone, |range, digits, grouped| {
        let is_sure = if is_behind_track(text.as_bytes(), range.start) {
            is_on_track(text, range)
        } else {
            grouped || is_about_cards(text, range.start)
        };
        !is_example(digits) && is_sure
    })
}

/// Such a number where what is written around it, or the name of its field, says so too. Nobody is called like one.
fn holds_card(name: &str, text: &str) -> bool {
    let about = NAMES_OF_PEOPLE.contains(&name) || is_about_cards(&format!("{name}="), name.len() + 1);
    next_number(
        text,
        0,
        |at| begins(text, at),
        |range, digits, grouped| {
            !is_example(digits)
                && (grouped
                    || about
                    || is_about_cards(text, range.start)
                    || is_behind_card(text, range.start)
                    || is_number_of_a_card(text, range))
        },
    )
    .is_some()
        || groups::grouped_numbers(text).iter().any(|one| one.is_sure && !is_example(&one.digits))
}

/// Every number that an issuer could have given out, for masking: whatever stands around it, and those of manuals too.
fn every_card_number(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let from = |found: &[Range<usize>]| found.last().map_or(0, |last| last.end);
    while let Some(range) = next_number(text, from(&found), |at| begins(text, at), |_, _, _| true) {
        found.push(range);
    }
    found
}

/// Fields that say who it was.
const NAMES_OF_PEOPLE: [&str; 3] = ["account", "actor", "user"];

fn stands_alone(bytes: &[u8], at: usize) -> bool {
    let is_joined = |before: u8| before.is_ascii_alphanumeric() || matches!(before, b'.' | b'-' | b'_');
    at == 0 || !is_joined(bytes[at - 1]) || (at >= 3 && is_parting(&bytes[at - 3..]))
}

/// Do `bytes` begin with an encoded blank, quote or sign that values stand behind?
fn is_parting(bytes: &[u8]) -> bool {
    const CODES: [&[u8]; 10] =
        [b"%09", b"%0a", b"%0d", b"%20", b"%22", b"%26", b"%27", b"%2c", b"%3a", b"%3d"];
    bytes.first() == Some(&b'%')
        && bytes.get(..3).is_some_and(|code| CODES.iter().any(|known| code.eq_ignore_ascii_case(known)))
}

fn begins(text: &str, at: usize) -> bool {
    stands_alone(text.as_bytes(), at) || is_behind_card(text, at)
}

/// `card-4539...`: does the word before it, joined to it, say that it is one?
fn is_behind_card(text: &str, at: usize) -> bool {
    let head = &text.as_bytes()[..at];
    ["card", "pan", "cc"].iter().any(|word| {
        let Some(from) = head.len().checked_sub(word.len() + 1) else { return false };
        matches!(head.last(), Some(b'-' | b'_' | b'.'))
            && head[from..head.len() - 1].eq_ignore_ascii_case(word.as_bytes())
    })
}

/// `{"number":"4539...","exp":...`: is it called a number, and does what only cards have follow?
fn is_number_of_a_card(text: &str, range: &Range<usize>) -> bool {
    let name = text[..range.start].trim_end_matches(['"', '\'', '\\', ' ', ':', '=']);
    let name = name.as_bytes();
    let called = ["number", "num", "no", "nr"].iter().any(|word| {
        name.len()
            .checked_sub(word.len())
            .is_some_and(|from| name[from..].eq_ignore_ascii_case(word.as_bytes()))
    });
    let until = (range.end..=text.len().min(range.end + 64)).rev().find(|at| text.is_char_boundary(*at));
    let after = text[range.end..until.unwrap_or(range.end)].to_ascii_lowercase();
    called && ["exp", "cvv", "cvc", "csc", "valid_thru", "holder"].iter().any(|word| after.contains(word))
}

/// The next number from `from` on that has the length, the first digits and the check digit of a card; `begins` says whether
/// one may begin at a digit, `counts` whether it is one (where it stands, its digits, whether they are grouped).
fn next_number(
    text: &str,
    from: usize,
    begins: impl Fn(usize) -> bool,
    counts: impl Fn(&Range<usize>, &[u8], bool) -> bool,
) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = from;
    while at < bytes.len() {
        if is_parting(&bytes[at..]) {
            at += 3;
            continue;
        }
        if !bytes[at].is_ascii_digit() || !begins(at) {
            at += 1;
            continue;
        }
        let start = at;
        let mut digits = Vec::with_capacity(19);
        let mut separators = 0;
        while at < bytes.len() && digits.len() < 20 {
            if bytes[at].is_ascii_digit() {
                digits.push(bytes[at] - b'0');
                at += 1;
                continue;
            }
            let length = separator(&bytes[at..]);
            // Behind a number that is not grouped, `+` and the like part it from the next value.
            let is_end = separators == 0 && digits.len() >= 13 && !matches!(bytes[at], b' ' | b'-');
            if length == 0 || is_end || bytes.get(at + length).is_none_or(|byte| !byte.is_ascii_digit()) {
                break;
            }
            separators += 1;
            at += length;
        }
        let goes_on = bytes.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
            || (bytes.get(at) == Some(&b'.') && bytes.get(at + 1).is_some_and(u8::is_ascii_digit));
        let grouped = matches!((digits.len(), separators), (16, 3) | (15 | 14, 2));
        if !goes_on
            && (separators == 0 || grouped)
            && is_issued(&digits)
            && is_valid(&digits)
            && counts(&(start..at), &digits, grouped)
        {
            return Some(start..at);
        }
    }
    None
}

/// How many bytes of what stands between groups of digits `bytes` begin with, also encoded for an address.
fn separator(bytes: &[u8]) -> usize {
    let known: [&[u8]; 8] = [b" ", b"-", b".", b"+", b"%20", b"%2D", "\u{a0}".as_bytes(), b"%C2%A0"];
    let begins = |known: &&[u8]| bytes.get(..known.len()).is_some_and(|it| it.eq_ignore_ascii_case(known));
    known.into_iter().find(begins).map_or(0, <[u8]>::len)
}

/// Is it the number on a magnetic track: `%B4539...^NAME^`?
fn is_on_track(text: &str, range: &Range<usize>) -> bool {
    is_behind_track(text.as_bytes(), range.start)
        && ["^", "%5E", "%5e"].iter().any(|sign| text[range.end..].starts_with(sign))
}

fn is_behind_track(bytes: &[u8], at: usize) -> bool {
    let head = &bytes[..at];
    [b"%B".as_slice(), b"%b", b"%25B", b"%25b"].iter().any(|sign| head.ends_with(sign))
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
        "cc=",
        "cc\"",
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
    use super::{Sensitive, found_in, found_in_field};

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

    #[test]
    fn cards_are_known_by_what_stands_around_them() {
        let card = [Sensitive::CardNumber];
        for (name, text) in [
            ("", r#"{"number":"4539578763621486","exp":"12/27"#),
            ("", r#"{"no": 4539578763621486, "cvc": "***"}"#),
            ("session", "card-4539578763621486"),
            ("", "cc_4539578763621486"),
            ("details.card.number", "4539578763621486"),
            ("actor", "4539578763621486"),
            ("", "q=card%204539578763621486&x=1"),
            ("", "card%3D4539578763621486"),
        ] {
            assert_eq!(found_in_field(name, text), card, "{name}: {text}");
        }
        for (name, text) in [
            ("", r#"{"number":"4539578763621486","total":3}"#),
            ("", r#"{"id":4539578763621486,"exp":1767225600}"#),
            ("session", "order-4539578763621486"),
            ("", r#"{"number":"453957******1486","exp":"12/27"}"#),
            ("details.order", "4539578763621486"),
        ] {
            assert!(found_in_field(name, text).is_empty(), "{name}: {text}");
        }
    }
}
