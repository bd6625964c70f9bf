//! Reading a segment from its first frame to its last.

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
    os::unix::fs::FileExt,
};

use super::{Content, Flaw, HEAD, Head, Header, Segment};
use crate::error::{Error, Result};

/// Bytes that are read at once.
const WINDOW: usize = 1 << 20;

/// A walk over the frames of a segment.
pub(crate) struct Scan<'a> {
    segment: &'a Segment,
    reader: BufReader<File>,
    offset: u64,
    length: u64,
    body: Vec<u8>,
}

/// What stands at a place.
pub(crate) enum Step<'a> {
    /// A frame whose head fits its checksum; the body may be flawed.
    Frame {
        offset: u64,
        head: Head,
        body: &'a [u8],
        flaw: Option<Flaw>,
    },
    /// Not a frame. The walk cannot go on.
    Bad { offset: u64, flaw: Flaw },
    /// Nothing more, but perhaps room.
    End,
}

impl<'a> Scan<'a> {
    /// A walk over all of it.
    pub fn new(segment: &'a Segment) -> Result<Self> {
        Self::at(segment, Header::BYTES as u64, WINDOW)
    }

    /// A walk from the frame at `offset` on, which reads `window` bytes at once.
    pub fn at(segment: &'a Segment, offset: u64, window: usize) -> Result<Self> {
        let io = || Error::io("reading", &segment.path);
        let mut file = File::open(&segment.path).map_err(io())?;
        let length = file.metadata().map_err(io())?.len();
        file.seek(SeekFrom::Start(offset)).map_err(io())?;
        Ok(Self {
            segment,
            reader: BufReader::with_capacity(window, file),
            offset,
            length,
            body: Vec::new(),
        })
    }

    /// Where the next frame begins.
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Bytes from here to the last that is not zero. What is behind that is room for frames to come.
    pub fn rest(&self) -> Result<u64> {
        let search = || -> io::Result<u64> {
            let mut window = vec![0; WINDOW];
            let (mut start, mut end) = (self.offset, self.offset);
            loop {
                let read = read_at_most(self.reader.get_ref(), &mut window, start)?;
                if let Some(last) = window[..read].iter().rposition(|byte| *byte != 0) {
                    end = start + last as u64 + 1;
                }
                if read < WINDOW {
                    return Ok(end - self.offset);
                }
                start += WINDOW as u64;
            }
        };
        search().map_err(Error::io("reading", &self.segment.path))
    }

    pub fn step(&mut self) -> Result<Step<'_>> {
        let (offset, seal) = (self.offset, self.segment.header.seal());
        let left = self.length.saturating_sub(offset);
        let mut bytes = [0; HEAD];
        let there = left.min(HEAD as u64) as usize;
        self.fill(|reader, _| reader.read_exact(&mut bytes[..there]))?;
        if bytes.iter().all(|byte| *byte == 0) && self.rest()? == 0 {
            return Ok(Step::End);
        }
        let bad = |flaw| Ok(Step::Bad { offset, flaw });
        if there < HEAD {
            return bad(Flaw::Short);
        }
        let Some(head) = Head::decode(&bytes, seal, offset) else {
            return bad(Flaw::Head);
        };
        if left < HEAD as u64 + u64::from(head.length) {
            return bad(Flaw::Short);
        }
        self.body.resize(head.length as usize, 0);
        self.fill(|reader, body| reader.read_exact(body))?;
        self.offset += HEAD as u64 + u64::from(head.length);
        Ok(Step::Frame {
            offset,
            head,
            flaw: head.flaw(&self.body, seal, offset),
            body: &self.body,
        })
    }

    fn fill(&mut self, read: impl FnOnce(&mut BufReader<File>, &mut Vec<u8>) -> io::Result<()>) -> Result<()> {
        read(&mut self.reader, &mut self.body).map_err(Error::io("reading", &self.segment.path))
    }
}

/// Whether behind a bad frame at `offset` a batch ends and another begins. If so, the frame was whole once: the next batch is
/// written only when the disk has confirmed the one before. If not, it may be of the last batch, whose pages reach the disk
/// in any order.
pub(crate) fn another_batch_follows(segment: &Segment, offset: u64, index: u64) -> Result<bool> {
    let search = || -> io::Result<bool> {
        let file = File::open(&segment.path)?;
        let seal = segment.header.seal();
        let mut window = vec![0; WINDOW];
        let mut start = offset + 1;
        loop {
            let read = read_at_most(&file, &mut window, start)?;
            for (n, bytes) in window[..read].windows(HEAD).enumerate() {
                let here = start + n as u64;
                // The byte of the content first: it rules out nearly all places without a checksum.
                if bytes[12] != Content::Checkpoint as u8 {
                    continue;
                }
                let Some(head) = bytes.first_chunk().and_then(|b| Head::decode(b, seal, here)) else {
                    continue;
                };
                let next = here + HEAD as u64 + u64::from(head.length);
                let mut bytes = [0; HEAD];
                if head.at > index
                    && file.read_exact_at(&mut bytes, next).is_ok()
                    && Head::decode(&bytes, seal, next).is_some()
                {
                    return Ok(true);
                }
            }
            if read < WINDOW {
                return Ok(false);
            }
            start += (WINDOW - HEAD + 1) as u64;
        }
    };
    search().map_err(Error::io("reading", &segment.path))
}

fn read_at_most(file: &File, buffer: &mut [u8], start: u64) -> io::Result<usize> {
    let mut read = 0;
    while read < buffer.len() {
        match file.read_at(&mut buffer[read..], start + read as u64)? {
            0 => break,
            n => read += n,
        }
    }
    Ok(read)
}
