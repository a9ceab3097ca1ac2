//! The history of calls: which number was shown to whom, and how that ended.

mod words;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use minijinja::context;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::search::{Search, download};
use crate::dashboard::Dashboard;
use crate::dashboard::failure::Failure;
use crate::dashboard::visit::Visit;

/// What calls are looked for by.
const FIELDS: [&str; 8] = [
    "destination",
    "number",
    "call_id",
    "campaign",
    "agent",
    "pool",
    "since",
    "until",
];

/// The routes of this file.
pub(super) fn routes() -> Router<Arc<Dashboard>> {
    Router::new()
        .route("/dashboard/history", get(list))
        .route("/dashboard/history.csv", get(csv))
        .route("/dashboard/history/{id}", get(show))
}

async fn list(State(dashboard): State<Arc<Dashboard>>, visit: Visit) -> Result<Response, Failure> {
    let search = Search::read(&visit, &FIELDS);
    let found = search.page_of(&dashboard, &visit, "/api/v1/allocations");
    let found = found.await?;
    found.page(&dashboard, &visit, "history/list.html", context! {})
}

async fn csv(State(dashboard): State<Arc<Dashboard>>, visit: Visit) -> Result<Response, Failure> {
    let search = Search::read(&visit, &FIELDS);
    let path = search.all_of("/api/v1/allocations.csv");
    download(&dashboard, &visit, &path).await
}

/// All that is known of a call. That its number is not in the inventory any more is no reason to show nothing.
async fn show(
    State(dashboard): State<Arc<Dashboard>>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let id = utf8_percent_encode(&id, NON_ALPHANUMERIC);
    let api = &dashboard.api;
    let call = api
        .get(&visit, &format!("/api/v1/allocations/{id}"))
        .await?;
    let number = call["caller_id"].as_str().unwrap_or_default();
    let number = utf8_percent_encode(number, NON_ALPHANUMERIC);
    let number = api.get(&visit, &format!("/api/v1/numbers/{number}")).await;
    let shown = context! {
        number => number.ok(),
        rung => call["rung"].as_str().and_then(words::rung),
        cause => call["hangup_cause"].as_u64().and_then(words::cause),
        sip => call["sip_code"].as_u64().and_then(words::sip),
        call,
    };
    dashboard.templates.page(&visit, "history/call.html", shown)
}
