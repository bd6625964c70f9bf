//! The one thread that writes.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    sync::{Arc, PoisonError, mpsc},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use base::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::{Disk, LARGEST_SEGMENT, Options, open, shared::Shared, tail::Tail};
use crate::{
    checkpoint::{Checkpoint, SignedCheckpoint},
    commitment::{Commitment, Kind, Opening, SALT_BYTES},
    error::{Error, Result},
    files,
    hash::Hash,
    key::Signer,
    seconds,
    segments::{HEAD, Header, OFFSET, Segment, push_checkpoint, push_entry},
    tree::{Edge, Growth},
};

/// A batch ends when it has this many bytes of records, so that the first does not wait for ever.
const BATCH_BYTES: usize = 4 << 20;

/// Room for the frame of a checkpoint, in bytes, where a segment ends.
const CHECKPOINT_ROOM: usize = 16 << 10;

/// Zeros that are written behind the frames, for the next to overwrite: to lengthen a file costs a sync twice as much. A segment is
/// given as much as it has, between these bounds in bytes.
const ROOM: std::ops::RangeInclusive<u64> = ZEROS.len() as u64..=1 << 20;
const ZEROS: &[u8] = &[0; 64 << 10];

/// How long a log that broke waits before it opens itself again; or ten times as long as that took when it failed.
const AGAIN: Duration = Duration::from_secs(1);

/// A record on its way into the log.
pub(super) struct Pending {
    pub commitment: Commitment,
    pub leaf: Hash,
    pub opening: Opening,
}

impl Pending {
    /// What can be computed before a record has a place; on the core of whoever appends it.
    pub fn new((kind, record): (Kind, Vec<u8>)) -> Self {
        let opening = Opening::fresh(record);
        let commitment = opening.commit(kind);
        Self {
            leaf: commitment.leaf(),
            commitment,
            opening,
        }
    }
}

/// Records that one caller waits for.
pub(super) struct Request {
    pub pending: Vec<Pending>,
    pub answer: oneshot::Sender<Result<Placed>>,
    pub _room: OwnedSemaphorePermit,
}

/// Where the records of a request are.
pub(super) struct Placed {
    pub first: u64,
    pub growth: Arc<Growth>,
    pub checkpoint: Arc<SignedCheckpoint>,
}

pub(super) struct Writer {
    shared: Arc<Shared>,
    edge: Edge,
    tail: Tail,
    segment: Arc<Segment>,
    file: Box<dyn Disk>,
    index: File,
    /// Where the next frame goes.
    offset: u64,
    /// Where the room behind it ends, and with it the file.
    room: u64,
    options: Options,
    /// When a log that broke is opened again.
    again: Instant,
    /// Makes the tiles of closed segments durable.
    sealer: Option<JoinHandle<()>>,
    frames: Vec<u8>,
    offsets: Vec<u8>,
}

impl Writer {
    /// A writer that goes on at `offset` in `segment`.
    pub fn new(
        shared: Arc<Shared>,
        options: &Options,
        segment: Arc<Segment>,
        offset: u64,
        (edge, tail): (Edge, Tail),
    ) -> Result<Self> {
        Ok(Self {
            shared,
            edge,
            tail,
            file: (options.disk)(segment.writer()?),
            index: segment.index_writer()?,
            segment,
            offset,
            room: offset,
            options: options.clone(),
            again: Instant::now(),
            sealer: None,
            frames: Vec::new(),
            offsets: Vec::new(),
        })
    }

    /// Serves until nobody can ask any more.
    pub fn run(mut self, waiting: &mpsc::Receiver<Request>) {
        while let Some(first) = self.next(waiting) {
            let mut bytes = weight(&first);
            let mut batch = vec![first];
            // Whoever was answered just now may be about to ask again: once nothing is there, others may run, and only if
            // still nothing is there the batch begins.
            let mut yielded = false;
            while bytes < BATCH_BYTES {
                if let Ok(next) = waiting.try_recv() {
                    bytes += weight(&next);
                    batch.push(next);
                    yielded = false;
                } else if yielded {
                    break;
                } else {
                    std::thread::yield_now();
                    yielded = true;
                }
            }
            self.serve(batch, bytes);
        }
        // Otherwise the next opening does it.
        let _ = self.trim();
        self.wait_for_sealer();
    }

    /// The next request. Meanwhile a log that broke is opened again, as a restart would do.
    fn next(&mut self, waiting: &mpsc::Receiver<Request>) -> Option<Request> {
        while self.shared.state().broken.is_some() {
            match waiting.recv_timeout(self.again.saturating_duration_since(Instant::now())) {
                Ok(request) => return Some(request),
                Err(mpsc::RecvTimeoutError::Disconnected) => return None,
                Err(mpsc::RecvTimeoutError::Timeout) => self.reopen(),
            }
        }
        waiting.recv().ok()
    }

