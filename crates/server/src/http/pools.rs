//! Pools and how their numbers rotate.

pub mod counts;

use std::num::NonZeroU16;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use caller_id_core::listing::{Changed, PoolRemoval};
use caller_id_core::{Ladder, PolicyOverrides, Pool, PoolId, TimeZone};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use self::counts::{PoolNumbers, counts};
use super::body::Object;
use super::campaigns::Removed;
use super::etag::{self, Precondition};
use super::fields::{Fields, PathId};
use super::{Admin, Answers, Api, ApiError, Viewer};

/// The longest reservation and cooldown, in seconds: a day.
const DAY_SECONDS: u32 = 86_400;
/// The longest sticky time, in seconds: a year.
const YEAR_SECONDS: u32 = 366 * DAY_SECONDS;
/// What of a pool can be changed.
const POLICY: &str = "policy";

/// How the numbers of a pool rotate. What is missing follows the global settings.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct PolicyBody {
    /// Least rest of a number between two uses.
    #[schema(minimum = 0, maximum = 86400)]
    cooldown_seconds: Option<i64>,
    /// How long a number is held when nobody releases it.
    #[schema(minimum = 1, maximum = 86400)]
    reservation_seconds: Option<i64>,
    /// Most reservations of one number at the same time; 1 = exclusive.
    #[schema(minimum = 1)]
    most_reservations: Option<u16>,
    /// How long a destination keeps seeing the same number; 0 = off. Across a restart no longer than
    /// HISTORY_RETENTION_DAYS.
    sticky_seconds: Option<i64>,
    /// Where local midnight is, for daily limits: an IANA name.
    time_zone: Option<String>,
    /// The rungs that may be tried: area_code, overlay, region, any.
    ladder: Option<Vec<String>>,
}

/// What `PUT` takes: the policy alone, or all that `GET` gives.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum PutPoolBody {
    /// The policy alone.
    Policy(PolicyBody),
    /// All of it.
    Whole(PutPool),
}

/// A pool as `GET` gives it, of which `policy` can be changed.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body; it is read field by field")]
pub struct PutPool {
    /// What this pool says itself.
    policy: Option<PolicyBody>,
    /// As in the path.
    id: Option<String>,
    /// As it was, or as it is then.
    #[schema(value_type = Option<Object>)]
    effective: Option<Value>,
    /// As they were, or as they are then.
    warnings: Option<Vec<String>>,
    /// Passed over.
    #[schema(value_type = Option<Object>)]
    numbers: Option<Value>,
}

/// A pool as the API shows it.
#[derive(Debug, Serialize, ToSchema)]
pub struct PoolBody {
    id: String,
    /// What this pool says itself.
    policy: PolicyBody,
    /// What holds, with the global settings.
    effective: PolicyBody,
    /// What is allowed, but should be known.
    warnings: Vec<String>,
    /// How many numbers are in it, by their status.
    numbers: PoolNumbers,
}

/// All pools.
#[derive(Debug, Serialize, ToSchema)]
pub struct PoolList {
    pools: Vec<PoolBody>,
}

/// All pools, by name.
#[utoipa::path(get, path = "/api/v1/pools", tag = "inventory", security(("admin_token" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "All", body = PoolList),
        (status = 503, description = "The store failed", body = super::openapi::ProblemBody),
    ))]
pub async fn list(
    State(api): State<Arc<Api>>,
    _viewer: Viewer,
) -> Result<Json<PoolList>, ApiError> {
    let pools = api.inventory.pools().await?;
    let counted = counts(&*api.inventory, &pools).await?;
    let show = |(pool, numbers)| PoolBody::new(&pool, numbers, &api.answers);
    Ok(Json(PoolList {
        pools: pools.into_iter().zip(counted).map(show).collect(),
    }))
}

/// One pool.
#[utoipa::path(get, path = "/api/v1/pools/{id}", tag = "inventory", security(("admin_token" = []), ("bearer" = [])),
    params(("id" = String, Path, description = "Its name")),
    responses(
        (status = 200, description = "It", body = PoolBody, headers(("ETag" = String, description = "For If-Match"))),
        (status = 404, description = "There is none", body = super::openapi::ProblemBody),
        (status = 422, description = "The path has no name", body = super::openapi::ProblemBody),
        (status = 503, description = "The store failed", body = super::openapi::ProblemBody),
    ))]
pub async fn show(
    State(api): State<Arc<Api>>,
    _viewer: Viewer,
    id: PathId,
) -> Result<Response, ApiError> {
    let id = id.parse(PoolId::new)?;
    let pool = find(&api, &id).await?;
    let pool = pool.ok_or_else(|| ApiError::no_such("pool", &id))?;
    shown(&api, &pool).await
}

