//! The HTTP interface: the whole route list on one screen.

pub mod allocations;
pub mod audit;
pub mod body;
pub mod call_result;
pub mod campaigns;
pub mod cookie;
pub mod cors;
pub mod coverage;
pub mod dispatch;
pub mod error;
pub mod etag;
pub mod explain;
pub mod fault;
pub mod fields;
pub mod gathered;
mod guard;
pub mod health;
pub mod import;
pub mod jobs;
pub mod keys;
pub mod lookup;
pub mod me;
pub mod metrics;
pub mod next_cid;
pub mod numbers;
pub mod openapi;
pub mod overview;
pub mod page;
mod past;
pub mod peer;
pub mod pools;
pub mod query;
pub mod release;
mod request_id;
pub mod requests;
pub mod reservations;
pub(crate) mod route;
pub mod session;
pub mod settings;
pub mod sign_in;
pub mod stats;
pub mod times;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::HeaderValue;
use axum::middleware::from_fn;
use axum::routing::{MethodRouter, any, delete, get, post};
use caller_id_core::{
    AuditLog, Clock, DialPlan, HistoryReader, Inspector, InventoryStore, NumberFormat, Policy,
    Rotator,
};

use utoipa_swagger_ui::{Config, SwaggerUi};

use self::numbers::{bulk, export, list, one, status};
pub use error::ApiError;
pub use fault::Fault;
pub use peer::{Admin, Dialer, DialerOrOperator, FormerAdmin, Monitor, Operator, Peer, Viewer};

use crate::alerts::Outgoing;
use crate::auth::Access;
use crate::auth::key_keeper::KeyKeeper;
use crate::config::effective::Effective;
use crate::jobs::Jobs;
use crate::meters::Meters;
use crate::pulse::Pulse;
use crate::request_log::RequestLog;
use crate::retention::Kept;
use crate::sync::InventorySync;

/// What the handlers work with.
pub struct Api {
    /// Hands out numbers.
    pub rotator: Arc<Rotator>,
    /// Numbers, pools and campaigns.
    pub inventory: Arc<dyn InventoryStore>,
    /// What was allocated, for people.
    pub history: Arc<dyn HistoryReader>,
    /// How numbers stand in the engine.
    pub inspector: Arc<dyn Inspector>,
    /// Lets some count numbers while others wait.
    pub counting: explain::Counting,
    /// Work that goes on after its request was answered.
    pub jobs: Arc<Jobs>,
    /// Brings changes of the inventory to the engine: call `now` after each write, before the answer.
    pub sync: Arc<InventorySync>,
    /// Who may ask.
    pub access: Arc<Access>,
    /// Changes the API keys.
    pub keys: Arc<KeyKeeper>,
    /// Signs people in.
    pub sign_in: sign_in::SignIn,
    /// Who changed what.
    pub audit: Arc<dyn AuditLog>,
    /// What holds for each setting, without secrets.
    pub settings: Arc<[Effective]>,
    /// Whether store and engine can work.
    pub health: health::Vitals,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How answers look.
    pub answers: Answers,
    /// The latest requests.
    pub requests: Arc<RequestLog>,
    /// Requests for numbers, counted.
    pub pulse: Arc<Pulse>,
    /// What programs measure.
    pub meters: Arc<Meters>,
    /// Alerts that wait, and what became of others.
    pub alerts: Arc<Outgoing>,
    /// What the dashboard shows, gathered.
    pub gathered: gathered::Gathered,
}

/// Settings of the answers.
#[derive(Debug, Clone)]
pub struct Answers {
    /// How destinations are dialed.
    pub dial_plan: DialPlan,
    /// How numbers are written.
    pub format: NumberFormat,
    /// The global policy, that pools override.
    pub policy: Policy,
    /// How much of history is kept; pools that count on more are warned of.
    pub kept: Kept,
    /// After so long a request is answered with 503.
    pub deadline: Duration,
    /// A body must be here after so long.
    pub body_deadline: Duration,
}

