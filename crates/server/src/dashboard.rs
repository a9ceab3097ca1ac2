//! The dashboard: pages for people, made of what the API answers.
//!
//! A page asks the API for what it shows, and has it do what a form says, as the very person who looks: with the same cookie or
//! token, from the same address. So what somebody may see or do is decided in one place, and a page can show nothing that the
//! API would not.

mod ask;
mod assets;
mod failure;
mod form;
mod pages;
mod render;
mod visit;

use std::sync::Arc;

use axum::response::Redirect;
use axum::routing::get;
use axum::{Router, middleware};
use caller_id_core::Clock;
use tokio_util::sync::CancellationToken;

use self::ask::Asker;
use self::pages::{Followers, Made};
use self::render::Templates;
use crate::http::route;

/// What pages are made with.
struct Dashboard {
    api: Asker,
    templates: &'static Templates,
    /// The first page, as it was made last.
    made: Made,
    /// Who keeps it up to date.
    followers: Followers,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
}

/// The dashboard over an API: all its routes. Pages that are kept up to date end with `stop`.
pub fn over(api: Router, clock: Arc<dyn Clock>, stop: CancellationToken) -> Router {
    let dashboard = Arc::new(Dashboard {
        api: Asker::new(api),
        templates: render::templates(),
        made: Made::default(),
        followers: Followers::default(),
        clock,
        stop,
    });
    Router::new()
        .route("/", get(async || Redirect::to("/dashboard")))
        // Where browsers end who follow `.` or `..`.
        .route("/dashboard/", get(async || Redirect::to("/dashboard")))
        .merge(assets::routes())
        .merge(pages::routes())
        .route("/dashboard/{*page}", get(pages::missing))
        .layer(middleware::from_fn(route::tell))
        .with_state(dashboard)
}
