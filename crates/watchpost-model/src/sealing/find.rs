//! Where secrets stand in a text.

use std::borrow::Cow;
use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::value::{Reading, in_name, letter, strings_in, value_after};
use super::{MARK, SealKind, SealPolicy};
use crate::sensitive::{SERVICE_TOKENS, card_number_from};

/// Endings of names whose value is a password; without `_` and `-`.
const PASSWORDS: [&str; 12] = [
    "password",
    "passwd",
    "passwort",
    "passphrase",
    "passcode",
    "pwd",
    "password1",
    "password2",
    "passwordagain",
    "passwordconfirm",
    "passwordconfirmation",
    "passwordrepeat",
];
/// Names of which the ending alone says too little.
const PASSWORDS_WHOLE: [&str; 7] = ["pass", "userpass", "dbpass", "loginpass", "pw", "otp", "totp"];
const TOKENS: [&str; 5] = ["token", "authorization", "sessionid", "sessid", "jwt"];
const KEYS: [&str; 7] =
    ["secret", "apikey", "accesskey", "secretkey", "privatekey", "signingkey", "encryptionkey"];
const CARD_CODES: [&str; 3] = ["cvv", "cvc", "cvv2"];
const NAMES: [&str; 8] =
    ["firstname", "lastname", "fullname", "surname", "givenname", "familyname", "vorname", "nachname"];
const ADDRESSES: [&str; 14] = [
    "street",
    "streetaddress",
    "addressline",
    "addressline1",
    "addressline2",
    "postaladdress",
    "billingaddress",
    "shippingaddress",
    "homeaddress",
    "postcode",
    "postalcode",
    "zipcode",
    "strasse",
    "plz",
];
/// Every name above has one of these in it, however its words are joined.
const WORDS: [&str; 13] = [
    "pass",
    "pwd",
    "token",
    "authorization",
    "session",
    "sessid",
    "jwt",
    "secret",
    "key",
    "cvv",
    "cvc",
    "pw",
    "otp",
];
const NAME_WORDS: [&str; 3] = ["name", "vorname", "nachname"];
const ADDRESS_WORDS: [&str; 6] = ["street", "address", "code", "strasse", "plz", "post"];
/// How an encoded letter begins, in addresses and in JSON.
const LETTERS: [&str; 9] = ["%4", "%5", "%6", "%7", "%254", "%255", "%256", "%257", "\\u00"];
/// What stands before a credential in a header.
const SCHEMES: [&str; 7] = ["bearer", "basic", "token", "digest", "negotiate", "apikey", "dpop"];
/// What a cookie of a session has in its name.
const COOKIES: [&str; 6] = ["sess", "sid", "auth", "token", "jwt", "remember"];
/// Headers that say nothing of anybody.
const PLAIN_HEADERS: [&str; 9] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "connection",
    "content-length",
    "content-type",
    "date",
    "host",
];
/// No values.
const NOTHING: [&str; 7] = ["null", "none", "nil", "true", "false", "undefined", "redacted"];
/// Tokens and keys have digits, or more bytes than words.
const TOKEN_BYTES_MIN: usize = 8;
const LONG_BYTES_MIN: usize = 20;
/// A longer name is none.
const NAME_BYTES_MAX: usize = 80;
/// Words that are followed up in one text: one that is made of nothing else must not hold everything up.
const HITS_MAX: usize = 4_096;
/// What is longer is not looked through for what blacks out.
const BLACKED_BYTES_MAX: usize = 256;
const BEARER_BYTES_MIN: usize = 16;
const CARD_DIGITS_MIN: usize = 13;

/// What a word that was met begins or is part of.
#[derive(Debug, Clone, Copy)]
enum Role {
    Name,
    /// A letter that is encoded, in a name or elsewhere.
    Letter,
    Bearer,
    Jwt,
    Service(usize),
    PrivateKey,
    Authority,
}

/// Finds what a policy seals.
#[derive(Debug, Clone)]
pub struct Scanner {
    kinds: Vec<SealKind>,
    fields: Vec<String>,
    words: AhoCorasick,
    roles: Vec<Role>,
}

