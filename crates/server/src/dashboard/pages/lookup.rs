//! Who was called from a number: for calls that come back.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use minijinja::context;

use super::search::Search;
use crate::dashboard::Dashboard;
use crate::dashboard::failure::Failure;
use crate::dashboard::visit::Visit;

/// The routes of this file.
pub(super) fn routes() -> Router<Arc<Dashboard>> {
    Router::new().route("/dashboard/lookup", get(show))
}

async fn show(State(dashboard): State<Arc<Dashboard>>, visit: Visit) -> Result<Response, Failure> {
    let search = Search::read(&visit, &["number", "from"]);
    if search.query().is_empty() {
        let nothing = context! { asked => context! {} };
        let templates = &dashboard.templates;
        return templates.page(&visit, "lookup/show.html", nothing);
    }
    let found = search.page_of(&dashboard, &visit, "/api/v1/lookup").await?;
    found.page(&dashboard, &visit, "lookup/show.html", context! {})
}
