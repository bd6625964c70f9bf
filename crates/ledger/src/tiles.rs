//! Tiles: the tree cut into pieces of 256 hashes, and the entries in bundles of 256 (C2SP tlog-tiles). A full tile never
//! changes. All of them can be made again from the segments, so none is synced one by one.

use std::{
    fmt,
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use crate::{
    commitment::{COMMITMENT_BYTES, Commitment},
    decimal,
    hash::Hash,
};

/// Tree levels in a tile.
pub const TILE_HEIGHT: u8 = 8;

/// Hashes in a full tile, and entries in a full bundle.
pub const TILE_WIDTH: u16 = 256;

/// A tile of hashes: those of the tree level `8 · level` from `256 · index`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileId {
    /// 0 has the leaf hashes.
    pub level: u8,
    /// Place on that level, from the left.
    pub index: u64,
    /// How many hashes, 1 to 256; a tile of fewer than 256 is partial.
    pub width: u16,
}

impl TileId {
    /// The tile as it is in a tree of `size` leaves; of width 0 when it is not in there yet.
    pub fn at(level: u8, index: u64, size: u64) -> Self {
        let hashes = size.checked_shr(u32::from(level) * 8).unwrap_or(0);
        let within = hashes.saturating_sub(index.saturating_mul(u64::from(TILE_WIDTH)));
        Self {
            level,
            index,
            width: within.min(u64::from(TILE_WIDTH)) as u16,
        }
    }

    /// Whether it will never change.
    pub const fn is_full(&self) -> bool {
        self.width == TILE_WIDTH
    }
}

/// A file that a log publishes beside its checkpoint. Displays as its path: `tile/<level>/<index>[.p/<width>]` or
/// `tile/entries/<index>[.p/<width>]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TilePath {
    /// Hashes, 32 bytes each.
    Hashes(TileId),
    /// The entries of a tile of level 0, each with its length in two bytes in front.
    Entries {
        /// Place, from the left.
        index: u64,
        /// How many entries, 1 to 256.
        width: u16,
    },
}

impl TilePath {
    /// Reads a path; `None` for any other than the one canonical path of a tile.
    pub fn parse(path: &str) -> Option<Self> {
        let (level, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => (number, u16::try_from(decimal(width)?).ok()?),
            None => (rest, TILE_WIDTH),
        };
        let index = number.split('/').try_fold(0_u64, |n, group| {
            let digits = group.strip_prefix('x').unwrap_or(group);
            n.checked_mul(1_000)?.checked_add(digits.parse::<u16>().ok()?.into())
        })?;
        let tile = if level == "entries" {
            Self::Entries { index, width }
        } else {
            let level = u8::try_from(decimal(level)?).ok()?;
            Self::Hashes(TileId { level, index, width })
        };
        (tile.is_legal() && tile.to_string() == path).then_some(tile)
    }

    /// The tile of hashes that has the same leaves.
    pub const fn tile(&self) -> TileId {
        match *self {
            Self::Hashes(tile) => tile,
            Self::Entries { index, width } => TileId { level: 0, index, width },
        }
    }

    /// The same file once it is full.
    #[must_use]
    pub const fn full(mut self) -> Self {
        match &mut self {
            Self::Hashes(TileId { width, .. }) | Self::Entries { width, .. } => *width = TILE_WIDTH,
        }
        self
    }

    fn is_legal(&self) -> bool {
        let TileId { level, index, width } = self.tile();
        level <= 63 && (1..=TILE_WIDTH).contains(&width) && index <= u64::MAX >> 8
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hashes(tile) => write!(f, "tile/{}/", tile.level)?,
            Self::Entries { .. } => f.write_str("tile/entries/")?,
        }
        let TileId { index, width, .. } = self.tile();
        let groups = (1..7).rev().map(|n| index / 1_000_u64.pow(n));
        for group in groups.skip_while(|n| *n == 0) {
            write!(f, "x{:03}/", group % 1_000)?;
        }
        write!(f, "{:03}", index % 1_000)?;
        if width < TILE_WIDTH {
            write!(f, ".p/{width}")?;
        }
        Ok(())
    }
}

/// The content of a tile of hashes.
pub fn encode_hashes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|h| h.0).collect()
}

/// Reads the content of a tile of hashes; `None` when it is not exactly `width` hashes.
pub fn decode_hashes(bytes: &[u8], width: u16) -> Option<Vec<Hash>> {
    let (hashes, rest) = bytes.as_chunks();
    (rest.is_empty() && hashes.len() == usize::from(width)).then(|| hashes.iter().copied().map(Hash).collect())
}

