//! Where people sign in and out: `/sign-in`, `/sign-out`.

mod page;
mod return_to;
mod sso;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, HeaderValue, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use caller_id_core::audit::{AuditEvent, AuditLog, Author};
use caller_id_core::roles::{KeyStore, Session};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use self::page::Page;
use self::return_to::ReturnTo;
use super::body::{is_form, read};
use super::cookie::{FORM, PENDING, SESSION};
use super::peer::visitor;
use super::query::Query;
use super::session::{SignedIn, check_origin, is_guess, line};
use super::{Api, ApiError};
use crate::auth::Refusal;
use crate::auth::oidc::Provider;
use crate::auth::sessions::{SessionSecret, Sessions};
use crate::auth::sign_in::{Entrant, account};

pub use self::sso::{__path_begin, __path_callback, begin, callback};

/// So long the form may stay open, in seconds: a day.
const FORM_LASTS_S: i64 = 86_400;
const HALF_A_DAY_MS: i64 = 43_200_000;
/// Whom the audit log names when somebody gave what is nobody's.
const SOMEBODY: &str = "somebody";
/// What the sign-in page's form proves that it is ours with.
const PROOF_FIELD: &str = "csrf_token";

/// What signing in works with.
pub struct SignIn {
    /// Who is signed in.
    pub sessions: Sessions,
    /// With what cookies are signed.
    pub cookie_key: [u8; 32],
    /// The identity provider, where there is one.
    pub provider: Option<Arc<Provider>>,
    /// Where browsers reach us: scheme, host and port, where that is said.
    pub origin: Option<String>,
    /// How long a session lasts, in milliseconds.
    pub session_ms: i64,
    /// Keeper of the audit log.
    pub audit: Arc<dyn AuditLog>,
}

impl SignIn {
    /// By token and API key alone, for half a day, with cookies signed by that key.
    pub fn new(keys: Arc<dyn KeyStore>, audit: Arc<dyn AuditLog>, cookie_key: [u8; 32]) -> Self {
        Self {
            sessions: Sessions::new(keys),
            cookie_key,
            provider: None,
            origin: None,
            session_ms: HALF_A_DAY_MS,
            audit,
        }
    }
}

/// The form of the page.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body; it is read field by field")]
pub struct SignInForm {
    /// The admin token or an API key.
    token: String,
    /// That of the page.
    csrf_token: String,
    /// Where to go then: a path of this service.
    return_to: Option<String>,
}

/// The form that signs out.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body; it is read field by field")]
pub struct SignOutForm {
    /// That of the page or of `/api/v1/me`; or in the header X-CSRF-Token.
    csrf_token: Option<String>,
}

/// The routes of this file.
pub(super) fn routes() -> Router<Arc<Api>> {
    Router::new()
        .route("/sign-in", get(show).post(enter))
        .route("/sign-in/sso", get(begin))
        .route("/sign-in/sso/callback", get(callback))
        .route("/sign-out", post(leave))
}

/// The page where people sign in, and see as whom they are signed in.
#[utoipa::path(get, path = "/sign-in", tag = "sign-in",
    params(("return_to" = Option<String>, Query, description = "Where to go then: a path of this service")),
    responses((status = 200, description = "A page", body = String, content_type = "text/html"),
        (status = 503, description = "A page: the database is away", body = String, content_type = "text/html")))]
pub async fn show(State(api): State<Arc<Api>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let return_to = ReturnTo::of(&parts);
    match SignedIn::find(&parts, &api).await {
        Ok(Some(known)) => Page::signed_in(&known, &return_to).into_response(),
        Err(error @ ApiError::Store(_)) => Page::failed(&error, &return_to).into_response(),
        Ok(None) | Err(_) => form(&parts, &api, Page::ask(&return_to)),
    }
}

