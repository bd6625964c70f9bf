//! Opening a log: what is on disk is read, checked and repaired.

use std::{
    fs,
    path::Path,
    sync::{Arc, RwLock, atomic::AtomicU64},
};

use super::{
    Options,
    crown::Crown,
    shared::{Shared, State, Work},
    stamps::Stamps,
    tail::Tail,
    writer::{Writer, sign},
};
use crate::{
    checkpoint::{Checkpoint, SignedCheckpoint},
    commitment::Commitment,
    error::{Error, Result},
    files,
    hash::Hash,
    segments::{Content, Damage, Flaw, Header, Scan, Segment, Step},
    tiles::Disk,
    tree::{Edge, Plan},
};

/// Opens or begins the log in `dir`, which is locked.
pub(super) fn open(dir: &Path, options: &Options) -> Result<(Arc<Shared>, Writer)> {
    let folder = dir.join("segments");
    fs::create_dir_all(&folder).map_err(Error::io("creating", &folder))?;
    files::sync_parent(&folder).map_err(Error::io("syncing", dir))?;
    let mut segments = Segment::list(&folder)?;
    if segments.is_empty() {
        let now = options.clock.now();
        let empty = Checkpoint::new(&options.origin, 0, Hash::EMPTY);
        let header = Header::new(0, now, &options.origin, Vec::new());
        let checkpoint = sign(empty, &options.signers, now)?;
        segments.push(Segment::create(&folder, header, &checkpoint)?.0);
    }
    if let Some(other) = segments.iter().find(|s| s.header.origin != options.origin) {
        return Err(Error::OtherLog {
            expected: options.origin.clone(),
            found: format!("it is the log {}", other.header.origin),
        });
    }
    let (shared, found) = restore(dir, segments, Unfinished::Kept)?;
    let cosigned = read_cosigned(dir)?;
    let size = found.edge.size();
    let last = Arc::clone(shared.state().segments.last().ok_or(Error::Closed)?);
    let mut writer = Writer::new(Arc::clone(&shared), options, last, found.end, (found.edge, found.tail))?;
    if let Some(cosigned) = &cosigned
        && cosigned.checkpoint().size > size
    {
        let known = cosigned.checkpoint().size;
        return Err(Error::Shortened { size, known });
    }
    let checkpoint = Arc::clone(&shared.state().checkpoint);
    let by_all = options.signers.iter().all(|s| checkpoint.verify(&s.verifier()).is_ok());
    if checkpoint.checkpoint().size < size || !by_all {
        writer.checkpoint()?;
    }
    if let Some(cosigned) = cosigned {
        check_cosigned(&shared, &cosigned)?;
        shared.state_mut().cosigned = Some(Arc::new(cosigned));
    }
    Ok((shared, writer))
}

/// Opens the log in `dir`, which is locked, as one that has ended.
pub(super) fn open_ended(dir: &Path) -> Result<Arc<Shared>> {
    let folder = dir.join("segments");
    let segments = if folder.is_dir() {
        Segment::list(&folder)?
    } else {
        Vec::new()
    };
    if segments.is_empty() {
        return Err(Error::Misconfigured("there is no log in the folder"));
    }
    let (shared, _) = restore(dir, segments, Unfinished::Cut)?;
    let cosigned = read_cosigned(dir)?;
    let size = shared.state().checkpoint.checkpoint().size;
    if let Some(cosigned) = cosigned.filter(|cosigned| cosigned.checkpoint().size <= size) {
        check_cosigned(&shared, &cosigned)?;
        shared.state_mut().cosigned = Some(Arc::new(cosigned));
    }
    Ok(shared)
}

/// What becomes of whole frames at the end that no checkpoint follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unfinished {
    /// Somebody may have been about to hear of them: they stay, and get a checkpoint.
    Kept,
    /// Nobody can sign them any more.
    Cut,
}

/// Reads and repairs what is in the folder of a log.
fn restore(dir: &Path, segments: Vec<Segment>, unfinished: Unfinished) -> Result<(Arc<Shared>, Found)> {
    let first = segments.first().ok_or(Error::Closed)?;
    if first.header.first > 0 {
        return Err(first.damage(0, 0, Flaw::Header));
    }
    let origin = first.header.origin.clone();
    finish_erasing(dir, &segments)?;
    let disk = Disk::new(dir);
    let found = recover(dir, &segments, &disk, unfinished)?;
    let shared = Arc::new(Shared {
        dir: dir.to_owned(),
        origin,
        disk,
        state: RwLock::new(State {
            checkpoint: Arc::new(found.checkpoint.clone()),
            cosigned: None,
            tail: found.tail.clone(),
            segments: segments.into_iter().map(Arc::new).collect(),
            broken: None,
            work: Work::default(),
        }),
        erasing: RwLock::new(()),
        stamps: Stamps::open(dir)?,
        crown: Crown::new(),
        tiles_read: AtomicU64::new(0),
    });
    Ok((shared, found))
}

