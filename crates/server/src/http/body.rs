//! Bodies, read whole: bounded in size and in time.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Map, Value};
use tokio::time::{Instant, timeout_at};

use super::{Api, ApiError};

/// The largest body of a single thing, in bytes.
pub const BODY_MOST: usize = 64 * 1024;

/// What is still taken of a body that is too large, so that its sender comes to read the answer.
const DRAINED_BYTES: usize = 16 * 1024 * 1024;

/// The whole body, at most [`BODY_MOST`] bytes.
///
/// # Errors
/// [`ApiError::TooLarge`], [`ApiError::TooSlow`], or that it was cut off.
pub async fn read(mut body: Body, deadline: Duration) -> Result<Bytes, ApiError> {
    let until = Instant::now() + deadline;
    let whole = Limited::new(&mut body, BODY_MOST).collect();
    match timeout_at(until, whole).await {
        Err(_) => Err(ApiError::TooSlow),
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            // However far that comes, the body is too large.
            let _ = timeout_at(until, drain(&mut body)).await;
            Err(ApiError::TooLarge(BODY_MOST))
        }
        Ok(Err(_)) => Err(ApiError::invalid(
            &["body"],
            "cut_off",
            "the body ended too early",
        )),
    }
}

/// Takes the rest of a body that nobody wants, and keeps nothing of it.
async fn drain(body: &mut Body) {
    let mut taken = 0;
    while let Some(Ok(frame)) = body.frame().await {
        taken += frame.data_ref().map_or(0, Bytes::len);
        if taken > DRAINED_BYTES {
            return;
        }
    }
}

/// The body as a JSON object. As an argument of a handler it refuses everything else: 415 when it says to be something
/// else, 422 when it is none. It comes after who asks, so that nothing is read for strangers.
#[derive(Debug)]
pub struct Object(pub Map<String, Value>);

impl FromRequest<Arc<Api>> for Object {
    type Rejection = ApiError;

    async fn from_request(request: Request, api: &Arc<Api>) -> Result<Self, ApiError> {
        if !is_json(request.headers()) {
            return Err(ApiError::MediaType("application/json"));
        }
        let text = read(request.into_body(), api.answers.body_deadline).await?;
        object(&text).map(Self)
    }
}

/// Reads a JSON object.
///
/// # Errors
/// 422 that says where the text stops to be JSON.
pub fn object(text: &[u8]) -> Result<Map<String, Value>, ApiError> {
    match serde_json::from_slice(text) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(ApiError::invalid(
            &["body"],
            "model_type",
            "a JSON object is expected",
        )),
        Err(error) => Err(ApiError::invalid(
            &["body"],
            "json_invalid",
            format!("JSON decode error: {error}"),
        )),
    }
}

/// Whether the body says to be JSON, or says nothing.
pub fn is_json(headers: &HeaderMap) -> bool {
    media_type(headers).is_none_or(|kind| {
        kind.eq_ignore_ascii_case("application/json")
            || kind.to_ascii_lowercase().ends_with("+json")
    })
}

/// Whether the body says to be a form, as `curl -d` does.
pub fn is_form(headers: &HeaderMap) -> bool {
    media_type(headers)
        .is_some_and(|kind| kind.eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

fn media_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(CONTENT_TYPE)?.to_str().unwrap_or("unreadable");
    value.split(';').next().map(str::trim)
}
