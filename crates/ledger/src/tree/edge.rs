//! The right edge of a tree: the roots of the full subtrees that it is made of. It is all that is needed to append.

use crate::hash::Hash;

/// The right edge of a tree: one full subtree for each bit of the size, the largest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Edge {
    size: u64,
    peaks: Vec<Hash>,
}

impl Edge {
    /// The edge that was written down; `None` when the number of peaks does not fit the size.
    pub fn from_parts(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        (size.count_ones() as usize == peaks.len()).then_some(Self { size, peaks })
    }

    /// How many leaves.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the full subtrees, the largest first.
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// The Merkle tree hash (RFC 6962 2.1).
    pub fn root(&self) -> Hash {
        join(self.peaks.iter().copied()).unwrap_or(Hash::EMPTY)
    }

    /// Appends one leaf.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                hash = Hash::node(&left, &hash);
            }
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// Appends many leaves and keeps what their inclusion proofs need.
    pub fn grow(&mut self, leaves: Vec<Hash>) -> Growth {
        let growth = Growth::new(self, leaves);
        *self = growth.edge();
        growth
    }
}

/// Hashes full subtrees, the largest first, into one root.
pub(super) fn join(peaks: impl DoubleEndedIterator<Item = Hash>) -> Option<Hash> {
    peaks.rev().reduce(|right, left| Hash::node(&left, &right))
}

/// What a batch of leaves added to a tree: every new full node, and the hashes of the unfinished right side. All inclusion
/// proofs of the batch are read from it without computing a hash.
#[derive(Debug)]
pub struct Growth {
    before: u64,
    after: u64,
    /// For each level, the nodes from `even(before >> level)`: the peak of the old edge if it is a left child, then the
    /// new ones.
    levels: Vec<Vec<Hash>>,
    /// For each level, the hash of the leaves right of the last full node; the last is the root.
    rest: Vec<Option<Hash>>,
    hashed: usize,
}

impl Growth {
    fn new(edge: &Edge, leaves: Vec<Hash>) -> Self {
        let (before, after) = (edge.size, edge.size + leaves.len() as u64);
        let mut peaks = edge.peaks.iter().rev();
        let mut hashed = 0;
        let mut levels: Vec<Vec<Hash>> = Vec::new();
        let mut fresh = leaves;
        for level in 0..bits(after) {
            let mut nodes = Vec::with_capacity(fresh.len() + 1);
            if before >> level & 1 == 1 {
                nodes.extend(peaks.next());
            }
            nodes.append(&mut fresh);
            fresh = nodes.chunks_exact(2).map(|p| Hash::node(&p[0], &p[1])).collect();
            hashed += fresh.len();
            levels.push(nodes);
        }
        let mut rest = vec![None];
        for (level, nodes) in levels.iter().enumerate() {
            let right = rest[level];
            rest.push(match (after >> level & 1, nodes.last(), right) {
                (1, Some(left), Some(right)) => {
                    hashed += 1;
                    Some(Hash::node(left, &right))
                }
                (1, Some(left), None) => Some(*left),
                _ => right,
            });
        }
        Self {
            before,
            after,
            levels,
            rest,
            hashed,
        }
    }

    /// Leaves before the batch.
    pub const fn before(&self) -> u64 {
        self.before
    }

    /// Leaves with the batch.
    pub const fn after(&self) -> u64 {
        self.after
    }

    /// How many node hashes were computed.
    pub const fn hashed(&self) -> usize {
        self.hashed
    }

    /// The root of the tree with the batch.
    pub fn root(&self) -> Hash {
        self.rest.last().copied().flatten().unwrap_or(Hash::EMPTY)
    }

    /// The nodes that the batch finished on one level; on level 0 its leaves.
    pub fn finished(&self, level: u8) -> &[Hash] {
        let old = usize::from(level < 64 && self.before >> level & 1 == 1);
        self.levels
            .get(usize::from(level))
            .and_then(|nodes| nodes.get(old..))
            .unwrap_or_default()
    }

    /// The inclusion proof of a leaf of the batch in the tree with the batch (RFC 6962 2.1.1); `None` for other leaves.
    pub fn path(&self, index: u64) -> Option<Vec<Hash>> {
        if !(self.before..self.after).contains(&index) {
            return None;
        }
        let mut path = Vec::with_capacity(self.levels.len());
        for (level, nodes) in self.levels.iter().enumerate() {
            let sibling = index >> level ^ 1;
            let first = self.before >> level & !1;
            match usize::try_from(sibling - first).ok().and_then(|n| nodes.get(n)) {
                Some(hash) => path.push(*hash),
                None if sibling == self.after >> level => path.extend(self.rest[level]),
                None => {}
            }
        }
        Some(path)
    }

    fn edge(&self) -> Edge {
        let peaks = (0..self.levels.len())
            .rev()
            .filter(|level| self.after >> level & 1 == 1)
            .filter_map(|level| self.levels[level].last().copied())
            .collect();
        Edge {
            size: self.after,
            peaks,
        }
    }
}

/// How many levels a tree of this size has full nodes on.
const fn bits(size: u64) -> u32 {
    u64::BITS - size.leading_zeros()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(n: u64) -> Hash {
        Hash::leaf(&n.to_be_bytes())
    }

    #[test]
    fn batches_of_any_size_give_the_tree_of_single_leaves() {
        for first in 0..70_u64 {
            for more in 0..70_u64 {
                let mut edge = Edge::default();
                (0..first).for_each(|n| edge.push(leaf(n)));
                let mut alone = edge.clone();
                (first..first + more).for_each(|n| alone.push(leaf(n)));
                let growth = edge.grow((first..first + more).map(leaf).collect());
                assert_eq!(edge, alone);
                assert_eq!(growth.root(), alone.root(), "{first} + {more}");
                assert_eq!(growth.finished(0).len() as u64, more);
                assert_eq!(growth.path(first + more), None);
            }
        }
    }

    #[test]
    fn a_batch_costs_about_one_node_hash_a_leaf() {
        let mut edge = Edge::default();
        edge.grow((0..1_000).map(leaf).collect());
        let growth = edge.grow((0..64).map(leaf).collect());
        assert!(growth.hashed() <= 64 + 16, "{}", growth.hashed());
    }
}