    /// Opens the log again where it lies: what is durable is found out, the rest is cut, tiles and indexes are made again.
    fn reopen(&mut self) {
        self.wait_for_sealer();
        let begun = Instant::now();
        let shared = Arc::clone(&self.shared);
        let _nobody_reads = shared.erasing.write().unwrap_or_else(PoisonError::into_inner);
        match open::open(&shared.dir, &self.options) {
            Ok((opened, writer)) => {
                let opened = opened.state();
                let mut state = shared.state_mut();
                state.checkpoint = Arc::clone(&opened.checkpoint);
                state.tail.clone_from(&opened.tail);
                state.segments.clone_from(&opened.segments);
                state.broken = None;
                tracing::info!(origin = self.options.origin, "the log takes entries again");
                *self = Self {
                    shared: Arc::clone(&shared),
                    ..writer
                };
            }
            Err(error) => {
                tracing::warn!(%error, origin = self.options.origin, "the log cannot be opened again yet");
                shared.state_mut().broken = Some(error.meanwhile());
                self.again = Instant::now() + AGAIN.max(begun.elapsed() * 10);
            }
        }
    }

    fn serve(&mut self, batch: Vec<Request>, bytes: usize) {
        let broken = self.shared.state().broken.clone();
        match broken.map_or_else(|| self.commit(&batch, bytes), Err) {
            Ok((mut first, growth, checkpoint)) => {
                for request in batch {
                    let placed = Placed {
                        first,
                        growth: Arc::clone(&growth),
                        checkpoint: Arc::clone(&checkpoint),
                    };
                    first += request.pending.len() as u64;
                    // Whoever went away does not want to know.
                    let _ = request.answer.send(Ok(placed));
                }
            }
            Err(error) => {
                // Of what was refused whole nothing is on the disk, and the next batch may fit.
                if matches!(error, Error::Unconfirmed(_)) {
                    self.break_off(&error);
                }
                for request in batch {
                    let _ = request.answer.send(Err(error.clone()));
                }
            }
        }
    }

    /// Stores a batch: its frames and one checkpoint, one sync.
    fn commit(&mut self, batch: &[Request], bytes: usize) -> Result<(u64, Arc<Growth>, Arc<SignedCheckpoint>)> {
        let now = self.options.clock.now();
        let first = self.edge.size();
        let full = u64::from(self.options.segment_bytes.min(LARGEST_SEGMENT));
        let room = full.saturating_sub((bytes + CHECKPOINT_ROOM) as u64);
        if self.offset > room && first > self.segment.header.first {
            self.next_segment(now)?;
        }
        let pending = || batch.iter().flat_map(|r| &r.pending);
        let mut edge = self.edge.clone();
        let growth = edge.grow(pending().map(|p| p.leaf).collect());
        let checkpoint = self.sign(growth.after(), growth.root(), now)?;
        self.frames.clear();
        self.offsets.clear();
        for (index, p) in (first..).zip(pending()) {
            let offset = (self.offset + self.frames.len() as u64) as u32;
            self.offsets.extend_from_slice(&offset.to_be_bytes());
            let (seal, start) = (self.segment.header.seal(), self.offset);
            push_entry(&mut self.frames, seal, start, now, index, &p.commitment, &p.opening);
        }
        self.push_checkpoint(now, &checkpoint);
        self.store()?;
        self.edge = edge;
        let entries: Vec<_> = pending().map(|p| p.commitment).collect();
        if let Err(error) = self.derive(first, &growth, &entries) {
            // The batch is durable, and what could not be written is made again from it.
            self.break_off(&Error::io("writing tiles in", &self.shared.dir)(error));
        }
        let checkpoint = Arc::new(checkpoint);
        self.publish(Arc::clone(&checkpoint), growth.hashed());
        Ok((first, Arc::new(growth), checkpoint))
    }

    /// Signs the tree as it is and stores the checkpoint: for a new log, after a crash, and when the keys have changed.
    pub fn checkpoint(&mut self) -> Result<()> {
        let now = self.options.clock.now();
        let checkpoint = self.sign(self.edge.size(), self.edge.root(), now)?;
        self.frames.clear();
        self.push_checkpoint(now, &checkpoint);
        self.store()?;
        self.publish(Arc::new(checkpoint), 0);
        Ok(())
    }

    fn sign(&self, size: u64, root: Hash, now: Timestamp) -> Result<SignedCheckpoint> {
        let checkpoint = Checkpoint::new(&self.options.origin, size, root);
        sign(checkpoint, &self.options.signers, now)
    }

    fn push_checkpoint(&mut self, now: Timestamp, checkpoint: &SignedCheckpoint) {
        let (seal, start) = (self.segment.header.seal(), self.offset);
        push_checkpoint(&mut self.frames, seal, start, now, checkpoint);
    }

    /// Writes the frames and has the disk confirm them.
    fn store(&mut self) -> Result<()> {
        if let Err(error) = self.file.write_all_at(&self.frames, self.offset) {
            return Err(match self.cut() {
                Ok(()) => Error::io("writing", self.segment.path())(error),
                Err(_) => Error::Unconfirmed(Arc::new(error)),
            });
        }
        let end = self.offset + self.frames.len() as u64;
        if end > self.room {
            self.room = end;
            // A disk that has no room has it for these frames nevertheless.
            if self.make_room().is_err() {
                let _ = self.file.set_len(end);
            }
        }
        if let Err(error) = self.file.sync_data() {
            // After a failed sync the system may believe that the pages are on disk. They are dropped here, and the last
            // batch is written again when the log is opened.
            let _ = self.cut();
            return Err(Error::Unconfirmed(Arc::new(error)));
        }
        self.offset = end;
        Ok(())
    }

