//! The copy for the world: checkpoint, tiles and entries in an object store (a folder, S3), from where a plain web server
//! or a content network serves them. The copy itself says how far it is, so a publisher can stop anywhere and go on.

use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, future::BoxFuture, stream};
use object_store::{ObjectStore, ObjectStoreExt, path::Path};

use crate::{
    audit::{Fetch, FetchError},
    checkpoint::SignedCheckpoint,
    error::Error,
    hash::Hash,
    log::{Log, partial_tiles},
    note::MalformedNote,
    tiles::{TILE_HEIGHT, TILE_WIDTH, TileId, TilePath},
};

/// Files on their way at once.
const AT_ONCE: usize = 16;

/// A place where a log is published.
#[derive(Debug, Clone)]
pub struct Mirror {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
}

/// What was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// Entries in the copy.
    pub size: u64,
    /// Files that were written, the checkpoint among them.
    pub files: usize,
}

/// Why the copy was not brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The log could not be read.
    #[error(transparent)]
    Log(#[from] Error),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] object_store::Error),
    /// What stands there as a checkpoint is none.
    #[error("the published checkpoint cannot be read: {0}")]
    Unreadable(#[from] MalformedNote),
    /// The copy has more than the log: the log was put back to an older state.
    #[error("{published} entries are published, but the checkpoint has {size}")]
    Ahead {
        /// Entries in the copy.
        published: u64,
        /// Entries in the checkpoint that was to be published.
        size: u64,
    },
    /// The copy is of another history.
    #[error("the published tree of {size} entries has the root {published}, the log has {own}")]
    Forked {
        /// Entries in the copy.
        size: u64,
        /// Root of the copy.
        published: Hash,
        /// Root of the log at that size.
        own: Hash,
    },
    /// The runtime is shutting down.
    #[error("stopped")]
    Stopped,
}

impl Mirror {
    /// A place in a store, below `prefix` (which may be empty).
    pub fn new(store: Arc<dyn ObjectStore>, prefix: &str) -> Self {
        Self {
            store,
            prefix: Path::from(prefix),
        }
    }

    /// Brings the copy to `checkpoint`, which is one of `log`: first tiles and entries, then the checkpoint, so that a reader
    /// finds everything that a checkpoint speaks of.
    ///
    /// # Errors
    /// [`PublishError`]; what was copied stays, and the next call goes on from the published checkpoint.
    pub async fn publish(&self, log: &Arc<Log>, checkpoint: &SignedCheckpoint) -> Result<Published, PublishError> {
        let size = checkpoint.checkpoint().size;
        let text = checkpoint.to_string();
        let from = match self.get("checkpoint").await? {
            Some(bytes) if bytes == text.as_bytes() => return Ok(Published { size, files: 0 }),
            Some(bytes) => check(log, &SignedCheckpoint::parse(&bytes)?, size)?,
            None => 0,
        };
        let copied = stream::iter(grown(from, size).chain(partial_tiles(size)))
            .map(|path| self.copy(log, path))
            .buffer_unordered(AT_ONCE)
            .try_fold(0, async |n, ()| Ok(n + 1))
            .await?;
        self.store.put(&self.place("checkpoint"), text.into()).await?;
        self.remove_outgrown(from, size).await?;
        Ok(Published {
            size,
            files: copied + 1,
        })
    }

    async fn copy(&self, log: &Arc<Log>, path: TilePath) -> Result<(), PublishError> {
        let log = Arc::clone(log);
        let read = tokio::task::spawn_blocking(move || log.tile(path));
        let content = read.await.map_err(|_| PublishError::Stopped)??;
        let content = content.ok_or_else(|| Error::Tile(path.to_string()))?;
        self.store.put(&self.place(&path.to_string()), content.into()).await?;
        Ok(())
    }

    /// Partial tiles of the last copy that are full by now serve nobody (C2SP tlog-tiles, partial tiles).
    async fn remove_outgrown(&self, from: u64, size: u64) -> Result<(), PublishError> {
        for partial in partial_tiles(from) {
            let tile = partial.tile();
            if !TileId::at(tile.level, tile.index, size).is_full() {
                continue;
            }
            let folder = self.place(&format!("{}.p", partial.full()));
            let old: Vec<_> = self.store.list(Some(&folder)).try_collect().await?;
            for object in old {
                self.store.delete(&object.location).await?;
            }
        }
        Ok(())
    }

    async fn get(&self, path: &str) -> Result<Option<Bytes>, object_store::Error> {
        match self.store.get(&self.place(path)).await {
            Ok(found) => found.bytes().await.map(Some),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn place(&self, path: &str) -> Path {
        path.split('/')
            .fold(self.prefix.clone(), |place, part| place.join(part))
    }
}

impl Fetch for Mirror {
    fn fetch<'a>(&'a self, path: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, FetchError>> {
        Box::pin(async move { self.get(path).await.map_err(|e| FetchError(e.to_string())) })
    }
}

/// How far the copy is, if it is one of this log.
fn check(log: &Log, published: &SignedCheckpoint, size: u64) -> Result<u64, PublishError> {
    let published = published.checkpoint();
    if published.size > size {
        return Err(PublishError::Ahead {
            published: published.size,
            size,
        });
    }
    let own = log.root(published.size)?;
    if own != published.root || published.origin != log.origin() {
        return Err(PublishError::Forked {
            size: published.size,
            published: published.root,
            own,
        });
    }
    Ok(published.size)
}

/// The tiles and bundles that became full between two sizes.
fn grown(from: u64, to: u64) -> impl Iterator<Item = TilePath> {
    let width = TILE_WIDTH;
    let full = move |level: u8| {
        let tiles = |size: u64| (size >> (TILE_HEIGHT * level)) / u64::from(width);
        tiles(from)..tiles(to)
    };
    let entries = full(0).map(move |index| TilePath::Entries { index, width });
    let hashes =
        (0..8).flat_map(move |level| full(level).map(move |index| TilePath::Hashes(TileId { level, index, width })));
    entries.chain(hashes)
}
