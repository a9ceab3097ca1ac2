//! Who asks: the other end of the connection, and what they may.
//!
//! As an argument of a handler, [`Viewer`], [`Operator`], [`Admin`] and [`Dialer`] refuse everybody else, before the body is
//! read. Each carries who it is: `Operator(who): Operator`, then `&who.author`.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use caller_id_core::roles::Role;

use super::session::SignedIn;
use super::{Api, ApiError};
use crate::auth::address::Client;
use crate::auth::{Principal, Refusal, Visitor};

/// The address of the other end of the connection. The accept loop puts it into each request.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

impl Peer {
    /// The peer of a request. One that the accept loop did not mark comes from nowhere that any list could have.
    pub fn of(parts: &Parts) -> Self {
        let nowhere = Self(IpAddr::from([0, 0, 0, 0]));
        parts.extensions.get::<Self>().copied().unwrap_or(nowhere)
    }
}

/// From where, as far as can be known.
pub(super) fn client(api: &Api, headers: &HeaderMap, Peer(peer): Peer) -> Option<IpAddr> {
    Client::of(peer, headers, &api.access.trusted_proxies).address()
}

/// Somebody who may see.
#[derive(Debug)]
pub struct Viewer(pub Principal);

/// A program that may measure the service, or a viewer.
#[derive(Debug)]
pub struct Monitor;

/// Somebody who may change numbers, campaigns and reservations.
#[derive(Debug)]
pub struct Operator(pub Principal);

/// Somebody who may do everything.
#[derive(Debug)]
pub struct Admin(pub Principal);

/// An operator where the service that this one replaces asks for an admin: others are refused in its words.
#[derive(Debug)]
pub struct FormerAdmin(pub Principal);

/// A dialer, or an admin.
#[derive(Debug)]
pub struct Dialer(pub Principal);

/// A dialer, or an operator.
#[derive(Debug)]
pub struct DialerOrOperator(pub Principal);

/// What somebody asks with.
pub(super) fn visitor<'a>(parts: &'a Parts, api: &Api) -> Visitor<'a> {
    Visitor {
        peer: Peer::of(parts).0,
        headers: &parts.headers,
        now: api.clock.now(),
    }
}

/// Whether somebody asks who may what `needed` may: by what the headers have, else by a session.
async fn person(parts: &Parts, api: &Api, needed: Role) -> Result<Principal, ApiError> {
    if let Some(known) = SignedIn::find_safe(parts, api).await? {
        return match known.principal.role.may(needed) {
            true => Ok(known.principal),
            false => Err(Refusal::RoleRequired(needed).into()),
        };
    }
    let ask = || api.access.person(&visitor(parts, api), needed);
    Ok(match ask() {
        Err(refusal) if api.access.learns(&refusal).await => ask(),
        asked => asked,
    }?)
}

/// Whether a dialer asks, or somebody who may what `also` may.
pub(super) async fn dialer(parts: &Parts, api: &Api, also: &[Role]) -> Result<Principal, ApiError> {
    let ask = || api.access.dialer_or(&visitor(parts, api), also);
    Ok(match ask() {
        Err(refusal) if api.access.learns(&refusal).await => ask(),
        asked => asked,
    }?)
}

impl FromRequestParts<Arc<Api>> for Viewer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, ApiError> {
        person(parts, api, Role::Viewer).await.map(Self)
    }
}

impl FromRequestParts<Arc<Api>> for Monitor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, ApiError> {
        if api.access.is_monitor(&visitor(parts, api)) {
            return Ok(Self);
        }
        person(parts, api, Role::Viewer).await.map(|_| Self)
    }
}

impl FromRequestParts<Arc<Api>> for Operator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, ApiError> {
        person(parts, api, Role::Operator).await.map(Self)
    }
}

impl FromRequestParts<Arc<Api>> for Admin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, ApiError> {
        person(parts, api, Role::Admin).await.map(Self)
    }
}

impl FromRequestParts<Arc<Api>> for FormerAdmin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, ApiError> {
        let operator = person(parts, api, Role::Operator).await;
        operator.map(Self).map_err(|error| match error {
            ApiError::Refused(Refusal::RoleRequired(_)) => {
                Refusal::RoleRequired(Role::Admin).into()
            }
            error => error,
        })
    }
}

impl FromRequestParts<Arc<Api>> for Dialer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, ApiError> {
        dialer(parts, api, &[]).await.map(Self)
    }
}

impl FromRequestParts<Arc<Api>> for DialerOrOperator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, ApiError> {
        let signed_in = SignedIn::find_safe(parts, api).await;
        match signed_in {
            Ok(Some(known)) if known.principal.role.may(Role::Operator) => {
                return Ok(Self(known.principal));
            }
            // Who is signed in is known, so it is not a key that is missing.
            Ok(Some(_)) => {
                let dialer = dialer(parts, api, &[Role::Operator]).await;
                let refusal = Refusal::RoleRequired(Role::Operator);
                return dialer.map(Self).map_err(|_| refusal.into());
            }
            // A page of others is refused, also where a dialer beside it needs nothing to be known by.
            Err(error @ ApiError::Refused(Refusal::Forged(_))) => return Err(error),
            // Nobody can tell who else it is: only a dialer that needs nothing to be known by goes on.
            Err(error @ ApiError::Store(_)) => {
                let dialer = dialer(parts, api, &[]).await;
                return dialer.map(Self).map_err(|_| error);
            }
            _ => {}
        }
        dialer(parts, api, &[Role::Operator]).await.map(Self)
    }
}
