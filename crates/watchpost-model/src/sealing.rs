//! Secrets in events: where they stand, and the event with marks in their place.
//!
//! Pure: how a mark is made and where the values are kept is the caller's. A mark (`[sealed:password:1f0c...]`) is left
//! alone when it is met again, so that sealing twice changes nothing. For what has no words of secrets in it this is one
//! pass of an automaton over the texts of the event.

mod find;
mod name;
mod value;

#[cfg(test)]
mod tests;

use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

pub use self::find::Scanner;
pub use self::name::name_without;
use crate::event::Event;
use crate::finding::{DecodedLayer, Finding, MatchedField};
use crate::sensitive;
use crate::words;

/// What is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SealKind {
    /// Passwords: by the name of their field, of basic authentication, in addresses.
    Password,
    /// Bearer and session tokens, cookies of sessions; of a JSON Web Token its signature.
    Token,
    /// Keys of interfaces and services, client secrets, private keys.
    Key,
    /// Numbers of payment cards and their check codes.
    Card,
    /// E-mail addresses.
    Email,
    /// Names of people, by the name of their field.
    Name,
    /// Postal addresses, by the name of their field.
    Address,
    /// Fields that the team named.
    Field,
}

words!(SealKind {
    Password = "password",
    Token = "token",
    Key = "key",
    Card = "card",
    Email = "email",
    Name = "name",
    Address = "address",
    Field = "field",
});

/// What is sealed before an event is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct SealPolicy {
    /// These kinds.
    pub kinds: Vec<SealKind>,
    /// And the values of fields, headers and parameters of these names.
    #[serde(default)]
    pub fields: Vec<String>,
}

impl Default for SealPolicy {
    fn default() -> Self {
        let kinds = vec![SealKind::Password, SealKind::Token, SealKind::Key, SealKind::Card];
        Self { kinds, fields: Vec::new() }
    }
}

/// How every mark begins.
pub const MARK: &str = "[sealed:";

/// What stands in the place of a value; `tag` tells values apart.
#[must_use]
pub fn mark(kind: SealKind, tag: &str) -> String {
    format!("{MARK}{kind}:{tag}]")
}

/// What `text` calls a mark, as it is kept: with or without its brackets.
#[must_use]
pub fn mark_named(text: &str) -> String {
    let bare = text.trim();
    let bare = bare.strip_prefix(MARK).unwrap_or(bare);
    format!("{MARK}{}]", bare.strip_suffix(']').unwrap_or(bare))
}

/// A value that was taken out of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hidden {
    /// What it is.
    pub kind: SealKind,
    /// What stands in its place.
    pub mark: String,
    /// The value.
    pub value: String,
    /// It was a number in JSON.
    pub number: bool,
}

/// What was taken out of an event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sealing {
    /// Each value once.
    pub hidden: Vec<Hidden>,
    /// The endpoint before and after, where it changed: findings name it.
    endpoint: Option<(String, String)>,
}

/// Makes the mark of a value: the same for the same kind and value.
pub type Marker<'a> = dyn Fn(SealKind, &str, bool) -> String + 'a;

/// Values of fewer bytes are looked for in evidence only where their field says what they are.
const TELLING_BYTES_MIN: usize = 6;
/// Of fewer bytes no match is taken for a piece of a value.
const PIECE_BYTES_MIN: usize = 4;

impl Scanner {
    /// Puts marks into the place of what is to be sealed; `None` if there is nothing. Who, from where, and which session
    /// stay: that is what events are found by.
    #[must_use]
    pub fn seal_event(&self, event: &mut Event, marker: &Marker<'_>) -> Option<Sealing> {
        let mut sealed = Sealed { scanner: self, marker, hidden: Vec::new() };
        for text in [&mut event.resource, &mut event.action].into_iter().flatten() {
            sealed.text(text, false);
        }
        for tag in &mut event.tags {
            sealed.text(tag, false);
        }
        if let Some(http) = &mut event.http {
            sealed.text(&mut http.path, false);
            if let Some(query) = &mut http.query {
                sealed.text(query, true);
            }
            for text in [&mut http.body, &mut http.response_body].into_iter().flatten() {
                let form = is_form(text);
                sealed.text(text, form);
            }
            for (name, value) in http.headers.iter_mut().chain(&mut http.response_headers) {
                sealed.header(name, value);
            }
        }
        sealed.json(&mut event.details, "", None);
        let hidden = sealed.hidden;
        if hidden.is_empty() {
            return None;
        }
        let after = event.endpoint();
        let endpoint = after.contains(MARK).then(|| {
            let opened = |text: String, one: &Hidden| text.replace(&one.mark, &one.value);
            (hidden.iter().fold(after.to_owned(), opened), after.to_owned())
        });
        Some(Sealing { hidden, endpoint })
    }

