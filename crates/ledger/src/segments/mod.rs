//! The log on disk: append-only segments, each a header and frames. They are the single source of truth; everything else
//! in the folder can be made from them. Behind the frames of a segment that is being written may be room: zeros, which the next
//! frames overwrite.
//!
//! Beside a segment stands its index, an array of 4-byte offsets, so that an entry is found by two reads.

mod frame;
mod header;
mod scan;

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io,
    ops::Range,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use base::Timestamp;

pub(crate) use self::{
    frame::{Content, HEAD, Head, push_checkpoint, push_entry},
    header::Header,
    scan::{Scan, Step, another_batch_follows},
};
use crate::{
    checkpoint::SignedCheckpoint,
    commitment::{Commitment, Opening},
    error::{Error, Result},
    files,
    tree::Edge,
};

/// Bytes of one offset in the index.
pub(crate) const OFFSET: u64 = 4;

/// Bytes that are read at once where not the whole segment is read.
const SOME: usize = 128 << 10;

/// Stored bytes that are not what was written, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("segment {segment}, byte {offset}, entry {index}: {flaw}")]
pub struct Damage {
    /// The first index of the segment, which is its file name.
    pub segment: u64,
    /// Where the frame begins, in bytes from the start of the file.
    pub offset: u64,
    /// The index of the entry, or of the next entry when the frame is none.
    pub index: u64,
    /// What is wrong.
    pub flaw: Flaw,
}

/// What is wrong with stored bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// The header of the segment does not fit its checksum, or the segment before.
    Header,
    /// The file ends within a frame.
    Short,
    /// The head of a frame does not fit its checksum.
    Head,
    /// Salt and record, or a checkpoint, do not fit their checksum.
    Body,
    /// A frame stands where another should.
    Order,
    /// The record is not what the entry commits to.
    Record,
    /// A checkpoint does not fit the entries before it.
    Root,
    /// An erased record is not erased whole.
    Erasure,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "the header of the segment is damaged",
            Self::Short => "the file ends within the frame",
            Self::Head => "the head of the frame is damaged",
            Self::Body => "the content of the frame is damaged",
            Self::Order => "another frame should stand here",
            Self::Record => "the record is not what the entry commits to",
            Self::Root => "the checkpoint does not fit the entries before it",
            Self::Erasure => "the record is not erased whole",
        })
    }
}

/// An entry as the log keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its place in the log, from 0.
    pub index: u64,
    /// When it was stored. The tree does not commit to it.
    pub time: Timestamp,
    /// The leaf entry.
    pub commitment: Commitment,
    /// What the leaf says; `None` once it is erased.
    pub opening: Option<Opening>,
}

/// One segment.
#[derive(Debug)]
pub(crate) struct Segment {
    pub header: Header,
    path: PathBuf,
}

impl Segment {
    /// Creates a segment that begins with `checkpoint`, whole or not at all. Gives it with its length in bytes.
    pub fn create(dir: &Path, header: Header, checkpoint: &SignedCheckpoint) -> Result<(Self, u64)> {
        let path = dir.join(format!("{:020}.seg", header.first));
        let mut bytes = header.encode();
        let time = header.created;
        push_checkpoint(&mut bytes, header.seal(), 0, time, checkpoint);
        files::replace(&path, &bytes).map_err(Error::io("creating", &path))?;
        let segment = Self { header, path };
        let index = segment.index_path();
        File::create(&index).map_err(Error::io("creating", &index))?;
        Ok((segment, bytes.len() as u64))
    }

    /// Reads the header of a segment.
    pub fn open(path: PathBuf) -> Result<Self> {
        let mut bytes = vec![0; Header::BYTES];
        let file = File::open(&path).map_err(Error::io("opening", &path))?;
        let header = match file.read_exact_at(&mut bytes, 0) {
            Err(e) if e.kind() != io::ErrorKind::UnexpectedEof => return Err(Error::io("reading", &path)(e)),
            _ => Header::decode(&bytes),
        };
        let named = path.file_stem().and_then(|n| n.to_str()).and_then(|n| n.parse().ok());
        match header {
            Some(header) if named == Some(header.first) => Ok(Self { header, path }),
            _ => Err(Error::Damaged(Damage {
                segment: named.unwrap_or(0),
                offset: 0,
                index: named.unwrap_or(0),
                flaw: Flaw::Header,
            })),
        }
    }

