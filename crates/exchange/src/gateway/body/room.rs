//! How much of memory and disk all bodies together take, and those on disk.
//!
//! Bodies have personal data in them, and a disk remembers what was deleted. So a body on disk is sealed block by block under
//! a key of its own that is nowhere but in memory: with the process, or with the body, it is gone.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use bytes::Bytes;
use tokio::task::{JoinHandle, spawn_blocking};

use super::super::{config::Limits, flaw::BodyFlaw};

/// Bytes of a body that are sealed, written or read at once.
const BLOCK: usize = 256 * 1024;
/// What sealing adds to a block.
const TAG: usize = 16;

/// What is left.
pub(in super::super) struct Room(Arc<Left>);

struct Left {
    memory: AtomicU64,
    disk: AtomicU64,
    folder: PathBuf,
}

impl Room {
    pub fn new(limits: &Limits, folder: PathBuf) -> Self {
        Self(Arc::new(Left {
            memory: AtomicU64::new(limits.memory),
            disk: AtomicU64::new(limits.disk),
            folder,
        }))
    }

    /// What all bodies take now: bytes in memory, bytes on disk.
    pub fn taken(&self, limits: &Limits) -> (u64, u64) {
        let taken = |limit: u64, left: &AtomicU64| limit.saturating_sub(left.load(Ordering::Relaxed));
        (taken(limits.memory, &self.0.memory), taken(limits.disk, &self.0.disk))
    }

    /// A reservation to add to.
    pub fn nothing(&self) -> Reserved {
        Reserved {
            left: Arc::clone(&self.0),
            memory: 0,
            disk: 0,
        }
    }
}

/// What one body has taken; it is given back when this goes.
pub(in super::super) struct Reserved {
    left: Arc<Left>,
    memory: u64,
    disk: u64,
}

impl Reserved {
    /// Takes memory, if it is there.
    pub fn memory(&mut self, bytes: u64) -> bool {
        let taken = take(&self.left.memory, bytes);
        self.memory += if taken { bytes } else { 0 };
        taken
    }

    fn disk(&mut self, bytes: u64) -> bool {
        let taken = take(&self.left.disk, bytes);
        self.disk += if taken { bytes } else { 0 };
        taken
    }
}

fn take(left: &AtomicU64, bytes: u64) -> bool {
    let less = |left: u64| left.checked_sub(bytes);
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.left.memory.fetch_add(self.memory, Ordering::Relaxed);
        self.left.disk.fetch_add(self.disk, Ordering::Relaxed);
    }
}

/// A file without a name, and the key of what is in it.
struct Sealed {
    file: File,
    key: LessSafeKey,
}

impl Sealed {
    fn new(folder: &Path) -> io::Result<Self> {
        let key: [u8; 32] = rand::random();
        Ok(Self {
            file: tempfile::tempfile_in(folder)?,
            key: LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).map_err(io::Error::other)?),
        })
    }

    /// Seals and writes block number `n`. A number is used once under a key, so it is the nonce.
    fn write(&self, n: u64, block: &mut Vec<u8>) -> io::Result<()> {
        self.key
            .seal_in_place_append_tag(nonce(n), Aad::empty(), block)
            .map_err(io::Error::other)?;
        self.file.write_all_at(block, n * (BLOCK + TAG) as u64)
    }

    /// Reads block number `n`, of `length` bytes.
    fn read(&self, n: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut block = vec![0; length + TAG];
        self.file.read_exact_at(&mut block, n * (BLOCK + TAG) as u64)?;
        self.key
            .open_in_place(nonce(n), Aad::empty(), &mut block)
            .map_err(|_| io::Error::other("a body on disk is not what was written"))?;
        block.truncate(length);
        Ok(block)
    }
}

