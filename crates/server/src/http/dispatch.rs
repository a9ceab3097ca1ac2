//! Who answers a request: calls are answered where they come in, all else elsewhere.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::header::ORIGIN;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use caller_id_core::AuditLog;
use futures_util::FutureExt;
use tokio::runtime::Handle;
use tokio::time::Instant;
use tower::ServiceExt;
use tracing::{Instrument, Span};

use super::error::word;
use super::guard::guard;
use super::peer::client;
use super::request_id::{self, RequestId};
use super::template;
use super::{Api, Peer, next_cid, router};
use crate::auth::key_keeper::KeyKeeper;
use crate::meters::CALLS;
use crate::request_log::{Asked, AskedCall, By};
use crate::telemetry::traces;
use crate::timer::Timer;

/// Gives requests to those who answer them.
///
/// A call is answered at once, on the event loop that read it. Whatever people and scripts ask may take longer, so it is
/// answered by the general runtime, and no call waits behind an import.
#[derive(Clone)]
pub struct Dispatch {
    api: Arc<Api>,
    router: Router,
    general: Handle,
}

impl Dispatch {
    /// Answers on the runtime `general` what is no call. Web pages of `origins` may ask.
    pub fn new(api: Arc<Api>, origins: &[HeaderValue], general: Handle) -> Self {
        Self {
            router: router(api.clone(), origins),
            api,
            general,
        }
    }

    /// The API keys that open.
    pub fn keys(&self) -> Arc<KeyKeeper> {
        self.api.keys.clone()
    }

    /// Who changed what.
    pub fn audit(&self) -> Arc<dyn AuditLog> {
        self.api.sign_in.audit.clone()
    }

    /// Answers a request.
    pub async fn answer(&self, request: Request, peer: Peer) -> Response {
        if self.is_call(&request) {
            self.call(request, peer, &Timer::default()).await
        } else {
            self.other(request, peer).await
        }
    }

    /// Whether a dialer asks for a number. What a web page asks goes through the router, which knows what web pages may.
    pub fn is_call<B>(&self, request: &Request<B>) -> bool {
        matches!(request.uri().path(), "/next-cid" | "/next-cid/")
            && !request.headers().contains_key(ORIGIN)
    }

    /// Answers a call.
    pub async fn call<B>(&self, request: Request<B>, peer: Peer, timer: &Timer) -> Response {
        let (parts, _) = request.into_parts();
        let id = RequestId::given(&parts.headers);
        let traced = traces::of_request(&parts.headers, "GET /next-cid");
        let span = request_id::span(id.as_ref(), traced);
        let answer = next_cid::answer(&self.api, &parts, peer, timer);
        let answer = unbroken(answer.instrument(span.clone())).await;
        let (mut answer, took) = answer.unwrap_or_else(|()| (broken(), Duration::ZERO));
        let (meters, status) = (&self.api.meters, answer.status().as_u16());
        match parts.method == Method::GET {
            true => meters.called(status, took),
            false => meters.answered((parts.method.as_str(), Some(CALLS)), status, took),
        }
        if !span.is_none() {
            end(&span, (parts.method.as_str(), CALLS), (status, took));
        }
        if let Some(id) = id {
            id.mark(&mut answer);
        }
        answer
    }

    /// A request as people are shown it. Whoever only looks is not shown: monitors and open pages would fill the list.
    fn shown(request: &Request) -> Shown {
        /// Longest path that is shown.
        const PATH_MOST: usize = 64;
        let (method, path) = (request.method(), request.uri().path());
        let path: String = path.chars().take(PATH_MOST).collect();
        Shown {
            request: format!("{method} {path}").into(),
            is_telling: !method.is_safe() || path == "/call-result",
        }
    }

    /// Answers anything else.
    pub async fn other(&self, mut request: Request, peer: Peer) -> Response {
        request.extensions_mut().insert(peer);
        let (at, began) = (self.api.clock.now(), Instant::now());
        let client = client(&self.api, request.headers(), peer);
        let (asked, uri) = (Self::shown(&request), request.uri().clone());
        let method = request.method().clone();
        let id = RequestId::given(request.headers()).unwrap_or_else(RequestId::make);
        let traced = traces::of_request(request.headers(), "request");
        let span = request_id::span(Some(&id), traced);
        let answer = self
            .router
            .clone()
            .oneshot(request)
            .instrument(span.clone());
        let answer = self.general.spawn(answer);
        // The panic of a handler is in the log already.
        let mut answer = answer.await.map_or_else(|_| broken(), |Ok(answer)| answer);
        guard(uri.path(), &mut answer);
        let (status, took) = (answer.status(), began.elapsed());
        let route = (method.as_str(), template::of(&answer));
        self.api.meters.answered(route, status.as_u16(), took);
        let template = route.1.unwrap_or("none");
        end(&span, (route.0, template), (status.as_u16(), took));
        id.mark(&mut answer);
        let outcome = word(status);
        if asked.is_telling || outcome == "refused" {
            self.api.requests.note(Asked {
                at,
                took,
                client,
                by: By::Http(asked.request),
                outcome,
                status: Some(status.as_u16()),
                call: AskedCall::default(),
            });
        }
        answer
    }
}

/// Tells the trace, and whoever looks for a fault, how a request ended.
fn end(span: &Span, (method, route): (&str, &str), (status, took): (u16, Duration)) {
    let is_failed = status >= 500;
    traces::name(span, || format!("{method} {route}"));
    span.record("http.request.method", method);
    span.record("http.route", route);
    span.record("http.response.status_code", status);
    if is_failed {
        span.record("otel.status_code", "ERROR");
        let took_ms = took.as_millis() as u64;
        span.in_scope(|| tracing::debug!(method, route, status, took_ms, "a request failed"));
    }
}

struct Shown {
    request: Arc<str>,
    /// It tells us something, rather than asking.
    is_telling: bool,
}

/// The answer, unless the handler panics: that is in the log already.
async fn unbroken<T>(answer: impl Future<Output = T>) -> Result<T, ()> {
    let answer = AssertUnwindSafe(answer).catch_unwind().await;
    answer.map_err(drop)
}

/// A handler that panics answers 500 with nothing at all, so that no dialplan takes words for a number.
fn broken() -> Response {
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_handler_that_panics_answers_500_with_nothing() {
        let answer = unbroken::<()>(async { panic!("on purpose") }).await;
        assert!(answer.is_err());
        let answer = broken();
        assert_eq!(answer.status(), 500);
        let body = axum::body::to_bytes(answer.into_body(), 1).await;
        assert!(body.expect("a body").is_empty());
    }
}
