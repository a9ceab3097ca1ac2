//! `GET /api/v1/explain`: which number a request would get, and why. Nothing is chosen, reserved or counted.

pub mod body;
mod counting;
mod words;

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use caller_id_core::explain::{Tried, way};
use caller_id_core::inspection::Foreseen;
use caller_id_core::rotator::Terms;
use caller_id_core::{AllocationRequest, Policy, PoolId};

pub use self::counting::Counting;

use self::body::{CampaignShown, ChoiceShown, DestinationShown, ExplainBody, PoolShown, RungShown};
use self::counting::{Counted, Numbers};
use super::next_cid;
use super::page::Parameters;
use super::query::Query;
use super::{Api, ApiError, Viewer};

/// What `/next-cid` would answer to this request now, and why: pool by pool and rung by rung, with how many numbers are free
/// there, and what holds the others. Nothing changes. With very many numbers the counts of the last rungs may be left out.
#[utoipa::path(get, path = "/api/v1/explain", tag = "calls", security(("admin_token" = []), ("bearer" = [])),
    params(
        ("to" = String, Query, description = "The called party, as `/next-cid` takes it", example = "13125551212"),
        ("campaign" = Option<String>, Query, description = "The dialer's campaign", example = "SOLAR"),
        ("agent" = Option<String>, Query, description = "Who makes the call"),
        ("call" = Option<String>, Query, description = "The dialer's id of the call"),
    ),
    responses(
        (status = 200, body = ExplainBody),
        (status = 422, description = "A parameter is missing or cannot be understood, or caller IDs are never rotated for this destination",
            body = super::openapi::ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "No number could be handed out now", body = super::openapi::ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub async fn explain(
    State(api): State<Arc<Api>>,
    _viewer: Viewer,
    RawQuery(query): RawQuery,
) -> Result<Json<ExplainBody>, ApiError> {
    let request = read(query.as_deref(), &api)?;
    let terms = api.rotator.terms(request.campaign.as_ref())?;
    let policies = policies(&api).await?;
    let steps = way(terms.ask(&request), |pool| policies.get(pool));
    let foreseen = foresee(&api, &terms, &request).await?;
    let ours = api.inventory.number(request.destination).await?.is_some();
    let numbers = Numbers {
        inspector: &*api.inspector,
        inventory: &*api.inventory,
    };
    let counted = api.counting.count(numbers, &steps).await;
    Ok(Json(ExplainBody {
        destination: DestinationShown::new(request.destination, ours),
        campaign: CampaignShown::new(&request, &terms),
        choice: ChoiceShown::new(&foreseen, &request),
        pools: pools(&terms, &policies, &steps, &counted.rungs, &foreseen),
        counts_left_out: counted.left_out,
    }))
}

/// Reads what `/next-cid` would read.
fn read(query: Option<&str>, api: &Api) -> Result<AllocationRequest, ApiError> {
    Parameters::new(query, &["to", "campaign", "agent", "call"]).finish()?;
    let query = Query::parse(query.unwrap_or_default().as_bytes(), "query");
    next_cid::read(&query, &api.answers)
}

async fn policies(api: &Api) -> Result<HashMap<PoolId, Policy>, ApiError> {
    let pools = api.inventory.pools().await?.into_iter();
    let policies = pools.map(|pool| (pool.id, pool.policy.over(&api.answers.policy)));
    Ok(policies.collect())
}

async fn foresee(
    api: &Api,
    terms: &Terms,
    request: &AllocationRequest,
) -> Result<Foreseen, ApiError> {
    let foreseen = api.inspector.foresee(terms.ask(request));
    let foreseen = tokio::time::timeout(api.answers.deadline, foreseen);
    Ok(foreseen.await.map_err(|_| ApiError::DeadlinePassed)??)
}

/// The pools in their order, each with its rungs.
fn pools(
    terms: &Terms,
    policies: &HashMap<PoolId, Policy>,
    steps: &[Tried],
    counted: &[Option<Counted>],
    foreseen: &Foreseen,
) -> Vec<PoolShown> {
    let show = |pool: &PoolId| {
        let rungs = steps.iter().zip(counted);
        let rungs = rungs
            .filter(|(step, _)| step.pool == *pool)
            .map(|(step, counted)| RungShown::new(step, counted.as_ref(), foreseen));
        PoolShown::new(pool, policies.get(pool), rungs.collect())
    };
    terms.pools.iter().map(show).collect()
}
