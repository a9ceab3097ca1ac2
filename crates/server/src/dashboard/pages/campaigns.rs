//! Campaigns: which pools each uses in which order, and how its calls went.

mod changes;
pub(super) mod days;
mod draft;

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use caller_id_core::Timestamp;
use minijinja::context;
use serde_json::{Value, json};

use self::draft::Draft;
use super::pools::words::sentences;
use super::pools::{POOLS, lines};
use super::shared::{asked, faults, part, said, segment, with_status};
use crate::dashboard::Dashboard;
use crate::dashboard::failure::Failure;
use crate::dashboard::form::Form;
use crate::dashboard::visit::Visit;

const CAMPAIGNS: &str = "/api/v1/campaigns";
const WEEK_MS: i64 = 7 * 24 * 3_600_000;

/// The routes of these pages.
pub(super) fn routes() -> Router<Arc<Dashboard>> {
    Router::new()
        .route("/dashboard/campaigns", get(list).post(changes::open))
        .route("/dashboard/campaigns/{id}", get(show).post(changes::save))
        .route("/dashboard/campaigns/{id}/delete", post(changes::remove))
}

async fn list(State(dashboard): State<Arc<Dashboard>>, visit: Visit) -> Result<Response, Failure> {
    listed(&dashboard, &visit, None).await
}

/// The list; with a name that cannot be one, what is wrong with it.
async fn listed(
    dashboard: &Dashboard,
    visit: &Visit,
    wrong: Option<(&str, &str)>,
) -> Result<Response, Failure> {
    let asked = asked(&visit.uri);
    let mut answer = dashboard
        .api
        .get(visit, &format!("{CAMPAIGNS}?seen=true"))
        .await?;
    let mut all = lines(answer["campaigns"].take());
    let unknown = all.iter().filter(|one| one["configured"] == false).count();
    if asked.text("only") == "unknown" {
        all.retain(|one| one["configured"] == false);
    }
    let (mut campaigns, parts) = part(all, &asked);
    let week = week(dashboard, visit).await?;
    for campaign in &mut campaigns {
        let id = campaign["id"].as_str().unwrap_or_default();
        campaign["week"] = week.get(id).cloned().unwrap_or_default();
    }
    let shown = context! {
        campaigns, parts, unknown, only => asked.text("only"), done => asked.text("done"),
        name => wrong.map(|(name, _)| name), fault => wrong.map(|(_, fault)| fault),
    };
    let page = dashboard
        .templates
        .page(visit, "campaigns/list.html", shown)?;
    Ok(match wrong {
        Some(_) => with_status(page, StatusCode::UNPROCESSABLE_ENTITY),
        None => page,
    })
}

/// The calls of each campaign in the last week.
async fn week(dashboard: &Dashboard, visit: &Visit) -> Result<HashMap<String, Value>, Failure> {
    let day = dashboard.api.get(visit, "/api/v1/stats").await?;
    let until: Option<Timestamp> = day["until"].as_str().and_then(|at| at.parse().ok());
    let since = until
        .unwrap_or(Timestamp::ZERO)
        .plus_ms(-WEEK_MS)
        .max(Timestamp::ZERO);
    let since = segment(&since.to_string());
    let path = format!("/api/v1/stats?by=campaign&since={since}&limit=10000");
    let mut stats = dashboard.api.get(visit, &path).await?;
    let of = |row: Value| {
        let (answered, reported) = (row["answered"].as_u64().unwrap_or(0), days::reported(&row));
        let week = json!({
            "calls": row["calls"], "reported": reported, "answer_rate": days::rate(answered, reported),
        });
        Some((row["key"].as_str()?.to_owned(), week))
    };
    Ok(lines(stats["rows"].take())
        .into_iter()
        .filter_map(of)
        .collect())
}

async fn show(
    State(dashboard): State<Arc<Dashboard>>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    page(&dashboard, &visit, &id, Shown::Stored).await
}

/// What the form of a page shows.
enum Shown<'a> {
    /// What is stored.
    Stored,
    /// What is being arranged, and what it began with.
    Arranged(Draft, &'a Form),
    /// What was filled in and cannot be taken.
    Refused(Draft, Failure),
}

/// The page of a campaign, set up or not.
async fn page(
    dashboard: &Dashboard,
    visit: &Visit,
    id: &str,
    form: Shown<'_>,
) -> Result<Response, Failure> {
    let asked = asked(&visit.uri);
    let id = id.trim();
    let found = find(dashboard, visit, id).await?;
    let (campaign, etag) = (found.campaign, found.etag);
    let mut pools = dashboard.api.get(visit, POOLS).await?;
    let pools = lines(pools["pools"].take());
    let zone = zone(&campaign, &pools);
    let calls = days::of(dashboard, visit, ("campaign", id), &zone).await?;
    let stored = Draft::of(&campaign);
    let (draft, etag, refused) = match form {
        Shown::Stored => (stored.clone(), etag, None),
        Shown::Arranged(draft, form) => (draft, Some(form.text("etag").to_owned()), None),
        Shown::Refused(draft, failure) => (draft, etag, Some(failure)),
    };
    let status = refused
        .as_ref()
        .map_or(StatusCode::OK, |failure| failure.status);
    let shown = context! {
        id, campaign, etag, calls,
        is_set_up => found.is_set_up,
        draft => draft.shown(&pools),
        policies => policies(&draft, &pools),
        is_changed => draft != stored,
        done => asked.text("done"),
        asks_delete => !asked.text("delete").is_empty(),
        faults => refused.as_ref().map(faults),
        said => refused.as_ref().map(said),
    };
    let page = dashboard
        .templates
        .page(visit, "campaigns/show.html", shown)?;
    Ok(with_status(page, status))
}

/// How the numbers of each of its pools rotate, in words.
fn policies(draft: &Draft, pools: &[Value]) -> Vec<Value> {
    let told = |id: &String| {
        let pool = pools.iter().find(|pool| pool["id"] == id.as_str())?;
        let sentences = sentences(&pool["effective"], &[], false);
        Some(json!({"id": id, "sentences": sentences}))
    };
    draft.pools.iter().filter_map(told).collect()
}

/// A campaign, or what holds for one that nobody set up.
struct Found {
    campaign: Value,
    etag: Option<String>,
    is_set_up: bool,
}

async fn find(dashboard: &Dashboard, visit: &Visit, id: &str) -> Result<Found, Failure> {
    let path = format!("{CAMPAIGNS}/{}", segment(id));
    match dashboard.api.get_tagged(visit, &path).await {
        Ok(answer) => Ok(Found {
            campaign: answer.body,
            etag: answer.etag,
            is_set_up: true,
        }),
        Err(failure) if failure.status == StatusCode::NOT_FOUND => Ok(Found {
            campaign: json!({"id": id, "pools": ["default"], "agent_rate_limit_per_minute": null}),
            etag: None,
            is_set_up: false,
        }),
        Err(failure) => Err(failure),
    }
}

/// Where the days of a campaign begin: as in the pool that it asks first.
fn zone(campaign: &Value, pools: &[Value]) -> String {
    let first = pools.iter().find(|pool| pool["id"] == campaign["pools"][0]);
    let zone = first.and_then(|pool| pool["effective"]["time_zone"].as_str());
    zone.unwrap_or("UTC").to_owned()
}
