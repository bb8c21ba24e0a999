//! Checking an export of the trail as `verify.py` does, without a database, on all cores: the tree, its tiles, what each leaf
//! commits to, and what opens.
//!
//! Files are read line by line by several threads; kept is a hash, a commitment, the id of a key and a time for each record,
//! 112 bytes.

mod erasures;
mod lines;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::audit::apart;
use crate::audit::bundle::erasures::Erasures;
use crate::audit::bundle::lines::{Told, Work, hash, leaf, record};
use crate::audit::export::{MEANT, meant_text};
use crate::audit::keys::{self, Added};
use crate::audit::leaf::Leaf;
use crate::audit::sign::VerifierKey;
use crate::audit::tile;
use crate::audit::tree::{Frontier, Hash, leaf_hash};
use crate::audit::verify::times::Times;

/// How much is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BundleDepth {
    /// The tree, its tiles, the leaves, and that they commit to what is sealed in the records.
    Leaves,
    /// Also that what is sealed opens to what the records say, the sums of all files, and what times tell of clocks.
    Whole,
}

/// A bundle that holds.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct BundleChecked {
    /// Records of the log.
    pub size: u64,
    /// The root, base64.
    pub root: String,
    /// The key that signed, as a C2SP verifier key.
    pub key: String,
    /// Leaves in it.
    pub leaves: u64,
    /// Records in it.
    pub records: u64,
    /// Those of them without content, each of which an erasure in the log explains.
    pub erased: u64,
    /// Those of them that do not open and that the log sets apart.
    pub set_apart: u64,
    /// Tiles in it.
    pub tiles: u64,
    /// What the times of its leaves tell of the clocks that wrote them, for people, as the check of a database does; nothing
    /// where leaves alone were checked.
    pub warnings: Vec<String>,
}

/// Why a bundle does not hold.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleProblem {
    /// The first thing that does not fit, for people.
    #[error("{0}")]
    Bad(String),
    /// A file that is not there, or cannot be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        error: std::io::Error,
    },
    /// It was stopped.
    #[error("the check was stopped")]
    Cancelled,
}

impl BundleProblem {
    fn bad(text: impl Into<String>) -> Self {
        Self::Bad(text.into())
    }

    fn unreadable(path: &Path, error: std::io::Error) -> Self {
        Self::Unreadable { path: path.to_owned(), error }
    }
}

/// Checks the bundle in `folder`, signed by the key `trusted` or one that it led to; without it only that the files fit each
/// other. `progress` gets bytes done and bytes in all, and stops the check by answering `false`.
///
/// # Errors
/// The first thing that does not hold, or a file that cannot be read.
pub fn check_bundle(
    folder: &Path,
    trusted: Option<&str>,
    depth: BundleDepth,
    progress: &(dyn Fn(u64, u64) -> bool + Sync),
) -> Result<BundleChecked, BundleProblem> {
    let mut total = 0;
    for name in ["hashes", "leaves.jsonl", "records.jsonl"] {
        let path = folder.join(name);
        total += std::fs::metadata(&path).map_err(|error| BundleProblem::unreadable(&path, error))?.len();
    }
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let work = Work { threads, done: AtomicU64::new(0), total, progress };
    work.on(0)?;
    if depth == BundleDepth::Whole {
        let listed = work.sums(folder)?;
        for name in ["checkpoint", "log.vkey", "hashes", "leaves.jsonl", "records.jsonl"] {
            if !listed.iter().any(|one| one == name) {
                return Err(BundleProblem::bad(format!("SHA256SUMS does not name {name}")));
            }
        }
    }
    let signed = Signed::read(folder)?;
    let hashes = hashes(&work, folder, &signed)?;
    let tiles = tree(&work, folder, &hashes, &signed)?;
    let (leaves, erasures) = leaves(&work, folder, &hashes, &signed, trusted, depth)?;
    let shown = records(&work, folder, &leaves, depth)?;
    let (mut erased, mut set_apart) = (0, 0);
    for leaf in shown.closed.iter().filter_map(|at| leaves.get(*at)) {
        let hash = usize::try_from(leaf.seq).ok().and_then(|at| hashes.get(at));
        if erasures.explain(leaf) {
            erased += 1;
        } else if erasures.is_closed(leaf.seq, hash) {
            set_apart += 1;
        } else {
            let text = format!("record {} is not shown, and nothing in the log says why", leaf.seq);
            return Err(BundleProblem::Bad(text));
        }
    }
    complete(&signed, &shown, leaves.len() as u64, meant(folder, &signed)?.as_deref())?;
    Ok(BundleChecked {
        size: signed.size,
        root: STANDARD.encode(signed.root),
        key: signed.vkey,
        leaves: leaves.len() as u64,
        records: shown.n,
        erased,
        set_apart,
        tiles,
        warnings: clocks(&leaves, &erasures),
    })
}

