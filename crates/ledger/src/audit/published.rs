//! The audit of what a log publishes, by anybody.

use std::convert::Infallible;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, future::BoxFuture, stream};

use super::{Finding, Known, MOST_FINDINGS, Report, compare};
use crate::{
    checkpoint::SignedCheckpoint,
    commitment::Commitment,
    hash::Hash,
    log::{Tail, partial_tiles},
    policy::Policy,
    tiles::{self, TILE_WIDTH, TileId, TilePath},
    tree::{Edge, Plan, Tiles},
};

/// Bundles that are fetched ahead.
const AHEAD: usize = 8;

/// Where the published files of a log come from.
pub trait Fetch: Send + Sync {
    /// Gets `checkpoint`, `tile/…`; `None` when it is not there.
    fn fetch<'a>(&'a self, path: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, FetchError>>;
}

/// A file could not be fetched, which says nothing about the log.
#[derive(Debug, Clone, thiserror::Error)]
#[error("could not fetch: {0}")]
pub struct FetchError(pub String);

/// Audits what a log publishes: the latest checkpoint by `policy`, every entry against every tile and the root, and `known`,
/// checkpoints that were seen before. Memory does not grow with the log.
///
/// # Errors
/// [`FetchError`] when a file cannot be fetched; a file that is not there is a finding.
pub async fn published(log: &dyn Fetch, policy: &Policy, known: &[SignedCheckpoint]) -> Result<Report, FetchError> {
    let mut report = Report::default();
    let mut known = Known::new(known, policy, &mut report);
    let latest = log.fetch("checkpoint").await?;
    let Some(latest) = latest.and_then(|bytes| SignedCheckpoint::parse(&bytes).ok()) else {
        report.find(Finding::Tile {
            path: "checkpoint".to_owned(),
        });
        return Ok(report);
    };
    let (size, root) = (latest.checkpoint().size, latest.checkpoint().root);
    if let Err(refusal) = policy.judge(&latest) {
        report.find(Finding::BadSignature { size, refusal });
    }
    let bundles = (0..size.div_ceil(TILE_WIDTH.into())).map(|index| {
        let tile = TileId::at(0, index, size);
        async move { Ok::<_, FetchError>((tile, entries(log, tile).await?, hashes(log, tile).await?)) }
    });
    let mut bundles = stream::iter(bundles).buffered(AHEAD);
    let mut reading = Reading::default();
    while let Some((tile, entries, hashes)) = bundles.try_next().await? {
        let missing = match (entries, hashes) {
            (Some(entries), Some(hashes)) => {
                for (tile, bytes) in reading.take(&entries, &hashes, &mut known) {
                    check_tile(log, tile, &bytes, &mut report).await?;
                }
                continue;
            }
            (Some(_), None) => TilePath::Hashes(tile),
            (None, _) => TilePath::Entries {
                index: tile.index,
                width: tile.width,
            },
        };
        let path = missing.to_string();
        report.find(Finding::Tile { path });
        known.end(reading.by_tiles.size(), &mut report);
        return Ok(report);
    }
    reading.meet(&mut known);
    for path in partial_tiles(size).filter(|path| path.tile().level > 0) {
        if let Some(bytes) = reading.tail.content(path) {
            check_tile(log, path.tile(), &bytes, &mut report).await?;
        }
    }
    report.size = size;
    reading.conclude(size, root, &mut report);
    known.end(size, &mut report);
    Ok(report)
}

/// The tree as it is read, once by the entries and once by the hashes of level 0. Which of the two is right, the root says.
#[derive(Default)]
struct Reading {
    by_entries: Edge,
    by_tiles: Edge,
    tail: Tail,
    /// Entries that do not have the hash that is published for them; the first ones, and how many more.
    differing: Vec<u64>,
    more: u64,
    /// Known checkpoints that were met: size, their root, the roots by tiles and by entries.
    met: Vec<(u64, Hash, Hash, Hash)>,
}

impl Reading {
    /// Takes in a bundle; gives the tiles of higher levels that became full.
    fn take(&mut self, entries: &[Commitment], hashes: &[Hash], known: &mut Known<'_>) -> Vec<(TileId, Vec<u8>)> {
        let mut upper = Vec::new();
        let growth = self.by_tiles.clone().grow(hashes.to_vec());
        let Ok(()) = self.tail.extend(&growth, entries, |path, bytes| {
            if path.tile().level > 0 {
                upper.push((path.tile(), bytes.to_vec()));
            }
            Ok::<_, Infallible>(())
        });
        for (entry, hash) in entries.iter().zip(hashes) {
            self.meet(known);
            let leaf = entry.leaf();
            if leaf != *hash {
                self.differ();
            }
            self.by_tiles.push(*hash);
            self.by_entries.push(leaf);
        }
        upper
    }

