//! Bodies: read piece by piece within bounds of size and time, held in memory or on disk until they are verified, and
//! sent on from there.

mod payload;
mod room;
mod sealed;

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::Body;
use http_body_util::BodyExt;

pub(super) use payload::Payload;
pub(super) use room::{Reserved, Room, Spill, Spilled};
pub(super) use sealed::{Flow, Seal};

use super::{config::Limits, flaw::BodyFlaw};
use crate::model::message::{ContentDigest, Digester};

/// Any error of a body of another's making.
pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A body that a gateway takes from somebody.
pub trait Source: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static {}

impl<B: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static> Source for B {}

/// How slowly a body may come.
#[derive(Debug, Clone, Copy)]
struct Pace {
    since: Instant,
    idle: Duration,
    slowest: u64,
}

impl Pace {
    /// How long to wait for the next piece when `taken` bytes have come.
    fn patience(&self, taken: u64) -> Duration {
        let whole = self.idle + Duration::from_secs(taken / self.slowest.max(1));
        self.idle.min(whole.saturating_sub(self.since.elapsed()))
    }
}

/// Takes the pieces of a body.
pub(super) struct Reader<B> {
    body: B,
    pace: Pace,
    most: u64,
    taken: u64,
    trailers: Option<HeaderMap>,
}

/// The beginning of a body.
pub(super) enum Begun<B> {
    /// That was all.
    Whole(Held, Option<HeaderMap>),
    /// There is more than memory is given for it.
    More(Vec<Bytes>, Reserved, Reader<B>),
}

impl<B: Source> Reader<B> {
    /// # Errors
    /// [`BodyFlaw::TooLarge`] when it says so itself.
    pub fn new(body: B, limits: &Limits) -> Result<Self, BodyFlaw> {
        if body.size_hint().lower() > limits.body {
            return Err(BodyFlaw::TooLarge);
        }
        let pace = Pace {
            since: Instant::now(),
            idle: limits.idle,
            slowest: limits.slowest,
        };
        Ok(Self {
            body,
            pace,
            most: limits.body,
            taken: 0,
            trailers: None,
        })
    }

    /// The next piece; none at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, BodyFlaw> {
        loop {
            if self.body.is_end_stream() {
                return Ok(None);
            }
            let patience = self.pace.patience(self.taken);
            let frame = tokio::time::timeout(patience, self.body.frame()).await;
            let Some(frame) = frame.map_err(|_| BodyFlaw::TooSlow)? else {
                return Ok(None);
            };
            match frame.map_err(|_| BodyFlaw::Broken)?.into_data() {
                Ok(piece) if piece.is_empty() => {}
                Ok(piece) => {
                    self.taken += piece.len() as u64;
                    if self.taken > self.most {
                        return Err(BodyFlaw::TooLarge);
                    }
                    return Ok(Some(piece));
                }
                Err(frame) => self.trailers = frame.into_trailers().ok(),
            }
        }
    }

    /// The length that is still to come, where it is known.
    pub fn left(&self) -> Option<u64> {
        self.body.size_hint().exact()
    }

    /// Reads as much as memory is given for.
    pub async fn begin(mut self, room: &Room, memory: usize) -> Result<Begun<B>, BodyFlaw> {
        let (mut pieces, mut reserved) = (Vec::new(), room.nothing());
        while let Some(piece) = self.next().await? {
            let fits = self.taken <= memory as u64 && reserved.memory(piece.len() as u64);
            pieces.push(piece);
            if !fits {
                return Ok(Begun::More(pieces, reserved, self));
            }
        }
        let length = self.taken;
        Ok(Begun::Whole(Held::memory(pieces, length, reserved), self.trailers))
    }

    /// Reads all of it, to disk what is too large for memory, while `watch` sees each piece.
    pub async fn hold(
        self,
        room: &Room,
        memory: usize,
        mut watch: impl FnMut(&[u8]) + Send,
    ) -> Result<(Held, Option<HeaderMap>), BodyFlaw> {
        match self.begin(room, memory).await? {
            Begun::Whole(held, trailers) => {
                held.pieces().iter().for_each(|piece| watch(piece));
                Ok((held, trailers))
            }
            Begun::More(pieces, reserved, mut reader) => {
                let mut spill = Spill::new(room).await?;
                for piece in pieces {
                    watch(&piece);
                    spill.push(&piece).await?;
                }
                drop(reserved);
                while let Some(piece) = reader.next().await? {
                    watch(&piece);
                    spill.push(&piece).await?;
                }
                Ok((Held(Content::Disk(spill.finish().await?)), reader.trailers))
            }
        }
    }
}

/// A whole body.
pub(super) struct Held(Content);

enum Content {
    Memory {
        pieces: Vec<Bytes>,
        length: u64,
        reserved: Option<Reserved>,
    },
    Disk(Spilled),
}

impl Held {
    const fn memory(pieces: Vec<Bytes>, length: u64, reserved: Reserved) -> Self {
        Self(Content::Memory {
            pieces,
            length,
            reserved: Some(reserved),
        })
    }

    /// What is in memory anyway.
    pub fn of(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let length = bytes.len() as u64;
        let pieces = if bytes.is_empty() { Vec::new() } else { vec![bytes] };
        Self(Content::Memory {
            pieces,
            length,
            reserved: None,
        })
    }

    /// In bytes.
    pub const fn length(&self) -> u64 {
        match &self.0 {
            Content::Memory { length, .. } => *length,
            Content::Disk(spilled) => spilled.length(),
        }
    }

    /// The pieces in memory; none of a body on disk.
    pub fn pieces(&self) -> &[Bytes] {
        match &self.0 {
            Content::Memory { pieces, .. } => pieces,
            Content::Disk(_) => &[],
        }
    }

    /// The digest of its pieces in memory: those of a body on disk were seen when they came.
    pub fn digest(&self) -> ContentDigest {
        let mut digester = Digester::default();
        self.pieces().iter().for_each(|piece| digester.update(piece));
        digester.finish()
    }

    /// All of it in one piece, unless it is longer than `most`.
    pub async fn whole(&self, most: u64) -> Result<Option<Bytes>, BodyFlaw> {
        match &self.0 {
            _ if self.length() > most => Ok(None),
            Content::Memory { pieces, length, .. } => Ok(Some(match pieces.as_slice() {
                [] => Bytes::new(),
                [piece] => piece.clone(),
                pieces => {
                    let mut whole = BytesMut::with_capacity(usize::try_from(*length).unwrap_or(0));
                    pieces.iter().for_each(|piece| whole.extend_from_slice(piece));
                    whole.freeze()
                }
            })),
            Content::Disk(spilled) => spilled.whole().await.map(Some),
        }
    }
}
