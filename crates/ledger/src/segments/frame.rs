//! Frames: an entry, or the checkpoint that ends a batch.

use base::Timestamp;

use super::Flaw;
use crate::{
    checkpoint::SignedCheckpoint,
    commitment::{COMMITMENT_BYTES, Commitment, Opening},
    hash::Hash,
};

/// Bytes of a head.
pub(crate) const HEAD: usize = 64;

/// Where the checksum of a head ends: the byte behind it changes when the record is erased.
const STATE: usize = HEAD - 1;

const WHOLE: u8 = 1;
pub(super) const ERASED: u8 = 2;

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Content {
    /// Salt and record of an entry.
    Entry = 1,
    /// A signed checkpoint over all entries before it: the end of a batch. Nobody is answered before it is on disk.
    Checkpoint = 2,
}

/// The checksums of a segment. The nonce keeps a record from imitating a frame, the offset a frame from standing elsewhere.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seal(pub u64);

impl Seal {
    fn sum(self, offset: u64, bytes: &[u8]) -> u32 {
        let mut crc = crc32fast::Hasher::new();
        crc.update(&self.0.to_be_bytes());
        crc.update(&offset.to_be_bytes());
        crc.update(bytes);
        crc.finalize()
    }
}

/// ```text
///  0   4  checksum of bytes 4 to 62
///  4   4  length n of the body
///  8   4  checksum of the body
/// 12   1  content: 1 entry, 2 checkpoint
/// 13   8  index of the entry, or size of the tree
/// 21   8  time, in microseconds since 1970
/// 29  34  commitment, or root and two zeros
/// 63   1  state: 1 whole, 2 erased
/// 64   n  body: salt (32) and record, or the signed note; zeros when erased
/// ```
/// Checksums are CRC-32 over nonce, offset of the frame and the bytes named. Numbers are big-endian.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub content: Content,
    pub at: u64,
    pub time: Timestamp,
    pub length: u32,
    pub erased: bool,
    public: [u8; COMMITMENT_BYTES],
    sum: u32,
}

impl Head {
    pub fn decode(bytes: &[u8; HEAD], seal: Seal, offset: u64) -> Option<Self> {
        let (sum, rest) = bytes.split_first_chunk()?;
        if seal.sum(offset, &bytes[4..STATE]) != u32::from_be_bytes(*sum) {
            return None;
        }
        let (length, rest) = rest.split_first_chunk()?;
        let (sum, rest) = rest.split_first_chunk()?;
        let ([content], rest) = rest.split_first_chunk()?;
        let (at, rest) = rest.split_first_chunk()?;
        let (time, rest) = rest.split_first_chunk()?;
        let (public, state) = rest.split_first_chunk()?;
        Some(Self {
            content: [Content::Entry, Content::Checkpoint]
                .into_iter()
                .find(|c| *c as u8 == *content)?,
            at: u64::from_be_bytes(*at),
            time: Timestamp::from_micros(i64::from_be_bytes(*time)),
            length: u32::from_be_bytes(*length),
            erased: match state {
                [WHOLE] => false,
                [ERASED] => true,
                _ => return None,
            },
            public: *public,
            sum: u32::from_be_bytes(*sum),
        })
    }

    /// What is wrong with the body of this frame, if anything.
    pub fn flaw(&self, body: &[u8], seal: Seal, offset: u64) -> Option<Flaw> {
        if self.erased {
            (body.iter().any(|b| *b != 0) || self.content != Content::Entry).then_some(Flaw::Erasure)
        } else {
            (seal.sum(offset, body) != self.sum).then_some(Flaw::Body)
        }
    }

    /// The commitment of an entry.
    pub fn commitment(&self) -> Option<Commitment> {
        Commitment::from_bytes(&self.public)
    }

    /// The root of a checkpoint.
    pub fn root(&self) -> Option<Hash> {
        Hash::from_bytes(&self.public[..32])
    }
}

/// Appends the frame of an entry to bytes that will stand at `start` in the file.
pub(crate) fn push_entry(
    bytes: &mut Vec<u8>,
    seal: Seal,
    start: u64,
    time: Timestamp,
    index: u64,
    commitment: &Commitment,
    opening: &Opening,
) {
    let body = [&opening.salt.0[..], &opening.record];
    push(
        bytes,
        seal,
        start,
        (Content::Entry, index, time, commitment.as_bytes()),
        &body,
    );
}

/// Appends the frame of a checkpoint to bytes that will stand at `start` in the file.
pub(crate) fn push_checkpoint(
    bytes: &mut Vec<u8>,
    seal: Seal,
    start: u64,
    time: Timestamp,
    checkpoint: &SignedCheckpoint,
) {
    let (size, root) = (checkpoint.checkpoint().size, checkpoint.checkpoint().root);
    let mut public = [0; COMMITMENT_BYTES];
    public[..32].copy_from_slice(&root.0);
    let body = checkpoint.to_string();
    push(
        bytes,
        seal,
        start,
        (Content::Checkpoint, size, time, &public),
        &[body.as_bytes()],
    );
}

fn push(
    bytes: &mut Vec<u8>,
    seal: Seal,
    start: u64,
    (content, at, time, public): (Content, u64, Timestamp, &[u8; COMMITMENT_BYTES]),
    body: &[&[u8]],
) {
    let head = bytes.len();
    let offset = start + head as u64;
    bytes.resize(head + HEAD, 0);
    body.iter().for_each(|part| bytes.extend_from_slice(part));
    let (head, body) = bytes[head..].split_at_mut(HEAD);
    head[4..8].copy_from_slice(&(body.len() as u32).to_be_bytes());
    head[8..12].copy_from_slice(&seal.sum(offset, body).to_be_bytes());
    head[12] = content as u8;
    head[13..21].copy_from_slice(&at.to_be_bytes());
    head[21..29].copy_from_slice(&time.micros().to_be_bytes());
    head[29..STATE].copy_from_slice(public);
    let sum = seal.sum(offset, &head[4..STATE]);
    head[..4].copy_from_slice(&sum.to_be_bytes());
    head[STATE] = WHOLE;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commitment::Kind;

    const SEAL: Seal = Seal(42);

    fn frame(start: u64) -> Vec<u8> {
        let opening = Opening::fresh(b"a record".to_vec());
        let mut bytes = Vec::new();
        let time = Timestamp::from_micros(7);
        push_entry(&mut bytes, SEAL, start, time, 5, &opening.commit(Kind::READ), &opening);
        bytes
    }

    fn judge(bytes: &[u8], seal: Seal, offset: u64) -> Option<Flaw> {
        let (head, body) = bytes.split_first_chunk().expect("a head");
        match Head::decode(head, seal, offset) {
            Some(head) => head.flaw(body, seal, offset),
            None => Some(Flaw::Head),
        }
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let frame = frame(4096);
        assert_eq!(judge(&frame, SEAL, 4096), None);
        for bit in 0..frame.len() * 8 {
            let mut flipped = frame.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(judge(&flipped, SEAL, 4096).is_some(), "bit {bit}");
        }
    }

    #[test]
    fn a_frame_is_one_only_where_it_was_written() {
        let frame = frame(4096);
        assert_eq!(judge(&frame, SEAL, 4097), Some(Flaw::Head));
        assert_eq!(judge(&frame, Seal(43), 4096), Some(Flaw::Head));
    }
}
