//! `POST /api/v1/numbers/import`: many numbers in one request, as CSV.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::{Admin, Api, ApiError};

/// Reads CSV from the body and writes its rows, a batch in one transaction.
///
/// # Errors
/// [`ApiError`] when the request as a whole cannot be read; bad rows are reported in the answer.
pub async fn import(
    State(_api): State<Arc<Api>>,
    _admin: Admin,
    _headers: HeaderMap,
    _body: Body,
) -> Result<Response, ApiError> {
    Err(ApiError::invalid(
        &["body"],
        "not_implemented",
        "import is not there yet",
    ))
}
