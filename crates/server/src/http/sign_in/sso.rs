//! `/sign-in/sso`: over the identity provider.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::Method;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use caller_id_core::roles::{Role, SignedInBy};

use super::super::cookie::PENDING;
use super::super::peer::visitor;
use super::super::query::Query;
use super::super::session::line;
use super::super::{Api, ApiError};
use super::page::Page;
use super::return_to::ReturnTo;
use super::{SOMEBODY, admit, go, is_guess, note_refusal};
use crate::auth::Refusal;
use crate::auth::oidc::pending::{LASTS_MS, Pending};
use crate::auth::oidc::{Failure, Provider};
use crate::auth::sessions::SessionSecret;
use crate::auth::sign_in::Entrant;

/// Sends the browser to the identity provider.
#[utoipa::path(get, path = "/sign-in/sso", tag = "sign-in",
    params(("return_to" = Option<String>, Query, description = "Where to go then: a path of this service")),
    responses((status = 303, description = "Location is the provider's page"),
        (status = 403, description = "A page: the browser only looked ahead", body = String, content_type = "text/html"),
        (status = 404, description = "A page: there is no provider", body = String, content_type = "text/html"),
        (status = 503, description = "A page: the provider cannot be asked", body = String, content_type = "text/html")))]
pub async fn begin(State(api): State<Arc<Api>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let return_to = ReturnTo::of(&parts);
    let begun = send(&parts, &api, &return_to).await;
    begun.unwrap_or_else(|error| Page::failed(&error, &return_to).into_response())
}

/// Where the identity provider sends the browser back to.
#[utoipa::path(get, path = "/sign-in/sso/callback", tag = "sign-in",
    params(("state" = Option<String>, Query, description = "What the sign-in began with"),
        ("code" = Option<String>, Query, description = "What the provider gives an ID token for"),
        ("iss" = Option<String>, Query, description = "Who sends the browser back"),
        ("error" = Option<String>, Query, description = "Why the provider gives no code"),
        ("error_description" = Option<String>, Query, description = "The same for people")),
    responses((status = 303, description = "Signed in: Location says where to go on"),
        (status = 403, description = "A page: refused", body = String, content_type = "text/html"),
        (status = 404, description = "A page: there is no provider", body = String, content_type = "text/html"),
        (status = 429, description = "A page: refused too often", body = String, content_type = "text/html"),
        (status = 503, description = "A page: the provider cannot be asked", body = String, content_type = "text/html")))]
pub async fn callback(State(api): State<Arc<Api>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let taken = take(&parts, &api).await;
    taken.unwrap_or_else(|(error, return_to)| {
        let mut page = Page::failed(&error, &return_to).into_response();
        // A code is good once: what is left of this sign-in is worth nothing.
        if !matches!(
            error,
            ApiError::NoMethod | ApiError::Refused(Refusal::Forged(_))
        ) {
            PENDING.forget(page.headers_mut(), line(&parts, &api));
        }
        page
    })
}

async fn send(parts: &Parts, api: &Api, return_to: &ReturnTo) -> Result<Response, ApiError> {
    let provider = provider(parts, api)?;
    let now = api.clock.now();
    let pending = Pending::begin(return_to.as_str().to_owned(), now);
    let place = provider.begin(&pending).await.map_err(failed)?;
    let mut answer = go(&place);
    let kept = pending.seal(&api.sign_in.cookie_key);
    PENDING.set(
        answer.headers_mut(),
        line(parts, api),
        &kept,
        LASTS_MS / 1_000,
    );
    Ok(answer)
}

/// Takes the browser back.
async fn take(parts: &Parts, api: &Api) -> Result<Response, (ApiError, ReturnTo)> {
    let nowhere = |error| (error, ReturnTo::default());
    let provider = provider(parts, api).map_err(nowhere)?;
    let kept = PENDING.read(&parts.headers, line(parts, api));
    let key = &api.sign_in.cookie_key;
    let pending = kept.and_then(|kept| Pending::open(kept, key, api.clock.now()));
    let pending = pending.ok_or_else(|| {
        nowhere(ApiError::SignIn(Failure::Refused(
            "it took too long, was begun in another browser, or cookies are off".to_owned(),
        )))
    })?;
    let return_to = ReturnTo::read(Some(&pending.return_to));
    let taken = go_on(parts, api, provider, &pending, &return_to).await;
    taken.map_err(|error| (error, return_to))
}

