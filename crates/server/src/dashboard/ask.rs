//! Asks the API, as the person who looks at the page.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_TYPE, ETAG, HeaderName, IF_MATCH, IF_NONE_MATCH, LOCATION};
use axum::http::response::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Limited};
use serde_json::Value;
use tower::ServiceExt;

use super::failure::Failure;
use super::visit::Visit;

/// No answer that goes into a page is longer, in bytes: more is a fault of ours.
const ANSWER_MOST: usize = 16 << 20;
const CSRF: HeaderName = HeaderName::from_static("x-csrf-token");

/// The API, in this process.
pub(super) struct Asker {
    api: Router,
}

/// What the API answered, where it did what it was asked.
#[derive(Debug)]
pub(super) struct Answer {
    /// The body; null where there is none.
    pub(super) body: Value,
    /// What a change of the same thing must name.
    pub(super) etag: Option<String>,
}

/// Something to be done.
pub(super) struct Order {
    /// How.
    pub(super) method: Method,
    /// The path and the query.
    pub(super) path: String,
    /// The body; null: none.
    pub(super) body: Value,
    /// Only where the thing is still as it was shown.
    pub(super) etag: Option<String>,
    /// Only where there is no such thing yet.
    pub(super) is_new: bool,
}

impl Order {
    /// To be done with `body` at `path`.
    pub(super) fn new(method: Method, path: impl Into<String>, body: Value) -> Self {
        Self {
            method,
            path: path.into(),
            body,
            etag: None,
            is_new: false,
        }
    }

    /// The same, where there is no such thing yet.
    pub(super) fn unless_there(mut self) -> Self {
        self.is_new = true;
        self
    }

    /// The same, where the thing is still as it was shown.
    pub(super) fn when(mut self, etag: Option<String>) -> Self {
        self.etag = etag.filter(|etag| !etag.is_empty());
        self
    }
}

impl Asker {
    /// Asks that API.
    pub(super) fn new(api: Router) -> Self {
        Self { api }
    }

    /// What is at `path`.
    ///
    /// # Errors
    /// What the API says to that, with its status.
    pub(super) async fn get(&self, visit: &Visit, path: &str) -> Result<Value, Failure> {
        let request = visit.request(Method::GET, path)?;
        let request = request.body(Body::empty())?;
        Ok(self.answer(visit, request).await?.body)
    }

    /// The same as it came, for who may have read it before.
    ///
    /// # Errors
    /// As [`Asker::get`].
    pub(super) async fn get_bytes(&self, visit: &Visit, path: &str) -> Result<Bytes, Failure> {
        let request = visit.request(Method::GET, path)?;
        let request = request.body(Body::empty())?;
        Ok(self.told(visit, request).await?.1)
    }

    /// The same, with its `ETag`.
    ///
    /// # Errors
    /// As [`Asker::get`].
    pub(super) async fn get_tagged(&self, visit: &Visit, path: &str) -> Result<Answer, Failure> {
        let request = visit.request(Method::GET, path)?;
        let request = request.body(Body::empty())?;
        self.answer(visit, request).await
    }

    /// Has something done. `proof` shows that the form was ours.
    ///
    /// # Errors
    /// What the API says to that, with its status.
    pub(super) async fn order(
        &self,
        visit: &Visit,
        proof: &str,
        order: Order,
    ) -> Result<Answer, Failure> {
        let mut request = visit.request(order.method, &order.path)?;
        if let Some(etag) = order.etag {
            request = request.header(IF_MATCH, etag);
        }
        if order.is_new {
            request = request.header(IF_NONE_MATCH, "*");
        }
        if !proof.is_empty() {
            request = request.header(CSRF, proof);
        }
        let body = match order.body {
            Value::Null => Body::empty(),
            body => {
                let json = HeaderValue::from_static("application/json");
                request = request.header(CONTENT_TYPE, json);
                Body::from(body.to_string())
            }
        };
        self.answer(visit, request.body(body)?).await
    }

    /// Passes a request on as it is, for what is no page: files. The answer is the API's own.
    pub(super) async fn pass(&self, request: Request<Body>) -> axum::response::Response {
        let Ok(answer) = self.api.clone().oneshot(request).await;
        answer
    }

    /// Makes a request of [`Visit::request`], for what has a body of its own.
    ///
    /// # Errors
    /// As [`Asker::get`].
    pub(super) async fn answer(
        &self,
        visit: &Visit,
        request: Request<Body>,
    ) -> Result<Answer, Failure> {
        let (parts, body) = self.told(visit, request).await?;
        let body = read(&body);
        if parts.status == StatusCode::CREATED || parts.status == StatusCode::ACCEPTED {
            debug_assert!(parts.headers.contains_key(LOCATION) || !body.is_null());
        }
        Ok(Answer {
            body,
            etag: text(&parts.headers, &ETAG),
        })
    }

    async fn told(&self, visit: &Visit, request: Request<Body>) -> Result<(Parts, Bytes), Failure> {
        let Ok(answer) = self.api.clone().oneshot(request).await;
        let (parts, body) = answer.into_parts();
        let body = Limited::new(body, ANSWER_MOST).collect().await;
        let body =
            body.map_err(|error| Failure::broken(format!("an answer broke off: {error}")))?;
        let body = body.to_bytes();
        if !parts.status.is_success() {
            return Err(Failure::told(
                visit,
                parts.status,
                &parts.headers,
                read(&body),
            ));
        }
        Ok((parts, body))
    }
}

fn read(body: &Bytes) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value.to_owned())
}
