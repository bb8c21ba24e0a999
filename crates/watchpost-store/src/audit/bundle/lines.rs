//! The lines of the files of a bundle, read by several threads at once, and what is looked for in them, without reading JSON
//! where the line is of the form that Watchpost writes.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

use crate::audit::apart;
use crate::audit::bundle::{BundleDepth, BundleProblem};
use crate::audit::keys;
use crate::audit::leaf::{Leaf, micros};
use crate::audit::tree::Hash;

/// Bytes read at once by each thread, and about how often progress is told.
const BUFFER: usize = 1 << 20;

/// What all threads share: how far they are.
pub(super) struct Work<'p> {
    pub(super) threads: usize,
    pub(super) done: AtomicU64,
    pub(super) total: u64,
    pub(super) progress: &'p (dyn Fn(u64, u64) -> bool + Sync),
}

impl Work<'_> {
    /// So many bytes more are done.
    ///
    /// # Errors
    /// `Cancelled` when it is to stop.
    pub(super) fn on(&self, bytes: u64) -> Result<(), BundleProblem> {
        let done = self.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if (self.progress)(done, self.total) { Ok(()) } else { Err(BundleProblem::Cancelled) }
    }

    /// Does `work` with each number below the number of threads, at once. The first problem counts, in the order of the
    /// numbers.
    pub(super) fn each<T: Send>(
        &self,
        work: impl Fn(usize) -> Result<T, BundleProblem> + Sync,
    ) -> Result<Vec<T>, BundleProblem> {
        std::thread::scope(|scope| {
            let work = &work;
            let running: Vec<_> = (0..self.threads).map(|n| scope.spawn(move || work(n))).collect();
            running
                .into_iter()
                .map(|thread| {
                    thread.join().unwrap_or_else(|_| Err(BundleProblem::bad("a part of it was not checked")))
                })
                .collect()
        })
    }

    /// Reads the lines of a file, a part of it in each thread; every part has a `T` of its own, and they come in the order
    /// of the file.
    pub(super) fn lines<T: Default + Send>(
        &self,
        path: &Path,
        each: impl Fn(&mut T, &[u8]) -> Result<(), BundleProblem> + Sync,
    ) -> Result<Vec<T>, BundleProblem> {
        let unreadable = |error| BundleProblem::unreadable(path, error);
        let bytes = std::fs::metadata(path).map_err(unreadable)?.len();
        let parts = self.threads as u64;
        self.each(|n| {
            let (from, to) = (bytes * n as u64 / parts, bytes * (n as u64 + 1) / parts);
            let mut reader = BufReader::with_capacity(BUFFER, File::open(path).map_err(unreadable)?);
            let (mut at, mut line, mut told) = (from, Vec::new(), from);
            if from > 0 {
                // The line that begins before this part is one of the part before.
                reader.seek(SeekFrom::Start(from - 1)).map_err(unreadable)?;
                at += reader.read_until(b'\n', &mut line).map_err(unreadable)? as u64 - 1;
            }
            let mut state = T::default();
            while at < to {
                line.clear();
                let n = reader.read_until(b'\n', &mut line).map_err(unreadable)?;
                if n == 0 {
                    break;
                }
                at += n as u64;
                each(&mut state, line.strip_suffix(b"\n").unwrap_or(&line))?;
                if at - told >= BUFFER as u64 {
                    self.on(at - told)?;
                    told = at;
                }
            }
            self.on(at.saturating_sub(told))?;
            Ok(state)
        })
    }

    /// Compares every file with its line of `SHA256SUMS`, several at once; their names.
    pub(super) fn sums(&self, folder: &Path) -> Result<Vec<String>, BundleProblem> {
        let listed = super::text(folder, "SHA256SUMS")?;
        let mut files = Vec::new();
        for line in listed.lines() {
            let (sum, name) =
                line.split_once("  ").ok_or_else(|| BundleProblem::bad("SHA256SUMS cannot be read"))?;
            let is_inside =
                Path::new(name).components().all(|part| matches!(part, std::path::Component::Normal(_)));
            if !is_inside {
                return Err(BundleProblem::bad(format!(
                    "SHA256SUMS names {name:?}, which is not in the folder"
                )));
            }
            files.push((sum, name));
        }
        let next = AtomicU64::new(0);
        self.each(|_| {
            while let Some((sum, name)) =
                usize::try_from(next.fetch_add(1, Ordering::Relaxed)).ok().and_then(|n| files.get(n))
            {
                if hex::encode(self.sum(&folder.join(name))?) != *sum {
                    return Err(BundleProblem::bad(format!("{name} is not the file that SHA256SUMS names")));
                }
            }
            Ok(())
        })?;
        Ok(files.into_iter().map(|(_, name)| name.to_owned()).collect())
    }

    fn sum(&self, path: &Path) -> Result<Hash, BundleProblem> {
        let unreadable = |error| BundleProblem::unreadable(path, error);
        let mut file = File::open(path).map_err(unreadable)?;
        let (mut piece, mut hash) = (vec![0; BUFFER], Sha256::new());
        loop {
            let n = file.read(&mut piece).map_err(unreadable)?;
            if n == 0 {
                return Ok(hash.finalize().into());
            }
            hash.update(piece.get(..n).unwrap_or_default());
            self.on(0)?;
        }
    }
}

