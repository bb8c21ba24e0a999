//! One text for one value: JSON with the members of every object sorted by name, without white space.
//!
//! Does not lean on the map type of `serde_json`, whose order depends on a feature that any crate of a build may turn
//! on. Stored bytes are what is hashed; nothing is canonicalised again to be checked.

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use watchpost_model::event::Event;

use crate::error::StoreError;

/// The canonical JSON of `value`.
pub(crate) fn to_canonical(value: &impl Serialize) -> Result<String, StoreError> {
    let value = serde_json::to_value(value).map_err(StoreError::Encode)?;
    let mut out = String::with_capacity(256);
    write(&value, &mut out)?;
    Ok(out)
}

fn write(value: &Value, out: &mut String) -> Result<(), StoreError> {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, out)?;
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut sorted: Vec<(&String, &Value)> = members.iter().collect();
            sorted.sort_unstable_by_key(|(name, _)| *name);
            out.push('{');
            for (index, (name, member)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                out.push_str(&serde_json::to_string(name).map_err(StoreError::Encode)?);
                out.push(':');
                write(member, out)?;
            }
            out.push('}');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            out.push_str(&serde_json::to_string(value).map_err(StoreError::Encode)?);
        }
    }
    Ok(())
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
    use super::to_canonical;

    #[test]
    fn members_are_sorted_at_every_depth() {
        let value = serde_json::json!({"b": [{"z": 1, "a": "\u{1}\""}], "a": null, "B": 1.5});
        assert_eq!(to_canonical(&value).unwrap(), r#"{"B":1.5,"a":null,"b":[{"a":"\u0001\"","z":1}]}"#);
    }
}
