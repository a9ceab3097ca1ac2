//! Headers by which browsers keep our pages and answers from others. `/next-cid` has none where no
//! browser asks.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::response::Response;

/// An answer that is data is no page: nothing in it is loaded or run.
const OF_DATA: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Swagger UI: its own files, styles that its script writes, pictures that it has in itself, requests to us.
const OF_DOCS: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Adds the headers to an answer for `path`. What a handler set itself stays.
pub(super) fn guard(path: &str, answer: &mut Response) {
    let is_docs = path == "/docs" || path.starts_with("/docs/");
    let policy = if is_docs { OF_DOCS } else { OF_DATA };
    let mut set = |name: HeaderName, value: &'static str| {
        let headers = answer.headers_mut();
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    };
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(X_FRAME_OPTIONS, "DENY");
    set(REFERRER_POLICY, "no-referrer");
    set(CONTENT_SECURITY_POLICY, policy);
    if path.starts_with("/api/v1/") || path == "/add-number" {
        set(CACHE_CONTROL, "no-store");
    }
}