    /// The evidence of a finding without what was taken out of its event.
    pub fn mask_finding(&self, sealing: &Sealing, finding: &mut Finding) {
        if let Some((raw, sealed)) = &sealing.endpoint
            && finding.entity.value == *raw
        {
            finding.entity.value.clone_from(sealed);
        }
        let known = known_forms(sealing);
        let mark = finding.matched.as_ref().and_then(|matched| self.mark_of_match(sealing, &known, matched));
        if let (Some(mark), Some(matched)) = (&mark, &finding.matched) {
            finding.summary = format!("{} in {}: {mark}", finding.rule_title, matched.field);
        } else if let Some(masked) = self.masked(&known, &finding.summary, None) {
            finding.summary = masked.0;
        }
        let Some(matched) = &mut finding.matched else { return };
        let mut is_first_sealed = false;
        for (nth, layer) in matched.layers.iter_mut().enumerate() {
            // Where the value does not stand as a whole, pieces of it may.
            let in_pieces = mark.as_ref().filter(|mark| {
                !known.iter().any(|(value, its)| its == mark && layer.text.contains(value.as_str()))
            });
            if let Some(mark) = in_pieces {
                let end = u32::try_from(mark.chars().count()).unwrap_or(u32::MAX);
                (layer.text, layer.span) = (mark.clone(), Some((0, end)));
                continue;
            }
            let masked = self.masked(&known, &layer.text, layer.span);
            is_first_sealed |= nth == 0 && masked.is_some();
            match masked {
                Some((text, span)) => (layer.text, layer.span) = (text, span),
                // What was packed into the value cannot be told from the value.
                None if is_first_sealed && nth > 0 && layer.decoder.contains("base64") => {
                    *layer = DecodedLayer {
                        decoder: layer.decoder.clone(),
                        text: "[sealed]".to_owned(),
                        span: None,
                    };
                }
                None => {}
            }
        }
    }

    /// The mark of the value that a match is in, touches, or is a piece of; `None` where it is of nothing that is sealed.
    fn mark_of_match(
        &self,
        sealing: &Sealing,
        known: &[(String, &str)],
        matched: &MatchedField,
    ) -> Option<String> {
        let of_piece = |piece: &str| {
            let hidden = sealing.hidden.iter().find(|hidden| holds(&hidden.value, piece));
            hidden.map(|hidden| hidden.mark.clone())
        };
        let named = self.kind_of_name(&matched.field).zip(matched.layers.first());
        let named = named.and_then(|(kind, raw)| self.whole(&raw.text, kind).map(|found| (found, raw)));
        if let Some(((range, kind), raw)) = named {
            let is_all = range.len() == raw.text.trim().len();
            if is_all || raw.span.is_none_or(|span| overlap(&bytes_of(&raw.text, span), &range)) {
                let value = raw.text.get(range).unwrap_or_default();
                return Some(of_piece(value).unwrap_or_else(|| format!("{MARK}{kind}]")));
            }
        }
        matched.layers.iter().find_map(|layer| {
            let span = bytes_of(&layer.text, layer.span?);
            let mut places = self.places(known, &layer.text).into_iter();
            if let Some((_, mark)) = places.find(|(range, _)| overlap(range, &span)) {
                return Some(mark);
            }
            let piece = layer.text.get(span)?;
            if piece.len() < PIECE_BYTES_MIN { None } else { of_piece(piece) }
        })
    }

    /// `text` with marks, and where its span is then; `None` if nothing of it is sealed.
    fn masked(
        &self,
        known: &[(String, &str)],
        text: &str,
        span: Option<(u32, u32)>,
    ) -> Option<(String, Option<(u32, u32)>)> {
        let places = self.places(known, text);
        if places.is_empty() {
            return None;
        }
        Some((replaced(text, &places), span.map(|span| moved(text, &places, span))))
    }

    /// What of a text is sealed, in order and apart from each other, each with its mark.
    fn places(&self, known: &[(String, &str)], text: &str) -> Vec<(Range<usize>, String)> {
        let mut places: Vec<(Range<usize>, String)> = Vec::new();
        for (value, mark) in known {
            let at = text.match_indices(value.as_str());
            places.extend(at.map(|(at, _)| (at..at + value.len(), (*mark).to_owned())));
        }
        for (range, kind) in self.find(text, false) {
            let value = text.get(range.clone()).unwrap_or_default();
            let mark = known.iter().find(|(known, _)| known == value).map(|(_, mark)| (*mark).to_owned());
            places.push((range, mark.unwrap_or_else(|| format!("{MARK}{kind}]"))));
        }
        // The longer of two that begin together; of two that overlap the first.
        places.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
        let mut end = 0;
        places.retain(|(range, _)| {
            let is_free = range.start >= end;
            end = if is_free { range.end } else { end };
            is_free
        });
        places
    }
}

/// Does it look like the parameters of a form?
fn is_form(text: &str) -> bool {
    !text.trim_start().starts_with(['{', '[', '<', '-']) && text.contains('=') && !text.contains(['\n', ' '])
}

