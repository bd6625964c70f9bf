//! The unfinished tiles at the right end of the tree: at most 255 entries, and as many hashes on each level.

use std::{convert::Infallible, io};

use crate::{
    commitment::Commitment,
    hash::Hash,
    tiles::{self, Disk, TILE_HEIGHT, TILE_WIDTH, TileId, TilePath},
    tree::{Growth, Tiles},
};

/// Tile levels of the largest tree.
const LEVELS: u8 = 8;

#[derive(Debug, Clone, Default)]
pub(crate) struct Tail {
    entries: Vec<Commitment>,
    levels: Vec<Vec<Hash>>,
}

impl Tail {
    /// The tail of a log of `size` entries, from partial tiles that [`Self::save`] wrote; `None` when one is not there.
    pub fn load(size: u64, disk: &Disk) -> io::Result<Option<Self>> {
        let mut tail = Self::default();
        for path in partial_tiles(size) {
            let width = path.tile().width;
            let Some(bytes) = disk.read(path)? else { return Ok(None) };
            match path {
                TilePath::Entries { .. } => match tiles::decode_entries(&bytes, width) {
                    Some(entries) => tail.entries = entries,
                    None => return Ok(None),
                },
                TilePath::Hashes(tile) => match tiles::decode_hashes(&bytes, width) {
                    Some(hashes) => *tail.level(tile.level) = hashes,
                    None => return Ok(None),
                },
            }
        }
        Ok(Some(tail))
    }

    /// Writes the partial tiles of the log of `size` entries.
    pub fn save(&self, size: u64, disk: &Disk) -> io::Result<()> {
        for path in partial_tiles(size) {
            if let Some(bytes) = self.content(path) {
                disk.write(path, &bytes)?;
            }
        }
        Ok(())
    }

    /// Takes in a batch; hands out tiles that became full.
    pub fn extend<E>(
        &mut self,
        growth: &Growth,
        entries: &[Commitment],
        mut full: impl FnMut(TilePath, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let width = TILE_WIDTH;
        let first = growth.before() / u64::from(width);
        fill(&mut self.entries, entries, first, |index, entries| {
            full(TilePath::Entries { index, width }, &tiles::encode_entries(entries))
        })?;
        for level in 0..LEVELS {
            let fresh = growth.finished(level * TILE_HEIGHT);
            if fresh.is_empty() {
                break;
            }
            let first = (growth.before() >> (level * TILE_HEIGHT)) / u64::from(width);
            fill(self.level(level), fresh, first, |index, hashes| {
                let tile = TileId { level, index, width };
                full(TilePath::Hashes(tile), &tiles::encode_hashes(hashes))
            })?;
        }
        Ok(())
    }

    /// The content of an unfinished tile or bundle, as wide as asked; `None` when it is not as wide yet.
    pub fn content(&self, path: TilePath) -> Option<Vec<u8>> {
        let width = usize::from(path.tile().width);
        Some(match path {
            TilePath::Entries { .. } => tiles::encode_entries(self.entries.get(..width)?),
            TilePath::Hashes(tile) => tiles::encode_hashes(self.levels.get(usize::from(tile.level))?.get(..width)?),
        })
    }

    fn level(&mut self, level: u8) -> &mut Vec<Hash> {
        let level = usize::from(level);
        if self.levels.len() <= level {
            self.levels.resize(level + 1, Vec::new());
        }
        &mut self.levels[level]
    }
}

/// The full subtrees that a tree is made of all lie in its unfinished tiles.
impl Tiles for Tail {
    type Error = Infallible;

    fn tile(&self, tile: TileId) -> Result<Vec<Hash>, Infallible> {
        Ok(self.levels.get(usize::from(tile.level)).cloned().unwrap_or_default())
    }
}

/// The partial tiles of a log of `size` entries.
pub(crate) fn partial_tiles(size: u64) -> impl Iterator<Item = TilePath> {
    let entries = (!size.is_multiple_of(256)).then_some(TilePath::Entries {
        index: size / 256,
        width: (size % 256) as u16,
    });
    let hashes = (0..LEVELS)
        .map(move |level| TileId::at(level, (size >> (level * TILE_HEIGHT)) / 256, size))
        .filter(|tile| tile.width > 0)
        .map(TilePath::Hashes);
    entries.into_iter().chain(hashes)
}

/// Adds to a tile; what becomes full is handed out and removed.
fn fill<T: Clone, E>(
    tile: &mut Vec<T>,
    mut fresh: &[T],
    mut index: u64,
    mut full: impl FnMut(u64, &[T]) -> Result<(), E>,
) -> Result<(), E> {
    while !fresh.is_empty() {
        let room = usize::from(TILE_WIDTH) - tile.len();
        let (now, later) = fresh.split_at(room.min(fresh.len()));
        tile.extend_from_slice(now);
        fresh = later;
        if tile.len() == usize::from(TILE_WIDTH) {
            full(index, tile)?;
            index += 1;
            tile.clear();
        }
    }
    Ok(())
}
