//! A body as a `Read`: the network is awaited, the rows are read on a thread that may block.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::mpsc;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout_at};

/// Pieces of the body that wait to be read.
const PIECES_AHEAD: usize = 4;
/// What is still taken from a client after its file was refused, so that it comes to read the answer.
const DRAINED_BYTES: usize = 16 * 1024 * 1024;

/// So much of a body is awaited before its job is answered: many a client sends no more once it has an answer.
const AHEAD_BYTES: usize = 8 * 1024 * 1024;
/// The same, in pieces, of which each takes some memory.
const AHEAD_PIECES: usize = 4_096;

/// How long a body may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// From one piece to the next.
    pub(super) stall: Duration,
    /// When all of it must be there.
    pub(super) until: Instant,
}

impl Patience {
    /// The next piece; an error when it does not come in time.
    async fn next<T>(
        &self,
        pieces: &mut (impl Stream<Item = T> + Unpin),
    ) -> Result<Option<T>, Elapsed> {
        let stalled = Instant::now() + self.stall;
        timeout_at(self.until.min(stalled), pieces.next()).await
    }
}

/// The reading end. It ends with an error when the body does not come to its end.
pub(super) struct Feed {
    pieces: mpsc::Receiver<Piece>,
    rest: Bytes,
    ended: bool,
    bytes: Arc<AtomicU64>,
}

enum Piece {
    Data(Bytes),
    Broken(io::Error),
    End,
}

/// A body of which some is here.
pub(super) struct Begun {
    /// What is here, and what comes.
    pub(super) body: Body,
    /// There is no more to come.
    pub(super) is_whole: bool,
}

impl Begun {
    /// A body that is given up.
    pub(super) fn nothing() -> Self {
        Self {
            body: Body::empty(),
            is_whole: false,
        }
    }
}

/// The same body, once its first megabytes are here, all of it where there are no more, or once it stalls or has had its time.
pub(super) async fn ahead(body: Body, patience: Patience) -> Begun {
    let mut rest = body.into_data_stream();
    let (mut pieces, mut bytes, mut is_whole) = (Vec::new(), 0, false);
    while bytes < AHEAD_BYTES && pieces.len() < AHEAD_PIECES {
        match patience.next(&mut rest).await {
            Ok(Some(piece)) => {
                bytes += piece.as_ref().map_or(0, Bytes::len);
                pieces.push(piece);
            }
            Ok(None) => {
                is_whole = true;
                break;
            }
            Err(_) => break,
        }
    }
    Begun {
        body: Body::from_stream(stream::iter(pieces).chain(rest)),
        is_whole,
    }
}

/// Both ends: the future moves `body` into the feed. What is read is counted in `bytes`.
pub(super) fn feed(
    body: Body,
    patience: Patience,
    bytes: Arc<AtomicU64>,
) -> (impl Future<Output = ()> + Send, Feed) {
    let (sender, pieces) = mpsc::channel(PIECES_AHEAD);
    let feed = Feed {
        pieces,
        rest: Bytes::new(),
        ended: false,
        bytes,
    };
    (pump(body, patience, sender), feed)
}

async fn pump(body: Body, patience: Patience, pieces: mpsc::Sender<Piece>) {
    let mut stream = body.into_data_stream();
    let mut unwanted_bytes = 0;
    loop {
        let piece = match patience.next(&mut stream).await {
            Err(_) => Piece::Broken(io::ErrorKind::TimedOut.into()),
            Ok(None) => Piece::End,
            Ok(Some(Ok(bytes))) => Piece::Data(bytes),
            Ok(Some(Err(error))) => Piece::Broken(io::Error::other(error)),
        };
        match piece {
            Piece::Data(bytes) if pieces.is_closed() => {
                unwanted_bytes += bytes.len();
                if unwanted_bytes > DRAINED_BYTES {
                    return;
                }
            }
            Piece::Data(bytes) => {
                // A reader that is gone is noticed at the next piece.
                let _ = pieces.send(Piece::Data(bytes)).await;
            }
            last => {
                let _ = pieces.send(last).await;
                return;
            }
        }
    }
}

impl Read for Feed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() && !self.ended {
            match self.pieces.blocking_recv() {
                Some(Piece::Data(bytes)) => self.rest = bytes,
                Some(Piece::End) => self.ended = true,
                Some(Piece::Broken(error)) => return Err(error),
                None => return Err(io::Error::other("the request was given up")),
            }
        }
        let taken = self.rest.len().min(buffer.len());
        self.bytes.fetch_add(taken as u64, Ordering::Relaxed);
        buffer[..taken].copy_from_slice(&self.rest.split_to(taken));
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STALL: Duration = Duration::from_secs(15);

    /// A byte every four seconds, for ever.
    fn dribbling() -> Body {
        let bytes = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(4)).await;
            Some((Ok::<_, io::Error>(Bytes::from_static(b"1")), ()))
        });
        Body::from_stream(bytes)
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_dribbles_is_awaited_no_longer_than_all_of_it_may_take() {
        let until = Instant::now() + Duration::from_secs(60);
        let patience = Patience {
            stall: STALL,
            until,
        };
        let begun = ahead(dribbling(), patience).await;
        assert!(Instant::now() == until && !begun.is_whole);
        // What is left of it gets no more time.
        let (pump, mut input) = feed(begun.body, patience, Arc::default());
        let reading = tokio::task::spawn_blocking(move || {
            let mut text = String::new();
            let ended = input.read_to_string(&mut text);
            (text, ended.map_err(|error| error.kind()))
        });
        pump.await;
        let (text, ended) = reading.await.expect("it reads");
        assert!(text.len() <= 15, "{text}");
        assert_eq!(ended, Err(io::ErrorKind::TimedOut));
        assert_eq!(Instant::now(), until);
    }
}