impl Scanner {
    /// For a policy.
    #[must_use]
    pub fn new(policy: &SealPolicy) -> Self {
        let on = |kind| policy.kinds.contains(&kind);
        let mut words: Vec<(String, Role)> = Vec::new();
        let names =
            |list: &[&str]| list.iter().map(|word| ((*word).to_owned(), Role::Name)).collect::<Vec<_>>();
        words.extend(names(&WORDS));
        words.extend(LETTERS.iter().map(|begin| ((*begin).to_owned(), Role::Letter)));
        if on(SealKind::Name) {
            words.extend(names(&NAME_WORDS));
        }
        if on(SealKind::Address) {
            words.extend(names(&ADDRESS_WORDS));
        }
        let own = policy.fields.iter().map(|field| field.trim().to_lowercase());
        words.extend(own.filter(|field| !field.is_empty()).map(|field| (field, Role::Name)));
        if on(SealKind::Token) {
            words.extend([("bearer ".to_owned(), Role::Bearer), ("eyj".to_owned(), Role::Jwt)]);
        }
        if on(SealKind::Key) {
            words.push(("private key-----".to_owned(), Role::PrivateKey));
            let service = |(nth, (prefix, _)): (usize, &(&str, usize))| {
                (prefix.to_ascii_lowercase(), Role::Service(nth))
            };
            words.extend(SERVICE_TOKENS.iter().enumerate().map(service));
        }
        if on(SealKind::Password) {
            words.push(("://".to_owned(), Role::Authority));
        }
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .match_kind(MatchKind::LeftmostLongest)
            .build(words.iter().map(|(word, _)| word))
            .expect("a few hundred short words fit into an automaton");
        Self {
            kinds: policy.kinds.clone(),
            fields: policy
                .fields
                .iter()
                .map(|field| plain(field))
                .filter(|field| !field.is_empty())
                .collect(),
            words: automaton,
            roles: words.into_iter().map(|(_, role)| role).collect(),
        }
    }

    fn seals(&self, kind: SealKind) -> bool {
        kind == SealKind::Field || self.kinds.contains(&kind)
    }

    /// What is to be sealed in `text`, in order and apart from each other. `form`: it is parameters, joined by `&`.
    pub(super) fn find(&self, text: &str, form: bool) -> Vec<(Range<usize>, SealKind)> {
        let mut found: Vec<(Range<usize>, SealKind)> = Vec::new();
        for hit in self.words.find_iter(text).take(HITS_MAX) {
            if found.last().is_some_and(|(last, _)| hit.start() < last.end) {
                continue;
            }
            let place = match self.roles.get(hit.pattern().as_usize()) {
                Some(Role::Name) => {
                    found.extend(self.named(text, hit.range(), form));
                    None
                }
                Some(Role::Letter) => {
                    found.extend(self.spelled(text, hit.start(), form));
                    None
                }
                Some(Role::Bearer) => bearer(text, hit.end()),
                Some(Role::Jwt) => json_web_token(text, hit.start()),
                Some(Role::Service(nth)) => service(text, hit.start(), *nth),
                Some(Role::PrivateKey) => private_key(text, hit.range()),
                Some(Role::Authority) => authority(text, hit.end()),
                None => None,
            };
            found.extend(place.filter(|(_, kind)| self.seals(*kind)));
        }
        found.extend(self.cards("", text));
        if self.seals(SealKind::Email) {
            found.extend(emails(text));
        }
        if found.len() > 1 {
            found.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
            let mut end = 0;
            found.retain(|(range, _)| {
                let is_free = range.start >= end;
                end = if is_free { range.end } else { end };
                is_free
            });
        }
        found
    }

    /// The kind of what a field, a header or a parameter of this name holds.
    pub(super) fn kind_of_name(&self, name: &str) -> Option<SealKind> {
        self.words.is_match(name).then(|| self.kind_of_plain(&plain(name))).flatten()
    }

    /// As [`Self::kind_of_name`], of what holds several: `tokens` as well.
    pub(super) fn kind_of_many(&self, name: &str) -> Option<SealKind> {
        self.words.is_match(name).then(|| self.kind_of_plain_many(&plain(name))).flatten()
    }

    fn kind_of_plain_many(&self, name: &str) -> Option<SealKind> {
        self.kind_of_plain(name).or_else(|| self.kind_of_plain(name.strip_suffix('s')?))
    }

