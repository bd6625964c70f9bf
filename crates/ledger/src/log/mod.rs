//! The log: many append at once, one thread writes, and everything can be proved.
//!
//! ```text
//! append  ─┐                                    ┌─► receipt
//! append  ─┼─► queue ─► writer: frames, tree, checkpoint, one fdatasync ─┼─► receipt
//! append  ─┘                                    └─► receipt
//! ```
//! Nobody waits for a timer: the writer takes what is there when the last batch is done.

mod crown;
mod open;
mod shared;
mod stamps;
mod tail;
mod writer;

use std::{
    fs::{self, File, TryLockError},
    io,
    ops::Range,
    os::unix::fs::FileExt,
    path::Path,
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
    time::Duration,
};

use base::{Clock, time::SystemClock};
use tokio::sync::{Semaphore, oneshot};

pub(crate) use self::tail::{Tail, partial_tiles};
use self::{
    shared::Shared,
    writer::{Pending, Request},
};
pub use self::{shared::Work, stamps::Stamp};
use crate::{
    checkpoint::SignedCheckpoint,
    commitment::{Commitment, Kind, Salt},
    error::{Error, Result},
    files,
    hash::Hash,
    key::{Signer, is_key_name},
    proof::Proof,
    segments::{Header, Stored},
    tiles::TilePath,
    tree::Plan,
};

/// What a waiting record costs beyond its bytes, in bytes.
const OVERHEAD: usize = 256;

/// Offsets in a segment have 32 bits: a full segment and the largest batch fit.
const LARGEST_SEGMENT: u32 = 2 << 30;
const MOST_WAITING: usize = 1 << 30;

/// A record that a proof can hold ([`crate::LARGEST_PROOF`]).
const LARGEST_RECORD: usize = 4 << 20;

/// How a log is kept.
#[derive(Clone)]
pub struct Options {
    /// The name of the log for ever: a URL without scheme, at most 255 bytes (C2SP tlog-checkpoint).
    pub origin: String,
    /// Who signs checkpoints. All must, for every batch.
    pub signers: Vec<Arc<dyn Signer>>,
    /// Where the time of entries comes from.
    pub clock: Arc<dyn Clock>,
    /// A segment is closed before it grows beyond this, in bytes; at most 2 GiB.
    pub segment_bytes: u32,
    /// The largest record, in bytes; at most 4 MiB, so that a proof can hold it.
    pub largest_record: usize,
    /// Bytes of records that may wait, at most 1 GiB; more make `append` wait.
    pub waiting_bytes: usize,
    pub(crate) disk: OpenDisk,
}

/// Turns the file of a segment into what is written to. Tests put disks in that fail.
pub(crate) type OpenDisk = Arc<dyn Fn(File) -> Box<dyn Disk> + Send + Sync>;

impl Options {
    /// A log signed by one key: segments of 256 MiB, records up to 1 MiB, 16 MiB waiting.
    pub fn new(origin: &str, signer: Arc<dyn Signer>) -> Self {
        Self {
            origin: origin.to_owned(),
            signers: vec![signer],
            clock: Arc::new(SystemClock),
            segment_bytes: 256 << 20,
            largest_record: 1 << 20,
            waiting_bytes: 16 << 20,
            disk: Arc::new(|file| Box::new(file)),
        }
    }
}

/// The file that is appended to.
pub(crate) trait Disk: Send {
    fn write_all_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()>;
    fn sync_data(&mut self) -> io::Result<()>;
    fn set_len(&mut self, length: u64) -> io::Result<()>;
}

impl Disk for File {
    fn write_all_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        FileExt::write_all_at(self, bytes, offset)
    }

    fn sync_data(&mut self) -> io::Result<()> {
        File::sync_data(self)
    }

    fn set_len(&mut self, length: u64) -> io::Result<()> {
        File::set_len(self, length)
    }
}

/// What one gets for a record: its place, and the proof that it is there.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// The place of the leaf in the log, from 0.
    pub index: u64,
    /// The leaf entry.
    pub commitment: Commitment,
    /// The key of the commitment: with the record it opens the leaf.
    pub salt: Salt,
    /// The inclusion proof in the tree of [`Self::checkpoint`].
    pub path: Vec<Hash>,
    /// The checkpoint of the batch.
    pub checkpoint: Arc<SignedCheckpoint>,
}

