//! The header of a segment: which log, from which entry on, and the right edge of the tree before it.

use base::Timestamp;
use rand::RngCore;

use super::frame::Seal;
use crate::hash::Hash;

const MAGIC: [u8; 8] = *b"motcua\x00\x01";

/// ```text
///    0    8  "motcua", 0, version 1
///    8    8  index of the first entry
///   16    8  nonce: random, goes into every checksum of this file
///   24    8  when the segment was begun, in microseconds since 1970
///   32    1  number p of peaks
///   33    1  length o of the origin
///   36    o  origin
/// 36+o  32p  roots of the full subtrees before the first entry, the largest first
/// 4092    4  CRC-32 of all bytes before it
/// ```
/// Numbers are big-endian; what is not named is zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub first: u64,
    nonce: u64,
    pub created: Timestamp,
    pub origin: String,
    pub peaks: Vec<Hash>,
}

impl Header {
    pub const BYTES: usize = 4096;
    const SUM: usize = Self::BYTES - 4;
    /// Most bytes of an origin.
    pub const LONGEST_ORIGIN: usize = 255;

    pub fn new(first: u64, created: Timestamp, origin: &str, peaks: Vec<Hash>) -> Self {
        Self {
            first,
            nonce: rand::rng().next_u64(),
            created,
            origin: origin.to_owned(),
            peaks,
        }
    }

    pub const fn seal(&self) -> Seal {
        Seal(self.nonce)
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Self::BYTES);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&self.first.to_be_bytes());
        bytes.extend_from_slice(&self.nonce.to_be_bytes());
        bytes.extend_from_slice(&self.created.micros().to_be_bytes());
        bytes.extend_from_slice(&[self.peaks.len() as u8, self.origin.len() as u8, 0, 0]);
        bytes.extend_from_slice(self.origin.as_bytes());
        bytes.extend(self.peaks.iter().flat_map(|h| h.0));
        bytes.resize(Self::SUM, 0);
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_be_bytes());
        bytes
    }

    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (body, sum) = bytes.split_at_checked(Self::SUM)?;
        if sum != crc32fast::hash(body).to_be_bytes() {
            return None;
        }
        let (magic, rest) = body.split_first_chunk()?;
        let (first, rest) = rest.split_first_chunk()?;
        let (nonce, rest) = rest.split_first_chunk()?;
        let (created, rest) = rest.split_first_chunk()?;
        let ([peaks, origin, ..], rest) = rest.split_first_chunk::<4>()?;
        let (origin, rest) = rest.split_at_checked(usize::from(*origin))?;
        let (peaks, _) = rest.split_at_checked(usize::from(*peaks) * 32)?;
        (magic == &MAGIC).then_some(())?;
        Some(Self {
            first: u64::from_be_bytes(*first),
            nonce: u64::from_be_bytes(*nonce),
            created: Timestamp::from_micros(i64::from_be_bytes(*created)),
            origin: String::from_utf8(origin.to_vec()).ok()?,
            peaks: peaks.as_chunks().0.iter().copied().map(Hash).collect(),
        })
    }
}
