//! What goes on by itself: imports, and changes of many numbers.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::Method;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use minijinja::context;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::dashboard::Dashboard;
use crate::dashboard::ask::Order;
use crate::dashboard::failure::Failure;
use crate::dashboard::form::Form;
use crate::dashboard::visit::Visit;

/// The routes of this file.
pub(super) fn routes() -> Router<Arc<Dashboard>> {
    Router::new()
        .route("/dashboard/jobs", get(list))
        .route("/dashboard/jobs/{id}/cancel", post(cancel))
}

async fn list(State(dashboard): State<Arc<Dashboard>>, visit: Visit) -> Result<Response, Failure> {
    let jobs = dashboard.api.get(&visit, "/api/v1/jobs").await?;
    let shown = context! { jobs => &jobs["jobs"] };
    dashboard.templates.page(&visit, "jobs/list.html", shown)
}

/// It ends after what it is just writing, and that stays.
async fn cancel(
    State(dashboard): State<Arc<Dashboard>>,
    visit: Visit,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, Failure> {
    let id = utf8_percent_encode(&id, NON_ALPHANUMERIC);
    let path = format!("/api/v1/jobs/{id}");
    let order = Order::new(Method::DELETE, path, Value::Null);
    dashboard.api.order(&visit, form.proof(), order).await?;
    Ok(Redirect::to("/dashboard/jobs").into_response())
}
