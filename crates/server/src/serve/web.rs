//! The door of HTTP.

use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::http::dispatch::Dispatch;

use super::door::Host;
use super::patience::Patience;
use super::seats::{Seat, Verdict};
use super::service::service;
use super::unread::Taker;

/// More bytes of headers are answered with 431.
const MAX_HEADER_BYTES: usize = 32 * 1024;

/// Serves HTTP.
pub(super) struct Web {
    dispatch: Dispatch,
    taker: Taker,
    http: http1::Builder,
    patience: Duration,
}

impl Web {
    /// Answers by `dispatch`; a client may take nothing of an answer for `patience`.
    pub(super) fn new(dispatch: Dispatch, patience: Duration) -> Self {
        let mut http = http1::Builder::new();
        // A client may say that it sends no more and still wait for its answer, as `nc -N` does. Answers are never kept
        // back for the next request (hyper's `pipeline_flush`): a stray byte would keep them back for ever.
        // Who sends no request is cut off by the sweep: a timer for each request would cost more than the request is worth.
        http.header_read_timeout(None)
            .max_buf_size(MAX_HEADER_BYTES)
            .half_close(true)
            .writev(false);
        Self {
            dispatch,
            taker: Taker::default(),
            http,
            patience,
        }
    }
}

impl Host for Web {
    fn serve(
        &self,
        stream: TcpStream,
        peer: IpAddr,
        seat: Arc<Seat>,
    ) -> impl Future<Output = ()> + Send + 'static {
        let service = service(
            self.dispatch.clone(),
            self.taker.clone(),
            peer,
            seat.clone(),
        );
        let (http, patience) = (self.http.clone(), self.patience);
        async move {
            let stream = TokioIo::new(Patience::new(stream, patience, seat.clone()));
            let mut connection = pin!(http.serve_connection(stream, service));
            let ended = loop {
                tokio::select! {
                    biased;
                    ended = connection.as_mut() => break ended,
                    verdict = seat.told() => match verdict {
                        Verdict::Finish => connection.as_mut().graceful_shutdown(),
                        Verdict::Cut => break Ok(()),
                    },
                }
            };
            // How a connection ends is the client's affair: cut off, timed out, not HTTP at all.
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended");
            }
        }
    }
}