    /// Writes zeros behind the frames, as far as the segment may grow.
    fn make_room(&mut self) -> io::Result<()> {
        let end = self.room;
        let full = u64::from(self.options.segment_bytes.min(LARGEST_SEGMENT));
        let mut left = end.clamp(*ROOM.start(), *ROOM.end()).min(full.saturating_sub(end));
        let mut place = end;
        while left > 0 {
            let (zeros, _) = ZEROS.split_at(left.min(ZEROS.len() as u64) as usize);
            self.file.write_all_at(zeros, place)?;
            place += zeros.len() as u64;
            left -= zeros.len() as u64;
        }
        self.room = place;
        Ok(())
    }

    fn cut(&mut self) -> io::Result<()> {
        self.trim()?;
        self.file.sync_data()
    }

    /// Has the file end where the frames do.
    fn trim(&mut self) -> io::Result<()> {
        self.file.set_len(self.offset)?;
        self.room = self.offset;
        Ok(())
    }

    /// Writes what can be made again: the index, and tiles that became full.
    fn derive(&mut self, first: u64, growth: &Growth, entries: &[Commitment]) -> io::Result<()> {
        let place = (first - self.segment.header.first) * OFFSET;
        self.index.write_all_at(&self.offsets, place)?;
        let disk = &self.shared.disk;
        self.tail.extend(growth, entries, |path, bytes| disk.write(path, bytes))
    }

    fn publish(&self, checkpoint: Arc<SignedCheckpoint>, hashed: usize) {
        let mut state = self.shared.state_mut();
        let entries = checkpoint.checkpoint().size - state.checkpoint.checkpoint().size;
        state.work.entries += entries;
        state.work.batches += 1;
        state.work.hashes += entries + hashed as u64;
        state.checkpoint = checkpoint;
        state.tail.clone_from(&self.tail);
    }

    fn break_off(&mut self, error: &Error) {
        tracing::error!(%error, origin = self.options.origin, "the log takes no more entries until it has opened itself again");
        self.shared.state_mut().broken = Some(error.meanwhile());
        self.again = Instant::now() + AGAIN;
    }

    /// Begins a new segment after the last checkpoint.
    fn next_segment(&mut self, now: Timestamp) -> Result<()> {
        let size = self.edge.size();
        self.trim().map_err(Error::io("closing", self.segment.path()))?;
        let dir = &self.shared.dir;
        self.tail
            .save(size, &self.shared.disk)
            .map_err(Error::io("writing tiles in", dir))?;
        let checkpoint = Arc::clone(&self.shared.state().checkpoint);
        let header = Header::new(size, now, &self.options.origin, self.edge.peaks().to_vec());
        let (segment, offset) = Segment::create(&dir.join("segments"), header, &checkpoint)?;
        // All of it or nothing: the writer goes on with the old segment if this fails.
        let (file, index) = (segment.writer()?, segment.index_writer()?);
        self.file = (self.options.disk)(file);
        self.index = index;
        (self.offset, self.room) = (offset, offset);
        self.segment = Arc::new(segment);
        self.shared.state_mut().segments.push(Arc::clone(&self.segment));
        self.seal(size);
        Ok(())
    }

    /// Makes indexes and tiles of closed segments durable, aside from the writer, and notes how far.
    fn seal(&mut self, size: u64) {
        self.wait_for_sealer();
        let dir = self.shared.dir.clone();
        let seal = move || {
            let sync = || {
                rustix::fs::syncfs(File::open(&dir)?)?;
                files::replace(&dir.join("durable"), format!("{size}\n").as_bytes())
            };
            // The next start makes them again.
            if let Err(error) = sync() {
                tracing::warn!(%error, "tiles could not be synced");
            }
        };
        self.sealer = std::thread::Builder::new()
            .name("ledger-seal".to_owned())
            .spawn(seal)
            .inspect_err(|error| tracing::warn!(%error, "tiles could not be synced"))
            .ok();
    }

    fn wait_for_sealer(&mut self) {
        if let Some(sealer) = self.sealer.take() {
            let _ = sealer.join();
        }
    }
}

/// Has all signers sign.
pub(super) fn sign(checkpoint: Checkpoint, signers: &[Arc<dyn Signer>], now: Timestamp) -> Result<SignedCheckpoint> {
    let signers = signers.iter().map(|s| &**s);
    Ok(SignedCheckpoint::sign(checkpoint, signers, seconds(now))?)
}

/// Bytes that the records of a request take on disk.
fn weight(request: &Request) -> usize {
    request
        .pending
        .iter()
        .map(|p| HEAD + SALT_BYTES + p.opening.record.len())
        .sum()
}