    fn kind_of_plain(&self, name: &str) -> Option<SealKind> {
        let ends = |list: &[&str]| list.iter().any(|ending| name.ends_with(*ending));
        let kind = if self.fields.iter().any(|field| field == name) {
            SealKind::Field
        } else if ends(&PASSWORDS) || PASSWORDS_WHOLE.contains(&name) {
            SealKind::Password
        } else if ends(&TOKENS) {
            SealKind::Token
        } else if ends(&KEYS) {
            SealKind::Key
        } else if ends(&CARD_CODES) {
            SealKind::Card
        } else if ends(&NAMES) {
            SealKind::Name
        } else if ends(&ADDRESSES) {
            SealKind::Address
        } else {
            return None;
        };
        self.seals(kind).then_some(kind)
    }

    /// What of a header is sealed; `None` where it is to be looked through as any text.
    pub(super) fn in_header(&self, name: &str, value: &str) -> Option<Vec<(Range<usize>, SealKind)>> {
        if PLAIN_HEADERS.contains(&name) {
            return Some(Vec::new());
        }
        if matches!(name, "cookie" | "set-cookie") {
            return self.seals(SealKind::Token).then(|| cookies(value, name == "set-cookie"));
        }
        let kind = self.kind_of_name(name)?;
        self.whole(value, kind).map(|found| vec![found])
    }

    /// The part of a value of this kind that is sealed.
    pub(super) fn whole(&self, value: &str, kind: SealKind) -> Option<(Range<usize>, SealKind)> {
        narrowed(value, 0..value.len(), kind).filter(|(_, kind)| self.seals(*kind))
    }

    /// Is a number in JSON sealed? As a token none is: those are counts.
    pub(super) fn in_number(&self, name: &str, number: &str, kind: Option<SealKind>) -> Option<SealKind> {
        match kind {
            Some(SealKind::Password | SealKind::Field | SealKind::Card) => kind,
            _ => (!self.cards(name, number).is_empty()).then_some(SealKind::Card),
        }
    }

    /// Numbers of cards in `text`, before which `name` stands.
    pub(super) fn cards(&self, name: &str, text: &str) -> Vec<(Range<usize>, SealKind)> {
        let mut found = Vec::new();
        let digits = || text.bytes().filter(u8::is_ascii_digit).count();
        if text.len() < CARD_DIGITS_MIN || !self.seals(SealKind::Card) || digits() < CARD_DIGITS_MIN {
            return found;
        }
        let before = if name.is_empty() { 0 } else { name.len() + 1 };
        let whole = if before == 0 { Cow::Borrowed(text) } else { Cow::Owned(format!("{name}={text}")) };
        let mut from = 0;
        while let Some(range) = card_number_from(&whole, from) {
            from = range.end;
            if let Some(start) = range.start.checked_sub(before) {
                found.push((start..range.end - before, SealKind::Card));
            }
        }
        found
    }

    /// The values after a name of which `word` is a part.
    fn named(&self, text: &str, word: Range<usize>, form: bool) -> Vec<(Range<usize>, SealKind)> {
        let bytes = text.as_bytes();
        let before = bytes.get(..word.start).unwrap_or_default().iter().rev().take(NAME_BYTES_MAX);
        let before = before.take_while(|byte| in_name(**byte)).count();
        let after = bytes.get(word.end..).unwrap_or_default().iter().take(NAME_BYTES_MAX);
        let after = after.take_while(|byte| in_name(**byte)).count();
        if before + word.len() + after >= NAME_BYTES_MAX {
            return Vec::new();
        }
        let range = word.start - before..word.end + after;
        let name = plain(text.get(range.clone()).unwrap_or_default());
        self.values_of(text, range, &name, form)
    }

    /// As [`Self::named`], where the letter at `at` begins to be an encoded one.
    fn spelled(&self, text: &str, at: usize, form: bool) -> Vec<(Range<usize>, SealKind)> {
        if letter(text, at).is_none() {
            return Vec::new();
        }
        let before = text.as_bytes().get(..at).unwrap_or_default().iter().rev().take(NAME_BYTES_MAX);
        let start = at - before.take_while(|byte| in_name(**byte)).count();
        let mut name = text.get(start..at).unwrap_or_default().to_owned();
        let mut end = at;
        while let Some((ch, length)) = letter(text, end) {
            if name.len() >= NAME_BYTES_MAX {
                return Vec::new();
            }
            name.push(ch);
            end += length;
        }
        self.values_of(text, start..end, &plain(&name), form)
    }

