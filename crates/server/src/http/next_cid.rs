//! `GET /next-cid`: the caller ID for a call.

mod body;
mod form;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::ALLOW;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method};
use axum::response::Response;
use caller_id_core::{
    AgentId, Allocation, AllocationRequest, AllocatorError, CallEnd, CallId, CampaignId,
    DestinationError, Outcome, PhoneNumber, ReleaseTarget, Rotator,
};

pub use self::body::{LimitsBody, NextCid};

use self::form::Form;
use super::query::{Query, shown};
use super::timer::Timer;
use super::{Answers, Api, ApiError, Fault, Peer};

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
    answer(&api, &parts, Peer::of(&parts), &Timer::default()).await
}

/// The answer to a call.
pub(super) async fn answer(api: &Api, parts: &Parts, peer: Peer, timer: &Timer) -> Response {
    let query = Query::parse(parts.uri.query().unwrap_or_default().as_bytes(), "query");
    let (form, fault) = match query.parsed("format", str::parse::<Form>) {
        Ok(form) => (form.unwrap_or_default(), None),
        Err(fault) => (Form::default(), Some(fault)),
    };
    if parts.method != Method::GET {
        return no_method(form);
    }
    let call = Call {
        api,
        parts,
        query: &query,
        peer,
        timer,
    };
    match call.allocate(fault).await {
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

/// A call that asks for its number.
struct Call<'a, 'q> {
    api: &'a Api,
    parts: &'a Parts,
    query: &'a Query<'q>,
    peer: Peer,
    timer: &'a Timer,
}

impl Call<'_, '_> {
    /// Allocates, unless there was a fault already; who may not ask is told nothing else.
    async fn allocate(&self, fault: Option<Fault>) -> Result<Allocation, ApiError> {
        let api = self.api;
        let Peer(peer) = self.peer;
        let now = api.clock.now();
        api.access.dialer(peer, &self.parts.headers, now)?;
        if let Some(fault) = fault {
            return Err(ApiError::Invalid(vec![fault]));
        }
        let request = read(self.query, &api.answers)?;
        match within_deadline(api, self.timer, request).await? {
            Outcome::Allocated(allocation) => Ok(allocation),
            Outcome::AgentLimited { retry_after_ms } => {
                Err(ApiError::AgentLimited { retry_after_ms })
            }
            Outcome::Exhausted(exhausted) => Err(ApiError::Exhausted(exhausted)),
        }
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
async fn within_deadline(
    api: &Api,
    timer: &Timer,
    request: AllocationRequest,
) -> Result<Outcome, ApiError> {
    let rotator = api.rotator.clone();
    let may_ask_again = request.call_id.is_some();
    let mut answer = Box::pin(async move { rotator.next(&request).await });
    match timer.within(api.answers.deadline, &mut answer).await {
        Some(outcome) => Ok(outcome?),
        None => {
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

async fn give_back(rotator: &Rotator, outcome: Result<Outcome, AllocatorError>) {
    let Ok(Outcome::Allocated(late)) = outcome else {
        return;
    };
    let target = ReleaseTarget::Reservation(late.record.id);
    if let Err(error) = rotator.release(&target, CallEnd::Released).await {
        tracing::warn!(%error, "a late allocation stays reserved until it runs out");
    }
}
