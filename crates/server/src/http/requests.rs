//! The latest requests, for people.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Api, ApiError, Viewer};
use crate::request_log::Line;

/// The latest requests.
#[derive(Debug, Serialize, ToSchema)]
pub struct RequestList {
    /// Newest first; as many as REQUEST_LOG_LIMIT says, and besides a quarter as many that were refused or asked for a path that
    /// is not there.
    requests: Vec<Line>,
    /// False: Redis was not reached, and these are only what this node was asked.
    all_nodes: bool,
}

/// The latest requests of dialers, what people changed, and who was refused, with their outcomes. In a cluster those of all nodes.
#[utoipa::path(get, path = "/api/v1/requests", tag = "people", security(("admin_token" = []), ("bearer" = [])),
    responses((status = 200, body = RequestList)))]
pub async fn list(
    State(api): State<Arc<Api>>,
    _viewer: Viewer,
) -> Result<Json<RequestList>, ApiError> {
    let (requests, all_nodes) = api.requests.latest(usize::MAX).await;
    Ok(Json(RequestList {
        requests,
        all_nodes,
    }))
}
