//! Campaigns: which pools each uses, and how often it lets an agent call.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use caller_id_core::listing::{Changed, Expected};
use caller_id_core::{Campaign, CampaignId, PoolId, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::body::Object;
use super::fields::{Fields, PathId};
use super::{Admin, Api, ApiError, Operator, Viewer};

/// The name of the limit.
const LIMIT: &str = "agent_rate_limit_per_minute";

/// The pools of a campaign, first choice first, and its limit.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body; it is read field by field")]
pub struct PutCampaign {
    /// 1 to 16 names of pools that exist.
    pools: Vec<String>,
    /// Most allocations of one agent in a minute, on this campaign's calls; 0 = no limit, null = the global setting.
    #[schema(minimum = 0, maximum = 100000)]
    agent_rate_limit_per_minute: Option<u32>,
}

/// A campaign as the API shows it.
#[derive(Debug, Serialize, ToSchema)]
pub struct CampaignBody {
    id: String,
    /// First choice first.
    pools: Vec<String>,
    /// Most allocations of one agent in a minute, on this campaign's calls; 0 = no limit, null = the global setting.
    agent_rate_limit_per_minute: Option<u32>,
}

impl From<&Campaign> for CampaignBody {
    fn from(campaign: &Campaign) -> Self {
        Self {
            id: campaign.id.to_string(),
            pools: campaign.pools.iter().map(PoolId::to_string).collect(),
            agent_rate_limit_per_minute: campaign.agent_limit_per_minute,
        }
    }
}

/// All campaigns.
#[derive(Debug, Serialize, ToSchema)]
pub struct CampaignList {
    campaigns: Vec<CampaignBody>,
}

/// Whether a campaign was there.
#[derive(Debug, Serialize, ToSchema)]
pub struct Removed {
    removed: bool,
}

/// All campaigns that are configured; all others use the pool `default`.
#[utoipa::path(get, path = "/api/v1/campaigns", tag = "inventory", security(("admin_token" = []), ("bearer" = [])),
    responses((status = 200, body = CampaignList)))]
pub async fn list(
    State(api): State<Arc<Api>>,
    _viewer: Viewer,
) -> Result<Json<CampaignList>, ApiError> {
    let campaigns = api.inventory.campaigns().await?;
    let campaigns = campaigns.iter().map(CampaignBody::from).collect();
    Ok(Json(CampaignList { campaigns }))
}

/// One campaign.
#[utoipa::path(get, path = "/api/v1/campaigns/{id}", tag = "inventory", security(("admin_token" = []), ("bearer" = [])),
    params(("id" = String, Path, description = "The dialer's id")),
    responses((status = 200, body = CampaignBody), (status = 404, body = super::openapi::ProblemBody)))]
pub async fn show(
    State(api): State<Arc<Api>>,
    _viewer: Viewer,
    id: PathId,
) -> Result<Json<CampaignBody>, ApiError> {
    let id = id.parse(CampaignId::new)?;
    let campaigns = api.inventory.campaigns().await?;
    let campaign = campaigns.iter().find(|campaign| campaign.id == id);
    let campaign = campaign.ok_or_else(|| ApiError::no_such("campaign", &id))?;
    Ok(Json(campaign.into()))
}

/// Makes a campaign, or replaces what it says. It holds from the next request on.
#[utoipa::path(put, path = "/api/v1/campaigns/{id}", tag = "inventory", security(("admin_token" = []), ("bearer" = [])),
    params(("id" = String, Path, description = "The dialer's id")),
    request_body = PutCampaign,
    responses((status = 200, body = CampaignBody), (status = 422, body = super::openapi::ProblemBody)))]
pub async fn put(
    State(api): State<Arc<Api>>,
    Operator(who): Operator,
    id: PathId,
    Object(members): Object,
) -> Result<Json<CampaignBody>, ApiError> {
    let id = id.parse(CampaignId::new)?;
    let campaign = read(id, members)?;
    let put = api
        .inventory
        .put_campaign(campaign.clone(), Expected::Any, &who.author);
    match put.await {
        Err(StoreError::Missing(what)) => {
            return Err(ApiError::invalid(&["body", "pools"], "missing_pool", what));
        }
        written => drop(written?),
    }
    api.sync.now().await?;
    Ok(Json((&campaign).into()))
}

/// Removes a campaign: its calls use the pool `default` from then on.
#[utoipa::path(delete, path = "/api/v1/campaigns/{id}", tag = "inventory", security(("admin_token" = []), ("bearer" = [])),
    params(("id" = String, Path, description = "The dialer's id")),
    responses((status = 200, body = Removed)))]
pub async fn remove(
    State(api): State<Arc<Api>>,
    Admin(who): Admin,
    id: PathId,
) -> Result<Json<Removed>, ApiError> {
    let id = id.parse(CampaignId::new)?;
    let deleted = api
        .inventory
        .delete_campaign(id, Expected::Any, &who.author);
    let removed = matches!(deleted.await?, Changed::From(_));
    api.sync.now().await?;
    Ok(Json(Removed { removed }))
}

fn read(id: CampaignId, members: Map<String, Value>) -> Result<Campaign, ApiError> {
    let mut fields = Fields::new(members);
    fields.only(&["id", "pools", LIMIT]);
    if fields.differs("id", &Value::from(id.as_str())) {
        let why = format!("id: the path says `{id}`, and a name cannot be changed");
        fields.fault("id", why);
    }
    let pools = fields.read("pools", pools);
    let pools = fields.required("pools", pools);
    let limit = fields.count(LIMIT, 0, Campaign::AGENT_LIMIT_MOST).value();
    let campaign = pools.map(|pools| Campaign::new(id, pools)?.with_agent_limit(limit));
    if let Some(Err(error)) = &campaign {
        fields.fault("pools", error.clone());
    }
    fields.finish()?;
    campaign
        .and_then(Result::ok)
        .ok_or(ApiError::Invalid(Vec::new()))
}

fn pools(value: &Value) -> Result<Vec<PoolId>, String> {
    let names = value
        .as_array()
        .ok_or("pools: a list of names is expected")?;
    let pool = |name: &Value| {
        let name = name.as_str().ok_or("pools: a list of names is expected")?;
        PoolId::new(name).map_err(|error| error.to_string())
    };
    names.iter().map(pool).collect()
}
