//! People in what is kept: who is meant, where a text names them, what an erasure left behind.
//!
//! Pure: texts in, answers out. A name counts where it stands by itself: `anna` is not in `joanna`, `anna.smith` or
//! `anna@example.org`, and `203.0.113.7` not in `203.0.113.71`.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use ts_rs::TS;

use crate::words;

mod own_words;

/// What a person is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    /// The name of an account.
    User,
    /// An address.
    Ip,
}

words!(SubjectKind { User = "user", Ip = "ip" });

/// Fewer characters cannot be told from words.
const CHARS_MIN: usize = 3;
const CHARS_MAX: usize = 256;
/// JSON inside of JSON is looked into so deep.
const DEPTH: usize = 4;
/// Rounds of the mark: what trying one name costs whoever guesses.
const ROUNDS: u32 = 2_000;

/// Somebody, by one name. Give each name of a person by itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
pub struct Subject {
    /// Kind of the name.
    pub kind: SubjectKind,
    /// The name: as it was given, or the one spelling of an address.
    pub value: String,
}

impl Subject {
    /// Somebody by a name; why not, if it cannot be one. The message does not repeat the name.
    ///
    /// # Errors
    /// What is wrong with it: too short or long, control characters, no address, one of the product's own words.
    pub fn new(kind: SubjectKind, text: &str) -> Result<Self, String> {
        let text = text.trim();
        match kind {
            SubjectKind::Ip => {
                let address: IpAddr = text.parse().map_err(|_| "this is no IP address".to_owned())?;
                Ok(Self { kind, value: address.to_canonical().to_string() })
            }
            SubjectKind::User => {
                let n = text.chars().count();
                if n < CHARS_MIN {
                    return Err(format!(
                        "a name of fewer than {CHARS_MIN} characters cannot be told from other words"
                    ));
                }
                if n > CHARS_MAX {
                    return Err(format!("a name has at most {CHARS_MAX} characters"));
                }
                if text.chars().any(char::is_control) {
                    return Err("a name has no control characters".to_owned());
                }
                if !text.chars().any(char::is_alphanumeric) {
                    return Err("a name has letters or digits".to_owned());
                }
                if own_words::is_own(&text.to_lowercase()) {
                    return Err(
                        "this is a word that Watchpost uses itself: it would be found where nobody is meant"
                            .to_owned(),
                    );
                }
                Ok(Self { kind, value: text.to_owned() })
            }
        }
    }

