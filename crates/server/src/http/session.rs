//! Who comes with a session's cookie, and whether a page of ours made the request.

use axum::http::header::{HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use caller_id_core::roles::Session;

use super::cookie::{Line, SESSION};
use super::peer::visitor;
use super::{Api, ApiError};
use crate::auth::sessions::SessionSecret;
use crate::auth::sign_in::has_credential;
use crate::auth::{Principal, Refusal};

/// The header by which a page of ours shows that it is.
const PROOF_HEADER: &str = "x-csrf-token";

/// Somebody who is signed in.
#[derive(Debug)]
pub struct SignedIn {
    /// Who.
    pub principal: Principal,
    /// What is kept of it.
    pub session: Session,
    /// The value of the cookie.
    pub secret: SessionSecret,
}

impl SignedIn {
    /// Who comes with a cookie and nothing else to be known by; none where there is no cookie.
    ///
    /// # Errors
    /// A session that has ended, or the store that does not say.
    pub async fn find(parts: &Parts, api: &Api) -> Result<Option<Self>, ApiError> {
        if has_credential(&parts.headers) {
            return Ok(None);
        }
        let visitor = visitor(parts, api);
        let given = SESSION.read(&parts.headers, line(parts, api));
        let Some(secret) = given.and_then(SessionSecret::read) else {
            return Ok(None);
        };
        let found = api.sign_in.sessions.find(&secret, visitor.now).await?;
        let session = found.ok_or(Refusal::Worthless("the session has ended"))?;
        let principal = api.access.session(&visitor, &secret, &session)?;
        Ok(Some(Self {
            principal,
            session,
            secret,
        }))
    }

    /// The same where a request may change something: only what a page of ours made counts.
    ///
    /// # Errors
    /// As [`SignedIn::find`]; [`Refusal::Forged`].
    pub async fn find_safe(parts: &Parts, api: &Api) -> Result<Option<Self>, ApiError> {
        let found = Self::find(parts, api).await?;
        if let Some(known) = &found
            && !is_safe(&parts.method)
        {
            check_origin(parts, api)?;
            let given = parts.headers.get(PROOF_HEADER);
            let given = given.ok_or(Refusal::Forged("the header X-CSRF-Token is missing"))?;
            if !known.secret.has_forgery_token(given.as_bytes()) {
                return Err(Refusal::Forged("X-CSRF-Token is not this session's").into());
            }
        }
        Ok(found)
    }
}

/// How the browser came.
pub fn line(parts: &Parts, api: &Api) -> Line {
    match api.access.is_by_tls(&visitor(parts, api)) {
        true => Line::Encrypted,
        false => Line::Open,
    }
}

/// Whether a page of this very host made the request, as far as the browser says.
///
/// # Errors
/// [`Refusal::Forged`].
pub fn check_origin(parts: &Parts, api: &Api) -> Result<(), Refusal> {
    let headers = &parts.headers;
    if let Some(site) = text(headers, "sec-fetch-site") {
        return match site {
            "same-origin" | "none" => Ok(()),
            _ => Err(Refusal::Forged("Sec-Fetch-Site is not same-origin")),
        };
    }
    let Some(origin) = text(headers, ORIGIN.as_str()) else {
        return Ok(());
    };
    let is_public = api.sign_in.origin.as_deref() == Some(origin);
    let host = origin.split_once("://").map(|(_, host)| host);
    let is_asked = host
        .zip(text(headers, HOST.as_str()))
        .is_some_and(|(ours, asked)| ours.eq_ignore_ascii_case(asked));
    match is_public || is_asked {
        true => Ok(()),
        false => Err(Refusal::Forged("Origin is not this host")),
    }
}

/// Whether the browser asks before anybody followed a link.
pub fn is_guess(headers: &HeaderMap) -> bool {
    let says = |name| text(headers, name).is_some_and(|value| value.contains("prefetch"));
    says("sec-purpose") || says("purpose") || says("x-moz")
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// A header that is no text is one that says something else.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get(name)
        .map(|value| value.to_str().unwrap_or("unreadable"))
}
