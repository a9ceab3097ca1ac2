//! `GET /next-cid`: the caller ID for a call.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{ALLOW, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method};
use axum::response::{IntoResponse, Response};
use caller_id_core::{
    AgentId, Allocation, AllocationRequest, AllocatorError, CallEnd, CallId, CampaignId,
    DestinationError, NumberFormat, Outcome, PhoneNumber, ReleaseTarget,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use utoipa::ToSchema;

use super::query::{Query, shown};
use super::{Answers, Api, ApiError, Fault, Peer};

/// The reference's answer when there is no agent or no limit.
const NO_AGENT_LIMIT: u32 = 999_999;

/// Chooses, reserves and counts a number.
#[utoipa::path(
    get,
    path = "/next-cid",
    tag = "dialing",
    params(
        ("to" = String, Query, description = "The called party, in any form; dial prefixes of DIAL_PREFIXES are stripped"),
        ("campaign" = Option<String>, Query, description = "The dialer's campaign; decides the pools"),
        ("agent" = Option<String>, Query, description = "Who makes the call; without one there is no agent limit"),
        ("call" = Option<String>, Query, description = "The dialer's id of the call: asked again, the same answer comes, counted once"),
        ("format" = Option<String>, Query, description = "json (default), text (digits and a newline, nothing at all on failure) or form"),
    ),
    responses(
        (status = 200, description = "A number, reserved until `expires_at`", body = NextCid<'_>),
        (status = 401, description = "No dialer key, and the address is not allowed", body = super::openapi::ProblemBody),
        (status = 404, description = "No number is free; Retry-After says when one is", body = super::openapi::ProblemBody),
        (status = 422, description = "A parameter is missing or cannot be understood", body = super::openapi::ProblemBody),
        (status = 429, description = "The agent is over its limit", body = super::openapi::ProblemBody),
        (status = 503, description = "Nothing can be recorded now", body = super::openapi::ProblemBody),
    )
)]
pub async fn next_cid(State(api): State<Arc<Api>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let query = Query::parse(parts.uri.query().unwrap_or_default().as_bytes(), "query");
    let form = match query.parsed("format", str::parse::<Form>) {
        Ok(form) => form.unwrap_or_default(),
        Err(fault) => return ApiError::Invalid(vec![fault]).into_response(),
    };
    if parts.method != Method::GET {
        return no_method(form);
    }
    match allocate(&api, &parts, &query).await {
        Ok(allocation) => form.answer(&allocation, api.answers.format),
        Err(error) => form.failure(error),
    }
}

/// HEAD is refused, too: it would take a number that nobody sees.
fn no_method(form: Form) -> Response {
    let mut response = form.failure(ApiError::NoMethod);
    let get = HeaderValue::from_static("GET");
    response.headers_mut().insert(ALLOW, get);
    response
}

async fn allocate(api: &Api, parts: &Parts, query: &Query<'_>) -> Result<Allocation, ApiError> {
    let Peer(peer) = Peer::of(parts);
    let now = api.clock.now();
    api.access.dialer(peer, &parts.headers, now)?;
    let request = read(query, &api.answers)?;
    match within_deadline(api, request).await? {
        Outcome::Allocated(allocation) => Ok(allocation),
        Outcome::AgentLimited { retry_after_ms } => Err(ApiError::AgentLimited { retry_after_ms }),
        Outcome::Exhausted(exhausted) => Err(ApiError::Exhausted { exhausted, now }),
    }
}

fn read(query: &Query<'_>, answers: &Answers) -> Result<AllocationRequest, ApiError> {
    let mut faults = Vec::new();
    let destination = destination(query, answers, &mut faults)?;
    let mut keep = |fault| faults.push(fault);
    let campaign = query.parsed("campaign", CampaignId::new).map_err(&mut keep);
    let agent = query.parsed("agent", AgentId::new).map_err(&mut keep);
    let call_id = query.parsed("call", CallId::new).map_err(&mut keep);
    match (destination, campaign, agent, call_id) {
        (Some(destination), Ok(campaign), Ok(agent), Ok(call_id)) => Ok(AllocationRequest {
            destination,
            campaign,
            agent,
            call_id,
        }),
        _ => Err(ApiError::Invalid(faults)),
    }
}

/// The destination, or none and the fault that says why.
///
/// # Errors
/// [`ApiError::NotRotated`] at once: nothing else about such a call matters.
fn destination(
    query: &Query<'_>,
    answers: &Answers,
    faults: &mut Vec<Fault>,
) -> Result<Option<PhoneNumber>, ApiError> {
    const LOC: [&str; 2] = ["query", "to"];
    let text = match query.get("to") {
        Ok(Some(text)) => text,
        Ok(None) => {
            faults.push(Fault::missing(&LOC));
            return Ok(None);
        }
        Err(fault) => {
            faults.push(fault);
            return Ok(None);
        }
    };
    match answers.dial_plan.destination(&text) {
        Ok(destination) => Ok(Some(destination)),
        Err(error @ DestinationError::NotRotated { .. }) => Err(ApiError::NotRotated {
            input: text.into_owned(),
            message: error.to_string(),
        }),
        Err(error) => {
            faults.push(Fault::new(
                &LOC,
                "value_error",
                error.to_string(),
                shown(&text),
            ));
            Ok(None)
        }
    }
}