/// Makes a pool, or replaces what it says: its policy alone, or all that `GET` gives of it, of which only `policy` can be
/// changed. It holds from the next request on. With `If-Match` only what was seen is replaced, with `If-None-Match: *`
/// nothing is.
#[utoipa::path(put, path = "/api/v1/pools/{id}", tag = "inventory", security(("admin_token" = []), ("bearer" = [])),
    params(
        ("id" = String, Path, description = "Its name"),
        ("If-Match" = Option<String>, Header, description = "The ETag of what was seen"),
        ("If-None-Match" = Option<String>, Header, description = "*: only where there is none"),
    ),
    request_body = PutPoolBody,
    responses(
        (status = 200, description = "As it is now", body = PoolBody, headers(("ETag" = String, description = "For If-Match"))),
        (status = 412, description = "It is not what was seen", body = super::openapi::ProblemBody),
        (status = 413, description = "The body is too large", body = super::openapi::ProblemBody),
        (status = 415, description = "The body says to be something else", body = super::openapi::ProblemBody),
        (status = 422, description = "A field cannot be understood", body = super::openapi::ProblemBody),
        (status = 503, description = "The store failed, or it is changed and not in force yet", body = super::openapi::ProblemBody),
    ))]
pub async fn put(
    State(api): State<Arc<Api>>,
    Admin(who): Admin,
    id: PathId,
    condition: Precondition,
    Object(members): Object,
) -> Result<Response, ApiError> {
    let id = id.parse(PoolId::to_make)?;
    let policy = match members.contains_key(POLICY) {
        true => read_shown(&api, &id, members).await?,
        false => read(Fields::new(members), &[])?,
    };
    let found = find(&api, &id).await?;
    let expected = condition.expected(found.as_ref(), tag)?;
    let pool = Pool { id, policy };
    let put = api.inventory.put_pool(pool.clone(), expected, &who.author);
    if let Changed::Differs(found) = put.await? {
        return Err(condition.differs(found.as_ref().map(tag)));
    }
    api.sync.now().await?;
    shown(&api, &pool).await
}

/// Removes a pool that nothing uses.
#[utoipa::path(delete, path = "/api/v1/pools/{id}", tag = "inventory", security(("admin_token" = []), ("bearer" = [])),
    params(
        ("id" = String, Path, description = "Its name"),
        ("If-Match" = Option<String>, Header, description = "The ETag of what was seen"),
    ),
    responses(
        (status = 200, description = "It is removed", body = Removed),
        (status = 404, description = "There is none", body = super::openapi::ProblemBody),
        (status = 409, description = "It is in use; says by what", body = super::openapi::ProblemBody),
        (status = 412, description = "It is not what was seen", body = super::openapi::ProblemBody),
        (status = 422, description = "The path has no name", body = super::openapi::ProblemBody),
        (status = 503, description = "The store failed", body = super::openapi::ProblemBody),
    ))]
pub async fn remove(
    State(api): State<Arc<Api>>,
    Admin(who): Admin,
    id: PathId,
    condition: Precondition,
) -> Result<Json<Removed>, ApiError> {
    let id = id.parse(PoolId::new)?;
    let found = find(&api, &id).await?;
    let expected = condition.expected(found.as_ref(), tag)?;
    let removal = api.inventory.delete_pool(id.clone(), expected, &who.author);
    match removal.await? {
        PoolRemoval::Removed => Ok(Json(Removed::YES)),
        PoolRemoval::Missing => Err(ApiError::no_such("pool", &id)),
        PoolRemoval::Differs => {
            let found = find(&api, &id).await?;
            Err(ApiError::Differs(found.as_ref().map(tag)))
        }
        PoolRemoval::InUse { numbers, campaigns } => {
            Err(ApiError::InUse(used_by(&id, numbers, &campaigns)))
        }
    }
}

/// By what a pool is used, for people.
fn used_by(id: &PoolId, numbers: u64, campaigns: &[String]) -> String {
    const NAMED_MOST: usize = 20;
    let mut by = Vec::new();
    if numbers > 0 {
        by.push(format!("{numbers} numbers are in it"));
    }
    if !campaigns.is_empty() {
        let named = &campaigns[..campaigns.len().min(NAMED_MOST)];
        let more = match campaigns.len() - named.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        by.push(format!("campaigns name it: {}{more}", named.join(", ")));
    }
    if by.is_empty() {
        by.push("campaigns that are not configured use it".to_owned());
    }
    format!("The pool `{id}` is in use: {}", by.join("; "))
}

/// The tag of a pool.
fn tag(pool: &Pool) -> String {
    etag::tag(&(pool.id.as_str(), PolicyBody::from(&pool.policy)))
}

async fn find(api: &Api, id: &PoolId) -> Result<Option<Pool>, ApiError> {
    let pools = api.inventory.pools().await?;
    Ok(pools.into_iter().find(|pool| pool.id == *id))
}

async fn shown(api: &Api, pool: &Pool) -> Result<Response, ApiError> {
    let counted = counts(&*api.inventory, std::slice::from_ref(pool)).await?;
    let numbers = counted.into_iter().next().unwrap_or_default();
    let body = PoolBody::new(pool, numbers, &api.answers);
    Ok(([etag::header(&tag(pool))], Json(body)).into_response())
}