/// What the times of leaves tell of the clocks that wrote them.
fn clocks(leaves: &[Told], erasures: &Erasures) -> Vec<String> {
    let mut times = Times::default();
    for leaf in leaves {
        if let Some(at) = leaf.at {
            times.take(leaf.seq, at, erasures.is_purge(leaf.seq));
        }
    }
    times.warnings()
}

/// Is all there that the export is meant to show? Of one that nobody signed for, everything has to be.
fn complete(signed: &Signed, shown: &Shown, leaves: u64, meant: Option<&str>) -> Result<(), BundleProblem> {
    let (first, end) = shown.records;
    let is_complete = match meant {
        Some(says) => {
            let root = STANDARD.encode(signed.root);
            says == meant_text(&signed.log, signed.size, &root, shown.records, leaves)
        }
        None => first == 0 && u64::try_from(end) == Ok(signed.size) && leaves == signed.size,
    };
    if is_complete {
        return Ok(());
    }
    let (n, size) = (end - first, signed.size);
    let shows = format!("{n} records from {first} on and {leaves} leaves of a log of {size}");
    Err(BundleProblem::bad(match meant {
        Some(_) => format!("{MEANT} was signed for something else than what is here: {shows}"),
        None => format!("here are {shows}, and nothing signed says that no more is meant to be ({MEANT})"),
    }))
}

/// What the key of the checkpoint signed that the export shows; `None` if there is nothing of it.
fn meant(folder: &Path, signed: &Signed) -> Result<Option<String>, BundleProblem> {
    if !folder.join(MEANT).exists() {
        return Ok(None);
    }
    let note = text(folder, MEANT)?;
    let says = VerifierKey::parse(&signed.vkey).and_then(|key| key.open(&note).map(str::to_owned));
    says.map(Some).ok_or_else(|| {
        BundleProblem::bad(format!("{MEANT} is not signed by the key of the checkpoint, or was altered"))
    })
}

fn text(folder: &Path, name: &str) -> Result<String, BundleProblem> {
    let path = folder.join(name);
    std::fs::read_to_string(&path).map_err(|error| BundleProblem::unreadable(&path, error))
}

/// What the checkpoint says, and by whom.
struct Signed {
    vkey: String,
    log: String,
    size: u64,
    root: Hash,
}

impl Signed {
    fn read(folder: &Path) -> Result<Self, BundleProblem> {
        let vkey = text(folder, "log.vkey")?.trim().to_owned();
        let key = VerifierKey::parse(&vkey).ok_or_else(|| BundleProblem::bad("log.vkey cannot be read"))?;
        if folder.join("pub.pem").exists() && text(folder, "pub.pem")? != key.pem() {
            return Err(BundleProblem::bad("pub.pem is not the key of log.vkey"));
        }
        let note = text(folder, "checkpoint")?;
        let said = key.open(&note).ok_or_else(|| {
            BundleProblem::bad(format!("the checkpoint is not signed by {}, or was altered", key.name()))
        })?;
        let (log, size, root) = checkpoint(said)
            .ok_or_else(|| BundleProblem::bad("the checkpoint is not one of an audit trail"))?;
        Ok(Self { log, size, root, vkey })
    }
}

/// Log, size and root of the text of a checkpoint.
fn checkpoint(text: &str) -> Option<(String, u64, Hash)> {
    let mut lines = text.lines();
    let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
    lines.next().is_none().then_some(())?;
    let log = origin.strip_prefix("watchpost.local/audit/")?.to_owned();
    Some((log, size.parse().ok()?, STANDARD.decode(root).ok()?.try_into().ok()?))
}

