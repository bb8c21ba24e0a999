//! Archives, by their headers: nothing is unpacked.

use std::ops::Range;

use super::Upload;
use super::content::starts_with;

/// More than this out of one archive is a bomb when it also shrinks implausibly, in bytes.
const UNPACKED_BYTES_MAX: u64 = 256 << 20;
/// No ordinary file shrinks to less than a two-hundredth and is that large.
const RATIO_MAX: u64 = 200;
/// Most entries that are looked at.
const ENTRIES_MAX: usize = 4_096;

/// An entry of a zip file.
struct Entry {
    name: String,
    packed: u64,
    unpacked: u64,
    is_link: bool,
}

/// The bytes behind a text that was made of them one by one; `None` where some could not be read.
fn bytes(content: &str) -> Option<Vec<u8>> {
    content.chars().map(|ch| u8::try_from(u32::from(ch)).ok()).collect()
}

fn number(bytes: &[u8], at: usize, n: usize) -> u64 {
    bytes
        .get(at..at + n)
        .map_or(0, |digits| digits.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

/// The entries of the central directory, else those of the local headers.
fn entries(bytes: &[u8]) -> Vec<Entry> {
    let central = scan(bytes, b"PK\x01\x02", |bytes, at| {
        let n_name = usize::try_from(number(bytes, at + 28, 2)).unwrap_or(0);
        let name = bytes.get(at + 46..at + 46 + n_name)?;
        let mode = number(bytes, at + 38, 4) >> 16;
        Some(Entry {
            name: String::from_utf8_lossy(name).into_owned(),
            packed: number(bytes, at + 20, 4),
            unpacked: number(bytes, at + 24, 4),
            is_link: mode & 0o170_000 == 0o120_000,
        })
    });
    if !central.is_empty() {
        return central;
    }
    scan(bytes, b"PK\x03\x04", |bytes, at| {
        let n_name = usize::try_from(number(bytes, at + 26, 2)).unwrap_or(0);
        let name = bytes.get(at + 30..(at + 30 + n_name).min(bytes.len()))?;
        Some(Entry {
            name: String::from_utf8_lossy(name).into_owned(),
            packed: number(bytes, at + 18, 4),
            unpacked: number(bytes, at + 22, 4),
            is_link: false,
        })
    })
}

fn scan(bytes: &[u8], magic: &[u8], read: impl Fn(&[u8], usize) -> Option<Entry>) -> Vec<Entry> {
    let mut found = Vec::new();
    let mut at = 0;
    while found.len() < ENTRIES_MAX
        && let Some(next) = bytes.get(at..).and_then(|rest| rest.windows(4).position(|four| four == magic))
    {
        at += next;
        found.extend(read(bytes, at));
        at += 4;
    }
    found
}

fn whole(content: &str) -> Range<usize> {
    0..content.char_indices().nth(64).map_or(content.len(), |(at, _)| at)
}

fn is_zip(content: &str) -> bool {
    content.starts_with("PK\u{3}\u{4}") || content.starts_with("PK\u{1}\u{2}")
}

/// A small archive that unpacks to more than a disk takes.
pub(super) fn bomb(upload: &Upload<'_>) -> Option<Range<usize>> {
    let content = upload.content.as_ref();
    if starts_with(content, b"\x1f\x8b\x08") {
        let bytes = bytes(content)?;
        let unpacked = number(&bytes, bytes.len().checked_sub(4)?, 4);
        let is_bomb = unpacked > UNPACKED_BYTES_MAX && unpacked / bytes.len().max(1) as u64 > RATIO_MAX;
        return is_bomb.then(|| whole(content));
    }
    if !is_zip(content) {
        return None;
    }
    let bytes = bytes(content)?;
    let entries = entries(&bytes);
    let unpacked: u64 = entries.iter().map(|entry| entry.unpacked).sum();
    let packed: u64 = entries.iter().map(|entry| entry.packed).sum::<u64>().clamp(1, bytes.len() as u64);
    let shrinks = unpacked / packed > RATIO_MAX;
    let n_nested = entries.iter().filter(|entry| entry.name.to_ascii_lowercase().ends_with(".zip")).count();
    // Sixteen archives of sixteen archives each: small in every layer.
    let is_nested = n_nested >= 8 && n_nested == entries.len();
    // Many entries over one piece of data: more is listed than the file can hold.
    let overlaps = entries.iter().map(|entry| entry.packed).sum::<u64>() > 4 * bytes.len() as u64
        && unpacked > UNPACKED_BYTES_MAX;
    (unpacked > UNPACKED_BYTES_MAX && shrinks || is_nested || overlaps).then(|| whole(content))
}

/// An entry that leaves the directory it is unpacked to.
pub(super) fn slip(upload: &Upload<'_>) -> Option<Range<usize>> {
    let content = upload.content.as_ref();
    let leaves = |name: &str| {
        name.contains("../")
            || name.contains("..\\")
            || name.starts_with('/')
            || name.starts_with('\\')
            || name.as_bytes().get(1..3).is_some_and(|two| two == b":\\" || two == b":/")
    };
    if is_zip(content) {
        if let Some(bytes) = bytes(content) {
            return entries(&bytes)
                .iter()
                .any(|entry| leaves(&entry.name) || entry.is_link)
                .then(|| whole(content));
        }
        // Bytes were lost on the way: the names are still there.
        return (content.contains("../../") || content.contains("..\\..\\")).then(|| whole(content));
    }
    let is_tar = content.contains("ustar");
    let first = content.split('\0').next().unwrap_or("");
    (is_tar && (leaves(first) || content.contains("\0../") || content.contains("../../")))
        .then(|| whole(content))
}

/// A document with macros, or one whose name says that it has none.
pub(super) fn macros(upload: &Upload<'_>) -> Option<Range<usize>> {
    let content = upload.content.as_ref();
    if is_zip(content) {
        return listed_macros(content);
    }
    let has = |name: &str| content.find(name);
    let at = if starts_with(content, b"\xd0\xcf\x11\xe0") {
        has("_VBA_PROJECT")
            .or_else(|| has("_\0V\0B\0A\0"))
            .or_else(|| has("VBA\0"))
            .or_else(|| has("Macros"))
            .or_else(|| has("Attribut"))
    } else {
        None
    }?;
    Some(at..at + 4)
}

/// The names that make a document of an archive one with macros, in lower case: `/` ends those of folders.
const MACRO_NAMES: &[&str] =
    &["vbaproject.bin", "word/vbadata.xml", "xl/macrosheets/", "activex/", "basic/standard/"];

/// An entry with macros in an archive, or in its end, where all entries are listed. Names are compared in any case, as
/// Office does.
pub(super) fn listed_macros(content: &str) -> Option<Range<usize>> {
    let lower = content.to_ascii_lowercase();
    let at = MACRO_NAMES.iter().find_map(|name| lower.find(name))?;
    let entries = bytes(content).map(|bytes| entries(&bytes)).unwrap_or_default();
    let has_macros = |entry: &Entry| {
        let name = entry.name.to_ascii_lowercase().replace('\\', "/");
        MACRO_NAMES.iter().any(|known| {
            if known.ends_with('/') {
                name.contains(known)
            } else {
                format!("/{name}").ends_with(&format!("/{known}"))
            }
        })
    };
    let is_found = if entries.is_empty() {
        // Bytes were lost on the way: the names are still there, and what follows one is no other ending.
        MACRO_NAMES.iter().any(|name| {
            lower.match_indices(name).any(|(at, _)| {
                let after: Vec<char> = lower[at + name.len()..].chars().take(2).collect();
                name.ends_with('/')
                    || !matches!(after.as_slice(), ['.', next] if next.is_ascii_alphanumeric())
            })
        })
    } else {
        entries.iter().any(has_macros)
    };
    is_found.then_some(at..at + 4)
}
