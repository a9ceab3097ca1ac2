//! A stream whose other end must take what is written, sooner or later.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::seats::Seat;

/// A stream that fails with `TimedOut` when nothing of what is written is taken for `limit`, and tells its seat while it
/// waits for that. Reading is passed through.
#[derive(Debug)]
pub(super) struct Patience<S> {
    stream: S,
    limit: Duration,
    seat: Arc<Seat>,
    /// Runs while the other end takes nothing; most connections never need one.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> Patience<S> {
    /// `stream`, whose other end may take nothing for `limit`.
    pub(super) fn new(stream: S, limit: Duration, seat: Arc<Seat>) -> Self {
        Self {
            stream,
            limit,
            seat,
            stalled: None,
        }
    }

    /// Passes a result on; starts the wait when the other end takes nothing, ends it when it does.
    fn watch<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            if self.stalled.take().is_some() {
                self.seat.has_taken();
            }
            return written;
        }
        let (limit, seat) = (self.limit, &self.seat);
        let stalled = self.stalled.get_or_insert_with(|| {
            seat.takes_slowly();
            Box::pin(sleep(limit))
        });
        ready!(stalled.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patience<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patience<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.watch(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.watch(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::super::seats::{Idleness, Seats};
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_write_that_nobody_takes_fails_in_time() {
        let (ours, _theirs) = tokio::io::duplex(4);
        let mut stream = Patience::new(
            ours,
            Duration::from_secs(1),
            Seats::new(1, Idleness::NONE).seat(),
        );
        let error = stream
            .write_all(b"more than four")
            .await
            .expect_err("nobody reads");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_reader_that_goes_on_is_waited_for() {
        let (ours, mut theirs) = tokio::io::duplex(4);
        let mut stream = Patience::new(
            ours,
            Duration::from_secs(1),
            Seats::new(1, Idleness::NONE).seat(),
        );
        let reading = async {
            let mut all = Vec::new();
            while all.len() < 14 {
                tokio::time::sleep(Duration::from_millis(900)).await;
                all.push(theirs.read_u8().await.expect("a byte"));
            }
            all
        };
        let (written, read) = tokio::join!(stream.write_all(b"more than four"), reading);
        written.expect("written");
        assert_eq!(read, b"more than four");
    }
}
