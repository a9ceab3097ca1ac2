//! What goes wrong, and what HTTP says of it. The only place that knows status codes.

mod log;
mod problems;

use std::fmt;
use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use caller_id_core::{AllocatorError, Exhausted, StoreError};
use serde_json::{Map, Value, json};

use self::problems::{
    agent_limited, busy, media_type, no_caller_id, not_signed_in, partly, refused, too_large,
    too_slow, unavailable,
};
use super::Fault;
use crate::auth::Refusal;
use crate::auth::oidc::Failure;
use crate::rows::Tally;
use crate::sync::SyncError;

/// How long a caller waits before it asks again when we do not know better, in seconds.
const RETRY_SECONDS: i64 = 1;
/// The same when there is no number at all: somebody has to add one first.
const RETRY_EMPTY_SECONDS: i64 = 60;

/// Everything but success.
#[derive(Debug)]
pub enum ApiError {
    /// Who asks may not.
    Refused(Refusal),
    /// Nobody could be signed in over the identity provider.
    SignIn(Failure),
    /// The request cannot be understood: one fault for each field.
    Invalid(Vec<Fault>),
    /// Emergency, N11, 988 and short codes.
    NotRotated {
        /// What was asked, as given.
        input: String,
        /// Why it is refused.
        message: String,
    },
    /// No number is eligible: until when, and why.
    Exhausted(Exhausted),
    /// The agent has used up its limit.
    AgentLimited {
        /// Milliseconds until one allocation is free.
        retry_after_ms: i64,
    },
    /// The number is in the inventory.
    AlreadyExists,
    /// It is something else than the request says it has seen: its tag, if there is anything.
    Differs(Option<String>),
    /// Nothing was expected to be there; the tag of what is.
    IsThere(String),
    /// It is in use; says by what.
    InUse(String),
    /// There is no such thing; says which.
    NotFound(String),
    /// There is no such route.
    NoRoute,
    /// The route does not know the method.
    NoMethod,
    /// The body is larger than so many bytes.
    TooLarge(usize),
    /// The body did not come in time.
    TooSlow,
    /// The body is of a type that the route does not read; says what is expected.
    MediaType(&'static str),
    /// The engine did not answer in time.
    DeadlinePassed,
    /// What an admin changed is written, but the engine did not take it in time; it will.
    NotInForce,
    /// As many jobs run as may.
    Busy,
    /// The store cannot commit.
    NotReady,
    /// The engine could not work.
    Allocator(AllocatorError),
    /// The store could not work.
    Store(Arc<StoreError>),
    /// An import ended early; what it wrote until then stays.
    Partly {
        /// Why it ended.
        cause: Box<ApiError>,
        /// What became of the rows before.
        tally: Tally,
    },
}

impl ApiError {
    /// One field, or the body as a whole, that cannot be understood.
    pub fn invalid(loc: &[&str], kind: &'static str, msg: impl Into<Box<str>>) -> Self {
        Self::Invalid(vec![Fault::new(loc, kind, msg, Value::Null)])
    }

    /// What became of the request, in a word for the list of requests.
    pub fn outcome(&self) -> &'static str {
        match self {
            Self::Exhausted(_) => "exhausted",
            Self::AgentLimited { .. } => "agent_limited",
            Self::NotRotated { .. } => "not_rotated",
            other => word(Problem::from(other).status),
        }
    }

    /// What it is, for people who are told later, under the name `instance`. What broke is logged.
    pub fn told_later(&self, instance: &str) -> String {
        self.log(instance);
        let problem = Problem::from(self);
        match problem.detail {
            Value::String(text) => text,
            _ => problem.title.to_owned(),
        }
    }

