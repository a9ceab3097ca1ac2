//! Who answers a request: calls are answered where they come in, all else elsewhere.

mod onward;

use std::borrow::Cow;
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
use super::route::Route;
use super::{Api, Peer, next_cid, router};
use crate::auth::key_keeper::KeyKeeper;
use crate::meters::CALLS;
use crate::request_log::{Asked, AskedCall, Asker, By, NO_SUCH_PATH};
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
    /// Answers on the runtime `general` what is no call. Web pages of `origins` may ask; `pages` adds those of our own, which
    /// ask the API that it is given.
    pub fn new(
        api: Arc<Api>,
        origins: &[HeaderValue],
        pages: impl FnOnce(Router) -> Router,
        general: Handle,
    ) -> Self {
        let routes = router(api.clone(), origins);
        Self {
            router: pages(routes.clone()).fallback_service(routes),
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

    /// Answers anything else.
    pub async fn other(&self, mut request: Request, peer: Peer) -> Response {
        request.extensions_mut().insert(peer);
        let (at, began) = (self.api.clock.now(), Instant::now());
        let client = client(&self.api, request.headers(), peer);
        let (method, uri) = (request.method().clone(), request.uri().clone());
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
        let mut answer = answer.map(|body| onward::made_on(&self.general, body));
        let (status, took) = (answer.status(), began.elapsed());
        let route = answer.extensions().get::<Route>().cloned();
        let route = (method.as_str(), route.as_ref().map(Route::path));
        self.api.meters.answered(route, status.as_u16(), took);
        let named = (route.0, route.1.unwrap_or("none"));
        end(&span, named, (status.as_u16(), took));
        id.mark(&mut answer);
        let outcome = word(status);
        if is_telling(&method, uri.path()) || outcome == "refused" {
            let (path, asker) = shown(uri.path(), &answer, outcome);
            self.api.requests.note(Asked {
                at,
                took,
                client,
                by: By::Http(format!("{method} {path}").into()),
                asker,
                outcome,
                status: Some(status.as_u16()),
                call: AskedCall::default(),
            });
        }
        answer
    }
}

/// Whether it tells us something, rather than asking. Whoever only looks is not listed: monitors and open pages would fill the
/// list.
fn is_telling(method: &Method, path: &str) -> bool {
    !method.is_safe() || path == "/call-result"
}

/// A path as people are shown it, and whose request it was. What anybody may write into a path is not shown: it may be a
/// called party.
fn shown<'a>(path: &'a str, answer: &'a Response, outcome: &str) -> (Cow<'a, str>, Asker) {
    /// Longest path that is shown.
    const PATH_MOST: usize = 64;
    let status = answer.status();
    let Some(route) = answer.extensions().get::<Route>() else {
        let asker = match status.is_success() {
            true => Asker::Known,
            false => Asker::Anybody,
        };
        return (NO_SUCH_PATH.into(), asker);
    };
    let for_anybody = route.path().starts_with("/sign-");
    if for_anybody
        || status == StatusCode::METHOD_NOT_ALLOWED
        || Asker::of(outcome) == Asker::Anybody
    {
        return (route.path().into(), Asker::Anybody);
    }
    (path.chars().take(PATH_MOST).collect(), Asker::Known)
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
