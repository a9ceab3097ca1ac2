//! API keys: made once and shown once, listed without their secrets, revoked for ever.

mod new;

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use caller_id_core::Timestamp;
use caller_id_core::roles::{ApiKey, KeyAdded, KeyId};
use serde::Serialize;
use utoipa::ToSchema;

pub use self::new::NewKeyBody;
use super::body::Object;
use super::fields::PathId;
use super::page::Parameters;
use super::{Admin, Api, ApiError};
use crate::auth::api_key::NewKey;

/// What a key is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    /// It opens.
    Active,
    /// Its end is past.
    Expired,
    /// It was revoked.
    Revoked,
}

impl KeyState {
    const ALL: [(Self, &'static str); 3] = [
        (Self::Active, "active"),
        (Self::Expired, "expired"),
        (Self::Revoked, "revoked"),
    ];

    fn of(key: &ApiKey, now: Timestamp) -> Self {
        match (key.revoked_at, key.is_good(now)) {
            (Some(_), _) => Self::Revoked,
            (None, true) => Self::Active,
            (None, false) => Self::Expired,
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|(_, word)| *word == text.trim());
        known
            .map(|(state, _)| state)
            .ok_or_else(|| "state: expected active, expired or revoked".to_owned())
    }
}

/// A key, without anything that opens.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeyBody {
    /// Its public part: 12 letters and digits.
    #[schema(example = "4fQ0cT9yZk1B")]
    id: String,
    /// What people call it, and the audit log.
    #[schema(example = "dialer east")]
    name: String,
    /// viewer, operator, admin or dialer.
    #[schema(example = "dialer")]
    role: &'static str,
    /// active, expired or revoked.
    state: KeyState,
    /// From where it may be used; empty = from everywhere.
    #[schema(example = json!(["10.0.0.0/8", "2001:db8::/32"]))]
    addresses: Vec<String>,
    /// For which campaigns a dialer may ask; empty = for all.
    #[schema(example = json!(["SOLAR"]))]
    campaigns: Vec<String>,
    /// When it was made.
    #[schema(example = "2026-11-22T12:00:00.000000Z")]
    created_at: String,
    /// By whom.
    #[schema(example = "admin")]
    created_by: String,
    /// From when it is worth nothing; null = never.
    #[schema(example = "2027-11-22T12:00:00.000000Z")]
    expires_at: Option<String>,
    /// When it was revoked.
    revoked_at: Option<String>,
    /// When it was last used, some seconds exact.
    last_used_at: Option<String>,
}

impl KeyBody {
    fn new(key: &ApiKey, now: Timestamp) -> Self {
        let instant = |at: Option<Timestamp>| at.map(|at| at.to_string());
        Self {
            id: key.id.to_string(),
            name: key.name.clone(),
            role: key.role.as_str(),
            state: KeyState::of(key, now),
            addresses: key.addresses.clone(),
            campaigns: key.campaigns.iter().map(ToString::to_string).collect(),
            created_at: key.created_at.to_string(),
            created_by: key.created_by.clone(),
            expires_at: instant(key.expires_at),
            revoked_at: instant(key.revoked_at),
            last_used_at: instant(key.last_used_at),
        }
    }
}

/// All keys.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeyList {
    /// In the order they were made.
    keys: Vec<KeyBody>,
}

/// A key that was just made.
#[derive(Debug, Serialize, ToSchema)]
pub struct MadeKeyBody {
    #[serde(flatten)]
    kept: KeyBody,
    /// The whole key. It is shown here and never again: only its hash is kept.
    #[schema(example = "cid_4fQ0cT9yZk1B_3tm0d1Jr0bXqTt3o0hYw8bqj9m3yS7m2aXl1pQbVd0E")]
    key: String,
}

/// All API keys, in the order they were made, never with what opens.
#[utoipa::path(get, path = "/api/v1/keys", tag = "administration", security(("admin_token" = []), ("bearer" = [])),
    params(("state" = Option<String>, Query, description = "Only these: active, expired or revoked; several with commas")),
    responses(
        (status = 200, description = "The keys", body = KeyList),
        (status = 422, description = "A parameter cannot be understood", body = super::openapi::ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The store is not available", body = super::openapi::ProblemBody, content_type = "application/problem+json"),
    ))]
pub async fn list(
    State(api): State<Arc<Api>>,
    _admin: Admin,
    RawQuery(query): RawQuery,
) -> Result<Json<KeyList>, ApiError> {
    let mut parameters = Parameters::new(query.as_deref(), &["state"]);
    let states = parameters.many("state", KeyState::parse);
    parameters.finish()?;
    let now = api.clock.now();
    let keys = api.keys.keys().await?;
    let keys = keys.iter().map(|key| KeyBody::new(key, now));
    let asked = |key: &KeyBody| states.is_empty() || states.contains(&key.state);
    Ok(Json(KeyList {
        keys: keys.filter(asked).collect(),
    }))
}

