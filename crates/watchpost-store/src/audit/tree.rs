//! The hash tree of RFC 6962, section 2.1, kept as its frontier: the roots of the complete subtrees from left to right.

use sha2::{Digest, Sha256};

use crate::error::StoreError;

/// A SHA-256 value.
pub(crate) type Hash = [u8; 32];

/// Hash of a leaf: `SHA-256(0x00 || bytes)`.
pub(crate) fn leaf_hash(bytes: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(bytes).finalize().into()
}

/// Hash of an inner node: `SHA-256(0x01 || left || right)`.
pub(crate) fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// A tree of which only what is needed to append is known. O(log n) to append, O(log n) memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Frontier {
    size: u64,
    nodes: Vec<Hash>,
}

impl Frontier {
    /// Number of leaves.
    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    /// Adds the hash of the next leaf.
    pub(crate) fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.nodes.pop() {
                node = node_hash(&left, &node);
            }
        }
        self.nodes.push(node);
        self.size += 1;
    }

    /// The root; of the empty tree SHA-256 of nothing.
    pub(crate) fn root(&self) -> Hash {
        let mut nodes = self.nodes.iter().rev();
        let Some(&last) = nodes.next() else { return Sha256::digest([]).into() };
        nodes.fold(last, |right, left| node_hash(left, &right))
    }

    /// The nodes one after the other, for storing.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.nodes.concat()
    }

    /// The nodes as text.
    pub(crate) fn to_hex(&self) -> String {
        hex::encode(self.nodes.concat())
    }

    /// As [`Frontier::from_bytes`], from [`Frontier::to_hex`].
    ///
    /// # Errors
    /// `Corrupt` if it is not hex or does not fit the size.
    pub(crate) fn from_hex(size: i64, text: &str) -> Result<Self, StoreError> {
        let bytes = hex::decode(text)
            .map_err(|_| StoreError::Corrupt("the remembered tree is not hexadecimal".to_owned()))?;
        Self::from_bytes(size, &bytes)
    }

    /// The frontier of a tree of `size` leaves from its stored nodes.
    ///
    /// # Errors
    /// `Corrupt` if the number of nodes does not fit the size.
    pub(crate) fn from_bytes(size: i64, bytes: &[u8]) -> Result<Self, StoreError> {
        let size = u64::try_from(size)
            .map_err(|_| StoreError::Corrupt("the audit log has a negative size".into()))?;
        let (nodes, rest) = bytes.as_chunks::<32>();
        if !rest.is_empty() || nodes.len() != size.count_ones() as usize {
            return Err(StoreError::Corrupt(
                "the frontier of the audit log does not fit its size".to_owned(),
            ));
        }
        Ok(Self { size, nodes: nodes.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::{Frontier, Hash, leaf_hash, node_hash};

    /// The definition of RFC 6962, recursive and slow.
    fn naive(leaves: &[Vec<u8>]) -> Hash {
        match leaves {
            [] => crate::canonical::sha256(&[]),
            [one] => leaf_hash(one),
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                node_hash(&naive(&leaves[..split]), &naive(&leaves[split..]))
            }
        }
    }

    /// The test vectors of certificate-transparency-go, `merkletree` (RFC 6962 reference leaves).
    #[test]
    fn agrees_with_published_roots() {
        let leaves: [&str; 8] = [
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ];
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut frontier = Frontier::default();
        for (leaf, root) in leaves.iter().zip(roots) {
            frontier.push(leaf_hash(&hex::decode(leaf).unwrap()));
            assert_eq!(hex::encode(frontier.root()), root, "size {}", frontier.size());
        }
    }

    #[test]
    fn agrees_with_the_definition_at_every_size() {
        let leaves: Vec<Vec<u8>> = (0_u32..130).map(|n| n.to_be_bytes().to_vec()).collect();
        let mut frontier = Frontier::default();
        for size in 0..=leaves.len() {
            assert_eq!(frontier.root(), naive(&leaves[..size]), "size {size}");
            let stored = Frontier::from_bytes(i64::try_from(size).unwrap(), &frontier.to_bytes()).unwrap();
            assert_eq!(stored, frontier, "stored form at size {size}");
            if let Some(leaf) = leaves.get(size) {
                frontier.push(leaf_hash(leaf));
            }
        }
    }
}