    /// The values of what is called `name`, which stands in `range`.
    fn values_of(
        &self,
        text: &str,
        range: Range<usize>,
        name: &str,
        form: bool,
    ) -> Vec<(Range<usize>, SealKind)> {
        let one = self.kind_of_plain(name);
        let Some(kind) = one.or_else(|| self.kind_of_plain_many(name)) else { return Vec::new() };
        let before = text.get(..range.start).unwrap_or_default();
        // The kind that a mark names is no name.
        if before.ends_with(MARK) {
            return Vec::new();
        }
        let space = before.strip_suffix(':').unwrap_or(before);
        let is_tag = before.ends_with('<')
            || (space.len() < before.len()
                && space.trim_end_matches(|ch: char| ch.is_ascii_alphanumeric() || ch == '_').ends_with('<'));
        let reading = match (form, is_tag, name.ends_with("authorization")) {
            (true, ..) => Reading::Form,
            (false, true, _) => Reading::Tag,
            (false, false, true) => Reading::Line,
            (false, false, false) => Reading::Word,
        };
        let Some(value) = value_after(text, range.end, reading) else { return Vec::new() };
        let begins = text.get(..value.start).unwrap_or_default().trim_end().ends_with([':', '=']);
        let is_open =
            text.get(value.start..).is_some_and(|it| it.starts_with(['[', '{']) && !it.starts_with(MARK));
        let mut values = if begins && is_open && !form { strings_in(text, value.start) } else { Vec::new() };
        if values.is_empty() && one.is_some() {
            values.push(value);
        }
        let found = values.into_iter().filter_map(|value| narrowed(text, value, kind));
        found.filter(|(_, kind)| self.seals(*kind)).collect()
    }
}

/// A name without what joins its words, and without what it is a member of.
fn plain(name: &str) -> String {
    let name = name.trim_end_matches("[]").trim_end_matches(']');
    let last = name.rsplit(['.', '[']).next().unwrap_or(name);
    last.chars().filter(|ch| !matches!(ch, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

/// The part of a value that is the secret, if it is one: without the scheme before it; of a JSON Web Token its signature,
/// because the rest proves nothing and says what was tried.
fn narrowed(text: &str, range: Range<usize>, kind: SealKind) -> Option<(Range<usize>, SealKind)> {
    let (mut range, mut kind) = (trimmed(text, range), kind);
    if let Some((scheme, rest)) = text.get(range.clone())?.split_once(' ')
        && matches!(kind, SealKind::Token | SealKind::Key)
        && is_scheme(scheme)
    {
        kind = if scheme.eq_ignore_ascii_case("basic") { SealKind::Password } else { kind };
        range = trimmed(text, range.end - rest.len()..range.end);
    }
    if text.get(range.clone())?.starts_with("eyJ") && text.get(range.clone())?.matches('.').count() == 2 {
        let signature = text.get(range.clone())?.rsplit('.').next().unwrap_or_default().len();
        range = range.end - signature..range.end;
    }
    let value = text.get(range.clone())?;
    let enough = match kind {
        SealKind::Token | SealKind::Key => {
            value.len() >= TOKEN_BYTES_MIN
                && (value.len() >= LONG_BYTES_MIN || value.bytes().any(|byte| byte.is_ascii_digit()))
        }
        SealKind::Card => matches!(value.len(), 3 | 4) && value.bytes().all(|byte| byte.is_ascii_digit()),
        SealKind::Password | SealKind::Email | SealKind::Name | SealKind::Address | SealKind::Field => {
            value.chars().any(char::is_alphanumeric) || value.len() >= TOKEN_BYTES_MIN
        }
    };
    // What somebody blacked out is none any more.
    let is_none = value.starts_with(MARK)
        || (value.len() <= BLACKED_BYTES_MAX && value.contains("**"))
        || NOTHING.iter().any(|nothing| value.eq_ignore_ascii_case(nothing));
    (enough && !is_none).then_some((range, kind))
}

pub(super) fn is_scheme(word: &str) -> bool {
    SCHEMES.iter().any(|known| word.eq_ignore_ascii_case(known))
}

fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let value = text.get(range.clone()).unwrap_or_default();
    let start = range.start + value.len() - value.trim_start().len();
    start..start + value.trim().len()
}

/// The word that begins at `at`, of letters that tokens have.
fn word_at(text: &str, at: usize) -> Option<Range<usize>> {
    let is_of = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if at > 0 && text.as_bytes().get(at - 1).is_some_and(is_of) {
        return None;
    }
    let length = text.as_bytes().get(at..)?.iter().take_while(|byte| is_of(byte)).count();
    Some(at..at + length)
}

/// Three parts of base64 whose first one is a JSON object.
fn json_web_token(text: &str, at: usize) -> Option<(Range<usize>, SealKind)> {
    let word = word_at(text, at)?;
    let token = text.get(word.clone())?;
    let is_one = token.starts_with("eyJ") && token.split('.').filter(|part| part.len() >= 10).count() == 3;
    is_one.then(|| narrowed(text, word, SealKind::Token)).flatten()
}

fn bearer(text: &str, at: usize) -> Option<(Range<usize>, SealKind)> {
    let is_of = |byte: &u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'~' | b'+' | b'/' | b'=')
    };
    let length = text.as_bytes().get(at..)?.iter().take_while(|byte| is_of(byte)).count();
    (length >= BEARER_BYTES_MIN).then(|| narrowed(text, at..at + length, SealKind::Token)).flatten()
}

