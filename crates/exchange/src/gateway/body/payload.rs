//! A body on its way out.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures::{Stream, stream::BoxStream};
use http_body::{Body, Frame, SizeHint};
use tokio::task::JoinHandle;

use super::{BoxError, Content, Held, Reserved, Spilled};

/// What is sent: pieces in memory, then a file or what somebody else is still sending.
pub(in super::super) struct Payload {
    pieces: VecDeque<Bytes>,
    waiting: u64,
    rest: Rest,
    _reserved: Option<Reserved>,
}

enum Rest {
    Nothing,
    Disk {
        spilled: Spilled,
        at: u64,
        reading: Option<JoinHandle<io::Result<Bytes>>>,
    },
    Stream {
        frames: BoxStream<'static, Result<Frame<Bytes>, BoxError>>,
        length: Option<u64>,
    },
}

impl Payload {
    /// Of no bytes.
    pub const fn empty() -> Self {
        Self {
            pieces: VecDeque::new(),
            waiting: 0,
            rest: Rest::Nothing,
            _reserved: None,
        }
    }

    /// Frames as they come; of `length` bytes, where that is known.
    pub fn stream(
        frames: impl Stream<Item = Result<Frame<Bytes>, BoxError>> + Send + 'static,
        length: Option<u64>,
    ) -> Self {
        let frames: BoxStream<'static, _> = Box::pin(frames);
        Self {
            rest: Rest::Stream { frames, length },
            ..Self::empty()
        }
    }
}

impl From<Held> for Payload {
    fn from(held: Held) -> Self {
        match held.0 {
            Content::Memory {
                pieces,
                length,
                reserved,
            } => Self {
                pieces: pieces.into(),
                waiting: length,
                rest: Rest::Nothing,
                _reserved: reserved,
            },
            Content::Disk(spilled) => Self {
                rest: Rest::Disk {
                    spilled,
                    at: 0,
                    reading: None,
                },
                ..Self::empty()
            },
        }
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(piece) = self.pieces.pop_front() {
            self.waiting -= piece.len() as u64;
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        match &mut self.rest {
            Rest::Nothing => Poll::Ready(None),
            Rest::Stream { frames, length } => {
                let frame = ready!(frames.as_mut().poll_next(context));
                if let (Some(left), Some(Ok(frame))) = (length, &frame) {
                    *left -= frame.data_ref().map_or(0, |data| data.len() as u64).min(*left);
                }
                Poll::Ready(frame)
            }
            Rest::Disk { spilled, at, .. } if *at == spilled.length() => Poll::Ready(None),
            Rest::Disk { spilled, at, reading } => {
                let task = reading.get_or_insert_with(|| spilled.block(*at));
                let block = ready!(Pin::new(task).poll(context));
                *reading = None;
                let block = block.map_err(io::Error::other).flatten();
                Poll::Ready(Some(block.map_err(BoxError::from).map(|block| {
                    *at += block.len() as u64;
                    Frame::data(block)
                })))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty()
            && match &self.rest {
                Rest::Nothing => true,
                Rest::Disk { spilled, at, .. } => *at == spilled.length(),
                Rest::Stream { .. } => false,
            }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.rest {
            Rest::Nothing => SizeHint::with_exact(self.waiting),
            Rest::Disk { spilled, at, .. } => SizeHint::with_exact(self.waiting + spilled.length() - at),
            Rest::Stream { length: Some(left), .. } => SizeHint::with_exact(*left),
            Rest::Stream { length: None, .. } => SizeHint::default(),
        }
    }
}
