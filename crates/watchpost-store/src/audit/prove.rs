//! Proofs for somebody without the database: that a record is in the tree of a checkpoint, and that one tree continues
//! another one (RFC 6962, sections 2.1.1 and 2.1.2). Computed from the stored leaf hashes in one pass.

use watchpost_model::audit::Checkpoint;

use crate::audit::sign::signed_text;
use crate::audit::tree::{Frontier, Hash};
use crate::engine::{Tx, args};
use crate::error::StoreError;
use crate::store::Store;

/// Hashes read at once.
const PAGE: i64 = 8_192;

/// That a record is in the tree of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionProof {
    /// Number of the record.
    pub index: i64,
    /// Its leaf: the bytes that are hashed.
    pub leaf: Vec<u8>,
    /// Hashes of the neighbouring subtrees, from the leaf to the root.
    pub hashes: Vec<[u8; 32]>,
    /// The checkpoint with the root that they lead to.
    pub checkpoint: Checkpoint,
}

impl InclusionProof {
    /// As C2SP tlog-proof: index, hashes and checkpoint; the leaf as extra data.
    #[must_use]
    pub fn to_text(&self) -> String {
        use base64::Engine as _;
        use base64::engine::general_purpose::STANDARD;
        use std::fmt::Write as _;

        let mut text =
            format!("c2sp.org/tlog-proof@v1\nextra {}\nindex {}\n", STANDARD.encode(&self.leaf), self.index);
        for hash in &self.hashes {
            let _ = writeln!(text, "{}", STANDARD.encode(hash));
        }
        text.push('\n');
        text.push_str(&self.checkpoint.note);
        text
    }
}

impl Store {
    /// Proves that record `seq` is in the tree of `checkpoint`.
    ///
    /// # Errors
    /// `NotFound` if there is no such record, `Precondition` if the checkpoint does not cover it, `Corrupt` if the leaves
    /// do not lead to the root of the checkpoint: then there is no proof to give.
    pub async fn audit_prove(&self, seq: i64, checkpoint: Checkpoint) -> Result<InclusionProof, StoreError> {
        let mut tx = self.read().await?;
        let row = tx.fetch_optional("SELECT leaf FROM audit_leaf WHERE seq = $1", args![seq]).await?;
        let leaf = row.ok_or_else(|| StoreError::NotFound(format!("audit record {seq}")))?.blob(0)?;
        if seq >= checkpoint.size {
            return Err(StoreError::Precondition(format!(
                "the newest checkpoint has {} records: {seq} is not among them",
                checkpoint.size
            )));
        }
        let ranges = path(seq, 0, checkpoint.size);
        let hashes = subtrees(&mut tx, &ranges).await?;
        let proof = InclusionProof { index: seq, leaf, hashes, checkpoint };
        if !proof.holds() {
            return Err(StoreError::Corrupt(format!(
                "the leaves of the audit log do not lead to the root of the checkpoint of {} records: verify the trail",
                proof.checkpoint.size
            )));
        }
        Ok(proof)
    }
}

impl InclusionProof {
    /// Do the hashes lead from the leaf to the root of the checkpoint? Who signed it is not looked at.
    #[must_use]
    pub fn holds(&self) -> bool {
        use base64::Engine as _;
        let root = root_from(self.index, self.checkpoint.size, &self.leaf, &self.hashes);
        let root = root.map(|root| base64::engine::general_purpose::STANDARD.encode(root));
        let text = signed_text(&self.checkpoint.note).unwrap_or_default();
        let signed = text.lines().nth(2);
        root.is_some() && root.as_deref() == signed && root.as_deref() == Some(self.checkpoint.root.as_str())
    }
}