    /// The segments in a folder, the oldest first; their headers fit each other.
    pub fn list(dir: &Path) -> Result<Vec<Self>> {
        let mut paths = Vec::new();
        for entry in fs::read_dir(dir).map_err(Error::io("listing", dir))? {
            let path = entry.map_err(Error::io("listing", dir))?.path();
            if path.extension().is_some_and(|e| e == "seg") {
                paths.push(path);
            }
        }
        paths.sort();
        paths.into_iter().map(Self::open).collect()
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The same segment where a copy of it is.
    pub fn copied_to(&self, path: &Path) -> Self {
        Self {
            header: self.header.clone(),
            path: path.to_owned(),
        }
    }

    fn index_path(&self) -> PathBuf {
        self.path.with_extension("idx")
    }

    /// The file, to append to.
    pub fn writer(&self) -> Result<File> {
        OpenOptions::new()
            .read(true)
            .write(true)
            .open(&self.path)
            .map_err(Error::io("opening", &self.path))
    }

    /// The index, to append to.
    pub fn index_writer(&self) -> Result<File> {
        let path = self.index_path();
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(Error::io("opening", &path))
    }

    /// How many entries of the log the disk has confirmed, by the index: a batch is entered there after its sync.
    pub fn confirmed(&self) -> Result<u64> {
        let path = self.index_path();
        match fs::metadata(&path) {
            Ok(metadata) => Ok(self.header.first + metadata.len() / OFFSET),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(self.header.first),
            Err(e) => Err(Error::io("reading", &path)(e)),
        }
    }

    /// Whether the bad frame at `offset`, where entry `index` should stand, was acknowledged once. Otherwise it is the torn
    /// end of a batch that nobody was told of.
    pub fn was_acknowledged(&self, offset: u64, index: u64) -> Result<bool> {
        Ok(self.confirmed()? > index || another_batch_follows(self, offset, index)?)
    }

    /// Writes the whole index anew, in its place: what it has already, a full disk does not take.
    pub fn write_index(&self, offsets: &[u32]) -> Result<()> {
        let bytes: Vec<u8> = offsets.iter().flat_map(|o| o.to_be_bytes()).collect();
        let file = self.index_writer()?;
        file.write_all_at(&bytes, 0)
            .and_then(|()| file.set_len(bytes.len() as u64))
            .map_err(Error::io("writing", &self.index_path()))
    }

    pub fn damage(&self, offset: u64, index: u64, flaw: Flaw) -> Error {
        Error::Damaged(Damage {
            segment: self.header.first,
            offset,
            index,
            flaw,
        })
    }

    /// Where the frame of an entry begins.
    pub fn offset(&self, index: u64) -> Result<u64> {
        let path = self.index_path();
        let mut bytes = [0; OFFSET as usize];
        File::open(&path)
            .and_then(|f| f.read_exact_at(&mut bytes, (index - self.header.first) * OFFSET))
            .map_err(Error::io("reading", &path))?;
        Ok(u32::from_be_bytes(bytes).into())
    }

    /// Reads an entry and checks it against its checksums and its commitment.
    pub fn read(&self, index: u64) -> Result<Stored> {
        let offset = self.offset(index)?;
        let file = File::open(&self.path).map_err(Error::io("opening", &self.path))?;
        let head = self.head(&file, offset, index)?;
        let mut body = vec![0; head.length as usize];
        file.read_exact_at(&mut body, offset + HEAD as u64)
            .map_err(Error::io("reading", &self.path))?;
        self.stored(offset, &head, &body)
    }

    /// Reads entries in their order as far as this segment has them, in one pass over the file. Gives where the next one is.
    pub fn read_each(&self, range: Range<u64>, mut visit: impl FnMut(Stored)) -> Result<u64> {
        let mut scan = Scan::at(self, self.offset(range.start)?, SOME)?;
        let mut next = range.start;
        while next < range.end {
            let at = scan.offset();
            match scan.step()? {
                Step::End if next > range.start => break,
                Step::End => return Err(self.damage(at, next, Flaw::Short)),
                Step::Bad { offset, flaw } => return Err(self.damage(offset, next, flaw)),
                Step::Frame { head, .. } if head.content == Content::Checkpoint => {}
                Step::Frame { offset, head, .. } if head.at != next => {
                    return Err(self.damage(offset, next, Flaw::Order));
                }
                Step::Frame { offset, head, body, .. } => {
                    visit(self.stored(offset, &head, body)?);
                    next += 1;
                }
            }
        }
        Ok(next)
    }

    fn head(&self, file: &File, offset: u64, index: u64) -> Result<Head> {
        let mut bytes = [0; HEAD];
        file.read_exact_at(&mut bytes, offset)
            .map_err(Error::io("reading", &self.path))?;
        let head =
            Head::decode(&bytes, self.header.seal(), offset).ok_or_else(|| self.damage(offset, index, Flaw::Head))?;
        if head.content != Content::Entry || head.at != index {
            return Err(self.damage(offset, index, Flaw::Order));
        }
        Ok(head)
    }

    /// Judges the frame of an entry.
    pub fn stored(&self, offset: u64, head: &Head, body: &[u8]) -> Result<Stored> {
        let damage = |flaw| self.damage(offset, head.at, flaw);
        if let Some(flaw) = head.flaw(body, self.header.seal(), offset) {
            return Err(damage(flaw));
        }
        let commitment = head.commitment().ok_or_else(|| damage(Flaw::Order))?;
        let opening = if head.erased { None } else { Opening::from_bytes(body) };
        if !head.erased && !opening.as_ref().is_some_and(|o| o.opens(&commitment)) {
            return Err(damage(Flaw::Record));
        }
        Ok(Stored {
            index: head.at,
            time: head.time,
            commitment,
            opening,
        })
    }

    /// Overwrites salt and record of the entry at `offset` with zeros, and marks it; on disk when it returns.
    pub fn wipe(&self, offset: u64, index: u64) -> Result<()> {
        let file = self.writer()?;
        let head = self.head(&file, offset, index)?;
        let mut bytes = vec![0; 1 + head.length as usize];
        bytes[0] = frame::ERASED;
        file.write_all_at(&bytes, offset + HEAD as u64 - 1)
            .and_then(|()| file.sync_data())
            .map_err(Error::io("erasing in", &self.path))
    }

    /// The edge of the tree before the first entry.
    pub fn edge(&self) -> Result<Edge> {
        Edge::from_parts(self.header.first, self.header.peaks.clone())
            .ok_or_else(|| self.damage(0, self.header.first, Flaw::Header))
    }
}