    /// Is `text` this name and nothing else?
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        match self.kind {
            SubjectKind::User => text.trim().to_lowercase() == self.value.to_lowercase(),
            SubjectKind::Ip => crate::event::canonical_address(text) == self.value,
        }
    }

    /// Does `text` name it? JSON is looked into; the names of its members are not looked at where they are plain words.
    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        self.replaced(text, "").is_some()
    }

    /// `text` with `by` in place of the name; `None` if it does not name it.
    #[must_use]
    pub fn replaced(&self, text: &str, by: &str) -> Option<String> {
        self.replaced_in(text, by, DEPTH)
    }

    fn replaced_in(&self, text: &str, by: &str, depth: usize) -> Option<String> {
        let is_json = depth > 0
            && text.trim_start().starts_with(['{', '[', '"'])
            && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
        if !is_json {
            return self.in_words(text, by);
        }
        // A name may look like JSON itself.
        if self.is(text) {
            return Some(by.to_owned());
        }
        let inside = self.in_json(text, by, depth - 1);
        if depth == DEPTH { inside } else { inside.or_else(|| self.in_words(text, by)) }
    }

    /// Each string of a JSON text by itself; everything between them stays to the byte.
    fn in_json(&self, text: &str, by: &str, depth: usize) -> Option<String> {
        let bytes = text.as_bytes();
        let (mut out, mut done, mut at) = (String::new(), 0, 0);
        while at < bytes.len() {
            if bytes[at] != b'"' {
                at += 1;
                continue;
            }
            let start = at;
            at += 1;
            while at < bytes.len() && bytes[at] != b'"' {
                at += if bytes[at] == b'\\' { 2 } else { 1 };
            }
            at = (at + 1).min(bytes.len());
            let literal = text.get(start..at)?;
            let is_member = bytes[at..].iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':');
            let Ok(inner) = serde_json::from_str::<String>(literal) else { continue };
            if is_member && inner.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
                continue;
            }
            if let Some(new) = self.replaced_in(&inner, by, depth) {
                out.push_str(&text[done..start]);
                out.push_str(&serde_json::Value::from(new).to_string());
                done = at;
            }
        }
        (done > 0).then(|| {
            out.push_str(&text[done..]);
            out
        })
    }

    fn in_words(&self, text: &str, by: &str) -> Option<String> {
        let needle: Vec<char> = self.value.chars().flat_map(char::to_lowercase).collect();
        let (mut out, mut done) = (String::new(), 0);
        let mut found = false;
        let mut from = 0;
        while let Some((start, end)) = next_match(text, from, &needle) {
            if start >= done && self.stands_alone(&text[..start], &text[end..]) {
                out.push_str(&text[done..start]);
                out.push_str(by);
                done = end;
                found = true;
                from = end;
            } else {
                from = start + text[start..].chars().next().map_or(1, char::len_utf8);
            }
        }
        found.then(|| {
            out.push_str(&text[done..]);
            out
        })
    }

    /// Does what lies between these two stand by itself?
    fn stands_alone(&self, before: &str, after: &str) -> bool {
        let (mut left, mut right) = (before.chars().rev(), after.chars());
        let (l, l2) = (left.next(), left.next());
        let (r, r2) = (right.next(), right.next());
        match self.kind {
            SubjectKind::User => !part_of_name(l, l2) && !part_of_name(r, r2),
            SubjectKind::Ip if self.value.contains(':') => {
                let group = before.strip_suffix(':').map(|rest| {
                    let n = rest.len() - rest.trim_end_matches(|ch: char| ch.is_ascii_alphanumeric()).len();
                    &rest[rest.len() - n..]
                });
                let longer = group.is_some_and(|group| {
                    before.ends_with("::")
                        || (1..=4).contains(&group.len()) && group.bytes().all(|b| b.is_ascii_hexdigit())
                });
                let goes_on = r == Some(':') && r2.is_some_and(|ch| ch.is_ascii_hexdigit() || ch == ':');
                !longer
                    && !l.is_some_and(char::is_alphanumeric)
                    && !r.is_some_and(char::is_alphanumeric)
                    && !goes_on
            }
            SubjectKind::Ip => {
                let digit = |ch: Option<char>| ch.is_some_and(|ch| ch.is_ascii_digit());
                let dot = |ch: Option<char>, next| ch == Some('.') && digit(next);
                !digit(l) && !dot(l, l2) && !digit(r) && !dot(r, r2)
            }
        }
    }

    /// The name as bytes may hold it: as it is and in lower case, as JSON writes it, an address also as its 16 bytes.
    #[must_use]
    pub fn forms(&self) -> Vec<Vec<u8>> {
        let mut forms = Vec::new();
        for text in [self.value.clone(), self.value.to_lowercase()] {
            let json = serde_json::Value::from(text.as_str()).to_string();
            forms.push(json.as_bytes()[1..json.len() - 1].to_vec());
            forms.push(text.into_bytes());
        }
        forms.extend(self.key().map(|key| key.to_vec()));
        forms.sort();
        forms.dedup();
        forms
    }

    /// An address as 16 bytes.
    #[must_use]
    pub fn key(&self) -> Option<[u8; 16]> {
        if self.kind != SubjectKind::Ip {
            return None;
        }
        Some(match self.value.parse().ok()? {
            IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
            IpAddr::V6(v6) => v6.octets(),
        })
    }

    /// Tells this name again without keeping it: for erasing it in an old copy of the same log. Whoever has the mark and
    /// guesses the name can confirm it, at some cost for each guess.
    #[must_use]
    pub fn mark(&self, log: &str) -> String {
        let text = self.value.to_lowercase();
        let mut hash = Sha256::new()
            .chain_update(b"watchpost/erased")
            .chain_update(log.as_bytes())
            .chain_update([0])
            .chain_update(self.kind.as_str())
            .chain_update([0])
            .chain_update(text.as_bytes())
            .finalize();
        for _ in 0..ROUNDS {
            hash = Sha256::new().chain_update(hash).chain_update(log.as_bytes()).finalize();
        }
        hash.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
    }
}

