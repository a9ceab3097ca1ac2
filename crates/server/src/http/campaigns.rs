//! Campaigns: which pools each uses, and how often it lets an agent call.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use caller_id_core::listing::Changed;
use caller_id_core::{Campaign, CampaignId, PoolId, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::body::Object;
use super::etag::{self, Precondition};
use super::fields::{Fields, PathId};
use super::page::Parameters;
use super::{Admin, Api, ApiError, Operator, Viewer};

/// The name of the limit.
const LIMIT: &str = "agent_rate_limit_per_minute";
/// Campaigns are seen that asked for numbers within so many milliseconds: 30 days.
const SEEN_MS: i64 = 30 * 24 * 3_600_000;

/// The pools of a campaign, first choice first, and its limit.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body; it is read field by field")]
pub struct PutCampaign {
    /// As in the path.
    id: Option<String>,
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
    /// With `seen=true`: somebody configured it; all others use the pool `default`.
    #[serde(skip_serializing_if = "Option::is_none")]
    configured: Option<bool>,
    /// With `seen=true`: its calls of the last 30 days.
    #[serde(skip_serializing_if = "Option::is_none")]
    calls: Option<u64>,
}

impl From<&Campaign> for CampaignBody {
    fn from(campaign: &Campaign) -> Self {
        Self {
            id: campaign.id.to_string(),
            pools: campaign.pools.iter().map(PoolId::to_string).collect(),
            agent_rate_limit_per_minute: campaign.agent_limit_per_minute,
            configured: None,
            calls: None,
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

impl Removed {
    /// It was there, and is no more.
    pub(super) const YES: Self = Self { removed: true };
}

/// All campaigns that are configured; all others use the pool `default`. With `seen=true` also those that asked for numbers
/// in the last 30 days, each with its calls.
#[utoipa::path(get, path = "/api/v1/campaigns", tag = "inventory", security(("admin_token" = []), ("bearer" = [])),
    params(("seen" = Option<bool>, Query, description = "true: those seen in traffic, too")),
    responses(
        (status = 200, description = "By their ids", body = CampaignList),
        (status = 422, description = "A parameter cannot be understood, or is none", body = super::openapi::ProblemBody),
        (status = 503, description = "The store failed", body = super::openapi::ProblemBody),
    ))]
pub async fn list(
    State(api): State<Arc<Api>>,
    _viewer: Viewer,
    RawQuery(query): RawQuery,
) -> Result<Json<CampaignList>, ApiError> {
    let mut parameters = Parameters::new(query.as_deref(), &["seen"]);
    let seen = parameters.one("seen", |word| match word {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err("seen: true or false is expected"),
    });
    parameters.finish()?;
    let campaigns = api.inventory.campaigns().await?;
    let mut campaigns: Vec<_> = campaigns.iter().map(CampaignBody::from).collect();
    if seen == Some(true) {
        let since = api.clock.now().plus_ms(-SEEN_MS);
        let seen = api.history.campaigns_seen(since).await?;
        campaigns = with_seen(campaigns, seen);
    }
    Ok(Json(CampaignList { campaigns }))
}

/// What is configured, and what was seen, by id.
fn with_seen(configured: Vec<CampaignBody>, seen: Vec<(CampaignId, u64)>) -> Vec<CampaignBody> {
    let known = configured.into_iter().map(|campaign| CampaignBody {
        configured: Some(true),
        calls: Some(0),
        ..campaign
    });
    let mut all: BTreeMap<String, CampaignBody> = known
        .map(|campaign| (campaign.id.clone(), campaign))
        .collect();
    for (id, calls) in seen {
        let unknown = || CampaignBody {
            id: id.to_string(),
            pools: vec![PoolId::default().to_string()],
            agent_rate_limit_per_minute: None,
            configured: Some(false),
            calls: None,
        };
        let campaign = all.entry(id.to_string()).or_insert_with(unknown);
        campaign.calls = Some(calls);
    }
    all.into_values().collect()
}

/// One campaign.
#[utoipa::path(get, path = "/api/v1/campaigns/{id}", tag = "inventory", security(("admin_token" = []), ("bearer" = [])),
    params(("id" = String, Path, description = "The dialer's id")),
    responses(
        (status = 200, description = "It", body = CampaignBody, headers(("ETag" = String, description = "For If-Match"))),
        (status = 404, description = "There is none", body = super::openapi::ProblemBody),
        (status = 422, description = "The path has no id", body = super::openapi::ProblemBody),
        (status = 503, description = "The store failed", body = super::openapi::ProblemBody),
    ))]