    /// There is no `what` of that name.
    pub fn no_such(what: &str, name: &dyn fmt::Display) -> Self {
        Self::NotFound(format!("There is no {what} `{name}`"))
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

impl From<crate::jobs::Busy> for ApiError {
    fn from(_: crate::jobs::Busy) -> Self {
        Self::Busy
    }
}

impl From<AllocatorError> for ApiError {
    fn from(error: AllocatorError) -> Self {
        Self::Allocator(error)
    }
}

impl From<SyncError> for ApiError {
    fn from(error: SyncError) -> Self {
        // Whatever it is: the change itself was written before.
        let _ = error;
        Self::NotInForce
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// What a client may know of an error.
struct Problem {
    status: StatusCode,
    /// The last part of the problem's type.
    kind: &'static str,
    title: &'static str,
    detail: Value,
    more: Vec<(&'static str, Value)>,
    retry_after_s: Option<i64>,
}

impl Problem {
    fn new(
        status: StatusCode,
        kind: &'static str,
        title: &'static str,
        detail: impl Into<Value>,
    ) -> Self {
        Self {
            status,
            kind,
            title,
            detail: detail.into(),
            more: Vec::new(),
            retry_after_s: None,
        }
    }

    fn retry_after(mut self, seconds: i64) -> Self {
        self.retry_after_s = Some(seconds.max(1));
        self
    }
}

impl From<&ApiError> for Problem {
    fn from(error: &ApiError) -> Self {
        use StatusCode as S;
        match error {
            ApiError::Refused(refusal) => refused(refusal),
            ApiError::SignIn(failure) => not_signed_in(failure),
            ApiError::Invalid(faults) => Self::new(
                S::UNPROCESSABLE_ENTITY,
                "invalid",
                "The request cannot be understood",
                json!(faults),
            ),
            ApiError::NotRotated { input, message } => Self::new(
                S::UNPROCESSABLE_ENTITY,
                "not-rotated",
                "Caller IDs are never rotated for this destination",
                json!([Fault::new(
                    &["query", "to"],
                    "not_rotated",
                    message.as_str(),
                    json!(input)
                )]),
            ),
            ApiError::Exhausted(exhausted) => no_caller_id(*exhausted),
            ApiError::AgentLimited { retry_after_ms } => agent_limited(*retry_after_ms),
            ApiError::AlreadyExists => Self::new(
                S::CONFLICT,
                "exists",
                "The number exists",
                "Caller ID already exists",
            ),
            ApiError::Differs(None) => differs("There is none", None),
            ApiError::Differs(tag) => differs(
                "It was changed since it was read: read it again, and change that",
                tag.as_deref(),
            ),
            ApiError::IsThere(tag) => differs("It exists already", Some(tag)),
            ApiError::InUse(by) => Self::new(S::CONFLICT, "in-use", "It is in use", by.as_str()),
            ApiError::NotFound(what) => {
                Self::new(S::NOT_FOUND, "not-found", "Not found", what.as_str())
            }
            ApiError::NoRoute => Self::new(S::NOT_FOUND, "no-route", "Not Found", "Not Found"),
            ApiError::NoMethod => Self::new(
                S::METHOD_NOT_ALLOWED,
                "no-method",
                "Method Not Allowed",
                "Method Not Allowed",
            ),
            ApiError::TooLarge(most) => too_large(*most),
            ApiError::TooSlow => too_slow(),
            ApiError::MediaType(expected) => media_type(expected),
            ApiError::DeadlinePassed => unavailable("The answer took too long"),
            ApiError::NotInForce => {
                unavailable("The change is written, and not in force yet: it will be in a moment")
            }
            ApiError::Busy => busy(),
            ApiError::NotReady => unavailable("No number can be handed out now: /health says why"),
            ApiError::Allocator(AllocatorError::OutboxFull(_)) => unavailable(
                "As many allocations wait for the database as may wait: it is away, or too slow",
            ),
            ApiError::Allocator(AllocatorError::Unavailable(_)) => unavailable(
                "Redis does not answer, refuses to write, or lost its state, which is being rebuilt",
            ),
            ApiError::Allocator(_) => unavailable("The allocation could not be recorded"),
            ApiError::Store(_) => unavailable("The store is not available"),
            ApiError::Partly { cause, tally } => partly(cause, tally),
        }
    }
}

fn differs(detail: &'static str, tag: Option<&str>) -> Problem {
    let mut problem = Problem::new(
        StatusCode::PRECONDITION_FAILED,
        "differs",
        "It is not what was expected",
        detail,
    );
    problem.more.push(("etag", json!(tag)));
    problem
}

fn ceil_seconds(ms: i64) -> i64 {
    ms.saturating_add(999) / 1_000
}

/// What a page tells of an error.
pub(super) struct Told {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// For people; not escaped.
    pub(super) text: String,
}

impl ApiError {
    /// What a page tells of it.
    pub(super) fn told(&self) -> Told {
        let problem = Problem::from(self);
        self.log("-");
        let hint = problem.more.iter().find(|(name, _)| *name == "hint");
        let hint = hint.and_then(|(_, hint)| hint.as_str()).unwrap_or_default();
        let detail = match &problem.detail {
            Value::String(text) => text.as_str(),
            _ => problem.title,
        };
        Told {
            status: problem.status,
            headers: headers(problem.status, problem.retry_after_s),
            text: format!("{detail} {hint}").trim_end().to_owned(),
        }
    }

    /// The answer in `application/problem+json`.
    fn into_problem_json(self) -> Response {
        let problem = Problem::from(&self);
        let instance = format!(
            "urn:uuid:{}",
            uuid::Builder::from_random_bytes(rand::random()).into_uuid()
        );
        self.log(&instance);
        let mut members = Map::new();
        members.insert("detail".to_owned(), problem.detail);
        members.insert(
            "type".to_owned(),
            json!(format!("urn:caller-id:problem:{}", problem.kind)),
        );
        members.insert("title".to_owned(), json!(problem.title));
        members.insert("status".to_owned(), json!(problem.status.as_u16()));
        members.insert("instance".to_owned(), json!(instance));
        members.extend(
            problem
                .more
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value)),
        );
        let mut headers = headers(problem.status, problem.retry_after_s);
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        (problem.status, headers, Value::Object(members).to_string()).into_response()
    }

    /// The answer for a dialplan that reads plain text: nothing at all, only the status.
    pub(super) fn into_empty(self) -> Response {
        let problem = Problem::from(&self);
        self.log("-");
        let mut headers = headers(problem.status, problem.retry_after_s);
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        );
        (problem.status, headers, Body::empty()).into_response()
    }

    /// The answer for a dialplan that reads `key=value` pairs: never a `caller_id`.
    pub(super) fn into_form(self) -> Response {
        let problem = Problem::from(&self);
        self.log("-");
        let mut headers = headers(problem.status, problem.retry_after_s);
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        let body = format!("error={}&status={}", problem.kind, problem.status.as_u16());
        (problem.status, headers, body).into_response()
    }
}

/// An answer of a service that runs but should not be asked for numbers.
pub(super) fn not_ready(body: impl IntoResponse) -> Response {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    (status, headers(status, Some(RETRY_SECONDS)), body).into_response()
}

/// What became of a request, by its status.
pub(super) fn word(status: StatusCode) -> &'static str {
    use StatusCode as S;
    match status {
        S::UNAUTHORIZED | S::FORBIDDEN => "refused",
        S::NOT_FOUND => "not_found",
        S::CONFLICT | S::PRECONDITION_FAILED => "conflict",
        S::TOO_MANY_REQUESTS => "limited",
        S::SERVICE_UNAVAILABLE => "unavailable",
        status if status.is_client_error() => "invalid",
        status if status.is_server_error() => "failed",
        _ => "done",
    }
}

fn headers(status: StatusCode, retry_after_s: Option<i64>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(seconds) = retry_after_s {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    headers
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.into_problem_json()
    }
}