async fn go_on(
    parts: &Parts,
    api: &Api,
    provider: &Provider,
    pending: &Pending,
    return_to: &ReturnTo,
) -> Result<Response, ApiError> {
    let at = visitor(parts, api);
    let brought = match brought(parts, pending) {
        Ok(brought) => brought,
        Err(why) => return Err(refused(parts, api, None, why).await),
    };
    // Who brings what the provider answered is let in whatever others at the address did: nobody finds a code by trying.
    api.access.begin_exchange(&at)?;
    let exchange = provider.finish(pending, &brought.code, brought.issuer.as_deref(), at.now);
    let person = match exchange.await {
        Ok(person) => person,
        Err(failure @ Failure::Away(_)) => {
            api.access.exchanged(&at);
            return Err(failed(failure));
        }
        Err(Failure::Refused(why)) => return Err(refused(parts, api, None, why).await),
    };
    if let Err(refusal) = api.access.check_place(&at) {
        let why = refusal.to_string();
        refused(parts, api, Some(&person.name), why).await;
        return Err(refusal.into());
    }
    let role = person.role.filter(|role| *role != Role::Dialer);
    let Some(role) = role else {
        let why = format!(
            "`{}` is known to the provider, and has no role here: nothing in the claim `{}` is in OIDC_ROLE_MAP. \
             An admin of the provider can add them to a group that is",
            person.name,
            provider.role_claim()
        );
        return Err(refused(parts, api, Some(&person.name), why).await);
    };
    api.access.exchanged(&at);
    let entrant = Entrant {
        author: api.access.user(&at, person.name),
        role,
        by: SignedInBy::Provider,
        expires_at: None,
    };
    admit(parts, api, entrant, &SessionSecret::make(), return_to).await
}

/// What the browser brings from the provider.
struct Brought {
    code: String,
    /// Who sends it.
    issuer: Option<String>,
}

/// What the browser brings for this sign-in, or why it brings nothing.
fn brought(parts: &Parts, pending: &Pending) -> Result<Brought, String> {
    let query = Query::parse(parts.uri.query().unwrap_or_default().as_bytes(), "query");
    let given = |name: &str| query.get(name).ok().flatten();
    if !given("state").is_some_and(|state| pending.has_state(&state)) {
        return Err("it is not the one that this browser began (state)".to_owned());
    }
    if let Some(error) = given("error") {
        let shown = caller_id_core::text::shown;
        let more = given("error_description").map(|more| shown(&more));
        let more = more.unwrap_or_default();
        return Err(format!("the provider says {}: {more}", shown(&error)));
    }
    let code = given("code").ok_or("the provider sent no code")?;
    Ok(Brought {
        code: code.into_owned(),
        issuer: given("iss").map(|issuer| issuer.into_owned()),
    })
}

/// Counts the refusal and notes it in the audit log. Not while the address waits for having been refused too often, so that
/// nobody fills the log: who is not named is told to wait then.
async fn refused(parts: &Parts, api: &Api, name: Option<&str>, why: String) -> ApiError {
    let at = visitor(parts, api);
    match (api.access.check_sign_ins(&at), name) {
        (Err(waits), None) => return waits.into(),
        (Err(_), Some(_)) => {}
        (Ok(()), _) => {
            api.access.sign_in_failed(&at, name);
            let author = api.access.user(&at, name.unwrap_or(SOMEBODY).to_owned());
            note_refusal(api, author, &why).await;
        }
    }
    ApiError::SignIn(Failure::Refused(why))
}

/// The provider, for a browser whose user wants to go there: one that only looks ahead uses nothing up.
fn provider<'a>(parts: &Parts, api: &'a Api) -> Result<&'a Provider, ApiError> {
    if parts.method == Method::HEAD {
        return Err(ApiError::NoMethod);
    }
    if is_guess(&parts.headers) {
        return Err(Refusal::Forged("the browser only looked ahead (prefetch)").into());
    }
    let provider = api.sign_in.provider.as_deref();
    provider.ok_or_else(|| {
        ApiError::NotFound("There is no identity provider: OIDC_ISSUER is not set".to_owned())
    })
}

fn failed(failure: Failure) -> ApiError {
    ApiError::SignIn(failure)
}