/// The log as it was found.
struct Found {
    edge: Edge,
    tail: Tail,
    checkpoint: SignedCheckpoint,
    /// Where the next frame goes in the last segment.
    end: u64,
}

/// Reads the segments whose tiles may not be durable, and makes these tiles again.
fn recover(dir: &Path, segments: &[Segment], disk: &Disk, unfinished: Unfinished) -> Result<Found> {
    let (start, mut tail) = match durable(dir, segments, disk)? {
        Some((n, tail)) => (n, tail),
        None => (0, Tail::default()),
    };
    let mut found = None;
    let last = segments.len() - 1;
    for (n, segment) in segments.iter().enumerate().skip(start) {
        let walk = Walk::over(segment, tail, disk, unfinished)?;
        let size = walk.edge.size();
        // Only the last segment can have a torn end. What the file lacks, the index below knows.
        if let Some(flaw) = walk.torn.filter(|flaw| *flaw != Flaw::Short)
            && (n < last || segment.was_acknowledged(walk.end, size)?)
        {
            return Err(segment.damage(walk.end, size, flaw));
        }
        if n < last && walk.edge != segments[n + 1].edge()? {
            return Err(segments[n + 1].damage(0, size, Flaw::Header));
        }
        let known = segment.confirmed()?;
        if known > size {
            return Err(Error::Shortened { size, known });
        }
        if n < last {
            segment.write_index(&walk.offsets)?;
        }
        tail = walk.tail.clone();
        found = Some((segment, walk));
    }
    let (segment, walk) = found.ok_or(Error::Closed)?;
    let checkpoint = walk
        .checkpoint
        .ok_or_else(|| segment.damage(Header::BYTES as u64, segment.header.first, Flaw::Root))?;
    confirm(segment, walk.last_batch, walk.end)?;
    segment.write_index(&walk.offsets)?;
    Ok(Found {
        edge: walk.edge,
        tail: walk.tail,
        checkpoint,
        end: walk.end,
    })
}

/// The first segment whose tiles are not known to be durable, with the tail before it; `None` when all must be read.
fn durable(dir: &Path, segments: &[Segment], disk: &Disk) -> Result<Option<(usize, Tail)>> {
    let path = dir.join("durable");
    let bytes = files::read(&path).map_err(Error::io("reading", &path))?;
    let size = bytes
        .and_then(|b| String::from_utf8(b).ok())
        .and_then(|t| t.trim_end().parse().ok());
    let Some(mut n) = size.and_then(|size: u64| segments.iter().position(|s| s.header.first == size)) else {
        return Ok(None);
    };
    // An index that is missing or short is made again, too.
    for (at, pair) in segments.windows(2).enumerate().take(n) {
        if pair[0].confirmed()? != pair[1].header.first {
            n = at;
            break;
        }
    }
    let first = segments[n].header.first;
    let Some(tail) = Tail::load(first, disk).map_err(Error::io("reading tiles in", dir))? else {
        return Ok(None);
    };
    let Ok(root) = Plan::root(first).resolve(&tail);
    let expected = segments[n].edge()?.root();
    Ok((root.first().copied().unwrap_or(Hash::EMPTY) == expected).then_some((n, tail)))
}

/// What one segment holds.
struct Walk {
    edge: Edge,
    tail: Tail,
    checkpoint: Option<SignedCheckpoint>,
    /// Where the frames of entries begin.
    offsets: Vec<u32>,
    /// Where the last whole batch begins.
    last_batch: u64,
    /// Where the frames end.
    end: u64,
    /// Why what stands there is no frame.
    torn: Option<Flaw>,
}

