//! Who changed what.

mod changes;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use minijinja::context;
use serde_json::Value;

use super::search::{Search, download};
use crate::dashboard::Dashboard;
use crate::dashboard::failure::Failure;
use crate::dashboard::visit::Visit;

/// What entries are looked for by.
const FIELDS: [&str; 5] = ["author", "action", "subject", "since", "until"];

/// The routes of this file.
pub(super) fn routes() -> Router<Arc<Dashboard>> {
    Router::new()
        .route("/dashboard/audit", get(list))
        .route("/dashboard/audit.csv", get(csv))
}

async fn list(State(dashboard): State<Arc<Dashboard>>, visit: Visit) -> Result<Response, Failure> {
    let search = Search::read(&visit, &FIELDS);
    let mut found = search.page_of(&dashboard, &visit, "/api/v1/audit").await?;
    let entries = found.list["entries"].as_array_mut();
    for entry in entries.into_iter().flatten() {
        let (before, after) = (entry["before"].take(), entry["after"].take());
        entry["changes"] =
            serde_json::to_value(changes::of(&before, &after)).unwrap_or(Value::Null);
    }
    found.page(&dashboard, &visit, "audit/list.html", context! {})
}

async fn csv(State(dashboard): State<Arc<Dashboard>>, visit: Visit) -> Result<Response, Failure> {
    let search = Search::read(&visit, &FIELDS);
    download(&dashboard, &visit, &search.all_of("/api/v1/audit.csv")).await
}
