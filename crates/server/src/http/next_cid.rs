//! `GET /next-cid`: the caller ID for a call.

mod body;
mod form;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::ALLOW;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method};
use axum::response::Response;
use caller_id_core::{
    AgentId, Allocation, AllocationRequest, CallId, CampaignId, DestinationError, Outcome,
    PhoneNumber,
};
use tokio::time::Instant;

pub use self::body::{LimitsBody, NextCid};

use self::form::Form;
use super::peer::client;
use super::query::{Query, shown};
use super::{Answers, Api, ApiError, Fault, Peer};
use crate::asking;
use crate::auth::{Refusal, Visitor};
use crate::request_log::{Asked, AskedCall, Asker, By};
use crate::timer::Timer;

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
        (status = 403, description = "The API key is for other campaigns, or not for this address; or a page of another host asks", body = super::openapi::ProblemBody),
        (status = 404, description = "No number is free; Retry-After says when one is", body = super::openapi::ProblemBody),
        (status = 422, description = "A parameter is missing or cannot be understood", body = super::openapi::ProblemBody),
        (status = 429, description = "The agent is over its limit", body = super::openapi::ProblemBody),
        (status = 503, description = "Nothing can be recorded now", body = super::openapi::ProblemBody),
    )
)]
pub async fn next_cid(State(api): State<Arc<Api>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let (peer, timer) = (Peer::of(&parts), Timer::default());
    answer(&api, &parts, peer, &timer).await.0
}

/// The answer to a call, and how long it took.
pub(super) async fn answer(
    api: &Api,
    parts: &Parts,
    peer: Peer,
    timer: &Timer,
) -> (Response, Duration) {
    let query = Query::parse(parts.uri.query().unwrap_or_default().as_bytes(), "query");
    let (form, fault) = match query.parsed("format", str::parse::<Form>) {
        Ok(form) => (form.unwrap_or_default(), None),
        Err(fault) => (Form::default(), Some(fault)),
    };
    let (at, began) = (api.clock.now(), Instant::now());
    if parts.method != Method::GET {
        return (no_method(form), began.elapsed());
    }
    let call = Call {
        api,
        parts,
        query: &query,
        peer,
        timer,
    };
    let mut said = AskedCall::default();
    let allocated = call.allocate(fault, &mut said).await;
    let outcome = outcome(&allocated);
    let given = allocated.as_ref().ok().map(|given| &given.record);
    said.caller_id = given.map(|record| record.number);
    api.pulse
        .count(at, outcome, given.map(|record| record.rung));
    api.meters.asked(outcome, given.map(|record| &**record));
    let response = match allocated {
        Ok(allocation) => form.answer(&allocation, api.answers.format),
        Err(error) => form.failure(error),
    };
    let (status, took) = (response.status().as_u16(), began.elapsed());
    api.requests.note(Asked {
        at,
        took,
        client: client(api, &parts.headers, peer),
        by: By::Http(NEXT_CID.clone()),
        asker: Asker::of(outcome),
        outcome,
        status: Some(status),
        call: said,
    });
    (response, took)
}

static NEXT_CID: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from("GET /next-cid"));

fn outcome(allocated: &Result<Allocation, ApiError>) -> &'static str {
    match allocated {
        Ok(allocation) if allocation.repeated => "repeated",
        Ok(_) => "allocated",
        Err(error) => error.outcome(),
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
    /// Whether it is worth asking once more who asks. A call waits no longer for that than for a number.
    async fn learns(&self, refusal: &Refusal) -> bool {
        let learning = Box::pin(self.api.access.learns(refusal));
        let learned = tokio::time::timeout(self.api.answers.deadline, learning);
        learned.await.unwrap_or(false)
    }

    /// Allocates, unless there was a fault already; who may not ask is told nothing else.
    async fn allocate(
        &self,
        fault: Option<Fault>,
        said: &mut AskedCall,
    ) -> Result<Allocation, ApiError> {
        let api = self.api;
        let Peer(peer) = self.peer;
        let visitor = Visitor {
            peer,
            headers: &self.parts.headers,
            now: api.clock.now(),
        };
        let scope = match api.access.dialer(&visitor) {
            Err(refusal) if self.learns(&refusal).await => api.access.dialer(&visitor),
            asked => asked,
        }?;
        if let Some(fault) = fault {
            return Err(ApiError::Invalid(vec![fault]));
        }
        let request = read(self.query, &api.answers)?;
        said.destination = Some(request.destination);
        said.campaign.clone_from(&request.campaign);
        said.agent.clone_from(&request.agent);
        scope.admit(request.campaign.as_ref())?;
        let until = Instant::now() + api.answers.deadline;
        let asked = asking::until(&api.rotator, self.timer, until, request).await;
        match asked.ok_or(ApiError::DeadlinePassed)?? {
            Outcome::Allocated(allocation) => Ok(allocation),
            Outcome::AgentLimited { retry_after_ms } => {
                Err(ApiError::AgentLimited { retry_after_ms })
            }
            Outcome::Exhausted(exhausted) => Err(ApiError::Exhausted(exhausted)),
        }
    }
}

/// What a query asks for.
///
/// # Errors
/// [`ApiError::NotRotated`], or [`ApiError::Invalid`] with every fault.
pub(super) fn read(query: &Query<'_>, answers: &Answers) -> Result<AllocationRequest, ApiError> {
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
