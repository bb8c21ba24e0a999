//! One text for one value: JSON with the members of every object sorted by name, without white space.
//!
//! Does not lean on the map type of `serde_json`, whose order depends on a feature that any crate of a build may turn
//! on. Stored bytes are what is hashed; nothing is canonicalised again to be checked.

use std::borrow::Cow;

use serde::Serialize;
use sha2::{Digest, Sha256};
use watchpost_model::event::Event;

use crate::error::StoreError;

/// The canonical JSON of `value`.
pub(crate) fn to_canonical(value: &impl Serialize) -> Result<String, StoreError> {
    let mut plain = Vec::with_capacity(1_024);
    serde_json::to_writer(&mut plain, value).map_err(StoreError::Encode)?;
    let plain = String::from_utf8(plain).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    let mut out = String::with_capacity(plain.len());
    Reader { text: &plain, at: 0 }.value(&mut out);
    Ok(out)
}

/// Reads JSON as `serde_json` writes it: valid, and without white space.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

/// One member of an object: its name as it is written, and where it stands in the output.
struct Member<'a> {
    name: &'a str,
    place: std::ops::Range<usize>,
}

impl Member<'_> {
    /// The name itself, which is what the order goes by.
    fn key(&self) -> Cow<'_, str> {
        if self.name.contains('\\')
            && let Ok(name) = serde_json::from_str(self.name)
        {
            return Cow::Owned(name);
        }
        Cow::Borrowed(self.name.trim_matches('"'))
    }
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Takes `byte` if it is next.
    fn skip(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// The text up to the end of a string that begins here, quotes included.
    fn string(&mut self) -> &'a str {
        let begin = self.at;
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                break;
            }
        }
        self.text.get(begin..self.at).unwrap_or_default()
    }

    /// Appends the value that begins here, with the members of its objects in order.
    fn value(&mut self, out: &mut String) {
        match self.peek() {
            Some(b'{') => self.object(out),
            Some(b'[') => {
                self.at += 1;
                out.push('[');
                while self.peek().is_some() && !self.skip(b']') {
                    if self.skip(b',') {
                        out.push(',');
                    }
                    self.value(out);
                }
                out.push(']');
            }
            Some(b'"') => out.push_str(self.string()),
            _ => {
                let rest = self.text.get(self.at..).unwrap_or_default();
                let word = rest.split([',', ']', '}']).next().unwrap_or_default();
                self.at += word.len();
                out.push_str(word);
            }
        }
    }

    fn object(&mut self, out: &mut String) {
        let begin = out.len();
        let mut members: Vec<Member<'_>> = Vec::with_capacity(16);
        self.at += 1;
        out.push('{');
        while self.peek().is_some() && !self.skip(b'}') {
            if self.skip(b',') {
                out.push(',');
            }
            let start = out.len();
            let name = self.string();
            out.push_str(name);
            self.at += 1;
            out.push(':');
            self.value(out);
            members.push(Member { name, place: start..out.len() });
        }
        if members.is_sorted_by(|a, b| a.key() < b.key()) {
            out.push('}');
            return;
        }
        // Stable: of two members of one name the later one counts, as it does for everybody who reads the text.
        members.sort_by(|a, b| a.key().cmp(&b.key()));
        let unsorted = out.split_off(begin);
        out.push('{');
        for (index, member) in members.iter().enumerate() {
            if members.get(index + 1).is_some_and(|next| next.key() == member.key()) {
                continue;
            }
            if out.len() > begin + 1 {
                out.push(',');
            }
            let (from, to) = (member.place.start - begin, member.place.end - begin);
            out.push_str(unsorted.get(from..to).unwrap_or_default());
        }
        out.push('}');
    }
}

/// SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The digest that an event has as evidence and in the archive: SHA-256 of its canonical JSON.
///
/// # Errors
/// `Encode` if the event cannot be written as JSON.
pub fn event_digest(event: &Event) -> Result<[u8; 32], StoreError> {
    Ok(sha256(to_canonical(event)?.as_bytes()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::to_canonical;

    #[test]
    fn members_are_sorted_at_every_depth() {
        let value = serde_json::json!({"b": [{"z": 1, "a": "\u{1}\""}], "a": null, "B": 1.5});
        assert_eq!(to_canonical(&value).unwrap(), r#"{"B":1.5,"a":null,"b":[{"a":"\u0001\"","z":1}]}"#);
    }

    #[test]
    fn the_later_of_two_members_of_one_name_counts() {
        struct Twice;
        impl serde::Serialize for Twice {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_map([("b", 1), ("a", 2), ("b", 3)])
            }
        }
        assert_eq!(to_canonical(&Twice).unwrap(), r#"{"a":2,"b":3}"#);
    }

    /// The definition, member by member: what the quick way must write.
    fn by_definition(value: &Value) -> String {
        match value {
            Value::Array(items) => {
                format!("[{}]", items.iter().map(by_definition).collect::<Vec<_>>().join(","))
            }
            Value::Object(members) => {
                let mut members: Vec<(&String, &Value)> = members.iter().collect();
                members.sort_by_key(|(name, _)| *name);
                let text = |(name, value): &(&String, &Value)| {
                    format!("{}:{}", serde_json::to_string(name).unwrap(), by_definition(value))
                };
                format!("{{{}}}", members.iter().map(text).collect::<Vec<_>>().join(","))
            }
            scalar => serde_json::to_string(scalar).unwrap(),
        }
    }

    fn json() -> impl Strategy<Value = Value> {
        let text = || prop_oneof!["[a-c\"\\\\\u{0}-\u{20},:{}\\[\\]é\u{10ffff}]{0,6}", any::<String>()];
        let scalar = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            text().prop_map(Value::from),
        ];
        scalar.prop_recursive(5, 60, 8, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::vec((text(), inner), 0..8)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    /// Writes the members of every object in the order of a list, as types do that are no maps.
    struct Unsorted<'a>(&'a Value);

    impl serde::Serialize for Unsorted<'_> {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            match self.0 {
                Value::Array(items) => serializer.collect_seq(items.iter().map(Unsorted)),
                Value::Object(members) => {
                    let mut members: Vec<(&String, &Value)> = members.iter().collect();
                    members.sort_by_key(|(name, _)| super::sha256(name.as_bytes()));
                    serializer.collect_map(members.into_iter().map(|(name, value)| (name, Unsorted(value))))
                }
                scalar => scalar.serialize(serializer),
            }
        }
    }

    proptest! {
        #[test]
        fn every_value_is_written_as_defined(value in json()) {
            prop_assert_eq!(to_canonical(&Unsorted(&value)).unwrap(), by_definition(&value));
        }
    }
}
