//! What a connection does with its requests.

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::response::Response;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};

use crate::http::dispatch::Dispatch;
use crate::http::peer::Peer;
use crate::timer::Timer;

use super::seats::Seat;
use super::unread::Taker;

/// Answers the requests of one connection.
pub(super) fn service(
    dispatch: Dispatch,
    taker: Taker,
    peer: IpAddr,
    seat: Arc<Seat>,
) -> impl Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send> {
    let client = Arc::new(Client {
        dispatch,
        taker,
        peer: Peer(peer),
        seat,
        timer: Timer::default(),
    });
    service_fn(move |request| client.clone().answer(request))
}

/// The other end of a connection.
struct Client {
    dispatch: Dispatch,
    taker: Taker,
    peer: Peer,
    seat: Arc<Seat>,
    timer: Timer,
}

impl Client {
    /// Answers one request. The seat counts as asking until the whole answer is given away.
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Response, Infallible> {
        self.seat.asks();
        if self.dispatch.is_call(&request) {
            let call = self.dispatch.call(request, self.peer, &self.timer);
            let answer = call.await;
            self.seat.waits();
            return Ok(answer);
        }
        // In a box, because all of this is moved about for each call.
        let (parts, body) = request.into_parts();
        let body = self.taker.over(&parts.headers, Body::new(body));
        let request = Request::from_parts(parts, body);
        let answer = Box::pin(self.dispatch.other(request, self.peer)).await;
        let seat = self.seat.clone();
        Ok(answer.map(|body| Body::new(Given { body, seat })))
    }
}

/// The body of an answer that may take long: a file, or events as they happen.
struct Given {
    body: Body,
    seat: Arc<Seat>,
}

impl HttpBody for Given {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Given {
    fn drop(&mut self) {
        self.seat.waits();
    }
}