impl Receipt {
    /// The proof as a text for others, without what the leaf says.
    pub fn proof(&self) -> Proof {
        Proof {
            index: self.index,
            commitment: self.commitment,
            opening: None,
            path: self.path.clone(),
            checkpoint: (*self.checkpoint).clone(),
        }
    }
}

/// An open log. Reading methods block on the disk for some microseconds; none but [`Self::append`] and
/// [`Self::append_all`] waits for others. Dropping it finishes what waits, then closes.
pub struct Log {
    shared: Arc<Shared>,
    queue: Option<mpsc::Sender<Request>>,
    room: Arc<Semaphore>,
    largest_record: usize,
    waiting_bytes: usize,
    writer: Option<JoinHandle<()>>,
    _lock: File,
}

impl Log {
    /// Opens the log in `dir`, or begins one there. Blocks: the last segment is read whole.
    ///
    /// What a crash left is repaired: a torn end is cut, whole frames stay, tiles and indexes are made again.
    ///
    /// # Errors
    /// [`Error::Locked`] when it is open elsewhere, [`Error::Damaged`] when bytes that were acknowledged are not what was
    /// written, [`Error::Misconfigured`], [`Error::OtherLog`], [`Error::Shortened`], [`Error::Sign`], [`Error::Io`].
    pub fn open(dir: &Path, options: Options) -> Result<Self> {
        if !is_key_name(&options.origin) || options.origin.len() > Header::LONGEST_ORIGIN {
            return Err(Error::Misconfigured(
                "the origin is empty, has a space or a plus, or is longer than 255 bytes",
            ));
        }
        if options.signers.is_empty() {
            return Err(Error::Misconfigured("nobody signs the log"));
        }
        let waiting_bytes = options.waiting_bytes.min(MOST_WAITING);
        let lock = lock(dir)?;
        let (shared, writer) = open::open(dir, &options)?;
        let (queue, waiting) = mpsc::channel();
        let writer = thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || writer.run(&waiting))
            .map_err(Error::io("starting the writer of", dir))?;
        Ok(Self {
            shared,
            queue: Some(queue),
            room: Arc::new(Semaphore::new(waiting_bytes)),
            largest_record: options.largest_record.min(LARGEST_RECORD),
            waiting_bytes,
            writer: Some(writer),
            _lock: lock,
        })
    }

    /// Opens a log that has ended, in its folder: it is read, proved and erased from as before, under its last checkpoint, and takes
    /// nothing more ([`Error::Ended`]). It needs no key. What was never under a checkpoint is cut: nobody was told of it.
    ///
    /// # Errors
    /// As [`Self::open`]; [`Error::Misconfigured`] when there is no log.
    pub fn open_ended(dir: &Path) -> Result<Self> {
        let lock = lock(dir)?;
        Ok(Self {
            shared: open::open_ended(dir)?,
            queue: None,
            room: Arc::new(Semaphore::new(0)),
            largest_record: LARGEST_RECORD,
            waiting_bytes: MOST_WAITING,
            writer: None,
            _lock: lock,
        })
    }

    /// Appends a record. Returns when it is on disk, under a signed checkpoint. A caller that goes away does not undo it.
    ///
    /// # Errors
    /// [`Error::TooLarge`]; [`Error::Ended`]; [`Error::Sign`] and [`Error::Full`] when nothing was stored; [`Error::Unconfirmed`] when that
    /// cannot be known; [`Error::ReadOnly`] after such a failure, until the log has opened itself again.
    pub async fn append(&self, kind: Kind, record: Vec<u8>) -> Result<Receipt> {
        let mut receipts = self.append_all(vec![(kind, record)]).await?;
        receipts.pop().ok_or(Error::Closed)
    }

    /// Appends records side by side, under one checkpoint. If it fails, none is stored, except as in [`Error::Unconfirmed`]; a
    /// crash before the answer may leave the first of them.
    ///
    /// # Errors
    /// See [`Self::append`].
    pub async fn append_all(&self, records: Vec<(Kind, Vec<u8>)>) -> Result<Vec<Receipt>> {
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let queue = self.queue.as_ref().ok_or(Error::Ended)?;
        let bytes = self.weigh(&records)?;
        if let Some(error) = self.shared.state().broken.clone() {
            return Err(error);
        }
        let room = Arc::clone(&self.room);
        let room = room.acquire_many_owned(bytes).await.map_err(|_| Error::Closed)?;
        let pending: Vec<_> = records.into_iter().map(Pending::new).collect();
        let promised: Vec<_> = pending.iter().map(|p| (p.commitment, p.opening.salt)).collect();
        let (answer, answered) = oneshot::channel();
        let request = Request {
            pending,
            answer,
            _room: room,
        };
        queue.send(request).map_err(|_| Error::Closed)?;
        let stored = answered.await.map_err(|_| Error::Closed)??;
        // Here, not in the writer, so that proofs are put together on every core.
        let receipts = (stored.first..).zip(promised).map(|(index, (commitment, salt))| {
            Some(Receipt {
                index,
                commitment,
                salt,
                path: stored.growth.path(index)?,
                checkpoint: Arc::clone(&stored.checkpoint),
            })
        });
        receipts.collect::<Option<_>>().ok_or(Error::Closed)
    }

    fn weigh(&self, records: &[(Kind, Vec<u8>)]) -> Result<u32> {
        let too_large = |bytes, limit| Err(Error::TooLarge { bytes, limit });
        let mut all = 0;
        for (_, record) in records {
            if record.len() > self.largest_record {
                return too_large(record.len(), self.largest_record);
            }
            all += record.len() + OVERHEAD;
        }
        match u32::try_from(all) {
            Ok(bytes) if all <= self.waiting_bytes => Ok(bytes),
            _ => too_large(all, self.waiting_bytes),
        }
    }

    /// The name of the log.
    pub fn origin(&self) -> &str {
        &self.shared.origin
    }

    /// Entries that are stored for good.
    pub fn size(&self) -> u64 {
        self.shared.state().checkpoint.checkpoint().size
    }

    /// What the log has done since it was opened, for those who watch it.
    pub fn work(&self) -> Work {
        self.shared.work()
    }

    /// The latest checkpoint. Its size is that of the log.
    pub fn checkpoint(&self) -> Arc<SignedCheckpoint> {
        Arc::clone(&self.shared.state().checkpoint)
    }

    /// The latest checkpoint that witnesses cosigned, if any was given to [`Self::set_cosigned`].
    pub fn cosigned(&self) -> Option<Arc<SignedCheckpoint>> {
        self.shared.state().cosigned.clone()
    }

    /// Keeps a checkpoint with its cosignatures, for others to fetch. Blocks until it is on disk.
    ///
    /// # Errors
    /// [`Error::ForeignCheckpoint`] when it is not of this log, or older than the last one.
    pub fn set_cosigned(&self, checkpoint: SignedCheckpoint) -> Result<()> {
        self.shared.set_cosigned(checkpoint)
    }

    /// Reads an entry. The caller answers for who may see the record.
    ///
    /// # Errors
    /// [`Error::Beyond`], [`Error::Damaged`], [`Error::Io`].
    pub fn entry(&self, index: u64) -> Result<Stored> {
        self.shared.entry(index)
    }

    /// Reads entries in their order, the disk asked for many at once: for whoever reads all. `visit` must not erase any.
    ///
    /// # Errors
    /// As [`Self::entry`]; what was visited before stays visited.
    pub fn read_each(&self, range: Range<u64>, visit: impl FnMut(Stored)) -> Result<()> {
        self.shared.read_each(range, visit)
    }

    /// Erases a record and its salt from the disk for ever. The commitment stays, so every proof still verifies; only what
    /// the leaf says can no longer be shown. Blocks until it is on disk; doing it twice does no harm.
    ///
    /// # Errors
    /// [`Error::Beyond`], [`Error::Damaged`], [`Error::Io`].
    pub fn erase(&self, index: u64) -> Result<()> {
        self.shared.erase(index)
    }

    /// The inclusion proof of a leaf in the tree of `size` leaves (RFC 6962 2.1.1).
    ///
    /// # Errors
    /// [`Error::Beyond`] when there is no such leaf or tree; [`Error::Tile`], [`Error::Io`].
    pub fn inclusion(&self, index: u64, size: u64) -> Result<Vec<Hash>> {
        self.within(size)?;
        let plan = Plan::inclusion(index, size).ok_or(Error::Beyond { asked: index, size })?;
        plan.resolve(&*self.shared)
    }

    /// The root of the tree of `size` leaves.
    ///
    /// # Errors
    /// [`Error::Beyond`] when the log is smaller; [`Error::Tile`], [`Error::Io`].
    pub fn root(&self, size: u64) -> Result<Hash> {
        self.within(size)?;
        self.shared.root(size)
    }

    /// The consistency proof between the trees of two sizes (RFC 6962 2.1.2).
    ///
    /// # Errors
    /// [`Error::Beyond`] when there is no such tree, or `from` is the larger; [`Error::Tile`], [`Error::Io`].
    pub fn consistency(&self, from: u64, to: u64) -> Result<Vec<Hash>> {
        self.within(to)?;
        let plan = Plan::consistency(from, to).ok_or(Error::Beyond { asked: from, size: to })?;
        plan.resolve(&*self.shared)
    }

    /// The proof of a leaf, without what it says, in the tree of a checkpoint that is one of this log.
    ///
    /// # Errors
    /// See [`Self::entry`] and [`Self::inclusion`].
    pub fn prove_under(&self, index: u64, checkpoint: &SignedCheckpoint) -> Result<Proof> {
        Ok(Proof {
            index,
            commitment: self.entry(index)?.commitment,
            opening: None,
            path: self.inclusion(index, checkpoint.checkpoint().size)?,
            checkpoint: checkpoint.clone(),
        })
    }

    /// Keeps the token of a timestamping authority over the signed note of a checkpoint. The caller has verified it. Blocks
    /// until it is on disk; of a size that has one, the first stays.
    ///
    /// # Errors
    /// [`Error::ForeignCheckpoint`] when the checkpoint is not of this log.
    pub fn stamp(&self, stamp: &Stamp) -> Result<()> {
        let checkpoint = stamp.checkpoint.checkpoint();
        let ours = checkpoint.origin == self.origin() && checkpoint.size <= self.size();
        if !ours || self.root(checkpoint.size)? != checkpoint.root {
            return Err(Error::ForeignCheckpoint);
        }
        self.shared.stamps.keep(stamp)
    }

    /// The sizes of the trees that were stamped, smallest first.
    pub fn stamps(&self) -> Vec<u64> {
        self.shared.stamps.sizes()
    }

    /// The stamp of the tree of `size` leaves.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn stamped(&self, size: u64) -> Result<Option<Stamp>> {
        self.shared.stamps.read(size)
    }

    /// The earliest stamp on a tree that has a leaf.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn first_stamp_over(&self, index: u64) -> Result<Option<Stamp>> {
        match self.shared.stamps.over(index) {
            Some(size) => self.stamped(size),
            None => Ok(None),
        }
    }

    fn within(&self, asked: u64) -> Result<()> {
        let size = self.size();
        if asked > size {
            return Err(Error::Beyond { asked, size });
        }
        Ok(())
    }

    /// A proof as a text for others, under the latest cosigned checkpoint that has the leaf, else under the latest one. It does
    /// not show what the leaf says.
    ///
    /// # Errors
    /// See [`Self::entry`] and [`Self::inclusion`].
    pub fn prove(&self, index: u64) -> Result<Proof> {
        self.disclose(index).map(Proof::closed)
    }

    /// The same proof with the record, unless that is erased. The caller answers for who may see it.
    ///
    /// # Errors
    /// See [`Self::entry`] and [`Self::inclusion`].
    pub fn disclose(&self, index: u64) -> Result<Proof> {
        let entry = self.entry(index)?;
        let cosigned = self.cosigned().filter(|c| index < c.checkpoint().size);
        let checkpoint = cosigned.unwrap_or_else(|| self.checkpoint());
        Ok(Proof {
            index,
            commitment: entry.commitment,
            opening: entry.opening,
            path: self.inclusion(index, checkpoint.checkpoint().size)?,
            checkpoint: (*checkpoint).clone(),
        })
    }

    /// The content of a tile or bundle; `None` when the log does not have it, or not yet as wide.
    ///
    /// # Errors
    /// [`Error::Tile`], [`Error::Io`].
    pub fn tile(&self, path: TilePath) -> Result<Option<Vec<u8>>> {
        self.shared.content(path)
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the writer of the log ended in a panic");
        }
    }
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Log({}, {} entries)", self.origin(), self.size())
    }
}

/// A folder is open once.
pub(crate) fn lock(dir: &Path) -> Result<File> {
    fs::create_dir_all(dir).map_err(Error::io("creating", dir))?;
    files::sync_parent(dir).map_err(Error::io("syncing the parent of", dir))?;
    let path = dir.join("lock");
    let file = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(Error::io("opening", &path))?;
    // A program that this process is just starting has the lock, too, until it has begun: not the first no counts.
    for _ in 0..20 {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(10)),
            Err(TryLockError::Error(e)) => return Err(Error::io("locking", &path)(e)),
        }
    }
    Err(Error::Locked(dir.display().to_string()))
}

#[cfg(test)]
mod tests;