/// Makes an API key. The answer is the only place where all of it is ever shown.
#[utoipa::path(post, path = "/api/v1/keys", tag = "administration", security(("admin_token" = []), ("bearer" = [])),
    request_body = NewKeyBody,
    responses(
        (status = 201, description = "The key, whole for this once", body = MadeKeyBody),
        (status = 409, description = "A key that is not revoked has the name", body = super::openapi::ProblemBody, content_type = "application/problem+json"),
        (status = 408, description = "The body did not come in time", body = super::openapi::ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = super::openapi::ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "The body says to be something else than JSON", body = super::openapi::ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "Fields are missing, unknown or wrong; each is named", body = super::openapi::ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The store is not available", body = super::openapi::ProblemBody, content_type = "application/problem+json"),
    ))]
pub async fn make(
    State(api): State<Arc<Api>>,
    Admin(who): Admin,
    Object(members): Object,
) -> Result<(StatusCode, Json<MadeKeyBody>), ApiError> {
    let now = api.clock.now();
    let wanted = new::read(members, now)?;
    let new = NewKey::make();
    let key = ApiKey {
        id: new.id,
        name: wanted.name,
        role: wanted.role,
        hash: new.hash,
        addresses: wanted.addresses,
        campaigns: wanted.campaigns,
        created_at: now,
        created_by: who.author.name.clone(),
        expires_at: wanted.expires_at,
        revoked_at: None,
        last_used_at: None,
    };
    let kept = KeyBody::new(&key, now);
    match api.keys.add(key, &who.author).await? {
        KeyAdded::Added => {}
        KeyAdded::NameTaken => {
            let by = format!(
                "A key that is not revoked has the name `{}`: revoke it, or choose another name",
                kept.name
            );
            return Err(ApiError::InUse(by));
        }
    }
    let key = new.text.reveal().to_owned();
    Ok((StatusCode::CREATED, Json(MadeKeyBody { kept, key })))
}

/// One API key, never with what opens.
#[utoipa::path(get, path = "/api/v1/keys/{id}", tag = "administration", security(("admin_token" = []), ("bearer" = [])),
    params(("id" = String, Path, description = "The public part of the key, between `cid_` and the next `_`")),
    responses(
        (status = 200, description = "The key", body = KeyBody),
        (status = 404, description = "There is none with this id", body = super::openapi::ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "The path is not UTF-8", body = super::openapi::ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The store is not available", body = super::openapi::ProblemBody, content_type = "application/problem+json"),
    ))]
pub async fn show(
    State(api): State<Arc<Api>>,
    _admin: Admin,
    PathId(id): PathId,
) -> Result<Json<KeyBody>, ApiError> {
    find(&api, &id).await.map(Json)
}

/// Revokes an API key, for ever: it is worth nothing on this node at once, on others within a second. A key that is revoked
/// already stays as it is. An admin may revoke the key they ask with; the admin token of the settings goes on to open.
#[utoipa::path(delete, path = "/api/v1/keys/{id}", tag = "administration", security(("admin_token" = []), ("bearer" = [])),
    params(("id" = String, Path, description = "The public part of the key, between `cid_` and the next `_`")),
    responses(
        (status = 200, description = "It is revoked", body = KeyBody),
        (status = 404, description = "There is none with this id", body = super::openapi::ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "The path is not UTF-8", body = super::openapi::ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The store is not available", body = super::openapi::ProblemBody, content_type = "application/problem+json"),
    ))]
pub async fn revoke(
    State(api): State<Arc<Api>>,
    Admin(who): Admin,
    PathId(id): PathId,
) -> Result<Json<KeyBody>, ApiError> {
    // What cannot be an id is none: PostgreSQL would refuse a text with U+0000.
    find(&api, &id).await?;
    let key = KeyId(id.clone());
    let revoked = api.keys.revoke(&key, api.clock.now(), &who.author);
    match revoked.await? {
        true => find(&api, &id).await.map(Json),
        false => Err(no_key(&id)),
    }
}

async fn find(api: &Api, id: &str) -> Result<KeyBody, ApiError> {
    let keys = api.keys.keys().await?;
    let key = keys.iter().find(|key| key.id.0 == id);
    let key = key.ok_or_else(|| no_key(id))?;
    Ok(KeyBody::new(key, api.clock.now()))
}

fn no_key(id: &str) -> ApiError {
    ApiError::no_such("key", &caller_id_core::text::shown(id))
}