/// Waits for the engine as long as the deadline allows.
///
/// What it hands out later to a call without an id is given back: nobody can use it. A call with an id may ask again, or
/// has asked again already and was answered: its reservation stays, until it is asked for or runs out.
async fn within_deadline(api: &Api, request: AllocationRequest) -> Result<Outcome, ApiError> {
    let rotator = api.rotator.clone();
    let may_ask_again = request.call_id.is_some();
    let mut answer = Box::pin(async move { rotator.next(&request).await });
    match tokio::time::timeout(api.answers.deadline, &mut answer).await {
        Ok(outcome) => Ok(outcome?),
        Err(_) => {
            if !may_ask_again {
                let rotator = api.rotator.clone();
                tokio::spawn(async move {
                    give_back(&rotator, answer.await).await;
                });
            }
            Err(ApiError::DeadlinePassed)
        }
    }
}

async fn give_back(rotator: &caller_id_core::Rotator, outcome: Result<Outcome, AllocatorError>) {
    let Ok(Outcome::Allocated(late)) = outcome else {
        return;
    };
    let target = ReleaseTarget::Reservation(late.record.id);
    if let Err(error) = rotator.release(&target, CallEnd::Released).await {
        tracing::warn!(%error, "a late allocation stays reserved until it runs out");
    }
}

/// How the answer is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Form {
    #[default]
    Json,
    Text,
    Pairs,
}

impl std::str::FromStr for Form {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim().to_ascii_lowercase().as_str() {
            "json" => Ok(Self::Json),
            "text" => Ok(Self::Text),
            "form" => Ok(Self::Pairs),
            _ => Err("format: json, text or form expected".to_owned()),
        }
    }
}

impl Form {
    fn answer(self, allocation: &Allocation, format: NumberFormat) -> Response {
        let body = NextCid::new(allocation, format);
        match self {
            Self::Json => answer_in("application/json", body.json()),
            Self::Text => answer_in("text/plain; charset=utf-8", format!("{}\n", body.caller_id)),
            Self::Pairs => answer_in("application/x-www-form-urlencoded", body.pairs()),
        }
    }

    fn failure(self, error: ApiError) -> Response {
        match self {
            Self::Json => error.into_response(),
            Self::Text => error.into_empty(),
            Self::Pairs => error.into_form(),
        }
    }
}

fn answer_in(media_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    let media_type = HeaderValue::from_static(media_type);
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    response
}

/// The answer: the reference's fields in its order, then ours.
#[derive(Debug, Serialize, ToSchema)]
pub struct NextCid<'a> {
    /// The number to present, always a string.
    #[schema(example = "3125550100")]
    caller_id: String,
    /// As asked.
    agent: Option<&'a str>,
    /// As asked.
    campaign: Option<&'a str>,
    /// The called party; NANP numbers without the leading 1.
    destination: String,
    /// The chosen number's.
    #[schema(value_type = Option<String>)]
    area_code: Option<caller_id_core::AreaCode>,
    /// When the reservation ends if nobody releases it (RFC 3339).
    expires_at: String,
    /// Seconds from the allocation to `expires_at`.
    reservation_ttl: i64,
    /// The number's limits; null is none.
    limits: LimitsBody,
    /// How many allocations the agent may make at once; 999999 without agent or limit.
    rate_limit_remaining: u32,
    /// For `DELETE /api/v1/reservations/{id}`.
    reservation_id: String,
    /// The pool the number is in.
    pool: &'a str,
    /// How it was chosen: sticky, area_code, overlay, region or any.
    rung: &'static str,
    /// The destination was shown this number before.
    sticky: bool,
    /// The call's id, as asked.
    call_id: Option<&'a str>,
    /// The same call asked before: the same answer, counted once.
    repeated: bool,
}

/// Most uses of a number; null is no limit.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct LimitsBody {
    daily_limit: Option<u32>,
    hourly_limit: Option<u32>,
}

impl<'a> NextCid<'a> {
    fn new(allocation: &'a Allocation, format: NumberFormat) -> Self {
        let record = &*allocation.record;
        Self {
            caller_id: record.number.format(format),
            agent: record.agent.as_ref().map(AgentId::as_str),
            campaign: record.campaign.as_ref().map(CampaignId::as_str),
            destination: record.destination.format(NumberFormat::National),
            area_code: allocation.area_code,
            expires_at: record.reserved_until.to_string(),
            reservation_ttl: record.reserved_until.ms_since(record.at) / 1_000,
            limits: LimitsBody {
                daily_limit: allocation.limits.daily.map(Into::into),
                hourly_limit: allocation.limits.hourly.map(Into::into),
            },
            rate_limit_remaining: allocation.agent_remaining.unwrap_or(NO_AGENT_LIMIT),
            reservation_id: record.id.to_string(),
            pool: record.pool.as_str(),
            rung: record.rung.as_str(),
            sticky: record.rung == caller_id_core::Rung::Sticky,
            call_id: record.call_id.as_ref().map(CallId::as_str),
            repeated: allocation.repeated,
        }
    }

    fn json(&self) -> Vec<u8> {
        /// Answers are shorter, so the buffer never grows.
        const ROOM: usize = 768;
        let mut json = Vec::with_capacity(ROOM);
        serde_json::to_writer(&mut json, self)
            .expect("writing plain data into memory does not fail");
        json
    }

    fn pairs(&self) -> String {
        let area_code = self
            .area_code
            .map(|code| code.to_string())
            .unwrap_or_default();
        let ttl = self.reservation_ttl.to_string();
        let pairs = [
            ("caller_id", self.caller_id.as_str()),
            ("area_code", &area_code),
            ("destination", &self.destination),
            ("expires_at", &self.expires_at),
            ("reservation_ttl", &ttl),
            ("reservation_id", &self.reservation_id),
            ("pool", self.pool),
            ("rung", self.rung),
        ];
        let encoded = pairs.map(|(name, value)| {
            format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC))
        });
        encoded.join("&")
    }
}
