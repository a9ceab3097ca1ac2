//! Each page in its file.

mod import;
mod live;
mod numbers;
mod overview;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use super::Dashboard;

/// All of them.
pub(super) fn routes() -> Router<Arc<Dashboard>> {
    Router::new()
        .route("/dashboard", get(overview::show))
        .route("/dashboard/live", get(live::follow))
        .merge(numbers::routes())
        .merge(import::routes())
}
