//! The end of a reservation: `DELETE /api/v1/reservations/{id}` and `POST /api/v1/release`.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use caller_id_core::{AllocationId, CallEnd, CallId, ReleaseTarget};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::body::{is_form, is_json, object, read};
use super::fields::{Fields, Given, PathId};
use super::query::Query;
use super::{Api, ApiError, DialerOrOperator};

/// What `POST /api/v1/release` takes, as JSON or as a form.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body; it is read field by field")]
pub struct ReleaseBody {
    /// The dialer's id of the call, as it was given in `call`.
    call_id: Option<String>,
    /// The same under the name that `/next-cid` has for it; one of both is enough.
    call: Option<String>,
    /// How the call ended: Asterisk's DIALSTATUS.
    dialstatus: Option<String>,
}

/// What became of the reservation.
#[derive(Debug, Serialize, ToSchema)]
pub struct Released {
    /// False when there was no live reservation: released before, run out, or never known. That is no error.
    released: bool,
    /// Which one.
    reservation_id: Option<String>,
    /// When it ended (RFC 3339).
    released_at: Option<String>,
}

/// Ends the reservation with this id.
#[utoipa::path(
    delete,
    path = "/api/v1/reservations/{id}",
    tag = "dialing",
    params(
        ("id" = String, Path, description = "`reservation_id` of the answer"),
        ("dialstatus" = Option<String>, Query, description = "How the call ended: Asterisk's DIALSTATUS"),
    ),
    responses(
        (status = 200, description = "It is over, now or before", body = Released),
        (status = 401, description = "No dialer key, and the address is not allowed", body = super::openapi::ProblemBody),
        (status = 422, description = "The id or the dial status cannot be understood", body = super::openapi::ProblemBody),
    )
)]
pub async fn by_reservation(
    State(api): State<Arc<Api>>,
    _who: DialerOrOperator,
    id: PathId,
    RawQuery(query): RawQuery,
) -> Result<Json<Released>, ApiError> {
    let id = id.parse(str::parse::<AllocationId>)?;
    let query = Query::parse(query.as_deref().unwrap_or_default().as_bytes(), "query");
    let end = query
        .parsed("dialstatus", call_end)
        .map_err(|fault| ApiError::Invalid(vec![fault]))?;
    release(
        &api,
        ReleaseTarget::Reservation(id),
        end.unwrap_or_default(),
    )
    .await
}

/// Ends the reservation of this call.
#[utoipa::path(
    post,
    path = "/api/v1/release",
    tag = "dialing",
    request_body(content(
        (ReleaseBody = "application/json"),
        (ReleaseBody = "application/x-www-form-urlencoded"),
    )),
    responses(
        (status = 200, description = "It is over, now or before", body = Released),
        (status = 401, description = "No dialer key, and the address is not allowed", body = super::openapi::ProblemBody),
        (status = 422, description = "A field cannot be understood", body = super::openapi::ProblemBody),
    )
)]
pub async fn by_call(
    State(api): State<Arc<Api>>,
    _who: DialerOrOperator,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Released>, ApiError> {
    if !is_json(&headers) && !is_form(&headers) {
        return Err(ApiError::MediaType(
            "application/json or application/x-www-form-urlencoded",
        ));
    }
    let text = read(body, api.answers.body_deadline).await?;
    let members = if is_form(&headers) {
        form(&text)?
    } else {
        object(&text)?
    };
    let mut fields = Fields::new(members);
    let call_id = fields.text("call_id", CallId::new);
    let call = fields.text("call", CallId::new);
    let call_id = match call_id {
        Given::Missing | Given::Null if !fields.has_fault("call_id") => call,
        given => given,
    };
    // The fault that is noted has the name that was given.
    let name = if fields.has_fault("call") {
        "call"
    } else {
        "call_id"
    };
    let call_id = fields.required(name, call_id);
    let end = fields.text("dialstatus", call_end).value();
    fields.finish()?;
    let call_id = call_id.ok_or(ApiError::Invalid(Vec::new()))?;
    release(&api, ReleaseTarget::Call(call_id), end.unwrap_or_default()).await
}

async fn release(
    api: &Api,
    target: ReleaseTarget,
    end: CallEnd,
) -> Result<Json<Released>, ApiError> {
    let released = tokio::time::timeout(api.answers.deadline, api.rotator.release(&target, end));
    let ended = released.await.map_err(|_| ApiError::DeadlinePassed)??;
    Ok(Json(Released {
        released: ended.is_some(),
        reservation_id: ended.map(|end| end.id.to_string()),
        released_at: ended.map(|end| end.at.to_string()),
    }))
}

/// Asterisk has three words more for calls that were never made.
fn call_end(text: &str) -> Result<CallEnd, String> {
    const NEVER_MADE: [&str; 3] = ["DONTCALL", "TORTURE", "INVALIDARGS"];
    if NEVER_MADE.contains(&text.trim().to_ascii_uppercase().as_str()) {
        return Ok(CallEnd::Released);
    }
    text.parse()
}

fn form(text: &[u8]) -> Result<Map<String, Value>, ApiError> {
    let query = Query::parse(text, "body");
    let mut members = Map::new();
    for name in ["call_id", "call", "dialstatus"] {
        let value = query
            .get(name)
            .map_err(|fault| ApiError::Invalid(vec![fault]))?;
        if let Some(value) = value {
            members.insert(name.to_owned(), value.into_owned().into());
        }
    }
    Ok(members)
}