/// The content of a bundle of entries.
pub fn encode_entries(entries: &[Commitment]) -> Vec<u8> {
    let length = (COMMITMENT_BYTES as u16).to_be_bytes();
    entries
        .iter()
        .flat_map(|e| length.into_iter().chain(*e.as_bytes()))
        .collect()
}

/// Reads a bundle of entries; `None` when it is not exactly `width` commitments.
pub fn decode_entries(bytes: &[u8], width: u16) -> Option<Vec<Commitment>> {
    let length = (COMMITMENT_BYTES as u16).to_be_bytes();
    let (bundles, rest) = bytes.as_chunks::<{ COMMITMENT_BYTES + 2 }>();
    if !rest.is_empty() || bundles.len() != usize::from(width) {
        return None;
    }
    bundles
        .iter()
        .map(|b| Commitment::from_bytes(b.strip_prefix(&length)?))
        .collect()
}

/// The tiles of one log on a disk.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    dir: PathBuf,
}

impl Disk {
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// Reads a file; `None` when it is not there.
    pub fn read(&self, path: TilePath) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.dir.join(path.to_string())) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Reads the file of a full tile; `None` when it is not there or not as long as such a file is.
    pub fn read_full(&self, path: TilePath) -> io::Result<Option<Vec<u8>>> {
        let each = match path {
            TilePath::Hashes(_) => 32,
            TilePath::Entries { .. } => COMMITMENT_BYTES + 2,
        };
        let mut bytes = vec![0; each * usize::from(TILE_WIDTH)];
        let read = File::open(self.dir.join(path.to_string())).and_then(|file| {
            let whole = file.metadata()?.len() == bytes.len() as u64;
            file.read_exact_at(&mut bytes, 0).map(|()| whole)
        });
        match read {
            Ok(whole) => Ok(whole.then_some(bytes)),
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof) => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Writes a file that may be there already.
    pub fn write_if_other(&self, path: TilePath, bytes: &[u8]) -> io::Result<()> {
        if self.read(path)?.as_deref() == Some(bytes) {
            return Ok(());
        }
        self.write(path, bytes)
    }

    /// Writes a file; a reader finds it whole or not at all. Only one thread writes.
    pub fn write(&self, path: TilePath, bytes: &[u8]) -> io::Result<()> {
        let target = self.dir.join(path.to_string());
        let half = self.dir.join("tile.tmp");
        fs::write(&half, bytes)?;
        match fs::rename(&half, &target) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                if let Some(parent) = target.parent() {
                    fs::create_dir_all(parent)?;
                }
                fs::rename(&half, &target)
            }
            result => result,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_are_as_tlog_tiles_writes_them() {
        let tile = |level, index, width| TilePath::Hashes(TileId { level, index, width });
        assert_eq!(tile(0, 1_234_067, 256).to_string(), "tile/0/x001/x234/067");
        assert_eq!(tile(2, 5, 17).to_string(), "tile/2/005.p/17");
        let entries = TilePath::Entries { index: 273, width: 112 };
        assert_eq!(entries.to_string(), "tile/entries/273.p/112");
        for wrong in [
            "tile/0/5",
            "tile/0/x000/005",
            "tile/00/005",
            "tile/64/005",
            "tile/0/005.p/0",
            "tile/0/005.p/256",
            "tile/0/005.p/07",
            "tile/0/+05",
            "tile/0/x1/005",
            "tile/0/../005",
            "tile//005",
            "tile/0/",
            "/tile/0/005",
        ] {
            assert_eq!(TilePath::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_tree_of_70_000_leaves_has_the_tiles_of_the_specification() {
        assert_eq!(TileId::at(0, 272, 70_000).width, 256);
        assert_eq!(TileId::at(0, 273, 70_000).width, 112);
        assert_eq!(TileId::at(1, 0, 70_000).width, 256);
        assert_eq!(TileId::at(1, 1, 70_000).width, 17);
        assert_eq!(TileId::at(2, 0, 70_000).width, 1);
        assert_eq!(TileId::at(3, 0, 70_000).width, 0);
        assert_eq!(TileId::at(63, 0, u64::MAX).width, 0);
    }

    proptest! {
        #[test]
        fn every_tile_has_one_path(level in 0_u8..=63, index in 0..=u64::MAX >> 8, width in 1_u16..=256) {
            for path in [TilePath::Hashes(TileId { level, index, width }), TilePath::Entries { index, width }] {
                prop_assert_eq!(TilePath::parse(&path.to_string()), Some(path));
            }
        }

        #[test]
        fn no_path_makes_the_parser_panic(path in "(tile/)?[a-z0-9/.x+]{0,40}") {
            if let Some(tile) = TilePath::parse(&path) {
                prop_assert_eq!(tile.to_string(), path);
            }
        }
    }
}
