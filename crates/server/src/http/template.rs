//! Tells whoever answers from outside which route it was: the router forgets it with the request.

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;

/// Puts the template of the route into the answer.
pub(super) async fn tell(request: Request, next: Next) -> Response {
    let template = request.extensions().get::<MatchedPath>().cloned();
    let mut answer = next.run(request).await;
    if let Some(template) = template {
        answer.extensions_mut().insert(template);
    }
    answer
}

/// The template of the route that gave the answer, where there was one.
pub(super) fn of(answer: &Response) -> Option<&str> {
    answer
        .extensions()
        .get::<MatchedPath>()
        .map(MatchedPath::as_str)
}