/// The values that evidence may hold, as they are and as a decoder leaves them, each with its mark; the longest first.
fn known_forms(sealing: &Sealing) -> Vec<(String, &str)> {
    let mut known: Vec<(String, &str)> = Vec::new();
    for hidden in &sealing.hidden {
        let decoded = sensitive::decoded(&hidden.value);
        for form in [Some(hidden.value.clone()), decoded].into_iter().flatten() {
            if form.len() >= TELLING_BYTES_MIN {
                known.push((form, hidden.mark.as_str()));
            }
        }
    }
    known.sort_by_key(|(form, _)| std::cmp::Reverse(form.len()));
    known
}

/// `text` with each of `places`, in their order, replaced.
fn replaced(text: &str, places: &[(Range<usize>, String)]) -> String {
    let mut out = String::with_capacity(text.len() + places.len() * 24);
    let mut from = 0;
    for (range, mark) in places {
        out.push_str(text.get(from..range.start).unwrap_or_default());
        out.push_str(mark);
        from = range.end;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

/// The bytes of a span of characters.
fn bytes_of(text: &str, span: (u32, u32)) -> Range<usize> {
    let byte = |n: u32| {
        let n = usize::try_from(n).unwrap_or(usize::MAX);
        text.char_indices().nth(n).map_or(text.len(), |(at, _)| at)
    };
    byte(span.0)..byte(span.1)
}

const fn overlap(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start < other.end && other.start < one.end
}

/// Is `piece` a part of a value, as it is or decoded, in whatever case?
fn holds(value: &str, piece: &str) -> bool {
    let piece = piece.to_lowercase();
    let is_in = |text: &str| text.to_lowercase().contains(&piece);
    is_in(value) || sensitive::decoded(value).is_some_and(|decoded| is_in(&decoded))
}

/// Where a span of characters of `text` is after [`replaced`]: a mark that it touches is in it as a whole.
fn moved(text: &str, places: &[(Range<usize>, String)], span: (u32, u32)) -> (u32, u32) {
    let Range { start, end } = bytes_of(text, span);
    // Characters up to `at`, and whether a mark that `at` is within counts.
    let count = |at: usize, whole: bool| {
        let mut n = 0;
        let mut from = 0;
        for (range, mark) in places.iter().filter(|(range, _)| range.start < at) {
            n += text.get(from..range.start).unwrap_or_default().chars().count();
            if range.end > at && !whole {
                return n;
            }
            n += mark.chars().count();
            from = range.end;
        }
        n + text.get(from..at.max(from)).unwrap_or_default().chars().count()
    };
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    (number(count(start, false)), number(count(end, true)))
}

/// An event on its way.
struct Sealed<'a> {
    scanner: &'a Scanner,
    marker: &'a Marker<'a>,
    hidden: Vec<Hidden>,
}

impl Sealed<'_> {
    fn hide(&mut self, kind: SealKind, value: &str, number: bool) -> String {
        let mark = (self.marker)(kind, value, number);
        if self.hidden.iter().all(|hidden| hidden.mark != mark) {
            self.hidden.push(Hidden { kind, mark: mark.clone(), value: value.to_owned(), number });
        }
        mark
    }

    fn text(&mut self, text: &mut String, form: bool) {
        let found = self.scanner.find(text, form);
        self.replace(text, found);
    }

    fn replace(&mut self, text: &mut String, found: Vec<(Range<usize>, SealKind)>) {
        if found.is_empty() {
            return;
        }
        let places: Vec<(Range<usize>, String)> = found
            .into_iter()
            .map(|(range, kind)| {
                let value = text.get(range.clone()).unwrap_or_default();
                (range.clone(), self.hide(kind, value, false))
            })
            .collect();
        *text = replaced(text, &places);
    }

    fn header(&mut self, name: &str, value: &mut String) {
        match self.scanner.in_header(name, value) {
            Some(found) => self.replace(value, found),
            None => self.text(value, false),
        }
    }

    /// `kind`: what its name says that it is.
    fn json(&mut self, value: &mut Value, name: &str, kind: Option<SealKind>) {
        match value {
            Value::Null | Value::Bool(_) => {}
            Value::Number(number) => {
                let text = number.to_string();
                if let Some(kind) = self.scanner.in_number(name, &text, kind) {
                    *value = self.hide(kind, &text, true).into();
                }
            }
            Value::String(text) => match kind.and_then(|kind| self.scanner.whole(text, kind)) {
                Some(found) => self.replace(text, vec![found]),
                None => {
                    let form = is_form(text);
                    self.text(text, form);
                    let cards = self.scanner.cards(name, text);
                    self.replace(text, cards);
                }
            },
            Value::Array(items) => items.iter_mut().for_each(|item| self.json(item, name, kind)),
            Value::Object(members) => {
                // `{"name":"password","value":"..."}`
                let called = ["name", "key", "field"].iter().find_map(|name| members.get(*name)?.as_str());
                let called = called.and_then(|called| self.scanner.kind_of_name(called));
                for (name, item) in members.iter_mut() {
                    let own = match item {
                        Value::Array(_) | Value::Object(_) => self.scanner.kind_of_many(name),
                        _ => self.scanner.kind_of_name(name),
                    };
                    let kind = own.or(kind).or(called.filter(|_| name == "value"));
                    self.json(item, name, kind);
                }
            }
        }
    }
}