impl PoolBody {
    fn new(pool: &Pool, numbers: PoolNumbers, answers: &Answers) -> Self {
        let effective = pool.policy.over(&answers.policy);
        let warning = answers.kept.warning("sticky_seconds", &effective);
        let whole = PolicyOverrides {
            ladder: Some(effective.ladder),
            cooldown_ms: Some(effective.cooldown_ms),
            reservation_ms: Some(effective.reservation_ms),
            most_reservations: Some(effective.most_reservations),
            sticky_ms: Some(effective.sticky_ms),
            time_zone: Some(effective.time_zone),
        };
        Self {
            id: pool.id.to_string(),
            policy: PolicyBody::from(&pool.policy),
            effective: PolicyBody::from(&whole),
            warnings: warning.into_iter().collect(),
            numbers,
        }
    }
}

impl From<&PolicyOverrides> for PolicyBody {
    fn from(policy: &PolicyOverrides) -> Self {
        let seconds = |ms: Option<i64>| ms.map(|ms| ms / 1_000);
        let rungs = |ladder: Ladder| ladder.to_string().split(',').map(str::to_owned).collect();
        Self {
            cooldown_seconds: seconds(policy.cooldown_ms),
            reservation_seconds: seconds(policy.reservation_ms),
            most_reservations: policy.most_reservations.map(NonZeroU16::get),
            sticky_seconds: seconds(policy.sticky_ms),
            time_zone: policy.time_zone.as_ref().map(|zone| zone.name().to_owned()),
            ladder: policy.ladder.map(rungs),
        }
    }
}

/// The policy in what `GET` gives of a pool. The rest follows from it: as it was, or as it is then, it is passed over.
async fn read_shown(
    api: &Api,
    id: &PoolId,
    mut members: Map<String, Value>,
) -> Result<PolicyOverrides, ApiError> {
    let policy = match members.remove(POLICY) {
        Some(Value::Object(policy)) => policy,
        None | Some(Value::Null) => Map::new(),
        Some(_) => {
            return Err(ApiError::invalid(
                &["body", POLICY],
                "model_type",
                "policy: an object is expected",
            ));
        }
    };
    let policy = read(Fields::new(policy), &[POLICY])?;
    let then = Pool {
        id: id.clone(),
        policy,
    };
    let pools = api.inventory.pools().await?;
    let now = pools.iter().find(|pool| pool.id == *id);
    let shown: Vec<_> = [Some(&then), now].into_iter().flatten().collect();
    let shown = shown.iter().map(|pool| {
        let body = PoolBody::new(pool, PoolNumbers::default(), &api.answers);
        serde_json::to_value(body).unwrap_or_default()
    });
    let shown: Vec<_> = shown.collect();
    let mut fields = Fields::new(members);
    // How many numbers there are changes by itself, so it is passed over.
    fields.only(&["id", POLICY, "effective", "warnings", "numbers"]);
    for name in ["id", "effective", "warnings"] {
        if shown.iter().all(|shown| fields.differs(name, &shown[name])) {
            let why = match name {
                "id" => format!("id: the path says `{id}`, and a name cannot be changed"),
                _ => format!(
                    "{name}: it follows from `policy` and the global settings: change `policy`, or leave it out"
                ),
            };
            fields.fault(name, why);
        }
    }
    fields.finish()?;
    Ok(then.policy)
}

/// The fields of a policy, which stand in the body under `inside`.
fn read(fields: Fields, inside: &[&str]) -> Result<PolicyOverrides, ApiError> {
    let mut fields = fields.inside(inside);
    fields.only(&[
        "cooldown_seconds",
        "reservation_seconds",
        "most_reservations",
        "sticky_seconds",
        "time_zone",
        "ladder",
    ]);
    let mut ms = |name, least, most| {
        fields
            .count(name, least, most)
            .value()
            .map(|s| i64::from(s) * 1_000)
    };
    let cooldown_ms = ms("cooldown_seconds", 0, DAY_SECONDS);
    let reservation_ms = ms("reservation_seconds", 1, DAY_SECONDS);
    let sticky_ms = ms("sticky_seconds", 0, YEAR_SECONDS);
    let most = fields
        .count("most_reservations", 1, u32::from(u16::MAX))
        .value();
    let time_zone = fields.text("time_zone", TimeZone::parse).value();
    let ladder = fields.read("ladder", ladder).value();
    fields.finish()?;
    Ok(PolicyOverrides {
        ladder,
        cooldown_ms,
        reservation_ms,
        most_reservations: most.and_then(|most| NonZeroU16::new(most as u16)),
        sticky_ms,
        time_zone,
    })
}

/// A list of rungs, or the same in one text with commas.
fn ladder(value: &Value) -> Result<Ladder, String> {
    let rungs = match value {
        Value::String(text) => text.clone(),
        Value::Array(rungs) => {
            let words: Option<Vec<&str>> = rungs.iter().map(Value::as_str).collect();
            words
                .ok_or("ladder: a list of texts is expected")?
                .join(",")
        }
        _ => return Err("ladder: a list of rungs is expected".to_owned()),
    };
    rungs.parse()
}
