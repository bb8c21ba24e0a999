//! Which parts of an event are looked at, and how each is encoded.

mod body;
mod feed;
pub(crate) mod markup;
mod xml;

use std::borrow::Cow;
use std::collections::VecDeque;

use watchpost_model::event::{Event, Http};

use crate::decode::Encoding;

/// Values of one place of an event (the query, the cookies, the body, ...) that are looked at whatever they are.
pub(crate) const VALUES_MAX: usize = 2_048;
/// Beyond them, those that are looked at because there is more in them than a short word or number; of headers, whose
/// lines are short, a part of both.
const MARKED_MAX: usize = 4_096;
const HEADER_PART: usize = 4;
/// And beyond those, the last ones.
const LAST_MAX: usize = 128;
/// Longest plain word or number in which nothing is looked for beyond [`VALUES_MAX`].
const PLAIN_BYTES_MAX: usize = 32;
/// How much of a body is looked at: its short values first, each in whole, and then what is left of this of the long ones.
const BODY_BYTES_MAX: usize = 192 * 1024;
/// How much of the long values of a body is looked at even where the short ones took all.
const LONG_BYTES_MIN: usize = 64 * 1024;
/// Values up to this length are short: a prose of this length hides little.
const SHORT_BYTES_MAX: usize = 4 * 1024;
/// Most bytes of short values of one body that are looked at.
const SHORT_BYTES_TOTAL_MAX: usize = 512 * 1024;
/// How much of a long text's head and tail is looked at.
const BODY_HEAD_BYTES: usize = 96 * 1024;
const BODY_TAIL_BYTES: usize = 64 * 1024;

/// Headers that applications log, parse or pass on.
const HEADERS: &[(&str, Role)] = &[
    ("user-agent", Role::UserAgent),
    ("referer", Role::Url),
    ("cookie", Role::Cookie),
    ("x-forwarded-for", Role::Value),
    ("x-forwarded-host", Role::Value),
    ("x-forwarded-proto", Role::Value),
    ("x-original-url", Role::Url),
    ("x-rewrite-url", Role::Url),
    ("x-api-version", Role::Value),
    ("x-filename", Role::Value),
    ("content-type", Role::Value),
    ("host", Role::Value),
    ("accept-language", Role::Value),
    ("from", Role::Value),
    ("authorization", Role::Value),
    ("proxy-authorization", Role::Value),
    ("transfer-encoding", Role::Value),
    ("content-length", Role::Value),
    ("x-host", Role::Value),
    ("x-http-host-override", Role::Value),
    ("x-forwarded-server", Role::Value),
    ("origin", Role::Value),
    ("forwarded", Role::Value),
];

/// Headers whose grammar has names of methods and marks of their own, and that nobody logs.
const PLAIN_HEADERS: &[&str] = &["if-none-match", "if-match", "etag", "accept-encoding", "te"];

/// Does a header that is not in [`HEADERS`] have something in it that no ordinary value has?
fn is_odd_header(value: &str) -> bool {
    value.bytes().any(|byte| {
        matches!(
            byte,
            b'$' | b'<' | b'\'' | b'{' | b'%' | b'\\' | b'`' | b'\r' | b'\n' | b';' | b'|' | b'&' | b'('
        )
    }) || ["eyJ", "rO0", "://", "../", "/etc/", "middleware"].iter().any(|mark| value.contains(mark))
        // `2 and 3=3`, `1 union select 2`: more than a word, and something of a statement.
        || value.contains(' ') && (value.contains('=') || has_statement(value))
        // What a browser says of a request that another site made it send.
        || value == "cross-site"
}

/// Has `value` a word of SQL that no ordinary header has?
fn has_statement(value: &str) -> bool {
    value.split(' ').any(|word| word.eq_ignore_ascii_case("select") || word.eq_ignore_ascii_case("union"))
}

/// Quoted tags and names of methods with their weights.
fn is_plain_header(value: &str) -> bool {
    value.bytes().all(|byte| {
        byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'"' | b'/' | b'-' | b'_' | b'.' | b';' | b',' | b' ' | b'=' | b':' | b'*' | b'+'
            )
    }) && !value.contains("..")
        && !value.contains("/etc/")
}

/// What a value is; some rules look at one kind only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The request path.
    Path,
    /// A parameter name or value, a body text, a free string.
    Value,
    /// The user agent.
    UserAgent,
    /// A URL in a header: its query is looked at like a query.
    Url,
    /// `name=value; name=value`.
    Cookie,
    /// A file of a multipart body, its head included.
    Part,
    /// What the application answered.
    Answer,
    /// The event's type.
    Kind,
}

