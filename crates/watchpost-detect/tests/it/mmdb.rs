//! Writes small files in the MaxMind DB format for tests: a binary tree over prefixes, a data section, metadata.
//!
//! Source: the format's specification 2.0, with records of 32 bits and an IPv6 tree that holds IPv4 below `::/96`.

use std::collections::BTreeMap;
use std::net::IpAddr;

/// A value of the data section.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Text(&'static str),
    Number(f64),
    Whole(u64),
    Map(Vec<(&'static str, Value)>),
}

/// A file with `entries` (network, length of its prefix, record), made at `built` (Unix seconds).
pub(crate) fn mmdb(kind: &'static str, built: u64, entries: &[(&str, u8, Value)]) -> Vec<u8> {
    let mut data = Vec::new();
    // A node is two children: another node, or a place in the data section.
    let mut nodes: Vec<[Option<Child>; 2]> = vec![[None, None]];
    for (network, length, record) in entries {
        let offset = data.len();
        encode(record, &mut data);
        let (bits, length) = match network.parse().expect("an address of a test") {
            IpAddr::V4(v4) => (u128::from(v4.to_bits()), length + 96),
            IpAddr::V6(v6) => (v6.to_bits(), *length),
        };
        let mut node = 0;
        for depth in 0..length {
            let side = usize::from(bits >> (127 - depth) & 1 == 1);
            if depth + 1 == length {
                nodes[node][side] = Some(Child::Data(offset));
            } else {
                node = match nodes[node][side] {
                    Some(Child::Node(next)) => next,
                    _ => {
                        nodes.push([None, None]);
                        let next = nodes.len() - 1;
                        nodes[node][side] = Some(Child::Node(next));
                        next
                    }
                };
            }
        }
    }
    let count = nodes.len();
    let mut file = Vec::new();
    for child in nodes.iter().flatten() {
        let record = match child {
            None => count,
            Some(Child::Node(node)) => *node,
            Some(Child::Data(offset)) => count + 16 + offset,
        };
        file.extend(u32::try_from(record).expect("a small file").to_be_bytes());
    }
    file.extend([0; 16]);
    file.extend(&data);
    file.extend(b"\xab\xcd\xefMaxMind.com");
    let metadata = Value::Map(vec![
        ("binary_format_major_version", Value::Whole(2)),
        ("binary_format_minor_version", Value::Whole(0)),
        ("build_epoch", Value::Whole(built)),
        ("database_type", Value::Text(kind)),
        ("description", Value::Map(vec![("en", Value::Text("for a test"))])),
        ("ip_version", Value::Whole(6)),
        ("languages", Value::Map(Vec::new())),
        ("node_count", Value::Whole(count as u64)),
        ("record_size", Value::Whole(32)),
    ]);
    encode_metadata(&metadata, &mut file);
    file
}

#[derive(Debug, Clone, Copy)]
enum Child {
    Node(usize),
    Data(usize),
}

/// The types of numbers are fixed in metadata.
fn encode_metadata(metadata: &Value, out: &mut Vec<u8>) {
    let Value::Map(members) = metadata else { panic!("metadata is a map") };
    control(7, members.len(), out);
    for (name, value) in members {
        encode(&Value::Text(name), out);
        match (*name, value) {
            ("languages", _) => control(11, 0, out),
            ("build_epoch", Value::Whole(n)) => unsigned(9, *n, out),
            ("node_count", Value::Whole(n)) => unsigned(6, *n, out),
            (_, Value::Whole(n)) => unsigned(5, *n, out),
            (_, value) => encode(value, out),
        }
    }
}

fn encode(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Text(text) => {
            control(2, text.len(), out);
            out.extend(text.as_bytes());
        }
        Value::Number(number) => {
            control(3, 8, out);
            out.extend(number.to_be_bytes());
        }
        Value::Whole(n) => unsigned(6, *n, out),
        Value::Map(members) => {
            control(7, members.len(), out);
            let sorted: BTreeMap<_, _> = members.iter().map(|(name, value)| (*name, value)).collect();
            for (name, value) in sorted {
                encode(&Value::Text(name), out);
                encode(value, out);
            }
        }
    }
}

fn unsigned(kind: u8, n: u64, out: &mut Vec<u8>) {
    let bytes: Vec<u8> = n.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
    control(kind, bytes.len(), out);
    out.extend(bytes);
}

/// The control byte: type and size; types over 7 stand in a second byte.
fn control(kind: u8, size: usize, out: &mut Vec<u8>) {
    let (size, more) = if size < 29 { (size, None) } else { (29, Some(size - 29)) };
    let size = u8::try_from(size).expect("at most 29");
    if kind <= 7 {
        out.push(kind << 5 | size);
    } else {
        out.extend([size, kind - 7]);
    }
    out.extend(more.map(|more| u8::try_from(more).expect("texts of a test are short")));
}

/// A record in the layout of MaxMind.
pub(crate) fn city(country: &'static str, name: &'static str, lat: f64, lon: f64) -> Value {
    Value::Map(vec![
        ("country", Value::Map(vec![("iso_code", Value::Text(country))])),
        ("city", Value::Map(vec![("names", Value::Map(vec![("en", Value::Text(name))]))])),
        ("location", Value::Map(vec![("latitude", Value::Number(lat)), ("longitude", Value::Number(lon))])),
    ])
}

/// A record of a network file.
pub(crate) fn asn(number: u64, org: &'static str) -> Value {
    Value::Map(vec![
        ("autonomous_system_number", Value::Whole(number)),
        ("autonomous_system_organization", Value::Text(org)),
    ])
}