/// The id of a key of a person.
pub(super) type Id = [u8; 16];

/// What is looked for in a leaf.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) seq: i64,
    /// The commitment to what is sealed.
    pub(super) commitment: Hash,
    /// The key that it was sealed under.
    pub(super) key: Id,
    /// Does it tell of a key that signs, of an erasure, or of a record that is set apart? An export has these leaves also from outside of its period.
    pub(super) is_aside: bool,
    /// Its time in microseconds, where all of a bundle is checked.
    pub(super) at: Option<i64>,
}

/// Reads a leaf of this log; `None` if it is not canonical, or of another log.
///
/// The leaf whole is there if it is one that an export has from outside of its period as well.
pub(super) fn leaf(line: &[u8], log: &str, depth: BundleDepth) -> Option<(Told, Option<Leaf>)> {
    if let Some(told) = plain_leaf(line, log, depth) {
        return Some((told, None));
    }
    let leaf = Leaf::parse(line).filter(|leaf| leaf.client.log == log)?;
    let (commitment, key) = (hash(leaf.client.commitment.as_bytes())?, id(leaf.client.key.as_bytes())?);
    let is_aside = matches!(
        leaf.client.action.as_str(),
        keys::ADD | keys::REVOKE | crate::privacy::DONE | apart::ACTION
    );
    let at = time(leaf.at.as_bytes(), depth);
    Some((Told { seq: leaf.seq, commitment, key, is_aside, at }, is_aside.then_some(leaf)))
}

/// The time of a leaf; of leaves alone nobody asks for it.
fn time(text: &[u8], depth: BundleDepth) -> Option<i64> {
    match depth {
        BundleDepth::Whole => std::str::from_utf8(text).ok().and_then(micros),
        BundleDepth::Leaves => None,
    }
}

