//! Checkpoints that a timestamping authority stamped, kept beside the log for ever: `timestamps/<size>.note`, the signed note
//! byte for byte, and `timestamps/<size>.tst`, the token over it (RFC 3161). What a token says is for others to judge.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{PoisonError, RwLock},
};

use crate::{
    checkpoint::SignedCheckpoint,
    error::{Error, Result},
    files,
};

/// A checkpoint with the token over its signed note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// The checkpoint, with the signatures that it had when it was stamped.
    pub checkpoint: SignedCheckpoint,
    /// The token in DER.
    pub token: Vec<u8>,
}

pub(super) struct Stamps {
    dir: PathBuf,
    /// The sizes of the trees that were stamped, smallest first.
    sizes: RwLock<Vec<u64>>,
}

impl Stamps {
    /// Reads which there are.
    pub fn open(log: &Path) -> Result<Self> {
        let dir = log.join("timestamps");
        fs::create_dir_all(&dir).map_err(Error::io("creating", &dir))?;
        let mut sizes = Vec::new();
        for entry in fs::read_dir(&dir).map_err(Error::io("reading", &dir))? {
            let name = entry.map_err(Error::io("reading", &dir))?.file_name();
            let size = name.to_str().and_then(|name| name.strip_suffix(".tst"));
            sizes.extend(size.and_then(crate::decimal));
        }
        sizes.sort_unstable();
        Ok(Self {
            dir,
            sizes: RwLock::new(sizes),
        })
    }

    pub fn sizes(&self) -> Vec<u64> {
        self.sizes.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The first stamped size that is larger than `index`.
    pub fn over(&self, index: u64) -> Option<u64> {
        let sizes = self.sizes.read().unwrap_or_else(PoisonError::into_inner);
        sizes.get(sizes.partition_point(|size| *size <= index)).copied()
    }

    pub fn read(&self, size: u64) -> Result<Option<Stamp>> {
        let read = |path: &Path| files::read(path).map_err(Error::io("reading", path));
        let (note, token) = self.paths(size);
        let (Some(note_bytes), Some(token)) = (read(&note)?, read(&token)?) else {
            return Ok(None);
        };
        let checkpoint = SignedCheckpoint::parse(&note_bytes).map_err(|_| Error::Tile(note.display().to_string()))?;
        Ok(Some(Stamp { checkpoint, token }))
    }

    /// Keeps a stamp. Of a size that has one, the first stays: it is the older.
    pub fn keep(&self, stamp: &Stamp) -> Result<()> {
        let size = stamp.checkpoint.checkpoint().size;
        let mut sizes = self.sizes.write().unwrap_or_else(PoisonError::into_inner);
        let Err(place) = sizes.binary_search(&size) else {
            return Ok(());
        };
        let (note, token) = self.paths(size);
        let text = stamp.checkpoint.to_string();
        // The token last: with it the stamp is there.
        files::replace(&note, text.as_bytes()).map_err(Error::io("writing", &note))?;
        files::replace(&token, &stamp.token).map_err(Error::io("writing", &token))?;
        sizes.insert(place, size);
        Ok(())
    }

    fn paths(&self, size: u64) -> (PathBuf, PathBuf) {
        (
            self.dir.join(format!("{size}.note")),
            self.dir.join(format!("{size}.tst")),
        )
    }
}
