//! What a page says when it cannot show what was asked for, or do it.

use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::render;
use super::visit::Visit;

/// Where people sign in.
const SIGN_IN: &str = "/sign-in";
const HX_REDIRECT: HeaderName = HeaderName::from_static("hx-redirect");
const HX_RETARGET: HeaderName = HeaderName::from_static("hx-retarget");
const HX_RESWAP: HeaderName = HeaderName::from_static("hx-reswap");

/// Why there is no page.
#[derive(Debug)]
pub(super) struct Failure {
    /// The status of the answer.
    pub(super) status: StatusCode,
    /// What the API said: problem details.
    pub(super) problem: Value,
    /// Where to sign in first.
    sign_in: Option<String>,
    part: bool,
    headers: HeaderMap,
}

impl Failure {
    /// What the API says to whoever looks.
    pub(super) fn told(
        visit: &Visit,
        status: StatusCode,
        told: &HeaderMap,
        problem: Value,
    ) -> Self {
        let mut headers = HeaderMap::new();
        if let Some(seconds) = told.get(RETRY_AFTER) {
            headers.insert(RETRY_AFTER, seconds.clone());
        }
        let place = visit
            .uri
            .path_and_query()
            .map_or("/", |place| place.as_str());
        let place = utf8_percent_encode(place, NON_ALPHANUMERIC);
        let sign_in = visit
            .is_in_person()
            .then(|| format!("{SIGN_IN}?return_to={place}"));
        Self {
            status,
            problem,
            sign_in: sign_in.filter(|_| status == StatusCode::UNAUTHORIZED),
            part: visit.wants_part(),
            headers,
        }
    }

    /// A fault of ours.
    pub(super) fn broken(why: impl std::fmt::Display) -> Self {
        tracing::error!(%why, "a page cannot be shown");
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            problem: Value::Null,
            sign_in: None,
            part: false,
            headers: HeaderMap::new(),
        }
    }

    /// What was filled in cannot be taken.
    pub(super) fn invalid(text: &str) -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            problem: serde_json::json!({ "detail": text }),
            sign_in: None,
            part: false,
            headers: HeaderMap::new(),
        }
    }

    /// What whoever looks is told by us.
    pub(super) fn of(visit: &Visit, status: StatusCode, text: &str) -> Self {
        let problem = serde_json::json!({ "detail": text });
        Self::told(visit, status, &HeaderMap::new(), problem)
    }

    /// One line for people.
    pub(super) fn text(&self) -> String {
        let word = |name| self.problem[name].as_str().map(str::to_owned);
        let title = word("title");
        let faults = self.problem["detail"].as_array().map(|faults| {
            let line = |fault: &Value| {
                let field = fault["loc"]
                    .as_array()
                    .and_then(|place| place.last()?.as_str());
                let what = fault["msg"].as_str().unwrap_or_default();
                match field {
                    Some(field) => format!("{field}: {what}"),
                    None => what.to_owned(),
                }
            };
            faults.iter().map(line).collect::<Vec<_>>().join("; ")
        });
        let detail = faults.or_else(|| word("detail"));
        detail
            .or(title)
            .unwrap_or_else(|| "Something broke: the log of the service says more.".to_owned())
    }
}

impl From<axum::http::Error> for Failure {
    fn from(error: axum::http::Error) -> Self {
        Self::broken(error)
    }
}

impl From<minijinja::Error> for Failure {
    fn from(error: minijinja::Error) -> Self {
        Self::broken(format!("{error:#}"))
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        if let Some(place) = &self.sign_in {
            let place = HeaderValue::try_from(place).expect("a path is plain text");
            return match self.part {
                true => (StatusCode::NO_CONTENT, [(HX_REDIRECT, place)]).into_response(),
                false => (StatusCode::SEE_OTHER, [(LOCATION, place)]).into_response(),
            };
        }
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        let text = self.text();
        let mut answer = match self.part {
            // htmx shows it above the page, which stays.
            true => (
                self.status,
                [
                    (HX_RETARGET, HeaderValue::from_static("#messages")),
                    (HX_RESWAP, HeaderValue::from_static("innerHTML")),
                ],
                render::message(&text),
            )
                .into_response(),
            false => (self.status, render::failure(self.status, &text)).into_response(),
        };
        let headers = answer.headers_mut();
        headers.extend(self.headers);
        headers.insert(CONTENT_TYPE, html);
        render::protect(headers);
        answer
    }
}