fn hashes(work: &Work<'_>, folder: &Path, signed: &Signed) -> Result<Vec<Hash>, BundleProblem> {
    let parts = work.lines(&folder.join("hashes"), |found: &mut Vec<Hash>, line| {
        found.push(hash(line).ok_or_else(|| BundleProblem::bad("a line of hashes is no hash"))?);
        Ok(())
    })?;
    let hashes = parts.concat();
    if hashes.len() as u64 != signed.size {
        return Err(BundleProblem::bad(format!(
            "there are {} hashes, the checkpoint has {} records",
            hashes.len(),
            signed.size
        )));
    }
    Ok(hashes)
}

/// Leads the hashes to the root, and compares the tiles; how many there are.
fn tree(work: &Work<'_>, folder: &Path, hashes: &[Hash], signed: &Signed) -> Result<u64, BundleProblem> {
    let mut n_tiles = 0;
    let (mut level, mut row) = (0, hashes.to_vec());
    // Of each level what is not full stands right of all that is above it.
    let mut rests = Vec::new();
    while !row.is_empty() {
        let (full, rest) = row.as_chunks::<256>();
        let above = work.each(|n| {
            let (from, to) = (full.len() * n / work.threads, full.len() * (n + 1) / work.threads);
            let mut roots = Vec::with_capacity(to - from);
            for (at, part) in full.iter().enumerate().take(to).skip(from) {
                same_tile(folder, level, at as u64, part)?;
                roots.push(tile::root(part));
            }
            work.on(0)?;
            Ok(roots)
        })?;
        n_tiles += full.len() as u64 + u64::from(!rest.is_empty());
        if !rest.is_empty() {
            same_tile(folder, level, full.len() as u64, rest)?;
        }
        rests.push(rest.to_vec());
        (level, row) = (level + 1, above.concat());
    }
    if root(&rests) != signed.root {
        return Err(BundleProblem::bad(
            "ROOT MISMATCH: the hashes do not lead to the root of the checkpoint",
        ));
    }
    Ok(n_tiles)
}

/// The root of a tree by what is not full of each level, from below.
fn root(rests: &[Vec<Hash>]) -> Hash {
    let mut right = None;
    for rest in rests.iter().filter(|rest| !rest.is_empty()) {
        let mut tree = Frontier::default();
        rest.iter().chain(&right).for_each(|hash| tree.push(*hash));
        right = Some(tree.root());
    }
    right.unwrap_or_else(|| Frontier::default().root())
}

fn same_tile(folder: &Path, level: usize, n: u64, hashes: &[Hash]) -> Result<(), BundleProblem> {
    let name = tile::path(level, n, hashes.len() as u64);
    let path = folder.join(&name);
    let found = std::fs::read(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => BundleProblem::bad(format!("{name} is not there")),
        _ => BundleProblem::unreadable(&path, error),
    })?;
    if found == hashes.as_flattened() {
        return Ok(());
    }
    Err(BundleProblem::bad(format!("{name} is not the tile that the hashes make")))
}

/// The leaves of a part of the file, and those of them that tell of keys, erasures and what is set apart.
type Part = (Vec<Told>, Vec<Leaf>);

fn leaves(
    work: &Work<'_>,
    folder: &Path,
    hashes: &[Hash],
    signed: &Signed,
    trusted: Option<&str>,
    depth: BundleDepth,
) -> Result<(Vec<Told>, Erasures), BundleProblem> {
    let parts = work.lines(&folder.join("leaves.jsonl"), |(found, aside): &mut Part, line| {
        let Some((told, whole)) = leaf(line, &signed.log, depth) else {
            let behind =
                found.last().map_or_else(String::new, |told| format!(" behind that of record {}", told.seq));
            return Err(BundleProblem::bad(format!("a leaf{behind} is not canonical, or of another log")));
        };
        let seq = told.seq;
        let expect = usize::try_from(seq).ok().and_then(|at| hashes.get(at));
        let expect =
            expect.ok_or_else(|| BundleProblem::bad(format!("the leaf of record {seq} is out of order")))?;
        if leaf_hash(line) != *expect {
            return Err(BundleProblem::bad(format!(
                "record {seq}: the leaf does not have the hash that is in the tree ({})",
                tile::of_record(seq)
            )));
        }
        found.push(told);
        aside.extend(whole);
        Ok(())
    })?;
    let (mut leaves, mut keys, mut erasures) =
        (Vec::new(), Keys::new(&signed.log, trusted), Erasures::default());
    let mut aside = Vec::new();
    for (found, of_part) in parts {
        leaves.extend(found);
        aside.extend(of_part);
    }
    // What is set apart comes before what sets it apart.
    for leaf in &aside {
        erasures.set_apart(leaf);
    }
    for leaf in &aside {
        match leaf.client.action.as_str() {
            crate::privacy::DONE => erasures.take(leaf)?,
            apart::ACTION => {}
            _ => {
                let hash = usize::try_from(leaf.seq).ok().and_then(|at| hashes.get(at));
                if let Err(problem) = keys.take(leaf)
                    && !erasures.is_no_key(leaf.seq, hash)
                {
                    return Err(problem);
                }
            }
        }
    }
    let mut pairs = leaves.iter().zip(leaves.iter().skip(1));
    if let Some((_, told)) = pairs.find(|(before, told)| before.seq >= told.seq) {
        return Err(BundleProblem::bad(format!("the leaf of record {} is out of order", told.seq)));
    }
    keys.check(signed)?;
    Ok((leaves, erasures))
}

