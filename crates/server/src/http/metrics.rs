//! `GET /metrics`: how the service is, for Prometheus.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use super::Api;

/// The type of the exposition format.
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What programs measure.
#[utoipa::path(get, path = "/metrics", tag = "monitoring", responses(
    (status = 200, description = "The exposition format of Prometheus", body = String, content_type = "text/plain"),
))]
pub async fn metrics(State(api): State<Arc<Api>>) -> impl IntoResponse {
    let text = api.moment().await.text();
    ([(CONTENT_TYPE, EXPOSITION)], text)
}
