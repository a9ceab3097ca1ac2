//! `GET /api/v1/me`: who asks.

use std::sync::Arc;

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use caller_id_core::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::peer::visitor;
use super::session::SignedIn;
use super::{Api, ApiError};
use crate::auth::Principal;

/// Whoever is known, by whatever means.
#[derive(Debug)]
pub struct Anybody {
    principal: Principal,
    expires_at: Option<Timestamp>,
    csrf_token: Option<String>,
}

impl FromRequestParts<Arc<Api>> for Anybody {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, ApiError> {
        if let Some(known) = SignedIn::find(parts, api).await? {
            return Ok(Self {
                principal: known.principal,
                expires_at: Some(known.session.expires_at),
                csrf_token: Some(known.secret.forgery_token()),
            });
        }
        let ask = || api.access.anybody(&visitor(parts, api));
        let (principal, expires_at) = match ask() {
            Err(refusal) if api.access.learns(&refusal).await => ask(),
            asked => asked,
        }?;
        Ok(Self {
            principal,
            expires_at,
            csrf_token: None,
        })
    }
}

/// Who asks.
#[derive(Debug, Serialize, ToSchema)]
pub struct MeBody {
    /// What the audit log calls them.
    name: String,
    /// By what they are known: token, key or user.
    #[schema(example = "user")]
    kind: &'static str,
    /// What they may do: viewer, operator, admin or dialer.
    #[schema(example = "operator")]
    role: &'static str,
    /// When the session, or the key, is worth nothing any more; null = never, or nobody knows.
    #[schema(format = DateTime, nullable)]
    expires_at: Option<String>,
    /// To be sent in X-CSRF-Token with everything but GET, by those who came with a session's cookie; null for others.
    #[schema(nullable)]
    csrf_token: Option<String>,
}

/// Who asks, what they may, and until when.
#[utoipa::path(get, path = "/api/v1/me", tag = "sign-in", security(("admin_token" = []), ("bearer" = [])),
    responses((status = 200, body = MeBody)))]
pub async fn me(somebody: Anybody) -> Json<MeBody> {
    let author = somebody.principal.author;
    Json(MeBody {
        name: author.name,
        kind: author.kind.as_str(),
        role: somebody.principal.role.as_str(),
        expires_at: somebody.expires_at.map(|at| at.to_string()),
        csrf_token: somebody.csrf_token,
    })
}
