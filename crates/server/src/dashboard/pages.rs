//! Each page in its file.

mod audit;
mod campaigns;
mod coverage;
mod explain;
mod history;
mod import;
mod jobs;
mod keys;
mod live;
mod lookup;
mod numbers;
mod overview;
mod pools;
mod requests;
mod reservations;
mod search;
mod settings;
mod shared;

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;

pub(super) use self::live::{Followers, Made};

use super::Dashboard;
use super::failure::Failure;
use super::visit::Visit;

/// All of them.
pub(super) fn routes() -> Router<Arc<Dashboard>> {
    Router::new()
        .route("/dashboard", get(overview::show))
        .route("/dashboard/live", get(live::follow))
        .merge(pools::routes())
        .merge(campaigns::routes())
        .merge(explain::routes())
        .merge(coverage::routes())
        .merge(numbers::routes())
        .merge(import::routes())
        .merge(audit::routes())
        .merge(history::routes())
        .merge(jobs::routes())
        .merge(keys::routes())
        .merge(lookup::routes())
        .merge(requests::routes())
        .merge(reservations::routes())
        .merge(settings::routes())
}

/// There is no such page: somebody who may not see any is told to sign in first.
pub(super) async fn missing(visit: Visit) -> Failure {
    Failure::of(&visit, StatusCode::NOT_FOUND, "There is no such page")
}