    fn differ(&mut self) {
        if self.differing.len() < MOST_FINDINGS {
            self.differing.push(self.by_tiles.size());
        } else {
            self.more += 1;
        }
    }

    fn meet(&mut self, known: &mut Known<'_>) {
        let size = self.by_tiles.size();
        while let Some(known) = known.at(size) {
            self.met
                .push((size, known, self.by_tiles.root(), self.by_entries.root()));
        }
    }

    fn conclude(self, size: u64, root: Hash, report: &mut Report) {
        let by_tiles = self.by_tiles.root() == root;
        let by_entries = self.by_entries.root() == root;
        report.checkpoints += 1;
        for (size, known, tiles, entries) in self.met {
            report.meet(size, known, if by_tiles { tiles } else { entries });
        }
        for index in self.differing {
            report.find(if by_entries {
                let path = TilePath::Hashes(TileId::at(0, index / u64::from(TILE_WIDTH), size)).to_string();
                Finding::Tile { path }
            } else {
                Finding::Altered { index }
            });
        }
        report.more += self.more;
        if !by_tiles && !by_entries {
            let (root_a, root_b) = (root, self.by_entries.root());
            report.find(Finding::Forked { size, root_a, root_b });
        }
    }
}

/// Judges two checkpoints of a log by the tiles that it publishes. Both must have been verified.
///
/// # Errors
/// [`FetchError`] when a tile cannot be fetched.
pub async fn consistent(
    log: &dyn Fetch,
    a: &SignedCheckpoint,
    b: &SignedCheckpoint,
) -> Result<Option<Finding>, FetchError> {
    let sizes = (a.checkpoint().size, b.checkpoint().size);
    let Some(plan) = Plan::consistency(sizes.0.min(sizes.1), sizes.0.max(sizes.1)) else {
        return Ok(None);
    };
    let mut fetched = Fetched(Vec::new());
    for tile in plan.tiles() {
        match hashes(log, tile).await? {
            Some(hashes) => fetched.0.push((tile, hashes)),
            None => {
                let path = TilePath::Hashes(tile).to_string();
                return Ok(Some(Finding::Tile { path }));
            }
        }
    }
    let Ok(proof) = plan.resolve(&fetched);
    Ok(compare(a, b, &proof))
}

struct Fetched(Vec<(TileId, Vec<Hash>)>);

impl Tiles for Fetched {
    type Error = Infallible;

    fn tile(&self, tile: TileId) -> Result<Vec<Hash>, Self::Error> {
        let found = self.0.iter().find(|(id, _)| *id == tile);
        Ok(found.map(|(_, hashes)| hashes.clone()).unwrap_or_default())
    }
}

async fn check_tile(log: &dyn Fetch, tile: TileId, bytes: &[u8], report: &mut Report) -> Result<(), FetchError> {
    let path = TilePath::Hashes(tile);
    if get(log, path).await?.as_deref() != Some(bytes) {
        report.find(Finding::Tile { path: path.to_string() });
    }
    Ok(())
}

async fn entries(log: &dyn Fetch, tile: TileId) -> Result<Option<Vec<Commitment>>, FetchError> {
    let (index, width) = (tile.index, tile.width);
    let bytes = get(log, TilePath::Entries { index, width }).await?;
    Ok(bytes.and_then(|b| tiles::decode_entries(&b, width)))
}

async fn hashes(log: &dyn Fetch, tile: TileId) -> Result<Option<Vec<Hash>>, FetchError> {
    let bytes = get(log, TilePath::Hashes(tile)).await?;
    Ok(bytes.and_then(|b| tiles::decode_hashes(&b, tile.width)))
}

/// Gets a file; where a partial one is gone, the beginning of the full one (C2SP tlog-tiles, partial tiles).
async fn get(log: &dyn Fetch, path: TilePath) -> Result<Option<Bytes>, FetchError> {
    if let Some(bytes) = log.fetch(&path.to_string()).await? {
        return Ok(Some(bytes));
    }
    if path.tile().is_full() {
        return Ok(None);
    }
    let full = log.fetch(&path.full().to_string()).await?;
    Ok(full.map(|bytes| {
        let length = bytes.len() / usize::from(TILE_WIDTH) * usize::from(path.tile().width);
        bytes.slice(..length)
    }))
}
