//! Proofs for any leaf and any two sizes, from tiles: first which nodes are needed, then the hashes. Between the two the
//! tiles may be fetched.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    ops::Range,
};

use super::edge::join;
use crate::{
    hash::Hash,
    tiles::{TILE_HEIGHT, TileId},
};

/// Where tiles come from: memory, disk or a log far away.
pub trait Tiles {
    /// What can go wrong.
    type Error;

    /// The first `tile.width` hashes of a tile.
    ///
    /// # Errors
    /// When the tile is not there or cannot be read.
    fn tile(&self, tile: TileId) -> Result<Vec<Hash>, Self::Error>;

    /// The hash over some hashes of a tile, a power of two of them, where it is known without asking for the tile.
    ///
    /// # Errors
    /// As [`Self::tile`].
    fn over(&self, tile: TileId, within: &Range<usize>) -> Result<Option<Hash>, Self::Error> {
        let _ = (tile, within);
        Ok(None)
    }
}

/// A full subtree: the leaves `[index · 2^level, (index + 1) · 2^level)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// Height over the leaves.
    pub level: u8,
    /// Place on that level, from the left.
    pub index: u64,
}

/// What a proof is made of: for each of its hashes the full subtrees that it covers, the largest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    size: u64,
    parts: Vec<Vec<Node>>,
}

impl Plan {
    /// The root of the tree of `size` leaves, as a proof of one hash; no hash for the empty tree.
    pub fn root(size: u64) -> Self {
        let peaks = peaks(size, 64);
        Self {
            size,
            parts: if peaks.is_empty() { Vec::new() } else { vec![peaks] },
        }
    }

    /// The inclusion proof of a leaf in the tree of `size` leaves (RFC 6962 2.1.1); `None` when it is not in there.
    pub fn inclusion(index: u64, size: u64) -> Option<Self> {
        (index < size).then(|| Self {
            size,
            parts: path(Node { level: 0, index }, size),
        })
    }

    /// The consistency proof between two sizes (RFC 6962 2.1.2); `None` when `from` is the larger. From size 0 and between
    /// equal sizes it is empty.
    pub fn consistency(from: u64, to: u64) -> Option<Self> {
        if from > to {
            return None;
        }
        let mut parts = Vec::new();
        if from != 0 && from != to {
            // The largest full subtree that ends where the old tree ends is in both trees.
            let level = from.trailing_zeros() as u8;
            let last = Node {
                level,
                index: (from >> level) - 1,
            };
            if last.index != 0 {
                parts.push(vec![last]);
            }
            parts.extend(path(last, to));
        }
        Some(Self { size: to, parts })
    }

    /// The tiles that the proof reads, as the log of that size publishes them.
    pub fn tiles(&self) -> BTreeSet<TileId> {
        self.parts
            .iter()
            .flatten()
            .map(|node| TileId::of(*node, self.size).0)
            .collect()
    }

    /// The hashes of the proof.
    ///
    /// # Errors
    /// Those of `tiles`.
    pub fn resolve<T: Tiles>(&self, tiles: &T) -> Result<Vec<Hash>, T::Error> {
        let mut read: BTreeMap<TileId, Vec<Hash>> = BTreeMap::new();
        let mut hash = |node: &Node| {
            let (tile, within) = TileId::of(*node, self.size);
            if let Some(known) = tiles.over(tile, &within)? {
                return Ok(Some(known));
            }
            let hashes = match read.entry(tile) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(place) => place.insert(tiles.tile(tile)?),
            };
            Ok(hashes.get(within).and_then(subtree))
        };
        let mut proof = Vec::with_capacity(self.parts.len());
        for nodes in &self.parts {
            let hashes = nodes.iter().map(&mut hash).collect::<Result<Vec<_>, _>>()?;
            proof.extend(join(hashes.into_iter().flatten()));
        }
        Ok(proof)
    }
}