/// Signs in with a token or an API key, given in the form of the page.
#[utoipa::path(post, path = "/sign-in", tag = "sign-in",
    request_body(content_type = "application/x-www-form-urlencoded", content = SignInForm),
    responses((status = 303, description = "Signed in: Location says where to go on"),
        (status = 401, description = "A page: that is no token or key of ours", body = String, content_type = "text/html"),
        (status = 403, description = "A page: not from there, or not the form of our page", body = String, content_type = "text/html"),
        (status = 408, description = "The body did not come in time", body = super::openapi::ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = super::openapi::ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "A page: nothing was given", body = String, content_type = "text/html"),
        (status = 429, description = "A page: too many wrong ones", body = String, content_type = "text/html"),
        (status = 503, description = "A page: the database is away", body = String, content_type = "text/html")))]
pub async fn enter(State(api): State<Arc<Api>>, request: Request) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let body = match is_form(&parts.headers) {
        true => read(body, api.answers.body_deadline).await?,
        false => Default::default(),
    };
    let fields = Query::parse(&body, "body");
    let field = |name: &str| fields.get(name).ok().flatten();
    let return_to = ReturnTo::read(field("return_to").as_deref());
    if let Err(refusal) = check_form(&parts, &api, field(PROOF_FIELD).as_deref()) {
        let error = ApiError::from(refusal);
        return Ok(form(&parts, &api, Page::ask(&return_to).because(&error)));
    }
    let token = field("token");
    let Some(token) = token.as_deref().map(str::trim) else {
        let error = ApiError::invalid(&["body", "token"], "missing", "Give a token or a key");
        return Ok(form(&parts, &api, Page::ask(&return_to).because(&error)));
    };
    let secret = SessionSecret::make();
    let entered = api
        .access
        .enter(&visitor(&parts, &api), token.as_bytes(), &secret);
    let answer = match entered {
        Ok(entrant) => admit(&parts, &api, entrant, &secret, &return_to).await,
        Err(refusal) => {
            let name = account(token.as_bytes()).unwrap_or_else(|| SOMEBODY.to_owned());
            refuse(&parts, &api, name, &refusal).await;
            Err(refusal.into())
        }
    };
    Ok(answer.unwrap_or_else(|error| form(&parts, &api, Page::ask(&return_to).because(&error))))
}

/// Ends the session. It is worth nothing any more on this node, and within a second on others.
#[utoipa::path(post, path = "/sign-out", tag = "sign-in",
    request_body(content_type = "application/x-www-form-urlencoded", content = SignOutForm),
    responses((status = 303, description = "Nobody is signed in any more: Location is the page where to sign in"),
        (status = 403, description = "A page: not the form of our page", body = String, content_type = "text/html"),
        (status = 408, description = "The body did not come in time", body = super::openapi::ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = super::openapi::ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "A page: the database is away", body = String, content_type = "text/html")))]
pub async fn leave(State(api): State<Arc<Api>>, request: Request) -> Result<Response, ApiError> {
    let (mut parts, body) = request.into_parts();
    if is_form(&parts.headers) && !parts.headers.contains_key("x-csrf-token") {
        let body = read(body, api.answers.body_deadline).await?;
        let field = Query::parse(&body, "body").get(PROOF_FIELD).ok().flatten();
        let field = field.and_then(|text| HeaderValue::try_from(text.into_owned()).ok());
        parts.headers.extend(
            [("x-csrf-token", field)]
                .into_iter()
                .filter_map(|(name, value)| {
                    Some((axum::http::HeaderName::from_static(name), value?))
                }),
        );
    }
    let page = ReturnTo::default();
    match SignedIn::find_safe(&parts, &api).await {
        Ok(Some(known)) => {
            let ended = api
                .sign_in
                .sessions
                .end(&known.secret, &known.principal.author);
            if let Err(error) = ended.await {
                return Ok(Page::failed(&error.into(), &page).into_response());
            }
        }
        Err(error @ (ApiError::Store(_) | ApiError::Refused(Refusal::Forged(_)))) => {
            return Ok(Page::failed(&error, &page).into_response());
        }
        // Nobody was signed in.
        Ok(None) | Err(_) => {}
    }
    let mut answer = go("/sign-in");
    SESSION.forget(answer.headers_mut(), line(&parts, &api));
    Ok(answer)
}

