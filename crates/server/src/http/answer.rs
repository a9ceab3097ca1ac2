//! The answer to one request, whatever happens to its handler.

use std::panic::AssertUnwindSafe;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use tower::ServiceExt;

/// A handler that panics answers 500 with nothing at all, so that no dialplan takes words for a number.
pub async fn answer(router: Router, request: Request) -> Response {
    let answer = AssertUnwindSafe(router.oneshot(request))
        .catch_unwind()
        .await;
    // The panic itself is in the log already.
    answer.map_or_else(
        |_| StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        |Ok(answer)| answer,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::routing::get;

    #[tokio::test]
    async fn a_handler_that_panics_answers_500_with_nothing() {
        async fn broken() -> &'static str {
            panic!("on purpose")
        }
        let router = Router::new().route("/", get(broken));
        let answer = answer(router, Request::new(Body::empty())).await;
        assert_eq!(answer.status(), 500);
        let body = axum::body::to_bytes(answer.into_body(), 1).await;
        assert!(body.expect("a body").is_empty());
    }
}
