//! How much of memory and disk all bodies together take, and those on disk.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use tokio::task::{JoinHandle, spawn_blocking};

use super::super::{config::Limits, flaw::BodyFlaw};

/// Bytes that are written or read at once.
const BLOCK: usize = 256 * 1024;

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

/// A body on its way to disk.
pub(in super::super) struct Spill {
    file: Arc<File>,
    waiting: Vec<u8>,
    written: u64,
    reserved: Reserved,
}

impl Spill {
    /// A file without a name: whatever happens, it is gone with the process.
    pub async fn new(room: &Room) -> Result<Self, BodyFlaw> {
        let reserved = room.nothing();
        let left = Arc::clone(&room.0);
        let file = blocking(move || tempfile::tempfile_in(&left.folder)).await?;
        Ok(Self {
            file: Arc::new(file),
            waiting: Vec::with_capacity(BLOCK),
            written: 0,
            reserved,
        })
    }

    pub async fn push(&mut self, piece: &[u8]) -> Result<(), BodyFlaw> {
        self.waiting.extend_from_slice(piece);
        if self.waiting.len() >= BLOCK {
            self.flush().await
        } else {
            Ok(())
        }
    }

    async fn flush(&mut self) -> Result<(), BodyFlaw> {
        let block = std::mem::take(&mut self.waiting);
        if !self.reserved.disk(block.len() as u64) {
            return Err(BodyFlaw::NotKept);
        }
        let (file, at) = (Arc::clone(&self.file), self.written);
        self.written += block.len() as u64;
        self.waiting = blocking(move || file.write_all_at(&block, at).map(|()| block)).await?;
        self.waiting.clear();
        Ok(())
    }

    pub async fn finish(mut self) -> Result<Spilled, BodyFlaw> {
        self.flush().await?;
        Ok(Spilled {
            file: self.file,
            length: self.written,
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
    file: Arc<File>,
    length: u64,
    _reserved: Reserved,
}

impl Spilled {
    pub const fn length(&self) -> u64 {
        self.length
    }

    pub async fn whole(&self) -> Result<Bytes, BodyFlaw> {
        let (file, length) = (Arc::clone(&self.file), usize::try_from(self.length).unwrap_or(0));
        blocking(move || read(&file, 0, length)).await
    }

    /// Begins to read the block at `at`.
    pub fn block(&self, at: u64) -> JoinHandle<io::Result<Bytes>> {
        let file = Arc::clone(&self.file);
        let length = usize::try_from(self.length - at).unwrap_or(BLOCK).min(BLOCK);
        spawn_blocking(move || read(&file, at, length))
    }
}

fn read(file: &File, at: u64, length: usize) -> io::Result<Bytes> {
    let mut block = vec![0; length];
    file.read_exact_at(&mut block, at)?;
    Ok(block.into())
}