/// Is `next` to a name a part of a longer one? Marks join only where more follows them.
fn part_of_name(next: Option<char>, further: Option<char>) -> bool {
    match next {
        Some(ch) if ch.is_alphanumeric() || ch == '_' => true,
        Some('.' | '-' | '@' | '+') => further.is_some_and(char::is_alphanumeric),
        _ => false,
    }
}

/// The first place from byte `from` on where `needle` (lower case) stands in any case.
fn next_match(text: &str, from: usize, needle: &[char]) -> Option<(usize, usize)> {
    let first = *needle.first()?;
    for (offset, ch) in text[from..].char_indices() {
        if ch.to_lowercase().next() != Some(first) {
            continue;
        }
        let start = from + offset;
        let mut wanted = needle.iter();
        let mut rest = text[start..].char_indices();
        let end = loop {
            if wanted.as_slice().is_empty() {
                break Some(rest.next().map_or(text.len(), |(at, _)| start + at));
            }
            let Some((_, ch)) = rest.next() else { break None };
            if !ch.to_lowercase().all(|lower| wanted.next() == Some(&lower)) {
                break None;
            }
        };
        if let Some(end) = end {
            return Some((start, end));
        }
    }
    None
}

/// Nobody erases what a court, an authority or a claim needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct LegalHold {
    /// Its id.
    pub id: String,
    /// About whom.
    pub subject: Subject,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// When it was placed.
    pub placed_at: DateTime<Utc>,
    /// By whom.
    pub placed_by: String,
    /// When it was released; in force if absent.
    pub released_at: Option<DateTime<Utc>>,
    /// By whom.
    pub released_by: Option<String>,
    /// Why.
    pub release_reason: Option<String>,
}

/// How many of something were erased or changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ErasedCount {
    /// What: a table of the database, or `trail`, `redis`.
    pub what: String,
    /// Rows that are gone.
    #[ts(type = "number")]
    pub removed: u64,
    /// Rows in which the name was replaced.
    #[ts(type = "number")]
    pub changed: u64,
}

/// An erasure that was done. It does not say whom it was about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Erasure {
    /// Its id.
    pub id: String,
    /// When.
    pub at: DateTime<Utc>,
    /// By whom.
    pub by: String,
    /// Kind of the name.
    pub kind: SubjectKind,
    /// What stands where the name stood.
    pub pseudonym: String,
    /// Number of its record in the trail.
    pub record: i64,
    /// What was erased.
    pub counts: Vec<ErasedCount>,
}

/// What a look at one place found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ResidueState {
    /// The name is not there.
    Clean,
    /// Its letters are there, as far as can be told as a part of other words only.
    Unclear,
    /// It could not be looked at.
    OutOfReach,
    /// A copy that the trail names is there, and this account could not read it; or a key of an event in Redis cannot be read.
    Unread,
    /// The name is there.
    Found,
}

words!(ResidueState {
    Clean = "clean",
    Unclear = "unclear",
    OutOfReach = "out_of_reach",
    Unread = "unread",
    Found = "found",
});

/// One place that was looked at for a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Residue {
    /// Where: a table and column, a file, a server.
    pub place: String,
    /// What was found.
    pub state: ResidueState,
    /// Rows, or places in a file.
    #[ts(type = "number")]
    pub n: u64,
    /// What it means, and what to do, for people.
    pub detail: String,
}

