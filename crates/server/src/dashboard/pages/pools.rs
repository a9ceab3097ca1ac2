//! Pools: how they stand, and how their numbers rotate.

mod changes;
mod form;
pub(super) mod words;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use minijinja::context;
use serde_json::{Map, Value, json};

use super::campaigns::days;
use super::overview::OVERVIEW;
use super::shared::{asked, part, segment};
use crate::dashboard::Dashboard;
use crate::dashboard::failure::Failure;
use crate::dashboard::form::Form;
use crate::dashboard::render;
use crate::dashboard::visit::Visit;

/// Where the API has them.
pub(super) const POOLS: &str = "/api/v1/pools";
/// So many numbers of a pool are looked at to say how often they may be used.
const NUMBERS_SEEN: usize = 100;

/// The routes of these pages.
pub(super) fn routes() -> Router<Arc<Dashboard>> {
    Router::new()
        .route("/dashboard/pools", get(list).post(changes::create))
        .route("/dashboard/pools/{id}", get(show).post(changes::save))
        .route("/dashboard/pools/{id}/delete", post(changes::remove))
}

/// How pools stand now; none where that is not known.
async fn live(dashboard: &Dashboard, visit: &Visit) -> Result<Option<Vec<Value>>, Failure> {
    let mut overview = dashboard.api.get(visit, OVERVIEW).await?;
    let missing = overview["missing"].as_array().into_iter().flatten();
    let is_known = !missing.into_iter().any(|part| part == "pools");
    Ok(is_known.then(|| lines(overview["pools"].take())))
}

async fn list(State(dashboard): State<Arc<Dashboard>>, visit: Visit) -> Result<Response, Failure> {
    let asked = asked(&visit.uri);
    let templates = &dashboard.templates;
    if !asked.text("new").is_empty() {
        return changes::blank(&dashboard, &visit).await;
    }
    let live = live(&dashboard, &visit).await?;
    let is_known = live.is_some();
    let (lines_live, parts) = part(live.unwrap_or_default(), &asked);
    if asked.text("part") == "live" {
        let shown =
            context! { pools => lines_live, is_known, now => dashboard.clock.now().to_string() };
        return Ok(render::html(templates.fragment("pools/live.html", shown)?));
    }
    let mut pools = dashboard.api.get(&visit, POOLS).await?;
    let (mut policies, all_parts) = part(lines(pools["pools"].take()), &asked);
    for pool in &mut policies {
        pool["cells"] = form::cells(pool).into();
    }
    let parts = if is_known { parts } else { all_parts };
    let shown = context! {
        pools => lines_live, is_known, policies, parts, done => asked.text("done"),
        now => dashboard.clock.now().to_string(),
    };
    templates.page(&visit, "pools/list.html", shown)
}

/// The pool of a page, with all that is shown of it.
async fn show(
    State(dashboard): State<Arc<Dashboard>>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let asked = asked(&visit.uri);
    if asked.text("part") == "live" {
        let live = now(&dashboard, &visit, &id).await?;
        let text = dashboard.templates.fragment(
            "pools/now.html",
            context! { live, now => dashboard.clock.now().to_string() },
        );
        return Ok(render::html(text?));
    }
    page(&dashboard, &visit, &id, &asked, None).await
}

/// How one pool stands; null where that is not known.
async fn now(dashboard: &Dashboard, visit: &Visit, id: &str) -> Result<Value, Failure> {
    let mut pools = live(dashboard, visit)
        .await?
        .unwrap_or_default()
        .into_iter();
    Ok(pools.find(|pool| pool["id"] == id).unwrap_or_default())
}

/// Why nothing was changed, and what was filled in.
struct Refused<'a> {
    form: Option<&'a Form>,
    faults: Map<String, Value>,
    said: String,
}

/// The page of a pool; with a form that was refused, that.
async fn page(
    dashboard: &Dashboard,
    visit: &Visit,
    id: &str,
    asked: &Form,
    refused: Option<Refused<'_>>,
) -> Result<Response, Failure> {
    let api = &dashboard.api;
    let answer = api
        .get_tagged(visit, &format!("{POOLS}/{}", segment(id)))
        .await?;
    let pool = answer.body;
    let id = pool["id"].as_str().unwrap_or(id);
    let globals = globals(dashboard, visit).await?;
    let filled = refused
        .as_ref()
        .and_then(|refused| Some((refused.form?, &refused.faults)));
    let fields = match filled {
        Some((form, faults)) => form::filled(form, &globals, faults),
        None => form::fields(&pool, &globals),
    };
    let (numbers, all) = numbers(dashboard, visit, id).await?;
    let zone = pool["effective"]["time_zone"].as_str().unwrap_or("UTC");
    let calls = days::of(dashboard, visit, ("pool", id), zone).await?;
    let campaigns = campaigns(dashboard, visit, id).await?;
    let shown = context! {
        pool, fields, campaigns, calls,
        etag => answer.etag,
        live => now(dashboard, visit, id).await?,
        now => dashboard.clock.now().to_string(),
        sentences => words::sentences(&pool["effective"], &numbers, all),
        cells => form::cells(&pool),
        done => asked.text("done"),
        asks_delete => !asked.text("delete").is_empty(),
        said => refused.map(|refused| refused.said),
    };
    dashboard.templates.page(visit, "pools/show.html", shown)
}

/// What the global settings say.
async fn globals(dashboard: &Dashboard, visit: &Visit) -> Result<Value, Failure> {
    let mut pools = dashboard.api.get(visit, POOLS).await?;
    Ok(form::globals(&lines(pools["pools"].take())))
}

/// Some numbers of a pool, and whether these are all.
async fn numbers(
    dashboard: &Dashboard,
    visit: &Visit,
    id: &str,
) -> Result<(Vec<Value>, bool), Failure> {
    if id.contains(',') {
        // The API would read it as two names.
        return Ok((Vec::new(), false));
    }
    let path = format!("/api/v1/numbers?pool={}&limit={NUMBERS_SEEN}", segment(id));
    let mut answer = dashboard.api.get(visit, &path).await?;
    Ok((lines(answer["numbers"].take()), answer["next"].is_null()))
}

/// The campaigns that name a pool.
async fn campaigns(dashboard: &Dashboard, visit: &Visit, id: &str) -> Result<Vec<Value>, Failure> {
    let mut answer = dashboard.api.get(visit, "/api/v1/campaigns").await?;
    let names = |campaign: &Value| {
        let pools = campaign["pools"].as_array()?;
        let place = pools.iter().position(|pool| pool == id)?;
        Some(json!({"id": campaign["id"], "place": place + 1, "pools": pools.len()}))
    };
    Ok(lines(answer["campaigns"].take())
        .iter()
        .filter_map(names)
        .collect())
}

/// The members of a list; nothing of what is none.
pub(super) fn lines(list: Value) -> Vec<Value> {
    match list {
        Value::Array(lines) => lines,
        _ => Vec::new(),
    }
}
