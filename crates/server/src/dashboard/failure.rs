//! What a page says when it cannot show what was asked for, or do it.

use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

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
    headers: Box<HeaderMap>,
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
            headers: Box::new(headers),
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
            headers: Box::default(),
        }
    }

    /// What was filled in cannot be taken.
    pub(super) fn invalid(text: &str) -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            problem: serde_json::json!({ "detail": text }),
            sign_in: None,
            part: false,
            headers: Box::default(),
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
                    // Many a fault names its field itself.
                    Some(field) if !what.starts_with(field) => format!("{field}: {what}"),
                    _ => what.to_owned(),
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

impl Failure {
    /// What was filled in in one field cannot be taken.
    pub(super) fn of_field(field: &str, text: &str) -> Self {
        let fault = serde_json::json!({"loc": ["body", field], "msg": text});
        Self {
            problem: serde_json::json!({ "detail": [fault] }),
            ..Self::invalid(text)
        }
    }

    /// The same for whoever looks: where htmx asks, a line above the page.
    pub(super) fn seen_by(self, visit: &Visit) -> Self {
        Self {
            part: visit.wants_part(),
            ..self
        }
    }

    /// There is no such page.
    pub(super) fn missing(text: &str) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            ..Self::invalid(text)
        }
    }

    /// What is wrong with each field, by the field's name; nothing where it is not a matter of fields.
    pub(super) fn faults(&self) -> Map<String, Value> {
        let faults = self.problem["detail"].as_array().into_iter().flatten();
        let named = faults.filter_map(|fault| {
            let field = fault["loc"].as_array()?.last()?.as_str()?;
            let what = fault["msg"].as_str()?;
            // Beside the field its name is said already.
            let what = what.strip_prefix(&format!("{field}: ")).unwrap_or(what);
            Some((field.to_owned(), what.into()))
        });
        named.collect()
    }

    /// Whether the thing was changed since it was shown.
    pub(super) fn is_outdated(&self) -> bool {
        self.status == StatusCode::PRECONDITION_FAILED
    }

    /// Whether whoever filled in a form can mend it: what they filled in is shown again.
    pub(super) fn can_be_mended(&self) -> bool {
        self.status.is_client_error() && self.status != StatusCode::UNAUTHORIZED
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
        headers.extend(*self.headers);
        headers.insert(CONTENT_TYPE, html);
        render::protect(headers);
        answer
    }
}