fn nonce(n: u64) -> Nonce {
    let mut bytes = [0; 12];
    bytes[4..].copy_from_slice(&n.to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}

/// A body on its way to disk.
pub(in super::super) struct Spill {
    sealed: Arc<Sealed>,
    waiting: Vec<u8>,
    blocks: u64,
    length: u64,
    reserved: Reserved,
}

impl Spill {
    /// A file without a name: whatever happens, it is gone with the process.
    pub async fn new(room: &Room) -> Result<Self, BodyFlaw> {
        let reserved = room.nothing();
        let left = Arc::clone(&room.0);
        let sealed = blocking(move || Sealed::new(&left.folder)).await?;
        Ok(Self {
            sealed: Arc::new(sealed),
            waiting: Vec::with_capacity(BLOCK + TAG),
            blocks: 0,
            length: 0,
            reserved,
        })
    }

    pub async fn push(&mut self, mut piece: &[u8]) -> Result<(), BodyFlaw> {
        while !piece.is_empty() {
            let (now, later) = piece.split_at(piece.len().min(BLOCK - self.waiting.len()));
            self.waiting.extend_from_slice(now);
            piece = later;
            if self.waiting.len() == BLOCK {
                self.flush().await?;
            }
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), BodyFlaw> {
        let mut block = std::mem::take(&mut self.waiting);
        let length = block.len() as u64;
        if !self.reserved.disk(length) {
            return Err(BodyFlaw::NotKept);
        }
        let (sealed, n) = (Arc::clone(&self.sealed), self.blocks);
        self.blocks += 1;
        self.length += length;
        self.waiting = blocking(move || sealed.write(n, &mut block).map(|()| block)).await?;
        self.waiting.clear();
        Ok(())
    }

    pub async fn finish(mut self) -> Result<Spilled, BodyFlaw> {
        if !self.waiting.is_empty() {
            self.flush().await?;
        }
        Ok(Spilled {
            sealed: self.sealed,
            length: self.length,
            _reserved: self.reserved,
        })
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T, BodyFlaw> {
    let done = spawn_blocking(work).await.map_err(io::Error::other).flatten();
    done.map_err(|error| {
        tracing::error!(%error, "a body could not be kept on disk");
        BodyFlaw::NotKept
    })
}

/// A whole body on disk.
pub(in super::super) struct Spilled {
    sealed: Arc<Sealed>,
    length: u64,
    _reserved: Reserved,
}

impl Spilled {
    pub const fn length(&self) -> u64 {
        self.length
    }

    pub async fn whole(&self) -> Result<Bytes, BodyFlaw> {
        let (sealed, length) = (Arc::clone(&self.sealed), self.length);
        blocking(move || {
            let mut whole = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
            for at in (0..length).step_by(BLOCK) {
                whole.extend_from_slice(&sealed.read(at / BLOCK as u64, block_of(length, at))?);
            }
            Ok(whole.into())
        })
        .await
    }

    /// Begins to read the block at `at`, a multiple of its length from the beginning.
    pub fn block(&self, at: u64) -> JoinHandle<io::Result<Bytes>> {
        let (sealed, length) = (Arc::clone(&self.sealed), block_of(self.length, at));
        spawn_blocking(move || sealed.read(at / BLOCK as u64, length).map(Bytes::from))
    }
}

/// How many bytes the block at `at` of a body has.
fn block_of(length: u64, at: u64) -> usize {
    usize::try_from(length - at).unwrap_or(BLOCK).min(BLOCK)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(folder: &Path) -> Room {
        Room::new(&Limits::default(), folder.to_owned())
    }

    #[tokio::test]
    async fn a_body_comes_back_as_it_went_and_lies_sealed() {
        let folder = tempfile::tempdir().expect("a folder");
        let room = room(folder.path());
        for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 7] {
            let body: Vec<u8> = (0..length).map(|n| b"037190001234"[n % 12]).collect();
            let mut spill = Spill::new(&room).await.expect("room");
            for piece in body.chunks(100_000) {
                spill.push(piece).await.expect("kept");
            }
            let spilled = spill.finish().await.expect("kept");
            assert_eq!(spilled.length(), length as u64);
            assert_eq!(room.taken(&Limits::default()).1, length as u64);
            assert_eq!(spilled.whole().await.expect("read"), body);
            let mut at = 0;
            while at < length {
                let block = spilled.block(at as u64).await.expect("no panic").expect("read");
                assert_eq!(block, body[at..at + block.len()]);
                at += block.len();
            }
            let mut raw =
                vec![0; usize::try_from(spilled.sealed.file.metadata().expect("a file").len()).expect("small")];
            spilled.sealed.file.read_exact_at(&mut raw, 0).expect("read");
            assert!(
                !raw.windows(12).any(|bytes| bytes == b"037190001234"),
                "readable on disk"
            );
            if length > 0 {
                raw[0] ^= 1;
                spilled.sealed.file.write_all_at(&raw[..1], 0).expect("written");
                assert!(spilled.whole().await.is_err(), "altered on disk");
            }
        }
        assert_eq!(room.taken(&Limits::default()), (0, 0));
    }
}
