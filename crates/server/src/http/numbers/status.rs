//! What people do with one number most: take it out, bring it back, let it rest.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use caller_id_core::listing::NumberPatch;
use caller_id_core::{Status, Timestamp};
use serde::Deserialize;
use utoipa::ToSchema;

use super::body::NumberShown;
use super::one::{PathNumber, patched};
use crate::http::body::Object;
use crate::http::etag::Precondition;
use crate::http::fields::{Fields, Given};
use crate::http::{Api, ApiError, Operator};

/// Most minutes that a number rests when minutes are said: a year.
const MINUTES_MOST: u32 = 366 * 24 * 60;
const MINUTE_MS: i64 = 60_000;

/// How long a number rests: one of these.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"minutes": 90}))]
#[expect(dead_code, reason = "describes the body; it is read field by field")]
pub struct Rest {
    /// Until this instant (RFC 3339), which is still to come.
    until: Option<String>,
    /// For so many minutes from now.
    #[schema(minimum = 1, maximum = 527040)]
    minutes: Option<u32>,
}

macro_rules! action {
    ($(#[$doc:meta])* $name:ident, $path:literal, $status:expr) => {
        $(#[$doc])*
        #[utoipa::path(post, path = $path, tag = "inventory", security(("admin_token" = []), ("bearer" = [])),
            params(
                ("number" = String, Path, description = "In any form", example = "+13125550100"),
                ("If-Match" = Option<String>, Header, description = "The ETag of what was seen"),
            ),
            responses(
                (status = 200, description = "As it is now", body = NumberShown, headers(("ETag" = String, description = "For If-Match"))),
                (status = 404, description = "There is none", body = crate::http::openapi::ProblemBody),
                (status = 412, description = "It is not what was seen", body = crate::http::openapi::ProblemBody),
                (status = 422, description = "The path has no number", body = crate::http::openapi::ProblemBody),
                (status = 503, description = "The store failed, or it is changed and not in force yet", body = crate::http::openapi::ProblemBody),
            ))]
        pub async fn $name(
            State(api): State<Arc<Api>>,
            Operator(who): Operator,
            PathNumber(number): PathNumber,
            condition: Precondition,
        ) -> Result<Response, ApiError> {
            let patch = NumberPatch { status: Some($status), ..NumberPatch::default() };
            patched(&api, number, patch, (&condition, &who.author)).await
        }
    };
}

action!(
    /// Takes a number out until somebody brings it back.
    pause, "/api/v1/numbers/{number}/pause", Status::Paused);
action!(
    /// Brings a number back, whatever it was.
    resume, "/api/v1/numbers/{number}/resume", Status::Active);
action!(
    /// Says that a number is ours no longer. It is kept for its history.
    retire, "/api/v1/numbers/{number}/retire", Status::Retired);

/// Lets a number rest, after which it is active by itself.
#[utoipa::path(post, path = "/api/v1/numbers/{number}/rest", tag = "inventory", security(("admin_token" = []), ("bearer" = [])),
    params(
        ("number" = String, Path, description = "In any form", example = "+13125550100"),
        ("If-Match" = Option<String>, Header, description = "The ETag of what was seen"),
    ),
    request_body = Rest,
    responses(
        (status = 200, description = "As it is now", body = NumberShown, headers(("ETag" = String, description = "For If-Match"))),
        (status = 404, description = "There is none", body = crate::http::openapi::ProblemBody),
        (status = 412, description = "It is not what was seen", body = crate::http::openapi::ProblemBody),
        (status = 413, description = "The body is too large", body = crate::http::openapi::ProblemBody),
        (status = 415, description = "The body says to be something else", body = crate::http::openapi::ProblemBody),
        (status = 422, description = "Neither an instant to come nor minutes, or both", body = crate::http::openapi::ProblemBody),
        (status = 503, description = "The store failed, or it is changed and not in force yet", body = crate::http::openapi::ProblemBody),
    ))]
pub async fn rest(
    State(api): State<Arc<Api>>,
    Operator(who): Operator,
    PathNumber(number): PathNumber,
    condition: Precondition,
    Object(members): Object,
) -> Result<Response, ApiError> {
    let until = until(Fields::new(members), api.clock.now())?;
    let patch = NumberPatch {
        status: Some(Status::Resting(until)),
        ..NumberPatch::default()
    };
    patched(&api, number, patch, (&condition, &who.author)).await
}

fn until(mut fields: Fields, now: Timestamp) -> Result<Timestamp, ApiError> {
    fields.only(&["until", "minutes"]);
    let until = fields.text("until", |text| match text.trim().parse::<Timestamp>() {
        Ok(until) if until <= now => {
            Err("until: an instant that is still to come is expected".to_owned())
        }
        read => read,
    });
    let minutes = fields.count("minutes", 1, MINUTES_MOST);
    let until = match (until, minutes) {
        (Given::Value(until), Given::Missing | Given::Null) => Some(until),
        (Given::Missing | Given::Null, Given::Value(minutes)) => {
            Some(now.plus_ms(i64::from(minutes) * MINUTE_MS))
        }
        _ => None,
    };
    if until.is_none() && !fields.has_fault("until") && !fields.has_fault("minutes") {
        let why = "until: an instant, or `minutes`, and not both, is expected";
        fields.fault("until", why.to_owned());
    }
    fields.finish()?;
    until.ok_or(ApiError::Invalid(Vec::new()))
}