/// The keys that the log tells of, in the order of its records.
struct Keys<'a> {
    log: &'a str,
    trusted: Option<&'a str>,
    /// With the number of the record that added it, and whether the trusted key leads to it.
    known: HashMap<String, (i64, bool)>,
    revoked: HashMap<String, i64>,
}

impl<'a> Keys<'a> {
    fn new(log: &'a str, trusted: Option<&'a str>) -> Self {
        Self { log, trusted, known: HashMap::new(), revoked: HashMap::new() }
    }

    fn take(&mut self, leaf: &Leaf) -> Result<(), BundleProblem> {
        let unreadable = || BundleProblem::bad(format!("record {}: its key cannot be read", leaf.seq));
        if leaf.client.action == keys::REVOKE {
            let vkey = leaf.client.facts.get("vkey").and_then(|vkey| vkey.as_str()).ok_or_else(unreadable)?;
            self.revoked.entry(vkey.to_owned()).or_insert(leaf.seq);
            return Ok(());
        }
        let Added { vkey, key, after } = keys::added(leaf).ok_or_else(unreadable)?;
        let mut is_led_to = self.trusted == Some(vkey.as_str());
        if let Some((before, proof)) = after {
            let led = self.known.get(&before).filter(|_| !self.revoked.contains_key(&before));
            let (_, led) =
                led.filter(|_| keys::vouches(&before, &proof, self.log, &vkey)).ok_or_else(|| {
                    let before = before.split('+').next().unwrap_or_default();
                    let text = format!(
                        "record {}: the key {before} does not vouch for the key {}",
                        leaf.seq,
                        key.name()
                    );
                    BundleProblem::bad(text)
                })?;
            is_led_to |= *led;
        }
        self.known.entry(vkey).or_insert((leaf.seq, is_led_to));
        Ok(())
    }

    /// Did a key sign that may, and that the trusted one leads to?
    fn check(&self, signed: &Signed) -> Result<(), BundleProblem> {
        let (vkey, size) = (signed.vkey.as_str(), signed.size);
        let name = vkey.split('+').next().unwrap_or_default();
        let covers = |seq: i64| u64::try_from(seq).is_ok_and(|seq| seq < size);
        let why = match self.known.get(vkey) {
            None => {
                format!("the log does not know the key that signed: there is no key.add record of {name}")
            }
            Some((added, _)) if !covers(*added) => format!("the key {name} was added after the checkpoint"),
            Some((_, false)) if self.trusted.is_some() => format!(
                "the checkpoint is signed by {name}, to which the key that you trust does not lead: {vkey}"
            ),
            Some(_) => match self.revoked.get(vkey).filter(|seq| covers(**seq)) {
                Some(seq) => format!("the checkpoint is signed by {name}, which was revoked by record {seq}"),
                None => return Ok(()),
            },
        };
        Err(BundleProblem::Bad(why))
    }
}

/// What a thread knows of the records of its part.
#[derive(Default)]
struct Seen {
    first: Option<i64>,
    next: i64,
    n: u64,
    /// Where in the leaves those are of which nothing opens.
    closed: Vec<usize>,
    /// Where in the leaves the next record is looked for.
    at: usize,
    sealed: Vec<u8>,
}

/// The records of an export.
struct Shown {
    n: u64,
    /// The first, and one behind the last.
    records: (i64, i64),
    /// Where in the leaves those are of which nothing opens.
    closed: Vec<usize>,
}