impl Residue {
    /// What a look at `place` found.
    #[must_use]
    pub fn new(place: impl Into<String>, state: ResidueState, n: u64, detail: impl Into<String>) -> Self {
        Self { place: place.into(), state, n, detail: detail.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::{Subject, SubjectKind};

    fn user(name: &str) -> Subject {
        Subject::new(SubjectKind::User, name).expect("a name")
    }

    fn ip(address: &str) -> Subject {
        Subject::new(SubjectKind::Ip, address).expect("an address")
    }

    #[test]
    fn a_name_counts_where_it_stands_by_itself() {
        for (text, expect) in [
            ("anna", "X"),
            ("Anna logged in", "X logged in"),
            ("judged by ANNA.", "judged by X."),
            ("user:anna", "user:X"),
            ("account/anna and anna/anna", "account/X and X/X"),
            ("(anna) \"anna\" anna-", "(X) \"X\" X-"),
            ("anna\nanna", "X\nX"),
        ] {
            assert_eq!(user("anna").replaced(text, "X").as_deref(), Some(expect), "{text:?}");
        }
        for text in [
            "joanna",
            "annabel",
            "anna.smith",
            "anna@example.org",
            "x@anna",
            "anna_1",
            "anna-lena",
            "ann a",
            "",
            "an",
        ] {
            assert_eq!(user("anna").replaced(text, "X"), None, "{text:?}");
        }
        assert_eq!(
            user("ÄNNE").replaced("von änne!", "X").as_deref(),
            Some("von X!"),
            "any alphabet, any case"
        );
        assert_eq!(
            user("İpek").replaced("x İpek", "X").as_deref(),
            Some("x X"),
            "a letter that two make when small"
        );
        assert_eq!(user("anna.smith@x.org").replaced("<anna.smith@x.org>", "X").as_deref(), Some("<X>"));
    }

    #[test]
    fn an_address_counts_where_it_is_the_whole_address() {
        for text in
            ["203.0.113.7", "ip:203.0.113.7:443", "::ffff:203.0.113.7", "from 203.0.113.7.", "203.0.113.7/32"]
        {
            assert!(ip("203.0.113.7").is_in(text), "{text:?}");
        }
        for text in ["203.0.113.71", "1203.0.113.7", "203.0.113.7.5", "9.203.0.113.7"] {
            assert!(!ip("203.0.113.7").is_in(text), "{text:?}");
        }
        assert_eq!(ip("::ffff:203.0.113.7"), ip("203.0.113.7"), "one spelling");
        let six = ip("2001:DB8::1");
        for text in ["2001:db8::1", "source:2001:db8::1", "[2001:DB8::1]:80", "2001:db8::1, x"] {
            assert!(six.is_in(text), "{text:?}");
        }
        for text in ["2001:db8::12", "2001:db8::1:5", "1:2001:db8::1", "12001:db8::1"] {
            assert!(!six.is_in(text), "{text:?}");
        }
    }

    #[test]
    fn json_is_looked_into_and_stays_json() {
        let anna = user("anna");
        let inner = serde_json::json!({"who": "anna"}).to_string();
        let body = serde_json::json!({"a": "line\nanna", "anna": 1.50, "n": 9_007_199_254_740_993_u64,
            "deep": [{"user:anna": "joanna"}, inner], "q": "say \"anna\""})
        .to_string();
        let new = anna.replaced(&body, "erased-1").expect("it is named");
        let value: serde_json::Value = serde_json::from_str(&new).expect("it is JSON still");
        assert_eq!(value["a"], "line\nerased-1");
        assert_eq!(value["anna"], 1.5, "a plain member is a name of the format");
        assert_eq!(value["n"], 9_007_199_254_740_993_u64, "numbers stay to the digit");
        assert_eq!(value["deep"][0]["user:erased-1"], "joanna");
        assert_eq!(value["deep"][1], "{\"who\":\"erased-1\"}", "JSON inside of JSON");
        assert_eq!(value["q"], "say \"erased-1\"");
        assert!(!anna.is_in(&new), "nothing is left");
        assert!(!anna.is_in("{\"a\": \"joanna\", \"anna\": true}"));
        assert!(anna.is_in("{\"a\": anna"), "what is no JSON is a text");
        let odd = user("{\"a\":1}");
        assert!(
            odd.is_in("{\"a\":1}") && odd.is_in("{\"who\":\"{\\\"a\\\":1}\"}"),
            "a name that looks like JSON"
        );
    }

    #[test]
    fn words_of_the_product_and_nonsense_are_refused() {
        for text in ["", "  ", "ab", "admin", "High", "login\u{7}x", "...", "success", &"x".repeat(257)] {
            assert!(Subject::new(SubjectKind::User, text).is_err(), "{text:?}");
        }
        for text in ["", "anna", "203.0.113.0/24", "203.0.113.7:80"] {
            assert!(Subject::new(SubjectKind::Ip, text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_mark_tells_a_name_again_in_its_log_only() {
        assert_eq!(user("Anna").mark("log"), user("anna").mark("log"));
        assert_ne!(user("anna").mark("log"), user("anna").mark("other"));
        assert_ne!(user("anna").mark("log"), user("annb").mark("log"));
    }
}
