//! The end of a reservation: `DELETE /api/v1/reservations/{id}` and `POST /api/v1/release`.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use caller_id_core::audit::AuditEvent;
use caller_id_core::history_query::{PastFilter, PastQuery};
use caller_id_core::{AllocationId, CallEnd, CallId, EndRecord, ReleaseTarget, Role};
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};
use utoipa::ToSchema;

use super::body::{is_form, is_json, object, read};
use super::fields::{Fields, Given, PathId};
use super::query::Query;
use super::{Api, ApiError, DialerOrOperator, Fault};
use crate::auth::Principal;

/// What `POST /api/v1/release` takes, as JSON or as a form. What cannot be read beside an id that can counts as not said, and is named
/// in `ignored`: the number is free all the same.
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
    /// What was said beside it and cannot be understood; missing where all can.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ignored: Vec<Fault>,
}

/// Ends the reservation with this id. Where an operator or an admin asks, the audit log tells of it (`reservation.end`). A dial
/// status that cannot be read counts as not said, and is named in `ignored`.
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
        (status = 422, description = "The id cannot be understood", body = super::openapi::ProblemBody),
    )
)]
pub async fn by_reservation(
    State(api): State<Arc<Api>>,
    who: DialerOrOperator,
    id: PathId,
    RawQuery(query): RawQuery,
) -> Result<Json<Released>, ApiError> {
    let id = id.parse(str::parse::<AllocationId>)?;
    let query = Query::parse(query.as_deref().unwrap_or_default().as_bytes(), "query");
    let (end, ignored) = match query.parsed("dialstatus", call_end) {
        Ok(end) => (end.unwrap_or_default(), Vec::new()),
        Err(fault) => (CallEnd::default(), vec![fault]),
    };
    let (released, ended) = release(&api, ReleaseTarget::Reservation(id), (end, ignored)).await?;
    if let Some(ended) = ended.filter(|_| who.0.role != Role::Dialer) {
        tell(&api, &who.0, ended).await?;
    }
    Ok(released)
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
        (status = 422, description = "No field says which call, or none that can be understood", body = super::openapi::ProblemBody),
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
    let mut fields = if is_form(&headers) {
        form(&text)
    } else {
        Fields::new(object(&text)?)
    };
    // Of two names of a call the first that can be read is enough.
    let mut call = |name| fields.text(name, CallId::new).value();
    let call_id = call("call_id").or_else(|| call("call"));
    let end = fields.text("dialstatus", call_end).value();
    let Some(call_id) = call_id else {
        if !fields.has_fault("call") {
            fields.required("call_id", Given::<CallId>::Missing);
        }
        return Err(ApiError::Invalid(fields.into_faults()));
    };
    let (target, ignored) = (ReleaseTarget::Call(call_id), fields.into_faults());
    let (released, _) = release(&api, target, (end.unwrap_or_default(), ignored)).await?;
    Ok(released)
}

/// Ends it, and gives what ended.
async fn release(
    api: &Api,
    target: ReleaseTarget,
    (end, ignored): (CallEnd, Vec<Fault>),
) -> Result<(Json<Released>, Option<EndRecord>), ApiError> {
    let released = tokio::time::timeout(api.answers.deadline, api.rotator.release(&target, end));
    let ended = released.await.map_err(|_| ApiError::DeadlinePassed)??;
    let told = Released {
        released: ended.is_some(),
        reservation_id: ended.map(|end| end.id.to_string()),
        released_at: ended.map(|end| end.at.to_string()),
        ignored,
    };
    Ok((Json(told), ended))
}

/// That a person ended a reservation is a change; that a dialer's call is over is none.
async fn tell(api: &Api, who: &Principal, ended: EndRecord) -> Result<(), ApiError> {
    let asked = PastQuery {
        filter: PastFilter {
            number: ended.id.number(),
            ..PastFilter::default()
        },
        before: ended.id.next(),
        most: 1,
    };
    // In a cluster history may not have it yet: then its id tells of which number it was.
    let page = api.history.past(&asked).await?;
    let found = page.allocations.into_iter().map(|past| past.record);
    let record = found.into_iter().find(|record| record.id == ended.id);
    let number = record.as_ref().map(|record| record.number);
    let before = json!({
        "caller_id": number.or(ended.id.number()).map(|number| number.to_string()),
        "pool": record.as_ref().map(|record| record.pool.to_string()),
        "campaign": record.as_ref().and_then(|record| record.campaign.as_ref()).map(ToString::to_string),
        "agent": record.as_ref().and_then(|record| record.agent.as_ref()).map(ToString::to_string),
        "until": record.as_ref().map(|record| record.reserved_until.to_string()),
    });
    let event = AuditEvent {
        author: who.author.clone(),
        action: "reservation.end".to_owned(),
        subject: ended.id.to_string(),
        before: Some(before.to_string()),
        after: Some(
            json!({"ended_at": ended.at.to_string(), "status": ended.end.as_str()}).to_string(),
        ),
    };
    Ok(api.audit.add(event).await?)
}

/// Asterisk has three words more for calls that were never made.
fn call_end(text: &str) -> Result<CallEnd, String> {
    const NEVER_MADE: [&str; 3] = ["DONTCALL", "TORTURE", "INVALIDARGS"];
    if NEVER_MADE.contains(&text.trim().to_ascii_uppercase().as_str()) {
        return Ok(CallEnd::Released);
    }
    text.parse()
}

fn form(text: &[u8]) -> Fields {
    let query = Query::parse(text, "body");
    let (mut members, mut faults) = (Map::new(), Vec::new());
    for name in ["call_id", "call", "dialstatus"] {
        match query.get(name) {
            Ok(Some(value)) => drop(members.insert(name.to_owned(), value.into_owned().into())),
            Ok(None) => {}
            Err(fault) => faults.push(fault),
        }
    }
    Fields::new(members).with_faults(faults)
}
