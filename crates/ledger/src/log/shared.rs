//! What readers and the writer share.

use std::{
    fs,
    ops::Range,
    path::PathBuf,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{crown::Crown, stamps::Stamps, tail::Tail};
use crate::{
    checkpoint::SignedCheckpoint,
    error::{Error, Result},
    files,
    hash::Hash,
    segments::{Segment, Stored},
    tiles::{self, Disk, TILE_WIDTH, TileId, TilePath},
    tree::{Plan, Tiles},
};

pub(super) struct Shared {
    pub dir: PathBuf,
    pub origin: String,
    pub disk: Disk,
    pub state: RwLock<State>,
    /// Held alone while a record is erased or the log is opened again, so that nobody reads half of it.
    pub erasing: RwLock<()>,
    pub stamps: Stamps,
    pub crown: Crown,
    /// Files of tiles that were read.
    pub tiles_read: AtomicU64,
}

/// The log as far as it is durable.
pub(super) struct State {
    pub checkpoint: Arc<SignedCheckpoint>,
    pub cosigned: Option<Arc<SignedCheckpoint>>,
    pub tail: Tail,
    pub segments: Vec<Arc<Segment>>,
    /// A write failed: what is answered until the writer has opened the log again.
    pub broken: Option<Error>,
    pub work: Work,
}

/// What a log has done since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Work {
    /// Entries that were stored.
    pub entries: u64,
    /// Batches, each with one sync and one checkpoint.
    pub batches: u64,
    /// Hashes of leaves and nodes that were computed.
    pub hashes: u64,
    /// Files of tiles that were read, for proofs and for others.
    pub tiles_read: u64,
}

impl Shared {
    pub fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The root of the tree of `size` leaves.
    pub fn root(&self, size: u64) -> Result<Hash> {
        let root = Plan::root(size).resolve(self)?;
        Ok(root.first().copied().unwrap_or(Hash::EMPTY))
    }

    fn segment(&self, index: u64) -> Result<Arc<Segment>> {
        let state = self.state();
        let size = state.checkpoint.checkpoint().size;
        let place = state.segments.partition_point(|s| s.header.first <= index);
        match place.checked_sub(1).and_then(|n| state.segments.get(n)) {
            Some(segment) if index < size => Ok(Arc::clone(segment)),
            _ => Err(Error::Beyond { asked: index, size }),
        }
    }

    pub fn entry(&self, index: u64) -> Result<Stored> {
        let segment = self.segment(index)?;
        let _no_erasing = self.erasing.read().unwrap_or_else(PoisonError::into_inner);
        segment.read(index)
    }

    /// Reads entries in their order, each segment in one go.
    pub fn read_each(&self, range: Range<u64>, mut visit: impl FnMut(Stored)) -> Result<()> {
        let mut next = range.start;
        while next < range.end {
            let segment = self.segment(next)?;
            let _no_erasing = self.erasing.read().unwrap_or_else(PoisonError::into_inner);
            next = segment.read_each(next..range.end, &mut visit)?;
        }
        Ok(())
    }

    pub fn work(&self) -> Work {
        Work {
            tiles_read: self.tiles_read.load(Ordering::Relaxed),
            ..self.state().work
        }
    }

    pub fn erase(&self, index: u64) -> Result<()> {
        let segment = self.segment(index)?;
        let _alone = self.erasing.write().unwrap_or_else(PoisonError::into_inner);
        let offset = segment.offset(index)?;
        // The intent first: a crash in between leaves half a record, which the next start erases whole.
        let intent = self.dir.join("erasing");
        let line = format!("{} {offset} {index}\n", segment.header.first);
        files::replace(&intent, line.as_bytes()).map_err(Error::io("writing", &intent))?;
        segment.wipe(offset, index)?;
        fs::remove_file(&intent).map_err(Error::io("removing", &intent))
    }

    pub fn set_cosigned(&self, cosigned: SignedCheckpoint) -> Result<()> {
        let checkpoint = cosigned.checkpoint();
        let size = checkpoint.size;
        let known = |state: &State| state.cosigned.as_ref().map_or(0, |c| c.checkpoint().size);
        let fits = {
            let state = self.state();
            checkpoint.origin == self.origin && (known(&state)..=state.checkpoint.checkpoint().size).contains(&size)
        };
        if !fits || self.root(size)? != checkpoint.root {
            return Err(Error::ForeignCheckpoint);
        }
        let mut state = self.state_mut();
        if size < known(&state) {
            return Err(Error::ForeignCheckpoint);
        }
        let path = self.dir.join("cosigned");
        files::replace(&path, cosigned.to_string().as_bytes()).map_err(Error::io("writing", &path))?;
        state.cosigned = Some(Arc::new(cosigned));
        Ok(())
    }

    /// The content of a tile or bundle, as wide as asked; `None` when it is not as wide yet.
    pub fn content(&self, path: TilePath) -> Result<Option<Vec<u8>>> {
        let asked = path.tile();
        {
            let state = self.state();
            let now = TileId::at(asked.level, asked.index, state.checkpoint.checkpoint().size);
            if now.width < asked.width {
                return Ok(None);
            }
            if !now.is_full() {
                return Ok(state.tail.content(path));
            }
        }
        let file = path.full();
        let name = file.to_string();
        self.tiles_read.fetch_add(1, Ordering::Relaxed);
        let bytes = self.disk.read_full(file).map_err(Error::io("reading", name.as_ref()))?;
        let mut bytes = bytes.ok_or(Error::Tile(name))?;
        bytes.truncate(bytes.len() / usize::from(TILE_WIDTH) * usize::from(asked.width));
        Ok(Some(bytes))
    }
}

impl Tiles for Shared {
    type Error = Error;

    fn tile(&self, tile: TileId) -> Result<Vec<Hash>> {
        let path = TilePath::Hashes(tile);
        self.content(path)?
            .and_then(|bytes| tiles::decode_hashes(&bytes, tile.width))
            .ok_or_else(|| Error::Tile(path.to_string()))
    }

    fn over(&self, tile: TileId, within: &Range<usize>) -> Result<Option<Hash>> {
        // A proof in an older tree may speak of less of a tile than there is by now.
        let now = TileId::at(tile.level, tile.index, self.state().checkpoint.checkpoint().size);
        self.crown.over(now, within, || self.tile(now))
    }
}
