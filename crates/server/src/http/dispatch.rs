//! Who answers a request: calls are answered where they come in, all else elsewhere.

use std::borrow::Cow;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

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

use super::error::word;
use super::guard::guard;
use super::peer::client;
use super::route::Route;
use super::{Api, Peer, next_cid, router};
use crate::auth::key_keeper::KeyKeeper;
use crate::request_log::{Asked, AskedCall, Asker, By, NO_SUCH_PATH};
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
        let answer = next_cid::answer(&self.api, &parts, peer, timer);
        unbroken(answer).await
    }

    /// Answers anything else.
    pub async fn other(&self, mut request: Request, peer: Peer) -> Response {
        request.extensions_mut().insert(peer);
        let (at, began) = (self.api.clock.now(), Instant::now());
        let client = client(&self.api, request.headers(), peer);
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let answer = self.general.spawn(self.router.clone().oneshot(request));
        // The panic of a handler is in the log already.
        let mut answer = answer.await.map_or_else(|_| broken(), |Ok(answer)| answer);
        guard(uri.path(), &mut answer);
        let status = answer.status();
        let outcome = word(status);
        if is_telling(&method, uri.path()) || outcome == "refused" {
            let (path, asker) = shown(uri.path(), &answer, outcome);
            self.api.requests.note(Asked {
                at,
                took: began.elapsed(),
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
    let Some(Route(route)) = answer.extensions().get::<Route>() else {
        let asker = match status.is_success() {
            true => Asker::Known,
            false => Asker::Anybody,
        };
        return (NO_SUCH_PATH.into(), asker);
    };
    let for_anybody = route.as_str().starts_with("/sign-");
    if for_anybody
        || status == StatusCode::METHOD_NOT_ALLOWED
        || Asker::of(outcome) == Asker::Anybody
    {
        return (route.as_str().into(), Asker::Anybody);
    }
    (path.chars().take(PATH_MOST).collect(), Asker::Known)
}

/// A handler that panics answers 500 with nothing at all, so that no dialplan takes words for a number.
async fn unbroken(answer: impl Future<Output = Response>) -> Response {
    let answer = AssertUnwindSafe(answer).catch_unwind().await;
    answer.unwrap_or_else(|_| broken())
}

fn broken() -> Response {
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_handler_that_panics_answers_500_with_nothing() {
        let answer = unbroken(async { panic!("on purpose") }).await;
        assert_eq!(answer.status(), 500);
        let body = axum::body::to_bytes(answer.into_body(), 1).await;
        assert!(body.expect("a body").is_empty());
    }
}