/// A leaf without facts and without escapes, member by member: almost every one is. What is not of this form is for
/// [`Leaf::parse`].
fn plain_leaf(line: &[u8], log: &str, depth: BundleDepth) -> Option<Told> {
    let mut rest = line;
    let action = member(&mut rest, br#"{"b":{"a":""#)?;
    let is_aside = action == crate::privacy::DONE.as_bytes() || action == apart::ACTION.as_bytes();
    if is_aside || action.starts_with(b"key.") {
        return None;
    }
    member(&mut rest, br#","by":""#)?;
    let commitment = hash(member(&mut rest, br#","c":""#)?)?;
    member(&mut rest, br#","h":""#)?;
    let key = id(member(&mut rest, br#","k":""#)?)?;
    member(&mut rest, br#","kc":""#)?;
    (member(&mut rest, br#","l":""#)? == log.as_bytes()).then_some(())?;
    for name in [&br#","o":""#[..], br#","p":""#, br#","r":""#, br#","t":""#] {
        member(&mut rest, name)?;
    }
    member(&mut rest, br#","v":1},"d":""#)?;
    rest = rest.strip_prefix(br#","s":"#)?;
    let end = rest.iter().position(|byte| *byte == b',')?;
    let (digits, behind) = rest.split_at_checked(end)?;
    rest = behind;
    let at = member(&mut rest, br#","t":""#)?;
    (rest == b"}").then_some(())?;
    Some(Told { seq: number(digits)?, commitment, key, is_aside: false, at: time(at, depth) })
}

/// The text of a member behind `name`, which ends with a quotation mark; none with an escape.
fn member<'a>(rest: &mut &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let text = rest.strip_prefix(name)?;
    let (text, behind) = text.split_at_checked(memchr::memchr(b'"', text)?)?;
    // Without an early end this is done for many bytes at once.
    let is_plain = text.iter().fold(true, |plain, byte| plain & (*byte != b'\\') & (*byte >= 0x20));
    *rest = behind.get(1..).filter(|_| is_plain)?;
    Some(text)
}

/// A number as JSON has it.
fn number(digits: &[u8]) -> Option<i64> {
    let is_canonical = digits == b"0" || digits.first().is_some_and(|first| matches!(first, b'1'..=b'9'));
    let is_number = is_canonical && digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits).ok().filter(|_| is_number)?.parse().ok()
}

/// 32 bytes in hexadecimal, small letters.
pub(super) fn hash(text: &[u8]) -> Option<Hash> {
    bytes(text)
}

/// The id of a key in hexadecimal, small letters.
pub(super) fn id(text: &[u8]) -> Option<Id> {
    bytes(text)
}

/// Hexadecimal digits by their letters, small ones; others are [`NO_DIGIT`].
const DIGITS: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut value = 0_u8;
    while value < 16 {
        digits[b"0123456789abcdef"[value as usize] as usize] = value;
        value += 1;
    }
    digits
};
const NO_DIGIT: u8 = 0x80;

/// There are several of these in each record, so no early end keeps them from being done many at once.
pub(super) fn bytes<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let (pairs, rest) = text.as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let (mut found, mut all) = ([0; N], 0);
    for (byte, [high, low]) in found.iter_mut().zip(pairs) {
        let (high, low) = (DIGITS[usize::from(*high)], DIGITS[usize::from(*low)]);
        all |= high | low;
        *byte = high << 4 | low;
    }
    (all < NO_DIGIT).then_some(found)
}

/// A line of `records.jsonl`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub(super) seq: i64,
    /// Nonce (hex) and ciphertext (base64); absent if they were erased.
    pub(super) sealed: Option<(&'a [u8], &'a [u8])>,
    /// The key of this one (hex) and what it opens to; absent if the person was erased.
    pub(super) opened: Option<(&'a [u8], &'a [u8])>,
}

/// Reads a record as the export writes it: members in their order, no white space.
pub(super) fn record(line: &[u8]) -> Option<Record<'_>> {
    let (key, rest) = member_or_null(line.strip_prefix(br#"{"key":"#)?)?;
    let (nonce, rest) = member_or_null(rest.strip_prefix(br#","nonce":"#)?)?;
    let rest = rest.strip_prefix(br#","payload":"#)?.strip_suffix(b"}")?;
    // From behind: a payload may hold anything.
    let digits = rest.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (rest, digits) = rest.split_at_checked(rest.len().checked_sub(digits)?)?;
    let (seq, rest) = (number(digits)?, rest.strip_suffix(br#","seq":"#)?);
    let (payload, sealed) = match rest.strip_suffix(b"\"") {
        Some(rest) => {
            let at = rest.iter().rposition(|byte| *byte == b'"')? + 1;
            let (rest, sealed) = rest.split_at_checked(at)?;
            (rest.strip_suffix(br#","sealed":""#)?, Some(sealed))
        }
        None => (rest.strip_suffix(br#","sealed":null"#)?, None),
    };
    let sealed = match (nonce, sealed) {
        (Some(nonce), Some(sealed)) => Some((nonce, sealed)),
        (None, None) => None,
        _ => return None,
    };
    let opened = match (key, payload) {
        (None, b"null") => None,
        (Some(key), payload) if sealed.is_some() => Some((key, payload)),
        _ => return None,
    };
    Some(Record { seq, sealed, opened })
}

/// A text or `null` at the begin, and what follows it.
fn member_or_null(text: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    if let Some(rest) = text.strip_prefix(b"null") {
        return Some((None, rest));
    }
    let mut rest = text;
    let found = member(&mut rest, b"\"")?;
    Some((Some(found), rest))
}

#[cfg(test)]
mod tests {
    use super::{leaf, plain_leaf, record};
    use crate::audit::bundle::BundleDepth::{Leaves, Whole};
    use crate::audit::leaf::{ClientPart, Leaf};

    fn a_leaf(action: &str, facts: &[(&str, &str)]) -> Leaf {
        Leaf {
            client: ClientPart {
                action: action.to_owned(),
                by: "0a".repeat(16),
                commitment: "5c".repeat(32),
                facts: facts.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect(),
                host: "0b".repeat(16),
                key: "0c".repeat(16),
                key_check: "0d".repeat(16),
                log: "1f".repeat(16),
                object: "0e".repeat(16),
                permission: "triage".to_owned(),
                outcome: "success".to_owned(),
                at: "2026-11-22T08:00:00.000000Z".to_owned(),
                version: 1,
            },
            login: "0f".repeat(16),
            seq: 4_711,
            at: "2026-11-22T08:00:00.000001Z".to_owned(),
        }
    }

    #[test]
    fn a_plain_leaf_is_read_as_the_parser_reads_it_and_no_other() {
        let log = "1f".repeat(16);
        let plain = a_leaf("incident_take", &[]).to_bytes().unwrap();
        let told = plain_leaf(&plain, &log, Whole).expect("it has no facts and no escapes");
        assert_eq!((told.seq, told.commitment, told.key), (4_711, [0x5c; 32], [0x0c; 16]));
        let micros = a_leaf("incident_take", &[]).micros();
        assert!(told.at == micros && micros.is_some(), "{told:?}");
        assert_eq!(plain_leaf(&plain, &log, Leaves).and_then(|told| told.at), None);
        for (action, facts) in [
            ("checkpoint.sign", &[("root", "x")][..]),
            ("quote\"", &[]),
            ("key.add", &[("vkey", "x")]),
            ("erasure.done", &[]),
            ("audit_set_apart", &[]),
        ] {
            let other = a_leaf(action, facts).to_bytes().unwrap();
            assert!(plain_leaf(&other, &log, Whole).is_none(), "{action}");
            let (told, whole) = leaf(&other, &log, Whole).expect("the parser reads it");
            let is_aside = matches!(action, "key.add" | "erasure.done" | "audit_set_apart");
            assert_eq!((told.seq, told.is_aside, whole.is_some()), (4_711, is_aside, is_aside));
            assert_eq!(told.at, micros, "{action}");
        }
        assert!(leaf(&plain, "another log", Whole).is_none());
        for cut in 0..plain.len() {
            assert!(leaf(&plain[..cut], &log, Whole).is_none(), "cut at {cut}");
        }
        let text = String::from_utf8(plain).unwrap();
        for (from, to) in [
            ("\"s\":4711", "\"s\":04711"),
            ("\"s\":4711", "\"s\": 4711"),
            ("5c5c", "5C5c"),
            ("\"v\":1}", "\"v\":1,\"w\":2}"),
            ("{\"b\"", "{ \"b\""),
        ] {
            let altered = text.replacen(from, to, 1);
            assert_ne!(altered, text);
            assert!(leaf(altered.as_bytes(), &log, Whole).is_none(), "{to}");
        }
    }

    #[test]
    fn a_record_is_read_whatever_its_payload_says() {
        let payload = r#"{"actor":"\",\"sealed\":\"AA\",\"seq\":9}","reason":null}"#;
        let line = format!(r#"{{"key":"6b","nonce":"6e","payload":{payload},"sealed":"AAE=","seq":12}}"#);
        let found = record(line.as_bytes()).unwrap();
        assert_eq!(found.seq, 12);
        assert_eq!(found.sealed, Some((&b"6e"[..], &b"AAE="[..])));
        assert_eq!(found.opened, Some((&b"6b"[..], payload.as_bytes())));
        let erased = record(br#"{"key":null,"nonce":null,"payload":null,"sealed":null,"seq":0}"#).unwrap();
        assert_eq!((erased.seq, erased.sealed, erased.opened), (0, None, None));
        let closed = record(br#"{"key":null,"nonce":"6e","payload":null,"sealed":"AA==","seq":1}"#).unwrap();
        assert!(closed.sealed.is_some() && closed.opened.is_none());
        for bad in [
            r#"{"key":null,"nonce":null,"payload":{"a":1},"sealed":null,"seq":0}"#,
            r#"{"key":"6b","nonce":null,"payload":null,"sealed":null,"seq":0}"#,
            r#"{"key":null,"nonce":"6e","payload":null,"sealed":null,"seq":0}"#,
            r#"{"key":null,"nonce":null,"payload":null,"sealed":null,"seq":}"#,
            r#"{"key":null,"nonce":null,"payload":null,"sealed":null,"seq":01}"#,
            "",
        ] {
            assert_eq!(record(bad.as_bytes()), None, "{bad}");
        }
    }
}