impl Role {
    pub(crate) const ALL: [Self; 8] = [
        Self::Path,
        Self::Value,
        Self::UserAgent,
        Self::Url,
        Self::Cookie,
        Self::Part,
        Self::Answer,
        Self::Kind,
    ];
    pub(crate) const COUNT: usize = Self::ALL.len();

    /// Is it something that the rules for values read? The rest is for checks that ask for it.
    pub(crate) const fn is_request(self) -> bool {
        !matches!(self, Self::Part | Self::Answer | Self::Kind)
    }
}

/// One value to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    /// `http.path`, `http.query`, `http.body`, `http.headers`, `resource`, `action`, `details`.
    pub(crate) base: &'static str,
    /// The parameter, header or member, where there is one.
    pub(crate) key: Option<Cow<'a, str>>,
    pub(crate) value: &'a str,
    pub(crate) encoding: Encoding,
    pub(crate) role: Role,
}

impl Field<'_> {
    /// Is it put together of values that are looked at by themselves as well?
    pub(crate) const fn is_list(&self) -> bool {
        matches!(self.encoding, Encoding::Commas | Encoding::Blanks)
    }

    /// `http.query.q`; keys are shortened to 64 characters.
    pub(crate) fn name(&self) -> String {
        match &self.key {
            Some(key) if !key.is_empty() => {
                format!("{}.{}", self.base, key.chars().take(64).collect::<String>())
            }
            _ => self.base.to_owned(),
        }
    }
}

/// What was collected of one place.
#[derive(Debug)]
struct Taken<'a> {
    base: &'static str,
    n: usize,
    /// The last ones beyond what is looked at.
    last: VecDeque<Field<'a>>,
}

/// Collects fields and counts what it has no room for.
#[derive(Debug, Default)]
pub(crate) struct Fields<'a> {
    /// A place each.
    taken: Vec<Taken<'a>>,
    pub(crate) all: Vec<Field<'a>>,
    /// Values that were not looked at, or not in whole.
    pub(crate) n_dropped: u64,
    /// Long values of a body, which wait until the short ones have been taken.
    long: Vec<Field<'a>>,
    /// Bytes of the body's short values.
    n_short_bytes: usize,
}

impl<'a> Fields<'a> {
    /// One value by itself.
    pub(crate) fn of(field: Field<'a>) -> Self {
        Self { all: vec![field], ..Self::default() }
    }

    fn add(
        &mut self,
        base: &'static str,
        key: Option<&'a str>,
        value: &'a str,
        encoding: Encoding,
        role: Role,
    ) {
        // Shorter than any attack.
        if value.len() < 2 {
            return;
        }
        let field = Field { base, key: key.map(Cow::Borrowed), value, encoding, role };
        if base == "http.body" {
            if value.len() > SHORT_BYTES_MAX {
                if self.long.len() < VALUES_MAX {
                    self.long.push(field);
                } else {
                    self.n_dropped += 1;
                }
                return;
            }
            self.n_short_bytes += value.len();
            if self.n_short_bytes > SHORT_BYTES_TOTAL_MAX {
                self.n_dropped += 1;
                return;
            }
        }
        self.push(field);
    }

    fn push(&mut self, field: Field<'a>) {
        for value in ends(field.value, BODY_HEAD_BYTES, BODY_TAIL_BYTES) {
            self.push_part(Field { value, ..field.clone() });
        }
        self.n_dropped += u64::from(field.value.len() > BODY_HEAD_BYTES);
    }

    fn push_part(&mut self, field: Field<'a>) {
        let base = field.base;
        let at = self.taken.iter().position(|taken| taken.base == base).unwrap_or_else(|| {
            self.taken.push(Taken { base, n: 0, last: VecDeque::new() });
            self.taken.len() - 1
        });
        let taken = &mut self.taken[at];
        let part = if base.starts_with("http.headers") { HEADER_PART } else { 1 };
        if taken.n >= VALUES_MAX / part && is_plain(field.value) {
            return;
        }
        taken.n += 1;
        if taken.n <= (VALUES_MAX + MARKED_MAX) / part {
            self.all.push(field);
            return;
        }
        taken.last.push_back(field);
        if taken.last.len() > LAST_MAX {
            taken.last.pop_front();
            self.n_dropped += 1;
        }
    }

    /// The last values of places that had too many.
    fn take_last(&mut self) {
        for taken in &mut self.taken {
            self.all.extend(taken.last.drain(..));
        }
    }

