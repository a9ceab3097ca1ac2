//! The pages about numbers: the list, one number, a new one, and changes of many.

mod act;
mod bulk;
mod change;
mod filter;
mod list;
mod one;
mod past;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::dashboard::Dashboard;

/// The routes of these pages.
pub(super) fn routes() -> Router<Arc<Dashboard>> {
    Router::new()
        .route("/dashboard/numbers", get(list::show))
        .route("/dashboard/numbers/export", get(list::export))
        .route("/dashboard/numbers/new", get(act::blank).post(act::add))
        .route(
            "/dashboard/numbers/bulk",
            get(bulk::show).post(bulk::change),
        )
        .route("/dashboard/numbers/bulk/{job}", get(bulk::job))
        .route("/dashboard/numbers/bulk/{job}/cancel", post(bulk::cancel))
        .route(
            "/dashboard/numbers/{number}",
            get(one::show).post(act::edit),
        )
        .route("/dashboard/numbers/{number}/{action}", post(act::act))
}
