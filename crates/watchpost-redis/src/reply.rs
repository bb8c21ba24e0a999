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

/// Texts that `cmsgpack` packed, name, value, name, value, as pairs; `None` if it is anything else.
pub(crate) fn packed(bytes: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    let mut rest = bytes;
    let n = match take(&mut rest, 1)? {
        [n @ 0x90..=0x9f] => usize::from(n & 0x0f),
        [0xdc] => number(&mut rest, 2)?,
        [0xdd] => number(&mut rest, 4)?,
        _ => return None,
    };
    let mut pairs = Vec::with_capacity((n / 2).min(rest.len()));
    for _ in 0..n / 2 {
        pairs.push((packed_text(&mut rest)?, packed_text(&mut rest)?));
    }
    (rest.is_empty() && n.is_multiple_of(2)).then_some(pairs)
}

fn packed_text<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let n = match take(rest, 1)? {
        [n @ 0xa0..=0xbf] => usize::from(n & 0x1f),
        [0xd9 | 0xc4] => number(rest, 1)?,
        [0xda | 0xc5] => number(rest, 2)?,
        [0xdb | 0xc6] => number(rest, 4)?,
        _ => return None,
    };
    take(rest, n)
}

fn take<'a>(rest: &mut &'a [u8], n: usize) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(n)?;
    *rest = tail;
    Some(head)
}

fn number(rest: &mut &[u8], bytes: usize) -> Option<usize> {
    Some(take(rest, bytes)?.iter().fold(0, |n, byte| n << 8 | usize::from(*byte)))
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

#[cfg(test)]
mod tests {
    use super::packed;

    #[test]
    fn packed_texts_are_read_and_nothing_else() {
        let long = vec![b'x'; 300];
        let mut bytes = vec![0x94, 0xa1, b'a', 0xa0, 0xd9, 2, b'b', 0xff, 0xda, 1, 44];
        bytes.extend(&long);
        let pairs: Vec<(&[u8], &[u8])> = vec![(b"a", b""), (b"b\xff", &long)];
        assert_eq!(packed(&bytes), Some(pairs));
        assert_eq!(packed(&[0x90]), Some(Vec::new()));
        assert_eq!(packed(&[0xdc, 0, 2, 0xa1, b'a', 0xa1, b'b']), Some(vec![(&b"a"[..], &b"b"[..])]));
        for end in 1..bytes.len() {
            assert_eq!(packed(&bytes[..end]), None, "cut off at {end}");
        }
        for other in [&b""[..], b"\x91\xa1a", b"\x92\xa1a\x01", b"\x90\x90", b"\xdd\xff\xff\xff\xff"] {
            assert_eq!(packed(other), None, "{other:?}");
        }
    }
}