    /// The long values of a body: the shorter ones first, each from both ends where not all of it may be looked at.
    fn take_long(&mut self) {
        let mut long = std::mem::take(&mut self.long);
        let mut left = BODY_BYTES_MAX.saturating_sub(self.n_short_bytes).max(LONG_BYTES_MIN);
        long.sort_by_key(|field| field.value.len());
        let mut n_left = long.len();
        for field in long {
            // What the shorter ones leave is for the longer ones.
            let share = left / n_left.max(1);
            n_left -= 1;
            if field.value.len() <= share {
                left -= field.value.len();
                self.push_part(field);
                continue;
            }
            self.n_dropped += 1;
            let tail = share * 2 / 5;
            left -= share;
            if share < 1_024 {
                continue;
            }
            for value in ends(field.value, share, tail) {
                self.push_part(Field { value, ..field.clone() });
            }
        }
        self.n_short_bytes = 0;
    }

    fn add_header(&mut self, name: &'static str, role: Role, value: &'a str) {
        match role {
            Role::Cookie => {
                for pair in value.split(';') {
                    let (name, value) = pair.split_once('=').unwrap_or(("", pair));
                    self.add(
                        "http.headers.cookie",
                        Some(name.trim()),
                        value.trim(),
                        Encoding::Form,
                        Role::Value,
                    );
                    if !is_plain_name(name.trim()) {
                        self.add("http.headers.cookie", None, name.trim(), Encoding::Form, Role::Value);
                    }
                }
                if value.contains(['<', '(', '\'', '"']) {
                    self.add("http.headers.cookie", None, value, Encoding::Form, Role::Value);
                }
            }
            Role::Url => {
                let (path, query) = value.split_once('?').unwrap_or((value, ""));
                self.add("http.headers", Some(name), path, Encoding::Path, Role::Url);
                let query = query.split('#').next().unwrap_or("");
                if !query.is_empty() {
                    self.add_form("http.headers.referer", query);
                }
            }
            _ => {
                self.add("http.headers", Some(name), value, Encoding::Plain, role);
                // What a login or a token carries is encoded as a whole; the scheme before it is not.
                if name.ends_with("authorization")
                    && let Some((scheme, rest)) = value.split_once(' ')
                {
                    if scheme.eq_ignore_ascii_case("basic") {
                        self.add(
                            "http.headers",
                            Some("authorization.basic"),
                            rest.trim(),
                            Encoding::Plain,
                            Role::Value,
                        );
                    } else if let Some(payload) = rest.split('.').nth(1) {
                        self.add(
                            "http.headers",
                            Some("authorization.payload"),
                            payload,
                            Encoding::Plain,
                            Role::Value,
                        );
                    }
                }
            }
        }
    }

    /// The parts of a path between slashes that have a mark in them: where routes have parameters, they are values.
    fn add_segments(&mut self, path: &'a str) {
        // What has no slash is a part of nothing.
        for segment in path.split('/').filter(|segment| segment.len() < path.len() && has_mark(segment)) {
            self.add("http.path", None, segment, Encoding::Form, Role::Value);
        }
    }

    fn add_http(&mut self, http: &'a Http) {
        self.add("http.path", None, &http.path, Encoding::Path, Role::Path);
        self.add_segments(&http.path);
        if let Some(query) = &http.query {
            self.add_form("http.query", query);
        }
        if !is_word(&http.method) {
            self.add("http.method", None, &http.method, Encoding::Plain, Role::Value);
        }
        for &(name, role) in HEADERS {
            if let Some(value) = http.headers.get(name) {
                self.add_header(name, role, value);
            }
        }
        for name in http.headers.keys().filter(|name| !is_plain_name(name)) {
            self.add("http.headers", None, name, Encoding::Plain, Role::Value);
        }
        for (name, value) in &http.headers {
            if HEADERS.iter().all(|(known, _)| known != name)
                && is_odd_header(value)
                && !(PLAIN_HEADERS.contains(&name.as_str()) && is_plain_header(value))
            {
                self.add("http.headers", Some(name), value, Encoding::Plain, Role::Value);
            }
        }
        self.add_answer(http);
        if let Some(body) = &http.body {
            self.add_body(body, http.headers.get("content-type").map_or("", String::as_str));
            self.take_long();
        }
    }

