//! Who asks: the other end of the connection, and whether it is an admin.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;

use super::{Api, ApiError};
use crate::auth::address::Client;

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

/// Who asks, as far as can be known.
pub(super) fn client(api: &Api, headers: &HeaderMap, Peer(peer): Peer) -> Option<IpAddr> {
    Client::of(peer, headers, &api.access.trusted_proxies).address()
}

/// An admin asks. As an argument of a handler it refuses everybody else, before the body is read.
#[derive(Debug, Clone, Copy)]
pub struct Admin;

impl FromRequestParts<Arc<Api>> for Admin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, ApiError> {
        let Peer(peer) = Peer::of(parts);
        api.access.admin(peer, &parts.headers, api.clock.now())?;
        Ok(Self)
    }
}

/// A dialer asks, or an admin.
#[derive(Debug, Clone, Copy)]
pub struct Dialer;

impl FromRequestParts<Arc<Api>> for Dialer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, ApiError> {
        let Peer(peer) = Peer::of(parts);
        api.access.dialer(peer, &parts.headers, api.clock.now())?;
        Ok(Self)
    }
}
