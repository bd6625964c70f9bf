//! A connection that is closed when the other end stops reading, or never says how it speaks.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// Passes everything on. When the other end takes nothing for `patience`, writing fails.
pub(super) struct Stall<I> {
    stream: I,
    patience: Duration,
    /// Since the other end takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
    /// Until its first bytes have come.
    greeting: Option<Greeting>,
}

/// The first bytes, which are to come in time.
struct Greeting {
    left: usize,
    late: Pin<Box<Sleep>>,
}

impl<I> Stall<I> {
    pub const fn new(stream: I, patience: Duration) -> Self {
        Self {
            stream,
            patience,
            stalled: None,
            greeting: None,
        }
    }

    /// Reading fails, too, when the first `bytes` have not come within `time`.
    pub fn greeted(mut self, bytes: usize, time: Duration) -> Self {
        self.greeting = Some(Greeting {
            left: bytes,
            late: Box::pin(sleep(time)),
        });
        self
    }

    fn judge<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let patience = self.patience;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(patience)));
        stalled
            .as_mut()
            .poll(context)
            .map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Stall<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        let Some(greeting) = &mut self.greeting else {
            return read;
        };
        let came = buffer.filled().len() - before;
        greeting.left = greeting.left.saturating_sub(came);
        if greeting.left == 0 {
            self.greeting = None;
        } else if read.is_pending() {
            let late = greeting.late.as_mut().poll(context);
            return late.map(|()| Err(io::ErrorKind::TimedOut.into()));
        }
        read
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Stall<I> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judge(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.judge(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.judge(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
