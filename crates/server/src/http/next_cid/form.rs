//! The form of an answer that the dialplan asked for.

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use caller_id_core::{Allocation, NumberFormat};

use super::super::ApiError;
use super::body::NextCid;

/// How the answer is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Form {
    #[default]
    Json,
    Text,
    Pairs,
}

impl std::str::FromStr for Form {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim().to_ascii_lowercase().as_str() {
            "json" => Ok(Self::Json),
            "text" => Ok(Self::Text),
            "form" => Ok(Self::Pairs),
            _ => Err("format: json, text or form expected".to_owned()),
        }
    }
}

impl Form {
    /// The answer to a call that has its number.
    pub(super) fn answer(self, allocation: &Allocation, format: NumberFormat) -> Response {
        let body = NextCid::new(allocation, format);
        match self {
            Self::Json => answer_in("application/json", body.json()),
            Self::Text => answer_in("text/plain; charset=utf-8", body.text()),
            Self::Pairs => answer_in(
                "application/x-www-form-urlencoded",
                body.pairs().into_bytes(),
            ),
        }
    }

    /// The answer to a call that gets none.
    pub(super) fn failure(self, error: ApiError) -> Response {
        match self {
            Self::Json => error.into_response(),
            Self::Text => error.into_empty(),
            Self::Pairs => error.into_form(),
        }
    }
}

fn answer_in(media_type: &'static str, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    let media_type = HeaderValue::from_static(media_type);
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    response
}
