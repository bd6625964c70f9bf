//! The upper tiles of the tree, kept in memory with every hash over theirs.
//!
//! A proof needs one tile on each level. The lowest two are read from the disk: there are too many of them to keep. From level 2
//! on a tile covers 16,777,216 leaves or more, so that there are few and nearly every proof needs them again. So a proof reads two
//! tiles, however large the log is, and computes no hash above them.

use std::{
    collections::HashMap,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{hash::Hash, tiles::TileId};

/// The first level that is kept.
const FROM: u8 = 2;
/// Tiles that are kept, 16 KiB each: all of a log of two thousand million leaves.
const MOST: usize = 128;

pub(super) struct Crown {
    from: u8,
    most: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    tiles: HashMap<TileId, (u64, Arc<Spread>)>,
    /// Counts the uses, to know which was last.
    uses: u64,
}

impl Crown {
    pub fn new() -> Self {
        Self::of(FROM, MOST)
    }

    fn of(from: u8, most: usize) -> Self {
        Self {
            from,
            most,
            kept: Mutex::default(),
        }
    }

    /// The hash over some hashes of a full tile; none of a tile that is not kept here. `read` is asked for one that is not here yet.
    pub fn over<E>(
        &self,
        tile: TileId,
        within: &Range<usize>,
        read: impl FnOnce() -> Result<Vec<Hash>, E>,
    ) -> Result<Option<Hash>, E> {
        if tile.level < self.from || !tile.is_full() {
            return Ok(None);
        }
        if let Some(spread) = self.find(tile) {
            return Ok(spread.over(within));
        }
        let spread = Arc::new(Spread::new(read()?));
        self.keep(tile, Arc::clone(&spread));
        Ok(spread.over(within))
    }

    fn find(&self, tile: TileId) -> Option<Arc<Spread>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.uses += 1;
        let now = kept.uses;
        let (used, spread) = kept.tiles.get_mut(&tile)?;
        *used = now;
        Some(Arc::clone(spread))
    }

    /// Keeps a tile; the one that was not used for longest makes room.
    fn keep(&self, tile: TileId, spread: Arc<Spread>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let now = kept.uses;
        if kept.tiles.len() >= self.most {
            let oldest = kept.tiles.iter().min_by_key(|(_, (used, _))| *used);
            if let Some(oldest) = oldest.map(|(tile, _)| *tile) {
                kept.tiles.remove(&oldest);
            }
        }
        kept.tiles.insert(tile, (now, spread));
    }
}

/// The hashes of a full tile, and those over two, four, … of them.
struct Spread(Vec<Vec<Hash>>);

impl Spread {
    fn new(hashes: Vec<Hash>) -> Self {
        let mut rows = vec![hashes];
        while let Some(below) = rows.last().filter(|row| row.len() > 1) {
            let pairs = below.as_chunks::<2>().0;
            let above = pairs.iter().map(|[left, right]| Hash::node(left, right)).collect();
            rows.push(above);
        }
        Self(rows)
    }

    /// The hash over a power of two of hashes that begin at a multiple of it.
    fn over(&self, within: &Range<usize>) -> Option<Hash> {
        let height = within.len().checked_ilog2()?;
        let row = self.0.get(height as usize)?;
        row.get(within.start >> height).copied()
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, convert::Infallible};

    use super::*;
    use crate::tree::subtree;

    fn tile(level: u8, index: u64) -> TileId {
        TileId {
            level,
            index,
            width: 256,
        }
    }

    fn hashes(tile: TileId) -> Vec<Hash> {
        (0..256_u64)
            .map(|n| Hash::leaf(&(tile.index * 256 + n).to_be_bytes()))
            .collect()
    }

    #[test]
    fn what_is_kept_is_what_the_tile_has() {
        let crown = Crown::of(1, 8);
        let here = tile(1, 3);
        for height in 0..=8 {
            for start in (0..256).step_by(1 << height) {
                let within = start..start + (1 << height);
                let Ok(found) = crown.over(here, &within, || Ok::<_, Infallible>(hashes(here)));
                assert_eq!(found, subtree(&hashes(here)[within]));
            }
        }
    }

    #[test]
    fn each_tile_is_read_once_and_the_one_unused_for_longest_goes() {
        let (crown, reads) = (Crown::of(2, 3), Cell::new(0));
        let ask = |tile: TileId| {
            let Ok(found) = crown.over(tile, &(0..1), || {
                reads.set(reads.get() + 1);
                Ok::<_, Infallible>(hashes(tile))
            });
            found
        };
        for n in [0, 1, 2, 0, 1, 2, 0] {
            assert_eq!(ask(tile(2, n)), Some(hashes(tile(2, n))[0]));
        }
        assert_eq!(reads.get(), 3);
        // The fourth takes the place of 1, which was used before 2 and 0.
        ask(tile(2, 3));
        ask(tile(2, 0));
        ask(tile(2, 2));
        assert_eq!(reads.get(), 4);
        ask(tile(2, 1));
        assert_eq!(reads.get(), 5);
    }

    #[test]
    fn low_and_unfinished_tiles_are_not_kept() {
        let crown = Crown::of(2, 3);
        let unfinished = TileId { width: 9, ..tile(2, 0) };
        for tile in [tile(0, 0), tile(1, 0), unfinished] {
            let Ok(found) = crown.over(tile, &(0..1), || Ok::<_, Infallible>(hashes(tile)));
            assert_eq!(found, None);
        }
    }
}
