//! Reading replies whose shape differs between server versions.

use redis::Value;

pub(crate) fn bytes(value: Value) -> Option<Vec<u8>> {
    match value {
        Value::BulkString(bytes) => Some(bytes),
        Value::SimpleString(text) => Some(text.into_bytes()),
        Value::VerbatimString { text, .. } => Some(text.into_bytes()),
        Value::Okay => Some(b"OK".to_vec()),
        Value::Int(number) => Some(number.to_string().into_bytes()),
        _ => None,
    }
}

pub(crate) fn text(value: Value) -> Option<String> {
    bytes(value).and_then(|bytes| String::from_utf8(bytes).ok())
}

pub(crate) fn list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) | Value::Set(items) => items,
        Value::Map(pairs) => pairs.into_iter().flat_map(|(name, value)| [name, value]).collect(),
        _ => Vec::new(),
    }
}

pub(crate) fn int(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok()?.parse().ok(),
        Value::SimpleString(text) => text.parse().ok(),
        _ => None,
    }
}

pub(crate) fn count(value: &Value) -> Option<u64> {
    int(value).and_then(|number| u64::try_from(number).ok())
}

/// A flat list of name, value, name, value as pairs of bytes.
pub(crate) fn pairs(value: Value) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut items = list(value).into_iter();
    let mut pairs = Vec::with_capacity(items.len() / 2);
    while let (Some(name), Some(value)) = (items.next(), items.next()) {
        if let (Some(name), Some(value)) = (bytes(name), bytes(value)) {
            pairs.push((name, value));
        }
    }
    pairs
}

/// The value of `name` in a flat list of name, value.
pub(crate) fn field(items: &[Value], name: &str) -> Option<Value> {
    items
        .chunks_exact(2)
        .find(|pair| matches!(&pair[0], Value::BulkString(b) if b == name.as_bytes()))
        .map(|p| p[1].clone())
}

/// A reply of `SCAN`: next cursor and names.
pub(crate) fn scan(value: Value) -> Option<(u64, Vec<Vec<u8>>)> {
    let mut parts = list(value).into_iter();
    let cursor = text(parts.next()?)?.parse().ok()?;
    let names = list(parts.next()?).into_iter().filter_map(bytes).collect();
    Some((cursor, names))
}