/// All routes. Web pages of `origins` may call them.
fn router(api: Arc<Api>, origins: &[HeaderValue]) -> Router {
    let routes = Router::new()
        // Every method: a refusal, too, must have the form that a dialplan asked for.
        .route("/next-cid", any(next_cid::next_cid))
        .route("/next-cid/", any(next_cid::next_cid))
        .route("/call-result", results())
        .route("/call-result/", results())
        .route("/add-number", post(numbers::add_number))
        .route("/health", get(health::health))
        .route("/live", get(health::live))
        .route("/ready", get(health::ready))
        .route("/metrics", get(metrics::metrics))
        .route("/openapi.json", get(openapi::document))
        .route("/api/v1/numbers", get(list::list).post(one::add))
        .route("/api/v1/numbers/bulk", post(bulk::bulk))
        .route("/api/v1/numbers/export", get(export::export))
        .route("/api/v1/numbers/import", post(import::import))
        .route(
            "/api/v1/numbers/{number}",
            get(one::show).patch(one::change).delete(one::remove),
        )
        .route("/api/v1/numbers/{number}/pause", post(status::pause))
        .route("/api/v1/numbers/{number}/resume", post(status::resume))
        .route("/api/v1/numbers/{number}/rest", post(status::rest))
        .route("/api/v1/numbers/{number}/retire", post(status::retire))
        .route("/api/v1/jobs", get(jobs::list))
        .route("/api/v1/jobs/{id}", get(jobs::show).delete(jobs::cancel))
        .route("/api/v1/reservations/{id}", delete(release::by_reservation))
        .route("/api/v1/reservations", get(reservations::list))
        .route("/api/v1/allocations", get(allocations::list))
        .route("/api/v1/allocations.csv", get(allocations::csv))
        .route("/api/v1/allocations/{id}", get(allocations::show))
        .route("/api/v1/stats", get(stats::stats))
        .route("/api/v1/overview", get(overview::overview))
        .route("/api/v1/coverage", get(coverage::coverage))
        .route("/api/v1/explain", get(explain::explain))
        .route("/api/v1/lookup", get(lookup::lookup))
        .route("/api/v1/release", post(release::by_call))
        .route("/api/v1/requests", get(requests::list))
        .route("/api/v1/pools", get(pools::list))
        .route(
            "/api/v1/pools/{id}",
            get(pools::show).put(pools::put).delete(pools::remove),
        )
        .route("/api/v1/campaigns", get(campaigns::list))
        .route(
            "/api/v1/campaigns/{id}",
            get(campaigns::show)
                .put(campaigns::put)
                .delete(campaigns::remove),
        )
        .route("/api/v1/me", get(me::me))
        .merge(sign_in::routes())
        .route("/api/v1/keys", get(keys::list).post(keys::make))
        .route("/api/v1/keys/{id}", get(keys::show).delete(keys::revoke))
        .route("/api/v1/audit", get(audit::list))
        .route("/api/v1/audit.csv", get(audit::csv))
        .route("/api/v1/settings", get(settings::list))
        .merge(SwaggerUi::new("/docs").config(docs()))
        .fallback(async || ApiError::NoRoute)
        .method_not_allowed_fallback(async || ApiError::NoMethod)
        .layer(from_fn(route::tell))
        .with_state(api);
    match cors::layer(origins) {
        Some(layer) => routes.layer(layer),
        None => routes,
    }
}

/// How calls went; as with numbers, a slash more is no matter.
fn results() -> MethodRouter<Arc<Api>> {
    get(call_result::by_query)
        .post(call_result::by_body)
        .head(call_result::no_method)
        .fallback(call_result::no_method)
}

/// Swagger UI for our document, with nothing from elsewhere: its validator would ask a server of its makers.
fn docs() -> Config<'static> {
    Config::from("/openapi.json").validator_url("none")
}
