//! The numbers that are held for calls now.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::Method;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use minijinja::context;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::search::Search;
use crate::dashboard::Dashboard;
use crate::dashboard::ask::Order;
use crate::dashboard::failure::Failure;
use crate::dashboard::form::Form;
use crate::dashboard::visit::Visit;

/// What they are looked for by.
const FIELDS: [&str; 6] = [
    "destination",
    "number",
    "call_id",
    "campaign",
    "agent",
    "pool",
];

/// The routes of this file.
pub(super) fn routes() -> Router<Arc<Dashboard>> {
    Router::new()
        .route("/dashboard/reservations", get(list))
        .route("/dashboard/reservations/{id}/end", post(end))
}

async fn list(State(dashboard): State<Arc<Dashboard>>, visit: Visit) -> Result<Response, Failure> {
    let search = Search::read(&visit, &FIELDS);
    let done = Search::read(&visit, &["done"]);
    let found = search.page_of(&dashboard, &visit, "/api/v1/reservations");
    let found = found.await?;
    let shown = context! { done => done.text("done") };
    found.page(&dashboard, &visit, "reservations/list.html", shown)
}

/// Ends one: the number is free once its rest is over, whatever becomes of the call.
async fn end(
    State(dashboard): State<Arc<Dashboard>>,
    visit: Visit,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, Failure> {
    let id = utf8_percent_encode(&id, NON_ALPHANUMERIC);
    let path = format!("/api/v1/reservations/{id}");
    let order = Order::new(Method::DELETE, path, Value::Null);
    let answer = dashboard.api.order(&visit, form.proof(), order).await?;
    let done = match answer.body["released"].as_bool() {
        Some(true) => "ended",
        _ => "over",
    };
    Ok(Redirect::to(&format!("/dashboard/reservations?done={done}")).into_response())
}