fn service(text: &str, at: usize, nth: usize) -> Option<(Range<usize>, SealKind)> {
    let (prefix, more) = SERVICE_TOKENS.get(nth)?;
    let word = word_at(text, at)?;
    let rest = text.get(word.clone())?.strip_prefix(*prefix)?;
    let is_one = rest.len() >= *more && !rest.to_ascii_uppercase().ends_with("EXAMPLE");
    is_one.then_some((word, SealKind::Key))
}

/// A private key from its first line to its last, or to the end where it was cut.
fn private_key(text: &str, line: Range<usize>) -> Option<(Range<usize>, SealKind)> {
    let before = text.get(..line.start)?;
    let dashes = before.rfind("-----")?;
    if !before.get(dashes..)?.to_ascii_uppercase().starts_with("-----BEGIN ") {
        return None;
    }
    let after = |at: usize| text.get(at..).and_then(|rest| rest.find("-----")).map(|n| at + n + 5);
    let end = after(line.end).and_then(after).unwrap_or(text.len());
    narrowed(text, dashes..end, SealKind::Key)
}

/// The password in `scheme://user:password@host`.
fn authority(text: &str, at: usize) -> Option<(Range<usize>, SealKind)> {
    let rest = text.get(at..)?;
    let end = rest.find(['/', '?', '#', ' ', '"', '\'', '<', '>', '\\']).unwrap_or(rest.len());
    let (person, _) = rest.get(..end)?.rsplit_once('@')?;
    let (user, password) = person.split_once(':')?;
    let start = at + user.len() + 1;
    narrowed(text, start..start + password.len(), SealKind::Password)
}

/// The values of cookies that carry a session.
fn cookies(value: &str, first_only: bool) -> Vec<(Range<usize>, SealKind)> {
    let mut found = Vec::new();
    let mut at = 0;
    for pair in value.split(';').take(if first_only { 1 } else { usize::MAX }) {
        if let Some((name, _)) = pair.split_once('=') {
            let lower = name.to_ascii_lowercase();
            if COOKIES.iter().any(|part| lower.contains(part)) {
                found.extend(narrowed(value, at + name.len() + 1..at + pair.len(), SealKind::Token));
            }
        }
        at += pair.len() + 1;
    }
    found
}

fn emails(text: &str) -> Vec<(Range<usize>, SealKind)> {
    let in_name = |ch: char| ch.is_alphanumeric() || matches!(ch, '.' | '_' | '+' | '-');
    let mut found = Vec::new();
    for sign in ["@", "%40"] {
        for (at, _) in text.match_indices(sign) {
            let before = text.get(..at).unwrap_or_default();
            let start = before.trim_end_matches(in_name).len();
            let after = text.get(at + sign.len()..).unwrap_or_default();
            let host = after.len()
                - after
                    .trim_start_matches(|ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '.' | '-'))
                    .len();
            let host = after.get(..host).unwrap_or_default().trim_end_matches(['.', '-']);
            let top = host.rsplit_once('.').map_or("", |(_, top)| top);
            if start < at && top.len() >= 2 && top.bytes().all(|byte| byte.is_ascii_alphabetic()) {
                found.push((start..at + sign.len() + host.len(), SealKind::Email));
            }
        }
    }
    found
}
