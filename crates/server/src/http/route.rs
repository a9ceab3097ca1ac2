//! Which route answered, for whoever sees the answer: its path has names in place of what a request gave.

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;

/// The route that answered. An answer without it came from none.
#[derive(Debug, Clone)]
pub(crate) struct Route(MatchedPath);

impl Route {
    /// Its path, with names in place of what a request gave.
    pub(super) fn path(&self) -> &str {
        self.0.as_str()
    }
}

/// Puts the route beside the answer.
pub(crate) async fn tell(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut answer = next.run(request).await;
    if let Some(route) = route {
        answer.extensions_mut().insert(Route(route));
    }
    answer
}
