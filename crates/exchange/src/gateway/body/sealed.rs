//! A body that is sent while it comes, with what proves it behind it.

use std::collections::VecDeque;

use bytes::Bytes;
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use http::HeaderMap;
use http_body::Frame;

use super::{BoxError, Payload, Reader, Reserved, Source};
use crate::{gateway::flaw::BodyFlaw, model::error::Refusal};

/// Sees each piece of a body and makes the trailers that prove it.
pub(in super::super) trait Seal: Send + 'static {
    fn piece(&mut self, piece: &[u8]);
    fn trailers(self) -> impl Future<Output = Result<HeaderMap, Refusal>> + Send;
    /// There will be no more of it.
    fn broken(self, flaw: BodyFlaw);
}

/// What is still to come of a body.
pub(in super::super) struct Flow {
    pub pieces: Vec<Bytes>,
    pub reserved: Reserved,
    pub rest: BoxStream<'static, Result<Bytes, BodyFlaw>>,
    /// The length of the rest, where it is known.
    pub left: Option<u64>,
}

impl Flow {
    pub fn new<B: Source>(pieces: Vec<Bytes>, reserved: Reserved, reader: Reader<B>) -> Self {
        let left = reader.left();
        let next = |mut reader: Reader<B>| async move { Ok(reader.next().await?.map(|piece| (piece, reader))) };
        Self {
            pieces,
            reserved,
            rest: stream::try_unfold(reader, next).boxed(),
            left,
        }
    }

    /// The length of the whole, where it is known.
    pub fn length(&self) -> Option<u64> {
        let here: u64 = self.pieces.iter().map(|piece| piece.len() as u64).sum();
        self.left.map(|left| left + here)
    }

    /// The body with its trailers. What goes wrong on the way breaks it off.
    pub fn sealed<S: Seal>(self, seal: S) -> Payload {
        let length = self.length();
        let state = State {
            pieces: self.pieces.into(),
            reserved: Some(self.reserved),
            rest: self.rest,
            seal: Some(seal),
        };
        Payload::stream(stream::unfold(state, State::next), length)
    }
}

struct State<S> {
    pieces: VecDeque<Bytes>,
    reserved: Option<Reserved>,
    rest: BoxStream<'static, Result<Bytes, BodyFlaw>>,
    /// Gone when the trailers are made, or the body broke off.
    seal: Option<S>,
}

impl<S: Seal> State<S> {
    async fn next(mut self) -> Option<(Result<Frame<Bytes>, BoxError>, Self)> {
        let mut seal = self.seal.take()?;
        let piece = match self.pieces.pop_front() {
            Some(piece) => Some(Ok(piece)),
            None => {
                self.reserved = None;
                self.rest.next().await
            }
        };
        let frame = match piece {
            Some(Ok(piece)) => {
                seal.piece(&piece);
                self.seal = Some(seal);
                Ok(Frame::data(piece))
            }
            Some(Err(flaw)) => {
                seal.broken(flaw);
                Err(format!("the body broke off: {flaw:?}").into())
            }
            None => seal.trailers().await.map(Frame::trailers).map_err(BoxError::from),
        };
        Some((frame, self))
    }
}