/// Begins a session, and has the browser keep it. An older one that the browser has ends: nobody goes on with a session that
/// somebody else may have put there.
async fn admit(
    parts: &Parts,
    api: &Api,
    entrant: Entrant,
    secret: &SessionSecret,
    return_to: &ReturnTo,
) -> Result<Response, ApiError> {
    let now = api.clock.now();
    let latest = now.plus_ms(api.sign_in.session_ms);
    let expires_at = entrant.expires_at.map_or(latest, |end| end.min(latest));
    let session = Session {
        hash: secret.hash(),
        name: entrant.author.name.clone(),
        role: entrant.role,
        by: entrant.by,
        created_at: now,
        expires_at,
    };
    let sessions = &api.sign_in.sessions;
    sessions.begin(session, now, &entrant.author).await?;
    let line = line(parts, api);
    let before = SESSION
        .read(&parts.headers, line)
        .and_then(SessionSecret::read);
    if let Some(before) = before {
        sessions.end(&before, &entrant.author).await?;
    }
    let mut answer = go(return_to.as_str());
    let headers = answer.headers_mut();
    let seconds = (expires_at.ms_since(now) / 1_000).max(1);
    SESSION.set(headers, line, secret.reveal(), seconds);
    FORM.forget(headers, line);
    PENDING.forget(headers, line);
    Ok(answer)
}

/// Notes in the audit log that somebody was refused.
async fn refuse(parts: &Parts, api: &Api, name: String, why: &Refusal) {
    let at = visitor(parts, api);
    if api.access.is_told(&at, why) {
        note_refusal(api, api.access.user(&at, name), &why.to_string()).await;
    }
}

async fn note_refusal(api: &Api, author: Author, why: &str) {
    let event = AuditEvent {
        subject: author.name.clone(),
        author,
        action: "session.refuse".to_owned(),
        before: None,
        after: Some(json!({"reason": why}).to_string()),
    };
    if let Err(error) = api.sign_in.audit.add(event).await {
        tracing::warn!(%error, "a refused sign-in is not in the audit log");
    }
}

/// Whether the form is that of our page, in this browser.
fn check_form(parts: &Parts, api: &Api, given: Option<&str>) -> Result<(), Refusal> {
    check_origin(parts, api)?;
    let kept = FORM.read(&parts.headers, line(parts, api));
    let kept = kept.and_then(SessionSecret::read);
    let proven = kept.zip(given);
    if proven.is_some_and(|(kept, given)| kept.has_forgery_token(given.as_bytes())) {
        return Ok(());
    }
    Err(Refusal::Forged(
        "the form is not of this page, was open for too long, or cookies are off",
    ))
}

/// A page with the form; the browser keeps what proves that it is ours.
fn form(parts: &Parts, api: &Api, page: Page) -> Response {
    let line = line(parts, api);
    let kept = FORM
        .read(&parts.headers, line)
        .and_then(SessionSecret::read);
    // Kept where there is one, so that two open pages both work.
    let secret = kept.unwrap_or_else(SessionSecret::make);
    let sso = api
        .sign_in
        .provider
        .as_ref()
        .map(|provider| provider.host());
    let page = page.with_form(&secret.forgery_token(), sso.as_deref());
    let mut answer = page.into_response();
    FORM.set(answer.headers_mut(), line, secret.reveal(), FORM_LASTS_S);
    answer
}

/// Sends the browser elsewhere; whatever it did, it does not do it again there.
fn go(place: &str) -> Response {
    let mut headers = HeaderMap::new();
    let place = HeaderValue::try_from(place).unwrap_or(HeaderValue::from_static("/sign-in"));
    headers.insert(LOCATION, place);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    (StatusCode::SEE_OTHER, headers).into_response()
}