/// The root over a power of two of hashes.
pub(crate) fn subtree(hashes: &[Hash]) -> Option<Hash> {
    match hashes {
        [] => None,
        [one] => Some(*one),
        _ => {
            let (left, right) = hashes.split_at(hashes.len() / 2);
            Some(Hash::node(&subtree(left)?, &subtree(right)?))
        }
    }
}

/// The siblings on the way from `node` to the root of the tree of `size` leaves.
fn path(node: Node, size: u64) -> Vec<Vec<Node>> {
    let mut parts = Vec::new();
    let mut index = node.index;
    for level in node.level..=63 {
        let full = size >> level;
        let sibling = index ^ 1;
        if sibling < full {
            parts.push(vec![Node { level, index: sibling }]);
        } else if sibling == full && size != full << level {
            // The right sibling is unfinished: the rest of the tree.
            parts.push(peaks(size, u32::from(level)));
        }
        index >>= 1;
    }
    parts
}

/// The full subtrees below `level` that end a tree of `size` leaves, the largest first.
fn peaks(size: u64, level: u32) -> Vec<Node> {
    (0..level.min(64) as u8)
        .rev()
        .filter(|level| size >> level & 1 == 1)
        .map(|level| Node {
            level,
            index: (size >> level) - 1,
        })
        .collect()
}

impl TileId {
    /// The tile of a node in the tree of `size` leaves, and the hashes in it that the node covers.
    fn of(node: Node, size: u64) -> (Self, Range<usize>) {
        let (level, height) = (node.level / TILE_HEIGHT, node.level % TILE_HEIGHT);
        let first = node.index << height;
        let tile = Self::at(level, first >> TILE_HEIGHT, size);
        let start = (first & 0xff) as usize;
        (tile, start..start + (1 << height))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many tiles of the two lowest levels, which are files, a proof reads at most, and how many all levels have.
    fn tiles_of_proofs(size: u64) -> (usize, usize) {
        let mut most = (0, 0);
        for n in 0..2_000_u64 {
            let index = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % size;
            let plan = Plan::inclusion(index, size).expect("in the tree");
            let full: Vec<_> = plan.tiles().into_iter().filter(TileId::is_full).collect();
            let low = full.iter().filter(|tile| tile.level < 2).count();
            most = (most.0.max(low), most.1.max(full.len()));
        }
        most
    }

    #[test]
    fn a_proof_reads_two_files_however_large_the_log_is() {
        assert_eq!(tiles_of_proofs(1_000_000), (2, 2));
        assert_eq!(tiles_of_proofs(100_000_000), (2, 3));
        assert_eq!(tiles_of_proofs(100_000_000_000), (2, 4));
    }

    #[test]
    fn proofs_cover_what_rfc_6962_says() {
        let node = |level, index| Node { level, index };
        // RFC 6962 2.1.3: the tree of seven leaves; d0's path is [b, h, l].
        let plan = Plan::inclusion(0, 7).expect("in the tree");
        assert_eq!(
            plan.parts,
            [vec![node(0, 1)], vec![node(1, 1)], vec![node(1, 2), node(0, 6)]]
        );
        // PROOF(3, D[7]) = [c, d, g, l], PROOF(4, D[7]) = [l], PROOF(6, D[7]) = [i, j, k].
        let plan = Plan::consistency(3, 7).expect("sizes in order");
        assert_eq!(
            plan.parts,
            [
                vec![node(0, 2)],
                vec![node(0, 3)],
                vec![node(1, 0)],
                vec![node(1, 2), node(0, 6)]
            ]
        );
        let plan = Plan::consistency(4, 7).expect("sizes in order");
        assert_eq!(plan.parts, [vec![node(1, 2), node(0, 6)]]);
        let plan = Plan::consistency(6, 7).expect("sizes in order");
        assert_eq!(plan.parts, [vec![node(1, 2)], vec![node(0, 6)], vec![node(2, 0)]]);
        assert_eq!(Plan::consistency(8, 7), None);
        assert_eq!(Plan::inclusion(7, 7), None);
    }
}
