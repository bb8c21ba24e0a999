//! Tiles: the hashes of the tree by 256, in the files of C2SP tlog-tiles, from which any client of a log proves that a record
//! is in it and that one state of it continues another.

use crate::audit::tree::{Frontier, Hash};

/// Hashes of a full tile.
const WIDTH: u64 = 256;

/// A tile: the hashes of complete subtrees of `256^level` leaves, from left to right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    /// Where it lies: `tile/0/x001/234`, `tile/1/000.p/17`.
    pub path: String,
    /// Its hashes one after the other; 256, or fewer in the last one of a level.
    pub hashes: Vec<u8>,
}

/// Makes the tiles of a log out of the hashes of its leaves, in their order. Memory: a tile for each level.
#[derive(Debug, Default)]
pub struct Tiles {
    levels: Vec<Level>,
}

#[derive(Debug, Default)]
struct Level {
    /// Tiles that are full.
    done: u64,
    hashes: Vec<u8>,
    tree: Frontier,
}

impl Tiles {
    /// Takes the hash of the next leaf; the tiles that it fills.
    pub fn push(&mut self, leaf: [u8; 32]) -> Vec<Tile> {
        let (mut full, mut node, mut level) = (Vec::new(), leaf, 0);
        loop {
            if self.levels.len() == level {
                self.levels.push(Level::default());
            }
            let Some(here) = self.levels.get_mut(level) else { return full };
            here.hashes.extend(node);
            here.tree.push(node);
            if here.tree.size() < WIDTH {
                return full;
            }
            full.push(Tile { path: path(level, here.done, WIDTH), hashes: std::mem::take(&mut here.hashes) });
            node = std::mem::take(&mut here.tree).root();
            here.done += 1;
            level += 1;
        }
    }

    /// The tiles that are not full: the last of each level.
    #[must_use]
    pub fn rest(self) -> Vec<Tile> {
        let levels = self.levels.into_iter().enumerate().filter(|(_, here)| !here.hashes.is_empty());
        levels
            .map(|(level, here)| Tile { path: path(level, here.done, here.tree.size()), hashes: here.hashes })
            .collect()
    }
}

/// The hash of a full tile, which stands in the level above.
pub(crate) fn root(hashes: &[Hash]) -> Hash {
    let mut tree = Frontier::default();
    hashes.iter().for_each(|hash| tree.push(*hash));
    tree.root()
}

/// The tile in which the leaf of a record stands, were it full.
pub(crate) fn of_record(seq: i64) -> String {
    path(0, seq.max(0).unsigned_abs() / WIDTH, WIDTH)
}

/// Where tile `n` of a level lies (C2SP tlog-tiles): groups of three digits, all but the last behind an `x`.
pub(crate) fn path(level: usize, n: u64, width: u64) -> String {
    let mut text = format!("{:03}", n % 1000);
    let mut rest = n / 1000;
    while rest > 0 {
        text = format!("x{:03}/{text}", rest % 1000);
        rest /= 1000;
    }
    if width < WIDTH { format!("tile/{level}/{text}.p/{width}") } else { format!("tile/{level}/{text}") }
}

#[cfg(test)]
mod tests {
    use super::{Tiles, of_record, path, root};
    use crate::audit::tree::{Frontier, Hash, leaf_hash};

    #[test]
    fn lies_where_the_specification_says() {
        assert_eq!(path(0, 1_234_067, 256), "tile/0/x001/x234/067");
        assert_eq!(path(1, 0, 112), "tile/1/000.p/112");
        assert_eq!(path(2, 1000, 256), "tile/2/x001/000");
        assert_eq!(of_record(255), "tile/0/000");
        assert_eq!(of_record(256 * 1000), "tile/0/x001/000");
    }

    /// The example of C2SP tlog-tiles: a tree of 70,000 has 273 full tiles and one of 112 on level 0, one full and one of 17
    /// on level 1, and one of 1 on level 2.
    #[test]
    fn has_the_tiles_of_the_published_example() {
        let (mut tiles, mut tree, mut all) = (Tiles::default(), Frontier::default(), Vec::new());
        for n in 0..70_000_u32 {
            let hash = leaf_hash(&n.to_be_bytes());
            tree.push(hash);
            all.extend(tiles.push(hash));
        }
        assert_eq!(all.len(), 274);
        let rest = tiles.rest();
        let paths: Vec<&str> = rest.iter().map(|tile| tile.path.as_str()).collect();
        assert_eq!(paths, ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]);
        let widths: Vec<usize> = rest.iter().map(|tile| tile.hashes.len() / 32).collect();
        assert_eq!(widths, [112, 17, 1]);
        assert!(all.iter().all(|tile| tile.hashes.len() == 256 * 32));

        // From tiles alone: each full one is a hash of the level above, and the rest leads to the root.
        let hashes = |bytes: &[u8]| -> Vec<Hash> { bytes.as_chunks::<32>().0.to_vec() };
        let first = hashes(&all[0].hashes);
        let above = all.iter().find(|tile| tile.path == "tile/1/000").unwrap();
        assert_eq!(hashes(&above.hashes)[0], root(&first));
        assert_eq!(hashes(&rest[2].hashes)[0], root(&hashes(&above.hashes)));
        let mut from_above = Frontier::default();
        for tile in all.iter().filter(|tile| tile.path.starts_with("tile/0/")) {
            hashes(&tile.hashes).into_iter().for_each(|hash| from_above.push(hash));
        }
        hashes(&rest[0].hashes).into_iter().for_each(|hash| from_above.push(hash));
        assert_eq!(from_above.root(), tree.root());
    }
}