pub async fn show(
    State(api): State<Arc<Api>>,
    _viewer: Viewer,
    id: PathId,
) -> Result<Response, ApiError> {
    let id = id.parse(CampaignId::new)?;
    let campaign = find(&api, &id).await?;
    let campaign = campaign.ok_or_else(|| ApiError::no_such("campaign", &id))?;
    Ok(shown(&campaign))
}

/// Makes a campaign, or replaces what it says. It holds from the next request on. With `If-Match` only what was seen is
/// replaced, with `If-None-Match: *` nothing is.
#[utoipa::path(put, path = "/api/v1/campaigns/{id}", tag = "inventory", security(("admin_token" = []), ("bearer" = [])),
    params(
        ("id" = String, Path, description = "The dialer's id"),
        ("If-Match" = Option<String>, Header, description = "The ETag of what was seen"),
        ("If-None-Match" = Option<String>, Header, description = "*: only where there is none"),
    ),
    request_body = PutCampaign,
    responses(
        (status = 200, description = "As it is now", body = CampaignBody, headers(("ETag" = String, description = "For If-Match"))),
        (status = 412, description = "It is not what was seen", body = super::openapi::ProblemBody),
        (status = 413, description = "The body is too large", body = super::openapi::ProblemBody),
        (status = 415, description = "The body says to be something else", body = super::openapi::ProblemBody),
        (status = 422, description = "A field cannot be understood", body = super::openapi::ProblemBody),
        (status = 503, description = "The store failed, or it is changed and not in force yet", body = super::openapi::ProblemBody),
    ))]
pub async fn put(
    State(api): State<Arc<Api>>,
    Operator(who): Operator,
    id: PathId,
    condition: Precondition,
    Object(members): Object,
) -> Result<Response, ApiError> {
    let id = id.parse(CampaignId::new)?;
    let found = find(&api, &id).await?;
    let campaign = read(id, members)?;
    let expected = condition.expected(found.as_ref(), tag)?;
    let put = api
        .inventory
        .put_campaign(campaign.clone(), expected, &who.author);
    match put.await {
        Err(StoreError::Missing(what)) => {
            return Err(ApiError::invalid(&["body", "pools"], "missing_pool", what));
        }
        Ok(Changed::Differs(found)) => {
            return Err(condition.differs(found.as_ref().map(tag)));
        }
        written => drop(written?),
    }
    api.sync.now().await?;
    Ok(shown(&campaign))
}

/// Removes a campaign: its calls use the pool `default` from then on. One that is not there is no error.
#[utoipa::path(delete, path = "/api/v1/campaigns/{id}", tag = "inventory", security(("admin_token" = []), ("bearer" = [])),
    params(
        ("id" = String, Path, description = "The dialer's id"),
        ("If-Match" = Option<String>, Header, description = "The ETag of what was seen"),
    ),
    responses(
        (status = 200, description = "Whether it was there", body = Removed),
        (status = 412, description = "It is not what was seen", body = super::openapi::ProblemBody),
        (status = 422, description = "The path has no id", body = super::openapi::ProblemBody),
        (status = 503, description = "The store failed, or it is removed and not in force yet", body = super::openapi::ProblemBody),
    ))]
pub async fn remove(
    State(api): State<Arc<Api>>,
    Admin(who): Admin,
    id: PathId,
    condition: Precondition,
) -> Result<Json<Removed>, ApiError> {
    let id = id.parse(CampaignId::new)?;
    let found = find(&api, &id).await?;
    let expected = condition.expected(found.as_ref(), tag)?;
    let deleted = api.inventory.delete_campaign(id, expected, &who.author);
    let removed = match deleted.await? {
        Changed::Differs(found) => return Err(ApiError::Differs(found.as_ref().map(tag))),
        Changed::From(_) => true,
        Changed::Made | Changed::Same | Changed::Missing => false,
    };
    api.sync.now().await?;
    Ok(Json(Removed { removed }))
}

/// The tag of a campaign.
fn tag(campaign: &Campaign) -> String {
    etag::tag(&CampaignBody::from(campaign))
}

async fn find(api: &Api, id: &CampaignId) -> Result<Option<Campaign>, ApiError> {
    let campaigns = api.inventory.campaigns().await?;
    Ok(campaigns.into_iter().find(|campaign| campaign.id == *id))
}

fn shown(campaign: &Campaign) -> Response {
    let body = Json(CampaignBody::from(campaign));
    ([etag::header(&tag(campaign))], body).into_response()
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