/// The root that a proof leads to; `None` if it has not the right number of hashes (RFC 9162, 2.1.3.2).
fn root_from(index: i64, size: i64, leaf: &[u8], hashes: &[Hash]) -> Option<Hash> {
    let (mut at, mut last) = (u64::try_from(index).ok()?, u64::try_from(size).ok()?.checked_sub(1)?);
    if at > last {
        return None;
    }
    let mut root = super::tree::leaf_hash(leaf);
    for hash in hashes {
        if last == 0 {
            return None;
        }
        if at & 1 == 1 || at == last {
            root = super::tree::node_hash(hash, &root);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            root = super::tree::node_hash(&root, hash);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    (last == 0).then_some(root)
}

/// The subtrees beside the way from leaf `index` of `[start, end)` to the root, from below.
fn path(index: i64, start: i64, end: i64) -> Vec<(i64, i64)> {
    let mut ranges = Vec::new();
    let (mut start, mut end) = (start, end);
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            ranges.push((middle, end));
            end = middle;
        } else {
            ranges.push((start, middle));
            start = middle;
        }
    }
    ranges.reverse();
    ranges
}

/// The greatest power of two below `n`, which is at least 2.
fn split(n: i64) -> i64 {
    let power = 1_i64 << (63 - n.leading_zeros());
    if power == n { n / 2 } else { power }
}

/// The roots of `ranges`, which do not overlap, in one pass over the leaves.
async fn subtrees(tx: &mut Tx, ranges: &[(i64, i64)]) -> Result<Vec<Hash>, StoreError> {
    let mut roots = Vec::with_capacity(ranges.len());
    for (start, end) in ranges {
        let mut tree = Frontier::default();
        let mut next = *start;
        while next < *end {
            let rows = tx
                .fetch(
                    "SELECT seq, hash FROM audit_leaf WHERE seq >= $1 AND seq < $2 ORDER BY seq LIMIT $3",
                    args![next, *end, PAGE],
                )
                .await?;
            for row in &rows {
                let hash: Result<Hash, _> = row.blob(1)?.as_slice().try_into();
                match hash {
                    Ok(hash) if row.i64(0)? == next => tree.push(hash),
                    _ => return Err(missing(next)),
                }
                next += 1;
            }
            if rows.is_empty() {
                return Err(missing(next));
            }
        }
        roots.push(tree.root());
    }
    Ok(roots)
}

fn missing(seq: i64) -> StoreError {
    StoreError::Corrupt(format!("record {seq} of the audit log is missing: verify the trail"))
}

#[cfg(test)]
mod tests {
    use super::{path, root_from};
    use crate::audit::tree::{Frontier, Hash, leaf_hash};

    fn root(leaves: &[Vec<u8>]) -> Hash {
        let mut tree = Frontier::default();
        leaves.iter().for_each(|leaf| tree.push(leaf_hash(leaf)));
        tree.root()
    }

    #[test]
    fn every_leaf_of_every_small_tree_is_proved_and_nothing_else() {
        let leaves: Vec<Vec<u8>> = (0_u32..70).map(|n| n.to_be_bytes().to_vec()).collect();
        for size in 1..=leaves.len() {
            let expect = root(&leaves[..size]);
            let n = i64::try_from(size).unwrap();
            for index in 0..n {
                let hashes: Vec<Hash> = path(index, 0, n)
                    .iter()
                    .map(|(a, b)| root(&leaves[usize::try_from(*a).unwrap()..usize::try_from(*b).unwrap()]))
                    .collect();
                let leaf = &leaves[usize::try_from(index).unwrap()];
                assert_eq!(root_from(index, n, leaf, &hashes), Some(expect), "{index} of {n}");
                assert_ne!(root_from(index, n, b"other", &hashes), Some(expect), "another leaf");
                assert_ne!(root_from((index + 1) % (n + 1), n, leaf, &hashes), Some(expect), "another place");
                let mut longer = hashes.clone();
                longer.push([0; 32]);
                assert_ne!(root_from(index, n, leaf, &longer), Some(expect), "one hash more");
                if let Some((_, shorter)) = hashes.split_last() {
                    assert_ne!(root_from(index, n, leaf, shorter), Some(expect), "one hash less");
                }
                for bit in 0..hashes.len() * 256 {
                    let mut flipped = hashes.clone();
                    flipped[bit / 256][bit % 256 / 8] ^= 1 << (bit % 8);
                    if bit % 37 == 0 {
                        assert_ne!(root_from(index, n, leaf, &flipped), Some(expect), "bit {bit}");
                    }
                }
            }
        }
    }
}
