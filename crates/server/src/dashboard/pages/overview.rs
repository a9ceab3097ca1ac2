//! The first page: how it goes now.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use minijinja::context;

use crate::dashboard::Dashboard;
use crate::dashboard::failure::Failure;
use crate::dashboard::visit::Visit;

/// What is asked for it, here and while it is kept up to date.
pub(super) const OVERVIEW: &str = "/api/v1/overview";

pub(super) async fn show(
    State(dashboard): State<Arc<Dashboard>>,
    visit: Visit,
) -> Result<Response, Failure> {
    let overview = dashboard.api.get(&visit, OVERVIEW).await?;
    let templates = &dashboard.templates;
    templates.page(&visit, "overview.html", context! { overview })
}