impl Walk {
    /// Reads all frames, checks the tree against every checkpoint, and writes tiles anew.
    fn over(segment: &Segment, tail: Tail, disk: &Disk, unfinished: Unfinished) -> Result<Self> {
        let mut walk = Self {
            edge: segment.edge()?,
            tail,
            checkpoint: None,
            offsets: Vec::new(),
            last_batch: Header::BYTES as u64,
            end: Header::BYTES as u64,
            torn: None,
        };
        let mut batch: Vec<Commitment> = Vec::new();
        let mut batch_start = walk.end;
        let mut scan = Scan::new(segment)?;
        loop {
            let next = walk.edge.size() + batch.len() as u64;
            match scan.step()? {
                Step::End => break,
                Step::Bad { flaw, .. } | Step::Frame { flaw: Some(flaw), .. } => {
                    walk.torn = Some(flaw);
                    break;
                }
                Step::Frame { offset, head, body, .. } => match (head.content, head.commitment()) {
                    (Content::Entry, Some(commitment)) if head.at == next => {
                        walk.offsets.push(offset as u32);
                        batch.push(commitment);
                    }
                    (Content::Checkpoint, _) if head.at == next => {
                        walk.take(&mut batch, disk)
                            .map_err(Error::io("writing tiles for", segment.path()))?;
                        let checkpoint = SignedCheckpoint::parse(body).ok().filter(|c| {
                            let c = c.checkpoint();
                            c.size == next && c.root == walk.edge.root() && head.root() == Some(c.root)
                        });
                        walk.checkpoint = Some(checkpoint.ok_or_else(|| segment.damage(offset, next, Flaw::Root))?);
                        walk.last_batch = batch_start;
                    }
                    _ => return Err(segment.damage(offset, next, Flaw::Order)),
                },
            }
            walk.end = scan.offset();
            if batch.is_empty() {
                batch_start = walk.end;
            }
        }
        match unfinished {
            Unfinished::Kept => walk
                .take(&mut batch, disk)
                .map_err(Error::io("writing tiles for", segment.path()))?,
            Unfinished::Cut => {
                walk.offsets.truncate(walk.offsets.len() - batch.len());
                walk.end = batch_start;
            }
        }
        Ok(walk)
    }

    fn take(&mut self, batch: &mut Vec<Commitment>, disk: &Disk) -> std::io::Result<()> {
        let growth = self.edge.grow(batch.iter().map(Commitment::leaf).collect());
        self.tail
            .extend(&growth, batch, |path, bytes| disk.write_if_other(path, bytes))?;
        batch.clear();
        Ok(())
    }
}

/// Cuts the torn end, and writes the last batch again: if its sync failed, the system may only believe that it is on disk.
fn confirm(segment: &Segment, last_batch: u64, end: u64) -> Result<()> {
    use std::os::unix::fs::FileExt;
    let rewrite = || {
        let file = segment.writer()?;
        let io = || Error::io("repairing", segment.path());
        file.set_len(end).map_err(io())?;
        let mut bytes = vec![0; (end - last_batch) as usize];
        file.read_exact_at(&mut bytes, last_batch).map_err(io())?;
        file.write_all_at(&bytes, last_batch).map_err(io())?;
        file.sync_all().map_err(io())
    };
    rewrite()
}

/// Erases what a crash left half erased.
fn finish_erasing(dir: &Path, segments: &[Segment]) -> Result<()> {
    let path = dir.join("erasing");
    let Some(bytes) = files::read(&path).map_err(Error::io("reading", &path))? else {
        return Ok(());
    };
    let text = String::from_utf8_lossy(&bytes);
    let numbers: Vec<u64> = text.split_whitespace().filter_map(|n| n.parse().ok()).collect();
    if let [first, offset, index] = numbers[..]
        && let Some(segment) = segments.iter().find(|s| s.header.first == first)
    {
        segment.wipe(offset, index)?;
    }
    fs::remove_file(&path).map_err(Error::io("removing", &path))
}

fn read_cosigned(dir: &Path) -> Result<Option<SignedCheckpoint>> {
    let path = dir.join("cosigned");
    let bytes = files::read(&path).map_err(Error::io("reading", &path))?;
    Ok(bytes.and_then(|b| SignedCheckpoint::parse(&b).ok()))
}

/// A log of another history than what was published is not opened: it would fork.
fn check_cosigned(shared: &Shared, cosigned: &SignedCheckpoint) -> Result<()> {
    let known = cosigned.checkpoint().size;
    if shared.root(known)? != cosigned.checkpoint().root {
        return Err(Error::Damaged(Damage {
            segment: 0,
            offset: 0,
            index: known,
            flaw: Flaw::Root,
        }));
    }
    Ok(())
}
