//! Queries and bodies taken apart into their values: forms, JSON, multipart, XML.

use std::borrow::Cow;
use std::collections::HashMap;

use super::{
    Fields, Role, feed, floor_boundary, is_plain, is_plain_name, is_word, looks_like_form, markup, parameter,
    xml,
};
use crate::decode::Encoding;

/// Most pairs of a form in which names are looked for that are given several times.
const PAIRS_MAX: usize = 4_096;
/// Longest stretch of a form, from the first to the last value of a name, that is put together.
const LIST_BYTES_MAX: usize = 16 << 10;
/// Names of a form whose values may be put together.
const LISTS_MAX: usize = 16;
/// What stands in a list that is put together: one without any of them is no statement.
const STATEMENTS: [&str; 12] = [
    "select",
    "union",
    "exec",
    "sleep",
    "waitfor",
    "benchmark",
    "insert",
    "delete",
    "drop",
    "having",
    "extractvalue",
    "updatexml",
];

/// The values of one name of a form.
struct List<'a> {
    name: &'a str,
    /// From the first value to the end of the last one.
    from: usize,
    end: usize,
    n: usize,
    /// Is one of them more than a word or number?
    is_odd: bool,
}

impl<'a> Fields<'a> {
    /// `a=1&b=2`; names with anything but a plain word in them are looked at too.
    pub(super) fn add_form(&mut self, base: &'static str, text: &'a str) {
        for pair in text.split('&') {
            let (name, value) = match pair.split_once('=') {
                Some((name, value)) => (Some(name), value),
                None => (None, pair),
            };
            self.add(base, name, value, Encoding::Form, Role::Value);
            // A pair that was encoded as a whole: `q%3Dvalue`.
            if name.is_none()
                && let Some((name, value)) = pair.split_once("%3D").or_else(|| pair.split_once("%3d"))
                && is_word(name)
            {
                self.add(base, Some(name), value, Encoding::Form, Role::Value);
            }
            if let Some(name) = name
                && !is_plain_name(name)
            {
                self.add(base, None, name, Encoding::Form, Role::Value);
                // An attack with an equals sign in it, without a name: `?1'or'1'='1`.
                if name.contains(['%', '\'', '"', '(', '<', '+', ' ']) {
                    self.add(base, None, pair, Encoding::Form, Role::Value);
                }
            }
        }
        self.add_joined(base, text);
        self.add_lists(base, text);
        // An ampersand inside an unencoded attack splits it.
        if text.contains("&&") || text.contains("&#") {
            self.add(base, None, text, Encoding::Form, Role::Value);
        }
    }

    /// The values of a name that is given several times, from one that opens a comment to one that closes it: an
    /// application that joins them reads one value, with what stands between them in the comment.
    fn add_joined(&mut self, base: &'static str, text: &'a str) {
        const OPENS: [&str; 4] = ["/*", "/%2a", "%2f*", "%2f%2a"];
        const CLOSES: [&str; 4] = ["*/", "*%2f", "%2a/", "%2a%2f"];
        if !["*", "%2a", "%2A"].iter().any(|star| text.contains(star)) {
            return;
        }
        let has = |value: &str, marks: &[&str]| {
            let lower = value.to_ascii_lowercase();
            marks.iter().any(|mark| lower.contains(mark))
        };
        let (mut at, mut open, mut end) = (0, None, None);
        for pair in text.split('&') {
            let start = at;
            at += pair.len() + 1;
            let Some((name, value)) = pair.split_once('=') else { continue };
            match open {
                None if has(value, &OPENS) => open = Some((name, start + name.len() + 1)),
                Some((known, _)) if known == name && has(value, &CLOSES) => end = Some(start + pair.len()),
                _ => {}
            }
        }
        if let (Some((name, from)), Some(end)) = (open, end) {
            self.add(base, Some(name), &text[from..end], Encoding::Form, Role::Value);
        }
    }