    fn add_answer(&mut self, http: &'a Http) {
        for (name, value) in &http.response_headers {
            self.add("http.response_headers", Some(name), value, Encoding::Plain, Role::Answer);
        }
        if let Some(body) = &http.response_body {
            let (head, tail) = (BODY_HEAD_BYTES + BODY_TAIL_BYTES, BODY_TAIL_BYTES);
            self.n_dropped += u64::from(body.len() > BODY_BYTES_MAX);
            let whole_max = if body.len() > BODY_BYTES_MAX { head } else { BODY_BYTES_MAX };
            for text in ends(body, whole_max, tail) {
                self.add("http.response_body", None, text, Encoding::Plain, Role::Answer);
            }
        }
    }

    fn add_details(&mut self, key: Option<&'a str>, value: &'a serde_json::Value, depth: u8) {
        match value {
            serde_json::Value::String(text) => self.add("details", key, text, Encoding::Plain, Role::Value),
            serde_json::Value::Array(values) if depth < 16 => {
                values.iter().for_each(|value| self.add_details(key, value, depth + 1));
            }
            serde_json::Value::Object(members) if depth < 16 => {
                members.iter().for_each(|(key, value)| self.add_details(Some(key), value, depth + 1));
            }
            _ => {}
        }
    }
}

/// Everything of an event that an attacker may have written.
pub(crate) fn fields(event: &Event) -> Fields<'_> {
    let mut fields = Fields::default();
    if let Some(http) = &event.http {
        fields.add_http(http);
    } else if let Some(resource) = &event.resource {
        fields.add("resource", None, resource, Encoding::Path, Role::Value);
    }
    fields.add("type", None, &event.kind, Encoding::Plain, Role::Kind);
    if let Some(action) = &event.action {
        fields.add("action", None, action, Encoding::Plain, Role::Value);
    }
    // A form of login is reported by what was typed into it.
    if let Some(actor) = &event.actor {
        fields.add("actor", None, actor, Encoding::Plain, Role::Value);
    }
    if let Some(session) = &event.session {
        fields.add("session", None, session, Encoding::Plain, Role::Value);
    }
    fields.add_details(None, &event.details, 0);
    fields.take_last();
    fields
}

/// Has a part of a path a quote, a bracket or another mark of some grammar in it, plain or percent-encoded?
fn has_mark(segment: &str) -> bool {
    let is_mark = |byte: u8| {
        matches!(byte, b'\'' | b'"' | b'(' | b')' | b'<' | b'>' | b';' | b'{' | b'}' | b'$' | b'|' | b'`')
    };
    let bytes = segment.as_bytes();
    bytes.iter().any(|&byte| is_mark(byte))
        || bytes.windows(3).any(|three| {
            let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            // A percent sign that is encoded hides another one.
            three[0] == b'%'
                && matches!((digit(three[1]), digit(three[2])), (Some(high), Some(low))
                    if is_mark(high << 4 | low) || high << 4 | low == b'%')
        })
}

/// A short word or number: nothing stands in it that any grammar knows.
fn is_plain(value: &str) -> bool {
    value.len() <= PLAIN_BYTES_MAX
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
        && !value.contains("..")
}

fn is_word(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'[' | b']'))
}

/// The value of a parameter in the head of a multipart part; `name=` is not the end of `filename=`.
fn parameter<'a>(head: &'a str, wanted: &str) -> Option<&'a str> {
    let (at, _) = head
        .match_indices(wanted)
        .find(|(at, _)| !head[..*at].ends_with(|ch: char| ch.is_ascii_alphanumeric()))?;
    let value = &head[at + wanted.len()..];
    Some(match value.strip_prefix('"') {
        Some(quoted) => quoted.split(['"', '\r', '\n']).next().unwrap_or(""),
        None => value.split([';', '\r', '\n']).next().unwrap_or(""),
    })
}

/// A plain word that is not itself an attack on what reads names.
fn is_plain_name(name: &str) -> bool {
    is_word(name)
        && !name
            .as_bytes()
            .windows(4)
            .any(|four| matches!(four, b"__pr" | b"roto" | b"rO0A" | b"ztAA" | b"s7QA" | b"_FUN"))
}

fn looks_like_form(text: &str) -> bool {
    text.split_once('=').is_some_and(|(name, _)| !name.is_empty() && name.split('.').all(is_word))
}

fn floor_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

/// The text, or its head and tail if it is longer than `whole_max` (with an overlap-free middle left out).
fn ends(text: &str, whole_max: usize, tail: usize) -> impl Iterator<Item = &str> {
    let head = whole_max - tail;
    let parts = if text.len() <= whole_max {
        [Some(text), None]
    } else {
        let tail_at = floor_boundary(text, text.len() - tail);
        [Some(&text[..floor_boundary(text, head)]), Some(&text[tail_at..])]
    };
    parts.into_iter().flatten()
}

#[cfg(test)]
mod tests;