fn records(
    work: &Work<'_>,
    folder: &Path,
    leaves: &[Told],
    depth: BundleDepth,
) -> Result<Shown, BundleProblem> {
    let parts = work.lines(&folder.join("records.jsonl"), |seen: &mut Seen, line| {
        one_record(seen, line, leaves, depth).map_err(BundleProblem::Bad)
    })?;
    let (mut n, mut closed, mut shown) = (0, Vec::new(), None::<(i64, i64)>);
    for part in parts {
        let Some(first) = part.first else { continue };
        if let Some((_, expected)) = shown.filter(|(_, expected)| *expected != first) {
            return Err(BundleProblem::bad(format!("record {expected} is missing")));
        }
        n += part.n;
        closed.extend(part.closed);
        shown = Some((shown.map_or(first, |(begin, _)| begin), part.next));
    }
    let (begin, end) = shown.unwrap_or((0, 0));
    if let Some(leaf) = leaves.iter().find(|leaf| !leaf.is_aside && !(begin..end).contains(&leaf.seq)) {
        return Err(BundleProblem::bad(format!("record {} is missing", leaf.seq)));
    }
    Ok(Shown { n, records: (begin, end), closed })
}

/// A record against its leaf: commitment, and what is sealed against what is said.
fn one_record(seen: &mut Seen, line: &[u8], leaves: &[Told], depth: BundleDepth) -> Result<(), String> {
    let found = record(line).ok_or_else(|| {
        seen.first.map_or_else(
            || "a record cannot be read".to_owned(),
            |_| format!("the record behind record {} cannot be read", seen.next - 1),
        )
    })?;
    let seq = found.seq;
    if seen.first.is_some() && seq != seen.next {
        return Err(format!("record {} is missing", seen.next));
    }
    seen.first.get_or_insert(seq);
    (seen.next, seen.n) = (seq.saturating_add(1), seen.n + 1);
    if leaves.get(seen.at).is_none_or(|leaf| leaf.seq != seq) {
        seen.at = leaves
            .binary_search_by_key(&seq, |leaf| leaf.seq)
            .map_err(|_| format!("record {seq} has no leaf"))?;
    }
    let commitment = leaves.get(seen.at).map(|leaf| leaf.commitment);
    if found.opened.is_none() {
        seen.closed.push(seen.at);
    }
    seen.at += 1;
    let Some((nonce, sealed)) = found.sealed else { return Ok(()) };
    let unreadable = || format!("record {seq}: what is sealed cannot be read");
    let bytes: [u8; 24] = lines::bytes(nonce).ok_or_else(unreadable)?;
    seen.sealed.clear();
    STANDARD.decode_vec(sealed, &mut seen.sealed).map_err(|_| unreadable())?;
    let digest = Sha256::new().chain_update([2]).chain_update(bytes).chain_update(&seen.sealed).finalize();
    if commitment != Some(digest.into()) {
        return Err(format!("record {seq}: what is sealed is not what the leaf commits to"));
    }
    if let (BundleDepth::Whole, Some((key, payload))) = (depth, found.opened) {
        let key = hash(key).ok_or_else(|| format!("record {seq}: its key cannot be read"))?;
        let plain = crate::audit::seal::open_one(&key, &bytes, &seen.sealed)
            .ok_or_else(|| format!("record {seq}: its key does not open it"))?;
        if plain != payload {
            return Err(format!("record {seq}: what the export says is not what is sealed"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::root;
    use crate::audit::tree::{Frontier, Hash, leaf_hash};

    #[test]
    fn tiles_lead_to_the_root_of_every_size() {
        let all: Vec<Hash> = (0..66_100_u32).map(|n| leaf_hash(&n.to_be_bytes())).collect();
        for size in [0, 1, 2, 255, 256, 257, 511, 512, 600, 65_535, 65_536, 65_537, 65_541, 65_792, 66_100] {
            let (mut row, mut rests) = (all[..size].to_vec(), Vec::new());
            while !row.is_empty() {
                let (full, rest) = row.as_chunks::<256>();
                rests.push(rest.to_vec());
                row = full.iter().map(|part| crate::audit::tile::root(part)).collect();
            }
            let mut tree = Frontier::default();
            all[..size].iter().for_each(|hash| tree.push(*hash));
            assert_eq!(root(&rests), tree.root(), "size {size}");
        }
    }
}
