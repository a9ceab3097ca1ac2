//! Each page in its file.

mod live;
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
}