    /// The values of a name that is given several times, put together with commas as ASP does, and with blanks: a
    /// statement may be spread over them. Names are compared in any case, as there.
    fn add_lists(&mut self, base: &'static str, text: &'a str) {
        if !text.contains('&') {
            return;
        }
        let mut lists: HashMap<Cow<'a, str>, List<'a>> = HashMap::new();
        let mut at = 0;
        for pair in text.split('&').take(PAIRS_MAX) {
            let start = at;
            at += pair.len() + 1;
            let Some((name, value)) = pair.split_once('=') else { continue };
            let from = start + name.len() + 1;
            let key = if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
                Cow::Owned(name.to_ascii_lowercase())
            } else {
                Cow::Borrowed(name)
            };
            let list = lists.entry(key).or_insert(List { name, from, end: from, n: 0, is_odd: false });
            list.end = start + pair.len();
            list.n += 1;
            list.is_odd |= !is_plain(value);
        }
        let is_one = |list: &List<'_>| list.n > 1 && list.is_odd && list.end - list.from <= LIST_BYTES_MAX;
        let mut wanted: Vec<List<'a>> = lists.into_values().filter(is_one).collect();
        wanted.sort_by_key(|list| list.from);
        for list in wanted.iter().take(LISTS_MAX) {
            let values = &text[list.from..list.end];
            if has_statement(values) {
                self.add(base, Some(list.name), values, Encoding::Commas, Role::Value);
                self.add(base, Some(list.name), values, Encoding::Blanks, Role::Value);
            }
        }
    }

    /// The strings of a JSON text that need not be complete or valid.
    fn add_json(&mut self, text: &'a str) {
        let bytes = text.as_bytes();
        let (mut at, mut key) = (0, None);
        while let Some(n_before) = bytes[at..].iter().position(|&byte| byte == b'"') {
            let start = at + n_before + 1;
            let mut end = start;
            while end < bytes.len() && bytes[end] != b'"' {
                end += if bytes[end] == b'\\' { 2 } else { 1 };
            }
            let end = floor_boundary(text, end.min(bytes.len()));
            let string = &text[start.min(end)..end];
            at = (end + 1).min(bytes.len());
            if text[at..].trim_start().starts_with(':') {
                // Members of members that reach what all objects share.
                if string == "prototype" && key == Some("constructor") {
                    let from = floor_boundary(text, start.saturating_sub(48));
                    let from = text[from..start].find("constructor").map_or(start, |n| from + n);
                    self.add(
                        "http.body",
                        None,
                        text[from..end].trim_end_matches('"'),
                        Encoding::Plain,
                        Role::Value,
                    );
                }
                key = Some(string);
                if is_plain_name(string) {
                    continue;
                }
            }
            self.add("http.body", key, string, Encoding::Json, Role::Value);
        }
    }

    fn add_multipart(&mut self, text: &'a str) {
        for part in text.split("\r\n--").flat_map(|part| part.split("\n--")) {
            let split = part.split_once("\r\n\r\n").or_else(|| part.split_once("\n\n"));
            let (head, content) = split.unwrap_or(("", part));
            let name = parameter(head, "name=");
            if let Some(name) = name
                && !is_plain_name(name)
            {
                self.add("http.body", None, name, Encoding::Plain, Role::Value);
            }
            let file = parameter(head, "filename=");
            if head.contains("filename") {
                self.add("http.body", Some("file"), part, Encoding::Plain, Role::Part);
            }
            if let Some(file) = file {
                self.add("http.body", Some("filename"), file, Encoding::Plain, Role::Value);
            }
            // What is in a file is for the checks of uploads: a program or a page is no attack there. Entities are.
            let is_file = file.is_some_and(|file| !file.is_empty()) && !content.contains("<!");
            if !is_file {
                self.add("http.body", name, content, Encoding::Plain, Role::Value);
            }
        }
    }

    pub(super) fn add_body(&mut self, body: &'a str, content_type: &str) {
        let content_type = content_type.to_ascii_lowercase();
        let text = body;
        let start = text.trim_start();
        if content_type.contains("multipart/") {
            self.add_multipart(text);
        } else if content_type.contains("json") || start.starts_with(['{', '[']) {
            self.add_json(text);
            if !start.contains('"') {
                self.add("http.body", None, text, Encoding::Plain, Role::Value);
            }
        } else if content_type.contains("x-www-form-urlencoded") || looks_like_form(start) {
            self.add_form("http.body", text);
        } else {
            let is_xml = content_type.contains("xml") || start.starts_with('<');
            // The elements of a feed are named like those of a page; what stands in them is looked at.
            let is_feed = is_xml && feed::is_plain(text);
            if !is_feed {
                self.add("http.body", None, text, Encoding::Plain, Role::Value);
            }
            if is_xml {
                self.add_xml(text, is_feed);
            }
        }
    }

    /// The values of a document; in a feed what is published as a page is taken apart as well.
    fn add_xml(&mut self, text: &'a str, is_feed: bool) {
        self.n_dropped +=
            xml::values(text, &mut |name, value| match markup::pieces(value).filter(|_| is_feed) {
                Some(pieces) => {
                    for (own, piece) in pieces {
                        let name = if own.is_empty() { name } else { own };
                        self.add("http.body", Some(name), piece, Encoding::Plain, Role::Value);
                    }
                }
                None => self.add("http.body", Some(name), value, Encoding::Plain, Role::Value),
            });
    }
}

/// Has a percent-encoded text a word of a statement in it, or a letter that is encoded to hide one?
fn has_statement(text: &str) -> bool {
    let is_letter = |high: u8, low: u8| match (high, char::from(low).to_digit(16)) {
        (b'4' | b'6', Some(low)) => low > 0,
        (b'5' | b'7', Some(low)) => low <= 0xa,
        _ => false,
    };
    let lower = text.to_ascii_lowercase();
    STATEMENTS.iter().any(|word| lower.contains(word))
        || lower.as_bytes().windows(3).any(|three| three[0] == b'%' && is_letter(three[1], three[2]))
}
