//! The id of a request, by which those who asked find it in our log.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;
use tracing::Span;

/// The header, of the request and of the answer.
pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// A longer one is none.
const BYTES_MOST: usize = 128;

/// An id of a request.
#[derive(Debug, Clone)]
pub(super) struct RequestId(HeaderValue);

impl RequestId {
    /// The one that came with the request, where it is one: at most 128 letters, digits and some signs, so that it breaks no line.
    pub(super) fn given(headers: &HeaderMap) -> Option<Self> {
        let given = headers.get(X_REQUEST_ID)?;
        let bytes = given.as_bytes();
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=@#".contains(byte);
        let is_one = (1..=BYTES_MOST).contains(&bytes.len()) && bytes.iter().all(is_plain);
        is_one.then(|| Self(given.clone()))
    }

    /// A new one.
    pub(super) fn make() -> Self {
        let id = uuid::Builder::from_random_bytes(rand::random()).into_uuid();
        let text = HeaderValue::from_str(&id.as_hyphenated().to_string());
        Self(text.expect("hexadecimal digits and hyphens"))
    }

    /// The text.
    pub(super) fn as_str(&self) -> &str {
        self.0.to_str().expect("letters, digits and signs")
    }

    /// Gives it to who asked.
    pub(super) fn mark(self, answer: &mut Response) {
        answer.headers_mut().insert(X_REQUEST_ID, self.0);
    }
}

/// The span of a request: what is logged in it has the id. It is `traced` where that is something.
pub(super) fn span(id: Option<&RequestId>, traced: Span) -> Span {
    let Some(id) = id else {
        return traced;
    };
    if traced.is_none() {
        return tracing::error_span!("request", request_id = id.as_str());
    }
    traced.record("request_id", id.as_str());
    traced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_taken_when_it_is_short_and_plain() {
        let given = |text: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(X_REQUEST_ID, HeaderValue::from_bytes(text).unwrap());
            RequestId::given(&headers).map(|id| id.as_str().to_owned())
        };
        for good in [
            "M1122120000000001",
            "a",
            "1-2_3.4:5/6+7=8@9#0",
            &"x".repeat(128),
        ] {
            assert_eq!(given(good.as_bytes()).as_deref(), Some(good));
        }
        for bad in [
            &b""[..],
            b"two words",
            b"quote\"",
            b"\xff",
            b"{}",
            &[b'x'; 129],
        ] {
            assert_eq!(given(bad), None, "{bad:?}");
        }
        assert!(RequestId::given(&HeaderMap::new()).is_none());
        assert_eq!(RequestId::make().as_str().len(), 36);
    }
}
