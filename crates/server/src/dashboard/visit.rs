//! Somebody who looks at a page.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::{
    ACCEPT, ACCEPT_LANGUAGE, AUTHORIZATION, COOKIE, FORWARDED, HOST, HeaderName, ORIGIN, USER_AGENT,
};
use axum::http::request::{Builder, Parts};
use axum::http::{HeaderMap, Method, Request, StatusCode, Uri};
use serde_json::Value;

use super::Dashboard;
use super::failure::Failure;
use crate::http::Peer;

/// What the API is told of whoever looks: by what they are known, from where they come, and that a page of ours asks.
const PASSED_ON: [HeaderName; 16] = [
    ACCEPT_LANGUAGE,
    AUTHORIZATION,
    COOKIE,
    FORWARDED,
    HOST,
    ORIGIN,
    USER_AGENT,
    HeaderName::from_static("sec-fetch-site"),
    HeaderName::from_static("sec-purpose"),
    HeaderName::from_static("x-admin-token"),
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("x-csrf-token"),
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-real-ip"),
];

/// Somebody who looks at a page, and may.
#[derive(Debug)]
pub(super) struct Visit {
    headers: HeaderMap,
    /// From where they come. Nothing else of their request is passed on: least of all what our router read out of the path.
    peer: Option<Peer>,
    /// The page, with its query.
    pub(super) uri: Uri,
    /// What `/api/v1/me` says of them.
    pub(super) me: Value,
}

impl Visit {
    /// A request to the API by whoever looks.
    ///
    /// # Errors
    /// A path that is none.
    pub(super) fn request(&self, method: Method, path: &str) -> Result<Builder, Failure> {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(headers) = request.headers_mut() {
            headers.clone_from(&self.headers);
        }
        if let Some((peer, extensions)) = self.peer.zip(request.extensions_mut()) {
            extensions.insert(peer);
        }
        Ok(request)
    }

    /// Whether htmx asks, for a part of a page.
    pub(super) fn wants_part(&self) -> bool {
        is_part(&self.headers)
    }

    /// Whether they came as people do: with a browser, that wants a page, and nothing to be known by but a cookie.
    pub(super) fn is_in_person(&self) -> bool {
        let known = ["authorization", "x-admin-token", "x-api-key"];
        let wants = self
            .headers
            .get(ACCEPT)
            .and_then(|kinds| kinds.to_str().ok());
        !known.iter().any(|name| self.headers.contains_key(*name))
            && (self.wants_part() || wants.is_some_and(|kinds| kinds.contains("text/html")))
    }

    /// Somebody who may change numbers: a page with nothing but a form for that is of no use to others.
    ///
    /// # Errors
    /// Somebody who may not.
    pub(super) fn may_change(&self) -> Result<(), Failure> {
        if self.me["role"] == "operator" || self.me["role"] == "admin" {
            return Ok(());
        }
        let why = "Operator role required";
        Err(Failure::of(self, StatusCode::FORBIDDEN, why))
    }

    /// The query of the page, as it was given.
    pub(super) fn query(&self) -> &str {
        self.uri.query().unwrap_or_default()
    }
}

fn is_part(headers: &HeaderMap) -> bool {
    headers.contains_key(HTMX) && !headers.contains_key(HTMX_HISTORY)
}

const HTMX: HeaderName = HeaderName::from_static("hx-request");
/// A whole page is wanted, for the browser's way back.
const HTMX_HISTORY: HeaderName = HeaderName::from_static("hx-history-restore-request");

impl FromRequestParts<Arc<Dashboard>> for Visit {
    type Rejection = Failure;

    async fn from_request_parts(
        parts: &mut Parts,
        dashboard: &Arc<Dashboard>,
    ) -> Result<Self, Failure> {
        let kept = [ACCEPT, HTMX, HTMX_HISTORY];
        let mut headers = HeaderMap::new();
        for name in PASSED_ON.iter().chain(&kept) {
            for value in parts.headers.get_all(name) {
                headers.append(name, value.clone());
            }
        }
        let mut visit = Self {
            headers,
            peer: parts.extensions.get::<Peer>().copied(),
            uri: parts.uri.clone(),
            me: Value::Null,
        };
        visit.me = dashboard.api.get(&visit, "/api/v1/me").await?;
        if visit.me["role"] == "dialer" {
            let why = "Viewer role required: a dialer sees no page";
            return Err(Failure::of(&visit, StatusCode::FORBIDDEN, why));
        }
        Ok(visit)
    }
}
